"""Answer questions by what came: from the tallies or incidents that were there on a day."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.assessment.gate import HALF
from escalation.assessment.outlook import spread
from escalation.assessment.source import Source, SourceSeries, count_series, open_source
from escalation.assessment.usual import taken, usable
from escalation.cases.questions.ledger import ledger_path, read_ledger, write_resolutions
from escalation.cases.questions.question import DOUBTFUL, SURE, Outcome, Question, Resolution
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, seed_of
from escalation.counts.periods import DateLike, parse_date
from escalation.counts.series import Silence
from escalation.errors import EscalationWarning, FitError, InputError

LEVEL = 0.9
"""Probability of the interval of what was counted."""
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, eq=False)
class DailyCounts:
    """Counts of each day, as far as they are known: what a question is answered from.

    Attributes
    ----------
    counts : pandas.DataFrame
        Days by histories (one column where counts are exact); NaN on days that were not watched.
    spoken : pandas.Series
        Whether some source speaks of each day.
    silence : {"quiet", "unknown", "lower_bound"}
        What a day means of which none does.
    sha256 : str
        Hash of the content behind them.
    """

    counts: pd.DataFrame = field(repr=False)
    spoken: pd.Series = field(repr=False)
    silence: Silence
    sha256: str


def resolve(
    source: Source | str | Path,
    *,
    as_of: DateLike | None = None,
    ledger: str | Path | None = None,
    questions: Sequence[int] | None = None,
    again: bool = False,
    rng: Seed = None,
) -> list[Resolution]:
    """Answer the questions of a case, as far as they can be, and write what is new into the ledger.

    A question is YES where the probability that its threshold was reached, given what is known, is at least 0.95, and
    NO where its window is over and that is at most 0.05; both need that most days of the window are spoken of, or that
    silence means that nothing happened.  Otherwise it is OPEN, and from the day that it says on VOID, with what is
    missing.

    Parameters
    ----------
    source : Source, str or Path
        The case, or the table that was asked about.
    as_of : date or str, optional
        What had become known by this day counts; all that is there, and today's date, when left out.
    ledger : str or Path, optional
        File of the questions; that in the folder of the case when left out.
    questions : sequence of int, optional
        Which ones, by their numbers; all that have no answer yet when left out.
    again : bool
        Whether those that have an answer are looked at as well; an answer that is another now becomes a new entry.
    rng : int, Generator or None
        Seed or generator of the reconstructions.

    Returns
    -------
    list of Resolution
        One a question that was looked at, in their order.

    Raises
    ------
    FileError
        If a file cannot be read or written.
    InputError
        If the ledger is damaged or has no such question.

    Examples
    --------
    >>> resolve("raids.csv", ledger="not-there.jsonl")  # no question was asked
    []
    """
    seed = seed_of(rng)
    path = ledger_path(source, ledger)
    chosen = _chosen(path, questions, again=again)
    if not chosen:
        return []
    known = dt.datetime.now(dt.UTC).date() if as_of is None else parse_date(as_of, "as_of", side="end").date()
    opened = source if isinstance(source, Source) else open_source(source, as_of=as_of)
    daily: dict[tuple[str | None, ...], DailyCounts | str] = {}
    found = []
    for one in chosen:
        key = (one.series, one.counter, one.place, one.unit, one.find_in)
        if key not in daily:
            daily[key] = daily_counts(opened, one, seed)
        found.append(resolution(one, daily[key], known, opened.sha256))
    return write_resolutions(path, found)


def daily_counts(source: Source, question: Question, seed: int) -> DailyCounts | str:
    """Counts by day of what a question is about, or why there are none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EscalationWarning)  # what there is to warn of was said when it was asked
            counted = _count(source, question, seed)
    except (InputError, FitError) as error:
        return str(error).removeprefix(f"{source.name}: ").rstrip(".")
    tallied = counted.reconstruction
    if tallied is not None:
        return DailyCounts(tallied.daily.astype(float), tallied.spoken, tallied.silence, source.sha256)
    counts = pd.DataFrame(counted.counts).astype("Float64").astype(float)
    last = pd.Period(counted.observed_until, "D")
    counts = counts.loc[:last]
    return DailyCounts(counts, counts.notna().all(axis=1), "quiet", source.sha256)


def _count(source: Source, question: Question, seed: int) -> SourceSeries:
    if source.kind == "incidents":
        return count_series(source, series=question.series, by=question.find_in, freq="D", rng=seed)
    # an end that the case sets for its report is none for what came after it
    rows = usable(source.table, str(question.series))
    end = taken(rows, question.counter, question.unit)["end"].max()
    return count_series(
        source,
        series=question.series,
        counter=question.counter,
        place=question.place,
        unit=question.unit,
        freq="D",
        end=None if pd.isna(end) else end,
        rng=seed,
    )


def resolution(question: Question, daily: DailyCounts | str, known: dt.date, sha256: str) -> Resolution:
    """Answer one question from the counts by day.

    Parameters
    ----------
    question : Question
        From the ledger.
    daily : DailyCounts or str
        What is known, or why nothing is.
    known : datetime.date
        The day on which that is known.
    sha256 : str
        Hash of the content behind it.
    """
    over = known >= question.last
    if isinstance(daily, str):
        outcome: Outcome = "VOID" if known >= question.void_from else "OPEN"
        return _made(question, outcome, known, None, None, 0.0, daily, sha256)
    days = pd.period_range(question.first, min(question.last, known), freq="D")
    counts = daily.counts.reindex(days).to_numpy(dtype=float)
    spoken = daily.spoken.reindex(days, fill_value=False).to_numpy(dtype=bool)
    if daily.silence == "quiet":
        spoken = spoken | ~np.isnan(counts).any(axis=1)
    share = float(spoken.sum()) / ((question.last - question.first).days + 1)
    seen = np.nan_to_num(counts * spoken[:, None])
    least = _reached(question, days, seen)
    most = _reached(question, days, np.nan_to_num(counts))
    whole = over and not np.isnan(counts).any()
    certain, likely = float((least >= question.at_least).mean()), float((most >= question.at_least).mean())
    if certain >= SURE:
        return _made(question, "YES", known, certain, most, share, "", sha256)
    trusted = whole and share >= HALF and (daily.silence != "lower_bound" or bool(spoken.all()))
    if trusted and likely >= SURE:
        return _made(question, "YES", known, likely, most, share, "", sha256)
    if trusted and likely <= DOUBTFUL:
        return _made(question, "NO", known, likely, most, share, "", sha256)
    outcome = "VOID" if known >= question.void_from else "OPEN"
    missing = "; ".join(_missing(question, days, counts, spoken, likely, daily.silence, known))
    return _made(question, outcome, known, likely, most, share, missing, sha256)


def _reached(question: Question, days: pd.PeriodIndex, counts: FloatArray) -> FloatArray:
    """The count that the threshold is set against, of each history: of the window, or of its busiest periods."""
    if question.over is None:
        total: FloatArray = counts.sum(axis=0)
        return total
    periods = days.asfreq(question.freq)
    table = pd.DataFrame(counts).groupby(periods.asi8).sum()
    every = periods.unique().sort_values()
    inside = (every.start_time.normalize() >= pd.Timestamp(question.first)) & (
        every.end_time.normalize() <= pd.Timestamp(question.last)
    )
    sums = table[inside].rolling(question.over, min_periods=1).sum().max(axis=0)
    most: FloatArray = np.nan_to_num(sums.to_numpy(dtype=float))
    return most


def _missing(
    question: Question,
    days: pd.PeriodIndex,
    counts: FloatArray,
    spoken: np.ndarray[tuple[int], np.dtype[np.bool_]],
    likely: float,
    silence: Silence,
    known: dt.date,
) -> Iterator[str]:
    """What is missing for an answer."""
    if known < question.last:
        yield f"the window ends on {question.last}"
    unseen = np.isnan(counts).any(axis=1)
    if unseen.any():
        yield f"no count of {_spans(days[np.flatnonzero(unseen)])}"
    silent = np.flatnonzero(~spoken & ~unseen)
    if len(silent) and silence != "quiet":
        yield f"no tally speaks of {len(silent)} of {len(days)} days ({_spans(days[silent])})"
    if not unseen.any() and DOUBTFUL < likely < SURE and known >= question.last:
        yield f"what is counted leaves it open, with probability {likely:.2f}"


def _spans(days: pd.PeriodIndex) -> str:
    """Stretches of days in words, the first two of them."""
    numbers = days.asi8
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) > 1)
    ends = [*(starts[1:] - 1), len(days) - 1]
    stretches = [(days[int(begin)], days[int(end)]) for begin, end in zip(starts, ends, strict=True)]
    spans = [f"{begin}" if begin == end else f"{begin} to {end}" for begin, end in stretches]
    return ", ".join(spans[:2]) + (f" and {len(spans) - 2} more stretches" if len(spans) > 2 else "")


def _made(
    question: Question,
    outcome: Outcome,
    known: dt.date,
    probability: float | None,
    counted: FloatArray | None,
    spoken: float,
    missing: str,
    sha256: str,
) -> Resolution:
    median, lower, upper = (None, None, None) if counted is None else spread(counted, LEVEL)
    return Resolution(
        question=question.number,
        outcome=outcome,
        as_of=known,
        probability=probability,
        median=median,
        lower=lower,
        upper=upper,
        spoken=round(min(spoken, 1.0), 6),
        missing=missing,
        sha256=sha256,
    )


def _chosen(path: Path, numbers: Sequence[int] | None, *, again: bool) -> list[Question]:
    """The questions that are looked at."""
    ledger = read_ledger(path)
    if numbers is None:
        return list(ledger.questions) if again else ledger.open_questions()
    known = {one.number: one for one in ledger.questions}
    for number in numbers:
        if number not in known:
            raise InputError(f"{path}: has no question {number}; it has {', '.join(map(str, known)) or 'none'}")
    return [known[number] for number in dict.fromkeys(numbers)]
