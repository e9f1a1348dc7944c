"""Read a table of incidents: ACLED, UCDP GED, or any other by a column map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from escalation.errors import InputError
from escalation.files import read_table
from escalation.incidents import acled, plain, ucdp
from escalation.incidents.dates import Days, read_days
from escalation.incidents.layout import Layout, match_columns, plain_name
from escalation.incidents.rows import (
    Notes,
    clean_coordinates,
    clean_fatalities,
    keep_dated,
    merge_repeats,
    widen_imprecise,
)
from escalation.incidents.schema import COLUMNS, TEXT_COLUMNS

LAYOUTS = {"plain": plain.LAYOUT, "acled": acled.LAYOUT, "ucdp": ucdp.LAYOUT}


def read_incidents(
    path: str | Path,
    source: Literal["auto", "plain", "acled", "ucdp"] = "auto",
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    *,
    date_order: Literal["auto", "day-first", "month-first"] = "auto",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Read a table of incidents and account for every row of it.

    Parameters
    ----------
    path : str or Path
        A CSV, TSV or XLSX file with a header, one row an incident.
    source : {"auto", "plain", "acled", "ucdp"}
        The kind of file: an own table, an ACLED export of any year, or a UCDP GED file. ``"auto"``
        tells by the columns.
    columns : mapping of str to str, optional
        Which column of the file holds which column of the result, such as ``{"date": "Datum"}``;
        obvious names (``event_date``, ``lat``, ``killed``) need no entry.
    encoding : str, optional
        Encoding of a text file that is neither UTF-8 nor marked UTF-16, such as ``"cp1252"``.
    date_order : {"auto", "day-first", "month-first"}
        What ``03/04/2024`` means. ``"auto"`` lets the whole file tell: one date such as
        ``25/04/2024`` proves the order of all. Where none does, ACLED is read day first and UCDP
        month first, and a plain table is refused. ``03.04.2024`` is always day first.

    Returns
    -------
    incidents : pandas.DataFrame
        ``date``, ``date_end`` (the window, inclusive, that holds the incident: one day where the day
        is known), ``actor``, ``target``, ``event_type``, ``country``, ``admin1``, ``place``,
        ``latitude``, ``longitude`` (degrees, NaN if unknown), ``fatalities``, ``fatalities_low``,
        ``fatalities_high`` (``<NA>`` if unknown), ``source``, ``incident_id``; in the order of the file.
    ledger : pandas.DataFrame
        Each row that was dropped, merged or changed, and why. Rows of the file =
        ``len(incidents) + escalation.ledger.rows_lost(ledger)``.

    Raises
    ------
    FileError
        If the file cannot be opened.
    InputError
        If it is no table, has no column that can be the date, ``columns`` names a column that is not
        there, the order of day and month cannot be told, or no row can be used.

    Notes
    -----
    Dropped: rows whose date or ``date_end`` is blank (date only), unreadable, before 1900, in the
    future or reversed. Merged: rows with the id of a later row, which is kept. Changed: fatalities that
    are no whole number >= 0 and coordinates out of range are blanked, ``low`` and ``high`` are
    blanked where they contradict the best figure, spreadsheet day numbers become dates, and a row
    without an id gets a name of its own.

    ACLED's ``time_precision`` becomes the window: 1 the day, 2 three days either way, 3 the calendar
    month. UCDP's ``type_of_violence`` becomes ``event_type``: ``state-based``, ``non-state``,
    ``one-sided``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "attacks.csv"
    >>> _ = file.write_text("Datum,Ort,killed\n2024-11-11,Erbil,0\n2024-11-12,Hasaka,2\n31/02/2024,Tanf,0\n")
    >>> incidents, ledger = read_incidents(file, columns={"date": "Datum", "place": "Ort"})
    >>> incidents[["date", "place", "fatalities"]].to_string(index=False).split("\n")[1]
    '2024-11-11  Erbil           0'
    >>> ledger[["row", "value", "why"]].to_string(index=False, header=False)
    '4 31/02/2024 is no day of the calendar (dates here are read day-first)'
    """
    table = read_table(path, encoding=encoding)
    layout = _layout(source, table)
    names = match_columns(layout, table.columns, columns or {}, str(path))
    cells = layout.tidy(_cells(table, layout, names))
    notes = Notes(str(path), cells, names)
    window = keep_dated(*_days(cells, layout, date_order, str(path)), notes)
    if window.empty:
        first = notes.entries.frame().iloc[0]
        raise InputError(
            f"{path}: none of its {len(table):,} rows can be used; row {first['row']}, {first['column']} "
            f"{first['value']!r} {first['why']}"
        )
    if "time_precision" in names:
        window = widen_imprecise(window, notes)
    cells = cells.loc[window.index]
    parts = [window, cells[list(TEXT_COLUMNS)], clean_coordinates(cells, notes), clean_fatalities(cells, notes)]
    rows = pd.concat(parts, axis=1)[list(COLUMNS)]
    return merge_repeats(rows, notes).reset_index(drop=True), notes.entries.frame()


def _layout(source: str, table: pd.DataFrame) -> Layout:
    """The layout asked for, or the one that the columns tell."""
    if source in LAYOUTS:
        return LAYOUTS[source]
    if source != "auto":
        raise InputError(f"source is {source!r}; use auto, plain, acled or ucdp")
    names = {plain_name(name) for name in table.columns}
    if ucdp.is_ucdp(names):
        return ucdp.LAYOUT
    return acled.LAYOUT if acled.is_acled(names) else plain.LAYOUT


def _cells(table: pd.DataFrame, layout: Layout, names: dict[str, str]) -> pd.DataFrame:
    """The file's cells under the incidents' column names, ``""`` where the file has no such column."""
    blank = pd.Series("", index=table.index, dtype=str)
    wanted = dict.fromkeys([*COLUMNS, *layout.columns])
    return pd.DataFrame({target: table[names[target]] if target in names else blank for target in wanted})


def _days(cells: pd.DataFrame, layout: Layout, order: str, where: str) -> tuple[Days, Days]:
    """Both columns of dates; they share one order of day and month."""
    date, date_end = read_days(
        [cells["date"], cells["date_end"]], order=order, usual=layout.date_order, today=_today(), where=where
    )
    return date, date_end


def _today() -> pd.Timestamp:
    """Tomorrow's date is today's somewhere on earth, so one day is allowed."""
    return pd.Timestamp.now().normalize() + pd.Timedelta(days=1)
