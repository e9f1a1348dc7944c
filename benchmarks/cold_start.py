"""How much of a first run is compilation, and of which functions: the command with an empty cache, in CPU seconds.

    python benchmarks/cold_start.py [CASE] [--again]

Writes the report of a case with nothing compiled, and lists what each compiled function cost by itself, without those
that it calls; a function that is compiled more than once is named with the arguments in which the times differ.
``--again`` writes it once more with what was kept.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

SHOWN = 25


def watch() -> list[tuple[str, str, float]]:
    """Each compilation from now on: the function, the types of its arguments, its own CPU seconds."""
    from numba.core import event

    open_: list[list[float]] = []
    done: list[tuple[str, str, float]] = []

    class Listener(event.Listener):
        def on_start(self, event: object) -> None:  # noqa: ARG002
            open_.append([time.process_time(), 0.0])

        def on_end(self, event: object) -> None:
            start, inner = open_.pop()
            took = time.process_time() - start
            if open_:
                open_[-1][1] += took
            function = event.data["dispatcher"].py_func
            done.append((f"{function.__module__}.{function.__name__}", str(event.data["args"]), took - inner))

    event.register("numba:compile", Listener())
    return done


def differing(types: list[str]) -> str:
    """The first words in which the types of arguments differ."""
    parts = [one.split(", ") for one in types]
    return next((" or ".join(dict.fromkeys(words)) for words in zip(*parts, strict=False) if len(set(words)) > 1), "")


def run(case: str, path: str) -> None:
    done = watch()
    from escalation.cli import main

    sys.argv = ["escalation", "report", case, "-o", path]
    code = main()
    total, own = time.process_time(), defaultdict(list)
    for name, types, took in done:
        own[name].append((took, types))
    for name, each in sorted(own.items(), key=lambda one: -sum(took for took, _ in one[1]))[:SHOWN]:
        twice = f"  {len(each)} times: {differing([types for _, types in each])}" if len(each) > 1 else ""
        print(f"{sum(took for took, _ in each):7.2f} s  {name}{twice[:120]}", file=sys.stderr)
    compiled = sum(took for _, _, took in done)
    print(f"{total:.1f} s of CPU, {compiled:.1f} of them for {len(done)} compilations (wanted: 8)", file=sys.stderr)
    sys.exit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU seconds of compilation in a first run.")
    parser.add_argument("case", nargs="?", default="november-2024-article")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.case, options.run)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, options.case, "--run", f"{folder}/report.pdf"]
        for _ in range(1 + options.again):
            own = os.environ | {"NUMBA_CACHE_DIR": f"{folder}/cache"}
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=own)


if __name__ == "__main__":
    main()
