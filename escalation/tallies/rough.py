"""A rough solution of what the tallies say, for the start of the chains and the mean of their prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.tallies.chain import WalkPrior
from escalation.tallies.evidence import LEVEL_DAYS, Evidence
from escalation.tallies.kernels import NOTHING

FAR_OFF = float(np.log(5.0))
"""A tally this far, in logs, from what the others make of it is left out of the rough solution."""
MOST_OFF = 0.34
"""Share of the windows that may be left out of it."""
ABOVE_SEEN = 1.1
"""The cap of the levels, as a multiple of the highest weekly rate of the rough solution."""


def rough_whole(evidence: Evidence) -> FloatArray:
    """Solve roughly for the count of each atom in all places together, as if all counters were one."""
    alike, places = evidence.of_whole()
    return places * rough_counts(alike)[0]


def default_prior(evidence: Evidence, rough: FloatArray) -> WalkPrior:
    """A first level around the mean daily rate of all days, and a cap a little above the highest rate of any week.

    Both are those of a rough solution (:func:`rough_whole`) without tallies that the others contradict.
    """
    usual = evidence.atom_event == 0
    if not usual.any():
        return WalkPrior(level_mean=float(np.log(0.5 / evidence.atom_days.sum())))
    days, counts = (
        np.add.reduceat(np.where(usual, part, 0.0), evidence.block_first[:-1]) for part in (evidence.atom_days, rough)
    )
    mean = (counts.sum() + 0.5) / days.sum()
    # a week cut short by the edges says little by itself
    rates = (counts + mean) / (days + 1.0)
    highest = max(float(rates[days > 0].max()), mean, 1.0 / LEVEL_DAYS)
    return WalkPrior(level_mean=float(np.log(mean)), cap=float(np.log(ABOVE_SEEN * highest)))


def rough_system(
    evidence: Evidence, without: NDArray[np.bool_] | None = None
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Least squares of the atom counts on what the windows say, relative errors equal.

    Windows marked in ``without`` are left out.

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
    counted = ~np.isnan(evidence.typical)
    said = np.flatnonzero(counted if without is None else counted & ~without)
    inside = np.zeros((len(said), len(evidence.atom_days)))
    for row, w in enumerate(said):
        inside[row, evidence.window_first[w] : evidence.window_last[w] + 1] = 1.0
    target = evidence.typical[said]
    weight = 1.0 / (1.0 + 0.05 * target)
    usual = _usual_rate(inside, target, evidence) * evidence.atom_days
    return said, inside * weight[:, None], target * weight, 0.02 / np.sqrt(usual + 0.1), usual


def _usual_rate(inside: FloatArray, target: FloatArray, evidence: Evidence) -> float:
    """Median daily rate of the windows of a week and more that say how many there were; of all where none is so long.

    Days that were spoken of because something happened do not count.
    """
    days = inside @ (evidence.atom_days * (evidence.atom_event == 0))
    if not len(days) or days.max() <= 0:
        return float(0.5 / evidence.atom_days.sum())
    long = days >= min(LEVEL_DAYS, days.max())
    return float(np.median((target[long] + 0.5) / (inside[long] @ evidence.atom_days)))


def rough_counts(evidence: Evidence) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Solve :func:`rough_system` by non-negative least squares, without windows that the others contradict.

    One after another the window is left out that is farthest from what the others make of it; the windows that were
    are returned too.
    """
    without = np.zeros(len(evidence.typical), bool)
    # a day that was spoken of because something happened is like no other; nor is what silence means one tally of many
    kept = np.array([evidence.atom_event[a : b + 1].all() for a, b in _spans(evidence)])
    kept[evidence.window_of[[one is NOTHING for one in evidence.kernels]]] = True
    for _ in range(int(MOST_OFF * np.isfinite(evidence.typical).sum())):
        said, away = _farthest(evidence, without, kept)
        if away <= FAR_OFF:
            break
        without[said] = True
    _, design, target, pull, usual = rough_system(evidence, without)
    solution, _ = nnls(np.vstack([design, np.diag(pull)]), np.concatenate([target, pull * usual]))
    return _above_floors(np.asarray(solution), evidence) + 0.01, without


def _spans(evidence: Evidence) -> list[tuple[int, int]]:
    """First and last atom of each window."""
    return list(zip(evidence.window_first.tolist(), evidence.window_last.tolist(), strict=True))


def _above_floors(counts: FloatArray, evidence: Evidence) -> FloatArray:
    """Raise the counts of windows that lie below their lower bounds, in proportion to the days."""
    counts, spans = counts.copy(), _spans(evidence)
    for kernel, window in zip(evidence.kernels, evidence.window_of, strict=True):
        first, last = spans[window]
        short = kernel.low - counts[first : last + 1].sum()
        if np.isinf(kernel.high) and short > 0:
            days = evidence.atom_days[first : last + 1]
            counts[first : last + 1] += short * days / days.sum()
    return counts


def _farthest(evidence: Evidence, without: NDArray[np.bool_], kept: NDArray[np.bool_]) -> tuple[int, float]:
    """Window that is farthest from what the others make of it, but for those kept, and by how much, in logs."""
    said, design, target, pull, usual = rough_system(evidence, without)
    if len(said) < 2:
        return 0, 0.0
    inverse = np.linalg.inv(design.T @ design + np.diag(pull**2))
    counts = inverse @ (design.T @ target + pull**2 * usual)
    leverage = np.einsum("sa,as->s", design, inverse @ design.T)
    weight = design.max(axis=1)
    printed = target / weight
    beside = np.maximum(printed - (target - design @ counts) / np.maximum(1 - leverage, 1e-9) / weight, 0.0)
    away = np.abs(np.log((printed + 3.0) / (beside + 3.0))) * ~kept[said]
    worst = int(np.argmax(away))
    return int(said[worst]), float(away[worst])
