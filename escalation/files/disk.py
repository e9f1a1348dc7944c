"""The boundary to the file system: bytes in with limits, tables out whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd

from escalation.errors import EscalationError, FileError, InputError
from escalation.files import unfinished

MAX_BYTES = 2_000_000_000
"""A file larger than this is refused."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def read_whole(path: Path) -> bytes:
    """Read all of a file.

    Raises
    ------
    FileError
        If it is missing, a directory, a device, or cannot be opened.
    InputError
        If it is empty or too large.
    """
    kind = kind_of(path)
    if kind == "nothing":
        raise FileError(f"{path}: no such file; check the path")
    if kind == "directory":
        raise FileError(f"{path}: is a directory; name a file in it")
    if kind == "other":
        raise FileError(f"{path}: is not a regular file; copy its content to one")
    try:
        size = path.stat().st_size
        if size == 0:
            raise InputError(f"{path}: is empty (0 bytes); export it again")
        if size > MAX_BYTES:
            raise InputError(
                f"{path}: has {size:,} bytes; {MAX_BYTES:,} is the limit, split it, or count incidents where they are "
                "by escalation.incidents.count_in_database"
            )
        with path.open("rb") as file:
            return file.read()
    except OSError as error:
        raise cannot_be_opened(path, error) from None


def kind_of(path: Path) -> Literal["nothing", "file", "directory", "other"]:
    """Say what stands at a path, links followed.

    Raises
    ------
    FileError
        If that cannot be known: the name is too long or holds a NUL, or a directory may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    except (OSError, ValueError) as error:  # a name too long, no permission, a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{str(path)[:200]!r}: cannot be reached ({reason}); check the path") from None
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


@contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    r"""Open a file that appears under its name only when the block ends without an error and all of it is on the disk.

    Parameters
    ----------
    path : str or Path
        Where it shall stand; the directory must exist.
    mode : {"w", "wb"}
        Text (UTF-8, ``\n``) or bytes.

    Raises
    ------
    FileError
        If the directory is missing or not writable, or the path is a directory.
    """
    path = Path(path)
    beside = _name_beside(path)
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    unfinished.enter(str(beside))
    try:
        with beside.open(mode.replace("w", "x"), **text) as stream:  # type: ignore[call-overload]
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, EscalationError):
            raise
        raise cannot_be_written(path, error) from None
    finally:
        unfinished.leave(str(beside))


def sync_folder(folder: Path) -> None:
    """Have the new name of a file survive a power cut, where the system can do that for folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_target(path: str | Path) -> None:
    """Raise at once what :func:`atomic_write` would raise after a long computation.

    Parameters
    ----------
    path : str or Path
        The file that is to be written.

    Raises
    ------
    FileError
        If the directory is missing or not writable, or the path is a directory.
    """
    beside = _name_beside(Path(path))
    unfinished.enter(str(beside))
    try:
        beside.open("x").close()
    except OSError as error:
        raise cannot_be_written(Path(path), error) from None
    finally:
        unfinished.leave(str(beside))


def _name_beside(path: Path) -> Path:
    """Name of a new file in the directory of the path."""
    kind = kind_of(path)
    if kind == "directory":
        raise FileError(f"{path}: is a directory; name the file to write")
    if kind == "other":
        raise FileError(f"{path}: is a device or a pipe, which cannot be replaced; name a file")
    if kind_of(path.parent) != "directory":
        raise no_directory(path)
    return path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}"


def cannot_be_opened(path: Path, error: OSError) -> FileError:
    """The error where a file stands that cannot be read."""
    return FileError(f"{path}: cannot be opened ({error.strerror}); check its permissions")


def no_directory(path: Path) -> FileError:
    """The error where there is no directory for a file."""
    return FileError(f"{path}: the directory {path.parent} does not exist; create it first")


def cannot_be_written(path: Path, error: OSError) -> FileError:
    """The error where a file cannot be written."""
    return FileError(f"{path}: cannot be written ({error.strerror or error}); choose another place")


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before each text cell that a spreadsheet would run.

    Source: OWASP, *CSV Injection*. Numbers are left alone.
    """
    table = table.copy()
    for position, dtype in enumerate(table.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            table.isetitem(position, [_safe(cell) for cell in table.iloc[:, position]])
    return table.rename(columns=_safe)


def _safe(cell: object) -> object:
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def table_text(table: pd.DataFrame, form: str) -> str:
    """Write a table as CSV or JSON text.

    Parameters
    ----------
    table : pandas.DataFrame
        Its index, when named, becomes the first columns.
    form : {"csv", "json"}
        CSV with cells safe for spreadsheets, or a JSON list of records.

    Raises
    ------
    InputError
        If the form is neither.
    """
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    for position, dtype in enumerate(table.dtypes):
        if isinstance(dtype, pd.PeriodDtype):
            table.isetitem(position, list(table.iloc[:, position].astype(str)))
    if form == "csv":
        return str(safe_cells(table).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"))
    if form == "json":
        text = table.to_json(orient="records", date_format="iso", date_unit="s", double_precision=10)
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    raise InputError(f"format is {form!r}; use csv or json")


def hash_of(paths: Sequence[Path]) -> str:
    """SHA-256 of a file, or of the digests of several."""
    digests = []
    for path in paths:
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
