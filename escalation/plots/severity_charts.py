"""Charts of severity: how many lethal events kill, and which share of attacks is lethal."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.analysis.severity.lethality import Lethality
from escalation.analysis.severity.tail import REJECTED, FatalityTail
from escalation.conventions.wording import probability_text
from escalation.plots.style import AHEAD, AHEAD_OUTER, GREY, INK, SEEN, SMALL, finish, new_chart, styled
from escalation.plots.text import printable, shorten
from escalation.plots.trend_charts import figure_text

SHOWN = 12
"""Groups of a chart at most: those with the most attacks."""
NEW = "not seen yet"
LABEL = 130.0
"""Points that the name of a group takes at most."""


@styled
def fatality_tail(tail: FatalityTail) -> Figure:
    """Chart the fatalities of lethal events: the share that killed so many or more, and the power law of the tail.

    Parameters
    ----------
    tail : FatalityTail
        From :func:`escalation.analysis.fatality_tail`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, escalation
    >>> killed = np.random.default_rng(1).zipf(2.5, 400)
    >>> figure = fatality_tail(escalation.analysis.fatality_tail(killed, samples=0, replicates=50, rng=1))
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_yscale()
    ('log', 'log')
    """
    chart, (ax,) = new_chart(7.0, (4.2,))
    draw_fatality_tail(tail, ax)
    return chart


def draw_fatality_tail(tail: FatalityTail, ax: Axes) -> None:
    """Draw the empirical share on logarithmic axes, the power law with its band, and the threshold."""
    seen = np.cumsum(tail.times[::-1])[::-1] / tail.n
    ax.set_xscale("log")
    ax.set_yscale("log")
    at = np.unique(np.geomspace(tail.xmin, max(tail.killed[-1], 2.0 * tail.xmin), 60).round())
    power = tail.exceedance(at.tolist())
    ax.fill_between(
        at,
        power["lower"].to_numpy(),
        power["upper"].to_numpy(),
        facecolor=AHEAD_OUTER,
        edgecolor=AHEAD,
        linewidth=0.3,
        label=f"{tail.level:.0%} interval of the power law",
    )
    ax.plot(tail.killed, seen, "o", color=SEEN, ms=3.5, mfc="white", label="lethal events")
    ax.plot(at, power["probability"].to_numpy(), color=AHEAD, linewidth=1.8, label="power law", gid="power law")
    ax.axvline(tail.xmin, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), label=f"threshold {tail.xmin:,}")
    ax.set_xlim(0.9, at[-1] * 1.3)
    ax.set_ylim(0.5 * min(seen[-1], power["probability"].iloc[-1]), 1.5)
    ax.set_xlabel("killed in one event, at least (logarithmic scale)")
    ax.set_ylabel("share of lethal events (logarithmic scale)")
    low, high = ax.get_xlim()
    ticks = [10.0**power for power in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)]
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    powers = range(int(np.ceil(np.log10(ax.get_ylim()[0]))), 1)
    ax.set_yticks([10.0**power for power in powers], [f"{10.0**power:.10g}" for power in powers])
    ax.minorticks_off()
    ruled_out = "; the power law is ruled out" if tail.p_value is not None and tail.p_value < REJECTED else ""
    finish(
        ax,
        f"{tail.n_tail:,} of {tail.n:,} lethal events killed {tail.xmin:,} or more; exponent {tail.alpha:.2f} "
        f"({tail.level:.0%} interval {tail.alpha_lower:.2f} to {tail.alpha_upper:.2f}){ruled_out}",
    )


@styled
def lethality(lethality: Lethality) -> Figure:
    """Chart the share of attacks that kill, by group, with intervals.

    Parameters
    ----------
    lethality : Lethality
        From :func:`escalation.lethality`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import escalation
    >>> kinds = escalation.lethality({"drone": 6, "rocket": 1}, {"drone": 30, "rocket": 30}, rng=1)
    >>> figure = lethality(kinds)
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['not seen yet', 'rocket (1 of 30)', 'drone (6 of 30)']
    """
    rows = min(int((lethality.groups["trials"] > 0).sum()), SHOWN) + 1
    chart, (ax,) = new_chart(7.0, (1.4 + 0.28 * rows,))
    draw_lethality(lethality, ax)
    return chart


def draw_lethality(lethality: Lethality, ax: Axes) -> None:
    """Draw the posterior mean and interval of each group, what was seen, and the share of all."""
    tried = lethality.groups[lethality.groups["trials"] > 0]
    table = tried.nlargest(SHOWN, "trials", keep="first").sort_values("share", kind="stable")
    single = lethality.new_share is None
    names = [] if single else [NEW]
    names += [
        f"{shorten(printable(name), LABEL, SMALL)} ({row['lethal']:.0f} of {row['trials']:.0f})"
        for name, row in table.iterrows()
    ]
    rows = table[["share", "lower", "upper"]].to_numpy(dtype=float)
    if not single:
        rows = np.vstack([[lethality.new_share, lethality.new_lower, lethality.new_upper], rows])
    place = np.arange(len(rows), dtype=float)
    ax.axvspan(lethality.lower, lethality.upper, facecolor="#ececec", linewidth=0, zorder=0.4, label="all, interval")
    ax.axvline(lethality.share, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), label="all")
    label = f"{lethality.level:.0%} interval"
    ax.hlines(place, rows[:, 1], rows[:, 2], color=SEEN, linewidth=1.4, gid="intervals", label=label)
    ax.plot(rows[:, 0], place, "o", color=SEEN, ms=5, label="posterior mean", linestyle="none")
    raw = (table["lethal"] / table["trials"]).to_numpy(dtype=float)
    ax.plot(raw, place[len(rows) - len(table) :], "|", color=INK, ms=9, label="as counted", linestyle="none")
    ax.set_yticks(place, names)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    top = np.max(np.concatenate([rows[:, 2], raw, [lethality.upper]]))
    ax.set_xlim(0.0, min(1.0, 1.06 * top))
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
    alike = "" if single else f"; probability of one share for all groups {probability_text(lethality.alike)}"
    ax.set_xlabel(f"share of {printable(lethality.unit)} that kill{alike}")
    finish(
        ax,
        f"{lethality.lethal:,} of {int(lethality.groups['trials'].sum()):,} killed: {figure_text(lethality.share)} "
        f"({figure_text(lethality.lower)} to {figure_text(lethality.upper)})",
    )
