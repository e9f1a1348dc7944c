"""The commands on questions with a record: ask, resolve and scorecard."""

from __future__ import annotations

import json
from pathlib import Path

import escalation
from escalation.cases.questions.ledger import ledger_path
from escalation.cases.questions.question import Question
from escalation.cli import screen
from escalation.cli.counting import deliver, resolve_target
from escalation.cli.options import Target
from escalation.cli.streams import write
from escalation.errors import warn
from escalation.files.disk import atomic_write, kind_of
from escalation.files.hash_chain import cut_half_line


def ask(
    source: str,
    question: str | None,
    *,
    series: str | None,
    counter: str | None,
    place: str | None,
    unit: str | None,
    find_in: str | None,
    at_least: int | None,
    over: int | None,
    freq: str | None,
    first: str | None,
    by: str | None,
    as_of: str | None,
    void_after: int,
    questions: str | None,
    seed: int,
) -> None:
    """Ask, write it down, and say the probability."""
    with screen.progress(2) as step:
        step("working out the probability")
        asked = escalation.cases.ask(
            source,
            question,
            series=series,
            counter=counter,
            place=place,
            unit=unit,
            find_in=find_in,
            at_least=at_least,
            over=over,
            freq=freq,
            first=first,
            last=by,
            as_of=as_of,
            void_after=void_after,
            ledger=questions,
            rng=seed,
        )
    ledger = escalation.cases.read_ledger(ledger_path(source, questions))
    for caution in asked.cautions:
        warn(caution)
    for line in said(asked):
        screen.say(line)
    screen.say(ledger.head_sentence())


def said(asked: Question) -> list[str]:
    """What is said of a question that was asked."""
    lines = [asked.sentence(), f"It is answered {asked.rule()}."]
    if asked.timing == "after":
        lines.append("Its window is over, so it is asked in retrospect: its score is no record.")
    return lines


def _check_there(questions: str | None) -> None:
    """Refuse a file of questions that was named and is not there.

    Raises
    ------
    FileError
        If there is none.
    """
    if questions is not None and kind_of(Path(questions)) == "nothing":
        raise escalation.FileError(f"{questions}: no such file of questions; name the one that escalation ask wrote")


def resolve(
    source: str,
    target: Target,
    *,
    as_of: str | None,
    question: list[int] | None,
    again: bool,
    questions: str | None,
    seed: int,
) -> None:
    """Answer what can be answered, and show it."""
    target = resolve_target(target)
    _check_there(questions)
    with screen.progress(1) as step:
        step("putting together what came")
        found = escalation.cases.resolve(
            source, as_of=as_of, questions=question, again=again, ledger=questions, rng=seed
        )
    ledger = escalation.cases.read_ledger(ledger_path(source, questions))
    if target.form != "table":
        return deliver(escalation.cases.Scorecard(ledger).table(), target)
    for one in found:
        screen.say(one.sentence())
    if not found:
        screen.say("No question is open." if ledger.questions else "No question was asked yet.")
    return screen.say(ledger.head_sentence())


def scorecard(source: str, target: Target, *, head: str | None, repair: bool, questions: str | None) -> None:
    """Show how good the probabilities were, after a repair where one is asked for."""
    target = resolve_target(target)
    _check_there(questions)
    if repair:
        half = cut_half_line(ledger_path(source, questions))
        cut = f"a half-written last line was taken away: {half!r}"
        warn(cut if half else "the last line is whole; there is nothing to repair")
    card = escalation.cases.scorecard(source, ledger=questions, head=head)
    if target.form == "json":
        text = json.dumps(card.to_dict(), indent=1, ensure_ascii=False) + "\n"
        if target.output is None:
            return write(text)
        with atomic_write(target.output) as stream:
            stream.write(text)
        return write(f"Written: {target.output}\n")
    if target.form == "csv":
        return deliver(card.table(), target)
    table = card.table()
    if len(table):
        screen.show(
            "Questions",
            ("", [str(number) for number in table.index]),
            ("question", table["question"]),
            ("as of", table["as_of"]),
            ("probability", table["probability"].map(screen.probability_text)),
            ("base rate", ["-" if rate != rate else screen.probability_text(rate) for rate in table["base_rate"]]),
            ("outcome", table["outcome"]),
            words=(1, 5),
        )
    curve = card.calibration()
    if len(curve):
        screen.show(
            "When it was given about this probability, it came",
            ("probability", curve["probability"].map("{:.2f}".format)),
            ("came", curve["frequency"].map("{:.2f}".format)),
            ("90% interval", screen.spans(curve, write="{:.2f}".format)),
            ("questions", curve["questions"].map("{:.0f}".format)),
            words=(),
        )
    for sentence in card.sentences():
        screen.say(sentence)
    if head is not None:
        screen.say("The head that was given is in it: nothing that was there then was changed or removed.")
    return screen.say(card.limits())
