"""Severity of a series: the answers, the page, the command, the charts, and the bundled case at two dates."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation import (
    Climatology,
    EscalationWarning,
    InputError,
    LocalLevel,
    NegativeBinomial,
    aggregate,
    assess,
    count_series,
    exposure,
    first_passage,
    flashpoint,
    lethality,
    open_case,
    open_source,
    pool_forecasts,
    reconstruct,
    toll,
)
from escalation.analysis import Severity, compound, fatality_tail
from escalation.assessment.severity import lacks_fatalities
from escalation.assessment.source import SourceSeries
from escalation.cli import main
from escalation.forecasts import get_flashpoint
from escalation.plots.text import text_width
from escalation.report.write import compose_full
from escalation.tallies import known_by

SPAN = ("2023-01-02", "2024-12-29")


def incidents_of(share=0.3, number=400, seed=1, **columns):
    rng = np.random.default_rng(seed)
    days = pd.Timestamp(SPAN[0]) + pd.to_timedelta(np.sort(rng.integers(0, 728, number)), unit="D")
    killed = np.where(rng.random(number) < share, np.minimum(rng.zipf(2.6, number), 10_000), 0)
    kinds = rng.choice(["drone", "rocket", "mine"], number)
    return pd.DataFrame({"date": days, "event_type": kinds, "fatalities": killed, **columns})


def counted(table, **more):
    counts = aggregate(incidents_of() if table is None else table, "W-SUN", start=SPAN[0], end=SPAN[1])
    shares = exposure(counts.index, *SPAN)
    return SourceSeries(
        counts=counts, exposure=shares, **{"title": "raids", "unit": "raids", "incidents": table} | more
    )


def assessed(table, **options):
    return assess(counted(table), model="climatology", models=[], draws=400, rng=1, **options)


def texts(pages):
    return " ".join(line.text for page in pages for artist in page.artists for line in getattr(artist, "lines", []))


def test_the_answers_are_those_of_the_functions():
    table = incidents_of()
    made = assessed(table, within=4)
    found, answers = made.severity, made.answers("severity")
    assert found.lethality.groups["trials"].sum() == 400 and found.unknown == 0
    assert found.lethality.lethal == (table["fatalities"] > 0).sum()
    assert set(found.lethality.groups.index) == {"drone", "mine", "rocket"}
    assert found.tail.n == found.sizes.n == found.lethality.lethal
    assert found.toll.probabilities.index.tolist() == [1, 10, 25] and str(found.toll.end.date()) == "2025-01-26"
    assert answers.loc["lethal_share", "value"] == found.lethality.share
    assert answers.loc["lethal_share", "question"] == "share of raids that kill"
    assert answers.loc["lethal_share_mine", "value"] == found.lethality.groups["share"]["mine"]
    assert answers.loc["attack_kills_10", "question"] == "an attack that kills 10 or more by 2025-01-26"
    assert answers.loc["attack_kills_10", "value"] == found.toll.probabilities["probability"][10]
    assert answers.loc["tail_exponent", "lower"] == found.tail.alpha_lower
    assert answers.loc["killed_ahead", ["value", "lower", "upper"]].tolist() == [
        found.toll.median,
        found.toll.lower,
        found.toll.upper,
    ]
    assert len(found.sentences()) == 4 and found.sentences()[3] == found.toll.sentence()
    assert made.sentences("severity") == [*found.sentences(), *found.cautions]
    assert assessed(table, within=4).answers("severity").equals(answers)


def test_the_chance_of_a_lethal_attack_is_that_of_the_paths():
    """With one share for all, none of n attacks kills with probability (1 - share) ** n, over paths and shares."""
    table = incidents_of().assign(event_type="")
    made = assessed(table, within=4)
    share = made.severity.lethality
    attacks = made.forecast.series_paths[:, :4].sum(axis=1)
    rng = np.random.default_rng(3)  # Beta(1/2, 1/2), Jeffreys' prior
    drawn = rng.beta(share.lethal + 0.5, 400 - share.lethal + 0.5, 4000)
    by_hand = np.mean(1 - (1 - drawn[:, None]) ** attacks)
    row = made.answers("severity").loc["attack_kills_1"]
    assert row["value"] == pytest.approx(by_hand, abs=0.002) and row["lower"] <= row["value"] <= row["upper"]


def test_intervals_have_the_level_of_the_assessment():
    table = incidents_of()
    half, wide = assessed(table, within=4, level=0.5), assessed(table, within=4).answers("severity")
    found, narrow = half.severity, half.answers("severity")
    assert {part.level for part in (found.lethality, found.stated, found.sizes, found.tail, found.toll)} == {0.5}
    known = wide["lower"].notna() & (wide["unit"] != "killed")
    assert (narrow["lower"] >= wide["lower"])[known].all() and (narrow["upper"] <= wide["upper"])[known].all()


def test_few_lethal_attacks_carry_the_share_alone():
    table = incidents_of(share=0.01, number=300)
    lethal = int((table["fatalities"] > 0).sum())
    assert 0 < lethal < 5
    made = assessed(table)
    found = made.severity
    assert found.sizes is None and found.tail is None and found.toll.median is None
    assert found.cautions[0] == f"The share rests on {lethal} lethal attack{'s' if lethal > 1 else ''}."
    assert "With fewer than 10 lethal attacks" in found.cautions[1]
    assert "killed" not in made.answers("severity")["unit"].tolist()


@pytest.mark.parametrize(("lethal", "said"), [(4, True), (5, False)])
def test_a_share_that_rests_on_few_is_told(lethal, said):
    table = incidents_of().assign(fatalities=[1] * lethal + [0] * (400 - lethal))
    told = [one for one in assessed(table).severity.cautions if one.startswith("The share rests on")]
    assert told == (["The share rests on 4 lethal attacks."] if said else [])


@pytest.mark.parametrize(("lethal", "said"), [(358, False), (360, False), (364, True), (400, True)])
def test_a_list_of_which_nearly_all_killed_does_not_tell_the_share(lethal, said):
    """More than nine in ten, by the posterior mean: (364 + 1/2) / 401 is above 0.9, (360 + 1/2) / 401 is not."""
    table = incidents_of().assign(fatalities=[2] * lethal + [0] * (400 - lethal))
    assert ((lethal + 0.5) / 401 > 0.9) == said
    told = "Nearly all listed incidents killed" in " ".join(assessed(table).severity.cautions)
    assert told == said


def test_incidents_that_state_no_fatalities_are_told():
    table = incidents_of(share=1.0, number=60)
    table["fatalities"] = table["fatalities"].astype("Int64")
    table.loc[:4, "fatalities"] = pd.NA
    made = assessed(table)
    said = " ".join(made.severity.cautions)
    assert "5 incidents state no fatalities" in said and "a list that leaves out attacks without deaths" in said
    assert made.severity.unknown == 5 and made.severity.stated.groups["trials"].iloc[0] == 55


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"incidents": None}, "this source lists no incidents with their fatalities, so nothing says what its"),
        ({"unit": "fatalities"}, "fatalities were counted, and severity is of attacks: count incidents"),
        ({"incidents": incidents_of(events=2)}, "rows stand for several incidents each"),
        (
            {"incidents": incidents_of().assign(fatalities=pd.array([None] * 400, dtype="Int64"))},
            "no incident states its fatalities",
        ),
    ],
)
def test_what_cannot_be_answered_is_withheld_with_the_reason(changes, why):
    series = counted(incidents_of(), **changes)
    made = assess(series, model="climatology", models=[], draws=50, rng=1)
    assert not made.severity and made.severity.reason.startswith(why)
    assert made.answers("severity").loc["lethal_share", "text"].startswith(f"not given: {why}")
    assert made.sentences("severity")[0].startswith(f"Not given: severity ({why}")


def test_which_series_have_a_page():
    assert lacks_fatalities(counted(incidents_of())) is None
    assert lacks_fatalities(counted(incidents_of(share=0.0))) is None  # that none killed says how rare it is
    assert lacks_fatalities(counted(None)) is not None
    made = assessed(incidents_of(share=0.0).assign(event_type=""))
    row = made.answers("severity").loc["lethal_share"]
    assert row["value"] == pytest.approx(0.5 / 401) and row["lower"] < row["value"] < row["upper"] < 0.01
    assert made.severity.cautions[0] == "The share rests on 0 lethal attacks."


def test_types_are_a_column_of_the_incidents():
    made = assessed(incidents_of(actor=["north", "south"] * 200), types="actor")
    assert made.severity.lethality.groups.index.tolist() == ["north", "south"]
    with pytest.raises(InputError, match="types is 'weapon'; name one of the columns date, event_type, fatalities"):
        assessed(incidents_of(), types="weapon")
    for series in (counted(None), counted(None).counts):
        with pytest.raises(InputError, match="types is 'actor', but only the incidents of a table give the types"):
            assess(series, types="actor")


def test_a_series_knows_its_incidents(tmp_path):
    table = incidents_of()
    table.to_csv(tmp_path / "raids.csv", index=False)
    source = open_source(tmp_path / "raids.csv")
    drones = count_series(source, by="event_type", series="drone", start="2023-03-06", end="2024-06-30")
    assert (drones.incidents["event_type"] == "drone").all()
    assert drones.incidents["date"].between("2023-03-06", "2024-06-30").all()
    assert len(drones.incidents) == drones.counts.sum()


def test_incidents_beside_tallies_are_of_the_same_place():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        both = {
            place: count_series(open_source(), place=place, end="2023-11-19", draws=20, rng=1)
            for place in ("Syria", "Iraq")
        }
    assert {place: set(one.incidents["country"]) for place, one in both.items()} == {
        "Syria": {"Syria"},
        "Iraq": {"Iraq"},
    }


# the page and the charts


def test_the_page_says_what_the_answers_say():
    made = assessed(incidents_of())
    found, said = made.severity, texts(compose_full(escalation.brief(made, others=False)))
    assert "What do the attacks do?" in said
    for part in (found.tail.sentence()[:60], "25 or more", "Killed in all:", *(text[:50] for text in found.cautions)):
        assert part in said, part
    none = assess(counted(None), model="climatology", models=[], draws=50, rng=1)
    assert "What do the attacks do?" not in texts(compose_full(escalation.brief(none, others=False)))


def test_the_tail_is_drawn_as_it_is():
    tail = fatality_tail(incidents_of()["fatalities"], samples=0, replicates=100, rng=1)
    ax = escalation.plots.fatality_tail(tail).axes[0]
    drawn = {line.get_label(): line for line in ax.lines}
    seen = drawn["lethal events"]
    assert seen.get_xdata().tolist() == tail.killed.tolist()
    assert seen.get_ydata()[0] == 1.0 and seen.get_ydata()[-1] == pytest.approx(tail.times[-1] / tail.n)
    law = drawn["power law"]
    frame = tail.exceedance(law.get_xdata().tolist())
    assert law.get_ydata().tolist() == frame["probability"].tolist()
    assert law.get_ydata()[0] == pytest.approx(tail.n_tail / tail.n)
    assert set(drawn[f"threshold {tail.xmin}"].get_xdata()) == {tail.xmin}
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert (frame["lower"] <= frame["probability"] + 1e-9).mean() > 0.9
    with pytest.raises(InputError, match="the power law of the tail holds from"):
        tail.exceedance([tail.xmin - 1])


def test_shares_are_drawn_as_they_are():
    many = {f"kind {number}": number for number in range(15)}
    shares = lethality(many, {name: 20 + number for name, number in many.items()} | {"kind 0": 0}, rng=1)
    ax = escalation.plots.lethality(shares).axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 13 and labels[0] == "not seen yet" and labels[-1] == "kind 14 (14 of 34)"
    assert not any("kind 0 " in label for label in labels)
    mean = next(line for line in ax.lines if line.get_label() == "posterior mean")
    assert mean.get_xdata()[-1] == shares.groups["share"]["kind 14"]
    assert mean.get_xdata()[0] == shares.new_share
    bars = next(one for one in ax.collections if one.get_gid() == "intervals").get_segments()
    assert bars[-1][:, 0].tolist() == shares.groups.loc["kind 14", ["lower", "upper"]].tolist()
    long = escalation.plots.lethality(lethality({"a" * 200: 1, "b": 1}, {"a" * 200: 5, "b": 9}, rng=1)).axes[0]
    assert max(text_width(label.get_text(), 8.0) for label in long.get_yticklabels()) < 200


# the command


@pytest.fixture
def raids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    incidents_of(actor=["north", "south"] * 200).to_csv("raids.csv", index=False)
    return tmp_path


def test_the_command_prints_a_table_and_sentences_that_fit(raids, capsys):
    assert main(["severity", "raids.csv", "--within", "4", "--model", "climatology"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "share of incidents that kill" in out and "exponent of the tail" in out
    assert "Coming attacks are taken to kill as those so far did" in out.replace("\n", " ")


def test_the_command_writes_json_and_csv(raids, capsys):
    options = ["severity", "raids.csv", "--types", "actor", "--model", "climatology"]
    assert main([*options, "--format", "json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["lethal_share_north"]["lower"] < rows["lethal_share_north"]["value"]
    assert rows["lethal_share_north"]["question"] == "share that kills: north"
    assert main([*options, "-o", "out.csv"]) == 0
    table = pd.read_csv("out.csv")
    assert table["key"].tolist() == list(rows)
    assert table.columns.tolist() == ["key", "question", "value", "lower", "upper", "unit", "text"]


def test_types_of_tallies_are_refused(tmp_path):
    (tmp_path / "press.csv").write_text("series,count,qualifier,start,end\nraids,9,exact,2024-01-01,2024-01-31\n")
    series = count_series(open_source(tmp_path / "press.csv"), draws=40, rng=1)
    assert series.reconstruction is not None
    with pytest.raises(InputError, match="types is 'actor', but only the incidents of a table give the types"):
        assess(series, types="actor")


def test_the_command_refuses_fatalities_and_unknown_columns(raids, capsys):
    assert main(["severity", "raids.csv", "--measure", "fatalities", "--model", "climatology"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.endswith(
        "error: no severity can be given: fatalities were counted, and severity is of attacks: count incidents\n"
    )
    assert main(["severity", "raids.csv", "--types", "weapon", "--model", "climatology"]) == 2
    assert "types is 'weapon'" in capsys.readouterr().err


def test_the_report_has_the_page(raids, capsys):
    assert main(["report", "raids.csv", "-o", "raids.pdf"]) == 0
    assert (raids / "raids.pdf").read_bytes()[:5] == b"%PDF-"


# the bundled case: how likely was a lethal attack within 60 days?


def seen_from(day: str, pooled: int = 100):
    """Histories and the pool of three forecasts, from what had been printed by a day, and the incidents until then."""
    case, seen = open_case("militia-attacks-2023-2024"), pd.Timestamp(day)
    last = pd.Period(seen + pd.Timedelta(days=1), "W-SUN") - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        told = reconstruct(
            known_by(case.tallies, seen),
            series="militia_attacks_on_us",
            counter="us_government_or_press",
            start="2023-10-17",
            end=last.end_time.normalize(),
            rng=1,
        )
        models = (LocalLevel(link="softplus"), NegativeBinomial(), Climatology())
        steps = (pd.Period(seen + pd.Timedelta(days=60), "W-SUN") - last).n
        fits = [model.fit(told.histories, exposure=told.exposure, histories=pooled, unit="attacks") for model in models]
    ahead = pool_forecasts([fit.forecast(steps, draws=4000, rng=1) for fit in fits])
    own = case.incidents[(case.incidents["series"] == told.series) & (case.incidents["date_end"] <= seen)]
    return told, ahead, own, (seen + pd.Timedelta(days=1), seen + pd.Timedelta(days=60))


@pytest.mark.slow
def test_a_lethal_attack_within_60_days_as_seen_from_31_december_2023():
    """None of some 119 attacks had killed; 28 days later one did.

    The figures are those of this computation; tolerances are several Monte Carlo errors of chains and paths.
    """
    told, ahead, listed, (start, end) = seen_from("2023-12-31")
    lethal = int((listed["fatalities"] > 0).sum())
    share = lethality(lethal, told.histories)
    assert lethal == 0 and 95 <= share.trials_lower < share.trials_upper <= 160  # nothing was printed after 21 December
    found = toll(ahead, Severity(share), start=start, end=end, rng=1)
    row = found.probabilities.loc[1]
    assert row["probability"] == pytest.approx(0.25, abs=0.03)
    assert row["lower"] < 0.01 and 0.65 < row["upper"] < 0.9  # no lethal attack says little about how rare they are
    stated = lethality(lethal, int(listed["fatalities"].notna().sum()))  # the alternative: the rest is not known
    other = toll(ahead, Severity(stated), start=start, end=end, rng=1).probabilities.loc[1]
    assert other["probability"] == pytest.approx(0.42, abs=0.04)
    deaths = compound(ahead, Severity(share), what="lethal", rng=1)
    by_week = first_passage(deaths, get_flashpoint("first-lethal"))
    assert by_week.iloc[-1] == pytest.approx(flashpoint(deaths, 1).probability)
    assert by_week.iloc[-1] == pytest.approx(row["probability"], abs=0.04)  # whole weeks


@pytest.mark.slow
def test_a_lethal_attack_within_60_days_as_seen_from_12_november_2024():
    """Two attacks had killed, the second of them not US soldiers, and how many attacks there were was hardly known."""
    told, ahead, listed, (start, end) = seen_from("2024-11-12")
    lethal = int((listed["fatalities"] > 0).sum())
    share = lethality(lethal, told.histories)
    assert lethal == 2 and 165 <= share.trials_lower <= 200 and 230 <= share.trials_upper <= 330
    row = toll(ahead, Severity(share), start=start, end=end, rng=1).probabilities.loc[1]
    # fourteen weeks of silence say less of how many may come than twenty attacks a week would
    assert row["probability"] == pytest.approx(0.27, abs=0.06) and row["lower"] < 0.15 and row["upper"] > 0.4
    tower_22 = toll(ahead, Severity(lethality(1, told.histories)), start=start, end=end, rng=1).probabilities.loc[1]
    assert tower_22["probability"] == pytest.approx(0.18, abs=0.05)
    stated = lethality(lethal, int(listed["fatalities"].notna().sum()))
    other = toll(ahead, Severity(stated), start=start, end=end, rng=1).probabilities.loc[1]
    assert tower_22["probability"] < row["probability"] < other["probability"]


def test_the_bundled_case_has_its_caution():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        series = count_series(open_source(), draws=60, rng=1)
        found = assess(series, model="climatology", models=[], draws=200, rng=1).severity
    assert lacks_fatalities(series) is None and len(series.incidents) >= 100
    assert found.lethality.lethal == 2 and found.unknown == 36
    assert "The share rests on 2 lethal attacks among the incidents that are listed" in found.cautions[0]
    assert found.stated.share > 2 * found.lethality.share
