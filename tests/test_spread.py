"""Histories of incidents: each falls on one day of its window, and none is lost or made."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.counts.schema import check_counts, is_histories, is_panel_histories
from escalation.errors import DataWarning, InputError
from escalation.incidents import aggregate as aggregate_module
from escalation.incidents.aggregate import aggregate
from escalation.incidents.formats.read import read_incidents
from escalation.incidents.spread import draw_fatalities

SLACK = 4.5
"""Standard errors that a share may lie off; one check in 150,000 fails by chance."""


def windows(*pairs, **columns):
    days = pd.to_datetime([day for pair in pairs for day in pair]).to_numpy().reshape(-1, 2)
    return pd.DataFrame(days, columns=["date", "date_end"]).assign(**columns)


@pytest.mark.filterwarnings("ignore::escalation.errors.PartialPeriodWarning")
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90), st.integers(0, 3)), min_size=1, max_size=20),
    st.sampled_from(["D", "W-WED", "M"]),
    st.integers(0, 5),
)
def test_every_history_holds_every_incident_within_its_window(rows, freq, seed):
    begin = pd.Timestamp("2023-01-01") + pd.to_timedelta([row[0] for row in rows], unit="D")
    end = begin + pd.to_timedelta([row[1] for row in rows], unit="D")
    table = pd.DataFrame({"date": begin, "date_end": end, "events": [row[2] for row in rows]})
    histories = aggregate(table, freq, draws=7, rng=seed)
    assert is_histories(check_counts(histories))
    total = table["events"].sum()
    assert (histories.sum() == total).all()
    # as many as lie wholly before a period's end have fallen by then, and no more than those that have begun
    ends = histories.index.to_timestamp(how="end").to_numpy()[:, None]
    fallen, events = histories.cumsum().to_numpy(), table["events"].to_numpy()
    least = (table["date_end"].to_numpy() <= ends) @ events
    most = (table["date"].to_numpy() <= ends) @ events
    assert (fallen >= least[:, None]).all() and (fallen <= most[:, None]).all()


def test_all_days_of_a_window_are_alike():
    table = windows(("2024-11-01", "2024-11-10"), ("2024-11-05", "2024-11-05"))
    histories = aggregate(table, "D", draws=20_000, rng=1)
    share = (histories.drop(index=[pd.Period("2024-11-05")])).mean(axis=1)
    assert np.abs(share - 0.1).max() < SLACK * np.sqrt(0.09 / 20_000)


def test_incidents_of_one_row_fall_each_on_its_own_day():
    table = windows(("2024-11-01", "2024-11-02"), events=[100])
    histories = aggregate(table, "D", draws=2000, rng=1)
    # 100 coins: were they to fall together the standard deviation would be 50 and not 5
    assert histories.loc["2024-11-01"].std() == pytest.approx(5, abs=SLACK * 5 / np.sqrt(2 * 2000))


def test_units_keep_their_own_totals():
    table = windows(*[("2024-11-01", "2024-12-31")] * 5, country=["A", "B", "A", "A", "C"])
    histories = aggregate(table, "M", by="country", draws=4, rng=1)
    assert is_panel_histories(check_counts(histories))
    assert histories.T.groupby(level=0).sum().sum(axis=1).to_dict() == {"A": 12, "B": 4, "C": 4}
    assert histories.sum().tolist() == [3] * 4 + [1] * 8
    both = aggregate(table.assign(admin1=["x", "y", "x", "z", "y"]), "M", by=["country", "admin1"], draws=4, rng=1)
    assert both.columns.names == ["country", "admin1", "draw"]
    assert is_panel_histories(check_counts(both))
    assert both["A", "x"].sum().tolist() == [2] * 4
    assert both.sum().sum() == 5 * 4


def test_the_same_seed_gives_the_same_histories():
    table = windows(("2024-11-01", "2024-12-31"), ("2024-11-11", "2024-11-20"))
    first, again = (aggregate(table, "D", draws=5, rng=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(aggregate(table, "D", draws=5, rng=8))


def test_windows_that_reach_out_of_the_span_are_told():
    table = windows(("2024-10-31", "2024-11-01"), ("2024-11-15", "2024-11-15"), ("2025-02-01", "2025-02-01"))
    with (
        pytest.warns(DataWarning, match="1 of 3 incidents have a window that reaches out"),
        pytest.warns(DataWarning, match="1 of 3 incidents lie outside"),
    ):
        histories = aggregate(table, "M", start="2024-11-01", end="2024-11-30", draws=2000, rng=1)
    assert set(histories.loc["2024-11"]) == {1, 2}
    assert histories.loc["2024-11"].mean() == pytest.approx(1.5, abs=SLACK * 0.5 / np.sqrt(2000))


# --- fatalities ---


def test_fatalities_are_drawn_from_the_discrete_triangular_distribution():
    # low 1, best 2, high 5: weights 1/2, 1, 3/4, 1/2, 1/4, worked out by hand from the definition
    drawn = draw_fatalities(np.tile([1.0, 2.0, 5.0], (60_000, 1)), np.random.default_rng(2))
    expected = np.array([2, 4, 3, 2, 1]) / 12
    share = np.bincount(drawn.astype(int), minlength=6)[1:] / 60_000
    assert np.abs(share - expected).max() < SLACK * np.sqrt(0.25 / 60_000)


@pytest.mark.parametrize("figures", [(0, 0, 40), (0, 40, 40), (3, 17, 40), (7, 7, 7), (0, 1, 10_000_000)])
def test_the_distribution_peaks_at_the_best_figure_and_keeps_its_bounds(figures):
    low, best, high = figures
    drawn = draw_fatalities(np.tile(np.array(figures, dtype=float), (40_000, 1)), np.random.default_rng(3))
    assert low <= drawn.min() <= drawn.max() <= high
    assert (drawn == np.round(drawn)).all()
    if high <= 40:
        counts = np.bincount(drawn.astype(int), minlength=high + 1)
        near = np.flatnonzero(counts >= counts.max() - SLACK * np.sqrt(2 * counts.max()))
        assert best in near
        assert counts[low] > 0 and counts[high] > 0


def test_without_a_best_figure_all_are_alike():
    drawn = draw_fatalities(np.tile([1.0, np.nan, 4.0], (40_000, 1)), np.random.default_rng(4))
    share = np.bincount(drawn.astype(int), minlength=5)[1:] / 40_000
    assert np.abs(share - 0.25).max() < SLACK * np.sqrt(0.1875 / 40_000)


def test_histories_of_fatalities():
    table = windows(
        *[("2024-11-01", "2024-12-31")] * 3,
        fatalities=[5, 2, 1],
        fatalities_low=[5, 0, None],
        fatalities_high=[5, 10, None],
    ).astype(dict.fromkeys(["fatalities", "fatalities_low", "fatalities_high"], "Int64"))
    best = aggregate(table, "M", measure="fatalities", draws=50, figures="best", rng=1)
    assert (best.sum() == 8).all()
    drawn = aggregate(table, "M", measure="fatalities", draws=500, rng=1)
    assert set(drawn.sum()) == set(range(6, 17))


def test_unknown_fatalities_are_refused_in_histories():
    table = windows(*[("2024-11-01", "2024-11-30")] * 2, fatalities=[1.0, np.nan])
    with pytest.raises(InputError, match="1 of 2 incidents have unknown fatalities, and histories have no <NA>"):
        aggregate(table, "M", measure="fatalities", draws=5)


@pytest.mark.parametrize("draws", [0, -1, 2.5, True, "many"])
def test_draws_must_be_a_number(draws):
    with pytest.raises(InputError, match=r"draws is .*; give a whole number from 1"):
        aggregate(windows(("2024-11-01", "2024-11-30")), "M", draws=draws)


def test_too_many_histories_are_refused(monkeypatch):
    monkeypatch.setattr(aggregate_module, "MAX_CELLS", 50)
    with pytest.raises(InputError, match="30 periods x 1 units x 2 draws are more than 50 counts"):
        aggregate(windows(("2024-11-01", "2024-11-30")), "D", draws=2)


def test_an_unknown_distribution_is_refused():
    with pytest.raises(InputError, match="figures is 'normal'; use triangular or best"):
        aggregate(windows(("2024-11-01", "2024-11-30")), "M", figures="normal")


@pytest.mark.parametrize("name", ["sri_lanka", "sierra_leone", "ethiopia"])
@pytest.mark.filterwarnings("ignore::escalation.EscalationWarning")
def test_real_events_are_conserved_in_every_history(name, shared_data):
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/ged_{name}.csv"))
    assert (aggregate(incidents, "W", draws=20, rng=1).sum() == len(incidents)).all()
    deaths = aggregate(incidents, "M", measure="fatalities", draws=20, figures="best", rng=1)
    assert (deaths.sum() == incidents["fatalities"].sum()).all()
    assert (deaths.min(axis=1) <= deaths.max(axis=1)).all() and deaths.nunique(axis=1).max() > 1
