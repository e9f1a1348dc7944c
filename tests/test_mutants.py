"""The changes that benchmarks/mutants.py makes, and that it tells tests that notice from tests that do not."""

from __future__ import annotations

import ast
import shutil

import pytest

SOURCE = '''"""A docstring with 1 < 2."""

from typing import TypeAlias

Number: TypeAlias = int | float


def largest(values: list[int], least: int = 0, *, strict: bool = False) -> int:
    """The largest value, é at least 1."""
    if strict and not values:
        raise ValueError(f"need {len(values) + 1} values")
    kept = [value for value in values[1:] if value >= least]
    kept.sort(key=abs)
    return max(kept, default=least) + 2
'''

EXPECTED = {
    ("largest", "constant", "0", "1"),
    ("largest", "constant", "0", "-1"),
    ("largest", "constant", "False", "True"),
    ("largest", "and and or", "strict and (not values)", "strict or not values"),
    ("largest", "condition", "strict and (not values)", "not (strict and (not values))"),
    ("largest", "not", "not values", "values"),
    ("largest", "slice", "1:", "1 + 1:"),
    ("largest", "slice", "1:", "1:-1"),
    ("largest", "constant", "1", "2"),
    ("largest", "constant", "1", "0"),
    ("largest", "condition", "value >= least", "not value >= least"),
    ("largest", "comparison", "value >= least", "value > least"),
    ("largest", "statement", "kept.sort(key=abs)", "pass"),
    ("largest", "argument", "kept.sort(key=abs)", "kept.sort()"),
    ("largest", "returned", "return max(kept, default=least) + 2", "return None"),
    ("largest", "arithmetic", "max(kept, default=least) + 2", "max(kept, default=least) - 2"),
    ("largest", "min and max", "max(kept, default=least)", "min(kept, default=least)"),
    ("largest", "argument", "max(kept, default=least)", "max(kept)"),
    ("largest", "constant", "2", "3"),
    ("largest", "constant", "2", "1"),
    ("largest", "constant", "2", "4"),
}


@pytest.fixture
def mutants(benchmark):
    return benchmark("mutants")


def every(mutants, source=SOURCE):
    return [mutant for place in mutants.mutants_of("x.py", source) for mutant in place]


def test_all_changes_are_found_and_texts_and_types_stay(mutants):
    assert {(one.function, one.kind, one.was, one.now) for one in every(mutants)} == EXPECTED
    assert len(every(mutants)) == len(EXPECTED)


def test_a_change_is_where_it_says_and_nothing_else_changes(mutants):
    for mutant in every(mutants):
        changed = mutants.apply(mutant, SOURCE)
        differ = [
            number
            for number, (was, now) in enumerate(zip(SOURCE.splitlines(), changed.splitlines(), strict=True), 1)
            if was != now
        ]
        assert differ == [mutant.line]
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE))


def test_a_statement_of_several_lines_is_replaced_whole(mutants):
    source = "def f(x):\n    if x:\n        print(\n            x,\n        )  # shown\n    return x\n"
    [one] = [one for one in every(mutants, source) if one.kind == "statement"]
    assert mutants.apply(one, source) == "def f(x):\n    if x:\n        pass  # shown\n    return x\n"


def test_more_mutants_begin_with_the_same_ones_and_places_are_not_drawn_twice(mutants):
    places = mutants.mutants_of("x.py", SOURCE)
    few, many = mutants.draw(places, 5, 1), mutants.draw(places, 100, 1)
    assert many[:5] == few
    assert len(many) == len(places) == len({(one.line, one.column, one.kind, one.was) for one in many})
    assert mutants.draw(places, 5, 2) != few


def test_the_table_names_what_is_there(mutants):
    mutants.check_table()
    assert mutants.tests_of("escalation/report/write.py", []) == ("tests/test_report.py",)
    with pytest.raises(SystemExit, match=r"nothing\.py belongs to no noun"):
        mutants.tests_of("escalation/nothing.py", [])


def test_what_tests_notice_is_killed_and_results_are_kept(mutants, tmp_path, monkeypatch, capsys):
    root = tmp_path / "checkout"
    shutil.copytree(mutants.ROOT / "benchmarks", root / "benchmarks")
    (root / "tests").mkdir()
    (root / "share.py").write_text("def share(a, b):\n    return a / b if b > 0 else 0.0\n", encoding="utf-8")
    (root / "tests" / "test_share.py").write_text(
        "from share import share\n\ndef test_share():\n    assert share(1, 2) == 0.5\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(mutants, "ROOT", root)
    monkeypatch.setattr(mutants, "NOUNS", {"share": (("share.py",), ("share",))})
    monkeypatch.setattr(mutants, "EQUIVALENT", root / "equivalent.csv")
    (root / "equivalent.csv").write_text("file,function,was,now,why\nshare.py,share,b > 0,b >= 0,a made-up reason\n")
    monkeypatch.setattr("sys.argv", ["mutants.py", "--results", str(tmp_path / "results.csv"), "--jobs", "1"])
    mutants.main()
    said = capsys.readouterr().out
    assert "survived: share.py:2 share (constant)\n    0.0\n" in said
    assert said.endswith("equivalent: 1, errors: 0\n")
    mutants.main()
    again = capsys.readouterr().out
    assert "as it is" not in again and said.endswith(again)
    outcomes = {(one.kind, one.was): result for one, result in mutants.read_results(tmp_path / "results.csv").items()}
    assert outcomes["arithmetic", "a / b"].by == "tests/test_share.py::test_share"
    assert [one.outcome for one in outcomes.values()].count("survived") == 2
