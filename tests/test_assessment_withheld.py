"""Withheld: what stands in the place of an answer that the data cannot carry, wherever it is met."""

from __future__ import annotations

import copy
import dataclasses
import io
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.lib.pretty import pretty

import escalation
from escalation import CountSeries, InputError
from escalation.assessment.sides import join_sides
from escalation.assessment.withheld import Withheld, try_part
from escalation.cli import main
from escalation.errors import WithheldError
from escalation.report.write import compose_full

REASON = "6 raids in 13 weeks, and it needs 10"
GROWTH = Withheld("growth_now", REASON)


def series_of(values, freq="W-SUN", **more):
    index = pd.period_range("2024-01-01", periods=len(values), freq=freq)
    return CountSeries(pd.Series(pd.array(values, dtype="Int64"), index=index), unit="raids", **more)


def quick(series, **options):
    return escalation.assess(series, **({"model": "climatology", "models": [], "draws": 50, "rng": 1} | options))


def words(pages):
    lines = [one.text for page in pages for artist in page.artists for one in getattr(artist, "lines", [])]
    return " ".join(" ".join(lines).split())


# By itself


def test_it_is_false_and_says_why():
    assert not GROWTH
    assert GROWTH.sentence() == f"Not given: growth now ({REASON})."
    assert GROWTH.table().columns.tolist() == ["value", "lower", "upper", "unit"] and GROWTH.table().empty


@pytest.mark.parametrize(
    "use",
    [
        lambda one: one.growth,
        lambda one: one.paths.mean(),
        lambda one: one[0],
        lambda one: one["acled-25"],
        lambda one: list(one),
        lambda one: len(one),
        lambda one: one.items(),
    ],
)
def test_using_it_raises_an_error_with_the_reason(use):
    with pytest.raises(WithheldError, match=f"growth now is not given: {REASON}") as caught:
        use(GROWTH)
    assert isinstance(caught.value, InputError | AttributeError)


def test_what_asks_politely_is_told_that_there_is_nothing():
    assert not hasattr(GROWTH, "paths") and getattr(GROWTH, "paths", None) is None
    with pytest.raises(AttributeError):
        GROWTH.__wrapped__  # noqa: B018


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_is_copied_and_pickled(again):
    other = again(GROWTH)
    assert other == GROWTH and other.reason == REASON and not other
    blank = object.__new__(Withheld)  # as pickle makes it, before it has its fields
    with pytest.raises(AttributeError):
        blank.reason  # noqa: B018


def test_ipython_displays_it(recwarn):
    shown, _ = DisplayFormatter().format(GROWTH)
    assert shown["text/html"] == f"<p>Not given: growth now ({REASON}).</p>"
    assert REASON in shown["text/plain"] and REASON in pretty(GROWTH)
    escaped, _ = DisplayFormatter().format(Withheld("growth", "3 <b>raids</b>"))
    assert "&lt;b&gt;raids" in escaped["text/html"]
    assert not recwarn.list


def test_only_errors_about_the_data_are_reasons():
    def fails(error: Exception):
        def work() -> None:
            raise error

        return work

    for error in (escalation.FitError("too few"), InputError("too short")):
        assert try_part("growth", fails(error)) == Withheld("growth", str(error))
    with pytest.raises(ZeroDivisionError):
        try_part("growth", fails(ZeroDivisionError()))
    assert try_part("growth", lambda: 3) == 3


# The gates


@pytest.mark.parametrize(
    ("values", "part", "reason"),
    [
        ([4, 3, 2, None], "growth", "3 observed weeks, and it needs 4"),
        ([3, 3, 2, 1], "growth", "9 raids in 4 weeks, and it needs 10"),
        ([3, 3, 2, 2], "growth", None),
        ([0] * 20 + [9] + [0] * 12 + [1], "growth", "1 raids in 13 weeks, and it needs 10"),
        ([1] * 19, "changes", "19 observed weeks, and it needs 20"),
        ([1] * 19 + [None], "changes", "19 observed weeks, and it needs 20"),
        ([0] * 11 + [1] * 9, "changes", "9 raids in 20 weeks, and it needs 10"),
        ([0] * 10 + [1] * 10, "changes", None),
        ([0] * 10 + [1] * 10, "poisson_changes", None),
        ([1] * 14, "alarms", "14 observed weeks, and it needs 15"),
        ([1] * 14, "false_alarms", "14 observed weeks, and it needs 15"),
        ([0] * 6 + [1] * 9, "alarms", "9 raids in 15 weeks, and it needs 10"),
        ([0] * 5 + [1] * 10, "alarms", None),
        ([0] * 5 + [1] * 10, "false_alarms", None),
        ([3, 3, 2, 2], "growth_now", None),
        ([9, 9, None, None], "rate", "none of the 2 recent weeks, 2024-01-15 to 2024-01-28, was observed"),
        ([9, None, None, 9], "rate", "2 observed periods are too few for changing_rate; it needs 3"),
        ([2, 2, 2, 2, 1], "growth_now", "9 raids in 5 weeks, and it needs 10"),
        ([2, 2, 2, 2, 2], "growth_now", None),
        ([2, 2, 2, 2, 2], "regimes", "not asked for"),
        ([2, 2, 2, 2, 2], "excitation", "it needs two sides"),
        ([2, 2, 2, 2, 2], "carrier", "it needs tallies, or incidents by day"),
        ([2, 2, 2, 2, 2], "record", "no past forecasts of this series were scored"),
    ],
)
def test_gates_stand_where_they_are_said_to_stand(values, part, reason):
    found = getattr(quick(series_of(values)), part)
    if reason is None:
        assert not isinstance(found, Withheld)
    else:
        assert found == Withheld(part, reason)


def test_incidents_of_histories_are_their_mean():
    weeks = pd.period_range("2024-01-01", periods=4, freq="W-SUN")
    tables = {
        mean: pd.DataFrame([[3, 2], [3, 2], [2, 2], [2, last]], index=weeks, columns=pd.RangeIndex(2, name="draw"))
        for mean, last in ((9.5, 3), (10, 4))
    }
    assert quick(CountSeries(tables[9.5], unit="raids")).growth.reason == "9.5 raids in 4 weeks, and it needs 10"
    assert quick(CountSeries(tables[10], unit="raids")).growth


def test_a_method_that_needs_years_withholds_the_alarms_and_says_so():
    made = quick(series_of([1] * 40), alarm="noufaily")
    assert made.alarms.reason.startswith("farrington judges a period by") and not made.false_alarms
    assert made.false_alarms.reason == made.alarms.reason
    assert "Which weeks stand out?" not in words(compose_full(escalation.brief(made, others=False)))


def test_sides_that_show_too_little_withhold_excitation():
    both = {"north": series_of([1, 0] * 12), "south": series_of([0, 1] * 12)}
    made = quick(series_of([1] * 24), sides=both)
    assert "needs 30" in made.excitation.reason
    assert f"excitation ({made.excitation.reason})" in words(compose_full(escalation.brief(made, others=False)))
    assert made.sides.counts.shape == (24, 2) and quick(series_of([1] * 24), sides=join_sides(both)).sides is not None


def test_regimes_that_cannot_be_fitted_are_withheld():
    made = quick(series_of([1, 2, 0, 1]), regimes="hidden_markov")
    assert "too few for hidden_markov" in made.regimes.reason


# Wherever it is met


@pytest.fixture(scope="module")
def thin() -> escalation.Assessment:
    """Five weeks with nine raids, the last two not watched, and a model that cannot be fitted."""
    return escalation.assess(
        series_of([4, 5, 0, None, None]), recent=2, baseline=3, model="local_level", models=[], rng=1
    )


PARTS = {
    "rate": ("rate", "rate_now"),
    "growth": ("growth", "growth"),
    "growth_now": ("trend", "growth_now"),
    "carrier": ("trend", "probability_higher_without_1"),
    "forecast": ("forecast", "total_ahead"),
    "flashpoints": ("flashpoints", "flashpoint"),
    "presets": ("presets", "preset"),
    "severity": ("severity", "lethal_share"),
    "changes": ("changes", "changes"),
    "alarms": ("alarms", "alarms"),
    "false_alarms": ("alarms", "false_alarms"),
    "regimes": ("regimes", "probability_regime"),
    "excitation": ("excitation", "excitation"),
}


@pytest.mark.parametrize("part", PARTS)
def test_its_reason_is_in_the_table_the_sentences_and_the_method_page(thin, part):
    found, (asked, key) = getattr(thin, part), PARTS[part]
    assert isinstance(found, Withheld) and not found and found.part == part and len(found.reason) > 5
    row = thin.answers(asked).loc[key]
    assert row["text"] == f"not given: {found.reason}" and np.isnan(row["value"])
    assert np.isnan(row["lower"]) and np.isnan(row["upper"]) and row["unit"]
    if part != "false_alarms":
        assert any(found.reason in sentence for sentence in thin.sentences(asked))
    with pytest.raises(WithheldError, match=re.escape(found.reason)):
        found.value  # noqa: B018


@pytest.fixture(scope="module")
def thin_report(thin) -> str:
    return words(compose_full(escalation.brief(thin, others=False)))


@pytest.mark.parametrize("part", [part for part in PARTS if part != "growth_now"])
def test_its_reason_is_on_the_method_page(thin, thin_report, part):
    method = thin_report[thin_report.index("How the numbers were made") :]
    named, reason = part.replace("_", " "), getattr(thin, part).reason
    left_out = method[method.index("Left out here: ") :]
    assert re.search(rf"\b{named}\b[\w ,]* \({re.escape(reason)}\)", left_out)


def test_pages_without_what_is_withheld_are_whole_and_say_why(thin, thin_report):
    assert f"Not given: rate ({thin.rate.reason})." in thin_report
    assert f"Not given: forecast ({thin.forecast.reason})." in thin_report
    assert f"Not given: flashpoints ({thin.flashpoints.reason})." in thin_report
    for heading in ("How fast is it growing?", "When did the rate change?", "Which weeks stand out?", "Who answers"):
        assert heading not in thin_report


def test_alarms_have_their_page_where_false_alarms_are_withheld():
    made = quick(series_of([1, 2] * 12))
    why = Withheld("false_alarms", "the model could not be fitted")
    vars(made)["false_alarms"] = why
    text = words(compose_full(escalation.brief(made, others=False)))
    assert "Which weeks stand out?" in text and f"{why.sentence()} An alarm says" in text
    assert "Left out here: carrier" in text and "false alarms (the model could not be fitted)" in text
    assert made.answers("alarms").loc["false_alarms", "text"] == "not given: the model could not be fitted"
    assert made.answers("alarms").loc["alarms", "value"] == len(made.alarms.periods)


def test_the_screen_says_once_what_is_not_given_and_why(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    days = [pd.Timestamp("2024-01-01") + pd.Timedelta(days=5 * number) for number in range(9)]
    (tmp_path / "list.csv").write_text("date\n" + "".join(f"{day:%Y-%m-%d}\n" for day in days), encoding="utf-8")
    assert main(["trend", str(tmp_path / "list.csv")]) == 0
    out, _ = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    said = " ".join(out.split())
    reason = "9 incidents in 6 weeks, and it needs 10"
    named = "growth over 6 weeks, doubling time (negative: halving), probability that it was rising"
    now = "growth now, probability of rising now"
    assert f"Not given: {named}, {now} ({reason})." in said
    assert said.count("growth over 6 weeks not given") == 1
    assert main(["changes", str(tmp_path / "list.csv")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1] == "error: no changes can be given: 6 observed weeks, and it needs 20"


def test_parts_that_were_asked_for_and_are_not_given_are_warned_of(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2024-0{month}-{day:02},{'AB'[day % 2]}\n" for month in (1, 2) for day in range(1, 29, 3))
    (tmp_path / "list.csv").write_text("date,actor\n" + rows, encoding="utf-8")
    command = ["report", "list.csv", "--by", "actor", "--side", "A", "--side", "B", "-o", "list.json"]
    assert main([*command, "--end", "2024-02-25"]) == 0
    _, err = capsys.readouterr()
    assert "warning: excitation is left out: " in err and "needs 30" in err
    assert all(line.startswith("warning: ") for line in err.splitlines())


def test_a_record_with_withheld_parts_can_be_kept(thin):
    kept = pickle.load(io.BytesIO(pickle.dumps(thin)))
    assert kept.forecast == thin.forecast and copy.deepcopy(thin).rate == thin.rate
    assert dataclasses.replace(thin, seed=2).forecast == thin.forecast
    shown, _ = DisplayFormatter().format(thin)
    assert "not given: " in shown["text/html"]
