"""Cautions: what the reader of an assessment should keep in mind, against the table that it follows from."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from escalation import assess, reconstruct
from escalation.assessment.cautions import FEW_TALLIES
from escalation.assessment.source import SourceSeries

COUNTS = [1, 0, 2, 1, 1, 3, 0, 1, 2, 0, 1, 1, 0, 2, 1, 1, 9, 8, 1, 12]


def series_of(values, **more):
    index = pd.period_range("2024-01-01", periods=len(values), freq="W-SUN", name="period")
    counts = pd.Series(pd.array(values, dtype="Int64"), index=index)
    return SourceSeries(counts=counts, title="raids", unit="raids", **more)


def assessed(series, **options):
    return assess(series, draws=300, models=["negative_binomial"], model="climatology", rng=1, **options)


def said_of(made):
    """The cautions but that about the model, which is asked for here because it is fast."""
    return tuple(one for one in made.cautions if "which was asked for" not in one)


@pytest.fixture(scope="module")
def one_tally():
    tally = {"series": "raids", "count": 40, "qualifier": "exact", "start": "2024-09-02", "end": "2024-11-12"}
    result = reconstruct(pd.DataFrame([tally]), series="raids", draws=40, rng=1)
    made = assess(result, draws=50, model="climatology", models=[], rng=1)
    assert not made.carrier.left_out.size  # one tally, so none that could be left out
    return made


def with_reconstruction(one_tally, **changes):
    """The same, its reconstruction changed; what is not about that is not worked out again."""
    reconstruction = dataclasses.replace(one_tally.reconstruction, **changes)
    other = dataclasses.replace(one_tally, series=dataclasses.replace(one_tally.series, reconstruction=reconstruction))
    vars(other).update(carrier=one_tally.carrier, outlook=one_tally.outlook)
    return other


def test_an_ordinary_series_needs_no_caution():
    assert said_of(assessed(series_of([3, 2, 4, 3, 2, 3, 4, 3, 2, 3]))) == ()


def test_notes_of_the_readers_are_passed_on_but_not_those_for_programmers():
    notes = ("2 incidents lie outside", "covers W1 on 6 of its 7 days; rates and fits allow for it")
    said = assessed(series_of(COUNTS, notes=notes)).cautions
    assert said[0] == "2 incidents lie outside."
    assert not any("covers W1" in one for one in said)  # the coverage has a caution of its own


# Tallies


@pytest.mark.parametrize(
    ("tallies", "said"),
    [
        (1, "The counts rest on 1 tally."),
        (2, "The counts rest on 2 tallies."),
        (5, "The counts rest on 5 tallies."),
        (6, None),
    ],
)
def test_few_tallies_are_told(one_tally, tallies, said):
    table = pd.concat([one_tally.reconstruction.tallies] * tallies, ignore_index=True)
    found = [one for one in with_reconstruction(one_tally, tallies=table).cautions if one.startswith("The counts rest")]
    assert found == ([] if said is None else [said])
    unused = pd.concat([table, table.assign(used=False)], ignore_index=True)
    again = with_reconstruction(one_tally, tallies=unused).cautions
    assert [one for one in again if one.startswith("The counts rest")] == found  # tallies left out do not count


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (0, "No tally ends in the 4 weeks 2024-10-21 to 2024-11-17 (3.3 covered), so the counts"),
        (1, "Only 1 of 30 tallies ends in the 4 weeks"),
        (3, "Only 3 of 30 tallies end in the 4 weeks"),
        (5, "Only 5 of 30 tallies end in the 4 weeks"),
        (6, None),
    ],
)
def test_a_thin_recent_window_is_told(one_tally, ending, said):
    recent, row = one_tally.rate.recent, one_tally.reconstruction.tallies.iloc[[0]]
    days = [recent.first.start_time, recent.last.end_time.normalize()]  # its first and its last day are in it
    inside = [row.assign(end=days[number % 2]) for number in range(ending)]
    before = row.assign(end=recent.first.start_time - pd.Timedelta(days=1))
    table = pd.concat([*[before] * (30 - ending), *inside], ignore_index=True)
    found = [one for one in with_reconstruction(one_tally, tallies=table).cautions if "in the 4 weeks" in one]
    assert len(found) == (said is not None)
    assert all(one.startswith(said) and one.endswith("so the counts of that window are uncertain.") for one in found)
    assert FEW_TALLIES == 5


def test_days_after_the_last_tally_are_called_extrapolated(one_tally):
    days = one_tally.reconstruction.spoken
    spoken = pd.Series(days.index <= pd.Period("2024-11-03", "D"), index=days.index)
    (said,) = [one for one in with_reconstruction(one_tally, spoken=spoken).cautions if "extrapolated" in one]
    assert "the 9 days after 2024-11-03" in said and "to 2024-11-12 are" in said


def test_a_reconstruction_that_did_not_converge_is_told_once(one_tally):
    other = with_reconstruction(one_tally, converged=False, rhat=1.234)
    note = "the reconstruction of raids did not converge (R-hat 1.234, ...); check"
    noted = dataclasses.replace(other, series=dataclasses.replace(other.series, notes=(note,)))
    vars(noted).update(carrier=one_tally.carrier, outlook=one_tally.outlook)
    said = [one for one in noted.cautions if "R-hat" in one]
    assert len(said) == 1 and said[0].startswith("The reconstruction did not converge (R-hat 1.234")


# What the direction hangs on


def test_a_direction_that_hangs_on_one_week_is_told():
    made = assessed(series_of([1] * 16 + [1, 1, 30, 1]), recent=4, baseline=16)
    week = pd.Period("2024-05-06", "W-SUN")
    vars(made)["rate"] = dataclasses.replace(made.rate, carried_by=week)
    assert "The direction of the rate hangs on a single week, 2024-05-06 to 2024-05-12." in made.cautions


def test_a_day_that_carries_the_change_is_told():
    days = pd.period_range("2024-01-01", periods=24 * 7, freq="D")
    daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 24, index=days)
    daily.iloc[-10] = 60
    weekly = daily.groupby(days.asfreq("W-SUN")).sum().tolist()
    made = assess(series_of(weekly, daily=daily), models=[], model="climatology", draws=50, rng=1)
    assert made.carrier.kind == "day" and made.carrier.carried_by == 0
    assert made.cautions[0] == made.carrier.sentence()
    assert made.cautions[0].startswith("The rise hangs on one day, 2024-06-07 with 60")
    without = assess(series_of(weekly), models=[], model="climatology", draws=50, rng=1)
    assert not without.carrier and not any("one day" in one for one in without.cautions)


# Coverage and models


def test_partly_covered_periods_are_told():
    shares = pd.Series(1.0, index=series_of(COUNTS).counts.index)
    shares.iloc[-1] = 0.25
    (said,) = said_of(assessed(series_of(COUNTS, exposure=shares)))
    assert said.startswith("Covered in part: the week 2024-05-13 to 2024-05-19 (25%)")
    shares.iloc[-2] = 0.5
    (said,) = said_of(assessed(series_of(COUNTS, exposure=shares)))
    assert "the weeks 2024-05-06 to 2024-05-12 (50%), 2024-05-13 to 2024-05-19 (25%); rates" in said
    shares.iloc[-2:] = 0
    nothing = assessed(series_of([*COUNTS[:-2], None, None], exposure=shares)).cautions
    assert not any("Covered in part" in one for one in nothing)  # not covered at all is not observed


def test_models_that_failed_or_did_not_converge_are_told():
    made = assessed(series_of(COUNTS))
    vars(made)["outlook"] = dataclasses.replace(made.outlook, failed={"local_level": "too few periods"})
    assert "The model local level was not fitted: too few periods." in made.cautions
    other = assessed(series_of(COUNTS))
    fit = other.fits["negative_binomial"]
    estimates = tuple(dataclasses.replace(one, converged=False) for one in fit.estimates)
    other.fits["negative_binomial"] = dataclasses.replace(fit, estimates=estimates)
    assert "The model negative binomial did not converge: treat its forecast with care." in other.cautions


def test_a_forecast_and_a_rate_that_are_withheld_are_told():
    made = assess(series_of([1, 2, 0, 1, None, None]), recent=2, baseline=4, model="local_level", models=[], rng=1)
    assert f"There is no forecast: {made.forecast.reason}." in made.cautions
    assert f"The rates are not compared: {made.rate.reason}." in made.cautions
    assert len(made.cautions) == 2


def test_no_caution_is_said_twice():
    made = assessed(series_of(COUNTS, notes=("one file lacks dates", "one file lacks dates")))
    assert said_of(made) == ("One file lacks dates.",)


def test_another_model_than_the_default_one_is_said_beside_rates_that_it_does_not_have():
    counts = pd.Series([3, 5, 4, 2, 6, 4] * 10, index=pd.period_range("2022-01-03", periods=60, freq="W-SUN"))
    asked = assess(counts, model="negative_binomial", rng=1)
    words = "Forecasts and flashpoints are those of the negative binomial model, which was asked for"
    assert any(words in one for one in asked.cautions)
    assert not any(words in one for one in assess(counts, rng=1).cautions)


def test_an_earlier_window_that_was_hardly_reported_on_is_said_first():
    weeks = [*pd.date_range("2023-01-02", periods=16, freq="7D"), *pd.date_range("2023-11-13", periods=8, freq="7D")]
    table = pd.DataFrame(
        {
            "series": "raids",
            "qualifier": "exact",
            "count": [4] * 16 + [12] * 8,
            "start": [f"{day:%Y-%m-%d}" for day in weeks],
            "end": [f"{day + pd.Timedelta(days=6):%Y-%m-%d}" for day in weeks],
        }
    )
    made = assess(reconstruct(table, series="raids", draws=60, rng=1), models=[], model="climatology", draws=50, rng=1)
    assert made.cautions[0].startswith("Of the earlier window (the 26 weeks 2023-06-")
    assert "15% of the days are spoken of: its rate" in made.cautions[0]
