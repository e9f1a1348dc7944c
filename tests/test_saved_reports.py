"""Reports that were saved as JSON: what moved between two of them, and how the next report opens."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.case_folder import read_folder
from escalation.assessment.source import Source, SourceSeries
from escalation.cases import new_case, read_saved, what_moved
from escalation.cases.differences.saved import is_saved, latest_saved, report_of
from escalation.cases.page_html import fragment
from escalation.cli.running import main
from escalation.errors import InputError

WEEKS = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
COUNTS = pd.Series([3, 5, 2, 4] * 9 + [9, 12, 8, 11], index=WEEKS, name="raids")


def made(last: int, counts: pd.Series = COUNTS, **options: Any) -> escalation.Brief:
    """A brief on the first so many weeks, by a model that is quick."""
    found = escalation.assess(counts[:last], model="climatology", models=(), draws=200, rng=1, **options)
    return escalation.brief(found)


@pytest.fixture(scope="module")
def contents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two reports on one series, four weeks apart, with one threshold."""
    return tuple(json.loads(made(last, at_least=5).to_json()) for last in (36, 40))


def files(folder: Path, *contents: dict[str, Any]) -> list[Path]:
    """Reports as files."""
    paths = [folder / f"report-{place}.json" for place in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return paths


def test_each_answer_is_set_against_the_same_question(contents: Any, tmp_path: Path) -> None:
    found = what_moved(*files(tmp_path, *contents))
    values = [{one["key"]: one for one in content["answers"]} for content in contents]
    table = found.table()
    for key in ("count_recent", "rate_now", "total_ahead", "flashpoint", "flashpoint_year"):
        before, now = (one[key] for one in values)
        assert table.loc[key, ["old", "new"]].tolist() == [before["value"], now["value"]]
        assert table.loc[key, "move"] == now["value"] - before["value"]
        assert table.loc[key, "new_lower"] == now["lower"]
    assert (table.loc["count_recent", "old"], table.loc["count_recent", "new"]) == (14, 40)
    said = found.sentences()
    assert "Counted in the last 4 weeks: 14 before, 40 now incidents, a move of +26." in said
    assert "Its tables are needed for that: escalation diff counts --since 2024-09-08 --as-of 2024-10-06." in said[-1]
    assert found.settings == {}
    assert "Since the report to 2024-09-08: rate now" in found.opening()[0]


def test_thresholds_that_differ_are_not_compared(contents: Any) -> None:
    other = report_of(json.loads(made(36, at_least=7).to_json()))
    new = report_of(contents[1])
    found = what_moved(other, new)
    same = [
        one["value"] for one in json.loads(made(36, at_least=7).to_json())["answers"] if "of 5 or" in one["question"]
    ]
    assert same[:1] == found.table().reindex(["flashpoint"])["old"].dropna().tolist()
    assert found.settings == {"at_least": (7, 5)}
    assert any("a week of 7 or more" in one and one.endswith("(old)") for one in found.not_compared)
    assert any(
        one.startswith("A part of that may be settings that differ: at_least (7, now 5)") for one in found.opening()
    )
    # under whichever key it stands, a threshold is the same question
    moved = copy.deepcopy(contents[0])
    for one in moved["answers"]:
        one["key"] = one["key"].replace("flashpoint", "flashpoint_5") if one["key"] == "flashpoint" else one["key"]
    assert what_moved(report_of(moved), new).table().loc["flashpoint", "old"] == pytest.approx(
        next(one["value"] for one in contents[0]["answers"] if one["key"] == "flashpoint")
    )


def test_the_same_data_leave_settings_and_random_numbers(contents: Any) -> None:
    other = copy.deepcopy(contents[1])
    other["seed"] = 2
    found = what_moved(report_of(other), report_of(contents[1]))
    assert "The data are the same, so that settings and random numbers alone moved it." in found.sentences()
    assert found.settings == {"seed": (2, 1)}
    same = what_moved(report_of(contents[1]), report_of(contents[1]))
    assert same.opening() == ["Nothing changed since the report to 2024-10-06: it rests on the same data."]


def test_an_answer_that_one_does_not_give_is_said(contents: Any) -> None:
    other = copy.deepcopy(contents[0])
    for one in other["answers"]:
        if one["key"] == "rate_now":
            one.update(value=None, lower=None, upper=None)
    found = what_moved(report_of(other), report_of(contents[1]))
    assert "Rate now: not given in the old report." in found.sentences()
    assert "rate now" not in found.opening()[0]


def test_what_cannot_follow_each_other_is_refused(contents: Any, tmp_path: Path) -> None:
    old, new = files(tmp_path, *contents)
    with pytest.raises(InputError, match=r"report-0.json ends on 2024-09-08, report-1.json on 2024-10-06; swap them"):
        what_moved(new, old)
    other = copy.deepcopy(contents[0])
    other["series"]["unit"] = "deaths"
    with pytest.raises(InputError, match=r"is about deaths, W-SUN, this report about incidents, W-SUN; compare"):
        what_moved(report_of(other), report_of(contents[1]))
    broken = copy.deepcopy(contents[0])
    broken["answers"][0]["value"] = "many"
    for content in ({}, {"brief": {}}, broken, [1]):
        with pytest.raises(InputError, match="is no report of escalation"):
            report_of(content, "x.json")  # type: ignore[arg-type]
    (tmp_path / "half.json").write_text(old.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(InputError, match=r"half.json: is no JSON"):
        read_saved(tmp_path / "half.json")


def test_tables_are_not_taken_for_reports(tmp_path: Path, contents: Any) -> None:
    table = tmp_path / "incidents.json"
    table.write_text('[{"version": 1, "date": "2024-01-01"}]', encoding="utf-8")
    assert not is_saved(table)
    assert not is_saved(tmp_path / "missing.json")
    assert is_saved(files(tmp_path, contents[0])[0])


# The next report


def of_case(folder: Path, last: int) -> escalation.Brief:
    """A brief on a case in this folder."""
    case = read_folder(folder)
    source = Source("my-case", "My case", "incidents", pd.DataFrame(), pd.DataFrame(), f"{last:064}", {}, case=case)
    counted = SourceSeries(COUNTS[:last], source=source, title="raids", unit="raids")
    return escalation.brief(escalation.assess(counted, model="climatology", models=(), draws=200, at_least=5, rng=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A case with two earlier reports, a later one, one on another series, a chart's numbers and half a file."""
    made_now = new_case(tmp_path / "my-case")
    reports = made_now / "reports"
    for place, last in enumerate((20, 36, 40)):
        path = reports / f"{last}.json"
        path.write_text(of_case(made_now, last).to_json(), encoding="utf-8")
        os.utime(path, (10 - place, 10 - place))  # the day decides, not the file
    other = json.loads((reports / "36.json").read_text(encoding="utf-8"))
    other["series"]["unit"] = "deaths"
    (reports / "other.json").write_text(json.dumps(other), encoding="utf-8")
    (reports / "numbers.json").write_text("[1, 2]", encoding="utf-8")
    (reports / "half.json").write_text((reports / "36.json").read_text(encoding="utf-8")[:900], encoding="utf-8")
    return made_now


def test_the_next_report_opens_with_what_moved_since_the_latest_earlier_one(folder: Path) -> None:
    assert [one.called() for one in latest_saved(folder / "reports")] == ["40.json", "other.json", "36.json", "20.json"]
    found = of_case(folder, 38)
    assert found.changed is not None
    opening = found.opening()
    assert opening[0].startswith("Since the report to 2024-09-08: rate now")
    page = found.pages()[0]
    assert " ".join(opening) in [getattr(block, "text", "") for block in page.blocks]
    assert "Since the report to" in fragment(found.title, found.pages(), found.foot())
    kept = json.loads(found.to_json())["brief"]["changed"]
    assert (kept["since"], kept["report"], kept["divided"]) == ("2024-09-08", "36.json", False)
    assert max(len(sentence.split()) for sentence in opening) <= 30


def test_a_report_on_the_same_data_is_not_the_one_before(folder: Path) -> None:
    assert of_case(folder, 36).opening()[0].startswith("Since the report to 2024-05-19: ")
    first = of_case(folder, 20)
    assert first.changed is None
    assert first.opening() == []
    assert "changed" not in json.loads(first.to_json())["brief"]


def test_a_report_that_is_named_is_the_one_before(folder: Path) -> None:
    counts = of_case(folder, 40).assessment
    found = escalation.brief(counts, since=folder / "reports" / "20.json")
    assert found.opening()[0].startswith("Since the report to 2024-05-19: ")
    with pytest.raises(InputError, match="swap them"):
        escalation.brief(of_case(folder, 20).assessment, since=str(folder / "reports" / "36.json"))
    with pytest.raises(InputError, match="since is 2024-05-19, but what was known then"):
        escalation.brief(counts, since="2024-05-19")


def test_a_page_kept_with_a_case_has_its_numbers_beside_it(tmp_path: Path) -> None:
    case = new_case(tmp_path / "my-case")
    first = of_case(case, 36)
    for name in ("september.html", "september.pdf"):
        escalation.write_report(first, case / "reports" / name)
    escalation.write_report(first, case / "elsewhere.html")
    assert not (case / "elsewhere.json").exists()
    assert read_saved(case / "reports" / "september.json").until == "2024-09-08"
    assert of_case(case, 40).opening()[0].startswith("Since the report to 2024-09-08: rate now")


@pytest.mark.nightly
def test_a_report_since_a_day_divides_the_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = COUNTS.index.start_time.repeat(COUNTS)
    table = pd.DataFrame({"incident_id": range(len(days)), "date": days, "as_of": days + pd.Timedelta(days=1)})
    table.to_csv(tmp_path / "raids.csv", index=False)
    since = str(COUNTS.index[35].end_time.date())
    assert main(["report", str(tmp_path / "raids.csv"), "--since", since, "-o", str(tmp_path / "new.json")]) == 0
    assert "came: time that passed, new events." in " ".join(capsys.readouterr().out.split())
    kept = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    moved = {one["key"]: one for one in kept["brief"]["changed"]["answers"]}
    answers = {one["key"]: one["value"] for one in kept["answers"]}
    for key in ("count_recent", "rate_now", "total_ahead"):
        assert moved[key]["new"] == answers[key]
        assert moved[key]["events"] + moved[key]["time"] + moved[key]["settings"] == pytest.approx(moved[key]["move"])
    found = escalation.brief(tmp_path / "raids.csv", since=since, rng=1)
    assert isinstance(found.changed, escalation.cases.Changed)
    assert found.changed.to_dict() == kept["brief"]["changed"]


# The command


def test_the_command_shows_how_saved_answers_moved(
    contents: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = map(str, files(tmp_path, *contents))
    assert main(["diff", old, new]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Counted in the last 4 weeks: 14 before, 40 now incidents" in said
    assert "How each answer moved" in said
    assert main(["diff", old, new, "--format", "json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["count_recent"]["move"] == 26
    assert np.isclose(rows["rate_now"]["new"] - rows["rate_now"]["old"], rows["rate_now"]["move"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diff", "old"], "name a second one, or the case alone with --since 2024-09-08"),
        (["diff", "old", "table.csv"], "name a second one in place of table.csv"),
        (["diff", "old", "new", "--seed", "2"], "--seed goes with cases and tables"),
        (["diff", "old", "new", "--rows", "rows.csv"], "--rows goes with cases and tables"),
        (["diff", "new", "old"], "swap them"),
        (["report", "--since", "soon"], "--since is 'soon'"),
        (["report", "--since", "missing.json"], "missing.json: no such file"),
        (["report", "--since", "2024-05-01", "--as-of", "2024-05-01"], "not after --since"),
    ],
)
def test_the_command_refuses_in_one_line(
    contents: Any, tmp_path: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = dict(zip(("old", "new"), map(str, files(tmp_path, *contents)), strict=True))
    assert main([paths.get(one, one) for one in arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert len([line for line in error.splitlines() if line.startswith("error:")]) == 1
