"""How much of the disk an installation takes, by package.

    python -m venv /tmp/fresh && /tmp/fresh/bin/pip install . && /tmp/fresh/bin/python benchmarks/weight.py

Sizes are those of the files that each package lists, compiled ones among them. The first part is the price of what is
done; what statsmodels reads formulas with is counted to it, pip and setuptools are not counted.
"""

import re
from collections import defaultdict
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

PRICE = ("llvmlite", "numba", "scipy", "pandas", "numpy", "statsmodels", "matplotlib", "fonttools", "pillow")
FORMULAS = ("patsy", "formulaic", "narwhals", "wrapt", "interface-meta")
NOT_OURS = ("pip", "setuptools", "wheel")
WANTED = 40.0
"""Megabytes of all others together with our own."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def megabytes(one: Distribution) -> float:
    found = (Path(str(one.locate_file(file))) for file in one.files or [])
    return sum(path.stat().st_size for path in found if path.is_file()) / 1e6


def needed(name: str, seen: set[str]) -> set[str]:
    """What a package needs, and what that needs, without extras."""
    if name not in seen:
        seen.add(name)
        for line in distribution(name).requires or []:
            if "extra ==" not in line:
                wanted = plain(re.split(r"[\s;<>=!~(\[]", line)[0])
                if any(plain(one.metadata["Name"]) == wanted for one in distributions()):
                    needed(wanted, seen)
    return seen


def main() -> None:
    size, groups = {}, defaultdict(float)
    for name in sorted(needed("escalation", set())):
        size[name] = megabytes(distribution(name))
        kind = "price" if name in PRICE else "formulas" if name in FORMULAS else "others"
        groups[kind if name not in NOT_OURS else "tools"] += size[name]
    for name, value in sorted(size.items(), key=lambda one: -one[1]):
        print(f"{value:8.1f} MB  {name}{'' if name in PRICE else '  (formulas)' if name in FORMULAS else '  *'}")
    print(f"{groups['price']:8.1f} MB  the price of what is done")
    print(f"{groups['formulas']:8.1f} MB  formulas of statsmodels")
    print(f"{groups['others']:8.1f} MB  all others (*), ours among them (wanted: {WANTED:g})")


if __name__ == "__main__":
    main()
