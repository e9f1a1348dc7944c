"""Units of incidents: the columns that name them, grid cells among these, and each row's place."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.schema import DRAW
from escalation.errors import InputError, warn
from escalation.incidents.grids import is_grid, locate

BLANK_UNIT = "(blank)"
"""The unit of incidents that do not name theirs."""


def unit_columns_of(by: str | list[str] | None) -> list[str]:
    """The columns that counts are by.

    Raises
    ------
    InputError
        If ``by`` is neither a column nor a list of different ones.
    """
    names = [] if by is None else [by] if isinstance(by, str) else by
    if not isinstance(names, list) or (by is not None and not names) or len(set(names)) < len(names):
        raise InputError(f"by is {by!r}; give one column or a list of different columns")
    return names


def columns_read_as(table: pd.DataFrame, by: str | list[str] | None) -> str | list[str] | None:
    """The columns of a table that was read, for names that stand in its files.

    Parameters
    ----------
    table : pandas.DataFrame
        Incidents, whose ``attrs["columns"]`` say what columns of files were taken for.
    by : str, list of str or None
        Names as in the table or as in its files.

    Examples
    --------
    >>> table = pd.DataFrame({"date": ["2024-01-01"], "admin1": ["North"]})
    >>> table.attrs["columns"] = {"own.csv": {"date": "Day", "admin1": "Region"}}
    >>> columns_read_as(table, "Region"), columns_read_as(table, ["admin1"])
    ('admin1', ['admin1'])
    """
    if not isinstance(by, str | list):
        return by
    own = {name: target for names in table.attrs.get("columns", {}).values() for target, name in names.items()}
    read = [own.get(name, name) if name not in table else name for name in ([by] if isinstance(by, str) else by)]
    return read[0] if isinstance(by, str) else read


def check_units(names: list[str], columns: list[str]) -> None:
    """Refuse columns that the table does not have, or that mark histories."""
    for name in names:
        if name == DRAW:
            raise InputError(f"by names {DRAW!r}, which marks histories; rename the column")
        if name not in columns:
            found = ", ".join(str(column) for column in columns)
            raise InputError(f"by names {name!r}, which the table does not have; its columns are {found}")


def with_units(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The table with all columns that it shall be counted by, those of grids worked out."""
    check_units([name for name in names if not is_grid(name)], list(table.columns))
    for name in names:
        if is_grid(name) and name not in table:
            table, nowhere = locate(table, name)
            if len(nowhere):
                warn(
                    f"{len(nowhere):,} of {len(table):,} incidents have no coordinates and count as {BLANK_UNIT}; "
                    f"escalation.incidents.locate(incidents, {name!r}) lists them"
                )
    return table


def units_of(
    table: pd.DataFrame, by: str | list[str] | None, spans: pd.DataFrame | None
) -> tuple[pd.Index, NDArray[np.int64], NDArray[np.int64]]:
    """The units, sorted, and the position among them of each row and of each span of coverage."""
    watched = 0 if spans is None else len(spans)
    names = unit_columns_of(by)
    if not names:
        return pd.RangeIndex(1), np.zeros(len(table), dtype=np.int64), np.zeros(watched, dtype=np.int64)
    columns = {name: table[name] if spans is None else pd.concat([table[name], spans[name]]) for name in names}
    keys = pd.DataFrame({name: _unit_names(column).array for name, column in columns.items()})
    grouped = keys.groupby(names, sort=True, observed=True)
    units: pd.Index = grouped.size().index
    if isinstance(by, str):
        units = pd.Index(units, name=by)
    elif not isinstance(units, pd.MultiIndex):
        units = pd.MultiIndex.from_arrays([units], names=names)
    place = np.asarray(grouped.ngroup(), dtype=np.int64)
    return units, place[: len(table)], place[len(table) :]


def _unit_names(column: pd.Series) -> pd.Series:
    """The values of a column, with a name for the blank one."""
    blank = column.isna() | (column.astype(object) == "")
    return column.astype(object).where(~blank, BLANK_UNIT) if blank.any() else column
