"""Count models, one file each, behind the contract in :mod:`escalation.models.contract.base`.

Public names are listed in ``__init__.pyi`` and load their module when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
