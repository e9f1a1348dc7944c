"""The checks on the rows of a file: what is kept, what is changed, and a ledger entry for each."""

from __future__ import annotations

import pandas as pd

from escalation.incidents import acled
from escalation.incidents.dates import Days
from escalation.incidents.figures import read_coordinate, read_fatalities
from escalation.incidents.schema import COORDINATE_LIMITS, FATALITY_COLUMNS, fallback_ids, out_of_order
from escalation.ledger import LedgerEntries


class Notes:
    """Ledger entries about one table of cells, under the names of the file's columns."""

    def __init__(self, file: str, cells: pd.DataFrame, names: dict[str, str]) -> None:
        self.entries = LedgerEntries(file)
        self.cells = cells
        self.names = names

    def add(self, bad: pd.Series, column: str, action: str, why: str | pd.Series) -> None:
        """Note the rows where ``bad`` is true, with their cell and why (one text, or one a row)."""
        rows = bad.index[bad]
        reasons = why if isinstance(why, str) else why[rows]
        self.entries.add(rows, self.names.get(column, column), self.cells.loc[rows, column], action, reasons)


def keep_dated(date: Days, date_end: Days, notes: Notes) -> pd.DataFrame:
    """Keep the rows with a good window; a blank ``date_end`` is the ``date``.

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
    window = pd.DataFrame({"date": date.days, "date_end": date_end.days.where(~one_day, date.days)})
    backwards = window["date_end"] < window["date"]
    notes.add(backwards, "date_end", "dropped", "is before the date")
    kept = ~(undated | endless | backwards)
    for column, days in (("date", date), ("date_end", date_end)):
        notes.add(kept & days.serial, column, "changed", "is a spreadsheet's day number; read as its date")
    return window[kept]


def widen_imprecise(window: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Widen ACLED's dates to the week or month that their ``time_precision`` allows."""
    code = notes.cells.loc[window.index, "time_precision"]
    precision = code.map(acled.PRECISIONS)
    notes.add(precision.isna(), "time_precision", "changed", "is none of 1, 2, 3; the date is taken as exact")
    return acled.widen(window["date"], precision.fillna("day"))


def clean_fatalities(cells: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Read the three fatality figures; blank what cannot be used, and low and high where they contradict the best."""
    figures = {}
    for column in FATALITY_COLUMNS:
        figures[column], problem = read_fatalities(cells[column])
        notes.add(problem != "", column, "changed", problem + "; blanked")
    table = pd.DataFrame(figures)
    low, best, high = (table[column] for column in ("fatalities_low", "fatalities", "fatalities_high"))
    wrong = out_of_order(low, best, high)
    said = "low " + _shown(low) + ", best " + _shown(best) + ", high " + _shown(high)
    for column in ("fatalities_low", "fatalities_high"):
        why = said + " are not in that order; low and high blanked"
        notes.add(wrong & table[column].notna(), column, "changed", why)
        table[column] = table[column].mask(wrong)
    return table


def _shown(figures: pd.Series) -> pd.Series:
    """Figures as text, unknown ones by that word."""
    return figures.astype(object).where(figures.notna(), "unknown").astype(str)


def clean_coordinates(cells: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Read latitude and longitude; blank both where one cannot be used."""
    degrees = {}
    wrong = pd.Series(False, index=cells.index)
    for column, limit in COORDINATE_LIMITS.items():
        degrees[column], problem = read_coordinate(cells[column], limit)
        notes.add(problem != "", column, "changed", problem + "; latitude and longitude blanked")
        wrong |= problem != ""
    return pd.DataFrame(degrees).mask(wrong)


def merge_repeats(table: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Keep the last row of each id; give rows without an id a fallback identity."""
    ids = table["incident_id"]
    blank = ids == ""
    if "incident_id" in notes.names:
        notes.add(blank, "incident_id", "changed", "has no id; kept as an incident of its own")
    repeated = ids.duplicated(keep="last") & ~blank
    last = pd.Series(table.index, index=ids).groupby(level=0).last()
    why = "row " + ids[repeated].map(last).astype(str) + " has the same id and is kept"
    notes.add(repeated, "incident_id", "merged", why)
    table = table[~repeated].copy()
    if blank.any():
        table.loc[blank[~repeated], "incident_id"] = fallback_ids(table[blank[~repeated]])
    return table
