"""UCDP Georeferenced Event Dataset files, of any version."""

from __future__ import annotations

import pandas as pd

from escalation.incidents.formats.layout import Layout

VIOLENCE = {"1": "state-based", "2": "non-state", "3": "one-sided"}
"""``type_of_violence`` in words (UCDP GED Codebook); VIEWS counts its ``ged_sb`` from the first."""


def tidy(cells: pd.DataFrame) -> pd.DataFrame:
    """Write kinds of violence as words, ids without the ``.0`` of a float, and the article where no office is named."""
    cells = cells.copy()
    for column in ("event_type", "incident_id"):
        cells[column] = cells[column].str.replace(r"\A([0-9]+)\.0+\Z", r"\1", regex=True)
    cells["event_type"] = cells["event_type"].replace(VIOLENCE)
    cells["source"] = cells["source"].where(cells["source"] != "", cells["source_article"])
    return cells


LAYOUT = Layout(
    name="UCDP GED",
    columns={
        "date": ("date_start",),
        "date_end": ("date_end",),
        "actor": ("side_a",),
        "target": ("side_b",),
        "event_type": ("type_of_violence",),
        "country": ("country",),
        "admin1": ("adm_1",),
        "place": ("where_coordinates",),
        "latitude": ("latitude",),
        "longitude": ("longitude",),
        "location_precision": ("where_prec",),
        "fatalities": ("best", "best_est"),
        "fatalities_low": ("low", "low_est"),
        "fatalities_high": ("high", "high_est"),
        "killed_attacker": ("deaths_a",),
        "killed_own": ("deaths_b",),
        "killed_civilian": ("deaths_civilians",),
        "killed_unknown": ("deaths_unknown",),
        "source": ("source_office",),
        "source_article": ("source_article",),
        "incident_id": ("id",),
    },
    needs=("date", "date_end", "event_type", "fatalities"),
    date_order="month-first",
    # 5: along a road or in a region that is no province; 7: at sea or in the air (UCDP GED Codebook)
    location_precisions=dict(zip("1234567", ("place", "place", "district", "province", *["country"] * 3), strict=True)),
    tidy=tidy,
)


def is_ucdp(names: set[str]) -> bool:
    """Recognise a UCDP GED file by the plain names of its columns."""
    return {"type_of_violence", "date_start", "date_end"} <= names
