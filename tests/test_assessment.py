from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from escalation.assessment.source import CountedSeries

import escalation
from escalation.assessment.assess import pool_model, pool_weights
from escalation.errors import FitError, InputError
from escalation.forecasts.forecast import Forecast


def counted(values: list[int], freq: str = "W-SUN", unit: str = "attacks") -> CountedSeries:
    index = pd.period_range("2023-01-02", periods=len(values), freq=freq, name="period")
    counts = pd.Series(values, index=index, dtype="Int64")
    return CountedSeries(counts, pd.Series(1.0, index=index), "attacks", unit, "", "", None, ())


RISING = [2, 1, 0, 3, 2, 1, 2, 0, 1, 2, 3, 1, 0, 2, 1, 2, 9, 12, 10, 14]


@pytest.fixture(scope="module")
def rising() -> escalation.Assessment:
    return escalation.assess(counted(RISING), draws=600, rng=1)


def test_answers_are_the_numbers_of_the_parts(rising: escalation.Assessment) -> None:
    answers = rising.answers()
    assert answers.loc["counted in the last 4 weeks", "value"] == 45
    assert answers.loc["rate now", "value"] == rising.change.recent_rate
    assert answers.loc["probability that the rate rose", "value"] > 0.99
    total = answers.loc["forecast total, next 8 weeks"]
    paths = rising.forecast.series_paths.sum(axis=1)
    assert total["value"] == np.quantile(paths, 0.5, method="inverted_cdf")
    assert np.mean((paths >= total["lower"]) & (paths <= total["upper"])) >= 0.9
    chosen = rising.flashpoints[0]
    assert chosen.at_least == rising.at_least == 10  # the busiest tenth of 20 weeks: 12, 14; the next is 10
    assert answers["value"].iloc[-len(rising.flashpoints)] == chosen.probability


def test_passage_ends_at_the_flashpoint_probability(rising: escalation.Assessment) -> None:
    for point in rising.flashpoints:
        assert rising.passage[point.at_least].iloc[-1] == pytest.approx(point.probability)
    assert (rising.passage.diff().dropna() >= 0).all(axis=None)


def test_the_pool_holds_every_model(rising: escalation.Assessment) -> None:
    assert rising.model == "pool"
    assert set(rising.forecasts) == {"pool", *rising.fits}
    assert rising.forecast.draws == 600 + 75 + 75  # eight parts of the local level, one of each other
    local, *others = (rising.forecasts[name] for name in ("local_level", "negative_binomial", "climatology"))
    assert (rising.forecast.series_paths[:600] == local.series_paths).all()
    kept = np.arange(4, 600, 8)
    assert (rising.forecast.series_paths[600:] == np.concatenate([other.series_paths[kept] for other in others])).all()


def test_sentences_give_every_number_with_its_range(rising: escalation.Assessment) -> None:
    sentences = rising.sentences()
    assert sentences[0].startswith("There were 45 attacks in ")
    assert "probably rose" in sentences[1]
    assert "90% interval" in sentences[2]
    assert sum("Monte Carlo error" in line for line in sentences) == len(rising.flashpoints)
    assert "<table" in rising._repr_html_()


def test_one_model_can_answer_alone() -> None:
    alone = escalation.assess(counted(RISING), model="climatology", horizon=3, at_least=11, within=2, draws=400, rng=1)
    assert alone.forecast.model == "climatology"
    assert alone.flashpoints[0].within == 2
    # drawn from the last 12 weeks, of which 12 and 14 reach 11
    assert alone.flashpoints[0].probability == pytest.approx(1 - (10 / 12) ** 2, abs=4 * np.sqrt(0.31 * 0.69 / 400))
    assert "the climatology model" in alone.sentences()[2]


def test_a_window_says_what_of_it_was_observed_and_covered() -> None:
    series = counted([1, 0, 2, 1] * 5)
    series.counts.iloc[-2] = pd.NA
    series.exposure.iloc[-1] = 1 / 7
    result = escalation.assess(series, draws=50, model="climatology", models=(), rng=1)
    assert result.sentences()[0].endswith("2023-05-21 (3 observed, 2.1 covered).")
    assert "counted in the last 4 weeks" in result.answers().index


def test_html_escapes_names(rising: escalation.Assessment) -> None:
    series = dataclasses.replace(rising.series, title="<b>raids</b>")
    page = dataclasses.replace(rising, series=series)._repr_html_()
    assert "<b>&lt;b&gt;raids" in page


def test_a_model_without_forecast_is_not_in_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise FitError("the terms are too uncertain")

    monkeypatch.setattr(escalation.NegativeBinomial, "simulate", fails)
    result = escalation.assess(counted(RISING), draws=50, rng=1)
    assert result.failed == {"negative_binomial": "the terms are too uncertain"}
    assert "the pool of 2 models (local level, climatology)" in result.sentences()[2]


def test_same_seed_same_answers() -> None:
    first, again = (escalation.assess(counted(RISING), draws=200, rng=3).answers() for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("freq", ["D", "M"])
def test_other_periods_have_their_own_defaults(freq: str) -> None:
    result = escalation.assess(counted([1, 0, 2, 1] * 15, freq), draws=100, rng=1)
    assert len(result.passage) == {"D": 28, "M": 6}[freq]
    assert result.change.recent.observed == {"D": 28, "M": 3}[freq]


def test_a_model_that_cannot_be_fitted_is_named_and_left_out() -> None:
    short = escalation.assess(counted([1, 2, 0, 1]), draws=100, rng=1)
    assert "local_level" in short.failed
    assert "too few" in short.failed["local_level"]
    with pytest.raises(FitError, match="too few for local_level"):
        escalation.assess(counted([1, 2, 0, 1]), model="local_level", rng=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"at_least": 0}, "at_least is 0"),
        ({"over": 0}, "over is 0"),
        ({"within": 9, "horizon": 8}, "within is 9, beyond the horizon of 8"),
        ({"model": "oracle"}, "model is 'oracle'"),
        ({"recent": 0}, "recent"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        escalation.assess(counted(RISING), **options)


def test_a_series_too_short_is_refused() -> None:
    with pytest.raises(InputError, match="the series has 3 weeks; an assessment needs at least 4"):
        escalation.assess(counted([1, 2, 3]), rng=1)


def test_pool_needs_forecasts_of_the_same() -> None:
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")
    one = Forecast.of_series(np.ones((4, 2), np.int64), weeks, np.ones((4, 3)), "one")
    fewer = Forecast.of_series(np.ones((3, 2), np.int64), weeks, np.ones((3, 3)), "fewer")
    with pytest.raises(InputError, match=r"pool got one .4 paths .* and fewer .3 paths"):
        escalation.pool_forecasts([one, fewer])
    with pytest.raises(InputError, match="got no forecast"):
        escalation.pool_forecasts([])


def test_weights_are_shares_of_the_paths_and_keep_those_of_histories() -> None:
    weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    histories = np.repeat(np.arange(4), 250)

    def always(k: int) -> Forecast:
        return Forecast.of_series(np.full((1000, 1), k), weeks, np.ones((1000, 3)), f"always {k}", component=histories)

    pooled = escalation.pool_forecasts([always(1), always(2), always(3)], [0.2, 1.0, 0.5])
    assert [int((pooled.series_paths == k).sum()) for k in (1, 2, 3)] == [200, 1000, 500]
    assert pooled.component is not None
    assert np.bincount(pooled.component[:200]).tolist() == [50] * 4
    equal = escalation.pool_forecasts([always(1), always(2)])
    assert (equal.series_paths == escalation.pool_forecasts([always(1), always(2)], [3, 3]).series_paths).all()
    for weights, says in (([1.0], "2 forecasts and 1 weights"), ([1.0, 0.0], r"the weights \[1.0, 0.0\]")):
        with pytest.raises(InputError, match=says):
            escalation.pool_forecasts([always(1), always(2)], weights)


def test_the_pool_as_a_model_gives_the_law_of_the_pool() -> None:
    series = counted([3, 5, 0, 2, 8, 4, 1, 3, 6, 2] * 4)
    whole = escalation.assess(series, draws=8000, rng=1).forecast
    fit = pool_model().fit(series.counts)
    assert fit.params.tolist() == pytest.approx([0.8, 0.1, 0.1])
    other = fit.forecast(8, draws=10_000, rng=2)
    for at_least in (5, 10, 15):
        one, two = (escalation.flashpoint(forecast, at_least) for forecast in (whole, other))
        assert one.probability == pytest.approx(two.probability, abs=4 * np.hypot(one.mc_error, two.mc_error))


def test_models_of_ones_own_have_equal_parts() -> None:
    assert pool_weights(["ingarch", "local_level"]) == (0.5, 0.5)
    assert pool_weights(["climatology", "local_level"]) == pytest.approx((1 / 9, 8 / 9))


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, "2"), "best"])
def test_weights_of_an_ensemble_that_are_none_are_refused(weights: object) -> None:
    with pytest.raises(InputError, match="weights is "):
        escalation.Ensemble(models=(escalation.Climatology(), escalation.LocalLevel()), weights=weights)  # type: ignore[arg-type]


def test_what_models_disagree_on_is_no_monte_carlo_error() -> None:
    weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    calm, wild = (Forecast.of_series(np.full((500, 1), k), weeks, np.ones((500, 3)), f"always {k}") for k in (0, 9))
    both = escalation.flashpoint(escalation.pool_forecasts([calm, wild]), 5)
    assert both.probability == 0.5
    assert both.mc_error == pytest.approx(np.sqrt(0.25 / 1000), rel=0.01)


def test_a_pool_tells_histories_apart() -> None:
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")

    def continuing(*histories: int) -> Forecast:
        return Forecast.of_series(
            np.ones((4, 2), np.int64), weeks, np.ones((4, 3)), "one", "raids", np.array(histories)
        )

    same = escalation.pool_forecasts([continuing(0, 0, 1, 1), continuing(0, 0, 1, 1)])
    other = escalation.pool_forecasts([continuing(0, 0, 1, 1), continuing(0, 1, 2, 3)])
    assert same.component is not None
    assert other.component is not None
    assert same.component.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert other.component.tolist() == [0, 0, 1, 1, 2, 3, 4, 5]
