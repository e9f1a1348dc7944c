"""Outlines of countries, as the package countryinfo ships them (after Natural Earth); nothing is fetched."""

from __future__ import annotations

from functools import cache

import numpy as np

from escalation.conventions.arrays import FloatArray

NO_OUTLINES = "Outlines of countries are not drawn: they come with pip install 'escalation[maps]'."


@cache
def outlines() -> tuple[FloatArray, ...] | None:
    """The rings of all countries as longitude and latitude, each of shape (points, 2); None without countryinfo."""
    try:
        from countryinfo import CountryInfo
    except ImportError:
        return None
    rings = []
    for country in CountryInfo.all().values():
        for feature in (country.get("geoJSON") or {}).get("features", []):
            shape = feature["geometry"]
            polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
            rings += [np.asarray(ring, dtype=float) for polygon in polygons for ring in polygon]
    return tuple(ring for ring in rings if ring.ndim == 2 and len(ring) > 2)


def outlines_within(west: float, east: float, south: float, north: float) -> list[FloatArray]:
    """The rings that reach into a part of the map, also where it crosses the antimeridian; none without countryinfo."""
    found = []
    for ring in outlines() or ():
        for turn in (-360.0, 0.0, 360.0):
            x, y = ring[:, 0] + turn, ring[:, 1]
            if x.max() >= west and x.min() <= east and y.max() >= south and y.min() <= north:
                found.append(np.column_stack([x, y]))
    return found
