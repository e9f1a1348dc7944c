"""Flashpoint probabilities and first passages on simulated worlds, against what happened in them.

    python benchmarks/flashpoint_calibration.py [--series 1000] [--seed 2026] [--workers 2]

Weekly counts from five processes, a fifth of the series each: counts around a slowly drifting level, INGARCH, a
regime that is quiet or active, attacks in continuous time that set off others (Hawkes), and a heavy-tailed one
(clusters of Pareto sizes in every second series, a log level with Student-t steps in the others).  Rates, dispersion
and the length of the series are drawn anew for each, so that quiet and busy series are among them, and none of the
processes is the model that forecasts.  Forecasts are by the default model, which `assess` and the command line answer
by, and beside it by the pool that answered up to version 0.1 and its parts.

Every series is forecast from several origins.  Errors are those of a bootstrap of series.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from rivals import POOL, POOL_WEIGHTS

import escalation
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.models.registry import DEFAULT, get_model

FloatArray = NDArray[np.float64]

MODELS = (DEFAULT, *POOL_WEIGHTS)
PERIODS = 156
STEPS = 12
HORIZONS = (4, 8, 12)
ORIGINS, EVERY = 3, 17
"""Origins of each series, and weeks between them."""
BINS = 10
FEWEST = 50
WITHIN = 0.03
RESAMPLES = 1000
DEFINITIONS = (
    *(Flashpoint(f"week-{k}", k, days=7) for k in (1, 3, 10, 30, 100)),
    *(Flashpoint(f"month-{k}", k, days=28) for k in (10, 100)),
    Flashpoint("record-year", above="record", days=28, past_days=364),
    Flashpoint("double-week", above="mean", days=7, past_days=364, times=2.0),
    Flashpoint("double-month", above="mean", days=28, past_days=364, times=2.0),
    *(
        replace(escalation.forecasts.get_flashpoint(name), units=())  # what is simulated is a count of anything
        for name in (
            "views-25",
            "hdx-1y",
            "forecastbench-mean",
            "forecastbench-tenfold",
            "acled-10",
            "acled-25",
            "acled-10-year",
            "acled-25-year",
        )
    ),
)


def drifting(periods: int, rng: Generator) -> FloatArray:
    """NB2 counts around a log level that drifts slowly and is drawn back."""
    level, sd, dispersion = rng.uniform(np.log(0.3), np.log(30)), rng.uniform(0.02, 0.2), rng.uniform(0.02, 0.8)
    damping = rng.uniform(0.9, 0.99)
    x = np.empty(periods)
    x[0] = sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, periods):
        x[t] = damping * x[t - 1] + sd * rng.standard_normal()
    return rng.poisson(np.exp(level + x) * rng.gamma(1 / dispersion, dispersion, periods)).astype(float)


def following(periods: int, rng: Generator) -> FloatArray:
    """INGARCH with NB2 counts: the mean follows the last count and the last mean."""
    mean, beta, dispersion = np.exp(rng.uniform(np.log(0.3), np.log(30))), rng.uniform(0.1, 0.5), rng.uniform(0.02, 0.5)
    alpha = rng.uniform(0.1, 0.9 - beta)
    counts, state = np.empty(periods + 50), mean
    for t in range(len(counts)):
        counts[t] = rng.poisson(state * rng.gamma(1 / dispersion, dispersion))
        state = (1 - alpha - beta) * mean + beta * counts[t] + alpha * state
    return counts[50:]


def switching(periods: int, rng: Generator) -> FloatArray:
    """A quiet and an active regime of geometric lengths, NB2 counts in each."""
    rates = np.exp(rng.uniform(np.log(0.05), np.log(2))) * np.array([1.0, rng.uniform(5, 25)])
    leaving, dispersion = 1 / rng.uniform(6, 40, 2), rng.uniform(0.02, 0.5)
    regime, counts = int(rng.random() < leaving[0] / leaving.sum()), np.empty(periods)
    for t in range(periods):
        regime ^= int(rng.random() < leaving[regime])
        counts[t] = rng.poisson(rates[regime] * rng.gamma(1 / dispersion, dispersion))
    return counts


def exciting(periods: int, rng: Generator) -> FloatArray:
    """Attacks in continuous time that set off others with exponential delays, counted by the week."""
    ratio, delay = rng.uniform(0.3, 0.85), np.exp(rng.uniform(np.log(0.2), np.log(4)))
    base, before = np.exp(rng.uniform(np.log(0.3), np.log(20))) * (1 - ratio), 60.0
    times = rng.uniform(-before, periods, rng.poisson(base * (periods + before)))
    every = [times]
    while len(times):
        times = np.repeat(times, rng.poisson(ratio, len(times)))
        times = times + rng.exponential(delay, len(times))
        times = times[times < periods]
        every.append(times)
    inside = np.concatenate(every)
    return np.bincount(inside[inside >= 0].astype(int), minlength=periods).astype(float)


def heavy(periods: int, rng: Generator) -> FloatArray:
    """Clusters of discrete Pareto sizes, or a log level with Student-t steps, whichever a coin says."""
    if rng.random() < 0.5:
        tail, rate = rng.uniform(1.3, 2.5), np.exp(rng.uniform(np.log(0.2), np.log(5)))
        sizes = [np.minimum(np.floor(rng.pareto(tail, k) + 1), 1e6).sum() for k in rng.poisson(rate, periods)]
        return np.array(sizes, dtype=float)
    level, sd, damping = rng.uniform(np.log(0.5), np.log(20)), rng.uniform(0.1, 0.3), rng.uniform(0.8, 0.97)
    x, counts = 0.0, np.empty(periods + 50)
    for t in range(len(counts)):
        x = damping * x + sd * rng.standard_t(3)
        counts[t] = rng.poisson(np.exp(min(level + x, 11.0)))
    return counts[50:]


WORLDS: Mapping[str, Callable[[int, Generator], FloatArray]] = {
    "drifting": drifting,
    "following": following,
    "switching": switching,
    "exciting": exciting,
    "heavy": heavy,
}


def simulate(series: int, seed: int) -> pd.DataFrame:
    """A panel of so many series, a fifth from each process; those without any count are drawn again."""
    index = pd.period_range("2018-01-01", periods=PERIODS + STEPS, freq="W-SUN")
    columns = {}
    for k, rng in enumerate(default_rng(seed).spawn(series)):
        name = list(WORLDS)[k % len(WORLDS)]
        counts = WORLDS[name](len(index), rng)
        while counts[:52].sum() < 1:
            counts = WORLDS[name](len(index), rng)
        columns[f"{name}-{k // len(WORLDS)}"] = counts
    return pd.DataFrame(columns, index=index).astype("int64")


def run(panel: pd.DataFrame, *, draws: int, executor: Executor | None = None, seed: int = 1) -> escalation.Backtest:
    """Forecast every series from all origins by the models of an assessment, each definition by each step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        return escalation.backtest(
            {name: get_model(name) for name in MODELS},
            panel,
            origins=ORIGINS,
            every=EVERY,
            horizon=STEPS,
            flashpoints=DEFINITIONS,
            draws=draws,
            executor=executor,
            rng=seed,
        )


def cases(result: escalation.Backtest) -> dict[str, pd.DataFrame]:
    """Tables by model and of their pool, whose distribution is the weighted mean of theirs.

    One row a series, origin, definition and step: its ``world``, the ``probability`` by then, and what ``came``.
    """
    tables = {}
    for model in MODELS:
        own = result.scores[result.scores["model"] == model]
        keys = pd.DataFrame(
            {
                "world": own["unit"].astype(str).str.split("-").str[0],
                "series": own["unit"].cat.codes,
                "origin": own["origin"].dt.strftime("%Y-%m-%d"),
                "step": own["step"],
            }
        )
        columns = {one.name: (own[f"passes_{one.name}"], own[f"passed_{one.name}"]) for one in DEFINITIONS}
        tables[model] = pd.concat(
            [keys.assign(definition=name, probability=p, came=came) for name, (p, came) in columns.items()],
            ignore_index=True,
        )
    pool = sum(weight * tables[name]["probability"] for name, weight in POOL_WEIGHTS.items())
    tables = {
        DEFAULT: tables.pop(DEFAULT),
        POOL: tables[next(iter(POOL_WEIGHTS))].assign(probability=pool),
        **tables,
    }
    return {name: table.dropna(subset=["probability", "came"]) for name, table in tables.items()}


def weights(series: int, seed: int = 0) -> FloatArray:
    """How often each series is drawn (resamples, series)."""
    return default_rng(seed).multinomial(series, np.full(series, 1 / series), RESAMPLES).astype(float)


def bootstrap_error(total: FloatArray, number: FloatArray, drawn: FloatArray) -> float:
    """Standard error of a ratio of sums over series, series drawn again."""
    return float((drawn @ total / np.maximum(drawn @ number, 1e-12)).std())


def reliability(table: pd.DataFrame) -> pd.DataFrame:
    """Ten bins of probability: cases, mean probability, frequency, and the errors of their difference."""
    drawn = weights(int(table["series"].max()) + 1)
    place = np.minimum((table["probability"] * BINS).astype(int), BINS - 1)
    rows = {}
    for k, own in table.groupby(place):
        sums = own.assign(miss=own["came"] - own["probability"], number=1.0).groupby("series")[["miss", "number"]].sum()
        sums = sums.reindex(range(drawn.shape[1]), fill_value=0.0)
        stated, frequency, n = float(own["probability"].mean()), float(own["came"].mean()), len(own)
        rows[f"{k / BINS:.1f}-{(k + 1) / BINS:.1f}"] = {
            "cases": n,
            "series": own["series"].nunique(),
            "probability": stated,
            "frequency": frequency,
            "difference": frequency - stated,
            "binomial_se": float(np.sqrt(stated * (1 - stated) / n)),
            "clustered_se": bootstrap_error(sums["miss"].to_numpy(), sums["number"].to_numpy(), drawn),
        }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("bin")
    return found.assign(verdict=[verdict(row) for _, row in found.iterrows()])


def verdict(row: pd.Series) -> str:
    """What a bin says: within 0.03, or whether the miss is within two clustered errors of none."""
    if row["cases"] < FEWEST:
        return "too few"
    if abs(row["difference"]) <= WITHIN:
        return "within"
    return "misses, within 2 errors" if abs(row["difference"]) <= 2 * row["clustered_se"] else "MISSES"


def medians(table: pd.DataFrame) -> dict[str, float]:
    """First passages against their medians, where these lie within the horizon.

    ``before`` is the share that came before the median; one that came in the very step counts with the part of the
    step's probability that lies below one half, so that it is 0.5 on average where forecasts are calibrated.
    ``sooner`` is by how many weeks passages came sooner than forecast on average over all cases, passages after the
    last step counting as one step later.
    """
    given = table.pivot_table(index=["series", "origin", "definition"], columns="step", values="probability").dropna()
    came = table.pivot_table(index=["series", "origin", "definition"], columns="step", values="came").reindex(
        given.index
    )
    known = came.notna().all(axis=1).to_numpy()
    p, passed = given.to_numpy()[known], came.to_numpy()[known]
    series = given.index.get_level_values("series").to_numpy()[known]
    upto = np.concatenate([np.zeros((len(p), 1)), p, np.ones((len(p), 1))], axis=1)
    step = (passed == 0).sum(axis=1)  # steps before the passage; all of them where it did not come
    row = np.arange(len(step))
    low, high = upto[row, step], upto[row, step + 1]
    share = np.clip((0.5 - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    share = np.where(high <= low, (low < 0.5).astype(float), share)
    chosen = (p[:, -1] >= 0.5) & (p[:, 0] < 1.0)
    drawn = weights(int(table["series"].max()) + 1)

    def mean(values: FloatArray, which: NDArray[np.bool_]) -> tuple[float, float]:
        size = drawn.shape[1]
        total = np.bincount(series[which], values[which], size)
        number = np.bincount(series[which], minlength=size).astype(float)
        return float(total.sum() / number.sum()), bootstrap_error(total, number, drawn)

    before, before_error = mean(share, chosen)
    sooner, sooner_error = mean((passed - p).sum(axis=1), np.ones(len(chosen), dtype=bool))
    return {
        "cases": int(chosen.sum()),
        "before": before,
        "before_se": before_error,
        "z": (before - 0.5) / before_error,
        "sooner": sooner,
        "sooner_se": sooner_error,
    }


def summary(table: pd.DataFrame) -> str:
    """How many bins miss, of all horizons together and one by one, the largest miss, and the mean Brier score."""
    some = table[table["step"].isin(HORIZONS)]
    one_by_one = pd.concat([reliability(table[table["step"] == horizon]) for horizon in HORIZONS])
    said = []
    for label, bins in (("of all horizons together", reliability(some)), ("of one horizon each", one_by_one)):
        held = bins[bins["cases"] >= FEWEST]
        away, surely = held["difference"].abs(), int((held["verdict"] == "MISSES").sum())
        said.append(
            f"{int((away > WITHIN).sum())} of {len(held)} bins {label} miss by more than {WITHIN} ({surely} beyond two "
            f"errors), the largest by {away.max():.4f}"
        )
    return f"{'; '.join(said)}; Brier score {float(((some['probability'] - some['came']) ** 2).mean()):.5f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Flashpoint probabilities on simulated worlds.")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--details", choices=("none", "all"), default="all")
    options = parser.parse_args()
    begin = time.perf_counter()
    panel = simulate(options.series, options.seed)
    with ProcessPoolExecutor(options.workers) as executor:
        result = run(panel, draws=options.draws, executor=executor)
    print(f"{panel.shape[1]} series, {time.perf_counter() - begin:.0f} s, {len(result.failures)} forecasts failed")
    for name, table in cases(result).items():
        print(f"\n=== {name}: {summary(table)}")
        some = table[table["step"].isin(HORIZONS)]
        print(f"\nwithin {HORIZONS} weeks, all together\n{reliability(some).round(4).to_string()}")
        for horizon in HORIZONS:
            print(f"\nwithin {horizon} weeks\n{reliability(table[table['step'] == horizon]).round(4).to_string()}")
        passages = {"all": medians(table)} | {world: medians(own) for world, own in table.groupby("world")}
        print(f"\nfirst passages\n{pd.DataFrame.from_dict(passages, orient='index').round(4).to_string()}")
        if options.details == "all":
            for by in ("world", "definition"):
                rows = {key: reliability(own)["difference"] for key, own in some.groupby(by)}
                print(f"\nfrequency - probability, by {by}\n{pd.DataFrame(rows).T.round(3).to_string()}")
    print(f"\n{time.perf_counter() - begin:.0f} s in all")


if __name__ == "__main__":
    main()
