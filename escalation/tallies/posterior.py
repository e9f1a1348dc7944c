"""The posterior of a reconstruction: chains run, their agreement measured."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.progress import Tick, unreported
from escalation.tallies.chain import Schedule, WalkPrior
from escalation.tallies.evidence import AnyKernel, Evidence
from escalation.tallies.reliability import Tallied, learn_shares, with_shares
from escalation.tallies.rough import default_prior, rough_whole
from escalation.tallies.sampler import run_chain
from escalation.tallies.shares import Parts, SharePrior, set_probabilities

RHAT_LIMIT = 1.02
ESS_LIMIT = 100
FIRST_LOOK, LOOKS = 250, 2
"""Sweeps of a chain before the shares of the kinds of tallies are learnt again, and how often they are."""


class Plan(NamedTuple):
    """How long chains run: in rounds, until they agree.

    Attributes
    ----------
    chains : int
        Number of chains.
    warmup : int
        Sweeps of each chain that are thrown away; the sizes of its steps adapt in them.
    keep : int
        Draws that each chain keeps at least, and a quarter of those that it keeps at most.
    thin : int
        Sweeps between them, at first.
    rounds : tuple of int
        Lengths of the rounds, in ``keep * thin`` sweeps.  After each the agreement is looked at, and the chains end
        where it is enough.
    rhat, ess : float
        What is enough: largest R-hat and smallest effective sample size.
    """

    chains: int = 4
    warmup: int = 400
    keep: int = 250
    thin: int = 4
    rounds: tuple[int, ...] = (1, 1, 2, 4, 8)
    rhat: float = RHAT_LIMIT
    ess: float = 200.0


PLAN = Plan()
ATOM_SECONDS, BLOCK_SECONDS, PART_SECONDS = 3e-6, 2e-6, 2.2e-6
"""Processor time of a sweep for each atom, week, and count of a part of an atom; machines differ by a factor of 2."""
HOPELESS, FAR_APART = 0.45, 1.2
"""Chains that are so far apart after this share of all sweeps stay apart in the rest of them."""
CERTAIN = 0.03
"""A count that differs from its median in no more than this share of the draws is not asked for its agreement."""
KEPT = ("counts", "levels", "scales", "sizes", "log_shares")
"""Fields of a run that have a row for each draw."""
APART = 1.05
"""Chains with a larger R-hat have not met yet: what they drew until then is thrown away."""
EDGE, EDGE_SHARE = 0.97, 0.002
"""Counts beyond this share of the tables are at their edge, where no more than this share of the draws may be."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the chains kept.

    Attributes
    ----------
    counts : (chains, keep, L A) int array
        Count of each atom; behind those of the whole those of its parts, a layer after the other.
    levels : (chains, keep, P) float array
        Log rate per day of each week.
    scales : (chains, keep) float array
        Scale of the weekly steps.
    sizes : (chains, keep) float array
        Size of the negative binomial days; their dispersion is 1 / size.
    window_counts : (chains * keep, I) int array
        True count of each tally's window.
    rhat, ess : float
        Largest split R-hat and smallest bulk effective sample size.
    kernels : tuple
        Kernels of the tallies, with the shares that were learnt.
    at_edge : bool
        Whether counts lie at the edge of the tables, so that they would be higher in larger ones.
    log_shares : (chains, keep, L, P) float array
        Log probability that an incident of the parent is in each layer; for the whole, of it among all that there is.
    """

    counts: IntArray
    levels: FloatArray
    scales: FloatArray
    sizes: FloatArray
    window_counts: IntArray
    rhat: float
    ess: float
    kernels: tuple[AnyKernel, ...] = field(repr=False)
    at_edge: bool = False
    log_shares: FloatArray | None = field(default=None, repr=False)

    @property
    def converged(self) -> bool:
        """Whether the chains agree: R-hat <= 1.02 and an effective sample size >= 100."""
        return self.rhat <= RHAT_LIMIT and self.ess >= ESS_LIMIT

    def thinned(self, draws: int) -> tuple[IntArray, FloatArray]:
        """Evenly spread draws over all chains: counts, shape (draws, L A), and sizes of the days, shape (draws,)."""
        place = self.places_of(draws)
        return np.asarray(self.counts.reshape(-1, self.counts.shape[2])[place]), np.asarray(self.sizes.ravel()[place])

    def places_of(self, draws: int) -> IntArray:
        """Positions of so many evenly spread draws among those of all chains."""
        return np.linspace(0, self.sizes.size - 1, draws).round().astype(int)


def sample_posterior(
    evidence: Evidence,
    draws: int,
    rng: Generator,
    *,
    prior: WalkPrior | None = None,
    plan: Plan | None = None,
    shares: SharePrior | None = None,
    tick: Tick = unreported,
) -> Posterior:
    """Run the chains until they agree.

    Where kernels allow for unreliable tallies, the shares of the kinds of tallies are learnt in the warm-up.

    Parameters
    ----------
    evidence : Evidence
        Tallies on atoms.
    draws : int
        At least this many draws are kept in all.
    rng : numpy.random.Generator
        Each chain has a child of it, so the numbers do not depend on how the chains are run.
    prior : WalkPrior, optional
        :func:`default_prior` when left out.
    plan : Plan, optional
        How long they run; :data:`PLAN` when left out.
    shares : SharePrior, optional
        Prior of the probabilities of places and counters.
    tick : callable
        Called with how much is done, and of how much; the last rounds may be spared.
    """
    plan = plan or PLAN
    rough = rough_whole(evidence)
    walk = WalkPrior(*map(float, prior or default_prior(evidence, rough)))  # whole numbers would be compiled for anew
    keep = max(plan.keep, -(-draws // plan.chains))
    jump = max(1.0, float(np.sqrt(rough.mean())))
    generators = rng.spawn(plan.chains)
    runs = [_start(evidence, rough, walk, own) for own in generators]
    shares = SharePrior(*map(float, shares or SharePrior()))
    looks = LOOKS if evidence.tallied else 0
    lengths = [plan.warmup, *(keep * plan.thin * one for one in plan.rounds)]
    done, whole = 0, looks * FIRST_LOOK + sum(lengths)

    def run_on(runs: Sequence[Run], schedule: Schedule) -> list[Run]:
        nonlocal done
        kept = _run(evidence, walk, shares, schedule, runs, generators, jump)
        done += schedule.warmup + schedule.keep * schedule.thin
        tick(done, whole)
        return kept

    for _ in range(looks):
        runs = run_on(runs, Schedule(FIRST_LOOK, FIRST_LOOK // 5, 5))
        true = _window_counts(np.stack([run.counts for run in runs]), evidence)
        kinds = learn_shares(evidence.tallied, true[:, [isinstance(one, Tallied) for one in evidence.kernels]])
        evidence = evidence.believing(
            [with_shares([one], kinds)[0] if isinstance(one, Tallied) else one for one in evidence.kernels]
        )
    warmup, thin = plan.warmup, plan.thin
    kept: list[Run] = []
    rhat = np.inf
    for length in lengths[1:]:
        runs = run_on(runs, Schedule(warmup, length // thin, thin))
        met = kept and rhat <= APART
        warmup, kept = 0, [_joined(*pair) for pair in zip(kept, runs, strict=True)] if met else runs
        if len(kept[0].counts) > 4 * keep:
            kept, thin = [_every_second(run) for run in kept], 2 * thin
        counts = np.stack([run.counts for run in kept])
        rhat, ess = _agreement(counts, kept, evidence)
        window_counts = _window_counts(counts, evidence)
        edge = EDGE * evidence.log_kernel.shape[1]
        beyond = max((window_counts > edge).mean(axis=0).max(), (counts > edge).mean(axis=(0, 1)).max())
        at_edge = bool(beyond > EDGE_SHARE)
        if at_edge or (rhat <= plan.rhat and ess >= plan.ess) or (done > HOPELESS * whole and rhat > FAR_APART):
            break
    tick(whole, whole)
    levels, scales = np.stack([run.levels for run in kept]), np.stack([run.scales for run in kept])
    sizes = np.stack([run.sizes for run in kept])
    log_shares = None if evidence.layers is None else np.stack([run.log_shares for run in kept])
    return Posterior(counts, levels, scales, sizes, window_counts, rhat, ess, evidence.kernels, at_edge, log_shares)


def least_seconds(evidence: Evidence, draws: int, plan: Plan = PLAN) -> float:
    """Processor time that the chains take if they agree as early as they may; more where they agree late.

    Parameters
    ----------
    evidence : Evidence
        Tallies on atoms.
    draws : int
        Draws wanted.
    plan : Plan
        How long the chains run.
    """
    keep = max(plan.keep, -(-draws // plan.chains))
    looks = 2 * LOOKS * FIRST_LOOK if evidence.tallied else 0
    atoms, parts = len(evidence.atom_days), 0 if evidence.held is None else int(evidence.held.sum())
    sweep = ATOM_SECONDS * atoms + BLOCK_SECONDS * (len(evidence.block_first) - 1) + PART_SECONDS * parts
    return plan.chains * (looks + plan.warmup + keep * plan.thin * plan.rounds[0]) * sweep


class Run(NamedTuple):
    """What a chain kept, from the last draw of which it can be run on.

    Attributes
    ----------
    counts : (keep, L A) int array
        Count of each cell.
    levels : (keep, P) float array
        Level of each block.
    scales, sizes : (keep,) float array
        Scale of the steps of the levels, and size of the days.
    log_shares : (keep, L, P) float array
        Log probability of each layer.
    steps : (P + 5,) float array
        Sizes of the steps that the chain has come to.
    parts : Parts, optional
        Shares of places and counters that it has come to.
    """

    counts: IntArray
    levels: FloatArray
    scales: FloatArray
    sizes: FloatArray
    log_shares: FloatArray
    steps: FloatArray
    parts: Parts | None = None


def _joined(one: Run, then: Run) -> Run:
    """Return what a chain kept in two rounds."""
    kept = {name: np.concatenate([getattr(one, name), getattr(then, name)]) for name in KEPT}
    return then._replace(**kept)  # type: ignore[arg-type]


def _every_second(run: Run) -> Run:
    """Keep every second draw, the last among them."""
    return run._replace(**{name: getattr(run, name)[1::2] for name in KEPT})


def _start(evidence: Evidence, rough: FloatArray, walk: WalkPrior, own: Generator) -> Run:
    """Draw where a chain begins, around the rough solution, as a run that kept one draw."""
    counts = own.poisson(rough * np.exp(own.normal(0.0, 0.3, rough.shape)))
    usual = evidence.atom_event == 0
    totals = np.add.reduceat(counts * usual, evidence.block_first[:-1])
    days = np.add.reduceat(evidence.atom_days * usual, evidence.block_first[:-1])
    mean = np.exp(min(walk.level_mean, 20.0))
    levels = np.log((totals + 0.5 * mean + 0.01) / (days + 0.5)) + own.normal(0.0, 0.3, totals.shape)
    parts = evidence.parts()
    if parts is not None:
        set_probabilities(parts)
    cells = _within_tables(counts.astype(np.int64), evidence, parts)
    size = np.array([np.exp(own.normal(1.0, 0.5))])
    steps = np.append(np.full(len(totals), 0.5), [0.3, 0.5, 0.3, 0.3, 0.3])
    log_shares = np.zeros((1, 0, 0)) if parts is None else parts.log_in[None].copy()
    return Run(cells[None], levels[None], np.array([0.5 * walk.scale_sd]), size, log_shares, steps, parts)


def _within_tables(counts: IntArray, evidence: Evidence, parts: Parts | None) -> IntArray:
    """Scale a start down until every cell's and window's count is in the tables; counts of all cells."""
    most = evidence.log_kernel.shape[1] - 1
    counts = np.minimum(counts, most)
    spans = list(zip(evidence.window_first, evidence.window_last, strict=True))
    while True:
        cells = _with_parts(counts, evidence, parts)
        if max(cells[a : b + 1].sum() for a, b in spans) <= most:
            return cells
        counts = counts // 2


def _with_parts(counts: IntArray, evidence: Evidence, parts: Parts | None) -> IntArray:
    """Counts of all cells whose parts are about as many as their probabilities say."""
    if parts is None:
        return counts
    cells = np.zeros((len(parts.part), len(counts)), np.int64)
    cells[0] = counts
    for g in range(1, parts.places + 1):
        cells[g] = counts // parts.places
    if parts.places:
        cells[1] += counts - cells[1 : parts.places + 1].sum(axis=0)
    for layer in range(parts.places + 1, parts.captured):
        of = cells[parts.parent[layer]]
        seen = np.rint(of * np.exp(parts.log_in[layer, evidence.atom_block])).astype(np.int64)
        cells[layer] = np.minimum(seen, of) * parts.held[layer]
        if parts.summed[layer] >= 0:
            cells[parts.summed[layer]] += cells[layer]
    return cells.ravel()


def _run(
    evidence: Evidence,
    walk: WalkPrior,
    shares: SharePrior,
    schedule: Schedule,
    runs: Sequence[Run],
    rngs: Sequence[Generator],
    jump: float,
) -> list[Run]:
    """Run each chain on from the last draw that it kept."""
    layout = evidence.layout

    def chain(run: Run, own: Generator) -> Run:
        steps = run.steps.copy()
        parts = None if run.parts is None else _copied(run.parts)
        last = run.counts[-1], run.levels[-1], float(run.scales[-1]), float(run.sizes[-1])
        others = () if parts is None else (parts, shares)
        return Run(*run_chain(own, layout, walk, schedule, *last, jump, steps, *others), steps, parts)

    with ThreadPoolExecutor() as threads:  # the kernel releases the GIL
        return list(threads.map(chain, runs, rngs))


def _window_counts(counts: IntArray, evidence: Evidence) -> IntArray:
    flat = counts.reshape(-1, counts.shape[2])
    total = np.concatenate([np.zeros((len(flat), 1), np.int64), np.cumsum(flat, axis=1)], axis=1)
    by_window = total[:, evidence.window_last + 1] - total[:, evidence.window_first]
    return np.asarray(by_window[:, evidence.window_of])


def _copied(parts: Parts) -> Parts:
    """Copy what a chain writes to."""
    arrays = {name: array.copy() for name, array in parts._asdict().items() if isinstance(array, np.ndarray)}
    return parts._replace(**arrays)  # type: ignore[arg-type]


def _agreement(counts: IntArray, runs: Sequence[Run], evidence: Evidence) -> tuple[float, float]:
    """Largest R-hat and smallest effective sample size over weekly and cumulative counts.

    Where several count, of what is expected of the whole and of the counters; the size of all that there is is nobody's
    question.
    """
    weekly = np.add.reduceat(_expected(counts, runs, evidence), evidence.block_first[:-1], axis=2)
    watched = np.concatenate([weekly, np.cumsum(weekly, axis=2)], axis=2).astype(float)
    # a count that is all but certain in all chains has no R-hat to speak of
    moving = (watched != np.median(watched, axis=(0, 1))).mean(axis=(0, 1)) > CERTAIN
    if not moving.any():
        return 1.0, float(watched.shape[0] * watched.shape[1])
    kept = watched[:, :, moving]
    with np.errstate(invalid="ignore", divide="ignore"):  # halves in which a rare count never moved give 0 / 0
        rhat = array_stats.rhat(kept, chain_axis=0, draw_axis=1)  # type: ignore[no-untyped-call]
        ess = array_stats.ess(kept, chain_axis=0, draw_axis=1)  # type: ignore[no-untyped-call]
    return float(np.nanmax(rhat)), float(np.nanmin(ess))


def _expected(counts: IntArray, runs: Sequence[Run], evidence: Evidence) -> FloatArray | IntArray:
    """Count of each atom: of the whole, and of the first counter where there are several; chains x draws x atoms."""
    atoms, layers = len(evidence.atom_days), evidence.layers
    if layers is None or len(layers.counters) == 1:
        return counts[:, :, :atoms]
    by_layer = counts.reshape(*counts.shape[:2], len(layers), atoms)
    likely = np.exp(np.stack([run.log_shares for run in runs]))[..., evidence.atom_block]
    seen = np.zeros_like(likely[:, :, 0])
    for layer in layers.children(layers.counters[0]):
        kept = np.asarray(evidence.held)[layer] == 1
        seen += np.where(kept, by_layer[:, :, layer], by_layer[:, :, layers.parent[layer]] * likely[:, :, layer])
    return seen
