"""``from_statsmodels``: fitted results of statsmodels as fits, against what statsmodels says of their distributions."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2
from statsmodels.discrete import count_model, discrete_model, truncated_model
from statsmodels.distributions.discrete import genpoisson_p

import escalation
from escalation.errors import DataWarning, FitError, InputError
from escalation.models import Hurdle, NegativeBinomial, Poisson, Terms, ZeroInflated, from_statsmodels
from escalation.models.statsmodels_bridge.generalized_poisson import GeneralizedPoissonDistributions, draw
from escalation.models.statsmodels_bridge.model import Continued

# statsmodels says so of searches that end where rounding keeps them from a smaller gradient
pytestmark = [
    pytest.mark.filterwarnings("ignore:Maximum Likelihood optimization failed"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels"),  # its searches go far away
]

N = 160


def weeks(n=N):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def draws_of(kind, seed=3):
    """Counts with a trend and a regressor, overdispersed or with zeros of another kind."""
    rng = np.random.default_rng(seed)
    table = design()
    mean = np.exp(1.0 + 0.4 * table["trend"] + 0.5 * table["offensive"]).to_numpy()
    rate = mean if kind == "poisson" else mean * rng.gamma(2, 0.5, N)
    counts = rng.poisson(rate)
    if kind == "zeros":
        counts[rng.random(N) < 0.25] = 0
    return pd.Series(counts, index=weeks(), name="raids")


def design():
    offensive = (np.arange(N) % 13 < 5).astype(float)
    return pd.DataFrame({"const": 1.0, "trend": (np.arange(N) + 1) / 100, "offensive": offensive}, index=weeks())


def coming(horizon=4):
    return pd.DataFrame({"offensive": np.array([1.0, 0.0, 1.0, 1.0])[:horizon]})


def glm(family):
    return lambda: sm.GLM(draws_of("gamma"), design(), family=family).fit()


QUIET = {"disp": 0, "maxiter": 3000}
ONLY_CONST = np.ones((N, 1))
CASES = {
    "glm_poisson": glm(sm.families.Poisson()),
    "glm_negbin": glm(sm.families.NegativeBinomial(alpha=0.4)),
    "poisson": lambda: discrete_model.Poisson(draws_of("poisson"), design()).fit(disp=0),
    "nb2": lambda: discrete_model.NegativeBinomial(draws_of("gamma"), design()).fit(**QUIET),
    "nb1": lambda: discrete_model.NegativeBinomial(draws_of("gamma"), design(), "nb1").fit(**QUIET),
    "geometric": lambda: discrete_model.NegativeBinomial(draws_of("gamma"), design(), "geometric").fit(**QUIET),
    "nbp": lambda: discrete_model.NegativeBinomialP(draws_of("gamma"), design(), p=1.5).fit(**QUIET),
    "gp1": lambda: discrete_model.GeneralizedPoisson(draws_of("gamma"), design(), p=1).fit(**QUIET),
    "gp2": lambda: discrete_model.GeneralizedPoisson(draws_of("gamma"), design(), p=2).fit(**QUIET),
    "zip": lambda: count_model.ZeroInflatedPoisson(draws_of("zeros"), design()).fit(**QUIET),
    "zip_probit": lambda: count_model.ZeroInflatedPoisson(
        draws_of("zeros"), design(), exog_infl=design()[["const", "offensive"]], inflation="probit"
    ).fit(**QUIET),
    "zinb": lambda: count_model.ZeroInflatedNegativeBinomialP(
        draws_of("zeros"), design(), exog_infl=design()[["const"]]
    ).fit(**QUIET),
    "zigp": lambda: count_model.ZeroInflatedGeneralizedPoisson(draws_of("zeros"), design()).fit(**QUIET),
    "hurdle_poisson": lambda: truncated_model.HurdleCountModel(draws_of("zeros"), design()).fit(**QUIET),
    "hurdle_negbin": lambda: truncated_model.HurdleCountModel(draws_of("zeros"), design(), dist="negbin").fit(**QUIET),
}
PLAIN = ["glm_poisson", "nb2", "zip", "gp2", "hurdle_negbin"]


@pytest.fixture(scope="module")
def results():
    """Results by name, each fitted once."""
    found = {}

    def give(name):
        if name not in found:
            found[name] = CASES[name]()
        return found[name]

    return give


INFLATED_BY = {"zip": ["const"], "zigp": ["const"], "zinb": ["const"], "zip_probit": ["const", "offensive"]}


def probabilities(name, results, params, exog, most):
    """What statsmodels says of the probability of 0 to ``most``: (periods, most + 1)."""
    counts = np.arange(most + 1)
    if name in INFLATED_BY:
        infl = exog[INFLATED_BY[name]].to_numpy()
        return results.model.predict(params, exog.to_numpy(), exog_infl=infl, which="prob", y_values=counts)
    exog = exog.to_numpy()
    model = results.model
    if isinstance(model, sm.GLM):
        mean = model.predict(params, exog)
        alpha = getattr(model.family, "alpha", None)
        distribution = sm.families.Poisson if alpha is None else sm.families.NegativeBinomial(alpha=alpha)
        distribution = distribution() if alpha is None else distribution
        return distribution.get_distribution(mean[:, None], 1.0).pmf(counts)
    if isinstance(model, discrete_model.NegativeBinomial):  # its predict knows no dispersion of nb1
        distribution = model.get_distribution(params, exog)
        return distribution.pmf(counts[:, None]).T
    return model.predict(params, exog, which="prob", y_values=counts)


# --- what is read


@pytest.mark.parametrize("name", CASES)
def test_the_fit_is_that_of_the_results(name, results):
    theirs = results(name)
    fit = from_statsmodels(theirs, unit="raids")
    assert fit.results is theirs
    assert (fit.unit, fit.nobs) == ("raids", N)
    np.testing.assert_array_equal(fit.params, theirs.params)
    np.testing.assert_allclose(fit.bse, theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(fit.cov_params, theirs.cov_params(), rtol=1e-12)
    assert (fit.llf, list(fit.params.index)) == (theirs.llf, list(theirs.model.exog_names))
    assert fit.counts.index.equals(weeks())
    # 1e-7: the means of truncated distributions are quotients of small numbers
    np.testing.assert_allclose(fit.fitted, theirs.predict(), rtol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_distributions_are_those_of_statsmodels(name, results):
    theirs = results(name)
    fit = from_statsmodels(theirs)
    distributions = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
    pmf = np.column_stack([distributions.pmf(np.full(N, float(k))) for k in range(31)])
    np.testing.assert_allclose(pmf, probabilities(name, theirs, np.asarray(theirs.params), design(), 30), atol=1e-10)
    cdf = np.column_stack([distributions.cdf(np.full(N, float(k))) for k in range(31)])
    np.testing.assert_allclose(pmf.cumsum(axis=1), cdf, atol=1e-9)
    wanted = None if name in ("glm_poisson", "glm_negbin", "nb2", "nb1", "geometric") else theirs.predict(which="var")
    if wanted is not None:
        np.testing.assert_allclose(distributions.variance, wanted, rtol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_paths_are_drawn_from_the_distribution_averaged_over_parameters(name, results):
    theirs = results(name)
    steps, draws = 2, 4000
    paths = from_statsmodels(theirs).forecast(steps, draws=draws, exog=coming(steps), rng=1).series_paths
    ahead = pd.DataFrame(
        {"const": 1.0, "trend": (N + 1 + np.arange(steps)) / 100, "offensive": coming(steps)["offensive"]}
    )
    params, cov = np.asarray(theirs.params), np.asarray(theirs.cov_params())
    points = np.random.default_rng(2).multivariate_normal(params, cov, 300)
    if theirs.model.exog_names[-1] == "alpha":  # below 0 it is taken as 0
        points[:, -1] = np.maximum(points[:, -1], 1e-9)
    pmf = np.mean([probabilities(name, theirs, point, ahead, 80) for point in points], axis=0)
    for t in range(steps):
        edges = np.unique(np.searchsorted(pmf[t].cumsum(), np.linspace(0.08, 0.92, 10)))
        seen = np.bincount(np.searchsorted(edges, paths[:, t]), minlength=len(edges) + 1)
        wanted = draws * np.diff(np.concatenate([[0.0], pmf[t].cumsum()[edges], [1.0]]))
        # twice the sum of squares: 300 points know the mean of the distributions only so well
        assert ((seen - wanted) ** 2 / wanted).sum() < 2 * chi2.ppf(0.999, len(edges))


def test_the_uncertainty_of_the_parameters_is_in_the_paths():
    counts = draws_of("poisson").iloc[:12]
    fit = from_statsmodels(discrete_model.Poisson(counts, np.ones(12)).fit(disp=0))
    level, error = fit.params.iloc[0], fit.bse.iloc[0]
    mean = fit.forecast(40, draws=4000, rng=1).series_paths.mean(axis=1)
    # a lognormal mean, and 40 Poisson counts around it
    lognormal = np.exp(2 * level + error**2) * np.expm1(error**2)
    assert mean.var() == pytest.approx(lognormal + np.exp(level + error**2 / 2) / 40, rel=0.1)
    assert mean.mean() == pytest.approx(np.exp(level + error**2 / 2), rel=0.02)


def test_generalised_poisson_draws_have_their_distribution():
    mean, excess = np.full((20_000, 2), [3.0, 40.0]), np.full((20_000, 2), [0.5, 2.0])
    drawn = draw(mean, excess, 1e15, np.random.default_rng(1))
    for column in (0, 1):
        m, e = mean[0, column], excess[0, column]
        cdf = genpoisson_p.pmf(np.arange(400), m, e / m, 2).cumsum()
        edges = np.unique(np.searchsorted(cdf, np.linspace(0.04, 0.96, 20)))
        seen = np.bincount(np.searchsorted(edges, drawn[:, column]), minlength=len(edges) + 1)
        wanted = 20_000 * np.diff(np.concatenate([[0.0], cdf[edges], [1.0]]))
        assert ((seen - wanted) ** 2 / wanted).sum() < chi2.ppf(0.999, len(edges))
    distributions = GeneralizedPoissonDistributions(mean[0], excess[0], np.array([0.0, 0.3]))
    np.testing.assert_allclose(distributions.mean, [3.0, 0.7 * 40])
    support = np.arange(2000.0)
    pmf = np.array([distributions.pmf(np.full(2, k)) for k in support])
    np.testing.assert_allclose((support**2) @ pmf - (support @ pmf) ** 2, distributions.variance, rtol=1e-6)
    assert distributions.cdf(np.array([-1.0, np.nan])).tolist()[0] == 0


# --- the ways that lead on


@pytest.mark.parametrize("name", PLAIN)
def test_everything_that_takes_a_fit_takes_it(name, results):
    fit = from_statsmodels(results(name), unit="raids")
    forecast = fit.forecast(4, draws=400, exog=coming(), rng=1)
    assert forecast.periods[0] == weeks()[-1] + 1
    assert 0 < escalation.flashpoint(forecast, 12, over=2).probability <= 1
    came = pd.Series([4, 0, 9, 12], index=forecast.periods)
    assert escalation.score_forecast(forecast, came)["crps"].gt(0).all()
    found = fit.diagnose()
    assert (found.model, found.unit, found.nobs) == ("statsmodels", "raids", N)
    assert found.tests["p_value"].between(0, 1).all()
    assert fit.table().shape == (len(fit.params), 4)
    assert "StatsmodelsModel" in fit._repr_html_()
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(
        again.forecast(4, draws=400, exog=coming(), rng=1).series_paths, forecast.series_paths
    )
    assert hash(again.model) == hash(fit.model)


@pytest.mark.parametrize("name", PLAIN)
def test_the_model_is_fitted_anew_in_a_backtest(name, results):
    fit = from_statsmodels(results(name))
    counts = fit.counts
    for exog in (design(), design()[["offensive"]]):
        result = escalation.backtest(
            {"theirs": fit.model}, counts, origins=3, horizon=2, every=8, exog=exog, draws=100, progress=False, rng=1
        )
        assert result.failures.empty
        assert result.scores["crps"].notna().all()
    kept = escalation.backtest(
        {"theirs": fit.model},
        counts,
        origins=3,
        horizon=2,
        every=8,
        exog=design(),
        refit=False,
        draws=100,
        progress=False,
        rng=1,
    )
    assert kept.failures.empty


@pytest.mark.parametrize("name", CASES)
def test_fitted_anew_to_the_same_counts_it_is_the_same(name, results):
    theirs = results(name)
    fit = from_statsmodels(theirs)
    again = fit.model.fit(fit.counts, exog=design()[["offensive"]])
    assert again.llf == pytest.approx(theirs.llf, abs=1e-3)
    np.testing.assert_allclose((again.params - fit.params) / fit.bse, 0, atol=0.02)
    # those of "geometric" are from the expected information of a GLM, statsmodels' from the observed one
    np.testing.assert_allclose(again.bse, fit.bse, rtol=0.04 if name == "geometric" else 0.02)


def test_update_keeps_the_parameters():
    counts, table = draws_of("gamma"), design()
    fit = from_statsmodels(discrete_model.NegativeBinomial(counts.iloc[:120], table.iloc[:120]).fit(**QUIET))
    later = fit.update(counts, exog=table)
    assert later.params.equals(fit.params)
    assert later.nobs == N
    assert later.forecast(2, draws=50, exog=coming(2), rng=1).periods[0] == weeks()[-1] + 1
    np.testing.assert_allclose(later.fitted.iloc[:120], fit.fitted)
    with pytest.raises(InputError, match="statsmodels' results are of the counts before the update"):
        _ = later.results


@pytest.mark.parametrize(
    "model",
    [
        Poisson(trend="linear"),
        NegativeBinomial(trend="linear"),
        NegativeBinomial(trend="linear", variance="nb1"),
        ZeroInflated(trend="linear", zero=Terms(trend="linear", regressors=())),
        Hurdle(),
    ],
)
def test_results_made_here_come_back(model):
    fit = model.fit(draws_of("zeros"))
    back = from_statsmodels(fit.results)
    np.testing.assert_allclose(back.fitted, fit.fitted, rtol=1e-9)
    assert back.llf == pytest.approx(fit.llf)
    assert back.forecast(3, draws=50, rng=1).series_paths.shape == (50, 3)
    if model.trend == "linear":
        assert Continued("trend", 0.0, 1.0) in back.model.continued


# --- columns that go on, and those that are asked for


def test_constants_and_trends_go_on_by_themselves():
    counts = draws_of("poisson")
    fit = from_statsmodels(discrete_model.Poisson(counts, design()[["const", "trend"]]).fit(disp=0))
    alone, same = fit.forecast(3, rng=1), fit.forecast(3, exog=ahead_of(3)[["const", "trend"]], rng=1)
    np.testing.assert_array_equal(alone.series_paths, same.series_paths)
    table = design()[["const"]].assign(weeks=np.arange(N) * 1.0)
    fit = from_statsmodels(discrete_model.Poisson(counts, table).fit(disp=0))
    assert fit.model.continued == (Continued("const", 1.0, 0.0), Continued("weeks", 0.0, 1.0))


def ahead_of(steps):
    return pd.DataFrame({"const": 1.0, "trend": (N + 1 + np.arange(steps)) / 100, "offensive": 0.0})


@pytest.mark.parametrize("column", ["ones", "population"])
def test_columns_in_doubt_are_asked_for(column):
    table = design().assign(ones=1.0, population=5 + 0.25 * np.arange(N))
    table = table[["ones"]] if column == "ones" else table[["const", "population"]]
    fit = from_statsmodels(discrete_model.Poisson(draws_of("poisson"), table).fit(disp=0))
    with pytest.raises(InputError, match=f"the fit needs exog of the coming periods, with the columns {column}"):
        fit.forecast(3)
    assert fit.forecast(3, exog=pd.DataFrame({column: [1.0, 1, 1]}), rng=1).steps == 3


def test_exog_of_the_coming_periods_is_looked_at(results):
    fit = from_statsmodels(results("poisson"))
    ahead = ahead_of(3)
    one, same = (fit.forecast(3, exog=table, rng=1).series_paths for table in (ahead, ahead[["offensive", "trend"]]))
    np.testing.assert_array_equal(one, same)
    dated = ahead.set_axis(pd.date_range("2023-02-05", periods=3, freq="W-SUN"))
    np.testing.assert_array_equal(fit.forecast(3, exog=dated, rng=1).series_paths, one)
    with pytest.raises(
        InputError, match=r"column 'trend' of exog does not go on from the fit's, with 1\.61 at first; le"
    ):
        fit.forecast(3, exog=ahead.assign(trend=[0.01, 0.02, 0.03]))
    with pytest.raises(InputError, match=r"the fit had the regressors \['offensive'\], now there are \[\]"):
        fit.forecast(3, exog=ahead[["const"]])
    with pytest.raises(InputError, match=r"had the regressors \['offensive'\], now there are \['offensive', 'rain'\]"):
        fit.forecast(3, exog=ahead.assign(rain=0.0))
    with pytest.raises(InputError, match="exog must be a DataFrame with one row for each of the 3 periods"):
        fit.forecast(3, exog=ahead.iloc[:2])
    with pytest.raises(InputError, match="exog lacks offensive; give these columns for each of 160 periods"):
        fit.model.fit(fit.counts)
    with pytest.raises(InputError, match="exog has 'rain', which the results of statsmodels have not; leave it out"):
        fit.model.fit(fit.counts, exog=design().assign(rain=1.0))


def test_columns_of_the_zeros_have_names_of_their_own():
    own = design()[["const"]].assign(trend=np.sin(np.arange(N)), winter=(np.arange(N) % 52 < 13).astype(float))
    theirs = count_model.ZeroInflatedPoisson(draws_of("zeros"), design(), exog_infl=own).fit(**QUIET)
    fit = from_statsmodels(theirs)
    assert fit.model.zero_terms == ("const", "inflate_trend", "inflate_winter")
    assert fit.model.asked == ("offensive", "inflate_trend", "inflate_winter")
    ahead = coming(2).assign(inflate_trend=0.3, inflate_winter=1.0)
    mean = fit.forecast(2, draws=8000, exog=ahead, rng=1).mean()
    z = np.column_stack([np.ones(2), np.full(2, 0.3), np.ones(2)])
    wanted = theirs.predict(ahead_of(2).assign(offensive=coming(2)["offensive"]), exog_infl=z)
    np.testing.assert_allclose(mean, wanted, rtol=0.05)  # a mean of 8,000 draws, and over the parameters


def test_arrays_have_the_names_that_statsmodels_gives():
    counts, table = draws_of("zeros").to_numpy(), design().to_numpy() * [1, 100, 1]
    for kind in (discrete_model.Poisson, truncated_model.HurdleCountModel):
        fit = from_statsmodels(kind(counts, table).fit(disp=0), weeks())
        assert fit.model.terms == ("const", "x1", "x2")
        assert fit.model.asked == ("x2",)
    zero = count_model.ZeroInflatedPoisson(counts, table[:, :1], exog_infl=table[:, [0, 2]]).fit(**QUIET)
    assert from_statsmodels(zero, weeks()).model.asked == ("inflate_x1",)


# --- periods


def test_periods_come_from_the_data_or_are_given():
    counts, table = draws_of("poisson"), design()
    wanted = from_statsmodels(discrete_model.Poisson(counts, table).fit(disp=0)).design.periods
    dated = counts.set_axis(pd.date_range("2020-01-12", periods=N, freq="W-SUN"))
    theirs = discrete_model.Poisson(dated, table.set_axis(dated.index)).fit(disp=0)
    assert from_statsmodels(theirs).design.periods.equals(wanted)
    bare = discrete_model.Poisson(counts.to_numpy(), table.to_numpy()).fit(disp=0)
    assert from_statsmodels(bare, weeks()).design.periods.equals(wanted)
    assert from_statsmodels(bare, dated.index).design.periods.equals(wanted)
    months = pd.date_range("2010-01-01", periods=N, freq="MS")
    assert from_statsmodels(bare, months).design.periods.freqstr == "M"
    for nothing in (None, weeks(N - 1), months.delete([3, 4, 90])):
        with pytest.raises(
            InputError, match=f"the results' counts have no periods; give periods, a PeriodIndex of {N}"
        ):
            from_statsmodels(bare, nothing)
    with pytest.raises(
        InputError, match="the results' periods do not rise one by one; give those of one series, sorted"
    ):
        from_statsmodels(bare, weeks()[::-1])


def test_periods_that_were_dropped_were_not_observed():
    counts = draws_of("poisson").astype(float)
    counts.iloc[[5, 6, 90]] = np.nan
    theirs = discrete_model.Poisson(counts, design(), missing="drop").fit(disp=0)
    bare = discrete_model.Poisson(counts.to_numpy(), design().to_numpy(), missing="drop").fit(disp=0)
    for fit in (from_statsmodels(theirs), from_statsmodels(bare, weeks())):
        assert fit.nobs == N - 3
        assert len(fit.counts) == N
        assert fit.counts.isna().to_numpy().nonzero()[0].tolist() == [5, 6, 90]
        assert fit.diagnose().nobs == N - 3
        assert [one.name for one in fit.model.continued][:1] == ["const"]
        ahead = pd.DataFrame({name: [1.61 if name == "x1" else 0.0] for name in fit.model.asked})
        assert fit.forecast(1, exog=ahead, rng=1).steps == 1


def test_counts_that_are_no_counts_are_refused():
    theirs = sm.GLM(draws_of("poisson") / 2, design(), family=sm.families.Poisson()).fit()
    with pytest.raises(InputError, match="counts are whole numbers >= 0"):
        from_statsmodels(theirs)


# --- exposure


def test_shares_of_periods_are_covered_and_forecasts_of_whole_ones():
    share = np.random.default_rng(4).uniform(0.4, 1.0, N)
    share[7] = 1.0
    counts = draws_of("poisson")
    for given in ({"exposure": share}, {"offset": np.log(share)}):
        theirs = discrete_model.Poisson(counts, design(), **given).fit(disp=0)
        fit = from_statsmodels(theirs)
        np.testing.assert_allclose(fit.design.exposure, share)
        np.testing.assert_allclose(fit.fitted, theirs.predict())
        mean = fit.forecast(2, draws=8000, exog=coming(2), rng=1).mean()
        wanted = theirs.predict(ahead_of(2).assign(offensive=coming(2)["offensive"]), offset=np.zeros(2))
        np.testing.assert_allclose(mean, wanted, rtol=0.03)  # 8,000 draws around some 7
    ours = Poisson(trend="linear").fit(counts, exposure=pd.Series(share, index=weeks()), exog=design()[["offensive"]])
    assert fit.llf == pytest.approx(ours.llf)


@pytest.mark.parametrize("kind", ["glm", "discrete"])
def test_other_exposures_are_asked_for(kind):
    people = np.linspace(200.0, 260.0, N)
    if kind == "glm":
        theirs = sm.GLM(draws_of("poisson"), design(), family=sm.families.Poisson(), exposure=people).fit()
    else:
        theirs = discrete_model.Poisson(draws_of("poisson"), design(), offset=np.log(people)).fit(disp=0)
    fit = from_statsmodels(theirs)
    np.testing.assert_allclose(fit.fitted, theirs.predict())
    with pytest.raises(InputError, match="needs exog of the coming periods, with the columns offensive, exposure"):
        fit.forecast(2)
    ahead = coming(2).assign(exposure=[261.0, 522.0])
    mean = fit.forecast(2, draws=8000, exog=ahead, rng=1).mean()
    table = ahead_of(2).assign(offensive=coming(2)["offensive"])
    np.testing.assert_allclose(mean, theirs.predict(table, offset=np.log(ahead["exposure"])), rtol=0.03)
    with pytest.raises(InputError, match="column 'exposure' of exog holds -1; give numbers > 0"):
        fit.forecast(2, exog=ahead.assign(exposure=-1.0))
    again = fit.model.fit(fit.counts, exog=design().assign(exposure=people))
    assert again.llf == pytest.approx(fit.llf)
    clash = discrete_model.Poisson(
        draws_of("poisson"), design().rename(columns={"offensive": "exposure"}), exposure=people
    ).fit(disp=0)
    with pytest.raises(InputError, match="there is a regressor called 'exposure' beside an exposure; rename it"):
        from_statsmodels(clash)


# --- covariances


def test_a_robust_covariance_is_drawn_from():
    theirs = discrete_model.Poisson(draws_of("gamma"), design()).fit(disp=0, cov_type="HC0")
    fit = from_statsmodels(theirs)
    np.testing.assert_allclose(fit.bse, theirs.bse)
    np.testing.assert_allclose(fit.model.fit(fit.counts, exog=design()).bse, theirs.bse, rtol=1e-6)
    clustered = discrete_model.Poisson(draws_of("gamma"), design()).fit(disp=0, cov_type="HAC", cov_kwds={"maxlags": 3})
    fit = from_statsmodels(clustered)
    np.testing.assert_allclose(fit.bse, clustered.bse)
    with pytest.raises(
        InputError, match="results with a covariance of type HAC cannot be fitted anew; fit them without"
    ):
        fit.model.fit(fit.counts, exog=design())


def test_without_a_covariance_there_is_no_fit():
    theirs = discrete_model.Poisson(draws_of("gamma"), design()).fit(disp=0)
    theirs._results.normalized_cov_params = None
    with pytest.raises(FitError, match="statsmodels' fit has no covariance of its parameters; give it more periods or"):
        from_statsmodels(theirs)
    theirs._results.normalized_cov_params = np.diag([1.0, 1.0, -1.0])
    with pytest.raises(
        FitError, match="statsmodels' fit ended where its likelihood has no maximum; give it other start"
    ):
        from_statsmodels(theirs)


def test_what_statsmodels_cannot_fit_is_one_line():
    fit = from_statsmodels(discrete_model.NegativeBinomialP(draws_of("gamma"), design()[["const"]]).fit(**QUIET))
    with pytest.raises(FitError, match="statsmodels") as raised:
        fit.model.fit(pd.Series([0] * 30, index=weeks(30)))
    assert "\n" not in str(raised.value)
    hurdle = from_statsmodels(truncated_model.HurdleCountModel(draws_of("zeros"), design()[["const"]]).fit(disp=0))
    exposure = pd.Series(np.linspace(0.5, 1, N), index=weeks())
    with pytest.raises(InputError, match="statsmodels' hurdle model has no exposure; leave it out, or use Hurdle"):
        hurdle.model.fit(hurdle.counts, exposure=exposure)


# --- what cannot be


def other(kind):
    counts, table = draws_of("poisson"), design()
    if kind == "Logit":
        return sm.Logit((counts > 2).astype(float), table).fit(disp=0)
    if kind == "OLS":
        return sm.OLS(counts, table).fit()
    return truncated_model.TruncatedLFPoisson(counts[counts > 0], table[counts > 0]).fit(disp=0)


@pytest.mark.parametrize("kind", ["Logit", "OLS"])
def test_other_classes_are_named(kind):
    with pytest.raises(
        InputError, match=f"results are of {kind}, which cannot be continued; use one of GLM, Poisson, N"
    ):
        from_statsmodels(other(kind))


def test_what_is_no_count_result_is_refused():
    with pytest.raises(
        InputError, match="of TruncatedLFPoisson, which cannot be continued; it says nothing of zeros; us"
    ):
        from_statsmodels(other("TruncatedLFPoisson"))
    with pytest.raises(InputError, match="results is a Poisson; give fitted results of statsmodels with a covariance"):
        from_statsmodels(discrete_model.Poisson(draws_of("poisson"), design()))
    model = sm.GLM(draws_of("poisson"), design(), family=sm.families.Poisson())
    with pytest.raises(InputError, match="give fitted results of statsmodels with a covariance"):
        from_statsmodels(model.fit_regularized(alpha=0.1, maxiter=500))
    penalised = discrete_model.Poisson(draws_of("poisson"), design()).fit_regularized(alpha=0.1, disp=0)
    constrained = discrete_model.Poisson(draws_of("poisson"), design()).fit_constrained("trend = 0", disp=0)
    for theirs in (penalised, constrained):
        with pytest.raises(InputError, match="results of Poisson are penalised or constrained; fit it without that"):
            from_statsmodels(theirs)


def test_glms_that_have_no_distribution_of_counts_are_refused():
    counts, table = draws_of("poisson"), design()
    with pytest.raises(
        InputError, match="of a GLM with family Gaussian and link Identity; counts need Poisson or Negat"
    ):
        from_statsmodels(sm.GLM(counts, table).fit())
    other_link = sm.families.Poisson(link=sm.families.links.Identity())
    with pytest.warns(Warning, match="does not respect the domain"):
        theirs = sm.GLM(counts, table, family=other_link).fit()
    with pytest.raises(InputError, match="of a GLM with family Poisson and link Identity; counts need"):
        from_statsmodels(theirs)
    with pytest.raises(InputError, match="results are of a GLM with weights; a series has one count a period"):
        from_statsmodels(sm.GLM(counts, table, family=sm.families.Poisson(), freq_weights=np.full(N, 2.0)).fit())
    with pytest.raises(
        InputError, match=r"results of GLM have scale .*, which no distribution of counts has; fit NegativeBinomial"
    ):
        from_statsmodels(sm.GLM(counts, table, family=sm.families.Poisson()).fit(scale="X2"))


def test_the_default_alpha_of_a_glm_is_pointed_at():
    theirs = sm.GLM(draws_of("gamma"), design(), family=sm.families.NegativeBinomial(alpha=1.0)).fit()
    with pytest.warns(
        DataWarning, match="the GLM's alpha is held at 1, statsmodels' default; fit its NegativeBinomial"
    ):
        from_statsmodels(theirs)


@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")
def test_underdispersed_results_are_refused():
    counts = pd.Series(np.random.default_rng(1).binomial(6, 0.9, N), index=weeks())
    theirs = discrete_model.GeneralizedPoisson(counts, np.ones(N)).fit(disp=0)
    assert theirs.params.iloc[-1] < 0
    with pytest.raises(
        InputError, match="results of GeneralizedPoisson have an alpha below 0, with which probabilities do not"
    ):
        from_statsmodels(theirs)


def test_columns_may_have_numbers_for_names():
    table = design().set_axis(range(3), axis=1)
    fit = from_statsmodels(discrete_model.Poisson(draws_of("poisson"), table).fit(disp=0))
    assert fit.forecast(2, exog=ahead_of(2).set_axis(range(3), axis=1), rng=1).steps == 2


def test_two_columns_of_one_name_are_refused():
    table = design().set_axis(["const", "x", "x"], axis=1)
    with pytest.raises(InputError, match="two columns of the results have one name, of const, x, x; rename one"):
        from_statsmodels(discrete_model.Poisson(draws_of("poisson"), table).fit(disp=0))


def test_formulas_are_asked_for_the_columns_of_their_design():
    import statsmodels.formula.api as smf

    table = design().assign(raids=draws_of("poisson"), side=np.where(np.arange(N) % 3, "A", "B"))
    fit = from_statsmodels(smf.poisson("raids ~ trend + side", table).fit(disp=0))
    assert fit.model.terms == ("Intercept", "side[T.B]", "trend")
    assert fit.model.asked == ("side[T.B]",)
    assert fit.forecast(2, exog=pd.DataFrame({"side[T.B]": [0.0, 1.0]}), rng=1).steps == 2
