"""Newton's method between bounds, against scipy's searches and closed forms."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear, minimize

from escalation.models.contract.newton import Height, Peak, climb, highest, raised, scaled_inverse


def least_squares(matrix, vector):
    """Minus half a sum of squares, of any curvature."""

    def function(point):
        left = matrix @ point - vector
        return Height(-float(left @ left) / 2, -matrix.T @ left, -matrix.T @ matrix)

    return function


@pytest.mark.parametrize("seed", range(20))
def test_bounded_squares_are_scipys(seed):
    rng = np.random.default_rng(seed)
    matrix, vector = rng.normal(size=(9, 6)) * np.exp(rng.normal(0, 3, 6)), rng.normal(size=9)
    lower = np.where(rng.random(6) < 0.5, rng.normal(-1, 1, 6), -np.inf)
    upper = np.where(rng.random(6) < 0.5, np.maximum(lower, -1) + rng.random(6), np.inf)
    peak = climb(least_squares(matrix, vector), rng.normal(size=6), lower=lower, upper=upper, largest_move=np.inf)
    wanted = lsq_linear(matrix, vector, (lower, upper), method="bvls", tol=1e-14)
    assert peak.converged
    assert peak.height.value == pytest.approx(-wanted.cost, rel=1e-10)
    np.testing.assert_allclose(peak.point, wanted.x, rtol=1e-5, atol=1e-6)
    # one at a bound is on it to the last digit
    at_bound = np.abs(wanted.x - np.where(np.isclose(wanted.x, lower), lower, upper)) < 1e-9
    assert (np.isin(peak.point, lower) | np.isin(peak.point, upper))[at_bound].all()


def test_bent_functions_between_bounds_are_scipys():
    def function(point):
        """Of two logistic humps and a bowl: bends upwards in places."""
        x, y = point
        first, second = np.exp(-(x**2) - y**2), np.exp(-((x - 2) ** 2) - (y - 1) ** 2)
        value = first + 1.5 * second - 0.05 * (x**2 + y**2)
        score = np.array(
            [-2 * x * first - 3 * (x - 2) * second - 0.1 * x, -2 * y * first - 3 * (y - 1) * second - 0.1 * y]
        )
        bend = np.array(
            [
                [(4 * x * x - 2) * first + 1.5 * (4 * (x - 2) ** 2 - 2) * second, 4 * x * y * first],
                [0.0, (4 * y * y - 2) * first + 1.5 * (4 * (y - 1) ** 2 - 2) * second],
            ]
        )
        bend[0, 1] += 6 * (x - 2) * (y - 1) * second
        bend[1, 0] = bend[0, 1]
        return Height(float(value), score, bend - 0.1 * np.eye(2))

    rng = np.random.default_rng(1)
    for start in rng.uniform(-1, 3, (40, 2)):
        peak = climb(function, start, lower=np.array([-1.0, 0.2]), upper=np.array([1.7, 3.0]), largest_move=0.5)
        assert peak.converged
        again = minimize(
            lambda point: -function(point).value, peak.point, method="L-BFGS-B", bounds=[(-1, 1.7), (0.2, 3)], tol=1e-14
        )
        np.testing.assert_allclose(peak.point, again.x, atol=1e-5)  # nothing near by is higher


def test_parameters_that_are_not_free_stay_and_may_be_infinite():
    def function(point):  # what is known of the second is nothing
        return Height(-((point[0] - 3) ** 2), np.array([-2 * (point[0] - 3), np.nan]), np.array([[-2, 0], [0, np.nan]]))

    peak = climb(function, np.array([0.0, -np.inf]), free=np.array([True, False]))
    assert peak.converged
    assert peak.point.tolist() == [3.0, -np.inf]
    fixed = climb(function, np.array([0.0, 1.0]), free=np.zeros(2, bool))
    assert fixed.converged
    assert fixed.point.tolist() == [0.0, 1.0]


def test_no_step_is_longer_than_allowed():
    tried = []

    def function(point):
        tried.append(float(point[0]))
        return Height(-((point[0] - 100) ** 2) / 2, 100 - point, -np.eye(1))

    climb(function, np.zeros(1), largest_move=3.0)
    assert max(np.diff(tried)) <= 3.0 + 1e-12
    assert tried[-1] == pytest.approx(100)


def test_highest_takes_the_first_that_converged():
    def peak(value, converged):
        return Peak(np.array([value]), Height(value, np.zeros(1), np.eye(1)), converged)

    peaks = [peak(1.0, True), peak(2.0, True), peak(2.0 + 1e-9, True), peak(2.0 + 1e-8, False), peak(np.nan, True)]
    assert highest(peaks) is peaks[1]
    assert highest(peaks[::-1]) is peaks[2]
    assert highest([peak(1.0, True), peak(3.0, False)]).point[0] == 3.0
    assert np.isnan(highest([peak(np.nan, False)]).point[0])


def test_inverses_have_bounds():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4))
    information, scale = root @ root.T + np.eye(4), np.array([1.0, 10.0, 0.5, 3.0])
    np.testing.assert_allclose(scaled_inverse(information, scale), np.linalg.inv(information), rtol=1e-10)
    flat = scaled_inverse(np.diag([4.0, 0.0, 1e-20, 1.0]), scale)
    np.testing.assert_allclose(np.sqrt(np.diag(flat)), [0.5, 100.0, 5.0, 1.0])  # ten times the scale at most
    np.testing.assert_allclose(raised(np.diag([4.0, -3.0, 0.1]), 0.2), np.diag([4.0, 0.2, 0.2]))
