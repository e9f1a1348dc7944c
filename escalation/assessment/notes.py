"""What the reader of counts should know of the table behind them: its quality, its gaps, its running totals."""

from __future__ import annotations

import warnings

import pandas as pd

from escalation.assessment.quality.check import DataQuality
from escalation.errors import InputError, PartialPeriodWarning
from escalation.incidents.observed import gaps_sentence
from escalation.tallies.printed import reconstruction_notes, undecided
from escalation.tallies.reconstruct import Reconstruction
from escalation.tallies.running import totals_notes

MOST_TOTALS = 3
"""Faults of running totals that are named one by one."""


def quality_notes(quality: DataQuality | None) -> list[str]:
    """The verdict on the table, where there is something to say, and what is grave."""
    if quality is None or quality.findings.empty:
        return []
    return [quality.sentence(), *quality.sentences()[: int(quality.findings["grave"].sum())]]


def table_notes(table: pd.DataFrame) -> list[str]:
    """What the reader of a table of incidents found: faults of running totals, and whose days times are of."""
    said = [one for each in table.attrs.get("totals", {}).values() for one in each]
    notes = [f"running total adjusted: {one}" for one in said[:MOST_TOTALS]]
    if len(said) > MOST_TOTALS:
        notes.append(f"{len(said) - MOST_TOTALS} more faults of running totals are adjusted; the ledger lists the rows")
    return [*notes, *table.attrs.get("zones", [])]


def gap_notes(gaps: pd.DataFrame | None, last: pd.Timestamp) -> list[str]:
    """Which days are taken as not observed."""
    said = "" if gaps is None else gaps_sentence(gaps, last)
    return [said] if said else []


def tally_notes(reconstruction: Reconstruction) -> list[str]:
    """What a reconstruction and the running totals behind it have to say."""
    used = reconstruction.tallies[reconstruction.tallies["used"]]
    ratios = reconstruction.ratios
    differing = [] if ratios is None else ratios.conflicts()
    return [*reconstruction_notes(reconstruction), *differing, *totals_notes(used)]


def check_decided(reconstruction: Reconstruction | None) -> None:
    """Refuse counts of tallies that all contradict each other: they lie between them, where nobody has counted.

    Raises
    ------
    InputError
        If nothing says which of them is right.
    """
    if reconstruction is not None and (why := undecided(reconstruction)):
        raise InputError(f"nothing is known of {reconstruction.series}: {why}")


def warning_note(warning: warnings.WarningMessage) -> str:
    """What a warning says; of partial periods, whose exposure is at hand, without what to do."""
    text = str(warning.message)
    if issubclass(warning.category, PartialPeriodWarning):
        return text.partition("; pass exposure=")[0] + "; rates and fits allow for it"
    return text
