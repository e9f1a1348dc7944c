"""False alarms of a watch while nothing happens: how many it promises a year, and how many there are.

    python benchmarks/watch.py [--series 60] [--false-alarms 4 --cool-down 28] [--jobs 1]

Counts of worlds whose rate never changes are watched for a year, each period when it is in, by the rule that
`escalation watch` runs, its cool-down included.  What is promised is what its lines say, the mean over all of them.
The exit code is 1 where all worlds together differ from that by more than 20% and two standard errors.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from running import run_all

from escalation.assessment.source import SourceSeries
from escalation.cases.watches.run import judge_counts, news
from escalation.cases.watches.settings import WatchRule, WatchSettings

NEAR = 0.20
"""Share by which what is measured may differ from what is promised."""


class World(NamedTuple):
    """Counts whose rate never changes: their mean, how they cluster, the periods known at first and those of a year."""

    mean: float
    dispersion: float
    freq: str
    before: int
    year: int


WORLDS = {
    "weekly, rare": World(0.5, 0.0, "W-SUN", 104, 52),
    "weekly, few": World(2.0, 0.0, "W-SUN", 60, 52),
    "weekly, many": World(15.0, 0.0, "W-SUN", 104, 52),
    "weekly, few, clustered": World(3.0, 0.5, "W-SUN", 80, 52),
    "weekly, many, clustered": World(20.0, 0.3, "W-SUN", 104, 52),
    "weekly, rare, clustered": World(1.0, 1.0, "W-SUN", 104, 52),
    "daily, rare": World(0.4, 0.0, "D", 200, 120),
}


def draw(world: World, rng: np.random.Generator) -> pd.Series:
    """Counts of a world."""
    number = world.before + world.year
    factor = rng.gamma(1 / world.dispersion, world.dispersion, number) if world.dispersion else np.ones(number)
    index = pd.period_range("2022-01-03", periods=number, freq=world.freq)
    return pd.Series(rng.poisson(world.mean * factor), index=index, dtype="Int64")


class Task(NamedTuple):
    """One series of a world, watched by one rule."""

    world: str
    number: int
    false_alarms: float
    cool_down: int


def measure(task: Task) -> tuple[float, int, float]:
    """Years watched, lines that were said, and the mean of what they promised a year."""
    world = WORLDS[task.world]
    counts = draw(world, np.random.default_rng([task.number, sorted(WORLDS).index(task.world)]))
    rule = WatchRule(name="usual", false_alarms=task.false_alarms, cool_down=task.cool_down)
    settings = WatchSettings(case="", rules=(rule,), ledger=Path("none"), seed=task.number)
    judged = list(news(list(judge_counts(rule, SourceSeries(counts.iloc[: world.before]), [], settings)), [], settings))
    begin = len(judged)
    for last in range(world.before + 1, len(counts) + 1):  # one more period is in
        found = list(judge_counts(rule, SourceSeries(counts.iloc[:last]), judged, settings))
        judged += news(found, judged, settings)
    watched = judged[begin:]
    years = len(watched) / {"D": 365.25, "W": 365.25 / 7}[world.freq[0]]
    promised = [one.promised for one in watched if one.promised is not None]
    return years, sum(one.said for one in watched), float(np.mean(promised))


def main() -> None:
    parser = argparse.ArgumentParser(description="False alarms of a watch while nothing happens.")
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--false-alarms", type=float, default=4.0)
    parser.add_argument("--cool-down", type=int, default=28)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    begin = time.process_time()
    tasks = [
        Task(world, number, options.false_alarms, options.cool_down)
        for world in WORLDS
        for number in range(options.series)
    ]
    found = dict(run_all(measure, tasks, options.jobs))
    rows = {}
    for world in [*WORLDS, "all"]:
        parts = np.array([found[task] for task in tasks if world in (task.world, "all")])
        years, said = parts[:, 0].sum(), parts[:, 1].sum()
        promised = float((parts[:, 0] * parts[:, 2]).sum() / years)
        rows[world] = {
            "years": years,
            "promised": promised,
            "measured": said / years,
            "ratio": said / years / promised,
            "error of ratio": math.sqrt(max(said, 1)) / years / promised,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    print(table.round(3).to_string())
    inside = (table["ratio"] - 1).abs() <= NEAR
    print(
        f"{options.false_alarms:g} a year asked, cool-down {options.cool_down} days: within {NEAR:.0%} of what is "
        f"promised in {inside.iloc[:-1].sum()} of {len(WORLDS)} worlds, in all {table.loc['all', 'ratio']:.2f}; "
        f"{time.process_time() - begin:.0f} s of CPU"
    )
    every = table.loc["all"]
    sys.exit(int(abs(every["ratio"] - 1) > NEAR + 2 * every["error of ratio"]))


if __name__ == "__main__":
    main()
