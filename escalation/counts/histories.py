"""Which of many histories stand for all, where a few do."""

from __future__ import annotations

import numpy as np

from escalation.conventions.arrays import IntArray
from escalation.errors import InputError

POOLED = 25
"""Histories that are pooled by default; Rubin's rules lose little beyond some twenty."""


def spread_over(draws: int, number: int) -> IntArray:
    """Places of up to ``number`` histories, evenly spread over all ``draws``."""
    if draws <= number:
        return np.arange(draws)
    return np.unique(np.linspace(0, draws - 1, number).round().astype(np.int64))


def as_many(draws: int, estimates: int) -> IntArray:
    """Places of as many histories as there are estimates, evenly spread over all ``draws``.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if draws < estimates:
        raise InputError(f"{draws} histories are fewer than the {estimates} that were pooled; give as many or more")
    return spread_over(draws, estimates)
