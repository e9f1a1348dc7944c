"""Rows that are counts of weeks or months: their own periods, and how they are spread over others."""

import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation import aggregate
from escalation.errors import DataWarning, PartialPeriodWarning
from escalation.incidents.counted_rows import native_freq
from escalation.incidents.spans import covered_between, merge_spans


def counted(*rows: tuple[str, str, int], **columns: object) -> pd.DataFrame:
    """Rows of counts: first day, last day, number."""
    first, last, events = zip(*rows, strict=True)
    table = {"date": pd.to_datetime(list(first)), "date_end": pd.to_datetime(list(last)), "events": list(events)}
    return pd.DataFrame(table | columns)


def quietly(table: pd.DataFrame, freq: str, **options: object) -> pd.Series | pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        warnings.simplefilter("ignore", PartialPeriodWarning)
        return aggregate(table, freq, **options)


def stata_weeks(number: int, events: int) -> pd.DataFrame:
    """Weeks that begin with each year, 52 a year, whose last has eight or nine days."""
    first = [pd.Timestamp(f"{2004 + week // 52}-01-01") + pd.Timedelta(days=7 * (week % 52)) for week in range(number)]
    last = [day - pd.Timedelta(days=1) for day in first[1:]] + [first[-1] + pd.Timedelta(days=6)]
    return pd.DataFrame({"date": first, "date_end": last, "events": events})


def test_weeks_that_begin_with_the_year_leave_no_sunday_week_empty() -> None:
    counts = quietly(stata_weeks(260, 600), "W").iloc[1:-1]
    assert counts.between(500, 601).all()  # 7 / 9 of 600 at the end of a leap year
    on_last_days = quietly(stata_weeks(260, 600), "W", count_on="last").iloc[1:-1]
    assert on_last_days.min() == 0  # what they would be on one day


@pytest.mark.parametrize("freq", ["D", "W-SUN", "W-WED", "M"])
@pytest.mark.parametrize("span", [(None, None), ("2024-01-17", "2024-04-22")])
@pytest.mark.parametrize("watched", [False, True])
def test_shares_agree_with_a_plain_loop_over_days(
    freq: str, span: tuple[str | None, str | None], watched: bool
) -> None:
    rng = np.random.default_rng(5)
    begin = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 120, 60), unit="D")
    last = begin + pd.to_timedelta(rng.choice([0, 6, 27, 30], 60), unit="D")
    table = pd.DataFrame(
        {"date": begin, "date_end": last, "events": rng.integers(0, 9, 60), "admin1": rng.choice(["A", "B"], 60)}
    )
    spans = pd.DataFrame(
        {
            "admin1": ["A", "A", "B"],
            "start": ["2024-01-05", "2024-03-01", None],
            "end": ["2024-02-10", None, "2024-05-31"],
        }
    )
    start = pd.Timestamp(span[0]) if span[0] else begin.min()
    end = pd.Timestamp(span[1]) if span[1] else last.max()
    exact = pd.DataFrame(0.0, pd.period_range(start, end, freq=freq), ["A", "B"])
    for day, until, events, unit in table.itertuples(index=False):
        days = pd.date_range(day, until)
        for one in days:
            own = spans[spans["admin1"] == unit]
            seen = (
                (own["start"].isna() | (pd.to_datetime(own["start"]) <= one))
                & (own["end"].isna() | (pd.to_datetime(own["end"]) >= one))
            ).any()
            if start <= one <= end and (seen or not watched):
                exact.loc[pd.Period(one, freq=freq), unit] += events / len(days)
    coverage = {"coverage": spans} if watched else {}
    counts = quietly(table, freq, by="admin1", start=start, end=end, **coverage).fillna(0).astype(float)
    difference = (counts - exact).cumsum()  # at each end of a period the totals agree but for rounding
    assert difference.abs().to_numpy().max() <= 0.5 + 1e-6
    if span == (None, None) and not watched:
        assert counts.sum().to_dict() == table.groupby("admin1")["events"].sum().to_dict()


def test_counts_of_their_own_periods_stay_whole_and_nothing_is_said() -> None:
    table = counted(("2024-01-01", "2024-01-31", 31), ("2024-02-01", "2024-02-29", 5), ("2024-03-01", "2024-03-31", 0))
    assert aggregate(table, "M").tolist() == [31, 5, 0]
    with pytest.warns(DataWarning, match=r"3 rows are counts of several days .* freq='M' counts them whole"):
        assert aggregate(table, "D").loc["2024-01"].tolist() == [1] * 31
    with pytest.warns(DataWarning, match="1 of them reach out of the days that are counted"):
        assert quietly_partial(table, "M", start="2024-01-25").tolist() == [7, 5, 0]


def quietly_partial(table: pd.DataFrame, freq: str, **options: object) -> pd.Series:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=PartialPeriodWarning)
        warnings.filterwarnings("ignore", message=".*are counts of several days")
        return aggregate(table, freq, **options)


def test_deaths_of_counts_are_spread_and_unknown_ones_are_not_known_where_they_reach() -> None:
    table = counted(("2024-01-01", "2024-01-31", 1), ("2024-02-01", "2024-02-29", 1), fatalities=[62, None])
    counts = quietly(table, "W", measure="fatalities")
    assert counts.iloc[:4].tolist() == [14, 14, 14, 14]
    assert counts.iloc[4:].isna().all()  # the week of 29 January to 4 February as well


@pytest.mark.parametrize(
    ("table", "freq"),
    [
        (counted(("2024-01-06", "2024-01-12", 1), ("2024-01-20", "2024-01-26", 3)), "W-FRI"),
        (counted(("2024-01-01", "2024-01-31", 1), ("2024-02-01", "2024-02-29", 3)), "M"),
        (counted(("2024-01-01", "2024-01-31", 1), ("2024-01-01", "2024-02-29", 3)), None),
        (counted(("2024-01-01", "2024-01-01", 1)), None),
        (counted(("2024-01-01", "2024-01-31", 1)).drop(columns="events"), None),
        (stata_weeks(60, 1), None),
    ],
)
def test_periods_of_the_rows_themselves(table: pd.DataFrame, freq: str | None) -> None:
    assert native_freq(table) == freq


def test_a_table_of_counts_is_counted_in_its_own_periods(tmp_path) -> None:
    path = tmp_path / "weekly.csv"
    weeks = pd.date_range("2023-01-07", periods=60, freq="7D")
    lines = [f"{week:%Y-%m-%d},Freedonia,Upper Marsh,Battles,{i % 5},{i}" for i, week in enumerate(weeks)]
    path.write_text("\n".join(["WEEK,COUNTRY,ADMIN1,EVENT_TYPE,FATALITIES,EVENTS", *lines]), encoding="utf-8")
    with pytest.warns(DataWarning, match="freq='W-FRI' counts them in their own periods"):
        source = escalation.open_source(path, layout="acled-weekly")
    assert source.quality is not None
    assert source.quality.sentence().startswith("Data quality of 60 rows of counts (1,770 incidents), 2023-01-07 to")
    series = escalation.count_series(source)
    assert series.freq == "W-FRI"
    assert series.counts.tolist() == list(range(60))
    assert series.daily is None
    other = escalation.count_series(source, freq="M")
    assert other.counts.sum() == sum(range(59)) + round(59 * 6 / 7)  # the last day of the last week is in March
    assert any("are counts of several days" in note for note in other.notes)


def test_a_stretch_in_which_every_unit_says_0_is_called_a_gap() -> None:
    weeks = pd.date_range("2020-01-06", periods=120, freq="7D")
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame(
            {
                "date": weeks,
                "date_end": weeks + pd.Timedelta(days=6),
                "admin1": name,
                "events": np.where(np.isin(np.arange(120), [60, 61]), 0, rng.poisson(9, 120)),
            }
        )
        for name in ("A", "B", "C")
    ]
    found = escalation.assessment.data_quality(pd.concat(parts, ignore_index=True)).findings.set_index("check")
    assert found.loc["gap", "said"].startswith("no incident in the 14 days from 2021-03-01 to 2021-03-14")
    quiet_in_one = pd.concat([parts[0], parts[1].assign(events=5)], ignore_index=True)
    assert "gap" not in set(escalation.assessment.data_quality(quiet_in_one).findings["check"])


def test_covered_days_of_a_stretch_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    unit, first = rng.integers(0, 4, 30), rng.integers(0, 90, 30)
    last = first + rng.integers(0, 9, 30)
    spans = merge_spans(unit, first, last, (0, 100))
    asked, since = rng.integers(0, 6, 200), rng.integers(-5, 100, 200)
    until = since + rng.integers(0, 20, 200)
    days: dict[int, set[int]] = {name: set() for name in range(6)}
    for name, a, b in zip(unit, first, last, strict=True):
        days[name] |= set(range(a, b + 1))
    expected = [len(days[u] & set(range(a, b + 1))) for u, a, b in zip(asked, since, until, strict=True)]
    assert covered_between(spans, asked, since, until).tolist() == expected


def test_counting_in_a_database_does_not_put_counts_on_one_day(tmp_path) -> None:
    pytest.importorskip("duckdb")
    path = tmp_path / "monthly.csv"
    counted(("2024-01-01", "2024-01-31", 31), ("2024-02-01", "2024-02-29", 5)).to_csv(path, index=False)
    assert escalation.incidents.count_in_database(path, "M")[0].tolist() == [31, 5]
    with pytest.raises(
        escalation.InputError, match=r"2 rows are counts \('events'\) of windows that touch more than one"
    ):
        escalation.incidents.count_in_database(path, "W")
