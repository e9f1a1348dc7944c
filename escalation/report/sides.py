"""The pages on two sides and on flashpoints as others define them."""

from __future__ import annotations

from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import capital, probability_text
from escalation.counts.periods import period_word
from escalation.forecasts.flashpoint_definitions import PRESETS
from escalation.plots.excitation_charts import draw_response
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import error_text, plain_dates


def set_excitation(paper: Paper, assessment: Assessment) -> None:
    """Set what an attack by each side is followed by, and what else could be behind it."""
    found = assessment.excitation
    if isinstance(found, Withheld):
        return
    first, second = found.sides
    paper.new_page()
    paper.heading("Who answers whom?")
    paper.paragraph(found.sentence())
    for after, by in ((first, second), (second, first)):
        draw_response(found, paper.axes(160.0), by=by, after=after)
    table = found.alternatives.reset_index()
    paper.table(
        [
            TableColumn("More by", cells=table["by"]),
            TableColumn("after one by", cells=table["after"]),
            TableColumn("Alternative", 110.0, cells=table["alternative"]),
            number_column("p-value", 60.0, table["p_value"].map("{:.3f}".format)),
        ]
    )
    paper.paragraph(
        "That both sides rise and fall together is no evidence that one answers the other. The test against a shared "
        "shock asks whether the share of one side in the total rises after attacks by the other, which no level that "
        "drives both can bring about; the sizes are given as if there were no shared shock."
    )


def set_presets(paper: Paper, assessment: Assessment) -> None:
    """Set the probabilities of the definitions in public use."""
    points, forecast = assessment.presets, assessment.forecast
    if isinstance(points, Withheld) or isinstance(forecast, Withheld):
        return
    paper.heading("Flashpoints as others define them")
    word = period_word(assessment.freq, assessment.within)
    paper.paragraph(
        plain_dates(
            f"Within the {assessment.within} {word} to "
            f"{forecast.periods[assessment.within - 1].end_time.date()}. They are applied to "
            f"{assessment.series.unit} here, whatever they were made for; a threshold that follows from the past is "
            "the middle one over the histories."
        )
    )
    columns = [
        TableColumn("Definition", 96.0),
        TableColumn("Who uses it, on what they count"),
        TableColumn(f"{capital(assessment.series.unit)}: threshold", 84.0, right=True),
        TableColumn("Probability", 56.0, right=True),
        TableColumn("Monte Carlo error", 60.0, right=True),
    ]
    rows = []
    for name, point in points.items():
        span = f"{point.at_least:,} in {point.over} {period_word(assessment.freq, point.over)}"
        rows.append([name, PRESETS[name].source, span, probability_text(point.probability), error_text(point.mc_error)])
    paper.table(columns, rows)
