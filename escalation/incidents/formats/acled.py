"""ACLED event files, with the columns of any year."""

from __future__ import annotations

from escalation.incidents.formats.layout import Layout

LAYOUT = Layout(
    name="ACLED",
    columns={
        "date": ("event_date",),
        "actor": ("actor1",),
        "target": ("actor2",),
        "event_type": ("event_type",),
        "country": ("country",),
        "admin1": ("admin1",),
        "place": ("location",),
        "latitude": ("latitude",),
        "longitude": ("longitude",),
        "fatalities": ("fatalities",),
        "source": ("source",),
        "incident_id": ("event_id_cnty", "data_id"),  # data_id was renumbered at each update
        "time_precision": ("time_precision",),
        "location_precision": ("geo_precision",),
        "as_of": ("timestamp",),
    },
    date_order="day-first",
    precisions={"1": "day", "1.0": "day", "2": "week", "2.0": "week", "3": "month", "3.0": "month"},
    location_precisions={"1": "place", "2": "district", "3": "province"},  # of 2 and 3 the capital stands for the area
)

MARKS = {
    "event_id_cnty",
    "event_id_no_cnty",
    "data_id",
    "time_precision",
    "geo_precision",
    "sub_event_type",
    "inter1",
    "assoc_actor_1",
    "ally_actor_1",
}
"""Columns that hardly any other table has; two of them beside ``event_date`` show that a file is ACLED's."""


def is_acled(names: set[str]) -> bool:
    """Recognise an ACLED file by the plain names of its columns."""
    return "event_date" in names and len(names & MARKS) >= 2
