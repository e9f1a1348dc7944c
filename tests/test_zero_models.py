"""ZeroInflated and Hurdle: against R's pscl, numerical derivatives, plain optimisation and enumeration."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.stats import chi2, nbinom, poisson

from escalation.conventions.count_draws import draw_positive
from escalation.errors import DataWarning
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.terms import Terms
from escalation.models.regression.zero_inflated import ZeroInflated
from escalation.models.regression.zero_likelihood import Prior, ZeroData, height, log_likelihood, log_prior
from escalation.models.regression.zero_search import draw_zero

KINDS = {"inflated": ZeroInflated, "hurdle": Hurdle}


def weeks(n):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def with_zeros(n, mean, dispersion, share, seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, n))
    counts[rng.random(n) < share] = 0
    return counts


# --- reference numbers


def bio_chemists(shared_data):
    table = pd.read_csv(shared_data("data/reference/bioChemists.csv"))
    index = pd.period_range("2000-01-01", periods=len(table), freq="D")
    exog = pd.DataFrame(
        {
            "femWomen": (table["fem"] == "Women").astype(float),
            "marMarried": (table["mar"] == "Married").astype(float),
            "kid5": table["kid5"].astype(float),
            "phd": table["phd"],
            "ment": table["ment"].astype(float),
        }
    ).set_axis(index)
    return pd.Series(table["art"].to_numpy(), index=index), exog


def renamed(values, sign):
    """Coefficients of pscl under the names and signs of this package."""
    named = {}
    for name, value in values.items():
        part, term = name.split("_", 1)
        term = "level" if term == "(Intercept)" else term
        named[f"zero_{term}" if part == "zero" else term] = value * (sign if part == "zero" else 1)
    return pd.Series(named)


@pytest.mark.parametrize(
    "case",
    [
        "zeroinfl_poisson_full",
        "zeroinfl_poisson_intercept",
        "zeroinfl_negbin_full",
        "hurdle_poisson_full",
        "hurdle_poisson_intercept",
    ],
)
def test_equal_to_pscl(shared_data, case):
    reference = json.loads(shared_data("data/reference/pscl_bioChemists.json").read_text())[case]
    counts, exog = bio_chemists(shared_data)
    engine, family, zero = case.split("_")
    kind = ZeroInflated if engine == "zeroinfl" else Hurdle
    fit = kind(family=family, zero=Terms() if zero == "full" else Terms(regressors=())).fit(counts, exog=exog)
    # pscl's hurdle has the log odds of a count above 0
    wanted = renamed(reference["coefficients"], 1 if kind is ZeroInflated else -1)
    errors = renamed(reference["std_errors"], 1)
    assert fit.converged
    assert fit.llf == pytest.approx(reference["loglik"], abs=1e-5)
    assert fit.aic == pytest.approx(reference["AIC"], abs=1e-4)
    # R's optimiser stops at 1e-14 of the log-likelihood, so flat coefficients have 4 digits
    np.testing.assert_allclose(fit.params[wanted.index], wanted, rtol=1e-4)
    np.testing.assert_allclose(fit.bse[errors.index], errors, rtol=1e-3)  # theirs by finite differences
    np.testing.assert_allclose(fit.fitted.iloc[:5], reference["fitted_first5"], rtol=1e-5)
    given = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
    pmf = np.column_stack([given.pmf(np.full(915, float(k))) for k in range(11)])
    np.testing.assert_allclose(pmf[:5], np.array(reference["predict_prob_first5_at_0_10"])[:5], atol=1e-6)
    if family == "negbin":
        theta = reference["theta"]
        assert 1 / fit.params["dispersion"] == pytest.approx(theta, rel=1e-5)
        assert fit.bse["dispersion"] == pytest.approx(reference["SE_logtheta"] / theta, rel=1e-3)


def test_where_no_zero_inflation_is_needed_it_says_so_and_is_the_count_model(shared_data):
    reference = json.loads(shared_data("data/reference/pscl_bioChemists.json").read_text())["zeroinfl_negbin_intercept"]
    counts, exog = bio_chemists(shared_data)
    with pytest.warns(DataWarning, match="no zero inflation is needed: the counts leave zero_level without a finite"):
        fit = ZeroInflated().fit(counts, exog=exog)
    plain = NegativeBinomial().fit(counts, exog=exog)
    assert fit.converged
    assert fit.llf == pytest.approx(reference["loglik"], abs=1e-5)
    assert fit.llf == pytest.approx(plain.llf, abs=1e-5)
    wanted = renamed(reference["coefficients"], 1).drop("zero_level")
    np.testing.assert_allclose(fit.params[wanted.index], wanted, rtol=1e-3)
    errors = renamed(reference["std_errors"], 1).drop("zero_level")
    np.testing.assert_allclose(fit.bse[errors.index], errors, rtol=1e-3)
    assert fit.params["zero_level"] < -15
    assert 100 < fit.bse["zero_level"] < 1e6
    assert np.isfinite(fit.cov_params.to_numpy()).all()
    forecast = fit.forecast(1, draws=50, exog=exog.iloc[:1].reset_index(drop=True), rng=1)
    assert forecast.series_paths.max() < 60


# --- the likelihoods


def data_of(n=40, seed=3):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    z = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(size=n)])
    return ZeroData(with_zeros(n, 3.0, 0.5, 0.3, seed).astype(float), x, z, rng.normal(0, 0.2, n))


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_score_and_hessian_are_exact(kind, family):
    data = data_of()
    point = np.array([0.8, 0.3, -0.7, 0.4, -0.2, -0.9][: 5 + (family == "negbin")])
    prior = Prior(np.full(5, 0.2), np.full(5, 0.3), family == "negbin")

    def value(p):
        return float(log_likelihood(kind, family, p[None], data)[0] + log_prior(p[None], prior)[0])

    at = height(kind, family, point, data, prior)
    assert at.value == pytest.approx(value(point), abs=1e-10)
    # forward differences of 1e-7 of values near 100: rounding 1e-14 * 100 / 1e-7, curvature 100 times 1e-7
    np.testing.assert_allclose(at.score, approx_fprime(point, value, 1e-7), atol=1e-4)
    steps = 1e-5 * np.eye(len(point))
    numerical = [
        (height(kind, family, point + h, data, prior).score - height(kind, family, point - h, data, prior).score) / 2e-5
        for h in steps
    ]
    np.testing.assert_allclose(at.hessian, numerical, atol=1e-6)  # central: 1e-10 of the fourth derivative


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_log_likelihood_is_the_sum_of_scipys_log_probabilities(kind, family):
    data = data_of()
    point = np.array([0.8, 0.3, -0.7, 0.4, -0.2, -0.9][: 5 + (family == "negbin")])
    mean = np.exp(data.x @ point[:2] + data.offset)
    zero = 1 / (1 + np.exp(-data.z @ point[2:5]))
    size = 1 / np.exp(-0.9)
    distribution = poisson(mean) if family == "poisson" else nbinom(size, size / (size + mean))
    plain, none = distribution.pmf(data.y), distribution.pmf(0)
    if kind == "inflated":
        wanted = np.where(data.y == 0, zero + (1 - zero) * none, (1 - zero) * plain)
    else:
        wanted = np.where(data.y == 0, zero, (1 - zero) * plain / (1 - none))
    assert log_likelihood(kind, family, point[None], data)[0] == pytest.approx(np.log(wanted).sum(), abs=1e-10)


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
@pytest.mark.parametrize("seed", range(4))
def test_no_simplex_search_finds_a_higher_likelihood(kind, seed):
    counts = with_zeros(150, 4.0, 0.6, 0.25, seed)
    fit = KINDS[kind]().fit(series(counts))
    data = ZeroData(counts.astype(float), np.ones((150, 1)), np.ones((150, 1)), np.zeros(150))

    def loss(point):
        return -float(log_likelihood(kind, "negbin", point[None], data)[0])

    options = {"xatol": 1e-9, "fatol": 1e-12, "maxfev": 4000}
    found = [minimize(loss, start, method="Nelder-Mead", options=options) for start in ([1, -1, -1], [0.5, -4, 0.3])]
    assert fit.llf == pytest.approx(-min(one.fun for one in found), abs=1e-7)


def test_the_zero_part_of_a_hurdle_is_the_share_of_zeros_and_the_fit_has_the_mean():
    counts = with_zeros(80, 5.0, 0.3, 0.3, 1)
    fit = Hurdle(family="poisson").fit(series(counts))
    share = (counts == 0).mean()
    assert fit.params["zero_level"] == pytest.approx(np.log(share / (1 - share)), abs=1e-7)
    assert fit.bse["zero_level"] == pytest.approx(1 / np.sqrt(80 * share * (1 - share)), rel=1e-6)
    # both are exact at a maximum: the score of the log mean is the sum of the residuals of the cut distribution
    assert fit.fitted.iloc[0] == pytest.approx(counts.mean(), rel=1e-8)


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
def test_without_overdispersion_it_is_the_poisson_model(kind):
    rng = np.random.default_rng(2)
    counts = np.where(rng.random(90) < 0.3, 0, rng.binomial(12, 0.5, 90))
    fit, plain = (KINDS[kind](family=family).fit(series(counts)) for family in ("negbin", "poisson"))
    assert fit.params["dispersion"] == 0
    np.testing.assert_allclose(fit.params.iloc[:2], plain.params)
    assert fit.llf == plain.llf
    assert 0 < fit.bse["dispersion"] < 1


def test_terms_of_the_zero_part_that_separate_the_counts_are_named():
    exog = pd.DataFrame({"truce": np.repeat([0.0, 1.0], 30)}, index=weeks(60))
    counts = with_zeros(60, 6.0, 0.2, 0.3, 4)
    counts[30:] = 0
    counts[30:33] = 0
    with pytest.warns(
        DataWarning, match="the counts leave zero_truce without a finite maximum likelihood estimate; what"
    ):
        fit = Hurdle(family="poisson", regressors=(), zero=Terms()).fit(series(counts), exog=exog)
    assert fit.params["zero_truce"] > 10
    assert np.isfinite(fit.bse).all()
    quiet = fit.forecast(4, draws=500, exog=pd.DataFrame({"truce": np.ones(4)}), rng=1).series_paths
    assert (quiet > 0).mean() < 0.1  # 30 quiet weeks


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
def test_exposure_scales_the_mean_and_not_the_zeros(kind):
    counts = with_zeros(300, 8.0, 0.2, 0.3, 5)
    exposure = pd.Series(np.full(300, 0.5), index=weeks(300))
    plain, half = (KINDS[kind]().fit(series(counts), exposure=share) for share in (None, exposure))
    np.testing.assert_allclose(half.params - plain.params, [np.log(2), 0, 0], atol=1e-6)
    assert half.llf == pytest.approx(plain.llf, abs=1e-8)


# --- draws


@pytest.mark.parametrize(
    ("mean", "dispersion"), [(0.01, 0.0), (2.5, 0.0), (60.0, 0.0), (0.05, 1.0), (3.0, 0.4), (40, 3.0)]
)
def test_positive_counts_have_the_cut_distribution(mean, dispersion):
    drawn = draw_positive(np.full(20_000, mean), np.full(20_000, dispersion), np.random.default_rng(1))
    assert drawn.min() >= 1
    distribution = poisson(mean) if dispersion == 0 else nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    pmf = distribution.pmf(np.arange(1, 3000)) / distribution.sf(0)
    edges = np.unique(np.searchsorted(pmf.cumsum(), np.linspace(0.04, 0.96, 20)))
    wanted = 20_000 * np.diff(np.concatenate([[0.0], pmf.cumsum()[edges], [1.0]]))
    seen = np.bincount(np.searchsorted(edges + 1, drawn), minlength=len(edges) + 1)
    kept = wanted > 1
    assert ((seen - wanted)[kept] ** 2 / wanted[kept]).sum() < chi2.ppf(0.999, max(kept.sum() - 1, 1))


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_the_forecast_is_the_analytic_distribution_averaged_over_parameters(kind, family):
    fit = KINDS[kind](family=family).fit(series(with_zeros(60, 6.0, 0.3, 0.3, 6)))
    paths = fit.forecast(1, draws=4000, rng=1).series_paths[:, 0]
    state = fit.estimates[0].state
    found = state["found"]
    points, d = draw_zero(kind, family, state["data"], found.point, found.dispersion, 4000, np.random.default_rng(2))
    mean, zero = np.exp(points[:, :1]), 1 / (1 + np.exp(-points[:, 1:2]))
    support = np.arange(400)
    distribution = poisson(mean) if family == "poisson" else nbinom(1 / d[:, None], 1 / (1 + d[:, None] * mean))
    pmf = distribution.pmf(support)
    if kind == "inflated":
        pmf = (1 - zero) * pmf + zero * (support == 0)
    else:
        pmf = np.where(support == 0, zero, (1 - zero) * pmf / distribution.sf(0))
    pmf = pmf.mean(axis=0)
    edges = np.unique(np.searchsorted(pmf.cumsum(), np.linspace(0.05, 0.95, 15)))
    seen = np.bincount(np.searchsorted(edges, paths), minlength=len(edges) + 1)
    wanted = 4000 * np.diff(np.concatenate([[0.0], pmf.cumsum()[edges], [1.0]]))
    assert ((seen - wanted) ** 2 / wanted).sum() < chi2.ppf(0.999, len(edges))


@pytest.mark.parametrize("kind", ["inflated", "hurdle"])
def test_series_without_a_maximum_still_give_finite_numbers(kind):
    for counts in ([0] * 30, [1] * 15 + [0] * 15, [0] * 29 + [1], [3, 0, 0, 900, 0, 0, 1, 0, 0, 2]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            fit = KINDS[kind]().fit(series(counts))
        assert np.isfinite(fit.params).all()
        assert np.isfinite(fit.bse).all()
        assert fit.fitted.mean() == pytest.approx(np.mean(counts), rel=0.05, abs=1e-3)
        assert (fit.forecast(3, draws=200, rng=1).series_paths >= 0).all()
