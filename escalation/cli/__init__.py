"""The command line: ``escalation report`` and its companions.

Names load on first use, as in the package itself: ``escalation --help`` loads no library but typer.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
