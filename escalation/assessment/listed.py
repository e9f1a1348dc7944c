"""What a bundled case has beside its tallies: the incidents that it lists, and the scores of past forecasts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from escalation.errors import InputError
from escalation.files.bundled import data_folder
from escalation.incidents.victims import Victim, deaths_of
from escalation.tallies.cases import case_names, open_case
from escalation.tallies.reconstruct import Reconstruction
from escalation.tallies.schema import contains

RECORD = "backtest.csv"
"""Name of the table of scored forecasts in the folder of a case."""


def bundled_record(name: str) -> Path | None:
    """File of the scores of past forecasts that comes with a bundled case."""
    path = data_folder() / name / RECORD
    return path if name in case_names() and path.is_file() else None


def listed_incidents(source: str, as_of: pd.Timestamp | None, result: Reconstruction) -> pd.DataFrame | None:
    """Incidents that a bundled case lists of a series, at the place and on the days of the reconstruction.

    As the list does not say when each became known, those up to the day asked for are taken as known then.
    """
    name = source.partition(" as of ")[0]
    listed = open_case(name).incidents if name in case_names() else None
    if listed is None:
        return None
    listed = listed if as_of is None else listed[listed["date_end"] <= as_of]
    days = pd.PeriodIndex(result.daily.index)
    inside = (listed["date"] >= days[0].start_time) & (listed["date_end"] <= days[-1].end_time)
    where = listed["country"] + "/" + listed["place"]
    there = where.map(lambda place: contains(result.place, place)).astype(bool)
    own = listed[(listed["series"] == result.series) & inside & there]
    return None if own.empty else own


def of_victims(incidents: pd.DataFrame | None, victims: tuple[Victim, ...], name: str) -> pd.DataFrame | None:
    """Incidents beside tallies, with the dead that were asked for."""
    if not victims:
        return incidents
    if incidents is None:
        raise InputError(f"victims are {', '.join(victims)}, and {name} lists no incidents of this series; drop them")
    return incidents.assign(fatalities=deaths_of(incidents, victims)["fatalities"])
