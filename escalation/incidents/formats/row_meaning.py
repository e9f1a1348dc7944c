"""What a row of an own table is: an incident, a period with its count, a change of a count, or a running total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.errors import InputError
from escalation.files.repeats import first_filled
from escalation.incidents.formats.column_words import WordKind, counts_alone, is_count_name, says
from escalation.incidents.formats.figures import read_whole_numbers
from escalation.incidents.formats.row_shapes import (
    SAMPLE,
    Course,
    RowShape,
    Step,
    are_numbers,
    course_of,
    has_detail,
    is_numbering,
    is_signed,
    number_columns,
    row_shape,
)

Rows: TypeAlias = Literal["incidents", "counts", "changes", "totals"]

YES = ("1", "1.0", "true", "yes", "y", "t", "x")
FEW = 4
"""With fewer rows nothing is recognised by its shape."""
MANY = 10
"""From so many rows on the shape alone, or a column of deaths, is taken seriously."""
STRAY = 0.01
"""Share of the numbers up to which those below 0 are taken for slips, where no name says that they are changes."""
MOST_AGAIN = 0.2
"""Share of the rows up to which a date that stands twice is a slip."""
HALF = 0.5
"""A column of which so many cells are whole numbers is named where nothing is read from it."""
FREQUENT = 10
"""Days from one running total to the next on average, at most, where no name says what they are."""
PLAIN = "layout plain if each row is an incident"


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
    running : tuple of str
        Columns of the dead that are running totals, and so nothing that one row killed.
    doubt : str
        What the reader should know, or "".
    """

    rows: Rows
    column: str = ""
    units: tuple[str, ...] = ()
    step: Step = ""
    running: tuple[str, ...] = ()
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
    numbers = number_columns(cells, names)
    seen = _Seen(cells, window, names, numbers, row_shape(cells, window, names, numbers) if numbers else None, where)
    if wide:
        return _of_wide(seen)
    if not numbers:
        return RowMeaning("incidents")
    return _totals(seen) or _unnamed_totals(seen) or _changes(seen) or _counts(seen) or RowMeaning("incidents")


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
    numbers = {**number_columns(cells, names), column: read_whole_numbers(cells[column])[0]}
    seen = _Seen(cells, window, names, numbers, row_shape(cells, window, names, numbers), "")
    if rows == "totals":
        return seen.meaning(rows, column)
    if is_signed(numbers[column]):
        return seen.meaning("changes", column)
    doubt = ""
    if seen.shape.single and len(window) >= MANY and column in seen.rising:
        doubt = f"{column!r} only rises; if it is a running total, give --cumulative {column!r} or cumulative=..."
    return seen.meaning("counts", column, doubt)


def unused_numbers(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, int]:
    """Columns of mostly whole numbers that nothing is read from, and how many of their cells are filled."""
    taken = {*names.values(), *names.get("date", "").split(" + ")}
    free = [name for name in table.columns if name not in taken and not says(name, "no count")]
    found = [name for name in free if _may_count(first_filled(table[name], SAMPLE))]
    return {name: int((table[name] != "").sum()) for name in found}


def _may_count(cells: pd.Series) -> bool:
    """Say whether most cells are whole numbers that are more than the number of the row, a year or an id."""
    return are_numbers(cells, HALF) and not is_numbering(read_whole_numbers(cells)[0].dropna())


def carried_forward(table: pd.DataFrame) -> pd.Series:
    """Say which rows repeat the one before because there was no bulletin."""
    marks = [name for name in table.columns if says(name, "carried forward")]
    flags = [table[name].str.casefold().isin(YES) for name in marks]
    return pd.concat(flags, axis=1).any(axis=1) if flags else pd.Series(False, index=table.index)


def sums_of_others(table: pd.DataFrame) -> pd.Series:
    """Say which rows are the sum of others, as a cell that is nothing but a word for total says.

    Examples
    --------
    >>> sums_of_others(pd.DataFrame({"oblast": ["Kyiv", "Odesa", "Total"]})).tolist()
    [False, False, True]
    """
    flags = pd.Series(False, index=table.index)
    for name in table.columns:
        sums = {cell for cell in table[name].unique() if " " not in cell and says(cell, "total")}
        if 0 < len(sums) < table[name].nunique():
            flags |= table[name].isin(sums)
    return flags


class _Seen:
    """A table with what was found of its numbers and of the shape of its rows."""

    def __init__(
        self,
        cells: pd.DataFrame,
        window: pd.DataFrame,
        names: Mapping[str, str],
        numbers: Mapping[str, pd.Series],
        shape: RowShape | None,
        where: str,
    ) -> None:
        self.cells, self.window, self.names, self.numbers, self.where = cells, window, names, numbers, where
        self.shape = shape or RowShape((), False, "")

    @cached_property
    def courses(self) -> dict[str, Course]:
        """How the numbers of each column go on, of tables whose units have one row a date."""
        if not self.shape.single or len(self.window) < FEW:
            return {}
        return {name: course_of(one, self.shape, self.cells, self.window) for name, one in self.numbers.items()}

    @cached_property
    def rising(self) -> list[str]:
        """Columns whose numbers never fall."""
        return [name for name, course in self.courses.items() if course.only_rises]

    @property
    def climbing(self) -> list[str]:
        """The rising columns, or else those whose numbers rise often and fall seldom."""
        falling = [name for name, course in self.courses.items() if course.seldom_falls and course.rose >= MANY]
        return self.rising or falling

    @cached_property
    def detail(self) -> bool:
        """Whether rows are described one by one."""
        return has_detail(self.cells, self.names)

    def called(self, *kinds: WordKind) -> list[str]:
        """Columns of numbers with a word of these kinds in their names."""
        return [name for name in self.numbers if says(name, *kinds)]

    def meaning(self, rows: Rows, column: str, doubt: str = "") -> RowMeaning:
        """What a row is, with the units and the period that go with it."""
        dead = [name for target, name in self.names.items() if target.startswith("fatalities")]
        totals = {name for name in dead if name in self.rising or says(name, "running total")}
        if rows != "counts":
            totals |= {name for name in dead if name == column}
        regular = rows == "totals" or bool(self.shape.step)
        units = self.shape.texts if rows == "changes" else self.shape.units if regular else ()
        return RowMeaning(rows, column, units, "" if rows == "changes" else self.shape.step, tuple(totals), doubt)

    def only(self, named: list[str], what: str, option: str) -> str:
        """The one column that can be meant.

        Raises
        ------
        InputError
            If there are several.
        """
        if len(named) > 1:
            raise InputError(
                f"{self.where}: "
                f"a row is no incident, and {_listed(named)} may each be the {what}; choose with --{option} "
                f"{named[0]!r} or {option}={named[0]!r}"
            )
        return named[0]


def _of_wide(seen: _Seen) -> RowMeaning:
    name = "value"
    if name not in seen.numbers:
        raise InputError(f"{seen.where}: has a column for each date, but what stands under them are no whole numbers")
    if course_of(seen.numbers[name], seen.shape, seen.cells, seen.window).mostly_rises:
        raise InputError(
            f"{seen.where}: "
            "has a column for each date, in which the numbers of most rows only rise; if they are running totals give "
            f"--cumulative {name} (cumulative={name!r}), if counts --events {name} (events={name!r})"
        )
    return seen.meaning("changes" if is_signed(seen.numbers[name]) else "counts", name)


def _totals(seen: _Seen) -> RowMeaning | None:
    """Running totals that a name says, of tables that have no count of each period beside them."""
    named = seen.called("running total")
    if seen.shape.step:
        named += [name for name in seen.called("total") if name in seen.rising and name not in named]
    if not named or _counted_beside(seen):
        return None
    column = seen.only(named, "running total", "cumulative")
    if not seen.shape.single:
        raise InputError(
            f"{seen.where}: "
            f"the name of {column!r} says running total, but its dates repeat; give --cumulative {column!r} "
            f"(cumulative={column!r}) where it is one, or {PLAIN}"
        )
    return seen.meaning("totals", column)


def _counted_beside(seen: _Seen) -> bool:
    """Say whether a count of each period stands beside its running total."""
    named = [name for name in seen.called("count") if not says(name, "total", "running total")]
    return bool(seen.shape.step) and any(name not in seen.rising for name in named)


def _unnamed_totals(seen: _Seen) -> RowMeaning | None:
    """Refuse numbers that only rise, row by row of a regular table, though no name says what they are."""
    rows = len(seen.window)
    if not seen.climbing or rows < MANY or seen.detail or _counted_beside(seen):
        return None
    if not seen.shape.step and (seen.window["date_end"].max() - seen.window["date"].min()).days > FREQUENT * rows:
        return None
    first = seen.climbing[0]
    how = f"only rise{'s' if len(seen.climbing) == 1 else ''}" if seen.rising else "hardly ever falls"
    raise InputError(
        f"{seen.where}: each row is a date of its own and {_listed(seen.climbing)} {how}, as running totals do; give "
        f"--cumulative {first!r} (cumulative=...) if it is one, --events {first!r} (events=...) if it is a count, "
        f"or {PLAIN}"
    )


def _changes(seen: _Seen) -> RowMeaning | None:
    """Signed changes of a count."""
    signed = [name for name, values in seen.numbers.items() if is_signed(values)]
    changes = [name for name in signed if says(name, "change") or seen.shape.step or not _is_stray(seen.numbers[name])]
    named = [name for name in changes if says(name, "change", "count", "deaths")]
    if named:
        return seen.meaning("changes", seen.only(named, "change of the count", "events"))
    if signed and (seen.shape.step or not seen.detail):
        values = seen.numbers[signed[0]]
        below = values[values < 0]
        raise InputError(
            f"{seen.where}: "
            f"{_listed(signed)} holds numbers below 0 ({int(below.iloc[0]):,} in row {below.index[0]:,}), as changes "
            f"of a count do; correct the table, give --events {signed[0]!r} (events=...) if it is one, or {PLAIN}"
        )
    return None


def _is_stray(values: pd.Series) -> bool:
    """Say whether so few numbers are below 0 that they are slips rather than corrections."""
    return int((values < 0).sum()) <= max(1, STRAY * int(values.notna().sum()))


def _counts(seen: _Seen) -> RowMeaning | None:
    """Counts of periods, by the name of a column in a table of one row a period."""
    rows, step = len(seen.window), seen.shape.step
    if step and rows >= FEW and not seen.detail:
        named = _count_columns(seen)
        if named:
            column = seen.only(named, "count", "events")
            _refuse_corrected(seen, column)
            return seen.meaning("counts", column)
        if rows >= MANY:
            raise InputError(
                f"{seen.where}: "
                f"has just one row a {step}, so a row may be no incident; give --events COLUMN (events=...) if "
                f"{_listed([*seen.numbers])} is how many there were, or {PLAIN}"
            )
    neutral = [name for name in seen.numbers if not says(name, "deaths")]
    if (
        seen.shape.single
        and not seen.shape.units
        and not seen.shape.texts
        and rows >= MANY
        and neutral
        and not seen.detail
    ):
        raise InputError(
            f"{seen.where}: has no date twice and nothing but numbers beside it, so a row may be no incident; give "
            f"--events {neutral[0]!r} (events=...) if it is how many there were, or {PLAIN}"
        )
    several = [name for name, values in seen.numbers.items() if bool((values.dropna() > 1).any())]
    said = [name for name in several if is_count_name(name) or (counts_alone(name) and not seen.detail)]
    if said:
        _refuse_dates_twice(seen)
        raise InputError(
            f"{seen.where}: "
            f"the name of {_listed(said)} says that a row stands for so many incidents; give --events {said[0]!r} "
            f"(events=...) if so, or {PLAIN}"
        )
    return None


def _refuse_dates_twice(seen: _Seen) -> None:
    """Refuse a table of one row a period but for a few dates that stand twice."""
    if seen.shape.single or seen.shape.texts or seen.detail:
        return
    again = seen.window["date"].duplicated()
    once = row_shape(seen.cells[~again], seen.window[~again], seen.names, seen.numbers)
    if once.step and again.sum() <= MOST_AGAIN * len(again):
        at = int(np.argmax(again.to_numpy()))
        date = seen.window["date"].iloc[at]
        rows = seen.window.index[seen.window["date"] == date]
        raise InputError(
            f"{seen.where}: has one row a {once.step} but for {int(again.sum()):,} of them, such as the rows "
            f"{rows[0]:,} and {rows[1]:,} of {date:%Y-%m-%d}; keep one row of each {once.step}"
        )


def _count_columns(seen: _Seen) -> list[str]:
    """Columns that a word says to be counts, the plainest first asked."""
    counts = seen.called("count")
    plain = [name for name in counts if not says(name, "total", "running total")]
    dead = seen.called("deaths", "change") if len(seen.window) >= MANY else []
    return plain or counts or seen.called("total", "running total") or dead


def _refuse_corrected(seen: _Seen, column: str) -> None:
    """Refuse a count that nearly always rises, as running totals do that are corrected or begin anew."""
    course = seen.courses.get(column)
    if course is not None and course.rose >= MANY and course.seldom_falls:
        raise InputError(
            f"{seen.where}: "
            f"{column!r} rises {course.rose:,} times and falls {course.fell:,} times, as running totals do that are "
            f"corrected or begin anew; give --events {column!r} (events=...) if it is a count, or {PLAIN}"
        )


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:6]))
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
