"""Exact filtering of a log rate on a grid, under one structure at a time, compiled.

The state is a pair (z, x): the log rate x on a grid, and beside it z, a slope or a target that the rate returns to.  A
period redraws z with some probability, moves x as z says, spreads it by a little noise, and with some probability makes
it jump to another level; then a count is observed, which with some probability says nothing about the level.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled


class Moves(NamedTuple):
    """How the state of one structure moves in a period.

    The grid has nx points; z has nz values.
    """

    cell: IntArray  # (nz, nx) for targets: where a point is moved to, this cell and the next; (nz, 1) cells for slopes
    share: FloatArray  # of the next cell, of the same shape
    taps: FloatArray  # (nz, 2 m + 1) weights of the noise, symmetric
    prior: FloatArray  # (nz,) from which z is redrawn
    redraw: FloatArray  # (nz,) probability that z is
    jump: float  # probability that x jumps
    targets: bool  # whether z is a target, which a jump keeps; else it is a slope, which a jump redraws
    outlier: float  # probability that a count says nothing about the level


class Filtered(NamedTuple):
    """What filtering n counts leaves."""

    log_density: FloatArray  # (n,) of each count given those before; 0 where there is none
    expected: FloatArray  # (n,) mean rate of each period given the counts before
    state: FloatArray  # (nz, nx) probabilities after the last count
    landing: FloatArray  # (nx,) probabilities of the levels that a jump leads to
    aims: FloatArray  # (nz,) probabilities of the values that z is redrawn to


class Kept(NamedTuple):
    """What is kept of each period, where it has rows."""

    predicted: FloatArray  # (n, nx) probabilities of the levels given the counts before
    states: FloatArray  # (n, nz, nx) probabilities of the states given the counts so far
    landings: FloatArray  # (n, nx) probabilities of the levels that a jump leads to then
    aims: FloatArray  # (n, nz) probabilities of the values that z is redrawn to then


def keep(n: int, nz: int, nx: int) -> Kept:
    """Room for n periods."""
    return Kept(np.empty((n, nx)), np.empty((n, nz, nx)), np.empty((n, nx)), np.empty((n, nz)))


@compiled(error_model="numpy")
def filter_counts(
    like: FloatArray,
    blind: FloatArray,
    seen: NDArray[np.bool_],
    rates: FloatArray,
    wide: FloatArray,
    first: FloatArray,
    moves: Moves,
    learnt: float,
    kept: Kept,
) -> Filtered:
    """Filter counts under one structure.

    ``like`` (n, nx) holds the probability of each count at each level, ``blind`` (n,) that of a count that says nothing
    about the level; ``first`` (nz, nx) is the state before the first count.  A jump leads to the ``wide`` prior or,
    with probability ``learnt``, to levels as they were visited before, and so does a redrawn target.  ``kept`` is
    filled where it has rows.
    """
    n, nx = like.shape
    nz = len(moves.prior)
    half = moves.taps.shape[1] // 2
    state = first.copy()
    log_density, expected = np.zeros(n), np.zeros(n)
    landing, visited, visits = wide.copy(), np.zeros(nx), 0
    aims, aimed = moves.prior.copy(), np.zeros(nz)
    moved, spread, marginal = np.zeros(nx + 2 * half + 1), np.zeros(nx), np.zeros(nx)
    stay = 1.0 - moves.jump
    for t in range(n):
        if t > 0:
            marginal[:] = 0.0
            for z in range(nz):
                row, weight = state[z], stay * moves.redraw[z]
                for x in range(nx):
                    marginal[x] += weight * row[x]
            for z in range(nz):
                row = state[z]
                a, b = stay * (1.0 - moves.redraw[z]), aims[z]
                moved[:] = 0.0
                middle = moved[half : half + nx + 1]
                landed = moves.jump * (add_up(row) if moves.targets else moves.prior[z])
                if moves.targets:
                    scatter(row, marginal, a, b, moves.cell[z], moves.share[z], middle)
                else:
                    shift(row, marginal, a, b, moves.cell[z, 0], moves.share[z, 0], middle)
                smear(moved, moves.taps[z], spread)
                for x in range(nx):
                    row[x] = spread[x] + landed * landing[x]
        add_rows(state, marginal)
        if len(kept.predicted):
            kept.predicted[t] = marginal
        expected[t] = add_up_products(marginal, rates)
        if seen[t]:
            now, floor, open_eyes = like[t], moves.outlier * blind[t], 1.0 - moves.outlier
            for x in range(nx):
                spread[x] = open_eyes * now[x] + floor
            total = add_up_products(marginal, spread)
            if not total > 0.0:
                log_density[t] = -math.inf
                break
            log_density[t] = math.log(total)
            scale = 1.0 / total
            for x in range(nx):
                spread[x] *= scale
            for z in range(nz):
                row = state[z]
                for x in range(nx):
                    row[x] *= spread[x]
                if moves.targets:
                    aimed[z] += add_up(row)
            visits += 1
            weight = learnt / visits
            if moves.targets:
                for z in range(nz):
                    aims[z] = (1.0 - learnt) * moves.prior[z] + weight * aimed[z]
            for x in range(nx):
                visited[x] += marginal[x] * spread[x]
                landing[x] = (1.0 - learnt) * wide[x] + weight * visited[x]
        if len(kept.states):
            kept.states[t] = state
            kept.landings[t] = landing
            kept.aims[t] = aims
    return Filtered(log_density, expected, state, landing, aims)


@compiled(error_model="numpy")
def add_up(values: FloatArray) -> float:
    """Sum of values (nx,), in four sums side by side: one by one each addition waits for the one before."""
    a = b = c = d = 0.0
    whole = len(values) // 4 * 4
    for x in range(0, whole, 4):
        a += values[x]
        b += values[x + 1]
        c += values[x + 2]
        d += values[x + 3]
    for x in range(whole, len(values)):
        a += values[x]
    return (a + b) + (c + d)


@compiled(error_model="numpy")
def add_up_products(values: FloatArray, weights: FloatArray) -> float:
    """Sum of the products of values and weights (nx,), as :func:`add_up`."""
    a = b = c = d = 0.0
    whole = len(values) // 4 * 4
    for x in range(0, whole, 4):
        a += values[x] * weights[x]
        b += values[x + 1] * weights[x + 1]
        c += values[x + 2] * weights[x + 2]
        d += values[x + 3] * weights[x + 3]
    for x in range(whole, len(values)):
        a += values[x] * weights[x]
    return (a + b) + (c + d)


@compiled(error_model="numpy")
def add_rows(state: FloatArray, total: FloatArray) -> None:
    """Put the sum over z (nx,) into total."""
    total[:] = 0.0
    for z in range(len(state)):
        row = state[z]
        for x in range(len(total)):
            total[x] += row[x]


@compiled(error_model="numpy")
def scatter(
    row: FloatArray, other: FloatArray, a: float, b: float, cells: IntArray, shares: FloatArray, moved: FloatArray
) -> None:
    """Add a * row + b * other (nx,) to moved (nx + 1,), each point split onto its cell and the next."""
    nx = len(row)
    for x in range(nx):
        value = a * row[x] + b * other[x]
        part = shares[x] * value
        moved[cells[x]] += value - part
        moved[cells[x] + 1] += part
    moved[nx - 1] += moved[nx]
    moved[nx] = 0.0


@compiled(error_model="numpy")
def shift(row: FloatArray, other: FloatArray, a: float, b: float, offset: int, share: float, moved: FloatArray) -> None:
    """Add a * row + b * other (nx,) to moved, all points by the same offset; what passes an edge stays at it."""
    nx = len(row)
    for step in range(2):
        by, weight = offset + step, (share if step else 1.0 - share)
        kept = nx - min(abs(by), nx)
        if by >= 0:
            target, source, second = moved[nx - kept : nx], row[:kept], other[:kept]
            edge, lost, lost_second = nx - 1, row[kept:], other[kept:]
        else:
            target, source, second = moved[:kept], row[nx - kept :], other[nx - kept :]
            edge, lost, lost_second = 0, row[: nx - kept], other[: nx - kept]
        wa, wb = weight * a, weight * b
        for x in range(kept):
            target[x] += wa * source[x] + wb * second[x]
        for x in range(nx - kept):
            moved[edge] += wa * lost[x] + wb * lost_second[x]


@compiled(error_model="numpy")
def smear(moved: FloatArray, taps: FloatArray, spread: FloatArray) -> None:
    """Put moved, with m zeros at each side, spread out by the taps into spread; edges hold what passes them."""
    nx, half = len(spread), len(taps) // 2
    middle = moved[half : half + nx]
    weight = taps[half]
    for x in range(nx):
        spread[x] = weight * middle[x]
    lost = 0.0
    for k in range(half):
        weight = taps[k]
        low, high = moved[k : k + nx], moved[2 * half - k : 2 * half - k + nx]
        for x in range(nx):
            spread[x] += weight * (low[x] + high[x])
        # the point that lies half - 1 - k from an edge loses the outermost k + 1 taps over it
        lost += weight
        near = half - 1 - k
        if near < nx:
            spread[0] += lost * middle[near]
            spread[nx - 1] += lost * middle[nx - 1 - near]


@compiled(error_model="numpy")
def count_table(
    counts: FloatArray, log_scale: FloatArray, levels: FloatArray, size: FloatArray, table: FloatArray
) -> None:
    """Put the probability of each count (n,) at each log level (nx,), times exp(log_scale) (n,), into table (n, nx).

    Negative binomial with these sizes (n,); rows without a count are 1.
    """
    for t in range(len(counts)):
        y, k = counts[t], size[t]
        if math.isnan(y):
            table[t] = 1.0
            continue
        constant = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1.0) + y * (log_scale[t] - math.log(k))
        for x in range(len(levels)):
            grown = math.log1p(math.exp(levels[x] + log_scale[t]) / k)
            table[t, x] = math.exp(constant + y * levels[x] - (y + k) * grown)
