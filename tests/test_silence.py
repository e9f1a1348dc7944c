"""What silence means, what a day of events says, how far tallies are relied on, and rare big events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.analysis import rare_events
from escalation.assessment.handful import find_handful
from escalation.assessment.usual import announced, usual_choice
from escalation.cli import main
from escalation.errors import EscalationWarning, InputError, NotConvergedWarning
from escalation.tallies.kernels import default_kernels, make_kernel
from escalation.tallies.posterior import Plan
from escalation.tallies.prediction import reads_like
from escalation.tallies.printed import least_known, reconstruction_notes, torn, undecided
from escalation.tallies.reliability import SHARES, Tallied, learn_shares


def tallies(*rows: tuple[object, ...], **columns: object) -> pd.DataFrame:
    """Rows of (count, first day, last day), bare numbers."""
    table = pd.DataFrame(rows, columns=["count", "start", "end"])
    return table.assign(series="a", qualifier="exact").assign(**columns)


STRIKES = tallies((85, "2024-02-02", "2024-02-02"), (9, "2024-11-11", "2024-11-12"))


@pytest.fixture(scope="module")
def unknown() -> escalation.tallies.Reconstruction:
    return escalation.reconstruct(STRIKES, series="a", rng=1)


def test_days_nobody_spoke_of_are_not_like_those_that_made_the_news(unknown) -> None:
    assert (unknown.silence, unknown.silence_from) == ("unknown", "inferred")
    assert unknown.spoken_sentence().startswith("3 of 285 days are spoken of; what happened on the others is not known")
    assert unknown.histories.notna().iloc[:, 0].sum() == 2
    weeks = unknown.summary_frame()["median"].dropna()
    assert weeks.tolist() == [85, 9]
    assert unknown.observed_share.iloc[0] == pytest.approx(1 / 7)
    assert unknown.observed_share.iloc[1] == 0
    assert unknown.to_count_series().silence == "unknown"


def test_a_quiet_silence_is_a_day_without_an_incident(unknown) -> None:
    quiet = unknown.under("quiet")
    assert quiet.counts.iloc[1:-1].to_numpy().sum() == 0
    assert float(np.median(quiet.counts.sum())) == pytest.approx(94, abs=2)
    stated = escalation.reconstruct(STRIKES.assign(silence="quiet"), series="a", rng=1)
    assert (stated.silence, stated.silence_from) == ("quiet", "stated")
    assert stated.histories.iloc[1:-1].to_numpy().sum() == 0
    least = escalation.reconstruct(STRIKES.assign(silence="quiet"), series="a", silence="lower_bound", rng=1)
    assert least.spoken_sentence().endswith("the counts are the least there was (silence: lower_bound, as stated).")


def test_silence_is_refused_where_it_is_none_or_two() -> None:
    with pytest.raises(
        InputError, match="silence means 'loud', which nobody has said how to read; use quiet, unknown, lower_bound"
    ):
        escalation.reconstruct(STRIKES, series="a", silence="loud")
    with pytest.raises(InputError, match="2 meanings of silence, quiet and unknown"):
        escalation.reconstruct(STRIKES.assign(silence=["quiet", "unknown"]), series="a")
    with pytest.raises(InputError, match="silence is 'loud'"):
        escalation.reconstruct(STRIKES.assign(silence="loud"), series="a")


def test_quiet_is_inferred_only_where_totals_bear_it_out() -> None:
    single = [(4, "2024-01-05", "2024-01-05"), (3, "2024-02-20", "2024-02-20")]
    agreed = tallies(*single, (7, "2024-01-01", "2024-02-28"), (2, "2024-05-01", "2024-05-01"))
    assert escalation.reconstruct(agreed, series="a", draws=50, rng=1).silence == "quiet"
    more = tallies(*single, (17, "2024-01-01", "2024-02-28"), (2, "2024-05-01", "2024-05-01"))
    assert escalation.reconstruct(more, series="a", draws=50, rng=1).silence == "unknown"


def test_a_named_count_is_exact_and_a_year_around_it_is_not_known() -> None:
    dead = tallies((3, "2024-01-28", "2024-01-28"), exactness="named")
    result = escalation.reconstruct(dead, series="a", start="2023-11-13", end="2024-11-12", rng=1)
    counts = result.histories.dropna()
    assert (counts == 3).all(axis=None)
    assert len(counts) == 1
    assert "1 of 366 days is spoken of" in result.spoken_sentence()


def test_days_printed_because_something_happened_do_not_set_the_rate_of_their_neighbours() -> None:
    weekly = [(2, f"2024-01-{1 + 7 * k:02d}", f"2024-01-{7 + 7 * k:02d}") for k in range(4)]
    event = (12, "2024-01-30", "2024-01-30")
    ahead = escalation.reconstruct(tallies(*weekly, event), series="a", end="2024-03-10", rng=1)
    after = ahead.daily.loc["2024-02-05":"2024-02-11"].sum()
    assert after.median() <= 3  # two a week, and not twelve a day
    assert ahead.daily.loc["2024-01-30"].median() == 12


def test_windows_across_the_start_still_speak() -> None:
    table = tallies((100, "2024-01-01", "2024-05-31"), (110, "2024-01-01", "2024-07-31"))
    whole = escalation.reconstruct(table, series="a", rng=1)
    later = escalation.reconstruct(table, series="a", start="2024-06-01", rng=1)
    assert later.tallies["used"].all()
    assert later.daily.sum().quantile(0.95) <= 45  # each of two totals may be unreliable; alone the second leaves 110
    assert abs(later.daily.sum().median() - whole.daily.loc["2024-06-01":].sum().median()) <= 3
    apart = tallies((100, "2024-01-01", "2024-05-31"), (10, "2024-06-03", "2024-07-31"))
    assert escalation.reconstruct(apart, series="a", start="2024-06-01", draws=20, rng=1).tallies["why"].tolist() == [
        "ends before the start",
        "",
    ]


@pytest.fixture(scope="module")
def slipped() -> escalation.tallies.Reconstruction:
    rows = [
        (10 * k, "2024-01-01", str((pd.Timestamp("2024-01-07") + pd.Timedelta(days=7 * k)).date()))
        for k in range(3, 12)
    ]
    rows[-1] = (1100, *rows[-1][1:])
    return escalation.reconstruct(tallies(*rows), series="a", rng=1)


def test_a_slipped_zero_is_named_and_not_believed(slipped) -> None:
    last = slipped.tallies.iloc[-1]
    assert last["reliability"] < 0.1
    assert last["reads_like"] == 110
    assert slipped.cumulative()["upper"].max() < 200
    assert slipped.contradictions()["count"].tolist() == [1100]
    note = reconstruction_notes(slipped)[0]
    assert note.startswith(
        "1,100 printed of 2024-01-01 to 2024-03-24 (reads like 110) is not believed: the other tallies"
    )
    assert least_known(slipped) == "" or "would help most" in least_known(slipped)


@pytest.mark.parametrize(
    ("printed", "low", "middle", "high", "like"),
    [
        (2130, 205, 213, 216, 213),
        (21, 10, 12, 13, 12),
        (12, 110, 120, 130, 120),
        (7, 60, 70, 80, None),
        (213, 205, 213, 216, None),
    ],
)
def test_what_a_number_reads_like(printed, low, middle, high, like) -> None:
    assert reads_like(printed, low, middle, high) == like


def kernel_of(count: int) -> Tallied:
    tally = pd.Series({"qualifier": "exact", "count": count, "low": pd.NA, "high": pd.NA}, dtype=object)
    return Tallied(make_kernel(tally, default_kernels(), 30, "count", 1.0))


def test_kinds_of_tallies_are_probabilities_and_shares_are_learnt() -> None:
    true = 60
    total = sum(np.exp(kernel_of(n).log_prob(np.array([true]))[0]) for n in range(12_000))
    assert total == pytest.approx(1.0, abs=0.01)  # the tail of a Cauchy distribution of logs beyond 12,000
    good, far = kernel_of(60), kernel_of(85)
    draws = np.full((50, 2), true)
    assert good.kinds_given(draws[:, 0])[0] > 0.9
    assert far.kinds_given(draws[:, 1])[:2].sum() < 0.1
    learnt = learn_shares([far] * 20, np.full((50, 20), true))
    assert sum(learnt) == pytest.approx(1.0)
    assert learnt[2] > SHARES[2]
    assert far.kinds_beside(draws[:, 1])[:2].sum() < 0.1


def test_counts_without_an_upper_end_are_refused(monkeypatch) -> None:
    monkeypatch.setattr("escalation.tallies.posterior.EDGE", -1.0)
    with pytest.raises(InputError, match="leave its counts without an upper end"):
        escalation.reconstruct(tallies((5, "2024-01-01", "2024-01-20")), series="a", draws=20, rng=1)


def test_a_slipped_zero_against_a_zero_window_is_named_first() -> None:
    table = tallies((1000, "2024-01-01", "2024-01-01"), (0, "2024-01-01", "2024-06-30"))
    with pytest.warns(EscalationWarning):
        import warnings

        warnings.warn("either may converge or not", NotConvergedWarning, stacklevel=1)
        result = escalation.reconstruct(table, series="a", rng=1)
    first_week = result.summary_frame().iloc[0]
    assert first_week["median"] <= 20 or 950 <= first_week["median"] <= 1050
    assert len(result.contradictions()) >= 1
    assert undecided(result).startswith(CONTRADICTION) or "printed of" in reconstruction_notes(result)[0]


# rare big events


def test_rare_events_agree_with_a_plain_simulation() -> None:
    weeks = pd.date_range("2024-11-19", periods=8, freq="7D")
    found = rare_events([85, 9], 403, 50, weeks, pd.Timestamp("2024-11-12"), rng=1)
    rng = np.random.default_rng(2)
    logs = np.log([85, 9])
    hits = 0
    for _ in range(20_000):
        hazard = rng.gamma(2.5, 1 / 403)
        sd = np.sqrt((2 * 1.2**2 + ((logs - logs.mean()) ** 2).sum()) / rng.chisquare(3))
        mean = rng.normal(logs.mean(), sd / np.sqrt(2))
        sizes = np.exp(rng.normal(mean, sd, rng.poisson(hazard * 56)))
        hits += bool((np.rint(sizes) >= 50).any())
    # a standard error of 0.0022 each
    assert found.probability["probability"].iloc[-1] == pytest.approx(hits / 20_000, abs=0.01)
    assert found.probability["probability"].is_monotonic_increasing
    assert "from 2 events in 403 days" in found.sentence()
    with pytest.raises(InputError, match="sizes is"):
        rare_events([], 403, 50, weeks, pd.Timestamp("2024-11-12"))
    with pytest.raises(InputError, match="give dates after the last day watched"):
        rare_events([3], 403, 50, weeks, pd.Timestamp("2024-12-12"))


def test_the_article_answers_its_own_question() -> None:
    source = escalation.open_source("november-2024-article")
    handful = find_handful(source, "us_strikes_on_militias")
    assert handful is not None
    assert handful.events["size"].tolist() == [85, 9]
    assert "strikes and targets are taken for one another" in handful.sentence()
    assert 0.02 < handful.reaching(50, None, "W-SUN", 1).probability["probability"].iloc[-1] < 0.3
    assert find_handful(source, "militia_attacks_on_us") is None
    assert find_handful(source, "us_strikes_on_militias", silence="unknown") is None


@pytest.mark.parametrize("name", ["november-2024-article", "militia-attacks-2023-2024"])
def test_the_announced_events_are_those_of_the_case_however_the_series_is_asked_for(name) -> None:
    source = escalation.open_source(name)
    series = "us_strikes_on_militias"
    counter, unit, _ = usual_choice(source, series)
    counted = escalation.count_series(source, series=series, counter=counter, unit=unit, draws=20, rng=1)
    asked, said = announced(source, counted.reconstruction), find_handful(source, series)
    pd.testing.assert_frame_equal(asked.events, said.events)
    assert (asked.first, asked.last) == (said.first, said.last)
    settings = source.settings(series)
    rows = source.table[(source.table["series"] == series) & source.table["flag"].isin(["ok", "unit_ambiguous"])]
    rows = rows if settings.counter is None else rows[rows["counter"] == settings.counter]
    rows = rows if settings.unit is None else rows[rows["unit"] == settings.unit]
    assert len(said.events) == rows["start"].nunique()


def test_announced_events_of_other_days_or_another_meaning_of_silence_are_those_of_the_question() -> None:
    source = escalation.open_source("november-2024-article")
    options = {"series": "us_strikes_on_militias", "counter": "us_government_or_press", "draws": 20, "rng": 1}
    later = escalation.count_series(source, **options, start="2024-06-01")
    assert announced(source, later.reconstruction).events["size"].tolist() == [9]
    unknown = escalation.count_series(source, **options, silence="unknown")
    assert announced(source, unknown.reconstruction) is None


# both readings


def test_answers_are_given_for_both_readings_where_little_is_spoken_of(unknown) -> None:
    assessment = escalation.assess(unknown, at_least=50, rng=1)
    assert not assessment.forecast
    assert "only 2 of 42 weeks are spoken of" in assessment.forecast.reason
    assert assessment.if_quiet
    assert assessment.if_quiet.counted()[0] == 9
    assert assessment.cautions[0].startswith("Tallies speak of")
    spoken = escalation.reconstruct(tallies((9, "2024-01-01", "2024-02-20")), series="a", draws=50, rng=1)
    assert not escalation.assess(spoken, rng=1).if_quiet


@pytest.mark.parametrize("name", ["w1", "w2", "w4", "w5"])
def test_small_tables_of_words_zeros_and_ceilings_give_answers(shared_data, name: str) -> None:
    table, _ = escalation.read_tallies(Path(shared_data(f"data/field_tallies/{name}.csv")))
    result = escalation.reconstruct(table, series="attacks", draws=50, rng=1)
    assert result.histories.notna().all(axis=None)
    escalation.plots.reconstruction(result)
    if name == "w4":
        assert not escalation.assess(result, rng=1).rate


@pytest.mark.slow
@pytest.mark.parametrize("number", range(40))
def test_generated_tables_give_answers_or_one_clear_line(number: int, monkeypatch, benchmark) -> None:
    monkeypatch.setattr("escalation.tallies.posterior.PLAN", Plan(warmup=200, rounds=(1,)))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        try:
            result = escalation.reconstruct(
                benchmark("tally_sweep").generated(number), series="a", draws=40, rng=number, place="ALL"
            )
        except InputError as error:
            assert "\n" not in str(error)
            return
    frame = result.summary_frame()
    known = frame.dropna()
    assert (known["lower"] <= known["median"]).all()
    assert (known["median"] <= known["upper"]).all()
    escalation.plots.reconstruction(result)
    assert (result.observed_share <= 1).all()


CONTRADICTION = "1,000 printed of 2024-01-01 and 0 printed of 2024-01-01 to 2024-06-30 contradict each other"


@pytest.mark.filterwarnings("ignore::escalation.errors.NotConvergedWarning")
def test_tallies_that_only_contradict_each_other_are_no_count(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    table = tallies((1000, "2024-01-01", "2024-01-01"), (0, "2024-01-01", "2024-06-30"))
    result = escalation.reconstruct(table, series="a", rng=1)
    assert torn(result)["count"].tolist() == [1000, 0]
    with pytest.raises(
        InputError, match=f"^nothing is known of a: {CONTRADICTION}, and no other tally says which is right"
    ) as caught:
        escalation.assess(result, rng=1)
    assert "\n" not in str(caught.value)
    table.to_csv("table.csv", index=False)
    for command in ("series", "report", "trend", "backtest", "effect --at 2024-03-01"):
        assert main([*command.split(), "table.csv"]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1) and err.startswith(f"error: nothing is known of a: {CONTRADICTION}")
    assert main(["tallies", "table.csv"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith(f"warning: {CONTRADICTION}") and "1,000" in out


@pytest.mark.filterwarnings("ignore::escalation.errors.NotConvergedWarning")  # either may be right
def test_days_of_which_no_tally_is_believed_are_named_first(slipped) -> None:
    assert torn(slipped).empty and not undecided(slipped)  # the other totals speak of the same days
    rows = (1000, "2024-01-01", "2024-01-01"), (0, "2024-01-01", "2024-06-30")
    beside = [(12, f"2024-{month:02}-01", f"2024-{month:02}-28") for month in (8, 9, 10, 11)]
    result = escalation.reconstruct(tallies(*rows, *beside), series="a", rng=1)
    assert torn(result)["count"].tolist() == [1000, 0] and not undecided(result)
    notes = reconstruction_notes(result)
    assert notes[0].startswith(CONTRADICTION) and "where nobody has counted" in notes[0]
    assert not any("is not believed" in one for one in notes)
