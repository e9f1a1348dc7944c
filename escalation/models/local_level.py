"""Local level: the log of the expected count drifts, with or without damping, and counts scatter around it.

The levels are integrated out by Laplace's approximation with its next-order correction, O(n) a
likelihood, so that a fit takes milliseconds.  Estimates are modes of likelihood times weak priors and
forecasts draw from the same posterior, so both stay finite where maximum likelihood runs into a
border (no drift, no overdispersion, no damping).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numba import njit
from numpy.random import Generator
from scipy.special import expit, gammaln

from escalation.errors import FitError, InputError
from escalation.models.base import CountModel, IntArray
from escalation.models.design import Design, FloatArray
from escalation.models.estimate import Estimate
from escalation.models.laws import Laws, MixtureLaws, log_rising

NAMES = ("level", "damping", "level_sd", "dispersion")
LEVEL, DAMPING, LEVEL_SD, DISPERSION = range(4)

PRIOR_CENTRE = np.array([0.0, 2.2, math.log(0.2), math.log(0.2)])
"""Of the normal priors of level (from the log of the mean count), logit damping, log level_sd, log dispersion."""

PRIOR_SD = np.array([2.0, 1.5, 1.0, 1.5])
"""Their standard deviations; 95% of the prior: damping 0.32 to 0.994, level_sd 0.03 to 1.4, dispersion 0.01 to 3.8."""

FIRST_LEVEL_SD = 3.0
"""Of the first level around the log of the mean count, where there is no damping."""

LOWEST = np.array([-50.0, -7.0, math.log(1e-5), math.log(1e-9)])
HIGHEST = np.array([50.0, 7.0, math.log(2.0), math.log(20.0)])
"""The likelihood is taken as flat beyond these."""

LARGEST_COUNT = 1e7
LARGEST_MEAN = 1e15
WIDE_VARIANCE = 15.0
"""Levels whose variance is above this (long quiet stretches) have their part in the correction damped."""

STEP = 4e-3
"""Of the finite differences; all unconstrained parameters are of order one and the likelihood is smooth to 1e-9."""

NODES = 25
"""Of the quadrature over a level."""

LEAST_CURVATURE = 0.2
TAIL_DF, WIDENING = 8.0, 1.2
"""The Student t law around the mode that parameters are drawn from before they are weighted."""


@dataclass(frozen=True)
class LocalLevel(CountModel):
    """Counts around a drifting log level.

    ``y_t ~ NB2(mean = exposure_t * exp(x_t), dispersion)``, that is ``Var = mean + dispersion * mean**2``, and
    ``x_t = level + damping * (x_{t-1} - level) + level_sd * N(0, 1)``, started from its stationary law.  Without
    damping ``x`` is a random walk whose first value is normal around the log of the mean count with sd 3.

    The integral over the levels is Laplace's approximation with the next-order correction (Shun & McCullagh 1995,
    doi:10.1111/j.2517-6161.1995.tb02060.x).  Against a fine grid filter the log-likelihood of 40 to 60 periods is in
    error by less than 0.005 for ``level_sd`` up to 0.3 and 0.02 up to 0.7, by up to 0.7 for larger ones (or damping
    near 1) over long quiet stretches, where the counts leave the level open by factors of ten and more.

    Estimates are modes of the posterior under normal priors on (level, logit damping, log level_sd, log dispersion)
    with centres (log mean count, 2.2, log 0.2, log 0.2) and standard deviations (2, 1.5, 1, 1.5).  ``llf`` is the
    log-likelihood at that mode, without the priors, so a little below its maximum.  The covariance is the inverse
    curvature of the log posterior, carried to the natural scale by the delta method; it is always finite.
    ``fitted`` is the smoothed expected count: given all counts, later ones included.

    Parameters
    ----------
    damping : {"estimate", "none"} or float
        ``"estimate"``, ``"none"`` (a random walk) or a fixed value above 0 and up to 1 (1 is ``"none"``).
    family : {"negbin", "poisson"}
        Negative binomial, or Poisson (dispersion 0).

    Raises
    ------
    InputError
        If an option is none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> fit = LocalLevel(damping="none", family="poisson").fit(pd.Series([3, 5, 4, 4] * 10, index=weeks))
    >>> list(fit.params.index), bool(fit.params["level_sd"] < 0.1)
    (['level_sd'], True)
    >>> fit.forecast(2, draws=2000, rng=1).quantile(0.5).tolist()
    [4, 4]
    """

    damping: Literal["estimate", "none"] | float = "estimate"
    family: Literal["negbin", "poisson"] = "negbin"
    name: ClassVar[str] = "local_level"
    min_periods: ClassVar[int] = 5

    def __post_init__(self) -> None:
        number = isinstance(self.damping, int | float) and not isinstance(self.damping, bool)
        if self.damping not in ("estimate", "none") and not (number and 0.0 < float(self.damping) <= 1.0):
            raise InputError(f"damping is {self.damping!r}; use 'estimate', 'none', or a number above 0 and up to 1")
        if self.family not in ("negbin", "poisson"):
            raise InputError(f"family is {self.family!r}; local_level takes 'negbin' or 'poisson'")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Find the mode of the posterior; see :meth:`CountModel.estimate`.

        Raises
        ------
        FitError
            If a count is above 1e7, where the likelihood loses its digits.
        """
        most = float(np.nanmax(counts))
        if most > LARGEST_COUNT:
            raise FitError(f"local_level got a count of {most:g}; it takes up to {LARGEST_COUNT:g}, count larger units")
        posterior = _prepare(counts, design.exposure, self.damping, self.family)
        theta, curvature, mode, converged = _climb(posterior)
        natural = posterior.unpack(theta[None])[0][0]
        laws, _, mean, variance = posterior.smooth(natural[None], mode)
        move = STEP * np.eye(len(theta))
        slopes = (posterior.unpack(theta + move)[0] - posterior.unpack(theta - move)[0])[:, posterior.free] / (2 * STEP)
        return Estimate(
            params=natural[posterior.free],
            cov=slopes.T @ np.linalg.inv(curvature) @ slopes,
            names=tuple(NAMES[k] for k in posterior.free),
            llf=float(laws[0, 0] + posterior.constant(natural[DISPERSION:])[0]),
            fitted=design.exposure * np.exp(np.minimum(mean + variance / 2, math.log(LARGEST_MEAN))),
            converged=converged,
            state={"posterior": posterior, "theta": theta, "curvature": curvature, "mode": mode},
        )

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, the last level and what follows; see :meth:`CountModel.simulate`.

        One parameter point for each eight paths (at least 64) is drawn from a widened Student t law around the mode
        and resampled by its posterior; the last level given the parameters is skew normal with the mean, variance and
        skewness of Laplace's approximation.
        """
        natural, law = _resample(estimate, draws, rng)
        level, damping, level_sd, dispersion = natural.T
        x = _skew_normal(law[:, 0], law[:, 1], law[:, 2], rng)
        paths = np.empty((draws, len(design.periods)), dtype=np.int64)
        for step, exposure in enumerate(design.exposure):
            x = level + damping * (x - level) + level_sd * rng.standard_normal(draws)
            mean = exposure * np.exp(np.minimum(x, math.log(LARGEST_MEAN)))
            if self.family == "negbin":
                mean = rng.gamma(1 / dispersion, dispersion * mean)
            paths[:, step] = rng.poisson(np.minimum(mean, LARGEST_MEAN))
        return paths

    def laws(self, estimate: Estimate, counts: FloatArray, design: Design) -> Laws:
        """Counts around the level that the counts before leave open; see :meth:`CountModel.laws`.

        The law of the level given what came before is normal with the moments of Laplace's approximation, and is
        summed over by Gauss-Hermite quadrature.
        """
        posterior: _Posterior = estimate.state["posterior"]
        natural = posterior.unpack(estimate.state["theta"][None])[0]
        mean, variance = posterior.levels_ahead(natural, estimate.state["mode"])
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        levels = mean[:, None] + np.sqrt(variance)[:, None] * nodes
        means = design.exposure[:, None] * np.exp(np.minimum(levels, math.log(LARGEST_MEAN)))
        shares = np.tile(weights / weights.sum(), (len(counts), 1))
        return MixtureLaws(shares, means, np.full_like(means, natural[0, DISPERSION]))

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return super().limits() | {"damping": (0.0, 1.0), "level_sd": (0.0, math.inf)}


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Log posterior of one series as a function of its d free parameters ``theta``.

    ``theta`` holds the level, in units of its rough spread around a rough centre, logit damping, log level_sd and log
    dispersion, those of them that are free.
    """

    counts: FloatArray  # (n,), NaN where not observed
    log_exposure: FloatArray  # (n,)
    distinct: FloatArray  # (k,): the counts above 0 ...
    times: FloatArray  # (k,): ... and how often each occurs
    observed: int  # periods
    anchor: float  # log of the mean count per exposure
    typical: float  # mean of the smoothed levels
    mode: FloatArray  # (n,): levels to start from
    free: IntArray  # (d,): positions in NAMES of what is estimated
    damping: float | None  # its value where it is fixed
    family: str

    def unpack(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Natural parameters (P, 4), prior z-scores of the free ones (P, d), log of the level's unit (P,)."""
        full = np.tile(PRIOR_CENTRE, (len(theta), 1))
        full[:, self.free] = theta
        z = (full - PRIOR_CENTRE) / PRIOR_SD
        natural = np.clip(full, LOWEST, HIGHEST)
        natural[:, DAMPING] = expit(natural[:, DAMPING]) if self.damping is None else self.damping
        natural[:, LEVEL_SD] = np.exp(natural[:, LEVEL_SD])
        natural[:, DISPERSION] = np.exp(natural[:, DISPERSION]) if self.family == "negbin" else 0.0
        unit = np.ones(len(theta))
        if LEVEL in self.free:
            shift, unit = self.rough_level(natural)
            z[:, LEVEL] = (shift + unit * natural[:, LEVEL]) / PRIOR_SD[LEVEL]
            natural[:, LEVEL] = self.anchor + shift + unit * natural[:, LEVEL]
        return natural, z[:, self.free], np.log(unit)

    def rough_level(self, natural: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shift from the anchor and standard deviation (P,) that the level has roughly, given the other parameters."""
        _, damping, level_sd, dispersion = natural.T
        weight = (self.observed - 1) * (1 - damping) ** 2 + 1 - damping**2
        noise = 1 / (self.distinct @ self.times + 0.5) + dispersion / self.observed
        information = 1 / (level_sd**2 / weight + noise)
        variance = 1 / (information + PRIOR_SD[LEVEL] ** -2.0)
        return information * variance * (self.typical - self.anchor), np.sqrt(variance)

    def constant(self, dispersion: FloatArray) -> FloatArray:
        """Part of the log-likelihood that does not depend on the levels, shape (P,)."""
        terms = np.tile(-gammaln(self.distinct + 1), (len(dispersion), 1))
        if self.family == "negbin":
            terms += log_rising(self.distinct, 1 / dispersion[:, None])
        value: FloatArray = terms @ self.times
        return value

    def smooth(
        self, natural: FloatArray, mode: FloatArray, tolerance: float = 1e-6
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Run :func:`smooth` on this series."""
        return smooth(self.counts, self.log_exposure, self.anchor, natural, mode, tolerance)

    def levels_ahead(self, natural: FloatArray, mode: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance (n,) of each level given the counts before it, at one point (1, 4)."""
        level, damping, level_sd, _ = natural[0]
        first = (self.anchor, FIRST_LEVEL_SD**2) if damping == 1.0 else (level, level_sd**2 / (1 - damping**2))
        means, variances = np.empty((2, len(mode)))
        means[0], variances[0] = first
        for t in range(1, len(mode)):
            laws, _, _, _ = smooth(self.counts[:t], self.log_exposure[:t], self.anchor, natural, mode[:t], 1e-6)
            means[t] = level + damping * (laws[0, 1] - level)
            variances[t] = damping**2 * laws[0, 2] + level_sd**2
        return means, variances

    def evaluate(
        self, theta: FloatArray, mode: FloatArray, tolerance: float = 1e-6
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log posterior (P,), law of the last level (P, 3), and the mode (n,) of the levels at the first row."""
        natural, z, _ = self.unpack(theta)
        laws, first, _, _ = self.smooth(natural, mode, tolerance)
        value = laws[:, 0] + self.constant(natural[:, DISPERSION]) - 0.5 * (z * z).sum(axis=1)
        return value, laws[:, 1:], first


def _prepare(counts: FloatArray, exposure: FloatArray, damping: str | float, family: str) -> _Posterior:
    """Put one series, and which parameters are free, into arrays."""
    fixed = {"estimate": None, "none": 1.0}[damping] if isinstance(damping, str) else float(damping)
    held = {LEVEL: fixed == 1.0, DAMPING: fixed is not None, LEVEL_SD: False, DISPERSION: family == "poisson"}
    seen = ~np.isnan(counts)
    anchor = math.log((counts[seen].sum() + 0.5) / exposure[seen].sum())
    log_exposure = np.log(exposure)
    rough = np.where(seen, np.log(np.where(seen, counts, 0.0) + 0.5) - log_exposure, anchor)
    typically = np.array([[anchor, 0.9, 0.3, 0.0 if family == "poisson" else 0.2]])
    mode = smooth(counts, log_exposure, anchor, typically, rough, 1e-6)[1]
    distinct, times = np.unique(counts[seen & (counts > 0)], return_counts=True)
    repeats, typical = times.astype(float), float(mode[seen].mean())
    free = np.array([k for k, is_held in held.items() if not is_held])
    return _Posterior(
        counts, log_exposure, distinct, repeats, int(seen.sum()), anchor, typical, mode, free, fixed, family
    )


def _climb(posterior: _Posterior) -> tuple[FloatArray, FloatArray, FloatArray, bool]:
    """Newton's method: mode of the posterior (d,), its negative Hessian (d, d), the levels (n,), whether it settled."""
    starts = np.tile(PRIOR_CENTRE, (9, 1))
    starts[:, LEVEL_SD] = np.repeat(np.log([0.08, 0.3, 1.0]), 3)
    starts[:, DISPERSION] = np.tile(np.log([0.03, 0.2, 1.0]), 3)
    starts = starts[:, posterior.free]
    mode = posterior.mode
    theta = starts[np.argmax(posterior.evaluate(starts, mode)[0])]
    lowest, highest = LOWEST[posterior.free] + 2 * STEP, HIGHEST[posterior.free] - 2 * STEP
    converged = False
    for _ in range(60):
        value, gradient, curvature, mode = _derivatives(posterior, theta, mode)
        pinned = ((theta >= highest) & (gradient > 0)) | ((theta <= lowest) & (gradient < 0))
        gradient[pinned] = 0.0
        step = np.linalg.solve(np.where(pinned | pinned[:, None], np.eye(len(theta)), curvature), gradient)
        converged = bool(gradient @ step < 1e-6)
        if converged:
            break
        step *= min(1.0, 1.5 / np.abs(step).max())
        while posterior.evaluate(theta[None] + step, mode)[0][0] < value and np.abs(step).max() > 1e-6:
            step /= 3
        theta = np.clip(theta + step, lowest, highest)
    return theta, curvature, mode, converged


def _derivatives(
    posterior: _Posterior, theta: FloatArray, mode: FloatArray
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Value, gradient (d,), negative Hessian (d, d; made positive definite) and levels (n,), by finite differences."""
    d = len(theta)
    unit = STEP * np.eye(d)
    rows, columns = np.tril_indices(d, -1)
    points = theta + np.concatenate([np.zeros((1, d)), unit, -unit, unit[rows] + unit[columns]])
    values, _, mode = posterior.evaluate(points, mode)
    value, up, down = values[0], values[1 : d + 1], values[d + 1 : 2 * d + 1]
    hessian = np.diag(up + down - 2 * value)
    hessian[rows, columns] = hessian[columns, rows] = values[2 * d + 1 :] + value - up[rows] - up[columns]
    curvature, axes = np.linalg.eigh(-hessian / STEP**2)
    return float(value), (up - down) / (2 * STEP), (axes * np.maximum(curvature, LEAST_CURVATURE)) @ axes.T, mode


def _resample(estimate: Estimate, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Draw natural parameters (draws, 4) and the laws of the last level (draws, 3) from the posterior."""
    posterior: _Posterior = estimate.state["posterior"]
    d = len(posterior.free)
    points = max(64, draws // 8)
    z = rng.standard_normal((points, d)) / np.sqrt(rng.chisquare(TAIL_DF, (points, 1)) / TAIL_DF)
    axes = np.linalg.cholesky(np.linalg.inv(estimate.state["curvature"]))
    theta = estimate.state["theta"] + WIDENING * z @ axes.T
    value, laws, _ = posterior.evaluate(theta, estimate.state["mode"], tolerance=1e-3)
    natural, _, log_unit = posterior.unpack(theta)
    log_weight = value + log_unit + (TAIL_DF + d) / 2 * np.log1p((z * z).sum(axis=1) / TAIL_DF)
    weight = np.cumsum(np.exp(log_weight - log_weight.max()))
    ladder = (rng.random() + np.arange(draws)) / draws * weight[-1]
    chosen = rng.permutation(np.minimum(np.searchsorted(weight, ladder), points - 1))
    return natural[chosen], laws[chosen]


def _skew_normal(mean: FloatArray, variance: FloatArray, third: FloatArray, rng: Generator) -> FloatArray:
    """Draw skew normals with this mean, variance and third central moment (the skewness held within 0.95)."""
    skewness = np.clip(third / variance**1.5, -0.95, 0.95)
    root = np.cbrt(2 * np.abs(skewness) / (4 - np.pi))
    delta = np.sign(skewness) * root / np.sqrt(1 + root**2) * np.sqrt(np.pi / 2)
    z = delta * np.abs(rng.standard_normal(len(mean))) + np.sqrt(1 - delta**2) * rng.standard_normal(len(mean))
    shift = delta * np.sqrt(2 / np.pi)
    draw: FloatArray = mean + np.sqrt(variance / (1 - shift**2)) * (z - shift)
    return draw


@njit(cache=True, nogil=True)
def smooth(
    counts: FloatArray,
    log_exposure: FloatArray,
    anchor: float,
    natural: FloatArray,
    start: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Integrate the levels out by Laplace's approximation and its next-order correction, at each of P points.

    Parameters
    ----------
    counts, log_exposure : (n,) float
        Counts, NaN where not observed, and logs of the exposures.
    anchor : float
        Centre of the first level where damping is 1.
    natural : (P, 4) float
        Level, damping in (0, 1], level_sd > 0 and dispersion >= 0, one point a row.
    start : (n,) float
        Levels to start Newton's method from; the second and later points start from the mode of the first.
    tolerance : float
        Newton's method stops when no level moves by more than this.

    Returns
    -------
    laws : (P, 4) float
        Log-likelihood without the terms that depend on counts and dispersion only; mean, variance and third central
        moment of the last level.
    mode, mean, variance : (n,) float
        At the first point: where the joint density of the levels is highest, and their moments given all counts.

    Notes
    -----
    With V the inverse of the negative Hessian at the mode and f3, f4 the third and fourth derivatives of the log
    density of one count in its level, the correction is
    ``sum_t f4_t V_tt^2 / 8 + sum_ts f3_t f3_s (V_tt V_ts V_ss / 8 + V_ts^3 / 12)``;
    V_ts is a product of neighbouring ratios, so that the double sum is a recursion.  For wide levels the expansion
    fails, so f3_t and f4_t are damped by ``1 / (1 + (V_tt / 15)^4)``.
    """
    n = counts.size
    laws = np.empty((natural.shape[0], 4))
    x, previous, step, spread, reduced = np.empty(n), np.empty(n), np.zeros(n), np.empty(n), np.empty(n)
    third, fourth, mean, variance = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    first_mode, first_mean, first_variance = start, start, start
    for p in range(natural.shape[0]):
        level, damping, level_sd, dispersion = natural[p, 0], natural[p, 1], natural[p, 2], natural[p, 3]
        precision = 1.0 / (level_sd * level_sd)
        link = -precision * damping
        drift, first, first_precision = 0.0, anchor, 1.0 / FIRST_LEVEL_SD**2
        if damping < 1.0:
            drift, first, first_precision = level * (1.0 - damping), level, precision * (1.0 - damping * damping)
        for t in range(n):
            x[t] = first_mode[t]
        best = -np.inf
        for _ in range(200):
            value, residual, weight = 0.0, x[0] - first, first_precision
            for t in range(n):  # the gradient, and the first half of the tridiagonal solution
                value -= 0.5 * weight * residual * residual
                gradient, curvature, third[t], fourth[t] = -weight * residual, weight, 0.0, 0.0
                y = counts[t]
                if not math.isnan(y):
                    mu = math.exp(x[t] + log_exposure[t])
                    shrink = 1.0 / (1.0 + dispersion * mu)
                    share = dispersion * mu * shrink
                    pull = (1.0 + dispersion * y) * mu * shrink
                    value += y * (x[t] + log_exposure[t])
                    value -= (y + 1.0 / dispersion) * math.log1p(dispersion * mu) if dispersion > 0.0 else mu
                    gradient += y - pull
                    second = pull * (1.0 - share)
                    curvature += second
                    third[t] = -second * (1.0 - 2.0 * share)
                    fourth[t] = -second * (1.0 - 6.0 * share + 6.0 * share * share)
                if t < n - 1:
                    residual, weight = x[t + 1] - drift - damping * x[t], precision
                    gradient += precision * damping * residual
                    curvature += precision * damping * damping
                if t > 0:
                    ratio = link * spread[t - 1]
                    curvature -= ratio * link
                    gradient -= ratio * reduced[t - 1]
                spread[t] = 1.0 / curvature
                reduced[t] = gradient
            if not value >= best - 1e-9 * (1.0 + abs(best)):
                for t in range(n):
                    step[t] *= 0.5
                    x[t] = previous[t] + step[t]
                continue
            best = value
            largest = 0.0
            for t in range(n - 1, -1, -1):
                step[t] = (reduced[t] - (link * step[t + 1] if t < n - 1 else 0.0)) * spread[t]
                largest = max(largest, abs(step[t]))
                previous[t] = x[t]
                x[t] += step[t]
            if largest < tolerance:
                break

        loglik = best + 0.5 * ((n - 1) * math.log(precision) + math.log(first_precision))
        backward = 0.0
        for t in range(n - 1, -1, -1):
            ratio = -link * spread[t]
            v = spread[t] + (ratio * ratio * variance[t + 1] if t < n - 1 else 0.0)
            # the last Newton step is not evaluated: its gain and its effect on the determinant to the first order
            loglik += 0.5 * (reduced[t] * reduced[t] * spread[t] + v * third[t] * step[t] + math.log(spread[t]))
            damp = 1.0 / (1.0 + (v / WIDE_VARIANCE) ** 4)
            third[t] *= damp
            fourth[t] *= damp
            backward *= ratio
            mean[t] = x[t] + 0.5 * backward
            backward += third[t] * v * v
            variance[t] = v
        forward = cubes = 0.0
        for t in range(n):
            v = variance[t]
            if t > 0:
                ratio = -link * spread[t - 1] * v / variance[t - 1]
                forward *= ratio
                cubes *= ratio**3
            loglik += fourth[t] * v * v / 8.0 + third[t] ** 2 * v**3 * 5.0 / 24.0
            loglik += third[t] * (forward * v / 4.0 + cubes / 6.0)
            forward += third[t] * v * v
            cubes += third[t] * v**3
            mean[t] += 0.5 * forward
        laws[p, 0], laws[p, 1], laws[p, 2], laws[p, 3] = loglik, mean[n - 1], variance[n - 1], cubes
        if p == 0:
            first_mode, first_mean, first_variance = x.copy(), mean.copy(), variance.copy()
    return laws, first_mode, first_mean, first_variance
