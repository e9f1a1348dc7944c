"""The contract's own part: pooling by Rubin's rules, the checks of designs, the result records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from escalation.errors import FitError, InputError, NotConvergedWarning
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import make_design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import count_distributions

MONTHS = pd.period_range("2024-01", periods=6, freq="M", name="period")


@dataclass(frozen=True)
class PoissonMean(CountModel):
    """A model whose numbers can be worked out by hand: one rate, drawn from its normal distribution."""

    settles: bool = True
    name: ClassVar[str] = "poisson_mean"
    takes_exog: ClassVar[bool] = True

    def estimate(self, counts, design):
        seen = ~np.isnan(counts)
        exposure = design.exposure[seen].sum()
        rate = counts[seen].sum() / exposure
        params = np.array([rate, 0.1])
        cov = np.diag([rate / exposure, 0.04])
        return Estimate(params, cov, ("rate", "dispersion"), -rate, rate * design.exposure, self.settles)

    def simulate(self, estimate, design, draws, rng):
        rate = rng.normal(estimate.params[0], np.sqrt(estimate.cov[0, 0]), (draws, 1))
        return rng.poisson(np.maximum(rate, 0) * design.exposure * (1 + design.exog.sum(axis=1)))

    def distributions(self, estimate, counts, design):
        return count_distributions(estimate.fitted, 0.0)


def series(values=(4, 6, 2, 8, 5, 5)):
    return pd.Series(np.asarray(values, float), index=MONTHS)


def histories(columns):
    return pd.DataFrame(
        np.column_stack(columns), index=MONTHS[: len(columns[0])], columns=pd.RangeIndex(len(columns), name="draw")
    )


def share(values):
    return pd.Series(values, index=MONTHS)


# --- pooling


def test_rubins_rules_against_a_plain_loop():
    rng = np.random.default_rng(1)
    columns = [rng.poisson(5, 6) for _ in range(9)]
    fit = PoissonMean().fit(histories(columns))
    rates = [sum(column) / 6 for column in columns]
    mean = sum(rates) / 9
    within = sum(rate / 6 for rate in rates) / 9
    between = sum((rate - mean) ** 2 for rate in rates) / 8
    assert fit.params["rate"] == pytest.approx(mean)
    assert fit.cov_params.loc["rate", "rate"] == pytest.approx(within + (1 + 1 / 9) * between)
    assert fit.bse["rate"] == pytest.approx(np.sqrt(within + 10 / 9 * between))
    assert fit.cov_params.loc["dispersion", "dispersion"] == pytest.approx(0.04)  # the same in every history
    assert fit.cov_params.loc["rate", "dispersion"] == pytest.approx(0, abs=1e-12)
    assert fit.llf == pytest.approx(-mean)
    assert fit.fitted.tolist() == pytest.approx([mean] * 6)
    assert fit.nobs == 6


def test_one_history_and_equal_histories_are_as_one_series():
    exact = PoissonMean().fit(series())
    for columns in ([series()], [series()] * 4):
        pooled = PoissonMean().fit(histories(columns))
        pd.testing.assert_series_equal(pooled.params, exact.params)
        pd.testing.assert_frame_equal(pooled.cov_params, exact.cov_params)


def test_pool_takes_histories_evenly_from_all():
    table = histories([np.full(6, j) for j in range(101)])
    fit = PoissonMean().fit(table, histories=5)
    assert fit.array[:, 0].tolist() == [0, 25, 50, 75, 100]
    assert len(PoissonMean().fit(table).estimates) == 25
    assert len(PoissonMean().fit(table, histories=1000).estimates) == 101
    assert PoissonMean().fit(table, histories=1).params["rate"] == 0


def test_paths_continue_their_own_history():
    fit = PoissonMean().fit(histories([np.full(6, 0), np.full(6, 400)]))
    forecast = fit.forecast(3, draws=7, rng=1)
    assert forecast.component.tolist() == [0, 0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(forecast.series_observed, np.repeat([[0] * 6, [400] * 6], [4, 3], axis=0))
    assert (forecast.series_paths[:4] == 0).all()
    assert (forecast.series_paths[4:] > 200).all()
    assert fit.forecast(1, draws=1, rng=1).series_paths.shape == (1, 1)


def test_each_history_has_its_own_stream():
    # the paths of the second history do not depend on how many are drawn of the first
    fit = PoissonMean().fit(histories([np.full(6, 9), np.full(6, 50)]))
    few, many = fit.forecast(2, draws=2, rng=3), fit.forecast(2, draws=4, rng=3)
    np.testing.assert_array_equal(few.series_paths[0], many.series_paths[0])


# --- records


def test_intervals_are_normal_and_cut_at_the_limits():
    fit = PoissonMean().fit(series())
    rate, error = 5.0, np.sqrt(5 / 6)
    interval = fit.conf_int(0.9)
    assert interval.loc["rate"].tolist() == pytest.approx([rate - 1.6448536 * error, rate + 1.6448536 * error])
    assert interval.loc["dispersion"].tolist() == pytest.approx([0, 0.1 + 1.6448536 * 0.2])
    summary = fit.table()
    assert list(summary.columns) == ["estimate", "std_error", "lower", "upper"]
    assert summary.loc["rate", "upper"] == pytest.approx(rate + 1.959964 * error)


def test_information_criteria_count_every_parameter():
    fit = PoissonMean().fit(series([4, 6, np.nan, 8, 5, 5]))
    assert fit.nobs == 5
    assert fit.aic == pytest.approx(2 * 2 + 2 * 28 / 5)
    assert fit.bic == pytest.approx(2 * np.log(5) + 2 * 28 / 5)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_confidence_level(level):
    with pytest.raises(InputError, match=f"level is {level!r}; give a probability between 0 and 1, such as 0.9"):
        PoissonMean().fit(series()).conf_int(level)


def test_html_and_repr():
    table = histories([series(), series()])
    page = PoissonMean().fit(table)._repr_html_()
    assert "PoissonMean(settles=True)" in page
    assert "on 6 periods, pooled over 2 histories; log-likelihood -5.00" in page
    assert "pooled" not in PoissonMean().fit(series())._repr_html_()
    assert repr(PoissonMean().fit(series(), unit="raids")) == "CountFit(model=PoissonMean(settles=True), unit='raids')"


def test_a_sentence_says_what_was_fitted_to_what():
    assert PoissonMean().fit(series(), unit="raids").sentence() == (
        "poisson_mean was fitted to raids from 2024-01-01 to 2024-06-30: 6 periods; log-likelihood -5.00."
    )
    with pytest.warns(NotConvergedWarning):
        fit = PoissonMean(settles=False).fit(histories([series(), series()]))
    assert fit.sentence() == (
        "poisson_mean was fitted to incidents from 2024-01-01 to 2024-06-30: 6 periods, pooled over 2 histories; "
        "log-likelihood -5.00; the fit has not converged."
    )


def test_fits_that_do_not_converge_are_counted():
    with pytest.warns(NotConvergedWarning, match="poisson_mean: 2 of 2 fits did not converge; give it more periods"):
        fit = PoissonMean(settles=False).fit(histories([series(), series()]))
    assert not fit.converged
    assert PoissonMean().fit(series()).converged


# --- designs


def test_design_holds_time_exposure_and_regressors():
    exog = pd.DataFrame({"rain": [1, 0, 1, 0, 1, 0], 7: [True] * 6}, index=MONTHS)
    design = make_design(MONTHS, 10, share([1, 1, 0.5, 1, 1, 2]), exog)
    assert design.time.tolist() == [10, 11, 12, 13, 14, 15]
    assert design.exposure.tolist() == [1, 1, 0.5, 1, 1, 2]
    assert design.exog_names == ("rain", "7")
    assert design.exog[:2].tolist() == [[1, 1], [0, 1]]
    plain = make_design(MONTHS, 0, None, None)
    assert plain.exposure.tolist() == [1] * 6
    assert plain.exog.shape == (6, 0)


def test_design_is_a_copy():
    exposure, exog = share(np.ones(6)), pd.DataFrame({"x": np.zeros(6)}, index=MONTHS)
    design = make_design(MONTHS, 0, exposure, exog)
    exposure.iloc[0] = 5
    exog.iloc[0, 0] = 5
    exposure.array[1] = exog["x"].array[1] = 6
    assert design.exposure.tolist() == [1] * 6
    assert design.exog.tolist() == [[0]] * 6


def test_exposure_does_not_matter_where_nothing_was_observed():
    counts = series([4, 6, 2, 8, 5, np.nan])
    fit = PoissonMean().fit(counts, exposure=share([1, 1, 1, 1, 1, 0]))
    assert fit.design.exposure.tolist() == [1] * 6
    with pytest.raises(InputError, match="exposure is 0 at 2024-06; give a number > 0 wherever there is a count"):
        PoissonMean().fit(series(), exposure=share([1, 1, 1, 1, 1, 0]))


def test_regressors_by_position_need_no_index():
    exog = pd.DataFrame({"x": np.arange(6.0)})
    fit = PoissonMean().fit(series(), exog=exog)
    assert fit.design.exog[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    later = fit.forecast(2, exog=pd.DataFrame({"x": [0, 9]}), draws=400, rng=1)
    assert later.mean().iloc[1] > 5 * later.mean().iloc[0]


@pytest.mark.parametrize(
    ("exposure", "message"),
    [
        (pd.Series(np.ones(6)), "exposure is not a Series on the periods of the counts"),
        (np.ones(6), "exposure is not a Series on the periods of the counts"),
        (pd.Series(np.ones(5), index=MONTHS[:5]), "exposure is not a Series on the periods"),
        (share([1, 1, -0.5, 1, 1, 1]), "exposure is -0.5 at 2024-03; give a number > 0 wherever"),
        (share([1, np.inf, 1, 1, 1, 1]), "exposure is inf at 2024-02"),
        (share([1, 1, 1, np.nan, 1, 1]), "exposure is nan at 2024-04"),
        (share(pd.array([1, 1, 1, None, 1, 1], dtype="Float64")), "exposure is nan at 2024-04"),
        (share(["a"] * 6), "exposure holds values that are not numbers"),
    ],
)
def test_exposure_is_checked(exposure, message):
    with pytest.raises(InputError, match=message):
        PoissonMean().fit(series(), exposure=exposure)


@pytest.mark.parametrize(
    ("exog", "message"),
    [
        (np.ones((6, 1)), "exog must be a DataFrame with one row for each of the 6 periods"),
        (pd.DataFrame({"x": [1.0]}, index=MONTHS[:1]), "exog must be a DataFrame with one row for each of the 6"),
        (pd.DataFrame({"x": np.ones(6)}, index=MONTHS + 1), "exog covers 2024-02 to 2024-07, not 2024-01 to 2024-06"),
        (pd.DataFrame({"x": np.ones(6)}, index=MONTHS.to_timestamp()), "exog covers 2024-01-01 00:00:00 to "),
        (pd.DataFrame({"x": ["a"] * 6}, index=MONTHS), "exog holds values that are not numbers"),
        (
            pd.DataFrame({"x": np.ones(6), "y": [1, 2, np.nan, 4, 5, 6]}, index=MONTHS),
            "exog column 'y' is missing or infinite at 2024-03; fill or drop it",
        ),
        (pd.DataFrame({"x": [1, 2, 3, 4, np.inf, 6]}, index=MONTHS), "exog column 'x' is missing or infinite at"),
    ],
)
def test_regressors_are_checked(exog, message):
    with pytest.raises(InputError, match=message):
        PoissonMean().fit(series(), exog=exog)


def test_forecast_needs_the_regressors_of_the_fit():
    fit = PoissonMean().fit(series(), exog=pd.DataFrame({"x": np.ones(6)}))
    with pytest.raises(InputError, match=r"the fit had the regressors \['x'\], now there are \[\]"):
        fit.forecast(2)
    with pytest.raises(InputError, match=r"had the regressors \['x'\], now there are \['y'\]"):
        fit.forecast(2, exog=pd.DataFrame({"y": np.ones(2)}))
    with pytest.raises(InputError, match="one row for each of the 2 periods"):
        fit.forecast(2, exog=pd.DataFrame({"x": np.ones(3)}))
    with pytest.raises(InputError, match="exog covers 2024-01 to 2024-02, not 2024-07 to 2024-08"):
        fit.forecast(2, exog=pd.DataFrame({"x": np.ones(2)}, index=MONTHS[:2]))


# --- fit and forecast


def test_panels_are_refused():
    with pytest.raises(InputError, match="poisson_mean fits one series and got a table of 2 units; fit each column"):
        PoissonMean().fit(pd.DataFrame({"A": series(), "B": series()}))


@pytest.mark.parametrize(
    ("values", "seen"), [([np.nan] * 6, 0), ([1, np.nan, np.nan, np.nan, np.nan, 2], 2)], ids=["none", "two"]
)
def test_too_few_periods(values, seen):
    with pytest.raises(FitError, match=f"{seen} observed periods are too few for poisson_mean; it needs 3"):
        PoissonMean().fit(series(values))


def test_counts_go_through_the_gate():
    with pytest.raises(InputError, match="counts holds -1 at 2024-01"):
        PoissonMean().fit(series([-1, 1, 1, 1, 1, 1]))


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "3", None])
def test_histories_to_pool_are_a_whole_number(number):
    with pytest.raises(InputError, match=f"histories is {number!r}; give a whole number from 1 to 1,000,000"):
        PoissonMean().fit(series(), histories=number)


@pytest.mark.parametrize("steps", [0, -1, 5001, 2.0, True, "3", None])
def test_steps_are_a_whole_number(steps):
    with pytest.raises(InputError, match=f"horizon is {steps!r}; give a whole number from 1 to 5,000"):
        PoissonMean().fit(series()).forecast(steps)


@pytest.mark.parametrize("draws", [0, -1, 2.5, False, "9"])
def test_draws_are_a_whole_number(draws):
    with pytest.raises(InputError, match=f"draws is {draws!r}; give a whole number from 1 to 250,000,000"):
        PoissonMean().fit(series()).forecast(2, draws=draws)


def test_more_paths_than_memory_are_refused():
    with pytest.raises(InputError, match="100,000 draws of 5,000 steps are too many to hold; give up to 50,000"):
        PoissonMean().fit(series()).forecast(5000, draws=100_000)


def test_seeds():
    fit = PoissonMean().fit(series())
    with pytest.raises(InputError, match="rng is -1; give a whole number >= 0"):
        fit.forecast(2, rng=-1)
    generator = np.random.default_rng(1)
    first, second = (fit.forecast(2, draws=50, rng=generator).series_paths for _ in range(2))
    assert (first != second).any()  # a generator is moved on
    assert fit.forecast(np.int64(2), draws=np.int32(3), rng=np.int64(5)).series_paths.shape == (3, 2)
