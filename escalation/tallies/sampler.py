"""The compiled Markov chain behind :func:`escalation.reconstruct`.

Days that no tally edge and no level edge divides are exchangeable, so the chain runs on *atoms*
(maximal runs of such days) and not on days: with rate ``exp(x)`` per day the count of an atom of
``d`` days is ``Poisson(d * exp(x))``.  The state is the whole-number count of every atom, one
log-level ``x`` per block of days (a random walk with Student-t steps) and the scale of that walk.

Moves, each leaving the joint posterior unchanged:

1. add or remove some incidents in one atom;
2. move some incidents from one atom to another nearby (later totals stay as they are);
3. a new level for one block, its counts kept;
4. a shift of a run of levels together with its counts, which are thinned or topped up so that
   their Poisson law is kept (this is what mixes stretches that no tally speaks about);
5. a new scale of the walk.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True, nogil=True)
def _step_logpdf(step: float, scale: float, df: float) -> float:
    """Log density of one Student-t step of the walk, up to a constant in ``step`` and ``scale``."""
    z = step / scale
    return -0.5 * (df + 1.0) * math.log1p(z * z / df) - math.log(scale)


@njit(cache=True, nogil=True)
def _edges_logpdf(x: FloatArray, first: int, last: int, scale: float, df: float) -> float:
    """Log density of the two steps that a common shift of levels ``first..last`` changes."""
    value = 0.0
    if first > 0:
        value += _step_logpdf(x[first] - x[first - 1], scale, df)
    if last < x.size - 1:
        value += _step_logpdf(x[last + 1] - x[last], scale, df)
    return value


@njit(cache=True, nogil=True)
def _walk_logpdf(x: FloatArray, scale: float, df: float) -> float:
    value = 0.0
    for p in range(1, x.size):
        value += _step_logpdf(x[p] - x[p - 1], scale, df)
    return value


@njit(cache=True, nogil=True)
def _jump(rng: Generator, mean_extra: float) -> int:
    """Size of a move: mostly 1, sometimes larger; its law does not depend on the state."""
    if mean_extra <= 0.0 or rng.random() < 0.5:
        return 1
    return 1 + int(-math.log(1.0 - rng.random()) * mean_extra)


@njit(cache=True, nogil=True)
def run_chain(
    rng: Generator,
    atom_days: FloatArray,
    atom_block: IntArray,
    block_first: IntArray,
    window_first: IntArray,
    window_last: IntArray,
    log_kernel: FloatArray,
    n: IntArray,
    x: FloatArray,
    scale: float,
    level_mean: float,
    level_sd: float,
    scale_sd: float,
    df: float,
    jump: float,
    warmup: int,
    keep: int,
    thin: int,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Run one chain and return what it kept.

    Parameters
    ----------
    rng : numpy.random.Generator
        The chain's own generator.
    atom_days : (A,) float
        Days of each atom (days of exposure; > 0).
    atom_block : (A,) int
        Which level each atom has; not decreasing.
    block_first : (P + 1,) int
        First atom of each block, and A at the end.
    window_first, window_last : (W,) int
        First and last atom (inclusive) of each distinct tally window.
    log_kernel : (W, M) float
        Log probability of what was reported of window w, if its true count is m.
    n : (A,) int
        Starting counts; the kernel of every window must be finite at them.
    x : (P,) float
        Starting log rates per day.
    scale : float
        Starting scale of the walk, > 0.
    level_mean, level_sd : float
        Normal prior of the first level.
    scale_sd : float
        Half-normal prior of the scale.
    df : float
        Degrees of freedom of the steps.
    jump : float
        Mean extra size of the count moves; 0 for steps of one only.
    warmup, keep, thin : int
        Sweeps thrown away (step sizes adapt in them), draws kept, sweeps between them.

    Returns
    -------
    counts : (keep, A) int
    levels : (keep, P) float
    scales : (keep,) float
    """
    atoms, blocks, windows = n.size, x.size, window_first.size
    most = log_kernel.shape[1] - 1
    n, x = n.copy(), x.copy()
    total = np.zeros(windows, np.int64)
    for w in range(windows):
        for a in range(window_first[w], window_last[w] + 1):
            total[w] += n[a]
    log_days = np.log(atom_days)
    level_step = np.full(blocks, 0.5)
    shift_step = np.full(blocks, 0.7)
    scale_step = 0.3
    reach = max(2.0, atoms / 12.0)

    kept_n = np.empty((keep, atoms), np.int64)
    kept_x = np.empty((keep, blocks))
    kept_scale = np.empty(keep)
    proposal = np.empty(atoms, np.int64)

    for sweep in range(warmup + keep * thin):
        adapting = sweep < warmup
        gain = 1.0 / math.sqrt(1.0 + sweep)

        for a in range(atoms):  # 1: add or remove
            k = _jump(rng, jump)
            if rng.random() < 0.5:
                k = -k
            if n[a] + k >= 0:
                change = k * (log_days[a] + x[atom_block[a]]) - math.lgamma(n[a] + k + 1.0) + math.lgamma(n[a] + 1.0)
                for w in range(windows):
                    if window_first[w] <= a <= window_last[w]:
                        new = total[w] + k
                        if new < 0 or new > most:
                            change = -np.inf
                            break
                        change += log_kernel[w, new] - log_kernel[w, total[w]]
                if math.log(1.0 - rng.random()) < change:
                    n[a] += k
                    for w in range(windows):
                        if window_first[w] <= a <= window_last[w]:
                            total[w] += k

        for _ in range(2 * atoms):  # 2: move between atoms
            a = int(rng.random() * atoms)
            distance = 1 + int(-math.log(1.0 - rng.random()) * (reach if rng.random() < 0.3 else 1.5))
            b = a + distance if rng.random() < 0.5 else a - distance
            k = _jump(rng, jump)
            if 0 <= b < atoms and n[a] >= k:
                change = k * (log_days[b] + x[atom_block[b]] - log_days[a] - x[atom_block[a]])
                change += math.lgamma(n[a] + 1.0) - math.lgamma(n[a] - k + 1.0)
                change += math.lgamma(n[b] + 1.0) - math.lgamma(n[b] + k + 1.0)
                for w in range(windows):
                    has_a = window_first[w] <= a <= window_last[w]
                    has_b = window_first[w] <= b <= window_last[w]
                    if has_a != has_b:
                        new = total[w] + (k if has_b else -k)
                        if new > most:
                            change = -np.inf
                            break
                        change += log_kernel[w, new] - log_kernel[w, total[w]]
                if math.log(1.0 - rng.random()) < change:
                    n[a] -= k
                    n[b] += k
                    for w in range(windows):
                        has_a = window_first[w] <= a <= window_last[w]
                        has_b = window_first[w] <= b <= window_last[w]
                        if has_a != has_b:
                            total[w] += k if has_b else -k

        for p in range(blocks):  # 3: one level, counts kept
            count, days = 0, 0.0
            for a in range(block_first[p], block_first[p + 1]):
                count += n[a]
                days += atom_days[a]
            old = x[p]
            new_x = old + level_step[p] * rng.standard_normal()
            change = count * (new_x - old) - days * (math.exp(new_x) - math.exp(old))
            before = _edges_logpdf(x, p, p, scale, df)
            x[p] = new_x
            change += _edges_logpdf(x, p, p, scale, df) - before
            if p == 0:
                change += 0.5 * ((old - level_mean) ** 2 - (new_x - level_mean) ** 2) / level_sd**2
            accept = math.exp(min(0.0, change))
            if rng.random() >= accept:
                x[p] = old
            if adapting:
                level_step[p] *= math.exp(gain * (accept - 0.44))

        for p in range(blocks):  # 4: a run of levels with its counts
            last = p
            while last < blocks - 1 and rng.random() < 0.4:
                last += 1
            shift = shift_step[p] * rng.standard_normal()
            change = -_edges_logpdf(x, p, last, scale, df)
            if p == 0:
                change += 0.5 * ((x[0] - level_mean) ** 2 - (x[0] + shift - level_mean) ** 2) / level_sd**2
            for q in range(p, last + 1):
                x[q] += shift
            change += _edges_logpdf(x, p, last, scale, df)
            first_atom, end_atom = block_first[p], block_first[last + 1]
            for a in range(first_atom, end_atom):
                rate = atom_days[a] * math.exp(x[atom_block[a]])
                if shift > 0:
                    # beyond any count a window may hold: refused below, so the draw itself is spared
                    extra = rate * (1.0 - math.exp(-shift))
                    proposal[a] = n[a] + rng.poisson(extra) if extra < 1e9 else most + 1 + n[a]
                elif n[a] > 0:
                    proposal[a] = rng.binomial(n[a], math.exp(shift))
                else:
                    proposal[a] = 0
            for w in range(windows):
                lo, hi = max(window_first[w], first_atom), min(window_last[w] + 1, end_atom)
                if lo < hi:
                    new = total[w]
                    for a in range(lo, hi):
                        new += proposal[a] - n[a]
                    if new > most:
                        change = -np.inf
                        break
                    change += log_kernel[w, new] - log_kernel[w, total[w]]
            accept = math.exp(min(0.0, change))
            if rng.random() < accept:
                for w in range(windows):
                    for a in range(max(window_first[w], first_atom), min(window_last[w] + 1, end_atom)):
                        total[w] += proposal[a] - n[a]
                for a in range(first_atom, end_atom):
                    n[a] = proposal[a]
            else:
                for q in range(p, last + 1):
                    x[q] -= shift
            if adapting:
                shift_step[p] = min(3.0, shift_step[p] * math.exp(gain * (accept - 0.3)))

        if blocks > 1:
            for _ in range(3):  # 5: scale of the walk
                new_scale = scale * math.exp(scale_step * rng.standard_normal())
                change = _walk_logpdf(x, new_scale, df) - _walk_logpdf(x, scale, df)
                change += 0.5 * (scale**2 - new_scale**2) / scale_sd**2 + math.log(new_scale / scale)
                accept = math.exp(min(0.0, change))
                if rng.random() < accept:
                    scale = new_scale
                if adapting:
                    scale_step *= math.exp(gain * (accept - 0.44))

        if not adapting and (sweep - warmup + 1) % thin == 0:
            row = (sweep - warmup) // thin
            kept_n[row] = n
            kept_x[row] = x
            kept_scale[row] = scale
    return kept_n, kept_x, kept_scale
