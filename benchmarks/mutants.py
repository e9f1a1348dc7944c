"""Do the tests notice a wrong program?  Small changes are made to the source, one at a time, and the tests run.

    python benchmarks/mutants.py [GLOB ...] [--mutants 200] [--seed 1] [--jobs 2] [--results mutants.csv]
    python benchmarks/mutants.py [GLOB ...] --summary            what the results say so far
    python benchmarks/mutants.py escalation/counts/windows.py --tests tests/test_trend.py

GLOB names files from the checkout's root, by default those of ``NOUNS``, which says which tests belong to which files.
A mutant is killed where one of these tests, or an example in the file itself, fails or takes too long; tests marked
``slow`` or ``nightly`` are left out.  Each runs in a copy of the checkout, which stays as it is.  A result is written
as soon as it is known: the same command goes on after a stop, and more ``--mutants`` begin with the same ones.  Results
of files that have changed do not count any more; after a change of the tests begin another file of results.

What is changed: comparisons, arithmetic, numbers (one more, one less, twice), ``and`` and ``or``, conditions (negated),
``not`` (removed), what is returned (``None``), ``min`` and ``max``, ends of slices (by one), calls that stand alone
(left out), arguments by keyword (left out), ``True`` and ``False``.  Annotations, decorators, docstrings and what
stands in strings stay.  Mutants that change nothing a test could see are listed, each with its reason, in
``mutants_equivalent.csv`` beside this file; they are not run.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from numpy.random import default_rng

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.csv")
MEMORY = 8 << 20
"""Kilobytes of address space that a run may take."""

NOUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "severity": (("escalation/assessment/severity.py",), ("assessment_severity",)),
    "cautions": (("escalation/assessment/cautions.py",), ("assessment_cautions",)),
    "source": (("escalation/assessment/source.py",), ("sources", "bad_input")),
    "quality": (("escalation/assessment/quality/*.py",), ("quality",)),
    "assessment": (
        ("escalation/assessment/*.py",),
        ("assessment", "assessment_answers", "assessment_withheld", "sources"),
    ),
    "report": (("escalation/report/*.py",), ("report",)),
    "command line": (("escalation/cli/*.py",), ("cli", "cli_nowcast", "cli_retaliation", "bad_input")),
}
"""Files of each noun and the tests of the noun; a file belongs to the first noun that names it."""

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
OPPOSITES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}

Change = tuple[str, ast.AST, ast.AST]
"""Kind of change, the node as it is and the node in its place."""


@dataclass(frozen=True)
class Mutant:
    """One change to one file: where, what stood there and what stands there now."""

    file: str
    line: int
    column: int
    function: str
    kind: str
    was: str
    now: str
    source: str
    """First digits of the SHA-256 of the file, so that results of another version do not count."""


@dataclass(frozen=True)
class Result:
    """What became of a mutant: killed, survived, equivalent, or an error of the run."""

    mutant: Mutant
    outcome: str
    by: str
    """The test that failed first."""
    seconds: float


def constant_changes(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        others = dict.fromkeys([value + 1, value - 1, value * 2])
        yield from (ast.Constant(other) for other in others if other != value)


def slice_changes(node: ast.Slice) -> Iterator[ast.AST]:
    def later(bound: ast.expr) -> ast.expr:
        return ast.BinOp(bound, ast.Add(), ast.Constant(1))

    lower, upper, step = node.lower, node.upper, node.step
    yield ast.Slice(later(lower) if lower else ast.Constant(1), upper, step)
    yield ast.Slice(lower, later(upper) if upper else ast.Constant(-1), step)


def opposite(called: ast.expr) -> ast.expr | None:
    """``max`` for ``min``, ``np.maximum`` for ``np.minimum``."""
    if isinstance(called, ast.Name) and called.id in OPPOSITES:
        return ast.Name(OPPOSITES[called.id])
    if isinstance(called, ast.Attribute) and called.attr in OPPOSITES:
        return ast.Attribute(called.value, OPPOSITES[called.attr])
    return None


def call_changes(node: ast.Call) -> Iterator[Change]:
    other = opposite(node.func)
    if other is not None:
        yield "min and max", node, ast.Call(other, node.args, node.keywords)
    for given in node.keywords:
        if given.arg is not None:
            yield "argument", node, ast.Call(node.func, node.args, [one for one in node.keywords if one is not given])


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def changes(node: ast.AST) -> Iterator[Change]:
    """Every change that can be made to one node."""
    match node:
        case ast.Compare(left, [comparison, *more], others):
            yield "comparison", node, ast.Compare(left, [COMPARISONS[type(comparison)](), *more], others)
        case ast.BinOp(left, sign, right) if type(sign) in ARITHMETIC and not (is_text(left) or is_text(right)):
            yield "arithmetic", node, ast.BinOp(left, ARITHMETIC[type(sign)](), right)
        case ast.Constant():
            yield from (("constant", node, other) for other in constant_changes(node))
        case ast.BoolOp(joint, values):
            yield "and and or", node, ast.BoolOp(ast.Or() if isinstance(joint, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            yield "not", node, operand
        case ast.Return(value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield "returned", node, ast.Return(ast.Constant(None))
        case ast.Slice():
            yield from (("slice", node, other) for other in slice_changes(node))
        case ast.Expr(ast.Call()):
            yield "statement", node, ast.Pass()
        case ast.Call():
            yield from call_changes(node)
    yield from (("condition", test, ast.UnaryOp(ast.Not(), test)) for test in conditions(node))


def conditions(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.If(test) | ast.While(test) | ast.IfExp(test):
            return [test]
        case ast.comprehension(_, _, tests):
            return tests
    return []


def is_type(node: ast.AST) -> bool:
    """Whether a statement names a type: an alias, a type variable, or imports only for the type checker."""
    text = ast.unparse(node) if isinstance(node, ast.Assign | ast.AnnAssign) else ""
    checking = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    return checking or "TypeAlias" in text or "TypeVar(" in text


def walk(node: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Nodes below one, each with the name of the function or class around it; what is never changed left out."""
    if isinstance(node, ast.JoinedStr | ast.pattern) or is_type(node):
        return
    yield function, node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".lstrip(".")
    for one in below(node):
        yield from walk(one, function)


def below(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that may be changed: no annotations, no decorators, no types that ``isinstance`` asks for."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
        yield node.args[0]
        return
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, ast.AST))


def mutants_of(file: str, source: str) -> list[list[Mutant]]:
    """The mutants of a file, those of one kind at one place together."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    places: dict[tuple[int, int, str, str], list[Mutant]] = defaultdict(list)
    for function, node in walk(ast.parse(source)):
        for kind, old, new in changes(node):
            was, now = ast.unparse(old), ast.unparse(new)
            mutant = Mutant(file, old.lineno, old.col_offset, function, kind, was, now, digest)
            places[mutant.line, mutant.column, kind, was].append(mutant)
    return list(places.values())


def apply(mutant: Mutant, source: str) -> str:
    """The file with the change in it; every other line stays as it is."""
    found = [
        (old, new)
        for _, node in walk(ast.parse(source))
        for kind, old, new in changes(node)
        if (old.lineno, old.col_offset, kind) == (mutant.line, mutant.column, mutant.kind)
        and (ast.unparse(old), ast.unparse(new)) == (mutant.was, mutant.now)
    ]
    old, new = found[0]
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    before = b"".join(lines[: old.lineno - 1]) + lines[old.lineno - 1][: old.col_offset]
    after = lines[old.end_lineno - 1][old.end_col_offset :] + b"".join(lines[old.end_lineno :])
    whole = isinstance(new, ast.stmt | ast.Slice)
    text = (before + (mutant.now if whole else f"({mutant.now})").encode() + after).decode()
    ast.parse(text)
    return text


def draw(places: Sequence[list[Mutant]], number: int, seed: int) -> list[Mutant]:
    """So many mutants, at most one a place and kind; more of them begin with the same ones."""
    rng = default_rng(seed)
    order, choice = rng.permutation(len(places)), rng.uniform(size=len(places))
    return [places[i][int(choice[i] * len(places[i]))] for i in order[:number]]


def tests_of(file: str, given: Sequence[str]) -> tuple[str, ...]:
    """Test files that belong to a file."""
    if given:
        return tuple(given)
    for globs, stems in NOUNS.values():
        if any(path == ROOT / file for pattern in globs for path in ROOT.glob(pattern)):
            return tuple(f"tests/test_{stem}.py" for stem in stems)
    sys.exit(f"{file} belongs to no noun of the table; name its tests with --tests")


def files_of(globs: Sequence[str]) -> list[str]:
    """Files that globs name, from the root; each must name one."""
    found = {pattern: [path for path in ROOT.glob(pattern) if path.suffix == ".py"] for pattern in globs}
    for pattern, paths in found.items():
        if not paths:
            sys.exit(f"{pattern} names no .py file below {ROOT}")
    return sorted({path.relative_to(ROOT).as_posix() for paths in found.values() for path in paths})


def known_globs() -> list[str]:
    """Globs of the table that name a file."""
    return [pattern for globs, _ in NOUNS.values() for pattern in globs if any(ROOT.glob(pattern))]


def places_of(files: Sequence[str]) -> list[list[Mutant]]:
    """The mutants of files, by place and kind."""
    return [place for file in files for place in mutants_of(file, (ROOT / file).read_text(encoding="utf-8"))]


def check_table() -> None:
    """Stop where a test file of the table is not there, or no file of a noun."""
    stems = {stem for _, stems in NOUNS.values() for stem in stems if not (ROOT / f"tests/test_{stem}.py").is_file()}
    nouns = {noun for noun, (globs, _) in NOUNS.items() if not any(any(ROOT.glob(pattern)) for pattern in globs)}
    if stems or nouns:
        sys.exit(
            f"in NOUNS, no tests are named {sorted(stems)}, and no files belong to {sorted(nouns)}; mend the table"
        )


def key(mutant: Mutant) -> tuple[str, str, str, str]:
    """What identifies a mutant in the list of equivalent ones, where lines may move."""
    return mutant.file, mutant.function, mutant.was, mutant.now


def read_equivalent() -> dict[tuple[str, str, str, str], str]:
    """Reason by file, function, what stood there and what stands there now."""
    if not EQUIVALENT.is_file():
        return {}
    with EQUIVALENT.open(encoding="utf-8", newline="") as stream:
        return {(row["file"], row["function"], row["was"], row["now"]): row["why"] for row in csv.DictReader(stream)}


def read_results(path: Path) -> dict[Mutant, Result]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    done = {}
    for file, line, column, *texts, outcome, by, seconds in rows:
        mutant = Mutant(file, int(line), int(column), *texts)
        done[mutant] = Result(mutant, outcome, by, float(seconds))
    return done


def write_result(path: Path, result: Result) -> None:
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        if stream.tell() == 0:
            writer.writerow([*(one.name for one in fields(Mutant)), "outcome", "by", "seconds"])
        writer.writerow([*astuple(result.mutant), result.outcome, result.by, f"{result.seconds:.1f}"])


def copy_checkout(to: Path) -> None:
    """A copy with the same times of files, so that what Python and numba have compiled is still good."""
    hidden = shutil.ignore_patterns(".*", "build", "dist", "notebooks")
    shutil.copytree(ROOT, to, ignore=hidden, copy_function=shutil.copy2)


def run_tests(tree: Path, paths: Sequence[str], seconds: float | None = None, **more: str) -> tuple[int | None, str]:
    """The exit code of the tests in a copy, None where they took longer, and what they printed."""
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not nightly"]
    command = ["sh", "-c", f'ulimit -v {MEMORY}; exec "$@"', "sh", *pytest, *paths]
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "PYTEST_ADDOPTS")}
    process = subprocess.Popen(
        command, cwd=tree, env=kept | {"PYTHONPATH": str(tree)} | more, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, ""
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, said


def outcome_of(code: int | None, said: str) -> tuple[str, str]:
    """What became of a mutant, and the test that failed first."""
    if code is None:
        return "killed", "time"
    if code == 4 and "while loading conftest" in said:
        return "killed", "conftest.py"
    if code in (0, 3, 4, 5):  # all passed; pytest itself failed, was called wrongly or found no test
        return ("error", f"exit code {code}") if code else ("survived", "")
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, flags=re.MULTILINE)
    return "killed", failed[1] if failed else f"exit code {code}"


def try_mutant(tree: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> Result:
    """Run the tests of a mutant in a copy, which is as before afterwards."""
    path, before = tree / mutant.file, ROOT / mutant.file
    source = before.read_text(encoding="utf-8")
    path.write_text(apply(mutant, source), encoding="utf-8")
    more = {"PYTHONDONTWRITEBYTECODE": "1"}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as compiled:
        if "@compiled(" in source:  # what numba compiled of other files may hold the function as it was
            more["NUMBA_CACHE_DIR"] = compiled
        code, said = run_tests(tree, [mutant.file, *tests], seconds, **more)
    shutil.copy2(before, path)
    return Result(mutant, *outcome_of(code, said), time.monotonic() - begun)


def bound(tree: Path, files: Sequence[str], tests: Sequence[str]) -> float:
    """Seconds that a mutant may take: three times those of its tests as they are, which must pass, and a minute."""
    begun = time.monotonic()
    code, said = run_tests(tree, [*files, *tests])
    if code != 0:
        sys.exit(f"{', '.join(tests)}: fails without any change\n{said}")
    took = time.monotonic() - begun
    print(f"{', '.join(tests)}: {took:.0f} s as it is", flush=True)
    return 60 + 3 * took


def run(of: Mapping[Mutant, tuple[str, ...]], jobs: int, *, known: Callable[[Result], None]) -> None:
    """Try mutants, each with its tests, in so many copies at a time; ``known`` is given each result."""
    files = {tests: sorted({mutant.file for mutant in of if of[mutant] == tests}) for tests in of.values()}
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        first = Path(folder) / "0"
        copy_checkout(first)
        seconds = {tests: bound(first, files[tests], tests) for tests in files}
        free.put(first)
        for number in range(1, jobs):
            free.put(shutil.copytree(first, Path(folder) / str(number), copy_function=shutil.copy2))

        def one(mutant: Mutant) -> Result:
            tree = free.get()
            try:
                return try_mutant(tree, mutant, of[mutant], seconds[of[mutant]])
            finally:
                free.put(tree)

        try:
            for future in as_completed([pool.submit(one, mutant) for mutant in of]):
                known(future.result())
        finally:
            pool.shutdown(cancel_futures=True)


def share(results: Sequence[Result]) -> str:
    killed = sum(result.outcome == "killed" for result in results)
    return f"{killed} of {len(results)} killed ({killed / max(len(results), 1):.0%})"


def in_words(mutant: Mutant) -> str:
    """The place and the change."""
    place = f"{mutant.file}:{mutant.line} {mutant.function}".rstrip()
    return f"{place} ({mutant.kind})\n    {mutant.was}\n    -> {mutant.now}"


def summary(results: Sequence[Result]) -> str:
    """The share killed, of all, of each file and of each kind; and every other mutant."""
    counted = [result for result in results if result.outcome in ("killed", "survived")]
    lines = []
    for name in ("file", "kind"):
        for value in sorted({getattr(result.mutant, name) for result in counted}):
            some = [result for result in counted if getattr(result.mutant, name) == value]
            lines.append(f"{value}: {share(some)}")
    others = sorted((one for one in results if one.outcome != "killed"), key=lambda one: (one.outcome, key(one.mutant)))
    lines += [f"{one.outcome}: {in_words(one.mutant)}{one.by and f'    {one.by}'}" for one in others]
    outcomes = Counter(result.outcome for result in results)
    return "\n".join([*lines, f"{share(counted)}; equivalent: {outcomes['equivalent']}, errors: {outcomes['error']}"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Do the tests notice small changes to the source?")
    parser.add_argument("globs", nargs="*", metavar="GLOB", help="files, by default those of the table of nouns")
    parser.add_argument("--tests", nargs="+", default=[], metavar="FILE", help="instead of the tests of the table")
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("mutants.csv"))
    parser.add_argument("--summary", action="store_true", help="run nothing, say what is known")
    options = parser.parse_args()
    check_table()
    drawn = draw(places_of(files_of(options.globs or known_globs())), options.mutants, options.seed)
    equivalent, done = read_equivalent(), read_results(options.results)
    done |= {mutant: Result(mutant, "equivalent", "", 0) for mutant in drawn if key(mutant) in equivalent}
    left = {mutant: tests_of(mutant.file, options.tests) for mutant in drawn if mutant not in done}

    def known(result: Result) -> None:
        write_result(options.results, result)
        done[result.mutant] = result
        print(f"{result.outcome}, {result.seconds:.0f} s: {in_words(result.mutant)}", flush=True)

    if left and not options.summary:
        run(left, options.jobs, known=known)
    print(summary([done[mutant] for mutant in drawn if mutant in done]))


if __name__ == "__main__":
    main()
