"""Stretches of counts: what each ended in, how like one another they are, and what followed them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_counts

MOST_STRETCHES = 40_000
"""Past stretches that are compared; of more, only those that end at every second, third, ... period."""
NARROWEST = 0.05
"""Least bandwidth: where many stretches are the same as the present, those nearly the same count too."""
RECENT = 3
"""Periods whose mean futures are scaled by."""
MOST_SCALED = 10.0
"""Futures are not scaled up or down by more: what differs so much is no analogue."""
USUAL_PLUS = 10.0
"""Added to the usual count before it is multiplied to a cap, so that small counts are not held."""
FADED = 8
"""Half-lives after which the own past is left out."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches whose next periods are known.

    Attributes
    ----------
    period : (m,) int64 array
        Place of the last period of each.
    unit : (m,) int64 array
        Place of its unit.
    features : (m, 3) float array
        What it ended in, see :func:`ending_features`.
    age : (m,) float array
        Periods from its end to the last one that is known.
    """

    period: IntArray
    unit: IntArray
    features: FloatArray
    age: FloatArray


def decayed_mean(values: FloatArray, half_life: float) -> FloatArray:
    """Mean of the observed periods up to each one, halved in weight for every ``half_life`` of them after it.

    Shape (n, units); NaN before the first observed one.
    """
    keep = 0.5 ** (1 / half_life)
    total, weight = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    result = np.full(values.shape, np.nan)
    for t, row in enumerate(values):
        seen = ~np.isnan(row)
        total = np.where(seen, total * keep + np.where(seen, row, 0.0), total)
        weight = np.where(seen, weight * keep + 1, weight)
        np.divide(total, weight, out=result[t], where=weight > 0)
    return result


def trailing_mean(values: FloatArray, window: int) -> FloatArray:
    """Mean of the observed ones of the last ``window`` periods, that of before where there is none.

    Shape (n, units); NaN before the first observed one.
    """
    seen = ~np.isnan(values)
    number = _trailing_sum(seen.astype(np.float64), window)
    result = np.full(values.shape, np.nan)
    np.divide(_trailing_sum(np.where(seen, values, 0.0), window), number, out=result, where=number > 0)
    places = np.where(number > 0, np.arange(len(values))[:, None], 0)
    return np.take_along_axis(result, np.maximum.accumulate(places, axis=0), axis=0)


def usual_caps(values: FloatArray, window: int, times: float) -> FloatArray:
    """At each period so many times the mean of the last ``window`` periods without their largest, ``USUAL_PLUS`` added.

    Shape (n, units); infinite where fewer than two of them were observed.
    """
    padded = np.concatenate([np.full((window - 1, values.shape[1]), np.nan), values])
    seen = ~np.isnan(padded)
    number = np.lib.stride_tricks.sliding_window_view(seen, window, axis=0).sum(axis=-1)
    filled = np.where(seen, padded, 0.0)
    views = np.lib.stride_tricks.sliding_window_view(filled, window, axis=0)
    rest = views.sum(axis=-1) - views.max(axis=-1)
    caps: FloatArray = np.where(number > 1, times * (rest / np.maximum(number - 1, 1) + USUAL_PLUS), np.inf)
    return caps


def _trailing_sum(values: FloatArray, window: int) -> FloatArray:
    summed = np.cumsum(values, axis=0)
    result = summed.copy()
    result[window:] -= summed[:-window]
    return result


def ending_features(
    counts: FloatArray, half_life: float, window: int, weights: tuple[float, float, float]
) -> FloatArray:
    """What the stretch up to each period ends in: its level, its variability, and how long it has been quiet.

    Parameters
    ----------
    counts : (n, units) float array
        NaN where not observed.
    half_life : float
        Of the level, the decayed mean of ln(1 + count).
    window : int
        Periods of the variability, the standard deviation of ln(1 + count).
    weights : tuple of three floats
        What the three are multiplied by.

    Returns
    -------
    (n, units, 3) float array
        Each depends on its period and those before it alone; NaN before the unit's first count.
    """
    logs = np.log1p(counts)
    level = decayed_mean(logs, half_life)
    mean = trailing_mean(logs, window)
    variance = np.maximum(trailing_mean(logs**2, window) - mean**2, 0.0)
    places = np.arange(len(counts), dtype=np.float64)[:, None]
    quiet = places - np.maximum.accumulate(np.where(counts > 0, places, -1.0), axis=0)
    features: FloatArray = np.stack([level, np.sqrt(variance), np.log1p(quiet)], axis=2) * np.array(weights)
    return features


def past_stretches(
    counts: FloatArray, features: FloatArray, last: int, steps: int, first: int, most: int = MOST_STRETCHES
) -> Stretches:
    """Stretches that ended at period ``first`` or later and whose next ``steps`` counts are known at ``last``."""
    ends = np.arange(last - steps, first - 1, -1)
    ends = ends[:: max(-(-len(ends) * counts.shape[1] // most), 1)]
    known = np.cumsum(~np.isnan(counts[: last + 1]), axis=0)
    whole = (known[ends + steps] - known[ends] == steps) & ~np.isnan(counts[ends])
    row, unit = np.nonzero(whole)
    period = ends[row]
    return Stretches(period, unit, features[period, unit], (last - period).astype(np.float64))


def similarities(
    past: Stretches, features: FloatArray, unit: int, *, k: int, other_unit: float, memory: float
) -> FloatArray:
    """Weights (m,) of stretches for a unit that stands at ``features`` (3,); see the class ``Analogues``."""
    away = past.features - features
    square = np.einsum("mf,mf->m", away, away) + other_unit * (past.unit != unit)
    place = min(k, len(square)) - 1
    width = max(float(np.partition(square, place)[place]), NARROWEST**2)
    weight: FloatArray = np.exp((square.min() - square) / width) * 0.5 ** ((past.age - past.age.min()) / memory)
    return weight


def draw_places(weights: FloatArray, draws: int, rng: Generator) -> IntArray:
    """Places drawn with these weights (m,): systematic, in order, one random number for all."""
    summed = np.cumsum(weights)
    ladder = (np.arange(draws) + rng.random()) / max(draws, 1)
    places: IntArray = np.minimum(np.searchsorted(summed, ladder * summed[-1], side="right"), len(weights) - 1)
    return places


def scaled_futures(
    counts: FloatArray, recent: FloatArray, past: Stretches, places: IntArray, now: float, steps: int, offset: float
) -> FloatArray:
    """What followed the stretches at ``places`` (draws,), brought to the present level.

    Parameters
    ----------
    counts : (n, units) float array
        The panel.
    recent : (n, units) float array
        Mean of the last periods at each one.
    past : Stretches
        All of them.
    places : (draws,) int64 array
        Which ones.
    now : float
        The present value of ``recent``.
    steps : int
        Periods that followed.
    offset : float
        Counts are multiplied by ``(now + offset) / (then + offset)``, at most ``MOST_SCALED`` times up or down.

    Returns
    -------
    (draws, steps) float array
    """
    period, unit = past.period[places], past.unit[places]
    ratio = np.clip((now + offset) / (recent[period, unit] + offset), 1 / MOST_SCALED, MOST_SCALED)
    scaled: FloatArray = counts[period[:, None] + np.arange(1, steps + 1), unit[:, None]] * ratio[:, None]
    return scaled


def faded_past(counts: FloatArray, half_lives: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """Recent observed counts of one unit (n,) and their shares.

    Shares are halved for every half-life of observed counts after it; with several half-lives they are the mean.
    """
    values = counts[~np.isnan(counts)][-math.ceil(FADED * max(half_lives)) :]
    faded = 0.5 ** (np.arange(len(values))[::-1] / np.array(half_lives)[:, None])
    share: FloatArray = (faded / faded.sum(axis=1, keepdims=True)).mean(axis=0)
    return values, share


def own_draws(
    counts: FloatArray, half_lives: tuple[float, ...], smoothing: float, shape: tuple[int, int], rng: Generator
) -> IntArray:
    """Counts of shape (draws, steps) from one unit's recent ones (n,), each with NB2 noise of that dispersion."""
    values, share = faded_past(counts, half_lives)
    ladder = (np.arange(shape[0])[:, None] + rng.random((1, shape[1]))) / max(shape[0], 1)
    drawn = values[np.minimum(np.searchsorted(np.cumsum(share), ladder), len(values) - 1)]
    if smoothing == 0:
        return drawn.astype(np.int64)
    return draw_counts(drawn, smoothing, rng)


def in_order_of(values: IntArray, template: IntArray, rng: Generator) -> IntArray:
    """Give each step's values (draws, steps) the ranks of a template's, so that paths run as its paths do.

    The Schaake shuffle (Clark et al. 2004, doi:10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2); ties fall at random.
    """
    ranked = np.lexsort((rng.random(template.shape), template), axis=0)
    result = np.empty_like(values)
    np.put_along_axis(result, ranked, np.sort(values, axis=0), axis=0)
    return result
