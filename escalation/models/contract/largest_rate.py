"""How large expected counts of forecasts may become under a log link, whose exponential has no bound."""

from __future__ import annotations

import math

import numpy as np

from escalation.conventions.arrays import FloatArray

MOST_FOLD = 100.0
"""Expected counts of forecasts are at most so many times the largest rate observed."""


def highest_log_rate(counts: FloatArray, log_exposure: FloatArray) -> float:
    """Log rate at which forecasts are cut: ``MOST_FOLD`` times the largest rate observed.

    Where it was quiet throughout, the largest rate is taken to be one in the period with the most exposure.

    Parameters
    ----------
    counts : (n,) float array
        NaN where not observed.
    log_exposure : (n,) float array
        Of the same periods.
    """
    seen = ~np.isnan(counts)
    exposure = np.exp(log_exposure[seen])
    return math.log(MOST_FOLD * max(float((counts[seen] / exposure).max()), 1.0 / float(exposure.max())))
