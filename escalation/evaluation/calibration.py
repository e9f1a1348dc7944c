"""Calibration of past forecasts: mass of the PIT in central intervals, and points of a reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.evaluation.comparison import ENOUGH, resample_differences
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.proportions import effective_trials, wilson_interval
from escalation.scores import pit_coverage
from escalation.scores.brier import bin_means, bin_places


def overlap_of(scores: pd.DataFrame, steps: int | None = None) -> int:
    """How many origins in a row have forecasts of the same periods, over all steps scored or the first so many."""
    places = np.unique([origin.ordinal for origin in scores["origin"].unique()])
    if len(places) < 2:
        return 1
    last = int(scores["step"].max()) if steps is None else steps
    return int(-(-last // int(np.diff(places).min())))


def central_mass(
    scored: pd.DataFrame, nominal: float, level: float, resamples: int, rng: Generator
) -> dict[str, float | str]:
    """How much of what came lay in the central interval of probability ``nominal``, below it and above it.

    Parameters
    ----------
    scored : pandas.DataFrame
        Rows of :attr:`Backtest.scores` of one model that were observed.
    nominal : float
        Probability of the central interval.
    level : float
        Probability of the interval of the mass, from a bootstrap of origins in blocks and of units.
    resamples : int
        Bootstrap samples.
    rng : Generator
        Source of randomness.
    """
    below, upto = (scored[name].to_numpy(dtype=np.float64) for name in ("cdf_below", "cdf"))
    held = pit_coverage(below, upto, level=nominal)
    edge = (1 - nominal) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        under = np.where(upto > below, (edge - below) / (upto - below), np.heaviside(edge - below, 0.5))
    under = np.clip(under, 0.0, 1.0)
    cells = pd.DataFrame({"origin": scored["origin"], "unit": scored["unit"], "held": held, "number": 1.0})
    table = cells.pivot_table(index="origin", columns="unit", values=["held", "number"], aggfunc="sum", observed=True)
    sums, number = (table[name].fillna(0.0).to_numpy(dtype=np.float64) for name in ("held", "number"))
    lower = upper = math.nan
    verdict = "too few to judge"
    if max(sums.shape) >= ENOUGH:
        samples = resample_differences(sums, number, overlap_of(scored), resamples, rng)
        ends = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
        lower, upper = (float(end) for end in ends.clip(0.0, 1.0))
        verdict = "holds less" if upper < nominal else "holds more" if lower > nominal else "not distinguishable"
    return {
        "forecasts": int((scored["history"] == 0).sum()),
        "mass": float(held.mean()),
        "lower": lower,
        "upper": upper,
        "below": float(under.mean()),
        "above": float(np.mean(1 - held - under)),
        "verdict": verdict,
    }


def events_of(scores: pd.DataFrame, at_least: int | str | Flashpoint, within: int | None) -> pd.DataFrame:
    """Probabilities of an event and whether it came, as :meth:`Backtest.events` gives them.

    Raises
    ------
    InputError
        If the backtest has no such threshold or definition, or the step was not scored.
    """
    if isinstance(at_least, str | Flashpoint):
        name = at_least if isinstance(at_least, str) else at_least.name
        forecast, came = _kept(scores, "passes", name, "flashpoints"), scores.get(f"passed_{name}")
        step = int(scores["step"].max()) if within is None else within
        if step not in set(scores["step"]):
            raise InputError(f"within is {within!r}; the backtest scored {sorted(set(scores['step']))}")
        chosen = scores["step"] == step
    else:
        if within is not None:
            raise InputError(f"within is {within!r}, but {at_least} or more is forecast for each period; leave it out")
        forecast = _kept(scores, "reaches", at_least, "thresholds")
        came = (scores["observed"] >= at_least).astype(float).where(scores["crps"].notna())
        chosen = pd.Series(data=True, index=scores.index)
    found = scores[["model", "unit", "origin", "step", "period", "history"]].assign(probability=forecast, came=came)
    return found[chosen].dropna(subset=["probability", "came"])


def _kept(scores: pd.DataFrame, kind: str, name: int | str, option: str) -> pd.Series:
    """Probabilities that the backtest kept."""
    if f"{kind}_{name}" not in scores:
        names = scores.columns.astype(str)
        known = [one.removeprefix(f"{kind}_") for one in names if one.startswith(f"{kind}_")]
        raise InputError(
            f"the backtest kept no probabilities of {name!r}; run it with {option}=({name!r},)"
            + (f" or ask for {', '.join(known)}" if known else "")
        )
    return scores[f"{kind}_{name}"]


def reliability_points(events: pd.DataFrame, bins: int, level: float) -> pd.DataFrame:
    """Mean probability and frequency of each bin of probability, with Wilson's interval of the frequency.

    Parameters
    ----------
    events : pandas.DataFrame
        Rows of :meth:`Backtest.events` of one model.
    bins : int
        Of equal width.
    level : float
        Probability of the interval.
    """
    events = _once(events, {"probability": "first", "came": "mean"})
    forecast, event = (events[name].to_numpy(dtype=np.float64) for name in ("probability", "came"))
    place = bin_places(forecast, event, bins)
    probability, frequency, forecasts = bin_means(place, forecast, event)
    trials = _independent(events, event, place)
    lower, upper = wilson_interval(frequency, trials, level)
    edge = np.minimum((probability * bins).astype(np.int64), bins - 1)
    return pd.DataFrame(
        {
            "above": edge / bins,
            "upto": (edge + 1) / bins,
            "forecasts": forecasts,
            "probability": probability,
            "frequency": frequency,
            "lower": lower,
            "upper": upper,
            "independent": trials,
        }
    ).rename_axis("bin")


def size_classes(edges: Sequence[int]) -> list[str]:
    """Names of classes of counts, which begin with 0 and with each of ``edges``.

    Raises
    ------
    InputError
        If the edges do not rise, or one is no whole number >= 1.
    """
    starts = [0, *(check_whole(edge, "edges", 2**53) for edge in edges)]
    if any(start >= after for start, after in pairwise(starts)):
        raise InputError(f"edges is {edges!r}; give the lowest count of each class after the first, lowest first")
    closed = [str(start) if after == start + 1 else f"{start}-{after - 1}" for start, after in pairwise(starts)]
    return [*closed, f"{starts[-1]}+"]


def size_coverage(scored: pd.DataFrame, edges: Sequence[int], interval: float, level: float) -> pd.DataFrame:
    """How much of what came lay in central intervals, by the recent level of the counts, rounded up.

    Parameters
    ----------
    scored : pandas.DataFrame
        Rows of :attr:`Backtest.scores` of one model that were observed and whose recent level is known.
    edges : sequence of int
        The lowest count of each class after the first.
    interval : float
        Probability of the central intervals.
    level : float
        Probability of Wilson's interval of the mass.
    """
    below, upto = (scored[name].to_numpy(dtype=np.float64) for name in ("cdf_below", "cdf"))
    found = scored.assign(mass=pit_coverage(below, upto, level=interval), inside=scored[f"inside_{interval:.0%}"])
    found = _once(found, {"recent": "first", "mass": "mean", "inside": "mean"})
    inside, mass = (found[name].to_numpy(dtype=np.float64) for name in ("inside", "mass"))
    of_class = np.searchsorted(np.asarray(edges), np.ceil(found["recent"].to_numpy(dtype=np.float64)), side="right")
    held, place, forecasts = np.unique(of_class, return_inverse=True, return_counts=True)
    share = np.bincount(place, mass) / forecasts
    trials = _independent(found, mass, place)
    lower, upper = wilson_interval(share, trials, level)
    names = np.asarray(size_classes(edges), dtype=object)[held]
    return pd.DataFrame(
        {
            "forecasts": forecasts,
            "inside": np.bincount(place, inside) / forecasts,
            "mass": share,
            "lower": lower,
            "upper": upper,
            "independent": trials,
        },
        index=pd.Index(names, name="recent"),
    )


def _once(rows: pd.DataFrame, kept: dict[str, str]) -> pd.DataFrame:
    """One row a forecast, also where several histories stand for what came; how each column is taken over them."""
    if not (rows["history"] > 0).any():
        return rows
    return rows.groupby(["unit", "origin", "step"], observed=True).agg(kept).reset_index()


def _independent(rows: pd.DataFrame, event: FloatArray, place: IntArray) -> FloatArray:
    """How many independent forecasts those of each place, 0, 1, ..., stand for."""
    ordinal = np.array([origin.ordinal for origin in rows["origin"]])
    block = (ordinal - ordinal.min()) // int(rows["step"].max())
    return effective_trials(event, place, block, rows["unit"].cat.codes.to_numpy().astype(np.int64))
