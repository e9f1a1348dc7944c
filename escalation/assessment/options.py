"""What an assessment is asked, with the defaults that every way of asking shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from escalation import models
from escalation.analysis.alarms.methods import METHODS
from escalation.assessment.named_days import check_calendars
from escalation.conventions.arguments import check_whole
from escalation.counts.periods import MAX_PERIODS, period_word
from escalation.counts.schema import LARGEST
from escalation.counts.windows import WindowSpec, two_windows, window_slice
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.models.contract.estimate import MAX_STEPS
from escalation.models.registry import DEFAULT, get_model

HORIZON = {"D": 28, "W": 8, "M": 6}
"""Periods ahead, unless asked otherwise."""
RECENT = {"D": 28, "W": 4, "M": 3}
"""Periods that count as now."""
BASELINE = {"D": 182, "W": 26, "M": 12}
"""Periods before them to compare with, as far as there are."""
GROWTH = {"D": 28, "W": 13, "M": 12}
"""Periods that growth is read from."""
MODELS = ("local_level", "negative_binomial", "climatology")
"""Models that stand beside the one that answers."""
FEWEST = 4
"""Periods that an assessment needs."""

Season: TypeAlias = Literal["auto", "none", "weekday", "year"]
Regimes: TypeAlias = Literal["none", "hidden_markov"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked of one series, all worked out; see :func:`escalation.assess` for what each means.

    Attributes
    ----------
    horizon, within, over : int
        Periods ahead that are forecast, in which the flashpoint may fall, and that it sums.
    at_least : int, Flashpoint or None
        The threshold; what the busiest tenth of the windows so far reached where it is None.
    recent, baseline, window : int, slice or tuple
        The windows that are compared, and the one that growth is read from.
    model : str
        Whose forecast the answers use.
    season : {"auto", "none", "weekday", "year"}
        Patterns that the default model looks for.
    calendars : tuple of str
        Named calendars that the models allow for.
    models : tuple of str
        Models that are fitted, that one first.
    level : float
        Probability of intervals.
    draws : int
        Forecast paths of each model.
    regimes : {"none", "hidden_markov"}
        Whether regimes are looked for.
    alarm : str
        Surveillance method of the alarms.
    types : str or None
        Column whose values get a share of lethal attacks each.
    """

    horizon: int
    at_least: int | Flashpoint | None
    over: int
    within: int
    recent: WindowSpec
    baseline: WindowSpec
    window: WindowSpec
    model: str
    season: Season
    calendars: tuple[str, ...]
    models: tuple[str, ...]
    level: float
    draws: int
    regimes: Regimes
    alarm: str
    types: str | None


def fill_windows(
    index: pd.PeriodIndex, recent: WindowSpec | None, baseline: WindowSpec | None, window: WindowSpec | None
) -> tuple[WindowSpec, WindowSpec, WindowSpec]:
    """Fill in the windows that were left out: what counts as now, what it is compared with, what growth is read from.

    Raises
    ------
    InputError
        If a window does not fit these periods, or they are too few.
    """
    kind, n = index.freqstr[0], len(index)
    if n < FEWEST:
        raise InputError(f"the series has {n} {period_word(index.freqstr, n)}; an assessment needs at least {FEWEST}")
    recent = min(RECENT[kind], n // 2) if recent is None else recent
    start = window_slice(index, recent, "recent", n).start
    baseline = max(1, min(BASELINE[kind], start)) if baseline is None else baseline
    window = min(GROWTH[kind], n) if window is None else window
    two_windows(index, recent, baseline)
    window_slice(index, window, "window", n)
    return recent, baseline, window


def check_names(model: str, models: Sequence[str], regimes: str, alarm: str) -> None:
    """Refuse names that nothing has.

    Raises
    ------
    InputError
        If a model, method or option is unknown, or there is no model.
    """
    if isinstance(models, str):
        raise InputError(f"models is {models!r}; give a list of names, or model={models!r} for that one")
    for name in (model, *models):
        get_model(name)
    if regimes not in ("none", "hidden_markov"):
        raise InputError(f"regimes is {regimes!r}; use none or hidden_markov")
    if alarm not in METHODS:
        raise InputError(f"alarm is {alarm!r}; use one of {', '.join(METHODS)}")


def check_question(
    *,
    horizon: int | None = None,
    at_least: int | Flashpoint | None = None,
    over: int = 1,
    within: int | None = None,
    model: str = DEFAULT,
    season: Season = "auto",
    calendars: Sequence[str] = (),
) -> None:
    """Raise what :func:`escalation.assess` would raise for these options, before counts are made for it.

    Parameters
    ----------
    horizon, at_least, over, within, model, season, calendars
        As in :func:`escalation.assess`.

    Raises
    ------
    InputError
        If a number is out of range, ``within`` is beyond ``horizon`` or there is no such model or calendar.
    """
    get_model(model)
    models.ChangingRate(season)
    check_calendars(calendars, model)
    if isinstance(at_least, Flashpoint):
        if over != 1:
            raise InputError(f"over is {over}, but the flashpoint brings its own window; leave over out")
        at_least = None
    limits = {"horizon": (horizon, MAX_STEPS), "at_least": (at_least, LARGEST), "over": (over, MAX_PERIODS)}
    for name, (value, most) in (limits | {"within": (within, MAX_STEPS)}).items():
        if value is not None:
            check_whole(value, name, most)
    if horizon is not None and within is not None and within > horizon:
        raise InputError(f"within is {within}, beyond the horizon of {horizon} periods; raise the horizon")
