"""Change points: against sums over all ways to cut, quadrature, R, ruptures, Adams and MacKay, and simulation."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import gammaln, logsumexp

import escalation
from escalation import InputError, changepoints
from escalation.analysis import run_length
from escalation.analysis.changes import changepoints as inside
from escalation.analysis.changes import segments
from escalation.analysis.changes.series import cut_series, log_density, log_shares
from escalation.models import LocalLevel
from escalation.models.contract.design import make_design


def weekly(values):
    return pd.Series(
        np.asarray(values, dtype=float), index=pd.period_range("2015-01-04", periods=len(values), freq="W")
    )


def nb(mean, dispersion, n, rng):
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, n))


def run_law(y, exposure, a, shape, divisor):
    """Log probability of one run's counts by quadrature over the log rate."""
    seen = ~np.isnan(y)
    y, exposure = y[seen], exposure[seen]
    if not len(y):
        return 0.0

    def log_joint(log_rate):
        rate = np.exp(log_rate)
        if a == 0:
            prior = stats.gamma.logpdf(rate, shape, scale=1 / divisor)
            counts = stats.poisson.logpmf(y, exposure * rate)
        else:
            prior = stats.betaprime.logpdf(a * rate, shape, 1 + divisor / a) + np.log(a)
            counts = stats.nbinom.logpmf(y, exposure / a, 1 / (1 + a * rate))
        return prior + log_rate + counts.sum()

    grid = np.linspace(-25, 35, 3000)
    heights = np.array([log_joint(u) for u in grid])
    return float(logsumexp(heights) + np.log(grid[1] - grid[0]))


@pytest.mark.parametrize("a", [0.0, 1e-6, 0.2, 3.0])
def test_the_rate_of_a_run_is_integrated_out(a):
    y, exposure = np.array([3.0, 0.0, np.nan, 7.0, 2.0]), np.array([1.0, 0.4, 1.0, 1.0, 0.7])
    seen = ~np.isnan(y)
    ours = segments.log_evidence(np.nansum(y), exposure[seen].sum(), a, 1.3, 0.4)
    ours += segments.log_constants(y, exposure, a).sum()
    # 1e-6: at the smallest dispersion scipy's pmf is a difference of gamma functions of 1e7
    assert ours == pytest.approx(run_law(y, exposure, a, 1.3, 0.4), abs=1e-6 if a == 1e-6 else 1e-9)


def test_the_prior_becomes_the_gamma_law():
    for count, covered in ((0.0, 3.0), (5.0, 2.0), (4000.0, 9.0)):
        limit = segments.log_evidence(count, covered, 0.0, 1.5, 0.2)
        assert segments.log_evidence(count, covered, 1e-12, 1.5, 0.2) == pytest.approx(limit, abs=1e-5 + 2e-6 * count)


def test_gamma_functions_keep_their_digits():
    x = np.concatenate([np.geomspace(1e-3, 1e12, 400), np.arange(1.0, 40.0)])
    np.testing.assert_allclose([segments._log_gamma(one) for one in x], gammaln(x), rtol=1e-12, atol=1e-12)
    for big, d in ((1e9, 3), (1e5, 2000), (20.0, 7)):
        wanted = np.log1p(np.arange(d) / big).sum()
        assert segments._log_rise(big, float(d)) == pytest.approx(wanted, rel=1e-7, abs=1e-12)


def enumerated(y, exposure, a, prior, every):
    """Everything that the recursions give, by summing over all ways to cut."""
    n, hazard = len(y), 1 / every
    law = {}
    for s, t in itertools.combinations(range(n + 1), 2):
        seen = ~np.isnan(y[s:t])
        count, covered = np.nansum(y[s:t]), exposure[s:t][seen].sum()
        law[s, t] = (
            segments.log_evidence(count, covered, a, *prior) + segments.log_constants(y[s:t], exposure[s:t], a).sum(),
            (prior[0] + count) / (prior[1] + covered),
        )
    rows = []
    for size in range(n):
        for cuts in itertools.combinations(range(1, n), size):
            ends = (0, *cuts, n)
            value = size * np.log(hazard) + (n - 1 - size) * np.log1p(-hazard)
            value += sum(law[pair][0] for pair in itertools.pairwise(ends))
            rates = np.concatenate([np.full(t - s, law[s, t][1]) for s, t in itertools.pairwise(ends)])
            rows.append((value, cuts, rates))
    heights = np.array([row[0] for row in rows])
    return heights, [row[1] for row in rows], np.array([row[2] for row in rows])


Y = np.array([1.0, 0.0, 3.0, np.nan, 2.0, 11.0, 7.0, 0.0, 14.0, 9.0, 1.0, 2.0, 0.0])
EXPOSURE = np.array([0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 1.0, 1.0, 1.0, 1.0, 1.0, 0.3])


@pytest.mark.parametrize("a", [0.0, 0.05, 0.8])
def test_the_posterior_is_a_sum_over_all_ways_to_cut(a):
    prior, every, n = (1.2, 0.3), 8.0, len(Y)
    heights, cuts, rates = enumerated(Y, EXPOSURE, a, prior, every)
    share = np.exp(heights - logsumexp(heights))
    series = cut_series(weekly(Y), pd.Series(EXPOSURE, weekly(Y).index), "negbin", every, prior, 25)
    evidence, last = segments.filter_cuts(series.sums(Y), a)
    found = segments.count_cuts(series.sums(Y), last)
    # 1e-10: sums of 4,096 terms; changes beyond 1e-10 are not distinguished
    total = evidence[-1] + segments.log_constants(Y, EXPOSURE, a).sum()
    assert total == pytest.approx(logsumexp(heights), abs=1e-10)
    for k in range(n):
        wanted = sum(share[i] for i, places in enumerate(cuts) if len(places) == k)
        assert (found.number[k] if k < len(found.number) else 0.0) == pytest.approx(wanted, abs=1e-9)
    for s in range(1, n):
        assert found.change[s] == pytest.approx(sum(share[i] for i, c in enumerate(cuts) if s in c), abs=1e-9)
        wanted = sum(share[i] for i, c in enumerate(cuts) if c and c[-1] == s)
        assert found.since[s] == pytest.approx(wanted, abs=1e-9)
    np.testing.assert_allclose(found.rate, share @ rates, rtol=1e-9)
    for k in (1, 2, 3):  # joint distribution of the number and of each date
        for j in range(1, k + 1):
            for s in range(1, n):
                wanted = sum(share[i] for i, c in enumerate(cuts) if len(c) == k and c[j - 1] == s)
                assert found.before[j - 1, s] * found.behind[k - j + 1, s] == pytest.approx(wanted, abs=1e-9)


def test_dispersions_are_summed_over():
    series = cut_series(weekly(Y), None, "negbin", None, None, 25)
    nodes = inside._search(Y, series)
    parts = [
        enumerated(Y, np.ones(len(Y)), a, (series.shape, series.divisor), series.expected_run_length) for a in nodes
    ]
    heights = np.concatenate([part[0] + log_density(np.log(a)) for a, part in zip(nodes, parts, strict=True)])
    share = np.exp(heights - logsumexp(heights)).reshape(len(nodes), -1)
    result = changepoints(weekly(Y), family="negbin")
    sizes = np.array([len(c) for c in parts[0][1]])
    for k in range(5):
        assert result.number[k] == pytest.approx(share[:, sizes == k].sum(), abs=1e-9)
    assert result.dispersion == pytest.approx(share.sum(axis=1) @ nodes, rel=1e-9)
    np.testing.assert_allclose(result.rate, sum(s @ part[2] for s, part in zip(share, parts, strict=True)), rtol=1e-9)


def test_five_dispersions_are_as_good_as_many(monkeypatch):
    rng = np.random.default_rng(3)
    counts = weekly(np.r_[nb(4, 0.5, 50, rng), nb(9, 0.5, 60, rng)])
    five = changepoints(counts, family="negbin")
    monkeypatch.setattr(inside, "FINAL", np.linspace(-4, 4, 41))
    many = changepoints(counts, family="negbin")
    # what they sum over is smooth in the dispersion
    assert five.dispersion == pytest.approx(many.dispersion, rel=0.02)
    np.testing.assert_allclose(five.number[:4], many.number[:4], atol=0.01)
    np.testing.assert_allclose(five.probability, many.probability, atol=0.01)


KERNELS = (
    "_log_gamma",
    "_log_rise",
    "_prior_part",
    "_run_part",
    "filter_cuts",
    "_step_on",
    "_step_back",
    "_mean_rates",
)


@pytest.mark.parametrize("a", [0.0, 0.3])
def test_kernels_equal_plain_python(a):
    rng = np.random.default_rng(2)
    y = nb(5, 0.4, 40, rng).astype(float)
    y[4] = np.nan
    sums = cut_series(weekly(y), None, "negbin", None, None, 25).sums(y)
    plain = {name: getattr(segments, name).py_func for name in KERNELS}
    evidence, last = segments.filter_cuts(sums, a)
    for compiled, loop in zip((evidence, last), plain["filter_cuts"](sums, a), strict=True):
        np.testing.assert_allclose(compiled, loop, rtol=1e-12, atol=1e-12)
    start = rng.random(41)
    np.testing.assert_allclose(segments._step_on(last, start), plain["_step_on"](last, start), rtol=1e-12)
    np.testing.assert_allclose(segments._step_back(last, start), plain["_step_back"](last, start), rtol=1e-12)
    rates = segments._mean_rates(sums, start, last)
    np.testing.assert_allclose(rates, plain["_mean_rates"](sums, start, last), rtol=1e-10)
    for x, d in ((0.3, 2.0), (20.0, 5.5), (1e8, 3.0)):
        assert segments._log_rise(x, d) == pytest.approx(plain["_log_rise"](x, d), rel=1e-12)
        assert segments._log_gamma(x) == pytest.approx(plain["_log_gamma"](x), rel=1e-12)
    constants = segments.log_constants(y, np.ones(40), a)
    np.testing.assert_allclose(constants, segments.log_constants.py_func(y, np.ones(40), a), rtol=1e-12)


# --- against others


@pytest.fixture(scope="module")
def optimal_cuts(benchmark):
    """The partition of least cost, which the benchmark holds against the posterior."""
    return benchmark("changepoints").optimal_cuts


def reference_series(shared_data):
    return pd.read_csv(shared_data("data/reference/cpt_sim_poisson.csv"))["y"].to_numpy(dtype=float)


def test_exact_partitions_are_those_of_r(shared_data, optimal_cuts):
    cases = json.loads(shared_data("data/reference/changepoint_optimal_partition_exact.json").read_text())
    y = reference_series(shared_data)
    sums = np.concatenate([[0.0], np.cumsum(y)])
    assert len(cases) == 3
    for case in cases.values():
        places, cost = optimal_cuts(sums, np.arange(len(sums), dtype=float), 0.0, case["pen"], case["minseglen"])
        assert places.tolist() == case["cpts"]
        # penalised_cost counts no penalty for the first run, as ours does
        assert cost == pytest.approx(case["penalised_cost"], abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_exact_partitions_are_those_of_ruptures(seed, optimal_cuts):
    ruptures = pytest.importorskip("ruptures")

    class PoissonCost(ruptures.base.BaseCost):
        model, min_size = "", 2

        def fit(self, signal):
            self.signal = np.asarray(signal, dtype=float).ravel()
            return self

        def error(self, start, end):
            total, length = self.signal[start:end].sum(), end - start
            return 2 * total * (np.log(length) - np.log(total)) if total > 0 else 0.0

    rng = np.random.default_rng(seed)
    y = rng.poisson(np.repeat(rng.uniform(1, 30, 5), 40)).astype(float)
    sums = np.concatenate([[0.0], np.cumsum(y)])
    for penalty in (5.0, 12.0):
        found = ruptures.Pelt(custom_cost=PoissonCost(), min_size=2, jump=1).fit(y).predict(pen=penalty)
        places, _ = optimal_cuts(sums, np.arange(len(sums), dtype=float), 0.0, penalty, 2)
        assert places.tolist() == found[:-1]


@pytest.mark.parametrize("a", [0.0, 0.4])
def test_exact_partitions_are_the_best_of_all(a, optimal_cuts):
    y = np.nan_to_num(Y)[:11]
    sums, covered = np.concatenate([[0.0], np.cumsum(y)]), np.arange(12.0)

    def cost(s, t):
        rate = max(y[s:t].mean(), 1e-300)
        law = stats.poisson.logpmf(y[s:t], rate) if a == 0 else stats.nbinom.logpmf(y[s:t], 1 / a, 1 / (1 + a * rate))
        # ours leaves out the means of Poisson counts: at their best rates they sum to the counts
        top = (
            stats.poisson.logpmf(y[s:t], 1.0) + 1.0 - y[s:t]
            if a == 0
            else segments.log_constants(y[s:t], np.ones(t - s), a)
        )
        return -2 * (law - top).sum()

    best = min(
        (
            (sum(cost(s, t) for s, t in itertools.pairwise((0, *cuts, 11))) + 3.0 * size, cuts)
            for size in range(11)
            for cuts in itertools.combinations(range(1, 11), size)
        ),
    )
    places, least = optimal_cuts(sums, covered, a, 3.0, 1)
    assert tuple(places.tolist()) == best[1]
    assert least == pytest.approx(best[0], abs=1e-9)


@pytest.mark.parametrize("name", ["h50", "h200"])
def test_online_detection_is_that_of_adams_and_mackay(name, shared_data):
    case = json.loads(shared_data("data/reference/bocpd_gamma_poisson.json").read_text())["sim"][name]
    y = reference_series(shared_data)
    every = case["expected_run_length"]
    prior = (case["prior_shape"], case["prior_rate"])
    run = run_length(weekly(y), within=5, family="poisson", expected_run_length=every, prior=prior)
    hazard = 1 / every
    # 1e-9: sums of 300 terms; their run length 0 is a change after the period, which ours leaves out
    np.testing.assert_allclose(run.by_period["log_predictive"], case["log_predictive"], atol=1e-9)
    assert run.by_period["log_predictive"].sum() == pytest.approx(case["log_evidence"], abs=1e-8)
    np.testing.assert_allclose((1 - hazard) * run.by_period["expected"], case["expected_rl"], rtol=1e-9)
    np.testing.assert_allclose((1 - hazard) * run.now, case["final_run_length_posterior"][1:], atol=1e-9)
    series = cut_series(weekly(y), None, "poisson", every, prior, 25)
    _, last = segments.filter_cuts(series.sums(y), 0.0)
    for t in range(1, 301):
        row = last[t * (t - 1) // 2 : t * (t + 1) // 2][::-1]  # by run length
        wanted = case["prob_run_length_le_5"][t - 1]
        assert hazard + (1 - hazard) * row[:5].sum() == pytest.approx(wanted, abs=1e-9)
        assert 1 + row.argmax() == case["map_run_length"][t - 1]
        assert run.by_period["changed"].iloc[t - 1] == pytest.approx(row[: min(5, t - 1)].sum(), abs=1e-9)


# --- simulation


def test_overdispersion_is_not_taken_for_changes(optimal_cuts):
    """A Poisson cost breaks such series many times over; the default finds the two changes there are."""
    by_default, by_cost, dates = [], [], []
    for rng in np.random.default_rng(1).spawn(30):
        y = np.r_[nb(4, 0.5, 60, rng), nb(20, 0.5, 80, rng), nb(6, 0.5, 100, rng)]
        result = changepoints(weekly(y), family="negbin")
        sums = np.concatenate([[0.0], np.cumsum(y)]).astype(float)
        by_default.append(len(result.changes))
        by_cost.append(len(optimal_cuts(sums, np.arange(241.0), 0.0, 2 * np.log(240), 2)[0]))
        dates += [result.probability.iloc[50:71].sum(), result.probability.iloc[130:151].sum()]
    assert min(by_cost) >= 5
    assert np.mean(np.array(by_default) == 2) >= 0.9
    assert max(by_default) <= 4
    assert np.mean(dates) == pytest.approx(1, abs=0.1)


def test_steady_series_mostly_do_not_change():
    numbers = [changepoints(weekly(nb(5, 0.6, 120, rng))).number[0] for rng in np.random.default_rng(5).spawn(40)]
    # a change was expected; 4 of 40 may look like one
    assert np.mean(np.array(numbers) > 0.5) >= 0.9


@pytest.mark.slow
def test_probabilities_of_changes_are_calibrated():
    """On series drawn from the prior itself, events given a probability happen as often."""
    said, happened, held = [], [], []
    for rng in np.random.default_rng(7).spawn(200):
        n, a = 60, 0.3
        begins = rng.random(n) < 1 / 30
        begins[0] = True
        share = rng.beta(1 + 0.1 / a, 1.0, begins.sum())  # of the conjugate distribution
        rates = (1 - share) / share / a
        y = nb(rates[np.cumsum(begins) - 1], a, n, rng)
        result = changepoints(weekly(y), family="negbin", expected_run_length=30, prior=(1.0, 0.1))
        said += [1 - result.number[0], result.probability_within(10)]
        happened += [begins[1:].any(), begins[-10:].any()]
        if len(result.changes) == begins.sum() - 1 > 0:
            first, last = (pd.PeriodIndex(result.changes[name]) for name in ("earliest", "latest"))
            dates = weekly(y).index[np.flatnonzero(begins)[1:]]
            held += ((first <= dates) & (dates <= last)).tolist()
    said, happened = np.array(said), np.array(happened)
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        among = (said >= low) & (said <= high)
        error = np.sqrt(said[among].mean() * (1 - said[among].mean()) / among.sum())
        assert happened[among].mean() == pytest.approx(said[among].mean(), abs=3 * error + 0.02)
    # given the right number an interval of whole periods covers a little more than its level
    assert 0.85 <= np.mean(held) <= 0.99


# --- what users see


def test_histories_are_averaged():
    rng = np.random.default_rng(4)
    columns = [np.r_[nb(3, 0.2, 25, rng), nb(12, 0.2, 25, rng)] for _ in range(3)]
    table = pd.DataFrame(np.column_stack(columns), weekly(columns[0]).index, pd.RangeIndex(3, name="draw"))
    options = {"family": "negbin", "prior": (1.0, 0.1), "expected_run_length": 40.0}
    pooled, alone = changepoints(table, **options), [changepoints(weekly(column), **options) for column in columns]
    assert pooled.histories == 3
    for name in ("probability", "since", "rate"):
        np.testing.assert_allclose(
            getattr(pooled, name), np.mean([getattr(one, name) for one in alone], axis=0), atol=1e-9
        )
    assert pooled.number[1] == pytest.approx(np.mean([one.number[1] for one in alone]), abs=1e-9)
    assert pooled.dispersion == pytest.approx(np.mean([one.dispersion for one in alone]))
    low, high = (f([one.changes["rate_after"][1] for one in alone]) for f in (min, max))
    assert low - 0.5 < pooled.changes["rate_after"][1] < high + 0.5
    online, each = run_length(table, **options), [run_length(weekly(column), **options) for column in columns]
    np.testing.assert_allclose(online.by_period, np.mean([one.by_period for one in each], axis=0))
    np.testing.assert_allclose(online.now, np.mean([one.now for one in each], axis=0))


def test_rates_have_their_own_interval():
    y = np.r_[np.full(20, 2.0), np.full(20, 30.0)]
    row = changepoints(weekly(y), family="poisson", level=0.8, prior=(1.0, 0.05)).changes.loc[1]
    for when, total in (("before", 40), ("after", 600)):
        law = stats.gamma(1 + total, scale=1 / 20.05)
        wanted = law.ppf([0.5, 0.1, 0.9])
        found = [row[f"rate_{when}{limit}"] for limit in ("", "_lower", "_upper")]
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_rates_with_a_dispersion_follow_the_conjugate_law():
    weight, a = np.array([1.0]), np.array([0.3])
    limit = inside._rate_limit(weight, a, np.array([13.0]), np.array([5.0]), 0.9)
    assert limit == pytest.approx(stats.betaprime.ppf(0.9, 13, 1 + 5 / 0.3) / 0.3, rel=1e-8)


def test_missing_periods_are_not_zeros():
    y = np.r_[nb(10, 0.1, 40, np.random.default_rng(1)).astype(float), np.full(10, np.nan)]
    # nothing but the prior speaks of the last ten periods: one change in 50
    assert changepoints(weekly(y), family="negbin").probability_within(9) == pytest.approx(
        1 - (1 - 1 / 50) ** 9, abs=1e-9
    )
    assert changepoints(weekly(np.nan_to_num(y))).probability_within(11) > 0.95
    gap = np.r_[np.full(15, 3.0), np.full(8, np.nan), np.full(15, 14.0)]
    result = changepoints(weekly(gap))
    within = result.probability.iloc[15:24]
    assert within.sum() > 0.95
    np.testing.assert_allclose(within, within.iloc[0], rtol=1e-9)  # nothing distinguishes them
    assert result.changes["earliest"][1] == result.rate.index[15]
    assert np.isnan(run_length(weekly(gap)).by_period["log_predictive"].to_numpy()[15:23]).all()


def test_exposure_is_not_a_change():
    y = np.r_[np.full(20, 40.0), np.full(20, 20.0)]
    exposure = pd.Series(np.r_[np.ones(20), np.full(20, 0.5)], weekly(y).index)
    assert changepoints(weekly(y), exposure=exposure).number[0] > 0.9
    assert changepoints(weekly(y), family="negbin").number[0] < 0.05


def test_the_last_run_is_that_of_the_online_filter():
    y = np.r_[np.full(20, 3.0), np.full(4, 11.0)]
    found, run = changepoints(weekly(y), family="poisson"), run_length(weekly(y), family="poisson", within=6)
    np.testing.assert_allclose(run.now.to_numpy()[::-1], found.since, atol=1e-12)
    assert run.changed == pytest.approx(found.probability_within(6), abs=1e-12)
    assert run.now.idxmax() == 4


def test_the_record_speaks():
    y = np.r_[np.full(20, 2), np.full(20, 15)]
    result = changepoints(weekly(y), unit="raids")
    text = result.sentence()
    assert "The rate of raids per week most likely changed once (probability" in text
    assert "with the week that starts on 2015-05-18 from 2.0" in text
    assert "90% intervals" in text
    assert result._repr_html_().count("<table") == 2
    steady = changepoints(weekly(np.tile([3, 5, 4], 12)))
    assert "That the rate did not change abruptly is likeliest" in steady.sentence()
    assert len(steady.changes) == 0
    assert "<table" in steady._repr_html_()
    many = changepoints(weekly(np.repeat([2, 50, 4, 90, 1], 12)), family="poisson")
    assert "changed 4 times" in many.sentence()
    assert "the last 3 with the week" in many.sentence()
    run = run_length(weekly(y[:21]), unit="raids")
    assert "that the rate of raids changed with the week to 2015-05-24 is" in run.sentence()
    assert "the present rate has most likely lasted 1 week." in run.sentence()
    assert "<table" in run._repr_html_()


@pytest.mark.parametrize(
    "values",
    [[0] * 40, [0] * 20 + [1] + [0] * 19, [7] * 40, [10**6] * 40, [1, 10**6] * 20, [0] * 20 + [900] * 20, [3, 5]],
    ids=["all zero", "one event", "constant", "large", "two sizes", "onset", "two periods"],
)
def test_awkward_series_give_numbers(values):
    for family in ("negbin", "poisson"):
        result = changepoints(weekly(values), family=family)
        for name in ("number", "probability", "since", "rate"):
            assert np.isfinite(getattr(result, name)).all()
        assert result.number.sum() == pytest.approx(1, abs=1e-9)
        assert result.since.sum() == pytest.approx(1, abs=1e-9)
        assert result.probability.max() <= 1 + 1e-9
        assert len(result.sentence()) > 50
        assert np.isfinite(run_length(weekly(values), family=family).by_period.to_numpy()).all()


def test_prior_shares_of_dispersions():
    shares = np.exp(log_shares(np.array([0.01, 0.25, 4.0])))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(stats.expon.cdf(0.05**0.5))  # sqrt(dispersion) is exponential


def test_modules_do_not_hide_the_functions():
    assert callable(escalation.changepoints)
    assert callable(escalation.analysis.run_length)


def test_what_cannot_be_used_is_refused():
    counts = weekly([1, 2, 3, 9, 8])
    with pytest.raises(InputError, match="changes are found in one series, this is a table of 2 units"):
        changepoints(pd.DataFrame({"A": counts, "B": counts}))
    with pytest.raises(
        InputError, match="family is 'normal'; changes are found with 'fluctuating', 'negbin' or 'poisson'"
    ):
        changepoints(counts, family="normal")
    with pytest.raises(InputError, match="1 of 3 periods are observed; changes need 2 of at most 5,000"):
        run_length(weekly([1, np.nan, np.nan]))
    with pytest.raises(InputError, match=r"the counts sum to 2e\+12; changes are found up to 1e\+11"):
        changepoints(weekly([10**12, 10**12]))
    for every in (1, True, "often", np.inf):
        with pytest.raises(
            InputError, match=r"expected_run_length is .*; give the number of periods expected between changes"
        ):
            changepoints(counts, expected_run_length=every)
    for prior in ((1.0, 0.0), (1.0,)):
        with pytest.raises(InputError, match=r"prior is .*; give the shape and the divisor of a gamma distribution"):
            changepoints(counts, prior=prior)
    with pytest.raises(InputError, match="within is 9"):
        run_length(counts, within=9)
    with pytest.raises(InputError, match="periods is 0"):
        changepoints(counts).probability_within(0)
    with pytest.raises(InputError, match=r"level is 1\.5"):
        changepoints(counts, level=1.5)


# --- levels that swing


def test_swinging_levels_are_not_cut_into_pieces():
    """Log levels with an autocorrelation of 0.8: cut without the alternative, but not with it."""
    rng = np.random.default_rng(8)
    abrupt, fluctuating = 0, 0
    for _ in range(20):
        level = np.zeros(104)
        for t in range(1, 104):
            level[t] = 0.8 * level[t - 1] + 0.3 * rng.standard_normal()
        counts = weekly(rng.poisson(8 * np.exp(level)))
        abrupt += changepoints(counts, family="negbin").number[0] < 0.5
        fluctuating += changepoints(counts).number[0] < 0.5
    assert abrupt >= 10 and fluctuating <= 2


def test_an_abrupt_change_is_still_found():
    counts = weekly(np.random.default_rng(1).poisson(np.repeat([5, 20], [60, 20])))
    found = changepoints(counts, unit="raids")
    assert found.number[0] < 0.05 and found.fluctuates < 0.05
    assert str(found.changes["date"].iloc[0].start_time.date()) == str(counts.index[60].start_time.date())
    assert found.number.sum() == pytest.approx(1) and found.since.sum() == pytest.approx(1)


def test_histories_weigh_the_fluctuation_each_for_itself():
    rng = np.random.default_rng(4)
    columns = [nb(6, 0.3, 40, rng) for _ in range(3)]
    table = pd.DataFrame(np.column_stack(columns), weekly(columns[0]).index, pd.RangeIndex(3, name="draw"))
    options = {"prior": (1.0, 0.1), "expected_run_length": 40.0}
    pooled, alone = changepoints(table, **options), [changepoints(weekly(column), **options) for column in columns]
    for name in ("probability", "since", "rate"):
        np.testing.assert_allclose(
            getattr(pooled, name), np.mean([getattr(one, name) for one in alone], axis=0), atol=1e-9
        )
    assert pooled.fluctuates == pytest.approx(np.mean([one.fluctuates for one in alone]))


def test_a_rate_that_drifts_is_said_to():
    counts = weekly(np.random.default_rng(2).poisson(3 * 1.04 ** np.arange(80)))
    assert "No abrupt change stands out" in changepoints(counts).sentence()


def test_the_evidence_of_a_fluctuating_rate_is_its_integral():
    """Against a plain sum over parameters drawn from the priors, levels by simulation."""
    counts = np.array([3.0, 5, 2, 4, 6, 3])
    model = LocalLevel(link="log")
    periods = weekly(counts).index
    estimate = model.estimate(counts, make_design(periods, 0, None, None))
    rng = np.random.default_rng(1)
    draws = 400_000
    level = np.log((counts.sum() + 0.5) / 6) + 2.0 * rng.standard_normal(draws)
    damping = 1 / (1 + np.exp(-(2.2 + 1.5 * rng.standard_normal(draws))))
    level_sd, dispersion = (np.exp(np.log(0.2) + sd * rng.standard_normal(draws)) for sd in (1.0, 1.5))
    x = level + level_sd / np.sqrt(1 - damping**2) * rng.standard_normal(draws)
    logs = np.zeros(draws)
    for t, y in enumerate(counts):
        if t:
            x = level + damping * (x - level) + level_sd * rng.standard_normal(draws)
        logs += stats.nbinom.logpmf(y, 1 / dispersion, 1 / (1 + dispersion * np.exp(np.minimum(x, 50))))
    by_hand = logsumexp(logs) - np.log(draws)
    # some three Monte Carlo errors of both sums, and the approximation of the levels
    assert model.log_evidence(estimate) == pytest.approx(by_hand, abs=0.15)
