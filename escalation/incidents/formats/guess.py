"""Guess what the columns of an own table hold where their names do not say it plainly."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from escalation.incidents.formats.dates import read_days
from escalation.incidents.formats.layout import Layout, plain_name

GUESSED = ("date", "country", "place", "latitude", "longitude", "fatalities")
LOOKED_AT = 200
"""How many filled cells of a column are read to see whether it holds dates."""
MOST_DATES = 0.9


def guess_columns(layout: Layout, table: pd.DataFrame, matched: Mapping[str, str]) -> dict[str, str]:
    """Guess columns that no name gave away.

    A column is guessed where a word of its name is a known name (``Date of attack``) and no other
    column has that word; the date also where just one column is full of dates.

    Parameters
    ----------
    layout : Layout
        Known names.
    table : pandas.DataFrame
        The file's cells.
    matched : mapping of str to str
        What is known already: incidents' column to file's column.

    Returns
    -------
    dict
        Incidents' column to file's column, of the guessed ones only.
    """
    free = [name for name in table.columns if name not in matched.values()]
    guessed: dict[str, str] = {}
    for target in GUESSED:
        if target in matched:
            continue
        words = {word for word in layout.columns[target] if "_" not in word}
        named = [name for name in free if words & set(plain_name(name).split("_"))]
        if target == "date":
            named = [name for name in named if _holds_dates(table[name])]
            named = named or [name for name in free if _holds_dates(table[name])]
        if len(named) == 1:
            guessed[target] = named[0]
            free.remove(named[0])
    return guessed


def _holds_dates(column: pd.Series) -> bool:
    """Say whether most cells are written as dates; bare numbers are none, for anything may be numbered."""
    cells = column[column != ""].iloc[:LOOKED_AT]
    cells = cells[~cells.str.fullmatch(r"[0-9]+(?:\.[0-9]+)?").astype(bool)]
    if cells.empty or len(cells) < MOST_DATES * min((column != "").sum(), LOOKED_AT):
        return False
    found = read_days([cells], order="day-first", usual=None, today=pd.Timestamp("2200-01-01"), where="")[0]
    other = read_days([cells], order="month-first", usual=None, today=pd.Timestamp("2200-01-01"), where="")[0]
    return bool(max((found.problem == "").mean(), (other.problem == "").mean()) >= MOST_DATES)
