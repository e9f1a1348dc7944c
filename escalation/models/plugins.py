"""Models that other packages bring, found by their entry points and checked before they are used."""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from escalation.errors import InputError

GROUP = "escalation.models"
"""Group of entry points of models of one series; the name of each is that of its model."""
PANEL_GROUP = "escalation.panel_models"
"""Group of entry points of models of several units at once."""


def find_plugins(group: str) -> dict[str, list[EntryPoint]]:
    """What installed packages enter in a group, by name; nothing of theirs is loaded.

    Parameters
    ----------
    group : str
        :data:`GROUP` or :data:`PANEL_GROUP`.

    Returns
    -------
    dict of str to list of EntryPoint
        Several under one name where several packages claim it.
    """
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=group):
        found.setdefault(entry.name, []).append(entry)
    return found


def load_plugin(entries: list[EntryPoint], contract: type[Any]) -> type[Any]:
    """Load the model of one name, and refuse what cannot be one.

    Parameters
    ----------
    entries : list of EntryPoint
        What claims the name.
    contract : type
        :class:`CountModel` or :class:`PanelModel`.

    Returns
    -------
    type
        A class of models, all of whose options have defaults.

    Raises
    ------
    InputError
        If several packages claim the name, the class cannot be loaded, or it is no such model; the message names the
        package.
    """
    entry = entries[0]
    packages = sorted({package_of(one) for one in entries})
    if len(packages) > 1:
        raise InputError(
            f"the model {entry.name!r} is claimed by the packages {', '.join(packages)}; uninstall all but one"
        )
    where = f"the model {entry.name!r} of the package {packages[0]} ({entry.value})"
    try:
        kind = entry.load()
    except (Exception, SystemExit) as error:  # whatever the module of another package raises
        raise InputError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}; update the package or uninstall it"
        ) from error
    if not (inspect.isclass(kind) and issubclass(kind, contract)):
        raise InputError(f"{where} is no {contract.__name__}; its author must make it a subclass of that")
    if getattr(kind, "name", None) != entry.name:
        raise InputError(
            f"{where} calls itself {getattr(kind, 'name', None)!r}; its author must give it the name of its entry point"
        )
    missing = sorted(getattr(kind, "__abstractmethods__", ()))
    if missing:
        raise InputError(f"{where} has no {', '.join(missing)}; its author must write them")
    try:
        kind()
    except (Exception, SystemExit) as error:  # the same
        raise InputError(
            f"{where} cannot be made with its default options: {type(error).__name__}: {error}; its author must give "
            "each option a default"
        ) from error
    return kind


def package_of(entry: EntryPoint) -> str:
    """Name of the package that an entry point comes from."""
    return entry.dist.name if entry.dist is not None else "?"
