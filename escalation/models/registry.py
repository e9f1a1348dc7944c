"""The registered models, by name; the contract tests run over all of them."""

from __future__ import annotations

from escalation.errors import InputError
from escalation.models.analogues import Analogues
from escalation.models.base import CountModel, PanelModel
from escalation.models.bootstrap import Bootstrap
from escalation.models.climatology import Climatology
from escalation.models.endemic_epidemic import EndemicEpidemic
from escalation.models.ensemble import Ensemble
from escalation.models.exponential_smoothing import ExponentialSmoothing
from escalation.models.hidden_markov import HiddenMarkov
from escalation.models.hurdle import Hurdle
from escalation.models.ingarch import INGARCH
from escalation.models.last_value import LastValue
from escalation.models.local_level import LocalLevel
from escalation.models.local_trend import LocalTrend
from escalation.models.negative_binomial import NegativeBinomial
from escalation.models.poisson import Poisson
from escalation.models.zero_inflated import ZeroInflated

MODELS: dict[str, type[CountModel]] = {
    model.name: model
    for model in (
        Bootstrap,
        Climatology,
        Ensemble,
        ExponentialSmoothing,
        HiddenMarkov,
        Hurdle,
        INGARCH,
        LastValue,
        LocalLevel,
        LocalTrend,
        NegativeBinomial,
        Poisson,
        ZeroInflated,
    )
}

PANEL_MODELS: dict[str, type[PanelModel]] = {model.name: model for model in (Analogues, EndemicEpidemic)}


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


def get_panel_model(name: str) -> PanelModel:
    """Return the model of several units of this name with its default options.

    Raises
    ------
    InputError
        If no model of panels has this name; the message lists those there are.
    """
    if name not in PANEL_MODELS:
        raise InputError(f"panel model is {name!r}; use one of {', '.join(sorted(PANEL_MODELS))}")
    return PANEL_MODELS[name]()
