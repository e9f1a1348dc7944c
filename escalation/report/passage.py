"""The table of the probability that each threshold has been reached by some dates."""

from __future__ import annotations

import numpy as np

from escalation.assessment.outlook import Thresholds
from escalation.conventions.wording import capital, probability_text
from escalation.counts.series import CountSeries
from escalation.plots.text import day_text
from escalation.report.paper import Paper, TableColumn
from escalation.report.words import error_text, some_of, windows_text


def set_passage(paper: Paper, thresholds: Thresholds, series: CountSeries, within: int, dates: int) -> None:
    """Set the probability that each threshold has been reached by some dates, and its error at the last."""
    passage = thresholds.passage.iloc[:within]
    steps = some_of(len(passage), dates)
    columns = [TableColumn(f"{capital(series.unit)} in {windows_text(thresholds.points[0].over, series.freq)}")]
    columns += [
        TableColumn(f"by {day_text(passage.index[step].end_time.normalize())}", 50.0, right=True) for step in steps
    ]
    columns += [TableColumn("Monte Carlo error", 58.0, right=True)]
    rows = []
    for point in sorted(thresholds.points, key=lambda point: point.at_least):
        probabilities = passage[point.at_least].iloc[steps]
        cells = ["-" if np.isnan(one) else probability_text(float(one)) for one in probabilities]
        rows.append([f"{point.at_least:,} or more", *cells, error_text(point.mc_error)])
    paper.table(columns, rows)
