"""One series as the compiled functions of INGARCH take it, and its sums that do not depend on the parameters."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from escalation.conventions.arrays import FloatArray, IntArray

MARGINAL, IID, FIRSTOBS, ZERO = range(4)
EXACT = 256
"""Terms of a sum over a count that are added one by one; beyond them it is integrated."""
GAUSS = np.polynomial.legendre.leggauss(8)


class Observed(NamedTuple):
    """One series of n periods and what is asked of it.

    ``nodes`` and ``weights`` are those of :func:`rising_nodes`, ``constant`` is ``-sum(log(y!))``, scored periods only.
    """

    y: FloatArray  # (n,), NaN where not observed
    exposure: FloatArray  # (n,)
    past: FloatArray  # (n,): y / exposure, or log of that + 1
    x: FloatArray  # (n, k)
    carried: FloatArray  # (k,): 0 for external regressors, else 1
    past_obs: IntArray
    past_mean: IntArray
    log: bool
    init: int
    skip: int  # first periods that are not scored
    nodes: FloatArray
    weights: FloatArray
    constant: float


def observe(
    y: FloatArray,
    exposure: FloatArray,
    x: FloatArray,
    carried: FloatArray,
    lags: tuple[tuple[int, ...], tuple[int, ...]],
    link: str,
    init: str,
    skip: int,
) -> Observed:
    """Put a series (n,), its regressors (n, k), lags, link and start into arrays."""
    past_obs, past_mean = (np.array(lag, dtype=np.int64) for lag in lags)
    code = {"marginal": MARGINAL, "iid": IID, "firstobs": FIRSTOBS, "zero": ZERO}[init]
    empty = np.empty(0)
    start = Observed(
        y,
        exposure,
        y,
        np.ascontiguousarray(x),
        carried,
        past_obs,
        past_mean,
        link == "log",
        code,
        skip,
        empty,
        empty,
        0.0,
    )
    return with_counts(start, y)


def up_to_last_count(data: Observed) -> Observed:
    """The periods up to the last that was observed."""
    last = int(np.flatnonzero(~np.isnan(data.y))[-1]) + 1
    return data._replace(y=data.y[:last], past=data.past[:last], x=data.x[:last], exposure=data.exposure[:last])


def with_counts(data: Observed, y: FloatArray) -> Observed:
    """The same with other counts (n,)."""
    rate = y / data.exposure
    scored = y[data.skip :][~np.isnan(y[data.skip :])]
    nodes, weights = rising_nodes(scored)
    return data._replace(
        y=y,
        past=np.log1p(rate) if data.log else rate,
        nodes=nodes,
        weights=weights,
        constant=-float(gammaln(scored + 1).sum()),
    )


def rising_nodes(y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights with ``sum(w * f(k)) = sum over y of (f(0) + ... + f(y - 1))`` for smooth f.

    With ``f(k) = log(1 + dispersion * k)`` this is the part of the NB2 log-likelihood with gamma functions, which
    would lose their digits for small dispersions.  Exact below 256; beyond, Gauss-Legendre in log k on stretches of at
    most a factor of 4, with the first Euler-Maclaurin correction (error below 1e-12 of the sum).
    """
    most = int(min(y.max(initial=0.0), EXACT))
    ranked = np.sort(y)
    k = np.arange(most, dtype=float)
    nodes, weights = [k], [(len(y) - np.searchsorted(ranked, k, side="right")).astype(float)]
    edges = np.unique(ranked[ranked > EXACT])
    if len(edges):
        ladder = EXACT * 4.0 ** np.arange(1, 1 + math.ceil(math.log(edges[-1] / EXACT, 4)))
        edges = np.unique(np.concatenate([[float(EXACT)], edges, ladder[ladder < edges[-1]]]))
    places, shares = GAUSS
    for low, high in itertools.pairwise(edges):
        above = float(len(y) - np.searchsorted(ranked, low, side="right"))
        if high - low <= len(places):
            nodes.append(np.arange(low, high))
            weights.append(np.full(int(high - low), above))
            continue
        half = math.log((high - 0.5) / (low - 0.5)) / 2
        at = (low - 0.5) * np.exp(half * (places + 1))
        nodes += [at, np.array([high, high - 1, low, low - 1])]
        weights += [above * shares * half * at, above * np.array([-1.0, 1.0, 1.0, -1.0]) / 24]
    return np.concatenate(nodes), np.concatenate(weights)
