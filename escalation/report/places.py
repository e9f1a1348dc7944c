"""The page on places: where incidents are now, against before, as maps and as a table."""

from __future__ import annotations

import numpy as np

from escalation.analysis.by_place import BEFORE, NOW
from escalation.assessment.result import Assessment
from escalation.assessment.withheld import Withheld
from escalation.conventions.wording import plain, probability_text
from escalation.counts.periods import period_word
from escalation.plots.outlines import NO_OUTLINES, outlines
from escalation.plots.place_charts import SHOWN, draw_areas, draw_map, has_map
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import plain_dates


def set_places(paper: Paper, assessment: Assessment) -> None:
    """Set two maps where there are coordinates, the rates of areas, and the same as a table."""
    found = assessment.places
    if isinstance(found, Withheld):
        return
    paper.new_page()
    paper.heading("Where is it happening?")
    *said, precision = found.sentences()
    for sentence in said:
        paper.paragraph(plain_dates(sentence))
    if has_map(found):
        for when, ax in zip((BEFORE, NOW), paper.axes_in_row(250.0, 2), strict=True):
            draw_map(found, ax, when)
        paper.paragraph(
            "The area of a circle is the rate at its place; a number beside a name counts incidents known no finer "
            f"than that area. {precision}" + (f" {NO_OUTLINES}" if outlines() is None else "")
        )
    else:
        paper.paragraph(precision)
    draw_areas(found, paper.axes(70.0 + 14.0 * min(len(found.areas), SHOWN)))
    shown, word = found.areas.head(SHOWN), period_word(found.freq)
    compared = [not np.isnan(one) for one in shown["ratio"]]
    spans = zip(compared, shown["ratio"], shown["lower"], shown["upper"], strict=True)
    ratios = [f"{plain(middle)} ({plain(low)} to {plain(high)})" if given else "" for given, middle, low, high in spans]
    higher = ["" if np.isnan(one) else probability_text(one) for one in shown["probability_higher"]]
    paper.table(
        [
            TableColumn("Area", cells=map(str, shown.index)),
            number_column("Before", 46.0, shown[BEFORE].map("{:,}".format)),
            number_column("Now", 40.0, shown[NOW].map("{:,}".format)),
            number_column(f"Per {word} before", 60.0, shown["rate_before"].map(plain)),
            number_column("now", 40.0, shown["rate_now"].map(plain)),
            number_column(f"Ratio ({found.level:.0%} interval)", 92.0, ratios),
            number_column("Probability of a higher rate", 70.0, higher),
        ]
    )
    if len(found.areas) > SHOWN:
        paper.paragraph(f"{len(found.areas) - SHOWN:,} more areas have incidents in either window.")
