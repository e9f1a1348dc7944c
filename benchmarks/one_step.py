"""One-step forecasts of the last fifth of two disease series, NB INGARCH against baselines, each fitted anew each step.

The series are those of R's tscount, ``campy`` (28 days, seasons of 13) and ``ecoli`` (weeks, seasons of 52).  What
INGARCH is fitted is chosen on the first four fifths alone, by four rules that are shown side by side, because they
choose differently and none was fixed before the last fifth had been seen: the least BIC over lags, the least BIC over
lags, links and a yearly wave, the least mean CRPS of one-step forecasts of the second half of those four fifths, and a
pool over lags with Akaike weights.  The README says what else was tried.  AutoETS is that of statsforecast, and is left
out where that is not installed.

    python benchmarks/one_step.py --data shared/data/reference
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from escalation import INGARCH, Climatology, NegativeBinomial, Poisson
from escalation.models import LastValue
from escalation.models.contract.base import CountFit, CountModel
from escalation.scores import coverage, crps

FloatArray = NDArray[np.float64]
Draw = Callable[[pd.Series, int, Generator], FloatArray]
"""From the counts so far, the length of a season and a generator to draws of the next count."""

DRAWS = 20_000
"""With 2,000 the mean CRPS of campy would be known to 0.02 only."""
SERIES = {"campy": ("y", 13), "ecoli": ("cases", 52)}


class Candidate(NamedTuple):
    """An INGARCH, and whether a yearly wave is among its regressors."""

    model: INGARCH
    wave: bool

    def fit(self, counts: pd.Series, season: int) -> CountFit:
        """Fit to all counts so far."""
        return self.model.fit(counts, exog=self._waves(np.arange(len(counts)), season))

    def draw(self, counts: pd.Series, season: int, rng: Generator) -> FloatArray:
        """Draws of the next count."""
        ahead = self._waves(np.array([len(counts)]), season)
        return self.fit(counts, season).forecast(1, draws=DRAWS, exog=ahead, rng=rng).series_paths[:, 0].astype(float)

    def bic(self, counts: pd.Series, season: int) -> float:
        """Schwarz's criterion; a wave has two free coefficients."""
        fit = self.fit(counts, season)
        spare = 2 if self.wave and self.model.link == "identity" else 0
        return fit.bic - spare * float(np.log(fit.nobs))

    def _waves(self, time: FloatArray, season: int) -> pd.DataFrame | None:
        """With the identity link waves of both signs above 0, as effects are positive there."""
        turn = 2 * np.pi * time / season
        waves = {"sin": np.sin(turn), "cos": np.cos(turn)}
        if self.model.link == "identity":
            waves = {f"{sign}{name}": 1 + float(f"{sign}1") * wave for name, wave in waves.items() for sign in "+-"}
        return pd.DataFrame(waves) if self.wave else None

    def __str__(self) -> str:
        wave = ", a yearly wave" if self.wave else ""
        return f"past_obs {self.model.past_obs}, past_mean {self.model.past_mean}, {self.model.link} link{wave}"


class Pool(NamedTuple):
    """Several INGARCH, each drawn from as often as its weight says; the weights sum to 1."""

    members: list[Candidate]
    weights: FloatArray

    def draw(self, counts: pd.Series, season: int, rng: Generator) -> FloatArray:
        """Draws of the next count."""
        ends = np.round(DRAWS * np.cumsum(self.weights)).astype(int)
        shares = zip(self.members, np.diff(ends, prepend=0), strict=True)
        return np.concatenate([one.draw(counts, season, rng)[:share] for one, share in shares if share])

    def __str__(self) -> str:
        return "; ".join(f"{weight:.2f} of {one}" for one, weight in zip(self.members, self.weights, strict=True))


def by_akaike(counts: pd.Series, season: int) -> Pool:
    """All pairs of lags 1, with or without a season, of counts and none, 1, a season or both of means.

    Weights are exp(-AICc / 2), in which AIC has the correction for short series that Burnham & Anderson (2004,
    doi:10.1177/0049124104268644) advise below some 40 counts a parameter.
    """
    lags = [(p, q) for p in ((1,), (1, season)) for q in ((), (1,), (season,), (1, season))]
    members = [Candidate(INGARCH(*pair), False) for pair in lags]
    fits = [one.fit(counts, season) for one in members]
    sizes = np.array([len(fit.params) for fit in fits])
    aicc = np.array([fit.aic for fit in fits]) + 2 * sizes * (sizes + 1) / (len(counts) - sizes - 1)
    weights = np.exp((aicc.min() - aicc) / 2)
    return Pool(members, weights / weights.sum())


def by_lags(counts: pd.Series, season: int) -> Candidate:
    """The least BIC of lags 1 and 1, and of those with a lag of one season added to either."""
    lags = (((1,), (1,)), ((1, season), (1,)), ((1,), (1, season)))
    return min((Candidate(INGARCH(*pair), False) for pair in lags), key=lambda one: one.bic(counts, season))


def all_candidates(season: int, links: Sequence[Literal["identity", "log"]]) -> list[Candidate]:
    """With or without a lag of one season, lag 1 of means, a wave."""
    return [
        Candidate(INGARCH(past_obs, past_mean, link=link), wave)
        for link in links
        for past_obs in ((1,), (1, season))
        for past_mean in ((1,), ())
        for wave in (False, True)
    ]


def by_all(counts: pd.Series, season: int) -> Candidate:
    """The least BIC of all candidates of both links."""
    return min(all_candidates(season, ("identity", "log")), key=lambda one: one.bic(counts, season))


def by_past_scores(counts: pd.Series, season: int) -> Candidate:
    """The least mean CRPS in the second half of these counts, of the candidates with the identity link."""
    half = len(counts) // 2

    def loss(one: Candidate) -> float:
        drawn = measure(counts, season, {"": one.draw}, half)[""]
        return float(crps(drawn, counts.to_numpy()[half:], estimator="fair").mean())

    return min(all_candidates(season, ("identity",)), key=loss)


RULES: dict[str, Callable[[pd.Series, int], Candidate | Pool]] = {
    "BIC over lags": by_lags,
    "BIC over all": by_all,
    "past CRPS": by_past_scores,
    "Akaike weights over lags": by_akaike,
}


def of_model(model: CountModel) -> Draw:
    return lambda counts, _, rng: model.fit(counts).forecast(1, draws=DRAWS, rng=rng).series_paths[:, 0].astype(float)


def same_season(counts: pd.Series, season: int, rng: Generator) -> FloatArray:
    """Counts of the same time of year and of the period before and after it, in all years."""
    away = (len(counts) - np.arange(len(counts))) % season
    return rng.choice(counts.to_numpy()[np.minimum(away, season - away) <= 1], DRAWS)


def smoothed(counts: pd.Series, _: int, rng: Generator) -> FloatArray:
    """Poisson around an exponentially weighted mean, its weight by maximum likelihood."""
    y = counts.to_numpy()

    def levels(weight: float) -> FloatArray:
        level, all_levels = y[:12].mean(), np.empty(len(y) + 1)
        for t, one in enumerate(y):
            all_levels[t] = level
            level += weight * (one - level)
        all_levels[-1] = level
        return np.maximum(all_levels, 1e-9)

    def loss(weight: float) -> float:
        mean = levels(weight)[:-1]
        return float((mean - y * np.log(mean)).sum())

    weight = minimize_scalar(loss, bounds=(0.01, 0.99), method="bounded").x
    return rng.poisson(levels(weight)[-1], DRAWS).astype(float)


BASELINES: dict[str, Draw] = {
    "last value, Poisson": of_model(LastValue()),
    "mean, Poisson": of_model(Poisson()),
    "all counts so far": of_model(Climatology(window=None)),
    "last 12 counts": of_model(Climatology(window=12)),
    "same season": same_season,
    "NB, independent": of_model(NegativeBinomial()),
    "smoothed, Poisson": smoothed,
}


def auto_ets(counts: pd.Series, season: int, rng: Generator) -> FloatArray:
    """Normal draws with the mean and the 90% interval of AutoETS, as it gives them: they may be below 0."""
    from statsforecast.models import AutoETS

    ahead = AutoETS(season_length=season if season <= 24 else 1).forecast(counts.to_numpy(), h=1, level=[90])
    sd = (ahead["hi-90"][0] - ahead["lo-90"][0]) / (2 * 1.6448536269514722)
    return rng.normal(ahead["mean"][0], sd, DRAWS)


def measure(
    counts: pd.Series, season: int, forecasters: dict[str, Draw], first: int, seed: int = 1
) -> dict[str, FloatArray]:
    """Draws (origins, DRAWS) of each forecaster for the counts from place ``first`` on."""
    drawn = {name: np.empty((len(counts) - first, DRAWS)) for name in forecasters}
    for k, rng in enumerate(default_rng(seed).spawn(len(counts) - first)):
        for name, draw in forecasters.items():
            drawn[name][k] = draw(counts.iloc[: first + k], season, rng)
    return drawn


def table(drawn: dict[str, FloatArray], y: FloatArray, least: str) -> pd.DataFrame:
    """Mean CRPS (fair), share of 90% intervals that held the count, least bound; differences from one of them."""
    scores = {name: crps(draws, y, estimator="fair") for name, draws in drawn.items()}
    rows = {}
    for name, draws in drawn.items():
        more = scores[name] - scores[least]
        error = 1.96 * more.std(ddof=1) / np.sqrt(len(y))
        rows[name] = {
            "crps": scores[name].mean(),
            "coverage": coverage(draws, y, level=0.9).mean(),
            "least_bound": np.quantile(draws, 0.05, axis=1).min(),
            "more": more.mean(),
            "from": more.mean() - error,
            "to": more.mean() + error,
        }
    return pd.DataFrame(rows).T.sort_values("crps")


def main() -> None:
    parser = argparse.ArgumentParser(description="One-step forecasts of the last fifth of campy and ecoli.")
    parser.add_argument("--data", type=Path, required=True, help="folder with campy.csv and ecoli.csv")
    options = parser.parse_args()
    for name, (column, season) in SERIES.items():
        values = pd.read_csv(options.data / f"{name}.csv")[column].astype(float)
        counts = pd.Series(values.to_numpy(), index=pd.period_range("2000-01-03", periods=len(values), freq="W-SUN"))
        first = int(0.8 * len(counts))
        print(f"{name}: {len(counts) - first} steps; more: than INGARCH by BIC over lags, with 95% intervals")
        forecasters = dict(BASELINES)
        for rule, choose in RULES.items():
            chosen = choose(counts.iloc[:first], season)
            print(f"  INGARCH by {rule}: {chosen}")
            forecasters[f"INGARCH by {rule}"] = chosen.draw
        if find_spec("statsforecast"):
            forecasters["AutoETS"] = auto_ets
        drawn = measure(counts, season, forecasters, first)
        print(table(drawn, counts.to_numpy()[first:], "INGARCH by BIC over lags").round(3).to_string(), end="\n\n")


if __name__ == "__main__":
    main()
