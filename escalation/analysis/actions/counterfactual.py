"""What would have come: paths from the past alone, and their totals recalibrated by placebo dates and a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr, ndtri

from escalation.analysis.actions.window import ActionWindow
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.histories import spread_over
from escalation.models.contract.base import CountModel, fit_checked
from escalation.models.contract.calls import simulate_paths
from escalation.models.contract.design import Checked

BIAS_WEIGHT, SPREAD_WEIGHT = 10.0, 20.0
"""Independent placebo windows that the prior of the bias and of the scale of scores is worth."""
USUAL_SCALE = 0.9
"""Standard deviation of scores in the prior: without placebo dates totals stay as wide as the model has them."""
LARGEST_CORRELATION, NODES = 0.98, 99
"""End and nodes of the grid of correlations with the comparison series."""
UNSEEN = 0.5
"""Probability that what happened at the action is of a kind that placebo dates, calm by choice, say nothing of."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of a window from the past alone, each with what was counted in the history that it continues.

    Attributes
    ----------
    steps : (draws, steps) int64 array
        Counts from the end of the past to the end of the window.
    totals : (draws,) float array
        Their sums over the observed periods of the window.
    counted : (draws,) float array
        What was counted in these periods.
    component : (draws,) int64 array
        Which history each path continues.
    past : (histories, n) float array
        The histories before the action, NaN where not observed.
    """

    steps: IntArray = field(repr=False)
    totals: FloatArray = field(repr=False)
    counted: FloatArray = field(repr=False)
    component: IntArray = field(repr=False)
    past: FloatArray = field(repr=False)

    def score(self, share: float = 0.5) -> float:
        """Normal score of what was counted among the paths, ``share`` of ties being below it.

        With a uniform random ``share`` the scores of right forecasts are standard normal (Dunn & Smyth 1996,
        doi:10.1080/10618600.1996.10474708).
        """
        below = float((self.totals < self.counted).mean() + share * (self.totals == self.counted).mean())
        least = 0.5 / len(self.totals)
        return float(ndtri(min(max(below, least), 1 - least)))


def draw_paths(
    model: CountModel, checked: Checked, window: ActionWindow, *, draws: int, histories: int, rng: Generator
) -> Paths:
    """Continue the counts before an action, and count what came after it in the same periods.

    Raises
    ------
    FitError
        If too few periods were observed before it.
    """
    past = slice(0, window.past)
    cut = Checked(checked.counts.iloc[past], checked.array[:, past], checked.design.part(past))
    fit = fit_checked(model, cut, histories, "")
    ahead = fit.design.ahead(window.steps, None)
    # what is compared was covered in part where the counts were
    ahead = replace(ahead, exposure=checked.design.exposure[window.past : window.stop])
    paths, component = simulate_paths(fit, ahead, draws, rng)
    seen = window.observed(checked)
    chosen = checked.array[spread_over(len(checked.array), histories)]
    counted = chosen[:, window.first : window.stop][:, seen].sum(axis=1)[component]
    totals = paths[:, window.first - window.past :][:, seen].sum(axis=1).astype(float)
    return Paths(paths, totals, counted, component, fit.array)


@dataclass(frozen=True, eq=False)
class Scores:
    """Normal scores of placebo windows, and how many independent windows they are worth.

    Attributes
    ----------
    own : (n,) float array
        Of the series.
    other : (n,) float array or None
        Of the comparison series at the same dates.
    worth : float
        Independent windows, fewer than n where windows overlap.
    """

    own: FloatArray
    other: FloatArray | None
    worth: float

    def draw_bias_and_scale(self, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
        """Draw the mean and the standard deviation of scores from their posterior.

        The prior is normal-inverse-gamma around mean 0 and standard deviation :data:`USUAL_SCALE`, worth
        :data:`BIAS_WEIGHT` and :data:`SPREAD_WEIGHT` windows.
        """
        mean = float(self.own.mean()) if len(self.own) else 0.0
        variance = float(self.own.var()) if len(self.own) else 0.0
        kappa, nu = BIAS_WEIGHT + self.worth, SPREAD_WEIGHT + self.worth
        total = SPREAD_WEIGHT * USUAL_SCALE**2 + self.worth * variance + BIAS_WEIGHT * self.worth / kappa * mean**2
        scale = np.sqrt(total / (2 * rng.standard_gamma(nu / 2, draws)))
        bias = self.worth * mean / kappa + scale / np.sqrt(kappa) * rng.standard_normal(draws)
        return bias, scale

    def draw_correlation(self, draws: int, rng: Generator) -> FloatArray:
        """Draw the correlation of the scores with those of the comparison.

        With probability :data:`UNSEEN` it is uniform on 0 to 0.98, not known to be any more than none; else it comes
        from its posterior given the placebo dates under the same prior.
        """
        nodes = np.linspace(0.0, LARGEST_CORRELATION, NODES)
        log = np.zeros(NODES)
        if self.other is not None and len(self.own):
            x, y = (one / max(float(np.sqrt((one**2).mean())), 1e-9) for one in (self.own, self.other))
            product = float((x * y).mean())
            free = 1 - nodes**2
            log = -self.worth / 2 * (np.log(free) + (2 - 2 * nodes * product) / free)
        weights = np.exp(log - log.max())
        weights = (1 - UNSEEN) * weights / weights.sum() + UNSEEN / NODES
        drawn: FloatArray = rng.choice(nodes, size=draws, p=weights / weights.sum())
        return drawn

    def scale_of_other(self) -> float:
        """Standard deviation of the comparison's scores, as far as placebo dates move it from the prior's."""
        squares = float((self.other**2).mean()) if self.other is not None and len(self.other) else 0.0
        total = SPREAD_WEIGHT * USUAL_SCALE**2 + self.worth * squares
        return float(np.sqrt(total / (SPREAD_WEIGHT + self.worth)))


def recalibrate(
    totals: FloatArray, component: IntArray, placebos: Scores, other: float | None, rng: Generator
) -> FloatArray:
    """Totals (draws,) moved to where placebo windows, and a comparison series after the same date, say they belong.

    Each total keeps its rank among those of its history but for the comparison: its normal score x becomes ``bias +
    scale * (r * other + sqrt(1 - r**2) * x)`` with bias and scale from the scores of placebo windows, and r the
    correlation with the scores of the comparison, whose own score after the action, over its standard deviation, is
    ``other``; the total of that score is what it becomes.  So the comparison shifts and narrows what is expected as far
    as placebo dates show that both series move together, and widens it where they cannot.

    Parameters
    ----------
    totals : (draws,) float array
        Of the paths.
    component : (draws,) int64 array
        Which history each path continues.
    placebos : Scores
        Of placebo windows.
    other : float or None
        Score of the comparison after the action; None without one.
    rng : Generator
        Draws bias, scale, correlation and ties.
    """
    draws = len(totals)
    ties = rng.random(draws)
    bias, scale = placebos.draw_bias_and_scale(draws, rng)
    shared = np.zeros(draws) if other is None else placebos.draw_correlation(draws, rng)
    beside = 0.0 if other is None else other / placebos.scale_of_other()
    moved = np.empty(draws)
    for history in np.unique(component):
        own = np.flatnonzero(component == history)
        order = own[np.lexsort((ties[own], totals[own]))]
        levels = (np.arange(len(own)) + 0.5) / len(own)
        r = shared[order]
        score = r * beside + np.sqrt(1 - r**2) * ndtri(levels)
        moved[order] = np.interp(ndtr(bias[order] + scale[order] * score), levels, totals[order])
    rounded: FloatArray = np.rint(moved)
    return rounded
