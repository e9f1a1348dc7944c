"""Models of several units: seconds of a fit and a forecast, and coverage of 90% forecast intervals.

Coverage is measured on panels simulated from the model, for each unit and for the sum of all; where a count lies on
the end of an interval it counts by the share of its probability inside, so that whole numbers do not cover too much.

    python benchmarks/panels.py --series 200
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation.errors import DataWarning
from escalation.models.endemic_epidemic.model import EndemicEpidemic

FloatArray = NDArray[np.float64]

SIZES = ((2, 200), (18, 260))
"""Units and weeks of the timed fits."""
STEPS = 12


def simulate_panel(
    periods: int, endemic: FloatArray, own: float, others: float, dispersion: float, rng: Generator
) -> FloatArray:
    """NB2 counts (periods, units) that follow their own past and, equally, that of the others."""
    past = endemic / (1 - own - others)
    counts = np.empty((periods + 50, len(endemic)))
    for t in range(len(counts)):
        mean = endemic + own * past + others * (past.sum() - past) / (len(endemic) - 1)
        past = counts[t] = rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, len(endemic)))
    return counts[50:]


def panel_of(values: FloatArray) -> pd.DataFrame:
    """Weekly counts (periods, units) as a table."""
    index = pd.period_range("2010-01-04", periods=len(values), freq="W-SUN")
    return pd.DataFrame(values, index=index, columns=[f"unit {i + 1}" for i in range(values.shape[1])])


def coverage(*, series: int, periods: int = 200, level: float = 0.9, seed: int = 1) -> pd.DataFrame:
    """Share of the next counts inside their intervals, one row a unit and one for the sum of all."""
    inside = []
    for rng in default_rng(seed).spawn(series):
        endemic = np.exp(rng.uniform(0.0, 3.0, 3))
        own, others = 0.8 * rng.dirichlet((2.0, 2.0, 2.0))[:2]
        dispersion = 0.15 * np.exp(rng.normal(0, 0.4))
        values = simulate_panel(periods + STEPS, endemic, own, others, dispersion, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            fit = EndemicEpidemic().fit(panel_of(values[:periods]))
        forecast = fit.forecast(STEPS, draws=1000, rng=rng)
        paths = np.concatenate([forecast.paths, forecast.paths.sum(axis=0)[None]])
        truth = np.vstack([values[periods:].T, values[periods:].sum(axis=1)])[:, None]
        below, at = (paths < truth).mean(axis=1), (paths == truth).mean(axis=1)
        low, high = (1 - level) / 2, (1 + level) / 2
        share = (np.minimum(below + at, high) - np.maximum(below, low)) / np.maximum(at, 1e-12)
        whole = ((below >= low) & (below <= high)).astype(float)
        inside.append(np.where(at > 0, np.clip(share, 0, 1), whole).mean(axis=1))
    rows = [*(f"unit {i + 1}" for i in range(3)), "sum"]
    return pd.DataFrame({"coverage": np.mean(inside, axis=0)}, index=rows)


def seconds() -> pd.DataFrame:
    """Milliseconds of processor time of a fit and of a forecast of 12 steps and 1,000 draws, the fastest of five."""
    rows = {}
    for units, periods in SIZES:
        table = panel_of(simulate_panel(periods, np.linspace(1.0, 4.0, units), 0.3, 0.3, 0.25, default_rng(1)))
        fit = EndemicEpidemic().fit(table)
        fit.forecast(STEPS, draws=1000, rng=1)
        spent = []
        for _ in range(5):
            begin = time.process_time()
            fit = EndemicEpidemic().fit(table)
            fitted = time.process_time()
            fit.forecast(STEPS, draws=1000, rng=1)
            spent.append((1000 * (fitted - begin), 1000 * (time.process_time() - fitted)))
        rows[f"{units} units, {periods} weeks"] = np.min(spent, axis=0)
    return pd.DataFrame(rows, index=["fit ms", "forecast ms"]).T


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds and coverage of models of several units.")
    parser.add_argument("--series", type=int, default=200)
    options = parser.parse_args()
    print(seconds().round(1).to_string())
    print(coverage(series=options.series).round(3).to_string())


if __name__ == "__main__":
    main()
