"""The gate of the scores: what comes in as numbers goes on as arrays whose shapes belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError


def as_numbers(values: ArrayLike, name: str) -> FloatArray:
    """Turn numbers into a float64 array; missing ones (``<NA>``, None) become NaN.

    Raises
    ------
    InputError
        If they are no numbers, or one of them is infinite.
    """
    try:
        array = np.asarray(values)
        if array.dtype == object:
            array = _of_objects(values)
    except (TypeError, ValueError):
        raise InputError(f"{name} is no array of numbers; give one number for each place") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} is of type {array.dtype}; turn it into numbers first")
    numbers: FloatArray = array.astype(np.float64, copy=False)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise InputError(f"{name} is infinite{_where(infinite)}; give finite numbers, or NaN where there is none")
    return numbers


def as_counts(values: ArrayLike, name: str) -> FloatArray:
    """Turn counts into a float64 array, NaN where not observed.

    Raises
    ------
    InputError
        If one is negative or not whole.
    """
    counts = as_numbers(values, name)
    wrong = (counts < 0) | (counts != np.floor(counts)) & ~np.isnan(counts)
    if wrong.any():
        raise InputError(f"{name} is {counts[wrong][0]:g}{_where(wrong)}; give whole numbers >= 0, NaN for none")
    return counts


def as_probabilities(values: ArrayLike, name: str) -> FloatArray:
    """Turn probabilities into a float64 array.

    Raises
    ------
    InputError
        If one is outside 0 to 1.
    """
    probabilities = as_numbers(values, name)
    wrong = (probabilities < 0) | (probabilities > 1)
    if wrong.any():
        raise InputError(f"{name} is {probabilities[wrong][0]:g}{_where(wrong)}; a probability is from 0 to 1")
    return probabilities


def as_events(values: ArrayLike, name: str) -> FloatArray:
    """Turn what happened into 1.0, what did not into 0.0, and what was not observed into NaN.

    Raises
    ------
    InputError
        If a value is something else.
    """
    events = as_numbers(values, name)
    wrong = (events != 0) & (events != 1) & ~np.isnan(events)
    if wrong.any():
        raise InputError(f"{name} is {events[wrong][0]:g}{_where(wrong)}; an event is 1 or 0, NaN if not observed")
    return events


def as_scale(values: FloatArray, scale: str, name: str) -> FloatArray:
    """Put numbers on the scale that they are scored on, ``linear`` or ``log1p``.

    Raises
    ------
    InputError
        If there is no such scale, or a number on the log scale is negative.
    """
    if scale == "linear":
        return values
    if scale != "log1p":
        raise InputError(f"scale is {scale!r}; give 'linear' or 'log1p'")
    negative = values < 0
    if negative.any():
        raise InputError(f"{name} is {values[negative][0]:g}{_where(negative)}; only numbers >= 0 have a log1p scale")
    return np.log1p(values)


def as_rows(draws: ArrayLike, y: ArrayLike, scale: str = "linear") -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Lay draws (..., S) and observations (...) out as rows.

    Returns
    -------
    draws : (n, S) contiguous array
    y : (n,) array
    shape : tuple of int
        That of the scores, to which n values are put back.

    Raises
    ------
    InputError
        If there are no draws, or the shapes do not belong together.
    """
    table = as_scale(as_numbers(draws, "draws"), scale, "draws")
    observed = as_scale(as_numbers(y, "y"), scale, "y")
    if table.ndim == 0 or table.shape[-1] == 0:
        raise InputError(f"draws has the shape {table.shape}; the draws of a forecast go along the last axis")
    shape = table.shape[:-1]
    try:
        observed = np.broadcast_to(observed, shape)
    except ValueError:
        raise InputError(
            f"draws has the shape {table.shape} and y {observed.shape}; draws go along the last axis, y has the others"
        ) from None
    return np.ascontiguousarray(table.reshape(-1, table.shape[-1])), observed.reshape(-1), shape


def is_fair(estimator: str, size: int, score: str) -> bool:
    """Whether the estimator of a score of ``size`` draws is the fair one, and not that of the draws as they are.

    Raises
    ------
    InputError
        If there is no such estimator, or too few draws for it.
    """
    if estimator not in ("ensemble", "fair"):
        raise InputError(f"estimator is {estimator!r}; give 'ensemble' or 'fair'")
    if estimator == "fair" and size == 1:
        raise InputError(f"one draw has no fair {score}; give two or more, or take estimator='ensemble'")
    return estimator == "fair"


def as_one_shape(*arrays: FloatArray) -> tuple[list[FloatArray], tuple[int, ...]]:
    """Broadcast arrays against each other and flatten them; also give the shape that they had in common.

    Raises
    ------
    InputError
        If their shapes do not belong together.
    """
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise InputError(f"the shapes {shapes} do not belong together; give arrays of one shape") from None
    return [np.broadcast_to(array, shape).reshape(-1) for array in arrays], shape


def as_given(scores: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Put flat scores back into the shape that the forecasts came in; one score is a number."""
    given: FloatArray = scores.reshape(shape)[()]
    return given


def as_observed(probabilities: FloatArray, events: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Flatten forecast probabilities and events, without what was not observed.

    Raises
    ------
    InputError
        If nothing was observed, or something that was has no forecast: left out, it would flatter the forecasts.
    """
    (p, event), _ = as_one_shape(probabilities, events)
    seen = ~np.isnan(event)
    if not seen.any():
        raise InputError("no event was observed; give at least one that is 1 or 0")
    if np.isnan(p[seen]).any():
        raise InputError("an observed event has no forecast (NaN); forecast it, or make the event NaN as well")
    return p[seen], event[seen]


def _of_objects(values: Any) -> NDArray[Any]:
    """Floats out of objects; pandas alone knows how to turn its ``<NA>`` into NaN."""
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(values, dtype=np.float64)


def _where(wrong: NDArray[np.bool_]) -> str:
    """The first place of several, for a message."""
    place = ", ".join(str(int(i)) for i in np.argwhere(wrong)[0])
    return f" at [{place}]" if place else ""
