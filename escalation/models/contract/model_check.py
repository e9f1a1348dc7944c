"""Does a model keep the contract? What the authors of models in other packages run over theirs."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.errors import EscalationWarning, FitError, InputError
from escalation.models.contract.base import CountFit, CountModel

PERIODS = 60
"""Weeks of the simulated series that most checks fit to."""
LEVEL = 20.0
"""Mean of its counts."""
AWKWARD: dict[str, Sequence[float]] = {
    "all zero": [0] * 30,
    "one event": [0] * 17 + [1] + [0] * 12,
    "constant": [7] * 30,
    "very large": [10**12] * 20,
    "an outlier": [3, 2, 4, 3, 5, 1, 2, 3, 4, 10**7],
    "an onset": [0] * 20 + [40, 55, 80, 90],
    "a lull": [40, 55, 80, 90] + [0] * 20,
    "one period": [4],
    "mostly missing": [np.nan] * 12 + [3, np.nan, np.nan, 8, 1, np.nan, 2, 7] + [np.nan] * 3,
    "all missing": [np.nan] * 8,
}
"""Counts that a model answers with numbers or refuses with an error of the package."""

Check = Callable[[CountModel], "str | None"]


def check_model(model: CountModel) -> pd.DataFrame:
    """Run the contract of models of one series over a model, on simulated counts.

    For authors of models in other packages; ours pass it too.  It looks at what can be seen from outside: options that
    are frozen, fits of the right shape, forecasts that a seed repeats and that go on at the level of the counts,
    missing periods that are not taken for zeros, exposure, histories, the distributions behind
    :meth:`CountFit.diagnose`, and counts that models break on.  Whether its intervals hold what they state it does
    not look at; see :func:`escalation.backtest`.

    Parameters
    ----------
    model : CountModel
        With the options that it is to be checked with.

    Returns
    -------
    pandas.DataFrame
        One row a check that was passed, ``check``.

    Raises
    ------
    InputError
        If a check is not passed; the message names each of them, with what was found.

    Examples
    --------
    >>> from escalation.models.baselines.climatology import Climatology
    >>> check_model(Climatology())["check"].tail(3).tolist()
    ['histories are pooled', 'fits can be pickled', 'awkward counts give numbers or a clear error']
    """
    if not isinstance(model, CountModel):
        raise InputError(f"model is a {type(model).__name__}; give a CountModel with its options")
    broken = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EscalationWarning)
        for words, check in CHECKS.items():
            try:
                found = check(model)
            except (Exception, SystemExit) as error:  # whatever the model of another package raises
                found = f"{type(error).__name__}: {error}"
            if found is not None:
                broken[words] = found
    if broken:
        alike: dict[str, list[str]] = {}  # one fault fails many checks
        for words, found in broken.items():
            alike.setdefault(found, []).append(words)
        said = "; ".join(f"{', '.join(words)}: {found}" for found, words in alike.items())
        raise InputError(f"{model.name} does not keep the contract in {len(broken)} of {len(CHECKS)} checks: {said}")
    return pd.DataFrame({"check": list(CHECKS)})


def _series(values: FloatArray | Sequence[float]) -> pd.Series:
    periods = pd.period_range("2022-01-03", periods=len(values), freq="W-SUN", name="period")
    return pd.Series(np.asarray(values, dtype=float), index=periods)


def _typical(seed: int = 1) -> pd.Series:
    """Negative binomial counts of mean 20 without a trend."""
    rng = np.random.default_rng(seed)
    return _series(rng.poisson(LEVEL * rng.gamma(5, 0.2, PERIODS)).astype(float))


def _paths(fit: CountFit, steps: int = 4, draws: int = 2000, seed: int = 1) -> FloatArray:
    return fit.forecast(steps, draws=draws, rng=seed).series_paths.astype(float)


def _options(model: CountModel) -> str | None:
    kind = type(model)
    if not (dataclasses.is_dataclass(model) and kind.__dataclass_params__.frozen):
        return f"{kind.__name__} is no frozen dataclass"
    same = dataclasses.replace(model)
    if (same, hash(same)) != (model, hash(model)):
        return "two models with the same options are not equal, or have other hashes"
    return None if pickle.loads(pickle.dumps(model)) == model else "it is another one after pickling"


def _name(model: CountModel) -> str | None:
    name = model.name
    return None if name.isidentifier() and name == name.lower() else f"the name is {name!r}"


def _signatures(model: CountModel) -> str | None:
    methods = ("fit", "estimate", "simulate", "distributions", "carry")
    wrong = [
        method
        for method in methods
        if list(inspect.signature(getattr(type(model), method)).parameters)
        != list(inspect.signature(getattr(CountModel, method)).parameters)
    ]
    return f"other parameters than those of CountModel: {', '.join(wrong)}" if wrong else None


def _fit(model: CountModel) -> str | None:
    counts = _typical()
    fit = model.fit(counts)
    names = list(fit.params.index)
    if len(set(names)) != len(names) or fit.cov_params.shape != (len(names), len(names)):
        return f"parameters {names} with a covariance of the shape {fit.cov_params.shape}"
    if not np.isfinite(fit.params).all() or not (fit.bse.isna() | (fit.bse >= 0)).all():
        return "parameters that are not finite, or negative variances"
    fitted = fit.fitted.to_numpy()
    if fitted.shape != (PERIODS,) or not (np.isfinite(fitted).all() and (fitted > 0).all()):
        return f"fitted values of the shape {fitted.shape}, or not above 0"
    far = abs(fitted.mean() / counts.mean() - 1)
    return f"fitted values with a mean {far:.0%} from that of the counts" if far > 0.3 else None


def _given_is_kept(model: CountModel) -> str | None:
    counts, exposure = _typical(), _series(np.linspace(0.5, 1, PERIODS))
    before = counts.copy(), exposure.copy()
    fit = model.fit(counts, exposure=exposure)
    if not (counts.equals(before[0]) and exposure.equals(before[1])):
        return "the fit changed its counts or its exposure"
    first = _paths(fit, draws=50)
    counts.iloc[:] = 0
    return None if np.array_equal(_paths(fit, draws=50), first) else "a later change of the counts changes the forecast"


def _seeds(model: CountModel) -> str | None:
    one, again = (_paths(model.fit(_typical()), draws=200) for _ in range(2))
    if not np.array_equal(one, again):
        return "the same seed gives other paths"
    other = _paths(model.fit(_typical()), draws=200, seed=2)
    return "another seed gives the same paths" if np.array_equal(one, other) else None


def _forecast(model: CountModel) -> str | None:
    paths = _paths(model.fit(_typical()))
    if paths.shape != (2000, 4) or paths.min() < 0:
        return f"paths of the shape {paths.shape}, the least count {paths.min():g}"
    if len(np.unique(paths[:, 0])) < 6:
        return "hardly any two paths differ"
    off = abs(paths.mean() / LEVEL - 1)
    return f"the mean of the forecast is {off:.0%} from the level of the counts" if off > 0.35 else None


def _missing(model: CountModel) -> str | None:
    counts = _typical()
    counts.iloc[10:40:2] = np.nan
    fit = model.fit(counts)
    if fit.nobs != PERIODS - 15:
        return f"{fit.nobs} counts of {PERIODS - 15}"
    off = abs(_paths(fit, steps=1).mean() / LEVEL - 1)  # zeros would take a fifth to a quarter off
    return f"with a quarter missing the forecast is {off:.0%} from the level" if off > 0.4 else None


def _exposure(model: CountModel) -> str | None:
    counts = _typical() * 2
    half = model.fit(counts / 2, exposure=pd.Series(0.5, index=counts.index))
    ratio = _paths(half).mean() / _paths(model.fit(counts)).mean()
    # forecasts are of full periods; a mean of 2,000 paths is good to some per cent, and half the events say less
    return None if abs(ratio - 1) < 0.15 else f"periods covered by half change the forecast by the factor {ratio:.2f}"


def _distributions(model: CountModel) -> str | None:
    fit = model.fit(_typical())
    given = model.distributions(fit.estimates[0], fit.array[0], fit.design)
    support = np.arange(400.0)
    pmf = np.array([given.pmf(np.full(PERIODS, k)) for k in support])
    cdf = np.array([given.cdf(np.full(PERIODS, k)) for k in support])
    known = ~np.isnan(cdf[0])
    if known.sum() < PERIODS // 2:
        return f"only {known.sum()} of {PERIODS} counts have a distribution"
    away = np.abs(pmf.cumsum(axis=0) - cdf)[:, known].max()
    if away > 1e-6 or (cdf[-1, known] < 0.999).any():
        return f"sums of the probabilities differ from the distribution function by up to {away:.2g}"
    off = np.abs(support @ pmf[:, known] / given.mean[known] - 1).max()
    return f"its means differ from those of the probabilities by up to {off:.0%}" if off > 0.03 else None


def _update(model: CountModel) -> str | None:
    counts = _typical()
    fit = model.fit(counts.iloc[:40])
    later = fit.update(counts)
    if later.nobs != PERIODS:
        return f"after an update {later.nobs} counts of {PERIODS}"
    if fit.estimates[0].names and not later.params.equals(fit.params):
        return "an update changed the parameters"
    return None


def _histories(model: CountModel) -> str | None:
    several = [_typical(seed) for seed in range(4)]
    table = pd.concat(several, axis=1).astype("int64")
    table.columns = pd.RangeIndex(4, name="draw")
    fit = model.fit(table)
    if len(fit.estimates) != 4:
        return f"{len(fit.estimates)} estimates of 4 histories"
    alone = np.mean([model.fit(one).fitted for one in several], axis=0)
    return None if np.allclose(fit.fitted, alone) else "the fit to histories is not the mean of those to each"


def _pickling(model: CountModel) -> str | None:
    fit = model.fit(_typical())
    again = pickle.loads(pickle.dumps(fit))
    return None if np.array_equal(_paths(again, draws=40), _paths(fit, draws=40)) else "it forecasts otherwise then"


def _awkward(model: CountModel) -> str | None:
    for words, values in AWKWARD.items():
        try:
            fit = model.fit(_series(values))
            paths, fitted = _paths(fit, steps=6, draws=60), fit.fitted
        except (FitError, InputError) as error:
            few = np.isfinite(values).sum() < 10 or np.nanmax(values) > 1e9
            if not few:
                return f"{words} is refused: {error}"
            continue
        except (Exception, SystemExit) as error:
            return f"{words} ends in {type(error).__name__}: {error}"
        if paths.min() < 0 or not np.isfinite(fitted).all() or not np.isfinite(fit.params).all():
            return f"{words} gives numbers that are not finite, or below 0"
    return None


CHECKS: dict[str, Check] = {
    "the options are frozen": _options,
    "the name is one": _name,
    "the methods take what those of the contract take": _signatures,
    "a fit has everything": _fit,
    "a fit keeps what it was given": _given_is_kept,
    "a seed repeats a forecast": _seeds,
    "forecasts go on at the level of the counts": _forecast,
    "missing periods are not zeros": _missing,
    "exposure makes rates of counts": _exposure,
    "distributions are probabilities": _distributions,
    "a fit can be updated": _update,
    "histories are pooled": _histories,
    "fits can be pickled": _pickling,
    "awkward counts give numbers or a clear error": _awkward,
}
