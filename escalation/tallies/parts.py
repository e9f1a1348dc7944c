"""Parts of the incidents in the chain behind :func:`escalation.reconstruct`: places, and what counters count; compiled.

Each incident of an atom lies in one place, and each counter counts it with a probability of its own, whatever the
others do.  So the count of a place is one of multinomial shares of the whole, that of a counter in a place is binomial
given the place's, and counters overlap as far as they all count much of what there is.  What a move of the whole takes
from an atom is drawn from its incidents as they are, without replacement, and what it adds is drawn from those
probabilities: the densities of the parts then cancel against those of the draws, and only the windows of the parts are
left to decide.  Where incidents go over from some atoms to others they take along who counts them, so that the totals
of each counter stay; the probabilities at both ends decide too, where they differ.

Layers are the whole (0), the places, each counter's count within a place or the whole, and sums of these over places.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_kept
from escalation.tallies.chain import (
    Layout,
    Lists,
    Scratch,
    State,
    change_by_counts,
    count_change,
    cross,
    draw_jump,
    draw_other_atom,
    kernel_change,
    set_total,
)
from escalation.tallies.shares import Parts


@compiled()
def _draw_of(total: int, good: int, k: int, rng: Generator) -> int:
    """Draw how many of k of ``total`` incidents, taken without replacement, are among ``good`` ones: hypergeometric."""
    few, many, found = min(k, good), max(k, good), 0
    for i in range(few):
        if rng.random() * (total - i) < many - found:
            found += 1
    return found


@compiled()
def _draw_share(k: int, share: float, rng: Generator) -> int:
    """Draw how many of k incidents have something that each has with probability ``share``."""
    if k == 1:
        return 1 if rng.random() < share else 0
    return draw_kept(k, share, rng)


@compiled()
def _sum_up(parts: Parts) -> None:
    """Add the counters' parts over the places."""
    part, summed = parts.part, parts.summed
    for layer in range(parts.captured, part.size):
        part[layer] = 0
    for layer in range(parts.places + 1, parts.captured):
        if summed[layer] >= 0:
            part[summed[layer]] += part[layer]


@compiled()
def _draw_added(k: int, p: int, parts: Parts, rng: Generator) -> None:
    """Draw the parts of k new incidents of block p, in the layers wanted."""
    part, wanted, log_in, parent = parts.part, parts.wanted, parts.log_in, parts.parent
    part[0] = k
    left, rest = k, 1.0
    for g in range(1, parts.places + 1):
        part[g] = left
        if g < parts.places and left > 0:
            own = math.exp(log_in[g, p])
            part[g] = _draw_share(left, min(1.0, own / max(rest, 1e-300)), rng)
            left -= part[g]
            rest -= own
    for layer in range(parts.places + 1, parts.captured):
        of = part[parent[layer]]
        drawn = of > 0 and wanted[layer] == 1
        part[layer] = _draw_share(of, math.exp(log_in[layer, p]), rng) if drawn else 0
    _sum_up(parts)


@compiled()
def _draw_removed(k: int, a: int, p: int, n: IntArray, parts: Parts, rng: Generator) -> None:
    """Draw the parts of k of the incidents of atom a, in the layers wanted; as if new where a layer is not kept."""
    part, wanted, held, log_in, parent = parts.part, parts.wanted, parts.held, parts.log_in, parts.parent
    atoms = held.shape[1]
    part[0] = k
    left, rest = k, n[a]
    for g in range(1, parts.places + 1):
        part[g] = left
        if g < parts.places and left > 0:
            own = n[g * atoms + a]
            part[g] = _draw_of(rest, own, left, rng)
            left -= part[g]
            rest -= own
    for layer in range(parts.places + 1, parts.captured):
        of = part[parent[layer]]
        if of == 0 or wanted[layer] == 0:
            part[layer] = 0
        elif held[layer, a] == 1:
            part[layer] = _draw_of(n[parent[layer] * atoms + a], n[layer * atoms + a], of, rng)
        else:
            part[layer] = _draw_share(of, math.exp(log_in[layer, p]), rng)
    _sum_up(parts)


@compiled()
def _draw_from_pool(k: int, parts: Parts, rng: Generator) -> None:
    """Draw the parts of k of the incidents of the pool, and take them out of it."""
    part, pool, wanted, parent = parts.part, parts.pool, parts.wanted, parts.parent
    part[0] = k
    left, rest = k, pool[0]
    for g in range(1, parts.places + 1):
        part[g] = left
        if g < parts.places:
            own = pool[g]
            part[g] = _draw_of(rest, own, left, rng)
            left -= part[g]
            rest -= own
    for layer in range(parts.places + 1, parts.captured):
        of = part[parent[layer]]
        part[layer] = _draw_of(pool[parent[layer]], pool[layer], of, rng) if wanted[layer] == 1 else 0
    _sum_up(parts)
    for layer in range(part.size):
        pool[layer] -= part[layer]


@compiled()
def _parts_logpdf(p: int, parts: Parts) -> float:
    """Log probability of what each incident drawn is part of, in block p."""
    part, wanted, parent = parts.part, parts.wanted, parts.parent
    value = 0.0
    for g in range(1, parts.places + 1):
        value += part[g] * parts.log_in[g, p]
    for layer in range(parts.places + 1, parts.captured):
        if wanted[layer] == 1:
            value += part[layer] * parts.log_in[layer, p]
            value += (part[parent[layer]] - part[layer]) * parts.log_out[layer, p]
    return value


@compiled()
def _windows_change(a: int, sign: int, state: State, layout: Layout, lists: Lists, parts: Parts) -> float:
    """Change of all log kernels when atom a gets ``sign`` times the parts drawn; -inf beyond the tables."""
    part, held, total, log_kernel = parts.part, parts.held, state.total, layout.log_kernel
    begin, windows, atoms = lists.begin, lists.held, held.shape[1]
    change = 0.0
    for layer in range(part.size):
        if part[layer] != 0 and held[layer, a] == 1:
            cell = layer * atoms + a
            for i in range(begin[cell], begin[cell + 1]):
                change += kernel_change(log_kernel, windows[i], total[windows[i]], sign * part[layer])
    return change


@compiled()
def _take(a: int, sign: int, state: State, layout: Layout, lists: Lists, parts: Parts) -> None:
    """Let atom a have ``sign`` times the parts drawn."""
    n, _, _, total, one_more, one_less = state
    part, held, log_kernel = parts.part, parts.held, layout.log_kernel
    begin, windows, atoms = lists.begin, lists.held, held.shape[1]
    for layer in range(part.size):
        if part[layer] != 0 and held[layer, a] == 1:
            cell = layer * atoms + a
            n[cell] += sign * part[layer]
            for i in range(begin[cell], begin[cell + 1]):
                w = windows[i]
                set_total(w, total[w] + sign * part[layer], total, log_kernel, one_more, one_less)


@compiled()
def _want(a: int, b: int, parts: Parts) -> None:
    """Want the layers that are kept in atom a or in atom b."""
    for layer in range(parts.wanted.size):
        parts.wanted[layer] = max(parts.held[layer, a], parts.held[layer, b])


@compiled()
def add_or_remove_parts(
    state: State, layout: Layout, lists: Lists, parts: Parts, scratch: Scratch, size: float, jump: float, rng: Generator
) -> None:
    """Add some incidents to an atom or take some away, with their parts; at most once for each atom."""
    n, block = state.n, layout.atom_block
    most = layout.log_kernel.shape[1] - 1
    for a in range(block.size):
        if lists.effort[a] < 1.0 and rng.random() >= lists.effort[a]:
            continue
        k = draw_jump(jump, rng)
        sign = 1 if rng.random() < 0.5 else -1
        if not 0 <= n[a] + sign * k <= most:
            continue
        _want(a, a, parts)
        if sign == 1:
            _draw_added(k, block[a], parts, rng)
        else:
            _draw_removed(k, a, block[a], n, parts, rng)
        change = count_change(a, n[a], sign * k, size, layout, scratch)
        change += _windows_change(a, sign, state, layout, lists, parts)
        if math.log(1.0 - rng.random()) < change:
            _take(a, sign, state, layout, lists, parts)


@compiled()
def move_parts_between(
    state: State, layout: Layout, lists: Lists, parts: Parts, scratch: Scratch, size: float, jump: float, rng: Generator
) -> None:
    """Move some incidents from one atom to another, with their parts; twice for each atom."""
    n, _, _, total, one_more, one_less = state
    block, held, part, log_kernel = layout.atom_block, parts.held, parts.part, layout.log_kernel
    touched, delta = scratch.touched, scratch.delta
    atoms, most = block.size, log_kernel.shape[1] - 1
    for _ in range(2 * atoms):
        a = int(rng.random() * atoms)
        b = draw_other_atom(a, lists, rng)
        k = draw_jump(jump, rng)
        if not (0 <= b < atoms and n[a] >= k and n[b] + k <= most):
            continue
        _want(a, b, parts)
        _draw_removed(k, a, block[a], n, parts, rng)
        change = count_change(a, n[a], -k, size, layout, scratch) + count_change(b, n[b], k, size, layout, scratch)
        if block[a] != block[b]:
            change += _parts_logpdf(block[b], parts) - _parts_logpdf(block[a], parts)
        crossed = 0
        for layer in range(part.size):
            if part[layer] > 0 and parts.wanted[layer] == 1:
                crossed = cross(layer * atoms + a, layer * atoms + b, part[layer], layout, lists, scratch, crossed)
        for i in range(crossed):
            change += kernel_change(log_kernel, touched[i], total[touched[i]], delta[i])
        if math.log(1.0 - rng.random()) < change:
            for layer in range(part.size):
                n[layer * atoms + a] -= part[layer] * held[layer, a]
                n[layer * atoms + b] += part[layer] * held[layer, b]
            for i in range(crossed):
                w = touched[i]
                set_total(w, total[w] + delta[i], total, log_kernel, one_more, one_less)


@compiled()
def _propose_parts(
    state: State, layout: Layout, parts: Parts, first: int, end: int, scratch: Scratch, rng: Generator
) -> float:
    """Propose the parts of the counts that are proposed for atoms ``first`` to ``end``.

    Where the counts of some fall by as much as those of others rise, incidents go over and take along what they are
    part of.  What is returned is the change of the log density of the parts that is left.
    """
    n, block, proposal, held, part, pool = (
        state.n,
        layout.atom_block,
        scratch.proposal,
        parts.held,
        parts.part,
        parts.pool,
    )
    atoms, layers, wanted = block.size, part.size, parts.wanted
    more, fewer = 0, 0
    for a in range(first, end):
        more += max(0, proposal[a] - n[a])
        fewer += max(0, n[a] - proposal[a])
    over = more == fewer
    for layer in range(layers):
        wanted[layer], pool[layer] = 0, 0
        for a in range(first, end):
            wanted[layer] = max(wanted[layer], held[layer, a])
    for layer in range(1, layers):
        for a in range(layer * atoms + first, layer * atoms + end):
            proposal[a] = n[a]
    value = 0.0
    for a in range(first, end):
        if proposal[a] < n[a]:
            if not over:
                _want(a, a, parts)
            _draw_removed(n[a] - proposal[a], a, block[a], n, parts, rng)
            for layer in range(1, layers):
                proposal[layer * atoms + a] -= part[layer] * held[layer, a]
            if over:
                value -= _parts_logpdf(block[a], parts)
                for layer in range(layers):
                    pool[layer] += part[layer]
    for a in range(first, end):
        if proposal[a] > n[a]:
            if over:
                _draw_from_pool(proposal[a] - n[a], parts, rng)
                value += _parts_logpdf(block[a], parts)
            else:
                _want(a, a, parts)
                _draw_added(proposal[a] - n[a], block[a], parts, rng)
            for layer in range(1, layers):
                proposal[layer * atoms + a] += part[layer] * held[layer, a]
    return value


@compiled()
def change_with_parts(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts | None,
    first: int,
    end: int,
    scratch: Scratch,
    rng: Generator,
) -> tuple[float, int]:
    """Propose the parts of the counts proposed for atoms ``first`` to ``end``; change of the log density, and windows.

    The counts' own density is not in it; ``take_counts`` takes what is proposed.
    """
    change, found = change_by_counts(state, layout, lists, first, end, scratch)
    if parts is not None and change > -np.inf:
        atoms = layout.atom_block.size
        change += _propose_parts(state, layout, parts, first, end, scratch, rng)
        for layer in range(1, parts.part.size):
            by_part, found = change_by_counts(
                state, layout, lists, layer * atoms + first, layer * atoms + end, scratch, found
            )
            change += by_part
    return change, found


@compiled()
def _odds_of(m: int, of: int, k: int, odds: float) -> float:
    """Change of the log of a binomial probability, ``of`` trials of these log odds, when m becomes m + k."""
    if not 0 <= m + k <= of:
        return -np.inf
    change = k * odds
    change += math.lgamma(m + 1.0) - math.lgamma(m + k + 1.0)
    change += math.lgamma(of - m + 1.0) - math.lgamma(of - m - k + 1.0)
    return change


@compiled()
def count_anew(
    state: State, layout: Layout, lists: Lists, parts: Parts, scratch: Scratch, jump: float, rng: Generator
) -> None:
    """Change how many of the incidents a counter counts, in one atom, and in one more and in another less."""
    n, _, _, total, one_more, one_less = state
    block, held, part, log_kernel = layout.atom_block, parts.held, parts.part, layout.log_kernel
    touched, delta = scratch.touched, scratch.delta
    atoms = block.size
    for layer in range(parts.places + 1, parts.captured):
        own, of, above = layer * atoms, parts.parent[layer] * atoms, parts.summed[layer]
        for a in range(atoms):
            if held[layer, a] == 0:
                continue
            k = draw_jump(jump, rng) * (1 if rng.random() < 0.5 else -1)
            odds = parts.log_in[layer, block[a]] - parts.log_out[layer, block[a]]
            change = _odds_of(n[own + a], n[of + a], k, odds)
            if change > -np.inf:
                part[:] = 0
                part[layer] = k
                if above >= 0:
                    part[above] = k
                change += _windows_change(a, 1, state, layout, lists, parts)
                if math.log(1.0 - rng.random()) < change:
                    _take(a, 1, state, layout, lists, parts)
            b = draw_other_atom(a, lists, rng)
            if not 0 <= b < atoms or held[layer, b] == 0:
                continue
            # either way is as likely, for the atoms have their turns in order
            k = draw_jump(jump, rng) * (1 if rng.random() < 0.5 else -1)
            change = _odds_of(n[own + a], n[of + a], -k, odds)
            if change == -np.inf:
                continue
            odds = parts.log_in[layer, block[b]] - parts.log_out[layer, block[b]]
            change += _odds_of(n[own + b], n[of + b], k, odds)
            if change == -np.inf:
                continue
            crossed = cross(own + a, own + b, k, layout, lists, scratch, 0)
            if above >= 0:
                crossed = cross(above * atoms + a, above * atoms + b, k, layout, lists, scratch, crossed)
            for i in range(crossed):
                change += kernel_change(log_kernel, touched[i], total[touched[i]], delta[i])
            if math.log(1.0 - rng.random()) < change:
                n[own + a] -= k
                n[own + b] += k
                if above >= 0:
                    n[above * atoms + a] -= k
                    n[above * atoms + b] += k
                for i in range(crossed):
                    w = touched[i]
                    set_total(w, total[w] + delta[i], total, log_kernel, one_more, one_less)


@compiled()
def _draw_replaced(a: int, g: int, h: int, state: State, layout: Layout, parts: Parts, rng: Generator) -> float:
    """Draw the parts of one incident of atom a that goes from place g to place h; change of their log density.

    Counters that count in both places still count it, or do not; others count it anew.
    """
    n, part, held, counter, sibling = state.n, parts.part, parts.held, parts.counter, parts.sibling
    atoms, p = parts.held.shape[1], layout.atom_block[a]
    there, here = n[g * atoms + a], n[h * atoms + a]
    if there == 0:
        return -np.inf
    part[:] = 0
    part[g], part[h] = -1, 1
    for layer in range(parts.places + 1, parts.captured):
        if held[layer, a] == 0:
            continue
        c = counter[layer]
        if parts.parent[layer] == g:
            counted = 1 if rng.random() * there < n[layer * atoms + a] else 0
            part[layer] -= counted
            if sibling[c, h] >= 0:
                part[sibling[c, h]] += counted
        elif parts.parent[layer] == h and sibling[c, g] < 0:
            part[layer] += 1 if rng.random() < math.exp(parts.log_in[layer, p]) else 0
    _sum_up(parts)
    value: float = math.log(there / (here + 1.0)) + parts.log_in[h, p] - parts.log_in[g, p]
    return value


@compiled()
def replace_places(state: State, layout: Layout, lists: Lists, parts: Parts, rng: Generator) -> None:
    """Let an incident be in another place, alone or against one of another atom; both once for each atom."""
    atoms, places = parts.held.shape[1], parts.places
    for a in range(atoms):
        for against in range(2):
            if state.n[a] == 0:
                break
            g = 1 + int(rng.random() * places)
            h = 1 + int(rng.random() * (places - 1))
            h += 1 if h >= g else 0
            change = _draw_replaced(a, g, h, state, layout, parts, rng)
            if change == -np.inf:
                continue
            change += _windows_change(a, 1, state, layout, lists, parts)
            if against == 0:
                if math.log(1.0 - rng.random()) < change:
                    _take(a, 1, state, layout, lists, parts)
                continue
            b = draw_other_atom(a, lists, rng)
            if change == -np.inf or not 0 <= b < atoms or state.n[h * atoms + b] == 0:
                continue
            _take(a, 1, state, layout, lists, parts)
            before = parts.part.copy()
            change += _draw_replaced(b, h, g, state, layout, parts, rng)
            change += _windows_change(b, 1, state, layout, lists, parts)
            if math.log(1.0 - rng.random()) < change:
                _take(b, 1, state, layout, lists, parts)
            else:
                parts.part[:] = before
                _take(a, -1, state, layout, lists, parts)
