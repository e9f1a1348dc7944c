"""Bootstrap: paths pieced together from past stretches, or from past changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.periods import MAX_PERIODS
from escalation.errors import InputError
from escalation.models.baselines.climatology import FEWEST_DRAWS, past_distributions, places_before
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions, DrawnDistributions

LARGEST_RATE = 1e15
"""Rates are cut here, so that 5,000 summed periods still fit into 64 bits."""


@dataclass(frozen=True)
class Bootstrap(CountModel):
    """Paths pieced together from blocks of the last ``window`` observed periods.

    Each path is a row of blocks of ``block`` successive observed periods, whose starts are drawn at random with
    replacement; the last block is cut off at the horizon, and a block that reaches the end of the window goes on at its
    start (the circular block bootstrap; Politis & Romano 1992, in LePage & Billard, *Exploring the Limits of
    Bootstrap*).  So the order within a block, runs of busy and quiet periods, is kept, and every period of the window
    is equally likely at each step, save that a block's first one is drawn in proportion to how far it was covered.
    Unobserved periods are left out, and a block steps over them; periods covered in part stand for full ones at their
    rate.

    With ``of="counts"`` the blocks are counts.  ``Bootstrap(window=240, block=1)`` on months draws as ``boot_240`` of
    the VIEWS Prediction Challenge does (Hegre et al. 2025, doi:10.1177/00223433241300862), but from the one series:
    VIEWS draws from the months of all countries.  With a ``block`` of 1 it is :class:`~escalation.Climatology` of the
    same window.

    With ``of="changes"`` the blocks are changes of ``log(1 + rate)`` from one observed period to the next, added up
    from the last observed rate on and rounded; their mean, the drift, is taken out.  The level then wanders as it did,
    and far horizons are less sure than near ones; a path that would fall below 0 stays at 0 until a change lifts it.
    Where counts scatter around a steady level changes undo one another; short blocks lose that, and paths spread too
    far.

    There is no likelihood and there are no parameters.  ``fitted`` is the mean of the window (of counts), or the rate
    observed before (of changes).

    Parameters
    ----------
    of : {"counts", "changes"}
        What the blocks are made of.
    block : int
        Periods in a block; cut to the number of observed ones.
    window : int or None
        How many of the last observed periods (or changes) to draw from; None for all of them.

    Raises
    ------
    InputError
        If an option is none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.Series([0, 2, 1, 0, 3, 5], index=pd.period_range("2024-01", periods=6, freq="M"))
    >>> paths = Bootstrap(block=2, window=4).fit(counts).forecast(2, draws=200, rng=1).series_paths
    >>> sorted({tuple(path) for path in paths.tolist()})  # 5 is followed by the first of the window
    [(0, 3), (1, 0), (3, 5), (5, 1)]
    """

    of: Literal["counts", "changes"] = "counts"
    block: int = 6
    window: int | None = 240
    name: ClassVar[str] = "bootstrap"
    follows_exposure: ClassVar[bool] = False
    min_periods: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.of not in ("counts", "changes"):
            raise InputError(f"of is {self.of!r}; bootstrap takes 'counts' or 'changes'")
        check_whole(self.block, "block", MAX_PERIODS)
        if self.window is not None:
            check_whole(self.window, "window", MAX_PERIODS)

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Keep the last observed rates or changes; see :meth:`CountModel.estimate`."""
        seen = np.flatnonzero(~np.isnan(counts))
        exposure = design.exposure[seen]
        rates: FloatArray = np.minimum(counts[seen] / exposure, LARGEST_RATE)
        last = slice(None) if self.window is None else slice(-self.window, None)
        if self.of == "counts":
            pool = np.rint(rates[last])
            share = exposure[last] / exposure[last].sum()
            level = np.full(len(counts), pool @ share)
        else:
            pool = np.diff(np.log1p(rates))[last]
            pool, share = pool - pool.mean(), np.full(len(pool), 1 / len(pool))
            level = rates[np.maximum(np.searchsorted(seen, np.arange(len(counts))) - 1, 0)]
        state = {"pool": pool, "share": share, "last": rates[-1]}
        empty = np.empty(0)
        return Estimate(empty, np.empty((0, 0)), (), float("nan"), level * design.exposure, True, state)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Piece blocks together; see :meth:`CountModel.simulate`."""
        pool: FloatArray = estimate.state["pool"]
        steps, block = len(design.periods), min(self.block, len(pool))
        starts = rng.choice(len(pool), size=(draws, -(-steps // block)), p=estimate.state["share"])
        places = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :steps] % len(pool)
        if self.of == "counts":
            counts: IntArray = pool[places].astype(np.int64)
            return counts
        free = np.log1p(estimate.state["last"]) + np.cumsum(pool[places], axis=1)
        held = free - np.minimum(np.minimum.accumulate(free, axis=1), 0.0)  # max(0, before + change), step by step
        return to_rates(held).astype(np.int64)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """What was seen before each period as its draws, NaN before the tenth; see :meth:`CountModel.distributions`."""
        if self.of == "counts":
            return past_distributions(counts, design.exposure, self.window)
        return _change_distributions(counts, design.exposure, self.window)


def _change_distributions(counts: FloatArray, exposure: FloatArray, window: int | None) -> DrawnDistributions:
    """Distributions of n counts whose draws are the last rate plus each of the changes before it."""
    seen = np.flatnonzero(~np.isnan(counts))
    levels = np.log1p(counts[seen] / exposure[seen])
    changes = np.diff(levels)
    places = places_before(seen[1:], len(counts), window)
    known = places >= 0
    number = known.sum(axis=1, keepdims=True)
    drawn = np.where(known, changes[np.maximum(places, 0)], 0.0)
    drift = drawn.sum(axis=1, keepdims=True) / np.maximum(number, 1)
    last = levels[np.maximum(np.searchsorted(seen, np.arange(len(counts))) - 1, 0)]
    draws = np.round(to_rates(last[:, None] + drawn - drift) * exposure[:, None])
    draws[number[:, 0] < min(FEWEST_DRAWS, places.shape[1])] = np.nan
    return DrawnDistributions(draws, known / np.maximum(number, 1))


def to_rates(levels: FloatArray) -> FloatArray:
    """Rates, rounded to whole numbers, from ``log(1 + rate)``."""
    rates: FloatArray = np.rint(np.expm1(np.clip(levels, 0.0, np.log1p(LARGEST_RATE))))
    return rates
