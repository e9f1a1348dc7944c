"""Scores of event probabilities and of points, against identities, pairs counted one by one and examples by hand."""

import numpy as np
import pytest

from escalation import InputError, scores

RNG = np.random.default_rng(1)
CHANCE = RNG.beta(0.5, 2, 400).round(2)  # many ties
EVENT = (RNG.random(400) < CHANCE**1.5).astype(int)


def test_brier_scores_are_squared_errors():
    assert scores.brier(CHANCE, EVENT).tolist() == [(p - o) ** 2 for p, o in zip(CHANCE, EVENT, strict=True)]
    assert scores.brier(np.full((2, 3), 0.5), True).tolist() == [[0.25] * 3] * 2
    assert np.isnan(scores.brier([0.5, np.nan, 0.5], [1, 1, np.nan])).tolist() == [False, True, True]


@pytest.mark.parametrize("bins", [1, 3, 10, 1000, "isotonic"])
def test_the_parts_of_a_brier_score_add_up(bins):
    parts = scores.brier_decomposition(CHANCE, EVENT, bins=bins)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert parts.brier == pytest.approx(np.mean((CHANCE - EVENT) ** 2), rel=1e-13)
    assert total == pytest.approx(parts.brier, rel=1e-12)
    assert parts.uncertainty == pytest.approx(EVENT.mean() * (1 - EVENT.mean()))
    assert parts.reliability >= 0 and parts.resolution >= 0
    if bins in (1000, "isotonic"):  # one value a bin
        assert parts.within_bin == pytest.approx(0, abs=1e-15)


def test_parts_by_a_plain_loop():
    parts = scores.brier_decomposition(CHANCE, EVENT, bins=5)
    reliability = resolution = 0.0
    for k in range(5):
        inside = (k / 5 <= CHANCE) & (((k + 1) / 5 > CHANCE) | (k == 4))
        if inside.any():
            reliability += inside.mean() * (CHANCE[inside].mean() - EVENT[inside].mean()) ** 2
            resolution += inside.mean() * (EVENT[inside].mean() - EVENT.mean()) ** 2
    assert parts.reliability == pytest.approx(reliability, rel=1e-12)
    assert parts.resolution == pytest.approx(resolution, rel=1e-12)


def pooled(p, o):
    """Isotonic regression by pooling adjacent violators, one block at a time."""
    blocks = [[v, *(f(o[p == v]) for f in (np.sum, np.size))] for v in np.unique(p)]
    values = [[s, n] for _, s, n in blocks]
    sizes = [1] * len(values)
    i = 0
    while i < len(values) - 1:
        if values[i][0] / values[i][1] >= values[i + 1][0] / values[i + 1][1]:
            values[i : i + 2] = [[values[i][0] + values[i + 1][0], values[i][1] + values[i + 1][1]]]
            sizes[i : i + 2] = [sizes[i] + sizes[i + 1]]
            i = max(i - 1, 0)
        else:
            i += 1
    return np.array([s / n for s, n in values]), np.array([n for _, n in values])


def test_isotonic_bins_are_those_of_pooled_violators():
    observed, cells = pooled(CHANCE, EVENT)
    curve = scores.reliability_curve(CHANCE, EVENT, bins="isotonic")
    assert curve.observed == pytest.approx(observed) and curve.cells.tolist() == cells.tolist()
    assert (np.diff(curve.observed) > 0).all() and (np.diff(curve.forecast) > 0).all()
    # Dimitriadis, Gneiting & Jordan 2021: miscalibration is what recalibration takes off the mean score
    recalibrated = np.interp(CHANCE, *_steps(curve, CHANCE))
    parts = scores.brier_decomposition(CHANCE, EVENT, bins="isotonic")
    assert parts.reliability == pytest.approx(parts.brier - np.mean((recalibrated - EVENT) ** 2), rel=1e-10)


def _steps(curve, probability):
    values = np.sort(probability)
    return values, np.repeat(curve.observed, curve.cells)


def test_reliability_curves_hold_every_cell_once():
    curve = scores.reliability_curve(CHANCE, EVENT)
    assert curve.cells.sum() == 400 and len(curve.cells) <= 10
    assert curve.forecast @ curve.cells == pytest.approx(CHANCE.sum())
    assert curve.observed @ curve.cells == pytest.approx(EVENT.sum())
    assert scores.reliability_curve([0.0, 1.0], [0, 1]).forecast.tolist() == [0, 1]


# ranking


def test_auroc_counts_pairs():
    positive, negative = CHANCE[EVENT == 1], CHANCE[EVENT == 0]
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert scores.auroc(CHANCE, EVENT) == pytest.approx(np.mean(pairs), rel=1e-12)
    assert scores.auroc(np.log(CHANCE + 0.01), EVENT) == scores.auroc(CHANCE, EVENT)
    assert scores.auroc([1, 2, 3], [0, 0, 1]) == 1 and scores.auroc([5, 5], [0, 1]) == 0.5


def test_average_precision_steps_through_thresholds():
    total, last = 0.0, 0.0
    for threshold in np.unique(CHANCE)[::-1]:
        called = threshold <= CHANCE
        recall = EVENT[called].sum() / EVENT.sum()
        total, last = total + (recall - last) * EVENT[called].mean(), recall
    assert scores.average_precision(CHANCE, EVENT) == pytest.approx(total, rel=1e-12)
    assert scores.average_precision(np.ones(400), EVENT) == pytest.approx(EVENT.mean())


def test_with_one_kind_of_outcome_nothing_can_be_ranked():
    assert np.isnan(scores.average_precision([0.1, 0.2], [0, 0]))
    assert scores.average_precision([0.1, 0.2], [1, 1]) == 1
    assert np.isnan(scores.auroc([0.1, 0.2], [0, 0])) and np.isnan(scores.auroc([0.1, 0.2], [1, 1]))


SUMMED = [scores.auroc, scores.average_precision, scores.brier_decomposition, scores.reliability_curve]


@pytest.mark.parametrize("score", SUMMED)
def test_what_was_not_observed_is_left_out_and_what_was_needs_a_forecast(score):
    event = EVENT.astype(float)
    event[:50] = np.nan
    assert repr(score(CHANCE, event)) == repr(score(CHANCE[50:], EVENT[50:]))
    assert repr(score(np.where(np.isnan(event), np.nan, CHANCE), event)) == repr(score(CHANCE[50:], EVENT[50:]))
    with pytest.raises(InputError, match="an observed event has no forecast"):
        score([0.5, np.nan], [1, 0])
    with pytest.raises(InputError, match="no event was observed"):
        score([0.5], [np.nan])
    with pytest.raises(InputError, match=r"event is 2 at \[1\]; an event is 1 or 0"):
        score([0.5, 0.5], [1, 2])


def test_probabilities_are_probabilities():
    with pytest.raises(InputError, match=r"probability is 1\.5; a probability is from 0 to 1"):
        scores.brier(1.5, 1)
    with pytest.raises(InputError, match="bins is 'quantile'; give a number of bins or 'isotonic'"):
        scores.brier_decomposition(CHANCE, EVENT, bins="quantile")


# points


def test_tadda_by_its_cases():
    e = 0.048
    for f in np.linspace(-0.2, 0.2, 41):
        for y in np.linspace(-0.2, 0.2, 41):
            one = abs(f - e) if y < -e and f > e else abs(f + e) if y > e and f < -e else 0
            if y < -e:
                two = abs(f + e) if f >= -e else 0
            elif y > e:
                two = abs(f - e) if f <= e else 0
            else:
                two = abs(f + e) if f < -e else abs(f - e) if f > e else 0
            assert scores.tadda1(f, y) == pytest.approx(abs(y - f) + one)
            assert scores.tadda2(f, y) == pytest.approx(abs(y - f) + two)


def test_tadda_rewards_forecasts_of_no_change():
    """Why its docstring warns: under a distribution of changes whose mean and median are not 0, 0 scores best."""
    changes = np.random.default_rng(2).normal(0.1, 1, 20_000)
    means = {f: scores.tadda1(f, changes).mean() for f in (0.0, 0.1)}
    assert means[0.0] < means[0.1]
    assert scores.msle(np.expm1(1), np.expm1(2)) == pytest.approx(1)


def test_calibration_ratio():
    assert scores.mean_calibration_ratio([1, 2, 9], [2, 4, np.nan]) == 0.5
    assert np.isnan(scores.mean_calibration_ratio([1], [0])) and np.isnan(scores.mean_calibration_ratio([np.nan], [1]))


def test_points_that_cannot_be_scored():
    with pytest.raises(InputError, match="epsilon is -1; give the size"):
        scores.tadda2(0, 0, epsilon=-1)
    with pytest.raises(InputError, match="forecast is -1; only numbers >= 0"):
        scores.msle(-1, 0)
