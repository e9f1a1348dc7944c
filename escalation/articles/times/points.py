"""Days and periods that are named by themselves: dates, weekdays, months, years, last week, yesterday."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import cache

from escalation.articles.times import calendar
from escalation.articles.times.calendar import DAY, Days

MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
DATE = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?!\d)"
YEAR = r"(?:19|20)\d\d(?!\d|,\d)"
WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
HOUR = r"(?: (?i:morning|evening|night|afternoon|noon|midday))?"
HOLIDAY = "(?i:" + "|".join(calendar.HOLIDAYS) + ")"

Resolve = Callable[[dict[str, str], dt.date], Days | None]


def _day(given: dict[str, str], known: dt.date) -> Days | None:
    month, day = calendar.month_number(given["month"]), int(re.sub(r"\D", "", given["day"]))
    if not given.get("year"):
        found = calendar.latest_day(month, day, known)
        return None if found is None else (found, found)
    try:
        found = dt.date(int(given["year"]), month, day)
    except ValueError:
        return None
    return found, found


def _figures(given: dict[str, str], _: dt.date) -> Days | None:
    found = calendar.written_date(given["figures"])
    return None if found is None else (found, found)


def _month(given: dict[str, str], known: dt.date) -> Days:
    month = calendar.month_number(given["month"])
    if given.get("year"):
        days = calendar.month_days(int(given["year"]), month)
    else:
        days = calendar.latest_month(month, known)
        if given.get("last") and days[0] <= known <= days[1]:
            days = calendar.month_days(known.year - 1, month)
    part = (given.get("part") or "").strip(" -").lower()
    if not part:
        return days
    first, last = calendar.PARTS[part]
    end = days[1].day
    return days[0].replace(day=min(first, end)), days[0].replace(day=min(last, end))


def _year(given: dict[str, str], _: dt.date) -> Days:
    return calendar.year_days(int(given["year"]))


def _weekday(given: dict[str, str], known: dt.date) -> Days:
    found = calendar.latest_weekday(given["weekday"], known)
    if given.get("last") and found == known:
        found -= 7 * DAY
    return found, found


def _named(given: dict[str, str], known: dt.date) -> Days | None:
    month, day = calendar.HOLIDAYS[given["holiday"].lower()]
    found = calendar.latest_day(month, day, known)
    return None if found is None else (found, found)


def _near(given: dict[str, str], known: dt.date) -> Days:
    word = given["near"].lower()
    if "yesterday" in word or "last night" in word or "previous day" in word:
        return (known - DAY, known) if "night" in word else (known - DAY, known - DAY)
    if "overnight" in word:
        return known - DAY, known
    return known, known


def _weekend(_: dict[str, str], known: dt.date) -> Days:
    sunday = calendar.latest_weekday("Sunday", known)
    if known.weekday() == 5:
        sunday = known + DAY
    return sunday - DAY, sunday


def _calendar_unit(given: dict[str, str], known: dt.date) -> Days:
    back = given["which"].lower() != "this"
    unit = given["unit"].lower()
    if unit == "week":
        monday = known - known.weekday() * DAY
        return (monday - 7 * DAY, monday - DAY) if back else (monday, known)
    if unit == "month":
        month = calendar.month_days(known.year, known.month)[0]
        return calendar.month_days(*_year_month(month - DAY)) if back else (month, known)
    if unit == "quarter":
        first = calendar.month_days(known.year, 3 * ((known.month - 1) // 3) + 1, 3)
        return calendar.month_days(*_year_month(calendar.shift_months(first[0], -3)), 3) if back else (first[0], known)
    if unit in calendar.SEASONS:
        days = calendar.season_days(unit, known)
        return calendar.season_days(unit, known, days[0].year - 1) if back and days[0] <= known <= days[1] else days
    return calendar.year_days(known.year - 1) if back else (dt.date(known.year, 1, 1), known)


def _year_month(day: dt.date) -> tuple[int, int]:
    return day.year, day.month


def _edge(given: dict[str, str], known: dt.date) -> Days:
    """The start of the month, the end of last year, the turn of the year."""
    unit, end = given["edged"].lower(), given["edge"].lower() == "end"
    whole = {"which": "last" if end or "last" in given["whose"].lower() else "this", "unit": unit}
    days = _calendar_unit(whole, known)
    return (days[1], days[1]) if end else (days[0], days[0])


def _season(given: dict[str, str], known: dt.date) -> Days:
    year = given.get("year")
    return calendar.season_days(given["season"].lower(), known, int(year) if year else None)


POINTS: tuple[tuple[str, Resolve], ...] = (
    (r"(?P<figures>\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./](?:\d{4}|\d\d)\b)", _figures),
    (rf"(?P<month>{MONTH})(?: |(?<=\.))(?P<day>{DATE})(?:,? (?P<year>{YEAR}))?{HOUR}", _day),
    (rf"(?P<day>{DATE}) (?:of )?(?P<month>{MONTH})(?:,? (?P<year>{YEAR}))?{HOUR}", _day),
    (
        rf"(?P<last>(?i:last) )?(?P<part>(?i:early|mid|late|the start of|the beginning of|the end of)[ -])?(?P<month>{MONTH})"
        rf"(?:,? (?:of )?(?P<year>{YEAR}))?",
        _month,
    ),
    (rf"(?P<last>(?i:last|this|the same) )?(?i:(?:late|early) )?(?P<weekday>{WEEKDAY}){HOUR}(?i: last week)?", _weekday),
    (rf"(?P<holiday>{HOLIDAY})\b", _named),
    (r"(?P<near>(?i:yesterday(?: \w+ing)?|last night|the previous day|today|overnight|(?:earlier )?this (?:morning|evening|afternoon)|tonight))\b", _near),
    (r"(?P<near>(?i:(?:the )?(?:last |past )?weekend))\b", _weekend),
    (r"(?i:(?P<which>last|this|the previous) (?P<unit>week|month|year|quarter|spring|summer|autumn|winter))\b", _calendar_unit),
    (r"(?i:the (?P<edge>start|beginning|end|turn) of (?P<whose>the |this |last )(?P<edged>week|month|year|quarter))\b", _edge),
    (rf"(?i:(?:the )?(?P<season>spring|summer|autumn|winter))(?: of)?(?: (?P<year>{YEAR}))?\b", _season),
    (rf"(?P<year>{YEAR})", _year),
)  # fmt: skip


def anonymous(pattern: str) -> str:
    """The pattern without the names of its groups, to stand in another one more than once."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


POINT = "(?:" + "|".join(anonymous(pattern) for pattern, _ in POINTS) + ")"


@cache
def _compiled() -> list[tuple[re.Pattern[str], Resolve]]:
    return [(re.compile(pattern), resolve) for pattern, resolve in POINTS]


def resolve_point(text: str, known: dt.date | None) -> Days | None:
    """First and last day of a day or period that is named by itself.

    Parameters
    ----------
    text : str
        Such as ``Feb. 4``, ``mid-July``, ``last month`` or ``Sunday evening``.
    known : datetime.date or None
        Day of publication.

    Returns
    -------
    (datetime.date, datetime.date) or None
        None where the text names no day, or one that needs the day of publication, which is not known.

    Examples
    --------
    >>> [str(day) for day in resolve_point("last month", dt.date(2024, 3, 5))]
    ['2024-02-01', '2024-02-29']
    """
    for pattern, resolve in _compiled():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        given = {name: value for name, value in found.groupdict().items() if value}
        if known is None:
            if resolve in (_figures, _year) or "year" in given:
                return resolve(given, dt.date(int(given.get("year", 1)), 12, 31))
            return None
        return resolve(given, known)
    return None
