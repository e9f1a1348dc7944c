"""What the screen shows: tables that fit it, numbers as people read them, and how far a long step is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import pandas as pd
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from escalation.cli.streams import write
from escalation.conventions.wording import number, probability_text

Column: TypeAlias = tuple[str, Iterable[str]]
"""The header of a column and its cells."""
__all__ = ["Column", "number", "periods", "probability_text", "progress", "say", "show", "spans"]


@contextmanager
def progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Show on stderr, if that is a terminal, which of several steps is under way.

    Yields a function to call with what the next step does.
    """
    console = Console(stderr=True)
    if not console.is_terminal:  # before 14.3 rich printed a blank line for a bar that is not shown
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=steps, completed=-1)
        yield lambda doing: bar.update(task, advance=1, description=_plain(doing), refresh=True)


def show(title: str, *columns: Column, words: Sequence[int] = (0,)) -> None:
    """Print a title and a table of columns with their headers; those at the positions ``words`` hold words."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    given = [(name, [_plain(cell) for cell in cells]) for name, cells in columns]
    widths = widths_of(given, Console().width)
    for position, (name, _) in enumerate(given):
        justify: Literal["left", "right"] = "left" if position in words else "right"
        table.add_column(Text(name), justify=justify, overflow="fold", width=widths[position])
    for row in zip(*(cells for _, cells in given), strict=True):
        table.add_row(*map(Text, row))
    _print(Text(_plain(title), style="bold"), table)


def widths_of(columns: Sequence[tuple[str, Sequence[str]]], screen: int) -> list[int] | list[None]:
    """Widths of columns on a screen so wide, so that lines break between words.

    The widest columns are narrowed first, none to less than its longest word; None for all where that is too wide.
    """
    wanted = [max(map(cell_len, (name, *cells))) for name, cells in columns]
    least = [
        max((cell_len(word) for text in (name, *cells) for word in text.split()), default=0) for name, cells in columns
    ]
    left = screen - 3 * len(columns) + 1  # blanks and edges
    if sum(least) > left:
        return [None] * len(columns)
    while sum(wanted) > left:
        widest = max((k for k in range(len(wanted)) if wanted[k] > least[k]), key=lambda k: wanted[k])
        wanted[widest] -= 1
    return wanted


def say(sentence: str) -> None:
    """Print a sentence, wrapped to the screen."""
    _print(Text(_plain(sentence)))


def _print(*parts: Text | Table) -> None:
    # not by rich, which ends the process when the reader of a pipe is gone
    console = Console(highlight=False)
    with console.capture() as drawn:
        console.print(*parts, sep="\n")
    write(drawn.get())


def _plain(text: str) -> str:
    """Text from a file without anything that could steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def period_text(period: pd.Period) -> str:
    """Name a period: a month, a day, or the first and last day of a week."""
    if period.freqstr[0] != "W":
        return str(period)
    return f"{period.start_time:%Y-%m-%d} to {period.end_time:%Y-%m-%d}"


def periods(table: pd.DataFrame) -> list[str]:
    """Names of the periods that a table is of."""
    return [period_text(period) for period in pd.PeriodIndex(table.index)]


def spans(
    table: pd.DataFrame,
    lower: str = "lower",
    upper: str = "upper",
    *,
    write: Callable[[Any], str] = number,
) -> list[str]:
    """The intervals between two columns of a table."""
    ends = zip(table[lower], table[upper], strict=True)
    return ["" if pd.isna(low) else f"{write(low)} to {write(high)}" for low, high in ends]
