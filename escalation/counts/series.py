"""One count series with what is known of how it was observed: the noun that every analysis takes."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import pandas as pd

from escalation.counts.periods import period_word
from escalation.counts.schema import check_counts, count_matrix, is_histories, quantile_frame
from escalation.errors import InputError

Silence: TypeAlias = Literal["quiet", "unknown", "lower_bound"]
"""What a day means of which nothing was said: no incident, not known, or what was said is the least there was."""

UNIT = "incidents"
"""What is counted where nobody says what."""

ROUNDING = 1e-9
"""Sums of shares are off by less."""

LEFT_OUT: Any = None
"""Default of what is worked out from the counts."""


@dataclass(frozen=True, eq=False)
class CountSeries:
    """Counts of one series, or histories of them, with exposure, observation and unit.

    Attributes
    ----------
    counts : pandas.Series or pandas.DataFrame
        Counts on a gap-free ``PeriodIndex`` (``<NA>`` where nothing was observed), or histories: equally plausible
        series, one a column, the columns named ``draw``.
    exposure : pandas.Series
        Share of each period that was covered, float in 0 to 1 on the periods of the counts; all 1 when left out.
    observed_share : pandas.Series
        Share of each period that some source speaks of, float in 0 to 1; the exposure when left out.
    observed_until : pandas.Timestamp
        Last day that some source speaks of; the last day of the last period with any exposure when left out.
    silence : {"quiet", "unknown", "lower_bound"}
        What a day means of which no source speaks.
    unit : str
        What is counted, for sentences and axes.
    title, place, counter : str
        What the series is called, where it is and who counts; may be empty.

    Raises
    ------
    InputError
        If the counts are no counts or histories of one series, a share is not on their periods or outside 0 to 1, or
        ``silence`` is unknown.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=3, freq="W-SUN")
    >>> raids = CountSeries(pd.Series([2, 0, 1], index=weeks), unit="raids")
    >>> raids.counts.sum(), raids.exposure.tolist(), str(raids.observed_until.date())
    (np.int64(3), [1.0, 1.0, 1.0], '2024-01-21')
    """

    counts: pd.Series | pd.DataFrame = field(repr=False)
    exposure: pd.Series = field(default=LEFT_OUT, repr=False, kw_only=True)
    observed_share: pd.Series = field(default=LEFT_OUT, repr=False, kw_only=True)
    observed_until: pd.Timestamp = field(default=LEFT_OUT, kw_only=True)
    silence: Silence = field(default="quiet", kw_only=True)
    unit: str = field(default=UNIT, kw_only=True)
    title: str = field(default="", kw_only=True)
    place: str = field(default="", kw_only=True)
    counter: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        counts = check_counts(self.counts)
        if isinstance(counts, pd.DataFrame) and not is_histories(counts):
            raise InputError(
                f"counts is a table of {counts.shape[1]} units; give one column, or name the columns draw if they are "
                "histories of one series"
            )
        if self.silence not in get_args(Silence):
            raise InputError(f"silence is {self.silence!r}; use {', '.join(get_args(Silence))}")
        index = pd.PeriodIndex(counts.index)
        exposure = _checked_share(self.exposure, index, "exposure", 1.0)
        self._set("counts", counts)
        self._set("exposure", exposure)
        self._set("observed_share", _checked_share(self.observed_share, index, "observed_share", exposure.to_numpy()))
        if self.observed_until is None:
            covered = np.flatnonzero(exposure.to_numpy() > 0)
            last = index[covered[-1] if len(covered) else -1]
            self._set("observed_until", last.end_time.normalize())
        else:
            self._set("observed_until", pd.Timestamp(self.observed_until))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def periods(self) -> pd.PeriodIndex:
        """The periods of the counts."""
        return pd.PeriodIndex(self.counts.index)

    @property
    def freq(self) -> str:
        """Frequency of the periods: ``D``, ``W-SUN`` to ``W-SAT`` or ``M``."""
        return str(self.periods.freqstr)

    @property
    def exact(self) -> bool:
        """Whether the counts are known exactly, and not as histories."""
        return isinstance(self.counts, pd.Series)

    def summary_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Count of each period: itself three times, or the median and interval of the histories.

        Parameters
        ----------
        level : float
            Probability of the interval, between 0 and 1 (exclusive).

        Returns
        -------
        pandas.DataFrame
            Columns ``median``, ``lower``, ``upper``.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        return quantile_frame(pd.DataFrame(self.counts), level)

    def sentence(self) -> str:
        """Say what was counted, where, by whom and when."""
        index, total = self.periods, float(np.median(np.nansum(count_matrix(self.counts), axis=0)))
        where, who = f" in {self.place}" if self.place else "", f" counted by {self.counter}" if self.counter else ""
        return (
            f"{total:,.0f} {self.unit}{where}{who} in {len(index):,} {period_word(self.freq, len(index))}, "
            f"{index[0].start_time.date()} to {index[-1].end_time.date()}."
        )

    def to_count_series(self) -> CountSeries:
        """Return itself, as whatever holds a count series does."""
        return self

    def _repr_html_(self) -> str:
        return f"<b>{html.escape(self.title or self.unit)}</b><p>{html.escape(self.sentence())}</p>"


@runtime_checkable
class HoldsCounts(Protocol):
    """Whatever a count series can be had from, such as a reconstruction."""

    def to_count_series(self) -> CountSeries:
        """Return the count series."""
        ...


CountsLike: TypeAlias = pd.Series | pd.DataFrame | HoldsCounts
"""What functions take that take counts: a Series, histories, a :class:`CountSeries`, a reconstruction."""


class Unpacked(NamedTuple):
    """The tables behind whatever counts were given as."""

    counts: pd.Series | pd.DataFrame
    exposure: pd.Series | None
    unit: str


def unpack_counts(counts: CountsLike, exposure: pd.Series | None = None, unit: str | None = None) -> Unpacked:
    """Return the counts, exposure and unit of a count series; pandas objects pass as they are, not yet checked.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        What a caller gave.
    exposure : pandas.Series, optional
        In place of the one that the series brings; pandas objects bring none.
    unit : str, optional
        In place of the series' own; ``incidents`` for pandas objects.
    """
    if isinstance(counts, pd.Series | pd.DataFrame) or not isinstance(counts, HoldsCounts):
        return Unpacked(counts, exposure, UNIT if unit is None else unit)  # the gate refuses what is neither
    series = counts.to_count_series()
    return Unpacked(
        series.counts, series.exposure if exposure is None else exposure, series.unit if unit is None else unit
    )


def as_count_series(counts: CountsLike, exposure: pd.Series | None = None, unit: str | None = None) -> CountSeries:
    """Return the count series of whatever counts were given as, checked.

    Parameters
    ----------
    counts, exposure, unit
        As in :func:`unpack_counts`; all else that a series knows is kept.

    Raises
    ------
    InputError
        As :class:`CountSeries`.
    """
    table, shares, name = unpack_counts(counts, exposure, unit)
    if not isinstance(counts, HoldsCounts):
        return CountSeries(table, exposure=LEFT_OUT if shares is None else shares, unit=name)
    series = counts.to_count_series()
    return series if exposure is None and unit is None else replace(series, exposure=shares, unit=name)


def _checked_share(
    share: pd.Series | None,
    index: pd.PeriodIndex,
    name: str,
    default: float | np.ndarray[tuple[int], np.dtype[np.float64]],
) -> pd.Series:
    """Return shares of the periods, all checked, or the default where none were given."""
    if share is None:
        return pd.Series(default, index=index, name=name, dtype=float)
    if not isinstance(share, pd.Series) or not share.index.equals(index):
        raise InputError(f"{name} is not a Series on the periods of the counts; reindex it to counts.index")
    values = share.astype("Float64").fillna(0.0).to_numpy(dtype=float)
    wrong = ~((values >= 0) & (values <= 1 + ROUNDING))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(f"{name} is {values[at]:g} at {index[at]}; a share lies between 0 and 1")
    return pd.Series(np.minimum(values, 1.0), index=index, name=name)
