"""Tallies out of articles, or out of the table that was read from them, and how many no person has reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from escalation.articles.read import article_files, article_text, is_article, read_articles
from escalation.articles.review import read_review, usable_tallies
from escalation.counts.periods import DateLike
from escalation.errors import InputError
from escalation.files.ledger import join_ledgers
from escalation.files.places import KEY, runs_of
from escalation.files.read import column_names
from escalation.tallies.choosing import is_chosen

Opened = tuple[pd.DataFrame, pd.DataFrame, tuple[int, ...]]
"""Checked tallies, the ledger, and the labels of the rows that no person has reviewed."""


def holds_text(paths: Sequence[str | Path]) -> bool:
    """Say whether paths are articles, or folders of them."""
    return bool(paths) and all(is_article(path) for path in paths)


def open_text(paths: Sequence[str | Path], published: DateLike | None) -> Opened:
    """Read the tallies of articles.

    Raises
    ------
    FileError
        If a file cannot be read.
    InputError
        If no count with a window is found.
    """
    table, ledger = read_articles(paths, published)
    name = str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(article_files(paths)) - 1} more"
    tallies, left_out, unreviewed = usable_tallies(table, name)
    by_name = {path.name: path for path in article_files(paths)}
    texts = {article: article_text(by_name[article]) for article in set(table["article"]) if article in by_name}
    lines = [
        texts[article].count("\n", 0, int(begin)) + 1 if article in texts else 0
        for article, begin in zip(table["article"], table["begin"], strict=True)
    ]
    _keep_places(tallies, [str(by_name.get(article, article)) for article in table["article"]], lines, table)
    return tallies, join_ledgers([ledger[left_out.columns], left_out]), unreviewed


def is_reviewed(path: Path, encoding: str | None, sheet: str | None) -> bool:
    """Say whether a table of tallies is one that was read from articles, with a column for its review."""
    return {"review", "sentence"} <= set(column_names(path, encoding=encoding, sheet=sheet))


def open_reviewed(path: Path) -> Opened:
    """Read the tallies of a table that ``escalation read-text`` wrote, without those rejected or undated."""
    table = read_review(path)
    tallies, ledger, unreviewed = usable_tallies(table, str(path))
    _keep_places(tallies, [str(path)] * len(table), range(2, len(table) + 2), table)
    return tallies, ledger, unreviewed


def _keep_places(tallies: pd.DataFrame, files: Sequence[str], lines: Sequence[int], read: pd.DataFrame) -> None:
    """Keep the place and the sentence of each row that was read, by the labels of the tallies (in place)."""
    tallies.attrs[KEY] = runs_of(files, lines)
    tallies.attrs["sentences"] = [str(sentence).lstrip("'") for sentence in read["sentence"]]


def unreviewed_note(table: pd.DataFrame, unreviewed: Sequence[int], series: str, counter: str | None) -> list[str]:
    """Say from how many unreviewed counts an answer is, if from any."""
    rows = table.loc[[at for at in unreviewed if at in table.index]]
    used = rows[(rows["series"] == series) & is_chosen(rows["counter"], counter)]
    if used.empty:
        return []
    plural = "count" if len(used) == 1 else "counts"
    return [f"from {len(used)} unreviewed {plural}, read from text by rules; check them with escalation review"]


def refuse_options(name: str, *, given: bool) -> None:
    """Refuse options that go with tables.

    Raises
    ------
    InputError
        If there are any.
    """
    if given:
        raise InputError(
            f"{name} is an article; a column map, columns of counts, an encoding, a date order, a time zone, coverage, "
            "reports and a sheet go with tables"
        )
