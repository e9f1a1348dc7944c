"""The checks on the rows of a file: what is kept, what is changed, and a ledger entry for each."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from escalation.files.ledger import LedgerEntries
from escalation.incidents.formats.dates import Days
from escalation.incidents.formats.figures import (
    read_coordinate,
    read_fatalities,
    read_figures,
    read_times,
    read_whole_numbers,
)
from escalation.incidents.schema import COORDINATE_LIMITS, FATALITY_COLUMNS, VICTIM_COLUMNS, out_of_order
from escalation.incidents.windows import widen

_UNUSUAL = re.compile(r"[+-]?[0-9.]+e[+-]?[0-9]{1,2}|\+[0-9.,]+|-0+\.?0*", re.IGNORECASE)


class Notes:
    """Ledger entries about one table of cells, under the names of the file's columns."""

    def __init__(self, file: str, cells: pd.DataFrame, names: dict[str, str]) -> None:
        self.entries = LedgerEntries(file)
        self.cells = cells
        self.names = names

    def add(self, bad: pd.Series, column: str, action: str, why: str | pd.Series, then: str = "") -> None:
        """Note the rows where ``bad`` is true, with their cell and why (one text, or one a row), and what was done."""
        if not bad.any():
            return
        rows = bad.index[bad]
        reasons = why + then if isinstance(why, str) else why[rows] + then
        self.entries.add(rows, self.names.get(column, column), self.cells.loc[rows, column], action, reasons)

    def about(self, cells: pd.DataFrame, names: dict[str, str]) -> Notes:
        """The same entries, of a table of cells with another column."""
        other = Notes(self.entries.file, cells, names)
        other.entries = self.entries
        return other


def keep_dated(date: Days, date_end: Days, notes: Notes, length: int = 1) -> pd.DataFrame:
    """Keep the rows with a good window; where ``date_end`` is blank the ``date`` stands for so many days.

    Returns
    -------
    pandas.DataFrame
        ``date`` and ``date_end`` of the rows kept.
    """
    undated = date.problem != ""
    notes.add(undated, "date", "dropped", date.problem)
    one_day = date_end.problem == "is blank"
    endless = ~undated & ~one_day & (date_end.problem != "")
    notes.add(endless, "date_end", "dropped", date_end.problem)
    exact = date.days == date.last
    last = date.last if length == 1 else date.last.mask(exact, date.days + pd.Timedelta(days=length - 1))
    window = pd.DataFrame({"date": date.days, "date_end": date_end.last.where(~one_day, last)})
    backwards = window["date_end"] < window["date"]
    notes.add(backwards, "date_end", "dropped", "is before the date")
    kept = ~(undated | endless | backwards)
    for column, days in (("date", date), ("date_end", date_end)):
        notes.add(kept & days.serial, column, "changed", "is a spreadsheet's day number; read as its date")
    return window[kept]


def widen_imprecise(window: pd.DataFrame, notes: Notes, precisions: Mapping[str, str]) -> pd.DataFrame:
    """Widen dates to the week, month or year that the file says they are known to."""
    code = notes.cells.loc[window.index, "time_precision"]
    codes, distinct = pd.factorize(code)
    said = pd.Series(distinct, dtype=object).str.lower().map(precisions)
    precision = said.take(codes).set_axis(code.index)
    known = ", ".join(word for word in precisions if "." not in word)
    notes.add(
        precision.isna() & ((code != "") | ("1" in precisions)),
        "time_precision",
        "changed",
        f"is none of {known}; the date is taken as exact",
    )
    return widen(window, precision.fillna("day"))


def read_precisions(cells: pd.DataFrame, notes: Notes, precisions: Mapping[str, str]) -> pd.Series:
    """How far the place of each row is known, in the words of the incidents table; blank where the file is silent."""
    codes, distinct = pd.factorize(cells["location_precision"])
    written = pd.Series(distinct, dtype=object).str.lower().str.removesuffix(".0")
    said = written.map(dict(precisions) | {"": ""}).take(codes).set_axis(cells.index)
    known = ", ".join(word for word in precisions if precisions[word])
    notes.add(said.isna(), "location_precision", "changed", f"is none of {known}; blanked")
    return said.fillna("").astype(str)


def keep_counted(cells: pd.DataFrame, notes: Notes, *, signed: bool = False, blanks: bool = False) -> pd.Series:
    """How many incidents each row stands for, or by how many it changes a count.

    Rows that do not say are dropped, but blank ones are <NA> where ``blanks`` are kept.
    """
    events, problem = read_whole_numbers(cells["events"]) if signed else read_fatalities(cells["events"])
    if not blanks:
        problem = problem.mask(events.isna() & (problem == ""), "is blank")
    notes.add(problem != "", "events", "dropped", problem)
    return events[problem == ""]


def clean_times(cells: pd.DataFrame, notes: Notes) -> pd.Series:
    """Since when each row has said what it says; ``NaT`` where the file does not say."""
    times, problem = read_times(cells["as_of"])
    notes.add(problem != "", "as_of", "changed", problem, "; blanked")
    return times


def keep_known(times: pd.Series, as_of: pd.Timestamp, notes: Notes) -> pd.Series:
    """Flag the rows that stood as they are at the end of a day, and note the others."""
    late = times >= as_of + pd.Timedelta(days=1)
    notes.add(late, "as_of", "dropped", f"became known after {as_of:%Y-%m-%d}")
    notes.add(times.isna(), "as_of", "dropped", "does not say when it became known")
    return ~late & times.notna()


def note_unusual(cells: pd.DataFrame, notes: Notes) -> None:
    """Note counts in powers of ten, as spreadsheets shorten them, or with a sign, and what they are read as."""
    for column in ("events", *FATALITY_COLUMNS):
        if column not in cells:
            continue
        codes, distinct = pd.factorize(cells[column])
        written = pd.Series(distinct, dtype=object)
        unusual = written.str.strip().str.fullmatch(_UNUSUAL).astype(bool)
        if unusual.any():
            numbers, problem = read_fatalities(written)
            said = ("is read as " + numbers.astype(str)).where(unusual & (problem == ""), "")
            said = said.take(codes).set_axis(cells.index)
            notes.add(said != "", column, "changed", said)


def clean_fatalities(cells: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Read the three fatality figures; blank what cannot be used, and low and high where they contradict the best.

    Ranges and hedges of the best figure fill low and high; where a file has these alone the best is their middle.
    """
    read = {}
    for column in FATALITY_COLUMNS:
        read[column], problem, hedge = read_figures(cells[column])
        notes.add(problem != "", column, "changed", problem, "; blanked")
        notes.add(hedge != "", column, "changed", hedge)
    table = _joined_figures(read)
    if "fatalities" not in notes.names and {"fatalities_low", "fatalities_high"} <= set(notes.names):
        least, most = table["fatalities_low"], table["fatalities_high"]
        table["fatalities"] = ((least + most) // 2).where((least <= most).fillna(value=False).astype(bool))
    low, best, high = (table[column] for column in ("fatalities_low", "fatalities", "fatalities_high"))
    wrong = out_of_order(low, best, high)
    if not wrong.any():
        return table
    said = "low " + _shown(low) + ", best " + _shown(best) + ", high " + _shown(high)
    for column in ("fatalities_low", "fatalities_high"):
        why = said + " are not in that order; low and high blanked"
        notes.add(wrong & table[column].notna(), column, "changed", why)
        table[column] = table[column].mask(wrong)
    return table


def clean_victims(cells: pd.DataFrame, notes: Notes) -> dict[str, pd.Series]:
    """Read the numbers of those killed of each side, of the columns that the file has; blank what cannot be used."""
    killed = {}
    for column in VICTIM_COLUMNS:
        if column in notes.names:
            killed[column], problem = read_fatalities(cells[column])
            notes.add(problem != "", column, "changed", problem, "; blanked")
    return killed


def _joined_figures(read: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The three figures of each row, low and high filled from what the best says of them."""
    low, best, high = (read[column] for column in ("fatalities_low", "fatalities", "fatalities_high"))
    figures = {
        "fatalities": best["best"],
        "fatalities_low": low["low"].fillna(low["best"]).fillna(best["low"]),
        "fatalities_high": high["high"].fillna(high["best"]).fillna(best["high"]),
    }
    return pd.DataFrame(figures)[list(FATALITY_COLUMNS)]


def _shown(figures: pd.Series) -> pd.Series:
    """Figures as text, unknown ones by that word."""
    return figures.astype(object).where(figures.notna(), "unknown").astype(str)


def clean_coordinates(cells: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Read latitude and longitude; blank both where one cannot be used."""
    degrees = {}
    wrong = pd.Series(False, index=cells.index)
    for column, limit in COORDINATE_LIMITS.items():
        degrees[column], problem = read_coordinate(cells[column], limit)
        notes.add(problem != "", column, "changed", problem, "; latitude and longitude blanked")
        wrong |= problem != ""
    return pd.DataFrame(degrees).mask(wrong) if wrong.any() else pd.DataFrame(degrees)
