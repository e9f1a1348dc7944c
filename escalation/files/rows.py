"""Rows of text cells to a table: the header, the width, blank rows, and the row numbers of a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from escalation.errors import InputError

Headless: TypeAlias = Callable[[list[str]], Sequence[str] | None]
"""Called with the first row, gives the names of the columns if that row is none of names."""


def to_frame(
    rows: Iterator[tuple[int, list[str]]], path: Path, max_rows: int, headless: Headless | None = None
) -> pd.DataFrame:
    """Build the table from numbered rows, the first of which is the header.

    Raises
    ------
    InputError
        If the header is none, a row has more cells than it, or there are more than ``max_rows``.
    """
    number, first = next(rows, (1, []))
    names = headless(first) if headless else None
    header = check_header(first, path) if names is None else list(names)
    width = len(header)
    numbers: list[int] = []
    cells: list[list[str]] = []
    if names is not None:
        numbers, cells = [number], [_fitted([cell.strip() for cell in first], width)]
    for number, row in rows:
        row = [cell.strip() for cell in row]
        if not any(row):
            continue
        if any(row[width:]):
            raise InputError(f"{path}: row {number:,} has {len(row)} cells for {width} columns; quote its commas")
        check_rows(len(cells) + 1, path, max_rows)
        numbers.append(number)
        cells.append(_fitted(row, width))
    return pd.DataFrame(cells, columns=header, index=pd.Index(numbers, name="row"), dtype=str)


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


def check_header(names: list[str], path: Path) -> list[str]:
    """The names of the columns, without the blank ones at the end.

    Raises
    ------
    InputError
        If a name is blank or there twice.
    """
    header = [name.strip() for name in names]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise InputError(f"{path}: its first row is blank; the first row must name the columns")
    if "" in header:
        raise InputError(f"{path}: column {header.index('') + 1} has no name; name it in the first row")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: has two columns called {twice!r}; rename one")
    return header
