"""Run length of a CUSUM: how long until it first raises an alarm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.stats import nbinom, poisson

from escalation.analysis.alarms.detector import check_number, check_steps
from escalation.conventions.arrays import FloatArray
from escalation.conventions.wording import measures
from escalation.errors import InputError

LEAST_LEAVING = 1e-10
"""Probabilities of an alarm below this cannot be distinguished from rounding errors."""


@dataclass(frozen=True)
class RunLength:
    """How long a CUSUM runs until its first alarm.

    Attributes
    ----------
    mean : float
        Average run length in periods.
    median : int
        Smallest number of periods within which an alarm has at least probability one half.
    """

    mean: float
    median: int

    def table(self) -> pd.DataFrame:
        """Both, indexed by ``measure``: ``value`` and ``unit``."""
        rows = {"mean run length": self.mean, "median run length": self.median}
        return measures((name, (float(value),), "periods") for name, value in rows.items())

    def sentence(self) -> str:
        """Say it in plain words."""
        return (
            f"The first alarm comes after {self.mean:.4g} periods on average, in half of all cases by {self.median:,}."
        )


def cusum_run_length(
    mean: float,
    dispersion: float = 0.0,
    *,
    reference: float = 1.04,
    limit: float = 2.26,
    true_mean: float | None = None,
    states: int = 500,
) -> RunLength:
    """Run length of a standardised CUSUM of independent counts, by a Markov chain.

    Parameters
    ----------
    mean, dispersion : float
        What the counts are standardised with: expected count, > 0, and ``alpha >= 0`` in ``Var = m + alpha m**2``.
    reference, limit : float
        As in :class:`~escalation.analysis.CUSUM`.
    true_mean : float, optional
        Mean that the counts have in truth (with the same dispersion), for the delay of an alarm; ``mean`` when left
        out, which gives the run length to a false alarm.
    states : int
        Values between 0 and ``limit`` that the chain may distinguish.

    Returns
    -------
    RunLength

    Raises
    ------
    InputError
        If a number is out of its range.

    Notes
    -----
    The chain of Brook & Evans (1972, doi:10.1093/biomet/59.3.539).  In counts the sum moves by ``y - c`` with ``c = m +
    reference * sd``; with ``c`` taken as the nearest fraction whose denominator the number of states allows, it stays
    on a lattice, on which the chain is exact (Hawkins & Olwell 1998, doi:10.1007/978-1-4612-1686-5).

    Examples
    --------
    >>> run = cusum_run_length(4.0, reference=0.5, limit=4.0)
    >>> round(run.mean), run.median
    (172, 120)
    """
    check_number(mean, "mean", 0.0, 1e6)
    check_number(dispersion, "dispersion", -1e-300, 1e3)
    check_number(reference, "reference", -1e-300, 1e3)
    check_number(limit, "limit", 0.0, 1e4)
    check_steps(states, "states", 10, 5000)
    truth = mean if true_mean is None else true_mean
    check_number(truth, "true_mean", 0.0, 1e6)
    matrix = _chain(mean, dispersion, reference, limit, truth, states)
    # expected periods from each state on until the limit is passed
    leaves = 1.0 - matrix.sum(axis=1)
    if leaves.max() < LEAST_LEAVING:
        raise InputError(f"limit is {limit:g}, which counts with mean {truth:g} practically never reach; lower it")
    lengths = np.linalg.solve(np.eye(len(matrix)) - matrix, np.ones(len(matrix)))
    if not 0.0 < lengths[0] < 1.0 / LEAST_LEAVING:
        raise InputError(f"limit is {limit:g}, reached less than once in 1e10 periods; lower it")
    return RunLength(float(lengths[0]), _median(matrix))


def _chain(mean: float, dispersion: float, reference: float, limit: float, truth: float, states: int) -> FloatArray:
    """Probability of going from each state below the limit to each other (k, k), in steps of one over a denominator."""
    sd = math.sqrt(mean + dispersion * mean**2)
    height = limit * sd
    less = Fraction(mean + reference * sd).limit_denominator(max(int(states / height), 1))
    q = less.denominator
    number = math.ceil(height * q * (1.0 - 1e-12))
    pmf = _pmf(math.ceil(height + less) + 1, truth, dispersion)
    after = np.maximum(np.arange(number)[:, None] + np.arange(len(pmf)) * q - less.numerator, 0)
    stays = after < number
    matrix = np.zeros((number, number))
    rows = np.broadcast_to(np.arange(number)[:, None], after.shape)
    np.add.at(matrix, (rows[stays], after[stays]), np.broadcast_to(pmf, after.shape)[stays])
    return matrix


def _pmf(most: int, mean: float, dispersion: float) -> FloatArray:
    """Probabilities of the counts 0 to ``most``."""
    values = np.arange(most + 1)
    if dispersion == 0.0:
        return np.asarray(poisson.pmf(values, mean), dtype=float)
    return np.asarray(nbinom.pmf(values, 1.0 / dispersion, 1.0 / (1.0 + dispersion * mean)), dtype=float)


def _median(matrix: FloatArray) -> int:
    """Number of steps after which the chain from state 0 has been left with probability one half."""
    powers = [matrix]
    while powers[-1][0].sum() > 0.5 and len(powers) < 60:
        powers.append(powers[-1] @ powers[-1])
    row, steps = np.eye(1, len(matrix))[0], 0
    for power in range(len(powers) - 1, -1, -1):
        ahead = row @ powers[power]
        if ahead.sum() > 0.5:
            row, steps = ahead, steps + 2**power
    return steps + 1
