"""Moves of whole stretches of levels in the chain behind :func:`escalation.reconstruct`; compiled.

Levels of weeks next to each other hang together, so that changing one at a time gets nowhere where the tallies say
little of single weeks.  Given a weight of each step (a Student-t step is a normal one of precision ``weight / scale^2``
with a gamma weight) the prior of the levels between two others is normal with a tridiagonal precision, from which a
stretch is drawn in time in proportion to its length (Rue 2001, doi:10.1111/1467-9868.00288).  Such a draw turns levels
on an ellipse around their mean, which leaves their prior unchanged, and

1. their counts stay: the angle is drawn by slice sampling (Murray, Adams & MacKay 2010, arXiv:1001.0175); or
2. their counts go along, coupled so that their Poisson distribution given the exposures is kept: each by itself, or
   with the sum of the stretch kept, where only the incidents go over that must.

The scale of the steps and the first level hang together with all others; a third move changes all at once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_by_gaps, draw_gamma, draw_kept, draw_normal
from escalation.tallies.chain import (
    Layout,
    Lists,
    Scratch,
    State,
    WalkPrior,
    cap_logpdf,
    take_counts,
)
from escalation.tallies.parts import change_with_parts
from escalation.tallies.shares import Parts

SMALLEST_TURN = math.log(0.03)
"""Log of the smallest turn on the ellipse, as the share of what is new."""
LARGEST_RATE = 1e100
"""Expected counts beyond this one are refused before they overflow."""
LARGEST_CHANGE = 3.0
"""Largest change of the log scale that is tried."""
MOST_TRIES = 40
"""Angles tried before a stretch stays where it is."""


@compiled()
def draw_weights(x: FloatArray, prior: WalkPrior, scale: float, weights: FloatArray, rng: Generator) -> None:
    """Draw the weight of the step into each level given the step."""
    mean, memory, df = prior.level_mean, prior.memory, prior.df
    for p in range(1, x.size):
        z = (x[p] - mean - memory * (x[p - 1] - mean)) / scale
        weights[p] = draw_gamma(0.5 * (df + 1.0), rng) / (0.5 * (df + z * z))


@compiled()
def _draw_between(
    x: FloatArray, first: int, last: int, prior: WalkPrior, scale: float, scratch: Scratch, rng: Generator
) -> None:
    """Mean of levels ``first..last`` between the others, and a draw around it, into ``scratch.mean`` and ``.turn``.

    With precision ``L L'`` and L lower bidiagonal, ``L' mean = L^-1 b`` and ``L' turn = z`` for normal z.
    """
    level, memory = prior.level_mean, prior.memory
    mean, turn, diagonal, below, weights = scratch.mean, scratch.turn, scratch.diagonal, scratch.below, scratch.weights
    blocks = x.size
    precision = 1.0 / scale**2
    under, before = 0.0, 0.0
    # precision of a level given those before it; the same as a difference, which would cancel
    left = weights[first] * precision if first > 0 else 1.0 / prior.level_sd**2
    for p in range(first, last + 1):
        out = weights[p + 1] * precision if p < blocks - 1 else 0.0
        pull = 0.0
        if p == first and p > 0:
            pull += memory * left * (x[p - 1] - level)
        if p == last and p < blocks - 1:
            pull += memory * out * (x[p + 1] - level)
        diagonal[p] = math.sqrt(left + memory * memory * out)
        left *= out / (left + memory * memory * out)
        before = (pull - under * before) / diagonal[p]
        mean[p] = before
        under = -memory * out / diagonal[p]
        below[p] = under
    mean[last] /= diagonal[last]
    turn[last] = draw_normal(rng) / diagonal[last]
    for p in range(last - 1, first - 1, -1):
        mean[p] = (mean[p] - below[p] * mean[p + 1]) / diagonal[p]
        turn[p] = (draw_normal(rng) - below[p] * turn[p + 1]) / diagonal[p]
    for p in range(first, last + 1):
        mean[p] += level


@compiled()
def _sum_blocks(n: IntArray, layout: Layout, scratch: Scratch) -> None:
    """Count and days of each block, where they say something of its level."""
    for p in range(scratch.block_count.size):
        count, days = 0.0, 0.0
        for a in range(layout.block_first[p], layout.block_first[p + 1]):
            if layout.atom_event[a] == 0:
                count += n[a]
                days += layout.atom_days[a]
        scratch.block_count[p], scratch.block_days[p] = count, days


@compiled()
def _counts_logpdf(x: FloatArray, first: int, last: int, size: float, prior: WalkPrior, scratch: Scratch) -> float:
    """Log density of the counts of blocks ``first..last`` and of the cap, up to what does not depend on the levels."""
    value: float = cap_logpdf(x, first, last, prior)
    for p in range(first, last + 1):
        count, days = scratch.block_count[p], scratch.block_days[p]
        value += count * x[p] - (count + days * size) * math.log(size + math.exp(x[p]))
    return value


@compiled()
def _length(blocks: int, rng: Generator) -> int:
    """Length of the stretches of one sweep: short as often as long, in logs."""
    return 1 + int(math.exp(rng.random() * math.log(float(blocks))))


@compiled()
def turn_levels(
    state: State, layout: Layout, prior: WalkPrior, scale: float, size: float, scratch: Scratch, rng: Generator
) -> None:
    """Redraw all levels stretch by stretch, their counts kept."""
    x, mean, turn, proposed = state.x, scratch.mean, scratch.turn, scratch.proposed
    blocks = x.size
    _sum_blocks(state.n, layout, scratch)
    length = _length(blocks, rng)
    first = -int(rng.random() * length)
    while first < blocks:
        begin, last = max(first, 0), min(first + length, blocks) - 1
        first += length
        _draw_between(x, begin, last, prior, scale, scratch, rng)
        least = _counts_logpdf(x, begin, last, size, prior, scratch) + math.log(1.0 - rng.random())
        angle = 2.0 * math.pi * rng.random()
        low, high = angle - 2.0 * math.pi, angle
        for _ in range(MOST_TRIES):
            for p in range(begin, last + 1):
                proposed[p] = mean[p] + (x[p] - mean[p]) * math.cos(angle) + turn[p] * math.sin(angle)
            if _counts_logpdf(proposed, begin, last, size, prior, scratch) > least:
                for p in range(begin, last + 1):
                    x[p] = proposed[p]
                break
            if angle < 0.0:
                low = angle
            else:
                high = angle
            angle = low + rng.random() * (high - low)


@compiled()
def _couple(state: State, layout: Layout, first: int, end: int, kept: bool, scratch: Scratch, rng: Generator) -> float:
    """Propose counts of atoms ``first`` to ``end`` (exclusive) for the levels in ``scratch.proposed``.

    Of two Poisson distributions of rates r and s, thinning with probability s / r or adding Poisson(s - r) leads from
    one to the other and back with the same density.  With the sum N ``kept`` the same holds of the multinomial shares
    r / R and s / S: an incident of an atom whose share falls stays with the probability s R / (r S), else it goes to
    one whose share rises, in proportion to the rises.  What is returned is the change of the log density that is left:
    0, or that of N being Poisson(S) in place of Poisson(R).
    """
    n, x, exposure, block, event = state.n, state.x, state.exposure, layout.atom_block, layout.atom_event
    proposal, proposed = scratch.proposal, scratch.proposed
    most = layout.log_kernel.shape[1] - 1
    if not kept:
        for a in range(first, end):
            up = proposed[block[a]] - x[block[a]]
            if event[a] == 1 or up == 0.0:
                proposal[a] = n[a]
            elif up > 0.0:
                extra = exposure[a] * (math.exp(proposed[block[a]]) - math.exp(x[block[a]]))
                # beyond any count an atom may hold: refused later, so the draw itself is spared
                proposal[a] = n[a] + draw_by_gaps(extra, rng) if extra < 2.0 * most else most + 1
            else:
                proposal[a] = draw_kept(n[a], math.exp(up), rng)
        return 0.0
    before, after, count = 0.0, 0.0, 0
    for a in range(first, end):
        if event[a] == 0:
            before += exposure[a] * math.exp(x[block[a]])
            after += exposure[a] * math.exp(proposed[block[a]])
            count += n[a]
    if before <= 0.0 or after <= 0.0 or not after < LARGEST_RATE:
        for a in range(first, end):
            proposal[a] = n[a]
        return before - after if after < LARGEST_RATE else -np.inf
    ratio = math.log(after / before)
    moved, rise, last = 0, 0.0, -1
    for a in range(first, end):
        up = proposed[block[a]] - x[block[a]] - ratio
        if event[a] == 1 or up >= 0.0:
            proposal[a] = n[a]
            if event[a] == 0 and up > 0.0:
                rise += exposure[a] * math.exp(x[block[a]]) * (math.exp(up) - 1.0)
                last = a
        else:
            proposal[a] = draw_kept(n[a], math.exp(up), rng)
            moved += n[a] - proposal[a]
    for a in range(first, end):
        if moved == 0 or last < 0:
            break
        up = proposed[block[a]] - x[block[a]] - ratio
        if event[a] == 0 and up > 0.0:
            own = exposure[a] * math.exp(x[block[a]]) * (math.exp(up) - 1.0)
            # what is left of the rises can be 0 by rounding before the last atom
            part = moved if a == last or own >= rise else draw_kept(moved, own / rise, rng)
            proposal[a] += part
            moved -= part
            rise -= own
    if moved > 0:  # no atom rises but by rounding
        return -np.inf
    return count * ratio - (after - before)


@compiled()
def turn_counts(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts | None,
    prior: WalkPrior,
    scale: float,
    scratch: Scratch,
    rng: Generator,
) -> None:
    """Redraw all levels stretch by stretch, and their counts with them."""
    x, mean, turn, proposed = state.x, scratch.mean, scratch.turn, scratch.proposed
    blocks = x.size
    length = _length(blocks, rng)
    first = -int(rng.random() * length)
    while first < blocks:
        begin, last = max(first, 0), min(first + length, blocks) - 1
        first += length
        _draw_between(x, begin, last, prior, scale, scratch, rng)
        new = math.exp(rng.random() * SMALLEST_TURN)
        old = math.sqrt(1.0 - new * new)
        for p in range(begin, last + 1):
            proposed[p] = mean[p] + (x[p] - mean[p]) * old + turn[p] * new
        change = cap_logpdf(proposed, begin, last, prior) - cap_logpdf(x, begin, last, prior)
        atom, end = layout.block_first[begin], layout.block_first[last + 1]
        kept = rng.random() >= 0.5 * lists.effort[atom]
        change += _couple(state, layout, atom, end, kept, scratch, rng)
        by_counts, found = change_with_parts(state, layout, lists, parts, atom, end, scratch, rng)
        if math.log(1.0 - rng.random()) < change + by_counts:
            take_counts(state, layout, atom, end, found, scratch)
            for p in range(begin, last + 1):
                x[p] = proposed[p]


@compiled()
def turn_path(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts | None,
    prior: WalkPrior,
    scale: float,
    size: float,
    move: float,
    shift: float,
    along: bool,
    scratch: Scratch,
    rng: Generator,
) -> tuple[float, float]:
    """Change the log scale by ``move``, all steps in proportion, the first level by ``shift``, the counts ``along``.

    In the coordinates of the first level, the scale and the steps as multiples of it only the priors of the first two
    and the counts decide.  The scale is returned, and the probability with which the move was taken.
    """
    if abs(move) > LARGEST_CHANGE:
        return scale, 0.0
    x, proposed = state.x, scratch.proposed
    mean, memory = prior.level_mean, prior.memory
    new_scale = scale * math.exp(move)
    proposed[0] = x[0] + shift
    for p in range(1, x.size):
        step = x[p] - mean - memory * (x[p - 1] - mean)
        proposed[p] = mean + memory * (proposed[p - 1] - mean) + step * math.exp(move)
    last, atoms, found = x.size - 1, layout.atom_days.size, 0
    change = 0.5 * (scale**2 - new_scale**2) / prior.scale_sd**2 + move
    change += 0.5 * ((x[0] - mean) ** 2 - (proposed[0] - mean) ** 2) / prior.level_sd**2
    if along:
        change += cap_logpdf(proposed, 0, last, prior) - cap_logpdf(x, 0, last, prior)
        change += _couple(state, layout, 0, atoms, True, scratch, rng)
        by_counts, found = change_with_parts(state, layout, lists, parts, 0, atoms, scratch, rng)
        change += by_counts
    else:
        _sum_blocks(state.n, layout, scratch)
        change += _counts_logpdf(proposed, 0, last, size, prior, scratch)
        change -= _counts_logpdf(x, 0, last, size, prior, scratch)
    accept = math.exp(min(0.0, change)) if change > -np.inf else 0.0  # what has overflowed is no number, and refused
    if rng.random() >= accept:
        return scale, accept
    if along:
        take_counts(state, layout, 0, atoms, found, scratch)
    for p in range(x.size):
        x[p] = proposed[p]
    return new_scale, accept
