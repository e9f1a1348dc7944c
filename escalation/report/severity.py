"""The page on severity: which share of attacks kills, how many a lethal one kills, what the coming ones may cost."""

from __future__ import annotations

from collections.abc import Iterator

from escalation.analysis.severity.tail import FEWEST
from escalation.assessment.result import Assessment
from escalation.assessment.severity import AttackSeverity
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import probability_text
from escalation.plots.severity_charts import draw_fatality_tail, draw_lethality
from escalation.plots.text import span_text
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import error_text, interval_cells, plain_dates


def set_severity(paper: Paper, assessment: Assessment) -> None:
    """Set the share that kills, the sizes where there are enough, the probabilities of coming ones, and cautions."""
    found = assessment.severity
    if isinstance(found, Withheld):
        return
    share, cost = found.lethality, found.toll
    paper.new_page()
    paper.heading("What do the attacks do?")
    paper.paragraph(share.sentence())
    draw_lethality(share, paper.axes(110.0 + 13.0 * min(len(share.groups), 10)))
    if found.sizes is not None:
        paper.paragraph(found.sizes.sentence())
    if found.tail is not None:
        paper.paragraph(found.tail.sentence())
        draw_fatality_tail(found.tail, paper.axes(200.0))
    paper.heading(f"What the coming ones may cost, {span_text(cost.start, cost.end)}", keep=60.0)
    probabilities, unknown = cost.probabilities, f"{cost.level:.0%} interval for what is not known of the severity"
    paper.table(
        [
            TableColumn(
                "At least one attack that kills", cells=[f"{killed:,} or more" for killed in probabilities.index]
            ),
            number_column("Probability", 70.0, probabilities["probability"].map(probability_text)),
            number_column("Monte Carlo error", 80.0, probabilities["mc_error"].map(error_text)),
            number_column(unknown, 150.0, interval_cells(probabilities, write=probability_text)),
        ]
    )
    if cost.median is not None:
        paper.paragraph(plain_dates(cost.total_sentence()))
    for text in _meaning(found):
        paper.paragraph(text)
    for caution in found.cautions:
        paper.paragraph(caution, bullet="•")


def _meaning(found: AttackSeverity) -> Iterator[str]:
    """How the numbers were made."""
    yield (
        "Each simulated future of the counts goes with one share and, where there is one, one distribution of the "
        "killed of a lethal attack, both drawn from what the incidents leave possible: nothing multiplies mean "
        "probabilities. The interval is between what the lowest and the highest of them give, however the counts turn "
        "out."
    )
    if found.lethality.new_share is not None:
        yield (
            "Shares of types with few attacks are drawn towards the others, as far as the types that have many are "
            "alike; the share as it was counted is marked."
        )
    if found.sizes is not None:
        yield (
            f"A distribution of the killed needs {FEWEST} lethal attacks. It was chosen by AIC; a power law of the "
            "deadliest events is fitted above the threshold at which it is nearest to them, and its interval holds "
            "other thresholds."
        )
