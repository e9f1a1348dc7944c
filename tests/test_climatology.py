"""Climatology: what it draws from, and how often."""

import numpy as np
import pandas as pd
import pytest

from escalation import Climatology, InputError

WEEKS = pd.period_range("2024-01-01", periods=8, freq="W-SUN", name="period")
COUNTS = pd.Series([9, 9, 9, 9, 2, 3, 2, 1], index=WEEKS)


def test_it_draws_from_the_last_observed_periods():
    gap = COUNTS.astype("Int64")
    gap.iloc[-2] = pd.NA
    fit = Climatology(window=4).fit(gap)
    assert set(fit.forecast(3, draws=400, rng=1).series_paths.ravel()) == {1, 2, 3, 9}
    assert fit.fitted.tolist() == [15 / 4] * 8
    assert Climatology(window=None).fit(COUNTS).fitted.iloc[0] == COUNTS.mean()


def test_a_part_of_a_week_does_not_weigh_as_much_as_a_week():
    # one incident on the only day of the last week is a rate of 7 a week, which one day does not show to be usual
    exposure = pd.Series([1.0] * 7 + [1 / 7], index=WEEKS)
    fit = Climatology(window=4).fit(COUNTS, exposure=exposure)
    paths = fit.forecast(10, draws=4000, rng=1).series_paths
    whole = 3 + 1 / 7
    assert np.mean(paths == 7) == pytest.approx((1 / 7) / whole, abs=0.005)  # 40,000 draws: 5 standard errors
    assert paths.mean() == pytest.approx(8 / whole, rel=0.02)  # eight incidents in all that was covered
    assert fit.fitted.iloc[[0, -1]].tolist() == pytest.approx([8 / whole, 8 / whole / 7])


@pytest.mark.parametrize("window", [0, -3, 2.5, True, "12"])
def test_window_is_a_whole_number(window):
    with pytest.raises(InputError, match=f"window is {window!r}; give a whole number from 1"):
        Climatology(window=window)
