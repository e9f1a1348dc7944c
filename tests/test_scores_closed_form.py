"""Scores of Poisson and negative binomial distributions, against exact arithmetic, R and identities."""

import json
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import i0e, i1e

from escalation import InputError, scores


def exact_pmf(mean, dispersion, upto):
    """Probabilities 0 to ``upto`` in 60 digits; mean and dispersion are fractions."""
    with localcontext(prec=60):
        mu, a = (Decimal(v.numerator) / Decimal(v.denominator) for v in (Fraction(mean), Fraction(dispersion)))
        p = (-mu).exp() if a == 0 else (-(1 + a * mu).ln() / a).exp()
        probabilities = [p]
        for k in range(upto):
            p *= mu * (1 + a * k) / ((k + 1) * (1 + a * mu))
            probabilities.append(p)
        return probabilities


def exact_crps(mean, dispersion, y, upto, log=False):
    with localcontext(prec=60):
        below, score = Decimal(0), Decimal(0)
        for k, p in enumerate(exact_pmf(mean, dispersion, upto)):
            below += p
            gap = (Decimal(k + 2) / Decimal(k + 1)).ln() if log else 1
            score += (below - (k >= y)) ** 2 * gap
        return float(score)


DISTRIBUTIONS = [
    ("0.0001", 0, 60),
    ("0.05", "0.5", 80),
    (3, 0, 80),
    (3, "0.5", 400),
    (20, "0.000001", 150),
    (20, 2, 5000),
    (100, 10, 60_000),
    (1000, 0, 3200),
    (1000, "0.00001", 3200),
]


@pytest.mark.parametrize(("mean", "dispersion", "upto"), DISTRIBUTIONS)
def test_sums_are_exact(mean, dispersion, upto):
    # 1e-12: probabilities are recursed over up to 60,000 terms whose roundings (1e-16) add up at random
    for y in {0, 1, int(float(mean)), int(3 * float(mean)) + 2}:
        got = scores.crps_nbinom(float(mean), float(dispersion), y)
        assert got == pytest.approx(exact_crps(mean, dispersion, y, upto), rel=1e-12)


def test_sums_on_the_log_scale_are_exact():
    for mean, dispersion, upto in DISTRIBUTIONS[:6]:
        for y in (0, 2, 40):
            got = scores.crps_nbinom(float(mean), float(dispersion), y, scale="log1p")
            # logarithms of the gaps are right to 1e-16 each
            assert got == pytest.approx(exact_crps(mean, dispersion, y, upto, log=True), rel=1e-12)


@pytest.mark.parametrize("mean", [1e-12, 1e-3, 1.0, 357.0, 5_000.0, 20_000.0, 1e6])
def test_far_observations_cost_their_distance_to_the_mean_less_half_the_mean_difference(mean):
    """E|X - y| is their distance; of two Poisson counts, E|X - X'| has a closed form in Bessel functions."""
    half = mean * (i0e(2 * mean) + i1e(2 * mean))
    far = np.ceil(10 * mean + 50)
    # the difference of two large numbers is right to 1e-15 of them
    assert scores.crps_poisson(mean, far) == pytest.approx(far - mean - half, rel=1e-13)
    if mean >= 1:
        assert scores.crps_poisson(mean, 0) == pytest.approx(mean - half, rel=1e-13)
    else:
        assert scores.crps_poisson(mean, 0) == pytest.approx(mean**2, rel=mean)  # P(X > 0)^2 and less


def test_a_large_mean_with_a_large_size():
    """Far to both sides of a distribution the score is the distance to its mean less the same half mean difference."""
    for mean, size in ((20_000.0, 1e6), (5_000.0, 1e5), (1_000.0, 1e3), (20_000.0, 50.0)):
        low, high = scores.crps_nbinom(mean, 1 / size, [0, 40 * mean])
        assert mean - low == pytest.approx(39 * mean - high, rel=1e-10)  # 1e-15 of the larger score
        sd = np.sqrt(mean + mean**2 / size)
        assert mean - low == pytest.approx(sd / np.sqrt(np.pi), rel=0.01)  # of a normal distribution


def test_the_crps_agrees_with_r(shared_data):
    grid = json.loads(shared_data("data/reference/scoringRules_grid.json").read_text())
    for row in grid["crps_pois"]:
        got = scores.crps_poisson(row["lambda"], row["y"])
        # R's closed form is a difference of numbers of the size of mean and count
        assert got == pytest.approx(row["crps"], rel=1e-9, abs=1e-13 * max(row["lambda"], row["y"]))
    for row in grid["crps_nbinom"]:
        got = scores.crps_nbinom(row["mu"], 1 / row["size"], row["y"])
        assert got == pytest.approx(row["crps_by_direct_sum"], rel=1e-12)  # a sum over thousands of terms


def test_it_holds_where_closed_forms_fail(shared_data):
    traps = json.loads(shared_data("data/reference/crps_large_mean_traps.json").read_text())
    for row in traps["poisson"]:
        assert scores.crps_poisson(row["mu"], row["y"]) == pytest.approx(row["exact"], rel=1e-12)
    at_zero = {(row["mu"], row["size"]): row["exact"] for row in traps["negbinom"] if row["y"] == 0}
    for row in traps["negbinom"]:
        wanted = row["exact"]
        if row["y"] > row["mu"] >= 1000:  # some sums of the file stop before such a y; the identity above does not
            wanted = row["y"] - 2 * row["mu"] + at_zero[row["mu"], row["size"]]
        # the file sums distribution functions that are right to 1e-11 at these sizes
        assert scores.crps_nbinom(row["mu"], 1 / row["size"], row["y"]) == pytest.approx(wanted, rel=1e-9)


def test_the_crps_is_that_of_very_many_draws():
    draws = np.random.default_rng(3).negative_binomial(2, 2 / (2 + 30), 400_000)
    # the standard error of the mean distance is some 26 / sqrt(400,000)
    assert scores.crps(draws, 12, estimator="fair") == pytest.approx(scores.crps_nbinom(30, 0.5, 12), abs=0.15)


def test_a_mean_of_nothing():
    assert scores.crps_poisson(0, [0, 4]).tolist() == [0, 4]
    assert scores.crps_nbinom(0, 2, 4, scale="log1p") == np.log1p(4)
    assert scores.log_score_nbinom(0, 2, [0, 4]).tolist() == [0, np.inf]


@pytest.mark.parametrize(("mean", "dispersion", "upto"), DISTRIBUTIONS)
def test_log_scores_are_exact(mean, dispersion, upto):
    upto = min(upto, 1600)
    wanted = [-float(p.ln()) for p in exact_pmf(mean, dispersion, upto)]
    got = scores.log_score_nbinom(float(mean), float(dispersion), np.arange(upto + 1))
    # all terms are of the size of the score; 1e-15 for the decimal fraction that is not the float
    assert got == pytest.approx(wanted, rel=1e-12, abs=2e-14)


def test_log_scores_at_20_000_are_exact():
    # ln(20000!) by Stirling's series, whose next term is 1e-17
    m = 20_000
    wanted = 0.5 * np.log(2 * np.pi * m) + 1 / (12 * m)
    assert scores.log_score_poisson(m, m) == pytest.approx(wanted, rel=1e-14)
    tiny = scores.log_score_nbinom(m, [1e-300, 1e-199, 1e-100, 1e-14], m)
    assert tiny == pytest.approx([wanted] * 4, rel=1e-9)  # Var / mean is 1 + 2e-10 at most


def test_log_scores_agree_with_r(shared_data):
    grid = json.loads(shared_data("data/reference/scoringRules_grid.json").read_text())
    for row in grid["crps_pois"]:
        assert scores.log_score_poisson(row["lambda"], row["y"]) == pytest.approx(row["logs"], rel=1e-13)
    for row in grid["crps_nbinom"]:
        got = scores.log_score_nbinom(row["mu"], 1 / row["size"], row["y"])
        assert got == pytest.approx(row["logs"], rel=1e-12)  # R's lgamma at sizes of 1e6


@pytest.mark.parametrize("name", ["campy_x_identity_poisson", "campy_x_identity_nbinom", "campy_nox_log_nbinom"])
def test_scores_of_fitted_means_agree_with_tscount(shared_data, name):
    fit = json.loads(shared_data("data/reference/tscount_campy.json").read_text())[name]
    table = np.genfromtxt(shared_data("data/reference/campy.csv"), delimiter=",", names=True, dtype=None, encoding=None)
    y = np.array(table[next(n for n in table.dtype.names if n not in ("time", "t", "year", "period"))], dtype=float)
    mean, alpha = np.array(fit["fitted_values"]), fit["sigmasq"]
    wanted = fit["scoring_mean"]
    # R's numbers are printed to 15 digits; its RPS sums stop where 1 - F is 1e-5 or so
    assert scores.log_score_nbinom(mean, alpha, y).mean() == pytest.approx(wanted["logarithmic"], rel=1e-11)
    assert scores.crps_nbinom(mean, alpha, y).mean() == pytest.approx(wanted["rankprob"], rel=1e-6)
    variance = mean + alpha * mean**2
    assert scores.dawid_sebastiani_moments(mean, variance, y).mean() == pytest.approx(wanted["dawseb"], rel=1e-11)
    probabilities = np.exp(-scores.log_score_nbinom(mean[:, None], alpha, np.arange(400)))
    reached = np.concatenate([np.zeros((len(y), 1)), np.cumsum(probabilities, axis=1)], axis=1)
    rows, seen = np.arange(len(y)), y.astype(int)
    heights = scores.pit(reached[rows, seen], np.minimum(reached[rows, seen + 1], 1))
    assert heights == pytest.approx(fit["pit"]["density"], rel=1e-10)


def test_probabilities_given_one_by_one():
    pmf = [[0.5, 0.25, 0.25], [0, 0, 1], [0.2, 0.2, 0.2]]
    assert scores.log_score(pmf, [0, 2, 1]) == pytest.approx([np.log(2), 0, np.log(5)])
    assert scores.log_score(pmf, [3, 1, 100]).tolist() == [np.inf] * 3
    missing = scores.log_score([[0.5, 0.5], [np.nan, 0.5]], [np.nan, 1])
    assert np.isnan(missing).all()
    exact = np.exp(-scores.log_score_nbinom(5, 0.3, np.arange(60)))
    assert scores.log_score(exact, 7) == pytest.approx(scores.log_score_nbinom(5, 0.3, 7))


def test_ranked_probability_scores_by_a_plain_loop():
    rng = np.random.default_rng(4)
    pmf = rng.dirichlet(np.ones(6), 20)
    y = rng.integers(0, 6, 20)
    wanted = [sum((sum(p[: k + 1]) - (seen <= k)) ** 2 for k in range(6)) for p, seen in zip(pmf, y, strict=True)]
    assert scores.ranked_probability_score(pmf, y) == pytest.approx(wanted, rel=1e-12)
    distribution = np.exp(-scores.log_score_nbinom(5, 0.3, np.arange(150)))
    assert scores.ranked_probability_score(distribution, 7) == pytest.approx(scores.crps_nbinom(5, 0.3, 7), rel=1e-12)
    assert np.isnan(scores.ranked_probability_score([[0.5, 0.5], [0.5, np.nan]], [np.nan, 1])).all()


def test_missing_values_and_shapes():
    for score in (scores.crps_nbinom, scores.log_score_nbinom):
        assert np.isnan(score([3, np.nan, 3, 3], [1, 1, np.nan, 1], [2, 2, 2, np.nan])).tolist() == [
            False,
            True,
            True,
            True,
        ]
        assert score(np.full((2, 1), 3.0), 0.5, [1, 2, 3]).shape == (2, 3)
        assert np.ndim(score(3, 0.5, 1)) == 0


@pytest.mark.parametrize(
    ("score", "arguments", "message"),
    [
        (scores.crps_nbinom, (-1, 0, 0), "mean is -1; an expected count"),
        (scores.crps_nbinom, (1, [0, -0.5], 0), "dispersion is -0.5; give alpha"),
        (scores.crps_poisson, (1, [0, 0.5]), r"y is 0.5 at \[1\]; give whole numbers >= 0"),
        (scores.log_score_poisson, (1, -1), "y is -1; give whole numbers >= 0"),
        (scores.crps_nbinom, ([1, 2], [1, 2, 3], 0), r"the shapes \(2,\), \(3,\), \(\) do not belong together"),
        (scores.log_score, ([0.9, 0.2], 0), "sum to 1.1; they may"),
        (scores.log_score, ([0.9, -0.2], 0), r"pmf is -0.2 at \[1\]; a probability is from 0 to 1"),
        (scores.ranked_probability_score, ([0.5, 0.2], 0), "sum to 0.7, not to 1"),
        (scores.ranked_probability_score, ([0.5, 0.5], 2), "y is 2, but the last category is 1"),
    ],
)
def test_what_cannot_be_scored(score, arguments, message):
    with pytest.raises(InputError, match=message):
        score(*arguments)


def test_distributions_are_scored_on_two_scales():
    with pytest.raises(InputError, match="scale is 'sqrt'; counts are scored"):
        scores.crps_poisson(1, 1, scale="sqrt")
