"""Hawkes processes: each event raises the rate of further ones for a while."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.errors import FitError, InputError, warn
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.calls import simulate_paths
from escalation.models.contract.design import Design, make_design
from escalation.models.contract.estimate import (
    Estimate,
    FitResult,
    Specification,
    check_size,
    warn_not_converged,
)
from escalation.models.hawkes.bootstrap import HawkesBootstrap, bootstrap_estimates
from escalation.models.hawkes.drift import DEGREES, smooth_rates
from escalation.models.hawkes.maximum import Events, maximise
from escalation.models.hawkes.paths import Parameters, draw_events, outstanding
from escalation.models.hawkes.residuals import ResidualTest, residual_test
from escalation.models.hawkes.times import EventTimes, counts_in, edges_of

SMOOTH = {
    "constant background": "A constant rate",
    "background with a trend": "A rate that steadily rises or falls",
    "background with a bend": "A rate that slowly drifts",
}
"""Explanations without excitation, by the degree of their log rate."""
LEAST_EVENTS = 5
"""Least number of events of each kind."""
TRIES = 200
"""Rounds in which drawn parameters that make no sense are drawn again; then the estimate stands in for them."""
EXPLAINED = 4.0
"""An explanation whose AIC is higher by less is as good (Burnham & Anderson 2002, doi:10.1007/b97636, section 2.6)."""
MOST_TIED = 0.05
"""Largest share of exact times that may be equal to another without a warning."""
LEAST_DECAY = 0.05
"""Drawn decays are at least so many times the estimate."""


@dataclass(frozen=True)
class Hawkes(Specification):
    r"""Self- and mutually exciting point process with exponential kernels.

    The rate of events of kind ``m`` is ``background_m + sum over past events of branching_ml * decay_m * exp(-decay_m
    * time since)``, where ``l`` is the kind of the past event (Hawkes 1971, doi:10.1093/biomet/58.1.83).
    ``branching_ml`` is the expected number of direct offspring of kind ``m`` (target) of one event of kind ``l``
    (source), and ``1 / decay`` the mean time until they come, in days.  The parameters are named ``background[m]``,
    ``branching[m<-l]`` and ``decay``, or ``decay[m]``.

    The estimate is the maximum of the likelihood of the window; events before it are taken not to have been.  Events
    whose time within the day is unknown get one at random in each of several draws, the process is fitted to each, and
    the estimates are pooled by Rubin's rules (doi:10.1002/9780470316696).  Excitation that acts within hours cannot be
    seen in days: what it does then goes into the rest.

    The mean time until offspring come is at most the length of the window, for longer ones only make the rate rise over
    it, as a drifting background does; :attr:`HawkesFit.at_bound` and the sentence say where the estimate lies there.
    A rate that changes for other reasons looks like excitation (Filimonov & Sornette 2015,
    doi:10.1080/14697688.2015.1032544), so that :meth:`HawkesFit.alternatives` compares the process with backgrounds
    that vary smoothly, and the sentence says where one of them explains the events as well.  Times that are equal or
    whole days and given as exact are warned of: what they were rounded to looks like excitation at once.

    Standard errors come from the observed information (Ogata 1978, doi:10.1007/BF02480216), cut where the likelihood is
    flat.  In samples of a few hundred
    events that of the decay is some 0.8 of its true spread: :meth:`HawkesFit.bootstrap` gives intervals that do not
    rest on it.

    Parameters
    ----------
    decay : {"common", "target"}
        One decay for all, or one for each kind of target.

    Raises
    ------
    InputError
        If ``decay`` is neither.

    Examples
    --------
    >>> from escalation.models.hawkes.times import times_of
    >>> rng = np.random.default_rng(1)
    >>> fit = Hawkes().fit(times_of(np.sort(rng.uniform(0, 200, 150)), 200))
    >>> list(fit.params.index)
    ['background[events]', 'branching[events<-events]', 'decay']
    >>> fit.branching_ratio < 0.3
    True
    """

    decay: Literal["common", "target"] = "common"
    name: ClassVar[str] = "hawkes"

    def __post_init__(self) -> None:
        if self.decay not in ("common", "target"):
            raise InputError(f"decay is {self.decay!r}; use 'common' or 'target'")

    def fit(self, events: EventTimes, *, draws: int = 20, rng: Seed = None) -> HawkesFit:
        """Fit the process to events.

        Parameters
        ----------
        events : EventTimes
            What :func:`event_times` or :func:`times_of` made.
        draws : int
            Draws of the times; only one is made where every time is known.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        HawkesFit

        Raises
        ------
        FitError
            If there are fewer than five events of a kind.
        """
        draws = check_whole(draws, "draws", 10_000)
        least = int(events.numbers.min())
        if least < LEAST_EVENTS:
            name = events.marks[int(events.numbers.argmin())]
            raise FitError(
                f"{least} events of the kind {name!r} are too few for a Hawkes process; it needs {LEAST_EVENTS}"
            )
        _warn_of_rounded(events)
        generators = as_generator(rng).spawn(1 if events.exact else draws)
        estimates = tuple(_estimate(events, self.decay, one) for one in generators)
        warn_not_converged(self.name, estimates)
        return HawkesFit(self, estimates, events)

    def loglike(self, params: FloatArray, events: EventTimes) -> float:
        """Log-likelihood at given parameters of events whose times are known.

        Parameters
        ----------
        params : (p,) array
            In the order of :attr:`HawkesFit.params`.
        events : EventTimes
            With every time known.

        Raises
        ------
        InputError
            If a time is not known, or the parameters are not as many or not positive.
        """
        point = np.asarray(params, dtype=float)
        names = parameter_names(events.marks, self.decay)
        if point.shape != (len(names),) or not (point >= 0).all() or not np.isfinite(point).all():
            raise InputError(f"params are {point}; give {len(names)} numbers >= 0: {', '.join(names)}")
        if not events.exact:
            raise InputError("some events have no exact time, so that there is no one likelihood; draw the times first")
        times, marks = events.draw()
        data = Events(times, marks, len(events.marks), events.days)
        return float(data.derivatives(point, shared=self.decay == "common")[0])

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw counts of the periods after the window; see :meth:`HawkesFit.forecast`.

        Returns
        -------
        (kinds, draws, steps) int64 array
        """
        state = estimate.state
        kinds = int(state["marks"].max()) + 1
        parameters = draw_parameters(estimate, kinds, draws, rng)
        excess = outstanding(state["times"], state["marks"], state["days"], parameters)
        edges = edges_of(design.periods, design.periods[0].start_time)
        draw, time, mark = draw_events(parameters, float(edges[-1]), rng, excess)
        return counts_in(time, mark * draws + draw, kinds * draws, edges).reshape(kinds, draws, len(edges) - 1)


@dataclass(frozen=True, eq=False)
class HawkesFit(FitResult):
    """A fitted Hawkes process.

    Attributes
    ----------
    model : Hawkes
        Its options.
    estimates : tuple of Estimate
        One a draw of the times; one in all where they are known.
    events : EventTimes
        What it was fitted to.
    """

    model: Hawkes
    estimates: tuple[Estimate, ...] = field(repr=False)
    events: EventTimes

    @property
    def nobs(self) -> int:
        """Events."""
        return len(self.events.mark)

    @property
    def parameters(self) -> Parameters:
        """Pooled estimates as arrays."""
        return as_parameters(self.params.to_numpy(dtype=float)[None], len(self.events.marks))

    @property
    def branching(self) -> pd.DataFrame:
        """Expected direct offspring of one event, a row a target and a column a source."""
        marks = pd.Index(self.events.marks)
        return pd.DataFrame(self.parameters.branching[0], index=marks.rename("target"), columns=marks.rename("source"))

    @property
    def branching_ratio(self) -> float:
        """Spectral radius of :attr:`branching`; of one kind the share of events that others set off, below 1."""
        return float(self.parameters.ratio()[0])

    @property
    def at_bound(self) -> pd.Series:
        """Whether each parameter is at a bound, in half of the draws of the times or more."""
        share = np.mean([one.state["at_bound"] for one in self.estimates], axis=0)
        return pd.Series(share >= 0.5, index=self.params.index, name="at_bound")

    def alternatives(self) -> pd.DataFrame:
        """Compare excitation with backgrounds that vary smoothly and set nothing off.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``explanation``: excitation, and Poisson processes with a log rate that is constant, linear or
            quadratic in time, for each kind by itself (Lewis & Shedler 1979, doi:10.1287/opre.27.5.1026);
            ``log_likelihood`` (mean over the draws of the times), ``parameters``, ``aic``, and ``over``: AIC above the
            lowest.
        """
        kinds = len(self.events.marks)
        smooth = np.zeros(len(DEGREES))
        for one in self.estimates:
            for kind in range(kinds):
                smooth += smooth_rates(one.state["times"][one.state["marks"] == kind], self.events.days)
        smooth /= len(self.estimates)
        rows = {"excitation": (float(np.mean([one.llf for one in self.estimates])), len(self.params))}
        for name, degree, height in zip(SMOOTH, DEGREES, smooth, strict=True):
            rows[name] = float(height), kinds * (degree + 1)
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["log_likelihood", "parameters"])
        table["aic"] = 2 * table["parameters"] - 2 * table["log_likelihood"]
        return table.assign(over=table["aic"] - table["aic"].min()).rename_axis("explanation")

    def conf_int(self, level: float = 0.95) -> pd.DataFrame:
        """Normal intervals from the observed information, cut at 0; too narrow in small samples, see :meth:`bootstrap`.

        Parameters
        ----------
        level : float
            Between 0 and 1.
        """
        return super().conf_int(level).clip(lower=0.0)

    def bootstrap(self, replicates: int = 200, *, rng: Seed = None) -> HawkesBootstrap:
        """Refit windows simulated from the estimates, their times made as uncertain as those of the events.

        Parameters
        ----------
        replicates : int
            Windows, at least 20.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        HawkesBootstrap

        Raises
        ------
        InputError
            If ``replicates`` is below 20.
        FitError
            If the branching ratio is 1 or more, or the windows have too few events to refit.
        """
        if check_whole(replicates, "replicates", 1_000_000) < 20:
            raise InputError(f"replicates is {replicates}; give at least 20, better 200 or more")
        self._check_stationary()
        shared = self.model.decay == "common"
        estimates = bootstrap_estimates(self.parameters, self.events, replicates, as_generator(rng), shared=shared)
        names = list(self.params.index)
        kinds = len(self.events.marks)
        return HawkesBootstrap(
            estimates=self.params,
            replicates=pd.DataFrame(estimates, columns=names),
            ratio=self.branching_ratio,
            ratios=as_parameters(estimates, kinds).ratio(),
        )

    def residual_test(self) -> ResidualTest:
        """Test whether the rescaled waiting times are exponential; see :class:`ResidualTest`."""
        kinds = len(self.events.marks)
        drawn = [
            (one.state["times"], one.state["marks"], as_parameters(one.params[None], kinds)) for one in self.estimates
        ]
        return residual_test(drawn, self.events.marks)

    def forecast(
        self, horizon: int, *, freq: str = "W-SUN", draws: int = 1000, unit: str = "incidents", rng: Seed = None
    ) -> Forecast:
        """Draw joint counts of the next periods, with the uncertainty of times and parameters.

        Parameters
        ----------
        horizon : int
            Periods ahead.
        freq : str
            Their frequency; the window of the events must end where one of them ends.
        draws : int
            Paths, shared out evenly over the draws of the times.
        unit : str
            What is counted.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        Forecast
            Each kind of events is a unit.

        Raises
        ------
        InputError
            If the window ends within a period, or ``horizon`` or ``draws`` is out of range.
        FitError
            If the branching ratio is 1 or more.
        """
        marks = self.events.marks
        horizon, draws = check_size(horizon, draws, len(marks))
        self._check_stationary()
        past = self.events.periods(freq)
        last = past[-1]
        ahead = pd.period_range(last + 1, periods=horizon, freq=last.freqstr, name="period")
        paths, component = simulate_paths(self, make_design(ahead, 0, None, None), draws, rng)
        edges = edges_of(past, self.events.start)
        seen = np.stack(
            [counts_in(one.state["times"], one.state["marks"], len(marks), edges) for one in self.estimates], axis=1
        ).astype(float)
        if edges[0] < 0:
            seen[:, :, 0] = np.nan  # the window begins within this period
        observed = seen[:, component]
        return Forecast(paths, marks, ahead, observed, self.model.name, unit, component)

    def sentence(self) -> str:
        """Say in plain words how much events set off, how fast, and whether something else explains them as well."""
        return self._excitation() + self._bound() + self._otherwise()

    def _excitation(self) -> str:
        days = f"{1.0 / self.parameters.decay[0].min():.2g}"
        marks = self.events.marks
        if len(marks) == 1:
            half = 1.96 * float(self.bse.iloc[1])
            low, high = max(self.branching_ratio - half, 0.0), self.branching_ratio + half
            return (
                f"One event directly sets off {self.branching_ratio:.2f} others on average (95% interval from the "
                f"curvature of the likelihood {low:.2f} to {high:.2f}), after {days} days in the mean."
            )
        ratios = self.parameters.branching[0]
        said = [
            f"one of {source} sets off {ratios[at, of]:.2f} of {target}"
            for of, source in enumerate(marks)
            for at, target in enumerate(marks)
        ]
        return f"On average {', '.join(said)}, after at most {days} days in the mean."

    def _bound(self) -> str:
        """Say where the decay is the slowest that can be estimated."""
        decays = [name for name in self.params.index if name.startswith("decay")]
        slowest = (self.params[decays] < 1.5 / self.events.days) & self.at_bound[decays]
        if not slowest.any():
            return ""
        return " That time is the whole window, the longest that can be estimated."

    def _otherwise(self) -> str:
        """Say which background without excitation explains the events as well, the simplest first."""
        aic = self.alternatives()["aic"]
        as_well = aic[list(SMOOTH)][aic[list(SMOOTH)] <= aic["excitation"] + EXPLAINED]
        if as_well.empty or float(self.parameters.branching.max()) == 0.0:
            return ""
        return f" {SMOOTH[str(as_well.idxmin())]} without excitation explains the events as well (by AIC)."

    def _check_stationary(self) -> None:
        if self.branching_ratio >= 1.0:
            raise FitError(
                f"the branching ratio is {self.branching_ratio:.3f}, so that events would grow without end; "
                f"fit a shorter window in which the rate is steadier.{self._otherwise()}"
            )

    def _repr_html_(self) -> str:
        head = f"<b>{html.escape(repr(self.model))}</b> on {self.nobs:,} events; log-likelihood {self.llf:.2f}"
        return head + f"<p>{html.escape(self.sentence())}</p>" + table_html(self.table().round(4))


def _warn_of_rounded(events: EventTimes) -> None:
    """Warn of exact times that are equal to others or whole days, as hardly any real times are."""
    if not events.exact:
        return
    _, often = np.unique(events.earliest, return_counts=True)
    tied = int(often[often > 1].sum())
    whole = bool((events.earliest == np.floor(events.earliest)).all())
    if whole or tied > MOST_TIED * len(events.earliest):
        what = "all times are whole days" if whole else f"{tied} of {len(events.earliest)} times equal another"
        warn(
            f"{what} and none has an interval, so that rounding looks like excitation; give the days between which "
            "each event lies (event_times, or earliest and latest of EventTimes)"
        )


def _estimate(events: EventTimes, decay: str, rng: Generator) -> Estimate:
    """Maximise the likelihood of one draw of the times."""
    times, marks = events.draw(rng=rng)
    found = maximise(Events(times, marks, len(events.marks), events.days), shared=decay == "common")
    return Estimate(
        params=found.point,
        cov=found.cov,
        names=parameter_names(events.marks, decay),
        llf=found.value,
        fitted=np.empty(0),
        converged=found.converged,
        state={"times": times, "marks": marks, "days": events.days, "at_bound": found.at_bound},
    )


def parameter_names(marks: tuple[str, ...], decay: str) -> tuple[str, ...]:
    """Names in the order of the parameters."""
    return (
        *(f"background[{mark}]" for mark in marks),
        *(f"branching[{target}<-{source}]" for target in marks for source in marks),
        *(("decay",) if decay == "common" else (f"decay[{mark}]" for mark in marks)),
    )


def as_parameters(points: FloatArray, kinds: int) -> Parameters:
    """Parameters of points (draws, p)."""
    square = kinds * kinds
    decay = points[:, kinds + square :]
    return Parameters(
        background=points[:, :kinds],
        branching=points[:, kinds : kinds + square].reshape(-1, kinds, kinds),
        decay=np.broadcast_to(decay, (len(points), kinds)),
    )


def draw_parameters(estimate: Estimate, kinds: int, draws: int, rng: Generator) -> Parameters:
    """Draw parameters from the normal distribution about the estimate, where they make sense (ratio below 1)."""
    values, vectors = np.linalg.eigh(estimate.cov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    points = np.repeat(estimate.params[None], draws, axis=0)
    open_ = np.arange(draws)
    for _ in range(TRIES):
        tried = estimate.params + rng.standard_normal((len(open_), len(estimate.params))) @ root.T
        sane = (tried >= 0).all(axis=1)
        first = kinds + kinds * kinds
        sane &= (tried[:, first:] > LEAST_DECAY * estimate.params[first:]).all(axis=1)
        sane[sane] = as_parameters(tried[sane], kinds).ratio() < 1.0
        points[open_[sane]] = tried[sane]
        open_ = open_[~sane]
        if not len(open_):
            break
    return as_parameters(points, kinds)
