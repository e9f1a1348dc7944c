"""Diagnosis of a fit: where the counts do not follow the distributions of the model, and what to do about it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import BoolArray, FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import period_word
from escalation.errors import FitError, InputError
from escalation.models.diagnostics.distribution_table import ChosenDistributions
from escalation.models.diagnostics.distributions import Distributions
from escalation.models.diagnostics.misfit import (
    ScoreCheck,
    dispersion_test,
    holm,
    judge,
    level_test,
    score_checks,
    shape_test,
    zeros_test,
)
from escalation.models.diagnostics.residuals import autocorrelation, ljung_box, pit_interval, quantile_residuals
from escalation.models.diagnostics.verdict import Evidence, Finding, speak
from escalation.scores.calibration import pit

FEWEST = 10
"""Counts below which dependence is not tested."""

MOST_POINTS = 100
"""Rows of the marginal calibration."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What speaks against a model, from the distribution of each count given those before it.

    The distributions are taken at the estimates, so the figures are in-sample; a model that passes need not forecast
    well.  With histories, figures are means over them and a p-value is that of the median history (Eekhout et al. 2017,
    doi:10.1186/s12874-017-0404-7): at least half of the equally plausible histories speak as clearly.

    Attributes
    ----------
    model : str
        Name of the model.
    unit : str
        What is counted.
    nobs : int
        Counts that were judged.
    residuals : pandas.DataFrame
        Columns ``pearson``, ``quantile``; one row a period, NaN where not observed, where the model says nothing or
        (``pearson``) where its distribution has no variance.  With histories indexed by history and period.
    pit : pandas.Series
        Heights of the non-randomised PIT histogram, 1 where calibrated, by the left edge of each bin.
    marginal : pandas.DataFrame
        Marginal calibration (Gneiting, Balabdaoui & Raftery 2007, doi:10.1111/j.1467-9868.2007.00587.x): share of the
        counts up to ``count`` (index), ``observed``, ``expected``, and their ``difference``.
    acf : pandas.Series
        Autocorrelation of the quantile residuals, by lag; empty where there are fewer than 10 counts.
    tests : pandas.DataFrame
        Rows ``level`` (mean count), ``dispersion`` (Pearson's statistic over the number of counts), ``zeros`` (their
        number), ``dependence`` (Ljung-Box statistic), ``shape`` (larger mean of the third and fourth Legendre
        polynomial of the PIT); columns ``observed``, ``expected``, ``p_value``, and ``p_holm``, adjusted for their
        number.
    scores : pandas.DataFrame
        Rows ``log_score``, ``rps`` (ranked probability), ``dss`` (Dawid & Sebastiani), lower is better; columns
        ``mean``, ``expected`` under the model, ``z`` and ``p_value`` of the difference (calibration tests of Wei & Held
        2014, doi:10.1007/s11749-014-0380-8).  Not part of the verdict.  ``log_score`` is infinite where the model had
        held a count for impossible; ``dss`` is missing where no distribution has a variance.
    impossible : int
        Counts that had probability 0 under the model, in the worst history.
    verdict : tuple of str
        What is wrong with the model, one sentence each; one that says so if nothing is.
    fine : bool
        Whether nothing is.
    """

    model: str
    unit: str
    nobs: int
    residuals: pd.DataFrame = field(repr=False)
    pit: pd.Series = field(repr=False)
    marginal: pd.DataFrame = field(repr=False)
    acf: pd.Series = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    impossible: int
    verdict: tuple[str, ...]
    fine: bool

    def sentences(self) -> list[str]:
        """Say in plain words what is wrong with the model, or that nothing is."""
        return list(self.verdict)

    def table(self) -> pd.DataFrame:
        """Tests and scores in one table: ``observed``, ``expected``, ``p_value``, ``p_holm`` (NaN for scores)."""
        scores = self.scores.rename(columns={"mean": "observed"}).drop(columns="z")
        return pd.concat([self.tests, scores.assign(p_holm=np.nan)])

    def _repr_html_(self) -> str:
        head = f"<b>Diagnosis</b> of {html.escape(self.model)} on {self.nobs:,} counts of {html.escape(self.unit)}"
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.verdict)
        return f"{head}<ul>{items}</ul>" + table_html(self.table().round(4), na_rep="")


@dataclass(frozen=True, eq=False)
class _Part:
    """The figures of one history."""

    residuals: FloatArray
    pit: FloatArray
    acf: FloatArray
    tests: dict[str, Finding]
    scores: dict[str, ScoreCheck]
    impossible: int
    overdispersed: bool


def diagnose(
    distributions: Sequence[Distributions],
    counts: FloatArray,
    periods: pd.PeriodIndex,
    *,
    model: str,
    unit: str = "incidents",
    confidence: float = 0.95,
    lags: int = 10,
    bins: int = 10,
    residuals: Literal["mid", "randomised"] = "mid",
    rng: Seed = None,
) -> Diagnosis:
    """Diagnose a model from the distributions of its counts.

    Parameters
    ----------
    distributions : sequence of Distributions
        One a history; one in all for exact counts.
    counts : (n, len(distributions)) float array
        The counts, NaN where not observed.
    periods : pandas.PeriodIndex
        The n periods.
    model, unit : str
        For sentences.
    confidence, lags, bins, residuals, rng
        As in :meth:`CountFit.diagnose`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InputError
        If an option is out of range.
    FitError
        If the model gives no observed count a distribution.
    """
    check_level(confidence, "confidence", such=0.95)
    lags, bins = check_whole(lags, "lags", 1000), check_whole(bins, "bins", 1000)
    if residuals not in ("mid", "randomised"):
        raise InputError(f"residuals is {residuals!r}; use 'mid' or 'randomised'")
    generator = as_generator(rng) if residuals == "randomised" else None
    judged = _judged(distributions, counts)
    if not judged.any():
        raise FitError(f"{model} gives none of these counts a distribution (nothing before them); use a longer series")
    n = int(judged.sum())
    lags = min(lags, n // 5) if n >= FEWEST else 0
    parts = []
    for distribution, y in zip(distributions, counts.T, strict=True):
        where = 0.5 if generator is None else generator.random(len(y))
        parts.append(_one(distribution, y, judged, where, lags, bins))
    tests = _tests([part.tests for part in parts])
    acf = np.mean([part.acf for part in parts], axis=0)
    impossible = max(part.impossible for part in parts)
    adjusted = {str(name): Finding(row["observed"], row["expected"], row["p_holm"]) for name, row in tests.iterrows()}
    overdispersed = all(part.overdispersed for part in parts)
    evidence = Evidence(adjusted, acf, n, impossible, overdispersed, period_word(periods.freqstr))
    verdict, fine = speak(evidence, confidence)
    return Diagnosis(
        model=model,
        unit=unit,
        nobs=n,
        residuals=_residual_frame([part.residuals for part in parts], periods),
        pit=pd.Series(
            np.mean([part.pit for part in parts], axis=0),
            index=pd.Index(np.linspace(0, 1, bins + 1)[:-1], name="from"),
            name="density",
        ),
        marginal=_marginal(distributions, counts, judged),
        acf=pd.Series(acf, index=pd.RangeIndex(1, lags + 1, name="lag"), name="acf"),
        tests=tests,
        scores=_scores([part.scores for part in parts]),
        impossible=impossible,
        verdict=verdict,
        fine=fine,
    )


def diagnosis_table(found: Mapping[str, Diagnosis | str], confidence: float) -> pd.DataFrame:
    """Diagnoses of several units in one table, one row a unit.

    A unit is spoken against where its least p-value, adjusted for its own tests and then by Holm's method for the
    number of units, is at most ``1 - confidence``.  A text stands for a unit that could not be diagnosed.
    """
    known = {name: one for name, one in found.items() if isinstance(one, Diagnosis)}
    rows = pd.DataFrame.from_dict({name: _row(one) for name, one in known.items()}, orient="index")
    if known:
        rows["p_holm"] = holm(np.array([one.tests["p_holm"].min() for one in known.values()]))
        rows["fine"] = (rows["p_holm"] > 1 - confidence) & (rows["impossible"] == 0)
        rows["verdict"] = [
            f"nothing that stands out among {len(known):,} units" if fine else "; ".join(one.verdict)
            for one, fine in zip(known.values(), rows["fine"], strict=True)
        ]
    rows = rows.reindex(list(found))
    for name, one in found.items():
        if isinstance(one, str):
            rows.loc[name, "verdict"] = one
    return rows.rename_axis("unit")


def _row(found: Diagnosis) -> dict[str, float]:
    """Figures of one unit."""
    tests, scores = found.tests, found.scores["mean"]
    return {
        "nobs": found.nobs,
        "dispersion": tests["observed"]["dispersion"],
        "zeros": tests["observed"]["zeros"],
        "zeros_expected": tests["expected"]["zeros"],
        **{f"p_{name}": value for name, value in tests["p_value"].items()},
        "log_score": scores["log_score"],
        "rps": scores["rps"],
        "impossible": found.impossible,
    }


def _judged(distributions: Sequence[Distributions], counts: FloatArray) -> BoolArray:
    """Which periods (n,) have a count and a distribution in every history."""
    known = [~np.isnan(distribution.cdf(y)) for distribution, y in zip(distributions, counts.T, strict=True)]
    return np.asarray(np.all(known, axis=0), dtype=np.bool_)


def _one(
    distributions: Distributions,
    y: FloatArray,
    judged: BoolArray,
    where: FloatArray | float,
    lags: int,
    bins: int,
) -> _Part:
    """Figures of one history."""
    below, upto = pit_interval(distributions, y)
    variance = np.where(judged & (distributions.variance > 0), distributions.variance, np.nan)
    pearson = (y - distributions.mean) / np.sqrt(variance)
    quantile = np.where(judged, quantile_residuals(below, upto, where), np.nan)
    middle = np.where(judged, quantile_residuals(below, upto, 0.5), np.nan)
    ready = judge(ChosenDistributions(distributions, np.flatnonzero(judged), len(y)), y[judged])
    tests = {
        "level": level_test(ready),
        "dispersion": dispersion_test(ready),
        "zeros": zeros_test(ready),
        "shape": shape_test(ready),
    }
    if lags:
        statistic, p_value = ljung_box(middle, lags)
        tests["dependence"] = Finding(statistic, float(lags), p_value)
    return _Part(
        residuals=np.column_stack([pearson, quantile]),
        pit=pit(below[judged], upto[judged], bins=bins),
        acf=autocorrelation(middle, lags)[0],
        tests=tests,
        scores=score_checks(ready),
        impossible=int((ready.distributions.pmf(ready.y) == 0).sum()),
        overdispersed=bool((ready.variance > 1.001 * ready.mean).any()),
    )


def _tests(parts: Sequence[dict[str, Finding]]) -> pd.DataFrame:
    """One row a test; means over the histories, p-values of the median one, adjusted for their number."""
    rows = {
        name: (
            float(np.mean([part[name].observed for part in parts])),
            float(np.mean([part[name].expected for part in parts])),
            float(np.median([part[name].p_value for part in parts])),
        )
        for name in parts[0]
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["observed", "expected", "p_value"])
    table["p_holm"] = holm(table["p_value"].to_numpy())
    return table


def _scores(parts: Sequence[dict[str, ScoreCheck]]) -> pd.DataFrame:
    """One row a score; means over the histories, the p-value that of the median one."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    rows = {name: [*np.mean([part[name][:3] for part in parts], axis=0)] for name in names}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "expected", "z"])
    return table.assign(p_value=[float(np.median([part[name].p_value for part in parts])) for name in names])


def _residual_frame(parts: Sequence[FloatArray], periods: pd.PeriodIndex) -> pd.DataFrame:
    """Residuals by period, or by history and period."""
    frames = [pd.DataFrame(part, index=periods, columns=["pearson", "quantile"]) for part in parts]
    return frames[0] if len(frames) == 1 else pd.concat(dict(enumerate(frames)), names=["history", "period"])


def _marginal(distributions: Sequence[Distributions], counts: FloatArray, judged: BoolArray) -> pd.DataFrame:
    """Observed and expected share of the counts up to each of some counts, means over the histories."""
    seen = np.unique(counts[judged])
    points = seen[np.unique(np.linspace(0, len(seen) - 1, min(len(seen), MOST_POINTS)).round().astype(int))]
    observed = (counts[judged][..., None] <= points).mean(axis=(0, 1))
    blank = np.where(judged, 0.0, np.nan)
    expected = [np.mean([np.nanmean(one.cdf(point + blank)) for one in distributions]) for point in points]
    index = pd.Index(points.astype(np.int64), name="count")
    table = pd.DataFrame({"observed": observed, "expected": expected}, index=index)
    return table.assign(difference=table["observed"] - table["expected"])
