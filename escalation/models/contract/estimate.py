"""What every model is and every fit gives, for one series and for a panel alike: estimates and their pooling."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.stats import norm

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import FitError, InputError, NotConvergedWarning
from escalation.models.contract.design import Design

MAX_STEPS = 5_000
MAX_CELLS = 250_000_000
"""Units x draws x steps of a forecast; so many fill 2 GB."""


class Specification(ABC):
    """Options of a model: a frozen dataclass in a file of its own, entered in ``models/registry.py``."""

    name: ClassVar[str]
    """Registry name, lower case with underscores."""
    min_periods: ClassVar[int] = 3
    """Fewest observed periods that a fit needs."""
    takes_exog: ClassVar[bool] = False
    """Whether a fit takes regressors."""
    follows_exposure: ClassVar[bool] = True
    """Whether coming counts are proportional to their exposure; a model that draws past counts again has no rate."""

    @abstractmethod
    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw joint paths of the periods in ``design``, the uncertainty of the parameters included.

        Returns
        -------
        (draws, steps) int64 array, or (units, draws, steps) in a panel
        """

    def limits(self) -> dict[str, tuple[float, float]]:
        """Least and largest value of parameters that have one, by name; confidence intervals are cut there."""
        return {"dispersion": (0.0, math.inf)}


@dataclass(frozen=True, eq=False)
class Estimate:
    """One model fitted to one fully known series.

    Attributes
    ----------
    params : (p,) float array
        Estimates, in the model's natural parametrisation, in the order of ``names``.
    cov : (p, p) float array
        Their covariance; NaN where the model gives none.
    names : tuple of str
        Names of the parameters.
    llf : float
        Log-likelihood at the estimates (NaN for a model without one).
    fitted : (n,) float array, or (n, units) in a panel
        Expected count of each period as the model has it (what "expected" means is in its docstring).
    converged : bool
        Whether the optimiser converged.
    state : dict
        What simulation needs and ``params`` does not hold.
    """

    params: FloatArray
    cov: FloatArray
    names: tuple[str, ...]
    llf: float
    fitted: FloatArray
    converged: bool
    state: dict[str, Any] = field(default_factory=dict)

    def carried(self, fitted: FloatArray, state: dict[str, Any]) -> Estimate:
        """The same parameters with other ``fitted`` means, and these parts of the state in the place of its own.

        What is kept in the state as ``learnt`` is what the parameters were estimated from.  The log-likelihood is NaN:
        it is not at its maximum.

        Parameters
        ----------
        fitted : (n,) float array, or (n, units) in a panel
            Expected counts of the periods that the state now ends with.
        state : dict
            What replaces parts of the state.
        """
        return replace(self, fitted=fitted, llf=math.nan, state=self.state | state)


@dataclass(frozen=True, eq=False)
class FitResult(ABC):
    """A model and its estimates, one a pooled history.

    Attributes
    ----------
    model : Specification
        Its options.
    estimates : tuple of Estimate
        One a pooled history; one in all for exact counts.
    """

    model: Specification
    estimates: tuple[Estimate, ...] = field(repr=False)

    @property
    @abstractmethod
    def nobs(self) -> int:
        """Observed counts."""

    @property
    def params(self) -> pd.Series:
        """Estimates (means over the histories)."""
        values = np.mean([estimate.params for estimate in self.estimates], axis=0)
        return pd.Series(values, index=list(self.estimates[0].names), name="params")

    @property
    def cov_params(self) -> pd.DataFrame:
        """Covariance of the estimates; over histories, within plus (1 + 1/m) between (Rubin's rules)."""
        names = list(self.estimates[0].names)
        total = np.mean([estimate.cov for estimate in self.estimates], axis=0)
        m = len(self.estimates)
        if m > 1 and names:
            between = np.atleast_2d(np.cov([estimate.params for estimate in self.estimates], rowvar=False))
            total = total + (1 + 1 / m) * between
        return pd.DataFrame(total, index=names, columns=names)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the estimates."""
        cov = self.cov_params
        return pd.Series(np.sqrt(np.diag(cov)), index=cov.index, name="bse")

    def conf_int(self, level: float = 0.95) -> pd.DataFrame:
        """Normal confidence intervals of the parameters, cut at their limits (a dispersion is not below 0).

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            Columns ``lower`` and ``upper``.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        half = norm.ppf((1 + check_level(level)) / 2) * self.bse
        anything, limits = (-math.inf, math.inf), self.model.limits()
        plain = [name.partition("[")[0] for name in half.index]  # dispersion[unit] has the limits of dispersion
        least, most = np.array([limits.get(name, anything) for name in plain]).reshape(-1, 2).T
        lower, upper = np.maximum(self.params - half, least), np.minimum(self.params + half, most)
        return pd.DataFrame({"lower": lower, "upper": upper})

    @property
    def llf(self) -> float:
        """Log-likelihood (mean over the histories)."""
        return float(np.mean([estimate.llf for estimate in self.estimates]))

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * len(self.estimates[0].names) - 2.0 * self.llf

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return float(np.log(self.nobs)) * len(self.estimates[0].names) - 2.0 * self.llf

    @property
    def converged(self) -> bool:
        """Whether every fit converged."""
        return all(estimate.converged for estimate in self.estimates)

    def table(self) -> pd.DataFrame:
        """Estimates with standard errors and 95% intervals, one row a parameter."""
        return pd.DataFrame({"estimate": self.params, "std_error": self.bse}).join(self.conf_int())


def observed_behind(array: FloatArray, component: IntArray) -> FloatArray:
    """Counts (units, draws, n) that each path continues, of histories (m, n) or (m, n, units); a view where m is 1."""
    past = array.reshape(*array.shape[:2], -1).transpose(2, 0, 1)
    return np.broadcast_to(past, (len(past), len(component), past.shape[2])) if len(array) == 1 else past[:, component]


def warn_not_converged(name: str, estimates: Sequence[Estimate]) -> None:
    """Warn of estimates that did not converge, in the name of the caller's caller."""
    failed = sum(not estimate.converged for estimate in estimates)
    if failed:
        warnings.warn(
            f"{name}: {failed} of {len(estimates)} fits did not converge; give it more periods or fewer terms",
            NotConvergedWarning,
            stacklevel=3,
        )


def check_size(horizon: int, draws: int, units: int = 1) -> tuple[int, int]:
    """Return the horizon and draws of a forecast.

    Raises
    ------
    InputError
        If they are out of range, or too many to hold.
    """
    horizon = check_whole(horizon, "horizon", MAX_STEPS)
    draws = check_whole(draws, "draws", MAX_CELLS)
    if horizon * draws * units > MAX_CELLS:
        of = f"{horizon:,} steps" + (f" and {units:,} units" if units > 1 else "")
        raise InputError(f"{draws:,} draws of {of} are too many to hold; give up to {MAX_CELLS // (horizon * units):,}")
    return horizon, draws


def check_family(name: str, family: str) -> None:
    """Refuse what is no distribution of a count.

    Raises
    ------
    InputError
        If the family is neither ``negbin`` nor ``poisson``.
    """
    if family not in ("negbin", "poisson"):
        raise InputError(f"family is {family!r}; {name} takes 'negbin' or 'poisson'")


def check_largest(name: str, counts: FloatArray, most: float) -> None:
    """Refuse counts whose likelihood would lose its digits.

    Raises
    ------
    FitError
        If a count is above ``most``.
    """
    largest = float(np.nanmax(counts))
    if largest > most:
        raise FitError(f"{name} got a count of {largest:g}; it takes up to {most:g}, count larger units")
