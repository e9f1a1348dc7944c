"""What speaks against a model."""
