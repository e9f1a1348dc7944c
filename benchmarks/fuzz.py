"""Read thousands of damaged files: a ledger or an error of the package, no traceback, no hang, no flood of memory.

    python benchmarks/fuzz.py --files 10000 [--seed 1] [--workers 2] [--keep DIR]

Each file is one of the look-alikes of ``tests/data`` in one of the formats that are read (CSV, TSV, XLSX, JSON, JSON
lines, GeoJSON, Parquet, Stata, zipped, gzipped), changed in its cells, its text or its bytes.  A file fails when
reading it raises anything but an error of the package, gives a table that breaks the invariants of incidents, takes
more than 5 seconds of processor time, or lets the process grow past 1 GB.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import io
import json
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

import escalation
from escalation.files.ledger import rows_lost
from escalation.incidents.schema import check_incidents
from escalation.tallies.read import read_tallies

SEEDS = Path(__file__).resolve().parents[1] / "tests" / "data"
SECONDS, BYTES = 5, 1 << 30
TOKENS = [
    "", " ", "NA", "nan", "null", "inf", "-inf", "1e400", "-1", "0", "99999999999999999999", "1,5", "1.5", "½", "٣",
    "2024-02-30", "0000-00-00", "31/12/2024", "12/31/2024", "1900-01-01", "9999-12-31", "20240101", "45291", "now",
    "2024-W05", "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "'", '"', '""', ",", ";", "\t", "\n", "\r", "\r\n",
    "\0", "\ufeff", "\u202e", "😀", "é", "x" * 5000, "../../etc/passwd", "<a>", "&lol;", "{", "[", "}", "]", "true",
    "None", "#", "%s", "\\", "\x1b[31m", "二",
]  # fmt: skip
BYTES_IN = [
    b"\0",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"\x80",
    b"\r",
    b'"',
    b",",
    b"\n" * 50,
]


def read_cells(path: Path) -> list[list[str]]:
    """Cells of a look-alike, header first."""
    text = path.read_text(encoding="utf-8")
    sign = max(",;\t", key=text.split("\n", 1)[0].count)
    table = pd.read_csv(io.StringIO(text), sep=sign, header=None, dtype=str, keep_default_na=False, on_bad_lines="skip")
    return [[str(cell) for cell in row] for row in table.to_numpy().tolist()]


def change_cells(rows: list[list[str]], rng: Generator) -> list[list[str]]:
    """Damage some cells, rows or columns."""
    rows = [list(row) for row in rows]
    for _ in range(rng.integers(0, 6)):
        i = int(rng.integers(len(rows))) if rng.uniform() < 0.2 else len(rows) - 1 - int(rng.integers(len(rows))) // 2
        j = int(rng.integers(max(len(rows[i]), 1)))
        match rng.integers(9):
            case 0 | 1 | 2:
                if rows[i]:
                    rows[i][min(j, len(rows[i]) - 1)] = str(rng.choice(TOKENS))
            case 3:
                rows.insert(i, list(rows[int(rng.integers(len(rows)))]))
            case 4:
                if len(rows) > 1:
                    del rows[i]
            case 5:
                rows = [row[:j] + row[j + 1 :] for row in rows]
            case 6:
                rows = [[*row[:j], str(rng.choice(TOKENS)) or "extra", *row[j:]] for row in rows]
            case 7:
                rows[i] = [*rows[i][:j], *[""] * len(rows[i][j:])]
            case _:
                rows[0] = [str(name) for name in rng.permutation(rows[0])] if rows[0] else rows[0]
    return rows


def frame(rows: list[list[str]]) -> pd.DataFrame:
    """A table of text with as many columns as the widest row."""
    width = max(max(len(row) for row in rows), 1)
    filled = [row + [""] * (width - len(row)) for row in rows]
    names = [f"{name}{'' if filled[0].index(name) == place else f'.{place}'}" for place, name in enumerate(filled[0])]
    return pd.DataFrame(filled[1:], columns=names, dtype=object)


def as_text(rows: list[list[str]], sign: str) -> bytes:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in f'{sign}"\n\r') else cell

    return "\n".join(sign.join(quoted(cell) for cell in row) for row in rows).encode("utf-8", "surrogatepass")


def as_xlsx(rows: list[list[str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(["".join(c for c in cell if c.isprintable())[:1000] for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_geojson(rows: list[list[str]]) -> bytes:
    records = frame(rows).to_dict("records")
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [44.4, 33.3]}, "properties": record}
        for record in records
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def as_parquet(rows: list[list[str]]) -> bytes:
    stream = io.BytesIO()
    frame(rows).astype(str).to_parquet(stream)
    return stream.getvalue()


def as_stata(rows: list[list[str]]) -> bytes:
    stream = io.BytesIO()
    table = frame(rows)
    short = [("".join(c if c.isalnum() and c.isascii() else "_" for c in name)[:28] or "v") for name in table.columns]
    table.columns = [f"{'v' if not name[0].isalpha() else ''}{name}{place}" for place, name in enumerate(short)]
    printable = table.apply(lambda column: column.map(lambda cell: "".join(c for c in cell if c.isprintable())[:200]))
    printable.to_stata(stream, write_index=False, version=118)
    return stream.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


FORMATS: dict[str, tuple[Callable[[list[list[str]]], bytes], int]] = {
    ".csv": (lambda rows: as_text(rows, ","), 6),
    ".tsv": (lambda rows: as_text(rows, "\t"), 3),
    ".txt": (lambda rows: as_text(rows, ";"), 2),
    ".xlsx": (as_xlsx, 3),
    ".json": (lambda rows: frame(rows).to_json(orient="records").encode(), 2),
    ".jsonl": (lambda rows: frame(rows).to_json(orient="records", lines=True).encode(), 1),
    ".geojson": (as_geojson, 1),
    ".parquet": (as_parquet, 2),
    ".dta": (as_stata, 1),
    ".csv.zip": (lambda rows: zipped("table.csv", as_text(rows, ",")), 1),
    ".csv.gz": (lambda rows: gzip.compress(as_text(rows, ","), mtime=0), 1),
}
"""How each format is written, and how often it is chosen."""


def change_bytes(content: bytes, rng: Generator) -> bytes:
    """Damage some bytes: flipped, cut, doubled, or strange ones put in."""
    raw = bytearray(content)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 3])):
        at = int(rng.integers(len(raw) + 1))
        length = int(rng.integers(1, 200))
        match rng.integers(5):
            case 0:
                if at < len(raw):
                    raw[at] ^= int(rng.integers(1, 256))
            case 1:
                del raw[at : at + length]
            case 2:
                raw[at:at] = raw[at : at + length]
            case 3:
                raw[at:at] = BYTES_IN[rng.integers(len(BYTES_IN))]
            case _:
                del raw[at:]
    return bytes(raw)


def make(seed: int, cells: list[list[list[str]]]) -> tuple[str, bytes]:
    """The ending and the content of one damaged file."""
    rng = default_rng(seed)
    rows = change_cells(cells[rng.integers(len(cells))], rng)
    weights = np.array([often for _, often in FORMATS.values()], dtype=float)
    ending = str(rng.choice(list(FORMATS), p=weights / weights.sum()))
    try:
        content = FORMATS[ending][0](rows)
    except Exception:  # what a writer refuses is no file
        ending, content = ".csv", as_text(rows, ",")
    return ending, change_bytes(content, rng)


def attempt(path: Path, *, tallies: bool) -> str:
    """Read one file; what came of it, or the traceback where it failed."""

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} s of processor time")

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of processor time, as the machine may be shared
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", escalation.EscalationWarning)
            if tallies:
                _, ledger = read_tallies(path)
            else:
                incidents, ledger = escalation.read_incidents(path)
                check_incidents(incidents)
                escalation.assessment.data_quality(incidents, ledger=ledger)
            rows_lost(ledger)
    except escalation.EscalationError as error:
        text = str(error)
        return (
            "refused"
            if "\n" not in text and len(text) < 2_000
            else f"message of {len(text)} characters: {text[:200]!r}"
        )
    except BaseException:  # that is what is looked for
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "read"


def work(job: tuple[int, int, str]) -> tuple[int, str, str, float, int]:
    """Make and read one file in a process whose memory is bounded."""
    seed, limit, folder = job
    global _CELLS
    if not _CELLS:
        _CELLS = [read_cells(path) for path in sorted(SEEDS.iterdir()) if path.is_file()]
        for path in SEEDS.glob("*lookalike*.csv"):  # what loads at first use is not what is timed
            escalation.assessment.data_quality(escalation.read_incidents(path)[0])
    ending, content = make(seed, _CELLS)
    path = Path(folder) / f"{seed}{ending}"
    path.write_bytes(content)
    begin = time.process_time()
    outcome = attempt(path, tallies=seed % 10 == 0)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peak > limit:
        outcome = f"memory: {peak >> 20} MB"
    if outcome in ("read", "refused"):
        path.unlink()
    return seed, ending, outcome, seconds, peak


_CELLS: list[list[list[str]]] = []


def run(files: int, seed: int, workers: int, folder: str) -> Iterator[tuple[int, str, str, float, int]]:
    """Read so many files."""
    jobs = [(seed * 1_000_000 + number, BYTES, folder) for number in range(files)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, maxtasksperchild=2_000) as pool:
        yield from pool.imap_unordered(work, jobs, chunksize=20)


def main() -> None:
    parser = argparse.ArgumentParser(description="Read damaged files.")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", help="folder for the files that failed; left out, they go with the run")
    options = parser.parse_args()
    begin = time.perf_counter()
    outcomes: collections.Counter[tuple[str, str]] = collections.Counter()
    slowest, peak, failed = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or scratch
        Path(folder).mkdir(parents=True, exist_ok=True)
        for seed, ending, outcome, seconds, memory in run(options.files, options.seed, options.workers, folder):
            known = outcome in ("read", "refused")
            outcomes[ending, outcome if known else "FAILED"] += 1
            slowest, peak = max(slowest, seconds), max(peak, memory)
            if not known:
                failed += 1
                print(f"{seed}{ending}\n{outcome}", file=sys.stderr)
    rows = [(ending, outcome, number) for (ending, outcome), number in outcomes.items()]
    table = pd.DataFrame(rows, columns=["format", "outcome", "files"])
    print(table.pivot_table(index="format", columns="outcome", values="files", fill_value=0).astype(int).to_string())
    print(f"{options.files:,} files in {time.perf_counter() - begin:.0f} s: {failed} failed; slowest {slowest:.1f} s, "
          f"largest process {peak >> 20} MB")  # fmt: skip
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
