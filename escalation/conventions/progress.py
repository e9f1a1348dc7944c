"""How far a long piece of work is: a bar, a line of a notebook, or a function of the caller's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TypeAlias

from escalation.errors import InputError

Tick: TypeAlias = Callable[[int, int], None]
"""Called with how many parts are done, and of how many."""
Progress: TypeAlias = bool | Tick
"""What every ``progress`` keyword takes: whether to show it, or a function to be called as parts are done."""


@contextmanager
def reporter(progress: Progress, doing: str, *, terminal: bool = True) -> Iterator[Tick]:
    """Give the function to be called as parts are done.

    A bar on stderr if that is a terminal, unless ``terminal`` is False, a bar in a notebook, and nothing elsewhere, so
    that logs stay clean.

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
        with _shown(doing, terminal) as tick:
            yield tick


def unreported(done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def _shown(doing: str, terminal: bool) -> Iterator[Tick]:
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        yield _bar_of_notebook(doing)
        return
    if not (terminal and console.is_terminal):  # before 14.3 rich printed a blank line for a bar that is not shown
        yield unreported
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
