"""growth_rate: against brute-force quadrature, closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import binom

from escalation import InputError, growth_rate
from escalation.analysis.trend.growth import WindowGrowth, _periods
from escalation.analysis.trend.growth_posterior import log_linear
from escalation.analysis.trend.rate_posterior import WindowCounts


def weekly(values, start="2024-01-01"):
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq="W-SUN"))


def brute_force(counts, exposure, alphas, weights):
    """Distribution of the slope on an even grid, summed point by point of level and dispersion."""
    times = np.arange(len(counts)) - (len(counts) - 1) / 2
    levels, slopes = np.linspace(-26, 8, 240), np.linspace(-8, 8, 801)
    pooled = (counts.sum() + 0.5) / exposure.sum()

    def log_information(mean, alpha):
        weight = mean / (1 + alpha * mean)
        s0, s1, s2 = weight.sum(-1), weight @ times, weight @ times**2
        return np.log(np.maximum(s0 * s2 - s1**2, 1e-300))

    total = np.zeros(len(slopes))
    for alpha, weight in zip(alphas, weights, strict=True):
        alpha = alpha / exposure  # a part of a period has that part of the size of a whole one
        own = gammaln(counts + 1 / alpha) - gammaln(1 / alpha) + counts * np.log(alpha)
        for level in levels:
            eta = level + slopes[:, None] * times
            mean = exposure * np.exp(eta)
            log_density = own.sum() + (counts * eta - (counts + 1 / alpha) * np.log1p(alpha * mean)).sum(-1)
            log_density += (log_information(mean, alpha) - log_information(exposure * pooled, alpha)) / 2
            total += weight * np.exp(log_density + 20)
    cdf = np.cumsum(total)
    return slopes, (cdf - total / 2) / cdf[-1]


@pytest.mark.parametrize(
    ("counts", "exposure"),
    [([1, 0, 2, 1, 3, 2, 4, 6], np.ones(8)), ([6, 2, 3, 0, 1], np.array([1, 1, 0.4, 1, 1])), ([0, 0, 0, 0, 3], None)],
)
def test_quadrature_agrees_with_brute_force(counts, exposure):
    counts = np.array(counts, dtype=float)
    exposure = np.ones(len(counts)) if exposure is None else exposure
    spreads = (np.arange(50) + 0.5) / 50 * 3.5
    slopes, cdf = brute_force(counts, exposure, spreads**2, np.exp(-(spreads**2) / 2))
    posterior = log_linear(WindowCounts(counts[:, None], exposure), np.arange(len(counts)), "negbin")
    # twelve nodes of dispersion here, 50 there
    found = np.array([posterior.cdf(slope) for slope in slopes[::20]])
    assert found / found[-1] == pytest.approx(cdf[::20], abs=0.01)


def test_two_periods_without_dispersion_are_the_ratio_of_two_rates():
    """The slope between two Poisson counts is their log ratio, whose prior of Jeffreys is that of two rates."""
    posterior = log_linear(WindowCounts(np.array([[4.0], [9.0]]), np.ones(2)), np.arange(2.0), "poisson")
    rng = np.random.default_rng(1)
    ratio = np.log(rng.gamma(9.5, size=400_000) / rng.gamma(4.5, size=400_000))
    for slope in (-0.5, 0.0, 0.8, 2.0):
        assert posterior.cdf(slope) == pytest.approx(np.mean(ratio < slope), abs=0.004)  # five Monte Carlo errors


@pytest.mark.parametrize("series", [40, pytest.param(120, marks=pytest.mark.nightly)])
def test_growth_is_recovered_and_its_interval_holds_it(series):
    rng = np.random.default_rng(5)
    truth, alpha, periods = 0.08, 0.3, 16
    mean = 6 * np.exp(truth * (np.arange(periods) - periods / 2))
    found = [
        growth_rate(weekly(rng.poisson(mean * rng.gamma(1 / alpha, alpha, periods))), periods, family="negbin")
        for _ in range(series)
    ]
    slopes = np.log1p([one.growth for one in found])
    assert abs(slopes.mean() - truth) < 3 * slopes.std(ddof=1) / np.sqrt(series)
    doubling = np.log(2) / np.array([one.doubling_time for one in found])
    assert doubling == pytest.approx(slopes)
    held = sum(one.lower < np.expm1(truth) < one.upper for one in found)
    low, high = binom.ppf([0.001, 0.999], series, 0.9)
    assert low <= held <= high


def test_a_series_without_growth_says_nothing():
    found = growth_rate(weekly([3, 5, 2, 4, 3, 3, 4, 2, 5, 3]), 10, family="negbin")
    assert found.lower < 0 < found.upper and 0.2 < found.probability_rising < 0.8
    assert "may have risen or fallen" in found.sentence() and "and halving in no less than" in found.sentence()


def test_mirrored_counts_mirror_the_answer():
    rise, fall = (
        growth_rate(weekly(counts), 8, family="negbin")
        for counts in ([1, 2, 2, 3, 5, 6, 9, 12], [12, 9, 6, 5, 3, 2, 2, 1])
    )
    assert np.log1p(fall.growth) == pytest.approx(-np.log1p(rise.growth), abs=2e-3)
    assert fall.probability_rising == pytest.approx(1 - rise.probability_rising, abs=1e-3)
    assert fall.doubling_time < 0 < rise.doubling_time
    assert "halving in" in fall.sentence() and "doubling in" in rise.sentence()
    assert rise.fastest_halving == np.inf and fall.fastest_doubling == np.inf


def test_half_exposure_and_missing_periods_are_allowed_for():
    counts = weekly([2, 3, 4, 5, 7, 9, 12, 8]).astype("Int64")
    exposure = pd.Series([1.0] * 7 + [0.5], index=counts.index)
    assert (
        growth_rate(counts, 8, exposure=exposure, family="negbin").growth
        > growth_rate(counts, 8, family="negbin").growth + 0.03
    )
    gap = counts.copy()
    gap.iloc[3] = pd.NA
    assert growth_rate(gap, 8, family="negbin").observed == 7
    assert growth_rate(gap, 8, family="negbin").growth == pytest.approx(
        growth_rate(counts, 8, family="negbin").growth, abs=0.03
    )


def test_identical_histories_are_one_history():
    counts = [1, 3, 2, 4, 6, 5, 9]
    index = weekly(counts).index
    table = pd.DataFrame(np.tile(np.array(counts)[:, None], 3), index=index, columns=pd.RangeIndex(3, name="draw"))
    one, three = growth_rate(weekly(counts), 7, family="negbin"), growth_rate(table, 7, family="negbin")
    assert three.growth == pytest.approx(one.growth, abs=1e-9) and three.histories == 3


def test_dispersion_widens_the_range():
    counts = weekly([0, 9, 1, 14, 2, 22, 3, 30])
    negbin, poisson = (growth_rate(counts, 8, family=family) for family in ("negbin", "poisson"))
    assert negbin.upper - negbin.lower > 2 * (poisson.upper - poisson.lower)
    assert poisson.dispersion == 0 < negbin.dispersion


@pytest.mark.parametrize(("counts", "carrier"), [([2, 1, 2, 1, 2, 1, 2, 1, 2, 60], 9), ([0] * 9 + [3], 9)])
def test_a_single_period_that_carries_the_growth_is_named(counts, carrier):
    series = weekly(counts)
    found = growth_rate(series, 10, family="negbin")
    assert found.carried_by == series.index[carrier]
    assert found.probability_without < 0.75 and "Without the week of 2024-03-04" in found.sentence()


def test_a_steady_rise_is_carried_by_none():
    assert growth_rate(weekly([2, 3, 3, 4, 5, 7, 8, 10, 13, 15]), 10, family="negbin").carried_by is None


@pytest.mark.parametrize(
    ("counts", "options", "says"),
    [
        ([1, 2, 3, 4], {"window": 3}, "has 3 observed periods; growth needs 4"),
        ([0, 0, 0, 0], {"window": 4}, "holds no incident, so nothing grows"),
        ([1, 2, 3, 4], {"window": 4, "family": "normal"}, "family of growth_rate is 'normal'"),
        ([1, 2, 3, 4], {"window": 5}, "reaches outside the series"),
        ([1, 2, 3, 4], {"window": 4, "level": 1.0}, "level is 1.0"),
    ],
)
def test_what_cannot_be_used_is_refused(counts, options, says):
    with pytest.raises(InputError, match=says):
        growth_rate(weekly(counts), options.pop("window"), **options)


def test_a_panel_is_refused():
    with pytest.raises(InputError, match="growth_rate fits one series and got a table of 2 units"):
        growth_rate(pd.DataFrame({"A": weekly([1, 2, 3, 4]), "B": weekly([1, 2, 3, 4])}), 4)


def test_a_period_that_nobody_watched_may_have_an_exposure_of_0():
    counts = weekly([3, 4, None, 6, 7, 8, None, 12, 14, 17])
    watched = counts.notna().astype(float)
    found, plain = growth_rate(counts, 8, exposure=watched, family="negbin"), growth_rate(counts, 8, family="negbin")
    assert (found.growth, found.observed) == (plain.growth, 6)
    with pytest.raises(InputError, match="exposure is 0 at 2024-01-01"):
        growth_rate(counts, 8, exposure=watched.mask(counts == 3, 0.0))


def test_growth_of_the_underlying_rates():
    """A rise of 5% a week for a year: over the last quarter, at its end and in the forecast it is the same."""
    counts = weekly(np.random.default_rng(1).poisson(4 * 1.05 ** np.arange(52)))
    found = growth_rate(counts, 13, rng=1)
    assert found.lower < 0.05 < found.upper and found.probability_rising > 0.99
    assert found.family == "changing_rate" and found.carried_by is None
    flat = growth_rate(weekly([5] * 30), 13, rng=1)
    assert abs(flat.growth) < 0.01 and flat.probability_rising == pytest.approx(0.5, abs=0.1)
    assert growth_rate(counts, 13, rng=1) == found


@pytest.mark.parametrize(
    ("lower", "growth", "upper", "said"),
    [
        (-1e-15, 0.0, 0.05, "doubling in no less than 14.2 weeks"),
        (-1e-15, 0.0, 1e-15, "as good as steady"),
        (1e-15, 0.02, 0.05, "doubling in 35.0 weeks (14.2 or longer)"),
        (1e-15, 1e-14, 1e-13, "as good as steady"),
        (-0.05, -0.02, -0.01, "halving in 34.3 weeks (13.5 to 69.0)"),
    ],
)
def test_a_rate_as_good_as_steady_has_no_doubling_time(lower, growth, upper, said):
    weeks = pd.period_range("2024-01-01", periods=13, freq="W-SUN")
    risen = WindowGrowth(
        growth=growth,
        lower=lower,
        upper=upper,
        level=0.9,
        probability_rising=0.5,
        doubling_time=_periods(math.log1p(growth)),
        fastest_doubling=_periods(math.log1p(max(upper, 0.0))),
        fastest_halving=_periods(-math.log1p(min(lower, 0.0))),
        first=weeks[0],
        last=weeks[-1],
        observed=13,
        total=40.0,
        dispersion=0.1,
        family="changing",
        histories=1,
    )
    assert risen.doubling() == said
