"""What carries a change of the rate: whether it stays when one tally or one day is left out."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from escalation.analysis.trend.carried import CARRIED, CARRIED_HISTORIES
from escalation.analysis.trend.rate_change import RateChange
from escalation.analysis.trend.trend import compare_rates, ratio_of_rates
from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator, seed_of
from escalation.conventions.wording import probability_text
from escalation.counts.periods import days_in, parse_freq
from escalation.counts.schema import checked_counts
from escalation.counts.series import CountsLike, unpack_counts
from escalation.counts.windows import WindowSpec, two_windows
from escalation.errors import InputError
from escalation.models.contract.design import make_design
from escalation.tallies.left_out import WINDOW, histories_without, leaning
from escalation.tallies.printed import printed_count
from escalation.tallies.reconstruct import Reconstruction

LARGE = 2.0
"""Counts that change by this factor are looked into, even where the model takes the change for an outlier."""
DROP = 0.15
"""What must be lost of the probability of a change that is not said to be one, for it to hang on a tally or day."""
WITHOUT = ("ratio", "probability_unusual", "probability_higher")
"""What is said of a change without each tally or day."""
APART = 1.2
"""Chains with a larger R-hat found different histories."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """A change of the rate, and what is left of it when single tallies or days are left out.

    Attributes
    ----------
    change : RateChange
        With everything.
    left_out : pandas.DataFrame
        One row a tally or day that was left out, those first that the change leans on most: ``start`` and ``end`` of
        its window, ``printed`` (what was printed, or how many were counted on the day), ``ratio``,
        ``probability_unusual`` and ``probability_higher`` without it, and ``rhat`` of the chains without a tally, NaN
        without a day.
    kind : {"tally", "day"}
        What was left out.
    carried_by : int or None
        Row of ``left_out`` that the direction hangs on: with it there is a direction, without it the probabilities of
        that are both below 0.75.  Where only the counts change, the larger of both must fall by 0.15 as well.
    """

    change: RateChange
    left_out: pd.DataFrame = field(repr=False)
    kind: Literal["tally", "day"]
    carried_by: int | None

    def table(self) -> pd.DataFrame:
        """What is left of the change without each, as in ``left_out``."""
        return self.left_out

    def without(self) -> dict[str, float]:
        """Probability that the rate rose without each tally or day, by its name."""
        return {self._named(row): float(row["probability_higher"]) for row in self.left_out.to_dict("records")}

    def sentence(self) -> str:
        """Say in plain words whether one tally or day carries the change."""
        if self.left_out.empty:
            return f"There is no clear rise or fall that a single {self.kind} could carry."
        way = {1: "rise", -1: "fall"}.get(self.change.direction(), "change in the counts")
        known = not np.isnan(self.change.probability_unusual)
        column = "probability_unusual" if known else "probability_higher"
        whole = probability_text(getattr(self.change, column))
        what = "a rise beyond the usual fluctuation" if known else "a higher rate"
        if self.carried_by is not None:
            row = self.left_out.to_dict("records")[self.carried_by]
            return (
                f"The {way} hangs on one {self.kind}, {self._named(row)}: without it the probability of {what} is "
                f"{probability_text(row[column])}, with it {whole}.{self._rough()}"
            )
        rest, many = self.left_out[column].astype(float), len(self.left_out)
        low, high = probability_text(rest.min()), probability_text(rest.max())
        span = f"is {low}" if low == high else f"stays between {low} and {high}"
        tried = f"the {self.kind}" if many == 1 else f"any of the {many} {_several(self.kind)}"
        return (
            f"No single {self.kind} carries the {way}: the probability of {what} {span} without {tried} that it leans "
            f"on most (with all {whole}).{self._rough()}"
        )

    def _rough(self) -> str:
        """Say of how many tallies the chains without them do not agree; empty where all do."""
        apart, many = int((self.left_out["rhat"] > APART).sum()), len(self.left_out)
        if not apart:
            return ""
        which = "it" if many == 1 else f"{apart} of the {many} {_several(self.kind)}"
        return f" The chains without {which} do not agree, so that this is rough."

    def _named(self, row: Mapping[Hashable, Any]) -> str:
        if self.kind == "day":
            return f"{row['start']:%Y-%m-%d} with {row['printed']}"
        last = "" if row["start"] == row["end"] else f" to {row['end']:%Y-%m-%d}"
        return f"“{row['printed']}” for {row['start']:%Y-%m-%d}{last}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>{table_html(self.left_out, float_format='{:.3g}'.format)}"


def carried_by_tally(
    result: Reconstruction,
    recent: WindowSpec,
    baseline: WindowSpec,
    *,
    change: RateChange | None = None,
    tried: int = 3,
    kernels: pd.DataFrame | None = None,
    rng: Seed = None,
) -> Carrier:
    """Compare the rates of two windows without each tally in turn, for a catch-up bulletin is not a surge.

    Importance weights and least squares show which windows' tallies the ratio of the totals leans on most; for those
    the histories are drawn again without them (by shorter chains than those of the reconstruction).  What was printed
    of one place and window is left out together, as several papers print one bulletin.

    Parameters
    ----------
    result : Reconstruction
        From :func:`escalation.reconstruct`.
    recent, baseline : int, slice or tuple
        The windows, as in :func:`escalation.compare_rates`.
    change : RateChange, optional
        What :func:`escalation.compare_rates` says of them, where that is known.
    tried : int
        How many windows' tallies are left out, those first that the change leans on most.
    kernels : pandas.DataFrame, optional
        Reporting kernels that the reconstruction was made with, where they are not the default ones.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Carrier
        ``left_out`` is empty where nothing could be carried: there is no direction (:meth:`RateChange.direction`), and
        the counts of the windows differ by less than a factor of two.

    Raises
    ------
    InputError
        If the windows cannot be used, ``tried`` is out of range, or several counters or places were read together.

    Examples
    --------
    A week's briefing of 40 among weeks of two or three:

    >>> import pandas as pd, escalation
    >>> start = pd.date_range("2024-01-01", periods=12, freq="7D")
    >>> tallies = pd.DataFrame({
    ...     "series": "raids", "qualifier": "exact", "count": [3, 2, 3, 2, 2, 3, 2, 3, 2, 3, 2, 40],
    ...     "start": start, "end": start + pd.Timedelta(days=6)})
    >>> result = escalation.reconstruct(tallies, series="raids", draws=100, rng=1)
    >>> carried_by_tally(result, recent=3, baseline=9, rng=1).sentence()[:57]
    'The rise hangs on one tally, “40” for 2024-03-18 to 2024-'
    """
    tried = check_whole(tried, "tried", 1000)
    if result.together is not None:
        raise InputError("several counters or places were read together; leave out tallies of one of them alone")
    generator = as_generator(rng)
    counts, shares = result.histories, result.exposure
    seed = seed_of(generator)
    change = compare_rates(counts, recent, baseline, exposure=shares, rng=seed) if change is None else change
    used = result.tallies[result.tallies["used"]]
    rows: list[tuple[object, ...]] = []
    if _way(change) and used[WINDOW].drop_duplicates().shape[0] > 1:
        sign = float(_way(change))
        spans = two_windows(pd.PeriodIndex(counts.index), recent, baseline)
        lean = sign * leaning(result, *spans, kernels)
        for window in lean.sort_values(ascending=False, kind="stable").index[:tried]:
            rest, rhat = histories_without(result, window, CARRIED_HISTORIES, generator, kernels)
            without = ratio_of_rates(rest, recent, baseline, exposure=shares, rng=seed)
            same = used[(used[WINDOW] == list(window)).all(axis=1)]
            printed = " and ".join(dict.fromkeys(printed_count(row) for _, row in same.iterrows()))
            rows.append((*window[1:], printed, *without, rhat))
    return _carrier(change, rows, "tally")


def carried_by_day(
    daily: CountsLike,
    recent: WindowSpec,
    baseline: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    change: RateChange | None = None,
    freq: str = "W-SUN",
    tried: int = 3,
    rng: Seed = None,
) -> Carrier:
    """Compare the rates of two windows without each of the busiest days in turn.

    Parameters
    ----------
    daily : Series or CountSeries
        Exact counts of one series by day (missing days are left out).
    recent, baseline : int, slice or tuple
        The windows, as in :func:`escalation.compare_rates`, in periods of ``freq``.
    exposure : pandas.Series, optional
        Share of each day that was covered, > 0 where there is a count; what the series brings, or all 1, when left out.
    change : RateChange, optional
        What :func:`escalation.compare_rates` says of them, where that is known.
    freq : str
        Periods that are compared: ``W-SUN`` to ``W-SAT``, ``M`` or ``D``.
    tried : int
        How many days are left out, the busiest first: of the recent window for a rise, of the baseline for a fall.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Carrier
        ``left_out`` is empty where nothing could be carried: there is no direction (:meth:`RateChange.direction`), and
        the counts of the windows differ by less than a factor of two.

    Raises
    ------
    InputError
        If the counts are not daily counts of one series, or the windows or options cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.period_range("2024-01-01", periods=84, freq="D")
    >>> daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 12, index=days)
    >>> daily.iloc[75] = 30
    >>> found = carried_by_day(daily, recent=4, baseline=8, rng=1)
    >>> found.carried_by, str(found.left_out["start"][0].date()), bool(found.left_out["probability_higher"][0] < 0.75)
    (0, '2024-03-16', True)
    """
    daily, exposure, _ = unpack_counts(daily, exposure)
    counts, matrix = checked_counts(daily)
    tried = check_whole(tried, "tried", 1000)
    freq = parse_freq(freq)
    if not isinstance(counts, pd.Series) or pd.PeriodIndex(counts.index).freqstr != "D":
        raise InputError("carried_by_day takes the counts of one series by day; aggregate the incidents with freq='D'")
    days = pd.PeriodIndex(counts.index)
    of_day = days.asfreq(freq)
    periods = pd.period_range(of_day[0], of_day[-1], freq=freq)
    values = pd.Series(matrix[:, 0], index=days)
    covered = make_design(days, 0, exposure, None, np.isnan(matrix[:, 0])).exposure
    totals, shares = _by_period(values, covered, of_day, periods)
    seed = seed_of(rng)
    change = compare_rates(totals, recent, baseline, exposure=shares, rng=seed) if change is None else change
    rows: list[tuple[object, ...]] = []
    if _way(change):
        window = change.recent if _way(change) > 0 else change.baseline
        inside = values[(of_day >= window.first) & (of_day <= window.last)]
        busiest = inside.nlargest(tried)
        for day, number in zip(pd.PeriodIndex(busiest.index), busiest.to_numpy(), strict=True):
            rest = days != day
            totals, shares = _by_period(values[rest], covered[rest], of_day[rest], periods)
            at = day.to_timestamp()
            rows.append(
                (at, at, f"{number:,.0f}", *ratio_of_rates(totals, recent, baseline, exposure=shares, rng=seed), np.nan)
            )
    return _carrier(change, rows, "day")


def _by_period(
    values: pd.Series, covered: FloatArray, of_day: pd.PeriodIndex, periods: pd.PeriodIndex
) -> tuple[pd.Series, pd.Series]:
    """Counts of periods from those of their observed days, and the exposure of each."""
    known = values.notna().to_numpy()
    grouped = values[known].groupby(of_day[known])
    observed = pd.Series(covered[known]).groupby(of_day[known]).sum().reindex(periods, fill_value=0)
    shares = pd.Series(observed.to_numpy() / days_in(periods), index=periods)
    totals = grouped.sum().reindex(periods).astype("Int64")  # <NA> where no day was observed
    return totals, shares.where(shares > 0, 1.0)


def _carrier(change: RateChange, rows: list[tuple[object, ...]], kind: Literal["tally", "day"]) -> Carrier:
    table = pd.DataFrame(rows, columns=["start", "end", "printed", *WITHOUT, "rhat"])
    if table.empty:
        return Carrier(change, table, kind, None)
    probabilities, up = table[["probability_unusual", "probability_higher"]], _way(change) > 0
    left = (probabilities if up else 1 - probabilities).max(axis=1)
    both = np.array([change.probability_unusual, change.probability_higher])
    before = float(np.nanmax(both if up else 1 - both))
    least = int(left.argmin())
    rest = float(left.iloc[least])
    # a change that is not said to be one hangs on a tally or day only if that makes much of what there is of it
    carried = rest < CARRIED and (change.direction() != 0 or rest < before - DROP)
    return Carrier(change, table, kind, least if carried else None)


def _way(change: RateChange) -> int:
    """1 for a rise that may be carried, -1 for a fall: one that is said, or a large change in the counts alone."""
    if change.direction():
        return change.direction()
    now, was = (window.total / window.exposure for window in (change.recent, change.baseline))
    return 1 if now >= LARGE * was and now else -1 if was >= LARGE * now and was else 0


def _several(kind: str) -> str:
    return "tallies" if kind == "tally" else f"{kind}s"
