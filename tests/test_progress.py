"""How far long work is: given to a function, shown on a terminal or in a notebook, and nowhere else."""

import io
import re
import sys
import types

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.conventions.progress import reporter
from escalation.errors import InputError
from escalation.tallies.evidence import atoms_from
from escalation.tallies.kernels import default_kernels, make_kernel
from escalation.tallies.posterior import least_seconds


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_function_is_called_and_false_shows_nothing(capsys):
    calls = []
    with reporter(lambda done, total: calls.append((done, total)), "work") as tick:
        tick(1, 2)
    with reporter(False, "work") as tick:
        tick(1, 2)
    assert calls == [(1, 2)]
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for stream, shown in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with reporter(True, "counting rows") as tick:
            tick(3, 7)
        assert ("counting rows" in stream.getvalue()) is shown
        assert ("3/7" in stream.getvalue()) is shown


@pytest.fixture
def cell(monkeypatch):
    """What a notebook shows below a cell, one bundle after the other."""
    shown = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(bundle)

    def display(bundle, *, raw, display_id):
        shown.append(bundle)
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    monkeypatch.setattr("rich.console.Console.is_jupyter", True, raising=False)
    monkeypatch.setattr("rich.console.Console.__init__", lambda self, **_: None)
    return shown


def test_a_notebook_has_a_bar_that_is_drawn_anew(cell):
    with reporter(True, "series <1>") as tick:
        tick(1, 2000)
    assert [bundle["text/plain"] for bundle in cell] == ["series <1>", "series <1>: 1 of 2,000"]
    assert cell[1]["text/html"] == '<progress max="2000" value="1"></progress> series &lt;1&gt;: 1 of 2,000'


TALLIES = pd.DataFrame(
    {"series": "raids", "qualifier": "exact", "count": [4, 6], "start": ["2024-01-01", "2024-01-08"]}
).assign(end=["2024-01-07", "2024-01-14"])


def test_a_reconstruction_shows_a_bar_in_a_notebook(cell, chains_run_anew):
    escalation.reconstruct(TALLIES, series="raids", draws=40, rng=1)
    numbers = [bundle["text/plain"] for bundle in cell[1:]]
    done, totals = zip(*(map(int, re.findall(r"[\d,]+", one.replace(",", ""))) for one in numbers), strict=True)
    assert len(done) >= 4 and list(done) == sorted(set(done)) and set(totals) == {done[-1]}
    assert all(one.startswith("reconstructing raids: ") for one in numbers)
    cell.clear()
    escalation.reconstruct(TALLIES, series="raids", draws=40, progress=False, rng=1)
    assert cell == []


def test_a_reconstruction_leaves_a_terminal_to_the_command(monkeypatch, chains_run_anew):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    done = []
    escalation.reconstruct(TALLIES, series="raids", draws=40, rng=1)
    assert sys.stderr.getvalue() == ""
    escalation.reconstruct(TALLIES, series="raids", draws=40, progress=lambda *one: done.append(one), rng=1)
    assert done[-1][0] == done[-1][1]
    assert done == sorted(set(done))


def test_anything_else_is_refused():
    with pytest.raises(InputError, match="progress is None; use True, False or a function"), reporter(None, "work"):
        pass


def test_long_work_is_announced_where_no_bar_is_shown(capsys, monkeypatch):
    with reporter(True, "reconstructing raids", seconds=47.0) as tick:
        tick(10, 100)  # a moment later
        monkeypatch.setattr("time.monotonic", lambda: 1e9)
        tick(60, 100)
        tick(100, 100)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "reconstructing raids: about 50 s of processor time or more",
        "reconstructing raids: 60 of at most 100",
    ]
    with reporter(True, "reconstructing raids", seconds=5.0) as tick:
        tick(60, 100)
    assert capsys.readouterr().err == ""


def cost_of(days: int) -> float:
    first = np.datetime64("2024-01-01")
    kernel = make_kernel(pd.Series({"qualifier": "exact", "count": 9}), default_kernels(), days, "count", 1.0)
    last = first + days - 1
    return least_seconds(atoms_from(np.array([first]), np.array([last]), [kernel], first, last), 100)


def test_cost_of_a_reconstruction_grows_with_its_days():
    assert 0 < cost_of(30) < 1 < 3 < cost_of(3000)
