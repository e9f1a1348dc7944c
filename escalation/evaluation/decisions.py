"""Acting on forecasts: the probability at which it pays, and what it would have cost in the past record."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation.conventions.wording import plain, probability_text
from escalation.errors import InputError

FEWEST = 10
"""Past forecasts that expenses are worked out from."""


@dataclass(frozen=True, eq=False)
class ActingRecord:
    """What acting on past forecasts would have cost, against acting always or never, as the base rate says.

    Attributes
    ----------
    cost, loss : float
        Cost of acting, and loss if the event comes and nobody acted.
    threshold : float
        Probability from which acting pays, ``cost / loss``.
    expenses : pandas.DataFrame
        Indexed by ``rule`` (``forecast``, ``base rate``, ``perfect``): mean expense a forecast, ``acted``, the share of
        forecasts that were acted on.
    forecasts : int
        How many past forecasts there were.
    base_rate : float
        Share of them that the event followed.
    value : float
        Share of what perfect knowledge would save over the base rate that the forecasts save; NaN where it saves
        nothing (Richardson 2000, doi:10.1002/qj.49712656313).
    """

    cost: float
    loss: float
    threshold: float
    expenses: pd.DataFrame = field(repr=False)
    forecasts: int
    base_rate: float
    value: float

    def sentence(self) -> str:
        """Say when acting pays, and what the record says of it."""
        expense = self.expenses["expense"].to_dict()
        own, base = expense["forecast"], expense["base rate"]
        saved = "saved" if own < base else "cost"
        compared = "neither saved nor cost anything" if own == base else f"{saved} {plain(abs(own - base))} a forecast"
        return (
            f"Acting pays from a probability of {probability_text(self.threshold)} on. In {self.forecasts:,} past "
            f"forecasts, acting on them {compared} against acting on the base rate of "
            f"{probability_text(self.base_rate)}."
        )

    def table(self) -> pd.DataFrame:
        """The expenses of each rule."""
        return self.expenses


def acting_threshold(cost: float, loss: float) -> float:
    """Return the probability from which acting pays.

    Parameters
    ----------
    cost : float
        Of acting, whether the event comes or not; above 0.
    loss : float
        If the event comes and nobody acted; above ``cost``.

    Returns
    -------
    float
        ``cost / loss`` (Murphy 1977, doi:10.1175/1520-0493(1977)105<0803:TVOCCA>2.0.CO;2).

    Raises
    ------
    InputError
        If the cost is not above 0, or not below the loss: acting would then always pay, or never.

    Examples
    --------
    >>> acting_threshold(1, 5)
    0.2
    """
    for name, value in (("cost", cost), ("loss", loss)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value!r}; give a number above 0")
    if cost >= loss:
        raise InputError(f"cost is {cost!r} and loss {loss!r}; where acting costs as much as the loss it never pays")
    return cost / loss


def acting_record(events: pd.DataFrame, cost: float, loss: float) -> ActingRecord:
    """Work out what acting on past forecasts would have cost.

    Parameters
    ----------
    events : pandas.DataFrame
        Past forecasts of one model, as of :meth:`Backtest.events`: ``probability`` and ``came``, 1 where the event
        came, 0 where it did not, between them where histories differ; ``origin`` and ``step``, where there are several
        histories a forecast.
    cost, loss : float
        As for :func:`acting_threshold`.

    Returns
    -------
    ActingRecord

    Raises
    ------
    InputError
        If there are fewer than ten forecasts, or a number is out of range.

    Examples
    --------
    >>> past = pd.DataFrame({"probability": [0.1, 0.6, 0.1, 0.7, 0.1] * 2, "came": [0, 1, 0, 1, 0] * 2})
    >>> found = acting_record(past, 1, 4)
    >>> found.expenses["expense"].round(2).to_dict(), found.value
    ({'forecast': 0.4, 'base rate': 1.0, 'perfect': 0.4}, 1.0)
    """
    threshold = acting_threshold(cost, loss)
    keys = [name for name in ("unit", "origin", "step") if name in events]
    past = events.groupby(keys, observed=True)[["probability", "came"]].mean() if keys else events
    if len(past) < FEWEST:
        raise InputError(f"{len(past)} past forecasts, and what acting would have cost needs {FEWEST}")
    came = past["came"].to_numpy(dtype=float)
    base = float(came.mean())
    acts = past["probability"].to_numpy(dtype=float) >= threshold
    rules = {"forecast": acts, "base rate": np.full(len(past), base >= threshold)}
    rows = {
        name: {"expense": float(np.where(acted, cost, loss * came).mean()), "acted": float(acted.mean())}
        for name, acted in rules.items()
    }
    rows["perfect"] = {"expense": cost * base, "acted": base}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")
    expense = table["expense"].to_dict()
    most, won = (expense["base rate"] - expense[name] for name in ("perfect", "forecast"))
    return ActingRecord(cost, loss, threshold, table, len(past), base, float(won / most) if most > 0 else float("nan"))
