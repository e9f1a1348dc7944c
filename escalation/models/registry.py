"""The registered models, by name; the contract test runs over all of them."""

from __future__ import annotations

from escalation.errors import InputError
from escalation.models.base import CountModel
from escalation.models.climatology import Climatology
from escalation.models.ensemble import Ensemble
from escalation.models.ingarch import INGARCH
from escalation.models.local_level import LocalLevel
from escalation.models.negative_binomial import NegativeBinomial

MODELS: dict[str, type[CountModel]] = {
    model.name: model for model in (Climatology, Ensemble, INGARCH, LocalLevel, NegativeBinomial)
}


def get_model(name: str) -> CountModel:
    """Return the model of this name with its default options.

    Raises
    ------
    InputError
        If no model has this name; the message lists those there are.
    """
    if name not in MODELS:
        raise InputError(f"model is {name!r}; use one of {', '.join(sorted(MODELS))}")
    return MODELS[name]()
