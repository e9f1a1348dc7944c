"""Running totals that restart, are corrected, revised or stand still: as printed, as adjusted, and said in words."""

from __future__ import annotations

import itertools
import json
import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.notes import tally_notes
from escalation.counts import TotalsDifferenced, difference_totals
from escalation.errors import DataWarning, EscalationWarning, InputError
from escalation.incidents import IncidentVintages
from escalation.tallies import running_totals
from escalation.tallies.running import counted_anew, totals_notes

FIRST = pd.Timestamp("2024-01-01")


def totals(numbers, every: int = 1) -> pd.Series:
    """A Series of totals, a bulletin every so many days."""
    return pd.Series(list(numbers), index=FIRST + pd.to_timedelta(every * np.arange(len(numbers)), unit="D"))


def steady(n: int = 100, mean: float = 25, seed: int = 1) -> np.ndarray:
    """Totals of Poisson counts."""
    return np.cumsum(np.random.default_rng(seed).poisson(mean, n)) + 50


def kinds(found: TotalsDifferenced) -> list[str]:
    return found.findings["kind"].tolist()


def by_day(counts: pd.DataFrame) -> dict[str, object]:
    return {f"{day:%m-%d}": number for day, number in zip(counts["date_end"], counts["count"], strict=True)}


def test_totals_that_only_rise_are_their_differences() -> None:
    found = difference_totals(totals([3, 3, 7, 12], every=7))
    assert found.printed["count"].tolist() == found.adjusted["count"].tolist() == [0, 4, 5]
    assert found.printed["date"].tolist() == [FIRST + pd.Timedelta(days=day) for day in (1, 8, 15)]
    assert found.findings.empty and found.outside == 0
    assert found.sentence().endswith("9 as printed, 9 as adjusted; found: nothing.")


def test_with_a_start_the_first_total_is_a_count() -> None:
    found = difference_totals(totals([3, 7]), start="2023-12-30")
    assert found.adjusted[["date", "count"]].to_numpy().tolist() == [[pd.Timestamp("2023-12-30"), 3],
                                                                     [pd.Timestamp("2024-01-02"), 4]]  # fmt: skip
    with pytest.raises(InputError, match="start is 2024-02-01, after the first bulletin, of 2024-01-01"):
        difference_totals(totals([3, 7]), start="2024-02-01")


def test_a_total_that_starts_again_at_123_after_4047() -> None:
    printed = [3600, 3741, 3852, 3970, 4047, 123, 240, 371]
    found = difference_totals(totals(printed, every=3))
    assert kinds(found) == ["restarted"]
    assert found.printed["count"].tolist()[4] == 123 - 4047
    assert found.adjusted["count"].tolist() == [141, 111, 118, 77, 123, 117, 131]
    (said,) = found.sentences()
    assert said.startswith("The total begins anew: 4,047 on 2024-01-13, 123 on 2024-01-16; counted anew, so the 123")


def test_a_month_to_date_starts_again_each_month() -> None:
    counts = np.random.default_rng(4).poisson(6, 180)
    series = pd.Series(counts, index=pd.date_range("2024-01-01", periods=180))
    running = series.groupby(series.index.to_period("M")).cumsum()
    found = difference_totals(running)
    assert set(kinds(found)) == {"restarted"} and len(found.findings) == 5
    assert found.adjusted["count"].tolist() == counts[1:].tolist()


def test_what_is_taken_back_at_once_is_left_out() -> None:
    found = difference_totals(totals([0, 0, 0, 5, 0, 1, 1]))
    assert kinds(found) == ["withdrawn"]
    assert found.adjusted["count"].tolist() == [0, 0, 0, 1, 0]
    window = found.adjusted.loc[found.adjusted["date_end"] == "2024-01-05"].iloc[0]
    assert window["date"] == pd.Timestamp("2024-01-04")  # two days, for the bulletin between says nothing


def test_a_misprint_is_left_out() -> None:
    right = steady()
    printed = right.copy()
    printed[60] //= 10
    found = difference_totals(totals(printed))
    assert kinds(found) == ["misprinted"]
    assert found.adjusted["count"].sum() == right[-1] - right[0]
    assert (found.adjusted["count"] >= 0).all() and len(found.adjusted) == 98


def test_a_correction_is_taken_from_the_counts_before_in_proportion() -> None:
    right = steady()
    printed = np.append(np.round(right[:60] * 1.1).astype(int), right[60:])
    found = difference_totals(totals(printed))
    assert kinds(found) == ["corrected"]
    assert found.printed["count"].min() < 0 <= found.adjusted["count"].min()
    assert found.adjusted["count"].sum() + found.outside == printed[-1] - printed[0]
    off = np.abs(found.adjusted["count"].to_numpy(dtype=float) - np.diff(right))
    assert off[:58].mean() < 1.5 < np.abs(np.diff(printed) - np.diff(right))[:58].mean()  # 10% of 25 is 2.5


def test_a_rebased_total_leaves_one_window_unknown() -> None:
    right = steady()
    found = difference_totals(totals(np.append(right[:60], right[60:] - 700)))
    assert kinds(found) == ["rebased"]
    assert found.adjusted["count"].isna().sum() == 1
    assert found.adjusted["count"].dropna().tolist() == np.delete(np.diff(right), 59).tolist()
    assert "1 window not known" in found.sentence()


@pytest.mark.parametrize("late", [298, 242])
def test_a_batch_is_moved_back_to_the_days_it_can_belong_to(late: int) -> None:
    right = steady(mean=12)
    printed = np.append(right[:60], right[60:] + late)
    found = difference_totals(totals(printed), start="2023-12-28")
    (batch,) = found.findings.itertuples()
    assert batch.kind == "batch" and abs(batch.amount - late) < 15
    assert (batch.since, batch.until) == (pd.Timestamp("2023-12-28"), FIRST + pd.Timedelta(days=60))
    assert found.adjusted["count"].sum() == found.printed["count"].sum() == printed[-1]
    assert found.printed["count"].max() > late > 50 > found.adjusted["count"].iloc[1:].max()
    assert "unless it was one large event" in batch.said


def test_a_surge_that_dies_away_is_no_batch() -> None:
    counts = np.full(80, 10)
    counts[40:50] = [120, 90, 70, 50, 40, 30, 25, 20, 15, 12]
    assert not kinds(difference_totals(totals(np.cumsum(counts))))


def test_a_total_that_stands_still_and_catches_up_is_one_window() -> None:
    right = steady()
    printed = right.copy()
    printed[60:70] = printed[59]
    found = difference_totals(totals(printed))
    assert kinds(found) == ["stood still"]
    joined = found.adjusted[found.adjusted["date_end"] == FIRST + pd.Timedelta(days=70)].iloc[0]
    assert joined["date"] == FIRST + pd.Timedelta(days=60) and joined["count"] == right[70] - right[59]
    lost = np.append(right[:60], right[60:] - (right[69] - right[59]))
    lost[60:70] = lost[59]
    found = difference_totals(totals(lost))
    assert kinds(found) == ["stood still"] and found.adjusted["count"].isna().sum() == 1  # nobody counted these


def test_rounded_totals_between_exact_ones_are_bridged() -> None:
    """Lebanon in autumn 2024: 613 on 20 September, 2,169 on 10 October, rounded numbers between."""
    printed = pd.Series(
        [558, 569, 613, 1000, 1500, 1600, 1900, 2000, 2083, 2119, 2169],
        index=pd.to_datetime([f"2024-{day}" for day in
            ("09-18", "09-19", "09-20", "09-23", "09-27", "09-29", "10-02", "10-05", "10-07", "10-08", "10-10")]),
    )  # fmt: skip
    found = difference_totals(printed)
    assert kinds(found) == ["rounded"]
    assert by_day(found.adjusted) == {"09-19": 11, "09-20": 44, "10-07": 2083 - 613, "10-08": 36, "10-10": 50}
    hedged = pd.DataFrame({"date": printed.index[:4], "total": [613, 700, 640, 655], "hedged": [0, 1, 0, 0]})
    found = difference_totals(hedged.astype({"hedged": bool}))
    assert found.adjusted["count"].tolist() == [27, 15] and kinds(found) == ["rounded"]


def test_a_changed_definition_is_no_count() -> None:
    right = steady()
    printed = np.append(right[:50], right[50:] + 700)
    table = pd.DataFrame({"date": totals(printed).index, "total": printed, "definition": ["a"] * 50 + ["a and b"] * 50})
    found = difference_totals(table)
    assert kinds(found) == ["redefined"] and found.adjusted["count"].isna().sum() == 1
    calm = difference_totals(table.assign(total=right))
    assert kinds(calm) == ["redefined"] and calm.adjusted["count"].notna().all()


PRINTS = pd.DataFrame({
    "date": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-02"], "total": [5, 9, 14, 11],
    "as_of": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-02-02"],
})  # fmt: skip


def test_a_later_print_counts_and_an_earlier_date_sees_the_earlier() -> None:
    now, then = difference_totals(PRINTS), difference_totals(PRINTS, as_of="2024-01-31")
    assert now.adjusted["count"].tolist() == [6, 3] and then.adjusted["count"].tolist() == [4, 5]
    assert kinds(now) == ["revised"] and not kinds(then)
    assert now.sentences() == [
        "The total of 2024-01-02 is revised in a later print: 9, printed 2024-01-02, 11, printed 2024-02-02; the later "
        "print counts."
    ]


@pytest.mark.parametrize(
    ("bulletins", "options", "message"),
    [
        (
            PRINTS.drop(columns="as_of"),
            {},
            "there are two running totals of 2024-01-02; keep one a day, or say in as_of",
        ),
        (PRINTS.drop(columns="as_of"), {"as_of": "2024-01-02"}, "the bulletins have no column as_of"),
        (PRINTS, {"as_of": "2023-01-01"}, "no bulletin that says when it was printed had been by 2023-01-01"),
        (PRINTS.drop(columns="total"), {}, "bulletins hold date, as_of; give a table with date and total"),
        (PRINTS.assign(total=-1), {}, "the total of 2024-01-01 is -1, which is no whole number of 0 or more"),
        (PRINTS.assign(total=1.5), {}, "the total of 2024-01-01 is 1.5, which is no whole number"),
        (PRINTS.assign(date=None), {}, "bulletin 0 has no date; fill it or drop the row"),
        (PRINTS.assign(total=None), {}, "there is no bulletin with a total"),
    ],
)
def test_what_are_no_bulletins_is_refused(bulletins, options, message) -> None:
    with pytest.raises(InputError, match=message):
        difference_totals(bulletins, **options)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_printed_the_counts_are_none_below_zero_and_nothing_is_lost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    printed = np.cumsum(rng.poisson(rng.uniform(0.2, 30), n))
    for at in rng.integers(0, n, 3):
        printed[at:] = np.maximum(printed[at:] + int(rng.integers(-200, 200)), 0)
        printed[rng.integers(0, n)] += int(rng.integers(0, 40))
    days = FIRST + pd.to_timedelta(np.cumsum(rng.integers(1, 6, n)), unit="D")
    start = "2023-12-25" if seed % 2 else None
    found = difference_totals(pd.Series(printed, index=days), start=start)
    counts = found.adjusted
    assert (counts["count"].dropna() >= 0).all()
    assert (counts["date"].to_numpy()[1:] == (counts["date_end"] + pd.Timedelta(days=1)).to_numpy()[:-1]).all()
    if not {"restarted", "rebased", "stood still"} & set(kinds(found)):
        assert counts["count"].sum() + found.outside == printed[-1] - (0 if start else printed[0])
    assert found.sentence() and len(found.sentences()) == len(found.findings)


def test_clean_totals_are_seldom_flagged_and_faults_are_found(benchmark) -> None:
    """benchmarks/running_totals.py takes thousands."""
    simulated = benchmark("running_totals")
    shares = simulated.false_flags(8, seed=5)
    assert len(shares) == 9 and np.mean(list(shares.values())) <= 0.01
    for kind, (named, _, printed, adjusted) in simulated.found(8, seed=5).items():
        assert named >= 0.5, kind  # 0.8 and more over 200
        assert adjusted <= printed + 0.02, kind


# --- tables


def read(tmp_path, text: str, **options):
    path = tmp_path / "bulletins.csv"
    path.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        return escalation.read_incidents(path, **options)


def lines(*rows) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_a_table_that_begins_anew_is_read_with_both_answers(tmp_path) -> None:
    printed = [10, 14, 19, 25, 3, 7]
    days = [f"2024-01-{day:02}" for day in range(1, 7)]
    incidents, ledger = read(tmp_path, lines(("date", "attacks_cum"), *zip(days, printed, strict=True)))
    assert incidents["events"].tolist() == [4, 5, 6, 3, 4]
    (said,) = itertools.chain(*incidents.attrs["totals"].values())
    assert said.startswith("the total begins anew: 25 on 2024-01-04, 3 on 2024-01-05")
    (text,) = incidents.attrs["as_printed"].values()
    assert list(json.loads(text).values()) == [4, 5, 6, -22, 4]
    assert "counts 3 as adjusted, -22 as printed" in ledger["why"].tolist()
    with (
        pytest.warns(DataWarning, match="a row was taken for the running total"),
        pytest.warns(DataWarning, match="1 fault of running totals 'attacks_cum' adjusted, 22 in all where -3 were"),
    ):
        escalation.read_incidents(tmp_path / "bulletins.csv")


def test_each_place_of_a_wide_table_is_looked_at(tmp_path) -> None:
    rows = [("place", *(f"1/{day}/24" for day in range(13, 19))), ("A", 1, 3, 4, 8, 9, 12), ("B", 0, 0, 5, 0, 0, 1)]
    incidents, ledger = read(tmp_path, lines(*rows), cumulative="value")
    sums = incidents.groupby(["place", "date_end"])["events"].sum()
    assert sums["A"].tolist() == [2, 1, 4, 1, 3] and sums["B"].sum() == 1
    assert "is left out, for the total rises and is taken back; counted with the bulletin that follows" in set(
        ledger["why"]
    )
    assert next(iter(incidents.attrs["totals"].values()))[0].startswith("B: the total rises and is taken back")


REVISED = lines(
    ("date", "oblast", "killed_cum", "as_of"),
    *((f"2024-01-{day:02}", place, number * day, f"2024-01-{day:02}") for place, number in (("A", 3), ("B", 5))
      for day in range(1, 15)),
    ("2024-01-10", "A", 32, "2024-03-01"),
)  # fmt: skip


def test_a_table_of_prints_is_read_as_of_a_day(tmp_path) -> None:
    now, ledger = read(tmp_path, REVISED, cumulative="killed_cum")
    then, _ = read(tmp_path, REVISED, cumulative="killed_cum", as_of="2024-02-01")
    assert now["events"].sum() == then["events"].sum() == 8 * 13
    by_day = [table.groupby("date_end")["events"].sum().to_dict() for table in (now, then)]
    assert [days[pd.Timestamp("2024-01-10")] for days in by_day] == [10, 8]
    assert [days[pd.Timestamp("2024-01-11")] for days in by_day] == [6, 8]
    assert (ledger["why"] == "is an earlier print; a later one of the same date counts").sum() == 1
    vintages = IncidentVintages(tmp_path / "bulletins.csv", cumulative="killed_cum", start="2024-01-01")
    early, late = (vintages(pd.Period(day, freq="D")) for day in ("2024-01-12", "2024-03-02"))
    assert early.index[-1] == pd.Period("2024-01-12", freq="D") and early.loc["2024-01-10"] == 8
    assert late.loc["2024-01-10"] == 10 and late.index[-1] == pd.Period("2024-01-14", freq="D")
    with pytest.raises(InputError, match="give both, or none"):
        IncidentVintages(tmp_path / "bulletins.csv", by="country")


def test_a_definition_beside_the_total_is_heeded(tmp_path) -> None:
    printed = steady(30).copy()
    printed[15:] += 900
    rows = [(f"2024-03-{day + 1:02}", printed[day], "raids" if day < 15 else "raids, shelling") for day in range(30)]
    text = "date,raids_cum,definition\n" + "".join(f'{day},{number},"{said}"\n' for day, number, said in rows)
    incidents, ledger = read(tmp_path, text)
    assert len(incidents) == 28 and incidents["events"].max() < 100
    assert "nothing known as adjusted" in " ".join(ledger["why"])
    source = open_quietly(tmp_path / "bulletins.csv")
    counts = counted_quietly(source, freq="D")
    assert counts.counts.loc["2024-03-16"] is pd.NA and counts.observed_share.loc["2024-03-16"] == 0
    assert any("1 day is taken as not observed" in note for note in counts.notes)
    assert any("running total adjusted: the total counts something else" in note for note in counts.notes)


def open_quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        return escalation.open_source(path)


def counted_quietly(source, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        return escalation.count_series(source, **options)


# --- the press


PRESS = pd.DataFrame({
    "series": "strikes", "counter": "ministry", "qualifier": "exact", "unit": "strikes", "start": "2024-01-01",
    "end": [f"2024-{day}" for day in ("01-07", "01-14", "01-21", "01-28", "02-04")], "count": [40, 75, 12, 50, 80],
})  # fmt: skip


def test_running_totals_of_the_press_are_explained() -> None:
    other = PRESS.assign(counter="observatory", count=[30, 61, 90, 122, 150])
    loose = PRESS.iloc[:2].assign(start="2023-06-01")
    found = running_totals(pd.concat([other, PRESS, loose], ignore_index=True))
    assert [(one.counter, kinds(one.differenced)) for one in found] == [
        ("ministry", ["restarted"]), ("observatory", [])
    ]  # fmt: skip
    assert found[0].differenced.adjusted["count"].tolist() == [40, 35, 12, 38, 30]
    assert found[0].sentence().startswith("strikes by ministry since 2024-01-01: 5 counts between bulletins")
    assert len(running_totals(pd.concat([other, PRESS]), counter="ministry")) == 1
    (note,) = totals_notes(PRESS)
    assert note.startswith("running total by ministry since 2024-01-01: the total begins anew: 75 on 2024-01-14")


def test_running_totals_of_the_press_as_they_were_printed_then() -> None:
    later = PRESS.assign(count=[40, 70, 100, 130, 160], as_of=PRESS["end"])
    table = pd.concat([later, later.iloc[[1]].assign(count=76, as_of="2024-03-01")], ignore_index=True)
    now, then = running_totals(table)[0], running_totals(table, as_of="2024-02-15")[0]
    assert now.differenced.adjusted["count"].tolist() == [40, 36, 24, 30, 30] and kinds(now.differenced) == ["revised"]
    assert then.differenced.adjusted["count"].tolist() == [40, 30, 30, 30, 30]
    with pytest.raises(InputError, match="no tally that says when it was printed had been by 2023-01-01"):
        running_totals(table, as_of="2023-01-01")


def test_an_assessment_says_that_a_total_began_anew(tmp_path) -> None:
    path = tmp_path / "tallies.csv"
    PRESS.to_csv(path, index=False)
    counted = counted_quietly(escalation.open_source(path), draws=20, rng=1)
    assert any("the total begins anew: 75 on 2024-01-14, 12 on 2024-01-21" in note for note in counted.notes)


def totals_of(steps):
    ends = pd.date_range("2024-01-07", periods=len(steps), freq="7D")
    rows = {"series": "raids", "qualifier": "exact", "start": "2024-01-01", "counter": "press"}
    return pd.DataFrame({**rows, "count": steps, "end": ends.strftime("%Y-%m-%d")})


def test_a_reconstruction_counts_a_total_that_begins_anew_from_then_on():
    twice = [5 * week for week in range(1, 14)] * 2  # 5 a week; the total begins anew after 13 weeks
    made = escalation.reconstruct(totals_of(twice), series="raids", freq="W-SUN", draws=60, rng=1)
    assert (made.histories.median(axis=1) == 5).all()
    assert made.histories.sum().between(122, 138).all()
    used = made.tallies[made.tallies["used"]]
    assert set(used["start"].dt.month) == {1, 4} and set(used["printed_start"].dt.month) == {1}
    (said,) = [note for note in tally_notes(made) if "begins anew" in note]
    assert "65 on 2024-03-31, 5 on 2024-04-07" in said


def test_a_single_number_that_is_too_low_is_no_new_beginning():
    steps = [5 * week for week in range(1, 14)] + [7]  # 70 without its 0
    table = escalation.tallies.schema.check_tallies(totals_of(steps))
    assert counted_anew(table) is table
