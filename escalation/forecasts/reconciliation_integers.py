"""Coherent whole numbers: draws of parts and of their sum brought together, step by step and path by path."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray


def pair_by_rank(draws: FloatArray, guide: FloatArray, rng: Generator) -> FloatArray:
    """Reorder draws so that at each step they have the ranks of others; ties are broken at random.

    Parameters
    ----------
    draws, guide : (draws, steps) float array
    rng : Generator

    Returns
    -------
    (draws, steps) float array
        At each step the values of ``draws``, the smallest where ``guide`` is smallest.

    Notes
    -----
    Source: Schefzik, Thorarinsdottir & Gneiting (2013), doi:10.1214/13-STS443 (the empirical copula of ``guide``).
    """
    order = np.lexsort((rng.random(guide.shape), guide), axis=0)
    paired = np.empty_like(draws)
    np.put_along_axis(paired, order, np.sort(draws, axis=0), axis=0)
    return paired


def combine(parts: FloatArray, total: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Minimum-trace combination of the sum of parts with a forecast of it, paired draw by draw.

    Parameters
    ----------
    parts : (parts, draws, steps) float array
    total : (draws, steps) float array
        Paired with the sum of the parts.

    Returns
    -------
    combined : (draws, steps) float array
        ``s + k (total - s)``, where s is the sum of the parts and k the share of its variance in the two.
    gains : (parts, steps) float array
        What share of a change of the sum each part takes, Cov(part, s) / Var(s); they sum to 1.

    Notes
    -----
    Source: Wickramasuriya, Athanasopoulos & Hyndman (2019), doi:10.1080/01621459.2018.1448825, for errors of the
    total that are independent of the parts', whose covariance is that of the draws: then
    G = J - J W U (U' W U)^-1 U' has exactly these k and gains.
    """
    whole = parts.sum(axis=0)
    spread, other = whole.var(axis=0), total.var(axis=0)
    trust = np.divide(spread, spread + other, out=np.zeros_like(spread), where=spread > 0)
    centred = parts - parts.mean(axis=1, keepdims=True)
    shared = (centred * (whole - whole.mean(axis=0))).mean(axis=1)
    gains = np.divide(shared, spread, out=np.full_like(shared, 1 / len(parts)), where=spread > 0)
    return whole + trust * (total - whole), gains


def round_up_or_down(values: FloatArray, rng: Generator) -> IntArray:
    """Whole numbers whose means are the values, those below 0 taken as 0."""
    return np.floor(np.maximum(values, 0.0) + rng.random(values.shape)).astype(np.int64)


def split_whole(parts: FloatArray, total: IntArray, gains: FloatArray, rng: Generator) -> IntArray:
    """Whole parts that sum to a total exactly and lie as near to given ones as can be.

    Parameters
    ----------
    parts : (parts, draws, steps) float array
    total : (draws, steps) int array
    gains : (parts, steps) float array
        What share of the difference each part takes.
    rng : Generator

    Returns
    -------
    (parts, draws, steps) int array
        What is missing is spread by the gains; parts below 0 are set to 0 and the others scaled; then each is rounded
        up or down by systematic sampling, which keeps its mean and the sum.

    Notes
    -----
    Source: Madow (1949), doi:10.1214/aoms/1177729988, for the rounding.
    """
    wanted = np.maximum(parts + gains[:, None] * (total - parts.sum(axis=0)), 0.0)
    size = wanted.sum(axis=0)
    scale = np.divide(total, size, out=np.zeros_like(size), where=size > 0)
    wanted = np.where(size > 0, wanted * scale, total / len(parts))
    reached = np.minimum(np.cumsum(wanted, axis=0), total)
    reached[-1] = total
    cut = np.floor(reached + rng.random(total.shape)).astype(np.int64)
    whole: IntArray = np.diff(cut, axis=0, prepend=0)
    return whole


def split_at_random(total: IntArray, shares: FloatArray, rng: Generator) -> IntArray:
    """Split a total among parts, each of its counts by itself: multinomial, shape (parts, draws, steps).

    Parameters
    ----------
    total : (draws, steps) int array
    shares : (parts, steps) float array
        Expected parts; where all are 0 the parts are alike.
    rng : Generator
    """
    size = shares.sum(axis=0)
    probabilities = np.where(size > 0, shares / np.where(size > 0, size, 1.0), 1 / len(shares))
    drawn = [rng.multinomial(total[:, step], probabilities[:, step]) for step in range(total.shape[1])]
    return np.stack(drawn, axis=-1).transpose(1, 0, 2).astype(np.int64)


def probabilities_at(draws: IntArray, values: IntArray) -> FloatArray:
    """Probability of each value under the distribution that draws (n,) come from.

    The shares of the draws where their standard deviation is so small that shares suffice, else a Gaussian kernel
    density of Silverman's bandwidth, reflected at -1/2.

    Notes
    -----
    Source: Silverman (1986), *Density Estimation*, equation 3.31.
    """
    known, number = np.unique(draws, return_counts=True)
    share = number / len(draws)
    spread, middle = float(draws.std()), float(np.subtract(*np.quantile(draws, [0.75, 0.25])))
    width = 0.9 * min(spread, middle / 1.34 if middle > 0 else spread) * len(draws) ** -0.2
    wanted, back = np.unique(values, return_inverse=True)
    if width < 0.5:
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found = np.where(known[at] == wanted, share[at], 0.0)
    else:
        found = np.zeros(len(wanted))
        for sign, shift in ((1, 0), (-1, 1)):
            apart = (wanted[:, None] - sign * known + shift) / width
            found += np.exp(-(apart**2) / 2) @ share
        found /= width * np.sqrt(2 * np.pi)
    return np.asarray(found[back])


def resample_in_place(weights: FloatArray, guide: IntArray, rng: Generator) -> IntArray:
    """Which draw takes each place when draws are resampled by weights and as many as can be stay where they are.

    Parameters
    ----------
    weights : (n,) float array
        They sum to 1.
    guide : (n,) int array
        A place that becomes free is taken by a draw of like rank by this.
    rng : Generator

    Returns
    -------
    (n,) int array
        Each draw i comes ``n weights[i]`` times, rounded up or down by systematic sampling.
    """
    n = len(weights)
    marks = np.concatenate([[0.0], np.minimum(np.cumsum(weights) * n, n)])
    marks[-1] = n
    times = np.diff(np.ceil(marks - rng.random()).astype(np.int64))
    places = np.arange(n)
    spare = np.repeat(places, np.maximum(times - 1, 0))
    free = places[times == 0]
    places[free[np.argsort(guide[free], kind="stable")]] = spare[np.argsort(guide[spare], kind="stable")]
    return places
