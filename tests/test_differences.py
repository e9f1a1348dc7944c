"""What changed between two reports: rows, shares of causes, and how it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.source import Source
from escalation.cases import what_changed
from escalation.cases.differences.rows import compare_rows
from escalation.cases.differences.shapley import coalitions, orders, shapley
from escalation.cases.differences.states import NEEDS
from escalation.cli.running import main
from escalation.errors import InputError
from escalation.tallies.schema import check_tallies

LAST = pd.Timestamp("2024-12-29")


def incidents(weekly: list[int]) -> pd.DataFrame:
    """So many incidents a week from the first Monday of 2024 on, the last of each week on its Sunday."""
    days = [
        7 * week + (6 if place == number - 1 else place % 6)
        for week, number in enumerate(weekly)
        for place in range(number)
    ]
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    return pd.DataFrame({"incident_id": [f"i{n}" for n in range(len(days))], "date": dates, "date_end": dates})


def source(rows: pd.DataFrame) -> Source:
    """A list of incidents as a source."""
    return Source("raids", "raids", "incidents", rows.reset_index(drop=True), rows.iloc[:0], "", {})


STEADY = [int(n) for n in np.random.default_rng(1).poisson(7, 52) + 1]
FULL = incidents(STEADY)

# Shapley values


def test_shares_are_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(1)
    worth = {frozenset(come): rng.standard_normal(2) for size in range(4) for come in permutations("abc", size)}
    found = shapley("abc", worth.__getitem__, {})
    for name in "abc":
        added = []
        for way in permutations("abc"):
            before = frozenset(way[: way.index(name)])
            added.append(worth[before | {name}] - worth[before])
        assert found[name] == pytest.approx(np.mean(added, axis=0))
    assert sum(found.values()) == pytest.approx(worth[frozenset("abc")] - worth[frozenset()])


def test_new_events_come_after_the_time_they_fall_in() -> None:
    ways = list(orders(("late", "time", "events"), NEEDS))
    assert len(ways) == 3
    assert all(way.index("time") < way.index("events") for way in ways)
    assert frozenset({"events"}) not in coalitions(("late", "time", "events"), NEEDS)
    assert list(orders(("events",), NEEDS)) == [("events",)]


def test_each_set_of_causes_is_answered_once() -> None:
    asked: list[frozenset[str]] = []

    def value(come: frozenset[str]) -> np.ndarray:
        asked.append(come)
        return np.zeros(1)

    shapley(("revised", "late", "time", "events"), value, NEEDS)
    assert len(asked) == len(set(asked)) == len(coalitions(("revised", "late", "time", "events"), NEEDS)) == 12


# Rows


def test_incidents_are_matched_by_their_ids() -> None:
    old = FULL.iloc[:40]
    new = FULL.iloc[:44].copy()
    new.loc[3, "date"] = pd.Timestamp("2024-01-01")
    new = new.drop(index=[7, 9])
    found = compare_rows(old, new, "incidents", old["date"].iloc[-3])
    assert np.flatnonzero(found.withdrawn).tolist() == [7, 9]
    assert np.flatnonzero(found.was).tolist() == np.flatnonzero(found.now).tolist() == [3]
    assert found.late.sum() + found.later.sum() == 4
    listed = found.listed()
    assert listed["cause"].value_counts().to_dict()["withdrawn"] == 2
    whole = found.table(revised=True, late=True, later=True)
    assert sorted(whole["incident_id"]) == sorted(new["incident_id"])
    assert found.table(revised=False, late=False, later=False).equals(old.reset_index(drop=True))


def test_rows_without_ids_are_matched_by_all_they_say() -> None:
    old = FULL.iloc[:20].drop(columns="incident_id")
    twice = pd.concat([old, old.iloc[[4]]])
    found = compare_rows(old, twice, "incidents", LAST)
    assert (found.withdrawn.sum(), found.was.sum(), found.late.sum()) == (0, 0, 1)


def tallies(*rows: tuple[int | None, str, str, str]) -> pd.DataFrame:
    """Tallies by count, qualifier, start and end."""
    table = pd.DataFrame(rows, columns=["count", "qualifier", "start", "end"]).assign(series="raids")
    return check_tallies(table)


def test_tallies_are_late_new_or_totals_of_both() -> None:
    old = tallies((4, "exact", "2024-01-01", "2024-01-07"), (9, "exact", "2024-01-01", "2024-01-14"))
    new = tallies(
        (4, "exact", "2024-01-01", "2024-01-07"),
        (9, "about", "2024-01-01", "2024-01-14"),
        (2, "exact", "2024-01-03", "2024-01-03"),
        (20, "exact", "2024-01-01", "2024-01-21"),
        (6, "exact", "2024-01-15", "2024-01-21"),
    )
    found = compare_rows(old, new, "tallies", pd.Timestamp("2024-01-14"))
    assert found.listed()["cause"].tolist() == ["revised, was", "revised, is", "late", "total of both", "new"]
    assert not found.withdrawn.any()


def test_how_numbers_are_stored_changes_nothing() -> None:
    old = tallies((4, "exact", "2024-01-01", "2024-01-07"))
    other = old.assign(count=old["count"].astype(float))
    assert compare_rows(old, other, "tallies", LAST).listed().empty


# One cause at a time


@pytest.mark.parametrize(("kind", "held"), [("late", 0.95), ("revised", 0.95), ("events", 0.95)])
def test_the_one_cause_that_is_on_gets_the_change(
    kind: str, held: float, benchmark: Callable[[str], ModuleType]
) -> None:
    bench = benchmark("diff")
    made, causes, wanted = bench.WORLDS[kind]
    world = made(np.random.default_rng(4))
    found = what_changed(world.old, world.new, rng=1)
    assert held == wanted
    assert (bench.share(found, causes).dropna() >= held).all()
    moves = found.answers["new"] - found.answers["old"]
    assert found.shares.sum(axis=1).to_numpy() == pytest.approx(moves.to_numpy(), nan_ok=True)
    assert (found.shares["settings"] == 0).all()


def test_both_ends_are_the_reports_themselves() -> None:
    late = FULL.drop(index=FULL.index[-9:-1:2])
    found = what_changed(source(late), source(FULL), rng=3)
    for rows, column in ((late, "old"), (FULL, "new")):
        counted = escalation.count_series(source(rows), rng=3)
        report = escalation.assess(counted, models=(), at_least=found.old.flashpoints[0].at_least, rng=3).answers()
        keys = found.answers.index
        assert found.answers[column].to_numpy() == pytest.approx(report.loc[keys, "value"].to_numpy())
    assert found.causes == ("late",)
    assert found.shares.loc["count_recent", "late"] == 4


def test_late_rows_and_new_events_have_shares_of_their_own() -> None:
    new = incidents([*STEADY, 30, 30, 30, 30])
    known = new[new["date"] <= LAST]
    old = known.drop(index=known.index[-4:-1])
    found = what_changed(source(old), source(new), rng=1)
    assert found.causes == ("late", "time", "events")
    share = found.shares.loc["count_recent"]
    assert share["events"] > 80
    assert abs(share["late"]) <= 0.1 * share["events"]
    said = found.sentences()
    assert "late reports of earlier days, time that passed, new events" in said[0]
    assert "120 of later days, 3 of earlier days" in said[0]
    assert "from new events" in said[1]


def test_model_and_seed_are_the_last_step() -> None:
    found = what_changed(source(FULL), source(FULL), model="climatology", old_rng=1, rng=2)
    assert found.causes == ()
    assert found.shares.columns.tolist() == ["settings"]
    moved = found.answers["new"] - found.answers["old"]
    assert found.shares["settings"].to_numpy() == pytest.approx(moved.to_numpy(), nan_ok=True)
    assert moved["total_ahead"] != 0
    assert moved["count_recent"] == 0
    assert "Nothing changed in what the reports" in found.sentence()


def test_reports_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="the new report ends on 2024-11-03, the old one on 2024-12-29; swap them"):
        what_changed(source(FULL), source(FULL[FULL["date"] <= "2024-11-03"]))


def test_different_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="compare two of a kind"):
        what_changed("november-2024-article", source(FULL))


@pytest.mark.nightly
def test_a_bulletin_that_catches_up_is_reporting(benchmark: Callable[[str], ModuleType]) -> None:
    bench = benchmark("diff")
    made, causes, held = bench.WORLDS["catching_up"]
    world = made(np.random.default_rng(2))
    found = what_changed(world.old, world.new, rng=1)
    assert (bench.share(found, causes).dropna() >= held).all()
    assert "events" not in found.causes


# The command


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An earlier and a later list of the same incidents."""
    paths = tmp_path / "old.csv", tmp_path / "new.csv"
    for path, rows in zip(paths, (FULL.drop(index=FULL.index[-6:-1]), FULL), strict=True):
        rows.drop(columns="date_end").to_csv(path, index=False)
    return paths


def test_the_command_shows_what_moved(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = map(str, files)
    listed = files[0].parent / "rows.csv"
    assert main(["diff", old, new, "--rows", str(listed)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "came: late reports of earlier days; rows that differ: 5 of earlier days." in said
    assert "What moved each answer" in said
    assert pd.read_csv(listed)["cause"].tolist() == ["late"] * 5
    assert main(["diff", old, new, "--format", "json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["count_recent"]["late"] == rows["count_recent"]["move"] == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["old"], "give the day of the old report as --since"),
        (["old", "--since", "soon"], "--since is 'soon'"),
        (["old", "--since", "2024-05-01", "--as-of", "2024-05-01"], "not after --since"),
        (["old", "new", "--model", "nothing"], "model is 'nothing'"),
        (["old", "new", "--freq", "Y"], "freq is 'Y'"),
        (["old", "missing.csv"], "missing.csv"),
    ],
)
def test_the_command_refuses_in_one_line(
    files: tuple[Path, Path], arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [str(files[("old", "new").index(one)]) if one in ("old", "new") else one for one in arguments]
    assert main(["diff", *named]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert len([line for line in error.splitlines() if line.startswith("error:")]) == 1
