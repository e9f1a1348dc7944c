"""How long a million rows take from a CSV to incidents, all checks and the ledger included.

Run: python benchmarks/reading.py [--rows 1000000]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import escalation
from escalation.files.ledger import rows_lost

LIMIT = 4.0
"""Seconds of CPU for a million rows."""


def table(rows: int) -> pd.DataFrame:
    """An invented table with the columns of an ACLED export that are used."""
    rng = np.random.default_rng(5)
    days = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 2200, rows), unit="D")
    return pd.DataFrame(
        {
            "event_id_cnty": [f"FRE{i}" for i in range(rows)],
            "event_date": days.strftime("%Y-%m-%d"),
            "time_precision": rng.integers(1, 4, rows),
            "event_type": rng.choice(["Battles", "Protests", "Riots"], rows),
            "actor1": rng.choice([f"Actor {i}" for i in range(50)], rows),
            "actor2": rng.choice([f"Actor {i}" for i in range(50)], rows),
            "country": rng.choice([f"Country {i}" for i in range(30)], rows),
            "location": rng.choice([f"Place {i}" for i in range(3000)], rows),
            "latitude": rng.uniform(10, 21, rows).round(4),
            "longitude": rng.uniform(20, 31, rows).round(4),
            "fatalities": rng.poisson(1, rows),
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "incidents.csv"
        table(rows).to_csv(path, index=False)
        escalation.read_incidents(write_small(Path(folder)))  # what is imported late is not counted
        wall, cpu = time.perf_counter(), time.process_time()
        pd.read_csv(path, dtype=object, na_filter=False)
        bare = time.process_time() - cpu
        wall, cpu = time.perf_counter(), time.process_time()
        incidents, ledger = escalation.read_incidents(path)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert len(incidents) + rows_lost(ledger) == rows
    print(f"{rows:,} rows, {incidents.shape[1]} columns: {cpu:.2f} s of CPU, {wall:.2f} s on the clock")
    print(f"pandas.read_csv of the same file as text alone: {bare:.2f} s of CPU; ratio {cpu / bare:.2f}")
    print(f"limit {LIMIT * rows / 1e6:.1f} s")
    return int(cpu > LIMIT * rows / 1e6)


def write_small(folder: Path) -> Path:
    path = folder / "small.csv"
    table(10).to_csv(path, index=False)
    return path


if __name__ == "__main__":
    sys.exit(main())
