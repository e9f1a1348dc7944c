"""The brief on a case: its verdict, every series, and that paper, page, JSON and screen say the same."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import escalation
from escalation import InputError, brief, write_report
from escalation.assessment.usual import usual_choice
from escalation.cases.blocks import Grid, Page, Picture, Text
from escalation.cases.choices import MOST_SERIES, series_names
from escalation.cases.glossary import GLOSSARY, glosses
from escalation.cases.other_periods import find_other_periods, in_periods
from escalation.cases.pages import ELSEWHERE
from escalation.evaluation import acting_record, acting_threshold
from escalation.report.brief_pages import compose_brief
from escalation.report.paper import Lines
from escalation.report.words import plain_dates

WORDS = 30
"""A sentence of the verdict has at most so many."""
TALLIES = """series,count,qualifier,start,end,counter,unit,silence
raids,12,exact,2024-09-02,2024-09-22,ministry,attacks,quiet
raids,20,exact,2024-09-02,2024-10-06,ministry,attacks,quiet
raids,31,exact,2024-09-02,2024-11-03,ministry,attacks,quiet
raids,9,exact,2024-09-02,2024-09-29,monitor,attacks,quiet
big_strikes,40,exact,2024-09-10,2024-09-10,press,targets,quiet
big_strikes,9,exact,2024-10-10,2024-10-10,press,targets,quiet
arrests,7,exact,2024-10-01,2024-10-02,police,arrests,unknown
"""


def from_tallies(folder: Path, text: str = TALLIES) -> escalation.Brief:
    path = folder / "tallies.csv"
    path.write_text(text, encoding="utf-8")
    return brief(path, rng=1)


def from_incidents(folder: Path) -> escalation.Brief:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.random.default_rng(1).integers(0, 350, 120), unit="D")
    path = folder / "list.csv"
    rows = "".join(f"{day:%Y-%m-%d},{number % 4},wire\n" for number, day in enumerate(sorted(days)))
    path.write_text("date,fatalities,source\n" + rows, encoding="utf-8")
    return brief(path, cost=1, loss=5, rng=1)


def from_counts(_: Path) -> escalation.Brief:
    weeks = pd.period_range("2024-01-01", periods=60, freq="W-SUN")
    return brief(pd.Series(np.random.default_rng(2).poisson(np.linspace(2, 14, 60)), index=weeks, name="raids"), rng=1)


def from_few(_: Path) -> escalation.Brief:
    weeks = pd.period_range("2024-01-01", periods=5, freq="W-SUN")
    return brief(pd.Series([0, 0, 1, 0, 0], index=weeks, name="raids"), rng=1)


MAKERS = {"tallies": from_tallies, "incidents": from_incidents, "counts": from_counts, "few": from_few}


@pytest.fixture(scope="module")
def briefs(tmp_path_factory) -> Callable[[str], escalation.Brief]:
    """Give the brief of a kind of source, each made once."""
    return functools.cache(lambda kind: MAKERS[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture(params=MAKERS)
def made(request, briefs) -> escalation.Brief:
    return briefs(request.param)


@pytest.fixture
def tallied(briefs) -> escalation.Brief:
    return briefs("tallies")


@functools.cache
def pages_of(made: escalation.Brief) -> list[Page]:
    return made.pages()


@functools.cache
def pictures_of(made: escalation.Brief) -> list[Picture]:
    return made.pictures()


@functools.cache
def page_of(made: escalation.Brief) -> str:
    return made.to_html()


@functools.cache
def paper_of(made: escalation.Brief) -> list[Figure]:
    return compose_brief(made)


def texts_of(made: escalation.Brief) -> list[str]:
    """Every text that the pages of a brief hold, without the numbers under the charts."""
    found = []
    for page in pages_of(made):
        for block in page.blocks:
            if isinstance(block, Text):
                found.append(block.text)
            elif isinstance(block, Grid):
                found += [*block.headers, *(cell for row in block.rows for cell in row)]
    return [text for text in found if text]


def letters(text: str) -> str:
    """A text without what layout may change: blanks, and marks of lists."""
    return re.sub(r"\s+", "", text)


def printed(pages: list[Figure]) -> str:
    return letters(" ".join(line.text for page in pages for line in page.findobj(Lines)[0].lines))


class Read(HTMLParser):
    """The texts of a page, its ids, and the addresses that it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [given[name] for name in ("href", "src", "xlink:href") if given.get(name)]

    def handle_data(self, data):
        self.texts.append(data)


# The verdict


def test_the_verdict_is_six_sentences_that_can_be_printed(made):
    said = made.verdict()
    assert [one.key for one in said] == ["now", "rising", "two_months", "twelve_months", "severity", "trust"]
    for one in said:
        assert len(one.text.split()) <= WORDS, one.text
        assert one.text[0].isupper() or one.text[0].isdigit()
        assert one.text.endswith(".") and "  " not in one.text and "nan" not in one.text


def test_each_number_of_the_verdict_is_an_answer(made):
    answers = {answer.key: answer for answer in made.answer_list()}
    for one in made.verdict():
        assert set(one.answers) <= set(answers), one
        for key in one.answers:
            answer = answers[key]
            if not answer.why and key != "rate_now":
                sure = 1 - answer.value if " fell" in one.text and key == "probability_unusual" else answer.value
                text = f"{sure:.2f}" if answer.unit == "probability" and 0.01 <= sure <= 0.99 else ""
                text = f"{sure:,.0f}" if answer.unit not in ("probability",) else text
                assert text in one.text, (key, text, one.text)


def test_terms_of_the_first_page_have_their_gloss_on_it(made):
    first = " ".join(block.text for block in pages_of(made)[0].blocks if isinstance(block, Text))
    for term, meaning in glosses(made.sentences()):
        assert f"{term}: {meaning}" in first


def test_a_gloss_is_for_a_term_that_is_used():
    assert glosses(["Nothing here."]) == []
    assert len({term for term, _ in GLOSSARY.values()}) == len(GLOSSARY)


def test_a_window_does_not_end_after_the_last_day_that_was_seen(tmp_path):
    weeks = pd.period_range("2024-01-01", periods=30, freq="W-SUN")
    counts = escalation.CountSeries(
        pd.Series([3] * 30, index=weeks),
        exposure=pd.Series([1.0] * 29 + [3 / 7], index=weeks),
        observed_until=pd.Timestamp("2024-07-24"),
    )
    assert " to 2024-07-24" in brief(counts, rng=1).verdict()[0].text


def test_a_rise_is_said_and_a_fall_is_said():
    weeks = pd.period_range("2024-01-01", periods=60, freq="W-SUN")
    rng = np.random.default_rng(4)
    up, down = rng.poisson([3] * 52 + [30] * 8), rng.poisson([30] * 52 + [3] * 8)
    rising = brief(escalation.CountSeries(pd.Series(up, index=weeks), unit="raids"), rng=1).verdict()[1].text
    falling = brief(escalation.CountSeries(pd.Series(down, index=weeks), unit="raids"), rng=1).verdict()[1].text
    assert rising.startswith("Raids rose: a rise beyond the usual fluctuation has probability 0.9")
    assert falling.startswith("Raids fell: a fall beyond the usual fluctuation has probability 0.9")


# Other periods, and on whom


def test_months_are_the_sums_of_the_same_days(tmp_path):
    days = pd.date_range("2023-01-01", "2023-12-31")
    daily = np.random.default_rng(3).poisson(0.4, len(days))
    path = tmp_path / "list.csv"
    path.write_text("date,source\n" + "".join(f"{day:%Y-%m-%d},wire\n" for day in days.repeat(daily)))
    source = escalation.open_source(path, coverage=None)
    weekly = escalation.count_series(source, start="2023-01-01", end="2023-12-31")
    months = in_periods(weekly, "M")
    wanted = pd.Series(daily, index=days).resample("MS").sum()
    assert months.counts.tolist() == wanted.tolist() and set(months.exposure) == {1.0}
    assert find_other_periods(escalation.assess(weekly, models=(), rng=1)).differs is False
    counts = escalation.CountSeries(weekly.counts, unit="raids")
    assert in_periods(counts, "M").reason == "the counts are not known by day"


def test_weeks_and_months_that_differ_say_so_first(tmp_path):
    # nine months at one a day, then two weeks at five: a month of them is far above, whatever the weeks say
    days = pd.date_range("2023-01-02", periods=280)
    quiet = np.r_[np.random.default_rng(1).poisson(2, 182), np.random.default_rng(2).poisson(0.7, 98)]
    path = tmp_path / "list.csv"
    path.write_text("date,source\n" + "".join(f"{day:%Y-%m-%d},wire\n" for day in days.repeat(quiet)))
    source = escalation.open_source(path)
    counted = escalation.count_series(source, start=days[0], end=days[-1])
    made = brief(escalation.assess(counted, recent=2, baseline=4, models=(), rng=1))
    other = made.other_periods
    by_weeks, by_months = made.assessment.rate.direction(), other.rate.direction()
    assert (by_weeks, by_months) == (0, -1) and other.differs
    assert made.cautions[0] == other.sentence()
    assert made.cautions[0].startswith("By months the answer differs: incidents ")
    content = json.loads(made.to_json())
    assert content["cautions"][0] == other.sentence() and content["brief"]["other_periods"]["differs"]
    assert {one.key for one in made.answer_list()} >= {"rate_now_by_month", "probability_higher_by_month"}


def test_a_lethal_attack_says_on_whom(tmp_path):
    days = pd.date_range("2023-01-02", periods=200, freq="2D")
    rows = [
        f"{day:%Y-%m-%d},{int(n % 9 == 0) + 2 * int(n % 13 == 0)},{int(n % 9 == 0)},{2 * int(n % 13 == 0)}"
        for n, day in enumerate(days)
    ]
    path = tmp_path / "list.csv"
    path.write_text("date,fatalities,killed_own,killed_civilian\n" + "\n".join(rows) + "\n")
    source = escalation.open_source(path)
    found = escalation.assess(escalation.count_series(source), models=(), rng=1)
    said = brief(found).verdict()[4]
    assert "(on the side attacked 0." in said.text and ", civilians " in said.text
    assert said.answers == ("attack_kills_1", "attack_kills_1_own", "attack_kills_1_civilian")
    one = escalation.assess(escalation.count_series(source, victims="own"), models=(), rng=1)
    alone = brief(one).verdict()[4].text
    assert alone.startswith("A lethal attack on the side attacked by ")
    # the same question asked of one side alone has the same answer, but for the draws
    own, toll = found.severity.sides["own"], one.severity.toll
    ends = [float(each.probabilities["probability"].iloc[0]) for each in (own, toll)]
    assert ends[0] == pytest.approx(ends[1], abs=0.03)


# Every series


def test_every_series_is_answered_and_one_that_cannot_be_costs_a_sentence(tallied):
    assert [one.name for one in tallied.series] == ["raids", "big_strikes", "arrests"]
    assert tallied.main.counter() == "ministry" and tallied.main.left_out == 1
    strikes, arrests = tallied.others
    assert strikes.handful is not None and strikes.rare is not None and strikes.rare.at_least == 40
    assert arrests.why_not() and arrests.printed == "7, 2024-10-01 to 2024-10-02"
    page = pages_of(tallied)[1]
    assert any(isinstance(block, Text) and block.text.startswith("Arrests: ") for block in page.blocks)
    assert list(tallied.table().index) == ["Raids (ministry)", "Big strikes (press)", "Arrests"]


def test_dates_of_rare_events_are_those_of_forecasts(tallied):
    ends = [one.rare.probability.index[-1] for one in tallied.others if one.rare is not None]
    found = tallied.others[0].assessment
    assert ends == [str(found.forecast.periods[found.within - 1].end_time.date())]


def test_the_verdict_is_that_of_the_series_with_most_counts(tmp_path, tallied):
    source = escalation.open_source(tallied.assessment.source.name)
    assert series_names(source)[0] == "raids" and usual_choice(source, "raids") == ("ministry", "attacks", 1)
    rows = "".join(f"s{number},1,exact,2024-01-01,2024-01-07\n" for number in range(MOST_SERIES + 3))
    many = tmp_path / "many.csv"
    many.write_text("series,count,qualifier,start,end\n" + rows)
    assert len(series_names(escalation.open_source(many))) == MOST_SERIES


def test_of_equally_many_counts_the_latest_counter_is_taken(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(
        "series,count,qualifier,start,end,counter\nraids,9,exact,2023-07-01,2023-11-04,article\n"
        "raids,14,at_least,2024-07-01,2024-11-04,ministry\n"
    )
    assert usual_choice(escalation.open_source(path), "raids")[0] == "ministry"


def test_nothing_that_can_be_counted_is_one_line(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("series,count,qualifier,start,end\nraids,9,exact,2024-01-01,2024-01-02\n")
    with pytest.raises(InputError, match="no series can be counted; of raids: the series has 1 week"):
        brief(path, rng=1)


def test_the_same_seed_gives_the_same_brief_however_it_is_asked(tallied):
    path = tallied.assessment.source.name
    counted = escalation.count_series(
        escalation.open_source(path), series="raids", counter="ministry", unit="attacks", rng=1
    )
    again = brief(escalation.assess(counted, models=(), rng=1))
    assert again.sentences() == tallied.sentences()
    assert json.loads(again.to_json())["brief"]["series"] == json.loads(tallied.to_json())["brief"]["series"]


# Twelve months, cost and loss


def test_twelve_months_bring_no_less_than_two(made):
    answers = {answer.key: answer for answer in made.answer_list()}
    if answers["total_year"].why:
        return
    assert answers["total_year"].value >= answers["total_ahead"].value
    error = 4 * (answers["flashpoint"].mc_error + answers["flashpoint_year"].mc_error)
    assert answers["flashpoint_year"].value >= answers["flashpoint"].value - error
    assert made.assessment.year.forecast.steps == 52


def test_what_is_known_of_totals_a_year_ahead_is_said_of_weeks_alone(made):
    said = any(isinstance(block, Text) and ELSEWHERE in block.text for block in pages_of(made)[-1].blocks)
    assert said == bool(made.assessment.year)


def test_what_is_known_of_totals_a_year_ahead_is_not_said_of_months():
    months = pd.Series([5, 3, 8] * 12, index=pd.period_range("2021-01", periods=36, freq="M"))
    assert not any(isinstance(one, Text) and ELSEWHERE in one.text for one in brief(months, rng=1).pages()[-1].blocks)


def test_acting_pays_from_the_ratio_of_cost_and_loss_on():
    assert acting_threshold(1, 4) == 0.25
    for cost, loss in ((0, 1), (1, 0), (2, 2), (np.nan, 1), (1, np.inf)):
        with pytest.raises(InputError, match=r"cost is|loss is"):
            acting_threshold(cost, loss)
    weeks = pd.period_range("2024-01-01", periods=8, freq="W-SUN")
    with pytest.raises(InputError, match="which go together; give both"):
        brief(pd.Series([1] * 8, index=weeks), cost=1, rng=1)


def test_what_acting_would_have_cost_is_the_sum_of_a_plain_loop():
    rng = np.random.default_rng(5)
    past = pd.DataFrame({"origin": range(200), "step": 1, "probability": rng.random(200)})
    past["came"] = (rng.random(200) < past["probability"]).astype(int)
    found = acting_record(past, cost=1.0, loss=3.0)
    expense = base = perfect = 0.0
    for probability, came in zip(past["probability"], past["came"], strict=True):
        expense += 1.0 if probability >= 1 / 3 else 3.0 * came
        base += 1.0 if past["came"].mean() >= 1 / 3 else 3.0 * came
        perfect += 1.0 * came
    assert found.expenses["expense"].to_dict() == pytest.approx(
        {"forecast": expense / 200, "base rate": base / 200, "perfect": perfect / 200}
    )
    assert found.value == pytest.approx((base - expense) / (base - perfect))
    assert "saved" in found.sentence() and found.table() is found.expenses
    with pytest.raises(InputError, match="5 past forecasts, and what acting would have cost needs 10"):
        acting_record(past.head(5), 1, 3)


def test_where_nothing_was_scored_the_brief_says_from_which_probability_acting_pays(tmp_path):
    said = from_incidents(tmp_path).acting_sentence()
    assert said.startswith("Acting pays from a probability of 0.2 on.") and "no past forecast" in said


# The same in every form


def test_paper_and_page_hold_every_text_of_the_brief(made):
    on_paper, page = printed(paper_of(made)), Read(page_of(made))
    on_page = letters(" ".join(page.texts))
    for text in texts_of(made):
        assert letters(plain_dates(text)) in on_paper, text
        assert letters(text) in on_page, text


def test_every_form_has_the_same_numbers_and_page_1_is_true_by_the_json(made, benchmark, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    assert benchmark("brief_forms").compare(made, tmp_path) == []


def test_a_number_that_is_wrong_in_one_form_is_found(tallied, benchmark, tmp_path):
    module, content = benchmark("brief_forms"), json.loads(tallied.to_json())
    page = " ".join(module.Reader(page_of(tallied)).parts)
    assert list(module.first_page(content, page)) == []
    for row in content["answers"]:
        if row["key"] in ("count_recent", "probability_higher", "total_ahead", "flashpoint_year"):
            changed = json.loads(json.dumps(content))
            next(one for one in changed["answers"] if one["key"] == row["key"])["value"] = row["value"] * 1.2 + 1
            assert list(module.first_page(changed, page)), row["key"]


def test_json_holds_the_verdict_and_the_numbers_of_every_series(made):
    content = json.loads(made.to_json())
    assert [one["text"] for one in content["brief"]["verdict"]] == made.sentences()
    answers = {row["key"]: row for row in content["answers"]}
    for answer in made.answer_list():
        if answer.key in answers:
            assert answers[answer.key]["text"] == answer.text()
    rows = {one["title"]: one for one in content["brief"]["series"]}
    assert list(rows) == [one.title for one in made.series]
    for one in made.series:
        texts = " ".join(row["text"] for row in rows[one.title]["answers"])
        total = re.match(r"[\d,]+ \(.*?\)", made.table()["next"].iloc[list(rows).index(one.title)])
        assert total is None or total[0] in texts


def test_a_brief_has_four_pages(made):
    assert len(paper_of(made)) == 4
    assert [page.key for page in pages_of(made)] == ["verdict", "series", "flashpoints", "trust"]


def test_twelve_series_fit_their_page(tallied):
    names = [replace(tallied.main, name=f"raids_{number}", title=f"Raids on harbour {number}") for number in range(11)]
    pages = compose_brief(replace(tallied, others=tuple(names)))
    assert len(pages) == 4 and len(pages[1].axes) == 12


def test_the_page_needs_nothing_from_elsewhere_and_names_its_parts_once(made):
    text, number = page_of(made), len(pictures_of(made))
    page = Read(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert len(set(page.ids)) == len(page.ids)
    assert text.count("<svg ") == text.count('role="img"') == number
    assert text.count("<details>") == number and '<html lang="en">' in text
    assert "prefers-color-scheme: dark" in text and "width=device-width" in text


def test_charts_hold_their_numbers(made):
    for picture in pictures_of(made):
        assert isinstance(picture, Picture) and picture.alt.endswith(".")
        assert picture.numbers.rows and {len(row) for row in picture.numbers.rows} == {len(picture.numbers.headers)}


def test_names_from_a_table_cannot_steer_the_page(tmp_path):
    alone = "".join(TALLIES.splitlines(keepends=True)[:3])
    made = from_tallies(tmp_path, alone.replace("raids", "<script>alert(1)</script>"))
    assert "<script>" not in made.to_html() and "&lt;script&gt;" in made.to_html()


def test_every_form_is_written_whole_and_alike_each_time(tallied, tmp_path):
    for form in ("pdf", "html", "json"):
        first, again = (write_report(tallied, tmp_path / f"{name}.{form}") for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes() and first.stat().st_size > 1000
    whole = write_report(tallied, tmp_path / "full.pdf", full=True, figures=tmp_path / "charts")
    assert whole.stat().st_size > (tmp_path / "first.pdf").stat().st_size
    names = {picture.name for picture in tallied.pictures()}
    assert {one.name for one in (tmp_path / "charts").iterdir()} == {
        f"{n}.{form}" for n in names for form in ("svg", "png")
    }
    with pytest.raises(InputError, match="rng is 1, but a brief brings its seed"):
        write_report(tallied, tmp_path / "again.pdf", rng=1)


def test_a_notebook_shows_the_brief(tallied):
    shown = tallied._repr_html_()
    assert all(escalation_text in shown for escalation_text in ("<svg ", "Every series of the case"))
    assert not shown.startswith("<!DOCTYPE")


def test_a_case_reports_on_itself():
    case = escalation.open_case("november-2024-article")
    made = case.report(rng=1)
    assert made.title == case.title and len(made.series) == 5
    rare = {one.name: one.rare.at_least for one in made.series if one.rare is not None}
    assert rare == {"us_strikes_on_militias": 50, "us_soldiers_killed": 1}
    assert "Trust this little" in made.verdict()[-1].text
