"""Charts of what was counted: tallies as printed, the histories behind them, exact counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from escalation.conventions.arguments import check_level
from escalation.conventions.wording import spaced
from escalation.counts.periods import period_word
from escalation.counts.schema import is_histories, quantile_frame
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError
from escalation.plots.style import (
    FAINT,
    GREY,
    HATCH,
    INK,
    INNER,
    SEEN,
    SEEN_INNER,
    SMALL,
    count_axis,
    date_axis,
    day_number,
    edges,
    fan,
    finish,
    new_chart,
    period_axes,
    styled,
)
from escalation.plots.text import day_text, period_text, printable, text_width
from escalation.tallies.layers import WHOLE
from escalation.tallies.printed import contradictions_by_window
from escalation.tallies.reconstruct import Reconstruction

MARKERS = {
    "exact": ("o", True),
    "about": ("D", False),
    "nearly": ("v", True),
    "more_than": ("^", True),
    "at_least": ("^", False),
    "at_most": ("v", False),
    "up_to": ("s", False),
}
"""Marker of each qualifier that goes with a number, and whether it is filled: up is a floor, down a ceiling."""

MANY_PERIODS, MANY_TALLIES = 150, 60
"""With more of them, lines and markers are thinner."""

OPENING_SLACK = 0.1
"""A running total opens on the first day, give or take this share of its length, or a week."""


@styled
def reconstruction(reconstruction: Reconstruction, *, level: float = 0.9) -> Figure:
    """Chart a reconstruction: running totals as printed against the cumulative count, and the count of each period.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.
    level : float
        Probability of the wide band, between 0 and 1; the narrow band has 0.5.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels. Numbers beside rings are rows of
        :func:`escalation.tallies.printed.contradictions_by_window`, from 1.

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> tallies = pd.DataFrame({"series": "attacks", "count": [5, 30], "qualifier": ["exact", "nearly"],
    ...     "start": "2024-01-01", "end": ["2024-01-14", "2024-01-28"], "unit": "attacks"})
    >>> figure = reconstruction(escalation.reconstruct(tallies, series="attacks", rng=1))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['attacks since 1 Jan 2024', 'attacks per week']
    """
    chart, (upper, lower) = new_chart(7.0, (4.0, 3.2))
    draw_cumulative(reconstruction, upper, level=level)
    draw_reconstructed(reconstruction, lower, level=level)
    return chart


@styled
def counters(reconstruction: Reconstruction, *, level: float = 0.9) -> Figure:
    """Chart counters that were read together side by side: what each printed and would count, on one scale.

    Parameters
    ----------
    reconstruction : Reconstruction
        From ``escalation.reconstruct(..., counter="all")`` or with a list of counters.
    level : float
        Probability of the wide band, between 0 and 1; the narrow band has 0.5.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for the whole and one for each counter, with its ratio to the first one as its title; running totals
        as printed are markers.

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1, or counters were not read together.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> tallies = pd.DataFrame({"series": "attacks", "counter": ["army", "army", "press"], "count": [9, 30, 20],
    ...     "qualifier": "exact", "start": "2024-01-01", "end": ["2024-01-14", "2024-01-28", "2024-01-28"]})
    >>> figure = counters(escalation.reconstruct(tallies, series="attacks", counter="all", draws=50, rng=1))
    >>> [ax.get_title(loc="left").split(":")[0] for ax in figure.axes]
    ['All together', 'army', 'press']
    """
    ratios = reconstruction.ratios
    if ratios is None:
        raise InputError("one counter was read; chart those read together, reconstruct(..., counter='all')")
    shown = {"All together": reconstruction} | {str(name): reconstruction.of(str(name)) for name in ratios.ratios.index}
    chart, axes = new_chart(7.0, tuple(1.9 for _ in shown))
    highest = max(float(one.cumulative(level)["upper"].max()) for one in shown.values())
    for ax, (name, one) in zip(axes, shown.items(), strict=True):
        index = pd.PeriodIndex(one.daily.index)
        outer = one.cumulative(level)
        fan(ax, index, outer, one.cumulative(INNER), level)
        ax.stairs(outer["median"].to_numpy(), edges(index), baseline=None, color=SEEN, linewidth=1.0)
        if one is not reconstruction:
            _mark_tallies(ax, running_totals(one))
        date_axis(ax, edges(index)[0], edges(index)[-1])
        count_axis(ax, printable(one.unit), highest)
        said = "what a counter of a middling definition would count"
        if name in ratios.ratios.index:
            row = ratios.ratios.loc[name]
            where = "" if one.place == reconstruction.place else f", in {one.place}"
            said = f"{row['tallies']:.0f} tallies{where}"
            if name != ratios.reference:
                interval = f"{row['ratio']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
                said = f"{interval} for each of {spaced(ratios.reference)}{where}"
        ax.set_title(printable(f"{spaced(name)}: {said}"), loc="left", fontsize="small")
    return chart


@styled
def counts(
    counts: CountsLike, *, exposure: pd.Series | None = None, unit: str | None = None, level: float = 0.9
) -> Figure:
    """Chart counts as bars, or histories as bands.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex``, or histories of it.
    exposure : pandas.Series, optional
        Share of each period that was covered; what the series brings, or all 1, when left out.  Periods covered in
        part are dotted.
    unit : str, optional
        What is counted; what the series brings, or ``incidents``, when left out.
    level : float
        Probability of the wide band of histories, between 0 and 1.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1, or the table holds several units.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> counts = pd.Series([1, 0, 4], index=pd.period_range("2024-01-01", periods=3, freq="W-SUN"))
    >>> escalation.plots.counts(counts, unit="raids").axes[0].get_title(loc="left")
    'The busiest week was 15 to 21 Jan 2024: 4 raids'
    """
    counts, exposure, unit = unpack_counts(counts, exposure, unit)
    chart, (ax,) = new_chart(7.0, (3.4,))
    draw_counts(counts, ax, unit=unit, level=level, exposure=exposure)
    return chart


def seen_frame(counts: pd.Series | pd.DataFrame, level: float) -> pd.DataFrame:
    """Median and interval of each period's count: of histories over the draws, of exact counts all the same.

    Parameters
    ----------
    counts : pandas.Series or pandas.DataFrame
        Counts of one series, or histories of it.
    level : float
        Probability of the interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns ``median``, ``lower``, ``upper``; missing where not observed.

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1, or the table holds several units.
    """
    if isinstance(counts, pd.DataFrame) and is_histories(counts):
        return quantile_frame(counts, level)
    if isinstance(counts, pd.DataFrame):
        raise InputError(f"a chart shows one series and got a table of {counts.shape[1]} units; give one column")
    check_level(level)
    return pd.DataFrame(dict.fromkeys(("median", "lower", "upper"), counts))


def draw_seen(counts: pd.Series | pd.DataFrame, ax: Axes, *, level: float = 0.9) -> float:
    """Draw what was counted, bars for exact counts and bands for histories; return the highest value drawn."""
    index = pd.PeriodIndex(counts.index)
    outer = seen_frame(counts, level)
    middle = outer["median"].to_numpy(dtype=float, na_value=np.nan)
    if is_histories(counts):
        inner = seen_frame(counts, INNER)
        fan(ax, index, outer, inner, level)
        thin = 1.3 if len(index) <= MANY_PERIODS else 0.7
        ax.stairs(middle, edges(index), baseline=None, color=SEEN, linewidth=thin, label="median")
    else:
        ax.stairs(middle, edges(index), fill=True, facecolor=SEEN_INNER, edgecolor=SEEN, label="counted")
    _mark_unobserved(ax, index, np.isnan(middle))
    return float(np.nanmax(outer["upper"].to_numpy(dtype=float, na_value=np.nan), initial=0.0))


def _mark_unobserved(ax: Axes, index: pd.PeriodIndex, missing: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """Hatch the periods that nobody observed over the full height."""
    at = edges(index)
    runs = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
    for number, (first, last) in enumerate(runs.reshape(-1, 2)):
        label = "not observed" if number == 0 else "_more"
        ax.axvspan(at[first], at[last], facecolor="none", edgecolor=FAINT, hatch="xxx", linewidth=0, label=label)


def draw_counts(
    counts: pd.Series | pd.DataFrame,
    ax: Axes,
    *,
    unit: str = "incidents",
    level: float = 0.9,
    exposure: pd.Series | None = None,
) -> None:
    """Draw counts or histories with their axes and title; periods with ``exposure`` below 1 are dotted."""
    index = pd.PeriodIndex(counts.index)
    highest = draw_seen(counts, ax, level=level)
    if exposure is not None:
        _mark_partial(counts, exposure, ax, level)
    period_axes(ax, index, unit, highest)
    finish(ax, _busiest(seen_frame(counts, level), unit, level))


def _mark_partial(counts: pd.Series | pd.DataFrame, exposure: pd.Series, ax: Axes, level: float) -> None:
    """Hatch the periods of which only a part was covered."""
    part = exposure.reindex(counts.index).lt(1.0).to_numpy(dtype=bool)
    if part.any():
        upper = seen_frame(counts, level)["upper"].to_numpy(dtype=float, na_value=np.nan)
        ax.stairs(
            np.where(part, upper, np.nan),
            edges(pd.PeriodIndex(counts.index)),
            fill=True,
            facecolor="none",
            edgecolor=SEEN,
            hatch="....",
            linewidth=0.0,
            label="covered in part",
        )


def _busiest(frame: pd.DataFrame, unit: str, level: float) -> str:
    """Say which period has the highest median."""
    median = frame["median"].astype("Float64").fillna(-1.0)
    at, index = int(median.argmax()), pd.PeriodIndex(frame.index)
    row, word = frame.iloc[at], period_word(index.freqstr)
    if median.max() <= 0:
        return f"No {word} is known to have had {printable(unit)}"
    span = "" if row["lower"] == row["upper"] else f" ({level:.0%} interval {row['lower']:,} to {row['upper']:,})"
    return f"The busiest {word} was {period_text(index[at])}: {row['median']:,} {printable(unit)}{span}"


# Tallies


def running_totals(reconstruction: Reconstruction) -> pd.DataFrame:
    """Tallies of the very place that count from about the first day, and so can stand on a cumulative axis.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.

    Returns
    -------
    pandas.DataFrame
        Rows of its ``tallies``, used or not, that end within the days reconstructed.
    """
    table, first = reconstruction.tallies, reconstruction.daily.index[0].start_time
    length = (table["end"] - table["start"]).dt.days + 1
    slack = np.maximum(OPENING_SLACK * length, 7)
    opens = (table["start"] - first).dt.days.abs() <= np.minimum(slack, length - 1)
    closes = table["end"].between(first, reconstruction.daily.index[-1].start_time)
    chosen: pd.Series = (table["role"] == "count") & (table["part"] == WHOLE) & opens & closes
    return table.loc[chosen]


def draw_cumulative(reconstruction: Reconstruction, ax: Axes, *, level: float = 0.9) -> None:
    """Draw running totals as printed against the reconstructed cumulative count, contradictions ringed and numbered."""
    index = pd.PeriodIndex(reconstruction.daily.index)
    outer, inner = reconstruction.cumulative(level), reconstruction.cumulative(INNER)
    fan(ax, index, outer, inner, level)
    ax.stairs(outer["median"].to_numpy(), edges(index), baseline=None, color=SEEN, linewidth=1.0, label="median")
    totals = running_totals(reconstruction)
    _mark_tallies(ax, totals)
    unit, first = printable(reconstruction.unit), index[0].start_time
    printed = totals[["count", "high"]].astype(float).to_numpy()
    highest = max(float(outer["upper"].max()), float(np.nanmax(printed, initial=0.0)))
    at = edges(index)
    date_axis(ax, at[0], at[-1])
    count_axis(ax, f"{unit} since {day_text(first)}", highest)
    _mark_last_known(ax, reconstruction.last_known_day, at[-1])
    last = min(reconstruction.last_known_day, index[-1].start_time)
    row = outer.iloc[pd.Period(last, "D").ordinal - index[0].ordinal]
    finish(
        ax,
        f"{row['median']:,} {unit} by {day_text(last)} ({level:.0%} interval {row['lower']:,} to {row['upper']:,})",
    )
    _number_contradictions(reconstruction, totals, ax)


def _mark_tallies(ax: Axes, totals: pd.DataFrame) -> None:
    """Put a marker of its qualifier at the end of each window; ranges are bars from low to high."""
    at = totals["end"].map(day_number).to_numpy(dtype=float) + 0.5
    used, count = totals["used"].to_numpy(dtype=bool), totals["count"].to_numpy(dtype=float, na_value=np.nan)
    size = 4.5 if len(totals) <= MANY_TALLIES else 3.6
    for qualifier, (marker, filled) in MARKERS.items():
        chosen = (totals["qualifier"] == qualifier).to_numpy(dtype=bool) & used
        if chosen.any():
            label, inside = qualifier.replace("_", " "), INK if filled else "white"
            ax.plot(at[chosen], count[chosen], marker, color=INK, mfc=inside, mew=0.8, ms=size, label=label)
    spans = totals[used & totals["low"].notna().to_numpy() & totals["high"].notna().to_numpy()]
    if len(spans):
        low, high = (spans[name].to_numpy(dtype=float) for name in ("low", "high"))
        where = spans["end"].map(day_number).to_numpy(dtype=float) + 0.5
        ax.errorbar(
            where,
            low,
            (np.zeros(len(low)), high - low),
            fmt="none",
            ecolor=INK,
            elinewidth=1,
            capsize=2.5,
            label="range",
        )
    if (~used).any():
        ax.plot(at[~used], count[~used], "x", color=GREY, ms=size, mew=0.9, label="left out", zorder=1.9)


def _mark_last_known(ax: Axes, last: pd.Timestamp, end: float) -> None:
    """Hatch what lies after the last tally."""
    begin = day_number(last) + 1.0
    if begin < end:
        ax.axvspan(
            begin,
            end,
            facecolor="none",
            edgecolor=FAINT,
            hatch=HATCH,
            linewidth=0,
            label="after the last tally",
            zorder=0.5,
        )


def _number_contradictions(reconstruction: Reconstruction, totals: pd.DataFrame, ax: Axes) -> None:
    """Ring each contradictory running total, and put the number of its row beside it where there is room."""
    windows = set(zip(totals["end"], totals["start"], totals["place"], strict=True))
    labels: list[tuple[str, float, float]] = []
    for number, (_, row) in enumerate(contradictions_by_window(reconstruction).iterrows(), start=1):
        if (row["end"], row["start"], row["place"]) in windows and pd.notna(row["highest"]):
            at = day_number(row["end"]) + 0.5
            for height in sorted({float(row["lowest"]), float(row["highest"])}):
                ax.plot(at, height, "o", mfc="none", mec=GREY, mew=0.9, ms=9, gid="contradiction")
            labels.append((str(number), at, float(row["highest"])))
    place_labels(ax, labels)


def place_labels(ax: Axes, labels: list[tuple[str, float, float]]) -> None:
    """Write short labels beside points, each where it covers no other label and stays inside; else not at all.

    Parameters
    ----------
    ax : Axes
        With its limits set.
    labels : list of (text, x, y)
        In data coordinates.
    """
    taken: list[Bbox] = []
    scale = ax.get_figure(root=True).dpi / 72.0  # type: ignore[union-attr]
    frame = ax.bbox
    for text, x, y in labels:
        px, py = ax.transData.transform((x, y))
        wide, high = text_width(text, SMALL) * scale, SMALL * scale
        for dx, dy in ((-10, 6), (8, -12), (-16, 12), (14, -18), (-22, 2), (20, -8), (-24, 18), (24, -26)):
            left = px + dx * scale - (wide if dx < 0 else 0)
            bottom = py + dy * scale
            box = Bbox.from_bounds(left - 2, bottom - 2, wide + 4, high + 4)
            inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                ax.annotate(
                    text,
                    (x, y),
                    xytext=(dx, dy),
                    textcoords="offset points",
                    ha="right" if dx < 0 else "left",
                    va="bottom",
                    fontsize=SMALL,
                    arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 4},
                )
                break


def draw_reconstructed(reconstruction: Reconstruction, ax: Axes, *, level: float = 0.9) -> None:
    """Draw the reconstructed count of each period, and the windows that were printed as a rate over their days."""
    histories = reconstruction.histories
    index = pd.PeriodIndex(histories.index)
    highest = draw_seen(histories, ax, level=level)
    at = edges(index)
    highest = max(highest, _draw_windows(reconstruction, ax, at))
    period_axes(ax, index, reconstruction.unit, highest)
    _mark_last_known(ax, reconstruction.last_known_day, at[-1])
    finish(ax, _busiest(reconstruction.summary_frame(level), reconstruction.unit, level))


def _draw_windows(reconstruction: Reconstruction, ax: Axes, at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Draw each used window of a period or longer that is no running total, at its count per period."""
    table = reconstruction.tallies
    period_days = float(np.median(np.diff(at)))
    days = (table["end"] - table["start"]).dt.days + 1
    running = table.index.isin(running_totals(reconstruction).index)
    chosen = table[
        table["used"] & (table["role"] == "count") & ~running & (days >= period_days) & table["count"].notna()
    ]
    if chosen.empty:
        return 0.0
    rate = chosen["count"].to_numpy(dtype=float) * period_days / days[chosen.index].to_numpy(dtype=float)
    begin = chosen["start"].map(day_number).to_numpy(dtype=float)
    end = chosen["end"].map(day_number).to_numpy(dtype=float) + 1.0
    ax.hlines(
        rate,
        begin,
        end,
        color=INK,
        linewidth=1.0,
        linestyle=(0, (4, 1.5)),
        label="window as printed, evenly spread",
        zorder=2.5,
        clip_on=False,
    )
    return float(rate.max())
