"""A simulated world: a process that is run through the past, and many times from its state at the origin on."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mean = Callable[[int, FloatArray], FloatArray]
Move = Callable[[int, FloatArray, IntArray, Generator], FloatArray]

WEEKS = 104
"""Periods of the past where a world says nothing else."""
PATHS = 2_000
"""Futures of the oracle."""
STEPS = {"W-SUN": 12, "M": 12, "D": 28}
"""Periods to come, by the kind of period."""
FIRST = "2019-01-07"


@dataclass(frozen=True, eq=False)
class World:
    """One series of a world, cut at the origin.

    Attributes
    ----------
    counts : pandas.Series
        Past counts on a PeriodIndex, ``<NA>`` where not observed.
    means : (n,) float array
        True mean of each past period.
    future : (steps,) int array
        What came after the origin.
    oracle : (2000, steps) int array
        Futures drawn from the true process, given its state at the origin.
    changed : bool or None
        Whether the origin lies after the change; None where the world knows of no single change.
    """

    counts: pd.Series = field(repr=False)
    means: FloatArray = field(repr=False)
    future: IntArray
    oracle: IntArray = field(repr=False)
    changed: bool | None = None

    @property
    def freq(self) -> str:
        """Kind of period: D, W-SUN or M."""
        return pd.PeriodIndex(self.counts.index).freqstr

    @property
    def steps(self) -> int:
        """Periods to come."""
        return len(self.future)


def counts_around(mean: FloatArray, dispersion: float, rng: Generator) -> IntArray:
    """Negative binomial counts with ``Var = mean + dispersion * mean**2``; Poisson where the dispersion is 0."""
    shape = np.shape(mean)
    spread = rng.gamma(1 / dispersion, dispersion, shape) if dispersion else np.ones(shape)
    return rng.poisson(mean * spread)


def between(low: float, high: float, rng: Generator) -> float:
    """A number of which every factor between the limits is as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def unroll(
    rng: Generator,
    state: FloatArray,
    mean: Mean,
    move: Move,
    *,
    dispersion: float,
    periods: int = WEEKS,
    freq: str = "W-SUN",
    burn: int = 0,
    observed: NDArray[np.bool_] | None = None,
    changed: Callable[[FloatArray], bool] | None = None,
    believed: Callable[[FloatArray, IntArray, Generator], FloatArray] | None = None,
) -> World:
    """Run a process through the past, and many times from its state at the origin on.

    Parameters
    ----------
    rng : Generator
    state : (1, d) float array
        Of the first period.
    mean : function (t, states (k, d)) -> (k,)
        Mean of period t, counted from 0.
    move : function (t, states (k, d), counts (k,), rng) -> states (k, d)
        States of period t + 1.
    dispersion : float
        Of the counts about their mean.
    periods, freq : int, str
        Of the past.
    burn : int
        Periods before the first, at t = 0, that are thrown away.
    observed : (periods,) bool array, optional
        Which counts are known.
    changed : function of the state at the origin, optional
        Whether the change has come.
    believed : function (states (k, d), counts, rng) -> states (k, d), optional
        What an oracle knows of the state, where not all of it.
    """
    for _ in range(burn):
        state = move(0, state, counts_around(mean(0, state), dispersion, rng), rng)
    means, counts = np.empty(periods), np.empty(periods, dtype=np.int64)
    for t in range(periods):
        now = mean(t, state)
        drawn = counts_around(now, dispersion, rng)
        means[t], counts[t] = now[0], drawn[0]
        origin, state = state, move(t, state, drawn, rng)
    # the last move is made anew by every future: what it draws is not known at the origin
    states = np.repeat(origin, PATHS + 1, axis=0)
    if believed is not None:
        states[1:] = believed(states[1:], counts, rng)
    states = move(periods - 1, states, np.repeat(counts[-1:], PATHS + 1), rng)
    paths = np.empty((PATHS + 1, STEPS[freq]), dtype=np.int64)
    for step in range(STEPS[freq]):
        t = periods + step
        paths[:, step] = counts_around(mean(t, states), dispersion, rng)
        states = move(t, states, paths[:, step], rng)
    series = pd.Series(counts, index=pd.period_range(FIRST, periods=periods, freq=freq, name="period"), dtype="Int64")
    if observed is not None:
        series[~observed] = pd.NA
    return World(series, means, paths[0], paths[1:], None if changed is None else changed(origin))


def foreseen(
    rng: Generator,
    mean: FloatArray,
    *,
    dispersion: float,
    freq: str = "W-SUN",
    observed: NDArray[np.bool_] | None = None,
    changed: bool | None = None,
) -> World:
    """A world whose mean (periods + steps,) follows from its parameters alone."""
    periods = len(mean) - STEPS[freq]
    return unroll(
        rng,
        np.zeros((1, 1)),
        lambda t, states: np.full(len(states), mean[min(t, len(mean) - 1)]),
        lambda _t, states, _counts, _rng: states,
        dispersion=dispersion,
        periods=periods,
        freq=freq,
        observed=observed,
        changed=None if changed is None else lambda _: changed,
    )


def number_of(name: str) -> int:
    """A number that stands for a name in every run."""
    return zlib.crc32(name.encode())


def generator(series: int, seed: int, *names: str) -> Generator:
    """A generator for each series and purpose, which are distinguished by names."""
    return default_rng(SeedSequence([seed, *map(number_of, names)], spawn_key=(series,)))
