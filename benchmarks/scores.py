"""Seconds of processor time and megabytes of the scores, on as many draws as a window of the VIEWS challenge has.

python benchmarks/scores.py
"""

from __future__ import annotations

import importlib
import resource
import time
from collections.abc import Callable

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from escalation import scores

CELLS, DRAWS = 2_292, 1_000


def least(run: Callable[[], object], times: int = 7) -> float:
    """Least milliseconds of processor time of a run, after one that compiles."""
    run()
    spent = []
    for _ in range(times):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return 1e3 * min(spent)


def peak() -> float:
    """Most megabytes that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def others() -> dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], object]]:
    """CRPS of other packages, where they are installed."""
    found: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], object]] = {}
    for name in ("properscoring", "scoringrules"):
        try:
            package = importlib.import_module(name)
        except ImportError:
            continue
        found[name] = lambda x, y, package=package: package.crps_ensemble(y, x)  # type: ignore[misc]
    return found


def main() -> None:
    rng = default_rng(1)
    counts = rng.negative_binomial(0.2, 0.2 / 200.2, (CELLS, DRAWS))
    kinds = {"counts": counts, "floats": rng.gamma(0.3, 100.0, (CELLS, DRAWS))}
    y = rng.negative_binomial(0.2, 0.2 / 200.2, CELLS)
    scores.crps(counts[:2], y[:2])  # compiles
    before = peak()
    scores.crps(counts, y)
    print(f"crps of {CELLS:,} x {DRAWS:,} draws of counts: {peak() - before:.0f} MB beyond what held them")
    print("milliseconds, least of 7")
    for kind, draws in kinds.items():
        print(f"  {kind}: crps {least(lambda draws=draws: scores.crps(draws, y)):.1f}")  # type: ignore[misc]
        print(f"  {kind}: numpy sort {least(lambda draws=draws: np.sort(draws, axis=1)):.1f}")  # type: ignore[misc]
        for name, run in others().items():
            floats, seen = draws.astype(float), y.astype(float)
            print(f"  {kind}: {name} {least(lambda run=run, x=floats, s=seen: run(x, s)):.1f}")  # type: ignore[misc]
    more: dict[str, Callable[[], object]] = {
        "crps, fair": lambda: scores.crps(counts, y, estimator="fair"),
        "crps, log1p": lambda: scores.crps(counts, y, scale="log1p"),
        "crps, weighted": lambda: scores.crps(counts, y, weights=np.ones(DRAWS)),
        "twcrps": lambda: scores.twcrps(counts, y, 25),
        "ignorance": lambda: scores.ignorance(counts, y),
        "interval_score": lambda: scores.interval_score(counts, y),
        "log_score_draws": lambda: scores.log_score_draws(counts, y),
        "pit_draws": lambda: scores.pit_draws(counts, y),
    }
    for name, score in more.items():
        print(f"  {name} {least(score, 3):.1f}")
    print("closed forms, microseconds a forecast")
    for mean, alpha in ((3.0, 0.0), (3.0, 0.5), (1_000.0, 0.5), (20_000.0, 0.0), (20_000.0, 1e-6), (20_000.0, 2.0)):
        spent = least(lambda mean=mean, alpha=alpha: scores.crps_nbinom(np.full(20, mean), alpha, mean))  # type: ignore[misc]
        print(f"  crps_nbinom, mean {mean:g}, dispersion {alpha:g}: {1e3 * spent / 20:.1f}")


if __name__ == "__main__":
    main()
