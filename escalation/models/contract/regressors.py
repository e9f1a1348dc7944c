"""Which regressors a model takes whose parameters have names of their own."""

from __future__ import annotations

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.models.contract.design import Design


def check_regressors(name: str, counts: FloatArray, design: Design, taken: tuple[str, ...]) -> None:
    """Refuse regressors whose effect cannot be known, or whose name is that of another parameter.

    Parameters
    ----------
    name : str
        Of the model.
    counts : (n,) float array
        NaN where not observed.
    design : Design
        The same n periods.
    taken : tuple of str
        Names of the other parameters.

    Raises
    ------
    InputError
        If a regressor is the same in all observed periods, or has such a name, or that of another one.
    """
    names = design.exog_names
    for place, one in enumerate(names):
        if one in taken or one in names[:place]:
            raise InputError(f"{name} has two parameters called {one!r}; rename the regressor")
        column = design.exog[~np.isnan(counts), place]
        if np.ptp(column) == 0:
            raise InputError(f"{name} cannot know the effect of {one!r}, which is always {column[0]:g}; leave it out")
