"""Matplotlib as it is set up on this machine: found out before anything is computed that shall be drawn."""

from __future__ import annotations

import logging

from escalation.errors import InputError, NotKeptWarning, warn


def check_matplotlib() -> None:
    """Load matplotlib.

    Raises
    ------
    InputError
        If it cannot be loaded as it is set up, such as with an unknown backend in ``MPLBACKEND``.

    Warns
    -----
    NotKeptWarning
        If it has no folder for its list of fonts, which is then made anew each time.
    """
    said = _Messages()
    logger = logging.getLogger("matplotlib")
    logger.addHandler(said)
    try:
        import matplotlib.font_manager  # noqa: F401
    except ValueError as error:
        raise InputError(
            f"matplotlib cannot be loaded ({str(error)[:80]} ...); unset MPLBACKEND, or name a backend such as agg"
        ) from None
    finally:
        logger.removeHandler(said)
    if any("MPLCONFIGDIR" in text for text in said.texts):
        warn(
            "matplotlib has no folder for its list of fonts, so each report takes seconds more; set MPLCONFIGDIR to a "
            "folder that can be written",
            NotKeptWarning,
        )


class _Messages(logging.Handler):
    """Messages of a library, kept instead of shown."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.texts.append(record.getMessage())
