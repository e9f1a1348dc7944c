"""Figures of how the package is built, from its source, which is parsed and not imported.

    python benchmarks/structure.py [FOLDER] [--rooms]

FOLDER is the package, by default the ``escalation`` beside this folder; ``--rooms`` lists each room with its floor and
the rooms that it imports.

Module
    A ``.py`` file; the ``__init__.py`` of a folder is one too.
Edge
    A pair of modules of which one imports the other, anywhere in it and however often.  ``from escalation import x`` is
    an edge to ``x`` where that is a module or a folder, otherwise to the package's ``__init__.py``.
Room
    A folder or a loose module directly in the package.  All that lies below a folder belongs to its room.
Arrow
    A pair of rooms of which one imports the other.
Floor
    0 for a room that imports no other; for any other one above the highest that it imports.  Rooms in one circle share
    a floor.  The package's ``__init__.py`` and ``__main__.py`` are doors and stand on none.
Longest chain
    The most imports one after another: of a module, of what it imports, of what that imports.  Modules in one circle
    count as one.
Circle
    Modules, or rooms, each of which leads to each other along imports.
Function
    A ``def``, whether of a module, a class or another function.  Its length is the number of its code lines, those of
    decorators and inner functions included.
Code line
    A line that is not blank, not only a comment and not part of the docstring of a module, a class or a function.  All
    lines of any other string are code.
Public name
    A name that the package's ``__init__.pyi`` imports.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "escalation"
DOORS = {"__init__", "__main__"}
NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

Graph = dict[str, set[str]]
"""What each module, or room, imports."""


@dataclass(frozen=True)
class Module:
    """A parsed file and the numbers of its code lines, from 1."""

    tree: ast.Module
    code: frozenset[int]


def read_module(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, str(path))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    held = {line for one in tokens if one.type not in NOT_CODE for line in range(one.start[0], one.end[0] + 1)}
    return Module(tree, frozenset(held - docstring_lines(tree)))


def docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of the docstrings of a module, its classes and its functions."""
    owners = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    strings = [node.body[0] for node in owners if ast.get_docstring(node, clean=False) is not None]
    return {line for string in strings for line in lines_of(string)}


def lines_of(node: ast.stmt) -> range:
    """Lines of a statement, decorators included."""
    starts = [node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))]
    return range(min(starts), (node.end_lineno or node.lineno) + 1)


def read_package(package: Path) -> dict[str, Module]:
    """Modules by dotted name; the ``__init__.py`` of a folder has the folder's."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = read_module(path)
    return modules


def named(node: ast.AST) -> list[str]:
    """Dotted names that an import statement asks for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def imports(modules: Mapping[str, Module]) -> Graph:
    """Modules of the package that each one imports."""
    graph = {}
    for name, module in modules.items():
        asked = {other for node in ast.walk(module.tree) for other in named(node)}
        found = {other if other in modules else other.rpartition(".")[0] for other in asked}
        graph[name] = found & set(modules) - {name}
    return graph


def room(module: str) -> str:
    """``models`` for ``escalation.models.contract.base``, ``__init__`` for the package itself."""
    return module.split(".")[1] if "." in module else "__init__"


def between_rooms(graph: Graph) -> Graph:
    """Rooms that each room imports."""
    rooms: Graph = {room(name): set() for name in graph}
    for name, others in graph.items():
        rooms[room(name)] |= {room(other) for other in others} - {room(name)}
    return rooms


def reached(graph: Graph, start: str) -> set[str]:
    """All that something leads to, itself only where it is in a circle."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def circles(graph: Graph) -> dict[str, frozenset[str]]:
    """Those with which each one stands in a circle, itself included."""
    ahead = {name: reached(graph, name) for name in graph}
    return {name: frozenset([name, *(other for other in ahead[name] if name in ahead[other])]) for name in graph}


def heights(graph: Graph) -> dict[str, int]:
    """The most imports one after another that each one leads to; a circle counts as one."""
    circle = circles(graph)
    below = {
        together: {circle[other] for name in together for other in graph[name]} - {together}
        for together in set(circle.values())
    }
    height: dict[frozenset[str], int] = {}
    for together in TopologicalSorter(below).static_order():
        height[together] = max((height[other] + 1 for other in below[together]), default=0)
    return {name: height[circle[name]] for name in graph}


def without_doors(rooms: Graph) -> Graph:
    return {name: others - DOORS for name, others in rooms.items() if name not in DOORS}


def function_lengths(modules: Mapping[str, Module]) -> list[int]:
    """Code lines of each function."""
    return [
        len(module.code.intersection(lines_of(node)))
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def public_names(stub: Path) -> set[str]:
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def in_words(graph: Graph) -> str:
    """The circles of a graph, or none."""
    found = sorted(sorted(circle) for circle in set(circles(graph).values()) if len(circle) > 1)
    return "; ".join(" <-> ".join(circle) for circle in found) or "none"


def figures(package: Path) -> dict[str, str]:
    """Each figure as text, by its name."""
    modules = read_package(package)
    graph = imports(modules)
    rooms = between_rooms(graph)
    folders = sum((package / name).is_dir() for name in rooms)
    edges, lengths = sum(map(len, graph.values())), function_lengths(modules)
    return {
        "rooms": f"{len(rooms)} (folders: {folders})",
        "floors": str(max(heights(without_doors(rooms)).values(), default=-1) + 1),
        "arrows between rooms": str(sum(map(len, rooms.values()))),
        "modules": str(len(modules)),
        "edges": f"{edges} ({edges / len(modules):.1f} a module)",
        "longest chain": f"{max(heights(graph).values())} imports",
        "circles of rooms": in_words(rooms),
        "circles of modules": in_words(graph),
        "functions": str(len(lengths)),
        "median length of a function": f"{statistics.median(lengths):g} code lines",
        "code lines": f"{sum(len(module.code) for module in modules.values()):,}",
        "public names": str(len(public_names(package / "__init__.pyi"))),
    }


def print_rooms(package: Path) -> None:
    rooms = between_rooms(imports(read_package(package)))
    floor = heights(without_doors(rooms))
    for name in sorted(rooms, key=lambda name: (floor.get(name, -1), name)):
        print(f"{floor.get(name, '-'):>2}  {name}: {', '.join(sorted(rooms[name])) or '-'}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures of how the package is built.")
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGE)
    parser.add_argument("--rooms", action="store_true", help="list each room with its floor and what it imports")
    options = parser.parse_args()
    if not (options.folder / "__init__.pyi").is_file():
        parser.error(f"{options.folder} is no folder with an __init__.pyi; name the package's folder")
    package = options.folder.resolve()
    for name, figure in figures(package).items():
        print(f"{name:<30} {figure}")
    if options.rooms:
        print_rooms(package)


if __name__ == "__main__":
    main()
