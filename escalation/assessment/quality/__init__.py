"""What speaks against taking the counts of a table at their word."""
