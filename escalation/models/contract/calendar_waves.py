"""Weekday and yearly patterns as waves of the calendar."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.counts.periods import parse_freq
from escalation.errors import InputError

Cycle: TypeAlias = Literal["weekday", "year"]
CYCLES: dict[Cycle, float] = {"weekday": 7.0, "year": 365.25}
"""Days of a cycle."""
THURSDAY = 3
"""Where the week's cycle begins, as numbers of days since 1970 have it."""


def waves_of(phase: FloatArray, pairs: int) -> FloatArray:
    """Sines and cosines (n, 2 pairs), in turn, of phases (n,) that go from 0 to 1 in a cycle."""
    angles = 2 * np.pi * np.outer(phase, np.arange(1, pairs + 1))
    value: FloatArray = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(phase), 2 * pairs)
    return value


def calendar_waves(periods: pd.PeriodIndex, cycle: Cycle, pairs: int) -> FloatArray:
    """Sines and cosines of the calendar, the slowest pair first.

    A day has its weekday, a month its number in the year, and a week the day of the year at its middle, so that a year
    begins on 1 January in leap years and others.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        The n periods.
    cycle : {"weekday", "year"}
        What repeats; weekdays are those of days.
    pairs : int
        Pairs of sine and cosine.

    Returns
    -------
    (n, 2 pairs) float array

    Raises
    ------
    InputError
        If there are too many pairs for the periods of a cycle.
    """
    freq = parse_freq(periods.freqstr)
    check_pairs(pairs, 12.0 if freq == "M" else CYCLES[cycle] / (1.0 if freq == "D" else 7.0))
    if cycle == "weekday":
        phase = (np.asarray(periods.day_of_week) - THURSDAY) / 7
    elif freq == "M":
        phase = (np.asarray(periods.month) - 1) / 12
    else:
        middle = periods.start_time + (periods.end_time - periods.start_time) / 2
        phase = (np.asarray(middle.day_of_year) - 0.5) / np.where(middle.is_leap_year, 366, 365)
    return waves_of(phase, pairs)


def check_pairs(pairs: int, length: float) -> None:
    """Refuse waves that are too fast for the periods.

    Raises
    ------
    InputError
        If there are no two periods for each.
    """
    if 2 * pairs >= length:
        raise InputError(f"season is {pairs} pairs in {length:g} periods; at most {int(np.ceil(length / 2)) - 1} fit")
