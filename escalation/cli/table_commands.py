"""The commands that show what a table holds and what its counts are, with their options and help."""

from typing import Annotated

import typer

from escalation.cli.commands import command
from escalation.cli.options import Selection, Table, Target, day, whole


@command("reading")
def read(
    table: Table,
    target: Target,
    coverage: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Incidents: a table of the spans in which somebody looked, with start and end; other days are no gap.",
        ),
    ] = None,
) -> None:
    """What a table holds, and how far it can be trusted.

    \b
    Examples:
      escalation read acled.csv
      escalation read strikes.xlsx --column date=Datum -o incidents.csv
      escalation read bulletins.csv --cumulative personnel
    """


@command("reading")
def deduplicate(
    table: Table,
    target: Target,
    min_similarity: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Also merge incidents that are alike, whatever their ids, from this similarity on (0 to 1); left out, "
            "only rows that repeat another in every column.",
        ),
    ] = None,
    days: Annotated[int, whole("With --min-similarity: so many days apart at the most.", least=0)] = 0,
) -> None:
    """Rows that stand in a table twice, and the table without them.

    \b
    Examples:
      escalation deduplicate strikes.csv
      escalation deduplicate strikes.csv -o once.csv --ledger merged.csv
      escalation deduplicate both.csv --min-similarity 0.95 -o once.csv
    """


@command("counting")
def series(selection: Selection, target: Target) -> None:
    """Count of each period, with its 90% interval.

    \b
    Examples:
      escalation series --freq M
      escalation series incidents.csv --measure fatalities --format csv
    """


@command("tallying")
def tallies(
    selection: Selection,
    target: Target,
    template: Annotated[bool, typer.Option("--template", help="Write an empty table with examples instead.")] = False,
) -> None:
    """Reported counts one by one, and how they fit together.

    \b
    Examples:
      escalation tallies --template -o tallies.csv
      escalation tallies tallies.csv --series attacks
    """


@command("nowcasting")
def nowcast(
    table: Table,
    target: Target,
    by: Annotated[str | None, typer.Option(help="The column to find --series in, such as country.")] = None,
    series: Annotated[str | None, typer.Option(help="Which value of --by; left out, all incidents.")] = None,
    freq: Annotated[str, typer.Option(help="Periods: D, W-SUN to W-SAT (the day that ends the week) or M.")] = "W-SUN",
    start: Annotated[str | None, day("First day.")] = None,
    snapshots: Annotated[
        list[str] | None,
        typer.Option(
            "--snapshot",
            metavar="DATE=FILE",
            help="In place of SOURCE: the table as it was on a day; two or more, which say how late rows came.",
        ),
    ] = None,
    max_delay: Annotated[
        int | None,
        whole("Periods after which a count is complete; left out, those by which 99% of the reports have come."),
    ] = None,
    change: Annotated[str | None, day("First day of another way of reporting, faster or slower than before.")] = None,
    seed: Annotated[int, whole("The same seed gives the same numbers.", least=0)] = 1,
) -> None:
    """Recent counts as they will be once late reports are in.

    Each row needs the day on which it was reported (as_of); --as-of is the
    last day whose reports are in, left out that of the last report.

    \b
    Examples:
      escalation nowcast incidents.csv --as-of 2024-12-08
      escalation nowcast list.csv --column as_of=Reported --freq D
      escalation nowcast --snapshot 2024-05-01=may.csv \\
        --snapshot 2024-06-01=june.csv
    """
