"""Counts from an engine are those of aggregate on the same rows, whichever engine it is."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escalation import count_incidents
from escalation.errors import DataWarning, FileError, InputError, PartialPeriodWarning
from escalation.incidents import count as count_module
from escalation.incidents import engine
from escalation.incidents.aggregate import aggregate

ibis = pytest.importorskip("ibis", reason="Ibis is not installed: pip install 'escalation[duckdb]'")
pytest.importorskip("duckdb", reason="DuckDB is not installed: pip install 'escalation[duckdb]'")


def days(*texts):
    return pd.Series(pd.to_datetime(list(texts)))


def rows(number=400, seed=3):
    """Incidents of all kinds: at any time of the day, before 1970, with windows, blank units, unknown fatalities."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("1968-12-20") + pd.to_timedelta(rng.integers(0, 900 * 86_400, number), unit="s")
    first = pd.Series(first).where(rng.random(number) < 0.9, pd.Timestamp("1970-01-04 23:59:59.9"))
    length = pd.to_timedelta(rng.choice([0, 0, 1, 2, 3, 9, 40], number), unit="D")
    fatalities = pd.Series(rng.poisson(2, number), dtype="Int64").mask(rng.random(number) < 0.02)
    return pd.DataFrame(
        {
            "date": first,
            "date_end": first.dt.normalize() + length,
            "actor": pd.Series(rng.choice(["A", "B", "", None, "O'Neill's"], number), dtype=object),
            "district": rng.integers(1, 4, number),
            "fatalities": fatalities,
            "events": rng.integers(0, 4, number),
            "as_of": first + pd.to_timedelta(rng.integers(1, 60, number), unit="D"),
        }
    )


TABLE = rows()
BY = [None, "actor", ["actor", "district"]]
CALLS = [
    {"freq": "D"},
    {"freq": "W", "by": "actor"},
    {"freq": "W-WED", "by": ["actor"], "measure": "fatalities"},
    {"freq": "M", "by": ["district", "actor"], "count_on": "first"},
    {"freq": "M", "by": "district", "count_on": "middle", "measure": "fatalities"},
    {"freq": "W-SAT", "by": "district", "count_on": "middle", "start": "1969-06-01", "end": "1970-12-31"},
    {"freq": "W-MON", "by": "actor", "start": "1960-01-01", "end": "1975-01-01", "as_of": "1970-03-01"},
]


def names_of(call):
    by = call.get("by") or "all"
    return "-".join(str(value) for value in (call["freq"], by, call.get("measure", "incidents")))


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartialPeriodWarning)
        warnings.simplefilter("ignore", DataWarning)
        return function(*arguments, **options)


def same(source, call, table=TABLE):
    """Whether an engine counts what aggregate counts, and says what became of all rows."""
    expected = quietly(aggregate, table, **call)
    counts, ledger = quietly(count_incidents, source, **call)
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(counts, expected)
    else:
        pd.testing.assert_frame_equal(counts, expected, check_column_type=False)
    assert ledger.loc[ledger["action"] != "changed", "rows"].sum() == len(table)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    TABLE.iloc[:150].to_parquet(folder / "part-1.parquet", index=False)
    TABLE.iloc[150:, ::-1].to_parquet(folder / "part-2.parquet", index=False)
    TABLE.iloc[:90].to_csv(folder / "part-1.csv", index=False)
    TABLE.iloc[90:, ::-1].to_csv(folder / "part-2.csv.gz", index=False)
    return folder


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of our own, as an Ibis connection."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'escalation[postgres]'")
    found = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    tools = {
        tool: shutil.which(tool, path=os.pathsep.join([os.environ["PATH"], *found])) for tool in ("initdb", "postgres")
    }
    if not all(tools.values()):
        pytest.skip("no PostgreSQL server on this machine: install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="escalation-postgres-"))
    user = {}
    if os.getuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    where = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
    subprocess.run(
        [tools["initdb"], "-D", folder / "data", "-U", "tester", "--no-sync", "-A", "trust"], check=True, **where
    )
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    running = subprocess.Popen([tools["postgres"], "-D", folder / "data", *options], **where)
    try:
        for _ in range(100):
            try:
                connection = ibis.postgres.connect(host=str(folder), user="tester", database="postgres")
                break
            except psycopg.OperationalError:
                assert running.poll() is None, "the server stopped"
                time.sleep(0.1)
        with engine.quiet():
            connection.create_table("incidents", TABLE)
        yield connection
        connection.disconnect()
    finally:
        running.send_signal(signal.SIGINT)  # without waiting for connections to end
        running.wait(20)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Spark in local mode, as an Ibis connection."""
    pyspark = pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'escalation[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, which is not on this machine")
    session = (
        pyspark.sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield ibis.pyspark.connect(session)
    session.stop()


# --- the same as aggregate --------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS, ids=names_of)
@pytest.mark.parametrize("pattern", ["*.parquet", "part*.csv*"])
def test_files_through_duckdb(files, pattern, call):
    same(files / pattern, call)


@pytest.mark.parametrize("call", CALLS, ids=names_of)
def test_a_duckdb_of_ones_own(files, call):
    with engine.quiet():
        table = ibis.duckdb.connect().read_parquet(str(files / "*.parquet"), union_by_name=True)
    same(table, call)
    same(table.filter(table.district < 3), call, TABLE[TABLE["district"] < 3])


@pytest.mark.parametrize("call", CALLS, ids=names_of)
def test_postgres(server, call):
    same(server.table("incidents"), call)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # py4j's
@pytest.mark.parametrize("call", CALLS, ids=names_of)
def test_spark(spark, files, call):
    same(spark.read_parquet(str(files / "*.parquet")), call)


def test_period_numbers_of_every_day():
    day = np.arange(engine.FIRST_DAY, engine.LAST_DAY)
    dates = pd.Series(pd.to_datetime(day, unit="D"))
    assert dates.iloc[0] == pd.Timestamp("1900-01-01")
    assert dates.iloc[-1] == pd.Timestamp("2199-12-31")
    for freq in ("D", "M", "W-SUN", "W-MON", "W-TUE", "W-WED", "W-THU", "W-FRI", "W-SAT"):
        number = engine.period_number(day, freq)
        ordinal = dates.dt.to_period(freq).array.asi8
        assert number.min() >= 0
        np.testing.assert_array_equal(number - number[0], ordinal - ordinal[0])
