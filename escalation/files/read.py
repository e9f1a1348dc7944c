"""Any file that holds one table, read as text cells."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from escalation.errors import DataWarning, InputError
from escalation.files.archives import unpack
from escalation.files.disk import read_whole
from escalation.files.repeats import CellsAs
from escalation.files.rows import Headless
from escalation.files.text_tables import read_text, text_header
from escalation.files.typed_tables import read_json_cells, read_parquet_cells, read_stata_cells
from escalation.files.workbooks import read_workbook

MAX_ROWS = 5_000_000
"""A table with more rows than this is refused unless its reader states a lower limit."""

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab")
WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
JSON_ENDINGS = (".json", ".geojson", ".jsonl", ".ndjson")
TABLE_ENDINGS = (*TEXT_ENDINGS, *WORKBOOK_ENDINGS, *JSON_ENDINGS, ".parquet", ".dta")
PACKED_ENDINGS = (".zip", ".gz")


def read_table(
    path: str | Path,
    *,
    encoding: str | None = None,
    max_rows: int = MAX_ROWS,
    headless: Headless | None = None,
    sheet: str | None = None,
    cells: CellsAs = "texts",
) -> pd.DataFrame:
    """Read a file that holds a table as text, every cell a string, blank cells empty.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv``, ``.tab``, ``.txt`` (comma, semicolon, tab or bar, recognised by the header),
        ``.xlsx``, ``.json`` (records, one record a line, or GeoJSON), ``.parquet``,
        ``.dta``, or one of them in a ``.zip`` or ``.gz``.
    encoding : str, optional
        Encoding of a text file; UTF-8 (with or without a mark) or marked UTF-16 when left out.
    max_rows : int
        More rows than this are refused.
    headless : callable, optional
        Called with the first row, gives the names of the columns of a file without a header, else None.
    sheet : str, optional
        Name of the sheet of a workbook; the first when left out, with a warning where others hold something too.
    cells : {"texts", "categories"}
        Whether columns of large text tables whose cells repeat become categories, each distinct text held once.

    Returns
    -------
    pandas.DataFrame
        Columns as in the header, stripped; the index is the row as a spreadsheet shows it (the
        header is row 1). Rows that are wholly blank are left out; rows that end early are filled
        with blanks.

    Raises
    ------
    FileError
        If the file is missing, a directory, or cannot be read.
    InputError
        If it is empty, too large, packed in a way that is not safe, not text in the encoding, has no
        rows, no header, a name twice, or rows with more cells than the header.
    """
    path = Path(path)
    ending, held = _content(path)
    if sheet is not None and ending not in WORKBOOK_ENDINGS:
        raise InputError(f"{path}: is no workbook, so it has no sheet {sheet!r}; leave sheet out")
    if ending in WORKBOOK_ENDINGS:
        table = read_workbook(held.pop(), path, max_rows, headless, sheet)
    elif ending in TEXT_ENDINGS:
        table = read_text(held.pop(), path, encoding, max_rows, headless, cells)
    elif ending in JSON_ENDINGS:
        table = read_json_cells(held.pop(), path, encoding, max_rows)
    elif ending == ".parquet":
        table = read_parquet_cells(held.pop(), path, max_rows)
    elif ending == ".dta":
        table = read_stata_cells(held.pop(), path, max_rows)
    else:
        raise InputError(
            f"{path}: cannot read files that end in {ending or 'nothing'!r}; "
            f"use .csv, .tsv or .xlsx, or {', '.join((*JSON_ENDINGS[:2], '.parquet', '.dta', *PACKED_ENDINGS))}"
        )
    if table.empty:
        raise InputError(f"{path}: has a header but no rows; nothing to read")
    return table


def column_names(path: str | Path, *, encoding: str | None = None, sheet: str | None = None) -> list[str]:
    """The names of a file's columns; of a text file without splitting all of it. What is to be said is said on reading.

    Raises
    ------
    FileError, InputError
        As :func:`read_table`.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in TEXT_ENDINGS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return list(read_table(path, encoding=encoding, sheet=sheet).columns)
    return text_header(read_whole(path), path, encoding)


def _content(path: Path) -> tuple[str, list[bytes]]:
    """The ending of the table's name, and its bytes, unpacked, in a list that whoever takes them empties."""
    raw = read_whole(path)
    ending = path.suffix.lower()
    if ending not in PACKED_ENDINGS:
        return ending, [raw]
    ending, raw = unpack(raw, path, TABLE_ENDINGS)
    return ending, [raw]
