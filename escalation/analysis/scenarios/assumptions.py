"""Assumptions about what is to come: a rate that changes, an attack on a date, or one that kills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError
from escalation.forecasts.flashpoint import LARGEST_SUM
from escalation.incidents.schema import MAX_FATALITIES
from escalation.models.regression.interventions import Decay, Pulse, Step

LARGEST_FACTOR = 1000.0


@dataclass(frozen=True)
class Scenario:
    """An assumed change of the coming rate: times a factor from a date on.

    A ceasefire is a factor below 1 from its date on, a surge one above 1; with ``until`` either ends, with
    ``half_life`` it fades.  The whole period that holds ``date`` counts as changed, and that which holds ``until``.

    Parameters
    ----------
    date : date or str
        First day; kept as ``YYYY-MM-DD``.
    factor : float
        What the rate is multiplied by, above 0 (0.001 to 1,000).
    half_life : float, optional
        Days in which the log of the factor halves; it stays when left out.
    until : date or str, optional
        Last day, inclusive; the change lasts when left out.

    Raises
    ------
    InputError
        If a date cannot be read, ``until`` is before ``date``, or a number is out of range.

    Examples
    --------
    >>> weeks = pd.period_range("2024-12-02", periods=4, freq="W-SUN")
    >>> Scenario("2024-12-09", 0.25).factors(weeks).tolist()
    [1.0, 0.25, 0.25, 0.25]
    >>> Scenario("2024-12-09", 4.0, half_life=7).factors(weeks).round(2).tolist()
    [1.0, 4.0, 2.0, 1.41]
    """

    date: DateLike
    factor: float
    half_life: float | None = None
    until: DateLike | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.factor, int | float | np.number) and not isinstance(self.factor, bool)
        if not number or not 1 / LARGEST_FACTOR <= self.factor <= LARGEST_FACTOR:
            raise InputError(f"factor is {self.factor!r}; give what the rate is multiplied by, 0.001 to 1,000")
        first = parse_date(self.date, "the date of a Scenario")
        object.__setattr__(self, "date", first.date().isoformat())
        if self.until is not None:
            last = parse_date(self.until, "the end of a Scenario", side="end")
            if last < first:
                raise InputError(f"a Scenario ends {last.date()}, before it begins {first.date()}; swap the dates")
            object.__setattr__(self, "until", last.date().isoformat())
        if self.half_life is not None:
            object.__setattr__(self, "half_life", Decay(self.date, self.half_life).half_life)

    def factors(self, periods: pd.PeriodIndex) -> FloatArray:
        """What the rate of each period is multiplied by.

        Parameters
        ----------
        periods : pandas.PeriodIndex
            n periods.

        Returns
        -------
        (n,) float array
        """
        share = Step(self.date).column(periods) if self.until is None else Pulse(self.date, self.until).column(periods)
        if self.half_life is not None:
            share = share * Decay(self.date, self.half_life).column(periods)
        return self.factor**share

    def sentence(self) -> str:
        """Say what is assumed."""
        fades = "" if self.half_life is None else f", its log halved every {self.half_life:g} days"
        ends = "on" if self.until is None else f"until {self.until}"
        return f"rate times {self.factor:g} from {self.date} {ends}{fades}"


@dataclass(frozen=True)
class Event:
    """An assumed attack: only those paths are kept that have so many in the period which holds a date.

    What follows is what the model says of paths that had it: a model whose counts follow past counts, or whose level
    drifts, expects more afterwards.  Paths differ from the baseline's also before it.

    With ``killed`` one of the attacks kills so many or more: paths and draws of the severity on which such an attack is
    likelier are kept more often, so that it also says that attacks kill oftener than was thought.  That a lethal attack
    by itself raises or lowers the rate of those after it is not estimated, for a series holds few of them: assume it,
    by a :class:`Scenario` in the same tuple.

    Parameters
    ----------
    date : date or str
        A day of the period; kept as ``YYYY-MM-DD``.
    count : int
        Counts in that period, >= 1.
    killed : int, optional
        An attack in that period kills so many or more, >= 1; :func:`what_if` then needs a severity.

    Raises
    ------
    InputError
        If the date cannot be read or a number is out of range.

    Examples
    --------
    >>> Event("2024-12-09").sentence()
    'at least 1 in the period of 2024-12-09'
    >>> Event("2024-12-09", killed=3).sentence()
    'an attack that kills 3 or more in the period of 2024-12-09'
    """

    date: DateLike
    count: int = 1
    killed: int | None = None

    def __post_init__(self) -> None:
        if self.killed is not None:
            object.__setattr__(self, "killed", check_whole(self.killed, "killed", MAX_FATALITIES))
        object.__setattr__(self, "date", parse_date(self.date, "the date of an Event").date().isoformat())
        object.__setattr__(self, "count", check_whole(self.count, "count", LARGEST_SUM))

    def sentence(self) -> str:
        """Say what is assumed."""
        when = f"in the period of {self.date}"
        if self.killed is None:
            return f"at least {self.count:,} {when}"
        kills = "kills" if self.killed == 1 else f"kills {self.killed:,} or more"
        return f"an attack that {kills} {when}" + ("" if self.count == 1 else f", of {self.count:,} or more")


Assumption: TypeAlias = Scenario | Event
