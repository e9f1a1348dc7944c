"""Figures of the reconstruction on the bundled case: speed, agreement of chains, medians, held-out tallies.

Run: python benchmarks/reconstruction.py [--folds 5] [--seed 1]   (--folds 0 leaves out one tally at a time)
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import escalation

OPTIONS = {
    "series": "militia_attacks_on_us",
    "counter": "us_government_or_press",
    "start": "2023-10-17",
    "end": "2024-11-30",
}
WANTED = {"2023-10-31": 26, "2023-11-17": 61, "2023-11-30": 74, "2024-01-29": 165}


def held_out(tallies: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """Predict every exact cumulative or interval tally from fits that did not see it."""
    used = escalation.reconstruct(tallies, **OPTIONS, rng=seed).tallies
    scored = used[used["used"] & (used["role"] == "count") & (used["qualifier"] == "exact")]
    scored = scored[scored["kind"].isin(["cumulative", "interval"])]
    fold = np.random.default_rng(seed).permutation(len(scored)) % folds if folds else np.arange(len(scored))
    found = []
    for k in range(fold.max() + 1):
        rows = scored.index[fold == k]
        # a tally that is flagged is not used, but still predicted
        table = used[list(tallies.columns)].copy()
        table.loc[rows, "flag"] = "weak"
        found.append(escalation.reconstruct(table, **OPTIONS, rng=seed + k).tallies.loc[rows])
        print(f"  fold {k + 1} of {fold.max() + 1}: {len(rows)} tallies", flush=True)
    return pd.concat(found).sort_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    tallies = escalation.open_case("militia-attacks-2023-2024").tallies
    escalation.reconstruct(tallies, **OPTIONS, rng=chosen.seed)  # compiles
    seconds = []
    for run in range(3):
        begun = time.perf_counter()
        result = escalation.reconstruct(tallies, **OPTIONS, rng=chosen.seed + run)
        seconds.append(time.perf_counter() - begun)
        agreement = f"R-hat {result.rhat:.4f}, effective sample size {result.ess:.0f}"
        print(f"seed {chosen.seed + run}: {seconds[-1]:.2f} s, {agreement}")
    print(f"seconds (best of 3): {min(seconds):.2f} (wanted <= 5); R-hat wanted <= 1.02")
    total = result.cumulative()
    for day, wanted in WANTED.items():
        row = total.loc[day]
        print(f"total by {day}: {row['median']} ({row['lower']} to {row['upper']}); wanted within 3 of {wanted}")
    daily = result.daily
    for first, last in (("2023-11-24", "2023-11-29"), ("2024-02-05", "2024-04-20")):
        quiet = daily.loc[first:last].sum()
        print(f"{first} to {last}: median {quiet.median():.0f}, 95% at most {quiet.quantile(0.95):.0f} attacks")
    print(f"held-out exact cumulative and interval tallies, {chosen.folds or 'one at a time'} folds:")
    table = held_out(tallies, chosen.folds, chosen.seed)
    inside = table["count"].between(table["predicted_low"], table["predicted_high"])
    error = (table["count"] - table["predicted_median"]).abs()
    print(f"inside the 90% predictive range: {inside.sum()} of {len(table)} = {inside.mean():.1%} (wanted >= 85%)")
    print(f"median absolute error: {error.median():.1f} (wanted <= 3); mean {error.mean():.2f}")
    print(f"median width of the range: {(table['predicted_high'] - table['predicted_low']).median():.0f}")
    print(
        table.loc[~inside, ["count", "start", "end", "predicted_low", "predicted_median", "predicted_high"]].to_string()
    )


if __name__ == "__main__":
    main()
