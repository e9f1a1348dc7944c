"""Moves of what a counter counts together with its ratio, in the chain behind :func:`escalation.reconstruct`; compiled.

A counter with few tallies is known by its ratio, and its ratio by what it counts; one at a time they hardly move.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_kept, draw_normal
from escalation.tallies.chain import Layout, Lists, Scratch, State, change_by_counts, set_total
from escalation.tallies.shares import ACCEPTED, MOST_OVERLAP, Parts, SharePrior, overlap_logpdf, set_ratios


@compiled()
def _widest(p: int, parts: Parts) -> float:
    """Largest log ratio of a block."""
    ratio, k = parts.ratio, parts.knot[0, p]
    after, value = min(k + 1, ratio.shape[1] - 1), -np.inf
    for c in range(ratio.shape[0]):
        value = max(value, ratio[c, k] + parts.share[0, p] * (ratio[c, after] - ratio[c, k]))
    return value


@compiled()
def _shift_ratio(c: int, move: float, parts: Parts, prior: SharePrior) -> float:
    """Shift the log ratio of a counter, and the overlap so that the others count as before; change of the priors.

    It is -inf where that cannot be: the counter is the widest one for a part of the time.
    """
    ratio, overlap = parts.ratio, parts.overlap
    before = overlap_logpdf(overlap[0], prior) - 0.5 * (ratio[c, 0] / prior.ratio_sd) ** 2
    first, alike, blocks = 0.0, True, parts.log_in.shape[1]
    for p in range(blocks):
        wide = _widest(p, parts)
        for k in range(ratio.shape[1]):
            ratio[c, k] += move
        rise = _widest(p, parts) - wide
        for k in range(ratio.shape[1]):
            ratio[c, k] -= move
        first = rise if p == 0 else first
        alike = alike and abs(rise - first) < 1e-9
    for k in range(ratio.shape[1]):
        ratio[c, k] += move
    overlap[0] *= math.exp(first)
    if not alike or overlap[0] >= MOST_OVERLAP:
        return -np.inf
    change: float = overlap_logpdf(overlap[0], prior) - 0.5 * (ratio[c, 0] / prior.ratio_sd) ** 2 - before
    return change


@compiled()
def shift_counters(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts,
    prior: SharePrior,
    scratch: Scratch,
    gain: float,
    rng: Generator,
) -> None:
    """Shift the ratio of each counter together with what it counts.

    Of two probabilities q < r that an incident is counted each one counted stays so with probability q / r on the way
    down, and on the way up each one not counted becomes so with probability (r - q) / (1 - q): the binomial
    distributions cancel, and the counter's windows and the priors decide.
    """
    n, _, _, total, one_more, one_less = state
    block, held, proposal, log_in = layout.atom_block, parts.held, scratch.proposal, parts.log_in
    atoms = block.size
    for c in range(parts.ratio.shape[0]):
        ratio, overlap = parts.ratio[c].copy(), parts.overlap[0]
        old = log_in.copy()
        change = _shift_ratio(c, parts.ratio_steps[c, 2] * draw_normal(rng), parts, prior)
        found = 0
        if change > -np.inf:
            set_ratios(parts, 0, parts.log_in.shape[1])
            for layer in range(parts.captured, parts.part.size):
                if parts.counter[layer] == c:
                    proposal[layer * atoms : (layer + 1) * atoms] = 0
            for layer in range(parts.places + 1, parts.captured):
                if parts.counter[layer] != c:
                    continue
                for a in range(atoms):
                    m, of = n[layer * atoms + a], n[parts.parent[layer] * atoms + a]
                    up = log_in[layer, block[a]] - old[layer, block[a]]
                    if held[layer, a] == 0:
                        m = 0
                    elif up < 0.0:
                        m = draw_kept(m, math.exp(up), rng)
                    else:
                        was = math.exp(old[layer, block[a]])
                        m += draw_kept(of - m, was * (math.exp(up) - 1.0) / (1.0 - was), rng)
                    proposal[layer * atoms + a] = m
                    if parts.summed[layer] >= 0:
                        proposal[parts.summed[layer] * atoms + a] += m
            for layer in range(parts.places + 1, parts.part.size):
                if parts.counter[layer] == c:
                    by_part, found = change_by_counts(
                        state, layout, lists, layer * atoms, (layer + 1) * atoms, scratch, found
                    )
                    change += by_part
        accept = math.exp(min(0.0, change)) if change > -np.inf else 0.0
        if rng.random() < accept:
            for i in range(found):
                w = scratch.touched[i]
                set_total(w, total[w] + scratch.delta[i], total, layout.log_kernel, one_more, one_less)
            for layer in range(parts.places + 1, parts.part.size):
                if parts.counter[layer] == c:
                    n[layer * atoms : (layer + 1) * atoms] = proposal[layer * atoms : (layer + 1) * atoms]
        else:
            parts.ratio[c] = ratio
            parts.overlap[0] = overlap
            set_ratios(parts, 0, parts.log_in.shape[1])
        if gain > 0.0:
            parts.ratio_steps[c, 2] *= math.exp(gain * (accept - ACCEPTED))
