"""What a person says of counts read from text, the commands read-text and review, and answers from articles."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pytest

import escalation
from escalation.articles import (
    highlight,
    keep_reviewed,
    read_article,
    read_articles,
    read_review,
    review_row,
    usable_tallies,
)
from escalation.cli import main

TEXT = (
    "Rebels carried out 12 attacks on the army in March, 9 in April and 14 in May, the ministry said. "
    "About 900 soldiers are stationed there. They plan 20 patrols."
)
DAY = "2024-06-03"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("article.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run a command in the folder with what is typed at it: its exit code, stdout and stderr."""

    def running(command: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(command.split())
        return code, *capsys.readouterr()

    return running


@pytest.fixture
def written(run) -> pd.DataFrame:
    assert run(f"read-text article.txt --date {DAY} -o tallies.csv")[0] == 0
    return read_review("tallies.csv")


# --- review as functions ----------------------------------------------------------------------------------------------


def test_a_second_reading_overwrites_nothing_that_was_reviewed() -> None:
    tallies, _ = read_article(TEXT, published=DAY)
    said = review_row(review_row(tallies, 0, "corrected", {"count": "13"}), 1, "rejected")
    again = keep_reviewed(said, tallies)
    assert again[["count", "review"]].to_numpy().tolist() == [
        ["13", "corrected"],
        ["9", "rejected"],
        ["14", "unreviewed"],
    ]
    moved, _ = read_article("A new first line.\n" + TEXT, published=DAY)  # the same sentence, elsewhere
    assert keep_reviewed(said, moved)["count"].tolist() == ["13", "9", "14"]


def test_rejected_and_undated_rows_are_not_used_and_the_ledger_says_so() -> None:
    tallies, _ = read_article(TEXT + " There were 50000000 attacks in 2023.", published=DAY)
    said = review_row(tallies, 0, "rejected")
    said.loc[1, "end"] = ""
    checked, ledger, unreviewed = usable_tallies(said, "a.csv")
    assert checked["count"].tolist() == [14]
    assert ledger["why"].tolist() == [
        "rejected in review",
        "no window in the text",
        "above 50,000, the largest count of a tally",
    ]
    assert unreviewed == (2,)


@pytest.mark.parametrize(
    ("row", "state", "corrections", "said"),
    [
        (9, "confirmed", None, "rows 0 to 2"),
        (0, "fine", None, "state is 'fine'"),
        (0, "confirmed", {"count": "3"}, "corrections go with 'corrected'"),
        (0, "corrected", None, "corrections go with 'corrected'"),
        (0, "corrected", {"sentence": "x"}, "no column 'sentence'"),
        (0, "corrected", {"count": "many"}, "'many', which is no number"),
        (0, "corrected", {"end": "2024-02-30"}, "a day that no calendar has"),
        (0, "corrected", {"qualifier": "perhaps"}, "qualifier is 'perhaps'"),
    ],
)
def test_what_is_no_review_is_refused(row: int, state: str, corrections: dict[str, str] | None, said: str) -> None:
    tallies, _ = read_article(TEXT, published=DAY)
    with pytest.raises(escalation.InputError, match=said):
        review_row(tallies, row, state, corrections)


def test_a_window_may_be_left_blank_or_filled_in() -> None:
    tallies, _ = read_article("There were 12 attacks last week.")
    assert review_row(tallies, 0, "corrected", {"count": "13"}).loc[0, "start"] == ""
    filled = review_row(tallies, 0, "corrected", {"start": "2024-05-20", "end": "2024-05-26"})
    assert len(usable_tallies(filled)[0]) == 1


def test_a_table_of_another_kind_is_refused(folder: Path) -> None:
    Path("other.csv").write_text("series,count\na,3\n")
    with pytest.raises(escalation.InputError, match=r"no column start, end, sentence, begin, review"):
        read_review("other.csv")


def test_sentences_are_shown_with_the_number_marked_and_nothing_of_them_is_run() -> None:
    text = "The <script>alert(1)</script> army said 12 soldiers & 3 guards were killed in May 2024."
    tallies, _ = read_article(text, published=DAY)
    html = highlight(review_row(tallies, 0, "rejected"))._repr_html_()
    assert "<mark>12 soldiers</mark>" in html and "<script>" not in html
    assert html.count("line-through") == 1


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["read-text", "review"])
def test_each_command_has_help_that_fits_80_columns(run, command: str) -> None:
    code, out, err = run(f"{command} --help")
    assert (code, err) == (0, "")
    assert re.search(rf"^ +escalation {command} ", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80


def test_counts_are_shown_and_the_others_are_in_the_ledger(run) -> None:
    code, out, err = run(f"read-text article.txt --date {DAY} --ledger no.csv")
    assert (code, err) == (0, "")
    assert out.startswith(f"article.txt: published {DAY}, as given.")
    assert "3 counts, unreviewed" in out and "2024-03-01 to 2024-03-31" in " ".join(out.split())
    assert pd.read_csv("no.csv")["why"].tolist() == ["people or forces", "a plan, a threat or a supposition"]
    shown = run(f"read-text article.txt --date {DAY} --format json")[1]
    assert pd.read_json(io.StringIO(shown))["count"].tolist() == [12, 9, 14]


def test_without_a_day_the_command_asks_for_it(run) -> None:
    code, _, err = run("read-text article.txt")
    assert code == 0
    assert "no day of publication" in err and "--date" in err


def test_another_language_is_said_to_be_unread(run) -> None:
    Path("article.txt").write_text("El ejército dijo que murieron tres soldados en los ataques del lunes.")
    _, out, err = run(f"read-text article.txt --date {DAY}")
    assert "1 paragraph in another language not read" in err
    assert "0 counts" in out


def test_answers_are_kept_one_by_one_and_by_a_second_reading(run, written: pd.DataFrame) -> None:
    assert written["review"].tolist() == ["unreviewed"] * 3
    code, out, _ = run("review tallies.csv article.txt", "y\ncount=ten\ncount=10; qualifier=about\nq\n")
    assert code == 0
    assert "which is no number" in out and ">>12 attacks<<" in out
    assert out.endswith("tallies.csv: 1 confirmed, 1 corrected, 0 rejected, 1 unreviewed.\n")
    assert "2 of them reviewed before and kept" in run(f"read-text article.txt --date {DAY} -o tallies.csv")[1]
    after = read_review("tallies.csv")
    assert after[["count", "qualifier", "review"]].to_numpy().tolist() == [
        ["12", "exact", "confirmed"],
        ["10", "about", "corrected"],
        ["14", "exact", "unreviewed"],
    ]
    assert "1 of 3 counts to review" in run("review tallies.csv article.txt", "s\n")[1]


def test_review_says_when_the_article_is_another(run, written: pd.DataFrame) -> None:
    assert "no row of the table is of this article" in run("review tallies.csv tallies.csv")[2]
    Path("article.txt").write_text("x" * 40 + TEXT)
    assert "not the text that was read" in run("review tallies.csv article.txt", "s\ns\ns\n")[1]
    assert "is no answer" in run("review tallies.csv article.txt", "perhaps\nq\n")[1]


def test_other_commands_take_an_article_and_say_first_that_it_is_unreviewed(run, written: pd.DataFrame) -> None:
    options = f"--series {written.loc[0, 'series']} --freq M"
    code, _, err = run(f"series article.txt --date {DAY} {options} --counter ministry")
    assert code == 0
    assert err.startswith("warning: from 3 unreviewed counts")
    assert "2 dropped" in err
    run("review tallies.csv article.txt", "y\ny\ny\n")
    code, out, err = run(f"series tallies.csv {options} --counter ministry --format csv")
    assert (code, "unreviewed" in err) == (0, False)
    assert pd.read_csv(io.StringIO(out))["median"].tolist() == [12, 9, 14]


def test_an_article_is_known_by_its_lines_and_a_table_stays_a_table(folder: Path) -> None:
    assert escalation.open_source("article.txt", published=DAY).unreviewed == (0, 1, 2)
    Path("list.txt").write_text("date,place\n2024-01-02,Aru\n2024-01-05,Goma\n")
    assert escalation.open_source("list.txt").kind == "incidents"
    with pytest.raises(escalation.InputError, match="which goes with articles"):
        escalation.open_source("list.txt", published=DAY)
    with pytest.raises(escalation.InputError, match="is an article"):
        escalation.open_source("article.txt", columns={"date": "x"})
    Path("empty.txt").write_text("Nothing happened here today, and nothing will.")
    with pytest.raises(escalation.InputError, match="no count was found"):
        escalation.open_source("empty.txt", published=DAY)
    tallies, _ = read_articles(["article.txt"], published=DAY)
    with pytest.raises(escalation.InputError, match="can be used"):
        usable_tallies(tallies.assign(review="rejected"))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("read-text nothing.txt", "nothing.txt: cannot be read"),
        ("read-text article.txt -o article.txt --format csv", "is one of the articles"),
        ("read-text article.txt -o x.dat", "gives no format"),
        ("read-text article.txt --date 3.6.2024x", "published"),
        ("read-text article.txt --rules .", "none of the tables"),
        ("review nothing.csv article.txt", "no such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, command: str, said: str) -> None:
    code, _, err = run(command)
    assert code == 2
    assert said in err and len(err.splitlines()) == 1


def test_a_blank_review_is_that_of_a_row_written_by_hand_or_not_reviewed(written: pd.DataFrame) -> None:
    table = written.assign(review="")
    by_hand = {**table.iloc[0].to_dict(), "sentence": "", "count": "21"}
    pd.concat([table, pd.DataFrame([by_hand])]).to_csv("tallies.csv", index=False)
    assert read_review("tallies.csv")["review"].tolist() == [*["unreviewed"] * len(table), "confirmed"]
