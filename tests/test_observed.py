"""Which days a table of incidents observed, and that counts, quality and cautions know it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import EscalationWarning, InputError
from escalation.incidents import infer_coverage, infer_gaps

FIRST = pd.Timestamp("2023-01-02")
AWAY = (pd.Timestamp("2023-09-04"), pd.Timestamp("2023-10-01"))


def listed(places: int = 4, days: int = 420, rate: float = 1.5, seed: int = 3) -> pd.DataFrame:
    """A list of incidents in several places."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, days)
    dates = FIRST + pd.to_timedelta(np.repeat(np.arange(days), counts), unit="D")
    return pd.DataFrame({"date": dates, "place": rng.choice([f"place {one}" for one in range(places)], len(dates))})


def unseen(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["date"].between(*AWAY)].reset_index(drop=True)


def opened(table: pd.DataFrame, tmp_path, **options):
    path = tmp_path / "list.csv"
    table.to_csv(path, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        source = escalation.open_source(path, **options)
        return source, escalation.count_series(source)


def test_a_silence_common_to_all_places_is_a_gap_and_a_clean_list_has_none() -> None:
    assert infer_gaps(listed()).empty
    (gap,) = infer_gaps(unseen(listed())).itertuples()
    assert gap.start <= AWAY[0] and gap.end >= AWAY[1] and (gap.end - gap.start).days < 32
    assert gap.why.startswith("none of 4 values of place has an incident, where ")


def test_a_silence_of_one_place_may_be_quiet() -> None:
    alone = unseen(listed(places=1))
    assert infer_gaps(alone).empty
    assert "gap" in set(escalation.assessment.data_quality(alone).findings["check"])  # which is remarked all the same


def test_makers_who_look_all_the_time_have_no_silent_gaps() -> None:
    table = unseen(listed())
    table.attrs["layouts"] = {"GEDEvent_v24_1.csv": "UCDP GED"}
    assert infer_gaps(table).empty


def test_counts_shares_quality_and_cautions_know_a_gap(tmp_path) -> None:
    source, counted = opened(unseen(listed()), tmp_path)
    weeks = counted.counts.loc["2023-09-04":"2023-10-01"]
    assert len(weeks) == 4 and weeks.isna().all()
    assert (counted.observed_share.loc["2023-09-04":"2023-10-01"] == 0).all() and (
        counted.exposure.iloc[1:30] == 1
    ).all()
    assert counted.counts.drop(weeks.index).notna().all()
    assert source.quality is not None and source.quality.verdict != "not to be forecast from as it is"
    (said,) = (one for one in source.quality.findings["said"] if "taken as not observed" in one)
    assert said.startswith("no incident in the ")
    (note,) = (one for one in counted.notes if "taken as not observed" in one)
    assert "(none of 4 values of place has an incident" in note and "coverage" in note
    cautions = escalation.assess(counted, rng=1, models=["negative_binomial"]).cautions
    assert any("days are taken as not observed, and not as quiet" in caution for caution in cautions)


def test_a_given_coverage_is_believed(tmp_path) -> None:
    spans = pd.DataFrame({"start": [None], "end": [None]})
    _, counted = opened(unseen(listed()), tmp_path, coverage=spans)
    assert (counted.counts.loc["2023-09-11":"2023-09-24"] == 0).all() and counted.gaps is None
    assert not [note for note in counted.notes if "not observed" in note]


def test_the_command_says_it_first(tmp_path, capsys) -> None:
    from escalation.cli.running import main

    path = tmp_path / "list.csv"
    unseen(listed()).to_csv(path, index=False)
    assert main(["read", str(path)]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert words.index("days are taken as not observed") < words.index("Columns of")


def test_days_without_a_row_are_gaps_where_quiet_ones_have_rows(tmp_path) -> None:
    weeks = pd.date_range("2023-01-08", periods=60, freq="7D")
    counts = np.random.default_rng(2).poisson(2, 60)
    table = pd.DataFrame({"week ending": weeks, "attacks": counts}).drop(index=range(20, 24))
    assert (table["attacks"] == 0).any()
    _, counted = opened(table, tmp_path)
    missing = counted.counts.loc["2023-05-22":"2023-06-18"]
    assert len(missing) == 4 and missing.isna().all()
    assert counted.counts.drop(missing.index).tolist() == table["attacks"].tolist()
    assert any("(no row speaks of them)" in note for note in counted.notes)
    _, counted = opened(table[table["attacks"] > 0], tmp_path)  # quiet weeks are not listed, so any may be quiet
    assert counted.counts.notna().all()


def totals_of(*oblasts: str) -> pd.DataFrame:
    """Running totals a day; that of Odesa stands still for three weeks and goes on as before."""
    rng = np.random.default_rng(4)
    parts = []
    for name in oblasts:
        counts = rng.poisson(3, 120)
        counts[60:81] = 0 if name == "Odesa" else counts[60:81]
        days = pd.date_range("2024-01-01", periods=120)
        parts.append(pd.DataFrame({"date": days, "oblast": name, "attacks_cumulative": 50 + np.cumsum(counts)}))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.filterwarnings("ignore::escalation.errors.EscalationWarning")
def test_a_fault_of_one_unit_is_unknown_in_that_unit_only(tmp_path) -> None:
    source, whole = opened(totals_of("Kyiv", "Odesa", "Lviv"), tmp_path)
    assert whole.counts.notna().all()
    odesa, kyiv = (escalation.count_series(source, by="admin1", series=name) for name in ("Odesa", "Kyiv"))
    unknown = odesa.counts.loc["2024-03-04":"2024-03-17"]
    assert len(unknown) == 2 and unknown.isna().all() and odesa.counts.drop(unknown.index).notna().all()
    assert (odesa.observed_share[unknown.index] == 0).all()
    (gap,) = odesa.gaps.itertuples()
    assert (str(gap.start.date()), str(gap.end.date())) == ("2024-03-01", "2024-03-21")
    assert gap.why == "no row of its own speaks of them"
    assert kyiv.counts.notna().all() and kyiv.gaps.empty
    counts = escalation.aggregate(source.table, "W", by="admin1", coverage="gaps")
    assert counts.isna().sum().to_dict() == {"Kyiv": 0, "Lviv": 0, "Odesa": 2}


@pytest.mark.filterwarnings("ignore::escalation.errors.EscalationWarning")
def test_a_unit_whose_rows_begin_later_was_not_observed_before(tmp_path) -> None:
    table = totals_of("Kyiv", "Lviv")
    late = table[(table["oblast"] == "Kyiv") | (table["date"] >= "2024-02-05")]
    source, _ = opened(late, tmp_path)
    counts = escalation.count_series(source, by="admin1", series="Lviv").counts
    assert counts.loc[:"2024-02-04"].isna().all() and counts.loc["2024-02-12":].notna().all()


@pytest.mark.filterwarnings("ignore::escalation.errors.EscalationWarning")
def test_a_text_that_changes_from_row_to_row_is_no_unit_with_gaps(tmp_path) -> None:
    table = totals_of("Kyiv").drop(columns="oblast")
    table["source"] = np.where(np.arange(len(table)) % 3 > 0, "army", "press")
    source, _ = opened(table, tmp_path)
    assert escalation.count_series(source, by="source", series="army").counts.notna().all()


def by_country(seed: int = 1) -> pd.DataFrame:
    """Two countries with a source each, one of which ends with July."""
    one = listed(seed=seed).assign(country="A", source="monitor A")
    other = listed(seed=seed + 1).assign(country="B", source="monitor B")
    return pd.concat([one[one["date"] < "2023-08-01"], other], ignore_index=True)


def test_a_unit_whose_only_source_has_ended_is_not_observed_since() -> None:
    table = by_country()
    (gap,) = infer_gaps(table, "country", "A").itertuples()
    assert gap.start == table.loc[table["country"] == "A", "date"].max() + pd.Timedelta(days=1)
    assert gap.end == table["date"].max()
    assert gap.why == "the source 'monitor A' had ended, and nobody else lists this"
    assert infer_gaps(table, "country", "B").empty and infer_gaps(table).empty
    seen = table.assign(source=np.where(table.index % 10 == 0, "monitor B", table["source"]))
    assert infer_gaps(seen, "country", "A").empty  # another that goes on lists it too
    spans = infer_coverage(table, "country", "gaps")
    with pytest.warns(escalation.errors.PartialPeriodWarning):
        counts = escalation.aggregate(table, "M", by="country", coverage=spans)
    assert counts["A"].isna().sum() == 7 and counts["B"].notna().all()


def test_a_silence_between_two_sources_is_a_gap() -> None:
    table = unseen(listed(places=1))
    changed = table.assign(source=np.where(table["date"] < AWAY[0], "old", "new"))
    (gap,) = infer_gaps(changed).itertuples()
    assert gap.why.startswith(
        "the sources before, such as 'old', have ended, and those after, such as 'new', not begun"
    )


def test_what_cannot_be_chosen_is_refused() -> None:
    with pytest.raises(InputError, match="by is 'region'; name a column of the table"):
        infer_gaps(listed(), "region", "A")
    with pytest.raises(InputError, match="no incident has place 'A'; choose another series"):
        infer_gaps(listed(), "place", "A")


def test_clean_tables_seldom_get_a_gap_and_gaps_are_found(benchmark) -> None:
    """benchmarks/observed.py takes thousands."""
    simulated = benchmark("observed")
    assert np.mean(list(simulated.false_gaps(10, seed=9).values())) <= 0.02
    for name, (number, days, others) in simulated.found_gaps(8, seed=9).items():
        assert number >= 0.7 and days >= 0.7 and others < 10, name
