"""Answer all series of a case, a table or a text, and put them into one brief."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from escalation.assessment.assess import assess
from escalation.assessment.result import Assessment
from escalation.assessment.sides import join_sides
from escalation.assessment.source import Source, open_source
from escalation.assessment.withheld import Withheld
from escalation.cases.answered import SeriesAnswers, answer_counted, answer_series
from escalation.cases.choices import check_cost, series_names
from escalation.cases.differences.result import Changed
from escalation.cases.differences.run import what_changed
from escalation.cases.differences.saved import REPORTS, SavedReport, latest_saved, read_saved, report_of
from escalation.cases.questions.ledger import QUESTIONS, read_ledger
from escalation.cases.questions.scorecard import Scorecard
from escalation.cases.result import Brief
from escalation.conventions.randomness import Seed, seed_of
from escalation.counts.periods import DateLike, parse_date
from escalation.counts.series import CountsLike
from escalation.errors import FileError, InputError


def brief(
    counts: Assessment | CountsLike | Source | str | Path,
    *,
    others: bool = True,
    cost: float | None = None,
    loss: float | None = None,
    since: Changed | SavedReport | DateLike | Path | None = None,
    rng: Seed = None,
    step: Callable[[str], None] | None = None,
) -> Brief:
    """Answer a case in brief: the verdict on its main series, and every other series beside it.

    Parameters
    ----------
    counts : str or Path, Source, Assessment, Series, DataFrame of histories, CountSeries or Reconstruction
        A case by its name or folder, a table, an article; or counts, or what was assessed already.
    others : bool
        Whether the other series of the source are answered as well.
    cost, loss : float, optional
        Cost of acting, and loss if the flashpoint comes and nobody acted: from which probability on acting pays, and
        what acting on past forecasts would have cost.
    since : Changed, SavedReport, date, str or Path, optional
        The report before this one, with what changed since which it opens: its JSON file, from which each answer's move
        is read; or, of a case or table by its name, the day of which it was, from which the moves are divided among
        their causes as by :func:`escalation.cases.what_changed`, in a minute or less.  Left out, the latest earlier
        report on the same series that the ``reports`` folder of a case keeps as JSON, if it rests on other data.
    rng : int, Generator or None
        Seed or generator; an assessment brings its own.
    step : callable, optional
        Called with what is done next.

    Returns
    -------
    Brief

    Raises
    ------
    FileError
        If a file cannot be read.
    InputError
        If no series can be counted, or only one of cost and loss is given, or they are out of range, or ``since`` is no
        earlier report on the same series.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    >>> counts = pd.Series([2, 0, 1] * 8 + [4, 6, 5] * 2, index=weeks, name="raids")
    >>> print(brief(counts, rng=1).verdict()[0].text)
    20 incidents fell in the 4 weeks to 2024-07-28.
    """
    check_cost(cost, loss)
    if isinstance(counts, Assessment) and rng is not None:
        raise InputError(f"rng is {rng!r}, but an assessment brings its seed; hand rng to assess")
    say = step or (lambda _: None)
    earlier = _given_since(since, counts, seed=rng, say=say)
    if isinstance(counts, str | Path):
        say(f"reading {counts}")
        counts = open_source(counts)
    if isinstance(counts, Source) and counts.kind == "tallies":
        answers = _all_series(counts, None, seed_of(rng), say)
        first, rest = _with_main_first(answers, counts)
    else:
        found = counts if isinstance(counts, Assessment) else assess(counts, models=(), rng=rng)
        first, rest = answer_counted(found), []
        if others and found.source is not None and found.source.kind == "tallies":
            rest = _all_series(found.source, first.name, found.seed, say)
    first = _with_sides(first, rest)
    made = Brief(first, tuple(rest), cost, loss, _questions_of(first), earlier)
    if earlier is None:
        return replace(made, since=_kept_before(made))
    assert made.changed is not None  # refused here, where it is no earlier report on the same series
    return made


def _given_since(
    since: Changed | SavedReport | DateLike | Path | None, counts: object, *, seed: Seed, say: Callable[[str], None]
) -> Changed | SavedReport | None:
    """The report before, as it was given, or what changed since a day."""
    if since is None or isinstance(since, Changed | SavedReport):
        return since
    if isinstance(since, Path) or (isinstance(since, str) and since.lower().endswith(".json")):
        return read_saved(since)
    day = parse_date(since, "since")
    if not isinstance(counts, str | Path):
        raise InputError(
            f"since is {day.date()}, but what was known then of counts that are given is not known here; name the case "
            "or table, or give what escalation.cases.what_changed says"
        )
    return what_changed(open_source(counts, as_of=day), open_source(counts), rng=seed, step=say)


def _kept_before(made: Brief) -> SavedReport | None:
    """The latest earlier report on the same series that the case keeps, if it rests on other data."""
    source = made.assessment.source
    if source is None or source.case is None or source.as_of is not None:
        return None
    kept = latest_saved(source.case.folder / REPORTS)
    if not kept:
        return None
    now = report_of(made.content())
    return next(
        (one for one in kept if one.same_series(now) and one.until <= now.until and not one.same_data(now)), None
    )


def _all_series(source: Source, known: str | None, seed: int, say: Callable[[str], None]) -> list[SeriesAnswers]:
    """Answer the series of a source but the one that is known; the first of them that can be is the main one."""
    answers = []
    for name in series_names(source):
        if name != known:
            say(f"answering {name.replace('_', ' ')}")
            answers.append(answer_series(source, name, seed=seed))
    return answers


def _questions_of(main: SeriesAnswers) -> Scorecard | Withheld | None:
    """The questions that were asked of the case; as of an earlier day none, for their answers came later."""
    source = main.assessment.source if isinstance(main.assessment, Assessment) else None
    if source is None or source.case is None or source.as_of is not None:
        return None
    path = source.case.folder / QUESTIONS
    if not path.is_file():
        return None
    try:
        return Scorecard(read_ledger(path))
    except (InputError, FileError) as error:
        return Withheld("questions", str(error))


def _with_main_first(answers: list[SeriesAnswers], source: Source) -> tuple[SeriesAnswers, list[SeriesAnswers]]:
    """The first series that can be counted, and the others."""
    counted = next((at for at, one in enumerate(answers) if isinstance(one.assessment, Assessment)), None)
    if counted is None:
        raise InputError(f"{source.name}: no series can be counted; of {answers[0].name}: {answers[0].why_not()}")
    return answers[counted], answers[:counted] + answers[counted + 1 :]


def _with_sides(main: SeriesAnswers, others: list[SeriesAnswers]) -> SeriesAnswers:
    """The main series with the counts of the two sides of the case, where both were counted and none were given."""
    found = main.assessment
    if isinstance(found, Withheld) or found.sides is not None or found.source is None or found.source.case is None:
        return main
    titles = {one.name: one.title for one in (main, *others)}
    counted = {one.name: one.assessment for one in (main, *others) if isinstance(one.assessment, Assessment)}
    wanted = found.source.case.sides
    if not wanted or not set(wanted) <= set(counted):
        return main
    try:
        sides = join_sides({titles[name]: counted[name].series for name in wanted})
    except InputError:  # no period in common
        return main
    return replace(main, assessment=replace(found, sides=sides))
