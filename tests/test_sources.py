from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.errors import FileError, InputError

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


def test_a_period_as_end_means_its_last_day(incidents: Path) -> None:
    source = escalation.open_source(incidents)
    counted = escalation.count_series(source, freq="M", start="2024-01-01", end=pd.Period("2024-02"))
    assert counted.counts.tolist() == [5, 0]
    assert counted.exposure.tolist() == [1, 1]


def test_another_series_of_a_case_drops_the_cases_own_counter() -> None:
    source = escalation.open_source()
    with pytest.raises(InputError, match="units of us_strikes_on_militias by us_government_or_press do not add up"):
        escalation.count_series(source, series="us_strikes_on_militias", counter="us_government_or_press")
    counted = escalation.count_series(
        source, series="us_strikes_on_militias", counter="us_government_or_press", unit="rounds", draws=20, rng=1
    )
    assert counted.unit == "rounds"


def test_same_seed_same_counts(tallies: Path) -> None:
    source = escalation.open_source(tallies)
    first, again = (escalation.count_series(source, draws=30, rng=5).counts for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"counter": "x"}, "counter, place and unit go with tallies"),
        ({"by": "country"}, "by and series go together"),
        ({"series": "Syria"}, "by and series go together"),
        ({"by": "region", "series": "Syria"}, "by is 'region'; name a column of the table as it is read: date"),
        ({"by": "country", "series": "Mars"}, "no incident has country 'Mars'; the most frequent are Iraq, Syria"),
    ],
)
def test_options_that_do_not_go_with_incidents(incidents: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        escalation.count_series(escalation.open_source(incidents), **options)


def test_options_that_do_not_go_with_tallies(tallies: Path) -> None:
    with pytest.raises(InputError, match="by and measure go with incidents"):
        escalation.count_series(escalation.open_source(tallies), measure="fatalities")
    with pytest.raises(InputError, match="a column map, a date order and reports go with incidents"):
        escalation.open_source(tallies, columns={"date": "start"})


def test_a_choice_between_series_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(TALLIES + "sieges,1,exact,2024-01-01,2024-01-31\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds 2 series; choose one series of raids, sieges"):
        escalation.count_series(escalation.open_source(tmp_path / "two.csv"))


def test_neither_case_nor_file() -> None:
    with pytest.raises(InputError, match="neither a file nor a bundled case; the cases are militia"):
        escalation.open_source("militia")
    with pytest.raises(FileError, match="no such file"):
        escalation.open_source("missing.csv")
