"""Interventions: dated events that lift or lower a rate, for good (step), a while (pulse) or fading (decay)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError


@dataclass(frozen=True)
class Step:
    """A lasting change of the rate: 0 before the period that holds ``date``, 1 from it on.

    The whole of that period counts as after the change, also when the date falls late in it; a
    regressor with the share of its days can be handed to ``fit`` as ``exog`` instead.

    Parameters
    ----------
    date : date or str
        First day of the change; kept as ``YYYY-MM-DD``.

    Raises
    ------
    InputError
        If the date cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-29", periods=3, freq="W-SUN")
    >>> Step("2024-02-05").term, Step("2024-02-05").column(weeks).tolist()
    ('step_2024-02-05', [0.0, 1.0, 1.0])
    """

    date: DateLike

    def __post_init__(self) -> None:
        object.__setattr__(self, "date", parse_date(self.date, "the date of a Step").date().isoformat())

    @property
    def term(self) -> str:
        """Name of its coefficient."""
        return f"step_{self.date}"

    def column(self, periods: pd.PeriodIndex) -> NDArray[np.float64]:
        """0 or 1 for each of the n periods, shape (n,)."""
        return np.asarray(periods.end_time >= pd.Timestamp(str(self.date)), dtype=np.float64)


@dataclass(frozen=True)
class Pulse:
    """A passing change of the rate: 1 in every period that holds a day from ``date`` to ``end``, else 0.

    Parameters
    ----------
    date : date or str
        First day; kept as ``YYYY-MM-DD``.
    end : date or str, optional
        Last day, inclusive; the first day when left out.

    Raises
    ------
    InputError
        If a date cannot be read or ``end`` is before ``date``.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2023-11-13", periods=4, freq="W-SUN")
    >>> Pulse("2023-11-24", "2023-11-30").column(weeks).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    date: DateLike
    end: DateLike | None = None

    def __post_init__(self) -> None:
        first = parse_date(self.date, "the date of a Pulse")
        last = first if self.end is None else parse_date(self.end, "the end of a Pulse", side="end")
        if last < first:
            raise InputError(f"a Pulse ends {last.date()}, before it begins {first.date()}; swap the dates")
        object.__setattr__(self, "date", first.date().isoformat())
        object.__setattr__(self, "end", None if last == first else last.date().isoformat())

    @property
    def term(self) -> str:
        """Name of its coefficient."""
        return f"pulse_{self.date}" if self.end is None else f"pulse_{self.date}_{self.end}"

    def column(self, periods: pd.PeriodIndex) -> NDArray[np.float64]:
        """0 or 1 for each of the n periods, shape (n,)."""
        first, last = pd.Timestamp(str(self.date)), pd.Timestamp(str(self.end or self.date))
        return np.asarray((periods.end_time >= first) & (periods.start_time <= last), dtype=np.float64)


@dataclass(frozen=True)
class Decay:
    """A change of the rate that fades: 0 before the period that holds ``date``, 1 in it, then ever halved.

    In weeks its column is that of R tscount's ``interv_covariate`` with ``delta = 0.5 ** (7 / half_life)``.

    Parameters
    ----------
    date : date or str
        First day of the change; kept as ``YYYY-MM-DD``.
    half_life : float
        Days in which it halves, > 0, counted from the first day of the period that holds ``date``.

    Raises
    ------
    InputError
        If the date cannot be read or the half-life is not above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-29", periods=4, freq="W-SUN")
    >>> Decay("2024-02-07", half_life=7).column(weeks).tolist()
    [0.0, 1.0, 0.5, 0.25]
    """

    date: DateLike
    half_life: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "date", parse_date(self.date, "the date of a Decay").date().isoformat())
        number = isinstance(self.half_life, int | float | np.number) and not isinstance(self.half_life, bool)
        if not number or not 0 < self.half_life < np.inf:
            raise InputError(f"half_life is {self.half_life!r}; give the days in which a Decay halves, above 0")
        object.__setattr__(self, "half_life", float(self.half_life))

    @property
    def term(self) -> str:
        """Name of its coefficient."""
        return f"decay_{self.date}_{self.half_life:g}d"

    def column(self, periods: pd.PeriodIndex) -> NDArray[np.float64]:
        """0 to 1 for each of the n periods, shape (n,)."""
        first = pd.Period(pd.Timestamp(str(self.date)), freq=periods.freqstr).start_time
        days = np.asarray((periods.start_time - first) / pd.Timedelta(days=1), dtype=np.float64)
        return np.where(days < 0, 0.0, 0.5 ** (np.maximum(days, 0.0) / self.half_life))


Intervention: TypeAlias = Step | Pulse | Decay


def check_interventions(interventions: object) -> None:
    """Check an option of a model.

    Raises
    ------
    InputError
        If it is not a tuple of interventions.
    """
    if not isinstance(interventions, tuple) or not all(isinstance(one, Intervention) for one in interventions):
        raise InputError(f"interventions is {interventions!r}; give a tuple such as (Step('2024-02-05'),)")
