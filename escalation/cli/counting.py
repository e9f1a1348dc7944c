"""What every command begins with, and the two that end there: the counts, and the bundled cases."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

import escalation
from escalation.assessment.naming import full_title
from escalation.assessment.notes import check_decided
from escalation.assessment.sides import Sides, join_sides
from escalation.assessment.source import SourceSeries
from escalation.cli import screen
from escalation.cli.options import Format, Selection, Table, Target
from escalation.cli.streams import write
from escalation.conventions.arguments import check_whole
from escalation.counts.periods import parse_date, parse_freq, period_index, period_word
from escalation.errors import warn
from escalation.files.disk import atomic_write, check_target, table_text
from escalation.files.ledger import LedgerEntries, join_ledgers
from escalation.files.parquet import check_parquet
from escalation.incidents.coverage import Basis

LEVEL = 0.9
"""Probability of the intervals of counts."""
MOST_DRAWS = 100_000
"""Histories: more would not fit into memory, and show nothing more."""
ENDINGS: dict[str, Format] = {".csv": "csv", ".json": "json"}


def series(selection: Selection, target: Target) -> None:
    """Show the count of each period."""
    target = resolve_target(target, selection)
    with screen.progress(2) as step:
        _, counted = count(selection, step)
    table = _counts_table(counted)
    if target.form != "table":
        return deliver(table, target)
    if counted.reconstruction is not None and counted.reconstruction.spoken.all():  # else it was said before
        screen.say(counted.reconstruction.spoken_sentence())
    middle = "count" if counted.exact else "median"
    columns: list[screen.Column] = [(period_word(counted.freq), screen.periods(table))]
    columns.append((middle, table[middle].map(screen.number)))
    if not counted.exact:
        columns.append(("90% interval", screen.spans(table)))
    return screen.show(full_title(counted), *columns, ("observed", table["observed_share"].map("{:.0%}".format)))


def cases(target: Target) -> None:
    """Show the bundled cases."""
    target = resolve_target(target)
    table = escalation.list_cases()
    if target.form != "table":
        return deliver(table, target)
    numbers = [(name, table[name].map("{:,}".format)) for name in ("tallies", "incidents")]
    return screen.show("Bundled cases", ("case", table.index), ("title", table["title"]), *numbers, words=(0, 1))


def count(
    selection: Selection, step: Callable[[str], None], *, decided: bool = True
) -> tuple[escalation.assessment.Source, SourceSeries]:
    """Open the source and get the counts that were asked for, with what its reader should know as warnings."""
    step(reading(selection))
    source = open_table(selection)
    return source, count_from(source, selection, step, decided=decided)


def count_from(
    source: escalation.assessment.Source, selection: Selection, step: Callable[[str], None], *, decided: bool = True
) -> SourceSeries:
    """Get the counts that were asked for out of an open source, with what their reader should know as warnings.

    Of tallies that all contradict each other there are none, if they must be ``decided``.
    """
    step("reconstructing the counts" if source.kind == "tallies" else "counting the incidents")
    counted = escalation.count_series(
        source,
        series=selection.series,
        counter=selection.counter,
        place=selection.place,
        unit=selection.unit,
        by=selection.by,
        measure=selection.measure,
        victims=selection.victim_list(),
        freq=selection.freq,
        start=selection.start,
        end=selection.end,
        coverage=None if selection.coverage is None else _coverage(selection.coverage)[0],
        draws=selection.draws,
        silence=selection.silence,
        flags=selection.flag_list(),
        rng=selection.seed,
    )
    if decided:
        check_decided(counted.reconstruction)
    for note in counted.notes:
        warn(note)
    if source.unreviewed and len(source.ledger):
        warn(_account(source.name, source.ledger, selection.ledger))
    return counted


def reading(table: Table) -> str:
    """Say what is read."""
    return f"reading {', '.join(table.source or []) or 'the bundled case'}"


def open_table(table: Table, coverage: str | None = None) -> escalation.assessment.Source:
    """Open the source, write the ledger where it is asked for, and say what the reader did to the rows.

    The coverage is a file of the spans in which somebody looked, of a selection its own.
    """
    coverage = table.coverage if isinstance(table, Selection) else coverage
    spans, covered = (None, None) if coverage is None else _coverage(coverage)
    if isinstance(spans, str) and not isinstance(table, Selection):
        raise escalation.InputError(
            f"--coverage is {spans!r}, which is guessed where counts are made; name a file here"
        )
    source = escalation.open_source(
        table.source or None,
        columns=table.columns(),
        layout=table.layout,
        encoding=table.encoding,
        date_order=table.date_order,
        reports=table.reports,
        as_of=table.as_of,
        sheet=table.sheet,
        timezone=table.timezone,
        coverage=None if isinstance(spans, str) else spans,
        events=table.events,
        cumulative=table.cumulative,
        published=table.date,
    )
    ledgers = {source.name: source.ledger}
    if coverage is not None and covered is not None:
        ledgers[coverage] = covered
    if table.ledger is not None:
        keep(join_ledgers(ledgers.values()), table.ledger)
    for name, ledger in ledgers.items():
        if len(ledger) and not source.unreviewed:  # what was read from text says first that nobody has reviewed it
            warn(_account(name, ledger, table.ledger))
    return source


def check_by(source: escalation.assessment.Source, selection: Selection, sides: Sequence[str]) -> None:
    """Refuse sides that the source cannot have, before anything is computed.

    Raises
    ------
    InputError
        If sides of incidents have no column to be found in, or a side of tallies is no series of theirs.
    """
    if source.kind == "incidents" and selection.by is None:
        raise escalation.InputError("--side names values of a column of the incidents; say which: --by actor")
    if source.kind != "tallies" or selection.by is not None:
        return
    known = sorted(source.table["series"].unique())
    for side in sides:
        series = of_side(selection, side).series
        if series not in known:
            raise escalation.InputError(f"--side is {side!r}; the series of the table are {', '.join(known)}")


def count_sides(
    source: escalation.assessment.Source, selection: Selection, sides: Sequence[str], step: Callable[[str], None]
) -> Sides:
    """Get the counts of two sides on the periods that both were wholly covered in.

    A side is a value of ``--by`` for incidents; for tallies a series, or series/counter, or series/counter/unit.

    Raises
    ------
    InputError
        If a side cannot be counted, or they have no period in common.
    """
    return join_sides({side: count_from(source, of_side(selection, side), step) for side in sides})


def of_side(selection: Selection, side: str, option: str = "--side") -> Selection:
    """Select a value of ``--by``; for tallies a series, or series/counter, or series/counter/unit.

    Raises
    ------
    InputError
        If it is neither; ``option`` is what the message calls it.
    """
    if selection.by is not None:
        return replace(selection, series=side)
    series, *rest = side.split("/")
    if len(rest) > 2 or not all((series, *rest)):
        raise escalation.InputError(f"{option} is {side!r}; write series, series/counter or series/counter/unit")
    counter, unit = (*rest, *(None, None))[:2]
    return replace(selection, series=series, counter=counter or selection.counter, unit=unit or selection.unit)


def _coverage(given: str) -> tuple[pd.DataFrame | Basis, pd.DataFrame]:
    """The spans of a file and its ledger, or the word for how to guess them and an empty one."""
    guessed: tuple[Basis, ...] = ("units", "sources", "gaps")
    for word in guessed:
        if given == word:
            return word, LedgerEntries(word).frame()
    return escalation.incidents.read_coverage(given)


def _account(name: str, ledger: pd.DataFrame, path: str | None) -> str:
    """What the reader did to the rows of a file, with the first of them."""
    done = ", ".join(f"{number:,} {action}" for action, number in ledger["action"].value_counts().items())
    first = ledger.iloc[0]
    value = f" {first['value']!r}" if first["value"] else ""
    rest = "" if len(ledger) == 1 else ", and so on"
    written = "" if path else "; --ledger FILE lists all"
    return (
        f"{name}: {done} (row {first['row']}{', ' if first['column'] else ''}{first['column']}{value}: "
        f"{first['why']}{rest}){written}"
    )


def resolve_target(target: Target, table: Table | None = None, save: str | None = None) -> Target:
    """Find in which format a table goes where, and check the files and the table; see :func:`check_targets`.

    Raises
    ------
    InputError
        If the output names no format that a file can have.
    """
    output = target.output
    form = target.form or ("table" if output is None else ENDINGS.get(Path(output).suffix.lower()))
    if output is not None and form in (None, "table"):
        raise escalation.InputError(f"--output is {output!r}, which gives no format; add --format csv or --format json")
    check_targets(table, output, save)
    if save is not None:
        check_parquet(save)
    return replace(target, form=form)


def check_targets(table: Table | None, output: str | None, save: str | None = None) -> None:
    """Check, before anything is read or computed, that each file can be written, is no other's, and what is asked for.

    Raises
    ------
    FileError
        If a file cannot be written.
    InputError
        If two of source, output, ledger and saved forecast are one file, or a day, span or period cannot be meant.
    """
    ledger = table.ledger if table else None
    named = [("SOURCE", name) for name in (table.source if table else None) or []]
    coverage = table.coverage if isinstance(table, Selection) else None
    named += [("--coverage", coverage)] if coverage else []
    named += [(option, name) for option, name in (("--output", output), ("--ledger", ledger), ("--save", save)) if name]
    taken: dict[str, str] = {}
    for option, name in named:
        if option not in ("SOURCE", "--coverage"):
            check_target(name)
        other = taken.setdefault(os.path.realpath(name), option)
        if other != option:
            raise escalation.InputError(f"{option} is {name!r}, the same file as {other}; name another")
    if table is not None:
        _check_asked(table)


def _check_asked(table: Table) -> None:
    """Check what a table is asked for, as far as that does not depend on what is in it."""
    table.columns()
    for name, given in (("as-of", table.as_of), ("date", table.date)):
        if given is not None:
            parse_date(given, f"--{name}")
    if not isinstance(table, Selection):
        return
    parse_freq(table.freq or "D")
    if table.draws is not None:
        check_whole(table.draws, "--draws", MOST_DRAWS)
    first, last = (
        None if given is None else parse_date(given, name)
        for name, given in (("start", table.start), ("end", table.end))
    )
    if first is not None and last is not None:
        period_index(first, last, table.freq or "D")


def deliver(table: pd.DataFrame, target: Target) -> None:
    """Write a table to the output, and say where it is, or to the screen where there is none."""
    assert target.form is not None
    if target.output is None:
        return write(table_text(table, target.form))
    keep(table, target.output, target.form)
    return write(f"Written: {Path(target.output)}\n")


def keep(table: pd.DataFrame, path: str, form: Format = "csv") -> None:
    """Write a table to a file, without a word."""
    text = table_text(table, form)
    with atomic_write(path) as stream:
        stream.write(text)


def with_dates(table: pd.DataFrame) -> pd.DataFrame:
    """Put the first and last day of each period before a table's columns."""
    periods = pd.PeriodIndex(table.index, name="period")
    days = {"start": periods.start_time.strftime("%Y-%m-%d"), "end": periods.end_time.strftime("%Y-%m-%d")}
    return pd.concat([pd.DataFrame(days, index=periods), table.set_axis(periods)], axis=1)


def _counts_table(counted: SourceSeries) -> pd.DataFrame:
    """Counts, or the median and interval of the histories, and how much of each period is covered and observed."""
    table = pd.DataFrame({"count": counted.counts}) if counted.exact else counted.summary_frame(LEVEL)
    return with_dates(table.assign(exposure=counted.exposure, observed_share=counted.observed_share))


def check_order(since: str | None, as_of: str | None) -> None:
    """Refuse a day to which a report speaks that is not after the one since which it does.

    Raises
    ------
    InputError
        If it is not, or one is no date.
    """
    if since is None or as_of is None:
        return
    if parse_date(as_of, "--as-of") <= parse_date(since, "--since"):
        raise escalation.InputError(f"--as-of is {as_of}, not after --since {since}; swap them")
