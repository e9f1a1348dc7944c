"""Milliseconds of processor time of hidden Markov fits and forecasts, on series simulated from the model.

NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/hidden_markov.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import default_rng

from escalation.models.hidden_markov.model import HiddenMarkov

RATES = {2: (2.0, 12.0), 3: (1.0, 8.0, 30.0), 4: (1.0, 5.0, 15.0, 60.0)}


def simulated(periods: int, states: int) -> pd.Series:
    """NB2 counts of dispersion 0.1 in regimes that last ten periods."""
    rng, regime, counts = default_rng(1), 0, []
    for _ in range(periods):
        counts.append(rng.poisson(RATES[states][regime] * rng.gamma(10, 0.1)))
        if rng.random() < 0.1:
            regime = (regime + rng.integers(1, states)) % states
    return pd.Series(counts, index=pd.period_range("2000-01-03", periods=periods, freq="W-SUN"))


def milliseconds(run: Callable[[], object], times: int) -> float:
    """Median of several runs, after one that compiles."""
    run()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return 1e3 * float(np.median(seconds))


def main() -> None:
    print("one fit with standard errors, median of 20; 12 steps x 1,000 draws, median of 10; ms")
    for periods in (140, 500):
        for states in RATES:
            counts = simulated(periods, states)
            for family in ("negbin", "poisson"):
                model = HiddenMarkov(states, family=family)  # type: ignore[arg-type]
                fit = model.fit(counts)
                spent = milliseconds(lambda model=model, counts=counts: model.fit(counts), 20)  # type: ignore[misc]
                ahead = milliseconds(lambda fit=fit: fit.forecast(12, draws=1000, rng=1), 10)  # type: ignore[misc]
                print(f"  n = {periods}  states = {states}  {family:7s}  fit {spent:6.1f}  forecast {ahead:6.1f}")


if __name__ == "__main__":
    main()
