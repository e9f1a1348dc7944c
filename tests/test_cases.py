"""The folder of a case: what case.toml may say, what a new case is made of, and what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation import FileError, InputError, open_case
from escalation.assessment.case_folder import read_folder
from escalation.cases import new_case

TALLIES = """series,count,qualifier,start,end,counter,unit,source,url
raids,12,exact,2024-09-02,2024-09-22,ministry,attacks,briefing,https://ministry.example/1
raids,20,nearly,2024-09-02,2024-10-06,ministry,attacks,newspaper,
raids,31,at_least,2024-09-02,2024-11-03,ministry,attacks,agency,
raids,9,exact,2024-09-02,2024-09-29,monitor,attacks,monitor,
air_strikes,3,exact,2024-10-07,2024-10-20,ministry,strikes,briefing,
"""
ARTICLE = (
    "HAFENSTADT, 4 November 2024 - Raiders attacked the harbour three times in October and at least 14 times since "
    "July, the ministry said on Monday. In the last raid, on 28 October, they killed two guards."
)
SETTINGS = """title = "Raids on the harbour"
summary = "Made up."
sides = ["raids", "air_strikes"]

[report]
series = "raids"
freq = "W-SUN"

[series.raids]
title = "Raids on the harbour"
counter = "ministry"
start = 2024-09-02
at_least = 8

[series.air_strikes]
silence = "quiet"
why = "Each is announced."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "harbour"
    made.mkdir()
    (made / "case.toml").write_text(SETTINGS, encoding="utf-8")
    (made / "tallies.csv").write_text(TALLIES, encoding="utf-8")
    return made


def test_a_case_is_a_folder_and_what_its_settings_say(folder):
    case = open_case(folder)
    assert (case.name, case.title, case.summary) == ("harbour", "Raids on the harbour", "Made up.")
    assert case.tallies is not None and len(case.tallies) == 5 and case.incidents is None
    assert case.defaults == {"series": "raids", "freq": "W-SUN"} and case.sides == ("raids", "air_strikes")
    assert (case.series["raids"].counter, case.series["raids"].start, case.series["raids"].at_least) == (
        "ministry",
        "2024-09-02",
        8,
    )
    assert case.silence == {"air_strikes": "quiet"}
    assert case.sources["rows"].sum() == 5 and "raids" in case._repr_html_()


def test_every_way_of_asking_goes_by_the_settings(folder):
    source = escalation.open_source(folder)
    counted = escalation.count_series(source, draws=20, rng=1)
    assert (counted.title, counted.counter, counted.unit) == ("Raids on the harbour", "ministry", "attacks")
    assert str(counted.periods[0].start_time.date()) == "2024-09-02"
    other = escalation.count_series(source, series="air_strikes", draws=20, rng=1)
    assert (other.silence, other.reconstruction.silence_from) == ("quiet", "case")
    # who names another counter gets that one
    assert escalation.count_series(source, counter="monitor", draws=20, rng=1).counter == "monitor"


def test_the_threshold_that_the_case_names_is_asked_about_however_it_is_asked(folder):
    counted = escalation.count_series(escalation.open_source(folder), draws=20, rng=1)
    assert escalation.assess(counted, rng=1).options.at_least == 8
    assert escalation.assess(counted, at_least=3, rng=1).options.at_least == 3
    assert escalation.assess(counted, over=4, rng=1).options.at_least is None


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (
            "counter =",
            "conter =",
            r"\[series.raids\]: has the key 'conter', which nothing reads; did you mean counter",
        ),
        (
            "[series.air_strikes]",
            "[series.strikes]",
            "names the series 'strikes', but the tallies hold air",
        ),
        ('series = "raids"', 'series = "raid"', "names the series 'raid'"),
        ('silence = "quiet"', 'silence = "calm"', "silence is 'calm'; use one of quiet, unknown, lower_bound"),
        ("start = 2024-09-02", 'start = "2024-13-02"', r"\[series.raids\]: no such day or period: start"),
        ('freq = "W-SUN"', 'freq = "weekly"', r"\[report\]: no such day or period"),
        ("at_least = 8", 'at_least = "8"', "at_least is '8'; write a whole number from 1"),
        ("at_least = 8", "at_least = 0", "at_least is 0; write a whole number from 1"),
        ('"raids", "air_strikes"]', '"raids"]', "sides is .*; name two series"),
        ('sides = ["raids"', 'sides = ["raid"', "names the series 'raid'"),
        ('summary = "Made up."', "summary = 3", "summary is 3; write it as text in quotes"),
        ('counter = "ministry"', "counter = 3", r"\[series.raids\]: counter is 3; write it as text in quotes"),
        ("[report]", "[reports]", "has the key 'reports', which nothing reads; did you mean report"),
        ('title = "Raids', "title = Raids", "is no TOML"),
    ],
)
def test_settings_that_cannot_be_used_are_named(folder, was, becomes, said):
    text = SETTINGS.replace(was, becomes, 1)
    assert text != SETTINGS
    (folder / "case.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        open_case(folder)
    assert str(caught.value).startswith(str(folder / "case.toml"))
    assert "\n" not in str(caught.value)


def test_settings_that_are_no_text_are_named(folder):
    (folder / "case.toml").write_bytes('title = "Überfälle"'.encode("latin-1"))
    with pytest.raises(FileError, match=r"case\.toml: is not UTF-8 \(byte 9\)"):
        open_case(folder)


def test_a_folder_without_a_table_is_refused(folder):
    (folder / "tallies.csv").unlink()
    with pytest.raises(InputError, match=r"holds no tallies\.csv, no incidents\.csv and no articles; add one"):
        open_case(folder)
    with pytest.raises(InputError, match=r"neither a folder with case\.toml nor a bundled case"):
        open_case(folder.parent)


def test_incidents_beside_tallies_say_of_which_series_they_are(folder):
    (folder / "incidents.csv").write_text("date,country\n2024-09-03,Iraq\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"incidents\.csv: lacks series, date_end, place, fatalities"):
        open_case(folder)
    rows = "series,date,date_end,country,place,fatalities\nraids,2024-09-03,2024-09-03,X,Harbour,2\n"
    (folder / "incidents.csv").write_text(rows, encoding="utf-8")
    case = open_case(folder)
    assert case.incidents is not None and case.incidents["fatalities"].tolist() == [2]
    counted = escalation.count_series(escalation.open_source(folder), draws=20, rng=1)
    assert counted.incidents is not None and len(counted.incidents) == 1
    for cell, said in (("2024-09-31", "date_end is '2024-09-31'; write a day"), ("two", "fatalities is 'two'")):
        (folder / "incidents.csv").write_text(
            rows.replace(",2024-09-03,X", f",{cell},X") if "-" in cell else rows.replace(",2\n", f",{cell}\n")
        )
        with pytest.raises(InputError, match=rf"incidents\.csv, row 2: {said}"):
            open_case(folder)


def test_a_table_of_incidents_is_a_case_of_its_own(tmp_path):
    days = pd.date_range("2024-01-01", periods=60, freq="3D").strftime("%Y-%m-%d")
    listed = tmp_path / "list.csv"
    listed.write_text("date,place\n" + "".join(f"{day},Nordtal\n" for day in days))
    made = new_case(tmp_path / "case", [listed], title="Nordtal")
    source = escalation.open_source(made)
    assert (source.kind, source.title, len(source.table)) == ("incidents", "Nordtal", 60)
    assert escalation.count_series(source).counts.sum() <= 60


# A new case


def test_a_new_case_of_articles_holds_their_counts_as_drafts(tmp_path):
    article = tmp_path / "article.txt"
    article.write_text(ARTICLE, encoding="utf-8")
    made = new_case(tmp_path / "my-case", [article])
    assert sorted(one.name for one in made.iterdir()) == ["articles", "case.toml", "reports", "tallies.csv"]
    assert (made / "articles" / "article.txt").read_text(encoding="utf-8") == ARTICLE
    case = open_case(made)
    read, _ = escalation.read_article(ARTICLE)
    assert case.tallies is not None and len(case.tallies) == len(read) == len(case.unreviewed)
    assert set(case.series) == set(read["series"])
    about = tomllib.loads((made / "case.toml").read_text(encoding="utf-8"))
    assert about["title"] == "my-case" and set(about["series"]) == set(read["series"])


def test_a_new_case_without_a_source_is_a_table_to_fill_in(tmp_path):
    made = new_case(tmp_path / 'a "quoted" name')
    case = read_folder(made)
    assert case.title == 'a "quoted" name' and case.tallies is not None and len(case.tallies) > 0


def test_a_new_case_of_tallies_has_the_same_tallies(tmp_path, folder):
    made = new_case(tmp_path / "again", [folder / "tallies.csv"])
    pd.testing.assert_frame_equal(open_case(made).tallies, open_case(folder).tallies)


@pytest.mark.parametrize(
    ("place", "sources", "said"),
    [
        ("harbour", [], "holds files already; name a folder that is not there yet"),
        ("harbour/tallies.csv", [], "is a file; name a folder that is not there yet"),
        ("missing/case", [], "there is no directory .*missing; create that first"),
        ("new", ["harbour/tallies.csv", "article.txt"], "article.txt is an article and .*tallies.csv is none"),
        ("new", ["nothing.txt"], "no count was found in it"),
        ("new", ["article.txt", "other/article.txt"], "two articles are called article.txt; rename one"),
        ("new", ["absent.csv"], "absent.csv"),
    ],
)
def test_a_case_that_cannot_be_made_leaves_nothing(tmp_path, folder, place, sources, said):
    (tmp_path / "other").mkdir()
    for name in ("article.txt", "other/article.txt"):
        (tmp_path / name).write_text(ARTICLE, encoding="utf-8")
    (tmp_path / "nothing.txt").write_text("The sun rose over the quiet town.", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(escalation.EscalationError, match=said):
        new_case(tmp_path / place, [tmp_path / name for name in sources])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_day_of_publication_goes_with_articles(tmp_path, folder):
    with pytest.raises(InputError, match="is no article, and a day of publication goes with articles"):
        new_case(tmp_path / "new", [folder / "tallies.csv"], published="2024-11-04")


def test_a_series_of_which_nothing_is_said_may_go(folder):
    said = SETTINGS.replace("[series.raids]", "[series.renamed]\n# at_least = 10\n\n[series.raids]", 1)
    (folder / "case.toml").write_text(said, encoding="utf-8")
    assert set(open_case(folder).tallies["series"]) == {"raids", "air_strikes"}
