"""The result of a backtest: a tidy table of scores, and what can be said from it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.errors import InputError
from escalation.evaluation.calibration import (
    central_mass,
    events_of,
    overlap_of,
    reliability_points,
    size_classes,
    size_coverage,
)
from escalation.evaluation.comparison import compare_means, diebold_mariano, resample_differences
from escalation.evaluation.score_table import read_scores, write_scores
from escalation.evaluation.scoring import LEVELS
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.scores import brier_decomposition, pit

NEGATIVE = ("crps", "crps_log1p", "log_score", "interval_score_50%", "interval_score_90%")
"""Scores that can be compared: the smaller the better."""


@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """Scores of forecasts from past origins.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row a model, unit, origin, step and history of what came (0 where it is known exactly).  ``observed`` is
        what came, ``recent`` the mean of the last four counts known at the origin, ``mean`` and ``median`` those of the
        forecast; ``crps`` and ``crps_log1p`` (of ``log(1 + count)``),
        ``log_score`` and ``interval_score_<level>`` are the smaller the better; ``inside_<level>`` is 1 where the
        central interval held the count; ``cdf_below`` and ``cdf`` are the forecast's probabilities of less than what
        came, and of it or less; ``reaches_<count>`` that of so many or more.  ``passes_<definition>`` is the
        probability that a flashpoint has come to pass by the step, ``passed_<definition>`` 1 where it had, 0 where not
        and NaN where that is not known, and ``brier_<definition>`` its Brier score.
    failures : pandas.DataFrame
        ``model``, ``unit``, ``origin``, ``error`` of forecasts that could not be made.
    """

    scores: pd.DataFrame = field(repr=False)
    failures: pd.DataFrame = field(repr=False)

    @property
    def models(self) -> list[str]:
        """Names of the models that have scores, in the order of the backtest."""
        return list(self.scores["model"].cat.remove_unused_categories().cat.categories)

    def table(self, by: str | Sequence[str] = "model") -> pd.DataFrame:
        """Mean scores and coverage.

        Parameters
        ----------
        by : str or sequence of str
            Some of ``model``, ``unit``, ``origin``, ``step``.

        Returns
        -------
        pandas.DataFrame
            ``forecasts`` counts the forecasts scored (histories of what came count as one); ``crps`` is in units of
            counts; ``coverage_<level>`` is of all forecasts, ``active_<level>`` of those where something was
            observed.  Sorted by CRPS where ``by`` is the model alone.

        Raises
        ------
        InputError
            If ``by`` names none of these.
        """
        names = _known_names(by)
        scored = self.scores.dropna(subset=["crps"])
        groups = scored.groupby(names, observed=True, sort=True)
        table = groups[list(NEGATIVE)].mean()
        table.insert(0, "forecasts", groups["history"].apply(lambda history: int((history == 0).sum())))
        active = scored[scored["observed"] > 0].groupby(names, observed=True)
        for level in ("50%", "90%"):
            table[f"coverage_{level}"] = groups[f"inside_{level}"].mean()
            table[f"active_{level}"] = active[f"inside_{level}"].mean()
        return table.sort_values("crps", kind="stable") if names == ["model"] else table

    def sentence(self) -> str:
        """Say in plain words which model had the smallest CRPS, and how many counts its intervals held."""
        table = self.table()
        if table.empty:
            return f"None of {len(self.models)} models made a forecast that can be scored."
        best, origins = table.iloc[0], self.scores["origin"].nunique()
        failed = f"; {len(self.failures):,} forecasts could not be made" if len(self.failures) else ""
        return (
            f"Of {len(self.models)} models {table.index[0]} had the smallest mean CRPS ({best['crps']:.3g}), from "
            f"{origins} past origins; its 90% intervals held {best['coverage_90%']:.0%} of the counts{failed}."
        )

    def by_step(self, score: str = "crps") -> pd.DataFrame:
        """Mean score at each step.

        Parameters
        ----------
        score : str
            As in :meth:`compare`.

        Returns
        -------
        pandas.DataFrame
            One row a step, one column a model.

        Raises
        ------
        InputError
            If there is no such score.
        """
        self._check_score(score)
        return self.scores.pivot_table(index="step", columns="model", values=score, observed=True)

    def save(self, path: str | Path) -> None:
        """Write the scores as CSV, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Read again by :meth:`load`, which refuses a file that was changed; failures are not kept.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        write_scores(path, self.scores)

    @classmethod
    def load(cls, path: str | Path) -> Backtest:
        """Read scores that :meth:`save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        FileError
            If there is no such file.
        InputError
            If it is another one, or was changed after it was written.
        """
        return cls(read_scores(path), pd.DataFrame(columns=["model", "unit", "origin", "error"]))

    def compare(
        self,
        baseline: str,
        *,
        score: str = "crps",
        level: float = 0.95,
        resamples: int = 2000,
        rng: Seed = None,
    ) -> pd.DataFrame:
        """Differences to a baseline, with their uncertainty.

        Forecasts of the same units, origins and steps are compared, and only those that all models made.  The
        interval is that of a paired bootstrap: origins are drawn in blocks as long as forecasts overlap
        (Kunsch 1989, doi:10.1214/aos/1176347265), and units one by one (Owen 2007, doi:10.1214/07-AOAS122); where there
        are fewer than eight origins only units are drawn, and where there are fewer than eight units only origins.  Few
        blocks are allowed for: of equal forecasters some 5% are called better or worse.  The interval decides;
        Diebold and Mariano's test stands beside it for those who know it, and with few origins is false in some 10%.

        Parameters
        ----------
        baseline : str
            The model to compare with.
        score : str
            ``crps``, ``crps_log1p``, ``log_score``, ``interval_score_50%``, ``interval_score_90%``, or
            ``brier_<definition>``: that of its having come to pass by each step, the mean over the steps.
        level : float
            Probability of the interval.
        resamples : int
            Bootstrap samples.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        pandas.DataFrame
            One row a model: ``mean``, ``baseline``, ``skill`` (1 - mean / baseline), ``difference`` with ``lower`` and
            ``upper``, Diebold and Mariano's statistic and p-value over the origins (with Harvey, Leybourne and
            Newbold's correction; NaN with fewer than eight origins), and ``verdict``: better or worse where the
            interval leaves out 0, else not distinguishable.

        Raises
        ------
        InputError
            If there is no such model or score, or too few origins and units to draw from.
        """
        self._check_baseline(baseline)
        check_level(level)
        sums, number = self._paired(score)
        overlap = overlap_of(self.scores)
        rows = {}
        for model, rng_ in zip(self.models, as_generator(rng).spawn(len(self.models)), strict=True):
            if model == baseline:
                continue
            difference = sums[model] - sums[baseline]
            samples = resample_differences(difference, number, overlap, resamples, rng_)
            mean, base = (float(sums[name].sum() / number.sum()) for name in (model, baseline))
            rows[model] = compare_means(mean, base, samples, level)
            known = number.sum(axis=1) > 0
            by_origin = difference[known].sum(axis=1) / number[known].sum(axis=1)
            rows[model] |= dict(zip(("dm", "dm_p"), diebold_mariano(by_origin, overlap), strict=True))
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def by_unit(self, baseline: str, *, score: str = "crps") -> pd.DataFrame:
        """Skill and influence of each unit.

        Parameters
        ----------
        baseline : str
            The model to compare with.
        score : str
            As in :meth:`compare`.

        Returns
        -------
        pandas.DataFrame
            Indexed by model and unit: mean ``score``, ``baseline``, ``skill`` (NaN where the baseline's score is 0),
            and ``influence``, the unit's share of the sum of the baseline's scores, largest first.

        Raises
        ------
        InputError
            If there is no such model or score.
        """
        self._check_baseline(baseline)
        sums, number = self._paired(score)
        with np.errstate(invalid="ignore"):
            means = {model: values.sum(axis=0) / number.sum(axis=0) for model, values in sums.items()}
        units = list(self.scores["unit"].cat.categories)
        base, total = means[baseline], sums[baseline].sum(axis=0)
        tables = {}
        for model in self.models:
            if model != baseline:
                with np.errstate(divide="ignore", invalid="ignore"):
                    skill = np.where(base > 0, 1 - means[model] / base, np.nan)
                tables[model] = pd.DataFrame(
                    {score: means[model], "baseline": base, "skill": skill, "influence": total / total.sum()},
                    index=pd.Index(units, name="unit"),
                ).sort_values("influence", ascending=False, kind="stable")
        return pd.concat(tables, names=["model", "unit"])

    def pit(self, bins: int = 10) -> pd.DataFrame:
        """Non-randomised PIT histogram of each model: relative frequencies, 1 in every bin where it is calibrated.

        Parameters
        ----------
        bins : int
            Of equal width.

        Returns
        -------
        pandas.DataFrame
            One row a bin (its left edge), one column a model (Czado, Gneiting & Held 2009,
            doi:10.1111/j.1541-0420.2009.01191.x).
        """
        scored = self.scores.dropna(subset=["cdf"])
        edges = pd.Index(np.arange(bins) / bins, name="pit")
        return pd.DataFrame(
            {
                model: pit(rows["cdf_below"].to_numpy(), rows["cdf"].to_numpy(), bins=bins)
                for model, rows in scored.groupby("model", observed=True)
            },
            index=edges,
        )

    def calibration(
        self,
        *,
        by: str | Sequence[str] = "model",
        intervals: Sequence[float] = (0.5, 0.9),
        level: float = 0.95,
        resamples: int = 2000,
        rng: Seed = None,
    ) -> pd.DataFrame:
        """How much of what came lay in central prediction intervals, against the probability that they state.

        The mass of the PIT between their ends is taken (:func:`escalation.scores.pit_coverage`), because a closed
        interval of whole numbers holds more than it states where counts are small; ``coverage_<level>`` of
        :meth:`table` is of closed ones.  Its interval is that of :meth:`compare`: origins are drawn in blocks, and
        units.

        Parameters
        ----------
        by : str or sequence of str
            As in :meth:`table`.
        intervals : sequence of float
            Probabilities that central intervals state.
        level : float
            Probability of the interval of the mass.
        resamples : int
            Bootstrap samples.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        pandas.DataFrame
            Indexed by what ``by`` names and ``interval``: number of ``forecasts``; ``mass`` with ``lower`` and
            ``upper`` (NaN with fewer than eight origins and units), masses ``below`` and ``above`` the interval; and
            ``verdict``: the interval holds less or more than it states, or is not distinguishable from one that holds
            just that.  One that holds less may be too narrow or in the wrong place: then one side has most.

        Raises
        ------
        InputError
            If an option is out of range.
        """
        names = _known_names(by)
        check_level(level)
        scored = self.scores.dropna(subset=["cdf"])
        rows, generator = {}, as_generator(rng)
        for key, own in scored.groupby(names, observed=True, sort=True):
            for nominal in intervals:
                rows[*key, nominal] = central_mass(own, check_level(nominal), level, resamples, generator)
        index = pd.MultiIndex.from_tuples(list(rows), names=[*names, "interval"])
        return pd.DataFrame(list(rows.values()), index=index)

    def coverage_by_size(
        self, *, edges: Sequence[int] = (1, 3, 10, 30), interval: float = 0.9, level: float = 0.95
    ) -> pd.DataFrame:
        """How much of what came lay in central prediction intervals, by how large counts were before the forecast.

        Classes are of the mean of the last four counts known at the origin, rounded up, so that 0 means that all four
        were 0.  They are not of what came: right forecasts of what came out large were mostly too low, and of what came
        out small too high, so that classes of the outcome make them look wrong.  Forecasts from origins at which no
        count was known are in no class.

        Parameters
        ----------
        edges : sequence of int
            The lowest count of each class after the first, which begins with 0.
        interval : float
            Probability that the central intervals state: 0.5 or 0.9.
        level : float
            Probability of the interval of the mass.

        Returns
        -------
        pandas.DataFrame
            Indexed by model and ``recent``, the classes that hold any: number of ``forecasts``; ``inside``, the share
            in closed intervals, whose mean over all forecasts is ``coverage_<level>`` of :meth:`table`; ``mass`` of the
            PIT between their ends, as in :meth:`calibration`, with ``lower`` and ``upper``, Wilson's interval for the
            number of ``independent`` forecasts, which is found as in :meth:`reliability`.

        Raises
        ------
        InputError
            If an option is out of range, or the backtest is an older one that kept no recent counts.
        """
        size_classes(edges)
        check_level(level)
        if interval not in LEVELS:
            raise InputError(f"interval is {interval!r}; the backtest kept those of {', '.join(map(str, LEVELS))}")
        if "recent" not in self.scores:
            raise InputError("the backtest kept no recent counts; run it again with this version")
        scored = self.scores.dropna(subset=["cdf", "recent"])
        tables = {
            model: size_coverage(own, edges, interval, level) for model, own in scored.groupby("model", observed=True)
        }
        if not tables:
            raise InputError("no forecast of the backtest can be scored; choose origins with counts before and after")
        return pd.concat(tables, names=["model"])

    def reliability(
        self, at_least: int | str | Flashpoint, bins: int = 10, *, within: int | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """Forecast probabilities of a count of ``at_least`` in a period, or of a flashpoint, against how often it came.

        Parameters
        ----------
        at_least : int, str or Flashpoint
            One of the backtest's thresholds, or of its definitions.
        bins : int
            Of equal width, of probability.
        within : int, optional
            Steps by which a flashpoint has come to pass, one of those scored; the last when left out.
        level : float
            Probability of the interval of the frequency.

        Returns
        -------
        pandas.DataFrame
            Indexed by model and bin that holds any, numbered in rising order: the probabilities ``above`` and ``upto``
            that it lies between, number of ``forecasts``, mean ``probability``, ``frequency`` with ``lower`` and
            ``upper``, and ``independent``, how many independent forecasts those of the bin stand for.

        Raises
        ------
        InputError
            If the backtest has no such threshold or definition, or the step was not scored.

        Notes
        -----
        The interval is Wilson's (doi:10.1080/01621459.1927.10502953) for the number of independent forecasts that
        Kish's design effect leaves of those of the bin.  What comes after neighbouring origins, and in one unit, is
        alike: the correlations within blocks of as many periods as there are steps, and within units, are estimated
        over all bins.  Where all forecasts are of one block or unit its correlation cannot be seen and is left out.
        Dean & Pagano 2015 (doi:10.1093/jssam/smv024) compare such intervals; the bars of Broecker & Smith 2007
        (doi:10.1175/WAF993.1) take all forecasts as independent, which overlapping ones are not.
        """
        check_level(level)
        curves = {
            model: reliability_points(own, bins, level)
            for model, own in self.events(at_least, within=within).groupby("model", observed=True)
        }
        return pd.concat(curves, names=["model"])

    def brier(self, at_least: int | str | Flashpoint, *, within: int | None = None) -> pd.DataFrame:
        """Brier score of the probability of a count of ``at_least`` in a period, or of a flashpoint, and its parts.

        Parameters
        ----------
        at_least, within
            As in :meth:`reliability`.

        Returns
        -------
        pandas.DataFrame
            One row a model: ``brier`` = ``reliability`` - ``resolution`` + ``uncertainty`` + ``within_bin`` (Murphy
            1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2).

        Raises
        ------
        InputError
            If the backtest has no such threshold or definition, or the step was not scored.
        """
        rows = {}
        for model, own in self.events(at_least, within=within).groupby("model", observed=True):
            rows[model] = asdict(brier_decomposition(own["probability"], own["came"]))
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def events(self, at_least: int | str | Flashpoint, *, within: int | None = None) -> pd.DataFrame:
        """Probabilities of an event, and whether it came.

        Parameters
        ----------
        at_least, within
            As in :meth:`reliability`.

        Returns
        -------
        pandas.DataFrame
            ``model``, ``unit``, ``origin``, ``step``, ``period``, ``history``, ``probability``, and ``came`` (1 or 0)
            where that is known.

        Raises
        ------
        InputError
            If the backtest has no such threshold or definition, or the step was not scored.
        """
        return events_of(self.scores, at_least, within)

    def _check_score(self, score: str) -> None:
        if score not in NEGATIVE and not (str(score).startswith("brier_") and score in self.scores):
            known = [name for name in map(str, self.scores.columns) if name.startswith("brier_")]
            raise InputError(f"score is {score!r}; compare by one of {', '.join([*NEGATIVE, *known])}")

    def _check_baseline(self, baseline: str) -> None:
        if baseline not in self.models:
            raise InputError(f"baseline is {baseline!r}; the backtest has {', '.join(self.models)}")

    def _paired(self, score: str) -> tuple[dict[str, FloatArray], FloatArray]:
        """Sums of the scores of each origin and unit over what all models forecast, and how many they are.

        All are (origins, units); histories of what came are averaged over.
        """
        self._check_score(score)
        index = ["origin", "unit", "step", "history"]
        wide = self.scores.pivot_table(index=index, columns="model", values=score, observed=True, dropna=False).dropna()
        if wide.empty:
            raise InputError("there is no forecast that all models made and that can be scored")
        names, histories = list(wide.columns), self.scores["history"].nunique()
        table = (
            wide.assign(number=1.0)
            .reset_index()
            .pivot_table(index="origin", columns="unit", values=[*names, "number"], aggfunc="sum", observed=False)
        )
        sums = {str(name): table[name].fillna(0.0).to_numpy(dtype=float) / histories for name in names}
        return sums, table["number"].fillna(0.0).to_numpy(dtype=float) / histories

    def __repr__(self) -> str:
        origins, units = self.scores["origin"].nunique(), self.scores["unit"].nunique()
        return f"Backtest({', '.join(self.models)}; {origins} origins, {units} units)"

    def _repr_html_(self) -> str:
        origins, units = self.scores["origin"].nunique(), self.scores["unit"].nunique()
        failed = f"; {len(self.failures)} forecasts could not be made" if len(self.failures) else ""
        head = f"<b>Backtest</b> of {html.escape(', '.join(self.models))}: {origins} origins, {units} units{failed}"
        return head + table_html(self.table().round(3))


def _known_names(by: str | Sequence[str]) -> list[str]:
    """Names of columns to group by."""
    names = [by] if isinstance(by, str) else list(by)
    if not names or not set(names) <= {"model", "unit", "origin", "step"}:
        raise InputError(f"by is {by!r}; give some of model, unit, origin, step")
    return names
