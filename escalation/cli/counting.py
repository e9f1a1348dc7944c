"""What every command begins with, and the two that end there: the counts, and the bundled cases."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
import typer

import escalation
from escalation.cli import screen
from escalation.cli.options import Format, Selection
from escalation.counts import quantile_frame
from escalation.files import atomic_write, check_target, table_text
from escalation.periods import period_word
from escalation.tallies.schema import DEFAULTS, EVERYWHERE

LEVEL = 0.9
"""Of the intervals of counts."""
ENDINGS: dict[str, Format] = {".csv": "csv", ".json": "json"}


def series(selection: Selection, form: Format | None, output: str | None) -> None:
    """Show the count of each period."""
    form = choose_form(form, output)
    check_targets(selection, output)
    with screen.progress(2) as step:
        _, counted = count(selection, step)
    table = _counts_table(counted)
    if form != "table":
        return deliver(table, form, output)
    known = isinstance(counted.counts, pd.Series)
    rows = [
        [
            screen.period_text(row["period"]),
            *(
                [screen.number(row["count"])]
                if known
                else [screen.number(row["median"]), screen.span(row["lower"], row["upper"])]
            ),
            f"{row['exposure']:.0%}",
        ]
        for row in table.reset_index().to_dict("records")
    ]
    word = period_word(pd.PeriodIndex(counted.counts.index).freqstr)
    header = [word, *(["count"] if known else ["median", "90% interval"]), "covered"]
    return screen.show(title(counted), header, rows)


def cases(form: Format | None, output: str | None) -> None:
    """Show the bundled cases."""
    form = choose_form(form, output)
    check_targets(None, output)
    table = escalation.list_cases()
    if form != "table":
        return deliver(table, form, output)
    rows = [[name, row["title"], f"{row['tallies']:,}", f"{row['incidents']:,}"] for name, row in table.iterrows()]
    return screen.show("Bundled cases", ["case", "title", "tallies", "incidents"], rows, words=(0, 1))


def count(selection: Selection, step: Callable[[str], None]) -> tuple[escalation.Source, escalation.CountedSeries]:
    """Open the source and get the counts that were asked for, with what its reader should know as warnings."""
    step(f"reading {', '.join(selection.source or []) or 'the bundled case'}")
    source = escalation.open_source(
        selection.source or None,
        columns=selection.columns(),
        layout=selection.layout,
        encoding=selection.encoding,
        date_order=selection.date_order,
        reports=selection.reports,
        as_of=selection.as_of,
        sheet=selection.sheet,
    )
    _account(source, selection.ledger)
    step("reconstructing the counts" if source.kind == "tallies" else "counting the incidents")
    counted = escalation.count_series(
        source,
        series=selection.series,
        counter=selection.counter,
        place=selection.place,
        unit=selection.unit,
        by=selection.by,
        measure=selection.measure,
        freq=selection.freq,
        start=selection.start,
        end=selection.end,
        coverage=_coverage(selection.coverage),
        draws=selection.draws,
        rng=selection.seed,
    )
    for note in counted.notes:
        warnings.warn(note, escalation.DataWarning, stacklevel=1)
    return source, counted


def _coverage(given: str | None) -> pd.DataFrame | Literal["units", "sources"] | None:
    """The spans of a file, or the word for how to guess them."""
    return given if given is None or given in ("units", "sources") else escalation.read_coverage(given)  # type: ignore[return-value]


def _account(source: escalation.Source, path: str | None) -> None:
    """Say what the reader did to the rows, and write the ledger where it is asked for."""
    ledger = source.ledger
    if path is not None:
        deliver(ledger, "csv", path)
    if ledger.empty:
        return
    done = ", ".join(f"{number:,} {action}" for action, number in ledger["action"].value_counts().items())
    first = ledger.iloc[0]
    value = f" {first['value']!r}" if first["value"] else ""
    rest = "" if len(ledger) == 1 else ", and so on"
    written = "" if path else "; --ledger FILE lists all"
    warnings.warn(
        f"{source.name}: {done} (row {first['row']}{', ' if first['column'] else ''}{first['column']}{value}: "
        f"{first['why']}{rest}){written}",
        escalation.DataWarning,
        stacklevel=1,
    )


def check_targets(selection: Selection | None, output: str | None, save: str | None = None) -> None:
    """Check, before anything is computed, that each file can be written and is no other's.

    Raises
    ------
    FileError
        If a file cannot be written.
    InputError
        If two of source, output, ledger and saved forecast are one file.
    """
    ledger = selection.ledger if selection else None
    named = [("SOURCE", name) for name in (selection.source if selection else None) or []]
    named += [("--coverage", selection.coverage)] if selection and selection.coverage else []
    named += [(option, name) for option, name in (("--output", output), ("--ledger", ledger), ("--save", save)) if name]
    taken: dict[str, str] = {}
    for option, name in named:
        if option not in ("SOURCE", "--coverage"):
            check_target(name)
        other = taken.setdefault(os.path.realpath(name), option)
        if other != option:
            raise escalation.InputError(f"{option} is {name!r}, the same file as {other}; name another")


def choose_form(form: Format | None, output: str | None) -> Format:
    """Tell the format from the option or from the ending of the output.

    Raises
    ------
    InputError
        If the output names no format that a file can have.
    """
    if output is None:
        return form or "table"
    told = form or ENDINGS.get(Path(output).suffix.lower())
    if told in (None, "table"):
        raise escalation.InputError(f"--output is {output!r}, which tells no format; add --format csv or --format json")
    return told


def deliver(table: pd.DataFrame, form: Format, output: str | None) -> None:
    """Write a table to the output, or to the screen where there is none."""
    text = table_text(table, form)
    if output is None:
        typer.echo(text, nl=False)
        return
    with atomic_write(output) as stream:
        stream.write(text)


def title(counted: escalation.CountedSeries) -> str:
    """What was counted, where, by whom."""
    where = "" if counted.place in ("", EVERYWHERE) else f", {counted.place}"
    known = counted.counter not in ("", DEFAULTS["counter"])
    who = f", as counted by {counted.counter.replace('_', ' ')}" if known else ""
    return f"{counted.title[:1].upper()}{counted.title[1:]}{where}: {counted.unit}{who}"


def with_dates(table: pd.DataFrame) -> pd.DataFrame:
    """Put the first and last day of each period before a table's columns."""
    periods = pd.PeriodIndex(table.index, name="period")
    days = {"start": periods.start_time.strftime("%Y-%m-%d"), "end": periods.end_time.strftime("%Y-%m-%d")}
    return pd.concat([pd.DataFrame(days, index=periods), table.set_axis(periods)], axis=1)


def _counts_table(counted: escalation.CountedSeries) -> pd.DataFrame:
    """Counts, or the median and interval of the histories, and how much of each period is covered."""
    if counted.reconstruction is not None:
        table = counted.reconstruction.summary_frame()
    elif isinstance(counted.counts, pd.DataFrame):
        table = quantile_frame(counted.counts, LEVEL)
    else:
        table = pd.DataFrame({"count": counted.counts})
    return with_dates(table.assign(exposure=counted.exposure))
