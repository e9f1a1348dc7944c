"""LocalLevel: its likelihood against a fine grid filter, its estimates and forecasts against simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import chisquare, nbinom, norm, poisson, skewnorm

from escalation.conventions.count_draws import LARGEST_MEAN
from escalation.errors import FitError, InputError
from escalation.models.baselines.ensemble import Ensemble
from escalation.models.contract.design import make_design
from escalation.models.levels import level_likelihood as local_level_likelihood
from escalation.models.levels import level_smoother, levels
from escalation.models.levels.level_likelihood import constants, level_of, log_posterior, observe, rates
from escalation.models.levels.level_smoother import smooth
from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend
from escalation.models.levels.paths import _skew_normal, level_paths
from escalation.models.levels.posterior import choose
from escalation.models.registry import get_model

pytestmark = pytest.mark.usefixtures("fits_made_anew")


def weeks(n):
    return pd.period_range("2020-01-05", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def simulated(n, level, damping, level_sd, dispersion, seed):
    rng = np.random.default_rng(seed)
    x = np.empty(n)
    x[0] = level + level_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, n):
        x[t] = level + damping * (x[t - 1] - level) + level_sd * rng.standard_normal()
    return rng.poisson(np.exp(x) * rng.gamma(1 / dispersion, dispersion, n)).astype(float)


def with_gaps(counts):
    counts = counts.copy()
    counts[[0, 20, -1]] = np.nan
    counts[5:12] = np.nan
    return counts


N = 40
SERIES = {
    "typical": simulated(N, 2.5, 0.9, 0.25, 0.15, 1),
    "high": simulated(N, 6.0, 0.9, 0.2, 0.05, 2),
    "low": simulated(N, -0.5, 0.9, 0.4, 0.3, 3),
    "quiet": np.zeros(N),
    "onset": np.r_[np.zeros(25), simulated(15, 3, 0.9, 0.3, 0.2, 4)],
    "lull": np.r_[simulated(25, 3, 0.9, 0.3, 0.2, 5), np.zeros(15)],
    "outlier": np.r_[np.ones(20), 300, np.ones(19)],
    "gaps": with_gaps(simulated(N, 2.5, 0.9, 0.25, 0.15, 6)),
}


def observed(counts, model=None, exposure=None):
    model = model or LocalLevel(link="log")
    exposure = np.ones(len(counts)) if exposure is None else exposure
    damping = {"estimate": np.nan, "none": 1.0}.get(model.damping, model.damping)
    held = model.likelihood.held_without_damping if damping == 1.0 else ()
    return observe(counts, exposure, damping, held, poisson=model.family == "poisson", bends=model._bends)


def count_logpmf(count, mean, dispersion):
    if dispersion == 0:
        return poisson.logpmf(count, mean)
    return nbinom.logpmf(count, 1 / dispersion, 1 / (1 + dispersion * mean))


def grid_filter(counts, exposure, anchor, natural, rate=np.exp):
    """Brute force on a fixed grid: log-likelihood, grid, distribution of the last level, smoothed expected counts."""
    level, damping, level_sd, dispersion = natural
    centre, sd = (level, level_sd / np.sqrt(1 - damping**2)) if damping < 1 else (anchor, 3.0)
    seen = ~np.isnan(counts)
    rough = np.log(counts[seen] + 0.5)
    reach = 8 * max(level_sd, 0.3) + 2
    low, high = min(centre - 6 * sd, rough.min() - reach), max(centre + 4 * sd, rough.max() + reach)
    narrowest = min(level_sd, np.sqrt(1 / max(counts[seen].max(), 1) + dispersion))
    points = int(
        np.clip((high - low) / (narrowest / 2), 400, 2500)
    )  # a trapezoid sum is exact to 1e-30 at half a standard deviation
    x, h = np.linspace(low, high, points, retstep=True)
    drift = level * (1 - damping) if damping < 1 else 0.0
    move = np.exp(-0.5 * ((x[:, None] - drift - damping * x) / level_sd) ** 2) * (h / level_sd / np.sqrt(2 * np.pi))
    emission = np.ones((len(counts), points))
    for t in np.flatnonzero(seen):
        emission[t] = np.exp(count_logpmf(counts[t], exposure[t] * rate(x), dispersion))
    forward = np.empty((len(counts), points))
    llf = 0.0
    for t in range(len(counts)):
        distribution = norm.pdf(x, centre, sd) * h if t == 0 else move @ forward[t - 1]
        distribution = distribution * emission[t]
        llf += np.log(distribution.sum())
        forward[t] = distribution / distribution.sum()
    backward, expected = np.ones(points), np.empty(len(counts))
    for t in range(len(counts) - 1, -1, -1):
        distribution = forward[t] * backward
        expected[t] = exposure[t] * (distribution @ rate(x)) / distribution.sum()
        backward = move.T @ (backward * emission[t])
        backward /= backward.max()
    return llf, x, forward[-1], expected


def kernel(observation, natural):
    """Log-likelihood and moments of the last level by the model's own kernel."""
    one, start = observation
    point = np.array([natural], dtype=float)
    moments = smooth(one.counts, one.log_exposure, one.anchor, point, start, 1e-6, one.bend)[0][0]
    return moments[0] + constants(point[:, 3], one)[0], moments[1:]


def dense_laplace(counts, log_exposure, anchor, natural, start):
    """The kernel's formulas with full matrices, a plain inverse and explicit double sums."""
    level, damping, level_sd, dispersion = natural
    n, q = len(counts), level_sd**-2
    first, q_first = (level, q * (1 - damping**2)) if damping < 1 else (anchor, 1 / 9)
    shift = level * (1 - damping) if damping < 1 else 0.0
    steps = np.eye(n) - damping * np.eye(n, k=-1)
    weights = np.r_[q_first, np.full(n - 1, q)]
    offset = np.r_[first, np.full(n - 1, shift)]
    prior = steps.T @ np.diag(weights) @ steps
    seen = ~np.isnan(counts)
    y = np.where(seen, counts, 0.0)
    x = start.copy()
    for _ in range(20):
        mu = np.exp(x + log_exposure)
        p = dispersion * mu / (1 + dispersion * mu)
        pull = (1 + dispersion * y) * mu / (1 + dispersion * mu)
        f2 = np.where(seen, -pull * (1 - p), 0.0)
        hessian = prior - np.diag(f2)
        gradient = np.where(seen, y - pull, 0.0) - steps.T @ (weights * (steps @ x - offset))
        x = x + np.linalg.solve(hessian, gradient)
    v = np.linalg.inv(hessian)
    d = np.diag(v)
    damp = 1 / (1 + (d / level_smoother.WIDE_VARIANCE) ** 4)
    f3, f4 = damp * f2 * (1 - 2 * p), damp * f2 * (1 - 6 * p + 6 * p**2)
    value = np.where(seen, y * (x + log_exposure), 0.0).sum()
    value -= (seen * ((y + 1 / dispersion) * np.log1p(dispersion * mu) if dispersion > 0 else mu)).sum()
    value -= 0.5 * (weights * (steps @ x - offset) ** 2).sum()
    value += 0.5 * (np.log(weights).sum() - np.linalg.slogdet(hessian)[1])
    correction = (f4 * d**2).sum() / 8
    for s in range(n):
        for t in range(n):
            correction += f3[s] * f3[t] * (d[s] * v[s, t] * d[t] / 8 + v[s, t] ** 3 / 12)
    mean = x + 0.5 * v @ (f3 * d)
    return np.array([[value + correction, mean[-1], d[-1], (f3 * v[-1] ** 3).sum()]]), x, mean, d


POINTS = [(1.0, 0.9, 0.3, 0.2), (1.5, 0.5, 0.8, 0.05), (0.0, 1.0, 0.2, 0.3), (1.0, 0.98, 0.5, 0.0)]


@pytest.mark.parametrize("natural", POINTS)
@pytest.mark.parametrize("name", ["typical", "quiet", "gaps"])
def test_kernel_is_its_plain_loop(name, natural):
    log_exposure, start = np.linspace(-0.5, 0.2, N), np.full(N, 1.0)
    points = np.array([natural, POINTS[0]])
    compiled = smooth(SERIES[name], log_exposure, 1.0, points, start, 1e-6)
    plain = smooth.py_func(SERIES[name], log_exposure, 1.0, points, start, 1e-6)
    for ours, twin in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(ours, twin, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("natural", POINTS)
@pytest.mark.parametrize("name", ["typical", "quiet", "gaps"])
def test_kernel_is_the_dense_formula(name, natural):
    log_exposure = np.linspace(-0.5, 0.2, N)
    point = np.array([natural])
    from_afar = smooth(SERIES[name], log_exposure, 1.0, point, np.full(N, 4.0), 1e-6)
    dense = dense_laplace(SERIES[name], log_exposure, 1.0, natural, from_afar[1])
    ours = smooth(SERIES[name], log_exposure, 1.0, point, dense[1], 1e-6)
    for one, other in zip(ours, dense, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)  # a 40 x 40 inverse loses some digits
    for one, other in zip(from_afar, dense, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)  # Newton stops at steps of 1e-6


def test_many_points_at_once_are_the_single_ones():
    moments, first, _, _ = smooth(SERIES["low"], np.zeros(N), 0.0, np.array(POINTS), np.zeros(N), 1e-6)
    for point, own in zip(POINTS, moments, strict=True):
        alone = smooth(SERIES["low"], np.zeros(N), 0.0, np.array([point]), first, 1e-6)[0][0]
        np.testing.assert_allclose(own, alone, rtol=1e-6, atol=1e-6)


# damping, level_sd, dispersion, and the error of the log-likelihood that is allowed.  The error grows with the variance
# of the levels given the counts: the first term left out of the expansion is of the order of its square.
SETTINGS = [
    (0.9, 0.1, 0.1, 0.001),
    (0.9, 0.3, 0.1, 0.005),
    (0.9, 0.3, 0.0, 0.005),
    (0.95, 0.5, 0.05, 0.02),
    (1.0, 0.2, 0.2, 0.02),
    (0.5, 0.7, 0.3, 0.02),
    (0.9, 0.7, 0.3, 0.02),
    (0.9, 1.5, 0.3, 0.7),
    (0.98, 0.7, 0.05, 0.7),
]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(("damping", "level_sd", "dispersion", "allowed"), SETTINGS)
def test_likelihood_against_a_fine_grid_filter(name, damping, level_sd, dispersion, allowed):
    exposure = np.linspace(0.7, 1.3, N)
    posterior = observed(SERIES[name], LocalLevel(family="negbin" if dispersion else "poisson", link="log"), exposure)
    natural = (posterior[0].anchor, damping, level_sd, dispersion)
    llf, last = kernel(posterior, natural)
    exact, x, distribution, _ = grid_filter(SERIES[name], exposure, posterior[0].anchor, natural)
    assert llf == pytest.approx(exact, abs=allowed)
    # the last level: its mean is right to the second order, its variance to the first
    mean = distribution @ x
    sd = np.sqrt(distribution @ (x - mean) ** 2)
    assert abs(last[0] - mean) < 0.15 * sd
    assert np.sqrt(last[1]) == pytest.approx(sd, rel=0.1)


def softplus(anchor):
    return lambda x: np.exp(anchor) * np.logaddexp(0, x - anchor)


# As above, an outlier's error last: far above a low count the NB2 density is not log-concave in the level.
BENT = [
    (0.9, 0.3, 0.1, 0.005, 0.03),
    (0.9, 0.7, 0.0, 0.02, 0.02),
    (0.5, 0.7, 0.3, 0.04, 0.04),
    (1.0, 0.5, 0.2, 0.05, 0.06),
    (0.9, 1.5, 0.1, 0.25, 0.25),
]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(("damping", "level_sd", "dispersion", "else_", "outlier"), BENT)
def test_likelihood_of_the_softplus_link_against_a_grid_filter(name, damping, level_sd, dispersion, else_, outlier):
    exposure = np.linspace(0.7, 1.3, N)
    observation = observed(SERIES[name], LocalLevel(0.9, "negbin" if dispersion else "poisson", "softplus"), exposure)
    anchor = observation[0].anchor
    natural = (anchor, damping, level_sd, dispersion)
    llf, last = kernel(observation, natural)
    exact, x, distribution, _ = grid_filter(SERIES[name], exposure, anchor, natural, softplus(anchor))
    assert llf == pytest.approx(exact, abs=outlier if name == "outlier" else else_)
    mean = distribution @ x
    sd = np.sqrt(distribution @ (x - mean) ** 2)
    assert abs(last[0] - mean) < 0.2 * sd
    assert np.sqrt(last[1]) == pytest.approx(sd, rel=0.15)


@pytest.mark.parametrize("dispersion", [0.0, 0.2])
@pytest.mark.parametrize("x", [-6.0, 0.3, 2.0, 5.0])
def test_derivatives_with_the_softplus_link_are_differences(x, dispersion):
    y, log_exposure, bend, h = 7.0, -0.2, 1.5, 0.02

    def log_density(at):
        return count_logpmf(y, np.exp(log_exposure) * softplus(bend)(at), dispersion)

    mean, first, second, third, fourth = level_smoother._bent(x, y, log_exposure, dispersion, bend)
    at = [log_density(x + k * h) for k in (-3, -2, -1, 0, 1, 2, 3)]
    assert mean == pytest.approx(np.exp(log_exposure) * softplus(bend)(x))
    # sixth-order differences; rounding of 1e-14 over h to the power of the derivative
    assert first == pytest.approx(np.dot(at, [-1, 9, -45, 0, 45, -9, 1]) / (60 * h), abs=1e-7)
    expected = np.exp(2 * log_exposure) * softplus(bend)(x) ** 2 / mean
    if second > 0.5 * expected:  # else it is kept above a share of the expected information
        wanted = -np.dot(at, [2, -27, 270, -490, 270, -27, 2]) / (180 * h**2)
        assert second == pytest.approx(wanted, rel=0.01)
    assert third == pytest.approx(np.dot(at, [1, -8, 13, 0, -13, 8, -1]) / (8 * h**3), rel=1e-3, abs=1e-5)
    assert fourth == pytest.approx(np.dot(at, [-1, 12, -39, 56, -39, 12, -1]) / (6 * h**4), rel=1e-3, abs=1e-3)


def test_far_below_the_mean_count_both_links_are_one():
    counts = np.r_[np.zeros(30), 400.0, np.zeros(9)]
    one, start = observed(counts[:30], LocalLevel("none", "poisson", link="log"))
    natural = np.array([[0.0, 0.9, 0.2, 0.0]])
    log, bent = (
        smooth(one.counts, one.log_exposure, one.anchor, natural - [[8, 0, 0, 0]], start, 1e-8, bend)
        for bend in (np.inf, 4.0)
    )
    for ours, other in zip(bent, log, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-4)


def test_softplus_does_not_carry_lulls_into_the_upper_tail():
    rng = np.random.default_rng(5)
    busy = np.repeat([False, True, False, True, False, True], [25, 17, 22, 12, 15, 9])
    counts = series(rng.poisson(np.where(busy, 20, 0.15)))
    tops = {
        link: LocalLevel(link=link).fit(counts).forecast(12, draws=4000, rng=1).quantile(0.99).iloc[-1]
        for link in ("log", "softplus")
    }
    assert tops["softplus"] < 4 * counts.max() < 0.25 * tops["log"]


@pytest.mark.parametrize("name", ["typical", "lull", "gaps"])
def test_drawn_last_levels_have_the_quantiles_of_the_grid_filter(name):
    posterior = observed(SERIES[name])
    natural = (posterior[0].anchor, 0.9, 0.4, 0.1)
    _, x, distribution, _ = grid_filter(SERIES[name], np.ones(N), posterior[0].anchor, natural)
    last, rng = kernel(posterior, natural)[1], np.random.default_rng(1)
    drawn = [_skew_normal(*last, rng) for _ in range(100_000)]
    share = np.cumsum(distribution)
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        reached = np.interp(np.quantile(drawn, q), x + (x[1] - x[0]) / 2, share)
        assert reached == pytest.approx(q, abs=0.01)  # 3 standard errors are 0.005; the rest is the approximation


def test_fitted_is_the_smoothed_expected_count():
    exposure = np.linspace(0.7, 1.3, N)
    design = make_design(weeks(N), 0, pd.Series(exposure, index=weeks(N)), None)
    for name in ("typical", "low", "gaps"):
        found = LocalLevel(link="log").estimate(SERIES[name], design)
        expected = grid_filter(SERIES[name], exposure, found.state["series"].anchor, found.params)[3]
        np.testing.assert_allclose(found.fitted, expected, rtol=0.01)  # second-order terms only


def test_without_drift_it_is_negative_binomial_or_poisson_by_the_textbook():
    counts = SERIES["typical"]
    for family, dispersion in (("negbin", 0.3), ("negbin", 1e-4), ("poisson", 0.0)):
        posterior = observed(counts, LocalLevel(family=family, link="log"))
        llf, _ = kernel(posterior, (2.0, 0.5, 1e-5, dispersion))
        assert llf == pytest.approx(count_logpmf(counts, np.exp(2.0), dispersion).sum(), abs=1e-5)


def test_dispersion_near_zero_is_poisson():
    counts = np.r_[SERIES["high"], 1e6]
    negbin, _ = kernel(observed(counts), (3.0, 0.9, 0.5, 1e-9))
    plain, _ = kernel(observed(counts, LocalLevel(family="poisson", link="log")), (3.0, 0.9, 0.5, 0.0))
    assert negbin == pytest.approx(plain, abs=2e-3)  # counts of 1e6 with dispersion 1e-9: relative variance 1 + 1e-3


@pytest.mark.parametrize(
    "model", [LocalLevel(link="log"), LocalLevel("none", link="log"), LocalLevel(0.8, "poisson", link="log")]
)
@pytest.mark.parametrize("name", ["typical", "onset", "quiet"])
def test_estimate_is_the_mode_that_a_simplex_search_finds(name, model):
    peak = model.estimate(SERIES[name], make_design(weeks(N), 0, None, None)).state["mode"]
    one, mode = observed(SERIES[name], model)
    start = np.array([0.3, 1.5, np.log(0.15), np.log(0.1)])[one.free]
    found = minimize(
        lambda point: -log_posterior(point[None], one, mode, 1e-6)[0][0],
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 5000},
    )
    assert peak.converged
    np.testing.assert_allclose(peak.theta, found.x, atol=0.01)


def test_parameters_are_recovered_from_a_long_series():
    truth = (2.0, 0.9, 0.3, 0.2)
    fit = LocalLevel(link="log").fit(series(simulated(2000, *truth, 11)))
    assert fit.converged
    assert (fit.bse < [0.15, 0.05, 0.05, 0.05]).all()
    assert (abs(fit.params - np.array(truth)) < 3.5 * fit.bse).all()  # each fails in 1 of 2,000 such series


def test_standard_errors_are_the_spread_of_estimates():
    truth = (2.5, 0.8, 0.3, 0.1)
    fits = [LocalLevel(0.8, link="log").fit(series(simulated(300, *truth, seed))) for seed in range(100)]
    spread = np.std([fit.params for fit in fits], axis=0, ddof=1)
    typical = np.median([fit.bse for fit in fits], axis=0)
    np.testing.assert_allclose(typical, spread, rtol=0.3)  # a standard deviation of 100 values is known to 7%


def test_exposure_only_moves_the_level():
    counts = series(SERIES["typical"])
    whole = LocalLevel(link="log").fit(counts)
    half = LocalLevel(link="log").fit(counts, exposure=pd.Series(0.5, index=counts.index))
    moved = whole.params.to_numpy() + np.array([np.log(2), 0, 0, 0])
    np.testing.assert_allclose(half.params, moved, rtol=1e-4)  # the search stops within 1e-6 of the highest value
    np.testing.assert_allclose(half.fitted, whole.fitted, rtol=1e-3)


HARD = {
    "all quiet": np.zeros(60),
    "quiet and short": np.zeros(5),
    "one incident": np.r_[np.zeros(30), 1, np.zeros(29)],
    "constant": np.full(50, 7.0),
    "constant millions": np.full(60, 1e6),
    "millions": 1e6 + np.random.default_rng(1).integers(-3000, 3000, 60),
    "outlier": np.r_[np.full(40, 3.0), 1e6, np.full(20, 3.0)],
    "outlier first": np.r_[1e6, np.zeros(40)],
    "outlier last": np.r_[np.zeros(40), 1e6],
    "five points": np.array([0, 1, 0, 2, 5.0]),
    "steep rise": np.round(np.exp(np.linspace(-2, 10, 60))),
    "up and down": np.tile([0.0, 1000.0], 30),
    "mostly missing": np.r_[np.full(100, np.nan), 3, 4, 5, 1, 0, np.full(50, np.nan)],
}
MODELS = [
    LocalLevel(damping, family, link="log") for damping in ("estimate", "none", 0.9) for family in ("negbin", "poisson")
]
BENT_MODELS = [LocalLevel(damping, link="softplus") for damping in ("estimate", "none", 0.9)]
BENT_MODELS.append(LocalLevel(family="poisson", link="softplus"))


@pytest.mark.parametrize("model", MODELS + BENT_MODELS, ids=repr)
@pytest.mark.parametrize("name", HARD)
def test_hard_series_give_finite_numbers_and_no_warning(name, model):
    fit = model.fit(series(HARD[name]))
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert (fit.bse > 0).all()
    assert np.isfinite(fit.llf)
    assert np.isfinite(fit.fitted).all()
    assert (fit.fitted > 0).all()
    paths = fit.forecast(60, draws=300, rng=1).series_paths
    assert paths.min() >= 0
    assert paths.max() <= 2 * LARGEST_MEAN


def test_quiet_series_are_forecast_quiet_and_constant_ones_constant():
    quiet = LocalLevel().fit(series(np.zeros(60))).forecast(4, rng=1)
    assert (quiet.series_paths == 0).mean() > 0.95
    constant = LocalLevel().fit(series(np.full(60, 1e6))).forecast(4, rng=1)
    assert abs(constant.quantile(0.5) / 1e6 - 1).max() < 0.001


def test_parameters_have_the_names_of_what_is_estimated():
    names = {repr(model): list(model.fit(series(SERIES["typical"])).params.index) for model in MODELS}
    assert list(names.values()) == [
        ["level", "damping", "level_sd", "dispersion"],
        ["level", "damping", "level_sd"],
        ["level_sd", "dispersion"],
        ["level_sd"],
        ["level", "level_sd", "dispersion"],
        ["level", "level_sd"],
    ]


def test_intervals_stay_where_the_parameters_live():
    table = LocalLevel(link="log").fit(series(SERIES["quiet"])).conf_int(0.99)
    assert (table.loc[["damping", "level_sd", "dispersion"]] >= 0).all(axis=None)
    assert table.loc["damping", "upper"] <= 1


def test_damping_one_is_none():
    counts = series(SERIES["low"])
    one, none = LocalLevel(1.0, link="log").fit(counts), LocalLevel("none", link="log").fit(counts)
    pd.testing.assert_series_equal(one.params, none.params)
    assert (one.forecast(3, rng=1).series_paths == none.forecast(3, rng=1).series_paths).all()


def test_drawn_parameters_follow_the_posterior_worked_out_on_a_grid():
    counts, prior = SERIES["low"], norm(np.log(0.2), 1.0)
    posterior = observed(counts, LocalLevel("none", "poisson", link="log"))
    grid = np.linspace(np.log(0.03), np.log(1.9), 18)
    value = [grid_filter(counts, np.ones(N), posterior[0].anchor, (0.0, 1.0, np.exp(g), 0.0))[0] for g in grid]
    weight = np.exp(value - np.max(value)) * prior.pdf(grid)
    share = np.cumsum(weight) / weight.sum()
    found = LocalLevel("none", "poisson", link="log").estimate(counts, make_design(weeks(N), 0, None, None))
    rng = np.random.default_rng(1)
    weighted = levels.weigh(LocalLevel.likelihood, found, 5000, rng.random(2))
    drawn = weighted.natural[choose(weighted.log_weight, 40_000, rng), local_level_likelihood.LEVEL_SD]
    for q in (0.1, 0.5, 0.9):
        reached = np.interp(np.log(np.quantile(drawn, q)), grid + (grid[1] - grid[0]) / 2, share)
        assert reached == pytest.approx(q, abs=0.03)  # 5,000 weighted points: standard error below 0.01


def test_forecast_of_known_parameters_is_the_grid_filter_carried_on():
    counts, natural = SERIES["low"], (0.2, 0.9, 0.3, 0.2)
    posterior = observed(counts)
    _, x, distribution, _ = grid_filter(counts, np.ones(N), posterior[0].anchor, natural)
    move = norm.pdf(x[:, None], 0.2 * 0.1 + 0.9 * x, 0.3) * (x[1] - x[0])
    second = move @ (move @ distribution)
    expected = [second @ count_logpmf_exp(k, x, 0.2) for k in range(6)]
    last, draws = kernel(posterior, natural)[1], 100_000
    known = (np.array([natural]), np.array([last]), np.zeros(draws, dtype=np.int64))
    paths = level_paths(*known, np.zeros(2), np.inf, np.inf, np.random.default_rng(1))
    seen = [(paths[:, 1] == k).mean() for k in range(6)]
    np.testing.assert_allclose(seen, expected, atol=0.005)  # 3 standard errors of 100,000 draws


@pytest.mark.parametrize("model", [LocalLevel(link="log"), LocalLevel("none", "poisson", link="log")])
@pytest.mark.parametrize("name", ["low", "typical", "lull"])
def test_the_first_step_has_the_analytic_distribution_averaged_over_parameters(name, model):
    found, draws = model.estimate(SERIES[name], make_design(weeks(N), 0, None, None)), 10_000
    paths = model.simulate(found, make_design(weeks(N + 1)[-1:], N, None, None), draws, np.random.default_rng(1))[:, 0]
    shift = np.random.default_rng(1).random(len(found.names) + 1)
    weighted = levels.weigh(model.likelihood, found, draws // 16, shift)
    weight = np.exp(weighted.log_weight - weighted.log_weight.max())
    most = int(np.quantile(paths, 0.995))
    expected = np.zeros(most + 1)
    for share, (level, damping, level_sd, dispersion), moments in zip(
        weight / weight.sum(), weighted.natural, weighted.moments, strict=True
    ):
        mean, variance, third = moments
        skewness = np.clip(third / variance**1.5, -0.95, 0.95)
        root = np.cbrt(2 * abs(skewness) / (4 - np.pi))
        delta = np.sign(skewness) * root / np.sqrt(1 + root**2) * np.sqrt(np.pi / 2)
        scale = np.sqrt(variance / (1 - 2 * delta**2 / np.pi))
        # a skew normal plus a normal is skew normal again (Azzalini 1985)
        width = np.hypot(damping * scale, level_sd)
        slant = delta * damping * scale / width
        centre = level + damping * (mean - scale * delta * np.sqrt(2 / np.pi) - level)
        ahead = skewnorm(slant / np.sqrt(1 - slant**2), centre, width)
        x = np.linspace(*ahead.ppf([1e-6, 1 - 1e-6]), 200)
        density = ahead.pdf(x)
        pmf = np.exp(count_logpmf(np.arange(most + 1.0)[:, None], np.exp(x), dispersion))
        expected += share * (pmf @ density) / density.sum()
    seen = np.bincount(np.minimum(paths, most + 1), minlength=most + 2)
    expected = draws * np.append(expected, 1 - expected.sum())
    often = expected >= 5
    seen, expected = (np.append(part[often], part[~often].sum()) for part in (seen, expected))
    keep = expected > 0
    assert chisquare(seen[keep], expected[keep]).pvalue > 1e-3


def count_logpmf_exp(count, x, dispersion):
    return np.exp(count_logpmf(count, np.exp(x), dispersion))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_forecasts_widen_with_the_horizon(model):
    fit = model.fit(series(simulated(120, 4.0, 0.9, 0.25, 0.05, 21)))
    table = fit.forecast(12, draws=4000, rng=1).summary_frame(0.9)
    width = (table["obs_pi_upper"] - table["obs_pi_lower"]).to_numpy()
    assert width[11] > 1.15 * width[0]


def test_coming_exposure_scales_the_forecast():
    model, design = LocalLevel(link="log"), make_design(weeks(N), 0, None, None)
    found = model.estimate(SERIES["high"], design)
    coming = weeks(N + 1)[-1:]
    part = make_design(coming, N, pd.Series(0.25, index=coming), None)
    whole = make_design(coming, N, None, None)
    small, large = (model.simulate(found, one, 4000, np.random.default_rng(1)).mean() for one in (part, whole))
    assert small / large == pytest.approx(0.25, rel=0.02)


def test_same_seed_same_numbers():
    fits = [LocalLevel(link="log").fit(series(SERIES["typical"])) for _ in range(2)]
    pd.testing.assert_series_equal(fits[0].params, fits[1].params, check_exact=True)
    first, again = (fit.forecast(5, draws=200, rng=3).series_paths for fit in fits)
    assert (first == again).all()
    assert (first != fits[0].forecast(5, draws=200, rng=4).series_paths).any()


def test_coverage_of_forecasts_of_its_own_series(benchmark):
    shares = benchmark("coverage").measure("local_level", series=150, draws=600, seed=5).mean(axis=1)
    error = 0.15 / np.sqrt(150)  # the share inside of one series of 8 steps has a standard deviation of 0.15
    assert shares.mean() == pytest.approx(0.9, abs=3 * error)


@pytest.mark.parametrize("damping", ["some", 0, 1.5, -0.1, True, float("nan")])
def test_damping_out_of_range_is_refused(damping):
    with pytest.raises(InputError, match=r"damping is .*; use 'estimate', 'none', or a number above 0 and up to 1"):
        LocalLevel(damping)


def test_unknown_family_is_refused():
    with pytest.raises(InputError, match="family is 'normal'; local_level takes 'negbin' or 'poisson'"):
        LocalLevel(family="normal")


def test_one_name_stands_for_one_model():
    assert LocalLevel().link == "softplus"
    assert get_model("local_level") == Ensemble().models[-1] == LocalLevel()


def test_unknown_link_is_refused():
    with pytest.raises(InputError, match="link is 'identity'; local_level takes 'log' or 'softplus'"):
        LocalLevel(link="identity")


def test_counts_beyond_its_digits_are_refused():
    with pytest.raises(FitError, match=r"local_level got a count of 2e\+07; it takes up to 1e\+07"):
        LocalLevel().fit(series([1, 2, 3, 2e7, 5]))


def test_too_few_periods_are_refused():
    with pytest.raises(FitError, match="4 observed periods are too few for local_level; it needs 5"):
        LocalLevel().fit(series([1, 2, 3, 4]))


SPIKES = [(np.r_[np.zeros(59), 20], 20), (np.zeros(60), 1)]


@pytest.mark.parametrize(("counts", "largest"), SPIKES)
@pytest.mark.parametrize("damping", ["estimate", "none"])
def test_forecasts_are_cut_at_a_hundred_times_the_largest_rate(counts, largest, damping):
    """The log link has no bound: after a long quiet a random walk of its level leads to 1e10 within weeks."""
    most = 100 * largest
    for link in ("log", "softplus"):
        fit = LocalLevel(damping, "poisson", link).fit(series(counts))
        paths = fit.forecast(26, draws=4000, rng=1).series_paths
        assert paths.max() <= most + 6 * np.sqrt(most)  # six standard deviations of a Poisson count


def test_the_level_of_a_rate_is_its_inverse():
    for bend in (np.inf, 1.5):
        levels = np.linspace(-3, 30, 34)
        back = [level_of(float(np.log(rate)), bend) for rate in rates(levels, bend)]
        np.testing.assert_allclose(back, levels, rtol=1e-9)


# --- regressors


@pytest.mark.parametrize("model", [LocalLevel(), LocalLevel(link="log"), LocalTrend()], ids=repr)
def test_effects_of_regressors_are_found_and_carried_on(model):
    marked = pd.DataFrame({"raid": (np.arange(100) // 5 % 2).astype(float)}, index=weeks(100))
    means = 8 * np.exp(0.8 * marked["raid"].to_numpy())
    counts = series(np.random.default_rng(3).poisson(means).astype(float))
    fit = model.fit(counts.iloc[:80], exog=marked.iloc[:80])
    assert abs(fit.params["raid"] - 0.8) < 3 * fit.bse["raid"] < 0.6
    ahead = [pd.DataFrame({"raid": [value] * 3}) for value in (1.0, 0.0)]
    high, low = (fit.forecast(3, draws=4000, exog=one, rng=1).series_paths.mean() for one in ahead)
    assert high / low == pytest.approx(np.exp(0.8), rel=0.3)
    later = fit.update(counts, exog=marked)
    assert later.nobs == 100 and later.params.equals(fit.params)
    np.testing.assert_allclose(later.fitted.iloc[85:].corr(pd.Series(means[85:], index=weeks(100)[85:])), 1, atol=0.2)
    assert len(fit.diagnose().table())


def test_regressors_that_say_nothing_are_refused():
    counts = series(np.arange(20.0))
    with pytest.raises(
        InputError, match="local_level cannot know the effect of 'raid', which is always 1; leave it out"
    ):
        LocalLevel().fit(counts, exog=pd.DataFrame({"raid": np.ones(20)}, index=counts.index))
    with pytest.raises(InputError, match="local_level has two parameters called 'damping'; rename the regressor"):
        LocalLevel().fit(counts, exog=pd.DataFrame({"damping": np.arange(20.0)}, index=counts.index))
