"""What benchmarks/flashpoint_calibration.py measures, in short: simulated worlds, their probabilities and medians."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def calibration(benchmark):
    return benchmark("flashpoint_calibration")


def made_up(rng, *, true, said, series=400):
    """First passages at a constant chance ``true`` a step, forecast with ``said``."""
    steps = np.arange(1, 13)
    came = (rng.random((series, 12)) < true).cumsum(axis=1) > 0
    rows = np.arange(series)
    return pd.DataFrame(
        {
            "series": np.repeat(rows, 12),
            "origin": "2024",
            "definition": "made up",
            "step": np.tile(steps, series),
            "probability": np.tile(1 - (1 - said) ** steps, series),
            "came": came.astype(float).ravel(),
        }
    )


def test_medians_of_a_known_law_are_unbiased_and_others_are_found_out(calibration):
    right = calibration.medians(made_up(np.random.default_rng(1), true=0.15, said=0.15))
    assert abs(right["before"] - 0.5) < 3 * right["before_se"]
    assert abs(right["sooner"]) < 3 * right["sooner_se"]
    # the error of a share of 400, a little less as the step of the median is split
    assert 0.015 < right["before_se"] < 0.026
    wrong = calibration.medians(made_up(np.random.default_rng(1), true=0.15, said=0.3))
    assert wrong["before"] < 0.5 - 3 * wrong["before_se"]
    assert wrong["sooner"] < -3 * wrong["sooner_se"]


def test_bins_have_the_errors_of_series_and_not_of_cases(calibration):
    rng = np.random.default_rng(2)
    came = np.repeat(rng.random(500) < 0.45, 8).astype(float)  # all cases of a series alike
    table = pd.DataFrame({"series": np.repeat(np.arange(500), 8), "probability": 0.45, "came": came})
    [row] = calibration.reliability(table).to_dict("records")
    assert row["cases"] == 4000
    assert row["clustered_se"] == pytest.approx(np.sqrt(0.45 * 0.55 / 500), rel=0.15)
    assert row["binomial_se"] == pytest.approx(np.sqrt(0.45 * 0.55 / 4000))


@pytest.mark.nightly
def test_probabilities_and_medians_on_simulated_worlds(calibration):
    """A bin may miss 0.03 by three of its clustered errors, as one in 700 does whose true miss is 0.03."""
    first = calibration.simulate(100, 2026)  # the first 100 of the 1,000 that the benchmark runs
    table = calibration.cases(calibration.run(first, draws=500))["pool"]
    for horizon in calibration.HORIZONS:
        bins = calibration.reliability(table[table["step"] == horizon])
        bins = bins[bins["cases"] >= calibration.FEWEST]
        assert len(bins) == 10
        assert (bins["difference"].abs() <= calibration.WITHIN + 3 * bins["clustered_se"]).all()
    passages = calibration.medians(table)
    assert abs(passages["before"] - 0.5) <= 3 * passages["before_se"]
