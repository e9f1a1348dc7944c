"""Fits to the units of a panel that lean on one another: what all of them say is the prior of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

from escalation.conventions.progress import Progress
from escalation.errors import FitError, InputError
from escalation.models.contract.base import CountFit, CountModel
from escalation.models.contract.blocks import Block, run_blocks
from escalation.models.contract.shrinkage import Shrinkable

Evidence = Mapping[str, Sequence[Any]]
"""By unit what its counts say, one for each history."""
AnyFit = TypeVar("AnyFit", bound=CountFit)
FEWEST = 2
"""Units of a panel whose fits can lean on one another."""


def check_shrinkable(model: CountModel) -> None:
    """Refuse models that have nothing to learn from other units.

    Raises
    ------
    InputError
        If it is not one of those.
    """
    if not isinstance(model, Shrinkable):
        raise InputError(
            f"{model.name} has no parameters that are shrunk towards a panel's; leave shrink out, or use "
            "changing_rate, local_level, local_trend, ingarch, negative_binomial or poisson"
        )


def shrunk_fit(fit: AnyFit, prior: Any) -> AnyFit:
    """Fit anew to the same counts with the prior of a panel."""
    model = fit.model
    assert isinstance(model, Shrinkable)
    estimates = tuple(
        model.shrunk(estimate, counts, fit.design, prior)
        for estimate, counts in zip(fit.estimates, fit.array, strict=True)
    )
    return replace(fit, estimates=estimates)


def evidence_of(fits: Iterable[tuple[str, CountFit | str]]) -> Evidence:
    """What the counts of each unit that could be fitted say."""
    found = {}
    for name, fit in fits:
        if isinstance(fit, str):
            continue
        try:
            assert isinstance(fit.model, Shrinkable)
            found[name] = [fit.model.evidence(estimate) for estimate in fit.estimates]
        except Exception:
            continue
    return found


def learn_prior(
    model: CountModel,
    work: Callable[[Block], Evidence],
    blocks: Sequence[Block],
    executor: Executor | None,
    progress: Progress,
) -> Any:
    """Learn the prior of a panel.

    Parameters
    ----------
    model : CountModel
        That is :class:`Shrinkable`.
    work : callable
        Gives the evidence of the units of a block.
    blocks : sequence
        What ``work`` takes.
    executor, progress
        As in :func:`~escalation.models.contract.many_fits.fit_many`.

    Raises
    ------
    FitError
        If fewer than two units could be fitted.
    """
    check_shrinkable(model)
    assert isinstance(model, Shrinkable)
    parts = run_blocks(work, blocks, executor, progress)
    found = {name: value for part in parts for name, value in part.items()}
    if len(found) < FEWEST:
        raise FitError(
            f"{len(found)} of the series could be fitted by {model.name}; shrink needs {FEWEST} or more that can"
        )
    return model.learn([found[name] for name in sorted(found)])  # sums do not depend on the order of columns
