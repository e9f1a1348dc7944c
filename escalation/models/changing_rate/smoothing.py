"""The past rate as all counts leave it open: joint draws of its whole path, backwards from the last state."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.models.changing_rate.grid_filter import Kept, Moves
from escalation.models.changing_rate.paths import pick
from escalation.models.changing_rate.posterior import Explanations, filtered_anew


def draw_rates(
    one: Explanations, places: IntArray, counts: FloatArray, log_scale: FloatArray, exposure: FloatArray, rng: Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw paths (k, n) of the rate given all counts, without exposure and season, and the growth (k,) at their ends.

    Parameters
    ----------
    one : Explanations
        What explains these counts with this season.
    places : (k,) int array
        The run or, counted on from the runs, the segment that each path is drawn from.
    counts, log_scale, exposure : (n,) float arrays
        As in :func:`~escalation.models.changing_rate.posterior.explain_counts`.
    rng : Generator

    Returns
    -------
    rates : (k, n) float array
    growth : (k,) float array
        Change of the log rate from the last period to the next, without noise and jumps.
    """
    n, number = len(counts), len(one.runs)
    rates, growth = np.empty((len(places), n)), np.empty(len(places))
    ends, runs = np.full(len(places), n - 1), places.copy()
    before = np.array([run.log_prior + np.append(0.0, np.cumsum(run.filtered.log_density)) for run in one.runs])
    for row in np.flatnonzero(places >= number):
        start, rates[row], growth[row] = one.segments.draw_rates(int(places[row]) - number, rng)
        logs = before[:, start]
        shares = np.cumsum(np.exp(logs - logs.max()))
        ends[row], runs[row] = start - 1, np.searchsorted(shares, rng.random() * shares[-1], side="right")
    for place in np.unique(runs[ends >= 0]):
        run, rows = one.runs[place], np.flatnonzero((runs == place) & (ends >= 0))
        cells, last = np.zeros((len(rows), n), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        kept = filtered_anew(run, counts, log_scale, exposure)
        draw_backwards(kept, run.structure.moves, ends[rows], rng, cells, last)
        drawn = np.arange(n) <= ends[rows, None]
        # the whole path lies anywhere within the cells of the grid
        shift = (rng.random((len(rows), 1)) - 0.5) * run.grid.step
        rates[rows] = np.where(drawn, np.exp(run.grid.levels[cells] + shift), rates[rows])
        up_to_end = ends[rows] == n - 1
        growth[rows[up_to_end]] = run.growth()[last[up_to_end], cells[up_to_end, -1]]
    return rates, growth


@compiled(error_model="numpy")
def draw_backwards(kept: Kept, moves: Moves, ends: IntArray, rng: Generator, cells: IntArray, last: IntArray) -> None:
    """Draw paths of grid points, each from the filtered state of its end (k,) back to the first period.

    The state of a period given the next one is drawn with probability in proportion to the filtered probability of the
    state times that of the move (Carter & Kohn 1994, doi:10.1093/biomet/81.3.541).  ``cells`` (k, n) is filled up to
    the ends, ``last`` (k,) with the slope or target there; beyond the ends cells stay as they are.
    """
    _, nz, nx = kept.states.shape
    reach, within = np.zeros(nx), np.zeros(nz)
    for k in range(len(ends)):
        cumulative = np.cumsum(kept.states[ends[k]].ravel())
        drawn = pick(cumulative / cumulative[-1], rng)
        z, x = drawn // nx, drawn % nx
        cells[k, ends[k]], last[k] = x, z
        for t in range(ends[k] - 1, -1, -1):
            state = kept.states[t]
            low, high = moves_to(moves, z, x, reach)
            stay = 1.0 - moves.jump
            redrawn = 0.0
            for before in range(nz):
                within[before] = 0.0
                for place in range(low, high):
                    within[before] += state[before, place] * reach[place]
                redrawn += moves.redraw[before] * within[before]
            same = stay * (1.0 - moves.redraw[z]) * within[z]
            redrawn *= stay * kept.aims[t, z]
            jumped = moves.jump * kept.landings[t, x] * (state[z].sum() if moves.targets else moves.prior[z])
            u = rng.random() * (same + redrawn + jumped)
            if u < same:
                x = draw_place(state[z], reach, low, high, within[z], rng)
            elif u < same + redrawn:
                z = draw_weighted(within, moves.redraw, rng)
                x = draw_place(state[z], reach, low, high, within[z], rng)
            elif moves.targets:
                x = pick(np.cumsum(state[z]) / state[z].sum(), rng)
            else:
                cumulative = np.cumsum(state.ravel())
                drawn = pick(cumulative / cumulative[-1], rng)
                z, x = drawn // nx, drawn % nx
            cells[k, t] = x


@compiled(error_model="numpy")
def moves_to(moves: Moves, z: int, x: int, reach: FloatArray) -> tuple[int, int]:
    """Put the probability that each point (nx,) moves to x under z into reach; it is 0 outside the limits returned."""
    nx, taps = len(reach), moves.taps[z]
    half = len(taps) // 2
    first, last = nx, 0
    for place in range(nx):
        cell = moves.cell[z, place] if moves.targets else place + moves.cell[z, 0]
        share = moves.share[z, place] if moves.targets else moves.share[z, 0]
        total = 0.0
        for step in range(2):
            start = min(max(cell + step, 0), nx - 1)
            if abs(x - start) <= half or x == 0 or x == nx - 1:
                weight = share if step else 1.0 - share
                for tap in range(2 * half + 1):
                    if min(max(start + tap - half, 0), nx - 1) == x:
                        total += weight * taps[tap]
        reach[place] = total
        if total > 0.0:
            first, last = min(first, place), place + 1
    return first, last


@compiled(error_model="numpy")
def draw_place(row: FloatArray, reach: FloatArray, low: int, high: int, total: float, rng: Generator) -> int:
    """Draw a place between the limits with probability in proportion to row times reach, which sum to total."""
    u = rng.random() * total
    for place in range(low, high):
        u -= row[place] * reach[place]
        if u < 0.0:
            return place
    return high - 1


@compiled(error_model="numpy")
def draw_weighted(weights: FloatArray, factors: FloatArray, rng: Generator) -> int:
    """Draw a place with probability in proportion to weights times factors."""
    u = rng.random() * (weights * factors).sum()
    for place in range(len(weights)):
        u -= weights[place] * factors[place]
        if u < 0.0:
            return place
    return len(weights) - 1
