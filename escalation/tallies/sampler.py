"""The compiled Markov chain behind :func:`escalation.reconstruct`.

The state is the whole-number count of every atom (see :mod:`escalation.tallies.chain`), one log-level ``x`` per block
of days (a walk with Student-t steps, drawn back weakly towards its mean), the scale of its steps and the dispersion
``1 / k`` of the days.  Its density is

    prior(x, scale, k) * prod_a NegBin(n_a; mean d_a exp(x_block(a)), size d_a k) * prod_w kernel_w(sum of n_a over w);

an atom that was spoken of because something happened has the density ``1 / (n_a + 1)`` in place of the negative
binomial, so that it says nothing of its level.

Moves, each leaving it unchanged:

1. add or remove some incidents in one atom;
2. move some incidents from one atom to another nearby (later totals stay as they are);
3. a new level for one block, its counts kept;
4. a shift of a run of levels together with its counts, which are thinned or topped up so that
   their Poisson distribution given the exposures, drawn before, is kept (this is what mixes stretches that no tally
   speaks about); every other time the next run is shifted the other way and incidents go over, so that the total of
   both stays;
5. new levels of a stretch, its counts kept or drawn along, and a new scale with all levels
   (see :mod:`escalation.tallies.stretches`);
6. a new scale of the walk, and a new dispersion.
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
    Schedule,
    Scratch,
    State,
    WalkPrior,
    cap_logpdf,
    count_change,
    cross,
    draw_jump,
    draw_other_atom,
    kernel_change,
    list_windows,
    make_scratch,
    rate_of_blocks,
    set_total,
    start_state,
    take_counts,
    walk_logpdf,
)
from escalation.tallies.parts import (
    add_or_remove_parts,
    change_with_parts,
    count_anew,
    move_parts_between,
    replace_places,
)
from escalation.tallies.recounting import shift_counters
from escalation.tallies.shares import ACCEPTED, Parts, SharePrior, set_probabilities, step_overlap, step_shares
from escalation.tallies.stretches import draw_weights, turn_counts, turn_levels, turn_path

SMALLEST_MOVE, USUAL_MOVE, LARGEST_MOVE = math.log(0.005), math.log(0.2), math.log(1.5)
"""Log sizes between which the steps of a run of levels are drawn."""
SMALLEST_DISPERSION = 1e-4
"""Days this near to Poisson are not distinguished from it."""
POISSON_SIZE = 1e6
"""Size of negative binomial days that stand for Poisson ones."""
SMALLEST_EXPOSURE = 1e-12
"""Share of its days that the exposure of an atom never falls below."""
COUNT_MOVES = 4
"""Moves between atoms a sweep, twice for each atom."""
SHARES_EVERY = 2
"""Sweeps from one step of the shares of places and counters, which take long, to the next."""


@compiled()
def _set_odds(x: FloatArray, size: float, scratch: Scratch) -> None:
    """Work out, once for all moves of counts, the log probability of one more in a day of each block."""
    for p in range(x.size):
        scratch.log_odds[p] = x[p] - math.log(size + math.exp(x[p]))


@compiled()
def _add_or_remove(
    state: State, layout: Layout, lists: Lists, scratch: Scratch, size: float, jump: float, rng: Generator
) -> None:
    """Move 1, at most once for each atom.

    From n to n + k the density of the atom's count changes and that of each window that holds the atom; k and -k are
    as likely to be tried.
    """
    n, _, _, total, one_more, one_less = state
    begin, held, log_kernel = lists.begin, lists.held, layout.log_kernel
    most = log_kernel.shape[1] - 1
    for a in range(n.size):
        if lists.effort[a] < 1.0 and rng.random() >= lists.effort[a]:
            continue
        k = draw_jump(jump, rng)
        if rng.random() < 0.5:
            k = -k
        if 0 <= n[a] + k <= most:
            change = count_change(a, n[a], k, size, layout, scratch)
            if k == 1:
                for i in range(begin[a], begin[a + 1]):
                    change += one_more[held[i]]
            elif k == -1:
                for i in range(begin[a], begin[a + 1]):
                    change += one_less[held[i]]
            else:
                for i in range(begin[a], begin[a + 1]):
                    change += kernel_change(log_kernel, held[i], total[held[i]], k)
            if math.log(1.0 - rng.random()) < change:
                n[a] += k
                for i in range(begin[a], begin[a + 1]):
                    w = held[i]
                    set_total(w, total[w] + k, total, log_kernel, one_more, one_less)


@compiled()
def _move_between(
    state: State, layout: Layout, lists: Lists, scratch: Scratch, size: float, jump: float, rng: Generator
) -> None:
    """Move 2, twice for each atom: k incidents fewer in a and k more in b, two moves 1 in one.

    b is as likely to be drawn from a as a from b, for the distribution of their distance does not depend on the state.
    """
    n, _, _, total, one_more, one_less = state
    log_kernel = layout.log_kernel
    touched, delta = scratch.touched, scratch.delta
    atoms, most = n.size, log_kernel.shape[1] - 1
    for _ in range(2 * atoms):
        a = int(rng.random() * atoms)
        b = draw_other_atom(a, lists, rng)
        k = draw_jump(jump, rng)
        if 0 <= b < atoms and n[a] >= k and n[b] + k <= most:
            change = count_change(a, n[a], -k, size, layout, scratch)
            change += count_change(b, n[b], k, size, layout, scratch)
            crossed = cross(a, b, k, layout, lists, scratch, 0)
            for i in range(crossed):
                change += kernel_change(log_kernel, touched[i], total[touched[i]], delta[i])
            if math.log(1.0 - rng.random()) < change:
                n[a] -= k
                n[b] += k
                for i in range(crossed):
                    w = touched[i]
                    set_total(w, total[w] + delta[i], total, log_kernel, one_more, one_less)


@compiled()
def _first_level_change(old: float, new: float, prior: WalkPrior) -> float:
    """Change of the log prior of the first level."""
    return 0.5 * ((old - prior.level_mean) ** 2 - (new - prior.level_mean) ** 2) / prior.level_sd**2


@compiled()
def _step_levels(
    state: State,
    layout: Layout,
    prior: WalkPrior,
    scale: float,
    size: float,
    level_step: FloatArray,
    gain: float,
    rng: Generator,
) -> None:
    """Move 3, once for each block: a normal step of its level.

    With N incidents in the D days of the block, a step from x to y changes the log of their negative binomial
    distributions by ``N (y - x) - (N + D k) log((k + exp(y)) / (k + exp(x)))``.  While ``gain`` is above 0, the sizes
    of the steps adapt.
    """
    n, x, atom_days, block_first = state.n, state.x, layout.atom_days, layout.block_first
    for p in range(x.size):
        count, days = 0, 0.0
        for a in range(block_first[p], block_first[p + 1]):
            if layout.atom_event[a] == 0:
                count += n[a]
                days += atom_days[a]
        old = x[p]
        new_x = old + level_step[p] * draw_normal(rng)
        odds = math.log1p((math.exp(new_x) - math.exp(old)) / (size + math.exp(old)))
        change = count * (new_x - old) - (count + days * size) * odds
        change -= walk_logpdf(x, p, p, prior, scale) + cap_logpdf(x, p, p, prior)
        x[p] = new_x
        change += walk_logpdf(x, p, p, prior, scale) + cap_logpdf(x, p, p, prior)
        if p == 0:
            change += _first_level_change(old, new_x, prior)
        accept = math.exp(min(0.0, change))
        if rng.random() >= accept:
            x[p] = old
        if gain > 0.0:
            level_step[p] *= math.exp(gain * (accept - ACCEPTED))


@compiled(inline="always")
def _draw_run(p: int, blocks: int, alone: float, rng: Generator) -> tuple[int, int]:
    """Last block of a run that begins with block p, and of the run after it; the same one where there is none.

    It is alone with the probability ``alone``.
    """
    middle = p
    longer = 0.4 if rng.random() < 0.5 else 0.85
    while middle < blocks - 1 and rng.random() < longer:
        middle += 1
    last = middle
    if rng.random() >= alone and middle < blocks - 1:
        last = middle + 1
        while last < blocks - 1 and rng.random() < longer:
            last += 1
    return middle, last


@compiled(inline="always")
def _thin_or_top_up(
    state: State, layout: Layout, first: int, end: int, up: float, proposal: IntArray, rng: Generator
) -> None:
    """Propose counts of the atoms from ``first`` on whose levels have been raised by ``up``.

    Thinning Poisson(r) with probability exp(up) gives Poisson(r exp(up)), and adding Poisson(r exp(up) - r) leads back:
    the pair (count before, count after) has the same distribution either way, so the Poisson distributions of both
    cancel.
    """
    n, x, exposure, atom_block = state.n, state.x, state.exposure, layout.atom_block
    most = layout.log_kernel.shape[1] - 1
    for a in range(first, end):
        if layout.atom_event[a] == 1:
            proposal[a] = n[a]
        elif up > 0:
            extra = exposure[a] * math.exp(x[atom_block[a]]) * (1.0 - math.exp(-up))
            # beyond any count an atom may hold: refused later, so the draw itself is spared
            proposal[a] = n[a] + draw_by_gaps(extra, rng) if extra < 2.0 * most else most + 1
        else:
            proposal[a] = draw_kept(n[a], math.exp(up), rng)


@compiled(inline="always")
def _hand_over(
    state: State,
    layout: Layout,
    edges: tuple[int, int, int],
    forward: bool,
    kept: float,
    proposal: IntArray,
    rng: Generator,
) -> None:
    """Propose counts of two runs of atoms, of which one has lost rate to the other; the total of both stays.

    ``edges`` are where the first run begins, where the second one does, and where it ends; ``forward`` is whether the
    first one loses.
    Given the total, each incident is in an atom with the probability of the atom's share of the rate.  One of the
    losing run stays with the probability ``kept`` that its rate kept, else it goes to an atom of the other run in
    proportion to the new rates: so the shares become the new ones, and the way back is as likely under them.
    """
    n, x, exposure, atom_block, event = state.n, state.x, state.exposure, layout.atom_block, layout.atom_event
    first, second, end = edges
    lose, lose_end, gain, gain_end = (first, second, second, end) if forward else (second, end, first, second)
    moved, rate, last = 0, 0.0, gain
    for a in range(lose, lose_end):
        proposal[a] = n[a] if event[a] == 1 else draw_kept(n[a], kept, rng)
        moved += n[a] - proposal[a]
    for a in range(gain, gain_end):
        rate += exposure[a] * math.exp(x[atom_block[a]])
        last = a if event[a] == 0 else last
    for a in range(gain, gain_end):
        if event[a] == 1:
            proposal[a] = n[a]
            continue
        own = exposure[a] * math.exp(x[atom_block[a]])
        # what is left of the rate can be 0 by rounding before the last atom
        part = moved if a == last or own >= rate else draw_kept(moved, own / rate, rng)
        proposal[a] = n[a] + part
        moved -= part
        rate -= own


@compiled()
def _shift_runs(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts | None,
    prior: WalkPrior,
    scale: float,
    scratch: Scratch,
    rng: Generator,
) -> None:
    """Move 4, one run from each block on.

    The proposed counts follow the Poisson distributions of the new levels as the old ones did those of the old levels,
    so that only the prior of the levels and the kernels decide.  A run alone goes up by a symmetric ``move``.  Of two
    runs of rates A and B the share ``s = A / (A + B)`` goes from logit(s) to logit(s) + move, and A + B stays, so that
    the first goes up by ``-log(s + (1 - s) exp(-move))`` and the other by ``move`` less; log A and log B are
    ``log(A + B)`` and ``logit(s)`` in coordinates of constant volume (the determinant is -1).
    """
    x, proposal = state.x, scratch.proposal
    for p in range(x.size):
        middle, last = _draw_run(p, x.size, 0.5 * lists.effort[layout.block_first[p]], rng)
        # how far a run can go depends on what pins it, so steps of several sizes are tried
        least = SMALLEST_MOVE if rng.random() < 0.3 else USUAL_MOVE
        move = math.exp(least + rng.random() * (LARGEST_MOVE - least)) * draw_normal(rng)
        up, down = move, 0.0
        if last > middle:
            ahead, behind = rate_of_blocks(state, layout, p, middle), rate_of_blocks(state, layout, middle + 1, last)
            if ahead > 0.0 and behind > 0.0:
                share = ahead / (ahead + behind)
                up = -math.log(share + (1.0 - share) * math.exp(-move))
                down = up - move
            else:  # one of them is of days that say nothing of their level
                last = middle
        change = -walk_logpdf(x, p, last, prior, scale) - cap_logpdf(x, p, last, prior)
        if p == 0:
            change += _first_level_change(x[0], x[0] + up, prior)
        for q in range(p, last + 1):
            x[q] += up if q <= middle else down
        change += walk_logpdf(x, p, last, prior, scale) + cap_logpdf(x, p, last, prior)
        first, second, end = layout.block_first[p], layout.block_first[middle + 1], layout.block_first[last + 1]
        if last == middle:
            _thin_or_top_up(state, layout, first, end, up, proposal, rng)
        else:
            _hand_over(state, layout, (first, second, end), up < 0, math.exp(min(up, down)), proposal, rng)
        by_counts, found = change_with_parts(state, layout, lists, parts, first, end, scratch, rng)
        if math.log(1.0 - rng.random()) < change + by_counts:
            take_counts(state, layout, first, end, found, scratch)
        else:
            for q in range(p, last + 1):
                x[q] -= up if q <= middle else down


@compiled()
def _draw_exposures(state: State, layout: Layout, size: float, rng: Generator) -> None:
    """Draw the exposure of each atom given its count and level: gamma of shape ``n + d k`` and rate ``k + exp(x)``."""
    for a in range(layout.atom_days.size):
        if layout.atom_event[a] == 1:
            state.exposure[a] = 0.0
            continue
        shape = state.n[a] + size * layout.atom_days[a]
        # a shape below 1 by the power of a uniform number (Marsaglia and Tsang 2000, section 6)
        drawn = draw_gamma(shape, rng) if shape >= 1.0 else draw_gamma(shape + 1.0, rng) * rng.random() ** (1.0 / shape)
        drawn /= size + math.exp(state.x[layout.atom_block[a]])
        state.exposure[a] = max(drawn, SMALLEST_EXPOSURE * layout.atom_days[a])


@compiled()
def _size_logpdf(state: State, layout: Layout, size: float) -> float:
    """Log density of all counts given the levels, up to what does not depend on the size."""
    value, log_size = 0.0, math.log(size)
    for a in range(layout.atom_days.size):
        if layout.atom_event[a] == 0:
            own, log_sum = size * layout.atom_days[a], math.log(size + math.exp(state.x[layout.atom_block[a]]))
            value += own * (log_size - log_sum)
            if state.n[a] > 0:
                value += math.lgamma(state.n[a] + own) - math.lgamma(own) - state.n[a] * log_sum
    return value


@compiled()
def _step_size(
    state: State, layout: Layout, prior: WalkPrior, size: float, step: float, gain: float, rng: Generator
) -> tuple[float, float]:
    """Move 6, a normal step of the log dispersion; the size of the days and of the steps are returned."""
    new = size * math.exp(step * draw_normal(rng))
    if 1.0 / new < SMALLEST_DISPERSION:
        return size, step
    change = _size_logpdf(state, layout, new) - _size_logpdf(state, layout, size)
    change += 0.5 * (size**-2 - new**-2) / prior.dispersion_sd**2 + math.log(size / new)
    accept = math.exp(min(0.0, change))
    if rng.random() < accept:
        size = new
    if gain > 0.0:
        step *= math.exp(gain * (accept - ACCEPTED))
    return size, step


@compiled()
def _step_scale(
    x: FloatArray, prior: WalkPrior, scale: float, scale_step: float, gain: float, rng: Generator
) -> tuple[float, float]:
    """Move 6, three times: a normal step of the log scale; the scale and the size of the steps are returned.

    The half-normal prior is of the scale, the step of its log, hence the term ``log(new / old)``.
    """
    for _ in range(3):
        new_scale = scale * math.exp(scale_step * draw_normal(rng))
        change = walk_logpdf(x, 0, x.size, prior, new_scale) - walk_logpdf(x, 0, x.size, prior, scale)
        change += 0.5 * (scale**2 - new_scale**2) / prior.scale_sd**2 + math.log(new_scale / scale)
        accept = math.exp(min(0.0, change))
        if rng.random() < accept:
            scale = new_scale
        if gain > 0.0:
            scale_step *= math.exp(gain * (accept - ACCEPTED))
    return scale, scale_step


@compiled()
def run_chain(
    rng: Generator,
    layout: Layout,
    prior: WalkPrior,
    schedule: Schedule,
    n: IntArray,
    x: FloatArray,
    scale: float,
    size: float,
    jump: float,
    steps: FloatArray,
    parts: Parts | None = None,
    shares: SharePrior | None = None,
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Run one chain and return what it kept.

    Parameters
    ----------
    rng : numpy.random.Generator
        The chain's own generator.
    layout : Layout
        Of A atoms in P blocks.
    prior : WalkPrior
        Of the levels.
    schedule : Schedule
        How long to run.
    n : (L A,) int
        Starting counts of all cells; the kernel of every window must be finite at them.
    x : (P,) float
        Starting log rates per day.
    scale : float
        Starting scale of the walk, > 0.
    size : float
        Starting size of the negative binomial days, > 0; no matter where the prior says that days are Poisson.
    jump : float
        Mean extra size of the count moves; 0 for steps of one only.
    steps : (P + 5,) float
        Sizes of the steps of each level, of the scale, of the dispersion, of the scale together with all levels
        without their counts and with them, and of the first level with all others; they are written to, so that a
        chain can be run on.
    parts : Parts, optional
        Places and counters; their shares and the sizes of their steps are written to.
    shares : SharePrior, optional
        Of their shares.

    Returns
    -------
    counts : (keep, L A) int
    levels : (keep, P) float
    scales : (keep,) float
    sizes : (keep,) float
    log_shares : (keep, L, P) float
        Log probability that an incident of the parent is in each layer; (keep, 0, 0) without parts.
    """
    cells, blocks = n.size, x.size
    state, lists = start_state(n, x, layout), list_windows(layout, cells)
    scratch = make_scratch(cells, layout.window_first.size, blocks)
    level_step = steps[:blocks]
    scale_step, size_step, turn_step = steps[blocks], steps[blocks + 1], steps[blocks + 2]
    along_step, first_step = steps[blocks + 3], steps[blocks + 4]
    if prior.dispersion_sd == 0.0:
        size = POISSON_SIZE
    warmup, keep, thin = schedule.warmup, schedule.keep, schedule.thin
    kept_n, kept_x, kept_scale = np.empty((keep, cells), np.int64), np.empty((keep, blocks)), np.empty(keep)
    kept_size = np.empty(keep)
    if parts is None:
        kept_in = np.empty((keep, 0, 0))
    else:
        kept_in = np.empty((keep, parts.part.size, blocks))
        set_probabilities(parts)
    for sweep in range(warmup + keep * thin):
        gain = 1.0 / math.sqrt(1.0 + sweep) if sweep < warmup else 0.0
        _set_odds(state.x, size, scratch)
        if parts is None:
            _add_or_remove(state, layout, lists, scratch, size, jump, rng)
        else:
            add_or_remove_parts(state, layout, lists, parts, scratch, size, jump, rng)
            count_anew(state, layout, lists, parts, scratch, jump, rng)
            if parts.places > 1:
                replace_places(state, layout, lists, parts, rng)
            if sweep % SHARES_EVERY == 0:
                step_shares(state, layout, parts, shares, gain, rng)  # type: ignore[arg-type]
            if parts.captured > parts.places + 1:
                shift_counters(state, layout, lists, parts, shares, scratch, gain, rng)  # type: ignore[arg-type]
        for _ in range(COUNT_MOVES):
            if parts is None:
                _move_between(state, layout, lists, scratch, size, jump, rng)
            else:
                move_parts_between(state, layout, lists, parts, scratch, size, jump, rng)
        _step_levels(state, layout, prior, scale, size, level_step, gain, rng)
        if blocks > 1:
            draw_weights(state.x, prior, scale, scratch.weights, rng)
            turn_levels(state, layout, prior, scale, size, scratch, rng)
            move = turn_step * draw_normal(rng)
            scale, accept = turn_path(state, layout, lists, parts, prior, scale, size, move, 0.0, False, scratch, rng)
            if gain > 0.0:
                turn_step *= math.exp(gain * (accept - ACCEPTED))
        _draw_exposures(state, layout, size, rng)
        if parts is not None and parts.captured > parts.places + 1 and sweep % SHARES_EVERY == 0:
            step_overlap(state, layout, lists, parts, prior, scale, shares, gain, rng)  # type: ignore[arg-type]
        if blocks > 1:
            turn_counts(state, layout, lists, parts, prior, scale, scratch, rng)
            move = along_step * draw_normal(rng)
            scale, accept = turn_path(state, layout, lists, parts, prior, scale, size, move, 0.0, True, scratch, rng)
            if gain > 0.0:
                along_step *= math.exp(gain * (accept - ACCEPTED))
            shift = first_step * draw_normal(rng)
            scale, accept = turn_path(state, layout, lists, parts, prior, scale, size, 0.0, shift, True, scratch, rng)
            if gain > 0.0:
                first_step *= math.exp(gain * (accept - ACCEPTED))
        _shift_runs(state, layout, lists, parts, prior, scale, scratch, rng)
        if blocks > 1:
            scale, scale_step = _step_scale(state.x, prior, scale, scale_step, gain, rng)
        if prior.dispersion_sd > 0.0:
            size, size_step = _step_size(state, layout, prior, size, size_step, gain, rng)
        if sweep >= warmup and (sweep - warmup + 1) % thin == 0:
            row = (sweep - warmup) // thin
            for a in range(cells):  # slice assignment would compile numpy's broadcasting and its messages
                kept_n[row, a] = state.n[a]
            for p in range(blocks):
                kept_x[row, p] = state.x[p]
            kept_scale[row], kept_size[row] = scale, size
            if parts is not None:
                for layer in range(parts.part.size):
                    for p in range(blocks):
                        kept_in[row, layer, p] = parts.log_in[layer, p]
    steps[blocks], steps[blocks + 1], steps[blocks + 2] = scale_step, size_step, turn_step
    steps[blocks + 3], steps[blocks + 4] = along_step, first_step
    return kept_n, kept_x, kept_scale, kept_size, kept_in
