"""How long a million rows take from a CSV to incidents, all checks and the ledger included, and how much memory.

Run: python benchmarks/reading.py [--rows 1000000] [--own [--without-pyarrow]]

`--own` writes an own table in place of an ACLED export: days as d/m/Y, commas in quotes, a text of its own in each row;
1,650,000 rows are 240 MB, to be read in 10 s of processor time and 1 GB, and without pyarrow in 20 s and 1.5 GB.
"""

import argparse
import os
import subprocess
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
LIMITS_OWN = {False: (10.0, 1.0), True: (20.0, 1.5)}
"""Seconds of CPU and gigabytes for 1,650,000 rows of an own table, with pyarrow and without."""
WITHOUT = "sys.modules['pyarrow'] = None;"
"""What makes Python say that pyarrow is not installed."""


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


def own_table(rows: int) -> pd.DataFrame:
    """An invented table as people write them."""
    rng = np.random.default_rng(6)
    days = pd.Timestamp("2014-01-01") + pd.to_timedelta(rng.integers(0, 3650, rows), unit="D")
    province = rng.integers(0, 120, rows)
    return pd.DataFrame(
        {
            "event_date": days.strftime("%d/%m/%Y"),
            "actor": rng.choice([f"Group {i}" for i in range(400)], rows),
            "target": rng.choice([f"Group {i}" for i in range(400)], rows),
            "country": [f"Country {i % 12}" for i in province],
            "admin1": [f"Province {i}, north" for i in province],
            "place": [f"Town {i}" for i in rng.integers(0, 9000, rows)],
            "latitude": (30 + province / 10).round(4),
            "longitude": (40 + province / 20).round(4),
            "fatalities": rng.poisson(0.6, rows),
            "notes": [f"report {i}, from the field, with some words to fill" for i in range(rows)],
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--own", action="store_true", help="an own table, and what memory it takes at the most")
    parser.add_argument("--without-pyarrow", action="store_true", help="with --own: as where pyarrow is not installed")
    options = parser.parse_args()
    rows = options.rows
    if options.own:
        return read_own(rows, WITHOUT if options.without_pyarrow else "", *LIMITS_OWN[options.without_pyarrow])
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


def read_own(rows: int, before_it: str, seconds: float, gigabytes: float) -> int:
    """Read an own table in a process of its own, whose memory is that of nothing else.

    Another writes the file, for a process begins with the memory of the one that starts it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.csv"
        write = f"import reading; reading.own_table({rows}).to_csv(sys.argv[2], index=False)"
        write = f"import sys; sys.path.insert(0, sys.argv[1]); {write}"
        subprocess.run([sys.executable, "-c", write, str(Path(__file__).parent), str(path)], check=True)
        script = (
            f"import sys; {before_it} import warnings, escalation; warnings.simplefilter('ignore');"
            "incidents, ledger = escalation.read_incidents(sys.argv[1]); print(len(incidents))"
        )
        read = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
        assert read.stdout is not None
        said = read.stdout.read()
        _, read.returncode, after = os.wait4(read.pid, 0)
        size = path.stat().st_size / 1e6
    assert read.returncode == 0 and int(said) == rows
    cpu = after.ru_utime + after.ru_stime
    print(
        f"{rows:,} rows, {size:,.0f} MB: {cpu:.1f} s of CPU, start included, {after.ru_maxrss / 1e6:.2f} GB at the most"
    )
    print(f"limits {seconds * rows / 1.65e6:.1f} s and {gigabytes * rows / 1.65e6:.2f} GB")
    return int(cpu > seconds * rows / 1.65e6 or after.ru_maxrss / 1e6 > gigabytes * rows / 1.65e6)


def write_small(folder: Path) -> Path:
    path = folder / "small.csv"
    table(10).to_csv(path, index=False)
    return path


if __name__ == "__main__":
    sys.exit(main())
