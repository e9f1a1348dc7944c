"""The posterior of a reconstruction: days cut into atoms, chains run, their agreement measured."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import nnls

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.tallies.chain import Layout, Schedule, WalkPrior
from escalation.tallies.kernels import Kernel
from escalation.tallies.sampler import run_chain

CHAINS = 4
WARMUP = 2000
KEEP = 1000
THIN = 12
LEVEL_DAYS = 7
MONDAY = np.datetime64("1900-01-01", "D")
MAX_DAYS = 20_000
RHAT_LIMIT = 1.02
ESS_LIMIT = 100


@dataclass(frozen=True, eq=False)
class Evidence:
    """Tallies on atoms: runs of days that no window edge and no week edge divides.

    Attributes
    ----------
    first_day : numpy.datetime64
        First day of the grid.
    atom_days : (A,) float array
        Days of each atom.
    atom_block : (A,) int array
        Week of each atom, from 0.
    block_first : (P + 1,) int array
        First atom of each week, and A.
    window_first, window_last : (W,) int array
        First and last atom of each distinct window.
    log_kernel : (W, M) float array
        Log probability of all that was said of a window, for each true count 0 … M - 1.
    window_of : (I,) int array
        Window of each tally.
    typical : (W,) float array
        A count that the window's tallies find likely, NaN where they are lower bounds; for the start of the chains
        and the mean of the prior.
    """

    first_day: np.datetime64
    atom_days: FloatArray
    atom_block: IntArray
    block_first: IntArray
    window_first: IntArray
    window_last: IntArray
    log_kernel: FloatArray
    window_of: IntArray
    typical: FloatArray

    @property
    def layout(self) -> Layout:
        """What of it the chains take."""
        return Layout(*(getattr(self, name) for name in Layout._fields))


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the chains kept.

    Attributes
    ----------
    counts : (chains, keep, A) int array
        Count of each atom.
    levels : (chains, keep, P) float array
        Log rate per day of each week.
    scales : (chains, keep) float array
        Scale of the weekly steps.
    window_counts : (chains * keep, I) int array
        True count of each tally's window.
    rhat, ess : float
        Largest split R-hat and smallest bulk effective sample size.
    """

    counts: IntArray
    levels: FloatArray
    scales: FloatArray
    window_counts: IntArray
    rhat: float
    ess: float

    @property
    def converged(self) -> bool:
        """Whether the chains agree: R-hat <= 1.02 and an effective sample size >= 100."""
        return self.rhat <= RHAT_LIMIT and self.ess >= ESS_LIMIT

    def thinned(self, draws: int) -> IntArray:
        """Evenly spread draws of the atom counts over all chains, shape (draws, A)."""
        flat = self.counts.reshape(-1, self.counts.shape[2])
        return np.asarray(flat[np.linspace(0, len(flat) - 1, draws).round().astype(int)])


def atoms_from(
    starts: NDArray[np.datetime64],
    ends: NDArray[np.datetime64],
    kernels: Sequence[Kernel],
    first: np.datetime64,
    last: np.datetime64,
) -> Evidence:
    """Cut the days from the first to the last window (and ``first`` to ``last``) into atoms.

    Raises
    ------
    InputError
        If they span more than 20,000 days.
    """
    starts, ends = starts.astype("datetime64[D]"), ends.astype("datetime64[D]")
    origin = min(starts.min(), first.astype("datetime64[D]"))
    days = int((max(ends.max(), last.astype("datetime64[D]")) - origin).astype(int)) + 1
    if days > MAX_DAYS:
        raise InputError(
            f"the windows span {days:,} days from {origin}, over the limit of {MAX_DAYS:,}; set start and end"
        )
    open_, close = (starts - origin).astype(np.int64), (ends - origin).astype(np.int64) + 1
    to_monday = int((MONDAY - origin).astype(int)) % LEVEL_DAYS
    edges = np.unique(np.concatenate([[0, days], open_, close, np.arange(to_monday, days, LEVEL_DAYS)]))
    week = (edges[:-1] - to_monday) // LEVEL_DAYS
    block = week - week[0]
    windows, window_of = np.unique(np.column_stack([open_, close]), axis=0, return_inverse=True)
    window_of = window_of.reshape(-1)
    finite = [k.high if np.isfinite(k.high) else k.low for k in kernels]
    size = int(2 * max(finite) + 200)
    log_kernel = np.zeros((len(windows), size + 1))
    likely: list[list[float]] = [[] for _ in windows]
    for i, kernel in enumerate(kernels):
        log_kernel[window_of[i]] += kernel.log_prob(np.arange(size + 1))
        if np.isfinite(kernel.high):
            likely[window_of[i]].append((kernel.low + kernel.high) / 2)
    return Evidence(
        first_day=origin,
        atom_days=np.diff(edges).astype(float),
        atom_block=block.astype(np.int64),
        block_first=np.append(np.searchsorted(block, np.arange(block[-1] + 1)), len(block)).astype(np.int64),
        window_first=np.searchsorted(edges, windows[:, 0]).astype(np.int64),
        window_last=(np.searchsorted(edges, windows[:, 1]) - 1).astype(np.int64),
        log_kernel=log_kernel,
        window_of=window_of.astype(np.int64),
        typical=np.array([np.mean(said) if said else np.nan for said in likely]),
    )


def default_prior(evidence: Evidence) -> WalkPrior:
    """A first level around the mean daily rate of the longest window that says how many there were."""
    days = np.array(
        [evidence.atom_days[a : b + 1].sum() for a, b in zip(evidence.window_first, evidence.window_last, strict=True)]
    )
    said = np.where(np.isnan(evidence.typical), -1.0, days)
    longest = int(np.argmax(said))
    count = 0.0 if said[longest] < 0 else float(evidence.typical[longest])
    return WalkPrior(level_mean=float(np.log((count + 0.5) / days[longest])))


def sample_posterior(
    evidence: Evidence,
    draws: int,
    rng: Generator,
    *,
    prior: WalkPrior | None = None,
    chains: int = CHAINS,
    warmup: int = WARMUP,
    keep: int = KEEP,
    thin: int = THIN,
) -> Posterior:
    """Run the chains and measure their agreement.

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
    chains, warmup, keep, thin : int
        Number of chains, sweeps thrown away in each, draws that each keeps at least, sweeps between them.
    """
    walk = WalkPrior(*map(float, prior or default_prior(evidence)))  # whole numbers would be compiled for anew
    keep = max(keep, -(-draws // chains))
    rough = _rough_counts(evidence)
    jump = float(np.sqrt(rough.mean())) if rough.mean() > 9 else 0.0
    layout, schedule = evidence.layout, Schedule(warmup, keep, thin)

    def chain(own: Generator) -> tuple[IntArray, FloatArray, FloatArray]:
        counts = own.poisson(rough * np.exp(own.normal(0.0, 0.3, rough.shape)))
        totals = np.add.reduceat(counts, evidence.block_first[:-1])
        days = np.add.reduceat(evidence.atom_days, evidence.block_first[:-1])
        levels = np.log((totals + 0.5) / days) + own.normal(0.0, 0.3, totals.shape)
        kept: tuple[IntArray, FloatArray, FloatArray] = run_chain(
            own, layout, walk, schedule, _within_tables(counts, evidence), levels, 0.5 * walk.scale_sd, jump
        )
        return kept

    with ThreadPoolExecutor() as threads:  # the kernel releases the GIL
        runs = list(threads.map(chain, rng.spawn(chains)))
    counts, levels, scales = (np.stack(parts) for parts in zip(*runs, strict=True))
    rhat, ess = _agreement(counts, scales, evidence)
    return Posterior(counts, levels, scales, _window_counts(counts, evidence), rhat, ess)


def rough_system(evidence: Evidence) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Least squares of the atom counts on what the windows say, relative errors equal.

    Returns
    -------
    said : (s,) int array
        Windows that say how many there were.
    design, target : (s, A), (s,) float array
        Their equations, weighted.
    pull, usual : (A,) float array
        Weights of a weak pull of each atom towards a common daily rate, without which atoms that no tally pins could
        take all or nothing; and its count at that rate.
    """
    said = np.flatnonzero(~np.isnan(evidence.typical))
    inside = np.zeros((len(said), len(evidence.atom_days)))
    for row, w in enumerate(said):
        inside[row, evidence.window_first[w] : evidence.window_last[w] + 1] = 1.0
    target = evidence.typical[said]
    weight = 1.0 / (1.0 + 0.05 * target)
    usual = np.exp(default_prior(evidence).level_mean) * evidence.atom_days
    return said, inside * weight[:, None], target * weight, 0.02 / np.sqrt(usual + 0.1), usual


def _rough_counts(evidence: Evidence) -> FloatArray:
    """Solve :func:`rough_system` by non-negative least squares."""
    _, design, target, pull, usual = rough_system(evidence)
    solution, _ = nnls(np.vstack([design, np.diag(pull)]), np.concatenate([target, pull * usual]))
    return np.asarray(solution) + 0.01


def _within_tables(counts: IntArray, evidence: Evidence) -> IntArray:
    """Scale a start down until every atom's and window's count is in the tables."""
    most = evidence.log_kernel.shape[1] - 1
    counts = np.minimum(counts, most)
    while max(counts[a : b + 1].sum() for a, b in zip(evidence.window_first, evidence.window_last, strict=True)) > most:
        counts = counts // 2
    return counts.astype(np.int64)


def _window_counts(counts: IntArray, evidence: Evidence) -> IntArray:
    flat = counts.reshape(-1, counts.shape[2])
    total = np.concatenate([np.zeros((len(flat), 1), np.int64), np.cumsum(flat, axis=1)], axis=1)
    by_window = total[:, evidence.window_last + 1] - total[:, evidence.window_first]
    return np.asarray(by_window[:, evidence.window_of])


def _agreement(counts: IntArray, scales: FloatArray, evidence: Evidence) -> tuple[float, float]:
    """Largest R-hat and smallest effective sample size over weekly and cumulative counts and the scale."""
    weekly = np.add.reduceat(counts, evidence.block_first[:-1], axis=2)
    watched = np.concatenate([weekly, np.cumsum(weekly, axis=2), scales[:, :, None]], axis=2).astype(float)
    moving = np.ptp(watched, axis=(0, 1)) > 0  # a count that is certain has no R-hat
    if not moving.any():
        return 1.0, float(watched.shape[0] * watched.shape[1])
    kept = watched[:, :, moving]
    with np.errstate(invalid="ignore", divide="ignore"):  # halves in which a rare count never moved give 0 / 0
        rhat = array_stats.rhat(kept, chain_axis=0, draw_axis=1)  # type: ignore[no-untyped-call]
        ess = array_stats.ess(kept, chain_axis=0, draw_axis=1)  # type: ignore[no-untyped-call]
    return float(np.nanmax(rhat)), float(np.nanmin(ess))
