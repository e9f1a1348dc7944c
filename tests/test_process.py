"""The command as a process: signals at any time, streams that are closed, full or left, and settings of others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and streams of POSIX systems")
START = "import sys; from escalation_command import main; sys.exit(main())"
ROWS = "date\n" + "".join(f"2024-{month:02}-{day:02}\n" for month in range(1, 7) for day in (3, 12, 25))
SERIES = "series list.csv --end 2024-06-30"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "list.csv").write_text(ROWS)
    return tmp_path


def run(folder, command, redirected="", **variables):
    """Run a command by way of a shell: its exit code, stdout, and stderr without warnings."""
    line = f'"{sys.executable}" -c "{START}" {command} {redirected}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )
    said = [one for one in done.stderr.splitlines() if not one.startswith("warning: ")]
    return done.returncode, done.stdout, said


# --- signals


def test_interrupted_commands_say_one_line_and_leave_nothing(benchmark):
    """benchmarks/signals.py sends 60 and more."""
    signals = benchmark("signals")
    endings = signals.run(6, seed=2, first=0.7)
    assert {one.command: one.faults for one in endings if one.faults} == {}
    assert {one.code for one in endings} <= {130, 143, -2, -15, 0}
    assert sum(one.code > 100 for one in endings) >= 4


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal was closed"),
    ],
)
def test_a_signal_while_a_file_is_written_leaves_the_old_file(folder, number, code, word):
    script = (
        "import os, signal, sys\nfrom escalation.cli import process, running\n"
        "from escalation.files.disk import atomic_write\n"
        "def main():\n    with atomic_write('out.csv') as stream:\n        stream.write('half')\n"
        f"        stream.flush()\n        assert len(os.listdir()) == 3\n        os.kill(os.getpid(), {int(number)})\n"
        "        import time; time.sleep(30)\n"
        "running.main = main\nsys.exit(process.run())\n"
    )
    (folder / "out.csv").write_text("old")
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=90)
    assert (done.returncode, done.stderr) == (code, f"{word}\n")
    assert sorted(path.name for path in folder.iterdir()) == ["list.csv", "out.csv"]
    assert (folder / "out.csv").read_text() == "old"


def test_an_exception_that_a_library_would_swallow_ends_the_command_still(folder):
    script = (
        "import os, sys\nfrom escalation.cli import process, running\n"
        "def main():\n    try:\n        os.kill(os.getpid(), 2)\n        import time; time.sleep(30)\n"
        "    except BaseException:\n        pass\n    return 0\n"
        "running.main = main\nsys.exit(process.run())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=90)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_signal_that_is_ignored_stays_so(folder):
    script = (
        "import os, signal, sys\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does\n"
        "from escalation.cli import process, running\n"
        "running.main = lambda: os.kill(os.getpid(), signal.SIGHUP)\nsys.exit(process.run())\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=90).returncode == 0


def test_the_module_is_guarded_as_the_command_is(folder):
    script = (
        "import runpy, sys, os\nfrom escalation.cli import running\n"
        "running.main = lambda: os.kill(os.getpid(), 2)\nrunpy.run_module('escalation', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=90)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_an_interruption_while_the_package_loads_is_one_line(folder):
    (folder / "escalation").mkdir()
    (folder / "escalation" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    place = Path(__file__).resolve().parents[1] / "escalation_command.py"
    (folder / "escalation_command.py").write_text(place.read_text())
    done = subprocess.run(
        [sys.executable, "-c", START], cwd=folder, capture_output=True, text=True, check=False, env={}, timeout=90
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


# --- streams


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("command", [SERIES, f"{SERIES} --format csv", "--help", "cases"])
def test_a_full_output_is_one_line_and_code_2(folder, command):
    code, _, said = run(folder, command, ">/dev/full")
    assert (code, len(said)) == (2, 1)
    assert said[0].startswith("error: standard output cannot be written (No space left on device)")


def test_a_closed_output_is_one_line_and_code_2(folder):
    assert run(folder, SERIES, ">&-") == (
        2,
        "",
        ["error: standard output is closed; lead it to a file, a pipe or /dev/null"],
    )


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_nobody_who_reads_warnings_and_errors_changes_no_exit_code(folder, closed):
    if "full" in closed and not Path("/dev/full").exists():
        pytest.skip("the system has no full device")
    code, _, said = run(folder, f"{SERIES} -o weeks.csv", closed)
    assert (code, said) == (0, [])
    assert (folder / "weeks.csv").read_text().startswith("period,")
    assert run(folder, "series nothing.csv", closed)[0] == 2


def test_a_reader_of_warnings_that_is_gone_stops_nothing(folder):
    code, _, _ = run(folder, "series list.csv -o weeks.csv", "2>&1 >/dev/null | true")
    assert code == 0
    assert (folder / "weeks.csv").exists()


def test_a_reader_that_has_enough_does_not_keep_files_from_being_written(folder):
    code, _, said = run(folder, "report list.csv --end 2024-06-30 -o all.json", "| true")
    assert (code, said) == (0, [])
    assert (folder / "all.json").read_text().startswith("{")


# --- what others have set


def test_a_backend_that_matplotlib_does_not_know_is_one_line_at_once(folder):
    code, out, said = run(folder, "report list.csv --end 2024-06-30", MPLBACKEND="nonsense")
    assert (code, out, len(said)) == (2, "", 1)
    assert "matplotlib cannot be loaded (Key backend: 'nonsense'" in said[0] and "unset MPLBACKEND" in said[0]
    assert not (folder / "report.pdf").exists()
    assert run(folder, SERIES, MPLBACKEND="nonsense")[0] == 0


def test_a_folder_that_matplotlib_cannot_have_is_said_in_one_line(folder):
    where = str(folder / "list.csv")  # no folder
    script = "from escalation.plots.backend import check_matplotlib; check_matplotlib()"
    variables = {**os.environ, "MPLCONFIGDIR": where, "XDG_CONFIG_HOME": where, "XDG_CACHE_HOME": where}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=variables, timeout=60
    )
    assert done.stderr.count("NotKeptWarning: matplotlib has no folder for its list of fonts") == 1
    assert "highly recommended" not in done.stderr
