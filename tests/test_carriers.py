"""carried_by_tally and carried_by_day: what is left of a change when one of them is taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from escalation import InputError, compare_rates, reconstruct
from escalation.analysis import carried_by_day, carried_by_tally
from escalation.tallies.left_out import histories_without, leaning


def briefings(counts, **columns):
    start = pd.date_range("2024-01-01", periods=len(counts), freq="7D")
    end = start + pd.Timedelta(days=6)
    return pd.DataFrame(
        {"series": "raids", "qualifier": "exact", "count": counts, "start": start, "end": end} | columns
    )


LULL = [3, 2, 3, 2, 2, 3, 2, 3, 2, 3, 2]


def test_a_catch_up_bulletin_is_named_and_without_it_the_rise_is_gone():
    result = reconstruct(briefings([*LULL, 40]), series="raids", draws=100, rng=1)
    found = carried_by_tally(result, 3, 9, rng=1)
    assert found.change.probability_unusual > 0.95 and found.change.direction() == 1
    assert found.left_out["printed"].tolist()[0] == "40" and found.carried_by == 0
    # redone by hand from the tallies without it
    index = result.histories.index
    rest = reconstruct(briefings(LULL), series="raids", end=index[-1].end_time, draws=200, rng=2)
    by_hand = compare_rates(rest.histories, 3, 9, rng=1).probability_higher
    # shorter chains, a hundred histories: some four Monte Carlo errors
    assert found.left_out["probability_higher"].iloc[0] == pytest.approx(by_hand, abs=0.15)
    assert found.sentence().startswith("The rise hangs on one tally, “40” for 2024-03-18 to 2024-03-24: without it")
    view = found._repr_html_()
    assert ">2024-03-18<" in view and f"{found.left_out['ratio'].iloc[0]:.3g}" in view


def test_two_papers_that_print_one_bulletin_are_left_out_together():
    twice = pd.concat(
        [
            briefings([*LULL, 40], source="a"),
            briefings([40], source="b").assign(start=pd.Timestamp("2024-03-18"), end=pd.Timestamp("2024-03-24")),
        ]
    )
    found = carried_by_tally(reconstruct(twice, series="raids", draws=100, rng=1), 3, 9, tried=1, rng=1)
    assert len(found.left_out) == 1 and found.carried_by == 0


def test_a_rise_in_every_briefing_is_carried_by_none():
    result = reconstruct(briefings([2, 1, 2, 1, 2, 2, 1, 2, 9, 11, 10, 12]), series="raids", draws=100, rng=1)
    found = carried_by_tally(result, 4, 8, tried=2, rng=1)
    assert found.carried_by is None and len(found.left_out) == 2 and (found.left_out["probability_higher"] > 0.9).all()
    assert found.sentence().startswith("No single tally carries the rise: the probability of a rise beyond the usual")


def test_without_a_direction_nothing_is_left_out():
    result = reconstruct(briefings(LULL), series="raids", draws=50, rng=1)
    found = carried_by_tally(result, 3, 8, rng=1)
    assert found.left_out.empty and "no clear rise or fall that a single tally could carry" in found.sentence()


def test_leaning_finds_the_tally_that_pins_the_recent_window():
    result = reconstruct(briefings([*LULL, 40]), series="raids", draws=100, rng=1)
    lean = leaning(result, slice(9, 12), slice(0, 9))
    assert len(lean) == 12 and lean.idxmax()[1] == pd.Timestamp("2024-03-18") and lean.max() > 1


def test_histories_without_a_window_are_those_of_the_other_tallies():
    table = briefings([5, 9, 4])
    whole = pd.DataFrame(
        {"series": "raids", "qualifier": "exact", "count": [30], "start": ["2024-01-01"], "end": ["2024-01-21"]}
    )
    result = reconstruct(
        pd.concat([table, whole.astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})]),
        series="raids",
        draws=50,
        rng=1,
    )
    place = result.tallies["place"].iloc[0]
    rest, rhat = histories_without(
        result, (place, pd.Timestamp("2024-01-08"), pd.Timestamp("2024-01-14")), 100, np.random.default_rng(1)
    )
    assert rest.index.equals(result.histories.index) and 1 <= rhat < 1.2
    assert rest.iloc[1].median() == pytest.approx(30 - 5 - 4, abs=4)  # what the total leaves to the second week


def test_a_day_that_carries_the_rise_is_named():
    days = pd.period_range("2024-01-01", periods=84, freq="D")
    daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 12, index=days)
    daily.iloc[75] = 60
    found = carried_by_day(daily, 4, 8, rng=1)
    row = found.left_out.iloc[0]
    assert found.carried_by == 0 and row["printed"] == "60" and found.kind == "day"
    # by hand: that day counts as not covered
    weeks = daily.groupby(days.asfreq("W-SUN")).sum()
    weeks.iloc[10] -= 60
    exposure = pd.Series(1.0, index=weeks.index)
    exposure.iloc[10] = 6 / 7
    by_hand = compare_rates(weeks, 4, 8, exposure=exposure, rng=1)
    # fewer draws: some four Monte Carlo errors
    assert row["probability_higher"] == pytest.approx(by_hand.probability_higher, abs=0.1)
    assert row["probability_unusual"] == by_hand.probability_unusual
    assert "hangs on one day, 2024-03-16 with 60: without it" in found.sentence()


def test_busy_days_of_the_baseline_carry_a_fall():
    days = pd.period_range("2024-01-01", periods=84, freq="D")
    daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 12, index=days)
    daily.iloc[[3, 10]] = 40
    found = carried_by_day(daily, 4, 8, tried=2, rng=1)
    assert found.change.direction() == -1 and set(found.left_out["start"].dt.day) == {4, 11}


@pytest.mark.parametrize("tried", [0, 1.5])
def test_what_cannot_be_used_is_refused(tried):
    days = pd.period_range("2024-01-01", periods=28, freq="D")
    with pytest.raises(InputError, match="tried is"):
        carried_by_day(pd.Series(1, index=days), 1, 2, tried=tried)
    weeks = pd.period_range("2024-01-01", periods=8, freq="W-SUN")
    with pytest.raises(InputError, match="takes the counts of one series by day"):
        carried_by_day(pd.Series(1, index=weeks), 1, 2)


def test_chains_that_do_not_agree_without_a_tally_are_said_to_be_rough():
    result = reconstruct(briefings([2, 1, 2, 1, 2, 2, 1, 2, 9, 11, 10, 12]), series="raids", draws=100, rng=1)
    found = carried_by_tally(result, 4, 8, tried=2, rng=1)
    assert (found.left_out["rhat"] < 1.2).all() and "do not agree" not in found.sentence()
    apart = replace(found, left_out=found.left_out.assign(rhat=[1.01, 1.9]))
    assert apart.sentence().endswith(" The chains without 1 of the 2 tallies do not agree, so that this is rough.")
