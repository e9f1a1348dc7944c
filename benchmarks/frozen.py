"""Write the answers of eight inputs to a folder, so that two versions can be held against each other.

Usage: python benchmarks/frozen.py OUT          (then: diff -r BEFORE OUT)

Both bundled cases, a table of tallies and two made-up tables of incidents, by day, week and month: JSON of the commands
and of the report, the PDF, and its text where pdftotext is there.  Nothing in it depends on the day or the machine's
speed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

COMMANDS = ("series", "forecast", "flashpoint", "trend", "changes", "alarms")
TALLIES = """series,count,qualifier,start,end,counter,source
attacks,12,exact,2024-09-02,2024-09-22,ministry,briefing of 23 September
attacks,20,nearly,2024-09-02,2024-10-06,ministry,newspaper of 7 October
attacks,0,exact,2024-10-07,2024-10-13,ministry,briefing of 14 October
attacks,31,at_least,2024-09-02,2024-11-03,ministry,agency of 4 November
attacks,6,about,2024-11-04,2024-11-10,ministry,newspaper of 12 November
"""


def incidents(seed: int, days: int, rate: float) -> pd.DataFrame:
    """Return made-up incidents whose rate doubles half way, some of them lethal."""
    rng = np.random.default_rng(seed)
    levels = np.where(np.arange(days) < days // 2, rate, 2 * rate)
    dates = pd.date_range("2022-01-01", periods=days).repeat(rng.poisson(levels))
    n = len(dates)
    return pd.DataFrame(
        {
            "date": dates.strftime("%Y-%m-%d"),
            "country": rng.choice(["Nordland", "Suedland"], n),
            "event_type": rng.choice(["shelling", "ambush"], n, p=[0.7, 0.3]),
            "fatalities": np.where(rng.random(n) < 0.25, 1 + rng.geometric(0.3, n), 0),
            "source": rng.choice(["agency", "ministry", "paper"], n),
            "incident_id": [f"I{i}" for i in range(n)],
        }
    )


def inputs(folder: Path) -> dict[str, list[str]]:
    """Write the tables and return the arguments that name each input."""
    (folder / "tallies.csv").write_text(TALLIES)
    incidents(1, 700, 0.4).to_csv(folder / "quiet.csv", index=False)
    incidents(2, 180, 1.5).to_csv(folder / "busy.csv", index=False)
    quiet, busy = str(folder / "quiet.csv"), str(folder / "busy.csv")
    return {
        "case_weeks": [],
        "case_months": ["militia-attacks-2023-2024", "--freq", "M"],
        "article": ["november-2024-article"],
        "tallies": [str(folder / "tallies.csv")],
        "quiet_weeks": [quiet],
        "quiet_months": [quiet, "--freq", "M", "--end", "2023-11-30"],
        "busy_days": [busy, "--freq", "D"],
        "busy_fatalities": [busy, "--measure", "fatalities", "--by", "country", "--series", "Nordland"],
    }


def main(out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    tables = Path("/tmp/escalation-frozen")  # the same path every time: reports print it
    tables.mkdir(exist_ok=True)
    for name, chosen in inputs(tables).items():
        for command in COMMANDS:
            run([command, *chosen, "--format", "json"], out / f"{name}.{command}.json")
        pdf = out / f"{name}.pdf"
        run(["report", *chosen, "-o", str(pdf)], out / f"{name}.report.txt")
        run(["report", *chosen, "-o", str(out / f"{name}.answers.json")], out / f"{name}.answers.txt")
        if pdf.is_file() and shutil.which("pdftotext"):
            subprocess.run(["pdftotext", "-layout", pdf, out / f"{name}.pdf.txt"], check=True)
    return 0


def run(arguments: list[str], target: Path) -> None:
    """Run a command and keep what it prints, its warnings and its exit code."""
    done = subprocess.run([sys.executable, "-m", "escalation", *arguments], capture_output=True, text=True, check=False)
    said = done.stderr.replace(str(target.parent), "OUT")
    target.write_text(f"{done.stdout.replace(str(target.parent), 'OUT')}\n--- {done.returncode}\n{said}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
