"""CPU time and agreement of chains of reconstructions, by tallies and days.

The press of each case is simulated apart from the model: attacks by day from a rate that steps now and then, and
printed running totals, counts of intervals and of single days.  What was said of the cost beforehand stands behind.

    python benchmarks/reconstruction_speed.py [--cases 30x400,words] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
import warnings

import numpy as np
import pandas as pd
from numpy.random import Generator

import escalation

ORIGIN = pd.Timestamp("2016-01-04")
WANTED = {
    "30x100": 1, "30x400": 1, "300x400": 3, "300x1500": 8, "1000x1500": 20, "eight_years": 3, "words": 3, "real": 8,
    "bundled": 5,
}  # fmt: skip
"""CPU seconds asked for each case."""


def happen(days: int, rng: Generator) -> np.ndarray:
    """Count of each day: clustered around a rate that steps some times a year."""
    rate, level = np.empty(days), 0.5
    for day in range(days):
        if rng.random() < 1 / 60:
            level = float(np.exp(rng.normal(-0.5, 1.0)))
        rate[day] = level
    return rng.poisson(rate * rng.gamma(1.0, 1.0, days))


def row(first: int, last: int, count: float, qualifier: str = "exact") -> dict[str, object]:
    return {
        "series": "attacks", "start": ORIGIN + pd.Timedelta(days=first), "end": ORIGIN + pd.Timedelta(days=last),
        "count": count, "qualifier": qualifier,
    }  # fmt: skip


def mixed(tallies: int, days: int, rng: Generator) -> pd.DataFrame:
    """Half running totals, a third intervals, the others single days, some of them rounded."""
    daily = happen(days, rng)
    total = daily.cumsum()
    made = []
    for _ in range(tallies):
        last, kind = int(rng.integers(1, days)), rng.random()
        first = 0 if kind < 0.5 else max(0, last - int(rng.integers(2, 30))) if kind < 0.83 else last
        count = int(total[last] - (total[first - 1] if first else 0))
        rounded = count > 20 and rng.random() < 0.3
        made.append(row(first, last, round(count, -1) if rounded else count, "about" if rounded else "exact"))
    made.append(row(0, days - 1, int(total[-1])))
    return pd.DataFrame(made)


def real(rng: Generator) -> pd.DataFrame:
    """300 tallies of two years as papers print them: bursts of printing, late totals, repeats, another counter."""
    days = 730
    daily = happen(days, rng)
    total, made, reached = daily.cumsum(), [], 0
    while len(made) < 300:
        last = min(days - 1, int(rng.choice([rng.integers(0, days), reached + rng.integers(0, 4)])))
        reached, late, kind = last, int(rng.integers(0, 3)), rng.random()
        seen = max(0, last - late)
        if kind < 0.6:
            count, first = int(total[seen]), 0
        elif kind < 0.85:
            first = max(0, last - int(rng.integers(3, 40)))
            count = int(total[seen] - total[max(first - 1, 0)]) if seen > first else 0
        else:
            first, count = last, int(daily[last])
        if rng.random() < 0.1:
            count = int(count * rng.uniform(0.7, 1.3))
        word = str(rng.choice(["exact", "exact", "about", "at_least", "nearly"]))
        made.append(row(first, last, count if word == "exact" else max(5 * round(count / 5), 1), word))
    return pd.DataFrame(made)


def make_case(name: str, rng: Generator) -> pd.DataFrame:
    if name == "eight_years":
        return pd.DataFrame([row(0, 8 * 365, 900)])
    if name == "words":
        words = ["dozens", "several", "almost_daily", "weekly"]
        return pd.DataFrame([row(30 * i, 30 * i + 29, np.nan, words[i % 4]) for i in range(20)])
    if name == "real":
        return real(rng)
    tallies, days = (int(part) for part in name.split("x"))
    return mixed(tallies, days, rng)


def measure(name: str, seed: int) -> None:
    options: dict[str, object] = {"series": "attacks"}
    if name == "bundled":
        table = escalation.open_case("militia-attacks-2023-2024").tallies
        options = {"series": "militia_attacks_on_us", "counter": "us_government_or_press"}
    else:
        table = make_case(name, np.random.default_rng(seed))
    begun, wall = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()) as said:
            result = escalation.reconstruct(table, **options, progress=True, rng=seed)  # type: ignore[arg-type]
    spent, waited = time.process_time() - begun, time.perf_counter() - wall
    state = "converged" if result.converged else "NOT converged"
    announced = said.getvalue().partition("\n")[0].partition(": ")[2] or "not announced as long"
    agreement = f"R-hat {result.rhat:.3f}, ESS {result.ess:5.0f}, {state}"
    print(
        f"{name:>12}: {spent:6.1f} s of CPU (asked {WANTED.get(name, 0)}), {waited:5.1f} s; {agreement}; {announced}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=",".join(WANTED))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = mixed(5, 40, np.random.default_rng(0))
        escalation.reconstruct(small, series="attacks", draws=10, progress=False, rng=0)  # compiles
    for name in chosen.cases.split(","):
        measure(name, chosen.seed)


if __name__ == "__main__":
    main()
