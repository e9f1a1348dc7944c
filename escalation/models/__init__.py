"""Count models, one file each, behind the contract in :mod:`escalation.models.base`."""
