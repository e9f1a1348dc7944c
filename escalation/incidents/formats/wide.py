"""Wide tables, which have a column for each date, as tables with a row for each unit and date."""

from __future__ import annotations

import re

import pandas as pd

from escalation.errors import InputError
from escalation.incidents.formats.dates import dated_share, read_days

_YEAR = re.compile(r"(?:19|20)\d\d")
FEWEST = 3
"""So many columns must be called by dates."""
MOST_DATES = 0.8
"""Share of the names with digits that must be dates."""
VALUE, DATE = "value", "date"


def date_columns(table: pd.DataFrame, order: str, today: pd.Timestamp, where: str) -> dict[str, str]:
    """The columns of a table that are called by dates, and these; none where they are few.

    Raises
    ------
    InputError
        If they are, and it cannot be known whether the day or the month comes first.
    """
    named = [
        name for name in table.columns if any(map(str.isdigit, name)) and (not name.isdigit() or _YEAR.fullmatch(name))
    ]
    if len(named) < FEWEST or len(named) < 0.4 * len(table.columns):
        return {}
    column = pd.Series(named, index=pd.RangeIndex(1, len(named) + 1))
    if dated_share(column) < MOST_DATES:
        return {}
    found = read_days([column], order=order, usual=None, today=today, where=f"{where}, names of columns")[0]
    dated = column[found.problem == ""]
    last = found.last[dated.index]
    return {
        name: f"{first:%Y-%m-%d}" if first == end else f"{first:%Y-%m-%d}..{end:%Y-%m-%d}"
        for name, first, end in zip(dated, found.days[dated.index], last, strict=True)
    }


def melt(table: pd.DataFrame, dates: dict[str, str], where: str) -> pd.DataFrame:
    """Make a row of each unit and date.

    Parameters
    ----------
    table : pandas.DataFrame
        The cells of the file.
    dates : dict
        Columns called by dates, and the dates.
    where : str
        The file, for messages.

    Returns
    -------
    pandas.DataFrame
        The other columns, ``date`` and ``value``; rows are numbered from 2 on, as if the file held them so.

    Raises
    ------
    InputError
        If another column is called ``date`` or ``value``.
    """
    others = [name for name in table.columns if name not in dates]
    taken = [name for name in others if name in (DATE, VALUE)]
    if taken:
        raise InputError(f"{where}: has a column for each date and one called {taken[0]!r}; rename that one")
    long = table.melt(id_vars=others, value_vars=list(dates), var_name=DATE, value_name=VALUE)
    long[DATE] = long[DATE].map(dates).astype(object)
    long.index = pd.RangeIndex(2, len(long) + 2, name="row")
    return long
