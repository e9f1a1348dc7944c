"""Print the lowest versions that pyproject.toml allows, as constraints for pip: .ci/lowest.py pyproject.toml."""

import re
import sys
import tomllib
from pathlib import Path


def main(path: str) -> None:
    project = tomllib.loads(Path(path).read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        if ";" in requirement:  # of another Python
            continue
        name, lowest = re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?", requirement).groups()
        print(f"{name}=={lowest}.*")


if __name__ == "__main__":
    main(sys.argv[1])
