"""Quiet and active regimes."""
