"""Simulated worlds whose truth is known: rising, starting, ending, seasonal, bursting or steady counts.

A world is a function of a generator that gives a `World`: the counts of the past, the true mean of each of their
periods, what then came, and 2,000 futures of an oracle, which knows the process, its parameters and its state at the
origin, but not what will happen by chance.  The counts are weekly unless the name says days or months.  Only numpy
and pandas are used: nothing of the package is in what its models are judged by.

    from simulators import WORLDS, simulate
    world = simulate("growth_5", series=0, seed=1)

Levels, noise and dates differ between the series of a world; what its name or docstring states does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from simulation import STEPS, WEEKS, World, between, foreseen, generator, unroll

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

YEAR = 52


def weeks(periods: int = WEEKS) -> FloatArray:
    """Numbers 0, 1, ... of the past and coming weeks."""
    return np.arange(periods + STEPS["W-SUN"], dtype=np.float64)


# --- worlds that go somewhere


def growth_3(rng: Generator) -> World:
    """Rising 3% a week for two years."""
    return foreseen(rng, between(3, 8, rng) * 1.03 ** weeks(), dispersion=rng.uniform(0.02, 0.15))


def growth_5(rng: Generator) -> World:
    """Rising 5% a week for a year."""
    return foreseen(rng, between(3, 8, rng) * 1.05 ** weeks(YEAR), dispersion=rng.uniform(0.02, 0.15))


def growth_12(rng: Generator) -> World:
    """Rising 12% a week for 30 weeks."""
    return foreseen(rng, between(1.5, 5, rng) * 1.12 ** weeks(30), dispersion=rng.uniform(0.02, 0.1))


def decline_3(rng: Generator) -> World:
    """Falling 3% a week for two years."""
    return foreseen(rng, between(30, 90, rng) * 0.97 ** weeks(), dispersion=rng.uniform(0.02, 0.15))


def linear(rng: Generator) -> World:
    """A mean on a straight line from some 5 to some 50 in two years."""
    start, end = between(3, 8, rng), between(30, 80, rng)
    return foreseen(rng, start + (end - start) / WEEKS * weeks(), dispersion=rng.uniform(0.02, 0.15))


def step(rng: Generator) -> World:
    """5 a week for 102 weeks, 25 a week since two weeks ago."""
    return foreseen(rng, np.where(weeks() < WEEKS - 2, 5.0, 25.0), dispersion=0.1, changed=True)


def logistic(rng: Generator) -> World:
    """From some 2 to some 60 a week along a logistic curve, half way up between 8 weeks before and 4 after the origin.

    The slope of the log odds is 0.15 to 0.35 a week.
    """
    low, high, half = between(1, 4, rng), between(30, 100, rng), WEEKS + rng.uniform(-8, 4)
    mean = low + (high - low) / (1 + np.exp(-rng.uniform(0.15, 0.35) * (weeks() - half)))
    return foreseen(rng, mean, dispersion=rng.uniform(0.02, 0.15), changed=True)


def wave_decays(rng: Generator) -> World:
    """One wave of some 40 a week above some 3, at its peak 4 to 10 weeks ago; the rest falls by 11 to 18% a week."""
    since = weeks() - (WEEKS - 1 - rng.integers(4, 11))
    shape = np.where(since < 0, np.exp(-((since / rng.uniform(3, 6)) ** 2)), np.exp(-since / rng.uniform(5, 9)))
    return foreseen(
        rng, between(2, 5, rng) + between(25, 60, rng) * shape, dispersion=rng.uniform(0.02, 0.15), changed=True
    )


def truce(rng: Generator) -> World:
    """Some 25 a week, and a lasting 5 to 25% of it since a truce that began 6 to 10 weeks ago."""
    left = np.where(weeks() < WEEKS - rng.integers(6, 11), 1.0, rng.uniform(0.05, 0.25))
    return foreseen(rng, between(15, 40, rng) * left, dispersion=rng.uniform(0.05, 0.3), changed=True)


def begins(t: int, first: int, last: int) -> float:
    """Probability that it begins with the period after t if not before, where each from first to last is as likely."""
    return 1 / (last - t) if first <= t + 1 <= last else 0.0


def truce_random(rng: Generator) -> World:
    """As `truce`, begun in a week that is drawn from the last year and the next 13 weeks: a fifth lie ahead."""
    war, left, last = between(15, 40, rng), rng.uniform(0.05, 0.25), WEEKS + 12

    def move(t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        return np.maximum(states, rng.random(states.shape) < begins(t, WEEKS - YEAR, last))

    return unroll(
        rng,
        np.zeros((1, 1)),
        lambda _, states: war * np.where(states[:, 0] > 0, left, 1.0),
        move,
        dispersion=rng.uniform(0.05, 0.3),
        changed=lambda state: bool(state[0, 0] > 0),
    )


def onset(rng: Generator) -> World:
    """Quiet (some 0.3 a week), then a war begins in one of the last 16 or the next 4 weeks: a fifth lie ahead.

    Its level, some 20 a week, is drawn when it begins, and approached by 20 to 50% of what is missing a week.
    """
    quiet, pace, last = between(0.1, 0.8, rng), rng.uniform(0.2, 0.5), WEEKS + 3

    def move(t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        goal, reached = states.T
        new = (goal == 0) & (rng.random(len(goal)) < begins(t, WEEKS - 16, last))
        goal = np.where(new, np.exp(rng.normal(np.log(20), 0.5, len(goal))), goal)
        return np.column_stack([goal, reached + pace * np.maximum(goal - reached, 0)])

    return unroll(
        rng,
        np.zeros((1, 2)),
        lambda _, states: quiet + states[:, 1],
        move,
        dispersion=rng.uniform(0.05, 0.3),
        changed=lambda state: bool(state[0, 0] > 0),
    )


def mixture(rng: Generator) -> World:
    """5 a week and, since two weeks ago, 20 more: in half of the series for good, in the others less by 25% a week.

    The oracle does not know of which kind a series is; it has what the last two counts say about it.
    """
    dispersion, kept = 0.1, 0.75

    def move(t: int, states: FloatArray, _counts: IntArray, _rng: Generator) -> FloatArray:
        fades, above = states.T
        return np.column_stack([fades, np.where(t + 1 == WEEKS - 2, 20.0, above * np.where(fades > 0, kept, 1.0))])

    def believed(states: FloatArray, counts: IntArray, rng: Generator) -> FloatArray:
        above = 20.0 * np.array([[1.0, 1.0], [1.0, kept]])
        logs = (
            counts[-2:] * np.log(5 + above) - (counts[-2:] + 1 / dispersion) * np.log1p(dispersion * (5 + above))
        ).sum(axis=1)
        fades = rng.random(len(states)) < 1 / (1 + np.exp(logs[0] - logs[1]))
        return np.column_stack([fades, np.where(fades, above[1, 1], above[0, 1])])

    return unroll(
        rng,
        np.array([[float(rng.random() < 0.5), 0.0]]),
        lambda _, states: 5 + states[:, 1],
        move,
        dispersion=dispersion,
        changed=lambda _: True,
        believed=believed,
    )


# --- seasons


def weekday_strong(rng: Generator) -> World:
    """280 days; one day of the week has 44% of all."""
    share = np.full(7, 0.56 / 6)
    share[rng.integers(7)] = 0.44
    return _weekdays(rng, share)


def weekday_mild(rng: Generator) -> World:
    """280 days; the days of the week differ by factors of some 1.2."""
    share = np.exp(rng.normal(0, 0.2, 7))
    return _weekdays(rng, share / share.sum())


def _weekdays(rng: Generator, share: FloatArray) -> World:
    mean = between(3, 12, rng) * 7 * share[np.arange(280 + STEPS["D"]) % 7]
    return foreseen(rng, mean, dispersion=rng.uniform(0.05, 0.2), freq="D")


def year_months(rng: Generator) -> World:
    """84 months; the months of the year differ by factors of some 5."""
    return _yearly(rng, 84, 12.0, between(15, 60, rng), "M")


def year_weeks(rng: Generator) -> World:
    """208 weeks; the weeks of the year differ by factors of some 5."""
    return _yearly(rng, 208, 365.25 / 7, between(5, 25, rng), "W-SUN")


def _yearly(rng: Generator, periods: int, length: float, level: float, freq: str) -> World:
    angle = 2 * np.pi * (np.arange(periods + STEPS[freq]) / length + rng.random())
    logs = rng.uniform(0.6, 1.0) * np.sin(angle) + rng.uniform(0, 0.3) * np.sin(2 * angle + rng.uniform(0, 2 * np.pi))
    return foreseen(rng, level * np.exp(logs), dispersion=rng.uniform(0.02, 0.15), freq=freq)


# --- worlds whose mean does not change


def poisson(rng: Generator) -> World:
    """Poisson counts with one mean, 2 to 30."""
    return foreseen(rng, np.full(len(weeks()), between(2, 30, rng)), dispersion=0.0)


def sparse(rng: Generator) -> World:
    """0.3 a week, Poisson."""
    return foreseen(rng, np.full(len(weeks()), 0.3), dispersion=0.0)


def overdispersed(rng: Generator) -> World:
    """Negative binomial counts with one mean, 3 to 30, and a dispersion of 0.4 to 1.5."""
    return foreseen(rng, np.full(len(weeks()), between(3, 30, rng)), dispersion=between(0.4, 1.5, rng))


def five_points(rng: Generator) -> World:
    """Five weeks with one mean, 3 to 20."""
    return foreseen(rng, np.full(len(weeks(5)), between(3, 20, rng)), dispersion=rng.uniform(0.02, 0.3))


def missing(rng: Generator) -> World:
    """One mean, 5 to 25; three stretches of 4 to 12 weeks were not observed, the last four weeks were."""
    observed = np.ones(WEEKS, dtype=bool)
    for _ in range(3):
        length = rng.integers(4, 13)
        first = rng.integers(1, WEEKS - 4 - length)
        observed[first : first + length] = False
    mean = np.full(len(weeks()), between(5, 25, rng))
    return foreseen(rng, mean, dispersion=rng.uniform(0.05, 0.4), observed=observed)


def spike(rng: Generator) -> World:
    """0.02 a week for 60 weeks, but some 20 in one of the last four; such weeks come once in 60."""
    at = 60 - 1 - rng.integers(4)

    def move(t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        return np.full(states.shape, float(t + 1 == at)) if t + 1 < 60 else 1.0 * (rng.random(states.shape) < 1 / 60)

    return unroll(
        rng,
        np.zeros((1, 1)),
        lambda _, states: np.where(states[:, 0] > 0, 20.0, 0.02),
        move,
        dispersion=0.1,
        periods=60,
    )


# --- worlds that wander


def regimes(rng: Generator) -> World:
    """Two or three levels, each some 4 times the one before, that last 6 to 25 weeks on average and come back."""
    number = rng.integers(2, 4)
    levels = between(1, 6, rng) * np.exp(rng.uniform(np.log(2.5), np.log(6))) ** np.arange(number)
    leaving = 1 / rng.uniform(6, 25, number)

    def move(_t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        now = states[:, 0].astype(int)
        other = (now + rng.integers(1, number, len(now))) % number
        return np.where(rng.random(len(now)) < leaving[now], other, now)[:, None].astype(float)

    return unroll(
        rng,
        np.array([[float(rng.integers(number))]]),
        lambda _, states: levels[states[:, 0].astype(int)],
        move,
        dispersion=rng.uniform(0.02, 0.2),
        burn=60,
    )


def regimes_new(rng: Generator) -> World:
    """Levels that last 20 weeks on average; each new one is drawn anew, around 8 with a standard deviation of log 1."""

    def move(_t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        new = rng.random(states.shape) < 1 / 20
        return np.where(new, rng.normal(np.log(8), 1.0, states.shape), states)

    start = rng.normal(np.log(8), 1.0, (1, 1))
    return unroll(rng, start, lambda _, states: np.exp(states[:, 0]), move, dispersion=rng.uniform(0.02, 0.2))


def random_walk(rng: Generator) -> World:
    """The log of the mean is a random walk with steps of 0.1, from some 10 on."""
    return _autoregression(rng, damping=1.0, noise=0.1, start=0.0, level=between(5, 20, rng))


def ar_50(rng: Generator) -> World:
    """Log means with a standard deviation of 0.5 and an autocorrelation of 0.5."""
    return _stationary_levels(rng, 0.5)


def ar_80(rng: Generator) -> World:
    """Log means with a standard deviation of 0.5 and an autocorrelation of 0.8."""
    return _stationary_levels(rng, 0.8)


def ar_95(rng: Generator) -> World:
    """Log means with a standard deviation of 0.5 and an autocorrelation of 0.95."""
    return _stationary_levels(rng, 0.95)


def _stationary_levels(rng: Generator, damping: float, sd: float = 0.5) -> World:
    noise = sd * float(np.sqrt(1 - damping**2))
    return _autoregression(rng, damping=damping, noise=noise, start=rng.normal(0, sd), level=between(3, 30, rng))


def _autoregression(rng: Generator, *, damping: float, noise: float, start: float, level: float) -> World:
    def move(_t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        return damping * states + noise * rng.standard_normal(states.shape)

    return unroll(
        rng,
        np.array([[start]]),
        lambda _, states: level * np.exp(states[:, 0]),
        move,
        dispersion=rng.uniform(0.02, 0.15),
    )


def ingarch(rng: Generator) -> World:
    """INGARCH(1,1): the mean follows 0.2 to 0.4 of the last count and 0.3 to 0.5 of the last mean."""
    level, beta, alpha = between(4, 25, rng), rng.uniform(0.2, 0.4), rng.uniform(0.3, 0.5)

    def move(_t: int, states: FloatArray, counts: IntArray, _rng: Generator) -> FloatArray:
        return (1 - alpha - beta) * level + beta * counts[:, None] + alpha * states

    start = np.full((1, 1), level)
    return unroll(rng, start, lambda _, states: states[:, 0], move, dispersion=rng.uniform(0.02, 0.2), burn=60)


def hawkes(rng: Generator) -> World:
    """Incidents that each set off 0.5 to 0.8 others, half of them within 0.6 to 2 weeks; counted by the week."""
    ratio, kept = rng.uniform(0.5, 0.8), rng.uniform(0.3, 0.7)
    base = between(3, 20, rng) * (1 - ratio)

    def move(_t: int, states: FloatArray, counts: IntArray, _rng: Generator) -> FloatArray:
        return kept * states + ratio * (1 - kept) * counts[:, None]

    start = np.full((1, 1), base * ratio / (1 - ratio))
    return unroll(rng, start, lambda _, states: base + states[:, 0], move, dispersion=0.0, burn=60)


def bursts(rng: Generator) -> World:
    """Some 5 a week, and shocks of some 4 times that, once in 20 weeks, that fade by 15 to 40% a week."""
    base, kept = between(3, 8, rng), rng.uniform(0.6, 0.85)

    def move(_t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        hit = rng.random(states.shape) < 1 / 20
        return kept * states + hit * np.exp(rng.normal(np.log(4), 0.5, states.shape))

    start = np.zeros((1, 1))
    return unroll(
        rng, start, lambda _, states: base * (1 + states[:, 0]), move, dispersion=rng.uniform(0.02, 0.15), burn=60
    )


def waves_random(rng: Generator) -> World:
    """Some 3 a week, and waves of some 30 at their peak, once in 26 weeks, that rise and fall within some 15 weeks."""
    base, kept, height = between(2, 5, rng), rng.uniform(0.65, 0.8), between(20, 50, rng)
    scale = height * (1 - kept) * np.e  # of what comes through two equal delays, at its peak

    def move(_t: int, states: FloatArray, _counts: IntArray, rng: Generator) -> FloatArray:
        source, wave = states.T
        hit = (rng.random(len(wave)) < 1 / 26) * np.exp(rng.normal(0, 0.4, len(wave)))
        source = kept * source + hit
        return np.column_stack([source, kept * wave + source])

    return unroll(
        rng,
        np.zeros((1, 2)),
        lambda _, states: base + scale * states[:, 1],
        move,
        dispersion=rng.uniform(0.02, 0.15),
        burn=60,
    )


WORLDS: dict[str, Callable[[Generator], World]] = {
    one.__name__: one
    for one in (
        growth_3,
        growth_5,
        growth_12,
        decline_3,
        linear,
        step,
        logistic,
        wave_decays,
        waves_random,
        truce,
        truce_random,
        onset,
        mixture,
        weekday_strong,
        weekday_mild,
        year_months,
        year_weeks,
        poisson,
        sparse,
        overdispersed,
        five_points,
        missing,
        spike,
        regimes,
        regimes_new,
        random_walk,
        ar_50,
        ar_80,
        ar_95,
        ingarch,
        hawkes,
        bursts,
    )
}
"""Worlds by their names."""
STATIONARY = ("poisson", "sparse", "overdispersed", "five_points", "missing")
"""Worlds in which nothing at all changes."""
FLUCTUATING = ("ar_50", "ar_80", "ar_95", "ingarch", "hawkes")
"""Worlds whose mean comes and goes around one level that does not change."""
RISING = ("growth_3", "growth_5", "growth_12", "linear", "step", "logistic", "onset")
"""Worlds that rise towards the origin."""
FALLING = ("decline_3", "wave_decays", "truce", "truce_random")
"""Worlds that fall towards the origin."""
CHANGING = (*RISING, *FALLING, "mixture", "waves_random", "regimes", "regimes_new", "random_walk", "bursts", "spike")
"""Worlds in which something changes."""


def simulate(name: str, series: int, seed: int) -> World:
    """One series of a world: the same number and seed give the same series, whatever else is asked for."""
    return WORLDS[name](generator(series, seed, name))
