"""Counts of incidents by period: nothing appears, nothing vanishes."""

from __future__ import annotations

import csv
import datetime as dt
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.counts.periods import exposure
from escalation.counts.schema import check_counts
from escalation.errors import DataWarning, InputError, PartialPeriodWarning
from escalation.incidents import aggregate as aggregate_module
from escalation.incidents.aggregate import aggregate
from escalation.incidents.formats.read import read_incidents
from escalation.incidents.units import BLANK_UNIT


def table(dates, **columns):
    return pd.DataFrame({"date": pd.to_datetime(dates), **columns})


def windows(*pairs):
    return pd.DataFrame(pd.to_datetime([day for pair in pairs for day in pair]).to_numpy().reshape(-1, 2)).set_axis(
        ["date", "date_end"], axis=1
    )


def quietly(*arguments, **options):
    """Aggregate where the warnings are not the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartialPeriodWarning)
        warnings.simplefilter("ignore", DataWarning)
        return aggregate(*arguments, **options)


# --- one series -------------------------------------------------------------------------------------------


def test_quiet_periods_are_zero_and_the_index_has_no_gap():
    counts = aggregate(table(["2024-11-04", "2024-11-04", "2024-11-24"]), "W")
    assert counts.tolist() == [2, 0, 1]
    assert counts.dtype == "Int64"
    assert counts.name == "incidents"
    assert counts.index.name == "period"
    assert counts.index.equals(pd.period_range("2024-11-04", "2024-11-24", freq="W-SUN", name="period"))
    pd.testing.assert_series_equal(check_counts(counts), counts)


@pytest.mark.parametrize(
    ("freq", "expected"),
    [
        ("D", [1, 0, 1, 0, 0, 1]),
        ("W-SUN", [1, 2]),
        ("W-TUE", [2, 1]),
        ("w-sat", [1, 2]),
        ("M", [1, 2]),
    ],
)
def test_every_frequency(freq, expected):
    # Sunday 29 September, Tuesday 1 and Friday 4 October 2024; the week to Saturday holds 29 September to 5 October
    incidents = table(["2024-09-29", "2024-10-01", "2024-10-04"])
    if freq == "w-sat":
        incidents.loc[0, "date"] = pd.Timestamp("2024-09-28")
    assert quietly(incidents, freq).tolist() == expected


def test_the_span_can_be_wider_than_the_table():
    counts = aggregate(table(["2024-11-12"]), "M", start="2024-10-01", end=dt.date(2024, 12, 31))
    assert counts.tolist() == [0, 1, 0]


def test_the_span_can_be_given_in_periods():
    counts = aggregate(table(["2024-11-30"]), "M", start=pd.Period("2024-10"), end=pd.Period("2024-11"))
    assert counts.tolist() == [0, 1]


def test_left_out_the_span_is_that_of_the_windows():
    incidents = windows(("2024-11-01", "2024-11-30"), ("2024-11-12", "2024-11-12"))
    assert aggregate(incidents, "M").tolist() == [2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.dates(dt.date(2020, 1, 1), dt.date(2022, 12, 31)), st.integers(0, 40)), min_size=1, max_size=30
    ),
    st.sampled_from(["D", "W", "W-WED", "M"]),
    st.sampled_from(["first", "middle", "last"]),
    st.dates(dt.date(2019, 12, 1), dt.date(2021, 6, 30)),
    st.integers(0, 900),
)
def test_counts_agree_with_a_plain_loop_and_conserve_the_total(spans, freq, count_on, start, length):
    end = start + dt.timedelta(days=length)
    incidents = windows(*[(first, first + dt.timedelta(days=days)) for first, days in spans])
    counts = quietly(incidents, freq, start=start, end=end, count_on=count_on)
    loop, outside = Counter(), 0
    for first, days in spans:
        day = first + dt.timedelta(days={"first": 0, "middle": days // 2, "last": days}[count_on])
        if start <= day <= end:
            loop[label(day, freq)] += 1
        else:
            outside += 1
    assert counts.sum() + outside == len(spans)
    days = [start + dt.timedelta(days=i) for i in range(length + 1)]
    assert counts.tolist() == [loop[name] for name in dict.fromkeys(label(day, freq) for day in days)]


def label(day, freq):
    """The period of a day, worked out without pandas."""
    if freq == "D":
        return day
    if freq == "M":
        return day.year, day.month
    last = {"W": 6, "W-WED": 2}[freq]
    return day + dt.timedelta(days=(last - day.weekday()) % 7)


# --- windows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count_on", "expected"), [("first", [1, 0, 0]), ("middle", [0, 1, 0]), ("last", [0, 0, 1])])
def test_a_window_counts_on_the_day_that_is_chosen(count_on, expected):
    with pytest.warns(
        DataWarning, match="1 of 1 incidents have a window that touches more than one month; each counts"
    ):
        counts = aggregate(windows(("2024-09-01", "2024-11-30")), "M", count_on=count_on)
    assert counts.tolist() == expected


def test_the_last_day_is_the_usual_one():
    with pytest.warns(DataWarning, match=r"on its last day \(count_on='last'\)"):
        assert aggregate(windows(("2024-10-01", "2024-11-30")), "M").tolist() == [0, 1]


def test_a_window_inside_one_period_is_nothing_to_warn_of():
    assert aggregate(windows(("2024-11-04", "2024-11-10")), "W").tolist() == [1]


def test_week_precise_acled_events_count_in_the_week_of_acleds_own_date(tmp_path):
    path = tmp_path / "acled.csv"
    days = ["2024-11-04", "2024-11-10", "2024-11-11", "2024-11-17"]
    lines = [f"A{i},{day},{2 if i in (1, 2) else 1}" for i, day in enumerate(days)]
    path.write_text("\n".join(["event_id_cnty,event_date,time_precision", *lines]), encoding="utf-8")
    incidents, _ = read_incidents(path)
    with pytest.warns(DataWarning, match="2 of 4 incidents"):
        assert aggregate(incidents, "W", count_on="middle").tolist() == [2, 2]


# --- units ------------------------------------------------------------------------------------------------


def test_one_column_a_unit():
    incidents = table(["2024-11-04", "2024-11-12", "2024-11-17"], actor=["B", "A", "B"])
    counts = aggregate(incidents, "W", by="actor")
    assert counts.columns.tolist() == ["A", "B"]
    assert counts.columns.name == "actor"
    assert counts.to_numpy().tolist() == [[0, 1], [1, 1]]
    assert (counts.dtypes == "Int64").all()
    pd.testing.assert_frame_equal(check_counts(counts), counts)


def test_several_columns_make_a_multi_index():
    incidents = table(["2024-11-04", "2024-11-10"], actor=["B", "A"], country=["Y", "X"])
    counts = aggregate(incidents, "W", by=["country", "actor"])
    assert counts.columns.tolist() == [("X", "A"), ("Y", "B")]
    assert counts.columns.names == ["country", "actor"]
    assert aggregate(incidents, "W", by=["actor"]).columns.tolist() == [("A",), ("B",)]


def test_blank_units_are_a_unit():
    incidents = table(["2024-11-04", "2024-11-05", "2024-11-10"], actor=["", None, "A"], weapon=["x", np.nan, ""])
    assert aggregate(incidents, "W", by="actor").sum().to_dict() == {BLANK_UNIT: 2, "A": 1}
    assert aggregate(incidents, "W", by="weapon").sum().to_dict() == {BLANK_UNIT: 2, "x": 1}


def test_a_column_of_ones_own_and_of_any_type_can_be_the_unit():
    incidents = table(["2024-11-04", "2024-11-05", "2024-11-10"], iso=[2, 10, 2])
    assert aggregate(incidents, "W", by="iso").sum().to_dict() == {2: 2, 10: 1}
    category = incidents.assign(iso=pd.Categorical(["b", "a", "b"], categories=["unused", "b", "a"]))
    assert aggregate(category, "W", by="iso").sum().to_dict() == {"b": 2, "a": 1}


def test_a_unit_outside_the_span_keeps_its_column_of_zeros():
    incidents = table(["2024-11-04", "2024-12-05"], actor=["A", "B"])
    with pytest.warns(DataWarning, match="1 of 2 incidents lie outside 2024-11-04 to 2024-11-10 and are not counted"):
        counts = aggregate(incidents, "W", by="actor", start="2024-11-04", end="2024-11-10")
    assert counts.to_numpy().tolist() == [[1, 0]]


def test_units_add_up_to_the_whole():
    rng = np.random.default_rng(3)
    dates = pd.Timestamp("2020-01-06") + pd.to_timedelta(rng.integers(0, 700, 500), unit="D")
    incidents = table(dates, actor=rng.choice(list("ABC"), 500), fatalities=rng.poisson(2, 500))
    for measure in ("incidents", "fatalities"):
        whole = quietly(incidents, "W", measure=measure)
        parts = quietly(incidents, "W", by="actor", measure=measure)
        assert (parts.sum(axis=1) == whole).all()
        assert whole.sum() == (500 if measure == "incidents" else incidents["fatalities"].sum())


# --- fatalities -------------------------------------------------------------------------------------------


def test_fatalities_are_summed():
    incidents = table(["2024-11-04", "2024-11-05", "2024-11-17"], fatalities=[3, 4, 5])
    counts = aggregate(incidents, "W", measure="fatalities")
    assert counts.tolist() == [7, 5]
    assert counts.name == "fatalities"


def test_unknown_fatalities_make_the_sum_unknown_and_are_counted_aloud():
    incidents = table(["2024-11-04", "2024-11-05", "2024-11-17"], fatalities=[3, None, 5])
    with pytest.warns(DataWarning, match="1 of 3 incidents have unknown fatalities, so 1 counts are <NA>; drop these"):
        counts = aggregate(incidents, "W", measure="fatalities")
    assert counts.tolist() == [pd.NA, 5]
    assert aggregate(incidents, "W").tolist() == [2, 1]


def test_unknown_fatalities_of_one_unit_leave_the_others_alone():
    incidents = table(["2024-11-04", "2024-11-10"], actor=["A", "B"], fatalities=[None, 2])
    with pytest.warns(DataWarning, match="so 1 counts are <NA>"):
        counts = aggregate(incidents, "W", by="actor", measure="fatalities")
    assert counts.iloc[0].tolist() == [pd.NA, 2]


def test_large_sums_are_exact():
    incidents = table(["2024-11-04"] * 3 + ["2024-11-10"], fatalities=[99_999_999] * 3 + [1])
    assert aggregate(incidents, "W", measure="fatalities").tolist() == [3 * 99_999_999 + 1]


# --- what is covered --------------------------------------------------------------------------------------


def test_part_periods_are_named_with_their_days_and_the_exposure_to_pass():
    incidents = table(["2024-11-08", "2024-11-13"])
    with pytest.warns(PartialPeriodWarning) as caught:
        counts = aggregate(incidents, "W")
    assert len(caught) == 1
    assert str(caught[0].message) == (
        "2024-11-08 to 2024-11-13 covers 2024-11-04/2024-11-10 on 3 of its 7 days and 2024-11-11/2024-11-17 on 3 of "
        "its 7 days; pass exposure=escalation.exposure(counts.index, '2024-11-08', '2024-11-13') to fit, or move start "
        "or end to whole periods"
    )
    assert caught[0].filename == __file__  # it points to the caller
    np.testing.assert_allclose(exposure(counts.index, "2024-11-08", "2024-11-13"), [3 / 7, 3 / 7])


def test_one_period_that_is_part_at_both_ends_is_named_once():
    with pytest.warns(PartialPeriodWarning, match=r"covers 2024-11 on 3 of its 30 days; pass"):
        aggregate(table(["2024-11-12"]), "M", start="2024-11-11", end="2024-11-13")


def test_whole_periods_and_days_give_no_warning():
    aggregate(table(["2024-11-12"]), "W", start="2024-11-11", end="2024-11-17")
    aggregate(table(["2024-11-12", "2024-11-20"]), "D")
    aggregate(table(["2024-02-12"]), "M", start="2024-02-01", end="2024-02-29")


def test_rows_outside_are_counted_aloud():
    incidents = table(["2024-11-04", "2024-11-12", "2024-11-25"])
    with pytest.warns(
        DataWarning, match="2 of 3 incidents lie outside 2024-11-11 to 2024-11-17 and are not counted; move"
    ):
        counts = aggregate(incidents, "W", start="2024-11-11", end="2024-11-17")
    assert counts.tolist() == [1]


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"freq": "Y"}, "freq is 'Y'"),
        ({"measure": "deaths"}, "measure is 'deaths'; use incidents or fatalities"),
        ({"count_on": "start"}, "count_on is 'start'; use last or middle or first"),
        ({"by": "actr"}, "by names 'actr', which the table does not have; its columns are date, date_end, actor"),
        ({"by": []}, r"by is \[\]; give one column or a list of different columns"),
        ({"by": ["actor", "actor"]}, "give one column or a list of different columns"),
        ({"by": 3}, "by is 3; give one column"),
        ({"start": "12/11/2024"}, "start is '12/11/2024'; write the date as YYYY-MM-DD"),
        ({"start": "2024-11-13", "end": "2024-11-12"}, "end 2024-11-12 is before start 2024-11-13"),
        ({"end": "1900-01-01"}, "end 1900-01-01 is before start"),
    ],
)
def test_refusals(options, match):
    with pytest.raises(InputError, match=match):
        aggregate(table(["2024-11-12"]), **{"freq": "W", **options})


def test_a_unit_that_looks_like_histories_is_refused():
    with pytest.raises(InputError, match="by names 'draw', which marks histories"):
        aggregate(table(["2024-11-12"], draw=[1]), "W", by="draw")


def test_too_many_counts_are_refused(monkeypatch):
    monkeypatch.setattr(aggregate_module, "MAX_CELLS", 10)
    incidents = table(["2024-11-04", "2024-11-10"])
    with pytest.raises(InputError, match="7 periods x 2 units are more than 10 counts; choose a coarser freq or by"):
        aggregate(incidents, "D", by="incident_id")


def test_the_table_goes_through_the_gate():
    with pytest.raises(InputError, match="incidents has no rows"):
        aggregate(table([]), "W")


# --- against VIEWS ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "country", "last"),
    [
        ("ged_sri_lanka.csv", "Sri Lanka", "2020-12"),
        ("ged_sierra_leone.csv", "Sierra Leone", "2020-12"),
        ("ged_ethiopia.csv", "Ethiopia", "2020-10"),  # the next two months were revised after VIEWS took them
    ],
)
def test_state_based_deaths_are_those_of_views_in_every_month(name, country, last, shared_data):
    pytest.importorskip("pyarrow")
    key = pd.read_csv(shared_data("data/views_challenge/country_key.csv"))
    views = pd.read_parquet(shared_data("data/views_challenge/history_v2_1990-01_2020-12.parquet"))
    views = views[views["country_id"].isin(key.loc[key["name"] == country, "id"])].groupby("month_id")["ged_sb"].sum()
    views.index = pd.PeriodIndex.from_ordinals(
        views.index + 119, freq="M"
    )  # month 1 is January 1980, ten years after 0
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/{name}"))
    state_based = incidents[incidents["event_type"] == "state-based"]
    counts = quietly(state_based, "M", start=views.index[0], end=last + "-28", measure="fatalities")
    agree = counts.to_numpy(dtype=int) == views[:last].to_numpy()
    assert len(agree) >= 330
    assert views[:last].sum() > 10_000
    assert agree.mean() == 1.0


@pytest.mark.parametrize("name", ["ged_sri_lanka.csv", "ged_sudan_shifted_header.csv"])
def test_real_months_agree_with_a_plain_loop(name, shared_data):
    with shared_data(f"data/ucdp_ged/{name}").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    loop = Counter()
    for row in rows:
        end = row["date_end"]
        month = f"{end[6:10]}-{end[:2]}" if "/" in end else end[:7]
        loop[month, row["side_a"]] += int(row.get("best") or row["best_est"])
    incidents, _ = read_incidents(shared_data(f"data/ucdp_ged/{name}"))
    counts = quietly(incidents, "M", by="actor", measure="fatalities")
    found = {(str(month), actor): int(n) for actor in counts for month, n in counts[actor].items() if n}
    assert found == {key: deaths for key, deaths in loop.items() if deaths}
