"""Pages of a report: text, tables and axes in one column that runs from page to page, measured before it is set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from escalation.plots.style import FAINT, GREY, INK, NORMAL, SMALL, Chart, headline, legend_below
from escalation.plots.text import font, printable, shorten, text_width, wrap

WIDTH, HEIGHT = 210 / 25.4 * 72, 297 / 25.4 * 72
"""A4 in points."""
LEFT, RIGHT = 54.0, WIDTH - 54.0
TOP, BOTTOM = 72.0, HEIGHT - 62.0
"""Where the column begins and ends, in points from the top."""
COLUMN = RIGHT - LEFT
LEADING = 1.3
"""Distance of lines, in sizes of the type."""
ROW_LEADING = 1.25
"""The same within a cell of a table."""
GUTTER = 8.0
"""Points between the columns of a table."""
LABELS = (44.0, 18.0, 56.0)
"""What the labels of axes are expected to take on the left, above and below, before they are measured."""


class Box(NamedTuple):
    """Where something stands on a page, in points from its left and upper edge."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: its header, its width in points (0: what the others leave), where its cells stand, and they.

    Cells that the columns hold need not be given to :meth:`Paper.table` as rows.
    """

    header: str
    width: float = 0.0
    right: bool = False
    cells: Iterable[str] = ()


def number_column(header: str, width: float, cells: Iterable[str] = ()) -> TableColumn:
    """A column of a table whose cells stand on the right."""
    return TableColumn(header, width, True, cells)


@dataclass(frozen=True)
class Line:
    """A line of text on a page: where it begins, its baseline from the top (points), its look and its address."""

    text: str
    x: float
    y: float
    size: float = SMALL
    colour: str = INK
    weight: str = "normal"
    url: str = ""


class Lines(Artist):
    """All lines of text of a page; thousands of matplotlib's own texts would take seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def draw(self, renderer: RendererBase) -> None:
        """Draw every line."""
        figure = self.get_figure(root=True)
        assert figure is not None
        height, scale = figure.bbox.height, figure.dpi / 72.0
        for line in self.lines:
            gc = renderer.new_gc()
            gc.set_foreground(line.colour)
            gc.set_url(line.url or None)
            y = line.y * scale
            at = y if renderer.flipy() else height - y
            renderer.draw_text(gc, line.x * scale, at, line.text, font(line.size, line.weight), 0.0, False)
            gc.restore()


class Paper:
    """Pages in the making; what does not fit on a page goes on to the next.

    Attributes
    ----------
    pages : list of Figure
        A4, 72 dots an inch, so that pixels are points.
    y : float
        Where the next thing goes, in points from the top of the last page.
    """

    def __init__(self) -> None:
        self.pages: list[Figure] = []
        self.lines: list[Lines] = []
        self.rules: list[list[tuple[float, str]]] = []
        self.charts: list[tuple[Axes, Box]] = []
        self.y = TOP
        self.new_page()

    def new_page(self) -> None:
        """Open a page."""
        page = Chart(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
        FigureCanvasAgg(page)
        self.pages.append(page)
        self.lines.append(Lines())
        self.rules.append([])
        page.add_artist(self.lines[-1])
        self.y = TOP

    @property
    def space(self) -> float:
        """Points left on the page."""
        return BOTTOM - self.y

    def need(self, height: float) -> None:
        """Open a new page unless so much is left on this one."""
        if self.space < height and self.y > TOP:
            self.new_page()

    def skip(self, height: float) -> None:
        """Leave some space, except at the top of a page."""
        if self.y > TOP:
            self.y += height

    def heading(self, text: str, *, size: float = 11.0, keep: float = 60.0) -> None:
        """Set a heading, with at least ``keep`` points after it on the same page."""
        lines = wrap(printable(text), COLUMN, size, "bold")
        self.skip(0.8 * size)
        self.need(len(lines) * size * LEADING + keep)
        for line in lines:
            self._set(line, LEFT, size, weight="bold")
        self.y += 0.25 * size

    def paragraph(self, text: str, *, size: float = NORMAL, colour: str = INK, bullet: str = "") -> None:
        """Set a paragraph, with a bullet before it if one is given."""
        indent = 12.0 if bullet else 0.0
        lines = wrap(printable(text), COLUMN - indent, size)
        self.need(min(len(lines), 2) * size * LEADING)
        for number, line in enumerate(lines):
            self.need(size * LEADING)
            if bullet and number == 0:
                self._add(Line(bullet, LEFT, self.y + size, size, colour))
            self._set(line, LEFT + indent, size, colour=colour)
        self.y += 0.45 * size

    def _set(self, text: str, x: float, size: float, *, weight: str = "normal", colour: str = INK) -> None:
        self._add(Line(text, x, self.y + size, size, colour, weight))
        self.y += size * LEADING

    def _add(self, line: Line) -> None:
        if line.text:
            self.lines[-1].lines.append(line)

    def table(
        self, columns: Sequence[TableColumn], rows: Sequence[Sequence[str]] | None = None, *, links: Sequence[str] = ()
    ) -> None:
        """Set a table, its header again on each page; ``links`` are addresses behind the cells of the last column."""
        if rows is None:
            rows = list(zip(*(column.cells for column in columns), strict=True))
        places = _places(columns)
        header = _wrapped([column.header for column in columns], columns, places, "bold")
        top = _height(header) + 3.5 if any(column.header for column in columns) else 0.0
        step, full = SMALL * ROW_LEADING, BOTTOM - TOP
        for number, row in enumerate(rows):
            cells = _wrapped([printable(cell) for cell in row], columns, places, "normal")
            wanted = _height(cells) + 3.0
            if number == 0:
                self.need(min(top + wanted, full))
                self._header(header, columns, places)
            elif self.space < wanted:
                self.new_page()
                self._header(header, columns, places)
            while cells:  # a row that is higher than a page goes on over the next ones
                fits = max(1, int((self.space - 3.0) // step))
                self._row([lines[:fits] for lines in cells], columns, places, links[number] if links else "")
                cells = [lines[fits:] for lines in cells] if _height(cells) > fits * step + 0.01 else []
                if cells:
                    self.new_page()
                    self._header(header, columns, places)
            self.rules[-1].append((self.y, FAINT))
            self.y += 1.5
        self.y += 6.0

    def table_height(self, columns: Sequence[TableColumn], rows: Sequence[Sequence[str]]) -> float:
        """Points that a table takes where it need not go on to another page."""
        places = _places(columns)
        parts = [_wrapped([column.header for column in columns], columns, places, "bold")]
        parts += [_wrapped([printable(cell) for cell in row], columns, places, "normal") for row in rows]
        return sum(_height(cells) + 3.0 for cells in parts) + 6.5

    def _header(
        self, header: list[list[str]], columns: Sequence[TableColumn], places: list[tuple[float, float]]
    ) -> None:
        if any(any(lines) for lines in header):
            self._row(header, columns, places, "", weight="bold")
            self.rules[-1].append((self.y, GREY))
            self.y += 2.0

    def _row(
        self,
        cells: list[list[str]],
        columns: Sequence[TableColumn],
        places: list[tuple[float, float]],
        link: str,
        weight: str = "normal",
    ) -> None:
        """Set the lines of one row, all of which fit on the page."""
        for column, (left, width), lines in zip(columns, places, cells, strict=True):
            url = link if column is columns[-1] else ""
            for number, text in enumerate(lines):
                x = left + (width - text_width(text, SMALL, weight) if column.right else 0.0)
                self._add(Line(text, x, self.y + number * SMALL * ROW_LEADING + SMALL, SMALL, INK, weight, url))
        self.y += _height(cells) + 1.5

    def axes(self, height: float) -> Axes:
        """Make axes with room for their labels in a box of the column; :meth:`finish` fits them to it."""
        return self.axes_in_row(height, 1)[0]

    def axes_in_row(self, height: float, places: int, number: int | None = None) -> list[Axes]:
        """Make axes beside each other, on the first ``number`` of so many places."""
        self.skip(4.0)
        self.need(height)
        wide = (COLUMN - GUTTER * (places - 1)) / places
        boxes = [
            Box(LEFT + at * (wide + GUTTER), self.y, LEFT + at * (wide + GUTTER) + wide, self.y + height)
            for at in range(places if number is None else number)
        ]
        self.y += height + 8.0
        return [self._axes_in(box) for box in boxes]

    def _axes_in(self, box: Box) -> Axes:
        left, above, below = LABELS
        wide, high = box.right - box.left - left, box.bottom - box.top - above - below
        at = (box.left + left, HEIGHT - box.bottom + below, wide, max(high, 20.0))
        ax = self.pages[-1].add_axes((at[0] / WIDTH, at[1] / HEIGHT, at[2] / WIDTH, at[3] / HEIGHT))
        self.charts.append((ax, box))
        return ax

    def finish(self, head: str, foot_left: str, foot_right: str) -> list[Figure]:
        """Fit the axes, and set header, footer and rules on every page."""
        for ax, box in self.charts:
            _fit(ax, box)
        for number, (page, lines, rules) in enumerate(zip(self.pages, self.lines, self.rules, strict=True), start=1):
            lines.lines += _ends(printable(head), f"page {number} of {len(self.pages)}", 48.0)
            lines.lines += _ends(printable(foot_left), printable(foot_right), HEIGHT - 36.0)
            rules += [(54.0, GREY), (HEIGHT - 50.0, GREY)]
            across = [[(LEFT / WIDTH, 1 - y / HEIGHT), (RIGHT / WIDTH, 1 - y / HEIGHT)] for y, _ in rules]
            colours = [colour for _, colour in rules]
            page.add_artist(LineCollection(across, colors=colours, linewidths=0.5, transform=page.transFigure))
        return self.pages


def _ends(left: str, right: str, y: float) -> list[Line]:
    """Make the two ends of a header or footer."""
    wide = text_width(right, SMALL)
    return [
        Line(shorten(left, COLUMN - wide - 16.0, SMALL), LEFT, y, colour=GREY),
        Line(right, RIGHT - wide, y, colour=GREY),
    ]


def _places(columns: Sequence[TableColumn]) -> list[tuple[float, float]]:
    """Left end and width of each column; those without a width share what is left."""
    free = sum(column.width == 0 for column in columns)
    rest = COLUMN - sum(column.width for column in columns) - GUTTER * (len(columns) - 1)
    places, left = [], LEFT
    for column in columns:
        width = column.width or rest / free
        places.append((left, width))
        left += width + GUTTER
    return places


def _wrapped(
    cells: Sequence[str], columns: Sequence[TableColumn], places: list[tuple[float, float]], weight: str
) -> list[list[str]]:
    return [wrap(cell, width, SMALL, weight) for cell, _, (_, width) in zip(cells, columns, places, strict=True)]


def _height(cells: list[list[str]]) -> float:
    """Height of a row of cells that are broken into lines."""
    return max(map(len, cells)) * SMALL * ROW_LEADING


def _fit(ax: Axes, box: Box) -> None:
    """Make the axes fill their box together with their labels, title and legend."""
    page = ax.get_figure(root=True)
    assert page is not None
    renderer = page.canvas.get_renderer()  # type: ignore[attr-defined]
    for attempt in range(2):
        whole, inner = ax.get_tightbbox(renderer), ax.get_window_extent(renderer)
        assert whole is not None
        x0, x1 = box.left + max(inner.x0 - whole.x0, 0.0), box.right - max(whole.x1 - inner.x1, 0.0)
        y0 = HEIGHT - box.bottom + max(inner.y0 - whole.y0, 0.0)
        y1 = HEIGHT - box.top - max(whole.y1 - inner.y1, 0.0)
        ax.set_position((x0 / WIDTH, y0 / HEIGHT, max(x1 - x0, 20.0) / WIDTH, max(y1 - y0, 20.0) / HEIGHT))
        if attempt == 0:  # what is as wide as the axes may have to be broken again
            headline(ax, ax.get_title(loc="left").replace("\n", " "))
            legend_below(ax)
