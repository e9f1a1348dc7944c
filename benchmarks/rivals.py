"""The models that `worlds.py` compares, by name, each a function of the past that draws joint paths.

``default`` is the package's default model, ``pool`` the pool that answered before it; any other name of
the package's registry is that model with its default options.  The rivals are the usual simple forecasts and the
single models.  AutoETS is that of statsforecast (``pip install statsforecast``) and left out where that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.errors import FitError
from escalation.models import (
    INGARCH,
    Climatology,
    Ensemble,
    HiddenMarkov,
    LastValue,
    LocalLevel,
    LocalTrend,
    NegativeBinomial,
)
from escalation.models.contract.base import CountModel
from escalation.models.registry import MODELS, default_model, get_model

IntArray = NDArray[np.int64]
Paths = Callable[[pd.Series, int, int, Generator], IntArray]
"""Past counts, steps and draws to paths (draws, steps)."""

DEFAULT = "default"
POOL = "pool"
POOL_WEIGHTS = {"local_level": 0.8, "negative_binomial": 0.1, "climatology": 0.1}
POOLED = Ensemble(models=(LocalLevel(), NegativeBinomial(), Climatology()), weights=tuple(POOL_WEIGHTS.values()))
"""The pool that answered up to version 0.1."""
LARGEST = 1e15


class AbsentError(Exception):
    """The model is not there, and why."""


def drawn_by(model: CountModel) -> Paths:
    """Paths of a model of the package, through its public interface."""

    def paths(counts: pd.Series, steps: int, draws: int, rng: Generator) -> IntArray:
        return model.fit(counts).forecast(steps, draws=draws, rng=rng).series_paths

    return paths


def nb_season(counts: pd.Series, steps: int, draws: int, rng: Generator) -> IntArray:
    """Negative binomial regression with three pairs of waves a week of days, or two a year; plain below two cycles."""
    freq = pd.PeriodIndex(counts.index).freqstr
    pairs, cycle = {"D": (3, 7), "M": (2, 12)}.get(freq, (2, 52))
    model = NegativeBinomial(season=pairs) if len(counts) >= 2 * cycle else NegativeBinomial()
    return drawn_by(model)(counts, steps, draws, rng)


def last_value_nb(counts: pd.Series, steps: int, draws: int, rng: Generator) -> IntArray:
    """Negative binomial counts about the rate that the last count suggests, as spread as neighbouring counts are.

    The rate has its gamma posterior given one Poisson count; the dispersion is found by moments: half the mean square
    of the changes, less the mean, over the mean product of neighbours.
    """
    known = counts.dropna().to_numpy(dtype=np.float64)
    before, after = known[:-1], known[1:]
    products = float((before * after).mean()) if len(before) else 0.0
    excess = float((((after - before) ** 2 - after - before) / 2).mean()) if len(before) else 0.0
    dispersion = float(np.clip(excess / products, 0.0, 5.0)) if products > 0 else 0.0
    rate = rng.gamma(known[-1] + 0.5, 1.0, (draws, 1))
    spread = rng.gamma(1 / dispersion, dispersion, (draws, steps)) if dispersion > 0 else np.ones((draws, steps))
    return rng.poisson(np.minimum(rate * spread, LARGEST)).astype(np.int64)


def auto_ets(counts: pd.Series, steps: int, draws: int, rng: Generator) -> IntArray:
    """Normal draws about the mean of AutoETS, made whole and cut at 0.

    The intervals of statsforecast are of single steps.  Scores of single steps do not depend on what joins them, so
    each step is drawn by itself; totals over steps are therefore too sure.  Missing counts are put on a line between
    their neighbours.
    """
    from statsforecast.models import AutoETS

    freq = pd.PeriodIndex(counts.index).freqstr
    season = {"D": 7, "M": 12}.get(freq, 1)
    known = counts.astype("float64").interpolate(limit_direction="both").to_numpy(dtype=np.float64)
    model = AutoETS(season_length=season if len(known) >= 2 * season else 1)
    try:
        ahead = model.forecast(known, h=steps, level=[90])
    except NotImplementedError as refused:  # of a handful of periods
        raise FitError(f"AutoETS refuses {len(known)} periods: {refused}") from refused
    sd = (ahead["hi-90"] - ahead["lo-90"]) / (2 * 1.6448536269514722)
    paths = rng.normal(ahead["mean"], sd, (draws, steps))
    return np.clip(np.round(np.nan_to_num(paths)), 0, LARGEST).astype(np.int64)


OWN: Mapping[str, CountModel] = {
    "last_value": LastValue(),
    "climatology_12": Climatology(),
    "climatology_all": Climatology(window=None),
    "nb": NegativeBinomial(),
    "nb_trend": NegativeBinomial(trend="linear"),
    "local_level": LocalLevel(),
    "local_trend": LocalTrend(),
    "ingarch": INGARCH(),
    "hidden_markov": HiddenMarkov(),
}
"""Rivals that are models of the package."""
RIVALS: Mapping[str, Paths] = {name: drawn_by(model) for name, model in OWN.items()} | {
    "last_value_nb": last_value_nb,
    "nb_season": nb_season,
    "auto_ets": auto_ets,
}
"""What a default model is compared with; they are the same whatever the default model is."""
STAND_IN = RIVALS["climatology_all"]
"""Forecasts where a model refuses a series."""


def model_named(name: str) -> CountModel | None:
    """The package's model of this name; None where it has none, or a rival is no model of the package."""
    if name == DEFAULT:
        return default_model()
    if name in OWN:
        return OWN[name]
    if name == POOL:
        return POOLED
    return get_model(name) if name in MODELS else None


def paths_of(name: str) -> Paths:
    """The function that draws the paths of the model of this name.

    Raises
    ------
    AbsentError
        If there is no such model, or what it needs is not installed.
    """
    if name == "auto_ets" and find_spec("statsforecast") is None:
        raise AbsentError("statsforecast is not installed: pip install statsforecast")
    if name in RIVALS:
        return RIVALS[name]
    model = model_named(name)
    if model is None:
        raise AbsentError(
            f"no model has this name; there are {', '.join(dict.fromkeys([DEFAULT, POOL, *RIVALS, *MODELS]))}"
        )
    return drawn_by(model)


def present(models: Iterable[str]) -> list[str]:
    """Those of the models that can run in this environment; a line for each that cannot."""
    found = []
    for model in models:
        try:
            paths_of(model)
        except AbsentError as absent:
            print(f"{model} is left out: {absent}")
        else:
            found.append(model)
    return found
