"""Text tables: CSV and its relatives, decoded, their delimiter found, and split.

Well-formed text is split by a compiled parser; whatever is not is left to the csv module,
whose errors say where.  On well-formed text the two agree (a test holds them against each other).
"""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.errors import InputError
from escalation.files.encodings import UTF8, as_text, as_utf8
from escalation.files.headers import HEAD, Header, find_header, named, say_header
from escalation.files.repeats import CellsAs
from escalation.files.rows import Headless, check_rows, to_frame
from escalation.files.well_formed import Quoting, split

DELIMITERS = (",", ";", "\t", "|")
HEADER_CHARACTERS = 65_536
"""The delimiter and the names of the columns are found from this much of the file."""
ESCAPED = '\\"'
"""A quote within a cell as MySQL writes it."""
_SEPARATOR = re.compile(r'(\s*"?sep=(.)"?[ \t]*)(?=[\r\n])', re.IGNORECASE)


def read_text(
    raw: bytes, path: Path, encoding: str | None, max_rows: int, headless: Headless | None, cells: CellsAs = "texts"
) -> pd.DataFrame:
    """Split a text table into cells, of which those that repeat may be held once.

    Raises
    ------
    InputError
        If it is not text in the encoding, or cannot be split.
    """
    raw = as_utf8(raw, path, encoding)
    if b"\0" in raw:
        raise InputError(f"{path}: holds NUL characters, so it is no text table; export it again as UTF-8 CSV")
    raw, delimiter = _separated(raw)
    first = next(iter(_head(raw, delimiter)), [])
    bare = headless is not None and headless(first) is not None  # tables without a header are not quoted either
    table = _split_fast(raw, delimiter, path, max_rows, headless if bare else None, cells)
    if table is not None:
        return table
    return _split_slowly(as_text(raw), delimiter, path, max_rows, headless if bare else None)


def text_header(raw: bytes, path: Path, encoding: str | None) -> list[str]:
    """The names of the columns, from as little of the file as holds them; none where the rows cannot be split."""
    raw, delimiter = _separated(_beginning(as_utf8(raw, path, encoding)).encode(*UTF8))
    return find_header(_head(raw, delimiter)).names


def _split_slowly(text: str, delimiter: str, path: Path, max_rows: int, headless: Headless | None) -> pd.DataFrame:
    """Split with the csv module; where quotes within cells have a backslash before them, by that rule.

    Raises
    ------
    InputError
        If it cannot be split by either.
    """
    quoting: Quoting = 3 if headless else 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quoting=quoting)
    try:
        return to_frame(enumerate(reader, start=1), path, max_rows, headless)
    except csv.Error as error:
        if ESCAPED not in text or headless:
            raise _unsplit(path, reader.line_num, error) from None
    escaped = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, escapechar="\\", doublequote=False
    )
    try:
        return to_frame(enumerate(escaped, start=1), path, max_rows)
    except csv.Error as error:
        raise _unsplit(path, escaped.line_num, error) from None


def _unsplit(path: Path, line: int, error: csv.Error) -> InputError:
    return InputError(f"{path}: cannot be split near line {line} ({error}); check its quotes")


def _separated(raw: bytes) -> tuple[bytes, str]:
    """The text and its delimiter; the line ``sep=;`` that spreadsheets write first is blanked."""
    text = _beginning(raw)
    said = _SEPARATOR.match(text)
    return (raw[len(said[1].encode()) :], said[2]) if said else (raw, _delimiter(raw))


def _beginning(raw: bytes) -> str:
    """The first characters; one has four bytes at most."""
    return raw[: 4 * HEADER_CHARACTERS].decode("utf-8", "ignore")[:HEADER_CHARACTERS]


def _delimiter(raw: bytes) -> str:
    """The delimiter that splits the first row into the most cells; or most rows, where that is a title."""
    head = {sign: [row for row in _head(raw, sign) if any(map(str.strip, row))] for sign in DELIMITERS}
    first = {sign: len(rows[0]) if rows else 0 for sign, rows in head.items()}
    best = max(DELIMITERS, key=lambda sign: first[sign])
    below = {sign: float(np.median([len(row) for row in rows[1:]] or [0])) for sign, rows in head.items()}
    if max(below.values()) >= 2 and (first[best] < 2 or below[best] < 2):
        return max(DELIMITERS, key=lambda sign: below[sign])
    return best


def _head(raw: bytes, delimiter: str, quoting: Quoting = 0) -> list[list[str]]:
    """The first rows, as far as they can be split."""
    beginning = _beginning(raw)
    rows, whole = _first_rows(beginning, delimiter, quoting), len(beginning.encode()) == len(raw)
    if len(rows) < 2 and not whole:
        rows, whole = _first_rows(as_text(raw), delimiter, quoting), True
    return rows if len(rows) == HEAD or whole else rows[:-1]  # the last one may be cut


def _first_rows(text: str, delimiter: str, quoting: Quoting) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        return list(islice(reader, HEAD))
    except csv.Error:
        return []


def _split_fast(
    raw: bytes, delimiter: str, path: Path, max_rows: int, headless: Headless | None, cells: CellsAs
) -> pd.DataFrame | None:
    """Split with a compiled parser; None where only the csv module knows what is meant."""
    quoting: Quoting = 3 if headless else 0
    head = _head(raw, delimiter, quoting)
    names = headless(head[0]) if headless and head else None
    header = find_header(head) if names is None else Header(-1, 1, list(names))
    table = split(raw, delimiter, max(len(header.names), *map(len, head), 1), quoting, cells)
    if table is None:
        return None
    table.index = pd.RangeIndex(1, len(table) + 1, name="row")
    table = table.iloc[header.at + header.rows :]
    spare = table.iloc[:, len(header.names) :]
    if any((spare[column] != "").any() for column in spare):
        return None
    if names is None:
        say_header(header, head, path)
    table = named(table.iloc[:, : len(header.names)], header, path)
    blank = np.ones(len(table), dtype=bool)
    for name in table:
        if not blank.any():
            break
        blank &= (table[name] == "").to_numpy(dtype=bool)
    table = table[~blank] if blank.any() else table
    check_rows(len(table), path, max_rows)
    return table
