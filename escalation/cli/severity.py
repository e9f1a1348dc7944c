"""The command that tells what attacks do: severity."""

from __future__ import annotations

from escalation.assessment.assess import assess
from escalation.assessment.options import check_question
from escalation.cli import screen
from escalation.cli.answering import given, needed_models, show_answers, warn_of_failures
from escalation.cli.counting import check_targets, choose_form, count, deliver
from escalation.cli.options import Format, Selection


def severity(
    selection: Selection,
    form: Format | None,
    output: str | None,
    *,
    types: str | None,
    horizon: int | None,
    within: int | None,
    model: str,
) -> None:
    """Show which share of attacks kills, how many a lethal one kills, and what the coming ones may cost."""
    form = choose_form(form, output)
    check_question(horizon=horizon, within=within, model=model)
    check_targets(selection, output)
    with screen.progress(4) as step:
        _, counted = count(selection, step)
        step("fitting the models")
        assessment = assess(
            counted,
            horizon=horizon,
            within=within,
            model=model,
            models=needed_models(model),
            types=types,
            rng=selection.seed,
        )
        step("working out the severity")
        found = given(assessment.severity)
    warn_of_failures(assessment)
    if form != "table":
        return deliver(assessment.answers("severity"), form, output)
    show_answers(assessment, "severity")
    for sentence in (*found.sentences(), *found.cautions):
        screen.say(sentence)
    return None
