"""Tests of counts against their distributions: level, dispersion, zeros, shape and proper scores.

Each test sums a function of every count minus its expectation under the distribution.  Such a sum has mean 0, and its
variance and skewness are sums over the table of each distribution, whatever the family; no draws are needed.  So that
estimating a level or a dispersion does not bend the tests, the part of the function that goes with the scores of these
two is taken out first (Neyman's C(alpha); Neyman 1979).  For a Poisson distribution this is the score test of
overdispersion (Dean & Lawless 1989, doi:10.1080/01621459.1989.10478792) and of zero inflation (van den Broek 1995,
doi:10.2307/2532959).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtr, psi

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distribution_table import DistributionTable, expected_distance, tabulate
from escalation.models.diagnostics.distributions import Distributions
from escalation.models.diagnostics.residuals import pit_interval
from escalation.models.diagnostics.verdict import Finding

LEAST_SHARE = 1e-6
"""A sum whose variance falls below this share of what it was before the projection has nothing left to test."""

LEAST_SKEWNESS = 1e-4
POISSON_LIKE = 1e-4
"""Implied dispersions below this are taken as 0 in the score of the dispersion."""


class Contrast(NamedTuple):
    """A function of a count, less its expectation.

    Attributes
    ----------
    cells : (n, K) float array
        Over the table of each distribution.
    observed : (n,) float array
        At each count.
    """

    cells: FloatArray
    observed: FloatArray


@dataclass(frozen=True, eq=False)
class Judged:
    """Counts and their distributions, ready for sums.

    Attributes
    ----------
    distributions : Distributions
        Of n counts, none NaN.
    y : (n,) float array
        The counts.
    table : DistributionTable
        The distributions as tables.
    mean, variance : (n,) float array
        Of the distributions.
    below, upto : (n,) float array
        Probabilities of less than each count, and of the count or less.
    """

    distributions: Distributions
    y: FloatArray
    table: DistributionTable
    mean: FloatArray
    variance: FloatArray
    below: FloatArray
    upto: FloatArray

    def contrast(self, function: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]) -> Contrast:
        """Centre ``function(count, mean, variance)``."""
        cells = function(self.table.counts, self.mean[:, None], self.variance[:, None])
        return self.centred(cells, function(self.y, self.mean, self.variance))

    def pit_contrast(self, function: Callable[[FloatArray], FloatArray]) -> Contrast:
        """Centre a function of the middle of the PIT interval."""
        cells = function(self.table.below + self.table.mass / 2)
        return self.centred(cells, function((self.below + self.upto) / 2))

    def centred(self, cells: FloatArray, observed: FloatArray) -> Contrast:
        """Take the expectation off."""
        expected = self.table.mean(cells)
        return Contrast(cells - expected[:, None], observed - expected)


def judge(given: Distributions, y: FloatArray) -> Judged:
    """Put counts (n,) and their distributions, none NaN, into tables."""
    return Judged(given, y, tabulate(given), given.mean, given.variance, *pit_interval(given, y))


def level_test(judged: Judged) -> Finding:
    """Whether the counts lie above or below their means."""
    z, skewness = standardised(judged, judged.contrast(lambda y, mean, _: y - mean), [])
    return Finding(float(judged.y.mean()), float(judged.mean.mean()), two_sided(z, skewness))


def dispersion_test(judged: Judged) -> Finding:
    """Pearson's statistic over the number of counts against 1; distributions without variance are left out."""
    wide = judged.variance > 0
    square = (judged.y - judged.mean)[wide] ** 2 / judged.variance[wide]
    z, skewness = standardised(judged, judged.contrast(_square), [judged.contrast(_level_score)])
    return Finding(float(square.mean()) if wide.any() else 1.0, 1.0, two_sided(z, skewness))


def zeros_test(judged: Judged) -> Finding:
    """Number of zeros against its expectation.

    Nothing is said where they differ by less than one, or where the difference turns once level and dispersion are
    taken into account (counts that scatter more than the model says have more zeros as well).
    """
    observed, expected = float((judged.y == 0).sum()), float(judged.distributions.pmf(np.zeros(len(judged.y))).sum())
    zero = judged.contrast(lambda y, _, __: np.asarray(y == 0, dtype=np.float64))
    z, skewness = standardised(judged, zero, _nuisance(judged))
    silent = abs(observed - expected) < 1 or (observed - expected) * z <= 0
    return Finding(observed, expected, 1.0 if silent else two_sided(z, skewness, jumps="counted"))


def shape_test(judged: Judged) -> Finding:
    """Third and fourth Legendre polynomial of the middle PIT (Neyman's smooth test) against 0."""
    cubic = judged.pit_contrast(lambda u: (5 * (2 * u - 1) ** 3 - 3 * (2 * u - 1)) / 2)
    quartic = judged.pit_contrast(lambda u: (35 * (2 * u - 1) ** 4 - 30 * (2 * u - 1) ** 2 + 3) / 8)
    away = float(np.abs([cubic.observed.mean(), quartic.observed.mean()]).max())
    return Finding(away, 0.0, joint_p(judged, [cubic, quartic], _nuisance(judged)))


def standardised(judged: Judged, tested: Contrast, nuisance: Sequence[Contrast]) -> tuple[float, float]:
    """Standardised sum of a contrast, less what goes with the nuisance contrasts, and its skewness.

    0 where nothing is left to test; infinite where a distribution without variance was missed.
    """
    total, cells, before = _projected(judged, [tested], nuisance)
    variance = float((cells[0] ** 2).sum())
    if variance <= LEAST_SHARE * before[0]:
        return (np.inf * float(np.sign(total[0])) if total[0] and not nuisance else 0.0), 0.0
    root = np.sqrt(judged.table.mass).ravel()
    cubes = cells[0] ** 3 / np.where(root > 0, root, 1.0)
    return float(total[0]) / variance**0.5, float(cubes.sum()) / variance**1.5


def joint_p(judged: Judged, tested: Sequence[Contrast], nuisance: Sequence[Contrast]) -> float:
    """P-value of several such sums together, by chi-square."""
    total, cells, before = _projected(judged, tested, nuisance)
    unit = np.sqrt(np.maximum(before, 1e-300))
    strength, axes = np.linalg.eigh(cells @ cells.T / np.outer(unit, unit))
    kept = strength > LEAST_SHARE
    if not kept.any():
        return 1.0
    statistic = float((((total / unit) @ axes)[kept] ** 2 / strength[kept]).sum())
    return float(gammaincc(kept.sum() / 2, statistic / 2))


def _projected(
    judged: Judged, tested: Sequence[Contrast], nuisance: Sequence[Contrast]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums (q,) and cells (q, n * K), weighted by the roots of their probabilities; variances (q,) as they were."""
    total, cells = _stacked(judged, tested)
    before = (cells**2).sum(axis=1)
    if nuisance:
        their_total, others = _stacked(judged, nuisance)
        slopes = np.linalg.pinv(others @ others.T, rcond=1e-10, hermitian=True) @ (others @ cells.T)
        total, cells = total - their_total @ slopes, cells - slopes.T @ others
    return total, cells, before


def _stacked(judged: Judged, contrasts: Sequence[Contrast]) -> tuple[FloatArray, FloatArray]:
    root = np.sqrt(judged.table.mass)
    total = np.array([one.observed.sum() for one in contrasts])
    return total, np.array([(one.cells * root).ravel() for one in contrasts])


def two_sided(z: float, skewness: float, jumps: Literal["small", "counted"] = "small") -> float:
    """Twice the tail probability of a standardised sum on the side of z.

    On the long side by the Pearson type III distribution of this skewness; on the short side by the normal
    distribution, since estimated levels reach beyond the end of the other.  Where the sum ``"counted"`` rare events its
    skewness is the height of one jump, of which half is taken off z.
    """
    if z * skewness <= 0 or abs(skewness) < LEAST_SKEWNESS or np.isinf(z):
        return float(2 * ndtr(-abs(z)))
    beyond = max(abs(z) - (abs(skewness) / 2 if jumps == "counted" else 0.0), 0.0)
    shape = 4 / skewness**2
    return min(1.0, 2 * float(gammaincc(shape, shape + beyond * shape**0.5))) if beyond else 1.0


def holm(p: FloatArray) -> FloatArray:
    """Adjust p-values (k,) for k looks (Holm 1979, https://www.jstor.org/stable/4615733)."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


class ScoreCheck(NamedTuple):
    """Mean of a score, its expectation under the distributions, the sum of standardised differences and its p-value."""

    mean: float
    expected: float
    z: float
    p_value: float


def score_checks(judged: Judged) -> dict[str, ScoreCheck]:
    """Calibration tests by log score, ranked probability score and Dawid-Sebastiani score, where lower is better.

    The statistic Z* of Wei & Held 2014, doi:10.1007/s11749-014-0380-8: each score less its expectation over its
    standard deviation, summed, over the root of their number.  The Dawid-Sebastiani score leaves out distributions
    without variance, and is itself left out if there are no others.
    """
    table, y, wide = judged.table, judged.y, judged.variance > 0
    with np.errstate(divide="ignore"):
        log_score = -np.log(judged.distributions.pmf(y))
    density = np.where(table.mass > 0, table.mass / np.maximum(table.width, 1.0), 1.0)
    distance = expected_distance(table)
    half = table.mean(distance)[:, None] / 2
    rps = (table.mass * np.abs(table.counts - y[:, None])).sum(axis=1) - half[:, 0]
    everything = np.ones(len(y), dtype=np.bool_)
    checks = {
        "log_score": _score_check(table, log_score, -np.log(density), everything),
        "rps": _score_check(table, rps, distance - half, everything),
    }
    if wide.any():
        mean, spread = judged.mean, np.where(wide, judged.variance, 1.0)
        dss = (y - mean) ** 2 / spread + np.log(spread)
        cells = (table.counts - mean[:, None]) ** 2 / spread[:, None] + np.log(spread)[:, None]
        checks["dss"] = _score_check(table, dss, cells, wide)
    return checks


def _score_check(table: DistributionTable, score: FloatArray, cells: FloatArray, kept: NDArray[np.bool_]) -> ScoreCheck:
    """Compare scores (n,) with those of every cell (n, K), over the counts that are kept."""
    expected = table.mean(cells)
    spread = np.sqrt(table.mean((cells - expected[:, None]) ** 2))
    away = score - expected
    open_ended = kept & (spread > 0)
    missed = bool((away[kept & ~open_ended] > 0).any())  # a distribution without variance that was not met
    z = np.inf if missed else float((away[open_ended] / spread[open_ended]).sum() / max(open_ended.sum(), 1) ** 0.5)
    return ScoreCheck(float(score[kept].mean()), float(expected[kept].mean()), z, float(2 * ndtr(-abs(z))))


def _nuisance(judged: Judged) -> list[Contrast]:
    """Scores of the level and of the dispersion."""
    return [judged.contrast(_level_score), judged.contrast(_dispersion_score)]


def _level_score(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Slope of the log-likelihood in the log of the mean, for NB2 and Poisson; 0 without variance."""
    value: FloatArray = np.where(variance > 0, (y - mean) * mean / np.where(variance > 0, variance, 1.0), 0.0)
    return value


def _square(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Pearson residual squared; 0 without variance."""
    value: FloatArray = np.where(variance > 0, (y - mean) ** 2 / np.where(variance > 0, variance, 1.0), 0.0)
    return value


def _dispersion_score(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Slope of the log-likelihood in the dispersion of NB2 counts with this mean and variance, without constants."""
    square = np.where(mean > 0, mean, 1.0) ** 2
    implied = np.where(mean > 0, (variance - mean) / square, 0.0)
    size = 1 / np.maximum(implied, POISSON_LIKE)
    negbin = -(psi(y + size) - psi(size)) * size**2 + (y - mean) * size / (1 + mean / size)
    value: FloatArray = np.where(implied > POISSON_LIKE, negbin, ((y - mean) ** 2 - y) / 2)
    return value
