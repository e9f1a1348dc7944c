"""EARS: counts against the mean and standard deviation of the few periods before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import ndtri

from escalation.analysis.alarms.detector import Detector, Ranges, Reason, Reference, Signals, Watch
from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError

LAGS = {"C1": 0, "C2": 2, "C3": 2}
"""Periods between the baseline and the current one."""
LEAST = 3
"""Fewest observed periods of a baseline."""


@dataclass(frozen=True)
class EARS(Detector):
    """Early Aberration Reporting System, methods C1, C2 and C3.

    With the mean and the standard deviation of a baseline of the last periods (C1), or of those two periods further
    back (C2 and C3), the statistic of C1 and C2 is ``(count - mean) / sd`` and the bound ``mean + z * sd``.  C3 sums
    what the C2 statistics of the current and the two periods before have above 1, so that a slow rise shows as well.
    As in R's ``surveillance::earsC`` (Fricker, Hegler & Dunfee 2008, doi:10.1002/sim.3197).  Missing periods are left
    out of a baseline, which needs three observed ones, and of the sum of C3.  Of a period that was covered in part both
    the mean and the variance are that part of those of a whole one.

    The C3 of R counts its bound from the current count instead of the mean, so that its alarm depends on the two
    periods before alone; ``c3="published"`` is what was meant (Salmon, Schumacher & Hoehle 2016,
    doi:10.18637/jss.v070.i10).

    Parameters
    ----------
    method : {"C1", "C2", "C3"}
        Which of them.
    baseline : int
        Periods in the baseline, 3 or more.
    alpha : float, optional
        Upper tail probability behind ``z``; 0.001 for C1 and C2 and 0.025 for C3 when left out.
    c3 : {"surveillance", "published"}
        Bound of C3 as R computes it or as it is published; the other methods have only one.
    least_sd : float
        The standard deviation is taken as no smaller (R's ``minSigma``); with 0 any count above a constant baseline is
        an alarm.

    Raises
    ------
    InputError
        If an option is out of its range.

    Examples
    --------
    >>> EARS("C2").warmup(52)
    9
    """

    method: Literal["C1", "C2", "C3"] = "C1"
    baseline: int = 7
    alpha: float | None = None
    c3: Literal["surveillance", "published"] = "surveillance"
    least_sd: float = 0.0
    name: ClassVar[str] = "ears"
    ranges: ClassVar[Ranges] = {"baseline": (LEAST, 1000), "alpha": (0.0, 0.5), "least_sd": (-1e-300, 1e9)}

    @property
    def label(self) -> str:
        """What sentences call it."""
        return f"EARS {self.method}"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.c3 != "surveillance" and self.method != "C3":
            raise InputError(f"c3 is {self.c3!r} but method is {self.method!r}; leave it out")

    def warmup(self, year: int) -> int:  # noqa: ARG002 - a year has no part in it
        """Baseline and what lies between; see :meth:`Detector.warmup`."""
        return self.baseline + {"C1": 0, "C2": 2, "C3": 4}[self.method]

    def judge(self, watch: Watch) -> Signals:
        """Compare with moving baselines; see :meth:`Detector.judge`."""
        alpha = self.alpha if self.alpha is not None else (0.025 if self.method == "C3" else 0.001)
        z = float(ndtri(1.0 - alpha))
        before = 2 if self.method == "C3" else 0
        early = watch.earlier(before)
        past = early.behind(range(LAGS[self.method] + 1, LAGS[self.method] + self.baseline + 1))
        mean, sd = _moments(past, self.least_sd)
        mean, sd = mean * early.shares, sd * np.sqrt(early.shares)
        excess = _standard(early.here, mean, sd)
        mean, sd, score = mean[before:], sd[before:], excess[before:]
        start: FloatArray = mean
        carried = np.zeros_like(score)
        if self.method == "C3":
            above = np.nan_to_num(np.maximum(excess[:-1] - 1.0, 0.0), nan=0.0, posinf=np.inf)
            carried = above[1:] + above[:-1]
            score, start = (carried, watch.here) if self.c3 == "surveillance" else (score + carried, mean)
        with np.errstate(invalid="ignore"):
            upper = np.maximum(start + sd * (z - carried), 0.0)
        few = past.number[before:] < LEAST
        reason = np.where(few, Reason.TOO_FEW, np.where(np.isnan(upper), Reason.CONSTANT, ""))
        return Signals(mean, upper, score, watch.here > upper, reason)


def _moments(past: Reference, least_sd: float) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of a whole period (periods, series), NaN where too few were observed."""
    mean = past.total / past.covered
    seen = past.shares > 0
    squares = np.where(seen, past.counts - mean * past.shares, 0.0) ** 2 / np.where(seen, past.shares, 1.0)
    sd = np.maximum(np.sqrt(squares.sum(axis=0) / np.maximum(past.number - 1, 1)), least_sd)
    enough = past.number >= LEAST
    return np.where(enough, mean, np.nan), np.where(enough, sd, np.nan)


def _standard(counts: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Standardised counts; 0 where a count equals its constant baseline."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value: FloatArray = np.where(counts == mean, 0.0, (counts - mean) / sd)
    return value
