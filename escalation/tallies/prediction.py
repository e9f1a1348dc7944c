"""What the other tallies make of each tally: its predictive range, its reliability, and what else it reads like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.conventions.arrays import IntArray
from escalation.tallies.reliability import RELIED_ON, Tallied

SURPRISING = 0.02
"""A tally whose surprise probability is below this is improbable."""
UNRELIABLE = 0.9
"""An improbable bare number is named where the probability that it can be relied on is below this."""
FEWEST_DIGITS = 2
"""Numbers of fewer digits read like nothing else."""
RANGES = ["predicted_low", "predicted_median", "predicted_high"]


def predict(
    rows: pd.DataFrame,
    tallied: Sequence[Tallied],
    all_days: Callable[[pd.Series], pd.DataFrame],
    window_counts: IntArray,
    rng: Generator,
) -> pd.DataFrame:
    """Predictive range, surprise and reliability of each tally from all the others.

    What a used tally itself says is taken out again: each draw of the true count is weighted by the
    inverse of its kernel, truncated at sqrt(number of draws) times the mean weight (Ionides 2008,
    doi:10.1198/106186008X320456).

    Parameters
    ----------
    rows : pandas.DataFrame
        Tallies with ``role`` and ``used``.
    tallied : sequence of Tallied
        What printed each.
    all_days : callable
        Histories by day of what a row counts.
    window_counts : (draws, used) int array
        True counts of the windows of the tallies used, in their order.
    rng : Generator
        Generator.

    Returns
    -------
    pandas.DataFrame
        ``predicted_low``, ``predicted_median``, ``predicted_high``, ``surprise``, ``reliability`` and ``reads_like``.
    """
    index = pd.PeriodIndex(all_days(rows.iloc[0]).index)
    found: list[tuple[float, ...]] = []
    in_posterior = 0
    opens = pd.PeriodIndex(rows["start"], freq="D").asi8 - index.asi8[0]
    closes = pd.PeriodIndex(rows["end"], freq="D").asi8 - index.asi8[0]
    about = (rows["role"] != "") & (opens >= 0) & (closes < len(index))
    for i, one in enumerate(tallied):
        if rows["used"].iloc[i]:
            true = window_counts[:, in_posterior]
            in_posterior += 1
            relied_on = one.kinds_given(true)[:RELIED_ON].sum()
            own = one.log_prob_of_draws(true)
            weight = np.exp(-own + own.min())
            weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
            true = true[rng.choice(len(true), size=len(true), p=weight / weight.sum())]
        elif about.iloc[i]:
            true = all_days(rows.iloc[i]).iloc[opens[i] : closes[i] + 1].sum().to_numpy()
            relied_on = one.kinds_beside(true)[:RELIED_ON].sum()
        else:
            found.append((np.nan,) * 6)
            continue
        found.append((*_range_of(one, printed_again(one, true, len(window_counts), rng)), relied_on))
    frame = pd.DataFrame(found, columns=[*RANGES, "surprise", "reads_like", "reliability"], index=rows.index)
    unreliable = frame["surprise"].lt(SURPRISING) & frame["reliability"].lt(UNRELIABLE)
    frame["reads_like"] = frame["reads_like"].where(unreliable)
    return frame.astype(dict.fromkeys([*RANGES, "reads_like"], "Int64"))


def printed_again(one: Tallied, true: NDArray[np.int64], draws: int, rng: Generator) -> NDArray[np.int64]:
    """Draw what would be printed for each true count; of a range or a bound, the true counts themselves.

    Parameters
    ----------
    one : Tallied
        What prints it.
    true : (k,) int array
        Draws of the true count by all other tallies.
    draws : int
        How many numbers to print.
    rng : Generator
        Generator.

    Returns
    -------
    (draws,) int array
    """
    return one.sample(np.resize(true, draws), rng) if one.kernel.shape == "point" else true


def _range_of(one: Tallied, seen: NDArray[np.int64]) -> tuple[float, ...]:
    """Predictive range of one tally, its surprise, and what it reads like."""
    point = one.kernel.shape == "point"
    low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95], method="inverted_cdf")
    # for a range or a bound this is the probability of lying on its other side
    tail = min(np.mean(seen <= one.high), np.mean(seen >= one.low))
    like = reads_like(int(one.low), int(low), int(middle), int(high)) if point else None
    return low, middle, high, min(1.0, 2.0 * float(tail)), np.nan if like is None else float(like)


def reads_like(printed: int, low: int, middle: int, high: int) -> int | None:
    """Return what a number would be without a slip of the pen, where that lies in a range; the likeliest if several.

    Slips are a zero too many or too few, and two neighbouring digits swapped.

    Examples
    --------
    >>> reads_like(2130, 205, 213, 216), reads_like(21, 10, 12, 13), reads_like(40, 10, 12, 13)
    (213, 12, None)
    """
    fitting = [one for one in _slips(printed) if low <= one <= high and not low <= printed <= high]
    return min(fitting, key=lambda one: abs(one - middle)) if fitting else None


def _slips(printed: int) -> Iterator[int]:
    """Numbers that a slip of the pen turns into this one."""
    digits = str(printed)
    if len(digits) < FEWEST_DIGITS:
        return
    for zeros in (1, 2):
        if digits.endswith("0" * zeros):
            yield printed // 10**zeros
        yield printed * 10**zeros
    for at in range(len(digits) - 1):
        swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        if swapped != digits and not swapped.startswith("0"):
            yield int(swapped)


def improbable(table: pd.DataFrame) -> pd.Series:
    """Mark the tallies that the other tallies make improbable: a bare number only where it is not relied on either."""
    return table["surprise"].lt(SURPRISING) & table["reliability"].lt(UNRELIABLE)
