"""Charts of a backtest: what is drawn is what it holds."""

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import InputError


@pytest.fixture(scope="module")
def result():
    weeks = pd.period_range("2022-01-03", periods=90, freq="W-SUN")
    counts = pd.Series(np.random.default_rng(1).poisson(5, 90), index=weeks)
    models = {"four_weeks": escalation.Climatology(4), "year": escalation.Climatology(52)}
    return escalation.backtest(models, counts, origins=20, horizon=3, thresholds=(6,), draws=200, rng=1)


def line(figure, label):
    return next(one for one in figure.axes[0].lines if one.get_label() == label)


def test_scores_by_lead_are_means(result):
    figure = escalation.plots.scores(result, score="log_score")
    expected = result.scores.groupby(["model", "step"], observed=True)["log_score"].mean()
    np.testing.assert_allclose(line(figure, "four weeks").get_ydata(), expected["four_weeks"])
    assert "log score" in figure.axes[0].get_ylabel()
    assert figure.axes[0].get_xlabel() == "weeks ahead"
    with pytest.raises(InputError, match="score is 'speed'"):
        escalation.plots.scores(result, score="speed")


def test_pit_bars_are_those_of_the_backtest(result):
    figure = escalation.plots.pit(result, bins=5)
    np.testing.assert_allclose(line(figure, "year").get_ydata()[:-1], result.pit(5)["year"])


def test_reliability_points_bars_and_numbers_are_those_of_the_backtest(result):
    figure = escalation.plots.reliability(result, 6, level=0.8)
    upper, below = figure.axes
    table = result.reliability(6, level=0.8)
    for number, model in enumerate(str(name) for name in result.table().index):
        own = table.loc[model]
        points = line(figure, model.replace("_", " ")).get_xydata()
        np.testing.assert_allclose(points[:, 1], own["frequency"])
        np.testing.assert_allclose(points[:, 0], own["probability"], atol=0.01)  # beside each other
        bars = np.array([segment[:, 1] for segment in upper.collections[number].get_segments()])
        np.testing.assert_allclose(bars, own[["lower", "upper"]])
        heights = [bar.get_height() for bar in below.containers[number]]
        np.testing.assert_allclose(heights, own["forecasts"])
    assert "6 or more in a week" in upper.get_title(loc="left").replace("\n", " ")
    assert "80% interval" in upper.get_ylabel()


def test_forecasts_of_one_model_are_written_above_their_bars(result):
    one = escalation.Backtest(
        result.scores[result.scores["model"] == "year"].assign(
            model=lambda table: table["model"].cat.remove_unused_categories()
        ),
        result.failures,
    )
    below = escalation.plots.reliability(one, 6).axes[1]
    assert [text.get_text() for text in below.texts] == [f"{n:,}" for n in one.reliability(6)["forecasts"]]
