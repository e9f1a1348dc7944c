"""Work on many series, cut into blocks that any executor can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from typing import TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress: TypeAlias = Callable[[int, int], None] | None
"""What every ``progress`` keyword takes: a function that is told how many series are done, and of how many, or None."""

LARGEST_BLOCK = 100
"""Series in a block: enough to be worth sending, few enough for progress and for memory."""

FEWEST_BLOCKS = 16


def cut(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Successive blocks of a sequence; their size depends on its length only, not on who does the work."""
    size = max(1, min(LARGEST_BLOCK, -(-len(items) // FEWEST_BLOCKS)))
    return [items[first : first + size] for first in range(0, len(items), size)]


def run_blocks(
    work: Callable[[Item], Result],
    blocks: Sequence[Item],
    sizes: Sequence[int],
    executor: Executor | None,
    progress: Progress,
) -> list[Result]:
    """Do the work on each block, here or in an executor, and give the results in the order of the blocks.

    ``progress`` is called from the calling thread, in the order in which blocks are finished.  If a block fails, or
    the caller is interrupted, blocks that have not begun are called off.
    """
    total, done = sum(sizes), 0
    results: dict[int, Result] = {}

    def keep(place: int, result: Result) -> None:
        nonlocal done
        results[place] = result
        done += sizes[place]
        if progress is not None:
            progress(done, total)

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
