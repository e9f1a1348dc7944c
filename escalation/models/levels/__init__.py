"""A level that drifts, with or without a slope that drifts."""
