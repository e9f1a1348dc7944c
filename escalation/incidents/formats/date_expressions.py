"""Dates that are no single day in digits or English: windows, ranges, weeks, quarters, months of other languages."""

from __future__ import annotations

import csv
import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from escalation.files.bundled import data_folder

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MONTH_NUMBERS = {name: i for i, full in enumerate(MONTHS, 1) for name in (full, full[:3])} | {"sept": 9}
ENGLISH = "en"

LONGEST = 80
"""Longer texts are no dates."""
GIVEN_UP = 5_000
"""Where none of so many texts is a date, none of the others is read."""
ABOUT = dt.timedelta(days=3)
"""A day that is said to be approximate lies within so many of it."""

_YEAR = r"(?P<year>(?:1[89]|2[01])\d\d)"
_MONTH = "(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_NUMBER = r"(?P<month>0?[1-9]|1[0-2])"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_LATER = r"(?P<later>0?[1-9]|[12]\d|3[01])"
_GAP = r"[ .,/-]*"
_TO = r"(?: *[-/&] *| (?:and|to|al?|y|et|und|bis|au|и|до|по) )"
_THIRD = r"(?P<part>early|mid|middle|late|beginning|start|end)[ -]*(?:of )?"
_RANGE = re.compile(
    r" *\.\.+ *| +(?:to|until|till|through|al?|bis|au|до|по) +| +-+ +|(?<=\d)(?::|/)(?=\d{4}-\d)"
    r"|(?<=\d{4})-(?=\d{1,2}[./]\d)|(?<=\d)-(?=(?:1[89]|2[01])\d\d-\d)"
)
_FILLERS = re.compile(
    r"\b(?:de|del|of|the|on|den|der|do|dos|di|d|el|le|la|год[ау]?|року|рік)\b\.?"
    r"|(?<=\d) ?(?:г|р)\.|(?<=\d)(?:st|nd|rd|th|er|º|ª)\b"
)
_APPROXIMATE = re.compile(r"~|\?|\b(?:circa|ca|c|about|around|approx(?:imately)?|vers|um|около|приблизно)\b\.?")
_MARKS = str.maketrans(
    {"،": ","}
    | dict.fromkeys("–—−‐‑年月년월", "-")
    | dict.fromkeys("日일", " ")
    | dict.fromkeys("\u200e\u200f\u202a\u202b\u202c")
)
_WORDS = re.compile(r"[^\W\d_]+", re.UNICODE)

Span = tuple[dt.date, dt.date]


def read_expressions(texts: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Find what texts, none of them a plain day, say of first and last days.

    Parameters
    ----------
    texts : iterable of str
        In small letters; the distinct ones of a column, for a name that means two months in different languages is
        read as in the language that knows all others.

    Returns
    -------
    dict
        For each text that was understood its first and last day as texts, of which each is a day in a plain form.

    Examples
    --------
    >>> read_expressions(["mid-march 2001", "2024-w01", "1984-09"])["2024-w01"]
    ('2024-01-01', '2024-01-07')
    >>> read_expressions(["10-11 october 2023", "3 березня 2022"])["3 березня 2022"]
    ('2022-03-03', '2022-03-03')
    """
    plain = {text: _normal(text) for text in texts if len(text) <= LONGEST and any(sign.isdigit() for sign in text)}
    names = _month_names(plain.values())
    found: dict[str, tuple[str, str]] = {}
    for number, (text, known) in enumerate(plain.items()):
        if number == GIVEN_UP and not found:
            break
        ends = _expand(_in_english(known, names))
        if ends is not None and ends != (text, text):
            found[text] = ends
    return found


def month_number(text: str) -> int | None:
    """The month that a number or a name in any language means; None where it means none, or one of several.

    Examples
    --------
    >>> month_number("Mai"), month_number("07"), month_number("listopad"), month_number("13")
    (5, 7, None, None)
    """
    known = unicodedata.normalize("NFKC", text).casefold().strip(" .")
    if known.isdecimal():
        return int(known) if 1 <= int(known) <= 12 else None
    meant = set(_languages().get(known, {}).values())
    return meant.pop() if len(meant) == 1 else None


def unknown_months(texts: Iterable[str]) -> str:
    """Say which name of a month the languages differ on, ``""`` where none.

    Examples
    --------
    >>> unknown_months(["3 listopad 2020"])
    "'listopad' is month 10 in hr and 11 in cs"
    """
    plain = [_normal(text) for text in texts]
    names = _month_names(plain)
    for word in {word for text in plain for word in _WORDS.findall(text)}:
        spoken = _languages().get(word, {})
        if len(set(spoken.values())) > 1 and word not in names:
            months = sorted({month: language for language, month in sorted(spoken.items(), reverse=True)}.items())
            (one, here), (other, there) = months[:2]
            return f"{word!r} is month {one} in {here} and {other} in {there}"
    return ""


def _normal(text: str) -> str:
    """Digits, dashes and letters in one form."""
    known = unicodedata.normalize("NFKC", text).casefold().translate(_MARKS)
    known = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in known)
    return re.sub(r"\s+", " ", known).strip(" -")


@cache
def _languages() -> dict[str, dict[str, int]]:
    """What each name of a month means in each language."""
    meant: dict[str, dict[str, int]] = {name: {ENGLISH: number} for name, number in MONTH_NUMBERS.items()}
    with (data_folder() / "months.csv").open(encoding="utf-8", newline="") as file:
        for language, month, name in list(csv.reader(file))[1:]:
            meant.setdefault(name, {})[language] = int(month)
    return meant


@cache
def _long_names() -> re.Pattern[str]:
    """Names of several words or with signs in them, which are looked for before the words."""
    several = [name for name in _languages() if _WORDS.fullmatch(name) is None]
    names = "|".join(sorted(map(re.escape, several), key=len, reverse=True))
    return re.compile(rf"(?<![^\W\d_])(?:{names})(?![^\W\d_])")


def _found_names(text: str) -> list[str]:
    several: list[str] = _long_names().findall(text)
    return several + [word for word in _WORDS.findall(_long_names().sub(" ", text)) if word in _languages()]


def _month_names(texts: Iterable[str]) -> dict[str, int]:
    """The names of months in these texts with their numbers, without those that languages differ on."""
    there = {name for text in texts for name in _found_names(text)}
    known = {name: _languages()[name] for name in there}
    clear = {name: months for name, months in known.items() if len(set(months.values())) == 1}
    spoken = [set(months) for months in clear.values() if ENGLISH not in months]
    shared = set.intersection(*spoken) if spoken else set()
    names = {name: next(iter(months.values())) for name, months in clear.items()}
    for name, months in known.items():
        meant = {month for language, month in months.items() if language in shared}
        if name not in names and len(meant) == 1:
            names[name] = meant.pop()
    return names


def _in_english(text: str, names: dict[str, int]) -> str:
    """Months as their three first letters in English, without words that carry no date."""

    def short(match: re.Match[str]) -> str:
        number = names.get(match.group())
        return match.group() if number is None else f" {MONTHS[number - 1][:3]} "

    text = _WORDS.sub(short, _long_names().sub(short, text))
    return re.sub(r"\s+", " ", _FILLERS.sub(" ", text)).strip()


def _expand(text: str) -> tuple[str, str] | None:
    """First and last day of one expression, or of the two sides of a range."""
    whole = _one(text)
    if whole is not None:
        return whole
    sides = _RANGE.split(text)
    if len(sides) != 2 or not all(sides):
        return None
    first, last = (_one(side.strip(" ,")) or (side.strip(" ,"),) * 2 for side in sides)
    return first[0], last[1]


def _one(text: str) -> tuple[str, str] | None:
    """First and last day of one expression that is no range of two whole dates."""
    if _APPROXIMATE.search(text):
        bare = re.sub(r"\s+", " ", _APPROXIMATE.sub("", text)).strip()
        span = _span(bare)
        if span is None:
            return None
        begin, end = span
        return _texts((begin - ABOUT, end + ABOUT) if begin == end else span)
    span = _span(text)
    return None if span is None else _texts(span)


def _texts(span: Span) -> tuple[str, str]:
    return span[0].isoformat(), span[1].isoformat()


def _span(text: str) -> Span | None:
    for pattern, read in _GRAMMAR:
        match = pattern.fullmatch(text)
        if match is not None:
            try:
                return read({name: value for name, value in match.groupdict().items() if value is not None})
            except (ValueError, OverflowError):  # no day of the calendar
                return None
    return None


def _month_of(found: dict[str, str]) -> int:
    return MONTH_NUMBERS[found["month"]] if found["month"].isalpha() else int(found["month"])


def _day(found: dict[str, str]) -> Span:
    day = dt.date(int(found["year"]), _month_of(found), int(found["day"]))
    return day, day


def _days(found: dict[str, str]) -> Span:
    begin = _day(found)[0]
    end = found | {"day": found["later"], "month": found.get("later_month", found["month"])}
    return begin, _day(end)[0]


def _year(found: dict[str, str]) -> Span:
    return dt.date(int(found["year"]), 1, 1), dt.date(int(found["year"]), 12, 31)


def _months(year: int, first: int, last: int) -> Span:
    after = dt.date(year + last // 12, last % 12 + 1, 1)
    return dt.date(year, first, 1), after - dt.timedelta(days=1)


def _month(found: dict[str, str]) -> Span:
    return _months(int(found["year"]), _month_of(found), _month_of(found))


def _quarter(found: dict[str, str]) -> Span:
    last = 3 * int(found["quarter"])
    return _months(int(found["year"]), last - 2, last)


def _half(found: dict[str, str]) -> Span:
    last = 6 * int(found["half"])
    return _months(int(found["year"]), last - 5, last)


def _week(found: dict[str, str]) -> Span:
    first = dt.date.fromisocalendar(int(found["year"]), int(found["week"]), int(found.get("day", 1)))
    return first, first if "day" in found else first + dt.timedelta(days=6)


def _third(found: dict[str, str]) -> Span:
    third = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}[found["part"]]
    if "month" not in found:
        return _months(int(found["year"]), 4 * third + 1, 4 * third + 4)
    begin, end = _month(found)
    return begin.replace(day=10 * third + 1), end if third == 2 else begin.replace(day=10 * third + 10)


_GRAMMAR: tuple[tuple[re.Pattern[str], Callable[[dict[str, str]], Span]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (_YEAR, _year),
        (rf"{_YEAR}[-/.]00?[-/.]00?", _year),
        (rf"00?[-/.]00?[-/.]{_YEAR}", _year),
        (rf"{_YEAR}[-/]{_NUMBER}-?", _month),
        (rf"{_YEAR}[-/.]{_NUMBER}[-/.]00?", _month),
        (rf"(?:00?[-/.])?{_NUMBER}[-/.]{_YEAR}", _month),
        (rf"{_MONTH}{_GAP}{_YEAR}", _month),
        (rf"{_YEAR}{_GAP}{_MONTH}", _month),
        (rf"{_YEAR}-{_NUMBER}-{_DAY}", _day),
        (rf"{_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY}", _day),
        (rf"{_YEAR}{_GAP}{_DAY}{_GAP}{_MONTH}", _day),
        (rf"{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}", _day),
        (rf"{_MONTH}{_GAP}{_DAY}{_GAP}{_YEAR}", _day),
        (rf"{_DAY}\.?{_TO}{_LATER}{_GAP}{_MONTH}{_GAP}{_YEAR}", _days),
        (rf"{_DAY}\.?{_TO}{_LATER}\.{_NUMBER}\.{_YEAR}", _days),
        (rf"{_MONTH}{_GAP}{_DAY}{_TO}{_LATER}[ ,]+{_YEAR}", _days),
        (rf"{_DAY}{_GAP}{_MONTH}{_TO}{_LATER}{_GAP}{_MONTH.replace('<month>', '<later_month>')}{_GAP}{_YEAR}", _days),
        (rf"{_MONTH}{_GAP}{_DAY}{_TO}{_MONTH.replace('<month>', '<later_month>')}{_GAP}{_LATER}[ ,]+{_YEAR}", _days),
        (rf"{_YEAR}-{_NUMBER}-{_DAY}/{_LATER}", _days),
        (rf"{_YEAR}-? ?w(?P<week>\d{{1,2}})(?:-?(?P<day>[1-7]))?", _week),
        (rf"(?:week|wk|kw|semaine|semana|w)\.? ?(?P<week>\d{{1,2}})[ ,/-]*{_YEAR}", _week),
        (rf"{_YEAR}[ -]*q(?P<quarter>[1-4])", _quarter),
        (rf"q(?P<quarter>[1-4])[ ,/-]*{_YEAR}", _quarter),
        (rf"(?P<quarter>[1-4])q[ ,/-]*{_YEAR}", _quarter),
        (rf"{_YEAR}[ -]*h(?P<half>[12])", _half),
        (rf"h(?P<half>[12])[ ,/-]*{_YEAR}", _half),
        (rf"{_THIRD}{_MONTH}{_GAP}{_YEAR}", _third),
        (rf"{_THIRD}{_YEAR}", _third),
    )
)
"""What is understood, in this order, and the first and last day of each."""
