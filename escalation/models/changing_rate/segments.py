"""Last segments: stretches of a steady rate or steady growth that reach up to the last count, exact in both.

Before such a segment began anything may have been: that part is explained by all structures together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammaincinv

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.count_draws import draw_counts
from escalation.models.changing_rate.paths import ROOM

SHARE = 0.45
"""Prior weight of all segments together."""
HAZARD = 0.01
"""Probability that a period is the first of a new segment."""
LEVEL_SD = 1.3
"""Prior standard deviation of the log rate at the start of a segment about the log mean."""
KINDS = ((0.0, False, 0.5), (0.025, False, 0.2), (0.12, False, 0.12), (0.025, True, 0.1), (0.12, True, 0.08))
"""Prior standard deviation of the growth a period (none, slow, fast), whether along a line, and prior weight."""
MOST_CHANGE = 2.0
"""Largest prior standard deviation of the log ratio of both ends of a line."""
STEEP, STEEP_ENDS = 0.1, 0.8
"""Exponential growth beyond the first ends in a period with a probability of the second times what is beyond."""
LEAST_LEFT = 0.7
"""Share of the rate that a falling line leaves from one period to the next at the least."""
RECENT, SPARSER = 24, 1.08
"""So many last periods are all tried as starts; before them starts are further and further apart, by this factor."""
BOUNDING, BOUND, BOUND_Z = 26, 0.999, 3.09
"""Last periods whose counts bound the last rate; probability of the bound, and its normal quantile."""
FAR_BEYOND, NEXT_TO_NOTHING = 1.0, 4.0
"""Logs above the bound from which on a normal distribution is put below it, and below which a rate is as good as 0."""
MOST_STEPS, HALVINGS, GAIN = 30, 20, 1e-6
"""Limits of Newton's method: steps, halvings of one, and the gain in log posterior with which it ends."""


class Segments(NamedTuple):
    """Posteriors of all that were tried, m of them.

    The parameters of an exponential segment are the log rate at its last period and the growth a period, those of a
    line the log rates at its last and at its first period.
    """

    start: IntArray  # (m,) place of the first period
    dispersion: FloatArray  # (m,)
    linear: NDArray[np.bool_]  # (m,)
    mode: FloatArray  # (m, 2)
    root: FloatArray  # (m, 2, 2) lower root of their covariance
    log_weight: FloatArray  # (m,) log of prior times likelihood
    periods: int  # in all

    def draw_rates(self, place: int, rng: Generator) -> tuple[int, FloatArray, float]:
        """Draw one of them: where it begins, its rates (n,) from there on, NaN before, and its growth at the end."""
        start, steps = int(self.start[place]), max(self.periods - int(self.start[place]) - 1, 1)
        first, second = self.mode[place] + self.root[place] @ rng.standard_normal(2)
        back = np.arange(self.periods - start - 1, -1, -1.0)
        rates = np.full(self.periods, np.nan)
        if self.linear[place]:
            rates[start:] = math.exp(first) + (math.exp(second) - math.exp(first)) * back / steps
            ahead = 1 + (1 - math.exp(second - first)) / steps
            return start, rates, math.log(max(ahead, LEAST_LEFT))
        rates[start:] = np.exp(first - second * back)
        return start, rates, float(second)

    def one(self, place: int, levels: FloatArray, landing: FloatArray) -> Segment:
        """One of them, with the levels (nx,) that a new one may begin at and their cumulative probabilities (nx,)."""
        return Segment(
            max(self.periods - int(self.start[place]) - 1, 1),
            float(self.dispersion[place]),
            bool(self.linear[place]),
            self.mode[place],
            self.root[place],
            levels,
            landing,
        )


class Segment(NamedTuple):
    """The posterior of one last segment."""

    steps: int  # from its first to its last period, at least 1
    dispersion: float
    linear: bool
    mode: FloatArray  # (2,)
    root: FloatArray  # (2, 2)
    levels: FloatArray  # (nx,)
    landing: FloatArray  # (nx,) cumulative probabilities

    def reading(self) -> str:
        """How the rate moves, in one word."""
        return "grows" if self.root[1].any() else "steady"

    def landed(self, u: float) -> float:
        """The level that a new segment begins at, by a random number from 0 to 1."""
        return float(self.levels[min(int(np.searchsorted(self.landing, u)), len(self.levels) - 1)])


def segment_moments(segments: Sequence[Segment]) -> tuple[FloatArray, FloatArray]:
    """Means (m, 3) and covariances (m, 3, 3) of the last rate, its growth and the dispersion."""
    mode, root = np.array([one.mode for one in segments]), np.array([one.root for one in segments])
    steps, linear = np.array([one.steps for one in segments]), np.array([one.linear for one in segments])
    left = np.exp(np.where(linear, mode[:, 1] - mode[:, 0], 0.0))
    slope = np.where(linear, np.maximum((1 - left) / steps, math.log(LEAST_LEFT)), mode[:, 1])
    of_line = (root[:, 0] - root[:, 1]) * (left / steps)[:, None]
    root = np.stack([root[:, 0], np.where(linear[:, None], of_line, root[:, 1])], axis=1)
    cov = root @ root.transpose(0, 2, 1)
    rate = np.exp(mode[:, 0] + cov[:, 0, 0] / 2)
    within = np.zeros((len(segments), 3, 3))
    within[:, 0, 0], within[:, 1, 1] = rate**2 * np.expm1(cov[:, 0, 0]), cov[:, 1, 1]
    within[:, 0, 1] = within[:, 1, 0] = rate * cov[:, 0, 1]
    return np.stack([rate, slope, [one.dispersion for one in segments]], axis=1), within


def draw_on(segments: Sequence[Segment], offsets: FloatArray, exposure: FloatArray, rng: Generator) -> IntArray:
    """Draw paths (k, steps) that go on from one segment each (k of them), with log seasons (k, steps)."""
    paths = np.empty(offsets.shape, dtype=np.int64)
    drawn = np.stack([one.mode for one in segments])
    drawn += np.einsum("kij,kj->ki", np.stack([one.root for one in segments]), rng.standard_normal(drawn.shape))
    steps, dispersion = (np.array([getattr(one, name) for one in segments]) for name in ("steps", "dispersion"))
    linear = np.array([one.linear for one in segments])
    low, top = (np.array([one.levels[end] for one in segments]) for end in (0, -1))
    level, slope = drawn[:, 0], np.where(linear, 0.0, drawn[:, 1])
    rise = np.where(linear, (np.exp(level) - np.exp(np.where(linear, drawn[:, 1], level))) / steps, 0.0)
    sds, shares = np.array([kind[0] for kind in KINDS]), np.array([kind[2] for kind in KINDS])
    for step, share in enumerate(exposure):
        slope = np.where(rng.random(len(paths)) < steep_ends(slope), 0.0, slope)
        level = np.log(np.maximum(np.exp(level + slope) + rise, LEAST_LEFT * np.exp(level)))
        new = np.flatnonzero(rng.random(len(paths)) < HAZARD)
        level[new] = [segments[row].landed(u) for row, u in zip(new.tolist(), rng.random(len(new)), strict=True)]
        slope[new] = sds[rng.choice(len(sds), len(new), p=shares)] * rng.standard_normal(len(new))
        rise[new] = 0.0
        level = np.clip(level, low, top + ROOM)
        mean = share * np.exp(level + offsets[:, step])
        paths[:, step] = draw_counts(mean, dispersion / share, rng)
    return paths


def steep_ends(slope: FloatArray) -> FloatArray:
    """Probability that exponential growth with these slopes ends in a period."""
    value: FloatArray = np.minimum(STEEP_ENDS * np.maximum(np.abs(slope) - STEEP, 0.0), 0.5)
    return value


def starts(n: int) -> tuple[IntArray, IntArray]:
    """Places where a last segment of n periods may start, latest first, and for how many periods each stands."""
    back = list(range(min(2, n), min(n, RECENT) + 1))
    while back[-1] < n:
        back.append(min(n, math.ceil(back[-1] * SPARSER)))
    places = n - np.array(back)
    return places, np.append(1, -np.diff(places))


def find_segments(
    counts: FloatArray,
    log_scale: FloatArray,
    exposure: FloatArray,
    dispersions: tuple[float, ...],
    rates: FloatArray,
    before: FloatArray,
    log_prior: float,
) -> Segments:
    """Weight all last segments.

    Parameters
    ----------
    counts, log_scale, exposure : (n,) float arrays
        NaN where not observed; log of what the rate is multiplied by; share of each period that was covered.
    dispersions : tuple of float
        Each is tried, all with the same prior weight.
    rates : (m,) float array
        Observed rates.
    before : (n,) float array
        Log probability of all counts before each period.
    log_prior : float
        Log weight of all of it together.
    """
    n, level = len(counts), math.log(float(rates.mean()) + 0.05)
    places, numbers = starts(n)
    rows = [
        (place, number, *kind, dispersion)
        for place, number in zip(places, numbers, strict=True)
        for kind in KINDS
        for dispersion in dispersions
    ]
    mode, root, log_weight = np.empty((len(rows), 2)), np.zeros((len(rows), 2, 2)), np.empty(len(rows))
    start, number, growth_sd, linear, share, dispersion = (np.array(column) for column in zip(*rows, strict=True))
    explain_segments(counts, log_scale, exposure, level, start, growth_sd, linear, dispersion, mode, root, log_weight)
    _bound_ends(counts, log_scale, start, linear, dispersion, mode, root)
    began = np.where(start, np.log(HAZARD * number), 0.0)
    log_weight += before[start] + began + (n - start) * math.log1p(-HAZARD)
    log_weight += np.log(SHARE * share / len(dispersions)) + log_prior
    return Segments(start, dispersion, linear, mode, root, log_weight, n)


def _bound_ends(
    counts: FloatArray,
    log_scale: FloatArray,
    start: IntArray,
    linear: NDArray[np.bool_],
    dispersion: FloatArray,
    mode: FloatArray,
    root: FloatArray,
) -> None:
    """Keep last log rates from reaching above what the last counts leave possible, where normal ones would.

    The posterior of a rate that has long been near 0 is skewed: nearly anything below, next to nothing above.  The
    bound is the upper quantile of a gamma distribution of the rate, given the last counts of the segment and how its
    rate moves over them, dispersion allowed for.  Where the normal distribution of the log rate goes far beyond it, it
    is put below the bound, no lower than where the rate is next to nothing.
    """
    some = np.flatnonzero(root[:, 0, 0] > FAR_BEYOND / BOUND_Z)  # others do not reach so far above their modes
    start, linear, dispersion = start[some], linear[some], dispersion[some]
    last, other, sd = mode[some, 0], mode[some, 1], root[some, 0, 0]
    n = len(counts)
    back = np.arange(min(BOUNDING, n))
    seen = ~np.isnan(counts[n - 1 - back])
    scale = np.where(seen, np.exp(log_scale[n - 1 - back]), 0.0)
    counted = np.where(seen, counts[n - 1 - back], 0.0)
    own = (n - 1 - back) >= start[:, None]  # (m, back): periods of the segment
    steps = np.maximum(n - 1 - start, 1)
    first = np.exp(np.clip(other - last, -50.0, 50.0))  # of a line: its first rate over its last
    of_line = 1 + (first - 1)[:, None] * np.minimum(back / steps[:, None], 1.0)
    of_growth = np.exp(np.clip(-np.where(linear, 0.0, other)[:, None] * back, -50.0, 50.0))
    covered = (own * scale * np.where(linear[:, None], of_line, of_growth)).sum(axis=1)
    total = (own * counted).sum(axis=1) + 0.5
    shape = 1 / (1 / total + dispersion / np.maximum((own * seen).sum(axis=1), 1))
    with np.errstate(divide="ignore"):
        bound = np.log(total * gammaincinv(shape, BOUND) / shape) - np.log(covered)  # infinite where nothing is seen
    wide = last + BOUND_Z * sd > bound + FAR_BEYOND
    mode[some[wide], 0] = last = np.maximum(last[wide], bound[wide] - NEXT_TO_NOTHING)
    room = np.maximum(bound[wide] - last, FAR_BEYOND)
    root[some[wide], 0, 0] = np.minimum(sd[wide], room / BOUND_Z)


@compiled(error_model="numpy")
def beginning(counts: FloatArray, log_scale: FloatArray, size: FloatArray, level: float) -> tuple[float, float]:
    """Terms of the log-likelihood that depend on counts and sizes only, and the log rate that a search starts from."""
    constant, total, scale = 0.0, 0.0, 0.0
    for t in range(len(counts)):
        y, k = counts[t], size[t]
        if not math.isnan(y):
            constant += math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1.0) - y * math.log(k)
            total += y
            scale += math.exp(log_scale[t])
    return constant, (math.log((total + 0.5) / (scale + 0.5 * math.exp(-level))) if scale > 0 else level)


@compiled(error_model="numpy")
def explain_exponential(
    counts: FloatArray,
    log_scale: FloatArray,
    size: FloatArray,
    level: float,
    level_sd: float,
    slope_sd: float,
    mode: FloatArray,
    root: FloatArray,
) -> float:
    """Log probability of the counts (n,) of a segment, by Laplace's approximation; fills mode (2,) and root (2, 2).

    The prior of the log rate at its start is normal with ``level`` and ``level_sd``, that of the growth with mean 0 and
    ``slope_sd``; a standard deviation of 0 is no growth.  ``size`` (n,) is the inverse of the dispersion.
    """
    n = len(counts)
    constant, a = beginning(counts, log_scale, size, level)
    b = 0.0
    flat = slope_sd == 0.0
    value = -math.inf
    step_a, step_b = 0.0, 0.0
    h_aa, h_ab, h_bb = 0.0, 0.0, 0.0
    for _ in range(MOST_STEPS):
        shrink = 1.0
        for _ in range(HALVINGS):
            at_a, at_b = a + shrink * step_a, b + shrink * step_b
            new = -0.5 * ((at_a - level) / level_sd) ** 2
            g_a, g_b = -(at_a - level) / level_sd**2, 0.0
            h_aa, h_ab, h_bb = 1 / level_sd**2, 0.0, 1.0
            if not flat:
                new -= 0.5 * (at_b / slope_sd) ** 2
                g_b, h_bb = -at_b / slope_sd**2, 1 / slope_sd**2
            for t in range(n):
                y, k = counts[t], size[t]
                if math.isnan(y):
                    continue
                eta = min(at_a + at_b * t + log_scale[t], 60.0)
                mu = math.exp(eta)
                grown = 1.0 + mu / k
                new += y * eta - (y + k) * math.log(grown)
                slope = (y - mu) / grown
                bend = mu * (1.0 + y / k) / (grown * grown)
                g_a += slope
                h_aa += bend
                if not flat:
                    g_b += slope * t
                    h_ab += bend * t
                    h_bb += bend * t * t
            if new >= value - 1e-10:
                break
            shrink *= 0.5
        gained = new - value
        a, b, value = at_a, at_b, new
        if gained < GAIN:
            break
        if flat:
            step_a, step_b = g_a / h_aa, 0.0
        else:
            determinant = h_aa * h_bb - h_ab * h_ab
            step_a = (h_bb * g_a - h_ab * g_b) / determinant
            step_b = (h_aa * g_b - h_ab * g_a) / determinant
    last = n - 1.0
    mode[0], mode[1] = a + b * last, b
    if flat:
        root[0, 0] = 1 / math.sqrt(h_aa)
        return value + constant - math.log(level_sd) - 0.5 * math.log(h_aa)
    determinant = h_aa * h_bb - h_ab * h_ab
    v_aa, v_ab, v_bb = h_bb / determinant, -h_ab / determinant, h_aa / determinant
    v_ee, v_eb = v_aa + 2 * last * v_ab + last * last * v_bb, v_ab + last * v_bb
    root[0, 0] = math.sqrt(v_ee)
    root[1, 0] = v_eb / root[0, 0]
    root[1, 1] = math.sqrt(max(v_bb - root[1, 0] ** 2, 0.0))
    return value + constant - math.log(level_sd * slope_sd) - 0.5 * math.log(determinant)


@compiled(error_model="numpy")
def explain_line(
    counts: FloatArray,
    log_scale: FloatArray,
    size: FloatArray,
    level: float,
    level_sd: float,
    change_sd: float,
    mode: FloatArray,
    root: FloatArray,
) -> float:
    """Log probability as in explain_exponential, of a rate on a line from exp(a) at the first to exp(b) at the last.

    The prior of b is normal about a with ``change_sd``; the curvature is the expected one.
    """
    n = len(counts)
    constant, a = beginning(counts, log_scale, size, level)
    b = a
    value = -math.inf
    step_a, step_b = 0.0, 0.0
    h_aa, h_ab, h_bb = 0.0, 0.0, 0.0
    precise_a, precise_b = 1 / level_sd**2, 1 / change_sd**2
    for _ in range(MOST_STEPS):
        shrink = 1.0
        for _ in range(HALVINGS):
            at_a, at_b = a + shrink * step_a, b + shrink * step_b
            new = -0.5 * precise_a * (at_a - level) ** 2 - 0.5 * precise_b * (at_b - at_a) ** 2
            g_a = -precise_a * (at_a - level) + precise_b * (at_b - at_a)
            g_b = -precise_b * (at_b - at_a)
            h_aa, h_ab, h_bb = precise_a + precise_b, -precise_b, precise_b
            low, high = math.exp(min(at_a, 40.0)), math.exp(min(at_b, 40.0))
            for t in range(n):
                y, k = counts[t], size[t]
                if math.isnan(y):
                    continue
                u = t / (n - 1.0) if n > 1 else 1.0
                factor = math.exp(log_scale[t])
                d_a, d_b = (1.0 - u) * low * factor, u * high * factor
                mu = d_a + d_b
                grown = 1.0 + mu / k
                new += y * math.log(mu) - (y + k) * math.log(grown)
                weight = 1.0 / (mu * grown)
                g_a += (y - mu) * weight * d_a
                g_b += (y - mu) * weight * d_b
                h_aa += weight * d_a * d_a
                h_ab += weight * d_a * d_b
                h_bb += weight * d_b * d_b
            if new >= value - 1e-10:
                break
            shrink *= 0.5
        gained = new - value
        a, b, value = at_a, at_b, new
        if gained < GAIN:
            break
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a = (h_bb * g_a - h_ab * g_b) / determinant
        step_b = (h_aa * g_b - h_ab * g_a) / determinant
    determinant = h_aa * h_bb - h_ab * h_ab
    mode[0], mode[1] = b, a
    root[0, 0] = math.sqrt(h_aa / determinant)
    root[1, 0] = -h_ab / determinant / root[0, 0]
    root[1, 1] = math.sqrt(max(h_bb / determinant - root[1, 0] ** 2, 0.0))
    return value + constant - math.log(level_sd * change_sd) - 0.5 * math.log(determinant)


@compiled(error_model="numpy")
def explain_segments(
    counts: FloatArray,
    log_scale: FloatArray,
    exposure: FloatArray,
    level: float,
    starts: IntArray,
    growth_sds: FloatArray,
    linear: NDArray[np.bool_],
    dispersions: FloatArray,
    mode: FloatArray,
    root: FloatArray,
    value: FloatArray,
) -> None:
    """Fill mode (m, 2), root (m, 2, 2) and value (m,), the log probability of the counts, of m segments."""
    for k in range(len(starts)):
        place, growth_sd = starts[k], growth_sds[k]
        length = len(counts) - place
        size = exposure[place:] / dispersions[k]
        if linear[k]:
            change = min(growth_sd * max(length - 1, 1), MOST_CHANGE)
            value[k] = explain_line(counts[place:], log_scale[place:], size, level, LEVEL_SD, change, mode[k], root[k])
        else:
            value[k] = explain_exponential(
                counts[place:], log_scale[place:], size, level, LEVEL_SD, growth_sd, mode[k], root[k]
            )
            ends = min(STEEP_ENDS * max(abs(mode[k, 1]) - STEEP, 0.0), 0.5)
            value[k] += length * math.log1p(-ends)
