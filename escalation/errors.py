"""Errors and warnings of the package: each says what, which value, where, and what to do."""

from __future__ import annotations

import sys
import warnings

LONGEST = 1_500
"""Characters of a message."""


class EscalationError(Exception):
    """Base of every error that the package raises on purpose.

    Its message is one line: what it quotes of a file may be anything, so characters that are not printable are
    escaped, and the middle of what is very long is left out.
    """

    def __init__(self, message: str) -> None:
        line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
        super().__init__(line if len(line) <= LONGEST else f"{line[: LONGEST - 300]} ... {line[-300:]}")


class InputError(EscalationError, ValueError):
    """A value, table or option that cannot be used as given."""


class WithheldError(InputError, AttributeError):
    """An answer that the data cannot carry was used as if it had been given; the message says why it was not."""


class FileError(EscalationError, OSError):
    """A file that cannot be read or written."""


class FitError(EscalationError, RuntimeError):
    """A model that cannot be fitted to these counts."""


class EscalationWarning(UserWarning):
    """Base of every warning that the package gives."""


class NotConvergedWarning(EscalationWarning):
    """A sampler or an optimiser stopped before it converged; the message says what to raise."""


class PartialPeriodWarning(EscalationWarning):
    """A period is covered only in part; the message says how to hand its exposure to a fit."""


class DataWarning(EscalationWarning):
    """Something in the data that the result depends on and that its reader should know."""


class NotKeptWarning(EscalationWarning):
    """Compiled code cannot be kept on disk, so that every process compiles anew; the message says where it could be."""


class ResampledDrawsWarning(EscalationWarning):
    """Draws were resampled the way of a public scoring program; the message says why that is wrong and what to do."""


def warn(message: str, category: type[EscalationWarning] = DataWarning) -> None:
    """Give a warning at the line that called the package, however deep within the package it is given.

    Parameters
    ----------
    message : str
        What the caller should know.
    category : type of EscalationWarning
        Its kind.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("2 rows are dated twice")
    >>> caught[0].category.__name__
    'DataWarning'
    """
    depth = 1
    while sys._getframe(depth).f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        depth += 1
    warnings.warn(message, category, stacklevel=depth + 1)
