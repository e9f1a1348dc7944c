"""Fits of the models that an assessment is made of, made once in a process for all tests of the same counts."""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from escalation.conventions.arrays import FloatArray
from escalation.models import ChangingRate
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.levels.levels import DriftingLevel

MODELS: tuple[type[Any], ...] = (ChangingRate, DriftingLevel)
"""Models whose fits are neither drawn at random nor quick."""
OWN: dict[type[Any], Callable[..., Estimate]] = {kind: kind.estimate for kind in MODELS}
REMEMBERED = 200
"""Estimates that a process holds, of some 2 MB each."""


def once(estimate: Callable[[Any, FloatArray, Design], Estimate]) -> Callable[[Any, FloatArray, Design], Estimate]:
    """``estimate`` that fits a model to the same counts with the same design once; refusals are not kept."""
    known: dict[str, Estimate] = {}

    @functools.wraps(estimate)
    def estimated(model: Any, counts: FloatArray, design: Design) -> Estimate:
        key = hashlib.sha256(pickle.dumps((model, counts.tolist(), vars(design)))).hexdigest()
        kept = known.pop(key, None) or estimate(model, counts, design)
        known[key] = kept  # as the latest
        if len(known) > REMEMBERED:
            del known[next(iter(known))]
        return kept

    return estimated


@contextmanager
def fitted_by(methods: dict[type[Any], Callable[..., Estimate]]) -> Iterator[None]:
    """Have the models fitted by these functions."""
    before = {kind: kind.estimate for kind in methods}
    try:
        for kind, method in methods.items():
            kind.estimate = method
        yield
    finally:
        for kind, method in before.items():
            kind.estimate = method
