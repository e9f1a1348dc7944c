"""A process that runs one command: what ends it from outside is answered at once, in one line, and nothing is left."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from escalation import cli
from escalation.files import unfinished

WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}
"""Signals that end a command, and what is said then."""


def run() -> int:
    """Run the command that the process was started for.

    Returns
    -------
    int
        As :func:`escalation.cli.main`; a signal ends the process with 128 and its number, 130 for Ctrl-C.
    """
    for name in WORDS:
        number = getattr(signal, name, None)  # Windows has fewer
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup and & ignore some
            signal.signal(number, _end)
    _open_closed_streams()
    return cli.main()  # which loads what it needs only now


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """End the process here and now: an exception would have to pass through libraries that swallow or change it."""
    unfinished.leave_all()
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\r\x1b[2K\x1b[?25h")  # the bar goes, the cursor comes back
        os.write(2, f"{WORDS[signal.Signals(number).name]}\n".encode())
    os._exit(128 + number)


def _open_closed_streams() -> None:
    """Put nothing in the place of standard streams that are closed, or the next file opened would be taken for one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
