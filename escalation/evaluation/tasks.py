"""One task of a backtest: a model, an origin and a block of units; picklable, and the same wherever it runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import generator_for
from escalation.counts.schema import is_histories, is_panel_histories, unit_columns
from escalation.errors import EscalationWarning, FitError, InputError
from escalation.evaluation.scoring import recent_level, score_passages, score_paths
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import CountModel, Fit, PanelModel
from escalation.models.contract.many_fits import fit_many


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
    past : (histories, periods, units) float array
        What was up to the origin, as it is known now; of definitions that compare with it.
    truth : (histories, steps, units) float array
        What came, NaN where not observed.
    leads : tuple of int
        Steps to score, counted from 1.
    draws : int
        Paths.
    thresholds : tuple of int
        Counts whose probability of being reached is kept.
    flashpoints : tuple of Flashpoint
        Definitions whose probability of having come to pass by each step is kept.
    root : int
        What the generators are made from.
    shrink : bool
        Whether a model of single series is fitted to each unit with what all of them say as its prior.
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
    past: FloatArray = field(repr=False)
    truth: FloatArray = field(repr=False)
    leads: tuple[int, ...]
    draws: int
    thresholds: tuple[int, ...]
    flashpoints: tuple[Flashpoint, ...]
    root: int
    shrink: bool = False

    @property
    def key(self) -> str:
        """What distinguishes this task from all others of the backtest."""
        return f"{self.label}|{self.origin}|{self.block}"


@dataclass(frozen=True, eq=False)
class Part:
    """What became of one task.

    Attributes
    ----------
    label, origin, block, units
        Those of the task.
    scores : dict of (units, histories, leads) float array
        By name of the score, ``observed`` and ``recent``; NaN where not observed or where the model failed.
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
        """The identity of the task."""
        return f"{self.label}|{self.origin}|{self.block}"


Fits: TypeAlias = dict[tuple[str, ...], Fit]
"""Fits that stand from an earlier origin, by their units."""
Apart: TypeAlias = tuple[tuple[str, ...], pd.Series | pd.DataFrame, pd.Series | pd.DataFrame | None, str]
"""Units that are fitted together, their counts and exposure, and the label of their generator."""


def run_chain(chain: Sequence[Task]) -> Iterator[Part]:
    """Run tasks of one model and block, from later and later origins: fit at the first, then update the fits.

    A unit that could not be fitted is tried again at the next origin.
    """
    fits: Fits = {}
    for task in chain:
        yield run_task(task, fits)


def list_parts(chain: Sequence[Task]) -> list[Part]:
    """All parts of :func:`run_chain`, as an executor can send them."""
    return list(run_chain(chain))


def run_task(task: Task, fits: Fits) -> Part:
    """Fit, or update what stands in ``fits`` forecast and score; a unit that cannot be is named."""
    columns = np.asarray(task.leads) - 1
    scored: list[dict[str, FloatArray]] = []
    forecasts, failures = _forecasts(task, fits)
    for place, unit in enumerate(task.units):
        truth = task.truth[:, columns, place]
        forecast = forecasts.get(unit)
        if forecast is None:  # scored as not observed
            paths, truth = np.zeros((1, len(columns)), dtype=np.int64), np.full_like(truth, np.nan)
        else:
            paths = forecast.series_paths[:, task.gap + columns]
        passages = score_passages(forecast, task.gap, task.past[..., place], task.truth[..., place], task.flashpoints)
        scored.append(
            {
                "observed": truth,
                "recent": np.full(truth.shape, recent_level(_column(task.known, unit))),
                **score_paths(paths, truth, task.thresholds),
                **{name: values[:, columns] for name, values in passages.items()},
            }
        )
    scores = {name: np.stack([one[name] for one in scored]) for name in scored[0]}
    return Part(task.label, task.origin, task.block, task.units, scores, failures)


def _forecasts(task: Task, fits: Fits) -> tuple[dict[str, Forecast], dict[str, str]]:
    """Forecasts by unit, and why there are none for others."""
    steps = task.gap + task.truth.shape[1]
    exog, ahead = task.exog or (None, None)
    found: dict[str, Forecast] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        anew, failures = _fitted_together(task, fits)
        for units, counts, shares, label in _fitted_apart(task):
            if units[0] in failures:
                continue
            try:
                if units in anew:
                    fits[units] = anew[units]
                else:
                    fit = fits[units].update if units in fits else task.model.fit
                    fits[units] = fit(counts, exposure=shares, exog=exog)
                rng = generator_for(task.root, label)
                forecast = fits[units].forecast(steps, draws=task.draws, exog=ahead, rng=rng)
            except (FitError, InputError) as error:
                failures |= dict.fromkeys(units, str(error))
            else:
                found |= {unit: forecast[own] for unit, own in zip(units, forecast.units, strict=True)}
    return found, failures


def _fitted_together(task: Task, fits: Fits) -> tuple[Fits, dict[str, str]]:
    """Fits that lean on one another, of the units without one yet, and why there are none for others."""
    missing = {unit for unit in task.units if (unit,) not in fits}
    if not task.shrink or not missing:
        return {}, {}
    assert isinstance(task.model, CountModel)
    try:
        exog = task.exog[0] if task.exog else None
        many = fit_many(task.model, pd.DataFrame(task.known), exposure=task.exposure, exog=exog, shrink=True)
    except (FitError, InputError) as error:
        return {}, dict.fromkeys(missing, str(error))
    errors = dict(zip(many.failures["unit"], many.failures["error"], strict=True))
    return (
        {(unit,): fit for unit, fit in many.fits.items() if unit in missing},
        {unit: error for unit, error in errors.items() if unit in missing},
    )


def _fitted_apart(task: Task) -> Iterator[Apart]:
    """All units for a model of several, else each by itself."""
    label = f"{task.label}|{task.origin}"
    if isinstance(task.model, PanelModel):
        yield task.units, pd.DataFrame(task.known), task.exposure, label
        return
    for unit in task.units:
        shares = task.exposure
        if isinstance(shares, pd.DataFrame):
            shares = shares.iloc[:, unit_columns(shares).index(unit)]
        yield (unit,), _column(task.known, unit), shares, f"{label}|{unit}"


def _column(known: pd.Series | pd.DataFrame, unit: str) -> pd.Series | pd.DataFrame:
    """Counts, or histories, of one unit."""
    if isinstance(known, pd.Series) or is_histories(known):
        return known
    own = known.loc[:, [name == unit for name in unit_columns(known)]]
    if not is_panel_histories(known):
        return own.iloc[:, 0]
    return own.set_axis(own.columns.get_level_values(-1), axis=1)
