"""Poisson and negative binomial regression, zero-inflated and hurdle models, terms and interventions."""
