"""Forecasts from past origins, their scores, and what follows from them for the next ones."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
