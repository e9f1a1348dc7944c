"""Charts of growth: the line fitted over a window, and the growth rate of each period."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.analysis.trend.growth import WindowGrowth
from escalation.conventions.wording import percent, probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountsLike, unpack_counts
from escalation.plots.style import (
    GREY,
    INK,
    SEEN,
    SEEN_OUTER,
    band,
    date_axis,
    edges,
    finish,
    new_chart,
    period_axes,
    styled,
)
from escalation.plots.tally_charts import draw_seen


@styled
def growth(
    counts: CountsLike,
    risen: WindowGrowth,
    rates: pd.DataFrame | None = None,
    *,
    unit: str | None = None,
) -> Figure:
    """Chart the growth over a window on the series, and below it the growth rate of each period.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        The counts or histories.
    risen : WindowGrowth
        From :func:`escalation.analysis.trend.growth`.
    rates : pandas.DataFrame, optional
        From :func:`escalation.models.growth`, for the lower panel.
    unit : str, optional
        What is counted; what the series brings, or ``incidents``, when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> weeks = pd.period_range("2024-09-02", periods=10, freq="W-SUN")
    >>> counts = pd.Series([3, 4, 4, 6, 7, 8, 9, 12, 14, 17], index=weeks)
    >>> figure = growth(counts, escalation.growth_rate(counts, 10, family="negbin"), unit="raids")
    >>> figure.axes[0].get_title(loc="left")
    '+21% a week: the probability that the rate rises is above 0.999'
    """
    counts, _, unit = unpack_counts(counts, unit=unit)
    chart, axes = new_chart(7.0, (3.2,) if rates is None else (3.2, 2.2))
    draw_growth(counts, risen, axes[0], unit=unit)
    if rates is not None:
        draw_growth_rates(rates, axes[1], level=risen.level)
    return chart


def draw_growth(counts: pd.Series | pd.DataFrame, risen: WindowGrowth, ax: Axes, *, unit: str = "incidents") -> None:
    """Draw the counts with the exponential of median growth through the window, and those at the ends of its interval.

    All three have the window's total; so they show how steep, not how high.
    """
    whole = pd.PeriodIndex(counts.index)
    before = max((risen.last - risen.first).n // 2, 2)
    shown = counts[whole >= risen.first - before]
    index = pd.PeriodIndex(shown.index)
    highest = draw_seen(shown, ax, level=risen.level)
    inside = (whole >= risen.first) & (whole <= risen.last)
    known = ~np.isnan(count_matrix(counts)[inside, 0])
    at = edges(pd.period_range(risen.first, risen.last))
    steps, top = np.arange(len(known), dtype=float), 0.0
    looks = (
        (risen.growth, "-", 1.8, "median growth"),
        (risen.lower, (0, (4, 2)), 1.0, f"{risen.level:.0%} interval of the growth"),
        (risen.upper, (0, (4, 2)), 1.0, "_upper"),
    )
    for share, line, width, label in looks:
        shape = np.exp(np.clip(np.log1p(share) * (steps - steps[-1] / 2), -50, 50))
        curve = shape * risen.total / shape[known].sum()
        top = max(top, float(curve.max())) if label == "median growth" else top
        ax.plot((at[1:] + at[:-1]) / 2, curve, color=INK, linestyle=line, linewidth=width, label=label)
    period_axes(ax, index, unit, 1.1 * max(highest, top))
    word = period_word(index.freqstr)
    probability = probability_text(risen.probability_rising)
    finish(ax, f"{percent(risen.growth)} a {word}: the probability that the rate rises is {probability}")


def draw_growth_rates(rates: pd.DataFrame, ax: Axes, *, level: float = 0.9) -> None:
    """Draw the growth rate of each period with its interval, on a logarithmic axis of the factor."""
    index = pd.PeriodIndex(rates.index)
    lower, upper, middle = (np.log1p(rates[name]) for name in ("growth_ci_lower", "growth_ci_upper", "growth"))
    band(ax, index, lower, upper, SEEN_OUTER, f"{level:.0%} interval")
    ax.stairs(middle.to_numpy(dtype=float), edges(index), baseline=None, color=SEEN, linewidth=1.3, label="median")
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    date_axis(ax, *edges(index)[[0, -1]])
    _percent_axis(ax, float(lower.min()), float(upper.max()))
    word = period_word(index.freqstr)
    ax.set_ylabel(f"growth per {word}")
    finish(
        ax,
        f"{percent(float(rates['growth'].iloc[-1]))} from the last {word} on: the probability that it rises is "
        f"{probability_text(float(rates['probability_rising'].iloc[-1]))}",
    )


def _percent_axis(ax: Axes, low: float, high: float) -> None:
    """Set round growth rates as ticks of a logarithmic axis, none at its foot where the dates begin."""
    margin = 0.12 * max(high - low, 0.02)
    ax.set_ylim(low - margin, high + margin)
    least, most = np.expm1(low - margin / 2), np.expm1(high + margin)
    steps = [digit * 10.0**power for power in range(-3, 9) for digit in (1, 2, 5)]
    step = next(step for step in steps if (most - least) / step <= 6)
    ticks = step * np.arange(np.ceil(least / step), np.floor(most / step) + 1)
    ax.set_yticks(np.log1p(ticks), [f"{100 * tick:+.3g}%" if tick else "0%" for tick in ticks])
