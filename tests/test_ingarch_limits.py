"""INGARCH on hard series, on the bounds of its parameters, and what it refuses."""

import math

import numpy as np
import pandas as pd
import pytest

from escalation.errors import FitError, InputError
from escalation.models.ingarch.likelihood import log_likelihood
from escalation.models.ingarch.maximum import MOST_SERIAL
from escalation.models.ingarch.model import INGARCH


def weeks(n):
    return pd.period_range("2020-01-05", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def test_bounds_are_named():
    counts = series(np.random.default_rng(1).poisson(6.0, 80))
    fit = INGARCH().fit(counts)
    assert set(fit.estimates[0].state["at_bound"]) <= set(fit.params.index)
    rising = INGARCH(family="poisson").fit(series(np.round(np.exp(np.arange(15)))))
    assert rising.params["alpha_1"] == 0
    assert rising.estimates[0].state["at_bound"] == ("intercept", "alpha_1")
    assert rising.params[["beta_1", "alpha_1"]].sum() <= MOST_SERIAL
    smooth = INGARCH().fit(series([7, 8] * 30))
    assert smooth.params["dispersion"] == 0
    assert smooth.bse["dispersion"] == pytest.approx(math.sqrt(2 / (smooth.fitted**2).sum()))


@pytest.mark.parametrize(("seed", "drop"), [(25, 80), (53, 200)])
def test_fits_converge_where_serial_coefficients_all_but_sum_to_one(seed, drop):
    """A log link takes a lasting fall for a unit root: a narrow, bent ridge of intercepts."""
    rng, log_rate = np.random.default_rng(seed), 2.0
    counts = []
    for t in range(200):
        counts.append(rng.poisson(math.exp(log_rate)))
        log_rate = 0.6 + 0.3 * math.log1p(counts[-1]) + 0.4 * log_rate - 0.2 * (t > drop)
    fit = INGARCH(link="log").fit(series(counts))
    assert fit.converged
    state = fit.estimates[0].state
    for sign in (1.0, -1.0):  # no small step along the ridge climbs
        moved = state["point"].copy()
        moved[1] += 1e-3 * sign
        moved[2] -= 1e-3 * sign
        assert log_likelihood(moved, state["data"]) < fit.llf


HARD = {
    "all zero": np.zeros(40),
    "one incident": np.r_[np.zeros(20), 1, np.zeros(19)],
    "constant": np.full(40, 7.0),
    "millions": np.full(40, 1e6) + np.arange(40) % 7,
    "outlier": np.r_[np.full(30, 3.0), 1e6, np.full(9, 3.0)],
    "lull": np.r_[40, 55, 80, 90, np.zeros(30)],
    "five points": np.array([3.0, 0, 2, 5, 1]),
}
MODELS = [
    INGARCH(link=link, family=family, dispersion=how)
    for link in ("identity", "log")
    for family, how in (("negbin", "ml"), ("poisson", "ml"), ("negbin", "pearson"))
]


@pytest.mark.filterwarnings("ignore::escalation.errors.NotConvergedWarning")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.link}-{model.family}-{model.dispersion}")
@pytest.mark.parametrize("name", HARD)
def test_hard_series_give_finite_numbers(name, model):
    fit = model.fit(series(HARD[name]))
    for numbers in (fit.params, fit.bse, fit.fitted, [fit.llf]):
        assert np.isfinite(numbers).all()
    assert (fit.fitted > 0).all()
    paths = fit.forecast(30, draws=200, rng=1).series_paths
    assert paths.min() >= 0


def test_three_points_are_refused():
    with pytest.raises(FitError, match="3 counts are too few for 3 coefficients; use fewer lags"):
        INGARCH().fit(series([3, 1, 2]))


def test_counts_beyond_its_digits_are_refused():
    with pytest.raises(FitError, match=r"ingarch got a count of 2e\+09; it takes up to 1e\+09"):
        INGARCH().fit(series([1, 2, 3, 2e9, 5]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"link": "sqrt"}, "link is 'sqrt'; ingarch takes 'identity' or 'log'"),
        ({"family": "normal"}, "family is 'normal'"),
        ({"init": "mean"}, "init is 'mean'"),
        ({"first": "lost"}, "first is 'lost'"),
        ({"dispersion": "ols"}, "dispersion is 'ols'"),
        ({"past_obs": (0,)}, r"past_obs is \(0,\); give a tuple of different lags"),
        ({"past_mean": (1, 1)}, r"past_mean is \(1, 1\)"),
        ({"past_mean": 1}, "past_mean is 1"),
        ({"past_obs": ()}, "past_obs is empty"),
        ({"interventions": ("2024-01-01",)}, "interventions is .*; give a tuple such as"),
        ({"external": "x"}, "external is 'x'; give a tuple of names"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        INGARCH(**options)


def test_regressors_that_cannot_be_are_refused():
    counts = series(np.random.default_rng(1).poisson(10.0, 40))
    table = pd.DataFrame({"x": np.arange(40) % 5 - 1.0})
    with pytest.raises(InputError, match=r"regressor 'x' is -1 at .*; use link='log'"):
        INGARCH().fit(counts, exog=table)
    assert "x" in INGARCH(link="log").fit(counts, exog=table).params
    with pytest.raises(InputError, match="regressor 'x' is 2 in every observed period; leave it out"):
        INGARCH().fit(counts, exog=table * 0 + 2)
    with pytest.raises(InputError, match="ingarch has two terms called 'beta_1'"):
        INGARCH().fit(counts, exog=table.rename(columns={"x": "beta_1"}))
    with pytest.raises(InputError, match="external names 'z'; the regressors are"):
        INGARCH(link="log", external=("z",)).fit(counts, exog=table)


def test_loglike_refuses_what_it_cannot_place():
    counts = series([3, 1, 2, 5])
    model = INGARCH(family="poisson")
    with pytest.raises(InputError, match="params has intercept; this model has intercept, beta_1, alpha_1"):
        model.loglike({"intercept": 1.0}, counts)
    with pytest.raises(InputError, match="serial ones off a sum of 1"):
        model.loglike({"intercept": 1.0, "beta_1": 0.5, "alpha_1": 0.5}, counts)
    with pytest.raises(InputError, match="loglike takes one count series"):
        model.loglike({}, pd.DataFrame({"a": counts, "b": counts}))
    assert model.loglike({"intercept": -1.0, "beta_1": 0.1, "alpha_1": 0.1}, counts) == -math.inf
