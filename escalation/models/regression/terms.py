"""Terms of a regression on time: level, trend with breaks, season, interventions and regressors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.counts.periods import parse_date, parse_freq
from escalation.errors import FitError, InputError
from escalation.models.contract.calendar_waves import calendar_waves, check_pairs, waves_of
from escalation.models.contract.design import Design
from escalation.models.regression.interventions import Intervention, check_interventions

RESERVED = ("dispersion", "variance_to_mean")
"""Parameters that are no terms."""


@dataclass(frozen=True)
class Terms:
    """Terms of a log rate, or of the log odds of a zero count.

    Their names are ``level`` (the value where all other terms are 0), ``trend``, ``trend_<date>`` for each break,
    ``season_sin1``, ``season_cos1``, …, ``step_<date>``, ``pulse_<date>``, ``decay_<date>_<half-life>d``, and those
    of the regressors.

    Parameters
    ----------
    trend : {"none", "linear"}
        ``"linear"``: a change of so much a period, counted from the first period of the fit.
    breaks : tuple of date or str
        Dates from which a linear trend has another slope; each coefficient is the change of slope, and the line has
        its kink in the period that holds the date.  Kept as ``YYYY-MM-DD``.
    season : int
        Pairs of sine and cosine (0: none), phase counted by the calendar, not from the start of the series.
    season_length : float, optional
        Periods in one season, whose number since 1970 gives the phase; when left out the season is the year for weeks
        (by the day of the year at their middle) and months, and the week for days.
    interventions : tuple of Step, Pulse or Decay
        Dated changes.
    regressors : tuple of str, optional
        Which columns of ``exog`` are used; all of them when left out.

    Raises
    ------
    InputError
        If an option is none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation.models.contract.design import make_design
    >>> months = pd.period_range("2024-01", periods=5, freq="M")
    >>> names, columns = Terms(trend="linear", breaks=("2024-03-15",)).columns(make_design(months, 0, None, None))
    >>> names, columns[:, 2].tolist()
    (['level', 'trend', 'trend_2024-03-15'], [0.0, 0.0, 0.0, 1.0, 2.0])
    """

    trend: Literal["none", "linear"] = "none"
    breaks: tuple[str, ...] = ()
    season: int = 0
    season_length: float | None = None
    interventions: tuple[Intervention, ...] = ()
    regressors: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.trend not in ("none", "linear"):
            raise InputError(f"trend is {self.trend!r}; use 'none' or 'linear'")
        if not isinstance(self.breaks, tuple):
            raise InputError(f"breaks is {self.breaks!r}; give a tuple of dates, such as ('2024-02-05',)")
        dates = tuple(parse_date(date, "a date of breaks").date().isoformat() for date in self.breaks)
        object.__setattr__(self, "breaks", dates)
        if dates and self.trend == "none":
            raise InputError(f"breaks is {dates} but trend is 'none'; give trend='linear'")
        if isinstance(self.season, bool) or not isinstance(self.season, int | np.integer) or self.season < 0:
            raise InputError(f"season is {self.season!r}; give the number of Fourier pairs, a whole number >= 0")
        if self.season_length is not None and not (
            isinstance(self.season_length, int | float) and 2 < self.season_length < np.inf
        ):
            raise InputError(
                f"season_length is {self.season_length!r}; give the number of periods in a season, above 2"
            )
        if self.season_length is not None and self.season == 0:
            raise InputError(f"season_length is {self.season_length!r} but season is 0; give season >= 1")
        check_interventions(self.interventions)
        names = self.regressors
        if names is not None and not (isinstance(names, tuple) and all(isinstance(name, str) for name in names)):
            raise InputError(f"regressors is {names!r}; give a tuple of names of columns of exog, or leave it out")

    def columns(self, design: Design) -> tuple[list[str], FloatArray]:
        """Names (p) and columns (n, p) of the terms.

        Raises
        ------
        InputError
            If a name is there twice, ``exog`` lacks one of ``regressors``, or there are too many Fourier pairs.
        """
        columns = {"level": np.ones(len(design.time))}
        if self.trend == "linear":
            columns["trend"] = design.time
        rest = [(f"trend_{date}", _since(date, design.periods)) for date in self.breaks]
        rest += _season(design.periods, self.season, self.season_length)
        rest += [(one.term, one.column(design.periods)) for one in self.interventions]
        known = list(design.exog_names)
        for name in known if self.regressors is None else self.regressors:
            if name not in known:
                raise InputError(f"regressors names {name!r}, which exog has not; its columns are {known}")
        rest += [
            (name, design.exog[:, j])
            for j, name in enumerate(known)
            if self.regressors is None or name in self.regressors
        ]
        for name, column in rest:
            if name in columns or name in RESERVED:
                raise InputError(
                    f"there are two terms called {name!r}; give each intervention once and rename regressors"
                )
            columns[name] = column
        return list(columns), np.column_stack(list(columns.values()))


class Basis(NamedTuple):
    """Terms of the observed periods in orthogonal coordinates.

    ``x`` (m, p) has ``x.T @ x = m * I`` and a first column of ones; coefficients of the terms are ``to_terms`` (p, p)
    times those of ``x``.
    """

    names: list[str]
    x: FloatArray
    to_terms: FloatArray

    def unbounded(self, direction: FloatArray, matrix: FloatArray) -> list[str]:
        """Names of the terms, with columns ``matrix`` (m, p), that a direction (p,) of ``x`` moves."""
        falls = np.abs((self.to_terms @ direction) * np.abs(matrix).max(axis=0))
        return [name for name, fall in zip(self.names, falls, strict=True) if fall > 1e-6 * falls.max()]


def orthogonal(names: list[str], matrix: FloatArray, periods: pd.PeriodIndex, seen: NDArray[np.bool_]) -> Basis:
    """Refuse terms (n, p) that the observed periods (n,) cannot distinguish, and make the others orthogonal.

    Raises
    ------
    InputError
        If a term is constant, 0 throughout, or a sum of those before it.
    FitError
        If there are no more periods than terms.
    """
    matrix = matrix[seen]
    lowest, highest = matrix.min(axis=0), matrix.max(axis=0)
    for name, least, most in zip(names[1:], lowest[1:], highest[1:], strict=True):
        if least == most:
            where = f"in every observed period of {periods[seen][0]} to {periods[seen][-1]}"
            if least == 0:
                raise InputError(f"{name} is 0 {where}; its effect cannot be known, so drop it")
            raise InputError(f"{name} is the same {where}, as the level is; drop it")
    if len(matrix) <= len(names):
        raise FitError(f"{len(matrix)} observed periods are too few for {len(names)} coefficients; use fewer terms")
    length = np.sqrt((matrix**2).sum(axis=0))
    basis, triangle = np.linalg.qr(matrix / length)
    alone = np.diag(triangle)
    if (np.abs(alone) < 1e-7).any():
        j = int(np.argmax(np.abs(alone) < 1e-7))
        raise InputError(f"{names[j]} is a sum of the terms before it ({', '.join(names[:j])}); drop one of them")
    scale = np.sign(alone) * np.sqrt(len(matrix))
    return Basis(names, basis * scale, np.linalg.inv(triangle) * scale / length[:, None])


def _since(date: str, periods: pd.PeriodIndex) -> FloatArray:
    """Periods since the one that holds a date, 0 before it, shape (n,)."""
    first = pd.Period(pd.Timestamp(date), freq=periods.freqstr).ordinal
    return np.maximum(periods.asi8 - first, 0).astype(np.float64)


def _season(periods: pd.PeriodIndex, pairs: int, length: float | None) -> list[tuple[str, FloatArray]]:
    """Fourier columns (n,) with their names."""
    if pairs == 0:
        return []
    if length is None:
        columns = calendar_waves(periods, "weekday" if parse_freq(periods.freqstr) == "D" else "year", pairs)
    else:
        check_pairs(pairs, length)
        columns = waves_of(periods.asi8 / length, pairs)
    names = [f"season_{wave}{k}" for k in range(1, pairs + 1) for wave in ("sin", "cos")]
    return list(zip(names, columns.T, strict=True))
