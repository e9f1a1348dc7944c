"""One answer: a source of counts, and one record of everything that is said of a series out of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
