"""Expected counts that follow past counts and their own past."""
