"""Calendars asked for by name: models allow for them, the answer says by how much, what cannot be is one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import escalation
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
