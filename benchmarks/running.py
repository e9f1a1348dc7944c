"""Tasks in as many processes as asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def run_all(work: Callable[[Task], Outcome], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Outcome]]:
    """Tasks and what came of them, in any order, by so many processes; by this one where it is one."""
    if workers == 1:
        yield from ((task, work(task)) for task in tasks)
        return
    with ProcessPoolExecutor(workers) as pool:
        futures = {pool.submit(work, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
