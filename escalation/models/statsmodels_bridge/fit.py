"""Fitted results of statsmodels as a fit of this package: read, checked and put on their periods."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed
from escalation.counts.schema import checked_counts
from escalation.counts.series import CountsLike
from escalation.errors import DataWarning, InputError
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import CountFit
from escalation.models.contract.design import Design
from escalation.models.statsmodels_bridge.family import CountFamily
from escalation.models.statsmodels_bridge.model import EXPOSURE, Continued, StatsmodelsModel

CONSTANTS = ("const", "Intercept", "level")
"""What statsmodels, formulas and this package call a column of ones."""


def _negative_binomial(model: Any) -> CountFamily:
    if model.loglike_method == "geometric":
        return CountFamily("negbin", alpha=1.0)
    return CountFamily("negbin", {"nb1": 1.0, "nb2": 2.0}[model.loglike_method])


def _hurdle(model: Any) -> CountFamily:
    power = float(model.model2.model_main.parameterization) if model.model2.k_extra else 2.0
    return CountFamily(
        "negbin" if model.model2.k_extra else "poisson", power, zero="negbin" if model.model1.k_extra else "poisson"
    )


def _glm(model: Any) -> CountFamily:
    family, link = type(model.family).__name__, type(model.family.link).__name__
    if family not in ("Poisson", "NegativeBinomial") or link.lower() != "log":
        raise InputError(
            f"results are of a GLM with family {family} and link {link}; counts need Poisson or NegativeBinomial, log"
        )
    if not (np.all(model.freq_weights == 1) and np.all(model.var_weights == 1)):
        raise InputError("results are of a GLM with weights; a series has one count a period, so fit it without them")
    if family == "Poisson":
        return CountFamily()
    if model.family.alpha == 1.0:
        warnings.warn(
            "the GLM's alpha is held at 1, statsmodels' default; fit its NegativeBinomial, which estimates alpha",
            DataWarning,
            stacklevel=4,
        )
    return CountFamily("negbin", alpha=float(model.family.alpha))


FAMILIES: dict[str, Callable[[Any], CountFamily]] = {
    "GLM": _glm,
    "Poisson": lambda model: CountFamily(),  # noqa: ARG005
    "NegativeBinomial": _negative_binomial,
    "NegativeBinomialP": lambda model: CountFamily("negbin", float(model.parameterization)),
    "GeneralizedPoisson": lambda model: CountFamily("generalized_poisson", model.parameterization + 1.0),
    "ZeroInflatedPoisson": lambda model: CountFamily(zero=model.inflation),
    "ZeroInflatedNegativeBinomialP": lambda model: CountFamily(
        "negbin", float(model.model_main.parameterization), zero=model.inflation
    ),
    "ZeroInflatedGeneralizedPoisson": lambda model: CountFamily(
        "generalized_poisson", model.model_main.parameterization + 1.0, zero=model.inflation
    ),
    "HurdleCountModel": _hurdle,
}
"""Family of each class of statsmodels that is understood."""


@dataclass(frozen=True, eq=False)
class StatsmodelsFit(CountFit):
    """A fit that statsmodels made; columns that go on by themselves may be left out of ``exog``."""

    model: StatsmodelsModel

    def forecast(
        self,
        horizon: int,
        *,
        draws: int = 1000,
        exog: pd.DataFrame | None = None,
        rng: Seed = None,
    ) -> Forecast:
        """Draw joint paths of the next periods; see :meth:`CountFit.forecast`."""
        return super().forecast(horizon, draws=draws, exog=self._asked(exog, len(self.design.time)), rng=rng)

    def update(
        self,
        counts: CountsLike,
        *,
        exposure: pd.Series | pd.DataFrame | None = None,
        exog: pd.DataFrame | None = None,
    ) -> Self:
        """Keep the parameters, and have other counts before the origin; see :meth:`CountFit.update`."""
        return super().update(counts, exposure=exposure, exog=self._asked(exog, 0))

    def _asked(self, exog: pd.DataFrame | None, first_time: int) -> pd.DataFrame | None:
        """The columns that the design holds; others that are given must go on as the fit has them go on."""
        model = self.model
        if not isinstance(exog, pd.DataFrame):
            if model.asked and exog is None:
                raise InputError(f"the fit needs exog of the coming periods, with the columns {', '.join(model.asked)}")
            return exog
        exog = exog.set_axis([str(name) for name in exog.columns], axis=1)
        if isinstance(exog.index, pd.DatetimeIndex):
            exog = exog.set_axis(exog.index.to_period(self.design.periods.freqstr))
        time = first_time + np.arange(len(exog))
        for one in model.continued:
            wanted = one.start + one.step * time
            if one.name in exog and not np.allclose(exog[one.name].to_numpy(dtype=float), wanted):
                raise InputError(
                    f"column {one.name!r} of exog does not go on from the fit's, with {wanted[0]:g} at first; leave it "
                    "out or correct it"
                )
        kept = exog.drop(columns=[one.name for one in model.continued], errors="ignore")
        return kept[[name for name in model.asked if name in kept] + [name for name in kept if name not in model.asked]]


def from_statsmodels(
    results: Any, periods: pd.PeriodIndex | pd.DatetimeIndex | None = None, *, unit: str = "incidents"
) -> CountFit:
    """Make fitted count results of statsmodels a fit that forecasts joint paths.

    Understood are results of ``GLM`` (family Poisson or NegativeBinomial, log link), ``Poisson``, ``NegativeBinomial``,
    ``NegativeBinomialP``, ``GeneralizedPoisson``, ``ZeroInflatedPoisson``, ``ZeroInflatedNegativeBinomialP``,
    ``ZeroInflatedGeneralizedPoisson`` and ``HurdleCountModel``, with any covariance that they were given.  Forecasts
    draw the parameters from a normal distribution with this covariance, on statsmodels' scale of them (an ``alpha``
    below 0 is taken as 0, which is Poisson), and then the counts.  The covariance of ``ZeroInflatedPoisson`` leaves out
    how the estimates of the mean and of the zeros go together (as of statsmodels 0.15.0).  ``model`` of the fit can be
    run in a backtest, where statsmodels fits the same model again.

    A column of ones called ``const`` or ``Intercept``, and one that rises by 1 a period (or evenly, if called
    ``trend``), go on by themselves.  All other columns are asked for as ``exog`` of the coming periods, under their
    names; columns of ``exog_infl`` that are no columns of the mean have ``inflate_`` before their names.  Exposures
    between 0 and 1, at least one of them 1, are taken as the share of a period that was covered; forecasts are of
    whole periods.  Other exposures and offsets are asked for as a column ``exposure``, the exponential of the offset.

    Parameters
    ----------
    results : results object of statsmodels
        Of counts of one series, one a period.
    periods : PeriodIndex or DatetimeIndex, optional
        Of the counts; when left out, the index of the data that statsmodels was given.  Periods that are left out of
        it, or had missing values, count as not observed.
    unit : str
        What is counted, for sentences and axes.

    Returns
    -------
    CountFit
        Its ``results`` are those given here.

    Raises
    ------
    InputError
        If the results are of another class, penalised, constrained or weighted, have no periods, or no covariance.
    FitError
        If their covariance is none.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from statsmodels.discrete.discrete_model import Poisson
    >>> weeks = pd.period_range("2024-01-01", periods=8, freq="W-SUN")
    >>> counts = pd.Series([3, 5, 2, 6, 4, 7, 5, 8], index=weeks)
    >>> design = pd.DataFrame({"const": 1.0, "trend": np.arange(8.0)}, index=weeks)
    >>> fit = from_statsmodels(Poisson(counts, design).fit(disp=0), unit="raids")
    >>> fit.params.round(3).to_dict(), str(fit.forecast(4, rng=1).periods[0])
    ({'const': 1.169, 'trend': 0.116}, '2024-02-26/2024-03-03')
    """
    family = _family(results)
    model = results.model
    rows = _rows(model, periods)
    at = np.asarray(rows.asi8 - rows[0].ordinal)
    columns, terms, zero_terms = _columns(model, family)
    continued = tuple(found for name in columns if (found := _continued(name, columns[name], at)) is not None)
    exposure, is_share = _exposure(model, len(at))
    if not is_share:
        if EXPOSURE in columns:
            raise InputError(f"there is a regressor called {EXPOSURE!r} beside an exposure; rename it")
        columns[EXPOSURE], exposure = exposure, np.ones(len(at))
    options = StatsmodelsModel(family, terms, zero_terms, continued, not is_share, str(results.cov_type))
    full = pd.period_range(rows[0], rows[-1], freq=rows.freqstr, name="period")
    table, matrix = checked_counts(pd.Series(_spread(np.asarray(model.endog, dtype=float), at), index=full))
    design = Design(
        periods=full,
        time=np.arange(float(len(full))),
        exposure=np.nan_to_num(_spread(exposure, at), nan=1.0),
        exog=np.column_stack([np.empty((len(full), 0)), *(_spread(columns[name], at) for name in options.asked)]),
        exog_names=options.asked,
    )
    estimate = options.estimate_of(results, options.columns(design))
    return StatsmodelsFit(model=options, estimates=(estimate,), counts=table, design=design, array=matrix.T, unit=unit)


def _family(results: Any) -> CountFamily:
    """Distribution of the counts of results, if of a class that is understood and estimated by maximum likelihood."""
    model = getattr(results, "model", None)
    held = getattr(results, "_results", results)
    kind = type(model).__name__
    if model is None or not hasattr(results, "cov_params"):
        raise InputError(f"results is a {type(results).__name__}; give fitted results of statsmodels with a covariance")
    if kind not in FAMILIES or not type(model).__module__.startswith("statsmodels."):
        more = "; it says nothing of zeros" if kind.startswith("Truncated") else ""
        raise InputError(f"results are of {kind}, which cannot be continued{more}; use one of {', '.join(FAMILIES)}")
    if type(held).__name__.startswith("L1") or hasattr(results, "constraints"):
        raise InputError(f"results of {kind} are penalised or constrained; fit it without that")
    family = FAMILIES[kind](model)
    if abs(getattr(results, "scale", 1.0) - 1.0) > 1e-12:
        raise InputError(
            f"results of {kind} have scale {results.scale:g}, which no distribution of counts has; fit NegativeBinomial"
        )
    if family.counts != "poisson" and family.alpha is None and np.asarray(results.params)[-1] < 0:
        raise InputError(
            f"results of {kind} have an alpha below 0, with which probabilities do not sum to 1; fit Poisson"
        )
    return family


def _rows(model: Any, periods: pd.PeriodIndex | pd.DatetimeIndex | None) -> pd.PeriodIndex:
    """Periods of the rows that statsmodels used, rising."""
    used = len(model.endog)
    index = model.data.row_labels if periods is None else periods
    dropped = getattr(model.data, "missing_row_idx", None)
    if periods is not None and dropped is not None and len(periods) == used + len(dropped):
        index = periods.delete(dropped)
    if isinstance(index, pd.DatetimeIndex):
        freq = index.freqstr or (pd.infer_freq(index) if len(index) > 2 else None)
        index = None if freq is None else index.to_period()
    if not isinstance(index, pd.PeriodIndex) or len(index) != used:
        raise InputError(f"the results' counts have no periods; give periods, a PeriodIndex of {used}")
    if not index.is_monotonic_increasing or not index.is_unique:
        raise InputError("the results' periods do not rise one by one; give those of one series, sorted")
    return index


def _columns(model: Any, family: CountFamily) -> tuple[dict[str, FloatArray], tuple[str, ...], tuple[str, ...]]:
    """Columns by name, and the names of those of the mean and of the zeros."""
    q = model.exog_infl.shape[1] if hasattr(model, "exog_infl") else 0
    p = model.exog.shape[1]
    given = getattr(model.data.orig_exog, "columns", None)
    names = [str(name).removeprefix("zm_") for name in model.exog_names[q : q + p]]
    terms = names if given is None or len(given) != p else [str(name) for name in given]
    if len(set(terms)) < p:
        raise InputError(f"two columns of the results have one name, of {', '.join(terms)}; rename one")
    columns = dict(zip(terms, np.asarray(model.exog, dtype=float).T, strict=True))
    zero_terms = []
    for name, column in zip(model.exog_names[:q], np.asarray(model.exog_infl, dtype=float).T if q else [], strict=True):
        plain = str(name).removeprefix("inflate_")
        same = plain in columns and np.array_equal(columns[plain], column)
        zero_terms.append(plain if same else str(name))
        columns[zero_terms[-1]] = column
    return columns, tuple(terms), tuple(terms if family.hurdle else zero_terms)


def _continued(name: str, column: FloatArray, at: NDArray[np.int64]) -> Continued | None:
    """How a column (n,) goes on from the periods ``at`` (n,), if there is no doubt."""
    plain = name.removeprefix("inflate_")
    if plain in CONSTANTS and (column == 1).all():
        return Continued(name, 1.0, 0.0)
    if len(at) < 3 or column[0] == column[-1]:
        return None
    step = (column[-1] - column[0]) / (at[-1] - at[0])
    even = np.allclose(column, column[0] + step * (at - at[0]), rtol=1e-9, atol=0)
    return (
        Continued(name, float(column[0]), float(step)) if even and (plain == "trend" or np.isclose(step, 1)) else None
    )


def _exposure(model: Any, n: int) -> tuple[FloatArray, bool]:
    """Exposures (n,), and whether they are shares of a period."""
    given = [getattr(model, name, None) for name in ("offset", "exposure")]
    exposure = np.exp(sum((np.asarray(one, dtype=float) for one in given if one is not None), np.zeros(n)))
    return exposure, bool(exposure.max() <= 1 + 1e-9 and exposure.max() >= 1 - 1e-9)


def _spread(values: FloatArray, at: NDArray[np.int64]) -> FloatArray:
    """Values of the periods ``at`` (n,) among all periods, NaN in the others."""
    full = np.full(int(at[-1]) + 1, np.nan)
    full[at] = values
    return full
