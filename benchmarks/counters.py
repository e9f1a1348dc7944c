"""Counters read together: ratios, bands, tallies left out, and what was printed later, for the bundled attacks.

    python benchmarks/counters.py [--as-of 2024-11-12] [--seed 1] [--worlds 0]

Shown are the ratio of each counter to the one with the most tallies; the mean width of the 90% bands of that counter's
weekly counts from August to November 2024, alone and with the others beside it; how many of the tallies of each counter
lie within the 90% range that all other tallies leave (no tally of a counter with a single one is judged by itself).
Ranges of whole numbers hold more than 90% by what the draws say themselves, ``said``; ``inner`` is how many lie within
the inner 90% of the draws where ties are broken at random (randomised PIT), 0.90 where they are calibrated.
With ``--as-of`` the bands are those of what was printed until then, and the counts printed later of windows that end by
then are held against them.  ``--worlds 200`` runs simulation-based calibration on worlds of two to five counters whose
ratios drift (p-values of uniform ranks: ratio, its drift, a week of the first counter, the total and a week of the
second, the whole).
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from press import held_by
from scipy.stats import chisquare

import escalation
from escalation.errors import NotConvergedWarning
from escalation.tallies import Reconstruction, known_by, prediction
from escalation.tallies.reliability import Tallied

SERIES = {"series": "militia_attacks_on_us", "unit": "attacks", "start": "2023-10-17"}
REFERENCE = "us_government_or_press"
SILENT = slice("2024-08-01", "2024-11-30")


def width(result: Reconstruction) -> float:
    band = result.summary_frame().loc[SILENT]
    return float((band["upper"] - band["lower"]).mean())


def within(tallies: pd.DataFrame, drawn: list[tuple[float, float]]) -> pd.DataFrame:
    """Share of the counts of each counter within their predictive ranges, what these say they hold, and inner share."""
    known = tallies[tallies["predicted_low"].notna()]
    known = known.assign(**dict(zip(("said", "inner"), np.array(drawn).T, strict=True)))
    rows = known[(known["role"] == "count") & known["count"].notna()]
    rows = rows.assign(held=rows["count"].between(rows["predicted_low"], rows["predicted_high"]).astype(float))
    sums = rows.groupby(["counter", "used"])
    return sums[["held", "said", "inner"]].mean().round(3).assign(tallies=sums.size())


def recorded(drawn: list[tuple[float, float]], printed_again: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Keep, of each tally whose range is asked for, what the range says it holds and whether the inner 90% hold it."""

    def draw(one: Tallied, *rest: Any) -> np.ndarray:
        seen = printed_again(one, *rest)
        held = held_by("range", np.array([one.low]), seen[None])
        drawn.append((held["range_said"], held["range_inner"]))
        return seen

    return draw


def compare(tallies: pd.DataFrame, end: str, seed: int) -> tuple[Reconstruction, Reconstruction]:
    made = []
    for counter in (REFERENCE, "all"):
        begun = time.process_time()
        made.append(escalation.reconstruct(tallies, counter=counter, end=end, rng=seed, progress=False, **SERIES))
        result = made[-1]
        print(
            f"{counter:24} {time.process_time() - begun:6.1f} s of CPU, R-hat {result.rhat:.3f}, "
            f"effective sample size {result.ess:.0f}, {int(result.tallies['used'].sum())} tallies"
        )
    return made[0], made[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as-of", default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=0)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore", NotConvergedWarning)
    tallies = escalation.open_case("militia-attacks-2023-2024").tallies
    known = tallies if chosen.as_of is None else known_by(tallies, chosen.as_of)
    drawn: list[tuple[float, float]] = []
    prediction.printed_again = recorded(drawn, prediction.printed_again)
    alone, together = compare(known, chosen.as_of or "2024-11-30", chosen.seed)
    beside = together.of(REFERENCE)
    print(together.ratios.table().round(2).to_string())
    print(f"width of the bands, August to November: alone {width(alone):.2f}, beside the others {width(beside):.2f}")
    asked = int(together.tallies["predicted_low"].notna().sum())
    print(within(together.tallies, drawn[-asked:]).to_string())
    if chosen.as_of is not None:
        later_printed(tallies, known, alone, beside)
    if chosen.worlds:
        calibrate(chosen.worlds)
    return 0


def later_printed(tallies: pd.DataFrame, known: pd.DataFrame, alone: Reconstruction, beside: Reconstruction) -> None:
    """Hold counts of the reference counter that were printed later against the bands."""
    later = tallies.drop(known.index)
    later = later[(later["series"] == SERIES["series"]) & (later["counter"] == REFERENCE) & (later["flag"] == "ok")]
    later = later[(later["place"] == "ALL") & (later["unit"] == SERIES["unit"]) & later["count"].notna()]
    for _, row in later.iterrows():
        said = f"{row['qualifier']} {row['count']} from {row['start']:%Y-%m-%d} to {row['end']:%Y-%m-%d}"
        bands = []
        for result in (alone, beside):
            total = result.daily.loc[str(row["start"].date()) : str(row["end"].date())].sum()
            bands.append("{:.0f} to {:.0f}".format(*np.quantile(total, [0.05, 0.95])))
        print(f"printed later: {said}; alone {bands[0]}, beside the others {bands[1]}")


def calibrate(worlds: int) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from test_counters import calibrate as ranks_of

    ranks = np.array(ranks_of(worlds, np.random.default_rng(21)))
    print("p-values:", [round(float(chisquare(np.bincount(own // 10, minlength=10)).pvalue), 3) for own in ranks.T])


if __name__ == "__main__":
    sys.exit(main())
