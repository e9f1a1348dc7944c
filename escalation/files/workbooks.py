"""Spreadsheets: a sheet of an XLSX workbook as rows of text cells."""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from escalation.errors import DataWarning, EscalationError, InputError
from escalation.files.archives import check_archive, check_xml
from escalation.files.headers import HEAD, holds_table
from escalation.files.rows import Headless, to_frame


def read_workbook(
    raw: bytes, path: Path, max_rows: int, headless: Headless | None, sheet: str | None = None
) -> pd.DataFrame:
    """Read one sheet of a workbook, the first that holds a table unless one is named; values, never formulas.

    Raises
    ------
    InputError
        If it is no workbook, is damaged, unpacks to too much, declares XML entities, has no such sheet, or several hold
        a table but not the first.

    Warns
    -----
    DataWarning
        If other sheets hold something too and none was named.
    """
    from openpyxl import load_workbook  # half a second that only spreadsheets need

    try:
        with warnings.catch_warnings(action="ignore"):  # openpyxl warns of styles unknown to it
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                check_archive(archive, path, "save it as CSV")
                check_xml(archive, path)
            book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            chosen = _chosen(book, sheet, path)
            table = to_frame(_sheet_rows(chosen), path, max_rows, headless, beyond="kept")
            filled = [one.title for one in book.worksheets if one.title != chosen.title and _is_filled(one)]
    except EscalationError:
        raise
    except Exception as error:  # what openpyxl, zlib and the XML parser raise on damage has no common base
        raise InputError(f"{path}: is not a readable XLSX workbook ({error}); save it again or as CSV") from None
    if filled and sheet is None:
        first = chosen.title == book.worksheets[0].title
        hold = "holds" if len(filled) == 1 else "hold"
        warnings.warn(
            f"{path}: the {'first sheet' if first else 'sheet that holds a table'}, {chosen.title!r}, is read, and not "
            f"{', '.join(map(repr, filled))}, which {hold} something too; choose with sheet=... or --sheet",
            DataWarning,
            stacklevel=4,
        )
    return table


def _chosen(book: Any, sheet: str | None, path: Path) -> Any:
    """The sheet of this name, or the first, or if that holds no table the one that does."""
    if sheet is None:
        first, *others = book.worksheets
        tables = [] if _holds_table(first) else [one for one in others if _holds_table(one)]
        if len(tables) > 1:
            raise InputError(
                f"{path}: its first sheet, {first.title!r}, holds no table, and {len(tables)} others do: "
                f"{', '.join(repr(one.title) for one in tables)}; choose with sheet=... or --sheet"
            )
        return tables[0] if tables else first
    names = [one.title for one in book.worksheets]
    if sheet not in names:
        raise InputError(f"{path}: has no sheet {sheet!r}; its sheets are {', '.join(map(repr, names))}")
    return book.worksheets[names.index(sheet)]


def _holds_table(sheet: Any) -> bool:
    return holds_table([row for _, row in islice(_sheet_rows(sheet), HEAD)])


def _is_filled(sheet: Any) -> bool:
    """Say whether any cell of a sheet holds something."""
    return any(cell != "" for _, row in _sheet_rows(sheet) for cell in row)


def _sheet_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet as text, numbered from 1."""
    sheet.reset_dimensions()  # the size that a file states for its sheet is often wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, [cell_text(cell) for cell in row]


def cell_text(cell: object) -> str:
    """A spreadsheet cell as the text that a CSV would hold."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
