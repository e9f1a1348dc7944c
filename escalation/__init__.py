"""Escalation-risk time series: from press counts and incident tables to forecasts and flashpoints.

Public names are listed in ``__init__.pyi`` and load their module when first used, so that
``import escalation`` costs next to nothing.
"""

import lazy_loader

from escalation.conventions.version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
