"""Endemic-epidemic counts of several units: what goes on by itself, and what past counts bring about."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import LARGEST_MEAN
from escalation.errors import DataWarning, FitError, InputError
from escalation.models.contract.base import PanelModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.contract.newton import inverse
from escalation.models.diagnostics.distributions import Distributions, count_distributions
from escalation.models.endemic_epidemic.likelihood import Panel, evaluate, weigh_past
from escalation.models.endemic_epidemic.maximum import Maximum, maximise
from escalation.models.endemic_epidemic.paths import draw_paths, last_rates, resample
from escalation.models.regression.interventions import Intervention
from escalation.models.regression.terms import Terms

Effect: TypeAlias = Literal["none", "shared", "unit"]
LARGEST_COUNT = 1e9
EPIDEMIC = ("own_past", "others_past")


@dataclass(frozen=True)
class EndemicEpidemic(PanelModel):
    r"""Endemic-epidemic model of the counts of several units, as ``hhh4`` of the R package surveillance has it.

    The count of unit i in period t has the mean

        exposure_it * (population_i * exp(x_it'b) + lambda_i * r_i,t-1 + phi_i * sum_j w_ji r_j,t-1)

    where r are past counts by their exposure: an endemic part, the unit's own past and the others' past (Held, Höhle &
    Hofmann 2005, doi:10.1191/1471082X05st098oa; Paul & Held 2011, doi:10.1002/sim.4177; Meyer, Held & Höhle 2017,
    doi:10.18637/jss.v077.i11).  With exposures of 1 it is hhh4's.  Its variance is ``mean + dispersion * mean**2``, or
    the mean.  The likelihood is conditional on the first ``len(lag_weights)`` periods; the maximum is exact, with
    standard errors from the observed information.

    Parameters are ``own_past`` and ``others_past`` (logs of lambda and phi), ``level`` (log endemic rate where all
    other terms are 0), ``trend``, ``season_sin1``, …, as in :class:`~escalation.NegativeBinomial`, and
    ``dispersion``; what each unit has of its own is called ``level[unit]``.

    For a missing count the rate expected at the same parameters stands in, and what precedes the first period is
    taken as the unit's mean rate.  Parameters whose likelihood is highest at infinity (an epidemic part that is not
    there, a unit without a count), or that the counts do not distinguish, are estimated with weak priors, and a
    :class:`~escalation.errors.DataWarning` names them: exponential with mean 1 for the share of the mean that own or
    others' past makes up, gamma with shape 1/2 and the mean of the counts for the rate of a level, normal with standard
    deviation 5 for other endemic terms, scaled to a largest value of 1, exponential with mean 1 for the root of a
    dispersion.  Forecasts draw all parameters from their posterior under these priors.  Nothing keeps the epidemic
    part below 1: counts that grow are carried on growing; means are cut where the units' sum could pass 1e15.

    Parameters
    ----------
    own_past, others_past : {"none", "shared", "unit"}
        No such part, one coefficient for all units, or one for each.  A unit to which no weight leads has no
        ``others_past``.
    weights : "equal" or pandas.DataFrame
        How the past of one unit (row) counts for another (column); ``"equal"`` is 1 / (units - 1) for every two.
        Pairs that are not in the table are 0, as is a unit's weight for itself.  Kept as triples of those above 0.
    normalise : {"none", "source"}
        ``"source"``: the weights of each row are divided by their sum, as hhh4 does with ``normalize = TRUE``.
    lag_weights : tuple of float
        Weights of the counts 1, 2, … periods ago: ``(0.0, 1.0)`` is a lag of 2, ``(0.5, 0.3, 0.2)`` a distributed one
        (Bracher & Held 2022, doi:10.1016/j.ijforecast.2020.07.002).
    endemic_level : {"shared", "unit"}
        Endemic level.
    trend : {"none", "shared", "unit"}
        Linear change of the log endemic rate a period, counted from the first period of the fit.
    season : int or mapping of str to int
        Pairs of sine and cosine in the endemic part: the same waves for all units, or as many pairs as the mapping
        says for each unit by name, each with waves of its own.
    season_length : float, optional
        Periods in one season; when left out the year for weeks and months and the week for days, by the calendar.
    interventions : tuple of Step, Pulse or Decay
        Dated changes of the endemic rate of all units.
    population : pandas.Series, optional
        Sizes of the units by name, > 0, that endemic rates are proportional to.
    family : {"negbin", "poisson"}
        Distribution of the counts.
    dispersion : {"shared", "unit"}
        One dispersion for all units, or one for each; it is 0 where a Poisson distribution is as likely.

    Raises
    ------
    InputError
        If an option is none of these, or names a unit that is not in the panel.
    FitError
        On ``fit``, if a unit has no count, there are too few counts, or they are above 1e9.

    Examples
    --------
    Counts of two sides that answer each other:

    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> counts = np.zeros((200, 2))
    >>> for t in range(1, 200):
    ...     counts[t] = rng.poisson(2 + 0.2 * counts[t - 1] + 0.4 * counts[t - 1, ::-1])
    >>> weeks = pd.period_range("2021-01-04", periods=200, freq="W-SUN")
    >>> fit = EndemicEpidemic().fit(pd.DataFrame(counts, index=weeks, columns=["A", "B"]))
    >>> np.exp(fit.params[["own_past", "others_past"]]).round(1).tolist()
    [0.2, 0.4]
    """

    own_past: Effect = "shared"
    others_past: Effect = "shared"
    weights: Literal["equal"] | pd.DataFrame | tuple[tuple[str, str, float], ...] = "equal"
    normalise: Literal["none", "source"] = "none"
    lag_weights: tuple[float, ...] = (1.0,)
    endemic_level: Literal["shared", "unit"] = "unit"
    trend: Effect = "none"
    season: int | Mapping[str, int] | tuple[tuple[str, int], ...] = 0
    season_length: float | None = None
    interventions: tuple[Intervention, ...] = ()
    population: pd.Series | tuple[tuple[str, float], ...] | None = None
    family: Literal["negbin", "poisson"] = "negbin"
    dispersion: Literal["shared", "unit"] = "shared"
    name: ClassVar[str] = "endemic_epidemic"
    takes_exog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for option, allowed in (
            ("own_past", ("none", "shared", "unit")),
            ("others_past", ("none", "shared", "unit")),
            ("normalise", ("none", "source")),
            ("endemic_level", ("shared", "unit")),
            ("trend", ("none", "shared", "unit")),
            ("family", ("negbin", "poisson")),
            ("dispersion", ("shared", "unit")),
        ):
            if getattr(self, option) not in allowed:
                raise InputError(f"{option} is {getattr(self, option)!r}; use one of {allowed}")
        lags = self.lag_weights
        if not isinstance(lags, tuple) or not all(_is_size(lag) for lag in lags) or not sum(lags) > 0:
            raise InputError(f"lag_weights is {lags!r}; give a tuple of numbers >= 0, not all 0, such as (1.0,)")
        object.__setattr__(self, "lag_weights", tuple(float(lag) for lag in lags))
        if not isinstance(self.weights, str) or self.weights != "equal":
            object.__setattr__(self, "weights", _triples(self.weights))
        if isinstance(self.season, Mapping | tuple):
            object.__setattr__(self, "season", _pairs(self.season))
        if self.population is not None:
            object.__setattr__(self, "population", _sizes(self.population))
        self._terms()

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood; see :meth:`PanelModel.estimate`."""
        places = np.argsort(np.array(design.units))
        units = tuple(design.units[place] for place in places)
        _check_counts(counts, design.units)
        names, x = self._endemic(design, units)
        scale = np.abs(x).max(axis=(0, 1))
        scale[scale == 0] = 1.0
        names, panel = self._observe(names, x / scale, counts[:, places], design.exposure[:, places], units)
        scored = int((~np.isnan(panel.y[panel.first :])).sum())
        if scored <= panel.size:
            raise FitError(f"{scored} counts after the first are too few for {panel.size} parameters; use fewer terms")
        _check_endemic(names, panel)
        levels = np.flatnonzero([name.partition("[")[0] == "level" for name in names])
        try:
            found = maximise(panel, levels)
        except np.linalg.LinAlgError:
            raise FitError(
                f"the likelihood of counts up to {np.nanmax(counts):.0f} has no finite curvature; "
                "leave outliers out of the panel or use fewer terms"
            ) from None
        if len(found.weak):
            open_ones = ", ".join(names[place] for place in found.weak)
            warnings.warn(
                f"the counts do not determine {open_ones}; estimated with weak priors",
                DataWarning,
                stacklevel=6,
            )
        fitted = _means(found.point, panel, places)
        params, cov = _natural(found, panel, scale)
        return Estimate(
            params=params,
            cov=cov,
            names=tuple(names),
            llf=found.llf,
            fitted=fitted,
            converged=found.converged,
            state={"panel": panel, "point": found.point, "levels": levels, "scale": scale, "units": units},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Follow these counts at the same parameters; see :meth:`Model.carry`."""
        state, places = estimate.state, np.argsort(np.array(design.units))
        names, x = self._endemic(design, state["units"])
        _check_counts(counts, design.units)
        given = x / state["scale"], counts[:, places], design.exposure[:, places]
        _, panel = self._observe(names, *given, state["units"])
        learnt = state.get("learnt", state["panel"])
        return estimate.carried(_means(state["point"], panel, places), {"panel": panel, "learnt": learnt})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts of all units; see :meth:`PanelModel.simulate`.

        Raises
        ------
        FitError
            If a parameter has no finite uncertainty.
        """
        state = estimate.state
        panel: Panel = state["panel"]
        places = np.argsort(np.array(design.units))
        _, x = self._endemic(design, state["units"])
        points, rows = resample(state.get("learnt", panel), state["levels"], state["point"], draws, rng)
        paths = np.empty((len(places), draws, len(x)), dtype=np.int64)
        paths[places] = draw_paths(
            points,
            last_rates(points, panel),
            rows,
            panel,
            np.ascontiguousarray(x / state["scale"]),
            np.ascontiguousarray(design.exposure[:, places]),
            LARGEST_MEAN / len(places),  # of all units together
            rng,
        )
        return paths

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> tuple[Distributions, ...]:  # noqa: ARG002
        """Poisson or NB2 counts around the fitted means; see :meth:`PanelModel.distributions`."""
        panel: Panel = estimate.state["panel"]
        means = estimate.fitted.copy()
        means[: panel.first] = np.nan
        where = dict(zip(estimate.state["units"], panel.dispersion, strict=True))
        spread = [estimate.params[where[unit]] if where[unit] >= 0 else 0.0 for unit in design.units]
        return tuple(count_distributions(means[:, i], spread[i]) for i in range(len(design.units)))

    def _terms(self) -> Terms:
        """Endemic terms before they are split by unit."""
        pairs = self.season if not isinstance(self.season, tuple) else max((k for _, k in self.season), default=0)
        return Terms(
            trend="none" if self.trend == "none" else "linear",
            season=pairs,  # type: ignore[arg-type]
            season_length=self.season_length,
            interventions=self.interventions,
        )

    def _endemic(self, design: Design, units: tuple[str, ...]) -> tuple[list[str], FloatArray]:
        """Names (k) and columns (n, u, k) of the endemic terms."""
        taken = [name for name in design.exog_names if name in EPIDEMIC or "[" in name]
        if taken:
            raise InputError(f"the regressor {taken[0]!r} has the name of another parameter; call it something else")
        plain, columns = self._terms().columns(design)
        pairs = dict(self.season) if isinstance(self.season, tuple) else None
        _check_units("season", pairs or {}, units)
        names, parts = [], []
        for name, column in zip(plain, columns.T, strict=True):
            own = {"level": self.endemic_level == "unit", "trend": self.trend == "unit"}.get(name, False)
            chosen = range(len(units)) if own else []
            if name.startswith("season_") and pairs is not None:
                pair = int(name[len("season_sin") :])
                own, chosen = True, [i for i, unit in enumerate(units) if pairs.get(unit, 0) >= pair]
            if not own:
                names.append(name)
                parts.append(np.tile(column[:, None], len(units)))
            for i in chosen:
                names.append(f"{name}[{units[i]}]")
                parts.append(np.zeros((len(column), len(units))))
                parts[-1][:, i] = column
        return names, np.stack(parts, axis=-1)

    def _observe(
        self, names: list[str], x: FloatArray, y: FloatArray, exposure: FloatArray, units: tuple[str, ...]
    ) -> tuple[list[str], Panel]:
        """Names of all parameters (p), and the panel."""
        u, links = len(units), self._links(units)
        names = list(names)

        def places(effect: str, term: str, has: FloatArray) -> IntArray:
            given = np.full(u, -1)
            for i in np.flatnonzero(has):
                label = term if effect == "shared" else f"{term}[{units[i]}]"
                if label not in names:
                    names.append(label)
                given[i] = names.index(label)
            return given

        everyone = np.ones(u)
        own = places(self.own_past, "own_past", everyone * (self.own_past != "none"))
        others = places(self.others_past, "others_past", links.sum(axis=0) * (self.others_past != "none"))
        spread = places(self.dispersion, "dispersion", everyone * (self.family == "negbin"))
        missing = np.isnan(y)
        slot = np.where(missing, np.cumsum(missing).reshape(y.shape) - 1, -1)
        sizes = dict(self.population) if isinstance(self.population, tuple) else dict.fromkeys(units, 1.0)
        _check_units("population", dict.fromkeys(units), tuple(sizes))
        seen = np.where(missing, 0.0, exposure)
        past, before, lags = y / exposure, np.nansum(y, axis=0) / seen.sum(axis=0), np.array(self.lag_weights)
        z, s, gaps = weigh_past(past, before, links, lags)
        return names, Panel(
            y=y,
            exposure=exposure,
            past=past,
            before=before,
            z=z,
            s=s,
            gaps=gaps,
            x=np.ascontiguousarray(x),
            offset=np.log([sizes[unit] for unit in units]),
            own=own,
            others=others,
            dispersion=spread,
            links=links,
            lags=lags,
            slot=slot,
            first=len(self.lag_weights),
            size=len(names),
        )

    def _links(self, units: tuple[str, ...]) -> FloatArray:
        """Weights (u, u) from row to column."""
        u = len(units)
        if not isinstance(self.weights, tuple):
            return (np.ones((u, u)) - np.eye(u)) / max(u - 1, 1)
        _check_units("weights", dict.fromkeys(one for triple in self.weights for one in triple[:2]), units)
        links = np.zeros((u, u))
        for source, target, weight in self.weights:
            links[units.index(source), units.index(target)] = weight
        if self.normalise == "source":
            total = links.sum(axis=1, keepdims=True)
            links /= np.where(total > 0, total, 1.0)
        return links


def _means(point: FloatArray, panel: Panel, places: IntArray) -> FloatArray:
    """Expected counts (n, u), the panel's units put to ``places``."""
    rates = evaluate(point, panel, 0, False)[0]
    fitted = np.empty_like(rates)
    fitted[:, places] = rates * panel.exposure
    return fitted


def _natural(found: Maximum, panel: Panel, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Parameters (p,) and covariance (p, p): terms in their own units, dispersions as they are.

    Where a dispersion is 0 its standard error is that of the Poisson limit, ``sqrt(2 / sum(mean**2))``.
    """
    params, slopes = found.point.copy(), np.ones(panel.size)
    params[: len(scale)] /= scale
    slopes[: len(scale)] /= scale
    spread = np.unique(panel.dispersion[panel.dispersion >= 0])
    params[spread] = slopes[spread] = np.exp(found.point[spread])
    free = np.setdiff1d(np.arange(panel.size), found.poisson)
    cov = np.zeros((panel.size, panel.size))
    cov[np.ix_(free, free)] = inverse(found.information[np.ix_(free, free)])
    cov *= np.outer(slopes, slopes)
    means = evaluate(found.point, panel, 0, False)[0] * panel.exposure
    means[: panel.first] = 0.0
    means[panel.slot >= 0] = 0.0
    for place in found.poisson:
        cov[place, place] = 2 / max((means[:, panel.dispersion == place] ** 2).sum(), 1e-300)
    return params, cov


def _check_counts(counts: FloatArray, units: tuple[str, ...]) -> None:
    unseen = np.isnan(counts).all(axis=0)
    if unseen.any():
        raise FitError(f"unit {units[int(np.argmax(unseen))]!r} has no observed count; leave it out of the panel")
    if np.nanmax(counts) > LARGEST_COUNT:
        raise FitError(f"endemic_epidemic got a count of {np.nanmax(counts):.0f}; it fits counts up to 1e9")


def _check_endemic(names: list[str], panel: Panel) -> None:
    """Refuse endemic terms that the scored counts cannot distinguish."""
    columns = panel.x[panel.first :][panel.slot[panel.first :] < 0]
    length = np.linalg.norm(columns, axis=0)
    alone = np.abs(np.diag(np.linalg.qr(columns / np.where(length > 0, length, 1.0), mode="r")))
    if (alone < 1e-7).any():
        j = int(np.argmax(alone < 1e-7))
        raise InputError(f"{names[j]} is 0 or a sum of other endemic terms wherever there is a count; drop it")


def _check_units(option: str, named: Mapping[str, object], units: tuple[str, ...]) -> None:
    unknown = [unit for unit in named if unit not in units]
    if unknown:
        raise InputError(f"{option} and the panel differ in the unit {unknown[0]!r}; name the units as the columns are")


def _is_size(value: object) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and 0 <= float(value) < math.inf  # type: ignore[arg-type]


def _triples(weights: object) -> tuple[tuple[str, str, float], ...]:
    """Weights above 0 as (source, target, weight), from a table or from such triples."""
    if isinstance(weights, pd.DataFrame):
        if not (weights.index.is_unique and weights.columns.is_unique):
            raise InputError("weights names a unit twice in its rows or columns; give each one row and one column")
        values = weights.to_numpy(dtype=object)
        triples = [
            (source, target, values[i, j])
            for i, source in enumerate(weights.index)
            for j, target in enumerate(weights.columns)
        ]
    elif isinstance(weights, tuple) and all(isinstance(one, tuple) and len(one) == 3 for one in weights):
        triples = list(weights)
    else:
        raise InputError(f"weights is {weights!r}; use 'equal' or a DataFrame with a row and a column for each unit")
    if not all(_is_size(weight) for _, _, weight in triples):
        raise InputError(
            "weights holds something that is not a number >= 0; use 0 where a unit does not follow another"
        )
    return tuple(
        (str(source), str(target), float(weight))
        for source, target, weight in triples
        if str(source) != str(target) and weight > 0
    )


def _pairs(season: Mapping[str, int] | tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Fourier pairs of each unit, by name."""
    pairs = dict(season)
    for unit, number in pairs.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise InputError(f"season of {unit!r} is {number!r}; give its Fourier pairs, a whole number >= 0")
    return tuple(sorted((str(unit), int(number)) for unit, number in pairs.items()))


def _sizes(population: object) -> tuple[tuple[str, float], ...]:
    """Sizes of the units by name."""
    sizes = dict(population) if isinstance(population, pd.Series | tuple) else {}
    if not sizes or not all(_is_size(size) and size > 0 for size in sizes.values()):
        raise InputError("population is no Series of numbers > 0; give the size of each unit by its name")
    return tuple((str(unit), float(size)) for unit, size in sizes.items())
