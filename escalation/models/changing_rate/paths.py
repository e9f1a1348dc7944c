"""Paths of a changing rate into the future, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator

from escalation.models.changing_rate.grid_filter import FloatArray, IntArray
from escalation.models.changing_rate.posterior import Run
from escalation.models.contract.count_draws import draw_count

LATE, LATE_SD = 0.008, 1.5
"""Probability that a coming period brings a lasting change of the log rate, and its standard deviation."""
ROOM = 1.0
"""Above the highest level of the grid, in logs, that paths may reach."""


def simulate_run(run: Run, offsets: FloatArray, exposure: FloatArray, rng: Generator) -> IntArray:
    """Paths (k, steps) of one structure from its last state on, with log season offsets (k, steps)."""
    structure, moves, grid = run.structure, run.structure.moves, run.grid
    cumulative = np.cumsum(run.filtered.state.ravel())
    drawn = np.searchsorted(cumulative, rng.random(len(offsets)) * cumulative[-1], side="right")
    z, x = np.unravel_index(np.minimum(drawn, len(cumulative) - 1), run.filtered.state.shape)
    paths = np.empty(offsets.shape, dtype=np.int64)
    prior, landing, wide = (np.cumsum(p) / p.sum() for p in (run.filtered.aims, run.filtered.landing, grid.wide))
    draw_paths(
        z, grid.levels[x], structure.values, prior, landing, wide, grid.levels, grid.step, moves.targets,
        structure.retention, structure.noise, moves.jump, moves.redraw, moves.outlier, LATE, LATE_SD, run.dispersion,
        offsets, exposure, grid.levels[-1] + ROOM, rng, paths,
    )  # fmt: skip
    return paths


@njit(cache=True, nogil=True)
def pick(cumulative: FloatArray, rng: Generator) -> int:
    """Draw a place by cumulative probabilities whose last is 1."""
    return min(np.searchsorted(cumulative, rng.random(), side="right"), len(cumulative) - 1)


@njit(cache=True, nogil=True)
def draw_paths(
    z: IntArray,
    level: FloatArray,
    values: FloatArray,
    prior: FloatArray,
    landing: FloatArray,
    wide: FloatArray,
    levels: FloatArray,
    step: float,
    targets: bool,
    retention: float,
    noise: float,
    jump: float,
    redraw: FloatArray,
    outlier: float,
    late: float,
    late_sd: float,
    dispersion: float,
    offsets: FloatArray,
    exposure: FloatArray,
    top: float,
    rng: Generator,
    paths: IntArray,
) -> None:
    """Draw the paths of these rows; prior, landing and wide are cumulative."""
    low = levels[0]
    for k in range(len(paths)):
        now, x = z[k], level[k] + (rng.random() - 0.5) * step
        for h in range(paths.shape[1]):
            if rng.random() < redraw[now]:
                now = pick(prior, rng)
            if targets:
                aim = math.exp(values[now])
                x = math.log(aim + retention * (math.exp(x) - aim)) if retention > 0.0 else values[now]
            else:
                x += values[now]
            x += noise * rng.standard_normal()
            if rng.random() < jump:
                x = levels[pick(landing, rng)] + (rng.random() - 0.5) * step
                if not targets:
                    now = pick(prior, rng)
            if late > 0.0 and rng.random() < late:
                x += late_sd * rng.standard_normal()
            x = min(max(x, low), top)
            seen = x
            if outlier > 0.0 and rng.random() < outlier:
                seen = levels[pick(wide, rng)]
            paths[k, h] = draw_count(exposure[h] * math.exp(seen + offsets[k, h]), dispersion / exposure[h], rng)
