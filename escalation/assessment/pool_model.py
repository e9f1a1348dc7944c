"""The pool of an assessment as a model of its own, to be fitted and scored like any other."""

from __future__ import annotations

from escalation.assessment.pool import MODELS, POOL, pool_weights
from escalation.models.baselines.ensemble import Ensemble
from escalation.models.contract.base import CountModel
from escalation.models.registry import get_model


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
