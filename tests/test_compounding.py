"""Severity compounded with forecasts: against closed forms, enumeration, plain simulation and simulated worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

from escalation import Forecast, InputError, first_passage, flashpoint, lethality, toll
from escalation.analysis import Severity, compound, fatality_sizes
from escalation.forecasts import get_flashpoint


def forecast_of(paths, observed=None, component=None, freq="W-SUN"):
    paths = np.asarray(paths, dtype=np.int64)
    seen = np.full((len(paths), 3), 5.0) if observed is None else np.asarray(observed, dtype=float)
    periods = pd.period_range("2024-12-02", periods=paths.shape[1], freq=freq, name="period")
    return Forecast.of_series(paths, periods, seen, "by hand", unit="attacks", component=component)


def any_lethal(n, lethal, trials):
    """``E[1 - (1 - p) ** n]`` for p from Jeffreys' posterior, in closed form."""
    a, b = lethal + 0.5, trials - lethal + 0.5
    return 1 - np.exp(betaln(a, b + n) - betaln(a, b))


RNG = np.random.default_rng(1)
BUSY = RNG.negative_binomial(2, 0.2, size=(6000, 8))


# the probability of a lethal attack


@pytest.mark.parametrize(("lethal", "trials"), [(0, 30), (2, 200), (20, 60)])
def test_chance_of_a_lethal_attack_is_the_closed_form(lethal, trials):
    found = toll(forecast_of(BUSY), Severity(lethality(lethal, trials)), rng=1).probabilities.loc[1]
    exact = any_lethal(BUSY.sum(axis=1), lethal, trials).mean()
    assert found["probability"] == pytest.approx(exact, abs=3 * found["mc_error"])
    assert found["mc_error"] < 0.006  # of 6,000 paths; of a simulated share it would be up to 0.0065


def test_monte_carlo_error_is_the_spread_over_seeds():
    severity, forecast = Severity(lethality(2, 200)), forecast_of(BUSY[:500])
    found = [toll(forecast, severity, rng=seed).probabilities.loc[1] for seed in range(60)]
    exact = any_lethal(BUSY[:500].sum(axis=1), 2, 200).mean()
    spread = np.std([one["probability"] for one in found])
    # the error also holds the spread between paths, which is fixed here
    assert spread <= found[0]["mc_error"] <= 2 * spread
    assert np.mean([one["probability"] for one in found]) == pytest.approx(exact, abs=3 * spread / np.sqrt(60))


def test_the_range_is_the_chance_at_the_ends_of_the_share():
    known = lethality(2, 200)
    found = toll(forecast_of(BUSY), Severity(known), rng=1).probabilities.loc[1]
    n = BUSY.sum(axis=1)
    ends = [(1 - (1 - share) ** n).mean() for share in (known.lower, known.upper)]
    assert [found["lower"], found["upper"]] == pytest.approx(ends, rel=0.05)  # quantiles of 6,000 draws


def test_days_within_periods_are_thinned():
    forecast = forecast_of(BUSY)
    found = toll(forecast, Severity(lethality(2, 200)), start="2024-12-05", end="2024-12-17", rng=1)
    share = np.random.default_rng(2).beta(2.5, 198.5, size=(400, 1))
    weights = (4 / 7, 1.0, 2 / 7)
    none = np.ones((400, 6000))
    for step, weight in enumerate(weights):
        none *= (1 - share * weight) ** BUSY[:, step]
    each = (1 - none).mean(axis=1)
    row = found.probabilities.loc[1]
    assert row["probability"] == pytest.approx(each.mean(), abs=3 * (row["mc_error"] + each.std() / 20))
    assert (str(found.start.date()), str(found.end.date())) == ("2024-12-05", "2024-12-17")


def test_a_path_goes_with_the_share_of_its_own_history():
    """Two histories: few attacks and few to come, of which many kill; many, of which few kill."""
    weeks = pd.period_range(end="2024-12-01", periods=2, freq="W-SUN")
    histories = pd.DataFrame([[5, 200], [5, 200]], index=weeks, columns=pd.RangeIndex(2, name="draw"))
    paths = np.repeat([[1], [40]], 3000, axis=0)
    seen = np.repeat([[5.0, 5.0], [200.0, 200.0]], 3000, axis=0)
    forecast = forecast_of(paths, seen, np.repeat([0, 1], 3000))
    severity = Severity(lethality(2, histories))
    found = toll(forecast, severity, rng=1).probabilities.loc[1]
    exact = (any_lethal(1, 2, 10) + any_lethal(40, 2, 400)) / 2
    apart = np.mean([any_lethal(n, 2, m) for n in (1, 40) for m in (10, 400)])
    assert abs(exact - apart) > 0.1
    assert found["probability"] == pytest.approx(exact, abs=0.005)
    lethal = compound(forecast, severity, what="lethal", rng=1)
    assert flashpoint(lethal, 1).probability == pytest.approx(exact, abs=0.02)
    other = toll(forecast_of(paths), severity, rng=1).probabilities.loc[1]  # other histories: shares at random
    assert other["probability"] == pytest.approx(apart, abs=0.02)


def test_quiet_paths_have_no_lethal_attack_and_an_error_all_the_same():
    found = toll(forecast_of(np.zeros((100, 4))), Severity(lethality(1, 10)), rng=1).probabilities.loc[1]
    assert found["probability"] == 0.0 and found["upper"] == 0.0 and 0 < found["mc_error"] < 0.01


def test_groups_go_by_their_mix():
    shares = lethality({"a": 30, "b": 1}, {"a": 100, "b": 300}, rng=1)
    found = toll(forecast_of(np.ones((20_000, 1))), Severity(shares), rng=1).probabilities.loc[1]
    assert found["probability"] == pytest.approx(shares.share, abs=4 * found["mc_error"])


# fatalities


def sizes_of(values, **options):
    return fatality_sizes(np.asarray(values), draws=300, rng=1, **options)


def test_many_killed_in_one_attack_and_expected_fatalities_agree_with_plain_simulation():
    sizes = sizes_of(RNG.negative_binomial(2, 0.3, 100) + 1, family="negative_binomial")
    severity, forecast = Severity(lethality(40, 200), sizes), forecast_of(BUSY[:, :3])
    found = toll(forecast, severity, killed=(1, 5, 12), rng=1)
    rng = np.random.default_rng(3)
    worst, total = np.zeros(6000), np.zeros(6000)
    for path in range(6000):
        share, law = rng.beta(40.5, 160.5), rng.integers(300)
        killed = sizes.distributions.draw(np.full(rng.binomial(BUSY[path, :3].sum(), share), law), rng)
        worst[path], total[path] = killed.max(initial=0), killed.sum()
    for k, row in found.probabilities.iterrows():
        assert row["probability"] == pytest.approx((worst >= k).mean(), abs=4 * 0.5 / np.sqrt(6000))
        assert row["lower"] < row["probability"] < row["upper"]
    error = total.std() / np.sqrt(6000)
    assert found.expected == pytest.approx(total.mean(), abs=4 * error)
    assert found.expected_lower < found.expected < found.expected_upper
    assert found.median == pytest.approx(np.median(total), abs=3)
    assert found.upper == pytest.approx(np.quantile(total, 0.95), rel=0.1)
    assert "that one kills 12 or more" in found.sentence() and "are expected" in found.sentence()


def test_very_many_lethal_attacks_are_summed_on_some_of_the_paths(monkeypatch):
    severity = Severity(lethality(50, 100), fatality_sizes(np.r_[[1] * 60, [2] * 30, [5] * 10], rng=1))
    forecast = forecast_of(np.full((1000, 4), 40))
    whole = toll(forecast, severity, rng=1)
    monkeypatch.setattr("escalation.analysis.severity.compounding.MOST_DRAWN", 24_000)
    some = toll(forecast, severity, rng=1)
    assert (whole.summed, whole.draws) == (1000, 1000)
    assert 270 < some.summed < 330  # 80 lethal attacks a path, of which 24,000 are drawn
    assert some.probabilities.equals(whole.probabilities) and some.expected == whole.expected
    error = 3 * 0.5 * (whole.upper - whole.lower) / np.sqrt(some.summed)  # of a median, and generously
    assert some.median == pytest.approx(whole.median, abs=error)


def test_a_tail_without_a_mean_has_no_expected_number():
    severity = Severity(lethality(40, 200), sizes_of(np.random.default_rng(4).zipf(1.6, 300), family="power_tail"))
    found = toll(forecast_of(BUSY), severity, rng=1)
    assert found.expected is None and found.expected_lower is None and found.median > 0
    assert np.isfinite(found.probabilities.to_numpy()).all() and found.upper > 10 * found.median
    assert "no expected number is given" in found.sentence()


def test_compounded_paths_are_forecasts_for_definitions():
    severity = Severity(lethality(40, 200), sizes_of(RNG.negative_binomial(2, 0.3, 100) + 1))
    forecast = forecast_of(BUSY, component=np.arange(6000) % 7, freq="M")
    killed = compound(forecast, severity, rng=1)
    assert killed.unit == "fatalities" and killed.paths.shape == (1, *BUSY.shape) and killed.paths.dtype == np.int64
    assert np.array_equal(killed.component, forecast.component)
    assert np.isnan(killed.series_observed).all()
    lethal = compound(forecast, severity, what="lethal", rng=1)
    assert (lethal.series_paths <= BUSY).all() and lethal.unit == "lethal attacks"
    first = flashpoint(killed, get_flashpoint("first-lethal"))
    exact = toll(forecast, severity, rng=2).probabilities.loc[1]
    assert first.probability == pytest.approx(exact["probability"], abs=3 * (first.mc_error + exact["mc_error"]))
    by = first_passage(killed, get_flashpoint("views-25"))
    assert by.is_monotonic_increasing and 0 < by.iloc[-1] < first.probability
    seen = pd.Series([7, 3], index=pd.period_range(end="2024-11", periods=2, freq="M"))
    known = compound(forecast, severity, observed=seen, rng=1)
    assert known.series_observed[0].tolist()[1:] == [7.0, 3.0] and np.isnan(known.series_observed[0, 0])
    assert flashpoint(known, get_flashpoint("hdx-1y"), within=1).at_least == 100


def test_periods_of_a_path_share_their_draw():
    """Lethal weeks come together: the variance of the total is above that of independent weeks."""
    twenty = forecast_of(np.full((20_000, 8), 20))
    paths = compound(twenty, Severity(lethality(1, 60)), what="lethal", rng=1).series_paths
    together, alone = paths.sum(axis=1).var(), paths.var(axis=0).sum()
    assert together > 1.5 * alone
    a, b, n = 1.5, 59.5, 160  # beta-binomial variance of the total
    exact = n * a * b * (a + b + n) / ((a + b) ** 2 * (a + b + 1))
    assert together == pytest.approx(exact, rel=0.05)


@pytest.mark.nightly
def test_chances_are_calibrated_on_simulated_worlds():
    """Rates and shares unknown: the frequency of a lethal attack is the probability that was given, in three bins."""
    rng = np.random.default_rng(5)
    given, came = [], []
    for _ in range(900):
        rate, share = rng.gamma(2.0, 2.0), rng.beta(0.5, 8.0)
        past = rng.poisson(rate, 30)
        lethal = rng.binomial(past.sum(), share)
        ahead = rng.poisson(rng.gamma(past.sum() + 2.0, 1 / 30.5, size=(400, 1)), size=(400, 6))
        if past.sum() == 0:
            continue
        known = Severity(lethality(int(lethal), int(past.sum())))
        given.append(toll(forecast_of(ahead), known, rng=rng).probabilities["probability"][1])
        came.append(rng.random() < 1 - (1 - share) ** rng.poisson(rate, 6).sum())
    given, came = np.array(given), np.array(came)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        held = (given >= low) & (given < high)
        error = 0.5 / np.sqrt(held.sum())
        # Jeffreys' prior is not the worlds' Beta(0.5, 8): it costs a little in the lowest bin
        assert came[held].mean() == pytest.approx(given[held].mean(), abs=3 * error + 0.03)


# errors


PLAIN = Severity(lethality(2, 20))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: Severity(0.2), "a Severity is of a Lethality and FatalitySizes, and got float"),
        (lambda: toll(3, PLAIN), "a forecast of one series and a Severity are needed, and int and Severity"),
        (
            lambda: toll(forecast_of([[1]]), PLAIN, killed=(5,)),
            "killed is 5, and the severity has no distribution of sizes",
        ),
        (lambda: toll(forecast_of([[1]]), PLAIN, killed=()), "killed is \\[\\]; give at least one number"),
        (lambda: toll(forecast_of([[1]]), PLAIN, end="2025-02-01"), "must lie in order within the forecast"),
        (lambda: compound(forecast_of([[1]]), PLAIN), "fatalities need a distribution of sizes"),
        (
            lambda: compound(forecast_of([[1]]), PLAIN, what="wounded"),
            "what is 'wounded'; use 'fatalities' or 'lethal'",
        ),
        (
            lambda: compound(forecast_of([[1]]), PLAIN, what="lethal", observed=pd.Series([1])),
            "observed must be a Series on periods of W-SUN",
        ),
        (
            lambda: compound(
                forecast_of(np.full((10, 1), 100_000_000)), Severity(lethality(9, 10), sizes_of([1, 2] * 9)), rng=1
            ),
            "lethal attacks, more than 50,000,000; forecast fewer paths",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(call, why):
    with pytest.raises(InputError, match=why):
        call()


def test_a_mean_that_a_few_draws_of_the_tail_make_is_not_given(monkeypatch):
    severity = Severity(lethality(50, 100), fatality_sizes(np.r_[[1] * 60, [2] * 30, [5] * 10], rng=1))
    assert toll(forecast_of(BUSY), severity, rng=1).expected is not None
    of_draws = type(severity.sizes.distributions)
    means = severity.sizes.distributions.mean().copy()
    means[:: len(means) // 5] *= 1e6
    monkeypatch.setattr(of_draws, "mean", lambda _: means)
    found = toll(forecast_of(BUSY), severity, rng=1)
    assert found.expected is None and "no expected number is given" in found.sentence()
