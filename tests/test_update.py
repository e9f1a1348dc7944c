"""Fits updated with later counts: the parameters stay, the state is that of all counts."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import FitError, InputError
from escalation.models.baselines.climatology import Climatology
from escalation.models.contract.base import CountModel
from escalation.models.endemic_epidemic.model import EndemicEpidemic
from escalation.models.ingarch.model import INGARCH
from escalation.models.levels.local_level import LocalLevel
from escalation.models.registry import MODELS, PANEL_MODELS, get_model, get_panel_model
from escalation.models.regression.negative_binomial import NegativeBinomial

STATELESS = {"hurdle", "negative_binomial", "poisson", "zero_inflated"}
"""Regressions: what came lately is not in them."""
FREE = {"bootstrap", "climatology", "last_value"}
"""Models without parameters."""

pytestmark = pytest.mark.filterwarnings("ignore:.*the counts (leave|do not determine):escalation.errors.DataWarning")


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def series(n=90, rise=60, seed=4):
    """Negative binomial counts around 4, around 40 from ``rise`` on."""
    rng = np.random.default_rng(seed)
    mean = np.where(np.arange(n) < rise, 4.0, 40.0)
    values = pd.Series(rng.negative_binomial(4, 4 / (4 + mean)), index=weeks(n)).astype("Int64")
    values.iloc[7] = pd.NA
    return values


def panel(n=90):
    return pd.DataFrame({name: series(n, seed=seed) for seed, name in enumerate("cab", start=1)})


@pytest.fixture(params=sorted(MODELS))
def model(request):
    return get_model(request.param)


def test_parameters_stay_and_the_state_is_that_of_all_counts(model):
    counts = series()
    fit = model.fit(counts[:60])
    before = fit.forecast(2, draws=400, rng=1).paths
    later = fit.update(counts)
    pd.testing.assert_series_equal(later.params, fit.params, check_exact=True)
    pd.testing.assert_frame_equal(later.cov_params, fit.cov_params, check_exact=True)
    assert later.nobs == 89
    assert later.fitted.index.equals(counts.index)
    assert later.fitted.notna().all()
    assert np.isnan(later.llf) and "log-likelihood" not in later.sentence()
    forecast = later.forecast(2, draws=400, rng=1)
    assert forecast.periods[0] == counts.index[-1] + 1
    new = model.fit(counts).forecast(2, draws=400, rng=1).paths.mean()
    if model.name in STATELESS:
        # the same distribution, whatever came: four standard errors of the means of 800 draws, twice
        assert forecast.paths.mean() == pytest.approx(before.mean(), abs=8 * before.std() / np.sqrt(800))
    elif model.name in FREE:
        assert forecast.paths.mean() == new
    else:
        # the highest regime of a hidden Markov fit is that of the first counts
        assert forecast.paths.mean() > (1.1 if model.name == "hidden_markov" else 2.0) * before.mean()
    np.testing.assert_array_equal(fit.forecast(2, draws=400, rng=1).paths, before)


def test_an_update_with_the_same_counts_changes_nothing(model):
    counts = series(60)
    fit = model.fit(counts)
    later = fit.update(counts)
    np.testing.assert_allclose(later.fitted, fit.fitted, rtol=1e-6)
    one, other = (each.forecast(3, draws=300, rng=2).paths for each in (fit, later))
    if model.name in {"local_level", "local_trend", "ensemble"}:
        # their last levels are those of a search that begins elsewhere and ends within a hundredth of a step
        assert other.mean() == pytest.approx(one.mean(), rel=0.01)
    else:
        np.testing.assert_array_equal(one, other)


def test_updates_of_updates_are_those_of_the_first_fit(model):
    counts = series()
    fit = model.fit(counts[:60])
    at_once, in_turns = fit.update(counts), fit.update(counts[:70]).update(counts)
    np.testing.assert_allclose(at_once.fitted, in_turns.fitted, rtol=1e-6)
    one, other = (each.forecast(2, draws=300, rng=2).paths.mean() for each in (at_once, in_turns))
    assert other == pytest.approx(one, rel=0.01)  # levels, as above


def test_distributions_of_the_counts_of_the_fit_stay(model):
    counts = series()
    fit = model.fit(counts[:60])
    later = fit.update(counts)
    y = counts.to_numpy(dtype=float, na_value=np.nan)
    if model.name in FREE | {"changing_rate", "ensemble"}:
        return  # the pool of past counts is another one, and so is the grid that is laid over the counts
    short = model.distributions(fit.estimates[0], y[:60], fit.design).cdf(y[:60])
    long = model.distributions(later.estimates[0], y, later.design).cdf(y)
    np.testing.assert_allclose(long[:60], short, rtol=1e-5)
    assert np.isfinite(long[60:]).all()


def test_the_recursion_goes_on_as_in_a_plain_loop():
    counts = series().fillna(4)
    fit = INGARCH().fit(counts[:60])
    later = fit.update(counts)
    intercept, beta, alpha = fit.params[["intercept", "beta_1", "alpha_1"]]
    y, mean = counts.to_numpy(dtype=float), fit.fitted.to_numpy()
    expected = mean[59]
    for t in range(60, 90):
        expected = intercept + beta * y[t - 1] + alpha * expected
        assert later.fitted.iloc[t] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(PANEL_MODELS))
def test_panels_are_updated(name):
    counts = panel()
    fit = get_panel_model(name).fit(counts[:60])
    later = fit.update(counts)
    pd.testing.assert_series_equal(later.params, fit.params, check_exact=True)
    assert list(later.fitted.columns) == ["c", "a", "b"]
    before, after = (each.forecast(2, draws=400, rng=1) for each in (fit, later))
    assert after.periods[0] == counts.index[-1] + 1
    assert (after.paths.mean(axis=(1, 2)) > 1.5 * before.paths.mean(axis=(1, 2))).all()
    same = fit.update(counts[:60])
    np.testing.assert_array_equal(same.forecast(2, draws=100, rng=3).paths, fit.forecast(2, draws=100, rng=3).paths)
    with pytest.raises(InputError, match="the fit is of the units"):
        fit.update(counts[["a", "b"]])


def test_histories_exposure_and_regressors_are_taken_on():
    histories = pd.DataFrame({k: series(seed=k).fillna(4) for k in range(12)}).rename_axis(columns="draw")
    fit = LocalLevel().fit(histories[:60], histories=4)
    later = fit.update(histories)
    assert len(later.estimates) == 4
    assert later.array.shape == (4, 90)
    with pytest.raises(InputError, match="3 histories are fewer than the 4"):
        fit.update(histories[[0, 1, 2]])
    counts = series(60, rise=60)
    shares = pd.Series(np.where(np.arange(60) < 50, 1.0, 0.5), index=counts.index)
    half = NegativeBinomial().fit(counts[:40]).update(counts, exposure=shares)
    assert half.fitted.iloc[-1] == pytest.approx(half.fitted.iloc[0] / 2)
    exog = pd.DataFrame({"x": np.arange(60.0) % 5}, index=counts.index)
    fit = NegativeBinomial().fit(counts[:40], exog=exog[:40])
    assert fit.update(counts, exog=exog).fitted.iloc[:40].to_numpy() == pytest.approx(fit.fitted.to_numpy())
    with pytest.raises(InputError, match=r"the fit had the regressors \['x'\], now there are \[\]"):
        fit.update(counts)


def test_what_cannot_be_taken_on_is_refused():
    counts = series()
    fit = INGARCH().fit(counts[:60])
    with pytest.raises(InputError, match="the counts begin with"):
        fit.update(counts[5:])
    with pytest.raises(InputError, match="ingarch fits one series and got a table of 3 units"):
        fit.update(panel())
    with pytest.raises(FitError, match="observed periods are too few"):
        fit.update(counts[:2])
    with pytest.raises(InputError, match="are those of other counts"):
        escalation.models.find_interventions(fit.update(counts))

    class Own(NegativeBinomial):
        carry = CountModel.carry

    with pytest.raises(InputError, match="cannot carry its parameters on"):
        Own().fit(counts[:60]).update(counts)


# --- backtests


MODELS_OF_A_BACKTEST = {
    "ingarch": INGARCH(),
    "level": LocalLevel(),
    "regression": NegativeBinomial(trend="linear"),
    "year": Climatology(52),
    "neighbours": EndemicEpidemic(),
}


def run(counts, models=MODELS_OF_A_BACKTEST, **options):
    usual = {"origins": 6, "every": 2, "horizon": 2, "draws": 100, "rng": 1}
    return escalation.backtest(models, counts, **{**usual, **options})


@pytest.mark.parametrize(("refit", "group"), [(False, 6), (3, 3), (2, 2)])
def test_a_backtest_updates_the_fits_of_the_origins_that_are_refitted(refit, group):
    counts = panel(80)
    always, result = run(counts), run(counts, refit=refit)
    assert not len(result.failures)
    origins = always.scores["origin"].unique()
    fitted = origins[::group]
    columns = ["mean", "crps", "log_score"]
    one, other = (each.scores[each.scores["origin"].isin(fitted)] for each in (always, result))
    pd.testing.assert_frame_equal(one[columns], other[columns], check_exact=True)
    rows = (result.scores["model"] == "ingarch") & (result.scores["unit"] == "a")
    for origin in origins:
        first = fitted[fitted <= origin][-1]
        fit = INGARCH().fit(counts["a"][:first]).update(counts["a"][:origin])
        paths = fit.forecast(2, draws=4000, rng=2).series_paths
        found = result.scores[rows & (result.scores["origin"] == origin)]["mean"]
        # five standard errors of the mean of 100 paths, and a quarter of that of 4,000
        assert found.to_numpy() == pytest.approx(paths.mean(axis=0), abs=6 * paths.std() / 10)
    late = result.scores["origin"] == origins[group - 1]
    assert (always.scores.loc[late, "crps"] != result.scores.loc[late, "crps"]).any()


def test_models_without_parameters_are_the_same_either_way():
    counts = panel(80)
    free = {"year": Climatology(30), "last": escalation.models.LastValue(), "analogues": escalation.models.Analogues()}
    one, other = run(counts, free), run(counts, free, refit=False)
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)


def test_nothing_later_enters_an_updated_fit():
    counts = panel(80)
    changed = counts.copy()
    changed.iloc[70:] = 500
    origins = list(weeks(80)[[60, 66, 69]])
    one, other = (run(table, origins=origins, refit=False) for table in (counts, changed))
    pd.testing.assert_frame_equal(one.scores[["mean", "median"]], other.scores[["mean", "median"]], check_exact=True)


def test_rolling_windows_hold_where_parameters_are_estimated():
    counts = panel(80)
    cut = counts[20:]
    one = run(counts, {"level": LocalLevel()}, window=50, refit=False, origins=[weeks(80)[69], weeks(80)[75]])
    other = run(cut, {"level": LocalLevel()}, refit=False, origins=[weeks(80)[69], weeks(80)[75]])
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)


def test_chains_are_taken_up_again_whole(tmp_path):
    counts = panel(80)
    first = run(counts, refit=3, store=tmp_path / "store")
    files = sorted((tmp_path / "store").glob("*.npz"))
    assert len(files) == 6 * 5
    files[4].unlink()
    again = run(counts, refit=3, store=tmp_path / "store")
    pd.testing.assert_frame_equal(first.scores, again.scores, check_exact=True)
    with pytest.raises(InputError, match="other refit"):
        run(counts, refit=True, store=tmp_path / "store")


def test_a_unit_that_could_not_be_fitted_is_tried_again():
    counts = panel(80)
    counts.loc[counts.index[:69], "b"] = pd.NA
    result = run(counts, {"level": LocalLevel()}, origins=list(weeks(80)[[65, 70, 76]]), refit=False)
    assert result.failures["origin"].astype(str).tolist() == [str(weeks(80)[65]), str(weeks(80)[70])]
    assert result.scores.query("unit == 'b'")["crps"].notna().sum() == 2


@pytest.mark.parametrize("refit", [0, -1, 1.5, "no"])
def test_refit_is_a_yes_a_no_or_a_number(refit):
    with pytest.raises(InputError, match="use True, False or a number of origins"):
        run(panel(80), refit=refit)
