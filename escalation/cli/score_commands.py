"""The commands that score forecasts, with their options and help."""

from typing import Annotated

import typer

from escalation.cli.commands import command
from escalation.cli.options import Selection, Target, whole


@command("scoring")
def backtest(
    selection: Selection,
    target: Target,
    models: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Models to compare; left out, five that differ.")
    ] = None,
    origins: Annotated[int, whole("Past origins to forecast from.")] = 12,
    every: Annotated[int, whole("Periods between two origins.")] = 2,
    steps: Annotated[int, whole("Periods ahead.")] = 4,
    leads: Annotated[
        str | None, typer.Option(metavar="1,4,8", help="Score these periods ahead alone, in place of all --steps.")
    ] = None,
    at_least: Annotated[
        int | None, whole("Show as well how often so many came in a period, by the forecast probability.")
    ] = None,
    baseline: Annotated[
        str, typer.Option(metavar="NAME", help="The model that the others are compared with.")
    ] = "climatology",
    store: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Keep finished parts here; run again, it goes on where it stopped."),
    ] = None,
) -> None:
    """How well models would have forecast so far.

    \b
    Examples:
      escalation backtest --origins 8 --steps 4
      escalation backtest incidents.csv --models climatology,ingarch,local_level
      escalation backtest incidents.csv --leads 1,4,8 --at-least 10
    """


@command("scoring")
def score(
    selection: Selection,
    target: Target,
    forecast: Annotated[
        str, typer.Option("--forecast", metavar="FILE", help="What escalation forecast --save wrote, perhaps long ago.")
    ],
) -> None:
    """How a forecast that was saved earlier fared.

    \b
    Example:
      escalation forecast tallies.csv --end 2024-10-27 --save october.parquet
      escalation score tallies.csv --forecast october.parquet
    """
