"""Forecasts under assumed changes of the rate."""
