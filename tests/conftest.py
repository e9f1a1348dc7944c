"""Fixtures that several test files use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give the path of a reference file kept beside the checkout, or skip the test where there is none."""

    def path_of(name: str) -> Path:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"reference data absent: {path}")
        return path

    return path_of
