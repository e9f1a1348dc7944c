"""Maximum likelihood and posterior draws of zero-inflated and hurdle counts on plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import expit, logit

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.newton import Peak, climb, highest, inverse
from escalation.models.regression.derivatives import bounded_exp
from escalation.models.regression.importance import draw_around, in_blocks
from escalation.models.regression.likelihood import LEAST_GAIN, POISSON_EXCESS, Data, maximise
from escalation.models.regression.zero_likelihood import (
    Family,
    Kind,
    Prior,
    ZeroData,
    height,
    log_likelihood,
    log_prior,
)

FLAT = 1e-8
"""Precision of a prior that keeps estimates finite where the likelihood has no maximum; it costs less than 1e-6."""
LEAST_INFORMATION = 1e-5
"""A combination of terms with less information than this (in counts) is one that has no finite estimate."""
LEVEL_SD, EFFECT_SD, ODDS_SD = 3.0, 2.5, 2.5
"""Standard deviations of the normal priors that forecasts draw with."""
EM_STEPS = 25


class ZeroMaximum(NamedTuple):
    """Point where the likelihood is highest.

    ``point`` (p + q,) holds the coefficients of the mean and of a zero, ``cov`` (p + q + 1, p + q + 1) their
    covariance and that of ``dispersion``; ``open_count`` (p, i) and ``open_zero`` (q, j) are the directions in which
    the likelihood has no maximum.
    """

    point: FloatArray
    dispersion: float
    cov: FloatArray
    llf: float
    converged: bool
    open_count: FloatArray
    open_zero: FloatArray


def maximise_zero(kind: Kind, family: Family, data: ZeroData) -> ZeroMaximum:
    """Maximum likelihood from several starts; Poisson where a dispersion gains nothing."""
    p, q = data.x.shape[1], data.z.shape[1]
    flat = Prior(np.zeros(p + q), np.full(p + q, FLAT), False)
    poisson = _best(kind, "poisson", data, flat, _poisson_starts(kind, data))
    mean, inflation = _expected(poisson.point, data)
    if family == "negbin":
        starts = [np.append(poisson.point, log_d) for log_d in np.log([0.03, 0.5])]
        if kind == "inflated":
            plain = maximise(Data(data.y, data.x, data.offset), "nb2")
            rare = np.append(-4.0, np.zeros(q - 1))
            starts.append(np.concatenate([plain.coefficients, rare, [np.log(max(plain.dispersion, 1e-3))]]))
        found = _best(kind, "negbin", data, flat, starts)
        gain = found.height.value - poisson.height.value
        if gain > LEAST_GAIN and found.point[-1] > np.log(POISSON_EXCESS / mean.max()):
            return _described(kind, "negbin", data, found, float(np.exp(found.point[-1])), 0.0)
    variance = 2 / max(float(((1 - inflation) * mean**2).sum()), 1e-9)
    return _described(kind, "poisson", data, poisson, 0.0, variance if family == "negbin" else 0.0)


def _expected(point: FloatArray, data: ZeroData) -> tuple[FloatArray, FloatArray]:
    """Mean of the counts and probability of a zero of its own kind, both (n,)."""
    p, q = data.x.shape[1], data.z.shape[1]
    return bounded_exp(data.x @ point[:p] + data.offset), expit(data.z @ point[p : p + q])


def _best(kind: Kind, family: Family, data: ZeroData, prior: Prior, starts: list[FloatArray]) -> Peak:
    """The highest of the maxima that the starts lead to."""
    return highest([climb(lambda point: height(kind, family, point, data, prior), start) for start in starts])


def _poisson_starts(kind: Kind, data: ZeroData) -> list[FloatArray]:
    """Points (p + q,) from which to climb."""
    p, q = data.x.shape[1], data.z.shape[1]
    positive = data.y > 0
    start = np.zeros(p + q)
    start[0] = np.log(max(data.y.sum(), 0.5) / max(np.exp(data.offset[positive]).sum(), 0.5))
    start[p] = logit((len(data.y) - positive.sum() + 0.5) / (len(data.y) + 1))
    if kind == "hurdle":
        return [start]
    plain = maximise(Data(data.y, data.x, data.offset), "poisson").coefficients
    return [_by_em(start, data), np.concatenate([plain, [-4.0], np.zeros(q - 1)])]


def _by_em(point: FloatArray, data: ZeroData) -> FloatArray:
    """Zero inflation by some EM steps, a Newton step for each part (Lambert 1992, doi:10.2307/1269547)."""
    for _ in range(EM_STEPS):
        mean, inflation = _expected(point, data)
        own = np.where(data.y == 0, inflation / (inflation + (1 - inflation) * np.exp(-mean)), 0.0)
        bend = (data.x.T * ((1 - own) * mean)) @ data.x, (data.z.T * (inflation * (1 - inflation))) @ data.z
        score = ((1 - own) * (data.y - mean)) @ data.x, (own - inflation) @ data.z
        step = np.concatenate([inverse(one) @ slope for one, slope in zip(bend, score, strict=True)])
        point = point + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-3:
            break
    return point


def _described(
    kind: Kind, family: Family, data: ZeroData, peak: Peak, dispersion: float, variance: float
) -> ZeroMaximum:
    """Covariance and open directions at a maximum."""
    p, q = data.x.shape[1], data.z.shape[1]
    information = -peak.height.hessian
    cov = np.zeros((p + q + 1, p + q + 1))
    size = len(peak.point)
    cov[:size, :size] = inverse(information)
    if dispersion:
        cov[-1, :] *= dispersion
        cov[:, -1] *= dispersion
    else:
        cov[-1, -1] = variance
    llf = float(log_likelihood(kind, family, peak.point[None], data)[0])
    parts = information[:p, :p], information[p : p + q, p : p + q]
    return ZeroMaximum(peak.point[: p + q], dispersion, cov, llf, peak.converged, *map(_open, parts))


def _open(information: FloatArray) -> FloatArray:
    """Directions (d, i) of next to no information (d, d)."""
    curvature, axes = np.linalg.eigh(information)
    open_ones: FloatArray = axes[:, curvature < LEAST_INFORMATION]
    return open_ones


def draw_zero(
    kind: Kind, family: Family, data: ZeroData, found: FloatArray, dispersion: float, draws: int, rng: Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw coefficients (draws, p + q) and dispersions (draws,) from the posterior around an estimate (p + q,)."""
    p, q = data.x.shape[1], data.z.shape[1]
    centre = np.zeros(p + q)
    centre[0] = np.log(max(data.y.sum(), 0.5) / np.exp(data.offset).sum())
    sd = np.full(p + q, EFFECT_SD)
    sd[0], sd[p:] = LEVEL_SD, ODDS_SD
    prior = Prior(centre, 1 / sd**2, family == "negbin")
    start = np.clip(found, centre - 2 * sd, centre + 2 * sd)
    if family == "negbin":
        start = np.append(start, np.log(np.clip(dispersion, 0.02, 10.0)))
    peak = climb(lambda point: height(kind, family, point, data, prior), start)

    def log_density(points: FloatArray) -> FloatArray:
        return log_likelihood(kind, family, points, data) + log_prior(points, prior)

    points = draw_around(peak.point, inverse(-peak.height.hessian), in_blocks(log_density, len(data.y)), draws, rng)
    return points[:, : p + q], np.exp(points[:, -1]) if family == "negbin" else np.zeros(draws)
