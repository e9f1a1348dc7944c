"""Incidents by day, and what days can show: gaps, late reports, heaped weekdays and days of the month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.assessment.quality.finding import SURE, Finding, several
from escalation.conventions.arrays import BoolArray, FloatArray, IntArray
from escalation.counts.periods import day_numbers
from escalation.incidents.coverage import merged_spans
from escalation.incidents.schema import event_numbers

AROUND = 28
"""Days beside a gap, at the least, that say how many incidents are usual there."""
SHORTEST_GAP, FEWEST_ACTIVE = 3, 5
MOST_GAPS = 3
"""Gaps that are reported one by one."""
LATEST, USUAL = 14, 84
"""The last days, and the days before them that they are compared with."""
LITTLE = 0.6
UNEVEN, HEAPED = 1.3, 1.5
"""So many times the expected number, at the least: on a weekday, on a day of the month."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday."""


class Days(NamedTuple):
    """All days from the first to the last of a table.

    Attributes
    ----------
    first : int
        Days since 1970-01-01.
    incidents : (n,) float array
        Incidents a day; one with a window of several days counts on all of them in equal parts.
    exact : (n,) float array
        Incidents of windows of one day.
    reached : (n,) bool array
        Days that lie in the window of some incident.
    scatter : float
        Variance of ``incidents`` about their local mean, in its units.
    since : (n,) int array
        How many days each is after ``first``: one by one, unless days on which nobody looked are left out.
    """

    first: int
    incidents: FloatArray
    exact: FloatArray
    reached: BoolArray
    scatter: float
    since: IntArray

    def name(self, day: int) -> str:
        """A day by its position."""
        return str(np.datetime64(self.first + int(self.since[day]), "D"))


def days_of(table: pd.DataFrame) -> Days:
    """Incidents by day, of a checked table."""
    first, last = day_numbers(table["date"]), day_numbers(table["date_end"])
    events = event_numbers(table).astype(np.float64)
    begin, n = int(first.min()), int(last.max() - first.min()) + 1
    one_day = first == last

    def running(weights: FloatArray) -> FloatArray:
        steps = np.bincount(first - begin, weights, n + 1) - np.bincount(last - begin + 1, weights, n + 1)
        return np.asarray(np.cumsum(steps)[:n])

    wide = np.where(one_day, 0.0, events / (last - first + 1))
    exact = np.bincount((first - begin)[one_day], events[one_day], n).astype(np.float64)
    incidents = np.asarray(exact + np.maximum(running(wide), 0.0))
    reached = running((events > 0).astype(np.float64)) > 0.5  # a row of counts that says 0 reaches no day
    return Days(begin, incidents, exact, reached, scatter(incidents, local_mean(incidents)), np.arange(n))


def watched_days(days: Days, spans: pd.DataFrame) -> Days:
    """The days on which somebody looked, by checked spans of coverage, whatever unit they are of."""
    n, last = len(days.since), days.first + len(days.since) - 1
    edges = [pd.Timestamp(np.datetime64(day, "D")) for day in (days.first, last)]
    covered = merged_spans(spans, np.zeros(len(spans), dtype=np.int64), (edges[0], edges[1]))
    steps = np.bincount(covered.first - days.first, minlength=n + 1)
    steps -= np.bincount(covered.last - days.first + 1, minlength=n + 1)
    kept = np.cumsum(steps)[:n] > 0
    incidents = days.incidents[kept]
    ratio = scatter(incidents, local_mean(incidents)) if kept.any() else 1.0
    return Days(days.first, incidents, days.exact[kept], days.reached[kept], ratio, days.since[kept])


def local_mean(counts: FloatArray, width: int = 4 * 7) -> FloatArray:
    """Mean of the whole weeks around each day; at the ends of those that are there."""
    kernel = np.ones(width + 1)
    kernel[[0, -1]] = 0.5
    sums = np.convolve(counts, kernel)[width // 2 : width // 2 + len(counts)]
    there = np.convolve(np.ones(len(counts)), kernel)[width // 2 : width // 2 + len(counts)]
    return np.asarray(sums / there)


def scatter(counts: FloatArray, mean: FloatArray) -> float:
    """Pearson's variance ratio of counts about their local mean, 1 at the least.

    The local mean follows the counts themselves; over 28 days that takes about one part in 28 off the ratio.
    """
    some = mean > 0
    if some.sum() < 2:
        return 1.0
    return max(float(((counts - mean)[some] ** 2 / mean[some]).mean()) * 28 / 27, 1.0)


def find_gaps(days: Days) -> Iterator[Finding]:
    """Stretches without an incident that are too long for what is usual before and after them.

    The probability of none in g days, when a incidents fell into m days beside them, is ``(m / (m + g)) ** (a /
    scatter)``, that of a Poisson distribution whose rate is known from those days only (its prior 1 / rate), thinned by
    the scatter of the days.  The quieter side counts, and has incidents on five days at the least: the end of a war is
    no gap.
    """
    found: list[tuple[float, int, int, float]] = []
    for begin, end in _runs(~days.reached):
        length = end - begin
        if length < SHORTEST_GAP:
            continue
        reach = max(AROUND, 2 * length)
        sides = days.incidents[max(begin - reach, 0) : begin], days.incidents[end : end + reach]
        if min((side > 0).sum() for side in sides) < FEWEST_ACTIVE:
            continue
        totals = [(float(side.sum()), max(len(side), AROUND)) for side in sides]
        around, m = min(totals, key=lambda side: side[0] / side[1])
        p = (m / (m + length)) ** (around / days.scatter) * max(len(days.reached) / length, 1.0)
        if p < SURE:
            found.append((p, begin, end, 7 * around / m))
    found.sort(key=lambda gap: gap[1] - gap[2])
    share = sum(end - begin for _, begin, end, _ in found) / len(days.reached)
    for p, begin, end, usual in found[:MOST_GAPS]:
        yield Finding(
            "gap",
            f"no incident in the {end - begin} days from {days.name(begin)} to {days.name(end - 1)}, where "
            f"{usual:.3g} a week are usual before and after (probability {_below(p)})",
            "find out whether anybody looked; if not, leave those days out of what is covered",
            grave=share > 0.05,
        )
    if len(found) > MOST_GAPS:
        rest = several(len(found) - MOST_GAPS, "other gap")
        yield Finding("gap", f"{rest} like these; all together are {share:.0%} of the days", "look at them too")


def _below(p: float) -> str:
    return "below 1 in a million" if p < 1e-6 else f"{p:.1g}"


def _runs(flags: BoolArray) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def find_few_lately(days: Days) -> Iterator[Finding]:
    """Fewer incidents in the last days than before, as where reports come in late."""
    from scipy.stats import poisson

    if len(days.incidents) < LATEST + USUAL:
        return
    last, before = days.incidents[-LATEST:].sum(), days.incidents[-LATEST - USUAL : -LATEST]
    expected = float(before.sum()) * LATEST / USUAL
    ratio = scatter(before, local_mean(before))
    if not expected or last > LITTLE * expected or poisson.cdf(last / ratio, expected / ratio) > 0.01:
        return
    yield Finding(
        "latest",
        f"the last {LATEST} days hold {last:.3g} incidents, where {expected:.3g} would be usual after the "
        f"{USUAL} days before",
        "it may be calm, or reports that are still to come: correct it by nowcast() or end before those days",
    )


def find_heaps(days: Days) -> Iterator[Finding]:
    """Weekdays and days of the month on which too many incidents are dated."""
    if days.exact.sum() < 50:
        return
    numbers = days.first + days.since
    weekday = (numbers + EPOCH_WEEKDAY) % 7
    mean = local_mean(days.exact)
    effect = np.bincount(weekday, days.exact, 7) / np.maximum(np.bincount(weekday, mean, 7), 1e-12)
    ratio = scatter(days.exact, mean * effect[weekday])
    yield from _weekdays(days.exact, mean, weekday, ratio)
    yield from _month_days(days.exact, mean, numbers, ratio)


def _weekdays(counts: FloatArray, mean: FloatArray, weekday: IntArray, ratio: float) -> Iterator[Finding]:
    from scipy.stats import chi2

    got, expected = np.bincount(weekday, counts, 7), np.bincount(weekday, mean, 7)
    p = float(chi2.sf(((got - expected) ** 2 / np.maximum(expected, 1e-12)).sum() / ratio, 6))
    share = got / got.sum()
    most = int(share.argmax())
    if p > SURE or got[most] < UNEVEN * expected[most]:
        return
    yield Finding(
        "weekday",
        f"{share[most]:.0%} of the incidents that are dated to a day fall on {WEEKDAYS[most]}s "
        f"({expected[most] / expected.sum():.0%} expected)",
        "dates may be those of reports: count by week or month, not by day",
    )


def _month_days(counts: FloatArray, mean: FloatArray, numbers: IntArray, ratio: float) -> Iterator[Finding]:
    from scipy.stats import norm

    dates = pd.DatetimeIndex(numbers.astype("datetime64[D]"))
    groups = {"the first": dates.day == 1, "the 15th": dates.day == 15, "the last": dates.is_month_end}
    for name, chosen in groups.items():
        got, expected = float(counts[chosen].sum()), float(mean[chosen].sum())
        p = float(norm.sf((got - expected) / np.sqrt(ratio * expected))) * len(groups) if expected else 1.0
        if p < SURE and got >= HEAPED * expected:
            yield Finding(
                "day of month",
                f"{got:,.0f} incidents are dated to {name} day of a month"
                if name != "the 15th"
                else f"{got:,.0f} incidents are dated to the 15th of a month",
                f"{expected:,.0f} would be usual, so some are only known to the month: count by month, or give "
                "them a window (time_precision)",
            )
