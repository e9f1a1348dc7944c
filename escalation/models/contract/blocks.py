"""Work on many series, cut into blocks that any executor can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Executor, as_completed
from typing import TypeVar

from escalation.conventions.progress import Progress, Tick, reporter

Item = TypeVar("Item")
Block = TypeVar("Block", bound=Sized)
Result = TypeVar("Result")

LARGEST_BLOCK = 100
"""Series in a block: enough to be worth sending, few enough for progress and for memory."""

FEWEST_BLOCKS = 16


def cut(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Successive blocks of a sequence; their size depends on its length only, not on who does the work."""
    size = max(1, min(LARGEST_BLOCK, -(-len(items) // FEWEST_BLOCKS)))
    return [items[first : first + size] for first in range(0, len(items), size)]


def run_blocks(
    work: Callable[[Block], Result],
    blocks: Sequence[Block],
    executor: Executor | None,
    progress: Progress,
) -> list[Result]:
    """Do the work on each block, here or in an executor, and give the results in the order of the blocks.

    ``progress`` is called from the calling thread, in the order in which blocks are finished.  If a block fails, or
    the caller is interrupted, blocks that have not begun are called off.
    """
    with reporter(progress, "series") as tick:
        return _in_order(work, blocks, executor, tick)


def _in_order(
    work: Callable[[Block], Result], blocks: Sequence[Block], executor: Executor | None, tick: Tick
) -> list[Result]:
    total, done = sum(map(len, blocks)), 0
    results: dict[int, Result] = {}

    def keep(place: int, result: Result) -> None:
        nonlocal done
        results[place] = result
        done += len(blocks[place])
        tick(done, total)

    if executor is None:
        for place, block in enumerate(blocks):
            keep(place, work(block))
    else:
        futures = {executor.submit(work, block): place for place, block in enumerate(blocks)}
        try:
            for future in as_completed(futures):
                keep(futures[future], future.result())
        finally:
            for future in futures:
                future.cancel()
    return [results[place] for place in range(len(blocks))]
