"""The case, the unit of work: a folder of tables and articles, and a brief on all of its series."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
