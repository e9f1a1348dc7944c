from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.errors import DataWarning, FileError, InputError

TALLIES = "series,count,qualifier,start,end\nraids,9,exact,2024-01-01,2024-01-31\nraids,4,exact,2024-02-01,2024-02-20\n"
INCIDENTS = """date,country,fatalities
2024-01-03,Syria,0
2024-01-04,Iraq,2
2024-01-18,Iraq,1
2024-01-20,Syria,0
2024-01-28,Iraq,0
"""


@pytest.fixture
def tallies(tmp_path: Path) -> Path:
    (tmp_path / "raids.csv").write_text(TALLIES, encoding="utf-8")
    return tmp_path / "raids.csv"


@pytest.fixture
def incidents(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(INCIDENTS, encoding="utf-8")
    return tmp_path / "log.csv"


def test_the_bundled_case_is_the_default() -> None:
    source = escalation.open_source()
    assert source.name == "militia-attacks-2023-2024"
    assert source.kind == "tallies"
    assert len(source.sha256) == 64


def test_the_columns_tell_what_a_file_holds(tallies: Path, incidents: Path) -> None:
    assert escalation.open_source(tallies).kind == "tallies"
    assert escalation.open_source(incidents).kind == "incidents"


def test_tallies_are_reconstructed(tallies: Path) -> None:
    counted = escalation.count_series(escalation.open_source(tallies), draws=40, rng=1)
    assert counted.reconstruction is not None
    assert counted.counts.shape == (8, 40)
    assert (counted.title, counted.unit, counted.counter) == ("raids", "incidents", "unstated")


def test_incidents_are_counted_over_the_span_of_the_whole_table(incidents: Path) -> None:
    source = escalation.open_source(incidents)
    everything = escalation.count_series(source)
    assert everything.counts.tolist() == [2, 0, 2, 1]
    assert everything.exposure.iloc[0] == pytest.approx(5 / 7)
    syria = escalation.count_series(source, by="country", series="Syria")
    assert syria.counts.tolist() == [1, 0, 1, 0]
    assert syria.title == "Syria (log)"
    deaths = escalation.count_series(source, measure="fatalities", freq="M")
    assert deaths.counts.tolist() == [3]
    assert deaths.unit == "fatalities"


def test_counts_that_end_with_the_last_incident_say_so(incidents: Path) -> None:
    source = escalation.open_source(incidents)
    said = "its last month looks busier than it was; set end to the last day that was watched"
    assert any(said in note for note in escalation.count_series(source, freq="M").notes)
    assert not any(said in note for note in escalation.count_series(source, freq="M", end="2024-03-15").notes)


def test_a_period_as_end_means_its_last_day(incidents: Path) -> None:
    source = escalation.open_source(incidents)
    counted = escalation.count_series(source, freq="M", start="2024-01-01", end=pd.Period("2024-02"))
    assert counted.counts.tolist() == [5, 0]
    assert counted.exposure.tolist() == [1, 1]


def test_another_series_of_a_case_drops_the_cases_own_counter() -> None:
    source = escalation.open_source()
    settled = escalation.count_series(source, series="us_strikes_on_militias", draws=20, rng=1)
    assert (settled.unit, settled.counter) == ("targets", "us_government_or_press")
    with pytest.raises(InputError, match=r"unit is .rounds.; the units of us_strikes_on_militias by"):
        escalation.count_series(source, series="us_strikes_on_militias", counter="claimant", unit="rounds")
    counted = escalation.count_series(
        source,
        series="us_strikes_on_militias",
        counter="us_government_or_press",
        unit="rounds",
        end="2023-12-31",
        draws=20,
        rng=1,
    )
    assert counted.unit == "rounds"


@pytest.mark.usefixtures("chains_run_anew")
def test_same_seed_same_counts(tallies: Path) -> None:
    source = escalation.open_source(tallies)
    first, again = (escalation.count_series(source, draws=30, rng=5).counts for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"counter": "x"}, "counter, place, unit, silence and flags go with tallies"),
        ({"by": "country"}, "by is 'country' and series None, which go together"),
        ({"series": "Syria"}, "by is None and series 'Syria', which go together"),
        ({"by": "region", "series": "Syria"}, "by is 'region'; name a column of the table as it is read: date"),
        ({"by": "country", "series": "Mars"}, "no incident has country 'Mars'; the most frequent are Iraq, Syria"),
    ],
)
def test_options_that_do_not_go_with_incidents(incidents: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        escalation.count_series(escalation.open_source(incidents), **options)


def test_options_that_do_not_go_with_tallies(tallies: Path) -> None:
    with pytest.raises(InputError, match="by, measure and coverage go with incidents"):
        escalation.count_series(escalation.open_source(tallies), measure="fatalities")
    with pytest.raises(
        InputError, match="a date order, a time zone, coverage and reports go with incidents; tallies need one file"
    ):
        escalation.open_source(tallies, columns={"date": "start"})


def test_a_choice_between_series_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(TALLIES + "sieges,1,exact,2024-01-01,2024-01-31\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds 2 series; choose one series of raids, sieges"):
        escalation.count_series(escalation.open_source(tmp_path / "two.csv"))


def test_neither_case_nor_file() -> None:
    with pytest.raises(InputError, match="neither a file, a folder nor a bundled case; the cases are militia"):
        escalation.open_source("militia")
    with pytest.raises(FileError, match="no such file"):
        escalation.open_source("missing.csv")


def test_several_files_and_a_pattern_are_one_source(incidents: Path) -> None:
    other = incidents.with_name("march.csv")
    other.write_text("date,country,fatalities\n2024-03-05,Iraq,1\n", encoding="utf-8")
    both = escalation.open_source([incidents, other])
    assert escalation.count_series(both, freq="M").counts.tolist() == [5, 0, 1]
    assert both.name == f"{incidents} and 1 more"
    assert both.sha256 != escalation.open_source(incidents).sha256
    pattern = escalation.open_source(f"{incidents.parent}/*.csv")
    assert len(pattern.table) == 6
    assert pattern.sha256 == both.sha256
    one = escalation.open_source([incidents])
    assert (one.name, one.sha256) == (str(incidents), escalation.open_source(incidents).sha256)


def test_a_source_as_it_was_known_on_a_day(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("date,as_of\n2024-01-03,2024-01-04\n2024-01-05,2024-03-01\n", encoding="utf-8")
    assert len(escalation.open_source(log, as_of="2024-02-01").table) == 1
    early = escalation.open_source(as_of="2024-02-15")
    assert 0 < len(early.table) < len(escalation.open_source().table)
    assert early.name == "militia-attacks-2023-2024 as of 2024-02-15"


def test_a_sheet_can_be_named_and_others_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"date": ["2024-01-03"], "place": ["Erbil"]}).to_excel(book, sheet_name="North", index=False)
        pd.DataFrame({"date": ["2024-01-04"] * 2, "place": ["Basra", "Tanf"]}).to_excel(
            book, sheet_name="South", index=False
        )
        pd.DataFrame().to_excel(book, sheet_name="Sheet3", index=False)
    with pytest.warns(DataWarning, match="the first sheet, 'North', is read, and not 'South', which hold") as caught:
        assert len(escalation.open_source(path).table) == 1
    assert len(caught) == 1
    assert len(escalation.open_source(path, sheet="South").table) == 2
    with pytest.raises(InputError, match="has no sheet 'East'; its sheets are 'North', 'South', 'Sheet3'"):
        escalation.open_source(path, sheet="East")
    (tmp_path / "log.csv").write_text("date\n2024-01-03\n", encoding="utf-8")
    with pytest.raises(InputError, match="is no workbook, so it has no sheet 'East'"):
        escalation.read_incidents(tmp_path / "log.csv", sheet="East")


def test_rows_that_repeat_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("date,place\n2024-01-03,Erbil\n2024-01-03,Erbil\n2024-01-04,Erbil\n", encoding="utf-8")
    with pytest.warns(DataWarning, match="1 of 3 rows have no id and repeat one before them in every column"):
        table, _ = escalation.read_incidents(path)
    with pytest.warns(DataWarning, match="1 of 3 incidents were merged"):
        assert len(escalation.incidents.deduplicate(table)[0]) == 2
    path.write_text("date\n2024-01-03\n2024-01-03\n", encoding="utf-8")
    assert len(escalation.read_incidents(path)[0]) == 2  # nothing but a day: two in one day are no reason to ask


@pytest.mark.parametrize(
    ("column", "cells", "repeats"),
    [
        ("started", ["2024-01-03 06:10", "2024-01-03 21:40", "2024-01-03 06:10"], 1),  # another hour is another attack
        ("strike", ["Ob20", "Ob21", "Ob22"], 0),
        ("reporter", ["wire", "local radio", "wire"], 1),
        ("easting", ["36.1", "36.2", "36.3"], 0),
        ("Unnamed: 0", ["0", "1", "2"], 2),  # an index of pandas is no id
        ("Unnamed: 0", ["7", "1", "2"], 0),
    ],
)
def test_the_whole_row_says_whether_it_repeats_another(
    tmp_path: Path, column: str, cells: list[str], repeats: int
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        f"{column},date,place\n" + "".join(f"{cell},2024-01-03,Erbil\n" for cell in cells), encoding="utf-8"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        source = escalation.open_source(path, columns={"date": "date"})
        assert len(source.table) - len(escalation.incidents.deduplicate(source.table)[0]) == repeats
    assert source.quality is not None
    assert ("duplicates" in set(source.quality.findings["check"])) == (repeats > 0)


def test_one_unit_is_counted_where_it_was_covered(incidents: Path) -> None:
    source = escalation.open_source(incidents)
    spans = pd.DataFrame(
        {
            "country": ["Iraq", "Iraq", "Syria"],
            "start": ["2024-01-01", "2024-01-22", None],
            "end": ["2024-01-10", None, None],
        }
    )
    counted = escalation.count_series(source, by="country", series="Iraq", coverage=spans, end="2024-01-28")
    assert counted.counts.tolist() == [1, 0, pd.NA, 1]  # from the first covered day, before the table begins
    assert counted.exposure.tolist() == [1, 3 / 7, 0, 1]
    assert any("covered in part" in note and "rates and fits allow for it" in note for note in counted.notes)
    assert any("1 of 3 incidents lie on days" in note for note in counted.notes)
    guessed = escalation.count_series(source, by="country", series="Syria", coverage="units")
    assert guessed.counts.tolist() == [1, 0, 1, pd.NA]
    assert any("coverage was guessed by units" in note for note in guessed.notes)
    with pytest.raises(InputError, match="coverage has no span of country 'Syria'"):
        escalation.count_series(source, by="country", series="Syria", coverage=spans[:2])


def test_incidents_give_histories_where_draws_are_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("date,date_end\n2024-01-01,2024-01-14\n2024-01-02,2024-01-02\n", encoding="utf-8")
    counted = escalation.count_series(escalation.open_source(log), draws=50, rng=1)
    assert counted.counts.shape == (2, 50)
    assert set(counted.counts.sum()) == {2}
    assert counted.counts.iloc[0].mean() == pytest.approx(1.5, abs=4.5 * 0.5 / 50**0.5)
