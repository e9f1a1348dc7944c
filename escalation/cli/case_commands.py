"""The commands that make cases and read articles for them, with their options and help."""

from typing import Annotated

import typer

from escalation.cli.commands import command
from escalation.cli.options import Target, day


@command("starting")
def new(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Articles, one table of reported counts, or tables of incidents; left out, a table to fill in.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="What the case is called; left out, as the folder.")] = None,
    date: Annotated[str | None, day("Articles: day of publication, where the page does not say it.")] = None,
) -> None:
    """A folder for a new case, made of articles or tables.

    The counts of articles become drafts to review.

    \b
    Examples:
      escalation new my-case article.txt --date 2024-11-12
      escalation new my-case tallies.csv
      escalation new my-case
    """


@command("counting")
def cases(target: Target) -> None:
    """Bundled cases.

    \b
    Example:
      escalation cases --format json
    """


@command("texts")
def read_text(
    target: Target,
    source: Annotated[list[str], typer.Argument(metavar="FILE", help="Articles, text or HTML, or folders of them.")],
    date: Annotated[
        str | None, day("Day of publication of all; left out, as each page says it, and never today's.")
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder with tables of your own: anchors.csv, units.csv, verbs.csv, hedges.csv."
        ),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write every number that is no count, and why, to this CSV file."),
    ] = None,
) -> None:
    """Counts in articles, each with its sentence.

    Where the output is there already, rows that were reviewed stay as they
    are.

    \b
    Examples:
      escalation read-text article.txt --date 2024-11-12 -o tallies.csv
      escalation read-text wires --ledger no-counts.csv
    """


@command("texts")
def review(
    table: Annotated[str, typer.Argument(metavar="TALLIES", help="What escalation read-text wrote.")],
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="The article that it was read from.")],
) -> None:
    """Check counts that were read from an article.

    Each answer is kept at once, and no second reading overwrites it.

    \b
    Example:
      escalation review tallies.csv article.txt
    """
