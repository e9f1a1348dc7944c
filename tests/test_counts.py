"""The gate for counts and histories."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.counts.schema import check_counts, count_matrix, is_histories
from escalation.errors import InputError


def months(n):
    return pd.period_range("2024-01", periods=n, freq="M")


def histories(values):
    values = np.asarray(values)
    return pd.DataFrame(values, index=months(len(values)), columns=pd.RangeIndex(values.shape[1], name="draw"))


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype="UInt8"),
        pd.array([1, None, 3], dtype="Float64"),
        np.array([1, np.nan, 3]),
        np.array([1, np.nan, 3], dtype=np.float32),
        np.array([1, None, 3], dtype=object),
        np.array([1, pd.NA, 3.0], dtype=object),
        np.array([Decimal(1), None, Decimal(3)], dtype=object),
    ],
    ids=lambda values: str(values.dtype),
)
def test_numbers_of_every_kind_become_int64_with_gaps(values):
    table = pd.Series(values, index=months(3), name="attacks")
    before = table.copy(deep=True)
    checked = check_counts(table)
    wanted = pd.Series(pd.array([1, None, 3], dtype="Int64"), index=months(3), name="attacks")
    pd.testing.assert_series_equal(checked, wanted)
    pd.testing.assert_series_equal(table, before)
    np.testing.assert_array_equal(count_matrix(checked), [[1], [np.nan], [3]])


def test_arrow_numbers_become_int64_too():
    pytest.importorskip("pyarrow")
    table = pd.Series(pd.array([1, None, 3], dtype="int64[pyarrow]"), index=months(3))
    assert check_counts(table).tolist() == [1, pd.NA, 3]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 2**53)), min_size=1, max_size=20),
    st.sampled_from(["D", "M", "W-SUN", "W-TUE"]),
)
def test_whole_numbers_pass_unchanged(values, freq):
    index = pd.period_range("2020-02-28", periods=len(values), freq=freq)
    checked = check_counts(pd.Series(pd.array(values, dtype="Int64"), index=index))
    assert [None if value is pd.NA else value for value in checked] == values
    assert checked.index.equals(index)


def test_panels_keep_their_units():
    panel = pd.DataFrame({"A": [0, 1, 2], "B": [None, 1.0, 2.0]}, index=months(3))
    checked = check_counts(panel)
    assert not is_histories(checked)
    assert checked.dtypes.astype(str).tolist() == ["Int64", "Int64"]
    assert checked["B"].isna().tolist() == [True, False, False]


def test_histories_become_int64():
    checked = check_counts(histories([[0.0, 1.0], [2.0, 3.0]]))
    assert is_histories(checked)
    assert (checked.dtypes == "int64").all()
    assert checked.to_numpy().tolist() == [[0, 1], [2, 3]]
    assert not is_histories(checked[0])


def test_two_columns_of_one_name_are_both_checked():
    panel = pd.DataFrame([[1, 2], [3, -4]], index=months(2), columns=["A", "A"])
    with pytest.raises(InputError, match="holds -4 at 2024-02"):
        check_counts(panel)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2], "x is a list; give a pandas Series or DataFrame on a PeriodIndex"),
        (pd.Series([1, 2]), "x has a RangeIndex; give it a PeriodIndex"),
        (pd.Series([1], index=pd.to_datetime(["2024-01-01"])), "x has a DatetimeIndex; give it a PeriodIndex"),
        (pd.Series([1], index=pd.period_range("2024", periods=1, freq="Y")), "freq is 'Y.*'; use D, M, or W-SUN"),
        (pd.Series([1, 2], index=pd.period_range("2024-01-01", periods=2, freq="2D")), "freq is '2D'; use D, M"),
        (pd.Series([], index=months(0), dtype=float), "x is empty; at least one period is needed"),
        (pd.DataFrame(index=months(3)), "x is empty; at least one period is needed"),
        (pd.Series([1, 2], index=months(3).delete(1)), "x has a gap or is not sorted after 2024-01; reindex it"),
        (pd.Series([1, 2], index=months(2)[::-1]), "x has a gap or is not sorted after 2024-02"),
        (pd.Series([1, 2], index=months(1).repeat(2)), "x has a gap or is not sorted after 2024-01"),
        (pd.Series([1], index=pd.PeriodIndex(["NaT"], freq="M")), r"x has a row without a period \(NaT\)"),
        (pd.Series([1, 2], index=pd.PeriodIndex(["2024-01", "NaT"], freq="M")), "x has a row without a period"),
        (pd.Series([1, -1], index=months(2)), "x holds -1 at 2024-02; counts are whole numbers >= 0"),
        (pd.Series([0.5, 1], index=months(2)), "x holds 0.5 at 2024-01"),
        (pd.Series([1, np.inf], index=months(2)), "x holds inf at 2024-02"),
        (pd.Series([1, 2.0**53 + 2], index=months(2)), r"x holds 9.0072e\+15 at 2024-02"),
        (pd.Series([1, 10**30], index=months(2)), r"x holds 1e\+30 at 2024-02"),
        (pd.Series(["1", "2"], index=months(2)), "x holds values that are not numbers"),
        (pd.Series([1, "2"], index=months(2), dtype=object), "x holds values that are not numbers"),
        (pd.Series([1, 2j], index=months(2)), "x holds values that are not numbers"),
        (pd.Series(pd.to_datetime(["2024-01-01"] * 2), index=months(2)), "x holds values that are not numbers"),
        (pd.Series(pd.to_timedelta([1, 2]), index=months(2)), "x holds values that are not numbers"),
        (pd.Series([1, 2], index=months(2), dtype="category"), "x holds values that are not numbers"),
        (pd.DataFrame({"A": [1, 2], "B": ["a", "b"]}, index=months(2)), "x holds values that are not numbers"),
        (histories([[1, np.nan], [2, 3]]), "x is missing at 2024-0[12] in some histories only"),
        (histories([[1, 2], [3, -1]]), "x holds -1 at 2024-02"),
    ],
)
def test_what_is_no_count_is_refused(table, message):
    with pytest.raises(InputError, match=message):
        check_counts(table, "x")
