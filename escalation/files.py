"""The border to the file system: tables in as text with limits, tables out whole or not at all."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd

from escalation.errors import EscalationError, FileError, InputError

MAX_BYTES = 2_000_000_000
"""A text file larger than this is refused."""
MAX_ROWS = 5_000_000
"""A table with more rows than this is refused unless its reader states a lower limit."""
MAX_UNPACKED = 500_000_000
"""A spreadsheet that unpacks to more bytes than this is refused."""

DELIMITERS = (",", ";", "\t", "|")
HEADER_CHARACTERS = 65_536
"""The delimiter is told from this much of the file."""
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def read_table(path: str | Path, *, encoding: str | None = None, max_rows: int = MAX_ROWS) -> pd.DataFrame:
    """Read a CSV, TSV or XLSX file as text, every cell a string, blank cells empty.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv``, ``.txt`` (comma, semicolon, tab or bar, told by the header) or ``.xlsx``
        (its first sheet).
    encoding : str, optional
        Encoding of a text file; UTF-8 (with or without a mark) or marked UTF-16 when left out.
    max_rows : int
        More rows than this are refused.

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
        If it is empty, too large, not text in the encoding, has no rows, no header, a name twice,
        or rows with more cells than the header.
    """
    path = Path(path)
    _check_readable(path)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        table = _read_xlsx(path, max_rows)
    elif path.suffix.lower() in TEXT_SUFFIXES:
        table = _read_text(path, encoding, max_rows)
    else:
        raise InputError(f"{path}: cannot read files that end in {path.suffix or 'nothing'!r}; use .csv, .tsv or .xlsx")
    if table.empty:
        raise InputError(f"{path}: has a header but no rows; nothing to read")
    return table


def _check_readable(path: Path) -> None:
    kind = kind_of(path)
    if kind == "nothing":
        raise FileError(f"{path}: no such file; check the path")
    if kind == "directory":
        raise FileError(f"{path}: is a directory; name a file in it")
    if kind == "other":
        raise FileError(f"{path}: is not a regular file; copy its content to one")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise FileError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
    if size == 0:
        raise InputError(f"{path}: is empty (0 bytes); export it again")
    if size > MAX_BYTES:
        raise InputError(f"{path}: has {size:,} bytes; {MAX_BYTES:,} is the limit, split it")


def kind_of(path: Path) -> Literal["nothing", "file", "directory", "other"]:
    """Tell what stands at a path, links followed.

    Raises
    ------
    FileError
        If it cannot be told: the name is too long or holds a NUL, or a directory may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    except (OSError, ValueError) as error:  # a name too long, no permission, a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{str(path)[:200]!r}: cannot be reached ({reason}); check the path") from None
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def _read_text(path: Path, encoding: str | None, max_rows: int) -> pd.DataFrame:
    text = _decode(path, encoding)
    if "\0" in text:
        raise InputError(f"{path}: holds NUL characters, so it is no text table; export it again as UTF-8 CSV")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return _frame(enumerate(reader, start=1), path, max_rows)
    except csv.Error as error:
        raise InputError(f"{path}: cannot be split near line {reader.line_num} ({error}); check its quotes") from None


def _delimiter(text: str) -> str:
    """The delimiter that splits the header into the most cells."""

    def cells(delimiter: str) -> int:
        return len(next(csv.reader(io.StringIO(text[:HEADER_CHARACTERS], newline=""), delimiter=delimiter), []))

    return max(DELIMITERS, key=cells)


def _decode(path: Path, encoding: str | None) -> str:
    raw = path.read_bytes()
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


def _read_xlsx(path: Path, max_rows: int) -> pd.DataFrame:
    from openpyxl import load_workbook  # half a second that only spreadsheets need

    try:
        with (
            path.open("rb") as file,
            warnings.catch_warnings(action="ignore"),
        ):  # openpyxl warns of styles unknown to it
            _check_unpacked(file, path)
            book = load_workbook(file, read_only=True, data_only=True)
            return _frame(_sheet_rows(book.worksheets[0]), path, max_rows)
    except EscalationError:
        raise
    except Exception as error:  # what openpyxl, zlib and the XML parser raise on damage has no common base
        raise InputError(f"{path}: is not a readable XLSX workbook ({error}); save it again or as CSV") from None


def _check_unpacked(file: IO[bytes], path: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_UNPACKED:
        raise InputError(f"{path}: unpacks to {unpacked:,} bytes; {MAX_UNPACKED:,} is the limit, save it as CSV")


def _sheet_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet as text, numbered from 1."""
    sheet.reset_dimensions()  # the size that a file states for its sheet is often wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, [_cell_text(cell) for cell in row]


def _cell_text(cell: object) -> str:
    """A spreadsheet cell as the text that a CSV would hold."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _frame(rows: Iterator[tuple[int, list[str]]], path: Path, max_rows: int) -> pd.DataFrame:
    """Build the table from numbered rows, the first of which is the header."""
    header = _header(next(rows, (1, []))[1], path)
    width = len(header)
    numbers: list[int] = []
    cells: list[list[str]] = []
    for number, row in rows:
        row = [cell.strip() for cell in row]
        if not any(row):
            continue
        if any(row[width:]):
            raise InputError(f"{path}: row {number:,} has {len(row)} cells for {width} columns; quote its commas")
        if len(cells) >= max_rows:
            raise InputError(f"{path}: has more than {max_rows:,} rows, which is the limit; split it")
        numbers.append(number)
        cells.append(row[:width] + [""] * (width - len(row)))
    return pd.DataFrame(cells, columns=header, index=pd.Index(numbers, name="row"), dtype=str)


def _header(names: list[str], path: Path) -> list[str]:
    header = [name.strip() for name in names]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise InputError(f"{path}: its first row is blank; the first row must name the columns")
    if "" in header:
        raise InputError(f"{path}: column {header.index('') + 1} has no name; name it in the first row")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InputError(f"{path}: has two columns called {twice[0]!r}; rename one")
    return header


@contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    r"""Open a file that appears under its name only when the block ends without an error.

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
    handle, name = _open_beside(path)
    try:
        text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
        with os.fdopen(handle, mode, **text) as stream:  # type: ignore[call-overload]
            yield stream
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)  # mkstemp makes it private
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, EscalationError):
            raise _cannot_be_written(path, error) from None
        raise


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
    handle, name = _open_beside(Path(path))
    os.close(handle)
    Path(name).unlink()


def _open_beside(path: Path) -> tuple[int, str]:
    """Open a new file in the directory of the path: its handle and its name."""
    kind = kind_of(path)
    if kind == "directory":
        raise FileError(f"{path}: is a directory; name the file to write")
    if kind == "other":
        raise FileError(f"{path}: is a device or a pipe, which cannot be replaced; name a file")
    if kind_of(path.parent) != "directory":
        raise FileError(f"{path}: the directory {path.parent} does not exist; create it first")
    try:
        return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_be_written(path, error) from None


def _cannot_be_written(path: Path, error: OSError) -> FileError:
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
