"""The models that every assessment fits, and the pool of their forecasts that answers."""

from __future__ import annotations

from collections.abc import Sequence

from escalation.models.baselines.ensemble import Ensemble
from escalation.models.contract.base import CountModel
from escalation.models.registry import get_model

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


def pool_model() -> Ensemble:
    """Return the model whose forecasts are those of the pool of an assessment."""
    return Ensemble(models=tuple(get_model(name) for name in MODELS), weights=pool_weights(MODELS))


def model_of(name: str) -> CountModel:
    """Return the model of this name; ``pool`` is the pool.

    Raises
    ------
    InputError
        If no model has this name.
    """
    return pool_model() if name == POOL else get_model(name)
