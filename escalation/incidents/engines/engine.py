"""Count incidents where they are: in files that DuckDB reads, or in the database of an Ibis table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import EARLIEST, WEEKDAYS
from escalation.errors import FileError, InputError
from escalation.incidents.formats.read import expand_paths
from escalation.incidents.schema import LATEST, MAX_FATALITIES

Expression: TypeAlias = Any
"""A value or table of Ibis, which is an extra."""

Result = TypeVar("Result")

DAY_0 = np.datetime64("1970-01-01", "D")
FIRST_DAY, LAST_DAY = ((np.datetime64(day, "D") - DAY_0).astype(int).item() for day in (EARLIEST, LATEST))
MARCH_0 = 719_468
"""Days from 1 March of the year 0 to 1 January 1970."""

SUNDAY = (np.datetime64("1899-12-31", "D") - DAY_0).astype(int).item()
"""The last Sunday before the earliest date; weeks are counted from the days around it, so that none is negative."""

ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".tsv.gz": "csv"}
"""Kinds of files that DuckDB counts in, by how their names end."""

ROLES = ("date", "date_end", "fatalities", "events", "as_of")
"""Columns of a table of incidents that counting looks at, beside the units."""

SUMS = ("total", "rows", "unknown", "period")
BATCH = 1_000_000
"""Rows that are handed over at a time."""

VALUES = {"incidents": "events", "fatalities": "fatalities"}
"""The column that is summed."""

COUNTED, UNDATED, REVERSED, OUT_OF_RANGE, NOT_YET_KNOWN, OUTSIDE = range(6)
"""What becomes of a row."""


def _ibis() -> Any:
    """Import Ibis, which only counting in an engine needs."""
    try:
        import ibis
        import pyarrow  # noqa: F401
    except ImportError:
        raise InputError("count_in_database needs Ibis and DuckDB; pip install 'escalation[duckdb]'") from None
    return ibis


def open_table(source: Any) -> Expression:
    """The table of a source: files, through DuckDB, or an Ibis table as it is."""
    ibis = _ibis()
    if isinstance(source, ibis.expr.types.Table):
        return source
    if isinstance(source, pd.DataFrame):
        raise InputError("source is a DataFrame, which is in memory already; give it to aggregate")
    if not isinstance(source, str | Path | list | tuple):
        raise InputError(f"source is a {type(source).__name__}; give a path, a list of paths or an Ibis table")
    names = [str(path) for path in expand_paths(source)]
    kinds = {_kind(name) for name in names}
    if len(kinds) > 1:
        raise InputError(f"source has files of several kinds ({', '.join(sorted(kinds))}); count each kind by itself")
    try:
        with quiet():
            engine = ibis.duckdb.connect()
            engine.raw_sql("SET preserve_insertion_order = false")  # rows are counted as they come, in less memory
            read = {"parquet": engine.read_parquet, "csv": engine.read_csv}[kinds.pop()]
            return read(names, union_by_name=True)
    except ImportError:
        raise InputError("counting in files needs DuckDB; pip install 'escalation[duckdb]'") from None
    except Exception as error:
        raise FileError(f"{names[0]}: DuckDB cannot read it ({first_line(error)}); check that it is whole") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries say of one another's interfaces from the user, who can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _kind(name: str) -> str:
    """Which kind of file it is, by its name."""
    for end, kind in ENDINGS.items():
        if name.lower().endswith(end):
            return kind
    raise FileError(f"{name}: DuckDB counts in {', '.join(ENDINGS)}; bring other files into memory with read_incidents")


def first_line(error: Exception) -> str:
    """What an engine says, in short."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else 'no word'}"


def period_number(day: Expression, freq: str) -> Expression:
    """Number the periods of days since 1970, ints or arrays or columns of an engine, not before 1900.

    Only whole numbers are added, multiplied and divided, so that all engines number alike. Months are those of
    ``civil_from_days`` in H. Hinnant, "chrono-compatible low-level date algorithms"
    (https://howardhinnant.github.io/date_algorithms.html).
    """
    if freq == "D":
        return day - FIRST_DAY
    if freq.startswith("W"):
        return (day - (SUNDAY - 6 + WEEKDAYS.index(freq[2:]))) // 7
    march = day + MARCH_0
    era = march // 146_097
    of_era = march - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (year + era * 400) * 12 + (5 * of_year + 2) // 153


@dataclass(frozen=True)
class Sought:
    """What is counted, with days since 1970.

    Attributes
    ----------
    names : mapping of str to str
        Columns of the table by what they hold: ``date``, and as there are ``date_end``, ``fatalities``, ``events``
        and ``as_of``.
    by : tuple of str
        Columns of the units.
    freq, measure, count_on : str
        As in :func:`escalation.aggregate`; ``freq`` as pandas spells it.
    start, end : int or None
        First and last covered day.
    as_of : int or None
        Only rows that had become known by the end of this day.
    """

    names: Mapping[str, str]
    by: tuple[str, ...]
    freq: str
    measure: str
    count_on: str
    start: int | None
    end: int | None
    as_of: int | None

    @property
    def keys(self) -> list[str]:
        """What the units' columns are called in the engine."""
        return [f"key{place}" for place in range(len(self.by))]


def prepared(table: Expression, sought: Sought) -> Expression:
    """What counting needs of each row.

    Columns: the unit (``key0``, ...), ``first`` and ``last`` day, the ``day`` on which it counts and its ``value``; if
    asked for, ``endless`` (no last day is given) and ``known`` (the day on which it became known).
    """
    import ibis

    keys = {key: table[name] for key, name in zip(sought.keys, sought.by, strict=True)}
    first = last = _days(table, sought.names["date"])
    more = {}
    if "date_end" in sought.names:
        end = _days(table, sought.names["date_end"])
        last = ibis.coalesce(end, first)
        more["endless"] = end.isnull()
    if sought.as_of is not None:
        more["known"] = _days(table, sought.names["as_of"])
    day = {"first": first, "middle": first + (last - first) // 2, "last": last}[sought.count_on]
    return table.select(**keys, first=first, last=last, day=day, value=_value(table, sought), **more)


def _kept(rows: Expression, sought: Sought) -> Expression:
    """Which rows are counted, in few comparisons of columns with numbers, which engines are quick at."""
    kept = rows.day.between(
        FIRST_DAY if sought.start is None else sought.start, LAST_DAY - 1 if sought.end is None else sought.end
    )
    if "date_end" in sought.names:
        kept &= (rows["first"] >= FIRST_DAY) & (rows["first"] <= rows["last"]) & (rows["last"] < LAST_DAY)
    return kept if sought.as_of is None else kept & (rows.known <= sought.as_of)


def _fate(rows: Expression, sought: Sought) -> Expression:
    """What becomes of each row."""
    import ibis

    fates = [
        (_kept(rows, sought), COUNTED),
        (rows["first"].isnull(), UNDATED),
        (rows["last"] < rows["first"], REVERSED),
        ((rows["first"] < FIRST_DAY) | (rows["last"] >= LAST_DAY), OUT_OF_RANGE),
    ]
    if sought.as_of is not None:
        fates.append((rows.known.isnull() | (rows.known > sought.as_of), NOT_YET_KNOWN))
    return ibis.cases(*fates, else_=OUTSIDE)


def _days(table: Expression, name: str) -> Expression:
    """Days since 1970 of a column of dates or times."""
    column = table[name]
    kind = column.type()
    if kind.is_timestamp() and kind.timezone is not None:
        raise InputError(
            f"column {name!r} of the table has times with a time zone ({kind.timezone}); choose whose days count, "
            "and drop it in the database"
        )
    if not (kind.is_date() or kind.is_timestamp()):
        raise InputError(f"column {name!r} of the table is {kind}, not dates; cast it with Ibis or in the database")
    return (column if kind.is_date() else column.date()).epoch_days().cast("int64")


def _value(table: Expression, sought: Sought) -> Expression:
    """What a row adds: its fatalities, the events it stands for, or 1."""
    import ibis

    role = VALUES[sought.measure]
    if role not in sought.names:
        if role == "events":
            return ibis.literal(1, "int64")
        raise InputError(
            f"the table has no column of fatalities; name it, columns={{'fatalities': ...}}, out of "
            f"{', '.join(table.columns)}"
        )
    column = table[sought.names[role]]
    if not column.type().is_numeric():
        raise InputError(f"column {sought.names[role]!r} of the table is {column.type()}, not numbers; cast it first")
    return ibis.ifelse(column.isnan(), None, column) if column.type().is_floating() else column


def survey(rows: Expression, sought: Sought) -> Any:
    """What there is: a row for each unit, as the table spells it, and each fate of rows, as a pyarrow Table.

    Columns: the keys, ``fate``, ``rows``, ``first`` and ``last`` day where these make the span, the windows that reach
    into another period (``wide``) and that have no end (``endless``), values that are missing (``unknown``) and that
    cannot be (``bad``).
    """
    import ibis
    import pyarrow as pa

    sums = {}
    if "date_end" in sought.names:
        sums["wide"] = period_number(rows["first"], sought.freq) != period_number(rows["last"], sought.freq)
        sums["endless"] = rows.endless
    if VALUES[sought.measure] in sought.names:
        sums["unknown"] = rows.value.isnull()
        sums["bad"] = (rows.value < 0) | (rows.value > MAX_FATALITIES) | (rows.value != rows.value.round())
    found = rows.mutate(fate=_fate(rows, sought), **sums).group_by([*sought.keys, "fate"])
    summary = {name: ibis._[name].sum().fill_null(0) for name in sums}
    if sought.start is None:
        summary["first"] = ibis._["first"].min()
    if sought.end is None:
        summary["last"] = ibis._["last"].max()
    table = answer(found.aggregate(rows=ibis._.count(), **summary).to_pyarrow)
    for name in ("first", "last", "wide", "endless", "unknown", "bad"):
        if name not in summary:
            table = table.append_column(name, pa.array(np.zeros(table.num_rows, dtype=np.int64)))
    return table


@dataclass(frozen=True)
class Grid:
    """The table of counts that rows are put into.

    Attributes
    ----------
    spelled : pyarrow.Table
        The units as the table of incidents spells them; a unit can be spelled in two ways (missing, and empty).
    unit : (k,) int array
        Which column of the counts each of them is.
    units, periods : int
        Columns and rows of the counts.
    first : int
        Number of the first period.
    """

    spelled: Any
    unit: NDArray[np.int64]
    units: int
    periods: int
    first: int


@dataclass(frozen=True)
class Part:
    """Some of the counts: arrays of one length, in which a place may come up several times.

    Attributes
    ----------
    place : int array
        Unit x periods + period.
    total, rows, unknown : int array, or an int for all
        The sum that is added there, the rows behind it, and how many of them have no value.
    """

    place: NDArray[np.int64]
    total: NDArray[np.int64] | int
    rows: NDArray[np.int64] | int
    unknown: NDArray[np.int64] | int


def counts_of(rows: Expression, sought: Sought, grid: Grid) -> Iterator[Part]:
    """The counts of the rows that are counted, in parts."""
    counted = rows.filter(_kept(rows, sought))
    counted = counted.mutate(period=period_number(counted.day, sought.freq) - grid.first)
    engine = rows.get_backend()
    return _from_duckdb(counted, sought, grid, engine) if engine.name == "duckdb" else _grouped(counted, sought, grid)


def _grouped(counted: Expression, sought: Sought, grid: Grid) -> Iterator[Part]:
    """Counts by unit and period as the engine groups them."""
    sums = counted.group_by([*sought.keys, "period"]).aggregate(
        rows=counted.count(),
        total=counted.value.fill_null(0).cast("int64").sum(),
        unknown=counted.value.isnull().sum(),
    )
    for batch in sums.to_pyarrow().to_batches(BATCH):
        total, rows, unknown, period = (batch[name].to_numpy(zero_copy_only=False).astype(np.int64) for name in SUMS)
        unit = _spelled_units(batch, sought.keys, grid)
        here = unit >= 0
        yield Part((unit * grid.periods + period)[here], total[here], rows[here], unknown[here])


def _spelled_units(batch: Any, keys: list[str], grid: Grid) -> NDArray[np.int64]:
    """The unit of each row of a batch, by its keys; -1 if it came up since the survey."""
    import pyarrow.compute as pc

    if not keys:
        return np.zeros(len(batch), dtype=np.int64)
    asked, known = np.zeros(len(batch), dtype=np.int64), np.zeros(len(grid.unit), dtype=np.int64)
    new = np.zeros(len(batch), dtype=bool)
    for key in keys:
        spelled = grid.spelled[key].combine_chunks()
        values = spelled.unique()
        place = pc.index_in(batch[key], value_set=values)
        new |= place.is_null().to_numpy(zero_copy_only=False)
        asked = asked * len(values) + place.fill_null(0).to_numpy()
        known = known * len(values) + pc.index_in(spelled, value_set=values).to_numpy()
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known, asked, sorter=order), len(known) - 1)]
    return np.where(new | (known[at] != asked), -1, grid.unit[at])


def _from_duckdb(counted: Expression, sought: Sought, grid: Grid, engine: Any) -> Iterator[Part]:
    """Rows by their place, which are then only added up.

    DuckDB runs in this process, so rows need not be few to be handed over: it reads, chooses and places them in a
    third of the time that it would take to group 10 million rows into 2.7 million counts by hashing.
    """
    import ibis
    import pyarrow as pa

    name = f"escalation_units_{uuid4().hex}"
    if sought.keys:
        engine.con.register(
            f"{name}_given", grid.spelled.select(sought.keys).append_column("unit", pa.array(grid.unit))
        )
        engine.con.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_given")  # joined faster than what is registered
        engine.con.unregister(f"{name}_given")
        units = engine.table(name)
        counted = counted.inner_join(units, [counted[key].identical_to(units[key]) for key in sought.keys])
    else:
        counted = counted.mutate(unit=0)
    summed = VALUES[sought.measure] in sought.names
    place = (counted.unit * grid.periods + counted.period).cast("int32")
    wanted = {"place": place} | ({"value": counted.value} if summed else {})
    try:
        for batch in engine.con.sql(ibis.to_sql(counted.select(**wanted))).fetch_record_batch(BATCH):
            place = batch["place"].to_numpy()
            if summed:
                value = batch["value"].fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
                yield Part(place, value, 1, batch["value"].is_null().to_numpy(zero_copy_only=False).astype(np.int64))
            else:
                yield Part(place, 1, 1, 0)
    finally:
        if sought.keys:
            engine.con.execute(f"DROP TABLE {name}")


def answer(ask: Callable[[], Result]) -> Result:
    """What an engine answers; what it refuses is named."""
    try:
        with quiet():
            return ask()
    except Exception as error:
        raise InputError(f"the engine stopped with {first_line(error)}; try the table by itself in Ibis") from error
