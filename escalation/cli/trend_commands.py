"""The commands that say what rose, when, and after what, with their options and help."""

from typing import Annotated

import typer

from escalation.cli.commands import command
from escalation.cli.options import Calendars, Season, Selection, Sides, Target, whole


@command("escalating")
def trend(
    selection: Selection,
    target: Target,
    recent: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOW",
            help="What counts as now: so many periods, or first..last day; left out, 28 days, 4 weeks or 3 months.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOW",
            help="What it is compared with, likewise; left out, 182 days, 26 weeks or 12 months before.",
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOW", help="What growth is read from, likewise; left out, 28 days, 13 weeks or 12 months."
        ),
    ] = None,
    season: Season = "auto",
    calendar: Calendars = None,
) -> None:
    """Whether the rate is rising, how fast, and what carries it.

    \b
    Examples:
      escalation trend
      escalation trend incidents.csv --recent 8 --baseline 2024-01-01..2024-06-30
    """


@command("watching")
def changes(selection: Selection, target: Target) -> None:
    """When the rate changed, with the interval of each date.

    \b
    Example:
      escalation changes
    """


@command("watching")
def alarms(
    selection: Selection,
    target: Target,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="ears_c1 to ears_c3, farrington, noufaily, farrington_classic, cusum, cusum_negbin, glr or bayes.",
        ),
    ] = "ears_c2",
) -> None:
    """Periods that a surveillance method holds for unusual.

    \b
    Example:
      escalation alarms --method cusum
    """


@command("escalating")
def excitation(
    selection: Selection,
    target: Target,
    sides: Sides = None,
    lags: Annotated[int, whole("Bins back to look at.")] = 3,
) -> None:
    """Whether attacks by one side follow those by another.

    \b
    Example:
      escalation excitation acled.csv --by actor1 --side A --side B
    """


@command("retaliating")
def retaliation(
    selection: Selection,
    target: Target,
    sides: Sides = None,
    at_least: Annotated[int, whole("This many attacks or more.")] = 1,
    within: Annotated[int, whole("Periods after that of the attack.")] = 1,
    lags: Annotated[int, whole("Past periods that an attack may be an answer to.")] = 1,
) -> None:
    """Probability of attacks by one side after one by another.

    Periods are days unless --freq says otherwise.

    \b
    Examples:
      escalation retaliation acled.csv --by actor1 --side A --side B \\
        --at-least 2 --within 7 --lags 3
      escalation retaliation acled.csv --by actor1 --side A --side B --freq M
    """
