"""Numbers in sentences."""

from __future__ import annotations

import math


def plain(value: float) -> str:
    """Write a rate or a ratio with at most three figures."""
    if math.isinf(value):
        return "no upper limit"
    if value >= 99.95:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def chance(probability: float) -> str:
    """Write a probability, never as 0 or 1."""
    if probability < 0.001:
        return "below 0.001"
    if probability > 0.999:
        return "above 0.999"
    return f"{probability:.2f}" if 0.01 <= probability <= 0.99 else f"{probability:.3f}"
