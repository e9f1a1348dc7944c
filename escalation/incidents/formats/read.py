"""Read tables of incidents: ACLED, UCDP GED, GDELT, ICEWS, POLECAT, counts a week, or any other by a column map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from escalation.counts.periods import DateLike, parse_date
from escalation.errors import FileError, InputError, warn
from escalation.files.disk import kind_of
from escalation.files.ledger import join_ledgers
from escalation.files.read import read_table
from escalation.files.repeats import as_categories, as_texts
from escalation.incidents.counted_rows import native_freq
from escalation.incidents.duplicates import repeats_in
from escalation.incidents.formats.dates import Days, read_days
from escalation.incidents.formats.gdelt import raw_columns
from escalation.incidents.formats.joining import FileRows, join_files
from escalation.incidents.formats.kinds import LAYOUTS, Kind, layout_of
from escalation.incidents.formats.layout import Layout, match_columns, unchanged
from escalation.incidents.formats.own_tables import (
    Asked,
    OwnTable,
    as_counts,
    check_asked,
    count_rows,
    meaning_of,
    open_own_table,
)
from escalation.incidents.formats.reports import Reports, check_reports, thin
from escalation.incidents.formats.row_meaning import RowMeaning, unused_numbers
from escalation.incidents.formats.rows import (
    Notes,
    clean_coordinates,
    clean_fatalities,
    clean_times,
    clean_victims,
    keep_counted,
    keep_dated,
    keep_known,
    note_unusual,
    read_precisions,
    widen_imprecise,
)
from escalation.incidents.formats.zones import check_zone, in_zone
from escalation.incidents.schema import COLUMNS, OPTIONAL_COLUMNS, SAMPLE, TEXT_COLUMNS, row_digest

MOST_SENTENCES = 50
PATTERN_SIGNS = ("*", "?", "[")
WORDS = {"reports": "a report of an incident", "counts": "the count of a week"}
"""What a row is in files that are of no incidents."""


def read_incidents(
    path_or_paths: str | Path | Sequence[str | Path],
    layout: Kind = "auto",
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    *,
    date_order: Literal["auto", "day-first", "month-first"] = "auto",
    reports: Reports = "all",
    as_of: DateLike | None = None,
    sheet: str | None = None,
    timezone: str | None = None,
    events: str | None = None,
    cumulative: str | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Read tables of incidents and account for every row of them.

    Parameters
    ----------
    path_or_paths : str or Path, or a sequence of them
        Files with one row an incident: CSV, TSV, XLSX, JSON (records, lines or GeoJSON),
        Stata, Parquet (with ``pip install 'escalation[parquet]'``), also in a ``.zip`` or ``.gz``. A
        pattern such as ``"acled/*.csv"`` names all files that it fits, in alphabetical order.
    layout : {"auto", "plain", "acled", "acled-weekly", "ucdp", "gdelt", "icews", "polecat", "sigacts"}
        The kind of file: an own table, an ACLED export of any year (one row an event, or one for each
        of its actors), ACLED's counts a week, UCDP GED (yearly or candidate), GDELT 1.0 or 2.0 (raw
        or with a header), ICEWS, POLECAT, or the SIGACTs of ESOC. ``"auto"`` recognises it by the columns;
        ``"plain"`` also says that each row is an incident.
    columns : mapping of str to str, optional
        Which column of the file holds which column of the result, such as ``{"date": "Datum"}``;
        obvious names (``event_date``, ``lat``, ``killed``) need no entry. Beside the columns of the
        result ``time_precision`` (``day``, ``week``, ``month``, ``year``), ``location_precision`` (``place``,
        ``district``, ``province``, ``country``), ``events``, ``as_of`` and
        ``killed_own``, ``killed_partner``, ``killed_attacker``, ``killed_civilian`` can be named.
    encoding : str, optional
        Encoding of a text file that is neither UTF-8 nor marked UTF-16, such as ``"cp1252"``.
    date_order : {"auto", "day-first", "month-first"}
        What ``03/04/2024`` means. ``"auto"`` lets the whole file decide: one date such as
        ``25/04/2024`` proves the order of all. Where none does, ACLED is read day first and UCDP
        month first, and a plain table is refused. ``03.04.2024`` is always day first.
    reports : {"all", "root", "distinct", "distinct root"}
        For GDELT, ICEWS and POLECAT, whose rows are reports: all of them, root events only (GDELT),
        one of each place, day and code, or both.
    as_of : date or str, optional
        Leave out what became known after this day, by the time at which each row was last changed
        (ACLED's ``timestamp``, GDELT's ``DATEADDED``, or a column ``as_of``). Given all exports of a
        time series of them, this is what could have been known; given the last export alone, rows that
        were changed later are missing, and counts are too low.
    sheet : str, optional
        Name of the sheet of a workbook; the first that holds a table when left out, with a warning where others hold
        something too.
    timezone : str, optional
        Such as ``"Europe/Kyiv"``: times with an offset from UTC belong to the day that it is there. Without it they
        belong to the day that their cell names; times without an offset always do.
    events : str, optional
        Of an own table whose rows are no incidents: the column that says how many a row stands for, or by how many
        it changes a count (numbers below 0 are netted); the same as ``columns={"events": ...}``.
    cumulative : str, optional
        The column of a running total of bulletins. Counts are the differences, each in the window from the day after
        the bulletin before to its own day, so that missing bulletins are no quiet days. Totals that begin anew, are
        corrected, revised (by ``as_of``) or have another fault are adjusted as
        :func:`escalation.counts.difference_totals` does, with each fault in the ledger and in a warning.

    Returns
    -------
    incidents : pandas.DataFrame
        ``date``, ``date_end`` (the window, inclusive, that holds the incident: one day where the day
        is known), ``actor``, ``target``, ``event_type``, ``country``, ``admin1``, ``place``,
        ``latitude``, ``longitude`` (degrees, NaN if unknown), ``fatalities``, ``fatalities_low``,
        ``fatalities_high`` (``<NA>`` if unknown), ``source``, ``incident_id``; in the order of the files.
        Where the file has them also ``events`` (a row stands for so many incidents, as in counts
        a week), ``as_of`` (UTC), ``location_precision`` (how far the place is known: ``place``, ``district``,
        ``province`` or ``country``) and who was killed: ``killed_own`` (of the target's side), ``killed_partner``,
        ``killed_attacker`` (of the actor's side), ``killed_civilian``, ``killed_unknown``.
        ``incidents.attrs["columns"]`` holds, for each file, which of its columns was taken for what,
        ``attrs["layouts"]`` which kind of file it is, ``attrs["rows"]`` what a row was taken for,
        ``attrs["unused"]`` how many cells are filled of each column of whole numbers that nothing is read from, and of
        running totals with faults ``attrs["totals"]`` each in a sentence (the first 50) and ``attrs["as_printed"]``, as
        JSON, the differences as printed by day.
    ledger : pandas.DataFrame
        Each row that was dropped, merged or changed, and why. Rows of the files =
        ``len(incidents) + escalation.files.ledger.rows_lost(ledger)``.

    Raises
    ------
    FileError
        If a file cannot be opened, or a pattern fits none.
    InputError
        If it is no table, has no column that can be the date, ``columns`` names a column that is not
        there, the order of day and month cannot be known, no time zone is called so, or no row can be used; if the
        names or the numbers of an own table, but not both, say that its rows are counts or running totals.

    Warns
    -----
    DataWarning
        If running totals have faults that are adjusted, rows are reports or counts a week and not incidents, times have
        offsets from UTC and no ``timezone`` is given (or none has one and it is), columns had to be guessed, a workbook
        has more sheets, or rows without an id repeat others in every column, so that they may be counted twice.

    Notes
    -----
    Dropped: rows whose date or ``date_end`` is blank (date only), unreadable, before 1900, in the
    future or reversed; rows of counts without a count; a second header row; running totals that are the first
    of their unit, blank or carried forward; sums of other rows. Merged: rows with the
    id of a newer row (by ``as_of``, else a later one), which is kept. Changed: fatalities that
    are no whole number >= 0 and coordinates out of range are blanked, ``low`` and ``high`` are
    blanked where they contradict the best figure, ranges and hedged figures become ``low``, best and ``high``,
    changes of a count below 0 are netted, spreadsheet day numbers become dates, and a row without an id gets a name
    of its own.

    A date that is known to the month, the week, the quarter or the year, or is a range, is a window
    (``1984-09``, ``2024-W01``, ``Q2 2024``, ``10-11 October 2023``, ``mid-March 2001``); so is one in columns of
    year, month and day of which some are 0 or blank. A row of an own table is taken for a count, a change or a
    running total where the name of a column and the shape of its numbers both say so; where one of them does,
    the table is refused, and ``events``, ``cumulative`` or ``layout="plain"`` says what it is.

    ACLED's ``time_precision`` becomes the window: 1 the day, 2 three days either way, 3 the calendar
    month. UCDP's ``type_of_violence`` becomes ``event_type``: ``state-based``, ``non-state``,
    ``one-sided``; its ``deaths_a`` are those killed of the actor's side, who need not have attacked, ``deaths_b``
    those of the target's. A GDELT country is a FIPS code, an event type a CAMEO code.

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
    check_reports(reports)
    zone = check_zone(timezone)
    asked = Asked(columns or {}, events, cumulative, sure=layout == "plain")
    known_by = None if as_of is None else parse_date(as_of, "as_of", side="end")
    files = [
        _read_file(path, layout, asked, encoding, date_order, reports, known_by, sheet, zone)
        for path in expand_paths(path_or_paths)
    ]
    filled = [file for file in files if len(file.rows)]
    if not filled:
        read = ", ".join(str(file.notes.entries.file) for file in files)
        raise InputError(f"{read}: no row was known by {known_by:%Y-%m-%d}; choose a later as_of")
    incidents = join_files(filled)
    for column in reversed(TEXT_COLUMNS):  # ids first, which hardly repeat, while the others still take little memory
        incidents[column] = _text(incidents[column])
    if "events" in incidents:
        incidents["events"] = incidents["events"].fillna(1)  # of files whose rows are incidents
    if "location_precision" in incidents:
        incidents["location_precision"] = incidents["location_precision"].fillna("").astype(str)
    _warn_repeats(incidents)
    incidents.attrs["columns"] = {file.notes.entries.file: dict(file.notes.names) for file in files}
    incidents.attrs["rows"] = {file.notes.entries.file: file.meaning for file in files}
    incidents.attrs["layouts"] = {file.notes.entries.file: file.layout for file in files}
    incidents.attrs["unused"] = {file.notes.entries.file: file.unused for file in files}
    incidents.attrs["holds"] = {file.notes.entries.file: file.holds for file in files}
    incidents.attrs["totals"] = {
        file.notes.entries.file: file.totals[0][:MOST_SENTENCES] for file in files if file.totals[0]
    }
    incidents.attrs["as_printed"] = {
        file.notes.entries.file: json.dumps(file.totals[1]) for file in files if file.totals[1]
    }
    incidents.attrs["zones"] = [file.zone for file in files if file.zone]
    return incidents, join_ledgers(file.notes.entries.frame() for file in files)


def _text(column: pd.Series) -> pd.Series:
    """A column of texts in the type of text; where they repeat each is converted once."""
    if column.iloc[:SAMPLE].is_unique:
        return column.astype(str)
    codes, distinct = pd.factorize(column)
    return pd.Series(distinct, dtype=str).take(codes).set_axis(column.index)


def expand_paths(path_or_paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files that are meant, patterns spelled out.

    Raises
    ------
    FileError
        If a pattern fits no file.
    InputError
        If no path is given, or one is given twice.
    """
    given = [path_or_paths] if isinstance(path_or_paths, str | Path) else list(path_or_paths)
    paths: list[Path] = []
    for one in given:
        if not is_pattern(one) or kind_of(Path(one)) != "nothing":
            paths.append(Path(one))
            continue
        found = _fitting(Path(one))
        found = [path for path in found if kind_of(path) == "file"]
        if not found:
            raise FileError(f"{one}: no file fits this pattern; check the path")
        paths += found
    if not paths:
        raise InputError("no path is given; name a file, a list of files or a pattern")
    twice = [path for path in paths if paths.count(path) > 1] if len(set(paths)) < len(paths) else []
    if twice:
        raise InputError(f"{twice[0]}: is named twice; name each file once")
    return paths


def is_pattern(path: str | Path) -> bool:
    """Say whether a path may stand for several files."""
    return any(sign in str(path) for sign in PATTERN_SIGNS)


def _fitting(pattern: Path) -> list[Path]:
    """What a pattern fits, in alphabetical order."""
    fixed = next(i for i, part in enumerate(pattern.parts) if any(sign in part for sign in PATTERN_SIGNS))
    return sorted(Path(*pattern.parts[:fixed]).glob(str(Path(*pattern.parts[fixed:]))))


def _read_file(
    path: Path,
    kind: Kind,
    asked: Asked,
    encoding: str | None,
    date_order: str,
    reports: Reports,
    as_of: pd.Timestamp | None,
    sheet: str | None,
    zone: ZoneInfo | None,
) -> FileRows:
    """Read one file as far as that can be done without the others."""
    headless = raw_columns if kind in ("auto", "gdelt") else None
    table = read_table(path, encoding=encoding, headless=headless, sheet=sheet, cells="categories")
    layout = layout_of(kind, table.columns)
    if layout.tidy is not unchanged or layout.holds != "incidents":
        table = as_texts(table)
    if reports != "all" and layout.holds != "reports":
        raise InputError(f"{path}: reports={reports!r} goes with GDELT, ICEWS and POLECAT; this is {layout.name}")
    tags, first = _tags(table), table.index[0]
    own = _opened(layout, table if tags is None else table.iloc[1:], asked, date_order, str(path))
    names = own.names
    cells = layout.tidy(_cells(own.table, layout, names))
    notes = Notes(str(path), cells, names)
    if tags is not None:
        notes.entries.add([first], "", [tags], "dropped", "is a second header row (HXL tags)")
    days_read, zone_note = in_zone(_days(cells, layout, date_order, str(path)), cells, zone, notes)
    window = keep_dated(*days_read, notes, layout.days)
    extra: dict[str, pd.Series] = {}
    if "as_of" in names:
        extra["as_of"] = clean_times(cells.loc[window.index], notes)
    if window.empty:
        _refuse_nothing(path, len(table), notes)
    if as_of is not None:
        if "as_of" not in names:
            raise InputError(f"{path}: does not say when its rows became known, so as_of cannot be used; drop it")
        window = window[keep_known(extra["as_of"], as_of, notes)]
    meaning, counted = RowMeaning("incidents"), None
    if layout is LAYOUTS["plain"] and not window.empty:
        meaning = meaning_of(own, window, asked, str(path))
    if meaning.rows != "incidents":
        own, cells = replace(own, table=as_texts(own.table)), as_texts(cells)
        cells, notes = as_counts(own, meaning, cells, notes)
        names = notes.names
        counted = count_rows(own, meaning, window, cells, notes, extra.get("as_of"))
        window, extra["events"] = counted.window, counted.events
    elif "events" in names:
        extra["events"] = keep_counted(cells.loc[window.index], notes)
        window = window.loc[extra["events"].index]
    days, narrow = (window["date"].min(), window["date"].max()), window
    if "time_precision" in names:
        window = widen_imprecise(window, notes, layout.precisions)
    vague = np.asarray((window["date"] != narrow["date"]) | (window["date_end"] != narrow["date_end"]))
    cells = cells if len(window) == len(cells) else cells.loc[window.index]
    note_unusual(cells, notes)
    parts = [window, cells[list(TEXT_COLUMNS)], clean_coordinates(cells, notes), clean_fatalities(cells, notes)]
    rows = pd.concat(parts, axis=1)[list(COLUMNS)]
    extra |= clean_victims(cells, notes)
    if "location_precision" in names:
        extra["location_precision"] = read_precisions(cells, notes, layout.location_precisions)
    for column in OPTIONAL_COLUMNS:
        if column in extra:
            rows[column] = extra[column].loc[rows.index]
    if layout.holds == "reports":
        kept = thin(rows, notes, reports, layout.name)
        vague, rows = vague[rows.index.isin(kept.index)], kept
    if rows.empty and as_of is None:
        _refuse_nothing(path, len(table), notes)
    if layout.holds == "counts" and not rows.empty:
        _warn_counts(rows, layout, str(path))
    taken = meaning.words() if layout.holds == "incidents" else WORDS[layout.holds]
    unused = unused_numbers(own.table, names) if layout is LAYOUTS["plain"] else {}
    nameless = (rows["incident_id"] == "").any()
    said = row_digest(own.table.loc[rows.index]) if nameless else pd.Series(0, index=rows.index)
    return FileRows(
        rows,
        vague,
        days,
        layout is LAYOUTS["acled"],
        notes.about(pd.DataFrame(), names),  # the cells of large files are not held any longer
        said=said,
        zone=zone_note,
        meaning=taken,
        unused=unused,
        layout=layout.name,
        holds=meaning.rows if layout.holds == "incidents" else layout.holds,
        totals=([], {}) if counted is None else (counted.said, counted.printed),
    )


def _refuse_nothing(path: Path, rows: int, notes: Notes) -> None:
    first = notes.entries.frame().iloc[0]
    raise InputError(
        f"{path}: none of its {rows:,} rows can be used; row {first['row']}, {first['column']} "
        f"{first['value']!r} {first['why']}"
    )


def _opened(layout: Layout, table: pd.DataFrame, asked: Asked, order: str, where: str) -> OwnTable:
    """Which column of the file is taken for what."""
    check_asked(asked, where)
    if layout is LAYOUTS["plain"]:
        return open_own_table(layout, table, asked, order, _today(), where)
    if asked.cumulative is not None:
        raise InputError(f"{where}: cumulative={asked.cumulative!r} goes with own tables, and this is {layout.name}")
    chosen = dict(asked.columns) | ({} if asked.events is None else {"events": asked.events})
    return OwnTable(table, match_columns(layout, table.columns, chosen, where))


def _tags(table: pd.DataFrame) -> str | None:
    """The second header row that the Humanitarian Data Exchange puts under the first, or None."""
    filled = [cell for cell in table.iloc[0] if cell != ""]
    return " ".join(filled) if len(table) > 1 and all(cell.startswith("#") for cell in filled) else None


def _cells(table: pd.DataFrame, layout: Layout, names: dict[str, str]) -> pd.DataFrame:
    """The file's cells under the incidents' column names, ``""`` where the file has no such column."""
    blank = as_categories(np.zeros(len(table), dtype=np.int8), [""], table.index)
    wanted = dict.fromkeys([*COLUMNS, *layout.columns, *names])
    return pd.DataFrame({target: table[names[target]] if target in names else blank for target in wanted}, copy=False)


def _days(cells: pd.DataFrame, layout: Layout, order: str, where: str) -> tuple[Days, Days]:
    """Both columns of dates; they share one order of day and month."""
    date, date_end = read_days(
        [cells["date"], cells["date_end"]], order=order, usual=layout.date_order, today=_today(), where=where
    )
    return date, date_end


def _today() -> pd.Timestamp:
    """Tomorrow's date is today's somewhere on earth, so one day is allowed."""
    return pd.Timestamp.now().normalize() + pd.Timedelta(days=1)


def _warn_repeats(incidents: pd.DataFrame) -> None:
    """Warn of incidents without an id whose whole row, place or side included, is there before."""
    if number := len(repeats_in(incidents)):
        warn(
            f"{number:,} of {len(incidents):,} rows have no id and repeat one before them in every column; each "
            "counts, so if they are one incident each merge them: escalation deduplicate, or "
            "escalation.incidents.deduplicate(incidents)"
        )


def _warn_counts(rows: pd.DataFrame, layout: Layout, where: str) -> None:
    """Warn that rows are counts, and in which periods they can be counted whole."""
    own = native_freq(rows)
    how = f"freq={own!r} counts them in their own periods, and others" if own else "aggregate"
    warn(
        f"{where}: {layout.name} holds counts a week, not incidents: its {len(rows):,} rows stand for "
        f"{int(rows['events'].sum()):,} incidents (column events); {how} "
        f"{'have them ' if own else ''}{'spread' if own else 'spreads them'} evenly over the days of each row"
    )
