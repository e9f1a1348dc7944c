"""Coverage of 90% forecast intervals on series simulated from the model that is fitted to them.

The true parameters of each series are drawn around typical values, with means of some 20 to 150 a
period and more: an interval of whole numbers covers a little more than its level where counts are
small, and that is not what is measured here.

    python benchmarks/coverage.py --model local_level --series 500
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation.errors import NotConvergedWarning
from escalation.models.contract.base import CountModel
from escalation.models.hidden_markov.model import HiddenMarkov
from escalation.models.ingarch.model import INGARCH
from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.zero_inflated import ZeroInflated

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def counts_around(mean: FloatArray, dispersion: float, rng: Generator) -> FloatArray:
    """NB2 counts with these means."""
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, len(mean))).astype(float)


def simulate_local_level(periods: int, rng: Generator) -> FloatArray:
    """Damping around 0.9 (90% between 0.74 and 0.97), level_sd around 0.2, dispersion around 0.1."""
    level = rng.uniform(np.log(20), np.log(150))
    damping = 1 / (1 + np.exp(-rng.normal(2.2, 0.7)))
    level_sd, dispersion = 0.2 * np.exp(rng.normal(0, 0.4)), 0.1 * np.exp(rng.normal(0, 0.5))
    x = np.empty(periods)
    x[0] = level + level_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, periods):
        x[t] = level + damping * (x[t - 1] - level) + level_sd * rng.standard_normal()
    return counts_around(np.exp(x), dispersion, rng)


def simulate_softplus(periods: int, rng: Generator) -> FloatArray:
    """Levels that multiply below the mean count and add above it; wide steps, so that there are lulls."""
    damping, dispersion = 1 / (1 + np.exp(-rng.normal(2.2, 0.5))), 0.1 * np.exp(rng.normal(0, 0.5))
    level_sd, rate = 0.7 * np.exp(rng.normal(0, 0.3)), np.exp(rng.uniform(np.log(20), np.log(150)))
    x = np.empty(periods)
    x[0] = level_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, periods):
        x[t] = damping * x[t - 1] + level_sd * rng.standard_normal()
    return counts_around(rate * np.logaddexp(0, x), dispersion, rng)


def simulate_hidden_markov(periods: int, rng: Generator) -> FloatArray:
    """A quiet and an active rate apart by a factor of 3 to 8, that last some 5 to 20 periods; dispersion around 0.1."""
    rates = rng.uniform(20, 60) * np.array([1.0, rng.uniform(3, 8)])
    leaving = 1 / rng.uniform(5, 20, 2)
    regimes = np.empty(periods, dtype=int)
    regimes[0] = rng.random() < leaving[0] / leaving.sum()
    for t in range(1, periods):
        regimes[t] = regimes[t - 1] ^ (rng.random() < leaving[regimes[t - 1]])
    return counts_around(rates[regimes], 0.1 * np.exp(rng.normal(0, 0.5)), rng)


def simulate_local_trend(periods: int, rng: Generator) -> FloatArray:
    """Damping around 0.85 (90% between 0.64 and 0.95), slope_sd around 0.03, level_sd and dispersion around 0.1."""
    damping, dispersion = 1 / (1 + np.exp(-rng.normal(1.75, 0.7))), 0.1 * np.exp(rng.normal(0, 0.5))
    slope_sd, level_sd = 0.03 * np.exp(rng.normal(0, 0.4)), 0.1 * np.exp(rng.normal(0, 0.4))
    x, slope = np.empty(periods), slope_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    x[0] = 0.0
    for t in range(1, periods):
        x[t] = x[t - 1] + slope + level_sd * rng.standard_normal()
        slope = damping * slope + slope_sd * rng.standard_normal()
    return counts_around(np.exp(x - x.mean() + rng.uniform(np.log(20), np.log(150))), dispersion, rng)


def simulate_negative_binomial(periods: int, rng: Generator) -> FloatArray:
    """A linear trend of the log rate (sd 0.5 over the whole series), dispersion around 0.2."""
    level, trend = rng.uniform(np.log(20), np.log(150)), rng.normal(0, 0.5) / periods
    return counts_around(np.exp(level + trend * np.arange(periods)), 0.2 * np.exp(rng.normal(0, 0.5)), rng)


def simulate_nb1(periods: int, rng: Generator) -> FloatArray:
    """A linear trend of the log rate (sd 0.5 over the whole series), variance around 5 times the mean."""
    level, trend = rng.uniform(np.log(20), np.log(150)), rng.normal(0, 0.5) / periods
    mean, excess = np.exp(level + trend * np.arange(periods)), 4 * np.exp(rng.normal(0, 0.5))
    counts: FloatArray = rng.poisson(rng.gamma(mean / excess, excess)).astype(float)
    return counts


def simulate_poisson(periods: int, rng: Generator) -> FloatArray:
    """A linear trend of the log rate (sd 0.5 over the whole series)."""
    level, trend = rng.uniform(np.log(20), np.log(150)), rng.normal(0, 0.5) / periods
    counts: FloatArray = rng.poisson(np.exp(level + trend * np.arange(periods))).astype(float)
    return counts


def simulate_zero_inflated(periods: int, rng: Generator) -> FloatArray:
    """As negative binomial regression, with 1 to 4% zeros of another kind.

    With more than 5% the interval begins at 0 and nothing can be below it: it covers 95% whatever the model.
    """
    counts = simulate_negative_binomial(periods, rng)
    counts[rng.random(periods) < rng.uniform(0.01, 0.04)] = 0
    return counts


def simulate_hurdle(periods: int, rng: Generator) -> FloatArray:
    """As negative binomial regression, drawn again where it is 0, then 1 to 4% zeros."""
    level, trend = rng.uniform(np.log(20), np.log(150)), rng.normal(0, 0.5) / periods
    mean, dispersion = np.exp(level + trend * np.arange(periods)), 0.2 * np.exp(rng.normal(0, 0.5))
    counts = counts_around(mean, dispersion, rng)
    while (again := counts == 0).any():
        counts[again] = counts_around(mean[again], dispersion, rng)
    counts[rng.random(periods) < rng.uniform(0.01, 0.04)] = 0
    return counts


def follows_itself(link: str, *, spread: bool) -> Callable[[int, Generator], FloatArray]:
    """Series whose mean follows the last count (0.2 to 0.4) and the last mean (0.2 to 0.5), dispersion around 0.1."""

    def simulate(periods: int, rng: Generator) -> FloatArray:
        level, beta, alpha = rng.uniform(np.log(20), np.log(150)), rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.5)
        dispersion = 0.1 * np.exp(rng.normal(0, 0.5)) * spread
        start = level if link == "log" else np.exp(level)
        state, counts = start, np.empty(periods + 50)
        for t in range(len(counts)):
            mean = np.exp(state) if link == "log" else state
            counts[t] = rng.poisson(mean * (rng.gamma(1 / dispersion, dispersion) if spread else 1.0))
            past = np.log1p(counts[t]) if link == "log" else counts[t]
            state = (1 - beta - alpha) * start + beta * past + alpha * state
        return counts[50:]

    return simulate


TRUTHS: Mapping[str, tuple[CountModel, Callable[[int, Generator], FloatArray]]] = {
    model.name: (model, simulate)
    for model, simulate in (
        (INGARCH(), follows_itself("identity", spread=True)),
        (HiddenMarkov(), simulate_hidden_markov),
        (LocalLevel(link="log"), simulate_local_level),
        (LocalTrend(), simulate_local_trend),
        (NegativeBinomial(trend="linear"), simulate_negative_binomial),
        (Poisson(trend="linear"), simulate_poisson),
        (ZeroInflated(trend="linear"), simulate_zero_inflated),
        (Hurdle(trend="linear"), simulate_hurdle),
    )
} | {
    "nb1": (NegativeBinomial(trend="linear", variance="nb1"), simulate_nb1),
    "ingarch_log": (INGARCH(link="log"), follows_itself("log", spread=True)),
    "ingarch_poisson": (INGARCH(family="poisson"), follows_itself("identity", spread=False)),
    "ingarch_log_poisson": (INGARCH(link="log", family="poisson"), follows_itself("log", spread=False)),
    "local_level_softplus": (LocalLevel(), simulate_softplus),
}


def measure(
    name: str, *, series: int, periods: int = 120, steps: int = 8, draws: int = 1000, level: float = 0.9, seed: int = 1
) -> BoolArray:
    """Say for each series and step whether the interval held the count; shape (series, steps)."""
    model, simulate = TRUTHS[name]
    index = pd.period_range("2020-01-05", periods=periods + steps, freq="W-SUN")
    inside = np.empty((series, steps), dtype=bool)
    for k, rng in enumerate(default_rng(seed).spawn(series)):
        counts = pd.Series(simulate(periods + steps, rng), index=index)
        table = model.fit(counts.iloc[:periods]).forecast(steps, draws=draws, rng=rng).summary_frame(level)
        ahead = counts.iloc[periods:]
        inside[k] = (table["obs_pi_lower"] <= ahead) & (ahead <= table["obs_pi_upper"])
    return inside


def summarise(inside: BoolArray) -> pd.DataFrame:
    """Share inside per step and over all steps, with standard errors (over all: between series)."""
    series = len(inside)
    share = inside.mean(axis=0)
    table = pd.DataFrame({"coverage": share, "std_error": np.sqrt(share * (1 - share) / series)})
    table.index = pd.Index([str(step + 1) for step in range(len(share))], name="step")
    table.loc["all"] = [inside.mean(), inside.mean(axis=1).std(ddof=1) / np.sqrt(series)]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of 90% forecast intervals under the model itself.")
    parser.add_argument("--model", choices=sorted(TRUTHS), required=True)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--periods", type=int, default=120)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside = measure(
            options.model,
            series=options.series,
            periods=options.periods,
            steps=options.steps,
            draws=options.draws,
            seed=options.seed,
        )
    seconds = time.perf_counter() - begin
    not_converged = sum(issubclass(one.category, NotConvergedWarning) for one in caught)
    print(f"{TRUTHS[options.model][0]}, {options.series} series of {options.periods} periods, {options.draws} draws")
    print(summarise(inside).round(4).to_string())
    print(f"{not_converged} fits did not converge; {seconds:.1f} s, {1000 * seconds / options.series:.1f} ms a series")


if __name__ == "__main__":
    main()
