"""Charts, one family a file; only this folder and the report import matplotlib.

The functions that are listed return a figure that shows itself in a notebook; ``draw_…`` functions draw on given axes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
