"""Late reports: a line list with report dates, or snapshots, become what was known of each period by each delay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.periods import DateLike, parse_date, period_index, period_word
from escalation.counts.schema import LARGEST, check_counts
from escalation.errors import InputError, PartialPeriodWarning, warn
from escalation.incidents.schema import check_incidents

Known: TypeAlias = pd.Series | pd.DataFrame
"""What one snapshot holds: counts on a ``PeriodIndex``, or a table of incidents."""


@dataclass(frozen=True, eq=False)
class Reports:
    """What was known of each period, and how long after it.

    Attributes
    ----------
    index : pandas.PeriodIndex
        Gap-free periods of the events; the last is the last whole one by ``now``.
    period, delay : (n,) int64 array
        Where each figure belongs: the position of its period, and how many periods later it was known.
    count : (n,) int64 array
        How many incidents of the period came then if ``dated``; else how many were known by then.
    now : pandas.Timestamp
        Last day whose reports are in.
    dated : bool
        Every report has its own date, so that each delay up to ``now`` is known for each period.
    """

    index: pd.PeriodIndex
    period: IntArray
    delay: IntArray
    count: IntArray
    now: pd.Timestamp
    dated: bool

    def by_delay(self, most: int) -> FloatArray:
        """Incidents known by each delay, shape (periods, most + 1); NaN where not known.

        Those of the last column had come by now, however late they were.
        """
        periods = len(self.index)
        column = np.minimum(self.delay, most)
        if self.dated:
            came = np.bincount(self.period * (most + 1) + column, weights=self.count, minlength=periods * (most + 1))
            passed = np.arange(most + 1) <= np.arange(periods)[::-1, None]
            return np.where(passed, came.reshape(periods, most + 1).cumsum(axis=1), np.nan)
        table = np.full((periods, most + 1), np.nan)
        np.fmax.at(table, (self.period, column), self.count)  # counts never fall, so the largest is the latest
        return table


def read_reports(
    reports: pd.DataFrame | Mapping[DateLike, Known],
    freq: str,
    *,
    start: DateLike | None,
    now: DateLike | None,
    event: str,
    reported: str,
) -> Reports:
    """Take a line list or snapshots in; :func:`escalation.incidents.nowcast` says what they are and what is raised."""
    if isinstance(reports, pd.DataFrame) and not isinstance(reports.index, pd.PeriodIndex):
        return _from_line_list(reports, freq, start, now, event, reported)
    if not isinstance(reports, pd.DataFrame | Mapping):
        raise InputError(
            f"reports is a {type(reports).__name__}; give a DataFrame of incidents with report dates, or snapshots"
        )
    taken = reports.items() if isinstance(reports, Mapping) else ((day, reports[day]) for day in reports.columns)
    snapshots = {parse_date(day, "the date of a snapshot", side="end"): known for day, known in taken}
    if len(snapshots) < len(reports if isinstance(reports, Mapping) else reports.columns):
        raise InputError("two snapshots have the same date; keep the later one")
    last = None if now is None else parse_date(now, "now", side="end")
    snapshots = {day: snapshots[day] for day in sorted(snapshots) if last is None or day <= last}
    if len(snapshots) < 2:
        raise InputError(
            f"snapshots by now: {len(snapshots)}, too few to see delays; give two or more, or a report date of each row"
        )
    for day, held in snapshots.items():
        if not isinstance(held, pd.Series | pd.DataFrame):
            raise InputError(f"snapshot {day:%Y-%m-%d} is a {type(held).__name__}; give counts or a table of incidents")
    tables = [isinstance(known, pd.DataFrame) for known in snapshots.values()]
    if any(tables) and not all(tables):
        raise InputError("some snapshots are tables of incidents and some are counts; give all of one kind")
    if all(tables):
        return _from_snapshots(_as_counts(snapshots, freq, event), freq, start)
    return _from_snapshots(
        {day: known for day, known in snapshots.items() if isinstance(known, pd.Series)}, freq, start
    )


def _from_line_list(
    table: pd.DataFrame, freq: str, start: DateLike | None, now: DateLike | None, event: str, reported: str
) -> Reports:
    happened, printed = (_dates(table, column) for column in (event, reported))
    early = (printed < happened).to_numpy()
    if early.any():
        at = int(np.argmax(early))
        raise InputError(
            f"reports, row {table.index[at]}: reported on {printed.iloc[at]:%Y-%m-%d}, before it happened on "
            f"{happened.iloc[at]:%Y-%m-%d}; swap or correct the dates"
        )
    last = printed.max() if now is None else parse_date(now, "now", side="end")
    final = pd.Period(last, freq)
    if final.end_time.normalize() > last:
        whole = (final - 1).end_time.normalize()
        warn(
            f"reports are known until {last:%Y-%m-%d}, within the {period_word(freq)} that ends on "
            f"{final.end_time:%Y-%m-%d}; those after {whole:%Y-%m-%d} are not used: wait for its end"
            + (f", or choose freq='W-{last.day_name()[:3].upper()}'" if freq.startswith("W") else ""),
            PartialPeriodWarning,
        )
        final, last = final - 1, whole
    used = (
        (printed <= last) if start is None else (printed <= last) & (happened >= parse_date(start, "start"))
    ).to_numpy()
    if not used.any():
        raise InputError(f"no incident was reported by {last:%Y-%m-%d}; move now or start")
    first = happened[used].min() if start is None else parse_date(start, "start")
    index = period_index(first, last, freq)
    period = happened[used].dt.to_period(freq).array.asi8 - index.asi8[0]
    delay = printed[used].dt.to_period(freq).array.asi8 - index.asi8[0] - period
    return Reports(index, period, delay, np.ones(len(period), dtype=np.int64), now=last, dated=True)


def _dates(table: pd.DataFrame, column: str) -> pd.Series:
    """One column of dates at midnight."""
    if column not in table:
        found = ", ".join(str(name) for name in table.columns)
        raise InputError(f"reports has no column {column!r} (columns found: {found}); name it by event= or reported=")
    values = table[column]
    if not pd.api.types.is_datetime64_dtype(values.dtype):
        raise InputError(
            f"reports: column {column!r} is {values.dtype}, not dates; make them so with pandas.to_datetime"
        )
    missing = values.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"reports, row {table.index[int(np.argmax(missing))]}: no date in column {column!r}; fill it in, "
            "or drop the row"
        )
    midnight: pd.Series = values.dt.normalize()
    return midnight


def _as_counts(snapshots: Mapping[pd.Timestamp, Known], freq: str, event: str) -> dict[pd.Timestamp, pd.Series]:
    """Count the incidents of the last snapshot that were in each earlier one, dated as in the last."""
    checked = {
        day: check_incidents(pd.DataFrame(table), f"snapshot {day:%Y-%m-%d}") for day, table in snapshots.items()
    }
    final = list(checked.values())[-1]
    happened = _dates(final, event).dt.to_period(freq)
    before = set().union(*(table["incident_id"] for table in checked.values()))
    gone = len(before) - len(final)
    if gone:
        warn(
            f"{gone:,} of {len(before):,} incidents are no longer in the last snapshot and are not counted, as if they "
            "had never been reported; their ids were deleted or changed"
        )
    index = period_index(happened.min().start_time, happened.max().end_time, freq)
    counted = {}
    for day, table in checked.items():
        there = final["incident_id"].isin(table["incident_id"]).to_numpy()
        sums = np.bincount(happened[there].array.asi8 - index.asi8[0], minlength=len(index))
        counts = pd.Series(sums, index=index)
        counted[day] = counts[: pd.Period(day, freq)]
    return counted


def _from_snapshots(snapshots: Mapping[pd.Timestamp, pd.Series], freq: str, start: DateLike | None) -> Reports:
    cut = {day: _until(counts, day, freq, start) for day, counts in snapshots.items()}
    days = list(cut)
    at = np.array([pd.Period(day, freq).ordinal for day in days])
    first = min(counts.index[0] for counts in cut.values())
    final = pd.Period(days[-1], freq)
    final = final if final.end_time.normalize() <= days[-1] else final - 1
    index = period_index(first.start_time, final.end_time, freq)
    known = np.column_stack([counts.reindex(index, fill_value=0).to_numpy(dtype=np.int64) for counts in cut.values()])
    held = np.array([index >= counts.index[0] for counts in cut.values()]).T
    lasting = np.minimum.accumulate(np.where(held, known, LARGEST)[:, ::-1], axis=1)[:, ::-1]
    fell = int(np.where(held, known - lasting, 0).max(axis=1).sum())
    if fell:
        warn(
            f"later snapshots hold up to {fell:,} fewer incidents of the same periods; what was taken back is not "
            "counted, as if it had never been reported"
        )
    delay = at[None, :] - index.asi8[:, None]
    ends = index.to_timestamp(how="end").normalize()
    keep = held & np.array([ends <= day for day in days]).T  # before a period's end nobody can have counted it
    # of two snapshots in one period, the later one
    keep &= np.append(np.diff(at) > 0, True)[None, :]
    if not keep.any(axis=1).all():
        raise InputError(
            f"no snapshot from after its end holds the {period_word(freq)} {index[int(np.argmin(keep.any(axis=1)))]}; "
            "give snapshots that overlap, or start later"
        )
    rows = np.broadcast_to(np.arange(len(index))[:, None], delay.shape)
    return Reports(index, rows[keep], delay[keep], lasting[keep], now=days[-1], dated=False)


def _until(counts: pd.Series, day: pd.Timestamp, freq: str, start: DateLike | None) -> pd.Series:
    """Check the counts of one snapshot, from the start to its day."""
    name = f"snapshot {day:%Y-%m-%d}"
    checked = pd.Series(check_counts(counts.dropna(), name))
    index = pd.PeriodIndex(checked.index)
    if index.freqstr != freq:
        raise InputError(f"{name} is counted by {index.freqstr} and freq is {freq}; give the same")
    if index[-1].start_time > day:
        raise InputError(f"{name} holds the {period_word(freq)} {index[-1]}, which begins after it; date it later")
    if start is not None:
        checked = checked[pd.Period(parse_date(start, "start"), freq) :]
        if checked.empty:
            raise InputError(f"{name} ends before the start {start}; leave it out")
    return checked
