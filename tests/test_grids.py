"""Cells of places: PRIO-GRID against UCDP's own numbers, H3 against its library."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from escalation.errors import DataWarning, InputError
from escalation.incidents.aggregate import aggregate
from escalation.incidents.formats.read import read_incidents
from escalation.incidents.grids import locate, priogrid
from escalation.incidents.units import BLANK_UNIT
from escalation.models.baselines.climatology import Climatology
from escalation.models.contract.many_fits import fit_many

PLACES = pd.DataFrame(
    {
        "date": pd.to_datetime(["2024-01-10", "2024-02-11", "2024-02-12", "2024-02-13"]),
        "country": ["Syria", "Syria", "Iraq", "Iraq"],
        "latitude": [33.51, 33.49, 36.2, np.nan],
        "longitude": [36.29, 36.01, 37.16, 44.0],
    }
)


def cell(latitude, longitude):
    return priogrid(pd.Series([float(latitude)]), pd.Series([float(longitude)])).item()


def test_the_corners_of_the_world():
    assert cell(-90, -180) == 1
    assert cell(-90, 179.99) == 720
    assert cell(-90, 180) == 720
    assert cell(-89.5, -180) == 721  # on a border: north and east of it
    assert cell(90, 180) == cell(89.9, 179.9) == 259_200


def test_every_cell_has_a_number_of_its_own_and_its_middle_lies_in_it():
    row, column = np.divmod(np.arange(259_200), 720)
    middles = priogrid(pd.Series(-89.75 + row / 2), pd.Series(-179.75 + column / 2))
    assert middles.tolist() == list(range(1, 259_201))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ged_ethiopia.csv", 3808),
        ("ged_sample1000_from_rda.csv", 1000),
        ("ged_sierra_leone.csv", 1497),
        ("ged_sri_lanka.csv", 4581),
    ],
)
def test_ucdps_own_cells_are_reproduced_on_every_row(name, rows, shared_data):
    table = pd.read_csv(shared_data(f"data/ucdp_ged/{name}"), low_memory=False)
    assert len(table) == rows
    found = priogrid(table["latitude"], table["longitude"])
    assert (found == table["priogrid_gid"]).all()
    border = ((table["latitude"] * 2) % 1 == 0) | ((table["longitude"] * 2) % 1 == 0)
    assert border.sum() > 60  # places exactly on a border are among them


def test_counts_by_cell_keep_the_incidents_that_have_no_coordinates():
    with pytest.warns(DataWarning, match=r"1 of 4 incidents have no coordinates and count as \(blank\)"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", DataWarning)
        counts = aggregate(PLACES, "M", by="priogrid", start="2024-01-01", end="2024-02-29")
    assert counts.columns.tolist() == [177553, 178273, 181875, BLANK_UNIT]
    assert counts.sum().sum() == len(PLACES)
    assert list(fit_many(Climatology(), counts).fits) == [str(name) for name in counts.columns]


def test_counts_by_country_and_cell_and_their_coverage():
    spans = pd.DataFrame({"country": "Syria", "priogrid": [178273, 5], "start": "2024-01-01", "end": "2024-01-31"})
    options = {"start": "2024-01-01", "end": "2024-02-29"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        counts = aggregate(PLACES, "M", by=["country", "priogrid"], **options)
        watched = aggregate(PLACES[:3], "M", by=["country", "priogrid"], coverage=spans, **options)
    assert counts.columns.names == ["country", "priogrid"]
    assert counts["Syria", 178273].tolist() == [1, 0]
    assert counts.sum().sum() == len(PLACES)
    assert watched["Syria", 178273].tolist() == [1, pd.NA]
    assert watched["Syria", 5].tolist() == [0, pd.NA]


@pytest.mark.parametrize("name", ["ged_sri_lanka.csv", "ged_ethiopia.csv"])
def test_totals_of_real_cells_are_those_of_the_table(name, shared_data):
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/{name}"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for measure, total in (("incidents", len(incidents)), ("fatalities", incidents["fatalities"].sum())):
            for by in ("priogrid", ["country", "admin1"], ["country", "admin1", "priogrid"]):
                assert aggregate(incidents, "M", by=by, measure=measure).sum().sum() == total


def test_the_ledger_lists_what_is_in_no_cell():
    located, ledger = locate(PLACES, "priogrid")
    assert located["priogrid"].isna().tolist() == [False, False, False, True]
    assert ledger[["row", "column", "why"]].to_numpy().tolist() == [[3, "priogrid", "has no coordinates, so no cell"]]


def test_h3_cells_are_those_of_its_library():
    h3 = pytest.importorskip("h3")
    located, ledger = locate(PLACES, "h3-4")
    assert located["h3-4"].iloc[0] == h3.latlng_to_cell(33.51, 36.29, 4)
    assert located["h3-4"].iloc[0] != located["h3-4"].iloc[2]
    assert len(ledger) == 1
    with pytest.raises(InputError, match="h3-16 is finer than H3 goes"):
        locate(PLACES, "h3-16")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert aggregate(PLACES, "M", by="h3-4").sum().sum() == len(PLACES)


def test_without_h3_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "h3", None)
    with pytest.raises(InputError, match=r"h3-4 needs h3; pip install 'escalation\[h3\]'"):
        aggregate(PLACES, "M", by="h3-4")


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        (pd.Series([91.0]), pd.Series([0.0]), "latitude goes beyond 90 degrees"),
        (pd.Series([1.0]), pd.Series([200.0]), "longitude goes beyond 180 degrees"),
        (pd.Series(["1"]), pd.Series([2.0]), "latitude is a Series; give a Series of degrees"),
        (pd.Series([1.0]), pd.Series([2.0], index=[5]), "on different indexes"),
    ],
)
def test_places_that_are_none_are_refused(latitude, longitude, message):
    with pytest.raises(InputError, match=message):
        priogrid(latitude, longitude)
    with pytest.raises(InputError, match="grid is 'hexagons'; use priogrid, or h3-0 to h3-15"):
        locate(PLACES, "hexagons")
