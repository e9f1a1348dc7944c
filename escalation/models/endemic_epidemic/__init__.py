"""Several units that excite each other."""
