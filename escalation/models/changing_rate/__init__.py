"""A rate that changes: level, slope, jumps, fading shocks, all weighed by exact filtering on a grid."""
