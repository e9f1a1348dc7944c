"""What moved between two reports, by cause, and how it is said."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation.assessment.answer import Answer, figure
from escalation.assessment.result import Assessment
from escalation.cases.differences.states import LATE, NEW, REVISED, TIME
from escalation.conventions.notebook import table_html

SETTINGS = "settings"
"""The last step: model, random numbers and first day."""
WORDS = {
    NEW: "new events",
    LATE: "late reports of earlier days",
    REVISED: "revised reports",
    TIME: "time that passed",
    SETTINGS: "model and random numbers",
}
"""Causes in words."""
ROWS = {
    "new": "of later days",
    "total of both": "of earlier and later days together",
    "late": "of earlier days",
    "withdrawn": "withdrawn",
    "revised, is": "revised",
}
"""What the rows of each cause are, in words."""
HEADLINE = ("count_recent", "rate_now", "probability_higher", "total_ahead", "flashpoint")
"""Answers whose moves are said in sentences."""
OPENING = ("rate_now", "probability_higher", "flashpoint")
"""Those of them with which the next report opens."""
LEAST = 0.05
"""Shares of less than this part of the largest are not said."""


@dataclass(frozen=True, eq=False)
class Changed:
    """Each answer of two reports, and how its move is divided among causes.

    Attributes
    ----------
    old, new : Assessment
        The two reports on the series.
    causes : tuple of str
        Causes that are present: some of ``revised``, ``late``, ``time`` and ``events``.
    shares : pandas.DataFrame
        Indexed by the ``key`` of the answer; one column a cause, in the unit of the answer, and ``settings``; a row
        sums to the move. NaN where an answer is not given on the way.
    answers : pandas.DataFrame
        Indexed by ``key``: ``old`` and ``new``.
    rows : pandas.DataFrame
        Rows in which the tables differ, each with its ``cause``.
    asked : int
        Sets of causes that were answered.
    """

    old: Assessment
    new: Assessment
    causes: tuple[str, ...]
    shares: pd.DataFrame = field(repr=False)
    answers: pd.DataFrame = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    asked: int

    @property
    def questions(self) -> dict[str, Answer]:
        """The answers of the new report, or of the old one where the new one has none, by key."""
        known = {one.key: one for report in (self.new, self.old) for one in reversed(report.answer_list())}
        return {key: known[key] for key in self.answers.index if key in known}

    def table(self) -> pd.DataFrame:
        """Old, new and the share of each cause, indexed by ``key``, after the ``question`` and before the ``unit``."""
        asked = self.questions
        questions = {key: one.question for key, one in asked.items()}
        units = {key: one.unit for key, one in asked.items()}
        table = self.answers.assign(move=self.answers["new"] - self.answers["old"]).join(self.shares)
        table.insert(0, "question", table.index.map(questions))
        return table.assign(unit=table.index.map(units))

    def sentences(self) -> list[str]:
        """Say which causes are present, by how much each headline answer moved, and what carried it."""
        return [self._causes(), *(self._moved(key) for key in HEADLINE if key in self.answers.index)]

    def sentence(self) -> str:
        """Say which causes are present."""
        return self._causes()

    def opening(self) -> list[str]:
        """The few of these sentences with which the next report opens."""
        day = self.old.series.observed_until.date()
        if not self.causes:
            return [f"Nothing changed since the report to {day} in what it rests on."]
        came = f"Since the report to {day} came: {', '.join(WORDS[name] for name in self.causes)}."
        return [came, *(self._moved(key) for key in OPENING if key in self.answers.index)]

    def to_dict(self) -> dict[str, object]:
        """What changed as JSON has it."""
        return {
            "since": str(self.old.series.observed_until.date()),
            "divided": True,
            "causes": list(self.causes),
            "sentences": self.sentences(),
            "answers": records(self.table()),
        }

    def _causes(self) -> str:
        days = [one.series.observed_until.date() for one in (self.old, self.new)]
        if not self.causes:
            return f"Nothing changed in what the reports to {days[0]} and to {days[1]} rest on."
        counts = self.rows["cause"].value_counts()
        said = ", ".join(f"{counts[cause]:,} {words}" for cause, words in ROWS.items() if cause in counts)
        present = ", ".join(WORDS[name] for name in self.causes)
        rows = f"; rows that differ: {said}" if said else ""
        return f"Between the reports to {days[0]} and to {days[1]} came: {present}{rows}."

    def _moved(self, key: str) -> str:
        asked = self.questions[key]
        shares = dict(zip(map(str, self.shares), self.shares.loc[[key]].to_numpy(dtype=float)[0], strict=True))
        before, now = self.answers.loc[[key], ["old", "new"]].to_numpy(dtype=float)[0].tolist()
        name = f"{asked.question[:1].upper()}{asked.question[1:]}"
        if np.isnan(before) or np.isnan(now):
            which = "old" if np.isnan(before) else "new"
            return f"{name}: not given in the {which} report."
        unit = asked.unit_text()
        text = f"{name}: {figure(before, asked.unit)} before, {figure(now, asked.unit)} now"
        text = f"{text} {unit}".rstrip()
        if np.isnan(list(shares.values())).any():
            return f"{text}; it cannot be divided, because it is not given where only some of the causes have come."
        largest = max(map(abs, shares.values()))
        parts = [
            f"{value:+.2g} from {WORDS[cause]}"
            for cause, value in sorted(shares.items(), key=lambda one: -abs(one[1]))
            if largest > 0 and abs(value) >= LEAST * largest
        ]
        return f"{text}: {', '.join(parts)}." if parts else f"{text}."

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return said + table_html(self.table().round(3))


def records(table: pd.DataFrame) -> list[dict[str, object]]:
    """The rows of a table with its index, as JSON has them: numbers that do not exist are null."""
    return [
        {str(name): None if isinstance(cell, float) and not np.isfinite(cell) else cell for name, cell in row.items()}
        for row in table.reset_index().to_dict("records")
    ]
