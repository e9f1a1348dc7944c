"""The contract of a detector: frozen options, and what they say of each period given the periods before it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from escalation.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Signals:
    """What a detector says of the periods from its first one on, for each of several series.

    Attributes
    ----------
    expected, upper, score, alarm : (periods, series) float array
        Expected count, upper bound, the method's statistic, and 1 where there is an alarm and 0 where there is none;
        NaN where the method has no say.
    """

    expected: FloatArray
    upper: FloatArray
    score: FloatArray
    alarm: FloatArray


class Detector(ABC):
    """Options of a surveillance method.

    Attributes
    ----------
    name : str
        What errors call it.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def label(self) -> str:
        """What sentences call it."""

    @abstractmethod
    def warmup(self, year: int) -> int:
        """Periods before the first one that can be judged, when a year has so many periods."""

    def first(self, number: int, year: int) -> int:
        """First of so many periods that is judged unless another is asked for; see :meth:`warmup`, which it is."""
        del number
        return self.warmup(year)

    @abstractmethod
    def detect(self, counts: FloatArray, first: int, year: int, exposure: FloatArray) -> Signals:
        """Judge every period from ``first`` on.

        Parameters
        ----------
        counts : (n, series) float array
            Whole numbers, NaN where not observed, in the same periods for every series.
        first : int
            Place of the first period to be judged, at least ``warmup(year)``.
        year : int
            Periods in a year.
        exposure : (n,) float array
            Share of each period that was covered, > 0; expected counts and bounds are those of what was covered.
        """


def check_number(value: float, name: str, least: float, most: float) -> None:
    """Refuse an option of a detector that is no number between two limits, both exclusive.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not least < value < most:
        raise InputError(f"{name} is {value!r}; give a number above {least:g} and below {most:g}")


def check_steps(value: int, name: str, least: int, most: int) -> None:
    """Refuse an option of a detector that is no whole number from ``least`` to ``most``.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}; a detector takes a whole number from {least} to {most:,} there")


def check_choice(value: str, name: str, allowed: tuple[str, ...]) -> None:
    """Refuse an option of a detector that is none of those it knows.

    Raises
    ------
    InputError
        If it is not.
    """
    if value not in allowed:
        raise InputError(f"{name} is {value!r}; the detector knows {', '.join(map(repr, allowed))}")
