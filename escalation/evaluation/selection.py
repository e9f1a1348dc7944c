"""Choose a count model by how well it would have forecast the series so far."""

from __future__ import annotations

import html
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from escalation.conventions.notebook import table_html
from escalation.conventions.progress import Progress
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.schema import check_counts
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import FitError, InputError
from escalation.evaluation.result import Backtest
from escalation.evaluation.run import backtest
from escalation.models.contract.base import CountFit, CountModel
from escalation.models.registry import every_model

CRITERIA = {"log_score": "log score", "crps": "CRPS", "crps_log1p": "CRPS of log(1 + count)"}
BASELINE = "climatology"


@dataclass(frozen=True, eq=False)
class Choice:
    """A model chosen by its forecasts from past origins.

    Attributes
    ----------
    model : CountModel
        The one with the smallest mean score.
    fit : CountFit
        Its fit to all counts.
    scores : pandas.DataFrame
        One row a model, best first: ``log_score``, ``crps``, ``crps_log1p``, coverage of 50% and 90% intervals, and
        ``difference`` to climatology in the criterion with its 95% interval ``lower`` to ``upper`` and ``verdict``.
    criterion : str
        The score that decided.
    backtest : Backtest
        Every score.
    """

    model: CountModel
    fit: CountFit = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    criterion: str
    backtest: Backtest = field(repr=False)

    def sentence(self) -> str:
        """Say which model was chosen, and whether it is known to be better than climatology."""
        origins = self.backtest.scores["origin"].nunique()
        head = (
            f"Of {len(self.scores)} models {self.model.name} had the smallest {CRITERIA[self.criterion]} "
            f"({self.scores[self.criterion].iloc[0]:.3g}) in forecasts from {origins} past origins"
        )
        failed = sorted(set(self.backtest.failures["model"]))
        left = f" Left out, for they could not be fitted at every origin: {', '.join(failed)}." if failed else ""
        if self.model.name == BASELINE or "verdict" not in self.scores:
            return f"{head}.{left}"
        verdict = self.scores["verdict"].iloc[0]
        verb = "is better than" if verdict == "better" else "cannot be distinguished from"
        return f"{head}; it {verb} {BASELINE} there.{left}"

    def table(self) -> pd.DataFrame:
        """``scores``."""
        return self.scores

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>{table_html(self.scores.round(3))}"


def auto_model(
    counts: CountsLike,
    *,
    criterion: Literal["log_score", "crps", "crps_log1p"] = "log_score",
    models: Sequence[CountModel] | None = None,
    origins: int | None = None,
    horizon: int = 4,
    exposure: pd.Series | None = None,
    draws: int = 1000,
    executor: Executor | None = None,
    progress: Progress = False,
    unit: str | None = None,
    rng: Seed = None,
) -> Choice:
    """Choose among models by their scores in forecasts from past origins, never by how well they fit.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex``, or histories of it.
    criterion : {"log_score", "crps", "crps_log1p"}
        The score to choose by.
    models : sequence of CountModel, optional
        Candidates with different names; every registered model with its default options when left
        out, those of other packages too.
    origins : int, optional
        Past origins, the last of the series; a third of the periods, 8 to 24, when left out.
    horizon : int
        Periods ahead that are scored.
    exposure : pandas.Series, optional
        Share of each period that was covered; what the series brings, or all 1, when left out.
    draws : int
        Paths of each forecast.
    executor, progress
        As in :func:`escalation.backtest`.
    unit : str, optional
        What is counted, for sentences and axes; what the series brings, or ``incidents``, when left out.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        If the series is too short, or an option is none of these.
    FitError
        If no model could be fitted at every origin.

    Examples
    --------
    >>> import numpy as np
    >>> from escalation.models.baselines.climatology import Climatology
    >>> from escalation.models.regression.negative_binomial import NegativeBinomial
    >>> weeks = pd.period_range("2022-01-03", periods=80, freq="W-SUN")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(6, 80), index=weeks)
    >>> choice = auto_model(counts, models=(Climatology(4), NegativeBinomial()), rng=1)
    >>> choice.model.name, choice.scores.index.tolist()
    ('negative_binomial', ['negative_binomial', 'climatology'])
    """
    counts, exposure, unit = unpack_counts(counts, exposure, unit)
    table = check_counts(counts)
    if criterion not in CRITERIA:
        raise InputError(f"criterion is {criterion!r}; choose by one of {', '.join(CRITERIA)}")
    candidates = every_model() if models is None else list(models)
    origins = min(24, max(8, len(table) // 3)) if origins is None else origins
    if len(table) < origins + horizon + 5:
        raise InputError(
            f"{len(table)} periods are too few for {origins} past origins of {horizon} steps; ask for fewer origins"
        )
    rng = as_generator(rng)
    result = backtest(
        candidates,
        table,
        origins=origins,
        horizon=horizon,
        exposure=exposure,
        draws=draws,
        executor=executor,
        progress=progress,
        rng=rng,
    )
    failed = set(result.failures["model"])
    kept = [model for model in candidates if model.name not in failed]
    if not kept:
        raise FitError(f"no model could be fitted at every origin: {result.failures['error'].iloc[0]}")
    names = [model.name for model in kept]
    scores = result.table().loc[lambda rows: rows.index.isin(names)]
    columns = ["log_score", "crps", "crps_log1p", "coverage_50%", "coverage_90%"]
    scores = scores[columns].sort_values(criterion, kind="stable")
    if BASELINE in names and len(names) > 1 and origins >= 8:
        own = Backtest(result.scores[result.scores["model"].isin(names)], result.failures)
        against = own.compare(BASELINE, score=criterion, rng=rng)
        scores = scores.join(against[["difference", "lower", "upper", "verdict"]])
    best = next(model for model in kept if model.name == scores.index[0])
    return Choice(best, best.fit(table, exposure=exposure, unit=unit), scores, criterion, result)
