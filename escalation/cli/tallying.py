"""The command that shows the tallies of a series one by one, or a table to fill in."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment.naming import full_title
from escalation.cli import screen
from escalation.cli.counting import count, deliver, resolve_target
from escalation.cli.options import Selection, Target
from escalation.errors import warn
from escalation.tallies.printed import printed_count, standing, undecided
from escalation.tallies.schema import template_table


def tallies(selection: Selection, target: Target, *, template: bool) -> None:
    """Show each tally with the range that the others leave it, or write a table with examples."""
    target = resolve_target(target, selection)
    if template:
        if selection.source:
            raise escalation.InputError("--template writes a new table; leave the source out")
        return deliver(template_table(), target if target.form == "json" else Target(form="csv", output=target.output))
    with screen.progress(2) as step:
        _, counted = count(selection, step, decided=False)
    found = counted.reconstruction
    if found is None:
        raise escalation.InputError("the source holds incidents, and this command shows reported counts; use read")
    if why := undecided(found):
        warn(why)
    table = found.tallies.sort_values(["end", "start"], kind="stable")
    if target.form != "table":
        days = table.select_dtypes("datetime").apply(lambda column: column.dt.strftime("%Y-%m-%d"))
        return deliver(table.assign(**dict(days.items())), target)
    screen.say(found.spoken_sentence())
    screen.show(
        full_title(counted),
        *((name, table[name].dt.strftime("%Y-%m-%d")) for name in ("start", "end")),
        ("printed", [printed_count(row) for _, row in table.iterrows()]),
        ("the others", [_range(row) for _, row in table.iterrows()]),
        ("reliable", table["reliability"].map(lambda share: "" if pd.isna(share) else screen.probability_text(share))),
        ("", [standing(row) for _, row in table.iterrows()]),
        words=(5,),
    )
    return None


def _range(row: pd.Series) -> str:
    """What the other tallies leave possible."""
    low, high = row["predicted_low"], row["predicted_high"]
    return "" if pd.isna(low) else f"{low:,}" if low == high else f"{low:,} to {high:,}"
