"""The border to the file system: what comes in is a table or one line of error; what goes out is whole or absent."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.chart import BarChart

from escalation.errors import FileError, InputError
from escalation.files import archives, text_tables, unfinished, well_formed
from escalation.files import disk as files
from escalation.files.disk import (
    FORMULA_STARTS,
    atomic_write,
    check_target,
    safe_cells,
    table_text,
)
from escalation.files.read import read_table
from escalation.files.repeats import as_texts
from escalation.files.rows import to_frame


def write(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names(folder):
    return [path.name for path in folder.iterdir()]


def workbook(folder, rows, name="book.xlsx"):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def repack(path, **changes):
    """Rewrite parts of a workbook; the names have dots and slashes written as two and three underscores."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        full = name.replace("___", "/").replace("__", ".")
        parts[full] = change(parts[full])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


# --- text tables ------------------------------------------------------------------------------------------


def test_cells_are_text_and_the_index_is_the_row_of_a_spreadsheet(tmp_path):
    table = read_table(write(tmp_path, " a ,b\n1, x \n\n007,NA\n"))
    assert table.columns.tolist() == ["a", "b"]
    assert table.index.tolist() == [2, 4]
    assert table.to_numpy().tolist() == [["1", "x"], ["007", "NA"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path, newline):
    table = read_table(write(tmp_path, newline.join(["a;b", "1;2", "3;4", ""])))
    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("a,b", "1,2;3"),
        ("a;b", "1;2,3"),
        ("a\tb", "1\t2,3"),
        ("a|b", "1|2,3"),
        ('"a, or x, or y";b', '1;"2,3"'),
        ('"first\nline, and",b', "1,2;3"),
    ],
)
def test_the_header_tells_the_delimiter(tmp_path, header, row):
    assert read_table(write(tmp_path, f"{header}\n{row}\n")).shape == (1, 2)


def test_one_column_needs_no_delimiter(tmp_path):
    assert read_table(write(tmp_path, "date\n2024-11-12\n")).to_numpy().tolist() == [["2024-11-12"]]


def test_rows_that_end_early_are_filled_and_spare_delimiters_are_dropped(tmp_path):
    table = read_table(write(tmp_path, "a,b,c,,\n1\n1,2,3,,,\n"))
    assert table.to_numpy().tolist() == [["1", "", ""], ["1", "2", "3"]]


def test_rows_of_blanks_are_left_out(tmp_path):
    assert read_table(write(tmp_path, "a,b\n ,\t\n1,2\n , \n,,,\n")).index.tolist() == [3]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("date,ort\n1,Gaó\n".encode(), None),
        ("date,ort\n1,Gaó\n".encode("utf-8-sig"), None),
        ("date,ort\n1,Gaó\n".encode("utf-16"), None),
        ("\ufeffdate,ort\n1,Gaó\n".encode("utf-16-be"), None),
        ("date,ort\n1,Gaó\n".encode("utf-16-le"), "utf-16-le"),
        ("date,ort\n1,Gaó\n".encode("latin-1"), "latin-1"),
        ("date,ort\n1,Gaó\n".encode("utf-8-sig"), "utf-8"),
        ("\ufeffdate,ort\n1,Gaó\n".encode("utf-16-le"), "utf-16-le"),
    ],
)
def test_encodings_and_marks(tmp_path, content, encoding):
    table = read_table(write(tmp_path, content), encoding=encoding)
    assert table.columns.tolist() == ["date", "ort"]
    assert table.to_numpy().tolist() == [["1", "Gaó"]]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", r"is empty \(0 bytes\); export it again"),
        ("a,b\n", "has a header but no rows; nothing to read"),
        ("a,b\n\n , \n", "has a header but no rows"),
        ("\ufeff", "its first row is blank; the first row must name the columns"),
        ("\n1,2\n", "has a header but no rows"),
        ("a,b, a\n1,2,3\n", "has two columns called 'a'; rename one"),
        ("a,b\n1,2\n1,2,3\n", "row 3 has 3 cells for 2 columns; quote its commas"),
        ("Title\n2,b\n1,2\n", "row 2 has 2 cells for 1 columns"),
        ('a,b\n1,"open\n2,3\n', r"cannot be split near line 3 \(unexpected end of data\); check its quotes"),
        ('a,b\n1,"x" y\n', "cannot be split near line 2"),
        ('a,b\n"x" y,' + "x" * 200_000, "cannot be split near line 2"),
        ('"x" y' + "x" * 200_000 + "\n1", "cannot be split near line 1"),
        (b"a,b\n1,\0\n", "holds NUL characters, so it is no text table"),
        ("a,b\n1,2\n".encode("utf-16-le"), "holds NUL characters"),
        (b"PK\x03\x04\0\0", "holds NUL characters"),
        (
            "a,b\n1,x\n2,Gaó\n".encode("latin-1"),
            r"byte 12 \(line 3\) is not utf-8; save it as UTF-8 or name its encoding: --encoding cp1252 .* reads 'Gaó'",
        ),
        ("a,b\n1,2\n".encode("utf-16")[:-1], r"is not utf-16; save it"),
    ],
)
def test_text_that_is_no_table(tmp_path, content, match):
    with pytest.raises(InputError, match=match) as caught:
        read_table(write(tmp_path, content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "base64", "undefined", "punycode", "a\0b"])
def test_unknown_encodings(tmp_path, encoding):
    with pytest.raises(InputError, match=r"encoding .* is not known; try utf-8, utf-16, cp1252 or latin-1"):
        read_table(write(tmp_path, "a,b\n1,2\n"), encoding=encoding)


@pytest.mark.parametrize("name", ["table.xls", "table.pdf", "table", "table.csv.bz2"])
def test_other_kinds_of_file(tmp_path, name):
    with pytest.raises(InputError, match=r"cannot read files that end in .*; use .csv, .tsv or .xlsx"):
        read_table(write(tmp_path, "a,b\n1,2\n", name))


def test_too_many_rows(tmp_path):
    path = write(tmp_path, "a\n1\n2\n\n3\n")
    assert len(read_table(path, max_rows=3)) == 3
    with pytest.raises(
        InputError,
        match=r"has more than 2 rows, which is the limit; split it, or .* by escalation.incidents.count_in_database",
    ):
        read_table(path, max_rows=2)


def test_too_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 5)
    with pytest.raises(InputError, match="has 8 bytes; 5 is the limit, split it"):
        read_table(write(tmp_path, "a,b\n1,2\n"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=120))
def test_any_bytes_are_a_table_or_one_line_of_error(tmp_path, data):
    path = write(tmp_path, data)
    try:
        assert not read_table(path).empty
    except InputError as error:
        assert str(path) in str(error)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_the_csv_module_writes_is_read_back(tmp_path, rows):
    path = tmp_path / "round.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c"], *rows])
    expected = [[cell.strip() for cell in row] for row in rows]
    expected = [row for row in expected if any(row)]
    if expected:
        assert read_table(path).to_numpy().tolist() == expected
    else:
        with pytest.raises(InputError, match="no rows"):
            read_table(path)


def test_long_cells_are_read(tmp_path):
    assert read_table(write(tmp_path, "a,b\n1," + "x" * 200_000)).loc[2, "b"] == "x" * 200_000


hard_texts = st.text(st.sampled_from(list('a1,;\t|"\n\r \u00a0\u2003é=')), max_size=40)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hard_texts, hard_texts)
@pytest.mark.usefixtures("every_table_is_large")
def test_all_ways_of_splitting_agree(head, body):
    """The compiled parsers take only text that the csv module reads alike, and cells held once are the same cells."""
    with warnings.catch_warnings(action="ignore"):  # of titles above the names
        split_both_ways(head, body)


@pytest.fixture
def every_table_is_large(monkeypatch):
    """Cells that repeat are held once in small tables too."""
    monkeypatch.setattr(well_formed, "LARGE", 0)


def split_fast(raw, delimiter, path, cells):
    try:
        return text_tables._split_fast(raw, delimiter, path, 1000, None, cells)
    except InputError as error:
        return str(error)


def split_both_ways(head, body):
    text = head + "\n" + body
    raw = text.encode()
    delimiter = text_tables._delimiter(raw)
    path = Path("any.csv")
    fast, once = (split_fast(raw, delimiter, path, cells) for cells in ("texts", "categories"))
    if isinstance(fast, pd.DataFrame):
        pd.testing.assert_frame_equal(as_texts(once), fast)
    else:
        assert once == fast
    if fast is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        slow = to_frame(enumerate(reader, start=1), path, 1000)
    except InputError as error:
        slow = str(error)
    if isinstance(slow, str) or isinstance(fast, str):
        assert fast == slow
        return
    assert fast.columns.tolist() == slow.columns.tolist()
    assert fast.index.tolist() == slow.index.tolist()
    assert fast.to_numpy().tolist() == slow.to_numpy().tolist()


# --- packed files -----------------------------------------------------------------------------------------


def pack(folder, members, name="t.zip"):
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def test_bombs_are_refused_before_and_while_they_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1_000_000)
    bomb = b"a\n" + b"1\n" * 2_000_000
    with pytest.raises(InputError, match="unpacks to 4,000,002 bytes; 1,000,000 is the limit, unpack it"):
        read_table(pack(tmp_path, {"t.csv": bomb}))
    with pytest.raises(InputError, match="unpacks to more than 1,000,000 bytes"):
        read_table(write(tmp_path, gzip.compress(bomb), "t.csv.gz"))


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    path = pack(tmp_path, {"t.csv": b"a\n" + b"1\n" * 50_000})
    raw = path.read_bytes()
    assert raw.count((100_002).to_bytes(4, "little")) == 2  # in the local header and in the directory
    path.write_bytes(raw.replace((100_002).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_table(path)


@pytest.mark.parametrize("name", ["../t.csv", "/etc/t.csv", "a/../../t.csv", "C:\\t.csv", "..\\t.csv"])
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="which leads out of it; pack it anew"):
        read_table(pack(tmp_path, {name: "a\n1\n"}))
    with pytest.raises(InputError, match="which leads out of it; pack it anew"):
        read_table(pack(tmp_path, {name: "a\n1\n", "xl/workbook.xml": "<a/>"}, "t.xlsx"))
    assert names(tmp_path).count("t.csv") == 0


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ({"a.csv": "a\n1\n", "b.csv": "a\n1\n"}, r"holds 2 tables, not one \(a.csv, b.csv\)"),
        ({"inner.zip": "PK"}, r"holds 0 tables, not one \(inner.zip\)"),
        ({}, r"holds 0 tables, not one \(nothing\)"),
    ],
)
def test_archives_without_one_table(tmp_path, members, match):
    with pytest.raises(InputError, match=match):
        read_table(pack(tmp_path, members))


@pytest.mark.parametrize("name", ["t.zip", "t.csv.gz"])
def test_damaged_archives(tmp_path, name):
    good = pack(tmp_path, {"t.csv": "a\n1\n"}) if name == "t.zip" else write(tmp_path, gzip.compress(b"a\n1\n"), name)
    for content in (b"PK\x03\x04", good.read_bytes()[:-9], b"a\n1\n"):
        with pytest.raises(InputError, match="cannot be unpacked"):
            read_table(write(tmp_path, content, name))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "_rels/.rels"])
def test_entities_are_refused_in_every_part_and_encoding(tmp_path, part, encoding):
    path = workbook(tmp_path, [["a", "b"], ["x", 2]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    padding = "<!--" + " " * 3_000_000 + "-->"  # the declaration lies across no single piece that is read
    bomb = f'{padding}<!DOCTYPE x [<!ENTITY a "{"ha" * 50}"><!ENTITY b "&a;&a;&a;">]>'
    parts[part] = (bomb + parts[part].decode().partition("?>")[2]).encode(encoding)
    pack(tmp_path, parts, "bomb.xlsx")
    with pytest.raises(InputError, match="declares XML entities"):
        read_table(tmp_path / "bomb.xlsx")


# --- paths ------------------------------------------------------------------------------------------------


def test_paths_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match="no such file; check the path"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(FileError, match="is a directory; name a file in it"):
        read_table(tmp_path)
    with pytest.raises(FileError, match="no such file"):
        read_table(write(tmp_path, "a\n1\n") / "below.csv")
    with pytest.raises(FileError, match=r"cannot be reached .*name too long.*; check the path"):
        read_table(tmp_path / ("x" * 5000 + ".csv"))
    with pytest.raises(FileError, match=r"cannot be reached .*null.*; check the path"):
        read_table(f"{tmp_path}/a\0b.csv")
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(FileError, match="no such file"):
        read_table(tmp_path / "dangling.csv")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FileError, match="is not a regular file; copy its content to one"):
        read_table(tmp_path / "pipe.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_to_read(tmp_path):
    path = write(tmp_path, "a\n1\n")
    path.chmod(0)
    with pytest.raises(FileError, match=r"cannot be opened .*check its permissions"):
        read_table(path)


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    path = write(tmp_path, "a\n1\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(FileError, match=r"cannot be opened \(Permission denied\); check its permissions"):
        read_table(path)


def test_a_path_as_text(tmp_path):
    assert read_table(str(write(tmp_path, "a\n1\n"))).shape == (1, 1)


# --- spreadsheets -----------------------------------------------------------------------------------------


def test_spreadsheet_cells_become_the_text_of_a_csv(tmp_path):
    day = dt.datetime(2024, 11, 12)
    cells = [day, day.replace(hour=18), dt.time(6, 30), 45608, 45608.0, 2.5, True, None, " x ", "=1+1", "007", 1e20]
    table = read_table(workbook(tmp_path, [[f"c{i}" for i in range(len(cells))], cells]))
    assert table.iloc[0].tolist() == [
        "2024-11-12",
        "2024-11-12 18:00:00",
        "06:30:00",
        "45608",
        "45608",
        "2.5",
        "True",
        "",
        "x",
        "",  # a formula that no program has worked out yet
        "007",
        "100000000000000000000",
    ]


def test_spreadsheet_rows_keep_their_numbers(tmp_path):
    path = workbook(tmp_path, [["a", "b", None], [1, 2, None], [None, None, None], [3, None, None]])
    table = read_table(path)
    assert table.index.tolist() == [2, 4]
    assert table.to_numpy().tolist() == [["1", "2"], ["3", ""]]


def test_the_stated_size_of_a_sheet_is_not_believed(tmp_path):
    path = workbook(tmp_path, [["a", "b"], [1, 2], [3, 4]])
    repack(path, xl___worksheets___sheet1__xml=lambda xml: xml.replace(b'ref="A1:B3"', b'ref="A1"'))
    assert read_table(path).to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_a_workbook_that_openpyxl_warns_of_is_read_in_silence(tmp_path):
    path = workbook(tmp_path, [["a"], [1]])
    repack(path, xl___styles__xml=lambda xml: xml.replace(b"<cellStyles", b"<x").replace(b"</cellStyles", b"</x"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_table(path).to_numpy().tolist() == [["1"]]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([], "its first row is blank"),
        ([["a", "b"]], "has a header but no rows"),
        ([[None, None], ["a", "b"]], "has a header but no rows"),
        ([["a", "a"], [1, 2]], "has two columns called 'a'"),
    ],
)
def test_spreadsheets_that_are_no_table(tmp_path, rows, match):
    with pytest.raises(InputError, match=match):
        read_table(workbook(tmp_path, rows))


def test_too_many_spreadsheet_rows(tmp_path):
    with pytest.raises(InputError, match="has more than 1 rows"):
        read_table(workbook(tmp_path, [["a"], [1], [2]]), max_rows=1)


def test_a_workbook_of_charts_alone(tmp_path):
    book = Workbook()
    book.create_chartsheet().add_chart(BarChart())
    book.remove(book.active)
    book.save(tmp_path / "charts.xlsx")
    with pytest.raises(InputError, match="is not a readable XLSX workbook"):
        read_table(tmp_path / "charts.xlsx")


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"PK\x03\x04"])
def test_other_files_under_the_name_of_a_workbook(tmp_path, content):
    with pytest.raises(InputError, match=r"is not a readable XLSX workbook .*; save it again or as CSV"):
        read_table(write(tmp_path, content, "old.xlsx"))


def test_a_zip_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("readme.txt", "no")
    with pytest.raises(InputError, match="is not a readable XLSX workbook"):
        read_table(tmp_path / "x.xlsx")


@pytest.mark.parametrize(
    "damage",
    [
        lambda xml: xml[: len(xml) // 2],
        lambda xml: b"",
        lambda xml: xml.replace(b"<v>", b"<v>x"),
        lambda xml: xml.replace(b'r="A2"', b'r="??"'),
    ],
)
def test_a_damaged_sheet_is_one_line_of_error(tmp_path, damage):
    path = repack(workbook(tmp_path, [["a", "b"], [1, 2]]), xl___worksheets___sheet1__xml=damage)
    with pytest.raises(InputError, match=r"is not a readable XLSX workbook|first row is blank"):
        read_table(path)


def test_xml_that_grows_without_end_is_refused(tmp_path):
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "{"ha" * 50}">{laughs}]>'.encode()
    path = workbook(tmp_path, [["a", "b"], ["x", 2]])

    def arm(xml):
        return bomb + xml.replace(b">x<", b">&l9;<")

    repack(path, xl___worksheets___sheet1__xml=arm)
    with pytest.raises(InputError, match="is not a readable XLSX workbook"):
        read_table(path)


def test_a_workbook_with_any_byte_wrong_is_a_table_or_one_error(tmp_path):
    good = workbook(tmp_path, [["a", "b"], [1, "x"], [2, "y"]]).read_bytes()
    rng = np.random.default_rng(11)
    refused = 0
    for at in rng.integers(0, len(good), 120):
        bad = bytearray(good)
        bad[at] ^= int(rng.integers(1, 256))
        try:
            read_table(write(tmp_path, bytes(bad), "bad.xlsx"))
        except InputError as error:
            refused += 1
            assert "bad.xlsx" in str(error)
    assert refused > 0


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = workbook(tmp_path, [["a"], [1]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/filler.xml", b" " * 5_000_000)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(InputError, match=r"unpacks to 5,\d{3},\d{3} bytes; 1,000,000 is the limit, save it as CSV"):
        read_table(path)


# --- writing ----------------------------------------------------------------------------------------------


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "out.csv"
    with atomic_write(path) as stream:
        stream.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == "é\n".encode()
    with atomic_write(str(path), "wb") as stream:
        stream.write(b"\x00")
    assert path.read_bytes() == b"\x00"
    assert names(tmp_path) == ["out.csv"]


def test_a_written_file_has_the_usual_permissions(tmp_path):
    with atomic_write(tmp_path / "ours.txt") as stream:
        stream.write("x")
    (tmp_path / "usual.txt").write_text("x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours.txt", "usual.txt")}
    assert len(modes) == 1


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt(), InputError("a row is wrong")])
def test_an_error_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path, error):
    path = write(tmp_path, "old")

    def fail():
        with atomic_write(path) as stream:
            stream.write("half")
            stream.flush()
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_full_disk_is_a_file_error_and_leaves_nothing_behind(tmp_path):
    def fail():
        with atomic_write(tmp_path / "out.csv"):
            raise OSError(28, "No space left on device")

    with pytest.raises(
        FileError, match=r"out.csv: cannot be written \(No space left on device\); choose another place"
    ):
        fail()
    assert names(tmp_path) == []


def test_a_file_error_inside_the_block_keeps_its_message(tmp_path):
    def fail():
        with atomic_write(tmp_path / "out.csv"):
            read_table(tmp_path / "none.csv")

    with pytest.raises(FileError, match=r"none.csv: no such file"):
        fail()
    assert names(tmp_path) == []


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = write(tmp_path, "old")
    code = (
        "import os, sys\nfrom escalation.files.disk import atomic_write\n"
        "with atomic_write(sys.argv[1]) as s:\n    s.write('half')\n    s.flush()\n    os._exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == 1
    assert path.read_text() == "old"


def test_a_file_and_its_name_are_on_the_disk_when_the_block_has_ended(tmp_path, monkeypatch):
    done, replace = [], Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(stat.S_ISDIR(os.fstat(handle).st_mode)))
    monkeypatch.setattr(Path, "replace", lambda path, to: done.append(path.stat().st_size) or replace(path, to))
    with atomic_write(tmp_path / "out.csv") as stream:
        stream.write("all of it")
    assert done == [False, 9, True]  # the file, its name, the folder that holds the name


def test_a_file_that_the_disk_does_not_take_is_a_file_error(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"cannot be written \(Input/output error\)"), atomic_write(tmp_path / "x"):
        pass
    assert names(tmp_path) == []


def test_what_is_not_finished_can_be_taken_away(tmp_path):
    with pytest.raises(FileError, match="cannot be written"), atomic_write(tmp_path / "out.csv") as stream:
        stream.write("half")
        assert len(names(tmp_path)) == 1
        unfinished.leave_all()
        assert names(tmp_path) == []


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    check_target(tmp_path / ("x" * 255))
    with atomic_write(tmp_path / ("x" * 255)) as stream:
        stream.write("x")
    assert names(tmp_path) == ["x" * 255]


def test_places_that_cannot_be_written(tmp_path):
    inputs = [
        (tmp_path, "is a directory; name the file to write"),
        (tmp_path / "none" / "out.csv", r"the directory .*none does not exist; create it first"),
        (write(tmp_path, "x") / "out.csv", r"the directory .*table.csv does not exist; create it first"),
        ("/proc/out.csv", r"cannot be written \(No such file or directory\); choose another place"),
        (tmp_path / ("x" * 5000), "cannot be reached .*name too long"),
        (f"{tmp_path}/a\0b", "cannot be reached .*null"),
        ("/dev/null", "/dev/null: is a device or a pipe, which cannot be replaced; name a file"),
    ]
    for path, match in inputs:
        with pytest.raises(FileError, match=match), atomic_write(path):
            pytest.fail("the block must not run")
    assert names(tmp_path) == ["table.csv"]
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_target_is_checked_without_a_trace(tmp_path):
    path = write(tmp_path, "old")
    check_target(path)
    check_target(tmp_path / "new.csv")
    assert names(tmp_path) == ["table.csv"]
    assert path.read_text() == "old"
    with pytest.raises(FileError, match="does not exist; create it first"):
        check_target(tmp_path / "none" / "out.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_to_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match=r"cannot be written \(Permission denied\)"), atomic_write(tmp_path / "x"):
        pytest.fail("the block must not run")


# --- what spreadsheets would run --------------------------------------------------------------------------


def test_cells_that_a_spreadsheet_would_run_are_neutralised():
    cells = [start + "x" for start in FORMULA_STARTS] + ["x=1", "", None, np.nan, "'=x"]
    safe = safe_cells(pd.DataFrame({"a": pd.Series(cells, dtype=object)}))["a"].tolist()
    count = len(FORMULA_STARTS)
    assert safe[:count] == ["'" + cell for cell in cells[:count]]
    assert safe[count : count + 2] == ["x=1", ""]
    assert pd.isna(safe[count + 2])
    assert pd.isna(safe[count + 3])
    assert safe[count + 4] == "'=x"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_every_start_that_owasp_lists_is_known(start):
    assert start in FORMULA_STARTS


def test_headers_and_categories_are_neutralised_and_numbers_left_alone():
    table = pd.DataFrame(
        {"=a": pd.Categorical(["+1", "b"]), "n": [-1, 2], "f": [-0.5, np.nan], "i": pd.array([-3, None])}
    )
    safe = safe_cells(table)
    assert safe.columns.tolist() == ["'=a", "n", "f", "i"]
    assert safe["'=a"].tolist() == ["'+1", "b"]
    pd.testing.assert_frame_equal(safe[["n", "f", "i"]], table[["n", "f", "i"]])
    assert table.columns.tolist() == ["=a", "n", "f", "i"]  # the caller's table is left alone


def test_names_twice_and_names_of_several_levels():
    twice = safe_cells(pd.DataFrame([["=a", "-b"]], columns=["x", "x"]))
    assert twice.iloc[0].tolist() == ["'=a", "'-b"]
    levels = safe_cells(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("=a", "b")])))
    assert levels.columns.tolist() == [("'=a", "b")]


def test_tables_as_csv_and_json():
    index = pd.period_range("2024-11-04", periods=2, freq="W-SUN", name="period")
    table = pd.DataFrame({"count": pd.array([1, None], dtype="Int64"), "note": ["=x", 'a,"b"']}, index=index)
    rows = list(csv.reader(io.StringIO(table_text(table, "csv"))))
    assert rows == [
        ["period", "count", "note"],
        ["2024-11-04/2024-11-10", "1", "'=x"],
        ["2024-11-11/2024-11-17", "", 'a,"b"'],
    ]
    records = json.loads(table_text(table, "json"))
    assert records == [
        {"period": "2024-11-04/2024-11-10", "count": 1, "note": "=x"},
        {"period": "2024-11-11/2024-11-17", "count": None, "note": 'a,"b"'},
    ]


def test_dates_in_tables():
    table = pd.DataFrame({"date": pd.to_datetime(["2024-11-12"])})
    assert table_text(table, "csv") == "date\n2024-11-12\n"
    assert json.loads(table_text(table, "json"))[0]["date"].startswith("2024-11-12")


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match="format is 'yaml'; use csv or json"):
        table_text(pd.DataFrame({"a": [1]}), "yaml")


def test_a_csv_of_ours_is_read_back(tmp_path):
    table = pd.DataFrame({"a": ["x", "ü\n2"], "b": ["1", "2"]})
    path = write(tmp_path, table_text(table, "csv"))
    assert read_table(path).to_numpy().tolist() == table.to_numpy().tolist()
    shutil.copy(path, tmp_path / "copy.txt")
    assert read_table(tmp_path / "copy.txt").shape == (2, 2)
