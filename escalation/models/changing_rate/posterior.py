"""How well each structure explains the counts, with each dispersion: all are filtered, and weighted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.changing_rate.grid_filter import Filtered, Kept, count_table, filter_counts, keep
from escalation.models.changing_rate.panel_prior import ALL_DISPERSIONS, OWN, Shares, no_tilt
from escalation.models.changing_rate.paths import draw_paths
from escalation.models.changing_rate.segments import SHARE, Segment, Segments, find_segments
from escalation.models.changing_rate.structures import (
    DISPERSIONS,
    FINE_DISPERSIONS,
    LEARNT,
    MANY,
    Grid,
    Structure,
    make_grids,
    target_structures,
    trend_structures,
)

NOTHING = keep(0, 0, 0)
NO_STATE = np.empty((0, 0))
GIVE_UP = 4.0
"""A structure tries no more dispersions on one side once the log-likelihood is that far below its best."""
HOPELESS = 6.0
"""A structure tries no second dispersion where its first log weight is that far below the largest."""
FIRST = 0.1
"""Dispersion that is tried first."""


class Run(NamedTuple):
    """One structure with one dispersion, and what filtering leaves of it."""

    structure: Structure
    grid: Grid
    dispersion: float
    filtered: Filtered
    log_prior: float
    predicted: FloatArray  # (n, nx) probabilities of the levels given the counts before, or no rows

    @property
    def log_weight(self) -> float:
        """Log of prior times likelihood."""
        return self.log_prior + float(self.filtered.log_density.sum())

    def reading(self) -> str:
        """How the rate moves, in one word."""
        return "returns" if self.structure.moves.targets else "drifts"

    def growth(self) -> FloatArray:
        """Change (nz, nx) of the log rate from each state to the next period, without noise and jumps."""
        values, levels = self.structure.values[:, None], self.grid.levels
        if not self.structure.moves.targets:
            return np.broadcast_to(values, self.structure.first.shape)
        kept = self.structure.retention
        value: FloatArray = np.log((1 - kept) * np.exp(values) + kept * np.exp(levels)) - levels
        return value

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Mean (3,) and covariance (3, 3) of the last rate, its growth and the dispersion."""
        state = self.filtered.state
        values = np.empty((3, *state.shape))
        values[0], values[1], values[2] = np.exp(self.grid.levels), self.growth(), self.dispersion
        flat, weights = values.reshape(3, -1), state.ravel()
        mean = flat @ weights
        away = flat - mean[:, None]
        return mean, (away * weights) @ away.T

    def paths(self, offsets: FloatArray, exposure: FloatArray, rng: Generator) -> IntArray:
        """Draw paths (k, steps) from the last state on, with log seasons (k, steps)."""
        state, moves = self.filtered.state, self.structure.moves
        cumulative = np.cumsum(state.ravel())
        drawn = np.searchsorted(cumulative, rng.random(len(offsets)) * cumulative[-1], side="right")
        z, x = np.unravel_index(np.minimum(drawn, len(cumulative) - 1), state.shape)
        aims, landing, wide = (
            np.cumsum(p) / p.sum() for p in (self.filtered.aims, self.filtered.landing, self.grid.wide)
        )
        paths = np.empty(offsets.shape, dtype=np.int64)
        arrays = z, self.structure.values, offsets, exposure
        z, values, offsets, exposure = map(np.ascontiguousarray, arrays)  # compiled once, not for each layout
        draw_paths(
            z, self.grid.levels[x], values, aims, landing, wide, self.grid.levels, self.grid.step,
            moves.targets, self.structure.retention, self.structure.noise, moves.jump, moves.redraw, moves.outlier,
            self.dispersion, offsets, exposure, rng, paths,
        )  # fmt: skip
        return paths


class Explanations(NamedTuple):
    """Everything that was tried on the same counts with the same season."""

    runs: list[Run]
    segments: Segments
    evidence: FloatArray  # (structures, dispersions) log probability of the counts, minus infinity where not tried

    def log_weights(self) -> FloatArray:
        """Log of prior times likelihood of the runs, and after them of the segments."""
        return np.append([run.log_weight for run in self.runs], self.segments.log_weight)

    def without_states(self) -> Explanations:
        """The same, without the last states of the runs, which take most room and are found anew where needed."""
        bare = [run._replace(filtered=run.filtered._replace(state=NO_STATE)) for run in self.runs]
        return Explanations(bare, self.segments, self.evidence)

    def parts(self, places: IntArray) -> list[Run | Segment]:
        """Runs and segments at these places among the runs and then the segments."""
        number = len(self.runs)
        best = max(self.runs, key=lambda run: run.log_weight)
        landing = np.cumsum(best.filtered.landing) / best.filtered.landing.sum()
        return [
            self.runs[place] if place < number else self.segments.one(place - number, best.grid.levels, landing)
            for place in places.tolist()
        ]


def explain_counts(
    counts: FloatArray,
    log_scale: FloatArray,
    exposure: FloatArray,
    log_prior: float = 0.0,
    *,
    predict: bool = False,
    shares: Shares | None = None,
) -> Explanations:
    """Filter counts under every structure, and weight all last segments.

    Parameters
    ----------
    counts : (n,) float array
        NaN where not observed.
    log_scale : (n,) float array
        Log of what the rate is multiplied by: exposure and season.
    exposure : (n,) float array
        Share of each period that was covered.
    log_prior : float
        Log weight of all of it together.
    predict : bool
        Whether the runs keep the levels as they were predicted.
    shares : Shares, optional
        Prior weights learnt from a panel; the model's own when left out.
    """
    seen = ~np.isnan(counts)
    rates = counts[seen] / np.exp(log_scale[seen])
    dispersions = (*(FINE_DISPERSIONS if rates.mean() >= MANY else ()), *DISPERSIONS)
    tilt = no_tilt(dispersions) if shares is None else shares.tilt(dispersions)
    log_share = log_prior - math.log(len(dispersions)) + math.log(1 - SHARE)
    fine, coarse = make_grids(rates)
    runs: list[Run] = []
    best, start = -math.inf, dispersions.index(FIRST)
    evidence = np.full((len(OWN), len(ALL_DISPERSIONS)), -math.inf)
    columns, row = [ALL_DISPERSIONS.index(one) for one in dispersions], 0
    for grid, structures in ((fine, trend_structures(fine)), (coarse, target_structures(coarse, rates))):
        likelihoods: dict[int, tuple[FloatArray, FloatArray]] = {}
        for structure in structures:
            found: dict[int, float] = {}
            own = log_share + structure.log_prior + tilt.structures[row]
            for place in outwards(start, len(dispersions), found, best - own - HOPELESS):
                prior = own + tilt.dispersions[place]
                if place not in likelihoods:
                    likelihoods[place] = likelihood(grid, counts, log_scale, exposure / dispersions[place])
                kept = NOTHING._replace(predicted=np.empty((len(counts) if predict else 0, len(grid.levels))))
                filtered = filter_counts(
                    *likelihoods[place], seen, np.exp(grid.levels), grid.wide, structure.first, structure.moves,
                    LEARNT, kept,
                )  # fmt: skip
                runs.append(Run(structure, grid, dispersions[place], filtered, prior, kept.predicted))
                found[place] = float(filtered.log_density.sum())
                best = max(best, prior + found[place])
                evidence[row, columns[place]] = found[place] + log_prior
            row += 1
            start = max(found, key=lambda place: found[place])
    before = np.logaddexp.reduce([run.log_prior + np.cumsum(run.filtered.log_density) for run in runs])
    before = np.append(0.0, before[:-1] - tilt.log_runs - log_prior)
    segments = find_segments(counts, log_scale, exposure, dispersions, rates, before, log_prior)
    by_kind = segments.log_weight.reshape(-1, len(OWN) - row, len(dispersions))
    own_kinds = np.log(OWN[row:, None] / len(dispersions))
    evidence[row:, columns] = np.logaddexp.reduce(by_kind) - own_kinds
    tilted = by_kind + tilt.segments[:, None] + tilt.dispersions
    return Explanations(runs, segments._replace(log_weight=tilted.ravel()), evidence)


def filtered_anew(run: Run, counts: FloatArray, log_scale: FloatArray, exposure: FloatArray) -> Kept:
    """Filter the counts of a run once more, and keep its states."""
    structure, grid = run.structure, run.grid
    like, blind = likelihood(grid, counts, log_scale, exposure / run.dispersion)
    kept = keep(len(counts), *structure.first.shape)
    seen = ~np.isnan(counts)
    filter_counts(like, blind, seen, np.exp(grid.levels), grid.wide, structure.first, structure.moves, LEARNT, kept)
    return kept


def likelihood(
    grid: Grid, counts: FloatArray, log_scale: FloatArray, size: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Probabilities of the counts at each level (n, nx), and of a level of which nothing is known (n,)."""
    table = np.empty((len(counts), len(grid.levels)))
    count_table(counts, log_scale, grid.levels, size, table)
    return table, table @ grid.wide


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
