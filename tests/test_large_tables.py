"""Large text tables, whose cells are held once and which pyarrow may split, give what small ones give."""

from __future__ import annotations

import builtins
import warnings

import pandas as pd
import pytest

import escalation
from escalation.errors import InputError
from escalation.files import well_formed
from escalation.incidents.schema import check_incidents

HEAD = "date,place,killed,lat,lon,source"
ROWS = (
    '25/04/2024,"Erbil, north",0,36.2,44.0,a',
    '03/05/2024,"the ""old"" town",1-3,35.5,44.4,b',
    "31/02/2024,Hasaka,2,,,a",
    "04/05/2024,,unknown,95,40.7,",
    '05/05/2024,"two\nlines",at least 4,34.1,40.7,a',
    "06/05/2024, Tanf ,1.5,33.5,38.6,b",
)
TABLE = "\n".join([HEAD, *ROWS * 4]) + "\n"
FILES = {
    "quoted commas, pairs of quotes and line ends in cells": TABLE,
    "no line end at the end": TABLE[:-1],
    "line ends of Windows": TABLE.replace("\n", "\r\n"),
    "line ends of old systems": TABLE.replace("\n", "\r"),
    "a mark": "\ufeff" + TABLE,
    "two marks": "\ufeff\ufeff" + TABLE,
    "a separator": "sep=;\n" + TABLE.replace(",", ";"),
    "a title": "Attacks\n" + TABLE,
    "titles as wide as the rows": "Attacks,,,,,\n" + TABLE,
    "blank rows": TABLE.replace("\n06", "\n\n06") + "\n\n",
    "rows of blank cells": TABLE.replace("\n06", "\n,,,,,\n06"),
    "rows that end early": TABLE + "07/05/2024,Kut\n08/05/2024\n",
    "a spare delimiter": TABLE.replace("\n", ",\n"),
    "quotes with a backslash": HEAD + "\n" + '25/04/2024,"the \\"old\\" town",1,,,a\n' * 8,
    "a row that is too long": TABLE + "07/05/2024,Kut, east,1,,,a\n",
    "a quote that stays open": TABLE + '07/05/2024,"Kut,1,,,a\n',
    "a quote within a cell": TABLE + '07/05/2024,Kut "east",1,,,a\n',
    "text behind a quote": TABLE + '07/05/2024,"Kut" east,1,,,a\n',
    "NUL": TABLE + "07/05/2024,Kut\0,1,,,a\n",
    "no order of day and month": HEAD + "\n" + "03/04/2024,Kut,1,,,a\n" * 8,
    "two columns of one name": TABLE.replace("source", "place", 1),
    "letters beyond ASCII": TABLE.replace("Hasaka", "Hasakah \u0627\u0644\u062d\u0633\u0643\u0629 \U0001f4a5"),
    "white space of other kinds": TABLE.replace(" Tanf ", "\u00a0Tanf\u2003").replace("Hasaka", "\x1fHasaka"),
    "one column": "date\n" + "25/04/2024\n\n03/05/2024\n" * 8,
    "counts": "date,oblast,launched\n" + "".join(f"{1 + d:02}/05/2024,{o},{d % 3}\n" for d in range(30) for o in "ab"),
    "running totals": "date,oblast,killed_cum\n" + "".join(
        f"{1 + d:02}/05/2024,{o},{d * d}\n" for d in range(30) for o in "ab"
    ),
    "a column for each date": "oblast,01/05/2024,02/05/2024,25/05/2024\n" + "a,1,2,3\nb,0,0,1\n" * 4,
    "dates in parts": "year,month,day,place\n" + "2024,5,3,Kut\n2024,5,0,Kut\n2024,,,\n" * 4,
    "prints": "date,place,killed,as_of\n" + "25/04/2024,Kut,1,2024-05-01\n25/04/2024,Kut,1,\n" * 4,
    "ids": "date,place,id\n" + "25/04/2024,Kut,7\n25/04/2024,Kut,8\n26/04/2024,Kut,\n" * 4,
    "offsets": "date,place\n" + "2024-04-25T23:30:00+02:00,Kut\n2024-04-26,Kut\n" * 4,
    "sides": "event_date,event_id_cnty,actor1,actor2,country,location,fatalities,time_precision,event_type\n"
    + "2024-04-25,A1,x,y,Iraq,Kut,1,1,Battles\n2024-04-25,A1,y,x,Iraq,Kut,1,3,Battles\n2024-04-26,A2,x,,Iraq,,9,4\n"
    * 3,
}  # fmt: skip


def read(path, **options):
    """What a file gives, its ledger and warnings included, or why it is refused."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            incidents, ledger = escalation.read_incidents(path, **options)
        except InputError as error:
            return str(error)
    return incidents, ledger, incidents.attrs, [str(one.message) for one in caught]


def compare(path, monkeypatch, *, arrow, **options):
    """Read a file as a small one and as a large one."""
    small = read(path, **options)
    monkeypatch.setattr(well_formed, "LARGE", 0)
    if not arrow:
        monkeypatch.setattr(well_formed, "_by_arrow", lambda *_: None)
    large = read(path, **options)
    if isinstance(small, str):
        assert large == small
        return
    pd.testing.assert_frame_equal(large[0], small[0], check_exact=True)
    pd.testing.assert_frame_equal(large[1], small[1], check_exact=True)
    assert large[2:] == small[2:]


@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("content", FILES.values(), ids=list(FILES))
def test_large_tables_give_what_small_ones_give(tmp_path, monkeypatch, content, arrow):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode())
    compare(path, monkeypatch, arrow=arrow)


@pytest.mark.parametrize("encoding", [None, "utf-16", "cp1252", "utf-8", "latin-1", "utf-7"])
@pytest.mark.parametrize("written", ["utf-16", "cp1252", "utf-8-sig"])
def test_encodings_of_large_tables(tmp_path, monkeypatch, written, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE.replace("Hasaka", "Hassak\u00e9").encode(written))
    compare(path, monkeypatch, arrow=True, encoding=encoding)


def test_parts_of_a_table_are_joined(tmp_path, monkeypatch):
    """What repeats in the first part only, and what in later ones alone."""
    rows = [f"25/04/2024,Erbil,{at % 3},,,a" for at in range(200)]
    rows += [f"{1 + at % 28:02}/05/2024,Town {at} \u00e9,{at % 3},,,b" for at in range(400)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    monkeypatch.setattr(well_formed, "AT_ONCE", 1000)
    compare(path, monkeypatch, arrow=True)


def test_pyarrow_is_used_and_not_needed(monkeypatch):
    pytest.importorskip("pyarrow")
    raw = TABLE.encode()
    split = well_formed._by_arrow(raw, ",", 6, 0)
    assert split is not None and split[1].dtype == "category" and split[1].iloc[1] == "Erbil, north"
    assert well_formed._by_arrow((TABLE + "1,2\n").encode(), ",", 6, 0) is None  # rows of several lengths
    known = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return known(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert well_formed._by_arrow(raw, ",", 6, 0) is None


def test_categories_of_a_given_table_are_named_as_texts_are():
    """Missing ones and numbers among them included."""
    days = pd.to_datetime(["2024-04-25"] * 4)
    texts = pd.DataFrame({"date": days, "place": ["Kut", None, "Kut", "Amara"], "number": [1, 2, 1, 1]})
    held = texts.assign(**{name: texts[name].astype("category") for name in ("place", "number")})
    plain = texts.assign(number=texts["number"].astype(str))
    ids = [check_incidents(table)["incident_id"].tolist() for table in (held, plain)]
    assert ids[0] == ids[1] and len({*ids[0]}) == 4
    assert [name for name in ids[0] if "again" in name] == [ids[0][2]]
