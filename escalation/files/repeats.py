"""Columns of texts of which most repeat, each distinct text held once: as categories, in alphabetical order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CellsAs: TypeAlias = Literal["texts", "categories"]
"""How a reader hands over cells: as texts, or in large tables those that repeat as categories."""
SAMPLE = 100_000
"""So many cells show whether a column repeats."""
MOST_DISTINCT = 0.5
"""A column with a larger share of distinct texts is held as texts."""


def held_once(texts: NDArray[np.object_]) -> pd.Series:
    """Texts without white space around them as a column, of categories where most of them repeat.

    Examples
    --------
    >>> held_once(np.array(["b ", "a", "b", "a", "b", "b"], dtype=object)).cat.categories.tolist()
    ['a', 'b']
    """
    first = texts[:SAMPLE]
    if len(set(first)) > MOST_DISTINCT * len(first):
        return stripped(texts)
    codes, distinct = pd.factorize(texts)
    return as_categories(codes, distinct, pd.RangeIndex(len(texts)))


def as_categories(
    codes: NDArray[np.integer], distinct: Sequence[str] | NDArray[np.object_], index: pd.Index
) -> pd.Series:
    """A column of the distinct texts that its codes stand for, without white space around them; see :func:`held_once`.

    Parameters
    ----------
    codes : numpy.ndarray, (n,)
        Place of the text of each row in ``distinct``.
    distinct : sequence of str
        Texts, of which some may stand in no row.
    index : pandas.Index, (n,)
        Labels of the rows.
    """
    there = np.bincount(codes, minlength=len(distinct)) > 0
    texts = [text.strip() for text in distinct]
    kept = sorted({text for text, stands in zip(texts, there, strict=True) if stands})
    place = {text: at for at, text in enumerate(kept)}
    places = np.array([place.get(text, -1) for text in texts], dtype=np.int64)
    cells = pd.Categorical.from_codes(places[codes], categories=pd.Index(kept, dtype=object))
    column = pd.Series(cells, index=index, copy=False)
    return column if len(kept) <= MOST_DISTINCT * len(column) else column.astype(object)


def stripped(texts: NDArray[np.object_]) -> pd.Series:
    """Texts without white space around them as a column."""
    return pd.Series([text.strip() for text in texts], dtype=object)


def first_filled(column: pd.Series, number: int) -> pd.Series:
    """The first cells that are not blank, at most so many.

    Examples
    --------
    >>> first_filled(pd.Series(["", "a", "", "b", "c"]), 2).tolist()
    ['a', 'b']
    """
    first = column.iloc[:number]
    return first if (first != "").all() else column[column != ""].iloc[:number]


def as_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its categories as plain texts again, and the same table where it has none.

    Examples
    --------
    >>> table = pd.DataFrame({"a": pd.Categorical(["x", "y", "x"]), "b": ["1", "2", "3"]})
    >>> as_texts(table)["a"].dtype
    dtype('O')
    """
    repeating = [name for name in table.columns if are_categories(table[name])]
    return table.astype(dict.fromkeys(repeating, object)) if repeating else table


def are_categories(column: pd.Series) -> bool:
    """Say whether a column is held as categories."""
    return isinstance(column.dtype, pd.CategoricalDtype)
