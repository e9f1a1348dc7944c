"""Tallies in words, as they were printed, and their contradictions by window."""

from __future__ import annotations

import pandas as pd

from escalation.tallies.reconstruct import SURPRISING, Reconstruction

BEFORE = {
    "exact": "",
    "about": "about ",
    "nearly": "nearly ",
    "more_than": "more than ",
    "at_least": "at least ",
    "at_most": "at most ",
    "up_to": "up to ",
}


def printed_count(tally: pd.Series) -> str:
    """Write the count of one tally with its qualifier.

    Parameters
    ----------
    tally : pandas.Series
        A row of checked tallies.

    Examples
    --------
    >>> printed_count(pd.Series({"count": 38, "qualifier": "at_least", "low": pd.NA, "high": pd.NA}))
    'at least 38'
    """
    qualifier, count = str(tally["qualifier"]), tally["count"]
    if qualifier in BEFORE:
        return f"{BEFORE[qualifier]}{count:,}"
    words = qualifier.replace("_", " ")
    if pd.notna(tally["low"]) and pd.notna(tally["high"]):
        span = f"{tally['low']:,} to {tally['high']:,}"
        return span if qualifier == "range" else f"{words} ({span})"
    return words if pd.isna(count) else f"{count:,} {words}"


def contradictions_by_window(reconstruction: Reconstruction) -> pd.DataFrame:
    """List the contradictions of a reconstruction, one row a window.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.

    Returns
    -------
    pandas.DataFrame
        Ordered by the end of the window; columns ``start``, ``end``, ``place``, ``role``, ``printed`` (what
        was printed, each once), ``lowest`` and ``highest`` (of the counts, missing for words), ``expected_low``
        and ``expected_high`` (lowest and highest end of the 90% ranges that the other tallies leave) and
        ``remark`` (why it is listed, and what was left out).

    Examples
    --------
    >>> import escalation
    >>> tallies = pd.DataFrame({"series": "attacks", "count": [5, 6, 30], "qualifier": "exact",
    ...     "start": "2024-01-01", "end": ["2024-01-14", "2024-01-14", "2024-01-28"]})
    >>> contradictions_by_window(escalation.reconstruct(tallies, series="attacks", rng=1))["printed"].tolist()
    ['5 and 6']
    """
    found = reconstruction.contradictions()
    rows = []
    for (end, start, place), group in found.groupby(["end", "start", "place"], sort=True):
        words = list(dict.fromkeys(printed_count(tally) for _, tally in group.iterrows()))
        rows.append(
            {
                "start": start,
                "end": end,
                "place": place,
                "role": group["role"].iloc[0],
                "printed": " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words),
                "lowest": group["count"].min(),
                "highest": group["count"].max(),
                "expected_low": group["predicted_low"].min(),
                "expected_high": group["predicted_high"].max(),
                "remark": _remark(group),
            }
        )
    columns = ["start", "end", "place", "role", "printed", "lowest", "highest"]
    return pd.DataFrame(rows, columns=[*columns, "expected_low", "expected_high", "remark"])


def _remark(group: pd.DataFrame) -> str:
    """Say why a window is listed."""
    said = []
    if group["count"].nunique() > 1:
        said.append("numbers for one window differ")
    for (_, tally), improbable in zip(group.iterrows(), group["surprise"] < SURPRISING, strict=True):
        if improbable:
            said.append(f"{printed_count(tally)} does not fit the other tallies" + ("" if tally["used"] else _left(tally)))
        elif not tally["used"] and tally["flag"] != "duplicate":
            said.append(f"{printed_count(tally)} is left out: {_why(tally)}")
    return "; ".join(dict.fromkeys(said))


def _left(tally: pd.Series) -> str:
    return f" and is left out: {_why(tally)}"


def _why(tally: pd.Series) -> str:
    """The reason in words: the flag without the word flag."""
    return str(tally["why"]).removeprefix("flag ").replace("_", " ")
