"""Questions to one series: trend, changes, alarms, regimes, excitation, severity, scenarios."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
