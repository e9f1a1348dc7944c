"""Text tables: CSV and its relatives, decoded, their delimiter found, and split.

Well-formed text is split by pandas' compiled parser; whatever is not is left to the csv module,
whose errors say where.  On well-formed text the two agree (a test holds them against each other).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.errors import InputError
from escalation.files.rows import Headless, check_header, check_rows, to_frame

DELIMITERS = (",", ";", "\t", "|")
HEADER_CHARACTERS = 65_536
"""The delimiter is found from this much of the file."""

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
    text = _decode(raw, path, encoding)
    del raw  # large files are held once less
    if "\0" in text:
        raise InputError(f"{path}: holds NUL characters, so it is no text table; export it again as UTF-8 CSV")
    delimiter = _delimiter(text)
    first = next(csv.reader(io.StringIO(text[:HEADER_CHARACTERS], newline=""), delimiter=delimiter), [])
    bare = headless is not None and headless(first) is not None  # tables without a header are not quoted either
    table = _split_fast(text, delimiter, path, max_rows, headless if bare else None)
    if table is not None:
        return table
    quoting: Quoting = 3 if bare else 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quoting=quoting)
    try:
        return to_frame(enumerate(reader, start=1), path, max_rows, headless)
    except csv.Error as error:
        raise InputError(f"{path}: cannot be split near line {reader.line_num} ({error}); check its quotes") from None


def text_header(raw: bytes, path: Path, encoding: str | None) -> list[str]:
    """The cells of the first row, from as little of the file as holds them."""
    text = _decode(raw, path, encoding)[:HEADER_CHARACTERS]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        return [name.strip() for name in next(reader, [])]
    except csv.Error:
        return []  # whoever reads the whole table says what is wrong with it


def _decode(raw: bytes, path: Path, encoding: str | None) -> str:
    marked = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    name = encoding or ("utf-16" if marked else "utf-8-sig")
    try:
        return raw.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        name = "utf-8" if name == "utf-8-sig" else name
        raise InputError(
            f"{path}: byte {error.start:,} (line {line:,}) is not {name}; save it as UTF-8 or name its encoding"
        ) from None
    except (LookupError, ValueError):  # names of codecs that are none for text raise either
        raise InputError(f"encoding {encoding!r} is not known; try utf-8, utf-16, cp1252 or latin-1") from None


def _delimiter(text: str) -> str:
    """The delimiter that splits the header into the most cells."""

    def cells(delimiter: str) -> int:
        try:
            return len(next(csv.reader(io.StringIO(text[:HEADER_CHARACTERS], newline=""), delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=cells)


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
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting), [])
    named = headless(first) if headless else None
    header = check_header(first, path) if named is None else list(named)
    width = max(len(first), len(header)) + 1  # rows of real exports end in a spare delimiter
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
    table = table if named is not None else table.iloc[1:]
    spare = table.iloc[:, len(header) :]
    if any((spare[column] != "").any() for column in spare):
        return None
    table = table.iloc[:, : len(header)].set_axis(header, axis=1)
    blank = np.ones(len(table), dtype=bool)
    for name in header:
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
