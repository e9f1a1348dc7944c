"""Bayes: the predictive distribution of a count, given those of the same season before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.stats import nbinom

from escalation.analysis.alarms.detector import Detector, Ranges, Reason, Signals, Watch
from escalation.errors import InputError


@dataclass(frozen=True)
class BayesAlarm(Detector):
    """Poisson counts with a Jeffreys prior of their rate: the predictive distribution is negative binomial.

    Reference counts are those within ``half_window`` periods of the same place in each of the last ``years`` years,
    and the last ``half_window`` periods.  There is an alarm when the count is above the ``1 - alpha`` quantile of its
    predictive distribution, as in R's ``surveillance::algo.bayes`` (Hoehle 2007, doi:10.1007/s00180-007-0074-8).
    Missing reference counts are left out; the rate is one of what was covered.

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
    ranges: ClassVar[Ranges] = {"years": (0, 50), "half_window": (1, 100), "alpha": (0.0, 0.5)}

    @property
    def label(self) -> str:
        """What sentences call it."""
        return "Bayes"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.years == 0 and self.recent == "left out":
            raise InputError("years is 0 and recent is 'left out', which leaves no reference counts; use one of them")

    def warmup(self, year: int) -> int:
        """Years times periods, and half a window; see :meth:`Detector.warmup`."""
        return self.years * year + self.half_window

    def judge(self, watch: Watch) -> Signals:
        """Compare with the reference counts; see :meth:`Detector.judge`."""
        w = self.half_window
        back = list(range(1, w + 1)) if self.recent == "used" else []
        back += [years * watch.year - shift for years in range(1, self.years + 1) for shift in range(-w, w + 1)]
        past = watch.behind(back)
        some, shape, size = past.number > 0, past.total + 0.5, past.covered
        upper = np.where(some, nbinom.ppf(1.0 - self.alpha, shape, size / (size + watch.shares)), np.nan)
        expected = np.where(some, shape / size * watch.shares, np.nan)
        score = watch.here / np.maximum(upper, 1.0)
        return Signals(expected, upper, score, watch.here > upper, np.where(some, "", Reason.TOO_FEW))
