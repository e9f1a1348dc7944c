r"""Levels behind counts that are known in part: how many incidents are still to be reported.

Plain arrays in and out.  A count :math:`n_t` known in part is Poisson about :math:`F_t \lambda_t`, :math:`F_t` the
share known. Levels are gamma variables that follow each other,

.. math:: \lambda_t \mid n_{1 \dots t-1} \sim \Gamma(\alpha_t, \beta_t), \quad
          \alpha_{t+1} = \delta (\alpha_t + n_t) + (1 - \delta) r, \quad
          \beta_{t+1} = \delta (\beta_t + F_t) + (1 - \delta) r / \mu,

the filter of Smith & Miller (1986, doi:10.1111/j.2517-6161.1986.tb01392.x) and Harvey & Fernandes (1989,
doi:10.1080/07350015.1989.10509750) with a pull towards the mean :math:`\mu`, without which its levels run to 0 in a
lull.  With :math:`\delta = 0` counts are independent and negative binomial with size :math:`r`, the prior of
surveillance; the nearer :math:`\delta` is to 1, the more the last periods say of the next.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.special import expit, gammaln, xlog1py, xlogy

from escalation.conventions.arrays import FloatArray, IntArray

PRIOR_SCALE = np.array([1.5, 1.5, 2.0])
"""Scales of the normal priors of log mean (about the mean count), log size (about 1) and logit persistence."""
PARTICLES = 500
STRIDES = (1.4, 0.7, 0.35)
"""Sizes of the Metropolis steps in standard deviations of the particles; 2.38 / sqrt(3) is best for a normal one."""


def filter_levels(
    counts: FloatArray, share: FloatArray, theta: FloatArray, keep: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Run the filter for many parameters at once.

    Parameters
    ----------
    counts : (periods,) float array
    share : (draws, periods) float array
        Share known of each, > 0.
    theta : (draws, 3) float array
    keep : int
        For how many of the last periods gammas are returned.

    Returns
    -------
    loglike : (draws,) float array
        Sum of the log probabilities of all counts, each given those before it.
    shape, rate : (draws, keep) float array
        Of the gamma of each level given the counts until its own.
    """
    mean, size, persistence = _parameters(theta)
    alpha, beta = size.copy(), size / mean
    loglike = np.zeros(len(theta))
    kept_shape, kept_rate = np.empty((2, len(theta), keep))
    for t, count in enumerate(counts):
        loglike += _log_negative_binomial(count, alpha, beta, share[:, t])
        alpha, beta = alpha + count, beta + share[:, t]
        at = t - (len(counts) - keep)
        if at >= 0:
            kept_shape[:, at], kept_rate[:, at] = alpha, beta
        alpha = persistence * alpha + (1 - persistence) * size
        beta = persistence * beta + (1 - persistence) * size / mean
    return loglike, kept_shape, kept_rate


def _parameters(theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.exp(theta[..., 0]), np.exp(theta[..., 1]), expit(theta[..., 2])


def _log_negative_binomial(count: FloatArray, alpha: FloatArray, beta: FloatArray, share: FloatArray) -> FloatArray:
    """Log probability of a Poisson count about ``share`` times a gamma level."""
    p: FloatArray = share / (beta + share)
    return gammaln(alpha + count) - gammaln(alpha) - gammaln(count + 1) + xlog1py(alpha, -p) + xlogy(count, p)


def draw_parameters(counts: FloatArray, share: FloatArray, draws: int, rng: Generator) -> FloatArray:
    """Draw parameters from their posterior at given shares known, by sequential Monte Carlo.

    Particles begin at the prior; the likelihood is raised to powers that rise to 1, each as far as leaves half of the
    particles effective; each time they are resampled and moved by Metropolis steps (Del Moral et al. 2006,
    doi:10.1111/j.1467-9868.2006.00553.x).  The posterior may have two modes, of independent and of persistent counts.

    Parameters
    ----------
    counts, share : (periods,) float array
    draws : int
    rng : Generator

    Returns
    -------
    (draws, 3) float array
        Log mean, log size, logit persistence.
    """
    centre = np.array([np.log(max((counts.sum() + 0.5) / share.sum(), 1e-3)), 0.0, 0.0])
    shares = np.broadcast_to(share, (PARTICLES, len(share)))

    def loglike_of(theta: FloatArray) -> FloatArray:
        return filter_levels(counts, shares, theta, 1)[0]

    def log_prior(theta: FloatArray) -> FloatArray:
        density: FloatArray = -0.5 * (((theta - centre) / PRIOR_SCALE) ** 2).sum(axis=1)
        return density

    theta = centre + PRIOR_SCALE * rng.standard_normal((PARTICLES, 3))
    loglike, power = loglike_of(theta), 0.0
    while power < 1.0:
        step, weights = _next_power(loglike, 1.0 - power)
        power += step
        root = np.linalg.cholesky(np.cov(theta.T, aweights=weights) + 1e-8 * np.eye(3))
        places = np.searchsorted(np.cumsum(weights), (np.arange(PARTICLES) + rng.random()) / PARTICLES)
        places = np.minimum(places, PARTICLES - 1)
        theta, loglike = theta[places], loglike[places]
        for stride in STRIDES if power < 1.0 else STRIDES + STRIDES:
            moved = theta + stride * rng.standard_normal(theta.shape) @ root.T
            there = loglike_of(moved)
            gain = power * (there - loglike) + log_prior(moved) - log_prior(theta)
            accepted = np.log(rng.random(PARTICLES)) < gain
            theta = np.where(accepted[:, None], moved, theta)
            loglike = np.where(accepted, there, loglike)
    return rng.permutation(np.resize(rng.permutation(theta), (draws, 3)))


def _next_power(loglike: FloatArray, most: float) -> tuple[float, FloatArray]:
    """Largest power, at most ``most``, whose weights leave half of the particles effective; and the weights."""
    low, high, power = 0.0, most, most
    for _ in range(40):
        weights = np.exp(power * (loglike - loglike.max()))
        weights /= weights.sum()
        enough = (weights**2).sum() * PARTICLES <= 2.0
        if enough and power == most:
            break
        low, high = (power, high) if enough else (low, power)
        power = (low + high) / 2
    return power, weights


def draw_levels(shape: FloatArray, rate: FloatArray, theta: FloatArray, rng: Generator) -> FloatArray:
    r"""Draw the levels of the last periods together, backwards, shape (draws, keep).

    A level is carried on as a beta share of itself and joined by a gamma: :math:`\lambda_{t+1} = (b_t / \beta_{t+1})
    B_t \lambda_t + \varepsilon_t`, :math:`B_t \sim \mathrm{Beta}(\delta a_t, (1 - \delta) a_t)`, :math:`\varepsilon_t
    \sim \Gamma((1 - \delta) r, \beta_{t+1})`, with :math:`\Gamma(a_t, b_t)` the distribution of :math:`\lambda_t` by
    then. Backwards, the carried part of :math:`\lambda_{t+1}` is a beta share of it, and what was not carried an
    independent gamma.
    """
    mean, size, persistence = _parameters(theta)
    levels = np.empty_like(shape)
    levels[:, -1] = rng.gamma(shape[:, -1]) / rate[:, -1]
    for t in range(shape.shape[1] - 2, -1, -1):
        a, b = shape[:, t], rate[:, t]
        following = persistence * b + (1 - persistence) * size / mean
        least = np.finfo(float).tiny
        carried = rng.beta(np.maximum(persistence * a, least), np.maximum((1 - persistence) * size, least))
        levels[:, t] = carried * levels[:, t + 1] * following / b + rng.gamma((1 - persistence) * a) / b
    return levels


def draw_unreported(levels: FloatArray, share: FloatArray, rng: Generator) -> IntArray:
    """Draw how many incidents are still to be reported, shapes (draws, periods)."""
    return rng.poisson(levels * (1.0 - share))


def draw_with_fixed_prior(
    counts: FloatArray, share: FloatArray, mean: float, variance: float, rng: Generator
) -> IntArray:
    """Draw how many incidents are still to be reported where each level has one gamma prior, as in surveillance.

    ``mean`` and ``variance`` are those of the negative binomial count.
    """
    size = mean**2 / (variance - mean)
    levels = rng.gamma(size + counts, size=share.shape) / (size / mean + share)
    return draw_unreported(levels, share, rng)


def draw_of_reported(counts: FloatArray, share: FloatArray, rng: Generator) -> IntArray:
    """Draw how many incidents are still to be reported from those reported alone: negative binomial of that size.

    Mean n (1 - F) / F and variance n (1 - F) / F^2, the second term of equation 2.16 of Lawless (1994); 0 where none
    was reported.
    """
    there = np.broadcast_to(counts > 0, share.shape)
    drawn = np.zeros(share.shape, dtype=np.int64)
    drawn[there] = rng.negative_binomial(np.broadcast_to(counts, share.shape)[there], share[there])
    return drawn
