"""``effect`` where the truth is known: actions that did nothing, actions that prevented a share, and a known example.

    python benchmarks/effect.py --series 250 --compared 50
    python benchmarks/effect.py --boston FILE

Four worlds, by numpy alone: a level with shocks that a second series shares, the action at any date; a level that
returns to its mean, the action after the four busiest weeks of a year; counts that excite themselves, the action after
the busiest week of a year; and shared shocks with an action after the busiest week of a year.  Where the action did
nothing "fewer than expected" must be false in at most 5%; where it prevented a share of what came after it, the 90%
interval of the averted total must hold the true one in 87 to 93%.  Worlds with a second series on the same level are
also judged with it as comparison, and held to the same.  `--store FILE` keeps every figure.  The exit code is 1 where a
figure lies outside by more than two standard errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from running import run_all

from escalation.analysis.actions.effect import PLACEBOS, effect
from escalation.analysis.actions.result import interval
from escalation.analysis.actions.verdict import judge

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEFORE, WITHIN, YEAR, RECENT = 40, 8, 52, 4
"""Fewest weeks before an action, weeks after it, of a year, and that count as recent."""
LONGEST, LEVEL = 200, 0.9
VERDICTS = ("fewer than expected", "more than expected", "as expected")
SHARES = (1.0, 0.5, 0.25)
"""What an action leaves of what would have come: all, where it did nothing."""
CEASEFIRE = "1996-06-01"
"""Boston's Operation Ceasefire; the counts begin in January 1992."""


class Trial(NamedTuple):
    """Counts until the end of the window after an action that did nothing, and a series on the same level.

    ``left`` is what would have been counted in the window had the action left this share of what came.
    """

    counts: IntArray
    place: int
    comparison: IntArray | None
    left: dict[float, int]


def negbin(mean: FloatArray, dispersion: float, rng: Generator) -> IntArray:
    """NB2 counts."""
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, mean.shape))


def shocks(rng: Generator, damping: float, sd: float, jumps: float) -> FloatArray:
    """A log level that returns to 0, with shocks every week and, with this probability a week, large ones."""
    x = np.zeros(LONGEST)
    for t in range(1, LONGEST):
        x[t] = damping * x[t - 1] + sd * rng.standard_normal()
        if rng.random() < jumps:
            x[t] += rng.normal(0, 0.9)
    return x


def any_date(rng: Generator, _counts: IntArray) -> int:
    """An action that answers nothing."""
    return int(rng.integers(BEFORE, LONGEST - WITHIN))


def busiest_month(rng: Generator, counts: IntArray) -> int:
    """An action after the four busiest weeks of a year, or of what there is of it."""
    sums = np.convolve(counts, np.ones(RECENT, dtype=int))[: len(counts)]
    return _after_record(rng, sums)


def busiest_week(rng: Generator, counts: IntArray) -> int:
    """An action after the busiest week of a year, or of what there is of it."""
    return _after_record(rng, counts)


def _after_record(rng: Generator, sizes: IntArray) -> int:
    """The period after the first record from some week on, of which there may be none (-1)."""
    for t in range(int(rng.integers(BEFORE, 110)), LONGEST - WITHIN):
        if sizes[t - 1] > sizes[max(0, t - 1 - YEAR) : t - 1].max():
            return t
    return -1


def thinned(counts: IntArray, place: int, rng: Generator, comparison: IntArray | None) -> Trial:
    """Each incident after the action is prevented by itself."""
    stop = place + WITHIN
    left = {share: int(rng.binomial(counts[place:stop], share).sum()) for share in SHARES}
    return Trial(counts[:stop], place, None if comparison is None else comparison[:stop], left)


World = Callable[[Generator], Trial | None]
"""Draws a series; None where there is no action in it."""


def levels(when: Callable[[Generator, IntArray], int], damping: float, sd: float, jumps: float) -> World:
    """A series on a level with shocks, beside another on the same level."""

    def world(rng: Generator) -> Trial | None:
        level = np.exp(shocks(rng, damping, sd, jumps))
        counts = negbin(np.exp(rng.uniform(np.log(3), np.log(30))) * level, rng.uniform(0.02, 0.3), rng)
        beside = negbin(np.exp(rng.uniform(np.log(3), np.log(30))) * level, rng.uniform(0.02, 0.3), rng)
        place = when(rng, counts)
        return None if place < 0 else thinned(counts, place, rng, beside)

    return world


def excited(rng: Generator) -> Trial | None:
    """Counts that excite themselves: some half to four fifths of them bring about others in the weeks after."""
    base, own, slow = rng.uniform(1, 5), rng.uniform(0.3, 0.5), rng.uniform(0.15, 0.3)
    counts, rates = [int(3 * base)], [3 * base]

    def go_on(counts: list[int], rates: list[float], until: int, share: float) -> tuple[list[int], list[float]]:
        counts, rates = list(counts), list(rates)
        while len(counts) < until:
            rates.append(base + own * counts[-1] + slow * rates[-1])
            counts.append(int(rng.binomial(rng.poisson(rates[-1] * rng.gamma(8, 1 / 8)), share)))
        return counts, rates

    counts, rates = go_on(counts, rates, LONGEST, 1.0)
    place = busiest_week(rng, np.array(counts))
    if place < 0:
        return None
    stop = place + WITHIN
    left = {1.0: sum(counts[place:stop])}
    for share in SHARES[1:]:
        left[share] = sum(go_on(counts[:place], rates[:place], stop, share)[0][place:])
    return Trial(np.array(counts[:stop]), place, None, left)


WORLDS: dict[str, tuple[str, World]] = {
    "shared": ("shared shocks, any date", levels(any_date, 0.9, 0.2, 0.02)),
    "regression": ("regression to the mean, after the busiest month", levels(busiest_month, 0.7, 0.35, 0.0)),
    "excited": ("counts excite themselves, after the busiest week", excited),
    "peak": ("shared shocks, after the busiest week", levels(busiest_week, 0.85, 0.25, 0.03)),
}
SHARED = ("shared", "regression", "peak")
"""Worlds that are judged with a comparison, too."""
FALSE, HELD = 0.05, (0.87, 0.93)
"""Largest share of "fewer" where nothing was done, and shares of true totals that intervals must hold."""


class Task(NamedTuple):
    """One series of a world."""

    world: str
    number: int
    compared: bool
    seed: int
    placebos: int


def trial(task: Task) -> Trial:
    """The series of a task."""
    stream = list(WORLDS).index(task.world)
    for attempt in range(1000):
        found = WORLDS[task.world][1](default_rng([task.seed, stream, task.number, attempt]))
        if found is not None:
            return found
    raise RuntimeError(f"no action in 1,000 series of {task.world}")


def judged(task: Task) -> list[dict[str, object]]:
    """What is said of one series, beside the truth, one row a share that the action leaves.

    What would have come follows from the past alone, so that it is drawn once and stands beside what each share leaves.
    """
    one = trial(task)
    weeks = pd.period_range("2019-12-30", periods=len(one.counts), freq="W-SUN")
    beside = pd.Series(one.comparison, index=weeks) if task.compared else None
    begin = time.process_time()
    counts, day = pd.Series(one.counts, index=weeks), weeks[one.place].start_time
    found = effect(counts, day, within=WITHIN, comparison=beside, placebos=task.placebos, rng=task.number)
    seconds, without = time.process_time() - begin, one.left[1.0]
    rows = []
    for share, counted in one.left.items():
        averted = found.expected_draws - counted
        middle, lower, upper = interval(averted, LEVEL)
        rows.append(
            task._asdict()
            | {
                "left": share,
                "seconds": seconds,
                "before": one.place,
                "verdict": judge(averted, found.power),
                "held": lower <= without - counted <= upper,
                "true": without - counted,
                "averted": middle,
                "width": upper - lower,
                "expected": without,
                "score": found.score,
                "tried": len(found.placebos),
                "mean": found.placebos["score"].mean(),
                "sd": found.placebos["score"].std(ddof=0),
                "independent": found.independent,
                "power": found.power.get(share, np.nan),
            }
        )
    return rows


def tasks(worlds: list[str], series: int, compared: int, seed: int, placebos: int) -> Iterator[Task]:
    """Every series of the worlds, and so many with a comparison where there is one."""
    for world in worlds:
        for number in range(series):
            yield Task(world, number, False, seed, placebos)
        for number in range(compared if world in SHARED else 0):
            yield Task(world, number, True, seed, placebos)


def report(table: pd.DataFrame) -> Iterator[str]:
    """One line a world, share and kind of comparison."""
    for (world, compared, left), rows in table.groupby(["world", "compared", "left"], sort=False):
        said = rows["verdict"].value_counts(normalize=True)
        shares = ", ".join(f"{name} {said.get(name, 0):.3f}" for name in VERDICTS)
        error = np.sqrt(0.9 * 0.1 / len(rows))
        stated = "" if left == 1 else f" (stated {rows['power'].mean():.3f})"
        yield (
            f"{WORLDS[world][0]}{', with comparison' if compared else ''}, {left:.0%} left: {shares}{stated}; "
            f"90% interval holds {rows['held'].mean():.3f} ± {error:.3f}, median width {rows['width'].median():.0f} of "
            f"{rows['expected'].median():.0f}; {rows['seconds'].mean():.2f} s a series"
        )


def boston(path: str) -> Iterator[str]:
    """Youth homicides by month and the verdict on Operation Ceasefire, over half a year, a year and to the end."""
    counts = pd.read_csv(path)["homicides"].astype(int)
    months = pd.Series(counts.to_numpy(), index=pd.period_range("1992-01", periods=len(counts), freq="M"))
    for within in (6, 12, len(months) - 53):
        found = effect(months, CEASEFIRE, within=within, rng=1)
        yield f"{within} months: {' '.join(found.sentences()[:3])}"


def main() -> None:
    parser = argparse.ArgumentParser(description="effect where the truth is known.")
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--series", type=int, default=250)
    parser.add_argument("--compared", type=int, default=50, help="series with a comparison, of each world with one")
    parser.add_argument(
        "--placebos", type=int, default=PLACEBOS, help="0 for the model and its prior alone, in a tenth"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", metavar="FILE", help="keep every figure in this CSV file")
    parser.add_argument("--boston", metavar="FILE", help="boston.csv: the known example in place of simulations")
    chosen = parser.parse_args()
    if chosen.boston:
        for line in boston(chosen.boston):
            print(line)
        return
    parts = []
    for world in chosen.worlds:
        asked = list(tasks([world], chosen.series, chosen.compared, chosen.seed, chosen.placebos))
        done = dict(run_all(judged, asked, chosen.jobs))
        parts.append(pd.DataFrame([row for task in asked for row in done[task]]))
        for line in report(parts[-1]):
            print(line, flush=True)
    table = pd.concat(parts)
    if chosen.store:
        Path(chosen.store).write_text(table.to_csv(index=False), encoding="utf-8")
    missed = False
    for compared, rows in table.groupby("compared"):
        nothing, something = rows[rows["left"] == 1], rows[rows["left"] < 1]
        fewer, held = (nothing["verdict"] == "fewer than expected").mean(), something["held"].mean()
        errors = [np.sqrt(share * (1 - share) / len(nothing)) for share in (FALSE, 0.9)]  # shares of one series agree
        print(
            f"{len(nothing):,} actions that did nothing{', with comparison' if compared else ''}: {fewer:.3f} fewer "
            f"(standard error {errors[0]:.3f}); of the others the interval holds {held:.3f} ({errors[1]:.3f})"
        )
        missed |= fewer > FALSE + 2 * errors[0]
        missed |= not HELD[0] - 2 * errors[1] <= held <= HELD[1] + 2 * errors[1]
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
