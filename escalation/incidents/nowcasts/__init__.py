"""Nowcasts: what the latest periods will have held once all late reports are in."""
