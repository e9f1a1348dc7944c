"""Charts, one family a file; only this folder and the report import matplotlib.

``plot_…`` functions return a figure that shows itself in a notebook; ``draw_…`` functions draw on given axes.
"""

from escalation.plots.backtest import plot_pit, plot_reliability, plot_scores
from escalation.plots.excitation import plot_excitation
from escalation.plots.flashpoint import plot_first_passage
from escalation.plots.forecast import plot_forecast, plot_models
from escalation.plots.growth import plot_growth
from escalation.plots.nowcast import plot_nowcast
from escalation.plots.severity import plot_fatality_tail, plot_lethality
from escalation.plots.tallies import plot_counts, plot_reconstruction
from escalation.plots.trend import plot_trend
from escalation.plots.watching import plot_alarms, plot_changes, plot_regimes

__all__ = [
    "plot_alarms",
    "plot_changes",
    "plot_counts",
    "plot_excitation",
    "plot_fatality_tail",
    "plot_first_passage",
    "plot_forecast",
    "plot_growth",
    "plot_lethality",
    "plot_models",
    "plot_nowcast",
    "plot_pit",
    "plot_reconstruction",
    "plot_regimes",
    "plot_reliability",
    "plot_scores",
    "plot_trend",
]
