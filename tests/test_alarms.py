"""Surveillance alarms: against R surveillance 1.20.3, statsmodels, plain loops and simulation."""

from __future__ import annotations

import inspect
import json
import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from scipy.stats import nbinom, poisson

from escalation import FitError, InputError, NegativeBinomial, alarms
from escalation.analysis import false_alarms
from escalation.analysis.alarms import CUSUM, EARS, GLR, BayesAlarm, Farrington, cusum_run_length
from escalation.analysis.alarms.glr import glr_statistic
from escalation.analysis.alarms.methods import METHODS
from escalation.analysis.alarms.regression import fit_negative_binomial, fit_quasi_poisson, nb_dispersion
from escalation.cli import trend_commands

R = 1e-6
"""Bounds agree to rounding (1e-13) where R iterates as we do; held to the tolerance asked for."""


@pytest.fixture(scope="module")
def reference(shared_data):
    return json.loads(shared_data("data/reference/surveillance_alarms.json").read_text())


@pytest.fixture(scope="module")
def agona(shared_data):
    observed = pd.read_csv(shared_data("data/reference/salmonella_agona.csv"))["observed"].to_numpy()
    return weekly(observed)


def weekly(values, start="2000-01-03"):
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq="W-SUN", name="period"))


def histories(columns):
    table = np.column_stack(columns)
    index = pd.period_range("2000-01-03", periods=len(table), freq="W-SUN", name="period")
    return pd.DataFrame(table, index=index, columns=pd.RangeIndex(table.shape[1], name="draw"))


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def judged_last(counts, detector, periods):
    return alarms(counts, detector, start=counts.index[-periods]).judged


# R


@pytest.mark.parametrize(
    ("key", "detector"),
    [("farrington_original", Farrington(years=4)), ("noufaily", Farrington.noufaily(years=4))],
)
def test_flexible_farrington_agrees_with_r(reference, agona, key, detector):
    said = reference[f"agona_farringtonFlexible_{key}"]
    table = judged_last(agona, detector, 52)
    np.testing.assert_allclose(table["upper"], numbers(said["upperbound"]), atol=R)
    np.testing.assert_allclose(table["expected"], numbers(said["expected"]), atol=R)
    assert table["alarm"].tolist() == said["alarm"]
    if key == "farrington_original":
        np.testing.assert_allclose(table["score"], numbers(said["score"]), atol=R)
    else:  # R subtracts the log of the expected count there
        expected, upper = np.log(table["expected"]), table["upper"]
        known = table["upper"].notna()
        score = ((table["observed"] - expected) / (upper - expected))[known]
        np.testing.assert_allclose(score, numbers(said["score"])[known], atol=R)


def test_classic_farrington_agrees_with_r(reference, agona):
    said = reference["agona_farrington_classic"]
    table = judged_last(agona, Farrington.classic(years=4, alpha=0.01), 52)
    np.testing.assert_allclose(table["upper"].fillna(0.0), said["upperbound"], atol=R)
    assert table["alarm"].tolist() == said["alarm"]


@pytest.mark.parametrize("method", ["C1", "C2", "C3"])
def test_ears_agrees_with_r(reference, agona, method):
    said = reference[f"agona_ears_{method}"]
    table = alarms(agona, EARS(method, alpha=0.001)).judged
    assert len(table) == len(said["upperbound"])
    np.testing.assert_allclose(table["upper"], said["upperbound"], atol=R)
    assert table["alarm"].tolist() == said["alarm"]


def test_cusum_agrees_with_r(reference, agona):
    said = reference["agona_cusum"]
    table = judged_last(agona, "cusum", 52)
    assert table["upper"].tolist() == said["upperbound"]
    assert table["alarm"].tolist() == said["alarm"]


def test_bayes_agrees_with_r(reference, agona):
    said = reference["agona_bayes"]
    table = judged_last(agona, BayesAlarm(years=2, half_window=3), 52)
    assert table["upper"].tolist() == said["upperbound"]
    assert table["alarm"].tolist() == said["alarm"]


def test_glr_agrees_with_r(reference, agona):
    said = reference["agona_glrnb"]
    counts = agona.to_numpy(dtype=float)
    score = glr_statistic(counts[260:], np.array(said["mu0"]), said["alpha"], said["c.ARL"], 1000)
    np.testing.assert_allclose(score, said["statistic"], atol=R)
    assert (score >= said["c.ARL"]).astype(int).tolist() == said["alarm"]
    # the expected counts: MASS::glm.nb with one season and a trend, on the first 260 weeks
    time = np.arange(312.0)
    angle = 2 * np.pi * time / 52
    matrix = np.column_stack([np.ones(312), time / 100, np.cos(angle), np.sin(angle)])
    coefficients, dispersion = fit_negative_binomial(matrix[:260], counts[:260, None])
    np.testing.assert_allclose(np.exp(matrix[260:] @ coefficients[0]), said["mu0"], rtol=1e-4)  # R stops at 1e-8
    assert dispersion[0] == pytest.approx(said["alpha"], rel=1e-4)


# regressions


def test_quasi_poisson_is_that_of_statsmodels():
    rng = np.random.default_rng(3)
    matrix = np.column_stack([np.ones(40), np.arange(40) / 10, rng.normal(size=40)])
    counts = rng.negative_binomial(2, 0.3, (40, 5)).astype(float)
    weights = rng.uniform(0.3, 2.0, (40, 5))
    fit = fit_quasi_poisson(matrix, counts, weights)
    for j in range(5):
        other = sm.GLM(counts[:, j], matrix, sm.families.Poisson(), var_weights=weights[:, j]).fit(
            scale="X2", tol=1e-12
        )
        # R's stopping rule leaves errors of about the square root of 1e-8 times a quadratic rate
        np.testing.assert_allclose(fit.coefficients[j], other.params, atol=1e-6)
        np.testing.assert_allclose(fit.spread[j], other.cov_params() / other.scale, rtol=1e-3, atol=1e-6)
        assert fit.dispersion(counts, fit.work)[j] == pytest.approx(other.scale, rel=1e-3)
        leverage = other.get_influence().hat_matrix_diag
        np.testing.assert_allclose(fit.leverage[:, j], leverage, rtol=1e-3, atol=1e-6)


def test_exposure_is_the_offset_of_statsmodels():
    rng = np.random.default_rng(3)
    matrix = np.column_stack([np.ones(60), rng.normal(size=60)])
    shares = rng.uniform(0.2, 1.0, 60)
    counts = rng.negative_binomial(2, 2 / (2 + 9 * shares))[:, None].astype(float)
    ours = fit_quasi_poisson(matrix, counts, np.ones((60, 1)), shares)
    other = sm.GLM(counts[:, 0], matrix, sm.families.Poisson(), offset=np.log(shares)).fit(tol=1e-12)
    np.testing.assert_allclose(ours.coefficients[0], other.params, atol=1e-6)  # R's stopping rule, as above
    coefficients, dispersion = fit_negative_binomial(matrix, counts, shares)
    whole = sm.NegativeBinomial(counts[:, 0], matrix, exposure=shares).fit(disp=0, method="newton")
    np.testing.assert_allclose([*coefficients[0], dispersion[0]], whole.params, atol=1e-6)


def test_dispersion_is_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(4)
    counts = rng.negative_binomial(3, 0.4, (60, 6)).astype(float)
    counts[:, 5] = 2.0
    mean = np.tile(counts.mean(axis=0), (60, 1))
    found = nb_dispersion(counts, mean)
    for j in range(5):
        best = minimize_scalar(
            lambda log_r, j=j: (
                -nbinom.logpmf(counts[:, j], np.exp(log_r), np.exp(log_r) / (np.exp(log_r) + mean[0, j])).sum()
            ),
            bounds=(-5, 12),
            method="bounded",
            options={"xatol": 1e-9},
        )
        expected = np.exp(-best.x) if best.x < 11.9 else 0.0
        assert found[j] == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert found[5] == 0.0


# plain loops


@pytest.mark.parametrize("dispersion", [0.0, 0.4])
def test_glr_is_the_supremum_over_all_changes(dispersion):
    rng = np.random.default_rng(5)
    mean = rng.uniform(1.0, 4.0, 25)
    counts = rng.poisson(mean * np.r_[np.ones(15), np.full(10, 1.8)]).astype(float)
    counts[7] = np.nan

    def law(y, m):
        return poisson.logpmf(y, m) if not dispersion else nbinom.logpmf(y, 1 / dispersion, 1 / (1 + dispersion * m))

    @cache
    def best(k, t):
        seen = [i for i in range(k, t + 1) if not np.isnan(counts[i])]

        def ratio(kappa):
            return (law(counts[seen], mean[seen] * np.exp(kappa)) - law(counts[seen], mean[seen])).sum()

        found = minimize_scalar(lambda kappa: -ratio(kappa), bounds=(0, 5), method="bounded", options={"xatol": 1e-10})
        return max(-found.fun, 0.0)

    plain = [max(best(k, t) for k in range(t + 1)) for t in range(25)]
    # the search is good to the square of its step
    np.testing.assert_allclose(glr_statistic(counts, mean, dispersion, 1e9, 1000), plain, atol=1e-8)
    near = [max(best(k, t) for k in range(max(t - 2, 0), t + 1)) for t in range(25)]
    np.testing.assert_allclose(glr_statistic(counts, mean, dispersion, 1e9, 3), near, atol=1e-8)


@pytest.mark.parametrize("restart", ["never", "alarm"])
def test_cusum_by_hand(restart):
    values = [4, 4, 4, 4, 4, 4, 4, 10, 9, 2, 12, 4]
    table = alarms(weekly(values), CUSUM(mean=4.0, family="negbin", dispersion=0.25, restart=restart, limit=1.0)).judged
    running, plain = 0.0, []
    for y in values:
        running = max(0.0, running + (y - 4.0) / math.sqrt(4.0 + 0.25 * 16.0) - 1.04)
        plain.append(running)
        if restart == "alarm" and running >= 1.0:
            running = 0.0
    np.testing.assert_allclose(table["score"], plain, atol=1e-12)
    assert (table["alarm"] == (np.array(plain) >= 1.0)).all()


@pytest.mark.parametrize("transform", ["rossi", "anscombe", "none"])
def test_a_cusum_reaches_its_limit_at_its_bound(transform):
    counts = weekly([3, 5, 2, 4, 6, 3, 4, 2, 5, 3, 7, 4])
    detector = CUSUM(transform=transform, mean=4.0, reference=0.5, limit=3.0)
    table = alarms(counts, detector).judged
    for place in range(len(counts)):
        changed = counts.astype(float).copy()
        above, below = np.ceil(table["upper"].iloc[place]), np.ceil(table["upper"].iloc[place]) - 1
        for value, wanted in ((above, 1.0), (below, 0.0)):
            if value >= 0:
                changed.iloc[place] = value
                assert alarms(changed, detector).judged["alarm"].iloc[place] == wanted


def test_the_published_c3_counts_from_the_mean():
    counts = weekly([2, 3, 1, 2, 4, 3, 2, 1, 3, 5, 2, 9, 8, 7, 2, 1])
    y = counts.to_numpy(dtype=float)
    table = alarms(counts, EARS("C3", c3="published")).judged

    def c2(t):
        past = y[t - 9 : t - 2]
        return (y[t] - past.mean()) / past.std(ddof=1)

    for row, t in enumerate(range(11, 16)):
        past = y[t - 9 : t - 2]
        carried = sum(max(0.0, c2(t - i) - 1) for i in (1, 2))
        bound = past.mean() + past.std(ddof=1) * (1.959963984540054 - carried)
        assert table["upper"].iloc[row] == pytest.approx(max(bound, 0.0), abs=1e-12)
        assert table["score"].iloc[row] == pytest.approx(c2(t) + carried, abs=1e-12)
    assert table["alarm"].sum() >= 2


def test_a_mean_season_is_expected_where_asked():
    rng = np.random.default_rng(8)
    mean = 5 * np.exp(0.8 * np.cos(2 * np.pi * np.arange(260) / 52))
    table = alarms(weekly(rng.poisson(mean)), CUSUM(season=1)).judged
    assert np.abs(np.log(table["expected"] / mean[130:])).max() < 0.2


# missing counts and histories


def test_missing_past_counts_are_left_out():
    rng = np.random.default_rng(6)
    full = pd.Series(rng.poisson(3.0, 320), index=weekly(range(320)).index, dtype="Int64")
    gaps = full.copy()
    gaps.iloc[[280, 319]] = pd.NA
    table = alarms(gaps, "ears_c1").judged
    assert np.isnan(table["alarm"].iloc[-1]) and np.isnan(table["score"].iloc[-1])
    past = full.to_numpy(dtype=float)[[275, 276, 277, 278, 279, 281]]
    bound = past.mean() + 3.090232306167813 * past.std(ddof=1)
    assert table.loc[full.index[282], "upper"] == pytest.approx(bound, abs=1e-12)
    for name in METHODS:
        table = alarms(gaps, name).judged
        assert np.isnan(table["alarm"].iloc[-1]), name
        assert table["alarm"].iloc[-30:-1].notna().mean() > 0.8, name


def test_a_period_that_is_not_judged_has_a_reason():
    counts = pd.Series(np.random.default_rng(6).poisson(3.0, 320), index=weekly(range(320)).index, dtype="Int64")
    counts.iloc[[280, 319]] = pd.NA
    for name in METHODS:
        judged = alarms(counts, name).judged
        assert judged.loc[counts.index[[280, 319]], "reason"].tolist() == ["not observed"] * 2, name
        assert (judged["alarm"].isna() == (judged["reason"] != "")).all(), name
    counts.iloc[290:297] = pd.NA
    judged = alarms(counts, "ears_c1").judged
    assert judged["reason"].loc[counts.index[297:300]].tolist() == ["too few counts before it"] * 3
    assert judged["reason"].loc[counts.index[300]] == ""
    # two sums of infinitely many standard deviations cannot be held against a bound
    flat = alarms(weekly([2] * 9 + [3, 2, 2, 2, 2, 2, 2]), EARS("C3", c3="published")).judged
    assert flat["reason"].iloc[0] == "the counts before it are all the same" and np.isnan(flat["alarm"].iloc[0])


def test_the_reason_of_histories_is_given_where_none_is_judged():
    rng = np.random.default_rng(6)
    columns = rng.poisson(3.0, (30, 4))
    columns[:15, 0] = 2  # of one history the sum of C3 has no say, of the others it has
    table = alarms(histories(columns.T), EARS("C3", c3="published")).judged
    assert (table["alarm"].isna() == (table["reason"] != "")).all() and (table["reason"] == "").all()


def test_the_farrington_regression_leaves_missing_counts_out():
    rng = np.random.default_rng(9)
    full = pd.Series(rng.poisson(6.0, 52 * 3 + 4), index=weekly(range(160)).index, dtype="Int64")
    gaps = full.copy()
    gaps.iloc[52 * 2] = pd.NA
    detector = Farrington(years=3, trend="none", reweight_above=math.inf, power="none", error="dispersion")
    table = alarms(gaps, detector).judged
    t = 52 * 3 + 3
    places = [i for back in (1, 2, 3) for i in range(t - 52 * back - 3, t - 52 * back + 4) if i != 104]
    past = full.to_numpy(dtype=float)[places]
    phi = max(np.sum((past - past.mean()) ** 2) / past.mean() / (len(past) - 1), 1.0)
    bound = past.mean() + 1.6448536269514722 * math.sqrt(phi * past.mean() * (1 + 1 / len(past)))
    assert table["upper"].iloc[-1] == pytest.approx(bound, rel=1e-5)  # R stops before the weights have converged


def test_histories_give_the_share_with_an_alarm():
    rng = np.random.default_rng(7)
    columns = rng.poisson(np.r_[np.full(300, 2.0), np.full(12, 5.0)][:, None], (312, 6))
    table = histories(columns.T)
    for name in METHODS:
        together = alarms(table, name)
        single = np.mean([alarms(table[draw], name).judged["alarm"] for draw in table.columns], axis=0)
        np.testing.assert_allclose(together.judged["alarm"], single, atol=1e-12, err_msg=name)
        assert together.histories == 6
        assert "probability" in together.sentence()


def test_the_method_of_commands_and_reports_is_that_of_the_functions():
    counts = weekly(np.random.default_rng(8).poisson(2.0, 30))
    declared = inspect.signature(trend_commands.alarms).parameters.values()
    told = {parameter.name: parameter.default for parameter in declared}
    assert told["method"] == "ears_c2"
    assert alarms(counts).method == false_alarms(counts, draws=2, rng=1).method == EARS("C2")


def test_quiet_years_raise_no_warning_and_no_alarm():
    counts = weekly(np.zeros(320))
    for name in METHODS:
        found = alarms(counts, name)
        assert np.nansum(found.judged["alarm"]) == 0, name
        assert not np.isinf(found.judged.drop(columns="reason").to_numpy(dtype=float)).any(), name


# what it costs


def test_run_length_is_that_of_a_simulation():
    rng = np.random.default_rng(1)
    mean, alpha, reference, limit = 2.3, 0.4, 0.7, 2.6
    sd = math.sqrt(mean + alpha * mean**2)
    running, length, alive = np.zeros(40_000), np.zeros(40_000), np.ones(40_000, dtype=bool)
    while alive.any():
        y = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean), len(running))
        running = np.maximum(0.0, running + (y - mean) / sd - reference)
        length += alive
        alive &= running < limit
    run = cusum_run_length(mean, alpha, reference=reference, limit=limit)
    # three standard errors of the simulated mean
    assert abs(run.mean - length.mean()) < 3 * length.std() / 200
    assert abs((length <= run.median).mean() - 0.5) < 0.02
    sooner = cusum_run_length(mean, alpha, reference=reference, limit=limit, true_mean=2 * mean)
    assert sooner.mean < run.mean / 3


def test_run_length_on_a_lattice_is_exact():
    # mean 4, k = 1/2, h = 2: the sum moves by halves, so that four transient states suffice
    pmf = poisson.pmf(np.arange(30), 4.0)
    z = (np.arange(30) - 4.0) / 2.0 - 0.5
    chain = np.zeros((4, 4))
    for i in range(4):
        for step, mass in zip(z, pmf, strict=True):
            after = max(0.0, i / 2 + step)
            if after < 2.0:
                chain[i, int(2 * after)] += mass
    exact = np.linalg.solve(np.eye(4) - chain, np.ones(4))[0]
    run = cusum_run_length(4.0, reference=0.5, limit=2.0)
    assert run.mean == pytest.approx(exact, rel=1e-10)


def test_false_alarms_agree_with_the_chain():
    rng = np.random.default_rng(2)
    counts = weekly(rng.poisson(5.0, 3000))
    # the level is known so well that its uncertainty does not show
    cost = false_alarms(counts, CUSUM(mean=float(counts.mean()), restart="alarm"), draws=400, years=4, rng=3)
    run = cusum_run_length(float(counts.mean()))
    assert abs(cost.per_year - 52 / run.mean) < 4 * cost.mc_error + 0.05 * cost.per_year
    assert cost.median_run_length == pytest.approx(run.median, rel=0.25)
    assert cost.episodes_per_year <= cost.per_year
    assert "false alarms a year" in cost.sentence() and "false alarms" in cost._repr_html_().lower()


def test_a_higher_limit_costs_fewer_false_alarms():
    counts = weekly(np.random.default_rng(2).poisson(3.0, 100))
    costs = [false_alarms(counts, CUSUM(limit=limit), rng=1).per_year for limit in (1.0, 2.0, 4.0)]
    assert costs[0] > costs[1] > costs[2]
    rare = false_alarms(counts, GLR(limit=30.0), rng=1)
    assert rare.per_year == 0 and math.isinf(rare.median_run_length) and "later than" in rare.sentence()


def test_false_alarms_are_the_same_for_the_same_seed():
    counts = weekly(np.random.default_rng(2).poisson(3.0, 60))
    one, two = (false_alarms(counts, "ears_c2", model=NegativeBinomial(), rng=5) for _ in range(2))
    assert one == two


def test_a_nominal_level_is_held_by_the_negative_binomial_bound():
    counts = weekly(np.random.default_rng(2).negative_binomial(2, 0.2, 300))
    cost = false_alarms(counts, Farrington(years=3, trend="none", bound="nb_plugin", power="none"), draws=100, rng=1)
    # 5% of 52 weeks is 2.6; the bound is a plug-in, the reweighting by Anscombe residuals lowers it
    assert 1.5 < cost.per_year < 7.0


# periods that were covered in part

METHODS_WITH_YEARS = {**METHODS, "bayes": BayesAlarm(years=2), "glr": GLR(season=1), "cusum": CUSUM(season=1)}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_whole_periods_and_a_constant_share_change_nothing(name):
    counts = weekly(np.random.default_rng(7).negative_binomial(2, 0.3, 320))
    method = METHODS_WITH_YEARS[name]
    without = alarms(counts, method).judged
    whole = pd.Series(1.0, index=counts.index)
    pd.testing.assert_frame_equal(alarms(counts, method, exposure=whole).judged, without, check_exact=True)
    # only ratios of shares matter: rounding, and R's stopping rule where a regression starts elsewhere
    pd.testing.assert_frame_equal(alarms(counts, method, exposure=whole * 0.3).judged, without, rtol=1e-3)


def test_ears_of_partly_covered_periods_by_hand():
    rng = np.random.default_rng(8)
    counts, shares = rng.poisson(5, 20), rng.uniform(0.3, 1.0, 20)
    table = alarms(weekly(counts), "ears_c2", exposure=weekly(shares)).judged
    for t in range(9, 20):
        at = slice(t - 9, t - 2)
        rate = counts[at].sum() / shares[at].sum()
        variance = ((counts[at] - rate * shares[at]) ** 2 / shares[at]).sum() / 6
        z = 3.090232306167813  # normal quantile of 0.999
        assert table["expected"].iloc[t - 9] == pytest.approx(rate * shares[t], rel=1e-12)
        assert table["upper"].iloc[t - 9] == pytest.approx(
            rate * shares[t] + z * math.sqrt(variance * shares[t]), rel=1e-12
        )


def test_bayes_and_cusum_of_partly_covered_periods_by_hand():
    rng = np.random.default_rng(8)
    counts, shares = rng.poisson(5, 20), rng.uniform(0.3, 1.0, 20)
    table = alarms(weekly(counts), BayesAlarm(half_window=6), exposure=weekly(shares)).judged
    for t in range(6, 20):
        seen, covered = counts[t - 6 : t].sum() + 0.5, shares[t - 6 : t].sum()
        law = nbinom(seen, covered / (covered + shares[t]))
        assert table["upper"].iloc[t - 6] == law.ppf(0.95)
        assert table["expected"].iloc[t - 6] == pytest.approx(law.mean(), rel=1e-12)
    table = alarms(weekly(counts), CUSUM(mean=5.0, reference=0.5), exposure=weekly(shares)).judged
    running = 0.0
    for t in range(20):
        running = max(0.0, running + (counts[t] - 5 * shares[t]) / math.sqrt(5 * shares[t]) - 0.5)
        assert table["score"].iloc[t] == pytest.approx(running, abs=1e-12)


@pytest.mark.parametrize("name", ["ears_c1", "cusum_negbin", "bayes", "farrington"])
def test_partly_covered_periods_cost_no_more_false_alarms(name):
    rng = np.random.default_rng(9)
    n = 420
    shares = np.where(np.arange(n) % 5 == 0, 0.5, 1.0)  # on other weeks of each year, since 52 is no multiple of 5
    method = BayesAlarm(years=2) if name == "bayes" else name
    partly, whole = weekly(rng.poisson(12 * shares)), weekly(rng.poisson(12, n))
    found = alarms(partly, method, exposure=weekly(shares)).judged["alarm"].mean()
    # three standard errors of a share of some 150 judged weeks at the nominal 5%
    assert found == pytest.approx(alarms(whole, method).judged["alarm"].mean(), abs=3 * math.sqrt(0.05 * 0.95 / 150))


@pytest.mark.parametrize("name", ["ears_c1", "cusum_negbin", "glr", "bayes", "farrington"])
def test_a_count_of_a_quarter_of_a_week_is_held_against_a_quarter(name):
    n = 320
    counts = weekly(np.append(np.tile([11, 12, 13, 12], n // 4)[:-1], 8))
    quarter = weekly(np.where(np.arange(n) == n - 1, 0.25, 1.0))
    with_share, without = (alarms(counts, name, exposure=given).judged.iloc[-1] for given in (quarter, None))
    assert with_share["expected"] == pytest.approx(3.0, rel=0.1)  # a quarter of 12
    assert with_share["score"] > without["score"] and without["alarm"] == 0


def test_false_alarms_are_those_of_the_rate_of_whole_periods():
    rng = np.random.default_rng(5)
    shares = weekly(np.full(200, 0.5))
    halves = weekly(rng.poisson(3, 200))
    method = CUSUM(mean=6.0, reference=0.5, limit=4.0)
    # drawn with 6 a week, and not with the 3 that were counted, of which none would come near the limit
    assert false_alarms(halves, method, exposure=shares, rng=1).per_year > 0.5
    assert false_alarms(halves, method, rng=1).per_year < 0.1


# words and errors


def test_the_sentence_names_the_alarms(agona):
    text = alarms(agona, Farrington(years=4)).sentence()
    assert text.startswith("By Farrington, 20 of 101 ") and "upper bound" in text and "the last of them" in text
    none = alarms(weekly(np.tile([2, 3], 20)), "ears_c1")
    assert "none of 33 judged weeks are an alarm" in none.sentence()
    assert "<table" in none._repr_html_()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: alarms(weekly([1] * 20), "magic"), "method is 'magic'"),
        (
            lambda: alarms(weekly([1] * 20), "farrington"),
            "farrington judges a period by 263 before it, and here 20 of 20 stand before the first",
        ),
        (lambda: alarms(weekly([1] * 20), "ears_c1", start="2000-01-10"), "here 1 of 20"),
        (lambda: alarms(weekly([1] * 20), "ears_c1", start="2020-01-10"), "ears judges"),
        (lambda: alarms(pd.DataFrame({"a": weekly([1] * 20), "b": weekly([1] * 20)})), "alarms takes one series"),
        (lambda: alarms(weekly([None] * 20 + [1]), "ears_c1"), "were observed; start later"),
        (lambda: EARS("C4"), "method is 'C4'; the detector knows"),
        (lambda: EARS(baseline=2), "baseline is 2; a detector takes"),
        (lambda: EARS("C1", c3="published"), "c3 is 'published' but"),
        (lambda: EARS(alpha=0.7), "alpha is 0.7; give a number above 0 and below 0.5"),
        (lambda: Farrington(reweight_above=0), "reweight_above is 0"),
        (lambda: Farrington(bound="nb_plugin"), "power is '2/3' but bound"),
        (lambda: Farrington(enough=5), "enough is 5"),
        (lambda: BayesAlarm(recent="left out"), "leaves no reference counts"),
        (lambda: CUSUM(family="negbin", transform="rossi"), "transform is 'rossi', for Poisson"),
        (lambda: CUSUM(dispersion=0.1), "dispersion is 0.1 but family is 'poisson'"),
        (lambda: CUSUM(mean=1.0, season=1), "mean is 1.0 and season is 1"),
        (lambda: alarms(weekly([1] * 30).to_timestamp().resample("D").sum(), "bayes"), "DatetimeIndex"),
        (lambda: cusum_run_length(1.0, limit=100.0), "lower it"),
        (lambda: cusum_run_length(1.0, reference=3.0, limit=12.0), "less than once in 1e10 periods"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        make()


def test_too_many_seasons_for_a_year_of_months():
    months = pd.Series(range(80), index=pd.period_range("2000-01", periods=80, freq="M"))
    with pytest.raises(InputError, match="seasons is 10, too many for a year of 12 periods"):
        alarms(months, "noufaily")
    assert alarms(months, Farrington(years=3, half_window=1)).judged["alarm"].notna().any()


def test_a_law_that_cannot_be_fitted_says_so():
    with pytest.raises(FitError):
        false_alarms(weekly([1]), "ears_c1", rng=1)
