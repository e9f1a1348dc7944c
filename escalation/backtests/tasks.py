"""One task of a backtest: a model, an origin and a block of units; picklable, and the same wherever it runs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.backtests.scoring import score_paths
from escalation.counts import is_histories, is_panel_histories, unit_columns
from escalation.errors import EscalationWarning, FitError, InputError
from escalation.models.base import CountModel
from escalation.models.panel import PanelModel
from escalation.randomness import generator_for

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Task:
    """What one forecast needs, and what came of it.

    Attributes
    ----------
    label : str
        The model's name in this backtest.
    model : CountModel or PanelModel
        Its options.
    origin : str
        The origin's period, as text.
    block : int
        Number of the block of units.
    units : tuple of str
        The units of the block.
    known : pandas.Series or pandas.DataFrame
        The counts, panel or histories known at the origin.
    exposure : pandas.Series, pandas.DataFrame or None
        Their exposure.
    exog : tuple of pandas.DataFrame or None
        Regressors of the known periods and of the steps.
    gap : int
        Periods before the origin that were not known yet.
    truth : (histories, steps, units) float array
        What came, NaN where not observed.
    leads : tuple of int
        Steps to score, counted from 1.
    draws : int
        Paths.
    thresholds : tuple of int
        Counts whose probability of being reached is kept.
    root : int
        What the generators are made from.
    """

    label: str
    model: CountModel | PanelModel
    origin: str
    block: int
    units: tuple[str, ...]
    known: pd.Series | pd.DataFrame = field(repr=False)
    exposure: pd.Series | pd.DataFrame | None = field(repr=False)
    exog: tuple[pd.DataFrame, pd.DataFrame] | None = field(repr=False)
    gap: int
    truth: FloatArray = field(repr=False)
    leads: tuple[int, ...]
    draws: int
    thresholds: tuple[int, ...]
    root: int

    @property
    def key(self) -> str:
        """What tells this task from all others of the backtest."""
        return f"{self.label}|{self.origin}|{self.block}"


@dataclass(frozen=True, eq=False)
class Part:
    """What became of one task.

    Attributes
    ----------
    label, origin, block, units
        Those of the task.
    scores : dict of (units, histories, leads) float array
        By name of the score, and ``observed``; NaN where not observed or where the model failed.
    failures : dict of str to str
        Units that could not be fitted, and why.
    """

    label: str
    origin: str
    block: int
    units: tuple[str, ...]
    scores: dict[str, FloatArray] = field(repr=False)
    failures: dict[str, str]

    @property
    def key(self) -> str:
        """That of the task."""
        return f"{self.label}|{self.origin}|{self.block}"


def run_task(task: Task) -> Part:
    """Fit, forecast and score; a unit that cannot be fitted is named and the others go on."""
    columns = np.asarray(task.leads) - 1
    scored: list[dict[str, FloatArray]] = []
    paths, failures = _paths(task)
    for place, unit in enumerate(task.units):
        truth = task.truth[:, columns, place]
        known = paths.get(unit)
        if known is None:  # scored as not observed
            known, truth = np.zeros((1, len(columns)), dtype=np.int64), np.full_like(truth, np.nan)
        else:
            known = known[:, task.gap + columns]
        scored.append({"observed": truth, **score_paths(known, truth, task.thresholds)})
    scores = {name: np.stack([one[name] for one in scored]) for name in scored[0]}
    return Part(task.label, task.origin, task.block, task.units, scores, failures)


def _paths(task: Task) -> tuple[dict[str, NDArray[np.int64]], dict[str, str]]:
    """Paths (draws, steps) by unit, and why there are none for others."""
    steps = task.gap + task.truth.shape[1]
    exog, ahead = task.exog or (None, None)
    found: dict[str, NDArray[np.int64]] = {}
    failures: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        if isinstance(task.model, PanelModel):
            rng = generator_for(task.root, f"{task.label}|{task.origin}")
            try:
                fit = task.model.fit(pd.DataFrame(task.known), exposure=task.exposure, exog=exog)
                forecast = fit.forecast(steps, draws=task.draws, exog=ahead, rng=rng)
            except (FitError, InputError) as error:
                return found, dict.fromkeys(task.units, str(error))
            return dict(zip(forecast.units, forecast.paths, strict=True)), failures
        for unit in task.units:
            rng = generator_for(task.root, f"{task.label}|{task.origin}|{unit}")
            shares = task.exposure
            if isinstance(shares, pd.DataFrame):
                shares = shares.iloc[:, unit_columns(shares).index(unit)]
            try:
                one = task.model.fit(_column(task.known, unit), exposure=shares, exog=exog)
                found[unit] = one.forecast(steps, draws=task.draws, exog=ahead, rng=rng).paths
            except (FitError, InputError) as error:
                failures[unit] = str(error)
    return found, failures


def _column(known: pd.Series | pd.DataFrame, unit: str) -> pd.Series | pd.DataFrame:
    """Counts, or histories, of one unit."""
    if isinstance(known, pd.Series) or is_histories(known):
        return known
    own = known.loc[:, [name == unit for name in unit_columns(known)]]
    if not is_panel_histories(known):
        return own.iloc[:, 0]
    return own.set_axis(own.columns.get_level_values(-1), axis=1)
