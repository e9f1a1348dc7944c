"""Analogues: a panel's counts continued as the most similar stretches of all units' past continued."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.random import Generator, default_rng

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import draw_root, generator_for
from escalation.counts.periods import MAX_PERIODS
from escalation.errors import FitError, InputError
from escalation.models.baselines.stretches import (
    FADED,
    MOST_STRETCHES,
    RECENT,
    decayed_mean,
    draw_places,
    ending_features,
    faded_past,
    in_order_of,
    own_draws,
    past_stretches,
    scaled_futures,
    similarities,
    trailing_mean,
    usual_caps,
)
from escalation.models.contract.base import PanelModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import (
    Distributions,
    DrawnDistributions,
    MixtureDistributions,
    PooledDistributions,
)

Futures: TypeAlias = Callable[[int, int, Generator], IntArray]
"""Draws (draws, steps) of one unit's future, from its place, how many and a generator."""

NEXT_DRAWS = 200
NEXT_STRETCHES = 5_000


@dataclass(frozen=True)
class Analogues(PanelModel):
    r"""Futures of the stretches, of any unit and time, that ended most like the present, pooled with the own past.

    A stretch is described by what it ended in: its level (mean of ln(1 + count), weighted down by half every
    ``half_life``), its variability (standard deviation of ln(1 + count) over ``window`` periods) and its quiet
    (ln(1 + periods since the last count above 0)).  With :math:`d^2` the squared distance of two endings, each
    difference multiplied by its weight, plus ``other_unit`` between different units, a past stretch of age a is
    drawn with probability proportional to

    .. math:: \exp(-d^2 / d_k^2) \; 2^{-a / \text{memory}}

    where :math:`d_k` is the distance of the k-th nearest, and what followed it, multiplied by
    :math:`(m_{now} + c) / (m_{then} + c)` with m the mean of the last three counts and c the ``offset``, is one
    possible future.  That is Lorenz's method of analogues (1969, doi:10.1175/1520-0469(1969)26<636:APARBN>2.0.CO;2)
    as a kernel estimate of the distribution of the future given the present (Yakowitz 1987,
    doi:10.1111/j.1467-9892.1987.tb00435.x), whose bandwidth is that of Breiman, Meisel & Purcell 1977
    (doi:10.1080/00401706.1977.10489521).

    A share of the paths, ``own``, is drawn from the unit's own recent counts instead, weighted down by half every
    half-life (the mean of a short and a long memory), cut at a cap and blurred by NB2 noise of dispersion ``smoothing``
    (0: none); their steps are ordered by the ranks of analogues' paths (the Schaake shuffle), so that they run on like
    them.

    The cap is ``cap`` times the sum of 10 and the mean of the last ``window`` counts without their largest, so that one
    month that stands alone is neither drawn over and over nor taken for the level.  The counts in :math:`m_{now}` and
    :math:`m_{then}` are cut at the caps of their own time.

    Where no past stretch is followed by as many counts as there are steps all paths are from the own past, so give
    panels several times as long as the horizon.  Nothing after the last count enters.  Units are drawn independently
    of each other, given the past.  Rates, rounded, stand for counts of periods that were covered in part.
    There are no parameters and no likelihood; ``fitted`` is the mean of the own past before each period, the first
    count before any.

    The defaults were chosen by forecasts of fatalities per country and month for 2000 to 2017
    (``benchmarks/README.md``).

    Parameters
    ----------
    k : int
        The nearest stretch whose distance is the bandwidth: the more, the smoother.
    half_life : float
        Of the level, in periods.
    window : int
        Of the variability, in periods.
    weights : tuple of three floats
        How much a difference in level, variability and quiet counts, >= 0.
    other_unit : float
        Squared distance between different units, >= 0.
    memory : float
        Age in periods at which a stretch counts half.
    offset : float
        Count up to which futures are taken nearly as they were, > 0; far above it they are scaled in proportion.
    own : float
        Share of paths from the own past, 0 to 1.
    own_half_lives : tuple of floats
        Of the own past, in periods; with several its shares are the mean.
    smoothing : float
        Dispersion of the noise on the own past's draws, >= 0.
    cap : float
        What a single month counts for at most, in usual counts and 10, > 0; infinite for no cap.

    Raises
    ------
    InputError
        If an option is out of range.
    FitError
        On ``fit``, if a unit has no count.

    Examples
    --------
    >>> import pandas as pd
    >>> periods = pd.period_range("2020-01", periods=48, freq="M")
    >>> counts = pd.DataFrame({"a": [0, 0, 4, 9, 2, 0] * 8, "b": [0] * 48}, index=periods)
    >>> forecast = Analogues().fit(counts).forecast(6, rng=1)
    >>> forecast.paths.shape, int(forecast["b"].paths.max()) <= 9
    ((2, 1000, 6), True)
    """

    k: int = 40
    half_life: float = 4.0
    window: int = 12
    weights: tuple[float, float, float] = (0.7, 1.0, 0.5)
    other_unit: float = 0.2
    memory: float = 60.0
    offset: float = 30.0
    own: float = 0.5
    own_half_lives: tuple[float, ...] = (2.0, 8.0)
    smoothing: float = 0.1
    cap: float = 3.0
    name: ClassVar[str] = "analogues"
    min_periods: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_whole(self.k, "k", 1_000_000)
        check_whole(self.window, "window", MAX_PERIODS)
        lives = self.own_half_lives or (math.nan,)
        for option, value in (
            ("half_life", self.half_life),
            ("memory", self.memory),
            ("offset", self.offset),
            *(("own_half_lives", life) for life in lives),
        ):
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{option} is {value!r}; give a number > 0")
        for option, value in (("other_unit", self.other_unit), ("smoothing", self.smoothing)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{option} is {value!r}; give a number >= 0")
        if not self.cap > 0:
            raise InputError(f"cap is {self.cap!r}; give a number > 0, or infinity for no cap")
        if len(self.weights) != 3 or not all(math.isfinite(weight) and weight >= 0 for weight in self.weights):
            raise InputError(f"weights is {self.weights!r}; give one >= 0 for each of level, variability and quiet")
        if not 0 <= self.own <= 1:
            raise InputError(f"own is {self.own!r}; give a share from 0 to 1")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Keep the rates, units in the order of their names; see :meth:`PanelModel.estimate`.

        Raises
        ------
        FitError
            If a unit has no count.
        """
        empty = np.isnan(counts).all(axis=0)
        if empty.any():
            raise FitError(
                f"unit {design.units[int(empty.argmax())]!r} has no count to find analogues of; leave it out"
            )
        order = np.argsort(np.array(design.units), kind="stable")
        rates = np.round(counts / design.exposure)
        first = np.take_along_axis(rates, np.argmax(~np.isnan(rates), axis=0)[None], axis=0)
        past = np.mean([decayed_mean(rates, life) for life in self.own_half_lives], axis=0)
        before = np.concatenate([first, past[:-1]])
        return Estimate(
            params=np.empty(0),
            cov=np.empty((0, 0)),
            names=(),
            llf=float("nan"),
            fitted=np.where(np.isnan(before), first, before) * design.exposure,
            converged=True,
            state={"rates": rates[:, order], "order": order},
        )

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw analogues' futures and own pasts; see :meth:`PanelModel.simulate`."""
        table, order = estimate.state["rates"], estimate.state["order"]
        steps, root = len(design.periods), draw_root(rng)
        futures = self._futures(table, len(table) - 1, steps)
        caps = usual_caps(table, self.window, self.cap)[-1]
        own = math.floor(self.own * draws + generator_for(root, "").random())
        paths = np.empty((len(order), draws, steps), dtype=np.int64)
        for place, unit in enumerate(order):
            generator = generator_for(root, design.units[unit])
            if futures is None:
                paths[unit] = self._own_draws(table[:, place], caps[place], draws, steps, generator)
                continue
            every = futures(place, draws, generator)
            changed = ((np.arange(own) + generator.random()) * draws / max(own, 1)).astype(np.int64)
            drawn = self._own_draws(table[:, place], caps[place], own, steps, generator)
            every[changed] = in_order_of(drawn, every[changed], generator)
            paths[unit] = generator.permutation(every)
        return paths

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> tuple[Distributions, ...]:  # noqa: ARG002
        """Those of the next count, NaN while there is nothing to compare with; see :meth:`PanelModel.distributions`."""
        rates = np.round(counts / design.exposure)
        drawn = np.full((rates.shape[1], len(rates), NEXT_DRAWS), np.nan)
        for t in range(1, len(rates)):
            futures = self._futures(rates, t - 1, 1, NEXT_STRETCHES)
            if futures is not None:
                for unit in np.flatnonzero(~np.isnan(rates[:t]).all(axis=0)):
                    ahead = futures(int(unit), NEXT_DRAWS, default_rng(t))[:, 0]
                    drawn[unit, t] = np.round(ahead * design.exposure[t, unit])
        weights = np.array([1 - self.own, self.own])
        return tuple(
            PooledDistributions([DrawnDistributions(alike), self._own_mixture(own, shares)], weights)
            for alike, own, shares in zip(drawn, rates.T, design.exposure.T, strict=True)
        )

    def _futures(self, counts: FloatArray, last: int, steps: int, most: int = MOST_STRETCHES) -> Futures | None:
        """What draws futures of one unit after ``last`` from what is known then, None if no stretch can be compared."""
        known = counts[: last + 1]
        features = ending_features(known, self.half_life, self.window, self.weights)
        past = past_stretches(known, features, last, steps, min(self.window, len(known) // 3), most)
        if not len(past.unit):
            return None
        recent = trailing_mean(np.minimum(known, usual_caps(known, self.window, self.cap)), RECENT)

        def draw(unit: int, draws: int, rng: Generator) -> IntArray:
            weights = similarities(
                past, features[-1, unit], unit, k=self.k, other_unit=self.other_unit, memory=self.memory
            )
            places = draw_places(weights, draws, rng)
            scaled = scaled_futures(known, recent, past, places, recent[-1, unit], steps, self.offset)
            return np.floor(scaled + rng.random((draws, 1))).astype(np.int64)

        return draw

    def _own_draws(self, rates: FloatArray, cap: float, draws: int, steps: int, rng: Generator) -> IntArray:
        return own_draws(np.minimum(rates, cap), self.own_half_lives, self.smoothing, (draws, steps), rng)

    def _own_mixture(self, rates: FloatArray, exposure: FloatArray) -> MixtureDistributions:
        """Distributions of one unit's counts (n,) given its own rates before them, NaN before the first."""
        n, most = len(rates), math.ceil(FADED * max(self.own_half_lives))
        means, weights = np.zeros((n, most)), np.zeros((n, most))
        caps = usual_caps(rates[:, None], self.window, self.cap)[:, 0]
        for t in range(n):
            if np.isnan(rates[:t]).all():
                means[t] = np.nan
                continue
            values, share = faded_past(np.minimum(rates[:t], caps[t - 1]), self.own_half_lives)
            means[t, : len(values)], weights[t, : len(values)] = values, share
        return MixtureDistributions(weights, means * exposure[:, None], np.full((n, most), self.smoothing))
