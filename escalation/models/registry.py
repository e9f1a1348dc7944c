"""The registered models, by name; the contract tests run over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from escalation import models
from escalation.errors import InputError
from escalation.models.contract.base import CountModel, PanelModel

Kind = TypeVar("Kind", CountModel, PanelModel)


class Registry(Mapping[str, type[Kind]], Generic[Kind]):
    """Models by name; the file of one is loaded when it is first asked for.

    Parameters
    ----------
    classes : mapping of str to str
        What each model's class is called in :mod:`escalation.models`, by the model's name.
    """

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes

    def __getitem__(self, name: str) -> type[Kind]:
        model: type[Kind] = getattr(models, self._classes[name])
        return model

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes


MODELS: Registry[CountModel] = Registry(
    {
        "bootstrap": "Bootstrap",
        "changing_rate": "ChangingRate",
        "climatology": "Climatology",
        "ensemble": "Ensemble",
        "exponential_smoothing": "ExponentialSmoothing",
        "hidden_markov": "HiddenMarkov",
        "hurdle": "Hurdle",
        "ingarch": "INGARCH",
        "last_value": "LastValue",
        "local_level": "LocalLevel",
        "local_trend": "LocalTrend",
        "negative_binomial": "NegativeBinomial",
        "poisson": "Poisson",
        "zero_inflated": "ZeroInflated",
    }
)

PANEL_MODELS: Registry[PanelModel] = Registry({"analogues": "Analogues", "endemic_epidemic": "EndemicEpidemic"})


DEFAULT = "changing_rate"
"""Name of the model that answers unless another is asked for."""


def default_model() -> CountModel:
    """Return the model that answers unless another is asked for, with its default options.

    Assessments, commands, reports and backtests fit it.

    Returns
    -------
    CountModel
        :class:`escalation.models.ChangingRate`.

    Examples
    --------
    >>> default_model().name
    'changing_rate'
    """
    return get_model(DEFAULT)


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
