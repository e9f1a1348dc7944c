"""Exponential smoothing of log(1 + count), by statsmodels: what is usual where counts are no matter."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from scipy.special import log_ndtr, ndtr

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, check_largest
from escalation.models.diagnostics.distributions import Distributions

LARGEST_COUNT = 1e12
LEAST, MOST = math.log(1e-4), math.log(1e3)
"""Bounds of the log standard deviations, in units of the standard deviation of the series."""
SMALLEST_SPREAD = 1e-3
"""A series that varies less than this on the log scale counts as constant."""
CONVERGED = 1e-3
"""Largest value of twice the gain of the next Newton step at which the fit counts as converged."""
POINTS = 32
"""Parameter points that forecasts are drawn from."""
WIDENING = 1.3
PRIOR_SD = 2.0
"""Standard deviation of the weak prior of the log standard deviations around -1 in those units, to keep them finite."""
LARGEST_LOG = math.log(1e15)
NODES = 41


@dataclass(frozen=True)
class ExponentialSmoothing(CountModel):
    """Simple exponential smoothing of ``log(1 + count)``, as a Gaussian local level model.

    ``log(1 + y_t) = x_t + noise_sd * N(0, 1)``, ``x_t = x_{t-1} + level_sd * N(0, 1)``: the forecast is an exponential
    weighted mean of the past (Muth 1960, doi:10.1080/01621459.1960.10482064) with the best weight.  The likelihood is
    statsmodels' Kalman filter (``UnobservedComponents``, level ``"llevel"``), which passes over missing counts.  Counts
    are the whole numbers nearest to what comes out, 0 where that is below 0; so ``llf`` is that of the counts and can
    be compared with other models', while the estimate maximises the likelihood of the logs times weak normal priors of
    the logs of both standard deviations.

    It is what ARIMA and ETS programs would make of the series, and a benchmark: its distribution of small counts is
    crude.  ``fitted`` is the expected count one period ahead, at the first count the count itself.

    Raises
    ------
    FitError
        On ``fit``, if a count is above 1e12.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> fit = ExponentialSmoothing().fit(pd.Series([3, 5, 4, 4] * 10, index=weeks))
    >>> fit.params.index.tolist(), fit.forecast(2, draws=2000, rng=1).quantile(0.5).tolist()
    (['level_sd', 'noise_sd'], [4, 4])
    """

    name: ClassVar[str] = "exponential_smoothing"
    min_periods: ClassVar[int] = 5

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood of the logs; see :meth:`CountModel.estimate`."""
        from scipy.optimize import minimize

        check_largest(self.name, counts, LARGEST_COUNT)
        logs = np.log1p(counts / design.exposure)
        spread = max(float(np.nanstd(logs)), SMALLEST_SPREAD)
        scaled = (logs - np.nanmean(logs)) / spread
        series = _state_space(scaled)

        def loss(theta: FloatArray) -> float:
            return -_log_posterior(series, theta)

        best = min((np.array(start) for start in ((-2.0, -0.3), (-0.7, -0.7), (-0.3, -2.0))), key=loss)
        # the filter's rounding errors would hide smaller differences
        found = minimize(
            loss, best, method="L-BFGS-B", bounds=[(LEAST, MOST)] * 2, options={"eps": 1e-4, "ftol": 1e-10}
        )
        theta = np.asarray(found.x, dtype=np.float64)
        gradient, curvature = _derivatives(series, theta)
        gradient[((theta <= LEAST) & (gradient < 0)) | ((theta >= MOST) & (gradient > 0))] = 0.0
        cov = np.linalg.inv(curvature)
        sds = np.exp(theta) * spread
        state = {"scaled": scaled, "theta": theta, "cov": cov, "mean": float(np.nanmean(logs)), "spread": spread}
        distributions = _distributions(state, design.exposure)
        fitted = np.where(np.isnan(distributions.mean), np.nan_to_num(counts), distributions.mean)
        with np.errstate(divide="ignore"):
            log_pmf = np.log(distributions.pmf(counts))
        return Estimate(
            params=sds,
            cov=cov * np.outer(sds, sds),
            names=("level_sd", "noise_sd"),
            llf=float(np.nansum(np.maximum(log_pmf, -745.0))),
            fitted=np.maximum(fitted, 1e-9),
            converged=bool(gradient @ cov @ gradient < CONVERGED),
            state=state,
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Filter the logs of these counts at the same parameters; see :meth:`Model.carry`."""
        check_largest(self.name, counts, LARGEST_COUNT)
        state = estimate.state
        scaled = (np.log1p(counts / design.exposure) - state["mean"]) / state["spread"]
        later = {"scaled": scaled, "learnt": state.get("learnt", state["scaled"])}
        means = _distributions(state | later, design.exposure).mean
        return estimate.carried(np.maximum(np.where(np.isnan(means), np.nan_to_num(counts), means), 1e-9), later)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw both standard deviations, the last level and what follows; see :meth:`CountModel.simulate`."""
        state = estimate.state
        series = _state_space(state["scaled"])
        axes = np.linalg.cholesky(state["cov"])
        z = rng.standard_normal((POINTS, 2))
        points = np.clip(state["theta"] + WIDENING * z @ axes.T, LEAST, MOST)
        learnt = _state_space(state["learnt"]) if "learnt" in state else series
        log_weight = np.array([_log_posterior(learnt, point) for point in points])
        log_weight += (z * z).sum(axis=1) / 2
        weight = np.cumsum(np.exp(log_weight - log_weight.max()))
        ladder = (rng.random() + np.arange(draws)) / draws * weight[-1]
        rows = np.minimum(np.searchsorted(weight, ladder), POINTS - 1)
        last = np.array([_last_level(series, point) for point in points])
        level_sd, noise_sd = np.exp(points[rows]).T
        x = last[rows, 0] + np.sqrt(last[rows, 1]) * rng.standard_normal(draws)
        paths = np.empty((draws, len(design.periods)), dtype=np.int64)
        for step, exposure in enumerate(design.exposure):
            x = x + level_sd * rng.standard_normal(draws)
            logs = state["mean"] + state["spread"] * (x + noise_sd * rng.standard_normal(draws))
            paths[:, step] = np.maximum(np.rint(exposure * np.expm1(np.minimum(logs, LARGEST_LOG))), 0.0)
        return rng.permutation(paths)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Rounded log-normal counts one period ahead, NaN at the first count; see :meth:`CountModel.distributions`."""
        return _distributions(estimate.state, design.exposure)

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return {"level_sd": (0.0, math.inf), "noise_sd": (0.0, math.inf)}


@dataclass(frozen=True, eq=False)
class LogNormalDistributions(Distributions):
    """Distributions of counts nearest to ``exposure * (exp(x) - 1)``, with x normal; what is below 0 is 0.

    Attributes
    ----------
    centre, sd, exposure : (n,) float array
        Mean and standard deviation of x, and the exposures.
    """

    centre: FloatArray
    sd: FloatArray
    exposure: FloatArray

    def _z(self, y: FloatArray) -> FloatArray:
        """Standardised logs of the upper edges of counts (n,)."""
        edge = np.log1p(np.maximum(np.floor(y) + 0.5, 0.0) / self.exposure)
        value: FloatArray = (edge - self.centre) / self.sd
        return value

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        upper, lower = self._z(y), np.where(y > 0, self._z(y - 1), -np.inf)
        flip = upper + lower > 0  # in the upper tail the difference keeps its digits on the other side
        high, low = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
        value = np.exp(log_ndtr(high)) - np.exp(log_ndtr(low))
        return np.where(np.isnan(y), np.nan, np.where(y < 0, 0.0 * self.centre, value))

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        return np.where(np.isnan(y), np.nan, np.where(y < 0, 0.0 * self.centre, ndtr(self._z(y))))

    def _moment(self, power: int) -> FloatArray:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        logs = np.minimum(self.centre[:, None] + self.sd[:, None] * nodes, LARGEST_LOG)
        counts = np.maximum(self.exposure[:, None] * np.expm1(logs), 0.0)
        value: FloatArray = counts**power @ (weights / weights.sum())
        return value

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`; before rounding."""
        return self._moment(1)

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`; before rounding, with what rounding adds."""
        return np.maximum(self._moment(2) - self._moment(1) ** 2, 0.0) + 1 / 12


def _state_space(series: FloatArray) -> Any:
    """Local level model of a series (n,), NaN where missing."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return UnobservedComponents(series, level="llevel")


def _log_posterior(series: Any, theta: FloatArray) -> float:
    """Log-likelihood of the logs times the priors, at logs of (level_sd, noise_sd) over the series' sd."""
    variances = np.exp(2 * theta[::-1])  # statsmodels has the noise first
    return float(series.loglike(variances)) - float(((theta + 1.0) ** 2).sum()) / (2 * PRIOR_SD**2)


def _derivatives(series: Any, theta: FloatArray, step: float = 1e-2) -> tuple[FloatArray, FloatArray]:
    """Gradient (2,) and negative Hessian (2, 2) of the log posterior, by differences; made positive definite."""
    move = step * np.eye(2)
    middle = _log_posterior(series, theta)
    up, down = ([_log_posterior(series, theta + side * one) for one in move] for side in (1, -1))
    cross = _log_posterior(series, theta + move.sum(axis=0)) - up[0] - up[1] + middle
    hessian = np.array([[up[0] + down[0] - 2 * middle, cross], [cross, up[1] + down[1] - 2 * middle]]) / step**2
    curvature, axes = np.linalg.eigh(-hessian)
    gradient = (np.array(up) - np.array(down)) / (2 * step)
    return gradient, (axes * np.maximum(curvature, PRIOR_SD**-2.0)) @ axes.T


def _last_level(series: Any, theta: FloatArray) -> tuple[float, float]:
    """Mean and variance of the last level given all counts."""
    found = series.filter(np.exp(2 * theta[::-1]), return_ssm=True)
    return float(found.filtered_state[0, -1]), float(found.filtered_state_cov[0, 0, -1])


def _distributions(state: dict[str, Any], exposure: FloatArray) -> LogNormalDistributions:
    """Distributions of each count given those before it."""
    series, theta = _state_space(state["scaled"]), state["theta"]
    found = series.filter(np.exp(2 * theta[::-1]), return_ssm=True)
    variance = found.predicted_state_cov[0, 0, :-1] + np.exp(2 * theta[1])
    first = int(np.flatnonzero(~np.isnan(series.endog[:, 0]))[0])
    known = np.arange(len(variance)) > first
    centre = np.where(known, state["mean"] + state["spread"] * found.predicted_state[0, :-1], np.nan)
    sd = np.where(known, state["spread"] * np.sqrt(variance), np.nan)
    return LogNormalDistributions(centre, sd, exposure)
