"""Forecasts of models in simulated worlds, scored series by series and kept in a folder.

What is kept of a model in a world is one row a series: fair CRPS and both ends of the PIT of every step and of totals,
probabilities of two thresholds, and whether they were reached.  A row is taken from the folder where it is there, so
that rivals run once; a change of this file or of the simulators makes all rows anew.
"""

from __future__ import annotations

import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rivals import STAND_IN, paths_of
from running import run_all
from simulation import World, generator
from simulators import simulate

from escalation.errors import EscalationError
from escalation.scores import cdf_pair, crps

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Rows = dict[str, FloatArray]

ORACLE = "oracle"
TOTALS = {"W-SUN": (4, 8, 12), "M": (4, 8, 12), "D": (7, 14, 28)}
"""Steps that are summed, by the kind of period."""
WITHIN = 8
"""Steps within which a threshold is reached or not."""
HALF = 0.51
CHUNK = 20
"""Series that a worker takes at once."""


class Task(NamedTuple):
    """Series of a world to be forecast by a model."""

    model: str
    world: str
    series: tuple[int, ...]
    seed: int
    draws: int


def likely_half(world: World) -> int:
    """The threshold whose true probability of being reached within 8 steps is nearest to 0.51."""
    highest = np.sort(world.oracle[:, :WITHIN].max(axis=1))
    candidates = np.arange(1, highest[-1] + 2)
    reached = 1 - np.searchsorted(highest, candidates) / len(highest)
    return int(candidates[np.abs(reached - HALF).argmin()])


def drawn_threshold(world: World, rng: Generator) -> int:
    """A threshold from the last four counts and a random number, so that all probabilities from 0 to 1 come about.

    It must not know the state at the origin: of forecasts that are right given the past, one would no longer be so
    given a threshold that reveals what only the oracle knows.
    """
    recent = world.counts.dropna().to_numpy(dtype=np.float64)[-4:].mean() + 0.3
    return 1 + int(rng.poisson(recent * np.exp(rng.normal(0.55, 0.4))))


def scored(world: World, paths: IntArray, half: int, drawn: int) -> Rows:
    """Scores of one forecast, by column."""
    draws, future = paths.T.astype(np.float64), world.future.astype(np.float64)
    sums = [slice(steps) for steps in TOTALS[world.freq]]
    of_steps = cdf_pair(draws, future)
    of_totals = cdf_pair(
        np.stack([draws[span].sum(axis=0) for span in sums]), np.array([future[span].sum() for span in sums])
    )
    highest, reached = paths[:, :WITHIN].max(axis=1), world.future[:WITHIN].max()
    return {
        "crps": crps(draws, future, estimator="fair"),
        "below": of_steps[0],
        "upto": of_steps[1],
        "total_below": of_totals[0],
        "total_upto": of_totals[1],
        "half": np.array((highest >= half).mean()),
        "half_came": np.array(float(reached >= half)),
        "drawn": np.array((highest >= drawn).mean()),
        "drawn_came": np.array(float(reached >= drawn)),
        "changed": np.array(np.nan if world.changed is None else float(world.changed)),
    }


def forecast(world: World, model: str, draws: int, rng: Generator) -> tuple[IntArray, bool]:
    """Paths of a model, and whether it refused the series, so that climatology stood in for it."""
    if model == ORACLE:
        return world.oracle, False
    try:
        return paths_of(model)(world.counts, world.steps, draws, rng), False
    except EscalationError:
        return STAND_IN(world.counts, world.steps, draws, rng), True


def run_task(task: Task) -> Rows:
    """Forecast and score the series of a task."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for series in task.series:
            world = simulate(task.world, series, task.seed)
            begin = time.process_time()
            paths, refused = forecast(
                world, task.model, task.draws, generator(series, task.seed, task.world, task.model)
            )
            seconds = time.process_time() - begin
            drawn = drawn_threshold(world, generator(series, task.seed, task.world, "threshold"))
            rows.append(
                {"series": np.array(float(series)), "refused": np.array(float(refused)), "seconds": np.array(seconds)}
                | scored(world, paths, likely_half(world), drawn)
            )
    return {column: np.stack([row[column] for row in rows]) for column in rows[0]}


class Store:
    """A folder of rows, a file for each model and world."""

    def __init__(self, folder: Path, seed: int, draws: int) -> None:
        self.folder, self.seed, self.draws = folder, seed, draws
        here = Path(__file__).parent
        said = b"".join((here / name).read_bytes() for name in ("simulation.py", "simulators.py", "tournament.py"))
        self.version = zlib.crc32(said)

    def path(self, model: str, world: str) -> Path:
        """File of a model in a world."""
        return self.folder / world / f"{model}-{self.seed}-{self.draws}-{self.version:08x}.npz"

    def read(self, model: str, world: str) -> Rows | None:
        """All rows of a model in a world; None where there are none."""
        path = self.path(model, world)
        if not path.is_file():
            return None
        with np.load(path) as kept:
            return dict(kept)

    def add(self, model: str, world: str, rows: Rows) -> None:
        """Join rows to those of the file, in the order of the series; a row that is there already is replaced."""
        old = self.read(model, world)
        if old is not None:
            stays = ~np.isin(old["series"], rows["series"])
            rows = {column: np.concatenate([old[column][stays], rows[column]]) for column in rows}
        order = np.argsort(rows["series"])
        path = self.path(model, world)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new.npz")
        np.savez(new, **{column: values[order] for column, values in rows.items()})
        new.replace(path)

    def lacking(self, model: str, world: str, series: int) -> list[int]:
        """Which of so many series are not there."""
        rows = self.read(model, world)
        return sorted(set(range(series)) - set([] if rows is None else rows["series"].astype(int).tolist()))

    def first(self, model: str, world: str, series: int) -> Rows:
        """The rows of the first so many series."""
        rows = self.read(model, world)
        assert rows is not None, (model, world)
        wanted = rows["series"] < series
        return {column: values[wanted] for column, values in rows.items()}


def fill(
    store: Store, models: Iterable[str], worlds: Sequence[str], series: int, workers: int, anew: Sequence[str] = ()
) -> None:
    """Forecast and score all that the store lacks, and by the models of ``anew`` all that there is."""
    tasks = []
    for model in models:
        for world in worlds:
            wanted = list(range(series)) if model in anew else store.lacking(model, world, series)
            tasks += [
                Task(model, world, tuple(wanted[first : first + CHUNK]), store.seed, store.draws)
                for first in range(0, len(wanted), CHUNK)
            ]
    left: dict[tuple[str, str], int] = defaultdict(int)
    for task in tasks:
        left[task.model, task.world] += 1
    done: dict[tuple[str, str], list[Rows]] = defaultdict(list)
    for task, rows in run_all(run_task, tasks, workers):
        key = (task.model, task.world)
        done[key].append(rows)
        left[key] -= 1
        if not left[key]:
            parts = done.pop(key)
            store.add(*key, {column: np.concatenate([part[column] for part in parts]) for column in parts[0]})
