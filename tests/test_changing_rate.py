"""ChangingRate: its filter against a plain loop, its segments against quadrature, and what follows a change."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom, norm

from escalation.errors import FitError, InputError
from escalation.models import ChangingRate, underlying_rates
from escalation.models.changing_rate import segments
from escalation.models.changing_rate.found_season import found_seasons
from escalation.models.changing_rate.grid_filter import count_table, filter_counts, keep
from escalation.models.changing_rate.posterior import explain_counts
from escalation.models.changing_rate.season import find_season, possible
from escalation.models.changing_rate.smoothing import draw_backwards
from escalation.models.changing_rate.structures import (
    LEARNT,
    Grid,
    make_grids,
    noise_taps,
    target_structures,
    trend_structures,
)
from escalation.models.contract.design import make_design

pytestmark = pytest.mark.usefixtures("fits_made_anew")


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def series(values, freq="W-SUN"):
    index = pd.period_range("2020-01-06", periods=len(values), freq=freq, name="period")
    return pd.Series(np.asarray(values, dtype=float), index=index)


def nb(counts, mean, size):
    return nbinom.pmf(counts, size, size / (size + mean))


def transition(structure, grid, landing, aims):
    """Probabilities (nz, nx, nz, nx) of a period's move, one state after the other."""
    moves, levels, aim = structure.moves, grid.levels, structure[3]
    nz, nx = structure.first.shape
    half = moves.taps.shape[1] // 2
    kernel = np.zeros((nz, nx, nz, nx))
    for z in range(nz):
        for x in range(nx):
            for new in range(nz):
                chosen = (1 - moves.redraw[z]) * (z == new) + moves.redraw[z] * aims[new]
                if moves.targets:
                    to = math.log(
                        (1 - structure.retention) * math.exp(aim[new]) + structure.retention * math.exp(levels[x])
                    )
                else:
                    to = levels[x] + aim[new]
                place = (to - levels[0]) / grid.step
                cell = math.floor(place + (1e-9 if moves.targets else 0))
                for at, share in ((cell, 1 - (place - cell)), (cell + 1, place - cell)):
                    at = min(max(at, 0), nx - 1)
                    for k, tap in enumerate(moves.taps[new]):
                        end = min(max(at + k - half, 0), nx - 1)
                        kernel[z, x, new, end] += (1 - moves.jump) * chosen * share * tap
            if moves.targets:
                kernel[z, x, z] += moves.jump * landing
            else:
                kernel[z, x] += moves.jump * aims[:, None] * landing
    return kernel


@pytest.mark.parametrize("kind", ["trend", "target"])
def test_the_filter_is_a_plain_loop_over_states(kind):
    counts = np.array([2.0, 3.0, np.nan, 9.0, 0.0])
    rates = counts[~np.isnan(counts)]
    _, grid = make_grids(rates)
    structure = trend_structures(grid)[4] if kind == "trend" else target_structures(grid, rates)[17]
    size = np.full(5, 1 / 0.3)
    table = np.empty((5, len(grid.levels)))
    count_table(counts, np.zeros(5), grid.levels, size, table)
    kept = keep(5, *structure.first.shape)
    found = filter_counts(
        table,
        table @ grid.wide,
        ~np.isnan(counts),
        np.exp(grid.levels),
        grid.wide,
        structure.first,
        structure.moves,
        LEARNT,
        kept,
    )
    state, logs = structure.first.copy(), []
    visited, aimed, landing, aims, visits = 0.0, 0.0, grid.wide, structure.moves.prior, 0
    for t, y in enumerate(counts):
        if t:
            state = np.einsum("zx,zxab->ab", state, transition(structure, grid, landing, aims))
        np.testing.assert_allclose(kept.predicted[t], state.sum(axis=0), atol=1e-12)
        assert found.expected[t] == pytest.approx(state.sum(axis=0) @ np.exp(grid.levels), rel=1e-10)
        if math.isnan(y):
            logs.append(0.0)
            np.testing.assert_allclose(kept.states[t], state, atol=1e-12)
            continue
        like = nb(y, np.exp(grid.levels), 1 / 0.3)
        outlier = structure.moves.outlier
        state = state * ((1 - outlier) * like + outlier * (like @ grid.wide))
        logs.append(math.log(state.sum()))
        state /= state.sum()
        visits += 1
        visited, aimed = visited + state.sum(axis=0), aimed + state.sum(axis=1)
        landing = (1 - LEARNT) * grid.wide + LEARNT * visited / visits
        if kind == "target":
            aims = (1 - LEARNT) * structure.moves.prior + LEARNT * aimed / visits
        np.testing.assert_allclose(kept.states[t], state, atol=1e-12)
        np.testing.assert_allclose(kept.landings[t], landing, atol=1e-12)
        np.testing.assert_allclose(kept.aims[t], aims, atol=1e-12)
    np.testing.assert_allclose(found.log_density, logs, rtol=1e-10)
    np.testing.assert_allclose(found.state, state, atol=1e-12)
    np.testing.assert_allclose(found.landing, landing, atol=1e-12)
    np.testing.assert_allclose(found.aims, aims, atol=1e-12)


@pytest.mark.parametrize("sd", [0.03, 0.09, 0.35])
def test_noise_has_its_standard_deviation(sd):
    shares = np.array([0.0, 0.2, 0.5])
    for weights, share in zip(noise_taps(sd, 0.06, shares), shares, strict=True):
        places = 0.06 * (np.arange(len(weights)) - len(weights) // 2)
        assert weights.sum() == pytest.approx(1)
        variance = (weights * places**2).sum() + share * (1 - share) * 0.06**2
        # the split alone may bring more than is asked for; tails beyond 3.2 sd are cut
        assert max(sd, 0.06 * math.sqrt(share * (1 - share))) == pytest.approx(math.sqrt(variance), rel=0.02)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("counts", [[3, 5, 2, np.nan, 8, 9], [0, 1, 0], [20, 41, 38, 66, 90, 120, 180]])
def test_segments_have_their_integral_and_moments(counts, linear):
    counts = np.array(counts, dtype=float)
    n, size = len(counts), np.full(len(counts), 10.0)
    mode, root = np.empty(2), np.zeros((2, 2))
    level, level_sd, spread = 1.5, 1.3, 0.6 if linear else 0.12
    explain = segments.explain_line if linear else segments.explain_exponential
    value = explain(counts, np.zeros(n), size, level, level_sd, spread, mode, root)
    at, seen = np.arange(n), ~np.isnan(counts)

    # on a grid far finer than the posterior is wide, and 0 at its edges: the trapezoidal rule is exact
    a, b = np.linspace(-4, 7, 401)[:, None, None], np.linspace(*((-6, 7) if linear else (-0.9, 0.9)), 401)[:, None]
    if linear:
        mean = (1 - at / (n - 1)) * np.exp(a) + at / (n - 1) * np.exp(b)
        prior = norm.pdf(a, level, level_sd) * norm.pdf(b, a, spread)
    else:
        mean = np.exp(a + b * at)
        prior = norm.pdf(a, level, level_sd) * norm.pdf(b, 0, spread)
    joint = math.exp(-value) * prior[..., 0] * nb(counts[seen], mean[..., seen], size[seen]).prod(axis=-1)

    def integral(table):
        return np.trapezoid(np.trapezoid(table, b[:, 0], axis=1), a[:, 0, 0])

    total = integral(joint)
    # Laplace's approximation, worst for three counts of 0 and 1
    assert abs(math.log(total)) < 0.12
    last = integral(joint * (b if linear else a + b * (n - 1))[..., 0])
    assert abs(last / total - mode[0]) < 0.35 * root[0, 0]


def test_a_steady_segment_has_the_integral_over_its_level():
    counts, size = np.array([4.0, 6.0, np.nan, 5.0]), np.full(4, 5.0)
    mode, root = np.empty(2), np.zeros((2, 2))
    value = segments.explain_exponential(counts, np.zeros(4), size, 1.0, 1.3, 0.0, mode, root)
    a = np.linspace(-5, 6, 4001)
    known = counts[~np.isnan(counts)]
    density = norm.pdf(a, 1.0, 1.3) * np.prod([nb(y, np.exp(a), 5.0) for y in known], axis=0)
    assert value == pytest.approx(math.log(np.trapezoid(density, a)), abs=0.02)
    assert mode[1] == 0 and root[1, 1] == 0


@pytest.mark.parametrize("n", [1, 2, 3, 24, 30, 104, 800])
def test_segments_start_everywhere_once(n):
    places, numbers = segments.starts(n)
    assert places[-1] == 0 and len(set(places)) == len(places) and numbers.min() >= 1
    assert numbers.sum() == (n - 1 if n > 1 else 1)


def test_runs_predict_what_their_paths_hold():
    """One step ahead of one structure, the filter's prediction is the mean of the paths."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(12, 40).astype(float)
    zeros, ones = np.zeros(40), np.ones(40)
    longer = np.append(counts, np.nan)
    known = explain_counts(counts, zeros, ones)
    further = explain_counts(longer, np.append(zeros, 0), np.append(ones, 1))
    for run in sorted(known.runs, key=lambda run: -run.log_weight)[:3]:
        [same] = [
            one
            for one in further.runs
            if one.dispersion == run.dispersion
            and (one.structure.noise, one.structure.retention, one.structure.moves.jump)
            == (run.structure.noise, run.structure.retention, run.structure.moves.jump)
            and one.structure.moves.redraw[0] == run.structure.moves.redraw[0]
        ]
        paths = run.paths(np.zeros((40_000, 1)), np.ones(1), np.random.default_rng(1))
        # late changes, 0.8% of log sd 1.5, lift the mean by 1.7%; 2% Monte Carlo error at three standard errors
        assert paths.mean() == pytest.approx(same.filtered.expected[-1], rel=0.045)


def test_options_are_checked():
    with pytest.raises(InputError, match="season is 'monthly'; use 'auto', 'none', 'weekday' or 'year'"):
        ChangingRate(season="monthly")
    with pytest.raises(FitError, match="changing_rate got a count of 1e\\+14; it takes up to 1e\\+13"):
        ChangingRate().fit(series([1e14] * 5))


def test_where_counts_rise_the_forecast_rises():
    rng = np.random.default_rng(1)
    fit = ChangingRate().fit(series(rng.poisson(4 * 1.05 ** np.arange(52))))
    paths = fit.forecast(8, draws=4000, rng=1).series_paths
    truth = 4 * 1.05 ** (51 + 8)
    assert 0.03 < fit.params["growth"] < 0.07
    assert 0.75 * truth < np.median(paths[:, 7]) < 1.3 * truth
    assert (paths.max(axis=1) >= 0.9 * truth).mean() > 0.7


def test_after_a_step_the_forecast_stays_up():
    rng = np.random.default_rng(2)
    fit = ChangingRate().fit(series(np.r_[rng.poisson(5, 100), rng.poisson(25, 4)]))
    assert 18 < np.median(fit.forecast(4, draws=4000, rng=1).series_paths) < 30


def test_one_outlier_moves_little():
    rng = np.random.default_rng(3)
    fit = ChangingRate().fit(series(np.r_[rng.poisson(5, 60), 60, rng.poisson(5, 10)]))
    assert 3 < np.median(fit.forecast(6, draws=4000, rng=1).series_paths) < 7


def test_regimes_come_back():
    """After a long high stretch that ended, the earlier level holds."""
    rng = np.random.default_rng(4)
    low, high = rng.poisson(3, 30), rng.poisson(30, 20)
    fit = ChangingRate().fit(series(np.r_[low, high, rng.poisson(3, 25), rng.poisson(30, 20), rng.poisson(3, 6)]))
    paths = fit.forecast(12, draws=8000, rng=1).series_paths
    assert np.median(paths) < 6
    up = paths[:, -1][paths[:, -1] > 12]
    assert 0.04 < len(up) / len(paths) < 0.5  # and may go up again


def test_a_weekday_pattern_is_found_and_continued():
    rng = np.random.default_rng(5)
    index = pd.period_range("2024-01-01", periods=140, freq="D", name="period")
    shape = np.where(index.day_of_week == 4, 12.0, 2.0)
    counts = pd.Series(rng.poisson(shape).astype(float), index=index)
    forecast = ChangingRate().fit(counts).forecast(7, draws=4000, rng=1)
    means = forecast.series_paths.mean(axis=0)
    friday = forecast.periods.day_of_week == 4
    assert 9 < means[friday][0] < 16 and (means[~friday] < 4).all()
    flat = ChangingRate(season="none").fit(counts).forecast(7, draws=4000, rng=1).series_paths.mean(axis=0)
    assert flat.max() < 1.5 * flat.min()


def test_a_yearly_pattern_is_found_and_continued():
    rng = np.random.default_rng(6)
    index = pd.period_range("2016-01", periods=84, freq="M", name="period")
    shape = 12 * np.exp(0.8 * np.cos(2 * np.pi * (index.month - 7) / 12))
    fit = ChangingRate(season="year").fit(pd.Series(rng.poisson(shape).astype(float), index=index))
    means = fit.forecast(12, draws=4000, rng=1).series_paths.mean(axis=0)
    truth = shape[:12]
    assert np.corrcoef(means, truth)[0, 1] > 0.95


def test_seasons_need_two_cycles():
    assert possible(pd.period_range("2024-01-01", periods=13, freq="D")) == ()
    assert possible(pd.period_range("2024-01-01", periods=14, freq="D")) == ("weekday",)
    assert possible(pd.period_range("2020-01", periods=24, freq="M")) == ("year",)
    assert possible(pd.period_range("2020-01", periods=23, freq="M")) == ()
    assert possible(pd.period_range("2010", periods=20, freq="Y")) == ()


def test_a_season_has_the_coefficients_of_its_waves():
    rng = np.random.default_rng(7)
    index = pd.period_range("2015-01", periods=120, freq="M", name="period")
    true = 0.6 * np.sin(2 * np.pi * (np.asarray(index.start_time.day_of_year) + 14.5) / 365.25)
    counts = rng.poisson(np.exp(4 + 0.3 * np.arange(120) / 120 + true)).astype(float)
    season = find_season(counts, np.zeros(120), index, ("year",))
    error = season.offset(index) - (true - true.mean())
    assert np.abs(error).max() < 4 * np.sqrt(np.diag(season.cov)).max()
    assert season.gain > 100


def test_part_periods_have_their_exposure():
    """The last week has one day of seven: its count of 2 says what 14 in a week would, and less surely."""
    rng = np.random.default_rng(8)
    counts = np.r_[rng.poisson(14, 40), 2].astype(float)
    exposure = pd.Series(np.r_[np.ones(40), 1 / 7], index=series(counts).index)
    fit = ChangingRate().fit(series(counts), exposure=exposure)
    assert 11 < fit.params["rate"] < 17
    taken_whole = ChangingRate().fit(series(counts))
    assert taken_whole.params["rate"] < fit.params["rate"]


def test_paths_are_bounded():
    """After 59 zeros and one count of 20 no path runs away."""
    fit = ChangingRate().fit(series([0] * 59 + [20]))
    paths = fit.forecast(12, draws=4000, rng=1).series_paths
    assert paths.mean() < 100 and np.quantile(paths, 0.999) < 1000


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["poisson", "growth", "walk"])
def test_intervals_hold_what_comes(kind):
    rng = np.random.default_rng(9)
    held, number = 0.0, 60
    for _ in range(number):
        steps = np.arange(64)
        log_rate = {
            "poisson": np.full(64, np.log(8)),
            "growth": np.log(4) + 0.04 * steps,
            "walk": np.log(10) + np.cumsum(0.1 * rng.standard_normal(64)),
        }[kind]
        counts = rng.poisson(np.exp(log_rate))
        forecast = ChangingRate(season="none").fit(series(counts[:56])).forecast(8, draws=800, rng=rng)
        below = (forecast.series_paths < counts[56:]).mean(axis=0)
        upto = (forecast.series_paths <= counts[56:]).mean(axis=0)
        pit = below + rng.random(8) * (upto - below)
        held += ((pit >= 0.05) & (pit <= 0.95)).mean() / number
    # 480 dependent periods: three standard errors are some 0.07
    assert 0.83 < held < 0.99


@pytest.mark.parametrize("kind", ["trend", "target"])
def test_past_levels_have_the_probabilities_of_all_paths(kind):
    """Three periods on a small grid: every path of states is enumerated."""
    counts = np.array([1.0, 6.0, 2.0])
    grid = Grid(np.log([0.7, 1.6, 3.7, 8.5]), 0.83, np.array([0.1, 0.3, 0.4, 0.2]))
    fewer = trend_structures(grid)[4] if kind == "trend" else target_structures(grid, counts)[17]
    moves = fewer.moves._replace(jump=0.2)
    structure = fewer._replace(moves=moves)
    table = np.empty((3, 4))
    count_table(counts, np.zeros(3), grid.levels, np.full(3, 4.0), table)
    kept = keep(3, *structure.first.shape)
    seen, rates = np.ones(3, dtype=bool), np.exp(grid.levels)
    filter_counts(table, table @ grid.wide, seen, rates, grid.wide, structure.first, moves, LEARNT, kept)
    like = (1 - moves.outlier) * table + moves.outlier * (table @ grid.wide)[:, None]
    joint = structure.first * like[0]
    joint = joint / joint.sum()
    kernels = [transition(structure, grid, kept.landings[t], kept.aims[t]) for t in range(2)]
    of_paths = np.einsum("zx,zxab,b,abcd,d->xbd", joint, kernels[0], like[1], kernels[1], like[2])
    of_paths /= of_paths.sum()
    cells = np.zeros((40_000, 3), dtype=np.int64)
    last = np.zeros(40_000, dtype=np.int64)
    draw_backwards(kept, moves, np.full(40_000, 2), np.random.default_rng(1), cells, last)
    drawn = np.zeros((4, 4, 4))
    np.add.at(drawn, tuple(cells.T), 1 / 40_000)
    # four standard errors of the largest probabilities are 0.01
    np.testing.assert_allclose(drawn, of_paths, atol=0.01)


def test_past_rates_are_those_that_were():
    """A step from 4 to 20, seen from 20 weeks later: both levels, and where it was."""
    rng = np.random.default_rng(10)
    counts = np.r_[rng.poisson(4, 30), rng.poisson(20, 20)].astype(float)
    counts[40] = np.nan
    model, design = ChangingRate(), make_design(weeks(50), 0, None, None)
    estimate = model.estimate(counts, design)
    drawn, levels, growth = model.draw_rates(estimate, counts, design, 400, rng=1)
    assert drawn.shape == (400, 50) and (drawn > 0).all()
    np.testing.assert_array_equal(drawn, levels)
    low, high = np.median(drawn[:, 5:25].mean(axis=1)), np.median(drawn[:, 33:].mean(axis=1))
    assert 3 < low < 5.2 and 17.5 < high < 22.5
    assert ((drawn[:, 29] < 10) & (drawn[:, 31] > 12)).mean() > 0.8
    assert growth.mean() == pytest.approx(estimate.params[1], abs=0.01)
    again, _, _ = model.draw_rates(estimate, counts, design, 400, rng=1)
    np.testing.assert_array_equal(drawn, again)


@pytest.mark.parametrize("linear", [False, True])
def test_segments_draw_their_rates(linear):
    counts = np.array([3.0, 5, 9, 12, 22, 31])
    n = len(counts)
    found = segments.find_segments(counts, np.zeros(n), np.ones(n), (0.1,), counts, np.zeros(n), 0.0)
    [place] = np.flatnonzero(
        (found.start == 0) & (found.linear == linear) & (np.isin(np.arange(len(found.start)) % 5, [2, 4]))
    )
    draws = np.array([found.draw_rates(int(place), np.random.default_rng(seed))[1] for seed in range(2000)])
    assert np.log(draws[:, -1]).mean() == pytest.approx(found.mode[place, 0], abs=0.03)
    if linear:
        np.testing.assert_allclose(np.diff(draws, 2, axis=1), 0, atol=1e-9)
        assert np.log(draws[:, 0]).mean() == pytest.approx(found.mode[place, 1], abs=0.03)
    else:
        np.testing.assert_allclose(np.diff(np.log(draws), 2, axis=1), 0, atol=1e-9)
        assert np.diff(np.log(draws), axis=1).mean() == pytest.approx(found.mode[place, 1], abs=0.01)


# --- regressors


def with_effect(n, effect, seed):
    """Counts about 8, times exp(effect) in every second stretch of five weeks, and that regressor."""
    rng = np.random.default_rng(seed)
    marked = pd.DataFrame({"raid": (np.arange(n) // 5 % 2).astype(float)}, index=series(np.zeros(n)).index)
    return series(rng.poisson(8 * np.exp(effect * marked["raid"].to_numpy())).astype(float)), marked


@pytest.mark.parametrize("effect", [0.0, 0.7, -0.7])
def test_effects_of_regressors_are_found(effect):
    inside = []
    for seed in range(4):
        counts, exog = with_effect(80, effect, seed)
        fit = ChangingRate(season="none").fit(counts, exog=exog)
        assert list(fit.params.index) == ["rate", "growth", "dispersion", "raid"]
        inside.append(abs(fit.params["raid"] - effect) < 3 * fit.bse["raid"])
        assert fit.bse["raid"] < 0.2
    assert all(inside)


def test_forecasts_follow_coming_regressors():
    counts, exog = with_effect(90, 1.0, 1)
    fit = ChangingRate().fit(counts.iloc[:80], exog=exog.iloc[:80])
    marked, plain = (
        fit.forecast(3, draws=4000, exog=pd.DataFrame({"raid": [value] * 3}), rng=1).series_paths.mean()
        for value in (1.0, 0.0)
    )
    assert marked / plain == pytest.approx(np.e, rel=0.3)
    later = fit.update(counts, exog=exog)
    assert later.nobs == 90 and later.params.equals(fit.params)
    with pytest.raises(InputError, match="the fit had the regressors"):
        fit.forecast(3, rng=1)


def test_regressors_beside_a_season():
    rng = np.random.default_rng(5)
    index = pd.period_range("2024-01-01", periods=140, freq="D", name="period")
    exog = pd.DataFrame({"feast": (np.arange(140) // 10 % 3 == 0).astype(float)}, index=index)
    shape = np.where(index.day_of_week == 4, 12.0, 2.0) * np.exp(exog["feast"].to_numpy())
    fit = ChangingRate().fit(pd.Series(rng.poisson(shape).astype(float), index=index), exog=exog)
    assert abs(fit.params["feast"] - 1.0) < 3 * fit.bse["feast"]
    ahead = pd.DataFrame({"feast": np.zeros(7)})
    means = fit.forecast(7, draws=4000, exog=ahead, rng=1).series_paths.mean(axis=0)
    assert means.argmax() == int(np.flatnonzero(fit.forecast(7, exog=ahead, draws=1).periods.day_of_week == 4)[0])


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("raid", np.zeros(20), "changing_rate cannot know the effect of 'raid', which is always 0; leave it out"),
        ("growth", np.arange(20.0), "changing_rate has two parameters called 'growth'; rename the regressor"),
    ],
)
def test_regressors_that_say_nothing_are_refused(name, values, message):
    counts = series(np.arange(20.0))
    with pytest.raises(InputError, match=message):
        ChangingRate().fit(counts, exog=pd.DataFrame({name: values}, index=counts.index))


def test_regressors_of_all_quiet_counts_have_their_prior():
    counts = series(np.zeros(30))
    exog = pd.DataFrame({"raid": (np.arange(30) % 3 == 0).astype(float)}, index=counts.index)
    fit = ChangingRate().fit(counts, exog=exog)
    assert np.isfinite(fit.params).all() and fit.bse["raid"] == pytest.approx(2.0, rel=0.1)


def test_what_was_found_of_a_season_is_said():
    days = pd.period_range("2023-01-02", periods=280, freq="D")
    share = np.array([0.08, 0.08, 0.08, 0.08, 0.44, 0.12, 0.12])
    counts = np.random.default_rng(1).poisson(10 * share[days.day_of_week])
    [found] = found_seasons(ChangingRate().fit(pd.Series(counts, index=days)))
    assert found.cycle == "weekday" and found.probability > 0.95
    np.testing.assert_allclose(found.table()["share"], share, atol=0.05)
    assert found.sentence().startswith("Fridays carry 4") and found.table()["factor"].mean() == pytest.approx(1)
    assert found_seasons(ChangingRate(season="none").fit(pd.Series(counts, index=days))) == ()
    flat = np.random.default_rng(2).poisson(3, 280)
    assert found_seasons(ChangingRate().fit(pd.Series(flat, index=days))) == ()


@pytest.mark.parametrize("freq", ["M", "W-SUN"])
def test_a_yearly_pattern_names_its_months(freq):
    periods = pd.period_range("2015-01-01", periods=84 if freq == "M" else 208, freq=freq)
    month = (periods.start_time + (periods.end_time - periods.start_time) / 2).month
    counts = np.random.default_rng(3).poisson(20 * np.exp(0.8 * np.cos(2 * np.pi * (month - 7) / 12)))
    [found] = found_seasons(ChangingRate().fit(pd.Series(counts, index=periods)))
    assert found.cycle == "year" and "is the busiest month" in found.sentence()
    assert found.factors.idxmax() in ("June", "July", "August") and found.factors.idxmin() in (
        "December",
        "January",
        "February",
    )


def test_past_rates_hold_their_season():
    """A day of the week that has nearly all: the rates of four weeks add up to what was counted."""
    days = pd.period_range("2023-01-02", periods=210, freq="D")
    counts = pd.Series([0, 1, 0, 0, 4, 0, 0] * 30, index=days)
    rates = underlying_rates(ChangingRate().fit(counts), draws=300, rng=1)
    assert np.median(rates.mean_over(slice(182, 210))) == pytest.approx(5 / 7, rel=0.1)
    assert rates.table()["median"].iloc[-3] == pytest.approx(4, rel=0.2)  # a Friday
    assert abs(np.median(rates.growth)) < 0.01 and abs(np.median(rates.slope_over(slice(182, 210)))) < 0.005


@pytest.mark.parametrize(
    ("counts", "most"),
    [([1] + [0] * 300, 0.5), ([5] * 30 + [0] * 200, 1.0), ([5] * 30 + [0] * 520, 1.0), ([1] + [0] * 700 + [1], 0.5)],
)
def test_a_long_silence_is_forecast_to_go_on(counts, most):
    """The posterior of a rate near 0 is skewed: a normal one of its log would bring hundreds of events by its tail."""
    weeks = pd.period_range("2000-01-03", periods=len(counts), freq="W-SUN")
    fit = ChangingRate().fit(pd.Series(counts, index=weeks))
    totals = fit.forecast(8, draws=8000, rng=1).series_paths.sum(axis=1)
    assert np.isfinite(fit.params).all() and np.isfinite(fit.bse).all()
    assert totals.mean() < most and np.quantile(totals, 0.95) <= 2
