"""A forecast: joint sample paths on the periods after the last observed one."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.errors import InputError
from escalation.periods import period_word


@dataclass(frozen=True, eq=False)
class Forecast:
    """Joint draws of the next counts of one series.

    Attributes
    ----------
    paths : (draws, steps) int64 array
        One row is one possible future; columns are the steps 1, 2, … after the last observed period.
    periods : pandas.PeriodIndex
        The periods of the steps.
    observed : (draws, n) float array
        What had been observed until the origin, aligned with ``paths`` row by row (the rows differ
        when the fit was to histories); NaN where a period was not observed.
    model : str
        What made it.
    unit : str
        What is counted, for axes and sentences.
    component : (draws,) int64 array
        Which history each path continues; all 0 for exact counts.
    """

    paths: NDArray[np.int64]
    periods: pd.PeriodIndex
    observed: NDArray[np.float64]
    model: str
    unit: str = "incidents"
    component: NDArray[np.int64] | None = None

    @property
    def draws(self) -> int:
        """Number of paths."""
        return int(self.paths.shape[0])

    @property
    def steps(self) -> int:
        """Number of periods ahead."""
        return int(self.paths.shape[1])

    @property
    def origin(self) -> pd.Period:
        """The last period that may have been observed."""
        return self.periods[0] - 1

    def mean(self) -> pd.Series:
        """Mean of the paths at each step, float."""
        return pd.Series(self.paths.mean(axis=0), index=self.periods, name="mean")

    def quantile(self, q: float) -> pd.Series:
        """Quantile of the count at each step: the smallest count whose probability of not being passed is ``q``.

        Parameters
        ----------
        q : float
            Between 0 and 1.

        Raises
        ------
        InputError
            If ``q`` is outside 0 to 1.
        """
        if not 0.0 <= q <= 1.0:
            raise InputError(f"q is {q!r}; a quantile level lies between 0 and 1")
        values = np.quantile(self.paths, q, axis=0, method="inverted_cdf")
        return pd.Series(values.astype(np.int64), index=self.periods, name=f"q{q:g}")

    def summary_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Mean, median and central prediction interval of the count at each step.

        Parameters
        ----------
        level : float
            Probability of the interval, between 0 and 1 (exclusive).

        Returns
        -------
        pandas.DataFrame
            Columns ``mean``, ``median``, ``obs_pi_lower``, ``obs_pi_upper``; one row a period.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise InputError(f"level is {level!r}; give a probability between 0 and 1, such as 0.9")
        return pd.DataFrame(
            {
                "mean": self.mean(),
                "median": self.quantile(0.5),
                "obs_pi_lower": self.quantile((1 - level) / 2),
                "obs_pi_upper": self.quantile((1 + level) / 2),
            }
        )

    def _repr_html_(self) -> str:
        head = (
            f"<b>Forecast</b> of {html.escape(self.unit)} per {period_word(self.periods.freqstr)} "
            f"after {html.escape(str(self.origin))} by {html.escape(self.model)}, {self.draws:,} paths; 90% intervals"
        )
        return head + self.summary_frame().round(1).to_html()
