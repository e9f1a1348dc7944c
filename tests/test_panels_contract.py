"""What every registered model of panels keeps, run over all of them by itself."""

import dataclasses
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from escalation.errors import EscalationWarning, FitError, InputError
from escalation.forecast import Forecast, PanelForecast
from escalation.models.panel import PanelFit, PanelModel
from escalation.models.registry import MODELS, PANEL_MODELS, get_panel_model

NO_LIKELIHOOD = {"analogues"}
"""Models that need not have parameters or a likelihood."""

RNG = np.random.default_rng(5)
AWKWARD = {
    "all zero": np.zeros((40, 3)),
    "one unit zero": np.column_stack([RNG.poisson(6, (40, 2)), np.zeros(40)]),
    "one event": np.eye(40)[:, [17]] * [1, 0, 0],
    "one unit": RNG.poisson(4, (40, 1)),
    "constant": np.full((40, 2), 7),
    "constants": np.tile([7, 0, 1000], (40, 1)),
    "large": np.round(1e6 + 1e3 * RNG.standard_normal((40, 3))),
    "huge and constant": np.full((30, 2), 10**12),
    "two sizes": np.column_stack([RNG.poisson(1, 40), RNG.poisson(1e6, 40)]),
    "outlier": np.where(np.arange(80).reshape(40, 2) == 50, 10**7, RNG.poisson(3, (40, 2))),
    "onset": np.repeat([[0, 0], [40, 90]], [30, 10], axis=0) + RNG.poisson(0.02, (40, 2)),
    "lull": np.repeat([[40, 90], [0, 0]], [10, 30], axis=0),
    "growing": np.round(np.exp(np.arange(15)))[:, None] * [1, 2],
    "one period": np.array([[4, 1]]),
    "two periods": np.array([[4, 1], [0, 2]]),
    "three periods": np.array([[4, 1], [0, 2], [3, 3]]),
    "missing stretches": np.where(RNG.random((60, 3)) < 0.4, np.nan, RNG.poisson(5, (60, 3))),
    "one unit late": np.where(np.arange(60)[:, None] < [0, 40], np.nan, RNG.poisson(5, (60, 2))),
    "last periods missing": np.where(np.arange(60)[:, None] > [58, 50], np.nan, RNG.poisson(5, (60, 2))),
    "one unit never seen": np.column_stack([RNG.poisson(5, 40), np.full(40, np.nan)]),
    "all missing": np.full((20, 2), np.nan),
}


@pytest.fixture(params=sorted(PANEL_MODELS))
def model(request):
    return get_panel_model(request.param)


def panel(values, units="ABCDEFGH"):
    weeks = pd.period_range("2022-01-03", periods=len(values), freq="W-SUN", name="period")
    return pd.DataFrame(np.asarray(values, float), index=weeks, columns=list(units)[: np.shape(values)[1]])


def typical(n=100, seed=1, means=(20, 8, 14)):
    """Counts that follow each other, with these means in the long run."""
    rng = np.random.default_rng(seed)
    means, links = np.array(means, float), np.array([[0.4, 0.15, 0.15], [0.1, 0.4, 0.1], [0.1, 0.1, 0.4]])
    counts = np.empty((n, 3))
    for t in range(n):
        away = links @ (counts[t - 1] - means) if t else 0.0
        counts[t] = rng.poisson(np.maximum(means + away, 1.0) * rng.gamma(12, 1 / 12, 3))
    return panel(counts)


def histories(draws=5, n=60):
    parts = {(unit, draw): typical(n, draw)[unit] for unit in "ABC" for draw in range(draws)}
    table = pd.DataFrame(parts).astype(np.int64)
    table.columns.names = ["unit", "draw"]
    return table


# --- the registry


def test_names_find_their_models():
    assert not set(PANEL_MODELS) & set(MODELS)
    for name, kind in PANEL_MODELS.items():
        assert kind.name == name == name.lower()
        assert isinstance(get_panel_model(name), kind)


def test_unknown_names_are_listed():
    with pytest.raises(InputError, match="panel model is 'hhh4'; use one of"):
        get_panel_model("hhh4")


# --- options


def test_options_are_frozen_hashable_and_equal(model):
    assert isinstance(model, PanelModel)
    assert dataclasses.is_dataclass(model)
    for option in dataclasses.fields(model):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, option.name, None)
    assert model == type(model)()
    assert hash(model) == hash(type(model)())
    assert repr(model).startswith(type(model).__name__ + "(")


def test_no_model_widens_the_contract(model):
    for method in ("fit", "estimate", "simulate", "distributions"):
        assert inspect.signature(getattr(type(model), method)) == inspect.signature(getattr(PanelModel, method))


# --- fits


def test_fit_has_everything(model):
    counts = typical()
    fit = model.fit(counts, unit="raids")
    assert isinstance(fit, PanelFit)
    assert (fit.model, fit.unit, fit.nobs, fit.converged) == (model, "raids", 300, True)
    assert fit.units == ("A", "B", "C")
    names = list(fit.params.index)
    assert len(set(names)) == len(names)
    assert fit.bse.index.tolist() == fit.cov_params.index.tolist() == fit.cov_params.columns.tolist() == names
    assert fit.summary().shape == (len(names), 4)
    assert np.isfinite(fit.params).all()
    assert (fit.bse >= 0).all()
    assert (fit.conf_int()["lower"] <= fit.params).all()
    assert (fit.params <= fit.conf_int()["upper"]).all()
    np.testing.assert_allclose(fit.cov_params, fit.cov_params.T)
    assert fit.fitted.index.equals(counts.index)
    assert fit.fitted.columns.tolist() == ["A", "B", "C"]
    assert (fit.fitted > 0).all(axis=None)
    np.testing.assert_allclose(fit.fitted.mean(), counts.mean(), rtol=0.3)
    assert (model.name in NO_LIKELIHOOD) == bool(np.isnan(fit.llf))
    if model.name not in NO_LIKELIHOOD:
        assert -2000 < fit.llf < 0
        assert fit.aic == pytest.approx(2 * len(names) - 2 * fit.llf)


def test_fit_changes_nothing_it_was_given(model):
    counts = typical(60)
    exposure = pd.DataFrame(0.8, index=counts.index, columns=counts.columns)
    counts.iloc[3, 1] = np.nan
    before = counts.copy(), exposure.copy()
    fit = model.fit(counts, exposure=exposure)
    first = fit.forecast(3, draws=50, rng=1)
    pd.testing.assert_frame_equal(counts, before[0])
    pd.testing.assert_frame_equal(exposure, before[1])
    counts.iloc[:] = 0  # a fit keeps its own
    exposure.iloc[:] = 9
    np.testing.assert_array_equal(fit.forecast(3, draws=50, rng=1).paths, first.paths)
    assert fit.counts.sum().sum() > 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.unit = "other"


def test_two_fits_are_equal(model):
    fits = [model.fit(typical(60)) for _ in range(2)]
    pd.testing.assert_series_equal(fits[0].params, fits[1].params, check_exact=True)
    np.testing.assert_array_equal(*(fit.forecast(2, draws=30, rng=1).paths for fit in fits))


def test_the_order_of_the_units_does_not_matter(model):
    counts = typical()
    fit, turned = model.fit(counts), model.fit(counts[["C", "A", "B"]])
    pd.testing.assert_series_equal(fit.params, turned.params[fit.params.index], check_exact=True)
    pd.testing.assert_frame_equal(fit.fitted, turned.fitted[["A", "B", "C"]], check_exact=True)
    one, other = (each.forecast(4, draws=100, rng=1) for each in (fit, turned))
    assert other.units == ("C", "A", "B")
    for unit in counts:
        np.testing.assert_array_equal(one[unit].paths, other[unit].paths)
        np.testing.assert_array_equal(one[unit].observed, other[unit].observed)


def test_histories_are_pooled(model):
    table = histories()
    fit = model.fit(table)
    assert len(fit.estimates) == 5
    assert fit.units == ("A", "B", "C")
    alone = [model.fit(table.xs(draw, axis=1, level="draw")) for draw in range(5)]
    np.testing.assert_allclose(fit.params, np.mean([each.params for each in alone], axis=0))
    np.testing.assert_allclose(fit.fitted, np.mean([each.fitted for each in alone], axis=0))
    forecast = fit.forecast(4, draws=51, rng=1)
    assert forecast.paths.shape == (3, 51, 4)
    assert sorted(np.bincount(forecast.component)) == [10, 10, 10, 10, 11]
    for unit in "ABC":
        for row, history in zip(forecast[unit].observed, forecast.component, strict=True):
            np.testing.assert_array_equal(row, table[unit, history])


def test_missing_counts_are_not_zeros(model):
    counts = typical()
    counts.iloc[10:70:2, 0] = np.nan
    counts.iloc[20:50:3, 1] = np.nan
    fit = model.fit(counts)
    assert fit.nobs == 260
    assert fit.fitted.notna().all(axis=None)
    mean = fit.forecast(10, draws=2000, rng=1).mean().iloc[-1]
    # zeros would take 30% off the first unit's level; the last counts are forgotten in ten weeks
    assert mean["A"] == pytest.approx(20, rel=0.25)


def test_gaps_at_the_end_move_the_origin(model):
    counts = typical(60)
    counts.iloc[-2:, 0] = np.nan
    forecast = model.fit(counts).forecast(2, draws=20, rng=1)
    assert forecast.origin == counts.index[-1]
    assert np.isnan(forecast["A"].observed[:, -2:]).all()
    assert not np.isnan(forecast["B"].observed).any()


def test_exposure_makes_rates_of_counts(model):
    counts = typical() * 2
    exposure = pd.DataFrame({"A": 0.5, "B": 1.0, "C": 1.0}, index=counts.index)
    whole, half = model.fit(counts), model.fit(counts * exposure, exposure=exposure)
    ratio = half.forecast(3, draws=3000, rng=1).mean() / whole.forecast(3, draws=3000, rng=1).mean()
    # the forecasts are of full periods; half as many events of A say a little less
    np.testing.assert_allclose(ratio, np.ones((3, 3)), atol=0.1)
    np.testing.assert_allclose(half.fitted.mean(), whole.fitted.mean() * [0.5, 1, 1], rtol=0.1)


def test_distributions_are_probabilities(model):
    counts = typical(60)
    counts.iloc[[7, 20], 1] = np.nan
    fit = model.fit(counts)
    y = fit.array[0]
    distributions = model.distributions(fit.estimates[0], y, fit.design)
    assert len(distributions) == 3
    support = np.arange(300.0)
    for place, distribution in enumerate(distributions):
        known = ~np.isnan(distribution.cdf(np.zeros(60)))
        assert known[40:].all()
        pmf = np.array([distribution.pmf(np.full(60, k)) for k in support])[:, known]
        cdf = np.array([distribution.cdf(np.full(60, k)) for k in support])[:, known]
        # 1e-9: sums of 300 probabilities, and incomplete beta functions good to some 1e-12
        np.testing.assert_allclose(pmf.cumsum(axis=0), cdf, atol=1e-9)
        assert (cdf[-1] > 1 - 1e-3).all()
        np.testing.assert_allclose(support @ pmf, distribution.mean[known], rtol=0.02)
        assert (distribution.variance[known] >= 0).all()
        gone = np.isnan(y[:, place])
        assert np.isnan(distribution.pmf(y[:, place])[gone]).all()
        assert gone.sum() == (2 if place == 1 else 0)


# --- forecasts


def test_forecast_has_the_contracts_shape(model):
    counts = typical()
    forecast = model.fit(counts, unit="raids").forecast(5, draws=31, rng=1)
    assert isinstance(forecast, PanelForecast)
    assert forecast.paths.shape == (3, 31, 5)
    assert (forecast.draws, forecast.steps, forecast.units) == (31, 5, ("A", "B", "C"))
    assert forecast.paths.dtype == np.int64
    assert (forecast.paths >= 0).all()
    assert forecast.periods.equals(pd.period_range(counts.index[-1] + 1, periods=5, freq="W-SUN", name="period"))
    assert (forecast.model, forecast.unit) == (model.name, "raids")
    for unit in counts:
        assert isinstance(forecast[unit], Forecast)
        np.testing.assert_array_equal(forecast[unit].observed, np.tile(counts[unit], (31, 1)))
    np.testing.assert_array_equal(forecast.total().paths, forecast.paths.sum(axis=0))
    np.testing.assert_array_equal(forecast.total().observed[0], counts.sum(axis=1))


@pytest.mark.parametrize("freq", ["D", "W-WED", "M"])
def test_frequencies(model, freq):
    counts = typical(60)
    counts.index = pd.period_range("2019-03-01", periods=60, freq=freq)
    forecast = model.fit(counts).forecast(2, draws=10, rng=1)
    assert forecast.periods.tolist() == [counts.index[-1] + 1, counts.index[-1] + 2]


def test_seeds(model):
    fit = model.fit(typical())
    one, same, other, fresh = (fit.forecast(6, draws=100, rng=seed).paths for seed in (1, 1, 2, None))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != fresh).any()


def test_paths_are_joint_draws_about_the_level(model):
    forecast = model.fit(typical()).forecast(4, draws=2000, rng=1)
    for place, level in enumerate((20, 8, 14)):
        assert len(np.unique(forecast.paths[place, :, 0])) > 5
        assert forecast.paths[place].mean() == pytest.approx(level, rel=0.3)


def test_nothing_after_the_origin_is_used(model):
    past = typical(100)
    quiet, busy = past.copy(), past.copy()
    quiet.iloc[80:], busy.iloc[80:] = 0, 500
    paths = [model.fit(counts.iloc[:80]).forecast(4, draws=50, rng=1).paths for counts in (past, quiet, busy)]
    np.testing.assert_array_equal(paths[0], paths[1])
    np.testing.assert_array_equal(paths[0], paths[2])


# --- what is handed in


def test_series_and_histories_of_one_are_refused(model):
    counts = typical(60)
    draws = counts.astype(np.int64).rename_axis(columns="draw")
    for wrong in (counts["A"], draws):
        with pytest.raises(InputError, match=f"{model.name} fits a panel; give a DataFrame"):
            model.fit(wrong)


def test_regressors_only_for_models_that_take_them(model):
    exog = pd.DataFrame({"x": np.arange(60.0) % 7}, index=typical(60).index)
    if not model.takes_exog:
        with pytest.raises(InputError, match=f"{model.name} takes no regressors; leave exog out"):
            model.fit(typical(60), exog=exog)
        return
    fit = model.fit(typical(60), exog=exog)
    assert "x" in fit.params.index
    with pytest.raises(InputError, match="the fit had the regressors"):
        fit.forecast(2)
    assert fit.forecast(2, draws=10, exog=pd.DataFrame({"x": [3.0, 4.0]}), rng=1).steps == 2


@pytest.mark.parametrize("values", AWKWARD.values(), ids=AWKWARD)
def test_awkward_panels_give_numbers_or_a_clear_error(model, values):
    """No NaN, no other exception, no warning of a library underneath."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        try:
            fit = model.fit(panel(values))
        except (FitError, InputError) as error:
            assert 20 < len(str(error)) < 300
            assert "\n" not in str(error)
            # else there is enough to go by
            assert len(values) < 20 or np.isnan(values).all(axis=0).any() or np.nanmax(values) > 1e9
            return
        forecast = fit.forecast(6, draws=60, rng=1)
    assert (forecast.paths >= 0).all()
    assert forecast.paths.sum(axis=(0, 2)).min() >= 0  # no overflow
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert np.isfinite(fit.fitted).all(axis=None)
    assert np.isfinite(forecast.summary_frame().to_numpy(dtype=float)).all()
    for thing in (fit, forecast):
        assert "<table" in thing._repr_html_()
    for place in range(values.shape[1]):
        median = np.median(forecast.paths[place, :, 0])
        if np.nanmax(values[:, place]) == 0:
            assert median <= 1
        if len(set(values[:, place])) == 1 and values[0, place] > 0:
            assert median == pytest.approx(values[0, place], rel=0.25)


# --- as objects


def test_html_and_repr(model):
    fit = model.fit(histories())
    for thing in (fit, fit.forecast(2, draws=10, rng=1)):
        page = thing._repr_html_()
        assert "<table" in page
        assert "<b>" in page
        assert len(repr(thing)) < 1000
    assert type(model).__name__ in fit._repr_html_()
    assert "pooled over 5 histories" in fit._repr_html_()


def test_pickling(model):
    fit = model.fit(typical(60))
    again = pickle.loads(pickle.dumps(fit))
    assert again.model == model
    pd.testing.assert_series_equal(again.params, fit.params)
    np.testing.assert_array_equal(again.forecast(3, draws=40, rng=7).paths, fit.forecast(3, draws=40, rng=7).paths)
    forecast = pickle.loads(pickle.dumps(fit.forecast(3, draws=40, rng=7)))
    assert forecast.paths.shape == (3, 40, 3)
