"""Kinds of incident files: each read by its columns, its rows accounted for, and said what a row is."""

from __future__ import annotations

import gzip
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escalation.cli import main
from escalation.errors import DataWarning, FileError, InputError
from escalation.files.ledger import rows_lost
from escalation.incidents.aggregate import aggregate
from escalation.incidents.formats.read import read_incidents
from escalation.incidents.schema import check_incidents

DATA = Path(__file__).parent / "data"
PLAIN = "date,place,killed\n2024-11-11,Erbil,0\n2024-11-12,Hasaka,2\n"


def write(folder, text, name="table.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_warned(match, path, **options):
    """Read a file that warns of what its rows are."""
    with pytest.warns(DataWarning, match=match):
        return read_incidents(path, **options)


def day(text):
    return pd.Timestamp(text)


# --- GDELT, ICEWS, POLECAT ---


@pytest.mark.parametrize("name", ["gdelt_lookalike_1.csv", "gdelt_lookalike_2.csv"])
def test_raw_gdelt_needs_no_header_and_is_called_reports(name):
    incidents, ledger = read_warned("the 4 rows kept of this GDELT file are reports made by machine", DATA / name)
    assert len(incidents) + rows_lost(ledger) == 4
    assert incidents["incident_id"].tolist() == ["1", "2", "3", "4"]
    assert incidents["date"].tolist() == [day("2024-11-12")] * 3 + [day("2024-11-13")]
    assert incidents["event_type"].tolist() == ["190", "190", "043", "043"]
    assert incidents["actor"].tolist() == ["NORTHERN GUARD", 'THE "GUARD"', "POLICE", "POLICE"]
    assert incidents["latitude"].tolist()[:2] == [10.5, 10.5]
    assert incidents["latitude"].isna().tolist() == [False, False, True, True]  # 0, 0 is no place
    assert incidents["source"].tolist()[2:] == ["https://example.org/d", "https://example.org/e"]
    assert incidents["as_of"].dt.date.unique()[0] >= day("2024-11-12").date()
    check_incidents(incidents)


def test_gdelt_with_a_header_in_any_case_is_gdelt_too(tmp_path):
    text = "GlobalEventID,SQLDATE,EventCode,IsRootEvent\n1,20241112,190,1\n"
    incidents, _ = read_warned("reports", write(tmp_path, text))
    assert incidents.loc[0, "event_type"] == "190"


@pytest.mark.parametrize(
    ("reports", "kept", "entries"),
    [
        ("all", ["1", "2", "3", "4"], {}),
        ("root", ["1", "2", "4"], {3: "is no root event of its article"}),
        ("distinct", ["1", "3", "4"], {2: "row 1 reports the same place, day and code and is kept"}),
        (
            "distinct root",
            ["1", "4"],
            {2: "row 1 reports the same place, day and code and is kept", 3: "is no root event of its article"},
        ),
    ],
)
def test_reports_can_be_thinned_with_a_note_for_each(reports, kept, entries):
    incidents, ledger = read_warned("reports", DATA / "gdelt_lookalike_2.csv", reports=reports)
    assert incidents["incident_id"].tolist() == kept
    assert dict(zip(ledger["row"], ledger["why"], strict=True)) == entries
    assert len(incidents) + rows_lost(ledger) == 4


def test_root_events_need_a_column_that_tells_them():
    with pytest.raises(InputError, match="does not mark root events"):
        read_incidents(DATA / "icews_lookalike.tab", reports="root")


def test_thinning_goes_with_reports_only():
    with pytest.raises(InputError, match="reports='distinct' goes with GDELT, ICEWS and POLECAT; this is ACLED"):
        read_incidents(DATA / "acled_lookalike_2024.csv", reports="distinct")
    with pytest.raises(InputError, match="reports is 'some'; use all, root, distinct or distinct root"):
        read_incidents(DATA / "gdelt_lookalike_2.csv", reports="some")


@pytest.mark.parametrize(
    ("name", "kind", "event_type"),
    [("icews_lookalike.tab", "ICEWS", "190"), ("polecat_lookalike.txt", "POLECAT", "ASSAULT")],
)
def test_icews_and_polecat(name, kind, event_type):
    incidents, ledger = read_warned(f"this {kind} file are reports", DATA / name)
    row = incidents.loc[0]
    assert [row["actor"], row["event_type"], row["place"], row["country"], row["latitude"]] == [
        "Northern Guard",
        event_type,
        "Rushford",
        "Freedonia",
        10.5,
    ]
    assert ledger.empty


# --- counts a week ---


def test_acled_s_weekly_export_holds_counts_in_weeks_from_saturday():
    incidents, ledger = read_warned(
        r"its 3 rows stand for 6 incidents .*freq='W-FRI' counts them in their own periods",
        DATA / "acled_weekly_lookalike.csv",
    )
    assert incidents["events"].tolist() == [3, 1, 2]
    assert incidents["date"].dt.day_name().unique().tolist() == ["Saturday"]
    assert incidents["date_end"].tolist() == [day("2024-11-08")] * 2 + [day("2024-11-22")]
    assert ledger[["row", "column", "why"]].to_numpy().tolist() == [[5, "EVENTS", "is blank"]]
    counts = aggregate(incidents, "W-FRI")
    assert counts.tolist() == [4, 0, 2]
    by_place = aggregate(incidents, "W-FRI", by="admin1", draws=5, rng=1)
    assert by_place["Upper Marsh"].to_numpy().tolist() == [[4] * 5, [0] * 5, [0] * 5]
    assert aggregate(incidents, "W-FRI", measure="fatalities").tolist() == [5, 0, 1]


def test_weeks_of_stata_are_turned_into_days(tmp_path):
    # week 52 of 2004 begins on its day 358 and has nine days, for 2004 is a leap year
    text = "week,country,SIGACT\n2288,Iraq,7\n2339,Iraq,4\nx,Iraq,1\n"
    incidents, ledger = read_warned("SIGACTs of ESOC holds counts a week", write(tmp_path, text))
    assert incidents["date"].tolist() == [day("2004-01-01"), day("2004-12-23")]
    assert incidents["date_end"].tolist() == [day("2004-01-07"), day("2004-12-31")]
    assert incidents["events"].tolist() == [7, 4]
    assert ledger["why"].tolist() == ["is no date that can be read"]


def test_the_gate_holds_events_and_times():
    table = pd.DataFrame({"date": pd.to_datetime(["2024-11-12"]), "events": [2]})
    assert check_incidents(table)["events"].dtype == "Int64"
    with pytest.raises(InputError, match="is no number of events"):
        check_incidents(table.assign(events=[None]).astype({"events": "Int64"}))
    with pytest.raises(InputError, match=r"\(events\) is no whole number"):
        check_incidents(table.assign(events=[1.5]))
    with pytest.raises(InputError, match=r"column 'as_of' is .*, not times"):
        check_incidents(table.assign(as_of=["2024"]))


# --- ACLED, one row an actor; UCDP with tags ---


def test_an_export_with_a_row_for_each_actor_is_one_row_an_event():
    incidents, ledger = read_incidents(DATA / "acled_monadic_lookalike.csv")
    assert incidents["incident_id"].tolist() == ["FRE1", "FRE2", "FRE3"]
    assert incidents["actor"].tolist() == ["Northern Guard", "Protesters", "Southern League"]
    assert incidents["target"].tolist() == ["Freedonian Army", "", ""]
    assert incidents["fatalities"].tolist() == [3, 0, 4]  # FRE3 was revised, and is no other side
    assert ledger[["row", "action", "why"]].to_numpy().tolist() == [
        [2, "changed", "is 'Freedonian Army' from the row that reports the event from the other side"],
        [3, "merged", "row 2 reports the same event from another actor's side and is kept"],
        [5, "merged", "row 6 has the same id and is kept"],
    ]


def test_a_revised_actor_is_no_other_side(tmp_path):
    head = "event_id_cnty,event_date,time_precision,actor1,timestamp\n"
    text = head + "A1,2024-10-01,1,Unidentified,1728000000\nA1,2024-10-01,1,Northern Guard,1731000000\n"
    incidents, _ = read_incidents(write(tmp_path, text))
    assert incidents[["actor", "target"]].to_numpy().tolist() == [["Northern Guard", ""]]
    plain = write(tmp_path, "id,date,actor\na,2024-10-01,Unidentified\na,2024-10-01,Northern Guard\n", "own.csv")
    assert read_incidents(plain)[0]["actor"].tolist() == ["Northern Guard"]


def test_exports_with_a_row_for_each_actor_may_overlap(tmp_path):
    text = (DATA / "acled_monadic_lookalike.csv").read_text(encoding="utf-8")
    files = [write(tmp_path, text, "a.csv"), write(tmp_path, text, "b.csv")]
    incidents, ledger = read_incidents(files)
    assert incidents[["actor", "target"]].to_numpy()[0].tolist() == ["Northern Guard", "Freedonian Army"]
    assert (len(incidents), rows_lost(ledger)) == (3, 7)


def test_a_second_header_row_of_tags_is_no_incident():
    incidents, ledger = read_incidents(DATA / "ucdp_hdx_lookalike.csv")
    assert incidents["fatalities"].tolist() == [2, 7]
    assert ledger[["row", "action", "why"]].to_numpy().tolist() == [[2, "dropped", "is a second header row (HXL tags)"]]


# --- containers ---


def test_the_same_rows_in_every_container(tmp_path):
    expected, _ = read_incidents(write(tmp_path, PLAIN))
    records = [dict(zip(["date", "place", "killed"], line.split(","), strict=True)) for line in PLAIN.split("\n")[1:3]]
    frame = pd.DataFrame(records).astype({"date": "datetime64[ns]", "killed": "int64"})
    frame.to_stata(tmp_path / "t.dta", write_index=False)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    write(tmp_path, json.dumps(records), "list.json")
    write(tmp_path, json.dumps({"status": 200, "data": records}), "answer.json")
    write(tmp_path, "\n".join(map(json.dumps, records)), "lines.jsonl")
    write(tmp_path, PLAIN.replace(",", "\t"), "t.tsv")
    write(tmp_path, gzip.compress(PLAIN.encode()), "t.csv.gz")
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("folder/t.csv", PLAIN)
        archive.writestr("readme.md", "invented")
        archive.writestr("__MACOSX/._t.csv", "x")
    names = ["t.dta", "t.xlsx", "list.json", "answer.json", "lines.jsonl", "t.tsv", "t.csv.gz", "t.zip"]
    for name in names:
        incidents, ledger = read_incidents(tmp_path / name)
        pd.testing.assert_frame_equal(incidents, expected)
        assert ledger.empty, name


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"date": [day("2024-11-12"), None], "killed": [2.0, np.nan]}).to_parquet(tmp_path / "t.parquet")
    incidents, ledger = read_incidents(tmp_path / "t.parquet")
    assert incidents["fatalities"].tolist() == [2]
    assert ledger.empty  # a row of blanks is no row
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        read_incidents(write(tmp_path, b"PAR1....PAR1", "bad.parquet"))


def test_geojson_points_give_coordinates(tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": {"date": "2024-11-12", "killed": 1},
            "geometry": {"type": "Point", "coordinates": [20.25, 10.5]},
        },
        {"type": "Feature", "properties": {"date": "2024-11-13", "killed": None}, "geometry": None},
    ]
    path = write(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "t.geojson")
    incidents, _ = read_incidents(path)
    assert incidents[["latitude", "longitude"]].to_numpy()[0].tolist() == [10.5, 20.25]
    assert incidents["fatalities"].tolist() == [1, pd.NA]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "is not readable JSON"),
        ("[1, 2]", "is JSON but no list of records"),
        ('{"a": 1}', r"is JSON without a list of records \(keys found: a\)"),
        ("[" * 200_000, "is not readable JSON"),
        ("[]", "has a header but no rows"),
    ],
)
def test_json_that_is_no_table(tmp_path, content, match):
    with pytest.raises(InputError, match=match):
        read_incidents(write(tmp_path, content, "t.json"))


def test_a_stata_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="is not a readable Stata file"):
        read_incidents(write(tmp_path, b"no stata" * 20, "t.dta"))


# --- several files ---


def test_several_files_are_one_table_and_their_ledger_names_each(tmp_path):
    head = "id,date,killed\n"
    first = write(tmp_path, head + "a,2024-11-11,1\nb,2024-11-12,2\n", "2024-11.csv")
    second = write(tmp_path, head + "b,2024-11-12,5\nc,never,1\nd,2024-12-01,0\n", "2024-12.csv")
    for given in ([first, second], str(tmp_path / "2024-*.csv")):
        incidents, ledger = read_incidents(given)
        assert incidents["incident_id"].tolist() == ["a", "b", "d"]
        assert incidents["fatalities"].tolist() == [1, 5, 0]
        assert len(incidents) + rows_lost(ledger) == 5
        assert ledger[["file", "row", "why"]].to_numpy().tolist() == [
            [str(first), 3, f"row 2 of {second} has the same id and is kept"],
            [str(second), 3, "is no date that can be read"],
        ]
        assert set(incidents.attrs["columns"]) == {str(first), str(second)}
        assert incidents.attrs["columns"][str(first)]["fatalities"] == "killed"


def test_windows_of_several_acled_files_reach_over_their_seams(tmp_path):
    head = "event_id_cnty,event_date,time_precision\n"
    files = [
        write(tmp_path, head + "A1,2024-10-01,1\nA2,2024-10-31,2\n", "10.csv"),
        write(tmp_path, head + "A3,2024-11-01,2\nA4,2024-11-30,1\n", "11.csv"),
    ]
    incidents, _ = read_incidents(files)
    assert incidents["date_end"].tolist()[1] == day("2024-11-03")
    assert incidents["date"].tolist()[2] == day("2024-10-29")


def test_paths_that_name_no_file(tmp_path):
    path = write(tmp_path, PLAIN)
    with pytest.raises(FileError, match="no file fits this pattern"):
        read_incidents(str(tmp_path / "*.tsv"))
    with pytest.raises(InputError, match="no path is given"):
        read_incidents([])
    with pytest.raises(InputError, match="is named twice"):
        read_incidents([path, path])


# --- what was known when ---


def test_as_of_gives_what_was_known_from_all_exports(tmp_path):
    head = "event_id_cnty,event_date,time_precision,fatalities,timestamp\n"
    files = [
        write(tmp_path, head + "A1,2024-10-01,1,2,1728000000\nA2,2024-10-02,1,1,1728000000\n", "a.csv"),  # 4 October
        write(tmp_path, head + "A1,2024-10-01,1,9,1731000000\nA3,2024-10-03,1,1,1731000000\n", "b.csv"),  # 7 November
    ]
    then, ledger = read_incidents(files, as_of="2024-10-31")
    assert then["fatalities"].tolist() == [2, 1]
    assert ledger["why"].tolist() == ["became known after 2024-10-31"] * 2
    now, ledger = read_incidents(files[::-1])  # the newest row is kept whatever the order
    assert now.set_index("incident_id")["fatalities"].to_dict() == {"A1": 9, "A3": 1, "A2": 1}
    assert len(now) + rows_lost(ledger) == 4
    assert aggregate(now, "D", start="2024-10-01", end="2024-10-03", as_of="2024-10-31").tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="no incident was known by 2020-01-01"):
        aggregate(now, "D", as_of="2020-01-01")


def test_as_of_needs_times(tmp_path):
    path = write(tmp_path, PLAIN)
    with pytest.raises(InputError, match="does not say when its rows became known"):
        read_incidents(path, as_of="2024-12-01")
    with pytest.raises(InputError, match="the table has no column as_of"):
        aggregate(read_incidents(path)[0], "D", as_of="2024-12-01")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1731369600", "2024-11-12"),
        ("1731369600000", "2024-11-12"),
        ("20241112", "2024-11-12"),
        ("20241112183000", "2024-11-12 18:30"),
        ("2024-11-12T18:30:00+03:00", "2024-11-12 15:30"),
        ("2024-11-12", "2024-11-12"),
    ],
)
def test_times_as_files_write_them(tmp_path, cell, expected):
    incidents, ledger = read_incidents(write(tmp_path, f"date,as_of\n2024-11-12,{cell}\n"))
    assert incidents.loc[0, "as_of"] == day(expected)
    assert ledger.empty


def test_times_that_cannot_be_read_are_blanked(tmp_path):
    incidents, ledger = read_incidents(write(tmp_path, "date,as_of\n2024-11-12,soon\n2024-11-12,20249999\n"))
    assert incidents["as_of"].isna().all()
    assert ledger["why"].tolist() == ["is no time that can be read; blanked"] * 2


# --- guesses ---


def test_guessed_columns_are_said_and_can_be_chosen(tmp_path):
    path = write(tmp_path, "Nr,When it was,Reported deaths,City name\n1,2024-11-12,3,Erbil\n2,13 November 2024,1,\n")
    with pytest.warns(DataWarning, match="guessed .*date = 'When it was', place = 'City name', fatalities = 'Reported"):
        incidents, _ = read_incidents(path)
    assert incidents["fatalities"].tolist() == [3, 1]
    columns = {"date": "When it was", "place": "Nr", "fatalities": "Reported deaths"}
    incidents, _ = read_incidents(path, columns=columns)
    assert incidents["place"].tolist() == ["1", "2"]


def test_two_columns_of_dates_are_not_guessed_between(tmp_path):
    with pytest.raises(InputError, match="may each be the date; choose with"):
        read_incidents(write(tmp_path, "begun,ended\n2024-11-12,2024-11-13\n"))


def test_numbers_are_no_dates_and_the_nearest_name_is_shown(tmp_path):
    with pytest.raises(InputError, match="columns found: datte, n; nearest: 'datte' for date; name it with"):
        read_incidents(write(tmp_path, "datte,n\n45608,20241112\n"))


def test_words_of_precision_widen_the_dates_of_own_tables(tmp_path):
    text = "date,date_precision\n2024-05-01,day\n2024-06-12,week\n2024-06-12,Month\n2024-06-12,year\n2024-12-31,\n"
    incidents, ledger = read_incidents(write(tmp_path, text + "2024-06-12,roughly\n"))
    first = day("2024-05-01")  # of the file, which covers no day before
    assert incidents["date"].tolist()[1:4] == [day("2024-06-09"), day("2024-06-01"), first]
    assert incidents["date_end"].tolist()[1:4] == [day("2024-06-15"), day("2024-06-30"), day("2024-12-31")]
    assert ledger["why"].tolist() == ["is none of day, week, month, year, exact; the date is taken as exact"]


# --- real files ---

REAL = {
    "ucdp_ged/ged_ethiopia.csv": 3808,
    "ucdp_ged/ged_sudan_shifted_header.csv": 3475,
    "gdelt/spark_gdelt_events.csv": 100,
    "gdelt/spark_gdelt_events1.csv": 100,
    "gdelt/spark_gdelt_eventsT.csv": 100,
    "icews/icews14_events.parquet": 90_730,
    "iraq_sigacts/esoc-iraq-v3_sigact_country-week.csv.gz": 264,
    "iraq_sigacts/esoc-iraq-v3_sigact_governorate-week.dta": 5016,
}


@pytest.mark.parametrize("name", REAL)
def test_no_row_of_a_real_file_is_lost(name, shared_data):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        incidents, ledger = read_incidents(shared_data(f"data/{name}"))
    assert len(incidents) + rows_lost(ledger) == REAL[name]
    check_incidents(incidents)


def test_both_files_of_sigacts_count_the_same_attacks(shared_data):
    totals = []
    for name in ("country-week.csv.gz", "governorate-week.dta"):
        incidents, _ = read_warned("counts a week", shared_data(f"data/iraq_sigacts/esoc-iraq-v3_sigact_{name}"))
        totals.append(int(incidents["events"].sum()))
    assert totals == [194_978] * 2  # the sum of the column SIGACT in either


@pytest.mark.parametrize(("name", "country"), [("sri_lanka", "Sri Lanka"), ("sierra_leone", "Sierra Leone")])
def test_views_own_counts_of_state_based_deaths_are_reproduced_in_every_month(name, country, shared_data):
    pytest.importorskip("pyarrow")
    key = pd.read_csv(shared_data("data/views_challenge/country_key.csv"))
    history = pd.read_parquet(shared_data("data/views_challenge/history_v2_1990-01_2020-12.parquet"))
    code = key.loc[key["name"] == country, "id"].item()
    theirs = history[history["country_id"] == code].set_index("month_id")["ged_sb"].sort_index()
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/ged_{name}.csv"))
    state_based = incidents[incidents["event_type"] == "state-based"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of events before 1990 and over several months
        ours = aggregate(state_based, "M", start="1990-01-01", end="2020-12-31", measure="fatalities")
    assert theirs.index.tolist() == list(range(121, 121 + 372))
    assert ours.tolist() == theirs.tolist()


# --- the command line ---


@pytest.mark.parametrize("path", sorted(DATA.glob("*lookalike*")), ids=lambda path: path.name)
def test_the_command_line_counts_every_kind(path, capsys):
    assert main(["series", str(path), "--freq", "M", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("period,start,end,count,exposure,observed_share\n")
    assert all(line.startswith("warning: ") for line in err.splitlines())


@pytest.mark.parametrize("name", ["t.json", "t.parquet", "t.dta", "t.zip", "t.csv.gz", "t.xlsx", "t.geojson"])
def test_the_command_line_says_in_one_line_what_a_broken_file_is(tmp_path, name, capsys):
    path = write(tmp_path, b"\x00\x01broken" * 9, name)
    assert main(["series", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"error: {path}: ")


def test_nothing_known_or_nothing_left_is_an_error(tmp_path):
    path = write(tmp_path, "date,as_of\n2024-11-12,2024-11-13\n")
    with pytest.raises(InputError, match="no row was known by 2024-11-12; choose a later as_of"):
        read_incidents(path, as_of="2024-11-12")
    text = "GlobalEventID,SQLDATE,EventCode,IsRootEvent\n1,20241112,190,0\n"
    with (
        pytest.warns(DataWarning, match="reports"),
        pytest.raises(InputError, match="none of its 1 rows can be used; row 2, IsRootEvent '0' is no root"),
    ):
        read_incidents(write(tmp_path, text, "gdelt.csv"), reports="root")
