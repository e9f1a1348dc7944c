"""The command that shows what attacks do: severity."""

from __future__ import annotations

import escalation
from escalation.assessment.options import Season, check_question
from escalation.cli import screen
from escalation.cli.answering import given, readable, show_answers, warn_of_failures
from escalation.cli.counting import count, deliver, resolve_target
from escalation.cli.options import Selection, Target


def severity(
    selection: Selection,
    target: Target,
    *,
    types: str | None,
    horizon: int | None,
    within: int | None,
    model: str,
    season: Season,
    calendar: list[str] | None,
) -> None:
    """Show which share of attacks kills, how many a lethal one kills, and what the coming ones may cost."""
    target = resolve_target(target, selection)
    check_question(horizon=horizon, within=within, model=model, calendars=calendar or ())
    with screen.progress(4) as step:
        _, counted = count(selection, step)
        step("fitting the models")
        assessment = escalation.assess(
            counted,
            horizon=horizon,
            within=within,
            model=model,
            season=season,
            calendars=calendar or (),
            models=(),
            types=types,
            rng=selection.seed,
        )
        assessment = readable(assessment)
        step("working out the severity")
        found = given(assessment.severity)
    warn_of_failures(assessment)
    if target.form != "table":
        return deliver(assessment.answers("severity"), target)
    show_answers(assessment, "severity")
    for sentence in (*found.sentences(), *found.cautions):
        screen.say(sentence)
    return None
