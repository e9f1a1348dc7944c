"""Count incidents by period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.randomness import Seed, as_generator
from escalation.counts.periods import (
    DateLike,
    day_numbers,
    days_in,
    parse_date,
    parse_freq,
    period_index,
)
from escalation.counts.schema import DRAW
from escalation.errors import InputError, PartialPeriodWarning, warn
from escalation.incidents.count_warnings import (
    warn_outside,
    warn_partial,
    warn_reaching,
    warn_spread,
    warn_uncovered,
    warn_unknown,
    warn_windows,
)
from escalation.incidents.counted_rows import divided, spread_evenly, touched
from escalation.incidents.coverage import Basis, coverage_of, merged_spans, period_starts
from escalation.incidents.schema import check_incidents, event_numbers
from escalation.incidents.spans import Spans, covered_days, span_of
from escalation.incidents.spread import Spread, draw_histories, fatality_figures
from escalation.incidents.units import columns_read_as, unit_columns_of, units_of, with_units
from escalation.incidents.victims import Victim, deaths_of

MAX_CELLS = 50_000_000
"""A table of more periods x units than this is refused."""

MEASURES = ("incidents", "fatalities")
COUNT_ON = ("last", "middle", "first")
FIGURES = ("triangular", "best")


def aggregate(
    incidents: pd.DataFrame,
    freq: str,
    by: str | list[str] | None = None,
    start: DateLike | None = None,
    end: DateLike | None = None,
    measure: Literal["incidents", "fatalities"] = "incidents",
    *,
    victims: Victim | Sequence[Victim] | None = None,
    count_on: Literal["last", "middle", "first"] | None = None,
    as_of: DateLike | None = None,
    coverage: pd.DataFrame | Basis | None = None,
    draws: int | None = None,
    figures: Literal["triangular", "best"] = "triangular",
    rng: Seed = None,
) -> pd.Series | pd.DataFrame:
    """Count incidents, or sum their fatalities, by period.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`, or an own table with at least a column ``date``. A row
        with ``events`` counts as so many incidents.
    freq : str
        ``"D"``, ``"W"`` (weeks that end on Sunday), ``"W-SUN"`` to ``"W-SAT"``, or ``"M"``.
    by : str or list of str, optional
        A column, or several, whose values are the units; also ``"priogrid"`` or ``"h3-0"`` to ``"h3-15"``, the
        cells that the coordinates lie in (see :func:`escalation.incidents.locate`). Blank values are the unit
        ``(blank)``, so that no incident is lost.
    start, end : date or str, optional
        First and last covered day, both inclusive; left out, the first ``date`` and the last
        ``date_end`` of the table (and of a ``coverage`` table).
    measure : {"incidents", "fatalities"}
        What is summed. Fatalities of a period that holds an incident of unknown fatalities are
        ``<NA>``, not a sum that is too low; :func:`escalation.incidents.fatality_range` gives what is known.
    victims : {"own", "partner", "attacker", "civilian"} or a list of them, optional
        Whose fatalities: of the side attacked, of its partners, of the attackers or of civilians, by the columns
        ``killed_own`` and so on; of all when left out.
    count_on : {"last", "middle", "first"}, optional
        The day of its window on which an incident counts. ``"last"``, the ``date_end``, is what
        VIEWS does with UCDP's events; ``"middle"`` is ACLED's own date for week-precise events.
        Left out, incidents count on the last day, and rows that are counts of several days (those of a table with
        ``events``) are spread evenly over their days, in whole numbers that keep the total of each unit.
        Without meaning, and left alone, where ``draws`` are asked for.
    as_of : date or str, optional
        Leave out rows that became known after this day, by the column ``as_of``. What the table says of
        a row now is taken for what it said then; to know that, read the exports of that time.
    coverage : pandas.DataFrame or {"units", "sources", "gaps"}, optional
        When each unit was watched, which distinguishes a quiet period (0) from one that nobody looked at (``<NA>``).
        A table of spans: ``start`` and ``end`` (both covered; missing means from the first, to the last
        day of the counts), and the columns of ``by``; several rows a unit leave gaps between them. A unit of
        the table without an incident is 0 while it was covered; a unit without a span is ``<NA>``
        throughout. Or guessed, as :func:`escalation.incidents.infer_coverage` does. Left out, every unit counts as
        covered alike from ``start`` to ``end``. ``counts.attrs`` says which it was (``coverage``) and the first
        and last day (``days``).
    draws : int, optional
        Give so many histories instead: in each, every incident falls on one day of its window, all
        days alike. Histories of a table that the span covers all hold the same number of incidents.
    figures : {"triangular", "best"}
        In histories of fatalities, the distribution of each incident's figure: discrete and triangular from
        ``fatalities_low`` to ``fatalities_high`` with its mode at ``fatalities`` (a bound that is not
        known is the best figure), or always the best figure. Bounds are seldom symmetric, so the mean
        of the triangular distribution mostly lies above the best figure.
    rng : int, numpy.random.Generator or None
        Of the histories.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        ``Int64`` on a gap-free ``PeriodIndex`` named ``period``, from the period of ``start`` to that
        of ``end``; 0 where nothing happened and ``<NA>`` where no day was covered. A Series named by
        ``measure``; with ``by`` a DataFrame with one column a unit, sorted (a ``MultiIndex`` where ``by``
        is a list, whose units models name as ``Syria / Aleppo``). With
        ``draws`` histories: ``int64`` (``Int64`` where a period was not covered), one column a ``draw``, with
        ``by`` a ``MultiIndex`` of the unit's columns and ``draw``.

    Raises
    ------
    InputError
        If the table is no table of incidents, an option or a date cannot be read, a column of
        ``by`` does not exist, periods x units (x draws) are more than 50 million, ``as_of`` is asked for
        and the table has none, or histories of fatalities meet an incident of unknown fatalities.

    Warns
    -----
    PartialPeriodWarning
        If a period is covered only in part; :func:`escalation.exposure` and
        :func:`escalation.incidents.coverage_exposure` give the shares that a fit needs.
    DataWarning
        If incidents lie on days that were not covered, have no coordinates for a cell, have unknown
        fatalities that are asked for, or have a window that touches more than one period; if rows of counts are
        spread over their days; if coverage was
        guessed, or units have no span.

    Examples
    --------
    >>> import pandas as pd
    >>> incidents = pd.DataFrame({"date": pd.to_datetime(["2024-11-04", "2024-11-05", "2024-11-19"])})
    >>> aggregate(incidents, "W", start="2024-11-04", end="2024-11-24").tolist()
    [2, 0, 1]
    >>> incidents["date_end"] = pd.to_datetime(["2024-11-04", "2024-11-14", "2024-11-19"])
    >>> aggregate(incidents, "W", start="2024-11-04", end="2024-11-24", draws=3, rng=1).sum().tolist()
    [3, 3, 3]
    """
    freq = parse_freq(freq)
    check_option(measure, MEASURES, "measure")
    check_option("last" if count_on is None else count_on, COUNT_ON, "count_on")
    check_option(figures, FIGURES, "figures")
    by = columns_read_as(incidents, by) if isinstance(incidents, pd.DataFrame) else by
    names = unit_columns_of(by)
    if victims is not None and measure != "fatalities":
        raise InputError(f"victims is {victims!r}, which goes with measure='fatalities'; {measure} were asked for")
    checked = check_incidents(incidents) if victims is None else deaths_of(incidents, victims)
    table = with_units(_known_by(checked, as_of), names)
    spans = coverage_of(table, names, coverage)
    first, last = _span(table, spans, start, end)
    index = period_index(first, last, freq)
    units, unit, watched = units_of(table, by, spans)
    check_size(len(index), len(units), _checked_draws(draws))
    covered = None if spans is None else merged_spans(spans, watched, (first, last))
    frame = _Frame(index, units, (first, last), covered)
    if draws is not None:
        warn_reaching(table, first, last)
        if covered is not None:
            warn_uncovered(table, unit, covered, first, last)
        how = None if measure == "incidents" else figures
        return _finished(_histories(table, unit, frame, how=how, draws=draws, rng=rng), frame, coverage)
    open_ = np.zeros(len(table), dtype=bool)
    if count_on is None:
        open_ = divided(table, unit, freq, (first, last), covered)
    counts = _on_one_day(table[~open_], unit[~open_], frame, freq, measure, count_on or "last")
    if open_.any():
        counts = _with_spread(counts, table[open_], unit[open_], frame, freq, measure)
    made = counts if by is not None else counts.iloc[:, 0].rename(measure)
    return _finished(made, frame, coverage)


class _Frame(NamedTuple):
    """Periods and units that are counted in, from the first to the last day, and the spans that were covered."""

    periods: pd.PeriodIndex
    units: pd.Index
    span: tuple[pd.Timestamp, pd.Timestamp]
    covered: Spans | None

    def sums(self, place: NDArray[np.int64], values: NDArray[np.float64]) -> pd.DataFrame:
        """Sum values by their place among all cells; exact below 2**53."""
        cells = np.bincount(place, weights=values, minlength=len(self.periods) * len(self.units)).astype(np.int64)
        return pd.DataFrame(cells.reshape(len(self.periods), -1), self.periods, self.units, dtype="Int64")


def _on_one_day(
    table: pd.DataFrame, unit: NDArray[np.int64], frame: _Frame, freq: str, measure: str, count_on: str
) -> pd.DataFrame:
    """Counts of each unit, each row on one day of its window."""
    index, units, (first, last), covered = frame
    day = _counting_day(table, count_on)
    inside = day.between(first, last).to_numpy()
    warn_outside(int((~inside).sum()), len(inside), first, last)
    if covered is not None:
        inside = inside & _on_covered_days(covered, unit, day, inside)
    warn_windows(_reaching(table[inside], freq), int(inside.sum()), freq, count_on)
    place = (day.dt.to_period(freq).array.asi8 - index.asi8[0])[inside] * len(units) + unit[inside]
    if measure == "incidents":
        return frame.sums(place, event_numbers(table)[inside].astype(float))
    return _fatalities(table.loc[inside, "fatalities"], place, frame)


def _with_spread(
    counts: pd.DataFrame, rows: pd.DataFrame, unit: NDArray[np.int64], frame: _Frame, freq: str, measure: str
) -> pd.DataFrame:
    """Counts and those of rows that are spread over the days of their windows, with a warning of these."""
    index, units, span, covered = frame
    windows = day_numbers(rows["date"]), day_numbers(rows["date_end"])
    first, last = (np.datetime64(day, "D").astype(np.int64) for day in span)
    starts = period_starts(index)
    starts = np.append(np.maximum(starts[:-1], first), last + 1)
    warn_spread(rows, windows, (int(first), int(last)), freq)
    values = event_numbers(rows).astype(float)
    gaps = np.zeros(counts.shape, dtype=bool)
    if measure == "fatalities":
        values = rows["fatalities"].to_numpy(dtype=float, na_value=0.0)
        unknown = rows["fatalities"].isna().to_numpy()
        gaps = touched((windows[0][unknown], windows[1][unknown]), unit[unknown], starts, len(units))
        if unknown.any():
            warn_unknown(int(unknown.sum()), len(unknown), int(gaps.sum()))
    counts = counts + spread_evenly(values, windows, unit, starts, len(units), covered)
    return counts.mask(gaps)


def check_option(value: str, options: tuple[str, ...], name: str) -> None:
    """Refuse what is none of the options."""
    if value not in options:
        raise InputError(f"{name} is {value!r}; use {' or '.join(options)}")


def _checked_draws(draws: int | None) -> int | None:
    """The number of histories that are asked for."""
    if draws is None:
        return None
    if isinstance(draws, bool) or not hasattr(draws, "__index__") or int(draws) < 1:
        raise InputError(f"draws is {draws!r}; give a whole number from 1, or leave it out for counts on one day each")
    return int(draws)


def _known_by(table: pd.DataFrame, as_of: DateLike | None) -> pd.DataFrame:
    """The rows that had become known by the end of a day."""
    if as_of is None:
        return table
    day = parse_date(as_of, "as_of", side="end")
    if "as_of" not in table:
        raise InputError("the table has no column as_of, so it does not say what was known when; drop as_of=")
    known = (table["as_of"] < day + pd.Timedelta(days=1)).to_numpy()
    if not known.any():
        raise InputError(f"no incident was known by {day:%Y-%m-%d}; choose a later as_of")
    return table[known]


def _span(
    table: pd.DataFrame, spans: pd.DataFrame | None, start: DateLike | None, end: DateLike | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of the counts."""
    first, last = table["date"].min(), table["date_end"].max()
    if spans is not None and len(spans):
        first, last = spans["start"].fillna(first).min(), spans["end"].fillna(last).max()
    return (
        parse_date(start, "start") if start is not None else first,
        parse_date(end, "end", side="end") if end is not None else last,
    )


def _on_covered_days(
    covered: Spans, unit: NDArray[np.int64], day: pd.Series, inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which incidents counted on a covered day, and warn of those that did not."""
    watched = span_of(covered, unit, day_numbers(day)) >= 0
    if (lost := int((inside & ~watched).sum())) > 0:
        warn(
            f"{lost:,} of {len(day):,} incidents lie on days on which their unit was not covered and are not counted; "
            "widen the coverage, or drop them first"
        )
    return watched


def _finished(counts: pd.DataFrame | pd.Series, frame: _Frame, coverage: object) -> pd.Series | pd.DataFrame:
    """Counts with ``<NA>`` where no day was covered, and with what is said of their coverage."""
    index, units, span, covered = frame
    days_named = tuple(f"{day:%Y-%m-%d}" for day in span)
    dates = f"from {days_named[0]} to {days_named[1]}"
    if covered is None:
        warn_partial(index, *span)
        counts.attrs |= {"coverage": f"all units alike, {dates}", "days": days_named}
        return counts
    days, whole = covered_days(covered, period_starts(index), len(units)), days_in(index)[:, None]
    unwatched, partly = days == 0, (days > 0) & (days < whole)
    never = unwatched.all(axis=0)
    if never.any():
        names = ", ".join(map(str, units[never][:5]))
        warn(
            f"{never.sum():,} of {len(units):,} units have no covered day {dates}, so they are <NA> throughout: {names}"
        )
    if partly.any():
        row, column = (int(at) for at in np.argwhere(partly)[0])
        one = "" if len(units) == 1 else f"{units[column]} in "
        warn(
            f"{partly.sum():,} of {days.size:,} counts are of periods covered in part ({one}{index[row]} on "
            f"{days[row, column]} of its {whole[row, 0]} days); pass "
            "exposure=escalation.incidents.coverage_exposure(counts, coverage) to fit, or cover whole periods",
            PartialPeriodWarning,
        )
    if unwatched.any():
        wide = np.repeat(unwatched, counts.size // unwatched.size, axis=1)
        counts = counts.astype("Int64").mask(wide[:, 0] if isinstance(counts, pd.Series) else wide)
    how = f"guessed by {coverage}" if isinstance(coverage, str) else "as given"
    counts.attrs |= {"coverage": f"{how}, {len(covered.unit):,} spans, {dates}", "days": days_named}
    return counts


def _histories(
    table: pd.DataFrame, unit: NDArray[np.int64], frame: _Frame, *, how: str | None, draws: int, rng: Seed
) -> pd.DataFrame:
    """Histories of the counts of each unit."""
    index, units, span, covered = frame
    incidents = Spread(
        first=day_numbers(table["date"]),
        last=day_numbers(table["date_end"]),
        unit=unit,
        events=event_numbers(table),
        figures=None if how is None else fatality_figures(table, how),
    )
    first, last = (np.datetime64(day, "D").astype(np.int64) for day in span)
    starts = period_starts(index)
    starts = np.append(np.maximum(starts[:-1], first), last + 1)
    made = draw_histories(incidents, starts, len(units), draws, as_generator(rng), covered)
    columns = pd.RangeIndex(draws, name=DRAW)
    if units.names == [None]:
        return pd.DataFrame(made[:, :, 0].T, index, columns)
    levels = [np.repeat(units.get_level_values(level), draws) for level in range(units.nlevels)]
    both = pd.MultiIndex.from_arrays([*levels, np.tile(columns, len(units))], names=[*units.names, DRAW])
    return pd.DataFrame(made.transpose(1, 2, 0).reshape(len(index), -1), index, both)


def check_size(periods: int, units: int, draws: int | None = None) -> None:
    """Refuse a table of more counts than can be meant."""
    if periods * units * (draws or 1) > MAX_CELLS:
        times = "" if draws is None else f" x {draws:,} draws"
        raise InputError(
            f"{periods:,} periods x {units:,} units{times} are more than {MAX_CELLS:,} counts; "
            "choose a coarser freq or by"
        )


def _counting_day(table: pd.DataFrame, count_on: str) -> pd.Series:
    """The day of its window on which each incident counts."""
    first, last = table["date"], table["date_end"]
    middle: pd.Series = first + ((last - first) / 2).dt.floor("D")
    return {"first": first, "middle": middle, "last": last}[count_on]


def _fatalities(fatalities: pd.Series, place: NDArray[np.int64], frame: _Frame) -> pd.DataFrame:
    """Sums of fatalities, ``<NA>`` where a summand is unknown."""
    unknown = fatalities.isna().to_numpy()
    sums = frame.sums(place, fatalities.fillna(0).to_numpy(dtype=float))
    if not unknown.any():
        return sums
    gaps = (frame.sums(place, unknown.astype(float)) > 0).to_numpy(dtype=bool)
    warn_unknown(int(unknown.sum()), len(unknown), int(gaps.sum()))
    return sums.mask(gaps)


def _reaching(table: pd.DataFrame, freq: str) -> int:
    """The number of incidents whose window touches more than one period."""
    return int((table["date"].dt.to_period(freq) != table["date_end"].dt.to_period(freq)).sum())
