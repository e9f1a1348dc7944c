"""Calibration of past forecasts: mass of the PIT in central intervals, and points of a reliability diagram."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.backtests.comparison import ENOUGH, resample_differences
from escalation.proportions import effective_trials, wilson_interval
from escalation.scores import pit_coverage
from escalation.scores.brier import bin_means, bin_places

FloatArray = NDArray[np.float64]


def overlap_of(scores: pd.DataFrame) -> int:
    """How many origins in a row have forecasts of the same periods."""
    places = np.unique([origin.ordinal for origin in scores["origin"].unique()])
    if len(places) < 2:
        return 1
    return int(-(-int(scores["step"].max()) // int(np.diff(places).min())))


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
    verdict = "too few to tell"
    if max(sums.shape) >= ENOUGH:
        samples = resample_differences(sums, number, overlap_of(scored), resamples, rng)
        lower, upper = (float(q) for q in np.quantile(samples, [(1 - level) / 2, (1 + level) / 2]))
        verdict = "holds less" if upper < nominal else "holds more" if lower > nominal else "not told apart"
    return {
        "forecasts": int((scored["history"] == 0).sum()),
        "mass": float(held.mean()),
        "lower": lower,
        "upper": upper,
        "below": float(under.mean()),
        "above": float(np.mean(1 - held - under)),
        "verdict": verdict,
    }


def reliability_points(scored: pd.DataFrame, column: str, at_least: int, bins: int, level: float) -> pd.DataFrame:
    """Mean probability and frequency of each bin of probability, with Wilson's interval of the frequency.

    Parameters
    ----------
    scored : pandas.DataFrame
        Rows of :attr:`Backtest.scores` of one model that were observed.
    column : str
        The one that holds the probabilities of a count of ``at_least`` or more.
    at_least : int
        What the count had to reach.
    bins : int
        Of equal width.
    level : float
        Probability of the interval.
    """
    events = scored.assign(event=(scored["observed"] >= at_least).astype(np.float64))
    if (events["history"] > 0).any():
        kept = {column: "first", "event": "mean"}
        events = events.groupby(["unit", "origin", "step"], observed=True).agg(kept).reset_index()
    chance, event = (events[name].to_numpy(dtype=np.float64) for name in (column, "event"))
    place = bin_places(chance, event, bins)
    probability, frequency, forecasts = bin_means(place, chance, event)
    ordinal = np.array([origin.ordinal for origin in events["origin"]])
    block = (ordinal - ordinal.min()) // int(events["step"].max())
    trials = effective_trials(event, place, block, events["unit"].cat.codes.to_numpy().astype(np.int64))
    lower, upper = wilson_interval(frequency, trials, level)
    return pd.DataFrame(
        {
            "forecasts": forecasts,
            "probability": probability,
            "frequency": frequency,
            "lower": lower,
            "upper": upper,
            "independent": trials,
        }
    ).rename_axis("bin")
