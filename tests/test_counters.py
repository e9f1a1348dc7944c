"""Several counters, and places, read together: checked by enumeration, by simulation, and by what a user sees."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.random import Generator
from scipy.special import gammaln
from scipy.stats import chisquare, norm

import escalation
from escalation.errors import InputError
from escalation.tallies.chain import WalkPrior
from escalation.tallies.evidence import Evidence, atoms_from
from escalation.tallies.kernels import default_kernels, make_kernel
from escalation.tallies.layers import plan_layers
from escalation.tallies.posterior import Plan, sample_posterior
from escalation.tallies.shares import SharePrior, _step_missed, _step_uneven, set_probabilities
from escalation.tallies.together import draw_together

MONDAY = np.datetime64("2024-01-01")
FIXED = SharePrior(1e-3, 1e-3, 1e-4, 1e-3, 1e-3, 8e5, 2e5)
"""Counters that count 0.8 each, and places that are equally likely."""


def kernel_of(qualifier: str, count: int, days: int) -> Any:
    row = pd.Series({"qualifier": qualifier, "count": count, "low": pd.NA, "high": pd.NA})
    return make_kernel(row, default_kernels(), days, "count", 1.0)


def evidence_of(rows: list[tuple[str, str, str, int, int, int]], days: int) -> Evidence:
    """Evidence from (counter, place, qualifier, count, first day, day after the last one), day 0 a Monday."""
    layers = plan_layers([row[0] for row in rows], [row[1] for row in rows])
    assert layers is not None
    return atoms_from(
        np.array([MONDAY + row[4] for row in rows]),
        np.array([MONDAY + row[5] - 1 for row in rows]),
        [kernel_of(q, n, e - s) for _, _, q, n, s, e in rows],
        MONDAY,
        MONDAY + days - 1,
        None,
        layers,
        np.array([layers.of(row[0], row[1]) for row in rows]),
    )


def enumerate_parts(evidence: Evidence, prior: WalkPrior, most: int) -> dict[tuple[int, ...], float]:
    """Exact distribution of the counts of all cells of one week, its level integrated out on a grid."""
    layers, atoms = evidence.layers, len(evidence.atom_days)
    assert layers is not None
    assert evidence.held is not None
    places, captured = len(layers.places), range(len(layers.places) + 1, layers.captured)
    x = np.linspace(prior.level_mean - 6 * prior.level_sd, prior.level_mean + 6 * prior.level_sd, 401)
    weight, days = norm.pdf(x, prior.level_mean, prior.level_sd), evidence.atom_days.sum()
    of_total = [np.log((np.exp(t * x - days * np.exp(x)) * weight).sum()) for t in range(most * atoms + 1)]

    def binomial(m: int, n: int) -> float:
        return float(gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1) + m * np.log(0.8) + (n - m) * np.log(0.2))

    of_atom = []
    for n in range(most + 1):
        splits = [s for s in itertools.product(range(n + 1), repeat=places) if sum(s) == n] if places else [()]
        for split in splits:
            log = gammaln(n + 1) - sum(gammaln(k + 1) for k in split) - n * np.log(places) if places else 0.0
            above = [(n, *split)[layers.parent[layer]] for layer in captured]
            for counted in itertools.product(*(range(of + 1) for of in above)):
                binomials = sum(binomial(m, of) for m, of in zip(counted, above, strict=True))
                of_atom.append(((n, *split), counted, log + binomials - gammaln(n + 1)))
    found: dict[tuple[int, ...], float] = {}
    for states in itertools.product(of_atom, repeat=atoms):
        cells = np.zeros((len(layers), atoms), int)
        log = sum(part for *_, part in states)
        for a, (whole, counted, _) in enumerate(states):
            log += whole[0] * np.log(evidence.atom_days[a])
            cells[: places + 1, a] = whole
            for layer, m in zip(captured, counted, strict=True):
                cells[layer, a] = m * evidence.held[layer, a]
                if layers.summed[layer] >= 0:
                    cells[layers.summed[layer], a] += cells[layer, a]
        flat = cells.ravel()
        for w in range(len(evidence.window_first)):
            log += evidence.log_kernel[w, flat[evidence.window_first[w] : evidence.window_last[w] + 1].sum()]
        key = tuple(flat.tolist())
        found[key] = found.get(key, 0.0) + np.exp(log + of_total[cells[0].sum()])
    norming = sum(found.values())
    return {key: value / norming for key, value in found.items()}


TINY = {
    "two counters": ([("a", "", "exact", 2, 0, 7), ("b", "", "exact", 1, 0, 7), ("b", "", "exact", 1, 3, 7)], 4),
    "one says nothing of the second half": ([("a", "", "exact", 2, 0, 7), ("b", "", "exact", 1, 0, 3)], 4),
    "a counter of one place": (
        [("a", "", "exact", 2, 0, 7), ("a", "I", "exact", 1, 0, 7), ("b", "I", "exact", 1, 0, 3)],
        3,
    ),
    "places of one counter": (
        [("a", "", "exact", 2, 0, 7), ("a", "I", "exact", 1, 0, 7), ("a", "S", "exact", 1, 0, 3)],
        4,
    ),
}


@pytest.mark.parametrize("name", TINY)
def test_chain_agrees_with_full_enumeration(name: str) -> None:
    rows, most = TINY[name]
    evidence = evidence_of(rows, 7)
    prior = WalkPrior(level_mean=np.log(0.15), level_sd=0.5, scale_sd=0.7, dispersion_sd=0.0)
    exact = enumerate_parts(evidence, prior, most)
    plan = Plan(thin=3, rounds=(1,))
    draws = sample_posterior(evidence, 60_000, np.random.default_rng(1), prior=prior, plan=plan, shares=FIXED).counts
    flat = draws.reshape(-1, draws.shape[2])
    flat = flat[(flat[:, : len(evidence.atom_days)] <= most).all(axis=1)]
    seen, times = np.unique(flat, axis=0, return_counts=True)
    found = {tuple(row): n / len(flat) for row, n in zip(seen.tolist(), times, strict=True)}
    assert set(found) <= set(exact)
    distance = 0.5 * sum(abs(found.get(key, 0.0) - exact[key]) for key in exact)
    by_chance = 0.5 * sum(np.sqrt(2 / np.pi * p * (1 - p) / len(flat)) for p in exact.values())
    assert distance <= 2.0 * by_chance  # draws of a chain are not independent


WEEKS = 28


def simulate(rng: Generator, counters: int, prior: WalkPrior, shares: SharePrior) -> dict[str, Any]:
    """Days of all that there is, of each counter and of the whole, as the model has it, written apart from it."""
    scale = abs(rng.normal(0, prior.scale_sd))
    level = [rng.normal(prior.level_mean, prior.level_sd)]
    for step in scale * rng.standard_t(prior.df, WEEKS - 1):
        level.append(prior.level_mean + prior.memory * (level[-1] - prior.level_mean) + step)
    size = 1 / abs(rng.normal(0, prior.dispersion_sd))
    rate = rng.gamma(size, 1 / size, 7 * WEEKS) * np.exp(np.minimum(np.repeat(level, 7), 4.0))
    steps = abs(rng.normal(0, shares.drift_sd)) * rng.normal(size=(counters, 3))  # four knots in 196 days
    knots = np.cumsum(np.column_stack([rng.normal(0, shares.ratio_sd, counters), steps]), axis=1)
    middle = 3 * (np.arange(WEEKS) + 0.5) / WEEKS
    log_ratio = np.repeat([np.interp(middle, np.arange(4), own) for own in knots], 7, axis=1)
    seen = rng.beta(shares.overlap_yes, shares.overlap_no) * np.exp(log_ratio - log_ratio.max(axis=0))
    middling = seen[0] / np.exp(log_ratio[0])
    missed = abs(rng.normal(0, shares.missed_sd, counters))[:, None] * rng.exponential(size=(counters, WEEKS))
    seen, log_ratio = seen * np.exp(-np.repeat(missed, 7, axis=1)), log_ratio - np.repeat(missed, 7, axis=1)
    there = rng.poisson(rate)
    whole = rng.binomial(there, np.minimum(middling, 1.0)) + rng.poisson(np.maximum(middling - 1.0, 0.0) * rate)
    return {"counted": rng.binomial(there, seen), "whole": whole, "log_ratio": log_ratio}


@pytest.mark.nightly
def test_ranks_of_ratios_and_counts_are_uniform() -> None:
    """Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788) on 200 worlds of 2 to 5 counters."""
    ranks = calibrate(200, np.random.default_rng(21))
    for quantity in np.array(ranks).T:
        assert chisquare(np.bincount(quantity // 10, minlength=10)).pvalue > 0.01


def calibrate(worlds: int, rng: Generator) -> list[list[int]]:
    """Ranks of what is true among 99 draws each, ties broken at random."""
    prior = WalkPrior(level_mean=np.log(0.6), level_sd=0.5, scale_sd=0.25, dispersion_sd=0.8)
    shares, ranks = SharePrior(), []
    for world in range(worlds):
        counters = 2 + world % 4
        truth = simulate(rng, counters, prior, shares)
        rows = []
        for c in range(counters):
            begin = 0 if c == 0 else int(rng.integers(0, 3 * WEEKS))
            for _ in range(6 if c == 0 else 4):
                end = int(rng.integers(begin + 7, 7 * WEEKS + 1))
                start = begin if rng.random() < 0.5 else max(begin, end - int(rng.integers(3, 40)))
                kernel, true = kernel_of("exact", 0, end - start), truth["counted"][c, start:end].sum()
                rows.append((f"c{c}", "", "exact", int(kernel.sample(np.array([true]), rng)[0]), start, end))
        evidence = evidence_of(rows, 7 * WEEKS)
        plan = Plan(chains=2, warmup=500, keep=400, thin=4, rounds=(1,))
        posterior = sample_posterior(evidence, 800, rng, prior=prior, plan=plan, shares=shares)
        drawn = draw_together(posterior, evidence, 99, rng)
        first, second = (drawn.layers.children(name)[0] for name in ("c0", "c1"))
        log_ratio = drawn.log_shares[:, second] - drawn.log_shares[:, first]
        true_ratio = (truth["log_ratio"][1] - truth["log_ratio"][0])[3::7]
        weekly = {
            who: np.add.reduceat(drawn.atoms(who, "", rng), evidence.block_first[:-1], axis=1)
            for who in (None, "c0", "c1")
        }
        checks = [
            (log_ratio.mean(axis=1), true_ratio.mean()),
            (log_ratio[:, -1] - log_ratio[:, 0], true_ratio[-1] - true_ratio[0]),
            (weekly["c0"][:, 9], truth["counted"][0, 63:70].sum()),
            (weekly["c1"].sum(axis=1), truth["counted"][1].sum()),
            (weekly["c1"][:, 20], truth["counted"][1, 140:147].sum()),
            (weekly[None].sum(axis=1), truth["whole"].sum()),
        ]
        ranks.append([int((d < t).sum() + rng.integers(0, (d == t).sum() + 1)) for d, t in checks])
    return ranks


def two_counters() -> pd.DataFrame:
    """Running totals of an army, and of a press that counts half as much and is silent in the middle."""
    days = pd.date_range("2024-01-07", periods=12, freq="7D")
    army = pd.DataFrame({"counter": "army", "end": days, "count": np.arange(1, 13) * 10})
    press = pd.DataFrame({"counter": "press", "end": days[[0, 1, 2, 9, 10, 11]], "count": [5, 10, 15, 50, 55, 60]})
    rows = pd.concat([army, press], ignore_index=True)
    return rows.assign(series="raids", qualifier="exact", start="2024-01-01", unit="raids")


@pytest.fixture(scope="module")
def together() -> escalation.tallies.Reconstruction:
    return escalation.reconstruct(two_counters(), series="raids", counter="all", draws=200, rng=1)


def test_each_counter_and_the_whole_have_an_answer(together: escalation.tallies.Reconstruction) -> None:
    assert together.converged
    assert together.counter == "all"
    army, press = together.of("army"), together.of("press")
    assert abs(army.daily.sum().median() - 120) <= 3
    assert abs(press.daily.sum().median() - 60) <= 3
    silent = press.histories.loc["2024-02-05":"2024-02-18"].sum()
    assert 6 <= silent.median() <= 14  # half of the army's 20
    assert silent.quantile(0.95) - silent.quantile(0.05) <= 12
    whole = together.daily.sum()
    assert 50 < whole.quantile(0.25) < whole.quantile(0.75) < 200
    assert set(press.tallies["counter"]) == {"press"}
    pd.testing.assert_frame_equal(press.daily, together.of("press").daily)


def test_ratios_say_who_counts_how_much(together: escalation.tallies.Reconstruction) -> None:
    ratios = together.ratios
    assert ratios is not None
    table = ratios.table()
    assert ratios.reference == "army"
    assert table.loc["army", "ratio"] == 1.0
    assert table["lower"].tolist()[1] < 0.5 < table["upper"].tolist()[1] < 0.7
    assert ratios.sentences()[0].startswith("press counts 0.")
    assert "its definition or its sources differ" in ratios.sentences()[0]
    assert escalation.plots.counters(together).axes[2].get_title(loc="left").startswith("press: 0.")


def test_one_counter_alone_is_read_as_ever() -> None:
    rows = two_counters()
    alone = escalation.reconstruct(rows, series="raids", counter="army", draws=100, rng=1)
    listed = escalation.reconstruct(rows, series="raids", counter=["army"], draws=100, rng=1)
    pd.testing.assert_frame_equal(alone.histories, listed.histories)
    assert alone.ratios is None
    with pytest.raises(InputError, match="one counter and place"):
        alone.of("army")
    with pytest.raises(InputError, match="together"):
        escalation.plots.counters(alone)


def test_places_add_up_to_the_whole() -> None:
    rows = two_counters().query("counter == 'army'").assign(place="ALL")
    part = rows.assign(place="Iraq", count=rows["count"] * 3 // 10)
    table = pd.concat([rows, part], ignore_index=True)
    result = escalation.reconstruct(table, series="raids", place="all", draws=100, rng=1)
    iraq, rest = result.of(place="Iraq"), result.of(place="elsewhere")
    pd.testing.assert_series_equal(
        iraq.daily.sum() + rest.daily.sum(), result.daily.sum(), check_names=False, check_dtype=False
    )
    assert abs(iraq.daily.sum().median() - 36) <= 3
    side_by_side = pd.concat([part, part.assign(place="Syria")], ignore_index=True)
    summed = escalation.reconstruct(side_by_side, series="raids", place="Iraq, Syria", draws=100, rng=1)
    assert summed.place == "Iraq, Syria"
    assert abs(summed.daily.sum().median() - 72) <= 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"counter": ["army", "navy"]}, "counter is 'navy'; the counters of raids are army, press"),
        ({"counter": []}, "the counters of raids are army, press"),
        ({"counter": "army", "place": ["Mars"]}, "no tally of raids is about 'Mars'"),
        ({"counter": "army", "place": ["Iraq", "Iraq/Erbil"]}, "'Iraq/Erbil' lies in 'Iraq'"),
        ({}, "or 'all' to read them together"),
    ],
)
def test_a_choice_that_cannot_be_is_one_line(options: dict[str, Any], said: str) -> None:
    places = ["Iraq", "Iraq/Erbil"]
    rows = two_counters()
    if options.get("place") == places:
        rows["place"] = ["Iraq", *["Iraq/Erbil"] * (len(rows) - 1)]
    with pytest.raises(InputError, match=said) as caught:
        escalation.reconstruct(rows, series="raids", **options)
    assert "\n" not in str(caught.value)


def test_counters_in_other_units_are_not_mixed() -> None:
    rows = two_counters()
    rows.loc[rows["counter"] == "press", "unit"] = "rockets"
    with pytest.raises(InputError, match="2 units of raids by army, press do not add up"):
        escalation.reconstruct(rows, series="raids", counter="all")


def test_steps_of_what_is_missed_keep_the_probabilities_in_step() -> None:
    """What the steps change piece by piece is what is worked out from the ratios and misses as a whole."""
    evidence = evidence_of(TINY["a counter of one place"][0] + [("b", "", "exact", 1, 7, 28)], 28)
    parts, rng = evidence.parts(), np.random.default_rng(5)
    assert parts is not None
    set_probabilities(parts)
    shape = (parts.captured, parts.log_in.shape[1])
    inside, outside = (rng.integers(0, 4, shape).astype(float) for _ in range(2))
    for _ in range(50):
        for c in range(len(parts.uneven)):
            _step_missed(c, inside, outside, parts, rng)
            _step_uneven(c, inside, outside, parts, SharePrior(), 0.0, rng)
    assert (parts.missed >= 0).all()
    piecewise = parts.log_in.copy(), parts.log_out.copy()
    set_probabilities(parts)
    np.testing.assert_allclose(piecewise[0], parts.log_in, atol=1e-9)
    np.testing.assert_allclose(piecewise[1], parts.log_out, atol=1e-9)
