"""Well-formed text tables, split by compiled parsers: each quote opens or closes a whole cell, and no row is too long.

Where pyarrow is installed its parser splits large tables, and holds each distinct cell once; what it refuses, such as
rows of several lengths, is split by that of pandas.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.files.encodings import AT_ONCE, MARK
from escalation.files.repeats import MOST_DISTINCT, CellsAs, as_categories, held_once, stripped

Quoting = Literal[0, 3]
"""csv.QUOTE_MINIMAL and csv.QUOTE_NONE, which are no literals to a type checker."""
LARGE = 1 << 22
"""Bytes from which on cells that repeat are held once."""
QUOTE, NEWLINE, RETURN = (ord(c) for c in '"\n\r')


def split(raw: bytes, delimiter: str, width: int, quoting: Quoting, cells: CellsAs) -> pd.DataFrame | None:
    """Split text into stripped cells; None where only the csv module knows what is meant.

    Parameters
    ----------
    raw : bytes
        The text in UTF-8.
    delimiter : str
        What stands between cells.
    width : int
        How many columns there are.
    quoting : {0, 3}
        Whether quotes are signs like others (3).
    cells : {"texts", "categories"}
        Whether columns of large tables whose cells repeat become categories.

    Returns
    -------
    pandas.DataFrame
        Columns by their place, one more than ``width`` at most, and a row for each line, blank ones included.
    """
    if not quoting and not _well_quoted(np.frombuffer(raw, dtype=np.uint8), ord(delimiter)):
        return None
    repeating = cells == "categories" and len(raw) >= LARGE
    columns = _by_arrow(raw, delimiter, width, quoting) if repeating else None
    if columns is not None:
        return pd.DataFrame(columns, copy=False)
    table = _by_pandas(raw, delimiter, width + 1, quoting)  # rows of real exports end in a spare delimiter
    if table is None:
        return None
    clean = held_once if repeating else stripped
    return pd.DataFrame({name: clean(table.pop(name).to_numpy()) for name in list(table.columns)}, copy=False)


def _by_pandas(raw: bytes, delimiter: str, width: int, quoting: Quoting) -> pd.DataFrame | None:
    try:
        return pd.read_csv(
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
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        return None


def _by_arrow(raw: bytes, delimiter: str, width: int, quoting: Quoting) -> dict[int, pd.Series] | None:
    """Columns as Arrow's parser splits them, part by part; None without it, or where it refuses a row."""
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        return None
    if width < 2 or raw.startswith(MARK):  # blank rows of a single column, and marks, are not read alike
        return None
    names = [str(at) for at in range(width)]
    try:
        parts = csv.open_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(use_threads=False, block_size=AT_ONCE, column_names=names),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False if quoting else '"',
                newlines_in_values=not quoting,
                ignore_empty_lines=False,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[], strings_can_be_null=False
            ),
        )
        return _joined(_encoded(parts))
    except pa.ArrowInvalid:
        return None


def _encoded(parts: Any) -> Iterator[list[Any]]:
    """The columns of each part, those that repeat in the first one with each distinct text once."""
    repeating: list[bool] = []
    for part in parts:
        if not repeating:
            most = MOST_DISTINCT * part.num_rows
            repeating = [len(column.dictionary_encode().dictionary) <= most for column in part.columns]
        yield [
            column.dictionary_encode() if repeats else stripped(column.to_numpy(zero_copy_only=False))
            for column, repeats in zip(part.columns, repeating, strict=True)
        ]


def _joined(parts: Iterator[list[Any]]) -> dict[int, pd.Series]:
    """The columns of all parts as those of a table."""
    import pyarrow as pa

    joined: dict[int, pd.Series] = {}
    for at, chunks in enumerate(zip(*parts, strict=True)):
        if isinstance(chunks[0], pd.Series):
            joined[at] = pd.concat(chunks, ignore_index=True)
            continue
        whole = pa.chunked_array(chunks).unify_dictionaries().combine_chunks()
        codes = whole.indices.to_numpy()
        joined[at] = as_categories(codes, whole.dictionary.to_pylist(), pd.RangeIndex(len(codes)))
    return joined


def _well_quoted(characters: NDArray[np.uint8], delimiter: int) -> bool:
    """Say whether each quote opens or closes a whole cell, or is one of a pair inside."""
    quotes = _places(characters, QUOTE)
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
