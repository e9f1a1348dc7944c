"""Analogues: a panel's counts continued as the most similar stretches of all units' past continued."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.random import Generator, default_rng

from escalation.arguments import check_whole
from escalation.errors import FitError, InputError
from escalation.models.base import IntArray
from escalation.models.design import Design, FloatArray
from escalation.models.estimate import MAX_STEPS, Estimate
from escalation.models.laws import DrawnLaws, Laws, MixtureLaws, PooledLaws
from escalation.models.panel import PanelModel
from escalation.models.stretches import (
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
)
from escalation.models.weights import crps_weights, mean_distances
from escalation.periods import MAX_PERIODS
from escalation.randomness import draw_root, generator_for

Futures: TypeAlias = Callable[[int, int, Generator], IntArray]
"""Draws (draws, steps) of one unit's future, from its place, how many and a generator."""

UNLEARNT = 0.4
"""Share of the own past where there are too few past origins to learn it from."""
FEWEST = 4
"""Past origins that the share is learnt from at the least."""
LEARNING_DRAWS = 200
LAW_DRAWS = 200
LAW_STRETCHES = 10_000


@dataclass(frozen=True)
class Analogues(PanelModel):
    r"""Futures of the stretches, of any unit and time, that ended most like the present, pooled with the own past.

    A stretch is told by what it ended in: its level (mean of ln(1 + count), weighted down by half every
    ``half_life``), its variability (standard deviation of ln(1 + count) over ``window`` periods) and its quiet
    (ln(1 + periods since the last count above 0)).  With :math:`d^2` the squared distance of two endings, each
    difference multiplied by its weight, plus ``other_unit`` between different units, a past stretch of age a is
    drawn with probability proportional to

    .. math:: \exp(-d^2 / d_k^2) \; 2^{-a / \text{memory}}

    where :math:`d_k` is the distance of the k-th nearest, and what followed it, multiplied by
    :math:`(m_{now} + c) / (m_{then} + c)` with m the mean of the last three counts and c the ``offset``, is one
    possible future.  That is Lorenz's method of analogues (1969, doi:10.1175/1520-0469(1969)26<636:APARBN>2.0.CO;2)
    as a kernel estimate of the law of the future given the present (Yakowitz 1987,
    doi:10.1111/j.1467-9892.1987.tb00435.x), whose bandwidth is that of Breiman, Meisel & Purcell 1977
    (doi:10.1080/00401706.1977.10489521).

    A share of the paths is drawn from the unit's own recent counts instead, weighted down by half every
    ``own_half_life`` and blurred by NB2 noise of dispersion ``smoothing`` (0: none); their steps are ordered by the
    ranks of analogues' paths (the Schaake shuffle), so that they run on like them.  The share is learnt, within the
    counts of the fit, as that with the best mean CRPS of ln(1 + count) over forecasts from past origins (Gneiting &
    Raftery 2007, doi:10.1198/016214506000001437; see :mod:`escalation.models.weights`).

    Where no past stretch is followed by as many counts as there are steps all paths are from the own past, so give
    panels several times as long as the horizon.  Nothing after the last count enters.  Units are drawn independently
    of each other, given the past.  Rates, rounded, stand for counts of periods that were covered in part.
    ``own_share`` is the only parameter, its standard error that of the jackknife over past origins (0 where it is
    given); ``fitted`` is the mean of the own past before each period, the first count before any; there is no
    likelihood.

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
    own : float or "learnt"
        Share of paths from the own past, 0 to 1.
    own_half_life : float
        Of the own past, in periods.
    smoothing : float
        Dispersion of the noise on the own past's draws, >= 0.
    origins : int
        Past origins that the share is learnt from, spread evenly over the second half of the counts; with fewer than
        four possible it is 0.4.
    horizon : int
        Periods ahead that the share is learnt for, all of them together.

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
    own: float | Literal["learnt"] = "learnt"
    own_half_life: float = 3.0
    smoothing: float = 0.1
    origins: int = 8
    horizon: int = 12
    name: ClassVar[str] = "analogues"
    min_periods: ClassVar[int] = 3

    def __post_init__(self) -> None:
        for option, most in (("k", 1_000_000), ("window", MAX_PERIODS), ("origins", MAX_PERIODS)):
            check_whole(getattr(self, option), option, most)
        check_whole(self.horizon, "horizon", MAX_STEPS)
        for option in ("half_life", "memory", "offset", "own_half_life"):
            value = getattr(self, option)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{option} is {value!r}; give a number > 0")
        for option, value in (("other_unit", self.other_unit), ("smoothing", self.smoothing)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{option} is {value!r}; give a number >= 0")
        if len(self.weights) != 3 or not all(math.isfinite(weight) and weight >= 0 for weight in self.weights):
            raise InputError(f"weights is {self.weights!r}; give one >= 0 for each of level, variability and quiet")
        if not (self.own == "learnt" if isinstance(self.own, str) else 0 <= self.own <= 1):
            raise InputError(f"own is {self.own!r}; give 'learnt' or a share from 0 to 1")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Learn the own past's share; see :meth:`PanelModel.estimate`.

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
        table = rates[:, order]
        share, error = self._learn(table) if isinstance(self.own, str) else (float(self.own), 0.0)
        first = np.take_along_axis(rates, np.argmax(~np.isnan(rates), axis=0)[None], axis=0)
        before = np.concatenate([first, decayed_mean(rates, self.own_half_life)[:-1]])
        return Estimate(
            params=np.array([share]),
            cov=np.array([[error**2]]),
            names=("own_share",),
            llf=float("nan"),
            fitted=np.where(np.isnan(before), first, before) * design.exposure,
            converged=True,
            state={"rates": table, "order": order},
        )

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw analogues' futures and own pasts; see :meth:`PanelModel.simulate`."""
        table, order = estimate.state["rates"], estimate.state["order"]
        steps, root = len(design.periods), draw_root(rng)
        futures = self._futures(table, len(table) - 1, steps)
        own = math.floor(float(estimate.params[0]) * draws + generator_for(root, "").random())
        paths = np.empty((len(order), draws, steps), dtype=np.int64)
        for place, unit in enumerate(order):
            generator = generator_for(root, design.units[unit])
            if futures is None:
                paths[unit] = self._own_draws(table[:, place], draws, steps, generator)
                continue
            every = futures(place, draws, generator)
            changed = ((np.arange(own) + generator.random()) * draws / max(own, 1)).astype(np.int64)
            drawn = self._own_draws(table[:, place], own, steps, generator)
            every[changed] = in_order_of(drawn, every[changed], generator)
            paths[unit] = generator.permutation(every)
        return paths

    def laws(self, estimate: Estimate, counts: FloatArray, design: Design) -> tuple[Laws, ...]:
        """Those of the next count, NaN while there is nothing to compare with; see :meth:`PanelModel.laws`."""
        rates = np.round(counts / design.exposure)
        drawn = np.full((rates.shape[1], len(rates), LAW_DRAWS), np.nan)
        for t in range(1, len(rates)):
            futures = self._futures(rates, t - 1, 1, LAW_STRETCHES)
            if futures is not None:
                for unit in np.flatnonzero(~np.isnan(rates[:t]).all(axis=0)):
                    ahead = futures(int(unit), LAW_DRAWS, default_rng(t))[:, 0]
                    drawn[unit, t] = np.round(ahead * design.exposure[t, unit])
        share = float(estimate.params[0])
        return tuple(
            PooledLaws([DrawnLaws(alike), self._own_laws(own, shares)], np.array([1 - share, share]))
            for alike, own, shares in zip(drawn, rates.T, design.exposure.T, strict=True)
        )

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return {"own_share": (0.0, 1.0)}

    def _futures(self, counts: FloatArray, last: int, steps: int, most: int = MOST_STRETCHES) -> Futures | None:
        """What draws futures of one unit after ``last`` from what is known then, None if no stretch can be compared."""
        known = counts[: last + 1]
        features = ending_features(known, self.half_life, self.window, self.weights)
        past = past_stretches(known, features, last, steps, min(self.window, len(known) // 3), most)
        if not len(past.unit):
            return None
        recent = trailing_mean(known, RECENT)

        def draw(unit: int, draws: int, rng: Generator) -> IntArray:
            weights = similarities(
                past, features[-1, unit], unit, k=self.k, other_unit=self.other_unit, memory=self.memory
            )
            places = draw_places(weights, draws, rng)
            scaled = scaled_futures(known, recent, past, places, recent[-1, unit], steps, self.offset)
            return np.floor(scaled + rng.random((draws, 1))).astype(np.int64)

        return draw

    def _own_draws(self, rates: FloatArray, draws: int, steps: int, rng: Generator) -> IntArray:
        return own_draws(rates, self.own_half_life, self.smoothing, (draws, steps), rng)

    def _learn(self, counts: FloatArray) -> tuple[float, float]:
        """Share of the own past with the best CRPS of ln(1 + count) from past origins, and its standard error."""
        n = len(counts)
        scored = []
        for place in np.unique(np.linspace(n // 2, n - self.horizon, self.origins).round().astype(int)):
            truth = counts[place : place + self.horizon]
            futures = self._futures(counts[:place], place - 1, len(truth)) if 0 < place < n else None
            if futures is not None and not np.isnan(truth).all():
                scored.append(self._distances(counts[:place], truth, futures, default_rng(place)))
        if len(scored) < FEWEST:
            return UNLEARNT, 0.0
        best = _own_share(scored)
        without = np.array([_own_share(scored[:j] + scored[j + 1 :]) for j in range(len(scored))])
        return best, math.sqrt((len(scored) - 1) * float(without.var()))

    def _distances(
        self, counts: FloatArray, truth: FloatArray, futures: Futures, rng: Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Distances of both parts' draws from the truth (cells, 2) and between them (cells, 2, 2), of ln(1 + count)."""
        units = np.flatnonzero(~np.isnan(counts).all(axis=0))
        alike = [futures(int(unit), LEARNING_DRAWS, rng) for unit in units]
        own = [self._own_draws(counts[:, unit], LEARNING_DRAWS, len(truth), rng) for unit in units]
        logs = np.log1p(np.array([np.concatenate(alike, axis=1), np.concatenate(own, axis=1)]))
        seen = np.log1p(truth[:, units].T.ravel())
        logs, seen = logs[:, :, ~np.isnan(seen)], seen[~np.isnan(seen)]
        return np.abs(logs - seen).mean(axis=1).T, mean_distances(logs)

    def _own_laws(self, rates: FloatArray, exposure: FloatArray) -> MixtureLaws:
        """Laws of one unit's counts (n,) given its own rates before them, NaN before the first."""
        n, most = len(rates), int(np.ceil(FADED * self.own_half_life))
        means, weights = np.zeros((n, most)), np.zeros((n, most))
        for t in range(n):
            if np.isnan(rates[:t]).all():
                means[t] = np.nan
                continue
            values, share = faded_past(rates[:t], self.own_half_life)
            means[t, : len(values)], weights[t, : len(values)] = values, share
        return MixtureLaws(weights, means * exposure[:, None], np.full((n, most), self.smoothing))


def _own_share(scored: list[tuple[FloatArray, FloatArray]]) -> float:
    """Share of the second of two parts, from the distances of several forecasts."""
    return float(
        crps_weights(np.concatenate([one[0] for one in scored]), np.concatenate([one[1] for one in scored]))[1]
    )
