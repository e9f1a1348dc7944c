"""Packed files: their one table as bytes, with limits that no bomb passes and no name that leads elsewhere."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from escalation.errors import InputError

MAX_UNPACKED = 500_000_000
"""What unpacks to more bytes than this is refused."""
CHUNK = 1 << 20

_LEADS_AWAY = re.compile(r"\A(?:[/\\]|[a-zA-Z]:)|(?:\A|[/\\])\.\.(?:[/\\]|\Z)|\0")
_DECLARATIONS = tuple(
    mark.encode(encoding)
    for mark in ("<!DOCTYPE", "<!ENTITY", "<!doctype", "<!entity")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
_SIDE_FILES = ("__MACOSX/", ".DS_Store", "Thumbs.db")


def unpack(raw: bytes, path: Path, endings: tuple[str, ...]) -> tuple[str, bytes]:
    """Unpack the one table of a ``.zip`` or ``.gz`` file, in memory.

    Parameters
    ----------
    raw : bytes
        The packed file.
    path : Path
        Its name, for messages and, of ``.gz``, for the name of the table.
    endings : tuple of str
        What the names of tables end in.

    Returns
    -------
    tuple
        The table's ending in small letters, and its content.

    Raises
    ------
    InputError
        If it is damaged, encrypted, holds no table or several, a name in it leads out of it, or it
        unpacks to more than the limit.
    """
    try:
        if path.suffix.lower() == ".gz":
            return Path(path.stem).suffix.lower(), _gunzip(raw, path)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            check_archive(archive, path, "unpack it and split the table")
            member = _only_table(archive, path, endings)
            return PurePosixPath(member.filename).suffix.lower(), archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be unpacked ({error}); pack it again without a password") from None


def _gunzip(raw: bytes, path: Path) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
        content = stream.read(MAX_UNPACKED + 1)
    if len(content) > MAX_UNPACKED:
        raise InputError(f"{path}: unpacks to more than {MAX_UNPACKED:,} bytes, which is the limit; split it")
    return content


def _only_table(archive: zipfile.ZipFile, path: Path, endings: tuple[str, ...]) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(side in member.filename for side in _SIDE_FILES)
    ]
    tables = [member for member in members if PurePosixPath(member.filename).suffix.lower() in endings]
    if len(tables) != 1:
        there = ", ".join(member.filename for member in members[:5]) or "nothing"
        raise InputError(
            f"{path}: holds {len(tables)} tables, not one ({there}); unpack it and name the files that you want"
        )
    return tables[0]


def check_archive(archive: zipfile.ZipFile, path: Path, advice: str) -> None:
    """Refuse an archive that unpacks to too much, or whose names lead out of it; nothing is unpacked here.

    Raises
    ------
    InputError
        If so.
    """
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_UNPACKED:
        raise InputError(f"{path}: unpacks to {unpacked:,} bytes; {MAX_UNPACKED:,} is the limit, {advice}")
    for member in archive.infolist():
        if _LEADS_AWAY.search(member.filename):
            raise InputError(f"{path}: holds a file called {member.filename!r}, which leads out of it; pack it anew")


def check_xml(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse XML that declares its own entities, with which a few bytes can grow without end.

    Raises
    ------
    InputError
        If any part holds a DOCTYPE or an ENTITY, whatever it is called: no program writes them into a workbook.
    """
    overlap = max(map(len, _DECLARATIONS))
    for member in archive.infolist():
        with archive.open(member) as stream:
            tail = b""
            while chunk := stream.read(CHUNK):
                if any(mark in tail + chunk for mark in _DECLARATIONS):
                    raise InputError(
                        f"{path}: is not a readable XLSX workbook ({member.filename} declares XML entities); "
                        "save it again or as CSV"
                    )
                tail = chunk[-overlap:]
