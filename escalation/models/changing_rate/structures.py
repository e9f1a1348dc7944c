"""The structures that a changing rate may have, their priors, and the grids of log rates that they are filtered on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.models.changing_rate.grid_filter import Moves
from escalation.models.changing_rate.segments import steep_ends

TREND_SHARE = 0.6
"""Prior weight of the structures with a slope; the others have a target."""
RISES = np.array([0.01, 0.02, 0.035, 0.055, 0.08, 0.115, 0.16, 0.24])
"""Slopes of the log rate a period, upwards; downwards they are the same."""
RISE_PRIOR = np.array([0.045, 0.045, 0.045, 0.045, 0.035, 0.025, 0.015, 0.015])
SLOPES = np.concatenate([[0.0], RISES, -RISES])
SLOPE_PRIOR = np.concatenate([[0.46], RISE_PRIOR, RISE_PRIOR])
SLOPE_NOISE = ((0.02, 0.65), (0.09, 0.35))
"""Standard deviations of what moves the log rate beside its slope, and their prior weights."""
SLOPE_HAZARDS = (((0.003, 0.004, 0.03), 0.5), ((0.003, 0.04, 0.03), 0.42), ((0.05, 0.02, 0.005), 0.08))
"""Probabilities of a jump, of another slope and of an outlier in a period, and the prior weight of the three."""

RETENTION = (0.0, 0.5, 0.75, 0.86, 0.94)
"""Shares of the distance from its target that a rate keeps from one period to the next."""
TARGET_NOISE = (0.03, 0.15, 0.35)
"""Standard deviations of what moves the log rate beside its return."""
TARGET_HAZARDS = ((0.003, 0.05), (0.02, 0.005))
"""Probabilities of a jump of the rate, and of another target."""
TARGET_STEP = 0.5
"""Distance of targets, in logs."""

DISPERSIONS = (0.02, 0.1, 0.3, 0.9, 2.7, 8.0)
"""Dispersions of the counts about their rate that are tried."""
FINE_DISPERSIONS = (0.0007, 0.004)
"""Dispersions that are tried as well where counts are so large that they show."""
MANY = 300.0
"""Mean count from which on the fine dispersions show."""

LEARNT = 0.75
"""Probability that a jump leads to levels, or targets, as they were visited before, and not to the vague prior."""
WIDE_SD, WIDE_SHARE = 1.3, 0.85
"""The vague prior: normal about the log mean with this standard deviation and weight, else uniform over the grid."""
FINE_STEP, COARSE_STEP = 0.06, 0.2
"""Distance of the levels of the grid for slopes and of that for targets, where counts are not large."""
MOST_FINE, MOST_COARSE = 400, 130
"""Largest numbers of levels of both grids; steps are wider where counts range over many powers of ten."""
LARGE, FINEST = 60.0, 0.375
"""From the first mean count on both are finer, with its root, down to the second share."""


class Grid(NamedTuple):
    """Log rates that are equally far apart."""

    levels: FloatArray  # (nx,)
    step: float
    wide: FloatArray  # (nx,) probabilities of a level of which nothing is known


class Structure(NamedTuple):
    """One way in which a rate may change."""

    log_prior: float
    moves: Moves
    first: FloatArray  # (nz, nx) prior of the first state
    values: FloatArray  # (nz,) slopes a period, or log targets
    noise: float  # standard deviation of a step of the log rate beside its slope or return
    retention: float  # share of the distance from a target that is kept


def wide_prior(levels: FloatArray, mean: float) -> FloatArray:
    """Probabilities (nx,) of levels (nx,) of which no more is known than the mean count."""
    bell = np.exp(-0.5 * ((levels - math.log(mean + 0.05)) / WIDE_SD) ** 2)
    value: FloatArray = WIDE_SHARE * bell / bell.sum() + (1 - WIDE_SHARE) / len(levels)
    return value


def make_grids(rates: FloatArray) -> tuple[Grid, Grid]:
    """Grids for slopes and for targets, around observed rates (n,): counts over their exposure and season."""
    mean, low, high = float(rates.mean()), float(rates.min()), float(rates.max())
    bottom = math.log(max(0.015, min(mean / 20, (low + 0.1) / 6)))
    top = math.log(6 * high + 5)
    finer = 1.0 if mean <= LARGE else max(FINEST, math.sqrt(LARGE / mean))

    def grid(step: float, most: int) -> Grid:
        step = max(step, (top - bottom) / most)
        levels: FloatArray = bottom + step * np.arange(math.ceil((top - bottom) / step) + 1.0)
        return Grid(levels, step, wide_prior(levels, mean))

    return grid(FINE_STEP * finer, MOST_FINE), grid(COARSE_STEP * finer, MOST_COARSE)


def noise_taps(sd: float, step: float, shares: FloatArray) -> FloatArray:
    """Weights (nz, 2 m + 1) on neighbouring points that spread a level with this standard deviation.

    They allow for the variance that a split onto two points brings, ``shares`` (nz,) on the second; where this alone is
    more than is asked for, nothing is added.
    """
    variance = np.maximum((sd / step) ** 2 - shares * (1 - shares), 0.0)[:, None]
    if (sd / step) ** 2 < 0.75:
        return np.concatenate([variance / 2, 1 - variance, variance / 2], axis=1)
    half = math.ceil(3.2 * sd / step)
    bell = np.exp(-0.5 * np.arange(-half, half + 1) ** 2 / np.maximum(variance, 0.1))
    value: FloatArray = bell / bell.sum(axis=1, keepdims=True)
    return value


def trend_structures(grid: Grid) -> list[Structure]:
    """Structures whose rate has a slope, and jumps for good."""
    prior = SLOPE_PRIOR / SLOPE_PRIOR.sum()
    cells = np.floor(SLOPES / grid.step)
    shares = SLOPES / grid.step - cells
    first = prior[:, None] * grid.wide
    steep = steep_ends(SLOPES)
    found = []
    for noise, noise_share in SLOPE_NOISE:
        taps = noise_taps(noise, grid.step, shares)
        for (jump, redraw, outlier), share in SLOPE_HAZARDS:
            moves = Moves(
                cells.astype(np.int64)[:, None], shares[:, None], taps, prior, redraw + steep, jump, False, outlier
            )
            weight = math.log(TREND_SHARE * noise_share * share)
            found.append(Structure(weight, moves, first, SLOPES, noise, 1.0))
    return found


def target_structures(grid: Grid, rates: FloatArray) -> list[Structure]:
    """Structures whose rate returns to a target after each shock; targets are about the observed rates (n,)."""
    levels = grid.levels
    low = max(levels[0], math.log((float(rates.min()) + 0.1) / 2.5))
    high = min(levels[-1], math.log(float(rates.max()) + 1.0) + 0.3)
    every = max(1, round(TARGET_STEP / grid.step))
    values = levels[int((low - levels[0]) / grid.step) : int((high - levels[0]) / grid.step) + 2 : every]
    prior = wide_prior(values, float(rates.mean()))
    share = (1 - TREND_SHARE) / (len(RETENTION) * len(TARGET_NOISE) * len(TARGET_HAZARDS))
    found = []
    for kept in RETENTION:
        left = np.exp(values)[:, None] * (1 - kept) + kept * np.exp(levels)
        place = np.clip((np.log(left) - levels[0]) / grid.step, 0, len(levels) - 1)
        cells = place.astype(np.int64)
        for noise in TARGET_NOISE:
            sd = math.sqrt(noise**2 / (1 - min(kept, 0.9) ** 2) + grid.step**2)
            near = np.exp(-0.5 * ((levels - values[:, None]) / sd) ** 2)
            near /= near.sum(axis=1, keepdims=True)
            first = prior[:, None] * (0.7 * near + 0.3 * grid.wide)
            taps = noise_taps(noise, grid.step, np.zeros(len(values)))
            for jump, redraw in TARGET_HAZARDS:
                moves = Moves(
                    cells, place - cells, taps, prior, np.full(len(values), redraw), jump, True, 0.0
                )  # fmt: skip
                found.append(Structure(math.log(share), moves, first, values, noise, kept))
    return found
