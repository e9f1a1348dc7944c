"""The structures that a changing rate may have, their priors, and the grids that they are filtered on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from escalation.models.changing_rate.grid_filter import FloatArray, Moves

RISES = np.array([0.01, 0.02, 0.035, 0.055, 0.08, 0.115, 0.16, 0.24])
RISE_PRIOR = np.array([0.045, 0.045, 0.045, 0.045, 0.035, 0.025, 0.015, 0.015])
SLOPES = np.concatenate([[0.0], RISES, -RISES])
SLOPE_PRIOR = np.concatenate([[0.46], RISE_PRIOR, RISE_PRIOR])
SLOPE_NOISE = ((0.02, 0.65), (0.09, 0.35))
SLOPE_HAZARDS = (((0.003, 0.004, 0.03), 0.5), ((0.003, 0.04, 0.03), 0.42), ((0.05, 0.02, 0.005), 0.08))
SLOPE_SHARE = 0.6
RETENTION = (0.0, 0.5, 0.75, 0.86, 0.94)
STEEP, ENDS = 0.09, 0.35
TARGET_NOISE = (0.03, 0.15, 0.35)
TARGET_HAZARDS = ((0.003, 0.05), (0.02, 0.005))
DISPERSIONS = (0.02, 0.1, 0.3, 0.9, 2.7, 8.0)
FINE = (0.0007, 0.004)
LEARNT = 0.75
TARGET_STEP = 0.5
FINE_STEP, COARSE_STEP = 0.06, 0.2


class Grid(NamedTuple):
    """Log levels that are equally far apart."""

    levels: FloatArray  # (nx,)
    step: float
    wide: FloatArray  # (nx,) prior of a level of which nothing is known


class Structure(NamedTuple):
    """One way in which a rate may change."""

    grid: int  # 0 the fine one, 1 the coarse one
    log_prior: float
    moves: Moves
    first: FloatArray  # (nz, nx) prior of the first state
    values: FloatArray  # (nz,) slopes, or log targets
    noise: float  # sd of a step of the log rate
    retention: float  # share of the distance from a target that is left after a period


def wide_prior(levels: FloatArray, mean: float) -> FloatArray:
    bell = np.exp(-0.5 * ((levels - math.log(mean + 0.05)) / 1.3) ** 2)
    value: FloatArray = 0.85 * bell / bell.sum() + 0.15 / len(levels)
    return value


def make_grids(rates: FloatArray) -> tuple[Grid, Grid]:
    """Grids around observed rates (n,): counts over their exposure and season."""
    mean, low, high = max(float(rates.mean()), 1e-9), float(rates.min()), float(rates.max())
    bottom = math.log(max(0.015, min(mean / 20, (low + 0.1) / 6)))
    top = math.log(6 * high + 5)
    finer = 1.0 if mean <= 60 else max(0.375, math.sqrt(60 / mean))
    grids = []
    for width in (FINE_STEP * finer, COARSE_STEP * finer):
        levels = bottom + width * np.arange(math.ceil((top - bottom) / width) + 1)
        grids.append(Grid(levels, width, wide_prior(levels, mean)))
    return grids[0], grids[1]


def noise_taps(sd: float, step: float, shares: FloatArray) -> FloatArray:
    """Weights (nz, 2 m + 1) on neighbouring points.

    With the variance that a split onto two points brings, ``shares`` (nz,) on the second, the standard deviation is
    that which is asked for, or that of the split where this is larger.
    """
    variance = np.maximum((sd / step) ** 2 - shares * (1 - shares), 0.0)[:, None]
    if (sd / step) ** 2 < 0.75:
        return np.concatenate([variance / 2, 1 - variance, variance / 2], axis=1)
    half = math.ceil(3.2 * sd / step)
    bell = np.exp(-0.5 * np.arange(-half, half + 1) ** 2 / np.maximum(variance, 0.1))
    value: FloatArray = bell / bell.sum(axis=1, keepdims=True)
    return value


def make_structures(grids: tuple[Grid, Grid], rates: FloatArray) -> list[Structure]:
    return [*slopes(grids[0]), *targets(grids[1], rates)]


def slopes(grid: Grid) -> list[Structure]:
    prior = SLOPE_PRIOR / SLOPE_PRIOR.sum()
    cells = np.floor(SLOPES / grid.step)
    shares = (SLOPES / grid.step - cells)[:, None]
    first = prior[:, None] * grid.wide
    found = []
    for noise, noise_share in SLOPE_NOISE:
        taps = noise_taps(noise, grid.step, shares[:, 0])
        for (jump, redraw, outlier), share in SLOPE_HAZARDS:
            redraws = redraw + ENDS * np.maximum(np.abs(SLOPES) - STEEP, 0.0)
            moves = Moves(cells.astype(np.int64)[:, None], shares, taps, prior, redraws, jump, False, outlier)
            weight = math.log(SLOPE_SHARE * noise_share * share)
            found.append(Structure(0, weight, moves, first, SLOPES, noise, 1.0))
    return found


def targets(grid: Grid, rates: FloatArray) -> list[Structure]:
    levels = grid.levels
    low = max(levels[0], math.log((max(rates.min(), 0.0) + 0.1) / 2.5))
    high = min(levels[-1], math.log(rates.max() + 1.0) + 0.3)
    every = max(1, round(TARGET_STEP / grid.step))
    values = levels[max(0, int((low - levels[0]) / grid.step)) : int((high - levels[0]) / grid.step) + 2 : every]
    prior = wide_prior(values, max(float(rates.mean()), 1e-9))
    found = []
    share = (1 - SLOPE_SHARE) / (len(RETENTION) * len(TARGET_NOISE) * len(TARGET_HAZARDS))
    for kept in RETENTION:
        with np.errstate(divide="ignore"):
            left = np.exp(values)[:, None] + kept * (np.exp(levels)[None] - np.exp(values)[:, None])
        place = np.clip((np.log(left) - levels[0]) / grid.step, 0, len(levels) - 1)
        cells = place.astype(np.int64)
        for noise in TARGET_NOISE:
            sd = math.sqrt(noise**2 / (1 - min(kept, 0.9) ** 2) + grid.step**2)
            near = np.exp(-0.5 * ((levels - values[:, None]) / sd) ** 2)
            near /= near.sum(axis=1, keepdims=True)
            first = prior[:, None] * (0.7 * near + 0.3 * grid.wide)
            taps = noise_taps(noise, grid.step, np.zeros(len(values)))
            for jump, redraw in TARGET_HAZARDS:
                moves = Moves(cells, place - cells, taps, prior, np.full(len(values), redraw), jump, True, 0.0)
                found.append(Structure(1, math.log(share), moves, first, values, noise, kept))
    return found
