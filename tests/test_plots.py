"""Charts: what is drawn is what the nouns hold; nothing overlaps, and grey alone tells input from forecast."""

from __future__ import annotations

import base64
import dataclasses
import functools
import re
import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates as mdates
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

import escalation
from escalation import Climatology, InputError, compare_rates, first_passage, flashpoint, plots, reconstruct
from escalation.conventions.wording import probability_text
from escalation.plots import style
from escalation.plots.style import (
    AHEAD_INNER,
    AHEAD_OUTER,
    HEADROOM,
    INK,
    SEEN,
    SEEN_INNER,
    SEEN_OUTER,
    date_axis,
    period_ticks,
)
from escalation.plots.tally_charts import draw_counts, place_labels, running_totals
from escalation.plots.text import (
    MISSING,
    font,
    lacks_characters,
    period_text,
    printable,
    shorten,
    span_text,
    text_width,
    wrap,
)
from escalation.plots.trend_charts import figure_text, ratio_limits
from escalation.tallies.printed import contradictions_by_window

START = "2024-01-01"

TALLIES = pd.DataFrame(
    [
        (10, "exact", "", "", START, "2024-01-14", "ok", "ALL"),
        (17, "about", "", "", START, "2024-01-21", "ok", "ALL"),
        (None, "range", 20, 28, START, "2024-01-28", "ok", "ALL"),
        (31, "at_least", "", "", START, "2024-02-04", "ok", "ALL"),
        (30, "exact", "", "", START, "2024-02-04", "stale", "ALL"),
        (44, "exact", "", "", START, "2024-02-18", "ok", "ALL"),
        (45, "exact", "", "", START, "2024-02-18", "ok", "ALL"),
        (50, "nearly", "", "", START, "2024-02-25", "ok", "ALL"),
        (9, "exact", "", "", "2024-02-05", "2024-02-18", "ok", "ALL"),
        (2, "exact", "", "", "2024-02-20", "2024-02-20", "ok", "ALL"),
        (20, "exact", "", "", START, "2024-02-18", "ok", "North"),
    ],
    columns=["count", "qualifier", "low", "high", "start", "end", "flag", "place"],
).assign(series="raids", unit="raids", counter="desk")
TALLIES["count"] = TALLIES["count"].astype("Int64")


@pytest.fixture(scope="module")
def reconstruction():
    return reconstruct(TALLIES, series="raids", end="2024-03-10", draws=60, rng=1)


def weekly(values, start="2024-01-01", freq="W-SUN", dtype="Int64"):
    index = pd.period_range(start, periods=len(values), freq=freq, name="period")
    return pd.Series(pd.array(values, dtype=dtype), index=index)


def histories_of(*columns):
    index = pd.period_range("2024-01-01", periods=len(columns[0]), freq="W-SUN", name="period")
    return pd.DataFrame(np.array(columns).T, index=index, columns=pd.RangeIndex(len(columns), name="draw"))


@pytest.fixture(scope="module")
def forecast():
    counts = weekly([3, 5, 4, 4, 6, 2, 9, 1])
    return Climatology().fit(counts, unit="raids").forecast(6, draws=300, rng=1)


def step(ax, label):
    """Values and baseline of a band or line drawn over periods."""
    (found,) = [patch for patch in ax.patches if isinstance(patch, StepPatch) and patch.get_label() == label]
    return found


def day(text):
    return mdates.date2num(np.datetime64(text))


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def render(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def lightness(colour):
    """What a grey printer sees (ITU-R BT.601)."""
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def late_raids():
    days = pd.Series(pd.date_range("2024-01-01", "2024-06-30"))
    raids = pd.DataFrame({"date": days, "as_of": days + pd.to_timedelta(days.dt.day % 13, unit="D")})
    return escalation.incidents.nowcast(raids, "W", now="2024-06-30", unit="raids", draws=200, rng=1)


@functools.cache
def growing_rates():
    return escalation.models.growth(escalation.models.LocalTrend(family="poisson").fit(rising()))


def rising():
    return weekly([1, 0, 2, 1, 1, 2, 0, 1, 1, 2] * 2 + [8, 9, 7, 11, 8, 10, 30, 9, 8, 12])


@functools.cache
def tit_for_tat():
    rng, counts = np.random.default_rng(2), np.zeros((80, 2))
    for week in range(1, 80):
        counts[week] = rng.poisson(2 + 0.5 * counts[week - 1, ::-1])
    sides = pd.DataFrame(counts, index=weekly([0] * 80).index, columns=["north", "south"])
    return escalation.excitation(sides, lags=2, widths=(1,), draws=79, replicates=10, rng=1)


def all_charts(reconstruction, forecast):
    risen = rising()
    counts = weekly([3, 5, 4, 4, 6, 2, 9, 1])
    passage = pd.DataFrame({9: first_passage(forecast, 9), 5: first_passage(forecast, 5)})
    year = pd.period_range("2022-01-03", periods=60, freq="W-SUN")
    scored = escalation.backtest(
        {"four_weeks": Climatology(4), "the_last_twelve_weeks": Climatology(12)},
        pd.Series(np.arange(60) % 7, index=year),
        origins=9, horizon=3, thresholds=(5,), draws=50, rng=1,
    )  # fmt: skip
    return {
        "scores": plots.scores(scored),
        "pit": plots.pit(scored),
        "reliability": plots.reliability(scored, 5),
        "reconstruction": plots.reconstruction(reconstruction),
        "counts": plots.counts(counts),
        "trend": plots.trend(counts, compare_rates(counts, 3, 5)),
        "forecast": plots.forecast(forecast),
        "models": plots.models({"one": forecast, "two": forecast}),
        "passage": plots.first_passage(passage, [flashpoint(forecast, 9), flashpoint(forecast, 5)]),
        "nowcast": plots.nowcast(late_raids()),
        "growth": plots.growth(risen, escalation.growth_rate(risen, 20), growing_rates(), unit="raids"),
        "changes": plots.changes(risen, escalation.changepoints(risen, unit="raids")),
        "alarms": plots.alarms(escalation.alarms(risen, "ears_c1", unit="raids"), risen),
        "regimes": plots.regimes(risen, active_at_the_end(risen), unit="raids"),
        "excitation": plots.excitation(tit_for_tat()),
    }


# Tallies and counts


def test_cumulative_bands_and_median_are_those_of_the_reconstruction(reconstruction):
    upper, _ = plots.reconstruction(reconstruction).axes
    for label, level in (("90% interval", 0.9), ("50% interval", 0.5)):
        values, edges, baseline = step(upper, label).get_data()
        expected = reconstruction.cumulative(level)
        np.testing.assert_array_equal(values, expected["upper"])
        np.testing.assert_array_equal(baseline, expected["lower"])
        assert edges[0] == day(START) and edges[-1] == day("2024-03-11")
    np.testing.assert_array_equal(step(upper, "median").get_data()[0], reconstruction.cumulative()["median"])


def test_period_bands_are_those_of_the_reconstruction_at_the_level_asked_for(reconstruction):
    _, lower = plots.reconstruction(reconstruction, level=0.8).axes
    values, edges, baseline = step(lower, "80% interval").get_data()
    expected = reconstruction.summary_frame(0.8)
    np.testing.assert_array_equal(values, expected["upper"])
    np.testing.assert_array_equal(baseline, expected["lower"])
    assert np.unique(np.diff(edges)).tolist() == [7.0]


def test_each_running_total_is_drawn_as_printed_at_the_end_of_its_window(reconstruction):
    upper, _ = plots.reconstruction(reconstruction).axes
    drawn = {
        line.get_label(): list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in upper.lines
        if line.get_gid() != "contradiction"
    }
    # the middle of the last day of each window, by hand from the table above
    assert drawn == {
        "exact": [(day("2024-01-14") + 0.5, 10), (day("2024-02-18") + 0.5, 44), (day("2024-02-18") + 0.5, 45)],
        "about": [(day("2024-01-21") + 0.5, 17)],
        "at least": [(day("2024-02-04") + 0.5, 31)],
        "nearly": [(day("2024-02-25") + 0.5, 50)],
        "left out": [(day("2024-02-04") + 0.5, 30)],
    } | {label: drawn[label] for label in drawn if label.startswith("_")}


def test_only_ranges_have_whiskers_and_only_from_low_to_high(reconstruction):
    upper, _ = plots.reconstruction(reconstruction).axes
    (bars,) = [one for one in upper.collections if isinstance(one, LineCollection)]
    (segment,) = bars.get_segments()
    at = day("2024-01-28") + 0.5
    assert segment.tolist() == [[at, 20], [at, 28]]


def test_windows_that_do_not_open_with_the_series_are_no_running_totals(reconstruction):
    totals = running_totals(reconstruction)
    assert set(totals["start"]) == {pd.Timestamp(START)} and set(totals["place"]) == {"ALL"} and len(totals) == 8


@pytest.mark.parametrize(
    ("opens", "closes", "is_one"),
    [
        ("2023-12-28", "2024-02-18", True),  # four days early of 53
        ("2023-11-01", "2024-02-18", False),  # two months early
        ("2024-01-15", "2024-02-18", False),  # two weeks late of five
        ("2024-01-02", "2024-01-03", True),
        ("2024-01-02", "2024-01-02", False),  # a single day counts that day
    ],
)
def test_what_opens_about_when_the_series_does_is_a_running_total(reconstruction, opens, closes, is_one):
    table = reconstruction.tallies.iloc[[0]].assign(start=pd.Timestamp(opens), end=pd.Timestamp(closes))
    changed = dataclasses.replace(reconstruction, tallies=table)
    assert bool(len(running_totals(changed))) == is_one


def test_contradictions_are_ringed_and_numbered_as_in_their_table(reconstruction):
    upper, _ = plots.reconstruction(reconstruction).axes
    table = contradictions_by_window(reconstruction)
    rows = table[(table["place"] == "ALL") & (table["start"] == pd.Timestamp(START))]
    expected = sorted(
        {(day(row["end"]) + 0.5, float(row[name])) for _, row in rows.iterrows() for name in ("lowest", "highest")}
    )
    rings = [line for line in upper.lines if line.get_gid() == "contradiction"]
    assert sorted((ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings) == expected and expected
    numbers = {label.get_text(): label.xy for label in upper.texts}
    for number, at in numbers.items():
        row = table.iloc[int(number) - 1]
        assert at == (day(row["end"]) + 0.5, row["highest"])


def test_labels_keep_clear_of_each_other_and_inside_the_axes():
    figure = Figure(figsize=(4, 3))
    ax = figure.add_subplot()
    ax.set_xlim(0, 10)
    ax.set_ylim(0, 10)
    place_labels(ax, [(str(number), 1 + 0.03 * number, 1 + 0.03 * number) for number in range(30)])
    boxes = [text.get_window_extent(render(figure)) for text in ax.texts]
    bare = [Text.get_window_extent(text, render(figure)) for text in ax.texts]
    assert 3 <= len(boxes) < 30
    assert not any(a.overlaps(b) for i, a in enumerate(bare) for b in bare[:i])
    assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 for box in bare)


def test_other_windows_are_drawn_at_their_count_per_week(reconstruction):
    _, lower = plots.reconstruction(reconstruction).axes
    (lines,) = [one for one in lower.collections if one.get_label().startswith("window")]
    (segment,) = lines.get_segments()
    # 9 in two weeks; the single day is shorter than a week and not drawn
    assert segment.tolist() == [[day("2024-02-05"), 4.5], [day("2024-02-19"), 4.5]]


def test_what_lies_after_the_last_tally_is_hatched(reconstruction):
    for ax in plots.reconstruction(reconstruction).axes:
        (after,) = [patch for patch in ax.patches if patch.get_label() == "after the last tally"]
        span = after.get_path().get_extents(after.get_patch_transform())
        assert (span.x0, span.x1) == (day("2024-02-26"), day("2024-03-11")) and after.get_hatch()


def test_titles_say_the_finding(reconstruction):
    upper, lower = plots.reconstruction(reconstruction).axes
    row = reconstruction.cumulative().loc["2024-02-25"]
    expected = f"{row['median']} raids by 25 Feb 2024 (90% interval {row['lower']} to {row['upper']})"
    assert upper.get_title(loc="left") == expected
    busiest = reconstruction.summary_frame()["median"].max()
    assert f": {busiest} raids (90% interval" in lower.get_title(loc="left").replace("\n", " ")


def test_exact_counts_are_bars_with_gaps_where_nobody_looked():
    counts = weekly([2, None, 0, 5, None, None])
    figure = plots.counts(counts, unit="raids")
    ax = figure.axes[0]
    values, edges, baseline = step(ax, "counted").get_data()
    np.testing.assert_array_equal(values, [2, np.nan, 0, 5, np.nan, np.nan])
    assert baseline == 0 and edges[0] == day("2024-01-01")
    unseen = [patch for patch in ax.patches if patch.get_hatch() == "xxx"]
    spans = [patch.get_path().get_extents(patch.get_patch_transform()) for patch in unseen]
    assert [(span.x0, span.x1) for span in spans] == [
        (day("2024-01-08"), day("2024-01-15")),
        (day("2024-01-29"), day("2024-02-12")),
    ]
    assert ax.get_title(loc="left") == "The busiest week was 22 to 28 Jan 2024: 5 raids"


def test_partly_covered_periods_are_dotted():
    counts = weekly([2, 3, 4])
    figure = Figure(figsize=(7, 3))
    ax = figure.add_subplot()
    draw_counts(counts, ax, exposure=pd.Series([1.0, 1.0, 0.4], index=counts.index))
    np.testing.assert_array_equal(step(ax, "covered in part").get_data()[0], [np.nan, np.nan, 4])


def test_counts_without_an_incident_say_so():
    ax = plots.counts(weekly([0, 0, 0])).axes[0]
    assert ax.get_title(loc="left") == "No week is known to have had incidents"
    assert ax.get_ylim() == (0.0, HEADROOM)


def test_histories_are_bands():
    ax = plots.counts(histories_of([0, 4], [2, 5], [4, 6])).axes[0]
    values, _, baseline = step(ax, "90% interval").get_data()
    assert values.tolist() == [4, 6] and baseline.tolist() == [0, 4]
    assert ax.get_title(loc="left").startswith(
        "The busiest week was 8 to 14 Jan 2024: 5 incidents (90% interval 4 to 6)"
    )


def test_a_chart_takes_one_series():
    panel = pd.DataFrame({"a": weekly([1, 2]), "b": weekly([1, 2])})
    with pytest.raises(InputError, match="shows one series and got a table of 2 units"):
        plots.counts(panel)


@pytest.mark.parametrize("level", [0.0, 1.0, 90])
def test_the_level_of_the_wide_band_is_a_probability(level):
    with pytest.raises(InputError, match="give a probability between 0 and 1"):
        plots.counts(weekly([1, 2]), level=level)


# Trend


def test_windows_carry_their_rates_and_intervals():
    counts = weekly([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5], start="2024-09-02")
    change = compare_rates(counts, recent=4, baseline=8, family="negbin", rng=1)
    upper, lower = plots.trend(counts, change, unit="raids").axes
    spans = {
        line.get_gid(): line.get_segments()[0].tolist()
        for line in upper.collections
        if line.get_gid() in ("baseline", "recent")
    }
    assert spans == {
        "baseline": [[day("2024-09-02"), 9 / 8], [day("2024-10-28"), 9 / 8]],
        "recent": [[day("2024-10-28"), 4.5], [day("2024-11-25"), 4.5]],
    }
    whiskers = [line.get_segments()[0][:, 1] for line in upper.collections if line.get_gid() is None]
    np.testing.assert_allclose(
        sorted(map(tuple, whiskers)),
        sorted([(change.baseline.lower, change.baseline.upper), (change.recent.lower, change.recent.upper)]),
        atol=1e-12,  # the whiskers are drawn as distances from the rate
    )
    (interval,) = [line for line in lower.lines if line.get_gid() == "interval"]
    assert list(interval.get_xdata()) == [change.lower, change.upper]
    assert f"rate is {probability_text(change.probability_higher)}" in upper.get_title(loc="left")


def test_a_ratio_without_limits_runs_to_the_ends_of_its_axis():
    change = compare_rates(weekly([0, 0, 0, 0]), 2, 2, family="poisson")
    assert change.lower == 0 and change.upper == np.inf
    low, high = ratio_limits(change)
    _, lower = plots.trend(weekly([0, 0, 0, 0]), change).axes
    (interval,) = [line for line in lower.lines if line.get_gid() == "interval"]
    assert list(interval.get_xdata()) == [low, high] == list(lower.get_xlim())
    assert "no limit" in lower.get_title(loc="left")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1e-9, "0"), (0.0123, "0.012"), (0.96, "1.0"), (14.04, "14.0"), (1234.5, "1,230")]
)
def test_rates_are_written_with_few_figures(value, text):
    assert figure_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "below 0.001"), (1.0, "above 0.999"), (0.004, "0.004"), (0.996, "0.996"), (0.5, "0.50")],
)
def test_a_chance_is_never_written_as_0_or_1(value, text):
    assert probability_text(value) == text


# Forecast


def test_the_fan_is_the_forecast_and_begins_where_observation_ends(forecast):
    ax = plots.forecast(forecast).axes[0]
    for label, level in (("forecast, 90% interval", 0.9), ("forecast, 50% interval", 0.5)):
        values, edges, baseline = step(ax, label).get_data()
        expected = forecast.summary_frame(level)
        np.testing.assert_array_equal(values, expected["obs_pi_upper"])
        np.testing.assert_array_equal(baseline, expected["obs_pi_lower"])
        assert edges[0] == day("2024-02-26")
    np.testing.assert_array_equal(step(ax, "forecast, median").get_data()[0], forecast.quantile(0.5))
    seen, edges, _ = step(ax, "counted").get_data()
    assert seen.tolist() == [3, 5, 4, 4, 6, 2, 9, 1] and edges[-1] == day("2024-02-26")
    (origin,) = [line for line in ax.lines if line.get_gid() == "origin"]
    assert list(origin.get_xdata()) == [day("2024-02-26")] * 2
    assert "last observed week" in [text.get_text() for text in ax.texts]


def test_input_and_forecast_differ_in_hatch_and_in_grey(forecast):
    """rOpenSci TS5.6 to 5.8."""
    ax = plots.forecast(forecast).axes[0]
    assert step(ax, "counted").get_hatch() is None
    assert step(ax, "forecast, 90% interval").get_hatch() and step(ax, "forecast, 50% interval").get_hatch()
    for inner, outer in ((SEEN_INNER, SEEN_OUTER), (AHEAD_INNER, AHEAD_OUTER)):
        assert lightness(outer) - lightness(inner) > 0.1  # a step that survives a copy
    assert min(lightness(SEEN_INNER), lightness(AHEAD_INNER)) - max(lightness(SEEN), lightness(INK)) > 0.3


def test_the_past_is_cut_where_asked(forecast):
    ax = plots.forecast(forecast, past=3).axes[0]
    assert step(ax, "counted").get_data()[0].tolist() == [2, 9, 1]
    assert ax.get_xlim()[0] == day("2024-02-05")


def test_a_forecast_of_histories_shows_them_as_bands():
    histories = histories_of([0, 4, 1], [2, 5, 1], [4, 6, 1])
    made = Climatology().fit(histories).forecast(2, draws=30, rng=1)
    values, _, baseline = step(plots.forecast(made).axes[0], "90% interval").get_data()
    assert values.tolist() == [4, 6, 1] and baseline.tolist() == [0, 4, 1]


def test_counts_that_do_not_end_at_the_origin_are_refused(forecast):
    with pytest.raises(InputError, match="the forecast begins after 2024-02-19/2024-02-25"):
        plots.forecast(forecast, weekly([1, 2, 3]))


def test_a_forecast_without_a_past_asks_for_one(forecast):
    bare = dataclasses.replace(forecast, observed=np.empty((1, forecast.draws, 0)))
    with pytest.raises(InputError, match="holds no observed periods to show"):
        plots.forecast(bare)


def test_an_upper_limit_that_dwarfs_the_rest_makes_a_square_root_axis(forecast):
    paths = forecast.paths.copy()
    paths[:, :30] = 5000
    wild = dataclasses.replace(forecast, paths=paths)
    ax = plots.forecast(wild).axes[0]
    assert ax.get_ylabel().replace("\n", " ") == "raids per week (square-root scale)"
    assert ax.get_ylim() == (0.0, 5000 * HEADROOM)
    boxes = [label.get_window_extent(render(ax.figure)) for label in ax.get_yticklabels()]
    assert len(boxes) >= 4 and not any(a.overlaps(b) for a, b in pairwise(boxes))
    assert "square-root" not in plots.forecast(forecast).axes[0].get_ylabel()


def test_models_stand_beside_each_other_with_their_intervals(forecast):
    other = dataclasses.replace(forecast, paths=forecast.paths + 2)
    ax = plots.models({"plain": forecast, "two_more": other}, level=0.8).axes[0]
    for name, one in (("plain", forecast), ("two_more", other)):
        (lines,) = [each for each in ax.collections if each.get_gid() == name]
        spans = np.array([segment[:, 1] for segment in lines.get_segments()])
        np.testing.assert_array_equal(spans, one.summary_frame(0.8)[["obs_pi_lower", "obs_pi_upper"]])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["plain", "two more"]


def test_of_many_steps_some_are_shown_evenly_apart_up_to_the_last():
    made = Climatology().fit(weekly([1, 2, 3, 4], freq="D")).forecast(28, draws=20, rng=1)
    ax = plots.models({"one": made}).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "8 Jan\n2024", "12 Jan", "16 Jan", "20 Jan", "24 Jan", "28 Jan", "1 Feb",
    ]  # fmt: skip


def test_models_of_different_periods_are_refused(forecast):
    shorter = dataclasses.replace(forecast, paths=forecast.paths[:, :, :3], periods=forecast.periods[:3])
    with pytest.raises(InputError, match="the forecasts are of different periods"):
        plots.models({"long": forecast, "short": shorter})


def test_forecasts_of_several_units_are_refused(forecast):
    both = dataclasses.replace(
        forecast, paths=forecast.paths.repeat(2, 0), observed=forecast.observed.repeat(2, 0), units=("A", "B")
    )
    for draw in (plots.forecast, lambda made: plots.models({"one": made})):
        with pytest.raises(InputError, match="this forecast is of 2 units; pick one with"):
            draw(both)


def test_no_model_is_refused():
    with pytest.raises(InputError, match="there is no forecast to draw"):
        plots.models({})


# Flashpoints


def test_first_passage_curves_and_their_errors(forecast):
    passage = pd.DataFrame({9: first_passage(forecast, 9), 5: first_passage(forecast, 5)})
    known = [flashpoint(forecast, 9), flashpoint(forecast, 5, within=3)]
    ax = plots.first_passage(passage, known).axes[0]
    curves = [line for line in ax.lines if line.get_label().endswith("in a week")]
    assert [line.get_label() for line in curves] == ["9 or more in a week", "5 or more in a week"]
    for line, threshold in zip(curves, passage, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), passage[threshold])
        assert line.get_xdata()[0] == day("2024-03-03")  # the last day of the first week
    assert curves[0].get_linestyle() != curves[1].get_linestyle() and curves[0].get_marker() != curves[1].get_marker()
    spans = [bars.get_segments()[0] for bars in ax.collections]
    for span, point in zip(spans, known, strict=True):
        np.testing.assert_allclose(span[:, 1], [point.lower, point.upper], atol=1e-12)  # drawn as distances
    assert spans[1][0, 0] < day("2024-03-24") < spans[0][0, 0]
    assert ax.get_title(loc="left").startswith("9 or more in a week: probability ")


def test_windows_that_are_not_complete_yet_have_no_point(forecast):
    whole = dataclasses.replace(forecast, observed=np.full((1, forecast.draws, 1), np.nan))
    passage = first_passage(whole, 5, over=3).rename(5)
    ax = plots.first_passage(passage.to_frame(), [flashpoint(whole, 5, over=3)]).axes[0]
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [True, True, False, False, False, False]
    assert ax.lines[0].get_label() == "5 or more in 3 weeks"


def test_a_bare_series_of_first_passage_can_be_drawn(forecast):
    assert plots.first_passage(first_passage(forecast, 5)).axes[0].lines[0].get_label() == "threshold reached"


def test_definitions_keep_their_names(forecast):
    passage = pd.DataFrame({"a busy month": first_passage(forecast, 9, over=2), "any": first_passage(forecast, 1)})
    ax = plots.first_passage(passage).axes[0]
    assert [line.get_label() for line in ax.lines] == ["a busy month", "any"]
    assert ax.lines[1].get_ydata().tolist() == passage["any"].tolist()
    assert ax.get_title(loc="left").startswith("a busy month: probability ")


# Dates


LENGTHS = [("D", 2), ("D", 9), ("D", 28), ("D", 100), ("D", 411), ("W-SUN", 2), ("W-SUN", 59), ("W-SAT", 522)]
LENGTHS += [("M", 2), ("M", 14), ("M", 130), ("M", 600), ("M", 2400)]


@pytest.mark.parametrize(("freq", "length"), LENGTHS)
@pytest.mark.parametrize("named", ["dates", "periods"])
def test_dates_never_overlap(freq, length, named):
    index = pd.period_range("1923-10-17", periods=length, freq=freq)
    figure = Figure(figsize=(6.8, 3))
    ax = figure.add_subplot()
    first, last = day(index[0].start_time), day(index[-1].end_time.normalize()) + 1
    if named == "dates":
        date_axis(ax, first, last)
    else:
        ax.set_xlim(first, last)
        period_ticks(ax, index)
    renderer = render(figure)
    boxes = [label.get_window_extent(renderer) for label in ax.get_xticklabels() if label.get_text()]
    assert len(boxes) >= (2 if length > 2 else 1)
    assert all(right.x0 - left.x1 >= 3 for left, right in pairwise(boxes))
    assert all("\n" in label.get_text() or label.get_text().isdigit() for label in ax.get_xticklabels()[:1])


def test_dates_are_written_without_the_machine_s_language():
    assert period_text(pd.Period("2024-12-30", "W-SUN")) == "30 Dec 2024 to 5 Jan 2025"
    assert period_text(pd.Period("2024-03", "M")) == "Mar 2024"
    assert period_text(pd.Period("2024-03-05", "D")) == "5 Mar 2024"
    assert span_text(pd.Timestamp("2024-03-05"), pd.Timestamp("2024-03-09")) == "5 to 9 Mar 2024"


# All charts


def test_nothing_on_a_chart_is_smaller_than_8_points_clipped_or_overlapping(reconstruction, forecast):
    for name, figure in all_charts(reconstruction, forecast).items():
        renderer = render(figure)
        shown = texts(figure)
        assert min(text.get_fontsize() for text in shown) >= 8, name
        boxes = [(text, Text.get_window_extent(text, renderer)) for text in shown]
        for text, box in boxes:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            assert inside, (name, text)
        crossing = [
            (a.get_text(), b.get_text())
            for i, (a, left) in enumerate(boxes)
            for b, right in boxes[:i]
            if left.shrunk(0.96, 0.8).overlaps(right.shrunk(0.96, 0.8))  # line boxes hold more than ink
        ]
        assert not crossing, name


def test_axes_have_units(reconstruction, forecast):
    labels = [
        ax.get_ylabel().replace("\n", " ")
        for figure in all_charts(reconstruction, forecast).values()
        for ax in figure.axes
    ]
    assert labels == [
        "mean CRPS", "relative frequency", "share that came, 95% interval", "forecasts",
        "raids since 1 Jan 2024", "raids per week", "incidents per week", "incidents per week", "", "raids per week",
        "raids per week", "probability", "raids per week", "raids per week", "growth per week", "raids per week",
        "probability", "raids per week", "raids per week", "probability", "more attacks by south",
        "more attacks by north",
    ]  # fmt: skip


def test_charts_are_the_same_whatever_the_user_s_settings(forecast):
    plain = plots.forecast(forecast)._repr_png_()
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "hatch.linewidth": 9, "axes.facecolor": "red"}):
        settings = dict(mpl.rcParams)
        assert plots.forecast(forecast)._repr_png_() == plain
        assert dict(mpl.rcParams) == settings
    assert plain.startswith(b"\x89PNG")


def test_charts_follow_a_dark_theme(forecast):
    """With the filter of the page dark and light are exchanged: contrast stays, and blue stays blue."""
    chart = plots.forecast(forecast)
    html = chart._repr_html_()
    for theme in ('[data-jp-theme-light="false"]', '[data-vscode-theme-kind*="dark"]', "prefers-color-scheme: dark"):
        assert theme in html
    assert base64.b64decode(re.search(r'base64,([^"]+)"', html)[1]) == chart._repr_png_()
    assert f'alt="{chart.axes[0].get_title(loc="left")[:20]}' in html
    share = float(re.search(r"invert\(([\d.]+)\) hue-rotate\(180deg\)", html)[1])
    turn = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])  # CSS, half a turn

    def dark(colour):
        return np.clip(turn @ (share + (1 - 2 * share) * np.array(mpl.colors.to_rgb(colour))), 0, 1)

    page = dark("white")
    assert page.max() < 0.1
    for colour in (style.INK, style.SEEN, style.AHEAD, style.GREY):
        assert dark(colour).mean() - page.mean() > 0.35
    assert dark(style.SEEN).argmax() == 2 and dark(style.AHEAD).argmax() == 0


def test_charts_need_no_pyplot():
    code = (
        "import sys, pandas as pd, escalation\n"
        "from escalation import plots\n"
        "counts = pd.Series([1, 0, 4], index=pd.period_range('2024-01-01', periods=3, freq='W-SUN'))\n"
        "plots.counts(counts)._repr_png_()\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout == "False\n"


def test_the_public_charts_are_exported():
    assert set(plots.__all__) <= set(dir(escalation.plots))
    assert escalation.plots.forecast is plots.forecast


# Text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\tb\n c", "a b c"),
        ("zero\u200bwidth", "zerowidth"),
        ("東京", MISSING * 2),
        ("naïve Ωя", "naïve Ωя"),
        ("\x00\x1b[31m", "[31m"),
        ("\ud800", MISSING),
    ],
)
def test_printable_shows_what_the_font_has(given, shown):
    assert printable(given) == shown


def test_lost_characters_are_noticed():
    assert lacks_characters(["fine", "東"]) and not lacks_characters(["fine", MISSING, "Ω", 3])


@pytest.mark.parametrize("weight", ["normal", "bold"])
@pytest.mark.parametrize("width", [30.0, 90.0, 400.0])
def test_wrapped_lines_fit_and_lose_nothing(weight, width):
    text = (
        "Short words, https://www.example.org/a/very/long/path-without_any.breaks?q=1&r=2 and Donaudampfschifffahrt "
        * 3
    )
    lines = wrap(text.strip(), width, 8.0, weight)
    assert max(text_width(line, 8.0, weight) for line in lines) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_text_is_measured_as_it_is_drawn():
    figure = Figure(figsize=(8, 2), dpi=720)
    drawn = figure.text(0.1, 0.5, "Measured: 1,234 attacks (90%)", fontproperties=font(9.0, "bold"))
    width = drawn.get_window_extent(render(figure)).width / 10
    # at ten dots a point the canvas rounds to a tenth of a point
    assert abs(width - text_width("Measured: 1,234 attacks (90%)", 9.0, "bold")) <= 0.3


def test_a_long_word_is_broken_after_its_slash():
    assert wrap("example.org/attacks", 70.0, 8.0) == ["example.org/", "attacks"]


def test_shortened_lines_fit():
    short = shorten("a rather long title of a report", 60.0, 8.0)
    assert short.endswith("…") and text_width(short, 8.0) <= 60.0 and shorten("fits", 60.0, 8.0) == "fits"


def test_dollars_are_dollars(reconstruction):
    priced = dataclasses.replace(reconstruction, unit="raids at $5 or $6^2")
    figure = plots.reconstruction(priced)
    render(figure)
    assert figure.axes[1].get_ylabel().replace("\n", " ") == "raids at $5 or $6^2 per week"
    assert not figure.axes[1].yaxis.label.get_parse_math()


# Growth, changes, alarms, excitation


def test_growth_is_drawn_as_the_exponential_with_the_total_of_its_window():
    counts = rising()
    found = escalation.growth_rate(counts, 20)
    figure = plots.growth(counts, found, growing_rates())
    upper, lower = figure.axes
    middle, slow, fast = (line.get_ydata() for line in upper.lines)
    for curve, share in ((middle, found.growth), (slow, found.lower), (fast, found.upper)):
        assert np.diff(np.log(curve)) == pytest.approx(np.log1p(share))
        assert curve.sum() == pytest.approx(counts.iloc[-20:].sum())
    rates = growing_rates()
    assert np.asarray(step(lower, "median").get_data()[0]) == pytest.approx(np.log1p(rates["growth"]).to_numpy())
    assert f"{100 * found.growth:+.0f}% a week" in upper.get_title(loc="left")


def test_levels_and_probabilities_are_those_of_the_change_points():
    counts = rising()
    found = escalation.changepoints(counts)
    upper, lower = plots.changes(counts, found).axes
    [drawn] = [c for c in upper.collections if c.get_label() == "rate, with its 90% interval"]
    assert drawn.get_segments()[0][0][1] == pytest.approx(found.changes["rate_before"].iloc[0])
    [bars] = [patch for patch in lower.patches if isinstance(patch, StepPatch)]
    assert np.asarray(bars.get_data()[0]) == pytest.approx(found.probability.to_numpy())
    calm = escalation.changepoints(weekly([2, 3, 2, 2, 3, 2, 3, 2, 2, 3]))
    title = plots.changes(weekly([2, 3, 2, 2, 3, 2, 3, 2, 2, 3]), calm).axes[0].get_title(loc="left")
    assert title.startswith("That the rate did not change is likeliest")


def active_at_the_end(counts):
    active = np.where(np.arange(len(counts)) >= len(counts) - 5, 0.9, 0.2)
    return pd.DataFrame({"quiet": 1 - active, "active": active}, index=counts.index)


def test_regimes_are_shaded_where_they_are_likely_and_their_chances_drawn():
    counts = rising()
    chances = active_at_the_end(counts)
    upper, lower = plots.regimes(counts, chances, unit="raids").axes
    [shade] = [patch for patch in upper.patches if patch.get_label() == "likelier active than not"]
    begin = pd.Timestamp(mdates.num2date(shade.get_x()).replace(tzinfo=None))
    assert begin == counts.index[-5].start_time
    [bars] = [patch for patch in lower.patches if isinstance(patch, StepPatch)]
    assert np.asarray(bars.get_data()[0]) == pytest.approx(chances["active"].to_numpy())
    assert f"5 of {len(counts)} weeks are likelier in it than not" in lower.get_title(loc="left")


def test_alarms_are_marked_on_their_periods_and_the_bound_is_drawn():
    counts = rising()
    found = escalation.alarms(counts, "ears_c1")
    for figure in (plots.alarms(found, counts), plots.alarms(found)):
        [ax] = figure.axes
        [marks] = [line for line in ax.lines if line.get_gid() == "alarms"]
        starts = [
            pd.Timestamp(mdates.num2date(x).replace(tzinfo=None)) - pd.Timedelta("84h") for x in marks.get_xdata()
        ]
        assert starts == list(found.periods.start_time)
        assert np.asarray(step(ax, "bound of an alarm").get_data()[0]) == pytest.approx(
            found.judged["upper"].to_numpy()
        )


def test_responses_are_those_of_the_excitation_and_the_verdict_is_in_the_title():
    found = tit_for_tat()
    for ax, (after, by) in zip(plots.excitation(found).axes, (("north", "south"), ("south", "north")), strict=True):
        [line] = [line for line in ax.lines if line.get_gid() == "response"]
        table = found.response.xs(by, level="by").xs(after, level="after")
        assert line.get_ydata()[1:] == pytest.approx(table["estimate"].to_numpy())
        told = "a shared shock does not explain it" in ax.get_title(loc="left").replace("\n", " ")
        assert told == found.found(by, after)
