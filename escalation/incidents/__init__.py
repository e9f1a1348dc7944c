"""Incidents: one row an incident, read from any table of them and counted by period."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
