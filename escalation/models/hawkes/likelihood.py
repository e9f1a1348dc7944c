r"""Likelihood of exponential Hawkes processes: one pass over the events, with gradient and Hessian.

The intensity of target ``m`` is ``background + decay * sum_l branching_l * S_l(t)`` with ``S_l(t)`` the sum of
``exp(-decay * (t - s))`` over the events ``s < t`` of source ``l`` (Hawkes 1971, doi:10.1093/biomet/58.1.83): a
``branching`` ratio is the expected number of direct offspring.  The sums follow by recursion (Ozaki 1979,
doi:10.1007/BF02480272), and so do their derivatives.  Exponentials are taken in blocks by a polynomial, which compilers
turn into vector instructions; logarithms are taken of products of eight intensities.
"""

from __future__ import annotations

import math

import numpy as np

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled

BLOCK = 1024
"""Events whose exponentials are taken at once; the buffers stay in the first-level cache."""
LOWEST = -708.0
"""Below this an exponential is taken as that of this: it is smaller than any count can notice."""
TOGETHER = 8
"""Intensities whose product is taken before its logarithm."""


@compiled(error_model="numpy", fastmath={"contract"})
def exponentials(x: FloatArray, out: FloatArray, bits: IntArray) -> None:
    """Exponentials of numbers <= 0, to some 3e-16.

    Halves of ln 2 are taken off (Cody & Waite 1980), the rest is a Taylor polynomial on +-0.35, and the power of two is
    written into the exponent bits.

    Parameters
    ----------
    x : (n,) float
        What the exponentials are of, at most 0.
    out : (n,) float
        Where they go; may not be ``x``.
    bits : (n,) int
        Work space.
    """
    for i in range(len(x)):
        v = max(x[i], LOWEST)
        power = math.floor(v * 1.4426950408889634 + 0.5)
        r = v - power * 6.93147180369123816490e-01
        r = r - power * 1.90821492927058770002e-10
        p = 1.6059043836821613e-10
        p = p * r + 2.08767569878681e-09
        p = p * r + 2.505210838544172e-08
        p = p * r + 2.755731922398589e-07
        p = p * r + 2.7557319223985893e-06
        p = p * r + 2.48015873015873e-05
        p = p * r + 0.0001984126984126984
        p = p * r + 0.001388888888888889
        p = p * r + 0.008333333333333333
        p = p * r + 0.041666666666666664
        p = p * r + 0.16666666666666666
        p = p * r + 0.5
        out[i] = 1.0 + (r + p * (r * r))
        bits[i] = (np.int64(power) + 1023) << 52
    powers = bits.view(np.float64)
    for i in range(len(x)):
        out[i] *= powers[i]


@compiled(error_model="numpy")
def sum_of_logs(values: FloatArray, number: int) -> float:
    """Sum of the logarithms of the first ``number`` values, by products of a few of them."""
    total = 0.0
    whole = number - number % TOGETHER
    for i in range(0, whole, TOGETHER):
        product = 1.0
        for j in range(i, i + TOGETHER):
            product *= values[j]
        if 1e-280 < product < 1e280:
            total += math.log(product)
        else:
            for j in range(i, i + TOGETHER):
                total += math.log(values[j])
    for i in range(whole, number):
        total += math.log(values[i])
    return total


@compiled(error_model="numpy")
def single_likelihood(times: FloatArray, end: float, background: float, branching: float, decay: float) -> float:
    """Log-likelihood of events of one kind.

    Parameters
    ----------
    times : (n,) float
        Sorted, from 0 to ``end``.
    end : float
        Length of the window.
    background, branching, decay : float
        The parameters, > 0, >= 0 and > 0.
    """
    n = len(times)
    gaps, shares, rates = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits = np.empty(BLOCK, np.int64)
    jump = branching * decay
    total, sums, last = 0.0, -1.0, 0.0  # the first event has none before it: (-1 + 1) e = 0
    for begin in range(0, n, BLOCK):
        size = min(BLOCK, n - begin)
        for i in range(size):
            gaps[i] = -decay * (times[begin + i] - last)
            last = times[begin + i]
        exponentials(gaps[:size], shares[:size], bits[:size])
        for i in range(size):
            sums = shares[i] * sums + shares[i]
            rates[i] = background + jump * sums
        total += sum_of_logs(rates, size)
    left = math.exp(-decay * (end - last)) * (sums + 1.0)
    return total - background * end - branching * (n - left)


@compiled(error_model="numpy", fastmath={"contract", "reassoc"})
def _add_single(
    rates: FloatArray,
    sums: FloatArray,
    firsts: FloatArray,
    seconds: FloatArray,
    size: int,
    background: float,
    branching: float,
    decay: float,
    moments: FloatArray,
) -> None:
    """Intensities of a block, and what it adds to sums of their derivatives over them."""
    m0, m1, m2, h00, h01, h02, h11, h12, h22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    jump = branching * decay
    for i in range(size):
        a, b, c = sums[i], firsts[i], seconds[i]
        rate = background + jump * a
        rates[i] = rate
        one = 1.0 / rate
        by_branching = decay * a * one
        slope = a - decay * b
        by_decay = branching * slope * one
        m0 += one
        m1 += by_branching
        m2 += by_decay
        h00 += one * one
        h01 += one * by_branching
        h02 += one * by_decay
        h11 += by_branching * by_branching
        h12 += slope * one - by_branching * by_decay
        h22 += branching * (decay * c - 2.0 * b) * one - by_decay * by_decay
    moments[0] += m0
    moments[1] += m1
    moments[2] += m2
    moments[3] -= h00
    moments[4] -= h01
    moments[5] -= h02
    moments[6] -= h11
    moments[7] += h12
    moments[8] += h22


@compiled(error_model="numpy")
def single_derivatives(
    times: FloatArray, end: float, background: float, branching: float, decay: float
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood of events of one kind, its gradient (3,) and Hessian (3, 3); see :func:`single_likelihood`."""
    n = len(times)
    gaps, shares, rates = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    sums, firsts, seconds = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits = np.empty(BLOCK, np.int64)
    moments = np.zeros(9)
    # sums of exp(-decay d), d exp(-decay d) and d^2 exp(-decay d) over the time d since each event up to the last one
    a, b, c, last, total = 0.0, 0.0, 0.0, 0.0, 0.0
    for begin in range(0, n, BLOCK):
        size = min(BLOCK, n - begin)
        before = last
        for i in range(size):
            gaps[i] = -decay * (times[begin + i] - last)
            last = times[begin + i]
        exponentials(gaps[:size], shares[:size], bits[:size])
        last = before
        for i in range(size):
            gap = times[begin + i] - last
            last = times[begin + i]
            share = shares[i]
            c = share * (c + gap * (2.0 * b + gap * a))
            b = share * (b + gap * a)
            a = share * a
            sums[i], firsts[i], seconds[i] = a, b, c
            a += 1.0
        _add_single(rates, sums, firsts, seconds, size, background, branching, decay, moments)
        total += sum_of_logs(rates, size)
    gap = end - last
    share = math.exp(-decay * gap)
    c = share * (c + gap * (2.0 * b + gap * a))
    b = share * (b + gap * a)
    a = share * a
    value = total - background * end - branching * (n - a)
    score = np.array([moments[0] - end, moments[1] - (n - a), moments[2] - branching * b])
    hessian = np.empty((3, 3))
    hessian[0, 0] = moments[3]
    hessian[0, 1] = hessian[1, 0] = moments[4]
    hessian[0, 2] = hessian[2, 0] = moments[5]
    hessian[1, 1] = moments[6]
    hessian[1, 2] = hessian[2, 1] = moments[7] - b
    hessian[2, 2] = moments[8] + branching * c
    return value, score, hessian


@compiled(error_model="numpy")
def row_derivatives(
    times: FloatArray,
    marks: IntArray,
    target: int,
    end: float,
    background: float,
    branching: FloatArray,
    decay: float,
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood of the events of one target given all, with derivatives.

    Parameters
    ----------
    times : (n,) float
        Of all events, sorted, from 0 to ``end``.
    marks : (n,) int
        Kind of each, 0 to k - 1.
    target : int
        The kind whose intensity it is.
    end : float
        Length of the window.
    background, decay : float
        Of the target.
    branching : (k,) float
        Expected direct offspring in the target of an event of each kind.

    Returns
    -------
    tuple
        Log-likelihood, gradient (k + 2,) and Hessian by background, branching and decay.
    """
    n, kinds = len(times), len(branching)
    gaps, shares, rates = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits = np.empty(BLOCK, np.int64)
    a, b, c, number = np.zeros(kinds), np.zeros(kinds), np.zeros(kinds), np.zeros(kinds)
    # one more place: what is written there is overwritten or ignored
    sums, firsts, seconds = (np.empty((kinds, BLOCK + 1)), np.empty((kinds, BLOCK + 1)), np.empty((kinds, BLOCK + 1)))
    score, hessian = np.zeros(kinds + 2), np.zeros((kinds + 2, kinds + 2))
    parts, work = np.empty((kinds + 2, BLOCK)), np.empty((3, BLOCK))
    last_place = kinds + 1
    last, total = 0.0, 0.0
    for begin in range(0, n, BLOCK):
        size, held = min(BLOCK, n - begin), 0
        for i in range(size):
            gaps[i] = times[begin + i] - last
            last = times[begin + i]
            rates[i] = -decay * gaps[i]
        exponentials(rates[:size], shares[:size], bits[:size])
        for k in range(kinds):
            x, y, z, seen, held = a[k], b[k], c[k], 0.0, 0
            for i in range(size):
                gap, share, mark = gaps[i], shares[i], marks[begin + i]
                z = share * (z + gap * (2.0 * y + gap * x))
                y = share * (y + gap * x)
                x = share * x
                sums[k, held], firsts[k, held], seconds[k, held] = x, y, z
                held += mark == target
                one = 1.0 if mark == k else 0.0
                x += one
                seen += one
            a[k], b[k], c[k] = x, y, z
            number[k] += seen
        _add_row(rates, sums, firsts, seconds, held, background, branching, decay, parts, work, score, hessian)
        total += sum_of_logs(rates, held)
    gap = end - last
    share = math.exp(-decay * gap)
    value = total - background * end
    score[0] -= end
    for k in range(kinds):
        c[k] = share * (c[k] + gap * (2.0 * b[k] + gap * a[k]))
        b[k] = share * (b[k] + gap * a[k])
        a[k] = share * a[k]
        value -= branching[k] * (number[k] - a[k])
        score[k + 1] -= number[k] - a[k]
        score[last_place] -= branching[k] * b[k]
        hessian[last_place, k + 1] -= b[k]
        hessian[last_place, last_place] += branching[k] * c[k]
    for k in range(kinds + 2):
        for other in range(k):
            hessian[other, k] = hessian[k, other]
    return value, score, hessian


@compiled(error_model="numpy", fastmath={"contract", "reassoc"})
def _add_row(
    rates: FloatArray,
    sums: FloatArray,
    firsts: FloatArray,
    seconds: FloatArray,
    size: int,
    background: float,
    branching: FloatArray,
    decay: float,
    parts: FloatArray,
    work: FloatArray,
    score: FloatArray,
    hessian: FloatArray,
) -> None:
    """Intensities of a block's events of one target, and what they add to gradient and lower half of the Hessian."""
    kinds = len(branching)
    one, slope, bend = work[0], work[1], work[2]
    for i in range(size):
        rates[i], slope[i], bend[i] = 0.0, 0.0, 0.0
    for k in range(kinds):
        ratio = branching[k]
        for i in range(size):
            rates[i] += ratio * sums[k, i]
            slope[i] += ratio * (sums[k, i] - decay * firsts[k, i])
            bend[i] += ratio * (decay * seconds[k, i] - 2.0 * firsts[k, i])
    curved = 0.0
    for i in range(size):
        rates[i] = background + decay * rates[i]
        one[i] = 1.0 / rates[i]
        parts[0, i] = one[i]
        parts[kinds + 1, i] = slope[i] * one[i]
        curved += bend[i] * one[i]
    hessian[kinds + 1, kinds + 1] += curved
    for k in range(kinds):
        crossed = 0.0
        for i in range(size):
            parts[k + 1, i] = decay * sums[k, i] * one[i]
            crossed += (sums[k, i] - decay * firsts[k, i]) * one[i]
        hessian[kinds + 1, k + 1] += crossed
    for k in range(kinds + 2):
        added = 0.0
        for i in range(size):
            added += parts[k, i]
        score[k] += added
        for other in range(k + 1):
            product = 0.0
            for i in range(size):
                product += parts[k, i] * parts[other, i]
            hessian[k, other] -= product


@compiled(error_model="numpy")
def compensators(
    times: FloatArray, marks: IntArray, target: int, background: float, branching: FloatArray, decay: float
) -> FloatArray:
    """Integral of the target's intensity from 0 to each of its events; see :func:`row_derivatives`."""
    sums, number = np.zeros(len(branching)), np.zeros(len(branching))
    integrals = np.empty(np.sum(marks == target))
    last, held = 0.0, 0
    for i in range(len(times)):
        share = math.exp(-decay * (times[i] - last))
        last = times[i]
        for k in range(len(branching)):
            sums[k] *= share
        if marks[i] == target:
            passed = background * last
            for k in range(len(branching)):
                passed += branching[k] * (number[k] - sums[k])
            integrals[held] = passed
            held += 1
        sums[marks[i]] += 1.0
        number[marks[i]] += 1.0
    return integrals
