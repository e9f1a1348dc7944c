"""Fits as results objects of statsmodels, and its results as fits."""
