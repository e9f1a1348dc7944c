"""An INGARCH fit as the null of score tests, and the distribution of the largest statistic under it, by bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.ingarch.likelihood import climb_compiled, recursion
from escalation.models.ingarch.maximum import MOST_SERIAL, Found, Search, maximise, on_bounds, search_space, two_steps
from escalation.models.ingarch.observed import Observed, with_counts
from escalation.models.ingarch.paths import ingarch_paths
from escalation.models.ingarch.score import Sensitivity, sensitivity, signed_roots

CHUNKS = 16
"""Parts that replicates are dealt out in, whatever the number of workers."""


class Null(NamedTuple):
    """A maximum as the kernels of scores take it.

    ``inverse`` is that of the bread of the free coefficients; ``method`` is how the dispersion is estimated: ``none``,
    ``ml`` or ``pearson``.
    """

    point: FloatArray
    data: Observed
    scores: Sensitivity
    inverse: FloatArray
    method: str


def null_at(point: FloatArray, data: Observed, search: Search, method: str) -> Null:
    """Scores at a maximum; coefficients on a bound of the search count as known."""
    free = ~on_bounds(point, data, search)[:-1]
    scores = sensitivity(point, data, free, quasi=method == "pearson")
    inverse = np.asarray(np.linalg.pinv((scores.slopes.T * scores.bread) @ scores.slopes, hermitian=True), np.float64)
    return Null(point, data, scores, inverse, method)


def roots_of(columns: FloatArray, null: Null, *, internal: bool) -> FloatArray:
    """Signed roots of the score statistics (m,) of regressors (m, n), each by itself."""
    return signed_roots(columns, null.point, null.data, null.scores, null.inverse, internal)


def strength(roots: FloatArray, data: Observed) -> FloatArray:
    """Statistics (m,) of effects that the model could take up: with the identity link those are >= 0."""
    positive: FloatArray = (roots if data.log else np.maximum(roots, 0.0)) ** 2
    return positive


def null_peaks(
    null: Null,
    columns: Sequence[FloatArray],
    replicates: int,
    rng: Generator,
    executor: Executor | None,
    *,
    internal: bool,
) -> FloatArray:
    """Largest statistic of each kind of regressors (replicates, kinds) on series that start and go on as the fit does.

    ``columns`` are those of each kind, (m, n).
    """
    _, carried, past = recursion(null.point, null.data)
    lead = len(carried) - len(null.data.y)
    rows = np.zeros(replicates, dtype=np.int64)
    starts = carried[None, :lead].copy(), past[None, :lead].copy()
    paths = ingarch_paths(null.point[None], *starts, rows, null.data, null.data.x, null.data.exposure, rng)
    run = partial(_peaks, null=null, columns=columns, internal=internal)
    parts = np.array_split(paths, CHUNKS)
    return np.concatenate(list(map(run, parts) if executor is None else executor.map(run, parts)))


def _peaks(paths: IntArray, *, null: Null, columns: Sequence[FloatArray], internal: bool) -> FloatArray:
    """Largest statistic of each kind on each of these series (series, kinds), the model fitted anew."""
    peaks = np.empty((len(paths), len(columns)))
    for row, path in enumerate(paths):
        data = with_counts(null.data, np.where(np.isnan(null.data.y), np.nan, path))
        search = search_space(data, free=null.method == "ml")
        peak = climb_compiled(null.point, data, search.lower, search.upper, MOST_SERIAL)
        best = Found(peak.point, peak.height.value, True) if peak.converged else maximise(data, search)
        if null.method == "pearson":
            best, _ = two_steps(best, data, search)
        again = null_at(best.point, data, search, null.method)
        peaks[row] = [strength(roots_of(some, again, internal=internal), data).max() for some in columns]
    return peaks
