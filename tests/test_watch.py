"""Watching: bounds by enumeration, what is said and what is not, state that survives, and files that are damaged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

import escalation
from escalation.cases.watches.bound import allowed_probability, find_bound, silent_periods
from escalation.cases.watches.settings import read_settings
from escalation.cli import main
from escalation.errors import FileError, InputError
from escalation.files.hash_chain import read_chain

RULE = '[[rule]]\nname = "usual"\nfalse_alarms = 4.0\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    counts = rng.poisson(3, 60)
    days = pd.Series(pd.date_range("2023-01-02", periods=60, freq="7D")).repeat(counts)
    table = pd.DataFrame({"date": days, "incident_id": [f"r{at}" for at in range(len(days))]})
    table.to_csv(tmp_path / "raids.csv", index=False)
    (tmp_path / "watch.toml").write_text(f'case = "raids.csv"\n{RULE}', encoding="utf-8")
    return tmp_path


def more(folder: Path, day: str, number: int) -> None:
    """Put incidents of a day and of the second day after it into the table, so that its week is whole."""
    with (folder / "raids.csv").open("a", encoding="utf-8") as table:
        table.writelines(f"{day},{day}-{at}\n" for at in range(number))


def test_the_allowed_probability_makes_so_many_lines_a_year_by_simulation() -> None:
    allowed, silent = allowed_probability(4.0, 28, "W-SUN"), silent_periods(28, "W-SUN")
    assert silent == 3
    crossed = np.random.default_rng(1).random(400_000) < allowed
    lines, wait = 0, 0
    for one in crossed:
        wait -= 1
        if one and wait < 0:
            lines, wait = lines + 1, silent
    # 4% is four standard errors of 30,000 lines
    assert lines / (400_000 / (365.25 / 7)) == pytest.approx(4.0, rel=0.04)
    assert [silent_periods(days, freq) for days, freq in ((0, "D"), (1, "D"), (28, "D"), (28, "M"), (0, "W-SUN"))] == [
        0, 0, 27, 0, 0,
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"with a cool-down of 60 days there are 5\.8 at the most"):
        allowed_probability(6.0, 60, "W-SUN")


def test_the_bound_is_that_of_the_predictive_distribution() -> None:
    index = pd.period_range("2022-01-03", periods=104, freq="W-SUN")
    counts = pd.Series(np.random.default_rng(2).poisson(5, 104), index=index, dtype="Int64")
    bound = find_bound(counts, 2.0, 0, 1)
    allowed = allowed_probability(2.0, 0, "W-SUN")
    # gamma posterior of the rate of 104 Poisson weeks, which is all but the dispersion
    rates = np.random.default_rng(3).gamma(counts.sum() + 0.5, 1 / 104, 20_000)
    tail = np.array([poisson.sf(count - 1, rates).mean() for count in range(30)])
    assert abs(bound.count - int(np.argmax(tail <= allowed))) <= 1  # the dispersion is estimated too
    assert allowed / 4 < bound.probability <= allowed and bound.promised <= 2.0
    with pytest.raises(InputError, match="11 periods were observed before"):
        find_bound(counts.iloc[:11], 2.0, 0, 1)


def test_what_is_new_is_judged_once_and_said_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = str(folder / "watch.toml")
    assert main(["watch", settings]) == 0
    with pytest.raises(InputError, match="is of the kind 'judged'"):  # another kind of ledger, which refuses this one
        escalation.cases.read_ledger(folder / "watch.jsonl")
    assert len(read_chain(folder / "watch.jsonl").entries) == 1
    assert main(["watch", settings]) == 0
    assert len(read_chain(folder / "watch.jsonl").entries) == 1
    assert capsys.readouterr().out == ""
    last = pd.Timestamp(read_chain(folder / "watch.jsonl").entries[0].content["last"])
    busy, quiet = (f"{last + pd.Timedelta(days=days):%Y-%m-%d}" for days in (3, 10))
    more(folder, busy, 20)
    more(folder, quiet, 19)
    more(folder, f"{last + pd.Timedelta(days=15):%Y-%m-%d}", 1)
    assert main(["watch", settings, "--format", "json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in said] == ["usual"] and said[0]["value"] >= 20
    entries = [entry.content for entry in read_chain(folder / "watch.jsonl").entries]
    assert [(one["crossed"], one["said"]) for one in entries[1:3]] == [(True, True), (True, False)]  # its cool-down
    assert main(["watch", settings]) == 0


def test_an_answer_of_the_report_crosses_its_threshold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = '[[rule]]\nname = "likely"\nanswer = "flashpoint"\nflashpoint = 5\nat_least = 0.5\n'
    (folder / "watch.toml").write_text(f'case = "raids.csv"\n{rule}', encoding="utf-8")
    report = escalation.assess(folder / "raids.csv", at_least=5, models=(), rng=1).flashpoints[0]
    assert main(["watch", str(folder / "watch.toml")]) == (3 if report.probability >= 0.5 else 0)
    judged = read_chain(folder / "watch.jsonl").entries[0].content
    assert (judged["value"], judged["promised"]) == (report.probability, None)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.startswith("likely: a week of 5 or more by")


def test_two_runs_at_once_judge_each_period_once(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        judged = list(pool.map(lambda _: escalation.cases.watch(folder / "watch.toml"), range(4)))
    assert sum(map(len, judged)) == 1
    assert len(read_chain(folder / "watch.jsonl").entries) == 1


def test_files_that_are_missing_or_half_written_leave_the_ledger_whole(folder: Path) -> None:
    settings = folder / "watch.toml"
    escalation.cases.watch(settings)
    whole = (folder / "watch.jsonl").read_bytes()
    table = (folder / "raids.csv").read_bytes()
    (folder / "raids.csv").write_bytes(table[: len(table) // 2])
    with pytest.raises(InputError, match=r"judged up to .* already; the file may be half-written"):
        escalation.cases.watch(settings)
    (folder / "raids.csv").unlink()
    with pytest.raises(FileError, match="no such file"):
        escalation.cases.watch(settings)
    assert (folder / "watch.jsonl").read_bytes() == whole
    (folder / "raids.csv").write_bytes(table)
    (folder / "watch.jsonl").write_bytes(whole + whole[:40])
    with pytest.raises(InputError, match="line 2: is half-written"):
        escalation.cases.watch(settings)
    assert main(["watch", str(settings), "--repair"]) == 0
    assert (folder / "watch.jsonl").read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case = 1\n" + RULE, "case is 1; name the folder"),
        ('case = "x"\n', "has no rule"),
        ('case = "x"\nseed = -1\n' + RULE, "seed is -1"),
        ('case = "x"\n' + RULE + RULE, "two rules are called 'usual'"),
        ('case = "x"\n[[rule]]\nfalse_alarms = 1\n', "rule 1: has no name"),
        ('case = "x"\n[[rule]]\nname = "a"\nfalse_alarm = 1\n', "did you mean false_alarms"),
        ('case = "x"\n[[rule]]\nname = "a"\n', "give either false_alarms"),
        ('case = "x"\n[[rule]]\nname = "a"\nfalse_alarms = "1"\n', "false_alarms is '1'; write a number"),
        ('case = "x"\n[[rule]]\nname = "a"\nfalse_alarms = 0\n', "false_alarms is 0; give a number a year"),
        ('case = "x"\n[[rule]]\nname = "a"\nanswer = "flashpoint"\n', "give one of at_least and at_most"),
        ('case = "x"\n[[rule]]\nname = "a"\nanswer = "flashpoint"\nat_least = 5\n', "is a probability, and 5 is none"),
        ('case = "x"\n[[rule]]\nname = "a"\nfalse_alarms = 1\nwithin = 3\n', "go with an answer"),
        ('case = "x"\n[[rule]]\nname = "a"\nfalse_alarms = 1\ncool_down = -1\n', "cool_down is -1"),
        ("case = ", "is no TOML"),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "watch.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_settings(tmp_path / "watch.toml")


def test_an_answer_that_nobody_gives(folder: Path) -> None:
    rule = '[[rule]]\nname = "likely"\nanswer = "surprise"\nat_least = 0.5\n'
    (folder / "watch.toml").write_text(f'case = "raids.csv"\n{rule}', encoding="utf-8")
    with pytest.raises(InputError, match="answer is 'surprise'; use one of count_recent"):
        escalation.cases.watch(folder / "watch.toml")
    assert not (folder / "watch.jsonl").is_file()


def test_false_alarms_are_measured(benchmark) -> None:
    module = benchmark("watch")
    years, said, promised = module.measure(module.Task("weekly, few", 1, 12.0, 0))
    assert years == pytest.approx(52 / (365.25 / 7)) and 0 <= said <= 40 and 0 < promised <= 12.0
