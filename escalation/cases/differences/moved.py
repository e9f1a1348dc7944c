"""What moved between two saved reports, which hold no tables: each answer, by how much, and no cause."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.assessment.answer import PROBABILITY, SHARE, figure
from escalation.cases.differences.result import HEADLINE, OPENING, records
from escalation.cases.differences.saved import SavedReport, read_saved
from escalation.conventions.notebook import table_html
from escalation.errors import InputError

DATED = re.compile(r"(,| by| to| in| on)? \d{4}-\d{2}-\d{2}")
"""The days in a question, which move with the report."""
SHOWN = 3
"""Settings that differ, or questions that are others, which a sentence names."""


@dataclass(frozen=True, eq=False)
class Moved:
    """Each answer of two saved reports on one series.

    Reports hold answers and no tables, so that no move is divided among causes here; :func:`what_changed` does that
    from a case at two days.

    Attributes
    ----------
    old, new : SavedReport
        The two reports.
    """

    old: SavedReport
    new: SavedReport

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Answers that both reports give to the same question, whatever its days, indexed by the key of the new one."""
        old, new = self.old.answers, self.new.answers
        asked = {question: key for key, question in _asked(self.old).items()}
        pairs = [(key, asked[question]) for key, question in _asked(self.new).items() if question in asked]
        keys, before = [key for key, _ in pairs], [key for _, key in pairs]
        index = pd.Index(keys, name="key")
        columns = {"question": new.loc[keys, "question"].to_numpy()}
        for name, table, rows in (("old", old, before), ("new", new, keys)):
            for column, kind in ((name, "value"), (f"{name}_lower", "lower"), (f"{name}_upper", "upper")):
                columns[column] = table.loc[rows, kind].to_numpy(dtype=float)
        made = pd.DataFrame(columns, index=index)
        return made.assign(move=made["new"] - made["old"], unit=new.loc[keys, "unit"].to_numpy())

    @cached_property
    def not_compared(self) -> tuple[str, ...]:
        """Questions that only one of the reports answers."""
        both = ((self.old, self.new, "old"), (self.new, self.old, "new"))
        return tuple(
            f"{question} ({which})"
            for one, other, which in both
            for question, asked in zip(map(str, one.answers["question"]), _asked(one).values(), strict=True)
            if asked not in _asked(other).values()
        )

    @cached_property
    def settings(self) -> dict[str, tuple[object, object]]:
        """Settings in which the reports differ: each as it was and as it is."""
        names = dict.fromkeys([*self.old.settings, *self.new.settings])
        pairs = {name: (self.old.settings.get(name), self.new.settings.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def table(self) -> pd.DataFrame:
        """Question, old and new value with their limits, ``move`` and ``unit``, indexed by ``key``."""
        return self.answers.copy()

    def sentence(self) -> str:
        """Say which reports these are, and what they rest on."""
        old, new = self.old, self.new
        names = f"{old.called()}, to {old.until}, and {new.called()}, to {new.until}"
        if old.same_data(new):
            return f"The reports {names}, rest on the same data."
        return f"The reports {names}, rest on different data."

    def sentences(self) -> list[str]:
        """Say by how much each headline answer moved, what is not compared, and why no cause is named."""
        said = [self.sentence(), *(self._moved(key) for key in HEADLINE if key in self.answers.index)]
        return [*said, *self._limits()]

    def opening(self) -> list[str]:
        """The few of these sentences with which the next report opens."""
        if self.old.same_data(self.new) and not self.settings:
            return [f"Nothing changed since the report to {self.old.until}: it rests on the same data."]
        moves = [self._short(key) for key in OPENING if key in self.answers.index]
        moves = [one for one in moves if one]
        if not moves:
            return [f"No answer can be set against the report to {self.old.until}."]
        others = "; ".join(moves[1:])
        more = [f"{others[:1].upper()}{others[1:]}."] if others else []
        return [f"Since the report to {self.old.until}: {moves[0]}.", *more, *self._settings(), self._causes()]

    def to_dict(self) -> dict[str, object]:
        """What moved as JSON has it."""
        return {
            "since": self.old.until,
            "report": self.old.called(),
            "divided": False,
            "sentences": self.sentences(),
            "answers": records(self.table()),
            "not_compared": list(self.not_compared),
        }

    def _row(self, key: str) -> tuple[str, str, dict[str, float]]:
        row = self.answers.loc[[key]].to_dict("records")[0]
        numbers = {str(name): float(cell) for name, cell in row.items() if name not in ("question", "unit")}
        return str(row["question"]), str(row["unit"]), numbers

    def _moved(self, key: str) -> str:
        question, unit, row = self._row(key)
        name = f"{question[:1].upper()}{question[1:]}"
        if np.isnan(row["old"]) or np.isnan(row["new"]):
            which = {(True, False): "the old report", (False, True): "the new report"}
            where = which.get((bool(np.isnan(row["old"])), bool(np.isnan(row["new"]))), "both reports")
            return f"{name}: not given in {where}."
        text = f"{name}: {_spanned(row, 'old', unit)} before, {_spanned(row, 'new', unit)} now {_words(unit)}".rstrip()
        return f"{text}, a move of {_signed(row['move'], unit)}{self._overlap(row, unit)}."

    def _overlap(self, row: dict[str, float], unit: str) -> str:
        limits = [row[name] for name in ("old_lower", "old_upper", "new_lower", "new_upper")]
        if unit == PROBABILITY or np.isnan(limits).any() or limits[0] == limits[1] or limits[2] == limits[3]:
            return ""
        apart = limits[0] > limits[3] or limits[2] > limits[1]
        return "; the intervals lie apart" if apart else "; the intervals overlap"

    def _short(self, key: str) -> str:
        question, unit, row = self._row(key)
        if np.isnan(row["old"]) or np.isnan(row["new"]):
            return ""
        now, before = figure(row["new"], unit), figure(row["old"], unit)
        if now == before:
            return f"{question} {now} {_words(unit)}, as before".replace(" ,", ",")
        return f"{question} {now} {_words(unit)}".rstrip() + f" (before {before})"

    def _settings(self) -> Iterator[str]:
        if not self.settings:
            return
        names = list(self.settings)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        said = ", ".join(f"{name} ({self.settings[name][0]}, now {self.settings[name][1]})" for name in names[:SHOWN])
        yield f"A part of that may be settings that differ: {said}{more}."

    def _causes(self) -> str:
        if self.old.same_data(self.new):
            return "The data are the same, so that settings and random numbers alone moved it."
        return "The command escalation diff says which cause moved what."

    def _limits(self) -> Iterator[str]:
        yield from self._settings()
        others = self.not_compared
        if others:
            more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
            yield f"Only one of them answers, so that it is not compared: {', '.join(others[:SHOWN])}{more}."
        if self.old.same_data(self.new):
            yield self._causes()
            return
        yield (
            "Reports hold answers and no tables, so that no move is divided here among new events, late and revised "
            f"reports, and time. Its tables are needed for that: escalation diff {self.new.source} --since "
            f"{self.old.until} --as-of {self.new.until}."
        )

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return said + table_html(self.table().round(3))


def what_moved(old: SavedReport | str | Path, new: SavedReport | str | Path) -> Moved:
    """Compare two reports on one series that were saved as JSON.

    Parameters
    ----------
    old, new : SavedReport, str or Path
        The earlier and the later report.

    Returns
    -------
    Moved

    Raises
    ------
    FileError
        If a file cannot be read.
    InputError
        If one is no report, they are about different series, or the new one ends before the old one.

    See Also
    --------
    what_changed : divides each move among its causes, from the tables.

    Examples
    --------
    >>> import tempfile, pandas as pd, escalation
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([2, 0, 1] * 8 + [4, 6, 5] * 2, index=weeks, name="raids")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [escalation.write_report(counts[:last], f"{folder}/{last}.json", rng=1) for last in (24, 30)]
    ...     found = what_moved(*files)
    >>> found.table().loc["count_recent", ["old", "new", "move"]].tolist()
    [4.0, 20.0, 16.0]
    """
    before, after = (one if isinstance(one, SavedReport) else read_saved(one) for one in (old, new))
    if not before.same_series(after):
        raise InputError(
            f"{before.called()} is about {_named(before)}, {after.called()} about {_named(after)}; compare two reports "
            "on one series"
        )
    if after.until < before.until:
        raise InputError(f"{after.called()} ends on {after.until}, {before.called()} on {before.until}; swap them")
    return Moved(before, after)


def _named(report: SavedReport) -> str:
    return ", ".join(filter(None, [report.series, *report.about.values()]))


def _asked(report: SavedReport) -> dict[str, tuple[object, ...]]:
    """What makes two questions the same, by key: of a flashpoint its threshold, and how far ahead it may fall."""
    made: dict[str, tuple[object, ...]] = {}
    for key, question in report.answers["question"].items():
        prefix, _, name = str(key).rpartition("/")
        words = DATED.sub("", str(question))
        threshold = name.startswith("flashpoint") and name != "flashpoint_year"
        made[str(key)] = (prefix, "flashpoint", words, report.settings.get("within")) if threshold else (key, words)
    return made


def _words(unit: str) -> str:
    return "" if unit in (PROBABILITY, SHARE) else unit.removeprefix("share ")


def _spanned(row: dict[str, float], name: str, unit: str) -> str:
    lower, upper = row[f"{name}_lower"], row[f"{name}_upper"]
    value = figure(row[name], unit)
    if unit == PROBABILITY or np.isnan(lower) or np.isnan(upper) or lower == upper:
        return value
    return f"{value} ({figure(lower, unit)} to {figure(upper, unit)})"


def _signed(value: float, unit: str) -> str:
    text = figure(abs(value), unit).lstrip("+") if unit != PROBABILITY else f"{abs(value):.2g}"
    return f"{'-' if value < 0 else '+'}{text}"
