"""Compiled code is kept where that can be done, made anew where it is damaged, and works where nothing can be kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import escalation

PACKAGE = Path(escalation.__file__).parent
DOUBLE = """
from escalation.conventions.compilation import compiled

@compiled()
def double(number):
    return 2 * number

print(double(4), sum(double.stats.cache_hits.values()))
"""


def environment(**more):
    dropped = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "MPLCONFIGDIR", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
    return {name: value for name, value in os.environ.items() if name not in dropped} | more


@pytest.fixture(scope="module")
def homeless(tmp_path_factory):
    """A package beside which nothing can be written, for anybody, and a user without a home: run a command of it."""
    folder = tmp_path_factory.mktemp("read_only")
    shutil.copytree(PACKAGE, folder / "escalation", ignore=shutil.ignore_patterns("__pycache__"))
    data = escalation.files.bundled.data_folder()
    shutil.copytree(data, folder / "data")
    for place in (folder / "escalation").rglob("*"):
        if place.is_dir():
            (place / "__pycache__").write_text("no folder")
    (folder / "home").write_text("no folder")
    rows = "".join(f"2024-0{month}-{day:02},Iraq\n" for month in range(1, 7) for day in (3, 12, 25))
    (folder / "list.csv").write_text("date,country\n" + rows)
    where = str(folder / "home")

    def run(*arguments, **more):
        variables = environment(HOME=where, XDG_CACHE_HOME=where, PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
        command = [sys.executable, "-m", "escalation", *arguments]
        return subprocess.run(command, env=variables | more, cwd=folder, capture_output=True, text=True, check=False)

    return run


def test_without_a_folder_to_write_to_commands_count_and_say_once_how_to_have_one(homeless):
    done = homeless("series", "list.csv", "--format", "csv")
    assert done.returncode == 0
    assert done.stdout.startswith("period,start,end,count")
    assert done.stderr.count("set NUMBA_CACHE_DIR to a folder that can") == 1


def test_a_folder_that_is_named_holds_the_code(homeless, tmp_path):
    done = homeless("series", "list.csv", "--format", "csv", NUMBA_CACHE_DIR=str(tmp_path))
    assert (done.returncode, "NUMBA_CACHE_DIR" in done.stderr) == (0, False)
    assert list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def doubled(tmp_path_factory):
    """A file whose function was compiled, with the kept code and a copy of it: run it."""
    folder = tmp_path_factory.mktemp("double")
    (folder / "double.py").write_text(DOUBLE)
    variables = environment(NUMBA_CACHE_DIR=str(folder / "code"), PYTHONPATH=str(PACKAGE.parent))

    def run():
        command = [sys.executable, str(folder / "double.py")]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.split()

    assert (run(), run()) == (["8", "0"], ["8", "1"])
    shutil.copytree(folder / "code", folder / "whole")
    return folder, run


@pytest.mark.parametrize("damage", [b"", b"half of", b"\x80\x05N."])
@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
def test_damaged_code_is_made_anew(doubled, ending, damage):
    folder, run = doubled
    shutil.rmtree(folder / "code")
    shutil.copytree(folder / "whole", folder / "code")
    (file,) = (folder / "code").rglob(f"*{ending}")
    file.write_bytes(damage)
    assert (run(), run()) == (["8", "0"], ["8", "1"])


def test_code_is_made_anew_when_a_function_that_it_calls_changes(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "escalation", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "escalation" / "called.py").write_text(DOUBLE.split("print")[0])
    (tmp_path / "escalation" / "calling.py").write_text(
        "from escalation.called import double\nfrom escalation.conventions.compilation import compiled\n\n\n"
        "@compiled()\ndef call(number):\n    return double(number)\n\n\nprint(call(4))\n"
    )

    def called():
        command = [sys.executable, "-m", "escalation.calling"]
        variables = environment(PYTHONPATH=str(tmp_path), HOME=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
        return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert called() == "8\n"
    (tmp_path / "escalation" / "called.py").write_text(DOUBLE.split("print")[0].replace("2 *", "3 *"))
    assert called() == "12\n"
