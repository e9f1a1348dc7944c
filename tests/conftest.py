"""Fixtures that several test files use."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

# the same examples in every run, however busy the machine; look for others with --hypothesis-profile=default
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared"
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked ``nightly``, unless ``-m`` speaks of them."""
    if "nightly" not in config.option.markexpr:
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]


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
            spec.loader.exec_module(module)
        return sys.modules[called]

    return module_of
