"""Named calendars: days of feasts, fasts and public holidays, as spans and as the share of each period's days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.counts.periods import MAX_PERIODS, DateLike, days_in, parse_date
from escalation.errors import InputError

HOLIDAYS = "holidays-"
"""Begins the name of the public holidays of a country: ``holidays-IQ``, or ``holidays-US-CA`` for a part of it."""


class Feast(NamedTuple):
    """Days of the Islamic year, both included; a last day of 0 is the last one of the month."""

    month: int
    first: int
    last: int


FEASTS = {
    "ramadan": Feast(9, 1, 0),
    "eid_al_fitr": Feast(10, 1, 3),
    "eid_al_adha": Feast(12, 10, 13),
    "muharram": Feast(1, 1, 0),
    "ashura": Feast(1, 10, 10),
    "arbaeen": Feast(2, 20, 20),
    "mawlid": Feast(3, 12, 12),
}


def calendar_spans(calendar: str, start: DateLike, end: DateLike) -> pd.DataFrame:
    """Spans of days of a named calendar that lie, or lie in part, between two days.

    Parameters
    ----------
    calendar : str
        ``"ramadan"``, ``"eid_al_fitr"``, ``"eid_al_adha"``, ``"muharram"``, ``"ashura"``, ``"arbaeen"`` or
        ``"mawlid"``, by the Umm al-Qura calendar of the package hijridate, from which a month that begins with the
        sight of the moon may be a day off; or ``"holidays-"`` and the code of a country, such as ``"holidays-IQ"``, or
        of a part of one, such as ``"holidays-US-CA"``: public holidays of the package holidays.
    start, end : date or str
        First and last day.

    Returns
    -------
    pandas.DataFrame
        ``start`` and ``end`` (both included) and ``name``, in the order of time, none cut at ``start`` or ``end``.

    Raises
    ------
    InputError
        If there is no such calendar, its package is not installed, or it does not reach so far.

    Examples
    --------
    >>> calendar_spans("ramadan", "2024-01-01", "2024-12-31").astype(str).values.tolist()
    [['2024-03-11', '2024-04-09', 'ramadan']]
    """
    first, last = parse_date(start, "start").normalize(), parse_date(end, "end", side="end").normalize()
    if last < first:
        raise InputError(f"the calendar would end on {last.date()}, before it starts on {first.date()}; swap the dates")
    if calendar in FEASTS:
        found = _feasts(calendar, first.date(), last.date())
    elif isinstance(calendar, str) and calendar.startswith(HOLIDAYS):
        found = _holidays(calendar, first.date(), last.date())
    else:
        raise InputError(
            f"calendar is {calendar!r}; use {', '.join(FEASTS)}, or {HOLIDAYS} and the code of a country, such as "
            f"{HOLIDAYS}IQ"
        )
    spans = pd.DataFrame(found, columns=["start", "end", "name"])
    spans = spans.astype({"start": "datetime64[ns]", "end": "datetime64[ns]", "name": "str"})
    within = (spans["end"] >= first) & (spans["start"] <= last)
    return spans[within].sort_values(["start", "name"], ignore_index=True)


def calendar_columns(periods: pd.PeriodIndex, calendars: Sequence[str], *, ahead: int = 0) -> pd.DataFrame:
    """Share of the days of each period that are days of named calendars, to be given to a model as ``exog``.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Of the counts, n of them.
    calendars : sequence of str
        Names of calendars; see :func:`calendar_spans`.
    ahead : int
        How many coming periods to add, for a forecast.

    Returns
    -------
    pandas.DataFrame
        n + ahead rows, one column a calendar, from 0 to 1.

    Raises
    ------
    InputError
        If ``periods`` is no ``PeriodIndex``, a calendar is named twice, or one of them cannot be had.

    Examples
    --------
    >>> months = pd.period_range("2024-02", periods=3, freq="M")
    >>> calendar_columns(months, ["ramadan"], ahead=1).round(2)["ramadan"].tolist()
    [0.0, 0.68, 0.3, 0.0]

    Counts until now and a forecast of four weeks; the coefficient says how many times as many there are in Ramadan.

    >>> from escalation import NegativeBinomial
    >>> weeks = pd.period_range("2022-01-03", periods=120, freq="W-SUN")
    >>> exog = calendar_columns(weeks, ["ramadan"], ahead=4)
    >>> counts = pd.Series(np.random.default_rng(1).poisson(4 + 8 * exog["ramadan"].iloc[:120]), index=weeks)
    >>> fit = NegativeBinomial().fit(counts, exog=exog.iloc[:120])
    >>> bool(2 < np.exp(fit.params["ramadan"]) < 4)
    True
    >>> fit.forecast(4, exog=exog.iloc[120:], rng=1).steps
    4
    """
    if not isinstance(periods, pd.PeriodIndex) or not len(periods):
        raise InputError(f"periods is a {type(periods).__name__}; give the PeriodIndex of the counts")
    check_different(calendars)
    more = check_whole(ahead, "ahead", MAX_PERIODS) if ahead else 0
    last = periods[-1]
    whole = pd.PeriodIndex(periods.append(pd.period_range(last + 1, periods=more, freq=periods.freqstr)))
    whole = whole.rename(periods.name)
    return pd.DataFrame({name: _shares(whole, name) for name in calendars}, index=whole)


def check_different(calendars: Sequence[str]) -> None:
    """Refuse what is no list of different names.

    Raises
    ------
    InputError
        If so.
    """
    if isinstance(calendars, str) or len(set(calendars)) < len(calendars):
        raise InputError(f"calendars is {calendars!r}; give a list of different names, such as ['ramadan']")


def _shares(periods: pd.PeriodIndex, calendar: str) -> FloatArray:
    """Share (n,) of the days of each period that are of a calendar."""
    spans = calendar_spans(calendar, periods[0].start_time, periods[-1].end_time)
    first = periods[0].start_time
    lengths = days_in(periods)
    marked = np.zeros(int(lengths.sum()), dtype=bool)
    for begin, finish in zip(spans["start"], spans["end"], strict=True):
        marked[max((begin - first).days, 0) : (finish - first).days + 1] = True
    starts = np.append(0, np.cumsum(lengths)[:-1])
    value: FloatArray = np.add.reduceat(marked.astype(np.float64), starts) / lengths
    return value


def _feasts(calendar: str, first: date, last: date) -> list[tuple[date, date, str]]:
    """Spans of a feast of the Islamic year, from the year before the first day to that after the last."""
    try:
        from hijridate import Gregorian, Hijri
    except ImportError:
        raise InputError(f"{calendar} needs hijridate; pip install 'escalation[calendars]'") from None
    feast = FEASTS[calendar]
    try:
        years = [Gregorian(day.year, day.month, day.day).to_hijri().year for day in (first, last)]
    except OverflowError as error:
        raise InputError(f"{calendar} is not known for {first} to {last}: {error}") from None
    found = []
    for year in range(years[0], years[1] + 1):
        begins = Hijri(year, feast.month, feast.first)
        ends = Hijri(year, feast.month, feast.last or begins.month_length())
        days = [day.to_gregorian().datetuple() for day in (begins, ends)]
        found.append((date(*days[0]), date(*days[1]), calendar))
    return found


def _holidays(calendar: str, first: date, last: date) -> list[tuple[date, date, str]]:
    """Public holidays of a country, one day each."""
    try:
        from holidays import country_holidays
    except ImportError:
        raise InputError(f"{calendar} needs holidays; pip install 'escalation[calendars]'") from None
    country, _, part = calendar.removeprefix(HOLIDAYS).partition("-")
    try:
        days = country_holidays(country, subdiv=part or None, years=range(first.year, last.year + 1))
    except NotImplementedError as error:
        raise InputError(f"{calendar} is no calendar of the package holidays: {error}") from None
    return [(day, day, str(name)) for day, name in days.items()]
