"""Parquet files with a description of what is in them, and a hash that shows whether they were changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from escalation.errors import FileError, InputError
from escalation.files.disk import atomic_write, kind_of, read_whole

KEY = b"escalation"


def write_parquet(path: str | Path, table: pd.DataFrame, about: Mapping[str, object]) -> str:
    """Write a table of numbers and texts, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Ends in ``.parquet``.
    table : pandas.DataFrame
        Its index is not kept.
    about : mapping
        What the table is; anything JSON can hold.

    Returns
    -------
    str
        SHA-256 of the table and the description, kept in the file.

    Raises
    ------
    FileError
        If the name does not end in .parquet, the file cannot be written, or pyarrow is not installed.
    """
    arrow, parquet = check_parquet(path)
    digest = _digest(table, about)
    held = arrow.Table.from_pandas(table, preserve_index=False)
    described = json.dumps({"about": dict(about), "sha256": digest}).encode()
    held = held.replace_schema_metadata({**(held.schema.metadata or {}), KEY: described})
    with atomic_write(path, "wb") as stream:
        parquet.write_table(held, stream)
    return digest


def read_parquet(path: str | Path) -> tuple[pd.DataFrame, dict[str, object]]:
    """Read what :func:`write_parquet` wrote.

    Returns
    -------
    tuple
        The table and its description.

    Raises
    ------
    FileError
        If there is no such file, it is no Parquet file, or pyarrow is not installed.
    InputError
        If it is another Parquet file, or was changed since it was written.
    """
    arrow, parquet = pyarrow_for(path)
    if kind_of(Path(path)) == "nothing":
        raise FileError(f"{path}: no such file; name a forecast that was saved")
    raw = read_whole(Path(path))
    try:
        held = parquet.read_table(arrow.BufferReader(raw))
        described = (held.schema.metadata or {}).get(KEY)
        table = held.to_pandas(ignore_metadata=True)
    except Exception as error:  # damaged bytes make pyarrow raise nearly anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{path}: is no Parquet file that can be read ({reason})") from None
    if described is None:
        raise InputError(f"{path}: was not written by escalation; name a forecast that was saved")
    about, digest = _read_description(described)
    if about is None or _digest(table, about) != digest:
        raise InputError(f"{path}: was changed after it was written, so its forecast is not what was made")
    return table, about


def _read_description(described: bytes) -> tuple[dict[str, object] | None, object]:
    """What a table is and its hash; None where that is not what :func:`write_parquet` writes."""
    try:
        found = json.loads(described)
    except ValueError:
        return None, None
    about = found.get("about") if isinstance(found, dict) else None
    return (about, found.get("sha256")) if isinstance(about, dict) else (None, None)


def check_parquet(path: str | Path):  # type: ignore[no-untyped-def]
    """Raise at once what :func:`write_parquet` would raise of the name and of pyarrow; import it."""
    if Path(path).suffix.lower() != ".parquet":
        raise FileError(f"{path}: is written as Parquet; end its name in .parquet")
    return pyarrow_for(path)


def pyarrow_for(path: str | Path):  # type: ignore[no-untyped-def]
    """Import pyarrow, which only Parquet files need."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise FileError(f"{path}: Parquet files need pyarrow; pip install 'escalation[parquet]'") from None
    return pyarrow, pyarrow.parquet


def _digest(table: pd.DataFrame, about: Mapping[str, object]) -> str:
    """SHA-256 of the columns' names and values and of the description."""
    total = hashlib.sha256(json.dumps(dict(about), sort_keys=True).encode())
    for name in table:
        total.update(str(name).encode())
        total.update(pd.util.hash_pandas_object(table[name].astype(str), index=False).to_numpy().tobytes())
    return total.hexdigest()
