"""Seconds of a backtest of many series: every series by three models from 24 origins, two workers.

python benchmarks/backtest.py --series 1000
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

import escalation

PERIODS, ORIGINS, STEPS = 200, 24, 4


def panel(series: int, seed: int = 1) -> pd.DataFrame:
    """Drifting rates with overdispersed counts."""
    rng = np.random.default_rng(seed)
    level = np.log(rng.uniform(1, 30, series)) + np.cumsum(rng.normal(0, 0.1, (PERIODS, series)), axis=0)
    counts = rng.poisson(np.exp(level) * rng.gamma(5, 0.2, (PERIODS, series)))
    index = pd.period_range("2020-01-06", periods=PERIODS, freq="W-SUN", name="period")
    return pd.DataFrame(counts, index=index, columns=[f"s{k}" for k in range(series)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds of a backtest of many series.")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    counts = panel(options.series)
    models = (escalation.Climatology(), escalation.LocalLevel(link="log"), escalation.INGARCH())
    begin, spent = time.perf_counter(), os.times()
    with warnings.catch_warnings(), ProcessPoolExecutor(options.workers) as executor:
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        result = escalation.backtest(
            models, counts, origins=ORIGINS, horizon=STEPS, draws=options.draws, executor=executor, rng=1
        )
    after = os.times()
    processor = sum(after[:4]) - sum(spent[:4])
    largest = (
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    )
    forecasts = len(models) * ORIGINS * options.series
    print(
        f"{forecasts:,} forecasts: {time.perf_counter() - begin:.0f} s, {processor:.0f} s of processor "
        f"({1000 * processor / forecasts:.1f} ms each), largest processes together {largest / 1024:.0f} MB"
    )
    print(result.table().round(3).to_string())


if __name__ == "__main__":
    main()
