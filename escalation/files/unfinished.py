"""Files that are being written beside their places, so that whoever ends the process can take them away."""

from __future__ import annotations

import os

_NAMES: set[str] = set()  # of the process, as its files are


def enter(name: str) -> None:
    """Note the name of a file before it is made."""
    _NAMES.add(name)


def leave(name: str) -> None:
    """Take the file away, if it still has this name, and forget it."""
    try:
        os.unlink(name)  # noqa: PTH108  # pathlib is not there yet in the first moments of a command
    except OSError:
        pass
    finally:
        _NAMES.discard(name)


def leave_all() -> None:
    """Take away all that is not finished: the process ends."""
    for name in list(_NAMES):
        leave(name)
