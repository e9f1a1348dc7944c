"""Charts of forecasts: the fan behind what was observed, and several models beside each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from escalation.counts.periods import period_word
from escalation.counts.schema import table_of_counts
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError
from escalation.forecasts.forecast import Forecast
from escalation.plots.style import (
    AHEAD,
    INK,
    INNER,
    SMALL,
    count_axis,
    edges,
    fan,
    finish,
    last_day_labels,
    new_chart,
    note_at_top,
    period_axes,
    points,
    styled,
)
from escalation.plots.tally_charts import draw_seen
from escalation.plots.text import day_text, period_text, printable, text_width

SHOWN_STEPS = 8
"""At most so many steps of several models stand beside each other."""
MODEL_STYLES = ((INK, "o"), (AHEAD, "s"), ("#6e6e6e", "^"), ("#12406b", "D"), ("#a0a0a0", "v"))
"""Colour and marker of each model."""


@styled
def forecast(
    forecast: Forecast,
    counts: CountsLike | None = None,
    *,
    level: float = 0.9,
    past: int | None = None,
) -> Figure:
    """Chart a forecast behind what was observed, the two clearly apart.

    Parameters
    ----------
    forecast : Forecast
        Joint paths of the next periods.
    counts : Series, DataFrame of histories, CountSeries or Reconstruction, optional
        Counts or histories until the origin; what the paths continue when left out.
    level : float
        Probability of the wide band, between 0 and 1; the narrow band has 0.5.
    past : int, optional
        How many observed periods to show; all when left out.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1, or ``counts`` do not end at the origin of the forecast.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> counts = pd.Series([3, 5, 4, 4, 6, 2], index=pd.period_range("2024-01", periods=6, freq="M"))
    >>> forecast = escalation.Climatology().fit(counts, unit="raids").forecast(3, rng=1)
    >>> escalation.plots.forecast(forecast).axes[0].get_ylabel()
    'raids per month'
    """
    chart, (ax,) = new_chart(7.0, (3.8,))
    seen = None if counts is None else unpack_counts(counts).counts
    draw_forecast(forecast, ax, seen, level=level, past=past)
    return chart


@styled
def models(forecasts: Mapping[str, Forecast], *, level: float = 0.9) -> Figure:
    """Chart the intervals of several models' forecasts beside each other.

    Parameters
    ----------
    forecasts : mapping of str to Forecast
        By name, on the same periods.
    level : float
        Probability of the thin line, between 0 and 1; the thick line has 0.5.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no forecast, their periods differ, or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd, escalation
    >>> counts = pd.Series([3, 5, 4, 4, 6, 2], index=pd.period_range("2024-01", periods=6, freq="M"))
    >>> models = {"last year": escalation.Climatology(), "last quarter": escalation.Climatology(window=3)}
    >>> forecasts = {name: model.fit(counts).forecast(3, rng=1) for name, model in models.items()}
    >>> len(escalation.plots.models(forecasts).axes[0].get_xticks())
    3
    """
    chart, (ax,) = new_chart(7.0, (3.4,))
    draw_models(forecasts, ax, level=level)
    return chart


def draw_forecast(
    forecast: Forecast,
    ax: Axes,
    counts: pd.Series | pd.DataFrame | None = None,
    *,
    level: float = 0.9,
    past: int | None = None,
) -> None:
    """Draw observed periods, a line at the origin and the hatched fan of the forecast."""
    seen = continued(forecast) if counts is None else counts
    index = pd.PeriodIndex(seen.index)
    if index.freqstr != forecast.periods.freqstr or index[-1] != forecast.origin:
        raise InputError(
            f"counts end at {index[-1]}, the forecast begins after {forecast.origin}; give those it was made from"
        )
    seen = seen if past is None else seen.iloc[-past:]
    index = pd.PeriodIndex(seen.index)
    highest = draw_seen(seen, ax, level=level)
    frames = (forecast.summary_frame(share) for share in (level, INNER))
    ahead, inner = (frame.rename(columns=lambda name: name.removeprefix("obs_pi_")) for frame in frames)
    fan(ax, forecast.periods, ahead, inner, level, ahead="forecast, ")
    at = edges(forecast.periods)
    median = ahead["median"].to_numpy(dtype=float)
    ax.stairs(median, at, baseline=None, color=AHEAD, linewidth=1.6, linestyle=(0, (3, 1)), label="forecast, median")
    top, usual = (max(highest, float(frame["upper"].max())) for frame in (ahead, inner))
    period_axes(ax, pd.PeriodIndex(index.append(forecast.periods)), forecast.unit, top, usual=usual)
    _mark_origin(ax, at[0], edges(index)[0], f"last observed {period_word(forecast.periods.freqstr)}")
    finish(ax, _next(forecast, level))


def continued(forecast: Forecast) -> pd.Series | pd.DataFrame:
    """What the paths of a forecast continue: one series, or a history for each path."""
    observed = forecast.series_observed
    index = pd.period_range(
        end=forecast.origin, periods=observed.shape[1], freq=forecast.periods.freqstr, name="period"
    )
    if observed.shape[1] == 0:
        raise InputError("the forecast holds no observed periods to show; give counts")
    same = np.array_equal(observed, np.broadcast_to(observed[0], observed.shape), equal_nan=True)
    return table_of_counts(observed[:1] if same else observed, index)


def _mark_origin(ax: Axes, at: float, first: float, text: str) -> None:
    """Draw the line between observed and forecast, named on the side that has room."""
    ax.axvline(at, color=INK, linewidth=1.0, gid="origin")
    low, high = ax.get_xlim()
    width = points(ax)[0] * (at - first) / (high - low) * 0.85
    left = text_width(text, SMALL) + 8 < width
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    note_at_top(ax, text, at, -4 if left else 4, ground)


def _next(forecast: Forecast, level: float) -> str:
    """Say what the first and the last step hold."""
    frame, unit = forecast.summary_frame(level), printable(forecast.unit)
    word, until = period_word(forecast.periods.freqstr), day_text(forecast.periods[-1].end_time.normalize())
    text = f"Next {word}: {_median_range(frame.iloc[0], f'{level:.0%} interval ')} {unit}"
    return text if forecast.steps == 1 else f"{text}; {word} to {until}: {_median_range(frame.iloc[-1], '')}"


def _median_range(row: pd.Series, name: str) -> str:
    return f"{row['median']:,.0f} ({name}{row['obs_pi_lower']:,.0f} to {row['obs_pi_upper']:,.0f})"


def draw_models(forecasts: Mapping[str, Forecast], ax: Axes, *, level: float = 0.9) -> None:
    """Draw each model's median and intervals at some steps, side by side."""
    if not forecasts:
        raise InputError("there is no forecast to draw; give at least one")
    periods = next(iter(forecasts.values())).periods
    if not all(forecast.periods.equals(periods) for forecast in forecasts.values()):
        raise InputError("the forecasts are of different periods; make them from the same counts with the same steps")
    steps = _some_steps(len(periods))
    offsets = (np.arange(len(forecasts)) - (len(forecasts) - 1) / 2) * 0.7 / len(forecasts)
    place = np.arange(len(steps))
    tops, usual = [], []
    for number, (name, forecast) in enumerate(forecasts.items()):
        colour, marker = MODEL_STYLES[number % len(MODEL_STYLES)]
        outer, inner = forecast.summary_frame(level).iloc[steps], forecast.summary_frame(INNER).iloc[steps]
        at = place + offsets[number]
        ax.vlines(at, outer["obs_pi_lower"], outer["obs_pi_upper"], color=colour, linewidth=1.0, gid=name)
        ax.vlines(at, inner["obs_pi_lower"], inner["obs_pi_upper"], color=colour, linewidth=3.6)
        label = printable(name.replace("_", " "))
        ax.plot(at, outer["median"], marker, mfc="white", mec=colour, mew=1.0, ms=4.5, ls="none", label=label)
        tops.append(float(outer["obs_pi_upper"].max()))
        usual.append(float(inner["obs_pi_upper"].max()))
    ax.set_xlim(-0.6, len(steps) - 0.4)
    days = periods[steps].to_timestamp(how="end").normalize()
    ax.set_xticks(place, last_day_labels(days, periods.freqstr))
    word = period_word(periods.freqstr)
    unit = printable(next(iter(forecasts.values())).unit)
    ax.set_xlabel(f"{word} ending" if word == "week" else word)
    count_axis(ax, f"{unit} per {word}", max(tops), usual=min(max(tops), max(usual)))
    finish(ax, _apart(forecasts, periods[steps[-1]], int(steps[-1]), level))


def _some_steps(steps: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Steps to show, evenly apart, the last one among them."""
    every = -(-steps // SHOWN_STEPS)
    return np.arange((steps - 1) % every, steps, every)


def _apart(forecasts: Mapping[str, Forecast], period: pd.Period, step: int, level: float) -> str:
    """Say how far the models' upper limits are apart at the last step."""
    ends = [one.series_paths[:, step] for one in forecasts.values()]
    upper = [int(np.quantile(end, (1 + level) / 2, method="inverted_cdf")) for end in ends]
    when = f"{period_text(period)}"
    if len(upper) == 1:
        return f"At most {upper[0]:,} in {when}, with {(1 + level) / 2:.0%} probability"
    span = f"{min(upper):,}" if min(upper) == max(upper) else f"{min(upper):,} to {max(upper):,}"
    return f"{len(upper)} forecasts put the upper end of the {level:.0%} interval for {when} at {span}"
