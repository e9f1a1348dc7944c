"""Fixtures that several test files use."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest
from shared_chains import once, sampled_by
from shared_fits import OWN, fitted_by
from shared_fits import once as fitted_once

import escalation
from escalation.models.contract.underlying import underlying_rates
from escalation.models.registry import get_model
from escalation.tallies import posterior

# the same examples in every run, however busy the machine; look for others with --hypothesis-profile=default
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared"
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
REPLACED = re.compile(
    r"\b(laws?|chances?|tell(?:s|ing)?|told|(?:un)?settled?|settles|settling|drown(?:s|ed|ing)?|foret(?:ells?|old))\b",
    re.I,
)
"""Words that the table "Vocabulary" of CONTRIBUTING.md replaces by the field's own."""
ALLOWED = re.compile(r"power[\s-]+laws?|Benford's\s+law|by\s+chance", re.IGNORECASE)
"""Where they may stand all the same."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked ``nightly``, unless ``-m`` speaks of them."""
    if "nightly" not in config.option.markexpr:
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give workers whole files where that goes, so that two do not compile the same, and idle ones what is left."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.option.dist == "load" else None


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give the path of a reference file kept beside the checkout, or skip the test where there is none."""

    def path_of(name: str) -> Path:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"reference data absent: {path}")
        return path

    return path_of


@pytest.fixture(scope="session")
def replaced() -> Callable[[str], list[tuple[int, str]]]:
    """Give the words of a text that are not the field's, each with the number of its line from 0 on."""

    def find(text: str) -> list[tuple[int, str]]:
        left = ALLOWED.sub(lambda allowed: re.sub(r"\S", " ", allowed.group()), text)
        return [(left.count("\n", 0, word.start()), word.group()) for word in REPLACED.finditer(left)]

    return find


@pytest.fixture(scope="session")
def benchmark() -> Callable[[str], ModuleType]:
    """Give a benchmark by its name as a module, or skip the test where the benchmarks are not beside the tests."""

    def module_of(name: str) -> ModuleType:
        path, called = BENCHMARKS / f"{name}.py", f"benchmark_{name}"
        if not path.is_file():
            pytest.skip("the benchmarks are not beside the tests")
        if called not in sys.modules:
            spec = importlib.util.spec_from_file_location(called, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[called] = module  # dataclasses look their module up
            if str(BENCHMARKS) not in sys.path:  # they import each other by name
                sys.path.append(str(BENCHMARKS))
            spec.loader.exec_module(module)
        return sys.modules[called]

    return module_of


@pytest.fixture(scope="session")
def kept_chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which the processes that run these tests keep their chains for each other."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "chains"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def chains_run_once(kept_chains: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Many tests begin with the same reconstruction: its chains run once, all else as always."""
    sample = once(posterior.sample_posterior, kept_chains)
    with sampled_by(sample):
        yield lambda: sampled_by(sample)


def compile_sampler() -> None:
    table = {"series": "raids", "count": [9, 14], "qualifier": ["about", "exact"], "start": "2024-01-01"}
    ends = pd.to_datetime(["2024-02-04", "2024-03-24"])
    escalation.reconstruct(pd.DataFrame(table).assign(end=ends), series="raids", draws=40, rng=1)


def compile_model(name: str) -> None:
    weeks = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
    fit = get_model(name).fit(pd.Series([2, 0, 1, 3] * 8 + [4, 6, 5, 9] * 2, index=weeks))
    fit.forecast(4, draws=40, rng=1)
    fit.diagnose()
    if isinstance(fit.model, escalation.models.ChangingRate):
        underlying_rates(fit, draws=40, rng=1)


LONG_COMPILED = ("sampler", "ingarch", "hidden_markov", "changing_rate", "local_trend", "local_level")
"""The sampler and the models whose code takes longest to compile: together two minutes where none is kept."""
LONGEST = 300.0
"""Seconds after which a worker waits for the others no more."""
NEARLY_ALL = 2000
"""Tests from which on a run is of all of them, or nearly."""


@pytest.fixture(scope="session", autouse=True)
def compiled_once(request: pytest.FixtureRequest, kept_chains: Path) -> None:
    """Where all tests run, workers share the compiling out among them; otherwise each compiles as it goes."""
    if "PYTEST_XDIST_WORKER" not in os.environ or len(request.session.items) < NEARLY_ALL:
        return
    until = time.monotonic() + LONGEST
    for name in LONG_COMPILED:
        try:
            (kept_chains / f"{name}.begun").touch(exist_ok=False)
        except FileExistsError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile_sampler() if name == "sampler" else compile_model(name)
        (kept_chains / f"{name}.ended").touch()
    while not all((kept_chains / f"{name}.ended").exists() for name in LONG_COMPILED) and time.monotonic() < until:
        time.sleep(0.2)


@pytest.fixture
def chains_run_anew() -> Iterator[None]:
    """Run all chains, for tests of the chains themselves and those that compare two runs."""
    with sampled_by(posterior.sample_posterior):
        yield


@pytest.fixture(scope="session", autouse=True)
def fits_made_once() -> Iterator[None]:
    """Many tests assess the same counts: a model of the assessment is fitted to them once, all else is as always."""
    with fitted_by({kind: fitted_once(method) for kind, method in OWN.items()}):
        yield


@pytest.fixture
def fits_made_anew() -> Iterator[None]:
    """Make all fits, for tests of the models themselves and those that compare two fits of the same counts."""
    with fitted_by(OWN):
        yield


def raids(weeks: int = 104, seed: int = 2) -> pd.DataFrame:
    """Two sides that answer each other, by days from Monday 3 January 2022 on, and how many each attack killed."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((weeks, 2), dtype=int)
    for week in range(1, weeks):
        counts[week] = rng.poisson(1 + 0.5 * counts[week - 1, ::-1])
    actors = [("north", "south")[side] for week in range(weeks) for side in (0, 1) for _ in range(counts[week, side])]
    at = np.repeat(np.arange(weeks), counts.sum(axis=1)) * 7 + rng.integers(0, 7, counts.sum())
    killed = np.where(rng.random(len(at)) < 0.3, np.minimum(rng.zipf(2.6, len(at)), 500), 0)
    table = pd.DataFrame({"date": pd.Timestamp("2022-01-03") + pd.to_timedelta(at, unit="D"), "actor": actors})
    table["event_type"] = rng.choice(["drone", "rocket fire"], len(at))
    table = table.assign(fatalities=killed, source="wire").sort_values("date", kind="stable", ignore_index=True)
    return table.assign(incident_id=[f"r{number}" for number in table.index])


WHOLE = {"start": "2022-01-03", "end": "2023-12-31"}
"""The weeks that the raids were watched in."""


@pytest.fixture(scope="session")
def raids_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of incidents with fatalities, and a row that its reader drops."""
    path = tmp_path_factory.mktemp("raids") / "raids.csv"
    table = raids()
    pd.concat([table.astype({"date": str}), table.iloc[[0]].assign(date="not a date")]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def assessed(raids_csv: Path) -> Callable[[str], escalation.Assessment]:
    """Give the assessment of a kind of source, each made once: a case, incidents, bare months, fatalities."""
    known: dict[str, escalation.Assessment] = {}

    def case() -> escalation.Assessment:
        series = escalation.count_series(escalation.open_source(), draws=40, rng=1)
        return escalation.assess(series, draws=200, rng=1)

    def incidents() -> escalation.Assessment:
        series = escalation.count_series(escalation.open_source(raids_csv), **WHOLE, rng=1)
        return escalation.assess(series, regimes="hidden_markov", rng=1)

    def months() -> escalation.Assessment:
        index = pd.period_range("2021-01", periods=36, freq="M")
        values = np.random.default_rng(4).poisson(np.linspace(4, 12, 36))
        return escalation.assess(pd.Series(values, index=index, dtype="Int64"), draws=400, rng=1)

    def fatalities() -> escalation.Assessment:
        source = escalation.open_source(raids_csv)
        return escalation.assess(
            escalation.count_series(source, measure="fatalities", **WHOLE, rng=1), draws=400, over=4, rng=1
        )

    makers = {"case": case, "incidents": incidents, "months": months, "fatalities": fatalities}

    def assessment_of(kind: str) -> escalation.Assessment:
        if kind not in known:
            known[kind] = makers[kind]()
        return known[kind]

    return assessment_of
