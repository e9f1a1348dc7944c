"""Hidden Markov model: quiet and active regimes that last, each with its own rate of counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_counts
from escalation.conventions.randomness import draw_systematically
from escalation.errors import FitError, InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.contract.newton import Height, Peak, climb, highest, raised
from escalation.models.contract.regressors import check_regressors
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions
from escalation.models.hidden_markov.likelihood import (
    FURTHEST_ODDS,
    FURTHEST_RATE,
    HIGHEST_DISPERSION,
    LOWEST_DISPERSION,
    Observed,
    all_derivatives,
    draw_regimes,
    expect_and_maximise,
    last_regimes,
    log_posterior,
    log_posteriors,
    observe,
    smooth,
    unpack,
    walk,
    with_shift,
)

MOST_STATES = 4
REGIMES = {
    1: ("steady",),
    2: ("quiet", "active"),
    3: ("quiet", "middle", "active"),
    4: ("quiet", "low", "high", "active"),
}
"""Names of the regimes by their number, in the order of their rates."""

LARGEST_COUNT = 1e7
ROUNDS, POLISHED = 20, 3
"""EM steps from each start, and how many of the best are then climbed to the top."""
STEP = 1e-4
"""Step of the differences of exact gradients that make the Hessian."""
LEAST_CURVATURE = 0.05
"""Curvatures below this are taken for it in the covariance."""
TAIL_DF, WIDENING = 6.0, 1.2
"""The Student t distribution around the mode that points are drawn from before they are weighted."""
POINTS = 256
"""Least number of points that paths are drawn from."""
FEW, WALKED = 0.3, 40
"""Where fewer of the proposals count than this share of the points, each point walks so many Metropolis steps."""


@dataclass(frozen=True)
class HiddenMarkov(CountModel):
    r"""Counts whose rate switches between regimes that are not seen and follow a Markov chain.

    In regime i the count of a period is NB2 (or Poisson) with mean ``exposure * rate_i``, ``Var = mean + dispersion *
    mean**2``; from one period to the next the regime goes from i to j with probability ``p_i_j``.  Regimes are ordered
    by their rates and named ``quiet`` and ``active``, with three of them ``quiet``, ``middle``, ``active``, with four
    ``quiet``, ``low``, ``high``, ``active`` (Zucchini, MacDonald & Langrock 2016, doi:10.1201/b20790).

    Estimates are modes of the posterior density of (log rates, log odds of each move against staying, log
    dispersions), which stays finite where maximum likelihood does not exist (a regime without a count, or that is
    never left).  Priors are weak: a rate is gamma with shape 1/2 and the mean of the series, a row of transitions is
    Dirichlet with 1/2 for each other regime and the number of regimes for staying, ``sqrt(dispersion)`` is exponential
    with mean 1.  The mode is climbed to by EM from several starts and then Newton steps with the exact gradient
    (Fisher's identity).  ``llf`` is the log-likelihood at the estimate, without the priors, so a little below its
    maximum; criteria built on it are for comparing, as ``states="bic"`` does, and the theory of BIC does not strictly
    hold here, because the parameters of a regime that is not there cannot be estimated.  The covariance is the
    inverse observed information (with that of the priors), carried from the unconstrained scale by the delta method.

    Regressors multiply the mean of all regimes by ``exp(x @ coefficients)``; they are taken less their means over the
    observed periods, so that a rate is that where each regressor has its mean.  Coefficients have normal priors, by
    which a standard deviation of a regressor changes the log mean by 1.

    ``fitted`` is the smoothed expected count: given all counts, later ones included.  Missing counts add nothing, and
    the chain runs on below them.

    Forecasts draw points from the posterior (by importance resampling around the mode; where few of the proposals
    count, each point then takes Metropolis steps), then the present regime, future switches and counts.

    Parameters
    ----------
    states : int or "bic"
        Regimes, 1 to 4 (1 is a plain Poisson or negative binomial distribution), or as many as give the lowest BIC, for
        all histories together; :func:`escalation.analysis.compare_states` shows the choice.
    family : {"negbin", "poisson"}
        Distribution of a count in its regime.
    dispersion : {"shared", "own"}
        One for all regimes, or one for each.  Not for ``"poisson"``.
    start : {"stationary", "uniform"}
        Distribution of the first regime: that which the chain has in the long run, or all alike.  It is not estimated,
        because one series always puts all of it on one regime.

    Raises
    ------
    InputError
        If an option is none of these.
    FitError
        On ``fit``, if a count is above 1e7, where the likelihood loses its digits.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=24, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 0, 1, 9, 12, 8, 11, 14, 9, 1, 0, 0, 2, 1, 1, 0, 13, 9, 10, 8, 12], index=weeks)
    >>> fit = HiddenMarkov().fit(counts)
    >>> fit.params.round(2).to_dict()
    {'rate_quiet': 0.8, 'rate_active': 10.4, 'p_quiet_active': 0.14, 'p_active_quiet': 0.15, 'dispersion': 0.01}
    """

    states: int | Literal["bic"] = 2
    family: Literal["negbin", "poisson"] = "negbin"
    dispersion: Literal["shared", "own"] = "shared"
    start: Literal["stationary", "uniform"] = "stationary"
    name: ClassVar[str] = "hidden_markov"
    min_periods: ClassVar[int] = 5
    takes_exog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole = isinstance(self.states, int) and not isinstance(self.states, bool) and 1 <= self.states <= MOST_STATES
        if self.states != "bic" and not whole:
            raise InputError(f"states is {self.states!r}; give a whole number from 1 to {MOST_STATES}, or 'bic'")
        for option, allowed in (
            ("family", ("negbin", "poisson")),
            ("dispersion", ("shared", "own")),
            ("start", ("stationary", "uniform")),
        ):
            if getattr(self, option) not in allowed:
                raise InputError(f"{option} is {getattr(self, option)!r}; hidden_markov takes {' or '.join(allowed)}")
        if self.family == "poisson" and self.dispersion == "own":
            raise InputError("dispersion is 'own', but Poisson regimes have none; use family='negbin'")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Find the mode of the posterior; see :meth:`CountModel.estimate`.

        Raises
        ------
        FitError
            If a count is above 1e7.
        """
        return self.estimate_all(counts[None], design)[0]

    def estimate_all(self, array: FloatArray, design: Design) -> tuple[Estimate, ...]:
        """Fit each history, all with one number of regimes; see :meth:`CountModel.estimate_all`."""
        most = float(np.nanmax(array))
        if most > LARGEST_COUNT:
            raise FitError(
                f"hidden_markov got a count of {most:g}; it takes up to {LARGEST_COUNT:g}, count larger units"
            )
        if self.states != "bic":
            return tuple(self._estimate(y, design, self.states) for y in array)
        seen = int((~np.isnan(array[0])).sum())
        each = [replace(self, states=states).estimate_all(array, design) for states in range(1, MOST_STATES + 1)]
        return min(each, key=lambda estimates: mean_bic(estimates, seen))

    def _estimate(self, counts: FloatArray, design: Design, states: int) -> Estimate:
        check_regressors(self.name, counts, design, self._names(states))
        seen = ~np.isnan(counts)
        centre, scale = design.exog[seen].mean(axis=0), design.exog[seen].std(axis=0)
        data = observe(counts, design.exposure, states, self.start, _standardised(design, centre, scale), scale)
        theta, curvature, converged = _find_mode(data, self._spreads(data.states))
        theta, curvature = _in_order(theta, curvature, data)
        cov = np.linalg.inv(curvature)
        _, _, smoothed, llf = smooth(theta, data)
        slopes = np.array([self._natural(theta + row, data) for row in STEP * np.eye(len(theta))])
        slopes -= [self._natural(theta - row, data) for row in STEP * np.eye(len(theta))]
        slopes /= 2 * STEP
        return Estimate(
            params=self._natural(theta, data),
            cov=slopes.T @ cov @ slopes,
            names=(*self._names(data.states), *design.exog_names),
            llf=llf,
            fitted=_expected(theta, data, smoothed),
            converged=converged,
            state={"data": data, "theta": theta, "cov": cov, "centre": centre},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Find the regimes of these counts at the same parameters; see :meth:`Model.carry`."""
        learnt: Observed = estimate.state.get("learnt", estimate.state["data"])
        data, theta = self._observe(estimate, counts, design), estimate.state["theta"]
        fitted = _expected(theta, data, smooth(theta, data)[2])
        return estimate.carried(fitted, {"data": data, "learnt": learnt})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, regimes and counts; see :meth:`CountModel.simulate`.

        One point for each four paths (at least 256) is drawn from the posterior.
        """
        data: Observed = estimate.state["data"]
        points = draw_points(estimate.state, max(POINTS, draws // 4), rng)
        rows = rng.permutation(np.arange(draws) % len(points))
        core = len(points[0]) - data.x.shape[1]
        natural = [unpack(point, data.states) for point in points[:, :core]]
        rates, moves, dispersions = (np.array(part) for part in zip(*natural, strict=True))
        shift = points[:, core:] @ _standardised(design, estimate.state["centre"], data.scale).T
        regimes = draw_regimes(last_regimes(points, data), moves, rows, len(design.periods), rng)
        mean = rates[rows[:, None], regimes] * design.exposure * np.exp(shift[rows])
        return draw_counts(mean, dispersions[rows[:, None], regimes] if self.family == "negbin" else None, rng)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:
        """Mixtures over the regimes that the counts before leave open; see :meth:`CountModel.distributions`."""
        theta, data = estimate.state["theta"], self._observe(estimate, counts, design)
        _, predicted, _, _ = smooth(theta, data)
        core, shifted = with_shift(theta, data)
        rates, _, dispersions = unpack(core, data.states)
        means = np.outer(shifted.exposure, rates)
        return MixtureDistributions(predicted, means, np.tile(dispersions, (len(counts), 1)))

    def _observe(self, estimate: Estimate, counts: FloatArray, design: Design) -> Observed:
        """Other counts with their regressors, for the parameters of an estimate."""
        learnt: Observed = estimate.state.get("learnt", estimate.state["data"])
        x = _standardised(design, estimate.state["centre"], learnt.scale)
        return observe(counts, design.exposure, learnt.states, self.start, x, learnt.scale)

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        found = super().limits()
        for states in REGIMES:
            for name in self._names(states):
                found[name] = (0.0, 1.0) if name.startswith("p_") else (0.0, np.inf)
        return found

    def _spreads(self, states: int) -> int:
        """How many dispersions there are."""
        if self.family == "poisson":
            return 0
        return states if self.dispersion == "own" else 1

    def _names(self, states: int) -> tuple[str, ...]:
        regimes = REGIMES[states]
        spreads = {0: [], 1: ["dispersion"]}.get(self._spreads(states), [f"dispersion_{name}" for name in regimes])
        moves = [f"p_{one}_{other}" for one in regimes for other in regimes if other != one]
        return (*(f"rate_{name}" for name in regimes), *moves, *spreads)

    def _natural(self, theta: FloatArray, data: Observed) -> FloatArray:
        """Parameters (d,) in the order of their names."""
        states, core = data.states, len(theta) - data.x.shape[1]
        rates, moves, dispersions = unpack(theta[:core], states)
        natural: FloatArray = np.concatenate(
            [rates, moves[~np.eye(states, dtype=bool)], dispersions[: self._spreads(states)], theta[core:] / data.scale]
        )
        return natural


def _standardised(design: Design, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Regressors (n, r) less their means, in units of their standard deviations."""
    return np.ascontiguousarray((design.exog - centre) / scale)


def _expected(theta: FloatArray, data: Observed, probabilities: FloatArray) -> FloatArray:
    """Expected count (n,) of each period by the probabilities (n, K) of its regimes."""
    core, shifted = with_shift(theta, data)
    expected: FloatArray = shifted.exposure * (probabilities @ unpack(core, data.states)[0])
    return expected


def mean_bic(estimates: tuple[Estimate, ...], seen: int) -> float:
    """Schwarz's criterion, the mean over histories of ``seen`` observed periods."""
    return len(estimates[0].names) * float(np.log(seen)) - 2 * float(np.mean([one.llf for one in estimates]))


def _starts(data: Observed, spreads: int) -> list[FloatArray]:
    """Points to start from: the rates, as they are and averaged over neighbours, cut at several quantiles."""
    k = data.states
    seen = ~np.isnan(data.y)
    rates = data.y[seen] / data.exposure[seen]
    shares = np.arange(1, k) / k
    found = []
    for width, cuts in ((1, shares), (3, shares), (7, shares), (1, shares**0.3), (3, shares**0.3), (3, shares**2.5)):
        window = np.ones(min(width, len(rates)))
        level = np.convolve(rates, window, "same") / np.convolve(np.ones(len(rates)), window, "same")
        edges = [0, *np.round(cuts * len(rates)).astype(int), len(rates)]
        ranked = np.sort(level)
        groups = [ranked[min(low, high - 1) : high] for low, high in pairwise(edges)]
        # 0.1: groups of equal rates would never come apart
        centre = np.log([group.mean() + 0.02 * data.mean * (1 + 0.1 * i) for i, group in enumerate(groups)])
        stay = 0.9 if width > 1 else 0.75
        odds = np.full(k * (k - 1), np.log((1 - stay) / stay / max(k - 1, 1)))
        found.append(np.concatenate([centre, odds, np.full(spreads, np.log(0.1)), np.zeros(data.x.shape[1])]))
    return found if k > 1 else found[:1]


def _find_mode(data: Observed, spreads: int) -> tuple[FloatArray, FloatArray, bool]:
    """The highest mode (d,) that the starts lead to, its negative Hessian (d, d), and whether it converged."""
    reached = [expect_and_maximise(start, data, ROUNDS) for start in _starts(data, spreads)]
    reached.sort(key=lambda theta: -log_posterior(theta, data))
    peaks = [_climb_from(theta, data, spreads) for theta in reached[:POLISHED]]
    best = highest(peaks)
    return best.point, raised(-best.height.hessian, LEAST_CURVATURE), best.converged


def _climb_from(theta: FloatArray, data: Observed, spreads: int) -> Peak:
    """Newton steps from a point (d,), within what the posterior is not 0 in."""
    d, k, r = len(theta), data.states, data.x.shape[1]
    far = np.repeat([FURTHEST_RATE, FURTHEST_ODDS], [k, d - k - spreads - r])
    middle = np.repeat([np.log(data.mean), 0.0], [k, d - k - spreads - r])
    effect = FURTHEST_RATE / np.maximum(np.abs(data.x).max(axis=0, initial=0.0), 1e-300)
    moves = STEP * np.eye(d)

    def function(point: FloatArray) -> Height:
        values, gradients = all_derivatives(point + np.concatenate([np.zeros((1, d)), moves, -moves]), data)
        hessian = (gradients[1 : d + 1] - gradients[d + 1 :]) / (2 * STEP)
        return Height(float(values[0]), gradients[0], (hessian + hessian.T) / 2)

    return climb(
        function,
        theta,
        lower=np.concatenate([middle - far + 2 * STEP, np.full(spreads, LOWEST_DISPERSION + 2 * STEP), -effect]),
        upper=np.concatenate([middle + far - 2 * STEP, np.full(spreads, HIGHEST_DISPERSION - 2 * STEP), effect]),
        shrink=3.0,
        least_gain=5e-10 + 5e-16 * abs(data.constant),  # the digits that a sum of such terms keeps
    )


def _in_order(theta: FloatArray, curvature: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray]:
    """The same point and curvature with the regimes in the order of their rates."""
    states, core = data.states, len(theta) - data.x.shape[1]
    order = np.argsort(theta[:states], kind="stable")
    at = np.full((states, states), -1)
    at[~np.eye(states, dtype=bool)] = states + np.arange(states * (states - 1))
    odds = at[np.ix_(order, order)][~np.eye(states, dtype=bool)]
    spreads, effects = np.arange(states * states, core), np.arange(core, len(theta))
    places = np.concatenate([order, odds, spreads[order] if len(spreads) == states > 1 else spreads, effects])
    return theta[places], curvature[np.ix_(places, places)]


def draw_points(state: dict[str, Any], number: int, rng: Generator) -> FloatArray:
    """Draw points (number, d) from the posterior, given the ``state`` of an estimate."""
    data: Observed = state.get("learnt", state["data"])
    d, size = len(state["theta"]), 2 * number
    z = rng.standard_normal((size, d)) / np.sqrt(rng.chisquare(TAIL_DF, (size, 1)) / TAIL_DF)
    z[0] = 0.0  # one point at least is where the posterior is not 0
    root = np.linalg.cholesky(state["cov"])
    points = state["theta"] + WIDENING * z @ root.T
    log_weight = log_posteriors(points, data) + (TAIL_DF + d) / 2 * np.log1p((z * z).sum(axis=1) / TAIL_DF)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    chosen: FloatArray = points[draw_systematically(weight, number, rng)]
    if 1 / (weight**2).sum() < FEW * number:
        chosen = walk(chosen, 2.38 / np.sqrt(d) * root, WALKED, data, rng)
    return chosen
