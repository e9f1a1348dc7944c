"""Rows of text cells to a table: the header, the width, blank rows, and the row numbers of a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TypeAlias

import pandas as pd

from escalation.errors import InputError
from escalation.files.headers import HEAD, Header, find_header, named, say_header

Headless: TypeAlias = Callable[[list[str]], Sequence[str] | None]
"""Called with the first row, gives the names of the columns if that row is none of names."""


def to_frame(
    rows: Iterator[tuple[int, list[str]]],
    path: Path,
    max_rows: int,
    headless: Headless | None = None,
    *,
    beyond: Literal["refused", "kept"] = "refused",
) -> pd.DataFrame:
    """Build the table from numbered rows, of which the first that is no title names the columns.

    Parameters
    ----------
    rows : iterator of tuple
        Number and cells of each row.
    path : Path
        The file, for messages.
    max_rows : int
        More rows than this are refused.
    headless : callable, optional
        Gives the names of a file without a header.
    beyond : {"refused", "kept"}
        What becomes of cells beyond the last name: in a text table they may be the rest of a text with a comma, in a
        workbook they are a column of their own.

    Raises
    ------
    InputError
        If there are no names, a row has more cells than these, or there are more than ``max_rows``.
    """
    head = list(islice(rows, HEAD))
    names = headless(head[0][1]) if headless and head else None
    header = find_header([row for _, row in head]) if names is None else Header(-1, 1, list(names))
    body = chain(head[header.at + header.rows :], rows)
    if names is None:
        say_header(header, [row for _, row in head], path)
    cells = _Cells(len(header.names), path, max_rows, beyond)
    for number, row in body:
        cells.add(number, [cell.strip() for cell in row])
    return named(cells.frame(), header, path)


class _Cells:
    """Rows as they come, filled or cut to one width."""

    def __init__(self, width: int, path: Path, max_rows: int, beyond: str) -> None:
        self.width, self.path, self.max_rows, self.beyond = width, path, max_rows, beyond
        self.numbers: list[int] = []
        self.rows: list[list[str]] = []
        self.wide = 0

    def add(self, number: int, row: list[str]) -> None:
        """Take a row, unless it is blank."""
        if not any(row):
            return
        if any(row[self.width :]):
            self._widen(number, row)
        check_rows(len(self.rows) + 1, self.path, self.max_rows)
        self.numbers.append(number)
        self.rows.append(row)

    def _widen(self, number: int, row: list[str]) -> None:
        """Refuse cells beyond the names that follow on these; behind a blank one they are notes."""
        if self.beyond == "refused" and row[self.width] and self.width:
            raise InputError(
                f"{self.path}: row {number:,} has {len(row)} cells for {self.width} columns; quote its commas"
            )
        self.wide = max(self.wide, max(at for at, cell in enumerate(row, start=1) if cell))

    def frame(self) -> pd.DataFrame:
        """The rows, columns by their place."""
        width = max(self.width, self.wide)
        cells = [_fitted(row, width) for row in self.rows]
        return pd.DataFrame(cells, columns=range(width), index=pd.Index(self.numbers, name="row"), dtype=str)


def _fitted(row: list[str], width: int) -> list[str]:
    return row[:width] + [""] * (width - len(row))


def check_rows(rows: int, path: Path, max_rows: int) -> None:
    """Refuse a table of more rows than its reader takes.

    Raises
    ------
    InputError
        If it has more.
    """
    if rows > max_rows:
        raise InputError(
            f"{path}: has more than {max_rows:,} rows, which is the limit; split it, or count incidents where they are "
            "by escalation.incidents.count_in_database"
        )
