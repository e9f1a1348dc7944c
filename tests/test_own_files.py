"""What the package wrote itself is not trusted when it is read again: damage is named in one line, the rest is kept."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.errors import DataWarning, FileError, InputError
from escalation.evaluation.tasks import run_chain
from escalation.files.parquet import KEY
from escalation.forecasts.forecast import Forecast
from escalation.models.baselines.climatology import Climatology

WEEKS = pd.period_range("2022-01-03", periods=80, freq="W-SUN", name="period")
COUNTS = pd.Series(np.random.default_rng(1).poisson(5, 80), index=WEEKS, name="attacks")
RUNS = "escalation.evaluation.run.run_chain"


def run(**options):
    models = {"year": Climatology(52), "month": Climatology(4)}
    return escalation.backtest(models, COUNTS, **{"origins": 10, "horizon": 3, "draws": 100, "rng": 1, **options})


def same(one, other):
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)


# --- parts of a backtest


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store, and what its backtest gave."""
    folder = tmp_path_factory.mktemp("kept") / "store"
    return folder, run(store=folder)


@pytest.fixture
def store(stored, tmp_path):
    """A copy of it to damage."""
    return shutil.copytree(stored[0], tmp_path / "store")


def rewritten(path, *, keep=(), **change):
    """Write a part anew with other arrays."""
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files if not keep or name in keep}
    np.savez(path, **{**arrays, **{name: change[name](arrays[name]) for name in change}})


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no archive"),
    "one byte": lambda path: path.write_bytes(path.read_bytes()[:999] + b"\x99" + path.read_bytes()[1000:]),
    "scores of 0": lambda path: rewritten(path, crps=np.zeros_like),
    "a score too few": lambda path: rewritten(path, keep=("about", "observed")),
    "no description": lambda path: rewritten(path, keep=("crps",)),
    "a description that is no JSON": lambda path: rewritten(path, about=lambda _: np.array("{")),
    "a description that is a list": lambda path: rewritten(path, about=lambda _: np.array("[1, 2]")),
    "no hash": lambda path: rewritten(path, about=lambda _: np.array('{"label": "year"}')),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_part_is_named_and_the_others_are_kept(store, stored, monkeypatch, damage):
    part = sorted(store.glob("*.npz"))[3]
    DAMAGE[damage](part)
    with pytest.raises(InputError, match=rf"{part.name}: .*; delete it and run again: this part is made anew"):
        run(store=store)
    again = []
    monkeypatch.setattr(RUNS, lambda chain: again.append(chain) or run_chain(chain))
    part.unlink()
    same(stored[1], run(store=store))
    assert len(again) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "\x00", "\udcff"])
def test_a_manifest_that_is_none_is_named_and_the_parts_are_kept(store, stored, monkeypatch, text):
    manifest = store / "backtest.json"
    manifest.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"backtest\.json: is no manifest of a backtest; delete it and run again"):
        run(store=store)
    manifest.unlink()
    monkeypatch.setattr(RUNS, lambda chain: pytest.fail("the parts are there"))
    same(stored[1], run(store=store))


def test_a_part_of_another_backtest_or_task_is_not_taken_for_its_own(store, tmp_path):
    other = shutil.copytree(store, tmp_path / "other")
    (store / "backtest.json").unlink()
    with pytest.raises(InputError, match="or is of another backtest; delete it"):
        run(store=store, draws=50)
    first, second = sorted(other.glob("*.npz"))[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(InputError, match="is of another part; delete it"):
        run(store=other)


# --- saved scores


def test_saved_scores_that_were_changed_are_refused(stored, tmp_path):
    path = tmp_path / "kept.csv"
    stored[1].save(path)
    first, header, row, *rest = path.read_text().splitlines(keepends=True)
    assert len(escalation.Backtest.load(path).scores) == len(stored[1].scores)
    path.write_bytes("".join([first, header, row, *rest]).replace("\n", "\r\n").encode())  # as git may check it out
    assert len(escalation.Backtest.load(path).scores) == len(stored[1].scores)
    path.write_text("".join([first, header, *rest]))
    with pytest.raises(InputError, match=r"kept\.csv: was changed after it was written"):
        escalation.Backtest.load(path)
    for mark in ("# escalation backtest, W-SUN, sha256 12\n", "# escalation backtest\n", "model,unit\n"):
        path.write_text("".join([mark, header, row, *rest]))
        with pytest.raises(InputError, match="is no backtest that was saved; its first line must say so"):
            escalation.Backtest.load(path)
    path.write_bytes(b"\xff\xfe" + first.encode())
    with pytest.raises(InputError, match="is no text in UTF-8"):
        escalation.Backtest.load(path)


def test_saved_scores_without_a_hash_are_read_with_a_warning(stored, tmp_path):
    path = tmp_path / "kept.csv"
    stored[1].save(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(["# escalation backtest, W-SUN\n", *lines[1:]]))
    with pytest.warns(DataWarning, match="has no hash, so nothing shows whether it was changed"):
        assert len(escalation.Backtest.load(path).scores) == len(stored[1].scores)
    path.write_text("".join(["# escalation backtest, W-SUN\n", *lines[2:]]))
    with pytest.warns(DataWarning), pytest.raises(InputError, match="holds no scores of a backtest"):
        escalation.Backtest.load(path)


# --- saved forecasts


@pytest.fixture
def saved(tmp_path):
    """A saved forecast."""
    pytest.importorskip("pyarrow")
    paths = np.random.default_rng(2).poisson(5, (40, 3))
    weeks = pd.period_range("2024-12-02", periods=3, freq="W-SUN")
    Forecast.of_series(paths, weeks, np.ones((40, 9)), "by hand").save(tmp_path / "one.parquet", about={"seed": 3})
    return tmp_path / "one.parquet"


def described(path, description):
    """Put another description into a saved forecast."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    found = json.loads(table.schema.metadata[KEY])
    metadata = {**table.schema.metadata, KEY: description(found).encode()}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)


DESCRIPTIONS = {
    "no JSON": lambda found: "{",
    "a list": lambda found: json.dumps([found]),
    "a number": lambda found: "7",
    "no hash": lambda found: json.dumps({"about": found["about"]}),
    "no description": lambda found: json.dumps({"sha256": found["sha256"]}),
    "a list for a description": lambda found: json.dumps(found | {"about": []}),
    "another seed": lambda found: json.dumps(found | {"about": found["about"] | {"about": {"seed": 4}}}),
}


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_a_saved_forecast_with_another_description_is_refused(saved, description):
    described(saved, DESCRIPTIONS[description])
    with pytest.raises(InputError, match=r"one\.parquet: was changed after it was written"):
        Forecast.load(saved)


@pytest.mark.parametrize("about", [{}, {"units": 3}, {"units": ["a", "b"]}, {"freq": "fortnight"}, {"origin": "soon"}])
def test_a_file_with_a_right_hash_that_is_no_whole_forecast_is_refused(saved, about):
    from escalation.files.parquet import read_parquet, write_parquet

    table, said = read_parquet(saved)
    write_parquet(saved, table, {"version": "forecast 2"} if not about else said | about)
    with pytest.raises(InputError, match=r"one\.parquet: holds no whole forecast"):
        Forecast.load(saved)


def test_a_saved_forecast_may_stand_in_a_folder_with_any_name(saved):
    folder = saved.parent / "year=2024"  # which readers of data sets take for a column
    folder.mkdir()
    assert Forecast.load(saved.rename(folder / "one.parquet"))[0].steps == 3


def test_a_folder_or_an_empty_file_is_no_saved_forecast(saved):
    with pytest.raises(FileError, match="is a directory"):
        Forecast.load(saved.parent)
    saved.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        Forecast.load(saved)


# --- all of them


def test_damaged_files_are_refused_or_give_what_they_gave(benchmark):
    """benchmarks/own_files.py reads 200 and more."""
    pytest.importorskip("pyarrow")
    outcomes = benchmark("own_files").run(80, seed=3)
    assert {said for _, said in outcomes} <= {"refused", "same"}
    assert sum(said == "refused" for _, said in outcomes) > 60
