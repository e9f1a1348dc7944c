"""Scenarios: what a forecast would be under assumptions about the coming rate or attacks, beside the baseline."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.analysis.scenarios.assumptions import Assumption, Event, Scenario
from escalation.analysis.severity.assumed import Cost, draw_cost
from escalation.analysis.severity.compounding import Severity
from escalation.conventions.arrays import IntArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator, draw_root, generator_for
from escalation.conventions.wording import probability_text
from escalation.counts.periods import period_word
from escalation.errors import InputError
from escalation.forecasts.flashpoint import FlashpointProbability, error_of_mean, flashpoint, hits
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.forecast import Forecast
from escalation.models.baselines.ensemble import Ensemble
from escalation.models.contract.base import CountFit, CountModel
from escalation.models.contract.calls import simulate_paths
from escalation.models.contract.estimate import check_size

BASELINE = "baseline"
FEWEST_PATHS = 50
"""With fewer paths an event says nothing."""
INTERVAL = 0.9
"""Probability of the ranges of totals."""


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
        The probability of the flashpoint under each; empty if none was asked for.
    lethal : mapping of str to Forecast
        Attacks that kill, the assumed ones included; empty without a severity.
    killed : mapping of str to Forecast
        Fatalities; empty without a distribution of sizes.
    scenarios : pandas.DataFrame
        Indexed by ``scenario``: mean ``total`` of all periods, its 90% prediction interval ``lower`` to ``upper``,
        ``total_difference`` from the baseline with its Monte Carlo error, and for a flashpoint ``probability``,
        ``mc_error``, ``probability_difference`` and its Monte Carlo error; with a severity ``lethal_probability``, that
        of a lethal attack (of one more than is assumed) with ``lethal_mc_error``, and with a distribution of sizes the
        median ``killed`` of all periods with its 90% prediction interval; ``draws`` paths.
    """

    forecasts: Mapping[str, Forecast]
    assumptions: Mapping[str, str]
    flashpoints: Mapping[str, FlashpointProbability]
    lethal: Mapping[str, Forecast]
    killed: Mapping[str, Forecast]
    scenarios: pd.DataFrame = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Each scenario beside the baseline, as in ``scenarios``."""
        return self.scenarios

    def sentence(self) -> str:
        """Say it in plain words, each scenario beside the baseline."""
        base = self.forecasts[BASELINE]
        span = f"{base.steps} {period_word(base.periods.freqstr, base.steps)}"
        rows = self.scenarios.to_dict("index")
        parts = [
            f"Without a change {_total(rows[BASELINE])} {base.unit} are expected in {span}{self._likely(BASELINE)}"
            f"{_cost(rows[BASELINE], 'a lethal one')}"
        ]
        for name, assumed in self.assumptions.items():
            row = rows[name]
            change = f"{row['total_difference']:+.3g}, Monte Carlo error {row['total_difference_mc_error']:.2g}"
            more = "another lethal one" if " kills" in assumed else "a lethal one"
            parts.append(f"if {name} ({assumed}), {_total(row)} ({change}){self._likely(name)}{_cost(row, more)}")
        return "; ".join(parts) + ". Scenarios are assumptions, not estimates of what such a change would do."

    def _likely(self, name: str) -> str:
        """Write the probability of the flashpoint."""
        if not self.flashpoints:
            return ""
        point = self.flashpoints[name]
        text = f", with a probability of {probability_text(point.probability)} (Monte Carlo error {point.mc_error:.2g})"
        if name != BASELINE:
            return text
        span = f"{point.over} {period_word(point.last.freqstr, point.over)}"
        what = point.name or f"at least {point.at_least:,} in {span}"
        return f"{text} of {what}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.scenarios.round(3))


def what_if(
    fit: CountFit,
    horizon: int,
    scenarios: Mapping[str, Assumption | tuple[Assumption, ...]],
    *,
    at_least: int | Flashpoint | None = None,
    over: int = 1,
    severity: Severity | None = None,
    draws: int = 4000,
    exog: pd.DataFrame | None = None,
    rng: Seed = None,
) -> WhatIf:
    """Forecast under assumptions about the coming rate, each beside the baseline.

    A scenario is an assumption, not an estimate: nothing in the counts says by how much a ceasefire would lower the
    rate.  The factor multiplies the rate of the coming periods, as their exposure does; past counts enter later rates
    by their exposure, so that a changed rate neither feeds on itself nor calms what follows once it has ended.  All
    forecasts begin with the same random numbers, so that they differ as little by chance as may be.

    Parameters
    ----------
    fit : CountFit
        Of a model whose counts follow their exposure: all but those that draw past counts again.
    horizon : int
        Periods ahead.
    scenarios : mapping of str to Scenario, Event or tuple of them
        By name; of several in a tuple all are assumed.
    at_least : int or Flashpoint, optional
        Threshold of a flashpoint, or a definition, as in :func:`~escalation.flashpoint`.
    over : int
        Periods in its windows; a definition brings its own.
    severity : Severity, optional
        What attacks do, for lethal events and for what each scenario costs.
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
        If the fit is of another kind, a scenario is none or lies outside the forecast, fewer than 50 paths have an
        event, or a lethal event is assumed without a severity.

    Examples
    --------
    >>> from escalation.models.levels.local_level import LocalLevel
    >>> weeks = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
    >>> counts = pd.Series([3, 5, 2, 4, 6, 3, 4, 5] * 5, index=weeks)
    >>> ceasefire = Scenario("2024-10-14", factor=0.25)
    >>> result = what_if(LocalLevel().fit(counts), 8, {"ceasefire": ceasefire}, at_least=8, rng=1)
    >>> result.scenarios["total"].round(-1).astype(int).tolist()
    [30, 10]
    >>> bool(result.flashpoints["ceasefire"].probability < result.flashpoints["baseline"].probability)
    True
    """
    if not isinstance(fit, CountFit):
        raise InputError(f"what_if takes the fit of one series and got {type(fit).__name__}; fit one column")
    if not _follows_exposure(fit.model):
        raise InputError(f"{fit.model.name} draws past counts again and has no rate to change; use another model")
    if not isinstance(severity, Severity | None):
        raise InputError(f"severity is {severity!r}; make one with Severity(lethality(...), fatality_sizes(...))")
    assumed = _checked(scenarios)
    horizon, draws = check_size(horizon, draws)
    design = fit.design.ahead(horizon, exog)
    root = draw_root(as_generator(rng))
    forecasts, costs = {}, dict[str, Cost]()
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
                kept &= paths[:, place] >= effect.count
        lethal = _lethal(name, effects, places)
        if lethal and severity is None:
            raise InputError(
                f"scenario {name!r} assumes a lethal attack, and nothing says how many attacks kill; give severity"
            )
        chosen = np.flatnonzero(kept)
        forecasts[name] = _forecast(name, fit, design.periods, paths, component, chosen)
        if severity is not None:
            costs[name] = draw_cost(forecasts[name], severity, lethal, generator_for(root, "severity"))
            forecasts[name] = _forecast(name, fit, design.periods, paths, component, chosen[costs[name].kept])
    probabilities, hit = {}, {}
    if at_least is not None:
        probabilities = {name: flashpoint(forecast, at_least, over=over) for name, forecast in forecasts.items()}
        hit = {name: hits(forecast, at_least, over) for name, forecast in forecasts.items()}
    words = {
        name: " and ".join(effect.sentence() for effect in effects) for name, effects in assumed.items() if effects
    }
    return WhatIf(
        forecasts=MappingProxyType(forecasts),
        assumptions=MappingProxyType(words),
        flashpoints=MappingProxyType(probabilities),
        lethal=MappingProxyType(
            {name: _of_cost(forecasts[name], cost.lethal, "lethal") for name, cost in costs.items()}
        ),
        killed=MappingProxyType(
            {
                name: _of_cost(forecasts[name], cost.killed, "killed")
                for name, cost in costs.items()
                if cost.killed is not None
            }
        ),
        scenarios=_table(forecasts, probabilities, hit, costs),
    )


def _forecast(
    name: str, fit: CountFit, periods: pd.PeriodIndex, paths: IntArray, component: IntArray, kept: IntArray
) -> Forecast:
    """The paths of a scenario that are kept, if they are enough."""
    if len(kept) < FEWEST_PATHS:
        raise InputError(
            f"only {len(kept)} of {len(paths):,} paths have the event of {name!r}; raise draws or lower it"
        )
    member = component[kept]
    return Forecast.of_series(paths[kept], periods, fit.array[member], fit.model.name, fit.unit, member)


def _of_cost(forecast: Forecast, paths: IntArray, what: str) -> Forecast:
    """Lethal attacks or fatalities of the same paths; those until the origin are not known."""
    unit = "fatalities" if what == "killed" else f"lethal {forecast.unit}"
    unknown = np.full(forecast.observed.shape, np.nan)
    return replace(forecast, paths=paths[None], observed=unknown, model=f"{forecast.model} and severity", unit=unit)


def _lethal(name: str, effects: tuple[Assumption, ...], places: list[int]) -> dict[int, int]:
    """Place of the period of each assumed lethal attack, and how many it kills at least."""
    events = [(place, one) for one, place in zip(effects, places, strict=True) if isinstance(one, Event)]
    lethal = [(place, one.killed) for place, one in events if one.killed is not None]
    if len(dict(lethal)) < len(lethal):
        raise InputError(f"scenario {name!r} has two lethal attacks in one period; assume one of them")
    return dict(lethal)


def _follows_exposure(model: CountModel) -> bool:
    """Say whether coming counts are proportional to their exposure; of an ensemble, whether all members' are."""
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
    probabilities: Mapping[str, FlashpointProbability],
    hit: Mapping[str, NDArray[np.bool_]],
    costs: Mapping[str, Cost],
) -> pd.DataFrame:
    """Totals and probabilities of each scenario, and how far they are from the baseline."""
    base = forecasts[BASELINE]
    rows: dict[str, dict[str, float]] = {}
    for name, forecast in forecasts.items():
        totals = forecast.series_paths.sum(axis=1)
        lower, upper = np.quantile(totals, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], method="inverted_cdf")
        difference, error = _difference(forecast, totals, base, base.series_paths.sum(axis=1))
        rows[name] = {
            "total": float(totals.mean()),
            "lower": float(lower),
            "upper": float(upper),
            "total_difference": difference,
            "total_difference_mc_error": error,
        }
        if probabilities:
            difference, error = _difference(forecast, hit[name], base, hit[BASELINE])
            rows[name] |= {
                "probability": probabilities[name].probability,
                "mc_error": probabilities[name].mc_error,
                "probability_difference": difference,
                "probability_difference_mc_error": error,
            }
        if name in costs:
            rows[name] |= _cost_row(costs[name], forecast)
        rows[name]["draws"] = forecast.draws
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")
    return table.astype({"draws": np.int64})


def _cost_row(cost: Cost, forecast: Forecast) -> dict[str, float]:
    """Probability of a lethal attack besides the assumed ones, and the killed of all periods."""
    more = cost.lethal.sum(axis=1) > cost.assumed
    share, n = float(more.mean()), len(more)
    smoothed = (share * n + 0.5) / (n + 1)
    error = error_of_mean(more, forecast.component, sqrt(smoothed * (1 - smoothed) / n))
    row = {"lethal_probability": share, "lethal_mc_error": error}
    if cost.killed is not None:
        ends = [0.5, (1 - INTERVAL) / 2, (1 + INTERVAL) / 2]
        median, lower, upper = np.quantile(cost.killed.sum(axis=1), ends, method="inverted_cdf")
        row |= {"killed": float(median), "killed_lower": float(lower), "killed_upper": float(upper)}
    return row


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


def _cost(row: Mapping[object, float], which: str) -> str:
    """Write the probability of a lethal attack and the killed, where a severity was given."""
    if "lethal_probability" not in row:
        return ""
    text = f", {which} with a probability of {probability_text(row['lethal_probability'])}"
    if "killed" not in row:
        return text
    return f"{text} and {row['killed']:,.0f} killed ({row['killed_lower']:,.0f} to {row['killed_upper']:,.0f})"
