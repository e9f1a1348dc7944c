"""Guess what the columns of an own table hold where their names do not say it plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from escalation.files.repeats import first_filled
from escalation.incidents.formats.column_words import says, words_of
from escalation.incidents.formats.dates import dated_share
from escalation.incidents.formats.layout import Layout, plain_name
from escalation.incidents.formats.plain import IDS

GUESSED = ("date", "country", "place", "latitude", "longitude", "fatalities", "fatalities_low", "fatalities_high")
LOOKED_AT = 200
"""How many filled cells of a column are read to see whether it holds dates."""
MOST_DATES = 0.9
SURE_DATES = ("date", "event_date", "incident_date", "attack_date", "date_start", "start_date")
"""Names that mean the date of an incident whatever stands in the column."""
BOUNDS: dict[str, Literal["low", "high"]] = {"fatalities_low": "low", "fatalities_high": "high"}


@dataclass(frozen=True)
class Guess:
    """What was guessed.

    Attributes
    ----------
    columns : dict of str to str
        Incidents' column to file's column.
    rivals : dict of str to list of str
        Columns of which each may be the one, so that none was taken.
    """

    columns: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, list[str]] = field(default_factory=dict)


def guess_columns(layout: Layout, table: pd.DataFrame, matched: Mapping[str, str]) -> Guess:
    """Guess columns that no name gave away.

    A column is guessed where a word of its name is a known name (``Date of attack``) and no other
    column has that word; the date also where just one column is full of dates. An id is one whose
    name means an id and of whose cells no two are alike.

    Parameters
    ----------
    layout : Layout
        Known names.
    table : pandas.DataFrame
        The file's cells.
    matched : mapping of str to str
        What is known already: incidents' column to file's column.

    Returns
    -------
    Guess
    """
    free = [name for name in table.columns if name not in matched.values()]
    guess = Guess()
    for target in GUESSED:
        if target in matched:
            continue
        named = _named(layout, target, free)
        if target == "date":
            named = [name for name in named if holds_dates(table[name])]
            named = named or [name for name in free if holds_dates(table[name])]
        if len(named) == 1:
            guess.columns[target] = named[0]
            free.remove(named[0])
        elif named:
            guess.rivals[target] = named
    ids = [name for name in free if (plain_name(name) in IDS or "id" in words_of(name)) and _are_ids(table[name])]
    if "incident_id" not in matched and len(ids) == 1 and len(table) > 1:
        guess.columns["incident_id"] = ids[0]
    return guess


def _are_ids(column: pd.Series) -> bool:
    """Say whether no two cells are alike and they do not merely number the rows, which other files number as well."""
    if not column.is_unique:
        return False
    numbers = pd.to_numeric(column, errors="coerce")
    return bool(numbers.isna().any()) or numbers.max() - numbers.min() != len(numbers) - 1


def fitting_dates(layout: Layout, table: pd.DataFrame) -> list[str]:
    """Columns called as a date is that hold none, and stand beside others or do not mean a date for sure."""
    known = [name for name in table.columns if plain_name(name) in layout.columns["date"]]
    unfit = [name for name in known if not holds_dates(table[name])]
    return [name for name in unfit if plain_name(name) not in SURE_DATES or len(unfit) < len(known)]


def _named(layout: Layout, target: str, free: list[str]) -> list[str]:
    """Columns a word of whose name is a known name."""
    if target in BOUNDS:
        deaths = {word for word in layout.columns["fatalities"] if "_" not in word}
        found = [name for name in free if says(name, BOUNDS[target]) and words_of(name) & deaths]
        return [name for name in found if not says(name, "part of the dead")]
    words = {word for word in layout.columns[target] if "_" not in word} - {"start", "data", "land"}
    named = [name for name in free if words & words_of(name)]
    if target in ("place", "country"):
        return [name for name in named if not says(name, "about a place")]
    if target == "fatalities":
        named = [name for name in named if not says(name, "low", "high")]
        return named if len(named) < 2 else [name for name in named if not words_of(name) & {"avg", "average", "mean"}]
    return named


def holds_dates(column: pd.Series) -> bool:
    """Say whether most cells are written as dates; bare numbers are none, for anything may be numbered."""
    cells = first_filled(column, LOOKED_AT)
    fewest = MOST_DATES * len(cells)
    cells = cells[cells.str.contains(r"\d") & ~cells.str.fullmatch(r"[0-9]+(?:\.[0-9]+)?").astype(bool)]
    return not cells.empty and len(cells) >= fewest and dated_share(cells) >= MOST_DATES
