"""Read a table of tallies from a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from escalation.files.ledger import LedgerEntries
from escalation.files.places import KEY, runs_of
from escalation.files.read import read_table
from escalation.tallies.schema import COLUMNS, DATES, DEFAULTS, NUMBERS, check_tallies, plain_headers

MAX_TALLIES = 100_000
"""A table of tallies with more rows than this is refused: it is a table of incidents."""


def read_tallies(
    path: str | Path, *, encoding: str | None = None, sheet: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Read reported counts from a CSV, TSV or XLSX file.

    A table of tallies is small and made by hand, so a row that cannot be used is an error and not a
    loss: the message names it.  Rows that say the same twice are merged, and the ledger says so.

    Parameters
    ----------
    path : str or Path
        The file; its columns are described in the codebook, ``data/README.md``.
        ``series, count, qualifier, start, end`` must be there.
    encoding : str, optional
        Encoding of a text file that is not UTF-8.
    sheet : str, optional
        Name of the sheet of a workbook; the first when left out.

    Returns
    -------
    tallies : pandas.DataFrame
        One row a tally, all columns of the codebook in their types.
    ledger : pandas.DataFrame
        Rows merged and columns that were not used, with the reason.

    Raises
    ------
    FileError
        If the file cannot be opened.
    InputError
        If it is no table, lacks a column, or a row has a fault (blank or unreadable number or date,
        negative or fractional count, unknown qualifier, a window that ends before it starts or lies
        in the future, …).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "press.csv")
    ...     _ = file.write_text("series,count,qualifier,start,end\nattacks,200,nearly,2023-10-07,2024-11-12\n")
    ...     tallies, ledger = read_tallies(file)
    >>> tallies.loc[0, ["series", "count", "qualifier", "kind"]].astype(str).tolist()
    ['attacks', '200', 'nearly', 'interval']
    """
    raw = read_table(path, encoding=encoding, max_rows=MAX_TALLIES, sheet=sheet)
    raw = raw.rename(columns=plain_headers(raw.columns))
    tallies = check_tallies(raw, str(path))
    entries = LedgerEntries(str(path))
    unused = [name for name in raw.columns if name not in COLUMNS]
    if unused:
        entries.add([1] * len(unused), "", unused, "changed", "a column that is not in the codebook was left out")
    blank = [name for name in DEFAULTS if name in raw.columns and DEFAULTS[name] and name not in (*DATES, *NUMBERS)]
    for name in blank:
        rows = raw.index[raw[name] == ""]
        entries.add(rows, name, [""] * len(rows), "changed", f"blank, taken as {DEFAULTS[name]!r}")
    twice = tallies.duplicated(keep="first")
    entries.add(
        tallies.index[twice], "", [""] * int(twice.sum()), "merged", "the same in every column as an earlier row"
    )
    kept = tallies[~twice]
    lines = runs_of([str(path)] * len(kept), kept.index.to_numpy())
    kept = kept.reset_index(drop=True)
    kept.attrs[KEY] = lines
    return kept, entries.frame()
