"""Tables of other libraries as pandas tables: polars, Arrow, DuckDB, Ibis and whatever hands over Arrow's columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from escalation.errors import InputError

STREAM = "__arrow_c_stream__"
"""What tables have that can be handed over: Arrow's PyCapsule interface."""


def as_pandas(table: Any, name: str, instead: str) -> pd.DataFrame:
    """Give a table of any library as a pandas one, and a pandas one as it is.

    Parameters
    ----------
    table : pandas.DataFrame, or a table with Arrow's PyCapsule interface
        Such as ``polars.DataFrame``, ``pyarrow.Table``, a DuckDB relation or an Ibis table, which are computed.
    name : str
        What messages call it.
    instead : str
        What to give where it is no table.

    Returns
    -------
    pandas.DataFrame
        The same numbers: dates and times as ``datetime64``, whole numbers that are missing somewhere ``Int64``,
        decimal numbers without a fraction as whole ones, categories as text.

    Raises
    ------
    InputError
        If it is no such table, or pyarrow is not installed, which hands it over.
    """
    if isinstance(table, pd.DataFrame):
        return table
    if not hasattr(table, STREAM):
        if callable(getattr(table, "collect", None)):
            raise InputError(f"{name} is a {type(table).__name__}, which is not computed yet; collect() it first")
        raise InputError(f"{name} is a {type(table).__name__}; give {instead}")
    try:
        import pyarrow as pa
    except ImportError:
        raise InputError(
            f"{name} is a {type(table).__name__}, which pyarrow hands over: pip install 'escalation[parquet]', or give "
            "a pandas DataFrame"
        ) from None
    held = pa.table(table)
    return pd.DataFrame({field.name: _column(held[at], field.type) for at, field in enumerate(held.schema)}, copy=False)


def _column(values: Any, kind: Any) -> pd.Series:
    """One column of Arrow in the types of pandas."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind):
        kind = pa.int64() if kind.scale == 0 else pa.float64()
        try:
            values = values.cast(kind)
        except pa.ArrowInvalid:  # whole numbers past 64 bits
            values, kind = values.cast(pa.float64()), pa.float64()
    if pa.types.is_integer(kind) and kind != pa.uint64() and values.null_count:
        whole = values.cast(pa.int64()).fill_null(0).to_numpy()
        return pd.Series(pd.arrays.IntegerArray(whole, values.is_null().to_numpy()))
    column: pd.Series = values.to_pandas(date_as_object=False)
    return column
