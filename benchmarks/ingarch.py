"""Seconds of processor that INGARCH fits, forecasts, paths and searches take, on series simulated from the model.

python benchmarks/ingarch.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import default_rng

from escalation.models.ingarch.interventions import find_interventions
from escalation.models.ingarch.model import INGARCH
from escalation.models.ingarch.paths import ingarch_paths
from escalation.models.ingarch.posterior import log_likelihoods

DRAWS, STEPS = 20_000, 50


def simulated(periods: int, dispersion: float = 0.06) -> pd.Series:
    """NB2 counts of mean 20, as the Escherichia coli series of R's tscount has them."""
    rng, rate, counts = default_rng(1), 20.0, []
    for _ in range(periods):
        counts.append(rng.poisson(rate * rng.gamma(1 / dispersion, dispersion)))
        rate = 2.6 + 0.34 * counts[-1] + 0.53 * rate
    return pd.Series(counts, index=pd.period_range("2000-01-03", periods=periods, freq="W-SUN"))


def best(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Least and median seconds of processor of a run, after one that compiles."""
    run()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds), float(np.median(seconds))


def main() -> None:
    print("one fit with standard errors, ms: least and median of 50")
    for periods in (140, 646):
        counts = simulated(periods)
        for model in (INGARCH(), INGARCH(family="poisson"), INGARCH(link="log")):
            least, median = best(lambda model=model, counts=counts: model.fit(counts), 50)  # type: ignore[misc]
            print(f"  n = {periods}  {model.link:8s} {model.family:7s}  {1e3 * least:5.2f} {1e3 * median:5.2f}")
    print("fit, and 12 steps x 1,000 draws with drawn parameters, n = 200, ms: least and median of 100")
    counts = simulated(200)
    print("  {:.1f} {:.1f}".format(*(1e3 * s for s in best(lambda: INGARCH().fit(counts).forecast(12, rng=1), 100))))
    print("search for dated changes of three kinds, n = 140, one round of 499 bootstrap series, s: least of 3")
    fit = INGARCH().fit(simulated(140))
    print(f"  {best(lambda: find_interventions(fit, most=1, rng=1), 3)[0]:.2f}")
    print("paths alone, million path-steps a second and core: best of 10")
    for link in ("identity", "log"):
        for mean in (3.0, 20.0):
            for a in (0.0, 0.06):
                model = INGARCH(link=link)
                data = model.fit(simulated(140)).estimates[0].state["data"]
                level = np.log(mean) if link == "log" else mean
                points = np.array([[0.3 * level, 0.3, 0.4, a]])
                rows = np.zeros(DRAWS, dtype=np.int64)
                _, *ends = log_likelihoods(points, data)
                parts = (points, *ends, rows, data, np.empty((STEPS, 0)), np.ones(STEPS))
                least, _ = best(lambda parts=parts: ingarch_paths(*parts, default_rng(1)), 10)  # type: ignore[misc]
                family = "negbin" if a else "poisson"
                print(f"  {link:8s} {family:7s} mean {mean:4.0f}  {DRAWS * STEPS / least / 1e6:5.1f}")


if __name__ == "__main__":
    main()
