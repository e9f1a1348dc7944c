"""Flashpoints: the probability that counts pass a threshold, read from joint forecast paths."""

from __future__ import annotations

import html
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arguments import check_whole
from escalation.conventions.wording import probability_text
from escalation.counts.periods import MAX_PERIODS, period_word
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.flashpoint_windows import windows
from escalation.forecasts.forecast import Forecast
from escalation.forecasts.proportions import wilson_interval

MC_LEVEL = 0.9
"""Probability of the Monte Carlo interval."""
LARGEST_SUM = 2**62
"""Sums beyond this may not fit into 64 bits."""


@dataclass(frozen=True)
class PastRecord:
    """How often flashpoints came when past forecasts gave them about this probability.

    Attributes
    ----------
    above, upto : float
        The past forecasts are those whose probability lay between these.
    forecasts : int
        How many they are.
    probability : float
        Their mean.
    frequency, lower, upper : float
        Share of them after which the flashpoint came, and its 90% interval.
    """

    above: float
    upto: float
    forecasts: int
    probability: float
    frequency: float
    lower: float
    upper: float

    def sentence(self) -> str:
        """Say it in plain words."""
        return (
            f"After {self.forecasts:,} past forecasts of {self.above:.3g} to {self.upto:.3g} (on average "
            f"{self.probability:.2f}) it came {self.frequency:.0%} of the time (90% interval {self.lower:.0%} to "
            f"{self.upper:.0%})."
        )

    def table(self) -> pd.DataFrame:
        """Its attributes in one row."""
        return pd.DataFrame([vars(self)])


@dataclass(frozen=True)
class FlashpointProbability:
    """The probability of a flashpoint within a horizon, and how far the number of paths leaves it open.

    Attributes
    ----------
    probability : float
        Share of the paths that pass the threshold, 0 to 1.
    mc_error : float
        Monte Carlo standard error of ``probability``, always > 0; see :func:`flashpoint`.
    lower, upper : float
        90% interval of ``probability`` for Monte Carlo error alone.  What the model does not know is
        in the probability itself, not in this interval.
    at_least, over, within : int
        The definition: some ``over`` consecutive periods sum to ``at_least`` or more, the last of
        them one of the first ``within`` periods of the forecast.  Where the threshold follows from pasts that
        differ, ``at_least`` is its median.
    first, last : pandas.Period
        First and last period in which such a window may end.
    draws : int
        Paths behind the number.
    unit, model : str
        What is counted, and what made the forecast.
    name : str
        What the definition is called; empty for a threshold given as a number.
    record : PastRecord, optional
        How reliable such probabilities were; see :func:`~escalation.evaluation.with_record`.
    """

    probability: float
    mc_error: float
    lower: float
    upper: float
    at_least: int
    over: int
    within: int
    first: pd.Period
    last: pd.Period
    draws: int
    unit: str
    model: str
    name: str = ""
    record: PastRecord | None = None

    def sentence(self) -> str:
        """Say it in plain words, with its Monte Carlo error and, where there is one, its record."""
        word = period_word(self.last.freqstr)
        span = f"a {word} with" if self.over == 1 else f"{self.over} consecutive {word}s that together reach"
        ends = f"between {self.first.start_time.date()} and {self.last.end_time.date()}"
        ending = ends if self.over == 1 else f"the last of them {ends}"
        called = f" ({self.name})" if self.name else ""
        record = "" if self.record is None else f" {self.record.sentence()}"
        return (
            f"The probability of {span} at least {self.at_least:,} {self.unit}{called}, {ending}, is "
            f"{_probability(self)} (Monte Carlo error {self.mc_error:.2g}, {self.draws:,} paths).{record}"
        )

    def table(self) -> pd.DataFrame:
        """Its attributes in one row, those of a record named ``record_...``."""
        known = {} if self.record is None else {f"record_{name}": value for name, value in vars(self.record).items()}
        return pd.DataFrame([vars(self) | known]).drop(columns="record")

    def _repr_html_(self) -> str:
        return (
            f"<b>Flashpoint</b> by {html.escape(self.model)}: {html.escape(self.sentence())} "
            f"90% Monte Carlo interval {self.lower:.3f} to {self.upper:.3f}."
        )


def flashpoint(
    forecast: Forecast, at_least: int | Flashpoint, over: int = 1, within: int | None = None
) -> FlashpointProbability:
    r"""Probability that some window of consecutive periods reaches a threshold.

    A window is ``over`` consecutive periods that end in one of the first ``within`` periods of the
    forecast.  Windows that begin before the origin count what was observed there; a window that holds
    an unobserved period, or begins before the series, is left out.  The probability is the share of joint
    paths with at least one window of ``at_least`` or more: periods of one path depend on each other,
    so probabilities of single periods are never multiplied.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of one series.
    at_least : int or Flashpoint
        Threshold of a window's sum, >= 1; or a definition, whose threshold may follow from what was observed.
    over : int
        Periods in a window, >= 1; a definition brings its own.
    within : int, optional
        Horizon in periods, 1 to ``forecast.steps``; all of them when left out.

    Returns
    -------
    FlashpointProbability

    Raises
    ------
    InputError
        If a number is not whole or out of range, no window is complete, or a definition is about another unit.

    Notes
    -----
    With ``k`` of ``n`` paths over the threshold the Monte Carlo error is
    :math:`\sqrt{\tilde p (1 - \tilde p) / n}` at :math:`\tilde p = (k + 1/2) / (n + 1)`, so that it is
    never 0.  Paths that continue the same history share what that history says; with ``m`` histories
    and shares :math:`p_c` from :math:`n_c` paths, the error is at least
    :math:`\sqrt{\frac{m}{m-1} \sum_c (n_c / n)^2 (p_c - p)^2}`, the standard error of a mean of
    clusters (Cochran, Sampling Techniques, 3rd ed. 1977, section 9A).  ``lower`` and ``upper`` are Wilson's
    interval (doi:10.1080/01621459.1927.10502953) with the number of independent paths that this
    error stands for.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> weeks = pd.period_range("2024-12-02", periods=3, freq="W-SUN")
    >>> paths = np.array([[0, 1, 0], [2, 4, 1], [3, 0, 0], [0, 0, 6]])
    >>> forecast = Forecast.of_series(paths, weeks, np.full((4, 2), 3.0), "by hand")
    >>> flashpoint(forecast, 6).probability
    0.25
    >>> flashpoint(forecast, 6, over=2, within=2).probability  # 3 observed + 3, and 2 + 4
    0.5
    """
    least, over, name = _definition(forecast, at_least, over)
    steps = check_whole(forecast.steps if within is None else within, "within", MAX_PERIODS)
    if steps > forecast.steps:
        raise InputError(f"within is {steps}, but the forecast has {forecast.steps} steps; forecast further ahead")
    complete, passed = windows(forecast.series_observed, forecast.series_paths, least, over)
    if not complete[:steps].any():
        raise InputError(
            f"no window of over={over} periods that ends within {steps} steps is complete; "
            f"shorten over, raise within or fill unobserved periods"
        )
    hit = np.asarray(passed[:, :steps].any(axis=1))
    error = _mc_error(hit, forecast.component)
    lower, upper = _wilson(float(hit.mean()), error, len(hit))
    return FlashpointProbability(
        probability=float(hit.mean()),
        mc_error=error,
        lower=lower,
        upper=upper,
        at_least=int(np.median(least)),
        over=int(over),
        within=steps,
        first=forecast.periods[int(np.argmax(complete))],
        last=forecast.periods[steps - 1],
        draws=forecast.draws,
        unit=forecast.unit,
        model=forecast.model,
        name=name,
    )


def hits(forecast: Forecast, at_least: int | Flashpoint, over: int = 1) -> NDArray[np.bool_]:
    """Which paths (draws,) have a window that reaches the threshold; their share is that of :func:`flashpoint`."""
    least, over, _ = _definition(forecast, at_least, over)
    return np.asarray(windows(forecast.series_observed, forecast.series_paths, least, over)[1].any(axis=1))


def first_passage(forecast: Forecast, at_least: int | Flashpoint, over: int = 1) -> pd.Series:
    """Probability that the threshold has been passed by each period of the forecast.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of one series.
    at_least : int or Flashpoint
        Threshold of a window's sum, or a definition.
    over : int
        Periods in a window, as in :func:`flashpoint`.

    Returns
    -------
    pandas.Series
        One value a period, never falling; each equals :func:`flashpoint` with ``within`` up to that
        period.  NaN before the first complete window.

    Raises
    ------
    InputError
        If a number is not whole or out of range, no window is complete, or a definition is about another unit.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> weeks = pd.period_range("2024-12-02", periods=3, freq="W-SUN")
    >>> paths = np.array([[0, 1, 0], [2, 4, 1], [3, 0, 0], [0, 0, 6]])
    >>> forecast = Forecast.of_series(paths, weeks, np.full((4, 2), 3.0), "by hand")
    >>> first_passage(forecast, 6, over=2).tolist()
    [0.25, 0.5, 0.75]
    """
    least, over, _ = _definition(forecast, at_least, over)
    complete, passed = windows(forecast.series_observed, forecast.series_paths, least, over)
    if not complete.any():
        raise InputError(f"no window of over={over} periods in the forecast is complete; shorten over")
    by_then = np.maximum.accumulate(passed, axis=1).mean(axis=0)
    by_then[: int(np.argmax(complete))] = np.nan
    return pd.Series(by_then, index=forecast.periods, name="probability")


def _mc_error(hit: NDArray[np.bool_], component: NDArray[np.int64] | None) -> float:
    """Binomial standard error, or that of the mean over histories where it is larger."""
    n = len(hit)
    smoothed = (hit.sum() + 0.5) / (n + 1)
    binomial = sqrt(smoothed * (1 - smoothed) / n)
    return error_of_mean(hit, component, binomial)


def error_of_mean(values: NDArray[np.generic], component: NDArray[np.int64] | None, least: float) -> float:
    """Monte Carlo standard error of a mean over paths (draws,): ``least``, or that of histories where it is larger."""
    if component is None:
        return least
    _, member = np.unique(component, return_inverse=True)
    size = np.bincount(member)
    if len(size) == 1:
        return least
    mean = np.bincount(member, weights=values) / size
    spread = np.sum((size / len(values)) ** 2 * (mean - values.mean()) ** 2) * len(size) / (len(size) - 1)
    return max(least, sqrt(spread))


def _wilson(share: float, error: float, n: int) -> tuple[float, float]:
    """Wilson's interval of a share, for as many independent paths as its standard error stands for."""
    smoothed = (share * n + 0.5) / (n + 1)
    lower, upper = wilson_interval(np.array(share), np.array(smoothed * (1 - smoothed) / error**2), MC_LEVEL)
    return float(lower), float(upper)


def _probability(result: FlashpointProbability) -> str:
    """Write the probability; one that no path or every path has, as a bound."""
    if result.probability == 0.0:
        return f"below {result.upper:.2g}"
    if result.probability == 1.0:
        return f"above {1 - float(f'{1 - result.lower:.2g}'):g}"
    return probability_text(result.probability)


def _definition(forecast: Forecast, at_least: int | Flashpoint, over: int) -> tuple[NDArray[np.int64], int, str]:
    """Threshold of each path (draws,), periods of a window, and the name of the definition."""
    if not isinstance(forecast, Forecast):
        raise InputError(f"forecast is a {type(forecast).__name__}; give the forecast of one series")
    if isinstance(at_least, str):
        raise InputError(f"at_least is {at_least!r}; a definition by its name is get_flashpoint({at_least!r})")
    if isinstance(at_least, Flashpoint):
        if over != 1:
            raise InputError(f"over is {over!r}, but the definition {at_least.name} brings its own; leave over out")
        at_least.check_unit(forecast.unit)
        freq = str(forecast.periods.freqstr)
        least, over, name = at_least.thresholds(forecast.series_observed, freq), at_least.over(freq), at_least.name
    else:
        least, name = np.full(forecast.draws, check_whole(at_least, "at_least", LARGEST_SUM)), ""
    over = check_whole(over, "over", MAX_PERIODS)
    span = forecast.observed.shape[2] + forecast.steps
    if over > span:
        raise InputError(f"over is {over}, longer than the {span} periods observed and forecast; shorten it")
    return least, over, name
