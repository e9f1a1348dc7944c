"""Rates of two windows compared, growth over one, and what a change leans on."""
