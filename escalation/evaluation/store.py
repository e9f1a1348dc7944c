"""Finished parts of a backtest on disk, so that it can be taken up again where it stopped."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.errors import EscalationError, FileError, InputError
from escalation.evaluation.tasks import Part
from escalation.files.disk import atomic_write, kind_of, read_whole

MANIFEST = "backtest.json"
ABOUT = "about"
"""Name of the text in a part's file."""
FORMAT = "2: each part with the hash of its content"


class Store:
    """A directory with one file a finished task and a manifest of what the backtest is.

    Parameters
    ----------
    path : str or Path
        The directory; made if it does not stand.
    manifest : dict
        What the backtest is; a store with another manifest is refused.

    Raises
    ------
    FileError
        If the directory cannot be made or read.
    InputError
        If it holds another backtest.
    """

    def __init__(self, path: str | Path, manifest: dict[str, str]) -> None:
        self.path = Path(path)
        manifest = {**manifest, "format": FORMAT}
        self._backtest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        there = check_store(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be made ({error.strerror}); name another directory") from None
        if there is not None:
            wrong = [name for name in manifest if there.get(name) != manifest[name]]
            if wrong:
                raise InputError(
                    f"{self.path}: holds a backtest with other {', '.join(wrong)}; name another directory or delete it"
                )
        else:
            with atomic_write(self.path / MANIFEST) as stream:
                json.dump(manifest, stream, indent=1)

    def _file(self, key: str) -> Path:
        return self.path / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"

    def load(self, key: str) -> Part | None:
        """Return the part of a task, or None if it is not finished.

        Raises
        ------
        FileError
            If its file cannot be read.
        InputError
            If its file is damaged, was changed after it was written, or is of another task.
        """
        file = self._file(key)
        if kind_of(file) == "nothing":
            return None
        about, scores = _read_arrays(file)
        said = about.pop("sha256", None)
        if said != _digest(about, scores) or about.pop("backtest") != self._backtest:
            raise _damaged(file, "was changed after it was written, or is of another backtest")
        part = Part(about["label"], about["origin"], about["block"], tuple(about["units"]), scores, about["failures"])
        if part.key != key:
            raise _damaged(file, "is of another part")
        return part

    def save(self, part: Part) -> None:
        """Keep a finished part; it appears whole or not at all."""
        names = ("label", "origin", "block", "units", "failures")
        about = {**{name: getattr(part, name) for name in names}, "backtest": self._backtest}
        about["sha256"] = _digest(about, part.scores)
        with atomic_write(self._file(part.key), "wb") as stream:
            held: dict[str, Any] = {ABOUT: np.array(json.dumps(about)), **part.scores}
            np.savez(stream, **held)


def check_store(path: str | Path) -> dict[str, object] | None:
    """Raise at once what :class:`Store` would raise of a directory before it knows of which backtest.

    Returns
    -------
    dict or None
        The manifest, if there is one.
    """
    path = Path(path)
    if kind_of(path) not in ("nothing", "directory"):
        raise FileError(f"{path}: is no directory; name one for the parts of the backtest")
    above = next(folder for folder in (path, *path.absolute().parents) if kind_of(folder) != "nothing")
    if kind_of(above) != "directory" or not os.access(above, os.W_OK | os.X_OK):
        raise FileError(f"{path}: cannot be made or written to; name another directory")
    return _read_manifest(path / MANIFEST) if kind_of(path / MANIFEST) != "nothing" else None


def _read_manifest(path: Path) -> dict[str, object]:
    """What the backtest of a store is."""
    try:
        found = json.loads(read_whole(path))
    except FileError:
        raise
    except ValueError:  # empty, no text, no JSON
        found = None
    if not isinstance(found, dict):
        raise _damaged(path, "is no manifest of a backtest", "it is")
    return found


def _read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """The description and the scores of a part."""
    try:
        with np.load(io.BytesIO(read_whole(path)), allow_pickle=False) as held:
            about = json.loads(str(held[ABOUT]))
            return dict(about), {name: held[name] for name in held.files if name != ABOUT}
    except FileError:
        raise
    except Exception as error:  # damaged bytes make the readers of ZIP, arrays and JSON raise nearly anything
        reason = "it is empty" if isinstance(error, EscalationError) else f"{type(error).__name__}: {error}"
        raise _damaged(path, f"cannot be read ({reason})") from None


def _digest(about: dict[str, Any], scores: dict[str, FloatArray]) -> str:
    """SHA-256 of a description and of the names, types, shapes and values of the scores."""
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(scores):
        values = scores[name]
        total.update(f"{name} {values.dtype.str} {values.shape}".encode())
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


def _damaged(path: Path, what: str, made: str = "this part is") -> InputError:
    return InputError(f"{path}: {what}; delete it and run again: {made} made anew, the finished parts are kept")
