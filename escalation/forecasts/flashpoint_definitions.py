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
DEATHS = ("deaths", "killed")
"""Units that are fatalities by another name."""
OUT_OF_REACH = 2**62
"""Threshold of pasts in which nothing is a flashpoint."""


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
    inclusive : bool
        Whether a sum of ``times * (what + plus)`` itself is one as well.
    low, low_most : float, int
        Where ``what`` is ``low`` or less, the sum must exceed ``low_most`` too.
    least : float
        Where ``what`` is less, no sum is one.
    units : tuple of str
        The only units that it is about, such as fatalities; empty for any.
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
    inclusive: bool = False
    low: float = -1.0
    low_most: int = 0
    least: float = 0.0
    units: tuple[str, ...] = ()
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
            If the past holds no complete window, a period is longer than the windows that are compared, or most pasts
            are so quiet that nothing is one.
        """
        fixed = np.full(len(observed), self.at_least, dtype=np.int64)
        if self.above == "nothing":
            return fixed
        self.check_freq(freq)
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
        return np.maximum(fixed, self._beyond(reference))

    def is_about(self, unit: str) -> bool:
        """Whether it is about counts of this unit."""
        return not self.units or ("fatalities" if unit in DEATHS else unit) in self.units

    def check_unit(self, unit: str) -> None:
        """Raise an InputError if it is not about counts of this unit."""
        if not self.is_about(unit):
            raise InputError(
                f"{self.name} is about {' or '.join(self.units)}, and these are counts of {unit}; count fatalities, "
                "name the unit where they are fatalities, or choose another definition"
            )

    def check_freq(self, freq: str) -> None:
        """Raise an InputError if it compares windows that are shorter than periods of this length."""
        if self.above != "nothing" and self.days < DAYS[freq[0]] / 2:
            raise InputError(f"{self.name} compares windows of {self.days} days; count by shorter periods")

    def past_is_whole(self, periods: int, freq: str) -> bool:
        """Whether so many periods before the forecast reach back as far as it compares.

        Parameters
        ----------
        periods : int
            Periods before the forecast.
        freq : str
            Of the counts.
        """
        return self.above in ("nothing", "last") or periods * DAYS[freq[0]] >= self.past_days - DAYS[freq[0]]

    def _beyond(self, reference: FloatArray) -> IntArray:
        """Least sums beyond what they are compared with (draws,)."""
        quiet = reference < self.least
        if quiet.mean() >= 0.5:
            raise InputError(
                f"{self.name} is not defined where the past has fewer than {self.least:g} in {self.days} days on "
                "average"
            )
        level = self.times * (reference + self.plus)
        # products such as 1.1 x 20 may lie a rounding error off
        beyond = np.ceil(level - 1e-9) if self.inclusive else np.floor(level + 1e-9) + 1
        beyond = np.where(reference <= self.low, np.maximum(beyond, self.low_most + 1), beyond)
        return np.where(quiet, OUT_OF_REACH, beyond).astype(np.int64)


def _trendfinder(name: str, times: float, weeks: int) -> Flashpoint:
    """A week above the weekly mean of some weeks before the forecast, as ACLED's Trendfinder compares them."""
    return Flashpoint(
        name,
        days=7,
        above="mean",
        past_days=7 * weeks,
        times=times,
        low=2.0,
        low_most=5,
        source=f"ACLED Trendfinder: a week {times - 1:+.0%} on the weekly mean of {weeks} weeks, and above 5 where "
        "that mean is 2 or less",
    )


PRESETS: dict[str, Flashpoint] = {
    definition.name: definition
    for definition in (
        Flashpoint("views-25", 25, units=("fatalities",), source="VIEWS: at least 25 fatalities in a month"),
        Flashpoint("views-1", 1, units=("fatalities",), source="VIEWS: at least one fatality in a month"),
        Flashpoint(
            "hdx-1y",
            100,
            above="record",
            past_days=365,
            units=("fatalities",),
            source="HDX Signals: fatalities, the year's highest 30 days",
        ),
        Flashpoint(
            "hdx-3y",
            100,
            above="record",
            past_days=1095,
            units=("fatalities",),
            source="HDX Signals: fatalities, the highest 30 days in 3 years",
        ),
        Flashpoint("forecastbench-mean", above="mean", source="ForecastBench: above the mean 30 days of 360"),
        Flashpoint(
            "forecastbench-tenfold",
            above="mean",
            times=10.0,
            plus=1.0,
            source="ForecastBench: 10 x (the mean + 1)",
        ),
        _trendfinder("acled-10", 1.1, 4),
        _trendfinder("acled-25", 1.25, 4),
        _trendfinder("acled-10-year", 1.1, 52),
        _trendfinder("acled-25-year", 1.25, 52),
        Flashpoint(
            "acled-surge",
            days=7,
            above="mean",
            past_days=28,
            times=2.0,
            inclusive=True,
            least=1.0,
            source="ACLED surge tracker: a week +100% or more on the weekly mean of 4 weeks, where that is 1 or more",
        ),
        Flashpoint(
            "acled-threat",
            4,
            days=28,
            above="mean",
            past_days=364,
            times=2.0,
            inclusive=True,
            source="ACLED threat tracker: 4 weeks +100% or more on the mean of 52 weeks, with 1 a week or more",
        ),
        Flashpoint("first-event", 1, days=1, source="the first event of all"),
        Flashpoint(
            "first-lethal",
            1,
            days=1,
            units=("fatalities", "lethal attacks"),
            source="of forecasts of fatalities or lethal attacks: the first lethal event",
        ),
    )
}
"""Definitions in public use, by name.

Sources: ACLED compares the latest week with the weekly mean of the 4 or 52 weeks before it, and calls a change limited
where that mean is at most 2 and the week at most 5 (https://acleddata.com/platform/trendfinder); its trackers ask for
100% or more (https://acleddata.com/early-warning-research-hub/subnational-threat-surge-tracker/).  Here the weeks
before are those before the forecast.  HDX asks for fatalities of 30 days that were not seen in one or three years, at
least 100 (https://un-ocha-centre-for-humanitarian.gitbook.io/hdx-signals/datasets/armed-conflict).  VIEWS forecasts
fatalities in state-based conflict by month, and the probabilities of at least 1 and at least 25 of them (Hegre et al.
2021, doi:10.1177/0022343320962157).  ForecastBench asks of ACLED's counts of 30 days (Karger et al. 2024,
doi:10.48550/arXiv.2409.19839).
"""


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
