"""assess: what is asked unless said otherwise, the parts and where their numbers come from, one seed, one record."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.outlook import far_beyond, times_reached
from escalation.assessment.source import SourceSeries
from escalation.errors import FitError, InputError
from escalation.forecasts.forecast import Forecast

ALL = ("trend", "forecast", "flashpoints", "presets", "severity", "changes", "alarms", "regimes", "excitation")
RISING = [2, 1, 0, 3, 2, 1, 2, 0, 1, 2, 3, 1, 0, 2, 1, 2, 9, 12, 10, 14]
COUNTS = [1, 0, 2, 1, 1, 3, 0, 1, 2, 0, 1, 1, 0, 2, 1, 1, 9, 8, 1, 12]


def series_of(values, freq="W-SUN", **more):
    index = pd.period_range("2023-01-02", periods=len(values), freq=freq, name="period")
    options = {"title": "attacks", "unit": "attacks", **more}
    return SourceSeries(counts=pd.Series(pd.array(values, dtype="Int64"), index=index), **options)


def quick(series, **options):
    """One model that needs no fitting."""
    return escalation.assess(series, **({"model": "climatology", "models": [], "draws": 300, "rng": 1} | options))


@pytest.fixture(scope="module")
def rising() -> escalation.Assessment:
    return escalation.assess(series_of(RISING), draws=600, rng=1)


# What is asked


@pytest.mark.parametrize(
    ("freq", "periods", "expected"),
    [
        ("D", 216, {"horizon": 28, "recent": 28, "baseline": 182, "window": 28}),
        ("W-SUN", 60, {"horizon": 8, "recent": 4, "baseline": 26, "window": 13}),
        ("M", 40, {"horizon": 6, "recent": 3, "baseline": 12, "window": 12}),
        # where there are fewer, what is left before the recent window, and all for growth
        ("D", 100, {"horizon": 28, "recent": 28, "baseline": 72, "window": 28}),
        ("W-WED", 12, {"horizon": 8, "recent": 4, "baseline": 8, "window": 12}),
        ("M", 7, {"horizon": 6, "recent": 3, "baseline": 4, "window": 7}),
        ("W-SUN", 5, {"horizon": 8, "recent": 2, "baseline": 3, "window": 5}),
        ("W-SUN", 4, {"horizon": 8, "recent": 2, "baseline": 2, "window": 4}),
    ],
)
def test_defaults_follow_the_periods_and_how_many_there_are(freq, periods, expected):
    values = [3, 1, 4, 2] * (periods // 4) + [5] * (periods % 4)
    made = quick(series_of(values, freq))
    assert {name: getattr(made.options, name) for name in expected} == expected
    assert made.within == made.forecast.steps == expected["horizon"]
    now, was = made.rate.recent, made.rate.baseline
    assert (now.observed, was.observed) == (expected["recent"], expected["baseline"])
    assert now.last == made.series.periods[-1] and was.last == now.first - 1
    assert now.total == sum(values[-expected["recent"] :])
    assert was.total == sum(values[-expected["recent"] - expected["baseline"] : -expected["recent"]])
    assert len(made.window) == expected["window"] and made.window[-1] == now.last
    if made.growth:
        assert made.growth.observed == expected["window"]
        assert made.growth == escalation.growth_rate(made.series.counts, expected["window"], rng=1)


def test_the_horizon_grows_with_within_and_the_baseline_ends_where_the_recent_window_begins():
    made = quick(series_of(COUNTS), within=12)
    assert made.options.horizon == 12 and len(made.thresholds.passage) == 12
    windows = quick(series_of(COUNTS), recent=("2023-03-06", "2023-03-26"))
    assert windows.rate.recent.observed == 3 and windows.rate.baseline.observed == 9
    assert windows.rate.baseline.last.end_time.date().isoformat() == "2023-03-05"
    assert windows.answers().loc["count_recent", "question"] == "counted in the 3 weeks to 2023-03-26"
    assert windows.answers().loc["count_recent", "value"] == sum(COUNTS[9:12])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"at_least": 0}, "at_least is 0"),
        ({"over": 0}, "over is 0"),
        ({"within": 9, "horizon": 8}, "within is 9, beyond the horizon of 8"),
        ({"model": "oracle"}, "model is 'oracle'"),
        ({"models": ["oracle"]}, "model is 'oracle'"),
        ({"models": "climatology"}, "models is 'climatology'; give a list of names"),
        ({"recent": 0}, "recent"),
        ({"window": 21}, "window=21 reaches outside the series"),
        ({"recent": 4, "baseline": ("2023-01-02", "2023-05-21")}, "overlap"),
        ({"level": 1.0}, "level is 1.0"),
        ({"draws": 0}, "draws is 0"),
        ({"regimes": "all"}, "regimes is 'all'; use none or hidden_markov"),
        ({"alarm": "magic"}, "alarm is 'magic'; use one of farrington"),
        ({"types": "weapon"}, "types is 'weapon', but only the incidents of a table"),
        (
            {"at_least": escalation.forecasts.get_flashpoint("acled-25"), "over": 4},
            "the flashpoint brings its own window",
        ),
        ({"sides": {"A": series_of(COUNTS)}}, "the sides are A; name two different ones"),
        ({"rng": -1}, "rng is -1"),
    ],
)
def test_options_out_of_range_are_named_at_once(options, said):
    with pytest.raises(InputError, match=said):
        escalation.assess(series_of(RISING), **options)


def test_parts_that_are_none_are_named(rising):
    for asked in (rising.answers, rising.sentences, rising.to_json):
        with pytest.raises(InputError, match="part is 'weather'; use some of rate, growth"):
            asked("rate", "weather")


def test_a_series_too_short_is_refused():
    with pytest.raises(InputError, match="the series has 3 weeks; an assessment needs at least 4"):
        escalation.assess(series_of([1, 2, 3]), rng=1)


def test_a_count_where_nothing_was_covered_is_refused():
    shares = pd.Series(1.0, index=series_of(RISING).counts.index)
    shares.iloc[3] = 0
    with pytest.raises(InputError, match="exposure is 0 at 2023-01-23"):
        escalation.assess(series_of(RISING, exposure=shares))


def test_whatever_holds_counts_can_be_assessed(tmp_path):
    days = pd.date_range("2024-01-01", periods=80, freq="2D")
    pd.DataFrame({"date": days}).to_csv(tmp_path / "raids.csv", index=False)
    source = escalation.open_source(tmp_path / "raids.csv")
    counted = escalation.count_series(source, rng=1)
    given = (str(tmp_path / "raids.csv"), tmp_path / "raids.csv", source, counted)
    tables = [quick(one).answers() for one in given]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])
    bare = quick(counted.counts).answers()  # its unit and exposure are not known
    assert set(bare["unit"]) == set(tables[0]["unit"])
    tally = {"series": "raids", "count": 40, "qualifier": "exact", "start": "2024-09-02", "end": "2024-11-12"}
    result = escalation.reconstruct(pd.DataFrame([tally]), series="raids", draws=40, rng=1)
    assert quick(result).reconstruction is result
    assert quick(result.to_count_series()).reconstruction is None


# The numbers and where they come from


def test_answers_are_the_numbers_of_the_parts(rising):
    answers = rising.answers()
    assert answers.loc["count_recent", "value"] == 45
    assert answers.loc["count_recent", "question"] == "counted in the last 4 weeks"
    assert answers.loc["rate_now", "value"] == rising.rate.recent_rate == pytest.approx(45 / 4, rel=0.1)
    assert list(answers.index).index("probability_unusual") < list(answers.index).index("probability_higher")
    assert answers.loc["probability_unusual", "value"] == rising.rate.probability_unusual
    assert answers.loc["probability_higher", "value"] > 0.99
    total = answers.loc["total_ahead"]
    paths = rising.forecast.series_paths.sum(axis=1)
    assert total["value"] == np.quantile(paths, 0.5, method="inverted_cdf")
    assert np.mean((paths >= total["lower"]) & (paths <= total["upper"])) >= 0.9
    chosen = rising.flashpoints[0]
    assert chosen.at_least == 10  # the busiest tenth of 20 weeks: 12, 14; the next is 10
    assert answers["value"].iloc[-len(rising.flashpoints)] == chosen.probability == answers.loc["flashpoint", "value"]


def test_rate_growth_and_changes_are_those_of_the_functions():
    made = quick(series_of([2, 0, 1] * 8 + [7, 9, 8] * 3))
    counts = made.series.counts
    assert made.rate == escalation.compare_rates(counts, 4, 26, rng=1)
    assert made.growth == escalation.growth_rate(counts, 13, rng=1)
    assert made.changes.sentence() == escalation.changepoints(counts, unit="attacks").sentence()
    assert made.poisson_changes.family == "poisson"
    assert made.alarms.sentence() == escalation.alarms(counts, "ears_c2", unit="attacks").sentence()
    assert 0 < made.false_alarms.per_year < 15
    named = escalation.forecasts.get_flashpoint("acled-25")
    assert made.presets["acled-25"] == escalation.flashpoint(made.forecast, named, within=made.within)
    assert not made.regimes and not made.excitation


def test_which_exposure_counts(monkeypatch):
    """A last week of which one day was covered and in which 2 were counted is as busy as one with 14."""
    whole, part = series_of([2, 3] * 9 + [2, 2]), series_of([2, 3] * 9 + [2, 14])
    shares = pd.Series(1.0, index=whole.counts.index)
    shares.iloc[-1] = 1 / 7
    models = {"models": ["negative_binomial"], "model": "negative_binomial", "draws": 8000}
    by_share = quick(series_of([2, 3] * 9 + [2, 2], exposure=shares), **models)
    now = by_share.rate.recent
    assert now.exposure == pytest.approx(3 + 1 / 7)
    assert by_share.answers().loc["rate_now", "value"] == now.rate
    assert by_share.growth.growth > quick(whole).growth.growth
    assert quick(part).rate.recent_rate > now.rate > quick(whole).rate.recent_rate
    # one rate for the whole series: what was counted over what was covered, times the weeks ahead
    fit = by_share.fits["negative_binomial"]
    assert np.exp(fit.params["level"]) == pytest.approx((45 + 2 + 2) / (19 + 1 / 7), rel=0.02)
    error = by_share.forecast.series_paths.sum(axis=1).std() / np.sqrt(8000)
    assert by_share.forecast.series_paths.sum(axis=1).mean() == pytest.approx(
        8 * 49 / (19 + 1 / 7), abs=6 * error + 0.5
    )
    assert by_share.sentences()[0].endswith("(3.1 covered).")


def test_a_window_says_what_of_it_was_observed_and_covered():
    shares = pd.Series(1.0, index=series_of([1, 0, 2, 1] * 5).counts.index)
    shares.iloc[-1] = 1 / 7
    result = quick(series_of([1, 0, 2, 1] * 4 + [1, 0, None, 1], exposure=shares))
    assert result.sentences()[0].endswith("2023-05-21 (3 observed, 2.1 covered).")
    assert result.answers().loc["count_recent", "question"] == "counted in the last 4 weeks"
    assert result.answers().loc["count_recent", "value"] == 2


def test_weeks_that_nobody_watched_are_no_hindrance():
    made = quick(series_of([2, 0, 1] * 5 + [None] * 3 + [1, 2, 0] * 5 + [4, 6, 5] * 3))
    assert made.growth.observed == 13 and made.changes and made.alarms


def test_recent_weeks_that_nobody_watched_withhold_the_rate_and_not_the_forecast():
    made = escalation.assess(series_of(COUNTS + [None] * 4), draws=100, rng=1)
    why = "none of the 4 recent weeks, 2023-05-22 to 2023-06-18, was observed"
    assert not made.rate and made.rate.reason == why
    answers = made.answers("trend", "forecast", "flashpoints")
    for key in ("count_recent", "rate_now", "rate_before", "rate_ratio", "probability_unusual", "probability_higher"):
        assert np.isnan(answers.loc[key, "value"]) and answers.loc[key, "text"] == f"not given: {why}"
    assert answers.loc["total_ahead", "value"] > 0 and answers.loc["flashpoint", "value"] > 0
    assert made.forecast.periods[0] == made.series.periods[-1] + 1
    assert f"The rates are not compared: {why}." in made.cautions
    baseline = quick(series_of([None] * 4 + [1, 3, 2]), recent=3, baseline=1)
    assert baseline.rate.reason == "the baseline week, 2023-01-23 to 2023-01-29, was not observed"


def test_nothing_but_zeros_is_an_answer():
    made = escalation.assess(series_of([0] * 30), draws=100, rng=1)
    with pytest.warns(escalation.errors.DataWarning, match="the zero counts leave level without a finite maximum"):
        answers = made.answers(*ALL)
    assert answers.loc["count_recent", "text"] == "0 attacks"
    assert 0 < answers.loc["rate_now", "value"] < answers.loc["rate_now", "upper"] < 0.3
    assert answers.loc["growth", "text"] == "not given: 0 attacks in 13 weeks, and it needs 10"
    assert made.flashpoints[0].at_least == 1 and [point.at_least for point in made.flashpoints] == [1, 2]


def test_histories_give_intervals_to_what_was_counted():
    rng = np.random.default_rng(3)
    weeks = pd.period_range("2023-01-02", periods=24, freq="W-SUN")
    table = pd.DataFrame(rng.poisson(3, (24, 40)), index=weeks, columns=pd.RangeIndex(40, name="draw"))
    made = quick(escalation.CountSeries(table, unit="raids"))
    totals = sorted(table.iloc[-4:].sum().tolist())
    row = made.answers().loc["count_recent"]
    assert row[["value", "lower", "upper"]].tolist() == [totals[19], totals[1], totals[37]]  # inverse of the ECDF
    assert f"There were {totals[19]} raids (90% interval {totals[1]} to {totals[37]}) in" in made.sentences()[0]
    assert made.rate.histories == 40


# The forecast


def test_the_default_model_answers_and_others_stand_beside_it(rising):
    assert rising.options.model == escalation.default_model().name == "changing_rate"
    assert list(rising.forecasts) == ["changing_rate", "local_level", "negative_binomial", "climatology"]
    assert rising.forecast is rising.forecasts["changing_rate"] and rising.fits["changing_rate"] is rising.default_fit


def test_trend_and_forecast_come_from_one_posterior():
    """Counts that rise 5% a week for a year: the rate now, its growth and the forecast agree."""
    made = escalation.assess(series_of(np.random.default_rng(2).poisson(4 * 1.05 ** np.arange(52)).tolist()), rng=1)
    assert made.growth_now.lower < 0.05 < made.growth_now.upper and made.growth_now.probability_rising > 0.95
    ahead = made.forecast.series_paths.mean(axis=0)
    now = np.median(made.underlying.rates[:, -1])
    assert ahead[0] == pytest.approx(now * (1 + made.growth_now.growth), rel=0.1)
    assert ahead[-1] > 1.2 * now
    assert "it has grown or fallen steadily since its last change" in made.sentences("forecast")[1]
    assert len(made.sentences("forecast")) == 2 and made.cautions == ()


def test_a_rise_that_is_not_carried_on_is_explained():
    made = escalation.assess(series_of([4, 5, 3, 6, 4, 5] * 8 + [4, 9, 30, 24, 17, 13]), window=6, rng=1)
    if made.growth.probability_rising >= 0.9:
        ahead = made.forecast.series_paths[:, -1].mean() / made.underlying.rates[:, -1].mean()
        assert ("does not carry the rise on" in " ".join(made.sentences("forecast"))) == (ahead < 0.95)


def test_a_forecast_far_beyond_the_past_carries_its_caution():
    made = escalation.assess(series_of([0] * 18 + [1, 2]), model="poisson", models=[], draws=200, rng=1)
    assert not any("never been seen" in one for one in made.cautions)
    far = dataclasses.replace(made.forecast, paths=np.full((1, 200, 8), 900))
    said = far_beyond(far, 8)
    assert said.startswith("Caution: the mean of these totals, 7,200, is more than 10 times the most") and "(3)" in said
    assert far_beyond(dataclasses.replace(made.forecast, paths=np.full((1, 200, 8), 3)), 8) == ""


def test_one_model_can_answer_alone():
    alone = escalation.assess(
        series_of(RISING), model="climatology", horizon=3, at_least=11, within=2, draws=400, rng=1
    )
    assert alone.forecast.model == "climatology"
    assert alone.flashpoints[0].within == 2
    # drawn from the last 12 weeks, of which 12 and 14 reach 11
    assert alone.flashpoints[0].probability == pytest.approx(1 - (10 / 12) ** 2, abs=4 * np.sqrt(0.31 * 0.69 / 400))
    assert "the climatology model" in alone.sentences("forecast")[0]


def test_a_model_without_forecast_is_named_and_hinders_no_answer(monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise FitError("the terms are too uncertain")

    monkeypatch.setattr(escalation.NegativeBinomial, "simulate", fails)
    result = escalation.assess(series_of(RISING), draws=50, rng=1)
    assert result.failed == {"negative_binomial": "the terms are too uncertain"}
    assert "the changing rate model" in result.sentences("forecast")[0]


def test_a_model_that_cannot_be_fitted_is_named_and_left_out():
    short = escalation.assess(series_of([1, 2, 0, 1]), draws=100, rng=1)
    assert "local_level" in short.failed
    assert "too few" in short.failed["local_level"]
    alone = escalation.assess(series_of([1, 2, 0, 1]), model="local_level", rng=1)
    assert not alone.forecast and "too few for local_level" in alone.forecast.reason
    assert alone.rate  # what needs no forecast is there
    assert {part.reason for part in (alone.flashpoints, alone.presets, alone.thresholds)} == {alone.forecast.reason}
    with pytest.raises(escalation.errors.WithheldError, match=r"forecast is not given: .* too few for local_level"):
        alone.forecast.series_paths  # noqa: B018


def test_where_the_default_model_cannot_be_fitted_the_reason_stands_everywhere():
    none = escalation.assess(series_of([9, None, None, 9, 8, None], freq="W-SUN"), recent=2, baseline=3, rng=1)
    assert none.forecast  # three periods are enough
    two = escalation.assess(series_of([9, None, None, 9]), rng=1)
    why = "2 observed periods are too few for changing_rate; it needs 3"
    assert not two.rate and two.rate.reason == why
    assert not two.forecast and two.forecast.reason.endswith(why)
    assert f"There is no forecast: {two.forecast.reason}." in two.cautions


def test_totals_of_the_models_are_quantiles_of_their_paths():
    made = quick(series_of(COUNTS), models=["negative_binomial"], within=5)
    table = made.outlook.totals(5, made.level)
    assert list(table.index) == list(made.forecasts) == ["climatology", "negative_binomial"]
    for name, forecast in made.forecasts.items():
        totals = sorted(sum(path[:5]) for path in forecast.series_paths.tolist())
        firsts = sorted(path[0] for path in forecast.series_paths.tolist())
        n = len(totals)
        for prefix, values in (("total", totals), ("first", firsts)):
            # inverse of the empirical distribution function, by hand
            expected = [values[int(np.ceil(q * n)) - 1] for q in (0.5, 0.05, 0.95)]
            found = table.loc[name, [prefix, f"{prefix}_lower", f"{prefix}_upper"]]
            assert found.tolist() == pytest.approx(expected, abs=1)  # 0.05 n is not exact in floats


# Flashpoints


def test_passage_ends_at_the_flashpoint_probability(rising):
    passage = rising.thresholds.passage
    for point in rising.flashpoints:
        assert passage[point.at_least].iloc[-1] == pytest.approx(point.probability)
        by_hand = np.mean(rising.forecast.series_paths.max(axis=1) >= point.at_least)
        assert point.probability == by_hand
    assert (passage.diff().dropna() >= 0).all(axis=None)


@pytest.mark.parametrize(
    ("values", "asked", "over", "thresholds"),
    [
        # the busiest tenth of twenty weeks: the third from above; then half, twice and the record
        (RISING, None, 1, [10, 5, 14, 20]),
        (RISING, 7, 1, [7, 3, 14]),  # twice is the record
        (COUNTS, 1, 1, [1, 2, 12]),  # half of 1 is 1
        ([0] * 20, None, 1, [1, 2]),  # at least 1
        ([0, 2] * 10, None, 3, [4, 2, 8]),  # 0 + 2 + 0 and 2 + 0 + 2
    ],
)
def test_thresholds_are_the_busiest_tenth_half_twice_and_the_record(values, asked, over, thresholds):
    made = quick(series_of(values), at_least=asked, over=over)
    assert [point.at_least for point in made.flashpoints] == thresholds
    sums = sorted(sum(values[i : i + over]) for i in range(len(values) - over + 1))
    if asked is None:
        assert thresholds[0] == max(1, sums[int(0.9 * (len(sums) - 1))])
    assert max(1, sums[-1]) in thresholds
    assert set(thresholds[1:]) == {max(1, thresholds[0] // 2), 2 * thresholds[0], max(1, sums[-1])} - {thresholds[0]}
    keys = ["flashpoint", *(f"flashpoint_{threshold}" for threshold in thresholds[1:])]
    assert made.answers("flashpoints").index.tolist() == keys


@pytest.mark.parametrize("over", [1, 3])
def test_times_reached_counts_the_windows_so_far(over):
    made = quick(series_of(COUNTS), over=over, at_least=9)
    sums = [sum(COUNTS[i : i + over]) for i in range(len(COUNTS) - over + 1)]
    table = times_reached(made.series, made.thresholds, over)
    assert list(table.index) == list(made.thresholds.passage.columns) and set(table["windows"]) == {len(sums)}
    assert table["reached"].tolist() == [sum(total >= at_least for total in sums) for at_least in table.index]


def test_unobserved_weeks_are_in_no_window():
    made = quick(series_of([1, None, *COUNTS]), over=2, at_least=9)
    assert set(times_reached(made.series, made.thresholds, 2)["windows"]) == {len(COUNTS) - 1}


def test_no_window_without_a_gap_withholds_the_flashpoint():
    made = quick(series_of([1, None] * 6), over=2)
    assert made.flashpoints.reason == "no 2 consecutive periods were observed; shorten over"
    assert made.forecast and made.answers().loc["flashpoint", "text"].startswith("not given: no 2 consecutive")


def test_a_definition_is_a_flashpoint_of_its_own_window_and_threshold():
    named = escalation.forecasts.get_flashpoint("acled-25")
    made = quick(series_of(COUNTS), at_least=named)
    (point,) = made.flashpoints
    least = int(1.25 * sum(COUNTS[-4:]) / 4) + 1  # more than 25% above the weekly mean of the last four weeks
    least = max(least, 6) if sum(COUNTS[-4:]) <= 8 else least
    assert (point.name, point.over, point.at_least) == ("acled-25", 1, least)
    assert point.probability == np.mean(made.forecast.series_paths.max(axis=1) >= least)
    row = made.answers("flashpoints").loc["flashpoint"]
    assert (
        row["question"] == f"a week of {least} or more by 2023-07-16 (acled-25)" and row["value"] == point.probability
    )
    assert made.presets["acled-25"] == point
    assert json.loads(made.to_json())["options"]["at_least"]["name"] == "acled-25"


WEEKLY = ("acled-10", "acled-25", "acled-10-year", "acled-25-year", "acled-surge", "first-event")


def test_definitions_of_fatalities_are_for_fatalities():
    of_attacks, of_killed = quick(series_of(COUNTS)), quick(series_of(COUNTS, unit="fatalities"))
    assert not {"views-25", "views-1", "hdx-1y", "hdx-3y", "first-lethal"} & set(of_attacks.presets)
    assert not {"hdx-1y", "hdx-3y"} & set(of_killed.presets)  # a record of a year needs a year
    assert {"views-25", "views-1", "first-lethal"} <= set(of_killed.presets)
    assert "views-25" in of_killed.answers("presets").loc["preset_views_25", "question"]
    short = quick(series_of(COUNTS), horizon=2)
    assert set(short.presets) == set(WEEKLY)  # windows of four weeks do not fit


# One seed, one record


def test_sentences_give_every_number_with_its_range(rising):
    sentences = rising.sentences("rate", "forecast", "flashpoints")
    assert sentences[0].startswith("There were 45 attacks in ")
    assert "rose beyond its usual fluctuation" in sentences[1]
    assert "90% interval" in sentences[2]
    assert sum("Monte Carlo error" in line for line in sentences) == len(rising.flashpoints)
    assert rising.sentences() == [*sentences[:2], rising.growth.sentence(), *sentences[2:]]
    assert "<table" in rising._repr_html_()


def test_html_escapes_names_and_names_what_has_no_title(rising):
    series = dataclasses.replace(rising.series, title="<b>raids</b>")
    page = dataclasses.replace(rising, series=series)._repr_html_()
    assert "<b>&lt;b&gt;raids" in page
    untitled = quick(escalation.CountSeries(series_of(COUNTS).counts, unit="raids"))._repr_html_()
    assert untitled.startswith("<b>raids</b>")


@pytest.fixture(scope="module")
def random() -> escalation.CountSeries:
    """Tallies, so that every part with random numbers is there; a catch-up bulletin carries the rise."""
    ends = pd.date_range("2024-01-07", periods=24, freq="7D")
    table = pd.DataFrame({"series": "raids", "qualifier": "exact", "start": ends - pd.Timedelta(days=6), "end": ends})
    table["count"] = [3, 2, 3, 2, 2, 3] * 3 + [3, 2, 3, 2, 3, 40]
    result = escalation.reconstruct(table, series="raids", draws=60, rng=1)
    listed = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=40, freq="4D"), "fatalities": [0, 0, 0, 1] * 10})
    made = quick(result).series
    return dataclasses.replace(made, incidents=listed)


@pytest.fixture(scope="module")
def asked_at_once(random) -> pd.DataFrame:
    return quick(random, rng=5).answers(*ALL)


def test_same_seed_same_answers(random, asked_at_once, chains_run_anew):
    again = quick(random, rng=5)
    pd.testing.assert_frame_equal(again.answers(*ALL), asked_at_once)
    assert again.seed == 5
    other = quick(random, rng=6).answers(*ALL).reindex(asked_at_once.index)
    moved = asked_at_once.index[(other["value"] != asked_at_once["value"]) & asked_at_once["value"].notna()]
    assert {"false_alarms", "rate_now", "growth", "probability_higher_without_1", "attack_kills_1"} <= set(moved)
    assert any(key.startswith("flashpoint") for key in moved)
    assert not set(moved) & {"count_recent", "changes"}  # nothing is drawn for these


def test_regimes_have_the_seed_and_the_level_of_the_record():
    options = {"regimes": "hidden_markov", "level": 0.5}
    one, again, other = (quick(series_of(COUNTS), rng=seed, **options).regimes.now for seed in (5, 5, 6))
    assert (one.probability, one.sentence(), one.level) == (again.probability, again.sentence(), 0.5)
    assert one.probability != other.probability


@pytest.mark.parametrize("part", ALL)
def test_a_part_asked_for_alone_gives_the_same_numbers(random, asked_at_once, part):
    alone = quick(random, rng=5).answers(part)
    pd.testing.assert_frame_equal(alone, asked_at_once.loc[alone.index])


def test_the_order_in_which_parts_are_asked_for_changes_nothing(random, asked_at_once):
    backwards = quick(random, rng=5)
    attributes = ("false_alarms", "severity", "presets", "carrier", "thresholds", "growth_now", "changes", "outlook")
    for name in attributes:
        getattr(backwards, name)
    table = backwards.answers(*ALL[::-1])
    assert set(table.index) == set(asked_at_once.index)
    pd.testing.assert_frame_equal(table.loc[asked_at_once.index], asked_at_once)


def test_the_seed_that_was_drawn_gives_the_same_numbers_again(tmp_path, chains_run_anew):
    table = pd.DataFrame({"series": "raids", "count": [9, 14], "qualifier": "about", "start": "2024-01-01"})
    table.assign(end=["2024-02-04", "2024-03-24"]).to_csv(tmp_path / "press.csv", index=False)
    drawn = quick(tmp_path / "press.csv", rng=np.random.default_rng(7))
    again = quick(tmp_path / "press.csv", rng=drawn.seed)
    pd.testing.assert_frame_equal(drawn.series.counts, again.series.counts)
    pd.testing.assert_frame_equal(drawn.answers(), again.answers())
    assert quick(series_of(COUNTS), rng=np.random.default_rng(7)).seed == drawn.seed
    assert quick(series_of(COUNTS), rng=np.int64(3)).seed == 3
    fresh = quick(series_of(COUNTS), rng=None)
    assert fresh.seed != quick(series_of(COUNTS), rng=None).seed
    pd.testing.assert_frame_equal(quick(series_of(COUNTS), rng=fresh.seed).answers(), fresh.answers())


def test_a_record_can_be_kept_and_is_whole(rising, tmp_path):
    kept = pickle.loads(pickle.dumps(rising))
    pd.testing.assert_frame_equal(kept.answers(), rising.answers())
    with pytest.raises(dataclasses.FrozenInstanceError):
        rising.seed = 2


# Pools of forecasts and of models


def test_pool_needs_forecasts_of_the_same():
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")
    one = Forecast.of_series(np.ones((4, 2), np.int64), weeks, np.ones((4, 3)), "one")
    fewer = Forecast.of_series(np.ones((3, 2), np.int64), weeks, np.ones((3, 3)), "fewer")
    with pytest.raises(InputError, match=r"pool_forecasts got one .4 paths .* and fewer .3 paths"):
        escalation.pool_forecasts([one, fewer])
    with pytest.raises(InputError, match="got no forecast"):
        escalation.pool_forecasts([])


def test_weights_are_shares_of_the_paths_and_keep_those_of_histories():
    weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    histories = np.repeat(np.arange(4), 250)

    def always(k: int) -> Forecast:
        return Forecast.of_series(np.full((1000, 1), k), weeks, np.ones((1000, 3)), f"always {k}", component=histories)

    pooled = escalation.pool_forecasts([always(1), always(2), always(3)], [0.2, 1.0, 0.5])
    assert [int((pooled.series_paths == k).sum()) for k in (1, 2, 3)] == [200, 1000, 500]
    assert pooled.component is not None
    assert np.bincount(pooled.component[:200]).tolist() == [50] * 4
    equal = escalation.pool_forecasts([always(1), always(2)])
    assert (equal.series_paths == escalation.pool_forecasts([always(1), always(2)], [3, 3]).series_paths).all()
    for weights, says in (([1.0], "2 forecasts and 1 weights"), ([1.0, 0.0], r"the weights \[1.0, 0.0\]")):
        with pytest.raises(InputError, match=says):
            escalation.pool_forecasts([always(1), always(2)], weights)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, "2"), "best"])
def test_weights_of_an_ensemble_that_are_none_are_refused(weights):
    with pytest.raises(InputError, match="weights is "):
        escalation.Ensemble(models=(escalation.Climatology(), escalation.LocalLevel()), weights=weights)


def test_what_models_disagree_on_is_no_monte_carlo_error():
    weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    calm, wild = (Forecast.of_series(np.full((500, 1), k), weeks, np.ones((500, 3)), f"always {k}") for k in (0, 9))
    both = escalation.flashpoint(escalation.pool_forecasts([calm, wild]), 5)
    assert both.probability == 0.5
    assert both.mc_error == pytest.approx(np.sqrt(0.25 / 1000), rel=0.01)


def test_a_pool_tells_histories_apart():
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")

    def continuing(*histories: int) -> Forecast:
        return Forecast.of_series(
            np.ones((4, 2), np.int64), weeks, np.ones((4, 3)), "one", component=np.array(histories)
        )

    same = escalation.pool_forecasts([continuing(0, 0, 1, 1), continuing(0, 0, 1, 1)])
    other = escalation.pool_forecasts([continuing(0, 0, 1, 1), continuing(0, 1, 2, 3)])
    assert same.component is not None
    assert other.component is not None
    assert same.component.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert other.component.tolist() == [0, 0, 1, 1, 2, 3, 4, 5]
