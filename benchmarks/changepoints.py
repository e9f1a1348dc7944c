"""Change points: seconds, breaks found in overdispersed counts, and how often the intervals hold the true dates.

NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/changepoints.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

from escalation.analysis.changes.changepoints import changepoints
from escalation.analysis.changes.run_length import run_length
from escalation.analysis.changes.segments import optimal_cuts

RATES, DISPERSION = (4.0, 20.0, 6.0), 0.5


def simulated(periods: int, rng: Generator) -> tuple[pd.Series, np.ndarray]:
    """NB2 counts of three rates, and the places of the two changes, each run at least a tenth of the series."""
    tenth = periods // 10
    places = np.sort(rng.integers(tenth, periods - tenth, 2))
    while np.diff(places)[0] < tenth:
        places = np.sort(rng.integers(tenth, periods - tenth, 2))
    mean = np.array(RATES)[np.searchsorted(places, np.arange(periods), side="right")]
    counts = rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, periods))
    return pd.Series(counts, index=pd.period_range("2000-01-01", periods=periods, freq="D")), places


def seconds(run: Callable[[], object]) -> float:
    """Processor time of the best of three runs, after one that compiles."""
    run()
    spent = []
    for _ in range(3):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description="Change points: time and errors.")
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--periods", type=int, default=240)
    options = parser.parse_args()
    for n in (240, 500, 2000):
        counts, _ = simulated(n, default_rng(1))
        times = [
            seconds(lambda counts=counts, family=family: changepoints(counts, family=family))  # type: ignore[misc]
            for family in ("negbin", "poisson")
        ]
        online = seconds(lambda counts=counts: run_length(counts))  # type: ignore[misc]
        print(f"n = {n:5d}  negbin {times[0]:.3f} s, poisson {times[1]:.3f} s, run_length {online:.3f} s")
    found, by_cost, inside = [], [], []
    for rng in default_rng(2).spawn(options.series):
        counts, places = simulated(options.periods, rng)
        result = changepoints(counts)
        found.append(len(result.changes))
        sums = np.concatenate([[0.0], np.cumsum(counts.to_numpy(dtype=float))])
        by_cost.append(
            len(optimal_cuts(sums, np.arange(len(sums), dtype=float), 0.0, 2 * np.log(options.periods), 2)[0])
        )
        if found[-1] == 2:
            early, late = (pd.PeriodIndex(result.changes[name]) for name in ("earliest", "latest"))
            dates = counts.index[places]
            inside.append((early <= dates) & (dates <= late))
    print(f"changes found where there are 2, in {options.series} series of {options.periods} periods:")
    print(f"  by the default: {dict(enumerate(np.bincount(found).tolist()))}")
    print(f"  by a Poisson cost with penalty 2 log n: {min(by_cost)} to {max(by_cost)}, mean {np.mean(by_cost):.1f}")
    print(f"90% intervals that hold the date: {np.mean(inside):.3f} of {2 * len(inside)}")


if __name__ == "__main__":
    main()
