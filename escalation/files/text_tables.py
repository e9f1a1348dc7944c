"""Text tables: CSV and its relatives, decoded, their delimiter found, and split.

Well-formed text is split by pandas' compiled parser; whatever is not is left to the csv module,
whose errors say where.  On well-formed text the two agree (a test holds them against each other).
"""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.errors import InputError
from escalation.files.encodings import decode
from escalation.files.headers import HEAD, Header, find_header, named, say_header
from escalation.files.rows import Headless, check_rows, to_frame

DELIMITERS = (",", ";", "\t", "|")
HEADER_CHARACTERS = 65_536
"""The delimiter and the names of the columns are found from this much of the file."""
ESCAPED = '\\"'
"""A quote within a cell as MySQL writes it."""
_SEPARATOR = re.compile(r'(\s*"?sep=(.)"?[ \t]*)(?=[\r\n])', re.IGNORECASE)

Quoting = Literal[0, 3]
"""csv.QUOTE_MINIMAL and csv.QUOTE_NONE, which are no literals to a type checker."""
AT_ONCE = 1 << 24
"""Bytes that are looked through in one go."""
QUOTE, NEWLINE, RETURN = (ord(c) for c in '"\n\r')
_WHITE = " \t\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What ``str.strip`` takes off, line ends aside."""


def read_text(raw: bytes, path: Path, encoding: str | None, max_rows: int, headless: Headless | None) -> pd.DataFrame:
    """Split a text table into cells.

    Raises
    ------
    InputError
        If it is not text in the encoding, or cannot be split.
    """
    text = decode(raw, path, encoding)
    del raw  # large files are held once less
    if "\0" in text:
        raise InputError(f"{path}: holds NUL characters, so it is no text table; export it again as UTF-8 CSV")
    text, delimiter = _separated(text)
    first = next(iter(_head(text, delimiter)), [])
    bare = headless is not None and headless(first) is not None  # tables without a header are not quoted either
    table = _split_fast(text, delimiter, path, max_rows, headless if bare else None)
    if table is not None:
        return table
    return _split_slowly(text, delimiter, path, max_rows, headless if bare else None)


def text_header(raw: bytes, path: Path, encoding: str | None) -> list[str]:
    """The names of the columns, from as little of the file as holds them; none where the rows cannot be split."""
    text, delimiter = _separated(decode(raw, path, encoding)[:HEADER_CHARACTERS])
    return find_header(_head(text, delimiter)).names


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


def _separated(text: str) -> tuple[str, str]:
    """The text and its delimiter; the line ``sep=;`` that spreadsheets write first is blanked."""
    said = _SEPARATOR.match(text)
    return (text[said.end(1) :], said[2]) if said else (text, _delimiter(text))


def _delimiter(text: str) -> str:
    """The delimiter that splits the first row into the most cells; or most rows, where that is a title."""
    head = {sign: [row for row in _head(text, sign) if any(map(str.strip, row))] for sign in DELIMITERS}
    first = {sign: len(rows[0]) if rows else 0 for sign, rows in head.items()}
    best = max(DELIMITERS, key=lambda sign: first[sign])
    below = {sign: float(np.median([len(row) for row in rows[1:]] or [0])) for sign, rows in head.items()}
    if max(below.values()) >= 2 and (first[best] < 2 or below[best] < 2):
        return max(DELIMITERS, key=lambda sign: below[sign])
    return best


def _head(text: str, delimiter: str, quoting: Quoting = 0) -> list[list[str]]:
    """The first rows, as far as they can be split."""
    rows: list[list[str]] = []
    for characters in (HEADER_CHARACTERS, len(text)):
        part = text[:characters]
        reader = csv.reader(io.StringIO(part, newline=""), delimiter=delimiter, quoting=quoting)
        try:
            rows = list(islice(reader, HEAD))
        except csv.Error:
            rows = []
        if len(rows) > 1 or len(text) <= HEADER_CHARACTERS:
            break
    return rows if len(rows) == HEAD or len(part) == len(text) else rows[:-1]  # the last one may be cut


def _split_fast(text: str, delimiter: str, path: Path, max_rows: int, headless: Headless | None) -> pd.DataFrame | None:
    """Split with pandas' compiled parser; None where only the csv module knows what is meant."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return None
    characters = np.frombuffer(raw, dtype=np.uint8)
    quotes = _places(characters, QUOTE) if not headless else np.zeros(0, dtype=np.intp)
    if not headless and not _well_quoted(characters, quotes, ord(delimiter)):
        return None
    quoting: Quoting = 3 if headless else 0
    head = _head(text, delimiter, quoting)
    names = headless(head[0]) if headless and head else None
    header = find_header(head) if names is None else Header(-1, 1, list(names))
    width = max(len(header.names), *map(len, head), 1) + 1  # rows of real exports end in a spare delimiter
    try:
        table = pd.read_csv(
            io.BytesIO(raw),
            sep=delimiter,
            header=None,
            names=list(range(width)),
            dtype=object,
            na_filter=False,
            skip_blank_lines=False,
            quoting=quoting,
            encoding="utf-8",
            engine="c",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    if _padded(text, characters, quotes, delimiter):
        for column in table:
            table[column] = [cell.strip() for cell in table[column]]
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


def _well_quoted(characters: NDArray[np.uint8], quotes: NDArray[np.intp], delimiter: int) -> bool:
    """Say whether each quote opens or closes a whole cell, or is one of a pair inside."""
    if len(quotes) % 2:
        return False
    border = _borders(delimiter)
    opening, closing = quotes[::2], quotes[1::2]
    before = characters[np.maximum(opening - 1, 0)]
    after = characters[np.minimum(closing + 1, len(characters) - 1)]
    opens = border[before] | (opening == 0)
    closes = border[after] | (closing == len(characters) - 1)
    doubled = opening[1:] - 1 == closing[:-1]  # a quote before an opening one must be the one just closed
    return bool(opens.all() and closes.all() and (doubled | (before[1:] != QUOTE)).all())


def _borders(delimiter: int) -> NDArray[np.bool_]:
    """Which bytes may stand beside a cell, shape (256,)."""
    border = np.zeros(256, dtype=bool)
    border[[delimiter, NEWLINE, RETURN, QUOTE]] = True
    return border


def _places(characters: NDArray[np.uint8], sign: int) -> NDArray[np.intp]:
    """Where a byte stands; found part by part, for the sake of memory."""
    parts = range(0, len(characters), AT_ONCE)
    found = [np.flatnonzero(characters[at : at + AT_ONCE] == sign) + at for at in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)


def _padded(text: str, characters: NDArray[np.uint8], quotes: NDArray[np.intp], delimiter: str) -> bool:
    """Say whether any cell may begin or end in white space."""
    if text[:1].isspace() or (text[-1:].isspace() and text[-1:] not in "\r\n"):
        return True
    last = len(characters) - 1
    border = _borders(ord(delimiter))
    for white in _WHITE.replace(delimiter, ""):
        if white not in text:
            continue
        sequence = white.encode()
        for at in range(0, len(characters), AT_ONCE):
            # of other ends of the same byte too, which does no harm
            places = np.flatnonzero(characters[at : at + AT_ONCE] == sequence[-1]) + at
            before = characters[np.maximum(places - len(sequence), 0)]
            after = characters[np.minimum(places + 1, last)]
            beside = border[before] | border[after]
            places, before, after = places[beside], before[beside], after[beside]
            # within quotes a delimiter or line end is no border of the cell
            outside = np.searchsorted(quotes, places) % 2 == 0
            if bool((outside | (before == QUOTE) | (after == QUOTE)).any()):
                return True
    line_end = np.array([NEWLINE, RETURN], dtype=np.uint8)
    inside = (characters[np.minimum(quotes[::2] + 1, last)], characters[np.maximum(quotes[1::2] - 1, 0)])
    return any(bool(np.isin(beside, line_end).any()) for beside in inside)
