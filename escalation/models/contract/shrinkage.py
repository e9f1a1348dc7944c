"""What units of a panel have in common: a normal distribution of their parameters, learnt from all of them.

Each unit's parameters are drawn from one normal distribution (empirical Bayes; Efron & Morris 1973,
doi:10.1080/01621459.1973.10481350).  What the counts of a unit say of its parameters is summed up by a normal
likelihood, and mean and variances of the distribution are found by the EM algorithm (Dempster, Laird & Rubin 1977,
doi:10.1111/j.2517-6161.1977.tb01600.x), its means by likelihood itself (Liu & Rubin 1994, doi:10.1093/biomet/81.4.633).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate

SPREAD_WEIGHT = 2.0
"""So many units that differ as much as the estimates do count beside those of the panel, so that a small panel is not
taken for one of equal units."""
MOST_STEPS, ENOUGH = 500, 1e-6
"""Steps of the EM algorithm, and the change, in standard deviations, with which it ends."""
LOG_SQUARE = -1.1544, 2.5651
"""Mean and standard deviation of the log of the square of an exponential variable of mean 1: a prior of dispersions."""
LEAST_SD = 1e-3
"""No standard deviation between units is taken for less."""


class Shrinkable(ABC):
    """A model that can be fitted to each unit of a panel with a prior that is learnt from all of them."""

    @abstractmethod
    def evidence(self, estimate: Estimate) -> Any:
        """Sum up what the counts of one unit say, apart from the prior that it has by itself.

        Parameters
        ----------
        estimate : Estimate
            From :meth:`Model.estimate`.
        """

    @abstractmethod
    def learn(self, evidence: Sequence[Sequence[Any]]) -> Any:
        """Find the prior that explains the units of a panel best.

        Parameters
        ----------
        evidence : sequence of sequences
            Of each unit what :meth:`evidence` made of each of its histories.
        """

    @abstractmethod
    def shrunk(self, estimate: Estimate, counts: FloatArray, design: Design, prior: Any) -> Estimate:
        """Estimate one unit anew with the prior of the panel.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`Model.estimate` made of the counts.
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        prior : object
            From :meth:`learn`.

        Returns
        -------
        Estimate
            Its paths are drawn with this prior as well, also after :meth:`Model.carry`.
        """


class NormalPrior(NamedTuple):
    """Independent normal distributions of d parameters over the units of a panel."""

    names: tuple[str, ...]
    mean: FloatArray  # (d,)
    sd: FloatArray  # (d,)

    def table(self) -> pd.DataFrame:
        """Mean and standard deviation over the units, of the parameters as they are shared (logs, logits)."""
        return pd.DataFrame({"mean": self.mean, "sd": self.sd}, index=list(self.names))

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density (m,) at points (m, d), up to a constant."""
        value: FloatArray = -0.5 * (((points - self.mean) / self.sd) ** 2).sum(axis=1)
        return value

    def combined(self, evidence: Evidence) -> tuple[FloatArray, FloatArray]:
        """Mean (d,) and covariance (d, d) of a unit's parameters given its counts."""
        cov: FloatArray = np.asarray(np.linalg.inv(evidence.precision + np.diag(self.sd**-2.0)), dtype=np.float64)
        return cov @ (evidence.pull + self.mean / self.sd**2), cov


class Evidence(NamedTuple):
    """What one unit's counts say of d parameters: a normal likelihood ``exp(pull @ u - u @ precision @ u / 2)``.

    Beside it is the prior that the unit has by itself.
    """

    precision: FloatArray  # (d, d)
    pull: FloatArray  # (d,)
    own: NormalPrior


def evidence_beside(mean: FloatArray, cov: FloatArray, prior: NormalPrior) -> Evidence:
    """What is left of a posterior with this mean (d,) and covariance (d, d) without its prior.

    Where the posterior is no narrower than the prior nothing is left.  A prior without bounds has infinite standard
    deviations.
    """
    whole, own = np.linalg.inv(cov), prior.sd**-2.0
    values, axes = np.linalg.eigh(whole - np.diag(own))
    known = values > 1e-6 * max(float(values[-1]), 1e-12)
    axes = axes[:, known]
    return Evidence((axes * values[known]) @ axes.T, axes @ (axes.T @ (whole @ mean - own * prior.mean)), prior)


def evidence_of_draws(draws: FloatArray, prior: NormalPrior) -> Evidence:
    """What draws (m, d) from a posterior say beside its prior."""
    cov = np.atleast_2d(np.cov(draws, rowvar=False))
    return evidence_beside(draws.mean(axis=0), cov + 1e-10 * np.eye(len(cov)), prior)


def learn_normal(evidence: Sequence[Sequence[Evidence]]) -> NormalPrior:
    """Find the distribution of the parameters over the units, N of them, by the EM algorithm.

    Of the histories of a unit the mean evidence counts.  The mean of the distribution has the prior that a unit has by
    itself (the mean over the units where these differ), so that what no unit shows stays as it is there.
    """
    names = evidence[0][0].own.names
    hyper = np.mean([unit[0].own.mean for unit in evidence], axis=0)
    firm = np.mean([unit[0].own.sd for unit in evidence], axis=0) ** -2.0
    precision = np.stack([np.mean([one.precision for one in unit], axis=0) for unit in evidence])
    pull = np.stack([np.mean([one.pull for one in unit], axis=0) for unit in evidence])
    first = np.median([np.diag(one) for one in precision], axis=0)
    first = np.where(first > 0, first, 1.0)
    alone = np.linalg.solve(precision + np.diag(0.1 * first), pull[:, :, None])[:, :, 0]
    mean, usual = np.median(alone, axis=0), np.maximum(alone.var(axis=0), LEAST_SD**2)
    variance = usual + 1 / first
    for _ in range(MOST_STEPS):
        cov = np.linalg.inv(precision + np.diag(1 / variance))
        # the best mean, given the variances, at once: steps of the EM algorithm towards it would be small ones
        known = (np.diag(1 / variance) - cov / np.outer(variance, variance)).sum(axis=0)
        seen = (cov @ pull[:, :, None])[:, :, 0].sum(axis=0) / variance
        new = np.linalg.solve(known + np.diag(firm), seen + hyper * firm)
        centres = (cov @ (pull + new / variance)[:, :, None])[:, :, 0]
        within = np.diagonal(cov, axis1=1, axis2=2)
        sums = (within + (centres - new) ** 2).sum(axis=0) + SPREAD_WEIGHT * usual
        spread = np.maximum(sums / (len(evidence) + SPREAD_WEIGHT), LEAST_SD**2)
        moved = np.abs(new - mean) / np.sqrt(spread) + np.abs(np.log(spread / variance))
        mean, variance = new, spread
        if moved.max() < ENOUGH:
            break
    return NormalPrior(names, mean, np.sqrt(variance))
