"""Two versions of one table of incidents: what was revised, added and withdrawn."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from escalation.errors import InputError, warn
from escalation.files.ledger import LedgerEntries, join_ledgers
from escalation.incidents.schema import COLUMNS, check_incidents

COMPARED = tuple(column for column in COLUMNS if column != "incident_id")
DELETED_IDS = ("incident_id", "event_id_cnty", "id", "data_id")
"""What tables of withdrawn events call the column of ids."""


def merge_versions(
    old: pd.DataFrame, new: pd.DataFrame, deleted: pd.DataFrame | Iterable[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring an older table of incidents up to date with a newer one, which may be an update alone.

    Parameters
    ----------
    old, new : pandas.DataFrame
        From :func:`escalation.read_incidents`.
    deleted : pandas.DataFrame or iterable of str, optional
        Ids that were withdrawn: a list, or a table with a column ``incident_id``,
        ``event_id_cnty`` (as ACLED's list of deleted events) or ``id``.

    Returns
    -------
    incidents : pandas.DataFrame
        The rows of ``new``, and those of ``old`` that are neither in it nor deleted, by date.
    ledger : pandas.DataFrame
        One entry for each row of either table that is not in the result, with ``old``, ``new`` or
        ``deleted`` for the file and the place in that table, from 0, for the row:
        ``len(old) + len(new) = len(incidents) + escalation.files.ledger.rows_lost(ledger)``. An old row
        that was revised says what changed. Deleted ids that are in neither table are noted too.

    Raises
    ------
    InputError
        If a table is none of incidents, ``deleted`` has no column of ids, or nothing is left.

    Warns
    -----
    DataWarning
        If old rows lie within the dates of ``new`` and are neither in it nor in ``deleted``, as rows
        that were withdrawn without saying so do; and if rows without an id of their own cannot be followed.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-11-11", "2024-11-12"])
    >>> old = pd.DataFrame({"date": days, "fatalities": [1, 2], "incident_id": ["a", "b"]})
    >>> new = pd.DataFrame({"date": days[1:], "fatalities": [3], "incident_id": ["b"]})
    >>> incidents, ledger = merge_versions(old, new)
    >>> incidents["fatalities"].tolist(), ledger.loc[0, "why"]
    ([1, 3], 'revised: fatalities 2 -> 3')
    """
    before, after = check_incidents(old, "old"), check_incidents(new, "new")
    withdrawn = _deleted_ids(deleted)
    notes = {name: LedgerEntries(name) for name in ("old", "new", "deleted")}
    for name, table in (("old", before), ("new", after)):
        gone = table["incident_id"].isin(withdrawn).to_numpy()
        notes[name].add(
            np.flatnonzero(gone), "incident_id", table["incident_id"][gone], "dropped", "was withdrawn by its source"
        )
    unknown = withdrawn[~withdrawn.isin(before["incident_id"]) & ~withdrawn.isin(after["incident_id"])]
    notes["deleted"].add(unknown.index, "incident_id", unknown, "changed", "is in neither table; nothing to withdraw")
    before_kept = before[~before["incident_id"].isin(withdrawn).to_numpy()]
    after_kept = after[~after["incident_id"].isin(withdrawn).to_numpy()]
    both = before_kept["incident_id"].isin(after_kept["incident_id"]).to_numpy()
    places = np.flatnonzero(~before["incident_id"].isin(withdrawn).to_numpy())
    revised = before_kept[both]
    why = _revisions(revised, after_kept)
    notes["old"].add(places[both], "incident_id", revised["incident_id"], "merged", why)
    alone = before_kept[~both]
    _warn_missing(alone, after)
    if alone.empty and after_kept.empty:
        raise InputError("every incident of both tables is in deleted; nothing is left")
    parts = [part for part in (alone, after_kept) if not part.empty]
    merged = pd.concat(parts).sort_values(["date", "date_end"], kind="stable", ignore_index=True)
    return merged, join_ledgers(notes[name].frame() for name in ("old", "new", "deleted"))


def _deleted_ids(deleted: pd.DataFrame | Iterable[str] | None) -> pd.Series:
    """Ids, each once, as text, numbered by their place."""
    if deleted is None:
        return pd.Series([], dtype=str)
    if isinstance(deleted, str):
        raise InputError(f"deleted is the text {deleted!r}; give a list of ids, or a table with a column of them")
    if isinstance(deleted, pd.DataFrame):
        column = next((name for name in DELETED_IDS if name in deleted), None)
        if column is None:
            found = ", ".join(map(str, deleted.columns))
            raise InputError(f"deleted has no column of ids ({', '.join(DELETED_IDS)}); its columns are {found}")
        deleted = deleted[column]
    return pd.Series([str(one) for one in deleted], dtype=str).drop_duplicates()


def _revisions(revised: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """What the new rows say otherwise, one text a row."""
    now = after.set_index("incident_id").loc[revised["incident_id"]]
    said = np.full(len(revised), "", dtype=object)
    for column in COMPARED:
        was, is_ = revised[column].reset_index(drop=True), now[column].reset_index(drop=True)
        if was.dtype.kind == "M":
            was, is_ = was.dt.strftime("%Y-%m-%d"), is_.dt.strftime("%Y-%m-%d")
        was, is_ = (
            side.astype(object).where(side.notna(), "unknown").replace("", "blank").astype(str) for side in (was, is_)
        )
        differs = (was != is_).to_numpy(dtype=bool)
        said[differs] = said[differs] + (", " + column + " " + was + " -> " + is_)[differs].to_numpy(dtype=object)
    return ["revised: " + text[2:] if text else "the same in both tables; the new row is kept" for text in said]


def _warn_missing(alone: pd.DataFrame, after: pd.DataFrame) -> None:
    """Warn of old rows that the new table ought to hold, and of rows that cannot be followed."""
    inside = alone["date"].between(after["date"].min(), after["date_end"].max())
    nameless = alone["incident_id"].str.startswith("no-id-")
    if (inside & nameless).any():
        warn(
            f"{int((inside & nameless).sum()):,} old incidents have no id of their own and say other than every new "
            "row: they may be revised, and then count twice; look for them with escalation.incidents.find_duplicates"
        )
    silent = int((inside & ~nameless).sum())
    if silent:
        warn(
            f"{silent:,} old incidents lie within the dates of the new table but are not in it, and are kept; "
            "if their source withdrew them, name them in deleted"
        )
