"""The official per-row scores of the VIEWS Prediction Challenge, 2018 to 2020, reproduced from its draws."""

import numpy as np
import pandas as pd
import pytest

from escalation import scores
from escalation.errors import ResampledDrawsWarning

FILES = {"boot_240": "boot", "conflictology": "conflictology", "last_historical_poisson": "last", "zero": "zero"}


@pytest.mark.parametrize("window", [2018, 2019, 2020])
@pytest.mark.parametrize("model", FILES)
def test_official_scores(shared_data, model, window):
    pytest.importorskip("pyarrow")
    folder = "data/views_challenge"
    official = pd.read_parquet(shared_data(f"{folder}/official_eval_2018-2020.parquet"))
    official = official[(official.model == model) & (official.window == window)].set_index(["month_id", "country_id"])
    table = pd.read_parquet(shared_data(f"{folder}/cm_{FILES[model]}_{window}.parquet"))["outcome"].sort_index()
    cells = table.index.droplevel("draw").unique()
    draws = table.to_numpy().reshape(len(cells), -1)
    y = pd.read_parquet(shared_data(f"{folder}/cm_actuals_{window}.parquet"))["outcome"].reindex(cells).to_numpy()
    official = official.reindex(cells)
    assert len(official) == 2292 and not official[["crps", "ign", "mis"]].isna().any(axis=None)

    if model == "conflictology":  # twelve draws
        with pytest.warns(ResampledDrawsWarning):
            surprise = scores.ignorance(draws, y, resample="fft")
    else:
        surprise = scores.ignorance(draws, y)
    np.testing.assert_allclose(surprise, official["ign"], rtol=1e-9, atol=0)
    np.testing.assert_allclose(scores.interval_score(draws, y, level=0.9), official["mis"], rtol=1e-9, atol=0)
    np.testing.assert_allclose(scores.crps(draws, y), official["crps"], rtol=1e-9, atol=0)
