"""Scenarios: what a forecast would be if the coming rate changed as assumed, or an attack came, beside the baseline."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.arguments import check_whole
from escalation.definitions import Flashpoint
from escalation.errors import InputError
from escalation.flashpoint import LARGEST_SUM, FlashpointProbability, error_of_mean, flashpoint, hits
from escalation.forecast import Forecast
from escalation.models.base import CountFit, CountModel
from escalation.models.design import FloatArray
from escalation.models.ensemble import Ensemble
from escalation.models.estimate import check_size, simulate_paths
from escalation.models.interventions import Decay, Pulse, Step
from escalation.periods import DateLike, parse_date, period_word
from escalation.randomness import Seed, as_generator, draw_root, generator_for

BASELINE = "baseline"
LARGEST_FACTOR = 1000.0
FEWEST_PATHS = 50
"""With fewer paths an event says nothing."""
INTERVAL = 0.9
"""Probability of the ranges of totals."""


@dataclass(frozen=True)
class Scenario:
    """An assumed change of the coming rate: times a factor from a date on.

    A ceasefire is a factor below 1 from its date on, a surge one above 1; with ``until`` either ends, with
    ``half_life`` it fades.  The whole period that holds ``date`` counts as changed, and that which holds ``until``.

    Parameters
    ----------
    date : date or str
        First day; kept as ``YYYY-MM-DD``.
    factor : float
        What the rate is multiplied by, above 0 (0.001 to 1,000).
    half_life : float, optional
        Days in which the log of the factor halves; it stays when left out.
    until : date or str, optional
        Last day, inclusive; the change lasts when left out.

    Raises
    ------
    InputError
        If a date cannot be read, ``until`` is before ``date``, or a number is out of range.

    Examples
    --------
    >>> weeks = pd.period_range("2024-12-02", periods=4, freq="W-SUN")
    >>> Scenario("2024-12-09", 0.25).factors(weeks).tolist()
    [1.0, 0.25, 0.25, 0.25]
    >>> Scenario("2024-12-09", 4.0, half_life=7).factors(weeks).round(2).tolist()
    [1.0, 4.0, 2.0, 1.41]
    """

    date: DateLike
    factor: float
    half_life: float | None = None
    until: DateLike | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.factor, int | float | np.number) and not isinstance(self.factor, bool)
        if not number or not 1 / LARGEST_FACTOR <= self.factor <= LARGEST_FACTOR:
            raise InputError(f"factor is {self.factor!r}; give what the rate is multiplied by, 0.001 to 1,000")
        first = parse_date(self.date, "the date of a Scenario")
        object.__setattr__(self, "date", first.date().isoformat())
        if self.until is not None:
            last = parse_date(self.until, "the end of a Scenario", side="end")
            if last < first:
                raise InputError(f"a Scenario ends {last.date()}, before it begins {first.date()}; swap the dates")
            object.__setattr__(self, "until", last.date().isoformat())
        if self.half_life is not None:
            object.__setattr__(self, "half_life", Decay(self.date, self.half_life).half_life)

    def factors(self, periods: pd.PeriodIndex) -> FloatArray:
        """What the rate of each period is multiplied by.

        Parameters
        ----------
        periods : pandas.PeriodIndex
            n periods.

        Returns
        -------
        (n,) float array
        """
        share = Step(self.date).column(periods) if self.until is None else Pulse(self.date, self.until).column(periods)
        if self.half_life is not None:
            share = share * Decay(self.date, self.half_life).column(periods)
        factors: FloatArray = self.factor**share
        return factors

    def sentence(self) -> str:
        """Say what is assumed."""
        fades = "" if self.half_life is None else f", its log halved every {self.half_life:g} days"
        ends = "on" if self.until is None else f"until {self.until}"
        return f"rate times {self.factor:g} from {self.date} {ends}{fades}"


@dataclass(frozen=True)
class Event:
    """An assumed attack: only those paths are kept that have so many in the period which holds a date.

    What follows is what the model says of paths that had it: a model whose counts follow past counts, or whose level
    drifts, expects more afterwards.  Paths differ from the baseline's also before it.

    Parameters
    ----------
    date : date or str
        A day of the period; kept as ``YYYY-MM-DD``.
    at_least : int
        Counts in that period, >= 1.

    Raises
    ------
    InputError
        If the date cannot be read or the number is out of range.

    Examples
    --------
    >>> Event("2024-12-09").sentence()
    'at least 1 in the period of 2024-12-09'
    """

    date: DateLike
    at_least: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "date", parse_date(self.date, "the date of an Event").date().isoformat())
        object.__setattr__(self, "at_least", check_whole(self.at_least, "at_least", LARGEST_SUM))

    def sentence(self) -> str:
        """Say what is assumed."""
        return f"at least {self.at_least:,} in the period of {self.date}"


Assumption: TypeAlias = Scenario | Event


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Forecasts under assumptions, beside the baseline.

    Attributes
    ----------
    forecasts : mapping of str to Forecast
        By name; ``"baseline"`` is the first.
    assumptions : mapping of str to str
        What each scenario assumes, in words.
    flashpoints : mapping of str to FlashpointProbability
        The chance of the flashpoint under each; empty if none was asked for.
    table : pandas.DataFrame
        Indexed by ``scenario``: mean ``total`` of all periods, its 90% prediction interval ``lower`` to ``upper``,
        ``total_difference`` from the baseline with its Monte Carlo error, and for a flashpoint ``probability``,
        ``mc_error``, ``probability_difference`` and its Monte Carlo error; ``draws`` paths.
    """

    forecasts: Mapping[str, Forecast]
    assumptions: Mapping[str, str]
    flashpoints: Mapping[str, FlashpointProbability]
    table: pd.DataFrame = field(repr=False)

    def sentence(self) -> str:
        """Say it in plain words, each scenario beside the baseline."""
        base = self.forecasts[BASELINE]
        span = f"{base.steps} {period_word(base.periods.freqstr, base.steps)}"
        rows = self.table.to_dict("index")
        parts = [
            f"Without a change {_total(rows[BASELINE])} {base.unit} are expected in {span}{self._chance(BASELINE)}"
        ]
        for name, assumed in self.assumptions.items():
            row = rows[name]
            change = f"{row['total_difference']:+.3g}, Monte Carlo error {row['total_difference_mc_error']:.2g}"
            parts.append(f"if {name} ({assumed}), {_total(row)} ({change}){self._chance(name)}")
        return "; ".join(parts) + ". Scenarios are assumptions, not estimates of what such a change would do."

    def _chance(self, name: str) -> str:
        """Write the chance of the flashpoint."""
        if not self.flashpoints:
            return ""
        chance = self.flashpoints[name]
        text = f", with a probability of {chance.probability:.3f} (Monte Carlo error {chance.mc_error:.2g})"
        if name != BASELINE:
            return text
        span = f"{chance.over} {period_word(chance.last.freqstr, chance.over)}"
        what = chance.name or f"at least {chance.at_least:,} in {span}"
        return f"{text} of {what}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + self.table.round(3).to_html()


def what_if(
    fit: CountFit,
    steps: int,
    scenarios: Mapping[str, Assumption | tuple[Assumption, ...]],
    *,
    at_least: int | Flashpoint | None = None,
    over: int = 1,
    draws: int = 4000,
    exog: pd.DataFrame | None = None,
    rng: Seed = None,
) -> WhatIf:
    """Forecast under assumptions about the coming rate, each beside the baseline.

    A scenario is an assumption, not an estimate: nothing in the counts says by how much a ceasefire would lower the
    rate.  The factor multiplies the rate of the coming periods, as their exposure does; past counts enter later rates
    by their exposure, so that a changed rate neither feeds on itself nor calms what follows once it has ended.  All
    forecasts begin with the same random numbers, so that they differ by as little chance as may be.

    Parameters
    ----------
    fit : CountFit
        Of a model whose counts follow their exposure: all but those that draw past counts again.
    steps : int
        Periods ahead.
    scenarios : mapping of str to Scenario, Event or tuple of them
        By name; of several in a tuple all are assumed.
    at_least : int or Flashpoint, optional
        Threshold of a flashpoint, or a definition, as in :func:`~escalation.flashpoint`.
    over : int
        Periods in its windows; a definition brings its own.
    draws : int
        Paths of each.
    exog : pandas.DataFrame, optional
        Regressors of the coming periods.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    WhatIf

    Raises
    ------
    InputError
        If the fit is of another kind, a scenario is none or lies outside the forecast, or fewer than 50 paths have an
        event.

    Examples
    --------
    >>> from escalation.models.local_level import LocalLevel
    >>> weeks = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
    >>> counts = pd.Series([3, 5, 2, 4, 6, 3, 4, 5] * 5, index=weeks)
    >>> ceasefire = Scenario("2024-10-14", factor=0.25)
    >>> result = what_if(LocalLevel().fit(counts), 8, {"ceasefire": ceasefire}, at_least=8, rng=1)
    >>> result.table["total"].round(-1).astype(int).tolist()
    [30, 10]
    >>> bool(result.flashpoints["ceasefire"].probability < result.flashpoints["baseline"].probability)
    True
    """
    if not isinstance(fit, CountFit):
        raise InputError(f"what_if takes the fit of one series and got {type(fit).__name__}; fit one column")
    if not _follows_exposure(fit.model):
        raise InputError(f"{fit.model.name} draws past counts again and has no rate to change; use another model")
    assumed = _checked(scenarios)
    steps, draws = check_size(steps, draws)
    design = fit.design.ahead(steps, exog)
    root = draw_root(as_generator(rng))
    forecasts = {}
    for name, effects in assumed.items():
        places = [_place(name, effect, design.periods) for effect in effects]
        exposure = design.exposure.copy()
        for effect in effects:
            if isinstance(effect, Scenario):
                exposure *= effect.factors(design.periods)
        changed = replace(design, exposure=exposure)
        paths, component = simulate_paths(fit, changed, draws, generator_for(root, "paths"))
        kept = np.ones(draws, dtype=bool)
        for effect, place in zip(effects, places, strict=True):
            if isinstance(effect, Event):
                kept &= paths[:, place] >= effect.at_least
        if kept.sum() < FEWEST_PATHS:
            raise InputError(
                f"only {kept.sum()} of {draws:,} paths have the event of {name!r}; raise draws or lower it"
            )
        member = component[kept]
        forecasts[name] = Forecast(paths[kept], design.periods, fit.matrix.T[member], fit.model.name, fit.unit, member)
    chances, hit = {}, {}
    if at_least is not None:
        chances = {name: flashpoint(forecast, at_least, over=over) for name, forecast in forecasts.items()}
        hit = {name: hits(forecast, at_least, over) for name, forecast in forecasts.items()}
    words = {
        name: " and ".join(effect.sentence() for effect in effects) for name, effects in assumed.items() if effects
    }
    return WhatIf(
        forecasts=MappingProxyType(forecasts),
        assumptions=MappingProxyType(words),
        flashpoints=MappingProxyType(chances),
        table=_table(forecasts, chances, hit),
    )


def _follows_exposure(model: CountModel) -> bool:
    """Tell whether coming counts are proportional to their exposure; of an ensemble, whether all members' are."""
    if isinstance(model, Ensemble):
        return all(_follows_exposure(member) for member in model.models)
    return model.follows_exposure


def _checked(scenarios: object) -> dict[str, tuple[Assumption, ...]]:
    """Assumptions by name, the baseline with none first."""
    if not isinstance(scenarios, Mapping) or not scenarios:
        raise InputError("scenarios is no mapping of names to Scenario or Event; give at least one, by its name")
    assumed: dict[str, tuple[Assumption, ...]] = {BASELINE: ()}
    for name, given in scenarios.items():
        effects = given if isinstance(given, tuple) else (given,)
        if not isinstance(name, str) or name == BASELINE:
            raise InputError(f"a scenario is called {name!r}; give it a name of its own that is not {BASELINE!r}")
        if not effects or not all(isinstance(effect, Scenario | Event) for effect in effects):
            raise InputError(f"scenario {name!r} is {given!r}; give a Scenario, an Event, or a tuple of them")
        assumed[name] = effects
    return assumed


def _place(name: str, effect: Assumption, periods: pd.PeriodIndex) -> int:
    """Which of the coming periods holds the date of an assumption."""
    place = int(pd.Period(pd.Timestamp(str(effect.date)), freq=periods.freqstr).ordinal - periods[0].ordinal)
    if not 0 <= place < len(periods):
        raise InputError(
            f"scenario {name!r} begins {effect.date}, outside the forecast from {periods[0].start_time.date()} to "
            f"{periods[-1].end_time.date()}; move it or forecast further ahead"
        )
    return place


def _table(
    forecasts: Mapping[str, Forecast],
    chances: Mapping[str, FlashpointProbability],
    hit: Mapping[str, NDArray[np.bool_]],
) -> pd.DataFrame:
    """Totals and chances of each scenario, and how far they are from the baseline."""
    base = forecasts[BASELINE]
    rows: dict[str, dict[str, float]] = {}
    for name, forecast in forecasts.items():
        totals = forecast.paths.sum(axis=1)
        lower, upper = np.quantile(totals, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], method="inverted_cdf")
        difference, error = _difference(forecast, totals, base, base.paths.sum(axis=1))
        rows[name] = {
            "total": float(totals.mean()),
            "lower": float(lower),
            "upper": float(upper),
            "total_difference": difference,
            "total_difference_mc_error": error,
        }
        if chances:
            difference, error = _difference(forecast, hit[name], base, hit[BASELINE])
            rows[name] |= {
                "probability": chances[name].probability,
                "mc_error": chances[name].mc_error,
                "probability_difference": difference,
                "probability_difference_mc_error": error,
            }
        rows[name]["draws"] = forecast.draws
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")
    return table.astype({"draws": np.int64})


def _difference(
    forecast: Forecast, values: NDArray[np.generic], base: Forecast, base_values: NDArray[np.generic]
) -> tuple[float, float]:
    """Difference of two means over paths, and its Monte Carlo error; paths of equal number are compared in pairs."""
    if forecast is base:
        return 0.0, 0.0
    here, there = values.astype(float), base_values.astype(float)
    difference = float(here.mean() - there.mean())
    if len(here) == len(there):
        pairs = here - there
        return difference, error_of_mean(pairs, forecast.component, float(pairs.std(ddof=1)) / sqrt(len(pairs)))
    errors = [
        error_of_mean(one, of.component, float(one.std(ddof=1)) / sqrt(len(one)))
        for one, of in ((here, forecast), (there, base))
    ]
    return difference, sqrt(errors[0] ** 2 + errors[1] ** 2)


def _total(row: Mapping[object, float]) -> str:
    """Write a total with its prediction interval."""
    return f"{row['total']:,.3g} ({row['lower']:,.0f} to {row['upper']:,.0f})"
