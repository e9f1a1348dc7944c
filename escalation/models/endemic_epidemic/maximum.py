"""The maximum of the endemic-epidemic likelihood, with weak priors for what the counts do not determine."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import BoolArray, FloatArray, IntArray
from escalation.models.contract.newton import Height, Peak, climb
from escalation.models.endemic_epidemic.likelihood import (
    LARGEST_LOG_RATE,
    Copies,
    Panel,
    count_copies,
    height,
    log_likelihood,
)

LEAST_GAIN = 1e-6
"""A dispersion that makes the log-likelihood no better than by this is 0."""
LARGEST_DISPERSION = 1e3
LEAST_INFORMATION = 1e-2
"""A coefficient on the log scale with less information than this is known to less than a factor of exp(10)."""
LEAST_SHARE = 1e-7
"""Where the least eigenvalue of the information, scaled to a diagonal of ones, is below this, parameters are not
distinguishable."""
SLOPE_SD = 5.0
"""Standard deviation of the weak normal prior of endemic terms beside the level, scaled to a largest value of 1."""
STARTS = ((0.1, 0.1), (0.6, 0.1), (0.1, 0.6))
"""Shares of the mean that own and others' past have where the search begins."""
ROUND, MOST_ROUNDS = 10, 40
"""Newton steps before it is first asked which parameters have run off, and how often that is asked at most."""


class Prior(NamedTuple):
    """Weak priors of a point's parameters (p,), of log density ``lift * t - fall * exp(t) - t**2 / (2 * sd**2)``.

    With ``lift`` and ``fall`` a rate exp(t) has a gamma distribution.  ``spread`` marks log dispersions, whose square
    roots (the coefficient of variation of the rate) are exponential with mean 1.
    """

    lift: FloatArray
    fall: FloatArray
    sd: FloatArray
    spread: FloatArray

    def only(self, held: BoolArray) -> Prior:
        """The same for parameters that are ``held`` (p,), none for the others."""
        lift, fall, spread = (np.where(held, part, 0.0) for part in (self.lift, self.fall, self.spread))
        return Prior(lift, fall, np.where(held, self.sd, np.inf), spread)

    def middle(self) -> tuple[FloatArray, FloatArray]:
        """Bounds (p,), (p,) of the bulk of the prior."""
        rate = np.log(np.where(self.fall > 0, self.lift / np.where(self.fall > 0, self.fall, 1.0), 1.0))
        return rate - 4.0, rate + 4.0

    def height(self, point: FloatArray) -> Height:
        """Log density (up to a constant), score and Hessian at a point (p,); -inf is left out."""
        t = np.where(np.isfinite(point), point, 0.0)
        root = self.spread * np.exp(np.minimum(t, LARGEST_LOG_RATE) / 2)
        rate = self.fall * np.exp(np.minimum(t, LARGEST_LOG_RATE))
        value = (self.lift + self.spread / 2) @ t - ((t / self.sd) ** 2).sum() / 2 - rate.sum() - root.sum()
        score = self.lift - rate - t / self.sd**2 + (self.spread - root) / 2
        return Height(float(value), score, np.diag(-rate - 1 / self.sd**2 - root / 4))


class Maximum(NamedTuple):
    """The best point (p,), log-likelihood, observed information (p, p), and which parameters needed their prior.

    ``poisson`` (p,) marks log dispersions of -inf; they are not in the information (0 there).
    """

    point: FloatArray
    llf: float
    information: FloatArray
    converged: bool
    weak: IntArray
    poisson: IntArray


def weak(panel: Panel, levels: IntArray) -> Prior:
    """Weak prior of every parameter; ``levels`` are the places of endemic levels.

    Shares of the mean that own and others' past make up are exponential with mean 1, the rate of a level is gamma with
    shape 1/2 and the mean of the counts.
    """
    k, p = panel.x.shape[2], panel.size
    lift, fall, sd, spread = np.zeros(p), np.zeros(p), np.full(p, np.inf), np.zeros(p)
    typical = np.maximum(panel.before, 0.5 / len(panel.y))
    incoming = typical @ panel.links
    for places, past in ((panel.own, typical), (panel.others, incoming)):
        for place in np.unique(places[places >= 0]):
            units = places == place
            lift[place], fall[place] = 1.0, panel.lags.sum() * past[units].sum() / typical[units].sum()
    sd[:k] = SLOPE_SD
    for place in levels:
        units = panel.x[:, :, place].any(axis=0)
        lift[place], sd[place] = 0.5, np.inf
        fall[place] = 0.5 * np.exp(panel.offset[units]).sum() / typical[units].sum()
    spread[panel.dispersion[panel.dispersion >= 0]] = 1.0
    return Prior(lift, fall, sd, spread)


def climb_from(start: FloatArray, free: BoolArray, panel: Panel, copies: Copies, prior: Prior, most: int) -> Peak:
    """Maximise likelihood times prior over the ``free`` (p,) parameters of a point (p,)."""
    missing = int(panel.slot.max()) + 1

    def function(point: FloatArray) -> Height:
        likely, before = height(point, panel, copies, missing), prior.height(point)
        return Height(likely.value + before.value, likely.score + before.score, likely.hessian + before.hessian)

    return climb(function, start, free=free, most_steps=most)


def information_at(point: FloatArray, free: BoolArray, panel: Panel, copies: Copies, prior: Prior) -> FloatArray:
    """Observed information (p, p), 0 but for ``free`` ones; by differences of the score where counts are missing."""
    missing = int(panel.slot.max()) + 1
    bend = height(point, panel, copies, 0).hessian if not missing else np.zeros((panel.size, panel.size))
    for place in np.flatnonzero(free) if missing else ():
        step = np.zeros(panel.size)
        step[place] = 1e-4
        up, down = (height(point + sign * step, panel, copies, missing).score for sign in (1, -1))
        bend[place] = (up - down) / 2e-4
    return np.where(np.outer(free, free), -(bend + bend.T) / 2 - prior.height(point).hessian, 0.0)


def first_points(panel: Panel, levels: IntArray) -> list[FloatArray]:
    """Points (p,) to begin from, without slopes; a level is that of the units that have it."""
    n = len(panel.y)
    points = []
    incoming = panel.before @ panel.links * panel.lags.sum()
    for own, others in STARTS:
        point = np.zeros(panel.size)
        free = 1 - own * bool((panel.own >= 0).any()) - others * bool((panel.others >= 0).any())
        for place in levels:
            units = panel.x[:, :, place].any(axis=0)
            sizes = np.exp(panel.offset[units]).sum()
            point[place] = np.log(max(free * panel.before[units].sum(), 0.5 / n) / sizes)
        point[panel.own[panel.own >= 0]] = np.log(own / panel.lags.sum())
        for place in np.unique(panel.others[panel.others >= 0]):
            units = panel.others == place
            point[place] = np.log(others * max(panel.before[units].sum(), 1e-3) / max(incoming[units].sum(), 1e-3))
        for place in np.unique(panel.dispersion[panel.dispersion >= 0]):
            units = panel.dispersion == place
            excess = np.nanmean((panel.past[:, units] - panel.before[units]) ** 2) - panel.before[units].mean()
            point[place] = np.log(np.clip(excess / max((panel.before[units] ** 2).mean(), 1e-9), 0.02, 5.0) / 2)
        points.append(point)
    return points


def maximise(panel: Panel, levels: IntArray, near: FloatArray | None = None) -> Maximum:
    """Best point of several searches, or of one from a point (p,) that is ``near``.

    Parameters that run off to infinity (an epidemic part that is not there, the level of a unit without a count), or
    all of them where they are not distinguishable, get their weak prior.
    """
    copies, prior = count_copies(panel), weak(panel, levels)
    held, poisson = np.zeros(panel.size, bool), np.zeros(panel.size, bool)
    bare, everything = prior.only(held), np.ones(panel.size, bool)
    if near is None:
        peaks = [climb_from(start, everything, panel, copies, bare, ROUND) for start in first_points(panel, levels)]
        point = max(peaks, key=lambda peak: peak.height.value).point
    else:
        point = near if np.isfinite(near).all() else np.where(np.isfinite(near), near, first_points(panel, levels)[0])
    for k in range(MOST_ROUNDS):
        free = ~poisson
        peak = climb_from(point, free, panel, copies, prior.only(held), ROUND * (1 + k))
        point = peak.point
        plain = _poisson_limits(point, panel, copies, held)
        information = information_at(point, free, panel, copies, prior.only(held))
        runs = free & (np.diag(information) < LEAST_INFORMATION)
        runs[copies.places] = point[copies.places] > np.log(LARGEST_DISPERSION)
        new = runs & ~held & ~plain
        if peak.converged and not plain.any() and not new.any():
            unit = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
            shares = np.linalg.eigvalsh((information * np.outer(unit, unit))[np.ix_(free, free)])
            if shares.min() >= LEAST_SHARE or held[free].all():
                break
            new = free & ~held
        poisson |= plain
        held |= new
        point = np.where(new, np.clip(point, *prior.middle()), np.where(plain, -np.inf, point))
    llf = log_likelihood(point, panel, copies)
    return Maximum(point, llf, information, peak.converged, np.flatnonzero(held), np.flatnonzero(poisson))


def _poisson_limits(point: FloatArray, panel: Panel, copies: Copies, held: BoolArray) -> BoolArray:
    """Log dispersions (p,) without which the log-likelihood is as good."""
    plain = np.zeros(panel.size, bool)
    here = log_likelihood(point, panel, copies)
    for place in copies.places:
        if np.isfinite(point[place]) and not held[place]:
            without = point.copy()
            without[place] = -np.inf
            plain[place] = log_likelihood(without, panel, copies) > here - LEAST_GAIN
    return plain
