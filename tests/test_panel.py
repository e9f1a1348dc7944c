"""The gate of panels, their fits and forecasts, with the plainest model that keeps the contract."""

import math
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from escalation.conventions.randomness import labelled_generators
from escalation.counts.schema import check_counts, is_panel_histories, panel_array
from escalation.errors import FitError, InputError
from escalation.models.contract.base import PanelModel
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import count_distributions

WEEKS = pd.period_range("2024-01-01", periods=5, freq="W-SUN", name="period")


@dataclass(frozen=True)
class Means(PanelModel):
    """Poisson counts around each unit's mean rate."""

    name: ClassVar[str] = "means"

    def estimate(self, counts, design):
        seen = ~np.isnan(counts)
        rates = np.nansum(counts, axis=0) / np.where(seen, design.exposure, 0.0).sum(axis=0)
        return Estimate(
            params=rates,
            cov=np.diag(rates / seen.sum(axis=0)),
            names=tuple(f"dispersion[{unit}]" for unit in design.units),  # a name with limits
            llf=-1.0,
            fitted=rates * design.exposure,
            converged=True,
        )

    def simulate(self, estimate, design, draws, rng):
        parts = [
            each.poisson(rate * exposure, (draws, len(exposure)))
            for each, rate, exposure in zip(
                labelled_generators(rng, design.units), estimate.params, design.exposure.T, strict=True
            )
        ]
        return np.array(parts)

    def distributions(self, estimate, counts, design):
        return tuple(count_distributions(mean, 0.0) for mean in estimate.fitted.T)


def panel(**units):
    return pd.DataFrame(units, index=WEEKS)


COUNTS = panel(A=[1, 2, 3, 4, 5], B=[9, 0, 0, 0, 1])


def histories():
    parts = {unit: pd.concat([COUNTS[unit] + draw for draw in range(3)], axis=1, keys=range(3)) for unit in "AB"}
    return pd.concat(parts, axis=1, names=["unit", "draw"])


# --- the gate


def test_a_panel_is_one_array_of_floats():
    units, array = panel_array(check_counts(panel(B=[1, None, 3, 4, 5], A=[0] * 5)))
    assert units == ("B", "A")
    assert array.shape == (1, 5, 2)
    np.testing.assert_array_equal(array[0, :, 0], [1, np.nan, 3, 4, 5])


def test_histories_of_a_panel_are_told_by_their_columns():
    table = histories()
    assert is_panel_histories(table)
    assert not is_panel_histories(COUNTS)
    units, array = panel_array(check_counts(table))
    assert units == ("A", "B")
    assert array.shape == (3, 5, 2)
    for draw in range(3):
        np.testing.assert_array_equal(array[draw], COUNTS + draw)
    # the order of the columns does not matter within a unit's block, as long as all have the same
    units, mixed = panel_array(check_counts(table.swaplevel(axis=1).sort_index(axis=1).swaplevel(axis=1)))
    np.testing.assert_array_equal(mixed, array)


def test_units_may_be_called_by_numbers():
    units, _ = panel_array(check_counts(COUNTS.set_axis([7, 8], axis=1)))
    assert units == ("7", "8")


@pytest.mark.parametrize("names", [["A", "A"], [1, "1"]])
def test_two_units_of_one_name_are_refused(names):
    with pytest.raises(InputError, match=r"the panel has two units called '(A|1)'"):
        Means().fit(COUNTS.set_axis(names, axis=1))


def test_units_with_different_draws_are_refused():
    with pytest.raises(InputError, match="the panel's units have different draws"):
        Means().fit(histories().iloc[:, :-1])


def test_units_of_several_columns_are_named_by_all_of_them():
    table = histories().rename_axis(columns=["unit", "side"])
    names = [f"{unit} / {side}" for unit, side in table.columns]
    assert list(Means().fit(table).units) == names
    assert list(Means().fit(pd.concat({"all": histories()}, axis=1)).units) == [
        f"all / {unit}" for unit in dict.fromkeys(histories().columns.get_level_values(0))
    ]


def test_histories_of_a_unit_have_the_same_gaps():
    table = histories().astype(float)
    table.iloc[2, 3] = np.nan
    with pytest.raises(InputError, match=r"counts is missing at .* in some histories only"):
        Means().fit(table)
    unit = table.columns[3][0]
    table.loc[table.index[2], unit] = np.nan
    assert Means().fit(table).nobs == table.shape[0] * len(dict.fromkeys(table.columns.get_level_values(0))) - 1


def test_too_few_periods():
    with pytest.raises(FitError, match="2 observed periods are too few for means; it needs 3"):
        Means().fit(panel(A=[1, np.nan, np.nan, np.nan, np.nan], B=[np.nan, 2, np.nan, np.nan, np.nan]))


def test_no_histories_to_pool():
    with pytest.raises(InputError, match="histories is 0"):
        Means().fit(histories(), histories=0)


# --- exposure


def test_exposure_may_be_one_series_or_a_table():
    half = pd.Series(0.5, index=WEEKS)
    table = pd.DataFrame({"A": 0.5, "B": 1.0}, index=WEEKS)
    assert Means().fit(COUNTS).params.tolist() == [3, 2]
    assert Means().fit(COUNTS, exposure=half).params.tolist() == [6, 4]
    fit = Means().fit(COUNTS, exposure=table)
    assert fit.params.tolist() == [6, 2]
    assert fit.fitted.iloc[0].tolist() == [3, 2]
    assert fit.design.ahead(2, None).exposure.tolist() == [[1, 1], [1, 1]]


def test_exposure_of_nothing_is_no_error_where_nothing_was_observed():
    counts = panel(A=[1, 2, np.nan, 4, 5], B=[9, 0, 0, 0, 1])
    table = pd.DataFrame(1.0, index=WEEKS, columns=["A", "B"])
    table.loc[WEEKS[2], "A"] = 0.0
    assert Means().fit(counts, exposure=table).params.tolist() == [3, 2]
    table.loc[WEEKS[2], "B"] = 0.0
    with pytest.raises(InputError, match="exposure is 0 at 2024-01-15"):
        Means().fit(counts, exposure=table)


@pytest.mark.parametrize(
    ("exposure", "message"),
    [
        (pd.DataFrame(1.0, index=WEEKS, columns=["A", "C"]), "exposure has other periods or units than the counts"),
        (pd.DataFrame(1.0, index=WEEKS, columns=["B", "A"]), "exposure has other periods or units than the counts"),
        (pd.Series(1.0, index=WEEKS + 1), "exposure has other periods or units than the counts"),
        (pd.Series("x", index=WEEKS), "exposure holds values that are not numbers"),
        (np.ones(5), "exposure is a ndarray; give a Series, or a DataFrame"),
    ],
)
def test_exposure_that_does_not_fit(exposure, message):
    with pytest.raises(InputError, match=message):
        Means().fit(COUNTS, exposure=exposure)


# --- fits and forecasts


def test_parameters_of_a_unit_have_the_limits_of_their_kind():
    interval = Means().fit(COUNTS).conf_int(0.999999)
    assert interval["lower"].tolist() == [0, 0]
    assert interval["upper"].max() < math.inf


def test_histories_are_pooled_and_their_paths_joined():
    fit = Means().fit(histories())
    assert fit.params.tolist() == [4, 3]
    # within: rate / 5, mean over the histories; between: variance of (3, 4, 5)
    np.testing.assert_allclose(np.diag(fit.cov_params), [4 / 5 + 4 / 3, 3 / 5 + 4 / 3])
    assert fit.nobs == 10
    assert len(Means().fit(histories(), histories=2).estimates) == 2
    forecast = fit.forecast(2, draws=30, rng=1)
    for unit in "AB":
        for row, draw in zip(forecast[unit].series_observed, forecast.component, strict=True):
            np.testing.assert_array_equal(row, COUNTS[unit] + draw)
    for thing in (fit, forecast):
        assert "<table" in thing._repr_html_()
        assert len(pickle.dumps(thing)) > 100
    assert "2 units and 10 counts, pooled over 3 histories" in fit._repr_html_()
    assert fit.sentence() == (
        "means was fitted to incidents from 2024-01-01 to 2024-02-04: 2 units and 10 counts, pooled over 3 histories; "
        "log-likelihood -1.00."
    )
    assert "in 2 units per week after 2024-01-29/2024-02-04 by means, 30 paths" in forecast._repr_html_()


def test_too_many_paths_to_hold():
    with pytest.raises(InputError, match="draws of 5,000 steps and 2 units are too many to hold; give up to 25,000"):
        Means().fit(COUNTS).forecast(5000, draws=30_000)


def test_labelled_generators_depend_on_the_label_alone():
    one, other = (labelled_generators(np.random.default_rng(3), labels) for labels in ("ab", "xba"))
    assert one[0].random(5).tolist() == other[2].random(5).tolist()
    assert one[1].random(5).tolist() == other[1].random(5).tolist()
    again = labelled_generators(np.random.default_rng(4), "ab")
    assert labelled_generators(np.random.default_rng(3), "ab")[0].random() != again[0].random()


def test_the_order_of_the_units_does_not_matter():
    one, other = (Means().fit(counts).forecast(2, draws=20, rng=1) for counts in (COUNTS, COUNTS[["B", "A"]]))
    np.testing.assert_array_equal(one.paths, other.paths[::-1])
