"""Charts of flashpoints: the probability that a threshold has been reached, by date."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.forecasts.flashpoint import FlashpointProbability
from escalation.plots.style import AHEAD, GREY, INK, edges, finish, new_chart, period_ticks, styled
from escalation.plots.text import day_text

STYLES = (
    (AHEAD, "-", "o", 2.0),
    (INK, (0, (5, 2)), "s", 1.1),
    (GREY, (0, (5, 1.5, 1, 1.5)), "^", 1.1),
    (INK, (0, (1, 1.5)), "D", 1.1),
)
"""Colour, line style, marker and width of each threshold, the chosen one first."""


@styled
def first_passage(passage: pd.Series | pd.DataFrame, flashpoints: Sequence[FlashpointProbability] = ()) -> Figure:
    """Chart the probability that thresholds have been reached, by date.

    Parameters
    ----------
    passage : pandas.Series or pandas.DataFrame
        From :func:`escalation.first_passage`, or one such column a threshold, named by it (``Assessment.passage``), or
        a definition, named by a text.
    flashpoints : sequence of FlashpointProbability
        Of the same thresholds: their Monte Carlo intervals are drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> counts = pd.Series([3, 5, 4, 4, 6, 2], index=pd.period_range("2024-01", periods=6, freq="M"))
    >>> forecast = escalation.Climatology().fit(counts).forecast(3, rng=1)
    >>> passage = pd.DataFrame({5: escalation.first_passage(forecast, 5), 6: escalation.first_passage(forecast, 6)})
    >>> figure = first_passage(passage, [escalation.flashpoint(forecast, 5)])
    >>> [line.get_ydata().tolist() == passage[at].tolist() for line, at in zip(figure.axes[0].lines, (5, 6))]
    [True, True]
    """
    chart, (ax,) = new_chart(7.0, (3.8,))
    draw_first_passage(passage, ax, flashpoints)
    return chart


def draw_first_passage(
    passage: pd.Series | pd.DataFrame, ax: Axes, flashpoints: Sequence[FlashpointProbability] = ()
) -> None:
    """Draw a curve for each threshold, with the Monte Carlo interval where one is given."""
    table = passage.to_frame(0) if isinstance(passage, pd.Series) else passage
    index = pd.PeriodIndex(table.index)
    at = edges(index)[1:] - 1.0  # the last day of each period
    word = period_word(index.freqstr)
    known = {point.at_least: point for point in flashpoints}
    for number, name in enumerate(table.columns):
        colour, line, marker, width = STYLES[number % len(STYLES)]
        every = max(1, len(table) // 12)
        ax.plot(
            at,
            table[name].to_numpy(dtype=float),
            color=colour,
            linestyle=line,
            marker=marker,
            markevery=((len(table) - 1) % every, every),
            ms=4.5,
            mfc="white" if number else colour,
            linewidth=width,
            label=_name(name, known, word),
        )
    _draw_errors(ax, known, at, index)
    margin = 0.03 * max(at[-1] - at[0], 1.0)
    ax.set_xlim(at[0] - margin, at[-1] + 2.5 * margin)
    period_ticks(ax, index)
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks(np.linspace(0, 1, 6), [f"{tick:.1f}" for tick in np.linspace(0, 1, 6)])
    ax.set_ylabel("probability")
    ax.set_xlabel(f"by the end of the {word} to" if word == "week" else f"by the end of the {word}")
    finish(ax, _finding(table, known, index))


def _name(column: Hashable, known: dict[int, FlashpointProbability], word: str) -> str:
    """Name a threshold, 0 if it came without its name, or a definition."""
    if isinstance(column, str):
        return column
    threshold = int(cast(int, column))
    if threshold == 0:
        return "threshold reached"
    over = known[threshold].over if threshold in known else 1
    return f"{threshold:,} or more in " + (f"a {word}" if over == 1 else f"{over} {word}s")


def _draw_errors(
    ax: Axes,
    known: dict[int, FlashpointProbability],
    at: np.ndarray[tuple[int], np.dtype[np.float64]],
    index: pd.PeriodIndex,
) -> None:
    """Draw the Monte Carlo intervals, a little apart from each other, where their horizons end."""
    for number, point in enumerate(known.values()):
        colour = STYLES[number % len(STYLES)][0]
        where = at[(point.last - index[0]).n] + max(at[-1] - at[0], 1.0) * 0.012 * (number + 1)
        below, above = point.probability - point.lower, point.upper - point.probability
        label = "90% Monte Carlo interval" if number == 0 else "_more"
        ax.errorbar(
            where,
            point.probability,
            [[max(below, 0)], [max(above, 0)]],
            fmt="none",
            ecolor=colour,
            elinewidth=1,
            capsize=2.5,
            label=label,
        )


def _finding(table: pd.DataFrame, known: dict[int, FlashpointProbability], index: pd.PeriodIndex) -> str:
    """Say the probability of the first threshold at the end."""
    first = table.columns[0]
    name = _name(first, known, period_word(index.freqstr))
    probability = probability_text(float(table[first].iloc[-1]))
    return f"{name}: probability {probability} by {day_text(index[-1].end_time.normalize())}"
