"""A count series with what is known of it, and that every function takes it as it takes a table."""

import io
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import escalation
from escalation.analysis.trend.trend import ratio_of_rates
from escalation.counts.series import CountSeries, as_count_series, unpack_counts
from escalation.errors import InputError

WEEKS = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
DAYS = pd.period_range("2024-01-01", periods=84, freq="D")


def weekly(values=(2, 0, 1, 3, 1, 2, 0, 4) * 3 + (3, 6, 5, 4, 7, 5, 6, 8) * 2, index=WEEKS):
    return pd.Series(values, index=index, name="raids", dtype="Int64")


def partial(index=WEEKS):
    """Shares of which two are below 1, one before and one after the middle."""
    shares = pd.Series(1.0, index=index)
    shares.iloc[[3, -10]] = 0.5
    return shares


def histories(n=30, index=WEEKS):
    draws = np.random.default_rng(1).poisson(weekly().to_numpy(dtype=float)[:, None], size=(len(index), n))
    return pd.DataFrame(draws, index=index, columns=pd.RangeIndex(n, name="draw"))


@pytest.fixture(scope="module")
def reconstruction():
    """Counts of forty weeks known by tallies of each, the last week cut short."""
    start = pd.Series(WEEKS[:-1].start_time)
    tallies = pd.DataFrame(
        {
            "series": "raids",
            "count": weekly().to_numpy()[:-1],
            "qualifier": "exact",
            "start": start,
            "end": start + pd.Timedelta(days=6),
            "unit": "raids",
            "counter": "ministry",
            "place": "Nordland",
        }
    )
    return escalation.reconstruct(tallies, series="raids", end="2024-10-02", draws=40, rng=1)


# The noun


def test_what_is_left_out_says_that_all_was_seen():
    series = CountSeries(weekly())
    assert series.exposure.tolist() == [1.0] * 40 and series.observed_share.tolist() == [1.0] * 40
    assert series.exposure.index.equals(WEEKS) and series.observed_share.name == "observed_share"
    assert series.observed_until == pd.Timestamp("2024-10-06")  # the Sunday of the fortieth week
    assert (series.silence, series.unit, series.title, series.place, series.counter) == (
        "quiet",
        "incidents",
        *[""] * 3,
    )
    assert series.exact and series.freq == "W-SUN" and series.periods.equals(WEEKS)


def test_what_was_observed_is_what_was_covered_unless_stated():
    shares = partial()
    shares.iloc[-2:] = [0.25, 0.0]
    series = CountSeries(weekly(), exposure=shares)
    assert series.observed_share.tolist() == shares.tolist()
    assert series.observed_until == pd.Timestamp("2024-09-29")
    other = CountSeries(
        weekly(), exposure=shares, observed_share=pd.Series(0.1, index=WEEKS), observed_until="2024-03-01"
    )
    assert other.observed_share.eq(0.1).all() and other.observed_until == pd.Timestamp("2024-03-01")


def test_a_series_of_which_nothing_was_covered_ends_with_its_last_period():
    nothing = CountSeries(weekly(), exposure=pd.Series(0.0, index=WEEKS))
    assert nothing.observed_until == pd.Timestamp("2024-10-06")


def test_shares_missing_or_a_little_above_one_are_put_right():
    shares = pd.Series([1 + 1e-12, None, 0.5], index=WEEKS[:3], dtype="Float64")
    assert CountSeries(weekly((1, 2, 3), WEEKS[:3]), exposure=shares).exposure.tolist() == [1.0, 0.0, 0.5]


def test_it_can_be_neither_changed_nor_changed_from_outside():
    counts, shares = weekly(), partial()
    series = CountSeries(counts, exposure=shares)
    with pytest.raises(FrozenInstanceError):
        series.unit = "raids"
    counts.iloc[0], shares.iloc[0] = 99, 0.1
    assert series.counts.iloc[0] == 2 and series.exposure.iloc[0] == 1.0


def test_counts_become_what_the_gate_makes_of_them():
    assert CountSeries(weekly().astype(float)).counts.dtype == "Int64"
    assert CountSeries(histories().astype(float)).counts.dtypes.eq("int64").all()
    assert not CountSeries(histories()).exact


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"counts": [1, 2]}, "counts is a list; give a pandas Series or DataFrame on a PeriodIndex"),
        ({"counts": weekly().astype(float) / 4}, "counts holds 0.5 at 2024-01-01/2024-01-07; counts are whole"),
        (
            {"counts": pd.DataFrame({"north": weekly(), "south": weekly()})},
            "counts is a table of 2 units; give one column, or name the columns draw if they are histories",
        ),
        ({"silence": "loud"}, "silence is 'loud'; use quiet, unknown, lower_bound"),
        ({"exposure": [1.0] * 40}, "exposure is not a Series on the periods of the counts; reindex it to counts.index"),
        ({"exposure": partial()[1:]}, "exposure is not a Series on the periods of the counts"),
        ({"exposure": partial() + 1}, r"exposure is 2 at 2024-01-01/2024-01-07; a share lies between 0 and 1"),
        ({"observed_share": -partial()}, r"observed_share is -1 at 2024-01-01/2024-01-07; a share lies between"),
        ({"observed_share": partial()[:-1]}, "observed_share is not a Series on the periods of the counts"),
    ],
)
def test_what_is_no_count_series_is_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message) as caught:
        CountSeries(**{"counts": weekly(), **options})
    assert "\n" not in str(caught.value)


def test_the_summary_of_exact_counts_is_themselves_and_of_histories_their_quantiles():
    exact = CountSeries(weekly()).summary_frame()
    assert all(exact[name].tolist() == weekly().tolist() for name in ("median", "lower", "upper"))
    drawn = CountSeries(histories(101)).summary_frame(0.8)
    ordered = np.sort(histories(101).to_numpy(), axis=1)  # of 101 the 51st is the median, the 11th and 91st the ends
    assert drawn.to_numpy().tolist() == ordered[:, [50, 10, 90]].tolist()
    with pytest.raises(InputError, match="level is 1"):
        CountSeries(weekly()).summary_frame(1)


def test_its_sentence_says_what_where_by_whom_and_when():
    series = CountSeries(weekly(), unit="raids", place="Nordland", counter="ministry", title="Raids <1>")
    total = sum((2, 0, 1, 3, 1, 2, 0, 4) * 3 + (3, 6, 5, 4, 7, 5, 6, 8) * 2)
    assert series.sentence() == (
        f"{total} raids in Nordland counted by ministry in 40 weeks, 2024-01-01 to 2024-10-06."
    )
    assert series._repr_html_().startswith("<b>Raids &lt;1&gt;</b><p>")


def test_a_reconstruction_brings_all_that_it_knows(reconstruction):
    series = reconstruction.to_count_series()
    assert series.counts.equals(reconstruction.histories)
    assert series.exposure.iloc[-1] == pytest.approx(3 / 7) and series.exposure.iloc[:-1].eq(1).all()
    assert series.observed_until == pd.Timestamp("2024-09-29")
    assert (series.unit, series.title, series.place, series.counter) == ("raids", "raids", "Nordland", "ministry")


# Unpacking


def test_tables_pass_as_they_are():
    table = weekly()
    counts, exposure, unit = unpack_counts(table)
    assert counts is table and exposure is None and unit == "incidents"
    assert unpack_counts(table, partial(), "raids").unit == "raids"


def test_a_keyword_wins_over_what_the_series_brings():
    series = CountSeries(weekly(), exposure=partial(), unit="raids", title="Raids")
    assert unpack_counts(series)[1:] == (series.exposure, "raids")
    whole = pd.Series(1.0, index=WEEKS)
    _, exposure, unit = unpack_counts(series, whole, "attacks")
    assert exposure is whole and unit == "attacks"


def test_as_a_count_series_it_keeps_all_else_that_it_knows():
    series = CountSeries(weekly(), exposure=partial(), unit="raids", title="Raids", silence="unknown")
    assert as_count_series(series) is series
    other = as_count_series(series, unit="attacks")
    assert (other.unit, other.title, other.silence) == ("attacks", "Raids", "unknown")
    assert other.exposure.equals(series.exposure)
    made = as_count_series(weekly(), partial(), "raids")
    assert made.exposure.tolist() == partial().tolist() and made.unit == "raids"
    assert as_count_series(weekly()).exposure.eq(1).all()


# What takes counts


@dataclass(frozen=True)
class Taker:
    """A public function that takes counts of one series, and which of its keywords a series can bring."""

    call: Any
    exposure: bool = True
    unit: bool = False
    histories: bool = True
    gated: bool = True

    def keywords(self, exposure, unit):
        return ({"exposure": exposure} if self.exposure else {}) | ({"unit": unit} if self.unit else {})


MODELS = (escalation.Climatology(4), escalation.NegativeBinomial())
SHORT = {"origins": 4, "draws": 50, "rng": 1}


def updated(counts, **keywords):
    return escalation.NegativeBinomial().fit(weekly()).update(counts, **keywords)


def forecast():
    paths = np.random.default_rng(2).poisson(5, (50, 8))
    return escalation.Forecast.of_series(paths, WEEKS[-8:], np.ones((50, 3)), "made up")


def loglike(counts, **keywords):
    params = {"intercept": 1.0, "beta_1": 0.3, "alpha_1": 0.1, "dispersion": 0.2}
    return escalation.INGARCH().loglike(params, counts, **keywords)


def coverage(counts):
    return escalation.incidents.coverage_exposure(
        counts, pd.DataFrame({"start": ["2024-02-07"], "end": ["2024-08-01"]})
    )


def change():
    return escalation.compare_rates(weekly(), 4, 12, rng=1)


TAKERS = {
    "compare_rates": Taker(lambda counts, **k: escalation.compare_rates(counts, 12, 12, rng=1, **k)),
    "ratio_of_rates": Taker(lambda counts, **k: ratio_of_rates(counts, 12, 12, rng=1, **k)),
    "growth_rate": Taker(lambda counts, **k: escalation.growth_rate(counts, 20, rng=1, **k)),
    "changepoints": Taker(escalation.changepoints, unit=True),
    "run_length": Taker(escalation.analysis.run_length, unit=True),
    "alarms": Taker(lambda counts, **k: escalation.alarms(counts, "ears_c2", **k), unit=True),
    "false_alarms": Taker(
        lambda counts, **k: escalation.analysis.false_alarms(counts, "ears_c2", draws=20, rng=1, **k)
    ),
    "fit": Taker(escalation.NegativeBinomial().fit, unit=True),
    "update": Taker(updated),
    "loglike": Taker(loglike, histories=False),
    "auto": Taker(lambda counts, **k: escalation.auto_model(counts, models=MODELS, **SHORT, **k), unit=True),
    "backtest": Taker(lambda counts, **k: escalation.backtest(MODELS, counts, horizon=2, progress=False, **SHORT, **k)),
    "score_forecast": Taker(lambda counts, **k: escalation.score_forecast(forecast(), counts, **k)),
    "past_flashpoints": Taker(
        lambda counts: escalation.forecasts.past_flashpoints(counts, 8, within=4), exposure=False
    ),
    "coverage_exposure": Taker(coverage, exposure=False, gated=False),
    "plots.counts": Taker(escalation.plots.counts, unit=True, gated=False),
    "plots.trend": Taker(
        lambda counts, **k: escalation.plots.trend(counts, change(), **k), exposure=False, unit=True, gated=False
    ),
    "plots.growth": Taker(
        lambda counts, **k: escalation.plots.growth(counts, escalation.growth_rate(weekly(), 12, rng=1), **k),
        exposure=False,
        unit=True,
        gated=False,
    ),
    "plots.changes": Taker(
        lambda counts: escalation.plots.changes(counts, escalation.changepoints(weekly())), exposure=False, gated=False
    ),
    "plots.alarms": Taker(
        lambda counts: escalation.plots.alarms(escalation.alarms(weekly(), "ears_c2"), counts),
        exposure=False,
        gated=False,
    ),
    "plots.regimes": Taker(
        lambda counts, **k: escalation.plots.regimes(
            counts, pd.DataFrame({"quiet": 0.4, "active": 0.6}, index=WEEKS), **k
        ),
        exposure=False,
        unit=True,
        gated=False,
    ),
    "plots.forecast": Taker(
        lambda counts: escalation.plots.forecast(
            escalation.Climatology().fit(weekly()).forecast(4, draws=50, rng=1), counts
        ),
        exposure=False,
        gated=False,
    ),
}


def check_same(one, other):
    """Compare two results in all that they hold, but for the series that they were given."""
    assert type(one) is type(other)
    if isinstance(one, CountSeries | escalation.tallies.Reconstruction):
        return
    if isinstance(one, Figure):
        assert drawn(one) == drawn(other)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other, check_names=False)
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    elif is_dataclass(one):
        for part in fields(one):
            check_same(getattr(one, part.name), getattr(other, part.name))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            check_same(one[key], other[key])
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            check_same(first, second)
    elif isinstance(one, pd.Index):
        assert one.equals(other)
    elif isinstance(one, float):
        assert one == other or (np.isnan(one) and np.isnan(other))
    elif isinstance(one, str | int | bool | pd.Period | pd.Timestamp | None):
        assert one == other
    else:
        assert repr(one) == repr(other)


def drawn(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()


@pytest.mark.parametrize("name", TAKERS)
def test_counts_with_their_exposure_are_taken_as_one_or_apart(name):
    taker = TAKERS[name]
    keywords = taker.keywords(partial(), "raids")
    check_same(taker.call(weekly(), **keywords), taker.call(CountSeries(weekly(), exposure=partial(), unit="raids")))
    other = CountSeries(weekly(), exposure=partial() / 2, unit="strikes")
    check_same(taker.call(weekly(), **keywords), taker.call(other, **keywords))  # a chart drawn twice shifts a little


@pytest.mark.parametrize("name", [name for name, taker in TAKERS.items() if taker.histories])
def test_histories_are_taken_from_a_reconstruction_as_from_their_table(name, reconstruction):
    taker = TAKERS[name]
    keywords = taker.keywords(reconstruction.exposure, "raids")
    for held in (reconstruction, reconstruction.to_count_series()):
        check_same(taker.call(reconstruction.histories, **keywords), taker.call(held))


@pytest.mark.parametrize("name", [name for name, taker in TAKERS.items() if taker.gated])
def test_what_is_neither_is_refused_by_the_gate(name):
    with pytest.raises(InputError, match="counts is a list; give a pandas Series or DataFrame on a PeriodIndex"):
        TAKERS[name].call([1, 2, 3])


@pytest.mark.parametrize("name", ["compare_rates", "growth_rate", "changepoints", "alarms", "fit", "score_forecast"])
def test_a_panel_is_no_series(name):
    with pytest.raises(InputError, match=r"2 units|choose a unit"):
        TAKERS[name].call(pd.DataFrame({"north": weekly(), "south": weekly()}))


def test_a_table_without_a_unit_is_of_incidents():
    for name, taker in TAKERS.items():
        if taker.unit and not name.startswith(("plot", "auto")):
            assert taker.call(weekly()).unit == "incidents"


def test_days_are_taken_with_the_share_of_each_that_was_covered():
    values = [1, 0, 0, 1, 0, 0, 0] * 12
    values[75] = 30
    daily, shares = weekly(values, DAYS), pd.Series(1.0, index=DAYS)
    shares.iloc[60:67] = 0.5
    apart = escalation.analysis.carried_by_day(daily, 4, 8, exposure=shares, rng=1)
    check_same(apart, escalation.analysis.carried_by_day(CountSeries(daily, exposure=shares), 4, 8, rng=1))
    # days 60 to 62 are of the ninth week and 63 to 66 of the tenth: of the last four weeks 3.5 days were not covered
    assert apart.change.recent.exposure == pytest.approx((28 - 3.5) / 7)
    whole = escalation.analysis.carried_by_day(daily, 4, 8, rng=1)
    assert whole.change.recent.exposure == 4.0


def test_trials_of_one_group_may_be_a_series(reconstruction):
    raids = CountSeries(weekly(), unit="raids")
    total = int(weekly().sum())
    check_same(escalation.lethality(5, raids), escalation.lethality(5, total, unit="raids"))
    apart = escalation.lethality(5, reconstruction.histories, unit="raids")
    check_same(apart, escalation.lethality(5, reconstruction))
    assert escalation.lethality(5, raids, unit="attacks").unit == escalation.lethality(5, total).unit == "attacks"


def test_what_lethal_attacks_there_were_may_be_a_series():
    ahead, past = forecast(), weekly()
    other = [
        escalation.analysis.compound(
            escalation.Forecast.of_series(ahead.series_paths, WEEKS[-8:], np.ones((50, 12)), "made up"),
            escalation.analysis.Severity(escalation.lethality(5, 50)),
            what="lethal",
            observed=observed,
            rng=1,
        )
        for observed in (past, CountSeries(past))
    ]
    check_same(*other)
    assert other[0].series_observed[0].tolist() == past.iloc[20:32].tolist()
