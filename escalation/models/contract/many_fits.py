"""One model fitted to each of many series, by itself: a panel whose units know nothing of one another."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.progress import Progress
from escalation.conventions.randomness import Seed, as_generator, draw_root, generator_for
from escalation.counts.histories import POOLED
from escalation.counts.schema import table_of_counts
from escalation.errors import EscalationError, FitError, InputError
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.base import CountFit, CountModel, fit_checked
from escalation.models.contract.blocks import cut, run_blocks
from escalation.models.contract.calls import simulate_paths
from escalation.models.contract.design import Checked, Design, check_panel
from escalation.models.contract.estimate import check_size, observed_behind
from escalation.models.contract.shrinking import check_shrinkable, evidence_of, learn_prior, shrunk_fit
from escalation.models.diagnostics.diagnostics import Diagnosis, diagnosis_table

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class SeriesBlock:
    """Some of the series of a panel, and how to fit them; all that a worker needs to know.

    Attributes
    ----------
    model : CountModel
        Its options.
    counts : (draws, n, k) float array
        Counts or histories of k series, NaN where not observed.
    design : Design
        The n periods, with exposures (n, k) and the names of the series.
    pool : int
        How many histories to fit to.
    unit : str
        What is counted.
    """

    model: CountModel
    counts: FloatArray
    design: Design
    histories: int
    unit: str

    def __len__(self) -> int:
        return len(self.design.units)

    def fits(self, prior: Any = None) -> Iterator[tuple[str, CountFit | str]]:
        """Fit to each of the series, by its name, with the prior of a panel if given, or say why there is no fit."""
        for place, name in enumerate(self.design.units):
            fit = self._fit(place)
            yield name, fit if prior is None else shrunk_or_why(fit, prior)

    def _fit(self, place: int) -> CountFit | str:
        array = np.ascontiguousarray(self.counts[:, :, place])
        design = replace(self.design, exposure=np.ascontiguousarray(self.design.exposure[:, place]), units=())
        table = table_of_counts(array, design.periods, self.design.units[place])
        try:
            return fit_checked(self.model, Checked(table, array, design), self.histories, self.unit)
        except Exception as error:  # one series must not lose the others
            return explained(error)


def shrunk_or_why(fit: CountFit | str, prior: Any) -> CountFit | str:
    """A fit with the prior of a panel, or why there is none."""
    try:
        return fit if isinstance(fit, str) else shrunk_fit(fit, prior)
    except Exception as error:  # one series must not lose the others
        return explained(error)


def explained(error: Exception) -> str:
    """What a table of failures says of an error; those of other libraries are named."""
    return str(error) if isinstance(error, EscalationError) else f"{type(error).__name__}: {error}"


def series_blocks(
    model: CountModel,
    panel: pd.DataFrame,
    exposure: pd.Series | pd.DataFrame | None,
    exog: pd.DataFrame | None,
    histories: int,
    unit: str,
) -> list[SeriesBlock]:
    """Check a panel and cut it into blocks of series.

    Raises
    ------
    InputError
        If the model is not one of single series, or counts, exposure and regressors do not fit together.
    """
    if not isinstance(model, CountModel):
        raise InputError(f"model is {model!r}; give a model of single series, such as Climatology()")
    if exog is not None and not model.takes_exog:
        raise InputError(f"{model.name} has no place for regressors; leave exog out")
    histories = check_whole(histories, "histories", 1_000_000)
    _, array, design = check_panel("fit_many", panel, exposure, exog)
    return [
        SeriesBlock(
            model=model,
            counts=array[:, :, places],
            design=replace(design, exposure=design.exposure[:, places], units=tuple(names)),
            histories=histories,
            unit=unit,
        )
        for places, names in zip(cut(range(len(design.units))), cut(design.units), strict=True)
    ]


def failure_table(errors: Mapping[str, str]) -> pd.DataFrame:
    """One row a unit that failed: ``unit``, ``error``."""
    return pd.DataFrame({"unit": list(errors), "error": list(errors.values())}, dtype="str")


def fit_many(
    model: CountModel,
    panel: pd.DataFrame,
    *,
    exposure: pd.Series | pd.DataFrame | None = None,
    exog: pd.DataFrame | None = None,
    histories: int = POOLED,
    unit: str = "incidents",
    shrink: bool = False,
    executor: Executor | None = None,
    progress: Progress = False,
) -> ManyFits:
    """Fit a model to every series of a panel, each by itself or leaning on what all of them say.

    Parameters
    ----------
    model : CountModel
        Its options.
    panel : pandas.DataFrame
        Counts on a ``PeriodIndex``, one column a unit (missing periods allowed), or histories of them, with columns of
        two levels, unit and ``draw``.
    exposure : pandas.Series or pandas.DataFrame, optional
        Share of each period that was covered; one column for all units, or one for each.
    exog : pandas.DataFrame, optional
        Regressors on the same periods, the same for all units; only for models that take them.
    histories : int
        How many histories to fit to, spread evenly over all.
    unit : str
        What is counted, for sentences and axes.
    shrink : bool
        Whether parameters are shrunk towards the panel's: their distribution over the units is learnt from all of them
        and is the prior of each (empirical Bayes; Efron & Morris 1973, doi:10.1080/01621459.1973.10481350), so that
        short series lean on the others and long ones hardly do.  Of ``changing_rate`` these are the weights of its
        structures and dispersions, of ``local_level``, ``local_trend`` and ``ingarch`` all parameters but the level, of
        ``negative_binomial`` and ``poisson`` all terms and the dispersion; other models are refused.  It takes some
        three times as long.
    executor : concurrent.futures.Executor, optional
        Who does the work, in blocks of up to 100 series: a ``ProcessPoolExecutor``, a ``ThreadPoolExecutor`` or one
        of another library with the same interface.  It is not shut down.  Without one the work is done here.
    progress : bool or callable
        Whether to show how far it is: a bar on stderr if that is a terminal, or a line in a notebook.  A function is
        called with the number of series that are done, and of all, after each block.

    Returns
    -------
    ManyFits
        The same whatever the executor, its number of workers and the order of the columns.  Series that cannot be
        fitted are rows of
        ``failures``.  Fits that did not converge are in ``converged``, without a warning.

    Raises
    ------
    InputError
        If the model is not one of single series, or counts, exposure and regressors do not fit together, or the model
        has no parameters to shrink.
    FitError
        If ``shrink`` is asked for and fewer than two series can be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from escalation import Climatology
    >>> weeks = pd.period_range("2024-01-07", periods=4, freq="W-SUN")
    >>> panel = pd.DataFrame({"north": [1, 0, 2, 4], "south": [None] * 4}, index=weeks)
    >>> many = fit_many(Climatology(), panel)
    >>> list(many.fits), many.failures["unit"].tolist()
    (['north'], ['south'])
    """
    blocks = series_blocks(model, panel, exposure, exog, histories, unit)
    if shrink:
        check_shrinkable(model)
    found, prior = merged(run_blocks(fit_block, blocks, executor, progress)), None
    if shrink:
        own = cut(list(found.items()))
        prior = learn_prior(model, evidence_of, own, executor, progress)
        found = merged(run_blocks(partial(shrink_block, prior=prior), own, executor, progress))
    fits = {name: fit for name, fit in found.items() if isinstance(fit, CountFit)}
    errors = {name: fit for name, fit in found.items() if isinstance(fit, str)}
    return ManyFits(model, MappingProxyType(fits), failure_table(errors), unit, prior)


def fit_block(block: SeriesBlock) -> dict[str, CountFit | str]:
    """Fits of the series of a block, or why there is none."""
    return dict(block.fits())


def shrink_block(fits: Sequence[tuple[str, CountFit | str]], *, prior: Any) -> dict[str, CountFit | str]:
    """Fits of some units with the prior of their panel, or why there is none."""
    return {name: shrunk_or_why(fit, prior) for name, fit in fits}


def merged(parts: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    """What was found in each block, in one mapping."""
    return {name: value for part in parts for name, value in part.items()}


@dataclass(frozen=True, eq=False)
class ManyFits:
    """A model fitted to many series, each by itself or with a prior that all of them have in common.

    Attributes
    ----------
    model : CountModel
        Its options.
    fits : mapping of str to CountFit
        By unit, in the order of the panel.
    failures : pandas.DataFrame
        Columns ``unit`` and ``error``, one row a series that could not be fitted.
    unit : str
        What is counted.
    prior : object
        What the fits were shrunk towards, with a ``table``; None where each is by itself.
    """

    model: CountModel
    fits: Mapping[str, CountFit] = field(repr=False)
    failures: pd.DataFrame = field(repr=False)
    unit: str
    prior: Any = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "fits": dict(self.fits)}

    @property
    def params(self) -> pd.DataFrame:
        """Estimates, one row a unit."""
        return self._rows([fit.params for fit in self.fits.values()])

    @property
    def bse(self) -> pd.DataFrame:
        """Standard errors of the estimates, one row a unit."""
        return self._rows([fit.bse for fit in self.fits.values()])

    @property
    def llf(self) -> pd.Series:
        """Log-likelihoods, by unit."""
        return pd.Series({name: fit.llf for name, fit in self.fits.items()}, dtype=float, name="llf")

    @property
    def converged(self) -> pd.Series:
        """Whether each fit converged, by unit."""
        return pd.Series({name: fit.converged for name, fit in self.fits.items()}, dtype=bool, name="converged")

    def forecast(
        self,
        horizon: int,
        *,
        draws: int = 1000,
        exog: pd.DataFrame | None = None,
        executor: Executor | None = None,
        progress: Progress = False,
        rng: Seed = None,
    ) -> Forecast:
        """Draw paths of the next periods of every series that was fitted.

        Parameters
        ----------
        horizon : int
            Periods ahead, 1 to 5,000.
        draws : int
            Paths of each unit; all of them are held, so that for thousands of units :func:`forecast_many` is lighter.
        exog : pandas.DataFrame, optional
            Regressors of the coming periods, one row a step; needed when the fits had some.
        executor, progress
            As in :func:`fit_many`.
        rng : int, Generator or None
            Seed or generator; each unit has draws of its own, by its name, whatever the others and the workers.

        Returns
        -------
        Forecast
            The units are fitted apart, so their paths are independent of one another but for the histories they share,
            and ``total()`` is too sure of itself where units are busy together.

        Raises
        ------
        InputError
            If ``horizon`` or ``draws`` is out of range or the regressors do not fit.
        FitError
            If no series was fitted, or one cannot be forecast.
        """
        if not self.fits:
            raise FitError(f"no series was fitted by {self.model.name}, so there is nothing to forecast; see failures")
        horizon, draws = check_size(horizon, draws, len(self.fits))
        root = draw_root(as_generator(rng))
        first = next(iter(self.fits.values()))
        ahead = first.design.ahead(horizon, exog)
        work = partial(_forecast_block, ahead=ahead, draws=draws, root=root)
        parts = run_blocks(work, cut(list(self.fits.items())), executor, progress)
        histories = len(first.estimates)
        component = np.arange(draws) * histories // draws
        return Forecast(
            paths=np.concatenate(parts),
            units=tuple(self.fits),
            periods=ahead.periods,
            observed=observed_behind(np.stack([fit.array for fit in self.fits.values()], axis=-1), component),
            model=self.model.name,
            unit=self.unit,
            component=component,
        )

    def diagnose(
        self, *, confidence: float = 0.95, executor: Executor | None = None, progress: Progress = False
    ) -> pd.DataFrame:
        """Look for what is wrong with the fits; see :meth:`CountFit.diagnose`.

        Parameters
        ----------
        confidence : float
            Confidence with which the verdicts speak, over all units together.
        executor, progress
            As in :func:`fit_many`.

        Returns
        -------
        pandas.DataFrame
            As :meth:`PanelFit.diagnose`.

        Raises
        ------
        InputError
            If ``confidence`` is not between 0 and 1.
        """
        check_level(confidence, "confidence", such=0.95)
        parts = run_blocks(_diagnose_block, cut(list(self.fits.items())), executor, progress)
        return diagnosis_table(merged(parts), confidence)

    def sentence(self) -> str:
        """Say in plain words how many series were fitted."""
        number, failed, open_ones = len(self.fits), len(self.failures), int((~self.converged).sum())
        text = f"{self.model.name} was fitted to {number:,} of {number + failed:,} series of {self.unit}"
        text += "" if self.prior is None else ", each with what all of them say as its prior"
        return text + (f"; {open_ones:,} of the fits have not converged." if open_ones else ".")

    def table(self) -> pd.DataFrame:
        """Estimates, log-likelihood and whether the fit converged, one row a unit."""
        return self.params.assign(llf=self.llf, converged=self.converged)

    def _rows(self, values: list[pd.Series]) -> pd.DataFrame:
        columns = values[0].index if values else pd.Index([])
        return pd.DataFrame([one.to_numpy() for one in values], index=pd.Index(self.fits, name="unit"), columns=columns)

    def _repr_html_(self) -> str:
        head = (
            f"<b>{html.escape(repr(self.model))}</b> fitted to each of {len(self.fits):,} units, "
            f"{len(self.failures):,} failed; parameters"
        )
        return head + table_html(self.params.round(4), max_rows=30)


def _forecast_block(fits: Sequence[tuple[str, CountFit]], *, ahead: Design, draws: int, root: int) -> NDArray[np.int64]:
    """Paths (k, draws, steps) of the fits of a block."""
    return np.stack([paths_of(fit, name, ahead, draws, root) for name, fit in fits])


def paths_of(fit: CountFit, name: str, ahead: Design, draws: int, root: int) -> NDArray[np.int64]:
    """Paths (draws, steps) of one fit on the coming periods, from the generator of its name."""
    return simulate_paths(fit, ahead, draws, generator_for(root, name))[0]


def _diagnose_block(block: Sequence[tuple[str, CountFit]]) -> dict[str, Diagnosis | str]:
    """Diagnoses by unit, or why there is none."""
    found: dict[str, Diagnosis | str] = {}
    for name, fit in block:
        try:
            found[name] = fit.diagnose()
        except FitError as error:
            found[name] = str(error)
    return found
