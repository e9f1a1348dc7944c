"""Farrington's method: counts against those of the same season in the years before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import ndtri, stdtr
from scipy.stats import nbinom, poisson

from escalation.analysis.alarms.detector import Detector, Ranges, Reason, Signals, Watch, check_steps
from escalation.analysis.alarms.regression import QuasiPoisson, fit_quasi_poisson
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError

POWERS = {"none": 1.0, "1/2": 0.5, "2/3": 2.0 / 3.0}
TREND_YEARS = 3
"""Fewest years with which a trend is fitted."""


@dataclass(frozen=True)
class Farrington(Detector):
    r"""Flexible Farrington method: a quasi-Poisson regression on the same season of past years.

    The counts within ``half_window`` periods of the same place in each of the last ``years`` years (with ``seasons`` >
    1 also those between, in groups of the season) are fitted by a level, groups and a log-linear trend; past counts
    that stand out are weighed down by their Anscombe residuals, and the fit is repeated.  An alarm is a count above
    the upper bound of the current one.  The defaults are the original method (Farrington et al. 1996,
    doi:10.2307/2983331) as R's ``surveillance::farringtonFlexible`` has it, :meth:`noufaily` gives the improved one
    (Noufaily et al. 2013, doi:10.1002/sim.5595) and :meth:`classic` the two-sided one of ``algo.farrington``.

    Periods that were covered in part have the log of their share as an offset, as R has with ``populationOffset``; past
    counts are brought to the share of the current period before the trend is held against them, which R does not do.
    Missing past counts are left out of the regression, a missing current count gives no alarm.  A year is 52 weeks, 12
    months or 365 days, as in R without dates.

    Parameters
    ----------
    years : int
        Years back (R's ``b``).
    half_window : int
        Periods on either side of the same place in a past year (``w``).
    seasons : int
        Groups of the season; 1 uses the windows only (``noPeriods``).
    skip : int, optional
        The last so many periods before the current one are left out; ``half_window`` when left out
        (``pastWeeksNotIncluded``).
    reweight_above : float
        Residuals above this lose weight (``weightsThreshold``); infinity for none.
    trend : {"significant", "always", "none"}
        ``"significant"``: if its p-value is below 0.05.  In both cases only with three years or more and if the
        expected count is not above every past one.
    bound : {"delta", "nb_plugin", "nb_mean_quantile"}
        Normal after the power transform, the NB quantile at the expected count, or that at the upper quantile of the
        expected count (``delta``, ``nbPlugin``, ``muan``).
    power : {"2/3", "1/2", "none"}
        Transform of ``"delta"``; ``"none"`` for the other two.
    alpha : float
        Upper tail probability of the bound.
    enough : tuple of int
        No alarm unless this many incidents (first) in the last so many periods (second), the current one included
        (``limit54``).
    error : {"surveillance", "dispersion"}
        Standard errors of the reweighted fit are scaled with the mean square of its working residuals, as
        ``farringtonFlexible`` does by overwriting the weights of the fit, or with the dispersion, as they should be.

    Raises
    ------
    InputError
        If an option is out of its range.

    Examples
    --------
    >>> Farrington.noufaily(years=4).bound
    'nb_plugin'
    """

    years: int = 5
    half_window: int = 3
    seasons: int = 1
    skip: int | None = None
    reweight_above: float = 1.0
    trend: Literal["significant", "always", "none"] = "significant"
    bound: Literal["delta", "nb_plugin", "nb_mean_quantile"] = "delta"
    power: Literal["2/3", "1/2", "none"] = "2/3"
    alpha: float = 0.05
    enough: tuple[int, int] = (5, 4)
    error: Literal["surveillance", "dispersion"] = "surveillance"
    name: ClassVar[str] = "farrington"
    ranges: ClassVar[Ranges] = {
        "years": (1, 50),
        "half_window": (0, 100),
        "seasons": (1, 52),
        "skip": (0, 1000),
        "alpha": (0.0, 0.5),
    }

    @property
    def label(self) -> str:
        """Name with the kind of bound."""
        return "Farrington" if self.bound == "delta" else "Farrington with a negative binomial bound"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reweight_above > 0:
            raise InputError(f"reweight_above is {self.reweight_above!r}; give a number > 0, or infinity for none")
        if self.bound != "delta" and self.power != "none":
            raise InputError(f"power is {self.power!r} but bound is {self.bound!r}, which has none; give power='none'")
        if not isinstance(self.enough, tuple) or len(self.enough) != 2:
            raise InputError(f"enough is {self.enough!r}; give (incidents, periods), such as (5, 4)")
        check_steps(self.enough[0], "enough[0]", 0, 1_000_000)
        check_steps(self.enough[1], "enough[1]", 1, 1000)

    @classmethod
    def noufaily(cls, years: int = 5, alpha: float = 0.05) -> Farrington:
        """Return the improved method: ten seasons, half a year left out, rare reweighting, NB bound.

        Parameters
        ----------
        years : int
            Years back.
        alpha : float
            Upper tail probability of the bound.

        Returns
        -------
        Farrington
        """
        return cls(
            years=years,
            seasons=10,
            skip=26,
            reweight_above=2.58,
            trend="always",
            bound="nb_plugin",
            power="none",
            alpha=alpha,
        )

    @classmethod
    def classic(cls, years: int = 5, alpha: float = 0.05) -> Farrington:
        """Return ``algo.farrington``, whose bound leaves out half of ``alpha`` above it.

        Parameters
        ----------
        years : int
            Years back.
        alpha : float
            Tail probability of both bounds together.

        Returns
        -------
        Farrington
        """
        return cls(years=years, alpha=alpha / 2.0, error="dispersion")

    def warmup(self, year: int) -> int:
        """Years times periods, and half a window; see :meth:`Detector.warmup`."""
        return self.years * year + self.half_window

    def judge(self, watch: Watch) -> Signals:
        """Fit anew for every period; see :meth:`Detector.judge`."""
        if self.seasons > 1 and watch.year - 2 * self.half_window - 1 < self.seasons - 1:
            raise InputError(f"seasons is {self.seasons}, too many for a year of {watch.year} periods; give fewer")
        counts, exposure = watch.counts, watch.exposure
        expected, upper, score, error = (np.full_like(watch.here, np.nan) for _ in range(4))
        for row, now in enumerate(range(watch.first, len(counts))):
            if np.isnan(counts[now, 0]):
                continue
            group = self._groups(now, watch.year)
            at = np.flatnonzero((group > 0) & ~np.isnan(counts[:now, 0]))
            fitted = self._expect(counts[at], at.astype(float), group[at], now, exposure[at] / exposure[now])
            if fitted is None:
                continue
            mean, error[row], bound = fitted.mean, fitted.error, self._bound(fitted)
            recent = counts[max(now - self.enough[1] + 1, 0) : now + 1]
            enough = np.nansum(recent, axis=0) >= self.enough[0]
            known = enough & np.isfinite(mean) & np.isfinite(bound)
            expected[row], upper[row] = np.where(known, mean, np.nan), np.where(known, bound, np.nan)
            score[row] = (counts[now] - mean) / (bound - mean)
        alarm = np.isfinite(upper) & (score > 1) & (watch.here > 0)
        reason = np.where(np.isfinite(score), "", np.where(np.isfinite(error), Reason.NO_FIT, Reason.TOO_FEW))
        return Signals(expected, upper, score, alarm, reason)

    def _groups(self, now: int, year: int) -> IntArray:
        """Group of each period before ``now``, 0 for those left out; the current group is ``seasons``."""
        group = np.zeros(now + 1, dtype=np.int64)
        for back in range(1, self.years + 1):
            centre = now - back * year
            group[max(centre - self.half_window, 0) : centre + self.half_window + 1] = self.seasons
            if self.seasons > 1:
                between = year - 2 * self.half_window - 1
                length, rest = divmod(between, self.seasons - 1)
                lengths = np.full(self.seasons - 1, length) + (np.arange(self.seasons - 1) < rest)
                begin = centre + self.half_window + 1
                group[begin : begin + between] = np.repeat(np.arange(1, self.seasons), lengths)
        skip = self.half_window if self.skip is None else self.skip
        group[max(now - skip, 0) :] = 0
        return group[:now]

    def _expect(
        self, past: FloatArray, time: FloatArray, group: IntArray, now: int, shares: FloatArray
    ) -> _Fitted | None:
        """Expect the current count, with a trend where one is called for; None where too few counts are there.

        ``shares`` (n,) are those of the past periods in units of that of the current one.
        """
        present = np.unique(group)
        if self.seasons not in present or len(past) <= len(present) + 1:
            return None
        level = (group[:, None] == present).astype(float)
        current = (present == self.seasons).astype(float)
        if self.trend == "none" or self.years < TREND_YEARS:
            return self._fit(level, current, past, shares)
        away = (time - now) / 100.0
        sloped = self._fit(np.column_stack([level, away]), np.append(current, 0.0), past, shares)
        # a mean is NaN where the fit with a trend did not converge
        without = ~(sloped.mean <= (past / shares[:, None]).max(axis=0))
        without |= sloped.p_value >= (0.05 if self.trend == "significant" else 1.0)
        if without.any():
            flat = self._fit(level, current, past[:, without], shares)
            sloped.mean[without], sloped.error[without] = flat.mean, flat.error
            sloped.dispersion[without] = flat.dispersion
        return sloped

    def _fit(self, matrix: FloatArray, current: FloatArray, past: FloatArray, shares: FloatArray) -> _Fitted:
        """Fit, reweight, fit again."""
        weights, reweighted = np.ones_like(past), np.isfinite(self.reweight_above)
        fit = fit_quasi_poisson(matrix, past, weights, shares)
        if reweighted:
            dispersion = np.maximum(fit.dispersion(past, fit.work), 1.0)
            weights = _anscombe_weights(past, fit, dispersion, self.reweight_above)
            fit = fit_quasi_poisson(matrix, past, weights, shares)
        stated = fit.dispersion(past, fit.work)
        scale = dispersion = np.maximum(stated, 1.0)
        if self.error == "surveillance":
            stated = scale = fit.dispersion(past, weights if reweighted else fit.work)
        slope = fit.coefficients[:, -1] / np.sqrt(np.maximum(fit.spread[:, -1, -1] * stated, 1e-300))
        variance = np.einsum("p,spq,q->s", current, fit.spread, current) * scale
        mean = np.exp(np.clip(fit.coefficients @ current, -700.0, 700.0))
        p_value = 2.0 * stdtr(fit.freedom, -np.abs(slope))
        return _Fitted(np.where(fit.converged, mean, np.nan), np.sqrt(variance), dispersion, p_value)

    def _bound(self, fitted: _Fitted) -> FloatArray:
        """Upper bound of the current count (series,)."""
        mean, error, dispersion = fitted.mean, fitted.error, fitted.dispersion
        z = float(ndtri(1.0 - self.alpha))
        if self.bound == "delta":
            power = POWERS[self.power]
            tau = dispersion + mean * error**2
            spread = np.sqrt(power**2 * mean ** (2 * power - 1) * tau)
            upper: FloatArray = (mean**power + z * spread) ** (1.0 / power)
            return upper
        centre = mean if self.bound == "nb_plugin" else mean * np.exp(z * error)
        return count_quantile(1.0 - self.alpha, centre, dispersion)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Expected current count, its error on the log scale, dispersion and p-value of the last term, each (series,)."""

    mean: FloatArray
    error: FloatArray
    dispersion: FloatArray
    p_value: FloatArray


def _anscombe_weights(counts: FloatArray, fit: QuasiPoisson, dispersion: FloatArray, above: float) -> FloatArray:
    """Weights that are small where the standardised Anscombe residual is above a limit; their mean is 1."""
    raw = 1.5 * (counts ** (2 / 3) * fit.fitted ** (-1 / 6) - fit.fitted**0.5)
    residual = raw / np.sqrt(dispersion * np.maximum(1.0 - fit.leverage, 1e-300))
    weights = np.where(residual > above, np.maximum(residual, above) ** -2.0, 1.0)
    scaled: FloatArray = weights * (len(weights) / weights.sum(axis=0))
    return scaled


def count_quantile(level: float, mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Quantile of an NB1 count, ``Var = dispersion * mean``, Poisson where the dispersion is 1; NaN stays."""
    usable = np.isfinite(mean) & np.isfinite(dispersion)
    m, phi = np.where(usable, mean, 1.0), np.where(usable, dispersion, 1.0)
    over = np.maximum(phi, 1.0 + 1e-12)
    wide = nbinom.ppf(level, np.maximum(m / (over - 1.0), 1e-300), 1.0 / over)
    return np.where(usable, np.where(phi > 1.0, wide, poisson.ppf(level, m)), np.nan)
