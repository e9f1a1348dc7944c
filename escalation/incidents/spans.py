"""Spans of covered days as arrays: which span holds a day, and how many days of each period are covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from escalation.conventions.arrays import IntArray


@dataclass(frozen=True)
class Spans:
    """Spans of days in which a unit was covered, apart from one another and sorted by unit and day.

    Attributes
    ----------
    unit : numpy.ndarray
        Place of each span's unit among the units, shape (spans,).
    first, last : numpy.ndarray
        Its first and last day, both covered, in days since 1970, shape (spans,).
    """

    unit: IntArray
    first: IntArray
    last: IntArray


def merge_spans(unit: IntArray, first: IntArray, last: IntArray, within: tuple[int, int]) -> Spans:
    """Cut spans to the days ``within``, and join those of one unit that overlap or touch.

    Parameters
    ----------
    unit, first, last : numpy.ndarray
        As in :class:`Spans`, in any order, shape (spans,).
    within : tuple of int
        First and last day that counts.

    Returns
    -------
    Spans
    """
    first, last = np.maximum(first, within[0]), np.minimum(last, within[1])
    kept = first <= last
    order = np.lexsort((first[kept], unit[kept]))
    unit, first, last = (part[kept][order] for part in (unit, first, last))
    if not unit.size:
        return Spans(unit, first, last)
    wide = within[1] - within[0] + 3  # so far apart that no span of a unit reaches those of the next
    reach = np.maximum.accumulate(last + unit * wide)
    starts = np.append(True, (first + unit * wide)[1:] > reach[:-1] + 1)
    begin = np.flatnonzero(starts)
    ends = np.append(begin[1:], len(unit)) - 1
    return Spans(unit[begin], first[begin], reach[ends] - unit[begin] * wide)


def span_of(spans: Spans, unit: IntArray, day: IntArray) -> IntArray:
    """Number of the span that holds a day of a unit, -1 where none does, shape of ``day``."""
    if not spans.unit.size:
        return np.full(np.shape(day), -1, dtype=np.int64)
    low = min(int(spans.first.min()), int(np.min(day, initial=0)))
    wide = max(int(spans.last.max()), int(np.max(day, initial=0))) - low + 1
    keys = spans.unit * wide + spans.first - low
    before = np.searchsorted(keys, unit * wide + day - low, side="right") - 1
    at = np.maximum(before, 0)
    inside = (before >= 0) & (spans.unit[at] == unit) & (day <= spans.last[at])
    return np.where(inside, at, -1)


def covered_between(spans: Spans, unit: IntArray, first: IntArray, last: IntArray) -> IntArray:
    """Covered days of a unit from a first to a last day, both inclusive, shape of ``first``."""
    if not spans.unit.size:
        return np.zeros(np.shape(first), dtype=np.int64)
    low = int(min(spans.first.min(), np.min(first, initial=0))) - 1
    wide = int(max(spans.last.max(), np.max(last, initial=0))) - low + 2
    keys = spans.unit * wide + spans.first - low
    length = spans.last - spans.first + 1
    before = np.concatenate([[0], np.cumsum(length)])

    def up_to(day: IntArray) -> IntArray:
        """Covered days of all units before this one, and of it up to a day."""
        number = np.searchsorted(keys, unit * wide + day - low, side="right")
        at = np.maximum(number - 1, 0)
        here = (number > 0) & (spans.unit[at] == unit)
        beyond = np.where(here, np.maximum(spans.last[at] - day, 0), 0)
        return np.asarray(before[number] - beyond)

    return up_to(last) - up_to(first - 1)


def covered_days(spans: Spans, starts: IntArray, units: int) -> IntArray:
    """Covered days of each period and unit.

    Parameters
    ----------
    spans : Spans
        Within the periods.
    starts : numpy.ndarray
        First day of each period, and the day after the last period, shape (periods + 1,).
    units : int
        Number of units.

    Returns
    -------
    numpy.ndarray
        Shape (periods, units).
    """
    length = np.diff(starts)
    begin = np.searchsorted(starts, spans.first, side="right") - 1
    end = np.searchsorted(starts, spans.last, side="right") - 1
    days = np.zeros((len(length), units), dtype=np.int64)
    one = begin == end
    np.add.at(days, (begin[one], spans.unit[one]), (spans.last - spans.first + 1)[one])
    many = ~one
    np.add.at(days, (begin[many], spans.unit[many]), (starts[begin + 1] - spans.first)[many])
    np.add.at(days, (end[many], spans.unit[many]), (spans.last - starts[end] + 1)[many])
    whole = np.zeros((len(length) + 1, units), dtype=np.int64)
    np.add.at(whole, (begin[many] + 1, spans.unit[many]), 1)
    np.add.at(whole, (end[many], spans.unit[many]), -1)
    days += whole.cumsum(axis=0)[:-1] * length[:, None]
    return days
