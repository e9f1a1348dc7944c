"""Hawkes processes: against reference numbers, plain loops, closed forms and simulation."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from escalation import FitError, Forecast, InputError
from escalation.errors import DataWarning
from escalation.models import EventTimes, Hawkes, event_times, times_of
from escalation.models.hawkes.drift import smooth_rates
from escalation.models.hawkes.likelihood import (
    BLOCK,
    compensators,
    exponentials,
    row_derivatives,
    single_derivatives,
    single_likelihood,
    sum_of_logs,
)
from escalation.models.hawkes.paths import Parameters, draw_events, outstanding
from escalation.models.hawkes.times import counts_in

TWO = Parameters(np.array([[0.3, 0.2]]), np.array([[[0.3, 0.2], [0.4, 0.1]]]), np.array([[1.0, 2.0]]))


def one(background=0.5, branching=0.4, decay=1.0):
    return Parameters(np.array([[background]]), np.array([[[branching]]]), np.array([[decay]]))


def simulated(parameters, days, seed, *, rounded=False):
    _, times, marks = draw_events(parameters, days, np.random.default_rng(seed))
    names = np.array(["A", "B"])[marks] if parameters.background.shape[1] == 2 else None
    events = times_of(times, days, marks=names, start="2024-01-01")
    if not rounded:
        return events
    return EventTimes(np.floor(times), np.floor(times) + 1, marks, events.marks, events.start, days)


@pytest.fixture(scope="module")
def reference(shared_data):
    return json.loads(shared_data("data/reference/hawkes_reference.json").read_text())["univariate"]["1e4"]


@pytest.fixture(scope="module")
def long_series(shared_data):
    return np.load(shared_data("data/reference/hawkes_uni_1e4.npy"))


# reference numbers


def test_likelihood_and_gradient_are_the_reference(reference, long_series):
    assert len(reference["loglik_points"]) == 6
    for point in reference["loglik_points"]:
        at = point["mu"], point["eta"], point["beta"]
        value, score, _ = single_derivatives(long_series, reference["T"], *at)
        assert value == pytest.approx(point["loglik"], rel=1e-12)
        assert single_likelihood(long_series, reference["T"], *at) == pytest.approx(point["loglik"], rel=1e-12)
        np.testing.assert_allclose(score, point["gradient"], rtol=1e-9)
        public = Hawkes().loglike(np.array(at), times_of(long_series, reference["T"]))
        assert public == pytest.approx(point["loglik"], rel=1e-12)


def test_likelihood_of_the_first_events_is_that_of_forty_digits(reference, long_series):
    short = reference["sub300"]
    value = single_likelihood(long_series[: short["n"]], short["T"], 0.5, 0.7, 1.5)
    assert value == pytest.approx(short["mpmath"], rel=1e-12)


def test_maximum_and_standard_errors_are_the_reference(reference, long_series):
    best = reference["mle"]
    fit = Hawkes().fit(times_of(long_series, reference["T"]))
    assert fit.converged
    # both stop where a step gains less than some 1e-10 of log-likelihood
    np.testing.assert_allclose(fit.params, [best["mu"], best["eta"], best["beta"]], rtol=1e-7)
    np.testing.assert_allclose(fit.bse, best["se"], rtol=1e-6)
    assert fit.llf == pytest.approx(best["loglik"], rel=1e-12)


def test_rescaled_times_are_the_reference(reference, long_series):
    said = reference["time_rescaling_at_mle"]
    best = reference["mle"]
    marks = np.zeros(len(long_series), np.int64)
    passed = compensators(long_series, marks, 0, best["mu"], np.array([best["eta"]]), best["beta"])
    np.testing.assert_allclose(passed[:10], said["compensator_at_events_first10"], rtol=1e-12)
    assert passed[-1] == pytest.approx(said["compensator_last"], rel=1e-12)
    test = Hawkes().fit(times_of(long_series, reference["T"])).residual_test()
    assert test.kinds["mean"].iloc[0] == pytest.approx(said["residual_mean"], rel=1e-6)
    assert test.kinds["statistic"].iloc[0] == pytest.approx(said["ks_stat"], rel=1e-5)
    assert test.kinds["p_value"].iloc[0] == pytest.approx(said["ks_p"], rel=1e-4)
    assert "does not speak against" in test.sentence() and "<table" in test._repr_html_()


# kernels


def test_exponentials_are_those_of_the_library():
    x = -np.concatenate([[0.0, 1e-300, 1e-17], np.geomspace(1e-12, 700.0, 20_000), np.arange(0, 700) * math.log(2) / 2])
    out, bits = np.empty_like(x), np.empty(len(x), np.int64)
    exponentials(x, out, bits)
    # two units in the last place
    np.testing.assert_allclose(out, [math.exp(v) for v in x], rtol=4.5e-16)
    far = np.array([-709.0, -1e6, -np.inf])
    exponentials(far, out[:3], bits[:3])
    assert (out[:3] <= 1e-300).all() and (out[:3] >= 0).all()


def test_logs_of_products_are_sums_of_logs():
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(0, 3, 45))
    assert sum_of_logs(values, 45) == pytest.approx(math.fsum(map(math.log, values)), rel=1e-13)
    extreme = np.full(19, 1e-60)
    extreme[8:16] = 1e60
    assert sum_of_logs(extreme, 19) == pytest.approx(-180 * math.log(10), rel=1e-13)


def plain(times, marks, target, end, background, branching, decay):
    """Log-likelihood by the double sum over pairs, and its gradient."""
    value, kinds = 0.0, len(branching)
    score = np.zeros(kinds + 2)
    for i, t in enumerate(times):
        if marks[i] == target:
            rate, part = background, np.zeros(kinds + 2)
            part[0] = 1.0
            for j in range(i):
                kernel = math.exp(-decay * (t - times[j]))
                rate += branching[marks[j]] * decay * kernel
                part[marks[j] + 1] += decay * kernel
                part[-1] += branching[marks[j]] * (1 - decay * (t - times[j])) * kernel
            value += math.log(rate)
            score += part / rate
    value -= background * end
    score[0] -= end
    for j, t in enumerate(times):
        gone = 1 - math.exp(-decay * (end - t))
        value -= branching[marks[j]] * gone
        score[marks[j] + 1] -= gone
        score[-1] -= branching[marks[j]] * (end - t) * (1 - gone)
    return value, score


@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_kernels_are_the_plain_double_sum(kinds):
    rng = np.random.default_rng(kinds)
    times = np.sort(rng.uniform(0, 40, 200))
    times[50] = times[51]  # a tie
    marks = rng.integers(0, kinds, 200)
    branching = rng.uniform(0.1, 0.6, kinds)
    for target in range(kinds):
        value, score, _ = row_derivatives(times, marks, target, 41.0, 0.7, branching, 1.3)
        expected, slope = plain(times, marks, target, 41.0, 0.7, branching, 1.3)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(score, slope, rtol=1e-12, atol=1e-11)
    if kinds == 1:
        assert single_likelihood(times, 41.0, 0.7, branching[0], 1.3) == pytest.approx(expected, rel=1e-12)
        value, score, _ = single_derivatives(times, 41.0, 0.7, branching[0], 1.3)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(score, slope, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("kinds", [1, 2])
def test_hessians_are_differences_of_gradients(kinds):
    rng = np.random.default_rng(3)
    times = np.sort(rng.uniform(0, 60, 150))
    marks = rng.integers(0, kinds, 150)
    point = np.concatenate([[0.6], rng.uniform(0.2, 0.4, kinds), [1.1]])

    def gradient(at):
        if kinds == 1:
            return single_derivatives(times, 61.0, *at)[1]
        return row_derivatives(times, marks, 1, 61.0, at[0], at[1:-1], at[-1])[1]

    hessian = (
        single_derivatives(times, 61.0, *point)[2]
        if kinds == 1
        else row_derivatives(times, marks, 1, 61.0, point[0], point[1:-1], point[-1])[2]
    )
    for j in range(len(point)):
        step = np.zeros(len(point))
        step[j] = 1e-5
        slope = (gradient(point + step) - gradient(point - step)) / 2e-5
        np.testing.assert_allclose(hessian[:, j], slope, rtol=1e-6, atol=1e-5)  # central differences
    np.testing.assert_array_equal(hessian, hessian.T)


@pytest.mark.parametrize("number", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_join_without_a_seam(number):
    times = np.sort(np.random.default_rng(number).uniform(0, number / 5 + 1, number))
    end = number / 5 + 1
    sums, value, last = 0.0, 0.0, 0.0
    for t in times:
        sums *= math.exp(-2.0 * (t - last))
        value += math.log(0.4 + 0.5 * 2.0 * sums)
        sums, last = sums + 1.0, t
    value -= 0.4 * end + 0.5 * (number - sums * math.exp(-2.0 * (end - last)))
    marks = np.zeros(number, np.int64)
    assert single_likelihood(times, end, 0.4, 0.5, 2.0) == pytest.approx(value, rel=1e-12)
    assert single_derivatives(times, end, 0.4, 0.5, 2.0)[0] == pytest.approx(value, rel=1e-12)
    assert row_derivatives(times, marks, 0, end, 0.4, np.array([0.5]), 2.0)[0] == pytest.approx(value, rel=1e-12)


def test_compensators_of_two_kinds_are_the_plain_sum():
    events = simulated(TWO, 60, 4)
    times, marks = events.draw()
    passed = compensators(times, marks, 1, 0.2, np.array([0.4, 0.1]), 2.0)
    mine = times[marks == 1]
    expected = [
        0.2 * t
        + sum((0.4, 0.1)[m] * (1 - math.exp(-2.0 * (t - s))) for s, m in zip(times, marks, strict=True) if s < t)
        for t in mine
    ]
    np.testing.assert_allclose(passed, expected, rtol=1e-12)


# simulation


def test_simulated_means_are_those_of_theory():
    many = Parameters(*(np.repeat(part, 4000, axis=0) for part in (TWO.background, TWO.branching, TWO.decay)))
    _, times, marks = draw_events(many, 100.0, np.random.default_rng(1))
    late = times > 40  # by then the start does not show
    rate = np.bincount(marks[late], minlength=2) / 60 / 4000
    expected = np.linalg.solve(np.eye(2) - TWO.branching[0], TWO.background[0])
    np.testing.assert_allclose(rate, expected, rtol=0.02)  # three Monte Carlo errors


def test_simulated_events_pass_the_residual_test_at_their_parameters():
    events = simulated(TWO, 4000, 5)
    times, marks = events.draw()
    for target in (0, 1):
        passed = compensators(
            times, marks, target, TWO.background[0, target], TWO.branching[0, target], TWO.decay[0, target]
        )
        assert kstest(np.diff(passed, prepend=0.0), "expon").pvalue > 0.01


def test_what_is_still_to_come_follows_from_the_past():
    times, marks = np.array([1.0, 4.0, 9.5]), np.array([0, 1, 0])
    excess = outstanding(times, marks, 10.0, TWO)
    for target in (0, 1):
        decay = TWO.decay[0, target]
        expected = sum(
            TWO.branching[0, target, m] * math.exp(-decay * (10 - t)) for t, m in zip(times, marks, strict=True)
        )
        assert excess[0, target] == pytest.approx(expected, rel=1e-12)
    quiet = Parameters(np.full((5000, 1), 1e-12), np.zeros((5000, 1, 1)), np.ones((5000, 1)))
    draw, later, _ = draw_events(quiet, 1.0, np.random.default_rng(2), np.full((5000, 1), 2.0))
    # half-closed window of one mean waiting time
    assert len(draw) / 5000 == pytest.approx(2.0 * (1 - math.exp(-1)), rel=0.05)
    assert kstest((1 - np.exp(-later)) / (1 - math.exp(-1)), "uniform").pvalue > 0.01


# fits


@pytest.mark.parametrize("decay", ["common", "target"])
def test_two_sides_are_recovered(decay):
    truth = Parameters(TWO.background, TWO.branching, np.array([[1.0, 1.0 if decay == "common" else 2.0]]))
    events = simulated(truth, 6000, 6)
    fit = Hawkes(decay).fit(events)
    expected = np.concatenate(
        [truth.background[0], truth.branching[0].ravel(), [1.0] if decay == "common" else truth.decay[0]]
    )
    assert fit.converged
    assert (np.abs(fit.params - expected) < 3.5 * fit.bse).all()
    assert fit.branching.loc["B", "A"] == fit.params["branching[B<-A]"]
    assert fit.residual_test().kinds["p_value"].min() > 0.01
    assert "one of A sets off" in fit.sentence() and "<table" in fit._repr_html_()


def test_the_gradient_vanishes_at_the_maximum_or_points_out():
    for seed in range(6):
        events = simulated(one(), 60, seed)
        fit = Hawkes().fit(events)
        times, _ = events.draw()
        _, score, _ = single_derivatives(times, 60.0, *fit.params)
        inside = ~fit.estimates[0].state["at_bound"]
        assert np.abs(score * np.maximum(fit.params, 1e-3))[inside].max() < 1e-3
        assert (score[1] <= 1e-6) or inside[1]


def test_days_are_jittered_and_pooled():
    events = simulated(one(decay=0.3), 1500, 7, rounded=True)
    assert not events.exact
    fit = Hawkes().fit(events, draws=8, rng=1)
    assert len(fit.estimates) == 8
    between = np.var([estimate.params for estimate in fit.estimates], axis=0, ddof=1)
    within = np.mean([np.diag(estimate.cov) for estimate in fit.estimates], axis=0)
    np.testing.assert_allclose(fit.bse**2, within + (1 + 1 / 8) * between, rtol=1e-10)
    # excitation of three days is seen through days
    assert (np.abs(fit.params - [0.5, 0.4, 0.3]) < 4 * fit.bse).all()
    again = Hawkes().fit(events, draws=8, rng=1)
    np.testing.assert_array_equal(fit.params, again.params)


def test_jittered_times_stay_in_their_days_in_order():
    events = simulated(one(), 200, 8, rounded=True)
    times, _ = events.draw(rng=1)
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(np.sort(np.floor(times)), np.sort(events.earliest))


def test_a_poisson_process_has_little_branching():
    for seed in range(5):
        times = np.sort(np.random.default_rng(seed).uniform(0, 3000, 3000))
        fit = Hawkes().fit(times_of(times, 3000))
        # twice the gain is at most a chi-square with two degrees of freedom, mixed with 0; the constant rate is 1
        assert -1e-9 <= fit.llf + 3000 < 6.0
        assert fit.branching_ratio < 0.15
        assert not fit.table().isna().any(axis=None)


# what else may explain the events


@pytest.mark.parametrize("bend", [0.0, -1.5])
def test_smooth_rates_are_those_of_a_fine_poisson_regression(bend):
    """Counts in 2,000 bins and a Poisson GLM: log-likelihoods differ by what the bins and factorials add."""
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(-1, 1, 3000))
    times = 50 * (1 + x[rng.random(3000) < np.exp(x + bend * x**2 - 1)])
    edges = np.linspace(0, 100, 2001)
    middle = (edges[1:] + edges[:-1]) / 2
    counts, width = np.histogram(times, edges)[0], edges[1]
    for degree, found in enumerate(smooth_rates(times, 100.0)):
        columns = np.vander(middle / 50 - 1, degree + 1)
        fit = sm.GLM(counts, columns, family=sm.families.Poisson()).fit()
        expected = np.log(fit.fittedvalues / width) @ counts - fit.fittedvalues.sum()
        assert found == pytest.approx(expected, abs=0.05)  # rates change by a thousandth within a bin


def test_few_events_at_one_end_have_a_rate():
    assert np.isfinite(smooth_rates(np.array([99.9, 99.95, 100.0]), 100.0)).all()
    assert smooth_rates(np.array([1.0, 30.0]), 50.0)[0] == pytest.approx(2 * math.log(2 / 50) - 2)


def test_the_decay_time_is_at_most_the_window_and_poisson_events_have_no_ratio_of_1():
    """With decay times of up to ten windows 12 of these samples had a branching ratio of 1 or more."""
    bounded, high, explained = 0, 0, 0
    for seed in range(100):
        fit = Hawkes().fit(times_of(np.sort(np.random.default_rng(seed).uniform(0, 200, 200)), 200))
        assert fit.params["decay"] >= 1 / 200 * (1 - 1e-9) and fit.branching_ratio < 1
        slowest = fit.params["decay"] < 1.001 / 200
        assert (not slowest) or fit.at_bound["decay"]
        assert ("the longest that can be estimated" in fit.sentence()) == slowest
        bounded += slowest
        if fit.branching_ratio > 0.2:
            high += 1
            explained += "without excitation explains the events as well" in fit.sentence()
    assert bounded > 0
    assert explained >= 0.9 * high > 0


def test_a_drifting_background_is_said_to_explain_the_events():
    """The rate rises from 0 to twice its mean; nothing sets anything off."""
    for seed in range(20):
        times = np.sort(200 * np.sqrt(np.random.default_rng(seed).uniform(size=200)))
        fit = Hawkes().fit(times_of(times, 200))
        assert fit.branching_ratio > 0.5
        assert "without excitation explains the events as well (by AIC)" in fit.sentence()
        table = fit.alternatives()
        assert table.index.tolist()[0] == "excitation" and table["over"].min() == 0
        assert (table["aic"] == 2 * table["parameters"] - 2 * table["log_likelihood"]).all()


def test_events_that_set_off_others_are_not_explained_by_a_background():
    said = [" as well" in Hawkes().fit(simulated(one(), 400, seed)).sentence() for seed in range(20)]
    assert sum(said) <= 2
    assert " as well" not in Hawkes().fit(simulated(TWO, 1000, 1)).sentence()
    assert Hawkes().fit(simulated(TWO, 200, 1)).alternatives()["parameters"].tolist() == [7, 2, 4, 6]


def test_rounded_times_without_an_interval_are_warned_of():
    times = np.sort(np.random.default_rng(1).uniform(0, 100, 80))
    with pytest.warns(DataWarning, match="all times are whole days and none has an interval"):
        Hawkes().fit(times_of(np.floor(times), 100))
    hours = np.floor(times * 24) / 24
    with pytest.warns(DataWarning, match=r"\d+ of 80 times equal another and none has an interval"):
        Hawkes().fit(times_of(np.sort(np.concatenate([hours[:60], hours[:20]])), 100))
    Hawkes().fit(times_of(times, 100))  # warnings are errors
    days = np.floor(times)
    Hawkes().fit(EventTimes(days, days + 1, np.zeros(80, np.int64), ("events",), pd.Timestamp("2024"), 101.0), draws=2)


# intervals


def test_bootstrap_has_its_replicates_and_seed():
    events = simulated(one(), 300, 10)
    fit = Hawkes().fit(events)
    first, second = (fit.bootstrap(40, rng=3) for _ in range(2))
    pd.testing.assert_frame_equal(first.replicates, second.replicates)
    limits = first.conf_int(0.9)
    assert limits.index.tolist() == [*fit.params.index, "branching ratio"]
    ratio = first.replicates["branching[events<-events]"]
    np.testing.assert_allclose(limits.loc["branching ratio"], ratio.quantile([0.05, 0.95]))
    assert (first.bias.abs() < 2 * first.bse).all()


@pytest.mark.nightly
@pytest.mark.parametrize("rounded", [False, True])
def test_bootstrap_intervals_cover(rounded):
    truth = np.array([0.5, 0.4, 0.6])
    hits, runs = np.zeros(3), 40
    for seed in range(runs):
        events = simulated(one(decay=0.6), 400, 100 + seed, rounded=rounded)
        limits = Hawkes().fit(events, draws=5, rng=seed).bootstrap(60, rng=seed).conf_int(0.9).to_numpy()[:3]
        hits += (limits[:, 0] <= truth) & (truth <= limits[:, 1])
    # three standard errors of 90% in 40 runs are 14 points
    assert (hits / runs > 0.75).all()


# forecasts


def test_forecast_of_one_kind_continues_the_window():
    events = simulated(one(), 364, 11, rounded=True)
    fit = Hawkes().fit(events, draws=4, rng=1)
    forecast = fit.forecast(8, draws=400, rng=2)
    assert isinstance(forecast, Forecast) and forecast.series_paths.shape == (400, 8)
    assert forecast.periods[0].start_time == pd.Timestamp("2024-01-01") + pd.Timedelta(days=364)
    assert (forecast.series_observed.sum(axis=1) == fit.nobs).all() and forecast.series_observed.shape == (400, 52)
    long_run = 7 * fit.params.iloc[0] / (1 - fit.branching_ratio)
    assert forecast.mean().iloc[-1] == pytest.approx(long_run, rel=0.25)
    same = fit.forecast(8, draws=400, rng=2)
    np.testing.assert_array_equal(forecast.paths, same.paths)


def test_forecast_mean_is_the_integral_of_the_expected_rate():
    events = simulated(one(0.5, 0.5, 0.8), 700, 12)
    fit = Hawkes().fit(events)
    estimate = fit.estimates[0]
    mu, eta, beta = estimate.params
    excess = outstanding(estimate.state["times"], estimate.state["marks"], 700.0, fit.parameters)[0, 0]
    draws = 40_000
    still = Parameters(
        *(
            np.repeat(part, draws, axis=0)
            for part in (fit.parameters.background, fit.parameters.branching, fit.parameters.decay)
        )
    )
    draw, times, marks = draw_events(still, 14.0, np.random.default_rng(1), np.full((draws, 1), excess))
    weeks = counts_in(times, draw, draws, np.array([0.0, 7.0, 14.0])).mean(axis=0)
    # d/dt rate = beta (mu - (1 - eta) rate), so that it relaxes to mu / (1 - eta)
    stationary, start, speed = mu / (1 - eta), mu + beta * excess, beta * (1 - eta)
    passed = [stationary * t + (start - stationary) * (1 - math.exp(-speed * t)) / speed for t in (0.0, 7.0, 14.0)]
    np.testing.assert_allclose(weeks, np.diff(passed), rtol=0.02)  # three Monte Carlo errors
    assert (marks == 0).all()


def test_forecast_of_two_kinds_is_a_panel():
    fit = Hawkes().fit(simulated(TWO, 366, 13))
    forecast = fit.forecast(3, freq="M", draws=200, rng=1)
    assert isinstance(forecast, Forecast) and forecast.units == ("A", "B")
    assert forecast.paths.shape == (2, 200, 3) and forecast.observed.shape == (2, 200, 12)
    assert forecast["A"].series_observed[0].sum() == fit.events.numbers[0]
    late = Hawkes().fit(simulated(TWO, 364, 13)).events
    begun = EventTimes(late.earliest, late.latest, late.mark, late.marks, late.start + pd.Timedelta(days=2), 362.0 + 2)
    shifted = Hawkes().fit(begun).forecast(2, freq="W-TUE", draws=50, rng=1)
    assert not np.isnan(shifted.observed).any()
    partial = Hawkes().fit(
        EventTimes(late.earliest, late.latest, late.mark, late.marks, late.start + pd.Timedelta(days=2), 362.0 + 3)
    )
    assert np.isnan(partial.forecast(2, freq="W-WED", draws=50, rng=1).observed[:, :, 0]).all()


# tables and errors


def test_event_times_of_incidents():
    table = pd.DataFrame(
        {
            "date": pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-05"]),
            "date_end": pd.to_datetime(["2024-01-03", "2024-01-02", "2024-01-05"]),
            "actor": ["A", "B", "A"],
        }
    )
    events = event_times(table, by="actor", start="2024-01-01", end="2024-01-07")
    assert events.marks == ("A", "B") and events.mark.tolist() == [0, 1, 0]
    assert events.earliest.tolist() == [2.0, 0.0, 4.0] and events.latest.tolist() == [3.0, 2.0, 5.0]
    assert event_times(table).days == 5.0
    assert events.periods("W-SUN").astype(str).tolist() == ["2024-01-01/2024-01-07"]


def explosive():
    fit = Hawkes().fit(simulated(one(), 100, 1))
    estimate = fit.estimates[0]
    changed = type(estimate)(
        np.array([0.5, 1.2, 1.0]), estimate.cov, estimate.names, estimate.llf, estimate.fitted, True, estimate.state
    )
    return type(fit)(fit.model, (changed,), fit.events)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Hawkes("pair"), InputError, "decay is 'pair'"),
        (lambda: Hawkes().fit(times_of([1.0, 2.0], 5)), FitError, "2 events of the kind 'events' are too few"),
        (lambda: times_of([[1.0]], 5), InputError, "times have the shape"),
        (lambda: times_of([1.0, 6.0], 5), InputError, "a time is 6.0, outside"),
        (lambda: times_of([1.0], 5, marks=["A", "B"]), InputError, "there are 1 times and 2 marks"),
        (lambda: Hawkes().loglike([0.1], times_of([1.0], 5)), InputError, "give 3 numbers"),
        (
            lambda: Hawkes().loglike([0.1, 0.1, 1.0], simulated(one(), 50, 1, rounded=True)),
            InputError,
            "no exact time",
        ),
        (lambda: Hawkes().fit(simulated(one(), 100, 1)).bootstrap(5), InputError, "replicates is 5"),
        (lambda: Hawkes().fit(simulated(one(), 100, 1)).forecast(2), InputError, "the window ends on 2024-04-09"),
        (lambda: explosive().forecast(2, freq="D"), FitError, "the branching ratio is 1.200"),
        (lambda: explosive().bootstrap(20), FitError, "grow without end"),
        (
            lambda: draw_events(one(2e6), 100.0, np.random.default_rng(1)),
            FitError,
            "would have to be simulated",
        ),
        (
            lambda: event_times(pd.DataFrame({"date": pd.to_datetime(["2024-01-03"])}), by="side"),
            InputError,
            "by is 'side'",
        ),
        (
            lambda: event_times(pd.DataFrame({"date": pd.to_datetime(["2024-01-03"])}), end="2024-01-02"),
            InputError,
            "1 incidents lie outside",
        ),
    ],
)
def test_errors_say_what_to_do(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_fit_too_thin_to_simulate_says_so():
    events = times_of([0.1, 0.2, 0.3, 0.4, 0.5], 1000.0)
    fit = Hawkes().fit(events)
    estimate = fit.estimates[0]
    thin = type(estimate)(
        np.array([1e-6, 0.0, 1.0]), estimate.cov, estimate.names, estimate.llf, estimate.fitted, True, estimate.state
    )
    with pytest.raises(FitError, match="fewer than two events of a kind in 20 tries"):
        type(fit)(fit.model, (thin,), events).bootstrap(20, rng=1)
