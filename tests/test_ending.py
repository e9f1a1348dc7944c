"""Where counts of a table of incidents end that nobody says how long was watched."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.ending import last_watched, stated_end
from escalation.errors import DataWarning, InputError


def listed(days):
    return pd.DataFrame({"date": pd.to_datetime(days), "date_end": pd.to_datetime(days)})


def sparse(last="2024-06-12"):
    return listed([*pd.date_range("2024-01-02", "2024-05-28", freq="9D"), pd.Timestamp(last)])


@pytest.mark.parametrize(
    ("freq", "end"), [("W-SUN", "2024-06-09"), ("W-WED", "2024-06-12"), ("D", "2024-06-11"), ("M", "2024-06-12")]
)
def test_the_period_of_the_last_incident_is_left_out(freq, end):
    """But for one that ends with that day; and five whole months would be too few."""
    assert last_watched(sparse(), freq) == pd.Timestamp(end)


def test_where_every_day_holds_an_incident_the_last_day_was_watched():
    busy = listed(pd.date_range("2024-01-01", "2024-06-12"))
    assert last_watched(busy, "W-SUN") == pd.Timestamp("2024-06-12")
    short = listed(["2024-06-01", "2024-06-12"])
    assert last_watched(short, "W-SUN") == pd.Timestamp("2024-06-12")


def test_a_note_says_what_was_left_out_and_an_end_is_believed(tmp_path):
    sparse()[["date"]].to_csv(tmp_path / "raids.csv", index=False)
    source = escalation.open_source(tmp_path / "raids.csv")
    counted = escalation.count_series(source)
    assert counted.observed_until == pd.Timestamp("2024-06-09") and counted.exposure.iloc[-1] == 1
    [note] = [one for one in counted.notes if "as every list does" in one]
    assert (
        "with an incident on 2024-06-12" in note
        and "the week before, 2024-06-09: the incident after it is left out" in note
    )
    assert counted.counts.sum() == len(source.table) - 1
    stated = escalation.count_series(source, end="2024-06-12")
    assert stated.counts.sum() == len(source.table) and 0 < stated.exposure.iloc[-1] < 1
    assert not any("as every list does" in one for one in stated.notes)


def of_kind(kind, days, *files, changed=None):
    table = listed(days)
    if changed is not None:
        table["as_of"] = pd.Timestamp(changed)
    table.attrs["layouts"] = dict.fromkeys(files or ("table.csv",), kind)
    return table


SPARSE = pd.date_range("2021-02-03", "2023-11-25", freq="31D")  # the last is 2023-11-23
DENSE = pd.date_range("2021-02-03", "2023-04-29", freq="2D")


@pytest.mark.parametrize(
    ("days", "file", "end"),
    [
        (SPARSE, "ged241.csv", "2023-12-31"),
        (["1991-03-01", "2002-03-31", "2021-04-16"], "ged_land.csv", "2021-12-31"),
        (SPARSE, "GEDEvent_v23_0_11.csv", "2023-11-30"),
        (SPARSE, "GEDEvent_v23_01_23_11.csv", "2023-11-30"),
        (DENSE, "ged_land.csv", "2023-04-30"),  # candidate events behind those of years, by the silence after April
        (DENSE[DENSE <= "2023-03-11"], "ged_land.csv", None),  # cut by somebody
        (pd.date_range("2023-01-03", "2023-03-29", freq="5D"), "events.csv", "2023-03-31"),
        (["2023-01-03", "2023-12-31"], "events.csv", "2023-12-31"),
    ],
)
def test_files_of_ucdp_end_with_their_year_and_those_of_candidates_with_their_month(days, file, end):
    found = stated_end(of_kind("UCDP GED", days, file))
    assert (found and str(found.day.date())) == end


@pytest.mark.parametrize(
    ("changed", "file", "end"),
    [
        ("2023-11-28 12:00", "list.csv", "2023-11-24"),  # a Tuesday; its release reaches to the Friday before
        ("2023-12-03", "list.csv", "2023-11-24"),  # the Sunday of the same week
        ("2023-11-25", "list.csv", "2023-11-25"),  # with an incident after that Friday
        ("2024-11-26", "list.csv", None),  # a year without an incident is no silence of this list
        ("2023-11-28", "2021-01-01-2023-11-23-Land.csv", "2023-11-23"),
        ("2023-11-28", "2021-01-01-2023-12-31-Land.csv", "2023-11-24"),
        (None, "acled_2023-11-29.csv", "2023-11-24"),
        (None, "acled_20231129.csv", "2023-11-24"),
        (None, "list.csv", None),
    ],
)
def test_exports_of_acled_end_where_its_releases_did_when_they_were_made(changed, file, end):
    found = stated_end(of_kind("ACLED", SPARSE, file, changed=changed))
    assert (found and str(found.day.date())) == end


def test_other_lists_end_with_their_year_where_they_begin_and_end_with_one():
    days = pd.date_range("2021-01-04", "2023-12-26", freq="9D")  # the last is 2023-12-20
    assert stated_end(listed(days)).day == pd.Timestamp("2023-12-31")
    assert stated_end(listed(days[days <= "2023-12-01"])) is None
    assert stated_end(listed(days[days >= "2021-02-20"])) is None
    daily = pd.date_range("2021-01-01", "2023-12-26")
    assert stated_end(listed(daily)) is None  # five days without one are no silence of this list
    busy = daily[daily.day_of_week != 2]  # six days of seven
    assert stated_end(listed(busy[busy <= "2023-12-28"])) is None
    weeks = pd.date_range("2023-01-02", "2024-12-29", freq="3D").union([pd.Timestamp("2024-12-29")])
    assert stated_end(listed(weeks)) is None  # whole weeks from a Monday on, as lists are cut as well
    now = pd.Timestamp.now()
    assert stated_end(listed(pd.date_range(f"{now.year}-01-01", now.normalize(), freq="9D"))) is None


def test_the_answer_says_which_end_was_taken_and_why(tmp_path):
    names = "event_id_cnty,event_date,time_precision,event_type,sub_event_type,actor1,country,fatalities,timestamp"
    changed = int(pd.Timestamp("2023-11-28").timestamp())
    rows = [f"X{at},{day:%Y-%m-%d},1,Battles,Armed clash,A,Land,1,{changed}" for at, day in enumerate(SPARSE)]
    (tmp_path / "export.csv").write_text("\n".join([names, *rows]) + "\n")
    counted = escalation.count_series(escalation.open_source(tmp_path / "export.csv"))
    assert counted.observed_until == pd.Timestamp("2023-11-24") and counted.counts.sum() == len(SPARSE)
    assert counted.counts.iloc[-1] == 1 and counted.exposure.iloc[-1] == pytest.approx(5 / 7)
    [note] = [one for one in counted.notes if "and counts end on" in one]
    assert note.startswith(
        "the last incident is of 2023-11-23, and counts end on 2023-11-24, for rows of this export were changed up to "
        "2023-11-28, and the weekly releases of ACLED reach to the Friday before, 2023-11-24; give the last day"
    )
    stated = escalation.count_series(escalation.open_source(tmp_path / "export.csv"), end="2023-11-21")
    assert stated.observed_until == pd.Timestamp("2023-11-21") and not any(
        "counts end on" in one for one in stated.notes
    )


def test_whose_dead_are_counted_changes_no_end():
    table = of_kind("UCDP GED", SPARSE, "ged241.csv").assign(fatalities=1, killed_own=1)
    dead = escalation.incidents.victims.deaths_of(table, "own")
    assert stated_end(dead) == stated_end(table) and stated_end(table) is not None


@pytest.mark.slow
def test_a_list_that_ends_with_an_incident_looks_no_busier_than_it_was(tmp_path):
    """One incident in two weeks: with the week of the last one the mean probability of a higher rate was 0.72."""
    rng = np.random.default_rng(1)
    said = []
    for _ in range(30):
        days = np.sort(rng.integers(0, 728, rng.poisson(52)))
        dates = pd.Timestamp("2022-01-03") + pd.to_timedelta(days, unit="D")
        pd.DataFrame({"date": dates}).to_csv(tmp_path / "raids.csv", index=False)
        counted = escalation.count_series(escalation.open_source(tmp_path / "raids.csv"))
        said.append(escalation.assess(counted, rng=1, draws=50).rate.probability_higher)
    assert np.mean(said) == pytest.approx(0.5, abs=0.08) and np.mean(np.array(said) > 0.95) <= 0.05


def written(folder, name, rows):
    (folder / name).write_text("\n".join(rows) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return escalation.open_source(folder / name)


def test_days_beyond_the_rows_of_counts_are_refused_and_not_quiet(tmp_path):
    weeks = pd.date_range("2023-01-02", periods=60, freq="7D")
    rows = ["week starting,incidents", *(f"{day:%Y-%m-%d},{4 + day.day % 5}" for day in weeks)]
    source = written(tmp_path, "weekly.csv", rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        whole = escalation.count_series(source, freq="W-SUN")
        assert len(escalation.count_series(source, freq="W-SUN", end="2024-02-25").counts) == len(whole.counts) == 60
        for options in ({"end": "2025-06-01"}, {"start": "2022-06-01"}):
            with pytest.raises(InputError, match="lies outside the counts of the table, which has 2023-01-02 to"):
                escalation.count_series(source, freq="W-SUN", **options)


def test_days_of_which_nothing_is_left_are_named_by_themselves(tmp_path):
    days = pd.date_range("2023-01-02", periods=80, freq="4D")
    source = written(tmp_path, "list.csv", ["date,country", *(f"{day:%Y-%m-%d},Land" for day in days)])
    with pytest.raises(InputError, match=r"end 2022-01-01 is before the first day of the table, which has 2023-01-02"):
        escalation.count_series(source, end="2022-01-01")
    with pytest.raises(InputError, match="start 2026-01-01 is after the last day of the table"):
        escalation.count_series(source, start="2026-01-01")
    watched = escalation.count_series(source, end="2024-12-31")
    assert watched.counts.iloc[-1] == 0
    assert any("count as watched and quiet, which would be very unusual here" in note for note in watched.notes)


def test_a_column_can_be_named_as_the_file_names_it(tmp_path):
    days = pd.date_range("2023-01-02", periods=80, freq="4D")
    rows = ["Day,Region,People killed", *(f"{day:%Y-%m-%d},{'NS'[at % 2]}orth,1" for at, day in enumerate(days))]
    source = written(tmp_path, "regions.csv", rows)
    own = escalation.count_series(source, by="Region", series="North")
    assert own.counts.equals(escalation.count_series(source, by="admin1", series="North").counts)
    assert own.counts.sum() > 30
    table = escalation.aggregate(source.table, "M", start="2023-01-01", end="2023-12-31", by="Region")
    assert table.columns.tolist() == ["North", "Sorth"]
