"""The command that tells what attacks do: severity."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment import assess, check_question
from escalation.cli import screen
from escalation.cli.answering import needed_models, warn_of_failures
from escalation.cli.counting import check_targets, choose_form, count, deliver, title
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
            counted, horizon=horizon, within=within, model=model, models=needed_models(model), rng=selection.seed
        )
        step("working out the severity")
        found = escalation.assess_casualties(assessment, by=types, rng=selection.seed)
    warn_of_failures(assessment)
    table = found.answers()
    if form != "table":
        return deliver(table, form, output)
    rows = [
        [
            str(row["question"]),
            _answer(row["value"], row["unit"]),
            _span(row["lower"], row["upper"], row["unit"]),
        ]
        for row in table.reset_index().to_dict("records")
    ]
    screen.show(title(counted), ["", "answer", f"{found.lethality.level:.0%} interval"], rows)
    for sentence in (*found.sentences(), *found.cautions):
        screen.say(sentence)
    return None


def _span(lower: float, upper: float, unit: str) -> str:
    return "" if pd.isna(lower) else f"{_answer(lower, unit)} to {_answer(upper, unit)}"


def _answer(value: float, unit: str) -> str:
    """A share, a chance, an exponent or a number of killed."""
    if pd.isna(value):
        return "not given"
    if unit == "probability":
        return f"{value:.3f}" if value < 0.1 else screen.chance(value)
    return f"{value:.2f}" if unit == "exponent" else screen.number(value)
