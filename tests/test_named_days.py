"""Calendars asked for by name: models allow for them, the answer says by how much, what cannot be is one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.cli import main
from escalation.conventions.wording import plain
from escalation.counts.calendars import calendar_columns
from escalation.errors import InputError

pytest.importorskip("hijridate")
WEEKS = pd.period_range("2021-01-04", periods=170, freq="W-SUN")


def counts(factor: float) -> pd.Series:
    """Weekly counts around 6, on days of Ramadan so many times as many."""
    share = calendar_columns(WEEKS, ["ramadan"])["ramadan"]
    return pd.Series(np.random.default_rng(3).poisson(6 * factor**share), index=WEEKS)


def test_the_answer_says_how_many_times_as_many_and_forecasts_allow_for_it() -> None:
    series = counts(3.0)
    found = escalation.assess(series, calendars=["ramadan"], season="none", models=(), draws=1000, rng=1)
    answer = found.answers().loc["effect_of_ramadan"]
    assert answer["lower"] < 3.0 < answer["upper"] < 5.0
    assert answer["value"] > 2.3
    said = found.sentences("forecast")[1]
    assert said.startswith("On days of ramadan there are ")
    assert "which may be none" not in said
    next_ramadan = escalation.assess(series[:163], calendars=["ramadan"], season="none", models=(), draws=1000, rng=1)
    without = escalation.assess(series[:163], season="none", models=(), draws=1000, rng=1)
    ahead = calendar_columns(WEEKS[:163], ["ramadan"], ahead=8)["ramadan"].iloc[-8:].to_numpy()
    assert ahead.max() == 1.0  # Ramadan of 2024 begins on 11 March
    ratio = next_ramadan.forecast.series_paths.mean(axis=0) / without.forecast.series_paths.mean(axis=0)
    assert ratio[ahead == 1.0].min() > 1.8
    assert ratio[ahead == 0.0].max() < 1.3


def test_no_effect_is_said_to_be_none_perhaps() -> None:
    found = escalation.assess(counts(1.0), calendars=["ramadan"], season="none", models=(), draws=200, rng=1)
    assert "which may be none" in found.sentences("forecast")[1]
    assert "effect_of_ramadan" not in escalation.assess(counts(1.0), models=(), draws=200, rng=1).answers().index


def test_models_beside_that_take_no_calendar_stand_without() -> None:
    options = {"calendars": ["ramadan"], "season": "none", "draws": 200, "rng": 1}
    found = escalation.assess(counts(3.0), model="negative_binomial", models=("last_value",), **options)
    assert set(found.forecasts) == {"negative_binomial", "last_value"}
    assert 2.3 < found.answers().loc["effect_of_ramadan", "value"] < 4.0


def test_rates_in_a_calendar_are_as_uncertain_as_what_it_is_worth() -> None:
    found = escalation.assess(counts(3.0), calendars=["ramadan"], season="none", models=(), draws=200, rng=1).answers()
    effect, ratio = found.loc["effect_of_ramadan"], found.loc["rate_ratio"]  # the last weeks are of Ramadan
    assert np.log(ratio["upper"] / ratio["lower"]) == pytest.approx(np.log(effect["upper"] / effect["lower"]), rel=0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"calendars": ["lent"]}, "calendar is 'lent'"),
        ({"calendars": "ramadan"}, "give a list of different names"),
        ({"calendars": ["ramadan", "ramadan"]}, "give a list of different names"),
        ({"calendars": ["ramadan"], "model": "climatology"}, "the model climatology takes no calendars"),
    ],
)
def test_what_cannot_be_is_one_line(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        escalation.assess(counts(1.0), **options)
    assert "\n" not in str(caught.value)


def test_a_calendar_without_a_day_in_the_series_is_refused() -> None:
    with pytest.raises(InputError, match="the days of ramadan are no part of 2021-05-17 to 2021-08-22"):
        escalation.assess(counts(1.0)[19:33], calendars=["ramadan"])


def test_a_report_says_what_a_calendar_is_worth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    days = np.repeat(WEEKS.start_time, counts(3.0))
    pd.DataFrame({"date": [*days, WEEKS[-1].end_time.normalize()]}).to_csv("list.csv", index=False)
    assert main(["report", "list.csv", "--calendar", "ramadan", "--season", "none", "-o", "found.json"]) == 0
    content = json.loads(Path("found.json").read_text(encoding="utf-8"))
    found = next(row for row in content["answers"] if row["key"] == "effect_of_ramadan")
    assert 2.0 < found["value"] < 4.5
    assert main(["report", "list.csv", "--calendar", "ramadan", "--season", "none", "-o", "found.html"]) == 0
    said = f"On days of ramadan there are {plain(found['value'])} times as many as otherwise"
    assert said in Path("found.html").read_text(encoding="utf-8")


def test_a_calendar_and_the_day_of_an_earlier_report_do_not_go_together(tmp_path: Path, capsys) -> None:
    (tmp_path / "list.csv").write_text("date\n2024-01-01\n", encoding="utf-8")
    command = ["report", str(tmp_path / "list.csv"), "--calendar", "ramadan", "--since", "2024-03-01"]
    assert main([*command, "-o", str(tmp_path / "x.json")]) == 2
    assert capsys.readouterr().err.startswith("error: --calendar and --since with a day do not go together")
