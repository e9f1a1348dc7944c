"""Which rows of a table of tallies a reconstruction rests on, and in which role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from escalation.counts.periods import DateLike, parse_date
from escalation.errors import InputError
from escalation.tallies.layers import WHOLE
from escalation.tallies.schema import EVERYWHERE, contains

Choice: TypeAlias = str | Sequence[str] | None
"""One name, several to be read together, ``all`` of them, or none where only one is there."""


ALL = "all"
"""In place of the name of a counter or a place: all of them, together."""
JOINED = ", "
"""What names are joined with that are read together; so they can be given too."""
SAME_TOTAL = ["series", "counter", "unit", "place", "start", "end", "qualifier"]
"""What two prints of one total have in common."""
FEW, FACTOR = 5, 2.0
"""A counter that prints another number of the same days has revised it, if it is no more than so many away, or so many
times as large or small; otherwise one of the two may be misprinted, and both are kept."""


def read_choice(choice: Choice, names: pd.Series) -> Choice:
    """Return one name, several of a text with commas that is no name itself, or ``all``."""
    if isinstance(choice, str) and JOINED.strip() in choice and choice not in set(names):
        return [part.strip() for part in choice.split(JOINED.strip())]
    return choice


def is_chosen(names: pd.Series, choice: Choice) -> pd.Series:
    """Mark the names that a choice takes; all where there is none.

    Examples
    --------
    >>> is_chosen(pd.Series(["army", "navy", "press"]), "army, press").tolist()
    [True, False, True]
    """
    choice = read_choice(choice, names)
    if choice is None or (choice == ALL and ALL not in set(names)):
        return pd.Series(True, index=names.index)
    return names.isin([choice] if isinstance(choice, str) else list(choice))


def several(choice: Choice) -> bool:
    """Say whether counters, or places, are to be read together."""
    return choice == ALL or not (choice is None or isinstance(choice, str))


def choose_rows(
    table: pd.DataFrame, series: str, counter: Choice, place: Choice, unit: str | None
) -> tuple[pd.DataFrame, str]:
    """Rows of one series and unit, of one counter or several, and the place.

    Raises
    ------
    InputError
        If one is unknown, or several leave a choice; the message lists them.
    """
    rows = _pick(table, "series", series, " of the table")
    rows = _pick(rows, "counter", counter, f" of {series}")
    counters = sorted(rows["counter"].unique())
    rows = _pick(rows, "unit", unit, f" of {series} by {JOINED.join(counters)}")
    places = sorted(rows["place"].unique())
    if place == ALL:
        return rows, EVERYWHERE
    if several(place):
        named = list(dict.fromkeys(map(str, place or ())))
        unknown = [one for one in named if not any(contains(one, other) for other in places)]
        if unknown or not named:
            raise _no_such_place(series, ", ".join(unknown), places)
        within = [(one, other) for one in named for other in named if one != other and contains(one, other)]
        if within:
            raise InputError(f"place {within[0][1]!r} lies in {within[0][0]!r}; give places side by side")
        return rows, JOINED.join(named)
    if place is None:
        whole = [one for one in places if all(contains(one, other) for other in places)]
        if not whole:
            raise InputError(
                f"{len(places)} places of {series} lie side by side; choose one place of {', '.join(places)}, or "
                f"{ALL!r} for all together"
            )
        place = whole[0]
    elif not any(contains(str(place), other) for other in places):
        raise _no_such_place(series, str(place), places)
    return rows, str(place)


def _no_such_place(series: str, place: str, places: Sequence[str]) -> InputError:
    return InputError(f"no tally of {series} is about {place!r}; the places are {', '.join(places)}")


def _pick(table: pd.DataFrame, column: str, choice: Choice, of: str) -> pd.DataFrame:
    there = sorted(table[column].unique())
    plural = column if column.endswith("s") else f"{column}s"
    if choice is None:
        if len(there) > 1:
            listed = ", ".join(there)
            together = f", or {ALL!r} to read them together" if column == "counter" else ""
            raise InputError(f"{len(there)} {plural}{of} do not add up; choose one {column} of {listed}{together}")
        return table
    taken = is_chosen(table[column], choice) if column == "counter" else table[column] == choice
    chosen = list(choice) if several(choice) and choice != ALL else [choice]
    unknown = [one for one in chosen if one not in there and not (one == ALL and taken.all())]
    if unknown or not chosen:
        wrong = unknown[0] if unknown else chosen
        raise InputError(f"{column} is {wrong!r}; the {plural}{of} are {', '.join(there)}")
    return table[taken]


def place_keys(rows: pd.DataFrame, place: str, *, together: bool) -> tuple[pd.Series, pd.Series]:
    """What each tally is to a reconstruction of a place, and the part of it that it speaks of.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tallies.
    place : str
        The place, or several, joined.
    together : bool
        Whether the places in it have counts of their own; otherwise tallies of them are lower bounds of the whole.

    Returns
    -------
    role : pandas.Series
        ``count``, ``floor``, ``ceiling`` or nothing.
    part : pandas.Series
        Key of the part, of :data:`escalation.tallies.layers.WHOLE` for the whole.
    """
    if not together:
        return rows["place"].map(lambda where: _role(place, str(where))), pd.Series(WHOLE, index=rows.index)
    joined = place.split(JOINED)
    found = [_in_part(joined, str(where)) for where in rows["place"]]
    role, part = (pd.Series([one[at] for one in found], index=rows.index, dtype=object) for at in (0, 1))
    return role, part


def _in_part(places: Sequence[str], where: str) -> tuple[str, str]:
    """Role of a tally about ``where`` and the part of the places that it speaks of."""
    if len(places) == 1 and where == places[0]:
        return "count", WHOLE
    if all(contains(where, one) for one in places):
        return "ceiling", WHOLE
    for one in places:
        if contains(one, where):
            if len(places) > 1:
                return ("count" if where == one else "floor"), one
            inner = where if one == EVERYWHERE else where[len(one) + 1 :]
            head = where[: len(where) - len(inner)] + inner.split("/")[0]
            return ("count" if where == head else "floor"), head
    return "", WHOLE


def _role(place: str, where: str) -> str:
    """What a tally about ``where`` is to a reconstruction of ``place``."""
    if where == place:
        return "count"
    if contains(place, where):
        return "floor"
    return "ceiling" if contains(where, place) else ""


def sort_out(
    rows: pd.DataFrame,
    place: str,
    flags: Sequence[str],
    start: DateLike | None,
    end: DateLike | None,
    *,
    together: bool = False,
) -> pd.DataFrame:
    """Give every row its ``role`` and ``part``, whether it is ``used``, and ``why`` not.

    A window that ends before the start still speaks where a longer one crosses the start, for the difference of both
    lies behind it; likewise at the end.

    Raises
    ------
    InputError
        If no row can be used.
    """
    rows = rows.reset_index(drop=True)
    role, part = place_keys(rows, place, together=together)
    why = pd.Series("", index=rows.index)
    flagged = ~rows["flag"].isin(list(flags))
    why[flagged] = "flag " + rows["flag"][flagged]
    why[rows["kind"] == "baseline"] = "a baseline from before the period of interest"
    why[role == ""] = f"another place than {place}"
    revised = revised_by(rows[why == ""])
    why[revised.index] = revised
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
    return rows.assign(role=role, part=part, used=why == "", why=why)


def revised_by(rows: pd.DataFrame) -> pd.Series:
    """Say of each tally whose counter printed another number of the same days later what that was.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tallies as :func:`escalation.tallies.schema.check_tallies` returns them, no label twice.

    Returns
    -------
    pandas.Series
        A text for each of the tallies that were revised, and no others.

    Examples
    --------
    >>> from escalation.tallies.schema import check_tallies
    >>> tallies = pd.DataFrame({
    ...     "series": "attacks", "qualifier": "exact", "count": [55, 56], "start": "2023-10-17", "end": "2023-11-14",
    ...     "as_of": ["2023-11-14", "2023-11-16"],
    ... })
    >>> revised_by(check_tallies(tallies)).tolist()
    ['revised to 56 on 2023-11-16']
    """
    said = {}
    dated = rows[rows["as_of"].notna() & rows["count"].notna()]
    for _, prints in dated.groupby(SAME_TOTAL, sort=False):
        last = prints[prints["as_of"] == prints["as_of"].max()]
        if len(prints) == len(last) or (last["count"] != last["count"].iloc[0]).any():
            continue
        final = int(last["count"].iloc[0])
        for row, count in prints["count"].drop(last.index).items():
            if count != final and (abs(count - final) <= FEW or final / FACTOR <= count <= final * FACTOR):
                said[row] = f"revised to {final:,} on {last['as_of'].iloc[0]:%Y-%m-%d}"
    return pd.Series(said, dtype=object)


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
