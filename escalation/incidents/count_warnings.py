"""What is to be said of counts of incidents: rows outside, windows that reach over, partial periods, unknown deaths."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import day_numbers, days_in, exposure, period_word
from escalation.errors import PartialPeriodWarning, warn
from escalation.incidents.counted_rows import native_freq
from escalation.incidents.spans import Spans, span_of


def warn_spread(
    rows: pd.DataFrame, windows: tuple[NDArray[np.int64], NDArray[np.int64]], span: tuple[int, int], freq: str
) -> None:
    """Warn of rows of counts that are spread, and name periods of their own that need no spreading."""
    own = native_freq(rows)
    instead = f"freq={own!r}" if own and own != freq else "a coarser freq"
    word = {"D": "day"}.get(freq, period_word(freq))
    warn(
        f"{len(rows):,} rows are counts of several days that lie in more than one {word} or partly outside; each is "
        f"spread evenly over its days, so that changes within it do not show: {instead} counts them whole, and draws= "
        "gives histories"
    )
    if cut := int(((windows[0] < span[0]) | (windows[1] > span[1])).sum()):
        warn(f"{cut:,} of them reach out of the days that are counted; only their part inside counts")


def warn_uncovered(
    table: pd.DataFrame, unit: NDArray[np.int64], covered: Spans, start: pd.Timestamp, end: pd.Timestamp
) -> None:
    """Warn of windows with days from start to end that do not lie wholly within one span of coverage."""
    near = ((table["date"] <= end) & (table["date_end"] >= start)).to_numpy()
    first, last = (day_numbers(table[name]) for name in ("date", "date_end"))
    begins, ends = span_of(covered, unit, first), span_of(covered, unit, last)
    if (reaching := int((near & ((begins != ends) | (begins < 0))).sum())) > 0:
        warn(
            f"{reaching:,} of {len(table):,} incidents have days on which their unit was not covered; each counts in "
            "the histories in which it falls on a covered day"
        )


def warn_reaching(table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Warn of incidents that fall outside the span in every history, or in some."""
    outside = (table["date"] > last) | (table["date_end"] < first)
    warn_outside(int(outside.sum()), len(outside), first, last)
    reaching = int(((table["date"] < first) | (table["date_end"] > last))[~outside].sum())
    if reaching:
        warn(
            f"{reaching:,} of {len(table):,} incidents have a window that reaches out of {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}; each counts in the histories in which it falls inside, so that their totals differ"
        )


def warn_unknown(unknown: int, rows: int, gaps: int) -> None:
    """Warn of incidents with unknown fatalities, and of counts that are unknown for it."""
    warn(
        f"{unknown:,} of {rows:,} incidents have unknown fatalities, so {gaps:,} counts are <NA>; "
        "drop these incidents or fill the column fatalities (with 0 for a lower bound) to count without them, or see "
        "escalation.incidents.fatality_range for what is known of them"
    )


def warn_outside(outside: int, rows: int, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Warn of incidents that are not counted."""
    if outside:
        warn(
            f"{outside:,} of {rows:,} incidents lie outside {first:%Y-%m-%d} to {last:%Y-%m-%d} "
            "and are not counted; move start or end, or drop them first"
        )


def warn_windows(wide: int, rows: int, freq: str, count_on: str) -> None:
    """Warn of incidents that could as well lie in another period."""
    if wide:
        warn(
            f"{wide:,} of {rows:,} incidents have a window that touches more than one {period_word(freq)}; "
            f"each counts on its {count_on} day (count_on={count_on!r}): try another day or a coarser freq"
        )


def warn_partial(index: pd.PeriodIndex, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Warn which of the outer periods are covered only in part."""
    outer = index[[0, -1]]
    whole = days_in(outer)
    covered = (exposure(outer, first, last).to_numpy() * whole).round().astype(int)
    partly = dict.fromkeys(
        f"{period} on {got} of its {of} days" for period, got, of in zip(outer, covered, whole, strict=True) if got < of
    )
    if partly:
        span = f"'{first:%Y-%m-%d}', '{last:%Y-%m-%d}'"
        warn(
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d} covers {' and '.join(partly)}; pass "
            f"exposure=escalation.exposure(counts.index, {span}) to fit, or move start or end to whole periods",
            PartialPeriodWarning,
        )
