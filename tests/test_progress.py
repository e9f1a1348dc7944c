"""How far long work is: given to a function, shown on a terminal or in a notebook, and nowhere else."""

import io
import sys
import types

import pytest

from escalation.conventions.progress import reporter
from escalation.errors import InputError


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


def test_a_notebook_has_a_line_that_is_written_anew(monkeypatch):
    lines = []

    class Handle:
        def update(self, bundle, raw):
            lines.append(bundle["text/plain"])

    def display(bundle, *, raw, display_id):
        lines.append(bundle["text/plain"])
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    monkeypatch.setattr("rich.console.Console.is_jupyter", True, raising=False)
    monkeypatch.setattr("rich.console.Console.__init__", lambda self, **_: None)
    with reporter(True, "series") as tick:
        tick(1, 2000)
    assert lines == ["series", "series: 1 of 2,000"]


def test_anything_else_is_refused():
    with pytest.raises(InputError, match="progress is None; use True, False or a function"), reporter(None, "work"):
        pass
