"""LocalTrend: its likelihood against a fine grid filter, its growth rates and forecasts against simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import chisquare, nbinom, norm, poisson

from escalation.conventions.count_draws import LARGEST_MEAN
from escalation.errors import FitError, InputError
from escalation.models.contract.design import make_design
from escalation.models.levels import level_smoother, levels
from escalation.models.levels.level_likelihood import constants, observe
from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend, growth
from escalation.models.levels.paths import trend_paths
from escalation.models.levels.trend_likelihood import log_posterior
from escalation.models.levels.trend_smoother import _carry_cubes, _correct, smooth

pytestmark = pytest.mark.usefixtures("fits_made_anew")


def weeks(n):
    return pd.period_range("2020-01-05", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def simulated(n, level, slope_sd, damping, level_sd, dispersion, seed):
    """Counts and slopes; the first slope has the stationary distribution."""
    rng = np.random.default_rng(seed)
    x, slope = np.full(n, level), np.empty(n)
    slope[0] = slope_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, n):
        x[t] = x[t - 1] + slope[t - 1] + level_sd * rng.standard_normal()
        slope[t] = damping * slope[t - 1] + slope_sd * rng.standard_normal()
    return rng.poisson(np.exp(x) * rng.gamma(1 / dispersion, dispersion, n)).astype(float), slope


def with_gaps(counts):
    counts = counts.copy()
    counts[[0, 12, -1]] = np.nan
    counts[5:9] = np.nan
    return counts


N = 30
SERIES = {
    "typical": simulated(N, 2.5, 0.05, 0.9, 0.1, 0.1, 1)[0],
    "low": simulated(N, 0.0, 0.05, 0.9, 0.2, 0.3, 2)[0],
    "rise": np.round(np.exp(np.linspace(0.0, 4.5, N))),
    "lull": np.r_[simulated(18, 3, 0.03, 0.9, 0.2, 0.2, 3)[0], np.zeros(12)],
    "gaps": with_gaps(simulated(N, 2.5, 0.05, 0.9, 0.1, 0.1, 4)[0]),
}
# slope_sd, damping, level_sd, dispersion
POINTS = [(0.05, 0.9, 0.2, 0.2), (0.2, 0.5, 0.5, 0.05), (0.1, 1.0, 0.1, 0.0), (1e-3, 0.95, 1e-3, 0.3)]


def observed(counts, model=None, exposure=None):
    model = model or LocalTrend()
    damping = {"estimate": np.nan, "none": 1.0}.get(model.damping, model.damping)
    exposure = np.ones(len(counts)) if exposure is None else exposure
    return observe(counts, exposure, damping, (), poisson=model.family == "poisson", bends=False)


def kernel(observation, natural):
    """Log-likelihood, moments of the last states, and smoothed means by the model's own kernel."""
    one, start = observation
    point = np.array([natural], dtype=float)
    moments, _, mean, cov = smooth(one.counts, one.log_exposure, one.anchor, point, start, 1e-7)
    return moments[0, 0] + constants(point[:, 3], one)[0], moments[0, 1:], mean, cov


def count_pmf(count, mean, dispersion):
    return (
        poisson.pmf(count, mean) if dispersion == 0 else nbinom.pmf(count, 1 / dispersion, 1 / (1 + dispersion * mean))
    )


def first_slope_sd(slope_sd, damping):
    return slope_sd / np.sqrt(1 - damping**2) if damping < 1 else 0.3


def grid_filter(counts, exposure, anchor, natural):
    """Brute force on a fixed grid: log-likelihood, grids, smoothed distributions (n, levels, slopes)."""
    slope_sd, damping, level_sd, dispersion = natural
    sd = first_slope_sd(slope_sd, damping)
    seen = ~np.isnan(counts)
    rough = np.log(counts[seen] + 0.5)
    # a trapezoid sum is exact to 1e-6 at four fifths of a standard deviation
    low, high = min(rough.min(), anchor) - 5, max(rough.max(), anchor) + 2.5
    x, dx = np.linspace(low, high, int((high - low) / (0.8 * level_sd)), retstep=True)
    reach = min(6 * sd, 1.5)
    b, db = np.linspace(-reach, reach, int(2 * reach / (0.8 * slope_sd)), retstep=True)
    turn = norm.pdf(b[:, None], damping * b, slope_sd) * db  # (next slope, slope)
    move = norm.pdf(x[:, None, None], x[:, None] + b, level_sd) * dx  # (next level, level, slope)
    emission = np.ones((len(counts), len(x)))
    for t in np.flatnonzero(seen):
        emission[t] = count_pmf(counts[t], exposure[t] * np.exp(x), dispersion)
    forward = np.empty((len(counts), len(x), len(b)))
    llf = 0.0
    for t in range(len(counts)):
        if t == 0:
            distribution = norm.pdf(x, anchor, 3.0)[:, None] * norm.pdf(b, 0, sd) * dx * db
        else:
            distribution = np.einsum("ijk,jk->ik", move, forward[t - 1]) @ turn.T
        distribution = distribution * emission[t][:, None]
        llf += np.log(distribution.sum())
        forward[t] = distribution / distribution.sum()
    backward, distributions = np.ones((len(x), len(b))), forward.copy()
    for t in range(len(counts) - 1, -1, -1):
        distributions[t] = forward[t] * backward
        distributions[t] /= distributions[t].sum()
        backward = np.einsum("ijk,ik->jk", move, (backward * emission[t][:, None]) @ turn)
        backward /= backward.max()
    return llf, x, b, distributions


def dense_laplace(counts, log_exposure, anchor, natural, start):
    """The kernel's formulas with full covariance matrices of all levels and slopes, and explicit double sums."""
    slope_sd, damping, level_sd, dispersion = natural
    n = len(counts)
    transition = np.array([[1, 1], [0, damping]])
    marginal = np.diag([9.0, first_slope_sd(slope_sd, damping) ** 2])
    prior = np.zeros((2 * n, 2 * n))
    for t in range(n):
        block = marginal
        for u in range(t, n):
            prior[2 * t : 2 * t + 2, 2 * u : 2 * u + 2] = block
            prior[2 * u : 2 * u + 2, 2 * t : 2 * t + 2] = block.T
            block = block @ transition.T
        marginal = transition @ marginal @ transition.T + np.diag([level_sd**2, slope_sd**2])
    precision = np.linalg.inv(prior)
    centre, states = np.tile([anchor, 0.0], n), np.zeros(2 * n)
    states[::2] = start
    seen = ~np.isnan(counts)
    y, at = np.where(seen, counts, 0.0), np.arange(0, 2 * n, 2)
    for _ in range(60):
        mu = np.exp(states[::2] + log_exposure)
        share = dispersion * mu / (1 + dispersion * mu)
        pull = (1 + dispersion * y) * mu / (1 + dispersion * mu)
        f2 = np.where(seen, -pull * (1 - share), 0.0)
        hessian, gradient = precision.copy(), -precision @ (states - centre)
        hessian[at, at] -= f2
        gradient[::2] += np.where(seen, y - pull, 0.0)
        states = states + np.clip(np.linalg.solve(hessian, gradient), -2, 2)
    v = np.linalg.inv(hessian)
    levels_v = v[::2, ::2]
    d = np.diag(levels_v)
    damp = 1 / (1 + (d / level_smoother.WIDE_VARIANCE) ** 4)
    f3, f4 = damp * f2 * (1 - 2 * share), damp * f2 * (1 - 6 * share + 6 * share**2)
    value = np.where(seen, y * (states[::2] + log_exposure), 0.0).sum()
    value -= (seen * ((y + 1 / dispersion) * np.log1p(dispersion * mu) if dispersion > 0 else mu)).sum()
    value -= 0.5 * (states - centre) @ precision @ (states - centre)
    value -= 0.5 * (np.linalg.slogdet(prior)[1] + np.linalg.slogdet(hessian)[1])
    value += (f4 * d**2).sum() / 8
    value += (np.outer(f3, f3) * (np.outer(d, d) * levels_v / 8 + levels_v**3 / 12)).sum()
    mean = (states + 0.5 * v[:, ::2] @ (f3 * d)).reshape(n, 2)
    cov = np.array([[v[k, k], v[k, k + 1], v[k + 1, k + 1]] for k in at])
    return np.array([[value, *mean[-1], *cov[-1], (f3 * levels_v[-1] ** 3).sum()]]), states[::2], mean, cov


@pytest.mark.parametrize("natural", POINTS)
@pytest.mark.parametrize("name", ["typical", "lull", "gaps"])
def test_kernels_are_their_plain_loops(name, natural, monkeypatch):
    log_exposure, start = np.linspace(-0.5, 0.2, N), np.full(N, 1.0)
    points = np.array([natural, POINTS[0]])
    compiled = smooth(SERIES[name], log_exposure, 1.0, points, start, 1e-6)
    for kernel in (_carry_cubes, _correct):
        monkeypatch.setitem(smooth.py_func.__globals__, kernel.__name__, kernel.py_func)
    plain = smooth.py_func(SERIES[name], log_exposure, 1.0, points, start, 1e-6)
    for ours, twin in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(ours, twin, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("natural", POINTS)
@pytest.mark.parametrize("name", ["typical", "lull", "gaps"])
def test_kernel_is_the_dense_formula(name, natural):
    log_exposure = np.linspace(-0.5, 0.2, N)
    ours = smooth(SERIES[name], log_exposure, 1.0, np.array([natural]), np.full(N, 4.0), 1e-8)
    dense = dense_laplace(SERIES[name], log_exposure, 1.0, natural, ours[1])
    for one, other in zip(ours, dense, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-7)  # a 60 x 60 inverse with variances down to 1e-6


def test_newtons_method_arrives_from_far_away():
    for far in (-20.0, 0.0, 12.0, 30.0):
        for natural in POINTS:
            near = smooth(SERIES["rise"], np.zeros(N), 2.0, np.array([natural]), np.full(N, 2.0), 1e-8)
            found = smooth(SERIES["rise"], np.zeros(N), 2.0, np.array([natural]), np.full(N, far), 1e-8)
            np.testing.assert_allclose(found[1], near[1], atol=1e-6)


# slope_sd, damping, level_sd, dispersion, and the errors of the log-likelihood that are allowed, in a lull of twelve
# periods and else; they grow with the variance of the levels given the counts, as those of the local level do
SETTINGS = [
    (0.05, 0.9, 0.1, 0.1, 0.01, 0.003),
    (0.1, 0.8, 0.3, 0.1, 0.03, 0.005),
    (0.1, 0.8, 0.3, 0.0, 0.03, 0.005),
    (0.1, 1.0, 0.2, 0.3, 0.7, 0.02),
    (0.3, 0.7, 0.5, 0.3, 0.6, 0.03),
]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(("slope_sd", "damping", "level_sd", "dispersion", "lull", "else_"), SETTINGS)
def test_likelihood_and_states_against_a_fine_grid_filter(name, slope_sd, damping, level_sd, dispersion, lull, else_):
    exposure, natural = np.linspace(0.7, 1.3, N), (slope_sd, damping, level_sd, dispersion)
    observation = observed(SERIES[name], LocalTrend(family="negbin" if dispersion else "poisson"), exposure)
    llf, last, mean, cov = kernel(observation, natural)
    exact, x, b, distributions = grid_filter(SERIES[name], exposure, observation[0].anchor, natural)
    assert llf == pytest.approx(exact, abs=lull if name == "lull" else else_)
    if name == "lull" and lull > 0.1:
        return  # states as far off as the likelihood is
    slopes = distributions.sum(axis=1) @ b
    slope_sds = np.sqrt(distributions.sum(axis=1) @ b**2 - slopes**2)
    assert (abs(mean[:, 1] - slopes) < 0.05 * slope_sds).all()
    np.testing.assert_allclose(np.sqrt(cov[:, 2]), slope_sds, rtol=0.05)
    level = distributions[-1].sum(axis=1) @ x
    sd = np.sqrt(distributions[-1].sum(axis=1) @ (x - level) ** 2)
    assert abs(last[0] - level) < 0.2 * sd
    assert np.sqrt(last[2]) == pytest.approx(sd, rel=0.1)
    both = np.einsum("jk,j,k", distributions[-1], x - level, b - slopes[-1])
    assert last[3] == pytest.approx(both, abs=0.15 * sd * slope_sds[-1])


def test_a_slope_that_stays_0_is_a_random_walk():
    one, start = observed(SERIES["typical"])
    trend = smooth(one.counts, one.log_exposure, one.anchor, np.array([[1e-9, 0.5, 0.2, 0.1]]), start, 1e-8)
    walk = level_smoother.smooth(
        one.counts, one.log_exposure, one.anchor, np.array([[0.0, 1.0, 0.2, 0.1]]), start, 1e-8
    )
    assert trend[0][0, 0] == pytest.approx(walk[0][0, 0], abs=1e-8)
    np.testing.assert_allclose(trend[2][:, 0], walk[2], atol=1e-8)


@pytest.mark.parametrize("model", [LocalTrend(), LocalTrend("none"), LocalTrend(0.8, "poisson")])
@pytest.mark.parametrize("name", ["typical", "rise", "lull"])
def test_estimate_is_the_mode_that_a_simplex_search_finds(name, model):
    peak = model.estimate(SERIES[name], make_design(weeks(N), 0, None, None)).state["mode"]
    one, mode = observed(SERIES[name], model)
    start = np.array([np.log(0.05), 1.5, np.log(0.15), np.log(0.1)])[one.free]
    found = minimize(
        lambda point: -log_posterior(point[None], one, mode, 1e-6)[0][0],
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 5000},
    )
    assert peak.converged
    np.testing.assert_allclose(peak.theta, found.x, atol=0.01)


def test_estimates_scatter_around_the_truth_by_their_standard_errors():
    truth = np.array([0.05, 0.8, 0.1, 0.1])
    fits = [LocalTrend().fit(series(simulated(400, 4.0, *truth, seed)[0])) for seed in range(40)]
    assert all(fit.converged for fit in fits)
    peaks = [fit.estimates[0].state["mode"] for fit in fits]
    errors = np.sqrt([np.diag(np.linalg.inv(peak.curvature)) for peak in peaks])
    point = np.log([*truth[:1], truth[1] / (1 - truth[1]), *truth[2:]])
    away = (np.array([peak.theta for peak in peaks]) - point) / errors  # on the scale on which they are near normal
    # a standard deviation of 40 values is known to 11% and their mean to 0.16; the rest is the priors' pull
    np.testing.assert_allclose(np.std(away, axis=0, ddof=1), 1.0, atol=0.5)
    assert (abs(away.mean(axis=0)) < 0.8).all()


def test_growth_is_that_of_an_exponential():
    fit = LocalTrend().fit(series(np.round(50 * 1.08 ** np.arange(40))))
    table = growth(fit)
    assert table.index.equals(fit.design.periods)
    middle = table.iloc[5:35]
    np.testing.assert_allclose(middle["growth"], 0.08, atol=0.01)  # counts are rounded to 2% at the start
    np.testing.assert_allclose(middle["doubling_time"], np.log(2) / np.log1p(middle["growth"]), rtol=1e-9)
    assert (middle["probability_rising"] > 0.99).all()
    assert (table["growth_ci_lower"] < table["growth"]).all()
    assert (table["growth"] < table["growth_ci_upper"]).all()


def test_growth_rates_are_those_of_the_grid_filter():
    counts = SERIES["typical"]
    natural = (0.1, 0.8, 0.3, 0.1)
    fit = LocalTrend().fit(series(counts))
    one = observed(counts)[0]
    _, _, b, distributions = grid_filter(counts, np.ones(N), one.anchor, natural)
    _, _, mean, cov = kernel(observed(counts), natural)
    share = np.cumsum(distributions.sum(axis=1), axis=1)
    for q in (0.05, 0.5, 0.95):
        exact = [np.interp(q, row, b + (b[1] - b[0]) / 2) for row in share]
        np.testing.assert_allclose(norm.ppf(q, mean[:, 1], np.sqrt(cov[:, 2])), exact, atol=0.01)
    assert growth(fit)["probability_rising"].between(0, 1).all()


def test_intervals_of_growth_hold_slopes_drawn_from_the_priors():
    rng, inside = np.random.default_rng(3), []
    while len(inside) < 100:
        slope_sd, level_sd = 0.03 * np.exp(rng.normal()), 0.1 * np.exp(rng.normal())
        damping, dispersion = 1 / (1 + np.exp(-rng.normal(2.2, 2.5))), 0.2 * np.exp(rng.normal(0, 1.5))
        if slope_sd / np.sqrt(1 - damping**2) > 0.3:
            continue  # grows beyond all numbers
        counts, slope = simulated(100, 4.0, slope_sd, damping, level_sd, dispersion, len(inside))
        if counts.max() < 1e6:
            table, true = growth(LocalTrend().fit(series(counts))), np.expm1(slope)
            inside.append(((table["growth_ci_lower"] <= true) & (true <= table["growth_ci_upper"])).mean())
    error = np.std(inside, ddof=1) / np.sqrt(len(inside))
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * error)


def test_growth_pools_histories():
    columns = np.column_stack([simulated(40, 3.0, 0.05, 0.9, 0.1, 0.1, seed)[0] for seed in range(3)]).astype(np.int64)
    table = pd.DataFrame(columns, index=weeks(40), columns=pd.RangeIndex(3, name="draw"))
    pooled = growth(LocalTrend().fit(table))
    alone = [growth(LocalTrend().fit(table[draw])) for draw in table]
    wanted = np.mean([one["probability_rising"] for one in alone], axis=0)
    np.testing.assert_allclose(pooled["probability_rising"], wanted, rtol=1e-9)


def test_the_first_step_has_the_distribution_of_the_grid_filter():
    counts, natural = SERIES["low"], (0.1, 0.8, 0.3, 0.2)
    observation = observed(counts)
    _, x, b, distributions = grid_filter(counts, np.ones(N), observation[0].anchor, natural)
    move = norm.pdf(x[:, None, None], x[:, None] + b, 0.3) * (x[1] - x[0])
    ahead = np.einsum("ijk,jk->i", move, distributions[-1])
    last, draws = kernel(observation, natural)[1], 20_000
    known = (np.array([natural]), np.array([last]), np.zeros(draws, dtype=np.int64))
    paths = trend_paths(*known, np.zeros(1), np.inf, np.random.default_rng(1))[:, 0]
    expected = np.array([ahead @ count_pmf(k, np.exp(x), 0.2) for k in range(12)])
    expected = draws * np.append(expected, 1 - expected.sum())
    seen = np.bincount(np.minimum(paths, 12), minlength=13)
    assert chisquare(seen, expected).pvalue > 1e-3


HARD = {
    "all quiet": np.zeros(60),
    "quiet and short": np.zeros(5),
    "one incident": np.r_[np.zeros(30), 1, np.zeros(29)],
    "constant millions": np.full(60, 1e6),
    "outlier": np.r_[np.full(40, 3.0), 1e6, np.full(20, 3.0)],
    "outlier last": np.r_[np.zeros(40), 1e6],
    "steep rise": np.round(np.exp(np.linspace(-2, 10, 60))),
    "up and down": np.tile([0.0, 1000.0], 30),
    "mostly missing": np.r_[np.full(100, np.nan), 3, 4, 5, 1, 0, np.full(50, np.nan)],
}
MODELS = [LocalTrend(damping, family) for damping in ("estimate", "none", 0.9) for family in ("negbin", "poisson")]


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("name", HARD)
def test_hard_series_give_finite_numbers_and_no_warning(name, model):
    fit = model.fit(series(HARD[name]))
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert (fit.bse > 0).all()
    assert np.isfinite(fit.llf)
    assert np.isfinite(fit.fitted).all()
    assert np.isfinite(growth(fit).to_numpy()).all()
    paths = fit.forecast(60, draws=300, rng=1).series_paths
    assert paths.min() >= 0
    assert paths.max() <= 2 * LARGEST_MEAN


@pytest.mark.parametrize(("counts", "largest"), [(np.r_[np.zeros(59), 20], 20), (np.zeros(60), 1)])
def test_forecasts_are_cut_at_a_hundred_times_the_largest_rate(counts, largest):
    """The log link has no bound: after a quiet the counts leave slopes open that lead to 1e14 within weeks."""
    fit = LocalTrend(family="poisson").fit(series(counts))
    paths = fit.forecast(26, draws=4000, rng=1).series_paths
    most = 100 * largest
    assert paths.max() <= most + 6 * np.sqrt(most)  # six standard deviations of a Poisson count
    half = LocalTrend(family="poisson").fit(series(counts), exposure=pd.Series(0.5, index=weeks(60)))
    assert half.forecast(26, draws=4000, rng=1).series_paths.max() <= 2 * (most + 6 * np.sqrt(most))


def test_usual_series_do_not_come_near_the_cut():
    counts = np.random.default_rng(1).poisson(10, 60).astype(float)
    fit = LocalTrend().fit(series(counts))
    assert fit.forecast(26, draws=4000, rng=1).series_paths.max() < 100 * counts.max()


def test_parameters_have_the_names_of_what_is_estimated():
    names = {repr(model): list(model.fit(series(SERIES["typical"])).params.index) for model in MODELS}
    assert list(names.values()) == [
        ["slope_sd", "damping", "level_sd", "dispersion"],
        ["slope_sd", "damping", "level_sd"],
        ["slope_sd", "level_sd", "dispersion"],
        ["slope_sd", "level_sd"],
        ["slope_sd", "level_sd", "dispersion"],
        ["slope_sd", "level_sd"],
    ]


def test_damping_one_is_none():
    counts = series(SERIES["low"])
    one, none = LocalTrend(1.0).fit(counts), LocalTrend("none").fit(counts)
    pd.testing.assert_series_equal(one.params, none.params)
    assert (one.forecast(3, rng=1).series_paths == none.forecast(3, rng=1).series_paths).all()


def test_undamped_forecasts_go_on_rising():
    counts = series(np.round(20 * 1.06 ** np.arange(50)))
    damped, undamped = (LocalTrend(damping).fit(counts).forecast(12, rng=1).quantile(0.5) for damping in (0.8, "none"))
    assert undamped.iloc[-1] == pytest.approx(20 * 1.06**61, rel=0.15)
    assert damped.iloc[-1] < undamped.iloc[-1]


def test_exposure_only_moves_the_level():
    counts = series(SERIES["typical"])
    whole = LocalTrend().fit(counts)
    half = LocalTrend().fit(counts, exposure=pd.Series(0.5, index=counts.index))
    np.testing.assert_allclose(half.params, whole.params, rtol=1e-3)  # the search stops within 1e-6 of the top
    np.testing.assert_allclose(growth(half)["growth"], growth(whole)["growth"], atol=1e-3)


def test_drawn_points_have_the_mean_of_a_simple_random_sample():
    found = LocalTrend().estimate(SERIES["low"], make_design(weeks(N), 0, None, None))
    rng = np.random.default_rng(1)
    few = [levels.weigh(LocalTrend.likelihood, found, 125, rng.random(5)) for _ in range(20)]
    means = [np.exp(one.log_weight) @ np.log(one.natural) / np.exp(one.log_weight).sum() for one in few]
    many = levels.weigh(LocalTrend.likelihood, found, 20_000, rng.random(5))
    weight = np.exp(many.log_weight) / np.exp(many.log_weight).sum()
    exact = weight @ np.log(many.natural)
    sd = np.sqrt(weight @ (np.log(many.natural) - exact) ** 2)
    assert (abs(np.mean(means, axis=0) - exact) < 0.1 * sd).all()
    assert (np.std(means, axis=0) < 0.25 * sd).all()  # some 60 points count, so independent ones would have 0.13


@pytest.mark.nightly
def test_coverage_of_forecasts_of_its_own_series(benchmark):
    shares = benchmark("coverage").measure("local_trend", series=150, draws=600, seed=5).mean(axis=1)
    error = shares.std(ddof=1) / np.sqrt(150)
    assert shares.mean() == pytest.approx(0.9, abs=3 * error)


def test_growth_of_another_model_is_refused():
    with pytest.raises(InputError, match="growth got a fit of local_level; it takes one of local_trend"):
        growth(LocalLevel().fit(series(SERIES["typical"])))


def test_counts_beyond_its_digits_are_refused():
    with pytest.raises(FitError, match=r"local_trend got a count of 2e\+07; it takes up to 1e\+07"):
        LocalTrend().fit(series([1, 2, 3, 2e7, 5]))
