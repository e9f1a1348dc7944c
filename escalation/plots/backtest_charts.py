"""Charts of a backtest: calibration of forecasts, reliability of probabilities, scores by lead."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from escalation.counts.periods import period_word
from escalation.evaluation.result import Backtest
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.plots.style import (
    AHEAD,
    AHEAD_INNER,
    FAINT,
    GREY,
    HEADROOM,
    INK,
    SEEN,
    SEEN_INNER,
    SMALL,
    finish,
    new_chart,
    styled,
)

STYLES = (
    (AHEAD, "-", "o"),
    (SEEN, (0, (5, 2)), "s"),
    (INK, (0, (5, 1.5, 1, 1.5)), "^"),
    (GREY, (0, (1, 1.5)), "D"),
    (GREY, "-", "v"),
    (INK, (0, (1, 1)), "P"),
)
"""Colour, line style and marker of each model, the best first; from the seventh on they come again."""
FILLS = (AHEAD_INNER, SEEN_INNER, INK, GREY, "white", FAINT)
BESIDE = 0.006
"""Points of models whose probabilities are alike are drawn so far beside each other."""
BINS = 10
NAMES = {
    "crps": "CRPS",
    "crps_log1p": "CRPS of log(1 + count)",
    "log_score": "log score (nats)",
    "interval_score_50%": "score of the 50% interval",
    "interval_score_90%": "score of the 90% interval",
}


@styled
def pit(result: Backtest, *, bins: int = BINS) -> Figure:
    """Chart the non-randomised PIT histogram of each model; flat at 1 is calibrated.

    Parameters
    ----------
    result : Backtest
        From :func:`escalation.backtest`.
    bins : int
        Of equal width.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, pandas as pd, escalation
    >>> months = pd.period_range("2020-01", periods=60, freq="M")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(5, 60), index=months)
    >>> result = escalation.backtest([escalation.Climatology()], counts, origins=10, horizon=2, draws=100, rng=1)
    >>> figure = pit(result, bins=5)
    >>> len(figure.axes[0].get_lines()[1].get_ydata())
    6
    """
    chart, (ax,) = new_chart(7.0, (3.6,))
    draw_pit(result, ax, bins=bins)
    return chart


def draw_pit(result: Backtest, ax: Axes, *, bins: int = BINS) -> None:
    """Draw the heights of each model's histogram as steps, with the line of a calibrated forecast at 1."""
    table = result.pit(bins)
    edges = np.append(table.index.to_numpy(), 1.0)
    ax.axhline(1.0, color=INK, linewidth=0.6)
    for number, model in enumerate(_ranked(result)):
        colour, line, _ = STYLES[number % len(STYLES)]
        heights = np.append(table[model].to_numpy(), table[model].iloc[-1])
        ax.plot(edges, heights, color=colour, linestyle=line, drawstyle="steps-post", label=_spaced(model))
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks(np.linspace(0, 1, 6), [f"{tick:.1f}" for tick in np.linspace(0, 1, 6)])
    _scale(ax, 0.0, max(2.0, float(table.to_numpy().max())))
    ax.set_xlabel("share of the forecast below what came")
    ax.set_ylabel("relative frequency")
    finish(ax, "Calibrated forecasts are flat at 1; a U says too narrow, a hump too wide")


@styled
def reliability(result: Backtest, at_least: int | str | Flashpoint, *, bins: int = BINS, level: float = 0.95) -> Figure:
    """Chart how often a threshold was reached, against the probability that was forecast.

    Bars are Wilson intervals of the frequencies, as wide as overlapping origins and units that are alike make them (see
    :meth:`Backtest.reliability`): where one crosses the diagonal, the point may be off it by chance.  Below,
    how many forecasts each bin holds.

    Parameters
    ----------
    result : Backtest
        From :func:`escalation.backtest`, with ``at_least`` among its thresholds or definitions.
    at_least : int, str or Flashpoint
        The threshold, or the definition or its name.
    bins : int
        Of equal width, of probability.
    level : float
        Probability of the bars.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, pandas as pd, escalation
    >>> months = pd.period_range("2020-01", periods=60, freq="M")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(5, 60), index=months)
    >>> models = [escalation.Climatology()]
    >>> result = escalation.backtest(models, counts, origins=10, horizon=2, thresholds=(6,), draws=100, rng=1)
    >>> figure = reliability(result, 6)
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['share that came, 95% interval', 'forecasts']
    """
    chart, (ax, below) = new_chart(4.6, (4.2, 1.5))
    draw_reliability(result, at_least, ax, bins=bins, level=level)
    draw_forecasts(result, at_least, below, bins=bins)
    return chart


def draw_reliability(
    result: Backtest, at_least: int | str | Flashpoint, ax: Axes, *, bins: int = BINS, level: float = 0.95
) -> None:
    """Draw each model's points with the intervals of their frequencies, and the diagonal."""
    table = result.reliability(at_least, bins, level=level)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    for number, model in enumerate(_ranked(result)):
        colour, line, marker = STYLES[number % len(STYLES)]
        own = table.loc[model]
        x = own["probability"].to_numpy() + BESIDE * (number - (len(result.models) - 1) / 2)
        ax.vlines(x, own["lower"], own["upper"], color=colour, linewidth=0.9)
        ax.plot(
            x, own["frequency"], color=colour, linestyle=line, linewidth=0.9, marker=marker, ms=5.0, mfc="white",
            label=_spaced(model),
        )  # fmt: skip
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(np.linspace(0, 1, 6), [f"{tick:.1f}" for tick in np.linspace(0, 1, 6)])
    ax.set_ylabel(f"share that came, {level:.0%} interval")
    word = period_word(result.scores["period"].iloc[0].freqstr)
    name = at_least.name if isinstance(at_least, Flashpoint) else at_least
    what = _spaced(name) if isinstance(name, str) else f"{name:,} or more in a {word}"
    finish(ax, f"{what}: reliable probabilities lie on the line")


def draw_forecasts(result: Backtest, at_least: int | str | Flashpoint, ax: Axes, *, bins: int = BINS) -> None:
    """Draw how many forecasts of each model are in each bin of probability, on a scale of logarithms."""
    table = result.reliability(at_least, bins)
    models = _ranked(result)
    width = 0.8 / bins / len(models)
    for number, model in enumerate(models):
        own = table.loc[model]
        left = np.minimum((own["probability"] * bins).astype(int), bins - 1) / bins + 0.1 / bins + number * width
        colour = STYLES[number % len(STYLES)][0]
        bars = ax.bar(left, own["forecasts"], width, align="edge", color=FILLS[number % len(FILLS)], edgecolor=colour)
        if len(models) == 1:
            ax.bar_label(bars, [f"{count:,}" for count in own["forecasts"]], fontsize=SMALL, color=INK)
    ax.set_yscale("log")
    ax.minorticks_off()
    powers = 10 ** np.arange(len(str(int(table["forecasts"].max()))))
    ax.set_yticks(powers, [f"{power:,}" for power in powers])
    ax.set_ylim(0.7, 4.0 * float(table["forecasts"].max()))
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks(np.linspace(0, 1, 6), [f"{tick:.1f}" for tick in np.linspace(0, 1, 6)])
    ax.set_xlabel("forecast probability")
    ax.set_ylabel("forecasts")


@styled
def scores(result: Backtest, *, score: str = "crps") -> Figure:
    """Chart the mean score of each model by lead.

    Parameters
    ----------
    result : Backtest
        From :func:`escalation.backtest`.
    score : str
        ``crps``, ``crps_log1p``, ``log_score``, ``interval_score_50%`` or ``interval_score_90%``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no such score.

    Examples
    --------
    >>> import numpy as np, pandas as pd, escalation
    >>> months = pd.period_range("2020-01", periods=60, freq="M")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(5, 60), index=months)
    >>> result = escalation.backtest([escalation.Climatology()], counts, origins=10, horizon=3, draws=100, rng=1)
    >>> scores(result).axes[0].lines[0].get_xdata().tolist()
    [1, 2, 3]
    """
    chart, (ax,) = new_chart(7.0, (3.4,))
    draw_scores(result, ax, score=score)
    return chart


def draw_scores(result: Backtest, ax: Axes, *, score: str = "crps") -> None:
    """Draw a line of mean scores for each model, steps ahead along the axis."""
    table = result.by_step(score)
    for number, model in enumerate(_ranked(result)):
        colour, line, marker = STYLES[number % len(STYLES)]
        own = table[model]
        ax.plot(
            own.index.to_numpy(), own.to_numpy(), color=colour, linestyle=line, marker=marker, ms=4.5, mfc="white",
            label=_spaced(model),
        )  # fmt: skip
    _scale(ax, min(0.0, float(table.to_numpy().min())), float(table.to_numpy().max()))
    steps = table.index.to_numpy()
    ax.set_xticks(steps[:: max(1, len(steps) // 12)])
    ax.set_xlabel(f"{period_word(result.scores['period'].iloc[0].freqstr, 2)} ahead")
    ax.set_ylabel(f"mean {NAMES[score]}")
    finish(ax, "The lower, the better the forecasts were")


def _scale(ax: Axes, low: float, high: float) -> None:
    """Set the limits of the y axis and ticks between them."""
    top = low + HEADROOM * (high - low if high > low else 1.0)
    ticks = np.array(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, top))
    ax.set_ylim(low, top)
    ax.set_yticks(ticks[(ticks >= low) & (ticks <= top)])


def _ranked(result: Backtest) -> list[str]:
    """Names of the models, the smallest mean CRPS first."""
    return [str(model) for model in result.table().index]


def _spaced(model: str) -> str:
    return model.replace("_", " ")
