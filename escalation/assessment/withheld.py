"""What stands in the place of an answer that the data cannot carry."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import pandas as pd

from escalation.errors import WithheldError


@dataclass(frozen=True)
class Withheld:
    """A part of an assessment that is not given, and why.

    It is false, so that ``if assessment.growth:`` asks whether growth is given; using it as if it were an answer
    raises :class:`escalation.errors.WithheldError` with the reason.

    Attributes
    ----------
    part : str
        What is not given, such as ``growth``.
    reason : str
        Why, as the end of a sentence.

    Examples
    --------
    >>> growth = Withheld("growth", "6 raids in 13 weeks, and it needs 10")
    >>> bool(growth), growth.sentence()
    (False, 'Not given: growth (6 raids in 13 weeks, and it needs 10).')
    """

    part: str
    reason: str

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what pickle, copy and IPython ask every object for
            raise AttributeError(name)
        raise WithheldError(f"{self.part.replace('_', ' ')} is not given: {self.reason}")

    def sentence(self) -> str:
        """Say that it is not given, and why."""
        return f"Not given: {self.part.replace('_', ' ')} ({self.reason})."

    def table(self) -> pd.DataFrame:
        """Return an empty table with the columns of answers."""
        return pd.DataFrame({name: [] for name in ("value", "lower", "upper", "unit")})

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"
