"""What the package says of simulated worlds beyond forecasts: that the rate rose, that it changed, and how fast.

`worlds.py` prints the tables.  Where nothing changed, a rise or a change that is said is a false one; where something
did, the same share is the power.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulation import World, generator
from simulators import CHANGING, FALLING, FLUCTUATING, RISING, STATIONARY, simulate

import escalation
from escalation.assessment.withheld import Withheld
from escalation.errors import EscalationError
from escalation.models.contract.base import CountModel

FloatArray = NDArray[np.float64]

KEYS = ("probability_higher", "probability_unusual")
"""Answers that say whether the rate rose: in truth, and beyond the usual fluctuation."""
SURE = 0.95
CHANGED = 0.5
TIED = 1e-9
"""Mean rates that are as near as this, as a share, are the same: neither is higher, which counts as half."""
DRAWS = 200
SPOKEN_OF = ("poisson", "ar_80", "regimes", "growth_3", "onset")
"""Worlds whose series are timed."""
WEEKS, PANEL_WEEKS, HISTORIES, HISTORY_WEEKS = 104, 200, 25, 60


class Asked(NamedTuple):
    """Series of a world that a question is asked of."""

    world: str
    series: tuple[int, ...]
    seed: int


def kind_of(world: str) -> str:
    """What happens in a world, in one word."""
    kinds = {"nothing": STATIONARY, "fluctuates": FLUCTUATING, "rises": RISING, "falls": FALLING, "changes": CHANGING}
    return next((kind for kind, worlds in kinds.items() if world in worlds), "season")


def truly_higher(world: World, recent: tuple[pd.Period, pd.Period], baseline: tuple[pd.Period, pd.Period]) -> float:
    """1 where the true mean rate of the recent window is above that of the baseline, 0 below, 1/2 where they are one.

    Only periods that were observed count, as in the comparison itself.
    """
    means = pd.Series(world.means, index=world.counts.index)[world.counts.notna()]
    now, was = (float(means.loc[first:last].mean()) for first, last in (recent, baseline))
    return 0.5 if abs(now - was) <= TIED * was else float(now > was)


def said_of_rise(world: World, seed: int) -> tuple[float, ...]:
    """Both probabilities and the truth; NaN where an answer is not given or the package has none of that name."""
    try:
        assessment = escalation.assess(world.counts, draws=DRAWS, rng=seed)
        answers = assessment.answers("rate")["value"]
        rate = assessment.rate
    except EscalationError:
        return np.nan, np.nan, np.nan
    if isinstance(rate, Withheld):
        return np.nan, np.nan, np.nan
    windows = [(window.first, window.last) for window in (rate.recent, rate.baseline)]
    return *(float(answers.get(key, np.nan)) for key in KEYS), truly_higher(world, windows[0], windows[1])


def said_of_changes(world: World, _: int) -> tuple[float]:
    """Probability of a change; NaN where the package refuses the counts."""
    try:
        return (1 - float(escalation.changepoints(world.counts).number.loc[0]),)
    except EscalationError:
        return (np.nan,)


def asked_of_each(asked: Asked, said: Callable[[World, int], tuple[float, ...]], columns: int) -> FloatArray:
    """Rows (series, columns): what is said of each series, and last, whether the origin is before the change."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for series in asked.series:
            world = simulate(asked.world, series, asked.seed)
            rows.append((*said(world, series), float(world.changed is False)))
    return np.array(rows, dtype=np.float64).reshape(-1, columns)


def rises(asked: Asked) -> FloatArray:
    """Rows (series, 4): probability_higher, probability_unusual, the truth, whether the origin is before the change."""
    return asked_of_each(asked, said_of_rise, 4)


def changes(asked: Asked) -> FloatArray:
    """Rows (series, 2): probability of a change, whether the origin is before it."""
    return asked_of_each(asked, said_of_changes, 2)


def share_above(values: FloatArray, limit: float) -> float:
    """Share of the values that are known which are above a limit; NaN where none is known."""
    known = values[~np.isnan(values)]
    return float((known > limit).mean()) if len(known) else np.nan


def mean_of(values: FloatArray) -> float:
    """Mean of the values that are known; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def rise_table(rows: dict[str, FloatArray]) -> pd.DataFrame:
    """Of each world: how far both probabilities can be trusted, and how often they are above 0.95."""
    table = {}
    for world, every in rows.items():
        seen = every[(every[:, 3] == 0) & ~np.isnan(every[:, 2])]
        higher, unusual, truth, _ = seen.T
        known = ~np.isnan(higher)
        sure = higher > SURE
        table[world] = {
            "kind": kind_of(world),
            "series": len(seen),
            "truly higher": mean_of(truth[known]),
            "mean higher": mean_of(higher),
            "difference": mean_of(higher[known] - truth[known]),
            "higher > 0.95": share_above(higher, SURE),
            "of them true": mean_of(truth[sure]),
            "mean unusual": mean_of(unusual),
            "unusual > 0.95": share_above(unusual, SURE),
        }
    return pd.DataFrame.from_dict(table, orient="index").sort_values("kind", kind="stable")


def change_table(rows: dict[str, FloatArray]) -> pd.DataFrame:
    """Of each world: how often a change is likelier than none, and its mean probability."""
    table = {}
    for world, every in rows.items():
        said = every[every[:, 1] == 0, 0]
        table[world] = {
            "kind": kind_of(world),
            "series": int((~np.isnan(said)).sum()),
            "P(change) > 0.5": share_above(said, CHANGED),
            "mean P(change)": mean_of(said),
        }
    return pd.DataFrame.from_dict(table, orient="index").sort_values("kind", kind="stable")


def milliseconds(model: CountModel, counts: list[pd.Series] | list[pd.DataFrame], draws: int) -> FloatArray:
    """Processor time of fit and forecast of each series, once all is compiled."""
    took = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, one in enumerate([counts[0], *counts]):
            begin = time.process_time()
            model.fit(one).forecast(12, draws=draws, rng=number)
            took.append(1000 * (time.process_time() - begin))
    return np.array(took[1:])


def joined(worlds: list[World], weeks: int) -> list[pd.Series]:
    """The last so many weeks of each world; where there are fewer, its past comes twice."""
    index = pd.period_range("2019-01-07", periods=weeks, freq="W-SUN", name="period")
    values = [np.concatenate([world.counts.to_numpy(dtype=np.int64)] * 2)[-weeks:] for world in worlds]
    return [pd.Series(one, index=index, dtype="Int64") for one in values]


def histories(counts: pd.Series, seed: int) -> pd.DataFrame:
    """25 histories of 60 weeks: the counts of a series, each week's drawn anew about them."""
    last = counts.iloc[-HISTORY_WEEKS:]
    drawn = generator(0, seed, "histories").poisson(last.to_numpy(dtype=np.float64)[:, None], (len(last), HISTORIES))
    return pd.DataFrame(drawn, index=last.index, columns=pd.RangeIndex(HISTORIES, name="draw"))


def speed_table(models: dict[str, CountModel], series: int, draws: int, seed: int) -> pd.DataFrame:
    """Processor time of fit and forecast: a series of 104 weeks, 25 histories of 60, and a panel of 10,000 x 200."""
    worlds = [simulate(SPOKEN_OF[k % len(SPOKEN_OF)], k, seed) for k in range(series)]
    table = {}
    for name, model in models.items():
        single = milliseconds(model, joined(worlds, WEEKS), draws)
        several = milliseconds(model, [histories(joined(worlds, WEEKS)[k], seed) for k in range(3)], draws)
        longer = milliseconds(model, joined(worlds, PANEL_WEEKS), draws)
        table[name] = {
            "104 weeks, ms": np.median(single),
            "slowest tenth, ms": np.quantile(single, 0.9),
            "25 histories x 60 weeks, s": several.mean() / 1000,
            "200 weeks, ms": np.median(longer),
            "10,000 of them on two cores, s": longer.mean() * 10_000 / 2 / 1000,
        }
    return pd.DataFrame.from_dict(table, orient="index")
