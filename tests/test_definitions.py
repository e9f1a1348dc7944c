"""Definitions of a flashpoint: thresholds by hand and by a plain loop, and the probabilities that follow."""

from dataclasses import replace

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
        ("acled-25", "W-SAT", 1),
        ("acled-25", "D", 7),
        ("acled-threat", "W-SAT", 4),
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
    ],
)
def test_thresholds_by_hand(name, past, threshold):
    assert get_flashpoint(name).thresholds(np.array([past], float), "M").tolist() == [threshold]


@pytest.mark.parametrize(
    ("name", "past", "threshold"),
    [
        # Trendfinder: the week against the weekly mean of the 4 or 52 weeks before; more than 10% or 25% above
        ("acled-10", [90, 10, 20, 30, 20], 23),  # above 1.1 x 20
        ("acled-25", [90, 10, 20, 30, 20], 26),  # above 1.25 x 20
        ("acled-10-year", [900, *[10] * 52], 12),  # above 11
        ("acled-25-year", [900, *[10] * 52], 13),  # above 12.5
        # and limited where the mean is 2 or less and the week 5 or less
        ("acled-10", [2, 2, 2, 2], 6),
        ("acled-25", [0, 0, 0, 0], 6),
        ("acled-25-year", [2] * 52, 6),
        ("acled-10", [2, 2, 2, 3], 3),  # above 2.475
        # surge: +100% or more on the weekly mean of the 4 weeks before, where that is 1 or more
        ("acled-surge", [90, 3, 5, 4, 4], 8),
        ("acled-surge", [1, 1, 1, 1], 2),
        # threat: 4 weeks +100% or more on the mean of the 52 weeks before, with 1 a week or more
        ("acled-threat", [900, *[3] * 52], 24),
        ("acled-threat", [1, *[0] * 51], 4),
    ],
)
def test_acled_thresholds_of_weeks_by_hand(name, past, threshold):
    """Sources: acleddata.com/platform/trendfinder and its subnational threat and surge trackers."""
    assert get_flashpoint(name).thresholds(np.array([past], float), "W-SAT").tolist() == [threshold]
    daily = np.repeat(np.array([past], float) / 7, 7, axis=1)
    assert get_flashpoint(name).thresholds(daily, "D").tolist() == [threshold]


def test_where_nothing_usually_happens_there_is_no_surge():
    surge = get_flashpoint("acled-surge")
    with pytest.raises(InputError, match="acled-surge is not defined where the past has fewer than 1 in 7 days"):
        surge.thresholds(np.array([[0.0, 1, 1, 1]]), "W-SAT")
    pasts = np.array([[0.0, 1, 1, 1], [1, 1, 1, 1], [2, 2, 2, 2]])
    quiet, *busy = surge.thresholds(pasts, "W-SAT")
    assert quiet == 2**62 and busy == [2, 4]


def test_months_say_nothing_of_weeks():
    with pytest.raises(InputError, match="acled-25 compares windows of 7 days; count by shorter periods"):
        get_flashpoint("acled-25").thresholds(np.array([[10.0, 20.0]]), "M")


def test_hdx_is_about_fatalities_of_30_days_not_seen_in_a_year_or_three():
    """Source: the page on armed conflict of HDX Signals."""
    for name in ("hdx-1y", "hdx-3y"):
        one = get_flashpoint(name)
        assert (one.days, one.at_least, one.above) == (30, 100, "record")
        assert "fatalities" in one.source


def test_the_first_lethal_event_is_asked_of_deaths_only():
    lethal = get_flashpoint("first-lethal")
    attacks = forecast_of([[1, 0], [0, 0]], [3.0])
    for ask in (escalation.flashpoint, escalation.first_passage):
        with pytest.raises(InputError, match="first-lethal is about fatalities or lethal attacks, and these are count"):
            ask(attacks, lethal)
    deaths = replace(attacks, unit="fatalities")
    assert escalation.flashpoint(deaths, lethal).probability == 0.5
    weeks = pd.period_range("2024-01-01", periods=3, freq="W-SUN")
    counts = escalation.counts.CountSeries(pd.Series([1, 0, 2], index=weeks), unit="attacks")
    with pytest.raises(InputError, match="these are counts of attacks"):
        escalation.forecasts.past_flashpoints(counts, lethal, within=1)


def test_what_is_about_deaths_is_refused_of_other_counts():
    """Sources: VIEWS and HDX Signals say fatalities."""
    attacks = forecast_of([[30, 40]], [3.0] * 12)
    for name in ("views-1", "views-25", "hdx-1y", "hdx-3y"):
        with pytest.raises(InputError, match=f"{name} is about fatalities, and these are counts of"):
            escalation.flashpoint(attacks, get_flashpoint(name))
        for unit in ("fatalities", "deaths", "killed"):
            assert escalation.flashpoint(replace(attacks, unit=unit), get_flashpoint(name)).probability in (0, 1)


def test_a_record_of_a_year_needs_a_year():
    record = get_flashpoint("hdx-1y")
    assert record.past_is_whole(365, "D") and record.past_is_whole(12, "M") and record.past_is_whole(52, "W-SUN")
    assert not record.past_is_whole(300, "D") and not record.past_is_whole(10, "M")
    assert get_flashpoint("views-25").past_is_whole(1, "M")


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
    observed = [[10, 10, 10, 10], [40, 40, 40, 40]]
    forecast = forecast_of([[20, 0], [20, 0]], observed, "W-SUN")
    result = escalation.flashpoint(forecast, get_flashpoint("acled-25"))
    assert result.probability == 0.5  # 20 is above 12.5 and not above 50
    assert (result.name, result.at_least) == ("acled-25", 32)
    assert "(acled-25)" in result.sentence()
    assert escalation.first_passage(forecast, get_flashpoint("acled-25")).tolist() == [0.5, 0.5]


def test_a_fixed_definition_is_a_number():
    rng = np.random.default_rng(1)
    forecast = forecast_of(rng.poisson(20, (300, 6)), rng.poisson(20, 12))
    forecast = replace(forecast, unit="fatalities")
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
