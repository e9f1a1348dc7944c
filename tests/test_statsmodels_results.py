"""``fit.results``: results objects of statsmodels at the maxima found here, against statsmodels' own fits."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.discrete import count_model, discrete_model, truncated_model

from escalation.errors import DataWarning, InputError
from escalation.models import (
    Climatology,
    Hurdle,
    NegativeBinomial,
    Poisson,
    Step,
    Terms,
    ZeroInflated,
    hurdle_parts,
)

LINEAR, STEP = Terms(trend="linear", regressors=()), Step("2021-06-07")
MODELS = {
    "poisson": Poisson(trend="linear"),
    "nb2": NegativeBinomial(trend="linear"),
    "nb1": NegativeBinomial(trend="linear", variance="nb1"),
    "zip": ZeroInflated(trend="linear", family="poisson", zero=LINEAR),
    "zinb": ZeroInflated(trend="linear", zero=LINEAR),
    "hurdle_poisson": Hurdle(family="poisson"),
    "hurdle_negbin": Hurdle(),
    "hurdle_of_groups": Hurdle(interventions=(STEP,), zero=Terms(interventions=(STEP,))),
}
HURDLES = [name for name in MODELS if name.startswith("hurdle")]
OTHERS = [name for name in MODELS if name not in HURDLES]


def weeks(n):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def counts_of(n=150, seed=1, gaps=(3, 50)):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(6 * np.exp(0.004 * np.arange(n)) * rng.gamma(2, 0.5, n)).astype(float)
    counts[rng.random(n) < 0.25] = 0
    counts[list(gaps)] = np.nan
    return pd.Series(counts, index=weeks(n))


def exposure_of(n=150):
    return pd.Series(np.random.default_rng(9).uniform(0.4, 1, n), index=weeks(n))


def in_our_parameters(name, fit):
    """Values and standard errors of the fit as statsmodels' results would have them, by the delta method."""
    values, errors = fit.params.copy(), fit.bse.copy()
    zero = [term for term in values.index if term.startswith("zero_")]
    order = [*zero, *(term for term in values.index if term not in zero)]
    if name == "nb1":
        values["variance_to_mean"] -= 1
    if name in ("hurdle_poisson", "hurdle_negbin"):
        log_p = -np.log1p(np.exp(-values["zero_level"]))  # of a zero, whose log(-log(.)) statsmodels has
        values["zero_level"] = np.log(-log_p)
        errors["zero_level"] *= np.abs(-np.expm1(log_p) / log_p)
    return values[order].to_numpy(), errors[order].to_numpy()


# --- against the fit here


@pytest.mark.parametrize(("name", "partly"), [*((name, False) for name in MODELS), *((name, True) for name in OTHERS)])
def test_results_are_the_fit(name, partly):
    fit = MODELS[name].fit(counts_of(), exposure=exposure_of() if partly else None)
    results = fit.results
    # 1e-7: rounding of sums of 150 log probabilities of some -400 in all
    assert results.llf == pytest.approx(fit.llf, abs=1e-7)
    assert results.aic == pytest.approx(fit.aic, abs=1e-7)
    assert results.bic == pytest.approx(fit.bic, abs=1e-7)
    assert results.nobs == fit.nobs == 148
    assert np.all(results.mle_retvals["converged"])
    if name != "hurdle_of_groups":
        values, errors = in_our_parameters(name, fit)
        np.testing.assert_allclose(results.params, values, rtol=1e-9)
        # 1e-6: of some models statsmodels' Hessian is by differences
        np.testing.assert_allclose(results.bse, errors, rtol=1e-6)
    wanted = fit.fitted[fit.counts.notna()]
    np.testing.assert_allclose(results.predict(), wanted, rtol=1e-8)


def test_the_hurdle_of_groups_has_the_probabilities_of_each_group():
    fit = MODELS["hurdle_of_groups"].fit(counts_of())
    results = fit.results
    seen = fit.counts.dropna()
    after = seen.index >= pd.Period("2021-06-07", freq="W-SUN")
    share = np.where(after, (seen[after] == 0).mean(), (seen[~after] == 0).mean())
    np.testing.assert_allclose(results.predict(which="prob-zero"), share, rtol=1e-6)
    assert list(results.params.index) == ["zm_level", "zm_step_2021-06-07", "level", "step_2021-06-07", "alpha"]
    np.testing.assert_allclose(results.bse.iloc[2:], fit.bse.drop(["zero_level", "zero_step_2021-06-07"]), rtol=1e-6)


def test_names_are_those_of_the_terms_and_statsmodels_prefixes():
    fit = ZeroInflated(season=1, zero=LINEAR).fit(counts_of(), exog=None)
    names = ["inflate_level", "inflate_trend", "level", "season_sin1", "season_cos1", "alpha"]
    assert list(fit.results.params.index) == names
    assert fit.results.fittedvalues.index.equals(fit.counts.dropna().index)


@pytest.mark.parametrize("name", HURDLES)
@pytest.mark.parametrize("partly", [False, True], ids=["full", "partly covered"])
def test_the_parts_of_a_hurdle_are_its_fit(name, partly):
    model = Hurdle(trend="linear", family=MODELS[name].family, zero=MODELS[name].zero)
    fit = model.fit(counts_of(), exposure=exposure_of() if partly else None)
    zero, positive = hurdle_parts(fit)
    assert zero.llf + positive.llf == pytest.approx(fit.llf, abs=1e-7)
    own = [term for term in fit.params.index if term.startswith("zero_")]
    rest = fit.params.index.drop(own)
    np.testing.assert_allclose(zero.params, fit.params[own], rtol=1e-9)
    np.testing.assert_allclose(positive.params, fit.params[rest], rtol=1e-9)
    np.testing.assert_allclose(zero.bse, fit.bse[own], rtol=1e-6)
    np.testing.assert_allclose(positive.bse, fit.bse[rest], rtol=1e-6)
    assert zero.nobs == 148
    assert positive.nobs == (fit.counts > 0).sum()
    assert "level" in str(zero.summary()) and "trend" in str(positive.summary())


# --- against statsmodels' own fits


def their_fit(name, counts, exposure):
    """What statsmodels finds by itself from its own starting values."""
    y = counts.dropna()
    # in hundreds of weeks, because BFGS does not get far with terms of different size
    x = pd.DataFrame({"level": 1.0, "trend": np.flatnonzero(counts.notna()) / 100}, index=y.index)
    offset = np.log(exposure[y.index])
    # BFGS may say that it did not converge where rounding keeps it from so small a gradient
    tight = {"disp": 0, "maxiter": 2000, "gtol": 1e-8, "warn_convergence": False}
    if name == "poisson":
        return discrete_model.Poisson(y, x, offset=offset).fit(disp=0, tol=1e-12)
    if name in ("nb2", "nb1"):
        return discrete_model.NegativeBinomial(y, x, loglike_method=name, offset=offset).fit(**tight)
    kind = {"zip": count_model.ZeroInflatedPoisson, "zinb": count_model.ZeroInflatedNegativeBinomialP}[name]
    return kind(y, x, exog_infl=x, offset=offset).fit(**tight)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")  # its search goes far away
def test_statsmodels_finds_the_same_by_itself(name):
    counts, exposure = counts_of(), exposure_of()
    ours = MODELS[name].fit(counts, exposure=exposure).results
    theirs = their_fit(name, counts, exposure)
    assert ours.llf >= theirs.llf - 1e-8
    assert ours.llf == pytest.approx(theirs.llf, abs=1e-6)
    unit = [100.0 if term.endswith("trend") else 1.0 for term in ours.params.index]
    np.testing.assert_allclose(
        ours.params, theirs.params / unit, rtol=2e-4
    )  # their gradient is below 1e-8 an observation
    # 1e-3: theirs by differences of the likelihood; the Hessian of ZeroInflatedPoisson has no block of mean and zeros
    tolerance = 5e-3 if name == "zip" else 1e-3
    np.testing.assert_allclose(ours.bse, theirs.bse / unit, rtol=tolerance)
    assert ours.llnull == pytest.approx(theirs.llnull, abs=1e-4)


@pytest.mark.parametrize("name", ["hurdle_poisson", "hurdle_negbin"])
def test_statsmodels_finds_the_same_hurdle_by_itself(name):
    counts = counts_of(gaps=())
    dist = "poisson" if name == "hurdle_poisson" else "negbin"
    theirs = truncated_model.HurdleCountModel(counts, np.ones(150), dist=dist).fit(disp=0, maxiter=500)
    ours = MODELS[name].fit(counts).results
    assert ours.llf == pytest.approx(theirs.llf, abs=1e-6)
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-3)  # BFGS stops at a gradient of 1e-5
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-3)
    np.testing.assert_allclose(ours.predict(which="prob"), theirs.predict(which="prob"), atol=1e-5)
    assert (ours.df_model, ours.df_resid) == (theirs.df_model, theirs.df_resid)


# --- what they are for


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:.*default log-link:UserWarning")  # what statsmodels says of its own predictions
def test_summaries_tests_and_predictions_are_there(name):
    fit = MODELS[name].fit(counts_of())
    results = fit.results
    text = str(results.summary())
    for term in results.params.index:
        assert term in text
    k = len(results.params)
    first = np.eye(k)[:1]
    wald = float((results.params.iloc[0] / results.bse.iloc[0]) ** 2)
    assert float(results.wald_test(first, scalar=True).statistic) == pytest.approx(wald)
    assert float(results.t_test(first).tvalue.item()) ** 2 == pytest.approx(wald)
    assert results.conf_int().shape == (k, 2)
    assert results.predict(which="prob").sum(axis=1).max() <= 1 + 1e-9
    assert fit.results is results


@pytest.mark.parametrize("name", ["poisson", "nb2", "zip", "zinb"])
@pytest.mark.filterwarnings("ignore:.*hat matrix is not available:UserWarning")
@pytest.mark.filterwarnings("ignore:.*default log-link:UserWarning")
def test_influence_is_that_of_leaving_a_period_out(name):
    counts = counts_of(gaps=())
    fit = MODELS[name].fit(counts)
    step = np.asarray(fit.results.get_influence().d_params)
    moved = []
    for place in (10, 75, 140):
        without = counts.copy()
        without.iloc[place] = np.nan
        moved.append(np.asarray(fit.results.params - MODELS[name].fit(without).results.params))
    errors = np.asarray(fit.results.bse)
    # one Newton step stands for the refit; a tenth of a standard error is far below what a period moves them by at most
    np.testing.assert_allclose(step[[10, 75, 140]] / errors, np.array(moved) / errors, atol=0.1)


def test_the_diagnostics_of_poisson_speak_against_it():
    found = MODELS["poisson"].fit(counts_of()).results.get_diagnostic()
    assert found.test_dispersion().pvalue[0] < 1e-6  # the counts were drawn overdispersed, with further zeros
    assert found.test_poisson_zeroinflation().pvalue < 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_can_be_pickled_with_its_results(name):
    fit = MODELS[name].fit(counts_of())
    llf = fit.results.llf
    again = pickle.loads(pickle.dumps(fit))
    assert again.results.llf == llf
    np.testing.assert_array_equal(again.results.predict(), fit.results.predict())


def test_statsmodels_is_imported_when_results_are_asked_for():
    script = (
        "import sys, pandas as pd\n"
        "from escalation.models import NegativeBinomial\n"
        "y = pd.Series([4, 0, 9, 3, 12, 7], index=pd.period_range('2024-01', periods=6, freq='M'))\n"
        "fit = NegativeBinomial().fit(y)\n"
        "before = 'statsmodels' in sys.modules\n"
        "fit.results\n"
        "print(before, 'statsmodels' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


# --- histories, and what statsmodels cannot hold


def test_histories_have_results_one_by_one():
    columns = {draw: counts_of(seed=draw, gaps=()) for draw in range(3)}
    table = pd.DataFrame(columns).astype(np.int64)
    table.columns = pd.RangeIndex(3, name="draw")
    fit = MODELS["nb2"].fit(table)
    with pytest.raises(InputError, match=r"fit is to 3 histories, .* take fit.results_of\(0\)"):
        _ = fit.results
    alone = [fit.results_of(draw) for draw in range(3)]
    np.testing.assert_allclose(np.mean([one.params for one in alone], axis=0), fit.params, rtol=1e-12)
    assert alone[1].llf == pytest.approx(MODELS["nb2"].fit(table[1]).llf)
    for history in (3, -1, "first"):
        with pytest.raises(InputError, match=f"history is {history!r}; give a whole number from 0 to 2"):
            fit.results_of(history)
    parts = hurdle_parts(Hurdle().fit(table), history=2)
    assert parts[0].nobs == 150
    with pytest.raises(InputError, match="history 3 is not among the fit's; give 0 to 2"):
        hurdle_parts(Hurdle().fit(table), history=3)


def test_an_updated_fit_has_none():
    counts = counts_of()
    later = MODELS["nb2"].fit(counts.iloc[:100]).update(counts)
    with pytest.raises(InputError, match="parameters of an updated fit are of earlier counts; take results of the fit"):
        _ = later.results


def test_models_that_statsmodels_does_not_have_say_so():
    with pytest.raises(InputError, match="climatology is no model of statsmodels; results are those of poisson, neg"):
        _ = Climatology().fit(counts_of()).results
    with pytest.raises(InputError, match="the fit is of climatology, which has no parts; give a fit of hurdle"):
        hurdle_parts(Climatology().fit(counts_of()))


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        (NegativeBinomial(), r"Poisson\(\) with the same terms"),
        (NegativeBinomial(variance="nb1"), r"Poisson\(\) with the same terms"),
        (ZeroInflated(), r"ZeroInflated\(family='poisson'\) with the same terms"),
        (Hurdle(), r"Hurdle\(family='poisson'\) with the same terms"),
    ],
)
def test_without_overdispersion_the_poisson_model_is_named(model, instead):
    counts = pd.Series([4, 6, 0, 5, 5, 4, 0, 6, 5, 5, 0, 0], index=weeks(12))
    if isinstance(model, NegativeBinomial):
        counts = counts + 3  # some variance is left, but less than the mean
        counts.iloc[[2, 6, 10, 11]] = 8
    message = f"{model.name} found no overdispersion, and statsmodels' alpha must be above 0; fit {instead}"
    with pytest.raises(InputError, match=message):
        _ = model.fit(counts).results


def test_the_parts_of_a_hurdle_without_overdispersion_are_those_of_poisson():
    counts = pd.Series([4, 6, 0, 5, 5, 4, 0, 6, 5, 5, 0, 0], index=weeks(12))
    with pytest.raises(InputError, match=r"found no overdispersion, .* fit Hurdle\(family='poisson'\) to have both"):
        hurdle_parts(Hurdle().fit(counts))
    assert len(hurdle_parts(Hurdle(family="poisson").fit(counts))) == 2


@pytest.mark.parametrize("model", [Hurdle(trend="linear"), Hurdle(trend="linear", zero=LINEAR)])
def test_hurdles_that_statsmodels_cannot_hold_point_to_their_parts(model):
    with pytest.raises(InputError, match=r"HurdleCountModel has no exposure, .* results of its parts, hurdle_parts"):
        _ = model.fit(counts_of()).results


def test_a_hurdle_with_exposure_points_to_its_parts():
    with pytest.raises(InputError, match=r"HurdleCountModel has no exposure, .* results of its parts, hurdle_parts"):
        _ = Hurdle().fit(counts_of(), exposure=exposure_of()).results


ENDLESS = {
    "zeros under a step, with Jeffreys' prior": (Poisson(interventions=(Step("2020-03-30"),)), [8] * 12 + [0] * 12),
    "the same, overdispersed": (
        NegativeBinomial(interventions=(Step("2020-03-30"),)),
        [8, 1, 19, 4, 11, 2, 8, 14, 5, 3, 9, 22] + [0] * 12,
    ),
    "no zero inflation": (ZeroInflated(family="poisson"), [3, 5, 4, 6, 2, 4, 5, 3, 7, 4, 5, 2]),
    "no zeros at all behind a hurdle": (Hurdle(family="poisson"), [3, 5, 4, 6, 2, 4, 5, 3, 7, 4, 5, 2]),
    "only ones": (Hurdle(family="poisson"), [1] * 15 + [0] * 15),
    "no counts": (Poisson(), [0] * 12),
    "nothing that passes the hurdle": (Hurdle(family="poisson"), [0] * 12),
}


@pytest.mark.parametrize(("model", "counts"), ENDLESS.values(), ids=ENDLESS)
def test_coefficients_at_infinity_have_no_results(model, counts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        fit = model.fit(pd.Series(counts, index=weeks(len(counts))))
    for asked in (lambda: fit.results, *[lambda: hurdle_parts(fit)] * isinstance(model, Hurdle)):
        with pytest.raises(InputError, match=f"leave a coefficient of {model.name} without a finite maximum likelih"):
            asked()
