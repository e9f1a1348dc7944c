"""Places now against before: how far a location is known, counts by area, what is drawn."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.analysis import compare_places
from escalation.errors import InputError
from escalation.incidents.schema import check_incidents
from escalation.plots import places
from escalation.plots.outlines import outlines, outlines_within


def made_up(seed: int, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 210, n), unit="D")
    known = rng.choice(["place", "district", "province", "country", ""], n, p=[0.5, 0.1, 0.2, 0.1, 0.1])
    rows = {
        "date": day,
        "country": rng.choice(["Syria", "Iraq", ""], n, p=[0.5, 0.4, 0.1]),
        "admin1": rng.choice(["Homs", "Hama", "Anbar", ""], n),
        "latitude": np.where(rng.random(n) < 0.8, rng.uniform(33, 36, n).round(4), np.nan),
        "longitude": rng.uniform(37, 42, n).round(4),
        "events": rng.integers(1, 4, n),
        "location_precision": known,
    }
    return check_incidents(pd.DataFrame(rows))


@pytest.fixture(scope="module")
def compared():
    table = made_up(1)
    return table, compare_places(table, escalation.aggregate(table, "W", start="2024-01-01", end="2024-07-28"), 4, 20)


def test_every_incident_is_counted_once_and_located_no_finer_than_known(compared):
    table, found = compared
    windows = {"now": ("2024-07-01", "2024-07-28"), "before": ("2024-02-12", "2024-06-30")}
    for name, (first, last) in windows.items():
        held, wanted, exact, total = table[table["date_end"].between(first, last)], {}, 0, 0
        for _, row in held.iterrows():  # a plain loop over what the rows say
            precision, total = row["location_precision"], total + row["events"]
            if precision in ("place", "") and pd.notna(row["latitude"]) and pd.notna(row["longitude"]):
                exact += row["events"]
                area = row["admin1"] or (f"{row['country']} (province not known)" if row["country"] else None)
                area = area or "(no area named)"
            elif row["admin1"] and precision != "country":
                area = row["admin1"]
            else:
                area = f"{row['country']} (province not known)" if row["country"] else "(blank)"
            if row["admin1"] and area == row["admin1"] and row["country"]:
                area = f"{area}, {row['country']}"  # each province is named in both countries here
            wanted[area] = wanted.get(area, 0) + row["events"]
        counted = found.areas[name]
        assert counted[counted > 0].to_dict() == wanted
        assert int(found.points[name].sum()) == exact == int(found.known.loc["place", name])
        assert int(found.known[name].sum()) == total
        assert int(found.coarse[name].sum()) == int(found.known.loc["province", name])


def test_ratios_are_those_of_compare_rates(compared):
    table, found = compared
    area = next(one for one in found.areas["ratio"].dropna().index if ", " in one)
    name, country = area.split(", ")
    own = table[(table["admin1"] == name) & (table["country"] == country) & (table["location_precision"] != "country")]
    counts = escalation.aggregate(own, "W", start="2024-01-01", end="2024-07-28")
    change = escalation.compare_rates(counts, 4, 20, family="negbin", rng=1)
    assert found.areas.loc[area, ["ratio", "lower", "upper", "probability_higher"]].tolist() == pytest.approx(
        [change.ratio, change.lower, change.upper, change.probability_higher], rel=1e-12
    )


def test_periods_that_were_not_observed_count_for_nothing():
    table = made_up(2)
    counts = escalation.aggregate(table, "W", start="2024-01-01", end="2024-07-28")
    whole = compare_places(table, counts, 4, 20)
    counts.iloc[-2] = pd.NA
    part = compare_places(table, counts, 4, 20)
    lost = table["date_end"].between("2024-07-15", "2024-07-21")
    assert whole.exposure["now"] == 4.0
    assert part.exposure["now"] == 3.0
    assert part.areas["now"].sum() == whole.areas["now"].sum() - table.loc[lost, "events"].sum()


def test_precisions_are_read_from_files(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "date,latitude,longitude,admin1,location_precision\n2024-01-02,33.1,44.1,Anbar,exact\n"
        "2024-01-03,33.2,44.2,Anbar,Province\n2024-01-04,33.2,44.2,Anbar,somewhere\n2024-01-05,33.2,44.2,Anbar,\n"
    )
    table, ledger = escalation.read_incidents(path)
    assert table["location_precision"].tolist() == ["place", "province", "", ""]
    assert ledger["why"].tolist() == ["is none of place, district, province, country, exact, town, admin1; blanked"]


def test_what_cannot_be_compared_is_refused():
    days = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=70)})
    counts = escalation.aggregate(days, "W")
    with pytest.raises(InputError, match="no incident names a province, a country or coordinates"):
        compare_places(days, counts, 2, 6)
    with pytest.raises(InputError, match="nearby is no location_precision; use place"):
        check_incidents(days.assign(location_precision="nearby"))
    counts.iloc[-2:] = pd.NA
    with pytest.raises(InputError, match="the window now holds no observed period"):
        compare_places(days.assign(admin1="Homs"), counts, 2, 6)


def test_drawn_without_coordinates_and_across_the_antimeridian(compared):
    _, found = compared
    titles = [ax.get_title(loc="left") for ax in places(found).axes]
    assert titles[0].startswith("Before: ")
    assert titles[1].startswith("Now: ")
    days = pd.date_range("2024-01-01", periods=70)
    plain = pd.DataFrame({"date": days, "admin1": "Homs"})
    assert len(places(compare_places(plain, escalation.aggregate(plain, "W"), 2, 6)).axes) == 1
    far = plain.assign(latitude=-17.0, longitude=np.where(np.arange(70) % 2, 179.5, -179.5))
    ax = places(compare_places(far, escalation.aggregate(far, "W"), 2, 6)).axes[0]
    assert np.ptp(ax.get_xlim()) < 5.0


def test_outlines_come_with_a_package():
    pytest.importorskip("countryinfo", reason="comes with escalation[maps]")
    rings = outlines()
    assert len(rings) > 200
    assert all(np.abs(ring[:, 0]).max() <= 180.01 and np.abs(ring[:, 1]).max() <= 90.01 for ring in rings)
    assert any(ring[:, 0].min() < 44.4 < ring[:, 0].max() for ring in outlines_within(44, 45, 33, 34))  # Baghdad


def test_the_answers_of_an_assessment_are_those_of_the_function(tmp_path):
    path = tmp_path / "raids.csv"
    table = made_up(3)
    table[["date", "country", "admin1", "latitude", "longitude", "location_precision"]].to_csv(path, index=False)
    source = escalation.open_source(path)
    series = escalation.count_series(source, freq="W")
    told = escalation.assess(series, draws=50, models=[], model="climatology", rng=1)
    found = told.places
    rows = told.answers("places")
    first = found.areas.iloc[0]
    key = rows.index[0].removeprefix("place_now_")
    assert rows.loc[f"place_now_{key}", "value"] == first["rate_now"]
    assert rows.loc[f"place_before_{key}", "value"] == first["rate_before"]
    assert told.sentences("places") == found.sentences()
    assert not escalation.assess(series.counts, draws=50, models=[], model="climatology", rng=1).places
