"""Bayes: the predictive law of a count, given those of the same season before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.stats import nbinom

from escalation.errors import InputError
from escalation.surveillance.detector import Detector, FloatArray, Signals, check_choice, check_number, check_steps


@dataclass(frozen=True)
class BayesAlarm(Detector):
    """Poisson counts with a Jeffreys prior of their rate: the predictive law is negative binomial.

    Reference counts are those within ``half_window`` periods of the same place in each of the last ``years`` years,
    and the last ``half_window`` periods.  There is an alarm when the count is above the ``1 - alpha`` quantile of its
    predictive law, as in R's ``surveillance::algo.bayes`` (Hoehle 2007, doi:10.1007/s00180-007-0074-8).  Missing
    reference counts are left out; the rate is one of what was covered.

    Parameters
    ----------
    years : int
        Years back, 0 or more (R's ``b``).
    half_window : int
        Periods (``w``), 1 or more.
    recent : {"used", "left out"}
        Whether the last periods are among the reference counts (``actY``).
    alpha : float
        Upper tail probability.

    Raises
    ------
    InputError
        If an option is out of its range, or there would be no reference counts.

    Examples
    --------
    >>> BayesAlarm(years=2, half_window=4, recent="left out").warmup(52)
    108
    """

    years: int = 0
    half_window: int = 6
    recent: Literal["used", "left out"] = "used"
    alpha: float = 0.05
    name: ClassVar[str] = "bayes"

    @property
    def label(self) -> str:
        """What sentences call it."""
        return "Bayes"

    def __post_init__(self) -> None:
        check_steps(self.years, "years", 0, 50)
        check_steps(self.half_window, "half_window", 1, 100)
        check_choice(self.recent, "recent", ("used", "left out"))
        check_number(self.alpha, "alpha", 0.0, 0.5)
        if self.years == 0 and self.recent == "left out":
            raise InputError("years is 0 and recent is 'left out', which leaves no reference counts; use one of them")

    def warmup(self, year: int) -> int:
        """Years times periods, and half a window; see :meth:`Detector.warmup`."""
        return self.years * year + self.half_window

    def detect(self, counts: FloatArray, first: int, year: int, exposure: FloatArray) -> Signals:
        """Compare with the reference counts; see :meth:`Detector.detect`."""
        now = np.arange(first, len(counts))
        w = self.half_window
        places = [now - back for back in range(1, w + 1)] if self.recent == "used" else []
        places += [now - back * year + shift for back in range(1, self.years + 1) for shift in range(-w, w + 1)]
        reference = counts[np.array(places)]
        seen = ~np.isnan(reference)
        number = seen.sum(axis=0)
        shape = np.nansum(reference, axis=0) + 0.5
        size = np.where(number > 0, np.sum(seen * exposure[np.array(places)][..., None], axis=0), 1.0)
        own = exposure[now, None]
        upper = np.where(number > 0, nbinom.ppf(1.0 - self.alpha, shape, size / (size + own)), np.nan)
        expected = np.where(number > 0, shape / size * own, np.nan)
        here = counts[first:]
        score = here / np.maximum(upper, 1.0)
        alarm = np.where(np.isnan(here) | (number == 0), np.nan, here > upper)
        return Signals(expected, upper, score, alarm)
