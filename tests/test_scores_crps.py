"""CRPS of draws, against its definition by plain loops and against R's scoringRules."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from escalation import InputError, scores

# sums of S terms of one sign, each right to 1e-16
ROUNDING = 1e-13


def by_definition(x, y, weights=None, fair=False):
    x = np.asarray(x, dtype=float)
    w = np.full(len(x), 1 / len(x)) if weights is None else np.asarray(weights) / np.sum(weights)
    pairs = sum(w[s] * w[t] * abs(x[s] - x[t]) for s in range(len(x)) for t in range(len(x)))
    return sum(w * abs(x - y)) - pairs / 2 / (1 - sum(w**2) if fair else 1)


RNG = np.random.default_rng(1)
DRAWS = {
    "counts": RNG.poisson(3, (12, 30)),
    "heavy counts": RNG.negative_binomial(0.2, 0.2 / 200, (12, 30)),
    "wide counts": RNG.integers(-(10**12), 10**12, (12, 30)),
    "whole floats": RNG.poisson(3, (12, 30)).astype(float),
    "floats of both signs": RNG.normal(size=(12, 30)),
    "tied floats": RNG.normal(size=(12, 30)).round(1),
    "floats from 1e-300 to 1e300": np.sign(RNG.normal(size=(12, 30))) * 10.0 ** RNG.uniform(-300, 300, (12, 30)),
    "huge whole floats": 2.0**60 + 2.0**12 * RNG.integers(0, 9, (12, 30)),
    "one value": np.full((12, 30), 4),
    "two draws": RNG.normal(size=(12, 2)),
}


@pytest.mark.parametrize("estimator", ["ensemble", "fair"])
@pytest.mark.parametrize("kind", DRAWS)
def test_it_is_what_its_definition_says(kind, estimator):
    draws = DRAWS[kind]
    y = draws[:, 0] + RNG.normal(size=len(draws)).round(1)
    wanted = [by_definition(x, seen, fair=estimator == "fair") for x, seen in zip(draws, y, strict=True)]
    size = np.abs(draws.astype(float)).mean(axis=1)  # the definition itself cancels
    assert np.all(np.abs(scores.crps(draws, y, estimator=estimator) - wanted) <= ROUNDING * size)
    equal = scores.crps(draws, y, estimator=estimator, weights=np.full(draws.shape[1], 2.0))
    assert np.all(np.abs(equal - wanted) <= ROUNDING * size)


@pytest.mark.parametrize("estimator", ["ensemble", "fair"])
def test_weights_weigh(estimator):
    draws, weights = DRAWS["heavy counts"], RNG.random((12, 30))
    weights[:, 3] = 0
    wanted = [by_definition(x, 7, w, estimator == "fair") for x, w in zip(draws, weights, strict=True)]
    assert scores.crps(draws, 7, weights=weights, estimator=estimator) == pytest.approx(wanted, rel=ROUNDING)
    if estimator == "ensemble":  # whole weights stand for repeated draws
        repeated = np.repeat(draws[0], np.arange(30))
        assert scores.crps(draws[0], 7, weights=np.arange(30)) == pytest.approx(scores.crps(repeated, 7), rel=ROUNDING)


def test_many_weighted_forecasts_go_in_blocks():
    draws = RNG.poisson(5, (700, 8))
    assert scores.crps(draws, 4, weights=np.ones(8)) == pytest.approx(scores.crps(draws, 4), rel=ROUNDING)


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e9, 1e9)),
    st.floats(-1e9, 1e9),
)
def test_it_is_the_area_between_two_steps(x, y):
    """The integral, over every gap between draws and observation."""
    places = np.sort(np.append(x, y))
    middles = (places[:-1] + places[1:]) / 2
    below = (x[None, :] <= middles[:, None]).mean(axis=1)
    area = np.sum((below - (middles >= y)) ** 2 * np.diff(places))
    assert scores.crps(x, y) == pytest.approx(area, rel=1e-12, abs=1e-12)
    assert scores.crps(x, y) >= 0
    assert scores.crps(x[::-1].copy(), y) == scores.crps(x, y)


def test_it_agrees_with_r(shared_data):
    sample = json.loads(shared_data("data/reference/scoringRules_grid.json").read_text())["sample"]
    draws, y = np.array(sample["draws"]), np.array(sample["y"])
    # printed to 15 digits
    assert scores.crps(draws, y) == pytest.approx(sample["crps_edf"], rel=1e-13)
    assert scores.crps(draws, y, estimator="fair") == pytest.approx(sample["crps_fair"], rel=1e-13)
    weights = np.array(sample["weights_first_row"])
    assert scores.crps(draws, y, weights=weights) == pytest.approx(sample["crps_edf_weighted"], rel=1e-13)


def test_the_fair_form_does_not_depend_on_the_number_of_draws():
    # 4,000 forecasts of 5 draws each: the mean is the score of the distribution itself, within 4 standard errors
    rng = np.random.default_rng(2)
    y, distribution = 4, scores.crps_poisson(3, 4)
    fair = scores.crps(rng.poisson(3, (4000, 5)), y, estimator="fair")
    assert abs(fair.mean() - distribution) < 4 * fair.std() / np.sqrt(4000)
    biased = scores.crps(rng.poisson(3, (4000, 5)), y)
    assert biased.mean() - distribution > 10 * biased.std() / np.sqrt(4000)


def test_of_counts_it_is_the_ranked_probability_score():
    draws = RNG.poisson(3, (6, 50))
    pmf = np.array([np.bincount(x, minlength=20) / 50 for x in draws])
    y = [0, 1, 3, 5, 9, 19]
    assert scores.crps(draws, y) == pytest.approx(scores.ranked_probability_score(pmf, y), rel=1e-12)


def test_on_the_log_scale_it_scores_logarithms():
    draws = DRAWS["heavy counts"]
    wanted = [by_definition(np.log(1 + x), np.log(8)) for x in draws]
    assert scores.crps(draws, 7, scale="log1p") == pytest.approx(wanted, rel=1e-12)


def test_a_threshold_hides_what_is_below():
    draws = DRAWS["heavy counts"]
    y = draws[:, 1]
    thresholds = np.arange(12.0) * 10
    grid = np.arange(0, draws.max() + 1)
    for x, seen, t, got in zip(draws, y, thresholds, scores.twcrps(draws, y, thresholds), strict=True):
        steps = (x[None, :] <= grid[:, None]).mean(axis=1) - (grid >= seen)
        assert got == pytest.approx(np.sum(steps[grid >= t] ** 2), rel=1e-12, abs=1e-12)
    assert scores.twcrps(draws, y, -1) == pytest.approx(scores.crps(draws, y))
    fair = scores.twcrps(draws, y, 30, estimator="fair")
    assert fair == pytest.approx(
        [by_definition(np.maximum(x, 30), max(s, 30), fair=True) for x, s in zip(draws, y, strict=True)]
    )


def test_thresholds_are_one_or_one_each():
    with pytest.raises(
        InputError, match=r"threshold has the shape \(3,\); give one number, or one for each of the \(12,\)"
    ):
        scores.twcrps(DRAWS["counts"], 3, [1, 2, 3])
    assert np.isnan(scores.twcrps([[1, 2], [1, 2]], 1, [1, np.nan])).tolist() == [False, True]


def test_shapes_and_missing_values():
    draws = np.arange(24.0).reshape(2, 3, 4)
    assert scores.crps(draws, 5).shape == (2, 3)
    assert scores.crps(draws, [5, 6, 7])[1, 2] == scores.crps(draws[1, 2], 7)
    assert np.ndim(scores.crps(draws[0, 0], 5)) == 0
    assert scores.crps(np.empty((0, 4)), np.empty(0)).shape == (0,)
    assert scores.crps(draws.transpose(2, 1, 0), 5)[3, 0] == scores.crps(draws[:, 0, 3], 5)
    draws[0, 1, 2] = np.nan
    got = scores.crps(draws, [[1, 2, 3], [4, 5, np.nan]])
    assert np.isnan(got).tolist() == [[False, True, False], [False, False, True]]
    weighted = scores.crps(draws, [[1, 2, 3], [4, 5, np.nan]], weights=np.ones(4))
    np.testing.assert_allclose(weighted, got, rtol=ROUNDING)
    observed = pd.Series([3, pd.NA, 4], dtype="Int64")
    assert np.isnan(scores.crps(np.ones((3, 2)), observed)).tolist() == [False, True, False]
    table = pd.DataFrame({0: pd.array([1, 2], dtype="Int64"), 1: pd.array([1, None], dtype="Int64")})
    assert np.isnan(scores.crps(table, [1, 1])).tolist() == [False, True]


def test_nothing_is_written_to():
    draws, y = DRAWS["floats of both signs"].copy(), np.zeros(12)
    scores.crps(draws, y)
    scores.crps(draws, y, weights=np.ones(30))
    assert (draws == DRAWS["floats of both signs"]).all()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.ones((5, 3)), np.ones(3)), {}, r"draws has the shape \(5, 3\) and y \(3,\)"),
        ((np.ones((3, 0)), np.ones(3)), {}, "go along the last axis"),
        ((5, 5), {}, "go along the last axis"),
        (([1, np.inf], 0), {}, r"draws is infinite at \[1\]"),
        ((["a", "b"], 0), {}, "turn it into numbers"),
        (([[1, 2], [3]], 0), {}, "no array of numbers"),
        (([1, 2], object()), {}, "no array of numbers"),
        (([1, 2], 0), {"estimator": "nrg"}, "estimator is 'nrg'"),
        (([1], 0), {"estimator": "fair"}, "one draw has no fair CRPS"),
        (([1, 2], 0), {"weights": [1, 0], "estimator": "fair"}, "all weight is on one draw"),
        (([1, 2], 0), {"weights": [1, 2, 3]}, r"weights has the shape \(3,\)"),
        (([1, 2], 0), {"weights": [1, -1]}, "a weight is negative or missing"),
        (([1, 2], 0), {"weights": [0, 0]}, "all are 0"),
        (([1, 2], 0), {"scale": "log"}, "scale is 'log'; give 'linear'"),
        (([1, -2], 0), {"scale": "log1p"}, r"draws is -2 at \[1\]; only numbers >= 0"),
        (([1, 2], -3), {"scale": "log1p"}, "y is -3; only numbers >= 0"),
    ],
)
def test_what_cannot_be_scored(arguments, options, message):
    with pytest.raises(InputError, match=message):
        scores.crps(*arguments, **options)
