"""Named calendars: spans against published dates, shares of periods against a plain loop over days."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from escalation import InputError, NegativeBinomial
from escalation.counts import calendar_columns, calendar_spans
from escalation.models import Pulse, calendar_pulses

pytest.importorskip("hijridate", reason="calendars are an extra: pip install 'escalation[calendars]'")
pytest.importorskip("holidays", reason="calendars are an extra: pip install 'escalation[calendars]'")

# As Saudi Arabia kept them, by the Umm al-Qura calendar
RAMADAN = {2019: ("05-06", "06-03"), 2022: ("04-02", "05-01"), 2023: ("03-23", "04-20"), 2024: ("03-11", "04-09")}
ONE_DAY = {("ashura", 2023): "07-28", ("eid_al_fitr", 2022): "05-02", ("eid_al_adha", 2023): "06-28"}


@pytest.mark.parametrize("year", RAMADAN)
def test_ramadan_is_when_it_was(year):
    spans = calendar_spans("ramadan", f"{year}-01-01", f"{year}-12-31")
    first, last = RAMADAN[year]
    assert spans.astype(str).to_numpy().tolist() == [[f"{year}-{first}", f"{year}-{last}", "ramadan"]]


@pytest.mark.parametrize(("calendar", "year"), ONE_DAY)
def test_feasts_begin_when_they_did(calendar, year):
    spans = calendar_spans(calendar, f"{year}-01-01", f"{year}-12-31")
    assert str(spans["start"].iloc[0].date()) == f"{year}-{ONE_DAY[calendar, year]}"


def test_a_year_may_have_a_feast_twice_and_spans_are_not_cut():
    assert len(calendar_spans("ramadan", "2030-01-01", "2030-12-31")) == 2  # January and December
    assert len(calendar_spans("ramadan", "2024-04-09", "2024-04-09")) == 1
    assert calendar_spans("ramadan", "2024-04-10", "2024-05-01").empty


def test_public_holidays_are_those_of_the_country_and_its_part():
    days = calendar_spans("holidays-IQ", "2024-01-01", "2024-12-31")
    assert (days["start"] == days["end"]).all()
    assert "2024-01-06" in days["start"].astype(str).tolist()  # Army Day
    texas = calendar_spans("holidays-US-TX", "2024-03-01", "2024-03-31")["start"].astype(str).tolist()
    assert "2024-03-02" in texas  # Independence Day of Texas
    assert "2024-03-02" not in calendar_spans("holidays-US", "2024-03-01", "2024-03-31")["start"].astype(str).tolist()


@pytest.mark.parametrize("freq", ["D", "W-SUN", "M"])
@pytest.mark.parametrize("calendar", ["ramadan", "arbaeen", "holidays-IQ"])
def test_shares_are_those_of_a_plain_loop(freq, calendar):
    periods = pd.period_range("2023-02-01", "2024-05-10", freq=freq, name="period")
    columns = calendar_columns(periods, [calendar], ahead=3)
    spans = calendar_spans(calendar, "2023-01-01", "2024-12-31")
    marked = {day for a, b in zip(spans["start"], spans["end"], strict=True) for day in pd.date_range(a, b)}
    for period, share in columns[calendar].items():
        days = pd.date_range(period.start_time, period.end_time.normalize())
        assert share == pytest.approx(np.mean([day in marked for day in days]))
    assert len(columns) == len(periods) + 3 and columns.index[:-3].equals(periods)
    assert columns.index.name == "period"


def test_an_effect_of_a_calendar_is_found():
    weeks = pd.period_range("2020-01-06", periods=220, freq="W-SUN")
    exog = calendar_columns(weeks, ["ramadan", "ashura"])
    counts = pd.Series(np.random.default_rng(1).poisson(6 * np.exp(0.8 * exog["ramadan"])), index=weeks)
    fit = NegativeBinomial().fit(counts, exog=exog)
    assert abs(fit.params["ramadan"] - 0.8) < 3 * fit.bse["ramadan"]
    assert abs(fit.params["ashura"]) < 3 * fit.bse["ashura"]


def test_each_year_may_have_an_effect_of_its_own():
    pulses = calendar_pulses("ramadan", "2023-01-01", "2024-03-20")
    assert pulses == (Pulse("2023-03-23", "2023-04-20"), Pulse("2024-03-11", "2024-03-20"))
    weeks = pd.period_range("2023-01-02", "2024-06-30", freq="W-SUN")
    counts = pd.Series(np.random.default_rng(2).poisson(5, len(weeks)), index=weeks)
    fit = NegativeBinomial(interventions=pulses).fit(counts)
    assert [name for name in fit.params.index if name.startswith("pulse")] == [pulse.term for pulse in pulses]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: calendar_spans("easter", "2024-01-01", "2024-12-31"),
            "calendar is 'easter'; use ramadan, eid_al_fitr",
        ),
        (lambda: calendar_spans(7, "2024-01-01", "2024-12-31"), "calendar is 7; use ramadan"),
        (
            lambda: calendar_spans("holidays-XX", "2024-01-01", "2024-12-31"),
            "holidays-XX is no calendar of the package",
        ),
        (lambda: calendar_spans("holidays-IQ-XX", "2024-01-01", "2024-12-31"), "holidays-IQ-XX is no calendar of the"),
        (
            lambda: calendar_spans("ramadan", "2024-12-31", "2024-01-01"),
            "end on 2024-01-01, before it starts on 2024-12-31",
        ),
        (lambda: calendar_spans("ramadan", "1901-01-01", "1902-01-01"), "ramadan is not known for 1901-01-01 to"),
        (lambda: calendar_columns(pd.RangeIndex(3), ["ramadan"]), "periods is a RangeIndex; give the PeriodIndex"),
        (
            lambda: calendar_columns(pd.period_range("2024", periods=2, freq="M"), "ramadan"),
            "calendars is 'ramadan'; give",
        ),
        (
            lambda: calendar_columns(pd.period_range("2024", periods=2, freq="M"), ["ashura", "ashura"]),
            "give a list of different names",
        ),
        (
            lambda: calendar_columns(pd.period_range("2024", periods=2, freq="M"), ["ashura"], ahead=-1),
            "ahead is -1; give a whole number",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(ask, message):
    with pytest.raises(InputError, match=message):
        ask()


@pytest.mark.parametrize(("package", "calendar"), [("hijridate", "ramadan"), ("holidays", "holidays-IQ")])
def test_a_package_that_is_missing_is_named(package, calendar, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"{calendar} needs {package}; pip install 'escalation\[calendars\]'"):
        calendar_spans(calendar, "2024-01-01", "2024-12-31")
