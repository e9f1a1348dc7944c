"""Any table in, with a ledger of what became of its rows; any file out, whole or not at all."""
