"""What a person says of counts that were read from a text: confirmed, corrected or rejected, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from escalation.articles.rows import CONFIRMED, CORRECTED, EXTRA, REJECTED, UNREVIEWED
from escalation.articles.word_lists import word_list
from escalation.errors import FileError, InputError
from escalation.files.ledger import LedgerEntries
from escalation.files.read import read_table
from escalation.tallies.schema import COLUMNS, MAX_COUNT, check_tallies

STATES = (UNREVIEWED, CONFIRMED, CORRECTED, REJECTED)
CORRECTABLE = word_list(
    "series count qualifier low high start end as_of place counter unit kind flag note"
)  # fmt: skip
"""Columns that a person may correct."""


def read_review(path: str | Path) -> pd.DataFrame:
    """Read a table that ``escalation read-text`` wrote, all cells as text.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    pandas.DataFrame
        As written; ``review`` is one of unreviewed, confirmed, corrected and rejected.

    Raises
    ------
    FileError
        If the file cannot be read.
    InputError
        If it is no such table.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from escalation.articles import read_article
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "tallies.csv")
    ...     read_article("There were 12 attacks in May 2024.", published="2024-06-01")[0].to_csv(path, index=False)
    ...     table = read_review(path)
    >>> table.loc[0, ["count", "review"]].tolist()
    ['12', 'unreviewed']
    """
    raw = read_table(path)
    table = pd.DataFrame({name: raw[name].fillna("").astype(str).str.strip() for name in raw.columns})
    table = table.reset_index(drop=True)
    missing = [
        name for name in ("series", "count", "start", "end", "sentence", "begin", "review") if name not in table.columns
    ]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; give a table that escalation read-text wrote")
    blank = table["review"] == ""
    # a row without a sentence was written by hand
    table.loc[blank, "review"] = np.where(table.loc[blank, "sentence"] == "", CONFIRMED, UNREVIEWED)
    odd = table.index[~table["review"].isin(STATES)]
    if len(odd):
        raise InputError(
            f"{path}, row {odd[0] + 2}: review is {table.loc[odd[0], 'review']!r}; use one of {', '.join(STATES)}"
        )
    return table


def review_row(table: pd.DataFrame, row: int, state: str, corrections: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the table with one row reviewed.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`read_review` or :func:`read_article`.
    row : int
        Its label in the index.
    state : {"confirmed", "corrected", "rejected", "unreviewed"}
        What is said of it.
    corrections : mapping of str to str, optional
        New cells by their column; goes with ``corrected``.

    Returns
    -------
    pandas.DataFrame
        A copy, all cells of the row as text.

    Raises
    ------
    InputError
        If there is no such row, state or column, or the corrected row is no tally.

    Examples
    --------
    >>> from escalation.articles import read_article
    >>> tallies, _ = read_article("There were 12 attacks in May 2024.", published="2024-06-01")
    >>> review_row(tallies, 0, "corrected", {"count": "13"}).loc[0, ["count", "review"]].tolist()
    ['13', 'corrected']
    """
    if row not in table.index:
        raise InputError(f"row is {row}; the table has rows {table.index[0]} to {table.index[-1]}")
    if state not in STATES:
        raise InputError(f"state is {state!r}; use one of {', '.join(STATES)}")
    given = dict(corrections or {})
    if bool(given) != (state == CORRECTED):
        raise InputError(
            f"state is {state!r} with {len(given)} corrections; corrections go with 'corrected', and only with it"
        )
    unknown = [name for name in given if name not in CORRECTABLE]
    if unknown:
        raise InputError(f"no column {unknown[0]!r} to correct; use one of {', '.join(CORRECTABLE)}")
    table = as_text(table)
    for name, value in given.items():
        table.loc[row, name] = value.strip()
    if given:
        _check_row(table.loc[[row]].iloc[0], row)
    table.loc[row, "review"] = state
    return table


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """All cells as text, dates as YYYY-MM-DD, blank where missing."""
    dates = [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name].dtype)]
    shown = table.assign(**{name: table[name].dt.strftime("%Y-%m-%d") for name in dates})
    return shown.astype(object).where(shown.notna(), "").astype(str).astype(object)


def records(table: pd.DataFrame) -> list[dict[str, str]]:
    """Rows of a table as text by their column."""
    return [{str(name): str(cell) for name, cell in row.items()} for row in as_text(table).to_dict("records")]


def _check_row(row: pd.Series, number: int) -> None:
    """Refuse a correction that makes no tally; a window may stay blank."""
    one = row[[name for name in COLUMNS if name in row.index]].to_frame().T
    blank = [name for name in ("start", "end") if not str(row[name])]
    for name in blank:
        one[name] = "2000-01-01" if len(blank) == 2 else row["end" if name == "start" else "start"]
    if blank:
        one["as_of"] = ""
    if "count" in row.index and str(row["count"]).isdigit() and int(row["count"]) > MAX_COUNT:
        return
    one.index = pd.Index([number])
    check_tallies(one.assign(kind=""), "the correction")


def keep_reviewed(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put a second reading beside what a person has said of the first: reviewed rows stay as they are.

    Parameters
    ----------
    old : pandas.DataFrame
        Earlier table, some rows reviewed.
    new : pandas.DataFrame
        From :func:`read_article` or :func:`read_articles`.

    Returns
    -------
    pandas.DataFrame
        Reviewed rows of ``old``, unchanged, and the rows of ``new`` at other places of the text; all cells as text.

    Examples
    --------
    >>> from escalation.articles import read_article
    >>> tallies, _ = read_article("There were 12 attacks in May 2024 and 7 in June 2024.", published="2024-07-01")
    >>> kept = keep_reviewed(review_row(tallies, 0, "rejected"), tallies)
    >>> kept[["count", "review"]].values.tolist()
    [['12', 'rejected'], ['7', 'unreviewed']]
    """
    old, new = as_text(old), as_text(new)
    said = old[old["review"] != UNREVIEWED]
    places, printed = set(map(_place, records(said))), set(map(_printed, records(said)))
    fresh = [_place(row) not in places and _printed(row) not in printed for row in records(new)]
    joined = pd.concat([said, new[pd.Series(fresh, index=new.index, dtype=bool)]], ignore_index=True).fillna("")
    order = sorted(joined.index, key=lambda at: (joined.loc[at, "article"], int(joined.loc[at, "begin"] or 0)))
    return joined.loc[order].reset_index(drop=True)


def _place(row: Mapping[str, str]) -> tuple[str, str]:
    return row["article"], row["begin"]


def _printed(row: Mapping[str, str]) -> tuple[str, str, str]:
    """The same words in the same sentence, wherever that has moved in the text."""
    return row["article"], row["sentence"].lstrip("'"), row.get("printed", "")


def usable_tallies(table: pd.DataFrame, where: str = "article") -> tuple[pd.DataFrame, pd.DataFrame, tuple[int, ...]]:
    """The rows of a table read from text that other questions can be asked of.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`read_article` or :func:`read_review`.
    where : str
        What the ledger calls it.

    Returns
    -------
    tallies : pandas.DataFrame
        Checked tallies: not rejected, with a window, and with a count that a reconstruction takes.
    ledger : pandas.DataFrame
        The other rows, with the reason.
    unreviewed : tuple of int
        Labels of the rows of ``tallies`` that no person has reviewed.

    Raises
    ------
    InputError
        If no row is left.

    Examples
    --------
    >>> from escalation.articles import read_article
    >>> tallies, ledger, unreviewed = usable_tallies(read_article("There were 12 attacks in May.")[0])
    Traceback (most recent call last):
        ...
    escalation.errors.InputError: article: none of its 1 counts has a window; give the day of publication with --date
    """
    text = as_text(table).reset_index(drop=True)
    numbers = [pd.to_numeric(text[name], errors="coerce").fillna(0) for name in ("count", "low", "high")]
    reasons = pd.Series("", index=text.index, dtype=object)
    reasons[pd.concat(numbers, axis=1).max(axis=1) > MAX_COUNT] = f"above {MAX_COUNT:,}, the largest count of a tally"
    reasons[(text["start"] == "") | (text["end"] == "")] = "no window in the text"
    reasons[text["review"] == REJECTED] = "rejected in review"
    entries = LedgerEntries(where)
    lost = text.index[reasons != ""]
    entries.add([int(at) + 2 for at in lost], "", text.loc[lost, "count"].tolist(), "dropped", reasons[lost].tolist())
    kept = text[reasons == ""]
    if kept.empty:
        _refuse_nothing(text, reasons, where)
    checked = check_tallies(kept[[name for name in kept.columns if name not in EXTRA]], where)
    return checked, entries.frame(), tuple(int(at) for at in kept.index[kept["review"] == UNREVIEWED])


def _refuse_nothing(text: pd.DataFrame, reasons: pd.Series, where: str) -> None:
    """Say why no row can be used."""
    if text.empty:
        raise InputError(
            f"{where}: no count was found in the text; escalation read-text shows what was left out and why"
        )
    if (reasons == "no window in the text").any():
        raise InputError(
            f"{where}: none of its {len(text)} counts has a window; give the day of publication with --date"
        )
    raise InputError(f"{where}: none of its {len(text)} counts can be used ({reasons.iloc[0]}); read the article again")


def article_of(text_path: str | Path, table: pd.DataFrame) -> str:
    """Name of the article of a table that a file holds.

    Raises
    ------
    FileError
        If the table has no row of that file.
    """
    names = set(table["article"]) if "article" in table.columns else set()
    name = Path(text_path).name
    for one in (name, str(text_path)):
        if one in names:
            return one
    raise FileError(
        f"{text_path}: no row of the table is of this article; it has {', '.join(sorted(map(str, names))) or 'none'}"
    )
