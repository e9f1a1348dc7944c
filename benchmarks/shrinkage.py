"""Does it help that units of a panel lean on one another?  CRPS with and without `shrink`, on simulated panels.

Each panel has 30 units whose parameters lie around those of the panel, which lie anywhere: weekly counts around log
levels that drift and come back, and counts around steady trends.  Histories of 10, 20, 50 and 150 weeks are fitted
with `fit_many` and with `fit_many(shrink=True)` and forecast 4 weeks ahead; the score of a forecast is its expected
CRPS, over 100 continuations of the same unit from where it stands.  What is shown is the mean over panels of the mean
log ratio of the scores of a unit, shrunk by own, with a 95% interval over the panels: below 0 shrinking is better.

    python benchmarks/shrinkage.py [--panels 20] [--models local_level,ingarch] [--weeks 10,20,50,150]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation import INGARCH, LocalLevel, NegativeBinomial
from escalation.models import LocalTrend, fit_many
from escalation.models.contract.base import CountModel
from escalation.models.registry import get_model
from escalation.scores import crps

FloatArray = NDArray[np.float64]

UNITS, STEPS, DRAWS, CONTINUATIONS = 30, 4, 1000, 100
APART = 0.3
"""Standard deviation of logs and logits of the parameters of a unit about those of its panel."""


class Panel(NamedTuple):
    """Counts (weeks, units), and what comes after them (continuations, units, steps)."""

    counts: FloatArray
    ahead: FloatArray


def drifting(weeks: int, rng: Generator) -> Panel:
    """NB2 counts around log levels that drift and are drawn back."""
    damping = 1 / (1 + np.exp(-(rng.normal(2.0, 1.0) + APART * rng.standard_normal(UNITS))))
    level_sd = np.exp(rng.normal(np.log(0.2), 0.7) + APART * rng.standard_normal(UNITS))
    dispersion = np.exp(rng.normal(np.log(0.2), 1.0) + APART * rng.standard_normal(UNITS))
    level = rng.normal(1.5, 1.0, UNITS)
    x = level_sd / np.sqrt(1 - damping**2) * rng.standard_normal(UNITS)
    counts = np.empty((weeks, UNITS))
    for t in range(weeks):
        x = damping * x + level_sd * rng.standard_normal(UNITS)
        counts[t] = drawn(level + x, dispersion, rng)
    ahead = np.empty((CONTINUATIONS, UNITS, STEPS))
    x = np.tile(x, (CONTINUATIONS, 1))
    for step in range(STEPS):
        x = damping * x + level_sd * rng.standard_normal(x.shape)
        ahead[:, :, step] = drawn(level + x, dispersion, rng)
    return Panel(counts, ahead)


def trending(weeks: int, rng: Generator) -> Panel:
    """NB2 counts around trends that go on."""
    slope = rng.normal(0, 0.02) + 0.01 * rng.standard_normal(UNITS)
    dispersion = np.exp(rng.normal(np.log(0.2), 1.0) + APART * rng.standard_normal(UNITS))
    level = rng.normal(1.5, 1.0, UNITS)
    time = np.arange(-weeks, STEPS)[:, None] * slope + level
    counts = np.stack([drawn(row, dispersion, rng) for row in time[:weeks]])
    ahead = np.stack([drawn(np.tile(row, (CONTINUATIONS, 1)), dispersion, rng) for row in time[weeks:]], axis=-1)
    return Panel(counts, ahead)


def drawn(log_mean: FloatArray, dispersion: FloatArray, rng: Generator) -> FloatArray:
    """NB2 counts."""
    noise = rng.gamma(np.broadcast_to(1 / dispersion, log_mean.shape), 1.0) * dispersion
    return rng.poisson(np.exp(np.minimum(log_mean, 12.0)) * noise).astype(float)


WORLDS: dict[str, Callable[[int, Generator], Panel]] = {"drifting": drifting, "trending": trending}
MODELS: dict[str, tuple[str, CountModel]] = {
    "local_level": ("drifting", LocalLevel()),
    "local_trend": ("drifting", LocalTrend()),
    "ingarch": ("drifting", INGARCH()),
    "ingarch_log": ("drifting", INGARCH(link="log")),
    "negative_binomial": ("drifting", NegativeBinomial()),
    "negative_binomial_trend": ("trending", NegativeBinomial(trend="linear")),
    "changing_rate": ("drifting", get_model("changing_rate")),
    "changing_rate_trend": ("trending", get_model("changing_rate")),
}


def expected_scores(model: CountModel, panel: Panel, *, shrink: bool) -> dict[str, float]:
    """Expected CRPS of each unit that could be fitted."""
    weeks = pd.period_range("2020-01-06", periods=len(panel.counts), freq="W-SUN")
    table = pd.DataFrame(panel.counts, index=weeks, columns=[f"unit {k}" for k in range(UNITS)])
    fits = fit_many(model, table, shrink=shrink)
    forecast = fits.forecast(STEPS, draws=DRAWS, rng=1)
    found = {}
    for unit in fits.fits:
        came = panel.ahead[:, list(table).index(unit)].T
        paths = forecast[unit].series_paths.T[:, None]
        found[unit] = float(crps(np.broadcast_to(paths, (*came.shape, DRAWS)), came).mean())
    return found


def log_ratio(name: str, weeks: int, seed: int) -> float:
    """Mean log ratio of the scores of a panel's units, shrunk by own."""
    world, model = MODELS[name]
    panel = WORLDS[world](weeks, default_rng([seed, weeks]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own, shrunk = (expected_scores(model, panel, shrink=way) for way in (False, True))
    return float(np.mean([np.log(shrunk[unit] / own[unit]) for unit in own if unit in shrunk and own[unit] > 0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=20)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--weeks", default="10,20,50,150")
    options = parser.parse_args()
    print(f"{options.panels} panels of {UNITS} units, {STEPS} weeks ahead; log ratio of expected CRPS, shrunk by own")
    for name in options.models.split(","):
        for weeks in map(int, options.weeks.split(",")):
            found = np.array([log_ratio(name, weeks, seed) for seed in range(options.panels)])
            half = 1.96 * found.std(ddof=1) / np.sqrt(len(found))
            print(
                f"{name:24s} {weeks:4d} weeks  {found.mean():+.4f} ({found.mean() - half:+.4f} to "
                f"{found.mean() + half:+.4f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
