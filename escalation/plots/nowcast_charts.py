"""Charts of nowcasts: what was reported, and what is expected once late reports are in."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.counts.periods import period_word
from escalation.counts.schema import quantile_frame
from escalation.incidents.nowcasts.result import Nowcast
from escalation.plots.style import (
    AHEAD,
    INNER,
    SEEN,
    SEEN_INNER,
    edges,
    fan,
    finish,
    new_chart,
    period_axes,
    styled,
)
from escalation.plots.text import day_text, printable


@styled
def nowcast(nowcast: Nowcast, *, level: float | None = None, past: int | None = None) -> Figure:
    """Chart reported counts against those expected once late reports are in.

    Parameters
    ----------
    nowcast : Nowcast
        From :func:`escalation.incidents.nowcast`.
    level : float, optional
        Probability of the wide band, between 0 and 1; that of the nowcast when left out. The narrow band has 0.5.
    past : int, optional
        How many complete periods to show before those that may still rise; all when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> days = pd.Series(pd.date_range("2024-01-01", "2024-06-30"))
    >>> raids = pd.DataFrame({"date": days, "as_of": days + pd.to_timedelta(days.dt.day % 13, unit="D")})
    >>> made = escalation.incidents.nowcast(raids, "W", now="2024-06-30", unit="raids", rng=1)
    >>> nowcast(made).axes[0].get_ylabel()
    'raids per week'
    """
    chart, (ax,) = new_chart(7.0, (3.6,))
    draw_nowcast(nowcast, ax, level=level, past=past)
    return chart


def draw_nowcast(nowcast: Nowcast, ax: Axes, *, level: float | None = None, past: int | None = None) -> None:
    """Draw bars of what was reported, and behind them the hatched interval of what is expected."""
    shown = nowcast.level if level is None else level
    rising = nowcast.summary_frame(shown)
    inner = quantile_frame(nowcast.histories.loc[rising.index], INNER)
    complete = nowcast.histories[0].iloc[: len(nowcast.histories) - len(rising)]
    reported = pd.concat(
        [complete if past is None else complete.iloc[len(complete) - min(past, len(complete)) :], rising["reported"]]
    )
    index, last = pd.PeriodIndex(reported.index), pd.PeriodIndex(rising.index)
    fan(ax, last, rising, inner, shown, ahead="expected in the end, ")
    ax.stairs(
        reported.to_numpy(dtype=float), edges(index), fill=True, facecolor=SEEN_INNER, edgecolor=SEEN, label="reported"
    )
    median = rising["median"].to_numpy(dtype=float)
    ax.stairs(
        median, edges(last), baseline=None, color=AHEAD, linewidth=1.6, linestyle=(0, (3, 1)), label="expected, median"
    )
    highest = max(float(reported.max()), float(rising["upper"].max()))
    usual = max(float(reported.max()), float(inner["upper"].max()))
    period_axes(ax, index, nowcast.unit, highest, usual=usual)
    finish(ax, _finding(nowcast, shown))


def _finding(nowcast: Nowcast, level: float) -> str:
    """Say how many are known and how many expected in the periods that may still rise."""
    known = int(nowcast.incomplete["reported"].sum())
    total = quantile_frame(nowcast.histories.loc[nowcast.incomplete.index].sum().to_frame().T, level).iloc[0]
    number, until = len(nowcast.incomplete), day_text(nowcast.incomplete.index[-1].end_time.normalize())
    word = period_word(pd.PeriodIndex(nowcast.incomplete.index).freqstr, number)
    return (
        f"Last {word if number == 1 else f'{number} {word}'} to {until}: {known:,} {printable(nowcast.unit)} reported, "
        f"{total['median']:,} expected ({level:.0%} interval {total['lower']:,} to {total['upper']:,})"
    )
