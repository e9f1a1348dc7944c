"""Passages: which windows of counts reach a threshold, on paths that were forecast and in what came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import BoolArray, FloatArray, IntArray
from escalation.counts.periods import MAX_PERIODS
from escalation.counts.schema import check_counts, count_matrix
from escalation.counts.series import CountsLike, HoldsCounts, unpack_counts
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import Flashpoint


def windows(observed: FloatArray, ahead: IntArray, least: IntArray, over: int) -> tuple[BoolArray, BoolArray]:
    """Say which windows of ``over`` periods are complete, and which reach the threshold, by the step they end in.

    Parameters
    ----------
    observed : (draws, n) float array
        Counts before the steps, NaN where not observed.
    ahead : (draws, steps) int array
        Counts of the steps.
    least : (draws,) int array
        Least sum that passes.
    over : int
        Periods of a window.

    Returns
    -------
    complete : (steps,) bool array
        Whether the window is complete for any draw; a draw's own gaps never pass.
    passed : (draws, steps) bool array
    """
    complete, passed = _by_draw(observed, ahead, np.zeros(ahead.shape, dtype=bool), least, over)
    return np.asarray(complete.any(axis=0)), passed


def came(observed: FloatArray, ahead: FloatArray, least: IntArray, over: int) -> FloatArray:
    """Say by which step a flashpoint had come to pass.

    Parameters
    ----------
    observed : (histories, n) float array
        Counts before the steps, NaN where not observed.
    ahead : (histories, steps) float array
        What came, NaN where not observed.
    least : (histories,) int array
        Least sum that passes.
    over : int
        Periods of a window.

    Returns
    -------
    (histories, steps) float array
        1 from the step on in which the first window that passes ends, 0 before it; NaN from the first step on that
        was not observed, even after a window has passed, or the known cases would be those that came; and NaN while no
        window is complete.
    """
    unseen = np.isnan(ahead)
    counts = np.where(unseen, 0.0, ahead).astype(np.int64)
    complete, passed = _by_draw(observed, counts, unseen, least, over)
    could, _ = _by_draw(observed, counts, np.zeros_like(unseen), least, over)
    known = np.logical_and.accumulate(complete | ~could, axis=1) & np.logical_or.accumulate(complete, axis=1)
    by_then = np.logical_or.accumulate(passed, axis=1)
    return np.where(known, by_then.astype(float), np.nan)


def past_flashpoints(
    counts: CountsLike, at_least: int | Flashpoint, over: int = 1, *, within: int
) -> pd.Series | pd.DataFrame:
    """Say whether a flashpoint followed each period: what :func:`flashpoint` asks there, answered by what came.

    The mean of it is the frequency to hold a probability against.  To know that frequency at an origin, shift it by
    ``within`` first: a period's answer is known only when its horizon has passed.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex``, histories of it, or a panel of counts (a DataFrame, one column a
        unit); every column is taken by itself.
    at_least : int or Flashpoint
        Threshold of a window's sum, or a definition, whose threshold follows from the past of each period.
    over : int
        Periods in a window; a definition brings its own.
    within : int
        Horizon in periods.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        1, 0, or NaN where it is not known, on the index of the counts.

    Raises
    ------
    InputError
        If a number is out of range, or counts and definition do not fit together.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=6, freq="W-SUN")
    >>> past_flashpoints(pd.Series([0, 5, 1, 0, 2, 9], index=weeks), 5, within=2).tolist()
    [1.0, 0.0, 0.0, 1.0, nan, nan]
    """
    unpacked = unpack_counts(counts)
    table = check_counts(unpacked.counts)
    freq = str(pd.PeriodIndex(table.index).freqstr)
    if isinstance(at_least, Flashpoint):
        if over != 1:
            raise InputError(f"over is {over!r}, but {at_least.name} has a window of its own; leave over out")
        if isinstance(counts, HoldsCounts):  # pandas objects do not say what they count
            at_least.check_unit(unpacked.unit)
        over = at_least.over(freq)
    else:
        at_least = Flashpoint("threshold", at_least)
    over, steps = check_whole(over, "over", MAX_PERIODS), check_whole(within, "within", MAX_PERIODS)
    frame = pd.DataFrame(table)
    array = count_matrix(frame)
    found = np.full(array.shape, np.nan)
    for place in range(len(array) - 1):
        known = array[: place + 1].T
        ahead = np.full((len(known), steps), np.nan)
        rest = array[place + 1 : place + 1 + steps].T
        ahead[:, : rest.shape[1]] = rest
        for column in range(len(known)):
            least = threshold_of(at_least, known[[column]], freq)
            if least is not None:
                found[place, column] = came(known[[column]], ahead[[column]], least, over)[0, -1]
    result = pd.DataFrame(found, index=table.index, columns=frame.columns)
    return pd.Series(result.iloc[:, 0], name=table.name) if isinstance(table, pd.Series) else result


def threshold_of(definition: Flashpoint, observed: FloatArray, freq: str) -> IntArray | None:
    """Thresholds (draws,) of a definition given the past (draws, n), or None if the past is too short or has gaps."""
    try:
        return definition.thresholds(observed, freq)
    except InputError:
        return None


def _by_draw(
    observed: FloatArray, ahead: IntArray, unseen: BoolArray, least: IntArray, over: int
) -> tuple[BoolArray, BoolArray]:
    """Whether the window that ends in each step is complete, and whether it passes, both (draws, steps)."""
    draws, steps = ahead.shape
    before = observed[:, max(observed.shape[1] - (over - 1), 0) :]
    missing = np.isnan(before)
    whole = np.concatenate([np.where(missing, 0, before).astype(np.int64), ahead], axis=1)
    gaps = np.concatenate([missing, unseen], axis=1)
    complete = np.zeros((draws, steps), dtype=bool)
    passed = np.zeros((draws, steps), dtype=bool)
    ends = whole.shape[1] - over + 1
    if ends > 0:
        complete[:, steps - ends :] = _moving_sum(gaps.astype(np.int64), over) == 0
        passed[:, steps - ends :] = _moving_sum(whole, over) >= least[:, None]
    return complete, passed & complete


def _moving_sum(values: IntArray, over: int) -> IntArray:
    """Sums of ``over`` neighbours along the rows, shape (rows, columns - over + 1)."""
    running = np.cumsum(values, axis=1)
    sums = running[:, over - 1 :].copy()
    sums[:, 1:] -= running[:, :-over]
    return sums
