"""Articles: the counts that running text reports, each with its sentence, its window and how sure it is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
