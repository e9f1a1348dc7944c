"""Residuals of a Hawkes fit: waiting times in the clock of the fitted rate are exponential if it is right."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.notebook import table_html
from escalation.models.hawkes.likelihood import compensators
from escalation.models.hawkes.paths import Parameters

DOUBTFUL = 0.05
"""A p-value below this is said to speak against the fit."""


@dataclass(frozen=True, eq=False)
class ResidualTest:
    """Time-rescaling test of a Hawkes fit.

    With the integral of the fitted rate for a clock, the events of each kind are a Poisson process of rate 1 if the fit
    is right (Papangelou 1972; Ogata 1988, doi:10.1080/01621459.1988.10478560).  As the parameters were fitted to the
    same events the p-values are somewhat too large.

    Attributes
    ----------
    kinds : pandas.DataFrame
        One row a kind: ``events``, ``mean`` of the rescaled waiting times (1 if all is well), the Kolmogorov-Smirnov
        ``statistic`` and its ``p_value``; means over the draws of the times.
    residuals : dict
        Rescaled waiting times of each kind, of the first draw of the times.
    """

    kinds: pd.DataFrame
    residuals: dict[str, FloatArray] = field(repr=False)

    def table(self) -> pd.DataFrame:
        """The test of each kind, as in ``kinds``."""
        return self.kinds

    def sentence(self) -> str:
        """Say whether the test speaks against the fit."""
        worst = self.kinds["p_value"].idxmin()
        p_value = float(self.kinds["p_value"].min())
        verdict = "speaks against the fit" if p_value < DOUBTFUL else "does not speak against the fit"
        return f"The time-rescaling test {verdict} (smallest p-value {p_value:.2g}, {worst})."

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.kinds.round(4))


def residual_test(drawn: Sequence[tuple[FloatArray, IntArray, Parameters]], names: tuple[str, ...]) -> ResidualTest:
    """Rescale the times of each draw by its own fit, and test them kind by kind."""
    from scipy.stats import kstest

    rows = np.zeros((len(names), 4))
    first: dict[str, FloatArray] = {}
    for times, marks, parameters in drawn:
        for target, name in enumerate(names):
            passed = compensators(
                times,
                marks,
                target,
                float(parameters.background[0, target]),
                np.ascontiguousarray(parameters.branching[0, target]),
                float(parameters.decay[0, target]),
            )
            waits = np.diff(passed, prepend=0.0)
            first.setdefault(name, waits)
            found = kstest(waits, "expon")
            rows[target] += np.array([len(waits), waits.mean(), found.statistic, found.pvalue]) / len(drawn)
    table = pd.DataFrame(rows, index=pd.Index(names, name="kind"), columns=["events", "mean", "statistic", "p_value"])
    return ResidualTest(table.astype({"events": int}), first)
