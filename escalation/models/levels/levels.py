"""What the models of a drifting log level share: options, estimation, draws, distributions, whatever drives it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.linalg import block_diag

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.models.changing_rate.season import Season, find_season, season_offset
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, check_family, check_largest
from escalation.models.contract.regressors import check_regressors
from escalation.models.contract.shrinkage import Evidence, NormalPrior, Shrinkable, evidence_beside, learn_normal
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions
from escalation.models.levels.level_likelihood import DISPERSION, FourArrays, Series, constants, observe, rates
from escalation.models.levels.posterior import STEP, Mode, choose, find_mode, scatter

LARGEST_COUNT = 1e7

SEARCH_TOLERANCE, DRAW_TOLERANCE, FINAL_TOLERANCE = 1e-5, 1e-2, 1e-6
"""Tolerances of Newton's method for the levels while searching, drawing and at the end, for its last step; the error
that a step leaves in the likelihood is of its third power."""

LEAST_POINTS, LEAST_EFFECTIVE, MOST_DOUBLINGS = 64, 20.0, 3
"""Points of the parameters that a forecast draws (or one for each sixteen paths); doubled until so many count."""

PANEL_POINTS = 512
"""Points that sum up the posterior of one unit of a panel."""
EFFECT_DRAWS = 50
"""Draws of the effects of regressors that paths are shared out to."""
NODES = 25
"""Number of nodes of the quadrature over a level."""


class Weighted(NamedTuple):
    """Points of a posterior."""

    theta: FloatArray  # (m, d) as they were searched for
    natural: FloatArray  # (m, 4) natural parameters
    moments: FloatArray  # (m, .) moments of the last states
    log_weight: FloatArray  # (m,)


class Likelihood(NamedTuple):
    """How a level drifts: the functions of its likelihood and what they are functions of."""

    names: tuple[str, str, str, str]
    held_without_damping: tuple[int, ...]  # which of these are not estimated then
    shared: tuple[int, ...]  # which of these mean the same for all series
    centre: FloatArray  # (4,): centres of their normal priors ...
    sd: FloatArray  # (4,): ... and standard deviations
    starts: FloatArray  # (m, 4): where the search for the mode may begin
    lowest: FloatArray  # (4,)
    highest: FloatArray  # (4,)
    unpack: Callable[[FloatArray, Series], tuple[FloatArray, ...]]
    log_posterior: Callable[
        [FloatArray, Series, FloatArray, float], tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
    ]
    smoothed: Callable[[Series, FloatArray, FloatArray, float], FourArrays]
    ahead: Callable[[FloatArray, FloatArray | None], tuple[float, float]]
    paths: Callable[[Weighted, IntArray, FloatArray, Series, Generator], IntArray]


@dataclass(frozen=True)
class DriftingLevel(CountModel, Shrinkable):
    """Options that all models of a drifting level have; see the models."""

    damping: Literal["estimate", "none"] | float = "estimate"
    family: Literal["negbin", "poisson"] = "negbin"
    min_periods: ClassVar[int] = 5
    takes_exog: ClassVar[bool] = True
    likelihood: ClassVar[Likelihood]

    def __post_init__(self) -> None:
        number = isinstance(self.damping, int | float) and not isinstance(self.damping, bool)
        if self.damping not in ("estimate", "none") and not (number and 0.0 < float(self.damping) <= 1.0):
            raise InputError(f"damping is {self.damping!r}; use 'estimate', 'none', or a number above 0 and up to 1")
        check_family(self.name, self.family)

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Find the mode of the posterior; see :meth:`CountModel.estimate`.

        Raises
        ------
        FitError
            If a count is above 1e7, where the likelihood loses its digits.
        """
        check_largest(self.name, counts, LARGEST_COUNT)
        check_regressors(self.name, counts, design, self.likelihood.names)
        effects = None
        if design.exog_names:
            effects = find_season(counts, np.log(design.exposure), design.periods, (), design.exog)
        damping = {"estimate": math.nan, "none": 1.0}[self.damping] if isinstance(self.damping, str) else self.damping
        held = self.likelihood.held_without_damping if damping == 1.0 else ()
        series, levels = observe(
            counts,
            np.exp(log_scale(design, effects)),
            float(damping),
            held,
            poisson=self.family == "poisson",
            bends=self._bends,
        )
        found = self._estimate(series, levels, self.likelihood.starts[:, series.free], None)
        return found if effects is None else with_effects(found, effects, design.exog_names)

    def evidence(self, estimate: Estimate) -> Evidence:
        """Moments of weighted points of the posterior; see :meth:`Shrinkable.evidence`."""
        parts, series = self.likelihood, estimate.state["series"]
        shift = np.full(len(estimate.state["mode"].theta) + 1, 0.5)
        weighted = weigh(parts, estimate, PANEL_POINTS, shift)
        points = weighted.theta[:, shared_places(parts, series)]
        shares = np.exp(weighted.log_weight - weighted.log_weight.max())
        cov = np.atleast_2d(np.cov(points, rowvar=False, aweights=shares, ddof=0))
        return evidence_beside(shares @ points / shares.sum(), cov, own_prior(parts, series))

    def learn(self, evidence: Sequence[Sequence[Evidence]]) -> NormalPrior:
        """Normal distributions of the logs, and the logit, of what drifts; see :meth:`Shrinkable.learn`."""
        return learn_normal(evidence)

    def shrunk(self, estimate: Estimate, counts: FloatArray, design: Design, prior: NormalPrior) -> Estimate:  # noqa: ARG002
        """Find the mode with the prior of the panel; see :meth:`Shrinkable.shrunk`."""
        mode, effects = estimate.state["mode"], estimate.state["effects"]
        found = self._estimate(estimate.state["series"], mode.states, mode.theta[None], prior)
        return found if effects is None else with_effects(found, effects, design.exog_names)

    def _estimate(self, series: Series, levels: FloatArray, starts: FloatArray, prior: NormalPrior | None) -> Estimate:
        """Mode from the best of the starts (m, d), with the prior of a panel where there is one."""
        parts, free = self.likelihood, series.free

        def evaluate(theta: FloatArray, levels: FloatArray) -> tuple[FloatArray, FloatArray]:
            theta = np.ascontiguousarray(theta)  # compiled once, not again for each layout
            value, _, _, _, levels = parts.log_posterior(theta, series, levels, SEARCH_TOLERANCE)
            return value + tilt(parts, series, prior, theta), levels

        mode = find_mode(evaluate, starts, levels, parts.lowest[free], parts.highest[free])
        natural, slopes = natural_scale(parts, mode.theta, series)
        moments, _, mean, variance = parts.smoothed(series, natural, mode.states, FINAL_TOLERANCE)
        return Estimate(
            params=natural[0, free],
            cov=slopes @ np.linalg.inv(mode.curvature) @ slopes.T,
            names=tuple(parts.names[k] for k in free),
            llf=float(moments[0, 0] + constants(natural[:, DISPERSION], series)[0]),
            fitted=np.exp(series.log_exposure) * expected_rates(mean[:, 0], variance[:, 0], series.bend),
            converged=mode.converged,
            state={"series": series, "mode": mode, "panel": prior, "effects": None},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Smooth the levels of these counts at the same parameters; see :meth:`Model.carry`."""
        check_largest(self.name, counts, LARGEST_COUNT)
        parts, learnt = self.likelihood, estimate.state.get("learnt", estimate.state["series"])
        series = learnt._replace(counts=counts, log_exposure=log_scale(design, estimate.state["effects"]))
        mode: Mode = estimate.state["mode"]
        states = extended(mode.states, len(counts))
        natural = parts.unpack(mode.theta[None], learnt)[0]
        _, states, mean, variance = parts.smoothed(series, natural, states, FINAL_TOLERANCE)
        fitted = np.exp(series.log_exposure) * expected_rates(mean[:, 0], variance[:, 0], series.bend)
        mode = replace(mode, states=states)
        return estimate.carried(fitted, {"series": series, "mode": mode, "learnt": learnt})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, the last states and what follows; see :meth:`CountModel.simulate`.

        One parameter point for each sixteen paths (at least 64) is drawn from a widened Student t distribution around
        the mode and resampled by its posterior, more where few of them count; the last level given the parameters is
        skew normal with the mean, variance and skewness of Laplace's approximation.
        """
        points = max(LEAST_POINTS, draws // 16)
        series, effects = estimate.state["series"], estimate.state["effects"]
        weighted = weigh(self.likelihood, estimate, points, rng.random(len(estimate.state["mode"].theta) + 1))
        rows, log_exposure = choose(weighted.log_weight, draws, rng), np.log(design.exposure)
        if effects is None:
            return self.likelihood.paths(weighted, rows, log_exposure, series, rng)
        drawn = season_offset(effects, design, EFFECT_DRAWS, rng)
        parts = np.array_split(rows, EFFECT_DRAWS)
        return np.concatenate(
            [
                self.likelihood.paths(weighted, part, log_exposure + offset, series, rng)
                for part, offset in zip(parts, drawn, strict=True)
            ]
        )

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Counts around the level that the counts before leave open; see :meth:`CountModel.distributions`.

        The distribution of the level given what came before is normal with the moments of Laplace's approximation, and
        is summed over by Gauss-Hermite quadrature.  Nothing is said of the first count where its level has no
        distribution but a weak prior.
        """
        series: Series = estimate.state["series"]
        natural = self.likelihood.unpack(estimate.state["mode"].theta[None], series)[0]
        mean, variance = levels_ahead(self.likelihood, natural, estimate)
        levels, shares = normal_nodes(mean, variance)
        means = np.exp(series.log_exposure)[:, None] * rates(levels, series.bend)
        return MixtureDistributions(
            np.tile(shares, (len(counts), 1)), means, np.full_like(means, natural[0, DISPERSION])
        )

    @property
    def _bends(self) -> bool:
        """Whether the link is softplus."""
        return False

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        spreads = {name: (0.0, math.inf) for name in self.likelihood.names if name.endswith("_sd")}
        return super().limits() | {"damping": (0.0, 1.0)} | spreads


def log_scale(design: Design, effects: Season | None) -> FloatArray:
    """Log (n,) of what rates are multiplied by: exposure and effects of regressors."""
    value: FloatArray = np.log(design.exposure) + season_offset(effects, design)
    return value


def with_effects(estimate: Estimate, effects: Season, names: tuple[str, ...]) -> Estimate:
    """An estimate with the effects of regressors among its parameters."""
    return replace(
        estimate,
        params=np.append(estimate.params, effects.coefficients),
        cov=block_diag(estimate.cov, effects.cov),
        names=(*estimate.names, *names),
        state=estimate.state | {"effects": effects},
    )


def shared_places(parts: Likelihood, series: Series) -> list[int]:
    """Places among the free parameters of those that mean the same for all series."""
    return [place for place, k in enumerate(series.free) if k in parts.shared]


def own_prior(parts: Likelihood, series: Series) -> NormalPrior:
    """The model's own prior of the shared parameters."""
    places = series.free[shared_places(parts, series)]
    return NormalPrior(tuple(parts.names[k] for k in places), parts.centre[places], parts.sd[places])


def tilt(parts: Likelihood, series: Series, prior: NormalPrior | None, theta: FloatArray) -> FloatArray:
    """Log of the prior of a panel by the model's own (P,), at points (P, d)."""
    if prior is None:
        return np.zeros(len(theta))
    shared = theta[:, shared_places(parts, series)]
    return prior.log_density(shared) - own_prior(parts, series).log_density(shared)


def natural_scale(parts: Likelihood, theta: FloatArray, series: Series) -> tuple[FloatArray, FloatArray]:
    """Natural parameters (1, 4) at one point (d,), and slopes (d, d) of those that are free by ``theta``."""
    move = STEP * np.eye(len(theta))
    up, down = (parts.unpack(np.ascontiguousarray(theta + way * move), series)[0][:, series.free] for way in (1, -1))
    return parts.unpack(theta[None], series)[0], (up - down).T / (2 * STEP)


def normal_nodes(mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss-Hermite nodes (n, NODES) and shares (NODES,) of normal distributions (n,)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return mean[:, None] + np.sqrt(variance)[:, None] * nodes, weights / weights.sum()


def expected_rates(mean: FloatArray, variance: FloatArray, bend: float) -> FloatArray:
    """Means (n,) of the rates of normal levels (n,)."""
    if bend == math.inf:
        return rates(mean + variance / 2, bend)
    levels, shares = normal_nodes(mean, variance)
    value: FloatArray = rates(levels, bend) @ shares
    return value


def weigh(parts: Likelihood, estimate: Estimate, points: int, shift: FloatArray) -> Weighted:
    """Spread points around the mode, shifted by (d + 1,), and weight them by the posterior; more if few count."""
    series: Series = estimate.state["series"]
    mode: Mode = estimate.state["mode"]
    learnt: Series = estimate.state.get("learnt", series)
    levels = extended(mode.states, len(learnt.counts))
    for doublings in range(MOST_DOUBLINGS + 1):
        drawn = scatter(mode, points << doublings, shift)
        around = np.ascontiguousarray(np.concatenate([mode.theta[None], drawn.theta]))
        value, natural, log_unit, moments, _ = parts.log_posterior(around, learnt, levels, DRAW_TOLERANCE)
        value = value + tilt(parts, learnt, estimate.state["panel"], around)
        log_weight = (value + log_unit)[1:] - drawn.log_density
        weight = np.exp(log_weight - log_weight.max())
        if weight.sum() ** 2 > LEAST_EFFECTIVE * (weight @ weight):
            break
    if learnt is not series:
        _, _, _, moments, _ = parts.log_posterior(around, series, mode.states, DRAW_TOLERANCE)
    return Weighted(around[1:], natural[1:], moments[1:], log_weight)


def extended(states: FloatArray, n: int) -> FloatArray:
    """Hidden states (n, ...) to start from: those that are there, cut, or the last one repeated."""
    value: FloatArray = states[np.minimum(np.arange(n), len(states) - 1)]
    return value


def levels_ahead(parts: Likelihood, natural: FloatArray, estimate: Estimate) -> tuple[FloatArray, FloatArray]:
    """Mean and variance (n,) of each level given the counts before it, at one point (1, 4); NaN where not known."""
    series: Series = estimate.state["series"]
    levels: FloatArray = estimate.state["mode"].states
    ahead = np.empty((len(levels), 2))
    ahead[0] = parts.ahead(natural[0], None)
    for t in range(1, len(levels)):
        before = series._replace(counts=series.counts[:t], log_exposure=series.log_exposure[:t])
        moments, _, _, _ = parts.smoothed(before, natural, levels[:t], FINAL_TOLERANCE)
        ahead[t] = parts.ahead(natural[0], moments[0, 1:])
    return ahead[:, 0], ahead[:, 1]
