"""HiddenMarkov: against sums over all paths of regimes, plain loops, quadrature and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from escalation.errors import FitError, InputError
from escalation.models.contract.design import make_design
from escalation.models.hidden_markov import likelihood
from escalation.models.hidden_markov import model as hidden_markov
from escalation.models.hidden_markov.model import HiddenMarkov, draw_points
from escalation.models.regression.negative_binomial import NegativeBinomial

TWO = np.array([[0.94, 0.06], [0.1, 0.9]])
THREE = np.array([[0.92, 0.06, 0.02], [0.06, 0.9, 0.04], [0.02, 0.08, 0.9]])


def weekly(values):
    return pd.Series(
        np.asarray(values, dtype=float), index=pd.period_range("2000-01-02", periods=len(values), freq="W")
    )


def stationary(moves):
    values, vectors = np.linalg.eig(moves.T)
    distribution = np.real(vectors[:, np.argmax(np.real(values))])
    return distribution / distribution.sum()


def simulated(n, rates, moves, dispersion, seed, exposure=1.0):
    rng = np.random.default_rng(seed)
    regimes = [rng.choice(len(rates), p=stationary(moves))]
    for _ in range(n - 1):
        regimes.append(rng.choice(len(rates), p=moves[regimes[-1]]))
    mean = exposure * np.asarray(rates, dtype=float)[regimes]
    if dispersion > 0:
        mean = mean * rng.gamma(1 / dispersion, dispersion, n)
    return rng.poisson(mean).astype(float), np.array(regimes)


def point(rates, moves, dispersions=()):
    moves = np.asarray(moves, dtype=float)
    odds = np.log(moves / np.diagonal(moves)[:, None])[~np.eye(len(rates), dtype=bool)]
    return np.concatenate([np.log(rates), odds, np.log(dispersions)])


def pmf(y, mean, dispersion):
    if dispersion == 0:
        return stats.poisson.pmf(y, mean)
    return stats.nbinom.pmf(y, 1 / dispersion, 1 / (1 + dispersion * mean))


def enumerated(data, rates, moves, dispersions):
    """Likelihood, smoothed and filtered probabilities by summing over every path of regimes."""
    n, k = len(data.y), len(rates)
    first = np.full(k, 1 / k) if data.uniform else stationary(np.asarray(moves))

    def joint(path, upto):
        probability = first[path[0]]
        for t in range(upto):
            probability *= moves[path[t - 1]][path[t]] if t else 1.0
            if not np.isnan(data.y[t]):
                probability *= pmf(data.y[t], rates[path[t]] * data.exposure[t], dispersions[path[t]])
        return probability

    smoothed, filtered = np.zeros((n, k)), np.zeros((n, k))
    for path in itertools.product(range(k), repeat=n):
        probability = joint(path, n)
        for t in range(n):
            smoothed[t, path[t]] += probability
    for t in range(n):
        for path in itertools.product(range(k), repeat=t + 1):
            filtered[t, path[t]] += joint(path, t + 1)
    total = smoothed[0].sum()
    return np.log(total), smoothed / total, filtered / filtered.sum(axis=1, keepdims=True)


CASES = {
    "two": ([1.0, 9.0], TWO, (0.2, 0.2), 0.2),
    "two poisson": ([0.3, 4.0], TWO, (0.0, 0.0), None),
    "two own": ([1.0, 9.0], TWO, (0.05, 0.9), (0.05, 0.9)),
    "three": ([0.5, 4.0, 20.0], THREE, (0.1, 0.1, 0.1), 0.1),
    "one": ([3.0], [[1.0]], (0.4,), 0.4),
}


@pytest.mark.parametrize("start", ["stationary", "uniform"])
@pytest.mark.parametrize("case", CASES)
def test_likelihood_and_regimes_are_sums_over_all_paths(case, start):
    rates, moves, dispersions, free = CASES[case]
    y = np.array([0.0, 7.0, np.nan, 3.0, 12.0, 0.0, 1.0])
    exposure = np.array([1.0, 0.5, 1.0, 1.0, 0.3, 1.0, 2.0])
    data = likelihood.observe(y, exposure, len(rates), start)
    theta = point(rates, moves, np.atleast_1d(free) if free is not None else ())
    filtered, predicted, smoothed, llf = likelihood.smooth(theta, data)
    wanted, all_smoothed, all_filtered = enumerated(data, rates, moves, dispersions)
    # 1e-10: a few thousand products of pmfs that scipy gives to some 1e-13
    assert llf == pytest.approx(wanted, abs=1e-10)
    np.testing.assert_allclose(smoothed, all_smoothed, atol=1e-10)
    np.testing.assert_allclose(filtered, all_filtered, atol=1e-10)
    np.testing.assert_allclose(predicted[1:], all_filtered[:-1] @ np.asarray(moves), atol=1e-10)


def log_space(data, rates, moves, dispersions):
    """Forward and backward recursions in log space, plain loops."""
    n, k = len(data.y), len(rates)
    with np.errstate(divide="ignore"):
        move = np.log(moves)
        emission = np.array(
            [
                [
                    0.0 if np.isnan(y) else stats.nbinom.logpmf(y, 1 / a, 1 / (1 + a * m * e))
                    for m, a in zip(rates, dispersions, strict=True)
                ]
                for y, e in zip(data.y, data.exposure, strict=True)
            ]
        )
    ahead, behind = np.empty((n, k)), np.zeros((n, k))
    ahead[0] = np.log(stationary(np.asarray(moves))) + emission[0]
    for t in range(1, n):
        for j in range(k):
            ahead[t, j] = np.logaddexp.reduce(ahead[t - 1] + move[:, j]) + emission[t, j]
    for t in range(n - 2, -1, -1):
        for i in range(k):
            behind[t, i] = np.logaddexp.reduce(move[i] + emission[t + 1] + behind[t + 1])
    llf = np.logaddexp.reduce(ahead[-1])
    pairs = np.zeros((k, k))
    for t in range(1, n):
        for i in range(k):
            for j in range(k):
                pairs[i, j] += np.exp(ahead[t - 1, i] + move[i, j] + emission[t, j] + behind[t, j] - llf)
    return llf, np.exp(ahead + behind - llf), pairs


@pytest.mark.parametrize("level", [1.0, 1e4])
def test_scaled_recursions_equal_those_in_log_space(level):
    rates = np.array([1.0, 8.0, 30.0]) * level
    y, _ = simulated(150, rates, THREE, 0.1, 3)
    y[[0, 17, 18, 149]] = np.nan
    data = likelihood.observe(y, np.ones(150), 3, "stationary")
    theta = point(rates, THREE, [0.1])
    llf, smoothed, pairs = log_space(data, rates, THREE, [0.1] * 3)
    emissions = likelihood.log_emissions(*np.array([rates, [0.1] * 3]), data)
    filtered, _, scales, _ = likelihood.forward(emissions, stationary(THREE), THREE)
    _, expected = likelihood.backward(emissions, filtered, scales, THREE)
    # 2e-10: scipy's pmf is a difference of gamma functions of up to 1e7 in 150 terms
    assert likelihood.smooth(theta, data)[3] == pytest.approx(llf, rel=2e-10)
    np.testing.assert_allclose(likelihood.smooth(theta, data)[2], smoothed, atol=1e-8)
    np.testing.assert_allclose(expected, pairs, atol=1e-6)


def test_regimes_that_cannot_explain_a_count_do_not_underflow():
    y = np.array([0.0] * 10 + [1e6] + [0.0] * 10)
    data = likelihood.observe(y, np.ones(21), 2, "stationary")
    filtered, _, smoothed, llf = likelihood.smooth(point([1e-3, 1e6], [[0.999999, 1e-6], [0.5, 0.5]]), data)
    assert np.isfinite(llf)
    assert np.isfinite(filtered).all()
    np.testing.assert_allclose(smoothed[10], [0.0, 1.0])


# --- kernels against plain Python


KERNELS = (
    "unpack",
    "first_distribution",
    "rising",
    "log_emissions",
    "forward",
    "backward",
    "_count_slopes",
    "log_prior",
)


def test_kernels_equal_plain_python():
    y, _ = simulated(60, [1, 8, 30], THREE, 0.1, 5)
    y[7] = np.nan
    y[3] = 500.0
    data = likelihood.observe(y, np.linspace(0.5, 1.5, 60), 3, "stationary")
    theta = point([1.2, 7.0, 31.0], THREE, [0.05, 0.1, 0.3])
    plain = {name: getattr(likelihood, name).py_func for name in KERNELS}
    rates, moves, dispersions = likelihood.unpack(theta, 3)
    for compiled, loop in zip((rates, moves, dispersions), plain["unpack"](theta, 3), strict=True):
        np.testing.assert_allclose(compiled, loop, rtol=1e-12)
    for a in (1e-9, 1e-3, 0.3, 40.0):
        for compiled, loop in zip(likelihood.rising(data.distinct, a), plain["rising"](data.distinct, a), strict=True):
            np.testing.assert_allclose(compiled, loop, rtol=1e-12, atol=1e-12)
    distribution, inverse = likelihood.first_distribution(moves, False)
    np.testing.assert_allclose(distribution, plain["first_distribution"](moves, False)[0], rtol=1e-12)
    np.testing.assert_allclose(inverse, np.linalg.inv(np.eye(3) - moves + 1), rtol=1e-10)
    emissions = likelihood.log_emissions(rates, dispersions, data)
    np.testing.assert_allclose(emissions, plain["log_emissions"](rates, dispersions, data), rtol=1e-12)
    one, other = emissions.copy(), emissions.copy()
    found, loop = likelihood.forward(one, distribution, moves), plain["forward"](other, distribution, moves)
    for compiled, slow in zip(found, loop, strict=True):
        np.testing.assert_allclose(compiled, slow, rtol=1e-12, atol=1e-300)
    back = likelihood.backward(one, found[0], found[2], moves)
    for compiled, slow in zip(back, plain["backward"](other, loop[0], loop[2], moves), strict=True):
        np.testing.assert_allclose(compiled, slow, rtol=1e-12, atol=1e-14)
    slopes = likelihood._count_slopes(back[0], rates, dispersions, data)
    for compiled, slow in zip(slopes, plain["_count_slopes"](back[0], rates, dispersions, data), strict=True):
        np.testing.assert_allclose(compiled, slow, rtol=1e-11)
    assert likelihood.log_prior(theta, data) == pytest.approx(plain["log_prior"](theta, data), rel=1e-12)


@pytest.mark.parametrize("a", [1e-8, 1e-3, 0.2, 30.0])
def test_rising_sums_are_those_of_every_term(a):
    distinct = np.array([0.0, 1.0, 5.0, 64.0, 65.0, 300.0, 20_000.0])
    values, slopes = likelihood.rising(distinct, a)
    i = np.arange(20_000.0)
    wanted = [np.log1p(a * i[: int(y)]).sum() for y in distinct]
    # 1e-11: what Euler and Maclaurin's formula leaves out beyond 64 terms, and 20,000 roundings
    np.testing.assert_allclose(values, wanted, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(slopes, [(a * i / (1 + a * i))[: int(y)].sum() for y in distinct], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("start", ["stationary", "uniform"])
@pytest.mark.parametrize("case", CASES)
def test_gradient_is_that_of_the_log_posterior(case, start):
    rates, moves, _, free = CASES[case]
    y, _ = simulated(80, rates, np.asarray(moves), 0.2, 9)
    y[40] = np.nan
    data = likelihood.observe(y, np.linspace(0.5, 1.5, 80), len(rates), start)
    theta = point(rates, moves, np.atleast_1d(free) if free is not None else ()) + 0.1
    value, gradient = likelihood.derivatives(theta, data)
    assert value == likelihood.log_posterior(theta, data)
    differences = [
        (likelihood.log_posterior(theta + e, data) - likelihood.log_posterior(theta - e, data)) / 2e-5
        for e in 1e-5 * np.eye(len(theta))
    ]
    # central differences of values of some 200 are good to 1e-8
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6)


def test_em_steps_only_climb():
    y, _ = simulated(120, [2, 12], TWO, 0.1, 4)
    data = likelihood.observe(y, np.ones(120), 2, "uniform")
    theta = point([1.0, 20.0], np.full((2, 2), 0.5), [1.0])
    values = [likelihood.log_posterior(theta, data)]
    for _ in range(60):
        theta = likelihood.expect_and_maximise(theta, data, 1)
        values.append(likelihood.log_posterior(theta, data))
    assert (np.diff(values) > -1e-9).all()
    assert np.abs(likelihood.derivatives(theta, data)[1]).max() < 0.02  # on its way to the mode


# --- fits


@pytest.mark.parametrize(
    ("model", "rates", "moves"),
    [
        (HiddenMarkov(), [2, 12], TWO),
        (HiddenMarkov(3), [1, 8, 30], THREE),
        (HiddenMarkov(dispersion="own"), [1, 9], TWO),
    ],
    ids=repr,
)
def test_no_other_start_leads_higher(model, rates, moves):
    y, _ = simulated(140, rates, moves, 0.1, 11)
    fit = model.fit(weekly(y))
    state, spreads = fit.estimates[0].state, model._spreads(len(rates))
    data, rng = state["data"], np.random.default_rng(1)
    best = likelihood.log_posterior(state["theta"], data)
    assert fit.converged
    assert np.abs(likelihood.derivatives(state["theta"], data)[1]).max() < 1e-4
    for _ in range(25):
        start = np.concatenate(
            [
                np.log(y.mean()) + rng.normal(-0.5, 1.5, len(rates)),
                rng.normal(-2, 1, len(rates) * (len(rates) - 1)),
                rng.normal(-2, 1, spreads),
            ]
        )
        start = likelihood.expect_and_maximise(start, data, 40)
        assert hidden_markov._climb_from(start, data, spreads).height.value < best + 1e-6


def test_regimes_are_in_the_order_of_their_rates():
    for seed in range(5):
        y, _ = simulated(120, [30, 1, 8], THREE, 0.1, seed)
        params = HiddenMarkov(3, dispersion="own").fit(weekly(y)).params
        assert params["rate_quiet"] < params["rate_middle"] < params["rate_active"]


def test_relabelling_leaves_the_posterior_alone():
    y, _ = simulated(120, [1, 8, 30], THREE, 0.1, 2)
    data = likelihood.observe(y, np.ones(120), 3, "stationary")
    theta = point([8.0, 30.0, 1.0], THREE, [0.05, 0.1, 0.3])
    ordered, _ = hidden_markov._in_order(theta, np.eye(12), data)
    assert np.diff(ordered[:3]).min() > 0
    assert likelihood.log_posterior(ordered, data) == pytest.approx(likelihood.log_posterior(theta, data), abs=1e-9)


def test_one_state_is_negative_binomial_regression():
    y, _ = simulated(200, [5], np.ones((1, 1)), 0.3, 1)
    fit, plain = HiddenMarkov(1).fit(weekly(y)), NegativeBinomial().fit(weekly(y))
    # the prior moves a dispersion known to some 15% by a few hundredths of that
    assert fit.params["rate_steady"] == pytest.approx(np.exp(plain.params["level"]), rel=1e-3)
    assert fit.params["dispersion"] == pytest.approx(plain.params["dispersion"], rel=0.02)
    assert plain.llf - 0.01 < fit.llf <= plain.llf + 1e-9
    assert fit.bse["dispersion"] == pytest.approx(plain.bse["dispersion"], rel=0.03)


def test_likelihood_is_that_of_the_one_step_distributions():
    y, _ = simulated(90, [2, 12], TWO, 0.1, 8)
    y[11] = np.nan
    fit = HiddenMarkov().fit(weekly(y))
    given = fit.model.distributions(fit.estimates[0], fit.array[0], fit.design)
    # 1e-8: ninety terms of gamma functions
    assert np.nansum(np.log(given.pmf(y))) == pytest.approx(fit.llf, abs=1e-8)


def test_bic_takes_as_many_states_as_there_are():
    for states, rates, moves in ((1, [7], np.ones((1, 1))), (2, [2, 12], TWO), (3, [1, 8, 30], THREE)):
        y, _ = simulated(200, rates, moves, 0.1, 6)
        fit = HiddenMarkov("bic").fit(weekly(y))
        assert fit.estimates[0].state["data"].states == states
        assert fit.model == HiddenMarkov("bic")
        assert (fit.forecast(3, draws=100, rng=1).series_paths >= 0).all()


def test_bic_takes_one_number_for_all_histories():
    columns = [simulated(120, [2, 12], TWO, 0.1, seed)[0] for seed in range(4)]
    columns += [simulated(120, [4], np.ones((1, 1)), 0.0, 7)[0]]
    table = pd.DataFrame(
        np.column_stack(columns).astype(int), index=weekly(columns[0]).index, columns=pd.RangeIndex(5, name="draw")
    )
    fit = HiddenMarkov("bic").fit(table)
    assert [one.state["data"].states for one in fit.estimates] == [2] * 5
    assert list(fit.params.index) == ["rate_quiet", "rate_active", "p_quiet_active", "p_active_quiet", "dispersion"]


def test_exposure_makes_rates():
    exposure = np.tile([0.5, 1.0], 100)
    y, _ = simulated(200, [20, 200], TWO, 0.05, 3, exposure)
    index = weekly(y).index
    params = HiddenMarkov().fit(weekly(y), exposure=pd.Series(exposure, index=index)).params
    assert params["rate_quiet"] == pytest.approx(20, rel=0.1)
    assert params["rate_active"] == pytest.approx(200, rel=0.1)


def test_a_regime_that_is_never_left_or_empty_stays_finite():
    fit = HiddenMarkov().fit(weekly([0] * 40 + [30, 25, 41, 33, 28, 36, 30, 22]))
    assert fit.converged
    assert fit.params["rate_quiet"] < 0.05
    assert 0.005 < fit.params["p_quiet_active"] < 0.06
    assert 0.01 < fit.params["p_active_quiet"] < 0.1  # prior: a half in ten and a half
    assert np.isfinite(fit.bse).all()


@pytest.mark.nightly
def test_parameters_of_simulated_series_come_back():
    truth = pd.Series(
        {"rate_quiet": 2.0, "rate_active": 15.0, "p_quiet_active": 0.1, "p_active_quiet": 0.15, "dispersion": 0.1}
    )
    moves = np.array([[0.9, 0.1], [0.15, 0.85]])
    estimates, inside = [], []
    for seed in range(200):
        fit = HiddenMarkov().fit(weekly(simulated(1200, [2, 15], moves, 0.1, [1, seed])[0]))
        limits = fit.conf_int()
        estimates.append(fit.params)
        inside.append((limits["lower"] <= truth) & (truth <= limits["upper"]))
    table = pd.DataFrame(estimates)
    errors = (table.mean() - truth) / (table.std() / np.sqrt(200))
    coverage = pd.DataFrame(inside).mean()
    assert errors.abs().max() < 3
    # 0.92 to 0.97 over the parameters; for one of them 200 series leave 0.95 open by 2 x 0.015
    assert 0.92 <= coverage.mean() <= 0.97
    assert coverage.between(0.905, 0.985).all()


# --- forecasts


def test_points_are_drawn_from_the_posterior():
    """Against a long Metropolis chain of its own."""
    y, _ = simulated(100, [2, 12], TWO, 0.1, 12)
    state = HiddenMarkov().fit(weekly(y)).estimates[0].state
    data, rng = state["data"], np.random.default_rng(1)
    drawn = draw_points(state, 4000, rng)
    point_, root, value, chain = state["theta"].copy(), np.linalg.cholesky(state["cov"]), -np.inf, []
    for step in range(60_000):
        tried = point_ + root @ rng.standard_normal(5)
        new = likelihood.log_posterior(tried, data)
        if np.log(rng.random()) < new - value:
            point_, value = tried, new
        if step % 15 == 0:
            chain.append(point_)

    def natural(points):  # a dispersion near 0 is anything on the log scale
        return np.column_stack([points[:, :4], np.exp(points[:, 4])])

    chain, drawn = natural(np.array(chain)), natural(drawn)
    # some 2,000 weighted and 1,000 correlated draws: a mean is known to some 0.04 standard deviations
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - chain.mean(axis=0)), 0.15 * chain.std(axis=0))
    np.testing.assert_allclose(drawn.std(axis=0), chain.std(axis=0), rtol=0.15)


@pytest.mark.slow
def test_metropolis_steps_keep_the_posterior():
    y, _ = simulated(60, [0.5, 3], TWO, 0.1, 12)
    state = HiddenMarkov().fit(weekly(y)).estimates[0].state
    rng, root = np.random.default_rng(1), np.linalg.cholesky(state["cov"])
    drawn = likelihood.walk(np.tile(state["theta"], (1500, 1)), root, 400, state["data"], rng)
    more = likelihood.walk(drawn, root, 200, state["data"], rng)
    for column, again in zip(drawn.T, more.T, strict=True):
        assert stats.ks_2samp(column, again).pvalue > 1e-4


def test_first_step_is_the_mixture(monkeypatch):
    """With the parameters held, the distribution of a step is the mixture over the regimes of the chain."""
    y, _ = simulated(100, [2, 12], TWO, 0.1, 14)
    model = HiddenMarkov()
    fit = model.fit(weekly(y))
    theta, data = fit.estimates[0].state["theta"], fit.estimates[0].state["data"]
    monkeypatch.setattr(hidden_markov, "draw_points", lambda state, number, rng: np.tile(theta, (number, 1)))
    paths = model.simulate(fit.estimates[0], fit.design.ahead(2, None), 40_000, np.random.default_rng(2))
    rates, moves, dispersions = likelihood.unpack(theta, 2)
    now = likelihood.smooth(theta, data)[0][-1]
    for step in range(2):
        now = now @ moves
        probabilities = now @ np.array([pmf(np.arange(25), m, a) for m, a in zip(rates, dispersions, strict=True)])
        seen = np.append([(paths[:, step] == k).sum() for k in range(25)], (paths[:, step] >= 25).sum())
        assert stats.chisquare(seen, 40_000 * np.append(probabilities, 1 - probabilities.sum())).pvalue > 1e-3


def test_draws_of_regimes_follow_the_chain():
    now, moves = np.array([[0.3, 0.7]]), TWO[None]
    paths = likelihood.draw_regimes(now, moves, np.zeros(100_000, dtype=np.int64), 3, np.random.default_rng(1))
    distribution = now[0]
    for step in range(3):
        distribution = distribution @ TWO
        assert paths[:, step].mean() == pytest.approx(distribution[1], abs=0.006)  # 4 standard errors
    stayed = (paths[:, 1] == 1)[paths[:, 0] == 1].mean()
    assert stayed == pytest.approx(0.9, abs=0.006)


def test_coming_exposure_scales_the_forecast():
    y, _ = simulated(60, [40, 200], TWO, 0.05, 3)
    model, design = HiddenMarkov(), make_design(weekly(y).index, 0, None, None)
    found = model.estimate(y, design)
    coming = pd.period_range(design.periods[-1] + 1, periods=1, freq="W")
    part, whole = (make_design(coming, 60, pd.Series(e, index=coming), None) for e in (0.25, 1.0))
    small, large = (model.simulate(found, one, 4000, np.random.default_rng(1)).mean() for one in (part, whole))
    assert small / large == pytest.approx(0.25, rel=0.03)


@pytest.mark.nightly
def test_coverage_of_forecasts_of_its_own_series(benchmark):
    shares = benchmark("coverage").measure("hidden_markov", series=200, draws=600, seed=5).mean(axis=1)
    error = shares.std(ddof=1) / np.sqrt(200)
    assert shares.mean() == pytest.approx(0.9, abs=3 * error)


# --- options


@pytest.mark.parametrize("states", [0, 5, 2.0, True, "aic"])
def test_states_out_of_range_are_refused(states):
    with pytest.raises(InputError, match=r"states is .*; give a whole number from 1 to 4, or 'bic'"):
        HiddenMarkov(states)


@pytest.mark.parametrize("options", [{"family": "normal"}, {"dispersion": "none"}, {"start": "first"}])
def test_unknown_options_are_refused(options):
    with pytest.raises(InputError, match=r"is '.*'; hidden_markov takes .* or .*"):
        HiddenMarkov(**options)


def test_poisson_regimes_have_no_dispersion():
    with pytest.raises(InputError, match="dispersion is 'own', but Poisson regimes have none"):
        HiddenMarkov(family="poisson", dispersion="own")
    assert "dispersion" not in HiddenMarkov(family="poisson").fit(weekly([1, 0, 2, 9, 8, 1, 0, 7])).params


def test_counts_beyond_its_digits_are_refused():
    with pytest.raises(FitError, match=r"hidden_markov got a count of 2e\+07; it takes up to 1e\+07"):
        HiddenMarkov().fit(weekly([1, 2, 3, 2e7, 5]))


def shifted(data, effects):
    """The same series where regressors are part of the exposure."""
    exposure = data.exposure * np.exp(data.x @ effects)
    return likelihood.observe(data.y, exposure, data.states, "uniform" if data.uniform else "stationary")


def with_regressors(n=7, states=2, seed=5):
    rng = np.random.default_rng(seed)
    y, _ = simulated(n, [2.0, 9.0], TWO, 0.2, seed)
    y[2] = np.nan
    return likelihood.observe(y, np.linspace(0.5, 1.5, n), states, "stationary", rng.normal(size=(n, 2)))


def test_regressors_are_part_of_the_exposure_in_sums_over_all_paths():
    data, effects = with_regressors(), np.array([0.4, -0.7])
    theta = np.append(point([2.0, 9.0], TWO, [0.2]), effects)
    llf, smoothed, filtered = enumerated(shifted(data, effects), [2.0, 9.0], TWO, [0.2, 0.2])
    found = likelihood.smooth(theta, data)
    assert found[3] == pytest.approx(llf, rel=1e-10)
    np.testing.assert_allclose(found[2], smoothed, atol=1e-12)
    np.testing.assert_allclose(found[0], filtered, atol=1e-12)
    np.testing.assert_allclose(likelihood.last_regimes(theta[None], data)[0], filtered[-1], atol=1e-12)
    # a normal prior of variance 1 on each coefficient, and what the point has without them
    plain = likelihood.log_posterior(theta[:-2], shifted(data, effects)._replace(mean=data.mean))
    assert likelihood.log_posterior(theta, data) == pytest.approx(plain - (effects @ effects) / 2, rel=1e-12)


@pytest.mark.parametrize("spreads", [[], [0.2], [0.1, 0.3, 0.2]])
def test_gradients_with_regressors_are_those_of_differences(spreads):
    data = with_regressors(n=60, states=3)
    theta = np.concatenate([point([1.0, 4.0, 11.0], THREE, spreads), [0.3, -0.2]])
    _, gradient = likelihood.derivatives(theta, data)
    steps = 1e-6 * np.eye(len(theta))
    ways = [likelihood.log_posteriors(theta + sign * steps, data) for sign in (1, -1)]
    np.testing.assert_allclose(gradient, (ways[0] - ways[1]) / 2e-6, rtol=2e-5, atol=2e-5)


def test_one_regime_with_regressors_is_a_regression():
    rng = np.random.default_rng(4)
    x = pd.DataFrame({"feast": (rng.random(300) < 0.2) * 1.0, "year": np.linspace(1990, 2020, 300)})
    y = weekly(rng.poisson(4 * np.exp(0.6 * x["feast"] + 0.02 * (x["year"] - 2005))))
    x.index = y.index
    one = HiddenMarkov(states=1, family="poisson").fit(y, exog=x)
    theirs = sm.GLM(y.to_numpy(), sm.add_constant(x - x.mean()).to_numpy(), family=sm.families.Poisson()).fit()
    # the priors are worth less than one observation in 300
    np.testing.assert_allclose(one.params[["feast", "year"]], theirs.params[1:], rtol=0.02)
    np.testing.assert_allclose(one.bse[["feast", "year"]], theirs.bse[1:], rtol=0.02)
    assert one.params["rate_steady"] == pytest.approx(np.exp(theirs.params[0]), rel=0.005)


def test_the_effect_of_a_regressor_is_found_beside_regimes_and_goes_into_forecasts():
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(100 + seed)
        x = (rng.random(150) < 0.3) * 1.0
        y, _ = simulated(150, [2.0, 12.0], TWO, 0.2, seed, exposure=np.exp(0.7 * x))
        y = weekly(y)
        fit = HiddenMarkov().fit(y, exog=pd.DataFrame({"feast": x}, index=y.index))
        lower, upper = fit.conf_int(level=0.9).loc["feast"]
        held += lower <= 0.7 <= upper
    assert held >= 31  # of 40 at 90%: fewer has probability 0.005
    means = [
        fit.forecast(1, exog=pd.DataFrame({"feast": [there]}), draws=20_000, rng=1).series_paths.mean()
        for there in (1.0, 0.0)
    ]
    assert means[0] / means[1] == pytest.approx(np.exp(fit.params["feast"]), rel=0.1)
    later = fit.update(y, exog=pd.DataFrame({"feast": x}, index=y.index))
    np.testing.assert_allclose(later.fitted, fit.fitted)
    with pytest.raises(InputError, match="cannot know the effect of 'feast', which is always 1"):
        HiddenMarkov().fit(y, exog=pd.DataFrame({"feast": 1.0}, index=y.index))
