"""Tables as people write them: each look-alike gives the counts that were put into it, or is refused by name."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from escalation.cli.running import main
from escalation.errors import DataWarning, InputError
from escalation.files.bundled import data_folder
from escalation.files.ledger import rows_lost
from escalation.files.read import read_table
from escalation.incidents.formats.date_expressions import MONTHS, month_number, read_expressions
from escalation.incidents.formats.read import read_incidents

pytestmark = pytest.mark.filterwarnings("ignore::escalation.errors.DataWarning")

DAYS = [f"2024-01-{day:02}" for day in range(1, 13)]
SOME = [2, 0, 1, 0, 0, 3, 1, 0, 4, 2, 0, 1]
TOTALS = [int(total) for total in np.cumsum(SOME) + 100]
RISEN = {day: number for day, number in zip(DAYS[1:], SOME[1:], strict=True) if number}
COUNTED = {day: number for day, number in zip(DAYS, SOME, strict=True) if number}


def lines(header, *columns, sign=","):
    """A text table of columns."""
    rows = ["" if header is None else header, *(sign.join(map(str, row)) for row in zip(*columns, strict=True))]
    return "\n".join(rows) + "\n"


def xlsx(**sheets):
    """A workbook of sheets, each a list of rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(folder, content, name="", **options):
    path = folder / (name or ("table.xlsx" if isinstance(content, bytes) and content[:2] == b"PK" else "table.csv"))
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_incidents(path, **options)


def counted(incidents):
    """Counts by window, a day as its date and a longer one as ``first..last``."""
    numbers = incidents["events"] if "events" in incidents else [1] * len(incidents)
    found = Counter()
    for first, last, number in zip(incidents["date"], incidents["date_end"], numbers, strict=True):
        found[f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d}..{last:%Y-%m-%d}"] += int(number)
    return {window: number for window, number in found.items() if number}


def panel(values_of):
    """Rows of two units and all days."""
    rows = [(day, unit, value) for unit in ("north", "south") for day, value in zip(DAYS, values_of(unit), strict=True)]
    return list(zip(*rows, strict=True))


TWICE = {day: 2 * number for day, number in COUNTED.items()}
LIST = ["2024-01-05", "2024-01-05", "2024-01-19"]
LISTED = {"2024-01-05": 2, "2024-01-19": 1}


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


# --- what a row is ----------------------------------------------------------------------------------------

WEEKS = [f"2024-01-{day:02}" for day in (1, 8, 15, 22, 29)]
ROWS = {
    "counts of days": (lines("date,attacks", DAYS, SOME), {}, COUNTED),
    "counts of days in Spanish": (lines("fecha,ataques", DAYS, SOME), {}, COUNTED),
    "counts of days in Ukrainian": (lines("дата,кількість", DAYS, SOME), {}, COUNTED),
    "counts of days with an index": (lines(",date,launches", range(12), DAYS, SOME), {}, COUNTED),
    "counts of the killed": (lines("date,killed", DAYS, SOME), {}, COUNTED),
    "counts of two regions": (lines("date,oblast,alarms", *panel(lambda _: SOME)), {}, TWICE),
    "counts of months": (
        lines("month,attacks", ["2024-01", "2024-02", "2024-03", "2024-04"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of months by their first days": (
        lines("date,attacks", ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of months by their last days": (
        lines("date,attacks", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], [3, 0, 2, 5]),
        {},
        {"2024-01-01..2024-01-31": 3, "2024-03-01..2024-03-31": 2, "2024-04-01..2024-04-30": 5},
    ),
    "counts of weeks by their first days": (
        lines("week_start_date,attacks", WEEKS, [1, 0, 2, 0, 0]),
        {},
        {"2024-01-01..2024-01-07": 1, "2024-01-15..2024-01-21": 2},
    ),
    "counts of weeks by their last days": (
        lines("week_ending_date,attacks", WEEKS, [1, 0, 2, 0, 0]),
        {},
        {"2023-12-26..2024-01-01": 1, "2024-01-09..2024-01-15": 2},
    ),
    "a column that is named": (lines("date,x", LIST, [5, 1, 0]), {"events": "x"}, {"2024-01-05": 6}),
    "a column of the map": (lines("date,x", LIST, [5, 1, 0]), {"columns": {"events": "x"}}, {"2024-01-05": 6}),
    "running totals": (lines("date,attacks_cum", DAYS, TOTALS), {}, RISEN),
    "running totals in Russian": (lines("дата,всего", DAYS, TOTALS), {}, RISEN),
    "running totals of the killed": (lines("date,total_killed", DAYS, TOTALS), {}, RISEN),
    "running totals that are named": (lines("date,personnel", DAYS, TOTALS), {"cumulative": "personnel"}, RISEN),
    "running totals of two regions": (
        lines("date,oblast,cumulative", *panel(lambda unit: [total + len(unit) for total in TOTALS])),
        {},
        {day: 2 * number for day, number in RISEN.items()},
    ),
    "running totals with bulletins missing": (
        lines("date,cumulative_attacks", ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"], [3, 4, 9, 9]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-05": 5},
    ),
    "running totals with blank bulletins": (
        lines("date,cumulative_attacks", ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"], [3, 4, "", 9]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-06": 5},
    ),
    "running totals carried forward": (
        lines("date,cumulative_attacks,fill", DAYS[:5], [3, 4, 4, 4, 9], [0, 0, 1, 1, 0]),
        {},
        {"2024-01-02": 1, "2024-01-03..2024-01-05": 5},
    ),
    "running totals, the newest first": (lines("date,attacks_cum", DAYS[::-1], TOTALS[::-1]), {}, RISEN),
    "running totals beside the count of each day": (
        lines("date,attacks,attacks_total", DAYS, SOME, TOTALS),
        {},
        COUNTED,
    ),
    "running totals with separators": (
        lines("date,attacks_cum", DAYS[:4], ["1 000", "1 002", "1 002", "1 010"]),
        {},
        {"2024-01-02": 2, "2024-01-04": 8},
    ),
    "changes with corrections": (
        lines("date,country,value", ["2024-01-05", "2024-01-05", "2024-01-06", "2024-01-07"], "AABA", [3, 1, 2, -1]),
        {},
        {"2024-01-05": 3, "2024-01-06": 2},
    ),
    "changes corrected on the same day": (
        lines("date,state,change", ["2024-01-05", "2024-01-06", "2024-01-06"], "AAA", [3, -2, 4]),
        {},
        {"2024-01-05": 3, "2024-01-06": 2},
    ),
    "a column for each day": (
        lines("place,2024-01-01,2024-01-02,2024-01-03,2024-01-04", "AB", [1, 0], [0, 0], [2, 1], [0, 4]),
        {},
        {"2024-01-01": 1, "2024-01-03": 3, "2024-01-04": 4},
    ),
    "a column for each month": (
        lines("place,Jan 2024,Feb 2024,Mar 2024", "AB", [1, 3], [0, 0], [2, 1]),
        {},
        {"2024-01-01..2024-01-31": 4, "2024-03-01..2024-03-31": 3},
    ),
    "a column for each day of running totals": (
        lines("place,1/12/24,1/13/24,1/14/24", "AB", [1, 3], [1, 4], [2, 6]),
        {"cumulative": "value"},
        {"2024-01-13": 1, "2024-01-14": 3},
    ),
    "a list with a rising id": (lines("date,id,killed", LIST, [7, 9, 14], [0, 1, 2]), {}, LISTED),
    "a list with a year": (lines("date,year,killed", LIST, [2024] * 3, [0, 1, 2]), {}, LISTED),
    "a list with one row on some days": (
        lines(
            "date,case,killed",
            [f"2024-{month:02}-{2 * month + 3:02}" for month in range(1, 13)],
            range(40, 76, 3),
            SOME,
        ),
        {},
        {f"2024-{month:02}-{2 * month + 3:02}": 1 for month in range(1, 13)},
    ),
    "a list that its layout is said of": (
        lines("date,attacks", DAYS, SOME),
        {"layout": "plain"},
        dict.fromkeys(DAYS, 1),
    ),
    "a list with codes below 0": (lines("date,ndeath,nperps", LIST, [1, 0, 2], [-99, 4, -9]), {}, LISTED),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_taken_for_what_it_is(tmp_path, name):
    content, options, expected = ROWS[name]
    incidents, _ = read(tmp_path, content, **options)
    assert counted(incidents) == expected


REFUSED_ROWS = {
    "totals without a name": (
        lines("date,personnel", DAYS, TOTALS),
        {},
        "'personnel' only rises, as running totals do; give --cumulative 'personnel'",
    ),
    "a name without a shape": (
        lines("date,attacks_cum", LIST, [1, 3, 7]),
        {},
        "'attacks_cum' says running total, but its dates repeat",
    ),
    "counts without a name": (
        lines("date,x", DAYS, SOME),
        {},
        "has just one row a day, so a row may be no incident; give --events",
    ),
    "a name of a count without a shape": (
        lines("date,place,incidents", LIST, "ABC", [3, 1, 2]),
        {},
        "'incidents' says that a row stands for so many",
    ),
    "two counts": (
        lines("date,launched,intercepted", DAYS, SOME, SOME),
        {},
        "'launched', 'intercepted' may each be the count; choose with --events",
    ),
    "totals that fall": (
        lines("date,attacks_cum", DAYS[:4], [5, 9, 2, 4]),
        {},
        r"falls from 9 to 2 on 2024-01-03 \(row 4; 1 in all\)",
    ),
    "two totals of one day": (
        lines("date,t", ["2024-01-01"] * 2, [5, 9]),
        {"cumulative": "t"},
        "two running totals 't' of 2024-01-01",
    ),
    "one total": (lines("date,t", ["2024-01-01"], [5]), {"cumulative": "t"}, "so no count between two"),
    "wide totals": (
        lines("place,1/12/24,1/13/24,1/14/24", "AB", [1, 3], [1, 4], [2, 6]),
        {},
        "give --cumulative value",
    ),
    "wide texts": (lines("place,1/12/24,1/13/24,1/14/24", "AB", "xy", "xy", "xy"), {}, "are no whole numbers"),
    "wide dates without an order": (
        lines("place,1/2/24,1/3/24,1/4/24", "AB", [1, 3], [1, 4], [2, 1]),
        {},
        "may have the day or the month first",
    ),
    "changes that sum to less than 0": (
        lines("date,value", LIST, [1, -3, 1]),
        {"events": "value"},
        "sum to -1, which is no count",
    ),
    "changes without a name": (lines("date,u", LIST, [1, -3, 4]), {}, "'u' holds numbers below 0"),
    "two columns of counts": (
        lines("date,u", LIST, [1, 3, 4]),
        {"events": "u", "cumulative": "u"},
        "are both given as what is counted",
    ),
    "a column that is not there": (
        lines("date,u", LIST, [1, 3, 4]),
        {"cumulative": "v"},
        "has no column 'v' for events",
    ),
}


@pytest.mark.parametrize("name", REFUSED_ROWS)
def test_what_only_the_name_or_the_shape_says_is_refused_with_the_option(tmp_path, name):
    content, options, says = REFUSED_ROWS[name]
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, content, **options)
    assert "\n" not in str(caught.value)


def test_running_totals_of_a_known_kind_of_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="goes with own tables, and this is ACLED"):
        read(tmp_path, "event_id_cnty,event_date,time_precision\nA1,2024-11-12,1\n", cumulative="time_precision")


def test_a_chosen_count_that_only_rises_is_doubted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines("date,personnel", DAYS, TOTALS))
    with pytest.warns(DataWarning, match="'personnel' only rises; if it is a running total, give --cumulative"):
        incidents, _ = read_incidents(path, events="personnel")
    assert incidents["events"].sum() == sum(TOTALS)


def test_netting_keeps_the_sums_of_units_and_of_the_whole(tmp_path):
    rng = np.random.default_rng(3)
    rows = [
        (f"2024-01-{rng.integers(1, 29):02}", str(rng.choice(["A", "B"])), int(rng.integers(-1, 4))) for _ in range(80)
    ]
    rows += [("2024-01-15", unit, 9) for unit in "AB"]
    incidents, ledger = read(tmp_path, lines("date,country,value", *zip(*rows, strict=True)))
    assert (incidents["events"] >= 0).all()
    for unit in "AB":
        assert incidents.loc[incidents["country"] == unit, "events"].sum() == sum(n for _, u, n in rows if u == unit)
    assert set(ledger["action"]) == {"changed"}


def test_what_a_row_was_taken_for_is_kept_and_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines("date,attacks,wounded", DAYS, SOME, [1, 2] * 6))
    with pytest.warns(
        DataWarning, match="a row was taken for the count 'attacks' of a day, not for an incident: 12 rows"
    ):
        incidents, _ = read_incidents(path)
    assert incidents.attrs["rows"] == {str(path): "the count 'attacks' of a day"}
    assert incidents.attrs["unused"] == {str(path): {"wounded": 12}}


def test_a_list_and_a_table_of_counts_are_read_together(tmp_path):
    (tmp_path / "a.csv").write_text(lines("date,attacks", DAYS, SOME))
    (tmp_path / "b.csv").write_text(lines("date,place", ["2024-02-05", "2024-02-05"], "AB"))
    incidents, _ = read_incidents([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert counted(incidents) == COUNTED | {"2024-02-05": 2}


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
        ("date,location_precision", "2024-01-05,yes", {"date": "date"}),
        ("eventid,date,nkill", "7,2024-01-05,1", {"date": "date", "incident_id": "eventid", "fatalities": "nkill"}),
    ],
)
def test_names_of_columns_in_use(tmp_path, header, row, expected):
    other = row.replace("B1", "B2").replace("x-1", "x-2").replace("8,", "9,").replace("7,", "6,")
    incidents, _ = read(tmp_path, f"{header}\n{row}\n{other}\n")
    assert incidents.attrs["columns"].popitem()[1] == expected


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


# --- on the command line ----------------------------------------------------------------------------------


def run(folder, text, *words, capsys):
    path = folder / "table.csv"
    path.write_text(text)
    code = main(["read", str(path), *words])
    out, err = capsys.readouterr()
    return code, " ".join(out.split()), err


def test_the_first_line_says_what_a_row_was_taken_for(tmp_path, capsys):
    code, out, _ = run(tmp_path, lines("date,raids,place", LIST, [4, 1, 2], "ABC"), capsys=capsys)
    assert code == 0
    assert "3 incidents out of 3 rows; a row was taken for an incident." in out
    assert "that nothing is read from, with their filled cells: 'raids' (3); where one says" in out
    code, out, _ = run(tmp_path, lines("date,raids,place", LIST, [4, 1, 2], "ABC"), "--events", "raids", capsys=capsys)
    assert "3 rows that stand for 7 out of 3 rows; a row was taken for the count 'raids'" in out


def test_running_totals_by_command(tmp_path, capsys):
    text = lines("date,personnel", DAYS, TOTALS)
    code, _, err = run(tmp_path, text, capsys=capsys)
    assert code == 2
    assert "give --cumulative 'personnel'" in err
    code, out, _ = run(tmp_path, text, "--cumulative", "personnel", capsys=capsys)
    assert code == 0
    assert f"11 rows that stand for {sum(RISEN.values())} out of 12 rows; a row was taken for the running total" in out


@pytest.mark.parametrize("source", ["", "article.txt", "tallies.csv"])
def test_columns_of_counts_go_with_tables(tmp_path, capsys, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "article.txt").write_text("Two attacks were reported on 5 January 2024.\n")
    (tmp_path / "tallies.csv").write_text("series,count,qualifier,start,end\nx,1,exact,2024-01-01,2024-01-02\n")
    code = main(["read", *([source] if source else []), "--events", "x"])
    assert code == 2
    assert "columns of counts" in capsys.readouterr().err


def test_tables_of_text_are_read_alike_with_and_without_a_name_for_each_column(tmp_path):
    (tmp_path / "a.csv").write_text("a,,c\n1,2,3\n")
    table = read_table(tmp_path / "a.csv")
    assert table.columns.tolist() == ["a", "column 2", "c"]
    assert table.to_numpy().tolist() == [["1", "2", "3"]]
