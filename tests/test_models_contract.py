"""What every registered model keeps, run over all of them by itself."""

import dataclasses
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from escalation.errors import EscalationWarning, FitError, InputError
from escalation.forecast import Forecast
from escalation.models.base import CountFit, CountModel
from escalation.models.registry import MODELS, get_model

WIDENING = {"local_level", "local_trend"}
"""Models whose level drifts, so that far horizons cannot be surer than near ones."""

NO_LIKELIHOOD = {"bootstrap", "climatology", "ensemble", "last_value"}

AWKWARD = {
    "all zero": [0] * 30,
    "one event": [0] * 17 + [1] + [0] * 12,
    "one large event": [0] * 17 + [900] + [0] * 12,
    "constant": [7] * 30,
    "large": list(1_000_000 + 1000 * np.random.default_rng(1).standard_normal(30).round()),
    "huge and constant": [10**12] * 20,
    "two sizes": [1, 1_000_000] * 10,
    "outlier": [3, 2, 4, 3, 5, 1, 2, 3, 4, 10**7],
    "onset": [0] * 20 + [40, 55, 80, 90],
    "lull": [40, 55, 80, 90] + [0] * 20,
    "growing": list(np.round(np.exp(np.arange(15)))),
    "one period": [4],
    "two periods": [0, 3],
    "five periods": [5, 0, 2, 9, 4],
    "mostly missing": [np.nan] * 12 + [3, np.nan, np.nan, 8, 1, np.nan, 2, 7] + [np.nan] * 3,
    "all missing": [np.nan] * 8,
}


pytestmark = pytest.mark.filterwarnings(
    # zero-inflated and hurdle models say so where a series, as most here, has no zeros to speak of
    "ignore:.*the counts leave zero_level without a finite maximum:escalation.errors.DataWarning"
)


@pytest.fixture(params=sorted(MODELS))
def model(request):
    return get_model(request.param)


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, float), index=weeks(len(values)))


def typical(n=80, seed=1):
    rng = np.random.default_rng(seed)
    return series(rng.poisson(20 * rng.gamma(5, 0.2, n)))


def histories(draws=6, n=40):
    columns = np.column_stack([typical(n, seed) for seed in range(draws)]).astype(np.int64)
    return pd.DataFrame(columns, index=weeks(n), columns=pd.RangeIndex(draws, name="draw"))


# --- the registry


def test_names_find_their_models():
    for name, kind in MODELS.items():
        assert kind.name == name == name.lower()
        assert isinstance(get_model(name), kind)
    assert set(MODELS) >= WIDENING | NO_LIKELIHOOD


def test_unknown_names_are_listed():
    with pytest.raises(InputError, match=f"model is 'arima'; use one of {', '.join(sorted(MODELS))}"):
        get_model("arima")


# --- options


def test_options_are_frozen_hashable_and_equal(model):
    assert isinstance(model, CountModel)
    assert dataclasses.is_dataclass(model)
    for option in dataclasses.fields(model):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, option.name, None)
    assert model == type(model)()
    assert hash(model) == hash(type(model)())
    assert repr(model).startswith(type(model).__name__ + "(")


def test_no_model_widens_the_contract(model):
    for method in ("fit", "estimate", "simulate"):
        assert inspect.signature(getattr(type(model), method)) == inspect.signature(getattr(CountModel, method))


# --- fits


def test_fit_has_everything(model):
    counts = typical()
    fit = model.fit(counts, unit="raids")
    assert isinstance(fit, CountFit)
    assert (fit.model, fit.unit, fit.nobs, fit.converged) == (model, "raids", 80, True)
    names = list(fit.params.index)
    assert len(set(names)) == len(names)
    assert fit.bse.index.tolist() == fit.cov_params.index.tolist() == fit.cov_params.columns.tolist() == names
    assert fit.conf_int().columns.tolist() == ["lower", "upper"]
    assert fit.summary().shape == (len(names), 4)
    assert np.isfinite(fit.params).all()
    assert (fit.bse >= 0).all()
    assert (fit.conf_int()["lower"] <= fit.params).all()
    assert (fit.params <= fit.conf_int()["upper"]).all()
    np.testing.assert_allclose(fit.cov_params, fit.cov_params.T)
    assert fit.fitted.index.equals(counts.index)
    assert (fit.fitted > 0).all()
    assert fit.fitted.mean() == pytest.approx(counts.mean(), rel=0.3)
    assert (model.name in NO_LIKELIHOOD) == bool(np.isnan(fit.llf))
    if model.name not in NO_LIKELIHOOD:
        assert -500 < fit.llf < 0
        assert fit.aic == pytest.approx(2 * len(names) - 2 * fit.llf)
        assert fit.bic > fit.aic
    for name, (least, most) in model.limits().items():
        if name in names:
            assert least <= fit.conf_int().loc[name, "lower"] <= fit.conf_int().loc[name, "upper"] <= most


def test_fit_changes_nothing_it_was_given(model):
    counts, exposure = typical(40), pd.Series(np.linspace(0.5, 1, 40), index=weeks(40))
    counts.iloc[3] = np.nan
    before = counts.copy(), exposure.copy()
    fit = model.fit(counts, exposure=exposure)
    first = fit.forecast(3, draws=50, rng=1)
    pd.testing.assert_series_equal(counts, before[0])
    pd.testing.assert_series_equal(exposure, before[1])
    counts.iloc[:] = 0  # a fit keeps its own
    exposure.iloc[:] = 9
    np.testing.assert_array_equal(fit.forecast(3, draws=50, rng=1).paths, first.paths)
    assert fit.counts.sum() > 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.unit = "other"


def test_two_fits_are_equal(model):
    fits = [model.fit(typical(40)) for _ in range(2)]
    pd.testing.assert_series_equal(fits[0].params, fits[1].params, check_exact=True)
    np.testing.assert_array_equal(*(fit.forecast(2, draws=30, rng=1).paths for fit in fits))


def test_histories_are_pooled(model):
    table = histories()
    fit = model.fit(table)
    assert len(fit.estimates) == 6
    alone = [model.fit(table[draw]) for draw in table]
    wanted = np.mean([fit.params for fit in alone], axis=0)
    np.testing.assert_allclose(fit.params, wanted)
    forecast = fit.forecast(4, draws=61, rng=1)
    assert forecast.paths.shape == (61, 4)
    assert np.bincount(forecast.component).tolist() in ([11, 10, 10, 10, 10, 10], [10, 10, 10, 10, 10, 11])
    for row, history in zip(forecast.observed, forecast.component, strict=True):
        np.testing.assert_array_equal(row, table[history])


def test_missing_periods_are_not_zeros(model):
    counts = typical()
    counts.iloc[10:40:2] = np.nan
    fit = model.fit(counts)
    assert fit.nobs == 65
    assert fit.fitted.notna().all()
    mean = fit.forecast(1, draws=2000, rng=1).mean().item()
    assert mean == pytest.approx(20, rel=0.4)  # zeros would have taken a fifth off the level, and doubled the spread


def test_a_gap_at_the_end_moves_the_origin(model):
    counts = typical(40)
    counts.iloc[-2:] = np.nan
    forecast = model.fit(counts).forecast(2, draws=20, rng=1)
    assert forecast.origin == counts.index[-1]
    assert np.isnan(forecast.observed[:, -2:]).all()


def test_exposure_makes_rates_of_counts(model):
    counts = typical() * 2
    halved = counts / 2
    exposure = pd.Series(np.full(80, 0.5), index=weeks(80))
    whole, half = model.fit(counts), model.fit(halved, exposure=exposure)
    ratio = half.forecast(3, draws=3000, rng=1).mean() / whole.forecast(3, draws=3000, rng=1).mean()
    # the forecasts are of full periods; the spread of a mean of 3,000 paths is 1%, and half as many events say less
    assert ratio.tolist() == pytest.approx([1, 1, 1], abs=0.1)
    np.testing.assert_allclose(half.fitted.mean(), whole.fitted.mean() / 2, rtol=0.1)


def test_exposure_of_the_last_period_lifts_it(model):
    counts = series([20] * 39 + [10])
    exposure = pd.Series([1.0] * 39 + [0.5], index=weeks(40))
    mean = model.fit(counts, exposure=exposure).forecast(1, draws=2000, rng=1).mean().item()
    assert mean == pytest.approx(20, rel=0.05)


def test_laws_are_probabilities_and_say_nothing_of_later_counts(model):
    counts = typical(30)
    counts.iloc[[7, 20]] = np.nan
    fit = model.fit(counts)
    y = fit.matrix[:, 0]
    laws = model.laws(fit.estimates[0], y, fit.design)
    known = ~np.isnan(laws.cdf(np.zeros(30)))
    assert known[12:].all()
    support = np.arange(400.0)
    pmf = np.array([laws.pmf(np.full(30, k)) for k in support])[:, known]
    cdf = np.array([laws.cdf(np.full(30, k)) for k in support])[:, known]
    # 1e-9: sums of 400 probabilities, and incomplete beta functions good to some 1e-12
    np.testing.assert_allclose(pmf.cumsum(axis=0), cdf, atol=1e-9)
    assert (cdf[-1] > 1 - 1e-3).all()
    np.testing.assert_allclose(support @ pmf, laws.mean[known], rtol=0.02)
    assert (laws.variance[known] >= 0).all()
    assert (laws.cdf(np.full(30, -1.0))[known] == 0).all()
    assert np.isnan(laws.pmf(y)[[7, 20]]).all()
    assert np.isnan(laws.cdf(y)[[7, 20]]).all()
    changed = y.copy()
    changed[25:] = 60.0
    later = model.laws(model.fit(series(changed)).estimates[0], changed, fit.design)
    if not len(fit.params):  # with parameters only their estimates may know of later counts
        np.testing.assert_array_equal(laws.pmf(np.full(30, 20.0))[:25], later.pmf(np.full(30, 20.0))[:25])


def test_diagnoses_have_no_gaps_and_say_something(model):
    counts = typical()
    counts.iloc[[7, 20]] = np.nan
    fit = model.fit(counts, unit="raids")
    found = fit.diagnose()
    assert (found.model, found.unit, found.nobs) == (model.name, "raids", found.residuals["quantile"].notna().sum())
    assert 60 <= found.nobs <= 78
    assert found.residuals["quantile"].iloc[[7, 20]].isna().all()
    assert found.pit.mean() == pytest.approx(1)
    assert found.tests.notna().all(axis=None)
    assert found.tests[["p_value", "p_holm"]].le(1).all(axis=None)
    assert found.tests[["p_value", "p_holm"]].ge(0).all(axis=None)
    assert found.scores.notna().all(axis=None)
    assert found.marginal.notna().all(axis=None)
    assert found.acf.between(-1, 1).all()
    assert found.fine == (len(found.verdict) == 1 and found.verdict[0].startswith("nothing in these"))
    assert all(len(sentence) > 20 for sentence in found.verdict)
    assert found.verdict == fit.diagnose().verdict
    for part in ("raids", "<table", "<li>"):
        assert part in found._repr_html_()
    assert fit.diagnose(level=1 - 1e-12).tests.equals(found.tests)


@pytest.mark.filterwarnings("ignore:.*default log-link:UserWarning")
def test_results_of_statsmodels_are_there_or_are_refused_in_one_line(model):
    fit = model.fit(typical())
    if model.name not in (
        "poisson",
        "negative_binomial",
    ):  # the others have terms that these counts, without zeros, lack
        with pytest.raises(InputError, match=f"{model.name}"):
            _ = fit.results
        return
    assert fit.results.llf == pytest.approx(fit.llf)
    assert fit.results is fit.results
    with pytest.raises(InputError, match="history is 1; give a whole number from 0 to 0"):
        fit.results_of(1)


# --- forecasts


def test_forecast_has_the_contracts_shape(model):
    counts = typical()
    forecast = model.fit(counts, unit="raids").forecast(5, draws=31, rng=1)
    assert isinstance(forecast, Forecast)
    assert forecast.paths.shape == (31, 5)
    assert forecast.paths.dtype == np.int64
    assert (forecast.paths >= 0).all()
    assert forecast.periods.equals(pd.period_range(counts.index[-1] + 1, periods=5, freq="W-SUN", name="period"))
    assert (forecast.model, forecast.unit) == (model.name, "raids")
    np.testing.assert_array_equal(forecast.observed, np.tile(counts, (31, 1)))
    assert forecast.component.tolist() == [0] * 31
    assert forecast.summary_frame().index.equals(forecast.periods)


@pytest.mark.parametrize("freq", ["D", "W-WED", "M"])
def test_frequencies(model, freq):
    index = pd.period_range("2023-03-01", periods=30, freq=freq)
    counts = pd.Series(typical(30).to_numpy(), index=index)
    forecast = model.fit(counts).forecast(2, draws=10, rng=1)
    assert forecast.periods.tolist() == [index[-1] + 1, index[-1] + 2]


def test_seeds(model):
    fit = model.fit(typical())
    one, same, other, fresh = (fit.forecast(6, draws=100, rng=seed).paths for seed in (1, 1, 2, None))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != fresh).any()


def test_paths_are_joint_draws_and_not_one_path(model):
    paths = model.fit(typical()).forecast(2, draws=500, rng=1).paths
    assert len(np.unique(paths[:, 0])) > 5
    assert (paths[1:] != paths[:-1]).any(axis=0).all()


def test_forecast_mean_is_about_the_level(model):
    mean = model.fit(typical()).forecast(4, draws=2000, rng=1).mean()
    assert mean.between(14, 27).all()


def test_nothing_after_the_origin_is_used(model):
    past = typical(60)
    quiet, busy = (pd.concat([past, series(np.full(80, value)).iloc[60:]]) for value in (0, 500))
    paths = [model.fit(counts.iloc[:60]).forecast(4, draws=50, rng=1).paths for counts in (past, quiet, busy)]
    np.testing.assert_array_equal(paths[0], paths[1])
    np.testing.assert_array_equal(paths[0], paths[2])


def test_far_horizons_are_not_surer(model):
    forecast = model.fit(typical()).forecast(30, draws=4000, rng=1).summary_frame(0.9)
    width = forecast["obs_pi_upper"] - forecast["obs_pi_lower"]
    near, far = width.iloc[:5].mean(), width.iloc[-5:].mean()
    # 0.9: the ends of an interval of 4,000 paths are known to some 3%
    assert far > 0.9 * near
    if model.name in WIDENING:
        drift = series(np.round(20 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.3, 80)))))
        wide = model.fit(drift).forecast(30, draws=4000, rng=1).summary_frame(0.9)
        width = wide["obs_pi_upper"] - wide["obs_pi_lower"]
        assert width.iloc[-5:].mean() > 1.3 * width.iloc[0]


@pytest.mark.parametrize("steps", [0, 5001, 1.5])
def test_steps_out_of_range(model, steps):
    with pytest.raises(InputError, match="steps is"):
        model.fit(typical(20)).forecast(steps)


@pytest.mark.parametrize("draws", [0, -5, "many"])
def test_draws_out_of_range(model, draws):
    with pytest.raises(InputError, match="draws is"):
        model.fit(typical(20)).forecast(1, draws=draws)


# --- what is handed in


def test_regressors_only_for_models_that_take_them(model):
    exog = pd.DataFrame({"x": np.arange(40.0) % 7}, index=weeks(40))
    if not model.takes_exog:
        with pytest.raises(InputError, match=f"{model.name} takes no regressors; leave exog out"):
            model.fit(typical(40), exog=exog)
        return
    fit = model.fit(typical(40), exog=exog)
    assert "x" in fit.params.index
    with pytest.raises(InputError, match="the fit had the regressors"):
        fit.forecast(2)


def test_panels_are_refused(model):
    with pytest.raises(InputError, match=f"{model.name} fits one series and got a table of 2 units"):
        model.fit(pd.DataFrame({"A": typical(), "B": typical()}))


@pytest.mark.parametrize("values", AWKWARD.values(), ids=AWKWARD)
def test_awkward_series_give_numbers_or_a_clear_error(model, values):
    """No NaN, no other exception, no warning of a library underneath."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        try:
            fit = model.fit(series(values))
        except (FitError, InputError) as error:
            message = str(error)
            assert len(message) > 20
            assert "\n" not in message
            assert len(values) < 10 or np.isnan(values).all() or max(values) > 1e9  # else there is enough to go by
            return
        forecast = fit.forecast(6, draws=60, rng=1)
    assert (forecast.paths >= 0).all()
    assert forecast.paths.sum(axis=1).min() >= 0  # no overflow
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert np.isfinite(fit.fitted).all()
    assert np.isfinite(forecast.summary_frame().to_numpy(dtype=float)).all()
    assert "<table" in fit._repr_html_()
    if model.name not in NO_LIKELIHOOD:  # the others say nothing of the first counts
        found = fit.diagnose()
        assert found.tests.notna().all(axis=None)
        assert found.scores.notna().all(axis=None)
        assert found.verdict
    frame = forecast.summary_frame()
    if max(np.nan_to_num(values)) == 0:
        assert frame["median"].max() <= 1
    if len(set(values)) == 1 and values[0] > 0:
        assert frame["median"].iloc[0] == pytest.approx(values[0], rel=0.25)


# --- as objects


def test_html_and_repr(model):
    fit = model.fit(histories())
    for thing in (fit, fit.forecast(2, draws=10, rng=1)):
        page = thing._repr_html_()
        assert "<table" in page
        assert "<b>" in page
        assert len(repr(thing)) < 1000
    assert type(model).__name__ in fit._repr_html_()
    assert "pooled over 6 histories" in fit._repr_html_()


def test_pickling(model):
    fit = model.fit(typical(40))
    again = pickle.loads(pickle.dumps(fit))
    assert again.model == model
    pd.testing.assert_series_equal(again.params, fit.params)
    np.testing.assert_array_equal(again.forecast(3, draws=40, rng=7).paths, fit.forecast(3, draws=40, rng=7).paths)
    forecast = pickle.loads(pickle.dumps(fit.forecast(3, draws=40, rng=7)))
    assert forecast.paths.shape == (40, 3)
