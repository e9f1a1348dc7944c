"""The kinds of file that are known, and how each is recognised by its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from escalation.errors import InputError
from escalation.incidents.formats import acled, gdelt, icews, plain, ucdp, weekly
from escalation.incidents.formats.layout import Layout, plain_name

Kind: TypeAlias = Literal["auto", "plain", "acled", "acled-weekly", "ucdp", "gdelt", "icews", "polecat", "sigacts"]

LAYOUTS: dict[str, Layout] = {
    "plain": plain.LAYOUT,
    "acled": acled.LAYOUT,
    "acled-weekly": weekly.ACLED_WEEKLY,
    "ucdp": ucdp.LAYOUT,
    "gdelt": gdelt.LAYOUT,
    "icews": icews.LAYOUT,
    "polecat": icews.POLECAT,
    "sigacts": weekly.SIGACTS,
}

RECOGNISED: tuple[tuple[str, Callable[[set[str]], bool]], ...] = (
    ("ucdp", ucdp.is_ucdp),
    ("gdelt", gdelt.is_gdelt),
    ("polecat", icews.is_polecat),
    ("acled", acled.is_acled),
    ("acled-weekly", weekly.is_acled_weekly),
    ("sigacts", weekly.is_sigacts),
    ("icews", icews.is_icews),
)
"""In this order; what none of them recognises is a plain table."""


def layout_of(kind: str, found: Iterable[str]) -> Layout:
    """The layout asked for, or the one that the columns show.

    Raises
    ------
    InputError
        If the kind is not known.
    """
    if kind in LAYOUTS:
        return LAYOUTS[kind]
    if kind != "auto":
        raise InputError(f"layout is {kind!r}; use auto, {', '.join([*LAYOUTS][:-1])} or {[*LAYOUTS][-1]}")
    names = {plain_name(name) for name in found}
    return LAYOUTS[next((name for name, recognised in RECOGNISED if recognised(names)), "plain")]
