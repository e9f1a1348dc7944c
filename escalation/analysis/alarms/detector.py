"""The frame of the detectors: what each is given, what it says of each period, and why it may have no say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from escalation.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
StrArray = NDArray[np.str_]
Ranges = Mapping[str, tuple[float, float]]

NOT_OBSERVED = "not observed"
TOO_FEW = "too few counts before it"
CONSTANT = "the counts before it are all the same"
NO_FIT = "the fit to the counts before it did not converge"


@dataclass(frozen=True, eq=False)
class Watch:
    """Counts of several series, of which those from one period on are to be judged.

    Attributes
    ----------
    counts : (n, series) float array
        Whole numbers, NaN where not observed, in the same periods for every series.
    first : int
        Place of the first period to be judged.
    year : int
        Periods in a year.
    exposure : (n,) float array
        Share of each period that was covered, > 0; expected counts and bounds are those of what was covered.
    """

    counts: FloatArray
    first: int
    year: int
    exposure: FloatArray

    @property
    def here(self) -> FloatArray:
        """Counts to be judged (periods, series)."""
        return self.counts[self.first :]

    @property
    def shares(self) -> FloatArray:
        """Their exposure (periods, 1)."""
        return self.exposure[self.first :, None]

    def earlier(self, periods: int) -> Watch:
        """Judge so many periods more, before the first."""
        return replace(self, first=self.first - periods)

    def behind(self, back: Iterable[int]) -> Reference:
        """Counts that each is held against: those so many periods back."""
        places = np.arange(self.first, len(self.counts)) - np.array([*back])[:, None]
        counts, shares = self.counts[places], self.exposure[places][..., None]
        return Reference(counts, np.where(np.isnan(counts), 0.0, shares))


@dataclass(frozen=True, eq=False)
class Reference:
    """Counts that each judged one is held against, and their exposure, both (k, periods, series).

    A count that was not observed is NaN, and its exposure 0.
    """

    counts: FloatArray
    shares: FloatArray

    @property
    def number(self) -> IntArray:
        """How many were observed (periods, series)."""
        return np.asarray(np.count_nonzero(self.shares, axis=0))

    @property
    def total(self) -> FloatArray:
        """Their sum (periods, series)."""
        return np.asarray(np.nansum(self.counts, axis=0))

    @property
    def covered(self) -> FloatArray:
        """The sum of their exposure (periods, series), 1 where none was observed."""
        return np.where(self.number > 0, self.shares.sum(axis=0), 1.0)


@dataclass(frozen=True, eq=False)
class Signals:
    """What a detector says of each period that it judges, for each of several series.

    Attributes
    ----------
    expected, upper, score : (periods, series) float array
        Expected count, upper bound and the method's statistic, NaN where the method has no say.
    alarm : (periods, series) array
        Whether there is an alarm; from :meth:`Detector.detect` 1.0, 0.0, and NaN where the method has no say.
    reason : (periods, series) str array
        Why it has no say; empty where it has.
    """

    expected: FloatArray
    upper: FloatArray
    score: FloatArray
    alarm: NDArray[Any]
    reason: StrArray


class Detector(ABC):
    """Options of a surveillance method.

    Attributes
    ----------
    name : str
        What errors call it.
    ranges : mapping
        Of each option that is a number the smallest and the largest, or, as floats, limits that it lies between.
    """

    name: ClassVar[str]
    ranges: ClassVar[Ranges]

    def __post_init__(self) -> None:
        for option, kind in get_type_hints(type(self)).items():
            value = getattr(self, option)
            if get_origin(kind) is Literal:
                check_choice(value, option, get_args(kind))
            elif option in self.ranges and (value is not None or getattr(type(self), option) is not None):
                least, most = self.ranges[option]
                (check_steps if isinstance(least, int) else check_number)(value, option, least, most)

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
    def judge(self, watch: Watch) -> Signals:
        """Say it of every period from the first one on; what is said of those not observed is not used."""

    def detect(self, counts: FloatArray, first: int, year: int, exposure: FloatArray) -> Signals:
        """Judge every period from ``first`` on, at least ``warmup(year)``; the others are those of :class:`Watch`."""
        watch = Watch(counts, first, year, exposure)
        said = self.judge(watch)
        reason = np.where(np.isnan(watch.here), NOT_OBSERVED, said.reason)
        return replace(said, alarm=np.where(reason == "", said.alarm, np.nan), reason=reason)


def check_number(value: float, name: str, least: float, most: float) -> None:
    """Refuse an option of a detector that is no number between two limits, both exclusive.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not least < value < most:
        raise InputError(f"{name} is {value!r}; give a number above {least:g} and below {most:g}")


def check_steps(value: int, name: str, least: float, most: float) -> None:
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
