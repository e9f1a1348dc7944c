"""Finished parts of a backtest on disk, so that it can be taken up again where it stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from escalation.errors import FileError, InputError
from escalation.evaluation.tasks import Part
from escalation.files.disk import atomic_write, kind_of

MANIFEST = "backtest.json"
ABOUT = "about"
"""Name of the text in a part's file."""


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
        if kind_of(self.path) not in ("nothing", "directory"):
            raise FileError(f"{self.path}: is no directory; name one for the parts of the backtest")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be made ({error.strerror}); name another directory") from None
        stands = self.path / MANIFEST
        if stands.exists():
            there = json.loads(stands.read_text(encoding="utf-8"))
            wrong = [name for name in manifest if there.get(name) != manifest[name]]
            if wrong:
                raise InputError(
                    f"{self.path}: holds a backtest with other {', '.join(wrong)}; name another directory or delete it"
                )
        else:
            with atomic_write(stands) as stream:
                json.dump(manifest, stream, indent=1)

    def _file(self, key: str) -> Path:
        return self.path / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"

    def load(self, key: str) -> Part | None:
        """Return the part of a task, or None if it is not finished."""
        file = self._file(key)
        if not file.exists():
            return None
        with np.load(file, allow_pickle=False) as held:
            about = json.loads(str(held[ABOUT]))
            scores = {name: held[name] for name in held.files if name != ABOUT}
        return Part(about["label"], about["origin"], about["block"], tuple(about["units"]), scores, about["failures"])

    def save(self, part: Part) -> None:
        """Keep a finished part; it appears whole or not at all."""
        names = ("label", "origin", "block", "units", "failures")
        about = {name: getattr(part, name) for name in names}
        with atomic_write(self._file(part.key), "wb") as stream:
            held: dict[str, Any] = {ABOUT: np.array(json.dumps(about)), **part.scores}
            np.savez(stream, **held)
