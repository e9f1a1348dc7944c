"""Event times: when events happened, as exactly as it is known, and which kind each was."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import DateLike, days_in, parse_date, parse_freq, period_index
from escalation.errors import InputError
from escalation.incidents.schema import check_incidents

ONLY = "events"
"""Name of the kind of events that are all of one kind."""


@dataclass(frozen=True, eq=False)
class EventTimes:
    """Events of one or several kinds in a window of days.

    Attributes
    ----------
    earliest, latest : (n,) float array
        Days from the start of the window between which each event lies; equal where its time is known.
    mark : (n,) int array
        Kind of each, as its place in ``marks``.
    marks : tuple of str
        Names of the kinds.
    start : pandas.Timestamp
        First day of the window, at midnight.
    days : float
        Length of the window.
    """

    earliest: FloatArray = field(repr=False)
    latest: FloatArray = field(repr=False)
    mark: IntArray = field(repr=False)
    marks: tuple[str, ...]
    start: pd.Timestamp
    days: float

    @property
    def exact(self) -> bool:
        """Whether every time is known."""
        return bool(np.array_equal(self.earliest, self.latest))

    @property
    def numbers(self) -> IntArray:
        """Events of each kind (kinds,)."""
        return np.bincount(self.mark, minlength=len(self.marks)).astype(np.int64)

    def draw(self, *, rng: Seed = None) -> tuple[FloatArray, IntArray]:
        """Sorted times (n,) and their kinds, each time drawn evenly from where it may lie.

        Parameters
        ----------
        rng : int, Generator or None
            Seed or generator; not moved on where every time is known.
        """
        times = self.earliest
        if not self.exact:
            times = times + as_generator(rng).random(len(times)) * (self.latest - self.earliest)
        order = np.argsort(times, kind="stable")
        return np.ascontiguousarray(times[order]), np.ascontiguousarray(self.mark[order])

    def periods(self, freq: str) -> pd.PeriodIndex:
        """Return the periods that the window covers, the last one whole.

        Parameters
        ----------
        freq : str
            ``"D"``, ``"W-SUN"`` to ``"W-SAT"`` or ``"M"``.

        Raises
        ------
        InputError
            If the window ends within a period.
        """
        after = self.start + pd.Timedelta(days=self.days)
        final = (after - pd.Timedelta(1, "us")).normalize()
        index = period_index(self.start, final, parse_freq(freq))
        if (index[-1] + 1).start_time != after:
            raise InputError(
                f"the window ends on {final.date()} (after {self.days:g} days), not where {index[-1]} ends; choose a "
                f"freq that ends there, or another end of the window"
            )
        return index


def times_of(
    times: ArrayLike, days: float, *, marks: ArrayLike | None = None, start: DateLike = "2000-01-01"
) -> EventTimes:
    """Make :class:`EventTimes` of numbers.

    Parameters
    ----------
    times : (n,) array
        Days since the start of the window, 0 to ``days``.
    days : float
        Length of the window.
    marks : (n,) array, optional
        Kind of each event; all of one kind when left out.
    start : date
        First day of the window.

    Returns
    -------
    EventTimes

    Raises
    ------
    InputError
        If a time is missing or outside the window, or the kinds are not as many as the times.

    Examples
    --------
    >>> times_of([0.5, 2.25, 3.0], 10, marks=["A", "B", "A"]).numbers.tolist()
    [2, 1]
    """
    values = np.asarray(times, dtype=float)
    if values.ndim != 1 or not 0.0 < days < np.inf:
        raise InputError(
            f"times have the shape {values.shape} and days is {days!r}; give one row of times and days > 0"
        )
    wrong = ~((values >= 0.0) & (values <= days))
    if wrong.any():
        raise InputError(f"a time is {values[wrong][0]}, outside 0 to {days:g} days; correct it or widen the window")
    names = np.full(len(values), ONLY) if marks is None else np.asarray(marks).astype(str)
    if names.shape != values.shape:
        raise InputError(f"there are {len(values)} times and {len(names)} marks; give each time its mark")
    known, mark = np.unique(names, return_inverse=True) if len(names) else (np.array([ONLY]), np.zeros(0, np.int64))
    kinds = tuple(str(name) for name in known)
    return EventTimes(values, values, mark.astype(np.int64), kinds, parse_date(start, "start"), float(days))


def event_times(
    incidents: pd.DataFrame, *, by: str | None = None, start: DateLike | None = None, end: DateLike | None = None
) -> EventTimes:
    """Take the times of incidents, each somewhere in its window of days.

    Parameters
    ----------
    incidents : pandas.DataFrame
        Table of incidents, as :func:`read_incidents` returns it.
    by : str, optional
        Column that distinguishes kinds of events, such as ``actor``; all are of one kind when left out.
    start, end : date, optional
        First and last day that was watched, both inclusive; the first and the last day of the incidents when left
        out, which makes the rate look somewhat higher than it was.

    Returns
    -------
    EventTimes

    Raises
    ------
    InputError
        If the table is no table of incidents, has no such column, or an incident lies outside the window.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-02", "2024-01-05"])
    >>> events = event_times(pd.DataFrame({"date": days}), start="2024-01-01", end="2024-01-07")
    >>> events.days, events.earliest.tolist()
    (7.0, [1.0, 1.0, 4.0])
    """
    table = check_incidents(incidents)
    if by is not None and by not in table:
        raise InputError(f"by is {by!r}, no column of the incidents ({', '.join(map(str, table.columns))})")
    first = table["date"].min() if start is None else parse_date(start, "start")
    last = table["date_end"].max() if end is None else parse_date(end, "end", side="end")
    outside = (table["date"] < first) | (table["date_end"] > last)
    if last < first or outside.any():
        raise InputError(
            f"{int(outside.sum())} incidents lie outside {first.date()} to {last.date()}; leave them out first or "
            f"widen the window"
        )
    earliest: FloatArray = (table["date"] - first).dt.days.to_numpy(dtype=float).astype(np.float64)
    latest: FloatArray = (table["date_end"] - first).dt.days.to_numpy(dtype=float).astype(np.float64) + 1.0
    names = np.full(len(table), ONLY) if by is None else table[by].astype(str).to_numpy()
    known, mark = np.unique(names.astype(str), return_inverse=True)
    kinds = tuple(str(name) for name in known)
    return EventTimes(earliest, latest, mark.astype(np.int64), kinds, first, float((last - first).days + 1))


def counts_in(times: FloatArray, marks: IntArray, kinds: int, edges: FloatArray) -> IntArray:
    """Events of each kind between neighbouring edges (kinds, periods)."""
    place = np.searchsorted(edges, times, side="right") - 1
    place[times == edges[-1]] = len(edges) - 2
    inside = (place >= 0) & (place < len(edges) - 1)
    cell = marks[inside] * (len(edges) - 1) + place[inside]
    return np.bincount(cell, minlength=kinds * (len(edges) - 1)).reshape(kinds, -1).astype(np.int64)


def edges_of(periods: pd.PeriodIndex, start: pd.Timestamp) -> FloatArray:
    """First moments of the periods, and the end of the last, in days since ``start`` (periods + 1,)."""
    begin = (periods[0].start_time - start) / pd.Timedelta(days=1)
    return np.concatenate([[begin], begin + np.cumsum(days_in(periods))])
