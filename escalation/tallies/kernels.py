"""Reporting kernels: how probable what was reported is, for each true count.

A tally sees the true number ``S`` of its window through ``p(reported | S, qualifier)``.  The kernels
are data (``data/kernels.csv``, a table that the user can replace) and soft on purpose: counters
contradict themselves (55 and 56 on one day), and hard constraints would leave no solution.

Two shapes:

``point``
    a number ``n``: a two-sided geometric around ``S``, normalised over n >= 0, whose scales below and
    above are ``abs + root * sqrt(S) + rel * S`` incidents (a doubtful hour at the edge of a window
    matters more where there is more to count);
``span``
    no single number: flat while ``S`` lies in a range, geometric beyond its ends.  The range is
    ``low`` to ``high`` of the tally, or the qualifier's own (dozens, several), or, for the words of a
    rate (almost weekly), ``span_low`` to ``span_high`` times the count that the rate implies, or times
    the two counts that a rate with ``low`` and ``high`` (two or three a week) implies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.files.bundled import data_folder

EVENT_DAYS = 2
"""Windows of so many days at most were spoken of because something happened, unless their counter prints zeros too."""
REST_OF_DAY = 0.5
"""How much more than its part the whole of such a window had, on average, as a share of the part."""
SCALES = ("below_abs", "below_root", "below_rel", "above_abs", "above_root", "above_rel")
KERNEL_COLUMNS = ("shape", *SCALES, "span_low", "span_high", "per_days")


@cache
def _bundled() -> pd.DataFrame:
    return pd.read_csv(data_folder() / "kernels.csv", index_col="qualifier")


def default_kernels() -> pd.DataFrame:
    """Return the bundled table of reporting kernels, one row a qualifier.

    Returns
    -------
    pandas.DataFrame
        A copy to change and hand to ``reconstruct(..., kernels=...)``. Columns ``shape`` (point or
        span), ``below_abs``, ``above_abs`` (incidents), ``below_root``, ``above_root`` (times the root of
        the true count), ``below_rel``, ``above_rel`` (share of the true count), ``span_low``,
        ``span_high`` (incidents, or multiples where ``per_days`` is given), ``meaning``.

    Examples
    --------
    >>> default_kernels().loc["about", ["below_abs", "below_rel"]].to_dict()
    {'below_abs': 1.0, 'below_rel': 0.03}
    """
    return _bundled().copy()


def check_kernels(kernels: pd.DataFrame | None) -> pd.DataFrame:
    """Return the user's kernels, checked, or the bundled ones.

    Raises
    ------
    InputError
        If a column or a qualifier is missing, a shape is unknown, or a scale is not positive.
    """
    if kernels is None:
        return _bundled()
    missing = [name for name in KERNEL_COLUMNS if name not in kernels.columns]
    missing += [str(name) for name in _bundled().index if name not in kernels.index]
    if missing:
        raise InputError(f"kernels lacks {', '.join(missing)}; start from escalation.tallies.default_kernels()")
    unknown = kernels.index[~kernels["shape"].isin(["point", "span"])]
    if len(unknown):
        raise InputError(f"kernels: {unknown[0]!r} has a shape that is neither point nor span")
    scales = kernels[["below_abs", "above_abs"]].astype(float)
    shares = kernels[["below_root", "below_rel", "above_root", "above_rel"]].astype(float)
    bad = kernels.index[~((scales > 0).all(axis=1) & (shares >= 0).all(axis=1))]
    if len(bad):
        raise InputError(f"kernels: {bad[0]!r} needs below_abs and above_abs > 0, and no scale below 0")
    return kernels


@dataclass(frozen=True)
class Kernel:
    """The kernel of one tally.

    Attributes
    ----------
    shape : {"point", "span"}
        See the module.
    low, high : float
        The reported number twice, or the range of the true count.
    below, above : tuple of float
        Scales ``(abs, root, rel)``, already widened where the window's dates are uncertain.
    """

    shape: str
    low: float
    high: float
    below: tuple[float, float, float]
    above: tuple[float, float, float]

    def log_prob(self, true: NDArray[np.int64] | FloatArray) -> FloatArray:
        """Log probability of what was reported, for each true count (any shape)."""
        count = np.asarray(true, dtype=np.float64)
        if self.shape == "span":
            short = np.maximum(self.low - count, 0.0) / _scale(self.below, self.low)
            if np.isinf(self.high):
                return -short
            over = np.maximum(count - self.high, 0.0) / _scale(self.above, self.high)
            return -(short + over)
        below, above = _scale(self.below, count), _scale(self.above, count)
        distance = np.where(self.low <= count, (count - self.low) / below, (self.low - count) / above)
        return -distance - np.log(_mass(count, below, above))

    def sample(self, true: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
        """Draw what a counter would report for each true count (point kernels)."""
        below, above = _scale(self.below, true.astype(np.float64)), _scale(self.above, true.astype(np.float64))
        down, up = np.exp(-1.0 / below), np.exp(-1.0 / above)
        mass_down = down * (1.0 - down**true) / (1.0 - down)
        mass_up = up / (1.0 - up)
        side = rng.random(true.shape) * (1.0 + mass_down + mass_up)
        u = rng.random(true.shape)
        # inverse of the (truncated) geometric distribution functions
        fewer = 1 + np.floor(-below * np.log1p(-u * (1.0 - down ** np.maximum(true, 1))))
        more = 1 + np.floor(-above * np.log1p(-u))
        shift = np.where(side < mass_down, -fewer, np.where(side < mass_down + mass_up, more, 0.0))
        return np.maximum(true + shift, 0).astype(np.int64)


NOTHING = Kernel("span", 0.0, 0.0, (1e-3, 0.0, 0.0), (1e-3, 0.0, 0.0))
"""No incident at all: what a quiet silence says."""


def _scale(parts: tuple[float, float, float], true: FloatArray | float) -> FloatArray:
    return np.asarray(parts[0] + parts[1] * np.sqrt(true) + parts[2] * true)


def _mass(true: FloatArray, below: FloatArray, above: FloatArray) -> FloatArray:
    """Sum of the unnormalised point kernel over all n >= 0."""
    down, up = np.exp(-1.0 / below), np.exp(-1.0 / above)
    return np.asarray(1.0 + down * (1.0 - down**true) / (1.0 - down) + up / (1.0 - up))


def make_kernel(tally: pd.Series, kernels: pd.DataFrame, days: int, role: str, widen: float) -> Kernel:
    """Build the kernel of one tally.

    Parameters
    ----------
    tally : pandas.Series
        A row of checked tallies.
    kernels : pandas.DataFrame
        Checked kernels.
    days : int
        Days of its window.
    role : {"count", "floor", "ceiling"}
        Whether it counts the very place, a part of it (so the truth is not below it), or a place
        that contains it (so the truth is not above it).
    widen : float
        Factor on every scale, for uncertain dates.
    """
    row = kernels.loc[tally["qualifier"]]
    below_abs, below_root, below_rel, above_abs, above_root, above_rel = (float(row[name]) * widen for name in SCALES)
    below, above = (below_abs, below_root, below_rel), (above_abs, above_root, above_rel)
    shape = str(row["shape"])
    if shape == "point":
        low = high = float(tally["count"])
    else:
        low, high = _span(tally, row, days)
    if role == "count":
        return Kernel(shape, low, high, below, above)
    if role == "floor" and days <= EVENT_DAYS:
        # of a day that was spoken of because something happened the whole is not far above the part
        return Kernel("span", low, low, above, (1.0, 0.0, REST_OF_DAY))
    # a bound: flat on the allowed side; beyond it the truth falls short by as much as the number may be too high
    if role == "floor":
        return Kernel("span", low, np.inf, above, below)
    return Kernel("span", 0.0, high, above, below)


def _span(tally: pd.Series, row: pd.Series, days: int) -> tuple[float, float]:
    """Range of the true count of a tally without a single number."""
    stated = pd.notna(tally["low"]) and pd.notna(tally["high"])
    rated = pd.notna(row["per_days"])
    if stated and not rated:
        return float(tally["low"]), float(tally["high"])
    times = float(tally["count"]) if pd.notna(tally["count"]) else 1.0
    least, most = (float(tally["low"]), float(tally["high"])) if stated else (times, times)
    turns = days / float(row["per_days"]) if rated else 1.0
    return float(row["span_low"]) * least * turns, float(row["span_high"]) * most * turns
