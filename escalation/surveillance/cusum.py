"""CUSUM: small excesses over the expected count, added up until they pass a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
from scipy.stats import nbinom, poisson

from escalation.errors import InputError
from escalation.surveillance.baseline import Baseline, fit_baseline
from escalation.surveillance.detector import Detector, FloatArray, Signals, check_choice, check_number, check_steps

TRANSFORMS = ("standard", "rossi", "anscombe", "none")
LEAST_LEAVING = 1e-10
"""Chances of an alarm below this cannot be told from rounding."""
LEAST_PAST = 7
"""Fewest periods from which a mean and a dispersion are estimated."""


@dataclass(frozen=True)
class CUSUM(Detector):
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
        Law of the counts; with overdispersed ones the Poisson limit costs many false alarms.
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

    @property
    def label(self) -> str:
        """What sentences call it."""
        return f"CUSUM ({self.family})"

    def __post_init__(self) -> None:
        check_number(self.reference, "reference", -1e-300, 1e9)
        check_number(self.limit, "limit", 0.0, 1e9)
        check_choice(self.family, "family", ("poisson", "negbin"))
        check_choice(self.transform, "transform", TRANSFORMS)
        check_choice(self.restart, "restart", ("never", "alarm"))
        check_steps(self.season, "season", 0, 10)
        check_known(self.mean, self.dispersion, self.season, self.family)
        if self.family == "negbin" and self.transform != "standard":
            raise InputError(
                f"transform is {self.transform!r}, for Poisson counts; use 'standard' with family='negbin'"
            )

    def warmup(self, year: int) -> int:
        """A week of periods, or a year where there is a season; see :meth:`Detector.warmup`."""
        return needed_past(self.mean, self.dispersion, self.family, self.season, year)

    def first(self, number: int, year: int) -> int:
        """After the first half, which gives mean and dispersion; see :meth:`Detector.first`."""
        return max(self.warmup(year), number // 2 if self.warmup(year) else 0)

    def detect(self, counts: FloatArray, first: int, year: int, exposure: FloatArray) -> Signals:
        """Add up; see :meth:`Detector.detect`."""
        base = fit_baseline(counts, first, year, self.season, self.family, self.mean, self.dispersion, exposure)
        here = counts[first:]
        z = self._standardise(here, base)
        score = np.empty_like(here)
        before = np.empty_like(here)
        running = np.zeros(here.shape[1])
        for t in range(len(here)):
            before[t] = running
            running = np.where(np.isnan(z[t]), running, np.maximum(running + z[t] - self.reference, 0.0))
            score[t] = running
            if self.restart == "alarm":
                running = np.where(running >= self.limit, 0.0, running)
        alarm = np.where(np.isnan(here), np.nan, score >= self.limit)
        return Signals(base.mean, self._bound(self.limit + self.reference - before, base), score, alarm)

    def _standardise(self, counts: FloatArray, base: Baseline) -> FloatArray:
        """Counts as they are added up (periods, series)."""
        m = base.mean
        z: FloatArray
        if self.transform == "rossi":
            z = (counts - 3.0 * m + 2.0 * np.sqrt(counts * m)) / (2.0 * np.sqrt(m))
        elif self.transform == "anscombe":
            z = 1.5 * (counts ** (2 / 3) - m ** (2 / 3)) / m ** (1 / 6)
        elif self.transform == "none":
            z = counts
        else:
            z = (counts - m) / base.sd
        return z

    def _bound(self, room: FloatArray, base: Baseline) -> FloatArray:
        """Count whose standardised value is ``room`` (periods, series), at least 0; that of R for Poisson counts."""
        m = base.mean
        upper: FloatArray
        if self.transform == "rossi":
            # z = (y + 2 sqrt(y m) - 3 m) / (2 sqrt(m)) solved for y
            upper = (np.sqrt(np.maximum(4.0 * m + 2.0 * room * np.sqrt(m), 0.0)) - np.sqrt(m)) ** 2
        elif self.transform == "anscombe":
            upper = np.maximum(2 / 3 * m ** (1 / 6) * room + m ** (2 / 3), 0.0) ** 1.5
        elif self.transform == "none":
            upper = room
        else:
            upper = room * base.sd + m
            upper = np.ceil(upper) if self.family == "poisson" else upper
        return np.maximum(upper, 0.0)


def check_known(mean: float | None, dispersion: float | None, season: int, family: str) -> None:
    """Check the given mean and dispersion of a baseline.

    Raises
    ------
    InputError
        If one is out of range or does not go with the family or the season.
    """
    if mean is not None:
        check_number(mean, "mean", 0.0, 1e12)
        if season:
            raise InputError(f"mean is {mean!r} and season is {season}; give one of them")
    if dispersion is not None:
        check_number(dispersion, "dispersion", -1e-300, 1e6)
        if family == "poisson":
            raise InputError(f"dispersion is {dispersion!r} but family is 'poisson'; use family='negbin'")


def needed_past(mean: float | None, dispersion: float | None, family: str, season: int, year: int) -> int:
    """Periods that a baseline is estimated from at least."""
    if mean is not None and (family == "poisson" or dispersion is not None):
        return 0
    return year if season else LEAST_PAST


# Run lengths


@dataclass(frozen=True)
class RunLength:
    """How long a CUSUM runs until its first alarm.

    Attributes
    ----------
    mean : float
        Average run length in periods.
    median : int
        Smallest number of periods within which an alarm has at least probability one half.
    """

    mean: float
    median: int


def cusum_run_length(
    mean: float,
    dispersion: float = 0.0,
    *,
    reference: float = 1.04,
    limit: float = 2.26,
    true_mean: float | None = None,
    states: int = 500,
) -> RunLength:
    """Run length of a standardised CUSUM of independent counts, by a Markov chain.

    Parameters
    ----------
    mean, dispersion : float
        What the counts are standardised with: expected count, > 0, and ``alpha >= 0`` in ``Var = m + alpha m**2``.
    reference, limit : float
        As in :class:`CUSUM`.
    true_mean : float, optional
        Mean that the counts have in truth (with the same dispersion), for the delay of an alarm; ``mean`` when left
        out, which gives the run length to a false alarm.
    states : int
        Values between 0 and ``limit`` that the chain may tell apart.

    Returns
    -------
    RunLength

    Raises
    ------
    InputError
        If a number is out of its range.

    Notes
    -----
    The chain of Brook & Evans (1972, doi:10.1093/biomet/59.3.539).  In counts the sum moves by ``y - c`` with ``c = m +
    reference * sd``; with ``c`` taken as the nearest fraction whose denominator the number of states allows, it stays
    on a lattice, on which the chain is exact (Hawkins & Olwell 1998, doi:10.1007/978-1-4612-1686-5).

    Examples
    --------
    >>> run = cusum_run_length(4.0, reference=0.5, limit=4.0)
    >>> round(run.mean), run.median
    (172, 120)
    """
    check_number(mean, "mean", 0.0, 1e6)
    check_number(dispersion, "dispersion", -1e-300, 1e3)
    check_number(reference, "reference", -1e-300, 1e3)
    check_number(limit, "limit", 0.0, 1e4)
    check_steps(states, "states", 10, 5000)
    truth = mean if true_mean is None else true_mean
    check_number(truth, "true_mean", 0.0, 1e6)
    matrix = _chain(mean, dispersion, reference, limit, truth, states)
    # expected periods from each state on until the limit is passed
    leaves = 1.0 - matrix.sum(axis=1)
    if leaves.max() < LEAST_LEAVING:
        raise InputError(f"limit is {limit:g}, which counts with mean {truth:g} practically never reach; lower it")
    lengths = np.linalg.solve(np.eye(len(matrix)) - matrix, np.ones(len(matrix)))
    if not 0.0 < lengths[0] < 1.0 / LEAST_LEAVING:
        raise InputError(f"limit is {limit:g}, reached less than once in 1e10 periods; lower it")
    return RunLength(float(lengths[0]), _median(matrix))


def _chain(mean: float, dispersion: float, reference: float, limit: float, truth: float, states: int) -> FloatArray:
    """Chance to go from each state below the limit to each other (k, k), in steps of one over a denominator."""
    sd = math.sqrt(mean + dispersion * mean**2)
    height = limit * sd
    less = Fraction(mean + reference * sd).limit_denominator(max(int(states / height), 1))
    q = less.denominator
    number = math.ceil(height * q * (1.0 - 1e-12))
    pmf = _pmf(math.ceil(height + less) + 1, truth, dispersion)
    after = np.maximum(np.arange(number)[:, None] + np.arange(len(pmf)) * q - less.numerator, 0)
    stays = after < number
    matrix = np.zeros((number, number))
    rows = np.broadcast_to(np.arange(number)[:, None], after.shape)
    np.add.at(matrix, (rows[stays], after[stays]), np.broadcast_to(pmf, after.shape)[stays])
    return matrix


def _pmf(most: int, mean: float, dispersion: float) -> FloatArray:
    """Probabilities of the counts 0 to ``most``."""
    values = np.arange(most + 1)
    if dispersion == 0.0:
        return np.asarray(poisson.pmf(values, mean), dtype=float)
    return np.asarray(nbinom.pmf(values, 1.0 / dispersion, 1.0 / (1.0 + dispersion * mean)), dtype=float)


def _median(matrix: FloatArray) -> int:
    """Number of steps after which the chain from state 0 has been left with probability one half."""
    powers = [matrix]
    while powers[-1][0].sum() > 0.5 and len(powers) < 60:
        powers.append(powers[-1] @ powers[-1])
    row, steps = np.eye(1, len(matrix))[0], 0
    for power in range(len(powers) - 1, -1, -1):
        ahead = row @ powers[power]
        if ahead.sum() > 0.5:
            row, steps = ahead, steps + 2**power
    return steps + 1
