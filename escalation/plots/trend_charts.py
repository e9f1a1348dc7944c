"""Charts of a rate change: the two windows on the series, and the ratio of their rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.analysis.trend.rate_change import RateChange, WindowRate
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, unpack_counts
from escalation.plots.style import (
    GREY,
    INK,
    SMALL,
    count_axis,
    date_axis,
    edges,
    finish,
    headline,
    new_chart,
    note_at_top,
    points,
    stand_apart,
    styled,
)
from escalation.plots.tally_charts import draw_seen
from escalation.plots.text import printable, text_width

WINDOWS = {"baseline": ("#ececec", (0, (1, 1.5))), "recent": ("#c9c9c9", "-")}
"""Shade and line style of each window."""
STRIP = 0.07
"""Share of the height that the strip with the windows' names takes."""


@styled
def trend(counts: CountsLike, change: RateChange, *, unit: str | None = None) -> Figure:
    """Chart a rate change: both windows with their rates on the series, and the ratio of the rates.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        The counts or histories that were compared.
    change : RateChange
        From :func:`escalation.compare_rates`.
    unit : str, optional
        What is counted; what the series brings, or ``incidents``, when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> weeks = pd.period_range("2024-09-02", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5], index=weeks)
    >>> figure = trend(counts, escalation.compare_rates(counts, 4, 8, family="negbin"), unit="raids")
    >>> figure.axes[0].get_title(loc="left")
    '4.5 raids per week, 1.1 before: the probability of a higher rate is 0.998'
    """
    counts, _, unit = unpack_counts(counts, unit=unit)
    chart, (upper, lower) = new_chart(7.0, (3.2, 1.4))
    draw_windows(counts, change, upper, unit=unit)
    draw_ratio(change, lower)
    return chart


def draw_windows(counts: pd.Series | pd.DataFrame, change: RateChange, ax: Axes, *, unit: str = "incidents") -> None:
    """Draw the series with both windows, each with its rate and the interval of the rate."""
    whole = pd.PeriodIndex(counts.index)
    # so much of the series before the windows as distinguishes them from it
    before = max((change.recent.last - change.baseline.first).n // 4, 2)
    shown = counts[whole >= change.baseline.first - before]
    index = pd.PeriodIndex(shown.index)
    highest = draw_seen(shown, ax, level=change.level)
    for name, window in (("baseline", change.baseline), ("recent", change.recent)):
        _draw_window(ax, name, window, change.level)
    at = edges(index)
    date_axis(ax, at[0], at[-1])
    for name, window in (("baseline", change.baseline), ("recent", change.recent)):
        _name_window(ax, name, window, at[-1] - at[0])
    word = period_word(index.freqstr)
    count_axis(
        ax,
        f"{printable(unit)} per {word}",
        1.12 * max(highest, _drawable(change.recent), _drawable(change.baseline)),
        usual=max(highest, change.recent.rate, change.baseline.rate),
    )
    finish(
        ax,
        f"{figure_text(change.recent.rate)} {printable(unit)} per {word}, {figure_text(change.baseline.rate)} before: "
        f"the probability of a higher rate is {probability_text(change.probability_higher)}",
    )


def _drawable(window: WindowRate) -> float:
    return window.upper if np.isfinite(window.upper) else window.rate


def _draw_window(ax: Axes, name: str, window: WindowRate, level: float) -> None:
    begin, *_, end = edges(pd.period_range(window.first, window.last))
    shade, line = WINDOWS[name]
    ax.axvspan(begin, end, ymin=1 - STRIP, facecolor=shade, linewidth=0, zorder=0.4)
    ax.vlines(
        [begin, end], 0, 1, transform=ax.get_xaxis_transform(), color=GREY, linewidth=0.6, zorder=0.4, gid="edges"
    )
    label = f"mean rate, {name}"
    ax.hlines(window.rate, begin, end, color=INK, linewidth=1.6, linestyle=line, label=label, gid=name)
    ax.errorbar(
        (begin + end) / 2,
        window.rate,
        [[window.rate - window.lower], [_drawable(window) - window.rate]],
        fmt="none",
        ecolor=INK,
        elinewidth=1.0,
        capsize=4,
        label=f"{level:.0%} interval of the rate" if name == "recent" else "_baseline interval",
    )


def _name_window(ax: Axes, name: str, window: WindowRate, span: float) -> None:
    """Write the window's name over it where it is wide enough."""
    begin, *_, end = edges(pd.period_range(window.first, window.last))
    if text_width(name, SMALL) + 6 < (end - begin) / span * points(ax)[0] * 0.85:
        note_at_top(ax, name, (begin + end) / 2)


def draw_ratio(change: RateChange, ax: Axes) -> None:
    """Draw the ratio of the rates with its interval on a logarithmic axis, beside the line of no change."""
    low, high = ratio_limits(change)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.axvline(1.0, color=GREY, linewidth=0.8)
    ax.plot([max(change.lower, low), min(change.upper, high)], [0, 0], color=INK, linewidth=1.4, gid="interval")
    ax.plot(change.ratio, 0, "o", color=INK, ms=5)
    ax.set_ylim(-1, 1)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    _ratio_ticks(ax, low, high)
    ax.set_xlabel("recent rate / baseline rate (logarithmic scale; 1 is no change)")
    lower, upper = figure_text(change.lower), figure_text(change.upper)
    headline(
        ax, f"{figure_text(change.ratio)} times the baseline rate ({change.level:.0%} interval {lower} to {upper})"
    )


def ratio_limits(change: RateChange) -> tuple[float, float]:
    """Ends of the axis of a ratio; an interval that reaches 0 or infinity runs to the end."""
    finite = [value for value in (change.lower, change.ratio, change.upper) if 0 < value < np.inf]
    low, high = min([*finite, 0.5]), max([*finite, 2.0])
    if change.lower <= 0:
        low /= 10
    if change.upper == np.inf:
        high *= 10
    return low / 1.3, high * 1.3


def _ratio_ticks(ax: Axes, low: float, high: float) -> None:
    """Set round ratios as ticks, as dense as they fit."""
    width = points(ax)[0] * 0.85
    ax.minorticks_off()
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1, 2, 5), (1,), (1,)):
        step = 1 if digits != (1,) else max(1, len(powers) // 8)
        ticks = np.array([digit * 10.0**power for power in powers if power % step == 0 for digit in digits])
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        labels = [f"{tick:,.10g}" for tick in ticks]
        if stand_apart(np.log(ticks), labels, width / np.log(high / low), 6.0):
            break
    ax.set_xticks(ticks, labels)


def figure_text(value: float) -> str:
    """Write a rate or a ratio with two or three figures."""
    if np.isinf(value):
        return "no limit"
    if value >= 99.95:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value >= 0.95:
        return f"{value:.1f}"
    return f"{value:.2g}" if value >= 0.0005 else "0"


def total_text(value: float) -> str:
    """Write a sum of counts; the mean over histories with a decimal where it is small."""
    return f"{value:,.0f}" if value == round(value) else figure_text(value)
