"""A fit as a results object of statsmodels, at the maximum that was found here: its summary, tests and diagnostics.

Nothing is optimised again.  A model of statsmodels is made of the terms and the counts, and its results are taken at
the parameters of the fit, with the covariance from its Hessian there (of zero-inflated models: from its score).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.regression.derivatives import Variance
from escalation.models.regression.terms import Terms

LARGEST_GAIN = 1e-4
"""A Newton step that promises more than this (in log-likelihood) shows that the point is no maximum."""
LARGEST_VARIANCE = 1e4
"""Largest variance of the log mean or log odds of an observed period; above it a coefficient has no finite estimate."""


class Observed(NamedTuple):
    """What a fit saw in the observed periods: counts, terms, those of a zero, and the log exposure (None if all 0)."""

    y: pd.Series
    x: pd.DataFrame
    z: pd.DataFrame
    offset: FloatArray | None


def observed(
    name: str, estimate: Estimate, counts: FloatArray, design: Design, terms: Terms, zero: Terms | None = None
) -> Observed:
    """Put the observed periods of a fit into tables with the names of the terms.

    Parameters
    ----------
    name : str
        Of the model here, for errors.
    estimate : Estimate
        The fit; its first parameters are the coefficients of the terms.
    counts : (n,) float array
        Whole numbers, NaN where not observed.
    design : Design
        The same n periods.
    terms, zero : Terms
        Of the mean, and of the log odds of a zero (None where there are none).

    Raises
    ------
    InputError
        If the fit was updated, so that its parameters are those of other counts, or a coefficient has no finite
        estimate.
    """
    if math.isnan(estimate.llf):
        raise InputError(
            "the parameters of an updated fit are of earlier counts; take results of the fit before update"
        )
    seen = ~np.isnan(counts)
    x, z = (pd.DataFrame() if one is None else _table(one, design)[seen] for one in (terms, zero))
    p = x.shape[1]
    for table, place in ((x, slice(p)), (z, slice(p, p + z.shape[1]))):
        columns = table.to_numpy()
        if ((columns @ estimate.cov[place, place]) * columns).sum(axis=1).max(initial=0.0) > LARGEST_VARIANCE:
            raise _endless(name)
    offset = np.log(design.exposure[seen])
    return Observed(pd.Series(counts, design.periods, name="counts")[seen], x, z, offset if offset.any() else None)


def _table(terms: Terms, design: Design) -> pd.DataFrame:
    names, matrix = terms.columns(design)
    return pd.DataFrame(matrix, index=design.periods, columns=names)


def regression_results(name: str, variance: Variance, seen: Observed, params: FloatArray) -> Any:
    """Results of statsmodels' ``Poisson`` or ``NegativeBinomialP``.

    Parameters
    ----------
    name : str
        Of the model here, for errors.
    variance : {"poisson", "nb2", "nb1"}
        How the variance follows from the mean.
    seen : Observed
        What the fit saw.
    params : (p,) or (p + 1,) float array
        Coefficients, and for NB2 the dispersion, for NB1 the variance over the mean.

    Raises
    ------
    InputError
        If the counts are not overdispersed, or a coefficient has no finite estimate.
    """
    from statsmodels.discrete.discrete_model import NegativeBinomialP, Poisson

    if variance == "poisson":
        return _at_maximum(name, Poisson(seen.y, seen.x, offset=seen.offset), params)
    params = params - (np.arange(len(params)) == len(params) - 1) * (variance == "nb1")
    _check_overdispersed(name, params[-1], "Poisson() with the same terms")
    model = NegativeBinomialP(seen.y, seen.x, p=1 if variance == "nb1" else 2, offset=seen.offset)
    return _at_maximum(name, model, params)


def zero_inflated_results(name: str, seen: Observed, params: FloatArray) -> Any:
    """Results of statsmodels' ``ZeroInflatedPoisson`` or ``ZeroInflatedNegativeBinomialP``.

    Parameters
    ----------
    name : str
        Of the model here, for errors.
    seen : Observed
        What the fit saw.
    params : (p + q,) or (p + q + 1,) float array
        Coefficients of the mean and of the log odds, and for NB2 the dispersion.

    Raises
    ------
    InputError
        If the counts are not overdispersed, or a coefficient has no finite estimate.
    """
    from statsmodels.discrete.count_model import ZeroInflatedNegativeBinomialP, ZeroInflatedPoisson

    mean, zero, spread = _split(seen, params)
    point = np.concatenate([zero, mean, spread])
    if len(spread):
        _check_overdispersed(name, spread[0], "ZeroInflated(family='poisson') with the same terms")
        model = ZeroInflatedNegativeBinomialP(seen.y, seen.x, exog_infl=seen.z, offset=seen.offset)
    else:
        model = ZeroInflatedPoisson(seen.y, seen.x, exog_infl=seen.z, offset=seen.offset)
    # its own is by differences of the likelihood for NB2; for Poisson the block of mean and zeros is 0, as of 0.15.0
    model.hessian = partial(_slope_of_score, model=model)
    return _at_maximum(name, model, point)


def _slope_of_score(params: FloatArray, model: Any) -> FloatArray:
    """Hessian by central differences of the exact score."""
    from statsmodels.tools.numdiff import approx_fprime

    slope = approx_fprime(params, model.score, centered=True)
    return np.asarray(slope + slope.T) / 2


def hurdle_results(name: str, seen: Observed, params: FloatArray) -> Any:
    """Results of statsmodels' ``HurdleCountModel``, which has a log-log link where the odds are meant here.

    Parameters
    ----------
    name : str
        Of the model here, for errors.
    seen : Observed
        What the fit saw.
    params : (p + q,) or (p + q + 1,) float array
        Coefficients of the mean and of the log odds, and for NB2 the dispersion.

    Raises
    ------
    InputError
        If there are exposures, if the parts have other terms than each other, if there are other terms than of groups
        of periods, if the counts are not overdispersed, or a coefficient has no finite estimate.
    """
    from statsmodels.discrete.truncated_model import HurdleCountModel

    mean, zero, spread = _split(seen, params)
    if len(spread):
        _check_overdispersed(name, spread[0], "Hurdle(family='poisson') with the same terms")
    log_hazard = np.log(np.logaddexp(0.0, -(seen.z.to_numpy() @ zero)))  # log(-log(probability of a zero))
    to_zero, *_ = np.linalg.lstsq(seen.x, log_hazard)
    same = np.allclose(seen.x.to_numpy() @ to_zero, log_hazard, rtol=0, atol=1e-6)
    if seen.offset is not None or seen.x.shape[1] != seen.z.shape[1] or not same:
        raise InputError(
            "statsmodels' HurdleCountModel has no exposure, the same terms in both parts and a log-log link of zeros, "
            "so it cannot hold this fit; take the results of its parts, hurdle_parts(fit)"
        )
    model = HurdleCountModel(seen.y, seen.x, dist="negbin" if len(spread) else "poisson")
    parts = [
        _at_maximum(name, part, point)
        for part, point in ((model.model1, to_zero), (model.model2, np.append(mean, spread)))
    ]
    return _joined(model, parts, [*(f"zm_{term}" for term in seen.x), *seen.x, *["alpha"] * len(spread)])


def _joined(model: Any, parts: Sequence[Any], names: list[str]) -> Any:
    """Results of both parts of a hurdle model as its own; its ``fit`` cannot start either part at a given point."""
    from scipy.linalg import block_diag
    from statsmodels.base.model import LikelihoodModelResults
    from statsmodels.discrete.truncated_model import HurdleCountResults, HurdleCountResultsWrapper

    model.exog_names[:] = names
    model.k_extra = len(names) - 2 * model.exog.shape[1] + 1
    cov = block_diag(*(part.cov_params() for part in parts))
    point = LikelihoodModelResults(model, np.concatenate([part.params for part in parts]), cov, scale=1.0)
    point.mle_retvals = {"converged": [True, True]}
    point.mle_settings = parts[0].mle_settings
    results = HurdleCountResults(model, point, *parts)
    results.df_model = sum(part.df_model for part in parts)
    return HurdleCountResultsWrapper(results)


def hurdle_parts_results(name: str, seen: Observed, params: FloatArray) -> tuple[Any, Any]:
    """Results of statsmodels' ``Logit`` of a zero, and of ``TruncatedLFPoisson`` or ``TruncatedLFNegativeBinomialP``.

    Parameters and errors are as in :func:`hurdle_results`; exposures and terms of any kind are no hindrance.
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.discrete.truncated_model import TruncatedLFNegativeBinomialP, TruncatedLFPoisson

    mean, zero, spread = _split(seen, params)
    if len(spread):
        _check_overdispersed(name, spread[0], "Hurdle(family='poisson') to have both parts")
    is_zero = (seen.y == 0).astype(float).rename("no_counts")
    kind = TruncatedLFNegativeBinomialP if len(spread) else TruncatedLFPoisson
    above = seen.y > 0
    offset = None if seen.offset is None else seen.offset[above]
    count = kind(seen.y[above], seen.x[above], offset=offset)
    return (
        _at_maximum(name, Logit(is_zero, seen.z), zero),
        _at_maximum(name, count, np.append(mean, spread)),
    )


def _split(seen: Observed, params: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coefficients of the mean, of the zeros, and the dispersion if there is one."""
    p, q = seen.x.shape[1], seen.z.shape[1]
    return params[:p], params[p : p + q], params[p + q :]


def _check_overdispersed(name: str, dispersion: float, instead: str) -> None:
    if dispersion <= 0:
        raise InputError(f"{name} found no overdispersion, and statsmodels' alpha must be above 0; fit {instead}")


def _at_maximum(name: str, model: Any, params: FloatArray) -> Any:
    """Results of a model of statsmodels at its maximum."""
    with np.errstate(all="ignore"):
        score, information = np.asarray(model.score(params)), -np.asarray(model.hessian(params))
    size = np.sqrt(np.abs(np.diag(information)))
    if not (np.isfinite(information).all() and (size > 0).all()):
        raise _endless(name)
    definite = np.linalg.eigvalsh(information / np.outer(size, size)).min() > 0
    if not definite or score @ np.linalg.solve(information, score) > 2 * LARGEST_GAIN:
        raise _endless(name)
    results = model.fit(start_params=params, method="newton", maxiter=0, disp=0, warn_convergence=False)
    results.mle_retvals["converged"] = results.converged = True
    return results


def _endless(name: str) -> InputError:
    return InputError(
        f"these counts leave a coefficient of {name} without a finite maximum likelihood estimate, which statsmodels' "
        "results need; leave out the term that the fit warned of"
    )
