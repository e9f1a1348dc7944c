"""Regressors of a pool: the members that take them have them, the others forecast without."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escalation.errors import InputError
from escalation.models import Climatology, Ensemble, NegativeBinomial


def test_regressors_go_to_the_members_that_take_them() -> None:
    weeks = pd.period_range("2022-01-03", periods=120, freq="W-SUN")
    whole = pd.period_range(weeks[0], periods=124, freq="W-SUN")
    x = pd.DataFrame({"x": np.tile([1.0, 0.0, 0.0, 0.0], 31)}, index=whole)
    counts = pd.Series(np.random.default_rng(1).poisson(3 + 12 * x["x"].iloc[:120]), index=weeks)
    for weights in ("equal", "log"):
        pool = Ensemble(models=(Climatology(), NegativeBinomial()), weights=weights)
        paths = pool.fit(counts, exog=x.iloc[:120]).forecast(4, exog=x.iloc[120:], draws=2000, rng=1).series_paths
        assert paths[:, 0].mean() > 1.4 * paths[:, 1].mean()
    with pytest.raises(InputError, match="no member of the ensemble takes regressors"):
        Ensemble(models=(Climatology(12), Climatology(None))).fit(counts, exog=x.iloc[:120])
