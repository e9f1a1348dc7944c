"""Days, months, quarters and seasons that a text names, as first and last day."""

from __future__ import annotations

import calendar
import datetime as dt
import re

Days = tuple[dt.date, dt.date]
"""First and last day, both included."""

DAY = dt.timedelta(days=1)
MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: number for number, name in enumerate(calendar.day_name)}
QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4, "final": 4}
SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (12, 2)}
HOLIDAYS = {
    "christmas day": (12, 25), "christmas eve": (12, 24), "christmas": (12, 25), "boxing day": (12, 26),
    "new year's day": (1, 1), "new year's eve": (12, 31), "new year": (1, 1), "valentine's day": (2, 14),
    "may day": (5, 1),
}  # fmt: skip
PARTS = {"early": (1, 10), "mid": (15, 15), "late": (20, 31), "the start of": (1, 1), "the beginning of": (1, 1), "the end of": (31, 31)}  # fmt: skip
LENGTHS = {"hour": 1 / 24, "day": 1, "night": 1, "week": 7, "fortnight": 14}
"""Days of the units of time that have a fixed length."""


def month_number(name: str) -> int:
    """Number of a month that is written in full or cut short."""
    return MONTHS[name[:3].title()]


def month_days(year: int, month: int, months: int = 1) -> Days:
    """First and last day of one month or of several from it on."""
    last = shift_months(dt.date(year, month, 1), months) - DAY
    return dt.date(year, month, 1), last


def year_days(year: int) -> Days:
    """First and last day of a year."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def shift_months(day: dt.date, months: int) -> dt.date:
    """The same day some months later, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9998:
        return day
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def shift(day: dt.date, number: float, unit: str) -> dt.date:
    """A day some units of time later (earlier, where the number is below 0)."""
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}.get(unit)
    if months:
        return shift_months(day, round(number * months))
    days = number * LENGTHS[unit]
    step = -(-days // 1) if days > 0 else days // 1
    return day + dt.timedelta(days=max(min(step, 30_000), -30_000))


def latest_month(month: int, known: dt.date) -> Days:
    """The latest month of this name that had begun by a day."""
    return month_days(known.year if month <= known.month else known.year - 1, month)


def latest_day(month: int, day: int, known: dt.date) -> dt.date | None:
    """The latest day of this name up to a day and the two after it; None where no calendar has it."""
    for year in range(known.year + 1, known.year - 9, -1):
        try:
            found = dt.date(year, month, day)
        except ValueError:
            continue
        if found <= known + 2 * DAY:
            return found
    return None


def latest_weekday(name: str, known: dt.date) -> dt.date:
    """The latest weekday of this name up to a day, that day included."""
    return known - dt.timedelta(days=(known.weekday() - WEEKDAYS[name.title()]) % 7)


def quarter_days(quarter: int, known: dt.date, year: int | None = None) -> Days:
    """A quarter of a year; without one, the latest that had ended by a day."""
    if year is not None:
        return month_days(year, 3 * quarter - 2, 3)
    days = month_days(known.year, 3 * quarter - 2, 3)
    return days if days[1] <= known else month_days(known.year - 1, 3 * quarter - 2, 3)


def season_days(name: str, known: dt.date, year: int | None = None) -> Days:
    """A season of the northern half of the earth in whole months; without a year the latest that had begun."""
    first, _ = SEASONS[name]
    start = known.year if year is None else year
    days = month_days(start, first, 3)
    return days if year is not None or days[0] <= known else month_days(start - 1, first, 3)


def written_date(text: str) -> dt.date | None:
    """A date in figures: 2024-11-12, 12.11.2024, 12/11/2024 (day first unless that is no date)."""
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text)
    if found:
        orders = [(found[1], found[2], found[3])]
    else:
        found = re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4}|\d\d)", text)
        if not found:
            return None
        year = found[3] if len(found[3]) == 4 else f"20{found[3]}"
        orders = [(year, found[2], found[1]), (year, found[1], found[2])]
    for year, month, day in orders:
        try:
            return dt.date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None
