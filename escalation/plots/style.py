"""What all charts share: one look that is readable in greyscale, axes of dates and counts, titles and legends."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import in_dark
from escalation.counts.periods import period_word
from escalation.plots.text import FONT, MONTHS, printable, text_width, wrap

INK = "#222222"
GREY = "#6e6e6e"
FAINT = "#d9d9d9"
# what was observed is blue and plain, what is forecast is orange and hatched
SEEN, SEEN_INNER, SEEN_OUTER = "#12406b", "#82a9cf", "#ccdceb"
AHEAD, AHEAD_INNER, AHEAD_OUTER = "#8a4500", "#eeb063", "#fbe6c8"
HATCH = "////"

SMALL, NORMAL, LARGE = 8.0, 9.0, 10.0
"""Sizes of type in points; none is smaller."""

LABELS = 64.0
"""Points that the labels of a y axis take at most."""

NARROWEST = 120.0
"""Points that a title has at least."""
HEADROOM = 1.06
"""The y axis of counts ends so much above the highest."""

INNER = 0.5
"""Probability of the inner band of every chart."""

_GROUPS = (
    *("axes", "figure", "font", "grid", "hatch", "image", "legend", "lines", "markers", "mathtext", "patch", "path"),
    *("pdf", "ps", "savefig", "scatter", "svg", "text", "xaxis", "xtick", "yaxis", "ytick"),
)

RC: dict[Any, Any] = {
    # first what matplotlib ships, so that a user's own matplotlibrc changes no report
    **{name: value for name, value in rcParamsDefault.items() if name.split(".")[0] in _GROUPS},
    "font.family": [FONT],
    "font.size": SMALL,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a source's name is a dollar
    "text.hinting": "none",
    "axes.titlesize": LARGE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": SMALL,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.5,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.4,
    "legend.borderpad": 0.0,
    "lines.linewidth": 1.2,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.dpi": 100.0,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "svg.fonttype": "none",
    "svg.hashsalt": "escalation",  # the same chart has the same ids each time
}
_DARK = "filter: invert(0.93) hue-rotate(180deg)"
_THEMES = f"<style>.escalation-chart {{max-width: 100%}}\n{in_dark('.escalation-chart', _DARK)}</style>"
styled = rc_context(RC)
"""Decorator: the function runs with the settings of :data:`RC`, and matplotlib's own are put back after it."""


class Chart(Figure):
    """A figure that keeps its look outside the functions that made it and shows itself in a notebook without pyplot."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw with the settings that it was made with."""
        with rc_context(RC):
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=120)
        return stream.getvalue()

    def _repr_html_(self) -> str:
        """Show it, in a dark theme with dark and light exchanged and the hues as they are."""
        image = base64.b64encode(self._repr_png_()).decode()
        titles = escape(" ".join(" ".join(ax.get_title(loc="left") for ax in self.axes).split()))
        return f'{_THEMES}<img class="escalation-chart" alt="{titles}" src="data:image/png;base64,{image}">'


def new_chart(width: float, heights: Sequence[float]) -> tuple[Chart, list[Axes]]:
    """Make a figure of panels below each other, sizes in inches."""
    chart = Chart(figsize=(width, sum(heights)), layout="constrained")
    grid = chart.add_gridspec(len(heights), 1, height_ratios=heights)
    return chart, [chart.add_subplot(grid[row]) for row in range(len(heights))]


def points(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes, in points."""
    scale = 72.0 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    return ax.bbox.width * scale, ax.bbox.height * scale


def room(ax: Axes) -> float:
    """Width in points that a title or legend may take."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    if figure.get_layout_engine() is None:
        return max(points(ax)[0], NARROWEST)
    return max(float(72.0 * figure.get_size_inches()[0]) - LABELS, NARROWEST)  # what the layout leaves to the axes


def headline(ax: Axes, text: str) -> None:
    """Set the title, which says the finding, on as many lines as it needs."""
    ax.set_title("\n".join(wrap(text, room(ax), LARGE, "bold")), loc="left")


def legend_below(ax: Axes) -> None:
    """Put the legend under the axes, in as many columns as fit."""
    handles, labels = ax.get_legend_handles_labels()
    if not labels:
        return
    wide = np.array([text_width(str(label), SMALL) + 38.0 for label in labels])  # with its handle
    fitting = [n for n in range(1, len(wide) + 1) if sum(map(np.max, np.array_split(wide, n))) <= room(ax)]
    columns = max(fitting, default=1)
    two_lines = any("\n" in label.get_text() for label in ax.get_xticklabels())
    clear = 22.0 + 10.0 * two_lines + 14.0 * bool(ax.get_xlabel())  # points, however high the axes are
    figure = ax.get_figure(root=True)
    assert figure is not None
    below = ax.transAxes + ScaledTranslation(0.0, -clear / 72.0, figure.dpi_scale_trans)
    ax.legend(
        handles,
        labels,
        ncols=columns,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=below,
        borderaxespad=0.0,
    )


def finish(ax: Axes, finding: str) -> None:
    """Set the title and put the legend, if there is any, below."""
    headline(ax, finding)
    legend_below(ax)


def note_at_top(ax: Axes, text: str, x: float, shift: int = 0, bbox: dict[str, Any] | None = None) -> None:
    """Write a text under the upper edge of the axes, so many points to one side of a position or in its middle."""
    ax.annotate(
        text,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(shift, -1),
        textcoords="offset points",
        ha="center" if shift == 0 else "left" if shift > 0 else "right",
        va="top",
        fontsize=SMALL,
        bbox=bbox,
    )


def stand_apart(at: FloatArray, labels: Sequence[str], scale: float, gap: float = 8.0) -> bool:
    """Say whether labels stand so many points apart, at positions of so many points a unit."""
    half = np.array([max(text_width(line, SMALL) for line in label.split("\n")) / 2 for label in labels])
    return bool((np.diff(at) * scale - half[1:] - half[:-1] >= gap).all())


# Dates


def day_number(day: pd.Timestamp) -> float:
    """Position of the start of a day on a date axis."""
    return float(mdates.date2num(day.to_pydatetime()))  # type: ignore[no-untyped-call]


def edges(index: pd.PeriodIndex) -> FloatArray:
    """Positions of the starts of the periods, and of the end of the last one; shape (periods + 1,)."""
    first = day_number(pd.Timestamp("1970-01-01"))
    starts = index.to_timestamp(how="start")
    ends = index[-1:].to_timestamp(how="end").normalize() + pd.Timedelta(days=1)
    days = starts.append(ends).to_numpy().astype("datetime64[D]").astype(float)
    return np.asarray(days + first)


def date_axis(ax: Axes, first: float, last: float) -> None:
    """Set the limits of a date axis, with as many dates as can stand beside each other."""
    ax.set_xlim(first, last)
    begin, end = (pd.Timestamp(mdates.num2date(edge).replace(tzinfo=None)) for edge in (first, last))  # type: ignore[no-untyped-call]
    width = points(ax)[0] * 0.85  # the axes shrink once their labels are placed
    for days in _tick_days(begin, end):
        labels = _tick_labels(days)
        at = np.array([day_number(day) for day in days])
        if stand_apart(at, labels, width / (last - first)):
            ax.set_xticks(at, labels)
            return


def _tick_days(begin: pd.Timestamp, end: pd.Timestamp) -> list[pd.DatetimeIndex]:
    """Choices of ticks, from dense to sparse; the last holds one at most."""
    long = (end - begin).days
    choices = [pd.date_range(begin, end, freq=f"{step}D") for step in (1, 2, 7, 14) if long <= 120 * step]
    months = pd.date_range(begin, end, freq="MS")
    choices += [months[(months.month - 1) % step == 0] for step in (1, 2, 3, 6, 12)]
    years = months[months.month == 1]
    choices += [years[years.year % step == 0] for step in (2, 5, 10, 25, 50, 100)]
    choices.append(pd.DatetimeIndex([begin]))
    return [days for days in choices if len(days) > 1] + choices[-1:]


def _tick_labels(days: pd.DatetimeIndex) -> list[str]:
    """Year alone for years; else day or month, with the year under the first and wherever it changes."""
    if (days.month == 1).all() and (days.day == 1).all() and len(days) > 1 and (np.diff(days.year) > 0).all():
        return [str(day.year) for day in days]
    first_only = bool((days.day == 1).all())
    short = [MONTHS[day.month - 1] if first_only else f"{day.day} {MONTHS[day.month - 1]}" for day in days]
    return _with_years(short, days)


def _with_years(short: list[str], days: pd.DatetimeIndex) -> list[str]:
    """Add the year under the first label and wherever it changes."""
    new_year = np.concatenate([[True], np.diff(days.year) != 0])
    return [f"{text}\n{day.year}" if new else text for text, day, new in zip(short, days, new_year, strict=True)]


def period_ticks(ax: Axes, index: pd.PeriodIndex) -> None:
    """Name as many last days of periods as can stand beside each other, the last of all among them."""
    low, high = ax.get_xlim()
    per_day = points(ax)[0] * 0.85 / (high - low)
    days = index.to_timestamp(how="end").normalize()
    for every in range(1, len(days) + 1):
        chosen = days[(len(days) - 1) % every :: every]
        labels = last_day_labels(chosen, index.freqstr)
        at = np.array([day_number(day) for day in chosen])
        if stand_apart(at, labels, per_day):
            ax.set_xticks(at, labels)
            return


def last_day_labels(days: pd.DatetimeIndex, freq: str) -> list[str]:
    """Name days, or months by their last day, with the year under the first label and wherever it changes."""
    months = freq == "M"
    short = [MONTHS[day.month - 1] if months else f"{day.day} {MONTHS[day.month - 1]}" for day in days]
    return _with_years(short, days)


# Counts


def count_axis(ax: Axes, label: str, highest: float, *, usual: float | None = None) -> None:
    """Set the y axis of counts from 0, a square-root axis where ``highest`` dwarfs what is ``usual``."""
    top = max(float(highest), 1.0)
    if usual is not None and top > 4.0 * max(usual, 2.0):
        ax.set_yscale("function", functions=(_root, np.square))
        label = f"{label} (square-root scale)"
        ticks = _root_ticks(top, points(ax)[1])
    else:
        ticks = np.array(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]).tick_values(0.0, top))
        ticks = ticks[(ticks >= 0) & (ticks <= top * HEADROOM)]
    ax.set_ylim(0.0, top * HEADROOM)
    ax.set_yticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.set_ylabel("\n".join(wrap(label, max(points(ax)[1] * 0.8, 80.0), SMALL)))


def period_axes(ax: Axes, index: pd.PeriodIndex, unit: str, highest: float, *, usual: float | None = None) -> None:
    """Set both axes of a chart of counts by period."""
    at = edges(index)
    date_axis(ax, at[0], at[-1])
    count_axis(ax, f"{printable(unit)} per {period_word(index.freqstr)}", highest, usual=usual)


def _root(values: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.maximum(values, 0.0)))


def _root_ticks(top: float, height: float) -> FloatArray:
    """Round numbers on a square-root axis of so many points, as dense as they can be read."""
    least = 1.7 * SMALL / height * np.sqrt(top)
    ticks = [0.0]
    for number in sorted((digit * 10.0**power for power in range(16) for digit in (1, 2, 5)), reverse=True):
        apart = np.abs(np.sqrt(ticks) - np.sqrt(number)).min()
        if number <= top and apart >= least:
            ticks.append(number)
    return np.sort(ticks)


def fan(
    ax: Axes, index: pd.PeriodIndex, outer: pd.DataFrame, inner: pd.DataFrame, level: float, *, ahead: str = ""
) -> None:
    """Draw a wide and a narrow interval of each period: of what was seen, or hatched, of what is ``ahead``, by name."""
    colours = (AHEAD_OUTER, AHEAD_INNER) if ahead else (SEEN_OUTER, SEEN_INNER)
    ink, hatch = (AHEAD, HATCH) if ahead else ("none", "")
    for frame, colour, share in zip((outer, inner), colours, (level, INNER), strict=True):
        label = f"{ahead}{share:.0%} interval"
        band(ax, index, frame["lower"], frame["upper"], colour, label, ink=ink, hatch=hatch)


def band(
    ax: Axes,
    index: pd.PeriodIndex,
    lower: pd.Series,
    upper: pd.Series,
    colour: str,
    label: str,
    *,
    ink: str = "none",
    hatch: str = "",
) -> None:
    """Draw an interval for each period over the days of the period."""
    ax.stairs(
        upper.to_numpy(dtype=float, na_value=np.nan),
        edges(index),
        baseline=lower.to_numpy(dtype=float, na_value=np.nan),
        fill=True,
        facecolor=colour,
        edgecolor=ink,
        linewidth=0.0,
        hatch=hatch or None,
        label=label,
    )
