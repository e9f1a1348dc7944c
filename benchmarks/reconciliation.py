"""Reconciled forecasts against those they were made from: simulated hierarchies, paired differences of scores.

Four units whose log levels are a shared AR(1) and one of their own, counts negative binomial. Each unit and their sum
are forecast by a model of their own, six steps ahead, and reconciled by every method. Scores: CRPS of the sum, mean
CRPS of the parts, energy score of the parts and their sum together (per step), and how often the 90% interval of the
sum held what came. Replicates are independent, so the interval of a mean difference is its mean +- 1.96 standard
errors.

    python benchmarks/reconciliation.py [replicates] [model of parts] [model of the total]
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

import escalation as esc
from escalation.models.registry import get_model
from escalation.scores import crps, energy_score

UNITS, PERIODS, STEPS, DRAWS = 4, 72, 6, 1000


def simulated(rng: np.random.Generator) -> np.ndarray:
    """Counts (periods + steps, units)."""
    n = PERIODS + STEPS
    levels = np.empty((n, UNITS + 1))
    levels[0] = rng.normal(0, 0.5, UNITS + 1)
    for t in range(1, n):
        levels[t] = 0.9 * levels[t - 1] + rng.normal(0, 0.22, UNITS + 1)
    means = np.array([1.0, 3.0, 6.0, 15.0]) * np.exp(levels[:, [0]] + levels[:, 1:])
    return rng.negative_binomial(5.0, 5.0 / (5.0 + means))


def scored(parts: np.ndarray, total: np.ndarray, came: np.ndarray) -> list[float]:
    """Scores of parts (units, draws, steps) and a total (draws, steps), means over the steps."""
    whole = came.sum(axis=1)
    both = np.concatenate([parts, total[None]])
    truth = np.column_stack([came, whole])
    lower, upper = np.quantile(total, [0.05, 0.95], axis=0, method="inverted_cdf")
    return [
        float(crps(total.T, whole).mean()),
        float(np.mean([crps(parts[u].T, came[:, u]).mean() for u in range(UNITS)])),
        float(energy_score(both.transpose(2, 0, 1), truth).mean()),
        float(((whole >= lower) & (whole <= upper)).mean()),
    ]


def main(replicates: int, of_parts: str, of_total: str) -> None:
    rng = np.random.default_rng(20241112)
    index = pd.period_range("2018-01", periods=PERIODS, freq="M")
    methods = ["base", "bottom-up", "projection", "matching", "conditioning", "top-down"]
    rows: dict[str, list[list[float]]] = {method: [] for method in methods}
    for number in range(replicates):
        counts = simulated(rng)
        panel = pd.DataFrame(counts[:PERIODS], index=index, columns=list("abcd"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            many = esc.models.fit_many(get_model(of_parts), panel)
            if len(many.fits) < UNITS:
                continue
            parts = many.forecast(STEPS, draws=DRAWS, rng=number)
            total = get_model(of_total).fit(panel.sum(axis=1)).forecast(STEPS, draws=DRAWS, rng=number + 10**6)
            rows["base"].append(scored(parts.paths, total.series_paths, counts[PERIODS:]))
            for method in methods[1:]:
                made = esc.forecasts.reconcile(parts, total, method=method, rng=number)
                rows[method].append(scored(made.parts.paths, made.total.series_paths, counts[PERIODS:]))
    table = np.array([rows[method] for method in methods])
    print(
        f"{table.shape[1]} replicates, parts by {of_parts}, total by {of_total}; difference to base with 95% interval"
    )
    for method, values in zip(methods, table, strict=True):
        apart = values - table[0]
        mean, half = apart.mean(axis=0), 1.96 * apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
        shown = [
            f"{name} {values[:, i].mean():6.3f} ({mean[i]:+.3f} +-{half[i]:.3f})"
            for i, name in enumerate(["CRPS total", "CRPS parts", "energy"])
        ]
        print(f"{method:13s}" + "  ".join(shown) + f"  90% interval of the total holds {values[:, 3].mean():.3f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 200, *(given[1:] or ["negative_binomial", "negative_binomial"]))
