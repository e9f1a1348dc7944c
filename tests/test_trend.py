"""compare_rates: against R, closed forms, brute-force quadrature and simulation."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation import FitError, InputError, compare_rates
from escalation.analysis.trend.rate_posterior import WindowCounts, exact_p_value, invert, negbin, poisson


def weekly(values, start="2024-01-01"):
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq="W-SUN"))


def histories(columns):
    index = pd.period_range("2024-01-01", periods=len(columns[0]), freq="W-SUN")
    return pd.DataFrame(np.column_stack(columns), index=index, columns=pd.RangeIndex(len(columns), name="draw"))


def counts_of(*columns, exposure=None):
    matrix = np.column_stack(columns).astype(float)
    return WindowCounts(matrix, np.ones(len(matrix)) if exposure is None else np.asarray(exposure, dtype=float))


# Poisson


def test_poisson_agrees_with_r(shared_data):
    cases = json.loads(shared_data("data/reference/R_poisson_test.json").read_text())["two_sample"]
    two_sided = [case for case in cases if case["alternative"] == "two.sided"]
    assert len(two_sided) == 24
    for case in two_sided:
        assert case["r"] == 1
        counts = weekly(case["x"][::-1])
        exposure = pd.Series(case["T"][::-1], index=counts.index, dtype=float)
        change = compare_rates(counts, 1, 1, exposure=exposure, family="poisson", level=case["conf_level"])
        low, high = (np.inf if limit is None else limit for limit in case["conf_int"])
        # R prints 15 digits but finds its limits with qbeta, good to some 1e-13
        assert change.lower == pytest.approx(low, rel=1e-9, abs=1e-12)
        assert change.upper == pytest.approx(high, rel=1e-9)
        assert change.p_value == pytest.approx(case["p_value"], rel=1e-7)


def test_poisson_probability_is_that_of_the_beta_prime():
    counts = weekly([3, 1, 4, 1, 5, 9])
    change = compare_rates(counts, 2, 4, family="poisson")
    # Gamma(14.5)/2 over Gamma(9.5)/4 is twice a beta prime
    law = stats.betaprime(14.5, 9.5, scale=2.0)
    assert change.probability_higher == pytest.approx(law.sf(1.0), abs=1e-12)
    assert change.ratio == pytest.approx(law.median(), rel=1e-9)
    assert change.dispersion == 0.0


def test_poisson_rates_have_the_exact_interval():
    change = compare_rates(weekly([0, 0, 0, 2, 6, 4]), 3, 3, family="poisson", level=0.9)
    assert change.recent_rate == 4.0
    assert change.recent.lower == pytest.approx(stats.chi2.ppf(0.05, 24) / 2 / 3, rel=1e-9)
    assert change.recent.upper == pytest.approx(stats.chi2.ppf(0.95, 26) / 2 / 3, rel=1e-9)
    assert (change.baseline_rate, change.baseline.lower) == (0.0, 0.0)
    assert change.baseline.upper == pytest.approx(-np.log(0.05) / 3, rel=1e-9)


def test_poisson_histories_average_the_distribution_functions():
    table = histories([[2, 3, 5, 6], [1, 1, 9, 9], [0, 1, 4, 4]])
    change = compare_rates(table, 2, 2, family="poisson")
    totals = [(11, 5), (18, 2), (8, 1)]
    share = change.upper / (1 + change.upper)
    upper = [stats.beta.cdf(share, k + 1, rest) for k, rest in totals]
    assert np.mean(upper) == pytest.approx(0.95, abs=1e-9)
    share = change.lower / (1 + change.lower)
    assert np.mean([stats.beta.cdf(share, k, rest + 1) for k, rest in totals]) == pytest.approx(0.05, abs=1e-9)
    assert change.p_value == pytest.approx(np.mean([stats.binomtest(k, k + rest).pvalue for k, rest in totals]))
    assert (change.recent.total, change.histories) == (pytest.approx(37 / 3), 3)


def test_one_history_in_ten_without_baseline_leaves_no_upper_limit():
    columns = [[1, 0, 4, 4]] * 9 + [[0, 0, 4, 4]]
    assert compare_rates(histories(columns), 2, 2, family="poisson").upper == np.inf
    assert compare_rates(histories(columns), 2, 2, family="poisson", level=0.7).upper < np.inf


def test_identical_histories_are_one_history():
    column = [2, 0, 3, 1, 6, 5]
    for family in ("poisson", "negbin"):
        one = compare_rates(weekly(column), 2, 4, family=family)
        three = compare_rates(histories([column] * 3), 2, 4, family=family)
        assert (three.lower, three.ratio, three.upper) == pytest.approx((one.lower, one.ratio, one.upper), rel=1e-9)


def test_the_test_of_dispersed_counts_is_beta_binomial_at_one_dispersion():
    now, was = counts_of([6, 3, 5, 4]), counts_of([1, 0, 2, 1, 1, 3, 0, 1])
    law = stats.betabinom(27, 4 / 0.3, 8 / 0.3).pmf(np.arange(28))
    at_one = (np.array([0.3]), np.ones(1))
    assert exact_p_value(now, was, at_one) == pytest.approx(law[law <= law[18] * (1 + 1e-7)].sum(), rel=1e-9)


def test_the_test_of_dispersed_counts_tends_to_the_binomial_one():
    now, was = counts_of([6, 3, 5, 4]), counts_of([1, 0, 2, 1, 1, 3, 0, 1])
    little = (np.array([1e-7]), np.ones(1))
    exact = stats.binomtest(18, 27, 1 / 3).pvalue
    assert exact_p_value(now, was, little) == pytest.approx(exact, rel=1e-4)
    assert compare_rates(weekly([1, 0, 2, 1, 1, 3, 0, 1, 6, 3, 5, 4]), 4, 8, family="negbin").p_value > exact


def test_the_conditional_test_is_that_of_statsmodels():
    from statsmodels.stats.rates import test_poisson_2indep as theirs

    change = compare_rates(weekly([1, 0, 2, 1, 1, 3, 0, 1, 6, 3, 5, 4]), 4, 8, family="poisson")
    assert change.p_value == pytest.approx(theirs(18, 4, 9, 8, method="exact-cond").pvalue, rel=1e-9)


@pytest.mark.parametrize("series", [40, pytest.param(100, marks=pytest.mark.nightly)])
def test_the_test_of_dispersed_counts_keeps_its_size(series):
    rng = np.random.default_rng(3)
    rejected = 0
    for row in rng.poisson(5 * rng.gamma(2.0, 0.5, (series, 12))):
        now, was = counts_of(row[8:]), counts_of(row[:8])
        rejected += exact_p_value(now, was, negbin(now, was).dispersions) < 0.1
    assert 0 < rejected <= stats.binom.ppf(0.999, series, 0.1)  # no more than it says, and not never


# Negative binomial


def brute_force(now, was, exposure_now, exposure_was, at):
    """P(log ratio <= at) and P(log recent rate <= 1) by a plain sum over sqrt(alpha) and two log rates."""
    cv = (np.arange(160) + 0.5) * 4 / 160
    u = np.linspace(-45, 300, 6901)  # a part of a period with large dispersion says next to nothing of high rates
    pooled = (sum(now) + sum(was) + 0.5) / (sum(exposure_now) + sum(exposure_was))
    total, below, low = 0.0, np.zeros(len(at)), 0.0
    for s in cv:
        mass = np.exp(-(s**2) / 2)
        laws = []
        for counts, exposures in ((now, exposure_now), (was, exposure_was)):
            log_likelihood = np.zeros_like(u)
            information = np.zeros_like(u)
            reference = 0.0
            for y, e in zip(counts, exposures, strict=True):
                mean = e * np.exp(u)
                # a part of a period has that part of the size of a whole one
                log_likelihood += stats.nbinom.logpmf(y, e * s**-2, 1 / (1 + s**2 * mean / e))
                information += e / (np.exp(u) * (1 + s**2 * mean / e))
                reference += e / (pooled * (1 + s**2 * pooled))
            laws.append(np.exp(log_likelihood + u) * np.sqrt(information / reference))
        mass *= laws[0].sum() * laws[1].sum()
        recent, baseline = (law / law.sum() for law in laws)
        above = np.cumsum(baseline[::-1])[::-1] - baseline / 2
        total += mass
        below += mass * np.array([np.interp(u - x, u, above) @ recent for x in at])
        low += mass * (recent[u <= 1].sum() - recent[np.searchsorted(u, 1.0 + 1e-9) - 1] / 2)
    return below / total, low / total


@pytest.mark.parametrize(
    ("now", "was", "exposure_now", "exposure_was"),
    [
        ([4, 7], [1, 0, 2], [1.0, 1.0], [1.0, 1.0, 1.0]),
        ([2], [3, 1, 9, 0], [0.4], [1.0, 0.6, 1.0, 1.0]),
        ([0, 1], [6, 2], [1.0, 0.3], [0.2, 1.0]),
    ],
)
def test_quadrature_agrees_with_brute_force(now, was, exposure_now, exposure_was):
    posterior = negbin(counts_of(now, exposure=exposure_now), counts_of(was, exposure=exposure_was))
    at = np.array([-2.0, -0.5, 0.0, 0.7, 1.5, 4.0])
    ratio, recent = brute_force(now, was, exposure_now, exposure_was, at)
    # the brute sum has steps of 0.05 in the log rates and linear interpolation
    assert [posterior.ratio(x) for x in at] == pytest.approx(ratio, abs=2e-4)
    assert posterior.recent_limits[1](1.0) == pytest.approx(recent, abs=2e-4)


def test_counts_without_dispersion_give_nearly_the_poisson_answer():
    now, was = counts_of([50] * 40), counts_of([40] * 80)
    posterior, exact = negbin(now, was), poisson(now, was)
    # counts that vary not at all leave alpha below 1e-3, against 1/mean = 0.02: within 5% of the Poisson width
    assert posterior.dispersion < 1e-3
    for q in (0.05, 0.5, 0.95):
        assert invert(posterior.ratio, q) == pytest.approx(invert(exact.ratio, q), rel=0.005)


def test_no_dispersion_at_all_is_the_beta_prime():
    from escalation.analysis.trend.rate_posterior import _mix, _Sums, _window_posteriors

    recent, baseline = _Sums.of(counts_of([5, 8])), _Sums.of(counts_of([2, 4, 1]))
    law = _mix(np.ones(1), [_window_posteriors(recent, baseline, 1e-9, np.ones(1))[0]])
    exact = stats.betaprime(13.5, 7.5, scale=1.5)
    for x in (-1.0, 0.0, 0.8, 1.0, 2.5):
        # cubics between grid points a quarter of a standard deviation apart: some 2e-7
        assert law.cdf(x) == pytest.approx(exact.cdf(np.exp(x)), abs=1e-6)


def test_given_dispersion_is_a_ratio_of_beta_odds():
    from escalation.analysis.trend.rate_posterior import _mix, _Sums, _window_posteriors

    recent, baseline = _Sums.of(counts_of([5, 8])), _Sums.of(counts_of([2, 4, 1]))
    law = _mix(np.ones(1), [_window_posteriors(recent, baseline, 0.8, np.ones(1))[0]])
    rng = np.random.default_rng(7)
    odds = [stats.betaprime(a, b).rvs(400_000, random_state=rng) for a, b in ((13.5, 2 / 0.8), (7.5, 3 / 0.8))]
    for x in (0.0, 0.8, 2.0):
        share = np.mean(np.log(odds[0] / odds[1]) <= x)
        assert law.cdf(x) == pytest.approx(share, abs=4 * 0.5 / np.sqrt(400_000))


def test_dispersion_widens_the_range():
    counts = weekly([0, 9, 1, 0, 12, 3, 0, 1, 15, 4, 0, 11])
    exact, wide = (compare_rates(counts, 4, 8, family=family) for family in ("poisson", "negbin"))
    assert wide.dispersion > 0.5
    assert wide.lower < exact.lower < exact.ratio < exact.upper < wide.upper
    assert 0.5 < wide.probability_higher < exact.probability_higher


def test_swapped_windows_invert_the_ratio():
    counts = weekly([3, 1, 0, 2, 6, 4, 9])
    for family in ("poisson", "negbin"):
        one = compare_rates(counts, 3, 4, family=family)
        other = compare_rates(counts, slice(0, 4), slice(4, 7), family=family)
        assert one.ratio * other.ratio == pytest.approx(1, rel=1e-6)
        assert one.lower * other.upper == pytest.approx(1, rel=1e-6)
        assert one.probability_higher + other.probability_higher == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_half_the_exposure_doubles_the_rates_and_keeps_the_ratio(family):
    counts = weekly([3, 1, 0, 2, 6, 4, 9])
    full = compare_rates(counts, 3, 4, family=family)
    half = compare_rates(counts, 3, 4, family=family, exposure=pd.Series(0.5, index=counts.index))
    assert half.recent_rate == pytest.approx(2 * full.recent_rate)
    # half a period has half the size: the same scatter says less of the dispersion, but hardly moves the rest
    near = 1e-9 if family == "poisson" else 0.1
    assert half.recent.upper == pytest.approx(2 * full.recent.upper, rel=near)
    assert (half.lower, half.upper) == pytest.approx((full.lower, full.upper), rel=near)


def test_exposure_of_a_part_week_counts():
    counts = weekly([4, 4, 4, 4, 4])
    exposure = pd.Series([1, 1, 1, 1, 2 / 7], index=counts.index)
    change = compare_rates(counts, 1, 4, exposure=exposure, family="negbin")
    assert change.recent_rate == pytest.approx(14)
    assert change.recent.exposure == pytest.approx(2 / 7)
    assert change.probability_higher > compare_rates(counts, 1, 4, family="negbin").probability_higher + 0.2


@pytest.mark.parametrize("family", ["changing_rate", "negbin", "poisson"])
@pytest.mark.parametrize("share", [1 / 7, 0.5, 1.0])
def test_a_rate_lies_inside_its_interval(family, share):
    """Whatever part of the last week was covered, and however much it holds."""
    for last in (0, 3, 15, 60):
        counts = weekly([9, 12, 7, 14, 11, 8, 10, last])
        exposure = pd.Series([1.0] * 7 + [share], index=counts.index)
        change = compare_rates(counts, 1, 7, exposure=exposure, family=family, rng=1)
        for window in (change.recent, change.baseline):
            assert window.lower <= window.rate <= window.upper
        assert change.lower <= change.ratio <= change.upper


def test_negbin_histories_have_equal_weight():
    # the same total in all, so that the reference rate of the prior is the same
    columns = [[1, 2, 3, 2, 5, 7], [3, 4, 5, 4, 2, 2], [0, 0, 0, 0, 12, 8]]
    pooled = compare_rates(histories(columns), 2, 4, family="negbin")
    alone = [compare_rates(weekly(column), 2, 4, family="negbin").probability_higher for column in columns]
    # nodes of dispersion are shared by the three, so sums differ in the fifth digit
    assert pooled.probability_higher == pytest.approx(np.mean(alone), abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "rose"), [([0] * 8, 0.5), ([0] * 4 + [5] * 4, 1.0), ([5] * 4 + [0] * 4, 0.0), ([0] * 7 + [1], 0.8)]
)
def test_windows_of_zeros_give_finite_answers(counts, rose):
    change = compare_rates(weekly(counts), 4, 4, family="negbin")
    numbers = [change.ratio, change.lower, change.upper, change.recent.upper, change.baseline.upper]
    assert np.isfinite(numbers).all()
    assert 0 < change.lower < change.ratio < change.upper
    assert change.probability_higher == pytest.approx(rose, abs=0.05)
    for window in (change.recent, change.baseline):
        assert window.lower <= window.rate < window.upper
        assert (window.lower == 0) == (window.total == 0)


def test_huge_and_uneven_counts_stay_finite():
    for family in ("changing_rate", "negbin"):
        change = compare_rates(weekly([0, 0, 0, 1_000_000]), 2, 2, family=family, rng=1)
        assert np.isfinite([change.ratio, change.lower, change.upper]).all()
    exact = compare_rates(weekly([1_000_000] * 4), 2, 2, family="negbin")
    assert exact.ratio == pytest.approx(1, abs=1e-6)
    assert exact.upper - 1 < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [100, pytest.param(300, marks=pytest.mark.nightly)])
def test_intervals_cover_and_probabilities_are_calibrated(pairs):
    """On simulated pairs the truth's place in the posterior is near uniform and 90% intervals cover 90%."""
    rng = np.random.default_rng(20241112)
    places, rose = [], []
    for _ in range(pairs):
        alpha = rng.standard_normal() ** 2
        rate, log_ratio = np.exp(rng.uniform(np.log(2), np.log(30))), rng.normal(0, 0.7)
        now, was = (
            counts_of(rng.poisson(rng.gamma(1 / alpha, alpha * mean, size)))
            for mean, size in ((rate * np.exp(log_ratio), 4), (rate, 12))
        )
        posterior = negbin(now, was)
        places.append(posterior.ratio(log_ratio))
        rose.append((posterior.probability_higher, log_ratio > 0))
    places = np.array(places)
    covered = np.mean((places > 0.05) & (places < 0.95))
    assert covered == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / pairs))  # three binomial standard errors
    assert stats.kstest(places, "uniform").pvalue > 0.01
    said = np.array(rose, dtype=float)
    sure = np.abs(said[:, 0] - 0.5) > 0.4
    right = np.mean((said[sure, 0] > 0.5) == (said[sure, 1] == 1))
    assert right > 0.9


def test_no_change_is_no_news():
    """Poisson counts of one rate: the probability of a rise is near uniform about one half."""
    rng = np.random.default_rng(5)
    pairs = [(counts_of(rng.poisson(6, 4)), counts_of(rng.poisson(6, 12))) for _ in range(2000)]
    said = [poisson(*pair).probability_higher for pair in pairs]
    assert np.mean(said) == pytest.approx(0.5, abs=3 * np.sqrt(1 / 12 / 2000) + 0.005)
    # discrete totals of some 24 against 72 make steps, so the tails are near 0.1 and not at it
    assert np.mean(np.array(said) > 0.9) == pytest.approx(0.1, abs=0.03)


# Windows


def test_ways_to_name_a_window_agree():
    counts = weekly(range(10), start="2024-01-01")
    want = compare_rates(counts, 3, 4, family="poisson", rng=1)
    index = counts.index
    for recent, baseline in [
        (slice(-3, None), slice(3, 7)),
        (slice("2024-02-19", None), slice("2024-01-22", "2024-02-18")),
        (("2024-02-21", "2024-03-10"), ("2024-01-24", "2024-02-12")),
        ((index[7], index[9]), (index[3], index[6])),
        (np.int64(3), slice(index[3], index[6])),
    ]:
        assert compare_rates(counts, recent, baseline, family="poisson", rng=1) == want
    assert (want.recent.first, want.recent.last, want.recent.total) == (index[7], index[9], 24.0)
    assert (want.baseline.first, want.baseline.last, want.baseline.exposure) == (index[3], index[6], 4.0)


def test_a_month_names_the_weeks_that_hold_it():
    counts = weekly(range(10), start="2024-01-01")
    change = compare_rates(counts, (pd.Period("2024-02", "M"), pd.Period("2024-02", "M")), 2)
    assert (str(change.recent.first.start_time.date()), str(change.recent.last.end_time.date())) == (
        "2024-01-29",
        "2024-03-03",
    )


def test_baseline_is_counted_back_from_the_recent_window():
    counts = weekly(range(10))
    change = compare_rates(counts, slice(4, 6), 2)
    assert (change.recent.total, change.baseline.total) == (9.0, 5.0)


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_missing_periods_are_left_out(family):
    holes = weekly(pd.array([2, None, 4, 1, None, 6, 8], dtype="Int64"))
    change = compare_rates(holes, 3, 4, family=family)
    full = compare_rates(weekly([2, 4, 1, 6, 8]), 2, 3, family=family)
    assert (change.ratio, change.lower, change.upper) == pytest.approx((full.ratio, full.lower, full.upper), rel=1e-9)
    assert (change.recent.observed, change.recent.exposure) == (2, 2.0)
    assert "(2 observed)" in change.sentence()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"recent": 4, "baseline": slice(4, 8)}, "overlap"),
        ({"recent": 0, "baseline": 2}, "number of periods >= 1"),
        ({"recent": slice(5, 5), "baseline": 2}, "holds no period"),
        ({"recent": ("2024-02-20", "2024-02-01"), "baseline": 2}, "holds no period"),
        ({"recent": 2, "baseline": 9}, "reaches outside the series"),
        ({"recent": 11, "baseline": 2}, "reaches outside the series"),
        ({"recent": ("2024-02-20", "2025-02-01"), "baseline": 2}, "reaches outside the series"),
        ({"recent": 1, "baseline": 2}, "recent .* holds no observed period"),
        ({"recent": slice(-3, None), "baseline": slice(0, 1)}, "baseline .* holds no observed period"),
        ({"recent": slice(0, 8, 2), "baseline": 2}, "leave the step out"),
        ({"recent": "4", "baseline": 2}, r"give a number of periods, a \(start, end\) pair or a slice"),
        ({"recent": True, "baseline": 2}, "give a number of periods, a"),
        ({"recent": ("soon", "2024-02-20"), "baseline": 2}, "recent start is 'soon'"),
        ({"recent": 3, "baseline": 2, "family": "normal"}, "use changing_rate"),
        ({"recent": 3, "baseline": 2, "level": 1.0}, "give a probability between 0 and 1"),
        ({"recent": 3, "baseline": 2, "exposure": [1.0] * 10}, "exposure is not a Series"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, says):
    counts = weekly(pd.array([None, 1, 2, 3, 4, 5, 6, 7, 8, None], dtype="Int64"))
    with pytest.raises(InputError, match=says) as caught:
        compare_rates(counts, **arguments)
    assert "\n" not in str(caught.value)


def test_a_panel_of_units_is_refused():
    table = pd.DataFrame({"a": [1, 2, 3], "b": [0, 1, 1]}, index=pd.period_range("2024-01", periods=3, freq="M"))
    with pytest.raises(InputError, match="table of 2 units"):
        compare_rates(table, 1, 2)


# What one period carries


def test_one_bulletin_that_carries_the_rise_is_named():
    counts = weekly([2, 3, 1, 2, 4, 2, 3, 1, 2, 2, 3, 40])
    for family in ("poisson", "negbin"):
        change = compare_rates(counts, 4, 8, family=family)
        assert change.carried_by == counts.index[-1]
        alone = compare_rates(counts.iloc[:-1], 3, 8, family=family)
        assert change.probability_without == pytest.approx(alone.probability_higher, abs=1e-9)
        assert "Without the week that starts on 2024-03-18" in change.sentence()


def test_one_quiet_period_that_carries_the_fall_is_named():
    counts = weekly([9, 7, 8, 12, 9, 10, 8, 9, 9, 0])
    change = compare_rates(counts, 2, 8, family="poisson")
    assert change.probability_higher < 0.1
    assert change.carried_by == counts.index[-1]


def test_a_steady_rise_and_no_direction_are_carried_by_none():
    for family in ("changing_rate", "negbin"):
        steady = compare_rates(weekly([2, 3, 1, 2, 4, 2, 3, 1, 9, 8, 9, 10]), 4, 8, family=family, rng=1)
        assert steady.probability_higher > 0.9 and steady.carried_by is None
    flat = compare_rates(weekly([2, 3, 2, 3, 2, 3]), 2, 4, family="negbin")
    assert 0.1 < flat.probability_higher < 0.9
    assert (flat.carried_by, flat.probability_without) == (None, None)


def test_windows_of_one_period_cannot_be_carried():
    change = compare_rates(weekly([0, 50]), 1, 1, family="poisson")
    assert (change.probability_higher > 0.99, change.carried_by) == (True, None)


# Words


def test_sentence_says_the_numbers():
    counts = weekly([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5], start="2024-09-02")
    change = compare_rates(counts, 4, 8, family="poisson", level=0.95, rng=1)
    assert change.sentence() == (
        "The rate rose beyond its usual fluctuation: 4.5 per week (95% interval 2.7 to 7.1) in the 4 weeks 2024-10-28 "
        "to 2024-11-24, against 1.1 (0.51 to 2.1) in the 8 weeks 2024-09-02 to 2024-10-27; that is 4.0 times the "
        "baseline rate (1.7 to 10.1). The probability of a rise beyond the fluctuation that the series usually shows "
        f"is {change.probability_unusual:.2f}; that the rate is higher at all is above 0.999."
    )


def test_sentence_of_no_news_a_fall_and_no_limit():
    assert compare_rates(weekly([2, 3, 2, 3]), 2, 2, rng=1).sentence().startswith("The rate may have risen or fallen")
    fell = compare_rates(weekly([9, 9, 9, 0, 1, 0]), 3, 3, family="negbin", rng=1).sentence()
    assert fell.startswith("The rate fell beyond its usual fluctuation")
    assert "that the rate is higher at all is 0.00" in fell or "below 0.001" in fell
    assert "to no upper limit" in compare_rates(weekly([0, 3]), 1, 1, family="poisson").sentence()
    days = pd.Series([0, 0, 3, 250], index=pd.period_range("2024-01-01", periods=4, freq="D"))
    assert "250 per day" in compare_rates(days, 1, 3, family="negbin").sentence()
    assert "in the day 2024-01-04, against" in compare_rates(days, 1, 3, rng=1).sentence()


def test_notebook_view_holds_sentence_and_table():
    view = compare_rates(weekly([2, 3, 9, 8]), 2, 2, family="poisson")._repr_html_()
    assert "The probability that the rate is higher at all" in view  # four weeks do not show what is usual
    assert "Conditional test of equal rates: p-value 0.017" in view
    assert "<td>17.0</td>" in view
    assert "p-value" not in compare_rates(weekly([2, 3, 9, 8]), 2, 2, rng=1)._repr_html_()


# The underlying rates


def test_neighbours_that_are_alike_do_not_count_as_independent():
    """Busy weeks after quiet ones, in a series that has always swung like that."""
    swings = np.concatenate([np.full(12, rate) for rate in (4, 16, 5, 18, 4, 15)])
    counts = weekly(np.random.default_rng(1).poisson(swings))
    change, alone = (compare_rates(counts, 6, 18, family=family, rng=1) for family in ("changing_rate", "negbin"))
    assert change.probability_higher > 0.9 and alone.probability_higher > 0.9
    assert change.probability_unusual < 0.95 and change.verdict() == "probably rose"
    step = weekly(np.random.default_rng(1).poisson(np.repeat([5, 25], [68, 4])))
    risen = compare_rates(step, 4, 26, rng=1)
    assert risen.probability_unusual > 0.95 and risen.verdict() == "rose beyond its usual fluctuation"


def test_equal_windows_say_one_half():
    """Counts that vary less than any rate would: neither window is higher."""
    change = compare_rates(weekly([5] * 30), 4, 26, rng=1)
    assert change.probability_higher == pytest.approx(0.5, abs=0.05)
    assert change.probability_unusual == pytest.approx(0.5, abs=0.05)


def test_the_underlying_comparison_is_the_same_for_the_same_seed():
    counts = weekly([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5])
    one, two = (compare_rates(counts, 4, 8, rng=3) for _ in range(2))
    assert (one.ratio, one.probability_higher, one.probability_unusual) == (
        two.ratio,
        two.probability_higher,
        two.probability_unusual,
    )
    assert one.p_value is None and one.family == "changing_rate"


def test_three_periods_are_the_fewest():
    with pytest.raises(FitError, match="2 observed periods are too few for changing_rate"):
        compare_rates(weekly([1, 3]), 1, 1)
