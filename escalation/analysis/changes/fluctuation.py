"""The alternative to changes: a rate that fluctuates, neighbouring periods being alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.analysis.changes.series import CutSeries
from escalation.conventions.arrays import FloatArray
from escalation.errors import FitError
from escalation.models.contract.base import fit_checked
from escalation.models.contract.design import Checked, make_design
from escalation.models.levels.local_level import LocalLevel


class Fluctuation(NamedTuple):
    """Log probability of the counts of each history (m,), and its smoothed rates (m, n)."""

    log_evidence: FloatArray
    rates: FloatArray


def fluctuation(series: CutSeries) -> Fluctuation | None:
    """Fit a fluctuating rate to each history; None where too little was observed, or counts are too large."""
    model = LocalLevel(link="log")
    exposure = pd.Series(series.exposure, index=series.periods)
    array = np.ascontiguousarray(series.matrix.T)
    design = make_design(series.periods, 0, exposure, None, np.isnan(array[0]))
    counts = pd.Series(array[0], index=series.periods)
    try:
        fit = fit_checked(model, Checked(counts, array, design), len(array), "")
    except FitError:
        return None
    evidence = np.array([model.log_evidence(estimate) for estimate in fit.estimates])
    return Fluctuation(evidence, np.array([estimate.fitted for estimate in fit.estimates]) / design.exposure)
