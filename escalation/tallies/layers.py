"""Layers of a reconstruction: the whole, the places in it, what each counter counts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.tallies.shares import Parts

WHOLE = ""
"""The place key of the whole."""
ELSEWHERE = "elsewhere"
"""The place key of what lies in none of the places that tallies name."""
RATIO_DAYS, PLACE_DAYS = 60.0, 91.0
"""Days between the knots at which the log ratio of a counter, and the weight of a place, may have changed."""
FIRST_OVERLAP, FIRST_DRIFT, FIRST_MISSED = 0.8, 0.05, 0.1
"""Where the share of all incidents that the widest counter counts, the scale of the drift, and what is missed begin."""


@dataclass(frozen=True, eq=False)
class Layers:
    """Which counts the chains keep: those of the whole, of places, and of counters.

    Attributes
    ----------
    counters : tuple of str
        Counters; one alone counts everything and has no layers of its own.
    places : tuple of str
        Places in the whole, ``elsewhere`` the last; none where all tallies speak of the whole.
    captured : int
        Layers from the last place's to before this one are what counters count; those from it on are sums over places.
    parent, counter, place, summed : (L,) int array
        Layer that each is a part of, its counter and its place, from 1 on, 0 for the whole; the layer that sums it.
    """

    counters: tuple[str, ...]
    places: tuple[str, ...]
    captured: int
    parent: IntArray
    counter: IntArray
    place: IntArray
    summed: IntArray

    def __len__(self) -> int:
        return len(self.parent)

    def of(self, counter: str, place: str) -> int:
        """Layer that tallies of a counter about a place speak of."""
        where = self.places.index(place) + 1 if place != WHOLE else 0
        if len(self.counters) == 1:
            return where
        own = (self.counter == self.counters.index(counter)) & (self.place == where)
        return int(np.flatnonzero(own)[-1])

    def children(self, counter: str) -> list[int]:
        """Layers of what a counter counts, one a place, or one for the whole."""
        c = self.counters.index(counter)
        return [layer for layer in range(len(self.places) + 1, self.captured) if self.counter[layer] == c]

    def sibling(self) -> IntArray:
        """Layer of each counter in each place, -1 where it has none; shape (counters, places + 1)."""
        table = np.full((len(self.counters), len(self.places) + 1), -1, np.int64)
        for layer in range(len(self.places) + 1, self.captured):
            table[self.counter[layer], self.place[layer]] = layer
        return table

    def start(self, block_days: FloatArray, held: IntArray) -> Parts:
        """Return the parts of a chain at its start: no counter counts more than another, places are equally likely.

        Parameters
        ----------
        block_days : (P,) float array
            Days of each block.
        held : (L, A) int array
            1 where the count of an atom is kept.
        """
        middle = np.cumsum(block_days) - 0.5 * block_days
        knots, shares, numbers = [], [], []
        for spacing in (RATIO_DAYS, PLACE_DAYS):
            number = 1 + int(block_days.sum() // spacing)
            at = np.clip(middle / block_days.sum(), 0.0, 1.0) * max(number - 1, 0)
            knot = np.minimum(np.floor(at).astype(np.int64), max(number - 2, 0))
            knots.append(knot)
            shares.append(at - knot)
            numbers.append(number)
        size, blocks, counters, places = len(self), len(block_days), len(self.counters), len(self.places)
        return Parts(
            places, self.captured, self.parent, self.counter, self.place, self.summed, self.sibling(), held,
            np.stack(knots), np.stack(shares), np.zeros((counters, numbers[0])), np.zeros((places, numbers[1])),
            np.array([FIRST_DRIFT]), np.full((counters, blocks), FIRST_MISSED), np.full(counters, FIRST_MISSED),
            np.array([FIRST_OVERLAP]), np.full((counters, 3), 0.1), np.full((places, 2), 0.2),
            np.array([0.3]), np.array([0.2]), np.full((counters, 2), 0.5),
            np.zeros((size, blocks)), np.zeros((size, blocks)), *(np.zeros(size, np.int64) for _ in range(3)),
        )  # fmt: skip


def plan_layers(counters: Sequence[str], places: Sequence[str], *, elsewhere: bool = True) -> Layers | None:
    """Say which layers tallies need, one counter and one place key each; None where the whole is enough.

    A counter that speaks of the whole and of places has a layer for each place and their sum; one that speaks of the
    whole alone a layer of it; one that speaks of places alone those.  ``elsewhere`` is whether incidents may lie in
    none of the places.
    """
    names = tuple(sorted(set(counters), key=lambda name: (-list(counters).count(name), name)))
    named = sorted(set(places) - {WHOLE})
    where = tuple(named + [ELSEWHERE] * elsewhere) if named else ()
    if len(names) == 1 and not where:
        return None
    parent, counter, place, summed = [0] * (len(where) + 1), [-1] * (len(where) + 1), list(range(len(where) + 1)), []
    sums: list[int] = []
    if len(names) > 1:
        for c, name in enumerate(names):
            said = {key for one, key in zip(counters, places, strict=True) if one == name}
            both = WHOLE in said and len(said) > 1
            kept = range(1, len(where) + 1) if both else sorted(0 if k == WHOLE else where.index(k) + 1 for k in said)
            for g in kept:
                parent.append(g)
                counter.append(c)
                place.append(g)
            if both:
                sums.append(c)
    captured = len(parent)
    summed = [-1] * captured
    for c in sums:
        for layer in range(captured):
            if counter[layer] == c:
                summed[layer] = len(parent)
        parent.append(0)
        counter.append(c)
        place.append(0)
        summed.append(-1)
    return Layers(names, where, captured, *(np.array(one, np.int64) for one in (parent, counter, place, summed)))
