"""LastValue and Bootstrap: what they draw, against counting by hand and against VIEWS' own benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation import Climatology, FitError, InputError
from escalation.models import Bootstrap, LastValue


def series(values, freq="W-SUN"):
    values = np.asarray(values, float)
    return pd.Series(values, index=pd.period_range("2022-01-03", periods=len(values), freq=freq, name="period"))


COUNTS = series([9, 9, 0, 4, 2, 3, np.nan, 7])


# --- the last value


def test_the_last_observed_value_persists():
    paths = LastValue().fit(COUNTS).forecast(3, draws=4000, rng=1).series_paths
    for column in paths.T:
        expected = 4000 * stats.poisson(7).pmf(np.arange(15))
        seen = np.bincount(np.minimum(column, 15), minlength=16)[:15]
        assert stats.chisquare([*seen, 4000 - seen.sum()], [*expected, 4000 - expected.sum()]).pvalue > 1e-3
    assert abs(np.corrcoef(paths.T)[0, 1]) < 0.08  # independent: 5 standard errors
    assert (LastValue(spread="none").fit(COUNTS).forecast(3, draws=5).series_paths == 7).all()
    gap = COUNTS.copy()
    gap.iloc[-1] = np.nan
    assert (LastValue(spread="none").fit(gap).forecast(1, draws=5).series_paths == 3).all()


def test_distributions_of_the_last_value_are_poisson_around_the_one_before():
    for spread in ("poisson", "none"):
        fit = LastValue(spread=spread).fit(COUNTS)
        given = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
        np.testing.assert_array_equal(given.mean, [np.nan, 9, 9, 0, 4, 2, 3, 3])
        np.testing.assert_array_equal(given.variance, given.mean if spread == "poisson" else 0 * given.mean)
    assert fit.fitted.tolist() == [9, 9, 9, 0, 4, 2, 3, 3]


def test_parts_of_periods_stand_for_whole_ones_at_their_rate():
    exposure = pd.Series([1.0] * 7 + [0.5], index=COUNTS.index)
    fit = LastValue(spread="none").fit(COUNTS, exposure=exposure)
    assert fit.forecast(1, draws=2).series_paths.ravel().tolist() == [14, 14]
    assert fit.fitted.iloc[-1] == 1.5


def test_last_values_are_those_of_views(shared_data):
    """The Poisson means of the challenge's own draws, country by country."""
    pytest.importorskip("pyarrow")
    history = pd.read_parquet(shared_data("data/views_challenge/history_v2_1990-01_2020-12.parquet"))
    drawn = pd.read_parquet(shared_data("data/views_challenge/cm_last_2018.parquet")).reset_index()
    outcome = next(name for name in drawn.columns if name in ("outcome", "prediction"))
    means = drawn.groupby("country_id")[outcome].mean()
    last = history[history["month_id"] == (2017 - 1980) * 12 + 10].set_index("country_id")["ged_sb"]
    common = means.index.intersection(last.index)
    assert len(common) > 150
    for country in common[::10]:
        counts = pd.Series([0.0, float(last[country])], index=pd.period_range("2017-09", periods=2, freq="M"))
        ours = LastValue().fit(counts).forecast(12, draws=1000, rng=1).series_paths.mean()
        # two means of 12,000 Poisson draws each, 5 standard errors
        assert ours == pytest.approx(means[country], abs=1e-9 + 5 * np.sqrt(2 * last[country] / 12_000))


@pytest.mark.parametrize("spread", ["negbin", None, True])
def test_spread_is_one_of_two(spread):
    with pytest.raises(InputError, match=f"spread is {spread!r}; last_value takes 'poisson' or 'none'"):
        LastValue(spread=spread)


# --- the bootstrap


def test_blocks_keep_the_order_and_go_round():
    fit = Bootstrap(block=3, window=4).fit(COUNTS)
    paths = fit.forecast(5, draws=3000, rng=1).series_paths
    ring = [4, 2, 3, 7]  # the unobserved week is stepped over
    pieces = {tuple((ring * 2)[k : k + 3]) for k in range(4)}
    assert {tuple(path[:3]) for path in paths.tolist()} == pieces
    assert {tuple(path[3:]) for path in paths.tolist()} == {piece[:2] for piece in pieces}
    shares = [np.mean(paths == value, axis=0) for value in ring]
    # 3,000 draws of a quarter: 0.04 is 5 standard errors
    np.testing.assert_allclose(shares, 0.25, atol=0.04)


def test_single_periods_are_climatology():
    exposure = pd.Series([1.0] * 7 + [0.25], index=COUNTS.index)
    one, other = (
        model.fit(COUNTS, exposure=exposure) for model in (Bootstrap(block=1, window=5), Climatology(window=5))
    )
    assert one.fitted.equals(other.fitted)
    share = [np.mean(fit.forecast(10, draws=3000, rng=1).series_paths == 28) for fit in (one, other)]
    # 0.25 of 4.25 weeks, in 30,000 draws: 0.007 is 5 standard errors
    np.testing.assert_allclose(share, 0.25 / 4.25, atol=0.007)
    y = series(np.random.default_rng(1).poisson(4, 40))
    fits = [model.fit(y) for model in (one.model, other.model)]
    given = [fit.model.distributions(fit.estimates[0], fit.array[0], fit.design) for fit in fits]
    np.testing.assert_array_equal(*(each.cdf(y.to_numpy()) for each in given))


def test_changes_are_added_up_and_their_drift_taken_out():
    counts = series([3, 7, 3, 15, 31])  # log2(1 + y) is 2, 3, 2, 4, 5
    changes = np.log(2) * (np.array([1, -1, 2, 1]) - 0.75)
    fit = Bootstrap(of="changes", block=2, window=None).fit(counts)
    paths = fit.forecast(3, draws=500, rng=1).series_paths
    wanted = set()
    for first in range(4):
        for second in range(4):
            level, path = np.log(32), []
            for place in (first, (first + 1) % 4, second):
                level = max(0.0, level + changes[place])
                path.append(round(np.expm1(level)))
            wanted.add(tuple(path))
    assert {tuple(path) for path in paths.tolist()} == wanted
    assert fit.fitted.tolist() == [3, 3, 7, 3, 15]


def test_changes_stop_at_zero_and_come_back():
    counts = series([1, 7, 1, 0, 1, 3, 0, 1] * 3)
    paths = Bootstrap(of="changes", block=1).fit(counts).forecast(60, draws=300, rng=1).series_paths
    quiet = paths == 0
    assert quiet.mean() > 0.1
    assert (paths[:, 1:][quiet[:, :-1]] > 0).mean() > 0.2


def test_distributions_of_changes_are_those_of_one_step():
    counts = series(np.random.default_rng(2).poisson(20, 30))
    counts.iloc[12] = np.nan
    model = Bootstrap(of="changes", window=None)
    whole = model.distributions(model.fit(counts).estimates[0], counts.to_numpy(), model.fit(counts).design)
    assert np.isnan(whole.mean[:11]).all()
    for t in (14, 29):
        past = model.fit(counts.iloc[:t]).forecast(1, draws=20_000, rng=1).series_paths[:, 0]
        # the mean of 20,000 draws: 5 standard errors
        assert whole.mean[t] == pytest.approx(past.mean(), abs=5 * past.std() / np.sqrt(20_000))
        assert set(past.tolist()) == set(whole.draws[t][whole.weights[t] > 0].tolist())


def test_the_level_wanders_with_changes_only():
    drift = series(np.round(20 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.3, 80)))))
    for of, widens in (("counts", False), ("changes", True)):
        frame = Bootstrap(of=of).fit(drift).forecast(24, draws=3000, rng=1).summary_frame(0.5)
        width = (np.log1p(frame["obs_pi_upper"]) - np.log1p(frame["obs_pi_lower"])).to_numpy()
        assert (width[-1] > 1.5 * width[0]) == widens


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"of": "levels"}, "of is 'levels'; bootstrap takes 'counts' or 'changes'"),
        ({"block": 0}, "block is 0"),
        ({"window": 2.5}, "window is 2.5"),
    ],
)
def test_options_of_the_bootstrap(options, message):
    with pytest.raises(InputError, match=message):
        Bootstrap(**options)


def test_one_period_has_no_order():
    with pytest.raises(FitError, match="1 observed periods are too few for bootstrap; it needs 2"):
        Bootstrap().fit(series([4]))
