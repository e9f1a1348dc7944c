"""Benchmarks to beat, analogues and pools."""
