"""What every file of commands adds its own to; what they do is in functions of the same names, by their modules."""

from collections.abc import Callable
from typing import Annotated

import typer

import escalation
from escalation import cli
from escalation.cli.options import with_groups

app = typer.Typer(name="escalation", add_completion=False, rich_markup_mode=None)


def command(module: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command that the function of its name in a module of ``cli`` carries out.

    Its parameters are the command's options; one that is a group of options stands for all of them.
    """

    def declared(options: Callable[..., None]) -> Callable[..., None]:
        name = options.__name__
        return app.command()(with_groups(options, lambda **given: getattr(getattr(cli, module), name)(**given)))

    return declared


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"escalation {escalation.__version__}")
        raise typer.Exit


@app.callback()
def escalation_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """From reported counts or tables of incidents to rates, forecasts and flashpoint probabilities.

    Exit codes: 0 done, 2 an input or option that cannot be used (one line says why), 1 a bug,
    3 a watched rule was crossed, 130 interrupted.

    \b
    Example, on a bundled case:
      escalation report -o report.pdf
    """
