"""Plain tables: an own spreadsheet, its columns recognised by obvious names or by a map."""

from __future__ import annotations

from escalation.incidents.formats.layout import Layout

LAYOUT = Layout(
    name="plain",
    columns={
        "date": (
            *("date", "event_date", "incident_date", "attack_date", "date_start", "start_date", "startdate"),
            *("eventdate", "incidentdate", "attackdate", "strike_date", "date_of_attack", "date_of_incident", "datetime"),
            *("date_time", "started_at", "occurred_at", "occurred_on", "occurred", "happened_at", "start_time", "start"),
            *("timestamp", "day", "datum", "fecha", "tarikh", "tarih", "data", "dato", "dátum", "dată", "tanggal"),
            *("дата", "تاريخ", "التاريخ", "تاریخ", "日期", "日付", "날짜", "दिनांक", "ημερομηνία"),
        ),
        "date_end": ("date_end", "end_date", "enddate", "dateend"),
        "actor": ("actor", "actor1", "actor_1", "attacker", "perpetrator", "side_a", "group", "gname", "perpetrator_group"),
        "target": ("target", "actor2", "actor_2", "target_site", "victim", "side_b", "target1"),
        "event_type": ("event_type", "incident_type", "attack_type", "type", "category", "attacktype1_txt"),
        "country": ("country", "country_name", "countryname", "country_txt", "pais", "país", "pays", "land", "paese", "країна", "страна"),
        "admin1": ("admin1", "adm_1", "admin_1", "province", "governorate", "region", "state", "district", "oblast", "departamento", "provstate"),
        "place": ("place", "location", "city", "town", "site", "elocal", "city_or_county", "municipio", "ort", "lieu", "ciudad", "місто", "город"),
        "latitude": ("latitude", "lat", "latitud"),
        "longitude": ("longitude", "lon", "lng", "long", "longitud"),
        "fatalities": (
            *("fatalities", "deaths", "killed", "dead", "nkill", "ndeath", "ndeaths", "n_killed", "num_killed"),
            *("number_killed", "number_of_deaths", "people_killed", "total_killed", "total_deaths", "total_fatalities"),
            *("tote", "muertos", "morts", "mortos", "погибшие", "загиблі"),
        ),
        "fatalities_low": (
            *("fatalities_low", "deaths_low", "killed_low", "low_fatalities", "min_killed", "killed_min", "min_deaths"),
            *("deaths_min", "fatalities_min", "min_fatalities", "minimum_killed", "minimum_deaths"),
        ),
        "fatalities_high": (
            *("fatalities_high", "deaths_high", "killed_high", "high_fatalities", "max_killed", "killed_max", "max_deaths"),
            *("deaths_max", "fatalities_max", "max_fatalities", "maximum_killed", "maximum_deaths"),
        ),
        "source": ("source", "source_url", "url", "link"),
        "incident_id": ("incident_id", "id", "event_id", "eventid", "incident_code"),
        "time_precision": ("time_precision", "date_precision", "date_prec"),
        "as_of": ("as_of", "last_updated"),
    },
)

IDS = ("strike_id", "attack_id", "uid", "uuid", "guid", "record_id", "case_id", "report_id", "unique_id", "objectid", "no")
"""Plain names of columns of ids, believed where no cell comes twice."""
