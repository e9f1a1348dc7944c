"""Counts from an engine are those of aggregate on the same rows, whichever engine it is."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escalation.errors import DataWarning, FileError, InputError, PartialPeriodWarning
from escalation.incidents import count_in_database
from escalation.incidents.aggregate import aggregate
from escalation.incidents.engines import engine

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
CALLS = [
    {"freq": "D", "count_on": "last"},
    {"freq": "W", "by": "actor", "count_on": "last"},
    {"freq": "W-WED", "by": ["actor"], "measure": "fatalities", "count_on": "last"},
    {"freq": "M", "by": ["district", "actor"], "count_on": "first"},
    {"freq": "M", "by": "district", "count_on": "middle", "measure": "fatalities"},
    {"freq": "W-SAT", "by": "district", "count_on": "middle", "start": "1969-06-01", "end": "1970-12-31"},
    {
        "freq": "W-MON",
        "by": "actor",
        "start": "1960-01-01",
        "end": "1975-01-01",
        "as_of": "1970-03-01",
        "count_on": "last",
    },
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
    counts, ledger = quietly(count_in_database, source, **call)
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


# --- what is counted, and what is not ---------------------------------------------------------------------


@pytest.fixture
def held():
    """Puts a DataFrame into a DuckDB and gives it as an Ibis table."""
    connection = ibis.duckdb.connect()

    def hold(table):
        with engine.quiet():
            connection.con.register("held", table)
            return connection.table("held")

    return hold


@pytest.mark.parametrize("call", CALLS, ids=names_of)
def test_grouping_in_the_engine_gives_the_same(held, monkeypatch, call):
    # what engines other than DuckDB do
    monkeypatch.setattr(engine, "_from_duckdb", lambda counted, sought, grid, _: engine._grouped(counted, sought, grid))
    same(held(TABLE), call)


def test_the_ledger_says_what_became_of_every_row(held):
    table = pd.DataFrame(
        {
            "day": days(
                "2024-11-04", None, "2024-11-06", "2024-11-07", "0025-11-04", "2024-12-25", "2024-11-20", "2024-11-21"
            ),
            "until": days(
                "2024-11-05", None, None, "2024-11-01", "0025-11-04", "2024-12-25", "2024-11-20", "2024-11-21"
            ),
            "known": days(*["2024-11-30"] * 7, None),
            "side": ["A", "A", None, "A", "A", "A", "", "A"],
        }
    )
    columns = {"date": "day", "date_end": "until", "as_of": "known"}
    with pytest.warns(DataWarning) as said:
        counts, ledger = count_in_database(
            held(table), "W", "side", "2024-11-04", "2024-11-24", columns=columns, as_of="2024-12-31"
        )
    assert counts.to_dict("list") == {"(blank)": [1, 0, 1], "A": [1, 0, 0]}
    assert ledger.to_dict("split")["data"] == [
        [3, "counted", ""],
        [1, "dropped", "has no date"],
        [1, "dropped", "ends before its date"],
        [1, "dropped", "lies outside 1900 to 2199"],
        [1, "dropped", "had not become known by as_of"],
        [1, "dropped", "lies outside start to end"],
        [1, "changed", "has no until: ends on its date"],
        [2, "changed", "has no side: counted under (blank)"],
    ]
    assert [str(one.message)[:30] for one in said] == [
        "3 of 8 rows cannot be counted ",
        "1 of 4 incidents lie outside 2",
    ]


def test_progress_goes_to_the_end(held, monkeypatch):
    monkeypatch.setattr(engine, "BATCH", 2048)  # DuckDB gives no fewer at a time
    calls = []
    table = pd.DataFrame({"date": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(5000) % 7, unit="D")})
    counts, _ = count_in_database(held(table), "W", progress=lambda done, total: calls.append((done, total)))
    assert counts.tolist() == [5000]
    assert calls == [(2048, 5000), (4096, 5000), (5000, 5000)]


def test_integer_and_date_columns_can_be_units(held):
    table = pd.DataFrame(
        {"date": days("2024-11-04", "2024-11-05"), "cell": [9, 3], "since": days("2020-01-01", "2019-01-01")}
    )
    counts, _ = quietly(count_in_database, held(table), "D", ["cell", "since"])
    pd.testing.assert_frame_equal(counts, quietly(aggregate, table, "D", ["cell", "since"]), check_column_type=False)


# --- what is refused --------------------------------------------------------------------------------------

ONE = pd.DataFrame(
    {"date": days("2024-11-04"), "when": ["4 November"], "fatalities": [1.5], "events": [None], "side": "A"}
)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": {"date": "when"}}, "'when' of the table is string, not dates"),
        ({"columns": {"date": "Datum"}}, "columns names 'Datum', which is not in the table"),
        ({"columns": {"day": "date"}}, "columns has no use for 'day'"),
        ({"measure": "fatalities"}, "1 rows have in 'fatalities' a number that is not whole"),
        ({"measure": "fatalities", "columns": {"fatalities": "side"}}, "'side' of the table is string, not numbers"),
        ({"columns": {"events": "fatalities"}}, "1 rows have in 'fatalities' a number"),
        ({"as_of": "2024-11-04"}, "no times at which rows became known"),
        ({"by": "town"}, "by names 'town'"),
        ({"start": "2024-12-01", "end": "2024-11-01"}, "swap them"),
    ],
)
def test_options_that_do_not_fit_the_table(held, options, said):
    with pytest.raises(InputError, match=said):
        quietly(count_in_database, held(ONE.drop(columns="events")), "W", **options)


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (ONE.astype({"events": "Int64"}), {}, "1 rows have no number in 'events'"),
        (ONE[["when"]], {}, "no column 'date'"),
        (ONE[["date"]], {"measure": "fatalities"}, "no column of fatalities"),
        (ONE[["date"]].iloc[:0], {}, "it is empty"),
        (ONE[["date"]].mask(ONE["date"].notna()), {}, r"no row of the table can be counted \(1 rows: has no date\)"),
        (ONE[["date"]].apply(lambda day: day.dt.tz_localize("UTC")), {}, "times with a time zone"),
    ],
)
def test_tables_that_cannot_be_counted(held, table, options, said):
    with pytest.raises(InputError, match=said):
        count_in_database(held(table), "W", **options)


def test_sources_that_are_none(tmp_path):
    for name in ("a.csv", "b.parquet", "c.docx"):
        (tmp_path / name).write_text("no table")
    with pytest.raises(InputError, match="give it to aggregate"):
        count_in_database(ONE, "W")
    with pytest.raises(InputError, match="source is a int"):
        count_in_database(3, "W")
    with pytest.raises(FileError, match="no file fits this pattern"):
        count_in_database(tmp_path / "*.csv.gz", "W")
    with pytest.raises(FileError, match="DuckDB counts in"):
        count_in_database(tmp_path / "c.docx", "W")
    with pytest.raises(InputError, match="files of several kinds"):
        count_in_database([tmp_path / "a.csv", tmp_path / "b.parquet"], "W")
    with pytest.raises(FileError, match="DuckDB cannot read it"):
        count_in_database(tmp_path / "b.parquet", "W")


def test_an_engine_that_stops_is_named(held):
    table = held(pd.DataFrame({"date": days("2024-11-04"), "text": ["no number"]}))
    with pytest.raises(InputError, match="the engine stopped with ConversionException"):
        count_in_database(table.mutate(fatalities=table.text.cast("int64")), "W", measure="fatalities")


def test_a_table_that_changes_meanwhile_is_noticed(held, monkeypatch):
    part = engine.Part(np.array([0, 0]), 1, 1, 0)
    monkeypatch.setattr(engine, "counts_of", lambda *_: iter([part]))
    with pytest.raises(InputError, match="had 1 rows to count and then 2"):
        quietly(count_in_database, held(ONE[["date"]]), "W")


@pytest.mark.parametrize(
    ("missing", "said"), [("ibis", "needs Ibis and DuckDB; pip install"), ("duckdb", "needs DuckDB; pip")]
)
def test_without_the_extra_an_error_names_it(monkeypatch, tmp_path, missing, said):
    (tmp_path / "a.csv").write_text("date\n2024-11-04\n")
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "ibis.backends.duckdb", raising=False)
    monkeypatch.delitem(vars(ibis), "duckdb", raising=False)
    with pytest.raises(InputError, match=said):
        count_in_database(tmp_path / "a.csv", "W")
