"""A report that was saved as JSON: what it answered, of what, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from escalation.errors import EscalationError, InputError
from escalation.files.disk import kind_of, read_whole

COLUMNS = ("question", "value", "lower", "upper", "unit")
"""What is kept of each answer."""
ABOUT = ("unit", "place", "counter", "freq")
"""What two reports on one series have in common, besides its name."""
REPORTS = "reports"
"""Folder of a case that keeps its reports."""
HEAD = 64
"""First bytes of a file, in which a report shows."""


@dataclass(frozen=True, eq=False)
class SavedReport:
    """A report as its JSON has it.

    Attributes
    ----------
    name : str
        Its file; blank of one that was not written yet.
    source, sha256 : str
        Name of what it was made from, and the hash of its content.
    series : str
        The main series; blank where it is the whole of a table, which goes by the name of the file.
    about : dict
        Its unit, place, counter and freq.
    until : str
        The last day that its counts speak of.
    settings : dict
        ``model``, ``seed``, ``version`` and the options.
    answers : pandas.DataFrame
        Indexed by key, of another series than the main one ``SERIES/KEY``: ``question``, ``value``, ``lower``,
        ``upper`` and ``unit``; NaN where a number is not given.
    """

    name: str
    source: str
    sha256: str
    series: str
    about: dict[str, str]
    until: str
    settings: dict[str, object]
    answers: pd.DataFrame = field(repr=False)

    def same_series(self, other: SavedReport) -> bool:
        """Whether both are about the same counts."""
        return self.series == other.series and self.about == other.about

    def same_data(self, other: SavedReport) -> bool:
        """Whether both rest on the same content."""
        return self.sha256 == other.sha256 and self.until == other.until

    def called(self) -> str:
        """Its file, or that it is the one being made."""
        return Path(self.name).name or "this report"


def report_of(content: Mapping[str, Any], name: str = "") -> SavedReport:
    """Read what a report as JSON holds.

    Parameters
    ----------
    content : mapping
        As :meth:`escalation.Brief.to_json` writes it.
    name : str
        Its file.

    Raises
    ------
    InputError
        If it is no report.
    """
    try:
        several, source = content["brief"]["series"], str(content["source"]["name"])
        answers = [_answers(content["answers"], "", name)]
        answers += [_answers(one["answers"], f"{one['name']}/", name) for one in several[1:]]
        return SavedReport(
            name=name,
            source=source,
            sha256=str(content["source"]["sha256"]),
            series="" if several[0]["name"] == Path(source).stem else str(several[0]["name"]),
            about={key: str(content["series"][key]) for key in ABOUT},
            until=str(several[0]["to"]),
            settings={"version": content["version"], "seed": content["seed"], **content["options"]},
            answers=pd.concat([one for one in answers if len(one)]),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise _no_report(name) from None


def read_saved(path: str | Path) -> SavedReport:
    """Read a report that was saved as JSON.

    Parameters
    ----------
    path : str or Path
        Its file.

    Returns
    -------
    SavedReport

    Raises
    ------
    FileError
        If it cannot be read.
    InputError
        If it is no report.

    Examples
    --------
    >>> import tempfile, pandas as pd, escalation
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = escalation.write_report(pd.Series([2, 0, 1] * 10, index=weeks), f"{folder}/report.json", rng=1)
    ...     read_saved(file).answers.loc["count_recent", "value"]
    np.float64(4.0)
    """
    return report_of(read_content(path), str(path))


def read_content(path: str | Path) -> dict[str, Any]:
    """Read what a file of JSON holds; nothing where that is no mapping.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    FileError
        If it cannot be read.
    InputError
        If it is no JSON.
    """
    raw = read_whole(Path(path))
    try:
        content = json.loads(raw)
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: is no JSON ({error}); write a report with -o report.json") from None
    return content if isinstance(content, dict) else {}


def is_saved(path: str | Path) -> bool:
    """Whether a file is a report that was saved as JSON, by how it begins, and not a table."""
    file = Path(path)
    if file.suffix.lower() != ".json" or kind_of(file) != "file":
        return False
    try:
        with file.open("rb") as stream:
            return stream.read(HEAD).replace(b" ", b"").replace(b"\n", b"").startswith(b'{"version":')
    except OSError:
        return False


def latest_saved(folder: Path) -> list[SavedReport]:
    """The reports that a folder keeps as JSON, that on the latest day first, of one day the one written last.

    What cannot be read, or is no report, is none.
    """
    found = []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            if is_saved(file):
                found.append((read_saved(file), file.stat().st_mtime_ns))
        except (EscalationError, OSError):
            continue
    ordered = sorted(found, key=lambda one: (one[0].until, one[1], one[0].name), reverse=True)
    return [report for report, _ in ordered]


def _no_report(name: str) -> InputError:
    return InputError(f"{name or 'this'}: is no report of escalation; write one with escalation report -o report.json")


def _answers(rows: list[dict[str, Any]], prefix: str, name: str) -> pd.DataFrame:
    table = pd.DataFrame({column: [row[column] for row in rows] for column in COLUMNS})
    table.index = pd.Index([f"{prefix}{row['key']}" for row in rows], name="key")
    numbers = {column: pd.to_numeric(table[column]).astype(float) for column in ("value", "lower", "upper")}
    if not all(np.isfinite(column.dropna()).all() for column in numbers.values()):
        raise _no_report(name)
    return table.assign(**numbers)
