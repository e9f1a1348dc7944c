"""What is answered of a source, and at which cost, known before anything is counted; no chart is loaded for it."""

from __future__ import annotations

from escalation.assessment.source import Source
from escalation.cases.answered import usable, usual_choice
from escalation.errors import InputError
from escalation.evaluation.decisions import acting_threshold

MOST_SERIES = 12
"""So many series of a source are answered, those with the most tallies."""


def check_cost(cost: float | None, loss: float | None) -> None:
    """Refuse a cost without a loss, and numbers with which acting would always pay, or never.

    Raises
    ------
    InputError
        If only one of them is given, one is not above 0, or the cost is not below the loss.
    """
    if (cost is None) != (loss is None):
        raise InputError(f"cost is {cost!r} and loss {loss!r}, which go together; give both")
    if cost is not None and loss is not None:
        acting_threshold(cost, loss)


def series_names(source: Source) -> list[str]:
    """Series of a source, the main one first, then those of most usable tallies; at most twelve.

    A case's own order comes before that of numbers, and of equal numbers what was printed last.
    """
    there = [str(name) for name in source.table["series"].unique()]
    rows = {name: usable(source.table, name) for name in sorted(there)}
    by_size = sorted(rows, key=lambda name: (len(rows[name]), rows[name]["end"].max()), reverse=True)
    named = [] if source.case is None else [name for name in source.case.series if name in there]
    main = source.defaults.get("series")
    ordered = list(dict.fromkeys([*([main] if main in there else []), *named, *by_size]))
    return [str(name) for name in ordered][:MOST_SERIES]


def main_options(source: Source) -> tuple[str | None, str | None, str | None]:
    """Series, counter and unit that :func:`escalation.count_series` is given for the main series of a source.

    Of a table of several series it is the one with most usable tallies, by its most frequent counter and unit; None
    where the case says it, or the source holds incidents.
    """
    if source.kind != "tallies" or source.defaults.get("series"):
        return None, None, None
    name = series_names(source)[0]
    counter, unit, _ = usual_choice(source, name)
    return name, counter, unit
