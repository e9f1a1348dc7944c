"""The pages of a brief on paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from escalation.cases.blocks import Block, Gallery, Grid, Page, Picture, Text
from escalation.cases.result import Brief
from escalation.conventions.version import __version__
from escalation.plots.style import GREY, LARGE, NORMAL, SMALL, styled
from escalation.plots.text import printable, wrap
from escalation.report.paper import COLUMN, LEADING, Paper, TableColumn
from escalation.report.words import plain_dates

TITLE = 15.0
"""Size of the title."""
FEW = 4
"""So many small charts stand two in a row; more, three."""
GAP = 12.5
"""Points between rows of small charts."""
LOWEST = 58.0
"""Points that a small chart takes at least."""
SIZES = {"numbered": LARGE, "small": SMALL}
"""Sizes of type, where that is not the usual one."""


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
    return paper.finish(brief.title, brief.origin(), f"escalation {__version__}")


def _set_page(paper: Paper, page: Page, size: float) -> None:
    paper.heading(page.title, size=size)
    number = 0
    beside = sum(_height(paper, block) for block in page.blocks)
    for block in page.blocks:
        number += isinstance(block, Text) and block.role == "numbered"
        if isinstance(block, Gallery):
            _set_gallery(paper, block.pictures, paper.space - beside)
        else:
            _set_block(paper, block, number)


def _height(paper: Paper, block: Block) -> float:
    """Points that a table or a text of a page takes; what stands beside a gallery is measured before it."""
    if isinstance(block, Grid):
        columns, rows = _columns(block)
        return paper.table_height(columns, rows)
    if isinstance(block, Text):
        size, indent = SIZES.get(block.role, NORMAL), 12.0 if block.role in ("bullet", "numbered") else 0.0
        return len(wrap(printable(plain_dates(block.text)), COLUMN - indent, size)) * size * LEADING + 0.45 * size
    return 0.0


def _set_block(paper: Paper, block: Text | Grid | Picture, number: int) -> None:
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


def _set_gallery(paper: Paper, pictures: Sequence[Picture], space: float) -> None:
    """Set small charts two or three in a row, so that all of them take no more than the space."""
    if not pictures:
        return
    places = 2 if len(pictures) <= FEW else 3
    rows = -(-len(pictures) // places)
    height = min(pictures[0].height, max(space / rows - GAP, LOWEST))
    for at in range(0, len(pictures), places):
        row = pictures[at : at + places]
        for picture, ax in zip(row, paper.axes_in_row(height, places, len(row)), strict=True):
            picture.draw(ax)


def _columns(grid: Grid) -> tuple[list[TableColumn], list[list[str]]]:
    widths = list(grid.widths) or [0.0] * len(grid.headers)
    columns = [
        TableColumn(plain_dates(header), width, at not in grid.words)
        for at, (header, width) in enumerate(zip(grid.headers, widths, strict=True))
    ]
    return columns, [[plain_dates(cell) for cell in row] for row in grid.rows]


def _set_grid(paper: Paper, grid: Grid) -> None:
    paper.table(*_columns(grid))
