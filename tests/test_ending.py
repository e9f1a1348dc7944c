"""Where counts of a table of incidents end that nobody says how long was watched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.ending import last_watched


def listed(days):
    return pd.DataFrame({"date": pd.to_datetime(days), "date_end": pd.to_datetime(days)})


def sparse(last="2024-06-12"):
    return listed([*pd.date_range("2024-01-02", "2024-05-28", freq="9D"), pd.Timestamp(last)])


@pytest.mark.parametrize(
    ("freq", "end"), [("W-SUN", "2024-06-09"), ("W-WED", "2024-06-12"), ("D", "2024-06-11"), ("M", "2024-06-12")]
)
def test_the_period_of_the_last_incident_is_left_out(freq, end):
    """But for one that ends with that day; and five whole months would be too few."""
    assert last_watched(sparse(), freq) == pd.Timestamp(end)


def test_where_every_day_holds_an_incident_the_last_day_was_watched():
    busy = listed(pd.date_range("2024-01-01", "2024-06-12"))
    assert last_watched(busy, "W-SUN") == pd.Timestamp("2024-06-12")
    short = listed(["2024-06-01", "2024-06-12"])
    assert last_watched(short, "W-SUN") == pd.Timestamp("2024-06-12")


def test_a_note_says_what_was_left_out_and_an_end_is_believed(tmp_path):
    sparse()[["date"]].to_csv(tmp_path / "raids.csv", index=False)
    source = escalation.open_source(tmp_path / "raids.csv")
    counted = escalation.count_series(source)
    assert counted.observed_until == pd.Timestamp("2024-06-09") and counted.exposure.iloc[-1] == 1
    [note] = [one for one in counted.notes if "as every list does" in one]
    assert (
        "with an incident on 2024-06-12" in note
        and "the week before, 2024-06-09: the incident after it is left out" in note
    )
    assert counted.counts.sum() == len(source.table) - 1
    stated = escalation.count_series(source, end="2024-06-12")
    assert stated.counts.sum() == len(source.table) and 0 < stated.exposure.iloc[-1] < 1
    assert not any("as every list does" in one for one in stated.notes)


@pytest.mark.slow
def test_a_list_that_ends_with_an_incident_looks_no_busier_than_it_was(tmp_path):
    """One incident in two weeks: with the week of the last one the mean probability of a higher rate was 0.72."""
    rng = np.random.default_rng(1)
    said = []
    for _ in range(30):
        days = np.sort(rng.integers(0, 728, rng.poisson(52)))
        dates = pd.Timestamp("2022-01-03") + pd.to_timedelta(days, unit="D")
        pd.DataFrame({"date": dates}).to_csv(tmp_path / "raids.csv", index=False)
        counted = escalation.count_series(escalation.open_source(tmp_path / "raids.csv"))
        said.append(escalation.assess(counted, rng=1, draws=50).rate.probability_higher)
    assert np.mean(said) == pytest.approx(0.5, abs=0.08) and np.mean(np.array(said) > 0.95) <= 0.05
