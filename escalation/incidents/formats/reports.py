"""Reports of incidents made by machine: what they are not, and how to thin them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.errors import InputError, warn
from escalation.incidents.formats.rows import Notes

Reports: TypeAlias = Literal["all", "root", "distinct", "distinct root"]
REPORTS: tuple[Reports, ...] = ("all", "root", "distinct", "distinct root")
YES = ("1", "1.0", "true")


def check_reports(reports: str) -> None:
    """Check the option.

    Raises
    ------
    InputError
        If it is none of the four.
    """
    if reports not in REPORTS:
        raise InputError(f"reports is {reports!r}; use {', '.join(REPORTS[:-1])} or {REPORTS[-1]}")


def thin(rows: pd.DataFrame, notes: Notes, reports: Reports, kind: str) -> pd.DataFrame:
    """Keep the reports that are asked for, note the others, and warn of what the rest are.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns of an incidents table, indexed by the row of the file.
    notes : Notes
        Takes a note of each report left out.
    reports : {"all", "root", "distinct", "distinct root"}
        Which to keep.
    kind : str
        Whose reports they are.

    Raises
    ------
    InputError
        If root events are asked for and the file does not mark them.

    Warns
    -----
    DataWarning
        Always: counts of reports are no counts of incidents.
    """
    file = notes.entries.file
    if "root" in reports:
        if "root" not in notes.names:
            raise InputError(f"{file}: does not mark root events (IsRootEvent); use reports='all' or 'distinct'")
        root = notes.cells.loc[rows.index, "root"].str.lower().isin(YES)
        notes.add(~root, "root", "dropped", "is no root event of its article")
        rows = rows[root]
    if "distinct" in reports:
        rows = _distinct(rows, notes)
    warn(
        f"{file}: the {len(rows):,} rows kept of this {kind} file are reports made by machine, not incidents: one "
        "incident is reported many times, and the number of reports follows the attention of the press; "
        "reports='distinct root' keeps one root report of each place, day and code"
    )
    return rows


def _distinct(rows: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Keep the first report of each place, day and code; a report without a place is kept."""
    key = rows[["date", "event_type", "country", "admin1", "place", "latitude", "longitude"]]
    repeated = key.duplicated() & ((rows["place"] != "") | rows["latitude"].notna())
    if not repeated.any():
        return rows
    group = key.groupby(list(key), dropna=False, sort=False).ngroup()
    first = pd.Series(np.asarray(rows.index), index=rows.index).groupby(group).transform("first")
    why = "row " + first[repeated].astype(str) + " reports the same place, day and code and is kept"
    notes.add(repeated, "event_type", "merged", why)
    return rows[~repeated]
