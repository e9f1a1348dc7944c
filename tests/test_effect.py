"""Did it work: what came after an action against what its past would have led to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import escalation
from escalation.analysis import effect
from escalation.analysis.actions.counterfactual import Scores, recalibrate
from escalation.analysis.actions.placebos import placebo_dates, worth
from escalation.analysis.actions.verdict import SURE, explaining_shock, find_power, judge, under_shocks
from escalation.analysis.actions.window import action_window
from escalation.cli.running import main
from escalation.counts.schema import DRAW
from escalation.errors import InputError
from escalation.models.contract.design import check_series

WEEKS = pd.period_range("2022-01-03", periods=70, freq="W-SUN")
STEADY = pd.Series(np.random.default_rng(3).poisson(9, 70), index=WEEKS)
AT = "2023-01-02"
"""The first day of week 53 of them."""
PLACE = 52
ONE_HISTORY = np.zeros(40_000, dtype=np.int64)
NONE = Scores(np.array([]), None, 0.0)


def after(share: float) -> pd.Series:
    """The steady counts, of which an action leaves this share."""
    counts = STEADY.copy()
    counts.iloc[PLACE:] = np.floor(share * counts.iloc[PLACE:]).astype(int)
    return counts


# Windows


@pytest.mark.parametrize(
    ("day", "past", "first"),
    [(AT, 52, 52), ("2023-01-01", 51, 52), ("2022-12-28", 51, 52), ("2022-12-26", 51, 51)],
)
def test_the_period_of_an_action_is_in_neither_unless_the_action_begins_it(day: str, past: int, first: int) -> None:
    _, window = action_window(check_series("effect", STEADY, None, None), day, 8)
    assert (window.past, window.first, window.stop) == (past, first, first + 8)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"at": "2022-02-07"}, "5 weeks were observed before it"),
        ({"at": "2020-02-07"}, "0 weeks were observed before it"),
        ({"at": "2023-05-04"}, "the counts end on 2023-05-07"),
        ({"at": "soon"}, "write the date as YYYY-MM-DD"),
        ({"within": 19}, "give 18 or fewer"),
        ({"within": 0}, "within is 0"),
        ({"placebos": -1}, "placebos is -1"),
        ({"model": "poisson"}, "model is 'poisson'"),
        ({"level": 1.0}, "level is 1.0"),
        ({"comparison": STEADY.rename_axis("w").set_axis(pd.period_range("2022-01", periods=70, freq="M"))}, "by M"),
        ({"comparison": STEADY.iloc[60:]}, "observed in 0 of the periods before"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        effect(STEADY, **{"at": AT} | options)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_a_window_that_nobody_observed_is_refused() -> None:
    counts = STEADY.astype("Int64")
    counts.iloc[PLACE:] = pd.NA
    with pytest.raises(InputError, match="none of the 8 weeks after 2023-01-02 was observed"):
        effect(counts, AT)


# What would have come


def test_nothing_after_the_action_reaches_what_is_expected() -> None:
    wild = STEADY.copy()
    wild.iloc[PLACE:] = 400
    found = [effect(counts, AT, placebos=3, rng=5) for counts in (STEADY, wild)]
    assert np.array_equal(found[0].expected_draws, found[1].expected_draws)
    assert found[0].placebos.equals(found[1].placebos)
    assert found[1].verdict == "more than expected"


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second, other = (effect(STEADY, AT, placebos=2, rng=seed).table() for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_periods_that_were_not_observed_are_in_no_total() -> None:
    counts = STEADY.astype("Int64")
    counts.iloc[PLACE + 2] = pd.NA
    found, whole = (effect(one, AT, placebos=0, rng=1) for one in (counts, STEADY))
    assert found.observed == 7
    assert found.counted[0] == STEADY.iloc[PLACE : PLACE + 8].sum() - STEADY.iloc[PLACE + 2]
    assert found.expected[0] == pytest.approx(7 / 8 * whole.expected[0], rel=0.05)
    assert "7 of them observed" in found.window()


def test_a_part_period_is_compared_with_its_part() -> None:
    shares = pd.Series(1.0, index=WEEKS)
    shares.iloc[PLACE : PLACE + 8] = 0.5
    half, whole = (
        effect(escalation.CountSeries(STEADY, exposure=one), AT, placebos=0, rng=1)
        for one in (shares, pd.Series(1.0, index=WEEKS))
    )
    assert half.expected[0] == pytest.approx(whole.expected[0] / 2, rel=0.05)


def test_histories_are_compared_with_themselves() -> None:
    # half of the histories are five times as high, before and after: nothing was averted in any of them
    table = pd.DataFrame({draw: STEADY * (5 if draw % 2 else 1) for draw in range(10)}).rename_axis(columns=DRAW)
    found = effect(table, AT, placebos=0, rng=1)
    low, high = STEADY.iloc[PLACE : PLACE + 8].sum(), 5 * STEADY.iloc[PLACE : PLACE + 8].sum()
    assert found.counted[1:] == (low, high)
    assert found.averted[2] - found.averted[1] < 0.8 * (high - low)
    assert found.verdict in ("as expected", "cannot be determined")


# Recalibration, against closed forms


def test_without_placebos_totals_stay_as_the_model_has_them() -> None:
    rng = np.random.default_rng(1)
    totals = np.rint(rng.normal(1000, 100, 40_000))
    moved = recalibrate(totals, ONE_HISTORY[: len(totals)], NONE, None, rng)
    # scores are scale (z + z' / sqrt(10)), scale^2 = 0.81 * 20 / chi2(20): their variance is 0.81 * 20/18 * 11/10
    assert moved.mean() == pytest.approx(1000, abs=5 * 111 / 200)
    assert moved.std() == pytest.approx(100 * np.sqrt(0.81 * 20 / 18 * 1.1), rel=0.02)


def test_bias_and_scale_follow_their_posterior() -> None:
    scores = np.array([-1.2, -0.4, -0.9, 0.3, -1.5, -0.7, -0.1, -1.1])
    bias, scale = Scores(scores, None, 8.0).draw_bias_and_scale(40_000, np.random.default_rng(1))
    kappa, nu = 18.0, 28.0
    rate = (20 * 0.81 + ((scores - scores.mean()) ** 2).sum() + 10 * 8 / kappa * scores.mean() ** 2) / 2
    assert stats.kstest(scale**2, stats.invgamma(nu / 2, scale=rate).cdf).pvalue > 0.001
    student = stats.t(nu, loc=8 * scores.mean() / kappa, scale=np.sqrt(2 * rate / nu / kappa))
    assert stats.kstest(bias, student.cdf).pvalue > 0.001


def test_correlations_are_half_what_placebo_dates_say_and_half_unknown() -> None:
    rng = np.random.default_rng(2)
    other = rng.standard_normal(4000)
    own = 0.8 * other + 0.6 * rng.standard_normal(4000)
    drawn = Scores(own, other, 4000.0).draw_correlation(40_000, rng)
    near = np.abs(drawn - 0.8) < 0.035  # known within 0.006
    assert near.mean() == pytest.approx(0.5 + 0.5 * 0.07 / 0.98, abs=0.02)
    assert stats.kstest(drawn[~near] / 0.98, stats.uniform.cdf).statistic < 0.08


def test_a_comparison_shifts_as_a_bivariate_normal_does_and_widens_where_its_worth_is_unknown() -> None:
    totals = np.rint(np.random.default_rng(3).normal(1000, 100, 20_000))
    alone = recalibrate(totals, ONE_HISTORY[: len(totals)], NONE, None, np.random.default_rng(1))
    beside = recalibrate(totals, ONE_HISTORY[: len(totals)], NONE, -2.0, np.random.default_rng(1))
    assert beside.std() > alone.std()
    assert beside.mean() == pytest.approx(1000 - 100 * 2 * 0.49, abs=5)  # the mean of a uniform on 0 to 0.98


# Placebo dates


def test_placebo_dates_look_alike_and_end_before_the_action() -> None:
    counts = STEADY.copy()
    counts.iloc[[15, 16, 17, 18, 30, 31, 32, 33, 48, 49, 50, 51]] += 40
    checked = check_series("effect", counts, None, None)
    _, window = action_window(checked, AT, 8)
    places, rates = placebo_dates(checked, window, 6)
    assert all(window.moved(int(place)).stop <= window.past for place in places)
    assert {19, 34} <= set(places.tolist())  # the two dates that follow four such weeks
    usual = np.nanmedian(rates)
    assert (rates[places] > usual).all()


def test_overlapping_windows_are_worth_as_much_as_their_mean_says() -> None:
    assert worth(np.array([0, 8, 16]), 8) == pytest.approx(3.0)
    assert worth(np.array([5]), 8) == 1.0
    assert worth(np.array([], dtype=np.int64), 8) == 0.0
    places = np.array([0, 1, 3, 4, 9, 15])
    noise = np.random.default_rng(1).standard_normal((40_000, 30))
    means = np.mean([noise[:, place : place + 8].sum(axis=1) for place in places], axis=0)
    assert worth(places, 8) == pytest.approx(8 / means.var(), rel=0.05)


def test_too_short_a_past_has_no_placebos() -> None:
    found = effect(STEADY, "2022-04-04", placebos=5, rng=1)
    assert found.placebos.empty
    assert found.independent == 0
    assert "the past is too short" in " ".join(found.sentences())


# Verdicts


def test_power_is_that_of_thinned_totals() -> None:
    expected = np.full(4000, 40.0)
    power = find_power(expected, np.random.default_rng(1))
    # all totals are 40, so that 39 or fewer are fewer, and 41 or more are more
    assert power[0.75] == pytest.approx(1 - 0.75**40, abs=0.001)
    assert power[1.5] == pytest.approx(1 - np.exp(-20), abs=0.001)
    wide = np.random.default_rng(1).poisson(10, 20_000).astype(float)
    lower = stats.poisson.ppf(1 - SURE, 10)
    assert find_power(wide, np.random.default_rng(2))[0.5] == pytest.approx(stats.poisson.cdf(lower - 1, 5), abs=0.02)


@pytest.mark.parametrize(
    ("averted", "power", "says"),
    [
        ([5.0] * 98 + [0.0] * 2, 0.0, "fewer than expected"),
        ([5.0] * 97 + [0.0] * 3, 0.9, "as expected"),
        ([5.0] * 97 + [0.0] * 3, 0.7, "cannot be determined"),
        ([-5.0] * 98 + [0.0] * 2, 0.9, "more than expected"),
        ([0.0] * 100, 0.9, "as expected"),
    ],
)
def test_the_four_verdicts(averted: list[float], power: float, says: str) -> None:
    assert judge(np.array(averted), pd.Series({0.5: power, 2.0: 0.95})) == says


def test_a_shock_explains_what_it_would_bring_about() -> None:
    expected, counted = np.full(1000, 100.0), np.full(1000, 40.0)
    assert explaining_shock(expected, counted, "fewer than expected") == pytest.approx(0.4, abs=0.005)
    assert explaining_shock(expected, np.full(1000, 200.0), "more than expected") == pytest.approx(2.0, rel=0.03)
    assert np.isnan(explaining_shock(expected, counted, "as expected"))
    table = under_shocks(expected, counted, 0.9, np.array([0.4, 0.6, 1.2, 2.0]))
    assert table.loc[0.5, ["averted", "probability_fewer", "placebos"]].tolist() == [10.0, 1.0, 0.25]
    assert table.loc[0.25, "averted"] == -15.0
    assert table.loc[2.0, "placebos"] == 0.25
    assert table["averted"].is_monotonic_increasing


def test_a_fall_to_a_quarter_is_found_and_none_is_not() -> None:
    fell, same = (effect(after(share), AT, rng=1) for share in (0.25, 1.0))
    assert fell.verdict == "fewer than expected"
    assert same.verdict in ("as expected", "cannot be determined")
    assert fell.averted[1] > 0 > same.averted[1]
    assert fell.shock < 0.7
    assert len(fell.placebos) == 12
    said = " ".join(fell.sentences())
    assert "fewer incidents than expected" in said
    assert "It shows a difference, not its cause" in said
    table = fell.table()
    assert table.loc["averted", "value"] == fell.averted[0]
    assert table.loc["averted", "value"] == pytest.approx(
        table.loc["expected", "value"] - table.loc["counted", "value"]
    )
    assert fell.probability_fewer + fell.probability_more <= 1


def test_a_fall_that_a_comparison_shares_is_not_the_action_s() -> None:
    rng = np.random.default_rng(4)
    level = np.exp(0.6 * np.sin(np.arange(70) / 5) + np.where(np.arange(70) >= PLACE, -1.2, 0))
    own, other = (pd.Series(rng.poisson(12 * level), index=WEEKS) for _ in range(2))
    alone, beside = effect(own, AT, rng=3), effect(own, AT, comparison=other, rng=3)
    assert beside.comparison is not None
    assert beside.comparison.score < -1
    assert beside.expected[0] < alone.expected[0]
    assert beside.probability_fewer < alone.probability_fewer
    assert beside.verdict != "fewer than expected"


def test_days_that_nobody_speaks_of_decide_nothing() -> None:
    spoken = pd.Series(1.0, index=WEEKS)
    spoken.iloc[PLACE:] = 0.2
    series = escalation.CountSeries(after(0.0), observed_share=spoken, silence="unknown")
    found = effect(series, AT, placebos=0, rng=1)
    assert found.verdict == "cannot be determined"
    assert "20% of the days after the action are spoken of" in found.sentence()


# Where the truth is known


def test_the_benchmark_s_shortcut_is_what_effect_says(benchmark: Callable[[str], ModuleType]) -> None:
    bench = benchmark("effect")
    task = bench.Task("regression", 1, False, 1, 2)
    one = bench.trial(task)
    rows = {row["left"]: row for row in bench.judged(task)}
    index = pd.period_range("2019-12-30", periods=len(one.counts), freq="W-SUN")
    counts = pd.Series(one.counts, index=index)
    kept = one.left[0.25]
    counts.iloc[one.place :] = [kept, *[0] * (bench.WITHIN - 1)]
    found = effect(counts, index[one.place].start_time, within=bench.WITHIN, placebos=2, rng=task.number)
    assert found.verdict == rows[0.25]["verdict"]
    assert found.averted[0] == rows[0.25]["averted"]
    assert rows[1.0]["true"] == 0
    assert one.counts[one.place - bench.RECENT : one.place].sum() > one.counts.mean() * bench.RECENT


def test_boston_s_operation_ceasefire(shared_data: Callable[[str], Path]) -> None:
    # Braga et al. 2001, doi:10.1177/0022427801038003001: youth homicides fell by 63% a month
    counts = pd.read_csv(shared_data("data/series/boston.csv"))["homicides"]
    months = pd.Series(counts.to_numpy(), index=pd.period_range("1992-01", periods=len(counts), freq="M"))
    found = effect(months, "1996-06-01", within=24, placebos=6, rng=1)
    assert found.verdict == "fewer than expected"
    assert 0.25 < found.counted[0] / found.expected[0] < 0.5


# The case, the chart and the command


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case whose raids nearly end after its action."""
    folder = tmp_path / "harbour"
    folder.mkdir()
    days = [week.start_time.date() for week, number in zip(WEEKS, after(0.2), strict=True) for _ in range(number)]
    rows = [f"{number},{day},Nordtal" for number, day in enumerate(days)]
    (folder / "incidents.csv").write_text("\n".join(["incident_id,date,place", *rows]), encoding="utf-8")
    (folder / "case.toml").write_text(
        f'title = "Raids"\n[action]\ndate = {AT}\ntitle = "The navy moved in"\n', encoding="utf-8"
    )
    return folder


def test_a_case_names_its_action(case: Path) -> None:
    assessment = escalation.assess(str(case), models=(), rng=1)
    found = assessment.effect
    assert found
    assert found.verdict == "fewer than expected"
    answers = assessment.answers("effect")
    alone = effect(assessment.series, AT, rng=1)
    assert answers.loc["averted", ["value", "lower", "upper"]].tolist() == list(alone.averted)
    assert answers.loc["probability_fewer", "value"] == alone.probability_fewer
    brief = escalation.brief(assessment)
    page = next(page for page in brief.pages() if page.key == "flashpoints")
    said = " ".join(getattr(block, "text", "") for block in page.blocks)
    assert "What the last big action was followed by" in said
    assert f"The navy moved in. {found.sentences()[0]}" in said
    assert {one["key"] for one in json.loads(brief.to_json())["answers"]} >= {"averted", "probability_fewer"}


def test_without_an_action_nothing_is_said() -> None:
    assessment = escalation.assess(STEADY, models=(), rng=1)
    assert not assessment.effect
    assert assessment.answers("effect")["value"].isna().all()
    assert "effect" not in escalation.brief(assessment).parts()


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ('[action]\ntitle = "x"', "write a table with the key date"),
        ('[action]\ndate = "soon"', "no such day"),
        ('[action]\ndate = "2024-01-01"\nwhen = "x"', "has the key 'when'"),
        ('action = "2024-01-01"', "write a table with the key date"),
    ],
)
def test_an_action_that_cannot_be_read_is_refused(case: Path, action: str, says: str) -> None:
    (case / "case.toml").write_text(f"{action}\n", encoding="utf-8")
    with pytest.raises(InputError, match=says):
        escalation.open_case(case)


def test_the_chart_draws_both_sides_of_the_action() -> None:
    found = effect(after(0.25), AT, placebos=0, rng=1)
    (ax,) = escalation.plots.effect(found, past=20).axes
    dots = next(line for line in ax.lines if line.get_label() == "counted after the action")
    assert dots.get_ydata().tolist() == found.counts.iloc[PLACE:].tolist()
    assert "Fewer than expected" in ax.get_title(loc="left")
    assert any(line.get_gid() == "action" for line in ax.lines)


def test_the_command_says_what_the_function_says(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["effect", str(case), "--format", "json", "--placebos", "4"]) == 0
    rows = {row["measure"]: row for row in json.loads(capsys.readouterr().out)}
    series = escalation.count_series(escalation.open_source(str(case)), rng=1)
    found = effect(series, AT, placebos=4, rng=1)
    assert rows["averted"]["value"] == found.averted[0]
    assert rows["averted"]["verdict"] == found.verdict
    assert main(["effect", str(case), "--at", AT, "--placebos", "4"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The navy moved in, 2023-01-02: fewer than expected" in said
    assert "Past dates with similar counts before them" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--at", "soon"], "--at is 'soon'"),
        (["--within", "900"], "within is 900"),
        (["--placebos", "5000"], "--placebos is 5000"),
        (["--comparison", "Westtal"], "no incident has place 'Westtal'"),
        (["--model", "nothing"], "model is 'nothing'"),
    ],
)
def test_the_command_refuses_in_one_line(
    case: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ["--by", "place", "--series", "Nordtal"] if "--comparison" in arguments else []
    assert main(["effect", str(case), *extra, *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert error.count("error:") == 1


def test_the_command_needs_an_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["effect", "november-2024-article"]) == 2
    assert "names no action" in capsys.readouterr().err
