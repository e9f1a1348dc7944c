"""One face: every public result says itself in sentences and gives a table of what it says."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.analysis.alarms.detector import Detector
from escalation.analysis.trend.rate_change import WindowRate
from escalation.models.contract.base import CountModel, PanelModel

NOT_RESULTS = {
    "Flashpoint": "options: the definition of one",
    "Terms": "options of a model",
    "Step": "options of a model: a dated change",
    "Pulse": "options of a model: a dated change",
    "Decay": "options of a model: a dated change",
    "Hawkes": "options of a model",
    "Scenario": "input: an assumption; it has a sentence",
    "Event": "input: an assumption; it has a sentence",
    "CountSeries": "input: counts with what is known of them; it has a sentence",
    "Source": "input: an opened file",
    "Case": "input: the tables of a case",
    "Statement": "one sentence of a brief",
    "EventTimes": "input: when events happened",
    "Design": "input of a model: what its regression takes",
    "Estimate": "of a model: parameters at its maximum",
    "IncidentVintages": "input: a table as it was known on each day",
    "SavedReport": "input: the answers of a report as its file has them",
    "Question": "an entry of a ledger; it has a sentence there",
    "Resolution": "an entry of a ledger; it has a sentence there",
    "Judged": "an entry of a watch's ledger; it has a line",
}
"""Public frozen classes that are options or inputs, and why they need no face."""
ELSEWHERE = {
    "SentenceTable": "a view of a table of tallies beside its article",
    "Assessment": "answers() and sentences()",
    "Backtest": "many tables of scores",
    "Choice": "sentence() and the attribute table",
    "Diagnosis": "verdict() and tables of tests",
    "FlashpointProbability": "sentence()",
    "Forecast": "summary_frame()",
    "ManyFits": "a bundle of fits",
    "ManyForecasts": "the attribute table",
    "PastRecord": "sentence()",
    "Recalibration": "frame of past forecasts",
    "SeriesAnswers": "an assessment and what was announced, of one series of a brief",
    "Reconciled": "frames of parts and totals",
    "Reconstruction": "summary_frame()",
    "QuestionLedger": "entries, and the sentences and table of its scorecard",
    "PressTotal": "sentences and table of its counts as printed and as adjusted",
    "DrawnDistributions": "distributions: methods by count",
    "MixtureDistributions": "distributions: methods by count",
}
"""Results whose face is another one so far."""

WEEKS = pd.period_range("2022-01-03", periods=120, freq="W-SUN", name="period")
RNG = np.random.default_rng(1)
COUNTS = pd.Series(np.concatenate([RNG.poisson(2.0, 80), RNG.poisson(6.0, 40)]), index=WEEKS)


def public() -> dict[str, object]:
    """Everything that the package and its documented rooms list, by its name."""
    found = {name: getattr(escalation, name) for name in escalation.__all__}
    rooms = {name: one for name, one in found.items() if inspect.ismodule(one) and hasattr(one, "__all__")}
    for room in rooms.values():
        found |= {name: getattr(room, name) for name in room.__all__}
    return found


def frozen_classes():
    return {
        name: one
        for name, one in public().items()
        if inspect.isclass(one) and dataclasses.is_dataclass(one) and one.__dataclass_params__.frozen
    }


def is_options(one):
    return issubclass(one, CountModel | PanelModel | Detector)


RESULTS = [
    name
    for name, one in sorted(frozen_classes().items())
    if not is_options(one) and name not in NOT_RESULTS and name not in ELSEWHERE
]


@pytest.mark.parametrize("name", RESULTS)
def test_every_public_result_has_a_sentence_and_a_table(name):
    one = frozen_classes()[name]
    assert callable(getattr(one, "sentence", None)) or callable(getattr(one, "sentences", None)), name
    table = getattr(one, "table", None)
    assert callable(table) and next(iter(inspect.signature(table).parameters)) == "self", name
    assert "table" not in {field.name for field in dataclasses.fields(one)}, name


def test_the_exceptions_are_public_and_frozen():
    assert set(NOT_RESULTS) | set(ELSEWHERE) <= set(frozen_classes())
    assert not set(NOT_RESULTS) & set(ELSEWHERE)


def line_list():
    days = pd.Series(pd.date_range("2024-01-01", "2024-06-30"))
    late = pd.to_timedelta(np.arange(len(days)) * 5 % 17, unit="D")
    return pd.DataFrame({"date": days, "as_of": days + late})


def tallies():
    start = pd.date_range("2024-01-01", periods=12, freq="7D")
    printed = [3, 2, 3, 2, 2, 3, 2, 3, 2, 3, 2, 40]
    rows = {"series": "raids", "qualifier": "exact", "count": printed, "start": start}
    return pd.DataFrame(rows).assign(end=start + pd.Timedelta(days=6), as_of=start + pd.Timedelta(days=7))


def daily():
    days = pd.period_range("2024-01-01", periods=84, freq="D")
    counts = pd.Series([1, 0, 0, 1, 0, 0, 0] * 12, index=days)
    counts.iloc[75] = 30
    return counts


def two_sides():
    counts = np.zeros((120, 2))
    for t in range(1, 120):
        counts[t] = RNG.poisson(2 + 0.4 * counts[t - 1, ::-1])
    return pd.DataFrame(counts, index=WEEKS, columns=["A", "B"])


def hawkes():
    events = escalation.models.times_of(np.sort(RNG.uniform(0, 364, 150)), 364, start="2024-01-01")
    return escalation.models.Hawkes().fit(events)


def severity():
    killed = np.random.default_rng(1).zipf(2.5, 200)
    sizes = escalation.analysis.fatality_sizes(killed, draws=50, rng=1)
    return escalation.analysis.Severity(
        escalation.lethality({"drone": 4, "rocket": 9}, {"drone": 90, "rocket": 80}), sizes
    )


def toll():
    ahead = pd.period_range("2024-12-02", periods=2, freq="W-SUN")
    forecast = escalation.Forecast.of_series(np.full((400, 2), 5), ahead, np.ones((400, 1)), "five a week")
    return escalation.toll(forecast, severity(), killed=(1, 3), rng=1)


def searched():
    odd = pd.Series(np.random.default_rng(3).poisson(3.0, 120), index=WEEKS)
    odd.iloc[60] = 40
    fit = escalation.INGARCH().fit(odd)
    return escalation.models.find_interventions(fit, kinds=["additive"], most=1, replicates=39, rng=1)


MAKERS = {
    "Alarms": lambda: escalation.alarms(COUNTS, "ears_c2"),
    "FalseAlarms": lambda: escalation.analysis.false_alarms(COUNTS, "ears_c2", draws=20, rng=1),
    "RunLength": lambda: escalation.analysis.cusum_run_length(4.0, reference=0.5, limit=4.0),
    "ChangePoints": lambda: escalation.changepoints(COUNTS),
    "CurrentRun": lambda: escalation.analysis.run_length(COUNTS, within=4),
    "RegimeNow": lambda: escalation.regime_now(escalation.models.HiddenMarkov().fit(COUNTS), rng=1),
    "Excitation": lambda: escalation.excitation(two_sides(), lags=1, widths=(1,), draws=39, replicates=5, rng=1),
    "Nowcast": lambda: escalation.incidents.nowcast(line_list(), "W", now="2024-06-30", draws=50, rng=1),
    "Lethality": lambda: severity().lethality,
    "FatalitySizes": lambda: severity().sizes,
    "Severity": severity,
    "Toll": toll,
    "FatalityTail": lambda: escalation.analysis.fatality_tail(
        np.random.default_rng(1).zipf(2.5, 400), replicates=20, rng=1
    ),
    "DataQuality": lambda: escalation.assessment.data_quality(
        line_list().drop(index=range(60, 90)).assign(place="Erbil")
    ),
    "RateChange": lambda: escalation.compare_rates(COUNTS, 8, 24),
    "WindowGrowth": lambda: escalation.growth_rate(COUNTS, 20),
    "Carrier": lambda: escalation.analysis.carried_by_day(daily(), recent=4, baseline=8, rng=1),
    "WhatIf": lambda: escalation.what_if(
        escalation.NegativeBinomial().fit(COUNTS), 4, {"half": escalation.analysis.Scenario("2024-05-01", 0.5)}, rng=1
    ),
    "Vintages": lambda: escalation.tallies.Vintages(tallies(), "raids"),
    "HawkesFit": hawkes,
    "HawkesBootstrap": lambda: hawkes().bootstrap(20, rng=1),
    "ResidualTest": lambda: hawkes().residual_test(),
    "InterventionSearch": searched,
    "FoundIntervention": lambda: searched().found[0],
    "InterventionTest": lambda: escalation.models.intervention_test(
        escalation.INGARCH().fit(COUNTS), [escalation.models.Step(str(WEEKS[80].start_time.date()))]
    ),
    "FoundSeason": lambda: escalation.models.found_seasons(
        escalation.default_model().fit(
            pd.Series([2, 1, 2, 1, 9, 2, 1] * 20, index=pd.period_range("2024-01-01", periods=140, freq="D"))
        )
    )[0],
    "RareEvents": lambda: escalation.analysis.rare_events(
        [85, 9], 404, 50, pd.date_range("2024-11-13", periods=3, freq="30D"), pd.Timestamp("2024-11-12"), rng=1
    ),
    "UnderlyingRates": lambda: escalation.models.underlying_rates(
        escalation.default_model().fit(COUNTS), draws=200, rng=1
    ),
    "WindowRate": lambda: escalation.compare_rates(COUNTS, 8, 24).recent,
}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_what_a_result_says_can_be_read(name):
    made = MAKERS[name]()
    assert type(made).__name__ == name
    said = made.sentences() if hasattr(made, "sentences") else [made.sentence()]
    for sentence in said:
        assert (sentence[0].isupper() or sentence[0].isdigit()) and sentence.endswith(".") and "nan" not in sentence, (
            sentence
        )
    table = made.table()
    assert isinstance(table, pd.DataFrame) and not table.empty


def test_every_result_of_this_list_is_made_once():
    assert {*RESULTS, WindowRate.__name__} - set(MAKERS) == {
        "ActingRecord",
        "Brief",
        "Changed",
        "CountFit",
        "CounterRatios",
        "Effect",
        "Moved",
        "PanelFit",
        "PlaceComparison",
        "Retaliation",
        "Scorecard",
        "TotalsDifferenced",
        "Withheld",
    }  # see their own tests


def test_figures_of_a_table_are_those_of_the_record():
    change = escalation.compare_rates(COUNTS, 8, 24, family="negbin", rng=1)
    table = change.table()
    assert table.loc["ratio of rates", ["value", "lower", "upper"]].tolist() == [
        change.ratio,
        change.lower,
        change.upper,
    ]
    assert (
        table.loc["rate before", "value"] == COUNTS.iloc[-32:-8].mean() and table.loc["rate now", "unit"] == "per week"
    )
    assert np.isnan(table.loc["p-value of equal rates", "lower"])
    window = change.recent.table()
    assert window["total"].tolist() == [COUNTS.iloc[-8:].sum()] and window["first"].tolist() == [WEEKS[-8]]
    grown = escalation.growth_rate(COUNTS, 20)
    assert grown.table().loc["growth over the last 20 weeks", "upper"] == grown.upper
    now = MAKERS["RegimeNow"]()
    assert now.table().loc["end of the regime", ["value", "lower", "upper"]].tolist() == [
        now.median,
        now.lower,
        now.upper,
    ]
    assert now.table()["value"].iloc[:2].sum() == pytest.approx(1.0)


def test_vintages_count_what_was_printed_by_each_day():
    found = escalation.tallies.Vintages(tallies(), "raids")
    table = found.table()
    assert table["known"].tolist() == list(range(1, 13)) and table.index[0] == pd.Timestamp("2024-01-08")
    assert found.sentence() == "12 tallies of raids were printed on 12 days, 2024-01-08 to 2024-03-25."
    half = tallies().assign(as_of=lambda table: table["as_of"].where(table.index < 11))
    assert "1 without a date is left out" in escalation.tallies.Vintages(half, "raids").sentence()
    assert "1 without a date is taken" in escalation.tallies.Vintages(half, "raids", undated="end").sentence()
    never = tallies().assign(as_of=pd.NaT)
    assert (
        escalation.tallies.Vintages(never, "raids").sentence()
        == "None of 12 tallies of raids says when it was printed."
    )


def test_a_bootstrap_says_what_its_replicates_are():
    made = MAKERS["HawkesBootstrap"]()
    table = made.table()
    assert table.loc["branching ratio", "bias"] == pytest.approx(made.ratios.mean() - made.ratio)
    assert table["std_error"].iloc[0] == pytest.approx(made.replicates.iloc[:, 0].std())
    assert "By 20 windows" in made.sentence() and "<table" in made._repr_html_()
