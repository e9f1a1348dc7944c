"""Two sides in bins of a width: endemic-epidemic fits, tests of no answer, and the same fits to panels drawn again."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.special import ndtr

from escalation.analysis.excitation.shared_shock import Trial, binned
from escalation.conventions.arrays import FloatArray
from escalation.conventions.count_draws import draw_counts
from escalation.errors import DataWarning
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.endemic_epidemic.likelihood import Panel, evaluate
from escalation.models.endemic_epidemic.maximum import maximise
from escalation.models.endemic_epidemic.model import EndemicEpidemic

DECAYS = (0.0, 0.5, 1.0)
"""Ratios of neighbouring lag weights that a fit over all lags tries; the likeliest is kept."""


def fit_quietly(model: EndemicEpidemic, counts: FloatArray, design: Design) -> Estimate:
    """Fit to a panel (n, units) without saying which parameters are weakly determined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return model.estimate(counts, design)


def draw_again(estimate: Estimate, draws: int, rng: Generator) -> FloatArray:
    """Panels (draws, n, u) drawn around the fitted means, each count given the past as it was; gaps stay gaps.

    Units are in the order of the estimate.  Past counts held as they were keep panels from exploding where past counts
    bring about more than one each.
    """
    panel: Panel = estimate.state["panel"]
    point: FloatArray = estimate.state["point"]
    means = evaluate(point, panel, 0, False)[0] * panel.exposure
    spread = np.where(panel.dispersion >= 0, np.exp(point[panel.dispersion]), 0.0)
    drawn = draw_counts(np.broadcast_to(means, (draws, *means.shape)), spread, rng).astype(float)
    drawn[:, np.isnan(panel.y)] = np.nan
    return drawn


def refit(estimate: Estimate, draws: int, rng: Generator) -> list[FloatArray]:
    """Points of the maxima for drawn panels, the past counts as they were (fixed-regressor bootstrap)."""
    panel: Panel = estimate.state["panel"]
    drawn, (levels, point) = draw_again(estimate, draws, rng), (estimate.state[name] for name in ("levels", "point"))
    return [maximise(panel._replace(y=one), levels, near=point).point for one in drawn]


class SidesFit(NamedTuple):
    """An endemic-epidemic fit: how many counts (target, source) one brings about, and the same of drawn panels."""

    model: EndemicEpidemic
    matrix: FloatArray
    again: FloatArray
    llf: float


def fit_sides(
    panel: FloatArray,
    sides: tuple[str, ...],
    periods: pd.PeriodIndex,
    trial: Trial,
    width: int,
    lag_weights: tuple[float, ...],
    replicates: int,
    rng: Generator,
) -> SidesFit:
    """Fit with given lag weights to bins of one width, and to drawn panels."""
    fixed = trial.fixed
    if width > 1:
        fixed = binned(fixed[:, list(trial.varying)].T, width).T / width
    model = EndemicEpidemic(own_past="unit", others_past="unit", dispersion="unit", lag_weights=lag_weights)
    design = sides_design(periods[width - 1 + len(periods) % width :: width], fixed, sides)
    estimate = fit_quietly(model, binned(panel.T, width).T, design)
    again = [_matrix(estimate, point, sides) for point in refit(estimate, replicates, rng)]
    matrix = _matrix(estimate, estimate.state["point"], sides)
    return SidesFit(model, matrix, np.array(again).reshape(-1, 2, 2), estimate.llf)


def fit_decay(
    panel: FloatArray,
    sides: tuple[str, ...],
    periods: pd.PeriodIndex,
    trial: Trial,
    width: int,
    replicates: int,
    rng: Generator,
) -> SidesFit:
    """Fit with the likeliest of the lag weights that decay."""
    weights = [tuple(decay**lag for lag in range(trial.lags)) for decay in DECAYS]
    tried = [(1.0,)] if trial.lags == 1 else [tuple(one / sum(each) for one in each) for each in weights]
    found = [fit_sides(panel, sides, periods, trial, width, each, 0, rng) for each in tried]
    best = tried[int(np.argmax([cell.llf for cell in found]))]
    return fit_sides(panel, sides, periods, trial, width, best, replicates, rng)


def p_values_of_none(panel: FloatArray, sides: tuple[str, ...], design: Design, whole: SidesFit) -> list[float]:
    """p-values of the likelihood-ratio test that each side does not follow the other."""
    full = fit_quietly(whole.model, panel, design).llf
    values = []
    for target in (0, 1):
        link = ((sides[target], sides[1 - target], 1.0),)
        less = fit_quietly(replace(whole.model, weights=link), panel, design).llf
        values.append(float(ndtr(-math.sqrt(max(2 * (full - less), 0.0)))))
    return values


def _matrix(estimate: Estimate, point: FloatArray, sides: tuple[str, ...]) -> FloatArray:
    """How many counts one of each side (column) brings about in each side (row) over all lags, at a point."""
    panel: Panel = estimate.state["panel"]
    places = [estimate.state["units"].index(side) for side in sides]
    own, others = np.exp(point[panel.own[places]]), np.exp(point[panel.others[places]])
    return np.array([[own[0], others[0]], [others[1], own[1]]])


def one_lag(lag: int, lags: int) -> tuple[float, ...]:
    """Lag weights of one lag alone, counted from 0."""
    return tuple(float(place == lag) for place in range(lags))


def sides_design(periods: pd.PeriodIndex, fixed: FloatArray, sides: tuple[str, ...]) -> Design:
    """Design of a panel whose regressors are the fixed terms after the first, the level."""
    n = len(fixed)
    names = tuple(f"fixed_{j}" for j in range(1, fixed.shape[1]))
    return Design(periods, np.arange(n, dtype=float), np.ones((n, 2)), fixed[:, 1:], names, sides)
