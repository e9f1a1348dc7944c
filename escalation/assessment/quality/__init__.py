"""What a table of incidents can be trusted with: gaps, changed coverage, one source, heaped dates."""
