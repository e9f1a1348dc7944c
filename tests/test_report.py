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
from escalation import FileError, InputError, assess, count_series, open_source
from escalation.assessment.naming import counter_text, title_of
from escalation.assessment.source import SourceSeries
from escalation.plots.style import headline, styled
from escalation.plots.text import text_width
from escalation.report import write_report
from escalation.report.answers import set_answers
from escalation.report.lists import set_tallies
from escalation.report.paper import BOTTOM, COLUMN, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Lines, Paper, TableColumn
from escalation.report.words import error_text, plain_dates, range_text
from escalation.report.write import compose_full

LONG_UNIT = "attempted cross-border attacks with unmanned aircraft or rockets"
LONG_URL = "https://www.example.org/" + "a-very-long-address-without-an-end/" * 6 + "?q=1"
NOTE = "The page gives no window; it was worked out from the events that it reports, with an error of some days. " * 9


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
    series = count_series(open_source(path), draws=12, rng=1, **options)
    return assess(series, draws=150, models=["climatology"], model="climatology", rng=77, **asked)


def from_incidents(folder, weeks=30, rate=2.0):
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2022-01-03") + pd.to_timedelta(rng.integers(0, 7 * weeks, int(rate * weeks)), unit="D")
    path = folder / "incidents.csv"
    rows = pd.DataFrame({"date": sorted(days), "source": "wire"})
    pd.concat([rows, rows.iloc[[0]].assign(date="not a date")]).to_csv(path, index=False)
    series = count_series(open_source(path), rng=1, start="2022-01-03")
    return assess(series, draws=150, models=["negative_binomial"], model="climatology", rng=1)


def weekly(values, **more):
    index = pd.period_range("2024-01-01", periods=len(values), freq="W-SUN")
    counts = pd.Series(pd.array(values, dtype="Int64"), index=index)
    return SourceSeries(counts=counts, **({"title": "raids", "unit": "raids"} | more))


def quick(series, **options):
    return assess(series, **({"model": "climatology", "models": [], "draws": 100, "rng": 1} | options))


def with_sides(_):
    """Regimes, and two sides that were looked at with few series."""
    made = quick(weekly([2, 0, 1] * 8 + [7, 9, 8] * 3), regimes="hidden_markov")
    rng, counts = np.random.default_rng(2), np.zeros((80, 2))
    for week in range(1, 80):
        counts[week] = rng.poisson(2 + 0.5 * counts[week - 1, ::-1])
    periods = pd.period_range("2023-01-02", periods=80, freq="W-SUN")
    sides = pd.DataFrame(counts, columns=["north", "south"], index=periods)
    excited = escalation.excitation(sides, lags=1, widths=(1,), draws=39, replicates=5, rng=1)
    vars(made)["excitation"] = excited
    return made


CASES = {
    "tallies": lambda folder: from_tallies(folder),
    "daily": lambda folder: from_tallies(folder, freq="D"),
    "monthly, over two months": lambda folder: from_tallies(folder, freq="M", asked={"over": 2, "at_least": 40}),
    "long unit": lambda folder: from_tallies(folder, changes={"unit": LONG_UNIT, "counter": "unstated"}),
    "other scripts": lambda folder: from_tallies(
        folder, changes={"unit": "атаки", "series": "нападения_日本_$a$", "source": "新聞 $5", "place": "Север/日本"}
    ),
    "tens of thousands": lambda folder: from_tallies(folder, changes={"count": np.arange(17) * 700 + 10_000}),
    "zeros": lambda folder: from_tallies(folder, changes={"count": 0, "qualifier": "exact"}),
    "incidents": from_incidents,
    "incidents of ten years": lambda folder: from_incidents(folder, weeks=522),
    "sides and regimes": with_sides,
    "four weeks": lambda _: quick(weekly([1, 0, 2, 1])),
    "a definition": lambda _: quick(
        weekly([1, 0, 2, 1] * 8), at_least=escalation.forecasts.get_flashpoint("forecastbench-mean")
    ),
    "no forecast": lambda _: quick(weekly([1, 0, 2, 1, None, None]), model="local_level", recent=2, baseline=4),
}
KINDS = ("case", "raids", "months", "fatalities")
"""Assessments that other tests have too."""


BRIEF = 4
"""Pages of the brief, which come first."""


def compose_report(assessment):
    """The brief on a series and the further pages."""
    return compose_full(escalation.brief(assessment, others=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory, assessed):
    """Assessments by name, each made once."""
    known = {}

    def make(name):
        if name not in known:
            case = CASES.get(name)
            shared = {"raids": "incidents"}.get(name, name)
            known[name] = case(tmp_path_factory.mktemp("case")) if case else assessed(shared)
        return known[name]

    return make


@pytest.fixture(scope="module")
def laid_out(made):
    """Pages by name, each laid out once."""
    known = {}

    def lay_out(name):
        if name not in known:
            known[name] = compose_report(made(name))
        return known[name]

    return lay_out


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    """A report in its file."""
    return write_report(made("tallies"), tmp_path_factory.mktemp("written") / "report.pdf")


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
    beyond = {label for ax in page.axes for axis in (ax.xaxis, ax.yaxis) for label in beyond_the_ends(axis)}
    shown = [text for ax in page.axes for text in ax.findobj(Text) if text.get_text() and text.get_visible()]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in shown if text not in beyond]


def beyond_the_ends(axis):
    """Labels of ticks outside of what the axis shows, which matplotlib makes and does not draw."""
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    ticks = axis.get_major_ticks() + axis.get_minor_ticks()
    return [tick.label1 for tick in ticks if not low - room <= tick.get_loc() <= high + room]


# What stands on the pages


@pytest.mark.parametrize("name", [*CASES, *KINDS])
def test_nothing_is_clipped_and_nothing_overlaps(laid_out, name):
    for number, page in enumerate(laid_out(name), start=1):
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


@pytest.mark.parametrize("name", [*CASES, *KINDS])
def test_no_page_is_empty_and_none_ends_on_a_heading(laid_out, name):
    for number, page in enumerate(laid_out(name), start=1):
        body = [line for line in lines_of(page) if TOP <= line.y <= BOTTOM]
        assert len(body) >= 3 or page.axes, number
        lowest = max((line.y, line.size, line.weight) for line in body)
        assert lowest[2] == "normal" or page.axes, number
        assert min(line.size for line in lines_of(page)) >= 8


def test_every_page_has_its_number_title_source_and_version(made, laid_out):
    pages, source = laid_out("tallies"), made("tallies").source
    assert len(pages) >= BRIEF + 7
    for number, page in enumerate(pages, start=1):
        text = [line.text for line in lines_of(page)]
        assert f"page {number} of {len(pages)}" in text and "Raids on US bases" in text
        assert f"Source: tallies.csv, SHA-256 {source.sha256[:16]}" in text
        assert f"escalation {escalation.__version__}" in text
        assert tuple(page.get_size_inches() * 72) == pytest.approx((WIDTH, HEIGHT))


def test_the_first_further_page_answers_in_sentences_with_ranges_and_warns(made, laid_out):
    assessment, pages = made("tallies"), laid_out("tallies")
    first = words(pages[BRIEF : BRIEF + 1])
    for sentence in (*assessment.sentences("rate", "forecast"), assessment.sentences("flashpoints")[0]):
        numbers = re.findall(r"\d+\.\d+|\d+ to \d+", re.sub(r"\d{4}-\d{2}-\d{2}", "", sentence))
        assert numbers and all(number in first for number in numbers)
    point = assessment.flashpoints[0]
    assert f"{point.at_least:,} or more" in words(pages[2:3]) and f"{point.mc_error:.2g}" in words(pages[2:3])
    assert "Only " in first and "tallies end in the 4 weeks" in first
    assert all(plain_dates(caution) in first for caution in assessment.cautions)
    assert "2024-" not in first.replace(assessment.source.sha256, "")  # dates are written out


def test_the_bundled_case_answers_in_full_sentences_and_draws_its_counts(made, laid_out):
    assessment, pages = made("case"), laid_out("case")
    first = words(pages[BRIEF : BRIEF + 1])
    for question in ("How many?", "Is the rate rising?", "What comes next?", "How likely is a flashpoint?"):
        assert question in first
    for sentence in (*assessment.sentences("rate"), *assessment.sentences("forecast")):
        assert plain_dates(sentence) in first
    (fan,) = pages[0].axes
    (median,) = (patch for patch in fan.patches if patch.get_label() == "forecast, median")
    paths = np.sort(assessment.forecast.series_paths, axis=0)
    drawn, edges, _ = median.get_data()
    assert drawn.tolist() == paths[-(-len(paths) // 2) - 1].tolist()  # inverse of the ECDF
    assert len(edges) == assessment.forecast.steps + 1 and np.ptp(edges) == 7 * assessment.forecast.steps
    origin = next(line for line in fan.lines if line.get_gid() == "origin")
    assert set(origin.get_xdata()) == {edges[0]}
    text = words(pages)
    for heading in ("What was printed, and the counts that fit it", "How fast is it growing?", "When did the rate"):
        assert heading in text
    assert "How good have such forecasts been?" in text and "What do the attacks do?" in text


def test_contradictions_are_named(laid_out):
    second = words(laid_out("tallies")[BRIEF + 1 : BRIEF + 2])
    assert "1 Jan to 4 Feb 2024" in second and "21 and 23" in second and "all are used" in second


def test_the_method_page_says_how_the_numbers_were_made(made, laid_out):
    assessment, text = made("tallies"), words(laid_out("tallies"))
    reconstruction = assessment.reconstruction
    assert assessment.source.sha256 in text and "Seed 77" in text
    assert f"largest R-hat {reconstruction.rhat:.3f}" in text
    assert f"effective sample size {reconstruction.ess:,.0f}" in text
    assert "150 joint paths of 8 weeks" in text
    assert (
        "no basis for decisions about the safety of a person" in text and "no evidence that the event caused it" in text
    )


def test_a_seed_that_was_drawn_is_printed():
    drawn = quick(weekly([1, 0, 2, 1]), rng=None)
    assert f"Seed {drawn.seed}" in words(compose_report(drawn)) and drawn.seed > 2**32


def test_parameters_are_printed_with_their_standard_errors(made, laid_out):
    fits, text = made("incidents").fits, words(laid_out("incidents"))
    assert fits["negative_binomial"].table().shape[0] >= 2
    for name, row in fits["negative_binomial"].table().iterrows():
        assert f"negative binomial {name} {row['estimate']:,.3f} {row['std_error']:,.3f}" in text
    assert "Model negative binomial: one rate for the whole series" in text


def test_every_tally_is_listed_once_with_its_address(made, laid_out):
    table, pages = made("tallies").reconstruction.tallies, laid_out("tallies")
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


def test_addresses_that_are_none_are_printed_but_not_linked(made):
    urls = ["http://[bad", "javascript:alert(1)", "", "ftp://x/y"] * 4 + ["https://пример.example"]
    paper, reconstruction = Paper(), made("tallies").reconstruction
    set_tallies(paper, dataclasses.replace(reconstruction, tallies=reconstruction.tallies.assign(url=urls)))
    pages = paper.finish("head", "left", "right")
    assert "javascript:alert(1)" in words(pages) and "http://[bad" in words(pages)
    assert not [line for page in pages for line in lines_of(page) if line.url]


def test_lost_characters_are_owned_up_to(laid_out):
    assert "stands for a character of the source" in words(laid_out("other scripts"))
    assert "stands for a character of the source" not in words(laid_out("tallies"))


def test_incidents_come_with_their_ledger_and_sources(made, laid_out):
    source, pages = made("incidents").source, laid_out("incidents")
    second = words(pages[BRIEF + 1 : BRIEF + 2])
    assert len(source.ledger) == 1 and "dropped 1 62 date" in second
    # the last one lies in a week that nobody says was watched to its end
    assert f"59 incidents in the periods shown; the table holds {len(source.table)} incidents" in second
    assert "wire 60" in second
    assert "Tallies used" not in words(pages)


def test_a_file_is_named_without_its_folders(made, laid_out):
    source = made("tallies").source
    assert "/" in source.name
    assert str(source.name) not in words(laid_out("tallies"))


def test_bare_counts_have_a_report_of_their_own(made, laid_out):
    assessment, text = made("months"), words(laid_out("months"))
    assert assessment.source is None and assessment.series.title == ""
    assert text.startswith("Incidents Incidents, up to 31 Dec 2023.")
    assert "Incidents Unit: incidents. 36 months, 1 Jan 2021 to 31 Dec 2023." in text
    assert "Counts: as they were given, by period." in text and "the table holds" not in text
    assert f"Source: counts, SHA-256 {assessment.provenance()['sha256'][:16]}" in text
    assert assessment.provenance() == quick(assessment.series.counts).provenance()
    changed = assessment.series.counts.copy()
    changed.iloc[0] += 1
    assert quick(changed).provenance()["sha256"] != assessment.provenance()["sha256"]


def test_the_report_never_calls_one_model_better(laid_out):
    text = words(laid_out("tallies"))
    assert "better" not in text
    assert "climatology" in text


def test_past_forecasts_have_a_page_where_they_were_scored(made, laid_out):
    assessment = made("case")
    assert "How good have such forecasts been?" not in words(laid_out("tallies"))
    assert "No past forecasts were scored" in words(laid_out("tallies"))
    pages = laid_out("case")
    text = words(pages)
    assert "How good have such forecasts been?" in text
    assert "From 10 past dates" in text
    assert "No past forecasts were scored" not in text
    verdicts = set(assessment.record.compare("climatology", rng=0)["verdict"])
    assert ("better" in text.partition("How good have")[2].partition("CRPS is the distance")[0]) == (
        "better" in verdicts
    )
    page = next(page for page in pages if "How good have" in words([page]))
    for shown, box in chart_boxes(page):
        assert box.x0 >= 0 and box.x1 <= page.bbox.x1, shown


# The further pages


@pytest.mark.parametrize(
    ("values", "left_out"),
    [
        ([3, 4, 2, 5, 3, 4], {"changes": "6 observed weeks, and it needs 20", "alarms": "6 observed weeks"}),
        ([0] * 20 + [1, 0, 2, 1], {"growth": "4 raids in 13 weeks, and it needs 10", "changes": "4 raids"}),
    ],
)
def test_pages_that_the_counts_cannot_carry_are_left_out_and_why_is_said(values, left_out):
    made = quick(weekly(values))
    text = words(compose_report(made))
    for page, why in left_out.items():
        assert getattr(made, page).reason.startswith(why)
        assert re.search(rf"\b{page}\b[\w ,]* \({re.escape(getattr(made, page).reason)}\)", text)
    assert "When did the rate change?" not in text


def test_each_page_has_its_sentence_and_the_alternative():
    text = words(compose_report(quick(weekly([2, 0, 1] * 8 + [7, 9, 8] * 3))))
    for said in (
        "How fast is it growing?", "Could it be a single bulletin or day?", "When did the rate change?",
        "Could it be scatter alone?", "Which weeks stand out?", "Could they be false?", "Flashpoints as others define",
    ):  # fmt: skip
        assert said in text
    assert "Who answers whom?" not in text and "Which regime is it in?" not in text


def test_a_day_that_carries_the_rise_is_named_on_the_page_on_the_rate():
    days = pd.period_range("2024-01-01", periods=84, freq="D")
    daily = pd.Series([1, 0, 0, 0, 0, 0, 0] * 12, index=days)
    daily["2024-03-13"] = 9
    made = quick(weekly([2, 0, 1] * 8 + [7, 9, 8] * 3))
    vars(made)["carrier"] = escalation.analysis.carried_by_day(daily, recent=4, baseline=8, rng=1)
    assert made.carrier.carried_by is not None
    text = words(compose_report(made))
    assert made.rate.carried_by is None
    assert re.search("What carries it: the (rise|change in the counts) hangs on one day, 13 Mar 2024 with 9", text)
    assert "What carries it: no single week" not in text


def test_the_day_that_carries_the_change_is_a_caution_on_the_first_page():
    days = pd.period_range("2024-01-01", periods=24 * 7, freq="D")
    daily = pd.Series([1, 0, 0, 1, 0, 0, 0] * 24, index=days)
    daily.iloc[-10] = 60
    values = daily.groupby(days.asfreq("W-SUN")).sum().tolist()
    made = quick(weekly(values, daily=daily))
    pages = compose_report(made)
    assert made.carrier.kind == "day" and made.carrier.carried_by == 0
    assert "The rise hangs on one day" in words(pages[:1])
    assert "A day that is left out counts as not covered" in words(pages)
    assert f"{int(sum(values[-13:]))} in 13 weeks" in words(pages)  # a whole number of raids


def test_two_sides_and_regimes_have_their_pages_where_they_are_given(made, laid_out):
    assessment, text = made("sides and regimes"), words(laid_out("sides and regimes"))
    assert "Who answers whom?" in text and "Which regime is it in?" in text
    assert "is in the active regime" in text
    # the alternatives: the table's own numbers, and a local level's BIC by hand
    fit = escalation.LocalLevel().fit(assessment.series.counts)
    drifting = len(fit.params) * np.log(fit.nobs) - 2 * fit.llf
    assert assessment.regimes.drifting_bic == pytest.approx(drifting, abs=1e-6)
    one, two = assessment.regimes.numbers["bic"].loc[1], assessment.regimes.numbers["bic"].loc[2]
    assert f"One constant rate with scatter has a BIC {abs(one - two):.1f} " in text and "Could it be one rate?" in text
    assert f"One rate that drifts (a local level) has a BIC {abs(drifting - two):.1f} " in text
    left_out = text[text.index("Left out here: ") :]
    assert "regimes" not in left_out.partition(".")[0] and "excitation" not in left_out.partition(".")[0]


def test_a_definition_is_named_where_the_thresholds_are_explained(laid_out):
    text = words(laid_out("a definition"))
    assert re.search(r"Thresholds for action: \d+ is that of forecastbench-mean", text) and "half and twice" not in text
    chosen = words(laid_out("monthly, over two months"))
    assert "40 is the one asked about, and the others are half and twice of it" in chosen
    assert "is what the busiest tenth so far reached" in words(laid_out("incidents"))


# The file


def test_the_same_input_gives_the_same_bytes_in_every_process(made, written, tmp_path):
    assessment = made("tallies")
    first = written
    kept = tmp_path / "made.pkl"
    kept.write_bytes(pickle.dumps(assessment))
    code = (
        "import pickle, sys, pathlib, escalation\n"
        "made = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "escalation.write_report(made, sys.argv[2])"
    )
    others = []
    for salt in ("1", "2"):
        other = tmp_path / f"other{salt}.pdf"
        environment = dict(os.environ, PYTHONHASHSEED=salt, TZ="Asia/Tokyo", SOURCE_DATE_EPOCH=salt)
        subprocess.run(
            [sys.executable, "-W", "error::UserWarning", "-c", code, kept, other], check=True, env=environment
        )
        others.append(other.read_bytes())
    assert write_report(assessment, tmp_path / "again.pdf").read_bytes() == first.read_bytes()
    assert others == [first.read_bytes()] * 2


def test_the_pdf_is_vector_with_embedded_truetype_and_no_time_of_day(written):
    raw = written.read_bytes()
    assert raw.startswith(b"%PDF-1.4") and raw.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in raw and b"/Type3" not in raw
    assert b"/CreationDate" not in raw and b"/ModDate" not in raw
    assert not re.search(rb"/Subtype /Image", raw)
    assert b"/Title (Raids on US bases)" in raw


def test_another_seed_is_another_file(tmp_path):
    series = weekly([1, 0, 2, 1])
    one, two = (write_report(quick(series, rng=seed), tmp_path / f"{seed}.pdf").read_bytes() for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize("kind", ["series", "histories", "count series", "path", "source"])
def test_one_call_writes_the_report_of_whatever_can_be_assessed(kind, tmp_path, monkeypatch):
    weeks = pd.period_range("2024-01-01", periods=6, freq="W-SUN")
    counts = pd.Series([1, 0, 2, 1, 0, 2], index=weeks)
    file = tmp_path / "list.csv"
    days = [period.start_time + pd.Timedelta(days=day) for period, n in counts.items() for day in range(n)]
    file.write_text("date\n" + "".join(f"{day:%Y-%m-%d}\n" for day in days), encoding="utf-8")
    made = []

    def first_page_of(brief):
        made.append(brief.assessment)
        paper = Paper()
        set_answers(paper, brief.assessment)
        return paper.finish("head", "left", "right")

    monkeypatch.setattr("escalation.report.write.compose_brief", first_page_of)
    given = {
        "series": counts,
        "histories": pd.concat([counts, counts[::-1].set_axis(weeks)], axis=1).rename_axis(columns="draw"),
        "count series": escalation.CountSeries(counts, unit="raids"),
        "path": str(file),
        "source": open_source(file),
    }[kind]
    path = write_report(given, tmp_path / "report.pdf", rng=3)
    again = write_report(assess(given, models=(), rng=3), tmp_path / "again.pdf")
    assert path.read_bytes()[:5] == b"%PDF-" and path.read_bytes() == again.read_bytes()
    one, other = made
    assert (one.seed, one.options, one.provenance()) == (3, other.options, other.provenance())


def test_a_seed_beside_an_assessment_is_refused(made, tmp_path):
    with pytest.raises(InputError, match="rng is 1, but an assessment brings its seed; hand rng to assess"):
        write_report(made("four weeks"), tmp_path / "report.pdf", rng=1)
    with pytest.raises(InputError, match="the series has 2 weeks; an assessment needs at least 4"):
        write_report(weekly([1, 2]), tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_report_says_its_form(made, tmp_path):
    with pytest.raises(FileError, match=r"tallies\.csv: a report is a PDF, a page or JSON; end its name in \.pdf"):
        write_report(made("four weeks"), tmp_path / "tallies.csv")
    with pytest.raises(InputError, match=r"report\.html: a page holds the brief alone"):
        write_report(made("four weeks"), tmp_path / "report.html", full=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing/report.pdf", "folder.pdf"])
def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(made, tmp_path, name):
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(FileError):
        write_report(made("four weeks"), tmp_path / name)
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
        write_report(made("four weeks"), path)
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
    assessment = made("tallies")
    assert title_of(assessment.series) == "Raids on US bases"
    assert counter_text("unstated") == "someone who is not named" and counter_text("sohr") == "SOHR"
    assert error_text(0.0123) == "0.012" and error_text(0.00012) == "0.0001"
    other = dataclasses.replace(assessment, series=dataclasses.replace(assessment.series, title="us strikes"))
    assert title_of(other.series) == "US strikes"
    untitled = dataclasses.replace(assessment, series=dataclasses.replace(assessment.series, title=""))
    assert title_of(untitled.series) == "Incidents"


@pytest.mark.parametrize("name", ["months", "incidents", "fatalities", "sides and regimes", "a definition", "tallies"])
def test_pages_speak_in_the_words_of_the_field(name, laid_out, replaced):
    assert not replaced(words(laid_out(name)))
