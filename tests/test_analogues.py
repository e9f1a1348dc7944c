"""Analogues: what a stretch ends in, which are alike, what followed, and the two parts of the forecast."""

import math

import numpy as np
import pandas as pd
import pytest

from escalation.errors import FitError, InputError
from escalation.models.baselines.analogues import Analogues
from escalation.models.baselines.stretches import (
    MOST_SCALED,
    NARROWEST,
    Stretches,
    decayed_mean,
    draw_places,
    ending_features,
    faded_past,
    in_order_of,
    own_draws,
    past_stretches,
    scaled_futures,
    similarities,
    trailing_mean,
    usual_caps,
)
from escalation.scores import crps, ignorance


def gappy(n=40, units=3, seed=1):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.3, 20, (n, units))).astype(float)
    counts[rng.random((n, units)) < 0.2] = np.nan
    counts[:5, 0] = np.nan
    return counts


def monthly(values, units="ABCDEFGH"):
    periods = pd.period_range("2015-01", periods=len(values), freq="M")
    return pd.DataFrame(np.asarray(values, float), index=periods, columns=list(units)[: np.shape(values)[1]])


# --- what a stretch ends in


def test_features_against_a_plain_loop():
    counts = gappy()
    features = ending_features(counts, 4.0, 6, (0.7, 1.0, 0.5))
    for unit in range(3):
        for t in range(len(counts)):
            past = counts[: t + 1, unit]
            seen = past[~np.isnan(past)]
            if not len(seen):
                assert np.isnan(features[t, unit, :2]).all()
                continue
            logs = np.log1p(seen)
            share = 0.5 ** (np.arange(len(seen))[::-1] / 4.0)
            end = t
            while np.isnan(counts[max(end - 5, 0) : end + 1, unit]).all():  # nothing in the window: that before
                end -= 1
            window = counts[max(end - 5, 0) : end + 1, unit]
            above = np.flatnonzero(np.nan_to_num(past) > 0)
            quiet = t - above[-1] if len(above) else t + 1
            expected = (share @ logs / share.sum(), np.nanstd(np.log1p(window)), math.log1p(quiet))
            # 1e-7: the variance is a difference of means of squares, in error by 1e-15, and its root is taken
            np.testing.assert_allclose(features[t, unit] / (0.7, 1.0, 0.5), expected, atol=1e-7)


def test_features_depend_on_nothing_later():
    counts = gappy()
    changed = counts.copy()
    changed[25:] = 1000
    before, after = (ending_features(table, 4.0, 6, (1.0, 1.0, 1.0))[:25] for table in (counts, changed))
    np.testing.assert_array_equal(before, after)


def test_means_are_carried_over_gaps_however_long():
    values = np.full((5000, 1), np.nan)
    values[[3, 4]] = [[2.0], [4.0]]
    # 4 at weight 1, 2 at weight 1/2
    assert decayed_mean(values, 1.0)[-1, 0] == pytest.approx((4 + 1) / 1.5)
    assert trailing_mean(values, 2)[[4, 5, 4999], 0].tolist() == [3.0, 4.0, 4.0]
    assert np.isnan(decayed_mean(values, 1.0)[:3]).all()
    assert np.isnan(trailing_mean(values, 2)[:3]).all()


# --- which are alike


def test_past_stretches_are_all_that_are_followed_by_counts():
    counts = gappy()
    features = ending_features(counts, 4.0, 6, (1.0, 1.0, 1.0))
    past = past_stretches(counts, features, last=30, steps=3, first=4)
    expected = {(t, unit) for unit in range(3) for t in range(4, 28) if not np.isnan(counts[t : t + 4, unit]).any()}
    assert set(zip(past.period.tolist(), past.unit.tolist(), strict=True)) == expected
    np.testing.assert_array_equal(past.age, 30 - past.period)
    np.testing.assert_array_equal(past.features, features[past.period, past.unit])


def test_of_too_many_stretches_every_nth_period_is_kept_up_to_the_last():
    counts = np.ones((100, 2))
    features = ending_features(counts, 4.0, 6, (1.0, 1.0, 1.0))
    past = past_stretches(counts, features, last=99, steps=3, first=10, most=60)
    assert set(past.period) == set(range(96, 9, -3))  # 87 periods of two units are 174, three times as many
    assert not len(past_stretches(counts, features, last=2, steps=3, first=0).unit)
    assert not len(past_stretches(counts, features, last=20, steps=50, first=0).unit)


def test_similarities_against_their_formula():
    rng = np.random.default_rng(2)
    past = Stretches(np.arange(50), rng.integers(0, 3, 50), rng.standard_normal((50, 3)), np.arange(50.0)[::-1])
    now = np.array([0.1, -0.2, 0.3])
    weight = similarities(past, now, 1, k=7, other_unit=0.2, memory=20.0)
    square = ((past.features - now) ** 2).sum(axis=1) + 0.2 * (past.unit != 1)
    expected = np.exp(-square / np.sort(square)[6]) * 0.5 ** (past.age / 20)
    np.testing.assert_allclose(weight / weight.sum(), expected / expected.sum(), rtol=1e-12)
    same = Stretches(past.period, np.ones(50, int), np.tile(now, (50, 1)), past.age)
    alike = similarities(same, now + np.array([NARROWEST, 0, 0]), 1, k=7, other_unit=0.2, memory=np.inf)
    np.testing.assert_allclose(alike, 1.0)


def test_far_from_all_stretches_the_nearest_ones_count():
    past = Stretches(np.arange(3), np.zeros(3, int), np.array([[1.0, 0, 0], [2.0, 0, 0], [30.0, 0, 0]]), np.zeros(3))
    weight = similarities(past, np.array([1e4, 0.0, 0.0]), 0, k=1, other_unit=0.0, memory=60.0)
    assert np.isfinite(weight).all()
    assert weight.argmax() == 2


def test_places_are_drawn_as_often_as_they_weigh():
    weight = np.array([1.0, 0.0, 2.0, 5.0, 0.0])
    places = draw_places(weight, 800, np.random.default_rng(1))
    np.testing.assert_allclose(np.bincount(places, minlength=5), [100, 0, 200, 500, 0], atol=1)
    assert len(draw_places(weight, 0, np.random.default_rng(1))) == 0


# --- what followed


def test_futures_are_what_followed_in_proportion():
    counts = np.arange(40.0).reshape(20, 2)
    past = Stretches(np.array([5, 9]), np.array([0, 1]), np.zeros((2, 3)), np.zeros(2))
    recent = np.full((20, 2), 10.0)
    same = scaled_futures(counts, recent, past, np.array([0, 1, 1]), 10.0, 3, 30.0)
    np.testing.assert_array_equal(same, [[12, 14, 16], [21, 23, 25], [21, 23, 25]])
    double = scaled_futures(counts, recent, past, np.array([0]), 50.0, 3, 30.0)
    np.testing.assert_array_equal(double, [[24, 28, 32]])  # (50 + 30) / (10 + 30)
    most = scaled_futures(counts, recent, past, np.array([0]), 1e9, 3, 30.0)
    np.testing.assert_array_equal(most, np.array([[12, 14, 16]]) * MOST_SCALED)


def test_the_own_past_fades():
    counts = np.array([np.nan, 7.0, 5.0, np.nan, 3.0])
    values, share = faded_past(counts, (1.0,))
    assert values.tolist() == [7, 5, 3]
    np.testing.assert_allclose(share, np.array([1, 2, 4]) / 7)
    both = faded_past(counts, (1.0, 2.0))[1]
    slow = 0.5 ** (np.array([2, 1, 0]) / 2)
    np.testing.assert_allclose(both, (np.array([1, 2, 4]) / 7 + slow / slow.sum()) / 2)


def test_own_draws_have_the_distribution_of_the_faded_past_with_noise():
    counts = np.array([0.0, 10.0, 40.0])
    plain = own_draws(counts, (1.0,), 0.0, (7000, 2), np.random.default_rng(1))
    for step in range(2):
        np.testing.assert_allclose(np.unique(plain[:, step], return_counts=True)[1], [1000, 2000, 4000], atol=1)
    blurred = own_draws(np.full(5, 40.0), (1.0,), 0.25, (20_000, 2), np.random.default_rng(1)).astype(float)
    # NB2: mean 40, variance 40 + 0.25 * 1600 = 440; 5 standard errors of 40,000 draws
    assert blurred.mean() == pytest.approx(40, abs=5 * math.sqrt(440 / 40_000))
    assert blurred.var() == pytest.approx(440, rel=0.1)
    assert abs(np.corrcoef(blurred.T)[0, 1]) < 0.05
    assert own_draws(counts, (1.0,), 0.1, (0, 2), np.random.default_rng(1)).shape == (0, 2)


def test_shuffling_keeps_the_counts_and_takes_the_order():
    rng = np.random.default_rng(3)
    values, template = rng.poisson(5, (200, 3)), np.outer(np.arange(200), [1, -1, 2]) + 1000
    made = in_order_of(values, template, rng)
    np.testing.assert_array_equal(np.sort(made, axis=0), np.sort(values, axis=0))
    assert (np.diff(made[:, [0, 2]], axis=0) >= 0).all()
    assert (np.diff(made[:, 1]) <= 0).all()


# --- the model


def test_a_repeated_pattern_is_continued():
    counts = np.tile([0, 0, 3, 12, 48, 6], 20)[:117, None]  # ends in 0, 0, 3
    paths = Analogues(k=5, own=0.0, memory=1e6).fit(monthly(counts)).forecast(3, draws=300, rng=1)["A"].series_paths
    # what followed those of the same period of the pattern, which are not scaled and not blurred
    assert (np.median(paths, axis=0) == [12, 48, 6]).all()
    assert ((paths == [12, 48, 6]).all(axis=1)).mean() > 0.5


def test_the_shares_of_both_parts():
    counts = np.zeros((60, 1))
    counts[-1] = 7
    for own, expected in ((0.0, 0.0), (0.25, 0.25), (1.0, 1.0)):
        model = Analogues(own=own, own_half_lives=(0.05,), smoothing=0.0)  # of the own past the last count alone
        paths = model.fit(monthly(counts)).forecast(2, draws=400, rng=1)["A"].series_paths
        # analogues are quiet: a 7 has never been followed by anything yet
        assert (paths[:, 0] == 7).mean() == pytest.approx(expected, abs=1 / 400)


def test_quiet_units_share_the_onsets_of_others():
    rng = np.random.default_rng(4)
    counts = (rng.random((150, 30)) < 0.02) * 5.0
    counts[:, 0] = 0
    periods = pd.period_range("2010-01", periods=150, freq="M")
    table = pd.DataFrame(counts, index=periods, columns=[f"u{j:02d}" for j in range(30)])
    paths = Analogues(own=0.0, other_unit=0.0).fit(table).forecast(4, draws=2000, rng=1)["u00"].series_paths
    assert 0.002 < (paths > 0).mean() < 0.05


def test_nothing_after_the_origin_enters():
    table = monthly(np.random.default_rng(5).poisson(5, (120, 4)))
    forecasts = []
    for later in (0, 1, 9999):
        changed = table.copy()
        changed.iloc[100:] = later
        forecasts.append(Analogues().fit(changed.iloc[:100]).forecast(6, draws=80, rng=3).paths)
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    np.testing.assert_array_equal(forecasts[0], forecasts[2])


def test_distributions_are_those_of_the_forecasts():
    counts = np.random.default_rng(6).poisson([2.0, 9.0], (70, 2))
    model = Analogues(own=0.4)
    fit = model.fit(monthly(counts))
    distribution = model.distributions(fit.estimates[0], fit.array[0], fit.design)[1]
    early = model.fit(monthly(counts[:60])).forecast(1, draws=20_000, rng=1)["B"].series_paths[:, 0]
    support = np.arange(60.0)
    drawn = np.array([(early <= k).mean() for k in support])
    expected = np.array([distribution.cdf(np.full(70, k))[60] for k in support])
    # 200 systematic draws of the analogues against some thousands
    np.testing.assert_allclose(drawn, expected, atol=0.02)
    assert np.isnan(distribution.cdf(np.zeros(70))[0])


def test_horizons_beyond_the_past_are_drawn_from_the_own_past():
    paths = Analogues(smoothing=0.0).fit(monthly([[4, 0], [6, 0], [4, 0]])).forecast(10, draws=200, rng=1)
    assert set(np.unique(paths["A"].series_paths)) == {4, 6}
    assert not paths["B"].series_paths.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k is 0"),
        ({"window": 0}, "window is 0"),
        ({"half_life": 0.0}, "half_life is 0.0; give a number > 0"),
        ({"memory": math.inf}, "memory is inf; give a number > 0"),
        ({"offset": -1.0}, "offset is -1.0; give a number > 0"),
        ({"own_half_lives": ()}, "own_half_lives is nan; give a number > 0"),
        ({"own_half_lives": (2.0, 0.0)}, "own_half_lives is 0.0; give a number > 0"),
        ({"smoothing": -0.1}, "smoothing is -0.1; give a number >= 0"),
        ({"other_unit": math.nan}, "other_unit is nan; give a number >= 0"),
        ({"weights": (1.0, 1.0)}, "give one >= 0 for each of level, variability and quiet"),
        ({"weights": (1.0, -1.0, 1.0)}, "give one >= 0 for each of level, variability and quiet"),
        ({"own": 1.2}, "own is 1.2; give a share from 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Analogues(**options)


def test_units_without_counts_are_named():
    with pytest.raises(FitError, match="unit 'B' has no count to find analogues of; leave it out"):
        Analogues().fit(monthly(np.column_stack([np.ones(30), np.full(30, np.nan)])))


# --- against the benchmark of the field


def test_better_than_conflictology_on_the_challenges_window_of_2018(shared_data):
    pytest.importorskip("pyarrow")
    history = pd.read_parquet(shared_data("data/views_challenge/history_v2_1990-01_2020-12.parquet"))
    counts = history.pivot_table(index="month_id", columns="country_id", values="ged_sb")
    known = counts.loc[:454].astype("Float64")  # October 2017
    known = known.loc[:, known.notna().any()]
    known.index = pd.period_range("1990-01", periods=len(known), freq="M")
    draws = Analogues().fit(known).forecast(14, rng=1).paths[:, :, 2:].transpose(0, 2, 1)
    truth = counts.loc[457:468, [int(name) for name in known.columns]].T.to_numpy()
    year = known.iloc[-12:].T.to_numpy(dtype=float)
    honest = year[:, np.random.default_rng(1).integers(0, 12, (12, 1000))]
    seen = ~np.isnan(truth).any(axis=1) & ~np.isnan(year).any(axis=1)
    benchmark = np.repeat(year[seen][:, None], 12, axis=1)
    assert crps(draws[seen], truth[seen]).mean() < 0.92 * crps(benchmark, truth[seen]).mean()
    logs = crps(draws[seen], truth[seen], scale="log1p").mean()
    assert logs < 0.97 * crps(benchmark, truth[seen], scale="log1p").mean()
    assert ignorance(draws[seen], truth[seen]).mean() < 0.8 * ignorance(honest[seen], truth[seen]).mean()


def test_caps_are_those_of_a_plain_loop():
    values = np.random.default_rng(1).poisson(20, (30, 2)).astype(float)
    values[3:6, 0] = values[:, 1][20:] = np.nan
    caps = usual_caps(values, 4, 3.0)
    for t in range(30):
        for unit in range(2):
            last = values[max(t - 3, 0) : t + 1, unit]
            last = np.sort(last[~np.isnan(last)])
            wanted = 3.0 * (last[:-1].mean() + 10) if len(last) > 1 else np.inf
            assert caps[t, unit] == pytest.approx(wanted)


def test_a_single_record_month_is_not_drawn_over_and_over():
    index = pd.period_range("2020-01", periods=60, freq="M")
    table = pd.DataFrame(np.random.default_rng(2).poisson(5, (60, 4)), index=index, columns=list("abcd"))
    table.iloc[-1, 0] = 2000
    held, free = (Analogues(cap=cap).fit(table).forecast(6, rng=1)["a"].paths for cap in (3.0, np.inf))
    again = [(paths > 500).mean() for paths in (held, free)]
    assert again[0] < 0.03 and again[1] > 2 * again[0] + 0.05  # what is left are futures of analogues that met it
    assert np.quantile(held, 0.5) > 2
    steady = table.assign(a=table["b"])
    same = [Analogues(cap=cap).fit(steady).forecast(6, rng=1).paths for cap in (10.0, np.inf)]
    np.testing.assert_array_equal(*same)


def test_a_cap_is_above_0():
    for cap in (0.0, -1.0, np.nan):
        with pytest.raises(InputError, match=r"cap is .*; give a number > 0, or infinity for no cap"):
            Analogues(cap=cap)
