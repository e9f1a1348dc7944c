"""Likelihoods of zero-inflated and hurdle counts on plain arrays, with exact derivatives.

A point holds coefficients (p) of the log mean, coefficients (q) of the log odds of a zero, and, for NB2, the log
dispersion.  "Zero" is a zero of its own kind where counts are zero-inflated, and any zero behind a hurdle.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.newton import Height
from escalation.models.regression.derivatives import Slopes, Variance, logpmf, slopes

Kind: TypeAlias = Literal["inflated", "hurdle"]
Family: TypeAlias = Literal["poisson", "negbin"]


LARGEST_LOG_DISPERSION = float(np.log(1e3))
"""Above this a dispersion is drawn back: counts behind a hurdle may be likeliest with an infinite one."""


class ZeroData(NamedTuple):
    """Counts (n,), orthogonal terms of the mean (n, p) and of a zero (n, q), log exposure (n,)."""

    y: FloatArray
    x: FloatArray
    z: FloatArray
    offset: FloatArray


class Prior(NamedTuple):
    """Normal priors of the coefficients: centres and precisions (p + q,); ``sqrt(dispersion)`` exponential, or not."""

    centre: FloatArray
    precision: FloatArray
    on_dispersion: bool


def log_likelihood(kind: Kind, family: Family, points: FloatArray, data: ZeroData) -> FloatArray:
    """Log-likelihood of each of k points (k, d), shape (k,)."""
    p, q = data.x.shape[1], data.z.shape[1]
    log_mean = points[:, :p] @ data.x.T + data.offset
    odds = points[:, p : p + q] @ data.z.T
    variance: Variance = "nb2" if family == "negbin" else "poisson"
    log_d = points[:, -1:]
    count = logpmf(variance, data.y, log_mean, log_d)
    log_zero, log_rest = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
    if kind == "inflated":
        each = log_rest + np.where(data.y > 0, count, np.logaddexp(odds, count))
    else:
        at_zero = logpmf(variance, np.zeros(len(data.y)), log_mean, log_d)
        each = np.where(data.y > 0, log_rest + count - log_above(at_zero), log_zero)
    return np.asarray(each.sum(axis=1), dtype=np.float64)


def log_above(at_zero: FloatArray) -> FloatArray:
    """``log(1 - exp(at_zero))`` of log probabilities of 0, without loss of digits for tiny means."""
    with np.errstate(divide="ignore"):
        return np.log(-np.expm1(at_zero))


def height(kind: Kind, family: Family, point: FloatArray, data: ZeroData, prior: Prior) -> Height:
    """Log-likelihood times prior of one point (d,), its score and Hessian."""
    p, q = data.x.shape[1], data.z.shape[1]
    variance: Variance = "nb2" if family == "negbin" else "poisson"
    log_mean = data.x @ point[:p] + data.offset
    odds = data.z @ point[p : p + q]
    log_d = float(point[-1])
    at = slopes(variance, data.y, log_mean, log_d)
    if kind == "inflated":
        count, by_odds, mixed = _inflated(at, data.y == 0, odds)
    else:
        zero = slopes(variance, np.zeros(len(data.y)), log_mean, log_d)
        count, by_odds, mixed = _hurdle(at, zero, data.y == 0, odds)
    score = np.zeros(len(point))
    hessian = np.zeros((len(point), len(point)))
    score[:p], score[p : p + q] = count.e @ data.x, by_odds[0] @ data.z
    hessian[:p, :p] = (data.x.T * count.ee) @ data.x
    hessian[p : p + q, p : p + q] = (data.z.T * by_odds[1]) @ data.z
    hessian[:p, p : p + q] = (data.x.T * mixed[0]) @ data.z
    hessian[p : p + q, :p] = hessian[:p, p : p + q].T
    value = float(count.value.sum())
    if family == "negbin":
        score[-1], hessian[-1, -1] = count.t.sum(), count.tt.sum()
        hessian[:p, -1] = hessian[-1, :p] = count.et @ data.x
        hessian[p : p + q, -1] = hessian[-1, p : p + q] = mixed[1] @ data.z
    return _with_prior(value, score, hessian, point, prior)


def _inflated(
    at: Slopes, is_zero: NDArray[np.bool_], odds: FloatArray
) -> tuple[Slopes, tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Slopes by log mean and log dispersion, by the log odds (first, second), and the mixed ones."""
    inflation = expit(odds)
    own = np.where(is_zero, expit(odds - at.value), 0.0)  # probability that a zero is of its own kind
    rest = 1 - own
    spread = own * rest
    value = -np.logaddexp(0.0, odds) + np.where(is_zero, np.logaddexp(odds, at.value), at.value)
    count = Slopes(
        value,
        rest * at.e,
        rest * at.ee + spread * at.e**2,
        rest * at.t,
        rest * at.et + spread * at.e * at.t,
        rest * at.tt + spread * at.t**2,
    )
    return count, (own - inflation, spread - inflation * (1 - inflation)), (-spread * at.e, -spread * at.t)


def _hurdle(
    at: Slopes, zero: Slopes, is_zero: NDArray[np.bool_], odds: FloatArray
) -> tuple[Slopes, tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """As :func:`_inflated`; ``zero`` holds the slopes of a count of 0, which is cut off."""
    probability = expit(odds)
    cut = 1 / np.expm1(-zero.value)  # odds of 0 in the distribution that is cut
    value = np.where(is_zero, -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds) + at.value - log_above(zero.value))
    bend = cut * (1 + cut)
    parts = (
        at.e + cut * zero.e,
        at.ee + cut * zero.ee + bend * zero.e**2,
        at.t + cut * zero.t,
        at.et + cut * zero.et + bend * zero.e * zero.t,
        at.tt + cut * zero.tt + bend * zero.t**2,
    )
    count = Slopes(value, *(np.where(is_zero, 0.0, part) for part in parts))
    none = np.zeros_like(odds)
    return count, (is_zero - probability, -probability * (1 - probability)), (none, none)


def _with_prior(value: float, score: FloatArray, hessian: FloatArray, point: FloatArray, prior: Prior) -> Height:
    """Add the log prior."""
    k = len(prior.centre)
    away = point[:k] - prior.centre
    value -= float(prior.precision @ away**2) / 2
    score[:k] -= prior.precision * away
    hessian[np.arange(k), np.arange(k)] -= prior.precision
    over = float(point[-1]) - LARGEST_LOG_DISPERSION if len(point) > k else 0.0
    if over > 0:
        value -= over**2 / 2
        score[-1] -= over
        hessian[-1, -1] -= 1.0
    if prior.on_dispersion:
        root = float(np.exp(point[-1] / 2))
        value += point[-1] / 2 - root
        score[-1] += 0.5 - root / 2
        hessian[-1, -1] -= root / 4
    return Height(value, score, hessian)


def log_prior(points: FloatArray, prior: Prior) -> FloatArray:
    """Log prior of each of k points (k, d), up to a constant."""
    k = len(prior.centre)
    value = -((points[:, :k] - prior.centre) ** 2 @ prior.precision) / 2
    if prior.on_dispersion:
        value = value + points[:, -1] / 2 - np.exp(points[:, -1] / 2)
    return np.asarray(value, dtype=np.float64)
