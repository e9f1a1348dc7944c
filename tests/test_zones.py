"""Times with an offset from UTC: the day that each belongs to, by a plain conversion of the standard library."""

import datetime as dt
import warnings
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import DataWarning, EscalationWarning

ALERTS = """region,started_at,finished_at
A,2022-02-26 20:54:55+00:00,2022-02-26 21:24:55+00:00
A,2022-02-26 22:04:38+00:00,2022-02-26 22:34:38+00:00
B,2022-02-27T21:59:59Z,2022-02-28T00:01:00Z
B,2022-02-28 01:30 +0200,2022-02-28 01:45 +0200
B,2022-02-28 11:30 pm,
C,2022-02-28,
"""
NAMED = {"date": "started_at", "place": "region"}


def write(folder: Path, text: str) -> Path:
    path = folder / "alerts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    path = write(tmp_path, ALERTS)
    incidents, ledger = escalation.read_incidents(
        path, columns=NAMED | {"date_end": "finished_at"}, timezone="Europe/Kyiv"
    )
    days = incidents["date"].dt.day.tolist()
    assert days == [26, 27, 27, 28, 28, 28]  # 21:59:59 is a second before midnight there; the last two have no offset
    assert incidents["date_end"].dt.day.tolist() == [26, 27, 28, 28, 28, 28]
    assert ledger[["row", "column", "value", "action", "why"]].to_numpy().tolist() == [
        [3, "finished_at", "2022-02-26 22:34:38+00:00", "changed", "is 2022-02-27 in Europe/Kyiv"],
        [3, "started_at", "2022-02-26 22:04:38+00:00", "changed", "is 2022-02-27 in Europe/Kyiv"],
    ]
    west, _ = escalation.read_incidents(path, columns=NAMED, timezone="America/New_York")
    assert west["date"].dt.day.tolist() == [26, 26, 27, 27, 28, 28]


def test_offsets_without_a_zone_are_said_with_every_answer(tmp_path: Path) -> None:
    path = write(tmp_path, ALERTS)
    with pytest.warns(DataWarning, match=r"4 times have an offset from UTC \('2022-02-26 20:54:55\+00:00', row 2\)"):
        source = escalation.open_source(path, columns=NAMED)
    assert source.table["date"].dt.day.tolist() == [26, 26, 27, 28, 28, 28]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        assert any("have an offset from UTC" in note for note in escalation.count_series(source, freq="D").notes)
        kyiv = escalation.open_source(path, columns=NAMED, timezone="Europe/Kyiv")
        assert not any("offset" in note for note in escalation.count_series(kyiv, freq="D").notes)


def test_a_zone_without_offsets_is_said_to_change_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "date,place\n2022-02-26 22:04,A\n2022-02-27 10:00,B\n")
    with pytest.warns(DataWarning, match="no time in it has an offset from UTC, so its days are as written"):
        incidents, ledger = escalation.read_incidents(path, timezone="Europe/Kyiv")
    assert incidents["date"].dt.day.tolist() == [26, 27]
    assert ledger.empty


@pytest.mark.parametrize(
    ("name", "near"),
    [("Kyiv", "did you mean 'Europe/Kyiv'"), ("europe/kyiv", "mean 'Europe/Kyiv'"), ("+02:00", "write Area/City")],
)
def test_a_zone_that_is_none_is_refused(tmp_path: Path, name: str, near: str) -> None:
    with pytest.raises(escalation.InputError, match=near):
        escalation.read_incidents(write(tmp_path, ALERTS), columns=NAMED, timezone=name)


def test_a_zone_goes_with_incidents_only() -> None:
    with pytest.raises(escalation.InputError, match="is a case with tallies"):
        escalation.open_source("november-2024-article", timezone="Europe/Kyiv")


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S{}", "%d.%m.%Y, %H:%M {}", "%Y%m%d %I:%M %p {}", "%d %B %Y %H:%M{}"]
)
def test_all_ways_to_write_a_time_agree_with_the_standard_library(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(4)
    begin = dt.datetime(2021, 3, 27)  # the clocks go forward on the 28th, and back on 31 October
    times = [begin + dt.timedelta(minutes=int(number)) for number in rng.integers(0, 400_000, 300)]
    offsets = rng.choice(["Z", "+02:00", "-0530", "+00:00"], 300)
    shifts = {"Z": 0, "+02:00": 120, "-0530": -330, "+00:00": 0}
    zone = ZoneInfo("Europe/Kyiv")
    expected = [
        (time - dt.timedelta(minutes=shifts[offset])).replace(tzinfo=dt.UTC).astimezone(zone).date()
        for time, offset in zip(times, offsets, strict=True)
    ]
    cells = [f'"{time.strftime(form).format(offset)}"' for time, offset in zip(times, offsets, strict=True)]
    path = write(tmp_path, "\n".join(["date", *cells]))
    incidents, _ = escalation.read_incidents(path, timezone="Europe/Kyiv", date_order="day-first")
    assert incidents["date"].dt.date.tolist() == expected


def test_times_of_parquet_keep_their_zone(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    times = pd.to_datetime(["2022-02-26 22:04:38", "2022-02-26 10:00:00"]).tz_localize("UTC")
    path = tmp_path / "alerts.parquet"
    pd.DataFrame({"date": times, "place": ["A", "B"]}).to_parquet(path)
    incidents, _ = escalation.read_incidents(path, timezone="Europe/Kyiv")
    assert incidents["date"].dt.day.tolist() == [27, 26]
