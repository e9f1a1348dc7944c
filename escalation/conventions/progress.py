"""How far a long piece of work is: a bar, a line of a notebook, or a function of the caller's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from escalation.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

Tick: TypeAlias = Callable[[int, int], None]
"""Called with how many parts are done, and of how many."""
Progress: TypeAlias = bool | Tick
"""What every ``progress`` keyword takes: whether to show it, or a function to be called as parts are done."""

LONG = 20.0
"""Seconds of work that are announced where no bar is shown, and between the lines that say how far it is."""


@contextmanager
def reporter(progress: Progress, doing: str, *, terminal: bool = True, seconds: float = 0.0) -> Iterator[Tick]:
    """Give the function to be called as parts are done.

    A bar on stderr if that is a terminal, unless ``terminal`` is False, and a bar in a notebook.  Elsewhere lines on
    stderr, if it takes long by an estimate made beforehand, and otherwise nothing, so that logs stay clean.

    Parameters
    ----------
    progress : bool or callable
        Whether to show it, or a function to be called.
    doing : str
        What is done.
    terminal : bool
        Whether a terminal has a bar.
    seconds : float
        Estimate of the processor time; 0 where there is none.

    Raises
    ------
    InputError
        If ``progress`` is neither a bool nor callable.
    """
    if callable(progress):
        yield progress
    elif not isinstance(progress, bool):
        raise InputError(f"progress is {progress!r}; use True, False or a function of the parts done and of all parts")
    elif not progress:
        yield unreported
    else:
        with _shown(doing, terminal, seconds) as tick:
            yield tick


def unreported(done: int, total: int) -> None:
    """Report nothing."""


def cost_sentence(seconds: float) -> str:
    """Say how long a piece of work takes by an estimate, as roughly as the estimate is.

    Examples
    --------
    >>> cost_sentence(47.0), cost_sentence(400.0)
    ('about 50 s of processor time or more', 'about 7 min of processor time or more')
    """
    said = f"{10 * max(1, round(seconds / 10))} s" if seconds < 95 else f"{max(2, round(seconds / 60))} min"
    return f"about {said} of processor time or more"


@contextmanager
def _shown(doing: str, terminal: bool, seconds: float) -> Iterator[Tick]:
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        yield _bar_of_notebook(f"{doing} ({cost_sentence(seconds)})" if seconds >= LONG else doing)
        return
    if not (terminal and console.is_terminal):  # before 14.3 rich printed a blank line for a bar that is not shown
        yield _lines(console, doing, seconds) if seconds >= LONG else unreported
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(doing)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(console: Console, doing: str, seconds: float) -> Tick:
    """Write a line now, and then one whenever it has gone on for long."""

    def line(text: str) -> None:
        console.print(f"{doing}: {text}", markup=False, highlight=False, soft_wrap=True)

    line(cost_sentence(seconds))
    said = time.monotonic()

    def tick(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= LONG and done < total:
            line(f"{done:,} of at most {total:,}")
            said = time.monotonic()

    return tick


def _bar_of_notebook(doing: str) -> Tick:
    """Show a bar with its numbers below the cell, and draw it anew."""
    from IPython.display import display

    def text(done: int, total: int) -> dict[str, str]:
        said = f"{doing}: {done:,} of {total:,}"
        bar = f'<progress max="{total}" value="{done}"></progress> {escape(said)}'
        return {"text/plain": said, "text/html": bar}

    handle = display(  # type: ignore[no-untyped-call]
        {"text/plain": doing}, raw=True, display_id=True
    )
    return lambda done, total: handle.update(text(done, total), raw=True)
