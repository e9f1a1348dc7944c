"""How a report writes names, dates and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from escalation.counts.periods import period_word
from escalation.plots.text import day_text, span_text
from escalation.plots.trend_charts import figure_text
from escalation.tallies.schema import EVERYWHERE

DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")


def error_text(error: float) -> str:
    """Write a Monte Carlo error, which is never 0."""
    return f"{error:.3f}" if error >= 0.0005 else f"{error:.1g}"


def place_text(place: str) -> str:
    """Write a place."""
    return "all places" if place == EVERYWHERE else place


def window_text(start: pd.Timestamp, end: pd.Timestamp, place: str, usual: str) -> str:
    """Write the window of a tally, with its place where that is not the usual one."""
    return span_text(start, end) + ("" if place == usual else f", {place_text(place)}")


def plain_dates(text: str) -> str:
    """Write the dates in a sentence as the charts do.

    Examples
    --------
    >>> plain_dates("in the week 2024-11-25 to 2024-12-01.")
    'in the week 25 Nov 2024 to 1 Dec 2024.'
    """
    return DATE.sub(lambda found: day_text(pd.Timestamp(found[0])), text)


def median_interval(median: float, lower: float, upper: float) -> str:
    """Write a median with its interval."""
    return f"{median:,.0f} ({lower:,.0f} to {upper:,.0f})"


def interval_cells(
    table: pd.DataFrame, lower: str = "lower", upper: str = "upper", *, write: Callable[[float], str] = figure_text
) -> list[str]:
    """Write the intervals between two columns of a table."""
    ends = zip(table[lower].map(write), table[upper].map(write), strict=True)
    return [f"{low} to {high}" for low, high in ends]


def range_text(low: object, high: object) -> str:
    """Write a range of counts, a dash where there is none."""
    if pd.isna(low) or pd.isna(high):  # type: ignore[call-overload]
        return "-"
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def windows_text(over: int, freq: str) -> str:
    """Name what a threshold is compared with: one week, three consecutive months."""
    word = period_word(freq, over)
    return f"one {word}" if over == 1 else f"{over} consecutive {word}"


def some_of(number: int, shown: int) -> list[int]:
    """Positions of at most ``shown`` of ``number`` rows, evenly apart, the last among them.

    Examples
    --------
    >>> some_of(8, 4), some_of(3, 4)
    ([1, 3, 5, 7], [0, 1, 2])
    """
    every = -(-number // shown)
    return list(range((number - 1) % every, number, every))
