"""Changes of a rate: their number and dates, and whether it has just changed."""
