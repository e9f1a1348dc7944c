"""Simulation of Hawkes processes by their clusters: many windows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import FitError

MOST_EVENTS = 50_000_000
"""Events of all simulated windows together."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """Parameters of several Hawkes processes of the same kinds of events.

    Attributes
    ----------
    background : (draws, kinds) float array
        Events a day that nothing caused.
    branching : (draws, kinds, kinds) float array
        Expected direct offspring, by target and source.
    decay : (draws, kinds) float array
        Of the excitation of each target, a day.
    """

    background: FloatArray
    branching: FloatArray
    decay: FloatArray

    def ratio(self) -> FloatArray:
        """Spectral radius of the branching matrices (draws,)."""
        radius: FloatArray = np.abs(np.linalg.eigvals(self.branching)).max(axis=-1)
        return radius


def draw_events(
    parameters: Parameters, days: float, rng: Generator, excess: FloatArray | None = None
) -> tuple[IntArray, FloatArray, IntArray]:
    """Simulate windows exactly, generation by generation (Hawkes & Oakes 1974, doi:10.2307/3212693).

    Parameters
    ----------
    parameters : Parameters
        One process a draw.
    days : float
        Length of the windows.
    rng : Generator
        Source of randomness.
    excess : (draws, kinds) float array, optional
        Expected direct offspring of events before the window that are still to come; they come at exponential times,
        because the exponential kernel has no memory.

    Returns
    -------
    tuple
        Draw, time and kind of each event, in no order.

    Raises
    ------
    FitError
        If there are more events than memory holds.
    """
    draws, kinds = parameters.background.shape
    first = rng.poisson(parameters.background * days)
    late = np.zeros_like(first) if excess is None else rng.poisson(excess)
    _check_number(int(first.sum() + late.sum()))
    grid = np.arange(draws * kinds)
    cell = np.concatenate([np.repeat(grid, first.ravel()), np.repeat(grid, late.ravel())])
    draw, mark = np.divmod(cell, kinds)
    number = int(first.sum())
    time = np.empty(len(cell))
    time[:number] = rng.random(number) * days
    time[number:] = rng.standard_exponential(len(cell) - number) / parameters.decay[draw[number:], mark[number:]]
    generation = _within(draw, time, mark, days)
    found, total = [generation], len(generation[0])
    while len(generation[0]):
        draw, time, mark = generation
        parts = []
        for target in range(kinds):
            offspring = rng.poisson(parameters.branching[draw, target, mark])
            parent = np.repeat(np.arange(len(draw)), offspring)
            total += len(parent)
            _check_number(total)
            wait = rng.standard_exponential(len(parent)) / parameters.decay[draw[parent], target]
            parts.append(_within(draw[parent], time[parent] + wait, np.full(len(parent), target), days))
        generation = _joined(parts)
        found.append(generation)
    return _joined(found)


def _within(draw: IntArray, time: FloatArray, mark: IntArray, days: float) -> tuple[IntArray, FloatArray, IntArray]:
    inside = time < days
    return draw[inside], time[inside], mark[inside]


def _joined(parts: list[tuple[IntArray, FloatArray, IntArray]]) -> tuple[IntArray, FloatArray, IntArray]:
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _check_number(number: int) -> None:
    if number > MOST_EVENTS:
        raise FitError(
            f"more than {MOST_EVENTS:,} events would have to be simulated: events set off more than one event each, "
            f"or the window is too long; shorten it or refit"
        )


def outstanding(times: FloatArray, marks: IntArray, days: float, parameters: Parameters) -> FloatArray:
    """Expected direct offspring after the end of the window of the events in it (draws, kinds)."""
    draws, kinds = parameters.background.shape
    since = days - times
    excess = np.zeros((draws, kinds))
    for i in range(draws):
        for target in range(kinds):
            decay = parameters.decay[i, target]
            recent = np.searchsorted(-since, -40.0 / decay)  # what is left of older events is below 1e-17
            weight = np.exp(-decay * since[recent:])
            left = np.bincount(marks[recent:], weight, kinds)
            excess[i, target] = parameters.branching[i, target] @ left
    return excess
