"""The commands that watch a series without forecasting it: changes and alarms."""

from __future__ import annotations

import pandas as pd

from escalation.assessment.assess import assess
from escalation.cli import screen
from escalation.cli.answering import given
from escalation.cli.counting import check_targets, choose_form, count, deliver, title, with_dates
from escalation.cli.options import Format, Selection
from escalation.counts.periods import period_word


def changes(selection: Selection, form: Format | None, output: str | None) -> None:
    """Show when the rate of the series changed."""
    form = choose_form(form, output)
    check_targets(selection, output)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("looking for changes")
        found = given(assess(counted, rng=selection.seed).changes)
    table = found.changes
    if form != "table":
        dates = {name: table[name].map(_first_day) for name in ("date", "earliest", "latest")}
        return deliver(table.assign(**dates).rename_axis("change"), form, output)
    word = period_word(pd.PeriodIndex(counted.counts.index).freqstr)
    rows = [
        [
            _first_day(row["date"]),
            f"{_first_day(row['earliest'])} to {_first_day(row['latest'])}",
            screen.number(row["rate_before"]),
            screen.number(row["rate_after"]),
            screen.span(row["rate_after_lower"], row["rate_after_upper"]),
        ]
        for row in table.to_dict("records")
    ]
    if rows:
        header = [f"new rate from {word} of", "90% interval", "rate before", "rate after", "90% interval"]
        screen.show(title(counted), header, rows, words=(0, 1))
    return screen.say(found.sentence())


def alarms(selection: Selection, form: Format | None, output: str | None, *, method: str) -> None:
    """Show which periods a surveillance method holds for unusual."""
    form = choose_form(form, output)
    check_targets(selection, output)
    with screen.progress(3) as step:
        _, counted = count(selection, step)
        step("judging each period")
        found = given(assess(counted, alarm=method, rng=selection.seed).alarms)
    if form != "table":
        return deliver(with_dates(found.judged), form, output)
    judged = found.judged[found.judged["alarm"].notna()]
    rows = [
        [
            screen.period_text(row["period"]),
            screen.number(row["observed"]),
            screen.number(row["expected"]),
            screen.number(row["upper"]),
            screen.chance(row["alarm"]) if found.histories > 1 else ("yes" if row["alarm"] else ""),
        ]
        for row in judged[judged["alarm"] >= 0.5].rename_axis("period").reset_index().to_dict("records")
    ]
    if rows:
        header = [period_word(pd.PeriodIndex(counted.counts.index).freqstr), "observed", "expected", "bound", "alarm"]
        screen.show(title(counted), header, rows)
    return screen.say(found.sentence())


def _first_day(period: pd.Period) -> str:
    return f"{period.start_time:%Y-%m-%d}"
