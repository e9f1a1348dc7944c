"""Counting where the rows are: files larger than memory, databases."""
