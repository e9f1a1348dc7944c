"""The one place where an ``rng`` argument becomes a generator; and systematic draws."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator, default_rng

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError

Seed = int | Generator | None
"""What every ``rng`` keyword takes: a seed, a generator, or None for a fresh one."""


def as_generator(rng: Seed) -> Generator:
    """Turn a seed, a generator or None into a generator.

    Parameters
    ----------
    rng : int, numpy.random.Generator or None
        A whole number >= 0 gives the same numbers each time; a generator is used (and moved on)
        as it is; None draws fresh entropy.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    InputError
        If a seed is negative or not a whole number.
    """
    if rng is None or isinstance(rng, Generator):
        return default_rng(rng)
    if isinstance(rng, bool) or not hasattr(rng, "__index__") or int(rng) < 0:
        raise InputError(f"rng is {rng!r}; give a whole number >= 0, a numpy Generator or None")
    return default_rng(int(rng))


def seed_of(rng: Seed) -> int:
    """Return a seed as it is, or draw one: with it everything can be worked out again.

    Raises
    ------
    InputError
        If a seed is negative or not a whole number.
    """
    generator = as_generator(rng)
    return draw_root(generator) if rng is None or isinstance(rng, Generator) else int(rng)


def labelled_generators(rng: Generator, labels: Sequence[str]) -> list[Generator]:
    """One generator for each label, which depends on the label and not on its place among the others.

    Parameters
    ----------
    rng : Generator
        Moved on once, whatever the number of labels.
    labels : sequence of str
        Names of series, each only once.

    Returns
    -------
    list of Generator
    """
    root = draw_root(rng)
    return [generator_for(root, label) for label in labels]


def draw_root(rng: Generator) -> int:
    """A number from which :func:`generator_for` makes generators, drawn from ``rng``."""
    return int.from_bytes(rng.bytes(16), "little")


def generator_for(root: int, label: str) -> Generator:
    """The generator of one label; the same for the same root, wherever and whenever it is made."""
    digest = hashlib.sha256(label.encode()).digest()[:16]
    return default_rng([root, int.from_bytes(digest, "little")])


def draw_systematically(weights: FloatArray, draws: int, rng: Generator) -> IntArray:
    """Draw places of weights (n,) that sum to 1, each as often as its weight says but for rounding; in their order."""
    ladder = (rng.random() + np.arange(draws)) / draws
    return np.minimum(np.searchsorted(np.cumsum(weights), ladder), len(weights) - 1)
