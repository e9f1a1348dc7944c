"""Energy score of joint draws, against its definition by plain loops and against the CRPS."""

import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.special import gamma

from escalation import InputError, scores
from escalation.scores import energy

RNG = np.random.default_rng(1)
DRAWS = {
    "counts": RNG.poisson(3, (6, 4, 25)),
    "heavy counts": RNG.negative_binomial(0.2, 0.2 / 200, (6, 4, 25)),
    "floats of both signs": RNG.normal(size=(6, 2, 25)),
    "one value": np.full((6, 3, 25), 4),
    "two draws": RNG.normal(size=(6, 3, 2)),
}
# sums of S^2 terms of one sign, each right to 1e-16
ROUNDING = 1e-13


def by_definition(x, y, fair=False):
    """The estimator of scoringRules' es_sample, whose draws are the columns of x: a loop over draws and pairs."""
    draws, components = range(len(x[0])), range(len(y))
    near = [math.sqrt(sum((x[k][s] - y[k]) ** 2 for k in components)) for s in draws]
    apart = [math.sqrt(sum((x[k][s] - x[k][t]) ** 2 for k in components)) for s in draws for t in draws]
    pairs = len(draws) * (len(draws) - 1) if fair else len(draws) ** 2
    return sum(near) / len(draws) - sum(apart) / (2 * pairs)


@pytest.mark.parametrize("estimator", ["ensemble", "fair"])
@pytest.mark.parametrize("kind", DRAWS)
def test_it_is_what_its_definition_says(kind, estimator):
    draws = DRAWS[kind]
    y = draws[:, :, 0] + RNG.normal(size=draws.shape[:2]).round(1)
    wanted = [by_definition(x.tolist(), seen.tolist(), estimator == "fair") for x, seen in zip(draws, y, strict=True)]
    size = np.abs(draws).sum(axis=1).mean(axis=1)  # the two sums cancel
    assert np.all(np.abs(scores.energy_score(draws, y, estimator=estimator) - wanted) <= ROUNDING * size)


def test_it_is_the_number_that_es_sample_gives():
    # by hand: distances 0, 5 and 10 to what came; between the draws 5, 10 and 5
    draws, y = [[0, 3, 6], [0, 4, 8]], [0, 0]
    assert scores.energy_score(draws, y) == pytest.approx(15 / 3 - 2 * 20 / (2 * 9), abs=1e-10)
    assert scores.energy_score(draws, y, estimator="fair") == pytest.approx(15 / 3 - 2 * 20 / (2 * 6), abs=1e-10)
    # distances sqrt 3, sqrt 2, 1 and 0 to what came; between the draws 1, sqrt 2, sqrt 3, 1, sqrt 2 and 1
    draws, y = [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], [1, 1, 1]
    near = math.sqrt(3) + math.sqrt(2) + 1
    apart = 3 + 2 * math.sqrt(2) + math.sqrt(3)
    assert scores.energy_score(draws, y) == pytest.approx(near / 4 - apart / 16, abs=1e-10)


@pytest.mark.parametrize("estimator", ["ensemble", "fair"])
def test_of_one_component_it_is_the_crps(estimator):
    draws = DRAWS["heavy counts"][:, :1]
    for scale in ("linear", "log1p"):
        options = {"estimator": estimator, "scale": scale}
        wanted = scores.crps(draws[:, 0], 7, **options)
        assert scores.energy_score(draws, [7], **options) == pytest.approx(wanted, rel=1e-11)


def test_of_a_normal_distribution_it_is_the_closed_form():
    """Of d independent standard normals and y = 0: E|X| - E|X - X'| / 2 = (1 - 1 / sqrt 2) E|X|."""
    d = 3
    norm = math.sqrt(2) * gamma((d + 1) / 2) / gamma(d / 2)
    found = scores.energy_score(np.random.default_rng(3).normal(size=(400, d, 40)), np.zeros(d), estimator="fair")
    # 400 forecasts: within 4 standard errors
    assert abs(found.mean() - (1 - math.sqrt(0.5)) * norm) < 4 * found.std() / math.sqrt(400)


def test_it_sees_how_components_go_together():
    # the margins are the same, so that the CRPS cannot distinguish them
    rng = np.random.default_rng(4)
    one = rng.poisson(5, (200, 400))
    joint, apart = np.stack([one, one], axis=1), np.stack([one, rng.permuted(one, axis=1)], axis=1)
    y = np.repeat(rng.poisson(5, (200, 1)), 2, axis=1)
    better = scores.energy_score(apart, y) - scores.energy_score(joint, y)
    assert better.mean() > 4 * better.std() / math.sqrt(200)


def test_many_draws_go_in_blocks(monkeypatch):
    draws, y = RNG.poisson(5, (3, 2, 101)), [4, 6]
    whole = scores.energy_score(draws, y)
    for block in (1, 101 * 7, 101 * 100):
        monkeypatch.setattr(energy, "BLOCK", block)
        assert scores.energy_score(draws, y) == pytest.approx(whole, rel=ROUNDING)


def test_memory_is_that_of_a_block():
    draws = RNG.poisson(5, (2, 3000)).astype(float)
    scores.energy_score(draws[:, :3], [4, 6])  # what is imported is not counted
    tracemalloc.start()
    scores.energy_score(draws, [4, 6])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 8 * energy.BLOCK < 8 * 3000**2 / 10


def test_shapes_and_missing_values():
    draws = np.arange(48.0).reshape(2, 3, 2, 4)
    assert scores.energy_score(draws, [5, 6]).shape == (2, 3)
    assert scores.energy_score(draws, [5, 6])[1, 2] == scores.energy_score(draws[1, 2], [5, 6])
    assert np.ndim(scores.energy_score(draws[0, 0], [5, 6])) == 0
    assert scores.energy_score(np.empty((0, 2, 4)), np.empty((0, 2))).shape == (0,)
    assert scores.energy_score([[1], [2]], [1, 2]) == 0
    draws[0, 1, 0, 2] = np.nan
    y = np.ones((2, 3, 2))
    y[1, 2, 1] = np.nan
    assert np.isnan(scores.energy_score(draws, y)).tolist() == [[False, True, False], [False, False, True]]
    observed = pd.Series([3, pd.NA], dtype="Int64")
    assert np.isnan(scores.energy_score(np.ones((2, 5)), observed))


@pytest.mark.parametrize(
    ("draws", "y", "options", "message"),
    [
        ([1, 2, 3], 2, {}, r"draws has the shape \(3,\); the components of a forecast go along the axis before"),
        (np.ones((3, 0, 4)), np.ones((3, 0)), {}, r"draws has the shape \(3, 0, 4\); the components"),
        (np.ones((2, 4)), [1, 2, 3], {}, r"draws has the shape \(2, 4\) and y \(3,\)"),
        (np.ones((2, 0)), [1, 2], {}, "the draws of a forecast go along the last axis"),
        (np.ones((2, 4)), [1, np.inf], {}, r"y is infinite at \[1\]"),
        (-np.ones((2, 4)), [1, 2], {"scale": "log1p"}, r"draws is -1 at \[0, 0\]"),
        (np.ones((2, 4)), [1, 2], {"estimator": "unbiased"}, "estimator is 'unbiased'; give 'ensemble' or 'fair'"),
        (np.ones((2, 1)), [1, 2], {"estimator": "fair"}, "one draw has no fair energy score"),
    ],
)
def test_what_has_no_energy_score(draws, y, options, message):
    with pytest.raises(InputError, match=message):
        scores.energy_score(draws, y, **options)
