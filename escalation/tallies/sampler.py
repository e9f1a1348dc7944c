"""The compiled Markov chain behind :func:`escalation.reconstruct`.

Days that no tally edge and no level edge divides are exchangeable, so the chain runs on *atoms*
(maximal runs of such days) and not on days: with rate ``exp(x)`` per day the count of an atom of
``d`` days is ``Poisson(d * exp(x))``.  The state is the whole-number count of every atom, one
log-level ``x`` per block of days (a walk with Student-t steps, drawn back weakly towards its mean) and
the scale of its steps.

Moves, each leaving the joint posterior unchanged:

1. add or remove some incidents in one atom;
2. move some incidents from one atom to another nearby (later totals stay as they are);
3. a new level for one block, its counts kept;
4. a shift of a run of levels together with its counts, which are thinned or topped up so that
   their Poisson law is kept (this is what mixes stretches that no tally speaks about); every other
   time the next run is shifted the other way and incidents go over, so that the total of both stays;
5. a new scale of the walk.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray

SMALLEST_MOVE, USUAL_MOVE, LARGEST_MOVE = math.log(0.005), math.log(0.2), math.log(1.5)
"""Log sizes between which the steps of a run of levels are drawn."""

MANY = 20
"""Draws that need more than this number of random gaps are split."""


@njit(cache=True, nogil=True)
def _step_logpdf(step: float, scale: float, df: float) -> float:
    """Log density of one Student-t step of the walk, up to a constant in ``step`` and ``scale``."""
    z = step / scale
    return -0.5 * (df + 1.0) * math.log1p(z * z / df) - math.log(scale)


@njit(cache=True, nogil=True)
def _walk_logpdf(x: FloatArray, first: int, last: int, mean: float, memory: float, scale: float, df: float) -> float:
    """Log density of the steps into levels ``first..last`` and out of the last of them."""
    value = 0.0
    for p in range(max(first, 1), min(last + 2, x.size)):
        value += _step_logpdf(x[p] - mean - memory * (x[p - 1] - mean), scale, df)
    return value


@njit(cache=True, nogil=True)
def _rate(
    x: FloatArray, atom_days: FloatArray, atom_block: IntArray, block_first: IntArray, first: int, last: int
) -> float:
    """Expected count of blocks ``first..last``."""
    rate = 0.0
    for a in range(block_first[first], block_first[last + 1]):
        rate += atom_days[a] * math.exp(x[atom_block[a]])
    return rate


@njit(cache=True, nogil=True)
def _windows_of_atoms(first: IntArray, last: IntArray, atoms: int) -> tuple[IntArray, IntArray]:
    """Windows that hold each atom: those of atom a are ``held[begin[a]:begin[a + 1]]``."""
    begin = np.zeros(atoms + 1, np.int64)
    for w in range(first.size):
        for a in range(first[w], last[w] + 1):
            begin[a + 1] += 1
    for a in range(atoms):
        begin[a + 1] += begin[a]
    place = begin.copy()
    held = np.empty(begin[atoms], np.int64)
    for w in range(first.size):
        for a in range(first[w], last[w] + 1):
            held[place[a]] = w
            place[a] += 1
    return begin, held


@njit(cache=True, nogil=True)
def _kernel_change(log_kernel: FloatArray, w: int, now: int, delta: int) -> float:
    """Change of a window's log kernel when its count changes; -inf beyond the table."""
    if now + delta < 0 or now + delta >= log_kernel.shape[1]:
        return -np.inf
    return log_kernel[w, now + delta] - log_kernel[w, now]  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def _set_total(
    w: int, new: int, total: IntArray, log_kernel: FloatArray, one_more: FloatArray, one_less: FloatArray
) -> None:
    """Set a window's count and what one incident more or less would change in its log kernel."""
    total[w] = new
    now = log_kernel[w, new]
    one_more[w] = log_kernel[w, new + 1] - now if new + 1 < log_kernel.shape[1] else -np.inf
    one_less[w] = log_kernel[w, new - 1] - now if new > 0 else -np.inf


@njit(cache=True, nogil=True)
def _log_orders(n: int, k: int) -> float:
    """log(n! / (n + k)!); most moves are of one."""
    if k == 1:
        return -math.log(n + 1.0)
    if k == -1:
        return math.log(n)
    return math.lgamma(n + 1.0) - math.lgamma(n + k + 1.0)


@njit(cache=True, nogil=True)
def _jump(rng: Generator, mean_extra: float) -> int:
    """Size of a move: mostly 1, sometimes larger; its law does not depend on the state."""
    if mean_extra <= 0.0 or rng.random() < 0.5:
        return 1
    return 1 + int(-math.log(1.0 - rng.random()) * mean_extra)


# The draws below are written out because the generator's own binomial, Poisson and normal draws take numba
# three times as long to compile as all the rest.


@njit(cache=True, nogil=True)
def _normal(rng: Generator) -> float:
    """Standard normal draw (Box and Muller 1958, doi:10.1214/aoms/1177706645)."""
    return math.sqrt(-2.0 * math.log(1.0 - rng.random())) * math.cos(2.0 * math.pi * rng.random())


@njit(cache=True, nogil=True)
def _gamma(rng: Generator, shape: float) -> float:
    """Gamma draw for shapes from 1 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414)."""
    d = shape - 1.0 / 3.0
    while True:
        z = _normal(rng)
        v = (1.0 + z / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(1.0 - rng.random()) < 0.5 * z * z + d - d * v + d * math.log(v):
            return d * v


@njit(cache=True, nogil=True)
def _poisson(rng: Generator, mean: float) -> int:
    """Poisson draw: exponential gaps until the mean is used up, many at once while it is large."""
    count, left = 0, mean
    while left > MANY:
        gaps = int(0.875 * left)  # mostly fewer than fit (Ahrens and Dieter 1974, doi:10.1007/BF02293108)
        span = _gamma(rng, float(gaps))
        if span > left:
            return count + _thin(rng, gaps - 1, left / span)
        count += gaps
        left -= span
    count -= 1
    while left >= 0.0:
        left += math.log(1.0 - rng.random())
        count += 1
    return count


@njit(cache=True, nogil=True)
def _thin(rng: Generator, n: int, share: float) -> int:
    """Binomial draw: geometric gaps between the rarer of kept and lost (Devroye 1986, X.4).

    While that takes long, the place of the middle one of n uniform draws tells on which side of it to go on.
    """
    sure = 0
    while n * min(share, 1.0 - share) > MANY:
        half = n // 2 + 1
        below = _gamma(rng, float(half))
        middle = below / (below + _gamma(rng, float(n + 1 - half)))
        if middle <= share:
            sure += half
            n -= half
            share = (share - middle) / (1.0 - middle)
        else:
            n = half - 1
            share /= middle
    return sure + _thin_few(rng, n, min(share, 1.0))


@njit(cache=True, nogil=True)
def _thin_few(rng: Generator, n: int, share: float) -> int:
    """Binomial draw by geometric gaps."""
    rare = min(share, 1.0 - share)
    if n == 0 or rare <= 0.0:
        return n if share > 0.5 else 0
    count, at = -1, 0.0
    log_common = math.log1p(-rare)
    while at <= n:
        # math.floor would make it an integer, which overflows
        at += np.floor(math.log(1.0 - rng.random()) / log_common) + 1.0
        count += 1
    return count if share <= 0.5 else n - count


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
    memory: float,
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
        Log probability of what was reported of window w, if its true count is m.  No atom holds M or more either: the
        walk's tails are heavy, and where no tally speaks nothing else would bound the counts.
    n : (A,) int
        Starting counts; the kernel of every window must be finite at them.
    x : (P,) float
        Starting log rates per day.
    scale : float
        Starting scale of the walk, > 0.
    level_mean, level_sd : float
        Normal prior of the first level; the walk is drawn back towards the mean.
    memory : float
        Share of a level's distance from the mean that the next one keeps, 0 to 1.
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
    one_more, one_less = np.empty(windows), np.empty(windows)
    for w in range(windows):
        count = 0
        for a in range(window_first[w], window_last[w] + 1):
            count += n[a]
        _set_total(w, count, total, log_kernel, one_more, one_less)
    begin, held = _windows_of_atoms(window_first, window_last, atoms)
    log_days = np.log(atom_days)
    level_step = np.full(blocks, 0.5)
    scale_step = 0.3
    reach = max(2.0, atoms / 12.0)
    opening, by_first = _windows_of_atoms(window_first, window_first, atoms)
    closing, by_last = _windows_of_atoms(window_last, window_last, atoms)
    touched, delta = np.empty(2 * windows, np.int64), np.empty(2 * windows, np.int64)

    kept_n = np.empty((keep, atoms), np.int64)
    kept_x = np.empty((keep, blocks))
    kept_scale = np.empty(keep)
    proposal, added = np.empty(atoms, np.int64), np.empty(atoms + 1, np.int64)

    for sweep in range(warmup + keep * thin):
        adapting = sweep < warmup
        gain = 1.0 / math.sqrt(1.0 + sweep)

        for a in range(atoms):  # 1: add or remove
            k = _jump(rng, jump)
            if rng.random() < 0.5:
                k = -k
            if 0 <= n[a] + k <= most:
                change = k * (log_days[a] + x[atom_block[a]]) + _log_orders(n[a], k)
                if k == 1:
                    for i in range(begin[a], begin[a + 1]):
                        change += one_more[held[i]]
                elif k == -1:
                    for i in range(begin[a], begin[a + 1]):
                        change += one_less[held[i]]
                else:
                    for i in range(begin[a], begin[a + 1]):
                        change += _kernel_change(log_kernel, held[i], total[held[i]], k)
                if math.log(1.0 - rng.random()) < change:
                    n[a] += k
                    for i in range(begin[a], begin[a + 1]):
                        w = held[i]
                        _set_total(w, total[w] + k, total, log_kernel, one_more, one_less)

        for _ in range(2 * atoms):  # 2: move between atoms
            a = int(rng.random() * atoms)
            distance = 1 + int(-math.log(1.0 - rng.random()) * (reach if rng.random() < 0.3 else 1.5))
            b = a + distance if rng.random() < 0.5 else a - distance
            k = _jump(rng, jump)
            if 0 <= b < atoms and n[a] >= k and n[b] + k <= most:
                change = k * (log_days[b] + x[atom_block[b]] - log_days[a] - x[atom_block[a]])
                change += _log_orders(n[a], -k) + _log_orders(n[b], k)
                # only windows that hold one of the two change: those with an edge between them
                left, right = min(a, b), max(a, b)
                gain_left = k if b < a else -k
                crossed = 0
                for c in range(left, right):
                    for i in range(closing[c], closing[c + 1]):
                        w = by_last[i]
                        if window_first[w] <= left:
                            touched[crossed], delta[crossed] = w, gain_left
                            crossed += 1
                    for i in range(opening[c + 1], opening[c + 2]):
                        w = by_first[i]
                        if window_last[w] >= right:
                            touched[crossed], delta[crossed] = w, -gain_left
                            crossed += 1
                for i in range(crossed):
                    change += _kernel_change(log_kernel, touched[i], total[touched[i]], delta[i])
                if math.log(1.0 - rng.random()) < change:
                    n[a] -= k
                    n[b] += k
                    for i in range(crossed):
                        w = touched[i]
                        _set_total(w, total[w] + delta[i], total, log_kernel, one_more, one_less)

        for p in range(blocks):  # 3: one level, counts kept
            count, days = 0, 0.0
            for a in range(block_first[p], block_first[p + 1]):
                count += n[a]
                days += atom_days[a]
            old = x[p]
            new_x = old + level_step[p] * _normal(rng)
            change = count * (new_x - old) - days * (math.exp(new_x) - math.exp(old))
            change -= _walk_logpdf(x, p, p, level_mean, memory, scale, df)
            x[p] = new_x
            change += _walk_logpdf(x, p, p, level_mean, memory, scale, df)
            if p == 0:
                change += 0.5 * ((old - level_mean) ** 2 - (new_x - level_mean) ** 2) / level_sd**2
            accept = math.exp(min(0.0, change))
            if rng.random() >= accept:
                x[p] = old
            if adapting:
                level_step[p] *= math.exp(gain * (accept - 0.44))

        for p in range(blocks):  # 4: runs of levels with their counts
            middle = p
            longer = 0.4 if rng.random() < 0.5 else 0.85
            while middle < blocks - 1 and rng.random() < longer:
                middle += 1
            last = middle
            if rng.random() < 0.5 and middle < blocks - 1:
                last = middle + 1
                while last < blocks - 1 and rng.random() < longer:
                    last += 1
            paired = last > middle
            # how far a run can go depends on what pins it, so steps of several sizes are tried
            least = SMALLEST_MOVE if rng.random() < 0.3 else USUAL_MOVE
            move = math.exp(least + rng.random() * (LARGEST_MOVE - least)) * _normal(rng)
            up, down = move, 0.0
            if paired:
                ahead = _rate(x, atom_days, atom_block, block_first, p, middle)
                behind = _rate(x, atom_days, atom_block, block_first, middle + 1, last)
                share = ahead / (ahead + behind)
                # the share moves on the logit scale, the sum of both stays: a map that keeps volume
                up = -math.log(share + (1.0 - share) * math.exp(-move))
                down = up - move
            change = -_walk_logpdf(x, p, last, level_mean, memory, scale, df)
            if p == 0:
                change += 0.5 * ((x[0] - level_mean) ** 2 - (x[0] + up - level_mean) ** 2) / level_sd**2
            for q in range(p, last + 1):
                x[q] += up if q <= middle else down
            change += _walk_logpdf(x, p, last, level_mean, memory, scale, df)
            first_atom, end_atom = block_first[p], block_first[last + 1]
            border = block_first[middle + 1]
            if paired:  # incidents of the run that falls go over to the other, the total stays
                lose, lose_end = (first_atom, border) if up < 0 else (border, end_atom)
                gain_, gain_end = (border, end_atom) if up < 0 else (first_atom, border)
                moved, rate = 0, 0.0
                for a in range(lose, lose_end):
                    proposal[a] = _thin(rng, n[a], math.exp(min(up, down)))
                    moved += n[a] - proposal[a]
                for a in range(gain_, gain_end):
                    rate += atom_days[a] * math.exp(x[atom_block[a]])
                for a in range(gain_, gain_end):
                    own = atom_days[a] * math.exp(x[atom_block[a]])
                    # what is left of the rate can be 0 by rounding before the last atom
                    part = moved if a == gain_end - 1 or own >= rate else _thin(rng, moved, own / rate)
                    proposal[a] = n[a] + part
                    moved -= part
                    rate -= own
            else:
                for a in range(first_atom, end_atom):
                    if up > 0:
                        extra = atom_days[a] * math.exp(x[atom_block[a]]) * (1.0 - math.exp(-up))
                        # beyond any count an atom may hold: refused below, so the draw itself is spared
                        proposal[a] = n[a] + _poisson(rng, extra) if extra < 2.0 * most else most + 1
                    else:
                        proposal[a] = _thin(rng, n[a], math.exp(up))
            added[first_atom] = 0
            for a in range(first_atom, end_atom):
                added[a + 1] = added[a] + proposal[a] - n[a]
                if proposal[a] > most:
                    change = -np.inf
            for w in range(windows):
                lo, hi = max(window_first[w], first_atom), min(window_last[w] + 1, end_atom)
                if lo < hi:
                    delta[w] = added[hi] - added[lo]
                    if delta[w] != 0:
                        change += _kernel_change(log_kernel, w, total[w], delta[w])
            if math.log(1.0 - rng.random()) < change:
                for w in range(windows):
                    if window_first[w] < end_atom and window_last[w] >= first_atom and delta[w] != 0:
                        _set_total(w, total[w] + delta[w], total, log_kernel, one_more, one_less)
                for a in range(first_atom, end_atom):
                    n[a] = proposal[a]
            else:
                for q in range(p, last + 1):
                    x[q] -= up if q <= middle else down

        if blocks > 1:
            for _ in range(3):  # 5: scale of the walk
                new_scale = scale * math.exp(scale_step * _normal(rng))
                change = _walk_logpdf(x, 0, blocks, level_mean, memory, new_scale, df) - _walk_logpdf(
                    x, 0, blocks, level_mean, memory, scale, df
                )
                change += 0.5 * (scale**2 - new_scale**2) / scale_sd**2 + math.log(new_scale / scale)
                accept = math.exp(min(0.0, change))
                if rng.random() < accept:
                    scale = new_scale
                if adapting:
                    scale_step *= math.exp(gain * (accept - 0.44))

        if not adapting and (sweep - warmup + 1) % thin == 0:
            row = (sweep - warmup) // thin
            for a in range(atoms):  # slice assignment would compile numpy's broadcasting and its messages
                kept_n[row, a] = n[a]
            for p in range(blocks):
                kept_x[row, p] = x[p]
            kept_scale[row] = scale
    return kept_n, kept_x, kept_scale
