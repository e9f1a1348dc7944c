"""Grid cells of incidents: PRIO-GRID, worked out here, and H3 by its own library."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from escalation.errors import InputError
from escalation.files.ledger import LedgerEntries
from escalation.incidents.schema import COORDINATE_LIMITS, check_incidents

PRIOGRID = "priogrid"
CELLS_A_DEGREE = 2
COLUMNS, ROWS = 360 * CELLS_A_DEGREE, 180 * CELLS_A_DEGREE
FINEST_H3 = 15


def is_grid(name: object) -> bool:
    """Say whether a name is that of a grid: ``priogrid``, or ``h3-`` and a resolution."""
    return name == PRIOGRID or (isinstance(name, str) and re.fullmatch(r"h3-\d+", name) is not None)


def priogrid(latitude: pd.Series, longitude: pd.Series) -> pd.Series:
    """Number of the PRIO-GRID cell of each place.

    Parameters
    ----------
    latitude, longitude : pandas.Series
        Degrees, on one index; missing where unknown.

    Returns
    -------
    pandas.Series
        ``Int64``: ``gid`` from 1, at 90 S 180 W, row by row to 259,200; ``<NA>`` where either is unknown. A place on a
        edge belongs to the cell north and east of it, as in UCDP's own ``priogrid_gid``; the north pole
        and 180 E to the last row and column.

    Raises
    ------
    InputError
        If the two are not numbers on one index, or lie out of range.

    Notes
    -----
    Source: Tollefsen, Strand & Buhaug (2012), doi:10.1177/0022343311431287: cells of half a degree.

    Examples
    --------
    >>> import pandas as pd
    >>> priogrid(pd.Series([33.51, 36.2, None]), pd.Series([36.29, 37.16, 1.0])).tolist()
    [178273, 181875, <NA>]
    """
    degrees = {}
    for name, values in (("latitude", latitude), ("longitude", longitude)):
        if not isinstance(values, pd.Series) or not pd.api.types.is_numeric_dtype(values.dtype):
            raise InputError(f"{name} is a {type(values).__name__}; give a Series of degrees")
        if not values.index.equals(latitude.index):
            raise InputError("latitude and longitude are on different indexes; take both from one table")
        known = values.to_numpy(dtype=float, na_value=np.nan)
        if (np.abs(known) > COORDINATE_LIMITS[name]).any():
            raise InputError(
                f"{name} goes beyond {COORDINATE_LIMITS[name]:g} degrees; see that the two are not swapped"
            )
        degrees[name] = known
    row = np.minimum(np.floor((degrees["latitude"] + 90) * CELLS_A_DEGREE), ROWS - 1)
    column = np.minimum(np.floor((degrees["longitude"] + 180) * CELLS_A_DEGREE), COLUMNS - 1)
    return pd.Series(row * COLUMNS + column + 1, index=latitude.index, name=PRIOGRID).astype("Int64")


def locate(incidents: pd.DataFrame, grid: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put each incident into a cell of a grid.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`.
    grid : str
        ``"priogrid"``, or ``"h3-0"`` to ``"h3-15"`` (with ``pip install 'escalation[h3]'``).

    Returns
    -------
    incidents : pandas.DataFrame
        With one more column, called like the grid: PRIO-GRID's number (``Int64``) or H3's cell (text),
        missing where the coordinates are.
    ledger : pandas.DataFrame
        The incidents without coordinates, which are in no cell; the row is the place in the table, from 0.

    Raises
    ------
    InputError
        If there is no such grid, h3 is not installed or the table is none of incidents.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-11-12", "2024-11-12"])
    >>> table = pd.DataFrame({"date": days, "latitude": [33.51, None], "longitude": [36.29, None]})
    >>> located, ledger = locate(table, "priogrid")
    >>> located["priogrid"].tolist(), ledger["row"].tolist()
    ([178273, <NA>], [1])
    """
    if not is_grid(grid):
        raise InputError(f"grid is {grid!r}; use priogrid, or h3-0 to h3-{FINEST_H3}")
    table = check_incidents(incidents)
    here = table[["latitude", "longitude"]].notna().all(axis=1)
    found = priogrid(table["latitude"], table["longitude"]) if grid == PRIOGRID else _h3(table[here], grid)
    table = table.assign(**{grid: found.reindex(table.index)})
    notes = LedgerEntries("table")
    nowhere = np.flatnonzero(~here)
    notes.add(nowhere, grid, table["incident_id"].to_numpy()[nowhere], "changed", "has no coordinates, so no cell")
    return table, notes.frame()


def _h3(table: pd.DataFrame, grid: str) -> pd.Series:
    """H3 cells of places that are known; each different place is looked up once."""
    try:
        import h3
    except ImportError:
        raise InputError(f"{grid} needs h3; pip install 'escalation[h3]', or use priogrid") from None
    resolution = int(grid.removeprefix("h3-"))
    if resolution > FINEST_H3:
        raise InputError(f"{grid} is finer than H3 goes; use h3-0 to h3-{FINEST_H3}")
    code, places = pd.factorize(pd.MultiIndex.from_frame(table[["latitude", "longitude"]]))
    cells = pd.Series([h3.latlng_to_cell(lat, lon, resolution) for lat, lon in places], dtype=object)
    return cells.take(code).set_axis(table.index)
