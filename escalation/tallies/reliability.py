"""How far each tally can be relied on: what else than its kernel may have printed its number.

A printed number may be as good as its qualifier says; looser (counted late, revised, by a day too few); far off (an old
total, another counter under the same name); slipped (a zero too many or too few); or anything.  The shares of these
kinds among the tallies of a series are learnt from them, and each tally has a probability of being of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import logsumexp

from escalation.conventions.arrays import FloatArray
from escalation.tallies.kernels import Kernel

KINDS = ("good", "loose", "far", "slipped", "any")
"""Kinds of tallies, by what printed their number; those of the first two are relied on."""
RELIED_ON = 2
SHARES = (0.86, 0.09, 0.035, 0.005, 0.01)
"""Shares of the kinds before anything is known of the counter."""
KNOWN = 15.0
"""Tallies that these shares are worth beside those of the series."""
NAMED = (1 - 2e-4, 0.0, 0.0, 1e-4, 1e-4)
"""Shares where each thing counted was named or announced."""
LOOSE = ((0.7, 0.3, 0.03), (0.5, 0.1, 0.015))
"""Scales of a loose number, in incidents, root and share of the truth, below it and above: more is late than early."""
FAR = ((2.0, 0.5, 0.2), (2.0, 0.5, 0.2))
"""Scales of a number that is far off."""
ALONE = (SHARES[0] / (SHARES[0] + SHARES[1]), SHARES[1] / (SHARES[0] + SHARES[1]), 0.0, 0.0, 0.0)
"""Shares of a number of days that no other tally speaks of: there is nothing that could contradict it."""
SLIPS = (10.0, 100.0, 0.1, 0.01)
"""Factors of slipped zeros."""
WILD = 1.0
"""Scale, in logs, of a number that may be anything: a Cauchy distribution."""
WORST = -9.0
"""Log of the least that a range or a bound which does not hold is multiplied with."""


@dataclass(frozen=True)
class Tallied:
    """What printed a tally: its kernel, or something else.

    Attributes
    ----------
    kernel : Kernel
        As its qualifier says.
    shares : tuple of float
        Probability of each of :data:`KINDS`, before its number is looked at.
    named : bool
        Whether each thing counted was named, or no other tally speaks of its days, so that the series' shares do not
        apply.
    """

    kernel: Kernel
    shares: tuple[float, ...] = SHARES
    named: bool = False

    @property
    def low(self) -> float:
        """Lower end of what was printed."""
        return self.kernel.low

    @property
    def high(self) -> float:
        """Upper end of what was printed."""
        return self.kernel.high

    def log_parts(self, true: NDArray[np.int64] | FloatArray) -> FloatArray:
        """Log probability of what was printed by each kind, shares included: the kinds first, then the true counts."""
        count = np.asarray(true, dtype=np.float64)
        own, log_share = self.kernel.log_prob(count), np.log(np.maximum(self.shares, 1e-300))
        if self.kernel.shape != "point":
            # a range holds or it does not: all that is not as good as it says is of one kind
            wrong = np.full(count.shape, WORST)
            return np.stack([own + log_share[0], *(wrong + share for share in log_share[1:])])
        parts = [own, *(self._scaled(*scales).log_prob(count) for scales in (LOOSE, FAR))]
        slips = [self.kernel.log_prob(np.rint(count * factor)) for factor in SLIPS]
        parts += [logsumexp(slips, axis=0) - np.log(len(SLIPS)), self._anything(count)]
        return np.asarray(np.stack(parts) + log_share.reshape(-1, *([1] * count.ndim)))

    def log_prob(self, true: NDArray[np.int64] | FloatArray) -> FloatArray:
        """Log probability of what was printed, for each true count (any shape)."""
        return np.asarray(logsumexp(self.log_parts(true), axis=0))

    def log_prob_of_draws(self, true: NDArray[np.int64]) -> FloatArray:
        """Like :meth:`log_prob`, of draws of which few differ."""
        values, at = np.unique(true, return_inverse=True)
        return np.asarray(self.log_prob(values)[at])

    def kinds_given(self, true: NDArray[np.int64]) -> FloatArray:
        """Probability of each kind, averaged over draws of the true count that the tally itself had a part in."""
        values, at = np.unique(true, return_inverse=True)  # few of many draws differ
        parts = self.log_parts(values)
        return np.asarray(np.take(np.exp(parts - logsumexp(parts, axis=0)), at, axis=1).mean(axis=1))

    def kinds_beside(self, true: NDArray[np.int64]) -> FloatArray:
        """Probability of each kind where the draws of the true count are from the other tallies alone."""
        mean = logsumexp(self.log_parts(true), axis=1)
        return np.asarray(np.exp(mean - logsumexp(mean)))

    def sample(self, true: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
        """Draw what a counter who is relied on would print for each true count (point kernels)."""
        good, loose = self.shares[:RELIED_ON]
        seen, other = self.kernel.sample(true, rng), self._scaled(*LOOSE).sample(true, rng)
        return np.where(rng.random(true.shape) * (good + loose) < good, seen, other)

    def _scaled(self, below: tuple[float, ...], above: tuple[float, ...]) -> Kernel:
        """Return the kernel with scales that are not smaller than these."""
        wide = [
            tuple(max(own, least) for own, least in zip(scales, wanted, strict=True))
            for scales, wanted in ((self.kernel.below, below), (self.kernel.above, above))
        ]
        return replace(self.kernel, below=wide[0], above=wide[1])  # type: ignore[arg-type]

    def _anything(self, count: FloatArray) -> FloatArray:
        """Log probability of the number by a Cauchy distribution of logs around the truth."""
        away = (np.log1p(self.kernel.low) - np.log1p(count)) / WILD
        return np.asarray(-np.log(np.pi * WILD) - np.log1p(away**2) - np.log1p(self.kernel.low))


def learn_shares(tallied: Sequence[Tallied], true: NDArray[np.int64]) -> tuple[float, ...]:
    """Shares of the kinds among the tallies of a series, what was known before included.

    Parameters
    ----------
    tallied : sequence of Tallied
        The tallies.
    true : (draws, tallies) int array
        Draws of their true counts.
    """
    of_points = [i for i, one in enumerate(tallied) if not one.named and one.kernel.shape == "point"]
    found = np.array(SHARES) * KNOWN
    for i in of_points:
        found += tallied[i].kinds_given(true[:, i])
    return tuple((found / found.sum()).tolist())


def with_shares(tallied: Sequence[Tallied], shares: tuple[float, ...]) -> list[Tallied]:
    """Return the tallies with these shares of the kinds, but for those whose things were named."""
    return [one if one.named else replace(one, shares=shares) for one in tallied]
