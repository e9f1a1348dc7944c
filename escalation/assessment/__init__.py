"""One answer: a source of counts, and one record of everything that is said of a series out of it."""
