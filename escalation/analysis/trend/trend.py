"""Trend: is the rate of incidents rising, as a ratio of two windows with its range and its probability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.carried import CARRIED_HISTORIES, carried_by
from escalation.analysis.trend.fluctuation import probability_unusual
from escalation.analysis.trend.rate_change import RateChange, WindowRate
from escalation.analysis.trend.rate_posterior import (
    RatePosterior,
    WindowCounts,
    exact_p_value,
    interval,
    invert,
    negbin,
    poisson,
)
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, generator_for, seed_of
from escalation.counts.histories import POOLED
from escalation.counts.series import CountsLike, unpack_counts
from escalation.counts.windows import WindowSpec, two_windows
from escalation.errors import InputError
from escalation.models.contract.base import fit_checked
from escalation.models.contract.design import Checked, check_series
from escalation.models.contract.underlying import UnderlyingRates, probability_above, underlying_rates
from escalation.models.registry import default_model

FEWER_HISTORIES, FEWER_DRAWS = 6, 600
"""Histories and draws that are enough for it where the underlying rates are drawn anew."""

CHANGING = "changing_rate"
"""Family that follows the rate through the whole series."""
DRAWS = 2000
"""Draws of the underlying rates."""
UNDERLYING, USUAL = "underlying rates", "usual fluctuation"
"""Labels of their random numbers."""

FAMILIES: dict[str, Callable[[WindowCounts, WindowCounts], RatePosterior]] = {"negbin": negbin, "poisson": poisson}


def compare_rates(
    counts: CountsLike,
    recent: WindowSpec,
    baseline: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    family: str = CHANGING,
    level: float = 0.9,
    draws: int = DRAWS,
    rng: Seed = None,
) -> RateChange:
    r"""Compare the rate of a recent window with that of a baseline window.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods are left out), or histories of it,
        each of which has the same weight.
    recent, baseline : int, slice or tuple
        The windows.  A whole number is the last so many periods (``recent``) or the so many just
        before the recent window (``baseline``); a pair is the first and last date or period, both inclusive,
        and stands for the whole periods that hold them; a slice of whole numbers counts positions as
        Python does, a slice of dates or periods includes both ends.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0, on the periods of ``counts``; what the series brings, or all 1,
        when left out.
    family : {"changing_rate", "negbin", "poisson"}
        ``"changing_rate"`` takes both rates from the posterior of :func:`escalation.default_model` given the whole
        series, as forecasts do; ``"negbin"`` looks at the two windows alone, with one rate each and counts that are
        independent given it, and estimates their dispersion; ``"poisson"`` assumes that there is none, and is exact.
    level : float
        Probability of the intervals, between 0 and 1.
    draws : int
        Draws of the underlying rates, for ``"changing_rate"``.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    RateChange

    Raises
    ------
    InputError
        If the windows overlap, are empty, lie outside the series or hold no observed period, or an
        option cannot be used.
    FitError
        For ``"changing_rate"``, if fewer than three periods were observed.

    Notes
    -----
    **changing_rate.** The mean underlying rates of both windows are drawn together, so that neighbouring periods, level
    shifts and single outliers are what they are in the forecast; see :class:`escalation.models.ChangingRate`.

    **negbin.** Counts are negative binomial with mean :math:`e_i \mu` in a window (exposure :math:`e_i`), one
    dispersion :math:`\alpha` in both and size :math:`e_i / \alpha`, so that :math:`\mathrm{Var} = m + \alpha m^2` in
    a full period and parts of a period add up to it.  The prior of each mean is that of
    Jeffreys at given :math:`\alpha`, :math:`\mu^{-1/2} (1 + \alpha \mu)^{-1/2}` for full periods
    (:math:`\mu^{-1/2}` alone leaves an improper posterior when a window is short and
    :math:`\alpha` large), divided by its value at the rate of both windows together so that it does
    not favour small dispersion; :math:`\sqrt\alpha`, the coefficient of variation of the underlying
    rate, is half-normal with scale 1.  The posterior is summed on grids, with no sampling: nodes of
    :math:`\sqrt\alpha`, and for each a uniform grid of :math:`\log \mu` on which the distribution of
    the log ratio is a correlation.  Histories are averaged with equal weight.  Intervals are equal-tailed.

    **poisson.** Given the total of both windows the recent total is binomial: the interval is that of
    Clopper and Pearson (doi:10.1093/biomet/26.4.404) for its share, as in R's ``poisson.test``; rates have the exact
    interval of Garwood (doi:10.1093/biomet/28.3-4.437).  Over histories the beta (gamma) distribution
    functions behind the limits are averaged before they are inverted.  ``ratio`` and ``probability_higher`` come from
    the Jeffreys posterior.

    A window without incidents does not have the rate 0: the shorter it is, the less it says, so two
    empty windows of unequal length do not give a probability of one half.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-09-02", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5], index=weeks)
    >>> change = compare_rates(counts, recent=4, baseline=8, rng=1)
    >>> change.recent.total, change.baseline.total, change.probability_unusual > 0.95, change.probability_higher > 0.8
    (18.0, 9.0, True, True)
    >>> exact = compare_rates(counts, 4, 8, family="poisson", rng=1)
    >>> round(exact.lower, 3), round(exact.upper, 3), round(exact.p_value, 5)
    (1.926, 8.74, 0.00066)
    """
    if family != CHANGING and family not in FAMILIES:
        raise InputError(
            f"family is {family!r}; use changing_rate (the whole series), negbin (the two windows, dispersion "
            "estimated) or poisson (none assumed)"
        )
    check_level(level)
    counts, exposure, unit = unpack_counts(counts, exposure)
    checked = check_series("compare_rates", counts, exposure, None)
    seed = seed_of(rng)
    if family == CHANGING:
        both_windows(checked, recent, baseline)  # what is wrong with them is said before a model is fitted
        return change_of(follow(checked, seed, draws=draws, unit=unit), checked, recent, baseline, level, seed)
    now, was = both_windows(checked, recent, baseline)
    posterior = FAMILIES[family](now.data, was.data)
    lower, upper = interval(posterior.ratio_limits, level)
    carried, without = carried_by(
        posterior.probability_higher, lambda sign: _alone_without(now, was, sign, FAMILIES[family])
    )
    return RateChange(
        ratio=invert(posterior.ratio, 0.5),
        lower=lower,
        upper=upper,
        level=level,
        probability_higher=posterior.probability_higher,
        probability_unusual=_unusual(checked, now, was, seed),
        recent=now.rate(*interval(posterior.recent_limits, level)),
        baseline=was.rate(*interval(posterior.baseline_limits, level)),
        dispersion=posterior.dispersion,
        family=family,
        p_value=exact_p_value(now.data, was.data, posterior.dispersions),
        histories=now.data.counts.shape[1],
        carried_by=carried,
        probability_without=without,
    )


def follow(
    checked: Checked, seed: int, *, draws: int = DRAWS, histories: int = POOLED, unit: str = ""
) -> UnderlyingRates:
    """Draw the underlying rates of checked counts by the default model.

    Raises
    ------
    FitError
        If too few periods were observed.
    """
    fit = fit_checked(default_model(), checked, histories, unit)
    return underlying_rates(fit, draws=draws, rng=generator_for(seed, UNDERLYING))


def change_of(
    rates: UnderlyingRates, checked: Checked, recent: WindowSpec, baseline: WindowSpec, level: float, seed: int
) -> RateChange:
    """Compare the mean underlying rates of two windows; see :func:`compare_rates`."""
    now, was = both_windows(checked, recent, baseline)
    of_now, of_was = rates.mean_over(now.place), rates.mean_over(was.place)
    higher = probability_above(of_now, of_was)
    carried, without = carried_by(higher, lambda sign: _anew_without(checked, now, was, sign, seed))
    lower, upper, middle = _quantiles(of_now / of_was, level)
    return RateChange(
        ratio=middle,
        lower=lower,
        upper=upper,
        level=level,
        probability_higher=higher,
        probability_unusual=_unusual(checked, now, was, seed),
        recent=now.rate(*_quantiles(of_now, level)),
        baseline=was.rate(*_quantiles(of_was, level)),
        dispersion=rates.dispersion,
        family=CHANGING,
        p_value=None,
        histories=checked.array.shape[0],
        carried_by=carried,
        probability_without=without,
    )


def ratio_of_rates(
    counts: CountsLike,
    recent: WindowSpec,
    baseline: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    rng: Seed = None,
) -> tuple[float, float, float]:
    """Ratio, probability of a rise beyond the usual fluctuation, and of a higher rate, as of :func:`compare_rates`.

    By fewer draws of fewer histories.
    """
    counts, exposure, _ = unpack_counts(counts, exposure)
    checked = check_series("compare_rates", counts, exposure, None)
    now, was = both_windows(checked, recent, baseline)
    ratio, higher = _fewer(checked, now.place, was.place, seed := seed_of(rng))
    return ratio, _unusual(checked, now, was, seed), higher


def _fewer(checked: Checked, now: slice, was: slice, seed: int) -> tuple[float, float]:
    rates = follow(checked, seed, draws=FEWER_DRAWS, histories=FEWER_HISTORIES)
    of_now, of_was = rates.mean_over(now), rates.mean_over(was)
    return float(np.median(of_now / of_was)), probability_above(of_now, of_was)


def _quantiles(draws: FloatArray, level: float) -> tuple[float, float, float]:
    """Central interval and median."""
    lower, upper, middle = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2, 0.5]).tolist()
    return lower, upper, middle


def _unusual(checked: Checked, now: _Window, was: _Window, seed: int) -> float:
    rng = generator_for(seed, USUAL)
    return probability_unusual(checked.array, checked.design, now.place, was.place, rng=rng)


# Windows


@dataclass(frozen=True, eq=False)
class _Window:
    """A window: its first and last period and its place, the observed periods and their counts."""

    first: pd.Period
    last: pd.Period
    place: slice
    observed: pd.PeriodIndex
    data: WindowCounts

    def rate(self, lower: float, upper: float, rate: float | None = None) -> WindowRate:
        """Say its rate, incidents over exposure unless given, with the interval."""
        total, exposure = float(self.data.totals().mean()), float(self.data.exposure.sum())
        value = total / exposure if rate is None else rate
        return WindowRate(self.first, self.last, len(self.observed), total, exposure, value, lower, upper)


def both_windows(checked: Checked, recent: WindowSpec, baseline: WindowSpec) -> tuple[_Window, _Window]:
    """The recent and the baseline window of one series or its histories.

    Raises
    ------
    InputError
        If the windows overlap, are empty, lie outside the series or hold no observed period.
    """
    now, was = two_windows(checked.design.periods, recent, baseline)
    return _cut(checked, now, "recent"), _cut(checked, was, "baseline")


def _cut(checked: Checked, span: slice, name: str) -> _Window:
    """Observed periods of one window."""
    matrix, index = checked.array.T[span], checked.design.periods
    seen = ~np.isnan(matrix[:, 0])
    first, last = index[span.start], index[span.stop - 1]
    if not seen.any():
        raise InputError(f"{name} ({first} to {last}) holds no observed period; choose a window with data")
    data = WindowCounts(matrix[seen], checked.design.exposure[span][seen])
    return _Window(first, last, span, index[span][seen], data)


def _leaning(now: _Window, was: _Window, sign: float) -> Iterator[tuple[_Window, int]]:
    """The period of each window that speaks most for a direction, unless the window has no other.

    That is the highest recent and the lowest baseline one for a rise, the other way round for a fall.
    """
    for window, side in ((now, sign), (was, -sign)):
        if len(window.observed) > 1:
            yield window, int(np.argmax(side * window.data.counts.mean(axis=1) / window.data.exposure))


def _anew_without(
    checked: Checked, now: _Window, was: _Window, sign: float, seed: int
) -> Iterator[tuple[float, pd.Period]]:
    """Probability of a higher rate as if one leaning period had not been observed, and that period."""
    for window, at in _leaning(now, was, sign):
        period = window.observed[at]
        rest = checked.array.copy()
        rest[:, checked.design.periods.get_loc(period)] = np.nan
        yield _fewer(checked._replace(array=rest), now.place, was.place, seed)[1], period


def _alone_without(
    now: _Window, was: _Window, sign: float, family: Callable[[WindowCounts, WindowCounts], RatePosterior]
) -> Iterator[tuple[float, pd.Period]]:
    """Probability of a higher rate from both windows alone, without one leaning period, and that period."""
    for window, at in _leaning(now, was, sign):
        rest = window.data.without(at).thinned(CARRIED_HISTORIES)
        other = (was if window is now else now).data.thinned(CARRIED_HISTORIES)
        posterior = family(rest, other) if window is now else family(other, rest)
        yield posterior.probability_higher, window.observed[at]
