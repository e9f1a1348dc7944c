"""CUSUM: small excesses over the expected count, added up until they pass a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from escalation.analysis.alarms.baseline import CHART_RANGES, Baseline, Chart
from escalation.analysis.alarms.detector import Ranges
from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError


@dataclass(frozen=True)
class CUSUM(Chart):
    r"""Cumulative sum of standardised counts, Poisson or negative binomial.

    With ``z`` the standardised count the statistic is ``C = max(0, C + z - reference)``; there is an alarm while ``C
    >= limit``.  The bound is the count at which that would be so.  ``"standard"`` is ``(y - m) / sd``, with the Poisson
    ``sd = sqrt(m)`` as in R's ``surveillance::algo.cusum`` (Rossi, Lampugnani & Marchi 1999,
    doi:10.1002/(SICI)1097-0258(19990830)18:16<2111::AID-SIM171>3.0.CO;2-Q), with the negative binomial ``sd =
    sqrt(m + alpha m^2)``; ``"rossi"`` and ``"anscombe"`` are Poisson only.  A missing count leaves the statistic as
    it is.  The periods before the first judged one give mean and dispersion.  Of
    a period that was covered in part ``m`` is the part.

    Parameters
    ----------
    reference : float
        Reference value ``k``, >= 0, in standard deviations; half of the shift that is to be found soonest.
    limit : float
        Decision limit ``h``, > 0.
    family : {"poisson", "negbin"}
        Distribution of the counts; with overdispersed ones the Poisson limit costs many false alarms.
    transform : {"standard", "rossi", "anscombe", "none"}
        How a count becomes ``z``.
    mean, dispersion : float, optional
        Expected count and ``alpha`` in ``Var = m + alpha m^2``, where they are known.
    season : int
        Pairs of sine and cosine of the year in the expected count.
    restart : {"never", "alarm"}
        Whether the sum goes on after an alarm, as in R, or begins again at 0.

    Raises
    ------
    InputError
        If an option is out of its range or does not go with another.

    Examples
    --------
    >>> CUSUM(family="negbin", limit=4.0).reference
    1.04
    """

    reference: float = 1.04
    limit: float = 2.26
    family: Literal["poisson", "negbin"] = "poisson"
    transform: Literal["standard", "rossi", "anscombe", "none"] = "standard"
    mean: float | None = None
    dispersion: float | None = None
    season: int = 0
    restart: Literal["never", "alarm"] = "never"
    name: ClassVar[str] = "cusum"
    ranges: ClassVar[Ranges] = {**CHART_RANGES, "reference": (-1e-300, 1e9)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.family == "negbin" and self.transform != "standard":
            raise InputError(
                f"transform is {self.transform!r}, for Poisson counts; use 'standard' with family='negbin'"
            )

    def statistic(self, counts: FloatArray, base: Baseline) -> tuple[FloatArray, FloatArray]:
        """Add up; see :meth:`Chart.statistic`."""
        z = self._standardise(counts, base)
        score, before = np.empty_like(counts), np.empty_like(counts)
        running = np.zeros(counts.shape[1])
        for t in range(len(counts)):
            before[t] = running
            running = np.where(np.isnan(z[t]), running, np.maximum(running + z[t] - self.reference, 0.0))
            score[t] = running
            if self.restart == "alarm":
                running = np.where(running >= self.limit, 0.0, running)
        return score, self._bound(self.limit + self.reference - before, base)

    def _standardise(self, counts: FloatArray, base: Baseline) -> FloatArray:
        """Counts as they are added up (periods, series)."""
        m = base.mean
        z = (counts - m) / base.sd
        if self.transform == "rossi":
            z = (counts - 3.0 * m + 2.0 * np.sqrt(counts * m)) / (2.0 * np.sqrt(m))
        elif self.transform == "anscombe":
            z = 1.5 * (counts ** (2 / 3) - m ** (2 / 3)) / m ** (1 / 6)
        return counts if self.transform == "none" else z

    def _bound(self, room: FloatArray, base: Baseline) -> FloatArray:
        """Count whose standardised value is ``room`` (periods, series), at least 0; that of R for Poisson counts."""
        m = base.mean
        upper = room * base.sd + m
        if self.transform == "rossi":
            # z = (y + 2 sqrt(y m) - 3 m) / (2 sqrt(m)) solved for y
            upper = (np.sqrt(np.maximum(4.0 * m + 2.0 * room * np.sqrt(m), 0.0)) - np.sqrt(m)) ** 2
        elif self.transform == "anscombe":
            upper = np.maximum(2 / 3 * m ** (1 / 6) * room + m ** (2 / 3), 0.0) ** 1.5
        elif self.transform == "none":
            upper = room
        elif self.family == "poisson":
            upper = np.ceil(upper)
        return np.maximum(upper, 0.0)
