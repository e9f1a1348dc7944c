"""Weekday and yearly patterns as a fit found them, in words."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.wording import plain, probability_text
from escalation.errors import InputError
from escalation.models.changing_rate.season import PAIRS, Season
from escalation.models.contract.base import CountFit
from escalation.models.contract.calendar_waves import calendar_waves

LIKELY = 0.5
"""A pattern of at least this probability counts as found."""
WEEK = pd.period_range("2024-01-01", periods=7, freq="D")
YEAR = pd.period_range("2023-01-01", periods=365, freq="D")
MONTHS = pd.period_range("2023-01", periods=12, freq="M")


@dataclass(frozen=True, eq=False)
class FoundSeason:
    """One pattern that repeats.

    Attributes
    ----------
    cycle : {"weekday", "year"}
        What repeats.
    probability : float
        Posterior probability that there is such a pattern.
    factors : pandas.Series
        Rate on each weekday, or in each month, as a multiple of the mean of a week or a year: posterior means, indexed
        by name.
    """

    cycle: Literal["weekday", "year"]
    probability: float
    factors: pd.Series = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Rate on each weekday or in each month: ``factor``, and ``share`` of a week or year."""
        return pd.DataFrame({"factor": self.factors, "share": self.factors / self.factors.sum()})

    def sentence(self) -> str:
        """Say in plain words which weekdays or months are busiest and quietest."""
        high, low = str(self.factors.idxmax()), str(self.factors.idxmin())
        likely = f"the probability of such a pattern is {probability_text(self.probability)}"
        if self.cycle == "weekday":
            share = self.factors / self.factors.sum()
            return f"{high}s carry {share[high]:.0%} of a week, and {low}s {share[low]:.0%}; {likely}."
        return (
            f"{high} is the busiest month, with {plain(self.factors[high])} times the mean of a year, and {low} the "
            f"quietest, with {plain(self.factors[low])} times; {likely}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>{table_html(self.table().round(2))}"


def found_seasons(fit: CountFit) -> tuple[FoundSeason, ...]:
    """Return the weekday and yearly patterns that a fit found.

    Parameters
    ----------
    fit : CountFit
        Of :class:`ChangingRate`.

    Returns
    -------
    tuple of FoundSeason
        Those with a probability of one half or more; over histories it is the mean.

    Raises
    ------
    InputError
        If the fit is of another model.

    Examples
    --------
    >>> from escalation.models import ChangingRate
    >>> days = pd.period_range("2024-01-01", periods=140, freq="D")
    >>> fit = ChangingRate().fit(pd.Series([2, 1, 2, 1, 9, 2, 1] * 20, index=days))
    >>> found_seasons(fit)[0].sentence()[:21]
    'Fridays carry 48% of '
    """
    if fit.model.name != "changing_rate":
        raise InputError(f"the fit is of {fit.model.name}; only changing_rate finds seasons by itself")
    return tuple(_found(fit))


def _found(fit: CountFit) -> Iterator[FoundSeason]:
    monthly = fit.design.periods.freqstr == "M"
    for cycle in PAIRS:
        names = list(WEEK.strftime("%A") if cycle == "weekday" else MONTHS.strftime("%B"))
        probability, mean = 0.0, np.zeros(len(names))
        for estimate in fit.estimates:
            for season, weight in zip(estimate.state["seasons"], estimate.state["weights"], strict=True):
                if season is not None and cycle in season.kinds:
                    share = float(weight) / len(fit.estimates)
                    probability += share
                    mean += share * _factors(season, cycle, monthly)
        if probability >= LIKELY:
            yield FoundSeason(cycle, min(probability, 1.0), pd.Series(mean / probability, index=names, name="factor"))


def _factors(season: Season, cycle: Literal["weekday", "year"], monthly: bool) -> FloatArray:
    """Rates (7,) or (12,) as multiples of their mean."""
    first = sum(2 * PAIRS[kind] for kind in season.kinds[: season.kinds.index(cycle)])
    own = season.coefficients[first : first + 2 * PAIRS[cycle]]
    periods = WEEK if cycle == "weekday" else MONTHS if monthly else YEAR
    rates = np.exp(calendar_waves(periods, cycle, PAIRS[cycle]) @ own)
    if len(rates) == len(YEAR):
        rates = np.bincount(YEAR.month - 1, rates) / np.bincount(YEAR.month - 1)
    value: FloatArray = rates / rates.mean()
    return value
