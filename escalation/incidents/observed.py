"""Which days a table of incidents observed: silent stretches, days without a row, sources that end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.conventions.arrays import BoolArray, IntArray
from escalation.counts.periods import day_numbers
from escalation.errors import InputError
from escalation.incidents.days import Days, Silence, days_of, silences
from escalation.incidents.schema import check_incidents, event_numbers

SURE = 1e-4
"""A silence is a gap where its probability, times the number of places, is below this."""
UNITS = ("source", "admin1", "country", "place", "actor", "event_type")
CURATED = {"UCDP GED", "ACLED", "ACLED's weekly export"}
"""Kinds of files whose makers look all the time, so that a silence is a ceasefire sooner than a gap."""
FEWEST_UNITS = 3
"""So many units, of one column, that have incidents shortly before and after a gap."""
FEWEST, AWAY = 30, 28
"""Incidents of a source that begins or ends, and days that it is away, at the least."""
MOST_AWAY = 0.5
"""A unit of a table of counts has a row for this share of its days at the least, or nothing is read from its rows."""
LISTED = 0.95
"""Share of the incidents whose sources are known, or nothing is read from sources."""


def infer_gaps(incidents: pd.DataFrame, by: str | None = None, series: str | None = None) -> pd.DataFrame:
    """Find the days on which nobody looked, by what a table of incidents shows.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`, whole.
    by, series : str, optional
        Of the rows whose column ``by`` says ``series``: their sources may end earlier than others.

    Returns
    -------
    pandas.DataFrame
        One row a gap, in the order of their days: ``start`` and ``end`` (inclusive) and ``why``, in words.

    Raises
    ------
    InputError
        If the table is none of incidents, has no such column, or no such row.

    Notes
    -----
    A silence is a gap where three units or more of one column (sources, regions, places, actors, types), all with
    incidents shortly before and after, have none at once, for so long that its probability times the number of places
    is below 0.0001 (see :func:`escalation.assessment.data_quality`); so is one between two sources of which one has
    ended and the other not begun. A ceasefire looks alike: where it was one, a table of what was covered says so, and
    files of UCDP and ACLED, whose makers watch on through ceasefires, have no such gaps. In tables of counts or running
    totals in which quiet periods have rows that say 0, days of no row are gaps; those of which only the rows of one
    unit say nothing, such as a fault of its running total, are gaps of that unit. A source of 30 incidents or more, in
    three places or more, that stops at once in all of them has ended; where nobody else lists a unit, its days after
    that were not observed.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", "2024-06-30")
    >>> watched = days[(days < "2024-03-01") | (days > "2024-03-24")]
    >>> table = pd.DataFrame({"date": watched.repeat(3), "place": ["Erbil", "Hasaka", "Tanf"] * len(watched)})
    >>> infer_gaps(table)[["start", "end"]].astype(str).to_numpy().tolist()
    [['2024-03-01', '2024-03-24']]
    """
    table = check_incidents(incidents)
    chosen = np.ones(len(table), dtype=bool)
    if by is not None:
        if by not in table:
            raise InputError(f"by is {by!r}; name a column of the table: {', '.join(map(str, table.columns))}")
        chosen = (table[by].astype(str) == str(series)).to_numpy()
        if not chosen.any():
            raise InputError(f"no incident has {by} {series!r}; choose another series")
    return gaps_of(table, chosen, curated=is_curated(incidents))


def is_curated(incidents: pd.DataFrame) -> bool:
    """Say whether a table was read from files whose makers look all the time."""
    layouts = incidents.attrs.get("layouts", {}) if isinstance(incidents, pd.DataFrame) else {}
    return bool(CURATED & {*layouts.values()})


def gaps_of(table: pd.DataFrame, chosen: BoolArray, *, curated: bool = False) -> pd.DataFrame:
    """Gaps of the chosen rows of a checked table; see :func:`infer_gaps`."""
    found = _without_rows(table)
    if not curated:
        found += [*_silent(table, days_of(table)), *_of_unit(table, chosen)]
    return _joined(found)


def with_sources(gaps: pd.DataFrame, table: pd.DataFrame, chosen: BoolArray) -> pd.DataFrame:
    """Gaps of a whole table with those of the chosen rows alone: no row of them, or their sources not there."""
    if is_curated(table):
        return gaps
    numbers = [[day_numbers(gaps[side]).tolist() for side in ("start", "end")]]
    return _joined([*zip(*numbers[0], gaps["why"], strict=True), *_of_unit(table, chosen)])


def _joined(found: list[tuple[int, int, str]]) -> pd.DataFrame:
    """Gaps in the order of their days, without those that lie in another."""
    found = sorted(set(found), key=lambda gap: (gap[0], -gap[1]))
    kept: list[tuple[int, int, str]] = []
    for gap in found:
        if not any(first <= gap[0] and gap[1] <= last for first, last, _ in kept):
            kept.append(gap)
    days = [np.array([gap[side] for gap in kept], dtype=np.int64) for side in (0, 1)]
    dates = [pd.DatetimeIndex(each.astype("datetime64[D]").astype("datetime64[ns]")) for each in days]
    whys = pd.Series([gap[2] for gap in kept], dtype=object)
    return pd.DataFrame({"start": dates[0], "end": dates[1], "why": whys})


def observed_spans(gaps: pd.DataFrame) -> pd.DataFrame:
    """The spans between gaps, the first and the last of them open."""
    edges = [pd.NaT, *(gaps["end"] + pd.Timedelta(days=1))], [*(gaps["start"] - pd.Timedelta(days=1)), pd.NaT]
    spans = pd.DataFrame({"start": pd.Series(edges[0]), "end": pd.Series(edges[1])}, dtype="datetime64[ns]")
    return spans[~(spans["end"] < spans["start"])].reset_index(drop=True)


def gaps_sentence(gaps: pd.DataFrame, last: pd.Timestamp) -> str:
    """Say which days are taken as not observed, without a full stop; nothing where there are none.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From :func:`infer_gaps`.
    last : pandas.Timestamp
        Last day that is counted.
    """
    gaps = gaps[gaps["start"] <= last]
    if gaps.empty:
        return ""
    ends = [min(end, last) for end in gaps["end"]]
    number = sum((end - start).days + 1 for start, end in zip(gaps["start"], ends, strict=True))
    stretches = zip(gaps["start"], ends, gaps["why"], strict=True)
    shown = [f"{start:%Y-%m-%d} to {end:%Y-%m-%d} ({why})" for start, end, why in stretches][:3]
    more = f", and {len(gaps) - 3} more stretches" if len(gaps) > 3 else ""
    days = "day is" if number == 1 else "days are"
    return (
        f"{number:,} {days} taken as not observed, and not as quiet: {', '.join(shown)}{more}; if somebody looked, "
        "say so with a table of what was covered (coverage)"
    )


def _silent(table: pd.DataFrame, days: Days) -> list[tuple[int, int, str]]:
    """Silences that are too long and common to several units."""
    found = []
    for gap in silences(days):
        if gap.p >= SURE:
            continue
        column, number = _units_around(table, days, gap)
        first, last = days.first + gap.begin, days.first + gap.end - 1
        usual = f"where {gap.usual:.3g} incidents a week are usual"
        if number >= FEWEST_UNITS:
            found.append((first, last, f"none of {number} values of {column} has an incident, {usual}"))
        elif sources := _sources_change(table, days, gap):
            found.append((first, last, f"{sources}, {usual}"))
    return found


def _units_around(table: pd.DataFrame, days: Days, gap: Silence) -> tuple[str, int]:
    """The column with most values that have incidents both shortly before and shortly after a silence."""
    first, last = day_numbers(table["date"]) - days.first, day_numbers(table["date_end"]) - days.first
    some = event_numbers(table) > 0
    before = some & (last < gap.begin) & (last >= gap.begin - gap.reach)
    after = some & (first >= gap.end) & (first < gap.end + gap.reach)
    numbers = {column: len((set(table.loc[before, column]) & set(table.loc[after, column])) - {""}) for column in UNITS}
    best = max(numbers, key=lambda column: numbers[column])
    return best.replace("_", " "), numbers[best]


def _sources_change(table: pd.DataFrame, days: Days, gap: Silence) -> str:
    """Say that the sources before a silence have ended and those after it had not begun; nothing if not."""
    first, some = day_numbers(table["date"]) - days.first, event_numbers(table) > 0
    before, after = (set(table.loc[part & some, "source"]) for part in (first < gap.begin, first >= gap.end))
    if not before or not after or "" in before | after or before & after:
        return ""
    return (
        f"the sources before, such as {min(before)!r}, have ended, and those after, such as {min(after)!r}, not begun"
    )


def _quiet_has_rows(table: pd.DataFrame) -> bool:
    """Say whether periods of no incident have rows that say so, as in running totals and in counts with a 0."""
    holds = set(table.attrs.get("holds", {}).values())
    if "events" not in table or not holds or not holds <= {"counts", "totals"}:
        return False
    return "totals" in holds or bool((table["events"] == 0).any())


def _without_rows(table: pd.DataFrame) -> list[tuple[int, int, str]]:
    """Days of no row, where quiet periods have rows of their own."""
    if not _quiet_has_rows(table):
        return []
    holes = _holes(day_numbers(table["date"]), day_numbers(table["date_end"]))
    return [(begin, end, "no row speaks of them") for begin, end in holes]


def _holes(first: IntArray, last: IntArray) -> list[tuple[int, int]]:
    """First and last days of the stretches between windows that lie in none of them."""
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order])
    holes = np.flatnonzero(first[order][1:] > reach[:-1] + 1)
    return [(int(reach[at]) + 1, int(first[order][at + 1]) - 1) for at in holes]


def _of_unit(table: pd.DataFrame, chosen: BoolArray) -> list[tuple[int, int, str]]:
    """Gaps of the chosen rows alone."""
    return [*_without_own_rows(table, chosen), *_sources_away(table, chosen)]


def _without_own_rows(table: pd.DataFrame, chosen: BoolArray) -> list[tuple[int, int, str]]:
    """Days of no row of a unit, one of several that have rows of their own for quiet periods.

    Its rows cover most of its days, and others speak of the same ones: else the rows are those of a text that changes
    from row to row.
    """
    if chosen.all() or not _quiet_has_rows(table[chosen]):
        return []
    first, last = day_numbers(table["date"]), day_numbers(table["date_end"])
    own = first[chosen], last[chosen]
    begin, end = int(own[0].min()), int(own[1].max())
    holes = _holes(*own)
    away = sum(until - since + 1 for since, until in holes)
    edges = [(int(first.min()), begin - 1), (end + 1, int(last.max()))]
    if away > MOST_AWAY * (end - begin + 1) or not _overlap(own, (first[~chosen], last[~chosen])):
        return []
    return [(since, until, "no row of its own speaks of them") for since, until in (*holes, *edges) if since <= until]


def _overlap(own: tuple[IntArray, IntArray], others: tuple[IntArray, IntArray]) -> bool:
    """Say whether a window of others has a day in common with one of the own ones."""
    begun = np.searchsorted(np.sort(others[0]), own[1], side="right")
    ended = np.searchsorted(np.sort(others[1]), own[0], side="left")
    return bool((begun > ended).any())


def _sources_away(table: pd.DataFrame, chosen: BoolArray) -> list[tuple[int, int, str]]:
    """Days before the first and after the last source of the chosen rows, where sources begin or end at once."""
    codes, names = pd.factorize(table["source"])
    events, known = event_numbers(table), (table["source"] != "").to_numpy()
    if len(names) < 2 or events[chosen & known].sum() < LISTED * max(events[chosen].sum(), 1):
        return []
    own = np.unique(codes[chosen & known])
    if (np.bincount(codes, events, len(names))[own] < FEWEST).any():
        return []  # nobody knows of the few when they looked
    first, last = day_numbers(table["date"]), day_numbers(table["date_end"])
    begin, end = np.full(len(names), first.max()), np.full(len(names), last.min())
    np.minimum.at(begin, codes, first)
    np.maximum.at(end, codes, last)
    listed = f"the source {str(names[own[0]])!r}" if len(own) == 1 else f"all {len(own)} sources"
    found = []
    since, until = int(begin[own].min()), int(end[own].max())
    if since - first.min() >= AWAY and _stops(table, codes, own, since - int(first.min()), len(names)):
        found.append((int(first.min()), since - 1, f"{listed} had not begun, and nobody else lists this"))
    if last.max() - until >= AWAY and _stops(table, codes, own, int(last.max()) - until, len(names)):
        found.append((until + 1, int(last.max()), f"{listed} had ended, and nobody else lists this"))
    return found


def _stops(table: pd.DataFrame, codes: IntArray, own: IntArray, away: int, sources: int) -> bool:
    """Say whether each of some sources lists several places, and is away for longer than by chance."""
    for code in own:
        rows = codes == code
        if max(table.loc[rows, column].nunique() for column in ("country", "admin1", "place")) < FEWEST_UNITS:
            return False
        ends = day_numbers(table.loc[rows, "date_end"])
        length, active = int(ends.max() - ends.min()) + 1, len(np.unique(ends))
        if (length / (length + away)) ** active * sources >= SURE:
            return False
    return True
