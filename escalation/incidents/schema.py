"""The incidents table: its columns, its invariants, and the one gate that checks them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.counts.periods import EARLIEST
from escalation.errors import InputError
from escalation.files.frames import as_pandas
from escalation.files.repeats import are_categories

COLUMNS = (
    "date",
    "date_end",
    "actor",
    "target",
    "event_type",
    "country",
    "admin1",
    "place",
    "latitude",
    "longitude",
    "fatalities",
    "fatalities_low",
    "fatalities_high",
    "source",
    "incident_id",
)
TEXT_COLUMNS = ("actor", "target", "event_type", "country", "admin1", "place", "source", "incident_id")
FATALITY_COLUMNS = ("fatalities", "fatalities_low", "fatalities_high")
VICTIM_COLUMNS = ("killed_own", "killed_partner", "killed_attacker", "killed_civilian", "killed_unknown")
"""Those killed of the target's side, of its partners, of the actor's side, of civilians, and of whom it is not said."""
PRECISIONS = ("place", "district", "province", "country")
"""How far the place of an incident is known: the town or a few kilometres around it, or only the area that holds it."""
OPTIONAL_COLUMNS = ("events", "as_of", "location_precision", *VICTIM_COLUMNS)
"""``events``: how many incidents a row stands for; ``as_of``: since when the row has said what it says;
``location_precision``: one of :data:`PRECISIONS`, blank where it is not said."""
COORDINATE_LIMITS = {"latitude": 90.0, "longitude": 180.0}

REPEATED_ID = r"(no-id-\d+(?:-\d+)?)-again-\d+"
"""What :func:`fallback_ids` calls rows that repeat one before them cell by cell; the group is the name of that row."""
ROW_NUMBER_NAMES = ("", "index", "unnamed: 0", "level_0", "row", "rownames", "x", "...1")
"""Names of columns that only number the rows of a file, as pandas and R write them."""

TEXT = pd.Series([], dtype=str).dtype
"""Type of columns of text in this version of pandas; plain objects, which may be anything, before version 3."""
SAMPLE = 2_000
AT_ONCE = 100_000
"""Cells that are hashed in one go."""
LATEST = pd.Timestamp("2200-01-01")
MAX_FATALITIES = 100_000_000
"""No single incident is believed to have killed more; sums stay exact far below 2**53."""


def check_incidents(table: pd.DataFrame, name: str = "incidents") -> pd.DataFrame:
    """Check a table of incidents and return it in its canonical types.

    Parameters
    ----------
    table : pandas.DataFrame, or a table of polars, Arrow, DuckDB or Ibis
        One row an incident. Only ``date`` must be there; a missing ``date_end`` is the ``date``,
        other missing columns are blank, and a blank ``incident_id`` gets a fallback identity.
    name : str
        What messages call it.

    Returns
    -------
    pandas.DataFrame
        The columns of :data:`COLUMNS` in that order, then any others as they are: dates
        ``datetime64`` at midnight, text with ``""`` for blank, coordinates float, fatalities ``Int64``;
        ``events`` and those of :data:`VICTIM_COLUMNS`, where there are any, ``Int64``; ``location_precision``,
        where there is one, text.

    Raises
    ------
    InputError
        If it is no table, has no rows, no ``date``, a column twice, a date that is missing, not
        a date, outside 1900 to 2199 or after its ``date_end``, fatalities (of any victims) or ``events``
        that are not whole numbers >= 0 or not in the order low <= best <= high, a coordinate out of
        range, a ``location_precision`` that is none of :data:`PRECISIONS`, or an ``incident_id`` twice.

    Examples
    --------
    >>> import pandas as pd
    >>> check_incidents(pd.DataFrame({"date": [pd.Timestamp("2024-11-12")]})).loc[0, "date_end"]
    Timestamp('2024-11-12 00:00:00')
    """
    table = as_pandas(table, name, "the DataFrame that read_incidents returns")
    _check_shape(table, name)
    checked = pd.DataFrame(index=table.index)
    checked["date"] = _days(table["date"], "date", name)
    checked["date_end"] = _days(table["date_end"], "date_end", name) if "date_end" in table else checked["date"]
    _refuse(
        checked["date_end"] < checked["date"], checked["date_end"], name, "is before its date; swap or correct them"
    )
    for column in COLUMNS[2:]:
        checked[column] = _column(table, column, name)
    _check_order(checked, name)
    _check_identity(checked, table, name)
    others = [column for column in table.columns if column not in COLUMNS]
    if others:
        checked = pd.concat([checked, table[others]], axis=1)
    kept = {name: table.attrs[name] for name in ("holds", "layouts") if name in table.attrs}
    checked.attrs |= kept  # what its rows and files are, for what follows from days without a row
    if "events" in others:
        _refuse(
            table["events"].isna(), table["events"], name, "is no number of events; give 0 or more, or drop the row"
        )
        checked["events"] = _column(table, "events", name)
    for column in VICTIM_COLUMNS:
        if column in others:
            checked[column] = _column(table, column, name)
    if "location_precision" in others:
        checked["location_precision"] = _precision(table["location_precision"], name)
    if "as_of" in others and not pd.api.types.is_datetime64_dtype(table["as_of"].dtype):
        raise InputError(f"{name}: column 'as_of' is {table['as_of'].dtype}, not times; use pandas.to_datetime")
    return checked


def event_numbers(table: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many incidents each row of a checked table stands for."""
    return np.asarray(table["events"] if "events" in table else np.ones(len(table)), dtype=np.int64)


def fallback_ids(rows: pd.DataFrame, said: pd.Series) -> pd.Series:
    """Name rows that have no id by what they say, so that a later export of the same rows agrees.

    Rows that differ nowhere in the columns of incidents are distinguished by a number: none is ever taken for another.
    Those that repeat a whole row of their file say so in their name, after ``-again-``.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns of a checked table.
    said : pandas.Series
        From :func:`row_digest`, of the whole rows that they were read from.
    """
    digest = _digest(rows[[column for column in COLUMNS if column != "incident_id"]])
    names = np.array([f"no-id-{number}" for number in digest.tolist()], dtype=object)
    alike = np.flatnonzero(digest.duplicated(keep=False))
    keys = pd.DataFrame({"digest": digest.to_numpy()[alike], "said": said.to_numpy()[alike]})
    again = keys.groupby(["digest", "said"], sort=False).cumcount()
    number = keys.loc[again == 0].groupby("digest", sort=False).cumcount().reindex(keys.index)
    number = number.groupby([keys["digest"], keys["said"]]).transform("first").astype(int)
    for at, place, repeat in zip(alike, number, again, strict=True):
        names[at] += (f"-{place + 1}" if place else "") + (f"-again-{repeat + 1}" if repeat else "")
    return pd.Series(names, index=rows.index, dtype=object)


def row_digest(table: pd.DataFrame) -> pd.Series:
    """One number for each row, the same where rows are the same in all columns but those that number the rows."""
    return _digest(table[[name for name in table.columns if not _numbers_rows(table[name], str(name))]])


def _digest(table: pd.DataFrame) -> pd.Series:
    """A hash of each row that is the same in every version of pandas.

    Columns are hashed one by one, so that one of them at a time is held as text, and joined as pandas joins those of a
    table (``pandas.util.hash_pandas_object``).
    """
    if not len(table.columns):
        return pd.Series(0, index=table.index, dtype="uint64")
    hashed, factor = np.full(len(table), 0x345678, dtype=np.uint64), 1000003
    for left, (_, column) in zip(range(len(table.columns), 0, -1), table.items(), strict=True):
        hashed ^= _column_digest(column)
        hashed *= np.uint64(factor)
        factor += 82520 + 2 * left
    return pd.Series(hashed + np.uint64(97531), index=table.index)


def _column_digest(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A hash of each cell; of categories that are texts each is hashed once."""
    if are_categories(column) and column.cat.categories.dtype.kind == "O" and not column.hasnans:
        return _column_digest(column.cat.categories.to_series())[column.cat.codes.to_numpy()]
    plain = pd.api.types.is_numeric_dtype(column.dtype) or column.dtype.kind in "mM"
    cells = column if plain else _texts(column)
    if cells.iloc[:SAMPLE].nunique() < 0.5 * SAMPLE:
        return np.asarray(pd.util.hash_pandas_object(cells, index=False), dtype=np.uint64)
    parts = range(0, len(cells), AT_ONCE)  # of distinct cells, which are copied as bytes
    hashed = [pd.util.hash_pandas_object(cells.iloc[at : at + AT_ONCE], index=False, categorize=False) for at in parts]
    return np.asarray(pd.concat(hashed), dtype=np.uint64)


def _texts(column: pd.Series) -> pd.Series:
    """Cells as plain text, whatever they hold."""
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=False) == "string":
        return column
    return column.astype(str).astype(object)


def _numbers_rows(column: pd.Series, name: str) -> bool:
    """Say whether a column holds nothing but the growing numbers of rows."""
    if name.strip().casefold() not in ROW_NUMBER_NAMES:
        return False
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return bool((np.diff(numbers) > 0).all())


def _check_shape(table: pd.DataFrame, name: str) -> None:
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(f"{name} has two columns called {twice!r}; drop or rename one")
    if "date" not in table:
        found = ", ".join(str(column) for column in table.columns)
        raise InputError(f"{name} has no column 'date' (columns found: {found}); rename the column of dates")
    if table.empty:
        raise InputError(f"{name} has no rows; check the filter that made it (no rows is not the same as no incidents)")


def _days(column: pd.Series, label: str, name: str) -> pd.Series:
    """Dates at midnight, after the checks on one date column."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise InputError(f"{name}: column {label!r} is {column.dtype}, not dates; convert it with pandas.to_datetime")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise InputError(f"{name}: column {label!r} has a time zone; choose one and drop it with .dt.tz_localize(None)")
    _refuse(column.isna(), column, name, f"is a missing {label}; drop or date the row")
    _refuse(~column.between(EARLIEST, LATEST, inclusive="left"), column, name, f"({label}) lies outside 1900 to 2199")
    midnight: pd.Series = column.dt.normalize().astype("datetime64[ns]")
    return midnight


def _column(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """One column after the dates in its canonical type, blank where the table has none."""
    if column in TEXT_COLUMNS:
        if column not in table:
            return pd.Series("", index=table.index, dtype=str)
        if table[column].dtype == TEXT and not table[column].hasnans:
            return table[column]
        return table[column].astype(object).where(table[column].notna(), "").astype(str)
    values = _numbers(table[column], column, name) if column in table else pd.Series(np.nan, index=table.index)
    if column in COORDINATE_LIMITS:
        limit = COORDINATE_LIMITS[column]
        _refuse(values.abs() > limit, values, name, f"is no {column}; it must lie in {-limit:g} to {limit:g}")
        return values
    bad = (values < 0) | (values != values.round()) & values.notna() | (values > MAX_FATALITIES)
    _refuse(bad, values, name, f"({column}) is no whole number from 0 to {MAX_FATALITIES:,}")
    return values.astype("Int64")


def _precision(column: pd.Series, name: str) -> pd.Series:
    """How far places are known, in the words of :data:`PRECISIONS`, blank where it is not said."""
    words = column.astype(object).where(column.notna(), "").astype(str)
    _refuse(
        ~words.isin([*PRECISIONS, ""]), words, name, f"is no location_precision; use {', '.join(PRECISIONS)} or blank"
    )
    return words


def _numbers(column: pd.Series, label: str, name: str) -> pd.Series:
    if pd.api.types.is_bool_dtype(column.dtype) or not (
        pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all()
    ):
        raise InputError(f"{name}: column {label!r} is {column.dtype}, not numbers; convert it with pandas.to_numeric")
    return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)


def _check_order(checked: pd.DataFrame, name: str) -> None:
    low, best, high = (checked[column] for column in ("fatalities_low", "fatalities", "fatalities_high"))
    reversed_ = out_of_order(low, best, high)
    _refuse(reversed_, best, name, "(fatalities) breaks low <= best <= high; blank or correct the three")


def out_of_order(low: pd.Series, best: pd.Series, high: pd.Series) -> pd.Series:
    """Rows whose known fatality figures are not in the order low <= best <= high, bool."""
    pairs = ((low, best), (best, high), (low, high))
    return pd.concat([(a > b).fillna(value=False).astype(bool) for a, b in pairs], axis=1).any(axis=1)


def _check_identity(checked: pd.DataFrame, table: pd.DataFrame, name: str) -> None:
    """Refuse repeated ids, then name the rows that have none (in place)."""
    ids = checked["incident_id"]
    blank = ids == ""
    _refuse(ids.duplicated() & ~blank, ids, name, "is an incident_id that two rows have; drop one of them")
    if blank.any():
        checked.loc[blank, "incident_id"] = fallback_ids(checked[blank], row_digest(table)[blank])


def _refuse(bad: pd.Series, values: pd.Series, name: str, why: str) -> None:
    """Raise for the first bad row, with its value and its label."""
    flags = bad.to_numpy(dtype=bool, na_value=False)
    if flags.any():
        at = int(np.argmax(flags))
        value = values.iloc[at]
        shown = f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value
        raise InputError(f"{name}, row {values.index[at]!r}: {shown} {why}")
