"""Change points: seconds, breaks found in overdispersed counts, and how often the intervals hold the true dates.

NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/changepoints.py
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numba import njit
from numpy.random import Generator, default_rng

from escalation.analysis.changes.changepoints import changepoints
from escalation.analysis.changes.run_length import run_length

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


@njit(nogil=True)
def optimal_cuts(
    counts: np.ndarray, covered: np.ndarray, a: float, penalty: float, shortest: int
) -> tuple[np.ndarray, float]:
    """Cut a series where the cost of its runs and a penalty for each change is least (Jackson et al. 2005).

    Parameters
    ----------
    counts, covered : (n + 1,) float array
        Sums before each place.
    a : float
        Dispersion; 0 is Poisson.
    penalty : float
        Added for each change.
    shortest : int
        Fewest periods of a run.

    Returns
    -------
    tuple
        Places of the changes, ascending, and the least cost: minus twice the log-likelihood of the runs, each at its
        own rate, but for what does not depend on the cuts, plus the penalties.
    """
    n = len(counts) - 1
    cost, came = np.full(n + 1, math.inf), np.zeros(n + 1, dtype=np.int64)
    cost[0] = -penalty
    for t in range(shortest, n + 1):
        for s in range(t - shortest + 1):
            count, length = counts[t] - counts[s], covered[t] - covered[s]
            value = 0.0
            if count > 0.0:
                rate = count / length
                value = -2.0 * count * math.log(rate)
                value += 2.0 * (count + length / a) * math.log1p(a * rate) if a > 0.0 else 0.0
            value += cost[s] + penalty
            if value < cost[t]:
                cost[t], came[t] = value, s
    found = np.empty(n, dtype=np.int64)
    k, t = 0, n
    while came[t] > 0:
        t = came[t]
        found[k] = t
        k += 1
    return found[:k][::-1].copy(), cost[n]


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
