"""The registered models by name, our own and those of other packages; the contract tests run over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import pandas as pd

from escalation import models
from escalation.errors import InputError, warn
from escalation.models.contract.base import CountModel, PanelModel
from escalation.models.plugins import GROUP, PANEL_GROUP, find_plugins, load_plugin, package_of

Kind = TypeVar("Kind", CountModel, PanelModel)


class Registry(Mapping[str, type[Kind]], Generic[Kind]):
    """Models by name; the file or the package of one is loaded when it is first asked for.

    Installed packages add to it by entry points. A name of our own is never theirs.

    Parameters
    ----------
    classes : mapping of str to str
        What each model's class is called in :mod:`escalation.models`, by the model's name.
    group : str
        Group of entry points of models that other packages bring.
    contract : type
        What these must be subclasses of.
    """

    def __init__(self, classes: Mapping[str, str], group: str, contract: type[Any]) -> None:
        self._classes = classes
        self._group = group
        self._contract = contract

    def __getitem__(self, name: str) -> type[Kind]:
        if name in self._classes:
            own: type[Kind] = getattr(models, self._classes[name])
            return own
        other: type[Kind] = load_plugin(find_plugins(self._group)[name], self._contract)
        return other

    def __iter__(self) -> Iterator[str]:
        yield from self._classes
        yield from sorted(set(find_plugins(self._group)) - set(self._classes))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._classes or name in find_plugins(self._group)

    def packages(self, name: str) -> list[str]:
        """Names of the packages that bring the model of this name; several where they claim the same one."""
        if name in self._classes:
            return ["escalation"]
        return self.claims(name)

    def claims(self, name: str) -> list[str]:
        """Names of the other packages that enter a model under this name."""
        return sorted({package_of(entry) for entry in find_plugins(self._group).get(name, ())})


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
    },
    GROUP,
    CountModel,
)

PANEL_MODELS: Registry[PanelModel] = Registry(
    {"analogues": "Analogues", "endemic_epidemic": "EndemicEpidemic"}, PANEL_GROUP, PanelModel
)


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

    Parameters
    ----------
    name : str
        Name of one of our own, or of one that an installed package brings.

    Returns
    -------
    CountModel

    Raises
    ------
    InputError
        If no model has this name (the message lists those there are), or another package's cannot be used.

    Examples
    --------
    >>> get_model("climatology")
    Climatology(window=12)
    """
    if name not in MODELS:
        raise InputError(f"model is {name!r}; use one of {', '.join(sorted(MODELS))}")
    return MODELS[name]()


def get_panel_model(name: str) -> PanelModel:
    """Return the model of several units of this name with its default options.

    Parameters
    ----------
    name : str
        Name of one of our own, or of one that an installed package brings.

    Returns
    -------
    PanelModel

    Raises
    ------
    InputError
        If no model of panels has this name (the message lists those there are), or another package's cannot be used.

    Examples
    --------
    >>> get_panel_model("endemic_epidemic").name
    'endemic_epidemic'
    """
    if name not in PANEL_MODELS:
        raise InputError(f"panel model is {name!r}; use one of {', '.join(sorted(PANEL_MODELS))}")
    return PANEL_MODELS[name]()


def list_models() -> pd.DataFrame:
    """List the models that can be named, of one series and of several units, ours and those of installed packages.

    Returns
    -------
    pandas.DataFrame
        One row a name: ``of`` (``series`` or ``panel``) and ``package``, which says as well whose model of the same
        name is not used; nothing of other packages is loaded for it.

    Examples
    --------
    >>> list_models().loc["poisson"].tolist()
    ['series', 'escalation']
    """
    rows = []
    for kind, registry in (("series", MODELS), ("panel", PANEL_MODELS)):
        for name in registry:
            brought = registry.packages(name)
            unused = [package for package in registry.claims(name) if package not in brought]
            words = f" (that of {' and '.join(unused)} is not used)" if unused else ""
            rows.append((name, kind, " and ".join(brought) + words))
    return pd.DataFrame(rows, columns=["model", "of", "package"]).set_index("model")


def every_model() -> list[CountModel]:
    """Return each model of one series with its default options, our own and those of other packages.

    A model of another package that cannot be used is left out with a warning that says why.
    """
    chosen: list[CountModel] = []
    for name in MODELS:
        try:
            chosen.append(get_model(name))
        except InputError as error:
            warn(f"{error} (it is left out)")
    return chosen
