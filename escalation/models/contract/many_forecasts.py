"""Forecasts of many series, of which only summaries are kept."""

from __future__ import annotations

import html
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.progress import Progress
from escalation.conventions.randomness import Seed, as_generator, draw_root
from escalation.counts.histories import POOLED
from escalation.counts.periods import period_word
from escalation.counts.schema import LARGEST
from escalation.errors import InputError
from escalation.forecasts.forecast import with_days
from escalation.models.contract.base import CountModel
from escalation.models.contract.blocks import run_blocks
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import check_size
from escalation.models.contract.many_fits import SeriesBlock, explained, failure_table, merged, paths_of, series_blocks
from escalation.models.contract.shrinking import Evidence, evidence_of, learn_prior


@dataclass(frozen=True, eq=False)
class ManyForecasts:
    """Summaries of the forecasts of many series, each by itself.

    Attributes
    ----------
    summaries : pandas.DataFrame
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

    summaries: pd.DataFrame = field(repr=False)
    failures: pd.DataFrame = field(repr=False)
    model: str
    unit: str
    draws: int

    def sentence(self) -> str:
        """Say in plain words what comes in the first period, in all units together."""
        if self.summaries.empty:
            return f"{self.model} forecasts none of {len(self.failures):,} series of {self.unit}."
        first = self.summaries.index[0][1]
        now = self.summaries.xs(first, level="period")
        text = f"{self.model} expects {now['mean'].sum():,.1f} {self.unit} in {len(now):,} units together"
        failed = f"; {len(self.failures):,} more series could not be forecast" if len(self.failures) else ""
        return f"{text} in the {period_word(first.freqstr)} that ends on {first.end_time.date()}{failed}."

    def table(self) -> pd.DataFrame:
        """``summaries`` after the first and the last day of each period, ``start`` and ``end``."""
        return with_days(self.summaries)

    def _repr_html_(self) -> str:
        units = self.summaries.index.get_level_values(0).nunique()
        head = (
            f"<b>Forecasts</b> of {html.escape(self.unit)} in {units:,} units by {html.escape(self.model)}, "
            f"{self.draws:,} paths each; {len(self.failures):,} failed"
        )
        return head + table_html(self.summaries.round(3), max_rows=30)


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
    shrink: bool = False,
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
    histories, unit, shrink, executor, progress
        As in :func:`fit_many`.
    rng : int, Generator or None
        Seed or generator; each unit has draws of its own, by its name, whatever the others and the workers.

    Returns
    -------
    ManyForecasts

    Raises
    ------
    InputError
        If an option is out of range, counts, exposure and regressors do not fit together, or the model has no
        parameters to shrink.
    FitError
        If ``shrink`` is asked for and fewer than two series can be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation.models import LastValue
    >>> weeks = pd.period_range("2024-01-07", periods=3, freq="W-SUN")
    >>> panel = pd.DataFrame({"north": [1, 0, 2], "south": [9, 9, 9]}, index=weeks)
    >>> forecast_many(LastValue("none"), panel, 1, draws=10, quantiles=[0.5], thresholds=[5]).summaries.values.tolist()
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
    prior = learn_prior(model, _evidence_block, blocks, executor, progress) if shrink else None
    work = partial(
        _summarise_block, prior=prior, ahead=ahead, draws=draws, root=root, levels=levels, thresholds=reached
    )
    found = merged(run_blocks(work, blocks, executor, progress))
    kept = {name: rows for name, rows in found.items() if not isinstance(rows, str)}
    columns = ["mean", *(f"q{level:g}" for level in levels), *(f"p_ge_{count}" for count in reached)]
    return ManyForecasts(
        summaries=pd.DataFrame(
            np.concatenate([np.empty((0, len(columns))), *kept.values()]),
            index=pd.MultiIndex.from_product([pd.Index(kept, dtype="str"), ahead.periods], names=["unit", "period"]),
            columns=columns,
        ),
        failures=failure_table({name: error for name, error in found.items() if isinstance(error, str)}),
        model=model.name,
        unit=unit,
        draws=draws,
    )


def _evidence_block(block: SeriesBlock) -> Evidence:
    """What the counts of each series of a block say."""
    return evidence_of(block.fits())


def _summarise_block(
    block: SeriesBlock,
    *,
    prior: Any,
    ahead: Design,
    draws: int,
    root: int,
    levels: FloatArray,
    thresholds: tuple[int, ...],
) -> dict[str, FloatArray | str]:
    """Fit and forecast every series of a block: what is kept (steps, columns) of each, or why there is nothing."""
    found: dict[str, FloatArray | str] = {}
    for name, fit in block.fits(prior):
        try:
            found[name] = (
                fit if isinstance(fit, str) else _summary(paths_of(fit, name, ahead, draws, root), levels, thresholds)
            )
        except Exception as error:  # one series must not lose the others
            found[name] = explained(error)
    return found


def _summary(paths: NDArray[np.int64], levels: FloatArray, thresholds: tuple[int, ...]) -> FloatArray:
    """Means, quantiles and probabilities of being reached (steps, columns) of paths (draws, steps)."""
    quantiles = np.quantile(paths, levels, axis=0, method="inverted_cdf")
    return np.column_stack([paths.mean(axis=0), *quantiles, *((paths >= count).mean(axis=0) for count in thresholds)])
