"""Tampering with a ledger of questions: how much of it shows against a printed head.

    python benchmarks/ledger.py [--trials 1000] [--seed 1]

A ledger of some 40 questions and resolutions is changed in one way: a value in an entry, an entry taken out, two put in
the other order, the tail cut off; with the hashes as they were, or all made anew from the change on, as somebody would
who knows the format.  Each time it is read again with the head that was printed before.  Last, a ledger that is made
anew as a whole is read without a head: that cannot show, and does not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from escalation.cases.questions.ledger import QuestionLedger, read_ledger
from escalation.cases.questions.question import Question, Resolution
from escalation.errors import InputError
from escalation.files.hash_chain import append_entries

Lines = list[dict[str, Any]]
SIZE = 40
"""Entries of the ledger."""


def example(path: Path, rng: Generator) -> QuestionLedger:
    """Write a ledger of questions, half of which are answered."""
    for place in range(SIZE):
        if place % 2:
            made = Resolution(
                question=place, outcome=str(rng.choice(["YES", "NO"])), as_of=dt.date(2025, 3, 1), probability=0.99,
                median=12.0, lower=10.0, upper=15.0, spoken=1.0, missing="", sha256="b" * 64,
                written="2025-03-01T08:00:00+00:00",
            )  # fmt: skip
        else:
            made = Question(
                asked="2024-11-12T08:00:00+00:00", words="", source="case", sha256="a" * 64, series="attacks",
                counter="ministry", place="ALL", unit="attacks", find_in=None, freq="W-SUN", at_least=10 + place,
                over=None, first=dt.date(2024, 11, 18), last=dt.date(2024, 12, 29), as_of=dt.date(2024, 11, 17),
                observed_until=dt.date(2024, 11, 17), probability=float(rng.uniform(0, 1)), mc_error=0.01,
                base_rate=float(rng.uniform(0, 1)), base_windows=5.0, model="changing_rate", draws=4000, seed=1,
                version="0", void_from=dt.date(2025, 3, 29),
            )  # fmt: skip
        content = made.content()
        append_entries(path, lambda _, content=content: [content])
    return read_ledger(path)


def edit(lines: Lines, rng: Generator) -> int:
    """Change a value of an entry."""
    place = int(rng.integers(len(lines)))
    keys = [key for key in lines[place] if key not in ("entry", "previous")]
    key = str(rng.choice(keys))
    value = lines[place][key]
    changed = value / 2 + 0.001 if isinstance(value, float) else value + 1 if isinstance(value, int) else f"{value}."
    lines[place][key] = changed
    return place


def delete(lines: Lines, rng: Generator) -> int:
    """Take an entry out."""
    place = int(rng.integers(len(lines)))
    del lines[place]
    return place


def reorder(lines: Lines, rng: Generator) -> int:
    """Put two entries in the other order."""
    first, second = sorted(rng.choice(len(lines), 2, replace=False).tolist())
    lines[first], lines[second] = lines[second], lines[first]
    return first


def cut(lines: Lines, rng: Generator) -> int:
    """Cut the tail off."""
    place = int(rng.integers(1, len(lines)))
    del lines[place:]
    return place


WAYS: dict[str, Callable[[Lines, Generator], int]] = {
    "edited": edit, "deleted": delete, "reordered": reorder, "cut off": cut,
}  # fmt: skip


def tampered(lines: Lines, way: str, anew: bool, path: Path, rng: Generator) -> None:
    """Write the ledger with one change, its hashes as they were or made anew."""
    changed = [dict(line) for line in lines]
    WAYS[way](changed, rng)
    path.unlink(missing_ok=True)
    if anew:
        contents = [{key: value for key, value in line.items() if key not in ("entry", "previous")} for line in changed]
        append_entries(path, lambda _: contents)
    else:
        path.write_bytes(b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in changed))


def found(path: Path, head: str | None) -> bool:
    """Whether reading the ledger says that something is wrong."""
    try:
        read_ledger(path, head)
    except InputError:
        return True
    return False


def measure(trials: int, seed: int) -> dict[str, tuple[int, int]]:
    """Of each way, how many changes were found against the printed head, of how many."""
    rng = np.random.default_rng(seed)
    counted: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        head = example(path, rng).head
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert not found(path, head)
        for trial in range(trials):
            way, anew = list(WAYS)[trial % len(WAYS)], trial // len(WAYS) % 2 == 1
            tampered(lines, way, anew, path, rng)
            counted.setdefault(f"{way}, hashes {'made anew' if anew else 'as they were'}", []).append(found(path, head))
        whole = [dict(line, probability=0.5) if "probability" in line else line for line in lines]
        path.unlink()
        contents = [{key: value for key, value in line.items() if key not in ("entry", "previous")} for line in whole]
        append_entries(path, lambda _: contents)
        counted["all made anew, no head (cannot show)"] = [found(path, None)]
    return {way: (sum(results), len(results)) for way, results in counted.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Tampering with a ledger of questions.")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.process_time()
    results = measure(options.trials, options.seed)
    for way, (number, of) in results.items():
        print(f"{way}: found {number:,} of {of:,}")
    with_head = [pair for way, pair in results.items() if "no head" not in way]
    total = sum(pair[0] for pair in with_head), sum(pair[1] for pair in with_head)
    print(f"against a printed head: {total[0]:,} of {total[1]:,}; {time.process_time() - begin:.0f} s of CPU")
    sys.exit(int(total[0] < total[1]))


if __name__ == "__main__":
    main()
