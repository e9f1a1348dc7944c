"""Counts of an article as rows of a table of tallies, and what was no count as rows of a ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from escalation.articles.extract import Found, Unread
from escalation.articles.merging import Merged
from escalation.articles.published import Published
from escalation.articles.sentences import Sentence
from escalation.files.ledger import LEDGER_COLUMNS
from escalation.tallies.schema import COLUMNS

CONFIDENCES = ("count", "qualifier", "unit", "window", "series", "place", "counter")
"""The fields that have a confidence of their own, in columns such as ``window_confidence``."""
EXTRA = (
    "sentence", "begin", "end_at", "printed", "rule", "confidence", *(f"{name}_confidence" for name in CONFIDENCES),
    "article", "review",
)  # fmt: skip
"""Columns of a table read from articles beside those of all tallies."""
HIGH = 0.72
"""A row of at least this confidence is marked high."""
UNREVIEWED, CONFIRMED, CORRECTED, REJECTED = "unreviewed", "confirmed", "corrected", "rejected"
_REVISED = re.compile(
    r"\b(?:revis\w+|correct(?:ed|ing|ion)|retract\w+|lowered|walked back|earlier (?:count|"
    r"toll|figure|tally|report)|previous(?:ly)? (?:count|toll|figure|reported))\b",
    re.IGNORECASE,
)


def confidence_of(one: Found) -> float:
    """That number, unit and window of a row are all right."""
    return round(one.confidences["unit"] * one.confidences["qualifier"] * one.window.confidence, 3)


def tally_rows(
    merged: Sequence[Merged], names: Sequence[str], published: Sequence[Published], urls: Sequence[str]
) -> pd.DataFrame:
    """One row a count, with the columns of all tallies and those of :data:`EXTRA`."""
    rows = [_row(one, names[one.article], published[one.article], urls[one.article]) for one in merged]
    table = pd.DataFrame(rows, columns=[*COLUMNS, *EXTRA])
    for name in ("count", "low", "high", "begin", "end_at"):
        table[name] = pd.array(table[name].tolist(), dtype="Int64")
    for name in ("start", "end", "as_of"):
        table[name] = (
            pd.to_datetime(table[name].tolist()).astype("datetime64[s]")
            if len(table)
            else pd.Series(dtype="datetime64[s]")
        )
    return _superseded(table)


def _row(one: Merged, name: str, published: Published, url: str) -> dict[str, object]:
    found, (start, end) = one.found, one.found.window.days
    mentions = sorted(
        {
            each.sentence.begin: each.sentence.text
            for each in (found, *one.others)
            if each.sentence.text != found.sentence.text
        }.items()
    )
    sure = {
        **found.confidences,
        "window": found.window.confidence,
        "series": found.series.confidence,
        "place": found.place.confidence,
        "counter": found.counter.confidence,
    }
    return {
        "series": found.series.name,
        "count": found.count if found.count is not None else pd.NA,
        "qualifier": found.qualifier,
        "low": found.low if found.low is not None else pd.NA,
        "high": found.high if found.high is not None else pd.NA,
        "start": start,
        "end": end,
        "as_of": published.day if published.day and (end is None or published.day >= end) else None,
        "place": found.place.name,
        "counter": found.counter.name,
        "kind": _kind(found),
        "unit": found.unit,
        "flag": "ok" if found.confidences["unit"] >= 0.7 else "unit_ambiguous",
        "date_confidence": _dated(found),
        "source": "; ".join(one.sources or (name,)),
        "url": url,
        "note": "" if found.sentence.role != "title" else "only in the headline",
        "sentence": " | ".join([found.sentence.text, *(text for _, text in mentions)]),
        "begin": found.begin,
        "end_at": found.end,
        "printed": found.sentence.text[found.begin - found.sentence.begin : found.end - found.sentence.begin],
        "rule": found.rule,
        "confidence": confidence_of(found),
        **{f"{field}_confidence": round(value, 2) for field, value in sure.items()},
        "article": name,
        "review": UNREVIEWED,
    }


def _kind(found: Found) -> str:
    start, end = found.window.days
    if found.count == 0:
        return "zero_window"
    if start is not None and start == end:
        return "single_day"
    return "interval"


def _dated(found: Found) -> str:
    if found.window.stated:
        return "stated" if found.window.confidence >= 0.85 else "inferred"
    return "interpolated" if found.window.confidence < 0.5 else "inferred"


def _superseded(table: pd.DataFrame) -> pd.DataFrame:
    """Mark a count stale where a later sentence of its article says that it revises it."""
    for at, row in table.iterrows():
        if not _REVISED.search(str(row["sentence"])):
            continue
        earlier = table.loc[:at].iloc[:-1]
        same = earlier[
            (earlier["unit"] == row["unit"])
            & (earlier["article"] == row["article"])
            & (earlier["count"] != row["count"])
            & (earlier["start"] <= row["end"])
            & (earlier["end"] >= row["start"])
        ]
        same = same[(same["sentence"] != row["sentence"]) & _alike(same, row)]
        if len(same):
            last = same.index[-1]
            table.loc[last, "flag"] = "stale"
            table.loc[last, "note"] = f"superseded by {row['count']} in a later sentence"
    return table


def _alike(rows: pd.DataFrame, row: pd.Series) -> pd.Series:
    """Say which windows share half of all days with that of a row: a part that is revised revises no whole."""
    start, end = rows["start"].clip(lower=row["start"]), rows["end"].clip(upper=row["end"])
    first, last = rows["start"].clip(upper=row["start"]), rows["end"].clip(lower=row["end"])
    shared: pd.Series = 2 * ((end - start).dt.days + 1) >= (last - first).dt.days + 1
    return shared


def ledger_rows(
    name: str, numbered: Sequence[Sentence], unread: Sequence[Unread], merged: Sequence[Merged], published: Published
) -> pd.DataFrame:
    """Numbers that are no tallies, mentions that were merged, and what the page says of its date, with the reasons.

    ``row`` is the number of the sentence, from 1; 0 is the page.
    """
    numbers = {id(sentence): number for number, sentence in enumerate(numbered, 1)}
    entries = [
        (numbers.get(id(one.sentence), 0), "count", one.text, "dropped", one.why, one.sentence.text) for one in unread
    ]
    entries += [
        (
            numbers.get(id(other.sentence), 0),
            "count",
            str(other.count if other.count is not None else other.qualifier),
            "merged",
            "a repeat of a count in another sentence",
            other.sentence.text,
        )
        for one in merged
        for other in one.others
    ]
    entries += [(0, "as_of", str(published.day or ""), "changed", remark, "") for remark in published.remarks]
    if published.day is None:
        entries.append(
            (
                0,
                "as_of",
                "",
                "changed",
                "no day of publication in the text; give it, or windows that hang on it stay blank",
                "",
            )
        )
    table = pd.DataFrame([(name, *entry) for entry in entries], columns=[*LEDGER_COLUMNS, "sentence"])
    return table.astype({"row": "int64"}).sort_values("row", kind="stable", ignore_index=True)
