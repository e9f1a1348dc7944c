"""Which share of attacks kills, how many, and what the coming ones may cost."""
