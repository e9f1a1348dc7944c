"""The words of the project: the field's own, in docstrings, comments, messages and pages, and no fragments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "escalation").rglob("*.py"))
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
FRAGMENT = re.compile(r"\s*(?:Of|Or|And|But|Between which)\b")
"""Words that a docstring which hangs on a name begins with."""
TABLE = re.compile(r"^## Vocabulary$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)

Replaced = Callable[[str], list[tuple[int, str]]]


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """First line and text of each comment and each string, of f-strings their fixed parts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def docstrings_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each string that stands alone: of modules, classes, functions, attributes and constants."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def found_in(source: str, replaced: Replaced) -> list[tuple[int, str]]:
    return sorted((first + line, word) for first, text in prose_of(source) for line, word in replaced(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_sources_speak_in_the_words_of_the_field(path: Path, replaced: Replaced) -> None:
    found = found_in(path.read_text(encoding="utf-8"), replaced)
    assert not found, "\n".join(f"{name_of(path)}:{line}: {word}" for line, word in found)


@pytest.mark.parametrize("page", PAGES)
def test_pages_speak_in_the_words_of_the_field(page: str, replaced: Replaced) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = TABLE.sub(lambda table: "\n" * table.group().count("\n"), text)
    assert not (found := replaced(text)), "\n".join(f"{page}:{line + 1}: {word}" for line, word in found)


def test_the_table_of_words_is_there_and_holds_what_is_replaced(replaced: Replaced) -> None:
    table = TABLE.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert table is not None
    words = {word.lower() for _, word in replaced(table.group())}
    assert {"law", "chance", "tell", "settle", "drowns", "foretell"} <= words


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_docstrings_are_whole_phrases(path: Path) -> None:
    docstrings = docstrings_of(path.read_text(encoding="utf-8"))
    found = [(line, text.split("\n")[0]) for line, text in docstrings if FRAGMENT.match(text)]
    assert not found, "\n".join(f"{name_of(path)}:{line}: {text}" for line, text in sorted(found))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The law of a count, and two laws.", ["law", "laws"]),
        ("A power law, power laws, a power-law tail and the power\n    law of the tail.", []),
        ("Benford's law", []),
        ("This may come by chance.", []),
        ("Chances, and the chance of one", ["Chances", "chance"]),
        ("It tells, was told and cannot tell: telling.", ["tells", "told", "tell", "telling"]),
        ("It did not settle, is unsettled, settles and settled.", ["settle", "unsettled", "settles", "settled"]),
        ("It drowns; who foretold that?", ["drowns", "foretold"]),
        ("`surveillance` has lawless and a power_law, an intelligent outlaw and settlement", []),
    ],
)
def test_the_words_that_are_replaced(text: str, words: list[str], replaced: Replaced) -> None:
    assert [word for _, word in replaced(text)] == words


def test_each_kind_of_prose_is_read(replaced: Replaced) -> None:
    source = (
        '"""One.\n\nA law.\n"""\nx = 1  # by law\n"""Of x."""\ny = f"{x} is told {x!r}"\nraise ValueError("settled")\n'
    )
    assert found_in(source, replaced) == [(3, "law"), (5, "law"), (7, "told"), (8, "settled")]
    assert [line for line, text in docstrings_of(source) if FRAGMENT.match(text)] == [6]
