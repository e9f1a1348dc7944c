"""find: what the further pages of a report say, and what keeps them out of it; and the pages themselves."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from escalation.assessment.source import Source

import escalation
from escalation import CountedSeries, InputError, assess, find, read_trend
from escalation.report.write import compose_report


def counted(values, **more):
    weeks = pd.period_range("2024-01-01", periods=len(values), freq="W-SUN")
    counts = pd.Series(values, index=weeks)
    return CountedSeries(counts, pd.Series(1.0, index=weeks), "raids", "raids", "", "", None, (), **more)


@functools.cache
def step():
    return assess(counted([2, 0, 1] * 8 + [7, 9, 8] * 3), models=[], model="climatology", draws=200, rng=1)


def words(pages):
    lines = [
        line.text for page in pages for artist in page.artists if hasattr(artist, "lines") for line in artist.lines
    ]
    return " ".join(" ".join(lines).split())


def pages_of(assessment, findings):
    empty = pd.DataFrame({"source": pd.Series(dtype=object)})
    source = Source("raids.csv", "raids", "incidents", empty, pd.DataFrame(), "0" * 64, {})
    return compose_report(assessment, source, findings=findings, seed=1)


def test_findings_are_those_of_the_functions():
    assessment = step()
    found, counts = find(assessment, rng=1), assessment.series.counts
    assert found.growth == escalation.growth_rate(counts, 13)
    assert found.changes.sentence() == escalation.changepoints(counts, unit="raids").sentence()
    assert found.poisson_changes.family == "poisson"
    assert found.alarms.sentence() == escalation.alarms(counts, "ears_c2", unit="raids").sentence()
    assert 0 < found.cost.per_year < 15
    same = escalation.flashpoint(
        assessment.forecast, escalation.forecasts.get_flashpoint("acled-25"), within=assessment.within
    )
    assert found.presets["acled-25"] == same
    assert found.regime is None and set(found.left_out) == {"regimes", "excitation"}


@pytest.mark.parametrize(
    ("values", "left_out"),
    [
        ([3, 4, 2, 5, 3, 4], {"changes": "6 observed weeks, and it needs 20", "alarms": "6 observed weeks"}),
        ([0] * 20 + [1, 0, 2, 1], {"growth": "4 raids in its weeks, and it needs 10", "changes": "4 raids"}),
    ],
)
def test_pages_that_the_counts_cannot_carry_are_left_out_and_why_is_said(values, left_out):
    assessment = assess(counted(values), models=[], model="climatology", draws=50, rng=1)
    found = find(assessment, rng=1)
    for page, why in left_out.items():
        assert found.left_out[page].startswith(why)
    text = words(pages_of(assessment, found))
    assert "When did the rate change?" not in text
    assert f"changes ({found.left_out['changes']})" in text


def test_each_page_has_its_sentence_and_the_alternative():
    assessment = step()
    found = find(assessment, rng=1)
    text = words(pages_of(assessment, found))
    for said in (
        "How fast is it growing?", "Could it be a single bulletin or day?", "When did the rate change?",
        "Could it be scatter alone?", "Which weeks stand out?", "Could they be false?", "Flashpoints as others define",
    ):  # fmt: skip
        assert said in text
    assert "Who answers whom?" not in text and "Which regime is it in?" not in text


def test_a_day_that_carries_the_rise_is_named_on_the_page_on_the_rate():
    days = pd.period_range("2024-01-01", periods=84, freq="D")
    daily = pd.Series([1, 0, 0, 0, 0, 0, 0] * 12, index=days)
    daily["2024-03-13"] = 9
    carrier = escalation.analysis.carried_by_day(daily, recent=4, baseline=8)
    assert carrier.carried_by is not None
    found = dataclasses.replace(find(step(), rng=1), carrier=carrier)
    text = words(pages_of(step(), found))
    assert step().change.carried_by is None
    assert "What carries it: the rise hangs on one day, 13 Mar 2024 with 9" in text
    assert "What carries it: no single week" not in text


def test_two_sides_and_regimes_have_their_pages_where_they_are_given():
    rng, counts = np.random.default_rng(2), np.zeros((80, 2))
    for week in range(1, 80):
        counts[week] = rng.poisson(2 + 0.5 * counts[week - 1, ::-1])
    sides = pd.DataFrame(
        counts, columns=["north", "south"], index=pd.period_range("2023-01-02", periods=80, freq="W-SUN")
    )
    excited = escalation.excitation(sides, lags=1, widths=(1,), draws=39, replicates=5, rng=1)
    found = find(step(), excitation=excited, regimes="hidden_markov", rng=1)
    text = words(pages_of(step(), found))
    assert "Who answers whom?" in text and "Which regime is it in?" in text
    assert "is in the active regime" in text
    # the alternatives: the table's own numbers, and a local level's BIC by hand
    fit = escalation.LocalLevel().fit(step().series.counts)
    drifting = len(fit.params) * np.log(fit.nobs) - 2 * fit.llf
    assert found.regime_rival == pytest.approx(drifting, abs=1e-6)
    one, two = found.regime_numbers["bic"].loc[1], found.regime_numbers["bic"].loc[2]
    assert f"One constant rate with scatter has a BIC {abs(one - two):.1f} " in text and "Could it be one rate?" in text
    assert f"One rate that drifts (a local level) has a BIC {abs(drifting - two):.1f} " in text
    assert set(found.left_out) == set()


def test_the_day_that_carries_the_change_is_a_caution_on_the_first_page():
    days = pd.period_range("2024-01-01", periods=24 * 7, freq="D")
    daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 24, index=days)
    daily.iloc[-10] = 60
    weekly = daily.groupby(days.asfreq("W-SUN")).sum().tolist()
    assessment = assess(counted(weekly, daily=daily), models=[], model="climatology", draws=50, rng=1)
    found = find(assessment, rng=1)
    assert found.carrier.kind == "day" and found.carrier.carried_by == 0
    said = words(pages_of(assessment, found))
    assert "The rise hangs on one day" in words(pages_of(assessment, found)[:1])
    assert "A day that is left out counts as not covered" in said
    total = int(sum(weekly[-13:]))
    assert f"{total} in 13 weeks" in said  # a whole number of raids


def test_an_unknown_regime_model_is_refused():
    with pytest.raises(InputError, match="regimes is 'all'; use none or hidden_markov"):
        find(step(), regimes="all")


def test_weeks_that_nobody_watched_are_no_hindrance():
    values = [2, 0, 1] * 5 + [None] * 3 + [1, 2, 0] * 5 + [4, 6, 5] * 3
    series = counted(values)
    watched = replace(series, exposure=series.counts.notna().astype(float))
    assessment = assess(watched, models=[], model="climatology", draws=200, rng=1)
    assert find(assessment, rng=1).growth is not None
    reading = read_trend(watched, slope="none")
    assert reading.growth.observed == 13
