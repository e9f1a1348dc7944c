"""What ``--what-if`` assumes, read from words."""

from __future__ import annotations

import re

import pandas as pd

import escalation

CEASEFIRE = 0.1
"""What a ceasefire multiplies the rate by, where it does not say."""
NUMBER = r"\d+(?:\.\d+)?"
RATE = re.compile(
    rf"(?P<what>ceasefire|rate)(?: x ?(?P<factor>{NUMBER}))? from (?P<date>\S+)"
    rf"(?: until (?P<until>\S+)| for (?P<periods>[1-9]\d{{0,3}}))?(?: fading (?P<fading>{NUMBER}))?"
)
ATTACK = re.compile(r"(?:(?P<least>\d{1,9}) )?(?:attacks?|events?|incidents?) on (?P<date>\S+)")

LETHAL = re.compile(
    r"(?:an? )?(?:lethal (?:attack|event|incident)|(?:attack|event|incident) that kills(?: (?P<killed>\d{1,9}))?)"
    r" on (?P<date>\S+)"
)


def read_assumptions(text: str, freq: str) -> tuple[escalation.analysis.Scenario | escalation.analysis.Event, ...]:
    """Read assumptions such as ``ceasefire from 2024-11-20 and 3 attacks on 2024-12-01``.

    Parameters
    ----------
    text : str
        One or more, joined by ``and``.
    freq : str
        Of the periods that ``for N`` counts; the period that holds the date is the first.

    Raises
    ------
    InputError
        If a part cannot be read, or a date or number in it is out of range.

    Examples
    --------
    >>> assumed = read_assumptions("rate x2 from 2024-11-25 for 2 and 3 attacks on 2024-12-09", "W-SUN")
    >>> [one.sentence() for one in assumed]
    ['rate times 2 from 2024-11-25 until 2024-12-08', 'at least 3 in the period of 2024-12-09']
    """
    return tuple(_one(" ".join(part.split()), freq) for part in text.split(" and "))


def _one(part: str, freq: str) -> escalation.analysis.Scenario | escalation.analysis.Event:
    attack = ATTACK.fullmatch(part)
    if attack is not None:
        return escalation.analysis.Event(attack["date"], int(attack["least"] or 1))
    lethal = LETHAL.fullmatch(part)
    if lethal is not None:
        return escalation.analysis.Event(lethal["date"], killed=int(lethal["killed"] or 1))
    rate = RATE.fullmatch(part)
    if rate is None or (rate["what"] == "rate" and rate["factor"] is None):
        raise escalation.InputError(
            f"--what-if is {part!r}; write 'ceasefire from DATE', 'rate x2 from DATE' (either with 'until DATE' or "
            "'for N' periods, and 'fading DAYS'), '3 attacks on DATE', 'lethal attack on DATE' or 'attack that kills 3 "
            "on DATE', and join several by ' and '"
        )
    scenario = escalation.analysis.Scenario(
        rate["date"],
        float(rate["factor"] or CEASEFIRE),
        None if rate["fading"] is None else float(rate["fading"]),
        rate["until"],
    )
    if rate["periods"] is None:
        return scenario
    last = pd.Period(pd.Timestamp(str(scenario.date)), freq) + int(rate["periods"]) - 1
    return escalation.analysis.Scenario(scenario.date, scenario.factor, scenario.half_life, last.end_time.normalize())
