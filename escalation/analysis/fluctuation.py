"""A series that merely fluctuates: the model that says so, fitted to each of its histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from escalation import models
from escalation.conventions.arrays import FloatArray
from escalation.errors import FitError
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate

if TYPE_CHECKING:
    from escalation.models import LocalLevel


def fit_fluctuation(array: FloatArray, design: Design) -> tuple[LocalLevel, tuple[Estimate, ...]] | None:
    """Fit a log level that is pulled back to its usual height to histories (m, n), neighbouring periods being alike.

    Returns
    -------
    tuple of LocalLevel and tuple of Estimate, or None
        The model and one estimate a history; None where too little was observed, or counts are too large.
    """
    model = models.LocalLevel(link="log")
    if (~np.isnan(array[0])).sum() < model.min_periods:
        return None
    try:
        return model, model.estimate_all(array, design)
    except FitError:
        return None
