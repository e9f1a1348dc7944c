"""Reconstruction from simulated press: how often its bands hold, how wide they are, and which tallies it names.

Each world has a rate path, days that cluster or not, and a press that prints running totals, counts of intervals and of
single days.  The kinds of press differ in what goes wrong.  Seeds are fixed, so that two versions see the same press.

Bands end at whole numbers, so that those of counts known to one or two hold more than 90% by what the histories say
themselves.  ``weeks_said`` and ``totals_said`` are what they say they hold; ``weeks_inner`` and ``totals_inner`` are
how often the truth lies within the inner 90% of the histories where ties are broken at random (randomised PIT), which
is 0.90 for a reconstruction that is calibrated, however narrow its bands.

    python benchmarks/press.py [--kinds clean,gap] [--worlds 60] [--first 0] [--jobs 1]
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator
from running import run_all

import escalation
from escalation.conventions.arrays import FloatArray, IntArray

ORIGIN = pd.Timestamp("2023-01-02")
"""A Monday."""
WEEKS = 32
DRAWS = 400
ORACLE_DRAWS = 400
WANTED = {
    "clean": (0.87, 0.94), "gap": (0.87, 0.94), "late": (0.87, 0.94), "other_counter": (0.87, 0.94),
    "typo": (0.87, 0.94), "largest_days": (0.87, 0.94), "likelier_days": (0.87, 0.94), "slipped_zero": (0.87, 0.94),
    "all": (0.85, 1.0),
}  # fmt: skip
"""Kinds of press, and between which shares their 90% bands must hold."""


@dataclass
class World:
    """What happened, and what was printed.

    Attributes
    ----------
    rate : (days,) float array
        Expected count of each day.
    daily : (days,) int array
        Count of each day.
    clustering : float
        Variance of a day is mean + clustering x mean squared.
    rows : list of dict
        The tallies; ``wrong`` says what is wrong with one, "" for a good one.
    """

    rate: FloatArray
    daily: IntArray
    clustering: float
    rows: list[dict[str, object]] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """Return the tallies as a table."""
        return pd.DataFrame(self.rows)

    def add(self, first: int, last: int, count: int, qualifier: str = "exact", wrong: str = "") -> None:
        """Print a count of days ``first`` to ``last``, both included."""
        day = pd.Timedelta(days=1)
        start, end = ORIGIN + first * day, ORIGIN + last * day
        self.rows.append(
            {"series": "attacks", "count": int(count), "qualifier": qualifier, "start": start, "end": end,
             "as_of": end, "wrong": wrong}
        )  # fmt: skip


def happen(rng: Generator) -> World:
    """Draw a rate path (a walk by weeks, with an onset or a truce in half of the worlds) and the days."""
    level = np.log(rng.uniform(1.5, 14.0) / 7) + np.cumsum(rng.normal(0, rng.uniform(0.05, 0.3), WEEKS))
    level -= 0.5 * (level - level.mean())
    if rng.random() < 0.5:
        begin, length = rng.integers(4, WEEKS - 6), rng.integers(2, 8)
        level[begin : begin + length] += rng.choice([-3.0, 1.3])
    rate = np.exp(np.repeat(level, 7))
    clustering = 0.0 if rng.random() < 0.5 else rng.uniform(0.2, 1.5)
    factor = np.ones(len(rate)) if clustering == 0 else rng.gamma(1 / clustering, clustering, len(rate))
    return World(rate, rng.poisson(rate * factor), clustering)


def print_totals(
    world: World, rng: Generator, every: float, *, gap: tuple[int, int] = (-1, -1), first: int = 0
) -> None:
    """Print running totals every so many days on average, and now and then the count of a week or of a day."""
    days, at = len(world.daily), first
    while True:
        at += 1 + int(rng.exponential(every - 1))
        if at >= days:
            return
        if gap[0] <= at < gap[1]:
            continue
        total = int(world.daily[: at + 1].sum())
        word = rng.choice(["exact", "about", "nearly", "more_than"], p=[0.8, 0.08, 0.06, 0.06])
        world.add(0, at, hedged(total, word, rng), word)
        if rng.random() < 0.15 and at >= 7:
            world.add(at - 6, at, int(world.daily[at - 6 : at + 1].sum()))


def hedged(total: int, word: str, rng: Generator) -> int:
    """Write a number as one does who hedges it."""
    if word == "about":
        return max(0, total + int(np.rint(rng.normal(0, 0.03 * total))))
    if word == "nearly":
        return total + int(rng.integers(0, 1 + max(1, round(0.03 * total))))
    if word == "more_than":
        return max(0, total - int(rng.integers(0, 1 + max(1, round(0.03 * total)))))
    return total


def late(world: World, rng: Generator) -> None:
    """Have three totals in ten miss their last day or days, and one in ten repeat the total before it."""
    totals = [row for row in world.rows if row["start"] == ORIGIN]
    for place, row in enumerate(totals):
        last = (row["end"] - ORIGIN).days
        if rng.random() < 0.3:
            missed = min(int(rng.geometric(0.6)), last)
            row["count"] = max(0, row["count"] - int(world.daily[last - missed + 1 : last + 1].sum()))
        if place and rng.random() < 0.1:
            row["count"] = totals[place - 1]["count"]
            row["wrong"] = "stale"


def other_counter(world: World, rng: Generator, part: float = 0.25) -> None:
    """Let another counter, who counts more, give a part of the totals under the same name."""
    more = world.daily + rng.binomial(world.daily, rng.uniform(0.2, 0.6))
    for row in world.rows:
        if rng.random() < part:
            first, last = ((row[name] - ORIGIN).days for name in ("start", "end"))
            row["count"] = int(more[first : last + 1].sum())
            row["wrong"] = "other counter"


def typo(world: World) -> None:
    """Multiply the newest total by ten."""
    newest = max((row for row in world.rows if row["count"] > 0), key=lambda row: (row["end"], row["count"]))
    newest["count"] *= 10
    newest["wrong"] = "typo"


def slip(world: World, rng: Generator) -> None:
    """Write a zero too many, or swap two digits, in one tally of ten or more that is not the newest."""
    able = [row for row in world.rows[:-1] if row["count"] >= 10 and row["qualifier"] == "exact"]
    if not able:
        return
    row = able[int(rng.integers(len(able)))]
    row["count"] *= 10
    row["wrong"] = "typo"


def select_days(world: World, rng: Generator, kind: str) -> None:
    """Print counts of single days because much happened: the largest ones, or a day the likelier the larger it is."""
    days = np.flatnonzero(world.daily)
    if kind == "largest_days":
        chosen = days[np.argsort(world.daily[days], kind="stable")[-max(4, len(days) // 12) :]]
    else:
        weight = world.daily[days] / world.daily[days].sum()
        chosen = rng.choice(days, min(len(days), max(6, len(days) // 6)), replace=False, p=weight)
    for day in chosen:
        world.add(int(day), int(day), int(world.daily[day]))


def make_world(kind: str, number: int) -> World:
    """Draw world ``number`` of a kind of press."""
    rng = np.random.default_rng([number, 20241112])
    world = happen(rng)
    press = np.random.default_rng([number, sorted(WANTED).index(kind)])
    middle = int(press.integers(60, len(world.daily) - 14 * 7 - 20))
    gap = (middle, middle + 14 * 7) if kind in ("gap", "all") else (-1, -1)
    selective = kind in ("largest_days", "likelier_days", "all")
    print_totals(world, press, 30.0 if kind.endswith("_days") else 4.0, gap=gap)
    if not world.rows:
        world.add(0, len(world.daily) - 1, int(world.daily.sum()))
    if kind in ("late", "all"):
        late(world, press)
    if kind in ("other_counter", "all"):
        other_counter(world, press)
    if selective:
        select_days(world, press, "likelier_days" if kind == "all" else kind)
    if kind in ("typo", "all"):
        typo(world)
    if kind == "slipped_zero":
        slip(world, press)
    return world


def oracle_width(world: World, rng: Generator) -> float:
    """Mean width of the 90% bands of weeks for one who knows the rate path and the true count of each running total."""
    days = len(world.daily)
    ends = sorted({(row["end"] - ORIGIN).days for row in world.rows if row["start"] == ORIGIN})
    drawn = np.zeros((ORACLE_DRAWS, days), dtype=int)
    first = 0
    for last in ends:
        span = slice(first, last + 1)
        drawn[:, span] = allocate(int(world.daily[span].sum()), world.rate[span], world.clustering, rng)
        first = last + 1
    weeks = drawn.reshape(ORACLE_DRAWS, -1, 7).sum(axis=2)[:, : (ends[-1] + 1) // 7]
    low, high = np.quantile(weeks, [0.05, 0.95], axis=0, method="inverted_cdf")
    return float((high - low).mean())


def allocate(total: int, rate: FloatArray, clustering: float, rng: Generator) -> IntArray:
    """Draw the days of a span whose total is known."""
    weight = np.tile(rate, (ORACLE_DRAWS, 1))
    if clustering > 0:
        # the factors of the days given the total: weighted draws of them by the probability of the total
        factor = rng.gamma(1 / clustering, clustering, (20 * ORACLE_DRAWS, len(rate)))
        mean = factor @ rate
        log = total * np.log(mean) - mean
        picked = rng.choice(len(mean), ORACLE_DRAWS, p=np.exp(log - log.max()) / np.exp(log - log.max()).sum())
        weight = factor[picked] * rate
    return rng.multinomial(total, weight / weight.sum(axis=1, keepdims=True))


def held_by(name: str, truth: IntArray, drawn: IntArray) -> dict[str, float]:
    """What bands say they hold, and how often the truth lies within the inner 90% where ties are broken at random."""
    low, high = (end[:, None] for end in np.quantile(drawn, [0.05, 0.95], axis=1, method="inverted_cdf"))
    said = ((drawn >= low) & (drawn <= high)).mean()
    # the truth itself is one of those that it ties with
    below, ties = (drawn < truth[:, None]).sum(axis=1), (drawn == truth[:, None]).sum(axis=1) + 1
    first, last = below / (drawn.shape[1] + 1), (below + ties) / (drawn.shape[1] + 1)
    inner = np.clip(np.minimum(last, 0.95) - np.maximum(first, 0.05), 0.0, None) / (last - first)
    return {f"{name}_said": float(said), f"{name}_inner": float(inner.mean())}


def measure(task: tuple[str, int]) -> dict[str, object]:
    """Reconstruct one world and compare with what happened."""
    kind, number = task
    world = make_world(kind, number)
    table = world.table()
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        result = escalation.reconstruct(
            table.drop(columns="wrong"), series="attacks", start=ORIGIN, draws=DRAWS, rng=number
        )
    seconds = time.perf_counter() - begun
    days = len(result.daily)
    weeks = days // 7
    truth = pd.Series(world.daily[: weeks * 7].reshape(-1, 7).sum(axis=1))
    bands, totals = result.summary_frame().iloc[:weeks].reset_index(drop=True), result.cumulative()
    running = pd.Series(world.daily[:days].cumsum(), index=totals.index)
    named = result.tallies["surprise"].lt(0.02).to_numpy()
    wrong = table["wrong"].to_numpy()
    slipped = wrong == "typo"
    return {
        "kind": kind,
        "world": number,
        "weeks": float(truth.between(bands["lower"], bands["upper"]).mean()),
        "totals": float(running.between(totals["lower"], totals["upper"]).mean()),
        **held_by("weeks", truth.to_numpy(), result.histories.to_numpy()[:weeks]),
        **held_by("totals", running.to_numpy(), result.daily.cumsum().to_numpy()),
        "width": float((bands["upper"] - bands["lower"]).mean()),
        "oracle": oracle_width(world, np.random.default_rng(number)) if kind == "clean" else np.nan,
        "worst": float((bands["median"] / max(1, truth.max())).max()),
        "typos": int(slipped.sum()),
        "typos_named": int((slipped & named).sum()),
        "good": int((wrong == "").sum()),
        "good_named": int(((wrong == "") & named).sum()),
        "converged": result.converged,
        "seconds": seconds,
    }


def summarise(found: pd.DataFrame) -> pd.DataFrame:
    """Average the worlds of each kind."""
    sums = found.groupby("kind")
    held = [f"{name}{what}" for name in ("weeks", "totals") for what in ("", "_said", "_inner")]
    table = sums[[*held, "width", "oracle", "converged", "seconds"]].mean()
    table.insert(0, "worlds", sums.size())
    table["too_wide"] = sums["width"].sum() / sums["oracle"].sum()
    table["typos_named"] = sums["typos_named"].sum() / sums["typos"].sum().replace(0, np.nan)
    table["good_named"] = sums["good_named"].sum() / sums["good"].sum()
    table["three_times"] = sums["worst"].agg(lambda worst: int((worst >= 3).sum()))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(WANTED))
    parser.add_argument("--worlds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", help="CSV file for the outcome of each world")
    chosen = parser.parse_args()
    tasks = [(kind, chosen.first + n) for n in range(chosen.worlds) for kind in chosen.kinds.split(",")]
    outcomes = []
    for _, outcome in run_all(measure, tasks, chosen.jobs):
        outcomes.append(outcome)
        if chosen.results:  # after each, for a run that is stopped
            pd.DataFrame(outcomes).to_csv(chosen.results, index=False)
    found = pd.DataFrame(outcomes)
    table = summarise(found).round(3)
    table["wanted"] = [f"{low:.0%} to {high:.0%}" for low, high in map(WANTED.get, table.index)]
    print(table.to_string())


if __name__ == "__main__":
    main()
