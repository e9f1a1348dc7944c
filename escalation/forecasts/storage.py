"""Sample paths of several units as a table of one count a row, for files, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def table_of_paths(
    observed: NDArray[np.float64], paths: NDArray[np.int64], component: NDArray[np.int64] | None
) -> pd.DataFrame:
    """Put what was observed and what may come into one table.

    Parameters
    ----------
    observed : (units, draws, n) float array
        Kept once where it is the same behind every path.
    paths : (units, draws, steps) int64 array
    component : (draws,) int64 array, optional

    Returns
    -------
    pandas.DataFrame
        ``unit`` and ``draw`` by number, ``step`` (1 and more for the paths, up to 0 for what was observed), ``count``
        and ``component``.
    """
    draws, n = paths.shape[1], observed.shape[2]
    numbers = np.zeros(draws, np.int64) if component is None else component
    if np.array_equal(observed, np.broadcast_to(observed[:, :1], observed.shape), equal_nan=True):
        observed = observed[:, :1]
    past, ahead = np.arange(1 - n, 1), np.arange(1, paths.shape[2] + 1)
    return pd.concat([_long(observed, past, numbers), _long(paths, ahead, numbers)], ignore_index=True)


def paths_of_table(table: pd.DataFrame, units: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Undo :func:`table_of_paths`: observed, paths and component."""
    ahead = (table["step"] > 0).to_numpy()
    draws, steps = int(table["draw"].max()) + 1, int(table["step"].max())
    count, component = table["count"].to_numpy(dtype=float), table["component"].to_numpy(dtype=np.int64)
    n = max(1 - int(table["step"].min()), 0)
    seen = count[~ahead].reshape(units, -1, n) if n else np.empty((units, 1, 0))
    paths = count[ahead].astype(np.int64).reshape(units, draws, steps)
    observed = np.broadcast_to(seen, (units, draws, n))
    return observed, paths, component[ahead].reshape(units, draws, steps)[0, :, 0]


def _long(
    values: NDArray[np.float64] | NDArray[np.int64], steps: NDArray[np.int64], component: NDArray[np.int64]
) -> pd.DataFrame:
    """Counts (units, draws, steps) one a row."""
    unit, draw, at = (part.ravel() for part in np.indices(values.shape, dtype=np.int32))
    return pd.DataFrame(
        {
            "unit": unit,
            "draw": draw,
            "step": steps[at].astype(np.int32),
            "count": values.ravel().astype(float),
            "component": component[draw].astype(np.int32),
        }
    )
