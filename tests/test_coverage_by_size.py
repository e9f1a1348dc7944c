"""Coverage of intervals by the recent level of the counts, against enumeration on backtests made by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import escalation
from escalation import InputError
from escalation.evaluation.scoring import recent_level
from escalation.models.baselines.climatology import Climatology

WEEKS = pd.period_range("2022-01-03", periods=80, freq="W-SUN", name="period")


def made(rows, models=("one",)):
    """A backtest of the rows (model, unit, place of the origin, step, history, recent, below, upto, inside)."""
    names = ["model", "unit", "origin", "step", "history", "recent", "cdf_below", "cdf", "inside_90%"]
    table = pd.DataFrame(rows, columns=names)
    table["origin"] = pd.PeriodIndex([WEEKS[place] for place in table["origin"]])
    table["period"] = table["origin"] + table["step"].to_numpy()
    table["model"] = pd.Categorical(table["model"], categories=list(models))
    table["unit"] = pd.Categorical(table["unit"])
    table["inside_50%"] = ((table["cdf_below"] < 0.75) & (table["cdf"] > 0.25)).astype(float)
    return escalation.Backtest(table, pd.DataFrame(columns=["model", "unit", "origin", "error"]))


def mass_of(below, upto, level=0.9):
    """How much of a uniform variable between the two probabilities lies in the central interval."""
    edge = (1 - level) / 2
    return max(min(upto, 1 - edge) - max(below, edge), 0) / (upto - below)


def wilson(share, n, z=1.959963984540054):
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return [middle - half, middle + half]


ONE = [
    (0.0, 0.0, 0.8, 1),
    (0.0, 0.8, 0.97, 1),
    (0.0, 0.97, 1.0, 0),
    (0.25, 0.0, 0.5, 1),
    (2.0, 0.5, 0.7, 1),
    (2.25, 0.01, 0.04, 0),
    (9.0, 0.9, 0.99, 1),
    (9.5, 0.3, 0.4, 1),
    (400.0, 0.96, 0.97, 0),
]
"""Recent level, probabilities of less and of no more than what came, and whether the interval held it."""
CLASSES = {"0": [0, 1, 2], "1-2": [3, 4], "3-9": [5, 6], "10-29": [7], "30+": [8]}


def test_each_class_is_that_of_a_plain_loop():
    table = made([("one", "a", k, 1, 0, *row) for k, row in enumerate(ONE)]).coverage_by_size()
    assert table.index.names == ["model", "recent"]
    assert table.index.tolist() == [("one", name) for name in CLASSES]
    for name, places in CLASSES.items():
        row, own = table.loc[("one", name)], [ONE[k] for k in places]
        share = sum(mass_of(below, upto) for _, below, upto, _ in own) / len(own)
        assert row["forecasts"] == row["independent"] == len(own)  # one unit, and no two forecasts of one period
        assert row["inside"] == pytest.approx(sum(inside for *_, inside in own) / len(own))
        assert row["mass"] == pytest.approx(share)
        assert row[["lower", "upper"]].tolist() == pytest.approx(wilson(share, len(own)))


def test_other_classes_intervals_and_levels():
    result = made([("one", "a", k, 1, 0, *row) for k, row in enumerate(ONE)])
    table = result.coverage_by_size(edges=(1, 2, 10), interval=0.5, level=0.5).loc["one"]
    assert table["forecasts"].to_dict() == {"0": 3, "1": 1, "2-9": 3, "10+": 2}
    share = np.mean([mass_of(*ONE[k][1:3], level=0.5) for k in (4, 5, 6)])
    assert table.loc["2-9", "mass"] == pytest.approx(share)
    assert table.loc["2-9", "inside"] == pytest.approx(1 / 3)
    assert table.loc["2-9", ["lower", "upper"]].tolist() == pytest.approx(wilson(share, 3, stats.norm.ppf(0.75)))
    assert result.coverage_by_size(edges=())["forecasts"].to_dict() == {("one", "0+"): 9}


def test_models_are_apart_and_histories_count_once():
    rows = [
        ("one", "a", 0, 1, 0, 0.5, 0.0, 0.5, 1),
        ("one", "a", 0, 1, 1, 0.5, 0.98, 1.0, 0),
        ("one", "a", 1, 1, 0, 0.5, 0.2, 0.4, 1),
        ("one", "a", 1, 1, 1, 0.5, 0.4, 0.5, 1),
        ("two", "a", 0, 1, 0, 5.0, 0.4, 0.5, 1),
        ("two", "a", 1, 1, 0, np.nan, 0.4, 0.5, 1),
        ("two", "a", 2, 1, 0, 5.0, np.nan, np.nan, np.nan),
    ]
    table = made(rows, ("one", "two")).coverage_by_size()
    assert table["forecasts"].to_dict() == {("one", "1-2"): 2, ("two", "3-9"): 1}
    assert table["inside"].tolist() == [0.75, 1.0]
    assert table["mass"].tolist() == pytest.approx([(0.9 + 0 + 1 + 1) / 4, 1.0])


def test_what_goes_together_makes_the_interval_wider():
    # in each of 20 blocks of two origins both units are held by all intervals or by none
    rows = [
        ("one", unit, place, step, 0, 1.0, *((0.4, 0.5, 1) if place // 2 % 2 else (0.98, 1.0, 0)))
        for unit in "ab"
        for place in range(40)
        for step in (1, 2)
    ]
    row = made(rows).coverage_by_size().loc[("one", "1-2")]
    assert row["forecasts"] == 160
    assert row["independent"] == pytest.approx(20, rel=0.1)
    assert row[["lower", "upper"]].tolist() == pytest.approx(wilson(0.5, row["independent"]))


def test_right_forecasts_hold_what_they_state_in_each_class_of_the_recent_level_but_not_of_the_outcome():
    rng = np.random.default_rng(2)
    level = np.exp(rng.normal(1.5, 1.2, 20_000))
    recent, came = rng.poisson(level[:, None], (20_000, 4)).mean(axis=1), rng.poisson(level)
    below, upto = stats.poisson.cdf(came - 1, level), stats.poisson.cdf(came, level)
    inside = (upto >= 0.05) & (below < 0.95)
    rows = [("one", f"u{k}", 0, 1, 0) for k in range(20_000)]
    values = np.column_stack([recent, below, upto, inside]).tolist()
    right = made([(*row, *value) for row, value in zip(rows, values, strict=True)])
    table = right.coverage_by_size(level=0.999)
    assert len(table) == 5
    assert ((table["lower"] < 0.9) & (table["upper"] > 0.9)).all()
    assert (table["inside"] > table["mass"]).all()
    wrong = escalation.Backtest(right.scores.assign(recent=came), right.failures).coverage_by_size(level=0.999)
    assert (wrong["upper"] < 0.9).any() and (wrong["lower"] > 0.9).any()


def test_the_recent_level_is_that_of_the_last_four_counts_known():
    counts = pd.Series(np.random.default_rng(1).poisson(5, 80), index=WEEKS, name="raids").astype(float)
    counts.iloc[[65, 67]] = np.nan
    options = {"origins": [WEEKS[60], WEEKS[68]], "horizon": 2, "draws": 50, "rng": 1}
    result = escalation.backtest([Climatology(20)], counts, **options)
    wanted = [counts.iloc[57:61].mean(), counts.iloc[[63, 64, 66, 68]].mean()]
    assert result.scores["recent"].tolist() == np.repeat(wanted, 2).tolist()
    late = escalation.backtest([Climatology(20)], counts, as_of=lambda origin: counts.loc[: origin - 3], **options)
    wanted = [counts.iloc[54:58].mean(), counts.iloc[61:66].mean()]
    assert late.scores["recent"].tolist() == np.repeat(wanted, 2).tolist()


def test_the_recent_level_of_histories_is_their_mean_and_of_units_their_own():
    table = pd.DataFrame(np.arange(160).reshape(80, 2), index=WEEKS, columns=pd.Index([0, 1], name="draw"))
    options = {"origins": [WEEKS[70]], "horizon": 1, "draws": 50, "rng": 1}
    assert set(escalation.backtest([Climatology(20)], table, **options).scores["recent"]) == {137.5}
    units = table.set_axis(pd.Index(["a", "b"]), axis=1)
    found = escalation.backtest([Climatology(20)], units, **options).scores
    assert dict(zip(found["unit"], found["recent"], strict=True)) == {"a": 137.0, "b": 138.0}
    assert math.isnan(recent_level(pd.Series([np.nan, np.nan], index=WEEKS[:2])))


def test_the_closed_intervals_are_those_of_the_table(tmp_path):
    counts = pd.DataFrame(np.random.default_rng(1).poisson([0.3, 4, 15], (80, 3)), index=WEEKS, columns=list("abc"))
    result = escalation.backtest([Climatology(52)], counts, origins=8, horizon=3, draws=100, rng=1)
    table = result.coverage_by_size()
    assert np.average(table["inside"], weights=table["forecasts"]) == pytest.approx(
        result.table()["coverage_90%"].item()
    )
    mass = result.calibration(intervals=[0.9], rng=1)["mass"].item()
    assert np.average(table["mass"], weights=table["forecasts"]) == pytest.approx(mass)
    result.save(tmp_path / "past.csv")
    # saved with four digits
    again = escalation.Backtest.load(tmp_path / "past.csv").coverage_by_size()
    pd.testing.assert_frame_equal(again, table, atol=1e-3, check_index_type=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": (1, 3, 3)}, r"edges is \(1, 3, 3\); give the lowest count of each class after the first"),
        ({"edges": (0, 3)}, "edges is 0; give a whole number from 1"),
        ({"edges": (1.5,)}, "edges is 1.5; give a whole number from 1"),
        ({"interval": 0.8}, "interval is 0.8; the backtest kept those of 0.5, 0.9"),
        ({"level": 95}, "level is 95; give a probability"),
    ],
)
def test_wrong_options_are_said(options, message):
    with pytest.raises(InputError, match=message):
        made([("one", "a", 0, 1, 0, *ONE[0])]).coverage_by_size(**options)


def test_what_has_no_coverage_by_size_is_said():
    result = made([("one", "a", 0, 1, 0, *ONE[0])])
    old = escalation.Backtest(result.scores.drop(columns="recent"), result.failures)
    with pytest.raises(InputError, match="kept no recent counts; run it again"):
        old.coverage_by_size()
    empty = escalation.Backtest(result.scores.assign(cdf=np.nan), result.failures)
    with pytest.raises(InputError, match="no forecast of the backtest can be scored"):
        empty.coverage_by_size()
