"""Escalation-risk time series: from press counts and incident tables to forecasts and flashpoints.

The public names below load their module when they are first used, so that ``import escalation``
costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "escalation.counts": ("check_counts",),
    "escalation.errors": (
        "DataWarning",
        "EscalationError",
        "EscalationWarning",
        "FileError",
        "FitError",
        "InputError",
        "NotConvergedWarning",
        "PartialPeriodWarning",
    ),
    "escalation.flashpoint": ("FlashpointProbability", "first_passage", "flashpoint"),
    "escalation.forecast": ("Forecast",),
    "escalation.incidents.aggregate": ("aggregate",),
    "escalation.incidents.read": ("read_incidents",),
    "escalation.models.climatology": ("Climatology",),
    "escalation.models.local_level": ("LocalLevel",),
    "escalation.models.negative_binomial": ("NegativeBinomial", "Pulse", "Step"),
    "escalation.periods": ("exposure",),
    "escalation.tallies.cases": ("Case", "list_cases", "load_case"),
    "escalation.tallies.kernels": ("default_kernels",),
    "escalation.tallies.read": ("read_tallies",),
    "escalation.tallies.reconstruct": ("Reconstruction", "reconstruct"),
    "escalation.trend": ("RateChange", "compare_rates"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
    elif not name.startswith("_"):
        try:
            value = import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
