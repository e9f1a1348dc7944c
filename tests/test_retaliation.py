"""retaliation: against counting joint paths by hand, an exact probability, and worlds with and without an answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from escalation import InputError
from escalation.analysis import retaliation
from escalation.conventions.randomness import as_generator
from escalation.models import EndemicEpidemic

WEEKS = pd.period_range("2021-01-04", periods=200, freq="W-SUN")


def panel(rng, answer=0.5, level=0.4):
    counts = np.zeros((200, 2))
    for t in range(1, 200):
        counts[t] = rng.poisson(level + answer * counts[t - 1, ::-1])
    return pd.DataFrame(counts, index=WEEKS, columns=["A", "B"])


@pytest.fixture(scope="module")
def fit():
    return EndemicEpidemic(own_past="none").fit(panel(np.random.default_rng(1)), unit="strikes")


def test_the_chance_is_that_of_the_joint_paths_counted_by_hand(fit):
    found = retaliation(fit, by="B", after="A", at_least=3, within=2, draws=2000, rng=5)
    paths = fit.forecast(3, draws=2000, rng=as_generator(5).spawn(3)[0]).paths
    hits = {True: [], False: []}
    for first, later in zip(paths[0, :, 0], paths[1, :, 1:], strict=True):
        hits[first >= 1].append(later.sum() >= 3)
    assert found.after_attack.probability == np.mean(hits[True]) and found.after_attack.draws == len(hits[True])
    assert found.after_none.probability == np.mean(hits[False])
    # binomial standard errors, smoothed by half a path
    share = np.mean(hits[True])
    assert found.after_attack.mc_error == pytest.approx(np.sqrt(share * (1 - share) / len(hits[True])), rel=0.01)


def test_without_an_answer_an_attack_changes_nothing_and_the_chance_is_poisson():
    """Both sides Poisson with constant rates of 0.8: P(>= 1 within 2) is 1 - exp(-1.6)."""
    counts = pd.DataFrame(np.random.default_rng(2).poisson(0.8, (200, 2)), index=WEEKS, columns=["A", "B"])
    model = EndemicEpidemic(own_past="none", others_past="none", family="poisson")
    found = retaliation(model.fit(counts), by="B", after="A", within=2, draws=8000, rng=1)
    exact = stats.poisson.sf(0, 2 * counts["B"].mean())
    for chance in (found.after_attack, found.after_none):
        # Monte Carlo, and the posterior of a rate known to 8%, which moves the chance by up to 0.004 on average
        assert chance.probability == pytest.approx(exact, abs=4 * chance.mc_error + 0.004)
    for chance in (found.shared_after_attack, found.shared_after_none):
        # the level drifts a little in the alternative's posterior, also where it does not in truth
        assert chance.probability == pytest.approx(exact, abs=0.08)
    assert abs(found.rise) < 0.05 and abs(found.shared_rise) < 0.08


def test_an_answer_lifts_the_chance_more_than_a_shared_level_does(fit):
    found = retaliation(fit, by="B", after="A", rng=1)
    assert found.rise > found.shared_rise + 0.1
    said = found.sentence()
    assert "1 or more strikes by B in the week after an attack by A in the next week is 0." in said
    assert "followed a shared level" in said and said in found._repr_html_()
    assert found.table().loc[("shared level", "none"), "probability"] == found.shared_after_none.probability


def test_a_shared_level_alone_raises_the_chance_of_its_alternative():
    """Rates that move together by a factor of 3: after an attack more attacks by the other are likely."""
    rng = np.random.default_rng(3)
    level = np.zeros(200)
    for t in range(1, 200):
        level[t] = 0.9 * level[t - 1] + 0.5 * rng.standard_normal()
    counts = pd.DataFrame(rng.poisson(np.exp(level - 0.5)[:, None], (200, 2)), index=WEEKS, columns=["A", "B"])
    found = retaliation(EndemicEpidemic().fit(counts), by="B", after="A", at_least=2, rng=1)
    assert found.shared_rise > 2 * (found.shared_after_attack.mc_error + found.shared_after_none.mc_error)


def test_histories_of_a_panel_and_the_same_seed():
    sides = [panel(np.random.default_rng(seed)).astype(int) for seed in (4, 5)]
    both = pd.concat({name: pd.concat([s[name] for s in sides], axis=1) for name in ("A", "B")}, axis=1)
    both.columns = pd.MultiIndex.from_product([["A", "B"], [0, 1]], names=["unit", "draw"])
    fit = EndemicEpidemic(own_past="none").fit(both)
    one, two = (retaliation(fit, by="A", after="B", draws=1000, rng=9) for _ in range(2))
    assert one == two and 0 < one.after_attack.probability < 1


def test_what_cannot_be_asked_is_refused(fit):
    with pytest.raises(InputError, match="by is 'C'; the units of the fit"):
        retaliation(fit, by="C", after="A")
    with pytest.raises(InputError, match="by and after are both 'A'"):
        retaliation(fit, by="A", after="A")
    with pytest.raises(InputError, match="at_least is 0"):
        retaliation(fit, by="A", after="B", at_least=0)
    busy = EndemicEpidemic(own_past="none").fit(panel(np.random.default_rng(6), level=20.0))
    with pytest.raises(InputError, match="have no attack in"):
        retaliation(busy, by="A", after="B", draws=200, rng=1)
