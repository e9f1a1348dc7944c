"""The day of publication of a page: as it was given, from its metadata, its byline or dateline, or its address."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from escalation.articles.normal import SAME
from escalation.articles.times.points import DATE, MONTH, YEAR, resolve_point

_FULL = rf"(?:{MONTH} {DATE},? {YEAR}|{DATE} (?:of )?{MONTH},? {YEAR}|\d{{4}}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{{4}})"
_DAY = rf"(?P<day>{MONTH}\s{DATE}|{DATE}\s{MONTH})(?:,?\s(?P<year>{YEAR}))?"
_AGENCY = r"(?:\([\w /.]+\)\s?)?"
_CAPITALS = r"[A-Z][A-Z'./\- ]+(?:,\s?[A-Z][\w .]+?)?"
_NAME = r"[A-Z][\w'.-]+(?:\s(?:[A-Z][\w'.-]+|de|del|la|el|al|of)){0,3}"
DATELINE = re.compile(
    rf"^(?:\([A-Z][\w ]+\)\s)?(?:{_CAPITALS}(?:,?\s{_DAY})?,?\s?{_AGENCY}-\s"
    rf"|(?!(?:On|In|By|Since|Until|From|At|Before|After)\s){_NAME}(?:,\s{_NAME})?"
    rf"(?:,?\s{_DAY.replace('<day>', '<named_day>').replace('<year>', '<named_year>')},?\s?{_AGENCY}[-:]\s"
    r"|\s\([A-Z][\w /.]+\)\s?-\s))"
)
"""A place, mostly in capitals, with a day or an agency, before the first sentence."""
_DATED_PLACE = re.compile(rf"^{_CAPITALS},?\s{_DAY}")
_BYLINE = re.compile(
    r"(?i:^\W*(?:published|posted|updated|last updated|date|dated|first published|by\b|written|"
    rf"reported)[^.]{{0,80}}?)(?P<day>{_FULL})|^\W*(?:(?:Mon|Tues|Wednes|"
    rf"Thurs|Fri|Satur|Sun)day,? )?(?P<alone>{_FULL})\W*(?:\d\d?:\d\d.*)?$"
)
_ADDRESS = re.compile(
    r"(?<!\d)(?P<year>20\d\d|19\d\d)[/\-_]?(?P<month>0[1-9]|1[0-2])[/\-_]?(?P<day>0[1-9]|[12]\d|3[01])(?!\d)"
)
EARLIEST = dt.date(1900, 1, 1)


@dataclass(frozen=True)
class Published:
    """When a page was published.

    Attributes
    ----------
    day : datetime.date or None
        None where nothing says so.
    source : str
        ``given``, ``metadata``, ``byline``, ``address``, or ``unknown``.
    remarks : tuple of str
        What else the page says, where it disagrees.
    """

    day: dt.date | None
    source: str
    remarks: tuple[str, ...] = ()


def day_in_address(address: str) -> dt.date | None:
    """The day that an address or the name of a file has in it.

    Examples
    --------
    >>> str(day_in_address("https://news.example/world/2024/11/12/strikes"))
    '2024-11-12'
    """
    for one in _ADDRESS.finditer(address):
        try:
            return dt.date(int(one["year"]), int(one["month"]), int(one["day"]))
        except ValueError:
            continue
    return None


def day_in_line(line: str) -> tuple[dt.date | None, str]:
    """The day of a byline or dateline, and a day and month without a year, as text."""
    found = _BYLINE.search(line[:300])
    if found:
        days = resolve_point((found["day"] or found["alone"]).strip(), None)
        return (days[0], "") if days else (None, "")
    start = line[:120].translate(SAME)
    dated, named = _DATED_PLACE.match(start), DATELINE.match(start)
    day, year = (dated["day"], dated["year"]) if dated else (None, None)
    if day is None and named is not None:
        day, year = named["day"] or named["named_day"], named["year"] or named["named_year"]
    if day is None:
        return None, ""
    if year:
        days = resolve_point(f"{day} {year}", None)
        return (days[0], "") if days else (None, "")
    return None, day


def find_published(given: dt.date | None, metadata: Sequence[dt.date], lines: Sequence[str], address: str) -> Published:
    """Take the day of publication from what says it most surely, and note what disagrees.

    Parameters
    ----------
    given : datetime.date or None
        What the caller says.
    metadata : sequence of datetime.date
        What the page says of itself, the surer first.
    lines : sequence of str
        The first lines of the text, among which there may be a byline or a dateline.
    address : str
        Address or file name.
    """
    bylines, short = [], ""
    for line in lines:
        day, cut = day_in_line(line)
        bylines += [day] if day else []
        short = short or cut
    there = day_in_address(address)
    named = [
        ("given", given),
        ("metadata", metadata[0] if metadata else None),
        ("byline", bylines[0] if bylines else None),
        ("address", there),
    ]
    known = [(source, day) for source, day in named if day is not None and day >= EARLIEST]
    if not known:
        remark = (f"the dateline says {short} without a year",) if short else ()
        return Published(None, "unknown", remark)
    source, first = known[0]
    remarks = [f"{other} says {day}, {source} {first}" for other, day in known[1:] if abs((day - first).days) > 1]
    if short:
        days = resolve_point(short, first + dt.timedelta(days=2))
        if days and abs((days[0] - first).days) > 2:
            remarks.append(f"the dateline says {short}, {source} {first}")
    return Published(first, source, tuple(remarks))
