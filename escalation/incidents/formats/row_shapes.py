"""How the rows of a table and their numbers lie in time: which units have one row a period, and what only rises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.conventions.arrays import BoolArray, IntArray
from escalation.files.repeats import first_filled
from escalation.incidents.formats.column_words import says
from escalation.incidents.formats.figures import read_whole_numbers

Step: TypeAlias = Literal["", "day", "week", "month", "quarter", "year"]

CODES = frozenset({-9.0, -8.0, -7.0, -77.0, -88.0, -99.0, -999.0, -9999.0, -98.0, -97.0})
"""Negative numbers that say why there is none."""
REGULAR = 0.75
"""Share of the steps from row to row that must be one period."""
FEWEST_STEPS = 3
NUMERIC = 0.9
MOST_UNIT_COLUMNS = 8
LARGE = 50_000
"""A table of more rows has units that are single columns, for trying pairs takes seconds."""
SAMPLE = 2_000
"""So many rows are looked at before all of them are."""
RARE = 0.2
"""Falls are rare where there are at most so many for each rise."""


@dataclass(frozen=True, eq=False)
class RowShape:
    """How the rows of a table lie in time.

    Attributes
    ----------
    units : tuple of str
        The fewest columns of whose values each has at most one row a date.
    single : bool
        Whether there are such columns, or none is needed.
    step : {"", "day", "week", "month", "quarter", "year"}
        The period that rows follow one another by, "" where they are not regular.
    texts : tuple of str
        Columns of texts of which each stands in several rows.
    """

    units: tuple[str, ...]
    single: bool
    step: Step
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Course:
    """How numbers go on from row to row, in all units together.

    Attributes
    ----------
    rows, units : int
        Rows with a number, and units.
    fell, rose : int
        How often a number is smaller, or larger, than the one before.
    sizes : int
        By how many different numbers it rises in the unit that has most.
    steady : float
        Share of the units with any change in which no number falls.
    """

    rows: int
    units: int
    fell: int
    rose: int
    sizes: int
    steady: float

    @property
    def only_rises(self) -> bool:
        """Whether numbers never fall, and rise by steps that differ or at times not at all."""
        varied = self.sizes > 1 or self.rose < self.rows - self.units
        return self.fell == 0 and self.rose >= FEWEST_STEPS and varied

    @property
    def mostly_rises(self) -> bool:
        """Whether numbers never fall in most units."""
        return self.steady > 0.5 and self.rose >= 2

    @property
    def seldom_falls(self) -> bool:
        """Whether numbers rise nearly always and fall at times."""
        return 0 < self.fell <= RARE * self.rose


def course_of(values: pd.Series, shape: RowShape, cells: pd.DataFrame, window: pd.DataFrame) -> Course:
    """How the numbers of a column go on in each unit.

    Examples
    --------
    >>> window = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=5)})
    >>> course = course_of(pd.Series([3, 3, 5, 9, 9]), RowShape((), True, "day"), window, window)
    >>> course.rose, course.fell, course.only_rises
    (2, 0, False)
    """
    table = pd.DataFrame({"unit": unit_codes(cells, shape.units), "date": window["date"].to_numpy()})
    table["value"] = values.to_numpy(dtype=float, na_value=np.nan)
    table = table.dropna().sort_values(["unit", "date"], kind="stable")
    change = table.groupby("unit")["value"].diff()
    flags = pd.DataFrame(
        {"unit": table["unit"], "fell": change < 0, "rose": change > 0, "size": change.where(change > 0)}
    )
    units = flags.groupby("unit").agg(fell=("fell", "sum"), rose=("rose", "sum"), sizes=("size", "nunique"))
    changing = units[(units["fell"] + units["rose"]) > 0]
    steady = float((changing["fell"] == 0).mean()) if len(changing) else 0.0
    sizes = int(units["sizes"].max()) if len(units) else 0
    return Course(len(table), len(units), int(units["fell"].sum()), int(units["rose"].sum()), sizes, steady)


def unit_codes(cells: pd.DataFrame, units: Iterable[str]) -> IntArray:
    """A number for each unit, one a row."""
    units = list(units)
    if not units:
        return np.zeros(len(cells), dtype=np.int64)
    return np.asarray(cells.groupby(units, sort=False, observed=True).ngroup(), dtype=np.int64)


def row_shape(cells: pd.DataFrame, window: pd.DataFrame, names: Mapping[str, str], numbers: Iterable[str]) -> RowShape:
    """Find the fewest columns of whose values each has at most one row a date, and the period that rows follow."""
    codes = _text_codes(cells, names, [*numbers])
    dates, distinct = pd.factorize(_printed(window["date"], cells, names))
    for size in range(min(len(codes), 3 if len(cells) <= LARGE else 1) + 1):
        for units in combinations(codes, size):
            keys, largest = dates.astype(np.int64), len(distinct)
            for name in units:
                many = int(codes[name].max()) + 1
                keys, largest = keys * many + codes[name], largest * many
            if largest >= len(keys) and all(_are_distinct(keys[:many]) for many in (SAMPLE, LARGE, len(keys))):
                return RowShape(units, True, _step(unit_codes(cells, units), window), tuple(codes))
    return RowShape((), False, "", tuple(codes))


def _printed(date: pd.Series, cells: pd.DataFrame, names: Mapping[str, str]) -> pd.Series:
    """The dates, or where a table says when its rows were printed the dates and prints."""
    return date if "as_of" not in names else date.astype(str) + " " + cells[names["as_of"]].astype(object)


def number_columns(cells: pd.DataFrame, names: Mapping[str, str]) -> dict[str, pd.Series]:
    """Columns of whole numbers that may count something, with these."""
    taken = {name for target, name in names.items() if target not in ("fatalities", "events")}
    taken |= set(names.get("date", "").split(" + "))
    found: dict[str, pd.Series] = {}
    for name in cells.columns:
        if name in taken or says(name, "no count"):
            continue
        first = first_filled(cells[name], SAMPLE)
        if not are_numbers(first.iloc[:50]) or not are_numbers(first):
            continue
        values = read_whole_numbers(cells[name])[0]
        if values.notna().sum() >= NUMERIC * (cells[name] != "").sum() and not is_numbering(values.dropna()):
            found[name] = values
    return found


def are_numbers(cells: pd.Series, share: float = NUMERIC) -> bool:
    """Say whether most cells, or this share of them, are whole numbers."""
    return not cells.empty and bool(read_whole_numbers(cells)[0].notna().mean() >= share)


def is_signed(values: pd.Series) -> bool:
    """Say whether numbers are above and below 0, those that are codes left aside."""
    negative = values[values < 0]
    return len(negative) > 0 and not negative.isin(CODES).all() and bool((values > 0).any())


def has_detail(cells: pd.DataFrame, names: Mapping[str, str]) -> bool:
    """Say whether rows are described one by one, as incidents are: by an id, coordinates, or texts of their own."""
    if "latitude" in names:
        return True
    if "incident_id" in names and not _is_index(cells[names["incident_id"]]):
        return True
    free = [name for name in cells if name not in (names.get("date"), names.get("date_end"))]
    return any(_is_text(cells[name]) and cells[name].nunique() > max(0.5 * len(cells), 3) for name in free)


def is_numbering(values: pd.Series) -> bool:
    """Say whether numbers are those of years or an index, or too large to count anything."""
    if len(values) < 2:
        return False
    steps = values.diff().dropna()
    return bool(values.between(1900, 2100).all() or (steps == 1).all() or (steps == -1).all() or values.max() > 1e9)


def _is_index(column: pd.Series) -> bool:
    """Say whether cells number the rows one after the other."""
    values = read_whole_numbers(column)[0]
    return bool(values.notna().all()) and (len(values) < 2 or bool((values.diff().dropna() == 1).all()))


def _is_text(column: pd.Series) -> bool:
    first = column.iloc[:SAMPLE]
    filled = first[first != ""]
    return len(filled) > 0 and bool(filled.str.contains(r"[^\W\d_]").mean() > NUMERIC)


def _are_distinct(keys: IntArray) -> bool:
    return len(np.unique(keys)) == len(keys)


def _text_codes(cells: pd.DataFrame, names: Mapping[str, str], numbers: list[str]) -> dict[str, IntArray]:
    """Columns of texts of which each stands in several rows, and a number for each text."""
    barred = {names.get("date"), names.get("date_end"), *numbers}
    found: dict[str, IntArray] = {}
    for name in cells.columns:
        if name in barred or len(found) == MOST_UNIT_COLUMNS or not _is_text(cells[name]):
            continue
        most = max(len(cells) // 3, 2)
        if cells[name].iloc[: most + 1].is_unique:  # so that more are distinct, whatever follows
            continue
        codes, distinct = pd.factorize(cells[name])
        if 2 <= len(distinct) <= most:
            found[name] = codes.astype(np.int64)
    return found


def _step(codes: IntArray, window: pd.DataFrame) -> Step:
    """The period that most rows are one after the other of, "" where they are not regular."""
    table = pd.DataFrame({"unit": codes, "date": window["date"].to_numpy()}).sort_values(["unit", "date"])
    same = (table["unit"].diff() == 0).to_numpy()
    if same.sum() < FEWEST_STEPS:
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
