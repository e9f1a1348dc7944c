"""Interrupt commands at random times: one line, the right exit code, no traceback, and no file that is not whole.

    python benchmarks/signals.py --signals 60 [--seed 1] [--first SECONDS]

Five commands (series, forecast, report, trend, backtest with a store) are started one after another and sent SIGINT or
SIGTERM after a time between nothing and what each takes; with --first all times are within so many seconds.  What
Python itself says in its own first hundredths of a second, before any line of the package can run, is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import default_rng

START = "import sys; from escalation_command import main; sys.exit(main())"
COMMANDS = {
    "series": "series list.csv -o series.csv",
    "forecast": "forecast list.csv -o forecast.csv --save paths.parquet",
    "report": "report list.csv -o report.pdf",
    "trend": "trend list.csv -o trend.json --ledger ledger.csv",
    "backtest": "backtest list.csv --origins 8 --store parts -o backtest.csv",
}
LINES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


@dataclass(frozen=True)
class Ending:
    """How one command ended after a signal."""

    command: str
    signal: str
    after: float
    code: int
    stderr: str
    faults: tuple[str, ...]


def write_list(folder: Path) -> None:
    """Write a year of incidents."""
    days = np.arange("2023-01-02", "2024-01-01", dtype="datetime64[D]")
    chosen = default_rng(5).choice(days, 140)
    rows = "".join(f"{day},Iraq,i{number}\n" for number, day in enumerate(sorted(chosen)))
    (folder / "list.csv").write_text(f"date,country,incident_id\n{rows}2023-13-40,Iraq,bad\n")


def start(command: str, folder: Path) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    arguments = [sys.executable, "-c", START, *COMMANDS[command].split()]
    return subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def unfinished(folder: Path) -> list[str]:
    """Names of files that are not whole, or that should not be there."""
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        match path.suffix:
            case ".csv":
                whole = content.endswith(b"\n")
            case ".json":
                whole = _is_json(content)
            case ".pdf":
                whole = content.rstrip().endswith(b"%%EOF")
            case ".parquet":
                whole = content[-4:] == b"PAR1"
            case ".npz":
                whole = zipfile.is_zipfile(path)
            case _:
                whole = False
        if path.name.startswith(".") or not whole:
            found.append(path.name)
    return found


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def interrupt(command: str, after: float, number: signal.Signals) -> Ending:
    """Start a command, send it a signal after some seconds, and look at what it leaves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_list(folder)
        process = start(command, folder)
        time.sleep(after)
        process.send_signal(number)
        begin = time.monotonic()
        _, stderr = process.communicate(timeout=60)
        took = time.monotonic() - begin
        faults = [f"left {file}" for file in unfinished(folder)]
    lines = [line for line in stderr.splitlines() if not line.startswith("warning: ")]
    if "Traceback" in stderr:
        faults.append("before the package" if "escalation" not in stderr.replace(START, "") else "traceback")
    elif process.returncode == 128 + number:
        faults += [] if lines == [LINES[number]] else [f"said {lines}"]
    elif process.returncode not in (0, -number):  # it was faster, or Python had not begun
        faults.append(f"exit code {process.returncode}")
    if took > 5:
        faults.append(f"ended {took:.0f} s later")
    return Ending(command, number.name, after, process.returncode, stderr, tuple(faults))


def run(signals: int, seed: int, first: float | None = None) -> list[Ending]:
    """Interrupt the commands in turn."""
    longest = dict.fromkeys(COMMANDS, first or 0.0)
    for command in COMMANDS if first is None else ():
        with tempfile.TemporaryDirectory() as name:
            write_list(Path(name))
            begin = time.monotonic()
            start(command, Path(name)).communicate()
            longest[command] = time.monotonic() - begin
    rng, endings = default_rng(seed), []
    for number in range(signals):
        command = list(COMMANDS)[number % len(COMMANDS)]
        sent = (signal.SIGINT, signal.SIGINT, signal.SIGTERM)[number % 3]
        endings.append(interrupt(command, float(rng.uniform(0, longest[command])), sent))
    return endings


def main() -> None:
    parser = argparse.ArgumentParser(description="Interrupt commands at random times.")
    parser.add_argument("--signals", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=float, help="all signals within so many seconds")
    options = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "agg")
    endings = run(options.signals, options.seed, options.first)
    early = [one for one in endings if one.faults == ("before the package",)]
    failed = [one for one in endings if one.faults and one not in early]
    for one in failed:
        print(f"{one.command}, {one.signal} after {one.after:.3f} s: {one.faults}\n{one.stderr}", file=sys.stderr)
    codes = {code: sum(one.code == code for one in endings) for code in sorted({one.code for one in endings})}
    faults = [fault for one in endings for fault in one.faults]
    files = sum(fault.startswith("left") for fault in faults)
    print(f"{len(endings)} signals: exit codes {codes}; {faults.count('traceback')} tracebacks, {files} partial files, "
          f"{len(failed)} failed; {len(early)} while Python itself began")  # fmt: skip
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
