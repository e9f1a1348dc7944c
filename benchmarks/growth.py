"""Growth over a window: bias, coverage of its intervals and how often a direction is said, on simulated series.

Counts are negative binomial around an exponential rate.  Held to: bias of the log growth within 3 of its Monte Carlo
errors, 90% intervals that hold the truth in 87 to 93% of the series.  The last column is how often a rise or fall is
said (probability 0.9) where there is none.

    python benchmarks/growth.py --series 400
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from numpy.random import default_rng

from escalation.analysis.trend import growth as growth_rate

CASES = [
    (periods, level, growth)
    for periods, level in ((8, 3.0), (13, 3.0), (26, 1.0), (26, 10.0))
    for growth in (0.0, 0.08)
]
DISPERSION = 0.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("periods  mean count  growth   bias / its error   in 90%   median width   direction said   s CPU a series")
    for number, (periods, level, growth) in enumerate(CASES):
        rng, began = default_rng([options.seed, number]), time.process_time()
        weeks = pd.period_range("2024-01-01", periods=periods, freq="W-SUN")
        mean = level * np.exp(np.log1p(growth) * (np.arange(periods) - (periods - 1) / 2))
        found = []
        while len(found) < options.series:
            counts = rng.poisson(mean * rng.gamma(1 / DISPERSION, DISPERSION, periods))
            if counts.any():
                found.append(growth_rate(pd.Series(counts, index=weeks), periods))
        slopes = np.log1p([one.growth for one in found])
        error = slopes.std(ddof=1) / np.sqrt(len(slopes))
        held = np.mean([one.lower <= growth <= one.upper for one in found])
        width = np.median([one.upper - one.lower for one in found])
        said = np.mean([max(one.probability_rising, 1 - one.probability_rising) >= 0.9 for one in found])
        each = (time.process_time() - began) / len(found)
        print(
            f"{periods:7d}  {level:10.1f}  {growth:6.2f}   {(slopes.mean() - np.log1p(growth)) / error:+16.1f}   "
            f"{held:6.3f}   {width:12.2f}   {said:14.2f}   {each:14.3f}"
        )


if __name__ == "__main__":
    main()
