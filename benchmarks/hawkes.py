"""Speed of the Hawkes likelihood and fit, and coverage of its intervals.

``python benchmarks/hawkes.py`` prints nanoseconds of processor time an event, beside other packages where they are
installed; ``--coverage 200`` the coverage of 90% intervals on simulated windows.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import time
from collections.abc import Callable

import numpy as np

from escalation.models import EventTimes, Hawkes, times_of
from escalation.models.hawkes.likelihood import row_derivatives, single_derivatives, single_likelihood
from escalation.models.hawkes.paths import Parameters, draw_events

EVENTS = 1_000_000
SINGLE = Parameters(np.array([[0.5]]), np.array([[[0.7]]]), np.array([[1.5]]))
TWO = Parameters(np.array([[0.3, 0.2]]), np.array([[[0.3, 0.2], [0.4, 0.1]]]), np.array([[1.0, 1.0]]))


def least(run: Callable[[], object], number: int = 7) -> float:
    """Least processor time of several runs, in seconds; the first, which compiles, is not counted."""
    run()
    spent = []
    for _ in range(number):
        begin = time.process_time()
        run()
        spent.append(time.process_time() - begin)
    return min(spent)


def window(parameters: Parameters) -> tuple[EventTimes, float]:
    """Some million events, and the length of their window."""
    rate = float(
        np.linalg.solve(
            np.eye(parameters.background.shape[1]) - parameters.branching[0], parameters.background[0]
        ).sum()
    )
    days = EVENTS / rate
    _, times, marks = draw_events(parameters, days, np.random.default_rng(1))
    return times_of(times, days, marks=marks), days


def speed() -> None:
    events, days = window(SINGLE)
    times, _ = events.draw()
    n = len(times)
    at = (0.5, 0.7, 1.5)
    print(f"one kind, {n:,} events, nanoseconds an event")
    print(f"  log-likelihood {1e9 * least(lambda: single_likelihood(times, days, *at)) / n:.1f}")
    print(f"  with gradient and Hessian {1e9 * least(lambda: single_derivatives(times, days, *at)) / n:.1f}")
    for name, run in others(times, days).items():
        print(f"  {name} {1e9 * least(run, 3) / n:.1f}")
    print(f"  fit {least(lambda: Hawkes().fit(events), 3):.2f} s")
    both, days = window(TWO)
    times, marks = both.draw()
    n = len(times)
    print(f"two kinds, {n:,} events")

    def rows() -> None:
        for target in (0, 1):
            row_derivatives(times, marks, target, days, 0.3, TWO.branching[0, target], 1.0)

    print(f"  with gradient and Hessian {1e9 * least(rows) / n:.1f} nanoseconds an event")
    print(f"  fit {least(lambda: Hawkes().fit(both), 3):.2f} s")


def others(times: np.ndarray, days: float) -> dict[str, Callable[[], object]]:
    """Likelihoods of hawkes-rs and hawkesbook, where installed; the second takes the jump, 0.7 * 1.5."""
    found: dict[str, Callable[[], object]] = {}
    with contextlib.suppress(ImportError):
        package = importlib.import_module("hawkes.univariate")
        given = package.Parameters(0.5, 0.7, 1.5)
        found["hawkes-rs, log-likelihood"] = lambda: package.negative_log_likelihood(given, times, days)
        found["hawkes-rs, with gradient"] = lambda: package.negative_log_likelihood_and_gradient(given, times, days)
    with contextlib.suppress(ImportError):
        book = importlib.import_module("hawkesbook")
        theta = np.array([0.5, 1.05, 1.5])
        found["hawkesbook, log-likelihood"] = lambda: book.exp_log_likelihood(times, days, theta)
    return found


def coverage(runs: int) -> None:
    truth = np.array([0.5, 0.4, 0.6])
    parameters = Parameters(truth[None, :1], truth[None, 1:2, None], truth[None, 2:])
    for rounded in (False, True):
        hits = {"Hessian": np.zeros(3), "bootstrap": np.zeros(3)}
        found, stated = [], []
        for seed in range(runs):
            _, times, marks = draw_events(parameters, 400.0, np.random.default_rng(seed))
            events = times_of(times, 400.0)
            if rounded:
                days = np.floor(times)
                events = EventTimes(days, days + 1.0, marks, events.marks, events.start, 400.0)
            fit = Hawkes().fit(events, rng=seed)
            found.append(fit.params.to_numpy())
            stated.append(fit.bse.to_numpy())
            limits = {"Hessian": fit.conf_int(0.9), "bootstrap": fit.bootstrap(200, rng=seed).conf_int(0.9)}
            for name, table in limits.items():
                low, high = table.to_numpy()[:3].T
                hits[name] += (low <= truth) & (truth <= high)
        kind = "days" if rounded else "exact times"
        print(f"{kind}: background, branching, decay in {runs} windows of some 330 events")
        print(f"  median stated error over true spread {np.median(stated, axis=0) / np.std(found, axis=0)}")
        for name, hit in hits.items():
            print(f"  90% intervals of the {name} cover {hit / runs}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", type=int, default=0, metavar="RUNS")
    runs = parser.parse_args().coverage
    if runs:
        coverage(runs)
    else:
        speed()


if __name__ == "__main__":
    main()
