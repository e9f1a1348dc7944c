from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.errors import InputError
from escalation.files.ledger import rows_lost
from escalation.tallies.printed import contradictions_by_window, printed_count
from escalation.tallies.reconstruct import Reconstruction
from escalation.tallies.schema import COLUMNS, check_tallies, contains

HEAD = "series,count,qualifier,start,end"


def write(folder: Path, *rows: str, head: str = HEAD) -> Path:
    file = folder / "tallies.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


def test_columns_types_and_defaults(tmp_path: Path) -> None:
    tallies, ledger = escalation.read_tallies(write(tmp_path, "a, 12 ,exact,2024-01-01,2024-01-31"))
    assert tuple(tallies.columns) == COLUMNS
    row = tallies.iloc[0]
    assert (row["count"], row["place"], row["counter"], row["flag"], row["unit"]) == (
        12,
        "ALL",
        "unstated",
        "ok",
        "incidents",
    )
    assert row["start"] == pd.Timestamp("2024-01-01")
    assert str(tallies["count"].dtype) == "Int64"
    assert ledger.empty


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("a,0,exact,2024-01-01,2024-01-31", "zero_window"),
        ("a,3,exact,2024-01-01,2024-01-01", "single_day"),
        ("a,3,exact,2024-01-01,2024-01-02", "interval"),
        ("a,,almost_weekly,2024-01-01,2024-12-31", "interval"),
    ],
)
def test_kind_is_implied_by_window_and_count(tmp_path: Path, row: str, kind: str) -> None:
    tallies, _ = escalation.read_tallies(write(tmp_path, row))
    assert tallies["kind"].tolist() == [kind]


def test_repeats_are_merged_and_unused_columns_named(tmp_path: Path) -> None:
    row = "a,3,exact,2024-01-01,2024-01-31,blue"
    tallies, ledger = escalation.read_tallies(write(tmp_path, row, row, head=HEAD + ",colour"))
    assert len(tallies) == 1
    assert rows_lost(ledger) == 1
    assert ledger["row"].tolist() == [1, 3]
    assert ledger["value"].tolist() == ["colour", ""]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",3,exact,2024-01-01,2024-01-31", "series is blank"),
        ("a,three,exact,2024-01-01,2024-01-31", "'three', which is no number"),
        ("a,-3,exact,2024-01-01,2024-01-31", "-3, below 0"),
        ("a,3.5,exact,2024-01-01,2024-01-31", "3.5, not whole"),
        ("a,50001,exact,2024-01-01,2024-01-31", "50001, above 50,000"),
        ("a,,exact,2024-01-01,2024-01-31", "count is blank"),
        ("a,3,dozens,2024-01-01,2024-01-31", "a word for a number"),
        ("a,3,exakt,2024-01-01,2024-01-31", "qualifier is 'exakt'; did you mean 'exact'?"),
        ("a,3,exact,45292,2024-01-31", "a spreadsheet's day number"),
        ("a,3,exact,13/25/2024,2024-01-31", "'13/25/2024'; write the date"),
        ("a,3,exact,2024-02-30,2024-03-31", "a day that no calendar has"),
        ("a,3,exact,0025-01-01,2024-01-31", "0025-01-01, before 1900"),
        ("a,3,exact,,2024-01-31", "start is blank"),
        ("a,3,exact,2024-02-01,2024-01-31", "ends on 2024-01-31, before it starts on 2024-02-01"),
        ("a,3,exact,2999-01-01,2999-01-31", "starts on 2999-01-01, in the future"),
        ("a,3,exact,2024-01-01,2999-01-31", "ends on 2999-01-31, in the future"),
        ("a,,range,2024-01-01,2024-01-31", "'range' needs both"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    good = "a,1,exact,2024-01-01,2024-01-31"
    with pytest.raises(InputError, match="row 3") as caught:
        escalation.read_tallies(write(tmp_path, good, row))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("low", "9", "low and high do not go with 'exact'"),
        ("flag", "odd", "flag is 'odd'"),
        ("kind", "weekly", "kind is 'weekly'"),
        ("date_confidence", "sure", "date_confidence is 'sure'"),
        ("as_of", "2024-01-05", "as_of is 2024-01-05, before the window ends"),
    ],
)
def test_a_faulty_optional_cell_is_named(tmp_path: Path, column: str, value: str, said: str) -> None:
    file = write(tmp_path, f"a,1,exact,2024-01-01,2024-01-31,{value}", head=f"{HEAD},{column}")
    with pytest.raises(InputError, match="row 2") as caught:
        escalation.read_tallies(file)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("low", "high", "count", "said"), [("9", "5", "", "above high 5"), ("5", "9", "12", "outside low 5 to high 9")]
)
def test_ranges_are_checked(tmp_path: Path, low: str, high: str, count: str, said: str) -> None:
    file = write(tmp_path, f"a,{count},range,2024-01-01,2024-01-31,{low},{high}", head=HEAD + ",low,high")
    with pytest.raises(InputError, match=said):
        escalation.read_tallies(file)


def test_one_message_names_all_faulty_rows(tmp_path: Path) -> None:
    bad, good = "a,-1,exact,2024-01-01,2024-01-31", "a,1,exact,2024-01-01,2024-01-31"
    rows = (bad, good, "a,,exact,2024-01-01,2024-01-31", "a,2,exact,2024-02-01,2024-01-31")
    with pytest.raises(InputError, match="3 rows cannot be used: row 2: count is -1") as caught:
        escalation.read_tallies(write(tmp_path, *rows))
    assert "row 4: count is blank" in str(caught.value)
    assert "row 5: the window ends on 2024-01-31" in str(caught.value)
    with pytest.raises(InputError, match="; and 8 more"):
        escalation.read_tallies(write(tmp_path, *[bad.replace("-1", f"-{n}") for n in range(1, 21)]))


@pytest.mark.parametrize(
    ("written", "qualifier"),
    [
        ("around", "about"),
        ("Roughly", "about"),
        ("over", "more_than"),
        ("at least", "at_least"),
        ("no more than", "at_most"),
        ("fewer than", "at_most"),
        ("up to", "up_to"),
        ("every other day", "every_other_day"),
        ("near-weekly", "almost_weekly"),
        ("nearly", "nearly"),
    ],
)
def test_words_that_people_write_are_read(tmp_path: Path, written: str, qualifier: str) -> None:
    count = "" if qualifier.endswith(("day", "weekly")) else "12"
    tallies, _ = escalation.read_tallies(write(tmp_path, f"a,{count},{written},2024-01-01,2024-01-31"))
    assert tallies["qualifier"].tolist() == [qualifier]


def test_between_needs_both_ends(tmp_path: Path) -> None:
    file = write(tmp_path, "a,,between,2024-01-01,2024-01-31,70,90", head=HEAD + ",low,high")
    assert escalation.read_tallies(file)[0].loc[0, ["qualifier", "low", "high"]].tolist() == ["range", 70, 90]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column qualifier"):
        escalation.read_tallies(write(tmp_path, "a,3,2024-01-01,2024-01-31", head="series,count,start,end"))


def test_a_table_made_by_hand_is_checked_too() -> None:
    with pytest.raises(InputError, match="is a list"):
        check_tallies([1, 2])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="has no rows"):
        check_tallies(pd.DataFrame(columns=HEAD.split(",")))
    frame = pd.DataFrame(
        {"series": "a", "count": [3.0, None], "qualifier": ["exact", "dozens"], "start": pd.Timestamp("2024-01-01"),
         "end": pd.Timestamp("2024-01-31")}
    )  # fmt: skip
    assert check_tallies(frame)["count"].tolist() == [3, pd.NA]


def test_places_are_a_path() -> None:
    assert contains("ALL", "Iraq/Ain al-Asad")
    assert contains("Iraq", "Iraq/Ain al-Asad")
    assert contains("Iraq", "Iraq")
    assert not contains("Iraq", "Iraqi Kurdistan")
    assert not contains("Iraq/Ain al-Asad", "Iraq")


def test_cases_are_listed_and_an_unknown_one_is_refused() -> None:
    cases = escalation.list_cases()
    assert cases["tallies"].tolist() == [297, 6]
    case = escalation.open_case("militia-attacks-2023-2024")
    assert case.tallies["series"].nunique() == 8
    assert case.tallies["counter"].nunique() == 10
    assert case.incidents is not None
    assert len(case.incidents) == 149
    assert case.sources["rows"].sum() == 297 + 149
    assert case.defaults["counter"] == "us_government_or_press"
    assert "militia" in case._repr_html_()
    assert escalation.open_case("november-2024-article").incidents is None
    with pytest.raises(
        InputError, match=r"case is 'militia', neither .* a bundled case; those are militia-attacks-2023-2024, november"
    ):
        escalation.open_case("militia")


# Tallies in words


@pytest.mark.parametrize(
    ("count", "qualifier", "low", "high", "text"),
    [
        (1200, "exact", None, None, "1,200"),
        (40, "about", None, None, "about 40"),
        (38, "at_least", None, None, "at least 38"),
        (180, "more_than", None, None, "more than 180"),
        (9, "up_to", None, None, "up to 9"),
        (None, "range", 70, 90, "70 to 90"),
        (None, "dozens", None, None, "dozens"),
        (None, "almost_weekly", None, None, "almost weekly"),
        (3, "weekly", None, None, "3 weekly"),
        (None, "hundreds", 300, 400, "hundreds (300 to 400)"),
    ],
)
def test_counts_as_printed(count: int | None, qualifier: str, low: int | None, high: int | None, text: str) -> None:
    row = pd.Series({"count": count, "qualifier": qualifier, "low": low, "high": high}, dtype=object)
    assert printed_count(row.where(row.notna(), pd.NA)) == text


@pytest.fixture(scope="module")
def one_tally() -> Reconstruction:
    tally = {"series": "raids", "count": 40, "qualifier": "exact", "start": "2024-09-02", "end": "2024-11-12"}
    return escalation.reconstruct(pd.DataFrame([tally]), series="raids", draws=40, rng=1)


def test_contradictions_are_grouped_by_window(one_tally: Reconstruction) -> None:
    columns = ["count", "qualifier", "start", "end", "used", "why", "surprise"]
    rows = [
        (55, "exact", "2023-10-17", "2023-11-14", True, "", 0.7),
        (56, "exact", "2023-10-17", "2023-11-14", True, "", 0.6),
        (56, "exact", "2023-10-17", "2023-11-14", False, "flag duplicate", 0.9),
        (40, "about", "2023-10-17", "2023-11-16", False, "flag stale", 0.001),
        (9, "exact", "2023-10-30", "2023-10-30", True, "", 0.001),
    ]
    table = pd.DataFrame(rows, columns=columns).assign(place="ALL", role="count", low=pd.NA, high=pd.NA, flag="ok")
    table = table.assign(counter="unstated", part="")
    table = table.assign(predicted_low=[54, 53, 53, 52, 1], predicted_high=[57, 58, 57, 65, 4])
    table = table.assign(reliability=[1.0, 1.0, 1.0, 0.3, 0.1], reads_like=[pd.NA] * 5)
    table[["start", "end"]] = table[["start", "end"]].astype("datetime64[s]")
    found = contradictions_by_window(dataclasses.replace(one_tally, tallies=table))
    assert found["printed"].tolist() == ["9", "55 and 56", "about 40"]
    assert found["remark"].tolist() == ["9 improbable", "all are used", "about 40 improbable, left out: stale"]
    assert found[["expected_low", "expected_high"]].to_numpy().tolist() == [[1, 4], [53, 58], [52, 65]]
    assert found[["lowest", "highest"]].to_numpy().tolist() == [[9, 9], [55, 56], [40, 40]]


def test_without_contradictions_the_table_is_empty(one_tally: Reconstruction) -> None:
    assert contradictions_by_window(one_tally).empty
