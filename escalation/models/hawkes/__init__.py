"""Event times and the self-exciting processes fitted to them."""
