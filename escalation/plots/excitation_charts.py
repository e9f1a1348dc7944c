"""Chart of excitation: what an attack by each side is followed by."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from escalation.analysis.excitation.excitation import Excitation
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.plots.style import GREY, INK, SEEN, SEEN_OUTER, headline, new_chart, styled
from escalation.plots.text import printable
from escalation.plots.trend_charts import figure_text


@styled
def excitation(found: Excitation) -> Figure:
    """Chart the response of each side to an attack by the other, with its band and the verdict.

    Parameters
    ----------
    found : Excitation
        From :func:`escalation.analysis.excitation.excitation`.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each direction.

    Examples
    --------
    >>> import numpy as np, pandas as pd, escalation
    >>> rng = np.random.default_rng(2)
    >>> counts = np.zeros((200, 2))
    >>> for t in range(1, 200):
    ...     counts[t] = rng.poisson(2 + 0.5 * counts[t - 1, ::-1])
    >>> weeks = pd.period_range("2021-01-04", periods=200, freq="W-SUN")
    >>> sides = pd.DataFrame(counts, index=weeks, columns=["A", "B"])
    >>> result = escalation.excitation(sides, lags=1, widths=(1,), draws=99, replicates=10, rng=1)
    >>> [axes.get_xlabel() for axes in excitation(result).axes]
    ['weeks after an attack by A', 'weeks after an attack by B']
    """
    chart, axes = new_chart(7.0, (2.5, 2.5))
    for ax, (after, by) in zip(axes, (found.sides, found.sides[::-1]), strict=True):
        draw_response(found, ax, by=by, after=after)
    top = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(0, top)
    return chart


def draw_response(found: Excitation, ax: Axes, *, by: str, after: str) -> None:
    """Draw how many more attacks by one side are expected within so many periods of one by the other."""
    table = found.response.xs(by, level="by").xs(after, level="after").sort_index()
    steps = np.concatenate([[0], table.index.to_numpy(dtype=int)])
    middle, lower, upper = (
        np.concatenate([[0.0], table[name].to_numpy(dtype=float)]) for name in ("estimate", "lower", "upper")
    )
    shown = found.found(by, after)
    ax.fill_between(
        steps,
        lower,
        upper,
        facecolor=SEEN_OUTER,
        linewidth=0,
        hatch=None if shown else "....",
        edgecolor=GREY,
        gid="band",
    )
    ax.plot(
        steps,
        middle,
        color=SEEN if shown else INK,
        marker="o",
        ms=4,
        linewidth=1.6,
        linestyle="-" if shown else (0, (4, 2)),
        gid="response",
    )
    ax.set_xlim(0, max(int(steps[-1]), 1))
    ax.set_ylim(0, max(1.1 * float(upper.max()), 0.1))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    words = period_word(found.freq, 2)
    ax.set_xlabel(f"{words} after an attack by {printable(after)}")
    ax.set_ylabel(f"more {printable(found.unit)} by {printable(by)}")
    p = probability_text(float(found.alternatives["p_value"].to_dict()[by, after, "shared shock"]))
    verdict = "a shared shock does not explain it" if shown else "cannot be distinguished from a shared shock"
    headline(
        ax,
        f"{figure_text(float(middle[-1]))} more by {printable(by)} after one by {printable(after)}: {verdict} (p {p})",
    )
