"""The pages of a brief on paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from escalation.cases.blocks import Block, Gallery, Grid, Page, Picture, Text
from escalation.cases.result import Brief
from escalation.conventions.version import __version__
from escalation.plots.style import GREY, LARGE, NORMAL, SMALL, styled
from escalation.report.paper import Paper, TableColumn
from escalation.report.words import plain_dates

TITLE = 15.0
"""Size of the title."""
FEW = 4
"""So many small charts stand two in a row; more, three."""
HIGHEST = 300.0
"""Points that all small charts take at most, so that their table is on the same page."""


def set_brief(paper: Paper, brief: Brief) -> None:
    """Set the pages of a brief, each beginning on a page of its own."""
    for number, page in enumerate(brief.pages()):
        if number:
            paper.new_page()
        _set_page(paper, page, TITLE if number == 0 else LARGE + 2)


@styled
def compose_brief(brief: Brief) -> list[Figure]:
    """Lay out a brief alone."""
    paper = Paper()
    set_brief(paper, brief)
    return finish_brief(paper, brief)


def finish_brief(paper: Paper, brief: Brief) -> list[Figure]:
    """Set header and footer of every page."""
    origin = brief.assessment.provenance()
    foot = f"Source: {origin['name']}, SHA-256 {origin['sha256'][:16]}"
    return paper.finish(brief.title, foot, f"escalation {__version__}")


def _set_page(paper: Paper, page: Page, size: float) -> None:
    paper.heading(page.title, size=size)
    number = 0
    for block in page.blocks:
        number += isinstance(block, Text) and block.role == "numbered"
        _set_block(paper, block, number)


def _set_block(paper: Paper, block: Block, number: int) -> None:
    if isinstance(block, Gallery):
        return _set_gallery(paper, block.pictures)
    if isinstance(block, Picture):
        return block.draw(paper.axes(block.height))
    if isinstance(block, Grid):
        return _set_grid(paper, block)
    text = plain_dates(block.text)
    if block.role == "heading":
        return paper.heading(text, keep=30.0)
    if block.role == "numbered":
        return paper.paragraph(text, size=LARGE, bullet=f"{number}")
    if block.role == "small":
        return paper.paragraph(text, size=SMALL, colour=GREY)
    return paper.paragraph(text, size=NORMAL, bullet="•" if block.role == "bullet" else "")


def _set_gallery(paper: Paper, pictures: Sequence[Picture]) -> None:
    places = 2 if len(pictures) <= FEW else 3
    rows = -(-len(pictures) // places)
    height = min(pictures[0].height if pictures else 0.0, HIGHEST / max(rows, 1))
    for at in range(0, len(pictures), places):
        row = pictures[at : at + places]
        for picture, ax in zip(row, paper.axes_in_row(height, places, len(row)), strict=True):
            picture.draw(ax)


def _set_grid(paper: Paper, grid: Grid) -> None:
    widths = list(grid.widths) or [0.0] * len(grid.headers)
    columns = [
        TableColumn(plain_dates(header), width, at not in grid.words)
        for at, (header, width) in enumerate(zip(grid.headers, widths, strict=True))
    ]
    paper.table(columns, [[plain_dates(cell) for cell in row] for row in grid.rows])
