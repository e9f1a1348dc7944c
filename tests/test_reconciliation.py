"""Reconciled forecasts: parts sum to totals on every path, and have the distributions that enumeration gives."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from escalation.errors import DataWarning, InputError
from escalation.forecasts.forecast import Forecast
from escalation.forecasts.reconciliation import METHODS, reconcile
from escalation.forecasts.reconciliation_integers import (
    combine,
    pair_by_rank,
    probabilities_at,
    resample_in_place,
    split_at_random,
    split_whole,
)

WEEKS = pd.period_range("2024-12-02", periods=3, freq="W-SUN")
PARENTS = {"a": "north", "b": "north", "c": "south", "north": "all", "south": "all", "d": "all"}


def forecast(paths, **options):
    paths = np.asarray(paths)
    return Forecast.of_series(paths, WEEKS[: paths.shape[1]], np.ones((len(paths), 4)), "example", **options)


def random_forecasts(means, draws=500, seed=1):
    rng = np.random.default_rng(seed)
    return {name: forecast(rng.negative_binomial(2, 2 / (2 + mean), (draws, 3))) for name, mean in means.items()}


def tree(seed=1):
    parts = random_forecasts({"a": 1.0, "b": 4.0, "c": 0.2, "d": 9.0}, seed=seed)
    totals = random_forecasts({"all": 20.0, "north": 6.0, "south": 0.5}, seed=seed + 100)
    return parts, totals


# --- coherence --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_parts_sum_to_their_totals_on_every_path(method):
    parts, totals = tree()
    made = reconcile(parts, totals, parents=PARENTS, method=method, rng=1)
    paths = {name: made[name].series_paths for name in (*parts, *totals)}
    np.testing.assert_array_equal(paths["north"], paths["a"] + paths["b"])
    np.testing.assert_array_equal(paths["south"], paths["c"])
    np.testing.assert_array_equal(paths["all"], paths["north"] + paths["south"] + paths["d"])
    np.testing.assert_array_equal(made.total.series_paths, made.parts.total().series_paths)
    for one in paths.values():
        assert one.dtype == np.int64
        assert one.min() >= 0
    again = reconcile(parts, totals, parents=PARENTS, method=method, rng=1)
    np.testing.assert_array_equal(again.parts.paths, made.parts.paths)
    assert (made.effective is not None) == (method == "conditioning")


def test_bottom_up_keeps_the_parts_and_top_down_the_total():
    parts, totals = tree()
    kept = reconcile(parts, totals, parents=PARENTS, method="bottom-up")
    for name, one in parts.items():
        np.testing.assert_array_equal(kept[name].series_paths, one.series_paths)
    made = reconcile(parts, totals, parents=PARENTS, method="top-down", rng=1)
    np.testing.assert_array_equal(made.total.series_paths, totals["all"].series_paths)
    share = totals["north"].mean() / (totals["north"].mean() + totals["south"].mean() + parts["d"].mean())
    np.testing.assert_allclose(made["north"].mean(), share * totals["all"].mean(), rtol=0.05)  # 10,000 counts a step


def test_matching_keeps_the_distribution_of_the_whole():
    parts, totals = tree()
    made = reconcile(parts, totals, parents=PARENTS, method="matching", rng=1)
    np.testing.assert_array_equal(np.sort(made.total.series_paths, axis=0), np.sort(totals["all"].series_paths, axis=0))


@pytest.mark.parametrize("method", ["projection", "matching"])
def test_forecasts_that_agree_are_left_as_they_are(method):
    parts = random_forecasts({"a": 1.0, "b": 4.0, "c": 30.0})
    total = forecast(np.random.default_rng(2).permutation(sum(one.series_paths for one in parts.values())))
    made = reconcile(parts, total, method=method, rng=1)
    for name, one in parts.items():
        np.testing.assert_array_equal(made[name].series_paths, one.series_paths)


def test_a_panel_keeps_what_it_knows():
    parts, _ = tree()
    panel = Forecast(
        np.stack([one.series_paths for one in parts.values()]),
        tuple(parts),
        WEEKS,
        np.zeros((4, 500, 7)),
        "panel",
        component=np.arange(500) // 100,
    )
    made = reconcile(panel, forecast(panel.paths.sum(axis=0) + 1), rng=1)
    assert (made.parts.units, made.parts.model, made.parts.observed.shape) == (panel.units, "panel", (4, 500, 7))
    np.testing.assert_array_equal(made.parts.component, panel.component)
    assert "Reconciled" in made._repr_html_()
    assert made.sentence() == (
        f"On each of 500 paths 4 parts sum to their totals (total; projection). {made.total.sentence()}"
    )
    table = made.table()
    assert table.index.levels[0].tolist() == ["total", *panel.units]
    for unit in panel.units:
        assert table.loc[unit].equals(made[unit].table())
    np.testing.assert_allclose(table.loc["total", "mean"], sum(table.loc[unit, "mean"] for unit in panel.units))


def test_totals_continue_the_histories_of_their_parts():
    parts = random_forecasts({"a": 1.0, "b": 4.0})
    history = np.arange(500) // 100
    several = {name: replace(one, component=history) for name, one in parts.items()}
    made = reconcile(several, forecast(parts["a"].series_paths + parts["b"].series_paths), rng=1)
    np.testing.assert_array_equal(made.total.component, history)
    assert reconcile(parts, forecast(parts["a"].series_paths), rng=1).total.component is None
    for method in METHODS:
        with pytest.raises(InputError, match="the paths of total continue other histories than those of a"):
            reconcile(several, forecast(parts["a"].series_paths, component=history[::-1].copy()), method=method, rng=1)


# --- projection -------------------------------------------------------------------------------------------


def test_projection_is_minimum_trace_path_by_path():
    rng = np.random.default_rng(3)
    parts = rng.multivariate_normal([20, 30, 50], [[9, 4, 0], [4, 16, -3], [0, -3, 25]], 400).T[:, :, None]
    total = rng.normal(110, 6, (400, 1))
    best, gains = combine(parts, total)
    found = parts + gains[:, None] * (best - parts.sum(axis=0))
    summing = np.vstack([np.ones(3), np.eye(3)])
    errors = np.zeros((4, 4))
    errors[0, 0], errors[1:, 1:] = total.var(), np.cov(parts[:, :, 0], bias=True)
    inverse = np.linalg.inv(errors)
    mapping = np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse)
    exact = mapping @ np.vstack([total[:, 0], parts[:, :, 0]])
    np.testing.assert_allclose(found[:, :, 0], exact, rtol=1e-9)  # rounding of floats


def test_the_projected_mean_lies_between_by_the_variances():
    rng = np.random.default_rng(4)
    parts = {name: forecast(rng.poisson(mean, (4000, 2))) for name, mean in (("a", 100), ("b", 300))}
    total = forecast(np.round(rng.normal(480, 40, (4000, 2))).astype(np.int64))
    made = reconcile(parts, total, rng=1)
    trust = 400 / (400 + 1600)  # variance of the sum of two Poissons, and that of the total
    # standard errors: 20 and 40 over the root of 4000 draws, combined
    np.testing.assert_allclose(made.total.mean(), 400 + trust * 80, atol=4.5 * 40 / np.sqrt(4000))
    moved = made["b"].mean() - parts["b"].mean()
    np.testing.assert_allclose(moved / (trust * 80), 0.75, atol=0.05)  # b has three quarters of the variance


def test_dependence_in_time_and_among_units_stays_that_of_the_parts():
    rng = np.random.default_rng(5)
    level = rng.gamma(4, 1, (3000, 1))
    parts = {name: forecast(rng.poisson(mean * level, (3000, 3))) for name, mean in (("a", 10), ("b", 20))}
    sums = sum(one.series_paths for one in parts.values())
    total = forecast(rng.permutation(np.round(1.4 * sums).astype(np.int64)))
    made = reconcile(parts, total, rng=1)
    before = np.corrcoef(np.hstack([one.series_paths for one in parts.values()]).T)
    after = np.corrcoef(np.hstack([made[name].series_paths for name in parts]).T)
    assert before.min() > 0.5
    np.testing.assert_allclose(after, before, atol=0.06)  # small parts are rounded
    narrow = reconcile(
        parts, forecast(rng.poisson(150, (3000, 3))), rng=1
    )  # its sum is nearly fixed, but not its order
    ranks = [pd.DataFrame(paths).rank().corr().to_numpy() for paths in (sums, narrow.total.series_paths)]
    np.testing.assert_allclose(ranks[1], ranks[0], atol=0.06)  # small spread is rounded


def test_draws_are_paired_by_rank():
    rng = np.random.default_rng(6)
    draws, guide = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    paired = pair_by_rank(draws, guide, rng)
    np.testing.assert_array_equal(np.sort(paired, axis=0), np.sort(draws, axis=0))
    np.testing.assert_array_equal(np.argsort(paired, axis=0), np.argsort(guide, axis=0))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(0, 40), st.integers(0, 2**20))
def test_whole_parts_sum_exactly_and_are_as_wanted_on_average(parts, size, seed):
    rng = np.random.default_rng(seed)
    wanted = rng.gamma(0.7, 3.0, (parts, 1, 1)) * (rng.random((parts, 1, 1)) < 0.7)
    gains = rng.dirichlet(np.ones(parts)).reshape(parts, 1)
    total = np.full((800, 1), size, dtype=np.int64)
    made = split_whole(np.broadcast_to(wanted, (parts, 800, 1)).copy(), total, gains, rng)
    np.testing.assert_array_equal(made.sum(axis=0), total)
    assert made.min() >= 0
    loop = np.maximum(wanted[:, 0, 0] + gains[:, 0] * (size - wanted.sum()), 0)
    loop = loop * size / loop.sum() if loop.sum() > 0 else np.full(parts, size / parts)
    assert (np.abs(made[:, :, 0] - loop[:, None]) < 1 + 1e-9).all()  # each is rounded up or down
    np.testing.assert_allclose(made.mean(axis=(1, 2)), loop, atol=5 * 0.5 / np.sqrt(800))  # a coin at worst


def test_counts_are_split_at_random_with_the_shares_of_the_means():
    rng = np.random.default_rng(7)
    made = split_at_random(np.full((4000, 2), 30), np.array([[1.0, 0.0], [3.0, 0.0]]), rng)
    np.testing.assert_array_equal(made.sum(axis=0), 30)
    np.testing.assert_allclose(made.mean(axis=1), [[7.5, 15], [22.5, 15]], atol=4.5 * 2.8 / np.sqrt(4000))


# --- conditioning -----------------------------------------------------------------------------------------


def test_conditioning_gives_the_distribution_that_enumeration_gives():
    rng = np.random.default_rng(8)
    draws = 200_000
    parts = {name: forecast(rng.poisson(mean, (draws, 1))) for name, mean in (("a", 0.6), ("b", 1.1))}
    total = forecast(rng.poisson(3.0, (draws, 1)))
    made = reconcile(parts, total, method="conditioning", rng=1)
    grid = np.arange(12)
    exact = poisson.pmf(grid, 0.6)[:, None] * poisson.pmf(grid, 1.1) * poisson.pmf(grid[:, None] + grid, 3.0)
    exact /= exact.sum()
    found = np.zeros_like(exact)
    np.add.at(found, (made["a"].series_paths[:, 0], made["b"].series_paths[:, 0]), 1 / draws)
    effective = float(made.effective.iloc[0, 0])
    assert 0.2 < effective / draws < 1
    np.testing.assert_allclose(found, exact, atol=5 * 0.5 / np.sqrt(effective))


def test_conditioning_on_two_levels_gives_the_distribution_that_enumeration_gives():
    rng = np.random.default_rng(9)
    draws = 200_000
    means = {"a": 0.5, "b": 0.8, "c": 0.4}
    parts = {name: forecast(rng.poisson(mean, (draws, 1))) for name, mean in means.items()}
    totals = {"all": forecast(rng.poisson(3.0, (draws, 1))), "ab": forecast(rng.poisson(2.0, (draws, 1)))}
    made = reconcile(
        parts, totals, parents={"a": "ab", "b": "ab", "ab": "all", "c": "all"}, method="conditioning", rng=1
    )
    exact = {}
    for counts in itertools.product(range(9), repeat=3):
        probability = np.prod([poisson.pmf(k, mean) for k, mean in zip(counts, means.values(), strict=True)])
        exact[counts] = probability * poisson.pmf(sum(counts[:2]), 2.0) * poisson.pmf(sum(counts), 3.0)
    size = sum(exact.values())
    found = pd.Series(list(map(tuple, made.parts.paths[:, :, 0].T))).value_counts() / draws
    for counts, probability in exact.items():
        assert found.get(counts, 0.0) == pytest.approx(probability / size, abs=0.012)  # resampled twice


def test_conditioning_is_narrower_than_forecasts_that_agree():
    rng = np.random.default_rng(10)
    parts = {name: forecast(rng.poisson(mean, (50_000, 1))) for name, mean in (("a", 8), ("b", 12))}
    total = forecast(rng.poisson(20, (50_000, 1)))
    made = reconcile(parts, total, method="conditioning", rng=1)
    product = poisson.pmf(np.arange(80), 20) ** 2
    product /= product.sum()
    spread = product @ np.arange(80) ** 2 - (product @ np.arange(80)) ** 2
    assert spread < 0.55 * 20
    assert made.total.series_paths.var() == pytest.approx(spread, rel=0.06)  # the kernel adds its own width
    assert reconcile(parts, total, rng=1).total.series_paths.var() == pytest.approx(20, rel=0.03)


def test_a_distribution_from_draws_is_that_which_they_come_from():
    rng = np.random.default_rng(11)
    values = np.arange(0, 120)
    for distribution, rough in ((nbinom(4, 0.1), 0.002), (poisson(0.7), 0.005)):
        found = probabilities_at(distribution.rvs(20_000, random_state=rng), values)
        np.testing.assert_allclose(found, distribution.pmf(values), atol=rough)
        assert found.sum() == pytest.approx(1.0, abs=0.01)


def test_draws_that_can_stay_in_their_place_do():
    rng = np.random.default_rng(12)
    weights = rng.dirichlet(np.ones(200))
    guide = rng.integers(0, 30, 200)
    chosen = resample_in_place(weights, guide, rng)
    times = np.bincount(chosen, minlength=200)
    assert (np.abs(times - 200 * weights) < 1).all()
    assert (chosen[times > 0] == np.flatnonzero(times > 0)).all()
    assert (resample_in_place(np.full(50, 1 / 50), np.zeros(50, dtype=np.int64), rng) == np.arange(50)).all()


def test_few_effective_draws_are_told_and_none_is_refused():
    rng = np.random.default_rng(13)
    parts = {name: forecast(rng.poisson(10, (500, 2))) for name in "ab"}
    with pytest.warns(DataWarning, match=r"conditioning leaves \d+ effective draws at some step"):
        made = reconcile(parts, forecast(rng.poisson(42, (500, 2))), method="conditioning", rng=1)
    assert made.effective.min(axis=None) < 100
    refused = "the forecast of total gives probability 0 to every sum of its parts at 2024-12-02"
    with pytest.raises(InputError, match=refused):
        reconcile(parts, forecast(rng.poisson(9000, (500, 2))), method="conditioning", rng=1)


# --- what cannot be reconciled ----------------------------------------------------------------------------


def test_what_does_not_fit_together_is_refused():
    parts, totals = tree()
    whole = totals["all"]
    with pytest.raises(InputError, match="nothing is reconciled by 'ols'; use projection"):
        reconcile(parts, whole, method="ols")
    with pytest.raises(InputError, match="parts is a list; give the forecast of all units, or a mapping"):
        reconcile(list(parts.values()), whole)
    with pytest.raises(InputError, match=r"the forecast of total has 400 draws of incidents .*, the parts 500"):
        reconcile(parts, forecast(whole.series_paths[:400]))
    with pytest.raises(InputError, match="part 'e' has 500 draws of deaths"):
        reconcile({**parts, "e": forecast(whole.series_paths, unit="deaths")}, whole)
    with pytest.raises(InputError, match="there are 3 totals; say with parents="):
        reconcile(parts, totals)
    with pytest.raises(InputError, match="'a' is both a part and a total"):
        reconcile(parts, {"a": whole})
    with pytest.raises(InputError, match="the parent of 'd' is 'west', which is no total"):
        reconcile(parts, totals, parents={**PARENTS, "d": "west"})
    with pytest.raises(InputError, match=r"parents make no tree with one whole .*; see to 'd'"):
        reconcile(parts, totals, parents={key: name for key, name in PARENTS.items() if key != "d"})
    with pytest.raises(InputError, match=r"parents make no tree with one whole .*; see to 'south'"):
        reconcile(parts, totals, parents={**PARENTS, "c": "north"})
    with pytest.raises(InputError, match=r"parents make no tree with one whole .*; see to 'all'"):
        loop = {"a": "north", "b": "north", "c": "south", "north": "south", "south": "all", "all": "north"}
        reconcile(parts, totals, parents=loop)
    with pytest.raises(InputError, match="parents names 'nroth', of which there is no forecast"):
        reconcile(parts, totals, parents={**PARENTS, "nroth": "all"})
    with pytest.raises(InputError, match="totals is a list; give a forecast, or a mapping"):
        reconcile(parts, [whole])
    made = reconcile(parts, totals, parents=PARENTS, method="bottom-up")
    with pytest.raises(InputError, match="there is no unit 'west' in the forecast"):
        made["west"]
