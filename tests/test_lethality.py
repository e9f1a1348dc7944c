"""The share of attacks that kill: against closed forms, quadrature, simulation-based calibration and coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, special, stats

from escalation import InputError, lethality
from escalation.analysis import count_lethal
from escalation.analysis.severity import grids
from escalation.analysis.severity.share_posterior import beta_parameters, log_joint, pool_shares
from escalation.errors import DataWarning


def table(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"date": pd.date_range("2024-01-01", periods=n), **columns})


# one group: closed forms


@pytest.mark.parametrize(("lethal", "trials"), [(0, 40), (2, 200), (7, 7), (1, 1), (3000, 100_000)])
def test_one_group_has_jeffreys_interval(lethal, trials):
    found = lethality(lethal, trials)
    law = stats.beta(lethal + 0.5, trials - lethal + 0.5)
    assert found.share == pytest.approx(law.mean(), rel=1e-12)
    assert [found.lower, found.upper] == pytest.approx(law.ppf([0.05, 0.95]).tolist(), rel=1e-8)
    assert found.new_share is None and found.alike == 1.0 and found.trials_lower == trials


def test_histories_are_averaged_over():
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")
    histories = pd.DataFrame([[10, 30, 60], [20, 0, 40]], index=weeks, columns=pd.RangeIndex(3, name="draw"))
    found = lethality(2, histories)
    laws = [stats.beta(2.5, n - 2 + 0.5) for n in (30, 30, 100)]
    assert found.share == pytest.approx(np.mean([law.mean() for law in laws]), rel=1e-12)
    for q, at in ((0.05, found.lower), (0.95, found.upper)):
        assert np.mean([law.cdf(at) for law in laws]) == pytest.approx(q, abs=1e-9)
    assert (found.trials_lower, found.trials_upper) == (30, 100)
    assert "2 of 30 attacks (90% interval 30 to 100) killed" in found.sentence()


def test_a_history_with_fewer_attacks_than_killed_is_raised():
    weeks = pd.period_range("2024-01-01", periods=1, freq="W-SUN")
    histories = pd.DataFrame([[1, 5]], index=weeks, columns=pd.RangeIndex(2, name="draw"))
    assert lethality(2, histories).share == pytest.approx(np.mean([2.5 / 3, 2.5 / 6]))


# several groups: quadrature in other coordinates


def moments_by_quadrature(lethal, trials, scale):
    """Posterior mean of each share and of a new one, and the evidence, by nested quadrature over mean and log size."""
    lethal, trials = np.array(lethal), np.array(trials)

    def spread(mean, log_size):
        a, b = mean * np.exp(log_size), (1 - mean) * np.exp(log_size)
        return np.sqrt(special.polygamma(1, a) + special.polygamma(1, b))

    def density(log_size, angle):
        mean = np.sin(angle) ** 2  # Jeffreys' prior is uniform in the angle
        a, b = mean * np.exp(log_size), (1 - mean) * np.exp(log_size)
        step = 1e-5  # the derivative of the spread by central difference, good to 1e-9
        slope = abs(spread(mean, log_size + step) - spread(mean, log_size - step)) / (2 * step)
        prior = stats.halfnorm.pdf(spread(mean, log_size), scale=scale) * slope * 2 / np.pi
        likelihood = 1.0
        for k, n in zip(lethal, trials, strict=True):  # products, as log gamma functions lose digits for large sizes
            likelihood *= np.prod((a + np.arange(k)) / (a + b + np.arange(k)))
            likelihood *= np.prod((b + np.arange(n - k)) / (a + b + k + np.arange(n - k)))
        shares = [*((a + lethal) / (a + b + trials)), a / (a + b)]
        return prior * likelihood * np.array([1.0, *shares])

    x, wx = np.polynomial.legendre.leggauss(90)
    angle, wa = (x + 1) * np.pi / 4, wx * np.pi / 4
    size, ws = 15.0 + 18.0 * x, wx * 18.0  # log sizes from -3 to 33
    total = sum(wa[i] * ws[j] * density(size[j], angle[i]) for i in range(90) for j in range(90))
    return total[1:] / total[0], total[0]


@pytest.mark.parametrize(
    ("lethal", "trials", "scale"),
    [([1, 0, 2], [4, 6, 5], 1.0), ([0, 0], [3, 2], 0.5), ([5, 1, 0, 2], [9, 9, 1, 8], 2.0)],
)
def test_pooled_shares_are_those_of_quadrature(lethal, trials, scale):
    means, evidence = moments_by_quadrature(lethal, trials, scale)
    names = [f"g{number}" for number in range(len(lethal))]
    found = lethality(
        dict(zip(names, lethal, strict=True)), dict(zip(names, trials, strict=True)), between=scale, rng=1
    )
    # 90 x 90 Gauss nodes and the grid of 81 x 81 agree to some 1e-5
    assert [*found.groups["share"], found.new_share] == pytest.approx(means.tolist(), rel=1e-4)
    common = np.exp(special.betaln(sum(lethal) + 0.5, sum(trials) - sum(lethal) + 0.5)) / np.pi
    assert found.alike == pytest.approx(common / (common + evidence), rel=1e-4)


def test_the_prior_integrates_to_one():
    """Without data the evidence is 1: the Jacobian of the coordinates is right."""
    none = np.zeros(1, dtype=np.int64)
    grid = grids.integrate(lambda x, y: log_joint(x, y, none, none, none, 1.0), ((-40.0, 40.0), (-5.0, 36.0)))
    assert grid.evidence == pytest.approx(0.0, abs=2e-3)  # what lies beyond 18 log units, and the grid


def test_groups_with_many_trials_are_taken_by_themselves_and_those_with_few_pooled():
    found = lethality({"a": 400, "b": 20, "c": 0}, {"a": 1000, "b": 1000, "c": 1}, rng=1)
    assert found.groups["share"][["a", "b"]].tolist() == pytest.approx([0.4, 0.02], abs=0.002)
    assert 0.02 < found.groups["share"]["c"] < 0.4
    assert found.alike < 1e-6
    assert lethality({"a": 100, "b": 101}, {"a": 1000, "b": 1000}, rng=1).alike > 0.75
    assert "highest for a (0.4," in found.sentence() and "one share is below 0.001" in found.sentence()


def test_shares_of_all_groups_follow_their_mix():
    found = lethality({"a": 90, "b": 0}, {"a": 100, "b": 900}, rng=1)
    assert found.share == pytest.approx(0.09, abs=0.002)  # 90 of 1,000, but for the pull of the prior
    assert found.lower < 0.09 < found.upper < 0.11


def test_no_lethal_attack_anywhere():
    found = lethality({"a": 0, "b": 0, "c": 0}, {"a": 20, "b": 5, "c": 1}, rng=1)
    assert (found.groups["lower"] > 0).all() and found.groups["upper"].between(0.02, 0.25).all()
    assert found.lethal == 0 and found.sentence().startswith("0 of 26 attacks killed")


def test_draws_of_the_posterior_have_its_moments_and_quantiles():
    posterior = pool_shares(np.array([1, 4]), np.array([[10, 12]]), 1.0)
    drawn = posterior.draw(200_000, np.random.default_rng(1))
    for place, group in enumerate((0, 1, None)):
        # standard errors of a mean and of a share of 200,000 draws
        assert drawn[:, place].mean() == pytest.approx(posterior.mean(group), abs=4 * drawn[:, place].std() / 447)
        assert (drawn[:, place] <= posterior.quantile(group, 0.9)).mean() == pytest.approx(0.9, abs=4 * 0.3 / 447)


def test_parameters_of_the_beta_law_have_the_mean_and_the_size_that_were_asked_for():
    a, b = beta_parameters(np.array([0.3, -2.0]), np.array([1.0, -0.5]))
    assert special.logit(a / (a + b)) == pytest.approx([0.3, -2.0], rel=1e-12)
    assert np.log(a * b / (a + b)) == pytest.approx([1.0, -0.5], rel=1e-12)


# simulation-based calibration and coverage


def worlds(number, rng, trials):
    """Shares of groups drawn from the prior, and lethal attacks."""
    for _ in range(number):
        mean, spread = rng.beta(0.5, 0.5), abs(rng.normal())
        mean, spread = np.clip(mean, 1e-6, 1 - 1e-6), max(spread, 1e-3)

        def off(log_size, mean=mean, spread=spread):
            a, b = mean * np.exp(log_size), (1 - mean) * np.exp(log_size)
            return special.polygamma(1, a) + special.polygamma(1, b) - spread**2

        size = np.exp(optimize.brentq(off, -40, 40))
        shares = rng.beta(mean * size, (1 - mean) * size, size=len(trials))
        yield shares, rng.binomial(trials, shares)


@pytest.mark.slow
@pytest.mark.parametrize("number", [100, pytest.param(300, marks=pytest.mark.nightly)])
def test_posterior_ranks_are_uniform_over_the_prior(number):
    """Talts et al. 2018 (arXiv:1804.06788): here the exact posterior distribution function at the truth."""
    rng, trials = np.random.default_rng(3), np.array([3, 8, 2, 20, 5])
    ranks, covered = [], []
    for shares, lethal in worlds(number, rng, trials):
        posterior = pool_shares(lethal, trials[None], 1.0)
        group = int(rng.integers(5))
        a, b = posterior.of_group(group)
        ranks.append(posterior.weight @ special.betainc(a, b, shares[group]))
        covered.append(0.05 <= ranks[-1] <= 0.95)
    assert (
        stats.kstest(ranks, "uniform").pvalue > 0.01
    )  # fixed seed; a bug such as a missing Jacobian gives 1e-4 and less
    assert np.mean(covered) == pytest.approx(0.9, abs=3 * 0.3 / np.sqrt(number))


@pytest.mark.slow
def test_intervals_cover_fixed_shares_of_five_groups_with_few_trials():
    """Over groups: a share far from the others is covered less often, and those near them more often."""
    rng, trials, shares = np.random.default_rng(4), np.array([6, 10, 15, 10, 8]), np.array([0.04, 0.1, 0.15, 0.2, 0.35])
    hits = []
    for _ in range(200):
        posterior = pool_shares(rng.binomial(trials, shares), trials[None], 1.0)
        cdf = [posterior.weight @ special.betainc(*posterior.of_group(g), shares[g]) for g in range(5)]
        hits.append([0.05 <= chance <= 0.95 for chance in cdf])
    assert np.mean(hits) == pytest.approx(0.9, abs=0.05)  # 1,000 intervals, dependent in fives: error 0.01 to 0.02


def test_a_single_group_covers_as_the_exact_binomial_sum_says():
    """Coverage of Jeffreys' interval by enumeration of all outcomes: 0.82 to 0.99 at these, on average 0.9."""
    found, lethal = [], np.arange(31)
    ends = [(one.lower, one.upper) for one in (lethality(int(k), 30) for k in lethal)]
    for share in np.linspace(0.02, 0.98, 49):
        inside = np.array([low <= share <= high for low, high in ends])
        found.append(stats.binom.pmf(lethal, 30, share) @ inside)
    assert np.mean(found) == pytest.approx(0.9, abs=0.02)


# incidents


def test_incidents_are_counted_by_group():
    incidents = table(
        event_type=["drone", "drone", "", "mine", "mine"],
        fatalities=pd.array([3, 0, 1, 0, None], dtype="Int64"),
        fatalities_low=pd.array([0, 0, 1, 0, None], dtype="Int64"),
        fatalities_high=pd.array([4, 2, 1, 0, None], dtype="Int64"),
    )
    with pytest.warns(DataWarning, match="1 of 5 incidents state no fatalities"):
        counted = count_lethal(incidents, "event_type")
    assert counted.loc["drone"].tolist() == [1, 2, 0]
    assert counted.loc["(blank)"].tolist() == [1, 1, 0]
    assert counted.loc["mine"].tolist() == [0, 1, 1]
    assert count_lethal(incidents, unknown="not_lethal").loc["all"].tolist() == [2, 5, 1]
    assert count_lethal(incidents, "event_type", figures="low", unknown="not_lethal")["lethal"]["drone"] == 0
    assert count_lethal(incidents, "event_type", figures="high", unknown="not_lethal")["lethal"]["drone"] == 2


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: lethality(3, 2), "group 'all' has 3 lethal of 2 attacks"),
        (lambda: lethality({"a": 1}, 3), "lethal is a dict and trials a int; give both alike"),
        (lambda: lethality({"a": 1}, {"b": 3}), "lethal is of the groups a and trials of b"),
        (lambda: lethality({}, {}), "lethal has no groups"),
        (lambda: lethality(-1, 2), "lethal holds -1; give whole numbers of attacks"),
        (lambda: lethality({"a": "x"}, {"a": 2}), "lethal holds values that are not numbers of attacks"),
        (lambda: lethality(0, 0), "trials are 0 in all groups"),
        (lambda: lethality(1, 2, between=0), "between is 0; give a standard deviation of log odds"),
        (lambda: lethality(1, pd.DataFrame({"a": [3]})), "trials has columns named None"),
        (
            lambda: lethality(
                {"a": 1, "b": 0},
                pd.DataFrame(
                    [[3]], index=pd.period_range("2024", periods=1, freq="M"), columns=pd.RangeIndex(1, name="draw")
                ),
            ),
            "trials are histories of one series, and lethal is of 2 groups",
        ),
        (lambda: count_lethal(table(fatalities=[1], events=[2])), "some rows stand for several incidents"),
        (lambda: count_lethal(table(fatalities=[1]), "kind"), "by is 'kind'; the groups are in a column"),
        (lambda: count_lethal(table(actor=["a"])), "no incident states its fatalities"),
        (lambda: count_lethal(table(fatalities=[1]), figures="mean"), "figures is 'mean' and unknown 'leave_out'"),
    ],
)
def test_what_cannot_be_used_is_refused(call, why):
    with pytest.raises(InputError, match=why):
        call()


def test_groups_with_uncertain_trials():
    trials = pd.DataFrame([[10, 20], [5, 5]], index=["a", "b"], columns=pd.RangeIndex(2, name="draw"))
    found = lethality({"a": 2, "b": 1}, trials, rng=1)
    each = [lethality({"a": 2, "b": 1}, trials[draw], rng=1).groups["share"] for draw in (0, 1)]
    assert found.groups["share"].tolist() == pytest.approx(((each[0] + each[1]) / 2).tolist(), rel=1e-9)


def test_quadrature_helper_is_itself_right():
    """The nested Gauss rule against scipy's adaptive one, at one point of the integrand's size."""
    x, w = np.polynomial.legendre.leggauss(90)
    value = (w * 18.0 * stats.norm.pdf(15.0 + 18.0 * x, 5.0, 2.0)).sum()
    assert value == pytest.approx(integrate.quad(stats.norm.pdf, -3, 33, args=(5.0, 2.0))[0], rel=1e-9)


def test_a_single_group_with_attacks_is_not_compared_with_itself():
    said = lethality({"mine": 0, "rocket": 3}, {"mine": 0, "rocket": 9}, rng=1).sentence()
    assert "highest" not in said and "For a group not seen yet" in said
    assert "highest for rocket" in lethality({"mine": 0, "rocket": 3}, {"mine": 4, "rocket": 9}, rng=1).sentence()
