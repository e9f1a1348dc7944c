"""Forecast: quantiles against sorting, intervals against their definition."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.errors import FileError, InputError
from escalation.forecast import Forecast, PanelForecast

WEEKS = pd.period_range("2024-12-02", periods=3, freq="W-SUN", name="period")


def forecast(paths, **options):
    paths = np.asarray(paths, dtype=np.int64)
    periods = pd.period_range("2024-12-02", periods=paths.shape[1], freq="W-SUN", name="period")
    return Forecast(paths, periods, np.ones((len(paths), 5)), "by hand", **options)


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


@pytest.mark.parametrize(
    ("paths", "observed"), [((4, 2), (4, 5)), ((4, 3), (1, 5)), ((3,), (3, 5))], ids=["steps", "rows", "one path"]
)
def test_shapes_must_fit(paths, observed):
    with pytest.raises(InputError, match=r"paths have the shape \(.*\) and observed \(.*\); give \(draws, 3\)"):
        Forecast(np.zeros(paths, np.int64), WEEKS, np.ones(observed), "by hand")


# --- files


def test_a_saved_forecast_comes_back_as_it_was(tmp_path):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(3)
    one = Forecast(
        rng.poisson(5, (30, 3)),
        WEEKS,
        np.where(rng.random((30, 4)) < 0.2, np.nan, 7.0),
        "by hand",
        "raids",
        np.arange(30),
    )
    digest = one.save(tmp_path / "one.parquet", about={"source": "press.csv", "seed": 3})
    again, about = Forecast.load(tmp_path / "one.parquet")
    assert about == {"source": "press.csv", "seed": 3}
    assert len(digest) == 64
    np.testing.assert_array_equal(again.paths, one.paths)
    np.testing.assert_array_equal(again.observed, one.observed)
    np.testing.assert_array_equal(again.component, one.component)
    assert again.periods.equals(one.periods)
    assert (again.model, again.unit) == ("by hand", "raids")


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


# --- panels


@pytest.mark.parametrize("histories", [1, 3])
def test_a_saved_panel_comes_back_as_it_was(tmp_path, histories):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(4)
    component = np.arange(6) % histories
    seen = np.where(rng.random((2, histories, 5)) < 0.2, np.nan, rng.poisson(9, (2, histories, 5)))[:, component]
    panel = PanelForecast(
        rng.poisson(5, (2, 6, 3)), ("Iraq / north", "Syria"), WEEKS, seen, "by hand", "raids", component
    )
    digest = panel.save(tmp_path / "panel.parquet", about={"seed": 3})
    again, about = PanelForecast.load(tmp_path / "panel.parquet")
    assert about == {"seed": 3}
    assert len(digest) == 64
    for name in ("paths", "observed", "component"):
        np.testing.assert_array_equal(getattr(again, name), getattr(panel, name))
    assert again.periods.equals(panel.periods)
    assert (again.units, again.model, again.unit) == (panel.units, "by hand", "raids")
    with pytest.raises(InputError, match="holds no forecast of one series"):
        Forecast.load(tmp_path / "panel.parquet")
    panel["Syria"].save(tmp_path / "one.parquet")
    with pytest.raises(InputError, match=r"holds no forecast of several units; use Forecast\.load"):
        PanelForecast.load(tmp_path / "one.parquet")


def test_a_saved_panel_may_have_seen_nothing(tmp_path):
    pytest.importorskip("pyarrow")
    panel = PanelForecast(np.ones((2, 3, 3), np.int64), ("A", "B"), WEEKS, np.empty((2, 3, 0)), "by hand")
    panel.save(tmp_path / "panel.parquet")
    again, _ = PanelForecast.load(tmp_path / "panel.parquet")
    assert again.observed.shape == (2, 3, 0)
    np.testing.assert_array_equal(again.paths, panel.paths)


def test_a_panel_gives_each_unit_and_their_sum():
    paths = np.arange(12).reshape(2, 3, 2)
    panel = PanelForecast(paths, ("A", "B"), WEEKS[:2], np.ones((2, 3, 4)), "by hand", "raids")
    assert (panel.draws, panel.steps, str(panel.origin)) == (3, 2, str(WEEKS[0] - 1))
    np.testing.assert_array_equal(panel["B"].paths, paths[1])
    np.testing.assert_array_equal(panel.total().paths, paths.sum(axis=0))
    np.testing.assert_allclose(panel.mean()["A"], paths[0].mean(axis=0))
    assert panel.summary_frame().loc["B"].equals(panel["B"].summary_frame())
    assert "2 units" in panel._repr_html_()
    with pytest.raises(InputError, match="there is no unit 'C'"):
        panel["C"]
    with pytest.raises(InputError, match="paths of a panel have the shape"):
        PanelForecast(paths, ("A",), WEEKS[:2], np.ones((2, 3, 4)), "by hand")
