"""One answer: a stable key, a question, a value with its interval, unit and text; and many as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.assessment.withheld import Part, Withheld
from escalation.conventions.wording import number, percent, plain, probability_text, share

PROBABILITY, SHARE = "probability", "share"
RATES = (" per day", " per week", " per month", " per year")
"""How units of rates end."""


class Answer(NamedTuple):
    """One number that answers one question.

    Attributes
    ----------
    key : str
        What the number is called everywhere, such as ``rate_now``.
    question : str
        The same in words, with its window or threshold.
    value, lower, upper : float
        The number and its interval; NaN where there is none. The interval of a flashpoint's probability is that of its
        Monte Carlo error.
    unit : str
        ``probability``, ``share`` or ``share per week`` (0.05 is 5% a week), or what is counted.
    mc_error : float
        Monte Carlo standard error of the value; NaN where it has none.
    why : str
        Why there is no value; empty where there is one.
    """

    key: str
    question: str
    value: float
    lower: float = np.nan
    upper: float = np.nan
    unit: str = PROBABILITY
    mc_error: float = np.nan
    why: str = ""

    def value_text(self) -> str:
        """Write the value."""
        return "not given" if self.why else figure(self.value, self.unit)

    def span_text(self) -> str:
        """Write the interval, or the Monte Carlo error where that is all there is."""
        if not np.isnan(self.mc_error):
            return f"± {self.mc_error:.2g}"
        if np.isnan(self.lower) or np.isnan(self.upper) or self.lower == self.upper:
            return ""
        return f"{figure(self.lower, self.unit)} to {figure(self.upper, self.unit)}"

    def unit_text(self) -> str:
        """Write the unit, where the value does not bring it."""
        return "" if self.unit in (PROBABILITY, SHARE) else self.unit.removeprefix("share ")

    def text(self) -> str:
        """Write value, interval and unit in one."""
        if self.why:
            return f"not given: {self.why}"
        span = self.span_text()
        between = f" {span}" if span.startswith("±") else f" ({span})" if span else ""
        return f"{self.value_text()}{between} {self.unit_text()}".rstrip()


def figure(value: float, unit: str) -> str:
    """Write a number of this unit."""
    if np.isnan(value):
        return ""
    if unit == PROBABILITY:
        return probability_text(value)
    if unit == SHARE:
        return share(value)
    if unit.startswith("share per"):
        return percent(value)
    return plain(value) if unit == "times" or unit.endswith(RATES) else number(value)


def answer_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """Put answers into a table indexed by ``key``, with question, value, interval, unit and text."""
    rows = [(one.key, one.question, one.value, one.lower, one.upper, one.unit, one.text()) for one in answers]
    columns = ["key", "question", "value", "lower", "upper", "unit", "text"]
    frame = pd.DataFrame(rows, columns=columns).set_index("key")
    return frame.astype(dict.fromkeys(("value", "lower", "upper"), float))


def answer_from(
    part: Part | Withheld, key: str, question: str, unit: str, read: Callable[[Part], Sequence[float]]
) -> Answer:
    """The answer that is read from a part, as its value or value, lower and upper limit, or why there is none."""
    if isinstance(part, Withheld):
        return Answer(key, question, np.nan, unit=unit, why=part.reason)
    value, lower, upper = (*read(part), np.nan, np.nan)[:3]
    return Answer(key, question, value, lower, upper, unit)


def not_given(part: Withheld, *asked: tuple[str, str, str]) -> Iterator[Answer]:
    """Answers, by key, question and unit, in whose place stands why they are not given."""
    for key, question, unit in asked:
        yield Answer(key, question, np.nan, unit=unit, why=part.reason)


def keys_of(names: Iterable[str]) -> list[str]:
    """Return names as parts of keys, no two alike.

    Examples
    --------
    >>> keys_of(["Remote violence", "remote-violence", "?"])
    ['remote_violence', 'remote_violence_2', 'other']
    """
    keys: list[str] = []
    for name in names:
        short = re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "other"
        tried = chain([short], (f"{short}_{number}" for number in count(2)))
        keys.append(next(key for key in tried if key not in keys))
    return keys


def finite_or_none(value: object) -> object:
    """Return what JSON can hold: None in place of a number that is not given.

    Examples
    --------
    >>> finite_or_none(float("nan")), finite_or_none(2.0), finite_or_none("text")
    (None, 2.0, 'text')
    """
    return None if isinstance(value, float) and not np.isfinite(value) else value
