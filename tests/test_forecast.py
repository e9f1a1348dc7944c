"""Forecast: quantiles against sorting, intervals against their definition."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.errors import FileError, InputError
from escalation.files.parquet import write_parquet
from escalation.forecasts.forecast import Forecast, pool_forecasts

WEEKS = pd.period_range("2024-12-02", periods=3, freq="W-SUN", name="period")


def forecast(paths, **options):
    paths = np.asarray(paths, dtype=np.int64)
    periods = pd.period_range("2024-12-02", periods=paths.shape[1], freq="W-SUN", name="period")
    return Forecast.of_series(paths, periods, np.ones((len(paths), 5)), "by hand", **options)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 10**12), min_size=2, max_size=2), min_size=1, max_size=40),
    st.floats(0.001, 1),
)
def test_quantile_is_the_smallest_count_that_enough_paths_do_not_pass(paths, q):
    values = forecast(paths).quantile(q)
    for column, value in zip(np.transpose(paths), values, strict=True):
        # numpy steps up where q times the number of paths is whole; a rounding error may sit on either side
        shares = {count: np.mean(column <= count) for count in column}
        assert shares[value] >= q - 1e-9
        below = [share for count, share in shares.items() if count < value]
        assert all(share < q + 1e-9 for share in below)
    assert values.dtype == np.int64


def test_quantiles_of_a_hundred():
    hundred = forecast(np.arange(1, 101)[:, None])
    assert [hundred.quantile(q).item() for q in (0, 0.05, 0.5, 0.9, 1)] == [1, 5, 50, 90, 100]
    assert hundred.quantile(0.05).name == "q0.05"


def test_large_counts_keep_their_digits():
    large = 10**15 + 1
    assert forecast([[large], [large], [large + 2]]).quantile(0.5).item() == large


def test_summary_is_made_of_the_paths():
    paths = np.random.default_rng(1).poisson(20, (999, 3))
    frame = forecast(paths).summary_frame(0.8)
    assert list(frame.columns) == ["mean", "median", "obs_pi_lower", "obs_pi_upper"]
    assert frame.index.equals(WEEKS)
    ordered = np.sort(paths, axis=0)
    np.testing.assert_allclose(frame["mean"], paths.mean(axis=0))
    np.testing.assert_array_equal(frame["median"], ordered[499])
    np.testing.assert_array_equal(frame["obs_pi_lower"], ordered[99])  # the 100th of 999 is the first with share > 0.1
    np.testing.assert_array_equal(frame["obs_pi_upper"], ordered[899])
    inside = (paths >= frame["obs_pi_lower"].to_numpy()) & (paths <= frame["obs_pi_upper"].to_numpy())
    assert (inside.mean(axis=0) >= 0.8).all()


def test_names_and_sizes():
    two = forecast([[1, 2], [3, 4]], unit="attacks")
    assert (two.draws, two.steps) == (2, 2)
    assert two.origin == pd.Period("2024-11-25", "W-SUN")
    assert two.mean().tolist() == [2, 3]


def test_html_says_what_it_is_and_escapes():
    page = forecast([[1, 2]], unit="<b>attacks</b>")._repr_html_()
    assert "&lt;b&gt;attacks" in page
    assert "per week after 2024-11-25/2024-12-01 by by hand, 1 paths; 90% intervals" in page
    assert "array" not in repr(forecast([[1, 2]]))


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_quantile_level(q):
    with pytest.raises(InputError, match=f"q is {q!r}; a quantile level lies between 0 and 1"):
        forecast([[1]]).quantile(q)


@pytest.mark.parametrize("level", [0, 1, -0.5, 90, float("nan")])
def test_interval_level(level):
    with pytest.raises(InputError, match=f"level is {level!r}; give a probability between 0 and 1, such as 0.9"):
        forecast([[1]]).summary_frame(level)


@pytest.mark.parametrize("units", [("",), ("A", "B")])
@pytest.mark.parametrize(
    ("paths", "observed"), [((4, 2), (4, 5)), ((4, 3), (1, 5)), ((3,), (3, 5))], ids=["steps", "rows", "one path"]
)
def test_shapes_must_fit(units, paths, observed):
    every, seen = np.zeros((len(units), *paths), np.int64), np.ones((len(units), *observed))
    says = rf"paths have the shape \(.*\) and observed \(.*\); give \({len(units)}, draws, 3\) .*, with the units first"
    with pytest.raises(InputError, match=says):
        Forecast(every, units, WEEKS, seen, "by hand")
    with pytest.raises(InputError, match=says):
        Forecast(np.zeros((3, 4, 3), np.int64), units, WEEKS, np.ones((len(units), 4, 5)), "by hand")
    with pytest.raises(InputError, match=r"give \(1, draws, 3\)"):
        Forecast.of_series(every[0], WEEKS, seen[0], "by hand")


# --- files


@pytest.mark.parametrize("units", [("",), ("Iraq / north", "Syria")])
@pytest.mark.parametrize("histories", [1, 3, 6])
def test_a_saved_forecast_comes_back_as_it_was(tmp_path, units, histories):
    pytest.importorskip("pyarrow")
    rng, n = np.random.default_rng(4), len(units)
    component = np.arange(6) % histories
    seen = np.where(rng.random((n, histories, 5)) < 0.2, np.nan, rng.poisson(9, (n, histories, 5)))[:, component]
    given = Forecast(rng.poisson(5, (n, 6, 3)), units, WEEKS, seen, "by hand", "raids", component)
    digest = given.save(tmp_path / "one.parquet", about={"source": "press.csv", "seed": 3})
    again, about = Forecast.load(tmp_path / "one.parquet")
    assert about == {"source": "press.csv", "seed": 3}
    assert len(digest) == 64
    for name in ("paths", "observed", "component"):
        np.testing.assert_array_equal(getattr(again, name), getattr(given, name))
    assert again.periods.equals(given.periods)
    assert (again.units, again.model, again.unit) == (units, "by hand", "raids")


def test_a_saved_forecast_that_was_changed_is_refused(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    forecast([[1, 2], [3, 4]]).save(tmp_path / "one.parquet")
    table = parquet.read_table(tmp_path / "one.parquet")
    frame = table.to_pandas()
    frame.loc[0, "count"] = 99.0
    import pyarrow

    changed = pyarrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(table.schema.metadata)
    parquet.write_table(changed, tmp_path / "changed.parquet")
    with pytest.raises(InputError, match="was changed after it was written"):
        Forecast.load(tmp_path / "changed.parquet")
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="was not written by escalation"):
        Forecast.load(tmp_path / "other.parquet")
    write_parquet(tmp_path / "backtest.parquet", frame, {"version": "backtest 1"})
    with pytest.raises(InputError, match="holds no forecast; name a forecast that was saved"):
        Forecast.load(tmp_path / "backtest.parquet")
    (tmp_path / "text.parquet").write_text("draw,count")
    with pytest.raises(FileError, match="is no Parquet file"):
        Forecast.load(tmp_path / "text.parquet")
    with pytest.raises(FileError, match="no such file; name a forecast"):
        Forecast.load(tmp_path / "nothing.parquet")


def test_without_pyarrow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FileError, match=r"pip install 'escalation\[parquet\]'"):
        forecast([[1, 2]]).save(tmp_path / "one.parquet")
    assert not list(tmp_path.iterdir())


def test_periods_stay_on_one_line_in_a_notebook():
    """Notebooks break cells at hyphens: 2024-12-02/2024-12-08 took four lines."""
    shown = forecast([[1, 2, 3], [3, 4, 5]])._repr_html_()
    assert '<th style="white-space: nowrap">2024-12-02/2024-12-08</th>' in shown
    panel = Forecast(np.ones((2, 3, 3), np.int64), ("A", "B"), WEEKS, np.empty((2, 3, 0)), "by hand")
    assert '<th style="white-space: nowrap">2024-12-02/2024-12-08</th>' in panel._repr_html_()
    assert not re.search(r"<t[hd]>\d{4}-\d\d", shown + panel._repr_html_())


# --- several units


def test_a_saved_forecast_may_have_seen_nothing(tmp_path):
    pytest.importorskip("pyarrow")
    panel = Forecast(np.ones((2, 3, 3), np.int64), ("A", "B"), WEEKS, np.empty((2, 3, 0)), "by hand")
    panel.save(tmp_path / "panel.parquet")
    again, _ = Forecast.load(tmp_path / "panel.parquet")
    assert again.observed.shape == (2, 3, 0)
    np.testing.assert_array_equal(again.paths, panel.paths)


def test_files_of_earlier_versions_are_read(tmp_path):
    """One row a draw and step, with the observed ones up to step 0; written as version 0.1.0 wrote them."""
    pytest.importorskip("pyarrow")
    said = {"model": "by hand", "unit": "raids", "freq": "W-SUN", "origin": "2024-11-25", "about": {"seed": 3}}
    rows = [
        {"draw": draw, "step": step, "count": 100.0 * draw + step, "component": draw // 2}
        for draw in range(4)
        for step in (-1, 0, 1, 2, 3)
    ]
    one = pd.DataFrame(rows)
    one.loc[one["step"] == -1, "count"] = np.nan
    write_parquet(tmp_path / "one.parquet", one, {**said, "version": "forecast 1"})
    found, about = Forecast.load(tmp_path / "one.parquet")
    assert about == {"seed": 3}
    assert found.units == ("",)
    assert found.series_paths.tolist() == [[100 * draw + step for step in (1, 2, 3)] for draw in range(4)]
    assert found.series_observed[:, 1].tolist() == [0, 100, 200, 300]
    assert np.isnan(found.series_observed[:, 0]).all()
    assert found.component.tolist() == [0, 0, 1, 1]
    assert found.periods.equals(WEEKS)
    # several units: counts that are the same behind every path stand once, in front
    past = [{"unit": u, "draw": 0, "step": step, "count": 7.0 + u, "component": 0} for u in (0, 1) for step in (-1, 0)]
    ahead = [
        {"unit": u, "draw": draw, "step": step, "count": 10.0 * draw + step + 1000 * u, "component": draw // 2}
        for u in (0, 1)
        for draw in range(4)
        for step in (1, 2, 3)
    ]
    several = {**said, "version": "panel forecast 1", "units": ["A", "B"]}
    write_parquet(tmp_path / "panel.parquet", pd.DataFrame(past + ahead), several)
    found, _ = Forecast.load(tmp_path / "panel.parquet")
    assert found.units == ("A", "B")
    assert found.paths[1].tolist() == [[1000 + 10 * draw + step for step in (1, 2, 3)] for draw in range(4)]
    assert found.observed.tolist() == [[[7.0, 7.0]] * 4, [[8.0, 8.0]] * 4]
    assert found.component.tolist() == [0, 0, 1, 1]


def test_a_forecast_of_several_units_gives_each_and_their_sum(tmp_path):
    pytest.importorskip("pyarrow")
    paths, seen = np.arange(12).reshape(2, 3, 2), np.arange(24.0).reshape(2, 3, 4)
    panel = Forecast(paths, ("A", "B"), WEEKS[:2], seen, "by hand", "raids")
    assert (panel.draws, panel.steps, str(panel.origin)) == (3, 2, str(WEEKS[0] - 1))
    panel["B"].save(tmp_path / "one.parquet")
    for one in (panel["B"], Forecast.load(tmp_path / "one.parquet")[0]):
        assert one.units == ("B",)
        np.testing.assert_array_equal(one.series_paths, paths[1])
        np.testing.assert_array_equal(one.series_observed, seen[1])
    np.testing.assert_array_equal(panel.total().series_paths, paths.sum(axis=0))
    np.testing.assert_array_equal(panel.total().series_observed, seen.sum(axis=0))
    np.testing.assert_allclose(panel.mean()["A"], paths[0].mean(axis=0))
    assert panel.quantile(0.5)["B"].tolist() == np.sort(paths[1], axis=0)[1].tolist()
    assert panel.summary_frame().index.names == ["unit", "period"]
    assert panel.summary_frame(0.8).loc["B"].equals(panel["B"].summary_frame(0.8))
    assert "2 units" in panel._repr_html_()
    with pytest.raises(InputError, match="there is no unit 'C' in the forecast; it has A, B"):
        panel["C"]
    for only in ("series_paths", "series_observed"):
        with pytest.raises(InputError, match=r"this forecast is of 2 units; pick one with forecast\['unit'\]"):
            getattr(panel, only)


def test_a_pool_of_several_units_is_the_pool_of_each():
    rng = np.random.default_rng(2)
    both = [
        Forecast(rng.poisson(mean, (2, 40, 3)), ("A", "B"), WEEKS, np.ones((2, 40, n)), f"mean {mean}")
        for mean, n in ((3, 4), (9, 5))
    ]
    pooled = pool_forecasts(both, [2, 1])
    assert pooled.paths.shape == (2, 60, 3) and pooled.observed.shape == (2, 60, 4)
    for unit in "AB":
        np.testing.assert_array_equal(pooled[unit].paths, pool_forecasts([one[unit] for one in both], [2, 1]).paths)
    with pytest.raises(InputError, match="forecast the same with as many draws"):
        pool_forecasts([both[0], both[1]["A"]])


# --- words


def test_tables_have_the_days_of_each_period():
    table = forecast([[1, 2, 3], [3, 4, 5]]).table(0.8)
    assert list(table.columns) == ["start", "end", "mean", "median", "obs_pi_lower", "obs_pi_upper"]
    assert table["start"].tolist() == [pd.Timestamp(day) for day in ("2024-12-02", "2024-12-09", "2024-12-16")]
    assert table["end"].tolist() == [pd.Timestamp(day) for day in ("2024-12-08", "2024-12-15", "2024-12-22")]
    assert table["mean"].tolist() == [2, 3, 4]
    panel = Forecast(np.ones((2, 3, 3), np.int64), ("A", "B"), WEEKS, np.ones((2, 3, 4)), "by hand")
    assert panel.table().loc["B"].equals(panel["B"].table())


def test_a_sentence_tells_the_first_period_and_all_of_them():
    hundred = np.arange(1, 101)
    one = forecast(np.column_stack([hundred, 10 * hundred]), unit="raids")
    assert one.sentence() == (
        "by hand expects 50 (5 to 95) raids in the week that ends on 2024-12-08, and 550 (55 to 1,045) in the 2 weeks "
        "up to 2024-12-15; medians with 90% prediction intervals."
    )
    both = Forecast(np.stack([one.series_paths[:, :1]] * 2), ("A", "B"), WEEKS[:1], np.ones((2, 100, 3)), "by hand")
    assert both.sentence(0.5) == (
        "by hand expects 100 (50 to 150) incidents in 2 units together in the week that ends on 2024-12-08; medians "
        "with 50% prediction intervals."
    )
