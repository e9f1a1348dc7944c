"""Assumed lethal attacks: against plain simulation that keeps what has one, a closed form, and the toll."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escalation import Forecast, InputError, LocalLevel, NegativeBinomial, flashpoint, lethality, toll, what_if
from escalation.analysis import Event, Scenario, Severity, fatality_sizes
from escalation.analysis.severity.assumed import draw_cost
from escalation.analysis.severity.compounding import draw_severity

WEEKS = pd.period_range("2023-01-02", periods=100, freq="W-SUN", name="period")
AHEAD = pd.period_range(WEEKS[-1] + 1, periods=8, freq="W-SUN")
FIRST, THIRD = (str(AHEAD[at].start_time.date()) for at in (0, 2))
KILLED = [1] * 20 + [2] * 8 + [3] * 5 + [5] * 3 + [12]


@pytest.fixture(scope="module")
def severity():
    return Severity(lethality(6, 120), fatality_sizes(KILLED, rng=1))


@pytest.fixture(scope="module")
def busy():
    paths = np.random.default_rng(1).negative_binomial(2, 0.3, size=(60_000, 3))
    periods = pd.period_range("2024-12-02", periods=3, freq="W-SUN", name="period")
    return Forecast.of_series(paths, periods, np.full((60_000, 2), 5.0), "by hand", unit="attacks")


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(1)
    counts = pd.Series(rng.poisson(6 * rng.gamma(4, 0.25, 100)), index=WEEKS)
    return NegativeBinomial().fit(counts, unit="attacks")


@pytest.mark.parametrize("killed", [1, 3])
def test_what_is_kept_is_what_plain_simulation_keeps(busy, severity, killed):
    """Each attack of each path kills or not, and so many; the paths with one that kills enough are kept."""
    found = draw_cost(busy, severity, {1: killed}, np.random.default_rng(2))
    rng = np.random.default_rng(3)
    share, _, law = draw_severity(severity, busy, rng)
    kept, lethal, sums = [], [], []
    for place in range(3):
        number = rng.binomial(busy.series_paths[:, place], share)
        path = np.repeat(np.arange(busy.draws), number)
        sizes = severity.sizes.distributions.draw(law[path], rng)
        lethal.append(number)
        sums.append(np.bincount(path, weights=np.minimum(sizes, 50), minlength=busy.draws))
        kept.append(np.bincount(path, weights=sizes >= killed, minlength=busy.draws) > 0)
    has = kept[1]
    chosen = busy.series_paths[found.kept]
    pairs = [
        (chosen[:, 1], busy.series_paths[has, 1]),
        (chosen[:, 0], busy.series_paths[has, 0]),
        (found.lethal[:, 1], lethal[1][has]),
        (found.lethal[:, 0], lethal[0][has]),
        (found.lethal.sum(axis=1) > 1, sum(lethal)[has] > 1),
        (np.minimum(found.killed[:, 1], 50), np.minimum(sums[1][has], 50)),
        (np.minimum(found.killed[:, 2], 50), np.minimum(sums[2][has], 50)),
    ]
    assert len(chosen) > 3000 and has.sum() > 3000
    for ours, plain in pairs:
        error = np.sqrt(ours.var() / len(ours) + plain.var() / len(plain))
        assert ours.mean() == pytest.approx(plain.mean(), abs=4 * error)  # four standard errors of the difference
    assert (found.lethal[:, 1] >= 1).all() and (found.killed[:, 1] >= killed).all()
    assert (found.lethal <= chosen).all() and (found.killed >= found.lethal).all()


def test_a_lethal_attack_says_that_more_of_them_kill(severity):
    """With one attack a period the share given a lethal one is Beta(a + 1, b): closed form."""
    ones = Forecast.of_series(
        np.ones((40_000, 2), dtype=np.int64),
        pd.period_range("2024-12-02", periods=2, freq="W-SUN"),
        np.ones((40_000, 1)),
        "ones",
    )
    found = draw_cost(ones, Severity(severity.lethality), {0: 1}, np.random.default_rng(1))
    assert found.killed is None and (found.lethal[:, 0] == 1).all()
    a, b = 6.5, 114.5
    share = (a + 1) / (a + b + 1)
    n = len(found.lethal)
    assert found.lethal[:, 1].mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_without_an_event_it_is_the_toll(busy, severity):
    found = draw_cost(busy, severity, {}, np.random.default_rng(1))
    assert found.kept.all() and found.assumed == 0
    whole = toll(busy, severity, killed=(1,), rng=1)
    chance = (found.lethal.sum(axis=1) > 0).mean()
    assert chance == pytest.approx(whole.probabilities.loc[1, "probability"], abs=4 * np.sqrt(0.25 / busy.draws))
    assert np.median(found.killed.sum(axis=1)) == pytest.approx(whole.median, abs=1)


def test_a_lethal_event_stands_beside_the_baseline(fit, severity):
    scenarios = {
        "strike": Event(THIRD, killed=3),
        "strike and reaction": (Event(THIRD, killed=3), Scenario(str(AHEAD[3].start_time.date()), 2.0)),
        "ceasefire": Scenario(FIRST, 0.1),
    }
    result = what_if(fit, 8, scenarios, at_least=12, severity=severity, draws=20_000, rng=1)
    table = result.scenarios
    whole = toll(result.forecasts["baseline"], severity, rng=2)
    row = table.loc["baseline"]
    # both of the same paths: errors of the drawn and of the averaged probability
    room = 4 * (row["lethal_mc_error"] + whole.probabilities.loc[1, "mc_error"])
    assert row["lethal_probability"] == pytest.approx(whole.probabilities.loc[1, "probability"], abs=room)
    assert table.loc["ceasefire", "lethal_probability"] < row["lethal_probability"] / 2
    assert table.loc["strike", "killed_lower"] >= 3
    # the attack says that more of them kill, and a doubled rate brings more of them
    assert table.loc["strike", "lethal_probability"] > row["lethal_probability"]
    assert table.loc["strike and reaction", "lethal_probability"] > table.loc["strike", "lethal_probability"]
    for name, lethal in result.lethal.items():
        assert lethal.paths.shape == result.forecasts[name].paths.shape == result.killed[name].paths.shape
        assert table.loc[name, "draws"] == lethal.draws and lethal.unit == "lethal attacks"
        more = (lethal.series_paths.sum(axis=1) > ("strike" in name)).mean()
        assert table.loc[name, "lethal_probability"] == more
    assert flashpoint(result.killed["strike"], 3, within=3).probability == 1.0
    said = result.sentence()
    assert f"an attack that kills 3 or more in the period of {THIRD}" in said and "another lethal one with" in said
    assert "a lethal one with a probability of" in said and " killed (" in said


def test_without_sizes_nothing_is_said_of_the_killed(fit):
    result = what_if(fit, 4, {"strike": Event(FIRST, killed=1)}, severity=Severity(lethality(6, 120)), rng=1)
    assert "killed" not in result.scenarios and not result.killed and " killed (" not in result.sentence()
    # rates are not otherwise touched: of independent counts later periods stay as they were
    later = [result.forecasts[name].mean().iloc[1:].to_numpy() for name in ("strike", "baseline")]
    spread = result.forecasts["baseline"].series_paths[:, 1:].std() / np.sqrt(result.forecasts["strike"].draws)
    assert later[0] == pytest.approx(later[1], abs=4 * spread)


def test_histories_keep_the_share_of_their_own_history():
    rng = np.random.default_rng(5)
    drawn = np.column_stack([rng.poisson(level, 100) for level in (4, 8, 12)])
    histories = pd.DataFrame(drawn, index=WEEKS, columns=pd.RangeIndex(3, name="draw"))
    result = what_if(
        LocalLevel().fit(histories),
        4,
        {"strike": Event(FIRST, killed=1)},
        severity=Severity(lethality(8, histories)),
        draws=6000,
        rng=1,
    )
    means = result.lethal["baseline"].series_paths.mean(axis=1)
    member = result.forecasts["baseline"].component
    by_history = pd.Series(means).groupby(member).mean()
    # eight lethal ones of some 400, 800 or 1,200: about as many lethal ones ahead, whichever history is true
    assert by_history.max() < 1.5 * by_history.min()


@pytest.mark.parametrize(
    ("scenarios", "severe", "message"),
    [
        ({"x": Event(FIRST, killed=1)}, "none", "assumes a lethal attack, and nothing says how many attacks kill"),
        (
            {"x": Event(FIRST, killed=2)},
            "share",
            "an attack that kills 2 is assumed, and the severity has no distribution",
        ),
        ({"x": (Event(FIRST, killed=1), Event(FIRST, killed=2))}, "all", "two lethal attacks in one period"),
        ({"x": Event(FIRST, killed=90_000_000)}, "all", "too small to say what follows it; assume fewer killed"),
    ],
)
def test_what_cannot_be_assumed_is_refused(fit, severity, scenarios, severe, message):
    given = {"none": None, "share": Severity(severity.lethality), "all": severity}[severe]
    with pytest.raises(InputError, match=message):
        what_if(fit, 4, scenarios, severity=given, rng=1)
    with pytest.raises(InputError, match="killed is 0"):
        Event(FIRST, killed=0)
    with pytest.raises(InputError, match=r"severity is 0\.1; make one with Severity"):
        what_if(fit, 4, {"x": Event(FIRST)}, severity=0.1, rng=1)


def test_a_lethal_event_is_read_from_words():
    from escalation.cli.assumptions import read_assumptions

    [lethal] = read_assumptions("lethal attack on 2024-12-01", "W-SUN")
    assert lethal == Event("2024-12-01", killed=1)
    strike, more = read_assumptions("an attack that kills 3 on 2024-12-01 and rate x1.5 from 2024-12-02", "D")
    assert strike == Event("2024-12-01", killed=3) and more == Scenario("2024-12-02", 1.5)
    with pytest.raises(InputError, match="'lethal attack on DATE'"):
        read_assumptions("2 lethal attacks on 2024-12-01", "D")
