"""The page on the record: how forecasts of this series from past dates fared."""

from __future__ import annotations

import pandas as pd

from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import spaced
from escalation.counts.periods import period_word
from escalation.evaluation.result import Backtest
from escalation.plots.backtest_charts import draw_pit, draw_scores
from escalation.plots.text import period_text
from escalation.plots.trend_charts import figure_text
from escalation.report.paper import Paper, TableColumn, number_column

BASELINE = "climatology"
FEWEST = 8
"""Origins that a comparison needs."""


def set_record(paper: Paper, assessment: Assessment) -> None:
    """Set the scores of past forecasts, where there are any: a table, scores by lead, and calibration."""
    record = assessment.record
    if isinstance(record, Withheld):
        return
    origins = pd.PeriodIndex(record.scores["origin"].unique())
    word, steps = period_word(assessment.freq, 2), int(record.scores["step"].max())
    paper.new_page()
    paper.heading("How good have such forecasts been?")
    paper.paragraph(
        f"From {len(origins)} past dates, {period_text(origins[0])} to {period_text(origins[-1])}, the series was put "
        f"together again from the counts that had been printed by then, and each model forecast 1 to {steps} {word} "
        "ahead. What came is the present reconstruction, its uncertainty included. Counts without a date of print were "
        "left out of what was known."
    )
    compared = None if len(origins) < FEWEST else record.compare(BASELINE, rng=0)
    _set_table(paper, record, compared)
    paper.paragraph(_finding(compared))
    draw_scores(record, paper.axes(150.0))
    draw_pit(record, paper.axes(150.0))
    paper.paragraph(
        "CRPS is the distance of the forecast from what came, in counts; the log score is the surprise at it, in nats; "
        "both are the smaller the better. The bars of a calibrated model are level. "
        f"{len(origins)} dates of one series are few: the shape of its bars is mostly random, and an ordering of the "
        "models that the interval does not bear out is no reason to trust one of them more."
    )


def _set_table(paper: Paper, record: Backtest, compared: pd.DataFrame | None) -> None:
    table = record.table()
    others: dict[object, str] = {}
    if compared is not None:
        ends = (compared[name] for name in ("difference", "lower", "upper"))
        others = dict(zip(compared.index, map("{:+.2g} ({:+.2g} to {:+.2g})".format, *ends), strict=True))
    beside = [others.get(model, "-") for model in table.index]
    paper.table(
        [
            TableColumn("Model", cells=[spaced(str(model)) for model in table.index]),
            number_column("CRPS", 44.0, table["crps"].map(figure_text)),
            number_column("Log score", 50.0, table["log_score"].map("{:.2f}".format)),
            number_column("In 50%", 44.0, table["coverage_50%"].map("{:.0%}".format)),
            number_column("In 90%", 44.0, table["coverage_90%"].map("{:.0%}".format)),
            number_column(f"CRPS less that of {BASELINE}, 95% interval", 150.0, beside),
        ]
    )


def _finding(compared: pd.DataFrame | None) -> str:
    """Say what is better than the baseline, if anything."""
    if compared is None:
        return f"With fewer than {FEWEST} dates nothing can be said about which model is better."
    found = {verdict: [spaced(str(name)) for name in rows.index] for verdict, rows in compared.groupby("verdict")}
    parts = [f"{' and '.join(found[verdict])} {verdict}" for verdict in ("better", "worse") if verdict in found]
    if not parts:
        return f"No model can be distinguished from {BASELINE}: every interval of the difference holds 0."
    rest = "; the others cannot be distinguished from it" if "not distinguishable" in found else ""
    return f"Than {BASELINE}, by CRPS: {'; '.join(parts)}{rest}."
