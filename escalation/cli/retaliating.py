"""The command on what follows an attack: retaliation."""

from __future__ import annotations

import pandas as pd

import escalation
from escalation.assessment.sides import check_sides
from escalation.cli import screen
from escalation.cli.counting import check_by, count_sides, deliver, open_table, reading, resolve_target
from escalation.cli.options import Selection, Target
from escalation.conventions.arguments import check_whole
from escalation.counts.periods import period_word
from escalation.forecasts.flashpoint import LARGEST_SUM
from escalation.models.contract.estimate import MAX_STEPS

PATHS = 20_000
"""Joint paths: those with an attack in the first period must be enough where attacks are rare."""
LONGEST_MEMORY = 365
CAUTION = (
    "That an attack goes with a higher probability need not be an answer to it: where nobody answers and both sides "
    "follow a shared level, it is higher too. Only what is beyond that speaks for an answer."
)


def retaliation(
    selection: Selection,
    target: Target,
    *,
    sides: list[str] | None,
    at_least: int,
    within: int,
    lags: int,
) -> None:
    """Show how probable attacks by each side are after one by the other, and where both follow a shared level."""
    target = resolve_target(target, selection)
    sides = list(check_sides(sides))
    lags = check_whole(lags, "--lags", LONGEST_MEMORY)
    at_least, within = check_whole(at_least, "--at-least", LARGEST_SUM), check_whole(within, "--within", MAX_STEPS - 1)
    selection = selection if selection.freq is not None else selection.with_freq("D")
    with screen.progress(5) as step:
        step(reading(selection))
        source = open_table(selection)
        check_by(source, selection, sides)
        both = count_sides(source, selection, sides, step)
        counts, unit = both.counts, both.unit
        step("fitting both sides")
        model = escalation.models.EndemicEpidemic(
            own_past="unit", others_past="unit", dispersion="unit", lag_weights=(1 / lags,) * lags
        )
        fit = model.fit(counts, unit=unit)
        step("drawing what follows")
        found = [
            escalation.analysis.retaliation(
                fit, by=by, after=after, at_least=at_least, within=within, draws=PATHS, rng=selection.seed
            )
            for by, after in (sides[::-1], sides)
        ]
    if target.form != "table":
        return deliver(pd.concat({(one.by, one.after): one.table() for one in found}, names=["by", "after"]), target)
    screen.say(CAUTION)
    word = period_word(found[0].after_attack.first.freqstr, within)
    ahead = f"the {within} {word}" if within > 1 else f"the {word}"
    title = f"Probability of {at_least:,} or more {unit} in {ahead} after an attack"
    header = ["by", "after", "if both", "attack", "no attack", "rise", "MC error"]
    cells = zip(*(row for one in found for row in _rows(one)), strict=True)
    screen.show(title, *zip(header, cells, strict=True), words=(0, 1, 2))
    for one in found:
        screen.say(one.sentence())
    return None


def _rows(found: escalation.analysis.Retaliation) -> list[list[str]]:
    """Where the sides may answer each other, and where both follow a shared level."""
    pairs = (
        ("may answer", found.after_attack, found.after_none, found.rise),
        ("share a level", found.shared_after_attack, found.shared_after_none, found.shared_rise),
    )
    return [
        [
            found.by,
            found.after,
            name,
            screen.probability_text(attack.probability),
            screen.probability_text(none.probability),
            f"{rise:+.2f}",
            f"{(attack.mc_error**2 + none.mc_error**2) ** 0.5:.2g}",
        ]
        for name, attack, none, rise in pairs
    ]
