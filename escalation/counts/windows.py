"""Windows of a series: how they are named, and where they are."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pandas as pd

from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError

WindowSpec: TypeAlias = int | slice | tuple[DateLike, DateLike]
"""How a window is named: its number of periods, a slice, or its first and last date or period."""


def two_windows(index: pd.PeriodIndex, recent: WindowSpec, baseline: WindowSpec) -> tuple[slice, slice]:
    """Positions of a recent window and its baseline.

    Raises
    ------
    InputError
        If they overlap, are empty or lie outside the series.
    """
    now = window_slice(index, recent, "recent", len(index))
    was = window_slice(index, baseline, "baseline", now.start)
    if now.start < was.stop and was.start < now.stop:
        raise InputError(
            f"recent ({index[now.start]} to {index[now.stop - 1]}) and baseline ({index[was.start]} to "
            f"{index[was.stop - 1]}) overlap; choose windows that share no period"
        )
    return now, was


def window_slice(index: pd.PeriodIndex, spec: WindowSpec, name: str, before: int) -> slice:
    """Positions of one window; a number of periods ends just before position ``before``.

    Raises
    ------
    InputError
        If it is none, is empty or lies outside the series; ``name`` is what the message calls it.
    """
    spec = check_window(spec, name)
    if isinstance(spec, slice):
        start, stop = _slice_bounds(index, spec, name)
    elif isinstance(spec, tuple):
        start, stop = _position(index, spec[0], name, "start"), _position(index, spec[1], name, "end") + 1
    else:
        start, stop = before - int(spec), before
    if start < 0 or stop > len(index):
        raise InputError(
            f"{name}={_text(spec)} reaches outside the series, which has {len(index)} periods from {index[0]} to "
            f"{index[-1]}; choose a window inside it"
        )
    if stop <= start:
        raise _holds_nothing(spec, name)
    return slice(start, stop)


def check_window(spec: WindowSpec, name: str) -> WindowSpec:
    """Return what names a window, if it can be one of some series.

    Raises
    ------
    InputError
        If it is none, or ends before it begins; ``name`` is what the message calls it.
    """
    if isinstance(spec, slice):
        return spec
    if isinstance(spec, tuple) and len(spec) == 2:
        first, last = parse_date(spec[0], f"{name} start"), parse_date(spec[1], f"{name} end", "end")
        if last < first:
            raise _holds_nothing(spec, name)
        return spec
    if not hasattr(spec, "__index__") or isinstance(spec, bool):
        raise InputError(f"{name} is {spec!r}; give a number of periods, a (start, end) pair or a slice")
    if int(spec) < 1:
        raise InputError(f"{name} is {spec}; give a number of periods >= 1")
    return spec


def _holds_nothing(spec: WindowSpec, name: str) -> InputError:
    return InputError(f"{name}={_text(spec)} holds no period; its end must not be before its start")


def _text(spec: WindowSpec) -> str:
    """Write what names a window as people do."""
    if not isinstance(spec, tuple):
        return repr(spec)
    return " to ".join(f"{end:%Y-%m-%d}" if isinstance(end, pd.Timestamp) else str(end) for end in spec)


def _slice_bounds(index: pd.PeriodIndex, spec: slice, name: str) -> tuple[int, int]:
    """Positions of a slice: of whole numbers as in Python, of dates with both ends."""
    if spec.step is not None:
        raise InputError(f"{name} is a slice with step {spec.step!r}; a window is a run of periods, leave the step out")
    if all(bound is None or hasattr(bound, "__index__") for bound in (spec.start, spec.stop)):
        n = len(index)
        start, stop = (bound + n if bound is not None and bound < 0 else bound for bound in (spec.start, spec.stop))
        return 0 if start is None else int(start), n if stop is None else int(stop)
    start = 0 if spec.start is None else _position(index, spec.start, name, "start")
    stop = len(index) if spec.stop is None else _position(index, spec.stop, name, "end") + 1
    return start, stop


def _position(index: pd.PeriodIndex, when: DateLike, name: str, side: Literal["start", "end"]) -> int:
    """Position of the period that holds a date, negative or past the end when outside."""
    return int(pd.Period(parse_date(when, f"{name} {side}", side), index.freqstr).ordinal - index[0].ordinal)
