"""Cautions, totals of the models and how often a threshold was reached: against the table and plain loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from escalation.assessment.context import cautions, model_totals, times_reached
from escalation.assessment.source import CountedSeries

from escalation import assess, reconstruct
from escalation.tallies.printed import contradictions_by_window, printed_count

COUNTS = [1, 0, 2, 1, 1, 3, 0, 1, 2, 0, 1, 1, 0, 2, 1, 1, 9, 8, 1, 12]


def series_of(values, **changes):
    index = pd.period_range("2024-01-01", periods=len(values), freq="W-SUN", name="period")
    counts = pd.Series(pd.array(values, dtype="Int64"), index=index)
    shares = pd.Series(1.0, index=index)
    return dataclasses.replace(CountedSeries(counts, shares, "raids", "raids", "", "", None, ()), **changes)


def assessed(series, **options):
    return assess(series, draws=300, models=["negative_binomial"], model="climatology", rng=1, **options)


@pytest.fixture(scope="module")
def one_tally():
    tally = {"series": "raids", "count": 40, "qualifier": "exact", "start": "2024-09-02", "end": "2024-11-12"}
    result = reconstruct(pd.DataFrame([tally]), series="raids", draws=40, rng=1)
    series = CountedSeries(result.histories, result.exposure, "raids", "raids", "ALL", "desk", result, ())
    return assess(series, draws=50, model="climatology", models=[], rng=1)


def with_tallies(one_tally, table):
    reconstruction = dataclasses.replace(one_tally.series.reconstruction, tallies=table)
    return dataclasses.replace(one_tally, series=dataclasses.replace(one_tally.series, reconstruction=reconstruction))


def test_an_ordinary_series_needs_no_caution():
    assert cautions(assessed(series_of([3, 2, 4, 3, 2, 3, 4, 3, 2, 3]))) == []


def test_notes_of_the_readers_are_passed_on_but_not_those_for_programmers():
    notes = ("2 incidents lie outside", "pass exposure=escalation.exposure(...)")
    assert cautions(assessed(series_of(COUNTS, notes=notes)))[0] == "2 incidents lie outside."
    assert not any("exposure=" in one for one in cautions(assessed(series_of(COUNTS, notes=notes))))


def test_few_tallies_are_told(one_tally):
    assert "The counts rest on 1 tally." in cautions(one_tally)


@pytest.mark.parametrize(
    ("ending", "said"),
    [(0, "No tally ends in the 4 weeks"), (1, "Only 1 of 30 tallies ends in"), (3, "Only 3 of 30 tallies end in")],
)
def test_a_thin_recent_window_is_told(one_tally, ending, said):
    recent = one_tally.change.recent
    row = one_tally.series.reconstruction.tallies.iloc[[0]]
    earlier = row.assign(end=recent.first.start_time - pd.Timedelta(days=9))
    table = pd.concat([earlier] * (30 - ending) + [row.assign(end=recent.first.start_time)] * ending, ignore_index=True)
    assert any(one.startswith(said) for one in cautions(with_tallies(one_tally, table)))


def test_days_after_the_last_tally_are_called_extrapolated(one_tally):
    table = one_tally.series.reconstruction.tallies.assign(end=pd.Timestamp("2024-11-03"))
    (said,) = [one for one in cautions(with_tallies(one_tally, table)) if "extrapolated" in one]
    assert "the 9 days after 2024-11-03" in said and "to 2024-11-12 are" in said


def test_a_reconstruction_that_did_not_settle_is_told_once(one_tally):
    unsettled = dataclasses.replace(one_tally.series.reconstruction, converged=False, rhat=1.234)
    note = "the reconstruction of raids did not settle (R-hat 1.234, ...); check"
    series = dataclasses.replace(one_tally.series, reconstruction=unsettled, notes=(note,))
    said = [one for one in cautions(dataclasses.replace(one_tally, series=series)) if "settle" in one]
    assert len(said) == 1 and "R-hat 1.234" in said[0] and said[0].startswith("The reconstruction")


def test_a_direction_that_hangs_on_one_week_is_told():
    made = assessed(series_of([1] * 16 + [1, 1, 30, 1]), recent=4, baseline=16)
    week = pd.Period("2024-05-06", "W-SUN")
    changed = dataclasses.replace(made, change=dataclasses.replace(made.change, carried_by=week))
    assert "The direction of the rate hangs on a single week, 2024-05-06 to 2024-05-12." in cautions(changed)


def test_partly_covered_periods_are_told():
    shares = pd.Series(1.0, index=series_of(COUNTS).counts.index)
    shares.iloc[-1] = 0.25
    (said,) = cautions(assessed(series_of(COUNTS, exposure=shares)))
    assert said.startswith("Covered in part: the week 2024-05-13 to 2024-05-19 (25%)")


def test_models_that_failed_or_did_not_settle_are_told():
    made = dataclasses.replace(assessed(series_of(COUNTS)), failed={"local_level": "too few periods"})
    assert "The model local level was not fitted: too few periods." in cautions(made)
    fit = made.fits["negative_binomial"]
    estimates = tuple(dataclasses.replace(one, converged=False) for one in fit.estimates)
    made.fits["negative_binomial"] = dataclasses.replace(fit, estimates=estimates)
    assert "The model negative binomial did not settle: treat its forecast with care." in cautions(made)


def test_totals_of_the_models_are_quantiles_of_their_paths():
    made = assessed(series_of(COUNTS), within=5)
    table = model_totals(made)
    assert list(table.index) == list(made.forecasts)
    for name, forecast in made.forecasts.items():
        totals = sorted(sum(path[:5]) for path in forecast.series_paths.tolist())
        firsts = sorted(path[0] for path in forecast.series_paths.tolist())
        n = len(totals)
        for prefix, values in (("total", totals), ("first", firsts)):
            # inverse of the empirical distribution function, by hand
            expected = [values[int(np.ceil(q * n)) - 1] for q in (0.5, 0.05, 0.95)]
            found = table.loc[name, [prefix, f"{prefix}_lower", f"{prefix}_upper"]]
            assert found.tolist() == pytest.approx(expected, abs=1)  # 0.05 n is not exact in floats


@pytest.mark.parametrize("over", [1, 3])
def test_times_reached_counts_the_windows_so_far(over):
    made = assessed(series_of(COUNTS), over=over, at_least=9)
    sums = [sum(COUNTS[i : i + over]) for i in range(len(COUNTS) - over + 1)]
    table = times_reached(made)
    assert list(table.index) == list(made.passage.columns) and set(table["windows"]) == {len(sums)}
    assert table["reached"].tolist() == [sum(total >= at_least for total in sums) for at_least in table.index]


def test_unobserved_weeks_are_in_no_window():
    made = assessed(series_of([1, None, *COUNTS]), over=2, at_least=9)
    assert set(times_reached(made)["windows"]) == {len(COUNTS) - 1}


# Tallies in words


@pytest.mark.parametrize(
    ("count", "qualifier", "low", "high", "text"),
    [
        (1200, "exact", None, None, "1,200"),
        (40, "about", None, None, "about 40"),
        (38, "at_least", None, None, "at least 38"),
        (180, "more_than", None, None, "more than 180"),
        (9, "up_to", None, None, "up to 9"),
        (None, "range", 70, 90, "70 to 90"),
        (None, "dozens", None, None, "dozens"),
        (None, "almost_weekly", None, None, "almost weekly"),
        (3, "weekly", None, None, "3 weekly"),
        (None, "hundreds", 300, 400, "hundreds (300 to 400)"),
    ],
)
def test_counts_as_printed(count, qualifier, low, high, text):
    row = pd.Series({"count": count, "qualifier": qualifier, "low": low, "high": high}, dtype=object)
    assert printed_count(row.where(row.notna(), pd.NA)) == text


def test_contradictions_are_grouped_by_window(one_tally):
    columns = ["count", "qualifier", "start", "end", "used", "why", "surprise"]
    rows = [
        (55, "exact", "2023-10-17", "2023-11-14", True, "", 0.7),
        (56, "exact", "2023-10-17", "2023-11-14", True, "", 0.6),
        (56, "exact", "2023-10-17", "2023-11-14", False, "flag duplicate", 0.9),
        (40, "about", "2023-10-17", "2023-11-16", False, "flag stale", 0.001),
        (9, "exact", "2023-10-30", "2023-10-30", True, "", 0.001),
    ]
    table = pd.DataFrame(rows, columns=columns).assign(place="ALL", role="count", low=pd.NA, high=pd.NA, flag="ok")
    table = table.assign(predicted_low=[54, 53, 53, 52, 1], predicted_high=[57, 58, 57, 65, 4])
    table[["start", "end"]] = table[["start", "end"]].astype("datetime64[s]")
    found = contradictions_by_window(dataclasses.replace(one_tally.series.reconstruction, tallies=table))
    assert found["printed"].tolist() == ["9", "55 and 56", "about 40"]
    assert found["remark"].tolist() == ["9 improbable", "all are used", "about 40 improbable, left out: stale"]
    assert found[["expected_low", "expected_high"]].to_numpy().tolist() == [[1, 4], [53, 58], [52, 65]]
    assert found[["lowest", "highest"]].to_numpy().tolist() == [[9, 9], [55, 56], [40, 40]]


def test_without_contradictions_the_table_is_empty(one_tally):
    assert contradictions_by_window(one_tally.series.reconstruction).empty
