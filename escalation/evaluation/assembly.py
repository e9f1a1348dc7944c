"""Finished parts of a backtest, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from escalation.evaluation.result import Backtest
from escalation.evaluation.tasks import Part


def assemble(parts: Mapping[str, Part], models: Sequence[str], index: pd.PeriodIndex, leads: Sequence[int]) -> Backtest:
    """Put finished parts into one table, in an order of their own and not in that in which they were finished."""
    place = {str(period): at for at, period in enumerate(index)}
    ranked = sorted(parts.values(), key=lambda part: (models.index(part.label), place[part.origin], part.block))
    once = [part for part in ranked if (part.label, part.origin) == (ranked[0].label, ranked[0].origin)]
    units = [unit for part in once for unit in part.units]
    tables, failures = [], []
    for part in ranked:
        origin = index[place[part.origin]]
        shape = part.scores["observed"].shape
        at_unit, at_history, at_step = (axis.ravel() for axis in np.indices(shape))
        steps = np.asarray(leads)[at_step]
        origins = index[np.full(len(steps), place[part.origin])]
        table = {
            "model": pd.Categorical([part.label] * len(steps), categories=list(models)),
            "unit": pd.Categorical(np.asarray(part.units, dtype=object)[at_unit], categories=units),
            "origin": origins,
            "step": steps,
            "period": origins + steps,
            "history": at_history,
        }
        tables.append(pd.DataFrame(table | {name: values.ravel() for name, values in part.scores.items()}))
        failures += [(part.label, unit, origin, error) for unit, error in part.failures.items()]
    scores = pd.concat(tables, ignore_index=True)
    return Backtest(scores, pd.DataFrame(failures, columns=["model", "unit", "origin", "error"]))
