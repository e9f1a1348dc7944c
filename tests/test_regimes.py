"""Regimes of hidden Markov fits: against simulation, geometric distributions and known regimes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escalation.analysis.regimes import compare_states, regime_durations, regime_now, state_probabilities
from escalation.errors import InputError
from escalation.models.baselines.climatology import Climatology
from escalation.models.hidden_markov.model import HiddenMarkov

MOVES = np.array([[0.94, 0.06], [0.1, 0.9]])


def weekly(values):
    return pd.Series(
        np.asarray(values, dtype=float), index=pd.period_range("2020-01-05", periods=len(values), freq="W")
    )


def simulated(n, seed, rates=(2.0, 12.0), moves=MOVES):
    rng = np.random.default_rng(seed)
    regimes = [0]
    for _ in range(n - 1):
        regimes.append(rng.choice(2, p=moves[regimes[-1]]))
    mean = np.asarray(rates)[regimes] * rng.gamma(10, 0.1, n)
    return rng.poisson(mean).astype(float), np.array(regimes)


def test_smoothed_probabilities_are_calibrated():
    """Of the periods to which 0.3 to 0.7 is given, about half are active; see also what is sure."""
    chances, truth = [], []
    for seed in range(40):
        y, regimes = simulated(200, seed, rates=(3.0, 8.0))
        chances.append(state_probabilities(HiddenMarkov().fit(weekly(y)))["active"].to_numpy())
        truth.append(regimes)
    chances, truth = np.concatenate(chances), np.concatenate(truth)
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        among = (chances >= low) & (chances <= high)
        # 0.06: a few hundred periods each, and probabilities at estimates, which are a little too sure
        assert truth[among].mean() == pytest.approx(chances[among].mean(), abs=0.06)


def test_filtered_probabilities_know_nothing_later():
    y, _ = simulated(100, 3)
    fit = HiddenMarkov().fit(weekly(y))
    filtered, smoothed = (state_probabilities(fit, kind=kind) for kind in ("filtered", "smoothed"))
    assert filtered.columns.tolist() == ["quiet", "active"]
    assert filtered.index.equals(weekly(y).index)
    np.testing.assert_allclose(filtered.sum(axis=1), 1.0)
    np.testing.assert_allclose(filtered.iloc[-1], smoothed.iloc[-1])
    assert (filtered - smoothed).abs().max().max() > 0.05


def test_histories_are_averaged():
    columns = [simulated(80, seed)[0].astype(int) for seed in range(3)]
    index = weekly(columns[0]).index
    fit = HiddenMarkov().fit(pd.DataFrame(np.column_stack(columns), index, pd.RangeIndex(3, name="draw")))
    alone = [state_probabilities(HiddenMarkov().fit(weekly(column))) for column in columns]
    np.testing.assert_allclose(state_probabilities(fit), np.mean(alone, axis=0), atol=1e-12)
    single = [regime_durations(HiddenMarkov().fit(weekly(column))) for column in columns]
    pooled = regime_durations(fit)
    odds = np.mean([np.log(table["duration"] - 1) for table in single], axis=0)
    np.testing.assert_allclose(pooled["duration"], 1 + np.exp(odds))
    widths = [np.log(table["upper"] - 1) - np.log(table["lower"] - 1) for table in [*single, pooled]]
    assert (widths[-1] ** 2 >= np.mean(np.square(widths[:-1]), axis=0) - 1e-12).all()  # between is added to within
    now = regime_now(fit, rng=1)
    assert now.histories == 3
    parts = [regime_now(HiddenMarkov().fit(weekly(column)), rng=1).probability for column in columns]
    assert now.probability == pytest.approx(np.mean(parts), abs=0.02)


def test_durations_cover_the_truth():
    inside = []
    for seed in range(120):
        table = regime_durations(HiddenMarkov().fit(weekly(simulated(300, seed)[0])), level=0.9)
        truth = np.array([1 / 0.06, 1 / 0.1])
        inside.append((table["lower"] <= truth) & (truth <= table["upper"]))
    # 240 intervals, standard error 0.019
    assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_a_duration_is_one_over_the_chance_to_leave():
    fit = HiddenMarkov().fit(weekly(simulated(150, 2)[0]))
    table, params = regime_durations(fit), fit.params
    assert table["duration"].tolist() == pytest.approx([1 / params["p_quiet_active"], 1 / params["p_active_quiet"]])
    assert table["rate"].tolist() == pytest.approx([params["rate_quiet"], params["rate_active"]])
    share = params["p_quiet_active"] / (params["p_quiet_active"] + params["p_active_quiet"])
    assert table["share"].tolist() == pytest.approx([1 - share, share])


def test_a_long_series_gives_the_geometric_law():
    y, regimes = simulated(6000, 8)
    now = regime_now(HiddenMarkov().fit(weekly(y[: np.flatnonzero(regimes)[-1] + 1])), horizon=5, rng=1)
    leave = 1 / now.expected
    assert leave == pytest.approx((regimes[1:] == 0)[regimes[:-1] == 1].mean(), rel=0.05)
    # the counts leave the probability of leaving open by some 5%
    np.testing.assert_allclose(now.ended, 1 - (1 - leave) ** np.arange(1, 6), atol=0.01)
    assert now.median == pytest.approx(np.log(0.5) / np.log(1 - leave), abs=1.2)
    assert now.lower == 1
    assert now.upper == pytest.approx(np.log(0.05) / np.log(1 - leave), rel=0.1)
    assert now.expected_lower < now.expected < now.expected_upper


@pytest.mark.nightly
def test_remaining_periods_of_simulated_series_are_covered():
    """The prediction interval holds the true number of periods that an active regime still lasts."""
    inside, chances, active = [], [], []
    for seed in range(250):
        y, regimes = simulated(300, [4, seed])
        now = regime_now(HiddenMarkov().fit(weekly(y[:120])), level=0.9, draws=300, rng=seed)
        chances.append(now.probability)
        active.append(regimes[119])
        if regimes[119]:
            remaining = 1 + int(np.argmin(regimes[120:]))
            inside.append(now.lower <= remaining <= now.upper)
    assert len(inside) > 60
    # an interval of whole numbers from 1 covers a little more than its level; 100 series leave 0.03 open
    assert 0.84 < np.mean(inside) < 0.99
    assert np.mean(chances) == pytest.approx(np.mean(active), abs=0.04)


def test_the_record_speaks():
    now = regime_now(HiddenMarkov().fit(weekly([1, 0, 2, 1, 0, 1, 0, 9, 12, 8] * 6), unit="raids"), rng=1)
    text = now.sentence()
    assert "The probability that the week to 2021-02-21 is in the active regime (some 9.6 raids a week) is" in text
    assert "90% prediction interval 1 to" in text
    assert "<table" in now._repr_html_()
    assert now.probabilities.sum() == pytest.approx(1)
    assert now.probabilities["active"] == now.probability
    quiet = regime_now(HiddenMarkov().fit(weekly([1, 0, 2, 1, 0, 1, 0, 9, 12, 8] * 6)), regime="quiet", rng=1)
    assert quiet.probability == pytest.approx(1 - now.probability, abs=0.02)


def test_same_seed_same_numbers():
    fit = HiddenMarkov().fit(weekly(simulated(100, 1)[0]))
    one, same, other = (regime_now(fit, rng=seed) for seed in (1, 1, 2))
    assert (one.probability, one.expected) == (same.probability, same.expected)
    assert one.expected != other.expected


def test_the_table_of_states_says_why():
    table = compare_states(HiddenMarkov().fit(weekly(simulated(150, 4)[0])))
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table["over"].idxmin() == 2
    assert table["over"].min() == 0
    assert table["parameters"].tolist() == [2, 5, 10, 17]
    np.testing.assert_allclose(table["bic"], table["parameters"] * np.log(150) - 2 * table["log_likelihood"])
    assert table["why"][1] == "one rate for all periods"
    assert table["why"][2].endswith("; lowest BIC")
    assert "the log-likelihood of 2, for which BIC asks 12.5" in table["why"][3]
    assert HiddenMarkov("bic").fit(weekly(simulated(150, 4)[0])).llf == pytest.approx(table["log_likelihood"][2])


def test_the_table_of_states_warns_of_regimes_that_take_up_outliers():
    values = simulated(100, 5, rates=(3.0, 3.0))[0]
    values[50] = 90
    table = compare_states(HiddenMarkov(family="poisson").fit(weekly(values)))
    assert table["least_stay"][2] < 0.7  # one period in 100; the prior alone says 0.8


def test_what_has_no_regimes_is_refused():
    with pytest.raises(InputError, match="this is a fit of climatology; regimes are those of HiddenMarkov"):
        state_probabilities(Climatology().fit(weekly([1, 2, 3])))
    steady = HiddenMarkov(1).fit(weekly([1, 0, 2, 3, 1, 1]))
    assert (state_probabilities(steady) == 1).all().all()
    with pytest.raises(InputError, match="this fit has one regime, which never ends"):
        regime_now(steady)


def test_unknown_names_are_refused():
    fit = HiddenMarkov().fit(weekly([1, 0, 2, 9, 8, 7, 0, 1]))
    with pytest.raises(InputError, match="kind is 'viterbi'; use 'smoothed'"):
        state_probabilities(fit, kind="viterbi")
    with pytest.raises(InputError, match="regime is 'loud'; this fit has quiet, active"):
        regime_now(fit, regime="loud")
    with pytest.raises(InputError, match="horizon is 0"):
        regime_now(fit, horizon=0)
    with pytest.raises(InputError, match="level is 2"):
        regime_durations(fit, level=2)
