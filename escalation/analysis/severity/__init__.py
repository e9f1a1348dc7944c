"""Severity: the share of attacks that kill, how many they kill, and both compounded with forecasts of attacks."""
