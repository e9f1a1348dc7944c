"""The commands that answer by a model, with their options and help: the report, forecasts, flashpoints, severity."""

from typing import Annotated, Literal

import typer

from escalation.cli.commands import command
from escalation.cli.options import AtLeast, Calendars, Horizon, Model, Over, Season, Selection, Sides, Target, Within


@command("answering")
def report(
    selection: Selection,
    horizon: Horizon = None,
    at_least: AtLeast = None,
    over: Over = 1,
    within: Within = None,
    model: Model = "changing_rate",
    season: Season = "auto",
    calendar: Calendars = None,
    sides: Sides = None,
    regimes: Annotated[
        Literal["none", "hidden_markov"],
        typer.Option(help="hidden_markov adds a page on quiet and active regimes; compiling it takes a while once."),
    ] = "none",
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="PDF: further pages on the main series, and its tallies; JSON: all answers about it.",
        ),
    ] = False,
    figures: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write each chart of the brief to this folder as SVG and PNG.")
    ] = None,
    cost: Annotated[
        float | None,
        typer.Option(metavar="X", help="Cost of acting; with --loss, says from which probability it pays."),
    ] = None,
    loss: Annotated[
        float | None, typer.Option(metavar="X", help="Loss if the flashpoint comes and nobody acted.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DAY|FILE",
            help="Open with what changed since a report: the day it was made, or its JSON file; left out, the latest "
            "earlier one that the folder reports of the case keeps as JSON.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the brief is written: a PDF, a page (.html) or JSON, by the ending of its name.",
        ),
    ] = "report.pdf",
) -> None:
    """A brief on all series of a case, a table or an article.

    Verdict, every series, flashpoints, and how far to trust them.  Without
    --series, --counter, --place, --unit or --by all series are answered.

    \b
    Examples:
      escalation report
      escalation report my-case -o brief.html
      escalation report my-case -o my-case/reports/2026-01-31.json
      escalation report my-case --since 2026-01-01
      escalation report article.txt --date 2024-11-12
      escalation report tallies.csv --series attacks --at-least 10 --full
      escalation report acled.csv --by country --series Syria --freq M
      escalation report strikes.xlsx --column date=Datum --column place=Ort
    """


@command("answering")
def forecast(
    selection: Selection,
    target: Target,
    horizon: Horizon = None,
    model: Model = "changing_rate",
    season: Season = "auto",
    calendar: Calendars = None,
    save: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Also keep all paths in this Parquet file, to be scored when more is known."),
    ] = None,
) -> None:
    """Counts of the coming periods, with 90% intervals.

    \b
    Examples:
      escalation forecast --horizon 12
      escalation forecast incidents.csv --model negative_binomial -o forecast.csv
    """


@command("answering")
def flashpoint(
    selection: Selection,
    target: Target,
    horizon: Horizon = None,
    at_least: AtLeast = None,
    over: Over = 1,
    within: Within = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A definition in public use in place of --at-least and --over: views-25, hdx-1y, hdx-3y, "
            "forecastbench-mean, forecastbench-tenfold, acled-10, acled-25, acled-10-year, acled-25-year, "
            "acled-surge, acled-threat, first-event or first-lethal (of fatalities).",
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDS",
            help="An assumption, shown beside the baseline: 'ceasefire from DATE' (rate x0.1), 'rate x2 from DATE' "
            "(either with 'until DATE' or 'for N' periods, 'fading DAYS'), '3 attacks on DATE', 'lethal attack on "
            "DATE', 'attack that kills 3 on DATE', several joined by 'and'; may be repeated.",
        ),
    ] = None,
    model: Model = "changing_rate",
    season: Season = "auto",
    calendar: Calendars = None,
) -> None:
    """Probability that the counts reach a threshold, by date.

    \b
    Examples:
      escalation flashpoint --at-least 10 --within 8
      escalation flashpoint --what-if "ceasefire from 2024-12-01"
      escalation flashpoint --what-if "lethal attack on 2024-12-01"
      escalation flashpoint --preset acled-25
      escalation flashpoint incidents.csv --freq D --at-least 25 --over 30
    """


@command("severity")
def severity(
    selection: Selection,
    target: Target,
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            metavar="COLUMN",
            help="Incidents: the column whose values are shown separately, such as actor; left out, event_type.",
        ),
    ] = None,
    horizon: Horizon = None,
    within: Within = None,
    model: Model = "changing_rate",
    season: Season = "auto",
    calendar: Calendars = None,
) -> None:
    """Which attacks kill, how many, and how likely the next is.

    \b
    Examples:
      escalation severity --within 8
      escalation severity incidents.csv --types actor --format json
    """
