"""Self- and mutually exciting processes on event times."""
