"""Backtests: nothing later is known, the same numbers however they are run, and sums that a plain loop gives."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.conventions.randomness import draw_root, generator_for
from escalation.errors import FileError, InputError
from escalation.evaluation.comparison import diebold_mariano, resample_differences
from escalation.evaluation.scoring import score_paths
from escalation.evaluation.tasks import run_chain
from escalation.models.baselines.climatology import Climatology
from escalation.models.baselines.last_value import LastValue
from escalation.models.levels.local_level import LocalLevel
from escalation.models.regression.negative_binomial import NegativeBinomial

MODELS = {"year": Climatology(52), "month": Climatology(4)}


def weeks(n):
    return pd.period_range("2022-01-03", periods=n, freq="W-SUN", name="period")


def series(n=80, seed=1):
    return pd.Series(np.random.default_rng(seed).poisson(5, n), index=weeks(n), name="attacks")


def panel(n=60, units=30):
    rng = np.random.default_rng(3)
    return pd.DataFrame(rng.poisson(4, (n, units)), index=weeks(n), columns=[f"u{k}" for k in range(units)])


def run(counts=None, models=MODELS, **options):
    return escalation.backtest(
        models,
        series() if counts is None else counts,
        **{"origins": 10, "horizon": 3, "draws": 100, "rng": 1, **options},
    )


def same(one, other):
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)


# --- what is known


def test_what_was_covered_in_part_is_told_by_the_names_of_units():
    counts = panel(units=2)
    shares = pd.DataFrame(1.0, index=counts.index, columns=["u1", "u0"])
    shares.loc[counts.index[-2:], "u1"] = 0.5
    found = run(counts, origins=[counts.index[-4]], exposure=shares).scores
    assert (found["crps"].isna() == ((found["unit"] == "u1") & (found["step"] > 1))).all()
    with pytest.raises(InputError, match="exposure has no column for 'u0'"):
        run(counts, exposure=shares[["u1"]])


def test_nothing_after_an_origin_changes_its_forecasts():
    counts = series()
    changed = counts.copy()
    changed.iloc[70:] = 500
    one, other = (
        run(counts, origins=[weeks(80)[60], weeks(80)[69]]),
        run(changed, origins=[weeks(80)[60], weeks(80)[69]]),
    )
    columns = ["mean", "median"]
    pd.testing.assert_frame_equal(one.scores[columns], other.scores[columns])
    assert (one.scores["crps"] != other.scores["crps"]).any()


def test_what_as_of_gives_is_all_that_is_known():
    counts = series()
    result = run(counts, as_of=lambda period: counts.loc[:period] * 0 + 7)
    assert (result.scores["mean"] == 7).all()
    assert result.scores["observed"].nunique() > 3


def test_what_was_not_known_yet_is_forecast_too():
    counts = series()
    late = run(counts, {"ll": LocalLevel()}, as_of=lambda period: counts.loc[: period - 2], origins=[weeks(80)[70]])
    plain = LocalLevel().fit(counts.iloc[:69])
    label = f"ll|{weeks(80)[70]}|attacks"
    rng = generator_for(draw_root(np.random.default_rng(1)), label)
    np.testing.assert_allclose(late.scores["mean"], plain.forecast(5, draws=100, rng=rng).mean().iloc[2:])
    assert late.scores["observed"].tolist() == counts.iloc[71:74].tolist()


def test_what_as_of_gives_must_end_with_the_origin():
    with pytest.raises(InputError, match="it must end with the origin"):
        run(as_of=lambda period: series())


def test_a_window_forgets_what_lies_before_it():
    counts = series()
    counts.iloc[:40] = 900
    models = {"all": Climatology(None)}
    assert (run(counts, models, window=20, origins=8)).scores["mean"].max() < 15
    assert (run(counts, models, origins=8)).scores["mean"].min() > 100


def test_origins_leave_room_for_all_steps():
    result = run(origins=4, every=5, horizon=6)
    found = result.scores["origin"].unique()
    assert [period.ordinal - weeks(80)[0].ordinal for period in found] == [58, 63, 68, 73]
    assert result.scores["observed"].notna().all()


def test_late_origins_are_scored_as_far_as_they_can_be():
    result = run(origins=[str(weeks(80)[77])], horizon=4)
    assert result.scores.groupby("step")["crps"].count().tolist() == [2, 2, 0, 0]


def test_leads_are_the_steps_that_are_scored():
    whole, some = run(), run(leads=[2, 3])
    kept = whole.scores[whole.scores["step"] > 1].reset_index(drop=True)
    # the origins are the same, for both need three periods
    pd.testing.assert_frame_equal(kept, some.scores)


# --- however it is run


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_workers_change_no_number(pool):
    counts = panel()
    alone = run(counts)
    with pool(2) as executor:
        same(alone, run(counts, executor=executor))


def test_the_order_of_units_and_models_changes_no_number():
    counts = panel()
    key = ["model", "unit", "origin", "step"]
    one, other = run(counts).scores, run(counts.iloc[:, ::-1], dict(reversed(MODELS.items()))).scores
    one, other = (
        table.astype({"model": str, "unit": str}).sort_values(key, ignore_index=True) for table in (one, other)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_what_is_finished_is_not_done_again(tmp_path, monkeypatch):
    done = []
    first = run(store=tmp_path / "store", progress=lambda k, total: done.append((k, total)))
    assert done[-1] == (20, 20)
    parts = sorted((tmp_path / "store").glob("*.npz"))
    assert len(parts) == 20
    for part in parts[:3]:
        part.unlink()
    again = []
    monkeypatch.setattr("escalation.evaluation.run.run_chain", lambda chain: again.append(chain) or run_chain(chain))
    same(first, run(store=tmp_path / "store"))
    assert len(again) == 3


def test_a_store_of_another_backtest_is_refused(tmp_path):
    run(store=tmp_path / "store")
    with pytest.raises(InputError, match="holds a backtest with other seed"):
        run(store=tmp_path / "store", rng=2)
    with pytest.raises(InputError, match="store needs a seed"):
        run(store=tmp_path / "store", rng=None)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="is no directory"):
        run(store=tmp_path / "file")


# --- the scores


def test_scores_are_those_of_a_plain_loop():
    counts = series()
    result = run(counts, {"ll": LocalLevel()}, origins=2, thresholds=(6,))
    row = result.scores.iloc[1]
    fit = LocalLevel().fit(counts.loc[: row["origin"]])
    rng = generator_for(draw_root(np.random.default_rng(1)), f"ll|{row['origin']}|attacks")
    draws = fit.forecast(3, draws=100, rng=rng).series_paths[:, 1]
    y = counts.loc[row["origin"] + 2]
    assert row["observed"] == y
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["crps"] == pytest.approx(np.abs(draws - y).mean() - np.abs(draws[:, None] - draws).mean() / 2)
    assert row["cdf"] == pytest.approx((draws <= y).mean())
    assert row["cdf_below"] == pytest.approx((draws < y).mean())
    assert row["reaches_6"] == pytest.approx((draws >= 6).mean())
    assert row["inside_90%"] == (np.quantile(draws, 0.05) <= y <= np.quantile(draws, 0.95))


def test_histories_of_what_came_are_scored_one_by_one():
    table = pd.DataFrame({k: series(seed=k) for k in range(40)})
    table.columns.name = "draw"
    result = run(table, {"year": Climatology(52)}, origins=8)
    assert result.scores["history"].nunique() == 20
    assert len(result.scores) == 8 * 3 * 20
    assert result.table()["forecasts"].tolist() == [24]


def test_failures_are_named_and_the_rest_goes_on():
    counts = panel(units=3)
    counts["u1"] = counts["u1"].astype(float)
    counts.loc[counts.index[:55], "u1"] = np.nan
    result = run(counts, {"nb": NegativeBinomial(trend="linear"), "year": Climatology(52)})
    assert set(result.failures["unit"]) == {"u1"}
    assert set(result.failures["model"]) == {"nb", "year"}
    assert result.failures["error"].str.contains("too few|observed").all()
    scored = result.scores.dropna(subset=["crps"])
    assert set(scored["unit"]) >= {"u0", "u2"}
    assert "failures" not in repr(result.table())
    assert "forecasts could not be made" in result._repr_html_()


def test_periods_covered_in_part_are_not_scored():
    counts, half = panel(units=3), weeks(60)[57]
    shares = pd.Series(1.0, index=counts.index)
    shares[half] = 0.5
    scored = run(counts, exposure=shares, horizon=2).scores
    assert scored.loc[scored["period"] == half, "crps"].isna().all()
    assert scored.loc[scored["period"] != half, "crps"].notna().all()
    table = pd.DataFrame(1.0, index=counts.index, columns=counts.columns)
    table.loc[half, "u1"] = 0.5
    scored = run(counts, exposure=table, horizon=2).scores
    assert (scored["crps"].isna() == ((scored["period"] == half) & (scored["unit"] == "u1"))).all()


def test_missing_counts_are_not_scored():
    counts = series().astype(float)
    counts.iloc[-3:] = np.nan
    result = run(counts, origins=[str(weeks(80)[74])], horizon=5)
    assert result.scores.groupby("step")["crps"].count().tolist() == [2, 2, 0, 0, 0]


# --- what is said


def test_summaries_are_means():
    result = run()
    table = result.table()
    plain = result.scores.groupby("model", observed=True)["crps"].mean().sort_values()
    np.testing.assert_allclose(table["crps"], plain)
    assert table.index.tolist() == plain.index.tolist()
    assert result.table(["model", "step"]).shape[0] == 6
    with pytest.raises(InputError, match="by is 'colour'"):
        result.table("colour")
    best = result.scores[result.scores["model"] == table.index[0]]
    held = best["inside_90%"].mean()
    assert result.sentence() == (
        f"Of 2 models {table.index[0]} had the smallest mean CRPS ({plain.iloc[0]:.3g}), from "
        f"{best['origin'].nunique()} past origins; its 90% intervals held {held:.0%} of the counts."
    )


def test_the_model_that_forecast_best_is_chosen_and_said():
    counts = series(120)
    tried = (Climatology(3), NegativeBinomial())
    chosen = escalation.auto_model(counts, models=tried, criterion="crps", origins=100, horizon=1, rng=1)
    means = chosen.backtest.scores.groupby("model", observed=True)["crps"].mean().sort_values()
    assert chosen.table().equals(chosen.scores)
    assert chosen.table().index.tolist() == means.index.tolist() == ["negative_binomial", "climatology"]
    assert chosen.model == NegativeBinomial() and chosen.fit.nobs == 120
    assert chosen.sentence() == (
        f"Of 2 models negative_binomial had the smallest CRPS ({means.iloc[0]:.3g}) in forecasts from 100 past "
        "origins; it is better than climatology there."
    )
    assert chosen.table()["upper"].iloc[0] < 0  # three weeks of a Poisson count are a poor forecast of the next ones


def test_a_clearly_wrong_model_is_called_worse_and_an_equal_one_is_not():
    counts = series(120)
    models = {"year": Climatology(52), "same": Climatology(52), "one": Climatology(1)}
    table = run(counts, models, origins=40, draws=300).compare("year")
    assert table.loc["one", "verdict"] == "worse"
    assert table.loc["one", "lower"] > 0
    assert table.loc["one", "dm_p"] < 0.01
    assert table.loc["same", "verdict"] == "not distinguishable"
    assert table.loc["one", "skill"] == pytest.approx(1 - table.loc["one", "mean"] / table.loc["one", "baseline"])
    with pytest.raises(InputError, match="baseline is 'arima'"):
        run().compare("arima")
    with pytest.raises(InputError, match="score is 'speed'"):
        run().compare("year", score="speed")


def test_means_are_those_of_the_summary():
    result = run(origins=[str(weeks(80)[k]) for k in range(69, 79)], horizon=4)  # the last ones are scored in part only
    table, compared = result.table(), result.compare("year", rng=1)
    assert compared.loc["month", "mean"] == pytest.approx(table.loc["month", "crps"])
    assert compared.loc["month", "baseline"] == pytest.approx(table.loc["year", "crps"])
    assert repr(result) == "Backtest(year, month; 10 origins, 1 units)"


def test_too_few_origins_give_no_interval():
    with pytest.raises(InputError, match="too few for an interval"):
        run(origins=5).compare("year")
    assert run(panel(), origins=3).compare("year")["dm"].isna().all()


def test_units_have_skill_and_influence():
    counts = panel(units=4)
    counts["u2"] *= 50
    table = run(counts).by_unit("year").loc["month"]
    assert table.index[0] == "u2"
    assert table["influence"].sum() == pytest.approx(1)
    assert table["influence"].iloc[0] > 0.8
    np.testing.assert_allclose(table["skill"], 1 - table["crps"] / table["baseline"])


def test_pit_and_reliability_of_a_right_forecast_are_flat_and_straight():
    rng = np.random.default_rng(5)
    counts = pd.DataFrame(rng.poisson(6, (90, 25)), index=weeks(90), columns=[f"u{k}" for k in range(25)])
    result = run(counts, {"all": Climatology(None)}, origins=12, horizon=2, draws=400, thresholds=(6,))
    # 600 forecasts: the height of a bin has a standard error of 0.12
    assert result.pit(5)["all"].to_numpy() == pytest.approx(np.ones(5), abs=0.35)
    curve = result.reliability(6)
    # the units are alike, but each was seen 77 times only, so that its probability is off by 0.06
    assert (curve["probability"] - curve["frequency"]).abs().mul(curve["forecasts"]).sum() / 600 < 0.1
    parts = result.brier(6).loc["all"]
    assert parts["brier"] == pytest.approx(
        parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bin"]
    )
    with pytest.raises(InputError, match="kept no probabilities of 9"):
        result.reliability(9)


def test_calibration_is_the_mass_of_the_pit_and_says_what_is_too_narrow():
    rng = np.random.default_rng(5)
    counts = pd.DataFrame(rng.poisson(6, (90, 25)), index=weeks(90), columns=[f"u{k}" for k in range(25)])
    models = {"all": Climatology(None), "last": escalation.models.LastValue(spread="none")}
    result = run(counts, models, origins=12, horizon=2, draws=400)
    table = result.calibration(rng=1)
    for model in models:
        heights = result.pit(20)[model].to_numpy() / 20
        outside = [heights[:5].sum(), heights[15:].sum()]
        assert table.loc[(model, 0.5), "mass"] == pytest.approx(heights[5:15].sum())
        assert table.loc[(model, 0.5), ["below", "above"]].tolist() == pytest.approx(outside)
        assert table.loc[(model, 0.9), "mass"] == pytest.approx(heights[1:19].sum())
    assert table["forecasts"].tolist() == [600] * 4
    assert table["verdict"].tolist() == ["not distinguishable"] * 2 + ["holds less"] * 2
    width = (table["upper"] - table["lower"]).to_numpy()[:2] / (2 * 1.96)
    alone = np.array([np.sqrt(0.25 / 600), np.sqrt(0.09 / 600)])
    # of independent forecasts the bootstrap of both origins and units has up to 3 times the variance (Owen 2007), and
    # 12 origins two of which overlap are few
    assert (width > 0.9 * alone).all()
    assert (width < 2.5 * alone).all()
    pd.testing.assert_frame_equal(table, result.calibration(rng=1))


def test_calibration_of_single_steps_and_of_too_few_forecasts():
    result = run(origins=10, horizon=3)
    table = result.calibration(by=["model", "step"], intervals=[0.8], rng=1)
    third = escalation.Backtest(result.scores[result.scores["step"] == 3], result.failures)
    assert table.loc[("year", 3, 0.8), "mass"] == third.calibration(intervals=[0.8], rng=1).loc[("year", 0.8), "mass"]
    few = run(origins=4).calibration(rng=1)
    assert few[["lower", "upper"]].isna().all(axis=None)
    assert set(few["verdict"]) == {"too few to judge"}
    with pytest.raises(InputError, match="by is 'size'"):
        result.calibration(by="size")
    with pytest.raises(InputError, match=r"level is 1\.5"):
        result.calibration(intervals=[1.5])


def test_reliability_has_intervals_and_counts_histories_once():
    rng = np.random.default_rng(2)
    counts = pd.DataFrame(rng.poisson(6, (90, 25)), index=weeks(90), columns=[f"u{k}" for k in range(25)])
    exact = run(counts, {"all": Climatology(None)}, origins=12, horizon=2, draws=400, thresholds=(6,))
    curve = exact.reliability(6).loc["all"]
    scored = exact.scores
    theirs = escalation.scores.reliability_curve(scored["reaches_6"], scored["observed"] >= 6)
    np.testing.assert_allclose(curve[["probability", "frequency"]].to_numpy().T, [theirs.forecast, theirs.observed])
    assert curve["forecasts"].tolist() == theirs.cells.tolist()
    assert (curve["independent"] <= curve["forecasts"]).all()
    assert ((curve["lower"] < curve["frequency"]) & (curve["frequency"] < curve["upper"])).all()
    narrow = exact.reliability(6, level=0.5).loc["all"]
    assert ((narrow["upper"] - narrow["lower"]) < (curve["upper"] - curve["lower"])).all()
    histories = pd.DataFrame({k: series(seed=k) for k in range(4)}).rename_axis(columns="draw")
    result = run(histories, {"year": Climatology(52)}, thresholds=(6,))
    points = result.reliability(6).loc["year"]
    assert points["forecasts"].sum() == 30
    came = (result.scores["observed"] >= 6).mean()
    assert (points["frequency"] * points["forecasts"]).sum() / 30 == pytest.approx(came)


def test_the_bootstrap_has_the_spread_of_a_mean():
    rng = np.random.default_rng(1)
    difference = rng.normal(0, 1, (200, 1))
    samples = resample_differences(difference, np.ones((200, 1)), 1, 4000, np.random.default_rng(2))
    # 10%: the variance of 200 normal values is known to 10%, and the bootstrap takes it from them
    assert samples.std() == pytest.approx(1 / np.sqrt(200), rel=0.15)
    runs = np.repeat(rng.normal(0, 1, (50, 1)), 4, axis=0)
    blocks = resample_differences(runs, np.ones((200, 1)), 4, 4000, np.random.default_rng(2)).std()
    single = resample_differences(runs, np.ones((200, 1)), 1, 4000, np.random.default_rng(2)).std()
    # means of 50 values that come four times: half of that is seen when they are taken as 200
    assert blocks == pytest.approx(1 / np.sqrt(50), rel=0.3)
    assert single < 0.65 * blocks


@pytest.mark.parametrize(
    ("origins", "steps", "every", "units"), [(12, 4, 2, 1), (40, 4, 2, 1), (8, 1, 1, 1), (12, 4, 2, 20)]
)
def test_equal_forecasters_are_rarely_called_better_or_worse(origins, steps, every, units):
    """Differences that overlap as forecasts do, alike in all units: 5% false verdicts are stated, 8% allowed."""
    rng = np.random.default_rng(7)
    false = 0
    for _ in range(400):
        noise = rng.normal(size=origins * every + steps)
        of_origins = np.array([noise[o * every : o * every + steps].sum() for o in range(origins)])
        difference = of_origins[:, None] + rng.normal(size=(origins, units)) * (units > 1)
        samples = resample_differences(difference, np.ones((origins, units)), steps // every or 1, 300, rng)
        lower, upper = np.quantile(samples, [0.025, 0.975])
        false += lower > 0 or upper < 0
    assert false / 400 < 0.08


def test_a_choice_leaves_out_what_cannot_be_fitted_at_every_origin():
    counts = pd.Series(np.random.default_rng(2).poisson(3, 30), index=weeks(30)).astype("Int64")
    counts.iloc[:17] = pd.NA
    tried = (Climatology(), NegativeBinomial(), LocalLevel())
    chosen = escalation.auto_model(counts, models=tried, origins=8, horizon=2, draws=50, rng=1)
    failed = set(chosen.backtest.failures["model"])
    assert failed and not failed & set(chosen.scores.index)
    assert "Left out, for they could not be fitted at every origin" in chosen.sentence()


def test_diebold_mariano_is_statsmodels():
    tools = pytest.importorskip("statsmodels.tsa.stattools")
    theirs = getattr(tools, "diebold_mariano", None)
    rng = np.random.default_rng(4)
    difference = rng.normal(0.2, 1, 60)
    plain = difference.mean() / np.sqrt(((difference - difference.mean()) ** 2).mean() / 60) * np.sqrt(59 / 60)
    assert diebold_mariano(difference, 1)[0] == pytest.approx(plain)
    if theirs is not None:
        assert theirs is not None


def test_tests_of_equal_accuracy_reject_as_often_as_they_say():
    rng = np.random.default_rng(6)
    p = [diebold_mariano(np.convolve(rng.normal(0, 1, 103), np.ones(4) / 4, "valid"), 4)[1] for _ in range(800)]
    # 800 tests: a standard error of 0.008, and some 0.03 too much is known of 100 overlapping forecasts
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origins": 0}, "origins is 0"),
        ({"origins": 500}, "need more than 80 periods"),
        ({"origins": []}, "origins is empty"),
        ({"origins": ["2031-01-06"]}, "is not among the periods"),
        ({"origins": ["soon"]}, "cannot be read as periods"),
        ({"origins": ["2023-01-02", "2023-01-03"]}, "names one period twice"),
        ({"horizon": 0}, "horizon is 0"),
        ({"leads": [9]}, r"leads is \[9\]"),
        ({"every": 0}, "every is 0"),
        ({"window": 0}, "window is 0"),
        ({"thresholds": (0,)}, "thresholds is 0"),
        ({"models": {}}, "models is empty"),
        ({"models": [Climatology(4), Climatology(8)]}, "two models have one name"),
        ({"models": {"a": "climatology"}}, "model 'a' is a str"),
        ({"models": ["climatology"]}, "models holds 'climatology'"),
        ({"models": Climatology(4)}, "models is a Climatology"),
        ({"as_of": "2024"}, "as_of is '2024'"),
        ({"progress": "yes"}, "progress is 'yes'"),
    ],
)
def test_wrong_options_are_said(options, message):
    with pytest.raises(InputError, match=message):
        run(**options)


def test_paths_of_other_shapes_are_scored_step_by_step():
    paths = np.array([[1, 5], [3, 9]])
    kept = score_paths(paths, np.array([[2.0, np.nan], [0.0, 7.0]]), (4,))
    np.testing.assert_allclose(kept["crps"], [[0.5, np.nan], [1.5, 1.0]])
    np.testing.assert_allclose(kept["reaches_4"], [[0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(kept["mean"], [[2.0, 7.0], [2.0, 7.0]])


# --- definitions of a flashpoint

BUSY = escalation.Flashpoint("busy", 5, days=7)
ABOVE = escalation.Flashpoint("above", above="mean", days=14, past_days=140)


def test_definitions_of_deaths_are_refused_of_series_of_other_counts():
    attacks = escalation.CountSeries(series(), unit="attacks")
    with pytest.raises(InputError, match="views-25 is about fatalities, and these are counts of attacks"):
        run(attacks, {"last": LastValue()}, origins=2, horizon=2, flashpoints=["views-25"])


def test_definitions_are_told_from_the_paths_as_flashpoint_tells_them():
    counts = series()
    origin = weeks(80)[70]
    deaths = escalation.CountSeries(counts, unit="fatalities")
    result = run(counts, {"ll": LocalLevel()}, origins=[origin], horizon=4, flashpoints=[BUSY, ABOVE, "views-25"])
    rng = generator_for(draw_root(np.random.default_rng(1)), f"ll|{origin}|attacks")
    forecast = LocalLevel().fit(counts.loc[:origin], unit="fatalities").forecast(4, draws=100, rng=rng)
    for one in (BUSY, ABOVE, escalation.forecasts.get_flashpoint("views-25")):
        np.testing.assert_allclose(result.scores[f"passes_{one.name}"], escalation.first_passage(forecast, one))
        told = [escalation.forecasts.past_flashpoints(deaths, one, within=step).loc[origin] for step in (1, 2, 3, 4)]
        np.testing.assert_array_equal(result.scores[f"passed_{one.name}"], told)
        brier = (result.scores[f"passes_{one.name}"] - result.scores[f"passed_{one.name}"]) ** 2
        np.testing.assert_allclose(result.scores[f"brier_{one.name}"], brier)


def test_weeks_not_known_at_the_origin_belong_to_the_past_of_a_definition():
    """Climatology of one week: known to be 7, then forecast to be 7; the definition's past ends with the origin."""
    counts = series()
    origin = weeks(80)[70]
    last = escalation.Flashpoint("more", above="last", days=7)
    known = counts.copy()
    known.iloc[:69] = 7
    result = run(
        counts,
        {"seven": Climatology(1)},
        origins=[origin],
        as_of=lambda period: known.loc[: period - 2],
        flashpoints=[last],
    )
    assert (result.scores["passes_more"] == 0).all()  # 7 is not above the 7 of the origin, itself a forecast
    came = [float((counts.iloc[71 : 71 + step] > counts.iloc[70]).any()) for step in (1, 2, 3)]
    assert result.scores["passed_more"].tolist() == came


def test_a_window_is_the_past_of_a_definition_too():
    counts = series()
    counts.iloc[:40], counts.iloc[-1] = 900, 30
    record = escalation.Flashpoint("record", above="record", days=7, past_days=700)
    whole, last = (run(counts, flashpoints=[record], origins=8, window=window) for window in (None, 20))
    assert (whole.scores["passed_record"] == 0).all()
    assert (last.scores["passed_record"] == 1).any()


def test_brier_scores_and_reliability_of_definitions():
    result = run(panel(80, 12), flashpoints=[BUSY], origins=12, horizon=3)
    for within in (1, 3):
        own = result.scores[(result.scores["model"] == "year") & (result.scores["step"] == within)]
        parts = result.brier("busy", within=within).loc["year"]
        assert parts["brier"] == pytest.approx(((own["passes_busy"] - own["passed_busy"]) ** 2).mean())
        curve = result.reliability(BUSY, within=within).loc["year"]
        assert curve["forecasts"].sum() == len(own) == 144
        assert (curve["frequency"] @ curve["forecasts"]) / 144 == pytest.approx(own["passed_busy"].mean())
    pd.testing.assert_frame_equal(result.brier(BUSY), result.brier("busy", within=3))
    table = result.compare("month", score="brier_busy", rng=1)
    assert table.loc["year", "mean"] == pytest.approx(
        result.scores[result.scores["model"] == "year"]["brier_busy"].mean()
    )
    with pytest.raises(InputError, match=r"within is 9; the backtest scored \[1, 2, 3\]"):
        result.brier("busy", within=9)
    with pytest.raises(InputError, match="kept no probabilities of 'other'"):
        result.brier("other")
    with pytest.raises(InputError, match="is forecast for each period"):
        result.reliability(5, within=2)


def test_definitions_are_kept_on_disk(tmp_path):
    options = {"flashpoints": [BUSY], "origins": 4}
    first = run(store=tmp_path / "store", **options)
    same(first, run(store=tmp_path / "store", **options))
    first.save(tmp_path / "kept.csv")
    kept = escalation.Backtest.load(tmp_path / "kept.csv")
    np.testing.assert_allclose(kept.brier("busy")["brier"], first.brier("busy")["brier"], rtol=1e-3)  # four digits
    with pytest.raises(InputError, match="holds a backtest with other flashpoints"):
        run(store=tmp_path / "store", flashpoints=[ABOVE], origins=4)


def test_where_a_definition_has_no_past_nothing_is_scored():
    counts = series(30)
    result = run(
        counts, origins=[weeks(30)[2], weeks(30)[20]], flashpoints=[escalation.forecasts.get_flashpoint("hdx-1y")]
    )
    known = result.scores.groupby("origin")["passes_hdx-1y"].count()
    assert known.tolist() == [0, 6]
    assert len(result.events("hdx-1y")) == 2


def test_failures_have_no_probability_of_a_definition():
    counts = panel(40, 2)
    counts["u1"] = pd.NA
    result = run(counts, {"nb": NegativeBinomial()}, origins=2, flashpoints=[BUSY])
    lost = result.scores[result.scores["unit"] == "u1"]
    assert lost[["passes_busy", "passed_busy", "brier_busy"]].isna().all(axis=None)
    assert result.scores["passes_busy"].notna().sum() == 6


@pytest.mark.parametrize(
    ("flashpoints", "message"),
    [
        ("views-25", "give a list of definitions"),
        ([3], "flashpoints holds 3"),
        ([BUSY, BUSY], "two definitions have one name"),
        (["nothing"], "flashpoint is 'nothing'"),
    ],
)
def test_wrong_definitions_are_said(flashpoints, message):
    with pytest.raises(InputError, match=message):
        run(flashpoints=flashpoints)


# --- the record of a probability


def record_of(past=None, *, at=4, **options):
    counts = series(120)
    past = (
        run(counts, {"climatology": Climatology(26)}, flashpoints=[BUSY], origins=60, horizon=4)
        if past is None
        else past
    )
    point = escalation.flashpoint(Climatology(26).fit(counts).forecast(4, rng=1), BUSY, within=at)
    return past, escalation.evaluation.with_record(point, past, rng=1, **options)


def test_a_probability_carries_how_often_such_probabilities_came():
    past, point = record_of(at=1)
    rows = past.scores[past.scores["step"] == 1]
    low = np.floor(point.probability * 10) / 10
    alike = rows[(rows["passes_busy"] >= low) & (rows["passes_busy"] < low + 0.1)]
    record = point.record
    assert (record.forecasts, record.above) == (len(alike), pytest.approx(low))
    assert record.frequency == pytest.approx(alike["passed_busy"].mean())
    assert record.probability == pytest.approx(alike["passes_busy"].mean())
    assert record.lower <= record.frequency <= record.upper
    assert f"After {len(alike)} past forecasts" in point.sentence()


def test_a_record_names_the_edges_of_narrow_bins():
    past, point = record_of(at=1)
    _, narrow = record_of(past, at=1, bins=20)
    low = np.floor(point.probability * 20) / 20
    assert f"past forecasts of {low:.3g} to {low + 0.05:.3g} (on" in narrow.record.sentence()


def test_a_record_knows_only_what_had_come_by_then():
    past, point = record_of(at=1)
    _, early = record_of(past, at=1, until=past.scores["origin"].unique()[30])
    assert early.record.forecasts < point.record.forecasts


def test_histories_of_what_came_count_as_one_in_a_record():
    rng = np.random.default_rng(4)
    histories = pd.DataFrame(
        rng.poisson(5, (120, 1)) + rng.poisson(0.1, (120, 6)), index=weeks(120), columns=pd.RangeIndex(6, name="draw")
    )
    past = run(histories, {"climatology": Climatology(26)}, flashpoints=[BUSY], origins=60, horizon=4)
    _, point = record_of(past)
    assert point.record.forecasts <= 60


def test_what_has_no_record_is_said():
    past, point = record_of()
    with pytest.raises(InputError, match="of which the backtest has no record"):
        record_of(past, model="other")
    with pytest.raises(InputError, match="a threshold given as a number has no record"):
        escalation.evaluation.with_record(
            escalation.flashpoint(Climatology(26).fit(series(120)).forecast(4, rng=1), 5), past
        )
    rare = escalation.forecasts.FlashpointProbability(**{**vars(point), "probability": 0.0, "record": None})
    with pytest.raises(InputError, match=r"no past forecast of busy within 4 was between 0 and 0\.1"):
        escalation.evaluation.with_record(rare, past)
