"""The report: what its pages say, that nothing is clipped or overlaps, and that it is the same file each time."""

from __future__ import annotations

import dataclasses
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import escalation
from escalation import FileError, assess, count_series, open_source
from escalation.plots.style import headline, styled
from escalation.plots.text import text_width
from escalation.report import compose_report, write_report
from escalation.report.paper import BOTTOM, COLUMN, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Lines, Paper, TableColumn
from escalation.report.words import counter_text, error_text, range_text, title_of

LONG_UNIT = "attempted cross-border attacks with unmanned aircraft or rockets"
LONG_URL = "https://www.example.org/" + "a-very-long-address-without-an-end/" * 6 + "?q=1"
NOTE = "The page gives no window; it was worked out from the events that it tells of, with an error of some days. " * 9


def tallies(**changes):
    """Sixteen tallies of four months, a few of them left out, two at odds."""
    ends = pd.date_range("2024-01-07", periods=16, freq="7D")
    table = pd.DataFrame({"series": "raids_on_us_bases", "counter": "desk", "start": "2024-01-01", "end": ends})
    table["count"] = np.arange(16) * 4 + 5
    table["qualifier"] = ["exact", "about", "at_least", "nearly"] * 4
    table["flag"] = ["ok", "ok", "ok", "stale"] * 4
    table["source"] = [f"Paper {i} (official)" for i in range(16)]
    table["url"] = [f"https://www.paper{i}.example/{i}" if i % 5 else LONG_URL for i in range(16)]
    table["note"] = [NOTE if i % 4 == 3 else "" for i in range(16)]
    odd = table.iloc[[4]].assign(count=table["count"].iloc[4] + 2)
    return pd.concat([table, odd], ignore_index=True).assign(**changes)


def from_tallies(folder, **options):
    changes, asked = options.pop("changes", {}), options.pop("asked", {})
    path = folder / "tallies.csv"
    tallies(**changes).to_csv(path, index=False)
    source = open_source(path)
    series = count_series(source, draws=60, rng=1, **options)
    return assess(series, draws=150, models=["climatology"], model="climatology", rng=1, **asked), source


def from_incidents(folder, weeks=30, rate=2.0, **options):
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2022-01-03") + pd.to_timedelta(rng.integers(0, 7 * weeks, int(rate * weeks)), unit="D")
    path = folder / "incidents.csv"
    rows = pd.DataFrame({"date": sorted(days), "source": "wire"})
    pd.concat([rows, rows.iloc[[0]].assign(date="not a date")]).to_csv(path, index=False)
    source = open_source(path)
    series = count_series(source, rng=1, start="2022-01-03", **options)
    return assess(series, draws=150, models=["climatology"], model="climatology", rng=1), source


CASES = {
    "tallies": lambda folder: from_tallies(folder),
    "daily": lambda folder: from_tallies(folder, freq="D"),
    "monthly, over two months": lambda folder: from_tallies(folder, freq="M", asked={"over": 2, "at_least": 40}),
    "long unit": lambda folder: from_tallies(folder, changes={"unit": LONG_UNIT, "counter": "unstated"}),
    "other scripts": lambda folder: from_tallies(
        folder, changes={"unit": "атаки", "series": "нападения_日本_$a$", "source": "新聞 $5", "place": "Север/日本"}
    ),
    "tens of thousands": lambda folder: from_tallies(folder, changes={"count": np.arange(17) * 3000 + 1000}),
    "zeros": lambda folder: from_tallies(folder, changes={"count": 0, "qualifier": "exact"}),
    "incidents": from_incidents,
    "incidents of ten years": lambda folder: from_incidents(folder, weeks=522),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Assessments by name, each made once."""
    known = {}

    def make(name):
        if name not in known:
            known[name] = CASES[name](tmp_path_factory.mktemp("case"))
        return known[name]

    return make


def lines_of(page):
    return page.findobj(Lines)[0].lines


def words(pages):
    """All text of the pages, charts apart, on one line."""
    return " ".join(line.text for page in pages for line in lines_of(page))


def line_box(line):
    width = text_width(line.text, line.size, line.weight)
    return Bbox.from_bounds(line.x, HEIGHT - line.y - 0.2 * line.size, width, 0.95 * line.size)


def chart_boxes(page):
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    renderer = canvas.get_renderer()
    shown = [text for ax in page.axes for text in ax.findobj(Text) if text.get_text() and text.get_visible()]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in shown]


# What stands on the pages


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_clipped_and_nothing_overlaps(made, name):
    for number, page in enumerate(compose_report(*made(name), seed=1), start=1):
        set_lines = [(line.text, line_box(line)) for line in lines_of(page)]
        for text, box in set_lines:
            assert box.x0 >= LEFT - 0.1 and box.x1 <= RIGHT + 0.5, (number, text)
            assert box.y0 >= 20 and box.y1 <= HEIGHT - 20, (number, text)
        drawn = chart_boxes(page)
        for text, box in drawn:
            assert box.x0 >= LEFT - 1 and box.x1 <= RIGHT + 1.5, (number, text)  # the canvas rounds to points
            assert box.y0 >= HEIGHT - BOTTOM - 8 and box.y1 <= HEIGHT - TOP + 1, (number, text)
        shrunk = [(text, box.shrunk(0.96, 0.8)) for text, box in set_lines + drawn]  # line boxes hold more than ink
        crossing = [(a, b) for i, (a, left) in enumerate(shrunk) for b, right in shrunk[:i] if left.overlaps(right)]
        assert not crossing, number


@pytest.mark.parametrize("name", CASES)
def test_no_page_is_empty_and_none_ends_on_a_heading(made, name):
    pages = compose_report(*made(name), seed=1)
    for number, page in enumerate(pages, start=1):
        body = [line for line in lines_of(page) if TOP <= line.y <= BOTTOM]
        assert len(body) >= 3 or page.axes, number
        lowest = max((line.y, line.size, line.weight) for line in body)
        assert lowest[2] == "normal" or page.axes, number
        assert min(line.size for line in lines_of(page)) >= 8


def test_every_page_has_its_number_title_source_and_version(made):
    assessment, source = made("tallies")
    pages = compose_report(assessment, source, seed=1)
    assert len(pages) >= 7
    for number, page in enumerate(pages, start=1):
        text = [line.text for line in lines_of(page)]
        assert f"page {number} of {len(pages)}" in text and "Raids on US bases" in text
        assert f"Source: tallies.csv, SHA-256 {source.sha256[:16]}" in text
        assert f"escalation {escalation.__version__}" in text
        assert tuple(page.get_size_inches() * 72) == pytest.approx((WIDTH, HEIGHT))


def test_the_first_page_answers_in_sentences_with_ranges_and_warns(made):
    assessment, source = made("tallies")
    first = words(compose_report(assessment, source, seed=1)[:1])
    for sentence in assessment.sentences()[:4]:
        numbers = re.findall(r"\d+\.\d+|\d+ to \d+", re.sub(r"\d{4}-\d{2}-\d{2}", "", sentence))
        assert numbers and all(number in first for number in numbers)
    point = assessment.flashpoints[0]
    assert f"{point.at_least:,} or more" in first and error_text(point.mc_error) in first
    assert "Only " in first and "tallies end in the 4 weeks" in first
    assert "2024-" not in first.replace(source.sha256[:16], "")  # dates are written out


def test_contradictions_are_named(made):
    assessment, source = made("tallies")
    second = words(compose_report(assessment, source, seed=1)[1:2])
    assert "1 Jan to 4 Feb 2024" in second and "21 and 23" in second and "all are used" in second


def test_the_method_page_says_how_the_numbers_were_made(made):
    assessment, source = made("tallies")
    text = words(compose_report(assessment, source, seed=77))
    reconstruction = assessment.series.reconstruction
    assert source.sha256 in text and "Seed 77" in text
    assert f"largest R-hat {reconstruction.rhat:.3f}" in text
    assert f"effective sample size {reconstruction.ess:,.0f}" in text
    assert "150 joint paths of 8 weeks" in text
    assert (
        "no basis for decisions about the safety of a person" in text and "no evidence that the event caused it" in text
    )
    unseeded = words(compose_report(assessment, source))
    assert "Seed not given" in unseeded


def test_parameters_are_printed_with_their_standard_errors(tmp_path):
    assessment, source = from_incidents(tmp_path)
    fitted = assess(assessment.series, draws=50, models=["negative_binomial"], model="negative_binomial", rng=1)
    text = words(compose_report(fitted, source, seed=1))
    for name, row in fitted.fits["negative_binomial"].table().iterrows():
        assert f"negative binomial {name} {row['estimate']:,.3f} {row['std_error']:,.3f}" in text
    assert "Model negative binomial: one rate for the whole series" in text


def test_every_tally_is_listed_once_with_its_address(made):
    assessment, source = made("tallies")
    table = assessment.series.reconstruction.tallies
    pages = compose_report(assessment, source, seed=1)
    text = words(pages)
    used = text[text.index("Tallies used: ") : text.index("Tallies left out, and why: ")]
    out = text[text.index("Tallies left out, and why: ") : text.index("Addresses of the pages")]
    assert used.count("(official)") == int(table["used"].sum()) and used.startswith("Tallies used: 13")
    assert out.count("(official)") == int((~table["used"]).sum()) and out.count("Stale. The page gives no window") == 4
    assert out.count("…") == 4  # long notes end so
    for url in table["url"].unique():
        host = url.split("/")[2].removeprefix("www.")
        assert host in used + out
    joined = "".join(line.text for page in pages for line in lines_of(page) if line.url == LONG_URL)
    assert joined == LONG_URL
    linked = {line.url for page in pages for line in lines_of(page) if line.url}
    assert linked == set(table["url"])


def test_addresses_that_are_none_are_printed_but_not_linked(tmp_path):
    urls = ["http://[bad", "javascript:alert(1)", "", "ftp://x/y"] * 4 + ["https://пример.example"]
    assessment, source = from_tallies(tmp_path, changes={"url": urls})
    pages = compose_report(assessment, source, seed=1)
    assert "javascript:alert(1)" in words(pages) and "http://[bad" in words(pages)
    assert not [line for page in pages for line in lines_of(page) if line.url]


def test_lost_characters_are_owned_up_to(made):
    assert "stands for a character of the source" in words(compose_report(*made("other scripts"), seed=1))
    assert "stands for a character of the source" not in words(compose_report(*made("tallies"), seed=1))


def test_incidents_come_with_their_ledger_and_sources(made):
    assessment, source = made("incidents")
    pages = compose_report(assessment, source, seed=1)
    second = words(pages[1:2])
    assert len(source.ledger) == 1 and "dropped 1 62 date" in second
    assert f"60 incidents in the periods shown; the table holds {len(source.table)} incidents" in second
    assert "wire 60" in second
    assert "Tallies used" not in words(pages)


def test_a_file_is_named_without_its_folders(made):
    assessment, source = made("tallies")
    assert "/" in source.name
    assert str(source.name) not in words(compose_report(assessment, source, seed=1))


def test_the_report_never_calls_one_model_better(made):
    text = words(compose_report(*made("tallies"), seed=1))
    assert "better" not in text
    assert "climatology" in text


def test_past_forecasts_have_a_page_where_they_were_scored(made):
    assessment, source = made("tallies")
    assert "How good have such forecasts been?" not in words(compose_report(assessment, source, seed=1))
    record = open_source().name and count_series(open_source(), draws=20, rng=1).record
    with_record = dataclasses.replace(assessment, series=dataclasses.replace(assessment.series, record=record))
    pages = compose_report(with_record, source, seed=1)
    text = words(pages)
    assert "How good have such forecasts been?" in text
    assert "From 10 past dates" in text
    assert "No past forecasts were scored" not in text
    verdicts = set(record.compare("climatology", rng=0)["verdict"])
    assert ("better" in text.partition("How good have")[2].partition("CRPS is the distance")[0]) == (
        "better" in verdicts
    )
    page = next(page for page in pages if "How good have" in words([page]))
    for shown, box in chart_boxes(page):
        assert box.x0 >= 0 and box.x1 <= page.bbox.x1, shown


# The file


def test_the_same_input_gives_the_same_bytes_in_every_process(made, tmp_path):
    assessment, source = made("tallies")
    first = write_report(assessment, source, tmp_path / "first.pdf", seed=1)
    kept = tmp_path / "made.pkl"
    kept.write_bytes(pickle.dumps((assessment, source)))
    code = (
        "import pickle, sys, pathlib, escalation\n"
        "made = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "escalation.write_report(*made, sys.argv[2], seed=1)"
    )
    others = []
    for salt in ("1", "2"):
        other = tmp_path / f"other{salt}.pdf"
        environment = dict(os.environ, PYTHONHASHSEED=salt, TZ="Asia/Tokyo", SOURCE_DATE_EPOCH=salt)
        subprocess.run(
            [sys.executable, "-W", "error::UserWarning", "-c", code, kept, other], check=True, env=environment
        )
        others.append(other.read_bytes())
    assert write_report(assessment, source, tmp_path / "again.pdf", seed=1).read_bytes() == first.read_bytes()
    assert others == [first.read_bytes()] * 2


def test_the_pdf_is_vector_with_embedded_truetype_and_no_time_of_day(made, tmp_path):
    raw = write_report(*made("tallies"), tmp_path / "report.pdf", seed=1).read_bytes()
    assert raw.startswith(b"%PDF-1.4") and raw.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in raw and b"/Type3" not in raw
    assert b"/CreationDate" not in raw and b"/ModDate" not in raw
    assert not re.search(rb"/Subtype /Image", raw)
    assert b"/Title (Raids on US bases)" in raw


def test_another_seed_is_another_file(made, tmp_path):
    one = write_report(*made("incidents"), tmp_path / "one.pdf", seed=1).read_bytes()
    assert write_report(*made("incidents"), tmp_path / "two.pdf", seed=2).read_bytes() != one


def test_a_report_must_be_called_pdf(made, tmp_path):
    with pytest.raises(FileError, match=r"tallies\.csv: a report is a PDF; end its name in \.pdf"):
        write_report(*made("incidents"), tmp_path / "tallies.csv")


@pytest.mark.parametrize("name", ["missing/report.pdf", "folder.pdf"])
def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(made, tmp_path, name):
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(FileError):
        write_report(*made("incidents"), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pdf"]


def test_a_failure_half_way_keeps_the_report_that_was_there(made, tmp_path, monkeypatch):
    path = tmp_path / "report.pdf"
    path.write_bytes(b"the one before")
    saved = []

    def fail(self, page):
        saved.append(page)
        if len(saved) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(PdfPages, "savefig", fail)
    with pytest.raises(FileError, match="cannot be written"):
        write_report(*made("incidents"), path)
    assert path.read_bytes() == b"the one before" and [one.name for one in tmp_path.iterdir()] == ["report.pdf"]


# Setting pages


def test_a_row_higher_than_a_page_goes_on_over_the_next_ones():
    paper = Paper()
    long = " ".join(f"w{number}" for number in range(4000))
    paper.table([TableColumn("Name", 60.0), TableColumn("Text")], [["short", "x"], ["long", long], ["last", "y"]])
    pages = paper.finish("head", "left", "right")
    assert len(pages) >= 4
    inside = [[line for line in lines_of(page) if TOP <= line.y <= BOTTOM] for page in pages]
    assert all(page[0].text == "Name" for page in inside)
    found = " ".join(line.text for page in inside for line in page if line.x > LEFT + 60)
    assert found.replace("Text ", "").split() == ["x", *long.split(), "y"]


def test_columns_fill_the_page_and_numbers_stand_at_the_right():
    paper = Paper()
    paper.table([TableColumn("Name"), TableColumn("Number", 80.0, right=True)], [["a", "12,345"]])
    name, number = lines_of(paper.pages[0])[-2:]
    assert name.x == LEFT
    assert number.x + text_width("12,345", number.size) == pytest.approx(RIGHT)


def test_headings_stay_with_what_follows():
    paper = Paper()
    paper.y = BOTTOM - 40
    paper.heading("A heading", keep=60)
    assert len(paper.pages) == 2


def test_a_paragraph_runs_over_the_end_of_a_page():
    paper = Paper()
    paper.y = BOTTOM - 30
    paper.paragraph("word " * 400)
    assert len(paper.pages) == 2 and COLUMN > 400
    assert sum(len(line.text.split()) for page in paper.pages for line in lines_of(page)) == 400


@styled
def test_axes_end_up_inside_their_box():
    paper = Paper()
    ax = paper.axes(150.0)
    headline(ax, "A title that is quite long and so must be broken over two lines or more " * 2)
    ax.set_yticks([0, 1], ["0", "1,000,000,000"])
    ax.plot([0, 1], [0, 1], label="a line")
    (page,) = paper.finish("head", "left", "right")
    box = ax.get_tightbbox(page.canvas.get_renderer())
    assert box.x0 >= LEFT - 1 and box.x1 <= RIGHT + 1 and box.height <= 151


@pytest.mark.parametrize(
    ("given", "text"), [((3, 3), "3"), ((1000, 2000), "1,000 to 2,000"), ((pd.NA, 2), "-"), ((np.nan, np.nan), "-")]
)
def test_ranges_in_words(given, text):
    assert range_text(*given) == text


def test_names_in_words(made):
    assessment, _ = made("tallies")
    assert title_of(assessment) == "Raids on US bases"
    assert counter_text("unstated") == "someone who is not named" and counter_text("sohr") == "SOHR"
    assert error_text(0.0123) == "0.012" and error_text(0.00012) == "0.0001"
    other = dataclasses.replace(assessment, series=dataclasses.replace(assessment.series, title="us strikes"))
    assert title_of(other) == "US strikes"
