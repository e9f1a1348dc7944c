"""Ignorance, intervals, log score, moments and calibration of draws, against plain loops, R and enumeration."""

import json

import numpy as np
import pytest
from scipy import stats

import escalation
from escalation import InputError, scores
from escalation.errors import ResampledDrawsWarning

RNG = np.random.default_rng(1)
DRAWS = RNG.negative_binomial(0.3, 0.3 / 60, (40, 1000))
Y = RNG.negative_binomial(0.3, 0.3 / 60, 40)
NAMED_BINS = [
    (0, 0),
    (1, 2),
    (3, 5),
    (6, 10),
    (11, 25),
    (26, 50),
    (51, 100),
    (101, 250),
    (251, 500),
    (501, 1000),
    (1001, 10**9),
]


def test_the_module_is_loaded_by_its_name():
    assert escalation.scores.crps([0, 2], 1) == 0.5


# ignorance


def test_ignorance_counts_the_draws_of_the_observed_bin():
    for x, y, got in zip(DRAWS, Y, scores.ignorance(DRAWS, Y), strict=True):
        low, high = next(span for span in NAMED_BINS if span[0] <= y <= span[1])
        assert got == pytest.approx(-np.log2((sum(low <= v <= high for v in x) + 1) / 1011), rel=1e-14)


def test_bins_hold_the_counts_that_they_are_named_after():
    for low, high in NAMED_BINS[:-1]:
        assert scores.ignorance(np.full((2, 1000), low), [low, high]) == pytest.approx(
            [np.log2(1011 / 1001)] * 2, rel=1e-12
        )
        assert scores.ignorance(np.full(1000, high), high + 1) == pytest.approx(np.log2(1011), rel=1e-12)


def test_ignorance_with_own_bins_and_few_draws():
    got = scores.ignorance([[0, 5, 30], [0, 5, np.nan]], [7, 1], bins=[0, 5, 25])
    assert got[0] == pytest.approx(-np.log2(2 / 6))
    assert np.isnan(got[1])
    assert np.isnan(scores.ignorance([0, 1], np.nan))


def test_fourier_resampling_depends_on_the_order_of_the_draws_and_says_so():
    with pytest.warns(
        ResampledDrawsWarning, match="12 draws are resampled to 1,000 by Fourier.*order.*resample='none'"
    ):
        one = scores.ignorance([0] * 6 + [50] * 6, 30, resample="fft")
    with pytest.warns(ResampledDrawsWarning):
        other = scores.ignorance([0, 50] * 6, 30, resample="fft")
    assert one != other
    honest = scores.ignorance([[0] * 6 + [50] * 6, [0, 50] * 6], 30)
    assert honest[0] == honest[1]
    assert scores.ignorance(DRAWS, Y, resample="fft").tolist() == scores.ignorance(DRAWS, Y).tolist()  # 1,000 already


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0, 1], 0), {"bins": [0, 5, 5]}, "bins do not rise"),
        (([0, 1], 0), {"bins": 3}, "bins do not rise"),
        (([0, 1], 0), {"resample": "bootstrap"}, "resample is 'bootstrap'"),
        (([0, -1], 0), {}, "below the first bin, which begins at 0"),
        (([0, 1], -1), {}, "below the first bin"),
    ],
)
def test_what_ignorance_cannot_score(arguments, options, message):
    with pytest.raises(InputError, match=message):
        scores.ignorance(*arguments, **options)


# quantiles and intervals


def linear_quantile(x, q):
    x = sorted(float(v) for v in x)
    place = q * (len(x) - 1)
    low = int(place)
    return x[low] + (place - low) * (x[min(low + 1, len(x) - 1)] - x[low])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_interval_scores_and_coverage_by_a_plain_loop(level):
    a = 1 - level
    got, inside = scores.interval_score(DRAWS, Y, level=level), scores.coverage(DRAWS, Y, level=level)
    for x, y, score, covered in zip(DRAWS, Y, got, inside, strict=True):
        low, high = linear_quantile(x, a / 2), linear_quantile(x, 1 - a / 2)
        wanted = high - low + (2 / a * (low - y) if y < low else 0) + (2 / a * (y - high) if y > high else 0)
        assert score == pytest.approx(wanted, rel=1e-12)
        assert covered == (low <= y <= high)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.99])
def test_quantile_scores_by_a_plain_loop(q):
    got = scores.quantile_score(DRAWS, Y, q=q)
    for x, y, score in zip(DRAWS, Y, got, strict=True):
        away = y - linear_quantile(x, q)
        assert score == pytest.approx(q * away if away > 0 else (q - 1) * away, rel=1e-12, abs=1e-15)


def test_an_interval_score_is_made_of_two_quantile_scores():
    both = scores.quantile_score(DRAWS, Y, q=0.05) + scores.quantile_score(DRAWS, Y, q=0.95)
    assert scores.interval_score(DRAWS, Y) == pytest.approx(20 * both, rel=1e-12)


def test_quantiles_on_the_log_scale():
    logs = np.log1p(DRAWS), np.log1p(Y)
    assert scores.interval_score(DRAWS, Y, scale="log1p") == pytest.approx(scores.interval_score(*logs), rel=1e-12)
    assert scores.quantile_score(DRAWS, Y, scale="log1p") == pytest.approx(scores.quantile_score(*logs), rel=1e-12)


def test_what_is_missing_has_no_interval():
    draws = [[1.0, 2.0], [1.0, np.nan], [1.0, 2.0]]
    for score in (
        scores.interval_score,
        scores.coverage,
        scores.quantile_score,
        scores.dawid_sebastiani,
        scores.log_score_draws,
    ):
        assert np.isnan(score(draws, [1, 1, np.nan])).tolist() == [False, True, True]
        assert score(np.ones((2, 3, 4)), 1).shape == (2, 3)


def test_levels_are_probabilities():
    with pytest.raises(InputError, match="level is 90; give a probability"):
        scores.coverage(DRAWS, Y, level=90)
    with pytest.raises(InputError, match="q is 1; give the probability of a quantile"):
        scores.quantile_score(DRAWS, Y, q=1)


# log score of draws

DISTRIBUTIONS = {
    "poisson 0.5": stats.poisson(0.5),
    "poisson 20": stats.poisson(20),
    "poisson 200": stats.poisson(200),
    "nb 0.3, 5": stats.nbinom(1 / 5, 1 / (1 + 0.3 * 5)),
    "nb 10, 1": stats.nbinom(1, 1 / 11),
    "nb 50, 10": stats.nbinom(0.1, 1 / 501),
    "nb 150, 1": stats.nbinom(1, 1 / 151),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_smoothed_forecast_costs_little_more_than_the_distribution(name):
    """Kullback-Leibler distance from the distribution, over all counts; of the bare shares of draws it is infinite."""
    distribution, rng = DISTRIBUTIONS[name], np.random.default_rng(5)
    counts = np.arange(int(distribution.ppf(1 - 1e-7)) + 2)
    p = distribution.pmf(counts)
    for size, most in ((1000, 0.025), (100, 0.12)):  # docstring: 0.007 and 0.04 on average over distributions
        excess = []
        for _ in range(4):
            draws = distribution.rvs(size, random_state=rng)
            got = scores.log_score_draws(np.broadcast_to(draws, (len(counts), size)), counts)
            excess.append(np.sum(p * (got + distribution.logpmf(counts))))
        assert 0 < np.mean(excess) < most


def test_smoothed_probabilities_sum_to_one():
    counts = np.arange(20_000)
    draws = np.tile([0, 0, 3, 50], (len(counts), 1))
    total = np.exp(-scores.log_score_draws(draws, counts)).sum()
    assert total == pytest.approx(
        1 - 1 / (5 * 20_001), abs=1e-9
    )  # the one draw more reaches further: P(Y >= k) = 1 / (k + 1)


def test_smoothed_probabilities_by_a_plain_loop():
    x, y = np.array([0, 0, 3, 50, 7]), np.array([0, 1, 5, 49, 1000])
    h = 0.6 * np.std(np.log1p(x)) * 5**-0.2
    for seen, got in zip(y, scores.log_score_draws(np.tile(x, (5, 1)), y), strict=True):
        low = np.log(seen + 0.5) if seen else -np.inf
        parts = [
            stats.norm.cdf((np.log(seen + 1.5) - np.log1p(v)) / h) - stats.norm.cdf((low - np.log1p(v)) / h) for v in x
        ]
        assert np.exp(-got) == pytest.approx((sum(parts) + 1 / ((seen + 1) * (seen + 2))) / 6, rel=1e-9)


def test_no_count_is_impossible():
    got = scores.log_score_draws(np.zeros((3, 1000)), [0, 1, 10**9])
    assert np.isfinite(got).all() and got[0] < 0.001 < 8 < got[1] < got[2] < 60
    assert np.isfinite(scores.log_score_draws([5], 5))
    with pytest.raises(InputError, match=r"draws is -1 at \[0\]"):
        scores.log_score_draws([-1, 2], 0)


# moments


def test_dawid_sebastiani_agrees_with_r(shared_data):
    grid = json.loads(shared_data("data/reference/scoringRules_grid.json").read_text())
    sample = grid["sample"]
    assert scores.dawid_sebastiani(sample["draws"], sample["y"]) == pytest.approx(sample["dss_sample"], rel=1e-12)
    for row in grid["crps_pois"]:
        got = scores.dawid_sebastiani_moments(row["lambda"], row["lambda"], row["y"])
        assert got == pytest.approx(row["dss"], rel=1e-12)


def test_dawid_sebastiani_of_a_certain_forecast():
    assert scores.dawid_sebastiani(np.full((2, 30), 0.1), [0.1, 3]).tolist() == [-np.inf, np.inf]
    assert scores.dawid_sebastiani_moments([2, 2, np.nan], 0, [2, 3, 2])[:2].tolist() == [-np.inf, np.inf]
    with pytest.raises(InputError, match="variance is -1; a variance"):
        scores.dawid_sebastiani_moments(0, -1, 0)


# calibration


def test_pit_is_the_mean_of_many_randomised_ones():
    below, upto = scores.cdf_pair(DRAWS, Y)
    assert below.tolist() == [np.mean(x < y) for x, y in zip(DRAWS, Y, strict=True)]
    assert upto.tolist() == [np.mean(x <= y) for x, y in zip(DRAWS, Y, strict=True)]
    drawn = below + np.random.default_rng(6).random((20_000, 40)) * (upto - below)
    heights = np.histogram(drawn, bins=10, range=(0, 1), density=True)[0]
    # each height is a mean of 800,000 points: standard error 10 sqrt(0.1 / 800,000) = 0.0035
    assert scores.pit_draws(DRAWS, Y) == pytest.approx(heights, abs=0.015)


def test_pit_is_flat_for_the_true_distribution():
    counts = np.arange(200)
    distribution = stats.nbinom(2, 2 / 12)
    weight = np.round(distribution.pmf(counts) * 1e5).astype(int)  # observations in exactly their proportions
    y = np.repeat(counts, weight)
    heights = scores.pit(distribution.cdf(y - 1), distribution.cdf(y), bins=7)
    assert heights == pytest.approx(np.ones(7), abs=1e-3)  # rounding of the proportions
    assert heights.mean() == pytest.approx(1)


def test_pit_where_no_draw_equals_the_observation():
    draws = [[0, 0, 9, 9]] * 3
    assert scores.pit_draws(draws, [5, -1, 20], bins=4).tolist() == pytest.approx([4 / 3, 2 / 3, 2 / 3, 4 / 3])
    assert scores.pit([0.5, 0.5], [0.5, 0.5], bins=1).tolist() == [1]


def test_pit_coverage_is_how_often_randomised_pits_lie_inside():
    below, upto = scores.cdf_pair(DRAWS, Y)
    u = np.random.default_rng(2).random((40_000, *below.shape))
    inside = np.abs(below + u * (upto - below) - 0.5) < 0.4
    # four standard errors of a share of 40,000
    assert scores.pit_coverage(below, upto, level=0.8) == pytest.approx(inside.mean(axis=0), abs=0.01)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_pit_coverage_of_the_true_distribution_is_the_level_where_closed_intervals_hold_more(level):
    distribution, y = stats.nbinom(0.2, 0.4), np.arange(200)
    held = scores.pit_coverage(distribution.cdf(y - 1), distribution.cdf(y), level=level)
    assert distribution.pmf(y) @ held == pytest.approx(level, abs=1e-12)
    low, high = distribution.interval(level)
    assert distribution.pmf(y)[(y >= low) & (y <= high)].sum() > level + 0.02
    heights = scores.pit(distribution.cdf(y[:5] - 1), distribution.cdf(y[:5]), bins=20)
    inner = heights[5:15] if level == 0.5 else heights[1:19]
    assert held[:5].mean() == pytest.approx(inner.sum() / 20, abs=1e-12)


def test_pit_coverage_where_no_draw_equals_the_observation():
    held = scores.pit_coverage([0.0, 0.25, 0.3, 1.0, np.nan], [0.0, 0.25, 0.3, 1.0, np.nan], level=0.5)
    np.testing.assert_equal(held, [0.0, 0.5, 1.0, 0.0, np.nan])
    with pytest.raises(InputError, match="below is larger than upto"):
        scores.pit_coverage(0.5, 0.2)


def test_pit_leaves_out_what_was_not_observed():
    assert scores.pit([0, np.nan], [1, np.nan], bins=2).tolist() == [1, 1]
    assert scores.pit_draws([[0, 1], [np.nan, 1]], [1, np.nan], bins=2).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("score", "arguments", "message"),
    [
        (scores.pit, (0.5, 0.2), "below is larger than upto"),
        (scores.pit, (0.5, np.nan), "one of below and upto is NaN"),
        (scores.pit, ([np.nan], [np.nan]), "no forecast was observed"),
        (scores.pit, (0.5, 1.2), "upto is 1.2; a probability"),
        (scores.pit_draws, ([[0, np.nan]], [1]), "an observed cell has a NaN among its draws"),
    ],
)
def test_what_has_no_pit(score, arguments, message):
    with pytest.raises(InputError, match=message):
        score(*arguments)
    with pytest.raises(InputError, match="bins is 0; give a whole number"):
        scores.pit(0, 1, bins=0)
