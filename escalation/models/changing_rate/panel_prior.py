"""Shares of the structures and dispersions of a changing rate: the model's own, and those learnt from a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.models.changing_rate.segments import KINDS, SHARE
from escalation.models.changing_rate.structures import (
    DISPERSIONS,
    FINE_DISPERSIONS,
    RETENTION,
    SLOPE_HAZARDS,
    SLOPE_NOISE,
    TARGET_HAZARDS,
    TARGET_NOISE,
    TREND_SHARE,
)

ALL_DISPERSIONS = (*FINE_DISPERSIONS, *DISPERSIONS)
TRENDS = [noise * hazard for _, noise in SLOPE_NOISE for _, hazard in SLOPE_HAZARDS]
RETURNS = len(RETENTION) * len(TARGET_NOISE) * len(TARGET_HAZARDS)
OWN = np.concatenate(
    [
        (1 - SHARE) * TREND_SHARE * np.array(TRENDS),
        np.full(RETURNS, (1 - SHARE) * (1 - TREND_SHARE) / RETURNS),
        SHARE * np.array([share for _, _, share in KINDS]),
    ]
)
"""The model's own shares: of the trends, of the returns, and of the kinds of segments."""
RUNS = len(TRENDS) + RETURNS
"""Number of structures that are filtered; the kinds of segments come after them."""
OWN_UNITS = 8.0
"""So many units with the model's own shares count beside those of the panel."""
MOST_STEPS, ENOUGH = 500, 1e-8
"""Steps of the EM algorithm, and the largest change of a share with which it ends."""


class Shares(NamedTuple):
    """Prior of the structures (RUNS and then the kinds of segments) and, independent of it, of all dispersions."""

    structures: FloatArray
    dispersions: FloatArray

    def table(self) -> pd.DataFrame:
        """Share of each kind of structure among the units, and the model's own: trends, returns, last segments."""
        ends = np.array([0, len(TRENDS), RUNS])
        learnt, own = (np.add.reduceat(one, ends) for one in (self.structures, OWN))
        return pd.DataFrame({"share": learnt, "own": own}, index=["trends", "returns", "last segments"])

    def tilt(self, dispersions: tuple[float, ...]) -> Tilt:
        """By how much the logs of the prior weights differ from the model's own, where these dispersions are tried."""
        tried = self.dispersions[[ALL_DISPERSIONS.index(one) for one in dispersions]]
        ratio = np.log(self.structures / OWN)
        runs = float(np.log(self.structures[:RUNS].sum()))
        return Tilt(ratio[:RUNS], ratio[RUNS:], np.log(tried / tried.sum() * len(tried)), runs)


class Tilt(NamedTuple):
    """Logs of prior weights by the model's own, and the log weight of all structures that are filtered."""

    structures: FloatArray  # (RUNS,)
    segments: FloatArray  # (kinds,)
    dispersions: FloatArray  # (k,)
    log_runs: float


def no_tilt(dispersions: tuple[float, ...]) -> Tilt:
    """The model's own prior weights."""
    return Tilt(np.zeros(RUNS), np.zeros(len(KINDS)), np.zeros(len(dispersions)), float(np.log(1 - SHARE)))


def learn_shares(tables: Sequence[FloatArray]) -> Shares:
    """Find the shares that explain the units of a panel best, by the EM algorithm.

    Parameters
    ----------
    tables : sequence of (structures, dispersions) float arrays
        Of each unit the log probability of its counts under each structure with each dispersion; minus infinity where
        it was not tried.
    """
    likelihood = np.stack([np.exp(table - table.max()) for table in tables])
    tried = np.isfinite(np.stack(tables)).any(axis=1)  # (units, dispersions)
    structures, dispersions = OWN, np.full(len(ALL_DISPERSIONS), 1 / len(ALL_DISPERSIONS))
    own = Shares(structures, dispersions)
    for _ in range(MOST_STEPS):
        weights = likelihood * structures[:, None] * dispersions
        weights /= weights.sum(axis=(1, 2), keepdims=True)
        inside = (tried * dispersions).sum(axis=1, keepdims=True)
        unseen = (~tried * dispersions / inside).sum(axis=0)  # what would have come of those that could not be tried
        new = Shares(
            shares_of(weights.sum(axis=(0, 2)), own.structures),
            shares_of(weights.sum(axis=(0, 1)) + unseen, own.dispersions),
        )
        moved = max(np.abs(new.structures - structures).max(), np.abs(new.dispersions - dispersions).max())
        structures, dispersions = new
        if moved < ENOUGH:
            break
    return Shares(structures, dispersions)


def shares_of(units: FloatArray, own: FloatArray) -> FloatArray:
    """Shares of numbers of units, with the model's own beside them."""
    weights = units + OWN_UNITS * own
    value: FloatArray = weights / weights.sum()
    return value
