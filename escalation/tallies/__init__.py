"""Tallies: reported counts (so many, in this window, says this counter) and what they imply."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
