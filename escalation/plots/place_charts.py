"""Maps of where incidents are now and were before, and the rates of areas side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from escalation.analysis.by_place import BEFORE, NOW, PlaceComparison
from escalation.conventions.arrays import FloatArray
from escalation.conventions.wording import capital, plain
from escalation.counts.periods import period_word
from escalation.incidents.units import BLANK_UNIT
from escalation.plots.outlines import outlines_within
from escalation.plots.style import AHEAD, FAINT, GREY, INK, SEEN, SMALL, Chart, finish, new_chart, styled
from escalation.plots.text import printable, shorten, span_text

LARGEST = 260.0
"""Area of the largest circle, in square points."""
SMALLEST = 5.0
NARROWEST = 1.0
"""Degrees of latitude that a map shows at least."""
SHOWN, LABELLED = 12, 6
"""Areas of a chart of rates; areas that are named on a map at most, of incidents that are known no finer."""
AREA = 90.0
"""Points that the name of an area takes at most."""
LAND = "#f4f2ec"
MARGIN = 1.15


@styled
def places(comparison: PlaceComparison) -> Figure:
    """Map incidents now against before, or, without coordinates, chart the rates of areas.

    Parameters
    ----------
    comparison : PlaceComparison
        From :func:`escalation.analysis.compare_places`; its ``table()`` and ``sentences()`` hold the same in words.

    Returns
    -------
    matplotlib.figure.Figure
        Two maps beside each other where the place of any incident is known, and below them, or alone, the rates of
        areas.  A circle's area is the rate at its place; incidents known no finer than a province are a number with
        its name.  Outlines of countries need ``pip install 'escalation[maps]'``; nothing is fetched.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> days = pd.date_range("2024-01-01", periods=70)
    >>> raids = pd.DataFrame({"date": days, "admin1": "Homs", "latitude": 34.7, "longitude": 36.7})
    >>> found = escalation.analysis.compare_places(raids, escalation.aggregate(raids, "W"), recent=2, baseline=8)
    >>> len(places(found).axes)
    3
    """
    low = 0.9 + 0.24 * min(len(comparison.areas), SHOWN)
    if not has_map(comparison):
        chart, (ax,) = new_chart(7.0, (low,))
        draw_areas(comparison, ax)
        return chart
    chart = Chart(figsize=(7.0, 3.4 + low), layout="constrained")
    grid = chart.add_gridspec(2, 2, height_ratios=(3.4, low))
    for column, when in enumerate((BEFORE, NOW)):
        draw_map(comparison, chart.add_subplot(grid[0, column]), when)
    draw_areas(comparison, chart.add_subplot(grid[1, :]))
    return chart


def has_map(comparison: PlaceComparison) -> bool:
    """Say whether anything can be put on a map: a known place, or an area that the table gives coordinates of."""
    return len(comparison.points) > 0 or bool(comparison.coarse["latitude"].notna().any())


def draw_map(comparison: PlaceComparison, ax: Axes, when: str) -> None:
    """Draw the incidents of one window: circles where their place is known, numbers with a name where an area is."""
    points, coarse = comparison.points, comparison.coarse.dropna(subset=["latitude"])
    turn = _turn(np.concatenate([points["longitude"], coarse["longitude"]]))
    x, y = (np.concatenate([points[name], coarse[name]]) for name in ("longitude", "latitude"))
    _set_extent(ax, turn(x), y)
    width, height = np.diff(ax.get_xlim())[0], np.diff(ax.get_ylim())[0]
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    rings = outlines_within(west - 2 * width, east + 2 * width, south - 2 * height, north + 2 * height)
    ax.add_collection(PolyCollection(rings, facecolors=LAND, edgecolors=GREY, linewidths=0.5, zorder=0), autolim=False)
    rates = {name: points[name].to_numpy(dtype=float) / comparison.exposure[name] for name in (BEFORE, NOW)}
    most = max([float(rate.max()) for rate in rates.values() if len(rate)], default=1.0)
    shown, colour = rates[when] > 0, AHEAD if when == NOW else SEEN
    sizes = np.maximum(LARGEST * rates[when][shown] / most, SMALLEST)
    at = turn(points["longitude"].to_numpy(dtype=float)[shown]), points["latitude"].to_numpy(dtype=float)[shown]
    ax.scatter(*at, sizes, facecolors=colour, edgecolors="white", linewidths=0.4, alpha=0.75, zorder=2)
    named = coarse[coarse[when] > 0].sort_values(when, ascending=False, kind="stable").head(LABELLED)
    for area, row in named.iterrows():
        share = (float(turn(np.array([row["longitude"]]))[0]) - west) / width
        side = "left" if share < 0.25 else "right" if share > 0.75 else "center"
        text = f"{shorten(printable(area), AREA, SMALL)} {row[when]:,.0f}"
        box = {"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": colour, "linewidth": 0.6, "alpha": 0.85}
        ax.text(
            west + share * width,
            float(row["latitude"]),
            text,
            fontsize=SMALL,
            ha=side,
            va="center",
            color=INK,
            bbox=box,
            zorder=3,
            clip_on=True,
        )
    for part in (1.0, 0.25) if len(points) else ():
        label = f"{plain(part * most)} a {period_word(comparison.freq)}"
        ax.scatter([], [], LARGEST * part, facecolors="none", edgecolors=INK, linewidths=0.6, label=label)
    first, last = comparison.now if when == NOW else comparison.before
    ax.set_xlabel(span_text(first.start_time, last.end_time.normalize()))
    finish(ax, f"{capital(when)}: {int(comparison.known[when].sum()):,} {printable(comparison.unit)}")


def draw_areas(comparison: PlaceComparison, ax: Axes) -> None:
    """Draw the rates of the areas with most incidents, before and now, on one line each."""
    areas = comparison.areas[~comparison.areas.index.isin([BLANK_UNIT])]
    most = areas[["rate_before", "rate_now"]].max(axis=1).sort_values(ascending=False, kind="stable").index[:SHOWN]
    shown, at = areas.loc[most].iloc[::-1], np.arange(min(len(areas), SHOWN), dtype=float)
    ax.hlines(at, shown["rate_before"], shown["rate_now"], color=FAINT, linewidth=3.0, zorder=1)
    looks = ((BEFORE, SEEN, "o", "none"), (NOW, AHEAD, "D", AHEAD))
    for when, colour, marker, face in looks:
        ax.scatter(
            shown[f"rate_{when}"],
            at,
            26.0,
            marker=marker,
            facecolors=face,
            edgecolors=colour,
            label=when,
            zorder=2,
            clip_on=False,
        )
    ax.set_yticks(at, [shorten(printable(area), 2 * AREA, SMALL) for area in shown.index])
    ax.set_ylim(-0.7, len(at) - 0.3)
    ax.set_xlim(left=0.0)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set_xlabel(f"{printable(comparison.unit)} per {period_word(comparison.freq)}")
    finish(ax, _finding(comparison))


def _finding(comparison: PlaceComparison) -> str:
    """Name the area with most incidents now."""
    areas = comparison.areas[(comparison.areas["now"] > 0) & ~comparison.areas.index.isin([BLANK_UNIT])]
    if areas.empty:
        return f"No {printable(comparison.unit)} with a known area now"
    share = float(areas["now"].iloc[0]) / float(comparison.areas["now"].sum())
    return f"Most now: {printable(areas.index[0])}, {share:.0%} of the {printable(comparison.unit)}"


def _turn(longitude: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """How longitudes are drawn: as they are, or from 0 to 360 where the incidents lie on both sides of 180."""
    if len(longitude) and np.ptp(longitude) > 180.0 > np.ptp(longitude % 360.0):
        return lambda degrees: degrees % 360.0
    return lambda degrees: degrees


def _set_extent(ax: Axes, x: FloatArray, y: FloatArray) -> None:
    """Show all points, with a margin, as a map on which a kilometre is as long both ways in its middle."""
    middle = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    stretch = max(float(np.cos(np.radians(middle[1]))), 0.1)
    half = max(np.ptp(x) * stretch, np.ptp(y), NARROWEST) * MARGIN / 2
    ax.set_xlim(middle[0] - half / stretch, middle[0] + half / stretch)
    ax.set_ylim(middle[1] - half, middle[1] + half)
    ax.set_aspect(1 / stretch, adjustable="box")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(True)
