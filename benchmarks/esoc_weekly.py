"""Attacks per governorate and week in Iraq, forecast 4 and 12 weeks ahead from 2007 on.

    python benchmarks/esoc_weekly.py esoc-iraq-v3_sigact_governorate-week.dta [--models a,b] [--every 1] [--workers 2]

The file is the weekly SIGACT file of the Empirical Studies of Conflict project (Berman, Shapiro & Felter 2011,
doi:10.1086/661983): 18 governorates, 264 weeks from February 2004.  Its weeks are those of Stata (52 a year, the last
of eight or nine days); they are taken as they come.
"""

from __future__ import annotations

import argparse
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

import escalation
from escalation.models.registry import PANEL_MODELS, get_model, get_panel_model

BASELINES = ("climatology", "last_value")
DEFAULT = "analogues"
FIRST_ORIGIN = 48 + 52 + 52 - 1
"""Place of the last week of 2006: the file begins with the fifth week of 2004."""


def read(path: str) -> pd.DataFrame:
    """Counts on weeks, one column a governorate."""
    table = pd.read_stata(path)
    table = table[table["governorate"] != ""]
    wide = table.pivot_table(index="week", columns="governorate", values="SIGACT", aggfunc="sum")
    wide.index = pd.period_range("2004-01-26", periods=len(wide), freq="W-SUN", name="period")
    wide.columns = wide.columns.astype(str)
    return wide.astype("Int64")


def main() -> None:
    parser = argparse.ArgumentParser(description="Weekly attacks per governorate, forecast from 2007 on.")
    parser.add_argument("file")
    parser.add_argument("--models", default=DEFAULT)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    counts = read(options.file)
    names = list(dict.fromkeys([*BASELINES, *options.models.split(",")]))
    origins = counts.index[FIRST_ORIGIN : len(counts) - 12 : options.every]
    begin = time.perf_counter()
    with warnings.catch_warnings(), ProcessPoolExecutor(options.workers) as executor:
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        result = escalation.backtest(
            {name: get_panel_model(name) if name in PANEL_MODELS else get_model(name) for name in names},
            counts,
            origins=origins,
            horizon=12,
            draws=options.draws,
            executor=executor,
            rng=1,
        )
    print(f"{len(origins)} origins, {counts.shape[1]} governorates, {time.perf_counter() - begin:.0f} s")
    for leads, label in (([4], "4 weeks ahead"), ([12], "12 weeks ahead"), (range(1, 13), "1 to 12 weeks ahead")):
        part = escalation.Backtest(result.scores[result.scores["step"].isin(list(leads))], result.failures)
        print(f"\n{label}\n{part.table().round(3).to_string()}")
        print(f"\n{part.calibration(rng=0).round(3).to_string()}")
        for baseline in BASELINES:
            for score in ("crps", "log_score"):
                columns = ["mean", "baseline", "skill", "difference", "lower", "upper", "dm_p", "verdict"]
                table = part.compare(baseline, score=score, rng=0)[columns]
                print(f"\n{score} against {baseline}\n{table.round(3).to_string()}")


if __name__ == "__main__":
    main()
