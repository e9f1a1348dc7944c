"""escalation nowcast: against the function, the delays that the reports were made with, and what came in later."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.cli import main

FIRST = pd.Timestamp("2024-01-01")  # a Monday
WEEKS = 40
NOW = "2024-10-06"  # the Sunday that ends the last week
LATE = 9.0
"""Mean delay in days."""


def line_list():
    """Incidents of 40 weeks with geometric delays, the late ones included."""
    rng = np.random.default_rng(5)
    days = FIRST + pd.to_timedelta(np.repeat(np.arange(7 * WEEKS), rng.poisson(1.0, 7 * WEEKS)), unit="D")
    late = pd.to_timedelta(rng.geometric(1 / (1 + LATE), len(days)) - 1, unit="D")
    countries = rng.choice(["Iraq", "Syria"], len(days))
    ids = [f"e{i}" for i in range(len(days))]
    return pd.DataFrame({"date": days, "Reported": days + late, "country": countries, "incident_id": ids})


ALL = line_list()
KNOWN = ALL[ALL["Reported"] <= NOW]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with the list: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    KNOWN.to_csv("list.csv", index=False)

    def running(command):
        code = main(command.split())
        return code, *capsys.readouterr()

    return running


def save_snapshots(step):
    """The table as it was every so many days, without dates of report; the options that name the files."""
    options = []
    for day in pd.date_range("2024-06-02", NOW, freq=f"{step}D"):
        name = f"snapshot{day:%m%d}.csv"
        ALL[ALL["Reported"] <= day].drop(columns="Reported").to_csv(name, index=False)
        options.append(f"--snapshot {day:%Y-%m-%d}={name}")
    return " ".join(options)


def table_in(text):
    return pd.read_csv(io.StringIO(text))


LIST = f"nowcast list.csv --column as_of=Reported --as-of {NOW}"


def test_the_help_has_examples_and_fits_80_columns(run):
    code, out, err = run("nowcast --help")
    assert (code, err) == (0, "") and re.search(r"^ +escalation nowcast", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80


def test_a_nowcast_is_that_of_the_function_in_each_format(run):
    code, out, err = run(f"{LIST} --format csv")
    assert (code, err) == (0, "")
    reports = KNOWN.rename(columns={"Reported": "as_of"})
    expected = escalation.incidents.nowcast(reports, "W-SUN", now=NOW, rng=1)
    shown = table_in(out)
    for name in ("reported", "median", "lower", "upper"):
        assert shown[name].tolist() == expected.incomplete[name].tolist()
    assert shown["end"].iloc[-1] == NOW
    # the youngest week is known by delay 0, the one before by delay 1
    assert shown["known_share"].tolist()[::-1] == pytest.approx(expected.delays["known_by"].iloc[: len(shown)].tolist())
    records = pd.DataFrame(json.loads(run(f"{LIST} --format json")[1]))
    pd.testing.assert_frame_equal(records, shown, rtol=1e-9)  # JSON has ten digits
    assert run(f"{LIST} -o out.csv")[:2] == (0, "Written: out.csv\n") and Path("out.csv").read_text() == out


def test_the_counts_so_far_and_the_truth_are_those_of_the_list(run):
    shown = table_in(run(f"{LIST} --format csv")[1]).set_index("start")
    weeks = pd.PeriodIndex(shown["end"], freq="W-SUN")
    known, true = (table["date"].dt.to_period("W-SUN").value_counts() for table in (KNOWN, ALL))
    assert shown["reported"].tolist() == known.reindex(weeks, fill_value=0).tolist()
    came = true.reindex(weeks, fill_value=0).to_numpy()
    assert ((came >= shown["lower"]) & (came <= shown["upper"])).all()
    assert abs(shown["median"].sum() - came.sum()) < abs(shown["reported"].sum() - came.sum())


def test_the_screen_shows_the_caution_first_then_counts_and_delays(run):
    code, out, err = run(LIST)
    assert (code, err) == (0, "") and max(map(len, out.splitlines())) <= 80
    assert out.startswith("Reports are taken to come as late as they did so far")
    assert out.index("Incidents, as reported by 2024-10-06") < out.index("How late reports come")
    # most weeks are old enough that the share that came within its own week can be counted
    weeks = ALL[["date", "Reported"]].apply(lambda column: column.dt.to_period("W-SUN"))
    within = (weeks["date"] == weeks["Reported"]).mean()
    delays = out.partition("How late reports come")[2].splitlines()
    rows = [line.split() for line in delays if re.match(r"\s+\d+\s", line)]
    assert [row[0] for row in rows][:3] == ["0", "1", "2"]
    assert int(rows[0][1].rstrip("%")) == pytest.approx(100 * within, abs=2)
    assert rows[0][1] == rows[0][2] and rows[-1][2] in ("99%", "100%")
    assert "are expected once late reports are in" in " ".join(out.split())


def test_one_value_of_a_column_is_nowcast(run):
    code, out, _ = run(f"{LIST} --by country --series Iraq --format csv")
    assert code == 0
    iraq = KNOWN[KNOWN["country"] == "Iraq"]["date"].dt.to_period("W-SUN").value_counts()
    shown = table_in(out)
    weeks = pd.PeriodIndex(shown["end"], freq="W-SUN")
    assert shown["reported"].tolist() == iraq.reindex(weeks, fill_value=0).tolist()
    assert "Iraq, as reported by" in run(f"{LIST} --by country --series Iraq")[1]


def test_snapshots_of_earlier_days_stand_in_for_dates_of_report(run):
    options = save_snapshots(14)
    code, out, _ = run(f"nowcast {options} --max-delay 5 --format csv")
    assert code == 0
    shown = table_in(out)
    snapshots = {
        entry.split("=")[0]: escalation.read_incidents(entry.split("=")[1])[0]
        for entry in options.replace("--snapshot ", "").split()
    }
    expected = escalation.incidents.nowcast(snapshots, "W-SUN", max_delay=5, rng=1)
    assert shown["median"].tolist() == expected.incomplete["median"].tolist()
    known = KNOWN["date"].dt.to_period("W-SUN").value_counts()
    weeks = pd.PeriodIndex(shown["end"], freq="W-SUN")
    assert shown["reported"].tolist() == known.reindex(weeks, fill_value=0).tolist()


def test_a_change_of_reporting_and_days_are_taken(run):
    code, out, _ = run(f"{LIST} --freq D --max-delay 30 --start 2024-03-01 --change 2024-08-05 --seed 2")
    assert code == 0 and "days late" in out and "on 2024-10-06" in " ".join(out.split())


def test_what_the_reports_cannot_say_is_warned_of_before(run):
    rows = KNOWN.head(200).assign(
        date_end=lambda table: table["date"].where(table.index > 4, table["date"] + pd.Timedelta("9D"))
    )
    rows["Reported"] = rows["Reported"].where(rows.index != 20)
    rows.rename(columns={"Reported": "last_updated"}).to_csv("own.csv", index=False)
    code, _, err = run("nowcast own.csv")
    assert code == 0
    assert "column 'last_updated' says when a row was last changed" in err
    assert "1 of 200 incidents do not say when they were reported and are left out" in err
    assert "5 of 200 incidents are dated to several days" in err


BAD = {
    "nothing to read": ("nowcast", "needs a table of incidents that says when each was reported"),
    "a list and snapshots": ("nowcast list.csv --snapshot 2024-05-01=list.csv", "or two or more --snapshot DATE=FILE"),
    "no date of report": ("nowcast list.csv", "list.csv does not say when its rows were reported; name the column"),
    "tallies": ("nowcast november-2024-article", "holds reported counts; a nowcast is of incidents"),
    "by alone": (f"{LIST} --by country", "--by and --series go together"),
    "no such column": (f"{LIST} --by nation --series Iraq", "--by is 'nation'; list.csv is read with date,"),
    "no such value": (f"{LIST} --by country --series Mali", "--series is 'Mali', no value of country"),
    "no date of a snapshot": ("nowcast --snapshot may.csv", "--snapshot is 'may.csv'; write DATE=FILE"),
    "a date that is none": ("nowcast --snapshot may=list.csv", "--snapshot is 'may'"),
    "a day twice": (
        "nowcast --snapshot 2024-05-01=list.csv --snapshot 2024-05-01=b.csv",
        "--snapshot gives 2024-05-01 twice, 'list.csv' and 'b.csv'",
    ),
    "one snapshot": ("nowcast --snapshot 2024-10-06=list.csv", "too few to see delays"),
    "a ledger of several": (
        "nowcast --snapshot 2024-05-01=list.csv --snapshot 2024-06-01=list.csv --ledger l.csv",
        "--ledger is of one table",
    ),
    "an output that is the source": (f"{LIST} -o list.csv", "the same file as SOURCE"),
    "an output without a format": (f"{LIST} -o out.txt", "add --format csv or --format json"),
    "other periods": (f"{LIST} --freq Q", "freq is 'Q'"),
    "a delay that is too long": (f"{LIST} --max-delay 500", "max_delay is 500"),
    "no number": (f"{LIST} --max-delay many", "'many' is no whole number from 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_code_2(run, name):
    command, says = BAD[name]
    code, out, err = run(command)
    errors = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert (code, out, len(errors)) == (2, "", 1), err
    assert errors[0].startswith("error: ") and says in errors[0]
    assert sorted(path.name for path in Path().iterdir()) == ["list.csv"]


def test_rows_that_stand_for_several_incidents_are_refused(run):
    KNOWN.assign(events=2).to_csv("list.csv", index=False)
    code, out, err = run(f"{LIST} --column events=events")
    assert (code, out) == (2, "") and "rows that stand for several incidents (events)" in err
