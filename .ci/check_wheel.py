"""Check that a wheel holds every module and every bundled table, and nothing else: check_wheel.py WHEEL CHECKOUT."""

import sys
import zipfile
from pathlib import Path


def wanted(checkout: Path) -> set[str]:
    """Paths in the wheel that the checkout's files must have."""
    package = {path.relative_to(checkout) for path in (checkout / "escalation").rglob("*") if path.is_file()}
    tables = {
        Path("escalation") / path.relative_to(checkout) for path in (checkout / "data").rglob("*") if path.is_file()
    }
    command = {Path("escalation_command.py")}
    return {path.as_posix() for path in package | tables | command if "__pycache__" not in path.parts}


def main(wheel: str, checkout: str) -> int:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    there = {name for name in names if ".dist-info/" not in name}
    licences = sorted(name for name in names if "/licenses/" in name)
    missing, extra = wanted(Path(checkout)) - there, there - wanted(Path(checkout))
    print(f"{Path(wheel).name}: {len(there)} files and {len(licences)} licences")
    for word, found in (("missing", missing), ("not in the checkout", extra)):
        if found:
            print(f"{word}: {', '.join(sorted(found))}")
    return 0 if not missing and not extra and len(licences) == 2 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
