"""Many series: the same numbers whoever does the work, failures as rows, summaries of paths against the paths."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from escalation import INGARCH, Climatology, FitError, InputError, NegativeBinomial
from escalation.models import LastValue, fit_many, forecast_many
from escalation.models.contract.base import PanelModel
from escalation.models.contract.blocks import cut, run_blocks
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.diagnostics import diagnose
from escalation.models.diagnostics.distributions import count_distributions
from escalation.models.levels.local_level import LocalLevel


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def panel(units=40, n=60, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.negative_binomial(4, 0.3, (n, units)).astype(float)
    return pd.DataFrame(values, index=weeks(n), columns=[f"district {k}" for k in range(units)])


@dataclass(frozen=True)
class Breaking(Climatology):
    """Breaks on large counts as no model should."""

    name: ClassVar[str] = "breaking"

    def estimate(self, counts, design):
        if np.nanmax(counts) > 1000:
            raise ZeroDivisionError("by hand")
        return super().estimate(counts, design)

    def simulate(self, estimate, design, draws, rng):
        if estimate.state["pool"].max() > 500:
            raise ZeroDivisionError("on the way")
        return super().simulate(estimate, design, draws, rng)


@pytest.fixture(scope="module")
def workers():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("model", [INGARCH(), LocalLevel(), Climatology()], ids=lambda model: model.name)
def test_workers_and_the_order_of_columns_change_nothing(model, workers):
    counts = panel(34)
    here = fit_many(model, counts)
    there = fit_many(model, counts[counts.columns[::-1]], executor=workers)
    with ThreadPoolExecutor(2) as threads:
        beside = fit_many(model, counts, executor=threads)
    assert list(here.fits) == list(counts.columns)
    assert list(there.fits) == list(counts.columns[::-1])
    for other in (there, beside):
        pd.testing.assert_frame_equal(here.params, other.params.loc[here.params.index], check_exact=True)
    one, two = here.forecast(3, draws=50, rng=1), there.forecast(3, draws=50, executor=workers, rng=1)
    for unit in counts.columns:
        np.testing.assert_array_equal(one[unit].paths, two[unit].paths)
    few = fit_many(model, counts.iloc[:, [4, 2]]).forecast(3, draws=50, rng=1)
    np.testing.assert_array_equal(few["district 4"].paths, one["district 4"].paths)
    alone, apart = (
        forecast_many(model, counts, 3, draws=50, executor=executor, rng=1).summaries for executor in (None, workers)
    )
    pd.testing.assert_frame_equal(alone, apart, check_exact=True)


def test_a_fit_among_many_is_the_fit_alone():
    counts = panel(3)
    counts.iloc[5:9, 1] = np.nan
    exposure = pd.DataFrame(np.linspace(0.5, 1, 180).reshape(60, 3), index=counts.index, columns=counts.columns)
    exog = pd.DataFrame({"x": np.arange(60.0) % 7}, index=counts.index)
    many = fit_many(NegativeBinomial(), counts, exposure=exposure, exog=exog, unit="raids")
    for unit in counts:
        alone = NegativeBinomial().fit(counts[unit], exposure=exposure[unit], exog=exog, unit="raids")
        one = many.fits[unit]
        pd.testing.assert_series_equal(one.params, alone.params, check_exact=True)
        pd.testing.assert_series_equal(one.counts, alone.counts)
        assert (one.unit, one.nobs, one.llf) == ("raids", alone.nobs, alone.llf)
    ahead = pd.DataFrame({"x": [1.0, 2.0]})
    assert many.forecast(2, draws=20, exog=ahead, rng=1).paths.shape == (3, 20, 2)
    assert many.bse.shape == many.params.shape == (3, 3)
    assert many.llf.tolist() == [fit.llf for fit in many.fits.values()]
    assert many.converged.all()


def test_histories_of_many_series():
    parts = {unit: panel(5, seed=seed).set_axis(range(5), axis=1) for seed, unit in enumerate("AB")}
    table = pd.concat(parts, axis=1, names=["unit", "draw"])
    many = fit_many(Climatology(), table, histories=3)
    alone = Climatology().fit(parts["B"].rename_axis(columns="draw"), histories=3)
    np.testing.assert_array_equal(many.fits["B"].array, alone.array)
    forecast = many.forecast(2, draws=30, rng=1)
    assert forecast.component.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    np.testing.assert_array_equal(forecast.observed[1, 15], alone.array[1])


def test_failures_are_rows_and_the_others_go_on(workers):
    counts = panel(30)
    counts.iloc[:, 3] = np.nan
    counts.iloc[0, 7] = 5000
    for executor in (None, workers):
        many = fit_many(Breaking(), counts, executor=executor)
        assert len(many.fits) == 28
        assert many.failures.to_numpy().tolist() == [
            ["district 3", "0 observed periods are too few for breaking; it needs 1"],
            ["district 7", many.failures["error"].iloc[1]],
        ]
        assert "failed in estimate_all (ZeroDivisionError: by hand)" in many.failures["error"].iloc[1]
    counts.iloc[-1, 9] = 600
    found = forecast_many(Breaking(), counts, 2, draws=20, rng=1)
    assert found.failures["unit"].tolist() == ["district 3", "district 7", "district 9"]
    assert "failed in simulate (ZeroDivisionError: on the way)" in found.failures["error"].iloc[-1]
    assert found.summaries.index.get_level_values("unit").nunique() == 27
    assert "3 failed" in found._repr_html_()
    assert "2 failed" in many._repr_html_()
    assert many.sentence() == "breaking was fitted to 28 of 30 series of incidents."
    assert many.table().index.tolist() == list(many.fits)
    assert many.table().columns.tolist() == [*many.params.columns, "llf", "converged"]
    first = sum(many.fits[unit].forecast(1, draws=20, rng=2).mean().item() for unit in found.summaries.index.levels[0])
    said = found.sentence()
    # means of 20 Poisson counts in each of 27 units; how far they are apart is beside them
    expected = float(said.removeprefix("breaking expects ").split(" ")[0].replace(",", ""))
    assert expected == pytest.approx(first, rel=0.2)
    assert said.endswith(
        "incidents in 27 units together in the week that ends on "
        f"{found.summaries.index[0][1].end_time.date()}; 3 more series could not be forecast."
    )


def test_nothing_fitted():
    counts = panel(2) * np.nan
    many = fit_many(LastValue(), counts)
    assert (len(many.fits), len(many.failures), many.params.empty) == (0, 2, True)
    with pytest.raises(FitError, match="no series was fitted by last_value, so there is nothing to forecast"):
        many.forecast(1)
    none = forecast_many(LastValue(), counts, 2)
    assert none.summaries.empty and none.table().empty
    assert none.sentence() == "last_value forecasts none of 2 series of incidents."
    assert many.sentence() == "last_value was fitted to 0 of 2 series of incidents."
    assert many.diagnose().empty


def test_summaries_are_those_of_the_paths():
    counts = panel(5)
    paths = fit_many(Climatology(), counts).forecast(4, draws=101, rng=3)
    found = forecast_many(Climatology(), counts, 4, draws=101, quantiles=(0.1, 0.5), thresholds=(1, 12), rng=3)
    assert found.summaries.columns.tolist() == ["mean", "q0.1", "q0.5", "p_ge_1", "p_ge_12"]
    for unit in counts:
        own, table = paths[unit], found.summaries.loc[unit]
        assert found.table().loc[unit, "end"].tolist() == [period.end_time.normalize() for period in own.periods]
        assert table.index.equals(own.periods)
        np.testing.assert_allclose(table["mean"], own.mean())
        np.testing.assert_array_equal(table["q0.1"], own.quantile(0.1))
        np.testing.assert_array_equal(table["q0.5"], own.quantile(0.5))
        np.testing.assert_allclose(table["p_ge_12"], (own.series_paths >= 12).mean(axis=0))


@dataclass(frozen=True)
class PoissonMeans(PanelModel):
    """One Poisson mean a unit."""

    name: ClassVar[str] = "poisson_means"

    def estimate(self, counts, design):
        means = np.nanmean(counts, axis=0)
        return Estimate(means, np.diag(means), design.units, 0.0, np.tile(means, (len(counts), 1)), True)

    def simulate(self, estimate, design, draws, rng):
        return rng.poisson(estimate.params[:, None, None], (len(estimate.params), draws, len(design.periods)))

    def distributions(self, estimate, counts, design):
        return tuple(count_distributions(mean, 0.0) for mean in estimate.fitted.T)


def test_a_panel_fit_is_diagnosed_unit_by_unit():
    rng = np.random.default_rng(1)
    counts = pd.DataFrame(rng.poisson(5, (80, 12)), index=weeks(80), columns=list("ABCDEFGHIJKL"))
    counts["C"] = rng.negative_binomial(1, 0.2, 80)
    fit = PoissonMeans().fit(counts)
    table = fit.diagnose()
    assert table.index.tolist() == list(counts.columns)
    assert table.index[~table["fine"].astype(bool)].tolist() == ["C"]
    assert "the counts scatter more than the model says" in table.loc["C", "verdict"]
    one = diagnose(
        [count_distributions(np.full(80, counts["C"].mean()), 0.0)], counts[["C"]].to_numpy(float), weeks(80), model=""
    )
    assert table.loc["C", "p_dispersion"] == one.tests.loc["dispersion", "p_value"]
    assert table.loc["C", "verdict"] == "; ".join(one.verdict)
    with pytest.raises(InputError, match="confidence is 95"):
        fit.diagnose(confidence=95)


def test_diagnoses_of_many_fits_are_a_table():
    counts = panel(30, n=100)
    counts.iloc[:, 4] = np.random.default_rng(2).permutation(np.repeat([0.0, 30.0], 50))
    counts.iloc[:, 5] = np.nan
    counts.iloc[3:8, 5] = 2.0
    table = fit_many(Climatology(window=None), counts).diagnose()
    assert table.index.tolist() == list(counts.columns)
    assert table.loc["district 5", "verdict"].startswith("climatology gives none of these counts a distribution")
    alone = NegativeBinomial().fit(counts["district 4"]).diagnose()
    table = fit_many(NegativeBinomial(), counts.drop(columns="district 5")).diagnose()
    assert table.loc["district 4", ["fine", "verdict"]].tolist() == [False, "; ".join(alone.verdict)]
    assert table.loc["district 4", "p_zeros"] == alone.tests.loc["zeros", "p_value"]
    assert table.loc["district 4", "log_score"] == alone.scores.loc["log_score", "mean"]
    assert table["fine"].sum() == 28
    assert table.loc["district 0", "verdict"] == "nothing that stands out among 29 units"


def test_progress_counts_series():
    calls = []
    fit_many(LastValue(), panel(40), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (40, 40)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})


def test_blocks_depend_on_the_number_of_series_only():
    for number in (1, 15, 16, 17, 1000, 10_000):
        blocks = cut(range(number))
        assert [item for block in blocks for item in block] == list(range(number))
        assert max(map(len, blocks)) <= 100
        assert len(blocks) >= min(number, 9)


def test_an_error_of_a_block_calls_off_the_others():
    begun = []

    def work(number):
        begun.append(number)
        if number == [0]:
            raise ZeroDivisionError("at once")
        time.sleep(0.01)

    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError):
        run_blocks(work, [[number] for number in range(2000)], executor, False)
    assert len(begun) < 2000


def test_pickling():
    many = fit_many(Climatology(), panel(3))
    again = pickle.loads(pickle.dumps(many))
    np.testing.assert_array_equal(again.forecast(2, draws=9, rng=1).paths, many.forecast(2, draws=9, rng=1).paths)


@pytest.mark.parametrize(
    ("model", "counts", "options", "message"),
    [
        ("climatology", panel(2), {}, "model is 'climatology'; give a model of single series"),
        (Climatology(), panel(2)["district 0"], {}, "fit_many fits a panel; give a DataFrame with one column a unit"),
        (Climatology(), panel(2), {"histories": 0}, "histories is 0"),
        (Climatology(), panel(2), {"exog": panel(1)}, "climatology has no place for regressors; leave exog out"),
        (Climatology(), panel(2).set_axis(["A", "A"], axis=1), {}, "the panel has two units called 'A'"),
        (Climatology(), panel(2), {"exposure": panel(1)}, "exposure has other periods or units"),
    ],
)
def test_what_cannot_be_fitted(model, counts, options, message):
    with pytest.raises(InputError, match=message):
        fit_many(model, counts, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"quantiles": (0.5, 1.2)}, "quantiles is .*; give levels between 0 and 1"),
        ({"thresholds": (0,)}, "thresholds is 0"),
    ],
)
def test_summaries_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        forecast_many(Climatology(), panel(2), **{"horizon": 2, **options})
