"""excitation: shares against a GLM and loops, effects against EndemicEpidemic, verdicts where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escalation import FitError, InputError, excitation
from escalation.analysis.excitation.share_model import draw_split, fit_shares
from escalation.analysis.excitation.shared_shock import Trial, _draw_with_past, _terms, after_counts, binned
from escalation.analysis.excitation.two_sides import draw_again, fit_quietly, fit_sides, sides_design
from escalation.models import EndemicEpidemic, impulse_response

WEEKS = pd.period_range("2021-01-04", periods=200, freq="W-SUN")


def answering(rng, first=0.5, second=0.5, own=0.0, base=2.0, weeks=200):
    counts = np.zeros((weeks + 30, 2))
    for t in range(1, len(counts)):
        counts[t] = rng.poisson(base + np.array([first, second]) * counts[t - 1, ::-1] + own * counts[t - 1])
    return pd.DataFrame(counts[30:], index=WEEKS[:weeks], columns=["A", "B"])


def shocked(rng, sd=0.3, damping=0.9):
    level = sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    counts = np.empty((200, 2))
    for t in range(200):
        level = damping * level + sd * rng.standard_normal()
        counts[t] = rng.poisson(3 * np.exp(level), 2)
    return pd.DataFrame(counts, index=WEEKS, columns=["A", "B"])


# Shares


def test_shares_are_those_of_a_weighted_binomial_regression():
    """statsmodels' GLM with Williams' weights at the correlation that was found."""
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    n = 400
    x = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    totals = rng.integers(0, 15, n).astype(float)
    share = 1 / (1 + np.exp(-(x @ [0.3, 0.5, -0.2])))
    counts = draw_split(totals, share, 0.1, rng)
    fit = fit_shares(counts[None], totals, x[None])
    seen = totals > 0
    weights = 1 / (1 + (totals[seen] - 1) * fit.correlation[0])
    glm = sm.GLM(
        np.column_stack([counts, totals - counts])[seen], x[seen], sm.families.Binomial(), var_weights=weights
    ).fit()
    # the prior (sd 5) moves an estimate with standard error 0.05 by 1e-4 of it
    assert fit.coef[0] == pytest.approx(glm.params, abs=2e-4)
    assert np.sqrt(np.diag(fit.cov[0])) == pytest.approx(glm.bse, rel=1e-3)
    # 400 totals of some 7 know a correlation of 0.1 to about 0.02
    assert abs(fit.correlation[0] - 0.1) < 0.05


def test_several_series_are_fitted_as_each_alone():
    rng = np.random.default_rng(2)
    totals = rng.integers(0, 9, 60).astype(float)
    x = np.concatenate([np.ones((3, 60, 1)), rng.standard_normal((3, 60, 2))], axis=2)
    counts = rng.binomial(totals.astype(int), 0.4, (3, 60)).astype(float)
    together = fit_shares(counts, totals, x)
    for j in range(3):
        alone = fit_shares(counts[j : j + 1], totals, x[j : j + 1])
        assert together.coef[j] == pytest.approx(alone.coef[0], abs=1e-12)
        assert together.correlation[j] == pytest.approx(alone.correlation[0], abs=1e-12)


def test_a_share_that_is_always_one_stays_finite():
    totals = np.full(50, 4.0)
    fit = fit_shares(totals[None], totals, np.ones((1, 50, 1)))
    assert np.isfinite(fit.coef).all() and fit.coef[0, 0] > 3


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_drawn_splits_have_the_moments_of_the_beta_binomial(correlation):
    rng = np.random.default_rng(3)
    drawn = draw_split(np.full(40_000, 8.0), np.full(40_000, 0.3), correlation, rng)
    variance = 8 * 0.3 * 0.7 * (1 + 7 * correlation)
    assert drawn.mean() == pytest.approx(2.4, abs=4 * np.sqrt(variance / 40_000))
    # the standard error of a variance is some 1% of it here
    assert drawn.var() == pytest.approx(variance, rel=0.04)


# Terms and bins


def test_bins_end_with_the_last_period():
    assert binned(np.array([9.0, 1, 2, 3, np.nan, 5, 6]), 2)[[0, 2]].tolist() == [3.0, 11.0]
    assert np.isnan(binned(np.array([9.0, 1, 2, 3, np.nan, 5, 6]), 2)[1])


@pytest.mark.parametrize("past", ["counts", "makeup"])
def test_terms_are_those_of_a_plain_loop(past):
    rng = np.random.default_rng(4)
    first, second = rng.poisson(3, (2, 12)).astype(float)
    first[5] = np.nan
    totals = first + second
    x, used = _terms(first[None], totals, np.ones((12, 1)), 2, past)
    for t in range(12):
        if t < 2 or np.isnan(totals[t - 2 : t + 1]).any():
            assert not used[t] and (x[0, t] == 0).all()
            continue
        if past == "counts":
            wanted = [1.0, *(np.log1p(side[t - lag]) for side in (first, second) for lag in (1, 2))]
        else:
            wanted = [1.0, *(np.log1p(totals[t - lag]) for lag in (0, 1, 2))]
            wanted += [np.log((second[t - lag] + 0.5) / (first[t - lag] + 0.5)) for lag in (1, 2)]
        assert used[t] and x[0, t] == pytest.approx(wanted, abs=1e-14)


def test_drawn_series_keep_totals_gaps_and_their_beginning():
    rng = np.random.default_rng(5)
    first = rng.poisson(4, 30).astype(float)
    totals = first + rng.poisson(4, 30)
    totals[11] = first[11] = np.nan
    trial = Trial(totals, np.ones((30, 1)), (0,), 2, (1,))
    drawn = _draw_with_past(first, trial, np.array([0.2, -1.0, 0.0, 0.8, 0.0]), 0.0, 4_000, rng)
    assert (drawn[:, :2] == first[:2]).all() and np.isnan(drawn[:, 11]).all()
    known = np.delete(np.arange(30), 11)
    assert (drawn[:, known] <= totals[known]).all()
    logit = 0.2 - np.log1p(first[1]) + 0.8 * np.log1p(totals[1] - first[1])
    share = 1 / (1 + np.exp(-logit))
    error = np.sqrt(totals[2] * share * (1 - share) / 4_000)
    assert drawn[:, 2].mean() == pytest.approx(totals[2] * share, abs=4 * error)


def test_p_values_are_uniform_under_the_null_hypothesis():
    """Shares of 0.4 whatever came before, totals anything: p-values at or below 0.1 in a tenth of 120 series."""
    rng = np.random.default_rng(6)
    low = 0
    for _ in range(120):
        totals = rng.negative_binomial(2, 0.25, 60).astype(float)
        first = rng.binomial(totals.astype(int), 0.4).astype(float)
        trial = Trial(totals, np.ones((60, 1)), (0,), 2, (1, 2))
        low += after_counts(first, trial, "first", 49, rng)[1].min() <= 0.1
    # binomial(120, 0.1): 12 with standard deviation 3.3
    assert 2 <= low <= 22


# Bootstrap


def test_panels_drawn_again_have_the_fitted_moments_and_the_fit_of_the_counts_themselves_is_the_maximum():
    counts = answering(np.random.default_rng(20)).to_numpy()
    trial = Trial(counts.sum(axis=1), np.ones((200, 1)), (0,), 1, (1,))
    whole = fit_sides(counts, ("A", "B"), WEEKS, trial, 1, (1.0,), 60, np.random.default_rng(1))
    design = sides_design(WEEKS, np.ones((200, 1)), ("A", "B"))
    estimate = fit_quietly(whole.model, counts, design)
    drawn = draw_again(estimate, 2000, np.random.default_rng(2))
    means, spread = estimate.fitted, estimate.params[-2:]
    variance = means + spread * means**2
    # 398 means of 2,000 draws each: none is further off than 4.5 standard errors but once in 400 seeds
    assert (np.abs(drawn.mean(axis=0) - means)[1:] < 4.5 * np.sqrt(variance / 2000)[1:]).all()
    assert (drawn.var(axis=0) / variance)[1:].mean() == pytest.approx(1.0, abs=0.01)
    # effects of drawn panels scatter about the estimate; the mean of 60 is good to an eighth of their spread
    effects = whole.again[:, 0, 1]
    assert abs(effects.mean() - whole.matrix[0, 1]) < 4 * effects.std() / np.sqrt(60)


# The result


@pytest.fixture(scope="module")
def tit_for_tat():
    return excitation(answering(np.random.default_rng(7)), lags=2, draws=99, replicates=20, rng=1)


def test_effects_and_response_are_those_of_the_endemic_epidemic_model(tit_for_tat):
    counts = answering(np.random.default_rng(7))
    model = EndemicEpidemic(own_past="unit", others_past="unit", dispersion="unit", season=1, lag_weights=(1.0, 0.0))
    with pytest.warns(match="weak priors"):
        fit = model.fit(counts)
    row = tit_for_tat.effects.loc[("A", "B", 1, "1")]
    # the waves begin with another phase, which spans the same terms
    assert row["effect"] == pytest.approx(np.exp(fit.params["others_past[A]"]), rel=1e-4)
    assert row["own"] == pytest.approx(np.exp(fit.params["own_past[B]"]), abs=1e-3)
    response = impulse_response(fit, "B", 2, rng=1).loc[("A", 1), "estimate"]
    assert tit_for_tat.response.loc[("A", "B", 1), "estimate"] == pytest.approx(response, rel=1e-4)


def test_an_answer_is_found_and_said(tit_for_tat):
    assert tit_for_tat.found("A", after="B") and tit_for_tat.found("B", after="A")
    said = tit_for_tat.sentence()
    assert "An attack by A is followed by 0." in said and "within 2 weeks; a shared shock and season do not" in said
    page = tit_for_tat._repr_html_()
    assert said.replace("'", "&#x27;") in page and "99 series" in page
    assert (tit_for_tat.effects["lower"] <= tit_for_tat.effects["upper"]).all()
    # the truth is 0.5
    row = tit_for_tat.effects.loc[("A", "B", 1, "1")]
    assert row["lower"] < 0.5 < row["upper"]


def test_a_shared_shock_is_no_answer():
    result = excitation(shocked(np.random.default_rng(8)), draws=99, replicates=5, rng=1)
    assert result.sentence().count("this cannot be distinguished from a shared shock (p ") == 2
    assert "nor from" not in result.sentence()
    # a likelihood-ratio test by itself would have claimed it
    assert (result.alternatives["p_value"].xs("season", level="alternative") < 0.05).all()


def test_the_direction_is_told():
    result = excitation(answering(np.random.default_rng(9), 0.8, 0.0), lags=1, draws=99, replicates=5, rng=1)
    assert result.found("A", after="B") and not result.found("B", after="A")
    assert result.effects.loc[("A", "B", 1, "1"), "effect"] > 0.5 > result.effects.loc[("B", "A", 1, "1"), "upper"]


def test_swapping_the_sides_swaps_the_effects():
    counts = answering(np.random.default_rng(9), 0.8, 0.0)
    one = excitation(counts, lags=1, draws=99, replicates=1, rng=1).effects
    other = excitation(counts[["B", "A"]], lags=1, draws=99, replicates=1, rng=1).effects
    for column in ("effect", "own", "score"):
        # the optimiser and the share's Newton steps converge to some 1e-6
        assert one[column].to_numpy() == pytest.approx(other.loc[one.index, column].to_numpy(), abs=1e-4)


def test_the_same_seed_gives_the_same_numbers():
    counts = shocked(np.random.default_rng(10))
    one, two = (excitation(counts, lags=1, draws=49, replicates=2, rng=3, widths=(1,)) for _ in range(2))
    pd.testing.assert_frame_equal(one.effects, two.effects)
    pd.testing.assert_frame_equal(one.alternatives, two.alternatives)


def test_histories_are_averaged():
    sides = [answering(np.random.default_rng(seed)).astype(int) for seed in (11, 12)]
    both = pd.concat({name: pd.concat([s[name] for s in sides], axis=1) for name in ("A", "B")}, axis=1)
    both.columns = pd.MultiIndex.from_product([["A", "B"], [0, 1]], names=["unit", "draw"])
    options = {"lags": 1, "draws": 49, "replicates": 4, "widths": (1,), "rng": 1}
    result = excitation(both, **options)
    alone = [excitation(s, **options).effects for s in sides]
    assert result.histories == 2 and "mean over 2 histories" in result._repr_html_()
    for column in ("effect", "score"):
        mean = (alone[0][column] + alone[1][column]) / 2
        assert result.effects[column].to_numpy() == pytest.approx(mean.to_numpy(), abs=1e-12)


def test_missing_periods_are_left_out_and_days_have_weekdays():
    days = pd.period_range("2024-01-01", periods=120, freq="D")
    counts = answering(np.random.default_rng(13), weeks=120).astype("Int64").set_index(days)
    counts.iloc[40, 1] = pd.NA
    result = excitation(counts, lags=1, draws=49, replicates=2, rng=1, widths=(1, 2))
    assert np.isfinite(result.effects.to_numpy()).all() and "within day" in result.sentence()


def test_a_side_that_depends_on_the_weekday_is_not_answering():
    """One side is counted on Mondays, the other on Tuesdays: without weekdays each would follow the other."""
    days = pd.period_range("2024-01-01", periods=210, freq="D")
    rng = np.random.default_rng(14)
    busy = 1 + 6 * (np.asarray(days.day_of_week)[:, None] == [0, 1])
    counts = pd.DataFrame(rng.poisson(busy), index=days, columns=["A", "B"])
    assert not excitation(counts, lags=1, draws=99, replicates=1, rng=1, widths=(1,)).found("B", after="A")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: (c["A"], {}), "a column for each of two sides"),
        (lambda c: (c.assign(C=1), {}), "between two sides and got 3"),
        (lambda c: (c, {"draws": 19}), "draws is 19; a verdict"),
        (lambda c: (c, {"season": -1}), "season is -1; give a whole number of pairs"),
        (lambda c: (c, {"lags": 0}), "lags is 0"),
        (lambda c: (c, {"confidence": 1.0}), "confidence is 1.0"),
    ],
)
def test_what_cannot_be_used_is_refused(change, message):
    counts, options = change(shocked(np.random.default_rng(15)))
    with pytest.raises(InputError, match=message):
        excitation(counts, **options)


def test_what_cannot_be_fitted_is_refused(tit_for_tat):
    counts = shocked(np.random.default_rng(16))
    with pytest.raises(
        FitError, match=r"28 bins of 1 .* too few for excitation, which needs 30; give fewer lags, a lon"
    ):
        excitation(counts.iloc[:31])
    with pytest.raises(
        FitError, match=r"24 bins of 2 .* leave 2 out of widths, give fewer lags, a longer series or sh"
    ):
        excitation(counts.iloc[:54], widths=(1, 2))
    shorter = excitation(
        counts.iloc[:54], draws=39, replicates=2, rng=1
    )  # bins of two weeks are left out by themselves
    assert set(shorter.effects.index.get_level_values("width")) == {1}
    with pytest.raises(FitError, match="side 'B' has 3 attacks, too few"):
        excitation(counts.assign(B=[1, 1, 1] + [0] * 197))
    bursts = pd.DataFrame(np.eye(150)[:, [3, 80]] * 5, index=WEEKS[:150], columns=["A", "B"])
    with pytest.raises(FitError, match="attacks are in too few periods"):
        excitation(bursts, draws=99, replicates=1, rng=1)
    with pytest.raises(InputError, match="there is no excitation of 'A' by 'C'"):
        tit_for_tat.found("A", after="C")


@pytest.mark.nightly
def test_verdicts_over_many_series():
    """A short version of benchmarks/excitation.py: at least 90% right without an answer, 70% found with one."""
    claimed = found = 0
    options = {"draws": 99, "replicates": 1}
    for rng in np.random.default_rng(17).spawn(40):
        claimed += "not explain" in excitation(shocked(rng), rng=rng, **options).sentence()
        found += "not explain" in excitation(answering(rng, 0.4, 0.4, base=1.8), rng=rng, **options).sentence()
    # claims come in 5% of series; of 40 more than 6 would come with chance 0.003
    assert claimed <= 6
    assert found >= 28
