"""The brief on a case: one record that screen, PDF, HTML, JSON and notebooks draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from escalation.assessment.answer import Answer, finite_or_none
from escalation.assessment.result import EVERYTHING, Assessment
from escalation.assessment.withheld import Withheld
from escalation.cases.answered import PARTS, SeriesAnswers
from escalation.cases.blocks import Gallery, Page, Picture
from escalation.cases.differences.moved import Moved, what_moved
from escalation.cases.differences.result import Changed
from escalation.cases.differences.saved import REPORTS, SavedReport, report_of
from escalation.cases.other_periods import OtherPeriods, find_other_periods
from escalation.cases.page_html import fragment, whole_page
from escalation.cases.pages import (
    first_page,
    flashpoint_page,
    given,
    method_lines,
    questions_lines,
    series_page,
    series_row,
    trust_page,
)
from escalation.cases.questions.scorecard import Scorecard
from escalation.cases.verdict import Statement, verdict
from escalation.conventions.version import __version__
from escalation.errors import InputError
from escalation.evaluation.decisions import ActingRecord, acting_record, acting_threshold

MAIN_PARTS = ("rate", "growth", "forecast", "flashpoints", "year", "severity")
"""What a brief answers about its main series."""


@dataclass(frozen=True, eq=False)
class Brief:
    """The answers to a case in brief, on all of its series.

    Attributes
    ----------
    main : SeriesAnswers
        The series that the verdict is on.
    others : tuple of SeriesAnswers
        The other series of the case; one that cannot be answered says why.
    cost, loss : float or None
        Cost of acting, and loss if the flashpoint comes and nobody acted, where they were given.
    questions : Scorecard, Withheld or None
        What became of the questions that were asked of the case; why that cannot be said, where their ledger is
        damaged; None where none were asked.
    since : SavedReport, Changed or None
        The report before this one, or what changed since then; None where there is none.
    """

    main: SeriesAnswers
    others: tuple[SeriesAnswers, ...] = ()
    cost: float | None = None
    loss: float | None = None
    questions: Scorecard | Withheld | None = None
    since: SavedReport | Changed | None = None

    @property
    def assessment(self) -> Assessment:
        """Every answer about the main series."""
        return given(self.main)

    @property
    def series(self) -> tuple[SeriesAnswers, ...]:
        """All series, the main one first."""
        return (self.main, *self.others)

    @property
    def title(self) -> str:
        """Title of the case, or else of the series."""
        source = self.assessment.source
        return self.main.title if source is None or source.case is None else source.case.title

    @cached_property
    def other_periods(self) -> OtherPeriods | Withheld:
        """Whether the main series rises by months, where the brief is by weeks, and by weeks where it is not."""
        return find_other_periods(self.assessment)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What could overturn the verdict, and what else its reader should keep in mind."""
        other = self.other_periods
        differs = isinstance(other, OtherPeriods) and other.differs
        unused = (f"Not in these counts: {self.main.unused}.",) if self.main.unused else ()
        return (*([other.sentence()] if differs else []), *self.assessment.cautions, *unused)

    def verdict(self) -> tuple[Statement, ...]:
        """The six sentences, each with the keys of the answers that its numbers are."""
        return verdict(self.main, self.others, len(self.cautions))

    def sentences(self) -> list[str]:
        """The sentences of the verdict."""
        return [one.text for one in self.verdict()]

    @cached_property
    def acting(self) -> ActingRecord | Withheld:
        """What acting on past forecasts would have cost, where cost and loss are given."""
        if self.cost is None or self.loss is None:
            return Withheld("acting", "no cost and loss were given")
        record, points = self.assessment.record, self.assessment.flashpoints
        if isinstance(record, Withheld) or isinstance(points, Withheld):
            return Withheld("acting", "no past forecasts of this series were scored")
        try:
            events = record.events(points[0].at_least)
            own = events[events["model"] == self.assessment.options.model]
            return acting_record(own, self.cost, self.loss)
        except InputError as error:
            return Withheld("acting", str(error))

    def acting_sentence(self) -> str:
        """Say from which probability on acting pays, and what it would have paid; empty where nobody asked."""
        if self.cost is None or self.loss is None:
            return ""
        if not isinstance(self.acting, Withheld):
            return self.acting.sentence()
        return (
            f"Acting pays from a probability of {acting_threshold(self.cost, self.loss):.2g} on. What acting on past "
            f"forecasts would have cost is not known: {self.acting.reason}."
        )

    @cached_property
    def changed(self) -> Changed | Moved | None:
        """What changed since the report before this one; None where there is none."""
        if isinstance(self.since, SavedReport):
            return what_moved(self.since, report_of(self.content()))
        return self.since

    def opening(self) -> list[str]:
        """What changed since the report before this one, with which the brief opens; nothing where there is none."""
        return [] if self.changed is None else self.changed.opening()

    def questions_lines(self) -> list[str]:
        """What became of the questions asked of the case, and the head of their ledger; nothing where none were."""
        return questions_lines(self.questions)

    def parts(self) -> tuple[str, ...]:
        """Parts of the assessment of the main series that the brief speaks of."""
        source = self.assessment.source
        named = source is not None and source.case is not None and source.case.action is not None
        followed = self.assessment.sides is not None
        return (*MAIN_PARTS, *(["excitation"] if followed else []), *(["effect"] if named else []))

    def answer_list(self) -> list[Answer]:
        """The answers about the main series, by other periods too, and the probability of an event in the others."""
        answers = self.assessment.answer_list(*self.parts())
        answers += self.other_periods.answers() if isinstance(self.other_periods, OtherPeriods) else []
        return answers + [_event(one) for one in self.series if one.rare is not None]

    def table(self) -> pd.DataFrame:
        """Every series in a row: ``to``, ``now``, ``before``, ``rising``, ``next`` and ``observed``, as text."""
        columns = ["series", "to", "now", "before", "rising", "next", "observed"]
        return pd.DataFrame([series_row(one) for one in self.series], columns=columns).set_index("series")

    def pages(self) -> list[Page]:
        """What the brief shows, page by page, for whoever draws it."""
        pages = [
            first_page(self.title, self.main, self.opening(), self.verdict(), self.cautions),
            series_page(self.series),
        ]
        pages.append(flashpoint_page(self.main, self.others))
        other = self.other_periods
        same = other.sentence() if isinstance(other, OtherPeriods) and not other.differs else ""
        said, method = (same, self.acting_sentence(), self.questions_lines()), method_lines(self.main)
        pages.append(trust_page(self.main, self.others, self.cautions, *said, method))
        return pages

    def pictures(self) -> list[Picture]:
        """Every chart of it."""
        blocks = [block for page in self.pages() for block in page.blocks]
        return [
            picture
            for block in blocks
            for picture in (block.pictures if isinstance(block, Gallery) else [block])
            if isinstance(picture, Picture)
        ]

    def origin(self) -> str:
        """Where it comes from, in a line."""
        origin = self.assessment.provenance()
        return f"Source: {origin['name']}, SHA-256 {origin['sha256'][:16]}"

    def foot(self) -> str:
        """Where it comes from and what made it, in a line."""
        return f"{self.origin()}; escalation {__version__}"

    def to_html(self) -> str:
        """The brief as one HTML page that needs nothing from elsewhere, the numbers of each chart as a table in it."""
        return whole_page(self.title, self.pages(), self.foot())

    def to_json(self, *, full: bool = False) -> str:
        """The brief as JSON.

        Parameters
        ----------
        full : bool
            Whether all answers about the main series are in it, or those of the brief alone.

        Returns
        -------
        str
            The object of :meth:`escalation.Assessment.to_json` about the main series, and under ``brief`` an object
            with ``title``, ``verdict`` (``key``, ``text``, ``answers``), ``acting`` and ``series``: for each its
            ``name``, ``title``, ``unit``, ``counted_by``, ``to``, ``observed``, ``answers`` and ``why`` there are none;
            ``other_periods`` has the numbers of the comparison with months or weeks, and whether it ``differs``;
            where there was a report before, ``changed`` has what moved since;
            where questions were asked of the case, ``questions`` with the ``head`` of their ledger, or ``why`` not.
        """
        content = self.content(full=full)
        if self.changed is not None:
            content["brief"]["changed"] = self.changed.to_dict()
        return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"

    def kept_beside(self, path: Path) -> Path | None:
        """The JSON file written beside a report of a case in the folder that keeps them; none for other files.

        Parameters
        ----------
        path : Path
            File of the report.
        """
        source = self.assessment.source
        if source is None or source.case is None or path.suffix.lower() == ".json":
            return None
        kept = (source.case.folder / REPORTS).resolve()
        return path.with_suffix(".json") if path.absolute().parent.resolve() == kept else None

    def content(self, *, full: bool = False) -> dict[str, Any]:
        """What JSON has of the case, without what changed since the report before."""
        content: dict[str, Any] = json.loads(self.assessment.to_json(*(EVERYTHING if full else self.parts())))
        content["brief"] = {
            "title": self.title,
            "verdict": [asdict(one) for one in self.verdict()],
            "acting": self.acting_sentence(),
            "other_periods": self._other_json(),
            "series": [_series_json(one) for one in self.series],
        }
        if self.questions is not None:
            asked = self.questions
            content["brief"]["questions"] = {"why": asked.reason} if isinstance(asked, Withheld) else asked.to_dict()
        content["cautions"] = list(self.cautions)
        return content

    def _other_json(self) -> dict[str, object]:
        other = self.other_periods
        if isinstance(other, Withheld):
            return {"why": other.reason}
        answers = [_answer_json(one) for one in other.answers()]
        return {"differs": other.differs, "text": other.sentence(), "answers": answers}

    def _repr_html_(self) -> str:
        return fragment(self.title, self.pages(), self.foot())


def _event(one: SeriesAnswers) -> Answer:
    assert one.rare is not None
    last = one.rare.probability.iloc[-1]
    question = f"{one.title}: one of {one.rare.at_least:,} or more by {one.rare.probability.index[-1]}"
    value, lower, upper = (float(last[name]) for name in ("probability", "lower", "upper"))
    return Answer(f"event_{one.name}", question, value, lower, upper)


def _series_json(one: SeriesAnswers) -> dict[str, object]:
    found = one.assessment
    answers: Sequence[Answer] = [] if isinstance(found, Withheld) else found.answer_list(*PARTS)
    answers = [*answers, *([_event(one)] if one.rare is not None else [])]
    return {
        "name": one.name,
        "title": one.title,
        "unit": one.unit,
        "counted_by": one.counted_by(),
        "to": one.until(),
        "observed": None if np.isnan(one.observed()) else one.observed(),
        "answers": [_answer_json(answer) for answer in answers],
        "cautions": [] if isinstance(found, Withheld) else list(found.cautions),
        **({} if isinstance(found, Withheld) else {"behind": found.behind()}),
        "why": one.why_not(),
    }


def _answer_json(answer: Answer) -> dict[str, object]:
    return {
        "key": answer.key,
        "question": answer.question,
        **{name: finite_or_none(getattr(answer, name)) for name in ("value", "lower", "upper")},
        "unit": answer.unit,
        "text": answer.text(),
    }
