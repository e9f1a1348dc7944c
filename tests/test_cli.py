"""The command line on good input: what it prints, what it writes, its exit codes; bad input is in test_bad_input."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.cli import counting, main, screen
from escalation.conventions.randomness import generator_for

COMMANDS = (
    *("report", "read", "series", "forecast", "flashpoint", "severity", "trend", "excitation", "changes", "alarms"),
    *("backtest", "score", "cases"),
)
FIRST = pd.Timestamp("2024-01-01")  # a Monday
WEEKS = 40
DAY = pd.Timedelta(days=1)
PER_WEEK = np.random.default_rng(7).poisson(3.0, WEEKS)

PRESS = """series,count,qualifier,start,end
attacks,10,exact,2024-01-01,2024-01-14
attacks,10,exact,2024-01-01,2024-01-14
attacks,3,nearly,2024-01-15,2024-01-28
attacks,30,about,2024-01-01,2024-02-25
"""


def incident_days() -> list[pd.Timestamp]:
    """Incidents on the first to last day of each of 40 weeks, as many a week as PER_WEEK says, quiet ends excepted."""
    days = [FIRST + pd.Timedelta(days=7 * week + (week + i) % 7) for week, n in enumerate(PER_WEEK) for i in range(n)]
    return [FIRST, *days, FIRST + pd.Timedelta(days=7 * WEEKS - 1)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{day:%Y-%m-%d},{'Iraq' if i % 3 else 'Syria'}\n" for i, day in enumerate(incident_days()))
    Path("list.csv").write_text("date,country\n" + rows)
    Path("press.csv").write_text(PRESS)
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Run a command in the folder: its exit code, stdout and stderr."""

    def running(command: str) -> tuple[int, str, str]:
        code = main(command.split())
        return code, *capsys.readouterr()

    return running


@pytest.fixture
def few_draws(monkeypatch):
    """Fewer draws of excitation unless told, to the function and so to the command."""
    defaults = escalation.excitation.__kwdefaults__
    for name, few in {"draws": 99, "replicates": 20}.items():
        assert few < defaults[name]
        monkeypatch.setitem(defaults, name, few)


def table_in(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


# --- help and version -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example_that_fits_80_columns(run, command):
    code, out, err = run(f"{command} --help")
    assert (code, err) == (0, "")
    assert "Example" in out
    assert re.search(rf"^ +escalation {command}", out, re.MULTILINE)  # on a line of its own
    assert "\\b" not in out
    assert "--output FILE" in out
    assert max(map(len, out.splitlines())) <= 80


def test_without_a_command_the_help_lists_all(run):
    code, out, err = run("")
    assert (code, err) == (0, "")
    assert all(f"\n  {command} " in out for command in COMMANDS)
    assert "..." not in out.partition("Commands:")[2]  # no line is cut
    assert out == run("--help")[1]


def test_the_version_is_the_packages(run):
    assert run("--version") == (0, f"escalation {escalation.__version__}\n", "")


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "escalation", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"escalation {escalation.__version__}\n"


def test_help_loads_no_heavy_library():
    script = (
        "import sys; from escalation.cli import main; main(['--help']); "
        "print(*({'pandas', 'numpy', 'matplotlib', 'statsmodels', 'numba', 'rich', 'openpyxl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


# --- cases ------------------------------------------------------------------------------------------------------------


def test_cases_are_listed_in_each_format(run):
    code, out, err = run("cases")
    assert (code, err) == (0, "")
    assert "militia-attacks-2023-2024" in out
    assert max(map(len, out.splitlines())) <= 80
    listed = table_in(run("cases --format csv")[1])
    assert listed["tallies"].tolist() == [297, 6]
    assert json.loads(run("cases --format json")[1]) == listed.to_dict("records")


# --- series -----------------------------------------------------------------------------------------------------------


def test_the_counts_of_incidents_are_those_of_a_plain_count(run):
    code, out, err = run("series list.csv --format csv")
    assert (code, err) == (0, "")
    counted = table_in(out)
    by_week = Counter((day - FIRST).days // 7 for day in incident_days())
    assert counted["count"].tolist() == [by_week[week] for week in range(WEEKS)]
    assert counted["start"].tolist() == [f"{FIRST + pd.Timedelta(weeks=week):%Y-%m-%d}" for week in range(WEEKS)]
    assert (counted["exposure"] == 1).all()


def test_json_says_what_csv_says(run):
    records = json.loads(run("series list.csv --freq M --format json")[1])
    read = table_in(run("series list.csv --freq M --format csv")[1])
    pd.testing.assert_frame_equal(pd.DataFrame(records), read, check_dtype=False)


def test_one_value_of_a_column_can_be_counted(run):
    counted = table_in(run("series list.csv --by country --series Syria --format csv")[1])
    assert counted["count"].sum() == len(incident_days()[::3])
    assert len(counted) == WEEKS


def test_an_output_holds_what_the_screen_would_show_and_is_told_by_its_ending(run, folder):
    shown = run("series list.csv --format json")[1]
    assert run("series list.csv -o counts.json") == (0, "Written: counts.json\n", "")
    assert Path("counts.json").read_text() == shown
    assert sorted(path.name for path in folder.iterdir()) == ["counts.json", "list.csv", "press.csv"]


def test_part_of_a_period_is_said_and_shown(run):
    code, out, err = run("series list.csv --start 2024-01-03 --end 2024-02-04")
    assert code == 0
    assert "2024-01-01 to 2024-01-07" in out
    assert "71%" in out  # five of seven days
    assert "rates and fits allow for it" in err
    assert "lie outside" in err
    assert all(line.startswith("warning: ") for line in err.splitlines())
    assert len(err.splitlines()) == 2


def test_tallies_give_medians_with_intervals_and_a_repeated_one_is_merged(run):
    code, out, err = run("series press.csv --format csv --ledger ledger.csv")
    assert code == 0
    assert "press.csv: 1 merged (row 3: the same in every column as an earlier row)" in err
    assert pd.read_csv("ledger.csv")[["row", "action"]].to_numpy().tolist() == [[3, "merged"]]
    counted = table_in(out)
    assert len(counted) == 8
    assert (counted["lower"] <= counted["median"]).all()
    assert (counted["median"] <= counted["upper"]).all()
    # about 30 in all: the kernel of "about" allows a few per cent, medians of weeks need not add up exactly
    assert 20 <= counted["median"].sum() <= 36
    assert run("series press.csv --format csv")[1] == out
    assert run("series press.csv --format csv --seed 2")[1] != out


def test_the_bundled_case_is_what_is_counted_without_a_source(run):
    code, out, err = run("series")
    assert (code, err) == (0, "")
    assert out.startswith("All 402 days are spoken of.\nMilitia attacks on US forces: attacks")
    assert "2023-10-16 to 2023-10-22" in out
    assert max(map(len, out.splitlines())) <= 80


# --- forecast, flashpoint, report -------------------------------------------------------------------------------------


def test_a_forecast_goes_on_where_the_counts_end(run):
    code, out, err = run("forecast list.csv --horizon 6 --format csv")
    assert (code, err) == (0, "")
    ahead = table_in(out)
    assert ahead["start"].tolist() == [f"{FIRST + pd.Timedelta(weeks=WEEKS + k):%Y-%m-%d}" for k in range(6)]
    assert (ahead["obs_pi_lower"] <= ahead["median"]).all()
    assert (ahead["median"] <= ahead["obs_pi_upper"]).all()
    # incidents fall at 3 a week; ahead of a steady series the mean stays within a factor of two
    assert ahead["mean"].between(1.5, 6).all()
    assert run("forecast list.csv --horizon 6 --format csv")[1] == out
    assert run("forecast list.csv --horizon 6 --format csv --seed 9")[1] != out


def test_a_forecast_says_where_it_wrote_and_keeps_a_table_on_stdout_clean(run):
    pytest.importorskip("pyarrow")
    asked = "forecast list.csv --horizon 3 --model climatology --save paths.parquet --ledger ledger.csv"
    assert run(f"{asked} -o ahead.csv")[1] == "All paths: paths.parquet\nWritten: ahead.csv\n"
    code, out, _ = run(f"{asked} --format csv")
    assert (code, out) == (0, Path("ahead.csv").read_text())


def test_a_forecast_on_the_screen_fits_it(run):
    code, out, _ = run("forecast list.csv --model climatology")
    assert code == 0
    assert "forecast by the climatology model" in out
    assert "90% prediction interval" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_forecast_that_was_saved_is_scored_by_what_came(run, folder):
    pytest.importorskip("pyarrow")
    code, out, err = run("forecast list.csv --end 2024-09-01 --horizon 6 --model climatology --save old.parquet")
    assert code == 0 and out.startswith("All paths: old.parquet\n")
    assert "18 of 126 incidents lie outside" in err
    code, out, err = run("score list.csv --forecast old.parquet --format csv")
    assert (code, err) == (0, "")
    table = table_in(out)
    counts = escalation.aggregate(escalation.read_incidents("list.csv")[0], "W-SUN", end="2024-10-06")
    assert table["observed"].tolist() == counts.loc[table["start"]].tolist()
    assert (table["crps"] >= 0).all()
    code, out, _ = run("score list.csv --forecast old.parquet")
    assert code == 0
    assert f"{len(table)} of 6 periods are known" in out
    assert max(map(len, out.splitlines())) <= 80
    assert run("score list.csv --end 2024-09-01 --forecast old.parquet")[0] == 2


def test_changes_and_alarms_are_those_of_the_functions(run):
    counts = escalation.aggregate(escalation.read_incidents("list.csv")[0], "W-SUN")
    code, out, _ = run("changes list.csv")
    assert code == 0
    assert " ".join(out.split()).endswith(escalation.changepoints(counts).sentence())
    assert run("changes list.csv --format csv")[0] == 0
    code, out, _ = run("alarms list.csv --method ears_c1")
    assert code == 0
    assert " ".join(out.split()).endswith(escalation.alarms(counts, "ears_c1").sentence())
    table = table_in(run("alarms list.csv --method ears_c1 --format csv")[1])
    assert table["observed"].tolist()[-5:] == counts.tolist()[-5:]
    assert run("alarms list.csv --method magic")[0] == 2


def test_a_flashpoint_by_a_definition_in_public_use(run):
    code, out, _ = run("flashpoint list.csv --preset acled-25 --model climatology")
    assert code == 0
    assert "(acled-25)" in out
    code, _, err = run("flashpoint list.csv --preset acled-25 --at-least 3")
    assert code == 2
    assert "brings its own threshold" in err
    assert run("flashpoint list.csv --preset coup")[0] == 2
    code, _, err = run("flashpoint list.csv --preset first-lethal")
    assert code == 2
    assert "first-lethal is about fatalities or lethal attacks, and these are counts of" in " ".join(err.split())


def test_a_doubling_time_below_0_is_said_to_be_a_halving_time(run):
    days = [FIRST + 7 * week * DAY for week in range(20) for _ in range(max(1, 20 - 2 * week))]
    Path("falling.csv").write_text("date\n" + "".join(f"{day:%Y-%m-%d}\n" for day in days))
    command = "trend falling.csv --start 2024-01-01 --end 2024-05-19 --window 2024-01-01..2024-03-10"
    table = table_in(run(f"{command} --format csv")[1]).set_index("key")
    time = table.loc["doubling_time", "value"]
    assert time < 0
    said = " ".join(run(command)[1].split())
    assert "doubling time" in said and f"{time:.1f} " in said
    assert re.search(rf", halving in {-time:.1f} weeks? \(", said)


def test_a_trend_is_that_of_the_functions(run):
    counts = escalation.aggregate(escalation.read_incidents("list.csv")[0], "W-SUN")
    code, out, err = run("trend list.csv --recent 8 --baseline 2024-02-05..2024-06-30 --window 12")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    said = " ".join(out.split())
    change = escalation.compare_rates(counts, 8, ("2024-02-05", "2024-06-30"), rng=1)
    assert change.sentence() in said
    assert escalation.growth_rate(counts, 12, rng=1).sentence() in said
    assert "At the end of the series the underlying rate changes by" in said
    table = table_in(run("trend list.csv --recent 8 --baseline 2024-02-05..2024-06-30 --format csv")[1])
    by_key = table.set_index("key")
    assert by_key.loc["rate_ratio", "value"] == pytest.approx(change.ratio, rel=1e-6)
    assert by_key.loc["probability_unusual", "value"] == pytest.approx(change.probability_unusual, rel=1e-6)
    assert by_key.loc["growth", "question"] == "growth over 13 weeks"
    records = json.loads(run("trend list.csv --recent 8 --baseline 2024-02-05..2024-06-30 --format json")[1])
    assert [record["key"] for record in records] == table["key"].tolist()


def test_growth_of_a_window_that_is_too_short_is_not_given_and_why_is_said(run):
    code, out, err = run("trend list.csv --window 3")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert "growth over 3 weeks not given" in said and "3 observed weeks, and it needs 4)." in said
    assert max(map(len, out.splitlines())) <= 80


def test_a_day_that_carries_a_rise_is_named(run):
    days = [FIRST + k * 5 * DAY for k in range(20)] + [FIRST + 95 * DAY] * 60 + [FIRST + 111 * DAY]
    Path("surge.csv").write_text("date\n" + "".join(f"{day:%Y-%m-%d}\n" for day in days))
    code, out, _ = run("trend surge.csv --recent 4 --baseline 12")
    assert code == 0
    assert "The rise hangs on one day, 2024-04-05 with 61" in " ".join(out.split())


def test_excitation_is_that_of_the_function(run, few_draws):
    rng = np.random.default_rng(2)
    counts = np.zeros((120, 2), dtype=int)
    for week in range(1, 120):
        counts[week] = rng.poisson(2 + 0.5 * counts[week - 1, ::-1])
    counts[-1] = 1
    lines = [
        f"{FIRST + 7 * week * DAY:%Y-%m-%d},{side}\n"
        for week in range(120)
        for side, number in zip("AB", counts[week], strict=True)
        for _ in range(number)
    ]
    Path("sides.csv").write_text("date,actor\n" + "".join(lines))
    command = "excitation sides.csv --by actor --side A --side B --lags 1 --start 2024-01-01"
    code, out, err = run(command)
    assert code == 0, err
    assert max(map(len, out.splitlines())) <= 80
    with pytest.warns(escalation.errors.DataWarning, match="repeat one before them in every column"):
        source = escalation.open_source("sides.csv")
    both = {side: escalation.count_series(source, by="actor", series=side, start=FIRST).counts for side in "AB"}
    frame = pd.DataFrame(both)  # without the week of the last incident
    expected = escalation.excitation(frame, lags=1, unit="incidents", rng=generator_for(1, "excitation"))
    assert expected.sentence() in " ".join(out.split())
    shown = table_in(run(f"{command} --format csv")[1])
    assert shown["effect"].tolist() == pytest.approx(expected.effects["effect"].tolist(), rel=1e-6)
    assert set(shown["by"]) == {"A", "B"}


def test_days_on_which_nobody_looked_are_no_gap_for_any_command(run, folder):
    days = [day for day in pd.date_range("2023-01-01", "2023-12-31") if not "2023-06" <= f"{day:%Y-%m}" <= "2023-07"]
    Path("daily.csv").write_text("date,place\n" + "".join(f"{day:%Y-%m-%d},Erbil\n" for day in days))
    Path("looked.csv").write_text("start,end\n2023-01-01,2023-05-31\n2023-08-01,2023-12-31\n")
    assert "not to be forecast from as it is" in " ".join(run("read daily.csv")[1].split())
    code, out, _ = run("read daily.csv --coverage looked.csv")
    assert code == 0
    assert "No incident in the" not in out and "not to be forecast" not in out
    code, out, err = run("series daily.csv --coverage looked.csv --freq M --format csv")
    assert code == 0 and "no incident in the" not in err
    assert table_in(out)["count"].isna().sum() == 2
    assert run("read daily.csv --coverage units")[0] == 2
    code, _, err = run("read november-2024-article --coverage looked.csv")
    assert code == 2 and "is a case with tallies" in err


def test_rows_that_repeat_others_are_merged_by_a_command(run, folder):
    rows = ["1,2024-01-03,06:10,Erbil", "2,2024-01-03,21:40,Erbil", "3,2024-01-03,06:10,Erbil", "4,2024-01-09,?,Tanf"]
    Path("log.csv").write_text("\n".join(["index,date,clock,place", *rows]))
    code, out, _ = run("deduplicate log.csv -o once.csv --ledger merged.csv")
    assert code == 0
    assert pd.read_csv("once.csv")["place"].tolist() == ["Erbil", "Erbil", "Tanf"]
    assert pd.read_csv("merged.csv")["why"].tolist() == ["repeats the row at 0, which is kept"]
    code, out, err = run("deduplicate log.csv")
    assert "1 of 4 incidents are merged, 3 are left" in " ".join(out.split())
    assert "2024-01-03" in out
    assert "merged, for they" not in err
    assert "2 of 4 incidents are merged" in " ".join(run("deduplicate log.csv --min-similarity 1")[1].split())
    code, out, err = run("deduplicate log.csv --min-similarity 2 -o twice.csv")
    assert code == 2
    assert err.splitlines()[-1].startswith("error: min_similarity is 2.0; give a similarity above 0")
    assert not Path("twice.csv").exists()
    assert run("deduplicate november-2024-article")[0] == 2


def test_what_if_is_shown_beside_the_baseline(folder, capsys):
    command = [
        "flashpoint",
        "list.csv",
        "--within",
        "6",
        "--at-least",
        "6",
        "--what-if",
        "rate x3 from 2024-10-14 for 3",
    ]
    assert main([*command, "--format", "json"]) == 0
    rows = {row["scenario"]: row for row in json.loads(capsys.readouterr().out)}
    source = escalation.open_source("list.csv")
    fit = escalation.default_model().fit(escalation.count_series(source).counts)
    scenarios = {command[-1]: escalation.analysis.Scenario("2024-10-14", 3.0, until="2024-11-03")}
    expected = escalation.what_if(fit, 6, scenarios, at_least=6, rng=1).scenarios
    for name, row in expected.iterrows():
        assert rows[name]["probability"] == pytest.approx(row["probability"], abs=1e-6)
        assert rows[name]["total"] == pytest.approx(row["total"], abs=1e-3)
    assert main(command) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "rate times 3 from 2024-10-14 until 2024-11-03." in " ".join(out.split())
    assert "Scenarios are assumptions" in out


def test_a_lethal_attack_is_assumed_with_what_the_incidents_say(folder, capsys):
    rows = [f"2024-{1 + day // 28:02}-{1 + day % 28:02},{(day % 7 == 0) * (1 + day % 3)}" for day in range(0, 280, 2)]
    Path("killing.csv").write_text("date,fatalities\n" + "\n".join(rows) + "\n", encoding="utf-8")
    command = ["flashpoint", "killing.csv", "--within", "4", "--what-if", "attack that kills 2 on 2024-11-04"]
    assert main([*command, "--format", "json"]) == 0
    rows = {row["scenario"]: row for row in json.loads(capsys.readouterr().out)}
    assumed, base = rows[command[-1]], rows["baseline"]
    assert assumed["killed_lower"] >= 2 and 0 < base["lethal_probability"] < 1 and assumed["draws"] < base["draws"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "Probability of a lethal attack besides those assumed, and the killed with theirs" in " ".join(out.split())
    assert "an attack that kills 2 or more in the period of 2024-11-04." in " ".join(out.split())


def test_assumptions_are_read_from_words():
    from escalation.cli.assumptions import read_assumptions

    [ceasefire] = read_assumptions("ceasefire from 2024-11-20", "W-SUN")
    assert (ceasefire.date, ceasefire.factor, ceasefire.until) == ("2024-11-20", 0.1, None)
    rate, attack = read_assumptions(
        "rate x0.5 from 2024-11-20 until 2024-12-31 fading 14 and 3 attacks on 2024-12-01", "D"
    )
    assert (rate.factor, rate.until, rate.half_life) == (0.5, "2024-12-31", 14)
    assert (attack.date, attack.count) == ("2024-12-01", 3)
    [months] = read_assumptions("rate  x2 from 2024-11-20 for 2", "M")
    assert months.until == "2024-12-31"
    assert read_assumptions("attack on 2024-12-01", "D")[0].count == 1


def test_a_backtest_compares_models_and_goes_on_where_it_stopped(run, folder):
    command = "backtest list.csv --models climatology,negative_binomial --origins 8 --every 1 --steps 2 --store parts"
    code, out, err = run(command)
    assert (code, err) == (0, "")
    assert "8 past origins, 1 to 2 weeks ahead" in out
    assert max(map(len, out.splitlines())) <= 80
    assert len(list((folder / "parts").glob("*.npz"))) == 16
    assert run(command)[1] == out
    table = table_in(run(f"{command} --format csv")[1]).set_index("model")
    assert set(table.index) == {"climatology", "negative_binomial"}
    assert table.loc["negative_binomial", "verdict"] in ("better", "worse", "not distinguishable")
    assert run("backtest list.csv --origins 300")[0] == 2
    assert run("backtest list.csv --models arima")[0] == 2


def test_a_backtest_shows_how_much_intervals_held_by_recent_counts(run):
    command = "backtest list.csv --models climatology,last_value --origins 8 --every 2 --steps 2"
    _, out, _ = run(command)
    records = {row["model"]: row["coverage_by_size"] for row in json.loads(run(f"{command} --format json")[1])}
    counts = pd.Series(0, index=pd.period_range(FIRST, periods=WEEKS, freq="W-SUN")).add(
        pd.Series(incident_days()).dt.to_period("W-SUN").value_counts(), fill_value=0
    )
    recent = np.ceil([counts.iloc[at - 3 : at + 1].mean() for at in range(WEEKS - 17, WEEKS - 2, 2)])
    for rows in records.values():
        held = {row["recent"]: row["forecasts"] for row in rows}
        assert held == {"1-2": 2 * (recent < 3).sum(), "3-9": 2 * (recent >= 3).sum()}
    shown = [line.split() for line in out.splitlines() if line.split()[:1] in (["1-2"], ["3-9"])]
    best = next(iter(records.values()))
    assert [line[:4] for line in shown] == [
        [row["recent"], str(row["forecasts"]), f"{row['inside']:.0%}", f"{row['mass']:.0%}"] for row in best
    ]
    assert max(map(len, out.splitlines())) <= 80


def test_a_backtest_from_few_origins_has_no_verdict(run):
    code, out, _ = run("backtest list.csv --models climatology,negative_binomial --origins 3 --every 1 --steps 1")
    assert code == 0
    assert "3 origins are too few to distinguish models" in " ".join(out.split())
    code, out, _ = run("backtest press.csv --models climatology --origins 3 --every 1 --steps 1")
    assert code == 0
    assert "do not say when they were printed" in " ".join(out.split())


def test_a_forecast_is_scored_by_its_own_series_only(run):
    pytest.importorskip("pyarrow")
    run("forecast list.csv --end 2024-09-01 --horizon 6 --model climatology --save old.parquet")
    code, _, err = run("score press.csv --forecast old.parquet")
    assert code == 2
    assert "choose the same" in err
    assert run("score list.csv --measure fatalities --forecast old.parquet")[0] == 2
    assert run("forecast list.csv --save old.csv")[0] == 2


def test_a_backtest_of_tallies_knows_only_what_had_been_printed(run):
    Path("dated.csv").write_text(
        "series,count,qualifier,start,end,as_of\n"
        + "".join(
            f"raids,{4 + k % 3},exact,{day:%Y-%m-%d},{day + 6 * DAY:%Y-%m-%d},{day + 8 * DAY:%Y-%m-%d}\n"
            for k, day in enumerate(pd.date_range(FIRST, periods=12, freq="7D"))
        )
    )
    code, out, _ = run("backtest dated.csv --models climatology --origins 3 --every 1 --steps 1")
    assert code == 0
    assert "only the tallies printed by then were known" in " ".join(out.split())


def test_a_flashpoint_has_its_monte_carlo_error_and_its_dates(run):
    code, out, err = run("flashpoint list.csv --at-least 8 --within 5 --model climatology --format json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert [row["by"] for row in rows] == [
        f"{FIRST + pd.Timedelta(days=7 * (WEEKS + k) - 1):%Y-%m-%d}" for k in (1, 2, 3, 4, 5)
    ]
    chances = np.array([row["probability"] for row in rows])
    assert (np.diff(chances) >= 0).all()
    errors = np.array([row["mc_error"] for row in rows])
    # the binomial error of a share of independent paths, its half a path of smoothing aside
    np.testing.assert_allclose(errors, np.sqrt(chances * (1 - chances) / rows[0]["draws"]), atol=1e-3)
    code, out, _ = run("flashpoint list.csv --at-least 8 --within 5 --model climatology")
    assert code == 0
    assert "The probability of a week with at least 8 incidents" in out.replace("\n", " ")
    assert "Monte Carlo error" in out
    assert f"{chances[-1]:.2f}" in out
    assert max(map(len, out.splitlines())) <= 80


def test_windows_that_begin_before_the_forecast_count(run):
    rows = json.loads(run("flashpoint list.csv --at-least 1 --over 4 --within 2 --format json --model climatology")[1])
    assert [row["probability"] for row in rows] == [1.0, 1.0]  # the last weeks were not quiet


def test_a_horizon_grows_with_within(run):
    rows = json.loads(run("flashpoint list.csv --at-least 9 --within 20 --format json --model climatology")[1])
    assert len(rows) == 20


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Two reports on the same incidents with the same seed: what the first one's process printed, and the PDFs."""
    place = tmp_path_factory.mktemp("reports")
    rows = "".join(f"{day:%Y-%m-%d}\n" for day in incident_days())
    (place / "list.csv").write_text("date\n" + rows)
    command = [sys.executable, "-m", "escalation", "report", "list.csv", "--at-least", "8", "-o"]
    done = subprocess.run([*command, "one.pdf"], cwd=place, text=True, capture_output=True, check=False)
    with contextlib.chdir(place), contextlib.redirect_stdout(io.StringIO()):
        assert main([*command[3:], "two.pdf"]) == 0
    return done, place / "one.pdf", place / "two.pdf"


def test_a_report_prints_the_answers_and_where_the_pdf_is(reports):
    done, path, _ = reports
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "Report: one.pdf"
    assert max(map(len, lines)) <= 80
    for question in (
        "rate now",
        "probability of a higher rate",
        "growth over 13 weeks",
        "forecast total, next 8 weeks",
        "a week of 8 or more",
    ):
        assert question in done.stdout
    assert path.read_bytes().startswith(b"%PDF-")
    assert sorted(file.name for file in path.parent.iterdir()) == ["list.csv", "one.pdf", "two.pdf"]


def test_the_same_seed_gives_the_same_report(reports):
    _, one, two = reports
    assert one.read_bytes() == two.read_bytes()


def test_the_command_and_the_function_write_one_report(reports, tmp_path):
    series = escalation.count_series(escalation.open_source(reports[1].parent / "list.csv"), rng=1)
    made = escalation.assess(series, at_least=8, rng=1)
    assert escalation.write_report(made, tmp_path / "three.pdf").read_bytes() == reports[1].read_bytes()


def test_the_ending_of_the_output_tells_a_pdf_from_json(run):
    code, out, err = run("report list.csv --at-least 8 --full -o answers.json")
    assert (code, err) == (0, "") and out.endswith("Report: answers.json\n")
    content = json.loads(Path("answers.json").read_text(encoding="utf-8"))
    keys = [row["key"] for row in content["answers"]]
    assert {"rate_now", "growth_now", "total_ahead", "flashpoint", "preset_acled_25", "false_alarms"} <= set(keys)
    assert content["source"]["name"] == "list.csv" and content["seed"] == 1
    series = escalation.count_series(escalation.open_source("list.csv"), rng=1)
    assert content.pop("brief")["verdict"][0]["key"] == "now"
    assert content == json.loads(escalation.assess(series, at_least=8, rng=1).to_json())
    code, out, err = run("report list.csv -o answers.txt")
    assert (code, out) == (2, "")
    assert err == "error: answers.txt: a report is a PDF, a page or JSON; end its name in .pdf, .html or .json\n"
    said = " ".join(run("report --help")[1].split())
    assert "a PDF, a page (.html) or JSON, by the ending of its name" in said


def test_excitation_between_sides_with_long_names_has_rows_of_one_line(folder, few_draws, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    north, south = "Northern Alliance of Armed Groups", "Government Forces of the South"
    days = [(FIRST + k * DAY, (north, south)[k % 5 < 2]) for k in range(7 * 40)]
    Path("sides.csv").write_text("date,actor\n" + "".join(f"{day:%Y-%m-%d},{side}\n" for day, side in days))
    command = ["excitation", "sides.csv", "--by", "actor", "--lags", "2", "--end", "2024-10-06"]
    assert main([*command, "--side", north, "--side", south]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(" 1 week ") and line.split()[2] in ("1", "2", "1-2") for line in lines) == 2 * 3
    assert f"More incidents by {north} after one by {south}" in " ".join(" ".join(lines).split())


def test_a_report_on_two_sides_has_the_excitation_of_the_command(run, few_draws):
    sides = np.random.default_rng(3).poisson(1.0, (60, 2))
    sides[[0, -1]] = 1
    lines = [
        f"{FIRST + 7 * week * DAY:%Y-%m-%d},{side},{week}{side}{number}\n"
        for week in range(60)
        for side, total in zip("AB", sides[week], strict=True)
        for number in range(total)
    ]
    Path("sides.csv").write_text("date,actor,incident_id\n" + "".join(lines))
    asked = "sides.csv --by actor --side A --side B --end 2025-02-23"
    code, _, err = run(f"report {asked} -o answers.json")
    assert code == 0 and "error" not in err
    rows = {row["key"]: row for row in json.loads(Path("answers.json").read_text(encoding="utf-8"))["answers"]}
    assert rows["count_recent"]["value"] == sides[-4:].sum()  # all incidents, not one side's
    text = " ".join(run(f"excitation {asked}")[1].split())
    for by, after in (("B", "A"), ("A", "B")):
        row = rows[f"excitation_{by.lower()}_after_{after.lower()}"]
        size = f"{row['value']:.2g} ({row['lower']:.2g} to {row['upper']:.2g})"
        assert f"An attack by {after} is followed by {size} more incidents by {by} within 3 weeks" in text


# --- exit codes and what goes to stderr -------------------------------------------------------------------------------


def test_a_bug_is_one_line_that_says_so(run, monkeypatch):
    monkeypatch.delenv("ESCALATION_TRACEBACK", raising=False)
    monkeypatch.setattr(counting, "cases", lambda **_: 1 / 0)
    code, out, err = run("cases")
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("error: this is a bug in escalation: ZeroDivisionError")
    assert "ESCALATION_TRACEBACK=1" in line
    monkeypatch.setenv("ESCALATION_TRACEBACK", "1")
    assert "Traceback" in run("cases")[2]


def test_an_interruption_has_its_own_exit_code(run, monkeypatch):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(counting, "cases", interrupt)
    assert run("cases") == (130, "", "interrupted\n")


def test_a_character_that_the_screen_cannot_show_is_no_bug(folder):
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    Path("عراق.csv").write_bytes(Path("list.csv").read_bytes())
    command = [sys.executable, "-m", "escalation", "series", "عراق.csv", "--freq", "M"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"error: the screen's encoding cp1252 cannot show the result" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_has_enough_ends_the_command_quietly(folder):
    command = [sys.executable, "-m", "escalation", "series", "list.csv", "--freq", "D", "--format", "csv"]
    command += ["--end", "2024-10-06"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_other_warnings_are_shown_once_and_not_lost(run, monkeypatch):
    def warn(**_):
        for _ in range(2):
            warnings.warn("overflow somewhere", RuntimeWarning, stacklevel=1)
            warnings.warn("two\nlines", escalation.errors.DataWarning, stacklevel=1)

    monkeypatch.setattr(counting, "cases", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of tests
        code, _, err = run("cases")
    assert code == 0
    first, second = err.splitlines()
    assert first.startswith("warning: RuntimeWarning: overflow somewhere (test_cli.py, line ")
    assert second == "warning: two\\nlines"


def test_warnings_of_libraries_survive_the_counting(folder, monkeypatch):
    from escalation.assessment import source  # by its own name: old versions of lazy-loader do not give modules

    aggregate = source.aggregate

    def noisy(*args, **options):
        warnings.warn("invalid value", RuntimeWarning, stacklevel=1)
        return aggregate(*args, **options)

    monkeypatch.setattr(source, "aggregate", noisy)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        counted = escalation.count_series(escalation.open_source("list.csv"))
    assert counted.notes == ()


def test_names_from_a_file_cannot_steer_the_terminal(run):
    Path("press.csv").write_text(PRESS.replace("attacks", "[bold]x\x1b[31m[/bold]"))
    code, out, _ = run("series press.csv")
    assert code == 0
    assert "[bold]x?[31m[/bold]" in out
    assert "\x1b" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("terminal", ["stderr", "none"])
def test_progress_is_shown_on_a_terminal_only(folder, terminal):
    master, slave = os.openpty()
    command = [sys.executable, "-m", "escalation", "series", "list.csv", "--format", "csv"]
    environment = {**os.environ, "TERM": "xterm"}
    if terminal == "none":
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert done.stderr == b""
    else:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, env=environment, check=True)
        assert b"reading list.csv" in os.read(master, 100_000)
    os.close(slave)
    os.close(master)
    assert done.stdout.startswith(b"period,start,end,count,exposure,observed_share\n")


def test_read_tells_columns_ledger_and_quality_before_anything_is_counted(run):
    lines = "".join(f"2024-0{month}-{day:02},Erbil,1\n" for month in (1, 2, 3) for day in range(1, 29))
    Path("strikes.csv").write_text("Datum,Ort,killed\n" + lines + "2024-02-31,Tanf,0\n2024-03-30,Tanf,some\n")
    code, out, _ = run("read strikes.csv --column date=Datum --column place=Ort --ledger ledger.csv")
    assert code == 0
    assert "strikes.csv: 85 incidents out of 86 rows." in out
    assert all(line in out for line in ("date         Datum", "place        Ort", "fatalities   killed"))
    assert "dropped" in out and "changed" in out and len(pd.read_csv("ledger.csv")) == 2
    assert "Data quality of 85 incidents, 2024-01-01 to 2024-03-30: " in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    _, out, _ = run("read strikes.csv --column date=Datum --format csv")
    assert table_in(out).iloc[0][["date", "date_end", "fatalities"]].tolist() == ["2024-01-01", "2024-01-01", 1]


def test_read_lists_the_series_of_tallies(run):
    code, out, err = run("read november-2024-article")
    assert (code, err) == (0, "")
    assert "6 tallies out of 6 rows." in out
    assert "us_strikes_on_militias 2 2 2024-02-02 2024-11-12" in " ".join(out.split())


def test_the_verdict_on_the_data_comes_before_the_forecast(run):
    days = [FIRST + DAY * i for i in range(200) if not 100 <= i < 125]
    Path("gap.csv").write_text("date\n" + "".join(f"{day:%Y-%m-%d}\n" for day in days))
    code, _, err = run("forecast gap.csv --model climatology")
    assert code == 0
    assert "warning: Data quality of 175 incidents, 2024-01-01 to 2024-07-18: not to be forecast from as it is" in err
    assert "warning: No incident in the 25 days from 2024-04-10 to 2024-05-04" in err


def test_coverage_histories_and_several_files_on_the_command_line(run, folder):
    Path("spans.csv").write_text("country,start,end\nIraq,2024-01-01,2024-01-31\nIraq,2024-04-01,\n")
    code, out, err = run("series list.csv --by country --series Iraq --coverage spans.csv --freq M --format csv")
    assert code == 0
    table = table_in(out)
    assert table["exposure"].iloc[1:3].tolist() == [0, 0]
    assert table["count"].isna().iloc[1:3].all()
    assert table["count"].notna().iloc[0]
    assert "not covered" in err
    assert "spans.csv: 1 changed (row 3, end: blank, taken as the last day of the counts); --ledger" in err
    assert run("series list.csv --by country --series Iraq --coverage spans.csv --freq M --ledger all.csv")[0] == 0
    entries = pd.read_csv("all.csv")
    assert entries.loc[entries["file"] == "spans.csv", ["row", "column"]].to_numpy().tolist() == [[3, "end"]]
    forecast = "forecast list.csv --by country --series Iraq --coverage spans.csv --freq M --horizon 2"
    assert run(f"{forecast} --model climatology --format csv")[0] == 0
    Path("more.csv").write_text("date,date_end,country\n2024-01-01,2024-02-29,Iraq\n2024-03-01,2024-03-02,Iraq\n")
    alone = table_in(run("series list.csv --freq M --end 2024-03-31 --format csv")[1])
    both = table_in(run("series list.csv more.csv --freq M --end 2024-03-31 --draws 40 --format csv")[1])
    assert (both["lower"] <= both["upper"]).all()
    assert both["median"].iloc[2] == alone["count"].iloc[2] + 1
    shown = run("series more.csv --freq M --draws 40")
    assert shown[0] == 0
    assert "90% interval" in shown[1]
    code, _, err = run("series list.csv more.csv --coverage spans.csv -o spans.csv --format csv")
    assert code == 2
    assert "the same file as --coverage" in err


def test_tables_break_between_words_on_a_narrow_screen(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    models = ["changing rate", "negative binomial", "climatology"]
    figures = [(name, ["12.34"] * 3) for name in ("CRPS", "log score", "in 50%", "in 90%", "skill over climatology")]
    screen.show("Backtest", ("model", models), *figures, ("verdict", ["not distinguishable", "better", ""]))
    out = capsys.readouterr().out
    assert "distinguishable" in out and "climatology" in out
    assert max(map(len, out.splitlines())) <= 80
    screen.show("Links", ("url", ["https://example.org/" + "x" * 90]), ("n", ["1"]))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80  # a word that is too long is broken all the same
