"""The sentences of a diagnosis: what is wrong with a model, and what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray


class Finding(NamedTuple):
    """What was seen, what the distributions led to expect, and how unlikely a difference as large is."""

    observed: float
    expected: float
    p_value: float


class Evidence(NamedTuple):
    """What the sentences are made of.

    Attributes
    ----------
    tests : mapping of str to Finding
        The tests by name, p-values adjusted for their number.
    acf : (lags,) float array
        Autocorrelations of the residuals.
    n : int
        Counts.
    impossible : int
        Counts that had probability 0.
    overdispersed : bool
        Whether the distributions scatter more than Poisson ones.
    period : str
        Word for one period.
    """

    tests: Mapping[str, Finding]
    acf: FloatArray
    n: int
    impossible: int
    overdispersed: bool
    period: str


def speak(evidence: Evidence, confidence: float) -> tuple[tuple[str, ...], bool]:
    """Sentences on tests whose adjusted p-value is at most ``1 - confidence``, and whether there was nothing to say."""
    tests = evidence.tests
    sentences = [
        SENTENCES[name](evidence) for name in SENTENCES if name in tests and tests[name].p_value <= 1 - confidence
    ]
    if evidence.impossible:
        sentences.append(
            f"{evidence.impossible} of {evidence.n:,} counts had probability 0 under the model, so its log score is "
            "infinite; use a distribution with a tail, or a longer window"
        )
    if sentences:
        return tuple(sentences), False
    least = min(test.p_value for test in tests.values())
    unsaid = "" if "dependence" in tests else "; too few of them to say whether they depend on the past"
    return (
        f"nothing in these {evidence.n:,} counts speaks against the model "
        f"({len(tests)} tests, least adjusted p-value {least:.2g}){unsaid}",
    ), True


def _level(evidence: Evidence) -> str:
    observed, expected, _ = evidence.tests["level"]
    side = "higher" if observed > expected else "lower"
    return (
        f"the counts are {side} than the model says (mean {observed:.3g} against {expected:.3g}); "
        "add a trend or a Step, or let the level move (local_level)"
    )


def _dispersion(evidence: Evidence) -> str:
    ratio = evidence.tests["dispersion"].observed
    if ratio < 1:
        return (
            f"the counts scatter less than the model says (variance {ratio:.2g} times as large), so its intervals are "
            "too wide; try a Poisson distribution or fewer drifting parts"
        )
    remedy = (
        "look for single outliers (Pulse), or let the rate move (local_level, ingarch)"
        if evidence.overdispersed
        else "try a negative binomial distribution (family='negbin', negative_binomial)"
    )
    return f"the counts scatter more than the model says (variance {ratio:.2g} times as large); {remedy}"


def _zeros(evidence: Evidence) -> str:
    observed, expected, _ = evidence.tests["zeros"]
    if observed < expected:
        return f"there are fewer zeros than the model says ({observed:.0f} against {expected:.1f}); try hurdle"
    return (
        f"there are more zeros than the model says ({observed:.0f} against {expected:.1f}); try zero_inflated or hurdle"
    )


def _dependence(evidence: Evidence) -> str:
    lag = int(np.abs(evidence.acf).argmax()) + 1
    r, period = evidence.acf[lag - 1], evidence.period
    next_one = f"the next {period}" if lag == 1 else f"the {period} {lag} {period}s later"
    kind = "busier" if r > 0 else "quieter"
    remedy = "add a lag (ingarch) or let the level move (local_level)" if lag < 5 else f"add lag {lag} or a season"
    seen = f"autocorrelation {r:.2f} at lag {lag}"
    return f"after a busy {period} {next_one} is {kind} than the model says ({seen}); {remedy}"


def _shape(evidence: Evidence) -> str:  # noqa: ARG001
    return (
        "the counts are distributed in another shape than the model says, beyond level, scatter and zeros (see pit); "
        "try a mixture of quiet and active stretches (hidden_markov), or look for outliers"
    )


SENTENCES = {
    "level": _level,
    "dispersion": _dispersion,
    "zeros": _zeros,
    "dependence": _dependence,
    "shape": _shape,
}
