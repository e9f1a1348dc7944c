"""What a command says: results on standard output, one line for each error and warning on standard error."""

import os
import sys
from contextlib import suppress

import typer


def write(text: str) -> None:
    """Write to standard output; when its reader has enough, let it and what follows go nowhere, and go on.

    A command may have more to do than to show something: files to write, with their exit code.
    """
    try:
        typer.echo(text, nl=False)
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Let what is still to be written go nowhere, as it cannot be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def say(message: str) -> None:
    """Write one line to standard error, if anybody reads it, with nothing in it that could move the cursor."""
    with suppress(OSError):
        typer.echo("".join(c if c.isprintable() else repr(c)[1:-1] for c in message), err=True)
