"""Poisson and negative binomial regression in a panel: what one unit's counts say, and its posterior with a prior."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.estimate import Estimate
from escalation.models.contract.shrinkage import LOG_SQUARE, Evidence, NormalPrior, evidence_of_draws
from escalation.models.regression.derivatives import Variance
from escalation.models.regression.likelihood import Data
from escalation.models.regression.posterior import Moments, draw_parameters, draw_with_prior

DRAWS = 1_000
"""Draws that sum up the posterior of one unit."""


class Leaning(NamedTuple):
    """The prior of a panel, and near which mean and covariance the posterior of one unit lies."""

    prior: NormalPrior
    around: Moments


def draw_terms(estimate: Estimate, variance: Variance) -> FloatArray:
    """Draw terms and, where there is one, log dispersion (DRAWS, d) from the posterior, always the same draws."""
    data, to_terms, leaning = (estimate.state[part] for part in ("data", "to_terms", "panel"))
    rng = np.random.default_rng(0)
    if leaning is None:
        coefficients, dispersion = draw_parameters(data, variance, DRAWS, rng)
    else:
        coefficients, dispersion = draw_with_prior(data, variance, to_terms, leaning.prior, leaning.around, DRAWS, rng)
    terms: FloatArray = coefficients @ to_terms.T
    return terms if variance == "poisson" else np.column_stack([terms, np.log(dispersion)])


def own_prior(names: tuple[str, ...], variance: Variance, data: Data) -> NormalPrior:
    """The model's own prior: none of the terms, and that of the dispersion by its mean and standard deviation."""
    mean, sd = np.zeros(len(names)), np.full(len(names), np.inf)
    if variance != "poisson":
        usual = 1.0 if variance == "nb2" else max(float(data.y.mean()), 0.5 / len(data.y))
        mean[-1], sd[-1] = LOG_SQUARE[0] + np.log(usual), LOG_SQUARE[1]
    return NormalPrior(names, mean, sd)


def evidence_of(estimate: Estimate, variance: Variance) -> Evidence:
    """What the counts say of terms and log dispersion."""
    own = own_prior(estimate.names, variance, estimate.state["data"])
    return evidence_of_draws(draw_terms(estimate, variance), own)


def with_prior(estimate: Estimate, variance: Variance, prior: NormalPrior) -> Estimate:
    """Means of the posterior with the prior of a panel; ``fitted`` and ``llf`` are still those of the estimate."""
    around = prior.combined(evidence_of(estimate, variance))
    estimate = replace(estimate, state=estimate.state | {"panel": Leaning(prior, around)})
    drawn = draw_terms(estimate, variance)
    centre, spread = drawn.mean(axis=0), np.atleast_2d(np.cov(drawn, rowvar=False))
    params, slopes, dispersion = centre.copy(), np.ones(len(centre)), 0.0
    if variance != "poisson":
        slopes[-1] = dispersion = float(np.exp(centre[-1]))
        params[-1] = dispersion + (variance == "nb1")
    state = estimate.state | {"panel": Leaning(prior, (centre, spread)), "dispersion": dispersion}
    return replace(estimate, params=params, cov=spread * np.outer(slopes, slopes), state=state)
