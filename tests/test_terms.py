"""Terms and interventions: against plain loops and closed forms."""

import numpy as np
import pandas as pd
import pytest

from escalation.errors import FitError, InputError
from escalation.models.contract.design import make_design
from escalation.models.ingarch.model import INGARCH
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.interventions import Decay, Step
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.terms import Terms, orthogonal
from escalation.models.regression.zero_inflated import ZeroInflated


def weeks(n):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


@pytest.mark.parametrize("freq", ["D", "W-SUN", "W-WED", "M"])
def test_breaks_and_decays_against_a_plain_loop(freq):
    periods = pd.period_range("2024-01-01", periods=40, freq=freq)
    home = pd.Period("2024-01-17", freq)
    model = Terms(trend="linear", breaks=("2024-01-17",), interventions=(Decay("2024-01-17", half_life=10),))
    names, columns = model.columns(make_design(periods, 0, None, None))
    assert names == ["level", "trend", "trend_2024-01-17", "decay_2024-01-17_10d"]
    kink = [max(0, (period - home).n) for period in periods]
    days = [(period.start_time - home.start_time).days for period in periods]
    decay = [0.5 ** (day / 10) if day >= 0 else 0.0 for day in days]
    np.testing.assert_array_equal(columns[:, 2], kink)
    np.testing.assert_allclose(columns[:, 3], decay, rtol=1e-14)


def test_a_decay_in_weeks_is_the_geometric_one_of_tscount():
    delta = 0.8  # interv_covariate(n, tau, delta) is delta**(t - tau) from tau on
    decay = Decay("2020-02-03", half_life=7 * np.log(0.5) / np.log(delta))
    wanted = [0.0] * 4 + [delta**k for k in range(6)]
    np.testing.assert_allclose(decay.column(weeks(10)), wanted, rtol=1e-12)


def test_a_break_changes_the_slope_by_its_coefficient():
    time = np.arange(120)
    mean = np.exp(3 + 0.02 * time - 0.05 * np.maximum(time - 60, 0))
    counts = np.random.default_rng(1).poisson(mean)
    fit = Poisson(trend="linear", breaks=(weeks(120)[60].start_time,)).fit(series(counts))
    truth = [3, 0.02, -0.05]
    assert (np.abs(fit.params - truth) < 3 * fit.bse).all()
    assert fit.bse.iloc[1] < 0.002
    ahead = fit.forecast(10, draws=4000, rng=1).mean()
    last = 3 + 0.02 * np.arange(120, 130) - 0.05 * np.arange(60, 70)
    np.testing.assert_allclose(ahead, np.exp(last), rtol=0.15)  # the slope after the break goes on


def test_a_decay_fades_in_the_forecast_and_is_taken_by_every_model():
    decay = Decay("2021-02-22", half_life=14)
    lift = decay.column(weeks(60))
    counts = series(np.random.default_rng(2).poisson(20 * np.exp(1.5 * lift)))
    for kind in (Poisson, NegativeBinomial, INGARCH):
        fit = kind(interventions=(decay,)).fit(counts)
        assert "decay_2021-02-22_14d" in fit.params.index
    fit = Poisson(interventions=(decay,)).fit(counts)
    assert abs(fit.params.iloc[1] - 1.5) < 3 * fit.bse.iloc[1]
    mean = fit.forecast(12, draws=2000, rng=1).mean()
    assert mean.iloc[0] > 25
    assert mean.iloc[-1] == pytest.approx(20, rel=0.15)


def test_orthogonal_terms_are_orthogonal_and_lead_back():
    rng = np.random.default_rng(3)
    matrix = np.column_stack([np.ones(30), 1e6 * rng.normal(size=30) + 1e6, rng.normal(size=30)])
    basis = orthogonal(["level", "x", "y"], matrix, weeks(30), np.ones(30, dtype=bool))
    np.testing.assert_allclose(basis.x.T @ basis.x, 30 * np.eye(3), atol=1e-9)
    np.testing.assert_allclose(basis.x[:, 0], 1.0)
    np.testing.assert_allclose(matrix @ basis.to_terms, basis.x, atol=1e-9)


def test_regressors_are_chosen_by_name_for_each_part():
    rng = np.random.default_rng(4)
    exog = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80)}, index=weeks(80))
    counts = series(rng.poisson(2.0, 80))
    assert list(NegativeBinomial(regressors=("b",)).fit(counts, exog=exog).params.index) == ["level", "b", "dispersion"]
    fit = ZeroInflated(family="poisson", regressors=("a",), zero=Terms(regressors=("b",))).fit(counts, exog=exog)
    assert list(fit.params.index) == ["level", "a", "zero_level", "zero_b"]
    fit = Hurdle(family="poisson", zero=Terms(trend="linear")).fit(counts, exog=exog)
    assert list(fit.params.index) == ["level", "a", "b", "zero_level", "zero_trend", "zero_a", "zero_b"]
    with pytest.raises(InputError, match=r"regressors names 'c', which exog has not; its columns are \['a', 'b'\]"):
        Poisson(regressors=("c",)).fit(counts, exog=exog)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Terms(breaks=("2024-01-01",)), r"breaks is \('2024-01-01',\) but trend is 'none'"),
        (lambda: Terms(trend="linear", breaks="2024-01-01"), "breaks is '2024-01-01'; give a tuple of dates"),
        (lambda: Terms(trend="linear", breaks=("soon",)), "a date of breaks is 'soon'"),
        (lambda: Terms(regressors="x"), "regressors is 'x'; give a tuple of names"),
        (lambda: Terms(interventions=[Step("2024-01-01")]), "interventions is .*; give a tuple such as"),
        (lambda: INGARCH(interventions=(1,)), r"interventions is \(1,\); give a tuple such as"),
        (lambda: Decay("soon", 7), "the date of a Decay is 'soon'"),
        (lambda: Decay("2024-01-01", 0), "half_life is 0; give the days in which a Decay halves"),
        (lambda: Decay("2024-01-01", "week"), "half_life is 'week'; give the days"),
        (lambda: NegativeBinomial(variance="nb3"), "variance is 'nb3'; use 'nb2' or 'nb1'"),
        (lambda: ZeroInflated(family="normal"), "family is 'normal'; zero_inflated takes 'negbin' or 'poisson'"),
        (lambda: Hurdle(zero="linear"), "zero is 'linear'; give Terms"),
        (lambda: Hurdle(zero=Poisson()), r"zero is Poisson\(.*; give Terms"),
    ],
)
def test_options_are_checked(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_what_a_fit_cannot_use_is_refused():
    break_after_the_end = Poisson(trend="linear", breaks=("2030-01-01",))
    with pytest.raises(InputError, match="trend_2030-01-01 is 0 in every observed period"):
        break_after_the_end.fit(series(np.arange(20)))
    exog = pd.DataFrame({"zero_level": np.arange(20.0)}, index=weeks(20))
    with pytest.raises(InputError, match="regressor 'zero_level' has the name of a term of the zero part"):
        Hurdle().fit(series(np.arange(20)), exog=exog)
    with pytest.raises(FitError, match=r"4 counts are too few for 1 \+ 3 terms; use fewer"):
        Hurdle(zero=Terms(season=1)).fit(series([0, 4, 2, 0]))
    with pytest.raises(FitError, match="hurdle got a count of 2e\\+09; it takes up to 1e\\+09"):
        Hurdle().fit(series([0, 4, 2e9, 0]))
