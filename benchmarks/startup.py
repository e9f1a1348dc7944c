"""How long the command line and the import take, against the imports that they cannot avoid.

Run: python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

REPEATS = 15
HEAVY = ("matplotlib", "statsmodels", "numba", "pandas", "rich")
COMMAND = str(Path(sysconfig.get_path("scripts"), "escalation"))
RUNS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "escalation --help": [COMMAND, "--help"],
    "escalation report --help": [COMMAND, "report", "--help"],
    "import pandas": [sys.executable, "-c", "import pandas"],
    "import escalation": [sys.executable, "-c", "import escalation"],
}
LIMITS = (
    ("escalation --help", "import typer", 2.0),
    ("import escalation", "import pandas", 1.5),
)


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def medians() -> dict[str, float]:
    # in turns, so that a busy spell of the machine hits all alike; the first round fills caches
    rounds = [{name: seconds(command) for name, command in RUNS.items()} for _ in range(REPEATS + 1)][1:]
    return {name: statistics.median(run[name] for run in rounds) for name in RUNS}


def loaded(statement: str) -> list[str]:
    script = f"import sys; {statement}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.split()


def main() -> int:
    took = medians()
    for name, median in took.items():
        print(f"{name:26} {1000 * median:6.0f} ms")
    over = 0
    for name, reference, limit in LIMITS:
        ratio = took[name] / took[reference]
        over += ratio > limit
        print(f"{name} / {reference}: {ratio:.2f} (limit {limit})")
    for statement in ("import escalation", "import escalation.models", "import escalation.cli.application"):
        found = loaded(statement)
        over += bool(found)
        print(f"{statement} loads of {', '.join(HEAVY)}: {', '.join(found) or 'none'}")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
