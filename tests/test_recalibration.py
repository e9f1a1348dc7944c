"""Recalibration: what is too narrow, too wide or too high becomes less so, and nothing later is learnt from."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import InputError
from escalation.evaluation.recalibration import recalibrate
from escalation.forecasts.forecast import Forecast
from escalation.models.baselines.climatology import Climatology


def weeks(n, start="2020-01-06"):
    return pd.period_range(start, periods=n, freq="W-SUN")


def drawn(mean, n=240, seed=1, sd=1.0):
    rng = np.random.default_rng(seed)
    return pd.Series(rng.poisson(mean * np.exp(rng.normal(0, 0.5 * sd, n))), index=weeks(n))


def past(counts, origins=60, **options):
    return escalation.backtest(
        [Climatology(80)], counts, **{"origins": origins, "horizon": 1, "draws": 400, "rng": 1, **options}
    )


def narrow(result, factor):
    """The same forecasts with their PIT pushed outwards, as though they had been too narrow."""
    scores = result.scores.copy()
    for name in ("cdf_below", "cdf"):
        u = scores[name] - 0.5
        scores[name] = 0.5 + np.sign(u) * np.minimum(np.abs(u) * factor, 0.5)
    return escalation.Backtest(scores, result.failures)


def test_calibrated_forecasts_are_left_nearly_as_they_are():
    learnt = recalibrate(past(drawn(20)), "climatology")
    # 60 forecasts know a shape to some 15%, and the prior halves what they say
    assert learnt.shape == pytest.approx((1, 1), abs=0.3)
    assert learnt.forecasts == 60
    assert learnt.model == "climatology"
    assert learnt.table().empty and learnt.table().columns.tolist() == ["probability", "frequency"]


def test_forecasts_that_were_too_narrow_are_widened_and_too_wide_ones_narrowed():
    result = past(drawn(20))
    paths = np.arange(400)[:, None] + np.array([0, 5])
    forecast = Forecast.of_series(paths, weeks(2, "2023-02-06"), np.ones((400, 5)), "climatology")
    wide = recalibrate(narrow(result, 1.8), "climatology").apply(forecast)
    slim = recalibrate(narrow(result, 0.5), "climatology").apply(forecast)
    said = [recalibrate(narrow(result, factor), "climatology").sentence() for factor in (1.8, 0.5)]
    assert said[0].startswith("60 past forecasts by climatology were too narrow") and " PIT follows a beta" in said[0]
    assert said[1].startswith("60 past forecasts by climatology were too wide")
    spread = [np.subtract(*np.quantile(one.series_paths[:, 0], [0.75, 0.25])) for one in (slim, forecast, wide)]
    assert spread[0] < 0.9 * spread[1] < 0.8 * spread[2]
    assert wide.model == "climatology, recalibrated"
    assert (wide.series_paths.min(axis=0) >= paths.min(axis=0)).all()


def test_the_order_of_paths_is_kept():
    rng = np.random.default_rng(2)
    paths = rng.poisson(30, (500, 3)) + 10 * rng.poisson(3, (500, 1))
    forecast = Forecast.of_series(paths, weeks(3), np.ones((500, 4)), "climatology")
    learnt = recalibrate(narrow(past(drawn(20)), 1.8), "climatology").apply(forecast)
    before, after = (np.corrcoef(one, rowvar=False)[0, 1] for one in (paths, learnt.series_paths))
    assert after == pytest.approx(before, abs=0.05)


def test_forecasts_that_were_too_low_are_lifted_in_new_ones():
    counts = drawn(20)
    counts.iloc[200:] *= 2
    result = past(counts, origins=30)
    learnt = recalibrate(result, "climatology")
    low = Forecast.of_series(np.arange(200)[:, None], weeks(1), np.ones((200, 3)), "climatology")
    assert learnt.shape[0] > 1.3 * learnt.shape[1]
    assert learnt.apply(low).mean().item() > 1.1 * low.mean().item()
    assert " too low: their PIT " in learnt.sentence()


def test_a_forecast_of_several_units_is_recalibrated_unit_by_unit():
    learnt = recalibrate(narrow(past(drawn(20)), 1.8), "climatology")
    paths = np.random.default_rng(3).poisson(20, (2, 300, 4))
    made = learnt.apply(Forecast(paths, ("A", "B"), weeks(4), np.ones((2, 300, 5)), "climatology"))
    for place, unit in enumerate("AB"):
        alone = learnt.apply(Forecast.of_series(paths[place], weeks(4), np.ones((300, 5)), "climatology"))
        np.testing.assert_array_equal(made[unit].series_paths, alone.series_paths)


def test_probabilities_follow_the_frequencies_behind_them():
    result = past(drawn(20), thresholds=(25,))
    scores = result.scores.copy()
    scores["reaches_25"] = np.where(scores["observed"] >= 25, 0.9, 0.6)  # far too high where it did not come
    learnt = recalibrate(escalation.Backtest(scores, result.failures), "climatology")
    assert learnt.probability(0.6, 25) < 0.15
    assert learnt.probability(0.9, 25) > 0.85
    table = learnt.table().loc["25"]
    assert table["frequency"].is_monotonic_increasing
    assert np.interp(0.6, table["probability"], table["frequency"]) == learnt.probability(0.6, 25)
    grid = [learnt.probability(p, 25) for p in np.linspace(0, 1, 21)]
    assert (np.diff(grid) >= 0).all()
    with pytest.raises(InputError, match="nothing was learnt about 7"):
        learnt.probability(0.5, 7)


def test_probabilities_of_definitions_follow_the_frequencies_behind_them():
    busy = escalation.Flashpoint("busy", 25, days=7)
    result = past(drawn(20), flashpoints=[busy])
    scores = result.scores.copy()
    scores["passes_busy"] = np.where(scores["passed_busy"] == 1, 0.9, 0.6)
    scores.loc[scores.index[::7], "passed_busy"] = np.nan  # not known
    learnt = recalibrate(escalation.Backtest(scores, result.failures), "climatology")
    assert learnt.probability(0.6, busy) < 0.15
    assert learnt.probability(0.9, "busy") > 0.85


def test_what_is_no_probability_is_refused():
    learnt = recalibrate(past(drawn(20), thresholds=(25,)), "climatology")
    with pytest.raises(InputError, match=r"probability is 1\.2"):
        learnt.probability(1.2, 25)


def test_nothing_after_the_origin_is_learnt_from():
    counts = drawn(20)
    result = past(counts)
    until = str(weeks(240)[210])
    scores = result.scores.copy()
    late = scores["period"] > weeks(240)[210]
    scores.loc[late, ["cdf_below", "cdf"]] = [0.98, 0.99]
    changed = escalation.Backtest(scores, result.failures)
    assert (
        recalibrate(result, "climatology", until=until).shape == recalibrate(changed, "climatology", until=until).shape
    )
    assert recalibrate(result, "climatology").shape != recalibrate(changed, "climatology").shape


def test_too_little_to_learn_from_is_said():
    result = past(drawn(20), origins=10)
    with pytest.raises(InputError, match="3 past origins are too few"):
        recalibrate(result, "climatology", until=str(weeks(240)[232]))
    with pytest.raises(InputError, match="model is 'arima'; the backtest has climatology"):
        recalibrate(result, "arima")


@pytest.mark.nightly
def test_recalibrated_intervals_cover_more_nearly_what_they_say():
    """Draws of three weeks are too narrow; what earlier forecasts taught makes the later ones cover better."""
    inside = []
    for seed in range(30):
        counts = drawn(20, n=120, seed=seed)
        result = escalation.backtest([Climatology(3)], counts.iloc[:118], origins=60, horizon=1, draws=300, rng=1)
        fit = Climatology(3).fit(counts.iloc[:118])
        plain = fit.forecast(1, draws=300, rng=2)
        learnt = recalibrate(result, "climatology").apply(plain)
        y = counts.iloc[118]
        inside.append([one.quantile(0.25).item() <= y <= one.quantile(0.75).item() for one in (plain, learnt)])
    assert np.abs(np.mean(inside, axis=0) - 0.5)[1] <= np.abs(np.mean(inside, axis=0) - 0.5)[0] + 0.1
