"""What every registered model keeps, of one series and of several units, run over all of them by itself."""

import dataclasses
import functools
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from escalation.errors import EscalationWarning, FitError, InputError
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import CountFit, CountModel, PanelFit, PanelModel
from escalation.models.registry import MODELS, PANEL_MODELS, get_model, get_panel_model

WIDENING = {"local_level", "local_trend"}
"""Models whose level drifts, so that far horizons cannot be surer than near ones."""

NO_LIKELIHOOD = {"analogues", "bootstrap", "climatology", "ensemble", "last_value"}
"""Models that need not have parameters or a likelihood."""

SERIES = {
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

RNG = np.random.default_rng(5)
PANELS = {
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

AWKWARD = [(name, case) for name in sorted(MODELS) for case in SERIES]
AWKWARD += [(name, case) for name in sorted(PANEL_MODELS) for case in PANELS]

pytestmark = [
    pytest.mark.usefixtures("fits_made_anew"),
    pytest.mark.filterwarnings(
        # zero-inflated and hurdle models say so where a series, as most here, has no zeros to speak of
        "ignore:.*the counts leave zero_level without a finite maximum:escalation.errors.DataWarning"
    ),
]


def model_of(name):
    return get_model(name) if name in MODELS else get_panel_model(name)


@pytest.fixture(params=[*sorted(MODELS), *sorted(PANEL_MODELS)])
def model(request):
    return model_of(request.param)


@pytest.fixture(params=sorted(MODELS))
def of_series(request):
    return get_model(request.param)


@pytest.fixture(params=sorted(PANEL_MODELS))
def of_units(request):
    return get_panel_model(request.param)


def is_panel(model):
    return isinstance(model, PanelModel)


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, float), index=weeks(len(values)))


def panel(values):
    return pd.DataFrame(np.asarray(values, float), index=weeks(len(values)), columns=list("ABC")[: values.shape[1]])


def typical_series(n=80, seed=1):
    rng = np.random.default_rng(seed)
    return series(rng.poisson(20 * rng.gamma(5, 0.2, n)))


def typical_panel(n=100, seed=1):
    """Counts that follow each other, with means of 20, 8 and 14 in the long run."""
    rng = np.random.default_rng(seed)
    means, links = np.array([20.0, 8, 14]), np.array([[0.4, 0.15, 0.15], [0.1, 0.4, 0.1], [0.1, 0.1, 0.4]])
    counts = np.empty((n, 3))
    for t in range(n):
        away = links @ (counts[t - 1] - means) if t else 0.0
        counts[t] = rng.poisson(np.maximum(means + away, 1.0) * rng.gamma(12, 1 / 12, 3))
    return panel(counts)


def typical(model, n=None, seed=1):
    """Counts that a model is for."""
    return typical_panel(n or 100, seed) if is_panel(model) else typical_series(n or 80, seed)


def short(model):
    return typical(model, 60 if is_panel(model) else 40)


def histories(model):
    """Some of them: of a series one a column, of a panel one a unit and draw."""
    if not is_panel(model):
        columns = np.column_stack([typical_series(40, seed) for seed in range(6)]).astype(np.int64)
        return pd.DataFrame(columns, index=weeks(40), columns=pd.RangeIndex(6, name="draw"))
    parts = {(unit, draw): typical_panel(60, draw)[unit] for unit in "ABC" for draw in range(5)}
    table = pd.DataFrame(parts).astype(np.int64)
    table.columns.names = ["unit", "draw"]
    return table


def history(table, draw):
    return table[draw] if table.columns.nlevels == 1 else table.xs(draw, axis=1, level="draw")


def columns(counts):
    """Values (n, units) of counts, or of what was fitted to them."""
    return pd.DataFrame(counts).to_numpy(dtype=float)


def set_missing(counts, *places):
    """Nothing observed at some places of the first unit, at others of the second one, ..."""
    table = pd.DataFrame(counts)
    for unit, rows in enumerate(places):
        table.iloc[rows, unit] = np.nan
    return table.iloc[:, 0] if isinstance(counts, pd.Series) else table


@functools.cache
def fitted(model):
    """The fit to typical counts, for tests of what is done with a fit."""
    return model.fit(typical(model))


@functools.cache
def fitted_to_histories(model):
    return model.fit(histories(model))


# --- the registries


def test_names_find_their_models():
    for registry, get in ((MODELS, get_model), (PANEL_MODELS, get_panel_model)):
        for name, kind in registry.items():
            assert kind.name == name == name.lower()
            assert isinstance(get(name), kind)
    assert set(MODELS) | set(PANEL_MODELS) >= WIDENING | NO_LIKELIHOOD
    assert not set(PANEL_MODELS) & set(MODELS)


def test_unknown_names_are_listed():
    with pytest.raises(InputError, match=f"model is 'arima'; use one of {', '.join(sorted(MODELS))}"):
        get_model("arima")
    with pytest.raises(InputError, match="panel model is 'hhh4'; use one of"):
        get_panel_model("hhh4")


# --- options


def test_options_are_frozen_hashable_and_equal(model):
    assert isinstance(model, CountModel | PanelModel)
    assert dataclasses.is_dataclass(model)
    for option in dataclasses.fields(model):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, option.name, None)
    assert model == type(model)()
    assert hash(model) == hash(type(model)())
    assert repr(model).startswith(type(model).__name__ + "(")


def test_no_model_widens_the_contract(model):
    contract = PanelModel if is_panel(model) else CountModel
    for method in ("fit", "estimate", "simulate", "distributions"):
        taken, wanted = (
            [(one.name, one.kind, one.default) for one in inspect.signature(getattr(kind, method)).parameters.values()]
            for kind in (type(model), contract)
        )
        assert taken == wanted  # what they are annotated with mypy holds of ours, and models elsewhere may leave out


# --- fits


def test_fit_has_everything(model):
    counts = typical(model)
    fit = model.fit(counts, unit="raids")
    assert isinstance(fit, PanelFit if is_panel(model) else CountFit)
    assert (fit.model, fit.unit, fit.nobs, fit.converged) == (model, "raids", counts.size, True)
    assert fit.units == (("A", "B", "C") if is_panel(model) else ("",))
    names = list(fit.params.index)
    assert len(set(names)) == len(names)
    assert fit.bse.index.tolist() == fit.cov_params.index.tolist() == fit.cov_params.columns.tolist() == names
    assert fit.conf_int().columns.tolist() == ["lower", "upper"]
    assert fit.table().shape == (len(names), 4)
    assert np.isfinite(fit.params).all()
    assert (fit.bse >= 0).all()
    assert (fit.conf_int()["lower"] <= fit.params).all()
    assert (fit.params <= fit.conf_int()["upper"]).all()
    np.testing.assert_allclose(fit.cov_params, fit.cov_params.T)
    assert fit.fitted.index.equals(counts.index)
    assert type(fit.fitted) is type(counts)
    if is_panel(model):
        assert fit.fitted.columns.tolist() == ["A", "B", "C"]
    assert (columns(fit.fitted) > 0).all()
    np.testing.assert_allclose(columns(fit.fitted).mean(axis=0), columns(counts).mean(axis=0), rtol=0.3)
    assert (model.name in NO_LIKELIHOOD) == bool(np.isnan(fit.llf))
    if model.name not in NO_LIKELIHOOD:
        assert (-2000 if is_panel(model) else -500) < fit.llf < 0
        assert fit.aic == pytest.approx(2 * len(names) - 2 * fit.llf)
        assert fit.bic > fit.aic
    for name, (least, most) in model.limits().items():
        if name in names:
            assert least <= fit.conf_int().loc[name, "lower"] <= fit.conf_int().loc[name, "upper"] <= most


def test_fit_changes_nothing_it_was_given(model):
    counts = set_missing(short(model), [3])
    exposure = pd.DataFrame(0.8, index=counts.index, columns=pd.DataFrame(counts).columns)
    if not is_panel(model):
        exposure = pd.Series(np.linspace(0.5, 1, 40), index=weeks(40))
    before = counts.copy(), exposure.copy()
    fit = model.fit(counts, exposure=exposure)
    first = fit.forecast(3, draws=50, rng=1)
    assert counts.equals(before[0])
    assert exposure.equals(before[1])
    counts.iloc[:] = 0  # a fit keeps its own
    exposure.iloc[:] = 9
    np.testing.assert_array_equal(fit.forecast(3, draws=50, rng=1).paths, first.paths)
    assert np.nansum(columns(fit.counts)) > 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.unit = "other"


def test_two_fits_are_equal(model):
    fits = [model.fit(short(model)) for _ in range(2)]
    pd.testing.assert_series_equal(fits[0].params, fits[1].params, check_exact=True)
    np.testing.assert_array_equal(*(fit.forecast(2, draws=30, rng=1).paths for fit in fits))


def test_the_order_of_the_units_does_not_matter(of_units):
    counts = typical_panel()
    fit, turned = of_units.fit(counts), of_units.fit(counts[["C", "A", "B"]])
    pd.testing.assert_series_equal(fit.params, turned.params[fit.params.index], check_exact=True)
    pd.testing.assert_frame_equal(fit.fitted, turned.fitted[["A", "B", "C"]], check_exact=True)
    one, other = (each.forecast(4, draws=100, rng=1) for each in (fit, turned))
    assert other.units == ("C", "A", "B")
    for unit in counts:
        np.testing.assert_array_equal(one[unit].paths, other[unit].paths)
        np.testing.assert_array_equal(one[unit].observed, other[unit].observed)


def test_histories_are_pooled(model):
    table, fit = histories(model), fitted_to_histories(model)
    number = len(fit.estimates)
    assert number == (5 if is_panel(model) else 6)
    alone = [model.fit(history(table, draw)) for draw in range(number)]
    np.testing.assert_allclose(fit.params, np.mean([each.params for each in alone], axis=0))
    np.testing.assert_allclose(fit.fitted, np.mean([each.fitted for each in alone], axis=0))
    forecast = fit.forecast(4, draws=10 * number + 1, rng=1)
    assert forecast.paths.shape == (len(fit.units), 10 * number + 1, 4)
    assert sorted(np.bincount(forecast.component)) == [10] * (number - 1) + [11]
    for path, draw in enumerate(forecast.component):
        np.testing.assert_array_equal(forecast.observed[:, path].T, columns(history(table, draw)))


def test_missing_counts_are_not_zeros(model):
    counts = typical(model)
    missing = [range(10, 70, 2), range(20, 50, 3)] if is_panel(model) else [range(10, 40, 2)]
    fit = model.fit(set_missing(counts, *missing))
    assert fit.nobs == counts.size - sum(len(rows) for rows in missing)
    assert np.isfinite(columns(fit.fitted)).all()
    steps, near = (10, 0.25) if is_panel(model) else (1, 0.4)
    mean = columns(fit.forecast(steps, draws=2000, rng=1).mean())[-1, 0]
    # zeros would take a fifth off a series' level, and double its spread, and 30% off that of the panel's first unit,
    # whose last counts are forgotten in ten weeks
    assert mean == pytest.approx(20, rel=near)


def test_gaps_at_the_end_move_the_origin(model):
    counts = set_missing(short(model), [-2, -1])
    forecast = model.fit(counts).forecast(2, draws=20, rng=1)
    assert forecast.origin == counts.index[-1]
    assert np.isnan(forecast.observed[0, :, -2:]).all()
    assert not np.isnan(forecast.observed[1:]).any()


def test_exposure_makes_rates_of_counts(model):
    counts = typical(model) * 2
    exposure = pd.Series(0.5, index=counts.index)
    shares = np.array([0.5])
    if is_panel(model):
        exposure, shares = pd.DataFrame({"A": 0.5, "B": 1.0, "C": 1.0}, index=counts.index), np.array([0.5, 1, 1])
    whole, half = model.fit(counts), model.fit(counts * exposure, exposure=exposure)
    ratio = half.forecast(3, draws=3000, rng=1).mean() / whole.forecast(3, draws=3000, rng=1).mean()
    # the forecasts are of full periods; the spread of a mean of 3,000 paths is 1%, and half as many events say less
    np.testing.assert_allclose(ratio, 1.0, atol=0.1)
    np.testing.assert_allclose(columns(half.fitted).mean(axis=0), columns(whole.fitted).mean(axis=0) * shares, rtol=0.1)


def test_exposure_of_the_last_period_lifts_it(of_series):
    counts = series([20] * 39 + [10])
    exposure = pd.Series([1.0] * 39 + [0.5], index=weeks(40))
    mean = of_series.fit(counts, exposure=exposure).forecast(1, draws=2000, rng=1).mean().item()
    assert mean == pytest.approx(20, rel=0.05)


def test_distributions_are_probabilities(model):
    missing, n, first, most = ([[], [7, 20]], 60, 40, 300) if is_panel(model) else ([[7, 20]], 30, 12, 400)
    fit = model.fit(set_missing(typical(model, n), *missing))
    given = model.distributions(fit.estimates[0], fit.array[0], fit.design)
    given = given if is_panel(model) else (given,)
    assert len(given) == len(fit.units)
    support = np.arange(float(most))
    for place, (distribution, y) in enumerate(zip(given, columns(fit.array[0]).T, strict=True)):
        known = ~np.isnan(distribution.cdf(np.zeros(n)))
        assert known[first:].all()
        pmf = np.array([distribution.pmf(np.full(n, k)) for k in support])[:, known]
        cdf = np.array([distribution.cdf(np.full(n, k)) for k in support])[:, known]
        # 1e-9: sums of some hundred probabilities, and incomplete beta functions good to some 1e-12
        np.testing.assert_allclose(pmf.cumsum(axis=0), cdf, atol=1e-9)
        assert (cdf[-1] > 1 - 1e-3).all()
        np.testing.assert_allclose(support @ pmf, distribution.mean[known], rtol=0.02)
        assert (distribution.variance[known] >= 0).all()
        assert (distribution.cdf(np.full(n, -1.0))[known] == 0).all()
        gone = np.isnan(y)
        assert np.isnan(distribution.pmf(y)[gone]).all()
        assert np.isnan(distribution.cdf(y)[gone]).all()
        assert gone.sum() == (2 if place == len(missing) - 1 else 0)


def test_distributions_say_nothing_of_later_counts(of_series):
    fit = of_series.fit(set_missing(typical_series(30), [7, 20]))
    changed = fit.array[0].copy()
    changed[25:] = 60.0
    later = of_series.fit(series(changed))
    one, other = (of_series.distributions(each.estimates[0], each.array[0], fit.design) for each in (fit, later))
    if not len(fit.params):  # with parameters only their estimates may know of later counts
        np.testing.assert_array_equal(one.pmf(np.full(30, 20.0))[:25], other.pmf(np.full(30, 20.0))[:25])


def test_diagnoses_have_no_gaps_and_say_something(of_series):
    fit = of_series.fit(set_missing(typical_series(), [7, 20]), unit="raids")
    found = fit.diagnose()
    assert (found.model, found.unit, found.nobs) == (
        of_series.name,
        "raids",
        found.residuals["quantile"].notna().sum(),
    )
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
    assert fit.diagnose(confidence=1 - 1e-12).tests.equals(found.tests)


def test_diagnoses_of_units_are_a_table(of_units):
    fit = of_units.fit(set_missing(typical_panel(), [], [7, 20]))
    table = fit.diagnose()
    assert table.index.tolist() == ["A", "B", "C"]
    assert (table["nobs"] > 60).all()
    assert table.loc["B", "nobs"] == table.loc["A", "nobs"] - 2
    assert table[["p_level", "p_dispersion", "p_zeros", "p_holm"]].apply(lambda p: p.between(0, 1)).all(axis=None)
    assert np.isfinite(table["log_score"].astype(float)).all()
    assert table["verdict"].str.len().gt(20).all()


@pytest.mark.filterwarnings("ignore:.*default log-link:UserWarning")
def test_results_of_statsmodels_are_there_or_are_refused_in_one_line(model):
    fit = fitted(model)
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
    counts = typical(model)
    forecast = model.fit(counts, unit="raids").forecast(5, draws=31, rng=1)
    assert isinstance(forecast, Forecast)
    assert forecast.units == (("A", "B", "C") if is_panel(model) else ("",))
    assert forecast.paths.shape == (len(forecast.units), 31, 5)
    assert (forecast.draws, forecast.steps) == (31, 5)
    assert forecast.paths.dtype == np.int64
    assert (forecast.paths >= 0).all()
    assert forecast.periods.equals(pd.period_range(counts.index[-1] + 1, periods=5, freq="W-SUN", name="period"))
    assert (forecast.model, forecast.unit) == (model.name, "raids")
    assert forecast.component.tolist() == [0] * 31
    for place, unit in enumerate(forecast.units):
        one = forecast[unit]
        assert isinstance(one, Forecast)
        np.testing.assert_array_equal(one.series_paths, forecast.paths[place])
        np.testing.assert_array_equal(one.series_observed, np.tile(columns(counts)[:, place], (31, 1)))
        assert one.summary_frame().index.equals(forecast.periods)
    np.testing.assert_array_equal(forecast.total().series_paths, forecast.paths.sum(axis=0))
    np.testing.assert_array_equal(forecast.total().series_observed[0], columns(counts).sum(axis=1))


@pytest.mark.parametrize("freq", ["D", "W-WED", "M"])
def test_frequencies(model, freq):
    counts = typical(model, 60 if is_panel(model) else 30)
    counts.index = pd.period_range("2019-03-01", periods=len(counts), freq=freq)
    forecast = model.fit(counts).forecast(2, draws=10, rng=1)
    assert forecast.periods.tolist() == [counts.index[-1] + 1, counts.index[-1] + 2]


def test_seeds(model):
    fit = fitted(model)
    one, same, other, fresh = (fit.forecast(6, draws=100, rng=seed).paths for seed in (1, 1, 2, None))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != fresh).any()


def test_paths_are_joint_draws_about_the_level(model):
    forecast = fitted(model).forecast(4, draws=2000, rng=1)
    for paths, level in zip(forecast.paths, (20, 8, 14), strict=False):
        assert len(np.unique(paths[:500, 0])) > 5
        assert (paths[1:500] != paths[:499]).any(axis=0).all()
        assert paths.mean() == pytest.approx(level, rel=0.3)
        if not is_panel(model):
            assert ((paths.mean(axis=0) > 14) & (paths.mean(axis=0) < 27)).all()


def test_nothing_after_the_origin_is_used(model):
    past = typical(model, 100 if is_panel(model) else 80)
    first = len(past) - 20
    quiet, busy = past.copy(), past.copy()
    quiet.iloc[first:], busy.iloc[first:] = 0, 500
    paths = [model.fit(counts.iloc[:first]).forecast(4, draws=50, rng=1).paths for counts in (past, quiet, busy)]
    np.testing.assert_array_equal(paths[0], paths[1])
    np.testing.assert_array_equal(paths[0], paths[2])


def test_far_horizons_are_not_surer(of_series):
    forecast = fitted(of_series).forecast(30, draws=4000, rng=1).summary_frame(0.9)
    width = forecast["obs_pi_upper"] - forecast["obs_pi_lower"]
    near, far = width.iloc[:5].mean(), width.iloc[-5:].mean()
    # 0.9: the ends of an interval of 4,000 paths are known to some 3%
    assert far > 0.9 * near
    if of_series.name in WIDENING:
        drift = series(np.round(20 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.3, 80)))))
        wide = of_series.fit(drift).forecast(30, draws=4000, rng=1).summary_frame(0.9)
        width = wide["obs_pi_upper"] - wide["obs_pi_lower"]
        assert width.iloc[-5:].mean() > 1.3 * width.iloc[0]


@pytest.mark.parametrize(
    ("size", "message"),
    [((0, 9), "horizon is"), ((5001, 9), "horizon is"), ((1.5, 9), "horizon is")]
    + [((1, draws), "draws is") for draws in (0, -5, "many")],
)
def test_sizes_out_of_range(model, size, message):
    with pytest.raises(InputError, match=message):
        fitted(model).forecast(size[0], draws=size[1])


# --- what is handed in


def test_regressors_only_for_models_that_take_them(model):
    counts = short(model)
    exog = pd.DataFrame({"x": np.arange(float(len(counts))) % 7}, index=counts.index)
    if not model.takes_exog:
        with pytest.raises(InputError, match=f"{model.name} takes no regressors; leave exog out"):
            model.fit(counts, exog=exog)
        return
    fit = model.fit(counts, exog=exog)
    assert "x" in fit.params.index or model.name == "ensemble"  # whose parameters are weights
    with pytest.raises(InputError, match="the fit had the regressors"):
        fit.forecast(2)
    assert fit.forecast(2, draws=10, exog=pd.DataFrame({"x": [3.0, 4.0]}), rng=1).steps == 2


def test_models_of_one_series_refuse_panels(of_series):
    with pytest.raises(InputError, match=f"{of_series.name} fits one series and got a table of 2 units"):
        of_series.fit(pd.DataFrame({"A": typical_series(), "B": typical_series()}))


def test_models_of_several_units_refuse_a_series_and_its_histories(of_units):
    counts = typical_panel(60)
    draws = counts.astype(np.int64).rename_axis(columns="draw")
    for wrong in (counts["A"], draws):
        with pytest.raises(InputError, match=f"{of_units.name} fits a panel; give a DataFrame"):
            of_units.fit(wrong)


@pytest.mark.parametrize(("name", "case"), AWKWARD, ids=[f"{case}-{name}" for name, case in AWKWARD])
def test_awkward_counts_give_numbers_or_a_clear_error(name, case, monkeypatch):
    """No NaN, no other exception, no warning of a library underneath."""
    monkeypatch.setattr("escalation.models.diagnostics.distribution_table.CELLS", 60)  # coarse tables are soon made
    model = model_of(name)
    values = np.asarray(PANELS[case] if is_panel(model) else SERIES[case], float)
    by_unit = values.reshape(len(values), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        try:
            fit = model.fit(panel(values) if is_panel(model) else series(values))
        except (FitError, InputError) as error:
            assert 20 < len(str(error)) < 300
            assert "\n" not in str(error)
            # else there is enough to go by
            few = len(values) < (20 if is_panel(model) else 10) or np.isnan(by_unit).all(axis=0).any()
            assert few or np.nanmax(values) > 1e9
            return
        forecast = fit.forecast(6, draws=60, rng=1)
    assert (forecast.paths >= 0).all()
    assert forecast.paths.sum(axis=(0, 2)).min() >= 0  # no overflow
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert np.isfinite(columns(fit.fitted)).all()
    assert np.isfinite(forecast.summary_frame().to_numpy(dtype=float)).all()
    for thing in (fit, forecast):
        assert "<table" in thing._repr_html_()
    if not is_panel(model) and model.name not in NO_LIKELIHOOD:  # the others say nothing of the first counts
        found = fit.diagnose()
        assert found.tests.notna().all(axis=None)
        assert found.scores.notna().all(axis=None)
        assert found.verdict
    for own, paths in zip(by_unit.T, forecast.paths, strict=True):
        medians = np.median(paths, axis=0)
        if np.nanmax(own) == 0:
            assert (medians[:1] if is_panel(model) else medians).max() <= 1
        if len(set(own)) == 1 and own[0] > 0:
            assert medians[0] == pytest.approx(own[0], rel=0.25)


# --- as objects


def test_html_and_repr(model):
    fit = fitted_to_histories(model)
    for thing in (fit, fit.forecast(2, draws=10, rng=1)):
        page = thing._repr_html_()
        assert "<table" in page
        assert "<b>" in page
        assert len(repr(thing)) < 1000
    assert type(model).__name__ in fit._repr_html_()
    assert f"pooled over {len(fit.estimates)} histories" in fit._repr_html_()


def test_pickling(model):
    fit = model.fit(short(model))
    again = pickle.loads(pickle.dumps(fit))
    assert again.model == model
    pd.testing.assert_series_equal(again.params, fit.params)
    np.testing.assert_array_equal(again.forecast(3, draws=40, rng=7).paths, fit.forecast(3, draws=40, rng=7).paths)
    forecast = pickle.loads(pickle.dumps(fit.forecast(3, draws=40, rng=7)))
    assert forecast.paths.shape == (len(fit.units), 40, 3)
