"""Questions in retrospect: what share cannot be answered, how many answers are wrong, and the skill over the base rate.

    python benchmarks/questions.py [--parts esoc,press,case] [--esoc FILE] [--worlds 30] [--every 1] [--store DIR]

Every question is asked with nothing but what was known then, and answered by what was known some weeks after its
window; thresholds follow from the past year alone.  Three parts:

- `esoc`: weekly attacks in 18 Iraqi governorates (the file of benchmarks/esoc_weekly.py), counts as they are;
- `press`: the same weeks behind simulated press (benchmarks/press.py: running totals, stale and late, with hedges),
  reconstructed when they are asked and again when they are answered; the counts themselves say which answer is wrong;
- `case`: the bundled case, from the tallies printed by each month end, looked at again at each later one until there is
  an answer or the days of grace are over, as `escalation resolve` does; questions whose days of grace end after the
  last month end are left out.  An answer is wrong where that from all tallies is the opposite.

The exit code is 1 where more than 10% are VOID, or more than 1% of the answers wrong.

With --store the questions are kept, one file a governorate, world or series, so that a run that was ended goes on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from esoc_weekly import FIRST_ORIGIN, read
from press import ORIGIN, World, late, print_totals
from running import run_all

import escalation
from escalation.assessment.source import SourceSeries
from escalation.cases.questions.asking import answer
from escalation.cases.questions.ledger import QuestionLedger
from escalation.cases.questions.question import Question, Resolution
from escalation.cases.questions.resolving import DailyCounts, daily_counts, resolution
from escalation.cases.questions.scorecard import Scorecard
from escalation.cases.questions.sentence import Asked

ESOC = Path(__file__).resolve().parents[2] / "shared/data/iraq_sigacts/esoc-iraq-v3_sigact_governorate-week.dta"
WEEKS = 8
"""Weeks of a window."""
QUANTILES = (0.5, 0.7, 0.9)
"""Thresholds: just above this quantile of the windows of the past year."""
AFTER = dt.timedelta(days=60)
"""Days after its window on which a question is answered."""
CASE, SERIES = "militia-attacks-2023-2024", ("militia_attacks_on_us", "israeli_strikes_in_syria")
MOST_VOID, MOST_WRONG = 0.10, 0.01
"""Largest shares of questions without an answer, and of wrong answers."""
VINTAGES = pd.date_range("2023-11-30", "2024-11-30", freq="ME")
BACK, PRESS_WEEKS = 40, 52
"""Weeks before a question in simulated press, and all of them."""


class Task(NamedTuple):
    """A part and what of it: a governorate, the number of a world, or a series of the case."""

    part: str
    name: str
    esoc: Path
    every: int

    def file(self, folder: Path) -> Path:
        """Where its questions are kept."""
        return folder / f"{self.part}-{self.name}-{self.every}.json"


class Asking(NamedTuple):
    """A question, its answer, and whether that is the opposite of the truth."""

    part: str
    question: Question
    found: Resolution
    truth: str

    @property
    def wrong(self) -> bool:
        """Whether the answer is the opposite of the truth."""
        return {self.found.outcome, self.truth} == {"YES", "NO"}


def thresholds(counts: pd.Series | pd.DataFrame, length: int, place: int) -> tuple[int, int]:
    """A total of a window and a count of its busiest week, just above a quantile of those of the past year."""
    table = pd.DataFrame(counts).astype(float).iloc[-52:]
    rolled = (getattr(table.rolling(length), how)().to_numpy().ravel() for how in ("sum", "max"))
    sums, most = (one[~np.isnan(one)] for one in rolled)
    q = QUANTILES[place % len(QUANTILES)]
    return tuple(int(np.quantile(one, q)) + 1 if len(one) else 1 for one in (sums, most))


def asked(
    counted: SourceSeries,
    found: escalation.Assessment,
    known: pd.Timestamp,
    place: int,
    *,
    weeks: int = WEEKS,
    name: str | None = None,
) -> Iterator[Question]:
    """A question about the total of the coming weeks, and one about their busiest."""
    first = pd.Period(known, counted.freq).end_time.normalize() + pd.Timedelta(days=1)
    last = first + pd.Timedelta(days=7 * weeks - 1)
    for at_least, over in zip(thresholds(counted.counts, weeks, place), (None, 1), strict=True):
        question = Asked(at_least, "", "", over, None, first.date(), last.date(), ())
        yield answer(counted, question, known=known, value=name, assessment=found)


def of_esoc(task: Task) -> Iterator[Asking]:
    """Questions about the counts of a governorate as they are."""
    counts = read(str(task.esoc))[task.name]
    daily = by_days(counts, np.random.default_rng(1))
    for place, end in enumerate(range(FIRST_ORIGIN, len(counts) - WEEKS, WEEKS)):
        counted = SourceSeries(counts.iloc[: end + 1], title=task.name, unit="attacks")
        for one in asked(counted, assessed(counted), counted.observed_until, place, name=task.name):
            found = resolution(one, daily, one.last + AFTER, "")
            yield Asking("esoc", one, found, truth(one, daily))


def by_days(weekly: pd.Series, rng: np.random.Generator) -> DailyCounts:
    """Weekly counts, each put on the days of its week at random."""
    index = pd.PeriodIndex(weekly.index)
    days = pd.period_range(index[0].start_time, index[-1].end_time, freq="D")
    counts = rng.multinomial(weekly.to_numpy(dtype=np.int64), np.full(7, 1 / 7)).ravel()
    return DailyCounts(pd.DataFrame({0: counts.astype(float)}, index=days), pd.Series(True, index=days), "quiet", "")


def truth(question: Question, daily: DailyCounts) -> str:
    """The answer by the counts themselves."""
    return resolution(question, daily, question.last, "").outcome


def of_press(task: Task) -> Iterator[Asking]:
    """Questions about counts behind simulated press, all of one day."""
    counts = read(str(task.esoc))
    rng = np.random.default_rng([20241112, int(task.name)])
    busy = [name for name in counts if counts[name].iloc[-150:].mean() > 2]
    name = str(rng.choice(busy))
    begin = int(rng.integers(52, len(counts) - PRESS_WEEKS))
    weekly = counts[name].iloc[begin : begin + PRESS_WEEKS]
    weekly.index = pd.period_range(ORIGIN, periods=PRESS_WEEKS, freq="W-SUN")
    daily = by_days(weekly, rng)
    world = World(np.ones(7 * PRESS_WEEKS), daily.counts[0].to_numpy(dtype=np.int64), 0.0)
    print_totals(world, rng, 5.0)
    late(world, rng)
    table = world.table().drop(columns="wrong")
    source = pd.Timestamp(ORIGIN + pd.Timedelta(days=7 * BACK - 1))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"press-{task.name}.csv"
        table.to_csv(file, index=False)
        then = escalation.open_source(file, as_of=source)
        counted = escalation.count_series(then, draws=100, rng=1)
        made = assessed(counted)
        questions = [one for place in range(len(QUANTILES)) for one in asked(counted, made, source, place)]
        later = escalation.open_source(file, as_of=pd.Timestamp(questions[0].last + AFTER))
        known = daily_counts(later, questions[0], 1)
    for one in questions:
        found = resolution(one, known, one.last + AFTER, "")
        yield Asking("press", replace(one, series=f"press {task.name}"), found, truth(one, daily))


def of_case(task: Task) -> Iterator[Asking]:
    """Questions about a series of the bundled case, from what was printed by a month end, answered by a later one."""
    series = task.name
    vintages = {known: found for known in VINTAGES[:: task.every] if (found := vintage(series, known)) is not None}
    everything = vintage(series, None)
    for place, (known, counted) in enumerate(vintages.items()):
        made = assessed(counted)
        for weeks in (4, WEEKS):
            for one in asked(counted, made, known, place, weeks=weeks):
                if pd.Timestamp(one.void_from) > max(vintages):
                    continue
                found = resolved(one, vintages)
                full = resolution(one, of_days(everything), one.last + 10 * AFTER, "")
                yield Asking("case", one, found, full.outcome)


def resolved(one: Question, vintages: dict[pd.Timestamp, SourceSeries]) -> Resolution:
    """The first answer that a month end after the window gives, or the last look where none does in time."""
    ends = [day for day in vintages if one.last < day.date() <= one.void_from]
    ends += [day for day in vintages if day.date() > one.void_from][:1]
    looks = (resolution(one, of_days(vintages[day]), day.date(), "") for day in ends)
    found = next(looks)
    while found.outcome == "OPEN" and (later := next(looks, None)) is not None:
        found = later
    return found


def vintage(series: str, known: pd.Timestamp | None) -> SourceSeries | None:
    """The counts of a series of the bundled case as they were known on a day; None where nothing was."""
    try:
        return escalation.count_series(escalation.open_source(CASE, as_of=known), series=series, draws=100, rng=1)
    except escalation.InputError as error:
        print(f"not known: {series} as of {known}: {error}")
        return None


def of_days(counted: SourceSeries) -> DailyCounts:
    """The days of a reconstruction."""
    tallied = counted.reconstruction
    return DailyCounts(tallied.daily.astype(float), tallied.spoken, tallied.silence, "")


def assessed(counted: SourceSeries) -> escalation.Assessment:
    """The forecast of counts as far as questions ask, and the periods that nothing is known of yet."""
    return escalation.assess(counted, horizon=24, models=(), rng=1)


def numbered(askings: list[Asking]) -> list[Asking]:
    """The questions by their numbers; each is closed on the day on which it is answered."""
    made = []
    for number, one in enumerate(askings, start=1):
        outcome = "VOID" if one.found.outcome == "OPEN" else one.found.outcome
        question = replace(one.question, number=number, asked=f"{one.question.as_of}T00:00:00+00:00")
        made.append(one._replace(question=question, found=replace(one.found, question=number, outcome=outcome)))
    return made


def card(askings: list[Asking]) -> Scorecard:
    """The scorecard of some questions."""
    questions = tuple(one.question for one in askings)
    return Scorecard(QuestionLedger(Path("none"), "0" * 64, 0, questions, tuple(one.found for one in askings)))


def show(name: str, askings: list[Asking]) -> None:
    """Print what the questions of a part came to."""
    made = card(askings)
    closed = [one for one in askings if one.found.outcome != "VOID"]
    wrong = [one for one in closed if one.wrong]
    print(
        f"\n{name}: {len(askings)} questions, VOID {made.void_share:.1%}, wrong {len(wrong)} of {len(closed)} "
        f"({len(wrong) / max(1, len(closed)):.1%})\n{made.score_sentence() if closed else ''}"
    )
    print(made.calibration().round(3).to_string())
    for one in wrong:
        print(f"wrong: {one.question.text()} ({one.question.about()}): {one.found.sentence()} but {one.truth}")
    why = pd.Series([one.found.missing for one in askings if one.found.outcome == "VOID"], dtype=str)
    print(why.str.slice(0, 60).value_counts().head(5).to_string() if len(why) else "none is VOID")


def kept(task: Task, folder: Path | None) -> list[Asking] | None:
    """The questions of a task that were asked by an earlier run."""
    if folder is None or not task.file(folder).is_file():
        return None
    rows = json.loads(task.file(folder).read_text(encoding="utf-8"))
    return [_asking(task.part, *row) for row in rows]


def _asking(part: str, question: dict, found: dict, truth_then: str) -> Asking:
    for one in (question, found):
        one["cautions" if "words" in one else "missing"] = tuple(one["cautions"]) if "words" in one else one["missing"]
        for name in ("first", "last", "as_of", "observed_until", "void_from"):
            if name in one:
                one[name] = dt.date.fromisoformat(one[name])
    return Asking(part, Question(**question), Resolution(**found), truth_then)


def asked_of(task: Task) -> list[Asking]:
    """All questions of a task, in seconds of CPU that it prints."""
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", escalation.EscalationWarning)
        askings = list({"esoc": of_esoc, "press": of_press, "case": of_case}[task.part](task))
    print(f"{task.part} {task.name}: {len(askings)} questions, {time.process_time() - begin:.0f} s of CPU", flush=True)
    return askings


def tasks_of(part: str, options: argparse.Namespace) -> list[Task]:
    """The tasks of a part."""
    names = {
        "esoc": lambda: list(read(str(options.esoc))),
        "press": lambda: [str(number) for number in range(options.worlds)],
        "case": lambda: options.series.split(","),
    }[part]()
    return [Task(part, str(name), options.esoc, options.every) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description="Questions in retrospect.")
    parser.add_argument("--parts", default="esoc,press,case")
    parser.add_argument("--esoc", type=Path, default=ESOC)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--series", default=",".join(SERIES), help="of the bundled case")
    parser.add_argument("--every", type=int, default=1, help="month ends of the bundled case, every so many")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--store", type=Path, metavar="DIR")
    options = parser.parse_args()
    every: list[Asking] = []
    for part in options.parts.split(","):
        tasks = tasks_of(part, options)
        found = {task: there for task in tasks if (there := kept(task, options.store)) is not None}
        for task, askings in run_all(asked_of, [task for task in tasks if task not in found], options.jobs):
            found[task] = askings
            if options.store is not None:
                options.store.mkdir(parents=True, exist_ok=True)
                rows = [(asdict(one.question), asdict(one.found), one.truth) for one in askings]
                task.file(options.store).write_text(json.dumps(rows, default=str), encoding="utf-8")
        askings = [one for task in tasks for one in found[task]]
        show(part, numbered(askings))
        every += askings
    show("all parts", numbered(every))
    closed = [one for one in numbered(every) if one.found.outcome != "VOID"]
    void, wrong = 1 - len(closed) / max(1, len(every)), sum(one.wrong for one in closed) / max(1, len(closed))
    sys.exit(int(void > MOST_VOID or wrong > MOST_WRONG))


if __name__ == "__main__":
    main()
