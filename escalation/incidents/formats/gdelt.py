"""GDELT event files, 1.0 and 2.0, raw (without a header) or with one: reports made by machine, not incidents."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from escalation.incidents.formats.layout import Layout

_ACTOR: tuple[str, ...] = (
    "Code",
    "Name",
    "CountryCode",
    "KnownGroupCode",
    "EthnicCode",
    "Religion1Code",
    "Religion2Code",
)
_ACTOR += ("Type1Code", "Type2Code", "Type3Code")
_PLACE = ("Type", "FullName", "CountryCode", "ADM1Code", "Lat", "Long", "FeatureID")
_PLACE_2 = ("Type", "FullName", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID")
_WHERE = ("Actor1Geo", "Actor2Geo", "ActionGeo")
_HEAD = (
    *("GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate"),
    *(f"Actor{i}{part}" for i in (1, 2) for part in _ACTOR),
    *("IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale"),
    *("NumMentions", "NumSources", "NumArticles", "AvgTone"),
)
COLUMNS_1 = (*_HEAD, *(f"{where}_{part}" for where in _WHERE for part in _PLACE), "DATEADDED", "SOURCEURL")
"""The 58 columns of GDELT 1.0; files of before April 2013 lack the last."""
COLUMNS_2 = (*_HEAD, *(f"{where}_{part}" for where in _WHERE for part in _PLACE_2), "DATEADDED", "SOURCEURL")
"""The 61 columns of GDELT 2.0."""


def raw_columns(first: list[str]) -> Sequence[str] | None:
    """The columns of a raw file, recognised by its first row; None if that row is none of GDELT's."""
    names = {57: COLUMNS_1, 58: COLUMNS_1, 61: COLUMNS_2}.get(len(first))
    if names is None or not (first[0].strip().isdecimal() and first[1].strip().isdecimal() and len(first[1]) == 8):
        return None
    return names


def is_gdelt(names: set[str]) -> bool:
    """Recognise a GDELT file by the plain names of its columns."""
    return {"globaleventid", "sqldate"} <= names


def tidy(cells: pd.DataFrame) -> pd.DataFrame:
    """Blank the coordinates 0, 0 of reports without a place."""
    nowhere = cells["place_type"].isin(["", "0"])
    if not nowhere.any():
        return cells
    return cells.assign(**{column: cells[column].mask(nowhere, "") for column in ("latitude", "longitude")})


LAYOUT = Layout(
    name="GDELT",
    columns={
        "date": ("sqldate",),
        "actor": ("actor1name",),
        "target": ("actor2name",),
        "event_type": ("eventcode",),
        "country": ("actiongeo_countrycode",),
        "admin1": ("actiongeo_adm1code",),
        "place": ("actiongeo_fullname",),
        "latitude": ("actiongeo_lat",),
        "longitude": ("actiongeo_long",),
        "source": ("sourceurl",),
        "incident_id": ("globaleventid",),
        "as_of": ("dateadded",),
        "root": ("isrootevent",),
        "place_type": ("actiongeo_type",),
        "location_precision": ("actiongeo_type",),
    },
    holds="reports",
    location_precisions={"1": "country", "2": "province", "3": "place", "4": "place", "5": "province", "0": ""},
    tidy=tidy,
)
