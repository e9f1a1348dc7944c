"""flashpoint and first_passage: against enumeration, a plain loop and closed forms."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation import Forecast, InputError, first_passage, flashpoint
from escalation.forecasts import PastRecord

NAN = float("nan")


def forecast_of(paths, observed=(), component=None, freq="W-SUN"):
    paths = np.asarray(paths, dtype=np.int64)
    seen = np.asarray(observed, dtype=float)
    if seen.ndim == 1:
        seen = np.tile(seen, (len(paths), 1))
    periods = pd.period_range("2024-12-02", periods=paths.shape[1], freq=freq, name="period")
    return Forecast.of_series(paths, periods, seen, "by hand", component=component)


def first_hit(path, before, at_least, over):
    """Step (1-based) at which one path passes, by a plain loop, or None."""
    whole = [*before, *path]
    for step in range(1, len(path) + 1):
        end = len(before) + step
        if end >= over:
            window = whole[end - over : end]
            if not any(np.isnan(window)) and sum(window) >= at_least:
                return step
    return None


# Against enumeration


def test_every_path_of_three_dice_steps():
    """All 216 equally likely paths: the exact probability, by counting."""
    paths = list(itertools.product([0, 1, 2, 3, 4, 5], repeat=3))
    forecast = forecast_of(paths, [4, 1])
    at_least_5 = 1 - (5 / 6) ** 3
    assert flashpoint(forecast, 5).probability == pytest.approx(at_least_5, abs=1e-12)
    # windows of three: (4, 1, x1), (1, x1, x2), (x1, x2, x3), sums of at least 9
    hits = sum(4 + 1 + a >= 9 or 1 + a + b >= 9 or a + b + c >= 9 for a, b, c in paths)
    assert flashpoint(forecast, 9, over=3).probability == pytest.approx(hits / 216, abs=1e-12)
    within_two = sum(4 + 1 + a >= 9 or 1 + a + b >= 9 for a, b, _ in paths)
    assert flashpoint(forecast, 9, over=3, within=2).probability == pytest.approx(within_two / 216, abs=1e-12)


@pytest.mark.parametrize(
    ("observed", "over", "want"),
    [
        ([3.0], 2, [True, True, False, False]),
        ([NAN], 2, [False, True, False, False]),
        ([0.0, 5.0], 3, [True, True, False, True]),
        ([NAN, 5.0], 3, [True, True, False, True]),
        ([9.0, 9.0, 0.0], 1, [False, False, False, False]),
    ],
)
def test_windows_that_straddle_the_origin(observed, over, want):
    """By hand, for a threshold of 7: sums of the window that ends at each of two steps."""
    forecast = forecast_of([[4, 0], [1, 6], [0, 0], [1, 1]], observed)
    assert flashpoint(forecast, 7, over=over).probability == np.mean(want)
    for path, hit in zip(forecast.series_paths, want, strict=True):
        assert flashpoint(forecast_of([path], observed), 7, over=over).probability == hit


def test_a_path_s_own_history_counts():
    forecast = forecast_of([[1], [1], [1]], [[0, 0], [0, 3], [3, 0]], component=np.array([0, 1, 2]))
    assert flashpoint(forecast, 4, over=2).probability == pytest.approx(1 / 3)
    assert flashpoint(forecast, 4, over=3).probability == pytest.approx(2 / 3)


def test_what_was_observed_alone_is_no_flashpoint_to_come():
    """A window must end in the forecast: 9 + 0 is passed already and still ends one step ahead."""
    assert flashpoint(forecast_of([[0, 0]], [9]), 9, over=2).probability == 1.0
    assert flashpoint(forecast_of([[0, 0]], [9, 0]), 9, over=2).probability == 0.0


# Against a plain loop


def test_plain_loop_agrees_on_random_forecasts():
    rng = np.random.default_rng(3)
    for _ in range(60):
        draws, steps, n = rng.integers(1, 30), rng.integers(1, 7), rng.integers(0, 6)
        paths = rng.poisson(2, (draws, steps))
        observed = rng.poisson(2, (draws, n)).astype(float)
        observed[:, rng.random(n) < 0.2] = NAN
        forecast = forecast_of(paths, observed.reshape(draws, n))
        at_least, over = int(rng.integers(1, 12)), int(rng.integers(1, n + steps + 1))
        within = int(rng.integers(1, steps + 1))
        hits = [first_hit(p, o, at_least, over) for p, o in zip(paths.tolist(), observed.tolist(), strict=True)]
        gaps = np.isnan([*observed[0], *([0.0] * steps)])
        complete = [not gaps[n + s - over : n + s].any() for s in range(1, steps + 1) if n + s >= over]
        complete = [False] * (steps - len(complete)) + complete
        if any(complete[:within]):
            want = np.mean([hit is not None and hit <= within for hit in hits])
            assert flashpoint(forecast, at_least, over, within).probability == pytest.approx(want, abs=1e-12)
        if any(complete):
            curve = first_passage(forecast, at_least, over)
            start = complete.index(True)
            assert curve.iloc[:start].isna().all()
            want = [np.mean([hit is not None and hit <= step for hit in hits]) for step in range(start + 1, steps + 1)]
            assert curve.iloc[start:].tolist() == pytest.approx(want, abs=1e-12)


# Against closed forms


def test_independent_poisson_steps():
    """Independent steps: 1 - F(k - 1)^h, within four standard errors."""
    paths = np.random.default_rng(11).poisson(3.0, (20_000, 8))
    result = flashpoint(forecast_of(paths), 8)
    exact = 1 - stats.poisson.cdf(7, 3.0) ** 8
    assert abs(result.probability - exact) < 4 * result.mc_error
    assert result.mc_error == pytest.approx(np.sqrt(exact * (1 - exact) / 20_000), rel=0.1)


def test_a_window_as_long_as_the_horizon_is_one_sum():
    paths = np.random.default_rng(12).poisson(2.0, (20_000, 6))
    result = flashpoint(forecast_of(paths), 16, over=6)
    assert abs(result.probability - stats.poisson.sf(15, 12.0)) < 4 * result.mc_error


def test_dependent_steps_are_not_multiplied():
    """One rate for the whole path: the joint probability is far below that of independent steps."""
    rng = np.random.default_rng(13)
    paths = rng.poisson(np.repeat(rng.gamma(0.5, 6.0, (20_000, 1)), 12, axis=1))
    single = (paths[:, 0] >= 10).mean()
    assert flashpoint(forecast_of(paths), 10).probability < 0.6 * (1 - (1 - single) ** 12)


# Monotone, consistent


def test_monotone_in_threshold_and_horizon():
    rng = np.random.default_rng(2)
    forecast = forecast_of(rng.poisson(rng.gamma(1, 4, (500, 1)), (500, 10)), [3, 0, 5])
    by_threshold = [flashpoint(forecast, k, over=4).probability for k in range(1, 60)]
    assert (np.diff(by_threshold) <= 0).all()
    by_horizon = [flashpoint(forecast, 20, over=4, within=h).probability for h in range(1, 11)]
    assert (np.diff(by_horizon) >= 0).all()
    curve = first_passage(forecast, 20, over=4)
    assert curve.tolist() == by_horizon
    assert curve.index.equals(forecast.periods)


def test_huge_counts_do_not_overflow():
    forecast = forecast_of(np.full((2, 50), 2**52), [2.0**52] * 3)
    assert flashpoint(forecast, 4 * 2**52, over=4).probability == 1.0
    assert flashpoint(forecast, 4 * 2**52 + 1, over=4).probability == 0.0


# Monte Carlo error


@pytest.mark.parametrize(("paths", "probability"), [([[0]] * 200, 0.0), ([[9]] * 200, 1.0)])
def test_error_is_never_zero(paths, probability):
    result = flashpoint(forecast_of(paths), 5)
    assert result.probability == probability
    assert result.mc_error == pytest.approx(np.sqrt(0.5 / 201 * 200.5 / 201 / 200))
    assert result.lower <= probability <= result.upper
    assert result.upper - result.lower > 0.005


def test_error_counts_histories_where_they_differ():
    """Ten histories, each sure of its answer: the error is that of ten paths, not of a thousand."""
    component = np.repeat(np.arange(10), 100)
    paths = np.where(component < 4, 9, 0)[:, None]
    clustered = flashpoint(forecast_of(paths, component=component), 5)
    assert clustered.mc_error == pytest.approx(np.std([1] * 4 + [0] * 6, ddof=1) / np.sqrt(10))
    alike = flashpoint(forecast_of(np.tile([[9], [0]], (500, 1)), component=component), 5)
    assert alike.mc_error == pytest.approx(0.5 / np.sqrt(1000), rel=1e-3)
    single = flashpoint(forecast_of(paths, component=np.zeros(1000, dtype=int)), 5)
    assert single.mc_error == pytest.approx(np.sqrt(0.24 / 1000), rel=1e-3)
    assert clustered.upper - clustered.lower > 5 * (single.upper - single.lower)


@pytest.mark.parametrize(("rate", "between"), [(0.3, 0.0), (0.02, 0.0), (0.3, 0.15)])
def test_the_interval_covers_the_truth(rate, between):
    """With 25 histories of 20 paths, 90% intervals hold the true probability some 90% of the time."""
    rng = np.random.default_rng(8)
    component = np.repeat(np.arange(25), 20)
    inside = 0
    for _ in range(400):
        shares = np.clip(rate + between * rng.standard_normal(25), 0, 1)
        hit = rng.random(500) < shares[component]
        result = flashpoint(forecast_of(hit[:, None] * 5, component=component), 5)
        inside += result.lower <= rate <= result.upper
    # three binomial standard errors below 90%; the larger of two errors may cover more
    assert inside / 400 > 0.9 - 3 * np.sqrt(0.09 / 400)


def test_wilson_interval_of_independent_paths():
    result = flashpoint(forecast_of([[9]] * 30 + [[0]] * 70), 5)
    wilson = stats.binomtest(30, 100).proportion_ci(0.9, "wilson")
    assert (result.lower, result.upper) == pytest.approx((wilson.low, wilson.high), abs=1e-12)


# Refusals


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"at_least": 0}, "at_least is 0; give a whole number from 1"),
        ({"at_least": "views-25"}, r"at_least is 'views-25'; a definition by its name is get_flashpoint\('views-25'\)"),
        ({"at_least": 2.5}, "at_least is 2.5; give a whole number"),
        ({"at_least": True}, "at_least is True; give a whole number"),
        ({"at_least": 5, "over": 0}, "over is 0; give a whole number from 1"),
        ({"at_least": 5, "over": 6}, "over is 6, longer than the 5 periods observed and forecast"),
        ({"at_least": 5, "within": 0}, "within is 0; give a whole number from 1"),
        ({"at_least": 5, "within": 4}, "within is 4, but the forecast has 3 steps"),
        ({"at_least": 5, "over": 4, "within": 3}, "no window of over=4 periods that ends within 3 steps is complete"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, says):
    forecast = forecast_of([[1, 2, 3]], [1, NAN])
    with pytest.raises(InputError, match=says) as caught:
        flashpoint(forecast, **arguments)
    assert "\n" not in str(caught.value)


def test_first_passage_refuses_the_same():
    forecast = forecast_of([[1, 2, 3]], [NAN, NAN])
    for arguments in ({"at_least": 0}, {"at_least": 5, "over": 9}, {"at_least": 5, "over": -1}):
        with pytest.raises(InputError):
            first_passage(forecast, **arguments)
    with pytest.raises(InputError, match="no window of over=4 periods in the forecast is complete"):
        first_passage(forecast, 5, over=4)


# Words


def test_sentences():
    forecast = forecast_of([[9, 0]] * 300 + [[0, 0]] * 700, [2])
    assert flashpoint(forecast, 9).sentence() == (
        "The probability of a week with at least 9 incidents, between 2024-12-02 and 2024-12-15, is 0.30 "
        "(Monte Carlo error 0.014, 1,000 paths)."
    )
    assert flashpoint(forecast, 11, over=2).sentence() == (
        "The probability of 2 consecutive weeks that together reach at least 11 incidents, the last of them between "
        "2024-12-02 and 2024-12-15, is 0.30 (Monte Carlo error 0.014, 1,000 paths)."
    )
    assert "is below 0.0027 (" in flashpoint(forecast, 10).sentence()
    assert "is above 0.9973 (" in flashpoint(forecast_of([[9]] * 1000), 9).sentence()
    assert "is 0.25 (" in flashpoint(forecast_of([[9], [1], [1], [1]]), 9).sentence()


def test_result_says_its_definition_and_shows_in_a_notebook():
    result = flashpoint(forecast_of([[1, 2, 3]], [NAN]), 3, over=2, within=3)
    assert (result.at_least, result.over, result.within, result.draws) == (3, 2, 3, 1)
    assert (str(result.first.end_time.date()), str(result.last.end_time.date())) == ("2024-12-15", "2024-12-22")
    assert "<b>Flashpoint</b> by by hand" in result._repr_html_()
    assert "90% Monte Carlo interval" in result._repr_html_()
    assert "record" not in result.table()
    assert result.table()[["at_least", "over", "within", "draws"]].iloc[0].tolist() == [3, 2, 3, 1]
    known = replace(result, record=PastRecord(0.1, 0.3, 40, 0.2, 0.25, 0.15, 0.4))
    row = known.table().iloc[0]
    assert (row["probability"], row["record_forecasts"], row["record_frequency"]) == (known.probability, 40, 0.25)
    assert known.record.table()["upto"].tolist() == [0.3]
