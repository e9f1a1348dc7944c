"""statsmodels_bridge"""
