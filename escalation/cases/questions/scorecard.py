"""The scorecard: how good the probabilities of a case's questions were."""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.assessment.answer import PROBABILITY, SHARE, Answer, finite_or_none
from escalation.assessment.source import Source
from escalation.cases.questions.ledger import LIMITS, QuestionLedger, ledger_path, read_ledger
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.evaluation.comparison import ENOUGH, resample_differences
from escalation.forecasts.proportions import wilson_interval
from escalation.scores.brier import bin_means, bin_places

LEVEL = 0.9
"""Probability of the intervals."""
BINS = 5
"""Bins of probability in which they are set against what came."""
RESAMPLES = 2_000
SKILL = "skill"
"""Unit of a skill: 1 where nothing is left to improve, 0 at the base rate."""


@dataclass(frozen=True, eq=False)
class Skill:
    """Brier scores of questions against those of their base rates.

    Attributes
    ----------
    questions : int
        Questions that were answered YES or NO and have a base rate.
    brier, base : float
        Mean Brier scores of the probabilities and of the base rates.
    skill : float
        ``1 - brier / base``; above 0 where the probabilities were better.
    lower, upper : float or None
        90% interval of the skill, by a bootstrap of the days on which they were asked, in blocks, and of the series;
        None where there are fewer than eight of both.
    """

    questions: int
    brier: float
    base: float
    skill: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, eq=False)
class Scorecard:
    """What came of the questions of a case, and how good their probabilities were.

    Attributes
    ----------
    ledger : QuestionLedger
        The questions and what was answered.
    """

    ledger: QuestionLedger

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Every question in a row, indexed by its number.

        Columns ``question``, ``about``, ``as_of``, ``last``, ``asked`` (before, during or after its window),
        ``probability``, ``base_rate`` (NaN where there is none), ``outcome``, ``came`` (1, 0, or NaN) and ``missing``.
        """
        rows = []
        for one in self.ledger.questions:
            found = self.ledger.answers.get(one.number)
            outcome = "OPEN" if found is None else found.outcome
            rows.append(
                {
                    "number": one.number,
                    "question": one.text(),
                    "about": one.about(),
                    "as_of": one.as_of.isoformat(),
                    "last": one.last.isoformat(),
                    "asked": one.timing,
                    "probability": one.probability,
                    "base_rate": np.nan if one.base_rate is None else one.base_rate,
                    "outcome": outcome,
                    "came": {"YES": 1.0, "NO": 0.0}.get(outcome, np.nan),
                    "missing": "" if found is None else found.missing,
                }
            )
        columns = ["question", "about", "as_of", "last", "asked", "probability", "base_rate", "outcome", "came"]
        frame = pd.DataFrame(rows, columns=["number", *columns, "missing"]).set_index("number")
        return frame.astype(dict.fromkeys(("probability", "base_rate", "came"), float))

    @cached_property
    def scored(self) -> pd.DataFrame:
        """The questions that were answered YES or NO."""
        return self.outcomes[self.outcomes["came"].notna()]

    @property
    def numbers(self) -> dict[str, int]:
        """How many questions are YES, NO, OPEN and VOID."""
        there = Counter(self.outcomes["outcome"])
        return {outcome: there[outcome] for outcome in ("YES", "NO", "OPEN", "VOID")}

    @property
    def void_share(self) -> float:
        """Share of the questions that are closed, YES, NO or VOID, that are void; NaN where none is."""
        numbers = self.numbers
        closed = len(self.outcomes) - numbers["OPEN"]
        return numbers["VOID"] / closed if closed else float("nan")

    @property
    def brier(self) -> float:
        """Mean Brier score of the questions that were answered; NaN where there are none."""
        return _mean_brier(self.scored, "probability")

    @cached_property
    def skill(self) -> Skill | None:
        """Brier skill over the base rate; None where no answered question has one."""
        rows = self.scored[self.scored["base_rate"].notna()]
        if rows.empty:
            return None
        own, base = _mean_brier(rows, "probability"), _mean_brier(rows, "base_rate")
        lower, upper = _skill_interval(rows)
        return Skill(len(rows), own, base, 1 - own / base, lower, upper)

    def calibration(self) -> pd.DataFrame:
        """How often questions came true, by bins of their probability.

        Returns
        -------
        pandas.DataFrame
            Columns ``questions``, ``probability`` (mean), ``frequency``, ``lower`` and ``upper`` (Wilson's 90%
            interval, which takes the questions as independent).
        """
        columns = ["questions", "probability", "frequency", "lower", "upper"]
        if self.scored.empty:
            return pd.DataFrame(columns=columns, index=pd.Index([], name="bin"), dtype=float)
        given, came = (self.scored[name].to_numpy(dtype=np.float64) for name in ("probability", "came"))
        probability, frequency, number = bin_means(bin_places(given, came, BINS), given, came)
        lower, upper = wilson_interval(frequency, number.astype(float), LEVEL)
        table = pd.DataFrame(dict(zip(columns, (number, probability, frequency, lower, upper), strict=True)))
        return table.rename_axis("bin")

    def answers(self) -> list[Answer]:
        """The figures of the scorecard, each under the name that it has everywhere."""
        numbers, skill = self.numbers, self.skill
        none = "no question was answered yet"
        no_base = none if self.scored.empty else "no answered question has a base rate"
        made = [Answer("questions", "questions asked", float(len(self.outcomes)), unit="questions")]
        made += [
            Answer(f"questions_{outcome.lower()}", f"questions that are {outcome}", float(number), unit="questions")
            for outcome, number in numbers.items()
        ]
        made.append(_answer("questions_void_share", "void among those closed", self.void_share, SHARE, none))
        made.append(_answer("brier", "mean Brier score", self.brier, PROBABILITY, none))
        if skill is None:
            made.append(_answer("brier_base", "mean Brier score of the base rates", np.nan, PROBABILITY, no_base))
            made.append(_answer("brier_skill", "Brier skill over the base rate", np.nan, SKILL, no_base))
            return made
        ends = (np.nan, np.nan) if skill.lower is None or skill.upper is None else (skill.lower, skill.upper)
        made.append(Answer("brier_base", "mean Brier score of the base rates", skill.base, unit=PROBABILITY))
        made.append(Answer("brier_skill", "Brier skill over the base rate", skill.skill, *ends, unit=SKILL))
        return made

    def sentences(self) -> list[str]:
        """The figures in plain sentences, with the head of the ledger."""
        total, numbers = len(self.outcomes), self.numbers
        if not total:
            return ["No question was asked yet.", self.ledger.head_sentence()]
        asked = Counter(self.outcomes["asked"])
        said = [
            f"{total:,} {'question was' if total == 1 else 'questions were'} asked, {asked['before']:,} before their "
            f"window, {asked['during']:,} during and {asked['after']:,} after it: {numbers['YES']:,} YES, "
            f"{numbers['NO']:,} NO, {numbers['OPEN']:,} open, {numbers['VOID']:,} void."
        ]
        if asked["after"]:
            said.append("What is asked after its window, in retrospect, is no record of what was known before.")
        if len(self.scored):
            said.append(self.score_sentence())
        return [*said, self.ledger.head_sentence()]

    def score_sentence(self) -> str:
        """Say how good the probabilities were."""
        skill, number = self.skill, len(self.scored)
        text = f"The mean Brier score of {number:,} answered is {self.brier:.3f}"
        if skill is None:
            return f"{text}; none has a base rate to compare with."
        share = "" if skill.questions == number else f" of {skill.questions:,} of them"
        if skill.lower is None or skill.upper is None:
            known = f"{ENOUGH} days of asking or series are needed for its interval"
        else:
            known = f"{LEVEL:.0%} interval {skill.lower:+.2f} to {skill.upper:+.2f}"
        return f"{text}, that of the base rates{share} {skill.base:.3f}: skill {skill.skill:+.2f} ({known})."

    def limits(self) -> str:
        """What the hashes show, and what they cannot."""
        return LIMITS

    def table(self) -> pd.DataFrame:
        """Every question with its probability and outcome."""
        return self.outcomes

    def to_dict(self) -> dict[str, object]:
        """The scorecard as JSON has it."""
        return {
            "head": self.ledger.head,
            "entries": self.ledger.entries,
            "answers": [
                {
                    "key": one.key,
                    "question": one.question,
                    **{name: finite_or_none(getattr(one, name)) for name in ("value", "lower", "upper")},
                    "unit": one.unit,
                    "text": one.text(),
                }
                for one in self.answers()
            ],
            "sentences": self.sentences(),
            "calibration": self.calibration().to_dict("records"),
            "questions": [
                {name: finite_or_none(value) for name, value in row.items()}
                for row in self.outcomes.reset_index().to_dict("records")
            ],
        }

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return lines + table_html(self.outcomes[["question", "probability", "base_rate", "outcome"]])


def scorecard(source: Source | str | Path, *, ledger: str | Path | None = None, head: str | None = None) -> Scorecard:
    """Score the questions of a case that were answered.

    Parameters
    ----------
    source : Source, str or Path
        The case.
    ledger : str or Path, optional
        File of the questions; that in the folder of the case when left out.
    head : str, optional
        A head that was printed earlier, which the ledger must still hold.

    Returns
    -------
    Scorecard

    Raises
    ------
    FileError
        If the ledger cannot be read.
    InputError
        If an entry was changed, removed, put elsewhere or is half-written, or the ledger does not hold the head.

    Examples
    --------
    >>> scorecard("raids.csv", ledger="not-there.jsonl").sentences()[0]
    'No question was asked yet.'
    """
    path = ledger_path(source, ledger)
    return Scorecard(read_ledger(path, head))


def _mean_brier(rows: pd.DataFrame, column: str) -> float:
    return float(((rows[column] - rows["came"]) ** 2).mean()) if len(rows) else float("nan")


def _skill_interval(rows: pd.DataFrame) -> tuple[float | None, float | None]:
    """Interval of the skill, where there are days of asking or series enough."""
    origins = pd.Index(sorted(rows["as_of"].unique()))
    units = pd.Index(sorted(rows["about"].unique()))
    if max(len(origins), len(units)) < ENOUGH:
        return None, None
    at = origins.get_indexer(rows["as_of"]), units.get_indexer(rows["about"])
    came = rows["came"].to_numpy(dtype=float)
    spans = (pd.to_datetime(rows["last"]) - pd.to_datetime(rows["as_of"])).dt.days.max()
    between = np.diff(pd.DatetimeIndex(origins).to_numpy().astype("datetime64[D]").astype(np.int64))
    overlap = int(np.ceil(spans / max(1.0, float(np.median(between))))) if len(between) else 1
    losses = [(rows[name].to_numpy(dtype=float) - came) ** 2 for name in ("probability", "base_rate")]
    sums = [_at(at, loss, (len(origins), len(units))) for loss in (*losses, np.ones(len(rows)))]
    own, base, number = sums
    if not base.any():
        return None, None
    ratio = own.sum() / base.sum()
    samples = resample_differences(own - ratio * base, number, overlap, RESAMPLES, np.random.default_rng(0))
    skills = 1 - ratio - samples * number.sum() / base.sum()
    lower, upper = np.quantile(skills, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), min(float(upper), 1.0)


def _at(places: tuple[np.ndarray, np.ndarray], values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Sums of values by their places."""
    table = np.zeros(shape)
    np.add.at(table, places, values)
    return table


def _answer(key: str, question: str, value: float, unit: str, why: str) -> Answer:
    return Answer(key, question, value, unit=unit, why=why if np.isnan(value) else "")
