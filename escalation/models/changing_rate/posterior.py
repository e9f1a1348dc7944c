"""Which structures explain the counts, with which dispersion: all of them filtered, and weighted by their likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from escalation.models.changing_rate.grid_filter import Filtered, FloatArray, count_table, filter_counts
from escalation.models.changing_rate.segments import SHARE, Stretches, find_stretches
from escalation.models.changing_rate.structures import (
    DISPERSIONS,
    FINE,
    LEARNT,
    Grid,
    Structure,
    make_grids,
    make_structures,
)

GIVE_UP = 4.0
"""A structure tries no more dispersions once the log-likelihood is that far below its best."""


HOPELESS = 6.0
"""Or if its first log-likelihood is that far below the best of all."""


class Run(NamedTuple):
    """One structure with one dispersion, and what filtering left of it."""

    structure: Structure
    grid: Grid
    dispersion: float
    filtered: Filtered
    log_weight: float
    predicted: FloatArray  # (n, nx) probabilities of the levels given the counts before, or no rows

    def growth(self) -> FloatArray:
        """Change (nz, nx) of the log rate from a state to the next period, without noise and jumps."""
        values, levels = self.structure.values[:, None], self.grid.levels
        if not self.structure.moves.targets:
            return np.broadcast_to(values, (len(values), len(levels)))
        target = np.exp(values)
        value: FloatArray = np.log(target + self.structure.retention * (np.exp(levels) - target)) - levels
        return value


def posterior(
    counts: FloatArray, log_scale: FloatArray, exposure: FloatArray, log_prior: float = 0.0, *, predict: bool = False
) -> tuple[list[Run], Stretches]:
    """Filter counts under every structure.

    Parameters
    ----------
    counts : (n,) float array
        NaN where not observed.
    log_scale : (n,) float array
        Log of what the rate is multiplied by: exposure and season.
    exposure : (n,) float array
        Share of each period that was covered.
    log_prior : float
        Log weight of all of them.
    predict : bool
        Whether the runs keep the levels as they were foretold.

    Returns
    -------
    list of Run, Stretches
    """
    seen = ~np.isnan(counts)
    known = counts[seen] / np.exp(log_scale[seen])
    grids = make_grids(known)
    dispersions = (*(FINE if known.mean() >= 300 else ()), *DISPERSIONS)
    tables: dict[tuple[int, int], tuple[FloatArray, FloatArray]] = {}

    def likelihoods(grid: int, place: int) -> tuple[FloatArray, FloatArray]:
        if (grid, place) not in tables:
            levels = grids[grid].levels
            table = np.empty((len(counts), len(levels)))
            count_table(counts, log_scale, levels, exposure / dispersions[place], table)
            tables[grid, place] = table, table @ grids[grid].wide
        return tables[grid, place]

    runs: list[Run] = []
    stretch_prior = log_prior
    log_prior += math.log(1 - SHARE) - math.log(len(dispersions))
    best, guess = -math.inf, dispersions.index(0.1)
    for structure in make_structures(grids, known):
        grid = grids[structure.grid]
        rates = np.exp(grid.levels)
        mine: dict[int, float] = {}
        for place in outwards(guess, len(dispersions), mine, best - structure.log_prior - log_prior - HOPELESS):
            table, blind = likelihoods(structure.grid, place)
            predicted = np.empty((len(counts) if predict else 0, len(rates)))
            filtered = filter_counts(
                table, blind, seen, rates, grid.wide, structure.first, structure.moves, LEARNT, predicted
            )
            mine[place] = float(filtered.log_density.sum())
            weight = log_prior + structure.log_prior + mine[place]
            runs.append(Run(structure, grid, dispersions[place], filtered, weight, predicted))
            best = max(best, weight)
        guess = max(mine, key=lambda place: mine[place])
    logs = [run.log_weight - run.filtered.log_density.sum() + np.cumsum(run.filtered.log_density) for run in runs]
    before = np.append(0.0, np.logaddexp.reduce(logs)[:-1] - log_prior - math.log(len(dispersions)))
    stretches = find_stretches(counts, log_scale, exposure, dispersions, max(float(known.mean()), 1e-9), before)
    return runs, stretches._replace(log_weight=stretches.log_weight + stretch_prior)


def outwards(start: int, number: int, found: dict[int, float], least: float) -> Iterator[int]:
    """Places from a start to both sides, as long as what is found at them is of use; only the first if that is none."""
    yield start
    if found[start] < least:
        return
    for way in (1, -1):
        place = start + way
        while 0 <= place < number:
            yield place
            if found[place] < max(found.values()) - GIVE_UP:
                break
            place += way
