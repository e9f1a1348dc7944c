"""Expressions of time in a sentence, as stretches of days."""
