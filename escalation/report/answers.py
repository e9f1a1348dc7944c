"""The first page: the answers, how far they go, and the series with its forecast."""

from __future__ import annotations

import pandas as pd

from escalation.assessment.naming import counter_text, title_of
from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.counts.periods import period_word
from escalation.plots.forecast_charts import draw_forecast
from escalation.plots.style import GREY
from escalation.plots.text import span_text
from escalation.report.paper import Paper
from escalation.report.passage import set_passage
from escalation.report.words import place_text, plain_dates

QUESTIONS = ("How many?", "Is the rate rising?", "What comes next?", "How likely is a flashpoint?")
SHOWN_DATES = 4
"""Dates in the table of flashpoints."""


def set_answers(paper: Paper, assessment: Assessment) -> None:
    """Set the answers in plain sentences, the flashpoints by date, cautions and a chart."""
    paper.heading(title_of(assessment.series), size=16.0)
    paper.paragraph(_what(assessment), colour=GREY)
    counted, rate = assessment.sentences("rate")
    sentences = (counted, rate, " ".join(assessment.sentences("forecast")), assessment.sentences("flashpoints")[0])
    for question, sentence in zip(QUESTIONS, sentences, strict=True):
        paper.heading(question, size=10.0, keep=30.0)
        paper.paragraph(plain_dates(sentence))
    thresholds = assessment.thresholds
    if not isinstance(thresholds, Withheld):
        paper.heading("Flashpoint probabilities by date", size=10.0)
        set_passage(paper, thresholds, assessment.series, assessment.within, SHOWN_DATES)
    if assessment.cautions:
        paper.heading("Read with care", size=10.0, keep=30.0)
    for caution in assessment.cautions:
        paper.paragraph(plain_dates(caution), bullet="•")
    if assessment.if_quiet:
        quiet = assessment.if_quiet
        said = (quiet.sentences("rate")[0], *quiet.sentences("forecast"), quiet.sentences("flashpoints")[0])
        paper.paragraph(plain_dates(f"If the days without a word were quiet: {' '.join(said)}"), bullet="•")
    if isinstance(assessment.forecast, Withheld):
        return
    ax = paper.axes(min(max(paper.space - 4.0, 190.0), 290.0))
    draw_forecast(assessment.forecast, ax, assessment.series.counts, level=assessment.level)


def _what(assessment: Assessment) -> str:
    """Say what was counted, by whom, where and when."""
    series = assessment.series
    index = pd.PeriodIndex(series.counts.index)
    who = f"Counted by {counter_text(series.counter)}, {place_text(series.place)}. " if series.counter else ""
    span = span_text(index[0].start_time, index[-1].end_time.normalize())
    return f"{who}Unit: {series.unit}. {len(index)} {period_word(index.freqstr, len(index))}, {span}."
