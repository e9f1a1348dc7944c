"""Where incidents were, as far as it is known: at a place, or only in a province or country."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.incidents.schema import PRECISIONS
from escalation.incidents.units import BLANK_UNIT

UNNAMED = "(no area named)"
"""The area of incidents that have coordinates and name neither a province nor a country."""


def localities(table: pd.DataFrame) -> pd.DataFrame:
    """Say of each incident in which area it was, and whether its place within it is known.

    Parameters
    ----------
    table : pandas.DataFrame
        Checked incidents.

    Returns
    -------
    pandas.DataFrame
        On the index of the table: ``area``, the province, or the country where none is named or the location is known
        no finer, then marked so; with the country behind a province that two countries have; ``(no area named)`` with
        coordinates alone and ``(blank)`` without anything.  And ``known``, the finest of ``place``, ``province``,
        ``country`` and ``nowhere`` at which the incident may be shown; a district is shown by its province.

    Examples
    --------
    >>> from escalation.incidents.schema import check_incidents
    >>> days = pd.to_datetime(["2024-11-12", "2024-11-13"])
    >>> raids = {"date": days, "admin1": "Homs", "latitude": 34.7, "longitude": 36.7}
    >>> table = check_incidents(pd.DataFrame(raids | {"location_precision": ["place", "province"]}))
    >>> localities(table).values.tolist()
    [['Homs', 'place'], ['Homs', 'province']]
    """
    said = table["location_precision"] if "location_precision" in table else pd.Series("", index=table.index)
    here = table[["latitude", "longitude"]].notna().all(axis=1)
    province = table["admin1"].astype(object).where(said != PRECISIONS[-1], "")
    country = table["country"].astype(object)
    shared = country[province != ""].groupby(province[province != ""]).nunique()
    twice = province.isin(shared.index[shared > 1]) & (country != "")
    alone = country + " (province not known)" if (province != "").any() else country
    named = province.where(~twice, province + ", " + country).where(province != "", alone.where(country != "", ""))
    exact = here & said.isin(["", PRECISIONS[0]])
    area = named.where(named != "", np.where(exact, UNNAMED, BLANK_UNIT))
    known = np.select([exact, province != "", country != ""], ["place", "province", "country"], "nowhere")
    return pd.DataFrame({"area": area.astype(object), "known": known}, index=table.index)
