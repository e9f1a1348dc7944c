"""The commands that watch a series without forecasting it: changes and alarms."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment.naming import full_title
from escalation.assessment.options import check_names
from escalation.cli import screen
from escalation.cli.answering import given
from escalation.cli.counting import count, deliver, resolve_target, with_dates
from escalation.cli.options import Selection, Target
from escalation.counts.periods import period_word
from escalation.models.registry import DEFAULT


def changes(selection: Selection, target: Target) -> None:
    """Show when the rate of the series changed."""
    target = resolve_target(target, selection)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("looking for changes")
        found = given(escalation.assess(counted, rng=selection.seed).changes)
    table = found.changes
    if target.form != "table":
        dates = {name: table[name].map(_first_day) for name in ("date", "earliest", "latest")}
        return deliver(table.assign(**dates).rename_axis("change"), target)
    if len(table):
        screen.show(
            full_title(counted),
            (f"new rate from {period_word(counted.freq)} of", table["date"].map(_first_day)),
            ("90% interval", screen.spans(table, "earliest", "latest", write=_first_day)),
            ("rate before", table["rate_before"].map(screen.number)),
            ("rate after", table["rate_after"].map(screen.number)),
            ("90% interval", screen.spans(table, "rate_after_lower", "rate_after_upper")),
            words=(0, 1),
        )
    return screen.say(found.sentence())


def alarms(selection: Selection, target: Target, *, method: str) -> None:
    """Show which periods a surveillance method holds for unusual."""
    target = resolve_target(target, selection)
    check_names(DEFAULT, (), "none", method)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("judging each period")
        found = given(escalation.assess(counted, alarm=method, rng=selection.seed).alarms)
    if target.form != "table":
        return deliver(with_dates(found.judged), target)
    raised = found.judged[found.judged["alarm"] >= 0.5]
    if len(raised):
        screen.show(
            full_title(counted),
            (period_word(counted.freq), screen.periods(raised)),
            ("observed", raised["observed"].map(screen.number)),
            ("expected", raised["expected"].map(screen.number)),
            ("bound", raised["upper"].map(screen.number)),
            ("alarm", [screen.probability_text(one) if found.histories > 1 else "yes" for one in raised["alarm"]]),
        )
    return screen.say(found.sentence())


def _first_day(period: pd.Period) -> str:
    return f"{period.start_time:%Y-%m-%d}"
