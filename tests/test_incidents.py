"""Incidents tables: every row of a file is read, or accounted for."""

from __future__ import annotations

import csv
import datetime as dt
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from escalation.errors import DataWarning, FileError, InputError
from escalation.files.ledger import LEDGER_COLUMNS, rows_lost
from escalation.incidents.formats.dates import MONTHS, read_days
from escalation.incidents.formats.read import read_incidents
from escalation.incidents.schema import COLUMNS, FATALITY_COLUMNS, TEXT_COLUMNS, check_incidents

# the look-alike of ACLED holds one row without an id twice, on purpose
pytestmark = pytest.mark.filterwarnings("ignore:1 of 7 rows have no id and repeat")

DATA = Path(__file__).parent / "data"
GED_FILES = (
    "ged_ethiopia.csv",
    "ged_sample1000_from_rda.csv",
    "ged_sierra_leone.csv",
    "ged_sri_lanka.csv",
    "ged_sudan_shifted_header.csv",
)


def write(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read_text(folder, text, **options):
    return read_incidents(write(folder, text), **options)


def reasons(ledger):
    """(row, column, action) of every entry, and the reason."""
    return {(e.row, e.column, e.action): e.why for e in ledger.itertuples()}


def day(text):
    return pd.Timestamp(text)


# --- what a table of incidents is -------------------------------------------------------------------------


def test_columns_and_types_are_the_canonical_ones(tmp_path):
    incidents, ledger = read_text(tmp_path, "date\n2024-11-12\n")
    assert tuple(incidents.columns) == COLUMNS
    assert tuple(ledger.columns) == LEDGER_COLUMNS
    assert incidents.index.equals(pd.RangeIndex(1))
    for column in ("date", "date_end"):
        assert incidents[column].dtype == "datetime64[ns]"
        assert incidents.loc[0, column] == day("2024-11-12")
    for column in TEXT_COLUMNS[:-1]:
        assert pd.api.types.is_string_dtype(incidents[column].dtype)
        assert incidents.loc[0, column] == ""
    for column in ("latitude", "longitude"):
        assert incidents[column].dtype == float
        assert np.isnan(incidents.loc[0, column])
    for column in FATALITY_COLUMNS:
        assert incidents[column].dtype == "Int64"
        assert incidents[column].isna().all()
    assert ledger.empty


def test_what_is_read_passes_the_gate_unchanged(tmp_path):
    incidents, _ = read_incidents(DATA / "acled_lookalike_2024.csv")
    pd.testing.assert_frame_equal(check_incidents(incidents), incidents)


# --- ACLED ------------------------------------------------------------------------------------------------


def test_acled_file_is_recognised_and_every_row_accounted_for():
    incidents, ledger = read_incidents(DATA / "acled_lookalike_2024.csv")
    assert len(incidents) + rows_lost(ledger) == 9
    assert (
        incidents["actor"].tolist()
        == ["Northern Guard"]
        + ["Unidentified Armed Group"]
        + ["Northern Guard"]
        + ["Protesters (Freedonia)"] * 2
        + ["Southern League"] * 2
    )
    found = reasons(ledger)
    assert found == {
        (2, "event_id_cnty", "merged"): "row 5 has the same id and is kept",
        (6, "event_id_cnty", "changed"): "has no id; kept as an incident of its own",
        (7, "event_id_cnty", "changed"): "has no id; kept as an incident of its own",
        (8, "event_date", "dropped"): "lies before 1900",
        (9, "longitude", "changed"): "lies outside -180 to 180; latitude and longitude blanked",
        (10, "time_precision", "changed"): "is none of 1, 2, 3; the date is taken as exact",
        (10, "fatalities", "changed"): "is negative; blanked",
    }
    assert ledger.set_index(["row", "column"]).loc[(8, "event_date"), "value"] == "0025-10-21"
    assert set(ledger["file"]) == {str(DATA / "acled_lookalike_2024.csv")}


def test_acled_precision_becomes_a_window():
    incidents, _ = read_incidents(DATA / "acled_lookalike_2024.csv")
    windows = incidents.set_index("incident_id")[["date", "date_end"]]
    assert windows.loc["FRE1001"].tolist() == [day("2024-10-02")] * 2
    assert windows.loc["FRE1002"].tolist() == [day("2024-10-06"), day("2024-10-12")]
    # October, cut at the first date of the file (2 October)
    assert windows.loc["FRE1003"].tolist() == [day("2024-10-02"), day("2024-10-31")]
    assert windows.loc["FRE1009"].tolist() == [day("2024-11-13")] * 2


def test_acled_windows_end_with_the_file(tmp_path):
    text = (
        "event_id_cnty,event_date,time_precision\nA1,2024-11-01,1\nA2,2024-11-10,3\nA3,2024-11-11,2\nA4,2024-11-12,1\n"
    )
    incidents, _ = read_text(tmp_path, text)
    assert incidents["date"].tolist() == [day("2024-11-01"), day("2024-11-01"), day("2024-11-08"), day("2024-11-12")]
    assert incidents["date_end"].tolist() == [day("2024-11-01")] + [day("2024-11-12")] * 3


def test_acled_keeps_the_updated_row_of_an_event():
    incidents, _ = read_incidents(DATA / "acled_lookalike_2024.csv")
    assert incidents.set_index("incident_id").loc["FRE1001", "fatalities"] == 5


def test_rows_without_an_id_stay_apart_and_get_lasting_names(tmp_path):
    incidents, _ = read_incidents(DATA / "acled_lookalike_2024.csv")
    nameless = incidents[incidents["actor"] == "Protesters (Freedonia)"]["incident_id"]
    assert nameless.is_unique
    assert nameless.iloc[1] == nameless.iloc[0] + "-2"
    assert nameless.str.startswith("no-id-").all()
    text = (DATA / "acled_lookalike_2024.csv").read_text(encoding="utf-8").splitlines()
    again, _ = read_text(tmp_path, "\n".join([text[0], text[9], *text[1:9]]))  # another order
    assert set(nameless) == set(again[again["actor"] == "Protesters (Freedonia)"]["incident_id"])


def test_fallback_names_do_not_depend_on_the_version_of_pandas(tmp_path):
    incidents, _ = read_text(tmp_path, "date,actor,killed\n2024-11-12,Northern Guard,2\n")
    assert incidents.loc[0, "incident_id"] == "no-id-15267974023674658249"  # the same in pandas 2.2 and 3.1


def test_old_acled_columns_and_dates():
    incidents, ledger = read_incidents(DATA / "acled_lookalike_2019.csv")
    assert incidents["date"].tolist() == [day("2019-11-12"), day("2019-12-03"), day("2019-12-04"), day("2019-12-05")]
    assert incidents["incident_id"].tolist() == ["FRE11", "FRE12", "FRE13", "FRE14"]
    assert incidents["fatalities"].tolist() == [3, 0, 1, 0]
    assert incidents["place"].tolist() == ["Rushford", "Rushford", "Reedham", "Reedham"]
    assert ledger.empty


def test_acled_subset_without_ids_is_read_as_acled(tmp_path):
    text = "event_date,time_precision,geo_precision,location\n05/12/2019,2,1,Rushford\n06/12/2019,1,1,Rushford\n"
    incidents, ledger = read_text(tmp_path, text)
    assert incidents["date_end"].tolist() == [day("2019-12-06")] * 2
    assert incidents["place"].tolist() == ["Rushford"] * 2
    assert incidents["incident_id"].is_unique
    assert ledger.empty


def test_the_map_comes_before_the_layout():
    incidents, _ = read_incidents(DATA / "acled_lookalike_2024.csv", columns={"event_type": "sub_event_type"})
    assert incidents.loc[0, "event_type"] == "Air/drone strike"


# --- UCDP GED ---------------------------------------------------------------------------------------------


def test_ucdp_file_is_recognised_and_every_row_accounted_for():
    incidents, ledger = read_incidents(DATA / "ucdp_lookalike.csv")
    assert incidents["incident_id"].tolist() == ["11", "12", "13", "14"]
    assert incidents["event_type"].tolist() == ["state-based", "state-based", "one-sided", "non-state"]
    assert incidents["fatalities"].tolist() == [2, 7, 3, 8]
    assert incidents["fatalities_low"].tolist() == [2, 4, pd.NA, pd.NA]
    assert incidents["date"].tolist()[1:3] == [day("2001-01-28"), day("2001-03-01")]
    assert incidents["date_end"].tolist()[1:3] == [day("2001-02-03"), day("2001-03-31")]
    assert incidents.loc[0, "source"] == "Invented Gazette"
    assert incidents.loc[2, "source"].startswith('"Invented Gazette,2001-01-06')
    assert len(incidents) + rows_lost(ledger) == 5
    assert reasons(ledger) == {
        (4, "low", "changed"): "low 5, best 3, high 20 are not in that order; low and high blanked",
        (4, "high", "changed"): "low 5, best 3, high 20 are not in that order; low and high blanked",
        (5, "low", "changed"): "low 0, best 8, high 6 are not in that order; low and high blanked",
        (5, "high", "changed"): "low 0, best 8, high 6 are not in that order; low and high blanked",
        (6, "date_end", "dropped"): "is before the date",
    }


def test_old_ucdp_columns_american_dates_and_a_spare_comma():
    incidents, ledger = read_incidents(DATA / "ucdp_lookalike_old.csv")
    assert incidents["date"].tolist() == [day("2001-01-04"), day("2001-01-02")]
    assert incidents["date_end"].tolist() == [day("2001-01-04"), day("2001-02-03")]
    assert incidents["fatalities_high"].tolist() == [2, 9]
    assert ledger.empty


@pytest.mark.parametrize("name", GED_FILES)
def test_real_ucdp_rows_and_deaths_are_all_there(name, shared_data):
    """Against the csv module and datetime alone."""
    path = shared_data(f"data/ucdp_ged/{name}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    best = "best" if "best" in rows[0] else "best_est"
    incidents, ledger = read_incidents(path)
    assert len(incidents) + rows_lost(ledger) == len(rows)
    assert incidents["fatalities"].sum() == sum(int(float(row[best])) for row in rows)
    kinds = {"1": "state-based", "2": "non-state", "3": "one-sided"}
    expected = Counter(kinds[row["type_of_violence"][0]] for row in rows)
    assert Counter(incidents["event_type"]) == expected

    def plain_day(text):
        return (
            dt.date(int(text[6:10]), int(text[:2]), int(text[3:5])) if "/" in text else dt.date.fromisoformat(text[:10])
        )

    assert [stamp.date() for stamp in incidents["date"]] == [plain_day(row["date_start"]) for row in rows]
    assert [stamp.date() for stamp in incidents["date_end"]] == [plain_day(row["date_end"]) for row in rows]
    contradictory = 0
    for row in rows:
        low, middle, high = (float(row[best.replace("best", kind)]) for kind in ("low", "best", "high"))
        contradictory += not low <= middle <= high
    assert ledger["row"].nunique() == contradictory
    assert set(ledger["action"]) <= {"changed"}
    check_incidents(incidents)


# --- plain tables -----------------------------------------------------------------------------------------


def test_a_german_spreadsheet_by_a_map():
    columns = {"date": "Datum", "place": "Ort", "actor": "Gruppe", "fatalities": "Tote", "source": "Quelle"}
    columns |= {"latitude": "Breite", "longitude": "Länge"}
    incidents, ledger = read_incidents(DATA / "plain_german.csv", columns=columns)
    assert incidents["date"].tolist() == [day("2024-11-12"), day("2024-12-03")]
    assert incidents["fatalities"].tolist() == [2, pd.NA]
    assert incidents["latitude"].tolist() == [10.5, 10.1]
    assert incidents["longitude"].tolist() == [20.25, 20.75]
    assert incidents["source"].tolist() == ["Invented Gazette"] * 2
    assert ledger.empty


@pytest.mark.parametrize("heading", ["date", "DATE", "Event Date", "incident-date", " start_date ", "Attack date:"])
def test_obvious_names_need_no_map(tmp_path, heading):
    incidents, _ = read_text(tmp_path, f"{heading},Lat,Lon,Killed,Attacker\n2024-11-12,1,2,3,X\n")
    row = incidents.loc[0]
    assert [row["date"], row["latitude"], row["longitude"], row["fatalities"], row["actor"]] == [
        day("2024-11-12"),
        1.0,
        2.0,
        3,
        "X",
    ]


def test_a_window_in_a_plain_table(tmp_path):
    incidents, _ = read_text(tmp_path, "start_date,end_date\n2024-11-01,2024-11-07\n2024-11-09,\n")
    assert incidents["date_end"].tolist() == [day("2024-11-07"), day("2024-11-09")]


def test_the_source_can_be_forced(tmp_path):
    text = "event_id_cnty,event_date,time_precision,actor1\nA1,2024-11-12,2,X\n"
    incidents, _ = read_text(tmp_path, text, layout="plain")
    assert incidents.loc[0, "date_end"] == day("2024-11-12")
    assert incidents.loc[0, "actor"] == "X"


def test_a_spreadsheet_with_date_cells_and_day_numbers(tmp_path):
    book = Workbook()
    book.active.append(["date", "killed", "id"])
    book.active.append([dt.datetime(2024, 11, 12), 2, 1])
    book.active.append([dt.datetime(2024, 11, 13, 18, 30), 0, 2])
    book.active.append([45200, 1.0, 3])
    book.active.append(["2024-11-14", None, 4])
    book.save(tmp_path / "own.xlsx")
    incidents, ledger = read_incidents(tmp_path / "own.xlsx")
    # 45200 is 1 October 2023 in every spreadsheet (its day 1 is 1 January 1900)
    assert incidents["date"].tolist() == [day(f"2024-11-{d}") for d in (12, 13)] + [
        day("2023-10-01"),
        day("2024-11-14"),
    ]
    assert incidents["fatalities"].tolist() == [2, 0, 1, pd.NA]
    assert reasons(ledger) == {(4, "date", "changed"): "is a spreadsheet's day number; read as its date"}


# --- dates ------------------------------------------------------------------------------------------------


def read_dates(texts, order="auto", usual=None, today="2030-01-01"):
    column = pd.Series(texts, index=pd.RangeIndex(2, 2 + len(texts)), dtype=str)
    return read_days([column], order=order, usual=usual, today=pd.Timestamp(today), where="file.csv")[0]


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-12",
        "2024/11/12",
        "2024.11.12",
        "2024-11-12 00:00:00.000",
        "2024-11-12T18:30:00Z",
        "2024-11-12 18:30:00+03:00",
        "20241112",
        "12 November 2024",
        "12 Nov 2024",
        "12-Nov-24",
        "12-NOV-2024",
        "12th November, 2024",
        "12. November 2024",
        "November 12, 2024",
        "Nov. 12 2024",
        "Tue, 12 Nov 2024",
        "Tuesday, November 12, 2024",
        "12.11.2024",
        "12.11.24",
        "45608",
        "45608.75",
        " 2024-11-12 ",
    ],
)
def test_one_day_in_many_spellings(text):
    assert read_dates([text]).days.tolist() == [day("2024-11-12")]


@given(st.dates(dt.date(1900, 1, 1), dt.date(2029, 12, 31)), st.sampled_from(range(7)))
def test_every_day_of_the_calendar_is_read_back(date, form):
    name = MONTHS[date.month - 1]
    texts = (
        date.isoformat(),
        f"{date:%d/%m/%Y}",
        f"{date.day}-{date.month}-{date.year}",
        f"{date.day} {name.title()} {date.year}",
        f"{name.upper()[:3]} {date.day}, {date.year}",
        f"{date:%Y%m%d}",
        f"{date.day:02}.{date.month:02}.{date.year}",
    )
    assert read_dates([texts[form]], order="day-first").days.tolist() == [pd.Timestamp(date)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is blank"),
        ("N/A", "is blank"),
        ("soon", "is no date that can be read"),
        ("2024", "is no date that can be read"),
        ("2024-11", "is no date that can be read"),
        ("12/11", "is no date that can be read"),
        ("1731369600", "is no date that can be read"),
        ("12 Brumaire 2024", "is no date that can be read"),
        ("٢٠٢٤-١١-١٢", "is no date that can be read"),
        ("2024-11-12; 2024-11-13", "is no date that can be read"),
        ("2024-02-30", "is no day of the calendar"),
        ("2023-02-29", "is no day of the calendar"),
        ("2024-00-10", "is no day of the calendar"),
        ("2024-11-00", "is no day of the calendar"),
        ("31 November 2024", "is no day of the calendar"),
        ("13/25/2024", "is no day of the calendar (dates here are read day-first)"),
        ("0025-11-12", "lies before 1900"),
        ("0000-11-12", "lies before 1900"),
        ("1899-12-31", "lies before 1900"),
        ("2030-01-02", "lies in the future (after 2030-01-01)"),
        ("9999-12-31", "lies in the future (after 2030-01-01)"),
        ("99999", "lies in the future (after 2030-01-01)"),
    ],
)
def test_why_a_date_is_none(text, why):
    days = read_dates([text, "2024-11-12"])
    assert days.problem.tolist() == [why, ""]
    assert days.days.isna().tolist() == [True, False]


def test_leap_days_and_the_limits():
    assert read_dates(["2024-02-29", "2000-02-29", "1900-01-01", "2030-01-01"]).problem.eq("").all()
    assert read_dates(["1900-02-29"]).problem.tolist() == ["is no day of the calendar"]


def test_one_date_proves_the_order_of_all():
    assert read_dates(["03/04/2024", "25/04/2024"]).days.tolist() == [day("2024-04-03"), day("2024-04-25")]
    assert read_dates(["03/04/2024", "04/25/2024"]).days.tolist() == [day("2024-03-04"), day("2024-04-25")]


def test_the_end_of_a_window_proves_the_order_too(tmp_path):
    incidents, _ = read_text(tmp_path, "date,date_end\n03/04/2024,25/04/2024\n")
    assert incidents.loc[0, "date"] == day("2024-04-03")


def test_no_proof_is_an_error_in_a_plain_table(tmp_path):
    with pytest.raises(InputError, match=r"'03/04/2024' \(row 3\) may have the day or the month first") as caught:
        read_text(tmp_path, "date\n05/05/2024\n03/04/2024\n")
    assert "date_order='day-first'" in str(caught.value)


@pytest.mark.parametrize(("order", "expected"), [("day-first", "2024-04-03"), ("month-first", "2024-03-04")])
def test_the_order_can_be_chosen(tmp_path, order, expected):
    incidents, _ = read_text(tmp_path, "date\n03/04/2024\n", date_order=order)
    assert incidents.loc[0, "date"] == day(expected)


def test_the_chosen_order_is_held_against_a_row_that_breaks_it(tmp_path):
    incidents, ledger = read_text(tmp_path, "date\n03/04/2024\n25/04/2024\n", date_order="month-first")
    assert incidents["date"].tolist() == [day("2024-03-04")]
    assert reasons(ledger) == {(3, "date", "dropped"): "is no day of the calendar (dates here are read month-first)"}


def test_dates_that_read_the_same_either_way_need_no_order():
    assert read_dates(["05/05/2024", "12.11.2024", "2024-11-12"]).problem.eq("").all()


def test_the_usual_order_of_a_kind_of_file_yields_to_proof():
    assert read_dates(["03/04/2024"], usual="month-first").days.tolist() == [day("2024-03-04")]
    assert read_dates(["03/04/2024", "25/04/2024"], usual="month-first").days.iloc[0] == day("2024-04-03")


def test_both_orders_in_one_file_is_an_error(tmp_path):
    with pytest.raises(
        InputError, match=r"'25/04/2024' \(row 2\) has the day first and '04/25/2024' \(row 3\) the month"
    ):
        read_text(tmp_path, "date\n25/04/2024\n04/25/2024\n")


def test_a_misprint_among_many_is_dropped(tmp_path):
    lines = ["date", *[f"{d}/04/2024" for d in range(13, 31)], *["25/03/2024"] * 10, "04/25/2024"]
    incidents, ledger = read_text(tmp_path, "\n".join(lines))
    assert len(incidents) == 28
    assert reasons(ledger) == {(30, "date", "dropped"): "is no day of the calendar (dates here are read day-first)"}


def test_two_digit_years():
    assert read_dates(
        ["12-Nov-24", "12-Nov-69", "12-Nov-70", "12-Nov-99"], today="2100-01-01"
    ).days.dt.year.tolist() == [
        2024,
        2069,
        1970,
        1999,
    ]


def test_tomorrow_somewhere_is_not_the_future_and_next_week_is(tmp_path):
    now = dt.datetime.now()
    soon, later = ((now + dt.timedelta(days=d)).date().isoformat() for d in (1, 8))
    incidents, ledger = read_text(tmp_path, f"date\n{soon}\n{later}\n")
    assert incidents["date"].tolist() == [day(soon)]
    assert ledger["why"].str.startswith("lies in the future").tolist() == [True]


# --- rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2024-13-01", "is no day of the calendar"),
        ("ongoing", "is no date that can be read"),
        ("0025-11-13", "lies before 1900"),
        ("2999-01-01", "lies in the future"),
        ("2024-11-01", "is before the date"),
    ],
)
def test_a_bad_end_of_a_window_drops_the_row(tmp_path, cell, why):
    incidents, ledger = read_text(tmp_path, f"date,date_end\n2024-11-12,{cell}\n2024-11-12,2024-11-12\n")
    assert len(incidents) == 1
    entry = ledger.iloc[0]
    assert (entry["row"], entry["column"], entry["value"], entry["action"]) == (2, "date_end", cell, "dropped")
    assert entry["why"].startswith(why)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("7", 7), ("7.0", 7), (" 7 ", 7), ("1,200", 1200), ("0", 0), ("100000000", 10**8)],
)
def test_fatalities_as_tables_write_them(tmp_path, cell, expected):
    incidents, ledger = read_text(tmp_path, f'date,killed\n2024-11-12,"{cell}"\n')
    assert incidents.loc[0, "fatalities"] == expected
    assert ledger.empty


@pytest.mark.parametrize(("cell", "expected"), [("+7", 7), ("1e+05", 100000), ("1e3", 1000), ("5E4", 50000), ("-0", 0)])
def test_fatalities_that_are_written_unusually_are_read_with_a_line_in_the_ledger(tmp_path, cell, expected):
    incidents, ledger = read_text(tmp_path, f'date,killed\n2024-11-12,"{cell}"\n2024-11-13,2\n')
    assert incidents.loc[0, "fatalities"] == expected
    found = ledger[["row", "column", "value", "action", "why"]].to_numpy().tolist()
    assert found == [[2, "killed", cell, "changed", f"is read as {expected}"]]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("-1", "is negative"),
        ("2.5", "is no whole number"),
        ("1.200", "is no whole number"),
        ("dozens", "is no number"),
        ("5-7", "is no number"),
        ("?", "is no number"),
        ("inf", "is no number"),
        ("1_000", "is no number"),
        ("0x10", "is no number"),
        ("12,00", "is no number"),
        ("100000001", "is more than 100,000,000"),
        ("1e300", "is more than 100,000,000"),
    ],
)
@pytest.mark.parametrize("column", FATALITY_COLUMNS)
def test_fatalities_that_cannot_be_used_are_blanked_and_the_incident_kept(tmp_path, cell, why, column):
    incidents, ledger = read_text(tmp_path, f'date,{column}\n2024-11-12,"{cell}"\n')
    assert incidents[column].isna().all()
    assert reasons(ledger) == {(2, column, "changed"): why + "; blanked"}
    assert ledger.loc[0, "value"] == cell


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "NaN", "null", "None"])
def test_blank_cells_are_unknown_and_no_fault(tmp_path, cell):
    incidents, ledger = read_text(tmp_path, f"date,date_end,killed,lat,lon\n2024-11-12,{cell},{cell},{cell},{cell}\n")
    assert incidents.loc[0, ["fatalities", "latitude", "longitude"]].isna().all()
    assert ledger.empty


@pytest.mark.parametrize(
    ("low", "best", "high", "good"),
    [
        ("1", "2", "3", True),
        ("2", "2", "2", True),
        ("", "2", "3", True),
        ("1", "", "3", True),
        ("", "", "", True),
        ("3", "2", "4", False),
        ("1", "5", "4", False),
        ("3", "", "1", False),
        ("3", "2", "", False),
    ],
)
def test_low_best_high_in_that_order_or_noted(tmp_path, low, best, high, good):
    text = f"date,fatalities_low,fatalities,fatalities_high\n2024-11-12,{low},{best},{high}\n"
    incidents, ledger = read_text(tmp_path, text)
    assert ledger.empty == good
    row = incidents.loc[0]
    assert str(row["fatalities"]) == (best or "<NA>")
    assert str(row["fatalities_low"]) == (low if good and low else "<NA>")
    assert str(row["fatalities_high"]) == (high if good and high else "<NA>")
    assert len(ledger) == (0 if good else sum(1 for bound in (low, high) if bound))


@pytest.mark.parametrize(("lat", "lon"), [("91", "0"), ("-90.01", "0"), ("0", "180.5"), ("north", "0"), ("0", "1e9")])
def test_coordinates_that_are_nowhere_are_blanked(tmp_path, lat, lon):
    incidents, ledger = read_text(tmp_path, f"date,lat,lon\n2024-11-12,{lat},{lon}\n2024-11-12,90,-180\n")
    assert incidents.loc[0, ["latitude", "longitude"]].isna().all()
    assert incidents.loc[1, ["latitude", "longitude"]].tolist() == [90.0, -180.0]
    assert ledger["row"].tolist() == [2]
    assert ledger["action"].tolist() == ["changed"]


def test_the_last_good_row_of_an_id_is_kept(tmp_path):
    text = "id,date,killed\na,2024-11-01,1\nb,2024-11-02,2\na,2024-11-03,3\na,2024-11-04,4\nb,2024-99-99,9\n"
    incidents, ledger = read_text(tmp_path, text)
    assert incidents["incident_id"].tolist() == ["b", "a"]
    assert incidents["fatalities"].tolist() == [2, 4]
    assert reasons(ledger) == {
        (2, "id", "merged"): "row 5 has the same id and is kept",
        (4, "id", "merged"): "row 5 has the same id and is kept",
        (6, "date", "dropped"): "is no day of the calendar",
    }


def test_blank_rows_are_no_rows(tmp_path):
    incidents, ledger = read_text(tmp_path, "date,actor\n\n2024-11-12,X\n,\n  ,  \n2024-11-13,Y\n")
    assert incidents["actor"].tolist() == ["X", "Y"]
    assert ledger.empty


def test_the_ledger_counts_spreadsheet_rows(tmp_path):
    text = 'date,actor\n2024-11-12,"two\nlines"\nnever,Y\n'
    _, ledger = read_text(tmp_path, text)
    assert ledger["row"].tolist() == [3]


cells = st.one_of(
    st.sampled_from(
        [
            "",
            "2024-11-12",
            "03/04/2024",
            "25/04/2024",
            "0025-01-01",
            "45200",
            "NA",
            "-1",
            "2.5",
            "7",
            "1,200",
            "=1+1",
            "é",
        ]
    ),
    st.text(max_size=12),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*[cells] * 9), min_size=1, max_size=8))
def test_whatever_the_cells_hold_no_row_is_lost(tmp_path, rows):
    header = ["date", "date_end", "actor", "killed", "killed_low", "killed_high", "lat", "lon", "id"]
    path = tmp_path / "any.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows([header, *rows])
    filled = sum(any(cell.strip() for cell in row) for row in rows)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # of rows that repeat others
            incidents, ledger = read_incidents(path, date_order="day-first")
    except InputError as error:
        assert "\n" not in str(error)
        return
    # a lone carriage return or line break inside a quoted cell is no new row
    assert len(incidents) + rows_lost(ledger) == filled
    assert (incidents["date"] <= incidents["date_end"]).all()
    pd.testing.assert_frame_equal(check_incidents(incidents), incidents)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=200), st.sampled_from(["", "date\n", "date,actor\n2024-11-12,"]))
def test_any_bytes_give_a_table_or_one_line_of_error(tmp_path, data, start):
    path = tmp_path / "bytes.csv"
    path.write_bytes(start.encode() + data)
    try:
        incidents, _ = read_incidents(path)
    except InputError as error:
        assert "\n" not in str(error).replace(str(path), "")
    else:
        assert len(incidents) > 0


# --- files that cannot be read ----------------------------------------------------------------------------


def test_an_unknown_layout_shows_what_was_found_and_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"no column for date \(such as date, event_date") as caught:
        read_text(tmp_path, "SQLDATE,GoldsteinScale\n20241112,-10\n")
    assert "columns found: SQLDATE, GoldsteinScale" in str(caught.value)
    assert "columns={'date': '...'}" in str(caught.value)


def test_many_columns_are_listed_in_part(tmp_path):
    with pytest.raises(InputError, match=r"c29 and 10 more"):
        read_text(tmp_path, ",".join(f"c{i}" for i in range(40)) + "\n" + ",".join("x" * 40) + "\n")


@pytest.mark.parametrize(("layout", "missing"), [("acled", "event_date"), ("ucdp", "date_start")])
def test_a_forced_layout_must_fit(tmp_path, layout, missing):
    with pytest.raises(InputError, match=rf"no column for date \(such as {missing}\)"):
        read_text(tmp_path, "date\n2024-11-12\n", layout=layout)


def test_ucdp_without_deaths_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"UCDP GED .* no column for fatalities \(such as best, best_est\)"):
        read_text(tmp_path, "type_of_violence,date_start,date_end,deaths\n1,2001-01-01,2001-01-01,3\n")


def test_a_layout_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"layout is 'gtd'; use auto, plain, acled, .* or sigacts"):
        read_text(tmp_path, "date\n2024-11-12\n", layout="gtd")


def test_an_unknown_order_is_refused(tmp_path):
    with pytest.raises(InputError, match="date_order is 'dmy'; use auto, day-first or month-first"):
        read_text(tmp_path, "date\n2024-11-12\n", date_order="dmy")


def test_a_map_to_a_missing_column_names_the_nearest(tmp_path):
    with pytest.raises(
        InputError, match=r"no column 'Datun' for date \(did you mean 'Datum'\?\); columns found: Datum"
    ):
        read_text(tmp_path, "Datum\n2024-11-12\n", columns={"date": "Datun"})


def test_a_map_from_an_unknown_column_names_the_nearest(tmp_path):
    with pytest.raises(InputError, match=r"columns names 'fatality', .*did you mean 'fatalities'"):
        read_text(tmp_path, "date,dead\n2024-11-12,1\n", columns={"fatality": "dead"})


def test_a_map_must_be_a_mapping(tmp_path):
    with pytest.raises(InputError, match=r"columns is 'Datum'; give a mapping such as \{'date': 'Datum'\}"):
        read_text(tmp_path, "Datum\n2024-11-12\n", columns="Datum")


def test_two_columns_of_one_name_need_a_choice(tmp_path):
    text = "Date,DATE\n2024-11-12,2024-11-13\n"
    with pytest.raises(InputError, match="'Date' and 'DATE' may both be the date"):
        read_text(tmp_path, text)
    incidents, _ = read_text(tmp_path, text, columns={"date": "DATE"})
    assert incidents.loc[0, "date"] == day("2024-11-13")


def test_nothing_left_is_an_error_with_the_first_reason(tmp_path):
    with pytest.raises(
        InputError, match=r"none of its 2 rows can be used; row 2, date 'x' is no date that can be read"
    ):
        read_text(tmp_path, "date\nx\n0025-01-01\n")


def test_a_wrong_delimiter_shows_the_one_column(tmp_path):
    with pytest.raises(InputError, match="columns found: date:actor;"):
        read_text(tmp_path, "date:actor\n2024-11-12:X\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_delimiters_are_told_apart(tmp_path, delimiter):
    text = "\n".join(delimiter.join(row) for row in [["date", "actor", "lat"], ["2024-11-12", "X", "10.5"]])
    incidents, _ = read_text(tmp_path, text)
    assert incidents.loc[0, "actor"] == "X"


def test_latin_1_is_refused_with_its_line_and_read_when_named(tmp_path):
    path = write(tmp_path, "date,place\n2024-11-11,Aden\n2024-11-12,Gao Région\n", encoding="latin-1")
    with pytest.raises(InputError, match=r"\(line 3\) is not utf-8"):
        read_incidents(path)
    incidents, _ = read_incidents(path, encoding="latin-1")
    assert incidents.loc[1, "place"] == "Gao Région"


def test_a_missing_file_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_incidents(tmp_path / "nothing.csv")


# --- the gate for tables that a user built ----------------------------------------------------------------


def table(**columns):
    return pd.DataFrame({"date": pd.to_datetime(["2024-11-12", "2024-11-13"]), **columns})


def test_the_gate_fills_what_a_small_table_leaves_out():
    checked = check_incidents(table(actor=["X", None], fatalities=[1.0, np.nan], weapon=["drone", "rocket"]))
    assert tuple(checked.columns) == (*COLUMNS, "weapon")
    assert checked["date_end"].tolist() == checked["date"].tolist()
    assert checked["actor"].tolist() == ["X", ""]
    assert checked["fatalities"].tolist() == [1, pd.NA]
    assert checked["incident_id"].is_unique
    assert checked["weapon"].tolist() == ["drone", "rocket"]


def test_the_gate_puts_dates_at_midnight():
    times = pd.to_datetime(["2024-11-12 18:30", "2024-11-13 00:00"]).astype("datetime64[s]")
    checked = check_incidents(pd.DataFrame({"date": times}))
    assert checked["date"].tolist() == [day("2024-11-12"), day("2024-11-13")]
    assert checked["date"].dtype == "datetime64[ns]"


def test_the_gate_leaves_the_users_table_alone():
    mine = table(incident_id=["", "b"])
    before = mine.copy()
    check_incidents(mine)
    pd.testing.assert_frame_equal(mine, before)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        ([1, 2], "incidents is a list; give the DataFrame"),
        (pd.DataFrame({"day": [1]}), r"has no column 'date' \(columns found: day\)"),
        (table().iloc[:0], "incidents has no rows"),
        (pd.concat([table(), table()], axis=1), "has two columns called 'date'"),
        (pd.DataFrame({"date": ["2024-11-12"]}), "column 'date' is .*, not dates; convert it with pandas.to_datetime"),
        (pd.DataFrame({"date": pd.to_datetime(["2024-11-12"]).tz_localize("UTC")}), "column 'date' has a time zone"),
        (pd.DataFrame({"date": pd.to_datetime(["2024-11-12", None])}), "row 1: NaT is a missing date"),
        (
            pd.DataFrame({"date": pd.to_datetime(["1899-12-31"])}),
            r"row 0: 1899-12-31 \(date\) lies outside 1900 to 2199",
        ),
        (table(date_end=pd.to_datetime(["2024-11-12", "2024-11-01"])), "row 1: 2024-11-01 is before its date"),
        (table(fatalities=[1, -2]), r"row 1: -2.0 \(fatalities\) is no whole number from 0 to 100,000,000"),
        (table(fatalities_high=[1, 2.5]), r"row 1: 2.5 \(fatalities_high\) is no whole number"),
        (table(fatalities=[1, np.inf]), r"row 1: inf \(fatalities\) is no whole number"),
        (table(fatalities=["1", "2"]), "column 'fatalities' is .*, not numbers; convert it with pandas.to_numeric"),
        (table(fatalities=[True, False]), "column 'fatalities' is bool, not numbers"),
        (table(latitude=[91.0, 0]), "row 0: 91.0 is no latitude; it must lie in -90 to 90"),
        (table(longitude=[0, -181.0]), "row 1: -181.0 is no longitude; it must lie in -180 to 180"),
        (table(fatalities=[1, 5], fatalities_high=[1, 4]), r"row 1: 5 \(fatalities\) breaks low <= best <= high"),
        (table(incident_id=["a", "a"]), "row 1: a is an incident_id that two rows have"),
    ],
)
def test_the_gate_refuses(made, match):
    with pytest.raises(InputError, match=match) as caught:
        check_incidents(made)
    assert "\n" not in str(caught.value)


# --- speed ------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_rows_take_seconds(tmp_path):
    rng = np.random.default_rng(5)
    n = 100_000
    days = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 2200, n), unit="D")
    frame = pd.DataFrame(
        {
            "event_id_cnty": np.arange(n).astype(str),
            "event_date": days.strftime("%d/%m/%Y"),
            "time_precision": rng.integers(1, 4, n),
            "actor1": "X",
            "latitude": rng.uniform(10, 11, n).round(4),
            "longitude": rng.uniform(20, 21, n).round(4),
            "fatalities": rng.poisson(1, n),
        }
    )
    frame.to_csv(tmp_path / "large.csv", index=False)
    incidents, ledger = read_incidents(tmp_path / "large.csv")
    assert len(incidents) == n
    assert ledger.empty
    assert incidents["fatalities"].sum() == frame["fatalities"].sum()


def test_a_hundred_thousand_bad_rows_are_accounted_for(tmp_path):
    n = 100_000
    frame = pd.DataFrame({"id": np.arange(n) // 2, "date": "2024-11-12", "killed": -np.arange(1, n + 1), "lat": 91})
    frame.to_csv(tmp_path / "bad.csv", index=False)
    incidents, ledger = read_incidents(tmp_path / "bad.csv")
    assert len(incidents) == rows_lost(ledger) == n // 2
    assert len(ledger) == n + n + n // 2
    assert ledger["why"].nunique() == 2 + n // 2
