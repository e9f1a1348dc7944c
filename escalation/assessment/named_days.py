"""Named calendars in the answers: feasts and public holidays as regressors, and how many times as many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.assessment.answer import Answer
from escalation.conventions.wording import plain
from escalation.counts.calendars import calendar_columns, calendar_spans, check_different
from escalation.counts.series import CountSeries
from escalation.errors import InputError
from escalation.models.contract.base import CountFit
from escalation.models.registry import get_model


@dataclass(frozen=True)
class CalendarEffect:
    """How many times as many there are on the days of a calendar as on others.

    Attributes
    ----------
    calendar : str
        Its name.
    value, lower, upper : float
        The factor and its interval, > 0.
    level : float
        Probability of the interval.
    """

    calendar: str
    value: float
    lower: float
    upper: float
    level: float

    def sentence(self) -> str:
        """Say what the factor is, and whether it may be none."""
        doubt = ", which may be none" if self.lower <= 1.0 <= self.upper else ""
        return (
            f"On days of {self.calendar} there are {plain(self.value)} times as many as otherwise ({self.level:.0%} "
            f"interval {plain(self.lower)} to {plain(self.upper)}){doubt}; forecasts allow for it."
        )

    def answer(self) -> Answer:
        """The factor, under ``effect_of_`` and the name of the calendar."""
        key = f"effect_of_{self.calendar.casefold().replace('-', '_')}"
        return Answer(key, f"effect of {self.calendar}", self.value, self.lower, self.upper, "times")


def check_calendars(calendars: Sequence[str], model: str) -> None:
    """Refuse calendars that there are not, that are named twice, or that the model cannot take.

    Raises
    ------
    InputError
        If so, or the package of a calendar is not installed.
    """
    check_different(calendars)
    for name in calendars:
        calendar_spans(name, "2024-01-01", "2024-12-31")
    if calendars and not get_model(model).takes_exog:
        raise InputError(f"the model {model} takes no calendars; leave them out, or choose another model")


def check_days(series: CountSeries, calendars: Sequence[str]) -> None:
    """Refuse calendars of which the series has no day, or no other.

    Raises
    ------
    InputError
        If so.
    """
    for name, shares in calendar_columns(series.periods, calendars).items():
        if shares.max() == shares.min():
            first, last = series.periods[0].start_time.date(), series.periods[-1].end_time.date()
            raise InputError(
                f"the days of {name} are no part of {first} to {last} that could be set against the others; leave it "
                "out, or give a longer series"
            )


def calendar_exog(series: CountSeries, calendars: Sequence[str], model: str) -> pd.DataFrame | None:
    """Regressors of the periods of a series; none without calendars, or for a model that takes none."""
    return calendar_columns(series.periods, calendars) if calendars and get_model(model).takes_exog else None


def exog_ahead(fit: CountFit, calendars: Sequence[str], steps: int) -> pd.DataFrame | None:
    """Regressors of the periods that a fit with some of them is to forecast."""
    if not fit.design.exog_names:
        return None
    return calendar_columns(fit.design.periods, calendars, ahead=steps).iloc[-steps:]


def calendar_effects(fit: CountFit, calendars: Sequence[str], level: float) -> Iterator[CalendarEffect]:
    """The factor of each calendar that a fit has."""
    spans = fit.conf_int(level)
    for name in calendars:
        if name in fit.params.index:
            value, lower, upper = np.exp([fit.params[name], *spans.loc[name]]).tolist()
            yield CalendarEffect(name, value, lower, upper, level)
