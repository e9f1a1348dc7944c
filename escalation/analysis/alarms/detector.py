"""The frame of the detectors: what each is given, what it says of each period, and why it may have no say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError

StrArray = NDArray[np.str_]
Ranges = Mapping[str, tuple[float, float]]


class Reason(StrEnum):
    """Why a period is not judged."""

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
        counts = self.counts[places]
        shares = np.where(np.isnan(counts), 0.0, self.exposure[places][..., None])
        number = np.asarray(np.count_nonzero(shares, axis=0))
        covered = np.where(number > 0, shares.sum(axis=0), 1.0)
        return Reference(counts, shares, number, np.nansum(counts, axis=0), covered)


@dataclass(frozen=True, eq=False)
class Reference:
    """Counts that each judged one is held against.

    Attributes
    ----------
    counts, shares : (k, periods, series) float array
        Counts and their exposure; one that was not observed is NaN, and its exposure 0.
    number : (periods, series) int array
        How many were observed.
    total, covered : (periods, series) float array
        Sum of the counts, and of their exposure, which is 1 where none was observed.
    """

    counts: FloatArray
    shares: FloatArray
    number: IntArray
    total: FloatArray
    covered: FloatArray


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
        Why it has no say, as in :class:`Reason`; empty where it has.
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

    def detect(self, watch: Watch) -> Signals:
        """Judge every period from the first one on, which has at least ``warmup(year)`` before it."""
        said = self.judge(watch)
        reason = np.where(np.isnan(watch.here), Reason.NOT_OBSERVED, said.reason)
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
