"""Parameters of endemic-epidemic counts drawn from their posterior, and paths that carry the units on; compiled."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.errors import FitError
from escalation.models.contract.newton import inverse
from escalation.models.endemic_epidemic.likelihood import (
    LARGEST_LOG_RATE,
    LARGEST_SIZE,
    Panel,
    count_copies,
    evaluate,
    log_likelihood,
)
from escalation.models.endemic_epidemic.maximum import LARGEST_DISPERSION, climb_from, information_at, weak

PROPOSALS, PROPOSALS_EACH = 500, 50
"""Points proposed at least, and for each parameter: the more there are, the fewer points carry the weight."""
MOST_STEPS = 200
TAIL_DF = 8.0
"""Degrees of freedom of the t distribution that proposes points; in many dimensions more, for nearly normal tails."""


def resample(
    panel: Panel, levels: IntArray, start: FloatArray, draws: int, rng: Generator
) -> tuple[FloatArray, IntArray]:
    """Draw m points (m, p) of the posterior under the weak prior, and which of them each path (draws,) has.

    Importance resampling of a t distribution around the posterior mode, of cube roots of rates and dispersions, which
    are more nearly normal than their logs; weights are cut at the root of their number times their mean (Ionides 2008,
    doi:10.1198/106186008X320456), which bounds their variance in many dimensions.

    Raises
    ------
    FitError
        If a parameter has no finite uncertainty.
    """
    copies, prior = count_copies(panel), weak(panel, levels)
    everything, roots = np.ones(panel.size, bool), prior.lift + prior.spread > 0
    rooted = prior._replace(lift=prior.lift - roots / 3)  # with the slope of the logs by their cube roots
    begin = np.where(np.isfinite(start), start, prior.middle()[0])
    mode = climb_from(begin, everything, panel, copies, rooted, MOST_STEPS).point
    centre = np.where(roots, np.exp(mode / 3), mode)
    slopes = np.where(roots, centre / 3, 1.0)
    with np.errstate(all="ignore"):
        information = information_at(mode, everything, panel, copies, rooted) / np.outer(slopes, slopes)
    if not np.isfinite(information).all():
        raise FitError(
            f"counts up to {np.nanmax(panel.y):.0f} leave parameters without a finite uncertainty to draw them by; "
            "set outliers to missing or drop a term"
        )
    variances, axes = np.linalg.eigh(inverse(information))
    df = max(TAIL_DF, 3.0 * panel.size)
    number = max(PROPOSALS, PROPOSALS_EACH * panel.size, draws // 2)
    z = rng.standard_normal((number, panel.size))
    far = (z**2).sum(axis=1)
    spread = rng.chisquare(df, number) / df
    points = centre + (z / np.sqrt(spread)[:, None]) @ (axes * np.sqrt(np.maximum(variances, 0.0))).T
    allowed = (points[:, roots] > 0).all(axis=1)
    points[:, roots] = 3 * np.log(np.where(points[:, roots] > 0, points[:, roots], 1.0))
    allowed &= (points[:, copies.places] < np.log(LARGEST_DISPERSION)).all(axis=1)
    value = np.full(number, -np.inf)
    value[allowed] = [log_likelihood(point, panel, copies) + rooted.height(point).value for point in points[allowed]]
    value += (df + panel.size) / 2 * np.log1p(far / spread / df)
    value[np.isnan(value)] = -np.inf
    weight = np.exp(value - value.max())
    weight = np.minimum(weight, np.sqrt(number) * weight.mean())
    ladder = (rng.random() + np.arange(draws)) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight) / weight.sum(), ladder), number - 1)
    distinct, rows = np.unique(rng.permutation(chosen), return_inverse=True)
    return points[distinct], rows


def last_rates(points: FloatArray, panel: Panel) -> FloatArray:
    """Rates of the last periods (m, d, u), the latest first; what the points (m, p) expect stands in for missing."""
    n, lead = len(panel.y), len(panel.lags)
    padded = np.vstack([np.tile(panel.before, (lead, 1)), panel.past])[::-1][:lead]
    pasts = np.tile(padded, (len(points), 1, 1))
    if np.isnan(padded).any():
        for row, point in enumerate(points):
            rates = evaluate(point, panel, 0, False)[0]
            expected = np.vstack([np.tile(panel.before, (lead, 1)), rates])[::-1][:lead]
            pasts[row] = np.where(np.isnan(padded), expected, padded)
    return pasts[:, : max(n, lead)]


@compiled()
def draw_paths(
    points: FloatArray,
    pasts: FloatArray,
    rows: IntArray,
    panel: Panel,
    x: FloatArray,
    exposure: FloatArray,
    largest: float,
    rng: Generator,
) -> IntArray:
    """Carry the units on, one joint path for each of ``rows``.

    Parameters
    ----------
    points : (m, p) float
        Parameters.
    pasts : (m, d, u) float
        What :func:`last_rates` gives for them.
    rows : (draws,) int
        Which point each path has.
    panel : Panel
        For its places, links and lags.
    x, exposure : (steps, u, k) and (steps, u) float
        Endemic terms and exposures of what follows.
    largest : float
        Means are cut here.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (u, draws, steps) int64 array
    """
    steps, u, k = x.shape
    lead = len(panel.lags)
    paths = np.empty((u, len(rows), steps), dtype=np.int64)
    rates = np.empty((lead + steps, u))
    for row in range(len(rows)):
        point = points[rows[row]]
        for d in range(lead):
            rates[lead - 1 - d] = pasts[rows[row], d]
        for t in range(steps):
            for i in range(u):
                log_rate = panel.offset[i]
                for m in range(k):
                    log_rate += x[t, i, m] * point[m]
                rate = np.exp(min(log_rate, LARGEST_LOG_RATE))
                a, b, c = panel.own[i], panel.others[i], panel.dispersion[i]
                by_own = np.exp(min(point[a], LARGEST_LOG_RATE)) if a >= 0 else 0.0
                by_others = np.exp(min(point[b], LARGEST_LOG_RATE)) if b >= 0 else 0.0
                for d in range(lead):
                    past = rates[lead + t - 1 - d]
                    rate += panel.lags[d] * by_own * past[i]
                    if b >= 0:
                        for j in range(u):
                            rate += panel.lags[d] * by_others * panel.links[j, i] * past[j]
                mean = min(exposure[t, i] * rate, largest)
                if c >= 0:
                    size = np.exp(-point[c])
                    if size < LARGEST_SIZE:
                        mean = min(mean * rng.standard_gamma(size) / size, largest)
                count = rng.poisson(mean)
                paths[i, row, t] = count
                rates[lead + t, i] = count / exposure[t, i]
    return paths
