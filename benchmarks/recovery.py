"""Recovery of known parameters: bias and interval coverage of the estimates over simulated series.

All series of a case have the same true parameters.  Held to: bias within 3 of its Monte Carlo errors,
95% confidence intervals that hold the truth in 0.92 to 0.97 of the series.

    python benchmarks/recovery.py --case negative_binomial --series 200
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from escalation.errors import NotConvergedWarning
from escalation.models.contract.base import CountModel, PanelModel
from escalation.models.contract.estimate import FitResult
from escalation.models.endemic_epidemic.model import EndemicEpidemic
from escalation.models.hidden_markov.model import HiddenMarkov
from escalation.models.ingarch.model import INGARCH
from escalation.models.levels.local_level import LocalLevel
from escalation.models.levels.local_trend import LocalTrend
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.zero_inflated import ZeroInflated

FloatArray = NDArray[np.float64]


class Case(NamedTuple):
    """A model, series of it, and the parameters behind them.

    ``simulate`` gives counts of so many periods, shape (n,), or (n, units) for a panel; ``truth`` has the true
    values of the parameters to be judged, by their names in ``fit.params``; ``periods`` is the usual length.
    """

    model: CountModel | PanelModel
    simulate: Callable[[int, Generator], FloatArray]
    truth: dict[str, float]
    periods: int = 400


def counts_around(mean: FloatArray, dispersion: float, rng: Generator) -> FloatArray:
    """NB2 counts with these means."""
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, len(mean))).astype(float)


def trending(periods: int, level: float, trend: float) -> FloatArray:
    """Means with a linear trend of their logs."""
    return np.exp(level + trend * np.arange(float(periods)))


def zeros_in(counts: FloatArray, odds: float, rng: Generator) -> FloatArray:
    """The same counts, each turned into 0 with these log odds."""
    return np.where(rng.random(len(counts)) < 1 / (1 + np.exp(-odds)), 0.0, counts)


def positive(mean: FloatArray, dispersion: float, rng: Generator) -> FloatArray:
    """NB2 counts with these means, drawn again where they are 0."""
    counts = counts_around(mean, dispersion, rng)
    while (again := counts == 0).any():
        counts[again] = counts_around(mean[again], dispersion, rng)
    return counts


def following(periods: int, rng: Generator) -> FloatArray:
    """NB2 counts (periods, 3) that follow their own past and that of the others, with ``EPIDEMIC``'s parameters."""
    endemic = np.exp([EPIDEMIC[f"level[{unit}]"] for unit in range(3)])
    own, others = np.exp(EPIDEMIC["own_past"]), np.exp(EPIDEMIC["others_past"])
    past = endemic / (1 - own - others)
    counts = np.empty((periods + 50, 3))
    for t in range(len(counts)):
        past = counts[t] = counts_around(endemic + own * past + others * (past.sum() - past) / 2, 0.15, rng)
    return counts[50:]


def nb1_around(mean: FloatArray, ratio: float, rng: Generator) -> FloatArray:
    """NB1 counts with these means and this ratio of variance to mean."""
    return rng.poisson(rng.gamma(mean / (ratio - 1), ratio - 1)).astype(float)


def drifting(periods: int, truth: dict[str, float], rng: Generator) -> FloatArray:
    """Logs of rates drawn back to a level."""
    level, damping, level_sd, _ = truth.values()
    x = np.empty(periods)
    x[0] = level + level_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, periods):
        x[t] = level + damping * (x[t - 1] - level) + level_sd * rng.standard_normal()
    return x


def sloping(periods: int, truth: dict[str, float], rng: Generator) -> FloatArray:
    """Logs of rates with a drifting slope, around 3."""
    slope_sd, damping, level_sd, _ = truth.values()
    x, slope = np.zeros(periods), slope_sd / np.sqrt(1 - damping**2) * rng.standard_normal()
    for t in range(1, periods):
        x[t] = x[t - 1] + slope + level_sd * rng.standard_normal()
        slope = damping * slope + slope_sd * rng.standard_normal()
    centred: FloatArray = x - x.mean() + 3
    return centred


DRIFT = {"level": 3.0, "damping": 0.85, "level_sd": 0.2, "dispersion": 0.1}
SLOPE = {"slope_sd": 0.03, "damping": 0.85, "level_sd": 0.1, "dispersion": 0.1}


def autoregressive(link: Literal["identity", "log"], truth: dict[str, float]) -> Case:
    """INGARCH of lags 1 and 1, Poisson where the truth has no dispersion; long, as its estimates are skewed."""
    intercept, beta, alpha, dispersion = (*truth.values(), 0.0)[:4]

    def simulate(periods: int, rng: Generator) -> FloatArray:
        state, counts = intercept / (1 - beta - alpha), np.empty(periods + 100)
        for t in range(len(counts)):
            mean = np.exp(state) if link == "log" else state
            counts[t] = rng.poisson(mean * (rng.gamma(1 / dispersion, dispersion) if dispersion else 1.0))
            state = intercept + beta * (np.log1p(counts[t]) if link == "log" else counts[t]) + alpha * state
        return counts[100:]

    return Case(INGARCH(link=link, family="negbin" if dispersion else "poisson"), simulate, truth, 1_500)


INGARCH_IDENTITY = {"intercept": 3.0, "beta_1": 0.35, "alpha_1": 0.4, "dispersion": 0.15}
INGARCH_LOG = {"intercept": 0.6, "beta_1": 0.35, "alpha_1": 0.4, "dispersion": 0.15}


def in_regimes(periods: int, rng: Generator) -> FloatArray:
    """Means of a quiet and an active regime, with the moves between them of ``REGIMES``."""
    leave = REGIMES["p_quiet_active"], REGIMES["p_active_quiet"]
    regimes = np.empty(periods, dtype=int)
    regimes[0] = rng.random() < leave[0] / sum(leave)
    for t in range(1, periods):
        regimes[t] = regimes[t - 1] ^ (rng.random() < leave[regimes[t - 1]])
    return np.array([REGIMES["rate_quiet"], REGIMES["rate_active"]])[regimes]


NB1 = {"level": 1.0, "trend": 0.004, "variance_to_mean": 3.0}
EPIDEMIC = {
    "level[0]": 1.0,
    "level[1]": 1.5,
    "level[2]": 0.5,
    "own_past": np.log(0.3),
    "others_past": np.log(0.4),
    "dispersion": 0.15,
}
WITH_ZEROS = {"level": 1.5, "trend": 0.002, "zero_level": -0.8, "dispersion": 0.4}
NB2 = {"level": 1.0, "trend": 0.004, "dispersion": 0.4}

REGIMES = {"rate_quiet": 2.0, "rate_active": 15.0, "p_quiet_active": 0.1, "p_active_quiet": 0.15, "dispersion": 0.1}

CASES: dict[str, Case] = {
    "hidden_markov": Case(
        HiddenMarkov(), lambda n, rng: counts_around(in_regimes(n, rng), REGIMES["dispersion"], rng), REGIMES, 1200
    ),
    "negative_binomial": Case(
        NegativeBinomial(trend="linear"),
        lambda n, rng: counts_around(trending(n, NB2["level"], NB2["trend"]), NB2["dispersion"], rng),
        NB2,
    ),
    "nb1": Case(
        NegativeBinomial(trend="linear", variance="nb1"),
        lambda n, rng: nb1_around(trending(n, NB1["level"], NB1["trend"]), NB1["variance_to_mean"], rng),
        NB1,
    ),
    "endemic_epidemic": Case(EndemicEpidemic(), following, EPIDEMIC, 1_000),
    "poisson": Case(
        Poisson(trend="linear"),
        lambda n, rng: rng.poisson(trending(n, 1.0, 0.004)).astype(float),
        {"level": 1.0, "trend": 0.004},
    ),
    "zero_inflated": Case(
        ZeroInflated(trend="linear"),
        lambda n, rng: zeros_in(counts_around(trending(n, 1.5, 0.002), 0.4, rng), WITH_ZEROS["zero_level"], rng),
        WITH_ZEROS,
        600,
    ),
    "hurdle": Case(
        Hurdle(trend="linear"),
        lambda n, rng: zeros_in(positive(trending(n, 1.5, 0.002), 0.4, rng), WITH_ZEROS["zero_level"], rng),
        WITH_ZEROS,
        600,
    ),
    "ingarch": autoregressive("identity", INGARCH_IDENTITY),
    "ingarch_log": autoregressive("log", INGARCH_LOG),
    "ingarch_poisson": autoregressive("identity", dict(list(INGARCH_IDENTITY.items())[:3])),
    "ingarch_log_poisson": autoregressive("log", dict(list(INGARCH_LOG.items())[:3])),
    "local_level": Case(
        LocalLevel(link="log"),
        lambda n, rng: counts_around(np.exp(drifting(n, DRIFT, rng)), DRIFT["dispersion"], rng),
        DRIFT,
    ),
    # modes lean on the priors: with 400 periods slope_sd is 4 Monte Carlo errors of 200 series too low
    "local_trend": Case(
        LocalTrend(),
        lambda n, rng: counts_around(np.exp(sloping(n, SLOPE, rng)), SLOPE["dispersion"], rng),
        SLOPE,
        1000,
    ),
}


def measure(name: str, *, series: int, periods: int | None = None, level: float = 0.95, seed: int = 1) -> pd.DataFrame:
    """Recovery of each parameter of a case, one row a parameter.

    Columns: ``truth``, mean ``estimate``, ``bias``, its Monte Carlo ``error``, ``bias_in_errors``, mean ``std_error``
    of the fits, ``sd`` of the estimates, ``coverage`` of the intervals.
    """
    case = CASES[name]
    n = periods or case.periods
    index = pd.period_range("2010-01-04", periods=n, freq="W-SUN")
    truth = pd.Series(case.truth)
    estimates, errors, held = (np.empty((series, len(truth))) for _ in range(3))
    for k, rng in enumerate(default_rng(seed).spawn(series)):
        values = case.simulate(n, rng)
        if isinstance(case.model, PanelModel):
            fit: FitResult = case.model.fit(pd.DataFrame(values, index=index))
        else:
            fit = case.model.fit(pd.Series(values, index=index))
        interval = fit.conf_int(level).loc[truth.index]
        estimates[k], errors[k] = fit.params[truth.index], fit.bse[truth.index]
        held[k] = (interval["lower"] <= truth) & (truth <= interval["upper"])
    table = pd.DataFrame({"truth": truth, "estimate": estimates.mean(axis=0)})
    table["bias"] = table["estimate"] - truth
    table["error"] = estimates.std(axis=0, ddof=1) / np.sqrt(series)
    table["bias_in_errors"] = table["bias"] / table["error"]
    table["std_error"], table["sd"] = errors.mean(axis=0), estimates.std(axis=0, ddof=1)
    table["coverage"] = held.mean(axis=0)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Recovery of known parameters over simulated series.")
    parser.add_argument("--case", choices=sorted(CASES), action="append", help="all of them when left out")
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--periods", type=int, help="the case's own when left out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.case or sorted(CASES):
        begin = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table = measure(name, series=options.series, periods=options.periods, seed=options.seed)
        not_converged = sum(issubclass(one.category, NotConvergedWarning) for one in caught)
        seconds = time.perf_counter() - begin
        periods = options.periods or CASES[name].periods
        print(f"{name}: {CASES[name].model}, {options.series} series of {periods} periods")
        print(table.round(4).to_string())
        speed = f"{seconds:.1f} s, {1000 * seconds / options.series:.1f} ms a series"
        print(f"{not_converged} fits did not converge; {speed}\n")


if __name__ == "__main__":
    main()
