"""Counts, histories and exposure on gap-free periods; windows; the count series that every analysis takes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
