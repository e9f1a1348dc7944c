"""What became of a number: the unit that it counts, or why it is no count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """What became of one number.

    Attributes
    ----------
    unit : str
        Blank where it is no count.
    kind : str
        Kind of the thing counted.
    confidence : float
        That it is a count of this unit.
    rule : str
        Which rule decided.
    reason : str
        Why it is no count.
    ellipsis : bool
        Whether the noun was taken from another number.
    """

    unit: str = ""
    kind: str = ""
    confidence: float = 0.0
    rule: str = ""
    reason: str = ""
    ellipsis: bool = False


def no(reason: str) -> Decision:
    """A number that counts nothing that happened."""
    return Decision(reason=reason)


@dataclass(frozen=True)
class Antecedent:
    """The noun that a number without one may stand for, from a number before it."""

    unit: str
    kind: str
    counted: bool
    event: str = ""
