"""Rare big events: the probability of one of a size, from a handful of announced ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import probability_text
from escalation.errors import InputError

SPREAD = 1.2
"""How far sizes of operations are apart, as a standard deviation of logs, before any is known: one in three is more
than 3.3 times as large as is usual, or as small."""
KNOWN = 2.0
"""Sizes that this is worth beside those of the series."""
HAZARD_EVENTS = 0.5
"""Events that the prior of the hazard is worth: Jeffreys' prior of a Poisson rate."""
DRAWS = 20_000
LARGEST_SIZE = 10_000_000


@dataclass(frozen=True, eq=False)
class RareEvents:
    """Probability that an event of a size falls by each of some dates.

    Attributes
    ----------
    probability : pandas.DataFrame
        Indexed by date: ``probability``, and ``lower`` and ``upper``, its interval over what the few events leave open
        of hazard and sizes.
    at_least : int
        The size.
    events, days : int
        Events that are known, and the days in which they fell.
    share : float
        Share of coming events that are expected to reach the size.
    level : float
        Probability of the intervals.
    """

    probability: pd.DataFrame = field(repr=False)
    at_least: int
    events: int
    days: int
    share: float
    level: float

    def table(self) -> pd.DataFrame:
        """The probability by each date, with its interval."""
        return self.probability

    def sentence(self) -> str:
        """Say it in plain words, with what it assumes."""
        last = self.probability.iloc[-1]
        many = "event" if self.events == 1 else "events"
        return (
            f"The probability of one of at least {self.at_least:,} by {self.probability.index[-1]} is "
            f"{probability_text(float(last['probability']))} ({self.level:.0%} interval "
            f"{probability_text(float(last['lower']))} to {probability_text(float(last['upper']))}), "
            f"from {self.events} {many} in {self.days:,} days. It assumes that these were all there were, that they "
            "come at a constant "
            "hazard, and that the logs of their sizes are normal with a spread that so few leave open."
        )


def rare_events(
    sizes: NDArray[np.int64] | list[int],
    days: int,
    at_least: int,
    until: pd.DatetimeIndex,
    origin: pd.Timestamp,
    *,
    level: float = 0.9,
    rng: Seed = None,
) -> RareEvents:
    """Probability of an event of a size, where only a handful are known.

    Events come at a constant hazard: with ``n`` in ``days`` its posterior is gamma of shape ``n + 0.5`` (Jeffreys'
    prior; Jeffreys 1946, doi:10.1098/rspa.1946.0056).  The logs of the sizes are normal; with a flat prior of their
    mean and an inverse gamma one of their variance, worth two sizes at a standard deviation of 1.2, the next size is
    log-t-distributed with ``n + 1`` degrees of freedom, so that its tail is as heavy as few sizes leave it.

    Parameters
    ----------
    sizes : array of int
        Size of each known event, >= 1.
    days : int
        Days in which they fell, all of which were watched.
    at_least : int
        The size wanted.
    until : DatetimeIndex
        Dates by which it may fall.
    origin : Timestamp
        Last day that was watched.
    level : float
        Probability of the intervals.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    RareEvents

    Raises
    ------
    InputError
        If there is no event, a number is out of range, or a date is not after the origin.

    Examples
    --------
    >>> weeks = pd.date_range("2024-11-19", periods=8, freq="7D")
    >>> found = rare_events([85, 9], 403, 50, weeks, pd.Timestamp("2024-11-12"), rng=1)
    >>> bool(0.02 < found.probability["probability"].iloc[-1] < 0.3)
    True
    """
    known = np.asarray(sizes, dtype=float)
    check_whole(at_least, "at_least", LARGEST_SIZE)
    check_whole(days, "days", LARGEST_SIZE)
    if known.size == 0 or (known < 1).any():
        raise InputError(f"sizes is {list(sizes)!r}; give the size of at least one event, each 1 or more")
    if len(until) == 0 or (until <= origin).any():
        raise InputError(f"until begins with {until.min()}; give dates after the last day watched, {origin.date()}")
    generator = as_generator(rng)
    hazard = generator.gamma(known.size + HAZARD_EVENTS, 1.0 / days, DRAWS)
    reached = _share_reaching(known, at_least, generator.standard_normal(DRAWS), generator.chisquare(_df(known), DRAWS))
    ahead = np.asarray((until - origin).days, dtype=float)
    passed = -np.expm1(-hazard[:, None] * reached[:, None] * ahead[None, :])
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(passed, [tail, 1.0 - tail], axis=0)
    index = pd.Index([f"{day:%Y-%m-%d}" for day in until], name="by")
    table = pd.DataFrame({"probability": passed.mean(axis=0), "lower": low, "upper": high}, index=index)
    return RareEvents(table, int(at_least), known.size, int(days), float(reached.mean()), level)


def _df(known: FloatArray) -> float:
    """Degrees of freedom of the variance of the logs of the sizes."""
    return KNOWN + known.size - 1


def _share_reaching(known: FloatArray, at_least: int, normal: FloatArray, chi_square: FloatArray) -> FloatArray:
    """Share of events that reach a size, for each draw of the mean and the variance of the logs of the sizes."""
    logs = np.log(known)
    squares = KNOWN * SPREAD**2 + ((logs - logs.mean()) ** 2).sum()
    sd = np.sqrt(squares / chi_square)
    mean = logs.mean() + sd / np.sqrt(known.size) * normal
    return np.asarray(norm.sf((np.log(at_least - 0.5) - mean) / sd))
