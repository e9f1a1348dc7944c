"""A series whose rate may change, as arrays with their priors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.analysis.changes.segments import Sums
from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.counts.histories import spread_over
from escalation.counts.schema import checked_counts, is_histories
from escalation.errors import InputError
from escalation.models.contract.design import make_design

MOST_PERIODS = 5_000
"""Longer series would need more than 100 MB."""
LARGEST_TOTAL = 1e11


class CutSeries(NamedTuple):
    """Histories (n, m), exposures (n,) and the priors."""

    matrix: FloatArray
    exposure: FloatArray
    periods: pd.PeriodIndex
    shape: float
    divisor: float
    expected_run_length: float

    def sums(self, y: FloatArray, thinned: int = 1) -> Sums:
        """One history (n,), with changes at every ``thinned``-th place only."""
        seen = ~np.isnan(y)
        counts = np.concatenate([[0.0], np.cumsum(np.where(seen, y, 0.0))])
        covered = np.concatenate([[0.0], np.cumsum(np.where(seen, self.exposure, 0.0))])
        places = np.unique(np.append(np.arange(0, len(y), thinned), len(y)))
        hazard = -math.expm1(thinned * math.log1p(-1 / self.expected_run_length))
        return Sums(counts[places], covered[places], self.shape, self.divisor, hazard)


def cut_series(
    counts: pd.Series | pd.DataFrame,
    exposure: pd.Series | None,
    family: str,
    expected_run_length: float | None,
    prior: tuple[float, float] | None,
    histories: int,
) -> CutSeries:
    """Check what was given and put it into arrays.

    Raises
    ------
    InputError
        If the counts are of several units, too few, too many or too large, or an option cannot be used.
    """
    table, matrix = checked_counts(counts)
    if isinstance(table, pd.DataFrame) and not is_histories(table):
        raise InputError(f"changes are found in one series, this is a table of {table.shape[1]} units; give one column")
    if family not in ("fluctuating", "negbin", "poisson"):
        raise InputError(f"family is {family!r}; changes are found with 'fluctuating', 'negbin' or 'poisson'")
    matrix = matrix[:, spread_over(matrix.shape[1], check_whole(histories, "histories", 1_000_000))]
    n, periods = len(matrix), pd.PeriodIndex(table.index)
    unobserved = np.isnan(matrix[:, 0])
    if (~unobserved).sum() < 2 or n > MOST_PERIODS:
        raise InputError(
            f"{int((~unobserved).sum())} of {n:,} periods are observed; changes need 2 of at most {MOST_PERIODS:,}"
        )
    shares = make_design(periods, 0, exposure, None, unobserved).exposure
    most = float(np.nansum(matrix, axis=0).max())
    if most > LARGEST_TOTAL:
        raise InputError(f"the counts sum to {most:g}; changes are found up to {LARGEST_TOTAL:g}, count larger units")
    length = float(n) if expected_run_length is None else expected_run_length
    if isinstance(length, bool) or not isinstance(length, int | float | np.integer) or not 1 < length < math.inf:
        raise InputError(
            f"expected_run_length is {length!r}; give the number of periods expected between changes, above 1"
        )
    if prior is None:
        prior = (1.0, float(shares[~unobserved].sum() / (np.nansum(matrix, axis=0).mean() + 0.5)))
    if len(prior) != 2 or not all(0 < part < math.inf for part in prior):
        raise InputError(f"prior is {prior!r}; give the shape and the divisor of a gamma distribution, both above 0")
    return CutSeries(matrix, shares, periods, float(prior[0]), float(prior[1]), float(length))


def log_density(log_a: FloatArray) -> FloatArray:
    """Prior density of the log dispersion, as a log."""
    return log_a / 2 - np.exp(log_a / 2) - math.log(2)


def log_shares(nodes: FloatArray) -> FloatArray:
    """Prior probability of dispersions (k,) that stand for all between them, as logs."""
    if len(nodes) == 1:
        return np.zeros(1)
    edges = np.sqrt(nodes[1:] * nodes[:-1]) ** 0.5
    above = np.concatenate([[1.0], np.exp(-edges), [0.0]])
    return np.log(-np.diff(above))
