"""Verdicts of ``excitation`` on two sides whose truth is known: how often it claims an answer that is there, or is not.

    python benchmarks/excitation.py --runs 200

The sides have 200 weeks of some three attacks each.  Where both follow a shared shock and nobody answers anybody, the
sentence must say "cannot be distinguished from a shared shock" in at least 90% of the runs; where the sides answer each
other with branching ratio 0.4, an answer must be found in at least 70%.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation.analysis.excitation.excitation import excitation

FloatArray = NDArray[np.float64]
WEEKS = 200
BEFORE = 50
"""Weeks that are simulated before the first one of a series."""


def level(weeks: int, sd: float, damping: float, rng: Generator) -> FloatArray:
    """A stationary log level with steps of this standard deviation."""
    x = np.empty(weeks)
    x[0] = sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, weeks):
        x[t] = damping * x[t - 1] + sd * rng.standard_normal()
    return x


def shocked(sd: float, rng: Generator, *, damping: float = 0.9, late: float = 0.0, alpha: float = 0.0) -> FloatArray:
    """Both sides follow one level; a share ``late`` of the first side's answer to it comes a week later.

    Counts are NB2 with dispersion ``alpha``.
    """
    both = np.exp(level(WEEKS + 1, sd, damping, rng))
    means = 3.0 * np.column_stack([(1 - late) * both[1:] + late * both[:-1], both[1:]])
    if alpha > 0:
        means = means * rng.gamma(1 / alpha, alpha, means.shape)
    return rng.poisson(means).astype(float)


def answered(first: float, second: float, own: float, rng: Generator, *, sd: float = 0.0) -> FloatArray:
    """Attacks bring about so many of the other side's and of its own a week later, beside a shared level."""
    both = np.exp(level(WEEKS + BEFORE, sd, 0.9, rng))
    counts = np.zeros((WEEKS + BEFORE, 2))
    for t in range(1, len(counts)):
        counts[t] = rng.poisson(1.8 * both[t] + np.array([first, second]) * counts[t - 1, ::-1] + own * counts[t - 1])
    return counts[BEFORE:]


WORLDS: Mapping[str, tuple[str, Callable[[Generator], FloatArray]]] = {
    "shock": ("shared shock", lambda rng: shocked(0.3, rng)),
    "strong": ("strong shared shock", lambda rng: shocked(0.6, rng)),
    "negbin": ("shared shock, NB2 counts", lambda rng: shocked(0.3, rng, alpha=0.3)),
    "late": ("shared shock, 0.6 of one side a week late", lambda rng: shocked(0.5, rng, damping=0.8, late=0.6)),
    "own": ("each side follows itself only, 0.4", lambda rng: answered(0.0, 0.0, 0.4, rng)),
    "both": ("each answers the other, 0.4", lambda rng: answered(0.4, 0.4, 0.0, rng)),
    "both_shock": ("each answers the other, 0.4, and a shared shock", lambda rng: answered(0.4, 0.4, 0.0, rng, sd=0.3)),
    "one": ("the first answers the second, 0.4", lambda rng: answered(0.4, 0.0, 0.0, rng)),
}


def measure(world: str, runs: int, *, draws: int = 199, seed: int = 1) -> pd.DataFrame:
    """One row a run: whether each direction was found, and what the sentence says."""
    weeks = pd.period_range("2021-01-04", periods=WEEKS, freq="W-SUN")
    rows = []
    for rng in default_rng(seed).spawn(runs):
        counts = pd.DataFrame(WORLDS[world][1](rng), index=weeks, columns=["A", "B"])
        result = excitation(counts, draws=draws, replicates=1, rng=rng)
        said = result.sentence()
        rows.append(
            {
                "A after B": result.found("A", after="B"),
                "B after A": result.found("B", after="A"),
                "any": said.count("cannot be distinguished from a shared shock") < 2,
                "late reporting ruled out": "reported late" not in said
                and (result.found("A", after="B") or result.found("B", after="A")),
                "without the shock's test": bool((result.alternatives["p_value"].xs("season", level=2) < 0.05).any()),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Verdicts of excitation where the truth is known.")
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for world in options.worlds:
        begin = time.process_time()
        shares = measure(world, options.runs, draws=options.draws, seed=options.seed).mean()
        said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        print(f"{WORLDS[world][0]}: {said}; {(time.process_time() - begin) / options.runs:.2f} s a run", flush=True)


if __name__ == "__main__":
    main()
