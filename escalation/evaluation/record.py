"""The record of a flashpoint probability: how often what past forecasts gave about that probability came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.randomness import Seed, as_generator
from escalation.errors import InputError
from escalation.evaluation.calibration import overlap_of
from escalation.evaluation.comparison import resample_differences
from escalation.evaluation.result import Backtest
from escalation.forecasts.flashpoint import MC_LEVEL, FlashpointProbability, PastRecord

RESAMPLES = 2000


def with_record(
    point: FlashpointProbability,
    past: Backtest,
    *,
    model: str | None = None,
    bins: int = 10,
    until: pd.Period | str | None = None,
    rng: Seed = None,
) -> FlashpointProbability:
    """Put beside a flashpoint probability how reliable such probabilities were.

    Parameters
    ----------
    point : FlashpointProbability
        Of a definition, by :func:`escalation.forecasts.flashpoint`.
    past : Backtest
        Run with this definition among its ``flashpoints``, and the horizon of the probability among its steps.
    model : str, optional
        One of its models; that of the probability when left out.
    bins : int
        Of equal width: forecasts in the bin that holds the probability make the record.
    until : pandas.Period or str, optional
        Only what had come to pass by then is looked at; everything when left out.
    rng : int, Generator or None
        Seed or generator of the interval's bootstrap, which is that of :meth:`Backtest.compare`: of origins in blocks
        and of units.

    Returns
    -------
    FlashpointProbability
        With ``record`` set; its sentence says it.

    Raises
    ------
    InputError
        If the backtest does not hold the model, the definition and the horizon, or has no forecast of about this
        probability, or too few origins and units for an interval.

    Examples
    --------
    >>> import escalation
    >>> weeks = pd.period_range("2021-01-04", periods=120, freq="W-SUN")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(2, 120), index=weeks)
    >>> model, busy = escalation.Climatology(26), escalation.Flashpoint("busy", 5, days=7)
    >>> point = escalation.flashpoint(model.fit(counts).forecast(4, rng=1), busy)
    >>> past = escalation.backtest([model], counts, origins=60, horizon=4, flashpoints=[busy], rng=1)
    >>> with_record(point, past, rng=1).record.sentence()
    'After 16 past forecasts of 0.2 to 0.3 (on average 0.27) it came 19% of the time (90% interval 0% to 64%).'
    """
    model = point.model if model is None else model
    if model not in past.models:
        raise InputError(f"model is {model!r}, of which the backtest has no record; it has {', '.join(past.models)}")
    if not point.name:
        raise InputError("a threshold given as a number has no record; ask for a Flashpoint with a name")
    bins = check_whole(bins, "bins", 1000)
    events = past.events(point.name, within=point.within)
    own = events[events["model"] == model]
    if until is not None:
        periods = pd.PeriodIndex(own["period"])
        own = own[periods <= pd.Period(until, freq=periods.freqstr)]
    place = min(int(point.probability * bins), bins - 1)
    alike = np.minimum((own["probability"] * bins).astype(int), bins - 1) == place
    if not alike.any():
        raise InputError(
            f"no past forecast of {point.name} within {point.within} was between {place / bins:g} and "
            f"{(place + 1) / bins:g}; backtest from more origins, or take fewer bins"
        )
    histories = own["history"].nunique()
    table = own.assign(number=alike.astype(float) / histories, came=own["came"].where(alike, 0.0) / histories)
    wide = table.pivot_table(index="origin", columns="unit", values=["came", "number"], aggfunc="sum", observed=True)
    came, number = (wide[name].fillna(0.0).to_numpy(dtype=float) for name in ("came", "number"))
    overlap = overlap_of(past.scores, point.within)
    shares = resample_differences(came, number, overlap, RESAMPLES, as_generator(rng))
    lower, upper = np.quantile(shares, [(1 - MC_LEVEL) / 2, (1 + MC_LEVEL) / 2]).clip(0.0, 1.0)
    record = PastRecord(
        above=place / bins,
        upto=(place + 1) / bins,
        forecasts=round(float(number.sum())),
        probability=float(own.loc[alike, "probability"].mean()),
        frequency=float(came.sum() / number.sum()),
        lower=float(lower),
        upper=float(upper),
    )
    return replace(point, record=record)
