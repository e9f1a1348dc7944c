"""Exponential smoothing: against a Kalman filter in a plain loop, and its own distribution."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation.models.baselines.exponential_smoothing import ExponentialSmoothing, LogNormalDistributions


def series(values):
    return pd.Series(np.asarray(values, float), index=pd.period_range("2021-01-04", periods=len(values), freq="W-SUN"))


def drifting(n=150, seed=1, level_sd=0.1):
    rng = np.random.default_rng(seed)
    return series(np.round(np.exp(3 + np.cumsum(rng.normal(0, level_sd, n)) + rng.normal(0, 0.3, n))))


def plain_filter(logs, level_sd, noise_sd):
    """Means and variances of the next log, given those before, by Kalman's recursion with a flat first level."""
    mean, variance, found = None, None, []
    for value in logs:
        if mean is None:
            found.append((np.nan, np.nan))
            if not np.isnan(value):
                mean, variance = value, noise_sd**2
            continue
        variance += level_sd**2
        found.append((mean, variance + noise_sd**2))
        if not np.isnan(value):
            gain = variance / (variance + noise_sd**2)
            mean, variance = mean + gain * (value - mean), (1 - gain) * variance
    return np.array(found)


def test_the_distributions_are_those_of_a_plain_kalman_filter():
    counts = drifting()
    counts.iloc[[0, 40, 41]] = np.nan
    fit = ExponentialSmoothing().fit(counts)
    distributions = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
    plain = plain_filter(np.log1p(counts.to_numpy()), *fit.params)
    # 1e-5: statsmodels starts from a variance of 1e6, and not from an infinite one
    np.testing.assert_allclose(distributions.centre, plain[:, 0], rtol=1e-5)
    np.testing.assert_allclose(distributions.sd, np.sqrt(plain[:, 1]), rtol=1e-5)


def test_the_estimate_is_the_best_point_of_a_grid():
    counts = drifting(80)
    fit = ExponentialSmoothing().fit(counts)
    logs = np.log1p(counts.to_numpy())
    spread = logs.std()

    def height(level_sd, noise_sd):
        mean, variance = plain_filter(logs, level_sd, noise_sd)[1:].T
        theta = np.log([level_sd / spread, noise_sd / spread])
        return stats.norm.logpdf(logs[1:], mean, np.sqrt(variance)).sum() - ((theta + 1) ** 2).sum() / 8

    best = height(*fit.params)
    grid = np.exp(np.linspace(-1, 1, 21))
    assert best >= max(height(fit.params.iloc[0] * a, fit.params.iloc[1] * b) for a in grid for b in grid) - 1e-3


def test_counts_are_rounded_and_never_below_zero():
    distribution = LogNormalDistributions(np.array([0.1]), np.array([0.8]), np.array([1.0]))
    x = np.random.default_rng(1).normal(0.1, 0.8, 400_000)
    drawn = np.maximum(np.rint(np.expm1(x)), 0)
    for k in range(5):
        # four standard errors of a share of 400,000
        assert distribution.pmf(np.array([float(k)]))[0] == pytest.approx((drawn == k).mean(), abs=0.0032)
    assert distribution.mean[0] == pytest.approx(np.maximum(np.expm1(x), 0).mean(), rel=0.01)


def test_the_first_step_follows_the_distribution():
    counts = drifting(400)
    fit = ExponentialSmoothing().fit(counts)
    paths = fit.forecast(1, draws=20_000, rng=1).series_paths[:, 0]
    level_sd, noise_sd = fit.params
    last = plain_filter(np.append(np.log1p(counts.to_numpy()), np.nan), level_sd, noise_sd)[-1]
    distribution = LogNormalDistributions(last[:1], np.sqrt(last[1:]), np.ones(1))
    edges = np.quantile(paths, [0.1, 0.25, 0.5, 0.75, 0.9])
    for edge in edges:
        # 0.02: the parameters of 400 periods are known to some 8%, which widens the distribution a little
        assert (paths <= edge).mean() == pytest.approx(distribution.cdf(np.array([edge]))[0], abs=0.02)


@pytest.mark.nightly
def test_intervals_cover_what_they_say():
    inside = []
    for seed in range(150):
        counts = drifting(104, seed)
        table = ExponentialSmoothing().fit(counts.iloc[:100]).forecast(4, draws=400, rng=1).summary_frame(0.9)
        inside.append((table["obs_pi_lower"] <= counts.iloc[100:]) & (counts.iloc[100:] <= table["obs_pi_upper"]))
    # 600 counts, four of a series together: a standard error of some 0.017
    assert 0.85 < np.mean(inside) < 0.95
