"""The alternative to changes: a rate that fluctuates, neighbouring periods being alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.analysis.changes.series import CutSeries
from escalation.analysis.fluctuation import fit_fluctuation
from escalation.conventions.arrays import FloatArray
from escalation.models.contract.design import make_design


class Fluctuation(NamedTuple):
    """Log probability of the counts of each history (m,), and its smoothed rates (m, n)."""

    log_evidence: FloatArray
    rates: FloatArray


def fluctuation(series: CutSeries) -> Fluctuation | None:
    """Fit a fluctuating rate to each history; None where too little was observed, or counts are too large."""
    exposure = pd.Series(series.exposure, index=series.periods)
    array = np.ascontiguousarray(series.matrix.T)
    design = make_design(series.periods, 0, exposure, None, np.isnan(array[0]))
    fitted = fit_fluctuation(array, design)
    if fitted is None:
        return None
    model, estimates = fitted
    evidence = np.array([model.log_evidence(estimate) for estimate in estimates])
    return Fluctuation(evidence, np.array([estimate.fitted for estimate in estimates]) / design.exposure)
