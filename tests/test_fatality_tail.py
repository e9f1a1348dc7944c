"""Power-law tails and distributions of sizes: against published values, another package, plain loops and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from escalation import InputError, read_incidents
from escalation.analysis import draw_figures, fatality_sizes, fatality_tail
from escalation.analysis.severity import rivals
from escalation.analysis.severity.power_law import (
    distance,
    draw_power,
    exponent,
    find_threshold,
    find_thresholds,
    hurwitz,
    log_power,
    power_mean,
    power_survival,
)
from escalation.analysis.severity.tail import distinct

TERRORISM = """1:4802 2:1600 3:750 4:444 5:287 6:190 7:148 8:96 9:85 10:92 11:60 12:64 13:43 14:32 15:39 16:29 17:34
18:17 19:17 20:17 21:18 22:18 23:17 24:9 25:17 26:5 27:8 28:4 29:7 30:14 31:5 32:6 33:1 34:5 35:3 36:6
38:3 39:3 40:7 42:1 43:7 44:1 45:4 46:3 47:5 50:4 52:4 53:2 55:1 56:1 57:1 58:1 59:2 60:7 61:1 63:2 64:1
65:2 69:1 70:2 71:1 72:2 73:2 74:1 77:1 80:1 82:1 83:1 88:2 90:1 95:1 96:2 98:1 100:2 102:1 103:1 106:1
115:1 117:1 118:1 121:1 125:1 126:1 127:1 158:1 162:1 168:1 171:1 189:1 191:1 202:1 213:1 239:1 241:1
252:1 270:1 317:1 329:1 331:1 400:1 2749:1"""
"""Killed in terrorist attacks, February 1968 to June 2006: fatalities and number of attacks.

The data set of Clauset, Shalizi & Newman (2009), as it comes with the Python package powerlaw 2.0.0 (terrorism.txt)."""


def terrorism():
    pairs = np.array([pair.split(":") for pair in TERRORISM.split()], dtype=np.int64)
    return np.repeat(pairs[:, 0], pairs[:, 1])


# numbers on arrays


@pytest.mark.parametrize("s", [1.01, 1.5, 2.4, 5.0, 12.0, 20.0])
@pytest.mark.parametrize("q", [1.0, 2.0, 12.0, 700.0, 1e6])
def test_hurwitz_zeta_is_scipys_and_its_slope_a_difference(s, q):
    value, slope = hurwitz(s, q)
    assert value == pytest.approx(special.zeta(s, q), rel=1e-13)
    step = 1e-5 * (s - 1)  # error of a central difference: some 1e-10 of the scale, and rounding
    assert slope == pytest.approx((special.zeta(s + step, q) - special.zeta(s - step, q)) / (2 * step), rel=2e-7)


def test_exponent_maximises_the_exact_likelihood():
    rng = np.random.default_rng(1)
    for xmin, alpha in ((1.0, 2.5), (7.0, 1.6), (40.0, 3.4)):
        x = draw_power(np.full(300, alpha), np.full(300, xmin), 1e8, rng)

        def loss(a, x=x, xmin=xmin):
            return -log_power(x, a, xmin).sum()

        best = optimize.minimize_scalar(loss, bounds=(1.01, 10), method="bounded", options={"xatol": 1e-10}).x
        assert exponent(300.0, np.log(x).sum(), xmin) == pytest.approx(best, abs=1e-6)  # of a flat maximum
    assert exponent(5.0, 5 * np.log(3.0), 3.0) == 20.0  # equal values have no maximum


def plain_distance(x, xmin, alpha):
    """Over every whole number up to the largest, by its definition."""
    tail = np.sort(x[x >= xmin])
    at = np.arange(xmin, tail[-1] + 1)
    seen = np.searchsorted(tail, at, side="right") / len(tail)
    law = 1 - special.zeta(alpha, at + 1) / special.zeta(alpha, xmin)
    return np.abs(seen - law).max()


def test_distance_and_threshold_are_those_of_a_plain_loop():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.integers(1, 9, 200), draw_power(np.full(150, 2.2), np.full(150, 9.0), 1e8, rng)])
    values, times = distinct(x.astype(float))
    rows = []
    for place in range(len(values) - 1):
        tail = x[x >= values[place]]
        if len(tail) >= 10:
            alpha = exponent(float(len(tail)), np.log(tail).sum(), values[place])
            rows.append([place, alpha, plain_distance(x, values[place], alpha)])
            assert distance(values, times, place, alpha, np.inf) == pytest.approx(rows[-1][2], abs=1e-12)
    best = min(rows, key=lambda row: row[2])
    assert find_threshold(values, times, 10) == pytest.approx(best, rel=1e-9)
    both = find_thresholds(values, np.stack([times, np.where(values < 20, times, 0)]), 10)
    assert both[0] == pytest.approx([values[best[0]], best[1]], rel=1e-9)
    few = x[x < 20]
    assert both[1] == pytest.approx(find_and_name(few), rel=1e-9)


def find_and_name(x):
    values, times = distinct(x.astype(float))
    place, alpha, _ = find_threshold(values, times, 10)
    return values[place], alpha


def test_compiled_functions_are_their_own_plain_python():
    values, times = distinct(terrorism().astype(float))
    assert hurwitz.py_func(2.3, 4.0) == pytest.approx(hurwitz(2.3, 4.0), rel=1e-12)
    assert exponent.py_func(40.0, 100.0, 8.0) == pytest.approx(exponent(40.0, 100.0, 8.0), rel=1e-12)
    assert distance.py_func(values, times, 5, 2.2, np.inf) == pytest.approx(
        distance(values, times, 5, 2.2, np.inf), rel=1e-12
    )
    some = slice(60, None)
    plain = find_threshold.py_func(values[some], times[some], 10)
    assert plain == pytest.approx(find_threshold(values[some], times[some], 10), rel=1e-12)


def test_draws_follow_the_law():
    rng = np.random.default_rng(3)
    for alpha, xmin in ((2.5, 1.0), (1.3, 6.0), (3.5, 30.0)):
        a, low = np.full(1, alpha), np.full(1, xmin)
        x = draw_power(np.full(100_000, alpha), np.full(100_000, xmin), 1e8, rng)
        edges = np.unique(np.floor(xmin * np.array([1, 1.2, 1.5, 2, 4, 10, 100])))
        above = np.array([float(power_survival(edge, a, low)[0]) for edge in edges])
        seen = np.array([(x >= edge).sum() for edge in edges])
        parts, expected = -np.diff(np.append(seen, 0)), -np.diff(np.append(above, 0)) * 100_000
        assert stats.chisquare(parts, expected).pvalue > 0.001  # fixed seed


def test_mean_of_a_power_law():
    terms = np.arange(3, 2_000_000)
    by_sum = (terms * np.exp(log_power(terms, 3.5, 3.0))).sum()
    assert power_mean(np.array([3.5, 2.0, 1.5]), np.full(3, 3.0)).tolist() == [
        pytest.approx(by_sum, rel=1e-6),
        np.inf,
        np.inf,
    ]


# published values and another package


def test_terrorism_is_as_published():
    """Section 6 of Clauset, Shalizi & Newman (2009): xmin 12 +- 4, alpha 2.4 +- 0.2, 547 in the tail, p 0.68."""
    tail = fatality_tail(terrorism(), rng=1)
    assert (tail.xmin, tail.n, tail.n_tail) == (12, 9101, 547)
    assert tail.alpha == pytest.approx(2.4, abs=0.05) and tail.alpha_se == pytest.approx(0.2, abs=0.05)
    assert tail.xmin_se == pytest.approx(4, abs=0.6)
    assert tail.p_value == pytest.approx(0.68, abs=0.06)  # 1,000 samples here and 2,500 there: errors 0.015 and 0.01
    assert tail.alpha_lower < 2.37 < tail.alpha_upper and tail.xmin_lower <= 12 <= tail.xmin_upper
    assert tail.rivals["verdict"].tolist() == ["power law", "neither", "power law"]
    assert "the 547 that killed at least 12 follow a power law with exponent 2.37" in tail.sentence()
    assert (
        "fits better than the exponential" in tail.sentence() and "distinguished from the lognormal" in tail.sentence()
    )


def test_terrorism_is_as_the_package_powerlaw_has_it():
    """powerlaw 2.0.0: Fit(x, discrete=True, xmin=12, estimate_discrete=False), and its distribution_compare."""
    tail = fatality_tail(terrorism(), samples=0, replicates=20, rng=1)
    assert tail.alpha == pytest.approx(2.3699645, abs=5e-5)  # its optimiser stops at some 2e-5
    assert tail.distance == pytest.approx(0.0176885666, abs=1e-5)
    values, times = distinct(terrorism()[terrorism() >= 12].astype(float))
    assert log_power(values, tail.alpha, 12.0) @ times == pytest.approx(-2111.032844977, abs=1e-5)
    assert tail.rivals["ratio"]["exponential"] == pytest.approx(228.98561, abs=1e-3)
    assert tail.rivals["p_value"]["exponential"] == pytest.approx(0.013983, abs=1e-4)  # its variance is about 0
    assert tail.rivals["ratio"]["lognormal"] == pytest.approx(-0.145729, abs=1e-4)
    assert tail.rivals["p_value"]["lognormal"] == pytest.approx(0.780732, abs=1e-4)
    assert tail.p_value is None and "by its own test" not in tail.sentence()


def test_against_the_package_powerlaw_itself():
    powerlaw = pytest.importorskip("powerlaw")
    x = draw_power(np.full(800, 2.1), np.full(800, 4.0), 1e6, np.random.default_rng(5))
    theirs = powerlaw.Fit(x, discrete=True, xmin=4, estimate_discrete=False, verbose=0)
    ours = fatality_tail(x, xmin=4, samples=0, replicates=20, rng=1)
    assert ours.alpha == pytest.approx(theirs.power_law.alpha, abs=2e-4)
    assert ours.distance == pytest.approx(theirs.power_law.D, abs=2e-4)


@pytest.mark.parametrize("country", ["sri_lanka", "sierra_leone", "ethiopia", "sudan_shifted_header"])
def test_exponents_of_real_wars_are_in_the_known_range(country, shared_data):
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/ged_{country}.csv"))
    tail = fatality_tail(incidents["fatalities"], samples=100, replicates=100, rng=1)
    assert 1.5 <= tail.alpha <= 3.5 and 0 < tail.alpha_se < 0.7
    sizes = fatality_sizes(incidents["fatalities"], draws=100, rng=1)
    frame = sizes.exceedance([1, 2, 10, 50])
    assert frame["probability"].tolist() == pytest.approx(frame["seen"].tolist(), abs=0.04)


# simulation


def test_exponents_are_recovered():
    """Mean of 200 estimates: within 3 Monte Carlo errors and the known bias, (alpha - 1) / n."""
    rng = np.random.default_rng(6)
    for alpha, xmin in ((2.5, 1.0), (1.7, 5.0), (3.2, 12.0)):
        found = []
        for _ in range(200):
            x = draw_power(np.full(500, alpha), np.full(500, xmin), 1e12, rng)
            found.append(exponent(500.0, np.log(x).sum(), xmin))
        error = np.std(found) / np.sqrt(200)
        assert np.mean(found) - (alpha - 1) / 500 == pytest.approx(alpha, abs=3 * error + (alpha - 1) / 500)


def bodied(rng, n, xmin=8, alpha=2.4):
    """Events with a flat body below a threshold and a power law from it on: half of them in the tail."""
    body = rng.integers(1, xmin, n // 2)
    return np.concatenate([body, draw_power(np.full(n - n // 2, alpha), np.full(n - n // 2, xmin), 1e8, rng)])


@pytest.mark.nightly
def test_thresholds_are_recovered_and_intervals_cover():
    rng = np.random.default_rng(7)
    found = [fatality_tail(bodied(rng, 600), samples=0, replicates=200, rng=rng) for _ in range(120)]
    assert np.median([tail.xmin for tail in found]) == pytest.approx(8, abs=1)
    covered = np.mean([tail.alpha_lower <= 2.4 <= tail.alpha_upper for tail in found])
    assert 0.8 <= covered <= 0.98  # of 120 runs at 90%: error 0.027; percentile intervals of a searched threshold


@pytest.mark.slow
def test_the_test_of_the_power_law_holds_its_size_and_finds_other_distributions():
    rng = np.random.default_rng(8)
    null = [fatality_tail(bodied(rng, 400), samples=60, replicates=20, rng=rng).p_value for _ in range(60)]
    assert np.mean(np.array(null) < 0.1) <= 0.22  # 60 runs at 0.1: error 0.04
    other = [rng.negative_binomial(3, 0.1, 1000) + 1 for _ in range(10)]
    ruled_out = [fatality_tail(x, xmin=5, samples=60, replicates=20, rng=rng).p_value < 0.1 for x in other]
    assert np.mean(ruled_out) == 1.0


# other distributions


@pytest.mark.parametrize("xmin", [1.0, 4.0, 20.0])
@pytest.mark.parametrize(
    ("rival", "first", "second"),
    [("exponential", -1.5, 0.0), ("lognormal", 1.0, 0.1), ("negative_binomial", 1.5, -0.4), ("poisson", 2.0, 0.0)],
)
def test_other_distributions_sum_to_one_and_their_survival_functions_fit(rival, first, second, xmin):
    x = np.arange(xmin, 40_000)
    p = np.exp(rivals.rival_log_pmf(rival, x, np.asarray(first), np.asarray(second), xmin))
    rest = rivals.rival_survival(rival, 40_000.0, np.array([first]), np.array([second]), xmin)[0]
    assert p.sum() + rest == pytest.approx(1.0, abs=1e-9)
    for at in (xmin, xmin + 1, xmin + 30):
        survival = rivals.rival_survival(rival, at, np.array([first]), np.array([second]), xmin)[0]
        assert survival == pytest.approx(p[x >= at].sum() + rest, abs=1e-9)


def test_other_distributions_are_scipys():
    x = np.arange(3.0, 60.0)
    mean, dispersion = 4.0, 0.7
    law = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    ours = rivals.rival_log_pmf("negative_binomial", x, np.log(mean), np.log(dispersion), 3.0)
    assert ours.tolist() == pytest.approx((law.logpmf(x) - law.logsf(2)).tolist(), rel=1e-10)
    law = stats.lognorm(1.3, scale=np.exp(0.4))
    ours = rivals.rival_log_pmf("lognormal", x, np.asarray(0.4), np.log(1.3), 3.0)
    theirs = np.log(law.sf(x - 0.5) - law.sf(x + 0.5)) - law.logsf(2.5)
    assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-9)
    far = rivals.rival_log_pmf("lognormal", np.array([1e6]), np.asarray(0.0), np.log(0.5), 1.0)  # 27 deviations out
    assert np.isfinite(far).all() and far[0] < -300


def test_fits_of_other_distributions_recover_their_parameters():
    rng = np.random.default_rng(9)
    x = rng.negative_binomial(1 / 0.6, 1 / (1 + 0.6 * 5.0), 20_000)
    fit = rivals.fit_rival("negative_binomial", *distinct(x[x > 0].astype(float)), 1.0)
    assert np.exp(fit.point).tolist() == pytest.approx([5.0, 0.6], rel=0.06)  # some 3 standard errors
    x = np.round(rng.lognormal(1.0, 0.9, 20_000))
    fit = rivals.fit_rival("lognormal", *distinct(x[x > 0]), 1.0)
    assert [fit.point[0], np.exp(fit.point[1])] == pytest.approx([1.0, 0.9], abs=0.03)


def test_no_power_law_fits_better_than_all_lognormal_distributions():
    """Their limit of infinite deviation is a power law: Malevergne et al. 2011, doi:10.1103/PhysRevE.83.036111."""
    rng = np.random.default_rng(20)
    at_bound = []
    for alpha, xmin, n in ((1.8, 1, 300), (2.5, 1, 3000), (2.2, 10, 300), (3.0, 5, 60), (2.5, 30, 2000)) * 4:
        x = draw_power(np.full(n, alpha), np.full(n, float(xmin)), 1e8, rng)
        tail = fatality_tail(x, xmin=int(x.min()), samples=0, replicates=20, rng=1)
        found = tail.rivals.loc["lognormal"]
        assert found["ratio"] <= 1e-9 and found["verdict"] != "power law"
        assert found["at_bound"] == ("lognormal distribution fits best at its limit, a power law" in tail.sentence())
        assert not tail.rivals["at_bound"]["exponential"]
        at_bound.append(found["at_bound"])
    assert 0.2 < np.mean(at_bound) < 0.9  # of a power law about half lie on either side


def test_the_limit_of_lognormal_distributions_is_a_rounded_power_law():
    """With a deviation of e ** 4 and the mean along a slope of 1.5 they have nearly the probabilities of the limit."""
    values = np.array([1.0, 2.0, 5.0, 20.0])
    near = rivals.rival_log_pmf("lognormal", values, np.asarray(-1.5 * np.exp(8.0)), np.asarray(4.0), 1.0)
    limit = np.log(((values - 0.5) / 0.5) ** -1.5 - ((values + 0.5) / 0.5) ** -1.5)
    assert near.tolist() == pytest.approx(limit.tolist(), abs=0.005)  # (log 40) ** 2 / 2 / e ** 8
    times = np.array([1000, 230, 60, 40])
    fit = rivals.fit_rival("lognormal", values, times, 1.0)
    inside = [rivals.rival_log_pmf("lognormal", values, *at, 1.0) @ times for at in ((-60.0, 2.0), (0.0, 0.3))]
    assert fit.log_pmf @ times > max(inside)


@pytest.mark.parametrize(
    ("largest", "times", "at_bound"),
    [
        (40.0, [500, 20, 4, 2, 30], True),  # one or very many: without a mean
        (8.0, [30, 40, 60, 40, 2], True),  # less variance than a Poisson distribution
        (8.0, [50, 30, 20, 12, 8], False),
    ],
)
def test_a_negative_binomial_distribution_at_its_bound_says_so(largest, times, at_bound):
    values, times = np.array([1.0, 2.0, 3.0, 4.0, largest]), np.array(times)
    fit = rivals.fit_rival("negative_binomial", values, times, 1.0)
    assert fit.at_bound == at_bound
    grid = [(a, b) for a in np.linspace(-12, 5, 35) for b in np.linspace(-11, 11, 45)]
    with np.errstate(all="ignore"):
        every = [rivals.rival_log_pmf("negative_binomial", values, *map(np.asarray, at), 1.0) @ times for at in grid]
    assert fit.log_pmf @ times > np.nanmax(every) - 0.01


def test_vuong_is_the_plain_formula():
    a, b, times = np.array([-1.0, -2.0, -4.0]), np.array([-1.5, -1.9, -3.0]), np.array([2, 3, 1])
    each = np.repeat(a - b, times)
    ratio, z, p = rivals.vuong(a, b, times)
    assert ratio == pytest.approx(each.sum()) and z == pytest.approx(each.sum() / (each.std() * np.sqrt(6)))
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert rivals.vuong(a, a, times) == (0.0, 0.0, 1.0)


# distributions of all sizes


@pytest.mark.parametrize("family", ["negative_binomial", "lognormal", "power_tail"])
def test_draws_means_and_survival_functions_of_a_law_agree(family):
    rng = np.random.default_rng(10)
    x = {
        "negative_binomial": rng.negative_binomial(2, 0.3, 400) + 0,
        "lognormal": np.round(rng.lognormal(1.0, 0.8, 400)),
        "power_tail": bodied(rng, 400, alpha=4.5),
    }[family]
    sizes = fatality_sizes(x, family=family, draws=200, rng=1)
    law = rng.integers(0, 200, 300_000)
    drawn = sizes.distributions.draw(law, rng)
    for at in (1, 2, 5, 20):
        chance = float(sizes.distributions.survival(at).mean())
        assert (drawn >= at).mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 3e5) + 2e-3)
    finite = sizes.distributions.mean()
    assert np.isfinite(finite).all()
    assert drawn.mean() == pytest.approx(finite.mean(), abs=4 * drawn.std() / np.sqrt(3e5) + 0.01)
    assert (sizes.distributions.survival(1) == pytest.approx(1.0)) and drawn.min() >= 1


def test_the_law_is_chosen_by_aic():
    rng = np.random.default_rng(11)
    assert fatality_sizes(rng.negative_binomial(2, 0.3, 800), draws=20, rng=1).family == "negative_binomial"
    assert fatality_sizes(np.round(rng.lognormal(1.5, 1.2, 800)), draws=20, rng=1).family == "lognormal"
    heavy = fatality_sizes(rng.zipf(1.8, 800), draws=20, rng=1)
    assert heavy.family == "power_tail" and heavy.candidates["over"]["power_tail"] == 0.0
    assert heavy.mean() is None and "no expected number is given" in heavy.sentence()


@pytest.mark.nightly
def test_intervals_of_the_chance_of_many_killed_cover():
    rng = np.random.default_rng(12)
    truth = stats.nbinom(1.5, 0.2)
    chance = truth.sf(9) / truth.sf(0)
    hits = []
    for _ in range(150):
        sizes = fatality_sizes(truth.rvs(60, random_state=rng), family="negative_binomial", draws=400, rng=rng)
        row = sizes.exceedance([10]).iloc[0]
        hits.append(row["lower"] <= chance <= row["upper"])
    assert np.mean(hits) == pytest.approx(0.9, abs=3 * 0.3 / np.sqrt(150))


def test_few_and_equal_events():
    ones = fatality_sizes([1] * 12, draws=20, rng=1)
    assert ones.family == "negative_binomial" and ones.exceedance([1])["probability"].tolist() == [1.0]
    assert ones.exceedance([2])["upper"].iloc[0] < 0.3
    with pytest.raises(InputError, match="no power law can be had for the tail"):
        fatality_sizes([1] * 12, family="power_tail", rng=1)
    with pytest.raises(InputError, match="no threshold has 10 events and two different numbers"):
        fatality_tail([3] * 12, rng=1)


def test_low_and_high_figures_are_carried_as_draws():
    rng = np.random.default_rng(13)
    best = bodied(rng, 300, alpha=3.0).astype(int)
    dates = pd.date_range("2020-01-01", periods=300)
    table = pd.DataFrame({"date": dates, "fatalities": best, "fatalities_low": best, "fatalities_high": best})
    same = draw_figures(table, draws=4, rng=1)
    assert (same.to_numpy() == best[:, None]).all()
    for family in ("negative_binomial", "lognormal", "power_tail"):
        one, four = (fatality_sizes(x, family=family, draws=1000, rng=1) for x in (table["fatalities"], same))
        assert four.n == one.n == 300 and four.candidates["aic"].tolist() == pytest.approx(
            one.candidates["aic"].tolist()
        )
        chance = one.exceedance([10]).iloc[0]
        # the same posterior, drawn in four parts: Monte Carlo errors of 1,000 draws
        assert four.exceedance([10])["probability"].iloc[0] == pytest.approx(chance["probability"], abs=0.01)
        assert four.exceedance([10])["seen"].iloc[0] == pytest.approx(chance["seen"])
    wide = table.assign(fatalities_low=np.maximum(best // 2, 1), fatalities_high=best * 4)
    drawn = draw_figures(wide, draws=20, rng=1)
    more = fatality_sizes(drawn, family="power_tail", draws=400, rng=1)
    assert more.exceedance([10])["probability"].iloc[0] > one.exceedance([10])["probability"].iloc[0]
    assert more.exceedance([10])["seen"].iloc[0] == pytest.approx((drawn >= 10).to_numpy().mean())
    unknown = pd.DataFrame({"date": dates[:2], "fatalities_low": [1.0, np.nan], "fatalities_high": [3.0, 5.0]})
    assert draw_figures(unknown, draws=30, rng=1).index.tolist() == [0]
    with pytest.raises(InputError, match="fatalities has columns named None; give one column, or draw_figures"):
        fatality_sizes(pd.DataFrame({"fatalities": best}))


def test_unknown_and_harmless_events_are_left_out():
    known = pd.Series([2, 0, None, 5] + [1, 3] * 6, dtype="Int64")
    assert fatality_sizes(known, draws=20, rng=1).n == 14


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: fatality_tail([5] * 9), "9 events killed anybody; a distribution of sizes needs at least 10"),
        (lambda: fatality_tail([1.5] * 12), "fatalities holds 1.5; give whole numbers"),
        (lambda: fatality_tail(["many"] * 12), "fatalities holds values that are no numbers"),
        (lambda: fatality_tail([1, 2] * 10, xmin=3), "xmin is 3, and 0 events killed as many"),
        (lambda: fatality_tail([1, 2] * 10, replicates=5), "replicates is 5; an interval needs at least 20"),
        (lambda: fatality_tail([1, 2] * 10, samples=-1), "samples is -1; give a whole number from 0"),
        (lambda: fatality_sizes([1, 2] * 10, family="gamma"), "family is 'gamma'; use 'auto'"),
        (lambda: fatality_sizes([1, 2] * 10, draws=5), "draws is 5; the distribution's uncertainty needs at least 20"),
    ],
)
def test_what_cannot_be_used_is_refused(call, why):
    with pytest.raises(InputError, match=why):
        call()


def test_the_same_seed_gives_the_same_numbers():
    x = terrorism()[::10]
    first, second = (fatality_tail(x, samples=30, replicates=30, rng=4) for _ in range(2))
    assert first.replicates.equals(second.replicates) and first.p_value == second.p_value
    a, b = (fatality_sizes(x, draws=30, rng=4).exceedance([10]) for _ in range(2))
    assert a.equals(b)


def test_samples_are_fitted_from_the_threshold_that_was_given():
    """A plain loop; few of twelve values from 20 on are 20 itself, and the threshold must not move to the least."""
    killed = np.array([20, 23, 26, 31, 37, 45, 60, 80, 110, 190, 420, 900])
    tail = fatality_tail(killed, xmin=20, samples=3000, replicates=20, rng=1)
    rng, worse = np.random.default_rng(2), 0

    def fit(values):
        logs = np.log(values).sum()
        loss = optimize.minimize_scalar(
            lambda alpha: alpha * logs + 12 * np.log(special.zeta(alpha, 20)), bounds=(1.01, 19), method="bounded"
        )
        at = np.unique([values - 1, values])  # the distance is largest at a value or just before one
        law = 1 - special.zeta(loss.x, at[at >= 20] + 1) / special.zeta(loss.x, 20)
        return loss.x, np.abs((values[:, None] <= at[at >= 20]).mean(axis=0) - law).max()

    alpha, far = fit(killed)
    assert (alpha, far) == (pytest.approx(tail.alpha, abs=1e-4), pytest.approx(tail.distance, abs=1e-4))
    grid = np.arange(20, 2_000_000)
    steps = np.cumsum(grid**-alpha) / special.zeta(alpha, 20)
    for _ in range(600):
        drawn = grid[np.minimum(np.searchsorted(steps, rng.random(12)), len(grid) - 1)]
        worse += fit(drawn)[1] >= far
    assert tail.p_value == pytest.approx(worse / 600, abs=0.06)  # three standard errors of 600 samples


def test_a_sample_without_a_value_above_the_threshold_is_no_hindrance():
    killed = np.repeat([1, 2, 20, 30, 50], [3000, 1500, 5, 3, 2])  # one sample in 22,000 would have none above 2
    assert 0 <= fatality_tail(killed, xmin=20, samples=30_000, replicates=20, rng=0).p_value <= 1


def test_tiny_probabilities_are_bounds_in_sentences():
    said = fatality_sizes(np.full(20, 3), draws=50, rng=1).sentence()
    assert "below 0.001 (90% interval below 0.0001 to below 0.0001)" in said
