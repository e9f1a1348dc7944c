"""Incidents that a case lists beside its tallies: those of a series, and the dead of one side."""

from __future__ import annotations

import pandas as pd

from escalation.errors import InputError
from escalation.incidents.victims import Victim, deaths_of
from escalation.tallies.reconstruct import Reconstruction
from escalation.tallies.schema import contains


def listed_incidents(
    listed: pd.DataFrame | None, as_of: pd.Timestamp | None, result: Reconstruction
) -> pd.DataFrame | None:
    """Incidents that a case lists of a series, at the place and on the days of the reconstruction.

    As the list does not say when each became known, those up to the day asked for are taken as known then.
    """
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
