"""Whose dead: columns of a table, and counts, shares and forecasts for a chosen victim."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.analysis import count_lethal, lethality
from escalation.errors import DataWarning, EscalationWarning
from escalation.incidents.victims import deaths_of

DAYS = pd.to_datetime(["2024-01-28", "2024-02-05", "2024-02-09", "2024-03-01", "2024-03-02"])


def table(**columns: list[int | None]) -> pd.DataFrame:
    killed = {"killed_own": [3, 0, 0, None, 0], "killed_partner": [0, 5, 0, None, 0]}
    return pd.DataFrame({"date": DAYS, "fatalities": [3, 5, 0, 4, 7], "place": list("abcde")} | killed | columns)


@pytest.mark.parametrize(
    ("victims", "columns", "expected"),
    [
        ("own", {}, [3, 0, 0, None, 0]),
        ("partner", {}, [0, 5, 0, None, 0]),
        (["own", "partner"], {}, [3, 5, 0, None, 0]),
        ("own", {"killed_unknown": [0, 0, 0, 0, 7]}, [3, 0, 0, None, None]),  # any of the 7 may be its own
        ("own", {"killed_unknown": [1, 0, 0, 0, 7]}, [3, 0, 0, None, None]),
        (["own", "civilian"], {}, [None, None, 0, None, None]),  # nothing is said of civilians, but that none died
        ("own", {"fatalities": [None, None, None, None, None]}, [3, 0, 0, None, 0]),
    ],
)
def test_the_dead_of_one_side(
    victims: str | list[str], columns: dict[str, list[int]], expected: list[int | None]
) -> None:
    found = deaths_of(table(**columns), victims)
    assert found["fatalities"].astype(object).where(found["fatalities"].notna(), None).tolist() == expected
    assert found["fatalities_high"].isna().all()


def test_the_share_that_kills_one_side() -> None:
    assert count_lethal(table())["lethal"].item() == 4
    with pytest.warns(DataWarning, match="1 of 5 incidents state no fatalities of forces of the side attacked"):
        counted = count_lethal(table(), victims="own")
    assert counted.loc["all"].tolist() == [1, 4, 1]
    said = lethality(1, 4, victims="own").sentence()
    assert said.startswith("1 of 4 attacks killed forces of the side attacked: the share that kills them is")
    assert lethality(1, 4).sentence().startswith("1 of 4 attacks killed: the share that kills is")


def test_fatalities_of_one_side_are_summed() -> None:
    known = table().dropna(subset=["killed_own"])
    asked = {"measure": "fatalities", "victims": "partner", "start": "2024-01-01", "end": "2024-03-31"}
    assert escalation.aggregate(known, "M", **asked).tolist() == [0, 5, 0]
    drawn = escalation.aggregate(known, "M", draws=3, rng=1, **asked)
    assert drawn.to_numpy().tolist() == [[0] * 3, [5] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: deaths_of(table(), "us"), "victims is 'us'; use own, partner, attacker, civilian"),
        (lambda: deaths_of(table(), []), r"victims is \[\]; use own"),
        (lambda: deaths_of(table(), "civilian"), "it has no column killed_civilian; name it with"),
        (lambda: escalation.aggregate(table(), "M", victims="own"), "victims is 'own', which goes with measure"),
        (lambda: deaths_of(table(killed_own=[-1, 0, 0, 0, 0]), "own"), r"-1.0 \(killed_own\) is no whole number"),
    ],
)
def test_what_cannot_be_asked_is_refused(call, match: str) -> None:
    with pytest.raises(escalation.InputError, match=match):
        call()


def test_ucdp_says_who_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "ged.csv"
    path.write_text(
        "id,type_of_violence,date_start,date_end,side_a,side_b,country,deaths_a,deaths_b,deaths_civilians,deaths_unknown,"
        "best,low,high\n"
        "1,1,2024-01-02,2024-01-02,Government,Rebels,Freedonia,2,3,0,0,5,5,5\n"
        "2,1,2024-01-03,2024-01-03,Government,Rebels,Freedonia,0,0,0,4,4,4,4\n"
        "3,1,2024-01-04,2024-01-04,Government,Rebels,Freedonia,1,x,0,0,1,1,1\n",
        encoding="utf-8",
    )
    incidents, ledger = escalation.read_incidents(path)
    sides = ["killed_attacker", "killed_own", "killed_civilian", "killed_unknown"]
    assert incidents[sides].iloc[0].tolist() == [2, 3, 0, 0]
    assert ledger[["row", "column", "why"]].to_numpy().tolist() == [[4, "deaths_b", "is no number; blanked"]]
    assert deaths_of(incidents, "own")["fatalities"].isna().tolist() == [False, True, True]
    path.write_text("date,killed,killed_own\n2024-01-02,3,1\n2024-01-03,0,0\n", encoding="utf-8")
    plain, _ = escalation.read_incidents(path)
    assert plain["killed_own"].tolist() == [1, 0] and plain["fatalities"].tolist() == [3, 0]
    path.write_text("date,killed\n2024-01-02,3\n", encoding="utf-8")
    assert "killed_own" not in escalation.read_incidents(path)[0]  # tables without it read as before


def test_a_series_of_incidents_for_one_side(tmp_path: Path) -> None:
    days = pd.date_range("2023-01-02", periods=200, freq="2D")
    rng = np.random.default_rng(1)
    own, civilian = rng.binomial(1, 0.1, 200), rng.binomial(1, 0.3, 200)
    path = tmp_path / "own.csv"
    rows = [f"{d:%Y-%m-%d},{a + b},{a},{b}" for d, a, b in zip(days, own, civilian, strict=True)]
    path.write_text("\n".join(["date,fatalities,killed_own,killed_civilian", *rows]), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        source = escalation.open_source(path)
        options = {"start": days[0], "end": days[-1]}
        counted = escalation.count_series(source, measure="fatalities", victims="own", **options)
        attacks = escalation.count_series(source, victims="own", **options)
    assert counted.counts.sum() == own.sum()
    assert counted.title == "own, forces of the side attacked"
    assert attacks.incidents is not None and attacks.incidents["fatalities"].tolist() == own.tolist()
    assert attacks.victims == ("own",)


def test_the_bundled_attacks_killed_own_forces_once_and_partners_once() -> None:
    case = escalation.open_case("militia-attacks-2023-2024")
    assert case.incidents is not None
    listed = case.incidents[case.incidents["series"] == "militia_attacks_on_us"]
    lethal = {
        side: int(count_lethal(listed, victims=side, unknown="not_lethal")["lethal"].item())
        for side in ("own", "partner", "attacker", "civilian")
    }
    assert lethal == {"own": 1, "partner": 1, "attacker": 0, "civilian": 0}
    assert count_lethal(listed, unknown="not_lethal")["lethal"].item() == 2
