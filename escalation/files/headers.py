"""Where a table begins and what its columns are called: titles above it, names in two rows, columns without a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from escalation.errors import InputError, warn

HEAD = 40
"""So many rows are looked at to find the names of the columns."""
FULL = 0.5
"""A row of names fills at least this share of what the fullest row fills."""
MOSTLY = 0.6
_VALUE = re.compile(r"[-+(~<>=≥≤]?\s*[$€£]?\s*\d")
"""What a number or a date begins with."""
_DATE = re.compile(r"\d{1,4}[-/. ]\w")


@dataclass(frozen=True)
class Header:
    """The names of columns as a file has them.

    Attributes
    ----------
    at : int
        Place of their first row, from 0 on.
    rows : int
        In how many rows they stand, 1 or 2.
    names : list of str
        One a cell of the row, "" where there is none.
    """

    at: int
    rows: int
    names: list[str]


def find_header(rows: Sequence[Sequence[str]]) -> Header:
    """Find the names of the columns among the first rows of a table.

    The first row that is not blank holds them, unless it fills much less than others do and a later row has names in
    it, with numbers or dates below: then the rows above are a title.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows, at most :data:`HEAD` of them are looked at.

    Examples
    --------
    >>> find_header([["Attacks 2024"], ["date", "place"], ["2024-11-12", "Erbil"]])
    Header(at=1, rows=1, names=['date', 'place'])
    """
    head = [[cell.strip() for cell in row] for row in rows[:HEAD]]
    filled = [sum(cell != "" for cell in row) for row in head]
    first = next((at for at, number in enumerate(filled) if number), 0)
    at = first
    if filled and filled[first] <= FULL * max(filled):
        fuller = (at for at in range(first + 1, len(head)) if filled[at] >= max(2.0, FULL * max(filled)))
        found = next(fuller, first)
        at = found if head[found:] and _are_names(head[found]) and _values_below(head[found + 1 :]) else first
    if not head:
        return Header(0, 1, [])
    if at + 1 < len(head) and _in_two_rows(head[at], head[at + 1], head[at + 2 :]):
        return Header(at, 2, _joined(head[at], head[at + 1]))
    return Header(at, 1, head[at])


def holds_table(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether rows look like a table: names, and below them a column of numbers or dates."""
    header = find_header(rows)
    below = [[cell.strip() for cell in row] for row in rows[header.at + header.rows :]]
    below = [row for row in below if any(row)]
    if not below or not _are_names([name for name in header.names if name]):
        return False
    values = [sum(at < len(row) and _is_value(row[at]) for row in below) for at in range(len(header.names))]
    return max(values, default=0) >= MOSTLY * len(below)


def named(table: pd.DataFrame, header: Header, path: Path) -> pd.DataFrame:
    """Give a table its names; a column without one is left out where it is blank, else called by its number.

    Raises
    ------
    InputError
        If no column has a name, or two have the same.
    """
    names = [*header.names, *[""] * (table.shape[1] - len(header.names))]
    kept = [at for at, name in enumerate(names) if name or (table.iloc[:, at] != "").any()]
    called = [names[at] or _free_name(f"column {at + 1}", names) for at in kept] if any(names) else []
    check_names(called, path)
    return table.iloc[:, kept].set_axis(called, axis=1)


def check_names(names: Sequence[str], path: Path) -> None:
    """Check the names of columns of which none is blank.

    Raises
    ------
    InputError
        If there is none, or one is there twice.
    """
    if not names:
        raise InputError(f"{path}: its first row is blank; the first row must name the columns")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path}: has two columns called {twice!r}; rename one")


def check_header(names: Sequence[str], path: Path) -> list[str]:
    """The names of the columns of a table that comes with types, without the blank ones at the end.

    Raises
    ------
    InputError
        If a name within is blank, or there twice.
    """
    header = [name.strip() for name in names]
    while header and not header[-1]:
        header.pop()
    if "" in header:
        raise InputError(f"{path}: column {header.index('') + 1} has no name; name it in the first row")
    check_names(header, path)
    return header


def say_header(header: Header, rows: Sequence[Sequence[str]], path: Path) -> None:
    """Warn of rows above the names, and of names in two rows."""
    above = [number for number, row in enumerate(rows[: header.at], start=1) if any(cell.strip() for cell in row)]
    if above:
        said = f"row {above[0]} stands" if len(above) == 1 else f"rows {above[0]} to {above[-1]} stand"
        warn(f"{path}: {said} above the names of the columns, in row {header.at + 1}, and nothing is read there")
    if header.rows == 2:
        warn(
            f"{path}: the names of the columns stand in rows {header.at + 1} and {header.at + 2} and are read together"
        )


def _free_name(name: str, names: Sequence[str]) -> str:
    return name if name not in names else f"{name} without a name"


def _is_value(cell: str) -> bool:
    return _VALUE.match(cell) is not None


def _are_names(row: Sequence[str]) -> bool:
    """Say whether cells are names: texts, or beside some texts the dates of a wide table."""
    values = [cell for cell in row if _is_value(cell)]
    return not values or (len(values) > 2 and len(values) < len(row) and all(map(_DATE.match, values)))


def _values_below(rows: Sequence[Sequence[str]]) -> bool:
    return any(_is_value(cell) for row in rows for cell in row)


def _in_two_rows(top: Sequence[str], below: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Say whether a second row of names stands below merged cells of the first: where those are blank it has names."""
    if not any(below) or any(map(_is_value, below)) or any(map(_is_value, top)) or len(below) > len(top):
        return False
    under = [at for at, cell in enumerate(below) if cell and not top[at]]
    if not under or (not top[0] and not below[0]):
        return False
    rows = [row for row in rest if any(row)]
    return bool(rows) and all(
        sum(at < len(row) and _is_value(row[at]) for row in rows) >= MOSTLY * len(rows) for at in under
    )


def _joined(top: Sequence[str], below: Sequence[str]) -> list[str]:
    """Names of two rows; a merged cell of the first reaches as far as the second has names of its own."""
    names, over = [], ""
    for at, upper in enumerate(top):
        lower = below[at] if at < len(below) else ""
        over = upper if upper else over if lower else ""
        names.append(" ".join(filter(None, (over, lower))))
    return names
