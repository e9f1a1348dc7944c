"""What stands in the place of an answer that the data cannot carry."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from escalation.errors import FitError, InputError, WithheldError

Part = TypeVar("Part")


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
        if name.startswith("__") or name in self.__dataclass_fields__:  # what pickle and copy ask every object for
            return object.__getattribute__(self, name)
        raise _used(self)

    def __getitem__(self, key: object) -> Any:
        raise _used(self)

    def __len__(self) -> int:
        raise _used(self)

    def sentence(self) -> str:
        """Say that it is not given, and why."""
        return f"Not given: {self.part.replace('_', ' ')} ({self.reason})."

    def table(self) -> pd.DataFrame:
        """Return an empty table with the columns of answers."""
        return pd.DataFrame({name: [] for name in ("value", "lower", "upper", "unit")})

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


def try_part(part: str, work: Callable[[], Part], *, unless: str | None = None) -> Part | Withheld:
    """Return a part, or why the data cannot carry it, if that is known before or turns out on the way."""
    if unless is not None:
        return Withheld(part, unless)
    try:
        return work()
    except (FitError, InputError) as error:
        return Withheld(part, str(error))


def _used(withheld: Withheld) -> WithheldError:
    """Say that what is not given was used."""
    return WithheldError(f"{withheld.part.replace('_', ' ')} is not given: {withheld.reason}")
