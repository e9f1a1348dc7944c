"""Tallies: reported counts (so many, in this window, says this counter) and what they imply."""
