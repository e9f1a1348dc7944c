"""What the tallies say, on atoms: runs of days that no window edge and no week edge divides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.tallies.chain import Layout
from escalation.tallies.kernels import Kernel
from escalation.tallies.layers import Layers
from escalation.tallies.reliability import Tallied
from escalation.tallies.shares import Parts

LEVEL_DAYS = 7
MONDAY = np.datetime64("1900-01-01", "D")
MAX_DAYS = 20_000


AnyKernel: TypeAlias = Kernel | Tallied


@dataclass(frozen=True, eq=False)
class Evidence:
    """Tallies on atoms: runs of days that no window edge and no week edge divides.

    Attributes
    ----------
    first_day : numpy.datetime64
        First day of the grid.
    atom_days : (A,) float array
        Days of each atom.
    atom_block : (A,) int array
        Week of each atom, from 0.
    atom_event : (A,) int array
        1 where a day was spoken of by itself because something happened.
    block_first : (P + 1,) int array
        First atom of each week, and A.
    window_first, window_last : (W,) int array
        First and last cell of each distinct window: its atoms, in the layer that it speaks of.
    log_kernel : (W, M) float array
        Log probability of all that was said of a window, for each true count 0 … M - 1.
    window_of : (I,) int array
        Window of each tally.
    typical : (W,) float array
        A count that the window's tallies find likely, NaN where they are lower bounds; for the start of the chains
        and the mean of the prior.
    kernels : tuple
        Kernel of each tally.
    layers : Layers, optional
        Places and counters; none where all tallies are of one counter and place.
    held : (L, A) int array
        1 where the count of an atom in a layer is kept.
    """

    first_day: np.datetime64
    atom_days: FloatArray
    atom_block: IntArray
    atom_event: IntArray
    block_first: IntArray
    window_first: IntArray
    window_last: IntArray
    log_kernel: FloatArray
    window_of: IntArray
    typical: FloatArray
    kernels: tuple[AnyKernel, ...] = field(repr=False)
    layers: Layers | None = None
    held: IntArray | None = None

    @property
    def block_days(self) -> FloatArray:
        """Days of each week."""
        return np.asarray(np.add.reduceat(self.atom_days, self.block_first[:-1]))

    @property
    def cells(self) -> int:
        """Number of counts that the chains keep."""
        return len(self.atom_days) * (1 if self.layers is None else len(self.layers))

    def parts(self) -> Parts | None:
        """Return the places and counters of a chain at its start."""
        return None if self.layers is None or self.held is None else self.layers.start(self.block_days, self.held)

    def of_whole(self) -> tuple[Evidence, float]:
        """Return the evidence as if all counters were one, and how many places must be added up for the whole.

        Windows of places are left out where some speak of the whole.
        """
        if self.layers is None:
            return self, 1.0
        atoms = len(self.atom_days)
        place = self.layers.place[self.window_first // atoms]
        kept = np.flatnonzero(place == 0) if (place == 0).any() else np.arange(len(place))
        number = np.full(len(place), -1)
        number[kept] = np.arange(len(kept))
        own = number[self.window_of]
        alike = replace(
            self,
            window_first=self.window_first[kept] % atoms,
            window_last=self.window_last[kept] % atoms,
            log_kernel=self.log_kernel[kept],
            typical=self.typical[kept],
            window_of=own[own >= 0],
            kernels=tuple(one for one, window in zip(self.kernels, own, strict=True) if window >= 0),
            layers=None,
            held=None,
        )
        return alike, 1.0 if (place == 0).any() else float(len(set(place.tolist())))

    @property
    def layout(self) -> Layout:
        """What of it the chains take."""
        return Layout(*(getattr(self, name) for name in Layout._fields))

    @property
    def tallied(self) -> list[Tallied]:
        """Kernels that allow for unreliable tallies."""
        return [one for one in self.kernels if isinstance(one, Tallied)]

    def believing(self, kernels: Sequence[AnyKernel]) -> Evidence:
        """Return the same evidence by other kernels of the same tallies."""
        tables = _log_kernels(kernels, self.window_of, self.log_kernel.shape[1], len(self.log_kernel))
        return replace(self, kernels=tuple(kernels), log_kernel=tables)

    def larger(self) -> Evidence:
        """Return the same evidence in tables of twice the size."""
        tables = _log_kernels(self.kernels, self.window_of, 2 * self.log_kernel.shape[1], len(self.log_kernel))
        return replace(self, log_kernel=tables)


def atoms_from(
    starts: NDArray[np.datetime64],
    ends: NDArray[np.datetime64],
    kernels: Sequence[AnyKernel],
    first: np.datetime64,
    last: np.datetime64,
    events: NDArray[np.bool_] | None = None,
    layers: Layers | None = None,
    layer: IntArray | None = None,
) -> Evidence:
    """Cut the days from the first to the last window (and ``first`` to ``last``) into atoms.

    Windows marked in ``events`` were spoken of because something happened: their days say nothing of the levels.  With
    ``layers``, ``layer`` is the one that each window speaks of.

    Raises
    ------
    InputError
        If they span more than 20,000 days.
    """
    starts, ends = starts.astype("datetime64[D]"), ends.astype("datetime64[D]")
    origin = min(starts.min(), first.astype("datetime64[D]"))
    days = int((max(ends.max(), last.astype("datetime64[D]")) - origin).astype(int)) + 1
    if days > MAX_DAYS:
        raise InputError(
            f"the windows span {days:,} days from {origin}, over the limit of {MAX_DAYS:,}; set start and end"
        )
    open_, close = (starts - origin).astype(np.int64), (ends - origin).astype(np.int64) + 1
    to_monday = int((MONDAY - origin).astype(int)) % LEVEL_DAYS
    edges = np.unique(np.concatenate([[0, days], open_, close, np.arange(to_monday, days, LEVEL_DAYS)]))
    week = (edges[:-1] - to_monday) // LEVEL_DAYS
    block = week - week[0]
    layer = np.zeros(len(open_), np.int64) if layer is None else layer
    windows, window_of = np.unique(np.column_stack([layer, open_, close]), axis=0, return_inverse=True)
    window_of = window_of.reshape(-1)
    finite = [k.high if np.isfinite(k.high) else k.low for k in kernels]
    size = int(2 * max(finite) + 200)
    likely: list[list[float]] = [[] for _ in windows]
    for i, kernel in enumerate(kernels):
        if np.isfinite(kernel.high):
            likely[window_of[i]].append((kernel.low + kernel.high) / 2)
    happened = np.zeros(len(edges) - 1, np.int64)
    marked = [] if events is None else np.flatnonzero(events).tolist()
    for i in marked:
        happened[(edges[:-1] >= open_[i]) & (edges[1:] <= close[i])] = 1
    atoms = len(edges) - 1
    begin, finish = (np.searchsorted(edges, windows[:, side]) for side in (1, 2))
    return Evidence(
        first_day=origin,
        atom_days=np.diff(edges).astype(float),
        atom_block=block.astype(np.int64),
        atom_event=happened,
        block_first=np.append(np.searchsorted(block, np.arange(block[-1] + 1)), len(block)).astype(np.int64),
        window_first=(windows[:, 0] * atoms + begin).astype(np.int64),
        window_last=(windows[:, 0] * atoms + finish - 1).astype(np.int64),
        log_kernel=_log_kernels(kernels, window_of, size + 1, len(windows)),
        window_of=window_of.astype(np.int64),
        typical=np.array([np.median(said) if said else np.nan for said in likely]),
        kernels=tuple(kernels),
        layers=layers,
        held=None if layers is None else _held(layers, windows[:, 0], begin, finish, atoms),
    )


def _held(layers: Layers, layer: IntArray, begin: IntArray, finish: IntArray, atoms: int) -> IntArray:
    """Mark the atoms of each layer whose count is kept: all, but of a counter those that it speaks of."""
    held = np.zeros((len(layers), atoms), np.int64)
    held[layers.counter < 0] = 1
    for which, first, end in zip(layer, begin, finish, strict=True):
        if layers.counter[which] >= 0:
            held[layers.counter == layers.counter[which], first:end] = 1
    return held


def _log_kernels(kernels: Sequence[AnyKernel], window_of: IntArray, size: int, windows: int) -> FloatArray:
    """Log probability of all that was said of each window, for each true count below ``size``."""
    tables = np.zeros((windows, size))
    for i, kernel in enumerate(kernels):
        tables[window_of[i]] += kernel.log_prob(np.arange(size))
    return tables
