"""Text that is measured before it is drawn: what fits a width, what the font can show, and dates in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

import pandas as pd
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that a chart is the same on every machine."""
MISSING = "\N{WHITE SQUARE}"
"""Stands for a character that the font lacks."""
BREAKS_AFTER = "/-_.?&=#,;:"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def _glyphs() -> frozenset[int]:
    """Code points that both the normal and the bold face can show."""
    faces = [get_font(findfont(FontProperties(family=FONT, weight=weight))) for weight in ("normal", "bold")]
    return frozenset(faces[0].get_charmap()) & frozenset(faces[1].get_charmap())


def printable(text: object) -> str:
    r"""Return the text on one line, with a square for each character that the font lacks.

    Examples
    --------
    >>> printable("Tower 22,\n Jordan"), printable("日本")
    ('Tower 22, Jordan', '□□')
    """
    kept = (
        " " if character.isspace() else character if ord(character) in _glyphs() else MISSING
        for character in unicodedata.normalize("NFC", str(text))
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf")
    )
    return " ".join("".join(kept).split())


def lacks_characters(texts: Iterable[object]) -> bool:
    """Say whether any text loses a character in print."""
    return any(printable(text).count(MISSING) > str(text).count(MISSING) for text in texts)


@cache
def font(size: float, weight: str = "normal") -> FontProperties:
    """Return the font of all charts and reports in a size (points) and weight."""
    return FontProperties(family=FONT, size=size, weight=weight)


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of a line of text in points, as it will be drawn."""
    return float(text_to_path.get_text_width_height_descent(text, font(size, weight), False)[0])


@lru_cache(maxsize=20_000)
def _advance(character: str, weight: str) -> float:
    """Points from one character to the next in a font of one point, measured between two bars."""
    between, without = (text_width(f"|{middle}|", 100.0, weight) for middle in (character, ""))
    return (between - without) / 100.0


def _length(text: str, size: float, weight: str) -> float:
    """Width of a line without kerning, which mostly makes it narrower; much faster than :func:`text_width`."""
    return size * sum(_advance(character, weight) for character in text)


def wrap(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break a text into lines that fit a width; a word too long for one is broken, after a slash or hyphen if any.

    Parameters
    ----------
    text : str
        One paragraph.
    width : float
        Points.
    size : float
        Of the font, points.
    weight : {"normal", "bold"}
        Of the font.

    Returns
    -------
    list of str
        At least one line.

    Examples
    --------
    >>> wrap("two tallies, one stale", 60, 9)
    ['two tallies,', 'one stale']
    """
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _length(longer, size, weight) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while _length(word, size, weight) > width and len(word) > 1:
            cut = _cut(word, width, size, weight)
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return [*lines, line]


def _cut(word: str, width: float, size: float, weight: str) -> int:
    """Characters of a word to leave on a line; at least 1."""
    low, high = 1, len(word) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _length(word[:middle], size, weight) <= width else (low, middle - 1)
    after = max(word.rfind(mark, 0, low) for mark in BREAKS_AFTER) + 1
    cut = after if after > low // 2 else low
    while cut > 1 and unicodedata.combining(word[cut]):
        cut -= 1
    return cut


def shorten(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Cut a line at the end so that it fits a width."""
    if text_width(text, size, weight) <= width:
        return text
    while text and text_width(text + "…", size, weight) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def day_text(day: pd.Timestamp, *, year: bool = True) -> str:
    """Write a day, such as ``8 Dec 2024``, whatever the language of the machine."""
    text = f"{day.day} {MONTHS[day.month - 1]}"
    return f"{text} {day.year}" if year else text


def span_text(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Write a window of days as briefly as is clear.

    Examples
    --------
    >>> span_text(pd.Timestamp("2024-11-25"), pd.Timestamp("2024-12-01"))
    '25 Nov to 1 Dec 2024'
    """
    if first == last:
        return day_text(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day_text(last)}"
    return f"{day_text(first, year=first.year != last.year)} to {day_text(last)}"


def period_text(period: pd.Period) -> str:
    """Write a period: a day, a month, or the days of a week."""
    if period.freqstr == "M":
        return f"{MONTHS[period.month - 1]} {period.year}"
    return span_text(period.start_time, period.end_time.normalize())
