"""The processes: the server, its workers, and what they need to run."""
