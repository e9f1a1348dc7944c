"""INGARCH in a panel: what one unit's counts say of the parameters, and its posterior with the panel's prior."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.shrinkage import LOG_SQUARE, Evidence, NormalPrior, evidence_of_draws
from escalation.models.ingarch.observed import Observed, up_to_last_count
from escalation.models.ingarch.posterior import EFFECT_SD, resample, shared_of

DRAWS = 1_000
"""Draws that sum up the posterior of one unit."""


class Drawn(NamedTuple):
    """Draws from the posterior of one unit, (DRAWS, d) each."""

    u: FloatArray  # log level, serial coefficients, effects and log dispersion
    points: FloatArray


def draw_posterior(state: dict[str, Any], *, free: bool) -> Drawn:
    """Draw from the posterior of an estimate, always the same draws."""
    data: Observed = state["data"]
    drawn = resample(state, up_to_last_count(data), DRAWS, np.random.default_rng(0), free=free)
    points = drawn.points[drawn.rows]
    u = points.copy()
    u[:, 0] /= 1 - points[:, 1 : 1 + len(data.past_obs) + len(data.past_mean)].sum(axis=1)
    with np.errstate(divide="ignore"):
        u[:, -1] = np.log(points[:, -1])
        u[:, 0] = u[:, 0] if data.log else np.log(u[:, 0])
    return Drawn(u, points)


def own_prior(data: Observed, names: tuple[str, ...]) -> NormalPrior:
    """The model's own prior of these shared parameters, by its means and standard deviations."""
    serial, effects = len(data.past_obs) + len(data.past_mean), data.x.shape[1]
    mean, sd = np.full(len(names), LOG_SQUARE[0]), np.full(len(names), LOG_SQUARE[1])
    mean[:serial] = 0.0 if data.log else 1 / (serial + 1)
    sd[:serial] = math.sqrt(1 / 3 if data.log else serial / (serial + 1) ** 2 / (serial + 2))
    mean[serial : serial + effects], sd[serial : serial + effects] = 0.0, EFFECT_SD
    return NormalPrior(names, mean, sd)


def evidence_of(state: dict[str, Any], names: tuple[str, ...], *, free: bool) -> Evidence:
    """What the counts say of the shared parameters with these names."""
    shared = shared_of(draw_posterior(state, free=free).u, state["scale"], free=free)
    return evidence_of_draws(shared, own_prior(state["data"], names[: shared.shape[1]]))


def with_prior(
    state: dict[str, Any], evidence: Evidence, prior: NormalPrior, *, free: bool
) -> tuple[dict[str, Any], Drawn]:
    """State of an estimate with the prior of a panel, at the mean of its posterior, and draws from that."""
    own = draw_posterior(state, free=free)
    d = own.u.shape[1] if free else own.u.shape[1] - 1
    mean, cov = prior.combined(evidence)
    units = state["scale"][1:d]
    centre, spread = own.u.mean(axis=0), np.zeros((d, d))
    centre[1:d], spread[0, 0], spread[1:, 1:] = mean * units, own.u[:, 0].var(), cov * np.outer(units, units)
    state = state | {"panel": prior, "around": (centre, spread), "at_bound": ()}
    drawn = draw_posterior(state, free=free)
    point, centre = drawn.points.mean(axis=0), drawn.u.mean(axis=0)
    if free:
        point[-1] = math.exp(centre[-1])
    return state | {"point": point, "around": (centre, np.cov(drawn.u[:, :d], rowvar=False))}, drawn
