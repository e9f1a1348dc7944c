"""Fits and backtests on a dask.distributed cluster that loses a worker on the way: the numbers of a run at home."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from escalation import Climatology, NegativeBinomial, backtest
from escalation.models import LastValue, fit_many

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install distributed")

pytestmark = [
    pytest.mark.slow,
    # what dask's own servers leave open when a worker is killed, and say of it
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning",
        "ignore::DeprecationWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
        "ignore::UserWarning:distributed",
    ),
]


@dataclass(frozen=True)
class Slow(Climatology):
    """Takes its time, so that a worker can be killed at work."""

    name: ClassVar[str] = "slow"

    def estimate(self, counts, design):
        time.sleep(0.1)
        return super().estimate(counts, design)


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as local, distributed.Client(local) as client:
        yield client


def panel(units=32, n=48):
    values = np.random.default_rng(8).negative_binomial(3, 0.4, (n, units)).astype(float)
    weeks = pd.period_range("2023-01-02", periods=n, freq="W-SUN", name="period")
    return pd.DataFrame(values, index=weeks, columns=[f"district {k}" for k in range(units)])


class Killer:
    """A ``progress`` that kills a worker as soon as something is done."""

    def __init__(self, client):
        self.victim = min(client.run(os.getpid).values())
        self.told = []

    def __call__(self, done, total):
        if not self.told:
            os.kill(self.victim, signal.SIGKILL)
        self.told.append((done, total))


def test_fits_and_forecasts_survive_the_loss_of_a_worker(cluster):
    counts = panel()
    killer = Killer(cluster)
    there = fit_many(Slow(), counts, executor=cluster.get_executor(), progress=killer)
    here = fit_many(Slow(), counts)
    assert killer.told[0][0] < killer.told[0][1] == 32  # killed on the way
    assert killer.told[-1] == (32, 32)
    assert killer.victim not in cluster.run(os.getpid).values()
    assert list(there.fits) == list(counts.columns)
    assert there.failures.empty
    one = here.forecast(3, draws=100, rng=1)
    two = there.forecast(3, draws=100, executor=cluster.get_executor(), rng=1)
    np.testing.assert_array_equal(one.paths, two.paths)


def test_estimates_by_maximum_likelihood_are_the_same_there(cluster):
    counts = panel(units=4)
    there = fit_many(NegativeBinomial(), counts, executor=cluster.get_executor())
    pd.testing.assert_frame_equal(there.params, fit_many(NegativeBinomial(), counts).params, check_exact=True)


def test_a_backtest_survives_the_loss_of_a_worker(cluster):
    counts = panel(units=4)
    options = {"origins": 8, "horizon": 2, "draws": 100, "rng": 3}
    models = {"slow": Slow(), "last": LastValue()}
    killer = Killer(cluster)
    there = backtest(models, counts, executor=cluster.get_executor(), progress=killer, **options)
    here = backtest(models, counts, **options)
    assert killer.told[0][0] < killer.told[0][1] == killer.told[-1][0]
    assert killer.victim not in cluster.run(os.getpid).values()
    pd.testing.assert_frame_equal(there.scores, here.scores, check_exact=True)
