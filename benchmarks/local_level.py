"""Milliseconds of fits and forecasts of a drifting level, and path-steps a second, on series simulated from the model.

python benchmarks/local_level.py
"""

from __future__ import annotations

import runpy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend
from escalation.models.levels.paths import level_paths, trend_paths

SIMULATIONS = runpy.run_path(str(Path(__file__).with_name("coverage.py")))
PERIODS, SERIES, DRAWS, STEPS = 200, 30, 20_000, 50


def cpu(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Least and median processor seconds of a run, after one that compiles."""
    run()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds), float(np.median(seconds))


def simulated(simulate: Callable[[int, Generator], NDArray[np.float64]]) -> list[pd.Series]:
    """Some series, every second of them thinned to few counts."""
    index = pd.period_range("2018-01-01", periods=PERIODS, freq="W-SUN")
    found = []
    for k, rng in enumerate(default_rng(1).spawn(SERIES)):
        counts = simulate(PERIODS, rng)
        found.append(pd.Series(rng.binomial(counts.astype(int), 0.03 if k % 2 else 1.0), index=index))
    return found


def main() -> None:
    print(f"n = {PERIODS}, processor ms a series over {SERIES} series, all of pandas included: least and median of 5")
    for model in (LocalLevel(link="log"), LocalTrend()):
        series = simulated(SIMULATIONS[f"simulate_{model.name}"])
        fits = [model.fit(counts) for counts in series]
        fitting = cpu(lambda model=model, series=series: [model.fit(counts) for counts in series], 5)  # type: ignore[misc]
        ahead = cpu(lambda fits=fits: [fit.forecast(12, draws=1000, rng=1) for fit in fits], 5)  # type: ignore[misc]
        for what, seconds in (("fit", fitting), ("12 steps x 1,000 draws", ahead)):
            print(f"  {model.name:12s} {what:24s}", *(f"{1e3 * one / SERIES:5.2f}" for one in seconds))
    print("paths alone, million path-steps a second and core: best of 7")
    rows, flat = np.zeros(DRAWS, dtype=np.int64), np.zeros(STEPS)
    for mean in (0.3, 3.0, 9.0, 20.0, 60.0, 500.0):
        for a in (0.0, 0.2):
            x = np.log(mean)
            level = (np.array([[x, 0.9, 0.1, a]]), np.array([[x, 0.01, 0.0]]), rows, flat, np.inf)
            trend = (
                np.array([[0.002, 0.9, 0.05, a]]),
                np.array([[x, 0.0, 0.01, 0.0, 0.0001, 0.0]]),
                rows,
                flat,
                np.inf,
            )
            speeds = [
                DRAWS * STEPS / cpu(lambda draw=draw, at=at: draw(*at, default_rng(1)), 7)[0] / 1e6  # type: ignore[misc]
                for draw, at in ((level_paths, level), (trend_paths, trend))
            ]
            family = "negbin" if a else "poisson"
            print(f"  {family:7s} mean {mean:5.1f}  level {speeds[0]:5.1f}  trend {speeds[1]:5.1f}")


if __name__ == "__main__":
    main()
