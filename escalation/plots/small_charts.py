"""Small charts of counts and their forecast, to stand beside each other, and any chart as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes

from escalation.forecasts.forecast import Forecast
from escalation.plots.style import AHEAD, HEADROOM, INNER, NORMAL, RC, date_axis, edges, fan, new_chart
from escalation.plots.tally_charts import draw_seen
from escalation.plots.text import printable, wrap

PAST = 52
"""So many periods of the past are shown."""


def draw_small(
    counts: pd.Series | pd.DataFrame,
    ax: Axes,
    title: str,
    forecast: Forecast | None = None,
    *,
    level: float = 0.9,
    past: int = PAST,
) -> None:
    """Draw the last counts and the forecast under a short title, without a legend."""
    seen = counts.iloc[-past:]
    index = pd.PeriodIndex(seen.index)
    highest, at = draw_seen(seen, ax, level=level), edges(index)
    end = at[-1]
    if forecast is not None:
        frames = (forecast.summary_frame(share) for share in (level, INNER))
        ahead, inner = (frame.rename(columns=lambda name: name.removeprefix("obs_pi_")) for frame in frames)
        fan(ax, forecast.periods, ahead, inner, level, ahead="forecast, ")
        days = edges(forecast.periods)
        ax.stairs(ahead["median"].to_numpy(dtype=float), days, baseline=None, color=AHEAD, linewidth=1.3)
        # the far end of a wide band may leave the chart, what was counted and what is likely may not
        highest, end = max(highest, min(float(ahead["upper"].max()), 3 * max(highest, 1.0))), days[-1]
    for handle in ax.get_legend_handles_labels()[0]:
        handle.set_label("_unnamed")  # what the colours mean is said once, beside the large chart
    date_axis(ax, at[0], end)
    top = max(highest, 1.0)
    ax.set_ylim(0.0, top * HEADROOM)
    ticks = np.unique(np.round(np.linspace(0, top, 3)))
    ax.set_yticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.set_title("\n".join(wrap(printable(title), 150.0, NORMAL, "bold")), loc="left", fontsize=NORMAL)


def svg_of(draw: Callable[[Axes], None], name: str, *, width: float = 7.0, height: float = 3.4) -> str:
    """Draw a chart and return it as the text of an SVG element, whose ids begin with its name.

    Parameters
    ----------
    draw : callable
        Draws on the axes that it is given.
    name : str
        What the ids of its parts begin with, so that several charts can stand on one page.
    width, height : float
        In inches.
    """
    with rc_context(RC):
        chart, (ax,) = new_chart(width, (height,))
        draw(ax)
        stream = io.StringIO()
        chart.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)


def saved(draw: Callable[[Axes], None], form: str, *, width: float = 7.0, height: float = 3.4) -> bytes:
    """Draw a chart and return it as a file of this format, such as ``png``."""
    with rc_context(RC):
        chart, (ax,) = new_chart(width, (height,))
        draw(ax)
        stream = io.BytesIO()
        chart.savefig(stream, format=form, dpi=150)
    return stream.getvalue()
