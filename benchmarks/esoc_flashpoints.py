"""Flashpoints in Iraqi governorates: probabilities from 2007 on, against how often they came.

    python benchmarks/esoc_flashpoints.py esoc-iraq-v3_sigact_governorate-week.dta [--models a,b] [--every 2]

The file is that of benchmarks/esoc_weekly.py.  A flashpoint is ForecastBench's: four weeks together above the mean
four weeks of the year before the origin, some time within the next 4, 8 or 12 weeks.  Beside the models stand three
climatologies of the event itself: how often it had followed past weeks, by what was known at the origin, in the same
governorate and in all of them; and, as attacks fell in 2008 and both are too high then, how often it came over the
origins themselves, which nobody could know.  The intervals are those of `Backtest.compare`, a paired bootstrap of
origins in blocks and of governorates.
"""

from __future__ import annotations

import argparse
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pandas as pd
from esoc_weekly import FIRST_ORIGIN, read
from numpy.typing import NDArray
from rivals import POOL, POOLED

import escalation
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.models.registry import DEFAULT, PANEL_MODELS, get_model, get_panel_model

STEPS = 12
HORIZONS = (4, 8, 12)
OWN, ALL, AFTER = "own frequency", "frequency of all", "hindsight"


def past_frequencies(counts: pd.DataFrame, definition: Flashpoint, within: int) -> dict[str, pd.DataFrame]:
    """How often a flashpoint had followed, by what was known at each week: in each unit, and in all of them."""
    came = escalation.forecasts.past_flashpoints(counts, definition, within=within).shift(within)
    own = came.expanding().mean()
    together = came.sum(axis=1).cumsum() / came.count(axis=1).cumsum()
    return {OWN: own, ALL: pd.DataFrame(dict.fromkeys(counts.columns, together))}


def at(table: pd.DataFrame, rows: pd.DataFrame) -> NDArray[Any]:
    """Values of a table, weeks by governorates, at the origins and units of some rows."""
    places = table.index.get_indexer(rows["origin"]), table.columns.get_indexer(rows["unit"].astype(str))
    return table.to_numpy()[places]


def quiet_before(counts: pd.DataFrame, definition: Flashpoint) -> pd.DataFrame:
    """Whether the window that ended with each week was none: the mean of the past year, itself included, not passed."""
    over, past = definition.over("W"), round(definition.past_days / 7)
    known = counts.astype(float)
    least = definition.times * (known.rolling(past, min_periods=over).mean() * over + definition.plus)
    return known.rolling(over).sum() <= least


def with_frequencies(
    result: escalation.Backtest, counts: pd.DataFrame, definition: Flashpoint, within: int, chosen: pd.DataFrame
) -> escalation.Backtest:
    """The forecasts of one horizon from chosen weeks and governorates, with frequencies as further models."""
    probability, came, score = (f"{kind}_{definition.name}" for kind in ("passes", "passed", "brier"))
    part = result.scores[result.scores["step"] == within]
    part = part[at(chosen, part)]
    one = part[part["model"] == result.models[0]]
    known = {name: at(table, one) for name, table in past_frequencies(counts, definition, within).items()}
    further = [
        one.assign(**{"model": name, probability: frequency, score: (frequency - one[came].to_numpy()) ** 2})
        for name, frequency in {**known, AFTER: one[came].mean()}.items()
    ]
    scores = pd.concat(
        [table.assign(model=table["model"].astype(str)) for table in (part, *further)], ignore_index=True
    )
    scores["model"] = pd.Categorical(scores["model"], categories=[*result.models, OWN, ALL, AFTER])
    return escalation.Backtest(scores, result.failures)


def comparisons(part: escalation.Backtest, models: list[str], definition: Flashpoint) -> str:
    """Brier scores of the models against each climatology."""
    columns = ["mean", "baseline", "skill", "difference", "lower", "upper", "verdict"]
    baselines = [name for name in (OWN, ALL, AFTER, "climatology") if name in part.models]
    tables = {
        baseline: part.compare(baseline, score=f"brier_{definition.name}", rng=0)[columns].reindex(
            [name for name in models if name not in baselines]
        )
        for baseline in baselines
    }
    return pd.concat(tables, names=["against"]).round(4).to_string()


def main() -> None:
    parser = argparse.ArgumentParser(description="Flashpoints per governorate, forecast from 2007 on.")
    parser.add_argument("file")
    parser.add_argument("--models", default=f"analogues,{DEFAULT},{POOL},climatology,last_value")
    parser.add_argument("--preset", default="forecastbench-mean")
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    begin = time.perf_counter()
    counts, definition = read(options.file), escalation.forecasts.get_flashpoint(options.preset)
    quiet = quiet_before(counts, definition)
    models = {
        name: get_panel_model(name) if name in PANEL_MODELS else POOLED if name == POOL else get_model(name)
        for name in options.models.split(",")
    }
    origins = counts.index[FIRST_ORIGIN : len(counts) - STEPS : options.every]
    with warnings.catch_warnings(), ProcessPoolExecutor(options.workers) as executor:
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        result = escalation.backtest(
            models,
            counts,
            origins=origins,
            horizon=STEPS,
            flashpoints=[definition],
            draws=options.draws,
            executor=executor,
            rng=1,
        )
    print(f"{definition}\n{len(origins)} origins, {counts.shape[1]} governorates, {len(result.failures)} failed")
    for within in HORIZONS:
        part, onsets = (with_frequencies(result, counts, definition, within, which) for which in (quiet >= 0, quiet))
        print(f"\n=== within {within} weeks\n\n{part.brier(definition, within=within).round(4).to_string()}")
        print(f"\nBrier score against\n{comparisons(part, list(models), definition)}")
        came = onsets.events(definition, within=within)["came"].mean()
        print(f"\nwhere the last four weeks were none, {came:.0%} of them followed by one, against")
        print(comparisons(onsets, list(models), definition))
        curves = part.reliability(definition, within=within)
        for model in list(models)[:2]:
            print(f"\nreliability of {model}\n{curves.loc[model].round(3).to_string()}")
    print(f"\n{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
