"""Alarms: which periods stand out from those before them, and how many false alarms that costs."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation import models
from escalation.analysis.alarms.detector import Detector, Watch
from escalation.analysis.alarms.methods import find_detector
from escalation.conventions.arguments import check_whole
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed
from escalation.conventions.wording import measures, plain
from escalation.counts.periods import DateLike, parse_date, parse_freq, period_word
from escalation.counts.schema import checked_counts, is_histories
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import make_design

YEARS = {"D": 365, "W": 52, "M": 12}
"""Periods in a year, as R's surveillance counts them."""
LIKELY = 0.5
"""A period of histories is named when the probability of its alarm is at least this."""
NAMED = 5
"""Most periods that a sentence names."""


@dataclass(frozen=True, eq=False)
class Alarms:
    """What a surveillance method says of each period.

    Attributes
    ----------
    judged : pandas.DataFrame
        One row a period: ``observed``, ``expected``, ``upper`` (bound of the count), ``alarm``, ``score`` (the
        method's statistic) and ``reason``.  ``alarm`` is the probability of an alarm, that is the share of the
        histories with one, and 0 or 1 for exact counts; the other numbers are means over the histories.  NaN where the
        method gives no answer; ``reason`` says why, and is empty where it gives one.
    method : Detector
        The method with its options.
    histories : int
        How many histories were judged; 1 for exact counts.
    unit : str
        What is counted.
    """

    judged: pd.DataFrame = field(repr=False)
    method: Detector
    histories: int
    unit: str

    @property
    def periods(self) -> pd.PeriodIndex:
        """Periods whose alarm has at least probability one half."""
        return pd.PeriodIndex(self.judged.index[self.judged["alarm"] >= LIKELY])

    def table(self) -> pd.DataFrame:
        """What is said of each period, as in ``judged``."""
        return self.judged

    def sentence(self) -> str:
        """Say it in plain words: how many alarms, when, and what the last period looks like."""
        word = period_word(pd.PeriodIndex(self.judged.index).freqstr)
        judged = self.judged["alarm"].notna()
        if not judged.any():
            return f"{self.method.label} could judge none of the {len(self.judged)} {word}s."
        when = ", ".join(str(period.start_time.date()) for period in self.periods[-NAMED:])
        number = len(self.periods)
        listed = "" if not number else (": " if number <= NAMED else ", the last of them: ") + when
        likely = "" if self.histories == 1 else " with a probability of at least one half"
        text = (
            f"By {self.method.label}, {number or 'none'} of {int(judged.sum())} judged {word}s "
            f"{'is' if number == 1 else 'are'} an alarm{likely}{listed}."
        )
        last = self.judged[judged].iloc[-1]
        counted = f"{last['observed']:,.0f}" if self.histories == 1 else plain(last["observed"])
        verdict = "an alarm" if last["alarm"] >= LIKELY else "no alarm"
        if self.histories > 1:
            verdict = f"an alarm with probability {last['alarm']:.2f}"
        bound = "" if np.isnan(last["upper"]) else f", upper bound {last['upper']:.1f}"
        expected = "" if np.isnan(last["expected"]) else f", expected {last['expected']:.1f}"
        return (
            f"{text} The last one, which starts on {self.judged.index[judged][-1].start_time.date()}, has "
            f"{counted} {self.unit}{expected}{bound}: {verdict}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.judged.round(3), max_rows=60)


@dataclass(frozen=True)
class FalseAlarms:
    """What a surveillance method costs while nothing changes.

    Attributes
    ----------
    per_year : float
        Expected periods in alarm a year.
    mc_error : float
        Monte Carlo standard error of ``per_year``.
    episodes_per_year : float
        Expected runs of consecutive periods in alarm a year, each counted once.
    median_run_length : float
        Periods until the first alarm in half of the simulated series; infinite where fewer than half have one.
    simulated : int
        Periods that each series was judged for.
    draws : int
        Simulated series.
    method : Detector
        The method with its options.
    model : str
        The model that the series were drawn from.
    freq : str
        Frequency of the periods.
    """

    per_year: float
    mc_error: float
    episodes_per_year: float
    median_run_length: float
    simulated: int
    draws: int
    method: Detector
    model: str
    freq: str

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value`` and ``unit``."""
        word = period_word(self.freq)
        return measures(
            [
                ("false alarms", (self.per_year,), "a year"),
                ("Monte Carlo error of false alarms", (self.mc_error,), "a year"),
                ("episodes of false alarms", (self.episodes_per_year,), "a year"),
                ("median run until the first", (self.median_run_length,), f"{word}s"),
            ]
        )

    def sentence(self) -> str:
        """Say it in plain words."""
        word = period_word(self.freq)
        run = f"after {self.median_run_length:.0f} {word}s"
        if math.isinf(self.median_run_length):
            run = f"later than after {self.simulated} {word}s"
        return (
            f"While nothing changes, {self.method.label} raises {self.per_year:.2g} false alarms a year (Monte Carlo "
            f"error {self.mc_error:.1g}) in {self.episodes_per_year:.2g} episodes; half of {self.draws:,} series "
            f"simulated from {self.model} have the first one {run}."
        )

    def _repr_html_(self) -> str:
        return f"<b>False alarms</b>: {html.escape(self.sentence())}"


def alarms(
    counts: CountsLike,
    method: str | Detector = "ears_c2",
    *,
    exposure: pd.Series | None = None,
    start: DateLike | None = None,
    unit: str | None = None,
) -> Alarms:
    """Judge each period by those before it, with a method of infectious disease surveillance.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods allowed), or histories of it.
    method : str or Detector
        ``"ears_c1"`` to ``"ears_c3"`` (the last week or so), ``"farrington"`` and ``"noufaily"`` (same season of past
        years), ``"farrington_classic"``, ``"cusum"``, ``"cusum_negbin"`` and ``"glr"`` (small rises that last),
        ``"bayes"``; or one with options, such as ``EARS("C2", baseline=14)``.  ``"ears_c2"`` is the default because it
        needs neither years nor a season: it judges a period by the seven before the last two.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0, on the periods of ``counts``; what the series brings, or all 1,
        when left out.  Expected counts and bounds are of the part that was covered.
    start : date or Period, optional
        The period that holds it is the first to be judged; when left out the first that can be, for the methods that
        estimate what is normal from the periods before (CUSUM and GLR) the one after the first half.
    unit : str, optional
        What is counted, for sentences and axes; what the series brings, or ``incidents``, when left out.

    Returns
    -------
    Alarms

    Raises
    ------
    InputError
        If the method is unknown, or there are too few periods before the first to be judged.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-08-05", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 2, 9, 3, 1], index=weeks)
    >>> found = alarms(counts)
    >>> [str(period.start_time.date()) for period in found.periods]
    ['2024-10-07']
    >>> round(float(found.judged["upper"].iloc[2]), 2)
    4.44
    """
    counts, exposure, unit = unpack_counts(counts, exposure, unit)
    table, matrix = checked_counts(counts)
    if isinstance(table, pd.DataFrame) and not is_histories(table):
        raise InputError(f"alarms takes one series and got a table of {table.shape[1]} units; choose one column")
    detector = find_detector(method)
    index = pd.PeriodIndex(table.index)
    year = _year(index.freqstr)
    first = detector.first(len(index), year)
    if start is not None:
        first = int(pd.Period(parse_date(start, "start"), index.freqstr).ordinal - index[0].ordinal)
    least = detector.warmup(year)
    if first < least or first >= len(index):
        stand = min(max(first, 0), len(index))
        raise InputError(
            f"{detector.name} judges a period by {least} before it, and here {stand} of {len(index)} stand "
            "before the first to be judged; give a longer series, another start or a method that needs less"
        )
    shares = make_design(index, 0, exposure, None, np.isnan(matrix[:, 0])).exposure
    seen = int((~np.isnan(matrix[:first, 0])).sum())
    if seen < min(least, 2):
        raise InputError(f"{seen} of {first} periods before {index[first]} were observed; start later")
    signals = detector.detect(Watch(matrix, first, year, shares))
    said = {name: getattr(signals, name) for name in ("expected", "upper", "alarm", "score")}
    means = {name: pd.DataFrame(values).mean(axis=1) for name, values in {"observed": matrix[first:], **said}.items()}
    judged = pd.DataFrame(means).set_axis(index[first:])
    judged["reason"] = np.where(judged["alarm"].isna(), signals.reason[:, 0], "")
    return Alarms(judged, detector, matrix.shape[1], unit)


def false_alarms(
    counts: CountsLike,
    method: str | Detector = "ears_c2",
    *,
    exposure: pd.Series | None = None,
    model: CountModel | None = None,
    years: int = 2,
    draws: int = 200,
    rng: Seed = None,
) -> FalseAlarms:
    """Count the alarms of a method on series in which nothing changes.

    Series are drawn from a model fitted to the counts, its parameters with their uncertainty; each begins with the
    periods that the method needs before the first judged one.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex``, or histories of it.
    method : str or Detector
        As in :func:`alarms`.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0; what the series brings, or all 1, when left out.  The series that
        are drawn have whole periods.
    model : CountModel, optional
        What the counts follow while nothing changes; a constant negative binomial rate when left out.
    years : int
        Years that each series is judged for.
    draws : int
        Series.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    FalseAlarms
        For a standardised CUSUM with known mean :func:`cusum_run_length` gives the run length
        without simulation.

    Raises
    ------
    InputError
        If the method is unknown or the series would be longer than a forecast can be.
    FitError
        If the model cannot be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-08-05", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 2, 4, 3, 1], index=weeks)
    >>> cost = false_alarms(counts, rng=1)
    >>> 0.5 < cost.episodes_per_year <= cost.per_year < 3
    True
    """
    detector = find_detector(method)
    fit = (models.NegativeBinomial() if model is None else model).fit(counts, exposure=exposure)
    freq = fit.design.periods.freqstr
    year = _year(freq)
    judged = check_whole(years, "years", 100) * year
    before = max(detector.warmup(year), detector.first(2 * judged, year))
    paths = fit.forecast(before + judged, draws=draws, rng=rng).series_paths.T.astype(float)
    alarm = np.nan_to_num(detector.detect(Watch(paths, before, year, np.ones(len(paths)))).alarm)
    begins = alarm.copy()
    begins[1:] *= 1.0 - alarm[:-1]
    each = alarm.sum(axis=0) / years
    first = np.where(alarm.any(axis=0), alarm.argmax(axis=0) + 1.0, np.inf)
    return FalseAlarms(
        per_year=float(each.mean()),
        mc_error=float(each.std(ddof=1) / math.sqrt(draws)) if draws > 1 else math.inf,
        episodes_per_year=float(begins.sum() / years / draws),
        median_run_length=float(np.sort(first)[(draws - 1) // 2]),
        simulated=judged,
        draws=draws,
        method=detector,
        model=fit.model.name,
        freq=freq,
    )


def _year(freq: str) -> int:
    return YEARS[parse_freq(freq)[0]]
