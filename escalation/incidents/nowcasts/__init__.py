"""Counts of the latest periods, once late reports are in."""
