"""Nowcasts: R surveillance, closed forms, plain loops, and coverage of simulated late reports."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import nbinom, norm

import escalation
from escalation import FitError, InputError
from escalation.errors import DataWarning, PartialPeriodWarning
from escalation.incidents import nowcast
from escalation.incidents.nowcasts.delays import (
    Trials,
    draw_hazards,
    draw_moved,
    draw_plug_in,
    known_share,
    make_trials,
    reporting_rhythm,
    reverse_hazards,
    sample_delays,
    split_spans,
)
from escalation.incidents.nowcasts.levels import (
    draw_levels,
    draw_of_reported,
    draw_parameters,
    draw_with_fixed_prior,
    filter_levels,
)
from escalation.incidents.nowcasts.reports import read_reports

R_PRIOR = (50.0, 3000.0)
"""Mean and variance of the counts that the reference was made with: those of surveillance's example of these data."""
UNEVEN = "ignore:reports come unevenly by weekday"
WEEKS = pd.period_range("2024-01-07", periods=60, freq="W-SUN")


def late_reports(counts, probabilities, rng, index=WEEKS):
    """A line list of these counts with independent delays."""
    period = np.repeat(np.arange(len(counts)), counts)
    delay = rng.choice(len(probabilities), size=len(period), p=probabilities)
    day = index[period].to_timestamp(how="end").normalize()
    days = {"D": 1, "W": 7}[index.freqstr[0]]
    return pd.DataFrame({"date": day, "as_of": day + pd.to_timedelta(days * delay, unit="D")})


def read(table, freq="W-SUN", now=None, start=None, event="date", reported="as_of"):
    return read_reports(table, freq, start=start, now=now, event=event, reported=reported)


@pytest.fixture(scope="module")
def weekly():
    rng = np.random.default_rng(5)
    return late_reports(rng.poisson(20, size=60), [0.4, 0.3, 0.2, 0.1], rng)


@pytest.fixture(scope="module")
def made(weekly):
    return nowcast(weekly, "W", now=WEEKS[-1].end_time.normalize(), max_delay=3, unit="raids", draws=500, rng=1)


# R surveillance


@pytest.fixture(scope="module")
def outbreak(shared_data):
    path = shared_data("data/reference/husO104_linelist.csv")
    table = pd.read_csv(path, parse_dates=["dHosp", "dReport"])
    return table.astype({"dHosp": "datetime64[ns]", "dReport": "datetime64[ns]"})


@pytest.fixture(scope="module")
def reference(shared_data):
    return json.loads(shared_data("data/reference/surveillance_nowcast.json").read_text())["results"]


def first_over(probabilities, level):
    """The smallest count whose distribution function exceeds the level: how surveillance reads a quantile."""
    return int(np.argmax(np.cumsum(probabilities) > level))


def triple(expected):
    return np.array([expected[name] for name in ("nowcast_median", "pi_lower", "pi_upper")]).T


def test_hazards_and_shares_give_surveillance_s_lawless_exactly(outbreak, reference):
    """Its limits follow to the last whole number, once its two slips are made as well.

    Its variance leaves out the first term of (2.16), which stands on a line of its own; the normal distribution cut off
    at the reported count is divided by what remains without the part cut off being subtracted.
    """
    known = read(outbreak, "D", "2011-06-02", event="dHosp", reported="dReport").by_delay(15)
    share = known_share(reverse_hazards(make_trials(known)))
    expected = reference["lawless"]
    support = np.arange(501)
    index = pd.period_range(end="2011-06-02", periods=len(known), freq="D")
    for date, row, reported in zip(expected["dates"], triple(expected), expected["reported"], strict=True):
        at = index.get_loc(pd.Period(date, "D"))
        seen = min(len(known) - 1 - at, 15)
        assert known[at, seen] == reported
        mean, sd = reported / share[seen], np.sqrt(reported * (1 - share[seen])) / share[seen]
        if sd == 0:
            probabilities = (support == mean).astype(float)
        else:
            cut = np.where(support < reported, 0, norm.cdf(support, mean, sd) / norm.sf(reported, mean, sd))
            probabilities = np.diff(cut, prepend=0)
        assert [first_over(probabilities, level) for level in (0.5, 0.025, 0.975)] == row.tolist()


@pytest.mark.filterwarnings(UNEVEN)
@pytest.mark.parametrize("method", ["bayes.trunc", "bayes.notrunc"])
def test_bayesian_nowcasts_agree_with_surveillance(outbreak, reference, method):
    made = nowcast(
        outbreak,
        "D",
        now="2011-06-02",
        max_delay=15,
        method=method,
        prior=R_PRIOR,
        event="dHosp",
        reported="dReport",
        level=0.95,
        draws=20_000,
        rng=1,
    )
    expected = reference[method]
    ours = made.incomplete.loc[expected["dates"][0] : expected["dates"][-1]]
    assert ours["reported"].tolist() == expected["reported"]
    # surveillance averages 1,000 draws of the delays: the widest limits (79) move by 2 from seed to seed, medians by 1
    theirs = triple(expected)
    assert np.abs(ours["median"].to_numpy() - theirs[:, 0]).max() <= 1
    assert np.abs(ours[["lower", "upper"]].to_numpy() - theirs[:, 1:]).max() <= 2


@pytest.mark.filterwarnings(UNEVEN)
def test_the_outbreak_s_own_end_lies_within_the_intervals(outbreak):
    made = nowcast(outbreak, "D", now="2011-06-02", max_delay=15, event="dHosp", reported="dReport", rng=1)
    came = outbreak["dHosp"].dt.to_period("D").value_counts().reindex(made.incomplete.index, fill_value=0)
    inside = came.between(made.incomplete["lower"], made.incomplete["upper"])
    # 16 hospital days at 90%: fewer than 12 inside has probability 0.02 were they independent
    assert inside.sum() >= 12


def test_reporting_on_working_days_is_seen(outbreak):
    with pytest.warns(DataWarning, match="Saturday .*, Sunday .*try freq='W'"):
        nowcast(outbreak, "D", now="2011-06-02", max_delay=15, event="dHosp", reported="dReport", draws=10, rng=1)


# delays


def test_trials_are_those_of_the_reporting_triangle():
    rng = np.random.default_rng(2)
    came = rng.poisson(3, size=(12, 5))
    known = np.where(np.arange(5) <= np.arange(12)[::-1, None], came.cumsum(axis=1), np.nan)
    late, total = make_trials(known).sums()
    windowed, _ = make_trials(known, window=6).sums()
    for delay in range(1, 5):
        rows = range(12 - delay)
        assert late[delay - 1] == sum(came[t, delay] for t in rows)
        assert total[delay - 1] == sum(came[t, : delay + 1].sum() for t in rows)
        assert windowed[delay - 1] == sum(came[t, delay] for t in rows if t >= 6)


def test_shares_known_follow_from_hazards_as_in_a_plain_loop():
    hazards = np.array([0.5, 0.2, 0.1])
    expected = [np.prod([1 - hazards[y - 1] for y in range(x + 1, 4)]) for x in range(4)]
    # products of three numbers: a few units in the last place
    assert known_share(hazards) == pytest.approx(expected, abs=1e-15)


def test_hazards_recover_the_delays_of_complete_data():
    """Without truncation the reverse-time hazards give the plain shares of the delays."""
    came = np.array([[4, 3, 2, 1], [2, 2, 2, 4]])
    known = came.cumsum(axis=1).astype(float)
    share = known_share(reverse_hazards(make_trials(known)))
    assert share == pytest.approx(came.sum(axis=0).cumsum() / came.sum(), abs=1e-14)


def test_draws_of_hazards_without_truncation_are_dirichlet():
    came = np.array([40.0, 30.0, 20.0, 10.0])
    total = came.cumsum()[1:]
    drawn = np.diff(
        known_share(draw_hazards(came[1:], total, 0.1, 40_000, np.random.default_rng(1))), axis=1, prepend=0
    )
    weights = came + 0.1
    mean = weights / weights.sum()
    # 4 standard errors of 40,000 draws
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=4 * 0.05 / 200)
    assert drawn.var(axis=0) == pytest.approx(mean * (1 - mean) / (weights.sum() + 1), rel=0.04)


def test_lawless_has_the_mean_and_variance_of_equations_2_12_and_2_16():
    late, total = np.array([300.0, 200.0, 100.0]), np.array([800.0, 900.0, 1000.0])
    rng, count = np.random.default_rng(1), 30.0
    hazard = late / total
    hazards = draw_plug_in(late, total, 200_000, rng)
    share = known_share(hazards)[:, :1]
    drawn = count + draw_of_reported(np.array([count]), share, rng)[:, 0]
    plug = np.prod(1 - hazard)
    spread = plug**2 * (hazard / (total * (1 - hazard))).sum()
    variance = count * (count + 1) / plug**4 * spread + count * (1 - plug) / plug**2
    # the equations are first-order in 1 / N: a bias of E[1/W] of some spread / plug^2 = 0.1%, of the variance some 1%
    assert drawn.mean() == pytest.approx(count / plug, rel=0.004)
    assert drawn.var() == pytest.approx(variance, rel=0.03)


def test_a_change_of_the_delays_has_the_posterior_of_a_plain_sum():
    late, total = np.array([[30.0], [45.0]]), np.array([[100.0], [90.0]])
    hazards, shift = draw_moved(late, total, 0.1, 40_000, np.random.default_rng(1))
    logit, move = np.meshgrid(np.linspace(-3, 2, 401), np.linspace(-1.5, 3, 401), indexing="ij")
    before, since = expit(logit), expit(logit + move)
    log_density = (
        30.1 * np.log(before) + 70.1 * np.log1p(-before) + 45 * np.log(since) + 45 * np.log1p(-since) - move**2 / 2
    )
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    mean = (weight * move).sum()
    # 4 standard errors of 40,000 draws
    assert shift.mean() == pytest.approx(mean, abs=4 * 0.31 / 200)
    assert shift.std() == pytest.approx(np.sqrt((weight * (move - mean) ** 2).sum()), rel=0.02)
    assert hazards[:, 0].mean() == pytest.approx((weight * before).sum(), abs=4 * 0.05 / 200)


def test_a_change_is_found_however_much_data_there_is():
    odds = 1.3
    before = np.array([0.3, 0.2])
    since = expit(np.log(before / (1 - before)) + np.log(odds))
    total = np.full((2, 2), 4e6)
    _, shift = draw_moved(np.round(total * np.array([before, since])), total, 0.1, 2000, np.random.default_rng(1))
    # the posterior is 0.001 wide
    assert np.exp(shift).mean() == pytest.approx(odds, abs=0.002)
    assert np.exp(shift).std() < 0.003


def test_spans_are_split_by_the_probabilities_of_their_delays():
    hazards = np.array([[0.5, 0.2, 0.1]])
    trials = Trials(*(np.array([v]) for v in (0, 2, 3, 100_000, 300_000)), 3)
    whole = split_spans(trials, hazards, np.random.default_rng(1))
    probability = np.array([0.2 * 0.9, 0.1])
    assert whole.low.tolist() == whole.high.tolist() == [2, 3]
    assert whole.late.sum() == 100_000
    # 4 standard errors of 100,000 splits
    assert whole.late[0] / 100_000 == pytest.approx(probability[0] / probability.sum(), abs=0.007)
    assert whole.total.tolist() == [300_000 - whole.late[1], 300_000]


def test_delays_are_found_from_snapshots_four_weeks_apart():
    rng = np.random.default_rng(3)
    probabilities = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    table = late_reports(rng.poisson(200, size=60), probabilities, rng)
    known = read(table, now=WEEKS[-1].end_time.normalize()).by_delay(4)
    gappy = known.copy()
    for row in range(60):
        keep = [x for x in range(5) if (row + x) % 2 == 1]
        gappy[row, [x for x in range(4) if x not in keep and row + x < 59]] = np.nan
    trials = make_trials(gappy)
    assert not trials.exact
    hazards, shift = sample_delays(trials, 0.1, 500, np.random.default_rng(1))
    assert shift is None
    # about 12,000 reports seen in pairs of delays: standard errors of some 0.01
    assert known_share(hazards).mean(axis=0) == pytest.approx(probabilities.cumsum(), abs=0.04)
    moved, shift = sample_delays(trials, 0.1, 300, np.random.default_rng(1), change=30)
    assert np.abs(shift.mean()) < 0.2
    assert known_share(moved).mean(axis=0) == pytest.approx(probabilities.cumsum(), abs=0.06)


def test_the_rhythm_of_reports_adds_up(weekly):
    trials = make_trials(read(weekly, now=WEEKS[-1].end_time.normalize()).by_delay(3))
    came, expected, variance = reporting_rhythm(trials, 60)
    assert came.sum() == trials.late.sum() == pytest.approx(expected.sum(), rel=1e-12)
    assert (variance <= expected + 1e-12).all()


# levels


def test_the_filter_agrees_with_a_plain_loop_and_independent_counts():
    counts, share = np.array([3.0, 0.0, 5.0, 2.0]), np.array([[1.0, 1.0, 0.7, 0.2]])
    theta = np.array([[1.2, 0.5, -0.3]])
    loglike, shape, rate = filter_levels(counts, share, theta, 2)
    mean, size, keep = np.exp(1.2), np.exp(0.5), expit(-0.3)
    a, b, total, gammas = size, size / mean, 0.0, []
    for count, known in zip(counts, share[0], strict=True):
        total += nbinom.logpmf(count, a, b / (b + known))
        a, b = a + count, b + known
        gammas.append((a, b))
        a, b = keep * a + (1 - keep) * size, keep * b + (1 - keep) * size / mean
    # sums of four log probabilities
    assert loglike[0] == pytest.approx(total, abs=1e-12)
    kept = np.array([shape[0], rate[0]]).T
    assert kept == pytest.approx(np.array(gammas[2:]), abs=1e-12)
    alone, _, _ = filter_levels(counts, share, np.array([[1.2, 0.5, -40.0]]), 1)
    assert alone[0] == pytest.approx(nbinom.logpmf(counts, size, size / (size + mean * share[0])).sum(), abs=1e-10)


def test_levels_drawn_backwards_have_their_exact_means():
    shape, rate = (np.tile(row, (200_000, 1)) for row in ([6.0, 9.0], [2.0, 2.5]))
    theta = np.tile([np.log(3.0), np.log(1.5), 0.8], (200_000, 1))
    levels = draw_levels(shape, rate, theta, np.random.default_rng(1))
    keep = expit(0.8)
    carried = keep * 6 / (keep * 6 + (1 - keep) * 1.5)
    following = keep * 2.0 + (1 - keep) * 1.5 / 3.0
    # standard errors below 0.003
    assert levels[:, 1].mean() == pytest.approx(9 / 2.5, abs=0.011)
    assert levels[:, 0].mean() == pytest.approx(carried * (9 / 2.5) * following / 2 + (1 - keep) * 6 / 2, abs=0.011)


def test_counts_to_come_under_a_fixed_prior_are_those_of_an_enumeration():
    drawn = draw_with_fixed_prior(np.array([4.0]), np.full((100_000, 1), 0.3), 10.0, 40.0, np.random.default_rng(1))
    total = np.arange(4, 400)
    size = 10.0**2 / 30.0
    probability = nbinom.pmf(total, size, size / (size + 10)) * nbinom.pmf(total - 4, 5, 0.3)
    # binomial(4; N, 0.3) is proportional in N to the negative binomial of size 5
    probability /= probability.sum()
    for most in (4, 6, 9, 15):
        exact = probability[total <= most].sum()
        assert (4 + drawn <= most).mean() == pytest.approx(exact, abs=0.0065)  # 4 standard errors


def test_parameters_are_found_again():
    rng = np.random.default_rng(4)
    independent = rng.negative_binomial(3, 3 / 23, size=300).astype(float)
    walking = rng.poisson(20 * np.exp(np.cumsum(rng.normal(0, 0.1, 300)))).astype(float)
    drawn = [draw_parameters(counts, np.ones(300), 1000, rng) for counts in (independent, walking)]
    assert np.exp(drawn[0][:, 0]).mean() == pytest.approx(20, rel=0.1)  # 300 counts: standard error 3.5%
    assert expit(drawn[0][:, 2]).mean() < 0.3
    assert expit(drawn[1][:, 2]).mean() > 0.6


# tables in


def snapshots_of(table, days):
    """Counts as each snapshot has them."""
    counts = {}
    for day in days:
        there = table[table["as_of"] <= day]["date"].dt.to_period("W-SUN")
        counts[day] = there.value_counts().reindex(WEEKS[WEEKS.end_time <= day + pd.Timedelta(days=1)], fill_value=0)
    return counts


def test_snapshots_of_every_week_tell_the_same_as_report_dates(weekly):
    days = [week.end_time.normalize() for week in WEEKS]
    dated = read(weekly, now=days[-1]).by_delay(3)
    snapped = read(snapshots_of(weekly, days)).by_delay(3)
    assert np.array_equal(dated, snapped, equal_nan=True)
    table = pd.DataFrame(snapshots_of(weekly, days[-20:]))
    kept = read(table).by_delay(3)
    assert np.array_equal(dated[-16:], kept[-16:], equal_nan=True)
    assert np.array_equal(kept[0], [np.nan, np.nan, np.nan, dated[0, 3]], equal_nan=True)


def test_two_snapshots_are_enough(weekly):
    made = nowcast(snapshots_of(weekly, [WEEKS[-2].end_time.normalize(), WEEKS[-1].end_time.normalize()]), "W", rng=1)
    assert made.max_delay <= 5
    came = weekly["date"].dt.to_period("W-SUN").value_counts().sort_index()
    rising = made.incomplete
    assert came.loc[rising.index].between(rising["lower"], rising["upper"]).all()


def test_incidents_of_snapshots_are_known_again_by_their_ids(weekly):
    table = weekly.assign(incident_id=[f"i{row}" for row in range(len(weekly))])
    days = [week.end_time.normalize() for week in WEEKS[-12:]]
    tables = {day: table.loc[table["as_of"] <= day, ["date", "incident_id"]] for day in days}
    expected = read(snapshots_of(weekly, days)).by_delay(3)
    assert np.array_equal(read(tables).by_delay(3), expected, equal_nan=True)
    gone = tables[days[0]]["incident_id"].iloc[-1]
    tables[days[-1]] = tables[days[-1]][tables[days[-1]]["incident_id"] != gone]
    with pytest.warns(DataWarning, match="no longer in the last snapshot"):
        fewer = read(tables).by_delay(3)
    assert np.nansum(expected - fewer) >= 1


def test_what_a_later_snapshot_takes_back_was_never_reported(weekly):
    days = [WEEKS[-2].end_time.normalize(), WEEKS[-1].end_time.normalize()]
    counts = snapshots_of(weekly, days)
    counts[days[0]].iloc[3] += 7
    with pytest.warns(DataWarning, match="up to 7 fewer"):
        changed = read(counts).by_delay(3)
    assert changed[3, 3] == counts[days[1]].iloc[3]


def test_snapshots_may_hold_the_latest_weeks_only(weekly):
    days = [week.end_time.normalize() for week in WEEKS]
    rolling = {day: known.iloc[-6:] for day, known in snapshots_of(weekly, days).items()}
    dated = read(weekly, now=days[-1]).by_delay(3)
    assert np.array_equal(read(rolling).by_delay(3), dated, equal_nan=True)


def test_an_unfinished_week_is_left_out_and_said(weekly):
    with pytest.warns(PartialPeriodWarning, match=r"until 2025-02-20, .* choose freq='W-THU'"):
        reports = read(weekly, now="2025-02-20")
    assert reports.now == pd.Timestamp("2025-02-16") and reports.index[-1].end_time.date().isoformat() == "2025-02-16"


def test_a_snapshot_within_a_week_tells_of_the_weeks_before(weekly):
    days = [pd.Timestamp("2025-02-13"), pd.Timestamp("2025-02-20")]
    counts = {day: known[:-1] for day, known in snapshots_of(weekly, days).items()}
    reports = read(counts)
    known = reports.by_delay(3)
    assert reports.index[-1] == pd.Period("2025-02-16", "W-SUN")
    assert np.isnan(known[:, 0]).all() and known[-1, 1] == 0


# nowcasts


def test_histories_are_the_reported_counts_and_more(made, weekly):
    histories = made.histories
    assert escalation.counts.check_counts(histories).equals(histories)
    assert histories.columns.name == "draw" and histories.shape == (60, 500) and len(made.incomplete) == 3
    known = weekly[weekly["as_of"] <= WEEKS[-1].end_time]["date"].dt.to_period("W-SUN").value_counts().sort_index()
    assert (histories.iloc[:-3].to_numpy() == known.iloc[:-3].to_numpy()[:, None]).all()
    assert (histories.to_numpy() >= known.to_numpy()[:, None]).all()
    assert made.incomplete["reported"].tolist() == known.iloc[-3:].tolist()
    assert (made.incomplete["upper"] >= made.incomplete["median"]).all() and (
        made.incomplete["median"] >= made.incomplete["lower"]
    ).all()
    assert made.summary_frame().equals(made.incomplete)
    assert (made.summary_frame(0.5)["upper"] <= made.incomplete["upper"]).all()


def test_delays_are_found(made):
    # 1,200 reports: standard errors of some 0.014
    assert made.delays["known_by"].to_numpy() == pytest.approx([0.4, 0.7, 0.9, 1.0], abs=0.05)
    assert made.delays["probability"].sum() == pytest.approx(1, abs=1e-12)
    assert (made.delays["known_by_upper"] >= made.delays["known_by_lower"]).all()


def test_the_same_seed_gives_the_same_numbers(made, weekly):
    again = nowcast(weekly, "W", now=WEEKS[-1].end_time.normalize(), max_delay=3, unit="raids", draws=500, rng=1)
    assert again.histories.equals(made.histories) and again.delays.equals(made.delays)


def test_the_sentence_and_the_page_say_the_numbers(made):
    text = made.sentence()
    last = made.incomplete.iloc[-1]
    assert f"By {WEEKS[-1].end_time.date()} {made.incomplete['reported'].sum()} raids of the 3 weeks" in text
    assert f"{last['reported']} had been reported, and {last['median']} ({last['lower']} to {last['upper']})" in text
    assert text.endswith("Half of all reports come within 1 week, 95% within 3 weeks.")
    assert text in made._repr_html_() and "known_by_upper" in made._repr_html_()


def test_models_fit_the_histories(made):
    forecast = escalation.LocalLevel().fit(made.histories.iloc[:, :20], unit="raids").forecast(2, draws=200, rng=1)
    assert forecast.origin == WEEKS[-1]


def test_ignoring_truncation_corrects_too_little(weekly):
    growing = late_reports(np.round(5 * np.exp(0.06 * np.arange(60))).astype(int), [0.2] * 5, np.random.default_rng(1))
    options = {"now": WEEKS[-1].end_time.normalize(), "max_delay": 4, "draws": 400, "rng": 1}
    truncated = nowcast(growing, "W", method="bayes.notrunc", **options)
    allowed = nowcast(growing, "W", **options)
    assert truncated.delays["known_by"].iloc[0] > allowed.delays["known_by"].iloc[0] + 0.01
    assert truncated.histories.iloc[-4:].to_numpy().sum() < allowed.histories.iloc[-4:].to_numpy().sum()


def test_a_change_of_reporting_is_followed():
    rng = np.random.default_rng(6)
    counts = np.full(60, 60)
    slow, fast = [0.2, 0.2, 0.2, 0.2, 0.2], [0.6, 0.2, 0.1, 0.05, 0.05]
    table = pd.concat(
        [
            late_reports(np.where(np.arange(60) < 40, counts, 0), fast, rng),
            late_reports(np.where(np.arange(60) < 40, 0, counts), slow, rng),
        ]
    )
    options = {"now": WEEKS[-1].end_time.normalize(), "max_delay": 4, "draws": 500, "rng": 1}
    changed = nowcast(table, "W", change=WEEKS[40].end_time.normalize(), **options)
    windowed = nowcast(table, "W", window=18, **options)
    plain = nowcast(table, "W", **options)
    assert plain.change is None and changed.change["lower"] > 1.5
    for made in (changed, windowed):
        assert abs(made.delays["known_by"].iloc[0] - 0.2) < abs(plain.delays["known_by"].iloc[0] - 0.2) - 0.1
        assert abs(int(made.incomplete["median"].sum()) - 240) < abs(int(plain.incomplete["median"].sum()) - 240)


def test_lawless_says_nothing_where_nothing_was_reported(weekly):
    quiet = weekly[~((weekly["date"] > WEEKS[-2].end_time) & (weekly["as_of"] <= WEEKS[-1].end_time))]
    made = nowcast(quiet, "W", now=WEEKS[-1].end_time.normalize(), max_delay=3, method="lawless", rng=1)
    assert made.incomplete.iloc[-1].tolist() == [0, 0, 0, 0]
    other = nowcast(quiet, "W", now=WEEKS[-1].end_time.normalize(), max_delay=3, rng=1)
    assert other.incomplete["upper"].iloc[-1] > 5


def test_bulletins_of_every_fourth_week_are_warned_of():
    rng = np.random.default_rng(1)
    table = late_reports(rng.poisson(30, size=60), [1.0], rng)
    place = table["as_of"].dt.to_period("W-SUN").array.asi8 - WEEKS.asi8[0]
    wait = (3 - place) % 4 + np.where(rng.random(len(table)) < 0.2, 4, 0)
    table["as_of"] += pd.to_timedelta(7 * wait, unit="D")
    with pytest.warns(DataWarning, match="in batches: .* try freq='M'"):
        nowcast(table, "W", now=WEEKS[-1].end_time.normalize(), max_delay=7, draws=10, rng=1)


def test_reports_later_than_the_longest_delay_are_warned_of(weekly):
    with pytest.warns(DataWarning, match="reports came more than 2 weeks late"):
        nowcast(weekly, "W", now=WEEKS[-1].end_time.normalize(), max_delay=2, draws=10, rng=1)


def test_a_delay_that_no_period_tells_of_is_warned_of(weekly):
    days = [WEEKS[-2].end_time.normalize(), WEEKS[-1].end_time.normalize()]
    counts = {day: known[known.index >= WEEKS[50]] for day, known in snapshots_of(weekly, days).items()}
    counts[days[1]].iloc[0] = counts[days[0]].iloc[0] = 0
    with pytest.warns(DataWarning, match="no period shows delay 9;"):
        nowcast(counts, "W", max_delay=9, draws=10, rng=1)


# refused


def dates(*pairs):
    return pd.DataFrame([[pd.Timestamp(a), pd.Timestamp(b)] for a, b in pairs], columns=["date", "as_of"])


FEW = dates(("2024-01-01", "2024-01-02"), ("2024-01-03", "2024-01-08"), ("2024-01-09", "2024-01-09"))
COUNTS = pd.Series([1, 2], index=pd.period_range("2024-01-07", periods=2, freq="W-SUN"))
SNAPS = {
    "2024-01-14": COUNTS,
    "2024-01-21": pd.Series([2, 2, 1], index=pd.period_range("2024-01-07", periods=3, freq="W-SUN")),
}


@pytest.mark.parametrize(
    ("reports", "options", "words"),
    [
        (FEW, {"method": "naive"}, "method is 'naive'; use bayes.trunc"),
        (FEW, {"level": 1.0}, "level is 1.0"),
        (FEW, {"draws": 0}, "draws is 0"),
        (FEW, {"delay_prior": 0.0}, "delay_prior is 0.0; give a weight > 0"),
        (FEW, {"prior": (3.0, 2.0)}, "prior is (3.0, 2.0); give the mean and the variance"),
        (FEW, {"prior": (3.0, 9.0), "method": "lawless"}, "method 'lawless' has no prior"),
        (FEW, {"change": "2024-01-04", "method": "lawless"}, "method 'lawless' knows no change"),
        (FEW, {"change": "2023-01-04"}, "change is 2023-01-04, and the periods are"),
        (FEW, {"max_delay": 9}, "max_delay is 9; give a whole number from 1 to 8"),
        (FEW, {"window": 0}, "window is 0"),
        (FEW, {"event": "when"}, "reports has no column 'when'"),
        (FEW, {"now": "2023-12-31"}, "no incident was reported by 2023-12-31"),
        (FEW.astype(str), {}, "column 'date' is"),
        (FEW.assign(as_of=FEW["as_of"].where(FEW.index != 1)), {}, "row 1: no date in column 'as_of'"),
        (
            FEW.rename(columns={"date": "as_of", "as_of": "date"}),
            {},
            "row 0: reported on 2024-01-01, before it happened",
        ),
        (FEW, {"freq": "W", "now": "2024-01-14"}, "reports are of 2 whole periods"),
        ([1, 2], {}, "reports is a list"),
        ({"2024-01-14": COUNTS}, {"freq": "W"}, "snapshots by now: 1, too few"),
        ({"2024-01-14": COUNTS, pd.Timestamp("2024-01-14"): COUNTS}, {"freq": "W"}, "two snapshots have the same date"),
        ({"2024-01-14": COUNTS, "2024-01-21": FEW}, {"freq": "W"}, "some snapshots are tables of incidents"),
        ({"2024-01-14": COUNTS, "2024-01-21": 3}, {"freq": "W"}, "snapshot 2024-01-21 is a int"),
        (SNAPS, {"freq": "D"}, "is counted by W-SUN and freq is D"),
        ({"2024-01-06": COUNTS, "2024-01-21": COUNTS}, {"freq": "W"}, "which begins after it; date it later"),
        (SNAPS, {"freq": "W", "start": "2024-01-15"}, "ends before the start 2024-01-15"),
        (
            {**SNAPS, "2024-03-03": COUNTS.set_axis(COUNTS.index + 6)},
            {"freq": "W"},
            "holds the week 2024-01-22/2024-01-28",
        ),
        (SNAPS, {"freq": "W", "method": "bayes.notrunc"}, "needs the date of each report"),
        (
            {
                **SNAPS,
                "2024-02-04": pd.Series([2, 2, 1, 0, 3], index=pd.period_range("2024-01-07", periods=5, freq="W-SUN")),
            },
            {"freq": "W", "method": "lawless", "max_delay": 3},
            "needs snapshots of every period",
        ),
        ({day: known * 0 for day, known in SNAPS.items()}, {"freq": "W"}, "nothing is known at two delays"),
    ],
)
def test_what_cannot_be_used_is_refused(reports, options, words):
    with pytest.raises(InputError, match=re.escape(words)):
        nowcast(reports, **{"freq": "D", "rng": 1, **options})


def test_lawless_fails_where_no_older_report_was_as_early():
    days = pd.date_range("2024-01-01", periods=20)
    table = pd.DataFrame({"date": days, "as_of": days + pd.Timedelta(days=2)})
    table.loc[len(table)] = [pd.Timestamp("2024-01-22"), pd.Timestamp("2024-01-22")]
    with (
        pytest.warns(DataWarning, match="shows delay 1;"),
        pytest.raises(FitError, match="lawless: no older period has reports as early"),
    ):
        nowcast(table, "D", max_delay=4, method="lawless", rng=1)


# charts


def test_the_chart_shows_reported_against_expected(made):
    ax = escalation.plots.nowcast(made, past=10).axes[0]
    steps = {patch.get_label(): tuple(patch.get_data()) for patch in ax.patches if hasattr(patch, "get_data")}
    assert steps["reported"][0][-3:].tolist() == made.incomplete["reported"].tolist()
    assert len(steps["reported"][0]) == 13
    upper, _, lower = steps["expected in the end, 90% interval"]
    assert upper.tolist() == made.incomplete["upper"].tolist()
    assert lower.tolist() == made.incomplete["lower"].tolist()
    assert steps["expected, median"][0].tolist() == made.incomplete["median"].tolist()
    assert ax.get_title(loc="left").replace("\n", " ").startswith("Last 3 weeks to 23 Feb 2025:")
    assert len(escalation.plots.nowcast(made, level=0.5).axes[0].texts) == 0
    with pytest.raises(InputError, match="level is 2"):
        escalation.plots.nowcast(made, level=2)


# simulation


def simulated(kind, rng):
    """True counts of 60 weeks with mean 20: independent, on a walk, on a walk with dispersion; or on a walk about 3."""
    if kind == "independent":
        return rng.negative_binomial(4, 4 / 24, size=60)
    start, step = (3, 0.1) if kind == "few" else (20, 0.12)
    level = start * np.exp(np.cumsum(rng.normal(0, step, 60)))
    return rng.poisson(level * (rng.gamma(10, 0.1, 60) if kind == "dispersed" else 1.0))


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["independent", "walk", "dispersed", "few"])
def test_intervals_cover_late_reports_of_simulations(kind):
    rng = np.random.default_rng(11)
    ranks, totals, intervals = [], [], []
    for _ in range(250):
        counts = simulated(kind, rng)
        probabilities = rng.dirichlet([3, 3, 2, 2, 1, 1, 0.5, 0.5, 0.5])
        reports = read(late_reports(counts, probabilities, rng), now=WEEKS[-1].end_time.normalize(), start="2024-01-01")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("escalation.incidents.nowcasts.run.read_reports", lambda *_, given=reports, **__: given)
            patch.setattr("escalation.incidents.nowcasts.run._warn_batches", lambda *_: None)  # chance finds
            patch.setattr("escalation.incidents.nowcasts.run._warn_later", lambda *_: None)
            made = nowcast(pd.DataFrame(), "W", max_delay=8, draws=300, rng=rng)
        drawn, true = made.histories.iloc[-8:].to_numpy(), counts[-8:, None]
        ranks.append((drawn < true).mean(axis=1) + rng.random(8) * (drawn == true).mean(axis=1))
        total, truth = drawn.sum(axis=0), true.sum()
        totals.append((total < truth).mean() + rng.random() * (total == truth).mean())
        intervals.append((true[:, 0] >= made.incomplete["lower"]) & (true[:, 0] <= made.incomplete["upper"]))
    ranks, totals = np.array(ranks), np.array(totals)
    # ranks split at ties cover without the slack of whole numbers; 2,000 of them, dependent within a nowcast: 0.01
    assert 0.87 <= ((ranks > 0.05) & (ranks < 0.95)).mean() <= 0.93
    # closed intervals of whole numbers cover at least as much
    assert np.mean(intervals) >= 0.87
    # 250 totals: a standard error of 0.019
    assert 0.84 <= ((totals > 0.05) & (totals < 0.95)).mean() <= 0.96
    # calibrated throughout: each quarter holds a quarter, within 3 standard errors
    assert np.histogram(ranks, 4, (0, 1))[0] / ranks.size == pytest.approx([0.25] * 4, abs=0.035)
