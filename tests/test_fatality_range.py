"""Sums of fatalities as ranges, against a plain loop over the incidents."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import DataWarning
from escalation.incidents import fatality_range


def unsure(seed: int = 1, n: int = 80) -> pd.DataFrame:
    """Incidents of two places, some of which state no best figure, no bound or nothing."""
    rng = np.random.default_rng(seed)
    best = pd.Series(rng.integers(0, 9, n), dtype="Int64")
    low, high = best - rng.integers(0, 2, n), best + rng.integers(0, 4, n)
    figures = [figure.clip(lower=0).mask(rng.uniform(size=n) < 0.3) for figure in (low, best, high)]
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 91, n), unit="D")
    columns = dict(zip(("fatalities_low", "fatalities", "fatalities_high"), figures, strict=True))
    return pd.DataFrame({"date": days, "place": rng.choice(["A", "B"], n), **columns})


def by_loop(rows: pd.DataFrame) -> list[int | None]:
    """At least, best and at most of some incidents, and how many do not state it."""
    low, best, high, unknown = 0, 0, 0, 0
    for one in rows.itertuples():
        known = [
            None if pd.isna(cell) else int(cell) for cell in (one.fatalities_low, one.fatalities, one.fatalities_high)
        ]
        low += known[0] if known[0] is not None else known[1] or 0
        best = None if best is None or known[1] is None else best + known[1]
        top = known[2] if known[2] is not None else known[1]
        high = None if high is None or top is None else high + top
        unknown += known[1] is None
    return [low, best, high, unknown]


def test_each_period_has_the_sums_of_a_plain_loop() -> None:
    table = unsure()
    span = {"start": "2024-01-01", "end": "2024-03-31"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # unknown fatalities are in the answer, and no warning
        weeks = fatality_range(table, "W", **span)
        places = fatality_range(table, "M", "place", **span)
    assert weeks.columns.tolist() == ["low", "best", "high", "unknown"] and len(weeks) == 13
    period = table["date"].dt.to_period("W-SUN")
    for week, row in weeks.iterrows():
        assert [None if pd.isna(cell) else cell for cell in row] == by_loop(table[period == week])
    for (figure, place), column in places.items():
        at = ["low", "best", "high", "unknown"].index(figure)
        for month, cell in column.items():
            rows = table[(table["date"].dt.to_period("M") == month) & (table["place"] == place)]
            assert (None if pd.isna(cell) else cell) == by_loop(rows)[at]
    assert weeks.attrs["days"] == ("2024-01-01", "2024-03-31")


def test_counts_are_pointed_to_the_range_and_are_its_best_figure() -> None:
    table = unsure()
    with pytest.warns(DataWarning, match="see escalation.incidents.fatality_range for what is known of them"):
        counts = escalation.aggregate(table, "W", start="2024-01-01", end="2024-03-31", measure="fatalities")
    found = fatality_range(table, "W", start="2024-01-01", end="2024-03-31")
    assert counts.tolist() == found["best"].tolist() and counts.isna().any()


def test_rows_of_counts_are_unknown_as_often_as_they_stand_for_and_windows_stay_windows() -> None:
    days = pd.date_range("2024-01-01", periods=3, freq="7D")
    rows = pd.DataFrame({"date": days, "date_end": days + pd.Timedelta(days=6), "events": [4, 3, 2]})
    found = fatality_range(rows.assign(fatalities=[5, None, 1]), "W")
    assert found["unknown"].tolist() == [0, 3, 0] and found["low"].tolist() == [5, 0, 1]
    wide = pd.DataFrame({"date": days, "date_end": days + pd.Timedelta(days=9), "fatalities": [2, None, 1]})
    with pytest.warns(DataWarning, match="have a window that touches more than one week"):
        found = fatality_range(wide, "W", end="2024-01-28")
    assert found[["low", "unknown"]].to_numpy().tolist() == [[0, 0], [2, 0], [0, 1], [1, 0]]


def test_whose_dead_can_be_asked_for() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-07"])
    table = pd.DataFrame({"date": days, "fatalities": [4, 2, None], "killed_own": [1, None, 3]})
    assert fatality_range(table, "W", victims="own").to_numpy(na_value=-1).tolist() == [[4, -1, -1, 1]]
    with pytest.raises(escalation.InputError, match="the table does not say who was killed"):
        fatality_range(table[["date"]], "W", victims="own")
