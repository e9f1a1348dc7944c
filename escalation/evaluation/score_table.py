"""The scores of a backtest as a CSV file with a hash, and back."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import pandas as pd

from escalation.errors import FileError, InputError, warn
from escalation.files.disk import atomic_write, kind_of, read_whole

MARK = re.compile(r"# escalation backtest, (?P<freq>[A-Z-]+)(?:, sha256 (?P<sha256>[0-9a-f]{64}))?")
"""The first line of a file."""
NAMES = ["model", "unit", "origin", "period"]


def write_scores(path: str | Path, scores: pd.DataFrame) -> None:
    """Write scores as CSV, whole or not at all, after a line with the periods and the SHA-256 of the table."""
    table = scores.assign(origin=scores["origin"].map(_first_day), period=scores["period"].map(_first_day))
    text = table.to_csv(index=False, float_format="%.8g", lineterminator="\n")
    with atomic_write(path) as stream:
        stream.write(f"# escalation backtest, {scores['period'].iloc[0].freqstr}, sha256 {_digest(text)}\n{text}")


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read what :func:`write_scores` wrote, now or, with a warning, in a version that wrote no hash.

    Raises
    ------
    FileError
        If there is no such file.
    InputError
        If it is another one, or was changed after it was written.
    """
    if kind_of(Path(path)) == "nothing":
        raise FileError(f"{path}: no such file; name a backtest that was saved")
    try:
        text = read_whole(Path(path)).decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no backtest that was saved; it is no text in UTF-8") from None
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    mark = MARK.fullmatch(first)
    if mark is None:
        raise InputError(f"{path}: is no backtest that was saved; its first line must say so")
    if mark["sha256"] is None:
        warn(f"{path}: has no hash, so nothing shows whether it was changed; load it and save it again for one")
    elif mark["sha256"] != _digest(rest):
        raise InputError(f"{path}: was changed after it was written, so its scores are not what was found")
    try:
        return _table(rest, mark["freq"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: holds no scores of a backtest ({error}); name a backtest that was saved") from None


def _table(text: str, freq: str) -> pd.DataFrame:
    """Scores with periods and categories."""
    table = pd.read_csv(io.StringIO(text), dtype=dict.fromkeys(NAMES, str))
    for name in ("origin", "period"):
        table[name] = pd.PeriodIndex(pd.to_datetime(table[name], format="%Y-%m-%d"), freq=freq)
    for name in ("model", "unit"):
        table[name] = pd.Categorical(table[name], categories=list(dict.fromkeys(table[name])))
    return table


def _first_day(period: pd.Period) -> str:
    return f"{period.start_time:%Y-%m-%d}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
