"""Windows of a series: slices are Python's own, dates are those of the periods that hold them."""

from __future__ import annotations

import pandas as pd
import pytest

from escalation.counts.windows import window_slice
from escalation.errors import InputError

INDEX = pd.period_range("2024-01-01", periods=6, freq="W-SUN")
BOUNDS = [None, *range(-6, 7)]


@pytest.mark.parametrize("start", BOUNDS)
@pytest.mark.parametrize("stop", BOUNDS)
def test_slices_of_numbers_are_those_of_a_list(start, stop):
    held = list(range(6))[start:stop]
    if held:
        assert list(range(6))[window_slice(INDEX, slice(start, stop), "recent", 6)] == held
    else:
        with pytest.raises(InputError, match=r"recent=.* holds no period"):
            window_slice(INDEX, slice(start, stop), "recent", 6)


@pytest.mark.parametrize("spec", [slice(-7, None), slice(0, 7), slice(7, 9), ("2023-12-31", "2024-01-10")])
def test_what_reaches_outside_is_refused(spec):
    with pytest.raises(InputError, match="reaches outside the series, which has 6 periods"):
        window_slice(INDEX, spec, "recent", 6)


@pytest.mark.parametrize("spec", [("2024-01-09", "2024-01-28"), slice("2024-01-14", "2024-01-22")])
def test_dates_are_in_the_periods_that_hold_them(spec):
    assert window_slice(INDEX, spec, "recent", 6) == slice(1, 4)


@pytest.mark.parametrize(("number", "before"), [(1, 6), (6, 6), (2, 3)])
def test_a_number_counts_back_from_where_it_ends(number, before):
    assert window_slice(INDEX, number, "recent", before) == slice(before - number, before)
