"""Intervals of proportions: scipy's where trials are independent, a plain loop and a simulation where they are not."""

import numpy as np
import pytest
from scipy import stats

from escalation.forecasts.proportions import correlation_within, effective_trials, wilson_interval


def test_wilson_interval_is_scipys():
    for hits, n in ((0, 7), (3, 10), (250, 251)):
        theirs = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
        ours = wilson_interval(np.array(hits / n), np.array(float(n)), 0.95)
        assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_correlation_is_that_of_a_loop_over_pairs():
    rng = np.random.default_rng(3)
    group, cluster = rng.integers(0, 3, 60), rng.integers(0, 8, 60)
    event = (rng.random(60) < 0.2 + 0.1 * cluster).astype(float)
    products = expected = 0.0
    for g in range(3):
        own = event[group == g]
        variance = own.var(ddof=1)
        for i in np.flatnonzero(group == g):
            for j in np.flatnonzero(group == g):
                if i != j and cluster[i] == cluster[j]:
                    products += (event[i] - own.mean()) * (event[j] - own.mean()) + variance / len(own)
                    expected += variance
    assert products > 0
    assert correlation_within(event, group, cluster) == pytest.approx(products / expected, abs=1e-12)
    size = np.array([np.bincount(cluster[group == g]) @ np.bincount(cluster[group == g]) for g in range(3)])
    n = np.bincount(group)
    assert effective_trials(event, group, cluster) == pytest.approx(n / (1 + products / expected * (size / n - 1)))


def test_events_of_clusters_that_are_all_alike_count_once():
    event = np.repeat(np.arange(12) % 2, 5).astype(float)
    cluster = np.repeat(np.arange(12), 5)
    assert effective_trials(event, np.zeros(60, dtype=int), cluster) == pytest.approx([12])


def test_what_cannot_be_told_leaves_all_trials():
    nothing, one = np.zeros(20), np.zeros(20, dtype=int)
    assert effective_trials(nothing, one, np.arange(20) // 4).tolist() == [20]
    assert effective_trials(np.arange(20) % 2.0, one, np.arange(20)).tolist() == [20]
    assert effective_trials(np.arange(20) % 2.0, one, one).tolist() == [20]


def test_intervals_of_clustered_events_cover():
    rng = np.random.default_rng(5)
    held, alone = [], []
    group, cluster = np.tile(np.arange(2), 300), np.repeat(np.arange(30), 20)
    for _ in range(1000):
        # beta with 0.3 on average and a correlation of 1 / (1 + 9)
        event = (rng.random(600) < rng.beta(2.7, 6.3, 30)[cluster]).astype(float)
        share = np.array(event[group == 0].mean())
        trials = effective_trials(event, group, cluster)[0]
        for inside, size in ((held, trials), (alone, 300.0)):
            lower, upper = wilson_interval(share, np.array(size), 0.9)
            inside.append(lower <= 0.3 <= upper)
    # 90% give or take three standard errors of 1,000 runs; as independent trials they would be too narrow
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)
    assert np.mean(alone) < 0.85
