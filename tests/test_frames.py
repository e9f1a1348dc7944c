"""Tables of other libraries: the same numbers from polars, Arrow, DuckDB and Ibis as from pandas."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import EscalationWarning
from escalation.files.frames import as_pandas
from escalation.incidents.schema import check_incidents

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'escalation[parquet]'")


def table(number: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    killed = pd.Series(rng.poisson(1, number), dtype="Int64").mask(rng.random(number) < 0.1)
    return pd.DataFrame(
        {
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 300, number)), unit="D"),
            "admin1": rng.choice(["North", "South", "O'Hara"], number),
            "event_type": pd.Series(rng.choice(["raid", "shelling"], number)).mask(rng.random(number) < 0.1),
            "latitude": rng.uniform(30, 40, number),
            "fatalities": killed,
            "incident_id": [f"i{at}" for at in range(number)],
            "district": rng.integers(1, 4, number),
        }
    )


def arrow(given: pd.DataFrame) -> object:
    held = pa.Table.from_pandas(given, preserve_index=False)
    return held.set_column(0, "date", held["date"].cast(pa.date32()))


def polars(given: pd.DataFrame) -> object:
    return pytest.importorskip("polars").from_arrow(arrow(given))


def duckdb(given: pd.DataFrame) -> object:
    connection = pytest.importorskip("duckdb").connect()
    connection.register("held", arrow(given))
    return connection.sql("SELECT * REPLACE (fatalities::HUGEINT AS fatalities) FROM held")


def ibis(given: pd.DataFrame) -> object:
    return pytest.importorskip("ibis").memtable(arrow(given))


def categories(given: pd.DataFrame) -> object:
    return pa.Table.from_pandas(given.astype({"admin1": "category", "event_type": "category"}), preserve_index=False)


CALLS = {
    "counts": lambda rows: escalation.aggregate(rows, "W"),
    "by a text": lambda rows: escalation.aggregate(rows, "M", by="admin1"),
    "by a number": lambda rows: escalation.aggregate(rows, "M", by=["district", "event_type"]),
    "deaths": lambda rows: escalation.aggregate(rows, "M", measure="fatalities"),
    "histories": lambda rows: escalation.aggregate(rows, "W", draws=3, rng=1),
    "quality": lambda rows: escalation.assessment.data_quality(rows).findings,
    "duplicates": lambda rows: escalation.incidents.find_duplicates(rows, min_similarity=0.5),
    "merged": lambda rows: escalation.incidents.deduplicate(rows, min_similarity=0.9)[1],
    "coverage": lambda rows: escalation.incidents.infer_coverage(rows, "admin1"),
    "lethal": lambda rows: escalation.analysis.count_lethal(rows, "event_type"),
    "versions": lambda rows: escalation.incidents.merge_versions(rows, rows)[0],
}


@pytest.mark.parametrize("library", [arrow, polars, duckdb, ibis, categories])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_same_numbers_from_all_libraries(library, call) -> None:
    given = table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        expected, found = call(given), call(library(given))
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected)
    else:
        pd.testing.assert_frame_equal(found, expected, check_column_type=False)


def test_checked_tables_are_the_same() -> None:
    columns = [name for name in check_incidents(table()).columns if name != "district"]
    pd.testing.assert_frame_equal(check_incidents(arrow(table()))[columns], check_incidents(table())[columns])


def test_tallies_of_other_libraries() -> None:
    tallies = escalation.open_case("november-2024-article").tallies
    given = pa.Table.from_pandas(tallies, preserve_index=False)
    options = {"series": "us_soldiers_killed", "freq": "D", "draws": 20, "rng": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        found, expected = (escalation.reconstruct(one, **options).histories for one in (given, tallies))
    pd.testing.assert_frame_equal(found, expected)


def test_columns_in_the_types_of_pandas() -> None:
    held = pa.table(
        {
            "huge": pa.array([10**30, 1], pa.decimal128(38, 0)),
            "day": pa.array([dt.date(2024, 1, 2), None]),
            "whole": pa.array([2**60 + 1, None]),
            "decimal": pa.array([3, 4], pa.decimal128(38, 0)),
            "fraction": pa.array([0.5, None]),
        }
    )
    frame = as_pandas(held, "it", "a table")
    assert frame["day"].dtype.kind == "M"
    assert frame["decimal"].tolist() == [3, 4]
    assert frame["whole"][0] == 2**60 + 1 and frame["whole"].isna()[1]
    assert frame["huge"].tolist() == [1e30, 1.0]
    assert frame["fraction"].isna().tolist() == [False, True]


class Lazy:
    """A table that is not computed yet."""

    def collect(self) -> None: ...


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([1, 2], "incidents is a list; give the DataFrame that read_incidents returns"),
        (Lazy(), "incidents is a Lazy, which is not computed yet; collect"),
    ],
)
def test_what_is_no_table_is_refused(given, match: str) -> None:
    with pytest.raises(escalation.InputError, match=match):
        escalation.aggregate(given, "W")


def test_without_pyarrow_it_is_said(monkeypatch) -> None:
    held = arrow(table())
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(escalation.InputError, match=r"incidents is a Table, which pyarrow hands over: pip install"):
        escalation.aggregate(held, "W")
