"""Own tables: which column is what, and what a row is, of a file that no layout knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from escalation.errors import InputError, warn
from escalation.files.repeats import as_texts
from escalation.incidents.formats.date_parts import find_parts, join_parts
from escalation.incidents.formats.guess import Guess, fitting_dates, guess_columns, holds_dates
from escalation.incidents.formats.layout import Layout, check_map, match_columns, plain_name
from escalation.incidents.formats.row_meaning import RowMeaning, Rows, chosen_meaning, find_meaning, sums_of_others
from escalation.incidents.formats.rows import Notes, keep_counted
from escalation.incidents.formats.running_totals import Differenced, difference, net, period_windows
from escalation.incidents.formats.wide import DATE, VALUE, date_columns, melt

SHOWN_RIVALS = 4


@dataclass(frozen=True)
class Asked:
    """What the user said of an own table.

    Attributes
    ----------
    columns : mapping of str to str
        Which column holds what.
    events, cumulative : str, optional
        The column of the count, or of the running total, of each row.
    sure : bool
        Whether each row is an incident, whatever its columns look like.
    """

    columns: Mapping[str, str]
    events: str | None = None
    cumulative: str | None = None
    sure: bool = False

    @property
    def counted(self) -> str | None:
        """The column that was named as the count or the running total."""
        return self.cumulative or self.events or self.columns.get("events")


@dataclass(frozen=True)
class OwnTable:
    """A file's cells, which of its columns was taken for what, and whether it had a column for each date."""

    table: pd.DataFrame
    names: dict[str, str]
    wide: bool = False


def check_asked(asked: Asked, where: str) -> None:
    """Check that the choice is a mapping, and at most one column named as the count.

    Raises
    ------
    InputError
        If not.
    """
    check_map(asked.columns)
    given = [name for name in (asked.cumulative, asked.events, asked.columns.get("events")) if name is not None]
    if len(given) > 1:
        raise InputError(
            f"{where}: {given[0]!r} and {given[1]!r} are both given as what is counted; give one of events, cumulative "
            "and columns={'events': ...}"
        )


def open_own_table(
    layout: Layout, table: pd.DataFrame, asked: Asked, order: str, today: pd.Timestamp, where: str
) -> OwnTable:
    """Find which column of an own table is what; a column for each date becomes a row for each.

    Raises
    ------
    InputError
        If no column can be the date, or a choice names a column that is not there.
    """
    wide = {} if "date" in asked.columns else date_columns(table, order, today, where)
    if wide:
        table = melt(as_texts(table), wide, where)
        warn(
            f"{where}: has a column for each of {len(wide):,} dates, read as {len(table):,} rows of one unit and date "
            "each, which the ledger numbers"
        )
    chosen = dict(asked.columns) | ({} if asked.counted is None else {"events": asked.counted})
    names, table = _names(layout, table, chosen, where, {DATE: DATE} if wide else {})
    if wide:
        names = {target: name for target, name in names.items() if name != VALUE or target == "events"}
    return OwnTable(table, names, bool(wide))


def meaning_of(own: OwnTable, window: pd.DataFrame, asked: Asked, where: str) -> RowMeaning:
    """What the rows are, by what the user said or else by names and shapes; what is no incident is said.

    Raises
    ------
    InputError
        If names and shapes do not say the same.
    """
    if asked.counted is not None:
        kind: Rows = "counts" if asked.cumulative is None else "totals"
        return chosen_meaning(own.table, window, own.names, kind, asked.counted)
    if asked.sure and not own.wide:
        return RowMeaning("incidents")
    return find_meaning(own.table, window, own.names, wide=own.wide, where=where)


def as_counts(own: OwnTable, meaning: RowMeaning, cells: pd.DataFrame, notes: Notes) -> tuple[pd.DataFrame, Notes]:
    """The cells with the column of the count, and without the dead of columns that are running totals."""
    dropped = {target: name for target, name in notes.names.items() if name in meaning.running}
    others = sorted(set(dropped.values()) - {meaning.column})
    if others:
        said = ", ".join(map(repr, others))
        warn(f"{notes.entries.file}: {said} only rises and says of no row how many died; it is not read")
    names = {target: name for target, name in notes.names.items() if target not in dropped}
    cells = cells.assign(events=own.table[meaning.column], **dict.fromkeys(dropped, ""))
    return cells, notes.about(cells, names | {"events": meaning.column})


def count_rows(
    own: OwnTable,
    meaning: RowMeaning,
    window: pd.DataFrame,
    cells: pd.DataFrame,
    notes: Notes,
    as_of: pd.Series | None = None,
) -> Differenced:
    """The windows of rows that are no incidents, and how many each of them stands for; the others are noted.

    Raises
    ------
    InputError
        If changes sum to less than 0, or running totals of one date are not distinguished.
    """
    where = notes.entries.file
    sums = sums_of_others(own.table.loc[window.index])
    notes.add(sums, "events", "dropped", "is the sum of other rows")
    window = window[~sums]
    said: list[str] = []
    printed: dict[str, int] = {}
    if meaning.rows == "totals":
        totals = keep_counted(cells.loc[window.index], notes, blanks=True)
        window, events, said, printed = difference(totals, window.loc[totals.index], own.table, meaning, notes, as_of)
    elif meaning.rows == "changes":
        events = net(keep_counted(cells.loc[window.index], notes, signed=True), window, own.table, meaning, notes)
    else:
        events = keep_counted(cells.loc[window.index], notes)
        window = period_windows(window.loc[events.index], meaning, own.names["date"], where)
    warn(
        f"{where}: a row was taken for {meaning.words()}, not for an incident: {len(events):,} rows stand for "
        f"{int(events.sum()):,} (column events); give layout plain if each row is an incident"
        f"{'; ' + meaning.doubt if meaning.doubt else ''}"
    )
    if said:
        faults = "fault" if len(said) == 1 else "faults"
        warn(
            f"{where}: {len(said):,} {faults} of running totals {meaning.column!r} adjusted, {int(events.sum()):,} in "
            f"all where {sum(printed.values()):,} were printed, such as: {said[0]}"
        )
    return Differenced(window.loc[events.index], events, said, printed)


def _names(
    layout: Layout, table: pd.DataFrame, chosen: Mapping[str, str], where: str, sure: Mapping[str, str]
) -> tuple[dict[str, str], pd.DataFrame]:
    """Which column of the file is taken for what; guesses are said."""
    unfit = {} if "date" in chosen or sure else {plain_name(name) for name in fitting_dates(layout, table)}
    dates = tuple(name for name in layout.columns["date"] if name not in unfit)
    fitting = replace(layout, columns={**layout.columns, "date": dates})
    known = match_columns(fitting, table.columns, {**chosen, **sure}, where, missing="allowed")
    if "date" not in known and len(parts := find_parts(table, set(known.values()))) > 1:
        table, known = _with_parts(table, known, parts, where)
    guess = guess_columns(layout, table, known)
    if "date" not in known | guess.columns and (parts := find_parts(table, set(known.values()))):
        table, known = _with_parts(table, known, parts, where)
    if rivals := guess.rivals.get("date"):
        raise InputError(
            f"{where}: {_shown(rivals)} may each be the date; choose with columns={{'date': ...}} or --column date=NAME"
        )
    names = match_columns(layout, table.columns, {**known, **guess.columns}, where)
    _refuse_headless(names, where)
    _say_guesses(guess, where)
    return names, table


def _refuse_headless(names: Mapping[str, str], where: str) -> None:
    """Refuse a table whose first row, taken for the names, is an incident."""
    name = names["date"]
    if holds_dates(pd.Series([name])):
        raise InputError(f"{where}: its first row holds {name!r}, so it names no columns; put a row of names above it")


def _with_parts(
    table: pd.DataFrame, known: dict[str, str], parts: dict[str, str], where: str
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table with a column of dates made of columns of their parts."""
    name = " + ".join(parts.values())
    if "week" in parts:
        warn(f"{where}: weeks of {parts['week']!r} are read as those of ISO 8601, which begin on Monday")
    return table.assign(**{name: join_parts(table, parts)}), {**known, "date": name}


def _shown(rivals: list[str]) -> str:
    return ", ".join(map(repr, rivals[:SHOWN_RIVALS])) + (", and others" if len(rivals) > SHOWN_RIVALS else "")


def _say_guesses(guess: Guess, where: str) -> None:
    if guess.columns:
        said = ", ".join(f"{target} = {name!r}" for target, name in guess.columns.items())
        warn(
            f"{where}: guessed by words in names or by dates in cells: {said}; "
            "choose with columns={...} or --column TARGET=NAME where that is wrong"
        )
    for target in ("fatalities", "place", "country"):
        if rivals := guess.rivals.get(target):
            warn(
                f"{where}: {_shown(rivals)} may each be the {target}, so none is read; "
                f"choose with columns={{{target!r}: ...}} or --column {target}=NAME"
            )
