"""What is the same everywhere: arguments, random numbers, progress, wording, the version."""
