from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from escalation.errors import InputError
from escalation.tallies.kernels import Kernel, check_kernels, default_kernels, make_kernel

POINTS = [name for name, row in default_kernels().iterrows() if row["shape"] == "point"]


def kernel(
    qualifier: str, count: int | None = 10, *, low=pd.NA, high=pd.NA, days=30, role="count", widen=1.0
) -> Kernel:
    tally = pd.Series({"qualifier": qualifier, "count": count, "low": low, "high": high}, dtype=object)
    return make_kernel(tally, default_kernels(), days, role, widen)


@pytest.mark.parametrize("qualifier", POINTS)
@pytest.mark.parametrize("true", [0, 1, 3, 40, 500])
def test_point_kernels_are_probabilities(qualifier: str, true: int) -> None:
    reported = range(5 * true + 200)  # beyond it less than 1e-12 of any kernel is left
    total = sum(np.exp(kernel(qualifier, n).log_prob(np.array([true]))[0]) for n in reported)
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("qualifier", POINTS)
@pytest.mark.parametrize("true", [0, 2, 60])
def test_point_kernels_draw_what_they_say(qualifier: str, true: int) -> None:
    draws = kernel(qualifier).sample(np.full(20_000, true), np.random.default_rng(1))
    probability = np.array([np.exp(kernel(qualifier, n).log_prob(np.array([true]))[0]) for n in range(5 * true + 200)])
    seen = np.bincount(draws, minlength=len(probability))[: len(probability)]
    common = probability * len(draws) >= 5
    observed = np.append(seen[common], seen[~common].sum())
    expected = np.append(probability[common], probability[~common].sum()) * len(draws)
    if expected[-1] < 5:  # too few for chi-square: put them to the last common value
        observed = np.append(observed[:-2], observed[-2:].sum())
        expected = np.append(expected[:-2], expected[-2:].sum())
    if len(observed) == 1:  # one count is all but certain
        assert observed == len(draws)
        return
    # 1 in 10,000 for each of 24 cases: a false alarm in 400 changes of the seed
    assert chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4


def test_a_kernel_may_be_all_but_exact() -> None:
    strict = Kernel("point", 7.0, 7.0, (1e-3, 0.0, 0.0), (1e-3, 0.0, 0.0))
    assert strict.log_prob(np.array([6, 7, 8])).tolist() == pytest.approx([-1000, 0, -1000])
    assert set(strict.sample(np.full(100, 7), np.random.default_rng(1))) == {7}


@pytest.mark.parametrize(
    ("qualifier", "side"),
    [("nearly", "below"), ("more_than", "above"), ("at_least", "above"), ("at_most", "below"), ("up_to", "below")],
)
def test_one_sided_words_put_the_truth_on_their_side(qualifier: str, side: str) -> None:
    likelihood = np.exp(kernel(qualifier, 100).log_prob(np.arange(60, 141)))
    below, above = likelihood[:40].sum(), likelihood[41:].sum()
    assert (below > 2 * above) if side == "below" else (above > 2 * below)


def test_words_and_ranges_are_flat_inside_and_soft_outside() -> None:
    dozens = kernel("dozens", None)
    values = dozens.log_prob(np.array([10, 24, 50, 72, 90]))
    assert values[1] == values[2] == values[3] == 0
    assert values[0] < -1
    assert values[4] < -0.5
    own = kernel("range", None, low=70, high=90)
    assert own.log_prob(np.array([70, 80, 90])).tolist() == [0, 0, 0]
    assert own.log_prob(np.array([60]))[0] < -3


def test_a_rate_in_words_scales_with_the_window() -> None:
    # 52 weeks, almost weekly: 0.6 to 1 a week
    weekly = kernel("almost_weekly", None, days=364)
    assert (weekly.low, weekly.high) == pytest.approx((31.2, 52.0))
    twice = kernel("weekly", 2, days=70)
    assert (twice.low, twice.high) == pytest.approx((17.0, 24.0))
    some = kernel("weekly", None, low=2, high=3, days=70)  # ten weeks, two or three a week
    assert (some.low, some.high) == pytest.approx((17.0, 36.0))


def test_several_is_fewer_than_dozens_and_a_handful_fewer_still() -> None:
    handful, several, dozens = (kernel(word, None) for word in ("handful", "several", "dozens"))
    assert (handful.low, handful.high) < (several.low, several.high) < (dozens.low, dozens.high)


def test_a_part_bounds_from_below_and_a_whole_from_above() -> None:
    floor = kernel("exact", 12, role="floor").log_prob(np.array([8, 12, 500]))
    assert floor[0] < -3
    assert floor[1] == floor[2] == 0
    ceiling = kernel("exact", 12, role="ceiling").log_prob(np.array([0, 12, 16]))
    assert ceiling[2] < -3
    assert ceiling[0] == ceiling[1] == 0


def test_uncertain_dates_widen() -> None:
    near, far = (kernel("exact", 20, widen=w).log_prob(np.array([23]))[0] for w in (1.0, 2.0))
    assert far > near


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda k: k.drop(columns="above_rel"), "above_rel"),
        (lambda k: k.drop(index="dozens"), "dozens"),
        (lambda k: k.assign(shape="round"), "neither point nor span"),
        (lambda k: k.assign(below_abs=0.0), "below_abs"),
        (lambda k: k.assign(below_rel=-1.0), "no scale below 0"),
    ],
)
def test_a_users_kernels_are_checked(change, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_kernels(change(default_kernels()))


def test_default_kernels_are_a_copy() -> None:
    mine = default_kernels()
    mine.loc["exact", "below_abs"] = 99.0
    assert default_kernels().loc["exact", "below_abs"] < 2
