"""The ledger: every row that a reader or :func:`escalation.aggregate` dropped, merged, spread or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

LEDGER_COLUMNS = ("file", "row", "column", "value", "action", "why")
ACTIONS = ("dropped", "merged", "spread", "changed")


@dataclass
class LedgerEntries:
    """Collects entries while a table is read; :meth:`frame` gives the ledger.

    ``row`` is the row of the file as a spreadsheet shows it: the header is row 1.
    """

    file: str
    entries: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)

    def add(
        self, rows: Iterable[int], column: str, values: Iterable[object], action: str, why: str | Iterable[str]
    ) -> None:
        """Note several rows, with one reason for all or one for each."""
        assert action in ACTIONS
        rows = list(rows)
        reasons = [why] * len(rows) if isinstance(why, str) else why
        self.entries.extend(
            (self.file, int(row), column, str(value), action, reason)
            for row, value, reason in zip(rows, values, reasons, strict=True)
        )

    def frame(self) -> pd.DataFrame:
        """Return the ledger, sorted by row."""
        ledger = pd.DataFrame(self.entries, columns=list(LEDGER_COLUMNS))
        return ledger.astype({"row": "int64"}).sort_values(["row", "column"], kind="stable", ignore_index=True)


def rows_lost(ledger: pd.DataFrame) -> int:
    """Rows of the file that are in no table any more: dropped, or merged into another row."""
    gone = ledger[ledger["action"].isin(["dropped", "merged"])]
    return int(gone[["file", "row"]].drop_duplicates().shape[0])
