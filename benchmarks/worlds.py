"""A tournament of forecasting models in worlds whose truth is known.

    python benchmarks/worlds.py --model default --model pool --part crps --part coverage --series 300 --store DIR

Every model forecasts the same series of the worlds of `simulators.py`: the ones that are named, the rivals of
`rivals.py`, and an oracle that knows the process and its state.  The best rival of a world is the one with the least
mean CRPS in the first half of the series; what is compared is the second half.  Series whose single change lies after
the origin, which nothing in the past announces, stand in rows of their own.  Figures of models that are named are made
anew (`--reuse` takes what the store has of them), those of rivals once a store, seed and number of draws.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import claims
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rivals import RIVALS, model_named, present
from running import run_all
from simulators import CHANGING, STATIONARY, WORLDS
from tournament import CHUNK, ORACLE, TOTALS, WITHIN, Rows, Store, fill

from escalation.scores import pit_coverage

FloatArray = NDArray[np.float64]

NEAR = 1.10
"""Ratio of CRPS that is called near to the best rival's."""
FEWEST = 8
"""Series whose change lies ahead that make a row."""
SMALLEST = 8
"""Series that can be cut in halves and still have errors."""
BINS = 10


class Group(NamedTuple):
    """Series of a world that are scored together."""

    name: str
    world: str
    later: bool


class Standing(NamedTuple):
    """All that tables are made of."""

    store: Store
    models: list[str]
    rivals: list[str]
    worlds: list[str]
    series: int

    def rows(self, model: str, group: Group) -> Rows:
        """Rows of a model in a group."""
        rows = self.store.first(model, group.world, self.series)
        inside = (rows["changed"] == 0) == group.later
        return {column: values[inside] for column, values in rows.items()}

    def groups(self) -> list[Group]:
        """Worlds, and apart from them the series of a world whose change comes later."""
        both = [Group(world, world, False) for world in self.worlds]
        both += [Group(f"{world}, ahead", world, True) for world in self.worlds]
        return [group for group in both if len(self.rows(ORACLE, group)["series"]) >= (FEWEST if group.later else 1)]


def best_rival(standing: Standing, group: Group, model: str) -> str:
    """The rival, other than the model itself, with the least mean CRPS in the first half of the series."""
    means = {}
    for rival in standing.rivals:
        scores = standing.rows(rival, group)["crps"].mean(axis=1)
        means[rival] = scores[: len(scores) // 2].mean()
    return min((rival for rival in means if rival != model), key=means.__getitem__)


def ratio_of_means(ours: FloatArray, theirs: FloatArray) -> tuple[float, float]:
    """Ratio of the means of paired scores, and its standard error by the delta method."""
    ratio = float(ours.mean() / theirs.mean())
    error = (ours - ratio * theirs).std(ddof=1) / np.sqrt(len(ours)) / theirs.mean()
    return ratio, float(error)


def crps_table(standing: Standing, model: str) -> pd.DataFrame:
    """Mean CRPS in the second half of the series: of the model, the best rival and the oracle."""
    rows = {}
    for group in standing.groups():
        best = best_rival(standing, group, model)
        names = (model, best, ORACLE, *(["pool"] if "pool" in standing.models else []))
        scores = {name: standing.rows(name, group)["crps"].mean(axis=1) for name in names}
        half = len(scores[model]) // 2
        second = {name: values[half:] for name, values in scores.items()}
        ratio, error = ratio_of_means(second[model], second[best])
        rows[group.name] = {
            "series": len(second[model]),
            "crps": second[model].mean(),
            "best rival": best,
            "its crps": second[best].mean(),
            "oracle": second[ORACLE].mean(),
            "ratio": ratio,
            "se": error,
            "to oracle": second[model].mean() / second[ORACLE].mean(),
            "refused": int(standing.rows(model, group)["refused"].sum()),
        }
        if "pool" in second and model != "pool":
            rows[group.name]["to pool"] = second[model].mean() / second["pool"].mean()
    return pd.DataFrame.from_dict(rows, orient="index")


def crps_summary(table: pd.DataFrame) -> str:
    """Sum the table up: geometric means, how many ratios are near to 1, the largest."""
    whole = table[[", ahead" not in name for name in table.index]]
    ratio, oracle = whole["ratio"], whole["to oracle"]
    lines = [
        f"CRPS to the best rival: geometric mean {np.exp(np.log(ratio).mean()):.3f}, {(ratio <= NEAR).sum()} of "
        f"{len(ratio)} worlds <= {NEAR:.2f}, largest {ratio.max():.3f} ({ratio.idxmax()}); to the oracle: "
        f"geometric mean {np.exp(np.log(oracle).mean()):.3f}, largest {oracle.max():.3f} ({oracle.idxmax()})"
    ]
    still = whole.loc[whole.index.isin(STATIONARY)]
    if len(still) and "to pool" in whole:
        lines.append(
            f"CRPS to the pool on the stationary worlds: geometric mean {np.exp(np.log(still['to pool']).mean()):.3f}, "
            f"largest {still['to pool'].max():.3f} ({still['to pool'].idxmax()})"
        )
    return "\n".join(lines)


def coverage_table(standing: Standing, model: str) -> pd.DataFrame:
    """Mass of the PIT inside the central 90%, of single steps and of totals, beside the oracle's."""
    rows = {}
    for group in standing.groups():
        own, true = (standing.rows(name, group) for name in (model, ORACLE))
        of_steps, of_totals = (
            pit_coverage(own["below"], own["upto"]),
            pit_coverage(own["total_below"], own["total_upto"]),
        )
        rows[group.name] = {
            "series": len(of_steps),
            "steps": of_steps.mean(),
            "se": of_steps.mean(axis=1).std(ddof=1) / np.sqrt(len(of_steps)),
            "oracle's": pit_coverage(true["below"], true["upto"]).mean(),
        }
        totals = pit_coverage(true["total_below"], true["total_upto"]).mean(axis=0)
        for place, word in enumerate(("short", "middle", "long")):
            rows[group.name] |= {word: of_totals[:, place].mean(), f"{word} oracle's": totals[place]}
        rows[group.name]["fell below"] = (own["total_upto"][:, 1] < 0.05).mean()
    return pd.DataFrame.from_dict(rows, orient="index")


def coverage_summary(table: pd.DataFrame) -> str:
    """Say where intervals of single steps hold 86 to 94%."""
    whole = table[[", ahead" not in name for name in table.index]]
    inside = whole["steps"].between(0.86, 0.94)
    outside = ", ".join(f"{name} {value:.3f}" for name, value in whole.loc[~inside, "steps"].items())
    return (
        f"90% intervals hold 86 to 94% in {inside.sum()} of {len(inside)} worlds"
        + (f"; not in {outside}" if outside else "")
        + f". Totals are over {TOTALS['W-SUN']} weeks or months and {TOTALS['D']} days; 'fell below' is the share of "
        "the middle ones under the 90% interval."
    )


def thresholds_table(standing: Standing) -> pd.DataFrame:
    """Mean forecast probability of the thresholds whose true probability is nearest to 0.51."""
    rows = {}
    for group in standing.groups():
        true = standing.rows(ORACLE, group)
        rows[group.name] = {"series": len(true["half"]), "true": true["half"].mean(), "came": true["half_came"].mean()}
        rows[group.name] |= {model: standing.rows(model, group)["half"].mean() for model in standing.models}
    return pd.DataFrame.from_dict(rows, orient="index")


def reliability_table(forecasts: FloatArray, came: FloatArray) -> pd.DataFrame:
    """Ten bins of forecast probabilities: how many, their mean, and the share that came."""
    bins = np.minimum((forecasts * BINS).astype(int), BINS - 1)
    rows = {}
    for place in range(BINS):
        inside = bins == place
        number, share = int(inside.sum()), came[inside].mean() if inside.any() else np.nan
        mean = forecasts[inside].mean() if inside.any() else np.nan
        error = np.sqrt(share * (1 - share) / number) if number else np.nan
        rows[f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}"] = {
            "forecasts": number,
            "mean": mean,
            "came": share,
            "came - mean": share - mean,
            "se": error,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def pooled(standing: Standing, model: str, worlds: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Forecasts, one a series, of all worlds together, and what came; not where the change lies ahead."""
    rows = [standing.rows(model, Group(world, world, False)) for world in worlds]
    return np.concatenate([part["drawn"] for part in rows]), np.concatenate([part["drawn_came"] for part in rows])


def show_crps(standing: Standing) -> None:
    for model in standing.models:
        table = crps_table(standing, model)
        print(f"\nCRPS of {model}\n{table.round(3).to_string()}\n{crps_summary(table)}")


def show_coverage(standing: Standing) -> None:
    for model in standing.models:
        table = coverage_table(standing, model)
        print(f"\ncoverage of {model}\n{table.round(3).to_string()}\n{coverage_summary(table)}")


def show_thresholds(standing: Standing) -> None:
    print(f"\nprobability of reaching, within {WITHIN} steps, the threshold whose true probability is nearest to 0.51")
    print(thresholds_table(standing).round(3).to_string())


def show_reliability(standing: Standing) -> None:
    changing = [world for world in standing.worlds if world in CHANGING]
    sets = {"worlds that change": changing, "all worlds": standing.worlds}
    if "mixture" in standing.worlds:
        sets["mixture of steps and fading shocks"] = ["mixture"]
    for name, worlds in sets.items():
        if not worlds:
            continue
        spread = np.histogram(pooled(standing, ORACLE, worlds)[0], bins=BINS, range=(0, 1))[0]
        print(f"\n{name}: true probabilities in ten bins {spread.tolist()}")
        for model in standing.models:
            forecasts, came = pooled(standing, model, worlds)
            table = reliability_table(forecasts, came)
            print(
                f"{model}: mean forecast {forecasts.mean():.3f}, came {came.mean():.3f}, largest difference of a bin "
                f"{table['came - mean'].abs().max():.3f}\n{table.round(3).to_string()}"
            )


SHOWN: dict[str, Callable[[Standing], None]] = {
    "crps": show_crps,
    "coverage": show_coverage,
    "thresholds": show_thresholds,
    "reliability": show_reliability,
}
"""Parts that are read from the rows of the store."""
CLAIMED = {"rise": (claims.rises, claims.rise_table), "changepoints": (claims.changes, claims.change_table)}
"""Parts that ask the package itself, whatever the model."""
SPEED = "speed"
TIMED = 20
"""Series that are timed."""


def ask(part: str, worlds: Sequence[str], series: int, seed: int, workers: int) -> dict[str, FloatArray]:
    """What the package says of each series, in rows by world."""
    work = CLAIMED[part][0]
    tasks = [
        claims.Asked(world, tuple(range(first, min(first + CHUNK, series))), seed)
        for world in worlds
        for first in range(0, series, CHUNK)
    ]
    found = dict(run_all(work, tasks, workers))
    return {world: np.concatenate([found[task] for task in tasks if task.world == world]) for world in worlds}


def show_claims(part: str, rows: dict[str, FloatArray]) -> None:
    table = CLAIMED[part][1](rows)
    print(f"\n{part}\n{table.round(3).to_string()}")
    if part != "rise":
        return
    every = np.concatenate(list(rows.values()))
    for place, key in enumerate(claims.KEYS):
        if np.isnan(every[:, place]).all():
            print(f"{key} is not among the answers of this version of the package")
    known = every[~np.isnan(every[:, [0, 2]]).any(axis=1)]
    if len(known):
        print(f"\n{claims.KEYS[0]} against the true rates\n{reliability_table(known[:, 0], known[:, 2]).round(3)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Models in simulated worlds, against rivals and an oracle.")
    parser.add_argument(
        "--model", action="append", help="default, pool, a rival or a registered model; may be repeated"
    )
    parser.add_argument("--worlds", default="all", help="all, or names with commas between")
    parser.add_argument(
        "--part", action="append", choices=[*SHOWN, *CLAIMED, SPEED], help="may be repeated; crps when left out"
    )
    parser.add_argument("--series", type=int, default=300)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path(tempfile.gettempdir()) / "escalation-worlds")
    parser.add_argument("--rivals", default="all", help="all, or names with commas between")
    parser.add_argument("--reuse", action="store_true", help="take what the store has of the models that are named")
    options = parser.parse_args()
    options.worlds = list(WORLDS) if options.worlds == "all" else options.worlds.split(",")
    unknown = [world for world in options.worlds if world not in WORLDS]
    if unknown:
        parser.error(f"no world is called {', '.join(unknown)}; there are {', '.join(WORLDS)}")
    if options.series < SMALLEST:
        parser.error(f"--series is {options.series}; give {SMALLEST} or more")
    options.part = options.part or ["crps"]
    return options


def main() -> None:
    options = arguments()
    begin = time.perf_counter()
    models = present(options.model or ["default", "pool"])
    if not models and set(options.part) - set(CLAIMED):
        raise SystemExit("none of the models is there")
    rivals = (
        []
        if "crps" not in options.part
        else present(RIVALS)
        if options.rivals == "all"
        else present(options.rivals.split(","))
    )
    parts = [part for part in SHOWN if part in options.part]
    if parts:
        store = Store(options.store, options.seed, options.draws)
        anew = [] if options.reuse else [model for model in models if model not in RIVALS]
        fill(store, dict.fromkeys([ORACLE, *rivals, *models]), options.worlds, options.series, options.workers, anew)
        standing = Standing(store, models, rivals, options.worlds, options.series)
        for part in parts:
            SHOWN[part](standing)
    for part in (part for part in CLAIMED if part in options.part):
        show_claims(part, ask(part, options.worlds, options.series, options.seed, options.workers))
    if SPEED in options.part:
        timed = {model: named for model in models if (named := model_named(model)) is not None}
        print(f"\nspeed\n{claims.speed_table(timed, TIMED, options.draws, options.seed).round(1).to_string()}")
    print(
        f"\n{options.series} series a world, {options.draws} draws, seed {options.seed}; "
        f"{time.perf_counter() - begin:.0f} s"
    )


if __name__ == "__main__":
    main()
