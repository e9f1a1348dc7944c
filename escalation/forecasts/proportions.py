"""Wilson's interval of a proportion, and how many independent trials dependent ones stand for."""

from __future__ import annotations

import numpy as np

from escalation.conventions.arrays import FloatArray, IntArray


def wilson_interval(share: FloatArray, size: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Wilson's interval of proportions (Wilson 1927, doi:10.1080/01621459.1927.10502953), by statsmodels.

    Parameters
    ----------
    share : (...) float array
        What was seen, 0 to 1.
    size : (...) float array
        Independent trials that it is of, > 0; need not be whole.
    level : float
        Probability of the interval.

    Returns
    -------
    lower, upper : (...) float arrays
    """
    # not scipy's binomtest, which takes whole numbers of trials only; imported here, as it takes some 10 ms
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(share * size, size, alpha=1 - level, method="wilson")
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


def correlation_within(event: FloatArray, group: IntArray, cluster: IntArray) -> float:
    """Correlation of the events of one cluster, about the proportion of their group.

    Parameters
    ----------
    event : (n,) float array
        0 or 1, or a mean of such.
    group : (n,) int64 array
        0, 1, ...: events of one group have one proportion.
    cluster : (n,) int64 array
        0, 1, ...: which are not independent of each other.

    Returns
    -------
    float
        0 to 1: the moment estimate, from the products of the deviations of all pairs of one group and cluster (Ridout,
        Demetrio & Firth 1999, doi:10.1111/j.0006-341X.1999.00137.x, section 2.2), less what the estimated proportions
        take from them; 0 where there are no pairs or nothing varies.
    """
    n = np.bincount(group).astype(np.float64)
    away = event - (np.bincount(group, event) / n)[group]
    squares = np.bincount(group, away**2)
    variance = np.divide(squares, n - 1, out=np.zeros_like(n), where=n > 1)
    cell = np.unique(group * (int(cluster.max()) + 1) + cluster, return_inverse=True)[1]
    first = np.unique(cell, return_index=True)[1]
    size, total = np.bincount(cell), np.bincount(cell, away)
    products = float((total**2).sum() - squares.sum())
    pairs = np.bincount(group[first], size * (size - 1.0), minlength=len(n))
    expected = float((variance * pairs).sum())
    if expected <= 0:
        return 0.0
    return float(np.clip((products + (variance * pairs / n).sum()) / expected, 0.0, 1.0))


def effective_trials(event: FloatArray, group: IntArray, *clusters: IntArray) -> FloatArray:
    r"""Independent trials that the events of each group stand for.

    .. math:: n_g^* = n_g \Big/ \Big(1 + \sum_j \rho_j (m_{gj} - 1)\Big), \quad m_{gj} = \sum_c n_{gjc}^2 / n_g

    Parameters
    ----------
    event, group
        As for :func:`correlation_within`.
    *clusters : (n,) int64 arrays
        Ways of clustering, each with its correlation :math:`\rho_j` over all groups.

    Returns
    -------
    (groups,) float array
        Kish's design effect (Survey Sampling, 1965, section 5.4), for several ways of clustering summed up.
    """
    n = np.bincount(group).astype(np.float64)
    effect = np.ones_like(n)
    for cluster in clusters:
        cell = group * (int(cluster.max()) + 1) + cluster
        size = np.bincount(cell)[cell]
        effect += correlation_within(event, group, cluster) * (np.bincount(group, size) / n - 1)
    return n / effect
