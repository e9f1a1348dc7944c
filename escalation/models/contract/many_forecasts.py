"""Forecasts of many series, of which only summaries are kept."""

from __future__ import annotations

import html
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.progress import Progress
from escalation.conventions.randomness import Seed, as_generator, draw_root
from escalation.counts.schema import LARGEST
from escalation.errors import InputError
from escalation.models.contract.base import POOLED, CountModel
from escalation.models.contract.blocks import run_blocks
from escalation.models.contract.design import Design, FloatArray
from escalation.models.contract.estimate import check_size
from escalation.models.contract.many_fits import SeriesBlock, explained, failure_table, paths_of, series_blocks


@dataclass(frozen=True, eq=False)
class ManyForecasts:
    """Summaries of the forecasts of many series, each by itself.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``unit`` and ``period``; columns ``mean``, one ``q<level>`` a quantile (the smallest count whose
        probability of not being passed is the level) and one ``p_ge_<count>`` a threshold (probability of the count or
        more in that period).
    failures : pandas.DataFrame
        Columns ``unit`` and ``error``, one row a series that could not be fitted or forecast.
    model : str
        Name of the model.
    unit : str
        What is counted.
    draws : int
        Paths behind each row.
    """

    table: pd.DataFrame = field(repr=False)
    failures: pd.DataFrame = field(repr=False)
    model: str
    unit: str
    draws: int

    def _repr_html_(self) -> str:
        units = self.table.index.get_level_values(0).nunique()
        head = (
            f"<b>Forecasts</b> of {html.escape(self.unit)} in {units:,} units by {html.escape(self.model)}, "
            f"{self.draws:,} paths each; {len(self.failures):,} failed"
        )
        return head + self.table.round(3).to_html(max_rows=30)


def forecast_many(
    model: CountModel,
    panel: pd.DataFrame,
    horizon: int,
    *,
    draws: int = 1000,
    quantiles: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
    thresholds: Sequence[int] = (),
    exposure: pd.Series | pd.DataFrame | None = None,
    exog: pd.DataFrame | None = None,
    exog_ahead: pd.DataFrame | None = None,
    histories: int = POOLED,
    unit: str = "incidents",
    executor: Executor | None = None,
    progress: Progress = False,
    rng: Seed = None,
) -> ManyForecasts:
    """Fit a model to every series of a panel, forecast each, and keep means, quantiles and exceedance probabilities.

    Fits and paths stay where the work is done and only as long as their block takes, so that memory does not grow with
    the number of paths.  The numbers are those of :func:`fit_many` and its forecast with the same ``rng``.

    Parameters
    ----------
    model, panel
        As in :func:`fit_many`.
    horizon : int
        Periods ahead, 1 to 5,000.
    draws : int
        Paths of each unit.
    quantiles : sequence of float
        Levels, 0 to 1.
    thresholds : sequence of int
        Counts >= 1 whose probability of being reached in a period is wanted.
    exposure, exog
        As in :func:`fit_many`.
    exog_ahead : pandas.DataFrame, optional
        Regressors of the coming periods, one row a step; needed with ``exog``.
    histories, unit, executor, progress
        As in :func:`fit_many`.
    rng : int, Generator or None
        Seed or generator; each unit has draws of its own, by its name, whatever the others and the workers.

    Returns
    -------
    ManyForecasts

    Raises
    ------
    InputError
        If an option is out of range, or counts, exposure and regressors do not fit together.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation.models import LastValue
    >>> weeks = pd.period_range("2024-01-07", periods=3, freq="W-SUN")
    >>> panel = pd.DataFrame({"north": [1, 0, 2], "south": [9, 9, 9]}, index=weeks)
    >>> forecast_many(LastValue("none"), panel, 1, draws=10, quantiles=[0.5], thresholds=[5]).table.values.tolist()
    [[2.0, 2.0, 0.0], [9.0, 9.0, 1.0]]
    """
    horizon, draws = check_size(horizon, draws)
    levels = np.asarray(quantiles, dtype=float)
    if levels.ndim != 1 or not ((levels >= 0) & (levels <= 1)).all():
        raise InputError(f"quantiles is {quantiles!r}; give levels between 0 and 1")
    reached = tuple(check_whole(one, "thresholds", LARGEST) for one in thresholds)
    blocks = series_blocks(model, panel, exposure, exog, histories, unit)
    ahead = replace(blocks[0].design, units=()).ahead(horizon, exog_ahead)
    root = draw_root(as_generator(rng))
    tasks = [_Task(block, ahead, draws, root, levels, reached) for block in blocks]
    parts = run_blocks(_summarise_block, tasks, [len(block.design.units) for block in blocks], executor, progress)
    units = [name for part in parts for name in part.units]
    columns = ["mean", *(f"q{level:g}" for level in levels), *(f"p_ge_{count}" for count in reached)]
    return ManyForecasts(
        table=pd.DataFrame(
            np.concatenate([part.rows for part in parts]).reshape(len(units) * horizon, len(columns)),
            index=pd.MultiIndex.from_product([pd.Index(units, dtype="str"), ahead.periods], names=["unit", "period"]),
            columns=columns,
        ),
        failures=failure_table(
            [name for part in parts for name in part.errors], [text for part in parts for text in part.errors.values()]
        ),
        model=model.name,
        unit=unit,
        draws=draws,
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """A block of series, and what to keep of their forecasts."""

    block: SeriesBlock
    ahead: Design
    draws: int
    root: int
    levels: FloatArray
    thresholds: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Summary:
    """What is kept of a block: rows (k, steps, columns) of the units that were forecast, errors of the others."""

    units: tuple[str, ...]
    rows: FloatArray
    errors: dict[str, str]


def _summarise_block(task: _Task) -> _Summary:
    """Fit, forecast and summarise every series of a block."""
    rows: dict[str, FloatArray] = {}
    errors: dict[str, str] = {}
    for place, name in enumerate(task.block.design.units):
        fit = task.block.fit(place)
        if isinstance(fit, str):
            errors[name] = fit
            continue
        try:
            paths = paths_of(fit, name, task.ahead, task.draws, task.root)
        except Exception as error:  # one series must not lose the others
            errors[name] = explained(error)
            continue
        quantiles = np.quantile(paths, task.levels, axis=0, method="inverted_cdf")
        reached = [(paths >= count).mean(axis=0) for count in task.thresholds]
        rows[name] = np.column_stack([paths.mean(axis=0), *quantiles, *reached])
    width = 1 + len(task.levels) + len(task.thresholds)
    values = np.stack(list(rows.values())) if rows else np.empty((0, len(task.ahead.periods), width))
    return _Summary(tuple(rows), values, errors)
