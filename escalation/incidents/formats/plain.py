"""Plain tables: an own spreadsheet, its columns recognised by obvious names or by a map."""

from __future__ import annotations

from escalation.incidents.formats.layout import Layout

LAYOUT = Layout(
    name="plain",
    columns={
        "date": (
            "date",
            "event_date",
            "incident_date",
            "attack_date",
            "date_start",
            "start_date",
            "day",
            "datum",
            "fecha",
            "tarikh",
        ),
        "date_end": ("date_end", "end_date"),
        "actor": ("actor", "actor1", "actor_1", "attacker", "perpetrator", "side_a", "group"),
        "target": ("target", "actor2", "actor_2", "target_site", "victim", "side_b"),
        "event_type": ("event_type", "incident_type", "attack_type", "type", "category"),
        "country": ("country", "country_name"),
        "admin1": ("admin1", "adm_1", "admin_1", "province", "governorate", "region", "state", "district"),
        "place": ("place", "location", "city", "town", "site"),
        "latitude": ("latitude", "lat"),
        "longitude": ("longitude", "lon", "lng", "long"),
        "fatalities": ("fatalities", "deaths", "killed", "dead"),
        "fatalities_low": ("fatalities_low", "deaths_low", "killed_low"),
        "fatalities_high": ("fatalities_high", "deaths_high", "killed_high"),
        "killed_own": ("killed_own",),
        "killed_partner": ("killed_partner",),
        "killed_attacker": ("killed_attacker",),
        "killed_civilian": ("killed_civilian", "killed_civilians"),
        "killed_unknown": ("killed_unknown",),
        "source": ("source", "source_url", "url", "link"),
        "incident_id": ("incident_id", "id", "event_id"),
        "time_precision": ("time_precision", "date_precision", "date_prec"),
        "as_of": ("as_of", "last_updated"),
    },
)
