"""What the cells of incidents say: rounded deaths, wide windows, blanks, the same row twice, lost rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from escalation.assessment.quality.finding import SURE, Finding, several
from escalation.files.ledger import rows_lost
from escalation.incidents.duplicates import repeats_in

ROUNDED = 1.5
LARGEST_ROUNDED = 1_000
PART = 0.05
"""Share of the rows from which a remark is made."""
MANY_BLANK = 0.2
WIDE_DAYS = 7
PLACES = ("actor", "event_type", "country", "admin1", "place")
FEW, TOO_FEW = 50, 10


def find_few(table: pd.DataFrame) -> Iterator[Finding]:
    """Too little to learn from."""
    days = int((table["date_end"].max() - table["date"].min()).days) + 1
    if len(table) >= FEW and days >= 70:
        return
    yield Finding(
        "few",
        f"the table holds {several(len(table), 'incident')} in {several(days, 'day')}",
        "little can be learnt from so few: forecasts will be wide, and changes hard to detect",
        grave=len(table) < TOO_FEW,
    )


def find_lost(table: pd.DataFrame, ledger: pd.DataFrame | None) -> Iterator[Finding]:
    """Rows that the reader could not use."""
    lost = 0 if ledger is None else rows_lost(ledger)
    share = lost / (lost + len(table))
    if share < PART:
        return
    yield Finding(
        "rows",
        f"{lost:,} of {lost + len(table):,} rows {'was' if lost == 1 else 'were'} dropped or merged ({share:.0%})",
        "read in the ledger why",
        grave=share >= MANY_BLANK,
    )


def find_repeated(table: pd.DataFrame) -> Iterator[Finding]:
    """Rows that repeat one before them in every column of their file."""
    if again := len(repeats_in(table)):
        yield Finding(
            "duplicates",
            f"{several(again, 'row')} {'repeats' if again == 1 else 'repeat'} another in every column, place and all",
            "if they are one incident each, merge them: escalation deduplicate, or deduplicate(incidents)",
        )


def find_rounded(table: pd.DataFrame) -> Iterator[Finding]:
    """Deaths in round numbers: multiples of 5 against the five numbers around each."""
    from scipy.stats import binom

    deaths = table["fatalities"].dropna().to_numpy(dtype=np.int64)
    number = np.bincount(deaths[(deaths >= 13) & (deaths < LARGEST_ROUNDED + 3)], minlength=LARGEST_ROUNDED + 3)
    tens = np.arange(15, LARGEST_ROUNDED, 5)
    got, around = int(number[tens].sum()), int(sum(number[tens + step].sum() for step in range(-2, 3)))
    if around < 20 or got < ROUNDED * around / 5 or binom.sf(got - 1, around, 0.2) > SURE:
        return
    yield Finding(
        "fatalities",
        f"{got / around:.0%} of the deaths from 13 on are multiples of 5 (20% expected)",
        "figures are rounded estimates: use fatalities_low and fatalities_high where there are any",
    )


def find_vague(table: pd.DataFrame) -> Iterator[Finding]:
    """Wide windows, unknown deaths and blank names."""
    wide = float(((table["date_end"] - table["date"]).dt.days >= WIDE_DAYS).mean())
    if wide >= PART:
        yield Finding(
            "dates",
            f"{wide:.0%} of the incidents are dated to a window of more than {WIDE_DAYS} days",
            "count by month, or as histories: aggregate(..., draws=200)",
        )
    unknown = float(table["fatalities"].isna().mean())
    if PART <= unknown < 1:
        yield Finding(
            "fatalities",
            f"{unknown:.0%} of the incidents have no known number of deaths",
            "sums of deaths are <NA> there: count incidents, or fill the column",
        )
    for column in PLACES:
        blank = float((table[column] == "").mean())
        if MANY_BLANK <= blank < 1:
            yield Finding(
                "blanks", f"{blank:.0%} of the incidents have no {column}", f"counts by {column} leave these out"
            )
