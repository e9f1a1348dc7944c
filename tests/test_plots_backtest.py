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
    return escalation.backtest(models, counts, origins=20, steps=3, thresholds=(6,), draws=200, rng=1)


def line(figure, label):
    return next(one for one in figure.axes[0].lines if one.get_label() == label)


def test_scores_by_lead_are_means(result):
    figure = escalation.plot_scores(result, score="log_score")
    expected = result.scores.groupby(["model", "step"], observed=True)["log_score"].mean()
    np.testing.assert_allclose(line(figure, "four weeks").get_ydata(), expected["four_weeks"])
    assert "log score" in figure.axes[0].get_ylabel()
    assert figure.axes[0].get_xlabel() == "weeks ahead"
    with pytest.raises(InputError, match="score is 'speed'"):
        escalation.plot_scores(result, score="speed")


def test_pit_bars_are_those_of_the_backtest(result):
    figure = escalation.plot_pit(result, bins=5)
    np.testing.assert_allclose(line(figure, "year").get_ydata()[:-1], result.pit(5)["year"])


def test_reliability_points_are_those_of_the_backtest(result):
    figure = escalation.plot_reliability(result, 6)
    points = figure.axes[0].collections[0].get_offsets()
    best = str(result.summary().index[0])
    np.testing.assert_allclose(points, result.reliability(6).loc[best][["probability", "frequency"]])
    assert "6 or more in a week" in figure.axes[0].get_title(loc="left").replace("\n", " ")
