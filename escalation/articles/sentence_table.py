"""Counts and their sentences as a table for a notebook, the printed number marked."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from escalation.articles.review import records
from escalation.articles.rows import HIGH

STYLE = "text-align:left;vertical-align:top;padding:2px 8px"
SHOWN = ("count", "qualifier", "unit", "start", "end", "counter", "place", "confidence", "review")


@dataclass(frozen=True)
class SentenceTable:
    """A table that a notebook shows, each count beside its sentence.

    Attributes
    ----------
    html : str
        The table.
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html


def highlight(tallies: pd.DataFrame) -> SentenceTable:
    """Show counts read from a text beside their sentences, for review in a notebook.

    Parameters
    ----------
    tallies : pandas.DataFrame
        From :func:`read_article`, :func:`read_articles` or :func:`read_review`.

    Returns
    -------
    SentenceTable
        What a notebook shows as a table: the printed number is marked in the sentence, rows below the confidence of
        0.72 are shaded, rejected ones are struck through.

    Examples
    --------
    >>> from escalation.articles import read_article
    >>> tallies, _ = read_article("There were 12 attacks in May 2024.", published="2024-06-01")
    >>> "There were <mark>12 attacks</mark> in May 2024." in highlight(tallies).html
    True
    """
    head = "".join(f'<th style="{STYLE}">{name}</th>' for name in ("row", *SHOWN, "sentence"))
    body = "".join(_row(label, row) for label, row in zip(tallies.index, records(tallies), strict=True))
    return SentenceTable(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(label: object, row: dict[str, str]) -> str:
    low, high = row.get("low", ""), row.get("high", "")
    shown = {**row, "count": f"{low} to {high}" if low and high else row.get("count", "")}
    cells = [escape(str(label)), *(escape(shown.get(name, "")) for name in SHOWN), _marked(row)]
    doubtful = float(row.get("confidence") or 0) < HIGH
    look = "background:#f4f4f4;" if doubtful else ""
    look += "text-decoration:line-through;" if row.get("review") == "rejected" else ""
    return f'<tr style="{look}">' + "".join(f'<td style="{STYLE}">{cell}</td>' for cell in cells) + "</tr>"


def _marked(row: dict[str, str]) -> str:
    sentence, printed = row.get("sentence", ""), row.get("printed", "")
    before, found, after = sentence.partition(printed) if printed else (sentence, "", "")
    return f"{escape(before)}<mark>{escape(found)}</mark>{escape(after)}" if found else escape(sentence)
