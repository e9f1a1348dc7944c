"""The surveillance methods by name."""

from __future__ import annotations

from escalation.analysis.alarms.bayes import BayesAlarm
from escalation.analysis.alarms.cusum import CUSUM
from escalation.analysis.alarms.detector import Detector
from escalation.analysis.alarms.ears import EARS
from escalation.analysis.alarms.farrington import Farrington
from escalation.analysis.alarms.glr import GLR
from escalation.errors import InputError

METHODS: dict[str, Detector] = {
    "farrington": Farrington(),
    "noufaily": Farrington.noufaily(),
    "farrington_classic": Farrington.classic(),
    "ears_c1": EARS("C1"),
    "ears_c2": EARS("C2"),
    "ears_c3": EARS("C3"),
    "cusum": CUSUM(),
    "cusum_negbin": CUSUM(family="negbin"),
    "glr": GLR(),
    "bayes": BayesAlarm(),
}
"""Methods by name, with their default options."""


def find_detector(method: str | Detector) -> Detector:
    """Return the detector of this name, or the one that is given.

    Raises
    ------
    InputError
        If no method has this name.
    """
    if isinstance(method, Detector):
        return method
    if method not in METHODS:
        raise InputError(f"method is {method!r}; use one of {', '.join(METHODS)}, or a detector with its options")
    return METHODS[method]
