"""Definitions of a flashpoint as data: a threshold, fixed or following from the past, and those in public use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.periods import MAX_PERIODS
from escalation.errors import InputError

DAYS = {"D": 1.0, "W": 7.0, "M": 30.0}
"""Days that a period counts for when a definition by days is taken to periods."""


@dataclass(frozen=True)
class Flashpoint:
    """What counts as a flashpoint: some window of consecutive periods sums to so many or more.

    Lengths are in days, so that one definition serves daily, weekly and monthly counts: a window of 30 days is 30
    days, 4 weeks or 1 month.

    Parameters
    ----------
    name : str
        What it is called.
    at_least : int
        Least sum of a window, whatever the past was.
    days : int
        Length of a window.
    above : {"nothing", "record", "mean", "last"}
        What the sum must exceed besides: nothing, the largest sum of a window in the past, the mean sum, or the sum of
        the last window before the forecast.
    past_days : int
        How far back the past reaches.
    times, plus : float
        The sum must exceed ``times * (what + plus)``.
    source : str
        Who uses it.

    Raises
    ------
    InputError
        If an option is out of range.

    Examples
    --------
    >>> yearly_record = Flashpoint("record", above="record", days=30, past_days=365)
    >>> observed = np.array([[3.0, 5.0, 2.0, 4.0]])
    >>> yearly_record.thresholds(observed, "M").tolist(), yearly_record.over("W-SUN")
    ([6], 4)
    """

    name: str
    at_least: int = 1
    days: int = 30
    above: Literal["nothing", "record", "mean", "last"] = "nothing"
    past_days: int = 360
    times: float = 1.0
    plus: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        check_whole(self.at_least, "at_least", 2**53)
        check_whole(self.days, "days", MAX_PERIODS)
        check_whole(self.past_days, "past_days", MAX_PERIODS)
        if self.above not in ("nothing", "record", "mean", "last"):
            raise InputError(f"above is {self.above!r}; use 'nothing', 'record', 'mean' or 'last'")
        if not (np.isfinite(self.times) and self.times > 0 and np.isfinite(self.plus) and self.plus >= 0):
            raise InputError(f"times is {self.times!r} and plus {self.plus!r}; give a factor > 0 and a number >= 0")

    def over(self, freq: str) -> int:
        """Periods of a window.

        Parameters
        ----------
        freq : str
            Of the counts.
        """
        return max(1, round(self.days / DAYS[freq[0]]))

    def thresholds(self, observed: FloatArray, freq: str) -> IntArray:
        """Least sum of a window that is a flashpoint, given each past.

        Parameters
        ----------
        observed : (draws, n) float array
            Counts before the forecast, NaN where not observed.
        freq : str
            Of the counts.

        Returns
        -------
        (draws,) int array

        Raises
        ------
        InputError
            If the past holds no complete window.
        """
        fixed = np.full(len(observed), self.at_least, dtype=np.int64)
        if self.above == "nothing":
            return fixed
        over = self.over(freq)
        span = over if self.above == "last" else max(over, round(self.past_days / DAYS[freq[0]]))
        # one past seen by all draws is worked out once
        past = observed[:1, -span:] if observed.strides[0] == 0 else observed[:, -span:]
        if past.shape[1] < over:
            raise InputError(
                f"{self.name} compares with windows of {over} periods, and only {past.shape[1]} were observed before"
            )
        if self.above == "mean":
            reference = np.nanmean(past, axis=1) * over if not np.isnan(past).all(axis=1).any() else np.full(1, np.nan)
        else:
            windows = np.lib.stride_tricks.sliding_window_view(past, over, axis=1).sum(axis=-1)
            complete = ~np.isnan(windows)
            reference = np.where(complete, windows, -np.inf).max(axis=1)
            reference = np.where(complete.any(axis=1), reference, np.nan)
        if np.isnan(reference).any():
            raise InputError(f"{self.name} needs a complete window of {over} periods in the past; fill its gaps")
        exceeded = np.floor(self.times * (reference + self.plus) + 1e-9).astype(np.int64) + 1
        return np.maximum(fixed, exceeded)


PRESETS: dict[str, Flashpoint] = {
    definition.name: definition
    for definition in (
        Flashpoint("views-25", 25, source="VIEWS: at least 25 fatalities in a month"),
        Flashpoint("views-1", 1, source="VIEWS: at least one fatality in a month"),
        Flashpoint("hdx-1y", 100, above="record", past_days=365, source="HDX Signals: the year's highest 30 days"),
        Flashpoint("hdx-3y", 100, above="record", past_days=1095, source="HDX Signals: the highest 30 days in 3 years"),
        Flashpoint("forecastbench-mean", above="mean", source="ForecastBench: above the mean 30 days of 360"),
        Flashpoint(
            "forecastbench-tenfold",
            above="mean",
            times=10.0,
            plus=1.0,
            source="ForecastBench: 10 x (the mean + 1)",
        ),
        Flashpoint("acled-10", days=28, above="last", times=1.1, source="ACLED dashboard: +10% on the last 4 weeks"),
        Flashpoint("acled-25", days=28, above="last", times=1.25, source="ACLED dashboard: +25% on the last 4 weeks"),
        Flashpoint(
            "acled-10-year",
            days=28,
            above="mean",
            past_days=364,
            times=1.1,
            source="ACLED dashboard: +10% on 52 weeks",
        ),
        Flashpoint(
            "acled-25-year",
            days=28,
            above="mean",
            past_days=364,
            times=1.25,
            source="ACLED dashboard: +25% on 52 weeks",
        ),
        Flashpoint("first-event", 1, days=1, source="the first event of all"),
        Flashpoint("first-lethal", 1, days=1, source="of forecasts of fatalities: the first lethal event"),
    )
}
"""Definitions in public use, by name."""


def get_flashpoint(name: str) -> Flashpoint:
    """Return a definition in public use.

    Parameters
    ----------
    name : str
        One of ``list_flashpoints().index``.

    Returns
    -------
    Flashpoint

    Raises
    ------
    InputError
        If there is none of this name; the message lists them.

    Examples
    --------
    >>> get_flashpoint("views-25").at_least
    25
    """
    if name not in PRESETS:
        raise InputError(f"flashpoint is {name!r}; the definitions are {', '.join(PRESETS)}")
    return PRESETS[name]


def list_flashpoints() -> pd.DataFrame:
    """List the definitions in public use.

    Returns
    -------
    pandas.DataFrame
        Indexed by name: the options of each, and who uses it.

    Examples
    --------
    >>> list_flashpoints().loc[["views-25", "hdx-1y"], "above"].tolist()
    ['nothing', 'record']
    """
    rows = {name: vars(definition) for name, definition in PRESETS.items()}
    return pd.DataFrame.from_dict(rows, orient="index").drop(columns="name").rename_axis("name")
