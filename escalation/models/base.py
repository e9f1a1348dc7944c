"""The contract that every count model keeps: options, fit, forecast, each an immutable thing.

A model is a frozen dataclass of options with two methods on plain arrays, :meth:`CountModel.estimate`
and :meth:`CountModel.simulate`; what is the same for all (the gate, missing periods, histories and
their pooling, the result records) is here.
"""

from __future__ import annotations

import html
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import norm

from escalation.arguments import check_level, check_whole
from escalation.counts import check_counts, count_matrix, is_histories
from escalation.errors import FitError, InputError, NotConvergedWarning
from escalation.forecast import Forecast
from escalation.randomness import Seed, as_generator

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_STEPS = 5_000
MAX_CELLS = 250_000_000
"""Draws x steps of a forecast; so many fill 2 GB."""
POOLED = 25
"""Histories that a fit pools by default; Rubin's rules lose little beyond some twenty."""


@dataclass(frozen=True, eq=False)
class Design:
    """What a model may know of the periods beside their counts.

    Attributes
    ----------
    periods : pandas.PeriodIndex
        The periods, n of them.
    time : (n,) float array
        Periods since the first one of the fit: 0, 1, 2, …, going on into the forecast.
    exposure : (n,) float array
        Share of each period that was covered, > 0.
    exog : (n, k) float array
        Regressors; k may be 0.
    exog_names : tuple of str
        Their names.
    """

    periods: pd.PeriodIndex
    time: FloatArray
    exposure: FloatArray
    exog: FloatArray
    exog_names: tuple[str, ...] = ()


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
    fitted : (n,) float array
        Expected count of each period as the model has it (what "expected" means is in its docstring).
    converged : bool
        Whether the optimiser settled.
    state : dict
        What :meth:`CountModel.simulate` needs and ``params`` does not hold.
    """

    params: FloatArray
    cov: FloatArray
    names: tuple[str, ...]
    llf: float
    fitted: FloatArray
    converged: bool
    state: dict[str, Any] = field(default_factory=dict)


class CountModel(ABC):
    """Options of a count model; ``fit`` makes a :class:`CountFit`.

    A subclass is a frozen dataclass in a file of its own, entered in ``models/registry.py``.
    """

    name: ClassVar[str]
    """Registry name, lower case with underscores."""
    min_periods: ClassVar[int] = 3
    """Fewest observed periods that a fit needs."""
    takes_exog: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"dispersion": (0.0, math.inf)}
    """What parameters can be at least and at most; confidence intervals are cut there."""

    @abstractmethod
    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Fit to one series.

        Parameters
        ----------
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        """

    @abstractmethod
    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw joint paths of the periods in ``design``, the uncertainty of the parameters included.

        Returns
        -------
        (draws, steps) int64 array
        """

    def fit(
        self,
        counts: pd.Series | pd.DataFrame,
        *,
        exposure: pd.Series | None = None,
        exog: pd.DataFrame | None = None,
        pool: int = POOLED,
        unit: str = "incidents",
    ) -> CountFit:
        """Fit the model to one count series, or to histories of it.

        Parameters
        ----------
        counts : pandas.Series or pandas.DataFrame
            Counts on a ``PeriodIndex`` (missing periods allowed), or histories; for histories the
            model is fitted to ``pool`` of them, parameters are pooled by Rubin's rules
            (doi:10.1002/9780470316696) and forecast paths are joined.
        exposure : pandas.Series, optional
            Share of each period that was covered, > 0 where it was observed; all 1 when left out.
        exog : pandas.DataFrame, optional
            Regressors on the same periods; only for models that take them.
        pool : int
            How many histories to fit to, spread evenly over all.
        unit : str
            What is counted, for sentences and axes.

        Returns
        -------
        CountFit

        Raises
        ------
        InputError
            If the counts, the exposure or the regressors do not fit together.
        FitError
            If too few periods were observed, or no fit could be had.
        """
        table = check_counts(counts)
        if isinstance(table, pd.DataFrame) and not is_histories(table):
            raise InputError(
                f"{self.name} fits one series and got a table of {table.shape[1]} units; fit each column by itself"
            )
        if exog is not None and not self.takes_exog:
            raise InputError(f"{self.name} takes no regressors; leave exog out or use negative_binomial")
        pool = check_whole(pool, "pool", 1_000_000)
        matrix = count_matrix(table)
        unobserved = np.isnan(matrix[:, 0])
        design = make_design(pd.PeriodIndex(table.index), 0, exposure, exog, unobserved)
        observed = int((~unobserved).sum())
        if observed < self.min_periods:
            raise FitError(f"{observed} observed periods are too few for {self.name}; it needs {self.min_periods}")
        chosen = np.unique(np.linspace(0, matrix.shape[1] - 1, min(pool, matrix.shape[1])).round().astype(int))
        estimates = tuple(self.estimate(matrix[:, j], design) for j in chosen)
        if not all(estimate.converged for estimate in estimates):
            failed = sum(not estimate.converged for estimate in estimates)
            warnings.warn(
                f"{self.name}: {failed} of {len(estimates)} fits did not settle; give it more periods or fewer terms",
                NotConvergedWarning,
                stacklevel=2,
            )
        return CountFit(self, table, design, estimates, matrix[:, chosen], unit)


@dataclass(frozen=True, eq=False)
class CountFit:
    """A fitted count model.

    Attributes
    ----------
    model : CountModel
        Its options.
    counts : pandas.Series or pandas.DataFrame
        What it was fitted to.
    design : Design
        The periods, exposures and regressors of the fit.
    estimates : tuple of Estimate
        One a pooled history; one in all for exact counts.
    matrix : (n, len(estimates)) float array
        The series behind each estimate, NaN where not observed.
    unit : str
        What is counted.
    """

    model: CountModel
    counts: pd.Series | pd.DataFrame = field(repr=False)
    design: Design = field(repr=False)
    estimates: tuple[Estimate, ...] = field(repr=False)
    matrix: FloatArray = field(repr=False)
    unit: str

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
        anything = (-math.inf, math.inf)
        least, most = np.array([self.model.limits.get(name, anything) for name in half.index]).reshape(-1, 2).T
        lower, upper = np.maximum(self.params - half, least), np.minimum(self.params + half, most)
        return pd.DataFrame({"lower": lower, "upper": upper})

    @property
    def llf(self) -> float:
        """Log-likelihood (mean over the histories)."""
        return float(np.mean([estimate.llf for estimate in self.estimates]))

    @property
    def nobs(self) -> int:
        """Observed periods."""
        return int((~np.isnan(self.matrix[:, 0])).sum())

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * len(self.estimates[0].names) - 2.0 * self.llf

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return float(np.log(self.nobs)) * len(self.estimates[0].names) - 2.0 * self.llf

    @property
    def fitted(self) -> pd.Series:
        """Expected count of each period (mean over the histories)."""
        values = np.mean([estimate.fitted for estimate in self.estimates], axis=0)
        return pd.Series(values, index=self.design.periods, name="fitted")

    @property
    def converged(self) -> bool:
        """Whether every fit settled."""
        return all(estimate.converged for estimate in self.estimates)

    def summary(self) -> pd.DataFrame:
        """Estimates with standard errors and 95% intervals, one row a parameter."""
        return pd.DataFrame({"estimate": self.params, "std_error": self.bse}).join(self.conf_int())

    def forecast(
        self,
        steps: int,
        *,
        draws: int = 1000,
        exog: pd.DataFrame | None = None,
        rng: Seed = None,
    ) -> Forecast:
        """Draw joint paths of the next periods.

        Parameters
        ----------
        steps : int
            Periods ahead, 1 to 5,000.
        draws : int
            Paths; with histories they are shared out evenly.
        exog : pandas.DataFrame, optional
            Regressors of the coming periods, one row a step; needed when the fit had some.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        Forecast
            The uncertainty of the parameters, of the histories and of the counts themselves is in the paths.

        Raises
        ------
        InputError
            If ``steps`` or ``draws`` is out of range or the regressors do not fit.
        """
        steps = check_whole(steps, "steps", MAX_STEPS)
        draws = check_whole(draws, "draws", MAX_CELLS)
        if steps * draws > MAX_CELLS:
            raise InputError(
                f"{draws:,} draws of {steps:,} steps are too many to hold; give up to {MAX_CELLS // steps:,}"
            )
        last = self.design.periods[-1]
        periods = pd.period_range(last + 1, periods=steps, freq=last.freqstr, name="period")
        design = make_design(periods, len(self.design.time), None, exog)
        if design.exog_names != self.design.exog_names:
            raise InputError(
                f"the fit had the regressors {list(self.design.exog_names)}, the forecast got {list(design.exog_names)}"
            )
        m = len(self.estimates)
        component = np.arange(draws) * m // draws
        generators = as_generator(rng).spawn(m)
        parts = [
            self.model.simulate(self.estimates[j], design, int((component == j).sum()), generators[j])
            for j in np.unique(component)
        ]
        return Forecast(
            paths=np.concatenate(parts).astype(np.int64, copy=False),
            periods=periods,
            observed=self.matrix.T[component],
            model=self.model.name,
            unit=self.unit,
            component=component,
        )

    def _repr_html_(self) -> str:
        kind = f", pooled over {len(self.estimates)} histories" if len(self.estimates) > 1 else ""
        head = f"<b>{html.escape(repr(self.model))}</b> on {self.nobs} periods{kind}; log-likelihood {self.llf:.2f}"
        return head + self.summary().round(4).to_html()


def make_design(
    periods: pd.PeriodIndex,
    first_time: int,
    exposure: pd.Series | None,
    exog: pd.DataFrame | None,
    unobserved: NDArray[np.bool_] | None = None,
) -> Design:
    """Check exposure and regressors against the periods and put them into arrays.

    Where ``unobserved`` (n,) an exposure of 0 is no error, because nothing was counted there; it is taken as 1.

    Raises
    ------
    InputError
        If their periods differ, an exposure is not > 0, or a regressor is missing or infinite.
    """
    n = len(periods)
    time = first_time + np.arange(n, dtype=float)
    shares = np.ones(n)
    if exposure is not None:
        if not isinstance(exposure, pd.Series) or not exposure.index.equals(periods):
            raise InputError(
                "exposure is not a Series on the periods of the counts; use escalation.exposure(counts.index, ...)"
            )
        shares = _floats(exposure, "exposure")
        if unobserved is not None:
            shares[unobserved & (shares == 0)] = 1.0
        wrong = ~(np.isfinite(shares) & (shares > 0))
        if wrong.any():
            at = int(wrong.argmax())
            raise InputError(
                f"exposure is {shares[at]:g} at {periods[at]}; give a number > 0 wherever there is a count"
            )
    if exog is None:
        return Design(periods, time, shares, np.empty((n, 0)))
    if not isinstance(exog, pd.DataFrame) or len(exog) != n:
        raise InputError(f"exog must be a DataFrame with one row for each of the {n} periods")
    if not isinstance(exog.index, pd.RangeIndex) and not exog.index.equals(periods):
        raise InputError(f"exog covers {exog.index[0]} to {exog.index[-1]}, not {periods[0]} to {periods[-1]}")
    values = _floats(exog, "exog")
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"exog column {exog.columns[column]!r} is missing or infinite at {periods[row]}; fill or drop it"
        )
    return Design(periods, time, shares, values, tuple(str(name) for name in exog.columns))


def _floats(table: pd.Series | pd.DataFrame, name: str) -> FloatArray:
    """Copy of the values as floats, NaN for missing."""
    try:
        return np.array(table.astype("Float64").to_numpy(dtype=float, na_value=np.nan))
    except (TypeError, ValueError):
        raise InputError(f"{name} holds values that are not numbers; turn them into numbers first") from None
