"""Weights of a pool against grids and closed forms."""

import numpy as np
import pytest

from escalation.models.baselines.weights import crps_weights, log_weights, mean_distances


def simplex(m=3, steps=40):
    grid = np.array(np.meshgrid(*[np.arange(steps + 1)] * (m - 1))).reshape(m - 1, -1).T / steps
    grid = grid[grid.sum(axis=1) <= 1]
    return np.column_stack([grid, 1 - grid.sum(axis=1)])


def cells(seed=1, m=3, n=60, draws=50):
    rng = np.random.default_rng(seed)
    truth = rng.poisson(6, n).astype(float)
    means = np.array([6.0, 3.0, 11.0])[:m]
    return rng.poisson(means[:, None, None], (m, draws, n)).astype(float), truth


def plain_pool_crps(paths, truth, weights):
    """CRPS of the pool as a double sum over all pairs of draws."""
    _, draws, n = paths.shape
    total = 0.0
    for cell in range(n):
        values, share = paths[:, :, cell].ravel(), np.repeat(weights / draws, draws)
        total += share @ np.abs(values - truth[cell]) - share @ np.abs(values[:, None] - values) @ share / 2
    return total / n


def test_mean_distances_are_means_over_all_pairs():
    paths, _ = cells(n=4)
    found = mean_distances(paths)
    for cell in range(4):
        for i in range(3):
            for j in range(3):
                plain = np.abs(paths[i, :, cell][:, None] - paths[j, :, cell]).mean()
                # 1e-12: sums of 2,500 whole numbers
                assert found[cell, i, j] == pytest.approx(plain, abs=1e-12)


def test_crps_weights_are_where_the_crps_of_the_pool_is_smallest():
    paths, truth = cells(n=25, draws=20)
    distance = np.abs(paths - truth).mean(axis=1).T
    weights = crps_weights(distance, mean_distances(paths), prior=0.0)
    best = plain_pool_crps(paths, truth, weights)
    grid = simplex()
    heights = [plain_pool_crps(paths, truth, point) for point in grid]
    # a grid of 1/40 cannot go below the exact minimum
    assert best <= min(heights) + 1e-9
    np.testing.assert_allclose(weights, grid[int(np.argmin(heights))], atol=0.05)


def test_log_weights_are_where_the_likelihood_of_the_pool_is_largest():
    rng = np.random.default_rng(2)
    log_density = np.log(rng.dirichlet([1, 2, 4], 80))
    for prior in (0.0, 1.0):
        grid = simplex()[:, :] * 0.97 + 0.01
        heights = [np.log(np.exp(log_density) @ point).sum() + prior * np.log(point).sum() for point in grid]
        weights = log_weights(log_density, prior=prior)
        reached = np.log(np.exp(log_density) @ weights).sum() + (prior * np.log(weights).sum() if prior else 0.0)
        # 1e-6: the EM algorithm stops when no weight moves by 1e-10
        assert reached >= max(heights) - 1e-6


def test_weights_of_models_that_agree_stay_equal():
    paths, truth = cells(m=1, n=10)
    twice = np.concatenate([paths, paths])
    distance = np.abs(twice - truth).mean(axis=1).T
    np.testing.assert_allclose(crps_weights(distance, mean_distances(twice)), [0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(log_weights(np.full((10, 2), -3.0)), [0.5, 0.5])


def test_few_forecasts_move_weights_little():
    one = np.array([[0.0, -5.0]])
    assert log_weights(one)[0] < 0.7
    assert log_weights(np.repeat(one, 100, axis=0))[0] > 0.95
