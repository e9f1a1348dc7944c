"""What a row of an own table is: an incident, a period with its count, a change of a count, or a running total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arrays import BoolArray, IntArray
from escalation.errors import InputError
from escalation.incidents.formats.column_words import is_count_name, says
from escalation.incidents.formats.figures import read_whole_numbers

Rows: TypeAlias = Literal["incidents", "counts", "changes", "totals"]
Step: TypeAlias = Literal["", "day", "week", "month", "quarter", "year"]

CODES = frozenset({-9.0, -8.0, -7.0, -77.0, -88.0, -99.0, -999.0, -9999.0, -98.0, -97.0})
"""Negative numbers that say why there is none."""
YES = ("1", "1.0", "true", "yes", "y", "t", "x")

FEW = 4
"""With fewer rows nothing is recognised by its shape."""
MANY = 10
"""From so many rows on the shape alone, or a column of deaths, is taken seriously."""
REGULAR = 0.75
"""Share of the steps from row to row that must be one period."""
NUMERIC = 0.9
MOST_UNIT_COLUMNS = 8
LARGE = 50_000
"""A table of more rows has units that are single columns, for trying pairs takes seconds."""
SAMPLE = 2_000
"""So many rows are looked at before all of them are."""
FREQUENT = 10
"""Days from one running total to the next on average, at most, where no name says what they are."""


@dataclass(frozen=True)
class RowMeaning:
    """What a row of a table was taken for.

    Attributes
    ----------
    rows : {"incidents", "counts", "changes", "totals"}
        An incident; how many a period had; a signed change of a count; a running total.
    column : str
        The file's column that holds the number, "" for incidents.
    units : tuple of str
        Columns whose values each have rows of their own.
    step : {"", "day", "week", "month", "quarter", "year"}
        The period that a row is one of, where it is.
    doubt : str
        What the reader should know, or "".
    """

    rows: Rows
    column: str = ""
    units: tuple[str, ...] = ()
    step: Step = ""
    doubt: str = ""

    def words(self) -> str:
        """What a row is, in words.

        Examples
        --------
        >>> RowMeaning("counts", "launched", ("oblast",), "day").words()
        "the count 'launched' of a day and 'oblast'"
        """
        if self.rows == "incidents":
            return "an incident"
        what = {"counts": "the count", "changes": "a change of the count", "totals": "the running total"}[self.rows]
        each = " and ".join([*([f"a {self.step}"] if self.step else []), *(repr(name) for name in self.units)])
        return f"{what} {self.column!r}{f' of {each}' if each else ''}"


@dataclass(frozen=True, eq=False)
class _Shape:
    """How the rows of a table lie in time."""

    units: tuple[str, ...]
    single: bool
    step: Step
    texts: tuple[str, ...] = ()


def find_meaning(
    table: pd.DataFrame, window: pd.DataFrame, names: Mapping[str, str], *, wide: bool, where: str
) -> RowMeaning:
    """Find what the rows of an own table are, by the names of its columns and the shape of their numbers together.

    Parameters
    ----------
    table : pandas.DataFrame
        The cells of the file.
    window : pandas.DataFrame
        ``date`` and ``date_end`` of the rows that have them.
    names : mapping of str to str
        Which column was taken for what.
    wide : bool
        Whether the rows were made of a column for each date.
    where : str
        The file, for messages.

    Raises
    ------
    InputError
        If the name or the shape alone says that a row is no incident, or several columns may be the count.
    """
    cells = table.loc[window.index]
    numbers = _number_columns(cells, names)
    if not numbers and not wide:
        return RowMeaning("incidents")
    shape = _shape(cells, window, names, [*numbers])
    if wide:
        return _of_wide(numbers, shape, window, cells, where)
    detail = _has_detail(cells, names)
    single = shape.single and len(window) >= FEW
    rising = {
        name for name, values in numbers.items() if single and _only_rises(values, _unit_codes(cells, shape), window)
    }
    return (
        _totals(numbers, shape, rising, where)
        or _unnamed_totals(numbers, shape, rising, detail, window, where)
        or _changes(numbers, shape, detail, where)
        or _counts(numbers, shape, len(window), detail, where)
        or RowMeaning("incidents")
    )


def chosen_meaning(
    table: pd.DataFrame, window: pd.DataFrame, names: Mapping[str, str], rows: Rows, column: str
) -> RowMeaning:
    """What the rows are where the user named the column of the count, the change or the running total.

    Examples
    --------
    >>> table = pd.DataFrame({"day": ["1", "2"], "hits": ["4", "-1"]})
    >>> window = pd.DataFrame({"date": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    >>> chosen_meaning(table, window, {"date": "day"}, "counts", "hits").rows
    'changes'
    """
    cells = table.loc[window.index]
    values = _numbers(cells[column])
    shape = _shape(cells, window, names, [column, *_number_columns(cells, names)])
    if rows == "totals":
        return RowMeaning(rows, column, shape.units, shape.step)
    if _is_signed(values):
        return RowMeaning("changes", column, shape.texts)
    doubt = ""
    if shape.single and len(window) >= MANY and _only_rises(values, _unit_codes(cells, shape), window):
        doubt = f"{column!r} only rises; if it is a running total, give --cumulative {column!r} or cumulative=..."
    return RowMeaning(rows, column, shape.units if shape.step else (), shape.step, doubt)


def unused_numbers(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, int]:
    """Columns of whole numbers that nothing is read from, and how many of their cells are filled."""
    taken = {*names.values(), *names.get("date", "").split(" + ")}
    free = [name for name in table.columns if name not in taken and not says(name, "no count")]
    found = [name for name in free if _are_numbers(table[name][table[name] != ""].iloc[:SAMPLE])]
    return {name: int((table[name] != "").sum()) for name in found}


def carried_forward(table: pd.DataFrame) -> pd.Series:
    """Say which rows repeat the one before because there was no bulletin."""
    marks = [name for name in table.columns if says(name, "carried forward")]
    flags = [table[name].str.casefold().isin(YES) for name in marks]
    return pd.concat(flags, axis=1).any(axis=1) if flags else pd.Series(False, index=table.index)


def unit_codes(cells: pd.DataFrame, units: Iterable[str]) -> IntArray:
    """A number for each unit, one a row."""
    units = list(units)
    return (
        np.asarray(cells.groupby(units, sort=False).ngroup(), dtype=np.int64)
        if units
        else np.zeros(len(cells), dtype=np.int64)
    )


def _of_wide(
    numbers: Mapping[str, pd.Series], shape: _Shape, window: pd.DataFrame, cells: pd.DataFrame, where: str
) -> RowMeaning:
    name = "value"
    if name not in numbers:
        raise InputError(f"{where}: has a column for each date, but what stands under them are no whole numbers")
    if _mostly_rises(numbers[name], _unit_codes(cells, shape), window):
        raise InputError(
            f"{where}: has a column for each date, in which the numbers of most rows only rise; if they are running "
            f"totals give --cumulative {name} (cumulative={name!r}), if counts --events {name} (events={name!r})"
        )
    if _is_signed(numbers[name]):
        return RowMeaning("changes", name, shape.units)
    return RowMeaning("counts", name, shape.units, shape.step)


def _totals(
    numbers: Mapping[str, pd.Series],
    shape: _Shape,
    rising: set[str],
    where: str,
) -> RowMeaning | None:
    """Running totals that a name says, of tables that have no count of each period beside them."""
    named = [name for name in numbers if says(name, "running total")]
    named += [name for name in rising if says(name, "total", "running total") and name not in named and shape.step]
    plain = [
        name
        for name in numbers
        if says(name, "count") and not says(name, "total", "running total") and name not in rising
    ]
    if not named or (plain and shape.step):
        return None
    column = _one_of(named, "running total", "--cumulative", "cumulative", where)
    if not shape.single:
        raise InputError(
            f"{where}: the name of {column!r} says running total, but its dates repeat; give --cumulative {column!r} "
            f"(cumulative={column!r}) where it is one, or layout plain where each row is an incident"
        )
    return RowMeaning("totals", column, shape.units, shape.step)


def _counted_beside(numbers: Mapping[str, pd.Series], shape: _Shape, rising: set[str]) -> bool:
    """Say whether a count of each period stands beside its running total."""
    named = [name for name in numbers if says(name, "count") and not says(name, "total", "running total")]
    return bool(shape.step) and any(name not in rising for name in named)


def _unnamed_totals(
    numbers: Mapping[str, pd.Series], shape: _Shape, rising: set[str], detail: bool, window: pd.DataFrame, where: str
) -> RowMeaning | None:
    """Refuse numbers that only rise, row by row of a regular table, though no name says what they are."""
    days = (window["date_end"].max() - window["date"].min()).days
    frequent = not detail and len(window) >= MANY and days <= FREQUENT * len(window)
    if _counted_beside(numbers, shape, rising):
        return None
    if rising and len(window) >= MANY and (frequent or (shape.step and not detail)):
        named = [name for name in numbers if name in rising]
        raise InputError(
            f"{where}: each row is a date of its own and {_listed(named)} only rise{'s'[len(named) - 1 :]}, as "
            f"running totals do; give --cumulative {named[0]!r} (cumulative=...) if it is one, --events {named[0]!r} "
            "(events=...) if it is a count, or layout plain if a row is an incident"
        )
    return None


def _changes(numbers: Mapping[str, pd.Series], shape: _Shape, detail: bool, where: str) -> RowMeaning | None:
    """Signed changes of a count."""
    signed = [name for name, values in numbers.items() if _is_signed(values)]
    named = [name for name in signed if says(name, "change", "count", "deaths")]
    if named:
        return RowMeaning("changes", _one_of(named, "change of the count", "--events", "events", where), shape.texts)
    if signed and (shape.step or not detail):
        raise InputError(
            f"{where}: {_listed(signed)} holds numbers below 0, as changes of a count do; give --events {signed[0]!r} "
            "(events=...) if it is one, or layout plain if each row is an incident"
        )
    return None


def _counts(numbers: Mapping[str, pd.Series], shape: _Shape, rows: int, detail: bool, where: str) -> RowMeaning | None:
    """Counts of periods, by the name of a column in a table of one row a period."""
    if shape.step and rows >= FEW and not detail:
        named = [name for name in numbers if says(name, "count")]
        named = (
            [name for name in named if not says(name, "total", "running total")]
            or named
            or [name for name in numbers if says(name, "total", "running total")]
        )
        if not named and rows >= MANY:
            named = [name for name in numbers if says(name, "deaths", "change")]
        if named:
            column = _one_of(named, "count", "--events", "events", where)
            return RowMeaning("counts", column, shape.units, shape.step)
        if numbers and rows >= MANY:
            raise InputError(
                f"{where}: has just one row a {shape.step}, so a row may be no incident; give --events COLUMN "
                f"(events=...) if {_listed([*numbers])} is how many, or layout plain if a row is an incident"
            )
    said = [name for name, values in numbers.items() if is_count_name(name) and bool((values.dropna() != 1).any())]
    if said:
        raise InputError(
            f"{where}: the name of {_listed(said)} says that a row stands for so many incidents; give --events "
            f"{said[0]!r} (events=...) if so, or layout plain if each row is an incident"
        )
    return None


def _one_of(named: list[str], what: str, option: str, keyword: str, where: str) -> str:
    if len(named) > 1:
        raise InputError(
            f"{where}: a row is no incident, and {_listed(named)} may each be the {what}; choose with {option} "
            f"{named[0]!r} or {keyword}={named[0]!r}"
        )
    return named[0]


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:6]))
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"


def _numbers(column: pd.Series) -> pd.Series:
    return read_whole_numbers(column)[0]


def _number_columns(cells: pd.DataFrame, names: Mapping[str, str]) -> dict[str, pd.Series]:
    """Columns of whole numbers that may count something."""
    taken = {name for target, name in names.items() if target not in ("fatalities", "events")}
    found: dict[str, pd.Series] = {}
    for name in cells.columns:
        if name in taken or says(name, "no count") or name in names.get("date", "").split(" + "):
            continue
        filled = cells[name] != ""
        first = cells.loc[filled[filled].index[:SAMPLE], name]
        if not _are_numbers(first.iloc[:50]) or not _are_numbers(first):
            continue
        values = _numbers(cells[name])
        if values.notna().sum() >= NUMERIC * filled.sum() and not _is_numbering(values.dropna()):
            found[name] = values
    return found


def _are_numbers(cells: pd.Series) -> bool:
    return not cells.empty and bool(_numbers(cells).notna().mean() >= NUMERIC)


def _is_numbering(values: pd.Series) -> bool:
    """Say whether numbers are those of years or an index, or too large to count anything."""
    if len(values) < 2:
        return False
    steps = values.diff().dropna()
    return bool(values.between(1900, 2100).all() or (steps == 1).all() or (steps == -1).all() or values.max() > 1e9)


def _is_signed(values: pd.Series) -> bool:
    negative = values[values < 0]
    return len(negative) > 0 and not negative.isin(CODES).all() and bool((values > 0).any())


def _has_detail(cells: pd.DataFrame, names: Mapping[str, str]) -> bool:
    """Say whether rows are described one by one, as incidents are: by an id, coordinates, or texts of their own."""
    if "latitude" in names:
        return True
    if "incident_id" in names and not _is_index(cells[names["incident_id"]]):
        return True
    free = [name for name in cells if name not in (names.get("date"), names.get("date_end"))]
    return any(_is_text(cells[name]) and cells[name].nunique() > max(0.5 * len(cells), 3) for name in free)


def _is_index(column: pd.Series) -> bool:
    """Say whether cells number the rows one after the other."""
    values = _numbers(column)
    return bool(values.notna().all()) and (len(values) < 2 or bool((values.diff().dropna() == 1).all()))


def _is_text(column: pd.Series) -> bool:
    first = column.iloc[:SAMPLE]
    filled = first[first != ""]
    return len(filled) > 0 and bool(filled.str.contains(r"[^\W\d_]").mean() > NUMERIC)


def _shape(cells: pd.DataFrame, window: pd.DataFrame, names: Mapping[str, str], numbers: list[str]) -> _Shape:
    """Find the fewest columns of whose values each has at most one row a date, and the period that rows follow."""
    codes = _text_codes(cells, names, numbers)
    dates, distinct = pd.factorize(window["date"])
    for size in range(min(len(codes), 3 if len(cells) <= LARGE else 1) + 1):
        for units in combinations(codes, size):
            keys, largest = dates.astype(np.int64), len(distinct)
            for name in units:
                keys, largest = (
                    keys * (int(codes[name].max()) + 1) + codes[name],
                    largest * (int(codes[name].max()) + 1),
                )
            if largest >= len(keys) and _are_distinct(keys[:SAMPLE]) and _are_distinct(keys):
                return _Shape(units, True, _step(unit_codes(cells, units), window), tuple(codes))
    return _Shape((), False, "", tuple(codes))


def _are_distinct(keys: IntArray) -> bool:
    return len(np.unique(keys)) == len(keys)


def _text_codes(cells: pd.DataFrame, names: Mapping[str, str], numbers: list[str]) -> dict[str, IntArray]:
    """Columns of texts of which each stands in several rows, and a number for each text."""
    barred = {names.get("date"), names.get("date_end"), *numbers}
    found: dict[str, IntArray] = {}
    for name in cells.columns:
        if name in barred or len(found) == MOST_UNIT_COLUMNS or not _is_text(cells[name]):
            continue
        codes, distinct = pd.factorize(cells[name])
        if 2 <= len(distinct) <= max(len(cells) // 3, 2):
            found[name] = codes.astype(np.int64)
    return found


def _unit_codes(cells: pd.DataFrame, shape: _Shape) -> IntArray:
    return unit_codes(cells, shape.units)


def _step(codes: IntArray, window: pd.DataFrame) -> Step:
    """The period that most rows are one after the other of, "" where they are not regular."""
    table = pd.DataFrame({"unit": codes, "date": window["date"].to_numpy()}).sort_values(["unit", "date"])
    same = (table["unit"].diff() == 0).to_numpy()
    if same.sum() < FEW - 1:
        return ""
    days = table["date"].diff().dt.days.to_numpy()[same]
    months = (table["date"].dt.year * 12 + table["date"].dt.month).diff().to_numpy()[same]
    place = table["date"].dt.day.mask(table["date"].dt.is_month_end, 31)
    alike = (place.diff() == 0).to_numpy()[same]
    steps: tuple[tuple[Step, BoolArray], ...] = (
        ("day", days == 1),
        ("week", days == 7),
        ("month", alike & (months == 1)),
        ("quarter", alike & (months == 3)),
        ("year", alike & (months == 12)),
    )
    return next((name for name, flags in steps if flags.mean() >= REGULAR), "")


def _rises(values: pd.Series, codes: IntArray, window: pd.DataFrame) -> pd.DataFrame:
    """Each unit with its falls, its rises and how many sizes these have."""
    table = pd.DataFrame({"unit": codes, "date": window["date"].to_numpy(), "value": values.to_numpy(dtype=float)})
    table = table.dropna().sort_values(["unit", "date"], kind="stable")
    change = table.groupby("unit")["value"].diff()
    flags = pd.DataFrame(
        {"unit": table["unit"], "fell": change < 0, "rose": change > 0, "size": change.where(change > 0)}
    )
    return flags.groupby("unit").agg(fell=("fell", "sum"), rose=("rose", "sum"), sizes=("size", "nunique"))


def _only_rises(values: pd.Series, codes: IntArray, window: pd.DataFrame) -> bool:
    """Say whether numbers never fall in any unit and rise by steps that differ, or at times not at all."""
    units = _rises(values, codes, window)
    rose, rows = int(units["rose"].sum()), len(window)
    if units["fell"].any() or rose < FEW - 1:
        return False
    return int(units["sizes"].max()) > 1 or rose < rows - len(units)


def _mostly_rises(values: pd.Series, codes: IntArray, window: pd.DataFrame) -> bool:
    """Say whether numbers rise and never fall in most units in which they change."""
    units = _rises(values, codes, window)
    changing = units[(units["fell"] + units["rose"]) > 0]
    return len(changing) > 0 and bool((changing["fell"] == 0).mean() > 0.5) and int(changing["rose"].max()) >= 2
