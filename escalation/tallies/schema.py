"""The noun *tallies*: one row a reported count, and the one gate that checks such a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import IntArray
from escalation.counts.periods import EARLIEST
from escalation.counts.series import Silence
from escalation.errors import InputError
from escalation.files.frames import as_pandas
from escalation.tallies.kernels import default_kernels
from escalation.tallies.words import as_qualifier, nearest

REQUIRED = ("series", "count", "qualifier", "start", "end")
DEFAULTS = {
    "low": "",
    "high": "",
    "as_of": "",
    "place": "ALL",
    "counter": "unstated",
    "kind": "",
    "unit": "incidents",
    "flag": "ok",
    "date_confidence": "stated",
    "exactness": "printed",
    "silence": "",
    "source": "",
    "url": "",
    "note": "",
}
COLUMNS = (
    "series", "count", "qualifier", "low", "high", "start", "end", "as_of", "place",
    "counter", "kind", "unit", "flag", "date_confidence", "exactness", "silence", "source", "url", "note",
)  # fmt: skip
DATES = ("start", "end", "as_of")
NUMBERS = ("count", "low", "high")
KINDS = ("cumulative", "interval", "single_day", "zero_window", "baseline")
FLAGS = ("ok", "duplicate", "stale", "rounded", "unit_ambiguous", "contradiction", "outlier", "weak")
DATE_CONFIDENCE = {"stated": 1.0, "inferred": 1.5, "interpolated": 2.0}
"""How much wider a kernel is when a window's dates are not stated."""

MOST_FAULTS = 12
"""Faulty rows that a message names one by one."""
EXACTNESS = ("printed", "named")
"""What a bare number is: a figure as printed, which a doubtful hour moves by one or so, or a count of things that were
each named or announced (the dead by name, one raid), which it does not."""

EVERYWHERE = "ALL"
"""The place that contains every other; ``Iraq`` contains ``Iraq/Ain al-Asad``."""

MAX_COUNT = 50_000
"""Larger counts are refused; give them in hundreds or thousands, with a unit that says so."""


def contains(whole: str, part: str) -> bool:
    """Say whether one place lies in another (or is the same)."""
    return whole in (EVERYWHERE, part) or part.startswith(whole + "/")


def plain_headers(columns: Iterable[object]) -> dict[str, str]:
    """Headers of a table that are names of columns of tallies but for capitals and blanks, with these names.

    Examples
    --------
    >>> plain_headers(["Series", " COUNT", "start", "note of mine"])
    {'Series': 'series', ' COUNT': 'count'}
    """
    given = [str(name) for name in columns]
    plain = {name: name.strip().lower().replace(" ", "_") for name in given}
    twice = {to for to in plain.values() if list(plain.values()).count(to) > 1}  # which of them is meant is not known
    return {name: to for name, to in plain.items() if to in COLUMNS and to not in given and to not in twice}


def check_tallies(tallies: pd.DataFrame, where: str = "tallies") -> pd.DataFrame:
    """Check a table of tallies and return it with all columns in their types.

    Parameters
    ----------
    tallies : pandas.DataFrame, or a table of polars, Arrow, DuckDB or Ibis
        At least ``series, count, qualifier, start, end``; see ``data/README.md`` for the others.
        Numbers and dates may be text.
    where : str
        What messages call the table; rows are named by its index.

    Returns
    -------
    pandas.DataFrame
        The columns of :data:`COLUMNS`: numbers ``Int64``, dates ``datetime64``, the rest text.

    Raises
    ------
    InputError
        If a column is missing or a row cannot be used; the message names all such rows.
    """
    tallies = as_pandas(tallies, where, "a DataFrame, such as read_tallies(path)[0]")
    tallies = tallies.rename(columns=plain_headers(tallies.columns))
    missing = [name for name in REQUIRED if name not in tallies.columns]
    if missing:
        raise InputError(
            f"{where}: no column {', '.join(missing)}; found {', '.join(map(str, tallies.columns))}; "
            f"tallies need {', '.join(REQUIRED)}"
        )
    if tallies.empty:
        raise InputError(f"{where}: has no rows; at least one tally is needed")
    faults = _Faults(where, tallies.index)
    table = pd.DataFrame(index=tallies.index)
    for name in COLUMNS:
        if name in NUMBERS:
            table[name] = _numbers(_text(tallies, name), name, faults)
        elif name in DATES:
            table[name] = _dates(_text(tallies, name), name, faults)
        else:
            table[name] = _text(tallies, name)
    known = tuple(default_kernels().index)
    table["qualifier"] = table["qualifier"].map(lambda word: as_qualifier(word, known))
    _check_words(table, faults)
    _check_windows(table, faults)
    _check_numbers(table[faults.leave_out()], faults)
    faults.raise_all()
    table["kind"] = _kinds(table)
    return table


class _Faults:
    """Collects the rows that cannot be used, so that one message names them all."""

    def __init__(self, where: str, index: pd.Index) -> None:
        self.where, self.index = where, index
        self.found: list[tuple[int, str]] = []
        self.left: IntArray = np.arange(len(index))

    def add(self, bad: pd.Series, message: str, *columns: pd.Series) -> None:
        """Note a fault for each row where ``bad`` holds; ``{0}``, ``{1}`` in the message are its cells.

        Rows that have a fault already may have been left out of ``bad`` and the columns.
        """
        among = None if len(bad) == len(self.index) else self.left
        for place in np.flatnonzero(bad.to_numpy(dtype=bool)):
            cells = [_shown(column.iloc[place]) for column in columns]
            position = place if among is None else among[place]
            self.found.append((int(position), message.format(*cells)))

    def leave_out(self) -> NDArray[np.bool_]:
        """Mark the rows that have no fault so far, to look at those only."""
        good = ~np.isin(np.arange(len(self.index)), [row for row, _ in self.found])
        self.left = np.flatnonzero(good)
        return good

    def raise_all(self) -> None:
        """Raise one error for all faulty rows, if there are any."""
        first: dict[int, str] = {}
        for row, message in self.found:
            first.setdefault(row, message)
        rows = sorted(first)
        if not rows:
            return
        if len(rows) == 1:
            raise InputError(f"{self.where}, row {self.index[rows[0]]} cannot be used: {first[rows[0]]}")
        listed = "; ".join(f"row {self.index[row]}: {first[row]}" for row in rows[:MOST_FAULTS])
        more = f"; and {len(rows) - MOST_FAULTS} more" if len(rows) > MOST_FAULTS else ""
        raise InputError(f"{self.where}: {len(rows)} rows cannot be used: {listed}{more}")


def _shown(cell: object) -> str:
    return str(cell.date()) if isinstance(cell, pd.Timestamp) else str(cell)


def _text(tallies: pd.DataFrame, name: str) -> pd.Series:
    """One column as stripped text, its default where it is missing or blank."""
    default = DEFAULTS.get(name, "")
    if name not in tallies.columns:
        return pd.Series(default, index=tallies.index, dtype=str)
    column = tallies[name]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.dt.strftime("%Y-%m-%d")
    elif pd.api.types.is_float_dtype(column.dtype):
        column = pd.Series([f"{value:.15g}" if pd.notna(value) else "" for value in column], index=column.index)
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.where(text != "", default)


def _numbers(text: pd.Series, name: str, faults: _Faults) -> pd.Series:
    value = pd.to_numeric(text.where(text != "", None), errors="coerce").astype(float)
    given = text != ""
    faults.add(given & value.isna(), f"{name} is {{0!r}}, which is no number; write a whole number such as 12", text)
    short, signed = text.str.lower().str.contains("e") & value.notna(), text.str.fullmatch(r"\+.*|-[0.]+").astype(bool)
    faults.add(short, f"{name} is {{0!r}}, shortened as spreadsheets do; write all its digits", text)
    faults.add(
        signed & value.notna() & ~short,
        f"{name} is {{0!r}}, with a sign; write the number alone, with the qualifier at_least where it means or more",
        text,
    )
    value = value.mask(short | signed)
    faults.add(value < 0, f"{name} is {{0}}, below 0; a count cannot be negative", text)
    faults.add((value >= 0) & (value != np.floor(value)), f"{name} is {{0}}, not whole; round it or use a range", text)
    faults.add(
        value > MAX_COUNT,
        f"{name} is {{0}}, above {MAX_COUNT:,}; give it in hundreds or thousands, with a unit that says so",
        text,
    )
    return value.where((value >= 0) & (value == np.floor(value)) & (value <= MAX_COUNT)).astype("Int64")


def _dates(text: pd.Series, name: str, faults: _Faults) -> pd.Series:
    given = text != ""
    iso = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?").astype(bool)
    serial = text.str.fullmatch(r"\d{5}(\.\d+)?").astype(bool)
    faults.add(given & serial, f"{name} is {{0}}, a spreadsheet's day number; format the column as YYYY-MM-DD", text)
    faults.add(given & ~iso & ~serial, f"{name} is {{0!r}}; write the date as YYYY-MM-DD", text)
    day = pd.Series([_day(cell) for cell in text.where(iso, "")], index=text.index, dtype="datetime64[s]")
    old = iso & (text.str.slice(0, 4) < str(EARLIEST.year))
    faults.add(iso & day.isna() & ~old, f"{name} is {{0}}, a day that no calendar has", text)
    faults.add(old, f"{name} is {{0}}, before 1900; check the year", text)
    if name != "as_of":
        faults.add(~given, f"{name} is blank; every tally needs the first and last day of its window", text)
    return day


def _day(text: str) -> np.datetime64:
    """The day that a text begins with; pandas 2 has none after 2262."""
    try:
        return np.datetime64(dt.date.fromisoformat(text[:10]), "s")
    except ValueError:
        return np.datetime64("NaT", "s")


def _check_words(table: pd.DataFrame, faults: _Faults) -> None:
    faults.add(table["series"] == "", "series is blank; say what is counted", table["series"])
    known = {
        "qualifier": tuple(default_kernels().index),
        "kind": (*KINDS, ""),
        "flag": FLAGS,
        "date_confidence": tuple(DATE_CONFIDENCE),
        "exactness": EXACTNESS,
        "silence": (*get_args(Silence), ""),
    }
    for name, words in known.items():
        listed = ", ".join(word for word in words if word)
        near = table[name].map(lambda word, words=words: nearest(word, filter(None, words)))
        faults.add(~table[name].isin(words), f"{name} is {{0!r}}{{1}}; use one of {listed}", table[name], near)


def _check_windows(table: pd.DataFrame, faults: _Faults) -> None:
    start, end = table["start"], table["end"]
    tomorrow = pd.Timestamp(dt.date.today()) + pd.Timedelta(days=1)
    faults.add(end < start, "the window ends on {0}, before it starts on {1}; swap them", end, start)
    faults.add(start > tomorrow, "the window starts on {0}, in the future; check the year", start)
    faults.add((end > tomorrow) & (start <= tomorrow), "the window ends on {0}, in the future; check the year", end)
    faults.add(
        table["as_of"].notna() & (table["as_of"] < end),
        "as_of is {0}, before the window ends on {1}",
        table["as_of"],
        end,
    )


def _check_numbers(table: pd.DataFrame, faults: _Faults) -> None:
    kernels = default_kernels()
    count, low, high, qualifier = table["count"], table["low"], table["high"], table["qualifier"]
    # a ceiling is a range from 0, but of one number all the same
    ceiling = kernels["span_low"].eq(0) & kernels["span_high"].eq(1) & kernels["per_days"].isna()
    point = qualifier.map((kernels["shape"] == "point") | ceiling).astype(bool)
    ranged = qualifier == "range"
    word = ~point & ~ranged & qualifier.map(kernels["per_days"]).isna()
    faults.add(point & count.isna(), "count is blank; {0!r} needs a number", qualifier)
    faults.add(point & (low.notna() | high.notna()), "low and high do not go with {0!r}; use 'range'", qualifier)
    faults.add(word & count.notna(), "count is given with {0!r}, a word for a number; leave it blank", qualifier)
    faults.add(ranged & (low.isna() | high.isna()), "low or high is blank; 'range' needs both", qualifier)
    faults.add(~point & (low.isna() != high.isna()) & ~ranged, "only one of low and high is given; give both or none")
    rated = ~point & ~ranged & ~word & low.notna() & count.notna()
    faults.add(rated, "count is given with low and high of {0!r}; give the count, or low and high", qualifier)
    faults.add((low > high).fillna(False), "low is {0}, above high {1}; swap them", low, high)
    outside = ranged & ((count < low) | (count > high)).fillna(False)
    faults.add(outside, "count is {0}, outside low {1} to high {2}", count, low, high)


def _kinds(table: pd.DataFrame) -> pd.Series:
    """The stated kind, or the one that the window and the count imply."""
    implied = np.select(
        [table["count"].eq(0).fillna(False), table["start"] == table["end"]], ["zero_window", "single_day"], "interval"
    )
    return table["kind"].where(table["kind"] != "", pd.Series(implied, index=table.index))


def template_table() -> pd.DataFrame:
    """Return a table of tallies with three examples, to be filled in.

    Examples
    --------
    >>> len(check_tallies(template_table()))
    3
    """
    examples = [
        {"count": "12", "qualifier": "exact", "start": "2024-01-01", "end": "2024-01-14", "kind": "cumulative",
         "note": "a running total since 1 January"},
        {"count": "40", "qualifier": "nearly", "start": "2024-01-01", "end": "2024-01-31", "kind": "cumulative"},
        {"qualifier": "range", "low": "5", "high": "8", "start": "2024-02-05", "end": "2024-02-11", "kind": "interval"},
    ]  # fmt: skip
    same = {"series": "attacks", "place": "ALL", "counter": "ministry", "unit": "attacks", "flag": "ok"}
    blank = dict.fromkeys(COLUMNS, "")
    return pd.DataFrame([blank | same | one for one in examples], columns=list(COLUMNS))
