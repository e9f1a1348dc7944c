"""Paths: counts and levels against plain loops and scipy's distributions."""

import numpy as np
import pytest
from scipy.stats import chisquare, nbinom, poisson

from escalation.conventions.compiled_draws import draw_count, draw_poisson
from escalation.models.levels.paths import _skew_normal, level_paths, trend_paths

MEANS = [1e-6, 0.02, 0.7, 1.0, 3.2, 9.99, 10.01, 12.01, 17.0, 90.0, 4000.0, 3e7]  # methods change at 10 and 12


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("dispersion", [0.0, 0.3])
def test_counts_have_scipys_distribution(mean, dispersion):
    draws = 400_000
    natural, moments = np.array([[np.log(mean), 1.0, 0.0, dispersion]]), np.array([[np.log(mean), 1e-30, 0.0]])
    rows = np.zeros(draws, dtype=np.int64)
    drawn = level_paths(natural, moments, rows, np.zeros(1), np.inf, np.inf, np.random.default_rng(1))[:, 0]
    distribution = nbinom(1 / dispersion, 1 / (1 + dispersion * mean)) if dispersion else poisson(mean)
    edges = np.unique(distribution.ppf(np.concatenate([[1e-4, 1e-3], np.linspace(0.01, 0.99, 99), [0.999, 0.9999]])))
    expected = np.diff(distribution.cdf(edges), prepend=0.0, append=1.0) * draws
    seen = np.bincount(np.searchsorted(edges, drawn), minlength=len(expected))
    if min(expected) >= 5:
        assert chisquare(seen, expected).pvalue > 1e-3
    else:
        assert seen[1:].sum() <= 5 + 5 * expected[1:].sum()


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("dispersion", [0.0, 0.3, 20.0])
def test_counts_are_those_of_a_plain_loop(mean, dispersion):
    compiled, plain = np.random.default_rng(2), np.random.default_rng(2)
    for _ in range(500):
        assert draw_count(mean, dispersion, compiled) == draw_count.py_func(mean, dispersion, plain)


@pytest.mark.parametrize("mean", [mean for mean in MEANS if mean >= 10])
def test_poisson_counts_are_those_of_a_plain_loop(mean):
    compiled, plain = np.random.default_rng(2), np.random.default_rng(2)
    for _ in range(2000):
        assert draw_poisson(mean, compiled) == draw_poisson.py_func(mean, plain)


def test_counts_beyond_all_numbers_stay_whole_numbers():
    rng = np.random.default_rng(1)
    drawn = np.array([draw_count(mean, a, rng) for mean in (1e18, np.inf, 0.0) for a in (0.0, 0.5, 1e-9, 20.0)])
    assert (drawn >= 0).all()
    assert drawn.max() < 2e15
    assert (drawn[-4:] == 0).all()


@pytest.mark.parametrize("third", [-0.02, 0.0, 0.03, 9.0])
def test_skew_normals_have_these_moments(third):
    rng, variance = np.random.default_rng(1), 0.16
    drawn = np.array([_skew_normal(1.5, variance, third, rng) for _ in range(100_000)])
    skewness = np.clip(third / variance**1.5, -0.95, 0.95)
    # standard errors of 100,000 draws: 0.0013, 0.0007 and 0.008 to 0.02
    assert drawn.mean() == pytest.approx(1.5, abs=0.005)
    assert drawn.var() == pytest.approx(variance, abs=0.004)
    assert ((drawn - drawn.mean()) ** 3).mean() / drawn.std() ** 3 == pytest.approx(skewness, abs=0.06)


ROWS, STEPS = np.arange(400) % 2, 6


@pytest.mark.parametrize("top", [np.inf, 2.2])
@pytest.mark.parametrize("bend", [np.inf, 1.5])
def test_level_paths_are_those_of_a_plain_loop(bend, top):
    natural = np.array([[2.0, 0.9, 0.2, 0.3], [1.0, 1.0, 0.1, 0.0]])
    moments, log_exposure = np.array([[2.5, 0.2, 0.04], [1.0, 0.1, -0.01]]), np.linspace(-1.0, 0.0, STEPS)
    ours = level_paths(natural, moments, ROWS, log_exposure, bend, top, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    for path, row in zip(ours, ROWS, strict=True):
        level, damping, level_sd, dispersion = natural[row]
        x = _skew_normal(*moments[row], rng)
        for t in range(STEPS):
            x = min(level + damping * (x - level) + level_sd * rng.standard_normal(), top)
            log_rate = x if bend == np.inf else bend + np.log(np.logaddexp(0, x - bend))
            assert path[t] == draw_count(np.exp(log_rate + log_exposure[t]), dispersion, rng)


@pytest.mark.parametrize("top", [np.inf, 2.2])
def test_trend_paths_are_those_of_a_plain_loop(top):
    natural = np.array([[0.05, 0.9, 0.2, 0.3], [0.01, 1.0, 0.1, 0.0]])
    moments = np.array([[2.0, 0.1, 0.2, 0.05, 0.03, 0.04], [1.0, -0.1, 0.1, 0.0, 0.01, 0.0]])
    log_exposure = np.linspace(-1.0, 0.0, STEPS)
    ours = trend_paths(natural, moments, ROWS, log_exposure, top, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    for path, row in zip(ours, ROWS, strict=True):
        slope_sd, damping, level_sd, dispersion = natural[row]
        x = _skew_normal(moments[row, 0], moments[row, 2], moments[row, 5], rng)
        share = moments[row, 3] / moments[row, 2]
        spread = np.sqrt(moments[row, 4] - share * moments[row, 3])
        slope = moments[row, 1] + share * (x - moments[row, 0]) + spread * rng.standard_normal()
        for t in range(STEPS):
            x = min(x + slope + level_sd * rng.standard_normal(), top)
            slope = damping * slope + slope_sd * rng.standard_normal()
            assert path[t] == draw_count(np.exp(x + log_exposure[t]), dispersion, rng)
