"""Tallies in words, as they were printed, and their contradictions by window."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.counts.periods import date_span
from escalation.tallies.prediction import improbable
from escalation.tallies.reconstruct import Reconstruction

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
        ``remark`` (what is improbable, and what is left out and why).

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
    """Say which of the tallies of a window are improbable or left out, or that all are used."""
    said = [(printed_count(tally), standing(tally)) for _, tally in group.iterrows()]
    return "; ".join(dict.fromkeys(f"{count} {words}" for count, words in said if words)) or "all are used"


def standing(tally: pd.Series) -> str:
    """Say whether a tally is improbable, what it reads like, and why it is left out; nothing of one that is used.

    Parameters
    ----------
    tally : pandas.Series
        A row of the tallies of a reconstruction.
    """
    odd = "improbable" if improbable(tally.to_frame().T).iloc[0] else ""
    like = f"reads like {tally['reads_like']:,}" if odd and pd.notna(tally["reads_like"]) else ""
    why = str(tally["why"]).removeprefix("flag ").replace("_", " ")
    left_out = "" if tally["used"] or (why == "duplicate" and not odd) else f"left out: {why}"
    return ", ".join(filter(None, (odd, like, left_out)))


DISBELIEVED = 0.1
"""A tally that is relied on with a lower probability is not believed."""
MOST_DOUBTED = 4
"""Tallies that are not believed and named one by one."""
WEAK, WEAK_SHARE = 5, 0.1
"""A total is weakly known where its 90% interval is wider than so many incidents and this share of it."""


def reconstruction_notes(reconstruction: Reconstruction) -> list[str]:
    """Say what the reader of the counts should know first: days without a word, and tallies that are not believed.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.

    Examples
    --------
    >>> import escalation
    >>> tallies = pd.DataFrame({"series": "attacks", "count": [40, 620, 70], "qualifier": "exact",
    ...     "start": "2024-01-01", "end": ["2024-01-28", "2024-02-11", "2024-02-18"]})
    >>> notes = reconstruction_notes(escalation.reconstruct(tallies, series="attacks", rng=1))
    >>> notes[0][:76]
    '620 printed of 2024-01-01 to 2024-02-11 (reads like 62) is not believed: the'
    """
    spoken = reconstruction.spoken
    table, apart = reconstruction.tallies, torn(reconstruction)
    said = [_torn_apart(apart)] if 0 < len(apart) < int(table["used"].sum()) else []
    said += [] if spoken.all() else [reconstruction.spoken_sentence().rstrip(".")]
    doubted = table[table["used"] & improbable(table)].drop(index=apart.index)
    doubted = doubted.sort_values("reliability", kind="stable")
    said += [_doubt(tally, reconstruction) for _, tally in doubted.head(MOST_DOUBTED).iterrows()]
    if len(doubted) > MOST_DOUBTED:
        said.append(f"{len(doubted) - MOST_DOUBTED} more tallies are improbable; see the contradictions")
    return said


def torn(reconstruction: Reconstruction) -> pd.DataFrame:
    """Tallies that contradict each other where nothing else says which of them is right.

    None of the tallies used that speak of their days is believed, so that the counts lie between them, where nobody
    has counted.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.

    Returns
    -------
    pandas.DataFrame
        Rows of ``tallies``, by end of window.

    Examples
    --------
    >>> import escalation
    >>> tallies = pd.DataFrame({"series": "attacks", "count": [1000, 0], "qualifier": "exact",
    ...     "start": "2024-01-01", "end": ["2024-01-01", "2024-06-30"]})
    >>> torn(escalation.reconstruct(tallies, series="attacks", rng=1))["count"].tolist()
    [1000, 0]
    """
    table = reconstruction.tallies[reconstruction.tallies["used"]]
    believed = ~improbable(table) | table["reliability"].ge(DISBELIEVED)
    found = []
    for at in table.index[~believed]:
        one = table.loc[at]
        beside = (table["start"] <= one["end"]) & (table["end"] >= one["start"]) & (table.index != at)
        beside &= table["counter"].eq(one["counter"]) & table["place"].eq(one["place"])
        found += [at] if beside.any() and not believed[beside].any() else []
    return table.loc[found].sort_values(["end", "start"], kind="stable")


def undecided(reconstruction: Reconstruction) -> str:
    """Say why nothing can be answered from tallies that all contradict each other; nothing where something can.

    Answers are refused with it, so that it is no note of theirs.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.
    """
    rows = torn(reconstruction)
    if rows.empty or len(rows) < int(reconstruction.tallies["used"].sum()):
        return ""
    return f"{_contradict(rows)}, and no other tally says which is right; correct one, or flag it as wrong"


def _contradict(rows: pd.DataFrame) -> str:
    named = [f"{printed_count(row)} printed of {_window(row)}" for _, row in rows.head(MOST_DOUBTED).iterrows()]
    return f"{' and '.join(named)} contradict each other"


def _torn_apart(rows: pd.DataFrame) -> str:
    return (
        f"{_contradict(rows)}, and no other tally says which is right: what the counts have of these days lies between "
        "them, where nobody has counted"
    )


def _window(tally: pd.Series) -> str:
    return date_span(pd.Period(tally["start"], "D"), pd.Period(tally["end"], "D"))


def _doubt(tally: pd.Series, reconstruction: Reconstruction) -> str:
    """Say what was printed, what the other tallies make of it, and which of both the counts follow."""
    like = f" (reads like {tally['reads_like']:,})" if pd.notna(tally["reads_like"]) else ""
    where = "" if tally["place"] == reconstruction.place else f" in {tally['place']}"
    low, high = tally["predicted_low"], tally["predicted_high"]
    others = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    window = _window(tally)
    if tally["reliability"] < DISBELIEVED:
        follows = "is not believed: the other tallies make it"
        rest = "which the counts follow"
    else:
        follows = "is improbable: the other tallies make it"
        rest = "and the counts allow for both"
    return f"{printed_count(tally)} printed of {window}{where}{like} {follows} {others}, {rest}"


def least_known(reconstruction: Reconstruction) -> str:
    """Say up to which day the total is known least, so that a tally of it would help most; nothing where it is known.

    Parameters
    ----------
    reconstruction : Reconstruction
        From :func:`escalation.reconstruct`.
    """
    totals = reconstruction.cumulative()
    width = (totals["upper"] - totals["lower"]).astype(int)
    place = int(np.argmax(width))
    row, day = totals.iloc[place], pd.PeriodIndex(totals.index)[place]
    if width.iloc[place] < max(WEAK, WEAK_SHARE * row["median"]):
        return ""
    return (
        f"Known least is the total up to {day} ({row['lower']:,} to {row['upper']:,}): a running total of that day "
        "would help most."
    )
