"""ICEWS event files, and those of POLECAT that followed them: reports made by machine, not incidents."""

from __future__ import annotations

from escalation.incidents.formats.layout import Layout

LAYOUT = Layout(
    name="ICEWS",
    columns={
        "date": ("event_date", "date"),
        "actor": ("source_name", "subject"),
        "target": ("target_name", "object"),
        "event_type": ("cameo_code", "event_text", "relation"),
        "country": ("country",),
        "admin1": ("province",),
        "place": ("city",),
        "latitude": ("latitude",),
        "longitude": ("longitude",),
        "source": ("publisher",),
        "incident_id": ("event_id",),
    },
    holds="reports",
)

POLECAT = Layout(
    name="POLECAT",
    columns={
        "date": ("event_date",),
        "actor": ("actor_name",),
        "target": ("recipient_name",),
        "event_type": ("event_type",),
        "country": ("country",),
        "admin1": ("province",),
        "place": ("city", "placename"),
        "latitude": ("latitude",),
        "longitude": ("longitude",),
        "source": ("source", "publisher"),
        "incident_id": ("event_id",),
        "as_of": ("publication_date",),
    },
    holds="reports",
)


def is_icews(names: set[str]) -> bool:
    """Recognise an ICEWS file, or a knowledge graph made of one, by the plain names of its columns."""
    coded = {"event_date", "source_name", "target_name"} <= names and bool(names & {"cameo_code", "event_text"})
    return coded or {"date", "subject", "relation", "object"} <= names


def is_polecat(names: set[str]) -> bool:
    """Recognise a POLECAT file by the plain names of its columns."""
    return {"event_date", "actor_name", "recipient_name", "event_type"} <= names
