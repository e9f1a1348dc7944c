"""Ensemble: the linear pool of several models, with given weights or weights learnt on past origins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator, default_rng

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import draw_systematically
from escalation.counts.periods import MAX_PERIODS
from escalation.errors import FitError, InputError
from escalation.models.baselines.climatology import Climatology
from escalation.models.baselines.weights import crps_weights, log_weights, mean_distances
from escalation.models.contract.base import CountModel
from escalation.models.contract.calls import call_outside, draw_counts
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import MAX_STEPS, Estimate
from escalation.models.diagnostics.distributions import Distributions, PooledDistributions
from escalation.models.levels.local_level import LocalLevel
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.scores import log_score_draws

LEARNING_DRAWS = 400
"""Paths of a forecast that weights are learnt from."""
FEWEST = 4
"""Past origins that weights are learnt from at the least; with fewer they are equal."""


@dataclass(frozen=True)
class Ensemble(CountModel):
    """Linear pool: each path is one of a member's, as often as its weight says.

    The distribution of the pool is the weighted mean of its members' distributions (Stone 1961,
    doi:10.1214/aoms/1177704873).  Equal weights are hard to beat (Genre et al. 2013,
    doi:10.1016/j.ijforecast.2012.06.004).  Learnt weights are those with the best mean log score (Hall & Mitchell 2007,
    doi:10.1016/j.ijforecast.2006.08.001) or CRPS over forecasts of the members from past origins, each fitted to what
    came before its origin only, and drawn a little towards equal ones (see
    :mod:`escalation.models.baselines.weights`).  Nothing after the last count enters, and no score of the pool that
    learnt from a period is a score of a forecast of it.

    Regressors go to the members that take them; the others forecast without.

    Its parameters are the weights; their standard errors are those of the jackknife over the past origins (0 for
    equal or given weights).  ``fitted`` is the weighted mean of the members'.  It has no likelihood.

    Parameters
    ----------
    models : tuple of CountModel
        The members, two or more.
    weights : {"equal", "log", "crps"} or tuple of float
        Equal, learnt by log score or CRPS, or one a member, > 0, in proportion.
    origins : int
        Past origins to learn from, spread evenly over the second half of the series; with fewer than four possible
        the weights are equal.
    horizon : int
        Periods ahead that the weights are learnt for, all of them together.

    Raises
    ------
    InputError
        If an option is none of these.
    FitError
        On ``fit``, if a member cannot be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.Series([0, 2, 1, 0, 3, 1] * 6, index=pd.period_range("2022-01", periods=36, freq="M"))
    >>> fit = Ensemble(models=(Climatology(12), Climatology(None)), weights="crps").fit(counts)
    >>> fit.params.index.tolist(), round(float(fit.params.sum()), 6)
    (['weight_climatology', 'weight_climatology_2'], 1.0)
    """

    models: tuple[CountModel, ...] = (Climatology(), NegativeBinomial(), LocalLevel())
    weights: Literal["equal", "log", "crps"] | tuple[float, ...] = "equal"
    origins: int = 12
    horizon: int = 4
    name: ClassVar[str] = "ensemble"
    takes_exog: ClassVar[bool] = True
    min_periods: ClassVar[int] = 5

    def __post_init__(self) -> None:
        members = isinstance(self.models, tuple) and all(isinstance(one, CountModel) for one in self.models)
        if not members or len(self.models) < 2:
            raise InputError(f"models is {self.models!r}; give a tuple of two or more models")
        if isinstance(self.weights, tuple):
            numbers = all(isinstance(one, int | float) and math.isfinite(one) and one > 0 for one in self.weights)
            if not numbers or len(self.weights) != len(self.models):
                raise InputError(f"weights is {self.weights!r}; give one number > 0 for each of the models")
        elif self.weights not in ("equal", "log", "crps"):
            raise InputError(f"weights is {self.weights!r}; use 'equal', 'log' or 'crps', or give numbers")
        check_whole(self.origins, "origins", MAX_PERIODS)
        check_whole(self.horizon, "horizon", MAX_STEPS)

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Fit the members, and learn their weights; see :meth:`CountModel.estimate`.

        Raises
        ------
        FitError
            If a member cannot be fitted.
        InputError
            If there are regressors and no member takes them.
        """
        if design.exog_names and not any(model.takes_exog for model in self.models):
            raise InputError("no member of the ensemble takes regressors; leave exog out, or add one that does")
        m = len(self.models)
        parts = [call_outside(model, "estimate", counts, design) for model in self.models]
        weights, spread = np.full(m, 1 / m), np.zeros((m, m))
        if isinstance(self.weights, tuple):
            weights = np.array(self.weights, dtype=np.float64) / sum(self.weights)
        elif self.weights != "equal":
            weights, spread = self._learn(counts, design)
        fitted: FloatArray = weights @ np.array([part.fitted for part in parts])
        return Estimate(
            params=weights,
            cov=spread,
            names=tuple(f"weight_{label}" for label in self._labels()),
            llf=float("nan"),
            fitted=fitted,
            converged=all(part.converged for part in parts),
            state={"parts": parts},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Carry the members on, with the same weights; see :meth:`Model.carry`."""
        before = zip(self.models, estimate.state["parts"], strict=True)
        parts = [call_outside(model, "carry", part, counts, design) for model, part in before]
        return estimate.carried(estimate.params @ np.array([part.fitted for part in parts]), {"parts": parts})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Share the paths out over the members; see :meth:`CountModel.simulate`."""
        member = draw_systematically(estimate.params, draws, rng)
        paths = [
            draw_counts(model, part, design, int((member == place).sum()), generator)
            for place, (model, part, generator) in enumerate(
                zip(self.models, estimate.state["parts"], rng.spawn(len(self.models)), strict=True)
            )
            if (member == place).any()
        ]
        return rng.permutation(np.concatenate(paths))

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:
        """The pool of the members' distributions; see :meth:`CountModel.distributions`."""
        parts = zip(self.models, estimate.state["parts"], strict=True)
        own = [model.distributions(part, counts, design) for model, part in parts]
        return PooledDistributions(own, estimate.params)

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return {f"weight_{label}": (0.0, 1.0) for label in self._labels()}

    def _labels(self) -> list[str]:
        """Names of the members, numbered where one comes twice."""
        names = [model.name for model in self.models]
        return [
            name if names.index(name) == place else f"{name}_{names[: place + 1].count(name)}"
            for place, name in enumerate(names)
        ]

    def _learn(self, counts: FloatArray, design: Design) -> tuple[FloatArray, FloatArray]:
        """Weights (m,) and their jackknife covariance (m, m), from forecasts of past origins."""
        m, n = len(self.models), len(counts)
        places = np.unique(np.linspace(n // 2, n - 1 - self.horizon, self.origins).round().astype(int))
        forecasts = []
        for place in places[places >= max(model.min_periods for model in self.models)]:
            truth = counts[place : place + self.horizon]
            paths = self._past_paths(counts, design, int(place))
            if paths is not None and not np.isnan(truth).all():
                seen = ~np.isnan(truth)
                forecasts.append((paths[:, :, seen], truth[seen]))
        if len(forecasts) < FEWEST:
            return np.full(m, 1 / m), np.zeros((m, m))
        best = self._best(forecasts)
        without = np.array([self._best(forecasts[:k] + forecasts[k + 1 :]) for k in range(len(forecasts))])
        away = without - without.mean(axis=0)
        return best, (len(forecasts) - 1) / len(forecasts) * away.T @ away

    def _past_paths(self, counts: FloatArray, design: Design, place: int) -> FloatArray | None:
        """Paths (m, draws, horizon) of each member fitted to the first ``place`` periods, None if one cannot be."""
        known, ahead = design.part(slice(0, place)), design.part(slice(place, place + self.horizon))
        paths = []
        for model in self.models:
            try:
                part = call_outside(model, "estimate", counts[:place], known)
                # the same numbers whenever weights are learnt, for they belong to the estimate
                paths.append(draw_counts(model, part, ahead, LEARNING_DRAWS, default_rng(place)))
            except (FitError, InputError):
                return None
        return np.array(paths, dtype=np.float64)

    def _best(self, forecasts: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
        """Weights (m,) with the best mean score over forecasts: paths (m, draws, steps) and what came (steps,)."""
        if self.weights == "log":
            logs = [-log_score_draws(paths.transpose(2, 0, 1), truth[:, None]) for paths, truth in forecasts]
            return log_weights(np.concatenate(logs))
        distance = [np.abs(paths - truth).mean(axis=1).T for paths, truth in forecasts]
        between = [mean_distances(paths) for paths, _ in forecasts]
        return crps_weights(np.concatenate(distance), np.concatenate(between))
