"""What an attack by one side is followed by."""
