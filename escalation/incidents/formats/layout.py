"""Layouts: which column of a file holds which column of an incidents table."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from escalation.errors import InputError
from escalation.incidents.formats.dates import DateOrder
from escalation.incidents.schema import COLUMNS, OPTIONAL_COLUMNS, PRECISIONS

SHOWN_COLUMNS = 30
CHOOSABLE = (*COLUMNS, *OPTIONAL_COLUMNS, "time_precision")
"""What a column map may name."""

WORDS_OF_PRECISION = {word: word for word in ("day", "week", "month", "year")} | {"exact": "day"}
WORDS_OF_LOCATION = {word: word for word in PRECISIONS} | {"exact": "place", "town": "place", "admin1": "province"}


def unchanged(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells as they are."""
    return cells


@dataclass(frozen=True)
class Layout:
    """One kind of file.

    Attributes
    ----------
    name : str
        What messages call it.
    columns : mapping of str to tuple of str
        For each column of the incidents table (and any that only ``tidy`` or the reader uses) the names it
        has in such files, in small letters with underscores, the best first.
    needs : tuple of str
        Columns without which the file is not of this kind.
    date_order : {"day-first", "month-first"}, optional
        What ``03/04/2024`` means in such files where no date of the file shows which comes first.
    holds : {"incidents", "reports", "counts"}
        What a row is: an incident; one report of an incident, made by machine; or how many
        incidents a week had.
    days : int
        How many days a date stands for where the file has no ``date_end``.
    precisions : mapping of str to str
        How the file says that a date is known to the ``day``, ``week``, ``month`` or ``year``.
    location_precisions : mapping of str to str
        How it says that a location is that of the ``place``, or of its ``district``, ``province`` or ``country``.
    tidy : callable
        Turns the cells (text, incidents' column names) into the words of the incidents table.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ("date",)
    date_order: DateOrder | None = None
    holds: Literal["incidents", "reports", "counts"] = "incidents"
    days: int = 1
    precisions: Mapping[str, str] = field(default_factory=lambda: WORDS_OF_PRECISION)
    location_precisions: Mapping[str, str] = field(default_factory=lambda: WORDS_OF_LOCATION)
    tidy: Callable[[pd.DataFrame], pd.DataFrame] = unchanged


def plain_name(name: str) -> str:
    """Fold a column's name: ``"Event Date"`` and ``EVENT_DATE`` are ``event_date``."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def match_columns(
    layout: Layout,
    found: Iterable[str],
    chosen: Mapping[str, str],
    where: str,
    *,
    missing: Literal["refused", "allowed"] = "refused",
) -> dict[str, str]:
    """Find the file's column for each column of the incidents table.

    Parameters
    ----------
    layout : Layout
        The kind of file.
    found : iterable of str
        The file's columns.
    chosen : mapping of str to str
        The user's choice, which comes before the layout.
    where : str
        The file, for messages.
    missing : {"refused", "allowed"}
        What becomes of a file without a needed column.

    Returns
    -------
    dict
        Incidents' column to file's column, for those that the file has.

    Raises
    ------
    InputError
        If the choice names a column that does not exist on either side, two columns of the file
        have one name, or a needed column is missing.
    """
    found = list(found)
    _check_choice(chosen, found, where)
    named: dict[str, list[str]] = {}
    for name in found:
        named.setdefault(plain_name(name), []).append(name)
    matched = dict(chosen)
    for target, names in layout.columns.items():
        present = [name for name in names if name in named]
        if target in matched or not present:
            continue
        if len(named[present[0]]) > 1:
            pair = " and ".join(map(repr, named[present[0]][:2]))
            raise InputError(
                f"{where}: {pair} may both be the {target}; "
                f"choose with columns={{{target!r}: ...}} or --column {target}=..."
            )
        matched[target] = named[present[0]][0]
    needed = [target for target in layout.needs if target not in matched]
    if needed and missing == "refused":
        wanted = "; ".join(f"{target} (such as {', '.join(layout.columns[target][:4])})" for target in needed)
        raise InputError(
            f"{where}: is no {layout.name} table that can be read: no column for {wanted}; columns found: "
            f"{_listed(found)}{_nearest_columns(layout, needed, found)}; "
            f"name it with columns={{{needed[0]!r}: '...'}} or --column {needed[0]}=..."
        )
    return matched


def check_map(columns: Mapping[str, str]) -> None:
    """Check that a choice of columns is a mapping.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(columns, Mapping):
        raise InputError(f"columns is {columns!r}; give a mapping such as {{'date': 'Datum'}}")


def _check_choice(chosen: Mapping[str, str], found: list[str], where: str) -> None:
    for target, name in chosen.items():
        if target not in CHOOSABLE:
            raise InputError(
                f"columns names {target!r}, which no incidents table has{_nearest(target, CHOOSABLE)}; "
                f"use {', '.join(CHOOSABLE)}"
            )
        if name not in found:
            raise InputError(
                f"{where}: has no column {name!r} for {target}{_nearest(name, found)}; columns found: {_listed(found)}"
            )


def _nearest(name: object, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(names), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _nearest_columns(layout: Layout, missing: list[str], found: list[str]) -> str:
    """The columns whose names are nearest to those looked for."""
    plain = {plain_name(name): name for name in found}
    near = {
        target: [plain[name] for known in layout.columns[target] for name in difflib.get_close_matches(known, plain, 2)]
        for target in missing
    }
    said = [f"{', '.join(map(repr, dict.fromkeys(names)))} for {target}" for target, names in near.items() if names]
    return f"; nearest: {'; '.join(said)}" if said else ""


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN_COLUMNS])
    return shown if len(names) <= SHOWN_COLUMNS else f"{shown} and {len(names) - SHOWN_COLUMNS} more"
