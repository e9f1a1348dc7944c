"""The figures of benchmarks/structure.py, on a small package whose figures can be counted by hand."""

from __future__ import annotations

import pytest

FILES = {
    "__init__.pyi": "from .top import answer as answer\nfrom . import low as low\n",
    "__init__.py": '"""A package\n\nof two lines of text and a blank one."""\n',
    "__main__.py": "from small import top\n\ntop.answer()\n",
    "top.py": '''"""Top."""
# a comment
import small.low.floor
from small.low import (
    roof,
)


@property
def answer(x):
    """A docstring

    of three lines."""
    text = """kept,

    as it is no docstring"""

    def inner():
        return text  # code

    return small.low.floor, roof, inner


class Empty:
    """Nothing."""

    held = 1
    """A string under a name is code."""
''',
    "low/__init__.py": "",
    "low/floor.py": "from small.low.roof import y\n",
    "low/roof.py": "def late():\n    from small import errors, spare\n    return errors, spare\ny = 1\n",
    "errors.py": "import ast\nfrom small import __version__\n",
    "spare.py": "",
}


@pytest.fixture
def structure(benchmark):
    return benchmark("structure")


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "small"


def test_figures_are_those_counted_by_hand(structure, package):
    assert structure.figures(package) == {
        "rooms": "6 (folders: 1)",
        "floors": "3",  # errors and spare; low; top
        "arrows between rooms": "5",  # __main__ to top, top to low, low to errors and spare, errors to __init__
        "modules": "8",
        "edges": "7 (0.9 a module)",
        "longest chain": "5 imports",  # __main__, top, low.floor, low.roof, errors, __init__
        "circles of rooms": "none",
        "circles of modules": "none",
        "functions": "3",
        "median length of a function": "3 code lines",  # 2 of inner, 3 of late, 8 of answer
        "code lines": "24",  # top 15, low 5, errors and __main__ 2 each
        "public names": "2",
    }


def test_imports_are_found_wherever_and_however_they_are_written(structure, package):
    assert structure.imports(structure.read_package(package)) == {
        "small": set(),
        "small.__main__": {"small.top"},
        "small.top": {"small.low.floor", "small.low.roof"},
        "small.low": set(),
        "small.low.floor": {"small.low.roof"},
        "small.low.roof": {"small.errors", "small.spare"},
        "small.errors": {"small"},
        "small.spare": set(),
    }


def test_a_circle_is_named_and_counts_as_one(structure, package):
    (package / "spare.py").write_text("from small.low import floor\n", encoding="utf-8")
    found = structure.figures(package)
    assert found["circles of rooms"] == "low <-> spare"
    assert found["circles of modules"] == "small.low.floor <-> small.low.roof <-> small.spare"
    assert found["floors"] == "3"
    assert found["longest chain"] == "4 imports"  # __main__, top, the circle, errors, __init__


def test_rooms_are_listed_with_their_floor(structure, package, capsys):
    structure.print_rooms(package)
    assert capsys.readouterr().out.splitlines() == [
        " -  __init__: -",
        " -  __main__: top",
        " 0  errors: __init__",
        " 0  spare: -",
        " 1  low: errors, spare",
        " 2  top: low",
    ]


def test_the_package_has_the_modules_that_are_there(structure):
    modules = structure.read_package(structure.PACKAGE)
    assert len(modules) == len(list(structure.PACKAGE.rglob("*.py")))
    assert structure.in_words(structure.imports(modules)) == "none"
