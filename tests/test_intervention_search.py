"""Tests of dated changes: R tscount's statistics, a plain loop, differences, simulation under both hypotheses."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, kstest

from escalation.errors import InputError
from escalation.models.ingarch.interventions import find_interventions, intervention_test
from escalation.models.ingarch.likelihood import recursion
from escalation.models.ingarch.maximum import search_space
from escalation.models.ingarch.model import INGARCH
from escalation.models.ingarch.null import null_at
from escalation.models.ingarch.observed import observe
from escalation.models.ingarch.score import effect_slopes, joint_statistic, sensitivity, signed_roots
from escalation.models.regression.interventions import Decay, Pulse, Step
from escalation.models.regression.negative_binomial import NegativeBinomial

REFERENCE = 1e-9  # its numbers have 15 digits
LOOP = 1e-12


def weeks(n):
    return pd.period_range("2020-01-06", periods=n, freq="W-SUN", name="period")


def series(values):
    return pd.Series(np.asarray(values, dtype=float), index=weeks(len(values)))


def simulated(n, seed, *, log=False, dispersion=0.1, lift=0.0, begin=0, end=None, serial=(0.3, 0.4)):
    """Counts of mean 8 or so, with a change of the (log) rate that ``past_mean`` carries on."""
    rng = np.random.default_rng(seed)
    beta, alpha = serial
    level = (math.log(8.0) if log else 8.0) * (1 - beta - alpha)
    state, counts = level / (1 - beta - alpha), []
    for t in range(-50, n):
        state += lift * (begin <= t < (end or n))
        mean = math.exp(state) if log else state
        counts.append(rng.poisson(mean * (rng.gamma(1 / dispersion, dispersion) if dispersion else 1.0)))
        state = level + beta * (math.log1p(counts[-1]) if log else counts[-1]) + alpha * state
    return np.array(counts[50:], dtype=float)


# --- against R


def marginal_states(point, y, past_mean, *, known_past):
    """States (n,) and their slopes (n, 3) of an identity link with lags 1 and ``past_mean``, by the definition.

    With ``known_past`` the counts before the series do not depend on the parameters, as tscount has it.
    """
    c, beta, alpha = point
    n, rest = len(y), 1 - beta - alpha
    start, start_slopes = c / rest, np.array([1 / rest, c / rest**2, c / rest**2])
    state, slopes = np.empty(n), np.empty((n, 3))
    for t in range(n):
        before = y[t - 1] if t >= 1 else start
        of_before = np.zeros(3) if t >= 1 or known_past else start_slopes
        inner = state[t - past_mean] if t >= past_mean else start
        of_inner = slopes[t - past_mean] if t >= past_mean else start_slopes
        state[t] = c + beta * before + alpha * inner
        slopes[t] = np.array([1.0, before, inner]) + beta * of_before + alpha * of_inner
    return state, slopes


def carried_on(column, alpha, lag):
    out = column.copy()
    for t in range(lag, len(out)):
        out[t] += alpha * out[t - lag]
    return out


def plain_statistic(mean, slopes, more, y, a):
    """With Poisson scores, and counts of dispersion a."""
    everything, k = np.column_stack([slopes, *more]), slopes.shape[1]
    bread, meat = (everything.T / mean) @ everything, (everything.T * (1 / mean + a)) @ everything
    lead = bread[k:, :k] @ np.linalg.inv(bread[:k, :k])
    left = meat[k:, k:] - lead @ meat[:k, k:] - meat[k:, :k] @ lead.T + lead @ meat[:k, :k] @ lead.T
    score = ((y / mean - 1)[:, None] * everything[:, k:]).sum(axis=0)
    return float(score @ np.linalg.solve(left, score))


@pytest.fixture(scope="module")
def campy(shared_data):
    folder = shared_data("data/reference/campy.csv").parent
    read = {
        name: json.loads((folder / f"tscount_{name}.json").read_text(encoding="utf-8"))
        for name in ("campy", "interv_test_campy", "interv_detect_campy")
    }
    return pd.read_csv(folder / "campy.csv")["y"].to_numpy(float), read


def test_the_plain_formula_has_the_statistics_of_tscount(campy):
    """At its estimates and with its slopes; that our slopes are the true ones is the next test."""
    y, read = campy
    point = list(read["campy"]["campy_nox_identity_poisson"]["coefficients"].values())
    state, slopes = marginal_states(point, y, 13, known_past=True)
    at = np.arange(1, 141)
    both = [carried_on(column, point[2], 13) for column in ((at >= 84) * 1.0, (at == 100) * 1.0)]
    wanted = read["interv_test_campy"]
    assert plain_statistic(state, slopes, both, y, 0.0) == pytest.approx(wanted["test_statistic"], rel=REFERENCE)
    detected = read["interv_detect_campy"]["test_statistic_tau"]
    for tau, statistic in detected.items():
        shift = carried_on((at >= int(tau)) * 1.0, point[2], 13)
        assert plain_statistic(state, slopes, [shift], y, 0.0) == pytest.approx(statistic, rel=REFERENCE)


@pytest.mark.parametrize("dispersion", [0.0, 0.1])
def test_the_statistics_at_the_same_point_are_those_of_the_plain_formula(campy, dispersion):
    y, read = campy
    point = np.array([*read["campy"]["campy_nox_identity_poisson"]["coefficients"].values(), dispersion])
    data = observe(y, np.ones(140), np.empty((140, 0)), np.empty(0), ((1,), (13,)), "identity", "marginal", 0)
    null = null_at(point, data, search_space(data, free=False), "pearson")
    state, slopes = marginal_states(point[:3], y, 13, known_past=False)
    columns = np.array([np.arange(1, 141) >= 84, np.arange(1, 141) == 100], dtype=float)
    more = [carried_on(column, point[2], 13) for column in columns]
    found = joint_statistic(columns, point, data, null.scores, internal=True)
    assert found == pytest.approx(plain_statistic(state, slopes, more, y, dispersion), rel=1e-10)  # two solvers
    roots = signed_roots(columns, point, data, null.scores, null.inverse, True)
    for root, one in zip(roots, more, strict=True):
        assert root**2 == pytest.approx(plain_statistic(state, slopes, [one], y, dispersion), rel=1e-10)


def test_statistics_are_near_those_of_tscount_and_the_change_is_at_the_same_time(campy):
    """Near, as its estimates are no maximum: its intercept is 2.296, beta 0.572; the exact ones 2.313 and 0.589."""
    y, read = campy
    fit = INGARCH(past_mean=(13,), family="poisson").fit(series(y))
    dates = weeks(140).start_time
    test = intervention_test(fit, (Step(dates[83]), Pulse(dates[99])))
    assert test.df == read["interv_test_campy"]["df"]
    assert test.statistic == pytest.approx(read["interv_test_campy"]["test_statistic"], rel=0.03)
    wanted = pd.Series(read["interv_detect_campy"]["test_statistic_tau"])
    one_by_one = [intervention_test(fit, Step(dates[int(tau) - 1])).statistic for tau in wanted.index]
    assert np.argmax(one_by_one) == wanted.to_numpy().argmax()
    np.testing.assert_allclose(one_by_one, wanted, atol=1.3)


# --- slopes


def gappy(link):
    rng = np.random.default_rng(3)
    y = simulated(40, 5, log=link == "log")
    y[[0, 7, 8, 20, 39]] = np.nan
    x, carried = rng.uniform(0, 1, (40, 2)), np.array([1.0, 0.0])
    point = np.array([1.1, 0.25, 0.1, 0.2, 0.15, 0.7, 0.4, 0.3])
    return observe(y, rng.uniform(0.5, 1.5, 40), x, carried, ((1, 3), (1, 2)), link, "marginal", 0), point


@pytest.mark.parametrize("internal", [True, False])
@pytest.mark.parametrize("link", ["identity", "log"])
def test_slopes_by_an_effect_are_differences_and_a_plain_loop(link, internal):
    data, point = gappy(link)
    column = np.where(np.arange(40) >= 5, 0.8 ** (np.arange(40) - 5.0), 0.0)
    state, _, _ = recursion(point, data)
    found = effect_slopes(column, point, data, state, internal)

    def moved(effect):
        wider = data._replace(x=np.column_stack([data.x, column]), carried=np.append(data.carried, float(internal)))
        return recursion(np.insert(point, -1, effect), wider)[0]

    np.testing.assert_allclose(found, (moved(1e-6) - moved(-1e-6)) / 2e-6, rtol=1e-6, atol=1e-9)
    inside, past, plain = {}, {}, []
    for t in range(40):
        value = sum(a * inside.get(t - k, 0.0) for a, k in zip(point[3:5], (1, 2), strict=True))
        value += sum(b * past.get(t - k, 0.0) for b, k in zip(point[1:3], (1, 3), strict=True))
        inside[t] = value + internal * column[t]
        plain.append(value + column[t])
        share = 1 / (1 + math.exp(-state[t])) if link == "log" else 1.0
        past[t] = share * plain[-1] if np.isnan(data.y[t]) else 0.0
    np.testing.assert_allclose(found, plain, rtol=LOOP, atol=LOOP)


@pytest.mark.parametrize("link", ["identity", "log"])
def test_one_at_a_time_is_the_joint_statistic_of_one(link):
    data, point = gappy(link)
    scores = sensitivity(point, data, np.ones(7, dtype=bool), quasi=False)
    inverse = np.linalg.inv((scores.slopes.T * scores.bread) @ scores.slopes)
    columns = np.array([(np.arange(40) >= t) * 1.0 for t in (3, 10, 30)])
    roots = signed_roots(columns, point, data, scores, inverse, True)
    for root, column in zip(roots, columns, strict=True):
        alone = joint_statistic(column[None], point, data, scores, internal=True)
        assert root**2 == pytest.approx(alone, rel=1e-9)


# --- one test


@pytest.mark.nightly
@pytest.mark.parametrize(
    "model",
    [
        INGARCH(),
        INGARCH(link="log"),
        INGARCH(family="poisson"),
        INGARCH(dispersion="pearson"),
    ],
    ids=["identity", "log", "poisson", "pearson"],
)
def test_p_values_are_even_without_a_change(model):
    dispersion = 0.0 if model.family == "poisson" else 0.1
    changes = (Step(weeks(300)[120].start_time), Step(weeks(300)[220].start_time))
    p_values = []
    for seed in range(300):
        counts = simulated(300, seed, log=model.link == "log", dispersion=dispersion)
        p_values.append(intervention_test(model.fit(series(counts)), changes).p_value)
    assert kstest(p_values, "uniform").pvalue > 0.005
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 300))


@pytest.mark.parametrize(("link", "lift"), [("identity", 2.0), ("log", 0.2), ("log", -0.2)])
def test_a_change_is_seen(link, lift):
    seen = []
    for seed in range(40):
        counts = simulated(200, seed, log=link == "log", lift=lift, begin=120)
        test = intervention_test(INGARCH(link=link).fit(series(counts)), Step(weeks(200)[120].start_time))
        seen.append((test.p_value < 0.05, test.directions))
    assert np.mean([one for one, _ in seen]) > 0.85
    assert {direction for one, direction in seen if one} == {("rise" if lift > 0 else "fall",)}


def test_the_record_speaks():
    counts = simulated(120, 2, lift=3.0, begin=60)
    fit = INGARCH().fit(series(counts))
    test = intervention_test(fit, Step(weeks(120)[60].start_time))
    assert test.p_value == chi2.sf(test.statistic, 1)
    assert test.sentence().startswith("Strong evidence of a lasting rise from 2021-03-01 on: score statistic")
    assert test.sentence() in test._repr_html_()
    both = intervention_test(fit, [Pulse("2020-05-04", "2020-05-20"), Pulse("2020-06-10")], effect="external")
    assert both.df == len(both.directions) == 2
    assert "from 2020-05-04 to 2020-05-20 and a passing" in both.sentence()
    assert "on 2 degrees of freedom" in both.sentence()
    assert both.sentence().startswith("No clear evidence")
    middling = replace(test, p_value=0.03)
    assert middling.sentence().startswith("Some evidence") and "p = 0.03" in middling.sentence()


def test_coefficients_on_a_bound_count_as_known():
    """A series all but without serial dependence: the statistic is that of the model without the held lag."""
    counts = series(simulated(80, 5, serial=(0.3, 0.0)))
    fit = INGARCH(init="iid").fit(counts)
    assert fit.estimates[0].state["at_bound"] == ("alpha_1",)
    less = INGARCH(past_mean=(), init="iid").fit(counts)
    change = Step(weeks(80)[40].start_time)
    assert intervention_test(fit, change).statistic == pytest.approx(
        intervention_test(less, change).statistic, rel=1e-4
    )


# --- the search


@pytest.mark.parametrize("effect", ["internal", "external"])
def test_two_changes_are_found_where_they_are(effect):
    counts = simulated(160, 7, lift=8.0, begin=100, serial=(0.3, 0.1))
    counts[40] = 60
    search = find_interventions(INGARCH().fit(series(counts)), effect=effect, replicates=199, rng=1, most=3)
    terms = {one.intervention.term: one for one in search.found}
    pulse = terms[f"pulse_{weeks(160)[40].start_time.date()}"]
    shift = next(one for one in search.found if isinstance(one.intervention, Step))
    assert abs(weeks(160).get_loc(shift.period) - 100) <= 2
    assert pulse.direction == shift.direction == "rise"
    assert search.fit.model.external == (tuple(terms) if effect == "external" else ())
    assert pulse.size == search.fit.params[pulse.intervention.term] > 0
    assert pulse.p_value == pytest.approx(3 / 200)
    assert search.roots.shape == (159, 3)
    assert search.rounds["statistic"].iloc[0] == pytest.approx((search.roots["level_shift"] ** 2).max())
    assert "a passing rise on 2020-10-12" in search.sentence()
    assert search.table()["intervention"].tolist() == [one.intervention for one in search.found]
    for place, one in enumerate(search.found):
        assert one.table().iloc[0].tolist() == search.table().iloc[place].tolist()
    assert pulse.sentence() == (
        f"A passing rise on 2020-10-12: coefficient {pulse.size:.2g}, standard error {pulse.std_error:.2g}; score "
        f"statistic {pulse.statistic:.1f}, p = 0.015."
    )
    assert "<table" in search._repr_html_()


def test_the_changes_of_the_campylobacter_series(campy):
    """A lasting rise in period 84 and an odd one in period 100, as in doi:10.18637/jss.v082.i05."""
    fit = INGARCH(past_mean=(13,)).fit(series(campy[0]))
    search = find_interventions(fit, replicates=199, rng=1)
    begins = {type(one.intervention): weeks(140).get_loc(one.period) + 1 for one in search.found}
    assert begins == {Step: 84, Pulse: 100} and len(search.found) == 2


def test_workers_and_seeds():
    fit = INGARCH().fit(series(simulated(80, 3)))
    with ThreadPoolExecutor(2) as executor:
        shared = find_interventions(fit, replicates=50, rng=4, executor=executor)
    alone = find_interventions(fit, replicates=50, rng=4)
    pd.testing.assert_frame_equal(shared.rounds, alone.rounds)
    other = find_interventions(fit, replicates=50, rng=5)
    assert (other.rounds["statistic"] == alone.rounds["statistic"]).iloc[:2].all()


def test_nothing_is_found_where_nothing_is():
    search = find_interventions(INGARCH().fit(series(simulated(80, 11))), replicates=99, rng=1)
    assert search.found == () and search.fit.llf == INGARCH().fit(series(simulated(80, 11))).llf
    assert search.sentence().startswith("No dated change stands out between 2020-01-13 and 2021-07-18 (smallest p = ")
    assert search.table().empty and "<table" not in search._repr_html_()


@pytest.mark.nightly
def test_a_search_seldom_finds_what_is_not_there():
    model, found = INGARCH(), 0
    for seed in range(60):
        fit = model.fit(series(simulated(80, seed, serial=(0.3, 0.3))))
        found += bool(find_interventions(fit, replicates=99, rng=seed, most=1, alpha=0.1).found)
    assert found / 60 <= 0.1 + 2.5 * math.sqrt(0.1 * 0.9 / 60)  # Bonferroni: at most 0.1
    assert found >= 1


def test_only_rises_with_the_identity_link():
    counts = simulated(120, 4)
    counts[60:] = np.round(counts[60:] / 4)
    fit = INGARCH().fit(series(counts))
    assert intervention_test(fit, Step(weeks(120)[60].start_time)).directions == ("fall",)
    search = find_interventions(fit, kinds=("level_shift",), replicates=99, rng=1)
    assert all(one.direction == "rise" for one in search.found)
    log = find_interventions(INGARCH(link="log").fit(series(counts)), kinds=("level_shift",), replicates=99, rng=1)
    assert log.found[0].direction == "fall"
    assert "times the rate" in log.sentence()


def test_a_change_that_fades():
    fading = 1.5 * Decay(weeks(160)[90].start_time, 21).column(weeks(160))
    rng, past, counts = np.random.default_rng(3), math.log(8.0), []
    for lift in fading:
        past = rng.poisson(math.exp(0.6 * math.log(8.0) + 0.3 * past + lift))
        counts.append(past)
        past = math.log1p(past)
    fit = INGARCH(link="log", past_mean=(), family="poisson").fit(series(counts))
    search = find_interventions(fit, replicates=199, rng=1)
    assert search.found[0].intervention == Decay(weeks(160)[90].start_time, 21)
    assert "a fading rise from 2021-09-27 on (" in search.sentence()
    assert intervention_test(fit, search.found[0].intervention).statistic == pytest.approx(search.found[0].statistic)
    other = find_interventions(fit, kinds=("transient",), half_life=7, replicates=49, rng=1)
    assert other.found[0].intervention.half_life == 7


def test_between_exposure_and_gaps():
    counts = simulated(100, 6, lift=8.0, begin=50, serial=(0.3, 0.1))
    counts[:30] = np.floor(counts[:30] / 2)
    counts[[20, 21, 70]] = np.nan
    exposure = pd.Series(np.where(np.arange(100) < 30, 0.5, 1.0), index=weeks(100))
    exog = pd.DataFrame({"x": np.arange(100) % 7 / 7.0})
    fit = INGARCH().fit(series(counts), exposure=exposure, exog=exog, unit="raids")
    span = (weeks(100)[40], weeks(100)[60])
    search = find_interventions(fit, kinds=("level_shift",), between=span, replicates=99, rng=1)
    assert search.roots.index.equals(weeks(100)[40:61])
    assert abs(weeks(100).get_loc(search.found[0].period) - 50) <= 3
    assert search.fit.design.exog_names == ("x",)
    np.testing.assert_array_equal(search.fit.design.exposure, exposure)
    assert "raids a week" in search.sentence()


# --- refusals


def test_what_cannot_be_tested_is_refused():
    counts = series(simulated(60, 1))
    fit = INGARCH().fit(counts)
    with pytest.raises(InputError, match="a test of interventions got NegativeBinomial; give the fit of an INGARCH"):
        intervention_test(NegativeBinomial().fit(counts), Step("2020-05-04"))
    with pytest.raises(InputError, match="a test of interventions got Series"):
        find_interventions(counts)
    table = pd.DataFrame(np.column_stack([counts, counts + 1]).astype(int), index=weeks(60))
    table.columns = pd.RangeIndex(2, name="draw")
    with pytest.raises(InputError, match="the fit pools 2 histories; test a fit to one of them"):
        intervention_test(INGARCH().fit(table), Step("2020-05-04"))
    with pytest.raises(InputError, match="effect is 'inner'; use 'internal' or 'external'"):
        intervention_test(fit, Step("2020-05-04"), effect="inner")
    with pytest.raises(InputError, match="intervention_test got 'x'; give a Step"):
        intervention_test(fit, "x")
    with pytest.raises(InputError, match="step_2019-01-01 cannot be distinguished from the rest of the model"):
        intervention_test(fit, Step("2019-01-01"))
    with pytest.raises(InputError, match=r"kinds is \('shift',\); give some of level_shift"):
        find_interventions(fit, kinds=("shift",))
    with pytest.raises(InputError, match=r"between is .*; no level_shift can begin there"):
        find_interventions(fit, between=("2031-01-01", "2032-01-01"))
    with pytest.raises(InputError, match="replicates is 0"):
        find_interventions(fit, replicates=0)
    with pytest.raises(InputError, match="most is 0"):
        find_interventions(fit, most=0)
