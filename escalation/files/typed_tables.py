"""Tables that come with types (Parquet, Stata, JSON, GeoJSON), as the text cells that a CSV would hold."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.errors import EscalationError, InputError
from escalation.files.archives import MAX_UNPACKED
from escalation.files.headers import check_header
from escalation.files.parquet import pyarrow_for
from escalation.files.rows import check_rows
from escalation.files.workbooks import cell_text

LIST_KEYS = ("data", "results", "Result", "result", "records", "events", "rows", "items")
"""Where web services put the list of records inside their answer."""


def read_parquet_cells(raw: bytes, path: Path, max_rows: int) -> pd.DataFrame:
    """Read a Parquet file.

    Raises
    ------
    FileError
        If pyarrow is not installed.
    InputError
        If it is no Parquet file, or has too many rows or bytes.
    """
    arrow, parquet = pyarrow_for(path)
    try:
        held = parquet.ParquetFile(io.BytesIO(raw))
        described = held.metadata
        size = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
        check_rows(described.num_rows, path, max_rows)
        if size > MAX_UNPACKED:
            raise InputError(f"{path}: unpacks to {size:,} bytes; {MAX_UNPACKED:,} is the limit for Parquet, split it")
        return _as_cells(held.read().to_pandas(ignore_metadata=True), path)
    except EscalationError:
        raise
    except (arrow.ArrowException, OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: is not a readable Parquet file ({_one_line(error)}); write it again or save it as CSV"
        ) from None


def read_stata_cells(raw: bytes, path: Path, max_rows: int) -> pd.DataFrame:
    """Read a Stata file.

    Raises
    ------
    InputError
        If it is none, or has too many rows.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # labels that are not unique, and the like
            table = pd.read_stata(io.BytesIO(raw), convert_categoricals=True)
    except Exception as error:  # pandas' reader raises whatever the bytes lead it to
        raise InputError(
            f"{path}: is not a readable Stata file ({_one_line(error)}); save it again or as CSV"
        ) from None
    check_rows(len(table), path, max_rows)
    return _as_cells(table, path)


def read_json_cells(raw: bytes, path: Path, encoding: str | None, max_rows: int) -> pd.DataFrame:
    """Read JSON: a list of records, one record a line, a web service's answer around such a list, or GeoJSON.

    Raises
    ------
    InputError
        If it is none of these, or has too many records.
    """
    try:
        records = _records(raw.decode(encoding or "utf-8-sig"), path)
    except (UnicodeDecodeError, LookupError, json.JSONDecodeError, RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not readable JSON ({_one_line(error)}); export it again") from None
    check_rows(len(records), path, max_rows)
    names = list(dict.fromkeys(name for record in records for name in record))
    header = check_header([str(name) for name in names], path) if names else []
    nameless = names[len(header) :]  # blank, at the end
    if any(_json_text(record.get(name)) for record in records for name in nameless):
        raise InputError(f"{path}: a record has a value under a blank name; give it one, or drop it")
    cells = [[_json_text(record.get(name)) for name in names[: len(header)]] for record in records]
    return _blankless(pd.DataFrame(cells, columns=header, index=_numbered(len(cells)), dtype=str))


def _records(text: str, path: Path) -> list[Mapping[str, object]]:
    try:
        held = json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        held = [json.loads(line) for line in lines]
    if isinstance(held, dict) and held.get("type") == "FeatureCollection":
        held = [_feature(feature) for feature in held.get("features") or []]
    elif isinstance(held, dict):
        lists = [held[key] for key in LIST_KEYS if isinstance(held.get(key), list)]
        lists = lists or [one for one in held.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
        if len(lists) != 1:
            raise InputError(
                f"{path}: is JSON without a list of records (keys found: {', '.join(map(str, list(held)[:10]))}); "
                "export a list"
            )
        held = lists[0]
    if not isinstance(held, list) or not all(isinstance(record, dict) for record in held):
        raise InputError(f"{path}: is JSON but no list of records; each incident must be an object with named values")
    return held


def _feature(feature: object) -> object:
    """The properties of a GeoJSON feature, and the coordinates of a point where they do not say them."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        return None
    record = dict(feature.get("properties") or {})
    geometry = feature.get("geometry")
    point = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
    if isinstance(point, list) and len(point) >= 2:
        known = {str(name).casefold() for name in record}
        if not known & {"latitude", "lat", "longitude", "lon", "lng", "long"}:
            record |= {"longitude": point[0], "latitude": point[1]}
    return record


def _json_text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and value != value:
        return ""
    return cell_text(value).strip()


def _as_cells(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Columns of any type as text, ``""`` where there is no value."""
    header = check_header([str(name) for name in table.columns], path)
    columns = {name: _column_cells(table.iloc[:, at]) for at, name in enumerate(header)}
    return _blankless(pd.DataFrame(columns, index=_numbered(len(table)), dtype=str))


def _column_cells(column: pd.Series) -> list[str]:
    """One column as text; each different value is worked out once."""
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*(_value_text(value) for value in distinct), ""], dtype=object)
    return list(texts[codes])


def _value_text(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return cell_text(value).strip()


def _blankless(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return table
    blank = (table == "").all(axis=1)
    return table[~blank] if blank.any() else table


def _numbered(rows: int) -> pd.Index:
    """Rows as a spreadsheet with a header would number them."""
    return pd.RangeIndex(2, rows + 2, name="row")


def _one_line(error: BaseException) -> str:
    lines: Iterable[str] = str(error).splitlines() or [type(error).__name__]
    return next(iter(lines))[:200]
