"""CPU milliseconds of a regression, against statsmodels' fit of the same likelihood side by side in one run.

Both are given the same counts and terms; ours includes the checks of the table, standard errors and all.

    python benchmarks/regression.py
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.random import default_rng
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.discrete.truncated_model import HurdleCountModel

from escalation.models.contract.base import CountModel
from escalation.models.regression.hurdle import Hurdle
from escalation.models.regression.negative_binomial import NegativeBinomial
from escalation.models.regression.poisson import Poisson
from escalation.models.regression.zero_inflated import ZeroInflated


def side_by_side(ours: Callable[[], object], theirs: Callable[[], object], times: int = 60) -> tuple[float, float]:
    """Median CPU milliseconds of each, run in turns."""
    spent = np.empty((times, 2))
    for k in range(-3, times):
        for j, run in enumerate((ours, theirs)):
            begin = time.process_time()
            run()
            spent[k, j] = time.process_time() - begin
    ours_ms, theirs_ms = 1e3 * np.median(spent, axis=0)
    return float(ours_ms), float(theirs_ms)


def design(periods: int, terms: str) -> tuple[np.ndarray, dict[str, object]]:
    """Columns (n, p) of the terms as statsmodels takes them, and the options that make the same here."""
    columns = [np.ones(periods)]
    options: dict[str, object] = {}
    if terms != "level":
        columns.append(np.arange(periods) / periods)
        options["trend"] = "linear"
    if terms == "trend + season":
        angle = 2 * np.pi * np.arange(periods) / (365.25 / 7)
        columns += [wave(k * angle) for k in (1, 2) for wave in (np.sin, np.cos)]
        options["season"] = 2
    return np.column_stack(columns), options


def main() -> None:
    warnings.simplefilter("ignore")  # statsmodels warns of its own starts
    peers: list[tuple[str, Callable[..., CountModel], Callable[[np.ndarray, np.ndarray], object]]] = [
        ("Poisson", Poisson, lambda y, x: sm.Poisson(y, x).fit(disp=0)),
        ("Poisson (GLM)", Poisson, lambda y, x: sm.GLM(y, x, family=sm.families.Poisson()).fit()),
        ("NB2", NegativeBinomial, lambda y, x: sm.NegativeBinomial(y, x).fit(disp=0)),
        (
            "NB1",
            lambda **options: NegativeBinomial(variance="nb1", **options),
            lambda y, x: sm.NegativeBinomial(y, x, loglike_method="nb1").fit(disp=0),
        ),
        (
            "zero-inflated Poisson",
            lambda **options: ZeroInflated(family="poisson", **options),
            lambda y, x: ZeroInflatedPoisson(y, x).fit(disp=0),
        ),
        (
            "hurdle Poisson",
            lambda **options: Hurdle(family="poisson", **options),
            lambda y, x: HurdleCountModel(y, x).fit(disp=0),
        ),
    ]
    print(f"{'':24s}{'terms':>16s}{'n':>6s}{'ours':>9s}{'statsmodels':>13s}{'ratio':>7s}")
    for name, make, fit in peers:
        for periods in (100, 500):
            for terms in ("level", "trend", "trend + season"):
                x, options = design(periods, terms)
                rng = default_rng(1)
                y = rng.poisson(rng.gamma(5, 0.2, periods) * 4).astype(float)
                y[rng.random(periods) < 0.1] = 0
                counts = pd.Series(y, index=pd.period_range("2015-01-05", periods=periods, freq="W-SUN"))
                model = make(**options)
                ours, theirs = side_by_side(lambda m=model, c=counts: m.fit(c), lambda y=y, x=x, f=fit: f(y, x))  # type: ignore[misc]
                print(f"{name:24s}{terms:>16s}{periods:6d}{ours:9.2f}{theirs:13.2f}{ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
