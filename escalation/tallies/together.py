"""What several counters, and places, say together: the whole, what each of them would count, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.wording import spaced
from escalation.errors import InputError
from escalation.tallies.choosing import JOINED
from escalation.tallies.daily import spread_over_days
from escalation.tallies.evidence import LEVEL_DAYS, Evidence
from escalation.tallies.layers import RATIO_DAYS, WHOLE, Layers
from escalation.tallies.posterior import Posterior

NEAR_BLOCKS = round(RATIO_DAYS / LEVEL_DAYS)
"""Weeks at either end of what a counter speaks of between which its ratio may have changed."""


@dataclass(frozen=True, eq=False)
class CounterRatios:
    """How much each counter counts of what the first one does, and whether that has changed.

    Attributes
    ----------
    ratios : pandas.DataFrame
        One row a counter: ``place``, ``tallies`` used, median ``ratio`` to the reference with ``lower`` and ``upper``
        (90% interval), and ``change``, the ratio in the last weeks of which it speaks by that in the first ones (60
        days each, half of them where there are fewer), with its interval.
    reference : str
        The counter with the most tallies; its ratio is 1.
    overlap : tuple of float
        Median and 90% interval of the share of all incidents that the widest counter counts.
    """

    ratios: pd.DataFrame
    reference: str
    overlap: tuple[float, float, float]

    def table(self) -> pd.DataFrame:
        """Return the ratios, one row a counter."""
        return self.ratios.copy()

    def sentences(self) -> list[str]:
        """Say how the counters differ: what each counts, where that is beyond doubt, and where it has changed."""
        return [self._sentence(str(name), row) for name, row in self.ratios.iterrows() if name != self.reference]

    def conflicts(self) -> list[str]:
        """Say the same of the counters alone whose ratio is not 1 beyond doubt, or has changed."""
        others = self.ratios.drop(index=self.reference)
        return [self._sentence(str(name), row) for name, row in others.iterrows() if _differs(row) or _changed(row)]

    def _sentence(self, name: str, row: pd.Series) -> str:
        where = f" in {row['place']}" if row["place"] else ""
        text = (
            f"{spaced(name)} counts {row['ratio']:.2f} ({row['lower']:.2f} to {row['upper']:.2f}) for each one that "
            f"{spaced(self.reference)} counts{where}"
        )
        if _differs(row):
            text += ": its definition or its sources differ"
        if _changed(row):
            text += f", and its ratio has changed by a factor of {row['change']:.2f} since it began"
        return text + "."


def _differs(row: pd.Series) -> bool:
    return bool(row["lower"] > 1.0 or row["upper"] < 1.0)


def _changed(row: pd.Series) -> bool:
    return bool(row["change_lower"] > 1.0 or row["change_upper"] < 1.0)


@dataclass(frozen=True, eq=False)
class Together:
    """Draws of all layers, from which the answer for the whole and for each counter and place is worked out.

    Attributes
    ----------
    layers : Layers
        What they are.
    evidence : Evidence
        What the tallies say.
    counts : (draws, L, A) int array
        Count of each atom in each layer.
    log_shares : (draws, L, P) float array
        Log probability of each layer, by week.
    sizes, rates : (draws,) and (draws, P) float array
        Size of the days, and daily rate of all that there is.
    seed : int
        Of what is drawn of a counter where it says nothing.
    """

    layers: Layers
    evidence: Evidence = field(repr=False)
    counts: IntArray = field(repr=False)
    log_shares: FloatArray = field(repr=False)
    sizes: FloatArray = field(repr=False)
    rates: FloatArray = field(repr=False)
    seed: int

    def daily(self, counter: str | None, place: str) -> pd.DataFrame:
        """Histories by day of a counter, or of the whole, in a place or all; the same each time."""
        which = 0 if counter is None else 1 + self.layers.counters.index(counter)
        rng = np.random.default_rng([self.seed, which, (WHOLE, *self.layers.places).index(place)])
        return spread_over_days(self.atoms(counter, place, rng), self.sizes, self.evidence, rng)

    def key_of(self, row: pd.Series) -> tuple[str | None, str]:
        """Counter and place of a tally, as :meth:`daily` takes them; the whole in place of what has no layer."""
        known = row["counter"] in self.layers.counters
        return (str(row["counter"]) if known else None), (row["part"] if row["part"] in self.layers.places else WHOLE)

    def where(self, counter: str) -> str:
        """Places that a counter speaks of, joined; nothing where it speaks of the whole."""
        layers = self.layers
        if len(layers.counters) == 1 or (layers.counter[layers.captured :] == layers.counters.index(counter)).any():
            return ""
        named = [layers.places[layers.place[one] - 1] for one in layers.children(counter) if layers.place[one] > 0]
        return JOINED.join(named)

    def atoms(self, counter: str | None, place: str, rng: Generator) -> IntArray:
        """Draws of the count of each atom: of a counter, or of the whole, in one place or all; shape (draws, A).

        What a counter would have counted where it says nothing, and what of the whole it does not know, is drawn.

        Parameters
        ----------
        counter : str, optional
            The whole where left out: what a counter of a middling definition would count.
        place : str
            A key of the layers' places, or that of the whole.
        rng : Generator
            Generator.
        """
        layers, where = self.layers, (0 if place == WHOLE else self.layers.places.index(place) + 1)
        if counter is None or len(layers.counters) == 1:
            of = self.counts[:, where]
            return of if len(layers.counters) == 1 else self._as_counted(of, where, rng)
        own = [layer for layer in layers.children(counter) if where in (0, layers.place[layer])]
        if not own:  # it speaks of the whole alone: its share of the place is that of the place
            return np.asarray(rng.binomial(self.counts[:, where], self._share(layers.children(counter)[0])))
        return np.asarray(sum(self._counted(layer, rng) for layer in own))

    def _share(self, layer: int) -> FloatArray:
        return np.exp(np.minimum(self.log_shares[:, layer][:, self.evidence.atom_block], 0.0))

    def _counted(self, layer: int, rng: Generator) -> IntArray:
        """Count of a counter's layer: as kept, else drawn from that of its parent."""
        drawn = rng.binomial(self.counts[:, self.layers.parent[layer]], self._share(layer))
        kept = np.asarray(self.evidence.held)[layer] == 1
        return np.where(kept, self.counts[:, layer], drawn)

    def _as_counted(self, counts: IntArray, where: int, rng: Generator) -> IntArray:
        """What a counter of a middling definition would count of a layer; more than all counters together at times."""
        share = np.exp(self.log_shares[:, 0][:, self.evidence.atom_block])
        seen = rng.binomial(counts, np.minimum(share, 1.0))
        if (share <= 1.0).all():
            return np.asarray(seen)
        days, event = self.evidence.atom_days, self.evidence.atom_event
        rate = self.rates[:, self.evidence.atom_block]
        size = self.sizes[:, None]
        intensity = rng.gamma(self.counts[:, 0] + days * size) / (size + rate) * rate
        part = np.exp(self._place(where)) if where else 1.0
        mean = np.where(event == 1, counts, intensity * part)
        return np.asarray(seen + rng.poisson(np.maximum(share - 1.0, 0.0) * mean))

    def _place(self, where: int) -> FloatArray:
        return np.asarray(self.log_shares[:, where][:, self.evidence.atom_block])

    def ratios(self, tallies: pd.DataFrame) -> CounterRatios:
        """Ratios of the counters to the one with the most tallies.

        Parameters
        ----------
        tallies : pandas.DataFrame
            Tallies with ``counter`` and ``used``.
        """
        layers, days = self.layers, self.evidence.block_days
        reference = layers.counters[0]
        first = layers.children(reference)
        base = self.log_shares[:, first[0]] if first else np.zeros_like(self.log_shares[:, 0])
        rows = {}
        for name in layers.counters:
            own = layers.children(name)
            log = self.log_shares[:, own[0]] - base if own else base * 0
            held = (
                np.ones(len(self.evidence.atom_days), bool) if not own else np.asarray(self.evidence.held)[own[0]] == 1
            )
            blocks = np.unique(self.evidence.atom_block[held])
            mean = np.average(log[:, blocks], axis=1, weights=days[blocks])
            at_ends = max(1, min(NEAR_BLOCKS, len(blocks) // 2))
            change = log[:, blocks[-at_ends:]].mean(axis=1) - log[:, blocks[:at_ends]].mean(axis=1)
            rows[name] = [
                self.where(name),
                int((tallies["used"] & tallies["counter"].eq(name)).sum()),
                *np.exp(np.quantile(mean, [0.5, 0.05, 0.95])),
                *np.exp(np.quantile(change, [0.5, 0.05, 0.95])),
            ]
        columns = ["place", "tallies", "ratio", "lower", "upper", "change", "change_lower", "change_upper"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame.index.name = "counter"
        return CounterRatios(frame, reference, self._overlap())

    def _overlap(self) -> tuple[float, float, float]:
        layers = self.layers
        if len(layers.counters) == 1:
            return 1.0, 1.0, 1.0
        first = [layers.children(name)[0] for name in layers.counters]
        widest = np.exp(self.log_shares[:, first].max(axis=1).mean(axis=1))
        low, middle, high = np.quantile(widest, [0.05, 0.5, 0.95])
        return float(middle), float(low), float(high)


def draw_together(posterior: Posterior, evidence: Evidence, draws: int, rng: Generator) -> Together:
    """Thin the draws of all layers.

    Raises
    ------
    InputError
        If there are none, for one counter and place were read.
    """
    layers, at = evidence.layers, posterior.places_of(draws)
    if layers is None or posterior.log_shares is None:
        raise InputError("one counter and place alone has no layers")
    counts, sizes = posterior.thinned(draws)
    log_shares = posterior.log_shares.reshape(-1, *posterior.log_shares.shape[2:])[at]
    rates = np.exp(posterior.levels.reshape(-1, posterior.levels.shape[2])[at])
    return Together(
        layers, evidence, counts.reshape(draws, len(layers), -1), log_shares, sizes, rates, int(rng.integers(2**32))
    )
