"""Damaged files through the readers: a ledger, or one line of an error of the package."""

import pickle

import pytest

import escalation

FILES = 150
"""benchmarks/fuzz.py reads 10,000, in processes whose time and memory are watched."""


@pytest.fixture
def fuzz(benchmark):
    return benchmark("fuzz")


def test_damaged_files_are_read_or_refused(fuzz, tmp_path):
    cells = [fuzz.read_cells(path) for path in sorted(fuzz.SEEDS.iterdir()) if path.is_file()]
    outcomes = {}
    for seed in range(FILES):
        ending, content = fuzz.make(seed, cells)
        path = tmp_path / f"{seed}{ending}"
        path.write_bytes(content)
        outcomes[path.name] = fuzz.attempt(path, tallies=seed % 10 == 0)
    assert {name: said for name, said in outcomes.items() if said not in ("read", "refused")} == {}
    assert min(list(outcomes.values()).count(said) for said in ("read", "refused")) >= FILES // 5


def test_one_seed_makes_one_file(fuzz):
    cells = [fuzz.read_cells(path) for path in sorted(fuzz.SEEDS.iterdir()) if path.is_file()]
    first, again = ([fuzz.make(seed, cells) for seed in range(20)] for _ in range(2))
    dated = (".xlsx", ".zip", ".dta")  # whose writers note the time
    assert [one for one in first if not one[0].endswith(dated)] == [one for one in again if not one[0].endswith(dated)]


@pytest.mark.parametrize("kind", [escalation.InputError, escalation.FileError, escalation.FitError])
def test_messages_are_one_line_whatever_they_quote(kind):
    error = kind("no column 'a\r\nb\x1b[31m'; name one")
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == r"no column 'a\r\nb\x1b[31m'; name one"
    long = kind(f"found {'x' * 9_000}; name one")
    assert len(str(long)) < 1_600
    assert str(long).endswith("x; name one")


def test_a_json_value_without_a_name_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('[{"date": "2024-01-01", "": "3"}]')
    with pytest.raises(escalation.InputError, match="a value under a blank name"):
        escalation.read_incidents(path)
    path.write_text('[{"date": "2024-01-01", "": "3", "place": "x"}]')
    with pytest.raises(escalation.InputError, match="column 2 has no name; name it in the first row"):
        escalation.read_incidents(path)
    path.write_text('[{"date": "2024-01-01", "": ""}]')
    assert len(escalation.read_incidents(path)[0]) == 1


def test_a_time_past_what_pandas_can_hold_is_blanked(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("date,as_of\n2024-01-01,9999-12-31\n2024-01-02,2024-01-03\n")
    incidents, ledger = escalation.read_incidents(path, columns={"as_of": "as_of"})
    assert incidents["as_of"].isna().tolist() == [True, False]
    assert ledger["why"].str.contains("is no time that can be read; blanked").sum() == 1
