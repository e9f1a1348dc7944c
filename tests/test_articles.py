"""Counts read from running text: numbers, units, windows, pages, repeats, and what is no count."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.articles.language import is_english, is_table
from escalation.articles.normal import normalise
from escalation.articles.numbers import find_numbers
from escalation.articles.page import html_page, plain_paragraphs
from escalation.articles.published import find_published
from escalation.articles.read import read_articles
from escalation.articles.sentences import sentences, tokenise
from escalation.articles.times.expressions import find_times

DAY = "2024-06-12"  # a Wednesday
ARTICLES = Path(__file__).parent / "data" / "articles"


def rows(text: str, published: str | None = DAY, **options: object) -> list[tuple[object, ...]]:
    """Count (or range, or blank), qualifier, unit, start and end of each count of a text."""
    tallies, _ = escalation.read_article(text, published=published, **options)
    found = []
    for row in tallies.to_dict("records"):
        count = None if pd.isna(row["count"]) else row["count"]
        if not pd.isna(row["low"]):
            count = (row["low"], row["high"])
        days = ["" if pd.isna(row[name]) else f"{row[name]:%m-%d}" for name in ("start", "end")]
        found.append((count, row["qualifier"], row["unit"], *days))
    return found


def reasons(text: str, published: str | None = DAY) -> dict[str, str]:
    """Why each number that is no count was left out."""
    _, ledger = escalation.read_article(text, published=published)
    return dict(zip(ledger["value"], ledger["why"], strict=True))


# --- numbers and sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,289 names", 2289),
        ("twenty-three men", 23),
        ("half a dozen", 6),
        ("two dozen boats", 24),
        ("a hundred people", 100),
        ("one hundred and five", 105),
        ("1.2 million records", 1_200_000),
        ("a dozen", 12),
        ("no attack", 0),
        ("not a single raid", 0),
        ("not one raid", 0),
        ("the 13th attack", 13),
        ("the twenty-first raid", 21),
        ("hit twice", 2),
        ("four hundred and twelve", 412),
    ],
)
def test_numbers_in_words_and_figures(text: str, value: int) -> None:
    found = find_numbers(tokenise(text))
    assert [one.count for one in found] == [value]


@pytest.mark.parametrize("text", ["no fewer than ten", "no one came", "no longer", "none of them", "may", "second"])
def test_what_looks_like_zero_is_none(text: str) -> None:
    assert all(one.count != 0 for one in find_numbers(tokenise(text)))


@pytest.mark.parametrize("text", ["between 12 and 15", "12 to 15", "12-15", "12 or 15"])
def test_ranges(text: str) -> None:
    assert [(one.low, one.high) for one in find_numbers(tokenise(text))] == [(12, 15)]


def test_two_ends_of_a_change_are_no_range() -> None:
    assert [one.count for one in find_numbers(tokenise("attacks rose from 12 to 15"))] == [12, 15]


def test_abbreviations_end_no_sentence() -> None:
    text = (
        "No attack since Feb. 4, Lt. Gen. J. Smith said. The U.S. "
        "struck back at 4 p.m. on Monday. It cost $1.6 million."
    )
    assert len(sentences(text)) == 3
    assert all(text[one.begin : one.begin + len(one.text)] == one.text for one in sentences(text))


def test_normalising_keeps_the_way_back() -> None:
    given = "He\u200b said “12\u00a0attacks” \u2013 at\u00adtacks"
    normal = normalise(given)
    assert normal.text == 'He said "12 attacks" - attacks'
    assert given[normal.original(normal.text.index("12"))] == "1"


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("since Oct. 17", "2023-10-17", "2024-06-12"),
        ("in March", "2024-03-01", "2024-03-31"),
        ("in November", "2023-11-01", "2023-11-30"),
        ("on Monday", "2024-06-10", "2024-06-10"),
        ("overnight", "2024-06-11", "2024-06-12"),
        ("last week", "2024-06-03", "2024-06-09"),
        ("last month", "2024-05-01", "2024-05-31"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("this year", "2024-01-01", "2024-06-12"),
        ("in the past three weeks", "2024-05-22", "2024-06-12"),
        ("in the past 24 hours", "2024-06-11", "2024-06-12"),
        ("in the first quarter", "2024-01-01", "2024-03-31"),
        ("in the fourth quarter of 2022", "2022-10-01", "2022-12-31"),
        ("in the first five months of 2024", "2024-01-01", "2024-05-31"),
        ("in the last three months of 2023", "2023-10-01", "2023-12-31"),
        ("in the first half of May", "2024-05-01", "2024-05-15"),
        ("between 4 and 10 June", "2024-06-04", "2024-06-10"),
        ("between Friday and Monday", "2024-06-07", "2024-06-10"),
        ("from August 2023 to March 2024", "2023-08-01", "2024-03-31"),
        ("between November and January 2024", "2023-11-01", "2024-01-31"),
        ("since mid-May", "2024-05-15", "2024-06-12"),
        ("over the weekend", "2024-06-08", "2024-06-09"),
        ("on 3 May 2024", "2024-05-03", "2024-05-03"),
        ("on 03.05.2024", "2024-05-03", "2024-05-03"),
        ("on the night of June 9 to 10", "2024-06-09", "2024-06-10"),
        ("since the start of the month", "2024-06-01", "2024-06-12"),
        ("in the year to June 2023", "2022-07-01", "2023-06-30"),
        ("on Sunday and Monday", "2024-06-09", "2024-06-10"),
        ("on Christmas Day", "2023-12-25", "2023-12-25"),
        ("in 2022 and 2023", "2022-01-01", "2023-12-31"),
        ("since the truce took effect on May 26", "2024-05-26", "2024-06-12"),
        ("on Tuesday, June 4", "2024-06-04", "2024-06-04"),
        ("In the 12 months to August", "2022-09-01", "2023-08-31"),
        ("in the week ending June 9", "2024-06-03", "2024-06-09"),
    ],
)
def test_expressions_of_time(text: str, start: str, end: str) -> None:
    found = find_times(text, dt.date.fromisoformat(DAY))
    assert [tuple(map(str, one.days)) for one in found] == [(start, end)]


@pytest.mark.parametrize("text", ["they may attack", "12 of 30 ships", "a march on the palace", "he was second"])
def test_what_is_no_time(text: str) -> None:
    assert not find_times(text, dt.date.fromisoformat(DAY))


def test_each_number_of_a_list_has_the_time_of_its_own_clause() -> None:
    text = "Data show 37 attacks in the region in October, 29 in November and 11 in the first half of December."
    assert rows(text, "2024-12-19") == [
        (37, "exact", "attacks", "10-01", "10-31"),
        (29, "exact", "attacks", "11-01", "11-30"),
        (11, "exact", "attacks", "12-01", "12-15"),
    ]


def test_a_day_of_speaking_dates_no_event() -> None:
    text = "The office was hit on Sunday. On Tuesday a spokesman said eight soldiers had been wounded."
    assert rows(text) == [(8, "exact", "injured", "06-09", "06-09")]


def test_comparisons_have_windows_of_their_own() -> None:
    text = (
        "The agency recorded 144 incidents in the first quarter, up "
        "from 112 in March 2023 and 153 in the same period last year."
    )
    assert [row[3:] for row in rows(text)] == [("01-01", "03-31"), ("03-01", "03-31"), ("01-01", "03-31")]
    tallies, _ = escalation.read_article(text, published=DAY)
    assert tallies["start"].dt.year.tolist() == [2024, 2023, 2023]


def test_since_then_and_in_that_period_point_back() -> None:
    text = "There have been 131 attacks since Oct. 17. Washington has struck back eight times in that period."
    assert rows(text, "2024-01-11")[1] == (8, "exact", "strikes", "10-17", "01-11")


def test_ranks_count_from_the_start_of_their_window_to_the_event() -> None:
    text = "Gunmen kidnapped 23 passengers on Sunday, the fifth such incident since the start of May."
    assert rows(text)[1] == (5, "exact", "incidents", "05-01", "06-09")


def test_zeros_have_windows() -> None:
    assert rows("No attack has been recorded since June 4.") == [(0, "exact", "attacks", "06-04", "06-12")]
    text = "After 17 days without a violation, shells fell on Monday."
    assert rows(text)[0] == (0, "exact", "violations", "05-24", "06-09")


def test_words_of_a_table_stand_for_a_day(tmp_path: Path) -> None:
    text = "Rebels have carried out 40 attacks since the accord of Aru."
    assert rows(text)[0][3] == ""
    (tmp_path / "anchors.csv").write_text("words,date,where,note\naccord of aru,2024-02-03,,\n")
    assert rows(text, rules=tmp_path) == [(40, "exact", "attacks", "02-03", "06-12")]


# --- what is counted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rebels killed 12 soldiers and wounded seven.", [(12, "exact", "killed"), (7, "exact", "injured")]),
        (
            "At least 40 civilians and 11 soldiers had been killed.",
            [(40, "at_least", "killed"), (11, "exact", "killed")],
        ),
        ("The raids left 12 dead and about 30 injured.", [(12, "exact", "killed"), (30, "about", "injured")]),
        ("A bomb killed a policeman and two guards.", [(2, "exact", "killed")]),
        ("Police arrested nearly 300 people.", [(300, "nearly", "arrests")]),
        ("The gang seized more than 20 pupils from a school.", [(20, "more_than", "kidnapped")]),
        (
            "Pirates boarded three ships, hijacked two and fired on one.",
            [(3, "exact", "vessels"), (2, "exact", "vessels"), (1, "exact", "vessels")],
        ),
        ("Between 12 and 15 grenades were fired at the office.", [((12, 15), "range", "rockets")]),
        ("Hundreds of drones have been launched.", [(None, "hundreds", "drones")]),
        (
            "Several attacks and a handful of raids were reported.",
            [(None, "several", "attacks"), (None, "handful", "raids")],
        ),
        ("The town was shelled 17 times.", [(17, "exact", "shellings")]),
        ("Kidnappings happen nearly every week.", [(None, "almost_weekly", "abductions")]),
        ("They stage two or three attacks a week.", [((2, 3), "weekly", "attacks")]),
        ("There were 120 incidents a day.", [(120, "daily", "incidents")]),
        ("The ministry put the dead at 29.", [(29, "exact", "killed")]),
        ("Four of its 25 crew are dead and 11 are missing.", [(4, "exact", "killed"), (11, "exact", "missing")]),
        (
            "Monitors reported violations (491) and explosions (37).",
            [(491, "exact", "violations"), (37, "exact", "explosions")],
        ),
        ("The strikes hit 85 targets at seven sites.", [(85, "exact", "targets"), (7, "exact", "sites")]),
        ("Up to 30 villages were burned.", [(30, "up_to", "villages")]),
        ("No fewer than 14 civilians died.", [(14, "at_least", "killed")]),
        ("Three MiG-31s entered its airspace.", [(3, "exact", "aircraft")]),
        ("As many as 60 boats were sunk.", [(60, "up_to", "vessels")]),
    ],
)
def test_what_is_counted(text: str, expected: list[tuple[object, ...]]) -> None:
    assert [row[:3] for row in rows(text)] == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The plan would cost $12 million.", "money"),
        ("A man aged 26 spoke.", "age"),
        ("The road is 163 km long.", "measure"),
        ("Prices rose 44% in May.", "percentage"),
        ("It could fire 12 rockets.", "plan"),
        ("They threatened 12 strikes.", "plan"),
        ("About 2,500 soldiers are stationed there.", "people or forces"),
        ("It has 370 ships.", "stock"),
        ("It lasted 12 days.", "length of time"),
        ("Resolution 1701 was read out.", "name"),
        ("They have 48 F-16 jets.", "stock"),
        ("Three rounds of talks were held.", "no attack"),
        ("One in four paid.", "share"),
        ("He left at 4 p.m. that day.", "time of day"),
        ("Soldiers will receive 66 drones.", "plan"),
    ],
)
def test_what_is_no_count_is_in_the_ledger_with_the_reason(text: str, why: str) -> None:
    assert not rows(text)
    assert any(why in reason for reason in reasons(text).values())


def test_every_number_is_a_row_or_in_the_ledger() -> None:
    text = "On Monday 12 rockets hit 3 towns, killing 4 of 9 guards; 50 men have 7 tanks and $3 million."
    tallies, ledger = escalation.read_article(text, published=DAY)
    assert len(tallies) + (ledger["action"] == "dropped").sum() == 7


def test_rival_counters_have_a_row_each() -> None:
    text = (
        "The army said 47 rebels were killed on Monday; the rebels, according to the Syrian Observatory, lost 12 men."
    )
    tallies, _ = escalation.read_article(text, published=DAY)
    assert tallies["count"].tolist() == [47, 12]
    assert tallies["counter"].tolist() == ["army", "sohr"]


def test_claims_about_severity_are_in_the_ledger() -> None:
    text = "Many attacks “aimed to miss” but would “draw a lethal US response”."
    said = reasons(text)
    assert "aimed to miss" in said and "draw a lethal US response" in said
    assert not rows(text)


# --- pages ------------------------------------------------------------------------------------------------------------

PAGE = """<!doctype html><html><head><title>Raids</title>
<meta property="article:published_time" content="2024-06-12T08:00:00Z"></head><body>
<nav><p>Our 12 best attacks of the year, and many other things to read on this page</p></nav>
<article><h1>Raids kill 14 in Aru</h1><p class="byline">By Ann Other, June 12, 2024</p>
<p>Raiders killed 14 villagers in Aru on Monday, the army&nbsp;said, and fled with cattle.</p>
<figure><figcaption>One of 30 tanks destroyed in 2019</figcaption></figure>
<p>The 14 were buried on Tuesday. Two raids were reported in May.</p></article>
<div class="related"><p>Related: 99 people were killed in another place, as we wrote.</p></div></body></html>"""


def test_the_article_of_a_page_is_read_and_nothing_around_it() -> None:
    tallies, _ = escalation.read_article(PAGE)
    assert tallies["count"].tolist() == [14, 2]
    assert tallies.attrs["published"] == {"article": ("2024-06-12", "metadata")}
    assert "Raids kill 14 in Aru" in tallies.loc[0, "sentence"]  # the headline repeats it
    text = html_page(PAGE).text
    assert text[tallies.loc[0, "begin"] : tallies.loc[0, "end_at"]] == tallies.loc[0, "printed"] == "14 villagers"


def test_the_day_of_publication_is_taken_in_order_and_disagreement_is_said() -> None:
    given, there = dt.date(2024, 6, 12), dt.date(2022, 10, 1)
    first = find_published(given, [there], ["Published May 1, 2023"], "https://x.example/2021/01/02/a")
    assert (first.day, first.source) == (given, "given")
    assert len(first.remarks) == 3
    assert find_published(None, [there], ["Published May 1, 2023"], "").source == "metadata"
    assert str(find_published(None, [], ["Published May 1, 2023"], "").day) == "2023-05-01"
    assert str(find_published(None, [], ["x"], "https://x.example/2021/01/02/a").day) == "2021-01-02"
    assert find_published(None, [], ["KYIV, June 9 - x"], "") == find_published(None, [], ["KYIV, June 9 - x"], "")
    assert "without a year" in find_published(None, [], ["KYIV, June 9 - x"], "").remarks[0]


def test_without_a_day_of_publication_relative_windows_are_blank() -> None:
    text = "There were 12 attacks last week and 9 in March 2024."
    assert rows(text, None) == [(12, "exact", "attacks", "", ""), (9, "exact", "attacks", "03-01", "03-31")]
    _, ledger = escalation.read_article(text)
    assert ledger["why"].str.contains("no day of publication").sum() == 1


def test_lines_that_were_cut_at_a_width_are_one_sentence_and_bullets_are_not() -> None:
    wrapped = (
        "Gunmen attacked two villages in the north of the\nprovince on Monday and killed 14 "
        "people, the police\nsaid in a statement that was read on the radio at\n"
        "noon. The army has sent reinforcements there."
    )
    assert len(plain_paragraphs(wrapped)) == 1
    assert [row[0] for row in rows("On Monday raiders came to Aru and,\nafter dark, killed 14 people there.")] == [14]
    bullets = "June 3: five rockets fell on Aru.\nJune 5: three soldiers were killed."
    assert [row[3] for row in rows(bullets)] == ["06-03", "06-05"]


def test_tables_and_other_languages_are_said_to_be_unread() -> None:
    text = (
        "Raiders killed 14 people on Monday.\nAru\t12\t3\t4\nEl ejército "
        "dijo que murieron tres soldados en los ataques del lunes."
    )
    said = list(reasons(text).values())
    assert sum("table" in why for why in said) == 1
    assert sum("another language" in why for why in said) == 1
    assert is_table("Aru 12 3 4 9") and not is_table("They fired 12 rockets and 3 drones at us.")
    assert is_english("Армия сообщила о 12 атаках") is False


def test_repeats_are_one_tally_and_contradictions_stay() -> None:
    text = (
        "Rockets killed 14 people in Aru on Monday. A doctor said the rockets killed 14 "
        "people in Aru on Monday. Police said 11 people were killed in Aru on Monday."
    )
    tallies, ledger = escalation.read_article(text, published=DAY)
    assert tallies["count"].tolist() == [14, 11]
    assert tallies.loc[0, "sentence"].count(" | ") == 1
    assert (ledger["action"] == "merged").sum() == 1


def test_a_revised_count_is_marked() -> None:
    text = (
        "On Sunday five soldiers were wounded near Aru. Eight soldiers were "
        "wounded on Sunday, an official said, revising the earlier count."
    )
    tallies, _ = escalation.read_article(text, published=DAY)
    assert tallies["flag"].tolist() == ["stale", "ok"]


def test_several_wires_are_merged_with_their_sources(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("On 10 June 2024 gunmen killed 12 villagers near Goma.")
    (tmp_path / "b.txt").write_text(
        "Gunmen killed 12 villagers near Goma on June 10. They also killed 3 soldiers in Aru."
    )
    (tmp_path / "c.txt").write_text("Gunmen killed 15 villagers near Goma on June 10.")
    tallies, _ = escalation.articles.read_articles([tmp_path], published=DAY)
    assert sorted(zip(tallies["count"], tallies["source"], strict=True)) == [
        (3, "b.txt"),
        (12, "a.txt; b.txt"),
        (15, "c.txt"),
    ]


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_made_up_passages_are_read_as_well_as_is_wanted(benchmark) -> None:
    module = benchmark("read_text")
    scores = module.measure(ARTICLES)
    for name, wanted in module.WANTED.items():
        assert scores.parts[name][2] >= wanted, name
    assert scores.parts["found"][0] >= module.PRECISION
    assert scores.high_share >= module.HIGH_SHARE and scores.high_right >= module.HIGH_RIGHT


def test_the_first_article_gives_its_six_counts_and_no_other(shared_data) -> None:
    text = shared_data("seed/article-2024-11-12.txt").read_text(encoding="utf-8")
    tallies, ledger = escalation.read_article(text, published="2024-11-12")
    case = escalation.open_case("november-2024-article").tallies
    assert len(tallies) == len(case) == 6
    own, known = (table.set_index(["qualifier", table["count"].fillna(-1)]).sort_index() for table in (tallies, case))
    assert own.index.tolist() == known.index.tolist()
    whole = own["unit"] != "killed"  # of the three soldiers the article gives no day; the case has it from other pages
    assert (own["start"] <= known["start"])[whole].all()
    assert (own["end"] >= known["end"])[whole].all()
    largest = tallies[tallies["count"] == 200].iloc[0]
    assert (largest["counter"], largest["unit"], f"{largest['start']:%m-%d}") == (
        "washington_institute",
        "attacks",
        "10-07",
    )
    claims = ledger[ledger["why"].str.contains("severity")]["value"].tolist()
    assert "aimed to miss" in claims and "draw a lethal US response" in claims


def test_damaged_texts_are_read_and_take_no_time(benchmark) -> None:
    module = benchmark("read_text")
    texts = module.seeds_of(ARTICLES)
    outcomes = [
        module.attempt(module.damaged(seed, texts), DAY if seed % 3 else None)[0]
        for seed in range(60)
        if seed % 50 != 4
    ]
    assert set(outcomes) <= {"read", "nothing found", "another language"}
    assert outcomes.count("another language") >= 6


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(escalation.InputError, match="text is a int"):
        escalation.read_article(12)  # type: ignore[arg-type]
    with pytest.raises(escalation.InputError, match="above 5,000,000"):
        escalation.read_article("a" * 5_000_001)
    with pytest.raises(escalation.InputError, match="published"):
        escalation.read_article("x", published="yesterday")
    with pytest.raises(escalation.FileError, match="a folder without an article"):
        escalation.articles.read_articles([tmp_path])
    (tmp_path / "x.txt").write_bytes(b"%PDF-1.7 ...")
    with pytest.raises(escalation.FileError, match="holds no text"):
        escalation.articles.read_articles([tmp_path / "x.txt"])
    with pytest.raises(escalation.FileError, match="none of the tables"):
        escalation.read_article("x", rules=tmp_path)
    (tmp_path / "anchors.csv").write_text("words,date,where,note\nx,soon,,\n")
    with pytest.raises(escalation.InputError, match="row 2: date is 'soon'"):
        escalation.read_article("x", rules=tmp_path)
    (tmp_path / "anchors.csv").write_text("words,date\n")
    with pytest.raises(escalation.InputError, match="no column where"):
        escalation.read_article("x", rules=tmp_path)
    (tmp_path / "anchors.csv").unlink()
    (tmp_path / "units.csv").write_text("word,unit,kind\nx,x,odd\n")
    with pytest.raises(escalation.InputError, match="kind is 'odd'"):
        escalation.read_article("x", rules=tmp_path)
    (tmp_path / "units.csv").write_text("word,unit,kind\n,x,event\n")
    with pytest.raises(escalation.InputError, match="word is blank"):
        escalation.read_article("x", rules=tmp_path)
    (tmp_path / "units.csv").write_bytes(b"word,unit,kind\n\xff,x,event\n")
    with pytest.raises(escalation.FileError, match="UTF-8"):
        escalation.read_article("x", rules=tmp_path)
    with pytest.raises(escalation.FileError, match="cannot be read"):
        escalation.articles.read_articles([tmp_path / "nowhere.txt"])


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Lagos, 14 March 2025 - Pirates attacked", "2025-03-14"),
        ("LAGOS, Nigeria, March 14, 2025 (Reuters) - Pirates attacked", "2025-03-14"),
        ("Beirut, Lebanon, Oct. 3, 2024 \u2013 The ministry said", "2024-10-03"),
        ("San José de Cúcuta, 3 May 2024: Eight people", "2024-05-03"),
        ("On March 14, 2025 - the day the war began - they left", None),
        ("Russia said on 3 May 2024 - in a statement - that", None),
    ],
)
def test_datelines_in_any_case_have_their_day(line, day):
    found = find_published(None, (), [line], "")
    assert (found.day and str(found.day)) == day


def test_what_was_reported_last_week_happened_then():
    text = (
        "Lagos, 14 March 2025 - Several dozen sailors were kidnapped in February. "
        "No hijacking was reported last week. The navy has deployed 15 patrol boats."
    )
    table, ledger = escalation.read_article(text)
    rows = table.set_index("series")
    assert rows.loc["kidnapped", "qualifier"] == "dozens"
    assert str(rows.loc["hijackings", "start"].date()) == "2025-03-03"
    assert len(table) == 2 and len(ledger) >= 1  # boats that are deployed are a stock


def test_files_without_a_text_are_refused_by_name(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(escalation.FileError, match=r"empty.txt: is empty; give the text of an article"):
        read_articles([tmp_path / "empty.txt"])
    with pytest.raises(escalation.FileError, match=r"noise.txt: holds no text"):
        read_articles([tmp_path / "noise.txt"])


def test_a_day_of_publication_is_not_ahead():
    with pytest.raises(escalation.InputError, match="published is 2199-01-01, and today is"):
        escalation.read_article("Gunmen killed 12 villagers.", published="2199-01-01")


def test_counts_of_one_thing_in_one_article_have_one_name():
    text = (
        "HAFENSTADT, 4 November 2024 - Raiders attacked the harbour at least 38 times between 1 July and 3 November, "
        "the ministry said on Monday. There were five attacks in July and six in August."
    )
    tallies, _ = escalation.read_article(text)
    assert set(tallies["series"]) == {"attacks_by_raiders"} and set(tallies["counter"]) == {"ministry"}
    # a second counter leaves a choice, which is not the reader's
    tallies, _ = escalation.read_article(f"{text} There were four attacks in June, the admiralty said.")
    assert set(tallies["counter"]) == {"ministry", "admiralty", "article"}


@pytest.mark.parametrize(
    ("sentence", "series"),
    [
        ("Raiders attacked the harbour five times in October.", "attacks_by_raiders"),
        ("The navy attacked the raiders five times in October.", "attacks_by_navy"),
        ("The raiders were attacked by the navy five times in October.", "attacks_by_navy"),
        ("The raiders had been attacked five times by the navy in October.", "attacks_by_navy"),
        ("Five attacks on raiders were carried out by the navy in October.", "attacks_on_raiders_by_navy"),
        ("The navy carried out five attacks on the raiders in October.", "attacks_on_raiders"),
        ("There were five navy strikes against the raiders in October.", "strikes_on_raiders"),
        ("The militias attacked US forces 12 times in October.", "attacks_by_militias"),
        ("US forces struck militia positions 12 times in October.", "strikes_by_us_forces"),
        ("The army said rebels had attacked its bases seven times in October.", "attacks_by_rebels"),
        ("In October a gunman in a parked car attacked guards twice.", "attacks"),
        ("Attacks take place about twice a month.", "attacks"),
    ],
)
def test_who_did_it_is_the_subject_of_the_clause(sentence, series):
    tallies, _ = escalation.read_article(sentence, published="2024-11-04")
    assert tallies["series"].tolist() == [series]


@pytest.mark.parametrize(
    ("sentence", "series"),
    [
        ("The navy attacked the raiders five times in October.", "attacks_by_navy"),
        ("The raiders were attacked five times in October.", "attacks_on_raiders"),
        ("The raiders came under attack five times in October.", "attacks_on_raiders"),
        ("The harbour was attacked five times in October.", "attacks_by_raiders"),
        ("There were five attacks in October.", "attacks_by_raiders"),
    ],
)
def test_attacks_on_the_raiders_are_no_attacks_by_them(sentence, series):
    text = f"Raiders attacked the harbour 38 times between 1 July and 3 November. {sentence}"
    tallies, _ = escalation.read_article(text, published="2024-11-04")
    assert dict(zip(tallies["count"].astype(int), tallies["series"], strict=True)) == {
        38: "attacks_by_raiders",
        5: series,
    }


@pytest.mark.parametrize(
    ("when", "start", "end"),
    [
        ("In the week of 4 November", "2024-11-04", "2024-11-10"),
        ("In the week of November 6", "2024-11-04", "2024-11-10"),
        ("In the week beginning 6 November", "2024-11-06", "2024-11-12"),
        ("In the week of Nov. 3", "2024-11-03", "2024-11-09"),
        ("In the week of 18 November", "2024-11-18", "2024-11-18"),
    ],
)
def test_the_week_of_a_day_has_seven_days_or_those_that_have_passed(when, start, end):
    tallies, _ = escalation.read_article(f"{when} there were 28 attacks.", published="2024-11-18")
    assert tallies[["start", "end"]].astype(str).to_numpy().tolist() == [[start, end]]


def test_the_ministry_is_the_health_ministry_of_the_sentence_before():
    text = (
        "The health ministry counted 1,240 cases of cholera between 1 September and 17 November. In the week of "
        "4 November the ministry reported 280 cases."
    )
    tallies, _ = escalation.read_article(text, published="2024-11-18")
    assert tallies["counter"].tolist() == ["health_ministry"] * 2 and set(tallies["unit"]) == {"cases"}


def test_a_line_that_ends_within_a_sentence_goes_on_in_the_next():
    text = (
        "Raids double\n\nHAFENSTADT, 4 November 2024 - Raiders came twice in May. There were five attacks in\n"
        "July, six in August and nine in\nSeptember.\nRaids on two more towns\nAll is quiet."
    )
    tallies, _ = escalation.read_article(text)
    found = dict(zip(tallies["count"].astype(int), tallies["start"].astype(str), strict=True))
    assert (found[5], found[6], found[9]) == ("2024-07-01", "2024-08-01", "2024-09-01")


@pytest.mark.parametrize(
    ("text", "count", "unit", "start", "end", "place"),
    [
        (
            "A school was set alight on Tuesday, bringing to 47 the number of arson attacks since 1 September.",
            *(47, "attacks", "2024-09-01", "2025-03-12", "ALL"),
        ),
        ("The raid took to 31 the number of raids this year.", 31, "raids", "2025-01-01", "2025-03-12", "ALL"),
        (
            "In February the ministry recorded 14 attacks, the highest monthly figure since the burnings began.",
            *(14, "attacks", "2025-02-01", "2025-02-28", "ALL"),
        ),
        (
            "There has been no attack in the coastal district of Merrow since 30 November.",
            *(0, "attacks", "2024-11-30", "2025-03-12", "Merrow"),
        ),
    ],
)
def test_totals_brought_to_a_number_records_since_a_thing_and_districts_are_read(text, count, unit, start, end, place):
    (row,) = escalation.read_article(text, published="2025-03-12")[0].to_dict("records")
    days = [str(row[name].date()) for name in ("start", "end")]
    assert (row["count"], row["unit"], days, row["place"]) == (count, unit, [start, end], place)


@pytest.mark.parametrize("said", ["said Anton Weiss, 71, a retired postman.", "Ilse Brandt, 58, lost her house."])
def test_an_age_between_commas_after_a_name_is_no_count(said):
    rows, ledger = escalation.read_article(
        f"There were 11 attacks in November, officials said. {said}", published="2025-03-12"
    )[:2]
    assert rows["count"].tolist() == [11] and ledger["why"].tolist() == ["an age"]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("The ministry denied reports that rebels had carried out 18 attacks in April.", []),
        ("The army said there was no truth in reports of 18 attacks in April.", []),
        ("It rejected as false an estimate of 55 attacks since January.", []),
        ("The army denied killing 12 villagers on Monday.", []),
        ("Rebels denied involvement, but the army counted 12 attacks in April.", [12]),
        ("The army had dismissed two officers over a strike that killed seven workers on Monday.", [7]),
        (
            "Rebels carried out 17 attacks in April. Correction: An earlier version of this article said that there "
            "were 71 attacks in April.",
            [17],
        ),
        (
            "Belmark carried out 12 strikes on Saturday. It had earlier spoken of 15 strikes but later corrected this.",
            [12],
        ),
        (
            "The ministry had recorded 58 attacks since January 1. It revised its count for May to 22 attacks, "
            "from 19.",
            [58, 22],
        ),
        ("The ministry said 55 people were killed on Sunday, revising an earlier toll of 48.", [55]),
        ('"In spring 1994 we had 300 attacks in all," said Omar Teyn, 71.', [300]),
    ],
)
def test_what_is_denied_or_taken_back_is_no_count(text, counts):
    tallies, _ = escalation.read_article(text, published=DAY)
    assert tallies.loc[tallies["flag"] == "ok", "count"].tolist() == counts
