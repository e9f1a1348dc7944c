"""Whether the shares of two sides in their totals follow what the other did before: tests that no shared level passes.

Plain arrays in and out; :func:`escalation.analysis.excitation.excitation` is the way in for users.  The totals of both
sides are held as they were, so a level that drives both, and whatever it did, is gone from the null hypothesis (see
``shares.py``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.analysis.excitation.share_model import ShareFit, draw_split, fit_shares, inverse_logit
from escalation.conventions.arrays import BoolArray, FloatArray

LARGEST_BATCH = 4_000_000
"""Numbers in the terms of the series that are fitted at once."""

Past = Literal["counts", "makeup"]
"""What of the past the shares may follow: the counts of each side, or how their totals were made up."""


class Trial(NamedTuple):
    """What is tested.

    Attributes
    ----------
    totals : (n,) float array
        Counts of both sides, NaN where one was not observed.
    fixed : (n, k) float array
        Terms that are not of the past, the first of them 1: season, weekdays.
    varying : tuple of int
        Which of them vary between wider bins.
    lags : int
        Bins back, 1 to ``lags``.
    widths : tuple of int
        Periods in a bin, 1 first.
    """

    totals: FloatArray
    fixed: FloatArray
    varying: tuple[int, ...]
    lags: int
    widths: tuple[int, ...]


def binned(values: FloatArray, width: int) -> FloatArray:
    """Sums of ``width`` periods along the last axis; what is too short for a bin at the beginning is left out."""
    bins = values.shape[-1] // width
    whole = values[..., values.shape[-1] - bins * width :]
    sums: FloatArray = whole.reshape(*values.shape[:-1], bins, width).sum(axis=-1)
    return sums


def after_counts(
    counts: FloatArray, trial: Trial, side: Literal["first", "second"], draws: int, rng: Generator
) -> tuple[FloatArray, FloatArray]:
    """Test whether one side's share rises with the counts of the other before.

    Parameters
    ----------
    counts : (n,) float array
        Of the first side.
    trial : Trial
    side : {"first", "second"}
        Whose share; the counts before are those of the other.
    draws : int
        Series drawn under the null hypothesis, where the share follows the side's own past and the fixed terms.
    rng : Generator

    Returns
    -------
    tuple of (widths, lags + 1) float arrays
        Standard scores of each lag and of the sum over all lags, for each width; p-values of each, adjusted for the
        number of all of them by the distribution of the largest (Westfall & Young 1993).
    """
    lags, k = trial.lags, trial.fixed.shape[1]
    x, used = _terms(counts[None], trial.totals, trial.fixed, lags, "counts")
    other = slice(k + lags, k + 2 * lags) if side == "first" else slice(k, k + lags)
    kept = np.delete(np.arange(x.shape[2]), other)
    null = _fit(counts[None], trial.totals, x[:, :, kept], used)
    coef = np.zeros(x.shape[2])
    coef[kept] = null.coef[0]
    drawn = _draw_with_past(counts, trial, coef, float(null.correlation[0]), draws, rng)
    return _adjusted(_scores(counts[None], trial, side), _scores(drawn, trial, side))


def after_makeup(counts: FloatArray, trial: Trial, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Test whether shares follow how the totals before were made up, given all totals before and now.

    A shared level that one side answers to, or reports, later than the other makes shares follow past totals; how those
    were made up it does not make them follow.  Arguments and results as in :func:`after_counts`; both sides answering
    the other, and one of them alone, raise the scores alike.
    """
    x, used = _terms(counts[None], trial.totals, trial.fixed, trial.lags, "makeup")
    kept = x[:, :, : x.shape[2] - trial.lags]
    null = _fit(counts[None], trial.totals, kept, used)
    share = inverse_logit(kept[0] @ null.coef[0])
    drawn = np.tile(counts, (draws, 1))
    drawn[:, used] = draw_split(np.tile(trial.totals[used], (draws, 1)), share[used], float(null.correlation[0]), rng)
    return _adjusted(_scores(counts[None], trial, "both"), _scores(drawn, trial, "both"))


def _draw_with_past(
    counts: FloatArray, trial: Trial, coef: FloatArray, correlation: float, draws: int, rng: Generator
) -> FloatArray:
    """Series (draws, n) of the first side's counts whose shares follow coefficients of the terms of ``"counts"``."""
    lags, k = trial.lags, trial.fixed.shape[1]
    first = np.tile(counts, (draws, 1))
    known = ~np.isnan(trial.totals)
    plain = trial.fixed @ coef[:k]
    own, others = coef[k : k + lags], coef[k + lags : k + 2 * lags]
    for t in range(lags, len(counts)):
        if known[t]:
            before = first[:, t - lags : t][:, ::-1]
            rest = trial.totals[t - lags : t][::-1] - before
            logit = plain[t] + np.nan_to_num(np.log1p(before)) @ own + np.nan_to_num(np.log1p(rest)) @ others
            first[:, t] = draw_split(trial.totals[t], inverse_logit(logit), correlation, rng)
    return first


def _fit(counts: FloatArray, totals: FloatArray, x: FloatArray, used: BoolArray) -> ShareFit:
    """Fit to the periods that have all terms."""
    return fit_shares(np.where(used, counts, 0.0), np.where(used, totals, 0.0), x)


def _terms(
    first: FloatArray, totals: FloatArray, fixed: FloatArray, lags: int, past: Past
) -> tuple[FloatArray, BoolArray]:
    """Terms (s, n, k) of the logit of the first side's share, and which periods (n,) have all of them.

    For ``"counts"`` they end with ``log(1 + count)`` of the first side 1, 2, ... periods ago, then of the second; for
    ``"makeup"`` with logs of the totals now and then, and ``lags`` log ratios of the second to the first side.
    """
    s, n = first.shape
    second = totals - first

    def back(values: FloatArray, lag: int) -> FloatArray:
        moved = np.full(values.shape, np.nan)
        moved[..., lag:] = values[..., : n - lag]
        return moved

    reach = range(1, lags + 1)
    parts = [np.broadcast_to(fixed, (s, n, fixed.shape[1]))]
    if past == "counts":
        columns = [np.log1p(back(side, lag)) for side in (first, second) for lag in reach]
    else:
        columns = [np.tile(np.log1p(back(totals, lag)), (s, 1)) for lag in range(lags + 1)]
        columns += [np.log((back(second, lag) + 0.5) / (back(first, lag) + 0.5)) for lag in reach]
    parts.append(np.stack(columns, axis=-1))
    x = np.concatenate(parts, axis=-1)
    used = ~np.isnan(totals) & ~np.isnan(x[0]).any(axis=1)
    return np.where(used[:, None], x, 0.0), used


def _scores(first: FloatArray, trial: Trial, side: Literal["first", "second", "both"]) -> FloatArray:
    """Standard scores (s, widths, lags + 1) of series (s, n), of each lag and of the sum over all."""
    past: Past = "makeup" if side == "both" else "counts"
    size = trial.totals.shape[0] * (trial.fixed.shape[1] + 2 * trial.lags)
    at_once = max(LARGEST_BATCH // size, 1)
    rows = []
    for start in range(0, len(first), at_once):
        some = first[start : start + at_once]
        rows.append(np.stack([_scores_at(some, trial, width, side, past) for width in trial.widths], axis=1))
    return np.concatenate(rows)


def _scores_at(
    first: FloatArray, trial: Trial, width: int, side: Literal["first", "second", "both"], past: Past
) -> FloatArray:
    """Standard scores (s, lags + 1) at one width."""
    lags = trial.lags
    fixed = trial.fixed if width == 1 else binned(trial.fixed[:, list(trial.varying)].T, width).T / width
    totals, counts = binned(trial.totals, width), binned(first, width)
    x, used = _terms(counts, totals, fixed, lags, past)
    fit = _fit(counts, totals, x, used)
    last = x.shape[2] - (2 * lags if side == "second" else lags)
    places = slice(last, last + lags)
    sign = -1.0 if side == "second" else 1.0
    coef, cov = sign * fit.coef[:, places], fit.cov[:, places, places]
    single = coef / np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return np.column_stack([single, coef.sum(axis=1) / np.sqrt(cov.sum(axis=(1, 2)))])


def _adjusted(seen: FloatArray, drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scores (w, j) of the series (1, w, j), and the shares of the drawn (s, w, j) whose largest is as large."""
    largest = drawn.reshape(len(drawn), -1).max(axis=1)
    as_large = (largest[:, None, None] >= seen).sum(axis=0)
    return seen[0], (1 + as_large) / (1 + len(drawn))
