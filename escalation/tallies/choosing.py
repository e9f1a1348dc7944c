"""Which rows of a table of tallies a reconstruction rests on, and in which role."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError
from escalation.tallies.schema import contains


def choose_rows(
    table: pd.DataFrame, series: str, counter: str | None, place: str | None, unit: str | None
) -> tuple[pd.DataFrame, str]:
    """Rows of the one series, counter and unit, and the place.

    Raises
    ------
    InputError
        If one is unknown, or several leave a choice; the message lists them.
    """
    rows = _pick(table, "series", series, " of the table")
    rows = _pick(rows, "counter", counter, f" of {series}")
    rows = _pick(rows, "unit", unit, f" of {series} by {rows['counter'].iloc[0]}")
    places = sorted(rows["place"].unique())
    if place is None:
        whole = [one for one in places if all(contains(one, other) for other in places)]
        if not whole:
            raise InputError(
                f"{len(places)} places of {series} lie side by side; choose one place of {', '.join(places)}"
            )
        place = whole[0]
    elif not any(contains(place, other) for other in places):
        raise InputError(f"no tally of {series} is about {place!r}; the places are {', '.join(places)}")
    return rows, place


def _pick(table: pd.DataFrame, column: str, choice: str | None, of: str) -> pd.DataFrame:
    there = sorted(table[column].unique())
    several = column if column.endswith("s") else f"{column}s"
    if choice is None:
        if len(there) > 1:
            listed = ", ".join(there)
            raise InputError(f"{len(there)} {several}{of} do not add up; choose one {column} of {listed}")
        return table
    if choice not in there:
        raise InputError(f"{column} is {choice!r}; the {several}{of} are {', '.join(there)}")
    return table[table[column] == choice]


def _role(place: str, where: str) -> str:
    """What a tally about ``where`` is to a reconstruction of ``place``."""
    if where == place:
        return "count"
    if contains(place, where):
        return "floor"
    return "ceiling" if contains(where, place) else ""


def sort_out(
    rows: pd.DataFrame, place: str, flags: Sequence[str], start: DateLike | None, end: DateLike | None
) -> pd.DataFrame:
    """Give every row its ``role``, whether it is ``used``, and ``why`` not.

    A window that ends before the start still speaks where a longer one crosses the start, for the difference of both
    lies behind it; likewise at the end.

    Raises
    ------
    InputError
        If no row can be used.
    """
    role = rows["place"].map(lambda where: _role(place, str(where)))
    why = pd.Series("", index=rows.index)
    flagged = ~rows["flag"].isin(list(flags))
    why[flagged] = "flag " + rows["flag"][flagged]
    why[rows["kind"] == "baseline"] = "a baseline from before the period of interest"
    why[role == ""] = f"another place than {place}"
    first = rows["start"].min() if start is None else parse_date(start, "start")
    last = rows["end"].max() if end is None else parse_date(end, "end", side="end")
    usable = why == ""
    apart = usable & ~_speaking(rows[usable], first, last).reindex(rows.index, fill_value=False)
    why[apart & (rows["start"] > last)] = "begins after the end"
    why[apart & (rows["end"] < first)] = "ends before the start"
    if (why != "").all():
        raise InputError(
            f"none of the {len(rows)} tallies of {rows['series'].iloc[0]} can be used "
            f"({'; '.join(sorted(set(why)))}); widen flags, start or end"
        )
    return rows.assign(role=role, used=why == "", why=why).reset_index(drop=True)


def _speaking(rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
    """Mark windows that reach into the days from ``first`` to ``last``, and those that overlap with such windows."""
    start, end = rows["start"].to_numpy(), rows["end"].to_numpy()
    speaks = (start <= last) & (end >= first)
    while speaks.any():
        # all that overlaps with one that speaks: as the union of these is not one run, each is looked at
        more = np.array(
            [bool(((start[speaks] <= b) & (end[speaks] >= a)).any()) for a, b in zip(start, end, strict=True)]
        )
        if (more == speaks).all():
            break
        speaks |= more
    return pd.Series(speaks, index=rows.index, dtype=bool)
