"""The models that every assessment fits, and the pool of their forecasts that answers."""

from __future__ import annotations

from collections.abc import Sequence

MODELS = ("local_level", "negative_binomial", "climatology")
"""Models fitted for every assessment."""
WEIGHTS = {"local_level": 0.8, "negative_binomial": 0.1, "climatology": 0.1}
"""Weights of their pool.  Probabilities of an equal pool are too near to 0 and 1 on simulated worlds, and the local
level is better in Iraqi governorates; a little of the others does no harm (see benchmarks/README.md)."""
POOL = "pool"
"""Name of the pool, which answers unless asked otherwise."""


def pool_weights(names: Sequence[str]) -> tuple[float, ...]:
    """Weights of the pool of these models, which sum to 1: equal if others are among them than those of assessments."""
    own = [WEIGHTS.get(name, 0.0) for name in names]
    return tuple(weight / sum(own) for weight in own) if all(own) else (1 / len(names),) * len(names)
