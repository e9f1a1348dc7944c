"""Definitions of a flashpoint: thresholds by hand and by a plain loop, and the probabilities that follow."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import InputError
from escalation.forecasts.flashpoint_definitions import PRESETS, Flashpoint, get_flashpoint, list_flashpoints


def forecast_of(paths, observed, freq="M"):
    paths = np.asarray(paths, dtype=np.int64)
    observed = np.asarray(observed, dtype=float)
    observed = np.tile(observed, (len(paths), 1)) if observed.ndim == 1 else observed
    periods = pd.period_range("2024-12-01", periods=paths.shape[1], freq=freq, name="period")
    return escalation.Forecast.of_series(paths, periods, observed, "by hand")


@pytest.mark.parametrize(
    ("name", "freq", "over"),
    [
        ("views-25", "D", 30),
        ("views-25", "W-SUN", 4),
        ("views-25", "M", 1),
        ("acled-25", "W-SAT", 4),
        ("acled-25", "D", 28),
    ],
)
def test_windows_of_days_become_periods(name, freq, over):
    assert get_flashpoint(name).over(freq) == over


@pytest.mark.parametrize(
    ("name", "past", "threshold"),
    [
        ("views-25", [3, 4], 25),
        ("first-event", [3, 4], 1),
        ("hdx-1y", [900, *[50] * 11, 120], 121),  # the 900 lie 13 months back
        ("hdx-1y", [50] * 12, 100),
        ("hdx-3y", [900, *[50] * 11, 120], 901),
        ("forecastbench-mean", [*[0] * 5, *[12] * 6, 6, 12], 8),  # 90 in 12 months: above 7.5
        ("forecastbench-tenfold", [6] * 12, 71),  # above 10 x 7
        ("acled-10", [50, 20], 23),  # above 22
        ("acled-25", [50, 20], 26),  # above 25
        ("acled-25-year", [10] * 12, 13),  # above 12.5
    ],
)
def test_thresholds_by_hand(name, past, threshold):
    assert get_flashpoint(name).thresholds(np.array([past], float), "M").tolist() == [threshold]


def test_thresholds_of_daily_counts_agree_with_a_plain_loop():
    rng = np.random.default_rng(2)
    past = rng.poisson(3, (4, 500)).astype(float)
    past[:, 470] = np.nan
    record = get_flashpoint("hdx-1y").thresholds(past, "D")
    mean = get_flashpoint("forecastbench-mean").thresholds(past, "D")
    for row, high, usual in zip(past, record, mean, strict=True):
        sums = [row[k : k + 30].sum() for k in range(500 - 365, 500 - 29)]
        assert high == max(100, np.nanmax(sums) + 1)
        assert usual == int(np.nanmean(row[-360:]) * 30) + 1


def test_each_history_has_its_own_threshold():
    observed = [[10, 10], [10, 40]]
    forecast = forecast_of([[20, 0], [20, 0]], observed)
    result = escalation.flashpoint(forecast, get_flashpoint("acled-25"))
    assert result.probability == 0.5  # 20 is above 12.5 and not above 50
    assert (result.name, result.at_least) == ("acled-25", 32)
    assert "(acled-25)" in result.sentence()
    assert escalation.first_passage(forecast, get_flashpoint("acled-25")).tolist() == [0.5, 0.5]


def test_a_fixed_definition_is_a_number():
    rng = np.random.default_rng(1)
    forecast = forecast_of(rng.poisson(20, (300, 6)), rng.poisson(20, 12))
    named, plain = escalation.flashpoint(forecast, get_flashpoint("views-25")), escalation.flashpoint(forecast, 25)
    assert named.probability == plain.probability
    assert escalation.flashpoint(forecast, Flashpoint("own", 50, days=60)).probability == (
        escalation.flashpoint(forecast, 50, over=2).probability
    )


def test_every_definition_has_a_source_and_is_listed():
    table = list_flashpoints()
    assert table.index.tolist() == list(PRESETS)
    assert (table["source"] != "").all()
    for name, definition in PRESETS.items():
        assert definition.name == name


def test_wrong_definitions_are_refused():
    with pytest.raises(InputError, match="flashpoint is 'coup'; the definitions are views-25"):
        get_flashpoint("coup")
    with pytest.raises(InputError, match="above is 'sky'"):
        Flashpoint("x", above="sky")
    with pytest.raises(InputError, match="times is -1"):
        Flashpoint("x", times=-1)
    with pytest.raises(InputError, match="days is 0"):
        Flashpoint("x", days=0)
    short = forecast_of([[1]], [], "D")
    with pytest.raises(InputError, match="only 0 were observed before"):
        escalation.flashpoint(short, get_flashpoint("acled-25"))
    with pytest.raises(InputError, match="needs a complete window"):
        get_flashpoint("hdx-1y").thresholds(np.full((1, 40), np.nan), "D")
    with pytest.raises(InputError, match="brings its own"):
        escalation.flashpoint(forecast_of([[1]], [1.0]), get_flashpoint("views-25"), over=3)
