"""Calls of the methods of models: what one of another package raises names it, and what it gives is looked at."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.randomness import Seed, as_generator
from escalation.errors import EscalationError, FitError
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, FitResult, Specification

LARGEST = 2**62
"""Counts above this have no room in 64 bits once they are summed."""


def is_outside(model: Specification) -> bool:
    """Whether a model is not one of this package's own."""
    return _top(model) != __name__.partition(".")[0]


def identity_of(model: Specification) -> str:
    """What a model computes, as far as can be seen: its options, and of another package version and code."""
    if not is_outside(model):
        return repr(model)
    code = _source(inspect.getmodule(type(model))) or _source(type(model))
    of = _package(model)
    try:
        known = version(of)
    except PackageNotFoundError:
        known = ""
    return f"{model!r} of {of} {known} {hashlib.sha256(code.encode()).hexdigest()[:16]}"


def call_outside(model: Specification, method: str, *arguments: object) -> Any:
    """Call a method of a model; whatever one of another package raises becomes an error that names it.

    Raises
    ------
    FitError
        If a model of another package raises anything but an error of ours.
    """
    if not is_outside(model):
        return getattr(model, method)(*arguments)
    try:
        return getattr(model, method)(*arguments)
    except EscalationError as error:
        if model.name in str(error):
            raise
        raise type(error)(f"{_named(model)}: {error}") from error
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise FitError(f"{_named(model)} failed in {method} ({said}); {_remedy(model)}") from error


def check_estimates(model: Specification, estimates: tuple[Estimate, ...], array: FloatArray) -> tuple[Estimate, ...]:
    """Refuse what a model of another package gives in place of estimates of counts (histories, n, ...).

    Raises
    ------
    FitError
        If something is no estimate, or its parts have other shapes than the contract says.
    """
    if not is_outside(model):
        return estimates
    for one in estimates:
        if not isinstance(one, Estimate):
            raise _broken(model, "estimate", f"gave a {type(one).__name__} and no Estimate")
        p = len(one.names)
        for words, values, shape in (
            ("params", one.params, (p,)),
            ("cov", one.cov, (p, p)),
            ("fitted", one.fitted, array.shape[1:]),
        ):
            if np.shape(values) != shape:
                raise _broken(model, "estimate", f"gave {words} of the shape {np.shape(values)} in place of {shape}")
        if not np.isfinite(np.asarray(one.fitted, dtype=float)).all():
            raise _broken(model, "estimate", "gave fitted means that are not finite")
    return estimates


def draw_counts(model: Specification, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
    """Paths (..., draws, steps) of a model; those of another package only if they are counts.

    Raises
    ------
    FitError
        If paths of another package have another shape, or are no whole numbers from 0 on.
    """
    paths = call_outside(model, "simulate", estimate, design, draws, rng)
    if not is_outside(model):
        own: IntArray = paths
        return own
    units = (len(design.units),) if design.units else ()
    wanted = (*units, draws, len(design.periods))
    values = np.asarray(paths) if isinstance(paths, np.ndarray) else np.empty(0, dtype=object)
    if values.dtype.kind not in "iuf":
        raise _broken(model, "simulate", f"gave {type(paths).__name__} and no array of numbers")
    if values.shape != wanted:
        raise _broken(model, "simulate", f"gave paths of the shape {values.shape} in place of {wanted}")
    wrong = ~((values >= 0) & (values < LARGEST) & (values == np.floor(values)))
    if wrong.any():
        raise _broken(model, "simulate", f"drew {values[wrong][0]:g}, which is no count")
    return values.astype(np.int64, copy=False)


def simulate_paths(fit: FitResult, design: Design, draws: int, rng: Seed) -> tuple[IntArray, IntArray]:
    """Paths (..., draws, steps), shared out evenly over the histories, and the history of each (draws,)."""
    m = len(fit.estimates)
    component = np.arange(draws) * m // draws
    generators = as_generator(rng).spawn(m)
    parts = [
        draw_counts(fit.model, fit.estimates[j], design, int((component == j).sum()), generators[j])
        for j in np.unique(component)
    ]
    return np.concatenate(parts, axis=-2).astype(np.int64, copy=False), component


def _broken(model: Specification, method: str, what: str) -> FitError:
    return FitError(f"{_named(model)} breaks the contract: it {what} in {method}; {_remedy(model)}")


def _remedy(model: Specification) -> str:
    return f"use another model, or have its author run escalation.models.check_model({type(model).__name__}())"


def _named(model: Specification) -> str:
    return f"the model {model.name!r} of the package {_package(model)}"


def _package(model: Specification) -> str:
    """Name under which the package of a model is installed; that of its module if it is none."""
    return ", ".join(sorted(set(packages_distributions().get(_top(model), [_top(model)]))))


def _source(of: object) -> str:
    try:
        return inspect.getsource(of)  # type: ignore[arg-type]  # a module, a class, or None for what has none
    except (OSError, TypeError):  # made where there is no file
        return ""


def _top(model: Specification) -> str:
    return type(model).__module__.partition(".")[0]
