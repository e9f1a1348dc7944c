"""Probabilities that an incident lies in a place and that a counter counts it, as a chain comes to them; compiled.

Of all incidents of a week a counter c counts the share ``overlap * exp(ratio_c - largest ratio - missed_c)``: the
widest counter the share ``overlap``, the others less, and each one less than usual in weeks in which it misses more.
Ratios and the weights of places are walks between knots; what a counter misses is exponential, each week by itself.
How many incidents no counter counts is nobody's question, but says how far counters differ by chance: the overlap is
drawn together with the level of all that there is, the counts of the counters staying as they are, and its counts
summed out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_normal
from escalation.tallies.chain import (
    Layout,
    Lists,
    State,
    WalkPrior,
    cap_logpdf,
    walk_logpdf,
)

ACCEPTED = 0.44
"""Share of the steps of one number that is best taken (Roberts & Rosenthal 2001, doi:10.1214/ss/1015346320)."""
NEGLIGIBLE = 1e-9
"""Terms smaller than this share of the largest one end a sum, once they fall."""
LARGEST_STEP = 3.0
"""Largest step of the log overlap that is tried."""
LARGEST_RATE = 1e5
"""Expected counts of an atom beyond this one are not summed out, but refused."""
SMALLEST_DRIFT = 1e-3
"""Smallest scale of the drift, and mean of what is missed, as a share of that of its prior."""
MOST_OVERLAP = 1.0 - 1e-6
"""The widest counter misses something always."""


class SharePrior(NamedTuple):
    """Priors of the probabilities of the parts.

    Attributes
    ----------
    ratio_sd : float
        Normal prior of the first log ratio of each counter.
    drift_sd : float
        Half-normal prior of the scale of its normal steps from knot to knot, which all counters have.
    missed_sd : float
        Half-normal prior of the mean of what each counter misses in a week beyond the usual, in logs.
    place_sd, place_drift_sd : float
        Likewise of the log weight of each place.
    overlap_yes, overlap_no : float
        Beta prior of the share of all incidents that the widest counter counts.
    """

    ratio_sd: float = 0.5
    drift_sd: float = 0.15
    missed_sd: float = 0.3
    place_sd: float = 1.5
    place_drift_sd: float = 0.5
    overlap_yes: float = 8.0
    overlap_no: float = 2.0


class Parts(NamedTuple):
    """What the layers are, and the probabilities that a chain has come to; the latter are written to.

    Attributes
    ----------
    places, captured : int
        Layers 1 to ``places`` are places, those from there to before ``captured`` counters' counts, others are sums.
    parent, counter, place, summed : (L,) int
        Layer that each is a part of, its counter, its place and the layer that sums it; -1 for none.
    sibling : (C, places + 1) int
        Layer of a counter in each place, -1 where it has none; 0 is for its count of the whole.
    held : (L, A) int
        1 where the chain keeps the layer's count of an atom: where its counter says something of it.
    knot, share : (P,) int and float
        Knot before each block, and how far it is on the way to the next one; two rows, of counters and of places.
    ratio, weight : (C, K) and (places, J) float
        Log ratio of each counter, and log weight of each place, at the knots.
    drift : (1,) float
        Scale of the steps of the log ratios.
    missed : (C, P) float
        By how much each counter's log probability is below the usual in each block, >= 0.
    uneven : (C,) float
        Mean of what each counter misses.
    overlap : (1,) float
        Share of all incidents that the widest counter counts.
    ratio_steps, weight_steps, drift_step, overlap_step, uneven_steps : (C, 3), (places, 2), (1,), (1,), (C, 2) float
        Sizes of their steps: of all knots together, of one, and of all together with the counts; of the mean of what a
        counter misses alone, and with what it misses.
    log_in, log_out : (L, P) float
        Log probability that an incident of the parent is in the layer, and that it is not.
    part, pool, wanted : (L,) int
        Places that a move writes to.
    """

    places: int
    captured: int
    parent: IntArray
    counter: IntArray
    place: IntArray
    summed: IntArray
    sibling: IntArray
    held: IntArray
    knot: IntArray
    share: FloatArray
    ratio: FloatArray
    weight: FloatArray
    drift: FloatArray
    missed: FloatArray
    uneven: FloatArray
    overlap: FloatArray
    ratio_steps: FloatArray
    weight_steps: FloatArray
    drift_step: FloatArray
    overlap_step: FloatArray
    uneven_steps: FloatArray
    log_in: FloatArray
    log_out: FloatArray
    part: IntArray
    pool: IntArray
    wanted: IntArray


@compiled()
def set_weights(parts: Parts, first: int, end: int) -> None:
    """Work out the probabilities of the places in blocks ``first`` to ``end`` from their weights."""
    log_in, knot, share, weight = parts.log_in, parts.knot, parts.share, parts.weight
    for p in range(first, end):
        total, k = 0.0, knot[1, p]
        after = min(k + 1, weight.shape[1] - 1)
        for g in range(parts.places):
            log_in[g + 1, p] = weight[g, k] + share[1, p] * (weight[g, after] - weight[g, k])
            total += math.exp(log_in[g + 1, p])
        for g in range(parts.places):
            log_in[g + 1, p] -= math.log(total)


@compiled()
def set_ratios(parts: Parts, first: int, end: int) -> None:
    """Work out with which probability each counter counts an incident in blocks ``first`` to ``end``."""
    log_in, log_out, knot, share, ratio = parts.log_in, parts.log_out, parts.knot, parts.share, parts.ratio
    log_overlap = math.log(parts.overlap[0])
    for p in range(first, end):
        k = knot[0, p]
        after = min(k + 1, ratio.shape[1] - 1)
        widest = -np.inf
        for c in range(ratio.shape[0]):
            widest = max(widest, ratio[c, k] + share[0, p] * (ratio[c, after] - ratio[c, k]))
        if ratio.shape[0] > 1:
            log_in[0, p] = log_overlap - widest
        for layer in range(parts.places + 1, parts.captured):
            c = parts.counter[layer]
            own = ratio[c, k] + share[0, p] * (ratio[c, after] - ratio[c, k])
            log_in[layer, p] = log_overlap + own - widest - parts.missed[c, p]
            log_out[layer, p] = math.log1p(-math.exp(log_in[layer, p]))


@compiled()
def set_probabilities(parts: Parts) -> None:
    """Work out the probabilities of all layers."""
    set_weights(parts, 0, parts.log_in.shape[1])
    set_ratios(parts, 0, parts.log_in.shape[1])


@compiled()
def _counts_logpdf(
    layer: int, last: int, first: int, end: int, inside: FloatArray, outside: FloatArray, parts: Parts
) -> float:
    """Log density of layers ``layer`` to ``last`` in blocks ``first`` to ``end`` given those that they are parts of."""
    value = 0.0
    for own in range(layer, last):
        for p in range(first, end):
            if inside[own, p] > 0.0:
                value += inside[own, p] * parts.log_in[own, p]
            if outside[own, p] > 0.0:
                value += outside[own, p] * parts.log_out[own, p]
    return value


@compiled()
def _steps_logpdf(logs: FloatArray, first_sd: float, step_sd: float) -> float:
    """Log density of walks, one a row, up to a constant."""
    value = 0.0
    for c in range(logs.shape[0]):
        value -= 0.5 * (logs[c, 0] / first_sd) ** 2
        for k in range(1, logs.shape[1]):
            value -= 0.5 * ((logs[c, k] - logs[c, k - 1]) / step_sd) ** 2
    return value


@compiled()
def overlap_logpdf(overlap: float, prior: SharePrior) -> float:
    """Log density of the log of the overlap, up to a constant."""
    return prior.overlap_yes * math.log(overlap) + (prior.overlap_no - 1.0) * math.log1p(-overlap)


@compiled()
def _set_logs(of_ratios: bool, parts: Parts, first: int, end: int) -> None:
    """Work out the probabilities of blocks ``first`` to ``end`` from the ratios, or from the weights."""
    if of_ratios:
        set_ratios(parts, first, end)
    else:
        set_weights(parts, first, end)


@compiled()
def _logs_logpdf(
    of_ratios: bool, first: int, end: int, inside: FloatArray, outside: FloatArray, parts: Parts, prior: SharePrior
) -> float:
    """Log density of the ratios, or of the weights, given the counts of blocks ``first`` to ``end``."""
    if of_ratios:
        value: float = _counts_logpdf(parts.places + 1, parts.captured, first, end, inside, outside, parts)
        return value + _steps_logpdf(parts.ratio, prior.ratio_sd, parts.drift[0])
    value = _counts_logpdf(1, parts.places + 1, first, end, inside, outside, parts)
    return value + _steps_logpdf(parts.weight, prior.place_sd, prior.place_drift_sd)


@compiled()
def _shift_logs(logs: FloatArray, row: int, knot: int, move: float) -> None:
    """Add to one row at one knot; to all rows where ``row`` is behind the last, at all knots where ``knot`` is -1."""
    for r in range(logs.shape[0]):
        for j in range(logs.shape[1]):
            if row in (r, logs.shape[0]) and knot in (-1, j):
                logs[r, j] += move


@compiled()
def _step_logs(
    logs: FloatArray,
    steps: FloatArray,
    of_ratios: bool,
    inside: FloatArray,
    outside: FloatArray,
    parts: Parts,
    prior: SharePrior,
    gain: float,
    rng: Generator,
) -> None:
    """Take a normal step of each row of logs as a whole, of each at each knot, and of all rows together.

    A knot speaks of the blocks between those beside it.
    """
    rows, knots, blocks = logs.shape[0], logs.shape[1], parts.log_in.shape[1]
    before = parts.knot[0 if of_ratios else 1]
    for row in range(rows + (1 if rows > 1 else 0)):
        for knot in range(-1, knots if row < rows and knots > 1 else 0):
            which = 0 if knot < 0 else 1
            first, end = 0, blocks
            if knot >= 0:
                first, end = int(np.searchsorted(before, knot - 1)), int(np.searchsorted(before, knot + 1))
            move = draw_normal(rng) * (steps[row, which] if row < rows else prior.ratio_sd)
            now = _logs_logpdf(of_ratios, first, end, inside, outside, parts, prior)
            _shift_logs(logs, row, knot, move)
            _set_logs(of_ratios, parts, first, end)
            new = _logs_logpdf(of_ratios, first, end, inside, outside, parts, prior)
            accept = math.exp(min(0.0, new - now)) if new > -np.inf else 0.0  # what has overflowed is no number
            if rng.random() >= accept:
                _shift_logs(logs, row, knot, -move)
                _set_logs(of_ratios, parts, first, end)
            if gain > 0.0 and row < rows:
                steps[row, which] *= math.exp(gain * (accept - ACCEPTED))


@compiled()
def _stretch_steps(ratio: FloatArray, factor: float) -> None:
    """Multiply the steps of each log ratio from knot to knot."""
    for c in range(ratio.shape[0]):
        for k in range(ratio.shape[1] - 1, 0, -1):
            ratio[c, k] -= ratio[c, k - 1]
        for k in range(1, ratio.shape[1]):
            ratio[c, k] = ratio[c, k - 1] + factor * ratio[c, k]


@compiled()
def _step_drift(
    inside: FloatArray, outside: FloatArray, parts: Parts, prior: SharePrior, gain: float, rng: Generator
) -> None:
    """Take a normal step of the log scale of the drift, the ratios staying as they are; then one along with them."""
    ratio, drift, blocks = parts.ratio, parts.drift, parts.log_in.shape[1]
    number = ratio.shape[0] * (ratio.shape[1] - 1)
    for along in range(2):
        move = parts.drift_step[0] * draw_normal(rng)
        old, factor = drift[0], math.exp(move)
        new = old * factor
        # half-normal prior of the scale, whose log is drawn
        change = 0.5 * (old**2 - new**2) / prior.drift_sd**2 + move
        if along == 0:
            change += _steps_logpdf(ratio, prior.ratio_sd, new) - _steps_logpdf(ratio, prior.ratio_sd, old)
            change -= number * move
        else:  # the steps as multiples of the scale stay
            change -= _counts_logpdf(parts.places + 1, parts.captured, 0, blocks, inside, outside, parts)
            _stretch_steps(ratio, factor)
            set_ratios(parts, 0, blocks)
            change += _counts_logpdf(parts.places + 1, parts.captured, 0, blocks, inside, outside, parts)
        accept = math.exp(min(0.0, change)) if change > -np.inf else 0.0
        if new > SMALLEST_DRIFT * prior.drift_sd and rng.random() < accept:
            drift[0] = new
        elif along == 1:
            _stretch_steps(ratio, 1.0 / factor)
            set_ratios(parts, 0, blocks)
        if gain > 0.0:
            parts.drift_step[0] *= math.exp(gain * (accept - ACCEPTED))


@compiled()
def _set_missed(c: int, p: int, value: float, parts: Parts) -> None:
    """Set what a counter misses in a block, and its probabilities there."""
    for layer in range(parts.places + 1, parts.captured):
        if parts.counter[layer] == c:
            parts.log_in[layer, p] += parts.missed[c, p] - value
            parts.log_out[layer, p] = math.log1p(-math.exp(parts.log_in[layer, p]))
    parts.missed[c, p] = value


@compiled()
def _missed_logpdf(c: int, p: int, inside: FloatArray, outside: FloatArray, parts: Parts) -> float:
    """Log density of what a counter counts in a block and of what it misses there, up to a constant."""
    value: float = -parts.missed[c, p] / parts.uneven[c]
    for layer in range(parts.places + 1, parts.captured):
        if parts.counter[layer] == c:
            value += _counts_logpdf(layer, layer + 1, p, p + 1, inside, outside, parts)
    return value


@compiled()
def _step_missed(c: int, inside: FloatArray, outside: FloatArray, parts: Parts, rng: Generator) -> None:
    """Draw what a counter misses in each block: anew from its prior, or a normal step, turned back at 0."""
    missed, uneven = parts.missed, parts.uneven[c]
    for p in range(parts.log_in.shape[1]):
        anew, old = rng.random() < 0.5, missed[c, p]
        now = _missed_logpdf(c, p, inside, outside, parts)
        new = -uneven * math.log(1.0 - rng.random()) if anew else abs(old + uneven * draw_normal(rng))
        _set_missed(c, p, new, parts)
        change = _missed_logpdf(c, p, inside, outside, parts) - now
        change += (new - old) / uneven if anew else 0.0
        if math.log(1.0 - rng.random()) >= change:
            _set_missed(c, p, old, parts)


@compiled()
def _step_uneven(
    c: int, inside: FloatArray, outside: FloatArray, parts: Parts, prior: SharePrior, gain: float, rng: Generator
) -> None:
    """Take a normal step of the log mean of what a counter misses, which stays as it is; then one along with it."""
    missed, uneven, blocks = parts.missed, parts.uneven, parts.log_in.shape[1]
    for along in range(2):
        move = parts.uneven_steps[c, along] * draw_normal(rng)
        old, factor = uneven[c], math.exp(move)
        new, change = old * factor, 0.0
        if along == 0:
            change -= blocks * move
            for p in range(blocks):
                change += missed[c, p] * (1.0 / old - 1.0 / new)
        else:  # multiples of the mean stay
            for p in range(blocks):
                change -= _missed_logpdf(c, p, inside, outside, parts)
                _set_missed(c, p, missed[c, p] * factor, parts)
            uneven[c] = new
            for p in range(blocks):
                change += _missed_logpdf(c, p, inside, outside, parts)
        change += 0.5 * (old**2 - new**2) / prior.missed_sd**2 + move
        accept = math.exp(min(0.0, change)) if new > SMALLEST_DRIFT * prior.missed_sd else 0.0
        if rng.random() < accept:
            uneven[c] = new
        elif along == 1:
            uneven[c] = old
            for p in range(blocks):
                _set_missed(c, p, missed[c, p] / factor, parts)
        if gain > 0.0:
            parts.uneven_steps[c, along] *= math.exp(gain * (accept - ACCEPTED))


@compiled()
def step_shares(state: State, layout: Layout, parts: Parts, prior: SharePrior, gain: float, rng: Generator) -> None:
    """Take normal steps of the ratios and the weights, given all counts."""
    n, block, held = state.n, layout.atom_block, parts.held
    atoms, blocks = block.size, parts.log_in.shape[1]
    inside, outside = np.zeros((parts.captured, blocks)), np.zeros((parts.captured, blocks))
    for layer in range(1, parts.captured):
        for a in range(atoms):
            if held[layer, a] == 1:
                inside[layer, block[a]] += n[layer * atoms + a]
                if layer > parts.places:
                    outside[layer, block[a]] += n[parts.parent[layer] * atoms + a] - n[layer * atoms + a]
    if parts.captured > parts.places + 1:
        _step_logs(parts.ratio, parts.ratio_steps, True, inside, outside, parts, prior, gain, rng)
        if parts.ratio.shape[1] > 1:
            _step_drift(inside, outside, parts, prior, gain, rng)
        for c in range(parts.ratio.shape[0]):
            _step_missed(c, inside, outside, parts, rng)
            _step_uneven(c, inside, outside, parts, prior, gain, rng)
    if parts.places > 0:
        _step_logs(parts.weight, parts.weight_steps, False, inside, outside, parts, prior, gain, rng)
    set_probabilities(parts)


@compiled()
def _sum_out(
    a: int, p: int, g: int, rate: float, more: float, u: float, state: State, parts: Parts
) -> tuple[float, int]:
    """Sum the density of the count of atom a in place g over all that it may be, given those of the counters.

    It is Poisson of mean ``rate * exp(more)``, and a counter counts each with a probability ``exp(-more)`` times what
    it is now.  From the largest of their counts m on, a term is the one before times
    ``rate exp(more) / N * prod((1 - q) N / (N - m))``.

    Returns
    -------
    value : float
        Log of the sum.
    count : int
        The one at which the share ``u`` of the sum is reached.
    """
    n, held, parent, log_in, places = state.n, parts.held, parts.parent, parts.log_in, parts.places
    atoms, least = held.shape[1], 0
    for layer in range(places + 1, parts.captured):
        if parent[layer] == g and held[layer, a] == 1:
            least = max(least, n[layer * atoms + a])
    if not rate * math.exp(more) < LARGEST_RATE:
        return -np.inf, n[g * atoms + a]
    log_rate = math.log(max(rate, 1e-300)) + more
    value = least * log_rate - math.exp(log_rate) - math.lgamma(least + 1.0)
    log_factor = log_rate
    for layer in range(places + 1, parts.captured):
        if parent[layer] == g and held[layer, a] == 1:
            m, log_q = n[layer * atoms + a], log_in[layer, p] - more
            log_rest = math.log1p(-math.exp(log_q))
            value += math.lgamma(least + 1.0) - math.lgamma(m + 1.0) - math.lgamma(least - m + 1.0)
            value += m * log_q + (least - m) * log_rest
            log_factor += log_rest
    factor = math.exp(log_factor)
    total, term, count, wanted = 1.0, 1.0, least, -1
    target = np.inf
    for turn in range(2):
        # the first turn sums up, the second one finds the count where the share is reached
        reached, term, count = 1.0, 1.0, least
        while reached < target:
            count += 1
            ratio = factor / count
            for layer in range(places + 1, parts.captured):
                if parent[layer] == g and held[layer, a] == 1:
                    ratio *= count / (count - n[layer * atoms + a])
            term *= ratio
            reached += term
            if ratio < 1.0 and term < NEGLIGIBLE * reached:
                break
        if turn == 0:
            total = reached
            if u < 0.0:
                break
            target = u * total
        else:
            wanted = count
    return value + math.log(total), wanted


@compiled()
def _is_free(a: int, g: int, lists: Lists, layout: Layout, atoms: int) -> bool:
    """Say whether no tally speaks of all that there is in an atom and place itself, nor was it an event."""
    cell = g * atoms + a
    of_whole = lists.begin[a + 1] > lists.begin[a]
    return layout.atom_event[a] == 0 and not of_whole and lists.begin[cell + 1] == lists.begin[cell]


@compiled()
def _scaled_logpdf(more: float, state: State, layout: Layout, lists: Lists, parts: Parts) -> float:
    """Log density of the counts when there is ``more`` of everything, in logs, and counters count as much less of it.

    Counts of what there is are summed out where nothing else is known of them.
    """
    n, x, exposure, block, log_in = state.n, state.x, state.exposure, layout.atom_block, parts.log_in
    atoms, places, value = block.size, parts.places, 0.0
    for a in range(atoms):
        p = block[a]
        for g in range(1 if places > 0 else 0, places + 1):
            rate = exposure[a] * math.exp(x[p] + (log_in[g, p] if g > 0 else 0.0))
            if _is_free(a, g, lists, layout, atoms):
                value += _sum_out(a, p, g, rate, more, -1.0, state, parts)[0]
                continue
            count = n[g * atoms + a]
            if layout.atom_event[a] == 0:
                value += count * more - rate * math.exp(more)
            for layer in range(places + 1, parts.captured):
                if parts.parent[layer] == g and parts.held[layer, a] == 1:
                    m, log_q = n[layer * atoms + a], log_in[layer, p] - more
                    value += m * log_q + (count - m) * math.log1p(-math.exp(log_q))
    return value


@compiled()
def step_overlap(
    state: State,
    layout: Layout,
    lists: Lists,
    parts: Parts,
    walk: WalkPrior,
    scale: float,
    prior: SharePrior,
    gain: float,
    rng: Generator,
) -> None:
    """Take a normal step of the log overlap against the level of all that there is, and draw its counts anew.

    A step is ``overlap * exp(-more)`` and ``x + more``, in which what counters expect to count stays.
    """
    x, n, block, last = state.x, state.n, layout.atom_block, state.x.size - 1
    atoms, places = block.size, parts.places
    more = parts.overlap_step[0] * draw_normal(rng)
    new = parts.overlap[0] * math.exp(-more)
    accept = 0.0
    if new < MOST_OVERLAP and abs(more) < LARGEST_STEP:
        change = _scaled_logpdf(more, state, layout, lists, parts) - _scaled_logpdf(0.0, state, layout, lists, parts)
        change += overlap_logpdf(new, prior) - overlap_logpdf(parts.overlap[0], prior)
        change += 0.5 * ((x[0] - walk.level_mean) ** 2 - (x[0] + more - walk.level_mean) ** 2) / walk.level_sd**2
        change -= walk_logpdf(x, 0, last, walk, scale) + cap_logpdf(x, 0, last, walk)
        for p in range(x.size):
            x[p] += more
        change += walk_logpdf(x, 0, last, walk, scale) + cap_logpdf(x, 0, last, walk)
        accept = math.exp(min(0.0, change)) if change > -np.inf else 0.0
        if rng.random() < accept:
            parts.overlap[0] = new
            set_ratios(parts, 0, parts.log_in.shape[1])
        else:
            for p in range(x.size):
                x[p] -= more
    if gain > 0.0:
        parts.overlap_step[0] *= math.exp(gain * (accept - ACCEPTED))
    for a in range(atoms):
        p = block[a]
        for g in range(1 if places > 0 else 0, places + 1):
            if _is_free(a, g, lists, layout, atoms):
                rate = state.exposure[a] * math.exp(x[p] + (parts.log_in[g, p] if g > 0 else 0.0))
                count = _sum_out(a, p, g, rate, 0.0, rng.random(), state, parts)[1]
                n[a] += count - n[g * atoms + a] if g > 0 else count - n[a]
                if g > 0:
                    n[g * atoms + a] = count
