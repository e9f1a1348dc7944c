"""escalation retaliation: against the function, counting by hand, and sides with and without an answer."""

import io
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.cli import main, retaliating

FIRST = pd.Timestamp("2024-01-01")
DAYS = 300
WEEKS = 10
"""Of tallies."""


def panel():
    """B answers A the day after; A answers nobody."""
    rng, counts = np.random.default_rng(5), np.zeros((DAYS, 2), dtype=int)
    for day in range(1, DAYS):
        counts[day] = rng.poisson([0.3, 0.15 + 0.7 * counts[day - 1, 0]])
    counts[0] = counts[-1] = 1
    return counts


COUNTS = panel()


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with incidents of both sides: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    rows = [
        (f"{FIRST + pd.Timedelta(days=day):%Y-%m-%d}", side, f"{side}{day}-{number}")
        for day in range(DAYS)
        for side, several in zip("AB", COUNTS[day], strict=True)
        for number in range(several)
    ]
    pd.DataFrame(rows, columns=["date", "actor", "incident_id"]).to_csv("sides.csv", index=False)

    def running(command):
        code = main(command.split())
        return code, *capsys.readouterr()

    return running


@pytest.fixture
def few_paths(monkeypatch):
    """Give how many paths the command draws here: fewer, where what they say does not matter."""
    monkeypatch.setattr(retaliating, "PATHS", 2000)
    return 2000


SIDES = "retaliation sides.csv --by actor --side A --side B"


def test_the_help_has_examples_and_fits_80_columns(run):
    code, out, err = run("retaliation --help")
    assert (code, err) == (0, "") and re.search(r"^ +escalation retaliation", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80 and "Periods are days unless" in out


def test_it_is_that_of_the_function_in_each_format(run, few_paths):
    code, out, _ = run(f"{SIDES} --within 2 --lags 2 --format csv")
    assert code == 0
    shown = pd.read_csv(io.StringIO(out))
    days = pd.period_range(FIRST, periods=DAYS, freq="D")
    sides = pd.DataFrame(COUNTS, index=days, columns=["A", "B"]).iloc[:-1]  # the list ends with an incident
    model = escalation.models.EndemicEpidemic(
        own_past="unit", others_past="unit", dispersion="unit", lag_weights=(0.5, 0.5)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", escalation.errors.DataWarning)
        fit = model.fit(sides, unit="incidents")
    for by, after in (("B", "A"), ("A", "B")):
        found = escalation.analysis.retaliation(fit, by=by, after=after, within=2, draws=few_paths, rng=1)
        rows = shown[(shown["by"] == by) & (shown["after"] == after)].set_index(["model", "first period"])
        assert rows.loc[("shared level", "attack"), "probability"] == pytest.approx(
            found.shared_after_attack.probability, abs=1e-9
        )
        assert rows["probability"].tolist()[:2] == pytest.approx(
            [found.after_attack.probability, found.after_none.probability], abs=1e-9
        )
    records = json.loads(run(f"{SIDES} --within 2 --lags 2 --format json")[1])
    assert [record["probability"] for record in records] == pytest.approx(shown["probability"].tolist(), abs=1e-9)
    assert (
        run(f"{SIDES} --within 2 --lags 2 -o out.csv")[:2] == (0, "Written: out.csv\n")
        and Path("out.csv").read_text() == out
    )


def test_an_answer_is_seen_on_one_side_only_and_as_often_as_it_happened(run):
    records = json.loads(run(f"{SIDES} --format json")[1])
    chance = {(row["by"], row["model"], row["first period"]): row["probability"] for row in records}
    model = next(row["model"] for row in records if row["model"] != "shared level")
    attacked = COUNTS[:-1, 0] > 0
    happened = (COUNTS[1:, 1] > 0)[attacked].mean(), (COUNTS[1:, 1] > 0)[~attacked].mean()
    # 76 days after an attack, 223 after none: two standard errors of the shares, and what the model is off
    assert chance["B", model, "attack"] == pytest.approx(happened[0], abs=0.12)
    assert chance["B", model, "none"] == pytest.approx(happened[1], abs=0.07)
    rise = {
        (by, name): chance[by, name, "attack"] - chance[by, name, "none"]
        for by in "AB"
        for name in (model, "shared level")
    }
    assert rise["B", model] > 0.2 + rise["B", "shared level"]
    assert abs(rise["A", model]) < 0.1


def test_the_screen_shows_the_caution_first_and_the_shared_level_beside(run, few_paths):
    code, out, _ = run(f"{SIDES} --at-least 2 --within 7")
    assert code == 0 and max(map(len, out.splitlines())) <= 80
    said = " ".join(out.split())
    assert said.startswith("That an attack goes with a higher probability need not be an answer to it")
    assert "Probability of 2 or more incidents in the 7 days after an attack" in said
    assert out.count("share a level") == 2 and out.count("may answer") == 2
    assert "by B in the 7 days after an attack by A in the next day" in said
    assert "if nobody answered and both followed a shared level" in said


def test_other_periods_can_be_chosen(run, few_paths):
    code, out, _ = run(f"{SIDES} --freq W-SUN")
    assert code == 0 and "in the week after an attack" in out


def test_series_of_tallies_can_be_sides(run, few_paths):
    def tallies(name, counts):
        weeks = pd.date_range(FIRST, periods=WEEKS, freq="7D")
        return [
            f"{name},{n},exact,{day:%Y-%m-%d},{day + pd.Timedelta(days=6):%Y-%m-%d}"
            for day, n in zip(weeks, counts, strict=True)
        ]

    rng = np.random.default_rng(1)
    lines = [
        "series,count,qualifier,start,end",
        *tallies("raids", rng.poisson(2, WEEKS)),
        *tallies("strikes", rng.poisson(2, WEEKS)),
    ]
    Path("press.csv").write_text("\n".join(lines) + "\n")
    code, out, err = run("retaliation press.csv --side raids --side strikes --freq W-SUN --draws 20")
    assert code == 0, err
    assert "strikes" in out and "share a level" in out


BAD = {
    "no sides": ("retaliation sides.csv", "the sides are nothing; name two different ones"),
    "one side twice": ("retaliation sides.csv --by actor --side A --side A", "the sides are A and A"),
    "no such side": ("retaliation sides.csv --by actor --side A --side C", "no incident has actor 'C'"),
    "no column": ("retaliation sides.csv --side A --side B", "--side names values of a column"),
    "none to reach": (f"{SIDES} --at-least 0", "'--at-least': '0' is no whole number from 1"),
    "no time": (f"{SIDES} --within 0", "'--within': '0' is no whole number from 1"),
    "no memory": (f"{SIDES} --lags 0", "'--lags': '0' is no whole number from 1"),
    "an output that is the source": (f"{SIDES} -o sides.csv", "the same file as SOURCE"),
    "an output without a format": (f"{SIDES} -o out.txt", "add --format csv or --format json"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_code_2(run, name):
    command, says = BAD[name]
    code, out, err = run(command)
    errors = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert (code, out, len(errors)) == (2, "", 1), err
    assert errors[0].startswith("error: ") and says in errors[0]
    assert sorted(path.name for path in Path().iterdir()) == ["sides.csv"]
