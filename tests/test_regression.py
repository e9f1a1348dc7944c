"""Poisson and NB1 regression, and what regressions are made of: derivatives, Newton steps, draws."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import chi2, kstest, nbinom, poisson

from escalation.errors import DataWarning
from escalation.models.contract.newton import Height, climb, inverse
from escalation.models.regression import derivatives as count_slopes
from escalation.models.regression.importance import draw_around
from escalation.models.regression.interventions import Step
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.posterior import draw_parameters
from escalation.models.regression.zero_inflated import ZeroInflated


def weeks(n):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def nb1(n, mean, ratio, seed):
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(mean / (ratio - 1), ratio - 1, n))


# --- derivatives


@pytest.mark.parametrize("variance", ["poisson", "nb2", "nb1"])
@pytest.mark.parametrize("log_d", [-9.0, -1.0, 3.0])
def test_slopes_are_the_derivatives_of_scipys_probabilities(variance, log_d):
    y = np.array([0.0, 1, 4, 30, 500])
    log_mean = np.log([0.3, 2, 3, 40, 450])

    def distribution(point, k):
        mean, d = np.exp(point[0]), np.exp(point[1])
        if variance == "poisson":
            return poisson.logpmf(y[k], mean)
        size = 1 / d if variance == "nb2" else mean / d
        return nbinom.logpmf(y[k], size, size / (size + mean))

    def gradient(point, k):
        at = count_slopes.slopes(variance, y[k : k + 1], np.array(point[:1]), point[1])
        return np.array([at.e[0], at.t[0]])

    at = count_slopes.slopes(variance, y, log_mean, log_d)
    values = count_slopes.logpmf(variance, y, log_mean[None], np.array([[log_d]]))[0]
    for k in range(5):
        point = np.array([log_mean[k], log_d])
        # scipy's probabilities for sizes of some 1e4 are good to 1e-9
        assert at.value[k] == pytest.approx(distribution(point, k), rel=1e-8)
        assert values[k] == pytest.approx(at.value[k], rel=1e-12)
        numerical = approx_fprime(point, distribution, 1e-6, k)
        # differences of 1e-6: rounding 1e-9 / 1e-6 of values up to 10, and a second derivative of up to 450 times 1e-6
        np.testing.assert_allclose(gradient(point, k), numerical, rtol=2e-3, atol=1e-2)
        curvature = [(gradient(point + h, k) - gradient(point - h, k)) / 2e-5 for h in 1e-5 * np.eye(2)]
        # central differences of exact gradients: psi of sizes up to 4e6 is rounded by 5e-9, over 1e-5
        np.testing.assert_allclose([[at.ee[k], at.et[k]], [at.et[k], at.tt[k]]], curvature, rtol=1e-5, atol=1e-3)


# --- maximising and drawing


def test_newton_finds_the_top_of_a_bent_ridge():
    def banana(point):  # minus Rosenbrock's function, top at (1, 1)
        x, y = point
        score = np.array([400 * x * (y - x * x) + 2 * (1 - x), -200 * (y - x * x)])
        hessian = np.array([[400 * y - 1200 * x * x - 2, 400 * x], [400 * x, -200.0]])
        return Height(-(100 * (y - x * x) ** 2 + (1 - x) ** 2), score, hessian)

    peak = climb(banana, np.array([-1.2, 1.0]))
    assert peak.converged
    np.testing.assert_allclose(peak.point, 1.0, atol=1e-6)
    np.testing.assert_allclose(inverse(-peak.height.hessian), np.linalg.inv(-peak.height.hessian), rtol=1e-6)


def test_newton_says_when_it_did_not_converge():
    def endless(point):
        return Height(float(point[0]), np.ones(1), np.zeros((1, 1)))

    assert not climb(endless, np.zeros(1), most_steps=20).converged


def test_importance_draws_follow_a_skewed_distribution():
    # log of a gamma variable of shape 1.5, with a standard normal beside it
    def log_density(points):
        return 1.5 * points[:, 0] - np.exp(points[:, 0]) - points[:, 1] ** 2 / 2

    mode, cov = np.array([np.log(1.5), 0.0]), np.diag([1 / 1.5, 1.0])
    drawn = np.concatenate([draw_around(mode, cov, log_density, 500, np.random.default_rng(k)) for k in range(20)])
    # 10,000 draws worth some 5,000: the largest difference of a distribution function is below 0.025 in all but 1%
    assert kstest(np.exp(drawn[:, 0]), "gamma", args=(1.5,)).statistic < 0.025
    assert kstest(drawn[:, 1], "norm").statistic < 0.025


# --- Poisson


def test_poisson_is_equal_to_glm_with_offset(shared_data):
    reference = json.loads(shared_data("data/reference/glm_poisson_offset_Insurance.json").read_text())
    table = pd.read_csv(shared_data("data/reference/Insurance.csv"), dtype={"District": str})
    for column, levels in (("Group", reference["group_levels"]), ("Age", reference["age_levels"])):
        table[column] = pd.Categorical(table[column], levels)
    regressors = ["District", "Group", "Age"]
    exog = pd.get_dummies(table[regressors], prefix=regressors, prefix_sep="", drop_first=True, dtype=float)
    index = pd.period_range("2000-01-01", periods=len(table), freq="D")
    counts, exposure = (pd.Series(table[name].to_numpy(), index=index) for name in ("Claims", "Holders"))
    fit = Poisson().fit(counts, exposure=exposure, exog=exog)
    wanted, errors = (
        pd.Series(reference[key]).rename({"(Intercept)": "level"}) for key in ("coefficients", "std_errors")
    )
    assert fit.llf == pytest.approx(reference["loglik"], abs=1e-5)
    assert fit.aic == pytest.approx(reference["AIC"], abs=1e-4)
    np.testing.assert_allclose(fit.params[wanted.index], wanted, rtol=1e-6)
    np.testing.assert_allclose(fit.bse[wanted.index], errors, rtol=1e-4)  # glm stops at 1e-8 in the deviance


def test_poisson_draws_the_gamma_posterior_of_a_level():
    counts = [3, 0, 2, 4, 1, 1]
    fit = Poisson().fit(series(counts))
    data = fit.estimates[0].state["data"]
    drawn = [draw_parameters(data, "poisson", 500, np.random.default_rng(k))[0][:, 0] for k in range(20)]
    rates = np.exp(np.concatenate(drawn))
    # Jeffreys' prior of a Poisson rate: gamma with the events plus a half; 10,000 draws worth some 5,000
    assert kstest(rates, "gamma", args=(sum(counts) + 0.5, 0, 1 / len(counts))).statistic < 0.025


def test_poisson_zeros_under_a_step_have_jeffreys_rate():
    counts = series([*[8] * 12, *[0] * 12])
    with pytest.warns(DataWarning, match="zero counts leave step_2020-03-30 without"):
        fit = Poisson(interventions=(Step("2020-03-30"),)).fit(counts)
    # half an event more in each group
    assert np.exp(fit.params["level"]) == pytest.approx(96.5 / 12, rel=1e-6)
    assert np.exp(fit.params.sum()) == pytest.approx(0.5 / 12, rel=1e-6)
    assert list(fit.params.index) == ["level", "step_2020-03-30"]


# --- NB1


def test_nb1_is_statsmodels_nb1():
    sm = pytest.importorskip("statsmodels.discrete.discrete_model")
    time = np.arange(200.0)
    counts = nb1(200, np.exp(1.5 + 0.005 * time), 3.0, 1)
    fit = NegativeBinomial(trend="linear", variance="nb1").fit(series(counts))
    their = sm.NegativeBinomial(counts, np.column_stack([np.ones(200), time]), loglike_method="nb1").fit(
        np.array([*fit.params.iloc[:2], 1.9]), disp=0, method="newton", maxiter=200, tol=1e-12
    )
    assert fit.llf == pytest.approx(their.llf, abs=1e-8)
    np.testing.assert_allclose(fit.params - [0, 0, 1], their.params, rtol=1e-5)
    np.testing.assert_allclose(fit.bse, their.bse, rtol=1e-3)  # theirs by finite differences
    assert list(fit.params.index) == ["level", "trend", "variance_to_mean"]


def test_nb1_without_overdispersion_is_the_poisson_model():
    counts = series([4, 6, 5, 5, 4, 6, 5, 5])
    plain, fit = Poisson().fit(counts), NegativeBinomial(variance="nb1").fit(counts)
    assert fit.params.tolist() == [plain.params["level"], 1.0]
    assert fit.llf == pytest.approx(plain.llf, abs=1e-12)
    assert fit.bse["variance_to_mean"] == pytest.approx(np.sqrt(2 / 8))
    assert fit.conf_int().loc["variance_to_mean", "lower"] == 1.0


def test_nb1_zeros_under_a_step_leave_the_rest_alone():
    counts = series([*nb1(40, 15, 4.0, 2), *[0] * 12])
    with pytest.warns(DataWarning, match="zero counts leave step_2020-10-12 without"):
        fit = NegativeBinomial(variance="nb1", interventions=(Step("2020-10-12"),)).fit(counts)
    alone = NegativeBinomial(variance="nb1").fit(counts.iloc[:40])
    assert fit.params["level"] == pytest.approx(alone.params["level"], abs=0.03)
    # a quiet group has a part in the dispersion: quiet weeks say that NB1 is not far from Poisson there
    assert fit.params["variance_to_mean"] == pytest.approx(alone.params["variance_to_mean"], rel=0.15)
    assert np.exp(fit.params["level"] + fit.params["step_2020-10-12"]) < 0.3
    assert np.isfinite(fit.cov_params.to_numpy()).all()


def test_nb1_draws_its_posterior():
    counts = np.array([3, 17, 8, 0, 25, 11, 4, 30, 2, 9, 14, 6, 41, 5, 12, 1, 7, 19, 10, 3], float)
    fit = NegativeBinomial(variance="nb1").fit(series(counts))
    data = fit.estimates[0].state["data"]
    drawn = [draw_parameters(data, "nb1", 1000, np.random.default_rng(k)) for k in range(10)]
    log_rate = np.linspace(0.5, 4.5, 300)[:, None]
    log_d = np.linspace(-4, 6, 400)[None, :]
    rate, d = np.exp(log_rate), np.exp(log_d)
    density = sum(nbinom.logpmf(y, rate / d, 1 / (1 + d)) for y in counts)
    density = density + log_rate / 2 + log_d / 2 - np.sqrt(d / counts.mean())  # the priors as they are documented
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    for values, grid, share in (
        (np.concatenate([one[0][:, 0] for one in drawn]), log_rate[:, 0], weight.sum(axis=1)),
        (np.log(np.concatenate([one[1] for one in drawn])), log_d[0], weight.sum(axis=0)),
    ):
        for q in (0.05, 0.25, 0.5, 0.75, 0.95):
            cell = np.searchsorted(share.cumsum(), q)
            edge = grid[cell] + (grid[1] - grid[0]) / 2
            # 10,000 draws, worth some 5,000: standard error below 0.008
            assert (values <= edge).mean() == pytest.approx(share[: cell + 1].sum(), abs=0.025)


# --- forecasts


@pytest.mark.parametrize("model", [Poisson(), NegativeBinomial(), NegativeBinomial(variance="nb1")])
def test_the_forecast_is_the_analytic_distribution_averaged_over_parameters(model):
    fit = model.fit(series(nb1(60, 6.0, 3.0, 5)))
    paths = fit.forecast(1, draws=4000, rng=1).series_paths[:, 0]
    coefficients, d = draw_parameters(fit.estimates[0].state["data"], model._variance, 4000, np.random.default_rng(2))
    mean = np.exp(coefficients[:, 0])[:, None]
    support = np.arange(400)
    if model._variance == "poisson":
        pmf = poisson.pmf(support, mean).mean(axis=0)
    else:
        size = (1 / d if model._variance == "nb2" else mean[:, 0] / d)[:, None]
        pmf = nbinom.pmf(support, size, size / (size + mean)).mean(axis=0)
    edges = np.unique(np.searchsorted(pmf.cumsum(), np.linspace(0.05, 0.95, 15)))
    seen = np.bincount(np.searchsorted(edges, paths), minlength=len(edges) + 1)
    wanted = 4000 * np.diff(np.concatenate([[0.0], pmf.cumsum()[edges], [1.0]]))
    assert ((seen - wanted) ** 2 / wanted).sum() < chi2.ppf(0.999, len(edges))


# --- what the benchmarks measure, in short


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["poisson", "negative_binomial", "nb1", "zero_inflated", "hurdle"])
def test_parameters_are_recovered(name, benchmark):
    table = benchmark("recovery").measure(name, series=200)
    assert (table["bias_in_errors"].abs() < 3).all()
    # 200 intervals of 95%: standard error 0.0154, three of them
    assert table["coverage"].between(0.904, 0.996).all()


@pytest.mark.nightly
# some series have no zero at all, and the fit says so
@pytest.mark.filterwarnings("ignore:.*the counts leave zero_level:escalation.errors.DataWarning")
@pytest.mark.parametrize("name", ["poisson", "nb1", "zero_inflated", "hurdle"])
def test_forecast_intervals_cover(name, benchmark):
    table = benchmark("coverage").summarise(benchmark("coverage").measure(name, series=150, steps=4))
    error = table.loc["all", "std_error"]
    assert error < 0.015
    # 0.91 to 0.92 by the long run of the benchmark, as intervals of whole numbers cover a little more than their level
    assert 0.87 - error < table.loc["all", "coverage"] < 0.93 + error


@pytest.mark.parametrize("counts", [np.r_[np.zeros(59), 20], np.r_[np.zeros(57), 1, 5, 40]])
def test_forecasts_of_a_trend_are_cut_at_a_hundred_times_the_largest_rate(counts):
    """A trend through a quiet and a spike is steep: carried on for weeks it would lead to 1e15."""
    most = 100 * counts.max()
    for model in (Poisson(trend="linear"), ZeroInflated(trend="linear", family="poisson")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            fit = model.fit(series(counts))
        paths = fit.forecast(26, draws=1000, rng=1).series_paths
        assert paths.max() <= most + 6 * np.sqrt(most)  # six standard deviations of a Poisson count
