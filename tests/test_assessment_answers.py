"""One question, one answer: its key, unit and words, and the same number on the screen, in JSON and in print."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import re

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.answer import Answer, keys_of
from escalation.cli import main
from escalation.report.write import compose_full

ALL = (
    "trend",
    "forecast",
    "flashpoints",
    "year",
    "presets",
    "severity",
    "changes",
    "alarms",
    "regimes",
    "excitation",
    "places",
    "effect",
)
KINDS = ("case", "incidents", "months", "fatalities")
SPAN = ["--start", "2022-01-03", "--end", "2023-12-31"]
"""The weeks that the raids of the fixture were watched in."""
UNITS = {
    "rate": {
        "count_recent": "{unit}",
        "rate_now": "{unit} per {word}",
        "rate_before": "{unit} per {word}",
        "rate_ratio": "times",
        "probability_unusual": "probability",
        "probability_higher": "probability",
    },
    "growth": {"growth": "share per {word}"},
    "trend": {
        "count_recent": "{unit}",
        "rate_now": "{unit} per {word}",
        "rate_before": "{unit} per {word}",
        "rate_ratio": "times",
        "probability_unusual": "probability",
        "probability_higher": "probability",
        "growth": "share per {word}",
        "doubling_time": "{word}s",
        "probability_rising": "probability",
        "growth_now": "share per {word}",
        "probability_rising_now": "probability",
        r"probability_higher_without_\d": "probability",
    },
    "forecast": {"total_ahead": "{unit}"},
    "flashpoints": {"flashpoint": "probability", r"flashpoint_\d+": "probability"},
    "year": {"total_year": "{unit}", "flashpoint_year": "probability"},
    "presets": {
        **dict.fromkeys(("preset_forecastbench_mean", "preset_forecastbench_tenfold"), "probability"),
        **dict.fromkeys(("preset_acled_10", "preset_acled_25"), "probability"),
        **dict.fromkeys(("preset_acled_10_year", "preset_acled_25_year", "preset_first_event"), "probability"),
        r"preset_(views_25|views_1|hdx_1y|hdx_3y|first_lethal|acled_surge|acled_threat)": "probability",
    },
    "severity": {
        "lethal_share": "share",
        r"lethal_share_\w+": "share",
        r"attack_kills_\d+(_(own|partner|attacker|civilian|unknown))?": "probability",
        "tail_exponent": "exponent",
        "tail_threshold": "killed",
        "killed_ahead": "killed",
        "killed_ahead_mean": "killed",
    },
    "changes": {"changes": "changes", "probability_changed": "probability"},
    "alarms": {"alarms": "alarms", "false_alarms": "alarms per year"},
    "regimes": {"probability_regime": "probability"},
    "excitation": {"excitation": "{unit}"},
}
"""Keys of each part, some of them patterns, and their units."""
MAY_LACK = ("growth", "trend", "presets", "severity")
"""Parts of which not every key is there for every kind."""


def words(pages):
    """All text of the pages, charts apart, on one line."""
    lines = [one.text for page in pages for artist in page.artists for one in getattr(artist, "lines", [])]
    return " ".join(" ".join(lines).split())


def bounds(text: str) -> tuple[float, float]:
    """Between which numbers lies what is written so, by how it was rounded."""
    if text == "no upper limit":
        return math.inf, math.inf
    word, _, rest = text.partition(" ")
    if word in ("below", "above"):
        value = float(rest)
        return (-math.inf, value) if word == "below" else (value, math.inf)
    folds, percents = text.endswith("-fold"), text.endswith("%")
    digits = text.removesuffix("-fold").removesuffix("%").replace(",", "")
    value, decimals = float(digits), len(digits.partition(".")[2])
    half = max(0.5 * 10.0**-decimals, 0.005 * abs(value) if abs(value) >= 99.95 else 0.0) * 1.001 + 1e-12
    if folds:
        return value - half - 1, value + half - 1
    scale = 0.01 if percents else 1.0
    return (value - half) * scale, (value + half) * scale


def says(text: str, value: float) -> bool:
    low, high = bounds(text)
    return low <= value <= high


def numbers_of(text: str) -> list[str]:
    """The value, and the ends of its interval or its Monte Carlo error, as they are written."""
    one = r"(?:below |above )?[-+]?[\d,.]+(?:e[-+]?\d+)?(?:%|-fold)?|no upper limit"
    found = re.match(rf"({one})(?: \(({one}) to ({one})\)| ± ({one}))?", text)
    assert found is not None, text
    return [part for part in found.groups() if part is not None]


# Keys, units and words


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", UNITS)
def test_every_key_has_its_unit_and_every_unit_its_key(assessed, kind, part):
    made = assessed(kind)
    word = {"D": "day", "W": "week", "M": "month"}[made.freq[0]]
    table = made.answers(part)
    assert table.columns.tolist() == ["question", "value", "lower", "upper", "unit", "text"]
    assert table.index.is_unique and (table[["question", "text"]] != "").all(axis=None)
    units = {key: unit.format(unit=made.series.unit, word=word) for key, unit in UNITS[part].items()}
    met = set()
    for key, unit in table["unit"].items():
        (pattern,) = [one for one in units if re.fullmatch(one, key)][:1]
        assert unit == units[pattern], key
        met.add(pattern)
    assert part in MAY_LACK or met == set(units) or kind == "case"
    assert table.loc[table["value"].isna(), "text"].str.startswith("not given: ").all()
    assert not table.loc[table["value"].notna(), "text"].str.startswith("not given").any()


def test_between_them_the_kinds_have_every_key(assessed):
    keys = {key for kind in KINDS for key in assessed(kind).answers(*ALL).index}
    patterns = {pattern for part in UNITS.values() for pattern in part}
    assert {pattern for pattern in patterns if not any(re.fullmatch(pattern, key) for key in keys)} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_an_answer_says_its_value_interval_and_unit(assessed, kind):
    for one in assessed(kind).answer_list(*ALL):
        if one.why:
            assert one.text() == f"not given: {one.why}" and np.isnan(one.value)
            continue
        value, *rest = numbers_of(one.text())
        assert says(value, one.value), one
        assert value == one.value_text()
        if "±" in one.text():
            assert says(rest[0], one.mc_error) or float(rest[0]) == pytest.approx(one.mc_error, rel=0.06), one
        elif rest:
            assert says(rest[0], one.lower) and says(rest[1], one.upper), one
        else:
            assert np.isnan(one.lower) or one.lower == one.upper, one
        ending = "" if one.unit in ("probability", "share") else one.unit.removeprefix("share ")
        assert one.text().endswith(ending)


def test_a_unit_of_ones_own_does_not_change_how_a_count_is_written():
    for unit in ("attacks per base", "attempts to double", "shares"):
        assert Answer("count_recent", "counted", 26.0, 26.0, 26.0, unit).text() == f"26 {unit}"
    assert Answer("rate_now", "rate now", 26.0, 20.0, np.inf, "attacks per week").text() == (
        "26.0 (20.0 to no upper limit) attacks per week"
    )


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["drone", "rocket fire"], ["drone", "rocket_fire"]),
        (["A", "a", "a!"], ["a", "a_2", "a_3"]),
        (["a_2", "a", "A"], ["a_2", "a", "a_3"]),
        (["?", "", "нападение"], ["other", "other_2", "нападение"]),
    ],
)
def test_names_become_keys_that_no_two_share(names, keys):
    assert keys_of(names) == keys


def test_types_that_differ_by_their_signs_only_have_a_key_each(assessed):
    made = assessed("incidents")
    table = made.series.incidents
    kinds = table["event_type"].where(table["event_type"] == "drone", "Drone!")
    series = made.series.__class__(
        **{name: getattr(made.series, name) for name in ("counts", "exposure", "unit")},
        incidents=table.assign(event_type=kinds),
    )
    answers = escalation.assess(series, model="climatology", models=[], draws=50, rng=1).answers("severity")
    assert answers.index.is_unique
    assert answers.loc["lethal_share_drone", "question"] == "share that kills: Drone!"
    assert answers.loc["lethal_share_drone_2", "question"] == "share that kills: drone"


def test_a_part_asked_for_twice_answers_once(assessed):
    made = assessed("months")
    assert made.answers("rate", "trend", "rate").index.tolist() == made.answers("trend").index.tolist()


# The same number everywhere


@pytest.mark.parametrize("kind", KINDS)
def test_json_has_the_numbers_of_the_table_under_its_keys(assessed, kind):
    made = assessed(kind)
    content = json.loads(made.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    table = made.answers(*ALL)
    assert [row["key"] for row in content["answers"]] == table.index.tolist()
    for row in content["answers"]:
        for name in ("value", "lower", "upper"):
            number = table.loc[row["key"], name]
            assert row[name] == (number if np.isfinite(number) else None)  # to the last bit
        for name in ("question", "unit", "text"):
            assert row[name] == table.loc[row["key"], name]
    assert content["sentences"] == made.sentences(*ALL) and content["cautions"] == list(made.cautions)
    assert content["seed"] == made.seed and content["source"] == made.provenance()
    assert content["options"]["horizon"] == made.options.horizon and content["series"]["unit"] == made.series.unit
    again = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    assert again == made.to_json()
    assert set(json.loads(made.to_json("rate"))["answers"][0]) == {"key", *table.columns}


@pytest.fixture(scope="module")
def told(raids_csv, tmp_path_factory) -> dict[str, dict[str, list[str]]]:
    """What the command says of the raids on the screen and in its file: numbers as written, by question."""
    folder, out = tmp_path_factory.mktemp("told"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("COLUMNS", "200")
        patch.setenv("TERM", "dumb")
        code = main(
            [
                "report",
                str(raids_csv),
                *SPAN,
                "--regimes",
                "hidden_markov",
                "--full",
                "-o",
                str(folder / "answers.json"),
            ]
        )
    assert code == 0 and out.getvalue().endswith("answers.json\n")
    rows = [re.split(r"\s{2,}", line.strip()) for line in out.getvalue().splitlines()]
    screen = {row[0]: [row[1], *(re.split(" to ", row[2]) if len(row) > 2 else [])] for row in rows if len(row) > 1}
    content = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    stored = {
        row["question"]: [row[name] for name in ("value", "lower", "upper") if row[name] is not None]
        for row in content["answers"]
    }
    return {"screen": screen, "json": stored}


def test_the_screen_has_the_numbers_of_the_function(assessed, told):
    for one in assessed("incidents").answer_list():
        value, *rest = told["screen"][one.question]
        assert says(value, one.value), one
        if rest and rest[0].startswith("±"):
            assert rest[0] == f"± {one.mc_error:.2g}"
        elif not np.isnan(one.lower) and one.lower != one.upper:
            assert says(rest[0], one.lower) and says(rest[1], one.upper), one


def test_the_file_has_the_numbers_of_the_function(assessed, told):
    table = assessed("incidents").answers(*ALL).set_index("question")
    assert set(told["json"]) == set(table.index)
    for question, numbers in told["json"].items():
        found = table.loc[question, ["value", "lower", "upper"]].tolist()
        assert numbers == [number for number in found if np.isfinite(number)], question


@pytest.fixture(scope="module")
def printed(assessed) -> dict[str, str]:
    return {
        kind: words(compose_full(escalation.brief(assessed(kind), others=False)))
        for kind in ("incidents", "months", "fatalities")
    }


@pytest.mark.parametrize("kind", ["incidents", "months", "fatalities"])
def test_the_report_has_the_numbers_of_the_function(assessed, printed, kind):
    made, text = assessed(kind), printed[kind]
    table = {one.key: one for one in made.answer_list(*ALL)}
    for key in ("rate_now", "rate_before", "rate_ratio", "growth", "total_ahead"):
        one = table[key]
        between = f"{one.span_text()}"
        assert one.value_text() in text and (not between or between in text), one
    del table["probability_rising_now"]  # the report has no page on the model whose growth rate drifts
    for key, one in table.items():
        given = not one.why and key != "probability_changed"  # of which the opposite is printed
        if given and key.startswith(("flashpoint", "preset_", "probability_", "attack_kills")):
            assert one.value_text() in text, one
    # the numbers stand in their own sentences and rows
    assert (
        f"that is {table['rate_ratio'].value_text()} times the baseline rate ({table['rate_ratio'].span_text()})"
        in text
    )
    assert f"{table['growth'].value_text()} a {'month' if kind == 'months' else 'week'}" in text
    for point in made.flashpoints:
        assert re.search(rf"{point.at_least:,} or more \S+ of \S+ {table_text(point.probability)} ", text), point
    changed = table["probability_changed"]
    if not changed.why:
        assert says(table_text(1 - changed.value), 1 - changed.value)
        assert f"none at all has probability {table_text(1 - changed.value)}" in text


def table_text(probability: float) -> str:
    """A probability as tables of print have it, written without the package."""
    if probability < 0.001 or probability > 0.999:
        return "below 0.001" if probability < 0.5 else "above 0.999"
    return f"{probability:.2f}" if 0.01 <= probability <= 0.99 else f"{probability:.3f}"


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_those_of_the_public_functions(assessed, kind):
    made = assessed(kind)
    counts, shares, table = made.series.counts, made.series.exposure, made.answers(*ALL)
    recent, before, window = {"W": (4, 26, 13), "M": (3, 12, 12)}[made.freq[0]]
    change = escalation.compare_rates(counts, recent, before, exposure=shares, rng=made.seed)
    risen = escalation.growth_rate(counts, window, exposure=shares, rng=made.seed)
    expected = {
        "rate_now": (change.recent.rate, change.recent.lower, change.recent.upper),
        "rate_before": (change.baseline.rate, change.baseline.lower, change.baseline.upper),
        "rate_ratio": (change.ratio, change.lower, change.upper),
        "probability_higher": (change.probability_higher,),
        "probability_unusual": (change.probability_unusual,),
        "growth": (risen.growth, risen.lower, risen.upper),
        "doubling_time": (risen.doubling_time,),
        "probability_rising": (risen.probability_rising,),
    }
    if isinstance(counts, pd.Series):
        expected["changes"] = (len(escalation.changepoints(counts, exposure=shares).changes),)
        expected["alarms"] = (len(escalation.alarms(counts, "ears_c2", exposure=shares).periods),)
        expected["count_recent"] = (counts.iloc[-recent:].sum(),) * 3
    sums = made.forecast.series_paths[:, : made.within].sum(axis=1)
    expected["total_ahead"] = tuple(np.quantile(sums, [0.5, 0.05, 0.95], method="inverted_cdf"))
    for point in made.flashpoints:
        key = "flashpoint" if point is made.flashpoints[0] else f"flashpoint_{point.at_least}"
        found = escalation.flashpoint(made.forecast, point.at_least, point.over)
        expected[key] = (found.probability, found.lower, found.upper)
    for key, numbers in expected.items():
        found = table.loc[key, ["value", "lower", "upper"]].tolist()
        assert found[: len(numbers)] == pytest.approx(numbers, rel=1e-12), key


def records(text: str) -> list[dict[str, object]]:
    return json.loads(text)


@pytest.fixture
def run(raids_csv, capsys):
    """Run a command on the raids: what it wrote."""

    def running(command: str) -> str:
        name, *rest = command.split()
        assert main([name, str(raids_csv), *SPAN, *rest]) == 0
        return capsys.readouterr().out

    return running


@pytest.mark.parametrize(("command", "part"), [("trend", "trend"), ("severity", "severity")])
def test_commands_and_the_report_give_one_number(assessed, run, command, part):
    made, rows = assessed("incidents"), records(run(f"{command} --format json"))
    table = made.answers(part)
    assert [row["key"] for row in rows] == table.index.tolist()
    for row in rows:
        for name in ("value", "lower", "upper"):
            number = table.loc[row["key"], name]
            shown = np.nan if row[name] is None else row[name]
            assert shown == pytest.approx(number, abs=1e-9, nan_ok=True), row  # ten decimals are written
    by_csv = list(csv.DictReader(io.StringIO(run(f"{command} --format csv"))))
    assert [float(row["value"]) for row in by_csv if row["value"]] == table["value"].dropna().tolist()


def test_the_commands_on_what_comes_give_the_numbers_of_the_report(assessed, run):
    made = assessed("incidents")
    ahead = pd.read_csv(io.StringIO(run("forecast --format csv")))
    frame = made.forecast.summary_frame()
    assert ahead["mean"].tolist() == pytest.approx(frame["mean"].tolist(), rel=1e-12)
    by = records(run("flashpoint --format json"))
    point = made.flashpoints[0]
    assert by[-1]["at_least"] == point.at_least and by[-1]["probability"] == pytest.approx(point.probability, abs=1e-9)
    assert [row["probability"] for row in by] == pytest.approx(made.thresholds.passage.iloc[:, 0].tolist(), abs=1e-9)
    named = records(run("flashpoint --preset acled-25 --format json"))
    assert named[-1]["probability"] == pytest.approx(made.presets["acled-25"].probability, abs=1e-9)
    alone = pd.read_csv(io.StringIO(run("forecast --model local_level --format csv")))
    assert alone["mean"].tolist() == pytest.approx(
        made.forecasts["local_level"].series_paths.mean(axis=0).tolist(), rel=1e-12
    )


def test_the_commands_that_watch_give_the_numbers_of_the_report(assessed, run):
    made = assessed("incidents")
    assert len(records(run("changes --format json"))) == len(made.changes.changes)
    assert " ".join(run("changes").split()).endswith(made.changes.sentence())
    judged = pd.read_csv(io.StringIO(run("alarms --format csv")))
    assert (judged["alarm"] >= 0.5).sum() == len(made.alarms.periods) == made.answers("alarms").loc["alarms", "value"]


def test_a_tally_that_carries_the_rise_is_the_same_to_the_command_and_the_report(tmp_path, capsys):
    ends = pd.date_range("2024-01-07", periods=24, freq="7D")
    table = pd.DataFrame({"series": "raids", "qualifier": "exact", "start": ends - pd.Timedelta(days=6), "end": ends})
    table["count"] = [3, 2, 3, 2, 2, 3] * 3 + [3, 2, 3, 2, 3, 40]
    table.to_csv(tmp_path / "press.csv", index=False)
    series = escalation.count_series(escalation.open_source(tmp_path / "press.csv"), draws=60, rng=1)
    made = escalation.assess(series, rng=1)
    assert main(["trend", str(tmp_path / "press.csv"), "--draws", "60", "--format", "json"]) == 0
    rows = {row["key"]: row["value"] for row in records(capsys.readouterr().out)}
    assert rows == {
        key: (None if np.isnan(value) else pytest.approx(value, abs=1e-9))
        for key, value in made.answers("trend")["value"].items()
    }
    assert made.carrier.kind == "tally" and rows["probability_unusual"] > 0.9
    assert made.carrier.carried_by == 0 and made.carrier.sentence() in made.cautions
    text = words(compose_full(escalation.brief(made, others=False)))
    without = made.carrier.left_out.iloc[0]
    shown = (f"{without['ratio']:.1f}", *map(table_text, without[["probability_unusual", "probability_higher"]]))
    assert " ".join(shown) in text
