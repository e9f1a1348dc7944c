"""Tables as people write them: each look-alike gives the counts that were put into it, or is refused by name."""

from __future__ import annotations

import pandas as pd
import pytest
from written_tables import LIST, LISTED, counted, lines, read, xlsx

from escalation.errors import DataWarning, InputError
from escalation.files.bundled import data_folder
from escalation.files.ledger import rows_lost
from escalation.files.read import read_table
from escalation.incidents.formats.date_expressions import MONTHS, month_number, read_expressions
from escalation.incidents.formats.read import read_incidents

pytestmark = pytest.mark.filterwarnings("ignore::escalation.errors.DataWarning")

# --- headers ----------------------------------------------------------------------------------------------

HEADERS = {
    "an index as pandas writes it": lines(",date,place", [0, 1, 2], LIST, "ABC"),
    "an index that begins elsewhere": lines("Unnamed: 0,date,place", [901, 902, 903], LIST, "ABC"),
    "a stray cell beside the table": lines("date,place,", LIST, "ABC", ["", "see page 3", ""]),
    "a note behind a blank cell": "date,place\n2024-01-05,A\n2024-01-05,B,,checked twice\n2024-01-19,C\n",
    "blank columns between": lines("date,,place,,", LIST, [""] * 3, "ABC", [""] * 3, [""] * 3),
    "sep=;": "sep=;\ndate;place\n2024-01-05;A\n2024-01-05;B\n2024-01-19;C\n",
    "sep=; in quotes and tabs": '"sep=\t"\r\ndate\tplace\r\n2024-01-05\tA\r\n2024-01-05\tB\r\n2024-01-19\tC\r\n',
    "a title": "Attacks in January\ndate,place,actor\n" + lines(None, LIST, "ABC", "XYZ")[1:],
    "a title with a comma before semicolons": "Attacks, January\ndate;place;actor\n"
    + lines(None, LIST, "ABC", "XYZ", sign=";")[1:],
    "titles and blank rows over two columns": "Attacks\n\nmade up,\ndate,place\n" + lines(None, LIST, "ABC")[1:],
    "blank rows above": "\n\n,,\ndate,place\n" + lines(None, LIST, "ABC")[1:],
    "names again inside": "date,place\n2024-01-05,A\ndate,place\n2024-01-05,B\n2024-01-19,C\n",
    "two rows of names": "date,place,killed,\n,,min,max\n2024-01-05,A,1,2\n2024-01-05,B,0,0\n2024-01-19,C,3,4\n",
    "quotes with a backslash": '"date","note"\n"2024-01-05","the \\"north\\", it says"\n'
    '"2024-01-05","x"\n"2024-01-19","\\"y\\""\n',
    "a foot": "date,place\n" + lines(None, LIST, "ABC")[1:] + "Source: made up,\n",
    "bars": lines("date|place", LIST, "ABC", sign="|"),
    "a workbook with notes first": xlsx(
        Notes=[["About"], ["Attacks of January"], ["See", "page", "http://x"]],
        List=[["date", "place"], *([day, "A"] for day in LIST)],
    ),
    "a workbook with a cell beyond its names": xlsx(
        List=[["date", "place"], [LIST[0], "A", "link"], [LIST[1], "B"], [LIST[2], "C"]]
    ),
    "a workbook with a title": xlsx(List=[["Attacks"], [], ["date", "place"], *([day, "A"] for day in LIST)]),
    "a workbook without a first name": xlsx(List=[[None, "date"], [1, LIST[0]], [2, LIST[1]], [3, LIST[2]]]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_names_are_found_wherever_they_stand(tmp_path, name):
    incidents, ledger = read(tmp_path, HEADERS[name])
    assert counted(incidents) == LISTED
    assert set(ledger["action"]) <= {"dropped"}
    assert rows_lost(ledger) == (name in ("names again inside", "a foot"))


def test_names_of_two_rows_are_read_together(tmp_path):
    incidents, _ = read(tmp_path, HEADERS["two rows of names"])
    assert incidents["fatalities_low"].tolist() == [1, 0, 3]
    assert incidents["fatalities_high"].tolist() == [2, 0, 4]


def test_a_title_is_said_and_rows_keep_their_numbers(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("Attacks\n\ndate,place\n2024-01-05,A\nsoon,B\n")
    with pytest.warns(DataWarning, match="row 1 stands above the names of the columns, in row 3"):
        incidents, ledger = read_incidents(path)
    assert (len(incidents), ledger["row"].tolist()) == (1, [5])


REFUSED_HEADERS = {
    "no names": (
        "2024-01-05,A\n2024-01-06,B\n2024-01-06,C\n",
        "its first row holds '2024-01-05', so it names no columns",
    ),
    "names in the second row": (
        "2024-01-05,A\ndate,place\n" + "2024-01-06,C\n" * 20,
        "its first row holds '2024-01-05'",
    ),
    "a comma without quotes": (
        "date,place\n2024-01-05,A, north\n",
        "row 2 has 3 cells for 2 columns; quote its commas",
    ),
    "two sheets that may be meant": (
        xlsx(Notes=[["About"], ["this"]], A=[["date"], ["2024-01-05"]], B=[["date"], ["2024-01-06"]]),
        "its first sheet, 'Notes', holds no table, and 2 others do: 'A', 'B'; choose with sheet=... or --sheet",
    ),
    "Latin letters": ("date,place\n2024-01-05,Bogotá\n".encode("cp1252"), r"--encoding cp1252 .* reads 'Bogotá' there"),
    "Cyrillic letters": (
        "date,place\n2024-01-05,Харків\n".encode("cp1251"),
        r"--encoding cp1251 .* reads 'Харків' there",
    ),
    "Arabic letters": (
        "date,place\n2024-01-05,الموصل\n".encode("cp1256"),
        r"--encoding cp1256 .* reads 'الموصل' there",
    ),
    "Japanese letters": (
        "date,place\n2024-01-05,おおさか\n".encode("shift_jis"),
        r"--encoding shift_jis .* reads 'おおさか'",
    ),
}


@pytest.mark.parametrize("name", REFUSED_HEADERS)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, name):
    content, says = REFUSED_HEADERS[name]
    with pytest.raises(InputError, match=says):
        read(tmp_path, content)


def test_a_workbook_is_never_asked_to_quote_commas(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, xlsx(List=[["about"], ["x", "y", "z"], ["u", "v"]]))
    assert "comma" not in str(caught.value)


def test_a_list_of_records_under_any_name_is_read(tmp_path):
    text = '{"made": 2024, "tests": [{"date": "2024-01-05"}, {"date": "2024-01-05"}, {"date": "2024-01-19"}]}'
    assert counted(read(tmp_path, text, "table.json")[0]) == LISTED


def test_tables_of_text_are_read_alike_with_and_without_a_name_for_each_column(tmp_path):
    (tmp_path / "a.csv").write_text("a,,c\n1,2,3\n")
    table = read_table(tmp_path / "a.csv")
    assert table.columns.tolist() == ["a", "column 2", "c"]
    assert table.to_numpy().tolist() == [["1", "2", "3"]]


# --- dates ------------------------------------------------------------------------------------------------

WINDOWS = {
    "1984-09": "1984-09-01..1984-09-30",
    "1984-09-00": "1984-09-01..1984-09-30",
    "1984-00-00": "1984-01-01..1984-12-31",
    "00/09/1984": "1984-09-01..1984-09-30",
    "09/1984": "1984-09-01..1984-09-30",
    "1984": "1984-01-01..1984-12-31",
    "March 2001": "2001-03-01..2001-03-31",
    "1995 Jan": "1995-01-01..1995-01-31",
    "mid-March 2001": "2001-03-11..2001-03-20",
    "late February 2001": "2001-02-21..2001-02-28",
    "early 2001": "2001-01-01..2001-04-30",
    "2024-W01": "2024-01-01..2024-01-07",
    "Week 52, 2020": "2020-12-21..2020-12-27",
    "Q2 2024": "2024-04-01..2024-06-30",
    "2023-H2": "2023-07-01..2023-12-31",
    "10-11 October 2023": "2023-10-10..2023-10-11",
    "October 9–10, 2023": "2023-10-09..2023-10-10",
    "30 September - 2 October 2023": "2023-09-30..2023-10-02",
    "2001-04-16..2001-04-20": "2001-04-16..2001-04-20",
    "2001-11-13:2001-11-14": "2001-11-13..2001-11-14",
    "2001-11-13/2001-11-14": "2001-11-13..2001-11-14",
    "2001-10-7..2001-12?": "2001-10-07..2001-12-31",
    "2001-11-~15": "2001-11-12..2001-11-18",
    "16/03/2022 - 18/03/2022": "2022-03-16..2022-03-18",
    "10.-11.10.2023": "2023-10-10..2023-10-11",
    "1 al 3 de marzo de 2017": "2017-03-01..2017-03-03",
    "2001 March 8": "2001-03-08",
    "3 de marzo de 2017": "2017-03-03",
    "24 лютого 2022 р.": "2022-02-24",
    "24 февраля 2022 г.": "2022-02-24",
    "12. März 2020": "2020-03-12",
    "1er août 2020": "2020-08-01",
    "5 Oca 2021": "2021-01-05",
    "٣ مارس ٢٠٢٠": "2020-03-03",
    "3 تشرين الأول 2019": "2019-10-03",
    "2024年1月5日": "2024-01-05",
    "9-Feb-68": "1968-02-09",
    "31-Dec-09": "2009-12-31",
}


@pytest.mark.parametrize("text", WINDOWS)
def test_a_date_is_the_window_that_it_says(tmp_path, text):
    incidents, ledger = read(tmp_path, f'date\n"{text}"\n')
    assert counted(incidents) == {WINDOWS[text]: 1}
    assert ledger.empty


@pytest.mark.parametrize("text", ["2001-02-30..2001-03-02", "2001-04-20..2001-04-16", "2024-W60", "March", "13/1984"])
def test_what_is_no_window_is_dropped_by_name(tmp_path, text):
    incidents, ledger = read(tmp_path, f"date\n2001-01-01\n{text}\n")
    assert (len(incidents), ledger["row"].tolist(), ledger["value"].tolist()) == (1, [3], [text])


def test_a_window_that_has_begun_ends_today(tmp_path):
    now = pd.Timestamp.now()
    incidents, _ = read(tmp_path, f"date\n{now.year}\n")
    assert incidents.loc[0, "date"] == pd.Timestamp(now.year, 1, 1)
    assert incidents.loc[0, "date_end"] <= now + pd.Timedelta(days=1)
    with pytest.raises(InputError, match="lies in the future"):
        read(tmp_path, f"date\n{now.year + 1}\n")


def test_one_order_holds_for_the_ends_of_ranges(tmp_path):
    incidents, _ = read(tmp_path, "date\n03/04/2024 - 25/04/2024\n05/04/2024\n")
    assert counted(incidents) == {"2024-04-03..2024-04-25": 1, "2024-04-05": 1}
    with pytest.raises(InputError, match="may have the day or the month first"):
        read(tmp_path, "date\n03/04/2024 - 05/04/2024\n")


def test_a_name_of_two_months_is_read_as_in_the_language_of_the_others(tmp_path):
    czech, croatian = (f"date\n3 listopad 2020\n4 {month} 2020\n" for month in ("prosinec", "prosinac"))
    assert set(counted(read(tmp_path, czech)[0])) == {"2020-11-03", "2020-12-04"}
    assert set(counted(read(tmp_path, croatian)[0])) == {"2020-10-03", "2020-12-04"}
    with pytest.raises(InputError, match=r"'listopad' is month 10 in .* and 11 in "):
        read(tmp_path, "date\n3 listopad 2020\n4 listopad 2020\n")


def test_months_of_every_language_in_the_table_are_read():
    known = pd.read_csv(data_folder() / "months.csv")
    assert known["language"].nunique() > 60
    assert set(known["month"]) == set(range(1, 13))
    english = [name for name in known["name"] if name in MONTHS]
    assert all(month_number(name) == MONTHS.index(name) + 1 for name in english)
    plain = known.groupby("name")["month"].nunique().eq(1)
    for language, number, name in known[known["name"].map(plain)].itertuples(index=False):
        assert read_expressions([f"7 {name} 2020"]) == {f"7 {name} 2020": (f"2020-{number:02}-07",) * 2}, language


PARTS = {
    "of the large tables of terrorism": "iyear,imonth,iday",
    "in Spanish": "anno,mes,dia",
    "with capitals": "Year,Month,Day",
    "in German": "Jahr,Monat,Tag",
    "in Ukrainian": "рік,місяць,день",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_date_in_three_columns(tmp_path, name):
    rows = "2020,6,10\n2020,06,10\n2020,8,0\n2020,0,0\n2020,8,\n2020,unknown,3\n"
    incidents, _ = read(tmp_path, f"{PARTS[name]}\n{rows}")
    assert counted(incidents) == {"2020-06-10": 2, "2020-08-01..2020-08-31": 2, "2020-01-01..2020-12-31": 2}


def test_a_month_by_its_name_and_a_day_that_is_none(tmp_path):
    incidents, ledger = read(tmp_path, "Year,Month,Day\n2020,June,3\n2020,Feb,31\n2020,13,1\n")
    assert counted(incidents) == {"2020-06-03": 1}
    assert ledger["value"].tolist() == ["2020-02-31", "2020-13-01"]


def test_the_day_of_the_month_is_no_date_beside_a_full_one(tmp_path):
    text = "Year,Month,Day,DateTime\n2024,1,5,2024-01-05\n2024,1,5,2024-01-05\n2024,1,19,2024-01-19\n"
    incidents, _ = read(tmp_path, text)
    assert counted(incidents) == LISTED
    assert incidents.attrs["columns"].popitem()[1]["date"] == "DateTime"


# --- figures ----------------------------------------------------------------------------------------------

FIGURES = {
    "3 - 7": (3, 5, 7),
    "3–7": (3, 5, 7),
    "between 3 and 7": (3, 5, 7),
    "at least 3": (3, 3, None),
    "100+": (100, 100, None),
    "more than 3": (4, 4, None),
    "up to 7": (0, None, 7),
    "<8": (0, None, 7),
    "~20": (None, 20, None),
    "about 20": (None, 20, None),
    "1 200": (None, 1200, None),
    "1,200": (None, 1200, None),
    "1\u202f200": (None, 1200, None),
    "unknown": (None, None, None),
    "?": (None, None, None),
    "7 - 3": (None, None, None),
}


@pytest.mark.parametrize("cell", FIGURES)
def test_a_figure_that_is_not_one_number(tmp_path, cell):
    incidents, ledger = read(tmp_path, f'date,killed\n2024-01-05,"{cell}"\n')
    names = ("fatalities_low", "fatalities", "fatalities_high")
    found = tuple(None if pd.isna(incidents.loc[0, name]) else int(incidents.loc[0, name]) for name in names)
    assert found == FIGURES[cell]
    plain = cell.replace(" ", "").replace(",", "").replace("\u202f", "").isdigit() or cell in ("unknown", "?")
    assert len(ledger) == (not plain)


@pytest.mark.parametrize(
    "names",
    [
        "Minimum total people killed,Maximum total people killed",
        "min_ppl_killed,max_ppl_killed",
        "killed_low,killed_high",
    ],
)
def test_bounds_of_the_killed_and_their_middle(tmp_path, names):
    text = f"date,{names},min_civilians_killed,max_children_killed\n"
    text += "2024-01-05,3,8,0,1\n2024-01-05,8,3,0,1\n2024-01-19,4,,0,0\n"
    incidents, ledger = read(tmp_path, text)
    assert incidents["fatalities_low"].tolist() == [3, pd.NA, 4]
    assert incidents["fatalities"].tolist() == [5, pd.NA, pd.NA]
    assert incidents["fatalities_high"].tolist() == [8, pd.NA, pd.NA]
    assert set(ledger["row"]) == {3}


# --- columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "startdate,enddate,elocal",
            "2024-01-05,2024-01-06,A",
            {"date": "startdate", "date_end": "enddate", "place": "elocal"},
        ),
        ("started_at,finished_at", "2024-01-05 10:00,2024-01-05 11:00", {"date": "started_at"}),
        ("strike_id,date", "B1,2024-01-05", {"date": "date", "incident_id": "strike_id"}),
        ("uid,date", "x-1,2024-01-05", {"date": "date", "incident_id": "uid"}),
        ("id_violencia,fecha", "8,2024-01-05", {"date": "fecha", "incident_id": "id_violencia"}),
        ("date,location_precision", "2024-01-05,yes", {"date": "date", "location_precision": "location_precision"}),
        ("eventid,date,nkill", "7,2024-01-05,1", {"date": "date", "incident_id": "eventid", "fatalities": "nkill"}),
    ],
)
def test_names_of_columns_in_use(tmp_path, header, row, expected):
    other = row.replace("B1", "B2").replace("x-1", "x-2").replace("8,", "10,").replace("7,", "5,")
    incidents, _ = read(tmp_path, f"{header}\n{row}\n{other}\n")
    assert incidents.attrs["columns"].popitem()[1] == expected


def test_numbers_of_rows_are_no_ids_of_two_files(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("row_id,date\n1,2024-01-05\n2,2024-01-06\n")
    incidents, ledger = read_incidents([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert len(incidents) == 4
    assert ledger.empty


def test_two_columns_of_dates_without_a_known_name_are_named(tmp_path):
    with pytest.raises(InputError, match="'seen', 'entered' may each be the date; choose with columns="):
        read(tmp_path, "seen,entered\n2024-01-05,2024-02-05\n2024-01-06,2024-02-05\n")


def test_an_id_that_comes_twice_is_not_guessed(tmp_path):
    incidents, ledger = read(tmp_path, "strike_id,date\nB1,2024-01-05\nB1,2024-01-06\n")
    assert len(incidents) == 2
    assert ledger.empty


def test_two_columns_that_may_be_meant_are_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("date,Victims Killed,Suspects Killed\n2024-01-05,1,0\n2024-01-05,2,0\n")
    with pytest.warns(
        DataWarning, match="'Victims Killed', 'Suspects Killed' may each be the fatalities, so none is read"
    ):
        incidents, _ = read_incidents(path)
    assert incidents["fatalities"].isna().all()
    assert read_incidents(path, columns={"fatalities": "Victims Killed"})[0]["fatalities"].tolist() == [1, 2]
