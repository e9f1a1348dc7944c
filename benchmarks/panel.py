"""Seconds and megabytes of fitting and forecasting a panel: INGARCH NB, LocalLevel and Climatology, unit by unit.

    python benchmarks/panel.py --series 10000

Everything is counted that a user waits for: starting the workers and loading compiled code in each.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
from numpy.random import default_rng

from escalation import INGARCH, Climatology, LocalLevel
from escalation.models import fit_many, forecast_many

MODELS = (INGARCH(), LocalLevel(link="log"), Climatology())


def panel(series: int, periods: int, seed: int = 1) -> pd.DataFrame:
    """NB counts whose log rates drift, half of the units with means below 2, as districts have them."""
    rng = default_rng(seed)
    level = np.where(rng.random(series) < 0.5, rng.uniform(-1.5, 0.7, series), rng.uniform(0.7, 4.0, series))
    rate, rows = np.zeros(series), []
    for _ in range(periods):
        rate = 0.9 * rate + 0.2 * rng.standard_normal(series)
        rows.append(rng.poisson(np.exp(level + rate) * rng.gamma(4, 0.25, series)))
    index = pd.period_range("2015-01-04", periods=periods, freq="W-SUN")
    return pd.DataFrame(np.array(rows), index=index, columns=[f"district {k}" for k in range(series)])


def megabytes() -> tuple[float, float]:
    """Most memory that this process and the largest of its workers have held."""
    return tuple(resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--periods", type=int, default=200)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", choices=("summaries", "paths"), default="summaries", help="what is kept of forecasts")
    parser.add_argument("--start", choices=("spawn", "forkserver", "fork"), default="spawn", help="how workers start")
    options = parser.parse_args()
    counts = panel(options.series, options.periods)
    print(
        f"{options.series:,} series x {options.periods} periods, {options.steps} steps x {options.draws:,} draws, "
        f"{options.workers} workers, {options.keep} kept"
    )
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.workers, mp_context=get_context(options.start)) as executor:
        for model in MODELS:
            start = time.perf_counter()
            size = {"draws": options.draws, "executor": executor, "rng": 1}
            if options.keep == "summaries":
                failed = len(forecast_many(model, counts, options.steps, thresholds=(25,), **size).failures)
            else:
                fits = fit_many(model, counts, executor=executor)
                fits.forecast(options.steps, **size)
                failed = len(fits.failures)
            seconds = time.perf_counter() - start
            print(f"  {model.name:12s} {seconds:6.1f} s, {failed} failed")
    own, worker = megabytes()
    used = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"  {'all':12s} {time.perf_counter() - begin:6.1f} s; {used:.1f} s of processors")
    print(f"  at most {own:.0f} MB here and {worker:.0f} MB in a worker: {own + options.workers * worker:.0f} MB")


if __name__ == "__main__":
    main()
