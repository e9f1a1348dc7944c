"""Questions: how they are read, the report's own probability, outcomes by hand, scores by plain sums, the ledger."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.cases import Question, Resolution, Scorecard
from escalation.cases.questions.asking import Window, answer, base_rate, place_window
from escalation.cases.questions.ledger import QuestionLedger, ledger_path, write_question, write_resolutions
from escalation.cases.questions.resolving import DailyCounts, resolution
from escalation.cases.questions.sentence import Asked, read_question
from escalation.cases.questions.subject import find_subject
from escalation.cli import main
from escalation.errors import InputError
from escalation.files.hash_chain import append_entries
from escalation.report.paper import Lines, Paper
from escalation.report.questions import set_questions

KNOWN = dt.date(2024, 11, 12)
WEEKS = pd.period_range("2023-01-02", periods=60, freq="W-SUN", name="period")
COUNTS = pd.Series(np.random.default_rng(5).poisson(4, 60), index=WEEKS, dtype="Int64")
FIRST, LAST = dt.date(2024, 2, 26), dt.date(2024, 4, 21)
"""The eight weeks after the counts."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("words", "least", "over", "freq", "first", "last"),
    [
        ("10 or more attacks by 2026-12-31", 10, None, None, None, "2026-12-31"),
        ("More than nine attacks before 1 March 2025?", 10, None, None, None, "2025-02-28"),
        ("a week of 10 or more attacks by 31 December", 10, 1, "W", None, "2024-12-31"),
        ("at least ten attacks in any month by the end of 2025", 10, 1, "M", None, "2025-12-31"),
        ("1,000+ attacks in 4 weeks by the end of March", 1000, 4, "W", None, "2025-03-31"),
        ("5 or more attacks within 8 weeks", 5, None, None, None, "2025-01-07"),
        (">= 5 attacks in the next 30 days", 5, None, None, None, "2024-12-12"),
        ("Will there be an attack by the end of the month", 1, None, None, None, "2024-11-30"),
        ("at least 30 attacks from 2024-12-01 to 2024-12-31", 30, None, None, "2024-12-01", "2024-12-31"),
        ("at least 30 attacks in December", 30, None, None, "2024-12-01", "2024-12-31"),
        ("2 or more attacks in a single day by Friday", 2, 1, "D", None, "2024-11-15"),
    ],
)
def test_sentences_are_read(words: str, least: int, over: int | None, freq: str, first: str | None, last: str) -> None:
    asked = read_question(words, KNOWN)
    assert (asked.at_least, asked.over, asked.freq) == (least, over, freq)
    assert (asked.first, asked.last) == (None if first is None else day(first), day(last))
    assert asked.unit == "attacks"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("10 or more attacks", "names no day by which it is answered"),
        ("attacks by 2026-12-31", "names no number"),
        ("10 attacks by 2026-12-31", "whether more or fewer would do is not said; write '10 or more'"),
        ("fewer than 10 attacks by 2026-12-31", "ask for so many or more"),
        ("no attack by 2026-12-31", "ask for so many or more"),
        ("dozens of attacks by 2026-12-31", "whether more or fewer would do"),
        ("0 or more attacks by 2026-12-31", "0 or more is always so|ask for so many or more"),
        ("10 or more attacks by 2025", "may mean its beginning or its end"),
        ("10 or more attacks by 2026-02-30", "is no day of the calendar"),
        ("10 or more attacks in a quarter by 2026-12-31", "counts are by days, weeks and months, not by quarter"),
        ("10 or more attacks and 3 or more raids by 2026-12-31", "2 numbers may be the threshold"),
    ],
)
def test_sentences_that_leave_something_open(words: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_question(words, KNOWN)


def question(at_least: int, over: int | None = None, first: dt.date = FIRST, last: dt.date = LAST) -> Question:
    asked = Asked(at_least, "", "", over, None, first, last, ())
    return answer(SourceSeries(COUNTS, title="raids", unit="raids"), asked, seed=3)


@pytest.fixture(scope="module")
def assessment() -> escalation.Assessment:
    return escalation.assess(COUNTS, horizon=8, at_least=7, within=8, models=(), rng=3)


def test_the_probability_is_that_of_the_report(assessment: escalation.Assessment) -> None:
    asked = question(7, over=1)
    report = assessment.flashpoints[0]
    assert (asked.probability, asked.mc_error) == (report.probability, report.mc_error)
    paths = assessment.forecast.series_paths
    assert question(35).probability == np.mean(paths.sum(axis=1) >= 35)
    later = question(20, first=dt.date(2024, 3, 25))
    assert later.probability == np.mean(paths[:, 4:].sum(axis=1) >= 20)
    two = question(12, over=2, first=dt.date(2024, 3, 25))
    assert two.probability == np.mean((paths[:, 4:-1] + paths[:, 5:]).max(axis=1) >= 12)


def test_a_window_that_cuts_a_week_shares_its_count_out_by_days(assessment: escalation.Assessment) -> None:
    paths = assessment.forecast.series_paths
    cut = question(30, last=dt.date(2024, 4, 16)).probability  # two of seven days
    rng = np.random.default_rng(0)
    expected = np.mean(paths[:, :7].sum(axis=1) + rng.binomial(paths[:, 7], 2 / 7) >= 30)
    assert abs(cut - expected) < 0.02  # three standard errors of 4,000 paths, most of which are the same
    assert question(30, last=dt.date(2024, 4, 14)).probability < cut < question(30).probability


def test_the_base_rate_is_that_of_past_windows_by_a_plain_loop() -> None:
    values = COUNTS.to_numpy(dtype=int)
    window = Window(first=pd.Timestamp(FIRST), last=pd.Timestamp(LAST), over=None)
    sums = [values[at : at + 8].sum() for at in range(53)]
    separate = 60 / 8
    expected = (np.mean([one >= 33 for one in sums]) * separate + 0.5) / (separate + 1)
    assert base_rate(SourceSeries(COUNTS), 33, window) == (pytest.approx(expected), separate)
    most = [max(values[at + k : at + k + 2].sum() for k in range(7)) for at in range(53)]
    expected = (np.mean([one >= 13 for one in most]) * separate + 0.5) / (separate + 1)
    assert base_rate(SourceSeries(COUNTS), 13, replace(window, over=2))[0] == pytest.approx(expected)
    long = replace(window, last=window.first + pd.Timedelta(days=7 * 61))
    assert base_rate(SourceSeries(COUNTS), 33, long) == (None, 0.0)


@pytest.mark.parametrize(
    ("first", "last", "over", "message"),
    [
        ("2024-02-20", "2024-04-21", None, "the window begins on 2024-02-20, but counts are there"),
        ("2024-01-01", "2024-02-20", None, "the window ends on 2024-02-20, but counts are there"),
        ("2024-04-01", "2024-03-20", None, "before it begins"),
        ("2024-02-27", "2024-03-05", 1, "holds 0 whole weeks"),
    ],
)
def test_windows_that_cannot_be_asked_about(first: str, last: str, over: int | None, message: str) -> None:
    asked = Asked(5, "", "", over, None, day(first), day(last), ())
    with pytest.raises(InputError, match=message):
        place_window(SourceSeries(COUNTS), asked, None)


def resolved(
    counts: np.ndarray, spoken: np.ndarray, known: str, silence: str = "unknown", **given: object
) -> Resolution:
    index = pd.period_range(FIRST, periods=len(counts), freq="D")
    daily = DailyCounts(pd.DataFrame(counts, index=index, dtype=float), pd.Series(spoken, index=index), silence, "")
    asked = replace(BLANK, **{"first": FIRST, "last": dt.date(2024, 3, 10), **given})
    return resolution(asked, daily, day(known), "")


BLANK = Question(
    number=1, asked="2024-02-25T00:00:00+00:00", words="", source="x", sha256="", series="raids", counter="ministry",
    place="ALL", unit="raids", find_in=None, freq="W-SUN", at_least=10, over=None, first=FIRST, last=LAST,
    as_of=dt.date(2024, 2, 25), observed_until=dt.date(2024, 2, 25), probability=0.3, mc_error=0.01, base_rate=0.2,
    base_windows=7.0, model="changing_rate", draws=4000, seed=1, version="0", void_from=dt.date(2024, 6, 8),
)  # fmt: skip
SPOKEN = np.ones(14, dtype=bool)


@pytest.mark.parametrize(
    ("ten_or_more", "outcome"), [(20, "YES"), (19, "YES"), (18, "OPEN"), (2, "OPEN"), (1, "NO"), (0, "NO")]
)
def test_outcomes_follow_the_share_of_histories(ten_or_more: int, outcome: str) -> None:
    counts = np.zeros((14, 20))
    counts[3, :ten_or_more] = 10
    found = resolved(counts, SPOKEN, "2024-03-20")
    assert (found.outcome, found.probability) == (outcome, ten_or_more / 20)
    assert resolved(counts, SPOKEN, "2024-06-08").outcome == outcome.replace("OPEN", "VOID")


def test_before_its_window_is_over_a_question_can_be_yes_but_not_no() -> None:
    counts = np.zeros((14, 1))
    assert resolved(counts, SPOKEN, "2024-03-05").outcome == "OPEN"
    counts[2] = 10
    assert resolved(counts, SPOKEN, "2024-03-05").outcome == "YES"
    assert "the window ends on 2024-03-10" in resolved(np.zeros((14, 1)), SPOKEN, "2024-03-05").missing


def test_days_of_which_none_speaks_are_no_ground_for_an_answer() -> None:
    counts = np.full((14, 1), 3.0)
    few = SPOKEN.copy()
    few[5:] = False
    found = resolved(counts, few, "2024-06-08", at_least=20)
    assert (found.outcome, found.missing) == ("VOID", "no tally speaks of 9 of 14 days (2024-03-02 to 2024-03-10)")
    assert resolved(counts, few, "2024-06-08", at_least=15).outcome == "YES"  # five days say so
    assert resolved(np.zeros((14, 1)), few, "2024-06-08").outcome == "VOID"
    assert resolved(np.zeros((14, 1)), few, "2024-06-08", silence="quiet").outcome == "NO"
    one_silent = SPOKEN.copy()
    one_silent[0] = False
    assert resolved(np.zeros((14, 1)), one_silent, "2024-03-20").outcome == "NO"
    assert resolved(np.zeros((14, 1)), one_silent, "2024-03-20", silence="lower_bound").outcome == "OPEN"
    assert resolved(np.zeros((14, 1)), SPOKEN, "2024-03-20", silence="lower_bound").outcome == "NO"


def test_days_after_the_last_count_are_named() -> None:
    found = resolved(np.zeros((10, 1)), SPOKEN[:10], "2024-06-08", silence="quiet")
    assert (found.outcome, found.missing) == ("VOID", "no count of 2024-03-07 to 2024-03-10")


def test_whole_periods_inside_the_window_count() -> None:
    counts = np.zeros((14, 1))
    counts[6:8] = 5  # a Sunday and the Monday after it
    assert resolved(counts, SPOKEN, "2024-03-20", over=1, at_least=10).outcome == "NO"
    assert resolved(counts, SPOKEN, "2024-03-20", over=1, at_least=5).outcome == "YES"
    assert resolved(counts, SPOKEN, "2024-03-20", over=2, at_least=10).outcome == "YES"
    cut = {"first": dt.date(2024, 2, 27), "over": 1, "at_least": 5}
    counts[7] = 4
    assert resolved(counts, SPOKEN, "2024-03-20", **cut).outcome == "NO"  # the week of the Sunday is cut


def scored(rows: list[tuple[float, float | None, str]]) -> Scorecard:
    questions = [
        replace(BLANK, number=at, probability=p, base_rate=base, as_of=dt.date(2023, 1, 1) + dt.timedelta(days=30 * at))
        for at, (p, base, _) in enumerate(rows, start=1)
    ]
    found = [
        Resolution(
            question=at, outcome=outcome, as_of=LAST, probability=1.0, median=1.0, lower=1.0, upper=1.0, spoken=1.0,
            missing="", sha256="",
        )
        for at, (_, _, outcome) in enumerate(rows, start=1)
    ]  # fmt: skip
    return Scorecard(QuestionLedger(Path("none"), "0" * 64, 0, tuple(questions), tuple(found)))


def test_scores_are_plain_means() -> None:
    card = scored([(0.9, 0.5, "YES"), (0.2, 0.5, "NO"), (0.6, None, "NO"), (0.5, 0.5, "VOID"), (0.5, 0.5, "OPEN")])
    assert card.brier == pytest.approx((0.01 + 0.04 + 0.36) / 3)
    assert card.skill is not None and card.skill.questions == 2
    assert (card.skill.brier, card.skill.base) == (pytest.approx(0.025), 0.25)
    assert card.skill.skill == pytest.approx(0.9)
    assert (card.void_share, card.numbers) == (0.25, {"YES": 1, "NO": 2, "OPEN": 1, "VOID": 1})
    assert card.skill.lower is None
    assert "8 days of asking or series are needed" in card.score_sentence()
    table = card.calibration()
    assert table["questions"].tolist() == [1, 1, 1]
    assert table["frequency"].tolist() == [0, 0, 1]
    values = {one.key: one.value for one in card.answers()}
    assert values["brier_skill"] == pytest.approx(0.9) and values["questions"] == 5
    assert json.loads(json.dumps(card.to_dict()))["answers"][1]["key"] == "questions_yes"


def test_the_interval_of_the_skill_holds_it_and_leaves_out_0_only_where_that_shows() -> None:
    rng = np.random.default_rng(2)
    true = rng.uniform(0.05, 0.95, 120)
    came = ["YES" if one else "NO" for one in rng.random(120) < true]
    good = scored([(float(p), 0.5, outcome) for p, outcome in zip(true, came, strict=True)]).skill
    none = scored([(float(p), 0.5, outcome) for p, outcome in zip(rng.permutation(true), came, strict=True)]).skill
    assert good is not None and good.lower is not None and good.upper is not None
    assert 0 < good.lower < good.skill < good.upper
    assert none is not None and none.lower is not None and none.lower < 0


def test_an_empty_ledger_says_so() -> None:
    card = scored([])
    assert card.sentences()[0] == "No question was asked yet."
    assert {one.key for one in card.answers() if one.why} >= {"brier", "brier_skill"}
    assert card.calibration().empty and card.skill is None


@pytest.fixture
def case(tmp_path: Path) -> Path:
    counts = COUNTS.iloc[:40].to_numpy(dtype=int)
    days = pd.Series(WEEKS[:40].start_time).repeat(counts)
    table = pd.DataFrame({"date": days, "actor": np.where(np.arange(len(days)) % 2, "north", "south")})
    table["incident_id"] = [f"r{at}" for at in range(len(table))]
    table.to_csv(tmp_path / "raids.csv", index=False)
    return escalation.cases.new_case(tmp_path / "raids-case", [tmp_path / "raids.csv"], title="Raids")


def test_ask_resolve_and_score_a_case(case: Path) -> None:
    asked = escalation.cases.ask(case, "a week of 8 or more attacks by 2023-12-03", rng=1)
    assert (asked.number, asked.series, asked.first) == (1, None, dt.date(2023, 10, 2))
    assert asked.timing == "after"
    with pytest.raises(InputError, match="question 1 asks the same as of"):
        escalation.cases.ask(case, "a week of 8 or more attacks by 2023-12-03", rng=1)
    north = escalation.cases.ask(case, at_least=1, last="2023-10-15", series="north", find_in="actor", rng=1)
    assert (north.number, north.text()) == (2, "1 or more incident in all, 2023-10-02 to 2023-10-15")
    void = escalation.cases.resolve(case)
    assert [(one.outcome, one.missing[:30]) for one in void] == [("VOID", "no count of 2023-10-02 to 2023")] * 2
    with (case / "incidents.csv").open("a", encoding="utf-8") as table:
        header = (case / "incidents.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        for number, at in enumerate((*["2023-10-10"] * 9, *["2023-12-05"] * 3, "2023-12-12")):
            filled = {"date": at, "date_end": at, "actor": "north", "incident_id": f"new {number}"}
            table.write(",".join(filled.get(name, "") for name in header) + "\n")
    found = escalation.cases.resolve(case)
    assert [one.outcome for one in found] == ["YES", "YES"]
    assert escalation.cases.resolve(case) == []
    assert [one.outcome for one in escalation.cases.resolve(case, again=True)] == ["YES", "YES"]
    card = escalation.cases.scorecard(case)
    assert card.ledger.entries == 6
    assert card.brier == pytest.approx(np.mean([(1 - one.probability) ** 2 for one in (asked, north)]))
    with pytest.raises(InputError, match="has no question 7; it has 1, 2"):
        escalation.cases.resolve(case, questions=[7])
    with pytest.raises(InputError, match="does not say when its rows became known"):
        escalation.cases.resolve(case, as_of="2023-10-30", again=True)


def test_nothing_later_reaches_the_probability(tmp_path: Path) -> None:
    rows = [(f"{period.start_time:%Y-%m-%d}", f"{period.end_time:%Y-%m-%d}") for period in WEEKS[:30]]
    table = pd.DataFrame(rows, columns=["date", "as_of"]).loc[np.arange(30).repeat(COUNTS.iloc[:30].to_numpy(int))]
    later = table.iloc[-40:].assign(as_of="2023-12-01")
    table.to_csv(tmp_path / "then.csv", index=False)
    pd.concat([table, later]).to_csv(tmp_path / "now.csv", index=False)
    options = {"question": "30 or more incidents by 2023-09-24", "as_of": "2023-07-30", "rng": 1}
    then, now = (
        escalation.cases.ask(tmp_path / f"{name}.csv", ledger=tmp_path / f"{name}.jsonl", **options)
        for name in ("then", "now")
    )
    assert (then.probability, then.base_rate, then.first) == (now.probability, now.base_rate, now.first)


def test_an_answer_is_only_replaced_by_one_that_knows_more(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    write_question(path, BLANK)
    made = Resolution(
        question=1, outcome="YES", as_of=LAST, probability=1.0, median=1.0, lower=1.0, upper=1.0, spoken=1.0,
        missing="", sha256="",
    )  # fmt: skip
    write_resolutions(path, [made])
    write_resolutions(path, [made])
    write_resolutions(path, [replace(made, outcome="NO", as_of=LAST - dt.timedelta(days=1))])
    assert escalation.cases.read_ledger(path).entries == 2
    write_resolutions(path, [replace(made, outcome="NO", as_of=LAST + dt.timedelta(days=1))])
    ledger = escalation.cases.read_ledger(path)
    assert ledger.entries == 3 and ledger.answers[1].outcome == "NO"


def test_series_are_found_by_the_words() -> None:
    source = escalation.open_source("militia-attacks-2023-2024")

    def named(words: str) -> tuple[str | None, str | None]:
        found = find_subject(source, read_question(words, KNOWN))
        return found.series, found.unit

    assert named("10 or more attacks by 2025-01-31") == ("militia_attacks_on_us", "attacks")
    assert named("10 or more Israeli strikes in Syria by 2025-01-31") == ("israeli_strikes_in_syria", "strikes")
    assert named("5 or more Houthi attacks on shipping by 2025-01-31")[0] == "houthi_attacks_on_shipping"
    with pytest.raises(InputError, match="no series is about"):
        named("10 or more earthquakes by 2025-01-31")
    with pytest.raises(InputError, match="and militia_attacks_on_us counts"):
        find_subject(source, read_question("10 or more arrests by 2025-01-31", KNOWN), series="militia_attacks_on_us")


def test_a_ledger_has_its_place() -> None:
    with pytest.raises(InputError, match="is a bundled case, in which nothing is written"):
        ledger_path("militia-attacks-2023-2024")
    with pytest.raises(InputError, match="is no case, in whose folder"):
        ledger_path("table.csv")
    assert ledger_path("table.csv", "own.jsonl") == Path("own.jsonl")


def test_the_brief_shows_the_head_and_what_became_of_the_questions(case: Path) -> None:
    escalation.cases.ask(case, "a week of 8 or more attacks by 2023-12-03", rng=1)
    ledger = escalation.cases.read_ledger(case / "questions.jsonl")
    brief = escalation.brief(case, rng=1)
    assert isinstance(brief.questions, Scorecard)
    assert json.loads(brief.to_json())["brief"]["questions"]["head"] == ledger.head
    assert ledger.head in brief.to_html()
    texts = [getattr(block, "text", "") for block in brief.pages()[3].blocks]
    assert any(ledger.head in text and "cannot be recognised without a head" in text for text in texts)
    path = case / "questions.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    damaged = escalation.brief(case, rng=1)
    assert isinstance(damaged.questions, Withheld)
    assert "is half-written" in json.loads(damaged.to_json())["brief"]["questions"]["why"]


def test_tampering_shows_against_a_printed_head(benchmark) -> None:
    found = benchmark("ledger").measure(80, 3)
    assert all(number == of for way, (number, of) in found.items() if "no head" not in way)
    assert len(found) == 9 and found["all made anew, no head (cannot show)"] == (0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": 1.5}, "holds a value that cannot be meant"),
        ({"first": "soon"}, "holds a value that cannot be meant"),
        ({"kind": "guess"}, "is of the kind 'guess'"),
        ({"unit": None, "kind": "resolution"}, "line 1: lacks question"),
    ],
)
def test_entries_that_say_what_none_can(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "questions.jsonl"
    append_entries(path, lambda _: [{**BLANK.content(), **change}])
    with pytest.raises(InputError, match=message):
        escalation.cases.read_ledger(path)


def test_the_further_page_lists_every_question_and_the_head() -> None:
    card = scored([(0.9, 0.5, "YES"), (0.2, None, "NO"), (0.5, 0.5, "VOID")])
    paper = Paper()
    set_questions(paper, card)
    *_, page = paper.finish("title", "origin", "version")
    text = " ".join(line.text for line in page.findobj(Lines)[0].lines)
    assert card.ledger.head in text.replace(" ", "")
    assert all(word in text for word in ("What became of the questions", "YES", "NO", "VOID", "0.90", "0.20"))
    assert "cannot be recognised without a head printed before" in text
    empty = Paper()
    set_questions(empty, scored([]))
    set_questions(empty, None)
    assert "questions" not in " ".join(
        line.text for one in empty.finish("title", "", "") for line in one.findobj(Lines)[0].lines
    )


def test_the_commands_ask_resolve_and_show_the_same(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", str(case), "a week of 8 or more attacks by 2023-12-03"]) == 0
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    ledger = escalation.cases.read_ledger(case / "questions.jsonl")
    assert ledger.questions[0].sentence() in said and ledger.head in said
    assert main(["ask", str(case), "some attacks soon"]) == 2
    assert capsys.readouterr().err.startswith("error: question is 'some attacks soon'")
    assert main(["resolve", str(case), "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith('1,"a week of 8 or more')
    assert main(["scorecard", str(case), "--head", ledger.head, "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads(json.dumps(escalation.cases.scorecard(case).to_dict()))
    path = case / "questions.jsonl"
    path.write_bytes(path.read_bytes() + b"{")
    assert main(["scorecard", str(case)]) == 2
    assert "escalation scorecard --repair" in capsys.readouterr().err
    assert main(["scorecard", str(case), "--repair", "--head", "0" * 63 + "1"]) == 2
    assert "none of its 2 entries has the head" in capsys.readouterr().err
    assert main(["scorecard", str(case)]) == 0


@pytest.mark.parametrize("command", ["resolve", "scorecard"])
def test_a_file_of_questions_that_is_named_must_be_there(tmp_path, capsys, command):
    (tmp_path / "list.csv").write_text("date,country\n2024-01-05,Iraq\n")
    assert main([command, str(tmp_path / "list.csv"), "--questions", str(tmp_path / "gone.jsonl")]) == 2
    assert "gone.jsonl: no such file of questions" in capsys.readouterr().err
