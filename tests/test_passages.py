"""What came, window by window: against a plain loop, and what is not known stays unknown."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.flashpoint_windows import came, past_flashpoints

NAN = np.nan


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def by_hand(observed, ahead, least, over):
    """Whether a flashpoint had come by each step; every window of every step looked at."""
    whole = [*observed, *ahead]
    answers, had, any_complete, known = [], False, False, True
    for step in range(len(ahead)):
        end = len(observed) + step + 1
        window = whole[end - over : end] if end >= over else [NAN]
        past = window[: max(over - step - 1, 0)] if end >= over else [NAN]
        if np.isnan(ahead[step]):
            known = known and np.isnan(past).any()
        if not np.isnan(window).any():
            any_complete = True
            had = had or sum(window) >= least
        elif not np.isnan(past).any():
            known = False
        answers.append(float(had) if known and any_complete else NAN)
    return answers


@pytest.mark.parametrize("seed", range(40))
def test_a_plain_loop_agrees(seed):
    rng = np.random.default_rng(seed)
    observed, ahead = rng.poisson(2, rng.integers(1, 7)).astype(float), rng.poisson(2, 6).astype(float)
    observed[rng.random(len(observed)) < 0.15] = NAN
    ahead[rng.random(6) < 0.1] = NAN
    least, over = int(rng.integers(1, 12)), int(rng.integers(1, 5))
    found = came(observed[None], ahead[None], np.array([least]), over)[0]
    np.testing.assert_array_equal(found, by_hand(observed, ahead, least, over))


def test_paths_that_all_are_what_came_are_found_as_it_was():
    rng = np.random.default_rng(1)
    counts = pd.Series(rng.poisson(3, 60), index=weeks(60))
    for name in ("forecastbench-mean", "acled-25", "first-event"):
        definition = escalation.forecasts.get_flashpoint(name)
        found = past_flashpoints(counts, definition, within=6)
        for place in (20, 33, 53):
            ahead = counts.iloc[place + 1 : place + 7]
            past = np.tile(counts.iloc[: place + 1].to_numpy(float), (3, 1))
            forecast = escalation.Forecast.of_series(np.tile(ahead.to_numpy(), (3, 1)), ahead.index, past, "what came")
            assert found.iloc[place] == escalation.flashpoint(forecast, definition).probability


def test_an_answer_is_known_only_when_its_horizon_has_passed():
    counts = pd.Series([0, 0, 9, 0, 0, 9], index=weeks(6))
    found = past_flashpoints(counts, 5, within=3)
    assert found.iloc[:3].tolist() == [1.0, 1.0, 1.0]
    # a week of 9 follows week 4 as well, but had none come that would not be known: the known would all be 1
    assert found.iloc[3:].isna().all()


def test_gaps_leave_an_answer_open_and_a_short_past_too():
    counts = pd.Series([1, 2, None, 0, 0, 7, 0, 0], index=weeks(8))
    found = past_flashpoints(counts, 5, within=2)
    np.testing.assert_array_equal(found, [NAN, NAN, 0.0, 1.0, 1.0, 0.0, NAN, NAN])
    year = Flashpoint("record", above="record", days=28)
    assert past_flashpoints(counts, year, within=2).iloc[:3].isna().all()


def test_panels_and_histories_are_found_column_by_column():
    rng = np.random.default_rng(2)
    panel = pd.DataFrame(rng.poisson(2, (30, 3)), index=weeks(30), columns=list("abc"))
    definition = Flashpoint("double", above="mean", days=7, times=2.0)
    every = past_flashpoints(panel, definition, within=4)
    for unit in panel:
        pd.testing.assert_series_equal(every[unit], past_flashpoints(panel[unit], definition, within=4))
    histories = panel.set_axis(pd.RangeIndex(3, name="draw"), axis=1)
    np.testing.assert_array_equal(past_flashpoints(histories, definition, within=4), every)


def test_a_definition_brings_its_own_window():
    counts = pd.Series(1, index=weeks(20))
    with pytest.raises(InputError, match="has a window of its own"):
        past_flashpoints(counts, escalation.forecasts.get_flashpoint("views-25"), 2, within=4)
