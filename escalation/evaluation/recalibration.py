"""Recalibrate forecasts by how past ones fared: their PIT, and the frequencies behind their probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.evaluation.result import Backtest
from escalation.forecasts.flashpoint_definitions import Flashpoint
from escalation.forecasts.forecast import Forecast

FEWEST = 8
"""Past origins that something is learnt from at the least."""
PRIOR_SD = 0.5
"""Prior standard deviation of the logs of the shapes of the beta distribution of past PITs; 1 and 1 change nothing."""
NARROWEST = 0.02
"""Least width of the interval that a PIT is known to lie in: draws do not show how far outside of them a count is."""
SHOWN = 0.05
"""A PIT whose mean or relative width is off by more than this is called so in words."""
COLUMNS = ["probability", "frequency"]
WORTH = 10.0
"""Forecasts that the prior of a probability is worth, spread along the line where nothing is changed."""


@dataclass(frozen=True, eq=False)
class Recalibration:
    """What past forecasts of one model say about its next ones.

    Attributes
    ----------
    model : str
        Whose forecasts it was learnt from.
    shape : tuple of float
        Shapes of the beta distribution of the past PITs; (1, 1) is calibrated, both below 1 is too narrow, both above 1
        too wide, the first below the second too high, above it too low.
    forecasts : int
        Past forecasts that it rests on, single steps counted each.
    probabilities : dict of int or str to (2, k) float array
        For each threshold of the backtest, and each definition by its name (all steps together): forecast probabilities
        and the frequencies behind them, both rising.
    """

    model: str
    shape: tuple[float, float]
    forecasts: int
    probabilities: dict[int | str, FloatArray] = field(repr=False)

    def apply(self, forecast: Forecast) -> Forecast:
        """Return the forecast with each step's distribution corrected and the order of its paths kept.

        A path at the u-quantile of its step goes to the quantile that the u-th share of past outcomes lay at, so the
        paths stay joint.  No path leaves the range of the draws.

        Parameters
        ----------
        forecast : Forecast
            By the same model.

        Returns
        -------
        Forecast

        Raises
        ------
        InputError
            If it is none.
        """
        from scipy.stats import beta

        if not isinstance(forecast, Forecast):
            raise InputError(f"apply got a {type(forecast).__name__}; give a forecast")
        draws = forecast.draws
        share = (np.arange(draws) + 0.5) / draws
        at = np.clip((beta.ppf(share, *self.shape) * draws).astype(np.int64), 0, draws - 1)
        order = np.argsort(forecast.paths, axis=1, kind="stable")
        ranked = np.take_along_axis(forecast.paths, order, axis=1)
        paths = np.empty_like(forecast.paths)
        np.put_along_axis(paths, order, ranked[:, at], axis=1)
        return replace(forecast, paths=paths, model=f"{forecast.model}, recalibrated")

    def sentence(self) -> str:
        """Say in plain words how past forecasts were wrong, which the next ones are corrected for."""
        a, b = self.shape
        centre, width = a / (a + b), np.sqrt(12 * a * b / (a + b + 1)) / (a + b)  # 1/2 and 1 where calibrated
        wrong = [word for word, much in (("too narrow", width > 1 + SHOWN), ("too wide", width < 1 - SHOWN)) if much]
        wrong += [
            word for word, much in (("too high", centre < 0.5 - SHOWN), ("too low", centre > 0.5 + SHOWN)) if much
        ]
        said = " and ".join(wrong) or "about calibrated"
        return (
            f"{self.forecasts:,} past forecasts by {self.model} were {said}: their PIT follows a beta distribution of "
            f"shapes {a:.2f} and {b:.2f}."
        )

    def table(self) -> pd.DataFrame:
        """Forecast probabilities of each event, and the frequencies behind them."""
        parts = {str(event): pd.DataFrame(at.T, columns=COLUMNS) for event, at in self.probabilities.items()}
        return pd.concat({"": pd.DataFrame(columns=COLUMNS, dtype=float), **parts}, names=["event", "row"])

    def probability(self, probability: float, at_least: int | str | Flashpoint) -> float:
        """Correct the probability that a period's count is ``at_least`` or more, or that of a flashpoint.

        Parameters
        ----------
        probability : float
            As forecast.
        at_least : int, str or Flashpoint
            One of the thresholds of the backtest, or of its definitions.

        Raises
        ------
        InputError
            If nothing was learnt about this threshold or definition, or the probability is none.
        """
        event = at_least.name if isinstance(at_least, Flashpoint) else at_least
        if event not in self.probabilities:
            known = ", ".join(map(str, self.probabilities)) or "none"
            raise InputError(
                f"nothing was learnt about {event}; the backtest kept the thresholds and definitions {known}"
            )
        if not 0.0 <= probability <= 1.0:
            raise InputError(f"probability is {probability!r}; give a number from 0 to 1")
        return float(np.interp(probability, *self.probabilities[event]))


def recalibrate(past: Backtest, model: str, *, until: pd.Period | str | None = None) -> Recalibration:
    """Learn from past forecasts how to correct the next ones.

    The PIT of past forecasts is taken as beta distributed (Gneiting & Ranjan 2013, doi:10.1214/13-EJS823), its shapes
    by maximum likelihood of the intervals that whole counts leave, drawn towards (1, 1) by a normal prior of their
    logs with sd 0.5.  Probabilities of a threshold are corrected by isotonic regression (Zadrozny & Elkan 2002,
    doi:10.1145/775047.775151), with ten forecasts' worth of calibrated ones added.

    Parameters
    ----------
    past : Backtest
        From :func:`escalation.backtest`.
    model : str
        One of its models.
    until : pandas.Period or str, optional
        The origin of the forecasts to be corrected: only what had come to pass by then is learnt from; everything
        when left out.

    Returns
    -------
    Recalibration

    Raises
    ------
    InputError
        If there is no such model, or fewer than eight past origins to learn from.

    Examples
    --------
    >>> import escalation
    >>> weeks = pd.period_range("2022-01-03", periods=80, freq="W-SUN")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(5, 80), index=weeks)
    >>> past = escalation.backtest([escalation.Climatology(3)], counts, origins=20, horizon=2, rng=1)
    >>> learnt = recalibrate(past, "climatology")
    >>> max(learnt.shape) < 1  # draws of three weeks are too narrow a forecast
    True
    """
    if model not in past.models:
        raise InputError(f"model is {model!r}; the backtest has {', '.join(past.models)}")
    known = past.scores[past.scores["model"] == model].dropna(subset=["crps"])
    if until is not None:
        periods = pd.PeriodIndex(known["period"])
        known = known[periods <= pd.Period(until, freq=periods.freqstr)]
    if known["origin"].nunique() < FEWEST:
        raise InputError(
            f"forecasts from {known['origin'].nunique()} past origins are too few to learn from; give {FEWEST} or more"
        )
    weight = 1.0 / known["history"].nunique()
    names = list(map(str, known.columns))
    thresholds = [int(name.removeprefix("reaches_")) for name in names if name.startswith("reaches_")]
    definitions = [name.removeprefix("passes_") for name in names if name.startswith("passes_")]
    events: dict[int | str, tuple[pd.Series, pd.Series]] = {
        k: (known[f"reaches_{k}"], (known["observed"] >= k).astype(float)) for k in thresholds
    }
    events |= {name: (known[f"passes_{name}"], known[f"passed_{name}"]) for name in definitions}
    return Recalibration(
        model=model,
        shape=_beta_shape(known["cdf_below"].to_numpy(), known["cdf"].to_numpy(), weight),
        forecasts=round(len(known) * weight),
        probabilities={event: _isotonic(forecast, came, weight) for event, (forecast, came) in events.items()},
    )


def _beta_shape(below: FloatArray, upto: FloatArray, weight: float) -> tuple[float, float]:
    """Shapes of the beta distribution of PITs known to lie between two bounds (n,), each counting with ``weight``."""
    from scipy.optimize import minimize
    from scipy.special import betainc

    upper = np.clip(np.maximum(upto, below + NARROWEST), NARROWEST, 1.0)
    lower = np.clip(np.minimum(below, upper - NARROWEST), 0.0, 1.0)

    def loss(logs: FloatArray) -> float:
        a, b = np.exp(logs)
        mass = betainc(a, b, upper) - betainc(a, b, lower)
        return float(-weight * np.log(np.maximum(mass, 1e-12)).sum() + (logs @ logs) / (2 * PRIOR_SD**2))

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6})
    a, b = np.exp(found.x)
    return float(a), float(b)


def _isotonic(forecast: pd.Series, happened: pd.Series, weight: float) -> FloatArray:
    """Forecast probabilities and the frequencies behind them (2, k), both rising; cases not known are left out."""
    from scipy.optimize import isotonic_regression

    known = (forecast.notna() & happened.notna()).to_numpy()
    probability, came = forecast.to_numpy(dtype=float)[known], happened.to_numpy(dtype=float)[known]
    calibrated = np.linspace(0.0, 1.0, 21)
    x = np.concatenate([probability, calibrated])
    y = np.concatenate([came, calibrated])
    w = np.concatenate([np.full(len(came), weight), np.full(21, WORTH / 21)])
    at, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, w)
    level = isotonic_regression(np.bincount(place, w * y) / mass, weights=mass).x
    return np.array([at, level])
