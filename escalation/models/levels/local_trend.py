"""Local trend: the log of the expected count has a slope, the growth rate, which drifts, with or without damping."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.models.contract.base import CountFit
from escalation.models.contract.largest_rate import highest_log_rate
from escalation.models.levels.level_likelihood import DAMPING, DISPERSION, LEVEL_SD, Series
from escalation.models.levels.levels import FINAL_TOLERANCE, DriftingLevel, Likelihood, Weighted, weigh
from escalation.models.levels.paths import trend_paths
from escalation.models.levels.trend_likelihood import (
    HIGHEST,
    LOWEST,
    PRIOR_CENTRE,
    PRIOR_SD,
    SLOPE_SD,
    log_posterior,
    smoothed,
    unpack,
)

GROWTH_POINTS = 100
"""Number of parameter points that growth rates are averaged over."""


def _starts() -> FloatArray:
    """Points (12, 4) where the search for the mode may begin."""
    starts = np.tile(PRIOR_CENTRE, (12, 1))
    starts[:, SLOPE_SD] = np.repeat(np.log([0.01, 0.1]), 6)
    starts[:, LEVEL_SD] = np.tile(np.repeat(np.log([0.05, 0.3]), 3), 2)
    starts[:, DISPERSION] = np.tile(np.log([0.03, 0.2, 1.0]), 4)
    return starts


def _ahead(natural: FloatArray, moments: FloatArray | None) -> tuple[float, float]:
    """Mean and variance of the next level after states with these moments (6,), or of the first, at one point (4,)."""
    if moments is None:
        return math.nan, math.nan
    return moments[0] + moments[1], moments[2] + 2 * moments[3] + moments[4] + natural[LEVEL_SD] ** 2


def _paths(
    weighted: Weighted,
    rows: IntArray,
    log_exposure: FloatArray,
    series: Series,
    rng: Generator,
) -> IntArray:
    top = highest_log_rate(series.counts, series.log_exposure)
    paths: IntArray = trend_paths(weighted.natural, weighted.moments, rows, log_exposure, top, rng)
    return paths


@dataclass(frozen=True)
class LocalTrend(DriftingLevel):
    """Counts around a log level with a drifting slope.

    ``y_t ~ NB2(mean = exposure_t * exp(x_t), dispersion)``, that is ``Var = mean + dispersion * mean**2``,
    ``x_{t+1} = x_t + slope_t + level_sd * N(0, 1)`` and ``slope_{t+1} = damping * slope_t + slope_sd * N(0, 1)``: the
    local linear trend of Harvey (1989, doi:10.1017/CBO9781107049994) with the damping of Gardner & McKenzie (1985,
    doi:10.1287/mnsc.31.10.1237).  The slope is the growth rate of the expected count a period, see :func:`growth`.
    The first level is normal around the log of the mean count with sd 3; the first slope has the slopes' stationary
    distribution, or without damping is normal around 0 with sd 0.3.

    Level and slope are integrated out as in :class:`~escalation.models.levels.local_level.LocalLevel`, by Laplace's
    approximation with the next-order correction.  Against a fine grid filter over level and slope the log-likelihood of
    30 periods is in error by less than 0.005 for ``level_sd`` up to 0.3 and damped slopes with ``slope_sd`` up to 0.1,
    by up to 0.03 for larger ones, undamped ones, or a lull of twelve periods, by up to 0.7 for both together.

    Estimates are modes of the posterior under normal priors on (log slope_sd, logit damping, log level_sd, log
    dispersion) with centres (log 0.03, 2.2, log 0.1, log 0.2) and standard deviations (1, 2.5, 1, 1.5).  A hundred
    counts say little of a slope's drift, so these matter: intervals of growth rates hold 90% over parameters drawn from
    the priors, 84% where ``slope_sd`` is twice their centre.  ``llf`` is the
    log-likelihood at that mode, without the priors.  The covariance is the inverse curvature of the log posterior,
    carried to the natural scale by the delta method.  ``fitted`` is the smoothed expected count: given all counts,
    later ones included.

    Forecasts carry the growth on, damped or not; without damping the standard deviation of the log level grows with the
    power 1.5 of the horizon, so far horizons are of little use.  An exponential of a normal level has no bound, and
    where a long quiet leaves the slope open, paths would come to 1e14 and means be theirs: levels of forecasts are cut
    at 100 times the largest rate observed (or of one incident in a period, if there was none).  Of usual series hardly
    a path comes there.

    Regressors are taken as in :class:`~escalation.models.levels.local_level.LocalLevel`.

    Parameters
    ----------
    damping : {"estimate", "none"} or float
        Of the slope: ``"estimate"``, ``"none"`` (the slope is a random walk) or a fixed value above 0 and up to 1 (1 is
        ``"none"``).
    family : {"negbin", "poisson"}
        Negative binomial, or Poisson (dispersion 0).

    Raises
    ------
    InputError
        If an option is none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=30, freq="W-SUN")
    >>> fit = LocalTrend(family="poisson").fit(pd.Series([int(10 * 1.05**t) for t in range(30)], index=weeks))
    >>> list(fit.params.index)
    ['slope_sd', 'damping', 'level_sd']
    >>> round(float(growth(fit)["growth"].iloc[15]), 2)
    0.05
    """

    name: ClassVar[str] = "local_trend"
    likelihood: ClassVar[Likelihood] = Likelihood(
        names=("slope_sd", "damping", "level_sd", "dispersion"),
        held_without_damping=(),
        shared=(SLOPE_SD, DAMPING, LEVEL_SD, DISPERSION),
        centre=PRIOR_CENTRE,
        sd=PRIOR_SD,
        starts=_starts(),
        lowest=LOWEST,
        highest=HIGHEST,
        unpack=unpack,
        log_posterior=log_posterior,
        smoothed=smoothed,
        ahead=_ahead,
        paths=_paths,
    )


def growth(fit: CountFit, level: float = 0.9) -> pd.DataFrame:
    """Growth rate of the expected count in each period, given all counts.

    Parameters
    ----------
    fit : CountFit
        Of a :class:`LocalTrend`.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row a period of the fit.  ``growth`` is the median of ``exp(slope) - 1``, the change of the expected count
        from this period to the next as a share of it (0.05 is 5% more), ``growth_ci_lower`` and ``growth_ci_upper`` an
        interval with equal tails, ``probability_rising`` the probability that the slope is above 0, and
        ``doubling_time`` the periods in which the expected count doubles at the median growth rate; it halves in as
        many where that is negative.  The uncertainty of the parameters, averaged over points spread evenly around their
        mode, and of histories is in it.

    Raises
    ------
    InputError
        If the fit is of another model, or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=40, freq="W-SUN")
    >>> fit = LocalTrend().fit(pd.Series([int(400 * 0.9**t) for t in range(40)], index=weeks))
    >>> now = growth(fit).iloc[20]
    >>> round(float(now["growth"]), 2), round(float(now["doubling_time"]), 1)
    (-0.1, -6.5)
    """
    if not isinstance(fit.model, LocalTrend):
        raise InputError(f"growth got a fit of {fit.model.name}; it takes one of local_trend")
    half = check_level(level) / 2
    parts = fit.model.likelihood
    weights, means, sds = [], [], []
    for estimate in fit.estimates:
        series, mode = estimate.state["series"], estimate.state["mode"]
        weighted = weigh(parts, estimate, GROWTH_POINTS, np.full(len(mode.theta) + 1, 0.5))
        share = np.exp(weighted.log_weight - weighted.log_weight.max())
        weights.append(share / share.sum() / len(fit.estimates))
        for natural in weighted.natural:
            _, _, mean, cov = smoothed(series, natural[None], mode.states, FINAL_TOLERANCE)
            means.append(mean[:, 1])
            sds.append(np.sqrt(cov[:, 2]))
    shares, mean, sd = np.concatenate(weights), np.array(means), np.array(sds)
    lower, median, upper = (_quantiles(q, shares, mean, sd) for q in (0.5 - half, 0.5, 0.5 + half))
    return pd.DataFrame(
        {
            "growth": np.expm1(median),
            "growth_ci_lower": np.expm1(lower),
            "growth_ci_upper": np.expm1(upper),
            "probability_rising": shares @ ndtr(mean / sd),
            "doubling_time": np.divide(math.log(2), median, out=np.full(len(median), math.inf), where=median != 0),
        },
        index=fit.design.periods,
    )


def _quantiles(q: float, shares: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Quantiles (n,) of mixtures of normals with means and standard deviations (m, n), by bisection."""
    low, high = (mean - 12 * sd).min(axis=0), (mean + 12 * sd).max(axis=0)
    for _ in range(60):
        centre = (low + high) / 2
        below: NDArray[np.bool_] = shares @ ndtr((centre - mean) / sd) < q
        low, high = np.where(below, centre, low), np.where(below, high, centre)
    middle: FloatArray = (low + high) / 2
    return middle
