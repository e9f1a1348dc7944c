"""The ledger: every row that a reader or :func:`escalation.aggregate` dropped, merged, spread or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

LEDGER_COLUMNS = ("file", "row", "column", "value", "action", "why")
ACTIONS = ("dropped", "merged", "spread", "changed")


@dataclass
class LedgerEntries:
    """Collects entries while a table is read; :meth:`frame` gives the ledger.

    ``row`` is the row of the file as a spreadsheet shows it: the header is row 1.
    """

    file: str
    entries: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, rows: Iterable[int], column: str, values: Iterable[object], action: str, why: str | Iterable[str]
    ) -> None:
        """Note several rows, with one reason for all or one for each."""
        assert action in ACTIONS
        numbers = np.fromiter(rows, dtype=np.int64)
        if not numbers.size:
            return
        reasons = [why] * len(numbers) if isinstance(why, str) else list(why)
        shown = [str(value) for value in values]
        assert len(shown) == len(reasons) == len(numbers)
        block = {"file": self.file, "row": numbers, "column": column, "value": shown, "action": action, "why": reasons}
        self.entries.append(pd.DataFrame(block, columns=list(LEDGER_COLUMNS)))

    def frame(self) -> pd.DataFrame:
        """Return the ledger, sorted by row."""
        none = pd.DataFrame(columns=list(LEDGER_COLUMNS), dtype=str).astype({"row": "int64"})
        ledger = pd.concat(self.entries, ignore_index=True) if self.entries else none
        return ledger.sort_values(["row", "column"], kind="stable", ignore_index=True)


def join_ledgers(ledgers: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The ledgers of several files one below the other."""
    return pd.concat(list(ledgers), ignore_index=True)


def rows_lost(ledger: pd.DataFrame) -> int:
    """Rows of the files that are in no table any more: dropped, or merged into another row."""
    gone = ledger[ledger["action"].isin(["dropped", "merged"])]
    return int(gone[["file", "row"]].drop_duplicates().shape[0])
