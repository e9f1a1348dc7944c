"""Checks of arguments that functions of several files take."""

from __future__ import annotations

import numpy as np

from escalation.errors import InputError


def check_level(level: float, name: str = "level", *, such: float = 0.9) -> float:
    """Return a probability, such as that of an interval.

    Raises
    ------
    InputError
        If it is not between 0 and 1, both exclusive; ``name`` is what the message calls it, ``such`` one that would do.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"{name} is {level!r}; give a probability between 0 and 1, such as {such:g}")
    return level


def check_whole(value: int, name: str, most: int) -> int:
    """Return a whole number from 1 to ``most`` as an ``int``.

    Raises
    ------
    InputError
        If it is none; ``name`` is what the message calls it.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
        raise InputError(f"{name} is {value!r}; give a whole number from 1 to {most:,}")
    return int(value)
