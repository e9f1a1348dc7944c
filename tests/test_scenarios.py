"""what_if: factors by hand, counts in proportion to them, common random numbers, and events against filtered paths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escalation import INGARCH, Climatology, Ensemble, InputError, LocalLevel, NegativeBinomial, flashpoint, what_if
from escalation.analysis import Event, Scenario
from escalation.conventions.randomness import as_generator, draw_root, generator_for
from escalation.forecasts import get_flashpoint
from escalation.models import Bootstrap, EndemicEpidemic
from escalation.models.contract.calls import simulate_paths
from escalation.models.registry import MODELS, get_model

WEEKS = pd.period_range("2023-01-02", periods=100, freq="W-SUN", name="period")
AHEAD = pd.period_range(WEEKS[-1] + 1, periods=8, freq="W-SUN")
FIRST = str(AHEAD[0].start_time.date())


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(1)
    return pd.Series(rng.poisson(6 * rng.gamma(4, 0.25, 100)), index=WEEKS)


@pytest.fixture(scope="module")
def fit(counts):
    return NegativeBinomial().fit(counts, unit="attacks")


# Factors


@pytest.mark.parametrize(
    ("scenario", "wanted"),
    [
        (Scenario(FIRST, 0.2), [0.2] * 4),
        (Scenario(str(AHEAD[1].start_time.date()), 3.0), [1, 3, 3, 3]),
        # the period that holds the date, and that which holds the end, count as changed
        (Scenario(str(AHEAD[1].end_time.date()), 3.0, until=str(AHEAD[2].start_time.date())), [1, 3, 3, 1]),
        (Scenario(FIRST, 16.0, half_life=7), [16, 4, 2, 2**0.5]),
        (Scenario(FIRST, 16.0, half_life=7, until=str(AHEAD[1].end_time.date())), [16, 4, 1, 1]),
    ],
)
def test_factors_by_hand(scenario, wanted):
    assert scenario.factors(AHEAD[:4]) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.filterwarnings("ignore:.*leave zero_level without a finite maximum:escalation.errors.DataWarning")
def test_counts_of_every_model_are_in_proportion_to_the_factor_or_it_is_refused(name, counts):
    fitted = get_model(name).fit(counts)
    scenarios = {"double": Scenario(FIRST, 2.0)}
    if name in ("bootstrap", "climatology", "ensemble"):
        with pytest.raises(InputError, match="draws past counts again and has no rate to change"):
            what_if(fitted, 4, scenarios, rng=1)
        return
    table = what_if(fitted, 4, scenarios, draws=4000, rng=1).scenarios
    base, change = table.loc["baseline", "total"], table.loc["double", "total_difference"]
    # the mean doubles; four Monte Carlo errors of the change, which is most of the error of the baseline too
    assert change == pytest.approx(base, abs=4 * table.loc["double", "total_difference_mc_error"] + 0.02 * base)


def test_a_pulse_changes_no_other_period_of_independent_counts(fit):
    result = what_if(fit, 8, {"pulse": Scenario(FIRST, 3.0, until=FIRST)}, draws=8000, rng=1)
    ratio = result.forecasts["pulse"].mean() / result.forecasts["baseline"].mean()
    # means of some 6 with standard deviation 4: errors of 0.8% of each mean
    assert ratio.iloc[0] == pytest.approx(3.0, abs=0.12) and ratio.iloc[1:].to_numpy() == pytest.approx(1.0, abs=0.05)


# Beside the baseline


def test_all_begin_with_the_same_random_numbers(fit):
    result = what_if(fit, 4, {"same": Scenario(FIRST, 1.0), "half": Scenario(FIRST, 0.5)}, at_least=9, rng=4)
    assert (result.forecasts["same"].series_paths == result.forecasts["baseline"].series_paths).all()
    assert result.scenarios.loc["same", ["total_difference", "total_difference_mc_error"]].tolist() == [0.0, 0.0]
    root = draw_root(as_generator(4))
    paths, _ = simulate_paths(fit, fit.design.ahead(4, None), 4000, generator_for(root, "paths"))
    assert (result.forecasts["baseline"].series_paths == paths).all()


def test_other_scenarios_do_not_move_a_scenario(fit):
    half = Scenario(FIRST, 0.5)
    alone = what_if(fit, 4, {"half": half}, rng=4).scenarios
    beside = what_if(fit, 4, {"other": Scenario(FIRST, 3.0), "half": half}, rng=4).scenarios
    pd.testing.assert_series_equal(alone.loc["half"], beside.loc["half"])


def test_the_table_is_what_the_forecasts_say(fit):
    result = what_if(fit, 6, {"ceasefire": Scenario(FIRST, 0.3)}, at_least=20, over=2, rng=2)
    for name, forecast in result.forecasts.items():
        totals = forecast.series_paths.sum(axis=1)
        row = result.scenarios.loc[name]
        assert row["total"] == totals.mean() and row["draws"] == 4000
        assert row["lower"] == np.quantile(totals, 0.05, method="inverted_cdf")
        assert row["probability"] == flashpoint(forecast, 20, over=2).probability
        assert result.flashpoints[name].mc_error == row["mc_error"] > 0
    before, after = (result.forecasts[name].series_paths.sum(axis=1) for name in ("baseline", "ceasefire"))
    change = after - before
    row = result.scenarios.loc["ceasefire"]
    assert row["total_difference"] == pytest.approx(change.mean(), abs=1e-9)
    assert row["total_difference_mc_error"] == pytest.approx(change.std(ddof=1) / np.sqrt(4000), rel=1e-12)
    assert row["probability_difference"] < 0


def test_the_monte_carlo_error_is_the_spread_over_seeds(fit):
    rows = [
        what_if(fit, 4, {"half": Scenario(FIRST, 0.5)}, draws=400, rng=seed).scenarios.loc["half"] for seed in range(60)
    ]
    spread = np.std([row["total_difference"] for row in rows], ddof=1)
    # a standard deviation of 60 numbers is known to 9%
    assert spread == pytest.approx(np.mean([row["total_difference_mc_error"] for row in rows]), rel=0.35)


# Events


def test_an_event_keeps_the_paths_that_have_it(fit):
    date = str(AHEAD[2].start_time.date())
    result = what_if(fit, 4, {"attack": Event(date, 10)}, at_least=12, rng=3)
    base = result.forecasts["baseline"].series_paths
    kept = base[base[:, 2] >= 10]
    assert (result.forecasts["attack"].series_paths == kept).all()
    assert result.scenarios.loc["attack", "draws"] == len(kept)
    assert result.scenarios.loc["attack", "probability"] == (kept >= 12).any(axis=1).mean()


def test_what_follows_an_event_follows_from_the_model():
    """In an INGARCH(1) with beta 0.6 counts after a large one are higher, in a regression they are not."""
    rng = np.random.default_rng(2)
    values = np.zeros(150)
    for t in range(1, 150):
        values[t] = rng.poisson(1 + 0.6 * values[t - 1])
    series = pd.Series(values, index=pd.period_range(end=WEEKS[-1], periods=150, freq="W-SUN", name="period"))
    event = {"attack": Event(FIRST, 6)}
    lifts = {}
    for model in (INGARCH(past_mean=()), NegativeBinomial()):
        found = what_if(model.fit(series), 2, event, draws=8000, rng=1).forecasts
        lifts[model.name] = found["attack"].mean().iloc[1] - found["baseline"].mean().iloc[1]
    # 0.6 times the 4 to 5 counts more than otherwise expected, the estimate of 0.6 good to 0.1
    assert lifts["ingarch"] > 1.5
    assert abs(lifts["negative_binomial"]) < 0.4


def test_several_assumptions_hold_together(fit):
    both = (Scenario(FIRST, 2.0), Event(FIRST, 15))
    result = what_if(fit, 3, {"double": Scenario(FIRST, 2.0), "both": both}, rng=1)
    doubled = result.forecasts["double"].series_paths
    assert (result.forecasts["both"].series_paths == doubled[doubled[:, 0] >= 15]).all()
    assert result.assumptions["both"] == f"rate times 2 from {FIRST} on and at least 15 in the period of {FIRST}"


# Words, histories, errors


def test_it_says_that_it_is_an_assumption(fit):
    scenarios = {"ceasefire": Scenario(FIRST, 0.3, half_life=14, until=str(AHEAD[5].end_time.date()))}
    result = what_if(fit, 8, scenarios, at_least=20, rng=1)
    said = result.sentence()
    assert said.startswith("Without a change ") and "attacks are expected in 8 weeks, with a probability of" in said
    assert "if ceasefire (rate times 0.3 from " in said and "its log halved every 14 days" in said
    assert said.endswith("Scenarios are assumptions, not estimates of what such a change would do.")
    assert said in result._repr_html_()
    plain = what_if(fit, 8, scenarios, rng=1)
    assert "probability" not in plain.sentence() and not plain.flashpoints
    named = what_if(fit, 8, scenarios, at_least=get_flashpoint("acled-10"), rng=1)
    assert "of acled-10" in named.sentence()


def test_histories_widen_the_error(counts):
    rng = np.random.default_rng(5)
    drawn = np.column_stack([counts + shift + rng.poisson(1, 100) for shift in (0, 4, 8)])
    histories = pd.DataFrame(drawn, index=WEEKS, columns=pd.RangeIndex(3, name="draw"))
    table = what_if(LocalLevel().fit(histories), 4, {"half": Scenario(FIRST, 0.5)}, draws=900, rng=1).scenarios
    change = what_if(NegativeBinomial().fit(counts), 4, {"half": Scenario(FIRST, 0.5)}, draws=900, rng=1).scenarios
    column = "total_difference_mc_error"
    assert table.loc["half", column] > 2 * change.loc["half", column]


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ({}, "scenarios is no mapping"),
        ({"baseline": Event(FIRST)}, "a scenario is called 'baseline'"),
        ({"x": 0.5}, "scenario 'x' is 0.5; give a Scenario"),
        ({"x": Scenario("2023-05-01", 2.0)}, "outside the forecast from"),
        ({"x": Event(FIRST, 10_000)}, "only 0 of 4,000 paths have the event of 'x'"),
    ],
)
def test_what_cannot_be_assumed_is_refused(fit, scenarios, message):
    with pytest.raises(InputError, match=message):
        what_if(fit, 4, scenarios, rng=1)


def test_wrong_options_are_refused(fit, counts):
    with pytest.raises(InputError, match="factor is 0; give what"):
        Scenario(FIRST, 0)
    with pytest.raises(InputError, match="a Scenario ends 2024-01-01, before it begins"):
        Scenario("2024-02-01", 2.0, until="2024-01-01")
    with pytest.raises(InputError, match="half_life is -1"):
        Scenario(FIRST, 2.0, half_life=-1)
    with pytest.raises(InputError, match="count is 0"):
        Event(FIRST, 0)
    panel = pd.DataFrame({"A": counts, "B": counts.to_numpy()[::-1]})
    with pytest.raises(InputError, match="what_if takes the fit of one series and got PanelFit"):
        what_if(EndemicEpidemic(own_past="none", others_past="none").fit(panel), 4, {"x": Event(FIRST)})
    mixed = Ensemble(models=(NegativeBinomial(), Climatology())).fit(counts)
    with pytest.raises(InputError, match="ensemble draws past counts again"):
        what_if(mixed, 4, {"x": Event(FIRST)})
    with pytest.raises(InputError, match="bootstrap draws past counts again"):
        what_if(Bootstrap().fit(counts), 4, {"x": Event(FIRST)})
