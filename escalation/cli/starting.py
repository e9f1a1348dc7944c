"""The command that makes a new case."""

from __future__ import annotations

import escalation
from escalation.assessment.case_folder import ARTICLES, TALLIES
from escalation.cli import screen


def new(folder: str, source: list[str] | None, *, title: str | None, date: str | None) -> None:
    """Make the folder of a case and say what comes next."""
    made = escalation.cases.new_case(folder, source or (), title=title, published=date)
    articles = sorted((made / ARTICLES).iterdir()) if (made / ARTICLES).is_dir() else []
    held = ", ".join(sorted(one.name + ("/" if one.is_dir() else "") for one in made.iterdir()))
    screen.say(f"{made}: made, with {held}.")
    if articles:
        screen.say(f"Next: escalation review {made / TALLIES} {articles[0]}")
    elif not source:
        screen.say(f"Next: fill in {made / TALLIES}, then escalation report {made}")
    screen.say(f"Then: escalation report {made} -o {made / 'reports' / 'brief.pdf'}")
