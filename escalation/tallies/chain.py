"""What one chain of a reconstruction works on, and the counts of the tally windows that it keeps up to date; compiled.

Days that no tally edge and no level edge divides are exchangeable, so the chain runs on *atoms* (maximal runs of such
days) and not on days.  Days cluster: with rate ``exp(x)`` and dispersion ``1 / k`` the count of a day is negative
binomial of size ``k``, that of an atom of ``d`` days of size ``d * k``: ``Poisson(e * exp(x))``, where the exposure
``e`` is gamma of shape ``d * k`` and rate ``k``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled

WINDOWS_A_MOVE = 16.0
"""Windows that one move changes on average at most, where they are many."""


class Layout(NamedTuple):
    """Where atoms, blocks of days with one level, and tally windows lie, and what was reported of the windows.

    Attributes
    ----------
    atom_days : (A,) float
        Days of each atom (days of exposure; > 0).
    atom_block : (A,) int
        Which level each atom has; not decreasing.
    atom_event : (A,) int
        1 where a day was spoken of by itself because something happened: its count says nothing of the level.
    block_first : (P + 1,) int
        First atom of each block, and A at the end.
    window_first, window_last : (W,) int
        First and last cell (inclusive) of each distinct tally window.  Cells are atoms, those of the whole first, and
        then those of each part of it (see :mod:`escalation.tallies.parts`), one layer of A cells after another.
    log_kernel : (W, M) float
        Log probability of what was reported of window w, if its true count is m.  No atom holds M or more either: the
        walk's tails are heavy, and where no tally speaks nothing else would bound the counts.
    """

    atom_days: FloatArray
    atom_block: IntArray
    atom_event: IntArray
    block_first: IntArray
    window_first: IntArray
    window_last: IntArray
    log_kernel: FloatArray


class WalkPrior(NamedTuple):
    """Priors of the weekly log rates per day, and of the dispersion of the days.

    Attributes
    ----------
    level_mean, level_sd : float
        Normal prior of the first level.
    memory : float
        Share of a week's distance from ``level_mean`` that the next week keeps.  Below 1, so that a
        long quiet stretch does not let the rate sink without end and rule out its first attack.
    scale_sd : float
        Half-normal prior of the scale of the weekly steps.
    df : float
        Degrees of freedom of the steps.
    cap, cap_sd : float
        Above ``cap`` a level has half of a normal density of this standard deviation besides: what was never seen is
        not taken to have happened where nobody looked.
    dispersion_sd : float
        Half-normal prior of the dispersion, variance of a day = mean + dispersion * mean ** 2; 0 for Poisson days.
    """

    level_mean: float
    level_sd: float = 3.0
    memory: float = 0.95
    scale_sd: float = 1.0
    df: float = 4.0
    cap: float = np.inf
    cap_sd: float = 0.3
    dispersion_sd: float = 1.0


class Schedule(NamedTuple):
    """How long a chain runs: sweeps thrown away (step sizes adapt in them), draws kept, sweeps between them."""

    warmup: int
    keep: int
    thin: int


class State(NamedTuple):
    """Where a chain is; its arrays are written to.

    Attributes
    ----------
    n : (L A,) int
        Count of each cell: those of the A atoms of the whole, and then of those of each of its parts.
    x : (P,) float
        Log rate per day of each block.
    exposure : (A,) float
        Days of each atom as the clustering weighs them; 0 where the level says nothing of it.
    total : (W,) int
        Count of each window: what its atoms sum to.
    one_more, one_less : (W,) float
        What one incident more or less in a window would change in its log kernel.
    """

    n: IntArray
    x: FloatArray
    exposure: FloatArray
    total: IntArray
    one_more: FloatArray
    one_less: FloatArray


class Lists(NamedTuple):
    """What is worked out of a layout once.

    Attributes
    ----------
    begin, held : (L A + 1,) and (K,) int
        Windows that hold cell a are ``held[begin[a]:begin[a + 1]]``.
    opening, by_first : (L A + 1,) and (W,) int
        Those that begin with it, likewise.
    closing, by_last : (L A + 1,) and (W,) int
        Those that end with it.
    effort : (A,) float
        Probability that a move which changes all windows that hold the atom is tried in a sweep, so that a sweep costs
        as much for each atom however many running totals there are.  What many of them pin moves between atoms.
    reach, far : float
        Mean distance, in atoms, of far moves between atoms and of the few that are farther.
    """

    begin: IntArray
    held: IntArray
    opening: IntArray
    by_first: IntArray
    closing: IntArray
    by_last: IntArray
    effort: FloatArray
    reach: float
    far: float


class Scratch(NamedTuple):
    """Places that a move writes to: windows that it touches and by how much (2 W,), new counts and sums of the cells.

    ``log_odds`` (P,) is the log probability of one more in a day of each block, ``exp(x) / (k + exp(x))``.  The others
    are of stretches of levels: weights of the steps, the precision's root, means, draws around them, new levels, and
    counts and days (P,).
    """

    touched: IntArray
    delta: IntArray
    proposal: IntArray
    added: IntArray
    log_odds: FloatArray
    weights: FloatArray
    diagonal: FloatArray
    below: FloatArray
    mean: FloatArray
    turn: FloatArray
    proposed: FloatArray
    block_count: FloatArray
    block_days: FloatArray


@compiled()
def walk_logpdf(x: FloatArray, first: int, last: int, prior: WalkPrior, scale: float) -> float:
    """Log density of the steps into levels ``first..last`` and out of the last of them, up to a constant.

    The steps are Student-t, ``x_p - mean = memory * (x_(p-1) - mean) + scale * t_df``.
    """
    mean, memory, df = prior.level_mean, prior.memory, prior.df
    value = 0.0
    for p in range(max(first, 1), min(last + 2, x.size)):
        z = (x[p] - mean - memory * (x[p - 1] - mean)) / scale
        value += -0.5 * (df + 1.0) * math.log1p(z * z / df) - math.log(scale)
    return value


@compiled()
def cap_logpdf(x: FloatArray, first: int, last: int, prior: WalkPrior) -> float:
    """Log density of what levels ``first..last`` are above the cap."""
    value = 0.0
    for p in range(first, last + 1):
        if x[p] > prior.cap:
            value -= 0.5 * ((x[p] - prior.cap) / prior.cap_sd) ** 2
    return value


@compiled()
def rate_of_blocks(state: State, layout: Layout, first: int, last: int) -> float:
    """Expected count of blocks ``first..last``, given the exposures."""
    rate = 0.0
    for a in range(layout.block_first[first], layout.block_first[last + 1]):
        rate += state.exposure[a] * math.exp(state.x[layout.atom_block[a]])
    return rate


@compiled()
def _by_atom(first: IntArray, last: IntArray, atoms: int) -> tuple[IntArray, IntArray]:
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


@compiled()
def list_windows(layout: Layout, cells: int) -> Lists:
    """List the windows of each cell."""
    atoms = layout.atom_days.size
    begin, held = _by_atom(layout.window_first, layout.window_last, cells)
    opening, by_first = _by_atom(layout.window_first, layout.window_first, cells)
    closing, by_last = _by_atom(layout.window_last, layout.window_last, cells)
    effort = np.ones(atoms)
    for a in range(atoms):
        held_by = 0
        for cell in range(a, cells, atoms):
            held_by += begin[cell + 1] - begin[cell]
        effort[a] = min(1.0, WINDOWS_A_MOVE / max(1, held_by))
    far = max(2.0, atoms / 12.0)
    reach = min(far, max(2.0, WINDOWS_A_MOVE * atoms / (2.0 * layout.window_first.size)))
    return Lists(begin, held, opening, by_first, closing, by_last, effort, reach, far)


@compiled()
def start_state(n: IntArray, x: FloatArray, layout: Layout) -> State:
    """Sum up the windows of a start, which is copied; the kernel of every window must be finite at it."""
    windows = layout.window_first.size
    none = np.zeros(windows, np.int64)
    state = State(n.copy(), x.copy(), np.zeros(layout.atom_days.size), none, np.empty(windows), np.empty(windows))
    for w in range(windows):
        count = 0
        for a in range(layout.window_first[w], layout.window_last[w] + 1):
            count += n[a]
        set_total(w, count, state.total, layout.log_kernel, state.one_more, state.one_less)
    return state


@compiled()
def make_scratch(cells: int, windows: int, blocks: int) -> Scratch:
    """Make places to write to."""
    return Scratch(
        np.empty(2 * windows, np.int64),
        np.empty(2 * windows, np.int64),
        np.empty(cells, np.int64),
        np.empty(cells + 1, np.int64),
        np.empty(blocks),
        np.ones(blocks),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(blocks),
        np.empty(blocks),
    )


@compiled()
def kernel_change(log_kernel: FloatArray, w: int, now: int, delta: int) -> float:
    """Change of a window's log kernel when its count changes; -inf beyond the table."""
    if now + delta < 0 or now + delta >= log_kernel.shape[1]:
        return -np.inf
    return log_kernel[w, now + delta] - log_kernel[w, now]  # type: ignore[no-any-return]


@compiled()
def set_total(
    w: int, new: int, total: IntArray, log_kernel: FloatArray, one_more: FloatArray, one_less: FloatArray
) -> None:
    """Set a window's count and what one incident more or less would change in its log kernel.

    Arrays one by one, here and above: taken out of a tuple in an innermost loop, each costs two counted references.
    """
    total[w] = new
    now = log_kernel[w, new]
    one_more[w] = log_kernel[w, new + 1] - now if new + 1 < log_kernel.shape[1] else -np.inf
    one_less[w] = log_kernel[w, new - 1] - now if new > 0 else -np.inf


@compiled()
def change_by_counts(
    state: State, layout: Layout, lists: Lists, first: int, end: int, scratch: Scratch, found: int = 0
) -> tuple[float, int]:
    """Change of all log kernels when cells ``first`` to ``end`` of one layer take the proposed counts.

    It is -inf if one is too high.  Which windows change, and by how much, is left in ``scratch.touched`` and
    ``scratch.delta``, behind the ``found`` ones of other layers; their number is returned too.  A window that holds all
    these cells changes only where their sum does.
    """
    added, delta, proposal, touched = scratch.added, scratch.delta, scratch.proposal, scratch.touched
    n, total, log_kernel = state.n, state.total, layout.log_kernel
    window_first, window_last = layout.window_first, layout.window_last
    most, change, before = log_kernel.shape[1] - 1, 0.0, found
    added[first] = 0
    for a in range(first, end):
        added[a + 1] = added[a] + proposal[a] - n[a]
        if proposal[a] > most:
            return -np.inf, 0
    for a in range(first, end):
        for i in range(lists.closing[a], lists.closing[a + 1]):
            w = lists.by_last[i]
            touched[found], delta[found] = w, added[a + 1] - added[max(window_first[w], first)]
            found += 1
        for i in range(lists.opening[a], lists.opening[a + 1]):
            w = lists.by_first[i]
            if window_last[w] >= end:
                touched[found], delta[found] = w, added[end] - added[a]
                found += 1
    if added[end] != 0:
        for i in range(lists.begin[first], lists.begin[first + 1]):
            w = lists.held[i]
            if window_first[w] < first and window_last[w] >= end:
                touched[found], delta[found] = w, added[end]
                found += 1
    for i in range(before, found):
        if delta[i] != 0:
            change += kernel_change(log_kernel, touched[i], total[touched[i]], delta[i])
    return change, found


@compiled()
def take_counts(state: State, layout: Layout, first: int, end: int, found: int, scratch: Scratch) -> None:
    """Let atoms ``first`` to ``end``, and the cells of their parts, take the proposed counts.

    They change the ``found`` windows.
    """
    n, _, _, total, one_more, one_less = state
    touched, delta, log_kernel = scratch.touched, scratch.delta, layout.log_kernel
    for i in range(found):
        w = touched[i]
        set_total(w, total[w] + delta[i], total, log_kernel, one_more, one_less)
    for layer in range(0, n.size, layout.atom_days.size):
        for a in range(layer + first, layer + end):
            n[a] = scratch.proposal[a]


@compiled()
def _log_orders(n: int, k: int) -> float:
    """log(n! / (n + k)!); most moves are of one."""
    if k == 1:
        return -math.log(n + 1.0)
    if k == -1:
        return math.log(n)
    return math.lgamma(n + 1.0) - math.lgamma(n + k + 1.0)


@compiled(inline="always")
def count_change(a: int, n: int, k: int, size: float, layout: Layout, scratch: Scratch) -> float:
    """Change of the log density of atom a when its count goes from n to n + k."""
    if layout.atom_event[a] == 1:
        return math.log((n + 1.0) / (n + k + 1.0))
    change: float = k * scratch.log_odds[layout.atom_block[a]] + _log_orders(n, k)
    own: float = size * layout.atom_days[a]
    if k == 1:
        return change + math.log(n + own)
    if k == -1:
        return change - math.log(n - 1.0 + own)
    return change + math.lgamma(n + k + own) - math.lgamma(n + own)


@compiled()
def draw_jump(mean_extra: float, rng: Generator) -> int:
    """Size of a move: mostly 1, sometimes larger; its distribution does not depend on the state."""
    if mean_extra <= 0.0 or rng.random() < 0.5:
        return 1
    return 1 + int(-math.log(1.0 - rng.random()) * mean_extra)


@compiled()
def draw_other_atom(a: int, lists: Lists, rng: Generator) -> int:
    """Draw an atom near another; it may lie outside."""
    which = rng.random()
    reach = 1.5 if which < 0.65 else lists.reach if which < 0.95 else lists.far
    distance = 1 + int(-math.log(1.0 - rng.random()) * reach)
    return a + distance if rng.random() < 0.5 else a - distance


@compiled(inline="always")
def cross(a: int, b: int, k: int, layout: Layout, lists: Lists, scratch: Scratch, crossed: int) -> int:
    """List the windows whose count changes when k incidents go from cell a to cell b: those that hold one of them.

    Such a window ends between the two or begins there.  Which they are, and their changes, is in ``scratch.touched``
    and ``scratch.delta``, behind the ``crossed`` ones of other layers; their number is returned.
    """
    closing, by_last, opening, by_first = lists.closing, lists.by_last, lists.opening, lists.by_first
    window_first, window_last = layout.window_first, layout.window_last
    touched, delta = scratch.touched, scratch.delta
    left, right = min(a, b), max(a, b)
    gain_left = k if b < a else -k
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
    return crossed
