"""Shares of one side in the counts of two, given their totals: beta-binomial regression, many series at once.

Where two counts are Poisson with rates ``a_t * s_t`` and ``b_t * s_t``, the first is binomial given their total, with
share ``a_t / (a_t + b_t)``, whatever the shared level ``s_t`` was: conditioning on the total takes every shared
multiplicative level out, exactly.  Plain arrays in and out; :func:`escalation.analysis.excitation.excitation` is the
way in for users.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray

STEPS = (6, 3, 3)
"""Newton steps of the coefficients, and between them the correlation is found anew."""
PRIOR_SD = 5.0
"""Prior standard deviation of each coefficient times the root mean square of its term; it keeps the coefficients finite
where a share is always 0 or 1."""
MOST_CORRELATED = 0.9


class ShareFit(NamedTuple):
    """Beta-binomial regressions of s series: coefficients (s, k), covariances (s, k, k), correlations (s,)."""

    coef: FloatArray
    cov: FloatArray
    correlation: FloatArray


def fit_shares(counts: FloatArray, totals: FloatArray, x: FloatArray) -> ShareFit:
    """Fit logits of shares to terms, for several series at once.

    The correlation of two events of one period, ``Var = n p q (1 + (n - 1) correlation)``, is that which makes
    Pearson's statistic its degrees of freedom (Williams 1982, doi:10.2307/2347977), here solved for in one step.

    Parameters
    ----------
    counts : (s, n) float array
        Counts of the first side.
    totals : (n,) float array
        Counts of both, the same for all series; 0 where a period is to be left out.
    x : (s, n, k) float array
        Terms of the logit.
    """
    k = x.shape[2]
    used = totals > 0
    n = max(int(used.sum()), k + 1)
    spread = np.sqrt(np.maximum((x**2)[:, used].sum(axis=1) / n, 1e-12))
    ridge = np.eye(k) * (spread / PRIOR_SD)[:, :, None] ** 2
    coef, correlation = np.zeros((len(counts), k)), np.zeros(len(counts))
    for turn, steps in enumerate(STEPS):
        inflation = 1 + np.maximum(totals - 1, 0.0) * correlation[:, None]
        for _ in range(steps):
            share = _share(x, coef)
            weight = totals * share * (1 - share) / inflation
            information = (x * weight[:, :, None]).transpose(0, 2, 1) @ x + ridge
            score = ((counts - totals * share) / inflation)[:, None, :] @ x - coef[:, None, :] @ ridge
            step = np.linalg.solve(information, score.transpose(0, 2, 1))[:, :, 0]
            coef = coef + np.clip(step, -2 / spread, 2 / spread)
        if turn < len(STEPS) - 1:
            share = _share(x, coef)
            plain = np.where(used, totals * share * (1 - share), 1.0)
            pearson = ((counts - totals * share) ** 2 / plain / inflation).sum(axis=1)
            more = (np.maximum(totals - 1, 0.0) / inflation).sum(axis=1)
            correlation = np.clip(correlation + (pearson - (n - k)) / np.maximum(more, 1e-9), 0.0, MOST_CORRELATED)
    return ShareFit(coef, np.linalg.inv(information), correlation)


def _share(x: FloatArray, coef: FloatArray) -> FloatArray:
    """Shares (s, n) of terms (s, n, k)."""
    return inverse_logit((x @ coef[:, :, None])[:, :, 0])


def inverse_logit(logit: FloatArray) -> FloatArray:
    """Shares of logits, short of 0 and 1."""
    return 1 / (1 + np.exp(-np.clip(logit, -30.0, 30.0)))


def draw_split(totals: FloatArray, share: FloatArray, correlation: float, rng: Generator) -> FloatArray:
    """Draw beta-binomial counts of the first side; all arguments have one shape, or broadcast to it."""
    if correlation > 0:
        size = (1 - correlation) / correlation
        share = rng.beta(np.maximum(share * size, 1e-9), np.maximum((1 - share) * size, 1e-9))
    return rng.binomial(totals.astype(np.int64), share).astype(float)
