"""Malformed inputs and options through the command line: one clear line, exit code 2, nothing left behind."""

import io
import os
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.cli import main

TALLY = {
    "series": "attacks",
    "count": "10",
    "qualifier": "exact",
    "low": "",
    "high": "",
    "start": "2024-01-01",
    "end": "2024-01-14",
    "as_of": "",
    "place": "ALL",
    "counter": "ministry",
    "kind": "",
    "unit": "attacks",
    "flag": "ok",
    "date_confidence": "stated",
}


def tallies(*changes: dict[str, str], drop: str = "") -> bytes:
    """A table of tallies: one good row, then one for each change to it."""
    names = [name for name in TALLY if name != drop]
    rows = [TALLY, *({**TALLY, **change} for change in changes)]
    return "".join(
        ",".join(cells) + "\n" for cells in [names, *([row[name] for name in names] for row in rows)]
    ).encode()


def incidents(*dates: str, header: str = "date", rest: str = "") -> bytes:
    return "".join(f"{line}\n" for line in [header, *(date + rest for date in dates)]).encode()


DAYS = [f"2024-0{month}-{day:02}" for month in range(1, 7) for day in (3, 12, 25)]
COUNTRIES = b"date,country,killed\n" + b"".join(f"{day},Syria,1\n{day},Iraq,0\n".encode() for day in DAYS)


def xlsx(*rows: list[object]) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(rows[1:], columns=rows[0]).to_excel(stream, index=False)
    return stream.getvalue()


def bomb() -> bytes:
    """A small archive that says it unpacks to 4 GB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100)
    raw = bytearray(stream.getvalue())
    struct.pack_into("<I", raw, raw.index(b"PK\x01\x02") + 24, 0xFFFFFFF0)  # the size in the central directory
    return bytes(raw)


@dataclass(frozen=True)
class Bad:
    """One malformed input: the file, the command, and what the line must say."""

    name: str
    says: tuple[str, ...]
    command: str = "series press.csv"
    files: dict[str, bytes | Callable[[], bytes]] = field(default_factory=dict)


def press(name: str, content: bytes | Callable[[], bytes], *says: str, command: str = "series press.csv") -> Bad:
    file = command.split()[1]
    return Bad(name, (file, *says), command, {file: content})


def row(name: str, says: str, **change: str) -> Bad:
    return press(name, tallies(change), "row 3", says)


def choice(name: str, content: bytes, *says: str) -> Bad:
    return Bad(name, says, "series press.csv", {"press.csv": content})


def option(name: str, arguments: str, *says: str) -> Bad:
    return Bad(name, says, arguments, {"press.csv": tallies({"end": "2024-02-28"}), "list.csv": COUNTRIES})


FILES = [
    press("empty file", b"", "empty"),
    press("header only", tallies().splitlines()[0], "no rows"),
    press("blank header", b",,\n1,2,3\n", "first row is blank"),
    press("column without a name", b"date,,place\n2024-01-01,x,y\n", "column 2 has no name"),
    press("tallies without a column", tallies(drop="end"), "no column end"),
    press("incidents without a date", b"place,killed\nErbil,2\n", "no column for date", "place, killed"),
    press("wrong delimiter", tallies().replace(b",", b"~"), "series~count"),
    press("Latin-1", tallies({"place": "Région"}).decode().encode("latin-1"), "not utf-8", "line 3"),
    press("UTF-16 without a mark", tallies().decode().encode("utf-16-le"), "NUL"),
    press("NUL bytes", tallies().replace(b"attacks", b"att\0cks"), "NUL"),
    press("other bytes", bytes(range(128, 256)), "not utf-8"),
    press("two columns alike", b"date,place,date\n2024-01-01,x,2024-01-02\n", "two columns called 'date'"),
    press("two columns that may be the date", b"Date,DATE\n2024-01-01,2024-01-02\n", "'Date' and 'DATE'"),
    press("a row too long", b"date,place\n2024-01-01,Erbil\n2024-01-02,Erbil, north\n", "row 3", "3 cells"),
    press("an open quote", b'date,place\n2024-01-01,"Erbil\n', "quotes"),
    press(
        "too many rows",
        lambda: tallies() + 100_000 * (tallies().splitlines(keepends=True)[1]),
        "more than 100,000 rows",
    ),
    press("spreadsheet bomb", bomb, "4,294,967,280 bytes", "500,000,000", command="series press.xlsx"),
    press("text named as a spreadsheet", tallies(), "not a readable XLSX", command="series press.xlsx"),
    press(
        "cut spreadsheet",
        lambda: xlsx(["date"], ["2024-01-01"])[:-200],
        "not a readable XLSX",
        command="series press.xlsx",
    ),
    press("spreadsheet with a header only", lambda: xlsx(["date"]), "no rows", command="series press.xlsx"),
    press("unknown ending", tallies(), "'.pdf'", command="series press.pdf"),
    Bad("missing file", ("nothing.csv", "no such file"), "series nothing.csv"),
    Bad("no such case", ("militia-attaks", "militia-attacks-2023-2024"), "series militia-attaks"),
    Bad("directory", ("folder", "is a directory"), "series folder", {"folder/press.csv": tallies()}),
    Bad("name too long", ("cannot be reached",), "series " + 300 * "a"),
    Bad("below a file", ("press.csv/more.csv", "no such file"), "series press.csv/more.csv", {"press.csv": tallies()}),
]

ROWS = [
    row("spreadsheet's day number", "45300", start="45300"),
    row("month 25", "'13/25/2024'", end="13/25/2024"),
    row("year 0025", "0025-01-01", start="0025-01-01"),
    row("30 February", "2024-02-30", end="2024-02-30"),
    row("blank start", "start is blank", start=""),
    row("window in the future", "2190-01-01", start="2190-01-01", end="2190-02-01"),
    row("window that ends in the future", "2190-02-01", end="2190-02-01"),
    row("reported before the end", "2024-01-02", as_of="2024-01-02"),
    row("end before start", "2023-12-31", end="2023-12-31"),
    row("negative count", "-4", count="-4"),
    row("fractional count", "2.5", count="2.5"),
    row("count in words", "'many'", count="many"),
    row("count too large", "9999999", count="9999999"),
    row("infinite count", "inf", count="inf"),
    row("NaN", "'NaN'", count="NaN"),
    row("count in powers of ten", "'1e3', shortened as spreadsheets do; write all its digits", count="1e3"),
    row("a range in powers of ten", "low is '5E+4', shortened", qualifier="range", count="", low="5E+4", high="60000"),
    row("count with a sign", "'+5', with a sign; write the number alone", count="+5"),
    row("count below nothing", "'-0', with a sign", count="-0"),
    row("no count", "count is blank", count=""),
    row("unknown qualifier", "'umpteen'", qualifier="umpteen"),
    row("unknown flag", "'fine'", flag="fine"),
    row("unknown kind", "'total'", kind="total"),
    row("unknown date_confidence", "'sure'", date_confidence="sure"),
    row("range without ends", "'range' needs both", qualifier="range", count=""),
    row("range upside down", "low is 9, above high 4", qualifier="range", count="", low="9", high="4"),
    row("count outside its range", "count is 10, outside", qualifier="range", low="2", high="4"),
    row("a number for a word", "'dozens'", qualifier="dozens"),
    row("half a range for a word", "only one of low and high", qualifier="dozens", count="", low="60"),
    row("a range and a count for a rate", "count is given with low and high", qualifier="weekly", low="2", high="3"),
    row("half a range for a rate", "only one of low and high", qualifier="weekly", count="", low="2"),
    row("no series", "series is blank", series=""),
    press("faulty rows are named", tallies({"count": "x"}, {"count": "y"}), "2 rows cannot", "row 3", "'x'", "row 4"),
]

UNSAMPLED = (
    *("series --end 2024-13-01", "report --start soon", "changes --start 2024-06-01 --end 2024-05-01"),
    *("series --freq Q", "series --as-of soon", "series --draws 99999999999", "report --horizon -3", "report --over 0"),
    *(
        "alarms --method nonsense",
        "forecast --save paths.csv",
        "forecast --model nonsense",
        "report -o report.txt",
        "report --figures press.csv",
    ),
    *("trend --recent 0", "trend --baseline 2024-06-01..2024-05-01", "trend --window 0", "trend --recent soon"),
    *("backtest --origins 0", "backtest --every 0", "backtest --steps 9999", "backtest --store press.csv"),
    *("backtest --store press.csv/parts", "backtest --store damaged", "backtest --baseline nonsense"),
    *("report --side A --side B", "excitation --side militia_attacks_on_us --side raids"),
    *("excitation --side A --side B --lags 53", "retaliation --side militia_attacks_on_us --side raids"),
    *("flashpoint --preset views-25", "flashpoint --preset acled-25 --freq M", "flashpoint --what-if nonsense"),
)
"""What is refused before anything is sampled."""
CHOICES = [
    press("two series", tallies({"series": "raids"}), "attacks, raids"),
    choice("two counters", tallies({"counter": "press"}), "counter", "ministry, press"),
    choice("two units", tallies({"unit": "rockets"}), "unit", "attacks, rockets"),
    choice("every row flagged", tallies().replace(b"ok", b"stale"), "flag stale"),
    choice("centuries", tallies({"start": "1900-01-01"}), "20,000", "1900-01-01"),
    option("unknown series", "series press.csv --series raids", "'raids'", "attacks"),
    option("unknown counter", "series press.csv --counter press", "'press'", "ministry"),
    option("unknown place", "series list.csv --place Iraq", "place"),
    option("unknown unit", "series press.csv --unit rockets", "'rockets'", "attacks"),
    option("unknown place of a case", "series november-2024-article --place Mars", "'Mars'"),
    option("start after end", "series press.csv --start 2024-02-01 --end 2024-01-02", "2024-01-02", "before start"),
    option("start after end of incidents", "series list.csv --start 2024-02-01 --end 2024-01-02", "2024-01-02"),
    option("no tally in the window", "series press.csv --start 2019-01-01 --end 2019-02-01", "begins after the end"),
    option("start in words", "series press.csv --start yesterday", "start", "'yesterday'"),
    option("end in month 13", "series list.csv --end 2024-13-01", "end", "'2024-13-01'"),
    option("quarters", "series press.csv --freq Q", "'Q'", "W-SUN"),
    option("quarters of incidents", "series list.csv --freq Q", "'Q'", "W-SUN"),
    option("by without series", "series list.csv --by country", "by", "series"),
    option("series without by", "series list.csv --series Syria", "by", "series"),
    option("by an unknown column", "series list.csv --by nation --series Syria", "'nation'", "country"),
    option("no such value of by", "series list.csv --by country --series Yemen", "'Yemen'", "Syria"),
    option("by with tallies", "series press.csv --by country --series attacks", "by, measure", "tallies"),
    option("measure with tallies", "series press.csv --measure fatalities", "by, measure", "tallies"),
    option("coverage with tallies", "series press.csv --coverage units", "coverage", "tallies"),
    option("coverage without a file", "series list.csv --coverage nothing.csv", "nothing.csv: no such file"),
    option("sheet of a text file", "series list.csv --sheet One", "is no workbook", "'One'"),
    option("a file named twice", "series list.csv list.csv", "list.csv"),
    option("nothing printed so early", "series --as-of 2020-01-01", "2020-01-01", "later as_of"),
    option("counter with incidents", "series list.csv --counter ministry", "counter", "incidents"),
    option("column map with tallies", "series press.csv --column date=start", "column map", "press.csv"),
    option("column map with a case", "series --column date=start", "column map", "is a case"),
    option("encoding with a case", "series november-2024-article --encoding cp1252", "november-2024-article"),
    option("column map without a name", "series list.csv --column date=", "'date='", "target=name"),
    option("column map without a mark", "series list.csv --column date", "'date'", "target=name"),
    option("column map twice", "series list.csv --column date=a --column date=b", "'a'", "'b'"),
    option("column map to a missing column", "series list.csv --column date=Datum", "'Datum'", "date, country"),
    option("column map from an unknown one", "series list.csv --column fatality=killed", "'fatality'", "fatalities"),
    option("unknown encoding", "series list.csv --encoding klingon", "'klingon'"),
    press("wrong encoding", "date\n2024-01-01é\n".encode(), "not ascii", command="series press.csv --encoding ascii"),
    option("unknown layout", "series list.csv --layout gtd", "--layout", "gtd"),
    option("layout that does not fit", "series list.csv --layout acled", "ACLED", "event_date"),
    option("tallies' layout that does not fit", "series list.csv --layout tallies", "list.csv", "series, count"),
    option("unknown measure", "series list.csv --measure tanks", "--measure", "tanks"),
]

INCIDENTS = [
    press("no usable date", incidents("yesterday", "0025-01-01"), "none of its 2 rows", "'yesterday'"),
    press("month 13 in a list", incidents("2024-13-01"), "2024-13-01"),
    press("future incidents", incidents("2190-01-01"), "2190-01-01", "future"),
    press("day or month first", incidents("03/04/2024", "05/06/2024"), "03/04/2024", "row 2"),
    press("day and month first", incidents("25/04/2024", "04/25/2024"), "25/04/2024", "04/25/2024"),
    press("end before date", incidents("2024-01-05,2024-01-01", header="date,date_end"), "2024-01-01", "before"),
]

QUESTIONS = [
    option("horizon 0", "forecast list.csv --horizon 0", "'--horizon': '0' is no whole number from 1"),
    option("horizon 100000", "forecast list.csv --horizon 100000", "horizon is 100000", "5,000"),
    option("horizon below 0", "report list.csv --horizon -3", "--horizon", "'-3'"),
    option("horizon in words", "forecast list.csv --horizon soon", "--horizon", "soon"),
    option("at least 0", "flashpoint list.csv --at-least 0", "'--at-least': '0' is no whole number from 1"),
    option("at least 2.5", "flashpoint list.csv --at-least 2.5", "--at-least", "2.5"),
    option("over 0", "report list.csv --over 0", "'--over': '0' is no whole number from 1"),
    option("over more than there is", "flashpoint list.csv --freq D --over 5000", "5000"),
    option("within 0", "flashpoint list.csv --within 0", "'--within': '0' is no whole number from 1"),
    option("within beyond the horizon", "report list.csv --horizon 4 --within 9", "within is 9", "horizon of 4"),
    option("unknown model", "forecast list.csv --model arima", "'arima'", "local_level"),
    option("seed below 0", "report list.csv --seed -1", "--seed", "-1"),
    option("seed in words", "series list.csv --seed lucky", "--seed", "lucky"),
    Bad(
        "too few periods",
        ("2 months", "at least 4"),
        "forecast press.csv --freq M",
        {"press.csv": incidents("2024-05-01", "2024-06-30")},
    ),
    option("unknown format", "series list.csv --format xml", "--format", "xml"),
    option("unknown command", "predict list.csv", "predict"),
    option("unknown option", "series list.csv --draw 5", "--draw"),
    option("option without a value", "series list.csv --series", "--series"),
    option("two sources", "series list.csv press.csv", "press.csv"),
]

OUTPUTS = [
    option("output is a directory", "forecast --format csv -o .", "is a directory"),
    option("output in a missing directory", "report -o nowhere/report.pdf", "nowhere", "does not exist"),
    option("output that cannot be written", "report -o /proc/report.pdf", "/proc/report.pdf", "cannot be written"),
    option("output below a file", "report -o press.csv/report.pdf", "press.csv/report.pdf", "does not exist"),
    option("output is a device", "forecast --format csv -o /dev/null", "/dev/null", "device"),
    option("report that is neither PDF nor JSON", "report -o report.txt", "report.txt", ".pdf, .html or .json"),
    option("output of a table in a missing directory", "forecast -o nowhere/f.csv", "nowhere", "does not exist"),
    option("output without a format", "series list.csv -o table.txt", "'table.txt'", "--format"),
    option("output of a screen's table", "series list.csv -o table.csv --format table", "'table.csv'", "--format"),
    option("output over the source", "series list.csv -o ./list.csv", "'./list.csv'", "SOURCE"),
    option("output over the source by another way", "series list.csv -o ../{folder}/list.csv", "list.csv", "SOURCE"),
    option("ledger over the output", "series list.csv -o a.csv --ledger a.csv", "'a.csv'", "--output"),
    option("ledger in a missing directory", "series list.csv --ledger nowhere/l.csv", "nowhere", "does not exist"),
    option("list of cases in a missing directory", "cases -o nowhere/c.json", "nowhere", "does not exist"),
]

HALF = "--start 2024-01-01 --end 2024-06-30"  # whole weeks

WATCHED = [
    option("a window in words", "trend list.csv --recent lately", "--recent is 'lately'", "first..last day"),
    option("a window of nothing", f"trend list.csv {HALF} --recent 0", "recent is 0"),
    option(
        "a window that ends before it begins",
        f"trend list.csv {HALF} --window 2024-05-01..2024-02-01",
        "holds no period",
    ),
    option("a window without a date", "trend list.csv --baseline 2024-99-01..2024-02-01", "2024-99-01"),
    option("windows that overlap", f"trend list.csv {HALF} --recent 8 --baseline 2024-05-01..2024-06-30", "overlap"),
    option("too little for changes", "changes list.csv --freq M --end 2024-06-30", "no changes", "6 observed months"),
    option("too little for alarms", "alarms list.csv --freq M --end 2024-06-30", "no alarms", "6 observed months"),
    option(
        "severity of fatalities", f"severity list.csv {HALF} --measure fatalities", "no severity", "count incidents"
    ),
    option("too short for a trend", "trend press.csv --freq M", "an assessment needs at least 4"),
    option("one side", "excitation list.csv --by country --side Syria", "the sides are Syria", "two different ones"),
    option("one side of a report", "report list.csv --side Syria", "the sides are Syria", "two different ones"),
    option("an unknown model of regimes", "report list.csv --regimes three", "'three'"),
    option("sides of no column", "report list.csv --side A --side B", "--side names values", "--by actor"),
    option("a side of no column", "excitation list.csv --side A --side B", "--side names values of a column"),
    option("no side", "excitation list.csv --by country", "the sides are nothing"),
    option("a side twice", "excitation list.csv --by country --side Iraq --side Iraq", "the sides are Iraq and Iraq"),
    option("a side that is not there", f"excitation list.csv {HALF} --by country --side Iraq --side Oman", "'Oman'"),
    option("sides too short", f"excitation list.csv {HALF} --by country --side Iraq --side Syria", "needs 30"),
    option("a side of four parts", "excitation press.csv --side a/b/c/d --side e", "series/counter/unit"),
    option(
        "an unclear assumption", "flashpoint list.csv --what-if peace", "--what-if is 'peace'", "'ceasefire from DATE'"
    ),
]

BAD = [*FILES, *ROWS, *CHOICES, *INCIDENTS, *QUESTIONS, *OUTPUTS, *WATCHED]


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in BAD])
def test_bad_input_is_one_clear_line_and_leaves_nothing_behind(bad, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, content in bad.files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    code = main(bad.command.format(folder=tmp_path.name).split())
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.endswith("\n")
    *said, line = err.splitlines()
    assert all(one.startswith("warning: Data quality of ") for one in said[:1])
    assert all(one.startswith("warning: ") for one in said)
    assert line.startswith("error: ")
    assert len(line) < 600
    for part in bad.says:
        assert part in line
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("rate from 2024-07-01", "'rate x2 from DATE'"),
        ("ceasefire from tomorrow", "tomorrow"),
        ("rate x0 from 2024-07-01", "give what the rate is multiplied by"),
        ("ceasefire from 2023-01-01", "outside the forecast from"),
        ("rate x2 from 2024-07-01 until 2024-06-30", "before it begins"),
        ("ceasefire from 2024-07-01 and peace", "'peace'"),
        ("rate x2 from 2024-07-01 for 0", "'for N' periods"),
        ("99999 attacks on 2024-07-01", "paths have the event"),
        ("2 lethal attacks on 2024-07-01", "'lethal attack on DATE'"),
        ("attack that kills 90000000 on 2024-07-01", "assume fewer killed"),
    ],
)
def test_an_assumption_that_cannot_be_made_is_one_clear_line(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_bytes(COUNTRIES)
    assert main(["flashpoint", "list.csv", *HALF.split(), "--what-if", words]) == 2
    out, err = capsys.readouterr()
    *said, line = err.splitlines()
    assert out == "" and line.startswith("error: ") and says in line and "this is a bug" not in err
    assert all(one.startswith("warning: Data quality of ") for one in said)


@pytest.mark.parametrize("command", UNSAMPLED)
def test_options_are_checked_before_anything_is_sampled(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(escalation.tallies.reconstruct, "sample_posterior", lambda *_: pytest.fail("sampled"))
    Path("press.csv").write_bytes(tallies())
    Path("damaged").mkdir()
    Path("damaged/backtest.json").write_text("{")
    assert main(command.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith("error: ")) == ("", 1, True)
    assert any(word.strip("-") in err for word in command.split()[1:])


@pytest.mark.parametrize(("given", "says"), [("-3", "from 1;"), ("0", "from 1;"), ("1e3", "'1e3'"), ("+5", "'+5'")])
def test_an_option_that_is_no_number_says_from_where_on(given, says, capsys):
    assert main(["forecast", "--horizon", given]) == 2
    assert says in capsys.readouterr().err
    assert main(["forecast", "--seed", "-0"]) == 2
    assert "'-0' is no whole number from 0" in capsys.readouterr().err


def test_there_are_enough_of_them_and_no_two_alike():
    assert len(BAD) >= 60
    assert len({bad.name for bad in BAD}) == len(BAD)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_as_source_is_refused_and_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.csv")
    assert main(["series", str(tmp_path / "pipe.csv")]) == 2
    assert "is not a regular file" in capsys.readouterr().err


def test_a_line_break_in_a_name_gives_one_line_still(tmp_path, capsys):
    assert main(["series", str(tmp_path / "two\nlines\x1b[2J.csv")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "two\\nlines\\x1b[2J.csv" in err


# --- what looks bad and is not ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(encoding, tmp_path, capsys):
    text = "date,place\n" + "".join(f"{day},Région\n" for day in DAYS)
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    assert main(["series", str(tmp_path / "list.csv"), "--freq", "M", "--format", "csv"]) == 0
    counts = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert counts["count"].tolist() == [3] * 6


def test_latin_1_is_read_when_named(tmp_path, capsys):
    (tmp_path / "list.csv").write_bytes(b"date,place\n2024-01-01,R\xe9gion\n")
    assert main(["series", str(tmp_path / "list.csv"), "--encoding", "latin-1"]) == 0


def test_the_order_of_dates_can_be_told(tmp_path, capsys):
    (tmp_path / "list.csv").write_bytes(incidents("03/04/2024", "05/06/2024"))
    assert main(["series", str(tmp_path / "list.csv"), "--freq", "M", "--date-order", "month-first"]) == 0
    assert "2024-03" in capsys.readouterr().out


def test_rows_that_the_reader_changed_are_told_and_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_bytes(incidents(*DAYS, "31/02/2024", "=cmd()"))
    command = ["series", "list.csv", "--end", max(DAYS), "--ledger", "ledger.csv", "--format", "csv"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert pd.read_csv(io.StringIO(out))["count"].sum() == len(DAYS)
    assert "warning: list.csv: 2 dropped (row 20, date '31/02/2024':" in err
    ledger = pd.read_csv("ledger.csv")
    assert ledger["row"].tolist() == [20, 21]
    assert ledger["value"].tolist() == ["31/02/2024", "'=cmd()"]  # made safe for spreadsheets
