"""Kinds of files of incidents, and how each is read."""
