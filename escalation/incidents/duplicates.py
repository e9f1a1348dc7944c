"""Incidents that may stand in a table twice, under different ids or none: how alike they are, and how to merge them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import day_numbers
from escalation.errors import InputError, warn
from escalation.files.frames import as_pandas
from escalation.files.ledger import LedgerEntries
from escalation.incidents.schema import REPEATED_ID, check_incidents

WEIGHTS = {"days": 1.0, "place": 2.0, "actors": 2.0, "event_type": 1.0}
"""What each part counts for in the similarity; parts that a row leaves blank do not count."""
REPORT_COLUMNS = ("first", "second", "similarity", *WEIGHTS)
SAID_OF = ("actor", "target", "admin1", "place")
"""A row that is blank in all of these, and has no coordinates, says too little to be called a repeat."""
MAX_PAIRS = 5_000_000
EARTH_RADIUS = 6371.0
"""Kilometres."""
FAR = 25.0
"""Places so many kilometres apart are no more alike."""


def find_duplicates(incidents: pd.DataFrame, *, min_similarity: float = 0.9, days: int = 0) -> pd.DataFrame:
    """List pairs of incidents that may be one, with how alike they are; nothing is merged.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`; ids are not looked at.
    min_similarity : float
        Smallest similarity listed, above 0 to 1.
    days : int
        Windows may lie so many days apart.

    Returns
    -------
    pandas.DataFrame
        One row a pair: the index labels ``first`` and ``second``, the ``similarity`` (0 to 1) and its
        parts, most alike first. ``days`` is the share of the days that both windows have in common (where
        they have none, 1 / (1 + days apart)); ``place`` the likeness of names, or of coordinates where a
        name is blank (0 from 25 km on); ``actors`` that of both sides, whichever is named first;
        ``event_type`` that of the types. A part that either row leaves blank is NaN, and the similarity
        the mean of the others, place and actors counting twice; pairs with neither place nor actors
        in common are not listed.

    Raises
    ------
    InputError
        If the table is none of incidents, an option is out of range, or there are too many pairs of
        incidents at one time in one country.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-11-12", "2024-11-12", "2024-11-12"])
    >>> table = pd.DataFrame({"date": days, "place": ["Hasaka", "Al-Hasakah", "Erbil"], "actor": ["militia"] * 3})
    >>> find_duplicates(table, min_similarity=0.8)[["first", "second"]].to_numpy().tolist()
    [[0, 1]]
    """
    if not 0 < min_similarity <= 1:
        raise InputError(f"min_similarity is {min_similarity!r}; give a similarity above 0 and at most 1")
    if isinstance(days, bool) or not hasattr(days, "__index__") or not 0 <= days <= 31:
        raise InputError(f"days is {days!r}; give how many days apart windows may lie, 0 to 31")
    table = check_incidents(incidents)
    blocks = [_compare(table, first, second, min_similarity) for first, second in _pairs(table, int(days))]
    found = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=list(REPORT_COLUMNS), dtype=float)
    found = found.sort_values(["similarity", "first", "second"], ascending=[False, True, True], kind="stable")
    labels = np.asarray(table.index)
    for column in ("first", "second"):
        found[column] = labels[found[column].to_numpy(dtype=np.int64)]
    return found.reset_index(drop=True)


def repeated_rows(incidents: pd.DataFrame) -> pd.Series:
    """Find rows that repeat one before them in every column of their file, its place or a side included.

    Columns that only number the rows do not count. Rows with an id of their own are never repeats.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`.

    Returns
    -------
    pandas.Series
        Indexed by the labels of the repeats: the label of the row that each repeats.

    Raises
    ------
    InputError
        If the table is none of incidents.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-11-12", "2024-11-12", "2024-11-12"])
    >>> table = pd.DataFrame({"date": days, "place": "Erbil", "clock": ["06:10", "21:40", "06:10"]})
    >>> repeated_rows(table).to_dict()
    {2: 0}
    """
    return repeats_in(check_incidents(incidents))


def repeats_in(table: pd.DataFrame) -> pd.Series:
    """The same of a checked table."""
    ids = table["incident_id"]
    original = ids[ids.str.contains("-again-", regex=False).to_numpy(dtype=bool)]
    original = original.str.extract(rf"\A{REPEATED_ID}\Z", expand=False).dropna()
    there = table.loc[original.index, [*SAID_OF, "latitude"]]
    again = original[(there[list(SAID_OF)] != "").any(axis=1) | there["latitude"].notna()]
    firsts = ids[ids.isin(again)]
    label = pd.Series(np.asarray(firsts.index), index=firsts.to_numpy())
    first = again.map(label)
    return first[first.notna()].astype(label.dtype)


def deduplicate(
    incidents: pd.DataFrame, *, min_similarity: float | None = None, days: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Merge rows that repeat others or, where that is asked for, incidents that are alike.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`.
    min_similarity : float, optional
        Left out, only rows are merged that repeat another in every column of their file and have no id of their own;
        data quality and the reader speak of the same ones. Otherwise also incidents of this similarity, whatever
        their ids: see :func:`find_duplicates` first for which those would be.
    days : int
        With ``min_similarity``: windows may lie so many days apart.

    Returns
    -------
    incidents : pandas.DataFrame
        Without the rows merged; the first of each is kept as it is.
    ledger : pandas.DataFrame
        One entry for each incident merged, with the index label of the one that is kept; the row is its place in the
        table, from 0.

    Raises
    ------
    InputError
        As :func:`find_duplicates`; if ``days`` are given and ``min_similarity`` is not.

    Warns
    -----
    DataWarning
        If any were merged: two attacks in one town on one day are easily one too many or one too few.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-11-12", "2024-11-12", "2024-11-12"])
    >>> table = pd.DataFrame({"date": days, "place": "Erbil", "clock": ["06:10", "21:40", "23:05"]})
    >>> len(deduplicate(table)[0])
    3
    """
    incidents = as_pandas(incidents, "incidents", "the DataFrame that read_incidents returns")
    place = pd.Series(np.arange(len(incidents)), index=incidents.index)
    again = repeated_rows(incidents)
    numbers = [int(at) for at in place[again.index]]
    reasons = {at: f"repeats the row at {first!r}, which is kept" for at, first in zip(numbers, again, strict=True)}
    how = "repeat another row in every column"
    if min_similarity is not None:
        reasons |= _alike_ones(
            find_duplicates(incidents, min_similarity=min_similarity, days=days), place, set(reasons)
        )
        how += f" or are alike (similarity >= {min_similarity:g})"
    elif days != 0:
        raise InputError(f"days is {days!r}, which goes with min_similarity; give both, or leave days out")
    gone = sorted(reasons)
    ids = incidents["incident_id"].to_numpy()[gone] if "incident_id" in incidents else [""] * len(gone)
    notes = LedgerEntries("table")
    notes.add(gone, "incident_id", ids, "merged", [reasons[row] for row in gone])
    if gone:
        warn(
            f"{len(gone):,} of {len(incidents):,} incidents were merged, for they {how}; the ledger lists them"
            + ("" if min_similarity is None else ", and find_duplicates shows how alike they are")
        )
    kept = np.ones(len(incidents), dtype=bool)
    kept[gone] = False
    return incidents[kept], notes.frame()


def _alike_ones(pairs: pd.DataFrame, place: pd.Series, gone: set[int]) -> dict[int, str]:
    """Places of the incidents that go for being like one that is kept, and why."""
    reasons: dict[int, str] = {}
    for first, second, similarity in pairs[["first", "second", "similarity"]].itertuples(index=False):
        one, other = int(place[first]), int(place[second])
        if not {one, other} & (gone | reasons.keys()):
            reasons[other] = f"is as the incident at {first!r} (similarity {similarity:.2f}), which is kept"
    return reasons


def _pairs(table: pd.DataFrame, days: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Positions of incidents in one country (or an unnamed one) whose windows lie close enough, first < second."""
    first, last = (day_numbers(table[name]) for name in ("date", "date_end"))
    country = pd.factorize(table["country"])[0]
    named = (table["country"] != "").to_numpy(dtype=bool)
    order = np.lexsort((last, first))
    starts = first[order]
    # all that begin before this one ends, and not before it begins
    reach = np.searchsorted(starts, last[order] + days, side="right")
    number = reach - np.arange(1, len(order) + 1)
    if number.sum() > MAX_PAIRS * 20:
        raise InputError(
            f"{int(number.sum()):,} pairs of incidents lie close in time, too many to compare; "
            "split the table by country or admin1"
        )
    total = 0
    for begin in range(0, len(order), 50_000):
        size = number[begin : begin + 50_000]
        one = np.repeat(np.arange(begin, begin + len(size)), size)
        other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
        one, other = order[one], order[other]
        near = (country[one] == country[other]) | ~named[one] | ~named[other]
        one, other = one[near], other[near]
        total += len(one)
        if total > MAX_PAIRS:
            raise InputError(
                f"more than {MAX_PAIRS:,} pairs of incidents lie close in time and country; split the table by admin1"
            )
        if len(one):
            yield np.minimum(one, other), np.maximum(one, other)


def _compare(
    table: pd.DataFrame, first: NDArray[np.intp], second: NDArray[np.intp], min_similarity: float
) -> pd.DataFrame:
    """Similarity of pairs and its parts, for those that are alike enough."""
    parts = {
        "days": _days_alike(table, first, second),
        "event_type": _texts_alike(table["event_type"], table["event_type"], first, second),
        "place": _places_alike(table, first, second),
    }
    sides = [("actor", "actor"), ("target", "target"), ("actor", "target"), ("target", "actor")]
    same, other, crossed, back = (_texts_alike(table[a], table[b], first, second) for a, b in sides)
    parts["actors"] = np.fmax(_mean_known(same, other), _mean_known(crossed, back))
    matrix = np.column_stack([parts[name] for name in WEIGHTS])
    weight = np.where(np.isnan(matrix), 0.0, np.array(list(WEIGHTS.values())))
    similarity = (np.nan_to_num(matrix) * weight).sum(axis=1) / weight.sum(axis=1)
    known = ~np.isnan(parts["place"]) | ~np.isnan(parts["actors"])
    kept = known & (similarity >= min_similarity)
    found = {"first": first[kept], "second": second[kept], "similarity": similarity[kept]}
    return pd.DataFrame(found | {name: parts[name][kept] for name in WEIGHTS}, columns=list(REPORT_COLUMNS))


def _mean_known(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of two, or the one that is known, or NaN."""
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, (one + other) / 2))


def _days_alike(table: pd.DataFrame, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    begin, end = (day_numbers(table[name]) for name in ("date", "date_end"))
    shared = np.minimum(end[first], end[second]) - np.maximum(begin[first], begin[second]) + 1
    union = np.maximum(end[first], end[second]) - np.minimum(begin[first], begin[second]) + 1
    alike: NDArray[np.float64] = np.where(shared > 0, shared / union, 1 / (2 - np.minimum(shared, 0)))
    return alike


def _texts_alike(
    one: pd.Series, other: pd.Series, first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Likeness of texts, NaN where either is blank; each different pair of texts is compared once."""
    codes, names = pd.factorize(pd.concat([one, other], ignore_index=True))
    here, there = codes[: len(one)][first], codes[len(one) :][second]
    key = here.astype(np.int64) * len(names) + there
    distinct, inverse = np.unique(key, return_inverse=True)
    folded = [" ".join(re.findall(r"\w+", str(name).casefold())) for name in names]
    alike = [_alike(folded[code // len(names)], folded[code % len(names)]) for code in distinct]
    return np.array(alike, dtype=float)[inverse]


def _alike(one: str, other: str) -> float:
    if not one or not other:
        return float("nan")
    if one == other:
        return 1.0
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _places_alike(table: pd.DataFrame, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    """Likeness of places: by name, and by distance where a name is blank."""
    by_name = _texts_alike(table["place"], table["place"], first, second)
    lat, lon = (np.radians(table[name].to_numpy(dtype=float)) for name in ("latitude", "longitude"))
    half = np.sin((lat[first] - lat[second]) / 2) ** 2
    half += np.cos(lat[first]) * np.cos(lat[second]) * np.sin((lon[first] - lon[second]) / 2) ** 2
    kilometres = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return np.where(np.isnan(by_name), np.clip(1 - kilometres / FAR, 0, None), by_name)
