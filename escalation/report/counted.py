"""The second page: what was printed or listed, and the counts that follow from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.assessment.result import Assessment
from escalation.counts.schema import count_matrix
from escalation.plots.tally_charts import draw_counts, draw_cumulative, draw_reconstructed, running_totals
from escalation.report.paper import Paper, TableColumn, number_column
from escalation.report.words import range_text, window_text
from escalation.tallies.printed import contradictions_by_window
from escalation.tallies.reconstruct import Reconstruction

SHOWN_SOURCES = 10
MOST_SHRUNK = 110.0
"""Points that both charts give up at most for the table of contradictions."""
AROUND = 100.0
"""Points that the heading and the text of the table take, and the gaps between the parts."""


def set_reconstruction(paper: Paper, reconstruction: Reconstruction, level: float) -> None:
    """Set the tallies against the reconstructed counts, and their contradictions."""
    paper.heading("What was printed, and the counts that fit it")
    totals = running_totals(reconstruction)
    paper.paragraph(
        f"Markers are running totals as printed; {len(totals)} of {len(reconstruction.tallies)} tallies are such. The "
        "others, of other days or of parts of the area, bear on the bands too and are listed at the end. Bands are "
        "what all used tallies together leave possible. Numbers beside rings are rows of the table of contradictions."
    )
    table = contradictions_by_window(reconstruction)
    columns, rows = _contradictions(table, reconstruction)
    # a few rows more than fit make the charts smaller, rather than stand alone on the next page
    over = 240.0 + 170.0 + AROUND + paper.table_height(columns, rows) - paper.space
    shrink = over if 0 < over <= MOST_SHRUNK else 0.0
    draw_cumulative(reconstruction, paper.axes(240.0 - 0.6 * shrink), level=level)
    draw_reconstructed(reconstruction, paper.axes(170.0 - 0.4 * shrink), level=level)
    _set_contradictions(paper, table, columns, rows)


def _set_contradictions(paper: Paper, table: pd.DataFrame, columns: list[TableColumn], rows: list[list[str]]) -> None:
    paper.heading("Contradictions")
    if table.empty:
        paper.paragraph("None: every tally lies within what the others leave possible.")
        return
    paper.paragraph(
        "Windows with different bare numbers, and tallies that the others make improbable (below 2%). Expected: the "
        "90% range of what would be printed if the tally itself were not known; for a part of the area, of the whole."
    )
    paper.table(columns, rows)


def _contradictions(table: pd.DataFrame, reconstruction: Reconstruction) -> tuple[list[TableColumn], list[list[str]]]:
    columns = [
        TableColumn("No.", 18.0, right=True),
        TableColumn("Window", 150.0),
        TableColumn("Printed", 76.0),
        TableColumn("Expected", 48.0),
        TableColumn("What contradicts it"),
    ]
    rows = [
        [
            str(number),
            window_text(row["start"], row["end"], row["place"], reconstruction.place),
            row["printed"],
            range_text(row["expected_low"], row["expected_high"]),
            row["remark"],
        ]
        for number, (_, row) in enumerate(table.iterrows(), start=1)
    ]
    return columns, rows


def set_counts(paper: Paper, assessment: Assessment) -> None:
    """Set the counts as bars, and what the reader did to the table behind them, where there is one."""
    series, source = assessment.series, assessment.source
    paper.heading("What was counted")
    total = float(np.median(np.nansum(count_matrix(series.counts), axis=0)))
    paper.paragraph(
        f"{total:,.0f} {series.unit} in the periods shown"
        + ("" if source is None else f"; the table holds {len(source.table):,} incidents")
        + ". A period without a bar was covered and quiet, unless it is hatched."
    )
    draw_counts(series.counts, paper.axes(280.0), unit=series.unit, level=assessment.level, exposure=series.exposure)
    if source is None:
        return
    _set_ledger(paper, source.ledger)
    named = source.table["source"].dropna().astype(str).str.strip()
    _set_sources(paper, named[named != ""])


def _set_ledger(paper: Paper, ledger: pd.DataFrame) -> None:
    paper.heading("What the reader dropped, merged, spread or changed")
    if ledger.empty:
        paper.paragraph("Nothing: every row of the file was used as it stood.")
        return
    groups = ledger.groupby(["action", "column", "why"], sort=True)["row"].agg(["size", "min"]).reset_index()
    paper.table(
        [
            TableColumn("What", 50.0, cells=groups["action"]),
            number_column("Entries", 44.0, groups["size"].map("{:,}".format)),
            number_column("First row", 44.0, groups["min"].map("{:,}".format)),
            TableColumn("Column", 80.0, cells=groups["column"]),
            TableColumn("Why", cells=groups["why"]),
        ]
    )


def _set_sources(paper: Paper, named: pd.Series) -> None:
    if named.empty:
        return
    counts = named.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    paper.heading("Who reported the incidents")
    columns = [TableColumn("Source"), TableColumn("Incidents", 60.0, right=True)]
    paper.table(columns, [[str(name), f"{number:,}"] for name, number in counts.head(SHOWN_SOURCES).items()])
    if len(counts) > SHOWN_SOURCES:
        paper.paragraph(f"The table names {len(counts) - SHOWN_SOURCES:,} more sources.")
