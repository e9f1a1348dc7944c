"""Charts of changes, alarms and regimes: when the rate changed, which periods stand out, which regime each is in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.analysis.alarms.alarms import LIKELY, Alarms
from escalation.analysis.changes.changepoints import ChangePoints
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, unpack_counts
from escalation.plots.style import (
    AHEAD,
    FAINT,
    GREY,
    INK,
    date_axis,
    edges,
    finish,
    headline,
    legend_below,
    new_chart,
    period_axes,
    styled,
)
from escalation.plots.tally_charts import draw_seen
from escalation.plots.text import period_text, printable
from escalation.plots.trend_charts import figure_text


@styled
def changes(counts: CountsLike, found: ChangePoints) -> Figure:
    """Chart the changes of a rate: its levels on the counts, and below them how probable a change is in each period.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        The counts or histories that were searched.
    found : ChangePoints
        From :func:`escalation.changepoints`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([1, 2, 0, 1, 2] * 4 + [9, 7, 11, 8, 10] * 2, index=weeks)
    >>> figure = changes(counts, escalation.changepoints(counts, unit="raids"))
    >>> figure.axes[0].get_title(loc="left")
    'The rate changed once, from 1.2 to 8.8 raids per week'
    """
    chart, (upper, lower) = new_chart(7.0, (3.2, 1.7))
    draw_levels(unpack_counts(counts).counts, found, upper)
    draw_change_probability(found, lower)
    return chart


def draw_levels(counts: pd.Series | pd.DataFrame, found: ChangePoints, ax: Axes) -> None:
    """Draw the counts with the rate between changes, its interval, and the interval of each date of change."""
    index = pd.PeriodIndex(counts.index)
    highest = draw_seen(counts, ax, level=found.level)
    at, word = edges(index), period_word(index.freqstr)
    table = found.changes.to_dict("records")
    for number, row in enumerate(table):
        begin, end = ((row[name] - index[0]).n for name in ("earliest", "latest"))
        label = f"{found.level:.0%} interval of a date" if number == 0 else "_more"
        ax.axvspan(at[begin], at[end + 1], facecolor=FAINT, linewidth=0, zorder=0.3, label=label)
    for number, (begin, end, rate, lower, upper) in enumerate(_levels(found, index)):
        label = f"rate, with its {found.level:.0%} interval" if number == 0 else "_more"
        ax.hlines(rate, at[begin], at[end], color=INK, linewidth=1.8, label=label)
        ax.hlines([lower, upper], at[begin], at[end], color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        highest = max(highest, upper)
    period_axes(ax, index, found.unit, highest)
    if table:
        times = "once," if len(table) == 1 else f"{len(table)} times, last"
        last = table[-1]
        finding = (
            f"The rate changed {times} from {figure_text(last['rate_before'])} to "
            f"{figure_text(last['rate_after'])} {printable(found.unit)} per {word}"
        )
    else:
        finding = f"That the rate did not change is likeliest: {probability_text(float(found.number.iloc[0]))}"
    finish(ax, finding)


def _levels(found: ChangePoints, index: pd.PeriodIndex) -> list[tuple[int, int, float, float, float]]:
    """First and last edge of each level, its rate and interval."""
    rows = found.changes.to_dict("records")
    if not rows:
        rate = float(found.rate.mean())
        return [(0, len(index), rate, rate, rate)]
    places = [0, *((row["date"] - index[0]).n for row in rows), len(index)]
    sides = [(rows[0], "rate_before"), *((row, "rate_after") for row in rows)]
    return [
        (begin, end, row[name], row[f"{name}_lower"], row[f"{name}_upper"])
        for begin, end, (row, name) in zip(places[:-1], places[1:], sides, strict=True)
    ]


def draw_change_probability(found: ChangePoints, ax: Axes) -> None:
    """Draw the probability of each period that a new rate begins with it."""
    index = pd.PeriodIndex(found.probability.index)
    at = edges(index)
    ax.stairs(found.probability.to_numpy(dtype=float), at, fill=True, facecolor=GREY, edgecolor=INK, linewidth=0.6)
    date_axis(ax, at[0], at[-1])
    ax.set_ylim(0, max(1.05 * float(found.probability.max()), 0.1))
    ax.set_ylabel("probability")
    likeliest = found.number.idxmax()
    headline(
        ax,
        f"Probability that a new rate begins; {likeliest} {'change' if likeliest == 1 else 'changes'} in all is "
        f"likeliest ({probability_text(float(found.number.max()))})",
    )


@styled
def alarms(found: Alarms, counts: CountsLike | None = None, *, level: float = 0.9) -> Figure:
    """Chart what a surveillance method says: counts, the bound of each judged period, and the alarms.

    Parameters
    ----------
    found : Alarms
        From :func:`escalation.analysis.alarms.alarms`.
    counts : Series, DataFrame of histories, CountSeries or Reconstruction, optional
        The counts or histories that were judged, of all periods; the observed means of the judged ones when left out.
    level : float
        Probability of the outer band of histories, between 0 and 1.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> weeks = pd.period_range("2024-08-05", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 2, 9, 3, 1], index=weeks)
    >>> figure = alarms(escalation.alarms(counts, "ears_c1"), counts)
    >>> figure.axes[0].get_title(loc="left")
    '1 of 5 judged weeks is an alarm by EARS C1, the last 7 to 13 Oct 2024'
    """
    chart, (ax,) = new_chart(7.0, (3.4,))
    draw_alarms(found, ax, None if counts is None else unpack_counts(counts).counts, level=level)
    return chart


def draw_alarms(found: Alarms, ax: Axes, counts: pd.Series | pd.DataFrame | None = None, *, level: float = 0.9) -> None:
    """Draw the counts, the bounds and the alarms, the taller mark the more probable."""
    table = found.judged
    shown = table["observed"] if counts is None else counts
    index, judged = pd.PeriodIndex(shown.index), pd.PeriodIndex(table.index)
    if counts is None:
        at = edges(index)
        ax.stairs(shown.to_numpy(dtype=float), at, fill=True, facecolor=FAINT, edgecolor=GREY, label="counted")
        highest = float(np.nanmax(shown.to_numpy(dtype=float), initial=0.0))
    else:
        highest = draw_seen(shown, ax, level=level)
    bound, expected = (table[name].to_numpy(dtype=float) for name in ("upper", "expected"))
    places = edges(judged)
    if not np.isnan(bound).all():
        ax.stairs(bound, places, baseline=None, color=INK, linewidth=1.3, label="bound of an alarm")
    if not np.isnan(expected).all():
        ax.stairs(expected, places, baseline=None, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)), label="expected")
    highest = max(highest, float(np.nanmax(np.concatenate([bound, [0.0]]))))
    alarm = table["alarm"].to_numpy(dtype=float) >= LIKELY
    middle = (places[1:] + places[:-1]) / 2
    heights = table["observed"].to_numpy(dtype=float)
    if alarm.any():
        ax.plot(
            middle[alarm],
            heights[alarm],
            "v",
            color=AHEAD,
            ms=7,
            mec="white",
            mew=0.6,
            zorder=4,
            label="alarm",
            gid="alarms",
        )
    period_axes(ax, index, found.unit, 1.05 * highest)
    finish(ax, _said(found))


@styled
def regimes(counts: CountsLike, probabilities: pd.DataFrame, *, unit: str | None = None) -> Figure:
    """Chart regimes: the counts, and below them how probable each period's being in the most active regime is.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        The counts or histories that were fitted.
    probabilities : pandas.DataFrame
        From :func:`escalation.analysis.state_probabilities`.
    unit : str, optional
        What is counted; what the series brings, or ``incidents``, when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> weeks = pd.period_range("2024-01-07", periods=20, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 0, 1, 9, 12, 8, 11, 14, 9, 1, 0, 0, 2, 1, 1, 0, 1], index=weeks)
    >>> probabilities = escalation.analysis.state_probabilities(escalation.models.HiddenMarkov().fit(counts))
    >>> figure = regimes(counts, probabilities, unit="raids")
    >>> figure.axes[1].get_title(loc="left")
    'Probability of the active regime; 6 of 20 weeks are likelier in it than not'
    """
    counts, _, unit = unpack_counts(counts, unit=unit)
    chart, (upper, lower) = new_chart(7.0, (3.2, 1.7))
    draw_regimes(counts, probabilities, upper, lower, unit=unit)
    return chart


def draw_regimes(
    counts: pd.Series | pd.DataFrame,
    probabilities: pd.DataFrame,
    upper: Axes,
    lower: Axes,
    *,
    unit: str = "incidents",
    level: float = 0.9,
) -> None:
    """Draw the counts on shaded stretches of the most active regime, and its probability in each period."""
    index = pd.PeriodIndex(probabilities.index)
    at, word = edges(index), period_word(index.freqstr)
    name, active = str(probabilities.columns[-1]), probabilities.iloc[:, -1].to_numpy(dtype=float)
    highest = draw_seen(counts, upper, level=level)
    likely = np.concatenate([[False], active >= LIKELY, [False]])
    begins, ends = np.flatnonzero(likely[1:] & ~likely[:-1]), np.flatnonzero(~likely[1:] & likely[:-1])
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        label = f"likelier {name} than not" if number == 0 else "_more"
        upper.axvspan(at[begin], at[end], facecolor=FAINT, linewidth=0, zorder=0.3, label=label)
    period_axes(upper, index, unit, highest)
    legend_below(upper)
    lower.stairs(active, at, fill=True, facecolor=GREY, edgecolor=INK, linewidth=0.6)
    date_axis(lower, at[0], at[-1])
    lower.set_ylim(0, 1.05)
    lower.set_ylabel("probability")
    inside = int(likely.sum())
    headline(
        lower,
        f"Probability of the {name} regime; {inside} of {len(index)} {word}s "
        f"{'is' if inside == 1 else 'are'} likelier in it than not",
    )


def _said(found: Alarms) -> str:
    """Say how many alarms there are, and the last."""
    word = period_word(pd.PeriodIndex(found.judged.index).freqstr)
    judged, number = int(found.judged["alarm"].notna().sum()), len(found.periods)
    last = f", the last {period_text(found.periods[-1])}" if number else ""
    verb = "is an alarm" if number == 1 else "are alarms"
    return f"{number or 'None'} of {judged} judged {word}s {verb} by {found.method.label}{last}"
