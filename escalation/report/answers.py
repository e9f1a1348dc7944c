"""The first page behind a brief: the answers about its main series in full sentences, and all cautions."""

from __future__ import annotations

import pandas as pd

from escalation.assessment.naming import counter_text, title_of
from escalation.assessment.result import Assessment
from escalation.counts.periods import period_word
from escalation.plots.style import GREY
from escalation.plots.text import span_text
from escalation.report.paper import Paper
from escalation.report.words import place_text, plain_dates

QUESTIONS = ("How many?", "Is the rate rising?", "What comes next?", "How likely is a flashpoint?")


def set_answers(paper: Paper, assessment: Assessment) -> None:
    """Set the answers in plain sentences, and the cautions."""
    paper.heading(title_of(assessment.series), size=16.0)
    paper.paragraph(_what(assessment), colour=GREY)
    counted, rate = assessment.sentences("rate")
    sentences = (counted, rate, " ".join(assessment.sentences("forecast")), assessment.sentences("flashpoints")[0])
    for question, sentence in zip(QUESTIONS, sentences, strict=True):
        paper.heading(question, size=10.0, keep=30.0)
        paper.paragraph(plain_dates(sentence))
    if assessment.cautions:
        paper.heading("Read with care", size=10.0, keep=30.0)
    for caution in assessment.cautions:
        paper.paragraph(plain_dates(caution), bullet="•")
    if assessment.if_quiet:
        quiet = assessment.if_quiet
        said = (quiet.sentences("rate")[0], *quiet.sentences("forecast"), quiet.sentences("flashpoints")[0])
        paper.paragraph(plain_dates(f"If the days without a word were quiet: {' '.join(said)}"), bullet="•")


def _what(assessment: Assessment) -> str:
    """Say what was counted, by whom, where and when."""
    series = assessment.series
    index = pd.PeriodIndex(series.counts.index)
    who = f"Counted by {counter_text(series.counter)}, {place_text(series.place)}. " if series.counter else ""
    span = span_text(index[0].start_time, index[-1].end_time.normalize())
    return f"{who}Unit: {series.unit}. {len(index)} {period_word(index.freqstr, len(index))}, {span}."
