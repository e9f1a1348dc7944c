"""Distributions of counts against scipy's, against sums, and against the likelihoods of the models."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation.models.diagnostics.distributions import (
    DrawnDistributions,
    MixtureDistributions,
    PooledDistributions,
    count_cdf,
    count_distributions,
    count_logpmf,
)
from escalation.models.ingarch.model import INGARCH
from escalation.models.levels.local_level import LocalLevel
from escalation.models.regression.negative_binomial import NegativeBinomial

SUPPORT = np.arange(2000.0)


def weekly(values):
    return pd.Series(values, index=pd.period_range("2022-01-03", periods=len(values), freq="W-SUN"))


@pytest.mark.parametrize("mean", [0.01, 1.0, 40.0, 3000.0])
@pytest.mark.parametrize("dispersion", [0.0, 1e-12, 1e-6, 0.01, 0.7, 30.0])
def test_counts_have_scipys_probabilities(mean, dispersion):
    y = np.unique(np.round(mean * np.array([0.0, 0.3, 0.9, 1.0, 1.4, 3.0])))
    distribution = (
        stats.poisson(mean) if dispersion < 1e-08 else stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    )
    # scipy's own nbinom.logpmf loses six digits of gammaln(1e6), so 1e-6 there; else 1e-10
    tolerance = 1e-6 if dispersion == 1e-6 else 1e-10
    np.testing.assert_allclose(
        count_logpmf(y, mean, dispersion), distribution.logpmf(y), rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(count_cdf(y, mean, dispersion), distribution.cdf(y), rtol=1e-9, atol=1e-12)


def test_a_mean_of_zero_is_always_zero():
    assert count_logpmf(np.array([0.0, 1.0]), 0.0, 0.5).tolist() == [0.0, -np.inf]
    assert count_cdf(np.array([-1.0, 0.0, 1.0]), 0.0, 0.5).tolist() == [0.0, 1.0, 1.0]


CASES = {
    "poisson": count_distributions(np.array([3.0]), 0.0),
    "nb1": count_distributions(np.array([3.0]), np.array([0.4])),
    "zero inflated": MixtureDistributions(np.array([[0.3, 0.7]]), np.array([[0.0, 5.0]]), np.array([[0.0, 0.2]])),
    "hurdle": MixtureDistributions(np.ones((1, 1)), np.array([[2.0]]), np.array([[0.5]]), np.array([0.6])),
    "drawn": DrawnDistributions(np.array([[0.0, 4.0, 4.0, 9.0]])),
    "drawn unequally": DrawnDistributions(np.array([[1.0, 2.0, 7.0]]), np.array([[0.5, 0.3, 0.2]])),
    "pooled": PooledDistributions(
        (count_distributions(np.array([1.0]), 0.0), DrawnDistributions(np.array([[8.0, 8.0]]))), np.array([0.25, 0.75])
    ),
}


@pytest.mark.parametrize("distribution", CASES.values(), ids=CASES)
def test_moments_and_cdf_are_sums_of_the_pmf(distribution):
    pmf = np.array([distribution.pmf(np.array([y]))[0] for y in SUPPORT])
    cdf = np.array([distribution.cdf(np.array([y]))[0] for y in SUPPORT])
    # 1e-10: 2,000 terms of 1e-16 and the tails beyond them, at most 1e-12 here
    assert pmf.sum() == pytest.approx(1.0, abs=1e-10)
    np.testing.assert_allclose(pmf.cumsum(), cdf, atol=1e-10)
    mean = SUPPORT @ pmf
    assert distribution.mean[0] == pytest.approx(mean, rel=1e-9)
    assert distribution.variance[0] == pytest.approx(SUPPORT**2 @ pmf - mean**2, rel=1e-8)
    assert distribution.cdf(np.array([-1.0]))[0] == 0.0
    assert np.isnan(distribution.pmf(np.array([np.nan]))[0])
    assert np.isnan(distribution.cdf(np.array([np.nan]))[0])


def test_a_hurdle_keeps_its_own_probability_of_zero():
    distribution = CASES["hurdle"]
    assert distribution.pmf(np.array([0.0]))[0] == pytest.approx(0.6)
    plain = stats.nbinom(2.0, 0.5)
    assert distribution.pmf(np.array([3.0]))[0] == pytest.approx(0.4 * plain.pmf(3) / (1 - plain.pmf(0)))


@pytest.mark.parametrize("model", [NegativeBinomial(trend="linear"), INGARCH(), INGARCH(link="log", family="poisson")])
def test_log_probabilities_sum_to_the_log_likelihood(model):
    rng = np.random.default_rng(3)
    counts = weekly(rng.negative_binomial(4, 0.3, 90).astype(float))
    counts.iloc[11] = np.nan
    fit = model.fit(counts)
    pmf = model.distributions(fit.estimates[0], fit.array[0], fit.design).pmf(fit.array[0])
    # 1e-8: ninety terms of gamma functions
    assert np.nansum(np.log(pmf)) == pytest.approx(fit.llf, abs=1e-8)


def test_the_log_probabilities_of_a_local_level_sum_to_its_log_likelihood():
    rng = np.random.default_rng(4)
    counts = weekly(rng.poisson(np.exp(2.5 + np.cumsum(rng.normal(0, 0.15, 80)))).astype(float))
    fit = LocalLevel().fit(counts)
    pmf = LocalLevel().distributions(fit.estimates[0], fit.array[0], fit.design).pmf(fit.array[0])
    # 0.1 in 80 terms: the level given the counts before is taken as normal with Laplace's moments
    assert np.log(pmf).sum() == pytest.approx(fit.llf, abs=0.1)


def test_exposure_scales_the_distributions_of_a_regression():
    exposure = weekly(np.tile([0.5, 1.0], 20))
    fit = NegativeBinomial().fit(weekly(np.tile([4.0, 8.0], 20)), exposure=exposure)
    distributions = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
    np.testing.assert_allclose(distributions.mean, np.tile([4.0, 8.0], 20), rtol=1e-6)
