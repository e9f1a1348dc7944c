"""Forecasts of the bundled case from month ends of 2024, each from the tallies printed by then.

At each month end from January to October 2024 (what came after November's is not known) the series is reconstructed
from the tallies whose date of print is not later, four models forecast eight weeks, and the present reconstruction, its
uncertainty included, is what came.

    python benchmarks/tally_backtest.py [--write]

With --write the scores replace data/militia-attacks-2023-2024/backtest.csv, which the report of the case shows.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import pandas as pd
from rivals import POOLED

import escalation
from escalation.assessment.options import MODELS as BESIDE
from escalation.models.registry import DEFAULT, get_model

CASE = "militia-attacks-2023-2024"
ASSESSED = (DEFAULT, *BESIDE)
MODELS = {**{name: get_model(name) for name in ASSESSED}, "pool": POOLED, "equal_pool": escalation.Ensemble()}
"""Those of an assessment, the pool that answered up to version 0.1, and an equal one."""
ORIGINS = pd.period_range("2024-01", "2024-10", freq="M").end_time.to_period("W-SUN")
STEPS = 8
LAST = "2024-11-17"
"""The last whole week that the tallies speak about."""


def measure(seed: int = 1) -> escalation.Backtest:
    """Run the backtest."""
    case = escalation.open_case(CASE)
    which = {name: case.defaults[name] for name in ("series", "counter", "start")}
    final = escalation.reconstruct(case.tallies, **which, freq="W-SUN", end=LAST, rng=seed)
    whole = [origin if origin.end_time.month == origin.start_time.month else origin - 1 for origin in ORIGINS]
    return escalation.backtest(
        MODELS,
        final.histories,
        origins=whole,
        horizon=STEPS,
        as_of=escalation.tallies.Vintages(case.tallies, **which, rng=seed),
        thresholds=(6, 12),
        rng=seed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Past forecasts of the bundled case.")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        result = measure()
    print(result.table().round(3).to_string())
    for steps in (4, STEPS):
        part = escalation.Backtest(result.scores[result.scores["step"] <= steps], result.failures)
        print(f"\n1 to {steps} weeks ahead")
        print(part.compare("climatology", rng=0).round(3).to_string())
    print(f"\n{time.perf_counter() - begin:.0f} s")
    if options.write:
        result.save(Path(__file__).resolve().parents[1] / "data" / CASE / "backtest.csv")


if __name__ == "__main__":
    main()
