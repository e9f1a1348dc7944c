"""The registered models, by name; the contract tests run over all of them."""

from __future__ import annotations

from escalation.errors import InputError
from escalation.models.baselines.analogues import Analogues
from escalation.models.baselines.bootstrap import Bootstrap
from escalation.models.baselines.climatology import Climatology
from escalation.models.baselines.ensemble import Ensemble
from escalation.models.baselines.exponential_smoothing import ExponentialSmoothing
from escalation.models.baselines.last_value import LastValue
from escalation.models.changing_rate.model import ChangingRate
from escalation.models.contract.base import CountModel, PanelModel
from escalation.models.endemic_epidemic.model import EndemicEpidemic
from escalation.models.hidden_markov.model import HiddenMarkov
from escalation.models.ingarch.model import INGARCH
from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.zero_inflated import ZeroInflated

MODELS: dict[str, type[CountModel]] = {
    model.name: model
    for model in (
        Bootstrap,
        ChangingRate,
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
