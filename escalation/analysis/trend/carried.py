"""What a direction hangs on: the one period, tally or day without which it could not be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from escalation.analysis.trend.rate_change import SAID

Left = TypeVar("Left")

CARRIED = 0.75
"""A direction that was said, and has less than this without one period, hangs on that period.

Of simulated doublings of the rate that are said to be rises (4 weeks against 12) one in eight hangs on a
period by this rule, of single outlying weeks seven in ten; at 0.9 it would be four and nine in ten.
"""
CARRIED_HISTORIES = 100
"""Histories that are enough to judge whether one period carries the direction."""


def carried_by(
    probability: float, without: Callable[[float], Iterable[tuple[float, Left]]]
) -> tuple[Left | None, float | None]:
    """Find what a direction hangs on, and the probability of a rise without it; None twice where it hangs on nothing.

    Parameters
    ----------
    probability : float
        Of a rise, with everything.
    without : callable
        Called with 1 for a rise that is said and -1 for a fall: pairs of the probability of a rise without something,
        and what that is.
    """
    if max(probability, 1 - probability) < SAID:
        return None, None
    sign = 1.0 if probability > 0.5 else -1.0
    tried = list(without(sign))
    if not tried:
        return None, None
    least, left = min(tried, key=lambda pair: sign * pair[0])
    return (left, least) if (least if sign > 0 else 1 - least) < CARRIED else (None, None)
