"""The pages on the trend, the forecast and the flashpoints."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from escalation.analysis.trend.rate_change import RateChange
from escalation.assessment.outlook import Outlook, Thresholds, times_reached
from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import capital, probability_text, spaced
from escalation.counts.periods import period_word
from escalation.forecasts.flashpoint import FlashpointProbability
from escalation.plots.flashpoint_charts import draw_first_passage
from escalation.plots.forecast_charts import draw_forecast, draw_models
from escalation.plots.style import INNER
from escalation.plots.text import period_text, span_text
from escalation.plots.trend_charts import draw_ratio, draw_windows, figure_text, total_text
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import error_text, interval_cells, median_interval, plain_dates, some_of, windows_text

SHOWN_ROWS = 10
"""A table of periods shows at most so many of them, evenly apart."""
PAST = 3
"""The fan chart shows so many times the horizon of what was observed."""


def set_trend(paper: Paper, assessment: Assessment) -> None:
    """Set both windows with their rates, the ratio, and what carries it."""
    change, word = assessment.rate, period_word(assessment.freq)
    paper.heading("Is the rate rising?")
    if isinstance(change, Withheld):
        paper.paragraph(change.sentence())
        return
    paper.paragraph(plain_dates(change.sentence()))
    draw_windows(assessment.series.counts, change, paper.axes(260.0), unit=assessment.series.unit)
    draw_ratio(change, paper.axes(110.0))
    table = pd.concat([change.baseline.table(), change.recent.table()])
    spans = [
        f"{name}: {span_text(window.first.start_time, window.last.end_time.normalize())}"
        for name, window in (("Baseline", change.baseline), ("Recent", change.recent))
    ]
    paper.table(
        [
            TableColumn("Window", cells=spans),
            number_column(f"{capital(word)}s observed", 60.0, table["observed"].map("{:,}".format)),
            number_column("Total", 54.0, table["total"].map(total_text)),
            number_column(f"Rate per {word}", 60.0, table["rate"].map(figure_text)),
            number_column(f"{change.level:.0%} interval", 90.0, interval_cells(table)),
        ]
    )
    paper.paragraph(_carrier(assessment, change))
    over = f", averaged over {change.histories:,} equally plausible histories" if change.histories > 1 else ""
    paper.paragraph(
        f"The ratio is the posterior median of the recent over the baseline rate{over}. The counts scatter about their "
        f"rate with dispersion {figure_text(change.dispersion)} (variance = mean + dispersion x mean squared), which "
        "is in the intervals. Rates are those of the model that forecasts, not counts divided by periods: an outlying "
        "count moves them little. What a series usually does is judged by series drawn from a rate that is pulled back "
        "to its usual level; a probability near 0.5 says that the counts do not distinguish a rise from a fall, not "
        "that nothing changed. The interval of a mean rate is not the range of single counts."
    )


def _carrier(assessment: Assessment, change: RateChange) -> str:
    """Say what the direction hangs on."""
    word, carrier = period_word(assessment.freq), assessment.carrier
    if change.carried_by is not None and change.probability_without is not None:
        return (
            f"What carries it: the {word} {period_text(change.carried_by)} alone. Without it the probability that the "
            f"rate is higher is {probability_text(change.probability_without)}."
        )
    if not change.direction():
        return f"What carries it: there is no clear direction, so none that a single {word} could carry."
    if not isinstance(carrier, Withheld) and carrier.carried_by is not None:
        said = plain_dates(carrier.sentence())
        return f"What carries it: {said[:1].lower()}{said[1:]}"
    return f"What carries it: no single {word}; the direction stays when any one of them is left out."


def set_forecast(paper: Paper, assessment: Assessment) -> None:
    """Set the fan, the other models beside it, and the forecast as a table."""
    outlook, level, word = assessment.outlook, assessment.level, period_word(assessment.freq)
    counts = assessment.series.counts
    paper.heading("What comes next?")
    paper.paragraph(plain_dates(" ".join(assessment.sentences("forecast"))))
    if isinstance(outlook, Withheld):
        return
    forecast = outlook.forecast
    past = min(len(counts), max(PAST * forecast.steps, 12))
    draw_forecast(forecast, paper.axes(195.0), counts, level=level, past=past)
    draw_models(outlook.forecasts, paper.axes(152.0), level=level)
    _set_models(paper, assessment, outlook)
    outer, inner = forecast.summary_frame(level), forecast.summary_frame(INNER)
    shown = some_of(forecast.steps, SHOWN_ROWS)
    every = "" if len(shown) == forecast.steps else f", every {shown[1] - shown[0]} {period_word(assessment.freq, 2)}"
    paper.heading(f"The forecast that the answers use{every}", keep=40.0)
    columns = [TableColumn(capital(word)), TableColumn("Median", 60.0, right=True)]
    columns += [TableColumn(f"{share:.0%} interval", 110.0, right=True) for share in (INNER, level)]
    rows = []
    for step in shown:
        spans = [
            f"{frame['obs_pi_lower'].iloc[step]:,} to {frame['obs_pi_upper'].iloc[step]:,}" for frame in (inner, outer)
        ]
        rows.append([period_text(forecast.periods[step]), f"{outer['median'].iloc[step]:,}", *spans])
    paper.table(columns, rows)


def _set_models(paper: Paper, assessment: Assessment, outlook: Outlook) -> None:
    within = assessment.within
    columns = [
        TableColumn(f"Model: median and {assessment.level:.0%} prediction interval"),
        TableColumn(f"First {period_word(assessment.freq)}", 110.0, right=True),
        TableColumn(f"In all, next {within} {period_word(assessment.freq, within)}", 150.0, right=True),
    ]
    rows = [
        [
            spaced(str(name)) + (" (the answers use it)" if name == outlook.model else ""),
            median_interval(row["first"], row["first_lower"], row["first_upper"]),
            median_interval(row["total"], row["total_lower"], row["total_upper"]),
        ]
        for name, row in outlook.totals(within, assessment.level).iterrows()
    ]
    paper.table(columns, rows)
    scored = (
        "No past forecasts were scored for this report, so nothing here says which model deserves more trust"
        if not assessment.record
        else "How past forecasts fared is on a page of its own"
    )
    paper.paragraph(f"{scored}; where the models differ, the difference is part of the uncertainty.")


def set_flashpoints(paper: Paper, assessment: Assessment) -> None:
    """Set the first-passage curves, the thresholds with their Monte Carlo errors, and what they mean."""
    paper.heading("How likely is a flashpoint?")
    thresholds, outlook = assessment.thresholds, assessment.outlook
    paper.paragraph(plain_dates(assessment.sentences("flashpoints")[0]))
    if isinstance(thresholds, Withheld) or isinstance(outlook, Withheld):
        return
    passage = thresholds.passage.iloc[: assessment.within]
    draw_first_passage(passage, paper.axes(260.0), thresholds.points)
    past = times_reached(assessment.series, thresholds, thresholds.points[0].over)
    compared = windows_text(thresholds.points[0].over, assessment.freq)
    points = sorted(thresholds.points, key=lambda point: point.at_least)
    limits = [f"{point.at_least:,} or more" for point in points]
    numbers = past.loc[[point.at_least for point in points]]
    reached = map("{:,} of {:,}".format, numbers["reached"], numbers["windows"])
    spans = [f"{point.lower:.3f} to {point.upper:.3f}" for point in points]
    paper.table(
        [
            TableColumn(f"{capital(assessment.series.unit)} in {compared}", cells=limits),
            number_column("Reached so far", 84.0, reached),
            number_column("Probability", 56.0, [probability_text(point.probability) for point in points]),
            number_column("Monte Carlo error", 60.0, [error_text(point.mc_error) for point in points]),
            number_column("90% Monte Carlo interval", 90.0, spans),
        ]
    )
    for text in _meaning(assessment, thresholds, outlook):
        paper.paragraph(text)
    paper.paragraph(plain_dates(assessment.year.sentence()))


def _meaning(assessment: Assessment, thresholds: Thresholds, outlook: Outlook) -> Iterable[str]:
    point = thresholds.points[0]
    word, many = period_word(assessment.freq), period_word(assessment.freq, 2)
    straddle = "" if point.over == 1 else " Windows that begin before the forecast count what was observed in them."
    yield (
        f"Thresholds for action: {_threshold(assessment, point)}. 'Reached so far' says how usual each has been. At "
        "which probability to act depends on what a false alarm and a missed one cost, which the reader must weigh; "
        f"these probabilities do not.{straddle}"
    )
    yield (
        f"A probability is the share of {point.draws:,} simulated futures, by {outlook.maker()}, in which the "
        f"threshold is reached by the end of that {word}. Each future is followed as a whole: probabilities of single "
        f"{many} are not multiplied, for one busy {word} is often followed by another. The Monte Carlo error comes "
        "from the number of futures and histories alone; what the models leave open is in the probability itself, and "
        "that they may be wrong is in neither."
    )


def _threshold(assessment: Assessment, point: FlashpointProbability) -> str:
    """Say where the thresholds come from."""
    if point.name:
        return f"{point.at_least:,} is that of {point.name}, the middle one over the histories where they differ"
    chosen = "what the busiest tenth so far reached" if assessment.options.at_least is None else "the one asked about"
    return f"{point.at_least:,} is {chosen}, and the others are half and twice of it, and the highest so far"
