"""The usual fluctuation of a series: whether a rise goes beyond what it does anyway, neighbours being alike."""

from __future__ import annotations

import numpy as np

from escalation.analysis.fluctuation import fit_fluctuation
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.histories import POOLED, spread_over
from escalation.models.contract.design import Design

REPLICATES = 2000
"""Series that are drawn, shared out over the histories."""
HALF = 0.5
"""Incidents that are added to both windows, so that their ratio exists where one is empty."""


def probability_unusual(array: FloatArray, design: Design, now: slice, was: slice, *, rng: Seed = None) -> float:
    """Probability that a series which merely fluctuates rises less from one window to the other than this one did.

    A log rate that is pulled back to its usual level, with its autocorrelation and the dispersion of the counts, is
    fitted to all counts (:class:`escalation.models.LocalLevel`); from its posterior whole series are drawn, and the
    ratio of the windows' rates in each is compared with the one that was counted (a posterior predictive check: Rubin
    1984, doi:10.1214/aos/1176346785).  Ties count half.

    Parameters
    ----------
    array : (histories, n) float array
        Counts, NaN where not observed.
    design : Design
        The n periods, with their exposure.
    now, was : slice
        Places of the recent and of the baseline window, each with an observed period.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    float
        Mean over at most 25 histories; NaN where the model cannot be fitted: with fewer than 5 observed periods, or
        counts above 1e7.
    """
    array = array[spread_over(len(array), POOLED)]
    fitted = fit_fluctuation(array, design)
    if fitted is None:
        return float("nan")
    model, estimates = fitted
    windows = [(window, np.where(np.isnan(array[0, window]), 0.0, design.exposure[window])) for window in (now, was)]
    generators = as_generator(rng).spawn(len(estimates))
    draws = -(-REPLICATES // len(estimates))
    shares = []
    for estimate, seen, generator in zip(estimates, array, generators, strict=True):
        drawn = _log_ratio(model.replicate(estimate, design, draws, rng=generator).astype(float), windows)
        counted = _log_ratio(seen[None], windows)[0]
        shares.append((drawn < counted).mean() + (drawn == counted).mean() / 2)
    return float(np.mean(shares))


def _log_ratio(counts: FloatArray, windows: list[tuple[slice, FloatArray]]) -> FloatArray:
    """Log ratio (draws,) of the rates of two windows in counts (draws, n), each with its observed exposure."""
    logs = []
    for window, exposure in windows:
        total = np.where(exposure > 0, counts[:, window], 0.0).sum(axis=1)
        logs.append(np.log((total + HALF) / exposure.sum()))
    value: FloatArray = logs[0] - logs[1]
    return value
