"""Chains of a reconstruction that run once for all tests, whichever process asks for them."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.random import Generator

from escalation.tallies import posterior
from escalation.tallies.evidence import Evidence

TAKERS: list[Any] = [importlib.import_module(f"escalation.tallies.{name}") for name in ("reconstruct", "left_out")]
"""Modules that run chains."""
REMEMBERED = 30
"""Reconstructions that a process holds, of some 8 MB each."""
WORTH_KEEPING = 1.0
"""Seconds from which on chains are kept for other processes."""


def once(sample: Callable[..., posterior.Posterior], folder: Path | None = None) -> Callable[..., posterior.Posterior]:
    """``sample_posterior`` that runs the chains of the same evidence, generator and options once.

    What it gives cannot be written to, and the generator stands afterwards where the chains would have left it. With
    a folder, chains that took long are kept there for other processes, which must have the same package.
    """
    known: dict[str, posterior.Posterior] = {}

    def sampled(evidence: Evidence, draws: int, rng: Generator, **options: Any) -> posterior.Posterior:
        plan = options.get("plan") or posterior.PLAN
        asked = {name: value for name, value in options.items() if name != "tick"}  # which changes no number
        keep = max(plan.keep, -(-draws // plan.chains))  # what draws decide
        told = (vars(evidence), keep, rng.bit_generator, asked)
        key = hashlib.sha256(pickle.dumps(told)).hexdigest()
        kept = known.get(key) or (folder and read_kept(folder / key))
        if kept:
            rng.spawn(plan.chains)
        else:
            begun = time.perf_counter()
            kept = sample(evidence, draws, rng, **options)
            if folder and time.perf_counter() - begun > WORTH_KEEPING:
                keep_for_others(kept, folder / key)
        for array in (kept.counts, kept.levels, kept.scales, kept.window_counts):
            array.flags.writeable = False
        known[key] = kept
        if len(known) > REMEMBERED:
            del known[next(name for name in known if name != key)]
        return kept

    return sampled


def read_kept(path: Path) -> posterior.Posterior | None:
    if not path.is_file():
        return None
    kept: posterior.Posterior = pickle.loads(zlib.decompress(path.read_bytes()))
    return kept


def keep_for_others(kept: posterior.Posterior, path: Path) -> None:
    """Write a file that is there only when it is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        stream.write(zlib.compress(pickle.dumps(kept), level=1))
    Path(stream.name).replace(path)


@contextmanager
def sampled_by(sample: Callable[..., posterior.Posterior]) -> Iterator[None]:
    before = [(module, module.sample_posterior) for module in TAKERS]
    try:
        for module in TAKERS:
            module.sample_posterior = sample
        yield
    finally:
        for module, own in before:
            module.sample_posterior = own


def share(folder: str) -> None:
    """Have a process that runs no tests of its own take what is kept in a folder, for as long as it lives."""
    for module in TAKERS:
        module.sample_posterior = once(posterior.sample_posterior, Path(folder))
