"""Paths of a changing rate into the future, compiled."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_count

LATE, LATE_SD = 0.008, 1.5
"""Probability that a coming period brings a lasting change of the log rate, and its standard deviation."""
ROOM = 1.0
"""Above the highest level of the grid, in logs, that paths may reach."""


@compiled()
def pick(cumulative: FloatArray, rng: Generator) -> int:
    """Draw a place by cumulative probabilities whose last is 1."""
    place = int(np.sum(cumulative <= rng.random()))
    return min(place, len(cumulative) - 1)


@compiled()
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
    dispersion: float,
    offsets: FloatArray,
    exposure: FloatArray,
    rng: Generator,
    paths: IntArray,
) -> None:
    """Fill paths (k, steps) from states (z, level) (k,) on; prior, landing and wide are cumulative probabilities."""
    low, top = levels[0], levels[-1] + ROOM
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
            if rng.random() < LATE:
                x += LATE_SD * rng.standard_normal()
            x = min(max(x, low), top)
            seen = x
            if outlier > 0.0 and rng.random() < outlier:
                seen = levels[pick(wide, rng)]
            paths[k, h] = draw_count(exposure[h] * math.exp(seen + offsets[k, h]), dispersion / exposure[h], rng)
