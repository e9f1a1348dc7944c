"""The simulated worlds of benchmarks/, whose truth is known, and the tournament in them, in short."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation.scores import crps, pit_coverage

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
LENGTHS = {
    "growth_5": (52, "W-SUN"),
    "growth_12": (30, "W-SUN"),
    "weekday_strong": (280, "D"),
    "weekday_mild": (280, "D"),
    "year_months": (84, "M"),
    "year_weeks": (208, "W-SUN"),
    "five_points": (5, "W-SUN"),
    "spike": (60, "W-SUN"),
}
"""Those that are not of 104 weeks."""
AHEAD = {"D": 28, "W-SUN": 12, "M": 12}


@pytest.fixture(scope="module", autouse=True)
def beside():
    """The files of a tournament import each other, as they do where one of them is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(BENCHMARKS)])  # last: one of them is called coverage
        yield


@pytest.fixture(scope="module")
def simulators(benchmark):
    return benchmark("simulators")


@pytest.fixture(scope="module")
def some(simulators):
    """20 series of each world."""
    return {name: [simulators.simulate(name, series, 7) for series in range(20)] for name in simulators.WORLDS}


def test_there_are_worlds_of_every_kind(simulators):
    assert len(simulators.WORLDS) >= 24
    kinds = (simulators.STATIONARY, simulators.FLUCTUATING, simulators.CHANGING)
    assert set().union(*kinds) <= set(simulators.WORLDS)
    assert set(simulators.RISING) | set(simulators.FALLING) <= set(simulators.CHANGING)
    assert not set(simulators.CHANGING) & {*simulators.STATIONARY, *simulators.FLUCTUATING}
    assert all(world.__doc__ for world in simulators.WORLDS.values())


def test_worlds_have_the_lengths_and_types_that_they_say(some):
    for name, series in some.items():
        periods, freq = LENGTHS.get(name, (104, "W-SUN"))
        for world in series[:3]:
            assert isinstance(world.counts.index, pd.PeriodIndex)
            assert (len(world.counts), world.freq, world.steps) == (periods, freq, AHEAD[freq]), name
            assert world.counts.dtype == "Int64"
            assert world.counts.isna().any() == (name == "missing")
            assert world.means.shape == (periods,)
            assert (world.means > 0).all()
            assert world.oracle.shape == (2000, AHEAD[freq])
            assert world.future.dtype == world.oracle.dtype == np.int64
            assert world.changed in (None, True, False)


def test_the_same_number_and_seed_give_the_same_series_and_others_another(simulators, some):
    for name in simulators.WORLDS:
        again, other = simulators.simulate(name, 3, 7), simulators.simulate(name, 3, 8)
        world = some[name][3]
        pd.testing.assert_series_equal(again.counts, world.counts)
        for mine, theirs in ((again.means, world.means), (again.future, world.future), (again.oracle, world.oracle)):
            np.testing.assert_array_equal(mine, theirs)
        assert (other.oracle != world.oracle).any()
        assert (some[name][4].oracle != world.oracle).any()


def test_counts_come_from_the_means_that_are_told(some):
    """Sums over a series, of both, differ by what chance allows: 4.5 standard errors of 32 worlds."""
    for name, series in some.items():
        off = [float((world.counts - world.means).mean() / np.sqrt(world.means.mean())) for world in series]
        assert abs(np.mean(off)) < 4.5 * np.std(off, ddof=1) / np.sqrt(len(off)), name


def test_the_future_is_as_likely_as_any_of_the_oracle(some):
    """Ranks of totals among the oracle's, ties broken by chance, against the uniform law: none of 32 below 1e-4."""
    rng = np.random.default_rng(1)
    for name, series in some.items():
        ranks = []
        for world in series:
            total, totals = world.future.sum(), world.oracle.sum(axis=1)
            ranks.append((totals < total).mean() + rng.random() * (totals == total).mean())
        assert stats.kstest(ranks, "uniform").pvalue > 1e-4, name


def test_growth_and_steps_are_those_of_their_names(some):
    for name, rate in (("growth_3", 1.03), ("growth_5", 1.05), ("growth_12", 1.12), ("decline_3", 0.97)):
        for world in some[name]:
            np.testing.assert_allclose(world.means[1:] / world.means[:-1], rate)
            # the mean of 2,000 futures, whose standard deviation is at most 0.6 of a mean of 1.8 or more in week 1
            assert world.oracle[:, 0].mean() == pytest.approx(world.means[-1] * rate, rel=0.1), name
    for world in some["step"]:
        assert world.means.tolist() == [5.0] * 102 + [25.0] * 2
    for world in some["linear"]:
        np.testing.assert_allclose(np.diff(world.means, 2), 0, atol=1e-12)
    for world in some["sparse"]:
        assert set(world.means) == {0.3}
    for world in some["truce"]:
        levels, counts = np.unique(world.means, return_counts=True)
        assert 6 <= counts[0] <= 10
        assert 0.05 <= levels[0] / levels[1] <= 0.25


def test_seasons_come_back_and_have_the_shares_that_they_say(some):
    for world in some["weekday_strong"]:
        week = world.means[:7]
        assert week.max() / week.sum() == pytest.approx(0.44)
        np.testing.assert_allclose(world.means[7:14], week)
        # seven of the next days, from a Monday on as 280 is a number of weeks: standard errors of 2,000 futures
        np.testing.assert_allclose(world.oracle[:, :7].mean(axis=0), week, rtol=0.12)
    for world in some["year_months"]:
        np.testing.assert_allclose(world.means[12:24], world.means[:12])


def test_levels_have_the_autocorrelation_of_their_names(some):
    for name, damping in (("ar_50", 0.5), ("ar_80", 0.8), ("ar_95", 0.95)):
        pairs = [np.log(world.means) for world in some[name]]
        x = np.concatenate([one[:-1] - one.mean() for one in pairs])
        y = np.concatenate([one[1:] - one.mean() for one in pairs])
        # 20 series of 104: an error of 0.02, and the mean of a series takes up to 0.04 away
        assert (x @ y) / (x @ x) == pytest.approx(damping, abs=0.08)


def test_a_fifth_of_the_onsets_and_truces_lie_ahead(simulators, some):
    for name in ("onset", "truce_random"):
        later = [simulators.simulate(name, series, 1).changed is False for series in range(100)]
        assert 8 <= sum(later) <= 33  # 20 of 100, three standard errors
    for world in some["onset"]:
        quiet = world.means[:80].max()
        assert world.changed == (world.means[-1] > quiet)
        assert world.oracle[:, -1].mean() > 5 * quiet  # all have begun within four weeks


def test_the_oracle_of_the_mixture_does_not_know_the_kind(some):
    for world in some["mixture"]:
        late = world.oracle[:, -1]
        # 25 for good or some 5.6: both are among the futures unless the last two counts rule one out
        assert 5.2 < late.mean() < 25.6
    fades = [world.means[-1] < 24 for world in some["mixture"]]
    assert 3 <= sum(fades) <= 17


# --- the tournament


@pytest.fixture(scope="module")
def tournament(benchmark):
    return benchmark("tournament")


def test_the_oracle_reaches_the_threshold_half_of_the_time(tournament, some):
    for name in ("growth_3", "step", "linear", "ar_80"):
        for world in some[name]:
            k = tournament.likely_half(world)
            reached = (world.oracle[:, : tournament.WITHIN].max(axis=1)[:, None] >= [k - 1, k, k + 1]).mean(axis=0)
            assert abs(reached[1] - 0.51) == np.abs(reached - 0.51).min()


def test_thresholds_do_not_look_at_the_future(tournament, some):
    world = some["onset"][0]
    other = type(world)(world.counts, world.means, world.future + 50, world.oracle + 50, world.changed)
    first, second = (tournament.drawn_threshold(one, np.random.default_rng(1)) for one in (world, other))
    assert first == second >= 1


def test_scores_are_those_of_plain_loops(tournament, some):
    world = some["weekday_mild"][0]
    row = tournament.scored(world, world.oracle[:50], 3, 5)
    assert row["crps"].shape == (28,)
    assert row["crps"][4] == pytest.approx(crps(world.oracle[:50, 4], world.future[4], estimator="fair"))
    total = world.oracle[:50, :14].sum(axis=1)
    assert row["total_below"][1] == pytest.approx((total < world.future[:14].sum()).mean())
    assert row["half"] == (world.oracle[:50, :8] >= 3).any(axis=1).mean()
    assert row["drawn_came"] == (world.future[:8] >= 5).any()


def test_rows_are_kept_and_only_what_lacks_is_made(tournament, tmp_path, monkeypatch):
    store = tournament.Store(tmp_path, seed=1, draws=50)
    asked = []
    monkeypatch.setattr(tournament, "run_task", lambda task, run=tournament.run_task: asked.append(task) or run(task))
    tournament.fill(store, ["oracle", "climatology_12"], ["step"], 3, 1)
    tournament.fill(store, ["oracle", "climatology_12"], ["step"], 5, 1)
    assert [(task.model, task.series) for task in asked] == [
        (model, series) for series in ((0, 1, 2), (3, 4)) for model in ("oracle", "climatology_12")
    ]
    rows = store.first("climatology_12", "step", 5)
    assert rows["series"].tolist() == [0, 1, 2, 3, 4]
    assert not rows["refused"].any()
    whole = tournament.run_task(tournament.Task("climatology_12", "step", (0, 1, 2, 3, 4), 1, 50))
    np.testing.assert_array_equal(rows["crps"], whole["crps"])
    tournament.fill(store, ["climatology_12"], ["step"], 2, 1, anew=["climatology_12"])
    assert asked[-1].series == (0, 1)
    np.testing.assert_array_equal(store.first("climatology_12", "step", 5)["crps"], whole["crps"])


def test_a_series_that_a_model_refuses_is_forecast_by_climatology(tournament, simulators, monkeypatch):
    from escalation import FitError

    def refuse(*_):
        raise FitError("too few")

    monkeypatch.setattr(tournament, "paths_of", lambda _: refuse)
    world = simulators.simulate("poisson", 0, 1)
    paths, refused = tournament.forecast(world, "anything", 40, np.random.default_rng(1))
    assert refused
    assert set(paths.ravel()) <= set(world.counts)


def test_tables_name_the_best_rival_of_the_first_half_and_compare_the_second(benchmark, tmp_path):
    worlds, tournament = benchmark("worlds"), benchmark("tournament")
    store = tournament.Store(tmp_path, seed=1, draws=60)
    rivals = ["last_value", "climatology_all"]
    tournament.fill(store, ["oracle", "climatology_12", *rivals], ["poisson", "step"], 8, 1)
    standing = worlds.Standing(store, ["climatology_12"], rivals, ["poisson", "step"], 8)
    table = worlds.crps_table(standing, "climatology_12")
    assert table["best rival"].to_dict() == {"poisson": "climatology_all", "step": "last_value"}
    ours, theirs = (store.first(name, "step", 8)["crps"][4:].mean() for name in ("climatology_12", "last_value"))
    assert table.loc["step", "ratio"] == pytest.approx(ours / theirs)
    covered = worlds.coverage_table(standing, "climatology_12")
    rows = store.first("climatology_12", "step", 8)
    assert covered.loc["step", "steps"] == pytest.approx(pit_coverage(rows["below"], rows["upto"]).mean())
    assert covered.loc["step", "steps"] < 0.5 < covered.loc["poisson", "steps"]
    said = worlds.thresholds_table(standing)
    assert said.loc["step", "true"] == pytest.approx(0.51, abs=0.05)
    assert said.loc["step", "climatology_12"] == pytest.approx(rows["half"].mean())


def test_bins_of_the_reliability_table_are_counted(benchmark):
    table = benchmark("worlds").reliability_table(np.array([0.05, 0.06, 1.0]), np.array([0.0, 1.0, 1.0]))
    assert table["forecasts"].tolist() == [2, *[0] * 8, 1]
    assert table["came"].iloc[[0, 9]].tolist() == [0.5, 1.0]
    assert table["mean"].iloc[0] == pytest.approx(0.055)


def test_rises_are_held_against_the_true_rates(benchmark, simulators):
    claims = benchmark("claims")
    for name, truth in (("growth_5", 1.0), ("decline_3", 0.0), ("poisson", 0.5)):
        rows = claims.rises(claims.Asked(name, (0, 1, 2), 1))
        assert rows[:, 2].tolist() == [truth] * 3
        assert ((rows[:, 0] >= 0) & (rows[:, 0] <= 1)).all()
    table = claims.rise_table({"growth_5": np.array([[0.99, np.nan, 1.0, 0.0], [0.5, np.nan, 1.0, 0.0]])})
    assert table.loc["growth_5", ["kind", "truly higher", "higher > 0.95"]].tolist() == ["rises", 1.0, 0.5]
    assert np.isnan(table.loc["growth_5", "unusual > 0.95"])
    changes = claims.change_table({"step": claims.changes(claims.Asked("step", (0, 1), 1))})
    assert changes.loc["step", "P(change) > 0.5"] == 1.0


def test_models_are_named_or_said_to_be_absent(benchmark, monkeypatch):
    rivals = benchmark("rivals")
    import escalation

    with pytest.raises(rivals.AbsentError, match="no model has this name"):
        rivals.paths_of("oracle of Delphi")
    monkeypatch.setattr(escalation, "default_model", lambda: rivals.model_named("pool"), raising=False)
    counts = pd.Series([3, 1, 4, 1, 5, 9, 2, 6], index=pd.period_range("2024-01-01", periods=8, freq="W-SUN"))
    rng = np.random.default_rng(1)
    # not those that compile for long or need another library
    for name in {"default", "pool", "bootstrap", *rivals.RIVALS} - {"hidden_markov", "auto_ets"}:
        assert rivals.paths_of(name)(counts, 4, 30, rng).shape == (30, 4), name
