"""NegativeBinomial: against R's numbers, closed forms, plain optimisation and a posterior on a fine grid."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import kstest, nbinom, poisson

from escalation.errors import DataWarning, FitError, InputError
from escalation.models.contract.design import make_design
from escalation.models.regression import likelihood as arrays
from escalation.models.regression import regression
from escalation.models.regression.interventions import Pulse, Step
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.posterior import draw_parameters

OVERDISPERSED = [3, 17, 8, 0, 25, 11, 4, 30, 2, 9, 14, 6, 41, 5, 12, 1, 7, 19, 10, 3]


def weeks(n, start="2020-01-06"):
    return pd.period_range(start, periods=n, freq="W-SUN", name="period")


def series(values, index=None):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)) if index is None else index)


def simulated(n, mean, dispersion, seed):
    rng = np.random.default_rng(seed)
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, n))


def log_likelihood(counts, mean, dispersion):
    if dispersion == 0:
        return poisson.logpmf(counts, mean).sum()
    return nbinom.logpmf(counts, 1 / dispersion, 1 / (1 + dispersion * mean)).sum()


# --- reference numbers


def quine(shared_data):
    table = pd.read_csv(shared_data("data/reference/quine.csv"))
    index = pd.period_range("2000-01-01", periods=len(table), freq="D")
    return table, pd.Series(table["Days"].to_numpy(), index=index)


def dummies(table, *columns):
    """Treatment contrasts named as R names them."""
    return pd.get_dummies(table[list(columns)], prefix=columns, prefix_sep="", drop_first=True, dtype=float)


def nested(table):
    """The columns of Sex / (Age + Eth * Lrn)."""
    female, male = (table["Sex"] == "F").astype(float), (table["Sex"] == "M").astype(float)
    columns = {"SexM": male}
    for sex, name in ((female, "SexF"), (male, "SexM")):
        for age in ("F1", "F2", "F3"):
            columns[f"{name}:Age{age}"] = sex * (table["Age"] == age)
        eth, lrn = sex * (table["Eth"] == "N"), sex * (table["Lrn"] == "SL")
        columns |= {f"{name}:EthN": eth, f"{name}:LrnSL": lrn, f"{name}:EthN:LrnSL": eth * (table["Lrn"] == "SL")}
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("formula", "regressors"),
    [
        ("Days ~ 1", lambda table: None),
        ("Days ~ Eth + Sex + Age + Lrn", lambda table: dummies(table, "Eth", "Sex", "Age", "Lrn")),
        ("Days ~ Sex/(Age + Eth*Lrn)", nested),
    ],
)
def test_equal_to_glm_nb(shared_data, formula, regressors):
    reference = json.loads(shared_data("data/reference/MASS_glm_nb_quine.json").read_text())[formula]
    table, counts = quine(shared_data)
    fit = NegativeBinomial().fit(counts, exog=regressors(table))
    wanted = pd.Series(reference["coefficients"]).rename({"(Intercept)": "level"})
    # glm.nb stops when its deviance changes by less than 1e-8 of itself, so its coefficients have some 6 digits
    assert fit.llf == pytest.approx(reference["loglik"], abs=1e-5)
    np.testing.assert_allclose(fit.params[wanted.index], wanted, rtol=1e-4)
    assert 1 / fit.params["dispersion"] == pytest.approx(reference["theta"], rel=1e-4)
    assert fit.bse["dispersion"] == pytest.approx(reference["SE_theta"] / reference["theta"] ** 2, rel=0.02)  # expected
    assert fit.aic == pytest.approx(reference["AIC"], abs=1e-4)
    assert fit.converged


def test_equal_to_poisson_glm_with_offset_where_there_is_no_overdispersion(shared_data):
    reference = json.loads(shared_data("data/reference/glm_poisson_offset_Insurance.json").read_text())
    table = pd.read_csv(shared_data("data/reference/Insurance.csv"), dtype={"District": str})
    for column, levels in (("Group", reference["group_levels"]), ("Age", reference["age_levels"])):
        table[column] = pd.Categorical(table[column], levels)
    index = pd.period_range("2000-01-01", periods=len(table), freq="D")
    counts, exposure = (pd.Series(table[name].to_numpy(), index=index) for name in ("Claims", "Holders"))
    fit = NegativeBinomial().fit(counts, exposure=exposure, exog=dummies(table, "District", "Group", "Age"))
    wanted, errors = (
        pd.Series(reference[key]).rename({"(Intercept)": "level"}) for key in ("coefficients", "std_errors")
    )
    assert fit.params["dispersion"] == 0
    assert fit.llf == pytest.approx(reference["loglik"], abs=1e-5)
    np.testing.assert_allclose(fit.params[wanted.index], wanted, rtol=1e-6)
    # glm's iterations stop at 1e-8 in the deviance
    np.testing.assert_allclose(fit.bse[wanted.index], errors, rtol=1e-4)


# --- the likelihood


def test_level_is_the_log_of_the_mean_and_fitted_is_the_mean():
    fit = NegativeBinomial().fit(series(OVERDISPERSED))
    assert np.exp(fit.params["level"]) == pytest.approx(np.mean(OVERDISPERSED), rel=1e-9)  # its exact maximum
    assert fit.fitted.tolist() == pytest.approx([np.mean(OVERDISPERSED)] * 20)
    assert fit.fitted.index.equals(weeks(20))
    assert list(fit.params.index) == ["level", "dispersion"]


def test_llf_is_the_sum_of_log_probabilities():
    fit = NegativeBinomial(trend="linear").fit(series(OVERDISPERSED))
    assert fit.llf == pytest.approx(log_likelihood(OVERDISPERSED, fit.fitted, fit.params["dispersion"]), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_simplex_search_finds_a_higher_likelihood(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([12, 40, 90]))
    exposure = rng.uniform(0.3, 1, n)
    mean = 10 ** rng.uniform(0, 3) * np.exp(rng.normal(0, 1) * np.arange(n) / n) * exposure
    counts = rng.poisson(mean * rng.gamma(2, 0.5, n))
    fit = NegativeBinomial(trend="linear").fit(series(counts), exposure=pd.Series(exposure, index=weeks(n)))

    def loss(theta):
        log_rate = theta[0] + theta[1] * np.arange(n) / n
        return -log_likelihood(counts, exposure * np.exp(log_rate), np.exp(theta[2]))

    start = [np.log(counts.mean()), 0.0, 0.0]
    found = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxfev": 5000})
    assert fit.llf == pytest.approx(-found.fun, abs=1e-6)
    assert fit.params["trend"] == pytest.approx(found.x[1] / n, abs=1e-5)
    assert fit.params["dispersion"] == pytest.approx(np.exp(found.x[2]), rel=1e-3)


def test_an_outlier_does_not_hide_the_higher_of_two_maxima():
    # a Poisson model follows the last count by growing e**12-fold a week; that is a maximum, but not the highest
    counts = series([*np.random.default_rng(4).poisson(3, 59), 10**9])
    fit = NegativeBinomial(trend="linear").fit(counts)
    assert fit.params["dispersion"] > 1
    assert fit.llf > log_likelihood(counts, 3.0 * np.exp(0.3 * np.arange(60)), 9.0)


def test_standard_errors_are_the_curvature_of_the_likelihood():
    fit = NegativeBinomial().fit(series(OVERDISPERSED))
    level, dispersion = fit.params
    step = 1e-4

    def at(i, j):
        return log_likelihood(OVERDISPERSED, np.exp(level + i * step), dispersion + j * step)

    second = np.array([[at(1, 0) + at(-1, 0), 0], [0, at(0, 1) + at(0, -1)]]) - 2 * at(0, 0) * np.eye(2)
    second[0, 1] = second[1, 0] = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    # differences of 1e-4 are good to 1e-8 / 1e-8 of the rounding of a likelihood of some 70, that is some 1e-6
    np.testing.assert_allclose(fit.cov_params, np.linalg.inv(-second / step**2), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("counts", [[7] * 12, [4, 6, 5, 5, 4, 6, 5, 5], [1_000_000] * 9, [1, 0, 1, 1, 0, 1]])
def test_without_overdispersion_it_is_the_poisson_model(counts):
    fit = NegativeBinomial().fit(series(counts))
    mean, n = np.mean(counts), len(counts)
    assert fit.params["dispersion"] == 0
    assert fit.llf == pytest.approx(poisson.logpmf(counts, mean).sum(), abs=1e-9 * mean)
    assert fit.bse["level"] == pytest.approx(1 / np.sqrt(mean * n))
    assert fit.bse["dispersion"] == pytest.approx(np.sqrt(2 / n) / mean)
    assert fit.conf_int().loc["dispersion", "lower"] == 0
    assert fit.converged


def test_large_counts_keep_their_digits():
    # 1e6 a week, variance 11 times the mean: 1/alpha is 1e5 and gammaln alone would be good to a few digits only
    counts = simulated(400, 1e6, 1e-5, 3)
    fit = NegativeBinomial().fit(series(counts))
    moments = (counts.var() - counts.mean()) / counts.mean() ** 2
    assert fit.params["dispersion"] == pytest.approx(moments, rel=0.02)  # nearly normal: likelihood and moments agree
    assert fit.converged


def test_log_likelihood_function_at_all_sizes():
    counts = np.array([0.0, 1, 7, 300, 1e6])
    mean = np.array([0.1, 1, 10, 200, 9e5])
    data = arrays.Data(counts, np.ones((5, 1)), np.log(mean))
    dispersions = np.array([0, 1e-12, 1e-9, 1e-5, 1e-3, 0.5, 20])
    values = arrays.log_likelihood(data, np.zeros((7, 1)), dispersions)
    assert values[0] == pytest.approx(poisson.logpmf(counts, mean).sum(), rel=1e-10)
    for dispersion, value in zip(dispersions[1:], values[1:], strict=True):
        # gamma(y + 1/alpha) / gamma(1/alpha) as the product it is, which loses no digits for small alpha
        rises = [np.log1p(dispersion * np.arange(y)).sum() for y in counts]
        each = rises + counts * np.log(mean) - (counts + 1 / dispersion) * np.log1p(dispersion * mean)
        # the sum of a million logs is good to some 1e-10 of itself
        assert value == pytest.approx((each - gammaln(counts + 1)).sum(), rel=1e-8)


# --- terms


def test_trend_recovers_growth():
    n = 300
    mean = 5 * np.exp(0.01 * np.arange(n))
    fit = NegativeBinomial(trend="linear").fit(series(simulated(n, mean, 0.2, 1)))
    assert abs(fit.params["trend"] - 0.01) < 3 * fit.bse["trend"]
    assert abs(fit.params["level"] - np.log(5)) < 3 * fit.bse["level"]
    assert fit.bse["trend"] < 0.001


def test_steps_and_pulses_give_the_ratios_of_the_group_means():
    # the terms split the weeks into groups, and a group's fitted mean is its mean count, whatever the dispersion
    counts = [10, 14, 30, 41, 29, 2, 3, 55, 60, 44]
    model = NegativeBinomial(interventions=(Step("2020-01-22"), Pulse("2020-02-10", "2020-02-17")))
    fit = model.fit(series(counts))
    assert list(fit.params.index) == ["level", "step_2020-01-22", "pulse_2020-02-10_2020-02-17", "dispersion"]
    before, after, truce = 12.0, np.mean([30, 41, 29, 55, 60, 44]), 2.5
    np.testing.assert_allclose(np.exp(fit.params.iloc[:3]), [before, after / before, truce / after], rtol=1e-6)
    paths = fit.forecast(3, draws=4000, rng=1).series_paths  # the step stays, the pulse does not
    assert paths.mean() == pytest.approx(after, rel=0.1)


@pytest.mark.parametrize("freq", ["D", "W-SUN", "W-WED", "M"])
def test_intervention_columns_against_a_plain_loop(freq):
    periods = pd.period_range("2024-01-01", periods=40, freq=freq)
    first, last = pd.Timestamp("2024-01-17"), pd.Timestamp("2024-02-13")
    after = [float(period.end_time >= first) for period in periods]
    days = pd.date_range(first, last)
    during = [float(any(pd.Period(day, freq) == period for day in days)) for period in periods]
    assert Step("2024-01-17").column(periods).tolist() == after
    assert Pulse("2024-01-17", "2024-02-13").column(periods).tolist() == during
    single = [float(pd.Period(first, freq) == period) for period in periods]
    assert Pulse(first).column(periods).tolist() == single


def test_interventions_are_the_same_however_the_date_is_written():
    assert Step("2024-02-05") == Step(pd.Timestamp("2024-02-05 13:00")) == Step(pd.Period("2024-02-05", "D"))
    assert repr(Step(pd.Timestamp("2024-02-05"))) == "Step(date='2024-02-05')"
    assert Pulse("2024-02-05", "2024-02-05") == Pulse("2024-02-05")
    month = pd.Period("2024-02", "M")
    assert Pulse(month, month).term == "pulse_2024-02-01_2024-02-29"
    assert len({Step("2024-02-05"), Step("2024-02-05"), Pulse("2024-02-05")}) == 2


@pytest.mark.parametrize(("freq", "length"), [("M", 12), ("D", 7), ("W-SUN", 365.25 / 7)])
def test_season_is_a_wave_of_the_calendar(freq, length):
    index = pd.period_range("2015-03-02", periods=200, freq=freq)
    angle = 2 * np.pi * np.array([period.ordinal for period in index]) / length
    counts = series(simulated(200, np.exp(3 + 0.5 * np.sin(angle) - 0.3 * np.cos(2 * angle)), 0.05, 2), index)
    fit = NegativeBinomial(season=2).fit(counts)
    names = ["season_sin1", "season_cos1", "season_sin2", "season_cos2"]
    assert list(fit.params.index) == ["level", *names, "dispersion"]
    assert (np.abs(fit.params[names] - [0.5, 0, 0, -0.3]) < 3.5 * fit.bse[names]).all()
    same = NegativeBinomial(season=2, season_length=length).fit(counts)
    # weeks by the day of the year are up to a week off those by their number since 1970
    np.testing.assert_allclose(same.params, fit.params, atol=0.1 if freq == "W-SUN" else 0)
    # the phase is the calendar's: leaving the first periods out and not observing them is the same
    later = NegativeBinomial(season=2).fit(counts.iloc[17:])
    unseen = NegativeBinomial(season=2).fit(counts.mask(np.arange(200) < 17))
    np.testing.assert_allclose(later.params, unseen.params, rtol=1e-6, atol=1e-9)


def test_unobserved_periods_are_left_out_but_time_goes_on():
    counts = series(OVERDISPERSED)
    counts.iloc[[2, 3, 9, 19]] = np.nan
    fit = NegativeBinomial(trend="linear").fit(counts)
    seen = counts.dropna()
    days = pd.period_range("2000-01-01", periods=len(seen), freq="D")
    time = pd.DataFrame({"time": np.flatnonzero(counts.notna()).astype(float)}, index=days)
    same = NegativeBinomial().fit(series(seen, days), exog=time)
    np.testing.assert_allclose(fit.params, same.params, rtol=1e-6)
    assert fit.llf == pytest.approx(same.llf, abs=1e-9)
    assert fit.nobs == 16
    assert fit.fitted.notna().all()


def test_exposure_scales_the_mean():
    counts = [8, 2, 5, 9, 4, 3]
    exposure = pd.Series([1, 0.25, 0.5, 1, 0.5, 0.5], index=weeks(6))
    fit = NegativeBinomial().fit(series(counts), exposure=exposure)
    assert fit.params["dispersion"] == 0
    assert np.exp(fit.params["level"]) == pytest.approx(31 / 3.75)  # total by total: the Poisson maximum
    np.testing.assert_allclose(fit.fitted, exposure * 31 / 3.75)


def test_regressors_of_any_scale():
    rng = np.random.default_rng(5)
    x = rng.normal(size=120)
    counts = series(simulated(120, np.exp(2 + 0.4 * x), 0.1, 6))
    plain = NegativeBinomial().fit(counts, exog=pd.DataFrame({"x": x}, index=weeks(120)))
    large = NegativeBinomial().fit(counts, exog=pd.DataFrame({"x": 1e9 * x + 1e9}, index=weeks(120)))
    assert large.llf == pytest.approx(plain.llf, abs=1e-7)
    assert large.params["x"] * 1e9 == pytest.approx(plain.params["x"], rel=1e-5)


# --- where maximum likelihood has no finite answer


def test_zeros_under_a_step_are_named_and_leave_the_rest_alone():
    counts = series([*simulated(30, 20, 0.2, 1), *([0] * 12)])
    model = NegativeBinomial(interventions=(Step("2020-08-05"),))
    with pytest.warns(DataWarning, match=r"zero counts leave step_2020-08-05 without a finite maximum"):
        fit = model.fit(counts)
    before = NegativeBinomial().fit(counts.iloc[:30])
    # Jeffreys' prior counts half an event for each of the two groups
    assert fit.params["level"] == pytest.approx(before.params["level"], abs=0.05)
    assert fit.params["dispersion"] == pytest.approx(before.params["dispersion"], rel=0.1)
    assert fit.params["level"] + fit.params["step_2020-08-05"] == pytest.approx(np.log(0.5 / 12), abs=0.05)
    assert np.isfinite(fit.cov_params.to_numpy()).all()
    forecast = fit.forecast(4, draws=2000, rng=1)
    assert 0 < forecast.mean().max() < 0.5  # 12 quiet weeks: about half an event in 12


@pytest.mark.parametrize("n", [5, 52])
def test_all_zero_series_has_jeffreys_rate(n):
    with pytest.warns(DataWarning, match="leave level without"):
        fit = NegativeBinomial().fit(series(np.zeros(n)))
    assert fit.params.tolist() == pytest.approx([np.log(0.5 / n), 0])
    assert fit.bse["level"] == pytest.approx(np.sqrt(2))


def test_endless_falls_are_found_and_only_those():
    def falls(counts, *columns):
        x = np.column_stack([np.ones(len(counts)), *columns])
        basis, _ = np.linalg.qr(x)
        scale = np.sqrt(len(counts))
        return arrays.endless_fall(arrays.Data(np.array(counts, float), basis * scale, np.zeros(len(counts))))

    time = np.arange(6.0)
    assert falls([0] * 6) is not None
    assert falls([0, 0, 0, 0, 0, 9], time) is not None  # ever steeper
    assert falls([0, 0, 3, 0, 0, 0], time) is None  # the trend would have to fall on both sides
    assert falls([0, 0, 3, 0, 0, 0], time, time**2) is not None
    assert falls([0, 1, 3, 0, 0, 0], time, time**2) is not None  # -(t - 1)(t - 2)
    assert falls([0, 1, 0, 3, 0, 0], time, time**2) is None


# --- forecasts


def posterior_on_a_grid(counts, points=500):
    """Means and quantiles of log rate and log dispersion on a fine grid, from the priors as they are documented."""
    total, n = sum(counts), len(counts)
    flat = max(total, 0.5) / n
    log_rate = np.linspace(np.log(flat) - 16, np.log(flat) + 24, points)[:, None]
    log_alpha = np.linspace(np.log(1e-3 / max(total / n, 1)), np.log(1e3), points)[None, :]
    rate, alpha = np.exp(log_rate), np.exp(log_alpha)
    log_density = sum(nbinom.logpmf(y, 1 / alpha, 1 / (1 + alpha * rate)) for y in counts)
    information = (rate / (1 + alpha * rate)) / (flat / (1 + alpha * flat))
    log_density = log_density + np.log(information) / 2 + log_alpha / 2 - np.sqrt(alpha)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    return log_rate[:, 0], weight.sum(axis=1), log_alpha[0], weight.sum(axis=0)


@pytest.mark.parametrize(
    "counts", [OVERDISPERSED, [0] * 30, [0] * 20 + [1] + [0] * 9, [7] * 12, [0, 0, 40, 0, 0, 3], [2, 5, 3]]
)
def test_parameters_are_drawn_from_the_posterior(counts):
    data = arrays.Data(np.array(counts, float), np.ones((len(counts), 1)), np.zeros(len(counts)))
    draws, size = 4000, 8
    drawn = [draw_parameters(data, "nb2", draws, np.random.default_rng(seed)) for seed in range(size)]
    log_rate, rate_weight, log_alpha, alpha_weight = posterior_on_a_grid(counts)
    for values, grid, weight in (
        (np.concatenate([one[0][:, 0] for one in drawn]), log_rate, rate_weight),
        (np.log(np.concatenate([one[1] for one in drawn])), log_alpha, alpha_weight),
    ):
        for q in (0.05, 0.25, 0.5, 0.75, 0.95):
            cell = np.searchsorted(weight.cumsum(), q)
            edge = grid[cell] + (grid[1] - grid[0]) / 2
            # 32,000 draws, worth some 6,000 at the least: standard error below 0.0065
            assert (values <= edge).mean() == pytest.approx(weight[: cell + 1].sum(), abs=0.02)


def test_forecast_of_a_long_series_is_the_fitted_distribution():
    counts = simulated(4000, 12, 0.4, 8)
    fit = NegativeBinomial().fit(series(counts, pd.period_range("2000-01-01", periods=4000, freq="D")))
    paths = fit.forecast(2, draws=5000, rng=2).series_paths
    level, dispersion = fit.params
    distribution = nbinom(1 / dispersion, 1 / (1 + dispersion * np.exp(level)))
    jitter = np.random.default_rng(3).random(paths.shape)
    pit = distribution.cdf(paths - 1) + jitter * distribution.pmf(paths)  # uniform if the distribution is right
    assert kstest(pit.ravel(), "uniform").pvalue > 0.01


def test_short_series_are_given_more_dispersion_than_maximum_likelihood_finds():
    # the mean of 200 estimates from 15 weeks is below the truth of 0.5; the posterior means are not
    rng = np.random.default_rng(9)
    estimates, posterior = [], []
    for seed in range(200):
        counts = simulated(15, 20, 0.5, rng)
        fit = NegativeBinomial(trend="linear").fit(series(counts))
        _, alpha = draw_parameters(fit.estimates[0].state["data"], "nb2", 50, np.random.default_rng(seed))
        estimates.append(fit.params["dispersion"])
        posterior.append(np.median(alpha))
    assert np.mean(estimates) < 0.46
    assert np.mean(posterior) == pytest.approx(0.5, abs=0.05)  # standard error 0.015


@pytest.mark.parametrize(("n", "trend", "covered"), [(60, "none", False), (60, "linear", True), (150, "linear", False)])
def test_coverage_of_90_percent_intervals(n, trend, covered):
    """Weekly means about 20, dispersion 0.3; the full table is made by benchmarks/coverage.py."""
    rng = np.random.default_rng(n)
    steps, replicates = 8, 150
    slope = 0.01 if trend == "linear" else 0.0
    hits = []
    for _ in range(replicates):
        exposure = rng.uniform(0.2, 1, n) if covered else np.ones(n)
        mean = 20 * np.exp(slope * (np.arange(n + steps) - n / 2)) * np.append(exposure, np.ones(steps))
        counts = rng.poisson(mean * rng.gamma(1 / 0.3, 0.3, n + steps))
        fit = NegativeBinomial(trend=trend).fit(series(counts[:n]), exposure=pd.Series(exposure, index=weeks(n)))
        interval = fit.forecast(steps, draws=400, rng=rng).summary_frame(0.9)
        hits.append((counts[n:] >= interval["obs_pi_lower"]) & (counts[n:] <= interval["obs_pi_upper"]))
    # about 0.91, as an interval of whole numbers covers more than its level; 1,200 steps, hardly correlated: se 0.009
    assert 0.87 <= np.mean(hits) <= 0.94


def test_paths_of_a_steep_trend_do_not_overflow():
    counts = series(np.round(np.exp(np.arange(12.0))))
    paths = NegativeBinomial(trend="linear").fit(counts).forecast(500, draws=50, rng=1).series_paths
    assert (paths >= 0).all()
    assert paths[:, -1].min() > 90 * counts.max()  # cut at 100 times the largest rate
    assert (paths.sum(axis=1) > 0).all()  # 500 of the largest still fit into 64 bits


def test_known_interventions_and_regressors_of_the_future_are_used():
    counts = series(simulated(60, 50, 0.02, 4) * 1)
    counts.iloc[20:30] *= 4
    exog = pd.DataFrame({"x": (np.arange(60) // 10 % 2).astype(float)}, index=weeks(60))
    model = NegativeBinomial(interventions=(Pulse("2020-05-25", "2020-08-02"),))
    fit = model.fit(counts, exog=exog)
    on, off = (fit.forecast(3, draws=500, exog=pd.DataFrame({"x": [x] * 3}), rng=1).mean() for x in (1.0, 0.0))
    ratio = np.exp(fit.params["x"])
    np.testing.assert_allclose(on / off, ratio, rtol=0.05)
    ongoing = NegativeBinomial(interventions=(Pulse("2021-01-04", "2021-03-07"),))  # from the 53rd to the 61st week
    high = series([*[10] * 26, *[11] * 26, *[40, 44] * 4])
    mean = ongoing.fit(high).forecast(3, draws=2000, rng=1).mean()
    assert mean.iloc[0] == pytest.approx(42, rel=0.05)
    assert mean.iloc[2] == pytest.approx(10.5, rel=0.05)


# --- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trend": "quadratic"}, "trend is 'quadratic'; use 'none' or 'linear'"),
        ({"season": -1}, "season is -1; give the number of Fourier pairs"),
        ({"season": True}, "season is True; give the number of Fourier pairs"),
        ({"season": 1.5}, "season is 1.5; give the number of Fourier pairs"),
        ({"season": 1, "season_length": 2}, "season_length is 2; give the number of periods in a season, above 2"),
        ({"season": 1, "season_length": "52"}, "season_length is '52'; give the number of periods"),
        ({"season": 1, "season_length": float("nan")}, "season_length is nan; give the number of periods"),
        ({"season_length": 52}, "season_length is 52 but season is 0; give season >= 1"),
        ({"interventions": Step("2024-01-01")}, r"interventions is Step\(date='2024-01-01'\); give a tuple such as"),
        ({"interventions": ("2024-01-01",)}, "interventions is .*; give a tuple such as"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        NegativeBinomial(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step("soon"), "the date of a Step is 'soon'"),
        (lambda: Pulse("2024-13-01"), "the date of a Pulse is '2024-13-01'"),
        (lambda: Pulse("2024-01-01", "x"), "the end of a Pulse is 'x'"),
        (
            lambda: Pulse("2024-01-02", "2024-01-01"),
            "a Pulse ends 2024-01-01, before it begins 2024-01-02; swap the dates",
        ),
    ],
)
def test_dates_of_interventions_are_checked(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (NegativeBinomial(interventions=(Step("2020-01-06"),)), "step_2020-01-06 is the same in every observed period"),
        (NegativeBinomial(interventions=(Step("2019-05-01"),)), "step_2019-05-01 is the same in every observed period"),
        (NegativeBinomial(interventions=(Step("2021-01-01"),)), "step_2021-01-01 is 0 in every observed period of "),
        (NegativeBinomial(interventions=(Pulse("2019-01-01"),)), "pulse_2019-01-01 is 0 in every observed period"),
        (
            NegativeBinomial(interventions=(Pulse("2020-01-22"),)),
            "pulse_2020-01-22 is 0 in every observed period",  # that week was not observed
        ),
        (
            NegativeBinomial(interventions=(Step("2020-02-05"), Step("2020-02-07"))),
            r"step_2020-02-07 is a sum of the terms before it \(level, step_2020-02-05\); drop one of them",
        ),
        (
            NegativeBinomial(interventions=(Step("2020-02-05"), Step("2020-02-05"))),
            "there are two terms called 'step_2020-02-05'; give each intervention once",
        ),
        (NegativeBinomial(season=27), "season is 27 pairs in 52.1786 periods; at most 26 fit"),
    ],
)
def test_terms_that_the_data_cannot_tell_apart_are_named(model, message):
    counts = series(OVERDISPERSED)
    counts.iloc[2] = np.nan
    with pytest.raises(InputError, match=message):
        model.fit(counts)


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        ([np.ones(20)], ["x"], "x is the same in every observed period of 2020-01-06/2020-01-12 to "),
        ([np.arange(20.0), 3 * np.arange(20.0) + 1], ["x", "y"], "y is a sum of the terms before it"),
        ([np.arange(20.0)], ["level"], "two terms called 'level'"),
        ([np.arange(20.0)], ["dispersion"], "two terms called 'dispersion'"),
        ([np.arange(20.0), np.ones(20)], ["x", "x"], "two terms called 'x'"),
    ],
)
def test_regressors_that_cannot_be_used_are_named(values, names, message):
    exog = pd.DataFrame(np.column_stack(values), index=weeks(20), columns=names)
    with pytest.raises(InputError, match=message):
        NegativeBinomial().fit(series(OVERDISPERSED), exog=exog)


def test_more_terms_than_periods():
    with pytest.raises(FitError, match="4 observed periods are too few for 6 coefficients; use fewer terms"):
        NegativeBinomial(trend="linear", season=2).fit(series([1, 5, 2, 9]))


def test_undetermined_terms_are_an_error_and_not_a_nan(monkeypatch):
    fit = NegativeBinomial().fit(series(OVERDISPERSED))

    def singular(*_):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(regression, "draw_parameters", singular)
    with pytest.raises(FitError, match="the terms are too uncertain to draw paths from; fit fewer terms"):
        fit.forecast(2)
    monkeypatch.setattr(regression, "maximise", singular)
    with pytest.raises(FitError, match="these counts do not distinguish level and a dispersion; use fewer terms"):
        NegativeBinomial().fit(series(OVERDISPERSED))


def test_estimate_is_a_function_of_arrays():
    design = make_design(weeks(20), 0, None, None)
    estimate = NegativeBinomial().estimate(np.array(OVERDISPERSED, float), design)
    assert estimate.names == ("level", "dispersion")
    assert estimate.params.shape == (2,)
    assert estimate.cov.shape == (2, 2)
