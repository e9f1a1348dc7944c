"""The commands that look back, with their options and help: what an action was followed by, and what changed since."""

from typing import Annotated

import typer

from escalation.cli.commands import command
from escalation.cli.options import Model, Selection, Target, day, whole


@command("effects")
def effect(
    selection: Selection,
    target: Target,
    at: Annotated[str | None, day("Day of the action; left out, that of the case.")] = None,
    within: Annotated[
        int | None,
        whole("Periods after it that are compared; left out, 28 days, 8 weeks or 6 months, as far as there are."),
    ] = None,
    comparison: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A series that the action cannot have touched: for incidents a value of --by; for reported counts a "
            "series, series/counter or series/counter/unit.",
        ),
    ] = None,
    placebos: Annotated[int, whole("Most past dates that are tried for comparison.", least=0)] = 12,
    model: Model = "changing_rate",
) -> None:
    """What an action was followed by, against what would have come.

    Fewer than expected, more, as expected, or cannot be determined.

    \b
    Examples:
      escalation effect
      escalation effect incidents.csv --at 2024-02-02 --within 12
    """


@command("differences")
def diff(
    target: Target,
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="The case, table or article of the old report, or of both with --since; or its JSON file.",
        ),
    ],
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="NEW", help="That of the new report, or another analyst's; left out, OLD; or its JSON file."
        ),
    ] = None,
    since: Annotated[str | None, day("OLD is what was known on this day.")] = None,
    as_of: Annotated[str | None, day("NEW is what was known on this day; left out, all there is.")] = None,
    series: Annotated[str | None, typer.Option(help="Which series; for incidents, which value of --by.")] = None,
    counter: Annotated[str | None, typer.Option(help="Reported counts: who counted.")] = None,
    place: Annotated[str | None, typer.Option(help="Reported counts: where, such as Iraq.")] = None,
    unit: Annotated[str | None, typer.Option(help="Reported counts: what is counted, such as attacks.")] = None,
    by: Annotated[str | None, typer.Option(help="Incidents: the column to find --series in, such as country.")] = None,
    freq: Annotated[str | None, typer.Option(help="Periods: D, W-SUN to W-SAT (the day that ends the week) or M.")] = (
        None
    ),
    at_least: Annotated[int | None, whole("The flashpoint of both reports; left out, that of the old one.")] = None,
    model: Model = "changing_rate",
    old_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model of the old report; left out, --model.")
    ] = None,
    seed: Annotated[int, whole("The same seed gives the same numbers.", least=0)] = 1,
    old_seed: Annotated[int | None, whole("Seed of the old report; left out, --seed.", least=0)] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write every row that differs, and how, to this CSV file.")
    ] = None,
) -> None:
    """What changed since a report, and by which cause.

    New events, late and revised reports, the time that passed; model and
    seed last.  Also what makes two analysts' tables of one case differ.
    Reports saved as JSON hold no tables: by how much each answer moved.

    \b
    Examples:
      escalation diff my-case --since 2024-01-15
      escalation diff january.csv february.csv --rows rows.csv
      escalation diff january.json february.json
    """
