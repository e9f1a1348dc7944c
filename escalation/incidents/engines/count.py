"""Count incidents in tables that do not fit into memory, or that a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.progress import Progress, Tick, reporter
from escalation.counts.periods import DateLike, parse_date, parse_freq, period_index, period_word
from escalation.errors import InputError, warn
from escalation.incidents.aggregate import COUNT_ON, MEASURES, check_option, check_size
from escalation.incidents.count_warnings import warn_outside, warn_partial, warn_unknown, warn_windows
from escalation.incidents.engines import engine
from escalation.incidents.schema import MAX_FATALITIES
from escalation.incidents.units import BLANK_UNIT, check_units, unit_columns_of, units_of

if TYPE_CHECKING:
    pass

DAY_0 = pd.Timestamp("1970-01-01")
WHY = {
    engine.UNDATED: "has no date",
    engine.REVERSED: "ends before its date",
    engine.OUT_OF_RANGE: "lies outside 1900 to 2199",
    engine.NOT_YET_KNOWN: "had not become known by as_of",
    engine.OUTSIDE: "lies outside start to end",
}


def count_in_database(
    source: Any,
    freq: str,
    by: str | list[str] | None = None,
    start: DateLike | None = None,
    end: DateLike | None = None,
    measure: Literal["incidents", "fatalities"] = "incidents",
    *,
    count_on: Literal["last", "middle", "first"] | None = None,
    as_of: DateLike | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Progress = False,
) -> tuple[pd.Series | pd.DataFrame, pd.DataFrame]:
    r"""Count incidents by period where they are: in files larger than memory, or in a database.

    The counts are those that :func:`escalation.aggregate` gives for the same rows. The rows stay with the engine,
    DuckDB or that of an Ibis table (tested: DuckDB, PostgreSQL, Spark); only counts come back. All engines number
    days, weeks and months by the same whole-number arithmetic, and none by calendar functions of its own.

    Parameters
    ----------
    source : str, Path, list of them, or ibis.Table
        Parquet files, or CSV or TSV ones (may end in ``.gz``), patterns such as ``events/*.parquet`` included, which
        DuckDB reads; or any table or expression of Ibis, filtered as may be.
    freq, by, start, end, measure, count_on, as_of
        As in :func:`escalation.aggregate`. ``by`` names columns of the table as it calls them. Rows of counts (with
        ``events``) whose windows touch more than one period are refused unless ``count_on`` is given.
    columns : mapping of str to str, optional
        What the table calls its ``date``, ``date_end``, ``fatalities``, ``events`` and ``as_of``, where it does not
        call them so; the other way than in a rename: ``{"date": "event_date"}``. Dates are dates or times without a
        zone, of which the day counts.
    progress : bool or callable
        Whether to show how far it is: a bar on stderr if that is a terminal, or a line in a notebook.  A function is
        called with the number of rows that are counted, and of all, now and then.

    Returns
    -------
    counts : pandas.Series or pandas.DataFrame
        As from :func:`escalation.aggregate`.
    ledger : pandas.DataFrame
        What became of the rows, in numbers: ``rows``, ``action`` (``counted``, ``dropped`` or ``changed``) and ``why``.
        Rows counted and rows dropped are together all rows of the table.

    Raises
    ------
    InputError
        If Ibis or the engine is not installed, an option cannot be read, the table has no such column or none of the
        type that is needed, rows of counts would have to be spread over periods, its numbers are not whole or below 0,
        no row can be counted, the counts are more than 50 million, the engine stops, or the table changes meanwhile.
    FileError
        If a file is not there, is of another kind, or cannot be read.

    Warns
    -----
    PartialPeriodWarning, DataWarning
        As :func:`escalation.aggregate`, and if rows cannot be counted.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "events.csv"  # somewhere to write
    >>> _ = file.write_text("event_date,side\n2024-11-04,A\n2024-11-05,B\n2024-11-19,\n2024-11-24,A\n")
    >>> counts, ledger = count_in_database(file, "W", by="side", columns={"date": "event_date"})
    >>> counts.to_dict("list")
    {'(blank)': [0, 0, 1], 'A': [1, 0, 1], 'B': [1, 0, 0]}
    >>> ledger.to_dict("split")["data"]
    [[4, 'counted', ''], [1, 'changed', 'has no side: counted under (blank)']]
    """
    freq = parse_freq(freq)
    check_option(measure, MEASURES, "measure")
    check_option("last" if count_on is None else count_on, COUNT_ON, "count_on")
    table = engine.open_table(source)
    names = unit_columns_of(by)
    check_units(names, list(table.columns))
    sought = engine.Sought(
        names=_names(table.columns, columns or {}),
        by=tuple(names),
        freq=freq,
        measure=measure,
        count_on=count_on or "last",
        start=None if start is None else _day(parse_date(start, "start")),
        end=None if end is None else _day(parse_date(end, "end", side="end")),
        as_of=None if as_of is None else _day(parse_date(as_of, "as_of", side="end")),
    )
    if as_of is not None and "as_of" not in sought.names:
        raise InputError("the table has no times at which rows became known; name them, columns={'as_of': ...}")
    rows = engine.prepared(table, sought)
    found = engine.survey(rows, sought)
    fates = {fate: _sum(found, "rows", fate) for fate in (engine.COUNTED, *WHY)}
    first, last = _span(found, sought, fates)
    _check_values(found, sought)
    if count_on is None and "events" in sought.names and (wide := _sum(found, "wide")):
        raise InputError(
            f"{wide:,} rows are counts ({sought.names['events']!r}) of windows that touch more than one "
            f"{period_word(freq)}; choose the periods that they are of as freq, give count_on, or read them with "
            "read_incidents, for aggregate spreads them over their days"
        )
    index = period_index(first, last, freq)
    spelled = _placed(found).select([*sought.keys, "rows"]).group_by(sought.keys).aggregate([("rows", "sum")])
    keys = spelled.to_pandas()[sought.keys].set_axis(list(sought.by), axis=1)
    units, unit, _ = units_of(keys, by, None)
    check_size(len(index), len(units))
    grid = engine.Grid(spelled, unit, len(units), len(index), engine.period_number(_day(first), freq))
    with reporter(progress, "counting rows") as tick:
        sums, unknown = _added(rows, sought, grid, fates[engine.COUNTED], tick)
    _warn_dropped(fates)
    warn_outside(fates[engine.OUTSIDE], fates[engine.COUNTED] + fates[engine.OUTSIDE], first, last)
    warn_windows(_sum(found, "wide"), fates[engine.COUNTED], freq, count_on or "last")
    warn_partial(index, first, last)
    gaps = unknown > 0
    if gaps.any():
        warn_unknown(int(unknown.sum()), fates[engine.COUNTED], int(gaps.sum()))
    of_units = {place: pd.arrays.IntegerArray(*column) for place, column in enumerate(zip(sums, gaps, strict=True))}
    counts = pd.DataFrame(of_units, index, copy=False).set_axis(units, axis=1)
    ledger = _ledger(found, fates, sought)
    return (counts if by is not None else counts.iloc[:, 0].rename(measure)), ledger


def _names(found: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """Columns of a table by what they hold, as they are there."""
    for role, name in given.items():
        if role not in engine.ROLES:
            raise InputError(f"columns has no use for {role!r}; it takes {', '.join(engine.ROLES)}")
        if name not in found:
            raise InputError(f"columns names {name!r}, which is not in the table; its columns are {', '.join(found)}")
    names = {role: given.get(role, role) for role in engine.ROLES if role in given or role in found}
    if "date" not in names:
        raise InputError(
            f"the table has no column 'date'; name it, columns={{'date': ...}}, out of {', '.join(map(str, found))}"
        )
    return names


def _day(stamp: pd.Timestamp) -> int:
    """Days since 1970."""
    return (stamp - DAY_0).days


def _sum(found: Any, column: str, fate: int = engine.COUNTED) -> int:
    """Sum of a column over the rows of one fate."""
    here = found["fate"].to_numpy() == fate
    return int(found[column].to_numpy()[here].sum())


def _placed(found: Any) -> Any:
    """The part on rows that have a date which can be."""
    return found.filter((found["fate"].to_numpy() == engine.COUNTED) | (found["fate"].to_numpy() == engine.OUTSIDE))


def _span(found: Any, sought: engine.Sought, fates: Mapping[int, int]) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last covered day."""
    placed = _placed(found)
    if not placed.num_rows:
        lost = "; ".join(f"{rows:,} rows: {WHY[fate]}" for fate, rows in fates.items() if rows)
        raise InputError(f"no row of the table can be counted ({lost or 'it is empty'}); check the source and columns")
    first = placed["first"].to_numpy().min() if sought.start is None else sought.start
    last = placed["last"].to_numpy().max() if sought.end is None else sought.end
    return DAY_0 + pd.Timedelta(days=int(first)), DAY_0 + pd.Timedelta(days=int(last))


def _check_values(found: Any, sought: engine.Sought) -> None:
    """Refuse numbers that can be no fatalities, or no events."""
    bad = _sum(found, "bad")
    name = sought.names.get(engine.VALUES[sought.measure])
    if bad:
        raise InputError(
            f"{bad:,} rows have in {name!r} a number that is not whole or not in 0 to {MAX_FATALITIES:,}; correct them"
        )
    if sought.measure == "incidents" and _sum(found, "unknown"):
        raise InputError(f"{_sum(found, 'unknown'):,} rows have no number in {name!r}; give 0 or more, or drop them")


def _added(
    rows: Any,
    sought: engine.Sought,
    grid: engine.Grid,
    total: int,
    tick: Tick,
) -> tuple[NDArray[np.int64], NDArray[np.integer[Any]]]:
    """Sums and numbers of unknown values, each (units, periods)."""
    sums = np.zeros(grid.units * grid.periods, dtype=np.int64)
    unknown = np.zeros(len(sums) if sought.measure == "fatalities" else 1, dtype=np.int64)
    done = 0
    parts = engine.counts_of(rows, sought, grid)
    while (part := engine.answer(lambda: next(parts, None))) is not None:
        np.add.at(sums, part.place, part.total)
        if sought.measure == "fatalities":
            np.add.at(unknown, part.place, part.unknown)
        done += int(np.broadcast_to(part.rows, part.place.shape).sum())
        tick(done, total)
    if done != total:
        raise InputError(f"the table had {total:,} rows to count and then {done:,}; count when nothing writes to it")
    shape = (grid.units, grid.periods)
    return sums.reshape(shape), unknown.reshape(shape) if len(unknown) == len(sums) else np.zeros(shape, dtype=np.int8)


def _warn_dropped(fates: Mapping[int, int]) -> None:
    """Warn of rows that cannot be counted at all."""
    lost = {WHY[fate]: fates[fate] for fate in (engine.UNDATED, engine.REVERSED, engine.OUT_OF_RANGE) if fates[fate]}
    if lost:
        said = ", ".join(f"{rows:,} {why}" for why, rows in lost.items())
        warn(f"{sum(lost.values()):,} of {sum(fates.values()):,} rows cannot be counted ({said}); see the ledger")


def _ledger(found: Any, fates: Mapping[int, int], sought: engine.Sought) -> pd.DataFrame:
    """What became of the rows."""
    entries = [(fates[engine.COUNTED], "counted", "")]
    entries += [(fates[fate], "dropped", why) for fate, why in WHY.items()]
    entries.append((_sum(found, "endless"), "changed", f"has no {sought.names.get('date_end')}: ends on its date"))
    counted = found.filter(found["fate"].to_numpy() == engine.COUNTED)
    for key, name in zip(sought.keys, sought.by, strict=True):
        column = counted[key].to_pandas().astype(object)
        blank = int(counted["rows"].to_numpy()[(column.isna() | (column == "")).to_numpy()].sum())
        entries.append((blank, "changed", f"has no {name}: counted under {BLANK_UNIT}"))
    return pd.DataFrame(
        [entry for entry in entries if entry[0] or entry[1] == "counted"], columns=["rows", "action", "why"]
    )
