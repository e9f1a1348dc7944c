"""Fatality figures: low, best and high as equally plausible numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.schema import DRAW
from escalation.incidents.schema import FATALITY_COLUMNS, check_incidents
from escalation.incidents.spread import draw_fatalities, fatality_figures


def draw_figures(incidents: pd.DataFrame, *, draws: int = 25, rng: Seed = None) -> pd.DataFrame:
    """Draw the fatalities of each incident between its low and high figures.

    Parameters
    ----------
    incidents : pandas.DataFrame
        One row an incident, as :func:`escalation.read_incidents` gives them.
    draws : int
        How many numbers for each.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        Incidents x draws, for :func:`escalation.analysis.fatality_sizes`: whole numbers from low to high, by the
        distribution that :func:`escalation.aggregate` takes (a discrete triangular one with its mode at the best
        figure, Kokonendji & Zocchi 2010, doi:10.1016/j.spl.2010.07.008).  Incidents without a figure are left out.

    Raises
    ------
    InputError
        If the table cannot be used, or ``draws`` is out of range.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "date": pd.to_datetime(["2024-01-28", "2024-02-05"]),
    ...     "fatalities": [3, 5], "fatalities_low": [3, 2], "fatalities_high": [3, 9],
    ... })
    >>> drawn = draw_figures(table, draws=50, rng=1)
    >>> drawn.min(axis=1).tolist(), drawn.max(axis=1).tolist()
    ([3, 2], [3, 9])
    """
    table = check_incidents(incidents)
    number, generator = check_whole(draws, "draws", 10_000), as_generator(rng)
    low, best, high = (table[column].notna() for column in ("fatalities_low", "fatalities", "fatalities_high"))
    known = table.loc[best | (low & high), list(FATALITY_COLUMNS)]
    figures = fatality_figures(known, "triangular")
    drawn = [draw_fatalities(figures, generator) for _ in range(number)]
    columns = pd.RangeIndex(number, name=DRAW)
    return pd.DataFrame(np.column_stack(drawn).astype(np.int64), index=known.index, columns=columns)
