"""Fits that lean on one another: the learnt prior against direct maximisation, posteriors against fine grids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import norm

import escalation
from escalation import INGARCH, Climatology, FitError, InputError, LocalLevel, NegativeBinomial, Poisson
from escalation.models import ChangingRate, LocalTrend, fit_many, forecast_many
from escalation.models.changing_rate import panel_prior
from escalation.models.changing_rate.structures import make_grids, target_structures, trend_structures
from escalation.models.contract import shrinkage
from escalation.models.contract.design import make_design
from escalation.models.contract.shrinkage import Evidence, NormalPrior, evidence_beside, learn_normal
from escalation.models.contract.shrinking import shrunk_fit

MODELS = [
    NegativeBinomial(),
    NegativeBinomial(trend="linear", variance="nb1"),
    Poisson(),
    LocalLevel(),
    LocalTrend(family="poisson"),
    INGARCH(),
    INGARCH(link="log", family="poisson"),
    INGARCH(dispersion="pearson"),
    ChangingRate(),
]


def short(model):
    """The name of a model and the options that are not its defaults."""
    return "-".join(
        [model.name, *(str(value) for key, value in vars(model).items() if value != getattr(type(model), key))]
    )


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def panel(units=6, n=16, seed=1):
    rng = np.random.default_rng(seed)
    means = np.exp(rng.normal(1.5, 0.8, units))
    values = rng.poisson(means * rng.gamma(4, 0.25, (n, units))).astype(float)
    return pd.DataFrame(values, index=weeks(n), columns=[f"district {k}" for k in range(units)])


# --- the prior of normal parameters


def test_what_is_left_without_the_prior_is_the_likelihood():
    prior = NormalPrior(("a", "b"), np.array([1.0, -1.0]), np.array([2.0, 0.5]))
    precision, place = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([0.3, 0.7])
    cov = np.linalg.inv(precision + np.diag(prior.sd**-2.0))
    mean = cov @ (precision @ place + prior.mean / prior.sd**2)
    found = evidence_beside(mean, cov, prior)
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.pull, precision @ place)
    back = prior.combined(found)
    np.testing.assert_allclose(back[0], mean)
    np.testing.assert_allclose(back[1], cov)
    nothing = evidence_beside(prior.mean, np.diag(prior.sd**2), prior)
    np.testing.assert_allclose(nothing.precision, 0, atol=1e-9)


def test_the_prior_is_the_highest_point_of_its_marginal_likelihood():
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.2, 1.5, 40)
    seen = 2.0 + 0.7 * rng.standard_normal(40) + errors * rng.standard_normal(40)
    own = NormalPrior(("a",), np.array([0.0]), np.array([3.0]))
    units = [[Evidence(np.array([[e**-2.0]]), np.array([s / e**2]), own)] for s, e in zip(seen, errors, strict=True)]
    found = learn_normal(units)
    first = np.median(errors**-2.0)
    usual = (seen / (1 + 0.1 * first * errors**2)).var()  # what one unit more would show

    def height(point):
        variance = np.exp(point[1])
        fit = norm.logpdf(seen, point[0], np.sqrt(variance + errors**2)).sum() + norm.logpdf(point[0], 0, 3)
        return -fit + shrinkage.SPREAD_WEIGHT / 2 * (point[1] + usual / variance)

    best = minimize(height, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    assert found.mean[0] == pytest.approx(best.x[0], abs=1e-3)
    assert found.sd[0] == pytest.approx(np.exp(best.x[1] / 2), rel=1e-3)
    assert found.table().index.tolist() == ["a"]


def test_what_no_unit_shows_stays_as_it_is_in_one_unit():
    own = NormalPrior(("a", "b"), np.array([0.0, 2.2]), np.array([3.0, 1.5]))
    unit = Evidence(np.diag([4.0, 0.0]), np.array([4.0, 0.0]), own)
    found = learn_normal([[unit]] * 30)
    assert found.mean[0] == pytest.approx(1.0, abs=0.02)
    assert found.mean[1] == pytest.approx(2.2, abs=1e-6)


# --- the shares of structures


def test_own_shares_are_those_of_the_structures():
    rates = np.array([1.0, 4.0, 2.0])
    fine, coarse = make_grids(rates)
    logs = [one.log_prior for one in (*trend_structures(fine), *target_structures(coarse, rates))]
    np.testing.assert_allclose(np.exp(logs) * (1 - panel_prior.SHARE), panel_prior.OWN[: panel_prior.RUNS])
    assert panel_prior.OWN.sum() == pytest.approx(1)


def test_own_shares_change_nothing():
    counts = panel(1, 25).iloc[:, 0].to_numpy()
    design, model = make_design(weeks(25), 0, None, None), ChangingRate()
    alone = model.estimate(counts, design)
    even = np.full(len(panel_prior.ALL_DISPERSIONS), 1 / len(panel_prior.ALL_DISPERSIONS))
    same = model.shrunk(alone, counts, design, panel_prior.Shares(panel_prior.OWN, even))
    np.testing.assert_allclose(same.params, alone.params)
    assert same.llf == pytest.approx(alone.llf)
    np.testing.assert_allclose(same.state["evidence"], alone.state["evidence"])


def test_evidence_times_shares_is_the_likelihood_of_all():
    counts = panel(1, 30).iloc[:, 0].to_numpy()
    alone = ChangingRate(season="none").estimate(counts, make_design(weeks(30), 0, None, None))
    tried = np.isfinite(alone.state["evidence"]).any(axis=0)
    logs = alone.state["evidence"] + np.log(panel_prior.OWN)[:, None] - np.log(tried.sum())
    assert np.logaddexp.reduce(logs, axis=None) == pytest.approx(alone.llf, abs=1e-9)


def test_shares_that_are_planted_are_found():
    """Units whose counts speak clearly for one structure and one dispersion: shares are theirs and the model's own."""
    rows, columns = [0] * 30 + [40] * 10, [2] * 20 + [5] * 20
    tables = []
    for row, column in zip(rows, columns, strict=True):
        table = np.full((len(panel_prior.OWN), len(panel_prior.ALL_DISPERSIONS)), -50.0)
        table[row, column] = 0.0
        tables.append(table)
    found = panel_prior.learn_shares(tables)
    own = panel_prior.OWN_UNITS
    assert found.structures[0] == pytest.approx((30 + own * panel_prior.OWN[0]) / (40 + own))
    assert found.dispersions[5] == pytest.approx((20 + own / len(panel_prior.ALL_DISPERSIONS)) / (40 + own))
    assert found.table()["share"].sum() == pytest.approx(1)
    for table in tables:
        table[:, :2] = -np.inf  # finer dispersions were not tried: nothing is learnt of them
    blind = panel_prior.learn_shares(tables).dispersions
    assert blind[0] == pytest.approx(1 / len(panel_prior.ALL_DISPERSIONS), rel=1e-3)


# --- posteriors


def test_a_shrunk_regression_has_the_mean_of_its_posterior():
    """NB2 with a level and a prior on it and on the log dispersion, against a fine grid of both."""
    counts = np.array([0.0, 5, 2, 9, 1, 3, 4, 2])
    prior = NormalPrior(("level", "dispersion"), np.array([2.0, -1.5]), np.array([0.3, 0.4]))
    fit = shrunk_fit(NegativeBinomial().fit(pd.Series(counts, index=weeks(8))), prior)
    level, log_alpha = (axis[..., None] for axis in np.meshgrid(np.linspace(0, 4, 400), np.linspace(-4, 1, 300)))
    mean, size = np.exp(level), np.exp(-log_alpha)
    logs = gammaln(counts + size) - gammaln(size) + counts * np.log(mean / (mean + size))
    logs = (logs + size * np.log(size / (mean + size))).sum(axis=-1)
    logs += norm.logpdf(level[..., 0], 2, 0.3) + norm.logpdf(log_alpha[..., 0], -1.5, 0.4)
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    # 1,000 draws of importance sampling: standard errors of 0.01 and 0.015
    assert fit.params["level"] == pytest.approx((shares * level[..., 0]).sum(), abs=0.03)
    assert np.log(fit.params["dispersion"]) == pytest.approx((shares * log_alpha[..., 0]).sum(), abs=0.05)
    assert fit.bse["level"] == pytest.approx(
        np.sqrt((shares * (level[..., 0] - (shares * level[..., 0]).sum()) ** 2).sum()), rel=0.1
    )
    paths = fit.forecast(1, draws=20_000, rng=1).series_paths[:, 0]
    assert paths.mean() == pytest.approx((shares * np.exp(level[..., 0])).sum(), rel=0.03)


FIRM = {
    "local_level": (("damping", "level_sd", "dispersion"), [1.0, -2.0, -1.0]),
    "ingarch": (("beta_1", "alpha_1", "dispersion"), [0.3, 0.4, -1.0]),
}


@pytest.mark.parametrize("model", [LocalLevel(), INGARCH(), INGARCH(link="log")], ids=repr)
def test_a_firm_prior_is_followed_and_a_vague_one_is_not(model):
    names, centre = FIRM[model.name]
    alone = model.fit(panel(1, 80).iloc[:, 0])
    firm = shrunk_fit(alone, NormalPrior(names, np.array(centre), np.full(3, 0.01)))
    found = firm.params[list(names)].to_numpy()
    natural = [1 / (1 + np.exp(-1.0)), np.exp(-2.0), np.exp(-1.0)] if model.name == "local_level" else [0.3, 0.4]
    np.testing.assert_allclose(found[: len(natural)], natural, atol=0.02)
    assert found[-1] == pytest.approx(np.exp(-1.0), abs=0.02)
    assert np.isfinite(firm.forecast(3, draws=50, rng=1).paths).all()
    own = {"local_level": [(2.2, 1.5), (np.log(0.2), 1.0), (np.log(0.2), 1.5)]}.get(model.name)
    if own is not None:  # the model's own prior in the place of its own prior
        same = shrunk_fit(alone, NormalPrior(names, *np.array(own).T))
        np.testing.assert_allclose(same.params, alone.params, rtol=1e-3)


# --- fits of panels


@pytest.mark.parametrize("model", MODELS, ids=short)
def test_workers_and_the_order_of_columns_change_nothing(model):
    counts = panel()
    here = fit_many(model, counts, shrink=True)
    with ThreadPoolExecutor(2) as threads:
        there = fit_many(model, counts[counts.columns[::-1]], shrink=True, executor=threads)
    assert not len(here.failures) and here.prior is not None
    pd.testing.assert_frame_equal(here.params, there.params.loc[here.params.index], check_exact=True)
    one, two = (each.forecast(3, draws=60, rng=1) for each in (here, there))
    for unit in counts:
        np.testing.assert_array_equal(one[unit].paths, two[unit].paths)
    kept = forecast_many(model, counts, 3, draws=60, shrink=True, rng=1).summaries
    np.testing.assert_allclose(kept["mean"].to_numpy().reshape(len(counts.columns), 3), one.paths.mean(axis=1))
    assert "as its prior" in here.sentence()
    assert len(here.prior.table())


@pytest.mark.parametrize("model", [NegativeBinomial(), LocalLevel(), INGARCH()], ids=lambda model: model.name)
def test_short_series_are_drawn_together_and_long_ones_stay_apart(model):
    """Dispersions of 0.05 and 0.8 in turn: twelve weeks hardly show which, some hundred do."""
    dispersion, rng = np.tile([0.05, 0.8], 5), np.random.default_rng(3)
    values = rng.poisson(20 * rng.gamma(1 / dispersion, dispersion, (160, 10))).astype(float)
    counts = pd.DataFrame(values, index=weeks(160), columns=[f"district {k}" for k in range(10)])
    left = {}
    for n in (12, 160):
        alone, together = (fit_many(model, counts.iloc[:n], shrink=way).params["dispersion"] for way in (False, True))
        logs = [np.log(np.maximum(each.to_numpy(), 0.01)) for each in (alone, together)]
        left[n] = logs[1].std() / logs[0].std()
    assert left[12] < 0.97
    assert 0.9 < left[160] < 1.1


def test_a_shrunk_fit_goes_on_with_its_prior():
    counts = panel(6, 40)
    for model in (NegativeBinomial(), LocalLevel(), INGARCH(), ChangingRate()):
        many = fit_many(model, counts.iloc[:30], shrink=True)
        fit = many.fits["district 2"]
        later = fit.update(counts["district 2"])
        assert later.params.equals(fit.params)
        assert later.estimates[0].state["panel"] is not None
        assert later.forecast(2, draws=40, rng=1).paths.shape == (1, 40, 2)
        assert np.isfinite(fit.llf)
        assert len(fit.diagnose().table())


def test_histories_of_a_panel_are_shrunk_too():
    first, second = panel(4, 20), panel(4, 20) + 1
    both = pd.concat({0: first, 1: second}, axis=1).swaplevel(axis=1).sort_index(axis=1)
    both.columns = both.columns.set_names(["unit", "draw"])
    many = fit_many(NegativeBinomial(), both, shrink=True)
    assert [len(fit.estimates) for fit in many.fits.values()] == [2] * 4
    assert np.isfinite(many.forecast(2, draws=50, rng=1).paths).all()


def test_units_that_cannot_be_fitted_are_rows_and_others_go_on():
    counts = panel(4, 20).assign(empty=np.nan)
    many = fit_many(LocalLevel(), counts, shrink=True)
    assert many.failures["unit"].tolist() == ["empty"] and len(many.fits) == 4
    kept = forecast_many(LocalLevel(), counts, 2, draws=20, shrink=True, rng=1)
    assert kept.failures["unit"].tolist() == ["empty"]
    with pytest.raises(FitError, match="1 of the series could be fitted by local_level; shrink needs 2 or more"):
        fit_many(LocalLevel(), counts[["district 1", "empty"]], shrink=True)


def test_models_without_parameters_to_shrink_are_refused():
    for call in (fit_many, lambda *given, **options: forecast_many(*given, 2, **options)):
        with pytest.raises(InputError, match="climatology has no parameters that are shrunk towards a panel's"):
            call(Climatology(), panel(), shrink=True)


# --- backtests


def by_model(scores):
    """CRPS by unit, origin and step, one column a model."""
    rows = scores.astype({"unit": str, "model": str})
    return rows.pivot_table("crps", index=["unit", "origin", "step"], columns="model").sort_index()


def test_a_backtest_shrinks_the_models_that_it_is_asked_to():
    counts = panel(5, 30)
    models = {"alone": NegativeBinomial(), "together": NegativeBinomial()}
    options = {"origins": 3, "horizon": 2, "draws": 60, "progress": False, "rng": 1}
    result = escalation.backtest(models, counts, shrink=["together"], **options)
    crps = by_model(result.scores)
    assert (crps["alone"] != crps["together"]).mean() > 0.5
    plain = escalation.backtest(models, counts, **options).scores
    np.testing.assert_array_equal(
        plain.loc[plain["model"] == "alone", "crps"], result.scores.loc[result.scores["model"] == "alone", "crps"]
    )
    kept = escalation.backtest(models, counts, shrink=["together"], refit=False, **options)
    assert kept.scores["crps"].notna().all()
    reverse = escalation.backtest(models, counts[counts.columns[::-1]], shrink=["together"], **options).scores
    pd.testing.assert_frame_equal(crps, by_model(reverse), check_exact=True)


@pytest.mark.parametrize(
    ("shrink", "message"),
    [
        ("together", "shrink is 'together'; give a list of names"),
        (["other"], "shrink names 'other'; the models are local_level, climatology"),
        (["climatology"], "climatology has no parameters that are shrunk"),
    ],
)
def test_wrong_names_of_shrunk_models_are_refused(shrink, message):
    with pytest.raises(InputError, match=message):
        escalation.backtest([LocalLevel(), Climatology()], panel(), origins=2, horizon=1, shrink=shrink)
    with pytest.raises(InputError, match="shrink needs a panel, and counts is one series"):
        escalation.backtest([LocalLevel()], panel().iloc[:, 0], origins=2, horizon=1, shrink=["local_level"])


@pytest.mark.nightly
def test_leaning_on_one_another_scores_better_on_short_series(benchmark):
    ratios = [benchmark("shrinkage").log_ratio("negative_binomial_trend", 10, seed) for seed in range(6)]
    assert np.mean(ratios) + 1.96 * np.std(ratios, ddof=1) / np.sqrt(6) < 0
